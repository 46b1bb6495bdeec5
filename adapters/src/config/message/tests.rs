use crate::{Config, map, testing::World};

fn mistakes(world: &World) -> String {
    Config::read(&world.path()).unwrap_err().to_string()
}

/// The world with another rule for a field that takes texts.
async fn with(field: &str) -> World {
    let mut world = World::new().await;
    world.set("TrichYeuHoSo: {column: summary}", &format!("TrichYeuHoSo: {field}"));
    world
}

#[tokio::test]
async fn tells_every_mistake_of_a_field() {
    for (field, mistake) in [
        ("{column: a, date: moment, number: true}", "a `column` with at most one of"),
        ("{column: a, constant: b}", "a field is a `constant`"),
        ("{object: {A: {column: a}}}", "the platform's schema has no fields here"),
        ("{column: a, list: {A: {column: a}}}", "the platform's schema has no list here"),
        ("{column: a, text: {encoding: tcvn}}", "`tcvn` is not one of `unicode`, `tcvn3`, `vni`"),
        ("{column: a, text: {tone: old}}", "`old` is not one of `traditional`, `modern`"),
        ("{column: a, text: {upper: 1}}", "`upper` must be true or false"),
        ("{column: a, text: {uper: true}}", "did you mean `upper`?"),
        ("{column: a, ward: {to: new}}", "key `as_of` is missing"),
        (
            "{column: a, ward: {as_of: at, to: newer}}",
            "`newer` is not one of `old`, `old_district`, `new`",
        ),
        ("{column: a, ward: {as_of: 1/7/2025, to: new}}", "neither a column nor a day"),
        ("{column: a, agency: {spelling: old}}", "`old` is not one of `decision_20`, `qcvn_102`"),
        ("{column: a, gender: {from: population}}", "key `to` is missing"),
        ("{column: a, gender: {from: c06, to: population}}", "`c06` is not one of `population`"),
        (
            "{column: a, gender: {from: {x: other}, to: judicial_record}}",
            "the platform has no code for `other`",
        ),
        (
            "{column: a, subject_type: {from: {x: person}, to: opencps}}",
            "`person` is not one of `citizen`, `business`, `household`",
        ),
        ("{column: a, boolean: yes please}", "`yes please` is not one of `json`"),
        ("{column: a, number: true}", "has a text here, and this makes a number"),
        ("{column: a, boolean: json}", "has a text here, and this makes true or false"),
        ("{column: a, number: false}", "`number` can only be true"),
    ] {
        let world = with(field).await;
        let told = mistakes(&world);
        assert!(told.contains(mistake), "{mistake} in {told}");
        assert!(told.contains("adapters.yaml:"), "{told}");
    }
}

#[tokio::test]
async fn tells_when_a_number_or_a_list_gets_a_text() {
    let mut world = World::new().await;
    world.set("Gia: {column: amount, number: true}", "Gia: {column: amount, codes: {x: y}}");
    assert!(mistakes(&world).contains("the platform's schema has a number here"));
    world.set("Gia: {column: amount, codes: {x: y}}", "Gia: {constant: y}");
    assert!(mistakes(&world).contains("has a number here, and this makes a text"));
    let mut world = World::new().await;
    world.set(
        "TrichYeuHoSo: {column: summary}",
        "TrichYeuHoSo: {column: a}\n          DanhSachGiayToKetQua: {column: b}",
    );
    assert!(mistakes(&world).contains("has a list here, and this makes a text"));
}

#[tokio::test]
async fn takes_every_shape_and_reads_its_columns() {
    for (field, columns) in [
        ("{column: a, text: {encoding: detect, tone: traditional, upper: true, clean: true}}", "a"),
        ("{column: a, ward: {as_of: at, to: new}}", "a at"),
        ("{column: a, ward: {as_of: 2025-06-30, to: new}}", "a"),
        ("{column: a, agency: {spelling: qcvn_102}}", "a"),
        ("{column: a, gender: {from: {Nam: male, Nữ: female}, to: social_insurance}}", "a"),
        ("{column: a, gender: {from: population, to: judicial_record}}", "a"),
        ("{column: a, subject_type: {from: opencps, to: ministry}}", "a"),
        ("{column: a, date: as_known}", "a"),
        ("{column: a, boolean: words}", "a"),
    ] {
        let config = with(field).await.config();
        let fields = &config.flows[0].messages[0].fields;
        let rule = fields.iter().find(|rule| rule.field == "TrichYeuHoSo").unwrap();
        let read: Vec<&str> = map::columns(std::slice::from_ref(rule)).collect();
        assert_eq!(read.join(" "), columns, "{field}");
    }
}

#[tokio::test]
async fn tells_every_mistake_of_an_identifier() {
    for (identifier, mistake) in [
        ("citizen", "`citizen` is not one of `citizen_number`"),
        ("{kind: phone, birth: NgayTra}", "only a `citizen_number` is compared"),
        ("{kind: citizen_number, birth: NgaySinh}", "has no field `NgaySinh`"),
        ("{kind: citizen_number, gender: {field: NgayTra}}", "key `codes` is missing"),
        (
            "{kind: citizen_number, gender: {field: NgayTra, codes: c06}}",
            "`c06` is not one of `population`",
        ),
    ] {
        let mut world = World::new().await;
        world.set("SoDienThoai: phone", &format!("SoDienThoai: {identifier}"));
        let told = mistakes(&world);
        assert!(told.contains(mistake), "{mistake} in {told}");
    }
    let mut world = World::new().await;
    let compared = "MaDoiTuong: {kind: citizen_number, birth: NgayTra, \
                    gender: {field: HinhThuc, codes: population}}";
    world.set("SoDienThoai: phone", compared);
    let identifiers = &world.config().flows[0].messages[0].identifiers;
    assert!(identifiers.iter().any(|rule| rule.field == "MaDoiTuong" && rule.birth.is_some()));
}
