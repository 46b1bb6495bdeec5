use super::*;

const SUMS: Kind = Kind::Sums { decimals: 2 };

#[test]
fn refuses_what_is_no_figure() {
    for (text, error) in [
        ("-1", FigureError::Negative),
        ("-0.01", FigureError::Negative),
        ("-0", FigureError::NotANumber),
        ("NaN", FigureError::NotFinite),
        ("inf", FigureError::NotFinite),
        ("-Infinity", FigureError::NotFinite),
        ("", FigureError::NotANumber),
        ("1e3", FigureError::NotANumber),
        ("1,5", FigureError::NotANumber),
        ("+1", FigureError::NotANumber),
        (".5", FigureError::NotANumber),
        ("5.", FigureError::NotANumber),
        ("0.001", FigureError::TooPrecise),
        ("184467440737095516.16", FigureError::TooLarge),
    ] {
        assert_eq!(Figure::Decimal(text).units(SUMS), Err(error), "{text}");
    }
    assert_eq!(Figure::Whole(-1).units(Kind::Counts), Err(FigureError::Negative));
    assert_eq!(Figure::Whole(i128::MAX).units(SUMS), Err(FigureError::TooLarge));
    assert_eq!(Figure::Decimal("0.5").units(Kind::Counts), Err(FigureError::TooPrecise));
}

#[test]
fn a_figure_is_kept_in_units_of_its_last_decimal() {
    assert_eq!(Figure::Decimal("12.5").units(SUMS), Ok(1_250));
    assert_eq!(Figure::Decimal("007.000").units(SUMS), Ok(700));
    assert_eq!(Figure::Whole(3).units(SUMS), Ok(300));
    assert_eq!(Figure::Whole(i128::from(u64::MAX)).units(Kind::Counts), Ok(u64::MAX));
    assert_eq!(Figure::Decimal("184467440737095516.15").units(SUMS), Ok(u64::MAX));
}
