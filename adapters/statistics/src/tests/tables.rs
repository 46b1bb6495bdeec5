//! Small tables of made-up figures.

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::table::{Category, Cell, Dimension, Kind, RawCell, Shape, Table};

/// A table of these counts of leaves, in the order of the cells; its totals are computed.
pub(crate) fn from_leaves(dimensions: Vec<Dimension>, leaves: &[u64]) -> Table {
    let shape = Shape::new(dimensions, 10_000).expect("a shape");
    let mut sums: BTreeMap<Cell, u64> = BTreeMap::new();
    let cells = shape.cells().filter(|cell| shape.is_leaf(*cell));
    for (leaf, value) in cells.zip(leaves.iter().copied().chain(std::iter::repeat(0))) {
        for above in shape.upward(leaf) {
            let sum = sums.entry(above).or_default();
            *sum = sum.checked_add(value).expect("a sum");
        }
    }
    let names: Vec<_> = sums.iter().map(|(cell, sum)| (shape.name(*cell), *sum)).collect();
    let raw = names.iter().map(|(name, sum)| {
        RawCell::count(&name.0.iter().map(|(_, code)| code.as_str()).collect::<Vec<_>>(), *sum)
    });
    Table::new(shape.clone(), Kind::Counts, raw.collect::<Vec<_>>()).expect("a table")
}

/// A dimension of leaves below the total, or below groups of the sizes given.
pub(crate) fn dimension(name: &str, groups: &[usize]) -> Dimension {
    let mut categories = vec![("T".to_owned(), None)];
    for (group, size) in groups.iter().enumerate() {
        let code = format!("g{group}");
        categories.push((code.clone(), Some("T".to_owned())));
        for leaf in 0..*size {
            categories.push((format!("{code}.{leaf}"), Some(code.clone())));
        }
    }
    let categories: Vec<(&str, Option<&str>)> =
        categories.iter().map(|(code, parent)| (code.as_str(), parent.as_deref())).collect();
    Dimension::new(name, &categories).expect("a dimension")
}

/// How many leaves a dimension has.
fn width(dimension: &Dimension) -> usize {
    let is_leaf = |category: &Category| dimension.is_leaf(*category);
    dimension.categories().filter(is_leaf).count()
}

/// One to four dimensions, some with groups, some groups with a single child, few leaves in all.
pub(crate) fn any() -> impl Strategy<Value = Table> {
    let groups = prop::collection::vec(0_usize..=3, 1..=3);
    let dimensions = prop::collection::vec(groups, 1..=4);
    let value = prop_oneof![2 => Just(0_u64), 5 => 1_u64..=3, 3 => 3_u64..=9];
    (dimensions, prop::collection::vec(value, 40)).prop_map(|(groups, values)| {
        let mut dimensions: Vec<Dimension> = Vec::new();
        for groups in groups {
            let next = dimension(&format!("d{}", dimensions.len()), &groups);
            let leaves: usize = dimensions.iter().map(width).product();
            if leaves * width(&next) <= 16 {
                dimensions.push(next);
            }
        }
        from_leaves(dimensions, &values)
    })
}
