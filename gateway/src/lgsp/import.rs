//! Brings a present connection sheet into a participant file.
//!
//! Takes the sheet and the text of the file; gives the text with an `lgsp` block, in which the
//! secret is a salted slow hash. Everything else in the file, comments too, stays as it was.

use aws_lc_rs::rand;
use lienthong_model::{
    diagnostic::Diagnostics,
    document::{self, Content, Node},
};
use lienthong_policy::SecretHash;
use serde_json::Value;

use super::ConnectionSheet;

/// Why a sheet cannot be brought in. Never tells a value of the sheet.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The secret could not be hashed.
    #[error("the secret could not be hashed")]
    Hash,
    /// The file cannot be read as a participant.
    #[error("{0}")]
    File(Diagnostics),
    /// The file is no participant.
    #[error("the file has no `id`, so it is no participant file")]
    NoParticipant,
    /// The participant has a block already.
    #[error("the file has an `lgsp` block already")]
    Present,
    /// The participant has none or several subsystems, and none of them is named.
    #[error("the participant has {0} subsystems, of which one must be named")]
    Subsystem(usize),
    /// The named subsystem is not the participant's.
    #[error("the participant has no such subsystem")]
    UnknownSubsystem,
    /// The file's form does not let the block be put in without touching something else.
    #[error("the form of the file does not let the block be put in; write it by hand")]
    Form,
}

/// What happens to a block that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// It stays, and the import is refused.
    Keep,
    /// It makes room, and its tokens end.
    Replace,
}

/// The `lgsp` block of a sheet.
///
/// # Errors
/// [`ImportError::Hash`].
pub fn block(sheet: &ConnectionSheet, subsystem: Option<&str>) -> Result<String, ImportError> {
    let mut salt = [0; 16];
    rand::fill(&mut salt).map_err(|_| ImportError::Hash)?;
    let secret = SecretHash::of(&sheet.secret_key, &salt).ok_or(ImportError::Hash)?;
    let rows = [
        ("app_name", Some(sheet.app_name.as_str())),
        ("partner_code", Some(&sheet.partner_code)),
        ("partner_code_customer", Some(&sheet.partner_code_customer)),
        ("access_key", Some(sheet.access_key.expose())),
        ("secret", Some(secret.expose())),
        ("subsystem", subsystem),
    ];
    let mut block = "lgsp:\n".to_owned();
    for (key, value) in rows {
        let Some(value) = value else { continue };
        // A JSON text is a double-quoted YAML text.
        block.push_str(&format!("  {key}: {}\n", Value::from(value)));
    }
    Ok(block)
}

/// The text of a participant file with the block of a sheet.
///
/// # Errors
/// Why the sheet cannot be brought in; then nothing is to be written.
pub fn into_file(
    (file, text): (&str, &str),
    sheet: &ConnectionSheet,
    subsystem: Option<&str>,
    existing: Existing,
) -> Result<String, ImportError> {
    let before = parse(file, text)?;
    if before.get("id").is_none() {
        return Err(ImportError::NoParticipant);
    }
    check_subsystem(&before, subsystem)?;
    let kept = match (before.get("lgsp").is_some(), existing) {
        (false, _) => text.to_owned(),
        (true, Existing::Keep) => return Err(ImportError::Present),
        (true, Existing::Replace) => without_block(text),
    };
    let end = if kept.is_empty() || kept.ends_with('\n') { "" } else { "\n" };
    let written = format!("{kept}{end}{}", block(sheet, subsystem)?);
    let after = parse(file, &written).map_err(|_| ImportError::Form)?;
    let rest = |node: &Node| {
        let mut value = node.to_json();
        let had = value.as_object_mut().and_then(|map| map.shift_remove("lgsp"));
        (value, had)
    };
    // What was not to be touched is what it was, and the block is there.
    let ((was, _), (is, had)) = (rest(&before), rest(&after));
    if was == is && had.is_some() { Ok(written) } else { Err(ImportError::Form) }
}

fn parse(file: &str, text: &str) -> Result<Node, ImportError> {
    let mut found = Diagnostics::new();
    match document::parse(file, text, &mut found) {
        Some(node) if found.is_empty() => Ok(node),
        _ => Err(ImportError::File(found)),
    }
}

fn check_subsystem(participant: &Node, named: Option<&str>) -> Result<(), ImportError> {
    let names: Vec<&str> = match participant.get("subsystems").map(|node| &node.content) {
        Some(Content::List(items)) => items.iter().filter_map(text).collect(),
        _ => Vec::new(),
    };
    match named {
        Some(name) if names.contains(&name) => Ok(()),
        Some(_) => Err(ImportError::UnknownSubsystem),
        None if names.len() == 1 => Ok(()),
        None => Err(ImportError::Subsystem(names.len())),
    }
}

fn text(node: &Node) -> Option<&str> {
    match &node.content {
        Content::Text(text) => Some(text),
        _ => None,
    }
}

/// The text without the lines of the `lgsp` block: its key and what is indented below it.
fn without_block(text: &str) -> String {
    let mut within = false;
    let mut kept = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let indented = line.starts_with([' ', '\t']) || line.trim().is_empty();
        within = line.starts_with("lgsp:") || (within && indented);
        if !within {
            kept.push_str(line);
        }
    }
    kept
}

#[cfg(test)]
mod tests;
