//! Schemas, masks, and bodies that mostly fit them, spelt in every way JSON allows.

use std::collections::BTreeMap;

use lienthong_model::{
    field::Pointer,
    mask::{Generalisation, Mask},
    schema::Schema,
};
use proptest::{collection::vec, option::weighted, prelude::*, sample::select};
use serde_json::{Map, Value, json};

pub(crate) type Masks = BTreeMap<Pointer, Option<Mask>>;

const NAMES: &[&str] =
    &["a", "b", "HoVaTen", "SoDinhDanh", "Họ", "x y", "q\"", "s/h~", "\\", "DiaChi"];
const TEXTS: &[&str] = &[
    "",
    "a",
    "ab",
    "AB12",
    "Kinh",
    "Nguyễn Văn Ấn",
    "Ngu\u{79}e\u{302}\u{303}n",
    "12345678",
    "k\0\n\"\\/",
    "😀👨‍👩‍👧",
    "e\u{301}\u{302}\u{303}\u{304}",
    "***",
];

fn leaf() -> impl Strategy<Value = Value> {
    let counted = (0..4_u64, 0..12_u64)
        .prop_map(|(least, more)| json!({"minLength": least, "maxLength": least + more}));
    let text = prop_oneof![
        Just(json!({})),
        counted,
        Just(json!({"enum": ["Kinh", "Tày", "a"]})),
        select(&["date", "date-time", "uuid", "email", "citizen-number", "ward-code"][..])
            .prop_map(|format| json!({"format": format})),
        select(&["^\\d{8}$", "^\\d{14}$", "^[A-Z]{2}\\d+$", "^\\d+$", "a|ẫ", "^\\S+$"][..])
            .prop_map(|pattern| json!({"pattern": pattern})),
        Just(json!({"minLength": 8})),
    ];
    let number = prop_oneof![
        Just(json!({})),
        Just(json!({"minimum": 0})),
        Just(json!({"maximum": 59.5})),
        Just(json!({"minimum": -1, "maximum": 100})),
        Just(json!({"enum": [1, 2.5, 100]})),
    ];
    let typed = prop_oneof![
        6 => typed("string", text),
        2 => typed("integer", number.clone()),
        2 => typed("number", number),
        1 => typed("boolean", Just(json!({}))),
    ];
    let tree = select(vec![
        json!({"oneOf": [{"type": "integer"}, {"type": "string", "maxLength": 3}]}),
        json!({"type": "array", "items": {"type": "integer"}, "uniqueItems": true}),
        json!({"type": "integer", "multipleOf": 7}),
        json!({"anyOf": [{"type": "boolean"}, {"type": "string", "format": "ward-code"}]}),
    ]);
    prop_oneof![12 => typed, 1 => tree]
}

fn typed(
    name: &'static str,
    rules: impl Strategy<Value = Value> + 'static,
) -> impl Strategy<Value = Value> {
    (rules, weighted(0.2, Just(()))).prop_map(move |(mut rules, null)| {
        rules["type"] = if null.is_some() { json!([name, "null"]) } else { json!(name) };
        rules
    })
}

/// A schema whose root is an object or an array of objects.
pub(crate) fn schema() -> impl Strategy<Value = Value> {
    let value = leaf().prop_recursive(
        3,
        24,
        5,
        |inner| prop_oneof![2 => object(inner.clone()), 1 => array(inner)],
    );
    prop_oneof![5 => object(value.clone()), 1 => array(object(value))]
}

fn object(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    let property = (select(NAMES), inner, any::<bool>());
    (vec(property, 0..6), weighted(0.1, Just(()))).prop_map(|(list, null)| {
        let mut required: Vec<&str> =
            list.iter().filter(|(_, _, required)| *required).map(|(name, _, _)| *name).collect();
        required.sort_unstable();
        required.dedup();
        let properties: Map<String, Value> =
            list.iter().map(|(name, schema, _)| ((*name).to_owned(), schema.clone())).collect();
        let names = if null.is_some() { json!(["object", "null"]) } else { json!("object") };
        json!({"type": names, "properties": properties, "required": required})
    })
}

fn array(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    (inner, 0..2_u64, weighted(0.3, 2..5_u64)).prop_map(|(items, least, most)| {
        let mut schema = json!({"type": "array", "items": items, "minItems": least});
        if let Some(most) = most {
            schema["maxItems"] = json!(most);
        }
        schema
    })
}

/// Masks that fit the leaves of `schema`; `often_passes` leaves most of them unmasked.
pub(crate) fn masks(schema: &Schema, often_passes: bool) -> impl Strategy<Value = Masks> + use<> {
    let candidates = [
        Mask::Drop,
        Mask::Redact,
        Mask::KeepFirst(1),
        Mask::KeepLast(4),
        Mask::Generalise(Generalisation::Year),
        Mask::Generalise(Generalisation::Month),
        Mask::Generalise(Generalisation::Province),
        Mask::Generalise(Generalisation::Bands(vec![-1, 0, 18, 19, 60])),
        Mask::Pseudonymise,
        Mask::Null,
    ];
    let leaves = schema.leaves().into_iter().map(|(at, leaf)| {
        let fitting = candidates.iter().filter(|mask| mask.fits(leaf).is_ok());
        let mut choices: Vec<Option<Option<Mask>>> =
            fitting.cloned().map(|m| Some(Some(m))).collect();
        choices.push(None);
        let usual = Just(Some(None));
        let passes = if often_passes { 20 } else { 1 };
        (Just(at), prop_oneof![passes => usual, 2 => select(choices)])
    });
    leaves
        .collect::<Vec<_>>()
        .prop_map(|list| list.into_iter().filter_map(|(at, choice)| Some((at, choice?))).collect())
}

/// JSON text that mostly fits `schema`.
pub(crate) fn body(schema: &Value) -> BoxedStrategy<String> {
    let fitting = match kind(schema) {
        "object" => members(schema),
        "array" => {
            let items = body(schema.get("items").unwrap_or(&Value::Null));
            (vec(items, 0..4), blank())
                .prop_map(|(items, blank)| list('[', &items, blank, ']'))
                .boxed()
        }
        "string" => text(schema).prop_flat_map(spelt).boxed(),
        "integer" | "number" => number().boxed(),
        "boolean" => select(&["true", "false"][..]).prop_map(str::to_owned).boxed(),
        _ => prop_oneof![number(), spelt("25747".into()), Just("[1,2]".into()), Just("7".into())]
            .boxed(),
    };
    prop_oneof![40 => fitting, 1 => anything(), 1 => Just("null".to_owned())].boxed()
}

fn kind(schema: &Value) -> &str {
    match schema.get("type") {
        Some(Value::String(name)) if schema.get("uniqueItems").is_none() => name,
        Some(Value::Array(names)) => names.first().and_then(Value::as_str).unwrap_or_default(),
        _ => "",
    }
}

fn members(schema: &Value) -> BoxedStrategy<String> {
    let properties = schema.get("properties").and_then(Value::as_object);
    let declared = properties.into_iter().flatten().map(|(name, schema)| {
        let member = (spelt(name.clone()), body(schema));
        weighted(0.95, member.prop_map(|(name, value)| format!("{name}:{value}"))).boxed()
    });
    let name = prop_oneof![select(NAMES), select(&["la", "Lạ", "khac-1"][..])];
    let extra = (name.prop_flat_map(|name| spelt(name.to_owned())), anything())
        .prop_map(|(name, value)| format!("{name} : {value}"));
    let all: Vec<_> = declared.chain([weighted(0.06, extra).boxed()]).collect();
    (all.prop_map(|list| list.into_iter().flatten().collect::<Vec<_>>()).prop_shuffle(), blank())
        .prop_map(|(list_of, blank)| list('{', &list_of, blank, '}'))
        .boxed()
}

fn list(open: char, items: &[String], blank: &str, close: char) -> String {
    let comma = format!("{blank},{blank}");
    format!("{open}{blank}{}{blank}{close}", items.join(&comma))
}

fn blank() -> impl Strategy<Value = &'static str> {
    select(&["", "", " ", "\r\n\t"][..])
}

fn text(schema: &Value) -> BoxedStrategy<String> {
    let formatted: &[&str] = match schema.get("format").and_then(Value::as_str) {
        Some("date") => &["1990-05-17", "2000-02-29", "1900-02-29", "1990-5-17"],
        Some("date-time") => &["2026-11-21T08:30:00Z", "2016-12-31T23:59:60+00:00", "2026-11-21"],
        Some("uuid") => &["123e4567-e89b-12d3-a456-426614174000", "123e4567"],
        Some("email") => &["a@b.example", "a.b@c-d.example", "@b"],
        Some("citizen-number") => &["079090000001", "07909000000x"],
        Some("ward-code") => &["25747", "25750", "99999"],
        _ => match schema.get("pattern").and_then(Value::as_str) {
            Some("^\\d{8}$") => &["19900517", "99999999", "1990051"],
            Some("^\\d{14}$") => &["20261121083000", "20261121253000"],
            Some("^[A-Z]{2}\\d+$") => &["AB12", "HCM1234567"],
            Some("^\\d+$") => &["1", "1234567890", "٣"],
            Some(_) => &["a", "Nguyễn"],
            None if schema.get("enum").is_some() => &["Kinh", "Tày", "a"],
            None => TEXTS,
        },
    };
    prop_oneof![20 => select(formatted).prop_map(str::to_owned), 1 => select(TEXTS).prop_map(str::to_owned),
        1 => "\\PC{0,12}"]
    .boxed()
}

fn number() -> impl Strategy<Value = String> {
    let spellings = [
        "0",
        "1",
        "7",
        "17",
        "18",
        "59",
        "100",
        "-1",
        "-0",
        "1.0",
        "2.5",
        "1e2",
        "1E+2",
        "59.5",
        "100.0",
        "0.1e1",
        "12345678901234567890",
        "9007199254740993",
        "-1e-3",
        "1e400",
    ];
    prop_oneof![
        10 => (0..70_i64).prop_map(|n| n.to_string()),
        4 => select(spellings.map(str::to_owned).to_vec()),
    ]
}

/// `text` as a JSON string: plain, or with some or all characters escaped.
pub(crate) fn spelt(text: String) -> impl Strategy<Value = String> {
    (0..4_u8).prop_map(move |style| match style {
        0 | 1 => Value::from(text.as_str()).to_string(),
        style => escaped(&text, style == 2),
    })
}

/// `text` as a JSON string with every character escaped, or every other one.
pub(crate) fn escaped(text: &str, all: bool) -> String {
    let mut out = "\"".to_owned();
    for (at, character) in text.chars().enumerate() {
        if all || at % 2 == 0 {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04X}"));
            }
        } else {
            let plain = Value::from(character.to_string()).to_string();
            out.push_str(plain.get(1..plain.len() - 1).expect("a quoted text"));
        }
    }
    out.push('"');
    out
}

/// Any JSON value.
pub(crate) fn anything() -> BoxedStrategy<String> {
    let scalar = prop_oneof![
        select(&["null", "true", "false"][..]).prop_map(str::to_owned),
        number(),
        select(TEXTS).prop_flat_map(|text| spelt(text.to_owned())),
    ];
    scalar
        .prop_recursive(4, 16, 4, |inner| {
            let member =
                (select(NAMES).prop_flat_map(|name| spelt(name.to_owned())), inner.clone())
                    .prop_map(|(name, value)| format!("{name}:{value}"));
            prop_oneof![
                (vec(inner, 0..4), blank())
                    .prop_map(|(items, blank)| list('[', &items, blank, ']')),
                (vec(member, 0..4), blank())
                    .prop_map(|(items, blank)| list('{', &items, blank, '}')),
            ]
        })
        .boxed()
}
