use jiff::SignedDuration;
use serde_json::json;

use super::*;

fn answer(status: u16, reason: &str) -> Received {
    Received {
        status,
        is_problem: true,
        is_json: false,
        retry_after: Some(SignedDuration::from_secs(7)),
        body: json!({"reason": reason}).to_string().into_bytes(),
    }
}

fn named(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Delivered | Outcome::Receipted(_) => "delivered",
        Outcome::Refused(_) => "refused",
        Outcome::Withheld(_) => "withheld",
        Outcome::Failed(_) => "failed",
        Outcome::Unknown(_) => "unknown",
        Outcome::Unavailable(_, wait) => {
            assert_eq!(*wait, Some(SignedDuration::from_secs(7)));
            "unavailable"
        }
        Outcome::Uncertain(_, wait) => {
            assert_eq!(*wait, Some(SignedDuration::from_secs(7)));
            "uncertain"
        }
    }
}

/// The rule by the code's own name, written down a second time and in another way.
fn expected(code: &str) -> &'static str {
    let registry = [
        "unknown",
        "state",
        "no_agreement",
        "notice",
        "representative_required",
        "account_level",
        "own_favour",
        "collector",
    ];
    match code.split_once('.').unwrap() {
        ("consent", what) if registry.contains(&what) => "refused",
        ("consent", _) => "withheld",
        ("disclosure" | "policy", _) => "refused",
        ("agreement", "officer_required" | "dossier_required") => "refused",
        ("request", "path" | "method" | "timeout") => "unavailable",
        ("request", _) => "refused",
        ("evidence", "unavailable") | ("agreement", "changed") => "uncertain",
        ("gateway", "internal" | "stopping") => "uncertain",
        ("provider", "unreachable" | "busy") => "unavailable",
        ("provider", _) | ("consumer", "gone") => "unknown",
        ("consumer" | "quota" | "service" | "purpose" | "agreement" | "facts", _) => "unavailable",
        ("operator" | "gateway", _) => "unavailable",
        other => panic!("{other:?} has no place"),
    }
}

#[test]
fn every_reason_of_the_gateway_has_its_place() {
    for code in Code::ALL {
        let outcome = of_refusal(&answer(code.status(), code.as_str()));
        assert_eq!(named(&outcome), expected(code.as_str()), "{code}");
    }
}

#[test]
fn nothing_that_can_have_been_taken_counts_as_not_taken() {
    let before: Vec<&str> = Code::ALL
        .iter()
        .filter(|code| ["unavailable", "refused", "withheld"].contains(&expected(code.as_str())))
        .map(|code| code.as_str())
        .collect();
    for after in ["provider.timeout", "provider.interrupted", "evidence.unavailable"] {
        assert!(!before.contains(&after));
    }
}

#[test]
fn a_code_that_is_new_means_what_its_status_says() {
    for (status, meaning) in [
        (400, "refused"),
        (401, "unavailable"),
        (403, "unavailable"),
        (404, "unavailable"),
        (422, "refused"),
        (429, "unavailable"),
        (500, "unknown"),
        (502, "unknown"),
        (503, "uncertain"),
        (504, "unknown"),
    ] {
        assert_eq!(named(&of_refusal(&answer(status, "thing.new"))), meaning, "{status}");
        let mut bare = answer(status, "thing.new");
        bare.is_problem = false;
        assert_eq!(named(&of_refusal(&bare)), meaning, "{status}");
    }
}
