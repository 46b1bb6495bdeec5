//! Parts of answers: members that are put in, and pages of lists.

use axum::{
    Json,
    response::{IntoResponse as _, Response},
};
use serde_json::{Value, json};

/// Puts a member into an object.
pub(super) fn put(object: &mut Value, name: &str, value: impl Into<Value>) {
    if let Some(members) = object.as_object_mut() {
        members.insert(name.to_owned(), value.into());
    }
}

/// Puts a member into an object, when there is one.
pub(super) fn put_some(object: &mut Value, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        put(object, name, value);
    }
}

/// A page of a list, and behind what the next one begins.
pub(super) fn page(name: &str, items: Vec<Value>, next: Option<u64>) -> Response {
    let mut page = json!({ name: items });
    put_some(&mut page, "next", next);
    Json(page).into_response()
}

/// Behind what the next page begins, when this one is full.
pub(super) fn next(limit: u32, found: usize, last: Option<u64>) -> Option<u64> {
    last.filter(|_| u32::try_from(found) == Ok(limit))
}
