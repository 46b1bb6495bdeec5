use lienthong_model::{
    platform_code::{Gender, GenderProfile},
    vietnamese::{LegacyEncoding, TextEncoding, TonePlacement},
};
use proptest::prelude::*;
use serde_json::json;
use unicode_normalization::UnicodeNormalization as _;

use super::*;
use crate::row::Row;

fn row(cells: &[(&str, Cell)]) -> Row {
    Row::of(1, "1", cells.iter().map(|(name, cell)| ((*name).to_owned(), cell.clone())))
}

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

fn rule(field: &str, column: &str, shape: Shape) -> FieldRule {
    FieldRule { field: field.to_owned(), source: FieldSource::Column(column.to_owned(), shape) }
}

fn plain() -> Shape {
    Shape::Text(TextRule::default())
}

fn codes() -> Shape {
    Shape::Codes(CodeTable::new(&[("citizen".to_owned(), "1".to_owned())].into(), Wire::Text))
}

/// What one column becomes.
fn shaped_as(shape: Shape, value: &str) -> Result<Value, String> {
    let record = map(&[rule("F", "f", shape)], &row(&[("f", text(value))]));
    let record = record.map_err(|unmapped| unmapped.errors[0].to_string())?;
    Ok(record.record.get("F").cloned().unwrap_or_default())
}

fn dated(form: DateForm, value: &str) -> Result<Value, String> {
    shaped_as(Shape::Date(form), value)
}

#[test]
fn refuses_what_it_would_have_to_guess_and_names_every_field() {
    let rules = [
        rule("A", "a", codes()),
        rule("B", "b", Shape::Date(DateForm::Moment)),
        rule("C", "c", Shape::Number),
        rule("D", "d", Shape::Boolean(BooleanForm::Json)),
        rule("E", "e", Shape::Agency(AgencySpelling::Qcvn102)),
    ];
    let values = row(&[
        ("a", text("canary")),
        ("b", text("canary")),
        ("c", text("canary")),
        ("d", text("canary")),
        ("e", text("canary")),
    ]);
    let wrong: Vec<String> =
        map(&rules, &values).err().unwrap().errors.iter().map(ToString::to_string).collect();
    assert_eq!(
        wrong,
        [
            "`A` has an unmapped code",
            "`B` is not a date",
            "`C` is not a number",
            "`D` is neither true nor false",
            "`E` is not an agency code",
        ]
    );
}

#[test]
fn names_the_field_of_an_element_and_not_its_value() {
    let inner = vec![rule("Gia", "amount", Shape::Number)];
    let rules = [FieldRule {
        field: "LePhi".to_owned(),
        source: FieldSource::List("fees".to_owned(), inner),
    }];
    let wrong =
        |fees| map(&rules, &row(&[("fees", text(fees))])).err().unwrap().errors[0].to_string();
    assert_eq!(wrong(r#"[{"amount":"canary"}]"#), "`LePhi/Gia` is not a number");
    assert_eq!(wrong("canary"), "`LePhi` is not a JSON list of objects");
}

#[test]
fn makes_fields_from_columns_constants_codes_lists_and_objects() {
    let inner = vec![rule("Ten", "name", plain()), rule("Gia", "amount", Shape::Number)];
    let source = |source| FieldRule { field: "X".to_owned(), source };
    let object = |name: &str, rules| FieldRule {
        field: name.to_owned(),
        ..source(FieldSource::Object(rules))
    };
    let rules = [
        rule("Loai", "kind", codes()),
        rule("TrangThai", "status", plain()),
        rule("Trong", "nothing", plain()),
        FieldRule { field: "Hang".to_owned(), ..source(FieldSource::Constant("x".to_owned())) },
        FieldRule {
            field: "LePhi".to_owned(),
            ..source(FieldSource::List("fees".to_owned(), inner))
        },
        object(
            "NgaySinh",
            vec![
                rule("NgayThangNam", "born", Shape::Date(DateForm::DayIfKnown)),
                rule("Nam", "born", Shape::Date(DateForm::YearIfNoDay)),
            ],
        ),
        object("Khong", vec![rule("Gi", "nothing", plain())]),
    ];
    let values = row(&[
        ("kind", text("citizen")),
        ("status", Cell::Integer(4)),
        ("nothing", Cell::Null),
        ("fees", text(r#"[{"name":"Lệ phí","amount":8000}]"#)),
        ("born", text("1945")),
    ]);
    let expected = json!({
        "Loai": "1",
        "TrangThai": "4",
        "Hang": "x",
        "LePhi": [{"Ten": "Lệ phí", "Gia": 8000}],
        "NgaySinh": {"Nam": "1945"},
    });
    assert_eq!(map(&rules, &values).ok().unwrap().record, expected);
    let read: Vec<&str> = columns(&rules).collect();
    assert_eq!(read, ["kind", "status", "nothing", "fees", "born", "born", "nothing"]);
}

#[test]
fn nfd_text_is_mapped_to_nfc() {
    let decomposed: String = "Đặng Thị Hòa".nfd().collect();
    assert_eq!(shaped_as(plain(), &decomposed).unwrap(), "Đặng Thị Hòa");
    // A code is found in whichever form the source writes it.
    let table = CodeTable::new(&[("Nữ".nfd().collect(), "2".to_owned())].into(), Wire::Number);
    assert_eq!(shaped_as(Shape::Codes(table), "Nữ").unwrap(), 2);
}

#[test]
fn tcvn3_text_is_quarantined_where_no_rule_says_so() {
    let problem = shaped_as(plain(), "NguyÔn V¨n ¸nh").unwrap_err();
    assert_eq!(problem, "`F` is text in TCVN3, which no rule says");
    let vni =
        TextRule { encoding: TextEncoding::Known(LegacyEncoding::Vni), ..TextRule::default() };
    assert_eq!(shaped_as(Shape::Text(vni), "V¨n").unwrap_err(), "`F` is not text in VNI");
}

#[test]
fn tcvn3_text_is_converted_and_counted_where_the_rule_says_so() {
    let known = TextEncoding::Known(LegacyEncoding::Tcvn3);
    for encoding in [known, TextEncoding::Detected] {
        let shape = Shape::Text(TextRule { encoding, ..TextRule::default() });
        let rules = [rule("Ten", "name", shape.clone()), rule("Dia", "plain", shape)];
        let values = row(&[("name", text("NguyÔn V¨n ¸nh")), ("plain", text("12 Le Loi"))]);
        let mapped = map(&rules, &values).ok().unwrap();
        assert_eq!(mapped.record, json!({"Ten": "Nguyễn Văn ánh", "Dia": "12 Le Loi"}));
        assert_eq!(mapped.texts, TextCounts { converted: 1, ..TextCounts::default() });
    }
}

#[test]
fn bytes_are_read_as_text_alone_and_by_the_rule() {
    let bytes = || Cell::Bytes(b"Nguy\xd4n V\xa8n".to_vec());
    let mapped = |shape| map(&[rule("F", "f", shape)], &row(&[("f", bytes())]));
    let problem = |shape| mapped(shape).err().unwrap().errors[0].to_string();
    assert_eq!(problem(plain()), "`F` is text in TCVN3, which no rule says");
    for shape in [Shape::Number, codes(), Shape::Date(DateForm::Day)] {
        assert_eq!(problem(shape), "`F` is not text in UTF-8");
    }
    let detect = TextRule { encoding: TextEncoding::Detected, ..TextRule::default() };
    let mapped = mapped(Shape::Text(detect)).ok().unwrap();
    assert_eq!(mapped.record, json!({"F": "Nguyễn Văn"}));
    assert_eq!(mapped.texts, TextCounts { converted: 1, ..TextCounts::default() });
}

#[test]
fn a_text_that_makes_sense_twice_is_left_and_counted() {
    let detect = TextRule { encoding: TextEncoding::Detected, ..TextRule::default() };
    let mapped = map(&[rule("Ten", "name", Shape::Text(detect))], &row(&[("name", text("Lê"))]));
    assert_eq!(mapped.ok().unwrap().texts, TextCounts { unclear: 1, ..TextCounts::default() });
}

#[test]
fn names_are_cleaned_placed_and_put_in_capitals() {
    let shape = TextRule {
        spaces: Spaces::Cleaned,
        tone: Some(TonePlacement::Traditional),
        letters: Letters::Capitals,
        ..TextRule::default()
    };
    let written = shaped_as(Shape::Text(shape), " Đặng\u{a0} Thị  Hoà\u{200b}").unwrap();
    assert_eq!(written, "ĐẶNG THỊ HÒA");
}

#[test]
fn a_day_that_is_not_in_the_calendar_is_refused() {
    for form in [DateForm::Day, DateForm::AsKnown, DateForm::Year] {
        assert_eq!(dated(form, "31/02/1990").unwrap_err(), "`F` is not a date of the calendar");
    }
}

#[test]
fn dates_are_read_day_first_and_never_filled_in() {
    let moment = |text| dated(DateForm::Moment, text);
    assert_eq!(moment("2026-11-02 08:05:09").unwrap(), "20261102080509");
    assert_eq!(moment("2/11/2026 8:05").unwrap(), "20261102080500");
    assert_eq!(moment("2026-11-02").unwrap_err(), "`F` has a day but no time");
    assert_eq!(moment("11/2026").unwrap_err(), "`F` has no day");
    for wrong in ["1/2/26 08:00", "", "x"] {
        assert_eq!(moment(wrong).unwrap_err(), "`F` is not a date", "{wrong}");
    }
    assert_eq!(dated(DateForm::Day, "1945").unwrap_err(), "`F` has no day");
    assert_eq!(dated(DateForm::MonthYear, "1945").unwrap_err(), "`F` has no month");
    for (form, text, expected) in [
        (DateForm::Day, "02/11/2026", "20261102"),
        (DateForm::DayStart, "02/11/2026", "20261102000000"),
        (DateForm::DayMonthYear, "2026-11-02", "02/11/2026"),
        (DateForm::MonthYear, "2026-11-02", "11/2026"),
        (DateForm::Year, "11/2026", "2026"),
        (DateForm::AsKnown, "9/1945", "09/1945"),
        (DateForm::SocialInsurance, "1945", "1945"),
        (DateForm::SocialInsuranceKind, "1945", "1"),
        (DateForm::SocialInsuranceKind, "9/1945", "2"),
        (DateForm::SocialInsuranceKind, "2/9/1945", "0"),
    ] {
        assert_eq!(dated(form, text).unwrap(), expected, "{form:?}");
    }
    assert_eq!(dated(DateForm::DayIfKnown, "1945").unwrap(), Value::Null);
    assert_eq!(dated(DateForm::YearIfNoDay, "2/9/1945").unwrap(), Value::Null);
}

fn ward(as_of: AsOf, to: WardSide, code: &str, date: Cell) -> Result<Value, String> {
    let rules = [rule("MaXa", "ward", Shape::Ward(WardRule { as_of, to }))];
    let mapped = map(&rules, &row(&[("ward", text(code)), ("at", date)]));
    let mapped = mapped.map_err(|unmapped| unmapped.errors[0].to_string())?;
    Ok(mapped.record["MaXa"].clone())
}

#[test]
fn an_old_ward_code_without_a_date_or_of_a_split_ward_needs_a_person() {
    let at = || AsOf::Column("at".to_owned());
    let new = |code, date| ward(at(), WardSide::New, code, date);
    assert_eq!(
        new("25747", Cell::Null).unwrap_err(),
        "`MaXa` is a ward code without a date: a person must decide"
    );
    assert_eq!(
        new("25741", text("30/06/2025")).unwrap_err(),
        "`MaXa` is a ward that was split: a person must decide"
    );
    for unclear in ["2025", "canary"] {
        let problem = new("25747", text(unclear)).unwrap_err();
        assert!(problem.starts_with("`MaXa` is a ward code whose date"), "{problem}");
    }
    assert!(new("00001", text("30/06/2025")).unwrap_err().contains("is no ward code of its date"));
    assert!(new("2574", text("30/06/2025")).is_err());
    let old = |code, date| ward(at(), WardSide::Old, code, date).unwrap_err();
    assert!(old("25747", text("01/07/2025")).ends_with("made of several: a person must decide"));
    assert!(old("26732", text("01/07/2025")).ends_with("had no ward code before"));
}

#[test]
fn the_old_district_is_told_where_it_is_one() {
    fn district(code: &str, date: &str) -> Result<Value, String> {
        ward(AsOf::Column("at".to_owned()), WardSide::OldDistrict, code, text(date))
    }
    assert_eq!(district("25741", "30/06/2025").unwrap(), "718");
    assert_eq!(district("25747", "01/07/2025").unwrap(), "718");
    assert_eq!(district("26732", "01/07/2025").unwrap(), "755");
    assert!(district("00001", "01/07/2025").is_err());
    let several = lienthong_model::ward::units()
        .filter_map(|unit| district(unit.code.as_str(), "01/07/2025").err())
        .collect::<Vec<_>>();
    assert!(!several.is_empty());
    assert!(several.iter().all(|why| why.ends_with("several districts: a person must decide")));
}

#[test]
fn ward_codes_are_read_by_their_date() {
    let at = || AsOf::Column("at".to_owned());
    let new = |code, date| ward(at(), WardSide::New, code, text(date)).unwrap();
    assert_eq!(new("25753", "2024"), "25747");
    assert_eq!(new("25753", "30/06/2025 17:00"), "25747");
    assert_eq!(new("25747", "01/07/2025"), "25747");
    let old = |code, date| ward(at(), WardSide::Old, code, text(date)).unwrap();
    assert_eq!(old("25846", "2026-01-01"), "25846");
    assert_eq!(old("25753", "2024-01-01"), "25753");
    let day = AsOf::Day(jiff::civil::date(2025, 6, 30));
    assert_eq!(ward(day, WardSide::New, "25753", Cell::Null).unwrap(), "25747");
    let rules = [rule("MaXa", "ward", Shape::Ward(WardRule { as_of: at(), to: WardSide::New }))];
    assert_eq!(columns(&rules).collect::<Vec<_>>(), ["ward", "at"]);
}

#[test]
fn codes_of_platforms_are_translated_and_never_passed_through() {
    let from = CodeTable::meanings::<Gender>(GenderProfile::Population);
    let shape =
        |wire| Shape::Codes(CodeTable::translated(&from, GenderProfile::JudicialRecord, wire));
    assert_eq!(shaped_as(shape(Wire::Text), "2").unwrap(), "0");
    assert_eq!(shaped_as(shape(Wire::Number), "1").unwrap(), 1);
    assert!(shaped_as(shape(Wire::Text), "0").unwrap_err().contains("the platform has no code"));
    assert!(shaped_as(shape(Wire::Text), "3").unwrap_err().contains("has an unmapped code"));
}

#[test]
fn booleans_and_agencies_have_the_platforms_form() {
    for (form, value) in [
        (BooleanForm::Json, json!(true)),
        (BooleanForm::Words, json!("True")),
        (BooleanForm::Digits, json!("1")),
    ] {
        for truth in ["1", "TRUE", "t"] {
            assert_eq!(shaped_as(Shape::Boolean(form), truth).unwrap(), value);
        }
        assert_ne!(shaped_as(Shape::Boolean(form), "0").unwrap(), value);
    }
    let agency = |spelling, code| shaped_as(Shape::Agency(spelling), code);
    assert_eq!(agency(AgencySpelling::Decision20, "000.00.12.H29").unwrap(), "H29.12");
    assert_eq!(agency(AgencySpelling::Qcvn102, "H29.12").unwrap(), "000.00.12.H29");
    assert!(agency(AgencySpelling::Qcvn102, "H15.50.05.13").is_err());
}

proptest! {
    #[test]
    fn dates_never_panic_and_keep_their_length(text in "[0-9/:TZ+. -]{0,30}") {
        for (form, length) in [(DateForm::Moment, 14), (DateForm::DayStart, 14), (DateForm::Day, 8)] {
            if let Ok(date) = dated(form, &text) {
                prop_assert_eq!(date.as_str().unwrap().len(), length);
            }
        }
    }

    #[test]
    fn texts_come_out_composed(name in "\\PC{0,20}") {
        let shape = TextRule { encoding: TextEncoding::Unicode, ..TextRule::default() };
        let out = shaped_as(Shape::Text(shape), &name).unwrap();
        prop_assert!(unicode_normalization::is_nfc(out.as_str().unwrap()));
    }

    #[test]
    fn no_value_is_told(value in "canary.{0,20}") {
        for shape in [
            Shape::Number,
            codes(),
            Shape::Boolean(BooleanForm::Json),
            Shape::Date(DateForm::AsKnown),
            Shape::Agency(AgencySpelling::Decision20),
            Shape::Ward(WardRule { as_of: AsOf::Column("f".to_owned()), to: WardSide::New }),
        ] {
            let problem = shaped_as(shape, &value).unwrap_err();
            prop_assert!(!problem.contains("canary"));
        }
    }
}

#[test]
fn a_column_that_holds_json_becomes_a_value_and_what_is_none_is_a_mistake() {
    assert_eq!(shaped_as(Shape::Json, "{\"canary\": "), Err("`F` is not a JSON value".to_owned()));
    assert_eq!(shaped_as(Shape::Json, " [1, {\"a\": null}] "), Ok(json!([1, {"a": null}])));
    assert_eq!(shaped_as(Shape::Json, "null"), Ok(Value::Null));
}
