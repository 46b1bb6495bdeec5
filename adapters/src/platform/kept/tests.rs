use std::os::unix::fs::PermissionsExt as _;

use tempfile::TempDir;

use super::*;

#[test]
fn a_file_that_is_too_large_is_not_read() {
    let folder = TempDir::new().unwrap();
    let kept = Kept::open(folder.path()).unwrap();
    kept.write("a", b"12345").unwrap();
    assert!(kept.read("a", 4).is_err());
    assert_eq!(kept.read("a", 5).unwrap().unwrap(), b"12345");
    assert_eq!(kept.read("b", 5).unwrap(), None);
}

#[test]
fn what_a_crash_left_half_written_is_removed_and_never_seen() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join(".part-1-0"), b"half").unwrap();
    let kept = Kept::open(folder.path()).unwrap();
    assert!(!folder.path().join(".part-1-0").exists());
    kept.write("whole", b"1").unwrap();
    kept.write("whole", b"2").unwrap();
    assert_eq!(kept.names().unwrap(), ["whole"]);
    assert_eq!(kept.read("whole", 9).unwrap().unwrap(), b"2");
    kept.remove("whole").unwrap();
    kept.remove("whole").unwrap();
    assert!(!kept.has("whole").unwrap());
}

#[test]
fn only_the_owner_may_read_folder_and_files() {
    let folder = TempDir::new().unwrap();
    let inner = folder.path().join("kept");
    Kept::open(&inner).unwrap().write("a", b"1").unwrap();
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&inner), 0o700);
    assert_eq!(mode(&inner.join("a")), 0o600);
}

#[test]
fn names_of_different_things_differ() {
    assert_ne!(name_of(&["ab", "c"]), name_of(&["a", "bc"]));
    assert_eq!(name_of(&["a"]).len(), 64);
    assert_eq!(hex(&[0, 15, 255]), "000fff");
}

#[test]
fn what_was_written_long_ago_is_removed() {
    let folder = TempDir::new().unwrap();
    let kept = Kept::open(folder.path()).unwrap();
    kept.write("a", b"1").unwrap();
    let written = folder.path().join("a").metadata().unwrap().modified().unwrap();
    let written = Timestamp::try_from(written).unwrap();
    kept.remove_before(written).unwrap();
    assert!(kept.has("a").unwrap());
    kept.remove_before(written + jiff::SignedDuration::from_secs(1)).unwrap();
    assert!(!kept.has("a").unwrap());
}
