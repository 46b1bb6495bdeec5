use std::fs;

use tempfile::TempDir;

use super::*;
use crate::{
    config::SourceKind,
    source::{
        Source,
        testing::{at, drain, flow, keys},
    },
};

struct Drop {
    folder: TempDir,
    config: CsvConfig,
}

impl Drop {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let config = CsvConfig {
            folder: folder.path().to_owned(),
            key: "event".to_owned(),
            delimiter: b',',
            encoding: Encoding::Utf8,
            line_bytes: 300,
            file_bytes: 10_000,
        };
        Self { folder, config }
    }

    fn put(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.folder.path().join(name), content).unwrap();
    }

    fn files(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path().join(folder)).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    async fn open(&self) -> Result<Source, SourceError> {
        Source::open(&flow(SourceKind::Csv(self.config.clone()), None)).await
    }

    async fn refused(&self) -> String {
        self.open().await.unwrap_err().to_string()
    }
}

#[tokio::test]
async fn refuses_a_file_that_is_not_as_the_flow_says() {
    let folder = Drop::new();
    folder.put("a.csv", "event,code\n1,A\n");
    assert!(folder.refused().await.contains("`a.csv` has no column `case_code`"));
    folder.put("a.csv", "event,case_code,event\n1,A,2\n");
    assert!(folder.refused().await.contains("has column `event` twice"));
    folder.put("a.csv", "\u{feff}event,case_code\n1,A\n");
    assert!(folder.refused().await.contains("begins with a byte order mark"));
    folder.put("a.csv", "");
    assert!(folder.refused().await.contains("has no header"));
    folder.put("a.csv", vec![b'x'; 10_001]);
    assert!(folder.refused().await.contains("larger than `file_megabytes` allows"));
}

#[tokio::test]
async fn a_broken_line_is_unusable_alone_and_named_by_file_and_line() {
    let folder = Drop::new();
    let long = "x".repeat(400);
    folder.put(
        "a.csv",
        format!("event,case_code\n1,A\n2\n3,\"A\n4,A\n{long}\n,A\n\n5,\"A \"\"quoted\"\"\nsecond\"\n6,a\"b"),
    );
    let source = folder.open().await.unwrap();
    let (rows, _) = drain(&source, None, 2, at(0)).await;
    assert_eq!(keys(&rows), ["1", "a.csv:3", "a.csv:4", "4", "a.csv:6", "a.csv:7", "5", "6"]);
    let why: Vec<_> = rows.iter().filter_map(|row| row.unusable).collect();
    assert_eq!(
        why,
        [
            "line has another number of values than the header",
            "quote is not closed",
            "line is too long",
            "row has no key"
        ]
    );
    assert_eq!(rows[6].text("case_code").as_deref(), Some("A \"quoted\"\nsecond"));
    assert_eq!(rows[7].text("case_code").as_deref(), Some("a\"b"));
    let again = source.with_keys(&["a.csv:3".to_owned(), "5".to_owned(), "9".to_owned()]).await;
    assert_eq!(keys(&again.unwrap()), ["a.csv:3", "5"]);
}

#[tokio::test]
async fn a_quote_that_never_closes_costs_one_line() {
    let folder = Drop::new();
    let rest: String = (0..200).map(|n| format!("{n},A\n")).collect();
    folder.put("a.csv", format!("event,case_code\nx,\"A\n{rest}"));
    let (rows, _) = drain(&folder.open().await.unwrap(), None, 50, at(0)).await;
    assert_eq!((rows.len(), rows[0].unusable.is_some(), rows[1].key.as_str()), (201, true, "0"));
    assert!(rows[1..].iter().all(|row| row.unusable.is_none()));
}

#[tokio::test]
async fn reads_files_by_name_puts_them_away_when_durable_and_leaves_what_is_being_written() {
    let folder = Drop::new();
    folder.put("b.csv", "case_code,event\nA,3\n");
    folder.put("a.csv", "event,case_code,other\r\n1,A,x\r\n2,A,y\r\n");
    folder.put("0.csv.part", "event,case");
    folder.put("0.tmp", "event,case");
    let source = folder.open().await.unwrap();
    let first = source.next(None, 1, at(0)).await.unwrap();
    assert_eq!(keys(&first.rows), ["1"]);
    let second = source.next(first.mark.as_ref(), 9, at(0)).await.unwrap();
    assert_eq!(keys(&second.rows), ["2"]);
    assert_eq!(folder.files("done"), [""; 0], "the mark behind it is not durable yet");
    // Another process goes on.
    let source = folder.open().await.unwrap();
    let third = source.next(second.mark.as_ref(), 9, at(0)).await.unwrap();
    assert_eq!(keys(&third.rows), ["3"]);
    assert_eq!(folder.files("done"), ["a.csv"]);
    let nothing = source.next(third.mark.as_ref(), 9, at(0)).await.unwrap();
    assert!(nothing.rows.is_empty() && !nothing.more && nothing.mark.is_none());
    assert_eq!(folder.files("done"), ["a.csv", "b.csv"]);
    assert_eq!(folder.files(""), ["0.csv.part", "0.tmp", "done"]);
    assert!(first.rows[0].position < second.rows[0].position);
}

#[tokio::test]
async fn tells_a_name_that_comes_again_with_another_content_and_takes_the_same_content() {
    let folder = Drop::new();
    folder.put("a.csv", "event,case_code\n1,A\n");
    let source = folder.open().await.unwrap();
    let (_, mark) = drain(&source, None, 9, at(0)).await;
    folder.put("a.csv", "event,case_code\n1,A\n");
    let (again, next) = drain(&source, mark.clone(), 9, at(0)).await;
    let mark = next.or(mark);
    // It was read and only goes to the others.
    assert_eq!((again.len(), folder.files("")), (0, vec!["done".to_owned()]));
    folder.put("a.csv", "event,case_code\n2,A\n");
    let told = source.next(mark.as_ref(), 9, at(0)).await.unwrap_err().to_string();
    assert_eq!(told, "file `a.csv` has the name of a file that was read and another content");
}

#[tokio::test]
async fn tells_a_file_that_is_changed_or_taken_away_while_it_is_read() {
    let folder = Drop::new();
    folder.put("a.csv", "event,case_code\n1,A\n2,A\n");
    let source = folder.open().await.unwrap();
    let mark = source.next(None, 1, at(0)).await.unwrap().mark;
    folder.put("a.csv", "event,case_code\n1,A\n2,A\n3,A\n");
    let told = source.next(mark.as_ref(), 1, at(0)).await.unwrap_err().to_string();
    assert!(told.contains("was changed while"), "{told}");
    fs::remove_file(folder.folder.path().join("a.csv")).unwrap();
    let told = source.next(mark.as_ref(), 1, at(0)).await.unwrap_err().to_string();
    assert!(told.contains("was taken away while"), "{told}");
}

#[tokio::test]
async fn finds_the_newest_row_of_a_key_and_pages_through_all_keys() {
    let folder = Drop::new();
    folder.put("a.csv", "event,case_code\n1,A\n2,A\n");
    let source = folder.open().await.unwrap();
    let (_, mark) = drain(&source, None, 9, at(0)).await;
    assert_eq!(
        source.with_keys(&["1".to_owned()]).await.unwrap()[0].text("case_code").unwrap(),
        "A"
    );
    folder.put("b.csv", "event,case_code\n3,A\n1,B\n");
    let (_, mark) = drain(&source, mark, 9, at(0)).await;
    assert_eq!(
        source.with_keys(&["1".to_owned()]).await.unwrap()[0].text("case_code").unwrap(),
        "B"
    );
    let page = source.keys(None, 3).await.unwrap();
    assert_eq!(page.keys, ["1", "2", "3"]);
    let page = source.keys(page.next.as_deref(), 3).await.unwrap();
    assert_eq!((page.keys, page.next), (vec!["1".to_owned()], None));
    // From the oldest position that is remembered, as the comparison asks.
    let oldest = source.with_keys(&["2".to_owned()]).await.unwrap()[0].position.to_string();
    assert_eq!(source.keys(Some(&oldest), 9).await.unwrap().keys.len(), 4);
    let later = i64::MAX.to_string();
    assert_eq!(source.keys(Some(&later), 9).await.unwrap().keys.len(), 0);
    let mark = source.again(mark.as_ref(), Some("a.csv")).await.unwrap();
    assert_eq!(keys(&drain(&source, Some(mark.clone()), 1, at(0)).await.0), ["3", "1"]);
    let all = source.again(Some(&mark), None).await.unwrap();
    assert_eq!(keys(&drain(&source, Some(all), 1, at(0)).await.0), ["1", "2", "3", "1"]);
}

#[tokio::test]
async fn keeps_bytes_of_older_encodings_apart_from_texts() {
    let mut folder = Drop::new();
    folder.put("a.csv", b"event,case_code\n1,H\xE5 ch\xDD Minh\n2,Hue\n");
    let (rows, _) = drain(&folder.open().await.unwrap(), None, 9, at(0)).await;
    assert!(matches!(rows[0].cell("case_code"), Cell::Bytes(_)));
    folder.config.encoding = Encoding::Tcvn3;
    let source = folder.open().await.unwrap();
    let rows = source.with_keys(&["1".to_owned(), "2".to_owned()]).await.unwrap();
    assert!(matches!(rows[0].cell("case_code"), Cell::Bytes(_)));
    assert_eq!(rows[1].text("case_code").as_deref(), Some("Hue"));
}
