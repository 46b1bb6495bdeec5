//! Which articles a refusal rests on when no agreement or rule decided.
//!
//! Takes `policies/refusals.yaml`; gives the citations by reason. A refusal to share names its
//! legal basis (Decree 194/2025/ND-CP Art. 16), also when it comes before any agreement is known.

use std::{collections::BTreeMap, sync::Arc};

use lienthong_model::{
    diagnostic::Diagnostics,
    document::{MapReader, Node},
    reason::ReasonCode,
};

use crate::{
    legal_basis::{Citation, check_citation},
    read::{Names, Source, place_of},
};

/// The citations of one reason.
pub(crate) type Refusals = BTreeMap<ReasonCode, Arc<[Citation]>>;

/// Reads the file of refusals.
pub(crate) fn read(source: &Source<'_>, names: &Names, found: &mut Diagnostics) -> Refusals {
    let file = source.file;
    let mut refusals = Refusals::new();
    let Some(mut map) = MapReader::new(file, &source.root, "the refusals", &["refusals"], found)
    else {
        return refusals;
    };
    for node in map.list("refusals") {
        read_one(file, node, names, map.found(), &mut refusals);
    }
    refusals
}

fn read_one(
    file: &str,
    node: &Node,
    names: &Names,
    found: &mut Diagnostics,
    refusals: &mut Refusals,
) {
    let Some(mut map) = MapReader::new(file, node, "a refusal", &["reasons", "cites"], found)
    else {
        return;
    };
    let is_empty = map.list("reasons").is_empty() || map.list("cites").is_empty();
    let reasons: Vec<ReasonCode> = map.parse_list("reasons");
    let cites: Vec<Citation> = map.parse_list("cites");
    let at = place_of(&map, "cites");
    if is_empty {
        map.found().add(file, node.at, "`reasons` and `cites` need at least one entry each");
    }
    for citation in &cites {
        check_citation((file, at), citation, names, map.found());
    }
    let cites: Arc<[Citation]> = cites.into();
    for reason in reasons {
        if refusals.insert(reason, Arc::clone(&cites)).is_some() {
            map.found().add(file, node.at, format!("reason `{reason}` stands twice"));
        }
    }
}

#[cfg(test)]
mod tests;
