//! The moves of a dossier, when the derived table is not the one wanted.

use std::collections::{BTreeMap, BTreeSet};

use lienthong_model::document::{self, Node};

use super::Reader;
use crate::npsp::{Status, Transitions};

impl<'a> Reader<'a, '_> {
    /// The derived table, or the one that `first_statuses` and `transitions` say.
    pub(super) fn transitions(
        &mut self,
        first: Option<Vec<Status>>,
        node: Option<&'a Node>,
    ) -> Transitions {
        let derived = Transitions::default();
        let first =
            first.unwrap_or_else(|| Status::all().filter(|one| derived.may_begin(*one)).collect());
        let Some(node) = node else {
            let next = Status::all().map(|from| {
                let to = Status::all().filter(|to| *to != from && derived.may_move(from, *to));
                (from, to.collect())
            });
            return Transitions::new(first, next.collect());
        };
        let mut next = BTreeMap::new();
        for (key, value) in document::entries(self.file, node, "`transitions`", self.found) {
            let Ok(from) = key.text.parse::<Status>() else {
                self.mistake(key.at, format!("`{}` is not a status from 1 to 10", key.text));
                continue;
            };
            let items = document::list(self.file, value, &key.text, self.found);
            let to: BTreeSet<Status> = items
                .iter()
                .filter_map(|item| document::parse_text(self.file, item, self.found))
                .collect();
            next.insert(from, to);
        }
        Transitions::new(first, next)
    }
}
