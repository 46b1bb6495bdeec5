//! One leaf of the pass: checked, then written as it is, written masked, or left out.

use super::{BROKEN_TYPE, Step, Walk};
use crate::{
    Direction, ViolationKind,
    leaf::{Leaf, LeafKind, Passage},
    mask::{Prepared, Unmaskable},
    number::Quantity,
    rules::{Broken, QuantityRules, TextRules},
    tree::{self, Tree},
    view::Node,
    write,
};

impl Walk<'_, '_> {
    /// The leaf that begins here.
    pub(super) fn leaf(&mut self, node: &Node, leaf: &Leaf) -> Step<()> {
        if !node.check {
            self.scan.skip()?;
            self.count_dropped();
            return Ok(());
        }
        match (&leaf.kind, self.scan.peek()) {
            (LeafKind::Tree(tree), _) => self.tree(tree, &leaf.passage),
            (_, b'n') => self.null(node, &leaf.passage),
            (LeafKind::Text(rules), b'"') => self.text(rules, &leaf.passage),
            (LeafKind::Quantity(rules), b'-' | b'0'..=b'9') => self.quantity(rules, &leaf.passage),
            (LeafKind::Boolean, b't' | b'f') => {
                let start = self.scan.place();
                self.scan.skip()?;
                self.pass_or_mask(start, &leaf.passage)
            }
            _ => {
                self.scan.skip()?;
                Err(BROKEN_TYPE)
            }
        }
    }

    fn null(&mut self, node: &Node, passage: &Passage) -> Step<()> {
        let start = self.scan.place();
        self.scan.literal("null")?;
        if !node.null {
            return Err(BROKEN_TYPE);
        }
        if let Passage::Masked(mask @ Prepared::Redact) = passage {
            // A constant also hides that there is nothing to hide.
            self.masked.clear();
            mask.text("", self.pseudonyms, &mut self.masked).map_err(|_| self.unmaskable())?;
            return self.write_masked();
        }
        self.pass_or_mask(start, passage)
    }

    fn text(&mut self, rules: &TextRules, passage: &Passage) -> Step<()> {
        let start = self.scan.place();
        self.scan.string()?;
        let Passage::Masked(mask) = passage else {
            if !rules.is_free() {
                rules.check(self.scan.decoded(&mut self.decoded)).map_err(schema)?;
            }
            return self.pass_or_mask(start, passage);
        };
        let value = self.scan.decoded(&mut self.decoded);
        rules.check(value).map_err(schema)?;
        if matches!(mask, Prepared::Null) {
            return self.pass_or_mask(start, passage);
        }
        self.masked.clear();
        let masked = mask.text(value, self.pseudonyms, &mut self.masked);
        masked.map_err(|Unmaskable| self.unmaskable())?;
        if self.view.direction() == Direction::Request && rules.check(&self.masked).is_err() {
            return Err(ViolationKind::Unfulfillable);
        }
        self.write_masked()
    }

    fn quantity(&mut self, rules: &QuantityRules, passage: &Passage) -> Step<()> {
        let start = self.scan.place();
        let number = self.scan.number()?;
        rules.check(number).map_err(schema)?;
        if let Passage::Masked(mask @ Prepared::Bands(_)) = passage {
            let band = mask.band(Quantity::of(number)).map_err(|Unmaskable| self.unmaskable())?;
            self.masked.clear();
            self.masked.push_str(band);
            return self.write_masked();
        }
        self.pass_or_mask(start, passage)
    }

    fn tree(&mut self, tree: &Tree, passage: &Passage) -> Step<()> {
        let start = self.scan.place();
        self.scan.skip()?;
        let raw = self.scan.since(start);
        tree.check(raw)?;
        if matches!(passage, Passage::AsItIs) {
            tree::compact(raw, self.out);
            self.tally.disclosed = self.tally.disclosed.saturating_add(1);
            return Ok(());
        }
        self.pass_or_mask(start, passage)
    }

    /// What becomes of the checked value from `start` to here, unless its mask makes a text of it.
    fn pass_or_mask(&mut self, start: usize, passage: &Passage) -> Step<()> {
        match passage {
            Passage::Withheld => self.count_dropped(),
            Passage::AsItIs => {
                self.out.extend_from_slice(self.scan.since(start).as_bytes());
                self.tally.disclosed = self.tally.disclosed.saturating_add(1);
            }
            // Of a masked value that is not a text only `null` is left.
            Passage::Masked(_) => {
                self.out.extend_from_slice(b"null");
                self.count_masked()?;
            }
        }
        Ok(())
    }

    fn write_masked(&mut self) -> Step<()> {
        write::string(&self.masked, self.out);
        self.count_masked()
    }

    fn count_masked(&mut self) -> Step<()> {
        self.tally.masked = self.tally.masked.saturating_add(1);
        if self.out.len() > self.limit { Err(ViolationKind::TooLarge) } else { Ok(()) }
    }

    fn count_dropped(&mut self) {
        self.tally.dropped = self.tally.dropped.saturating_add(1);
    }

    /// A value that its mask has no form for is not what its field says it is.
    fn unmaskable(&self) -> ViolationKind {
        match self.view.direction() {
            Direction::Request => ViolationKind::Unfulfillable,
            Direction::Answer => schema("format"),
        }
    }
}

fn schema(keyword: Broken) -> ViolationKind {
    ViolationKind::Schema { keyword }
}
