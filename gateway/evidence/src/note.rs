//! Signed notes: text with signatures below it, `c2sp.org/signed-note`.
//!
//! Only Ed25519 signatures are made and judged. Signatures of keys that are not known here are left
//! alone, so that others may add theirs; a note counts when a known key has signed it, and never
//! when a known key's signature is wrong.
//!
//! A signer may hold the key before its own too, and a verifier several keys of one name: so a log
//! changes its key and stays the same log.

use std::fmt;

use aws_lc_rs::{
    rand::{self, SystemRandom},
    signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use lienthong_model::sensitive::Sensitive;

use crate::hash::Hash;

/// The type of signature that begins a public key, and counts into its id.
const ED25519_TYPE: u8 = 1;
/// Largest note that is read: room for many signatures of others.
pub const MAX_NOTE: usize = 64 << 10;
/// Most signatures that are looked at.
const MAX_SIGNATURES: usize = 64;
const PRIVATE: &str = "PRIVATE+KEY+";

/// Why a text is not what it should be, or was signed by nobody we know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Not the text of a key.
    #[error("not a key of a signed note")]
    Key,
    /// A key name is not of the form.
    #[error("a key name has neither spaces nor `+`")]
    Name,
    /// Not a signed note.
    #[error("not a signed note")]
    Form,
    /// No signature of a known key.
    #[error("not signed by the expected key")]
    Unknown,
    /// A signature of a known key that is wrong.
    #[error("signature is wrong")]
    Signature,
    /// The library refused to make or use a key.
    #[error("key cannot be used")]
    Unusable,
}

/// Who signs: a name, and the id of its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyName {
    name: String,
    id: u32,
}

impl KeyName {
    fn new(name: &str, public: &[u8]) -> Result<Self, NoteError> {
        let plain = |c: char| !c.is_whitespace() && !c.is_control() && c != '+';
        if name.is_empty() || !name.chars().all(plain) {
            return Err(NoteError::Name);
        }
        let signed = [name.as_bytes(), b"\n", &[ED25519_TYPE], public].concat();
        let [a, b, c, d, ..] = *Hash::of(&signed).as_bytes();
        Ok(Self { name: name.to_owned(), id: u32::from_be_bytes([a, b, c, d]) })
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// Name and key id, as keys are told apart where they are used.
impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{:08x}", self.name, self.id)
    }
}

/// Most keys that a verifier takes.
const MAX_KEYS: usize = 16;

/// A public key and the name it signs under; with it others of the same name, the newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verifier {
    key: KeyName,
    public: Vec<u8>,
    others: Vec<(KeyName, Vec<u8>)>,
}

impl Verifier {
    /// Reads `name+id+key`, or a line of it for each of several keys of one name.
    ///
    /// # Errors
    /// When the text is not of this form, the id is another, or the names differ.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let mut lines = text.trim_end_matches('\n').split('\n');
        let mut verifier = Self::parse_line(lines.next().ok_or(NoteError::Key)?)?;
        for line in lines {
            let Self { key, public, .. } = Self::parse_line(line)?;
            verifier.add(key, public)?;
        }
        Ok(verifier)
    }

    /// Takes signatures of this key too.
    fn add(&mut self, key: KeyName, public: Vec<u8>) -> Result<(), NoteError> {
        let known = self.keys().any(|(other, _)| *other == key);
        if key.name != self.key.name || known || self.others.len() + 1 >= MAX_KEYS {
            return Err(NoteError::Name);
        }
        self.others.push((key, public));
        Ok(())
    }

    fn keys(&self) -> impl Iterator<Item = (&KeyName, &[u8])> {
        let others = self.others.iter().map(|(key, public)| (key, public.as_slice()));
        std::iter::once((&self.key, self.public.as_slice())).chain(others)
    }

    fn parse_line(text: &str) -> Result<Self, NoteError> {
        let mut parts = text.splitn(3, '+');
        let mut part = || parts.next().ok_or(NoteError::Key);
        let (name, id, key) = (part()?, part()?, part()?);
        let key = STANDARD.decode(key).map_err(|_| NoteError::Key)?;
        let public = match key.split_first() {
            Some((&ED25519_TYPE, public)) if public.len() == 32 => public.to_vec(),
            _ => return Err(NoteError::Key),
        };
        let key = KeyName::new(name, &public)?;
        if format!("{:08x}", key.id) != id {
            return Err(NoteError::Key);
        }
        Ok(Self { key, public, others: Vec::new() })
    }

    /// Whose key it is: of several the newest.
    #[must_use]
    pub fn key(&self) -> &KeyName {
        &self.key
    }

    /// The text of a note, once its signature has been found right.
    ///
    /// # Errors
    /// When it is no note, not signed by one of these keys, or wrongly by any of them.
    pub fn open<'a>(&self, note: &'a [u8]) -> Result<&'a str, NoteError> {
        let (text, signatures) = split(note)?;
        let mut signed = false;
        for line in signatures {
            let (name, signature) = signature(line)?;
            let Some((id, signature)) = signature.split_first_chunk::<4>() else {
                return Err(NoteError::Form);
            };
            let id = u32::from_be_bytes(*id);
            for (_, public) in self.keys().filter(|(key, _)| key.name == name && key.id == id) {
                let key = UnparsedPublicKey::new(&ED25519, public);
                key.verify(text.as_bytes(), signature).map_err(|_| NoteError::Signature)?;
                signed = true;
            }
        }
        if signed { Ok(text) } else { Err(NoteError::Unknown) }
    }
}

/// The form that `parse` reads, and other tools for signed notes.
impl fmt::Display for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (name, public)) in self.keys().enumerate() {
            let key = [&[ED25519_TYPE], public].concat();
            let end = if place == 0 { "" } else { "\n" };
            write!(f, "{end}{name}+{}", STANDARD.encode(key))?;
        }
        Ok(())
    }
}

/// Text and signature lines of a note.
fn split(note: &[u8]) -> Result<(&str, Vec<&str>), NoteError> {
    let note = std::str::from_utf8(note).map_err(|_| NoteError::Form)?;
    if note.len() > MAX_NOTE || note.chars().any(|c| c < ' ' && c != '\n') {
        return Err(NoteError::Form);
    }
    let end = note.rfind("\n\n").ok_or(NoteError::Form)?;
    let (text, signatures) = note.split_at_checked(end + 1).ok_or(NoteError::Form)?;
    let signatures = signatures.strip_prefix('\n').ok_or(NoteError::Form)?;
    let signatures = signatures.strip_suffix('\n').ok_or(NoteError::Form)?;
    let lines: Vec<&str> = signatures.split('\n').take(MAX_SIGNATURES + 1).collect();
    if lines.len() > MAX_SIGNATURES { Err(NoteError::Form) } else { Ok((text, lines)) }
}

/// Name and signature of a signature line.
fn signature(line: &str) -> Result<(&str, Vec<u8>), NoteError> {
    let parts = line.strip_prefix("— ").and_then(|line| line.split_once(' '));
    let (name, signature) = parts.ok_or(NoteError::Form)?;
    let signature = STANDARD.decode(signature).map_err(|_| NoteError::Form)?;
    Ok((name, signature))
}

/// A private key and the name it signs under.
pub struct Signer {
    verifier: Verifier,
    pair: Ed25519KeyPair,
    seed: Sensitive<[u8; 32]>,
    previous: Option<Box<Signer>>,
}

impl Signer {
    /// A new key.
    ///
    /// # Errors
    /// When the name is no key name, or there is no randomness.
    pub fn generate(name: &str) -> Result<Self, NoteError> {
        let mut seed = [0; 32];
        let random: &dyn rand::SecureRandom = &SystemRandom::new();
        random.fill(&mut seed).map_err(|_| NoteError::Unusable)?;
        Self::from_seed(name, Sensitive::new(seed))
    }

    /// The key of a seed.
    ///
    /// # Errors
    /// When the name is no key name.
    pub fn from_seed(name: &str, seed: Sensitive<[u8; 32]>) -> Result<Self, NoteError> {
        let pair =
            Ed25519KeyPair::from_seed_unchecked(seed.expose()).map_err(|_| NoteError::Unusable)?;
        let public = pair.public_key().as_ref().to_vec();
        let key = KeyName::new(name, &public)?;
        let verifier = Verifier { key, public, others: Vec::new() };
        Ok(Self { verifier, pair, seed, previous: None })
    }

    /// The same, and the key before it signs too: whoever knows only that one can still verify, and
    /// what it alone has signed is still known.
    ///
    /// # Errors
    /// When the other is of another name, or the same key.
    pub fn after(mut self, previous: Self) -> Result<Self, NoteError> {
        let Verifier { key, public, .. } = previous.verifier.clone();
        self.verifier.add(key, public)?;
        self.previous = Some(Box::new(previous));
        Ok(self)
    }

    /// Reads `PRIVATE+KEY+name+id+key`.
    ///
    /// # Errors
    /// When the text is not of this form, or the id is another.
    pub fn parse(text: &Sensitive<String>) -> Result<Self, NoteError> {
        let text = text.expose().trim_end_matches('\n');
        let mut parts = text.strip_prefix(PRIVATE).ok_or(NoteError::Key)?.splitn(3, '+');
        let mut part = || parts.next().ok_or(NoteError::Key);
        let (name, id, key) = (part()?, part()?, part()?);
        let key = Sensitive::new(STANDARD.decode(key).map_err(|_| NoteError::Key)?);
        let Some((&ED25519_TYPE, seed)) = key.expose().split_first() else {
            return Err(NoteError::Key);
        };
        let seed: [u8; 32] = seed.try_into().map_err(|_| NoteError::Key)?;
        let signer = Self::from_seed(name, Sensitive::new(seed))?;
        if format!("{:08x}", signer.verifier.key.id) != id {
            return Err(NoteError::Key);
        }
        Ok(signer)
    }

    /// The form that `parse` reads.
    #[must_use]
    pub fn secret(&self) -> Sensitive<String> {
        let mut key = vec![ED25519_TYPE];
        key.extend_from_slice(self.seed.expose());
        let key = Sensitive::new(key);
        Sensitive::new(format!("{PRIVATE}{}+{}", self.verifier.key, STANDARD.encode(key.expose())))
    }

    /// The public half; with that of the previous key, while there is one.
    #[must_use]
    pub fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// A text with a signature below it. The text ends with a line break.
    #[must_use]
    pub fn sign(&self, text: &str) -> String {
        let previous = self.previous.as_ref().map(|key| key.line(text)).unwrap_or_default();
        format!("{text}\n{}{previous}", self.line(text))
    }

    fn line(&self, text: &str) -> String {
        let KeyName { name, id } = &self.verifier.key;
        let signature = self.pair.sign(text.as_bytes());
        let signature = [id.to_be_bytes().as_slice(), signature.as_ref()].concat();
        format!("— {name} {}\n", STANDARD.encode(signature))
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Signer").field(&self.verifier.key).finish()
    }
}

#[cfg(test)]
mod tests;
