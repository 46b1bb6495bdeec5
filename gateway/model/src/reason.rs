//! Why an answer is no: a closed list of stable codes.
//!
//! Each code has a page in `gateway/docs/reasons/`, a side that is at fault, an HTTP status, and a
//! public face: the code the consumer sees, coarser than the recorded one where detail would tell
//! on a person or a service.

use crate::text::Language;

/// Who can mend it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// The participant that asked.
    Consumer,
    /// The participant that holds the data.
    Provider,
    /// This gateway or its operators.
    Gateway,
}

/// Whether sending the same request again can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Retry {
    /// Not without a change to the request, the certificate or the agreement.
    Never,
    /// After a wait.
    Later,
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $status:literal, $side:ident, $retry:ident, $public:ident, $en:literal, $vi:literal;)*) => {
        /// Stable code of a refusal.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum ReasonCode {
            $($(#[$doc])* $name,)*
        }

        impl ReasonCode {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The code as written in answers, evidence, metrics and documentation.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// The HTTP status (RFC 9110) of the refusal.
            #[must_use]
            pub fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }

            /// Who can mend it.
            #[must_use]
            pub fn side(self) -> Side {
                match self { $(Self::$name => Side::$side,)* }
            }

            /// Whether trying again can help.
            #[must_use]
            pub fn retry(self) -> Retry {
                match self { $(Self::$name => Retry::$retry,)* }
            }

            /// The code the consumer sees.
            #[must_use]
            pub fn public(self) -> Self {
                match self { $(Self::$name => Self::$public,)* }
            }

            /// A short title for people.
            #[must_use]
            pub fn title(self, language: Language) -> &'static str {
                match (self, language) {
                    $((Self::$name, Language::English) => $en,
                      (Self::$name, Language::Vietnamese) => $vi,)*
                }
            }
        }
    };
}

reasons! {
    /// The certificate is trusted but belongs to no participant.
    ConsumerUnknown = "consumer.unknown", 401, Consumer, Never, ConsumerUnknown,
        "certificate belongs to no participant", "chứng thư không thuộc đơn vị nào đã đăng ký";
    /// The participant is suspended.
    ConsumerSuspended = "consumer.suspended", 403, Consumer, Never, ConsumerSuspended,
        "participant is suspended", "đơn vị đang bị tạm ngừng kết nối";
    /// The certificate stands on a revocation list.
    ConsumerCertificateRevoked = "consumer.certificate_revoked", 401, Consumer, Never, ConsumerCertificateRevoked,
        "certificate is revoked", "chứng thư đã bị thu hồi";
    /// The certificate's validity has not begun or has ended.
    ConsumerCertificateExpired = "consumer.certificate_expired", 401, Consumer, Never, ConsumerCertificateExpired,
        "certificate is not within its validity", "chứng thư ngoài thời hạn hiệu lực";
    /// The revocation list needed to judge the certificate is missing or stale.
    ConsumerRevocationUnknown = "consumer.revocation_unknown", 401, Gateway, Later, ConsumerRevocationUnknown,
        "revocation of the certificate cannot be judged", "không kiểm tra được trạng thái thu hồi của chứng thư";
    /// `X-Road-Client` names a participant that this certificate may not act for.
    ConsumerMismatch = "consumer.mismatch", 403, Consumer, Never, ConsumerMismatch,
        "certificate may not act for the named participant", "chứng thư không được thay mặt đơn vị đã nêu";
    /// The connection sheet shown for a token is not that of the certificate's participant.
    ConsumerCredentials = "consumer.credentials", 401, Consumer, Never, ConsumerCredentials,
        "credentials are not those of this participant", "thông tin kết nối không phải của đơn vị này";
    /// The bearer token is none of ours, was changed, or its connection sheet is another by now.
    ConsumerTokenInvalid = "consumer.token_invalid", 401, Consumer, Never, ConsumerTokenInvalid,
        "token is not valid", "mã truy cập không hợp lệ";
    /// The bearer token's time is over.
    ConsumerTokenExpired = "consumer.token_expired", 401, Consumer, Never, ConsumerTokenExpired,
        "token has expired", "mã truy cập đã hết hạn";
    /// The bearer token was given to another certificate.
    ConsumerTokenMismatch = "consumer.token_mismatch", 401, Consumer, Never, ConsumerTokenInvalid,
        "token was given to another certificate", "mã truy cập được cấp cho chứng thư khác";
    /// The consumer sends faster than its agreement allows.
    ConsumerRateLimited = "consumer.rate_limited", 429, Consumer, Later, ConsumerRateLimited,
        "request rate of the agreement is exceeded", "vượt tốc độ yêu cầu của thỏa thuận";
    /// Too many requests of the consumer are in flight.
    QuotaInFlight = "quota.in_flight", 429, Consumer, Later, QuotaInFlight,
        "too many requests in flight", "quá nhiều yêu cầu đồng thời";
    /// The agreement's data subjects of the day are used up.
    QuotaDataSubjects = "quota.data_subjects", 429, Consumer, Later, QuotaDataSubjects,
        "data subjects of the day are used up", "đã hết hạn mức chủ thể dữ liệu trong ngày";
    /// The officer has asked about as many data subjects this hour as the agreement allows.
    QuotaOfficerSubjects = "quota.officer_subjects", 429, Consumer, Later, QuotaOfficerSubjects,
        "data subjects of the officer's hour are used up", "cán bộ đã hết hạn mức chủ thể dữ liệu trong giờ";
    /// Too many of the officer's last answers found nobody, which looks like guessing.
    QuotaEnumeration = "quota.enumeration", 429, Consumer, Later, QuotaEnumeration,
        "too many answers found nobody", "quá nhiều câu trả lời không tìm thấy";
    /// The stream has as many elements as the agreement allows.
    QuotaElements = "quota.elements", 429, Consumer, Never, QuotaElements,
        "elements of the stream are used up", "đã hết hạn mức phần tử của luồng dữ liệu";
    /// The counters of the day cannot be read or written, so that nothing may be counted on them.
    QuotaUnavailable = "quota.unavailable", 503, Gateway, Later, QuotaUnavailable,
        "quota cannot be judged", "không kiểm tra được hạn mức";
    /// Evidence of the exchange cannot be kept, so it does not happen.
    EvidenceUnavailable = "evidence.unavailable", 503, Gateway, Later, EvidenceUnavailable,
        "evidence cannot be kept", "không lưu được chứng cứ";
    /// The consumer closed the connection before an answer was ready; only the record says so.
    ConsumerGone = "consumer.gone", 499, Consumer, Later, ConsumerGone,
        "consumer went away before the answer", "đơn vị ngắt kết nối trước khi có câu trả lời";
    /// No such service, or none that an agreement opens to this consumer: the two look the same.
    ServiceNotAvailable = "service.not_available", 404, Consumer, Never, ServiceNotAvailable,
        "service is not available to this consumer", "dịch vụ không khả dụng đối với đơn vị này";
    /// The path is ambiguous: encoded slash, dot segment, double encoding, backslash or bad UTF-8.
    RequestPath = "request.path", 400, Consumer, Never, RequestPath,
        "path is ambiguous", "đường dẫn không rõ ràng";
    /// The method or an upgrade is not spoken here.
    RequestMethod = "request.method", 405, Consumer, Never, RequestMethod,
        "method is not allowed", "phương thức không được phép";
    /// A header of the protocol is missing, repeated or malformed.
    RequestHeader = "request.header", 400, Consumer, Never, RequestHeader,
        "header is missing or malformed", "tiêu đề thiếu hoặc sai dạng";
    /// The body is not strict JSON: syntax, UTF-8, duplicate key or depth.
    RequestMalformed = "request.malformed", 400, Consumer, Never, RequestMalformed,
        "body is malformed", "nội dung sai định dạng";
    /// The body is larger than the operation allows.
    RequestTooLarge = "request.too_large", 413, Consumer, Never, RequestTooLarge,
        "body is too large", "nội dung quá lớn";
    /// The body did not arrive before its deadline.
    RequestTimeout = "request.timeout", 408, Consumer, Later, RequestTimeout,
        "request did not arrive in time", "yêu cầu không đến kịp thời hạn";
    /// The media type or content coding is not the operation's.
    RequestMediaType = "request.media_type", 415, Consumer, Never, RequestMediaType,
        "media type is not accepted", "loại nội dung không được chấp nhận";
    /// A parameter or the body does not match its schema.
    RequestSchema = "request.schema", 400, Consumer, Never, RequestSchema,
        "request does not match its schema", "yêu cầu không khớp lược đồ";
    /// A parameter or field that the service does not declare.
    RequestUndeclaredField = "request.undeclared_field", 400, Consumer, Never, RequestUndeclaredField,
        "request has an undeclared parameter or field", "yêu cầu có tham số hoặc trường chưa khai báo";
    /// The agreement knows several purposes and the request names none.
    PurposeRequired = "purpose.required", 400, Consumer, Never, PurposeRequired,
        "purpose must be named", "phải nêu mục đích";
    /// The agreement does not allow the named purpose.
    PurposeNotPermitted = "purpose.not_permitted", 403, Consumer, Never, PurposeNotPermitted,
        "purpose is not permitted by the agreement", "mục đích không được thỏa thuận cho phép";
    /// The agreement was changed or withdrawn while an answer under it streamed.
    AgreementChanged = "agreement.changed", 403, Consumer, Never, AgreementChanged,
        "agreement was changed or withdrawn", "thỏa thuận đã được sửa đổi hoặc chấm dứt";
    /// The agreement's term has not begun.
    AgreementNotYetValid = "agreement.not_yet_valid", 403, Consumer, Later, AgreementNotYetValid,
        "agreement is not yet valid", "thỏa thuận chưa có hiệu lực";
    /// The agreement's term has ended.
    AgreementExpired = "agreement.expired", 403, Consumer, Never, AgreementExpired,
        "agreement has expired", "thỏa thuận đã hết hiệu lực";
    /// The agreement demands the officer (`X-Road-UserId`).
    AgreementOfficerRequired = "agreement.officer_required", 403, Consumer, Never, AgreementOfficerRequired,
        "agreement requires the officer to be named", "thỏa thuận yêu cầu nêu mã cán bộ";
    /// The agreement demands the dossier (`X-Road-Issue`).
    AgreementDossierRequired = "agreement.dossier_required", 403, Consumer, Never, AgreementDossierRequired,
        "agreement requires the dossier to be named", "thỏa thuận yêu cầu nêu mã hồ sơ";
    /// A rule forbids the exchange.
    PolicyDenied = "policy.denied", 403, Consumer, Never, PolicyDenied,
        "a rule forbids this exchange", "một quy tắc cấm trao đổi này";
    /// A rule could not be evaluated, which counts as a deny.
    PolicyError = "policy.error", 403, Gateway, Never, PolicyDenied,
        "a rule could not be evaluated", "không đánh giá được một quy tắc";
    /// The data subject has not consented. Also what the consumer sees when a consent was refused,
    /// withdrawn, has expired, is restricted, objected to or used up.
    ConsentNotGiven = "consent.not_given", 403, Consumer, Never, ConsentNotGiven,
        "the data subject's consent is not in force", "chủ thể dữ liệu không có sự đồng ý đang có hiệu lực";
    /// The data subject was asked and said no.
    ConsentRefused = "consent.refused", 403, Consumer, Never, ConsentNotGiven,
        "consent was refused", "chủ thể dữ liệu đã từ chối";
    /// The consent was withdrawn.
    ConsentWithdrawn = "consent.withdrawn", 403, Consumer, Never, ConsentNotGiven,
        "consent was withdrawn", "sự đồng ý đã được rút lại";
    /// The consent's period has ended, or has not begun.
    ConsentExpired = "consent.expired", 403, Consumer, Never, ConsentNotGiven,
        "consent is not within its period", "sự đồng ý ngoài thời hạn";
    /// The data subject has restricted the processing.
    ConsentRestricted = "consent.restricted", 403, Consumer, Never, ConsentNotGiven,
        "processing is restricted", "việc xử lý đang bị hạn chế";
    /// The data subject has objected to the processing.
    ConsentObjected = "consent.objected", 403, Consumer, Never, ConsentNotGiven,
        "the data subject has objected", "chủ thể dữ liệu đã phản đối";
    /// The consent was for one exchange, which has been.
    ConsentUsed = "consent.used", 403, Consumer, Never, ConsentNotGiven,
        "consent was for one exchange", "sự đồng ý chỉ dùng cho một lần trao đổi";
    /// What the decision rests on cannot be known for sure now, so that it is no.
    FactsUnavailable = "facts.unavailable", 503, Gateway, Later, FactsUnavailable,
        "facts for the decision are unavailable", "không có đủ căn cứ để quyết định";
    /// What the agreement lets pass does not make a request the provider accepts.
    DisclosureUnfulfillable = "disclosure.unfulfillable", 403, Consumer, Never, DisclosureUnfulfillable,
        "the agreement does not let a needed field pass", "thỏa thuận không cho phép truyền một trường cần thiết";
    /// No connection to the provider.
    ProviderUnreachable = "provider.unreachable", 502, Provider, Later, ProviderUnreachable,
        "provider is unreachable", "không kết nối được bên cung cấp";
    /// The provider did not answer in time.
    ProviderTimeout = "provider.timeout", 504, Provider, Later, ProviderTimeout,
        "provider did not answer in time", "bên cung cấp không trả lời kịp thời hạn";
    /// The provider already handles as many requests as it may be sent.
    ProviderBusy = "provider.busy", 503, Provider, Later, ProviderBusy,
        "provider is busy", "bên cung cấp đang quá tải";
    /// The provider answered with a status the service does not declare.
    ProviderRefused = "provider.refused", 502, Provider, Never, ProviderRefused,
        "provider refused the request", "bên cung cấp từ chối yêu cầu";
    /// The answer broke off or its length lies.
    ProviderInterrupted = "provider.interrupted", 502, Provider, Later, ProviderInterrupted,
        "answer of the provider broke off", "câu trả lời của bên cung cấp bị gián đoạn";
    /// The answer is larger than the operation allows.
    ProviderTooLarge = "provider.too_large", 502, Provider, Never, ProviderTooLarge,
        "answer of the provider is too large", "câu trả lời của bên cung cấp quá lớn";
    /// The answer's media type or coding is not the operation's.
    ProviderMediaType = "provider.media_type", 502, Provider, Never, ProviderMediaType,
        "answer of the provider has the wrong media type", "câu trả lời của bên cung cấp sai loại nội dung";
    /// The answer is not strict JSON.
    ProviderMalformed = "provider.malformed", 502, Provider, Never, ProviderMalformed,
        "answer of the provider is malformed", "câu trả lời của bên cung cấp sai định dạng";
    /// The answer does not match its schema, or a mask cannot be applied to it.
    ProviderSchema = "provider.schema", 502, Provider, Never, ProviderSchema,
        "answer of the provider does not match its schema", "câu trả lời của bên cung cấp không khớp lược đồ";
    /// The certificate is trusted but belongs to no operator.
    OperatorUnknown = "operator.unknown", 401, Consumer, Never, OperatorUnknown,
        "certificate belongs to no operator", "chứng thư không thuộc đầu mối vận hành, giám sát nào";
    /// The operator is suspended, or today is not within its term.
    OperatorNotInForce = "operator.not_in_force", 403, Consumer, Never, OperatorNotInForce,
        "operator is not in force", "đầu mối vận hành, giám sát đang tạm ngừng hoặc ngoài thời hạn";
    /// The operator's role does not allow this.
    OperatorRole = "operator.role", 403, Consumer, Never, OperatorRole,
        "role does not allow this", "vai trò không được làm việc này";
    /// There is no such thing to administer or to read.
    OperatorNotFound = "operator.not_found", 404, Consumer, Never, OperatorNotFound,
        "there is no such thing here", "không có nội dung này";
    /// There is no such consent, or none that this collector may see: the two look the same.
    ConsentUnknown = "consent.unknown", 404, Consumer, Never, ConsentUnknown,
        "there is no such consent here", "không có sự đồng ý này";
    /// The consent is in a state that does not allow the change, or its revision is another by now.
    ConsentState = "consent.state", 409, Consumer, Never, ConsentState,
        "the consent's state does not allow this", "trạng thái của sự đồng ý không cho phép việc này";
    /// No agreement in force rests on consent for what the statement names.
    ConsentNoAgreement = "consent.no_agreement", 422, Consumer, Never, ConsentNoAgreement,
        "no agreement rests on this consent", "không có thỏa thuận nào dựa trên sự đồng ý này";
    /// The notice is unknown, is shown in another wording by now, or does not cover the statement.
    ConsentNotice = "consent.notice", 422, Consumer, Never, ConsentNotice,
        "the notice does not cover this consent", "nội dung thông báo không bao gồm sự đồng ý này";
    /// The person is a child, and the statement names no representative, or lacks the child's own agreement.
    ConsentRepresentativeRequired = "consent.representative_required", 422, Consumer, Never, ConsentRepresentativeRequired,
        "a representative is required", "phải có người đại diện";
    /// The statement does not say that the minimum account level of the agreement was met.
    ConsentAccountLevel = "consent.account_level", 422, Consumer, Never, ConsentAccountLevel,
        "the account level was not met", "mức tài khoản định danh chưa đạt";
    /// The collector's participant is a recipient, and no other party has proven the person's will.
    ConsentOwnFavour = "consent.own_favour", 403, Consumer, Never, ConsentOwnFavour,
        "a consent in one's own favour needs a proof from another party", "ghi nhận sự đồng ý có lợi cho chính mình phải có xác nhận của bên khác";
    /// The collector may not act for this service or through this channel.
    ConsentCollector = "consent.collector", 403, Consumer, Never, ConsentCollector,
        "the collector may not do this", "đơn vị thu thập không được làm việc này";
    /// The gateway handles as many requests as it may.
    GatewayOverloaded = "gateway.overloaded", 503, Gateway, Later, GatewayOverloaded,
        "gateway is overloaded", "cổng đang quá tải";
    /// The gateway ended while an answer was on its way; only the record says so.
    GatewayStopping = "gateway.stopping", 503, Gateway, Later, GatewayStopping,
        "gateway is ending", "cổng đang dừng";
    /// An internal state that must not occur; refused.
    GatewayInternal = "gateway.internal", 500, Gateway, Later, GatewayInternal,
        "internal error of the gateway", "lỗi nội bộ của cổng";
}

impl std::fmt::Display for ReasonCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for ReasonCode {
    type Err = crate::id::IdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .iter()
            .copied()
            .find(|code| code.as_str() == text)
            .ok_or(crate::id::IdError { expected: "a reason code" })
    }
}
