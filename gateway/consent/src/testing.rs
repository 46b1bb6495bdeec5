//! What tests share: a store on each engine, and people who say something.

#[path = "../../store/src/testing/postgres.rs"]
pub(crate) mod postgres;

use std::sync::Arc;

use jiff::civil::{Date, date};
use lienthong_model::sensitive::Sensitive;
use lienthong_store::{Place, ServerAddress, Store};
use serde_json::{Value, json};
use tempfile::TempDir;

use self::postgres::{PASSWORD, Server};
use crate::statement::{Checked, Limits, Statement};

/// The day on which tests begin.
pub(crate) const TODAY: Date = date(2026, 11, 30);
pub(crate) const CITIZEN: &str = "079085000001";

/// Where a test has its durable state.
pub(crate) struct Home {
    pub(crate) folder: TempDir,
    pub(crate) server: Option<(Arc<Server>, String)>,
}

impl Home {
    pub(crate) fn sqlite() -> Self {
        Self { folder: TempDir::new().unwrap(), server: None }
    }

    /// A database of its own on a server that tests share.
    pub(crate) fn postgres() -> Self {
        Self::on(&Server::shared())
    }

    pub(crate) fn on(server: &Arc<Server>) -> Self {
        let database = server.database();
        Self { folder: TempDir::new().unwrap(), server: Some((Arc::clone(server), database)) }
    }

    pub(crate) async fn store(&self) -> Arc<Store> {
        let address = self.server.as_ref().map(|(server, name)| {
            let address: ServerAddress = server.url(name).parse().unwrap();
            address.with_password(&Sensitive::new(PASSWORD.to_owned()))
        });
        let place = Place::new(self.folder.path(), address);
        Arc::new(Store::open(place).await.unwrap())
    }
}

/// Runs tests on both engines.
macro_rules! on_both {
    ($($test:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $test() {
                super::$test($crate::testing::Home::sqlite()).await;
            })*
        }

        mod postgres {
            $(#[tokio::test]
            async fn $test() {
                super::$test($crate::testing::Home::postgres()).await;
            })*
        }
    };
}
pub(crate) use on_both;

pub(crate) fn limits() -> Limits {
    Limits { today: TODAY, max_days: 365, child_under: Limits::CHILD_UNDER }
}

/// A statement that keeps every rule.
pub(crate) fn wire() -> Value {
    json!({
        "data_subject": {"kind": "citizen_number", "value": CITIZEN},
        "controller": "H29.12",
        "recipients": ["H29.41", "H29.30"],
        "service": "health-book",
        "purpose": "health_care",
        "fields": ["getHealthBook/200/NhomMau", "getHealthBook/200/HoVaTen"],
        "notice": {"id": "health-book", "hash": "ab".repeat(32), "language": "vi"},
        "given": {"channel": "paper", "reference": "PYT-12/2026"},
        "period": {"from": "2026-11-30", "until": "2026-12-29"},
        "frequency": "as_needed",
        "retention_days": 30,
        "decision": "give",
    })
}

/// The same with these members in place of its own; null takes one away.
pub(crate) fn with(changes: &Value) -> Value {
    let mut wire = wire();
    for (name, value) in changes.as_object().unwrap() {
        wire[name] = value.clone();
    }
    wire.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    wire
}

pub(crate) fn statement(changes: &Value) -> Statement {
    Statement::read(with(changes).to_string().as_bytes()).unwrap()
}

pub(crate) fn checked(changes: &Value) -> Checked {
    statement(changes).check(&limits()).unwrap()
}
