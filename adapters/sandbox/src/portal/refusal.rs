//! The portal's refusals: a code and a text without any value.
//!
//! Error codes of the real portal other than success are not public: all of these are the
//! stand-in's own, and stand in the manual.

/// A refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PortalError {
    pub(crate) code: &'static str,
    pub(crate) text: &'static str,
}

macro_rules! refusals {
    ($($name:ident = $code:literal, $text:literal;)*) => {
        $(pub(crate) const $name: PortalError = PortalError { code: $code, text: $text };)*
        /// Every code, for the manual and its test.
        #[cfg(test)]
        pub(crate) const ALL: &[PortalError] = &[$($name),*];
    };
}

refusals! {
    SESSION_EXPIRED = "101", "phien lam viec da het han";
    LOGIN_FAILED = "102", "sai tai khoan hoac mat khau";
    MALFORMED = "103", "du lieu sai cau truc";
    UNKNOWN_CALL = "104", "dich vu khong ton tai";
    UNKNOWN_AGENCY = "105", "ma don vi khong ton tai";
    MINUTE_QUOTA = "106", "vuot qua so lan goi trong mot phut";
    ACCOUNT_QUOTA = "107", "vuot qua so lan goi cua tai khoan trong ngay";
    SESSION_QUOTA = "108", "phien lam viec da dung het so lan goi";
    TOO_MANY_RECORDS = "109", "qua nhieu ban ghi trong mot lan goi";
    UNKNOWN_PROCEDURE = "201", "ma thu tuc khong ton tai";
    WRONG_DATE = "202", "ngay thang sai dinh dang";
    ILLEGAL_TRANSITION = "203", "chuyen trang thai khong hop le";
    OTHER_CONTENT = "204", "da ton tai voi noi dung khac";
    UNKNOWN_CASE = "205", "ho so khong ton tai";
    MISSING_FIELD = "206", "thieu truong bat buoc";
    TOO_LONG = "207", "noi dung qua dai";
    FUTURE_DATE = "208", "thoi diem trong tuong lai";
    UNKNOWN_RECORD = "209", "ban ghi khong ton tai";
    UNKNOWN_NUMBER = "210", "so ho so chua duoc cap";
    UNKNOWN_WARD = "211", "ma phuong xa khong con hieu luc";
    FILE_TYPE = "301", "loai tep khong duoc nhan";
    FILE_SIZE = "302", "tep qua lon hoac rong";
    FULL = "901", "kho luu tru da day";
}
