use super::*;

fn folders() -> (tempfile::TempDir, std::path::PathBuf, std::path::PathBuf) {
    let dir = tempfile::tempdir().expect("temp dir");
    let (policies, schemas) = (dir.path().join("p"), dir.path().join("s"));
    fs::create_dir_all(policies.join("agreements")).expect("folder");
    fs::create_dir_all(&schemas).expect("folder");
    (dir, policies, schemas)
}

#[test]
fn tells_every_file_that_cannot_be_read() {
    let (_dir, policies, schemas) = folders();
    fs::write(policies.join("bad.yaml"), [0xff, 0xfe]).expect("write");
    fs::write(schemas.join("large.yaml"), vec![b'a'; document::MAX_BYTES + 1]).expect("write");
    let found = Bundle::read(&policies, &schemas).expect_err("two mistakes");
    let all: Vec<String> = found.sorted().iter().map(ToString::to_string).collect();
    assert_eq!(all.len(), 2, "{all:?}");
    assert_eq!(all[0], "policies/bad.yaml: is not UTF-8");
    assert!(all[1].starts_with("schemas/large.yaml: file is larger"), "{}", all[1]);
}

#[test]
fn refuses_a_folder_that_is_not_there() {
    let (dir, policies, _) = folders();
    let found = Bundle::read(&policies, &dir.path().join("none")).expect_err("missing");
    assert_eq!(found.len(), 1);
}

#[test]
fn names_files_below_their_folder_and_passes_over_hidden_ones() {
    let (_dir, policies, schemas) = folders();
    fs::write(policies.join("agreements/a.yaml"), "id: a").expect("write");
    fs::write(policies.join(".hidden"), "x").expect("write");
    fs::write(schemas.join("b.yaml"), "b: 1").expect("write");
    let bundle = Bundle::read(&policies, &schemas).expect("reads");
    assert_eq!(bundle.text("policies/agreements/a.yaml"), Some("id: a"));
    assert_eq!(bundle.below("policies/").count(), 1);
    assert_eq!(bundle.below("schemas/").count(), 1);
}
