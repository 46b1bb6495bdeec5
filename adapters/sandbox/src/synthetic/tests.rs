use std::time::Instant;

use sqlx::{Row as _, SqliteConnection};
use tempfile::TempDir;
use unicode_normalization::is_nfc;

use super::*;

async fn made(seed: u64, citizens: u32) -> (TempDir, SqliteConnection, Summary) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("city.db");
    let summary = generate(&path, seed, citizens).await.unwrap();
    let connection = open(&path).await.unwrap();
    (folder, connection, summary)
}

#[tokio::test]
async fn refuses_to_replace_a_file_of_another_program() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("other.db");
    let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    connection.execute("CREATE TABLE kept (x INTEGER)").await.unwrap();
    connection.close().await.unwrap();
    assert!(matches!(generate(&path, 1, 100).await, Err(Error::File { .. })));
    let mut connection = open(&path).await.unwrap();
    connection.execute("SELECT x FROM kept").await.unwrap();
}

#[tokio::test]
async fn makes_ten_thousand_people_in_a_few_seconds_and_replaces_its_own_file() {
    let (folder, connection, summary) = made(7, 100).await;
    assert_eq!(summary.citizens, 100);
    drop(connection);
    let begun = Instant::now();
    let summary = generate(&folder.path().join("city.db"), 7, 10_000).await.unwrap();
    assert_eq!(summary.citizens, 10_000);
    assert!(summary.births > 7_000 && summary.parcels > 1_500 && summary.events > 100);
    assert!(begun.elapsed().as_secs() < 20, "took {:?}", begun.elapsed());
}

#[tokio::test]
async fn the_same_seed_gives_the_same_city_and_another_gives_another() {
    let (_a, mut a, _) = made(7, 500).await;
    let (_b, mut b, _) = made(7, 500).await;
    let (_c, mut c, _) = made(8, 500).await;
    let mut all = Vec::new();
    for connection in [&mut a, &mut b, &mut c] {
        let query = "SELECT number || full_name || coalesce(birth_date, '') FROM citizens";
        let rows: Vec<String> = sqlx::query_scalar(query).fetch_all(connection).await.unwrap();
        all.push(rows);
    }
    assert_eq!(all[0], all[1]);
    assert_ne!(all[0], all[2]);
}

#[tokio::test]
async fn personal_numbers_agree_with_sex_and_year_and_are_marked_synthetic() {
    let (_folder, mut connection, _) = made(7, 2_000).await;
    let rows = sqlx::query("SELECT * FROM citizens").fetch_all(&mut connection).await.unwrap();
    let wards: Vec<&str> = wards().iter().map(|w| w.code).collect();
    assert_eq!(wards.len(), 168);
    for row in rows {
        let number: String = row.get("number");
        let (year, sex): (i64, i64) = (row.get("birth_year"), row.get("sex"));
        assert_eq!(number.len(), 12);
        let century = if year < 2000 { 0 } else { 2 };
        let digits: Vec<i64> = number.bytes().map(|b| i64::from(b - b'0')).collect();
        assert_eq!(digits[3], century + sex - 1);
        assert_eq!(digits[4] * 10 + digits[5], year % 100);
        assert_eq!(digits[6], 9);
        assert!(is_nfc(&row.get::<String, _>("full_name")));
        assert!(wards.contains(&row.get::<String, _>("ward").as_str()));
        let phone: Option<String> = row.get("phone");
        assert!(phone.is_none_or(|p| p.len() == 10 && p.starts_with("0599")));
    }
}

#[tokio::test]
async fn rows_of_the_outbox_are_legal_but_for_the_bad_and_the_repeated_ones() {
    let (_folder, mut connection, summary) = made(7, 500).await;
    let count = |query: &'static str| sqlx::query_scalar::<_, u32>(query);
    let distinct = count("SELECT count(DISTINCT event_id) FROM case_outbox");
    let distinct = distinct.fetch_one(&mut connection).await.unwrap();
    assert_eq!(summary.events, distinct + REPEATED_ROWS);
    let cases = count("SELECT count(DISTINCT case_code) FROM case_outbox");
    assert_eq!(cases.fetch_one(&mut connection).await.unwrap(), summary.cases + BAD_ROWS);
    let query = "SELECT DISTINCT applicant_ward FROM case_outbox WHERE applicant_ward IS NOT NULL";
    let wards: Vec<String> = sqlx::query_scalar(query).fetch_all(&mut connection).await.unwrap();
    assert!(old_wards().iter().any(|old| wards.iter().any(|ward| ward == old.code)));
}

#[tokio::test]
async fn people_to_ask_about_have_a_date_and_a_registration() {
    let (folder, _connection, _) = made(7, 500).await;
    let people = people(&folder.path().join("city.db"), 5).await.unwrap();
    assert_eq!(people.len(), 5);
    assert!(people.iter().all(|p| p.born.len() == 8 && p.registration.contains('-')));
}

#[tokio::test]
async fn the_other_systems_have_outboxes_too() {
    let (_folder, mut connection, summary) = made(7, 500).await;
    for (query, expected) in [
        ("SELECT count(DISTINCT event_id) FROM report_outbox", summary.reports),
        ("SELECT count(DISTINCT event_id) FROM civil_status_outbox", summary.registrations),
        ("SELECT count(DISTINCT event_id) FROM land_outbox", summary.changes),
    ] {
        let rows: u32 = sqlx::query_scalar(query).fetch_one(&mut connection).await.unwrap();
        assert_eq!((rows, rows), (expected, 12), "{query}");
    }
}
