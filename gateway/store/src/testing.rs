//! The same tests on both engines.

pub(crate) mod postgres;

use std::sync::Arc;

use lienthong_model::sensitive::Sensitive;
use tempfile::TempDir;

use self::postgres::{PASSWORD, Server};
use crate::{Place, ServerAddress, Store, engine::tell};

/// Where a test has its durable state.
pub(crate) struct Home {
    folder: TempDir,
    database: Option<(Arc<Server>, String)>,
}

impl Home {
    pub(crate) fn sqlite() -> Self {
        Self { folder: TempDir::new().unwrap(), database: None }
    }

    /// A database of its own on a server that tests share.
    pub(crate) fn postgres() -> Self {
        Self::on(&Server::shared())
    }

    /// A database of its own on this server.
    pub(crate) fn on(server: &Arc<Server>) -> Self {
        let database = Some((Arc::clone(server), server.database()));
        Self { folder: TempDir::new().unwrap(), database }
    }

    pub(crate) fn place(&self) -> Place {
        Place::new(self.folder.path(), self.address())
    }

    pub(crate) fn address(&self) -> Option<ServerAddress> {
        let (server, name) = self.database.as_ref()?;
        Some(address(&server.url(name)))
    }

    /// Another set of connections of the same owner.
    pub(crate) async fn beside(&self, store: &Store) -> Arc<Store> {
        Arc::new(store.beside(&self.place()).await.unwrap())
    }

    pub(crate) async fn open(&self) -> Store {
        Store::open(self.place()).await.unwrap()
    }
}

/// Carries one statement out.
pub(crate) async fn change(store: &Store, statement: &'static str) {
    let mut transaction = store.write().await.unwrap();
    tell!(&mut transaction, sqlx::query(statement)).unwrap();
    transaction.commit().await.unwrap();
}

/// With the password.
pub(crate) fn address(url: &str) -> ServerAddress {
    url.parse::<ServerAddress>().unwrap().with_password(&Sensitive::new(format!("{PASSWORD}\n")))
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
