use super::*;

#[test]
fn refuses_what_is_not_the_type_it_says() {
    for (media, bytes) in [
        ("application/pdf", b"<html>".as_slice()),
        ("text/html", b"%PDF-1.7"),
        ("image/png", b"%PDF-1.7"),
        ("", b"%PDF-1.7"),
    ] {
        assert_eq!(examine(media, bytes), Err(FILE_TYPE), "{media}");
    }
    assert_eq!(examine("application/pdf", b""), Err(FILE_SIZE));
    let mut long = b"%PDF-1.7".to_vec();
    long.resize(LONGEST + 1, 0);
    assert_eq!(examine("application/pdf", &long), Err(FILE_SIZE));
}

#[test]
fn the_same_content_is_the_same_file() {
    let (mut files, mut ledger) = (Files::default(), Ledger::default());
    for _ in 0..2 {
        let file = examine("application/pdf; x=y", b"%PDF-1.7 a").unwrap();
        files.take(&file, 10, &mut ledger).unwrap();
        assert_eq!(files.length_of(&file.sha256), Some(10));
    }
    let other = examine("application/pdf", b"%PDF-1.7 b").unwrap();
    files.take(&other, 10, &mut ledger).unwrap();
    assert_eq!((files.len(), ledger.repeated), (2, 1));
}
