//! Distinguished names as RFC 4514 writes them.
//!
//! Takes a parsed name; gives one text for it. Two different names must never give one text, since
//! participants are told apart by it: what cannot be written as a string is written as hexadecimal.

use std::fmt::Write as _;

use x509_parser::{
    asn1_rs::ToDer,
    x509::{AttributeTypeAndValue, X509Name},
};

use super::hex;

/// Short names of RFC 4514 section 3, and two that authorities in Viet Nam use.
const SHORT_NAMES: [(&str, &str); 11] = [
    ("2.5.4.3", "CN"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.6", "C"),
    ("2.5.4.9", "STREET"),
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("0.9.2342.19200300.100.1.1", "UID"),
    ("2.5.4.5", "serialNumber"),
    ("1.2.840.113549.1.9.1", "emailAddress"),
];

/// The name as RFC 4514 writes it: most specific part first, joined by `,` (by `+` inside a
/// multi-valued part), no spaces added.
pub(crate) fn rfc4514(name: &X509Name<'_>) -> String {
    let mut parts: Vec<_> = name.iter_rdn().collect();
    parts.reverse();
    let mut text = String::new();
    for (index, part) in parts.into_iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        for (index, attribute) in part.iter().enumerate() {
            if index > 0 {
                text.push('+');
            }
            write_attribute(&mut text, attribute);
        }
    }
    text
}

fn write_attribute(text: &mut String, attribute: &AttributeTypeAndValue<'_>) {
    let oid = attribute.attr_type().to_id_string();
    let short = SHORT_NAMES.iter().find(|(known, _)| *known == oid).map(|(_, short)| *short);
    text.push_str(short.unwrap_or(&oid));
    text.push('=');
    match (short, attribute.as_str()) {
        (Some(_), Ok(value)) => write_value(text, value),
        // RFC 4514 section 2.4: a type without a short name carries the bytes of its value.
        _ => {
            // A value that cannot be written gets a mark that no hexadecimal text has.
            let value = attribute.attr_value().to_der_vec();
            text.push('#');
            text.push_str(&value.map_or_else(|_| "?".to_owned(), |bytes| hex(&bytes)));
        }
    }
}

fn write_value(text: &mut String, value: &str) {
    let last = value.chars().count().saturating_sub(1);
    for (index, character) in value.chars().enumerate() {
        match character {
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => text.extend(['\\', character]),
            '#' if index == 0 => text.push_str("\\#"),
            ' ' if index == 0 || index == last => text.push_str("\\ "),
            c if c.is_control() => {
                let mut bytes = [0; 4];
                for byte in c.encode_utf8(&mut bytes).bytes() {
                    // Writing to a `String` cannot fail.
                    write!(text, "\\{byte:02X}").unwrap_or_default();
                }
            }
            c => text.push(c),
        }
    }
}
