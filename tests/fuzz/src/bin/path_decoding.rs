//! Request targets: what is decoded is unambiguous, and encoding it anew says the same.

use std::process::ExitCode;

use lienthong_fuzz::Target;
use lienthong_gateway::path;

fn main() -> ExitCode {
    let seeds = [
        "/r1/VN/GOV/H29.12/HOTICH/birth/records",
        "/r1/VN/GOV/H29.12/HOTICH/birth/records/H%E1%BB%93%20s%C6%A1",
        "/a/%2e%2e/b?x=%252e&y=a+b&z=",
        "soDinhDanh=079090000001&ten=Nguy%E1%BB%85n",
    ];
    let target = Target {
        name: "path_decoding",
        seeds: seeds.iter().map(|seed| seed.as_bytes().to_vec()).collect(),
        pieces: &[
            b"/",
            b"//",
            b"/.",
            b"/..",
            b"%2f",
            b"%2F",
            b"%5c",
            b"\\",
            b"%2e",
            b"%25",
            b"%252e",
            b"%c0%af",
            b"%e0%80%af",
            b"%00",
            b"%",
            b"%%",
            b"+",
            b"&",
            b"=",
            b";",
            b"?",
            b"#",
            b"\xc3\xa9",
            b"%C3%A9",
            b"%ff",
            b"%0d%0a",
        ],
    };
    target.run(|input| {
        let Ok(text) = std::str::from_utf8(input) else { return "!not a target".to_owned() };
        format!("{} {}", check_path(text), check_query(text))
    })
}

fn check_path(text: &str) -> String {
    let segments = match path::segments(text) {
        Ok(segments) => segments,
        Err(error) => return format!("!{error:?}"),
    };
    for segment in &segments {
        assert!(!segment.is_empty() && segment != "." && segment != "..");
        assert!(!segment.contains(['/', '\\', '\0']) && !segment.chars().any(char::is_control));
    }
    let rebuilt: String = segments.iter().map(|s| format!("/{}", path::encode(s))).collect();
    assert!(rebuilt.bytes().all(is_plain), "encoding left a character that has a meaning");
    // What grows past the longest target when it is encoded is refused further on.
    if rebuilt.len() <= path::MAX_TARGET {
        assert_eq!(path::segments(&rebuilt).as_ref(), Ok(&segments));
    }
    format!("{} segments", segments.len())
}

fn check_query(text: &str) -> String {
    let pairs = match path::query(text) {
        Ok(pairs) => pairs,
        Err(error) => return format!("!{error:?}"),
    };
    let pair =
        |(name, value): (&str, &str)| format!("{}={}", path::encode(name), path::encode(value));
    let rebuilt = pairs.iter().map(pair).collect::<Vec<_>>().join("&");
    assert!(rebuilt.bytes().all(|b| is_plain(b) || b"=&".contains(&b)));
    if rebuilt.len() <= path::MAX_TARGET {
        assert_eq!(path::query(&rebuilt).as_ref(), Ok(&pairs));
    }
    format!("{} pairs", pairs.iter().count())
}

/// The unreserved characters of RFC 3986, and what encoding itself writes.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~%/".contains(&byte)
}
