//! The exchanges that the demo shows, in order, each with the end it must have.

use lienthong_model::{reason::ReasonCode, sensitive::Sensitive};
use lienthong_sandbox::{Fault, synthetic::Person};
use serde_json::{Value, json};

/// One exchange.
#[derive(Debug, Clone)]
pub(crate) struct Scene {
    /// Stable name.
    pub(crate) name: &'static str,
    /// What it shows: Vietnamese, English.
    pub(crate) shows: (&'static str, &'static str),
    /// Whose certificate is shown.
    pub(crate) certificate: &'static str,
    /// The participant and subsystem in `X-Road-Client`.
    pub(crate) client: &'static str,
    /// Service and operation, for the table.
    pub(crate) operation: (&'static str, &'static str),
    /// Method.
    pub(crate) method: &'static str,
    /// Path and query, exactly as sent.
    pub(crate) target: String,
    /// The bearer token of a present LGSP client, which sends no `X-Road-Client`.
    pub(crate) bearer: Option<Sensitive<String>>,
    /// Headers beside `X-Road-Client`.
    pub(crate) headers: Vec<(&'static str, &'static str)>,
    /// Body.
    pub(crate) body: Option<String>,
    /// What breaks at the provider: the call and how.
    pub(crate) fault: Option<(&'static str, Fault)>,
    /// How often it is sent; the last one counts.
    pub(crate) times: u32,
    /// How it must end.
    pub(crate) expected: Expected,
    /// Whether the beginning of the answer is shown.
    pub(crate) tells: bool,
}

/// How an exchange must end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    /// Allowed.
    Allow,
    /// Allowed, and undeclared fields were held back.
    AllowWithDrift,
    /// Refused for this reason.
    Deny(ReasonCode),
    /// Refused in the TLS handshake.
    RefusedByTls,
}

/// The certificate of a certification authority that nobody trusts.
pub(crate) const UNKNOWN_AUTHORITY: &str = "unknown-authority";
/// A certificate of the trusted authority that belongs to no participant.
pub(crate) const STRANGER: &str = "stranger";

const BIRTH: &str = "/r1/VN/GOV/H29.12/HOTICH/birth/ho-tich/khai-sinh";
const PARCEL: &str = "/r1/VN/GOV/H29.15/DATDAI/parcel/dat-dai/thua-dat";
const HEALTH: &str = "/r1/VN/GOV/H29.26/YTE/healthbook/so-suc-khoe";
const CITIZEN: &str = "/r1/VN/GOV/G01/DANCU/citizen";
const OFFICER: (&str, &str) = ("x-road-userid", "CB-0417");
const DOSSIER: (&str, &str) = ("x-road-issue", "H29.40-261121-0001");

impl Scene {
    fn new(
        name: &'static str,
        shows: (&'static str, &'static str),
        certificate: &'static str,
        client: &'static str,
    ) -> Self {
        Self {
            name,
            shows,
            certificate,
            client,
            operation: ("civil-status", "getBirthRecord"),
            method: "GET",
            target: String::new(),
            bearer: None,
            headers: vec![OFFICER, DOSSIER],
            body: None,
            fault: None,
            times: 1,
            expected: Expected::Allow,
            tells: false,
        }
    }

    fn birth(mut self, person: &Person) -> Self {
        self.target = format!("{BIRTH}?soDinhDanh={}", person.number);
        self
    }

    fn post(mut self, operation: &'static str, body: &Value) -> Self {
        self.operation = ("population-verification", operation);
        self.method = "POST";
        self.target = format!("{CITIZEN}/{operation}");
        self.body = Some(body.to_string());
        self.headers.push(("content-type", "application/json"));
        self
    }

    fn parcel(mut self, parcel: &str) -> Self {
        self.operation = ("land-registration", "getParcel");
        self.target = format!("{PARCEL}/{parcel}");
        self
    }

    fn sheet(mut self, parcel: &Parcel) -> Self {
        self.operation = ("land-registration", "getParcelBySheet");
        let Parcel { ward, sheet, number, .. } = parcel;
        self.target = format!("{PARCEL}?maXa={ward}&soHieuToBanDo={sheet}&soThuTuThua={number}");
        self
    }

    fn purpose(mut self, purpose: &'static str) -> Self {
        self.headers.push(("lienthong-purpose", purpose));
        self
    }

    fn without(mut self, header: (&str, &str)) -> Self {
        self.headers.retain(|h| h.0 != header.0);
        self
    }

    fn fault(mut self, call: &'static str, fault: Fault) -> Self {
        self.fault = Some((call, fault));
        self
    }

    fn expect(mut self, expected: Expected) -> Self {
        self.expected = expected;
        self
    }

    fn deny(self, reason: ReasonCode) -> Self {
        self.expect(Expected::Deny(reason))
    }
}

/// A parcel that exists, by both of its keys.
#[derive(Debug, Clone)]
pub(crate) struct Parcel {
    pub(crate) geohash: String,
    pub(crate) ward: String,
    pub(crate) sheet: i64,
    pub(crate) number: i64,
}

/// Every scene, about a person and a parcel that exist.
pub(crate) fn all(person: &Person, parcel: &Parcel, token: &Sensitive<String>) -> Vec<Scene> {
    let mut scenes = city_to_city(person, parcel);
    scenes.extend(lgsp(parcel, token));
    scenes.extend(health(person));
    scenes.extend(city_to_nation(person));
    scenes.extend(no_agreement(person, parcel));
    scenes.extend(who_asks(person));
    scenes.extend(what_is_asked(person));
    scenes.extend(provider_trouble(person));
    scenes
}

fn verify(person: &Person) -> Value {
    json!({
        "MaYeuCau": "DEMO-0001",
        "MaDVC": "1.000894",
        "MaTichHop": "003",
        "MaCanBo": "CB-0417",
        "MaDonVi": "H29.40",
        "SoDinhDanh": person.number,
        "HoVaTen": person.name.to_uppercase(),
        "NgayThangNamSinh": { "NgayThangNam": person.born },
    })
}

fn look_up(person: &Person) -> Value {
    let mut body = verify(person);
    if let Some(field) = body.get_mut("MaTichHop") {
        *field = "037".into();
    }
    body
}

type Asks = (&'static str, &'static str);

const WARD: Asks = ("h29-40", "VN/GOV/H29.40/MOTCUA");
const HOSPITAL: Asks = ("h29-60", "VN/GOV/H29.60/BENHVIEN");
const PORTAL: Asks = ("g22", "VN/GOV/G22/DVCQG");

fn scene(name: &'static str, asks: Asks, vi: &'static str, en: &'static str) -> Scene {
    Scene::new(name, (vi, en), asks.0, asks.1)
}

fn city_to_city(person: &Person, parcel: &Parcel) -> Vec<Scene> {
    vec![
        scene(
            "ward-birth-record",
            WARD,
            "phường tra cứu khai sinh",
            "a ward looks a birth record up",
        )
        .birth(person),
        scene(
            "hospital-birth-record",
            HOSPITAL,
            "bệnh viện, cùng bản ghi, che nhiều hơn",
            "a hospital, the same record, masked further",
        )
        .birth(person),
        scene(
            "portal-birth-record",
            PORTAL,
            "chiều vào: Cổng DVCQG, cùng bản ghi",
            "inbound: the national portal, the same record",
        )
        .birth(person),
        scene("ward-parcel", WARD, "phường tra cứu thửa đất", "a ward looks a land parcel up")
            .parcel(&parcel.geohash),
    ]
}

fn health(person: &Person) -> Vec<Scene> {
    let mut book = scene(
        "hospital-health-book",
        HOSPITAL,
        "bác sĩ xem sổ sức khỏe: định danh bị che",
        "a doctor reads a health book: identity masked",
    );
    book.operation = ("health-book", "getHealthBook");
    book.target = format!("{HEALTH}?soDinhDanh={}", person.number);
    book.tells = true;
    let mut named = scene(
        "ward-names-in-statistics",
        ("h29-41", "VN/GOV/H29.41/MOTCUA"),
        "xin trích xuất thống kê có họ tên",
        "an extract for statistics that asks for names",
    )
    .deny(ReasonCode::PolicyDenied);
    named.operation = ("health-book", "extractHealthBooks");
    named.target = format!("{HEALTH}/trich-xuat");
    vec![book, named]
}

/// A client that was moved over: its token and its path, by itself and in other hands.
fn lgsp(parcel: &Parcel, token: &Sensitive<String>) -> Vec<Scene> {
    let Parcel { ward, sheet, number, .. } = parcel;
    let target =
        format!("/APITraCuuThuaDat?maXa={ward}&soHieuToBanDo={sheet}&soThuTuThua={number}");
    let by_token = |scene: Scene| Scene {
        operation: ("land-registration", "getParcelBySheet"),
        target: target.clone(),
        bearer: Some(token.clone()),
        headers: Vec::new(),
        ..scene
    };
    vec![
        by_token(scene(
            "lgsp-client",
            ("h29-20", "VN/GOV/H29.20/TTHC"),
            "phần mềm LGSP đang dùng: chỉ đổi địa chỉ, chứng thư",
            "a present LGSP client: new address and certificate",
        )),
        by_token(scene(
            "lgsp-token-of-another",
            WARD,
            "mã truy cập trong tay đơn vị khác: vô dụng",
            "its token in other hands: worth nothing",
        ))
        .deny(ReasonCode::ConsumerTokenMismatch),
    ]
}

fn city_to_nation(person: &Person) -> Vec<Scene> {
    vec![
        scene(
            "ward-verifies-citizen",
            WARD,
            "chiều ra: xác thực với CSDLQG về dân cư",
            "outbound: verification by the national database",
        )
        .post("XacThucThongTinCongDan", &verify(person)),
        scene(
            "ward-looks-citizen-up",
            WARD,
            "tra cứu công dân; dân tộc, tôn giáo bị giữ lại",
            "citizen look-up; ethnicity and religion held back",
        )
        .post("TraCuuThongTinCongDan", &look_up(person)),
        scene(
            "intermediary-for-ward",
            ("h29-90", "VN/GOV/H29.41/MOTCUA"),
            "nền tảng điều phối thay mặt phường Bến Thành",
            "an intermediary acts for a ward",
        )
        .post("XacThucThongTinCongDan", &verify(person)),
    ]
}

fn no_agreement(person: &Person, parcel: &Parcel) -> Vec<Scene> {
    let mut unknown = scene(
        "unknown-service",
        HOSPITAL,
        "dịch vụ không tồn tại: cùng một câu trả lời",
        "no such service: the same answer",
    )
    .deny(ReasonCode::ServiceNotAvailable);
    unknown.operation = ("-", "-");
    unknown.target = "/r1/VN/GOV/H29.15/DATDAI/no-such/thua-dat".to_owned();
    let mut rate = scene(
        "rate",
        ("h29-20", "VN/GOV/H29.20/TTHC"),
        "yêu cầu thứ năm vượt tốc độ của thỏa thuận",
        "the fifth request exceeds the agreement's rate",
    )
    .sheet(parcel)
    .deny(ReasonCode::ConsumerRateLimited);
    rate.times = 5;
    vec![
        scene(
            "no-agreement",
            HOSPITAL,
            "dịch vụ có thật nhưng không có thỏa thuận",
            "a real service, but no agreement",
        )
        .parcel(&parcel.geohash)
        .deny(ReasonCode::ServiceNotAvailable),
        unknown,
        scene(
            "expired-agreement",
            ("h29-42", "VN/GOV/H29.42/MOTCUA"),
            "thỏa thuận đã hết hạn",
            "the agreement has expired",
        )
        .birth(person)
        .deny(ReasonCode::AgreementExpired),
        scene(
            "lapsed-law",
            ("h29-43", "VN/GOV/H29.43/MOTCUA"),
            "thỏa thuận dựa trên văn bản hết hiệu lực",
            "the agreement rests on a lapsed instrument",
        )
        .birth(person)
        .deny(ReasonCode::PolicyDenied),
        rate,
    ]
}

fn who_asks(person: &Person) -> Vec<Scene> {
    vec![
        scene(
            "unknown-authority",
            (UNKNOWN_AUTHORITY, WARD.1),
            "chứng thư của nơi cấp không được tin cậy",
            "a certificate of an authority nobody trusts",
        )
        .birth(person)
        .expect(Expected::RefusedByTls),
        scene(
            "stranger",
            (STRANGER, WARD.1),
            "chứng thư hợp lệ nhưng không thuộc đơn vị nào",
            "a trusted certificate of no participant",
        )
        .birth(person)
        .deny(ReasonCode::ConsumerUnknown),
        scene(
            "mismatched-client",
            ("h29-41", WARD.1),
            "phường Bến Thành mạo danh phường Sài Gòn",
            "one ward names another as itself",
        )
        .birth(person)
        .deny(ReasonCode::ConsumerMismatch),
        scene(
            "suspended",
            ("h29-99", "VN/GOV/H29.99/THUNGHIEM"),
            "đơn vị đang tạm ngừng kết nối",
            "a suspended participant",
        )
        .birth(person)
        .deny(ReasonCode::ConsumerSuspended),
    ]
}

fn what_is_asked(person: &Person) -> Vec<Scene> {
    let scene = |name, shows| Scene::new(name, shows, WARD.0, WARD.1);
    let mut undeclared = verify(person);
    if let Some(map) = undeclared.as_object_mut() {
        map.insert("TonGiao".to_owned(), "01".into());
    }
    let mut duplicate =
        scene("duplicate-key", ("khóa JSON lặp lại", "a JSON key that stands twice"))
            .post("XacThucThongTinCongDan", &verify(person))
            .deny(ReasonCode::RequestMalformed);
    duplicate.body = duplicate.body.map(|b| b.replacen('{', "{\"MaYeuCau\":\"X\",", 1));
    let mut bad =
        scene("bad-request", ("số định danh 9 chữ số", "a personal number of nine digits"))
            .deny(ReasonCode::RequestSchema);
    bad.target = format!("{BIRTH}?soDinhDanh=123456789");
    let mut traversal = scene(
        "traversal",
        ("dấu gạch chéo mã hóa trong đường dẫn", "an encoded slash in the path"),
    )
    .deny(ReasonCode::RequestPath);
    traversal.target = format!("{BIRTH}/..%2f..%2fadmin");
    vec![
        scene("wrong-purpose", ("mục đích ngoài thỏa thuận", "a purpose outside the agreement"))
            .birth(person)
            .purpose("ethnic_policy")
            .deny(ReasonCode::PurposeNotPermitted),
        scene("no-officer", ("không nêu mã cán bộ", "the officer is not named"))
            .birth(person)
            .without(OFFICER)
            .deny(ReasonCode::AgreementOfficerRequired),
        scene(
            "undeclared-field",
            ("trường chưa khai báo trong yêu cầu", "an undeclared field in a request"),
        )
        .post("XacThucThongTinCongDan", &undeclared)
        .deny(ReasonCode::RequestUndeclaredField),
        duplicate,
        bad,
        traversal,
    ]
}

fn provider_trouble(person: &Person) -> Vec<Scene> {
    let scene =
        |name, shows| Scene::new(name, shows, "h29-40", "VN/GOV/H29.40/MOTCUA").birth(person);
    let call = "civil-status";
    vec![
        scene(
            "provider-drift",
            ("bên cung cấp thêm trường lạ: bị giữ lại", "the provider adds fields: held back"),
        )
        .fault(call, Fault::Drift)
        .expect(Expected::AllowWithDrift),
        scene(
            "provider-breakage",
            ("bên cung cấp đổi kiểu dữ liệu: chặn", "the provider changes types: stopped"),
        )
        .fault(call, Fault::Breakage)
        .deny(ReasonCode::ProviderSchema),
        scene(
            "provider-html",
            ("trang HTML với mã 200: chặn", "an HTML page with status 200: stopped"),
        )
        .fault(call, Fault::HtmlWith200)
        .deny(ReasonCode::ProviderMediaType),
        scene(
            "provider-stack-trace",
            ("lỗi 500 kèm vết ngăn xếp: chặn", "a 500 with a stack trace: stopped"),
        )
        .fault(call, Fault::StackTrace)
        .deny(ReasonCode::ProviderRefused),
        scene(
            "provider-resets",
            ("ngắt giữa câu trả lời: chặn", "an answer that breaks off: stopped"),
        )
        .fault(call, Fault::ResetMidBody)
        .deny(ReasonCode::ProviderInterrupted),
    ]
}

/// The citizen's app reads the health book of a person, on the strength of his consent.
pub(crate) fn health_book_on_consent(
    person: &Person,
    name: &'static str,
    shows: (&'static str, &'static str),
    expected: Expected,
) -> Scene {
    let mut book = Scene::new(name, shows, "h29-20", "VN/GOV/H29.20/TTHC");
    book.operation = ("health-book", "getHealthBook");
    book.target = format!("{HEALTH}?soDinhDanh={}", person.number);
    book.headers.push(("lienthong-purpose", "citizen_app_view"));
    book.expected = expected;
    book
}
