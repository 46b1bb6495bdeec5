//! The one pass: follows a view and a body together, and writes what may leave.
//!
//! In: a view and the bytes of a body. Out: the disclosed body and its tally, or the first
//! violation met. Must never write a byte of a value before its rules hold and its mask is applied.

use lienthong_model::field::Pointer;

use crate::{
    Direction, Pseudonymiser, Tally, View, Violation, ViolationKind,
    properties::Properties,
    scan::Scanner,
    view::{Elements, Node, NodeKind},
};

mod value;

/// How much longer than the bounds the masks may make a body: a constant can be longer than what
/// it takes the place of.
pub(crate) const GROWTH: usize = 64 << 10;

type Step<T> = Result<T, ViolationKind>;

const BROKEN_TYPE: ViolationKind = ViolationKind::Schema { keyword: "type" };

/// The value of a view that a text holds: the whole body, or one element of a stream.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part {
    pub(crate) node: usize,
    /// How many objects and arrays stand around it.
    pub(crate) depth: usize,
    pub(crate) max_bytes: usize,
}

/// Appends the disclosed part of `body`, which is `part` of `view`, to `out`.
pub(crate) fn disclose(
    view: &View,
    part: Part,
    body: &[u8],
    pseudonyms: &Pseudonymiser,
    out: &mut Vec<u8>,
) -> Result<Tally, Violation> {
    let whole = |kind| Violation {
        kind,
        at: view.node(part.node).map_or_else(Pointer::root, |node| node.at.clone()),
    };
    if body.len() > part.max_bytes {
        return Err(whole(ViolationKind::TooLarge));
    }
    // PERF: names with Vietnamese letters are slow for the standard library's check.
    let text = simdutf8::basic::from_utf8(body).map_err(|_| whole(ViolationKind::InvalidUtf8))?;
    let mut walk = Walk::new(view, part, text, pseudonyms, out);
    walk.scan.blank();
    walk.value(part.node)?;
    walk.scan.finish().map_err(|fault| whole(fault.into()))?;
    Ok(walk.tally)
}

/// Appends the disclosed part of the array element that `text` begins with to `out`; gives the
/// place of the comma or bracket after it. None, with more than nothing appended perhaps, when the
/// element does not pass or is not all there.
pub(crate) fn disclose_first(
    view: &View,
    part: Part,
    text: &str,
    pseudonyms: &Pseudonymiser,
    out: &mut Vec<u8>,
) -> Option<(Tally, usize)> {
    let mut walk = Walk::new(view, part, text, pseudonyms, out);
    walk.scan.blank();
    walk.value(part.node).ok()?;
    let ended = matches!(walk.scan.blank(), b',' | b']');
    let length = walk.scan.place();
    (ended && length <= part.max_bytes).then_some((walk.tally, length))
}

struct Walk<'v, 'b> {
    view: &'v View,
    scan: Scanner<'b>,
    /// A bit for each property seen of the objects being read, outermost first.
    seen: Vec<u64>,
    decoded: String,
    masked: String,
    out: &'b mut Vec<u8>,
    limit: usize,
    pseudonyms: &'b Pseudonymiser,
    tally: Tally,
}

impl<'v, 'b> Walk<'v, 'b> {
    fn new(
        view: &'v View,
        part: Part,
        text: &'b str,
        pseudonyms: &'b Pseudonymiser,
        out: &'b mut Vec<u8>,
    ) -> Self {
        out.reserve(text.len().min(part.max_bytes));
        Self {
            view,
            scan: Scanner::new(text, view.bounds().max_depth.saturating_sub(part.depth)),
            seen: Vec::new(),
            decoded: String::new(),
            masked: String::new(),
            limit: out.len().saturating_add(part.max_bytes).saturating_add(GROWTH),
            out,
            pseudonyms,
            tally: Tally::default(),
        }
    }

    /// The value that begins here, which the view has at `index`.
    fn value(&mut self, index: usize) -> Result<(), Violation> {
        // An index is always of this view; were it not, nothing would pass.
        let Some(node) = self.view.node(index) else {
            return Err(Violation { kind: ViolationKind::Malformed, at: Pointer::root() });
        };
        match (&node.kind, self.scan.peek()) {
            (NodeKind::Object(properties), b'{') => self.object(node, properties),
            (NodeKind::Array(elements), b'[') => self.array(node, elements),
            (NodeKind::Leaf(leaf), _) => {
                self.leaf(node, leaf).map_err(|kind| violation(kind, node))
            }
            (NodeKind::Object(_) | NodeKind::Array(_), next) => {
                self.not_a_container(node, next).map_err(|kind| violation(kind, node))
            }
        }
    }

    fn object(&mut self, node: &'v Node, properties: &'v Properties) -> Result<(), Violation> {
        let broken = |kind| violation(kind, node);
        self.scan.enter().map_err(broken)?;
        self.open(node, b'{');
        let seen_mark = self.seen.len();
        let key_mark = self.scan.key_mark();
        self.seen.resize(seen_mark + properties.words(), 0);
        if self.scan.leave_empty(b'}') {
            self.count_empty(node);
        } else {
            loop {
                self.member(node, properties, seen_mark)?;
                if !self.scan.more(b'}').map_err(broken)? {
                    break;
                }
            }
        }
        self.scan.check_keys(key_mark).map_err(broken)?;
        let seen = self.seen.get(seen_mark..).unwrap_or_default();
        if node.check
            && let Some(property) = properties.missing(seen)
        {
            let kind = ViolationKind::Schema { keyword: "required" };
            return Err(Violation { kind, at: node.at.child(&property.name) });
        }
        self.seen.truncate(seen_mark);
        self.close(node, b'}');
        Ok(())
    }

    /// One member of an object, whose seen properties begin at `seen_mark`.
    fn member(
        &mut self,
        node: &'v Node,
        properties: &'v Properties,
        seen_mark: usize,
    ) -> Result<(), Violation> {
        let broken = |kind| violation(kind, node);
        self.scan.key().map_err(broken)?;
        let Some((index, property)) = properties.find(self.scan.decoded(&mut self.decoded)) else {
            return self.undeclared(node).map_err(|kind| violation(kind, node));
        };
        let bit = 1 << (index % 64);
        match self.seen.get_mut(seen_mark + index / 64) {
            Some(word) if *word & bit == 0 => *word |= bit,
            _ => return Err(violation(ViolationKind::DuplicateKey, node)),
        }
        if property.emit {
            self.separate(b'{');
            self.out.extend_from_slice(&property.opening);
        }
        self.value(property.node)
    }

    fn undeclared(&mut self, node: &Node) -> Step<()> {
        // The key is not told: it is the sender's to choose.
        if self.view.direction() == Direction::Request {
            return Err(ViolationKind::Undeclared);
        }
        self.tally.note_undeclared(&node.at, self.scan.decoded(&mut self.decoded));
        self.scan.note_key();
        Ok(self.scan.skip()?)
    }

    fn array(&mut self, node: &'v Node, elements: &'v Elements) -> Result<(), Violation> {
        let broken = |kind| violation(kind, node);
        let wrong = |keyword| Err(violation(ViolationKind::Schema { keyword }, node));
        self.scan.enter().map_err(broken)?;
        self.open(node, b'[');
        let mut count: u64 = 0;
        if self.scan.leave_empty(b']') {
            self.count_empty(node);
        } else {
            loop {
                count += 1;
                if node.check && count > elements.max {
                    return wrong("maxItems");
                }
                self.scan.blank();
                if node.emit {
                    self.separate(b'[');
                }
                self.value(elements.node)?;
                if !self.scan.more(b']').map_err(broken)? {
                    break;
                }
            }
        }
        if node.check && count < elements.min {
            return wrong("minItems");
        }
        self.close(node, b']');
        Ok(())
    }

    /// Something else where the view has an object or an array.
    fn not_a_container(&mut self, node: &Node, next: u8) -> Step<()> {
        if next == b'n' {
            self.scan.literal("null")?;
            if node.check && !node.null {
                return Err(BROKEN_TYPE);
            }
            if node.emit {
                self.out.extend_from_slice(b"null");
            }
            self.count_empty(node);
            return Ok(());
        }
        self.scan.skip()?;
        if node.check {
            return Err(BROKEN_TYPE);
        }
        self.tally.dropped = self.tally.dropped.saturating_add(1);
        Ok(())
    }

    /// Counts an object or array that holds nothing, where it does not pass: no leaf tells of it.
    fn count_empty(&mut self, node: &Node) {
        if !node.emit {
            self.tally.dropped = self.tally.dropped.saturating_add(1);
        }
    }

    fn open(&mut self, node: &Node, bracket: u8) {
        if node.emit {
            self.out.push(bracket);
        }
    }

    fn close(&mut self, node: &Node, bracket: u8) {
        if node.emit {
            self.out.push(bracket);
        }
    }

    /// A comma, unless this is the first member written since `open`.
    fn separate(&mut self, open: u8) {
        if self.out.last() != Some(&open) {
            self.out.push(b',');
        }
    }
}

fn violation(kind: impl Into<ViolationKind>, node: &Node) -> Violation {
    Violation { kind: kind.into(), at: node.at.clone() }
}
