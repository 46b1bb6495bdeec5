//! Bodies that mostly fit a world, with a secret wherever it may not come out.

use lienthong_model::{
    field::Pointer,
    mask::Mask,
    schema::{Kind, Schema, StringFormat, StringRules},
};

use super::{
    Dice, Medium,
    listen::{CANARY, Listener},
    world::World,
};
use crate::generate;

/// A body and its type.
pub(super) struct Body {
    pub(super) bytes: Vec<u8>,
    pub(super) content_type: String,
}

/// Makes the bodies of one world.
pub(super) struct Bodies<'a> {
    pub(super) dice: &'a mut Dice,
    pub(super) world: &'a World,
    pub(super) listener: &'a mut Listener,
}

impl Bodies<'_> {
    pub(super) fn body(mut self) -> Body {
        let world = self.world;
        let mut content_type = String::new();
        let mut bytes = match world.medium {
            Medium::JsonAnswer | Medium::JsonRequest | Medium::Array => {
                self.json(&world.schema, &Pointer::root()).into_bytes()
            }
            Medium::Lines => {
                let lines = 0..self.dice.below(4);
                let line = |_| self.json(&world.schema, &Pointer::root()).replace('\n', " ") + "\n";
                lines.map(line).collect::<String>().into_bytes()
            }
            Medium::FormAnswer | Medium::FormRequest => self.form().into_bytes(),
            Medium::PartsAnswer | Medium::PartsRequest => {
                "multipart/form-data; boundary=\"c u t\"".clone_into(&mut content_type);
                self.parts()
            }
        };
        if self.dice.one_in(12) && !bytes.is_empty() {
            let at = self.dice.below(bytes.len());
            match self.dice.below(3) {
                0 => bytes.truncate(at),
                _ if self.may_grow() => {}
                1 => bytes[at] = *self.dice.pick(b"{}[],:\"\\ n0&=%-\r\n\xff"),
                _ => bytes.insert(at, *self.dice.pick(b"{}[],:\"\\ n0&=%-\r\n\xff")),
            }
        }
        Body { bytes, content_type }
    }

    /// Whether a change of one byte could make a field that passes of what was withheld after it:
    /// what separates fields of a form, and parts, can stand in them too.
    fn may_grow(&self) -> bool {
        let passes = self.world.masks.keys().any(|at| self.world.passes(at));
        let separated = !matches!(
            self.world.medium,
            Medium::JsonAnswer | Medium::JsonRequest | Medium::Lines | Medium::Array
        );
        passes && separated
    }

    /// Whether fields may be there that no schema names, or that break theirs where it does not
    /// count.
    fn is_answer(&self) -> bool {
        !matches!(
            self.world.medium,
            Medium::JsonRequest | Medium::FormRequest | Medium::PartsRequest
        )
    }

    /// A text with the canary in it.
    fn secret(&mut self) -> String {
        let (before, after) = (4 + self.dice.below(4), 4 + self.dice.below(4));
        format!("{}{CANARY}{}", self.dice.letters(before), self.dice.letters(after))
    }

    /// What a leaf that is a text holds; nothing of a secret one may come out but what its mask
    /// keeps.
    fn text(&mut self, rules: &StringRules, at: &Pointer) -> String {
        let passes = self.world.passes(at);
        // No value that passes is by chance one that must not.
        let (year, first) = if passes { (2000, '0') } else { (1900, '7') };
        let year = year + self.dice.below(100);
        let (month, day) = (10 + self.dice.below(3), 10 + self.dice.below(18));
        let text = match rules.format {
            Some(StringFormat::CitizenNumber) => format!("{first}{}", self.dice.digits(11)),
            Some(_) => format!("{year}-{month}-{day}"),
            None if rules.pattern.is_some() => format!("{year}{month}{day}"),
            None if !rules.allowed.is_empty() => self.dice.pick(&rules.allowed).clone(),
            None if passes => {
                let count = 12 + self.dice.below(9);
                self.dice.letters(count)
            }
            None => self.secret(),
        };
        if !passes {
            let kept = match self.world.masks.get(at) {
                Some(Some(Mask::KeepFirst(count))) => text.get(usize::from(*count)..),
                Some(Some(Mask::KeepLast(count))) => text.get(..text.len() - usize::from(*count)),
                _ => Some(text.as_str()),
            };
            self.listener.listen_for(kept.unwrap_or_default());
        }
        text
    }

    /// The text of a leaf that is not a text in JSON.
    fn scalar(&mut self, kind: &Kind, at: &Pointer) -> String {
        if matches!(kind, Kind::Boolean) {
            return (*self.dice.pick(&["true", "false"])).to_owned();
        }
        if self.world.passes(at) {
            return self.dice.below(100).to_string();
        }
        let number = self.dice.digits(13);
        self.listener.listen_for(&number);
        number
    }

    fn spelt(&mut self, text: &str) -> String {
        match self.dice.below(8) {
            0 => generate::escaped(text, true),
            1 => generate::escaped(text, false),
            _ => serde_json::Value::from(text).to_string(),
        }
    }

    fn blank(&mut self) -> &'static str {
        self.dice.pick::<&'static str>(&["", "", "", " ", "\t\r "])
    }

    /// Any value with the canary in it.
    fn anything(&mut self, depth: usize) -> String {
        let secret = self.secret();
        let spelt = self.spelt(&secret);
        match self.dice.below(4) {
            0 if depth > 0 => format!("[{} ,{spelt}]", self.anything(depth - 1)),
            1 if depth > 0 => format!("{{\"a\":{},\"x\" : {spelt}}}", self.anything(depth - 1)),
            _ => spelt,
        }
    }

    fn json(&mut self, schema: &Schema, at: &Pointer) -> String {
        match &schema.kind {
            Kind::Object(rules) => {
                let mut members = Vec::new();
                for (name, schema) in &rules.properties {
                    let times = match self.dice.below(80) {
                        0 => 2,
                        1..6 if !rules.required.contains(name) => 0,
                        _ => 1,
                    };
                    for _ in 0..times {
                        let value = self.json(schema, &at.child(name));
                        members.push((self.spelt(name), value));
                    }
                }
                if self.is_answer() && self.dice.one_in(8) || self.dice.one_in(80) {
                    members.push(("\"la\"".to_owned(), self.anything(3)));
                }
                self.dice.shuffle(&mut members);
                let blank = self.blank();
                let members: Vec<String> =
                    members.iter().map(|(name, value)| format!("{name}{blank}:{value}")).collect();
                format!("{{{blank}{}{blank}}}", members.join(&format!("{blank},")))
            }
            Kind::Array(rules) => {
                let count = self.dice.below(4);
                let items: Vec<String> =
                    (0..count).map(|_| self.json(&rules.items, &at.child("*"))).collect();
                format!("[{}{}]", self.blank(), items.join(","))
            }
            kind => self.leaf(schema, kind, at),
        }
    }

    fn leaf(&mut self, schema: &Schema, kind: &Kind, at: &Pointer) -> String {
        let withheld = matches!(self.world.masks.get(at), None | Some(Some(Mask::Drop)));
        if withheld && self.is_answer() && self.dice.one_in(3) {
            return self.anything(3);
        }
        if self.dice.one_in(150) {
            let misfit = if self.world.passes(at) { "[7]".to_owned() } else { self.anything(3) };
            return misfit;
        }
        if schema.nullable && self.dice.one_in(5) {
            return "null".to_owned();
        }
        match kind {
            Kind::String(rules) => {
                let text = self.text(rules, at);
                self.spelt(&text)
            }
            Kind::Tree if self.world.passes(at) => "\"benign\"".to_owned(),
            Kind::Tree => self.anything(0),
            kind => self.scalar(kind, at),
        }
    }

    /// A leaf as a text: a field of a form, a part of text.
    fn plain(&mut self, schema: &Schema, at: &Pointer) -> String {
        let withheld = matches!(self.world.masks.get(at), None | Some(Some(Mask::Drop)));
        if withheld && self.is_answer() && self.dice.one_in(3) {
            return self.secret();
        }
        if self.dice.one_in(150) {
            return if self.world.passes(at) { "misfit".to_owned() } else { self.secret() };
        }
        match &schema.kind {
            Kind::String(rules) => self.text(rules, at),
            kind => self.scalar(kind, at),
        }
    }

    fn form(&mut self) -> String {
        let world = self.world;
        let Kind::Object(rules) = &world.schema.kind else { return String::new() };
        let mut pairs = Vec::new();
        for (name, schema) in &rules.properties {
            for (schema, at) in self.times(name, schema) {
                let value = self.plain(schema, &at);
                pairs.push(format!("{}={}", self.encoded(name), self.encoded(&value)));
            }
        }
        if self.is_answer() && self.dice.one_in(8) || self.dice.one_in(80) {
            let secret = self.secret();
            pairs.push(format!("la={}", self.encoded(&secret)));
        }
        self.dice.shuffle(&mut pairs);
        pairs.join("&")
    }

    /// How often a field stands: the schema and place of each time.
    fn times<'s>(&mut self, name: &str, schema: &'s Schema) -> Vec<(&'s Schema, Pointer)> {
        let at = Pointer::root().child(name);
        match &schema.kind {
            Kind::Array(rules) => vec![(&*rules.items, at.child("*")); self.dice.below(4)],
            _ if self.dice.one_in(80) => vec![(schema, at); 2],
            _ if self.dice.one_in(30) => Vec::new(),
            _ => vec![(schema, at)],
        }
    }

    fn encoded(&mut self, text: &str) -> String {
        let much = self.dice.one_in(4);
        let mut out = String::new();
        for byte in text.bytes() {
            if much || !byte.is_ascii_alphanumeric() {
                out.push_str(&format!("%{byte:02x}"));
            } else {
                out.push(char::from(byte));
            }
        }
        out
    }

    fn parts(&mut self) -> Vec<u8> {
        let world = self.world;
        let Kind::Object(rules) = &world.schema.kind else { return Vec::new() };
        let mut parts = Vec::new();
        for (name, schema) in &rules.properties {
            for (schema, at) in self.times(name, schema) {
                let (content_type, contents) = match &schema.kind {
                    Kind::Object(_) | Kind::Tree | Kind::Array(_) => {
                        ("application/json", self.json(schema, &at).into_bytes())
                    }
                    Kind::Opaque(_) => self.file(&at),
                    _ => ("text/plain", self.plain(schema, &at).into_bytes()),
                };
                parts.push(part(name, content_type, &contents));
            }
        }
        if self.is_answer() && self.dice.one_in(8) || self.dice.one_in(80) {
            let secret = self.secret();
            parts.push(part("la", "text/html", secret.as_bytes()));
        }
        self.dice.shuffle(&mut parts);
        parts.push(b"--c u t--\r\n".to_vec());
        parts.concat()
    }

    /// A file; one that may not pass, or is not what it says, has a secret in it.
    fn file(&mut self, at: &Pointer) -> (&'static str, Vec<u8>) {
        let secret = self.secret();
        match self.dice.below(40) {
            0 => ("application/pdf", format!("<html>{secret}</html>").into_bytes()),
            1 => ("image/jpeg", format!("%PDF-1.7\n{secret}\n%%EOF").into_bytes()),
            _ if self.world.passes(at) => ("application/pdf", b"%PDF-1.7\nbenign\n%%EOF".to_vec()),
            _ => ("application/pdf", format!("%PDF-1.7\n{secret}\n%%EOF").into_bytes()),
        }
    }
}

/// A part whose file name and other headers must not come out either.
fn part(name: &str, content_type: &str, contents: &[u8]) -> Vec<u8> {
    let head = format!(
        "--c u t\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{CANARY}.pdf\"\r\n\
         X-Name: {CANARY}\r\nContent-Type: {content_type}\r\n\r\n"
    );
    [head.as_bytes(), contents, b"\r\n"].concat()
}
