//! Serving a call: faults first, then the work under the lock, then the journal, then the answer.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use super::{
    Desk, lock, ministry,
    refusal::{LOGIN_FAILED, MINUTE_QUOTA, PortalError, SESSION_EXPIRED},
    work::{Reply, Work},
};
use crate::{
    Fault,
    server::{Answer, Request, Serve},
};

/// The form of a call's answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `result` is a text, also of a refusal.
    Plain,
    /// `result` is a list or a file's id; a refusal has a `message`.
    Message,
    /// As [`Self::Message`], and status 401 when the token has ended.
    Ministry,
}

impl Serve for Desk {
    async fn serve(&self, request: Request) -> Answer {
        let fault = self.faults.next(request.call());
        if let Some(fault) = fault {
            tokio::time::sleep(fault.delay()).await;
            if let Some(answer) = fault.instead() {
                return answer;
            }
            if fault == Fault::SessionsLost {
                self.forget_sessions();
            }
        }
        if request.method != http::Method::POST {
            return Answer::html(405, "<html><body>Method Not Allowed</body></html>");
        }
        let read = match fault {
            Some(Fault::Quota) => Err(MINUTE_QUOTA),
            _ if ministry::is_call(request.call()) => self.read_ministry(&request),
            _ => self.read(&request),
        };
        let (outcome, call) = self.work(read);
        if let Some(journal) = &self.journal
            && journal.durable(call).await.is_err()
        {
            return Answer::html(500, "<html><body>Internal Server Error</body></html>");
        }
        let answer = self.answer(form(request.call()), outcome);
        match fault {
            Some(fault) => fault.spoil(answer),
            None => answer,
        }
    }
}

impl Desk {
    /// Does the work, and gives the number that its place in the journal has.
    fn work(&self, read: Result<Work, PortalError>) -> (Result<Reply, PortalError>, u64) {
        let mut state = lock(&self.state);
        let outcome = read.and_then(|work| work.apply(&mut state));
        match &outcome {
            Ok(Reply::Session(_) | Reply::Token { .. }) => {}
            Ok(_) => state.ledger.accepted += 1,
            Err(error) => {
                state.ledger.sessions_expired += u64::from(*error == SESSION_EXPIRED);
                state.ledger.refuse(error.code);
            }
        }
        let entries = state.ledger.take_entries();
        let call = self.journal.as_ref().map_or(0, |journal| journal.append(&entries));
        (outcome, call)
    }

    fn answer(&self, form: Form, outcome: Result<Reply, PortalError>) -> Answer {
        let error = match outcome {
            Ok(Reply::Done) if form == Form::Ministry => {
                return Answer::json(200, &json!({"error_code": self.success()}));
            }
            Ok(reply) => return Answer::json(200, &self.taken(reply)),
            Err(error) => error,
        };
        let is_of_token = [SESSION_EXPIRED, LOGIN_FAILED].contains(&error);
        let status = if form == Form::Ministry && is_of_token { 401 } else { 200 };
        // A refusal comes with status 200, as the real one's do.
        let body = if form == Form::Plain {
            json!({"error_code": error.code, "result": error.text})
        } else {
            json!({"error_code": error.code, "message": error.text})
        };
        Answer::json(status, &body)
    }

    fn taken(&self, reply: Reply) -> Value {
        match reply {
            Reply::Session(session) => json!({"error_code": 0, "session": session}),
            Reply::Token { token, seconds } => {
                json!({"access_token": token, "token_type": "Bearer", "expires_in": seconds})
            }
            Reply::Done => json!({"error_code": self.success(), "result": "thanh cong"}),
            Reply::Result(result) => json!({"error_code": self.success(), "result": result}),
            Reply::File { id, sha256, length } => json!({
                "error_code": self.success(), "result": id, "sha256": sha256, "length": length,
            }),
        }
    }

    /// Success is spelled `"00"`, `"0"` or `0`, as the real one does.
    fn success(&self) -> Value {
        let number = self.answers.fetch_add(1, Ordering::Relaxed);
        match mix(number ^ self.settings.seed.rotate_left(32)) % 3 {
            0 => json!("00"),
            1 => json!("0"),
            _ => json!(0),
        }
    }
}

/// Spreads a counter, so that spellings do not come in turn.
fn mix(number: u64) -> u64 {
    let first = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let second = (first ^ (first >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    second ^ (second >> 31)
}

fn form(call: &str) -> Form {
    if ministry::is_call(call) {
        return Form::Ministry;
    }
    let is_list = call.starts_with("Lay") || matches!(call, "TaiLenTepTin" | "traTrangThaiHoSo");
    if is_list { Form::Message } else { Form::Plain }
}
