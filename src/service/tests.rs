use super::*;

#[test]
fn the_document_is_named_by_its_path_below_the_schemas() {
    for (path, below) in [
        ("schemas/services/v1/a.yaml", Some("services/v1/a.yaml")),
        ("x/schemas/y/schemas/a.json", Some("a.json")),
        ("a.yaml", None),
        ("schemas", None),
        ("schemas/../a.yaml", None),
    ] {
        assert_eq!(below_schemas(Path::new(path)).as_deref(), below, "{path}");
    }
}

#[test]
fn a_document_that_is_too_large_is_not_read_whole() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("a.yaml");
    fs::write(&path, vec![b'a'; document::MAX_BYTES + 10]).expect("written");
    assert_eq!(read_document(&path).expect("read").len(), document::MAX_BYTES + 1);
}
