use crate::fixture::{DOCUMENT, Files, SERVICE};

#[test]
fn refuses_what_the_data_path_cannot_check() {
    for (from, to, problem) in [
        ("openapi: 3.1.0", "openapi: 3.0.3", "must be a version 3.1"),
        ("paths:", "servers: []\npaths:", "stand in the gateway's configuration"),
        ("      operationId: getBirthRecord\n", "", "`operationId` is missing"),
        ("    get:\n", "    head: {}\n    get:\n", "`head` is not read"),
        ("    get:\n", "    options: {}\n    get:\n", "`options` is not read"),
        ("    get:\n", "    trace: {}\n    get:\n", "`trace` is not read"),
        ("in: header", "in: cookie", "cookies do not pass"),
        ("name: maDonVi, in: header", "name: X-Road-UserId, in: header", "belongs to the protocol"),
        (", schema: {type: string, pattern: \"^[A-Z0-9.]+$\"}", "", "every parameter is typed"),
        (
            "in: query, schema: {type: array",
            "in: query, explode: false, schema: {type: array",
            "joined",
        ),
        (
            "in: query, schema: {type: array",
            "in: query, style: pipeDelimited, schema: {type: array",
            "style",
        ),
        ("in: query, schema: {type: array", "in: header, schema: {type: array", "only a query"),
        ("items: {type: integer}", "items: {type: object}", "never null"),
        (
            "\"#/components/schemas/KhaiSinh\"",
            "\"khai-sinh.yaml#/KhaiSinh\"",
            "only local references",
        ),
        ("#/components/schemas/KhaiSinh", "#/components/schemas/KhaiSnih", "leads nowhere"),
        ("application/json:", "application/xml:", "is not available here"),
        ("\"404\": {$ref", "default: {$ref", "not one status of three digits"),
        ("\"404\": {$ref", "\"302\": {$ref", "never passes"),
        ("type: array, maxItems: 9", "type: array, maxItmes: 9", "keyword `maxItmes`"),
        ("in: path, required: true", "in: path", "must be required"),
        ("/ghi-chu/{so}", "/ghi-chu/{id}", "path parameter `id` is not declared"),
        ("/ho-tich/ghi-chu/{so}", "/ho-tich/{so}", "can match the same request"),
        ("/ho-tich/ghi-chu/{so}", "/ho-tich/ghi-chu-{so}", "as a whole or not at all"),
        ("/ho-tich/ghi-chu/{so}", "/ho-tich//{so}", "is empty"),
        ("/ho-tich/ghi-chu/{so}", "/ho-tich/../{so}", "dot segment"),
        ("/ho-tich/ghi-chu/{so}", "/ho-tich/%2e/{so}", "must be letters"),
        ("operationId: sendNote", "operationId: getBirthRecord", "is used twice"),
        ("{title: Hộ tịch, version: 1.0.0}", "{title: Hộ tịch}", "needs a text `version`"),
    ] {
        let found = Files::new().edit(DOCUMENT, from, to).mistakes();
        let here = found.iter().find(|m| m.contains(problem));
        let here = here.unwrap_or_else(|| panic!("{to}: {found:#?}"));
        assert!(here.starts_with(&format!("{DOCUMENT}:")), "{here}");
    }
}

#[test]
fn refuses_a_body_where_the_method_has_none() {
    let found = Files::new().edit(DOCUMENT, "    post:\n", "    delete:\n").mistakes();
    assert!(found.iter().any(|m| m.contains("a DELETE request has no body")), "{found:#?}");
}

#[test]
fn tells_the_place_of_a_mistake_inside_a_schema() {
    let files = Files::new().edit(
        DOCUMENT,
        "format: citizen-number, description",
        "format: cccd, description",
    );
    files.refused(&["civil-status.yaml:59:9:", "unknown format `cccd`"]);
}

#[test]
fn refuses_a_document_that_is_not_there() {
    let files = Files::new().edit(SERVICE, "v1/civil-status.yaml", "v1/civil-statu.yaml");
    files.refused(&["unknown document", "did you mean `services/v1/civil-status.yaml`?"]);
}
