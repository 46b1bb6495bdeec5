//! The file of a package: a POSIX archive (ustar) with these members in this order and nothing else.
//!
//! In: a file. Out: one member after the other, each asked for by its name and within a size. Any
//! program that reads archives reads it too; but here nothing is passed over, so that no two readers
//! see different packages: no links, no folders, no further members, no bytes behind the end.

use std::io::{self, Read, Write};

use tar::{EntryType, Header};

/// The manifest.
pub(super) const MANIFEST: &str = "manifest.json";
/// Its signature.
pub(super) const SIGNATURE: &str = "manifest.p7s";
/// The schema of a record.
pub(super) const SCHEMA: &str = "schema.json";

/// Bytes that everything is rounded up to.
const BLOCK: usize = 512;
/// Most bytes of zeros at the end: what programs fill up to.
const MAX_END: u64 = 20 * 512 + 2 * 512;

/// The name of a part, counted from one.
pub(super) fn part_name(number: usize) -> String {
    format!("data-{number:04}.p7m")
}

/// Why a file is not a container.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContainerError {
    /// It ends too early.
    #[error("the file ends too early")]
    Truncated,
    /// A header is damaged or of another format.
    #[error("where `{0}` should begin there is no header of a POSIX archive")]
    Header(String),
    /// There is another member, or one of another kind.
    #[error("where `{0}` should be there is another member, or something else than a plain file")]
    Unexpected(String),
    /// A member is larger than it may be.
    #[error("`{0}` is larger than it may be")]
    TooLarge(String),
    /// Something comes after the last member.
    #[error("something comes after the last member")]
    Trailing,
    /// It cannot be read.
    #[error("the file cannot be read")]
    Unreadable,
}

impl From<io::Error> for ContainerError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Truncated,
            _ => Self::Unreadable,
        }
    }
}

/// The members of a container that is read.
#[derive(Debug)]
pub(super) struct Members<R> {
    input: R,
}

impl<R: Read> Members<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input }
    }

    /// The next member, which has to have this name and at most so many bytes.
    pub(super) fn next(&mut self, name: &str, limit: u64) -> Result<Vec<u8>, ContainerError> {
        let mut block = [0; BLOCK];
        self.input.read_exact(&mut block)?;
        let size = size(&block, name)?;
        if size > limit {
            return Err(ContainerError::TooLarge(name.to_owned()));
        }
        let mut bytes = Vec::new();
        let read = self.input.by_ref().take(size).read_to_end(&mut bytes)?;
        if u64::try_from(read) != Ok(size) {
            return Err(ContainerError::Truncated);
        }
        let mut padding = vec![0; read.next_multiple_of(BLOCK).saturating_sub(read)];
        self.input.read_exact(&mut padding)?;
        match padding.iter().all(|byte| *byte == 0) {
            true => Ok(bytes),
            false => Err(ContainerError::Header(name.to_owned())),
        }
    }

    /// Makes sure that nothing comes any more.
    pub(super) fn end(mut self) -> Result<(), ContainerError> {
        let mut rest = Vec::new();
        self.input.by_ref().take(MAX_END.saturating_add(1)).read_to_end(&mut rest)?;
        if rest.iter().any(|byte| *byte != 0) {
            return Err(ContainerError::Trailing);
        }
        let whole = rest.len() >= 2 * BLOCK && rest.len().is_multiple_of(BLOCK);
        match u64::try_from(rest.len()) {
            Ok(length) if length <= MAX_END && whole => Ok(()),
            Ok(length) if length <= MAX_END => Err(ContainerError::Truncated),
            _ => Err(ContainerError::Trailing),
        }
    }
}

/// The size that a header states, if it is that of a plain file of this name.
fn size(block: &[u8; BLOCK], name: &str) -> Result<u64, ContainerError> {
    let header = Header::from_byte_slice(block);
    let damaged = || ContainerError::Header(name.to_owned());
    let posix = header.as_ustar();
    let stated = header.cksum().map_err(|_| damaged())?;
    if (posix.is_none() && header.as_gnu().is_none()) || stated != checksum(block) {
        return Err(damaged());
    }
    // Links have a target, and a long name may have its beginning elsewhere.
    let prefixed = posix.is_some_and(|posix| posix.prefix.first() != Some(&0));
    let plain = header.entry_type() == EntryType::Regular && header.link_name_bytes().is_none();
    if !plain || prefixed || &*header.path_bytes() != name.as_bytes() {
        return Err(ContainerError::Unexpected(name.to_owned()));
    }
    header.entry_size().map_err(|_| damaged())
}

/// The sum of a header's bytes, with blanks where the sum stands.
fn checksum(block: &[u8; BLOCK]) -> u32 {
    let byte =
        |(at, byte): (usize, &u8)| u32::from(if (148..156).contains(&at) { b' ' } else { *byte });
    block.iter().enumerate().map(byte).sum()
}

/// A container that is written.
#[derive(Debug)]
pub(super) struct Writer<W: Write> {
    output: W,
    at: u64,
}

impl<W: Write> Writer<W> {
    /// `at` is what stands as the time of every member, in seconds.
    pub(super) fn new(output: W, at: u64) -> Self {
        Self { output, at }
    }

    /// Adds a member of so many bytes.
    pub(super) fn member(&mut self, name: &str, size: u64, mut from: impl Read) -> io::Result<()> {
        let mut header = Header::new_ustar();
        header.set_path(name)?;
        header.set_size(size);
        header.set_mode(0o600);
        header.set_mtime(self.at);
        header.set_entry_type(EntryType::Regular);
        header.set_cksum();
        self.output.write_all(header.as_bytes())?;
        let copied = io::copy(&mut from.by_ref().take(size), &mut self.output)?;
        if copied != size {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let block = u64::try_from(BLOCK).unwrap_or(512);
        let padding = size.next_multiple_of(block).saturating_sub(size);
        io::copy(&mut io::repeat(0).take(padding), &mut self.output).map(drop)
    }

    /// Ends the container.
    pub(super) fn end(mut self) -> io::Result<W> {
        self.output.write_all(&[0; 2 * BLOCK])?;
        self.output.flush()?;
        Ok(self.output)
    }
}
