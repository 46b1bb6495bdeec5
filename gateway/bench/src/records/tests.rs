use super::*;

#[test]
fn one_record_is_about_a_kilobyte() {
    let bytes = answer(1).len();
    assert!((900..1124).contains(&bytes), "{bytes} bytes");
}

#[test]
fn sizes_grow_with_the_number_of_records() {
    for size in Size::ALL {
        let bytes = answer(size.records()).len();
        let wanted = match size {
            Size::One => 1 << 10,
            Size::Some => 16 << 10,
            Size::Many => 1 << 20,
        };
        assert!((wanted * 9 / 10..wanted * 11 / 10).contains(&bytes), "{size}: {bytes} bytes");
    }
}
