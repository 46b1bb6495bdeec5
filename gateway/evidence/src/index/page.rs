//! Pages of a run: records of one length, how many there are, and a checksum that also tells of
//! which run and at which place the page is.

use crate::hash::Hash;

/// Bytes of a page.
pub(super) const PAGE: usize = 4096;
/// Bytes of it that hold records.
pub(super) const PAYLOAD: usize = 4080;
const CHECKSUM: usize = 8;

/// What tells the pages of one run from those of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seed {
    pub(super) first: u64,
    pub(super) end: u64,
}

/// Closes a page: pads it, and adds the number of its records and the checksum.
pub(super) fn seal(page: &mut Vec<u8>, seed: Seed, number: u64, count: u16) {
    page.resize(PAYLOAD, 0);
    page.extend_from_slice(&count.to_be_bytes());
    page.resize(PAGE - CHECKSUM, 0);
    let checksum = checksum(page, seed, number);
    page.extend_from_slice(&checksum);
}

/// The records of a page of `width` bytes each; none when it is not what was written there.
pub(super) fn open(page: &[u8], seed: Seed, number: u64, width: usize) -> Option<&[u8]> {
    let (body, sum) = page.split_last_chunk::<CHECKSUM>()?;
    if checksum(body, seed, number) != *sum {
        return None;
    }
    let (payload, rest) = body.split_at_checked(PAYLOAD)?;
    let (count, _) = rest.split_first_chunk::<2>()?;
    payload.get(..usize::from(u16::from_be_bytes(*count)).checked_mul(width)?)
}

fn checksum(body: &[u8], seed: Seed, number: u64) -> [u8; CHECKSUM] {
    let mut bytes = Vec::with_capacity(PAGE + 24);
    for part in [seed.first, seed.end, number] {
        bytes.extend_from_slice(&part.to_be_bytes());
    }
    bytes.extend_from_slice(body);
    let hash = Hash::of(&bytes);
    let mut sum = [0; CHECKSUM];
    sum.iter_mut().zip(hash.as_bytes()).for_each(|(to, from)| *to = *from);
    sum
}
