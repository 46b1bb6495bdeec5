//! What can be wrong with a secret, and what to do about it, in both languages.

use std::path::PathBuf;

use jiff::civil::Date;
use lienthong_model::{quarter::Quarter, text::Language};
use serde::{Serialize, Serializer, ser::SerializeStruct as _};

use super::Purpose;

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// The configuration names it and it is not there.
    Missing(Purpose),
    /// It cannot be read, for this reason.
    Unreadable(String),
    /// Others than its owner may read it.
    Open(u32),
    /// It holds no such key.
    Form(Purpose),
    /// The certificate cannot be read.
    Certificate(PathBuf),
    /// The key does not belong to the certificate.
    Pair(PathBuf),
    /// The certificate has ended, or ends soon.
    Ends(PathBuf, Date),
    /// This quarter has no key: exchanges are refused.
    ThisQuarter(Quarter),
    /// The next quarter has no key, and begins soon.
    NextQuarter(Quarter),
    /// A key that is named after no quarter.
    NoQuarter,
    /// A key that was to be destroyed and is still there.
    Unfinished(Quarter),
    /// The period of the pseudonym key is over.
    PeriodOver(String),
    /// The log has another origin than the name of the key.
    Origin(String),
    /// The newest checkpoint of the log was signed by neither this key nor the one before.
    NotSigned,
    /// The checkpoint of the log cannot be read.
    Checkpoint,
    /// The previous key has another name.
    PreviousName,
    /// A rotation broke off: the previous key is the current one.
    Halfway,
    /// The same key serves two purposes.
    Shared(String),
}

impl Problem {
    /// What is wrong.
    #[must_use]
    pub fn text(&self, language: Language) -> String {
        match language {
            Language::English => self.english(),
            Language::Vietnamese => self.vietnamese(),
        }
    }

    fn english(&self) -> String {
        match self {
            Self::Missing(_) => "is missing".to_owned(),
            Self::Unreadable(why) => format!("cannot be read: {why}"),
            Self::Open(mode) => format!("others than its owner may read it (mode {mode:04o})"),
            Self::Form(purpose) => format!("holds no key of this kind: {}", form(*purpose)),
            Self::Certificate(file) => format!("certificate `{}` cannot be read", file.display()),
            Self::Pair(file) => format!("does not belong to the certificate `{}`", file.display()),
            Self::Ends(file, day) => format!("certificate `{}` ends on {day}", file.display()),
            Self::ThisQuarter(quarter) => {
                format!("there is no key for this quarter, {quarter}: exchanges are refused")
            }
            Self::NextQuarter(quarter) => {
                let day = quarter.first_day();
                format!("there is no key for the next quarter, {quarter}, which begins on {day}")
            }
            Self::NoQuarter => "is named after no quarter such as `2026-q4.key`".to_owned(),
            Self::Unfinished(quarter) => {
                format!("the key of {quarter} was to be destroyed and is still there")
            }
            Self::PeriodOver(period) => format!("its period, {period}, is over"),
            Self::Origin(origin) => format!("the log is `{origin}`, the key has another name"),
            Self::NotSigned => "has not signed the newest checkpoint of the log".to_owned(),
            Self::Checkpoint => "the checkpoint of the log cannot be read".to_owned(),
            Self::PreviousName => "the previous key has another name".to_owned(),
            Self::Halfway => "is the current key too: a rotation broke off".to_owned(),
            Self::Shared(setting) => format!("is the key of `{setting}` too"),
        }
    }

    fn vietnamese(&self) -> String {
        match self {
            Self::Missing(_) => "không có".to_owned(),
            Self::Unreadable(why) => format!("không đọc được: {why}"),
            Self::Open(mode) => format!("người khác ngoài chủ tệp đọc được (quyền {mode:04o})"),
            Self::Form(purpose) => format!("không phải khóa loại này: {}", form(*purpose)),
            Self::Certificate(file) => format!("không đọc được chứng thư `{}`", file.display()),
            Self::Pair(file) => format!("không phải khóa của chứng thư `{}`", file.display()),
            Self::Ends(file, day) => format!("chứng thư `{}` hết hạn ngày {day}", file.display()),
            Self::ThisQuarter(quarter) => {
                format!("quý này, {quarter}, chưa có khóa: mọi trao đổi bị từ chối")
            }
            Self::NextQuarter(quarter) => {
                let day = quarter.first_day();
                format!("quý sau, {quarter}, bắt đầu ngày {day}, chưa có khóa")
            }
            Self::NoQuarter => "tên tệp không phải tên quý như `2026-q4.key`".to_owned(),
            Self::Unfinished(quarter) => format!("khóa của {quarter} lẽ ra đã hủy mà vẫn còn"),
            Self::PeriodOver(period) => format!("kỳ {period} của khóa đã qua"),
            Self::Origin(origin) => format!("nhật ký là `{origin}`, khóa mang tên khác"),
            Self::NotSigned => "không ký điểm kiểm tra mới nhất của nhật ký".to_owned(),
            Self::Checkpoint => "không đọc được điểm kiểm tra của nhật ký".to_owned(),
            Self::PreviousName => "khóa trước mang tên khác".to_owned(),
            Self::Halfway => "trùng với khóa hiện hành: lần đổi khóa trước bị dở dang".to_owned(),
            Self::Shared(setting) => format!("cũng là khóa của `{setting}`"),
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn remedy(&self, language: Language) -> String {
        let choose = |vietnamese: &str, english: &str| match language {
            Language::English => english.to_owned(),
            Language::Vietnamese => vietnamese.to_owned(),
        };
        match self {
            Self::Missing(purpose) | Self::Form(purpose) => make(*purpose),
            Self::Unreadable(_) | Self::Checkpoint => {
                choose("kiểm tra quyền và đĩa", "look at permissions and the disk")
            }
            Self::Open(_) => choose(
                "chmod 600; cân nhắc đổi khóa vì người khác có thể đã đọc",
                "chmod 600; consider a new key, since others may have read it",
            ),
            Self::Certificate(_) | Self::Pair(_) | Self::Ends(..) => choose(
                "xin chứng thư mới: lienthong keys rotate, hoặc keys new với khóa không thuộc cổng",
                "ask for a new certificate: lienthong keys rotate, or keys new for a key that is not the gateway's",
            ),
            Self::ThisQuarter(quarter) | Self::NextQuarter(quarter) => format!(
                "lienthong keys new digest --period {quarter}; {}",
                choose("chép sang mọi nút", "copy it to every node")
            ),
            Self::NoQuarter => choose("dời tệp đi nơi khác", "move it elsewhere"),
            Self::Unfinished(quarter) => format!("lienthong keys destroy {quarter}"),
            Self::PeriodOver(_) => "lienthong keys rotate pseudonym --period …".to_owned(),
            Self::Origin(_) | Self::PreviousName => choose(
                "một nhật ký giữ nguyên tên khóa; dùng đúng tệp khóa",
                "a log keeps the name of its key; use the right file",
            ),
            Self::NotSigned => choose(
                "đặt khóa cũ vào `evidence.previous_key_file`",
                "put the older key into `evidence.previous_key_file`",
            ),
            Self::Halfway => {
                choose("chạy lại lienthong keys rotate", "run lienthong keys rotate again")
            }
            Self::Shared(_) => choose("tạo khóa riêng", "make a key of its own"),
        }
    }
}

/// What the file of such a key holds.
fn form(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Tls
        | Purpose::Provider
        | Purpose::Cms
        | Purpose::Adapters
        | Purpose::NdcSignature
        | Purpose::PackageSignature
        | Purpose::PackageDecryption => "PEM, PKCS#8",
        Purpose::ConsentReceipt => "PEM, PKCS#8, P-256",
        Purpose::Evidence => "PRIVATE+KEY+name+id+key",
        Purpose::Digest
        | Purpose::Pseudonym
        | Purpose::Lgsp
        | Purpose::ConsentSubject
        | Purpose::ConsentSeal
        | Purpose::OutboxSeal => "64 × [0-9a-f]",
    }
}

fn make(purpose: Purpose) -> String {
    let more = match purpose {
        Purpose::Tls
        | Purpose::Provider
        | Purpose::Cms
        | Purpose::Adapters
        | Purpose::NdcSignature
        | Purpose::PackageSignature
        | Purpose::PackageDecryption => " --name … --out …",
        Purpose::Evidence => " --name … --out …",
        Purpose::Digest => " --period …",
        Purpose::Pseudonym
        | Purpose::Lgsp
        | Purpose::ConsentSubject
        | Purpose::ConsentSeal
        | Purpose::ConsentReceipt
        | Purpose::OutboxSeal => " --out …",
    };
    format!("lienthong keys new {purpose}{more}")
}

/// Something wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The setting that names the secret.
    pub setting: String,
    /// Its file.
    pub file: PathBuf,
    /// What is wrong.
    pub problem: Problem,
}

impl Serialize for Finding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_struct("Finding", 4)?;
        map.serialize_field("setting", &self.setting)?;
        map.serialize_field("file", &self.file)?;
        map.serialize_field("problem", &self.problem.text(Language::English))?;
        map.serialize_field("remedy", &self.problem.remedy(Language::English))?;
        map.end()
    }
}
