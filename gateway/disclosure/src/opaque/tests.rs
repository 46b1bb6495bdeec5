use serde_json::json;

use super::*;
use crate::opaque::recognise::recognise;

fn png() -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0crc.".to_vec();
    file.extend_from_slice(b"\0\0\0\x02IDATabcrc.\0\0\0\0IEND\xae\x42\x60\x82");
    file
}

/// An archive of empty files with these names.
fn zip(names: &[&str]) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for name in names {
        let length = u16::try_from(name.len()).unwrap().to_le_bytes();
        let offset = u32::try_from(file.len()).unwrap().to_le_bytes();
        file.extend_from_slice(b"PK\x03\x04");
        file.extend_from_slice(&[0; 22]);
        file.extend_from_slice(&length);
        file.extend_from_slice(&[0; 2]);
        file.extend_from_slice(name.as_bytes());
        directory.extend_from_slice(b"PK\x01\x02");
        directory.extend_from_slice(&[0; 24]);
        directory.extend_from_slice(&length);
        directory.extend_from_slice(&[0; 12]);
        directory.extend_from_slice(&offset);
        directory.extend_from_slice(name.as_bytes());
    }
    let count = u16::try_from(names.len()).unwrap().to_le_bytes();
    let size = u32::try_from(directory.len()).unwrap().to_le_bytes();
    let start = u32::try_from(file.len()).unwrap().to_le_bytes();
    file.extend_from_slice(&directory);
    file.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    for part in [&count[..], &count, &size, &start, &[0, 0]] {
        file.extend_from_slice(part);
    }
    file
}

fn cms() -> Vec<u8> {
    let mut file =
        b"\x30\x81\x91\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x81\x83\x30\x81\x80"
            .to_vec();
    file.extend_from_slice(&[5; 128]);
    file
}

const PDF: &[u8] = b"%PDF-1.7\n1 0 obj\nstartxref\n9\n%%EOF\n";
const JPEG: &[u8] = b"\xff\xd8\xff\xe0\0\x10JFIF\0...\xff\xd9";
const TIFF: &[u8] = b"II*\0\x08\0\0\0\x01\0abcdefghijkl\0\0\0\0";

#[test]
fn recognises_whole_files() {
    let docx = ["[Content_Types].xml", "word/document.xml"];
    for (file, expected) in [
        (PDF.to_vec(), OpaqueType::Pdf),
        (JPEG.to_vec(), OpaqueType::Jpeg),
        (png(), OpaqueType::Png),
        (TIFF.to_vec(), OpaqueType::Tiff),
        (b"MM\0*\0\0\0\x0a__\0\x01abcdefghijkl".to_vec(), OpaqueType::Tiff),
        (zip(&["a"]), OpaqueType::Zip),
        (zip(&docx), OpaqueType::Docx),
        (zip(&["xl/workbook.xml", "[Content_Types].xml"]), OpaqueType::Xlsx),
        (zip(&[docx[0], docx[1], "word/vbaProject.bin"]), OpaqueType::Zip),
        (cms(), OpaqueType::Cms),
    ] {
        assert_eq!(recognise(&file), Some(expected));
    }
}

#[test]
fn recognises_nothing_in_a_file_that_is_cut_or_goes_on() {
    let late = [b"%PDF-1.7\n%%EOF".to_vec(), vec![b' '; 1_100]].concat();
    assert_eq!(recognise(&late), None);
    for file in [png(), zip(&["a", "b"]), cms(), JPEG.to_vec()] {
        for length in 0..file.len() {
            assert_eq!(recognise(&file[..length]), None, "{length}");
        }
        assert_eq!(recognise(&[&file[..], b"<html>"].concat()), None);
        assert_eq!(recognise(&[b"\n", &file[..]].concat()), None);
    }
    for length in 0..22 {
        assert_eq!(recognise(&TIFF[..length]), None, "{length}");
    }
    assert_eq!(recognise(b"II*\0\x04\0\0\0\x01\0abcdefghijkl"), None, "a directory in the head");
}

#[test]
fn recognises_no_text_and_no_program() {
    for file in [
        &b""[..],
        b"<html><script>alert(1)</script></html>",
        b"<?xml version=\"1.0\"?><a/>",
        b"{}",
        b"plain",
        b"MZ\x90\0\x03\0\0\0",
        b"\x7fELF\x02\x01\x01",
        b"%!PS-Adobe-3.0",
        b"GIF89a\x01\0\x01\0",
        b" %PDF-1.7\n%%EOF",
        b"%PDF-x.7\n%%EOF",
        b"#!/bin/sh\n%PDF-1.7\n%%EOF",
    ] {
        assert_eq!(recognise(file), None, "{}", String::from_utf8_lossy(file));
    }
}

#[test]
fn an_archive_hides_nothing_before_between_or_after() {
    let good = zip(&["a"]);
    assert!(recognise(&good).is_some());
    let mut commented = good.clone();
    let length = commented.len();
    commented[length - 2] = 3;
    commented.extend_from_slice(b"abc");
    assert_eq!(recognise(&commented), Some(OpaqueType::Zip));
    let mut shifted = good.clone();
    shifted.splice(31..31, *b"MZ hidden");
    assert_eq!(recognise(&shifted), None, "bytes that no entry owns");
    let mut twice = good.clone();
    twice[length - 2] = 22;
    twice.extend_from_slice(&good[length - 22..]);
    assert_eq!(recognise(&twice), None, "two directories");
    let mut late = good;
    late[31 + 42] = 1;
    assert_eq!(recognise(&late), None, "no file where the archive begins");
}

fn masks(mask: &serde_json::Value) -> BTreeMap<Pointer, Option<Mask>> {
    let mask = (mask != "pass").then(|| Mask::parse(mask).unwrap());
    [(Pointer::root(), mask)].into()
}

fn schema() -> Schema {
    Schema::opaque([OpaqueType::Pdf, OpaqueType::Zip].into())
}

const BOUNDS: Bounds = Bounds { max_bytes: 400, max_depth: 1 };

fn view(bytes: u64) -> OpaqueView {
    let terms = masks(&json!({"opaque": {"article": "pdpl-2025#19.1.c", "bytes": bytes}}));
    OpaqueView::compile(&schema(), &terms, Direction::Answer, BOUNDS).unwrap()
}

#[test]
fn tells_what_passed() {
    let (media_type, tally) = view(100).disclose("Application/PDF", PDF).unwrap();
    let [file] = tally.opaque.as_slice() else { panic!("one file") };
    assert_eq!((media_type, file.media_type), (OpaqueType::Pdf, OpaqueType::Pdf));
    assert_eq!((file.at.to_string().as_str(), file.bytes), ("", PDF.len() as u64));
    assert_eq!(file.sha256, *digest(&SHA256, PDF).as_ref());
    assert_eq!((tally.disclosed, tally.masked, tally.dropped), (1, 0, 0));
    let docx = zip(&["[Content_Types].xml", "word/document.xml"]);
    let (media_type, _) = view(400).disclose("application/zip", &docx).unwrap();
    assert_eq!(media_type, OpaqueType::Zip, "a document is an archive, if that is said");
}

#[test]
fn refuses_a_file_that_is_not_what_it_says() {
    let zip = zip(&["a"]);
    for (says, file) in [
        ("application/pdf", &zip[..]),
        ("application/zip", PDF),
        ("application/pdf", b"<html></html>"),
        ("application/pdf", b"MZ\x90\0"),
        ("application/pdf", b""),
        ("text/html", PDF),
        ("image/png", PDF),
        ("application/octet-stream", PDF),
        ("", PDF),
        ("application/pdf, application/zip", PDF),
    ] {
        let found = view(400).disclose(says, file).unwrap_err();
        assert_eq!(found.kind, ViolationKind::MediaType, "{says}");
    }
    let png = png();
    let found = view(400).disclose("image/png", &png).unwrap_err();
    assert_eq!(found.kind, ViolationKind::MediaType, "a type that is not allowed");
}

#[test]
fn bounds_a_file_by_terms_and_service() {
    let length = PDF.len() as u64;
    assert!(view(length).disclose("application/pdf", PDF).is_ok());
    let found = view(length - 1).disclose("application/pdf", PDF).unwrap_err();
    assert_eq!(found.kind, ViolationKind::TooLarge);
    let large = [PDF, &[b' '; 400]].concat();
    assert_eq!(
        view(10_000).disclose("application/pdf", &large).unwrap_err().kind,
        ViolationKind::TooLarge
    );
}

#[test]
fn passes_a_file_on_terms_only() {
    let problem = |schema: &Schema, masks: &BTreeMap<Pointer, Option<Mask>>| {
        let errors = OpaqueView::compile(schema, masks, Direction::Answer, BOUNDS).unwrap_err();
        assert_eq!(errors.len(), 1, "{errors:?}");
        errors[0].problem.clone()
    };
    assert_eq!(problem(&schema(), &masks(&json!("pass"))), ViewProblem::NoTerms);
    assert_eq!(problem(&schema(), &masks(&json!("drop"))), ViewProblem::NothingPasses);
    assert_eq!(problem(&schema(), &BTreeMap::new()), ViewProblem::NothingPasses);
    assert!(matches!(problem(&schema(), &masks(&json!("redact"))), ViewProblem::Mask(_)));
    let text = Schema::read(&json!({}), &json!({"type": "string"}), "").unwrap();
    let terms = masks(&json!({"opaque": {"article": "a#1", "bytes": 1}}));
    assert_eq!(problem(&text, &terms), ViewProblem::NoFile);
    let view = crate::View::compile(&schema(), &terms, Direction::Answer, BOUNDS);
    assert_eq!(view.unwrap_err()[0].problem, ViewProblem::Opaque);
}
