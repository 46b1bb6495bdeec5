//! Writes JSON text in its shortest form.

use std::collections::BTreeMap;

use crate::text_field::Times;

/// An object made of members that come one by one, those of one name into one array.
#[derive(Default)]
pub(crate) struct Members<'n>(BTreeMap<&'n str, (Times, Vec<u8>)>);

impl<'n> Members<'n> {
    /// Adds a member whose value is the JSON text `value`.
    pub(crate) fn add(&mut self, name: &'n str, times: Times, value: &[u8]) {
        let (_, values) = self.0.entry(name).or_insert_with(|| (times, Vec::new()));
        if !values.is_empty() {
            values.push(b',');
        }
        values.extend_from_slice(value);
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        let mut out = vec![b'{'];
        for (name, (times, values)) in self.0 {
            if out.len() > 1 {
                out.push(b',');
            }
            string(name, &mut out);
            out.push(b':');
            match times {
                Times::Once => out.extend_from_slice(&values),
                Times::Repeated => {
                    out.push(b'[');
                    out.extend_from_slice(&values);
                    out.push(b']');
                }
            }
        }
        out.push(b'}');
        out
    }
}

/// Appends `text` as a JSON string, with no escape that is not needed.
pub(crate) fn string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|b| matches!(b, b'"' | b'\\' | 0..=0x1f)) {
        let (plain, tail) = rest.split_at(at);
        out.extend_from_slice(plain);
        let Some((special, tail)) = tail.split_first() else { break };
        match special {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            0x8 => out.extend_from_slice(b"\\b"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\n' => out.extend_from_slice(b"\\n"),
            0xc => out.extend_from_slice(b"\\f"),
            b'\r' => out.extend_from_slice(b"\\r"),
            control => out.extend_from_slice(format!("\\u{control:04x}").as_bytes()),
        }
        rest = tail;
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

#[cfg(test)]
mod tests;
