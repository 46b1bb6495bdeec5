use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::{
    server::{self, Listen, Request, Serve},
    testing::{Got, send},
};

struct Desk(Faults);

impl Serve for Desk {
    async fn serve(&self, request: Request) -> Answer {
        let fault = self.0.next(request.call());
        if let Some(answer) = fault.and_then(Fault::instead) {
            return answer;
        }
        let answer = Answer::json(200, &json!({"SoDinhDanh": "079", "Cha": {"NamSinh": 1970}}));
        match fault {
            Some(fault) => fault.spoil(answer),
            None => answer,
        }
    }
}

async fn answer(fault: Fault) -> Option<Got> {
    let faults = Faults::default();
    faults.once("x", fault);
    let running = server::start(&Listen::loopback(), Arc::new(Desk(faults))).await.unwrap();
    send(running.addr, "GET", "/x", None).await
}

#[tokio::test]
async fn broken_answers_never_look_whole() {
    for fault in [Fault::ResetAfterAccept, Fault::ResetMidBody, Fault::WrongLength] {
        assert!(answer(fault).await.is_none(), "{fault:?}");
    }
}

#[tokio::test]
async fn each_fault_is_what_it_says() {
    assert_eq!(answer(Fault::Unavailable).await.unwrap().status, 503);
    let trace = answer(Fault::StackTrace).await.unwrap();
    assert_eq!(trace.status, 500);
    assert!(String::from_utf8(trace.body).unwrap().contains("NullPointerException"));
    let page = answer(Fault::HtmlWith200).await.unwrap();
    assert_eq!(page.status, 200);
    assert!(page.headers["content-type"].to_str().unwrap().starts_with("text/html"));
    assert!(answer(Fault::SetCookie).await.unwrap().headers.contains_key("set-cookie"));
    let redirect = answer(Fault::Redirect).await.unwrap();
    assert_eq!((redirect.status, redirect.headers.contains_key("location")), (302, true));
    let drift = answer(Fault::Drift).await.unwrap().json();
    assert_eq!(drift[DRIFT_FIELD], DRIFT_VALUE);
    assert_eq!(drift["Cha"][DRIFT_FIELD], DRIFT_VALUE);
    assert_eq!(drift["SoDinhDanh"], "079");
    let broken = answer(Fault::Breakage).await.unwrap().json();
    assert!(broken["SoDinhDanh"].is_number() && broken["Cha"]["NamSinh"].is_string());
    let garbage = answer(Fault::Garbage).await.unwrap();
    assert!(serde_json::from_slice::<Value>(&garbage.body).is_err());
}

#[test]
fn faults_come_once_then_standing_then_by_chance() {
    let faults = Faults::default();
    faults.set("x", Fault::Drift);
    faults.once("x", Fault::Redirect);
    assert_eq!(faults.next("x"), Some(Fault::Redirect));
    assert_eq!(faults.next("x"), Some(Fault::Drift));
    assert_eq!(faults.next("y"), None);
    faults.clear();
    assert_eq!(faults.next("x"), None);
    let by_chance = |seed| {
        let faults = Faults::default();
        faults.random(seed, 500, &[Fault::Garbage, Fault::Redirect]);
        (0..64).map(|_| faults.next("x")).collect::<Vec<_>>()
    };
    assert_eq!(by_chance(3), by_chance(3));
    assert_ne!(by_chance(3), by_chance(4));
    assert!(by_chance(3).contains(&None) && by_chance(3).contains(&Some(Fault::Garbage)));
}
