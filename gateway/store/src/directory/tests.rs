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
fn refuses_a_file_that_holds_no_name_and_leaves_it() {
    let folder = TempDir::new().unwrap();
    let directory = Directory::own(folder.path()).unwrap();
    let long = "a".repeat(DIGITS + 1);
    for text in ["", "\n", "0123", &long, &"G".repeat(DIGITS), &format!("{long}\n")] {
        std::fs::write(folder.path().join(NAME), text).unwrap();
        let error = directory.name().unwrap_err();
        assert!(error.to_string().contains("`name`"), "{error}");
        assert_eq!(std::fs::read_to_string(folder.path().join(NAME)).unwrap(), *text);
    }
    std::fs::write(folder.path().join(NAME), [0xff; DIGITS]).unwrap();
    directory.name().unwrap_err();
}

#[test]
fn a_directory_keeps_its_name_which_no_other_has() {
    let (one, two) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    // Left by a process that ended before its name had its place.
    std::fs::write(one.path().join(NEW_NAME), "half").unwrap();
    let directory = Directory::own(one.path()).unwrap();
    let name = directory.name().unwrap();
    assert_eq!(directory.name().unwrap(), name);
    drop(directory);
    assert_eq!(Directory::own(one.path()).unwrap().name().unwrap(), name);
    assert_ne!(Directory::own(two.path()).unwrap().name().unwrap(), name);
    assert!(!one.path().join(NEW_NAME).exists());
    let mode = std::fs::metadata(one.path().join(NAME)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
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
