use super::*;

fn all(format: StringFormat, texts: &[&str]) -> bool {
    texts.iter().all(|text| is_valid(format, text))
}

fn none(format: StringFormat, texts: &[&str]) -> bool {
    texts.iter().all(|text| !is_valid(format, text))
}

#[test]
fn refuses_days_that_no_calendar_has() {
    assert!(none(
        StringFormat::Date,
        &[
            "",
            "1990",
            "1990-02-30",
            "1900-02-29",
            "2001-00-10",
            "2001-13-01",
            "2001-01-00",
            "2001-1-01",
            "2001-01-01 ",
            "20010101",
            "2001/01/01",
            "01-01-2001",
            "２001-01-01",
            "2001-01-01T00:00:00Z",
            "+001-01-01",
        ],
    ));
    assert!(all(StringFormat::Date, &["1990-05-17", "2000-02-29", "2024-02-29", "0000-01-01"]));
}

#[test]
fn refuses_times_that_no_clock_shows() {
    assert!(none(
        StringFormat::DateTime,
        &[
            "2001-01-01",
            "2001-01-01T00:00:00",
            "2001-01-01 00:00:00Z",
            "2001-01-01T24:00:00Z",
            "2001-01-01T00:60:00Z",
            "2001-01-01T00:00:61Z",
            "2001-01-01T12:00:60Z",
            "2001-01-01T00:00:00.Z",
            "2001-01-01T00:00:00+7",
            "2001-01-01T00:00:00+0700",
            "2001-01-01T00:00:00+24:00",
            "2001-02-29T00:00:00Z",
            "2001-01-01T00:00:00Zx",
        ],
    ));
    assert!(all(
        StringFormat::DateTime,
        &[
            "2026-11-21T08:30:00Z",
            "2026-11-21t08:30:00z",
            "2026-11-21T08:30:00.123456789+07:00",
            "2016-12-31T23:59:60Z",
            "2017-01-01T06:59:60+07:00",
            "2016-12-31T15:59:60-08:00",
        ],
    ));
}

#[test]
fn refuses_near_misses_of_the_other_formats() {
    assert!(none(
        StringFormat::Uuid,
        &["", "123e4567e89b12d3a456426614174000", "123e4567-e89b-12d3-a456-42661417400g"],
    ));
    assert!(all(StringFormat::Uuid, &["123E4567-e89b-12d3-a456-426614174000"]));
    assert!(none(
        StringFormat::CitizenNumber,
        &["", "07909000000", "0790900000012", "07909000000a"]
    ));
    assert!(none(StringFormat::CitizenNumber, &["٠٧٩٠٩٠٠٠٠٠٠١"]));
    assert!(all(StringFormat::CitizenNumber, &["079090000001"]));
    assert!(none(StringFormat::WardCode, &["2574", "257470", "2574x", " 25747"]));
    assert!(all(StringFormat::WardCode, &["25747"]));
}

#[test]
fn refuses_mailboxes_that_are_read_differently_by_different_software() {
    assert!(none(
        StringFormat::Email,
        &[
            "",
            "a",
            "@b",
            "a@",
            "a@@b",
            "a b@c.example",
            "\"a\"@c.example",
            "a@[127.0.0.1]",
            ".a@c.example",
            "a.@c.example",
            "a..b@c.example",
            "a@-c.example",
            "a@c..example",
            "a@c.example.",
            "ă@c.example",
            "a@b@c.example",
            "a\r\n@c.example",
        ],
    ));
    assert!(all(StringFormat::Email, &["tiep.nhan+1@so-tu-phap.example", "a@b"]));
}

#[test]
fn tells_how_a_real_date_is_written() {
    for dashed in ["1990-05-17", "2026-11-21T08:30:00+07:00"] {
        assert_eq!(date_shape(dashed), Some(DateShape::Dashed));
    }
    for plain in ["19900517", "20261121083000"] {
        assert_eq!(date_shape(plain), Some(DateShape::Plain));
    }
    for neither in ["", "1990", "19901317", "19900000", "99999999", "20261121250000", "1990-13-01"]
    {
        assert_eq!(date_shape(neither), None, "{neither}");
    }
}
