//! One call, parsed and checked, ready to be done while the lock is held.

use serde_json::{Map, Value, json};

use super::{
    case::Change,
    check::Updating,
    digest::Digest,
    file,
    journal::Entry,
    question,
    record::{ANSWERS, Kind, RATINGS, REGISTRATIONS},
    refusal::{PortalError, UNKNOWN_CASE, UNKNOWN_NUMBER, UNKNOWN_RECORD},
    state::State,
};

/// A record and what identifies it.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) key: String,
    pub(crate) digest: Digest,
    /// The case a rating is about.
    pub(crate) case: Option<String>,
    pub(crate) record: Value,
}

/// What a call asks for.
#[derive(Debug)]
pub(crate) enum Work {
    /// Nothing that is held.
    Ready(Reply),
    /// A session or a token has been opened.
    Opened(Reply),
    Sync {
        changes: Vec<(Change, Value)>,
        updating: Updating,
    },
    Steps(Vec<(Change, Value)>),
    LookUp(Vec<String>),
    Records {
        kind: &'static Kind,
        items: Vec<Item>,
        updating: Updating,
    },
    Questions(Map<String, Value>),
    Reports {
        unit: String,
        filter: Map<String, Value>,
    },
    /// What became of civil-status registrations.
    Registered(Vec<String>),
    File {
        file: file::Taken,
        length: u64,
        of: FileOf,
    },
    /// The next dossier number for an agency; the day, as `yyMMdd`.
    Number {
        agency: String,
        day: String,
    },
    HandOver(Change, Value),
    MinistryStep(Change, Value),
    MinistryStatus(Change),
}

/// Whose file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileOf {
    Portal,
    Ministry,
}

/// What a call is answered with when it is taken.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Reply {
    /// `result` is a text.
    Done,
    /// `result` is this.
    Result(Value),
    Session(String),
    Token {
        token: String,
        seconds: u32,
    },
    File {
        id: String,
        sha256: String,
        length: u64,
    },
}

type Outcome = Result<Reply, PortalError>;

impl Work {
    /// Does it. Records before one that is refused stay taken: what the real portal does with the
    /// rest of a call is not known.
    pub(crate) fn apply(self, state: &mut State) -> Outcome {
        match self {
            Self::Ready(reply) => Ok(reply),
            Self::Opened(reply) => {
                state.ledger.logins += 1;
                Ok(reply)
            }
            Self::Sync { changes, updating } => {
                for (change, record) in changes {
                    state.cases.sync(&change, updating, &mut state.ledger)?;
                    state.keep(record);
                }
                Ok(Reply::Done)
            }
            Self::Steps(changes) => {
                for (change, record) in changes {
                    state.cases.step(&change, &mut state.ledger)?;
                    state.keep(record);
                }
                Ok(Reply::Done)
            }
            Self::LookUp(codes) => {
                let found: Result<Vec<Value>, _> =
                    codes.iter().map(|code| state.cases.look_up(code)).collect();
                Ok(Reply::Result(Value::Array(found?)))
            }
            Self::Records { kind, items, updating } => records(state, kind, items, updating),
            Self::Questions(filter) => {
                let page = state.questions.open(&filter, &state.records);
                Ok(Reply::Result(Value::Array(page)))
            }
            Self::Reports { unit, filter } => {
                Ok(Reply::Result(Value::Array(state.questions.reports(&unit, &filter))))
            }
            Self::Registered(keys) => registered(state, &keys),
            Self::File { file, length, of } => take_file(state, file, length, of),
            Self::Number { agency, day } => Ok(number(state, &agency, &day)),
            Self::HandOver(change, record) => {
                if !is_issued(&change.code, state.sequence) {
                    return Err(UNKNOWN_NUMBER);
                }
                state.ministry.sync(&change, Updating::No, &mut state.ledger)?;
                state.keep(record);
                Ok(Reply::Done)
            }
            Self::MinistryStep(change, record) => {
                state.ministry.step(&change, &mut state.ledger)?;
                state.keep(record);
                Ok(Reply::Done)
            }
            Self::MinistryStatus(change) => {
                state.ministry.set_status(&change, &mut state.ledger)?;
                Ok(Reply::Done)
            }
        }
    }
}

fn records(state: &mut State, kind: &Kind, items: Vec<Item>, updating: Updating) -> Outcome {
    for item in items {
        if *kind == ANSWERS && !state.questions.knows(&item.key) {
            return Err(UNKNOWN_RECORD);
        }
        if *kind == RATINGS && item.case.is_none_or(|case| !state.cases.holds(&case)) {
            return Err(UNKNOWN_CASE);
        }
        state.records.take(kind, &item.key, item.digest, updating, &mut state.ledger)?;
        state.keep(item.record);
    }
    Ok(Reply::Done)
}

fn registered(state: &State, keys: &[String]) -> Outcome {
    let status = |key: &String| {
        if !state.records.holds(REGISTRATIONS.call, key) {
            return Err(UNKNOWN_RECORD);
        }
        Ok(json!({"MaHoSo": key, "TrangThai": "1"}))
    };
    let found: Result<Vec<Value>, _> = keys.iter().map(status).collect();
    Ok(Reply::Result(Value::Array(found?)))
}

fn take_file(state: &mut State, file: file::Taken, length: u64, of: FileOf) -> Outcome {
    state.files.take(&file, length, &mut state.ledger)?;
    let file::Taken { id, sha256 } = file;
    Ok(match of {
        FileOf::Portal => Reply::File { id, sha256, length },
        FileOf::Ministry => Reply::Result(json!({"IdTepTin": id, "HashTepTin": sha256})),
    })
}

fn number(state: &mut State, agency: &str, day: &str) -> Reply {
    state.sequence += 1;
    let sequence = state.sequence;
    state.ledger.note(Entry::Number { sequence });
    Reply::Result(json!({"MaHoSo": format!("{agency}-{day}-{sequence:06}")}))
}

/// Whether a dossier number was given out.
fn is_issued(code: &str, last: u64) -> bool {
    let sequence = code.rsplit('-').next().and_then(|digits| digits.parse::<u64>().ok());
    sequence.is_some_and(|sequence| (1..=last).contains(&sequence))
}

/// A page of what never changes.
pub(crate) fn published(filter: &Map<String, Value>) -> Work {
    Work::Ready(Reply::Result(Value::Array(question::published(filter))))
}
