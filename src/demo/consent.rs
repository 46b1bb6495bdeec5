//! A consent in the demo: missing, given at a ward's desk, used, withdrawn, and what the citizen can
//! then see of it, each line with a proof that needs no trust in whoever gave it.

use std::sync::Arc;

use anyhow::Context as _;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http_body_util::Full;
use hyper::{Request, StatusCode, body::Bytes};
use jiff::Span;
use lienthong_consent::receipt::ReceiptKeys;
use lienthong_evidence::{note::Verifier, proof::Proof};
use lienthong_model::{
    clock::civil_date,
    reason::ReasonCode,
    text::Language::{English, Vietnamese},
};
use lienthong_sandbox::synthetic::Person;
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    client::{self, Reply},
    scene::{self, Expected, Scene},
    show::{self, ExchangeResult},
    world::World,
};
use crate::{clock, output::Output};

/// The certificate of the ward's desk that collects consents.
pub(crate) const DESK: &str = "consents-h29-41";
/// The notice that the person is shown.
const NOTICE: &str = "digital-citizen-health-book";

/// What became of the consent.
#[derive(Debug, Serialize)]
pub(crate) struct ConsentResult {
    /// Before, between and after: refused, allowed, refused.
    exchanges: Vec<ExchangeResult>,
    /// The record.
    consent: String,
    /// Whether the receipt verifies with the published key.
    receipt_verified: bool,
    /// Microseconds that the withdrawal took until it was acknowledged.
    withdrawal_micros: u64,
    /// Exchanges that the citizen sees.
    seen: usize,
    /// Entries behind them whose proofs verify.
    proofs_verified: usize,
    /// Whether one of them, with a digit changed, is rejected.
    tampered_rejected: bool,
}

impl ConsentResult {
    pub(crate) fn is_sound(&self) -> bool {
        self.exchanges.iter().all(|exchange| exchange.as_expected)
            && self.receipt_verified
            && self.seen > 0
            && self.proofs_verified > 1
            && self.tampered_rejected
    }
}

/// A look-up of the citizen's app.
fn look_up(person: &Person, name: &'static str, expected: Expected) -> Scene {
    let shows = match expected {
        Expected::Allow => ("đồng ý còn hiệu lực", "the consent is in force"),
        Expected::Deny(ReasonCode::ConsentWithdrawn) => ("sau khi rút lại", "after the withdrawal"),
        _ => ("chưa hỏi người dân", "nobody asked the citizen"),
    };
    scene::health_book_on_consent(person, name, shows, expected)
}

/// Plays it.
pub(crate) async fn play(world: &World, output: &Output) -> anyhow::Result<ConsentResult> {
    heading(output);
    let mut exchanges = Vec::new();
    let mut look = async |name, expected| -> anyhow::Result<()> {
        let scene = look_up(&world.person, name, expected);
        let result = world.play(&scene).await?;
        show::exchange(&scene, &result, output);
        exchanges.push(result);
        Ok(())
    };
    look("consent-missing", Expected::Deny(ReasonCode::ConsentNotGiven)).await?;
    let given = call(world, "POST", "/v1/service/consent-records", Some(&giving(world)?)).await?;
    let given = json_of(&given, StatusCode::CREATED)?;
    let consent = text(&given, "id")?;
    told(output, "giving", &consent);
    look("consent-given", Expected::Allow).await?;
    let receipt_verified = receipt(world, &text(&given, "receipt")?).await?;
    let path = format!("/v1/service/consent-records/{consent}/withdraw");
    let begun = tokio::time::Instant::now();
    let withdrawn = call(world, "POST", &path, Some(&json!({"channel": "officer"}))).await?;
    let withdrawal_micros = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
    json_of(&withdrawn, StatusCode::OK)?;
    told(output, "withdrawing", &consent);
    look("consent-withdrawn", Expected::Deny(ReasonCode::ConsentWithdrawn)).await?;
    let (seen, proofs_verified, tampered_rejected) = view(world).await?;
    let result = ConsentResult {
        exchanges,
        consent,
        receipt_verified,
        withdrawal_micros,
        seen,
        proofs_verified,
        tampered_rejected,
    };
    show(&result, output);
    Ok(result)
}

/// What the desk records: the person said yes to everything that the notice names.
fn giving(world: &World) -> anyhow::Result<Value> {
    let snapshot = world.gateway.gateway().snapshot();
    let notice = snapshot.policies.notice(NOTICE).context("the notice of the sample agreement")?;
    let hash = notice.hash(Vietnamese).context("its Vietnamese text")?;
    let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    let fields = notice.fields.iter();
    let fields = fields.map(|at| format!("{}/{}{}", at.operation, at.status, at.field));
    let today = civil_date(clock::system().now());
    let until = today.checked_add(Span::new().days(90))?;
    Ok(json!({ "statement": {
        "data_subject": {"kind": "citizen_number", "value": world.person.number},
        "controller": notice.controller,
        "recipients": notice.recipients,
        "service": notice.service,
        "purpose": notice.purpose,
        "fields": fields.collect::<Vec<_>>(),
        "notice": {"id": NOTICE, "hash": hash, "language": "vi"},
        "given": {"channel": "officer"},
        "account_level": "met",
        "period": {"from": today.to_string(), "until": until.to_string()},
        "frequency": "as_needed",
        "retention_days": 1,
        "decision": "give",
    }}))
}

/// One call of the desk.
async fn call(
    world: &World,
    method: &str,
    path: &str,
    body: Option<&Value>,
) -> anyhow::Result<Reply> {
    let address = world.gateway.consent_addr().context("the consent listener")?;
    let identity = world.identity(DESK)?;
    let body = body.map(Value::to_string).unwrap_or_default();
    let mut request = Request::builder().method(method).uri(path).header("host", "localhost");
    if !body.is_empty() {
        request = request.header("content-type", "application/json");
    }
    client::send(address, Arc::clone(identity), request.body(Full::new(Bytes::from(body)))?).await
}

fn json_of(reply: &Reply, expected: StatusCode) -> anyhow::Result<Value> {
    let Reply::Answered { status, body, .. } = reply else {
        anyhow::bail!("the consent listener refused the desk's certificate");
    };
    anyhow::ensure!(*status == expected, "status {status}: {}", String::from_utf8_lossy(body));
    Ok(serde_json::from_slice(body)?)
}

fn text(value: &Value, name: &str) -> anyhow::Result<String> {
    Ok(value.get(name).and_then(Value::as_str).with_context(|| format!("no `{name}`"))?.to_owned())
}

/// Whether a receipt verifies with the published keys alone.
async fn receipt(world: &World, receipt: &str) -> anyhow::Result<bool> {
    let keys = call(world, "GET", "/.well-known/jwks.json", None).await?;
    let keys = json_of(&keys, StatusCode::OK)?;
    let keys = ReceiptKeys::read(keys.to_string().as_bytes())?;
    Ok(keys.verify(receipt).is_ok())
}

/// What the citizen sees; how many entries verify alone, and whether a changed one does not.
async fn view(world: &World) -> anyhow::Result<(usize, usize, bool)> {
    let evidence = Arc::clone(world.gateway.gateway().evidence());
    let verifier = tokio::task::spawn_blocking(move || {
        evidence.checkpoint()?;
        evidence.verifier().map_err(anyhow::Error::msg)
    });
    let verifier = verifier.await??;
    let subject = json!({"kind": "citizen_number", "value": world.person.number});
    let body = json!({ "data_subject": subject });
    let page = call(world, "POST", "/v1/service/disclosures/search", Some(&body)).await?;
    let page = json_of(&page, StatusCode::OK)?;
    let disclosures = page.get("disclosures").and_then(Value::as_array).context("disclosures")?;
    let proofs = disclosures.iter().filter_map(|one| one.get("proofs")?.as_array()).flatten();
    let (mut verified, mut rejected) = (0, false);
    // What is newer than the newest checkpoint has no proof yet, and says so.
    for proof in proofs.filter(|proof| proof.get("proof").is_some()) {
        let read = |name| anyhow::Ok(STANDARD.decode(text(proof, name)?)?);
        let (mut entry, proof) = (read("entry")?, String::from_utf8(read("proof")?)?);
        if !holds(&entry, &proof, &verifier)? {
            continue;
        }
        verified += 1;
        let digit = entry.iter_mut().rfind(|byte| byte.is_ascii_digit()).context("a digit")?;
        *digit = if *digit == b'9' { b'0' } else { *digit + 1 };
        rejected = !holds(&entry, &proof, &verifier)?;
    }
    Ok((disclosures.len(), verified, rejected))
}

fn holds(entry: &[u8], proof: &str, verifier: &Verifier) -> anyhow::Result<bool> {
    Ok(Proof::parse(proof)?.check(entry, verifier).is_ok())
}

fn heading(output: &Output) {
    output.line(output.choose(
        "\nSự đồng ý: ứng dụng Công dân số muốn đọc sổ sức khỏe\n",
        "\nConsent: the Digital Citizen app wants to read a health book\n",
    ));
}

fn told(output: &Output, what: &str, consent: &str) {
    let text = match (what, output.language()) {
        ("giving", Vietnamese) => "người dân đồng ý tại bộ phận một cửa:",
        ("giving", English) => "the citizen consents at the ward's desk:",
        (_, Vietnamese) => "người dân rút lại sự đồng ý:",
        (_, English) => "the citizen withdraws the consent:",
    };
    output.line(format!("{}{text} {consent}", show::INDENT));
}

fn show(result: &ConsentResult, output: &Output) {
    let ConsentResult { seen, proofs_verified, withdrawal_micros, .. } = result;
    let (receipt, tampered) = (result.receipt_verified, result.tampered_rejected);
    output.line(match output.language() {
        Vietnamese => format!(
            "\n  biên nhận có chữ ký {}; rút lại trong {withdrawal_micros} µs\n  người dân thấy {seen} trao đổi về mình, {proofs_verified} mục được chứng minh; mục bị sửa một ký tự {}",
            if receipt { "hợp lệ" } else { "KHÔNG HỢP LỆ" },
            if tampered { "bị bác bỏ" } else { "KHÔNG BỊ PHÁT HIỆN" },
        ),
        English => format!(
            "\n  the signed receipt {}; withdrawn in {withdrawal_micros} µs\n  the citizen sees {seen} exchanges, {proofs_verified} entries proved; one with a digit changed is {}",
            if receipt { "verifies" } else { "DOES NOT VERIFY" },
            if tampered { "rejected" } else { "NOT NOTICED" },
        ),
    });
}
