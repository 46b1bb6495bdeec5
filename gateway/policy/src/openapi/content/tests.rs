use lienthong_model::{field::Pointer, mask::Mask};

use super::*;
use crate::{
    explain,
    fixture::{FILES_AGREEMENT, FILES_DOCUMENT, FILES_SERVICE, Files, facts},
    project_openapi,
};

fn pointer(text: &str) -> Pointer {
    text.parse().unwrap()
}

#[test]
fn reads_forms_parts_and_files() {
    let set = Files::with_files().set();
    let service = &set.services["dossier-files"];
    let body = service.operations["sendFiles"].request.as_ref().unwrap();
    assert_eq!(body.media, Media::Multipart);
    let leaves: Vec<String> = body.schema.leaves().iter().map(|(at, _)| at.to_string()).collect();
    assert_eq!(leaves, ["/more/*", "/note/noiDung", "/scan", "/sign", "/so"]);
    let types = |at: &str| match &body.schema.at(&pointer(at)).unwrap().kind {
        Kind::Opaque(types) => types.iter().copied().collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    assert_eq!(types("/scan"), [OpaqueType::Pdf, OpaqueType::Jpeg]);
    assert_eq!(types("/more/*"), [OpaqueType::Png]);
    assert_eq!(types("/sign"), [OpaqueType::Cms]);
    let Kind::Object(rules) = &body.schema.kind else { panic!("an object") };
    assert!(rules.required.contains("scan") && rules.required.contains("so"));
    let form = service.operations["askByForm"].request.as_ref().unwrap();
    assert_eq!(form.media, Media::Form);
    let answers = &service.operations["askByForm"].answers;
    assert_eq!((answers[&200].media, answers[&404].media), (Media::Opaque, Media::Json));
    let terms = &set.agreements["ward-dossier-files"].operations["sendFiles"].request_body;
    let Some(Mask::Opaque(terms)) = &terms[&pointer("/scan")] else { panic!("{terms:?}") };
    assert_eq!((terms.article.as_str(), terms.bytes), ("pdpl-2025#19.1.c", 5_242_880));
}

/// Asserts that each edit of the document is a mistake with its place in it.
#[track_caller]
fn refuses(edits: &[(&str, &str, &str)]) {
    for (from, to, problem) in edits {
        let found = Files::with_files().edit(FILES_DOCUMENT, from, to).mistakes();
        let here = found.iter().find(|m| m.contains(problem));
        let here = here.unwrap_or_else(|| panic!("{to}: {found:#?}"));
        assert!(here.starts_with(&format!("{FILES_DOCUMENT}:")), "{here}");
        assert!(!here.contains(".yaml:0:") && !here.contains(".yaml:1:1:"), "{here}");
    }
}

#[test]
fn refuses_media_types_that_no_codec_reads() {
    let form = "application/x-www-form-urlencoded:";
    refuses(&[
        ("application/pdf: {}", "text/html: {}", "must name exactly one media type"),
        ("application/pdf: {}", "application/pdf: {schema: {}}", "`schema` is not read"),
        ("image/png: {}\n", "application/json: {}\n", "or types of files only"),
        ("multipart/form-data:", "multipart/mixed:", "`multipart/mixed` is not available here"),
        (form, "text/plain:", "or a type of files"),
    ]);
}

#[test]
fn refuses_fields_that_a_form_cannot_hold() {
    let field = "nam: {type: array, items: {type: integer}}";
    let problem = "`nam` cannot stand in a form";
    refuses(&[
        (field, "nam: {type: object, properties: {x: {type: integer}}}", problem),
        (field, "nam: {oneOf: [{type: integer}]}", problem),
        (field, "nam: {type: array, items: {type: array, items: {type: integer}}}", problem),
    ]);
}

#[test]
fn refuses_files_of_types_that_are_not_recognised() {
    let scan = "scan: {description: The form as scanned.}";
    let types = "application/pdf, image/jpeg";
    let sign = "application/pkcs7-signature}";
    refuses(&[
        (scan, "scan: {contentMediaType: text/html}", "name different types"),
        (scan, "scan: {contentMediaType: image/png}", "name different types"),
        (types, "application/pdf, text/html", "`text/html` is not a type of file"),
        (types, "application/xml", "`application/xml` is not a type of file"),
        (sign, "text/plain}", "`text/plain` is not a type of file"),
        (
            sign,
            "application/pkcs7-signature, contentEncoding: base64}",
            "`contentEncoding` is not read",
        ),
        (sign, "application/pkcs7-signature, type: object}", "no `type` but `string`"),
        (
            "maxItems: 3, items: {type: string",
            "uniqueItems: true, items: {type: string",
            "is not read",
        ),
    ]);
}

#[test]
fn refuses_parts_that_cannot_be_told_apart() {
    let note = "note: {type: object, properties: {noiDung: {type: string, maxLength: 100}}}";
    let nested = "note: {type: array, items: {type: array, items: {type: string}}}";
    let encoding = "note: {contentType: application/json}";
    let root = "    HoSo:\n      type: object\n";
    refuses(&[
        ("contentType: \"application/pdf, image/jpeg\"", "style: form", "`style` is not read"),
        (encoding, "note: {contentType: text/plain}", "expected `application/json`"),
        (encoding, "nnote: {contentType: application/json}", "did you mean `note`?"),
        (note, &note.replace("note", "ghi chú"), "cannot be the name of a part"),
        (note, nested, "cannot be a part"),
        (root, &format!("{root}      maxProperties: 3\n"), "must be an object of its parts"),
    ]);
}

#[test]
fn refuses_services_that_say_otherwise() {
    for (from, to, problem) in [
        ("request: multipart", "request: json", "expected `multipart`"),
        ("answer: opaque", "answer: json", "expected `opaque`"),
        ("/: basic", "/: none", "at least basic"),
        ("{/: basic}", "{}", "`/` of `askByForm` (a field of answer 200) is not classified"),
        ("        /scan: {sensitive: credential}\n", "", "`/scan` of `sendFiles`"),
        ("effect: reads\n    answer: whole", "effect: reads\n    answer: stream", "never a stream"),
    ] {
        let found = Files::with_files().edit(FILES_SERVICE, from, to).mistakes();
        assert!(found.iter().any(|m| m.contains(problem)), "{to}: {found:#?}");
    }
}

#[test]
fn refuses_agreements_that_pass_files_without_terms() {
    for (from, to, problem) in [
        (
            "{opaque: {article: \"pdpl-2025#19.1.c\", bytes: 5242880}}",
            "pass",
            "which never just passes",
        ),
        (
            "{opaque: {article: \"pdpl-2025#19.1.c\", bytes: 5242880}}",
            "redact",
            "mask `redact` needs",
        ),
        (
            "/so: pass\n",
            "/so: {opaque: {article: \"pdpl-2025#19.1.c\", bytes: 1}}\n",
            "needs a file",
        ),
        (
            "pdpl-2025#19.1.c\", bytes",
            "pdpl-2025#19.1.d\", bytes",
            "did you mean `pdpl-2025#19.1.c`?",
        ),
        ("pdpl-2025#19.1.c\", bytes", "pdpl-2025#9\", bytes", "which `legal_bases` lacks"),
        ("bytes: 5242880", "bytes: 8000001", "the service's limit is 8000000 bytes"),
        ("bytes: 5242880", "bytes: 0", "a count from 1"),
        (", bytes: 5242880", "", "expected `article` and `bytes`"),
        (
            "      /scan: {opaque: {article: \"pdpl-2025#19.1.c\", bytes: 5242880}}\n",
            "",
            "the provider needs `/scan`",
        ),
    ] {
        let found = Files::with_files().edit(FILES_AGREEMENT, from, to).mistakes();
        let here = found.iter().find(|m| m.contains(problem));
        let here = here.unwrap_or_else(|| panic!("{to}: {found:#?}"));
        assert!(here.starts_with(&format!("{FILES_AGREEMENT}:")), "{here}");
    }
}

#[test]
fn shows_files_in_the_projected_document() {
    let set = Files::with_files().set();
    let opened: Vec<_> =
        set.agreements["ward-dossier-files"].operations.values().map(AsRef::as_ref).collect();
    let document = project_openapi(&set.services["dossier-files"], &opened);
    let content = &document["paths"]["/ho-so"]["post"]["requestBody"]["content"];
    let expected = json!({
        "scan": {
            "x-lienthong-mask": "opaque: pdpl-2025#19.1.c, at most 5242880 bytes",
            "description": "The form as scanned.",
        },
        "more": {"type": "array", "maxItems": 3, "items": {
            "contentMediaType": "image/png",
            "x-lienthong-mask": "opaque: sector-law#whole, at most 100000 bytes",
        }},
        "so": {"type": "string", "format": "citizen-number"},
    });
    let body = &content["multipart/form-data"];
    assert_eq!(body["schema"]["properties"], expected);
    assert_eq!(body["schema"]["required"], json!(["scan", "so"]));
    let encoding = json!({
        "more": {"contentType": "image/png"},
        "scan": {"contentType": "application/pdf, image/jpeg"},
    });
    assert_eq!(body["encoding"], encoding);
    let ask = &document["paths"]["/ho-so/tra-cuu"]["post"];
    let form = &ask["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"];
    assert_eq!(form["properties"], json!({"so": {"type": "string", "format": "citizen-number"}}));
    let mask = json!({"x-lienthong-mask": "opaque: sector-law#whole, at most 1000000 bytes"});
    let answer = &ask["responses"]["200"]["content"];
    assert_eq!(answer, &json!({"application/pdf": mask, "image/png": mask}));
}

#[test]
fn explains_on_what_terms_a_file_passes() {
    let set = Files::with_files().set();
    let agreement = "ward-dossier-files".parse().unwrap();
    let text = |operation: &str| {
        explain(&set, &agreement, &operation.parse().unwrap(), &facts()).to_string()
    };
    let sent = text("sendFiles");
    assert!(sent.contains("/scan") && sent.contains("opaque: pdpl-2025#19.1.c"), "{sent}");
    assert!(text("askByForm").contains("opaque: sector-law#whole, at most 1000000 bytes"));
}
