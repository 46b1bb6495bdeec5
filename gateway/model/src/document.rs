//! A strict reader of YAML 1.2 documents that tells every mistake with its place.
//!
//! Takes the text of one file; gives a tree of [`Node`]s with positions. Refused: duplicate keys,
//! anchors, aliases, tags, several documents, scalars that YAML 1.1 read otherwise (`yes`, `012`,
//! `1_000`), depth and size beyond bounds. [`MapReader`] then reads known keys only and reports
//! each unknown one with the nearest right name.

use std::{fmt::Display, str::FromStr};

use saphyr_parser::{Event, Parser, ScalarStyle, Span};
use serde_json::Value;

use crate::diagnostic::{Diagnostics, Position, nearest};

/// Longest text of a document, in bytes.
pub const MAX_BYTES: usize = 4 << 20;
/// Deepest nesting of a document.
pub const MAX_DEPTH: usize = 64;

/// A value of a document and its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The value.
    pub content: Content,
    /// Where it begins.
    pub at: Position,
}

/// A value of a document.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// `null` or nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// An integer.
    Integer(i64),
    /// A number with a fraction.
    Float(f64),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A map, in the order written.
    Map(Vec<(Key, Node)>),
}

/// A key of a map and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The text.
    pub text: String,
    /// Where it stands.
    pub at: Position,
}

impl Node {
    /// What kind of value this is, for messages.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.content {
            Content::Null => "nothing",
            Content::Bool(_) => "true or false",
            Content::Integer(_) | Content::Float(_) => "a number",
            Content::Text(_) => "a text",
            Content::List(_) => "a list",
            Content::Map(_) => "a map",
        }
    }

    /// The value without places.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match &self.content {
            Content::Null => Value::Null,
            Content::Bool(b) => Value::Bool(*b),
            Content::Integer(n) => Value::from(*n),
            Content::Float(n) => Value::from(*n),
            Content::Text(text) => Value::String(text.clone()),
            Content::List(items) => items.iter().map(Self::to_json).collect(),
            Content::Map(entries) => Value::Object(
                entries.iter().map(|(key, node)| (key.text.clone(), node.to_json())).collect(),
            ),
        }
    }

    /// The value under `key`, when this is a map that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        match &self.content {
            Content::Map(entries) => entries.iter().find(|(k, _)| k.text == key).map(|(_, n)| n),
            _ => None,
        }
    }
}

/// Reads the one document of a file. Mistakes go to `found`; `None` when there is no usable tree.
pub fn parse(file: &str, text: &str, found: &mut Diagnostics) -> Option<Node> {
    if text.len() > MAX_BYTES {
        found.add(file, Position::default(), format!("file is larger than {MAX_BYTES} bytes"));
        return None;
    }
    let mut builder = Builder { file, found, stack: Vec::new(), root: None, documents: 0 };
    for event in Parser::new_from_str(text) {
        match event {
            Ok((event, span)) => {
                builder.event(event, &span)?;
            }
            Err(error) => {
                let at = place(error.marker().line(), error.marker().col());
                builder.found.add(file, at, format!("not YAML: {}", error.info()));
                return None;
            }
        }
    }
    let root = builder.root.take();
    if root.is_none() {
        found.add(file, Position::default(), "file is empty");
    }
    root
}

enum Frame {
    List { at: Position, items: Vec<Node> },
    Map { at: Position, entries: Vec<(Key, Node)>, key: Option<Key> },
}

struct Builder<'a> {
    file: &'a str,
    found: &'a mut Diagnostics,
    stack: Vec<Frame>,
    root: Option<Node>,
    documents: u32,
}

impl Builder<'_> {
    /// `None` stops reading.
    fn event(&mut self, event: Event<'_>, span: &Span) -> Option<()> {
        let at = place(span.start.line(), span.start.col());
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    self.found.add(self.file, at, "a file holds one document only");
                    return None;
                }
            }
            Event::Alias(_) => {
                self.found.add(self.file, at, "aliases are not read; write the value out");
                self.place_node(Node { content: Content::Null, at });
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_decoration(at, anchor, tag.is_some());
                let content = self.scalar(&text, style, at);
                self.place_scalar(content, &text, at);
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse_decoration(at, anchor, tag.is_some());
                self.open(Frame::List { at, items: Vec::new() }, at)?;
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse_decoration(at, anchor, tag.is_some());
                self.open(Frame::Map { at, entries: Vec::new(), key: None }, at)?;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let node = match self.stack.pop()? {
                    Frame::List { at, items } => Node { content: Content::List(items), at },
                    Frame::Map { at, entries, .. } => Node { content: Content::Map(entries), at },
                };
                self.place_node(node);
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Some(())
    }

    fn open(&mut self, frame: Frame, at: Position) -> Option<()> {
        if self.stack.len() >= MAX_DEPTH {
            self.found.add(self.file, at, format!("nested deeper than {MAX_DEPTH} levels"));
            return None;
        }
        if let Some(Frame::Map { key: None, .. }) = self.stack.last() {
            self.found.add(self.file, at, "a key must be a text");
            return None;
        }
        self.stack.push(frame);
        Some(())
    }

    fn refuse_decoration(&mut self, at: Position, anchor: usize, tagged: bool) {
        if anchor != 0 {
            self.found.add(self.file, at, "anchors are not read; write the value out");
        }
        if tagged {
            self.found.add(self.file, at, "tags are not read");
        }
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, at: Position) -> Content {
        if style != ScalarStyle::Plain {
            return Content::Text(text.to_owned());
        }
        match text {
            "" | "~" | "null" | "Null" | "NULL" => return Content::Null,
            "true" => return Content::Bool(true),
            "false" => return Content::Bool(false),
            _ => {}
        }
        if is_ambiguous(text) {
            let help = format!("write \"{text}\" for the text, or the value in full");
            self.found.add_with_help(self.file, at, format!("ambiguous value `{text}`"), help);
            return Content::Text(text.to_owned());
        }
        if let Ok(n) = text.parse::<i64>()
            && !text.starts_with('+')
        {
            return Content::Integer(n);
        }
        let numeric = text.starts_with(|c: char| c.is_ascii_digit() || c == '-')
            && text.contains(['.', 'e', 'E'])
            && text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
        match text.parse::<f64>() {
            Ok(n) if numeric && n.is_finite() => Content::Float(n),
            _ => Content::Text(text.to_owned()),
        }
    }

    fn place_scalar(&mut self, content: Content, text: &str, at: Position) {
        if let Some(Frame::Map { entries, key: key @ None, .. }) = self.stack.last_mut() {
            if text == "<<" {
                self.found.add(self.file, at, "merge keys are not read; write the values out");
            }
            if entries.iter().any(|(k, _)| k.text == text) {
                self.found.add(self.file, at, format!("key `{text}` stands twice"));
            }
            *key = Some(Key { text: text.to_owned(), at });
            return;
        }
        self.place_node(Node { content, at });
    }

    fn place_node(&mut self, node: Node) {
        match self.stack.last_mut() {
            None => self.root = Some(node),
            Some(Frame::List { items, .. }) => items.push(node),
            Some(Frame::Map { entries, key, .. }) => {
                if let Some(key) = key.take() {
                    entries.push((key, node));
                }
            }
        }
    }
}

/// Plain scalars that another reading of YAML takes for something else.
fn is_ambiguous(text: &str) -> bool {
    let words = ["yes", "no", "on", "off", "y", "n", "true", "false"];
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let padded =
        digits.len() > 1 && digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit());
    let grouped = digits.contains('_')
        && digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    let based = ["0x", "0o", "0b"].iter().any(|p| digits.starts_with(p));
    words.iter().any(|w| w.eq_ignore_ascii_case(text))
        || padded
        || grouped
        || based
        || [".inf", "-.inf", ".nan"].iter().any(|w| w.eq_ignore_ascii_case(text))
}

fn place(line: usize, column: usize) -> Position {
    let bound = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Position { line: bound(line), column: bound(column).saturating_add(1) }
}

/// Reads the known keys of one map and reports the rest.
#[derive(Debug)]
pub struct MapReader<'a, 'd> {
    file: &'a str,
    at: Position,
    entries: &'a [(Key, Node)],
    found: &'d mut Diagnostics,
}

impl<'a, 'd> MapReader<'a, 'd> {
    /// Begins to read `node`, which must be a map with no keys but `known`. `what` names the map
    /// in messages.
    pub fn new(
        file: &'a str,
        node: &'a Node,
        what: &str,
        known: &[&str],
        found: &'d mut Diagnostics,
    ) -> Option<Self> {
        let Content::Map(entries) = &node.content else {
            found.add(file, node.at, format!("{what} must be a map, found {}", node.kind()));
            return None;
        };
        for (key, _) in entries {
            if known.contains(&key.text.as_str()) {
                continue;
            }
            let help = match nearest(&key.text, known.iter().copied()) {
                Some(name) => format!("did you mean `{name}`?"),
                None => format!("expected one of `{}`", known.join("`, `")),
            };
            let message = format!("unknown key `{}` in {what}", key.text);
            found.add_with_help(file, key.at, message, help);
        }
        Some(Self { file, at: node.at, entries, found })
    }

    /// Where mistakes go.
    pub fn found(&mut self) -> &mut Diagnostics {
        self.found
    }

    /// The file that is read.
    #[must_use]
    pub fn file(&self) -> &'a str {
        self.file
    }

    /// Where the map begins.
    #[must_use]
    pub fn at(&self) -> Position {
        self.at
    }

    /// The value of a key that may be missing. An explicit `null` counts as missing.
    #[must_use]
    pub fn optional(&self, key: &str) -> Option<&'a Node> {
        let entry = self.entries.iter().find(|(k, _)| k.text == key)?;
        (entry.1.content != Content::Null).then_some(&entry.1)
    }

    /// The value of a key that must stand there.
    pub fn required(&mut self, key: &str) -> Option<&'a Node> {
        let node = self.optional(key);
        if node.is_none() {
            self.found.add(self.file, self.at, format!("key `{key}` is missing"));
        }
        node
    }

    /// A required text.
    pub fn text(&mut self, key: &str) -> Option<&'a str> {
        let node = self.required(key)?;
        text(self.file, node, self.found)
    }

    /// A required value that parses from a text.
    pub fn parse<T: FromStr<Err: Display>>(&mut self, key: &str) -> Option<T> {
        let node = self.required(key)?;
        parse_text(self.file, node, self.found)
    }

    /// A value that parses from a text, when the key is there.
    pub fn parse_optional<T: FromStr<Err: Display>>(&mut self, key: &str) -> Option<T> {
        let node = self.optional(key)?;
        parse_text(self.file, node, self.found)
    }

    /// An integer within `range`, or `default` when the key is missing.
    pub fn integer(
        &mut self,
        key: &str,
        range: std::ops::RangeInclusive<i64>,
        default: i64,
    ) -> i64 {
        let Some(node) = self.optional(key) else { return default };
        match node.content {
            Content::Integer(n) if range.contains(&n) => n,
            _ => {
                let message = format!(
                    "`{key}` must be a whole number from {} to {}",
                    range.start(),
                    range.end()
                );
                self.found.add(self.file, node.at, message);
                default
            }
        }
    }

    /// `true` or `false`, or `default` when the key is missing.
    pub fn boolean(&mut self, key: &str, default: bool) -> bool {
        let Some(node) = self.optional(key) else { return default };
        match node.content {
            Content::Bool(value) => value,
            _ => {
                self.found.add(self.file, node.at, format!("`{key}` must be true or false"));
                default
            }
        }
    }

    /// The items of a list; none when the key is missing.
    pub fn list(&mut self, key: &str) -> &'a [Node] {
        let Some(node) = self.optional(key) else { return &[] };
        list(self.file, node, key, self.found)
    }

    /// The items of a list of texts that parse; items that do not are reported.
    pub fn parse_list<T: FromStr<Err: Display>>(&mut self, key: &str) -> Vec<T> {
        let items = self.list(key);
        items.iter().filter_map(|node| parse_text(self.file, node, self.found)).collect()
    }
}

/// The items of a list node.
pub fn list<'a>(file: &str, node: &'a Node, what: &str, found: &mut Diagnostics) -> &'a [Node] {
    match &node.content {
        Content::List(items) => items,
        _ => {
            found.add(file, node.at, format!("`{what}` must be a list, found {}", node.kind()));
            &[]
        }
    }
}

/// The entries of a map whose keys are names, not settings.
pub fn entries<'a>(
    file: &str,
    node: &'a Node,
    what: &str,
    found: &mut Diagnostics,
) -> &'a [(Key, Node)] {
    match &node.content {
        Content::Map(entries) => entries,
        _ => {
            found.add(file, node.at, format!("{what} must be a map, found {}", node.kind()));
            &[]
        }
    }
}

/// The text of a node.
pub fn text<'a>(file: &str, node: &'a Node, found: &mut Diagnostics) -> Option<&'a str> {
    match &node.content {
        Content::Text(text) => Some(text),
        _ => {
            let help =
                matches!(node.content, Content::Integer(_) | Content::Float(_) | Content::Bool(_))
                    .then_some("put it in quotes");
            let message = format!("expected a text, found {}", node.kind());
            match help {
                Some(help) => found.add_with_help(file, node.at, message, help),
                None => found.add(file, node.at, message),
            }
            None
        }
    }
}

/// The text of a node, parsed.
pub fn parse_text<T: FromStr<Err: Display>>(
    file: &str,
    node: &Node,
    found: &mut Diagnostics,
) -> Option<T> {
    let text = text(file, node, found)?;
    match text.parse() {
        Ok(value) => Some(value),
        Err(error) => {
            found.add(file, node.at, format!("`{text}` is {error}"));
            None
        }
    }
}

#[cfg(test)]
mod tests;
