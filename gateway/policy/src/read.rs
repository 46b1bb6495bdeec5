//! What the readers of every kind of file share.
//!
//! Takes nodes of a strict document; gives typed values, and puts every mistake in the collection
//! with its place and the nearest right name. Never stops at the first mistake.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use lienthong_model::{
    diagnostic::{Diagnostics, Position, nearest},
    document::{self, MapReader, Node},
    text::Bilingual,
};

/// Longest text meant for people, in bytes.
const MAX_TEXT: usize = 2000;

/// One file and its tree.
#[derive(Debug)]
pub(crate) struct Source<'a> {
    /// The file's name.
    pub(crate) file: &'a str,
    /// Its tree.
    pub(crate) root: Node,
}

impl Source<'_> {
    /// The file's name without folders and extension.
    pub(crate) fn stem(&self) -> &str {
        let name = self.file.rsplit('/').next().unwrap_or(self.file);
        name.strip_suffix(".yaml").unwrap_or(name)
    }

    /// The `id` at the root, even when the rest cannot be read.
    pub(crate) fn id(&self) -> Option<&str> {
        match &self.root.get("id")?.content {
            document::Content::Text(id) => Some(id),
            _ => None,
        }
    }

    /// The names under `operations`, even when the rest cannot be read.
    pub(crate) fn operations(&self) -> BTreeSet<String> {
        match self.root.get("operations").map(|node| &node.content) {
            Some(document::Content::Map(entries)) => {
                entries.iter().map(|(key, _)| key.text.clone()).collect()
            }
            _ => BTreeSet::new(),
        }
    }

    /// Reports an `id` that is not the file's name.
    pub(crate) fn check_stem(&self, found: &mut Diagnostics) {
        let (Some(id), stem) = (self.id(), self.stem()) else { return };
        if id != stem {
            let at = self.root.get("id").map_or(self.root.at, |node| node.at);
            let help = format!("name the file `{id}.yaml`, or write `id: {stem}`");
            found.add_with_help(
                self.file,
                at,
                format!("id `{id}` is not the name of the file"),
                help,
            );
        }
    }
}

/// Where the value of a key stands, or the map when it is missing.
pub(crate) fn place_of(map: &MapReader<'_, '_>, key: &str) -> Position {
    map.optional(key).map_or_else(|| map.at(), |node| node.at)
}

/// A text in both languages.
pub(crate) fn bilingual(file: &str, node: &Node, found: &mut Diagnostics) -> Option<Bilingual> {
    let mut map = MapReader::new(file, node, "a text in two languages", &["vi", "en"], found)?;
    let (vi, en) = (wording(&mut map, "vi"), wording(&mut map, "en"));
    Some(Bilingual { vi: vi?, en: en? })
}

/// A text in both languages under a required key.
pub(crate) fn bilingual_key(map: &mut MapReader<'_, '_>, key: &str) -> Option<Bilingual> {
    let node = map.required(key)?;
    bilingual(map.file(), node, map.found())
}

/// A required text for people: not empty and not endless.
pub(crate) fn wording(map: &mut MapReader<'_, '_>, key: &str) -> Option<String> {
    let node = map.required(key)?;
    let (file, found) = (map.file(), map.found());
    let text = document::text(file, node, found)?;
    if text.trim().is_empty() || text.len() > MAX_TEXT {
        found.add(file, node.at, format!("`{key}` must have 1 to {MAX_TEXT} bytes"));
        return None;
    }
    Some(text.to_owned())
}

/// A civil date of a node.
pub(crate) fn date(file: &str, node: &Node, found: &mut Diagnostics) -> Option<Date> {
    let text = document::text(file, node, found)?;
    let shaped = text.len() == 10;
    match text.parse::<Date>() {
        Ok(date) if shaped => Some(date),
        _ => {
            let message = format!("`{text}` is not a civil date such as `2026-01-31`");
            found.add(file, node.at, message);
            None
        }
    }
}

/// A required civil date.
pub(crate) fn date_key(map: &mut MapReader<'_, '_>, key: &str) -> Option<Date> {
    let node = map.required(key)?;
    date(map.file(), node, map.found())
}

/// One word of a closed list.
pub(crate) fn word<T: Copy>(
    file: &str,
    node: &Node,
    what: &str,
    words: &[(&str, T)],
    found: &mut Diagnostics,
) -> Option<T> {
    let text = document::text(file, node, found)?;
    let value = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
    if value.is_none() {
        let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let help = match nearest(text, all.iter().copied()) {
            Some(word) => format!("did you mean `{word}`?"),
            None => format!("expected one of `{}`", all.join("`, `")),
        };
        found.add_with_help(file, node.at, format!("unknown {what} `{text}`"), help);
    }
    value
}

/// A required word of a closed list.
pub(crate) fn word_key<T: Copy>(
    map: &mut MapReader<'_, '_>,
    key: &str,
    words: &[(&str, T)],
) -> Option<T> {
    let node = map.required(key)?;
    word(map.file(), node, key, words, map.found())
}

/// Reports a name that is not among the known ones. `true` when it is.
pub(crate) fn known<'n>(
    place: (&str, Position),
    what: &str,
    name: &str,
    names: impl IntoIterator<Item = &'n str> + Clone,
    found: &mut Diagnostics,
) -> bool {
    if names.clone().into_iter().any(|known| known == name) {
        return true;
    }
    let message = format!("unknown {what} `{name}`");
    match nearest(name, names) {
        Some(near) => {
            found.add_with_help(place.0, place.1, message, format!("did you mean `{near}`?"));
        }
        None => found.add(place.0, place.1, message),
    }
    false
}

/// A kebab-case id under a required key.
pub(crate) fn kebab_key(map: &mut MapReader<'_, '_>, key: &str) -> Option<String> {
    let node = map.required(key)?;
    let (file, found) = (map.file(), map.found());
    let text = document::text(file, node, found)?;
    let good = !text.is_empty()
        && text.len() <= 80
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-');
    if !good {
        found.add(file, node.at, format!("`{text}` is not a kebab-case id"));
        return None;
    }
    Some(text.to_owned())
}

/// A part of an X-Road address: it stands in a URL and must mean the same decoded.
pub(crate) fn address_part(map: &mut MapReader<'_, '_>, key: &str) -> Option<String> {
    let node = map.required(key)?;
    address_text(map.file(), node, key, map.found())
}

/// The address part of a node.
pub(crate) fn address_text(
    file: &str,
    node: &Node,
    what: &str,
    found: &mut Diagnostics,
) -> Option<String> {
    let text = document::text(file, node, found)?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    let good = !text.is_empty()
        && text.len() <= 64
        && text.bytes().all(plain)
        && text.bytes().any(|b| b != b'.');
    if !good {
        let message = format!("`{what}` must be 1 to 64 letters, digits, `-`, `_` and `.`");
        found.add(file, node.at, message);
        return None;
    }
    Some(text.to_owned())
}

/// The ids of everything, known even when the file that bears one cannot be read in full, so that
/// one mistake is not told again wherever its file is named.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// Participants.
    pub(crate) participants: BTreeSet<String>,
    /// Services, and the operations each names.
    pub(crate) services: BTreeMap<String, BTreeSet<String>>,
    /// Agreements, and the operations each names.
    pub(crate) agreements: BTreeMap<String, BTreeSet<String>>,
    /// Instruments, and the articles each has.
    pub(crate) instruments: BTreeMap<String, BTreeSet<String>>,
    /// Purposes.
    pub(crate) purposes: BTreeSet<String>,
}

/// The items of a list that have an `id`, even when the rest of them cannot be read.
pub(crate) fn listed_ids<'n>(node: &'n Node, list: &str) -> Vec<(&'n str, &'n Node)> {
    let Some(document::Content::List(items)) = node.get(list).map(|node| &node.content) else {
        return Vec::new();
    };
    let id = |item: &'n Node| match &item.get("id")?.content {
        document::Content::Text(id) => Some((id.as_str(), item)),
        _ => None,
    };
    items.iter().filter_map(id).collect()
}

/// What only one file may have: a code, an address, a certificate.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    taken: BTreeMap<(&'static str, String), (String, Position)>,
}

impl Claims {
    /// Claims a key, or reports who has it already.
    pub(crate) fn claim(
        &mut self,
        what: &'static str,
        key: String,
        place: (&str, Position),
        found: &mut Diagnostics,
    ) {
        let (file, at) = place;
        if let Some((other, there)) = self.taken.get(&(what, key.clone())) {
            let help = format!("first used at {other}:{}:{}", there.line, there.column);
            found.add_with_help(file, at, format!("{what} `{key}` is used twice"), help);
            return;
        }
        self.taken.insert((what, key), (file.to_owned(), at));
    }
}
