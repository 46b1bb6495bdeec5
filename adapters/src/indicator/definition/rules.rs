//! The settings of the rules by which figures are withheld.

use lienthong_model::document::{MapReader, Node};
use lienthong_statistics::suppress::{Dominance, Protection, Rules, Zeros};

use super::read::File;

impl<'a> File<'a, '_> {
    pub(super) fn rules(&mut self, node: &'a Node) -> Option<Rules> {
        let known =
            ["threshold", "zeros", "protection", "complement_width", "dominance", "p_percent"];
        let mut map = self.map(node, "`rules`", &known)?;
        let threshold = number(&mut map, "threshold", 1_000_000_000);
        let p_percent = number(&mut map, "p_percent", 1_000).and_then(|n| u32::try_from(n).ok());
        let width = number(&mut map, "complement_width", i64::MAX);
        let zeros = map.parse_optional::<ZerosText>("zeros").map_or(Zeros::Complement, |z| z.0);
        let (dominance, protection) = (map.optional("dominance"), map.optional("protection"));
        let dominance = match dominance {
            Some(node) => Some(self.dominance(node)?),
            None => None,
        };
        let protection = match protection {
            Some(node) => self.protection(node)?,
            None => Protection::Range,
        };
        let fallback = threshold.map_or(1, |threshold| threshold.saturating_sub(1));
        let complement_width = width.unwrap_or(fallback);
        Some(Rules { threshold, dominance, p_percent, zeros, protection, complement_width })
    }

    fn dominance(&mut self, node: &'a Node) -> Option<Dominance> {
        let mut map = self.map(node, "`dominance`", &["largest", "percent"])?;
        let largest = map.required("largest").map(|_| map.integer("largest", 1..=10, 1));
        let percent = map.required("percent").map(|_| map.integer("percent", 1..=99, 50));
        let largest = usize::try_from(largest?).ok()?;
        Some(Dominance { largest, percent: u32::try_from(percent?).ok()? })
    }

    fn protection(&mut self, node: &'a Node) -> Option<Protection> {
        let mut map = self.map(node, "`protection`", &["around", "share"])?;
        let around = number(&mut map, "around", i64::MAX);
        let share = number(&mut map, "share", 1_000).and_then(|n| u32::try_from(n).ok());
        match (around, share) {
            (Some(width), None) => Some(Protection::Around(width)),
            (None, Some(percent)) => Some(Protection::Share(percent)),
            _ => {
                self.mistake(node, "`protection` needs one of `around` and `share`");
                None
            }
        }
    }
}

fn number(map: &mut MapReader<'_, '_>, key: &str, most: i64) -> Option<u64> {
    map.optional(key)?;
    Some(map.integer(key, 1..=most, 1).unsigned_abs())
}

struct ZerosText(Zeros);

impl std::str::FromStr for ZerosText {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "primary" => Ok(Self(Zeros::Primary)),
            "complement" => Ok(Self(Zeros::Complement)),
            "published" => Ok(Self(Zeros::Published)),
            _ => Err("not one of `primary`, `complement` and `published`"),
        }
    }
}
