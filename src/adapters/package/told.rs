//! What the commands on packages say.

use std::path::Path;

use lienthong_adapters::package::{
    Announced, Checked, Closed, Created, Listed, PackageError, PackageId, Received,
};

use super::is_vietnamese;
use crate::output::Output;

/// The stable name of a reason, where the answer is no; nothing where nothing could be tried.
pub(crate) fn code(error: &PackageError) -> Option<&'static str> {
    match error {
        PackageError::Refused(refused) | PackageError::Unrecorded { refused, .. } => {
            Some(refused.code())
        }
        PackageError::Unfit { .. } => Some("package.unfit"),
        PackageError::Empty => Some("package.empty"),
        PackageError::Exists(_) => Some("package.exists"),
        PackageError::Evidence(_) => Some("package.evidence"),
        PackageError::Configuration(_) => Some("package.configuration"),
        PackageError::Source(_)
        | PackageError::Cms(_)
        | PackageError::File { .. }
        | PackageError::Store(_)
        | PackageError::Internal(_) => None,
    }
}

pub(super) fn refused(code: &str, error: &PackageError, output: &Output) -> String {
    if !is_vietnamese(output) {
        return format!("no ({code}): {error}");
    }
    let said = match code {
        "package.truncated" => "tệp bị cắt cụt",
        "package.container" => "tệp không đúng khuôn dạng gói dữ liệu",
        "package.manifest" => "bản kê không hợp lệ",
        "package.signature" => "chữ ký không được chấp nhận",
        "package.foreign" => "gói của người khác hoặc gửi cho người khác",
        "package.agreement" => "gói không đúng thỏa thuận đã cấu hình",
        "package.too_large" => "gói vượt giới hạn",
        "package.tampered" => "gói đã bị sửa hoặc bản kê khai sai",
        "package.encryption" => "không giải mã được",
        "package.record" => "có bản ghi không hợp lệ",
        "package.repeated" => "có hai bản ghi cùng khóa",
        "package.replayed" => "gói này đã được nhận trước đây",
        "package.same_id" => "đã nhận một gói khác có cùng mã",
        "package.receipt" => "biên nhận không được chấp nhận",
        "package.unfit" => "quá nhiều dòng không đạt",
        "package.empty" => "không có dòng nào đạt",
        "package.exists" => "đích đã tồn tại",
        "package.evidence" => "không ghi được nhật ký chứng cứ nên không thực hiện",
        _ => "cấu hình không có mục này",
    };
    format!("không ({code}): {said}: {error}")
}

pub(super) fn created(created: &Created, output: &Output) {
    let Created { package, records, parts, unfit, .. } = created;
    let (file, to) = (created.file.display(), created.recipients.join(", "));
    output.line(match is_vietnamese(output) {
        true => format!("gói {package} cho {to}: {records} bản ghi, {parts} phần, {file}"),
        false => format!("package {package} for {to}: {records} records in {parts} parts, {file}"),
    });
    if let Some(told) = &created.unfit_file {
        let told = told.display();
        output.line(match is_vietnamese(output) {
            true => format!("{unfit} dòng không đạt, không đưa vào gói: {told}"),
            false => format!("{unfit} rows are not fit and were left out: {told}"),
        });
    }
    if let Some(file) = &created.announcement {
        announcement(package, file, output);
    }
}

pub(super) fn announced(announced: &Announced, output: &Output) {
    let Announced { package, file, .. } = announced;
    announcement(package, file, output);
}

fn announcement(package: &PackageId, file: &Path, output: &Output) {
    let file = file.display();
    output.line(match is_vietnamese(output) {
        true => format!("gói {package} được thông báo: {file}"),
        false => format!("package {package} is announced: {file}"),
    });
}

pub(super) fn checked(checked: &Checked, output: &Output) {
    let Checked { package, dataset, sender, records, parts, .. } = checked;
    let to = checked.recipients.join(", ");
    output.line(match is_vietnamese(output) {
        true => format!("gói {package}, tập dữ liệu {dataset}, từ {sender} đến {to}"),
        false => format!("package {package}, data set {dataset}, from {sender} for {to}"),
    });
    output.line(match is_vietnamese(output) {
        true => format!("  {records} bản ghi, {parts} phần, số liệu đến ngày {}", checked.as_of),
        false => format!("  {records} records in {parts} parts, as of {}", checked.as_of),
    });
    let what = checked.checked.join(", ");
    output.line(match is_vietnamese(output) {
        true => format!("  đã kiểm tra: {what}"),
        false => format!("  checked: {what}"),
    });
    if !checked.decrypted {
        output.line(output.choose(
            "  các phần chưa được giải mã: không có khóa giải mã của người nhận",
            "  the parts were not decrypted: there is no key of a recipient here",
        ));
    }
}

pub(super) fn received(received: &Received, output: &Output) {
    let Received { package, records, taken, for_a_person, .. } = received;
    let (folder, receipt) = (received.folder.display(), received.receipt.display());
    output.line(match is_vietnamese(output) {
        true => format!(
            "đã nhận gói {package}: {records} bản ghi, lấy {taken}, cần người quyết định \
             {for_a_person}"
        ),
        false => format!(
            "package {package} is received: {records} records, {taken} taken, {for_a_person} for \
             a person"
        ),
    });
    output.line(match is_vietnamese(output) {
        true => format!("  thư mục: {folder}\n  biên nhận cho bên gửi: {receipt}"),
        false => format!("  folder: {folder}\n  receipt for the sender: {receipt}"),
    });
    for file in &received.handed_over {
        let file = file.display();
        output.line(match is_vietnamese(output) {
            true => format!("  chuyển tiếp: {file}"),
            false => format!("  handed over: {file}"),
        });
    }
}

pub(super) fn closed(closed: &Closed, output: &Output) {
    let Closed { package, receiver, taken, for_a_person, received_at, .. } = closed;
    output.line(match is_vietnamese(output) {
        true => format!(
            "gói {package} đã được {receiver} nhận lúc {received_at}: lấy {taken}, cần người \
             quyết định {for_a_person}"
        ),
        false => format!(
            "package {package} was received by {receiver} at {received_at}: {taken} taken, \
             {for_a_person} for a person"
        ),
    });
}

pub(super) fn listed(listed: &Vec<Listed>, output: &Output) {
    if listed.is_empty() {
        output.line(output.choose("không có gói nào", "no package"));
    }
    for one in listed {
        let Listed { package, way, dataset, participant, records, opened, .. } = one;
        let standing = match (one.open_seconds, one.closed) {
            (Some(seconds), _) => {
                let days = seconds / 86_400;
                match is_vietnamese(output) {
                    true => format!("chờ {days} ngày từ {opened}"),
                    false => format!("open for {days} days, since {opened}"),
                }
            }
            (None, Some(at)) => match is_vietnamese(output) {
                true => format!("xong lúc {at}"),
                false => format!("closed at {at}"),
            },
            (None, None) => String::new(),
        };
        let unit = output.choose("bản ghi", "records");
        output.line(format!("{package}  {way}  {participant}  {dataset}"));
        output.line(format!("  {records} {unit}, {standing}"));
    }
}
