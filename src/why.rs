//! `lienthong why`: tells why an exchange ended as it did.

use std::path::{Path, PathBuf};

use clap::Args;
use hyper::{Method, StatusCode};
use lienthong_gateway::{config::Config, record::Exchange};
use lienthong_model::{reason::ReasonCode, text::Language};

use crate::{
    output::{Exit, Output},
    socket,
};

/// Looks an exchange up in the running gateway.
///
/// The id is in every answer: header `Lienthong-Request-Id`, and `request_id` of a refusal.
///
/// Example: lienthong why 7f0c… --config gateway.yaml
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Request id.
    request_id: String,
    /// Configuration of the gateway.
    #[arg(long, required_unless_present = "socket")]
    config: Option<PathBuf>,
    /// Its administration socket, when there is no configuration at hand.
    #[arg(long)]
    socket: Option<PathBuf>,
    /// Writes JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(arguments: Arguments, output: &Output) -> anyhow::Result<Exit> {
    let socket = match (arguments.socket, arguments.config) {
        (Some(socket), _) => socket,
        (None, Some(config)) => match Config::read(&config) {
            Ok(config) => config.admin.socket,
            Err(found) => return Ok(output.mistakes(&found)),
        },
        (None, None) => anyhow::bail!("--config or --socket is needed"),
    };
    if !arguments.request_id.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-') {
        anyhow::bail!("`{}` is not a request id", arguments.request_id);
    }
    let Some(exchange) = look_up(&socket, &arguments.request_id).await? else {
        output.line(output.choose(
            "cổng không còn nhớ trao đổi này; xem nhật ký",
            "the gateway no longer remembers this exchange; look in its log",
        ));
        return Ok(Exit::No);
    };
    if arguments.json {
        output.json(&exchange)?;
    } else {
        lines(&exchange, output).iter().for_each(|line| output.line(line));
    }
    Ok(Exit::Done)
}

/// What the gateway at this socket remembers of an exchange.
pub(crate) async fn look_up(path: &Path, request_id: &str) -> anyhow::Result<Option<Exchange>> {
    let stream = socket::connect(path).await?.ok_or_else(|| {
        anyhow::anyhow!("no gateway answers at {}; is it running?", path.display())
    })?;
    let call = format!("/why/{request_id}");
    let (status, body) = socket::call(stream, Method::GET, &call, Vec::new()).await?;
    match status {
        StatusCode::OK => Ok(Some(serde_json::from_slice(&body)?)),
        StatusCode::NOT_FOUND => Ok(None),
        other => anyhow::bail!("the gateway answered {other}"),
    }
}

/// What is told of an exchange, a line for each thing.
pub(crate) fn lines(exchange: &Exchange, output: &Output) -> Vec<String> {
    let dash = || "-".to_owned();
    let reason: Option<ReasonCode> = exchange.reason;
    let title = reason.map(|r| r.title(output.language())).unwrap_or_default();
    let files: Vec<String> = exchange.opaque.iter().map(ToString::to_string).collect();
    let rows = [
        (("thời điểm", "at"), exchange.at.to_string()),
        (("bên khai thác", "consumer"), text(exchange.consumer.as_ref())),
        (("qua", "via"), text(exchange.via.as_ref())),
        (("dịch vụ", "service"), text(exchange.service.as_ref())),
        (("thao tác", "operation"), text(exchange.operation.as_ref())),
        (("thỏa thuận", "agreement"), text(exchange.agreement.as_ref())),
        (("mục đích", "purpose"), text(exchange.purpose.as_ref())),
        (("quyết định", "decision"), exchange.decision.as_str().to_owned()),
        (("lý do", "reason"), format!("{} {title}", text(exchange.reason.as_ref()))),
        (("nguyên nhân", "cause"), exchange.cause.clone().unwrap_or_else(dash)),
        (("quy tắc", "rule"), text(exchange.rule.as_ref())),
        (("điều luật", "articles"), list(&exchange.cites.texts().collect::<Vec<_>>())),
        (("trạng thái", "status"), exchange.status.to_string()),
        (
            ("phần tử", "elements"),
            exchange.elements.map_or_else(dash, |elements| elements.to_string()),
        ),
        (
            ("trường", "fields"),
            match output.language() {
                Language::Vietnamese => format!(
                    "{} đi nguyên, {} bị che, {} bị giữ lại, {} ngoài khai báo",
                    exchange.disclosed, exchange.masked, exchange.dropped, exchange.undeclared
                ),
                Language::English => format!(
                    "{} disclosed, {} masked, {} dropped, {} undeclared",
                    exchange.disclosed, exchange.masked, exchange.dropped, exchange.undeclared
                ),
            },
        ),
        (("ngoài khai báo", "drift"), list(&exchange.drift)),
        (("tệp", "files"), list(&files)),
        (("micro giây", "microseconds"), exchange.micros.to_string()),
    ];
    rows.into_iter()
        .map(|((vi, en), value)| {
            let label = output.choose(vi, en);
            let padding = " ".repeat(16_usize.saturating_sub(label.chars().count()));
            format!("{label}{padding}{value}").trim_end().to_owned()
        })
        .collect()
}

fn list(values: &[String]) -> String {
    if values.is_empty() { "-".to_owned() } else { values.join(", ") }
}

fn text(value: Option<&impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), ToString::to_string)
}
