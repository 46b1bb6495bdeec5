use proptest::prelude::*;

use super::*;
use crate::vietnamese::letter::{VOWELS, upper};

const NAME: &str = "Nguyễn Thị Hường, phường Bến Thành";
/// The same as an old export shows it.
const NAME_TCVN3: &str = "NguyÔn ThÞ H\u{ad}êng, ph\u{ad}êng BÕn Thµnh";
const NAME_VNI: &str = "Nguyeãn Thò Höôøng, phöôøng Beán Thaønh";

/// VNI letters as its documentation lists them: each vowel without a tone, then with huyền, hỏi,
/// ngã, sắc, nặng.
const VNI: [[&str; 6]; 12] = [
    ["a", "aø", "aû", "aõ", "aù", "aï"],
    ["aê", "aè", "aú", "aü", "aé", "aë"],
    ["aâ", "aà", "aå", "aã", "aá", "aä"],
    ["e", "eø", "eû", "eõ", "eù", "eï"],
    ["eâ", "eà", "eå", "eã", "eá", "eä"],
    ["i", "ì", "æ", "ó", "í", "ò"],
    ["o", "oø", "oû", "oõ", "où", "oï"],
    ["oâ", "oà", "oå", "oã", "oá", "oä"],
    ["ô", "ôø", "ôû", "ôõ", "ôù", "ôï"],
    ["u", "uø", "uû", "uõ", "uù", "uï"],
    ["ö", "öø", "öû", "öõ", "öù", "öï"],
    ["y", "yø", "yû", "yõ", "yù", "î"],
];

fn alphabet() -> impl Iterator<Item = (char, &'static str)> {
    let marked = VOWELS.into_iter().flatten().zip(VNI.into_iter().flatten());
    marked.chain([('đ', "ñ")])
}

/// The other way, for round trips: what a program of the time would have written.
fn to_tcvn3(text: &str) -> String {
    let code = |letter: char| (0xa1..=0xfe).find(|byte| tcvn3::letter(*byte) == Some(letter));
    text.chars().map(|c| if c.is_ascii() { c } else { char::from(code(c).unwrap()) }).collect()
}

fn to_vni(text: &str) -> String {
    let code = |letter: char| {
        let small = letter.to_lowercase().next().unwrap();
        let (_, code) = alphabet().find(|(other, _)| *other == small).unwrap();
        if small == letter { code.to_owned() } else { code.to_uppercase() }
    };
    text.chars().map(|c| if c.is_ascii() { c.to_string() } else { code(c) }).collect()
}

fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect()
}

#[test]
fn what_makes_sense_in_two_ways_or_in_none_is_not_converted() {
    // TCVN3 would read Lờ, VNI Hồ.
    for text in ["Lê", "Hoà", "Tú Anh"] {
        assert_eq!(detect(text), Detected::Ambiguous, "{text}");
    }
    for text in ["Müller", "François", "Zoë"] {
        assert_eq!(detect(text), Detected::Foreign, "{text}");
    }
    for text in ["A\u{b8}\u{ff}", "B¬n xyzµ¸", "Nguy¤nn"] {
        assert_eq!(detect(text), Detected::Garbled, "{text}");
    }
    for text in ["", "Nguyen Van An", "Nguyễn Văn An", "100 m²", "Hà Nội", "Lê Hoà", "«Nguyễn»"]
    {
        assert_eq!(detect(text), Detected::Unicode, "{text}");
    }
    for text in ["«An»", "37 °C", "10m²"] {
        assert_eq!(detect(text), Detected::Unicode, "{text}");
    }
    for text in ["4 × 20", "4m×20m"] {
        assert_eq!(detect(text), Detected::Ambiguous, "{text}");
    }
    assert_eq!(detect_bytes(b"Nguy\x00\xff\x81"), Detected::Garbled);
    assert_eq!(detect_bytes(b"M\xfcller"), Detected::Garbled);
}

#[test]
fn old_exports_are_recognised_and_converted() {
    for (text, encoding) in [(NAME_TCVN3, LegacyEncoding::Tcvn3), (NAME_VNI, LegacyEncoding::Vni)] {
        assert_eq!(detect(text), Detected::Legacy(encoding));
        assert_eq!(decode(encoding, text).as_deref(), Some(NAME));
        assert_eq!(detect_bytes(&latin1(text)), Detected::Legacy(encoding));
        assert_eq!(decode_bytes(encoding, &latin1(text)).as_deref(), Some(NAME));
    }
    assert_eq!(decode(LegacyEncoding::Tcvn3, "Ninh B×nh").as_deref(), Some("Ninh Bình"));
    assert_eq!(
        decode(LegacyEncoding::Vni, "Xin chaøo caùc baïn").as_deref(),
        Some("Xin chào các bạn")
    );
    assert_eq!(detect_bytes(NAME.as_bytes()), Detected::Unicode);
}

#[test]
fn a_conversion_is_reported_and_done_only_where_the_rule_says_so() {
    fn names(raw: Raw<'_>, rule: TextEncoding) -> Result<(String, Conversion), ConversionError> {
        to_unicode(raw, rule).map(|c| (c.text.into_owned(), c.conversion))
    }
    let bytes = latin1(NAME_TCVN3);
    for raw in [Raw::Text(NAME_TCVN3), Raw::Bytes(&bytes)] {
        assert!(names(raw, TextEncoding::Refused).is_err());
        let converted = Conversion::From(LegacyEncoding::Tcvn3);
        let expected = Ok((NAME.to_owned(), converted));
        assert_eq!(names(raw, TextEncoding::Detected), expected);
        assert_eq!(names(raw, TextEncoding::Known(LegacyEncoding::Tcvn3)), expected);
        assert!(names(raw, TextEncoding::Known(LegacyEncoding::Vni)).is_err());
    }
    let bytes = NAME.as_bytes();
    for raw in [Raw::Text(NAME), Raw::Bytes(bytes)] {
        for rule in [TextEncoding::Refused, TextEncoding::Unicode, TextEncoding::Detected] {
            assert_eq!(names(raw, rule), Ok((NAME.to_owned(), Conversion::None)));
        }
    }
    assert!(names(Raw::Text(NAME), TextEncoding::Known(LegacyEncoding::Tcvn3)).is_err());
    assert!(names(Raw::Bytes(&latin1(NAME_VNI)), TextEncoding::Unicode).is_err());
    let unclear = Ok(("Lê".to_owned(), Conversion::Unclear));
    assert_eq!(names(Raw::Text("Lê"), TextEncoding::Detected), unclear);
    assert!(names(Raw::Text("Nguy¤nn"), TextEncoding::Detected).is_err());
    let known = names(Raw::Bytes(b"Lan"), TextEncoding::Known(LegacyEncoding::Vni));
    assert_eq!(known, Ok(("Lan".to_owned(), Conversion::None)));
}

#[test]
fn refuses_what_the_encoding_does_not_have() {
    assert_eq!(decode(LegacyEncoding::Tcvn3, NAME), None);
    assert_eq!(decode(LegacyEncoding::Vni, NAME), None);
    assert_eq!(decode(LegacyEncoding::Tcvn3, "\u{b2}"), None);
    // A mark with no vowel before it.
    assert_eq!(decode(LegacyEncoding::Vni, "øa"), None);
    assert_eq!(decode_bytes(LegacyEncoding::Tcvn3, b"An\x81"), None);
}

#[test]
fn a_font_of_capitals_shows_small_codes_among_capitals() {
    let decoded = |text| decode(LegacyEncoding::Tcvn3, text).unwrap();
    assert_eq!(decoded("TRÇN V¡N §øC"), "TRẦN VĂN ĐỨC");
    assert_eq!(decoded("TRÇN V¨N"), "TRẦN VĂN");
    assert_eq!(decoded("Vâ"), "Võ");
    assert_eq!(decoded("Lª Hµ"), "Lê Hà");
    assert_eq!(decode(LegacyEncoding::Vni, "TRAÀN VAÊN ÑÖÙC").unwrap(), "TRẦN VĂN ĐỨC");
    assert_eq!(decode(LegacyEncoding::Vni, "AÙnh YÙ").unwrap(), "Ánh Ý");
}

#[test]
fn the_whole_alphabet_makes_the_round_trip() {
    for (letter, vni) in alphabet() {
        assert_eq!(decode(LegacyEncoding::Vni, vni), Some(letter.to_string()), "{vni}");
        let capital = upper(letter);
        assert_eq!(
            decode(LegacyEncoding::Vni, &to_vni(&capital.to_string())),
            Some(capital.to_string())
        );
        let tcvn3 = to_tcvn3(&letter.to_string());
        assert_eq!(decode(LegacyEncoding::Tcvn3, &tcvn3), Some(letter.to_string()));
    }
    for capital in ['Ă', 'Â', 'Ê', 'Ô', 'Ơ', 'Ư', 'Đ'] {
        let tcvn3 = to_tcvn3(&capital.to_string());
        assert_eq!(decode(LegacyEncoding::Tcvn3, &tcvn3), Some(capital.to_string()));
    }
    let codes: std::collections::BTreeSet<char> = (0x80..=0xff).filter_map(tcvn3::letter).collect();
    assert_eq!(codes.len(), 60 + 6 + 1 + 7);
}

proptest! {
    #[test]
    fn texts_make_the_round_trip(
        text in "[A-Za-zàảãáạăằẳẵắặâầẩẫấậđèẻẽéẹêềểễếệìỉĩíịòỏõóọôồổỗốộơờởỡớợùủũúụưừửữứựỳỷỹýỵ ,.]{0,30}z",
    ) {
        prop_assert_eq!(decode(LegacyEncoding::Tcvn3, &to_tcvn3(&text)), Some(text.clone()));
        let vni = to_vni(&text);
        prop_assert_eq!(decode(LegacyEncoding::Vni, &vni), Some(text));
    }

    #[test]
    fn no_bytes_break_detection(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
        prop_assert_eq!(detect_bytes(&bytes), detect_bytes(&bytes));
        for encoding in [LegacyEncoding::Tcvn3, LegacyEncoding::Vni] {
            if detect_bytes(&bytes) == Detected::Legacy(encoding) {
                prop_assert!(decode_bytes(encoding, &bytes).is_some());
            }
        }
    }
}
