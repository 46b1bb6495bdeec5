//! One dimension of a table: its categories, each with at most one parent, below one total.
//!
//! Categories are kept level by level and by code, the total first, so that what is computed from
//! them does not depend on the order in which they were given.

use std::collections::{BTreeMap, BTreeSet};

/// The longest code or name, in bytes.
const LONGEST_CODE: usize = 64;

/// The most categories of one dimension.
const MOST_CATEGORIES: usize = 65_536;

/// A category of a dimension, by its place in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Category(pub(crate) usize);

/// The categories of one dimension, in a tree whose root is the total.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dimension {
    name: String,
    nodes: Vec<Node>,
    by_code: BTreeMap<String, Category>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Node {
    code: String,
    parent: Option<Category>,
    children: Vec<Category>,
    /// Levels below it.
    height: usize,
}

/// Why categories make no dimension.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DimensionError {
    /// No category was given.
    #[error("dimension `{0}` has no categories")]
    Empty(String),
    /// More than a dimension may have.
    #[error("dimension `{0}` has more than {MOST_CATEGORIES} categories")]
    TooMany(String),
    /// A name or code that is empty, too long, or has blanks or control characters.
    #[error("a name or code of dimension {0} is empty, longer than 64 bytes, or not plain text")]
    Unfit(usize),
    /// A code that stands twice.
    #[error("dimension `{dimension}` has category `{code}` twice")]
    Twice {
        /// The dimension.
        dimension: String,
        /// The code.
        code: String,
    },
    /// A parent that is no category.
    #[error("category `{code}` of dimension `{dimension}` has a parent that is no category")]
    UnknownParent {
        /// The dimension.
        dimension: String,
        /// The category whose parent is meant.
        code: String,
    },
    /// Not exactly one category without a parent.
    #[error(
        "dimension `{dimension}` has {found} categories without a parent, the total alone may be one"
    )]
    Total {
        /// The dimension.
        dimension: String,
        /// How many have none.
        found: usize,
    },
    /// A category that is above itself.
    #[error("category `{code}` of dimension `{dimension}` is not below the total")]
    Circle {
        /// The dimension.
        dimension: String,
        /// The category.
        code: String,
    },
}

fn is_fit(text: &str) -> bool {
    let plain = |c: char| !c.is_control() && !c.is_whitespace();
    !text.is_empty() && text.len() <= LONGEST_CODE && text.chars().all(plain)
}

impl Dimension {
    /// A dimension of categories, each with the code of its parent; the one without is the total.
    ///
    /// # Errors
    ///
    /// When the categories are not one tree below one total.
    pub fn new(name: &str, categories: &[(&str, Option<&str>)]) -> Result<Self, DimensionError> {
        let dimension = || name.to_owned();
        if categories.is_empty() {
            return Err(DimensionError::Empty(dimension()));
        }
        if categories.len() > MOST_CATEGORIES {
            return Err(DimensionError::TooMany(dimension()));
        }
        if !is_fit(name) {
            return Err(DimensionError::Unfit(0));
        }
        if let Some(at) = categories.iter().position(|(code, _)| !is_fit(code)) {
            return Err(DimensionError::Unfit(at));
        }
        let total = check_parents(name, categories)?;
        let dimension = Self::below(name, total, categories);
        let lost = categories.iter().find(|(code, _)| dimension.category(code).is_none());
        match lost {
            Some((code, _)) => {
                Err(DimensionError::Circle { dimension: name.to_owned(), code: (*code).to_owned() })
            }
            None => Ok(dimension),
        }
    }

    /// A dimension without levels: a total and its parts.
    ///
    /// # Errors
    ///
    /// As [`Dimension::new`].
    pub fn flat(name: &str, total: &str, parts: &[&str]) -> Result<Self, DimensionError> {
        let parts = parts.iter().map(|part| (*part, Some(total)));
        let categories: Vec<_> = std::iter::once((total, None)).chain(parts).collect();
        Self::new(name, &categories)
    }

    /// The tree below `total`, level by level, by code in each.
    fn below(name: &str, total: &str, categories: &[(&str, Option<&str>)]) -> Self {
        let mut children: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (code, parent) in categories {
            if let Some(parent) = parent {
                children.entry(parent).or_default().insert(code);
            }
        }
        let mut this = Self { name: name.to_owned(), nodes: Vec::new(), by_code: BTreeMap::new() };
        let mut level = vec![(total, None)];
        while !level.is_empty() {
            let mut next = Vec::new();
            for (code, parent) in level {
                let at = this.push(code, parent);
                let below = children.get(code).into_iter().flatten();
                next.extend(below.map(|child| (*child, Some(at))));
            }
            level = next;
        }
        // Parents stand before their children.
        for at in (0..this.nodes.len()).rev() {
            let height = |child: &Category| this.height(*child) + 1;
            let height = this.children(Category(at)).iter().map(height).max().unwrap_or_default();
            if let Some(node) = this.nodes.get_mut(at) {
                node.height = height;
            }
        }
        this
    }

    fn push(&mut self, code: &str, parent: Option<Category>) -> Category {
        let at = Category(self.nodes.len());
        self.nodes.push(Node { code: code.to_owned(), parent, children: Vec::new(), height: 0 });
        self.by_code.insert(code.to_owned(), at);
        if let Some(above) = parent.and_then(|parent| self.nodes.get_mut(parent.0)) {
            above.children.push(at);
        }
        at
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many categories it has, with the total and all levels between.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Always false: there is a total at least.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The total.
    #[must_use]
    pub fn total(&self) -> Category {
        Category(0)
    }

    /// Every category, the total first.
    pub fn categories(&self) -> impl Iterator<Item = Category> + '_ {
        (0..self.nodes.len()).map(Category)
    }

    /// The category of a code.
    #[must_use]
    pub fn category(&self, code: &str) -> Option<Category> {
        self.by_code.get(code).copied()
    }

    /// The code of a category.
    #[must_use]
    pub fn code(&self, category: Category) -> &str {
        self.nodes.get(category.0).map_or("", |node| node.code.as_str())
    }

    /// What it is a part of; nothing for the total.
    #[must_use]
    pub fn parent(&self, category: Category) -> Option<Category> {
        self.nodes.get(category.0).and_then(|node| node.parent)
    }

    /// Its parts.
    #[must_use]
    pub fn children(&self, category: Category) -> &[Category] {
        self.nodes.get(category.0).map_or(&[], |node| node.children.as_slice())
    }

    /// How many levels there are below it.
    #[must_use]
    pub fn height(&self, category: Category) -> usize {
        self.nodes.get(category.0).map_or(0, |node| node.height)
    }

    /// Whether it has no parts.
    #[must_use]
    pub fn is_leaf(&self, category: Category) -> bool {
        self.children(category).is_empty()
    }

    /// The category itself and all above it, the total last.
    pub fn upward(&self, category: Category) -> impl Iterator<Item = Category> + '_ {
        std::iter::successors(Some(category), |category| self.parent(*category))
    }

    /// The categories without parts that a category is made of, in order; itself if it has none.
    #[must_use]
    pub fn leaves_below(&self, category: Category) -> Vec<Category> {
        let below = |leaf: &Category| self.upward(*leaf).any(|above| above == category);
        self.categories().filter(|c| self.is_leaf(*c)).filter(below).collect()
    }
}

/// The code of the total, if every parent is a category and no code stands twice.
fn check_parents<'a>(
    name: &str,
    categories: &[(&'a str, Option<&'a str>)],
) -> Result<&'a str, DimensionError> {
    let dimension = || name.to_owned();
    let mut codes = BTreeSet::new();
    for (code, _) in categories {
        if !codes.insert(*code) {
            return Err(DimensionError::Twice { dimension: dimension(), code: (*code).to_owned() });
        }
    }
    for (code, parent) in categories {
        if parent.is_some_and(|parent| !codes.contains(parent)) {
            let code = (*code).to_owned();
            return Err(DimensionError::UnknownParent { dimension: dimension(), code });
        }
    }
    let mut totals = categories.iter().filter(|(_, parent)| parent.is_none());
    match (totals.next(), totals.count()) {
        (Some((total, _)), 0) => Ok(total),
        (first, others) => Err(DimensionError::Total {
            dimension: dimension(),
            found: usize::from(first.is_some()) + others,
        }),
    }
}

#[cfg(test)]
mod tests;
