use tempfile::TempDir;

use super::*;
use crate::{
    synthetic,
    testing::{answer_schema, assert_valid, send},
};

const CIVIL: &str = include_str!("../../../../schemas/services/v1/civil-status.yaml");
const HEALTH: &str = include_str!("../../../../schemas/services/v1/health-book.yaml");
const LAND: &str = include_str!("../../../../schemas/services/v1/land-registration.yaml");

fn settings(database: PathBuf) -> CitySettings {
    CitySettings { listen: Listen::loopback(), database, health_records: 3_000 }
}

async fn city() -> (TempDir, CityHandle, PathBuf) {
    let folder = TempDir::new().unwrap();
    let database = folder.path().join("city.db");
    synthetic::generate(&database, 3, 400).await.unwrap();
    let settings = settings(database.clone());
    (folder, City::start(settings).await.unwrap(), database)
}

async fn get(city: &CityHandle, path: &str) -> (u16, Value) {
    let got = send(city.addr, "GET", path, None).await.unwrap();
    (got.status, got.json())
}

#[tokio::test]
async fn refuses_to_start_without_a_database() {
    let settings = settings("nowhere.db".into());
    assert!(matches!(City::start(settings).await, Err(Error::File { .. })));
}

#[tokio::test]
async fn unknown_numbers_are_not_found_in_the_words_of_the_schema() {
    let (_folder, city, _) = city().await;
    let (status, body) = get(&city, "/ho-tich/khai-sinh?soDinhDanh=079000000000").await;
    assert_eq!(status, 404);
    assert_valid(&answer_schema(CIVIL, "/ho-tich/khai-sinh", "get", "404"), &body);
    let (status, body) = get(&city, "/dat-dai/thua-dat/w3gvk1td8xyz").await;
    assert_eq!(status, 404);
    assert_valid(&answer_schema(LAND, "/dat-dai/thua-dat/{maThuaDat}", "get", "404"), &body);
}

#[tokio::test]
async fn every_record_is_of_the_schema() {
    let (_folder, city, database) = city().await;
    let birth = answer_schema(CIVIL, "/ho-tich/khai-sinh", "get", "200");
    let extract = answer_schema(CIVIL, "/ho-tich/khai-sinh/{soDangKy}", "get", "200");
    let marriage = answer_schema(CIVIL, "/ho-tich/tinh-trang-hon-nhan", "get", "200");
    for person in synthetic::people(&database, 100).await.unwrap() {
        let number = &person.number;
        let (_, record) = get(&city, &format!("/ho-tich/khai-sinh?soDinhDanh={number}")).await;
        assert_valid(&birth, &record);
        assert_eq!(record["HoVaTen"], person.name);
        assert_eq!(record["DanToc"], person.ethnicity);
        let path = format!("/ho-tich/khai-sinh/{}", person.registration);
        let (_, same) = get(&city, &path).await;
        assert_valid(&extract, &same);
        assert_eq!(same, record);
        let path = format!("/ho-tich/tinh-trang-hon-nhan?soDinhDanh={number}");
        assert_valid(&marriage, &get(&city, &path).await.1);
    }
}

#[tokio::test]
async fn a_parcel_is_the_same_by_either_key_and_knows_its_owner() {
    let (_folder, city, database) = city().await;
    let pool = database::open(&database).await.unwrap();
    let keys: Vec<(String, String, i64, i64, String)> = sqlx::query_as(
        "SELECT p.geohash, p.ward, p.sheet, p.parcel, o.number FROM parcels p
         JOIN parcel_owners o ON o.geohash = p.geohash LIMIT 40",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    let schema = answer_schema(LAND, "/dat-dai/thua-dat", "get", "200");
    let confirmation = answer_schema(LAND, "/dat-dai/xac-nhan-chu-su-dung", "post", "200");
    for (geohash, ward, sheet, parcel, owner) in keys {
        let (_, one) = get(&city, &format!("/dat-dai/thua-dat/{geohash}")).await;
        assert_valid(&schema, &one);
        let (_, two) = get(&city, &format!("/dat-dai/thua-dat/{ward}-{sheet}-{parcel}")).await;
        let query = format!("maXa={ward}&soHieuToBanDo={sheet}&soThuTuThua={parcel}");
        let (_, three) = get(&city, &format!("/dat-dai/thua-dat?{query}")).await;
        assert_eq!((&one, &one), (&two, &three));
        for (number, holds) in [(owner.as_str(), true), ("079000000000", false)] {
            let body = json!({"MaThuaDat": geohash, "SoDinhDanh": number});
            let path = "/dat-dai/xac-nhan-chu-su-dung";
            let answer = send(city.addr, "POST", path, Some(&body)).await.unwrap().json();
            assert_valid(&confirmation, &answer);
            assert_eq!(answer["LaChuSuDung"], holds);
        }
    }
}

#[tokio::test]
async fn drift_adds_a_field_that_the_schema_does_not_know() {
    let (_folder, city, database) = city().await;
    let person = synthetic::people(&database, 1).await.unwrap().remove(0);
    let path = format!("/ho-tich/khai-sinh?soDinhDanh={}", person.number);
    let schema = answer_schema(CIVIL, "/ho-tich/khai-sinh", "get", "200");
    for fault in [crate::Fault::Drift, crate::Fault::Breakage] {
        city.faults.set("civil-status", fault);
        assert!(!schema.is_valid(&get(&city, &path).await.1));
    }
    city.faults.clear();
    assert!(schema.is_valid(&get(&city, &path).await.1));
}

#[tokio::test]
async fn a_health_book_is_of_the_schema_and_of_the_person() {
    let (_folder, city, database) = city().await;
    let schema = answer_schema(HEALTH, "/so-suc-khoe", "get", "200");
    for person in synthetic::people(&database, 100).await.unwrap() {
        let path = format!("/so-suc-khoe?soDinhDanh={}", person.number);
        let (status, book) = get(&city, &path).await;
        assert_eq!((status, &book["HoVaTen"]), (200, &json!(person.name)));
        assert_valid(&schema, &book);
        assert_eq!(get(&city, &path).await.1, book);
    }
    let (status, body) = get(&city, "/so-suc-khoe?soDinhDanh=079000000000").await;
    assert_eq!(status, 404);
    assert_valid(&answer_schema(HEALTH, "/so-suc-khoe", "get", "404"), &body);
}

#[tokio::test]
async fn summaries_of_all_come_a_line_each_and_those_of_a_ward_in_a_document() {
    let (_folder, city, _) = city().await;
    let line = answer_schema(HEALTH, "/so-suc-khoe/trich-xuat", "get", "200");
    let got = send(city.addr, "GET", "/so-suc-khoe/trich-xuat", None).await.unwrap();
    assert_eq!(got.headers["content-type"], "application/x-ndjson");
    assert!(!got.headers.contains_key("content-length"));
    let text = String::from_utf8(got.body).unwrap();
    let lines: Vec<Value> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(lines.len(), 3_000);
    lines.iter().for_each(|one| assert_valid(&line, one));

    let document = answer_schema(HEALTH, "/so-suc-khoe/danh-sach", "get", "200");
    let (_, ward) = get(&city, "/so-suc-khoe/danh-sach?maPhuongXa=26740").await;
    assert_valid(&document, &ward);
    let of_ward = lines.into_iter().filter(|one| one["MaPhuongXa"] == "26740");
    assert_eq!(ward["HoSo"], of_ward.collect::<Value>());
}

#[tokio::test]
async fn a_stream_drifts_or_breaks_where_it_is_told_to() {
    let (_folder, city, _) = city().await;
    city.faults.set("trich-xuat", crate::Fault::DriftAfter(1_000));
    let got = send(city.addr, "GET", "/so-suc-khoe/trich-xuat", None).await.unwrap();
    let text = String::from_utf8(got.body).unwrap();
    let drifted = text.lines().position(|line| line.contains(crate::fault::DRIFT_FIELD));
    assert_eq!((drifted, text.lines().count()), (Some(1_000), 3_000));
    city.faults.set("trich-xuat", crate::Fault::BreakAfter(1_000));
    assert!(send(city.addr, "GET", "/so-suc-khoe/trich-xuat", None).await.is_none());
}
