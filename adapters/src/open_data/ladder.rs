//! How the values of a column become more general, level by level.

use std::collections::BTreeMap;

use jiff::civil::Date;
use lienthong_model::{
    diagnostic::Diagnostics,
    document::{self, Content, MapReader, Node},
    identifier::WardCode,
    ward::{self, Before, MERGED_ON, Today},
};

/// Most levels.
const MOST_LEVELS: usize = 16;
/// What stands for every value.
const ANY: &str = "*";

/// A ladder. Level zero is the value itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Climb {
    None,
    /// Each value with what it becomes.
    Values(BTreeMap<String, Vec<String>>),
    /// Whole numbers in bands of these widths, each a multiple of the one before; then any.
    Bands(Vec<i64>),
    /// So many characters from the beginning, fewer at each level; then any.
    Keep(Vec<usize>),
    /// A ward of today, its former province, the city.
    Wards,
}

impl Climb {
    pub(super) fn read(file: &str, node: &Node, found: &mut Diagnostics) -> Option<Self> {
        let known = ["values", "bands", "keep", "wards"];
        let map = MapReader::new(file, node, "`ladder`", &known, found)?;
        let given: Vec<(&str, &Node)> =
            known.iter().filter_map(|kind| Some((*kind, map.optional(kind)?))).collect();
        let wrong = |found: &mut Diagnostics, message: &str| {
            found.add(file, node.at, message);
            None
        };
        match given[..] {
            [("values", node)] => values(file, node, found),
            [("bands", node)] => {
                let widths = numbers(file, node, found);
                let nested = widths.first().is_some_and(|first| *first > 1)
                    && widths.iter().zip(widths.iter().skip(1)).all(|(a, b)| b > a && b % a == 0);
                if nested && widths.len() < MOST_LEVELS {
                    return Some(Self::Bands(widths));
                }
                wrong(found, "`bands` are widths above 1, each a multiple of the one before")
            }
            [("keep", node)] => {
                let lengths = numbers(file, node, found);
                let lengths: Vec<usize> =
                    lengths.into_iter().filter_map(|n| usize::try_from(n).ok()).collect();
                let falls = lengths.iter().zip(lengths.iter().skip(1)).all(|(a, b)| b < a);
                if falls
                    && !lengths.is_empty()
                    && !lengths.contains(&0)
                    && lengths.len() < MOST_LEVELS
                {
                    return Some(Self::Keep(lengths));
                }
                wrong(found, "`keep` are numbers of characters above 0 that fall")
            }
            [("wards", Node { content: Content::Bool(true), .. })] => Some(Self::Wards),
            _ => wrong(found, "`ladder` needs one of `values`, `bands`, `keep` and `wards: true`"),
        }
    }

    /// How many levels there are above the value itself.
    pub(crate) fn levels(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Values(values) => values.values().next().map_or(0, Vec::len),
            Self::Bands(widths) => widths.len() + 1,
            Self::Keep(lengths) => lengths.len() + 1,
            Self::Wards => 2,
        }
    }

    /// What a value becomes at each level above zero; nothing when the ladder does not know it. No value
    /// stays none until everything is one.
    pub(crate) fn of(&self, value: &str) -> Option<Vec<String>> {
        let levels = self.levels();
        if value.is_empty() && !matches!(self, Self::Values(_)) {
            let any = |at: usize| if at + 1 == levels { ANY.to_owned() } else { String::new() };
            return Some((0..levels).map(any).collect());
        }
        match self {
            Self::None => Some(Vec::new()),
            Self::Values(values) => values.get(value).cloned(),
            Self::Bands(widths) => {
                let number: i64 = value.parse().ok()?;
                let band = |width: &i64| {
                    let low = number.div_euclid(*width).checked_mul(*width)?;
                    Some(format!("{low}..{}", low.checked_add(width - 1)?))
                };
                let bands: Option<Vec<String>> = widths.iter().map(band).collect();
                Some(bands?.into_iter().chain([ANY.to_owned()]).collect())
            }
            Self::Keep(lengths) => {
                let kept = lengths.iter().map(|length| value.chars().take(*length).collect());
                Some(kept.chain([ANY.to_owned()]).collect())
            }
            Self::Wards => {
                let code: WardCode = value.parse().ok()?;
                let Today::One(unit) = ward::today(code, MERGED_ON) else { return None };
                let province = province(unit.code, MERGED_ON)?;
                Some(vec![format!("former-{province}"), "79".to_owned()])
            }
        }
    }
}

fn province(code: WardCode, on: Date) -> Option<&'static str> {
    match ward::before(code, on) {
        Before::One(old) => Some(old.province),
        Before::Several(old) => {
            let first = old.first()?.0.province;
            old.iter().all(|(one, _)| one.province == first).then_some(first)
        }
        Before::Unknown => None,
    }
}

fn numbers(file: &str, node: &Node, found: &mut Diagnostics) -> Vec<i64> {
    let items = document::list(file, node, "ladder", found);
    let number = |node: &Node| match node.content {
        Content::Integer(n) => n,
        _ => 0,
    };
    items.iter().map(number).collect()
}

fn values(file: &str, node: &Node, found: &mut Diagnostics) -> Option<Climb> {
    let entries = document::entries(file, node, "`values`", found);
    let mut values = BTreeMap::new();
    let mut levels = None;
    for (key, node) in entries {
        let items = document::list(file, node, "values", found);
        let texts: Option<Vec<String>> =
            items.iter().map(|node| document::text(file, node, found).map(str::to_owned)).collect();
        let texts = texts?;
        if *levels.get_or_insert(texts.len()) != texts.len() || texts.len() > MOST_LEVELS {
            found.add(file, node.at, format!("`{}` has another number of levels", key.text));
        }
        values.insert(key.text.clone(), texts);
    }
    Some(Climb::Values(values))
}
