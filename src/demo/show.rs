//! What the demo tells: one line an exchange, and the same as JSON.

use std::path::Path;

use lienthong_adapters::FlowReport;
use lienthong_gateway::{run::Running, xroad};
use lienthong_model::{reason::ReasonCode, text::Language};
use lienthong_sandbox::portal::PortalReport;
use serde::Serialize;

use super::{
    centre::CentreResult,
    client::Reply,
    consent::ConsentResult,
    evidence::EvidenceResult,
    journey::JourneyResult,
    scene::{Expected, Scene},
    stream::StreamResult,
    world::{STOPPED, World},
};
use crate::output::Output;

/// Everything the demo found.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Results {
    pub(crate) exchanges: Vec<ExchangeResult>,
    pub(crate) streams: Vec<StreamResult>,
    pub(crate) adapters: Vec<AdapterResult>,
    pub(crate) journey: Option<JourneyResult>,
    pub(crate) centre: Option<CentreResult>,
    pub(crate) consent: Option<ConsentResult>,
    pub(crate) evidence: Option<EvidenceResult>,
    pub(crate) ok: bool,
}

/// How one exchange ended.
#[derive(Debug, Serialize)]
pub(crate) struct ExchangeResult {
    name: &'static str,
    consumer: &'static str,
    service: &'static str,
    operation: &'static str,
    status: Option<u16>,
    decision: &'static str,
    reason: Option<String>,
    cites: Vec<String>,
    disclosed: u64,
    masked: u64,
    dropped: u64,
    undeclared: u64,
    micros: u64,
    request_id: Option<String>,
    pub(super) as_expected: bool,
    #[serde(skip)]
    answer: String,
}

/// How one flow of the adapters ended.
#[derive(Debug, Serialize)]
pub(crate) struct AdapterResult {
    name: String,
    rows: u64,
    delivered: u64,
    quarantined: u64,
    dead: u64,
    duplicates: u64,
    order_violations: u64,
    waiting: u64,
    already_sent: u64,
    stopped_field_seen: usize,
}

impl AdapterResult {
    /// What the flow says it did, and what the platform saw of it.
    pub(crate) fn new(flow: &FlowReport, seen: &PortalReport, leaked: usize) -> Self {
        Self {
            name: flow.name.to_string(),
            rows: flow.rows,
            delivered: flow.delivered,
            quarantined: flow.quarantined,
            dead: flow.dead,
            duplicates: seen.duplicates,
            order_violations: seen.order_violations,
            waiting: flow.waiting,
            already_sent: flow.duplicates,
            stopped_field_seen: leaked,
        }
    }

    fn is_sound(&self) -> bool {
        self.delivered > 0
            && self.dead == 0
            && self.waiting == 0
            && self.duplicates == 0
            && self.order_violations == 0
            && self.stopped_field_seen == 0
    }
}

impl ExchangeResult {
    /// The id of an exchange that was allowed.
    pub(crate) fn allowed(&self) -> Option<&str> {
        self.request_id.as_deref().filter(|_| self.decision == "allow" && self.disclosed > 0)
    }

    /// Puts what the consumer saw beside what the gateway recorded.
    pub(crate) fn new(scene: &Scene, reply: &Reply, gateway: &Running, micros: u64) -> Self {
        let mut result = Self {
            name: scene.name,
            consumer: scene.client,
            service: scene.operation.0,
            operation: scene.operation.1,
            status: None,
            decision: "deny",
            reason: Some("tls.alert".to_owned()),
            cites: Vec::new(),
            disclosed: 0,
            masked: 0,
            dropped: 0,
            undeclared: 0,
            micros,
            request_id: None,
            as_expected: scene.expected == Expected::RefusedByTls,
            answer: String::new(),
        };
        let Reply::Answered { status, headers, body } = reply else { return result };
        result.answer = beginning(&String::from_utf8_lossy(body));
        let id = headers.get(xroad::REQUEST_ID).and_then(|v| v.to_str().ok()).unwrap_or_default();
        result.status = Some(status.as_u16());
        result.request_id = Some(id.to_owned());
        result.reason = None;
        if let Some(record) = gateway.gateway().recent().find(id) {
            result.decision = if record.reason.is_none() { "allow" } else { "deny" };
            result.reason = record.reason.map(|reason| reason.to_string());
            result.cites = record.cites.texts().collect();
            result.disclosed = record.disclosed;
            result.masked = record.masked;
            result.dropped = record.dropped;
            result.undeclared = record.undeclared;
            result.micros = record.micros;
        }
        result.as_expected = match scene.expected {
            Expected::Allow => result.decision == "allow" && status.is_success(),
            Expected::AllowWithDrift => result.decision == "allow" && result.undeclared > 0,
            Expected::Deny(reason) => {
                result.reason.as_deref() == Some(reason.as_str())
                    && status.as_u16() == reason.public().status()
            }
            Expected::RefusedByTls => false,
        };
        result
    }
}

impl Results {
    /// Whether all ended as it must.
    pub(crate) fn conclude(&mut self) {
        self.ok = self.exchanges.iter().all(|e| e.as_expected)
            && self.streams.iter().all(|s| s.as_expected)
            && !self.adapters.is_empty()
            && self.adapters.iter().all(AdapterResult::is_sound)
            && self.journey.as_ref().is_some_and(JourneyResult::is_sound)
            && self.centre.as_ref().is_some_and(CentreResult::is_sound)
            && self.consent.as_ref().is_some_and(ConsentResult::is_sound)
            && self.evidence.as_ref().is_some_and(EvidenceResult::is_sound);
    }
}

pub(crate) fn heading(output: &Output) {
    output.line(output.choose(
        "\nBên khai thác → dịch vụ: quyết định, lý do, điều luật, số trường (truyền/che/giữ lại), thời gian\n",
        "\nConsumer -> service: decision, reason, articles, fields (passed/masked/held back), time\n",
    ));
}

/// Before what belongs to the line above.
pub(super) const INDENT: &str = "              ";
/// Characters of an answer that are shown.
const BEGINNING: usize = 120;

/// A decision as a reader sees it.
pub(super) fn decision(decision: &str, output: &Output) -> &'static str {
    match (decision, output.language()) {
        ("allow", Language::Vietnamese) => "CHO PHÉP",
        ("allow", Language::English) => "ALLOW",
        ("cut", Language::Vietnamese) => "BỊ NGẮT",
        ("cut", Language::English) => "CUT",
        (_, Language::Vietnamese) => "TỪ CHỐI",
        (_, Language::English) => "DENY",
    }
}

/// One line of who, what and decision, one of why.
pub(crate) fn exchange(scene: &Scene, result: &ExchangeResult, output: &Output) {
    let mark = if result.as_expected { ' ' } else { '!' };
    let decision = decision(result.decision, output);
    let status = result.status.map_or_else(|| "TLS".to_owned(), |s| s.to_string());
    let shows = output.choose(scene.shows.0, scene.shows.1);
    let held = result.dropped + result.undeclared;
    let fields = format!("{}/{}/{held}", result.disclosed, result.masked);
    let who = scene.client.trim_start_matches("VN/GOV/");
    output.line(format!(
        "{mark}{decision:<9}{status:<4} {who:<16} {:<24} {fields:<9} {:>7} µs  {shows}",
        result.operation, result.micros
    ));
    let mut why = Vec::new();
    if let Some(reason) = &result.reason {
        let title = reason.parse::<ReasonCode>().map(|r| r.title(output.language()));
        why.push(format!("{reason} {}", title.unwrap_or_default()).trim().to_owned());
    }
    if !result.cites.is_empty() {
        why.push(result.cites.join(", "));
    }
    if !why.is_empty() {
        output.line(format!("{INDENT}{}", why.join("  |  ")));
    }
    if scene.tells {
        output.line(format!("{INDENT}{}", result.answer));
    }
}

/// As much of a text as fits on a line.
pub(super) fn beginning(text: &str) -> String {
    if text.chars().count() <= BEGINNING {
        return text.to_owned();
    }
    let mut beginning: String = text.chars().take(BEGINNING - 1).collect();
    beginning.push('…');
    beginning
}

pub(crate) fn adapters(results: &[AdapterResult], output: &Output) {
    output.line("");
    for flow in results {
        output.line(match output.language() {
            Language::Vietnamese => format!(
                "Đẩy {}: {} dòng, {} đã giao, {} đã gửi trước đó, {} cách ly, {} cần người xử lý\n  Cổng DVCQG nhận {} bản trùng, {} sai thứ tự, {} lần thấy trường `{STOPPED}` mà thỏa thuận giữ lại",
                flow.name, flow.rows, flow.delivered, flow.already_sent, flow.quarantined, flow.dead, flow.duplicates, flow.order_violations, flow.stopped_field_seen
            ),
            Language::English => format!(
                "Push {}: {} rows, {} delivered, {} sent before, {} quarantined, {} dead\n  the portal saw {} duplicates, {} out of order, and {} times the field `{STOPPED}`, which the agreement stops",
                flow.name, flow.rows, flow.delivered, flow.already_sent, flow.quarantined, flow.dead, flow.duplicates, flow.order_violations, flow.stopped_field_seen
            ),
        });
    }
}

pub(crate) fn conclusion(results: &Results, output: &Output) {
    let all = results.exchanges.len() + results.streams.len();
    let good = results.exchanges.iter().filter(|e| e.as_expected).count()
        + results.streams.iter().filter(|s| s.as_expected).count();
    output.line(match output.language() {
        Language::Vietnamese => format!("\n{good}/{all} trao đổi kết thúc như mong đợi."),
        Language::English => format!("\n{good} of {all} exchanges ended as expected."),
    });
}

/// Commands to paste.
pub(crate) fn invitation(world: &World, directory: &Path, output: &Output) {
    let pki = world.pki.display();
    let port = world.gateway.local_addr().port();
    let ask = |name: &str, client: &str, rest: &str| {
        format!(
            "curl --cacert {pki}/city.pem --cert {pki}/{name}.pem --key {pki}/{name}.key \\\n  \
             -H 'X-Road-Client: VN/GOV/{client}' -H 'X-Road-UserId: CB-0417' -H 'X-Road-Issue: H29.40-261121-0001' \\\n  \
             {rest}"
        )
    };
    let birth = format!(
        "'https://localhost:{port}/r1/VN/GOV/H29.12/HOTICH/birth/ho-tich/khai-sinh?soDinhDanh={}'",
        world.person.number
    );
    let methods = format!("'https://localhost:{port}/r1/VN/GOV/H29.12/HOTICH/listMethods'");
    let extract = format!(
        "-sN 'https://localhost:{port}/r1/VN/GOV/H29.26/YTE/healthbook/so-suc-khoe/trich-xuat?maPhuongXa=26740' | tail -n 3"
    );
    output.line(
        output.choose("\nCổng vẫn phục vụ. Hãy thử:\n", "\nThe gateway keeps serving. Try:\n"),
    );
    output.line(ask("h29-40", "H29.40/MOTCUA", &birth));
    output.line(ask("g22", "G22/DVCQG", &birth));
    output.line(ask("h29-41", "H29.40/MOTCUA", &birth));
    output.line(ask("h29-40", "H29.40/MOTCUA", &methods));
    output.line(ask("h29-20", "H29.20/THONGKE", &extract));
    if let Some(admin) = world.gateway.admin_addr() {
        output.line(format!("curl http://{admin}/metrics"));
    }
    let socket = directory.join("admin.sock");
    output.line(format!("lienthong why REQUEST_ID --socket {}", socket.display()));
    let policies = directory.join("policies/agreements");
    output.line(match output.language() {
        Language::Vietnamese => format!(
            "\nSửa một thỏa thuận trong {} rồi gọi lại: cổng nạp lại sau một giây. Ctrl-C để kết thúc.",
            policies.display()
        ),
        Language::English => format!(
            "\nEdit an agreement in {} and ask again: the gateway reloads within a second. Ctrl-C ends.",
            policies.display()
        ),
    });
}
