//! Verdict, body and counts equal those of the reference, for any schema, masks and body.

use lienthong_disclosure::{Bounds, Direction, Tally, View};
use lienthong_model::schema::Schema;
use proptest::prelude::*;
use serde_json::Value;

use crate::{
    config,
    generate::{self, Masks},
    pseudonyms,
    reference::{self, Reference},
};

const BOUNDS: Bounds = Bounds { max_bytes: 1 << 20, max_depth: 12 };

#[derive(Debug, Clone)]
struct Case {
    source: Value,
    masks: Masks,
    body: String,
}

fn read(source: &Value) -> Schema {
    Schema::read(source, source, "").expect("a schema that can be read")
}

fn case(often_passes: bool) -> impl Strategy<Value = Case> {
    generate::schema().prop_flat_map(move |source| {
        let masks = generate::masks(&read(&source), often_passes);
        let body = generate::body(&source);
        (Just(source), masks, body).prop_map(|(source, masks, body)| Case { source, masks, body })
    })
}

/// A masked body of ours and its tally, without drift.
fn ours(view: &View, body: &str) -> Option<(Vec<u8>, Tally)> {
    let mut out = Vec::new();
    let tally = view.disclose(body.as_bytes(), &pseudonyms(), &mut out);
    if tally.is_err() {
        assert!(out.is_empty(), "a violation leaves nothing behind");
    }
    Some((out, Tally { drift: Vec::new(), ..tally.ok()? }))
}

fn agrees(case: &Case, direction: Direction) -> Result<(), TestCaseError> {
    let schema = read(&case.source);
    let Ok(view) = View::compile(&schema, &case.masks, direction, BOUNDS) else {
        return Ok(());
    };
    let reference = Reference { schema: &schema, masks: &case.masks, direction };
    let expected = reference::parse(case.body.as_bytes(), BOUNDS.max_depth)
        .and_then(|value| reference.disclose(&value));
    let found = ours(&view, &case.body);
    let found_value = found.as_ref().map(|(out, tally)| {
        let value: Value = serde_json::from_slice(out).expect("what is disclosed is JSON");
        (value, tally.clone())
    });
    prop_assert_eq!(&found_value, &expected);
    if let Some((out, _)) = found {
        prop_assert!(!has_blanks(&out), "white space could carry data");
        prop_assert!(out.len() <= case.body.len() + 64 * 64);
    }
    Ok(())
}

fn has_blanks(json: &[u8]) -> bool {
    let mut in_string = false;
    let mut escaped = false;
    for byte in json {
        if in_string {
            in_string = escaped || *byte != b'"';
            escaped = !escaped && *byte == b'\\';
        } else if byte.is_ascii_whitespace() {
            return true;
        } else {
            in_string = *byte == b'"';
        }
    }
    false
}

proptest! {
    #![proptest_config(config(256))]

    #[test]
    fn an_answer_agrees_with_the_reference(case in case(false)) {
        agrees(&case, Direction::Answer)?;
    }

    #[test]
    fn a_request_agrees_with_the_reference(case in case(true)) {
        agrees(&case, Direction::Request)?;
    }

    #[test]
    fn a_wholly_disclosed_request_passes_when_the_jsonschema_crate_says_so(case in case(true)) {
        let schema = read(&case.source);
        let masks = schema.leaves().into_iter().map(|(at, _)| (at, None)).collect();
        // Refused only where an object without any field is required.
        let Ok(view) = View::compile(&schema, &masks, Direction::Request, BOUNDS) else {
            return Ok(());
        };
        let tree = reference::parse(case.body.as_bytes(), BOUNDS.max_depth);
        let valid = tree.as_ref().filter(|tree| reference::validator(&schema.source).is_valid(tree));
        prop_assert_eq!(ours(&view, &case.body).is_some(), valid.is_some());
    }

    #[test]
    fn what_was_disclosed_is_disclosed_again_unchanged(case in case(true)) {
        let schema = read(&case.source);
        let masks: Masks = case.masks.into_iter().filter(|(_, mask)| mask.is_none()).collect();
        let Ok(view) = View::compile(&schema, &masks, Direction::Answer, BOUNDS) else {
            return Ok(());
        };
        let Some((once, first)) = ours(&view, &case.body) else { return Ok(()) };
        let again = ours(&view, std::str::from_utf8(&once).expect("UTF-8"));
        let Some((twice, second)) = again else { return Err(TestCaseError::fail("refused")) };
        prop_assert_eq!(once, twice);
        prop_assert_eq!(first.disclosed, second.disclosed);
        prop_assert_eq!((second.dropped, second.undeclared), (0, 0));
    }
}

#[test]
fn the_generators_reach_every_outcome() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let (mut passed, mut refused, mut masked, mut drifted, mut compiled) = (0, 0, 0, 0, 0);
    for _ in 0..300 {
        let case = case(false).new_tree(&mut runner).expect("a case").current();
        let schema = read(&case.source);
        let view = View::compile(&schema, &case.masks, Direction::Answer, BOUNDS);
        let Ok(view) = view else { continue };
        compiled += 1;
        match ours(&view, &case.body) {
            Some((_, tally)) => {
                passed += 1;
                masked += u32::from(tally.masked > 0);
                drifted += u32::from(tally.undeclared > 0);
            }
            None => refused += 1,
        }
    }
    let reached = [compiled > 200, passed > 60, refused > 30, masked > 15, drifted > 5];
    assert_eq!(reached, [true; 5], "{compiled} {passed} {refused} {masked} {drifted}");
}
