use std::os::unix::fs::symlink;

use tempfile::TempDir;

use super::*;

const PDF: &[u8] = b"%PDF-1.7\nmau\n%%EOF";

fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    let path = folder.path();
    std::fs::create_dir_all(path.join("scans/2026")).unwrap();
    std::fs::write(path.join("secret.pdf"), PDF).unwrap();
    std::fs::write(path.join("scans/2026/a.pdf"), PDF).unwrap();
    std::fs::write(path.join("scans/page.html"), b"<html>").unwrap();
    std::fs::write(path.join("scans/empty.pdf"), b"").unwrap();
    symlink("../secret.pdf", path.join("scans/link.pdf")).unwrap();
    symlink("..", path.join("scans/up")).unwrap();
    folder
}

fn look(folder: &TempDir, path: &str, most: u64) -> Result<Scan, FileError> {
    read(&folder.path().join("scans"), path, &[OpaqueType::Png, OpaqueType::Pdf], most)
}

#[test]
fn a_path_that_leaves_the_folder_or_goes_over_a_link_is_refused() {
    let folder = folder();
    for path in [
        "../secret.pdf",
        "2026/../../secret.pdf",
        "/etc/passwd",
        "link.pdf",
        "up/secret.pdf",
        "",
        ".",
        "2026//a.pdf",
        "./2026/a.pdf",
    ] {
        assert_eq!(look(&folder, path, 1_000), Err(FileError::Path), "{path}");
    }
    let long = "a/".repeat(20) + "b";
    assert_eq!(look(&folder, &long, 1_000), Err(FileError::Path));
}

#[test]
fn a_file_is_sent_only_when_its_bytes_are_of_a_type_that_is_sent() {
    let folder = folder();
    assert_eq!(look(&folder, "page.html", 1_000), Err(FileError::Kind));
    assert_eq!(look(&folder, "2026", 1_000), Err(FileError::Kind));
    assert_eq!(look(&folder, "empty.pdf", 1_000), Err(FileError::Size));
    assert_eq!(look(&folder, "2026/a.pdf", 4), Err(FileError::Size));
    assert_eq!(look(&folder, "2026/b.pdf", 1_000), Err(FileError::Missing));
    let scan = look(&folder, "2026/a.pdf", 1_000).unwrap();
    assert_eq!((scan.media, &scan.bytes[..]), (OpaqueType::Pdf, PDF));
}

#[test]
fn every_type_is_known_by_its_beginning() {
    for (media, bytes) in [
        (OpaqueType::Jpeg, &[0xFF, 0xD8, 0xFF, 0xE0][..]),
        (OpaqueType::Png, b"\x89PNG\r\n\x1A\n.."),
        (OpaqueType::Tiff, b"II*\0.."),
        (OpaqueType::Tiff, b"MM\0*.."),
        (OpaqueType::Docx, b"PK\x03\x04.."),
        (OpaqueType::Cms, &[0x30, 0x82]),
    ] {
        assert!(begins_as(media, bytes), "{media}");
        assert!(!begins_as(media, b"<html>"), "{media}");
    }
}
