//! What the portal has seen, over plain HTTP on loopback: for tests and rehearsals that run it as a
//! process of its own. Never beside the calls, never over a listener that others reach.

use std::{fmt::Write as _, sync::Arc};

use bytes::Bytes;

use super::{Desk, lock};
use crate::server::{Answer, Content, Request, Serve};

/// Answers `GET /_report` and `GET /_cases`.
pub(super) struct Told(pub(super) Arc<Desk>);

impl Serve for Told {
    async fn serve(&self, request: Request) -> Answer {
        if request.method != http::Method::GET {
            return Answer::html(405, "<html><body>Method Not Allowed</body></html>");
        }
        match request.path.as_str() {
            "/_report" => {
                let report = lock(&self.0.state).report();
                match serde_json::to_value(report) {
                    Ok(report) => Answer::json(200, &report),
                    Err(_) => Answer::html(500, ""),
                }
            }
            "/_cases" => self.cases(),
            _ => Answer::html(404, ""),
        }
    }
}

impl Told {
    /// A line for each case: code, status, statuses in order of arrival.
    fn cases(&self) -> Answer {
        let mut lines = String::new();
        for (code, status, history) in lock(&self.0.state).cases.all() {
            let history: Vec<String> = history.iter().map(u8::to_string).collect();
            // Writing into memory does not fail.
            writeln!(lines, "{code}\t{status}\t{}", history.join(",")).ok();
        }
        let mut answer = Answer::html(200, "");
        answer.media = "text/plain; charset=utf-8";
        answer.body = Content::Whole(Bytes::from(lines));
        answer
    }
}
