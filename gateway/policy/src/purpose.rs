//! Purposes: the coded reasons for a use of data.
//!
//! Takes `policies/purposes.yaml`; gives the definitions by code.

use std::collections::BTreeMap;

use lienthong_model::{
    diagnostic::Diagnostics,
    document::{MapReader, Node},
    id::PurposeId,
    text::Bilingual,
};

use crate::read::{Claims, Source, bilingual_key, place_of};

/// A coded purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PurposeDefinition {
    /// Its code.
    pub id: PurposeId,
    /// Its name.
    pub name: Bilingual,
    /// The term of the W3C Data Privacy Vocabulary it maps to.
    pub dpv: String,
}

/// Reads the file of purposes.
pub(crate) fn read(
    source: &Source<'_>,
    claims: &mut Claims,
    found: &mut Diagnostics,
) -> BTreeMap<PurposeId, PurposeDefinition> {
    let file = source.file;
    let mut purposes = BTreeMap::new();
    let Some(mut map) = MapReader::new(file, &source.root, "the purposes", &["purposes"], found)
    else {
        return purposes;
    };
    for node in map.list("purposes") {
        if let Some(purpose) = read_one(file, node, claims, map.found()) {
            purposes.insert(purpose.id.clone(), purpose);
        }
    }
    purposes
}

fn read_one(
    file: &str,
    node: &Node,
    claims: &mut Claims,
    found: &mut Diagnostics,
) -> Option<PurposeDefinition> {
    let mut map = MapReader::new(file, node, "a purpose", &["id", "name", "dpv"], found)?;
    let id: Option<PurposeId> = map.parse("id");
    let name = bilingual_key(&mut map, "name");
    let dpv = map.text("dpv");
    if let Some(id) = &id {
        let at = place_of(&map, "id");
        claims.claim("purpose", id.to_string(), (file, at), map.found());
    }
    if let Some(term) = dpv
        && !term.strip_prefix("dpv:").is_some_and(|t| {
            !t.is_empty() && t.len() <= 64 && t.bytes().all(|b| b.is_ascii_alphanumeric())
        })
    {
        let at = place_of(&map, "dpv");
        let message = "`dpv` must be a term of the Data Privacy Vocabulary, `dpv:` and its name";
        map.found().add(file, at, message);
    }
    Some(PurposeDefinition { id: id?, name: name?, dpv: dpv?.to_owned() })
}
