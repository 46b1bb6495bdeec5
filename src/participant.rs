//! `lienthong participant`: bring what a participant has today into its file.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use lienthong_gateway::lgsp::{
    ConnectionSheet,
    import::{Existing, ImportError, block, into_file},
};
use lienthong_model::sensitive::Sensitive;
use tempfile::NamedTempFile;

use crate::output::{Exit, Output};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Brings a present LGSP connection sheet into a participant file.
    ///
    /// The sheet is JSON with AppName, AccessKey, SecretKey, PartnerCode and PartnerCodeCus, in any
    /// case. The file gets an `lgsp` block in which the secret is a salted slow hash (Argon2id); the
    /// secret itself is neither written nor printed. Without --into the block is printed.
    ///
    /// Exit code: 0 when done, 1 when the sheet or the file cannot be used, 3 when it could not run.
    ///
    /// Example: lienthong participant import sheet.json --into policies/participants/sai-gon-ward.yaml
    Import(Import),
}

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// The connection sheet.
    sheet: PathBuf,
    /// Participant file to write the block into.
    #[arg(long, value_name = "FILE")]
    into: Option<PathBuf>,
    /// Subsystem the client asks as; needed when the participant does not have exactly one.
    #[arg(long, value_name = "NAME")]
    subsystem: Option<String>,
    /// Puts the block in place of one that is there. Tokens given before end with the next reload.
    #[arg(long, requires = "into")]
    replace: bool,
}

/// Largest file that is read.
const MAX_FILE: u64 = 1 << 20;

pub(crate) fn run(command: Command, output: &Output) -> anyhow::Result<Exit> {
    let Command::Import(arguments) = command;
    warn_of_readers(&arguments.sheet, output);
    let json = Sensitive::new(read(&arguments.sheet)?);
    let sheet = match ConnectionSheet::from_json(json.expose().as_bytes()) {
        Ok(sheet) => sheet,
        Err(error) => {
            let word =
                output.choose("phiếu kết nối không dùng được", "connection sheet is no good");
            output.line(format!("{}: {word}: {error}", arguments.sheet.display()));
            return Ok(Exit::No);
        }
    };
    let Some(file) = &arguments.into else {
        output.line(block(&sheet, arguments.subsystem.as_deref())?.trim_end());
        remind(&arguments.sheet, output);
        return Ok(Exit::Done);
    };
    let (name, text) = (file.display().to_string(), read(file)?);
    let existing = if arguments.replace { Existing::Replace } else { Existing::Keep };
    match into_file((&name, &text), &sheet, arguments.subsystem.as_deref(), existing) {
        Ok(written) => write(file, &written)?,
        Err(ImportError::File(found)) => return Ok(output.mistakes(&found)),
        Err(error) => {
            output.line(format!("{name}: {}", told(&error, output)));
            return Ok(Exit::No);
        }
    }
    let word = output.choose("đã ghi khối `lgsp` vào", "`lgsp` block written to");
    output.line(format!("{word} {name}"));
    remind(&arguments.sheet, output);
    Ok(Exit::Done)
}

fn told(error: &ImportError, output: &Output) -> String {
    let vietnamese = match error {
        ImportError::Hash => "không băm được mã bí mật",
        ImportError::File(_) => "không đọc được tệp",
        ImportError::NoParticipant => "tệp không có `id`, không phải tệp đơn vị",
        ImportError::Present => "tệp đã có khối `lgsp`; dùng --replace để thay",
        ImportError::Subsystem(_) => "phải nêu hệ thống con bằng --subsystem",
        ImportError::UnknownSubsystem => "đơn vị không có hệ thống con này",
        ImportError::Form => "dạng của tệp không cho phép chèn khối; hãy ghi bằng tay",
    };
    let english = match error {
        ImportError::Present => format!("{error}; --replace puts this one in its place"),
        ImportError::Subsystem(_) => format!("{error} with --subsystem"),
        _ => error.to_string(),
    };
    output.choose(vietnamese, &english).to_owned()
}

fn read(path: &Path) -> anyhow::Result<String> {
    let cannot = || format!("cannot read {}", path.display());
    let length = fs::metadata(path).with_context(cannot)?.len();
    anyhow::ensure!(length <= MAX_FILE, "{} is larger than {MAX_FILE} bytes", path.display());
    fs::read_to_string(path).with_context(cannot)
}

/// The file is there whole, as it was or as it is to be, at any moment.
fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let cannot = || format!("cannot write {}", path.display());
    let path = fs::canonicalize(path).with_context(cannot)?;
    let folder = path.parent().with_context(cannot)?;
    let mut file = NamedTempFile::new_in(folder).with_context(cannot)?;
    file.write_all(text.as_bytes()).with_context(cannot)?;
    let permissions = fs::metadata(&path).with_context(cannot)?.permissions();
    file.as_file().set_permissions(permissions).with_context(cannot)?;
    file.as_file().sync_all().with_context(cannot)?;
    file.persist(&path).with_context(cannot)?;
    Ok(())
}

/// A sheet that others may read holds a secret that others may have.
fn warn_of_readers(sheet: &Path, output: &Output) {
    let readable = fs::metadata(sheet).is_ok_and(|data| data.permissions().mode() & 0o077 != 0);
    if readable {
        output.note(format!(
            "{}: {} {}",
            output.choose("lưu ý", "warning"),
            sheet.display(),
            output.choose(
                "cho người khác trên máy này đọc được mã bí mật; cân nhắc xin cấp mã mới",
                "lets others on this machine read the secret; consider asking for a new one",
            )
        ));
    }
}

fn remind(sheet: &Path, output: &Output) {
    output.note(format!(
        "{} {}",
        output.choose(
            "cổng không cần mã bí mật nữa; hãy xoá",
            "the gateway has no more need of the secret; delete",
        ),
        sheet.display()
    ));
}
