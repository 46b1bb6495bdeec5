//! The categories of a dimension: a list of the file, or the wards of the city.
//!
//! Wards stand below the former district that they came from, that below its former province. A ward
//! that was made of several former districts stands right below the province: nothing says which of
//! them it belongs to.

use std::collections::BTreeMap;

use lienthong_model::{
    document::{MapReader, Node},
    text::Bilingual,
    ward::{self, Before, MERGED_ON, OldUnit},
};
use lienthong_statistics::table::{Dimension, DimensionError};

use super::{ALL, read::File};
use crate::config::Column;

/// The city's total.
const CITY: &str = "79";
/// What the codes of former districts and provinces begin with: they are codes of wards no more.
const FORMER: &str = "former-";

/// A dimension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Axis {
    pub(crate) name: String,
    /// The column that holds its codes.
    pub(crate) column: String,
    /// The total first.
    pub(crate) categories: Vec<Category>,
}

/// A category.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Category {
    pub(crate) code: String,
    /// Nothing for the total.
    pub(crate) parent: Option<String>,
    pub(crate) name: Bilingual,
}

/// What stands between a ward and the city.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Levels {
    None,
    Provinces,
    Districts,
}

impl std::str::FromStr for Levels {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "flat" => Ok(Self::None),
            "former_provinces" => Ok(Self::Provinces),
            "former_districts" => Ok(Self::Districts),
            _ => Err("not one of `flat`, `former_provinces` and `former_districts`"),
        }
    }
}

impl Axis {
    /// The dimension of a table.
    pub(crate) fn dimension(&self) -> Result<Dimension, DimensionError> {
        let categories: Vec<(&str, Option<&str>)> =
            self.categories.iter().map(|one| (one.code.as_str(), one.parent.as_deref())).collect();
        Dimension::new(&self.name, &categories)
    }
}

impl<'a> File<'a, '_> {
    pub(super) fn axis(&mut self, node: &'a Node) -> Option<Axis> {
        let known = ["name", "column", "total", "categories", "wards"];
        let mut map = self.map(node, "a dimension", &known)?;
        let name = map.parse::<Column>("name").map(|column| column.0);
        let column = map.parse_optional::<Column>("column").map(|column| column.0);
        let levels = map.parse_optional::<Levels>("wards");
        let (total, listed) = (map.optional("total"), map.list("categories"));
        let is_ward = map.optional("wards").is_some();
        let mut categories = match (is_ward, total) {
            (true, None) => wards(levels?),
            (true, Some(_)) => {
                self.mistake(node, "`wards` has a total of its own");
                return None;
            }
            (false, None) => vec![all()],
            (false, Some(node)) => vec![self.category(node, None)?],
        };
        if !is_ward && listed.is_empty() {
            self.mistake(node, "a dimension needs `categories` or `wards`");
        }
        let above = categories.first().map(|one| one.code.clone());
        for node in listed {
            categories.push(self.category(node, above.as_deref())?);
        }
        let name = name?;
        Some(Axis { column: column.unwrap_or_else(|| name.clone()), name, categories })
    }

    /// A category, below `above` when it names no parent of its own; the total has none at all.
    fn category(&mut self, node: &'a Node, above: Option<&str>) -> Option<Category> {
        let known: &[&str] = match above {
            Some(_) => &["code", "vi", "en", "parent"],
            None => &["code", "vi", "en"],
        };
        let mut map: MapReader<'a, '_> = self.map(node, "a category", known)?;
        let code = map.text("code").map(str::to_owned);
        let (vi, en) = (map.text("vi"), map.text("en"));
        let parent = above.and_then(|above| match map.optional("parent") {
            None => Some(above.to_owned()),
            Some(_) => map.text("parent").map(str::to_owned),
        });
        let name = Bilingual { vi: vi?.to_owned(), en: en?.to_owned() };
        Some(Category { code: code?, parent, name })
    }
}

fn all() -> Category {
    named(ALL, None, "Tất cả", "All")
}

fn named(code: &str, parent: Option<&str>, vi: &str, en: &str) -> Category {
    let (code, parent) = (code.to_owned(), parent.map(str::to_owned));
    Category { code, parent, name: Bilingual { vi: vi.to_owned(), en: en.to_owned() } }
}

/// The wards, communes and the special zone of today, with what is above them.
fn wards(levels: Levels) -> Vec<Category> {
    let mut categories = vec![named(CITY, None, "Thành phố Hồ Chí Minh", "Ho Chi Minh City")];
    let mut former: BTreeMap<String, Category> = BTreeMap::new();
    let mut leaves = Vec::new();
    for unit in ward::units() {
        let old = match ward::before(unit.code, MERGED_ON) {
            Before::One(old) => vec![old],
            Before::Several(old) => old.into_iter().map(|(old, _)| old).collect(),
            Before::Unknown => Vec::new(),
        };
        let parent = above(levels, &old, &mut former);
        leaves.push(named(unit.code.as_str(), Some(&parent), unit.name, unit.name));
    }
    categories.extend(former.into_values());
    categories.extend(leaves);
    categories
}

/// The code of what stands above a ward that was made of these old ones.
fn above(levels: Levels, old: &[OldUnit], former: &mut BTreeMap<String, Category>) -> String {
    let (Some(first), false) = (old.first(), levels == Levels::None) else {
        return CITY.to_owned();
    };
    let province = format!("{FORMER}{}", first.province);
    if old.iter().any(|one| one.province != first.province) {
        return CITY.to_owned();
    }
    former.entry(province.clone()).or_insert_with(|| {
        let number = first.province;
        let (vi, en) = (format!("Tỉnh cũ {number}"), format!("Former province {number}"));
        named(&province, Some(CITY), &vi, &en)
    });
    if levels == Levels::Provinces || old.iter().any(|one| one.district != first.district) {
        return province;
    }
    let district = format!("{FORMER}{}", first.district);
    former.entry(district.clone()).or_insert_with(|| {
        let number = first.district;
        let (vi, en) = (format!("Quận, huyện cũ {number}"), format!("Former district {number}"));
        named(&district, Some(&province), &vi, &en)
    });
    district
}
