use proptest::prelude::*;
use serde_json::json;

use super::*;

fn row(cells: &[(&str, Cell)]) -> Row {
    Row::of(1, "1", cells.iter().map(|(name, cell)| ((*name).to_owned(), cell.clone())))
}

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

fn rule(field: &str, column: &str, shape: Shape) -> FieldRule {
    FieldRule { field: field.to_owned(), source: FieldSource::Column(column.to_owned(), shape) }
}

fn codes() -> Shape {
    Shape::Codes([("citizen".to_owned(), "1".to_owned())].into())
}

#[test]
fn refuses_what_it_would_have_to_guess_and_names_every_field() {
    let rules = [
        rule("A", "a", codes()),
        rule("B", "b", Shape::Date(DateForm::Moment)),
        rule("C", "c", Shape::Number),
    ];
    let values = row(&[("a", text("household")), ("b", text("13/14/2026")), ("c", text("đ"))]);
    let wrong: Vec<String> =
        map(&rules, &values).unwrap_err().iter().map(ToString::to_string).collect();
    assert_eq!(wrong, ["`A` has an unmapped code", "`B` is not a date", "`C` is not a number"]);
}

#[test]
fn names_the_field_of_an_element_and_not_its_value() {
    let inner = vec![rule("Gia", "amount", Shape::Number)];
    let rules = [FieldRule {
        field: "LePhi".to_owned(),
        source: FieldSource::List("fees".to_owned(), inner),
    }];
    let wrong = map(&rules, &row(&[("fees", text(r#"[{"amount":"secret"}]"#))])).unwrap_err();
    assert_eq!(wrong[0].to_string(), "`LePhi/Gia` is not a number");
    let wrong = map(&rules, &row(&[("fees", text("secret"))])).unwrap_err();
    assert_eq!(wrong[0].to_string(), "`LePhi` is not a JSON list of objects");
}

#[test]
fn makes_fields_from_columns_constants_codes_and_lists() {
    let inner = vec![rule("Ten", "name", Shape::Text), rule("Gia", "amount", Shape::Number)];
    let rules = [
        rule("Ho", "name", Shape::Text),
        rule("Loai", "kind", codes()),
        rule("TrangThai", "status", Shape::Text),
        rule("Trong", "nothing", Shape::Text),
        FieldRule { field: "Hang".to_owned(), source: FieldSource::Constant("x".to_owned()) },
        FieldRule {
            field: "LePhi".to_owned(),
            source: FieldSource::List("fees".to_owned(), inner),
        },
    ];
    let decomposed: String = "Đặng Thị Hòa".nfd().collect();
    let values = row(&[
        ("name", text(&decomposed)),
        ("kind", text("citizen")),
        ("status", Cell::Integer(4)),
        ("nothing", Cell::Null),
        ("fees", text(r#"[{"name":"Lệ phí","amount":8000}]"#)),
    ]);
    let expected = json!({
        "Ho": "Đặng Thị Hòa",
        "Loai": "1",
        "TrangThai": "4",
        "Hang": "x",
        "LePhi": [{"Ten": "Lệ phí", "Gia": 8000}],
    });
    assert_eq!(Value::Object(map(&rules, &values).unwrap()), expected);
}

#[test]
fn dates_are_read_day_first_and_never_filled_in() {
    let moment = |text| DateForm::Moment.write(text);
    assert_eq!(moment("2026-11-02 08:05:09").unwrap(), "20261102080509");
    assert_eq!(moment("2026-11-02T08:05:09.123").unwrap(), "20261102080509");
    assert_eq!(moment("02/11/2026 08:05").unwrap(), "20261102080500");
    assert_eq!(moment("2/11/2026 8:05").unwrap(), "20261102080500");
    // An instant is told in civil time of the city.
    assert_eq!(moment("2026-11-02T20:05:09Z").unwrap(), "20261103030509");
    assert_eq!(moment("2026-11-02"), Err("has a day but no time"));
    for wrong in
        ["2026", "11/2026", "31/02/2026 08:00", "11/13/2026 08:00", "1/2/26 08:00", "", "x"]
    {
        assert_eq!(moment(wrong), Err("is not a date"), "{wrong}");
    }
    assert_eq!(DateForm::Day.write("02/11/2026").unwrap(), "20261102");
    assert_eq!(DateForm::DayStart.write("02/11/2026").unwrap(), "20261102000000");
}

#[test]
fn debug_shows_no_value() {
    let row = row(&[("name", text("secret"))]);
    let shown = format!("{row:?} {:?}", row.cell("name"));
    assert!(shown.contains("name") && !shown.contains("secret"));
}

proptest! {
    #[test]
    fn dates_never_panic_and_keep_their_length(text in "[0-9/:TZ+. -]{0,30}") {
        for (form, length) in [(DateForm::Moment, 14), (DateForm::DayStart, 14), (DateForm::Day, 8)] {
            if let Ok(date) = form.write(&text) {
                prop_assert_eq!(date.len(), length);
            }
        }
    }

    #[test]
    fn texts_come_out_composed(name in "\\PC{0,20}") {
        let rules = [rule("Ten", "name", Shape::Text)];
        let record = map(&rules, &row(&[("name", text(&name))])).unwrap();
        let out = record["Ten"].as_str().unwrap();
        prop_assert!(unicode_normalization::is_nfc(out));
    }
}
