//! Participants: the organisations known to the gateway.
//!
//! Takes one file of `policies/participants/`; gives a [`Participant`]. No two participants may
//! share a code, an alias or a certificate rule: who asks must never be a matter of order.

use std::{collections::BTreeSet, fmt};

use jiff::civil::Date;
use lienthong_model::{
    diagnostic::{Diagnostics, Position},
    document::{self, MapReader, Node},
    id::{ParticipantId, TrustAnchorId},
    text::Bilingual,
};

pub mod lgsp;
pub mod secret;
mod witness;

use self::lgsp::LgspClient;
pub use self::witness::WitnessKey;
use crate::{
    hash::to_hex,
    read::{
        Claims, Names, Source, address_part, address_text, bilingual_key, date_key, known,
        place_of, word_key, wording,
    },
};

/// An organisation known to the gateway.
#[derive(Debug, Clone, PartialEq)]
pub struct Participant {
    /// Its agency code.
    pub id: ParticipantId,
    /// Its name.
    pub name: Bilingual,
    /// Whom it may act for.
    pub kind: ParticipantKind,
    /// Its X-Road member address.
    pub member: MemberAddress,
    /// Its X-Road subsystems, as consumer or provider.
    pub subsystems: BTreeSet<String>,
    /// Codes it had before the merger.
    pub aliases: Vec<Alias>,
    /// What its certificates look like.
    pub certificates: Vec<CertificateRule>,
    /// Whether it may exchange at all.
    pub status: ParticipantStatus,
    /// Whom to ask.
    pub contact: Contact,
    /// What it shows for a token, when it comes as a present client of the city's LGSP.
    pub lgsp: Option<LgspClient>,
    /// The keys under which it witnesses consents that another collects in its own favour.
    pub witness_keys: Vec<WitnessKey>,
}

/// Whom a participant may act for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParticipantKind {
    /// Itself only.
    Ordinary,
    /// Itself and the members it carries messages for.
    Intermediary {
        /// Those members.
        speaks_for: BTreeSet<ParticipantId>,
    },
}

/// The X-Road address of a member; the code is the agency code.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberAddress {
    /// X-Road instance.
    pub instance: String,
    /// X-Road member class.
    pub class: String,
    /// X-Road member code.
    pub code: ParticipantId,
}

/// A code of the time before the merger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    /// The closed code.
    pub code: ParticipantId,
    /// The last civil date on which it is understood.
    pub until: Date,
}

/// What a certificate of a participant looks like.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CertificateRule {
    /// The trust anchor that must have issued it.
    pub trust_anchor: TrustAnchorId,
    /// What must be equal.
    pub matcher: CertificateMatcher,
}

/// The part of a certificate that must be equal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CertificateMatcher {
    /// The whole subject (RFC 4514).
    Subject(String),
    /// One DNS subject alternative name, lower case.
    San(String),
    /// The SHA-256 of the public key.
    SpkiSha256([u8; 32]),
}

impl fmt::Display for CertificateRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.trust_anchor)?;
        match &self.matcher {
            CertificateMatcher::Subject(subject) => write!(f, "subject {subject}"),
            CertificateMatcher::San(name) => write!(f, "san {name}"),
            CertificateMatcher::SpkiSha256(hash) => write!(f, "spki_sha256 {}", to_hex(hash)),
        }
    }
}

/// Whether a participant may exchange at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParticipantStatus {
    /// It may.
    Active,
    /// Nothing of it or for it passes.
    Suspended,
}

/// Whom to ask at a participant: an office, never a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// The unit.
    pub unit: String,
    /// Its mailbox.
    pub email: String,
}

const KEYS: &[&str] = &[
    "id",
    "name",
    "kind",
    "speaks_for",
    "member",
    "subsystems",
    "aliases",
    "certificates",
    "contact",
    "status",
    "lgsp",
    "witness_keys",
];

/// Reads one participant file.
pub(crate) fn read(
    source: &Source<'_>,
    names: &Names,
    claims: &mut Claims,
    found: &mut Diagnostics,
) -> Option<Participant> {
    let file = source.file;
    let mut map = MapReader::new(file, &source.root, "a participant", KEYS, found)?;
    let id: Option<ParticipantId> = map.parse("id");
    let name = bilingual_key(&mut map, "name");
    let status = word_key(&mut map, "status", STATUSES);
    let kind = read_kind(&mut map, id.as_ref(), names);
    let member = read_member(&mut map, id.as_ref());
    let subsystems = read_subsystems(&mut map);
    let contact = read_contact(&mut map);
    let aliases = map.list("aliases");
    let aliases: Vec<(Alias, Position)> =
        aliases.iter().filter_map(|node| read_alias(file, node, map.found())).collect();
    let rules = map.list("certificates");
    let rules: Vec<(CertificateRule, Position)> =
        rules.iter().filter_map(|node| read_certificate(file, node, map.found())).collect();
    if map.list("certificates").is_empty() && status == Some(ParticipantStatus::Active) {
        let at = map.at();
        map.found().add(file, at, "an active participant needs at least one certificate");
    }
    let lgsp = map.optional("lgsp");
    let lgsp = lgsp.and_then(|node| lgsp::read(file, node, &subsystems, map.found()));
    let witness_keys = witness::read(&mut map);
    let at = place_of(&map, "id");
    if let Some(id) = &id {
        claims.claim("agency code", id.to_string(), (file, at), found);
    }
    for (alias, at) in &aliases {
        claims.claim("agency code", alias.code.to_string(), (file, *at), found);
    }
    for (rule, at) in &rules {
        claims.claim("certificate", rule.to_string(), (file, *at), found);
    }
    for (key, at) in &witness_keys {
        claims.claim("witness key", key.fingerprint(), (file, *at), found);
    }
    if let Some((client, at)) = &lgsp {
        claims.claim("LGSP access key", client.access_key_mark(), (file, *at), found);
    }
    Some(Participant {
        id: id?,
        name: name?,
        kind: kind?,
        member: member?,
        subsystems,
        aliases: aliases.into_iter().map(|(alias, _)| alias).collect(),
        certificates: rules.into_iter().map(|(rule, _)| rule).collect(),
        status: status?,
        contact: contact?,
        lgsp: lgsp.map(|(client, _)| client),
        witness_keys: witness_keys.into_iter().map(|(key, _)| key).collect(),
    })
}

const STATUSES: &[(&str, ParticipantStatus)] =
    &[("active", ParticipantStatus::Active), ("suspended", ParticipantStatus::Suspended)];

#[derive(Clone, Copy)]
enum KindWord {
    Ordinary,
    Intermediary,
}

fn read_kind(
    map: &mut MapReader<'_, '_>,
    id: Option<&ParticipantId>,
    names: &Names,
) -> Option<ParticipantKind> {
    let file = map.file();
    let words = &[("ordinary", KindWord::Ordinary), ("intermediary", KindWord::Intermediary)];
    let kind = word_key(map, "kind", words);
    let listed = map.optional("speaks_for");
    match (kind?, listed) {
        (KindWord::Ordinary, None) => Some(ParticipantKind::Ordinary),
        (KindWord::Ordinary, Some(node)) => {
            let help = "write `kind: intermediary`, or leave `speaks_for` out";
            map.found().add_with_help(
                file,
                node.at,
                "an ordinary participant speaks for itself only",
                help,
            );
            None
        }
        (KindWord::Intermediary, _) => {
            map.required("speaks_for")?;
            let mut speaks_for = BTreeSet::new();
            for node in map.list("speaks_for") {
                let Some(other) = document::parse_text::<ParticipantId>(file, node, map.found())
                else {
                    continue;
                };
                let names = names.participants.iter().map(String::as_str);
                known((file, node.at), "participant", other.as_str(), names, map.found());
                if Some(&other) == id {
                    map.found().add(file, node.at, "a participant need not speak for itself");
                }
                if !speaks_for.insert(other) {
                    map.found().add(file, node.at, "participant stands twice in `speaks_for`");
                }
            }
            Some(ParticipantKind::Intermediary { speaks_for })
        }
    }
}

fn read_member(map: &mut MapReader<'_, '_>, id: Option<&ParticipantId>) -> Option<MemberAddress> {
    let file = map.file();
    let node = map.required("member")?;
    let keys = &["instance", "class", "code"];
    let mut member = MapReader::new(file, node, "a member address", keys, map.found())?;
    let instance = address_part(&mut member, "instance");
    let class = address_part(&mut member, "class");
    let code: Option<ParticipantId> = member.parse("code");
    if let (Some(code), Some(id)) = (&code, id)
        && code != id
    {
        let at = place_of(&member, "code");
        let message = format!("member code `{code}` is not the participant's id");
        member.found().add_with_help(file, at, message, format!("write `code: {id}`"));
    }
    Some(MemberAddress { instance: instance?, class: class?, code: code? })
}

fn read_subsystems(map: &mut MapReader<'_, '_>) -> BTreeSet<String> {
    let file = map.file();
    let mut subsystems = BTreeSet::new();
    for node in map.list("subsystems") {
        let Some(name) = address_text(file, node, "subsystem", map.found()) else { continue };
        if !subsystems.insert(name) {
            map.found().add(file, node.at, "subsystem stands twice");
        }
    }
    subsystems
}

fn read_contact(map: &mut MapReader<'_, '_>) -> Option<Contact> {
    let file = map.file();
    let node = map.required("contact")?;
    let mut contact = MapReader::new(file, node, "a contact", &["unit", "email"], map.found())?;
    let unit = wording(&mut contact, "unit");
    let email = wording(&mut contact, "email");
    if let Some(email) = &email {
        let shaped = email.split_once('@').is_some_and(|(name, domain)| {
            !name.is_empty() && domain.contains('.') && !domain.contains('@')
        });
        if !shaped || email.contains(char::is_whitespace) {
            let at = place_of(&contact, "email");
            contact.found().add(file, at, "`email` is not a mailbox");
        }
    }
    Some(Contact { unit: unit?, email: email? })
}

fn read_alias(file: &str, node: &Node, found: &mut Diagnostics) -> Option<(Alias, Position)> {
    let mut map = MapReader::new(file, node, "an alias", &["code", "until"], found)?;
    let code: Option<ParticipantId> = map.parse("code");
    let at = place_of(&map, "code");
    let until = date_key(&mut map, "until");
    Some((Alias { code: code?, until: until? }, at))
}

const MATCHERS: &[&str] = &["subject", "san", "spki_sha256"];

/// Reads one certificate rule, and where what it compares stands.
pub(crate) fn read_certificate(
    file: &str,
    node: &Node,
    found: &mut Diagnostics,
) -> Option<(CertificateRule, Position)> {
    let keys = &["trust_anchor", "subject", "san", "spki_sha256"];
    let mut map = MapReader::new(file, node, "a certificate rule", keys, found)?;
    let trust_anchor = map.parse("trust_anchor");
    let given: Vec<&str> =
        MATCHERS.iter().copied().filter(|key| map.optional(key).is_some()).collect();
    let [key] = given.as_slice() else {
        let message = "a certificate rule needs exactly one of `subject`, `san`, `spki_sha256`";
        map.found().add(file, node.at, message);
        return None;
    };
    let text = map.text(key)?;
    let matcher = match *key {
        "subject" => read_subject(text),
        "san" => read_san(text),
        _ => read_spki(text),
    };
    let at = place_of(&map, key);
    match matcher {
        Ok(matcher) => Some((CertificateRule { trust_anchor: trust_anchor?, matcher }, at)),
        Err(expected) => {
            map.found().add(file, at, format!("`{key}` must be {expected}"));
            None
        }
    }
}

fn read_subject(text: &str) -> Result<CertificateMatcher, &'static str> {
    let shaped = text.len() <= 512
        && text.contains('=')
        && text.trim() == text
        && !text.contains(char::is_control);
    shaped
        .then(|| CertificateMatcher::Subject(text.to_owned()))
        .ok_or("a whole subject such as `CN=a,O=b,C=VN` (RFC 4514, most specific part first)")
}

fn read_san(text: &str) -> Result<CertificateMatcher, &'static str> {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    (text.len() <= 253 && text.split('.').all(label))
        .then(|| CertificateMatcher::San(text.to_owned()))
        .ok_or("one DNS name in lower case, without a wildcard")
}

fn read_spki(text: &str) -> Result<CertificateMatcher, &'static str> {
    let wrong = "64 hexadecimal digits in lower case";
    if text.bytes().any(|b| b.is_ascii_uppercase()) {
        return Err(wrong);
    }
    crate::hash::from_hex(text).map(CertificateMatcher::SpkiSha256).ok_or(wrong)
}

#[cfg(test)]
mod tests;
