use tempfile::TempDir;

use super::*;
use crate::{
    synthetic::{self, Person},
    testing::{Got, answer_schema, assert_valid, send},
};

const OPENAPI: &str = include_str!("../../../../schemas/services/v1/population-verification.yaml");

async fn population() -> (TempDir, PopulationHandle, Vec<Person>) {
    let folder = TempDir::new().unwrap();
    let database = folder.path().join("city.db");
    synthetic::generate(&database, 3, 400).await.unwrap();
    let people = synthetic::people(&database, 40).await.unwrap();
    let settings = PopulationSettings { listen: Listen::loopback(), database };
    (folder, Population::start(settings).await.unwrap(), people)
}

fn question(person: &Person, integration: &str) -> Value {
    json!({
        "MaYeuCau": "yc-1",
        "MaDVC": "VPCP",
        "MaTichHop": integration,
        "MaCanBo": "cb.01",
        "SoDinhDanh": person.number,
        "HoVaTen": person.name.to_uppercase(),
        "NgayThangNamSinh": {"NgayThangNam": person.born},
    })
}

async fn ask(population: &PopulationHandle, call: &str, body: &Value) -> Got {
    send(population.addr, "POST", &format!("/{call}"), Some(body)).await.unwrap()
}

#[tokio::test]
async fn refuses_without_an_officer_or_with_the_wrong_integration() {
    let (_folder, population, people) = population().await;
    let mut body = question(&people[0], "003");
    body["MaCanBo"] = json!("");
    assert_eq!(ask(&population, "XacThucThongTinCongDan", &body).await.status, 400);
    let body = question(&people[0], "003");
    assert_eq!(ask(&population, "TraCuuThongTinCongDan", &body).await.status, 404);
}

#[tokio::test]
async fn does_not_confirm_facts_that_differ() {
    let (_folder, population, people) = population().await;
    let schema = answer_schema(OPENAPI, "/XacThucThongTinCongDan", "post", "200");
    let mut other_name = question(&people[0], "003");
    other_name["HoVaTen"] = json!("NGUYEN VAN KHAC");
    let mut other_day = question(&people[0], "003");
    other_day["NgayThangNamSinh"] = json!({"NgayThangNam": "19000101"});
    let mut nobody = question(&people[0], "003");
    nobody["SoDinhDanh"] = json!("079000000000");
    for (body, exists) in [(other_name, true), (other_day, true), (nobody, false)] {
        let answer = ask(&population, "XacThucThongTinCongDan", &body).await.json();
        assert_valid(&schema, &answer);
        assert_eq!(answer["TonTai"], exists);
        assert_eq!(answer["KetQuaXacThuc"], false);
        let mut look_up = body;
        look_up["MaTichHop"] = json!("037");
        assert_eq!(ask(&population, "TraCuuThongTinCongDan", &look_up).await.status, 404);
    }
}

#[tokio::test]
async fn confirms_and_tells_in_the_words_of_the_schema() {
    let (_folder, population, people) = population().await;
    let verified = answer_schema(OPENAPI, "/XacThucThongTinCongDan", "post", "200");
    let record = answer_schema(OPENAPI, "/TraCuuThongTinCongDan", "post", "200");
    for person in &people {
        let body = question(person, "003");
        let answer = ask(&population, "XacThucThongTinCongDan", &body).await.json();
        assert_valid(&verified, &answer);
        assert_eq!(answer["KetQuaXacThuc"], true);
        let body = question(person, "037");
        let answer = ask(&population, "TraCuuThongTinCongDan", &body).await.json();
        assert_valid(&record, &answer);
        // As the real one: sensitive fields come with the record.
        assert_eq!(answer["CongDan"]["DanToc"], person.ethnicity);
    }
}

#[tokio::test]
async fn a_year_is_enough_when_only_it_is_sent() {
    let (_folder, population, people) = population().await;
    let mut body = question(&people[0], "003");
    let year: String = people[0].born.chars().take(4).collect();
    body["NgayThangNamSinh"] = json!({"Nam": year});
    let answer = ask(&population, "XacThucThongTinCongDan", &body).await.json();
    assert_eq!(answer["KetQuaXacThuc"], true);
}
