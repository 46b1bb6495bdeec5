//! `lienthong service`: bring a provider's service in, and rehearse its answers off line.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use lienthong_gateway::rehearse::{Rehearsal, Report, Sample, Shown, samples};
use lienthong_model::{
    diagnostic::{Diagnostics, nearest},
    document,
    id::{OperationId, ParticipantId, ServiceId},
    text::Language,
};
use lienthong_policy::{
    Service,
    skeleton::{Draft, UNCLASSIFIED, skeleton},
};

use crate::{
    output::{Exit, Output},
    policy,
};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Drafts a service file from an OpenAPI 3.1 document: every field listed, none classified.
    ///
    /// Fields whose name suggests a class have a comment that says so. `lienthong policy check`
    /// refuses the file until every field is classified. When the document holds anything that the
    /// gateway cannot read, all of it is told and nothing is written.
    ///
    /// Example: lienthong service import schemas/services/v1/school-records.yaml
    ///   --provider H29.12 --subsystem HOTICH --service school
    Import(Import),
    /// Runs real answers of a provider off line through schema, classes and masks.
    ///
    /// Samples are files OPERATION.STATUS.*.json, each the body of one answer: getBirthRecord.200.a.json,
    /// getBirthRecord.404.none.json; and OPERATION.STATUS.*.ndjson where the answer is NDJSON. An
    /// answer that streams is judged element by element. At most 10,000 files of 4 MiB each, 64 MiB of
    /// a stream. Files of another ending are passed over.
    ///
    /// Tells how many samples fit, what does not (field and keyword), what the document does not
    /// declare, what it declares and no sample holds, what each consumer with an agreement would
    /// get, and a JSON Patch (RFC 6902) of the OpenAPI document for a person to judge. Never a value,
    /// unless asked for what would be disclosed.
    ///
    /// Exit code: 0 when every sample fits without drift, 1 otherwise, 3 when it could not run.
    ///
    /// Example: lienthong service rehearse civil-status --samples answers --patch patch.json
    Rehearse(Rehearse),
}

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// OpenAPI 3.1 document, YAML or JSON.
    openapi: PathBuf,
    /// Service id; by default the name of the document's file.
    #[arg(long)]
    id: Option<ServiceId>,
    /// Agency code of the provider; left open by default.
    #[arg(long, value_name = "CODE")]
    provider: Option<ParticipantId>,
    /// X-Road subsystem; left open by default.
    #[arg(long)]
    subsystem: Option<String>,
    /// X-Road service code; left open by default.
    #[arg(long)]
    service: Option<String>,
    /// File to write, which must not exist; by default `policies/services/ID.yaml`.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Rehearse {
    /// Service id.
    service: ServiceId,
    /// Directory of the samples.
    #[arg(long, value_name = "DIR")]
    samples: PathBuf,
    /// Runs the samples of this operation only.
    #[arg(long, value_name = "OP")]
    operation: Option<OperationId>,
    /// Directory of the policies.
    #[arg(long, value_name = "DIR", default_value = "policies")]
    policies: PathBuf,
    /// Directory of the schemas; by default `schemas` beside the policies.
    #[arg(long, value_name = "DIR")]
    schemas: Option<PathBuf>,
    /// Writes the report as JSON.
    #[arg(long)]
    json: bool,
    /// Prints what would be disclosed to each consumer, values and all: personal data when the
    /// samples are real. Pseudonyms are of a key of the rehearsal's own.
    #[arg(long, conflicts_with = "json")]
    show_values: bool,
    /// Writes the proposed patch of the OpenAPI document.
    #[arg(long, value_name = "FILE")]
    patch: Option<PathBuf>,
}

pub(crate) fn run(command: Command, output: &Output) -> anyhow::Result<Exit> {
    match command {
        Command::Import(arguments) => import(arguments, output),
        Command::Rehearse(arguments) => rehearse(&arguments, output),
    }
}

fn import(arguments: Import, output: &Output) -> anyhow::Result<Exit> {
    let path = &arguments.openapi;
    let name = path.display().to_string();
    let text = read_document(path).with_context(|| format!("cannot read {name}"))?;
    let id = match arguments.id {
        Some(id) => id,
        None => {
            let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
            stem.parse()
                .with_context(|| format!("`{stem}` is no service id; give one with --id"))?
        }
    };
    let below_schemas = below_schemas(path);
    let document = below_schemas.clone().unwrap_or_else(|| format!("services/v1/{id}.yaml"));
    let draft = Draft {
        id: id.clone(),
        provider: arguments.provider,
        subsystem: arguments.subsystem,
        service: arguments.service,
        document: document.clone(),
    };
    let text = match skeleton(&name, &text, &draft) {
        Ok(text) => text,
        Err(found) => return Ok(output.mistakes(&found)),
    };
    let out = arguments.out.unwrap_or_else(|| {
        ["policies", "services", &format!("{id}.yaml")].iter().collect::<PathBuf>()
    });
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&out)
        .with_context(|| format!("cannot write {}", out.display()))?;
    file.write_all(text.as_bytes())?;
    let fields = text.lines().filter(|line| line.contains(&format!(": {UNCLASSIFIED}"))).count();
    output.line(match output.language() {
        Language::Vietnamese => format!("đã ghi {}: {fields} chỗ cần phân loại", out.display()),
        Language::English => format!("wrote {}: {fields} places to classify", out.display()),
    });
    if below_schemas.is_none() {
        output.note(match output.language() {
            Language::Vietnamese => format!("hãy đặt tài liệu OpenAPI tại schemas/{document}"),
            Language::English => format!("put the OpenAPI document at schemas/{document}"),
        });
    }
    Ok(Exit::Done)
}

/// At most one byte more than the reader takes, so that it can refuse the file by its size.
fn read_document(path: &Path) -> anyhow::Result<String> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(document::MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(String::from_utf8(bytes)?)
}

/// The part of a path below the last folder `schemas`.
fn below_schemas(path: &Path) -> Option<String> {
    let parts: Vec<&str> = path.iter().map(|part| part.to_str()).collect::<Option<_>>()?;
    let at = parts.iter().rposition(|part| *part == "schemas")?;
    let below = parts.get(at + 1..)?;
    (!below.is_empty() && !below.contains(&"..")).then(|| below.join("/"))
}

fn rehearse(arguments: &Rehearse, output: &Output) -> anyhow::Result<Exit> {
    let cannot = |found: &Diagnostics| {
        output.mistakes(found);
        Exit::CouldNotRun
    };
    let policies = match policy::read(&arguments.policies, arguments.schemas.as_deref()) {
        Ok(policies) => policies,
        Err(found) => return Ok(cannot(&found)),
    };
    let Some(service) = policies.services.get(&arguments.service) else {
        let known = policies.services.keys().map(ServiceId::as_str);
        let near = nearest(arguments.service.as_str(), known);
        let hint = near.map(|near| format!(" (`{near}`?)")).unwrap_or_default();
        let text = output.choose("không có dịch vụ", "no service");
        output.line(format!("{text} `{}`{hint}", arguments.service));
        return Ok(Exit::CouldNotRun);
    };
    if let Some(operation) = &arguments.operation
        && !service.operations.contains_key(operation)
    {
        let known = service.operations.keys().map(OperationId::as_str);
        let near = nearest(operation.as_str(), known);
        let hint = near.map(|near| format!(" (`{near}`?)")).unwrap_or_default();
        let text = output.choose("không có thao tác", "no operation");
        output.line(format!("{text} `{operation}`{hint}"));
        return Ok(Exit::CouldNotRun);
    }
    let samples = match samples::list(&arguments.samples, service, arguments.operation.as_ref()) {
        Ok(samples) => samples,
        Err(found) => return Ok(cannot(&found)),
    };
    if arguments.show_values {
        output.note(output.choose(
            "chú ý: in ra dữ liệu mà các bên sẽ nhận được; đừng lưu vào nhật ký",
            "warning: printing the data consumers would get; keep it out of logs",
        ));
    }
    let mut rehearsal = Rehearsal::new(&policies, service);
    if let Err(found) = take_all(arguments, &samples, &mut rehearsal, output)? {
        return Ok(cannot(&found));
    }
    tell(arguments, &rehearsal.report(), service, output)
}

fn take_all(
    arguments: &Rehearse,
    samples: &[Sample],
    rehearsal: &mut Rehearsal<'_>,
    output: &Output,
) -> anyhow::Result<Result<(), Diagnostics>> {
    let bar = progress(samples.len(), arguments.show_values, output);
    let mut show = |shown: Shown<'_>| {
        if arguments.show_values {
            let body = String::from_utf8_lossy(shown.body);
            let Shown { file, element, agreement, consumer, .. } = shown;
            let element = element.map(|number| format!("#{number}")).unwrap_or_default();
            output.line(format!("{file}{element} → {consumer} ({agreement}): {body}"));
        }
    };
    for sample in samples {
        let body = samples::read(&arguments.samples, sample)
            .with_context(|| format!("cannot read {}", sample.file))?;
        if let Err(found) = rehearsal.take(sample, &body, &mut show) {
            return Ok(Err(found));
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(Ok(()))
}

/// On standard error, and only where a person watches.
fn progress(samples: usize, hidden: bool, output: &Output) -> ProgressBar {
    if hidden || !output.is_terminal() {
        return ProgressBar::hidden();
    }
    let word = output.choose("mẫu", "samples");
    let bar = ProgressBar::new(samples as u64);
    match ProgressStyle::with_template(&format!("{{bar:40}} {{pos}}/{{len}} {word}")) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn tell(
    arguments: &Rehearse,
    report: &Report,
    service: &Service,
    output: &Output,
) -> anyhow::Result<Exit> {
    if arguments.json {
        output.json(report)?;
    } else {
        output.line(report.text(output.language()).trim_end());
        if !report.patch.is_empty() {
            output.line(output.choose(
                "bản vá đề xuất cho tài liệu OpenAPI (RFC 6902):",
                "proposed patch of the OpenAPI document (RFC 6902):",
            ));
            output.json(&report.patch)?;
            output.note(match output.language() {
                Language::Vietnamese => format!(
                    "sau khi vá, phân loại trường mới trong policies/services/{}.yaml; thoả thuận \
                     không nêu thì trường mới không đến bên nào",
                    service.id
                ),
                Language::English => format!(
                    "after patching, classify the new fields in policies/services/{}.yaml; until an \
                     agreement names them they reach nobody",
                    service.id
                ),
            });
        }
    }
    if let Some(file) = &arguments.patch {
        let text = format!("{}\n", serde_json::to_string_pretty(&report.patch)?);
        fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(if report.clean { Exit::Done } else { Exit::No })
}

#[cfg(test)]
mod tests;
