//! Rows of a drop folder by their keys, and all keys.
//!
//! Files that were read do not change; so where a key stands is remembered, and only files that have
//! come since are looked through again. The newest row of a key is the one that counts.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    super::{Keys, SourceError},
    Inner, LINE_BITS, Place, Row, Stand, file,
};

/// Most keys that are remembered.
const MAX_KNOWN: usize = 100_000;

/// What is remembered.
#[derive(Debug, Default)]
pub(super) struct Keyed {
    /// Files that were looked through for all keys that are known.
    looked: BTreeSet<Stand>,
    /// Where the newest row of a key stands; nowhere when there is none.
    known: BTreeMap<String, Option<(Stand, Place)>>,
}

impl Keyed {
    /// The newest rows of these keys.
    pub(super) fn find(&mut self, inner: &Inner, keys: &[String]) -> Result<Vec<Row>, SourceError> {
        if self.known.len().saturating_add(keys.len()) > MAX_KNOWN {
            *self = Self::default();
        }
        // Oldest first: a file that was put away since stands elsewhere and is looked through anew.
        let mut stands = inner.folder.all()?;
        stands.sort();
        for stand in &stands {
            if !self.looked.contains(stand) {
                let known: BTreeSet<String> = self.known.keys().cloned().collect();
                self.look(inner, stand, &known)?;
            }
        }
        let mut unknown: BTreeSet<String> =
            keys.iter().filter(|key| !self.known.contains_key(*key)).cloned().collect();
        for stand in stands.iter().rev() {
            if unknown.is_empty() {
                break;
            }
            self.look(inner, stand, &unknown)?;
            unknown.retain(|key| !self.known.contains_key(key));
        }
        self.known.extend(unknown.into_iter().map(|key| (key, None)));
        self.looked = stands.into_iter().collect();
        let mut rows = Vec::new();
        for key in keys {
            if let Some(Some((stand, place))) = self.known.get(key) {
                let mut opened = inner.open(stand.clone(), *place)?;
                rows.extend(inner.row(&mut opened)?.map(|(_, row)| row));
            }
        }
        Ok(rows)
    }

    /// Looks through a file for keys.
    fn look(
        &mut self,
        inner: &Inner,
        stand: &Stand,
        keys: &BTreeSet<String>,
    ) -> Result<(), SourceError> {
        if keys.is_empty() {
            return Ok(());
        }
        let mut opened = inner.open(stand.clone(), Place::default())?;
        while let Some((place, row)) = inner.row(&mut opened)? {
            if keys.contains(&row.key) {
                self.known.insert(row.key, Some((stand.clone(), place)));
            }
        }
        Ok(())
    }
}

/// Where a page of keys begins.
#[derive(Debug, Default)]
struct Begin {
    name: String,
    place: Option<Place>,
    /// Older files are left alone; in hundredths of a second.
    oldest: i64,
}

impl Begin {
    /// Reads a position, the name of a file, or `NAME/OFFSET/LINE/OLDEST`.
    fn read(text: &str) -> Result<Self, SourceError> {
        if let Ok(position) = text.parse::<i64>() {
            return Ok(Self { oldest: position >> LINE_BITS, ..Self::default() });
        }
        let parts: Vec<&str> = text.split('/').collect();
        let number = |text: &str| text.parse::<u64>().map_err(|_| SourceError::Mark);
        match parts[..] {
            [name] => Ok(Self { name: name.to_owned(), ..Self::default() }),
            [name, offset, line, oldest] => Ok(Self {
                name: name.to_owned(),
                place: Some(Place { offset: number(offset)?, line: number(line)? }),
                oldest: oldest.parse().map_err(|_| SourceError::Mark)?,
            }),
            _ => Err(SourceError::Mark),
        }
    }
}

/// A page of all keys, in order of files and lines, of files that were read.
pub(super) fn page(inner: &Inner, after: Option<&str>, limit: u32) -> Result<Keys, SourceError> {
    let begin = after.map_or_else(|| Ok(Begin::default()), Begin::read)?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut keys = Vec::new();
    for done in inner.folder.done()? {
        let place = match begin.place {
            Some(place) if done == begin.name => place,
            _ if done > begin.name => Place::default(),
            _ => continue,
        };
        let stand = inner.folder.stand(&done, true)?;
        if stand.at < begin.oldest {
            continue;
        }
        let mut opened = inner.open(stand, place)?;
        while let Some((_, row)) = inner.row(&mut opened)? {
            keys.push(row.key);
            if keys.len() >= limit {
                let Place { offset, line } = opened.records.place();
                let next = format!("{done}/{offset}/{line}/{}", begin.oldest);
                return Ok(Keys { keys, next: Some(next) });
            }
        }
    }
    match begin.name.is_empty() || inner.folder.is_used(&begin.name) {
        true => Ok(Keys { keys, next: None }),
        false => Err(file(&begin.name, "is not among the files that were read")),
    }
}
