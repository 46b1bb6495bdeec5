use super::*;

fn named(text: &'static str, media: Media) -> bool {
    is_named(&HeaderValue::from_static(text), media)
}

#[test]
fn a_type_is_named_with_utf_8_or_without_a_charset() {
    let form = "application/x-www-form-urlencoded";
    for (text, media) in [
        ("application/json", Media::Json),
        ("Application/JSON ; charset=UTF-8", Media::Json),
        ("application/x-ndjson; charset=\"utf-8\"", Media::Ndjson),
        (form, Media::Form),
        ("application/x-www-form-urlencoded;charset=utf-8", Media::Form),
        ("multipart/form-data; boundary=x", Media::Multipart),
        ("application/pdf", Media::Opaque),
    ] {
        assert!(named(text, media), "{text}");
    }
    for (text, media) in [
        ("application/json; charset=latin1", Media::Json),
        ("application/json; boundary=x", Media::Json),
        ("application/jsonp", Media::Json),
        ("text/json", Media::Json),
        (form, Media::Json),
        ("application/json", Media::Form),
        ("application/x-www-form-urlencoded; charset=utf-16", Media::Form),
        ("multipart/mixed; boundary=x", Media::Multipart),
        ("", Media::Form),
    ] {
        assert!(!named(text, media), "{text}");
    }
}

#[test]
fn a_body_must_say_what_it_is_where_its_view_depends_on_it() {
    use lienthong_model::{id::ParticipantId, opaque::OpaqueTerms, sensitive::Sensitive};
    let consumer: ParticipantId = "H29.40".parse().unwrap();
    let pseudonyms = Pseudonymiser::new(Sensitive::new([1; 32]), &consumer, "2026");
    let terms = OpaqueTerms { article: "a#1".to_owned(), bytes: 100 };
    let masks = [(Pointer::root(), Some(Mask::Opaque(terms)))].into();
    let schema = Schema::opaque([lienthong_model::opaque::OpaqueType::Pdf].into());
    let answer = (Direction::Answer, Bounds::default());
    let view = BodyView::compile(Media::Opaque, &schema, &masks, answer).unwrap();
    let body = Bytes::from_static(b"%PDF-1.7\n%%EOF");
    let pdf = HeaderValue::from_static("application/pdf");
    let passed = view.disclose(Some(&pdf), &body, &pseudonyms).unwrap();
    assert_eq!((passed.body, passed.content_type), (body.clone(), pdf.clone()));
    assert_eq!(passed.tally.opaque.len(), 1);
    assert_eq!(view.fields(Some(&pdf), &body).unwrap().as_ref(), b"{}");
    for other in [None, Some(HeaderValue::from_static("text/plain"))] {
        let violation = view.disclose(other.as_ref(), &body, &pseudonyms).unwrap_err();
        assert_eq!(violation.kind, ViolationKind::MediaType);
    }
}
