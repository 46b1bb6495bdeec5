//! The paths under which present clients of the city's LGSP know operations.
//!
//! Takes the `lgsp_paths` block of a service file; gives one fixed path for an operation. Such a
//! path is another name and nothing more: agreement, purpose, schema and limits stay what they are.

use std::collections::BTreeMap;

use lienthong_model::{
    diagnostic::{Diagnostics, Position},
    document::{self, Node},
    id::OperationId,
};

use super::{Operation, Segment};
use crate::read::{Claims, Source, known};

/// Most segments of a path.
const MOST_SEGMENTS: usize = 8;
/// What the X-Road dialect answers to at the front of a path.
const RESERVED: &[&str] = &["r1", "listClients"];

/// Reads `lgsp_paths`: the decoded segments of a path, by operation.
pub(super) fn read(
    source: &Source<'_>,
    operations: &BTreeMap<OperationId, std::sync::Arc<Operation>>,
    claims: &mut Claims,
    found: &mut Diagnostics,
) -> BTreeMap<OperationId, Vec<String>> {
    let file = source.file;
    let mut paths = BTreeMap::new();
    let Some(node) = source.root.get("lgsp_paths") else { return paths };
    let named = source.operations();
    for (key, node) in document::entries(file, node, "`lgsp_paths`", found) {
        let names = named.iter().map(String::as_str);
        if !known((file, key.at), "operation", &key.text, names, found) {
            continue;
        }
        let Some(segments) = read_path(file, node, found) else { continue };
        claims.claim("LGSP path", format!("/{}", segments.join("/")), (file, node.at), found);
        let Some(operation) = operations.get(key.text.as_str()) else { continue };
        check_fixed(operation, (file, node.at), found);
        paths.insert(operation.id.clone(), segments);
    }
    paths
}

fn read_path(file: &str, node: &Node, found: &mut Diagnostics) -> Option<Vec<String>> {
    let text = document::text(file, node, found)?;
    let plain = |segment: &str| {
        (1..=128).contains(&segment.len())
            && segment.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
            && segment.bytes().any(|b| b != b'.')
    };
    let segments: Vec<String> =
        text.strip_prefix('/').unwrap_or_default().split('/').map(str::to_owned).collect();
    let help = "write a path such as `/APITraCuu`";
    if segments.len() > MOST_SEGMENTS || !segments.iter().all(|segment| plain(segment)) {
        let message = format!(
            "an LGSP path has 1 to {MOST_SEGMENTS} parts, each of letters, digits, `-`, `_` and `.`"
        );
        found.add_with_help(file, node.at, message, help);
        return None;
    }
    if segments.first().is_some_and(|first| RESERVED.contains(&first.as_str())) {
        let message = format!("`{text}` belongs to the X-Road dialect");
        found.add_with_help(file, node.at, message, help);
        return None;
    }
    Some(segments)
}

/// A fixed path has no place for a path parameter.
fn check_fixed(operation: &Operation, place: (&str, Position), found: &mut Diagnostics) {
    let parameter = operation.path.segments().iter().find_map(|segment| match segment {
        Segment::Parameter(name) => Some(name),
        Segment::Literal(_) => None,
    });
    if let Some(name) = parameter {
        let id = &operation.id;
        let message =
            format!("`{id}` has path parameter `{name}`, for which an LGSP path has no place");
        let help = "describe the operation with a query parameter or a body instead";
        found.add_with_help(place.0, place.1, message, help);
    }
}

#[cfg(test)]
mod tests;
