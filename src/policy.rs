//! `lienthong policy`: check, test and explain policies.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use jiff::civil::Date;
use lienthong_gateway::{cases, snapshot::Views};
use lienthong_model::{
    clock::civil_date,
    diagnostic::Diagnostics,
    id::{AgreementId, OperationId, ParticipantId, PurposeId},
};
use lienthong_policy::{Bundle, ConsentFact, Facts, PolicySet, Presence, explain, run_cases};
use serde_json::json;

use crate::{
    clock,
    output::{Exit, Output},
};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Reads every policy file and tells all mistakes at once, with file, line and column.
    ///
    /// Example: lienthong policy check policies
    Check(Files),
    /// Runs the cases in `policies/cases` and tells each that ends otherwise than stated.
    ///
    /// Example: lienthong policy test policies
    Test(Files),
    /// Tells what would be decided, by which rule and article, and which fields would pass.
    ///
    /// Example: lienthong policy explain --agreement ward-civil-status
    ///   --operation getBirthRecord --purpose dossier_processing
    Explain(Question),
}

#[derive(Debug, Args)]
pub(crate) struct Files {
    /// Directory of the policies.
    #[arg(default_value = "policies")]
    directory: PathBuf,
    /// Directory of the schemas; by default `schemas` beside the policies.
    #[arg(long)]
    schemas: Option<PathBuf>,
    /// Writes JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Question {
    #[command(flatten)]
    files: Files,
    /// Agreement id.
    #[arg(long)]
    agreement: AgreementId,
    /// Operation id.
    #[arg(long)]
    operation: OperationId,
    /// Purpose code.
    #[arg(long)]
    purpose: PurposeId,
    /// Civil date; by default today in Ho Chi Minh City.
    #[arg(long)]
    date: Option<Date>,
    /// Intermediary through which the request would come.
    #[arg(long)]
    via: Option<ParticipantId>,
    /// Whether the officer is named.
    #[arg(long, default_value = "present")]
    officer: Named,
    /// Whether the dossier is named.
    #[arg(long, default_value = "present")]
    dossier: Named,
    /// What the registry of consents says, for an agreement that rests on consent.
    #[arg(long, default_value = "given", value_parser = consent_fact)]
    consent: ConsentFact,
}

fn consent_fact(text: &str) -> Result<ConsentFact, String> {
    let known = ConsentFact::WORDS.iter().find(|(word, _)| *word == text);
    known.map(|(_, fact)| *fact).ok_or_else(|| {
        let words: Vec<&str> = ConsentFact::WORDS.iter().map(|(word, _)| *word).collect();
        format!("expected one of {}", words.join(", "))
    })
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Named {
    Present,
    Absent,
}

impl From<Named> for Presence {
    fn from(named: Named) -> Self {
        match named {
            Named::Present => Self::Present,
            Named::Absent => Self::Absent,
        }
    }
}

pub(crate) fn run(command: Command, output: &Output) -> anyhow::Result<Exit> {
    match command {
        Command::Check(files) => check(&files, output),
        Command::Test(files) => test(&files, output),
        Command::Explain(question) => answer(question, output),
    }
}

fn load(files: &Files) -> Result<PolicySet, Diagnostics> {
    read(&files.directory, files.schemas.as_deref())
}

/// Reads and checks the policies; the schemas stand beside them unless said otherwise.
pub(crate) fn read(directory: &Path, schemas: Option<&Path>) -> Result<PolicySet, Diagnostics> {
    let beside = directory.parent().unwrap_or_else(|| Path::new(".")).join("schemas");
    let bundle = Bundle::read(directory, schemas.unwrap_or(&beside))?;
    let policies = PolicySet::check(&bundle, civil_date(clock::system().now()))?;
    Views::check(&policies).into_result(policies)
}

fn check(files: &Files, output: &Output) -> anyhow::Result<Exit> {
    let loaded = load(files);
    if files.json {
        let (mistakes, warnings) = match &loaded {
            Ok(policies) => (Vec::new(), policies.warnings.clone()),
            Err(found) => (found.sorted(), Vec::new()),
        };
        let text = |list: Vec<lienthong_model::diagnostic::Diagnostic>| -> Vec<serde_json::Value> {
            list.iter()
                .map(|d| {
                    json!({
                        "file": d.file, "line": d.at.line, "column": d.at.column,
                        "message": d.message, "help": d.help,
                    })
                })
                .collect()
        };
        output.json(&json!({ "mistakes": text(mistakes), "warnings": text(warnings) }))?;
        return Ok(if loaded.is_ok() { Exit::Done } else { Exit::No });
    }
    match loaded {
        Ok(policies) => {
            for warning in &policies.warnings {
                output.line(format!("{}: {warning}", output.choose("lưu ý", "warning")));
            }
            let (a, s, p) =
                (policies.agreements.len(), policies.services.len(), policies.participants.len());
            let n = policies.notices.len();
            output.line(match output.language() {
                lienthong_model::text::Language::Vietnamese => {
                    format!("không có lỗi: {p} đơn vị, {s} dịch vụ, {a} thỏa thuận, {n} thông báo")
                }
                lienthong_model::text::Language::English => {
                    format!(
                        "no mistakes: {p} participants, {s} services, {a} agreements, {n} notices"
                    )
                }
            });
            Ok(Exit::Done)
        }
        Err(found) => Ok(output.mistakes(&found)),
    }
}

fn test(files: &Files, output: &Output) -> anyhow::Result<Exit> {
    let policies = match load(files) {
        Ok(policies) => policies,
        Err(found) => return Ok(output.mistakes(&found)),
    };
    let outcomes = run_cases(&policies);
    let mut failed = 0_usize;
    let mut rows = Vec::new();
    for (outcome, case) in outcomes.iter().zip(&policies.cases) {
        let mut wrong = outcome.problems.clone();
        wrong.extend(cases::check_bodies(&policies, case));
        if !wrong.is_empty() {
            failed += 1;
            if !files.json {
                output.line(format!("{}: {}", case.file, case.name));
                wrong.iter().for_each(|problem| output.line(format!("    {problem}")));
            }
        }
        rows.push(json!({ "file": case.file, "name": case.name, "problems": wrong }));
    }
    if files.json {
        output.json(&json!({ "cases": rows, "failed": failed }))?;
    } else {
        output.line(match output.language() {
            lienthong_model::text::Language::Vietnamese => {
                format!("{} tình huống đạt, {failed} không đạt", outcomes.len() - failed)
            }
            lienthong_model::text::Language::English => {
                format!("{} cases passed, {failed} failed", outcomes.len() - failed)
            }
        });
    }
    Ok(if failed == 0 { Exit::Done } else { Exit::No })
}

fn answer(question: Question, output: &Output) -> anyhow::Result<Exit> {
    let policies = match load(&question.files) {
        Ok(policies) => policies,
        Err(found) => return Ok(output.mistakes(&found)),
    };
    let Some(agreement) = policies.agreements.get(&question.agreement) else {
        let known = policies.agreements.keys().map(AgreementId::as_str);
        let nearest = lienthong_model::diagnostic::nearest(question.agreement.as_str(), known);
        let hint = nearest.map(|n| format!(" (`{n}`?)")).unwrap_or_default();
        let text = output.choose("không có thỏa thuận", "no agreement");
        output.line(format!("{text} `{}`{hint}", question.agreement));
        return Ok(Exit::No);
    };
    let facts = Facts {
        consumer: agreement.consumer.clone(),
        via: question.via,
        purpose: question.purpose,
        today: question.date.unwrap_or_else(|| civil_date(clock::system().now())),
        officer: question.officer.into(),
        dossier: question.dossier.into(),
        consent: match agreement.consent {
            Some(_) => question.consent,
            None => ConsentFact::NotNeeded,
        },
    };
    let explanation = explain(&policies, &question.agreement, &question.operation, &facts);
    if question.files.json {
        output.json(&explanation)?;
    } else {
        output.line(explanation.text(output.language()));
    }
    Ok(if explanation.decision == "permit" { Exit::Done } else { Exit::No })
}
