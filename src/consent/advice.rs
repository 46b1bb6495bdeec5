//! What to do about a refusal, in one sentence.

use crate::output::Output;

/// The advice for a reason code, where there is one.
pub(super) fn of(reason: &str, output: &Output) -> Option<&'static str> {
    let (vi, en) = match reason {
        "consent.unknown" => (
            "kiểm tra mã bản ghi, và dịch vụ có nằm trong `services` của đơn vị thu thập hay không",
            "check the id, and whether its service is among those of this collector",
        ),
        "consent.state" => (
            "xem bản ghi và lịch sử của nó; sau khi rút lại phải hỏi và ghi nhận sự đồng ý mới",
            "look at the record and its history; after a withdrawal a new consent has to be given",
        ),
        "consent.no_agreement" => (
            "so nội dung đồng ý với thỏa thuận đang hiệu lực: lienthong policy explain",
            "compare the statement with the agreement in force: lienthong policy explain",
        ),
        "consent.notice" => (
            "hiển thị nội dung hiện hành và gửi mã băm của nó: lienthong consent notices",
            "show the present text and send its hash: lienthong consent notices",
        ),
        "consent.representative_required" => (
            "ghi nhận sự đồng ý của cha mẹ hoặc người giám hộ, và của trẻ từ 7 tuổi",
            "have a parent or guardian consent, and the child too from the age of seven",
        ),
        "consent.account_level" => (
            "yêu cầu người dân đăng nhập bằng tài khoản định danh đúng mức",
            "have the person log in with an account of the level that the agreement names",
        ),
        "consent.own_favour" => (
            "xin xác nhận có chữ ký của một bên khác và gửi bằng --proof",
            "have a witness of another participant sign the statement and send it with --proof",
        ),
        "consent.collector" => (
            "dùng chứng thư của đúng đơn vị, hoặc sửa mục của đơn vị trong policies/operators.yaml",
            "use the certificate of the desk whose task it is, or have policies/operators.yaml changed",
        ),
        "facts.unavailable" | "evidence.unavailable" | "gateway.overloaded" => (
            "thử lại sau; dùng --idempotency-key để không ghi hai lần; xem trạng thái cổng",
            "try again later, with --idempotency-key so that nothing is recorded twice; look at readiness",
        ),
        "operator.unknown" | "operator.role" | "operator.not_in_force" => (
            "chứng thư này không phải của đơn vị thu thập đang hiệu lực trong policies/operators.yaml",
            "the certificate is of no collector in force in policies/operators.yaml",
        ),
        _ => return None,
    };
    Some(output.choose(vi, en))
}
