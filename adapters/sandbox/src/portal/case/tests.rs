use super::*;

fn cases() -> (Cases, PortalReport) {
    (Cases::new(["1.000894".to_owned()].into()), PortalReport::default())
}

fn case(code: &str, status: u8) -> Value {
    json!({
        "MaHoSo": code,
        "MaTTHC": "1.000894",
        "NgayTiepNhan": "20261102080000",
        "TrangThaiHoSo": status.to_string(),
    })
}

fn sync(updating: &str, record: Value) -> Value {
    json!({"isUpdating": updating, "data": [record]})
}

fn step(at: &str, status: u8) -> Value {
    json!({"data": [{"MaHoSo": "A", "ThoiDiemXuLy": at, "TrangThai": status.to_string()}]})
}

/// The statuses and the ways between them, from the public list and the derived table.
#[test]
fn refuses_every_way_between_statuses_that_is_not_in_the_table() {
    let legal = [
        (1, vec![2, 3, 7]),
        (2, vec![4, 5, 7, 8]),
        (4, vec![5, 6, 7, 8, 9]),
        (5, vec![4, 7, 8]),
        (6, vec![4, 7, 8]),
        (9, vec![10]),
    ];
    for from in 1..=10_u8 {
        for to in 1..=10_u8 {
            let expected = from == to
                || legal.iter().any(|(status, next)| *status == from && next.contains(&to));
            let mut report = PortalReport::default();
            let mut case = Case { status: from, content: Map::new(), progress: Vec::new() };
            let taken = move_to(&mut case, to, &mut report).is_ok();
            assert_eq!(taken, expected, "{from} to {to}");
            assert_eq!(report.order_violations, u64::from(!expected));
            assert_eq!(case.status, if expected { to } else { from });
        }
    }
}

#[test]
fn refuses_unknown_procedures_and_dates_that_do_not_exist() {
    let (mut cases, mut report) = cases();
    let mut record = case("A", 1);
    record["MaTTHC"] = json!("9.999999");
    let refused = cases.sync(&sync("False", record), &mut report);
    assert_eq!(refused, Err(UNKNOWN_PROCEDURE));
    for date in ["20260231080000", "2026110208", "02/11/2026", "20261102256060"] {
        let mut record = case("A", 1);
        record["NgayHenTra"] = json!(date);
        assert_eq!(cases.sync(&sync("False", record), &mut report), Err(WRONG_DATE), "{date}");
    }
    let mut record = case("A", 1);
    record["DanhSachHoSoBoSung"] = json!([{"NgayBoSung": "x"}]);
    assert_eq!(cases.sync(&sync("False", record), &mut report), Err(WRONG_DATE));
    assert_eq!(cases.len(), 0);
}

#[test]
fn refuses_other_content_as_a_new_case_and_takes_the_same_twice() {
    let (mut cases, mut report) = cases();
    cases.sync(&sync("False", case("A", 1)), &mut report).unwrap();
    cases.sync(&sync("False", case("A", 1)), &mut report).unwrap();
    assert_eq!((report.repeated, cases.len()), (1, 1));
    assert_eq!(cases.sync(&sync("False", case("A", 2)), &mut report), Err(OTHER_CONTENT));
    cases.sync(&sync("True", case("A", 2)), &mut report).unwrap();
    cases.sync(&sync("True", case("A", 2)), &mut report).unwrap();
    assert_eq!((report.repeated, report.order_violations), (2, 0));
}

#[test]
fn counts_what_comes_too_early() {
    let (mut cases, mut report) = cases();
    assert_eq!(cases.sync(&sync("True", case("A", 1)), &mut report), Err(UNKNOWN_CASE));
    assert_eq!(cases.sync(&sync("False", case("A", 9)), &mut report), Err(ILLEGAL_TRANSITION));
    assert_eq!(cases.progress(&step("20261102080000", 4), &mut report), Err(UNKNOWN_CASE));
    assert_eq!(report.order_violations, 3);
}

#[test]
fn counts_a_step_that_it_holds_twice() {
    let (mut cases, mut report) = cases();
    cases.sync(&sync("False", case("A", 2)), &mut report).unwrap();
    cases.progress(&step("20261102080000", 4), &mut report).unwrap();
    cases.progress(&step("20261102080000", 4), &mut report).unwrap();
    cases.progress(&step("20261102070000", 5), &mut report).unwrap();
    assert_eq!((report.duplicates, report.order_violations), (1, 1));
    assert_eq!(cases.progress_len(), 3);
}

#[test]
fn refuses_what_is_malformed() {
    let (mut cases, mut report) = cases();
    for body in [
        json!({}),
        json!({"isUpdating": "False", "data": []}),
        json!({"isUpdating": false, "data": [case("A", 1)]}),
        sync("False", json!({"MaHoSo": "A"})),
        sync("False", case("A", 11)),
        sync("False", json!("A")),
    ] {
        assert_eq!(cases.sync(&body, &mut report), Err(MALFORMED), "{body}");
    }
}
