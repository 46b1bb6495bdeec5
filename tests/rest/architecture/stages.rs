//! The data path: one file per stage, and no file that is not a stage.

use std::collections::BTreeSet;

use super::tree;

const FOLDER: &str = "gateway/src/pipeline/";

/// The stages that `gateway/src/pipeline.rs` declares.
fn declared() -> BTreeSet<String> {
    let files = tree::files();
    let pipeline = files.iter().find(|file| file.path == "gateway/src/pipeline.rs");
    let pipeline = pipeline.expect("gateway/src/pipeline.rs");
    pipeline
        .text
        .lines()
        .filter_map(|line| {
            let rest =
                line.strip_prefix("pub mod ").or_else(|| line.strip_prefix("pub(crate) mod "));
            let rest = rest.or_else(|| line.strip_prefix("mod ")).unwrap_or_default();
            rest.strip_suffix(';').map(str::to_owned)
        })
        .filter(|name| name != "tests")
        .collect()
}

#[test]
fn every_stage_is_one_file_and_every_file_a_stage() {
    let files: BTreeSet<String> = tree::files()
        .iter()
        .filter_map(|file| file.path.strip_prefix(FOLDER)?.strip_suffix(".rs").map(str::to_owned))
        .filter(|name| !name.contains('/') && name != "tests")
        .collect();
    assert_eq!(declared(), files);
}

#[test]
fn a_stage_has_the_function_of_its_name() {
    for stage in declared() {
        let path = format!("{FOLDER}{stage}.rs");
        let files = tree::files();
        let file = files.iter().find(|file| file.path == path).expect("the file of the stage");
        assert!(
            file.text.contains(&format!("fn {stage}("))
                || file.text.contains(&format!("fn {stage}<")),
            "{path} has no function `{stage}`"
        );
    }
}

#[test]
fn the_architecture_page_names_every_stage() {
    let files = tree::files();
    let page = files.iter().find(|file| file.path == "gateway/docs/architecture.md");
    let page = page.expect("gateway/docs/architecture.md");
    for stage in declared() {
        assert!(page.text.contains(&format!("`{stage}`")), "architecture.md omits `{stage}`");
    }
}
