//! Reads what is durable and not signed yet, without the log being open or all of the journal read.

use std::path::Path;

use super::{
    journal::{self, Frame},
    open::MAX_SEGMENT,
};
use crate::{
    files::{self, TileError, Tiles},
    hash::LeafHasher,
    tree::Frontier,
};

/// The durable entries after the first `size`, which are signed, as far as they are no more than
/// `most` bytes. None when the journal changed while it was read, and has to be read again.
///
/// Frames that are signed are passed over. So it takes as long as there is to read, and not as the
/// journal is.
pub(crate) fn read_after(
    directory: &Path,
    size: u64,
    most: usize,
) -> Result<Option<Vec<Vec<u8>>>, TileError> {
    let mut found = Vec::new();
    // A copy may have none, and no entries that are not signed.
    if !journal::folder(directory).exists() {
        return Ok(Some(found));
    }
    let segments = journal::segments(directory)?;
    let Some(from) = segments.iter().rposition(|first| *first <= size) else {
        return Ok(segments.is_empty().then_some(found));
    };
    let segments = segments.get(from..).unwrap_or_default();
    let mut next = segments.first().copied().unwrap_or_default();
    let (mut tree, mut hasher, mut bytes) = (None, LeafHasher::default(), 0);
    for first in segments {
        let segment = files::read(&journal::path(directory, *first), MAX_SEGMENT)?;
        let segment = segment.unwrap_or_default();
        let mut rest = journal::frames(&segment, *first).unwrap_or_default();
        while let Some(frame) = Frame::parse(rest).filter(|frame| frame.first == next) {
            if frame.end() > size {
                let known = match tree.take() {
                    Some(tree) => tree,
                    None => Frontier::of(frame.first, &mut Tiles::new(directory, size))?,
                };
                let tree = tree.insert(known);
                // The frame is being written at this moment, or was cut off.
                let Some(added) = frame.added(tree, &mut hasher) else { break };
                let new = (frame.first..).zip(added).filter(|(index, _)| *index >= size);
                for (_, (entry, _)) in new {
                    bytes += entry.len();
                    if bytes > most {
                        return Ok(Some(found));
                    }
                    found.push(entry.to_vec());
                }
            }
            next = frame.end();
            rest = rest.get(frame.length()..).unwrap_or_default();
        }
    }
    Ok((next >= size).then_some(found))
}
