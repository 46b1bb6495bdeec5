//! A value that only a document tree can check: it passes whole or not at all.
//!
//! In: the text of one value whose grammar and keys the scanner has checked. Must never fetch a
//! reference, backtrack in a pattern, or accept a member that the schema does not name.

use jsonschema::{PatternOptions, Validator};
use lienthong_model::schema::StringFormat;
use serde_json::{Map, Value, json};

use crate::{ViewProblem, ViolationKind, format};

/// Longest text of such a value: its tree takes many times the memory.
const MAX_BYTES: usize = 256 << 10;

/// How the keywords of a schema are treated when it is closed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Holds schemas of members or elements.
    Child,
    /// Holds schemas of the same value.
    Same,
    /// Holds schemas that let nothing pass.
    Aside,
    /// Can only be `false`: it would let members or elements pass that nobody named.
    Closed,
    /// Holds no schema.
    Plain,
}

/// Every keyword that is read; another is refused, so that none can open an object unseen.
fn role(keyword: &str) -> Option<Role> {
    Some(match keyword {
        "properties" | "prefixItems" | "items" | "contains" => Role::Child,
        "allOf" | "anyOf" | "oneOf" | "if" | "then" | "else" | "dependentSchemas" => Role::Same,
        "not" | "propertyNames" => Role::Aside,
        "additionalProperties" | "unevaluatedProperties" | "unevaluatedItems" => Role::Closed,
        "type" | "enum" | "const" | "required" | "format" | "pattern" | "minLength"
        | "maxLength" | "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum"
        | "multipleOf" | "minItems" | "maxItems" | "uniqueItems" | "minContains"
        | "maxContains" | "minProperties" | "maxProperties" | "dependentRequired" | "title"
        | "description" | "examples" | "example" | "deprecated" | "default" | "$comment"
        | "readOnly" | "writeOnly" | "externalDocs" => Role::Plain,
        _ => return None,
    })
}

/// A compiled schema of a whole value.
#[derive(Debug)]
pub(crate) struct Tree {
    validator: Validator,
    keyword: &'static str,
}

impl Tree {
    pub(crate) fn compile(source: &Value) -> Result<Self, ViewProblem> {
        let closed = json!({ "allOf": [source, close_child(source)?] });
        // The schema is the operator's own text, so its mistake may be told.
        let validator = options()
            .build(&closed)
            .map_err(|e| ViewProblem::Tree(e.to_string().replace('\n', " ")))?;
        Ok(Self { validator, keyword: keyword_of(source) })
    }

    /// Checks the text of a value.
    pub(crate) fn check(&self, raw: &str) -> Result<(), ViolationKind> {
        if raw.len() > MAX_BYTES {
            return Err(ViolationKind::TooLarge);
        }
        let value: Value = serde_json::from_str(raw).map_err(|_| ViolationKind::Malformed)?;
        if self.validator.is_valid(&value) {
            return Ok(());
        }
        Err(ViolationKind::Schema { keyword: self.keyword })
    }
}

/// Validation as this crate means it: our formats, linear-time patterns, no fetching.
fn options() -> jsonschema::ValidationOptions<'static> {
    let mut options = jsonschema::draft202012::options()
        .offline()
        .should_validate_formats(true)
        .should_ignore_unknown_formats(false)
        .with_pattern_options(PatternOptions::regex());
    for name in ["date", "date-time", "uuid", "email", "citizen-number", "ward-code"] {
        if let Some(known) = StringFormat::from_name(name) {
            options = options.with_format(name, move |text: &str| format::is_valid(known, text));
        }
    }
    options
}

/// The keyword named when the value does not hold.
fn keyword_of(source: &Value) -> &'static str {
    const NAMED: &[&str] =
        &["oneOf", "anyOf", "allOf", "not", "if", "uniqueItems", "contains", "const", "multipleOf"];
    NAMED.iter().copied().find(|keyword| source.get(keyword).is_some()).unwrap_or("type")
}

/// `source` and the rule that nothing it leaves unnamed is there.
///
/// SECURITY: JSON Schema leaves objects open; a member that the provider adds tomorrow would pass.
/// The result is used beside `source`, so that it can only refuse more.
fn close_child(source: &Value) -> Result<Value, ViewProblem> {
    let closed = close(source)?;
    if source.get("const").is_some() || source.get("enum").is_some() {
        return Ok(closed);
    }
    Ok(json!({
        "allOf": [closed],
        "unevaluatedProperties": false,
        "unevaluatedItems": false,
    }))
}

/// A copy of `source` whose members' and elements' schemas are closed.
fn close(source: &Value) -> Result<Value, ViewProblem> {
    let Value::Object(map) = source else { return Ok(source.clone()) };
    let mut closed = Map::new();
    for (keyword, value) in map {
        let role = role(keyword);
        let value = match role {
            Some(Role::Child) => each(keyword, value, close_child)?,
            Some(Role::Same) => each(keyword, value, close)?,
            Some(Role::Aside) => {
                close(value)?;
                value.clone()
            }
            Some(Role::Closed) if value != &Value::Bool(false) => {
                return Err(ViewProblem::Tree(format!("`{keyword}` can only be false")));
            }
            Some(Role::Closed | Role::Plain) => value.clone(),
            None => return Err(ViewProblem::Tree(format!("keyword `{keyword}` is not read here"))),
        };
        closed.insert(keyword.clone(), value);
    }
    Ok(Value::Object(closed))
}

/// `change` on each schema that `keyword` holds: one, a list, or a map by name.
fn each(
    keyword: &str,
    value: &Value,
    change: fn(&Value) -> Result<Value, ViewProblem>,
) -> Result<Value, ViewProblem> {
    match value {
        Value::Array(list) => list.iter().map(change).collect::<Result<_, _>>().map(Value::Array),
        Value::Object(map) if matches!(keyword, "properties" | "dependentSchemas") => {
            let changed = map.iter().map(|(name, v)| Ok((name.clone(), change(v)?)));
            changed.collect::<Result<_, _>>().map(Value::Object)
        }
        one => change(one),
    }
}

/// Appends valid JSON text without the white space between its tokens.
pub(crate) fn compact(raw: &str, out: &mut Vec<u8>) {
    let mut in_string = false;
    let mut escaped = false;
    for byte in raw.bytes() {
        if in_string {
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
        } else if matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
            continue;
        } else {
            in_string = byte == b'"';
        }
        out.push(byte);
    }
}

#[cfg(test)]
mod tests;
