//! The records of the benchmark as streams: NDJSON, and the array of one answer.
//!
//! In: the templates of the service whose answers are whole. Out: the files of a second service
//! with the same fields, classes and masks, so that figures of both can be compared.

use std::collections::BTreeMap;

use super::{CONSUMER, DOCUMENT, SERVICE, agreement};

/// The service.
pub(crate) const ID: &str = "streams";

const OPERATIONS: &str = "operations:\n";
const COMPONENTS: &str = "components:\n";

/// Each element counts as a person, and no officer may ask about a million in an hour.
const HOURLY: &str = "  subjects_per_officer_hour: 100000\n  not_found_share: 0.9\n";
const STREAMED: &str = "  elements_per_stream: 1000000000\n";

/// The files of the streaming service, by name.
pub(super) fn files() -> BTreeMap<String, String> {
    let agreement = twice(&agreement("bench-streams", CONSUMER.0, ID, ("1000", "1000")), |text| {
        text.to_owned()
    });
    BTreeMap::from([
        ("schemas/services/v1/streams.yaml".to_owned(), document()),
        (format!("policies/services/{ID}.yaml"), service()),
        ("policies/agreements/bench-streams.yaml".to_owned(), agreement.replace(HOURLY, STREAMED)),
    ])
}

/// A file whose one operation becomes two: of the array, and of lines, whose fields have no array
/// around them.
fn twice(text: &str, array: impl Fn(&str) -> String) -> String {
    let (head, operation) = text.split_once(OPERATIONS).unwrap_or((text, ""));
    let of_array = array(&operation.replace("listRecords", "listArray"));
    let of_lines = array(&operation.replace("listRecords", "listLines"))
        .replace("    elements: /data\n", "")
        .replace("answer: json}", "answer: ndjson}")
        .replace(" /data/*/", " /");
    let is_total = |line: &&str| !line.trim_start().starts_with("/tong:");
    let of_lines: String = of_lines.split_inclusive('\n').filter(is_total).collect();
    format!("{head}{OPERATIONS}{of_array}{of_lines}")
}

fn service() -> String {
    let text = SERVICE
        .replacen("id: records", &format!("id: {ID}"), 1)
        .replacen("service: records", &format!("service: {ID}"), 1)
        .replacen("services/v1/records.yaml", "services/v1/streams.yaml", 1);
    twice(&text, |operation| {
        operation
            .replace("answer: whole\n", "answer: stream\n    elements: /data\n")
            .replace("{answer_bytes: 4194304}", "{elements: 100000000}")
    })
}

fn document() -> String {
    let text = DOCUMENT.replace("maximum: 4096", "maximum: 100000000");
    let (head, rest) = text.split_once("  /records:\n").unwrap_or((&text, ""));
    let (path, components) = rest.split_once(COMPONENTS).unwrap_or((rest, ""));
    let of_array = path.replace("listRecords", "listArray");
    let of_lines = path.replace("listRecords", "listLines");
    let (of_lines, _) = of_lines.split_once("            application/json:\n").unwrap_or_default();
    format!(
        "{head}  /array:\n{of_array}  /lines:\n{of_lines}            application/x-ndjson:\n              \
         schema: {{$ref: \"#/components/schemas/Record\"}}\n{COMPONENTS}{components}"
    )
}
