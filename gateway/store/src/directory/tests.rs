use std::os::unix::fs::PermissionsExt as _;

use tempfile::TempDir;

use super::*;

#[test]
fn refuses_a_directory_that_is_owned() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("data");
    let owner = Directory::own(&path).unwrap();
    assert!(matches!(Directory::own(&path), Err(DirectoryError::InUse)));
    drop(owner);
    Directory::own(&path).unwrap();
}

#[test]
fn nobody_else_can_read_the_directory_and_its_files() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("data");
    let _owner = Directory::own(&path).unwrap();
    let file = path.join("x.db");
    private_file(&file).unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(&file)), (0o700, 0o600));
}
