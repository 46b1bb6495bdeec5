//! What must not be heard, and every spelling of it.

use std::{collections::BTreeSet, sync::LazyLock};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};

/// Stands in every text that must not come out; in no name, mask or message.
pub(super) const CANARY: &str = "Zq7canary";

/// The shortest other secret that is listened for: a shorter one is in a pseudonym by chance.
const SHORTEST: usize = 10;

/// Spellings of the canary other than itself, in lower case where `true`.
static SPELLINGS: LazyLock<Vec<(String, bool)>> = LazyLock::new(|| {
    let hex = CANARY.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut all = vec![(CANARY.to_lowercase(), true), (hex, true)];
    for text in [CANARY, &CANARY.to_lowercase()] {
        // Wherever it begins within three bytes: the ends depend on what stands around it.
        for before in 0..3 {
            let encoded = STANDARD_NO_PAD.encode([&b"\0\0"[..before], text.as_bytes()].concat());
            let first = (before * 8).div_ceil(6);
            let last = (before + text.len()) * 8 / 6;
            all.push((encoded.get(first..last).expect("ASCII").to_owned(), false));
        }
    }
    all
});

/// The secrets of one body.
#[derive(Debug, Default)]
pub(super) struct Listener {
    secrets: BTreeSet<String>,
}

impl Listener {
    /// Listens for a value without the canary in it, such as a number.
    pub(super) fn listen_for(&mut self, secret: &str) {
        if secret.len() >= SHORTEST && !secret.contains(CANARY) {
            self.secrets.insert(secret.to_owned());
        }
    }

    /// The first secret that `out` holds, plainly or in another spelling.
    pub(super) fn hears(&self, out: &[u8]) -> Option<String> {
        if out.is_empty() {
            return None;
        }
        for heard in [out.to_vec(), unescaped(out), decoded(out)] {
            let lower = heard.to_ascii_lowercase();
            let holds =
                |text: &[u8], part: &str| memchr::memmem::find(text, part.as_bytes()).is_some();
            for (spelling, in_lower) in SPELLINGS.iter() {
                if holds(if *in_lower { &lower } else { &heard }, spelling) {
                    return Some(spelling.clone());
                }
            }
            let secret = self.secrets.iter().find(|secret| holds(&heard, secret));
            if let Some(secret) = secret {
                return Some(secret.clone());
            }
        }
        None
    }
}

/// The text without the escapes of JSON.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        let unit = (*first == b'\\' && rest.first() == Some(&b'u')).then(|| rest.get(1..5));
        let unit = unit.flatten().and_then(|digits| std::str::from_utf8(digits).ok());
        match unit.and_then(|digits| u32::from_str_radix(digits, 16).ok()) {
            Some(unit) => {
                let mut buffer = [0; 4];
                let character = char::from_u32(unit).unwrap_or('?');
                out.extend_from_slice(character.encode_utf8(&mut buffer).as_bytes());
                rest = &rest[5..];
            }
            None if *first == b'\\' => {}
            None => out.push(*first),
        }
    }
    out
}

/// The text without the encoding of forms.
fn decoded(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        let digits = (*first == b'%').then(|| rest.get(..2)).flatten();
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                rest = &rest[2..];
            }
            None => out.push(if *first == b'+' { b' ' } else { *first }),
        }
    }
    out
}

#[test]
fn every_spelling_is_heard() {
    let listener = || {
        let mut listener = Listener::default();
        listener.listen_for("079094177603");
        listener
    };
    let padded = |before: &str| STANDARD_NO_PAD.encode(format!("{before}{CANARY} and more"));
    for text in [
        format!("xx{CANARY}xx"),
        CANARY.to_uppercase(),
        CANARY.chars().map(|c| format!("\\u{:04X}", u32::from(c))).collect(),
        "Zq\\u0037canary".to_owned(),
        CANARY.bytes().map(|b| format!("%{b:02x}")).collect(),
        CANARY.bytes().map(|b| format!("{b:02X}")).collect(),
        padded(""),
        padded("a"),
        padded("ab"),
        padded("abc"),
        "\"079094177603\"".to_owned(),
        "07909\\u0034177603".to_owned(),
    ] {
        assert!(listener().hears(text.as_bytes()).is_some(), "{text}");
    }
    assert_eq!(listener().hears(b"{\"a\":\"***7603\",\"b\":\"canary\"}"), None);
}
