use proptest::prelude::*;

use super::*;
use crate::vietnamese::letter::VOWELS;

fn traditional(text: &str) -> String {
    place_tones(text, TonePlacement::Traditional).into_owned()
}

fn modern(text: &str) -> String {
    place_tones(text, TonePlacement::Modern).into_owned()
}

#[test]
fn decomposed_text_and_look_alikes_become_one_form() {
    let composed = "Đặng Thị Thủy ở Thới Hòa";
    let decomposed: String = composed.nfd().collect();
    assert_ne!(decomposed, composed);
    assert_eq!(nfc(&decomposed), composed);
    assert_eq!(nfc("\u{d0}ặng Văn \u{256}ông \u{189}"), "Đặng Văn đông Đ");
    assert!(matches!(nfc(composed), Cow::Borrowed(_)));
}

#[test]
fn words_that_are_no_syllables_keep_their_tones() {
    for text in ["Noël", "Müller", "Pleikú", "Krôngá", "toànạ", "hoàa", "São", "x̀y"] {
        assert_eq!(traditional(text), nfc(text), "{text}");
    }
}

#[test]
fn tones_move_to_where_the_style_puts_them() {
    for (old, new) in [
        ("hòa", "hoà"),
        ("HÒA", "HOÀ"),
        ("khỏe", "khoẻ"),
        ("thủy", "thuỷ"),
        ("Thúy", "Thuý"),
        ("Thới Hòa", "Thới Hoà"),
        ("xòe", "xoè"),
        ("ngóa-", "ngoá-"),
    ] {
        assert_eq!((traditional(new).as_str(), modern(old).as_str()), (old, new));
        assert_eq!((traditional(old).as_str(), modern(new).as_str()), (old, new));
    }
}

#[test]
fn qu_and_gi_begin_a_syllable_and_bear_no_tone() {
    for (wrong, right) in [
        ("qúy", "quý"),
        ("Qúi", "Quí"),
        ("qủa", "quả"),
        ("gìa", "già"),
        ("gíao", "giáo"),
        ("hòan", "hoàn"),
        ("tòan", "toàn"),
        ("khúyu", "khuýu"),
        ("tíêng", "tiếng"),
    ] {
        assert_eq!(
            (traditional(wrong).as_str(), modern(wrong).as_str()),
            (right, right),
            "{wrong}"
        );
    }
    for right in [
        "quý",
        "Quỳnh",
        "quốc",
        "quyết",
        "gì",
        "gìn",
        "giữ",
        "giếng",
        "giặt",
        "mùa",
        "cửa",
        "kìa",
        "của",
        "Huế",
        "thuở",
        "người",
        "rượu",
        "khuỷu",
        "ngoài",
        "xoáy",
        "uống",
        "yếu",
        "ý",
        "Nguyễn",
        "Đắk Lắk",
        "nghiêng",
    ] {
        assert_eq!((traditional(right).as_str(), modern(right).as_str()), (right, right));
    }
}

#[test]
fn the_fold_key_forgets_accents_case_signs_and_tone_places() {
    for text in ["Nguyễn Thị Hoà", "NGUYỄN  THỊ HÒA", "nguyen thi hoa", "Nguyễn-Thị.Hòa\u{200b}"]
    {
        assert_eq!(fold(text), "nguyenthihoa", "{text}");
    }
    assert_eq!(fold("Đỗ \u{d0}ức \u{256}ạt"), "doducdat");
    assert_ne!(fold("Lý"), fold("Lí"));
    assert_eq!(fold_i_and_y("Lý"), fold_i_and_y("Lí"));
}

#[test]
fn capitals_are_those_of_unicode() {
    assert_eq!(upper("Đặng Thị Thủy ươu"), "ĐẶNG THỊ THỦY ƯƠU");
}

#[test]
fn what_cannot_be_seen_is_cleaned_away() {
    assert_eq!(clean("  Nguyễn\u{a0}\u{200b} Văn\t\n An\u{feff} "), "Nguyễn Văn An");
    assert_eq!(clean("\u{ff30}\u{ff11}２\u{3000}Ａ"), "P12 A");
    assert!(matches!(clean("Nguyen Van An"), Cow::Borrowed(_)));
    assert!(matches!(clean("Nguyễn Văn An"), Cow::Borrowed(_)));
}

#[test]
fn the_list_of_rhymes_is_sorted_and_every_vowel_is_in_one() {
    let rhymes = syllable::rhymes();
    assert!(rhymes.is_sorted());
    for row in VOWELS {
        assert!(rhymes.iter().any(|rhyme| rhyme.contains(row[0])), "{}", row[0]);
    }
}

/// Texts of syllables, right or wrong, which plain random text seldom is.
fn syllables() -> impl Strategy<Value = String> {
    let toned = VOWELS.iter().flatten().collect::<String>();
    proptest::string::string_regex(&format!(
        "((ngh|qu|Qu|gi|Gi|th|Đ|h|K|)(u|o|i|y|)[{toned}](u|y|a|i|n|ch|t|ng|)( |-|)){{1,4}}"
    ))
    .unwrap()
}

proptest! {
    #[test]
    fn composing_twice_equals_once(text in ".{0,30}") {
        let once = nfc(&text).into_owned();
        prop_assert_eq!(nfc(&once), once.as_str());
        prop_assert!(unicode_normalization::is_nfc(&once));
    }

    #[test]
    fn folding_twice_equals_once(text in ".{0,30}") {
        let once = fold(&text);
        prop_assert_eq!(fold(&once), once);
    }

    #[test]
    fn cleaning_twice_equals_once(text in ".{0,30}") {
        let once = clean(&text).into_owned();
        prop_assert_eq!(clean(&once), once.as_str());
    }

    #[test]
    fn placing_tones_twice_equals_once(text in syllables()) {
        for style in [TonePlacement::Traditional, TonePlacement::Modern] {
            let once = place_tones(&text, style).into_owned();
            prop_assert_eq!(place_tones(&once, style), once.as_str());
            prop_assert_eq!(fold(&once), fold(&text));
        }
        prop_assert_eq!(traditional(&modern(&text)), traditional(&text));
        prop_assert_eq!(modern(&traditional(&text)), modern(&text));
    }

    #[test]
    fn placing_tones_of_any_text_keeps_its_letters(text in ".{0,30}") {
        let placed = traditional(&text);
        prop_assert_eq!(traditional(&placed), placed.as_str());
        prop_assert_eq!(fold(&placed), fold(&text));
    }
}
