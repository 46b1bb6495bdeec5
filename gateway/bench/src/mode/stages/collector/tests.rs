use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};

use super::*;

#[test]
fn spans_are_kept_by_name() {
    let span = |name: &str, start_time_unix_nano, end_time_unix_nano| Span {
        name: name.to_owned(),
        parent_span_id: if name == "GET /x" { vec![] } else { vec![1; 8] },
        start_time_unix_nano,
        end_time_unix_nano,
        ..Span::default()
    };
    let spans = vec![
        span("GET /x", 1, 20),
        span("decide", 10, 12),
        span("route", 3, 4),
        span("decide", 5, 6),
    ];
    let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
    let resource_spans = vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }];
    let mut kept = Spans::new();
    keep(&ExportTraceServiceRequest { resource_spans }.encode_to_vec(), &mut kept);
    keep(b"no message", &mut kept);
    let wanted = [(ROOT, vec![19]), ("decide", vec![2, 1]), ("route", vec![1])];
    assert_eq!(kept, wanted.map(|(name, nanos)| (name.to_owned(), nanos)));
}
