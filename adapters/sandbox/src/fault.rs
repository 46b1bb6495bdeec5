//! Faults on purpose: what breaks, on which call, how often.
//!
//! A fault either replaces the work ([`Fault::Unavailable`]: nothing is accepted) or spoils the
//! answer after the work was done ([`Fault::ResetAfterAccept`]: the sender cannot know). Random
//! faults come from a seed, so that a run can be repeated.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::Value;

use crate::server::{Answer, Content, Transport};

/// Elements before a fault of a stream, unless another number is given.
const ELEMENTS: u32 = 1_000;

/// Something that goes wrong with one answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The work is done after a wait of so many milliseconds.
    Slow(u32),
    /// 503 without the work done.
    Unavailable,
    /// 500 with a stack trace, without the work done.
    StackTrace,
    /// An HTML page with status 200, without the work done.
    HtmlWith200,
    /// The work is done, then the connection closes without an answer.
    ResetAfterAccept,
    /// The work is done, half of the answer is sent, then the connection closes.
    ResetMidBody,
    /// The work is done, but `Content-Length` promises more bytes than come.
    WrongLength,
    /// The work is done, and the answer sets a cookie.
    SetCookie,
    /// A redirect to another place, without the work done.
    Redirect,
    /// Each object of the answer has a field that nobody declared.
    Drift,
    /// The same, in a stream only from the element after so many on.
    DriftAfter(u32),
    /// The connection closes in the midst of the element after so many; of an answer that is no
    /// stream, in its midst.
    BreakAfter(u32),
    /// The values of the answer change their types.
    Breakage,
    /// The answer is not JSON although it says so.
    Garbage,
    /// The connection closes without the work done: to the sender it looks as
    /// [`Self::ResetAfterAccept`] does.
    ResetBeforeWork,
    /// Of the portal: it has forgotten all sessions.
    SessionsLost,
    /// Of the portal and the Agent Node: the quota of the minute is used up.
    Quota,
    /// Of the Agent Node: the work is done, and the answer has no receipt.
    NoReceipt,
    /// Of the Agent Node: the work is done, and the receipt is of another message.
    ForeignReceipt,
}

/// A stand-in, as far as faults are its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StandIn {
    /// The National Public Service Portal.
    Portal,
    /// The Agent Node of the National Data Centre.
    AgentNode,
    /// The population database.
    Population,
    /// The city's providers.
    City,
}

impl StandIn {
    /// What it is called in messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Portal => "the portal",
            Self::AgentNode => "the Agent Node",
            Self::Population => "the population database",
            Self::City => "the city's providers",
        }
    }
}

impl Fault {
    /// Every fault, with the name used in configuration files.
    pub const NAMES: &[(&'static str, Self)] = &[
        ("slow", Self::Slow(2_000)),
        ("unavailable", Self::Unavailable),
        ("stack_trace", Self::StackTrace),
        ("html_with_200", Self::HtmlWith200),
        ("reset_after_accept", Self::ResetAfterAccept),
        ("reset_mid_body", Self::ResetMidBody),
        ("wrong_length", Self::WrongLength),
        ("set_cookie", Self::SetCookie),
        ("redirect", Self::Redirect),
        ("drift", Self::Drift),
        ("drift_after", Self::DriftAfter(ELEMENTS)),
        ("break_after", Self::BreakAfter(ELEMENTS)),
        ("breakage", Self::Breakage),
        ("garbage", Self::Garbage),
        ("reset_before_work", Self::ResetBeforeWork),
        ("sessions_lost", Self::SessionsLost),
        ("quota", Self::Quota),
        ("no_receipt", Self::NoReceipt),
        ("foreign_receipt", Self::ForeignReceipt),
    ];

    /// Which stand-ins alone have this fault; nothing when all have it.
    #[must_use]
    pub fn only_of(self) -> Option<&'static [StandIn]> {
        match self {
            Self::SessionsLost => Some(&[StandIn::Portal]),
            Self::Quota => Some(&[StandIn::Portal, StandIn::AgentNode]),
            Self::NoReceipt | Self::ForeignReceipt => Some(&[StandIn::AgentNode]),
            _ => None,
        }
    }

    /// The same fault after another number of elements. None when it does not count any.
    #[must_use]
    pub fn after(self, elements: u32) -> Option<Self> {
        match self {
            Self::DriftAfter(_) => Some(Self::DriftAfter(elements)),
            Self::BreakAfter(_) => Some(Self::BreakAfter(elements)),
            _ => None,
        }
    }

    /// The answer that stands in for the work, when the fault prevents it.
    pub(crate) fn instead(self) -> Option<Answer> {
        match self {
            Self::Unavailable => {
                Some(Answer::html(503, "<html><body>Service Unavailable</body></html>"))
            }
            Self::StackTrace => Some(Answer::html(500, STACK_TRACE)),
            Self::HtmlWith200 => {
                Some(Answer::html(200, "<html><body>He thong dang bao tri</body></html>"))
            }
            Self::Redirect => {
                let mut answer = Answer::html(302, "");
                answer.headers.push(("location", "https://elsewhere.example/".to_owned()));
                Some(answer)
            }
            Self::ResetBeforeWork => {
                let mut answer = Answer::html(500, "");
                answer.transport = Transport::Reset;
                Some(answer)
            }
            _ => None,
        }
    }

    /// Spoils the answer to work that was done.
    pub(crate) fn spoil(self, mut answer: Answer) -> Answer {
        match self {
            Self::ResetAfterAccept => answer.transport = Transport::Reset,
            Self::ResetMidBody | Self::BreakAfter(_) => {
                answer.transport = Transport::ResetMidBody;
            }
            Self::WrongLength => answer.transport = Transport::WrongLength,
            Self::SetCookie => {
                answer.headers.push(("set-cookie", "JSESSIONID=synthetic; Path=/".to_owned()));
            }
            Self::Drift | Self::DriftAfter(_) => rewrite(&mut answer, add_field),
            Self::Breakage => rewrite(&mut answer, change_types),
            Self::Garbage => {
                if let Content::Whole(body) = &mut answer.body {
                    *body = Bytes::from_static(b"{\"SoDinhDanh\": \"0");
                }
            }
            _ => {}
        }
        if let Content::Elements(elements) = &mut answer.body {
            elements.spoil(self);
        }
        answer
    }

    /// How long the work is put off.
    pub(crate) fn delay(self) -> Duration {
        match self {
            Self::Slow(milliseconds) => Duration::from_millis(u64::from(milliseconds)),
            _ => Duration::ZERO,
        }
    }
}

const STACK_TRACE: &str = "<html><body><pre>java.lang.NullPointerException: Cannot invoke \
\"vn.example.hotich.CongDan.getSoDinhDanh()\"\n\tat vn.example.hotich.TraCuuService.traCuu\
(TraCuuService.java:214)\n\tat vn.example.hotich.TraCuuController.get(TraCuuController.java:58)\n\
jdbc:oracle:thin:@db.hotich.example:1521/HOTICH</pre></body></html>";

/// The name of the field that [`Fault::Drift`] adds.
pub const DRIFT_FIELD: &str = "SoHoKhauCu";
/// The value of the field that [`Fault::Drift`] adds.
pub const DRIFT_VALUE: &str = "DRIFT-CANARY-7f3a";

fn rewrite(answer: &mut Answer, change: fn(&mut Value)) {
    if let Content::Whole(bytes) = &mut answer.body
        && let Ok(mut body) = serde_json::from_slice::<Value>(bytes)
    {
        change(&mut body);
        *bytes = Bytes::from(body.to_string());
    }
}

pub(crate) fn add_field(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.values_mut().for_each(add_field);
            map.insert(DRIFT_FIELD.to_owned(), Value::from(DRIFT_VALUE));
        }
        Value::Array(items) => items.iter_mut().for_each(add_field),
        _ => {}
    }
}

pub(crate) fn change_types(value: &mut Value) {
    match value {
        Value::Object(map) => map.values_mut().for_each(change_types),
        Value::Array(items) => items.iter_mut().for_each(change_types),
        Value::String(text) => *value = Value::from(text.len()),
        other => *other = Value::from("khong ro"),
    }
}

#[derive(Debug)]
struct Plan {
    /// Faults of a call, each used once, before the standing one.
    once: BTreeMap<String, VecDeque<Fault>>,
    standing: BTreeMap<String, Fault>,
    random: Option<Random>,
}

#[derive(Debug)]
struct Random {
    rng: StdRng,
    per_mille: u32,
    kinds: Vec<Fault>,
}

/// The control of a stand-in's faults; clones steer the same stand-in.
#[derive(Debug, Clone)]
pub struct Faults(Arc<Mutex<Plan>>);

impl Default for Faults {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Plan {
            once: BTreeMap::new(),
            standing: BTreeMap::new(),
            random: None,
        })))
    }
}

impl Faults {
    /// Breaks every answer of `call` (the last part of its path; `*` for all) until cleared.
    pub fn set(&self, call: &str, fault: Fault) {
        self.plan().standing.insert(call.to_owned(), fault);
    }

    /// Breaks the next answer of `call` that no earlier `once` breaks.
    pub fn once(&self, call: &str, fault: Fault) {
        self.plan().once.entry(call.to_owned()).or_default().push_back(fault);
    }

    /// Breaks `per_mille` of a thousand answers with one of `kinds`, chosen by `seed`.
    pub fn random(&self, seed: u64, per_mille: u32, kinds: &[Fault]) {
        let rng = StdRng::seed_from_u64(seed);
        self.plan().random = Some(Random { rng, per_mille, kinds: kinds.to_vec() });
    }

    /// Ends all faults.
    pub fn clear(&self) {
        let mut plan = self.plan();
        plan.once.clear();
        plan.standing.clear();
        plan.random = None;
    }

    /// Puts other faults in the place of all there are.
    pub fn replace(&self, standing: &[(String, Fault)], random: Option<(u64, u32, &[Fault])>) {
        let mut plan = self.plan();
        plan.once.clear();
        plan.standing = standing.iter().cloned().collect();
        plan.random = random.map(|(seed, per_mille, kinds)| Random {
            rng: StdRng::seed_from_u64(seed),
            per_mille,
            kinds: kinds.to_vec(),
        });
    }

    /// The fault of the answer to `call` that is about to be given.
    pub(crate) fn next(&self, call: &str) -> Option<Fault> {
        let mut plan = self.plan();
        for name in [call, "*"] {
            if let Some(fault) = plan.once.get_mut(name).and_then(VecDeque::pop_front) {
                return Some(fault);
            }
        }
        if let Some(fault) = plan.standing.get(call).or_else(|| plan.standing.get("*")) {
            return Some(*fault);
        }
        let Random { rng, per_mille, kinds } = plan.random.as_mut()?;
        if kinds.is_empty() || rng.random_range(0..1000) >= *per_mille {
            return None;
        }
        let index = rng.random_range(0..kinds.len());
        kinds.get(index).copied()
    }

    fn plan(&self) -> std::sync::MutexGuard<'_, Plan> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
