//! Reads a JSON Schema into the form the data path works with.
//!
//! Takes a document and the place of a schema in it; gives the schema with every local reference
//! followed, or every mistake with its place. Reads nothing but the document it is given.

use serde_json::{Map, Value};

use super::{
    ArrayRules, Kind, MAX_DEPTH, NumberRules, ObjectRules, Schema, SchemaError, StringFormat,
    StringRules,
};

/// Most schemas that one may lead to, references followed: a reference to an object of references
/// doubles at each level.
const MAX_SCHEMAS: usize = 20_000;

/// Reads the schema at `start`.
pub(super) fn read(document: &Value, start: &Value, at: &str) -> Result<Schema, Vec<SchemaError>> {
    let mut reader = Reader { document, errors: Vec::new(), trail: Vec::new(), read: 0 };
    let schema = reader.read(start, at, 0);
    match schema {
        Some(schema) if reader.errors.is_empty() => Ok(schema),
        _ => Err(reader.errors),
    }
}

/// Keywords that say something to people only.
const NOTES: &[&str] = &[
    "title",
    "description",
    "examples",
    "example",
    "deprecated",
    "default",
    "$comment",
    "readOnly",
    "writeOnly",
    "externalDocs",
];
/// Keywords that need the whole value.
const TREE: &[&str] = &[
    "oneOf",
    "anyOf",
    "allOf",
    "not",
    "if",
    "then",
    "else",
    "uniqueItems",
    "contains",
    "minContains",
    "maxContains",
    "prefixItems",
    "dependentRequired",
    "dependentSchemas",
    "minProperties",
    "maxProperties",
    "multipleOf",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "const",
    "propertyNames",
];

struct Reader<'a> {
    document: &'a Value,
    errors: Vec<SchemaError>,
    trail: Vec<String>,
    /// How many schemas were read.
    read: usize,
}

impl Reader<'_> {
    fn fail(&mut self, at: &str, problem: impl Into<String>) -> Option<Schema> {
        self.errors.push(SchemaError { at: at.to_owned(), problem: problem.into() });
        None
    }

    fn read(&mut self, schema: &Value, at: &str, depth: usize) -> Option<Schema> {
        if depth > MAX_DEPTH {
            return self.fail(at, format!("schema is nested deeper than {MAX_DEPTH} levels"));
        }
        self.read += 1;
        if self.read > MAX_SCHEMAS {
            if self.read == MAX_SCHEMAS + 1 {
                self.fail(at, format!("schema leads to more than {MAX_SCHEMAS} schemas"));
            }
            return None;
        }
        let Value::Object(map) = schema else {
            return self.fail(at, "a schema must be an object");
        };
        if let Some(reference) = map.get("$ref") {
            return self.follow(map, reference, at, depth);
        }
        if let Some(keyword) = map.keys().find(|k| TREE.contains(&k.as_str())) {
            let keyword = keyword.clone();
            return self.tree(schema, &keyword, at);
        }
        let Some((types, nullable)) = self.types(map, at) else {
            // What lies below is told in the same run.
            if map.contains_key("properties") {
                self.object(map, at, depth);
            } else if map.contains_key("items") {
                self.array(map, at, depth);
            }
            return None;
        };
        let kind = match types.as_str() {
            "object" => self.object(map, at, depth)?,
            "array" => self.array(map, at, depth)?,
            "string" => self.string(map, at)?,
            "integer" => Kind::Integer(self.number(map, at)?),
            "number" => Kind::Number(self.number(map, at)?),
            "boolean" => {
                self.known(map, &[], at)?;
                Kind::Boolean
            }
            other => return self.fail(at, format!("unknown type `{other}`")),
        };
        let source = resolved_source(map, &kind);
        Some(Schema { nullable, kind, source })
    }

    fn follow(
        &mut self,
        map: &Map<String, Value>,
        reference: &Value,
        at: &str,
        depth: usize,
    ) -> Option<Schema> {
        let alone = map.keys().all(|k| k == "$ref" || NOTES.contains(&k.as_str()));
        if !alone {
            self.fail(at, "keywords beside `$ref` are not read");
        }
        let Some(pointer) = reference.as_str().and_then(|r| r.strip_prefix('#')) else {
            return self.fail(at, "only local references `#/...` are read");
        };
        if self.trail.iter().any(|seen| seen == pointer) {
            return self.fail(at, format!("reference `#{pointer}` is recursive"));
        }
        let document = self.document;
        let Some(target) = document.pointer(pointer) else {
            return self.fail(at, format!("reference `#{pointer}` leads nowhere"));
        };
        self.trail.push(pointer.to_owned());
        let schema = self.read(target, pointer, depth + 1);
        self.trail.pop();
        schema.filter(|_| alone)
    }

    /// A subtree checked by a document tree. Its references are resolved so that it stands alone.
    fn tree(&mut self, schema: &Value, keyword: &str, at: &str) -> Option<Schema> {
        let mut inliner = Inliner { document: self.document, trail: Vec::new(), values: 0 };
        match inliner.inline(schema, 0) {
            Ok(source) => Some(Schema { nullable: false, kind: Kind::Tree, source }),
            Err(problem) => self.fail(at, format!("{problem} (in a schema with `{keyword}`)")),
        }
    }

    /// The one type beside `null`.
    fn types(&mut self, map: &Map<String, Value>, at: &str) -> Option<(String, bool)> {
        let names: Vec<&str> = match map.get("type") {
            Some(Value::String(name)) => vec![name],
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            _ => {
                self.fail(at, "`type` is missing");
                return None;
            }
        };
        let nullable = names.contains(&"null");
        let mut others = names.into_iter().filter(|n| *n != "null");
        match (others.next(), others.next()) {
            (Some(one), None) => Some((one.to_owned(), nullable)),
            _ => {
                self.fail(at, "`type` must be one type, or one type and `null`");
                None
            }
        }
    }

    fn known(&mut self, map: &Map<String, Value>, keywords: &[&str], at: &str) -> Option<()> {
        let mut good = true;
        for key in map.keys() {
            let key = key.as_str();
            if key != "type" && !NOTES.contains(&key) && !keywords.contains(&key) {
                self.fail(at, format!("keyword `{key}` is not read here"));
                good = false;
            }
        }
        good.then_some(())
    }

    fn object(&mut self, map: &Map<String, Value>, at: &str, depth: usize) -> Option<Kind> {
        let known = self.known(map, &["properties", "required", "additionalProperties"], at);
        let mut good = known.is_some();
        // SECURITY: an open object would let fields pass that nobody classified.
        if map.get("additionalProperties").is_some_and(|v| v != &Value::Bool(false)) {
            self.fail(at, "`additionalProperties` must be false or left out: objects are closed");
            good = false;
        }
        let mut rules = ObjectRules::default();
        for (name, schema) in map.get("properties").and_then(Value::as_object).into_iter().flatten()
        {
            let child = format!("{at}/properties/{}", name.replace('~', "~0").replace('/', "~1"));
            if name == "*" || name.is_empty() {
                self.fail(&child, "a property cannot be named `*` or be empty");
                good = false;
                continue;
            }
            match self.read(schema, &child, depth + 1) {
                Some(schema) => drop(rules.properties.insert(name.clone(), schema)),
                None => good = false,
            }
        }
        for name in map.get("required").and_then(Value::as_array).into_iter().flatten() {
            let name = name.as_str().unwrap_or_default();
            if good && !rules.properties.contains_key(name) {
                self.fail(at, format!("required property `{name}` is not declared"));
                good = false;
            }
            rules.required.insert(name.to_owned());
        }
        good.then_some(Kind::Object(rules))
    }

    fn array(&mut self, map: &Map<String, Value>, at: &str, depth: usize) -> Option<Kind> {
        let known = self.known(map, &["items", "minItems", "maxItems"], at);
        let Some(items) = map.get("items") else {
            self.fail(at, "`items` is missing");
            return None;
        };
        let items = self.read(items, &format!("{at}/items"), depth + 1);
        known?;
        let items = items?;
        let min_items = self.count(map, "minItems", at)?.unwrap_or(0);
        let max_items = self.count(map, "maxItems", at)?;
        Some(Kind::Array(ArrayRules { items: Box::new(items), min_items, max_items }))
    }

    fn string(&mut self, map: &Map<String, Value>, at: &str) -> Option<Kind> {
        let known = self.known(map, &["minLength", "maxLength", "pattern", "format", "enum"], at);
        let mut good = known.is_some();
        let (min_length, max_length) =
            (self.count(map, "minLength", at), self.count(map, "maxLength", at));
        let mut rules = StringRules::default();
        if let Some(pattern) = map.get("pattern") {
            let pattern = pattern.as_str().unwrap_or_default();
            if regex::Regex::new(pattern).is_err() {
                self.fail(at, "`pattern` is not a regular expression of the linear-time kind");
                good = false;
            }
            rules.pattern = Some(pattern.to_owned());
        }
        if let Some(format) = map.get("format") {
            let name = format.as_str().unwrap_or_default();
            rules.format = StringFormat::from_name(name);
            if rules.format.is_none() {
                self.fail(
                    at,
                    format!("unknown format `{name}`: a format that is not checked is refused"),
                );
                good = false;
            }
        }
        if let Some(values) = map.get("enum") {
            let values: Option<Vec<String>> = values
                .as_array()
                .map(|v| v.iter().filter(|x| !x.is_null()))
                .and_then(|v| v.map(|x| x.as_str().map(str::to_owned)).collect());
            match values {
                Some(values) if !values.is_empty() => rules.allowed = values,
                _ => {
                    self.fail(at, "`enum` of a string must list texts");
                    good = false;
                }
            }
        }
        rules.min_length = min_length?.unwrap_or(0);
        rules.max_length = max_length?;
        good.then_some(Kind::String(rules))
    }

    fn number(&mut self, map: &Map<String, Value>, at: &str) -> Option<NumberRules> {
        self.known(map, &["minimum", "maximum", "enum", "format"], at)?;
        let listed = map.get("enum").map(|v| v.as_array().map_or(&[][..], Vec::as_slice));
        let numbers = listed.unwrap_or_default().iter().filter(|value| !value.is_null());
        let allowed: Option<Vec<f64>> = numbers.map(Value::as_f64).collect();
        let Some(allowed) = allowed.filter(|a| listed.is_none() || !a.is_empty()) else {
            self.fail(at, "`enum` of a number must list numbers");
            return None;
        };
        Some(NumberRules {
            minimum: map.get("minimum").and_then(Value::as_f64),
            maximum: map.get("maximum").and_then(Value::as_f64),
            allowed,
        })
    }

    fn count(&mut self, map: &Map<String, Value>, key: &str, at: &str) -> Option<Option<u64>> {
        match map.get(key) {
            None => Some(None),
            Some(value) => match value.as_u64() {
                Some(n) => Some(Some(n)),
                None => {
                    self.fail(at, format!("`{key}` must be a whole number of 0 or more"));
                    None
                }
            },
        }
    }
}

/// The JSON Schema of an object or array with its children's resolved sources and the closedness
/// that the reader imposes.
fn resolved_source(map: &Map<String, Value>, kind: &Kind) -> Value {
    let mut source: Map<String, Value> = map
        .iter()
        .filter(|(k, _)| !NOTES.contains(&k.as_str()))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    match kind {
        Kind::Object(rules) => {
            let properties = rules.properties.iter().map(|(k, s)| (k.clone(), s.source.clone()));
            source.insert("properties".to_owned(), Value::Object(properties.collect()));
            source.insert("additionalProperties".to_owned(), Value::Bool(false));
        }
        Kind::Array(rules) => {
            source.insert("items".to_owned(), rules.items.source.clone());
        }
        _ => {}
    }
    Value::Object(source)
}

/// Copies schemas with every local reference replaced by its target, within bounds.
struct Inliner<'a> {
    document: &'a Value,
    trail: Vec<String>,
    values: usize,
}

impl Inliner<'_> {
    fn inline(&mut self, schema: &Value, depth: usize) -> Result<Value, String> {
        self.values += 1;
        if depth > MAX_DEPTH * 2 {
            return Err("schema is nested too deep".to_owned());
        }
        if self.values > MAX_SCHEMAS {
            return Err(format!("schema leads to more than {MAX_SCHEMAS} values"));
        }
        match schema {
            Value::Object(map) => match map.get("$ref") {
                Some(reference) => self.follow(reference, depth),
                None => map
                    .iter()
                    .map(|(k, v)| self.inline(v, depth + 1).map(|v| (k.clone(), v)))
                    .collect::<Result<Map<_, _>, _>>()
                    .map(Value::Object),
            },
            Value::Array(items) => items
                .iter()
                .map(|v| self.inline(v, depth + 1))
                .collect::<Result<Vec<_>, _>>()
                .map(Value::Array),
            other => Ok(other.clone()),
        }
    }

    fn follow(&mut self, reference: &Value, depth: usize) -> Result<Value, String> {
        let pointer = reference
            .as_str()
            .and_then(|r| r.strip_prefix('#'))
            .ok_or("only local references `#/...` are read")?;
        if self.trail.iter().any(|seen| seen == pointer) {
            return Err(format!("reference `#{pointer}` is recursive"));
        }
        let document = self.document;
        let target = document
            .pointer(pointer)
            .ok_or_else(|| format!("reference `#{pointer}` leads nowhere"))?;
        self.trail.push(pointer.to_owned());
        let value = self.inline(target, depth + 1);
        self.trail.pop();
        value
    }
}
