//! TLS to database servers: the right anchor and name, or nothing. Real servers on loopback, with
//! certificates made here.

mod postgres_server;

use std::{
    net::TcpListener,
    os::unix::fs::{PermissionsExt, chown},
    path::PathBuf,
    time::Duration,
};

use lienthong_store::{Place, ServerAddress, Store};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use sqlx::{Connection as _, MySqlConnection, PgConnection};
use tempfile::TempDir;

use self::postgres_server::Server;
use super::{
    Source, SourceError,
    testing::{flow, mariadb, postgres::PASSWORD, table},
};
use crate::config::{
    MysqlAddress, MysqlConfig, PostgresConfig, SourceKind, TableMode, TableTray, Taken,
    TrayAddress, TrayConfig, TrayTable,
};
use crate::tray::{Holds, Tray};

const UNKNOWN: &str =
    "database is not who it should be: no anchor that is trusted has signed its certificate";
const OTHER_NAME: &str = "database is not who it should be: its certificate is for another name";
const NO_TLS: &str = "database speaks no TLS, which is asked for";

/// An authority, with a server's certificate for a name.
struct Pki(TempDir);

impl Pki {
    fn new(name: &str, authority: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let public = PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(folder.path(), public).unwrap();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, authority);
        let anchor = params.self_signed(&key).unwrap();
        let issuer = Issuer::new(params, key);
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &issuer).unwrap();
        let pki = Self(folder);
        std::fs::write(pki.file("anchor.pem"), anchor.pem()).unwrap();
        std::fs::write(pki.file("server.pem"), certificate.pem()).unwrap();
        std::fs::write(pki.file("server.key"), key.serialize_pem()).unwrap();
        std::fs::set_permissions(pki.file("server.key"), PermissionsExt::from_mode(0o600)).unwrap();
        // As whom servers run where the tests run as root.
        chown(pki.file("server.key"), Some(65534), Some(65534)).ok();
        pki
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.file(name).display().to_string()
    }
}

/// A port that nobody has at present.
fn port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn outbox() -> TableMode {
    TableMode::Outbox(Taken::At("taken_at".to_owned()))
}

fn tray(address: TrayAddress) -> Tray {
    let table = TrayTable {
        table: "items".to_owned(),
        key: "event".to_owned(),
        item: "case_code".to_owned(),
        received_at: None,
        taken_at: None,
    };
    let config = TableTray { address, table, statement: Duration::from_secs(30) };
    Tray::open(&TrayConfig::Table(config), Holds::Text).unwrap()
}

/// What a refusal says; one that is waited for would hide the mistake.
fn told(opened: Result<Source, SourceError>) -> String {
    let error = opened.map(drop).unwrap_err();
    assert!(!error.is_transient(), "{error}");
    error.to_string()
}

fn postgres_address(port: u16, anchor: &Pki) -> ServerAddress {
    let anchor = anchor.text("anchor.pem");
    let text = format!(
        "postgres://lienthong@localhost:{port}/postgres?sslmode=verify-full&sslrootcert={anchor}"
    );
    let address: ServerAddress = text.parse().unwrap();
    address.with_password(&lienthong_model::sensitive::Sensitive::new(PASSWORD.to_owned()))
}

async fn open_postgres(address: &ServerAddress) -> Result<Source, SourceError> {
    let config = PostgresConfig {
        address: address.clone(),
        table: table("items", outbox()),
        transaction_column: None,
        overlap: Duration::from_secs(60),
        statement: Duration::from_secs(30),
    };
    Source::open(&flow(SourceKind::Postgres(config), None)).await
}

/// Refused as a source, as a table for the city and as the place of the outbox alike.
async fn refuses_postgres(address: ServerAddress, words: &str) {
    assert_eq!(told(open_postgres(&address).await), words);
    let error = tray(TrayAddress::Postgres(address.clone())).verify().await.unwrap_err();
    assert_eq!((error.to_string().as_str(), error.is_transient()), (words, false));
    let folder = TempDir::new().unwrap();
    let place = Place::new(folder.path().to_owned(), Some(address));
    assert!(Store::share(place).await.is_err());
}

#[tokio::test]
async fn postgresql_is_believed_with_the_right_anchor_and_name_and_never_spoken_to_in_the_clear() {
    let [ours, elsewhere] = ["localhost", "db.example"].map(|name| Pki::new(name, "City"));
    let others = ["City", "Others"].map(|authority| Pki::new("localhost", authority));
    let mut server = Server::make();
    let port = server.serve(None);
    refuses_postgres(postgres_address(port, &ours), NO_TLS).await;
    let port = server.serve(Some(&elsewhere));
    refuses_postgres(postgres_address(port, &elsewhere), OTHER_NAME).await;
    let port = server.serve(Some(&ours));
    for other in &others {
        refuses_postgres(postgres_address(port, other), UNKNOWN).await;
    }
    let address = postgres_address(port, &ours);
    let mut link = PgConnection::connect_with(&address.options()).await.unwrap();
    sqlx::query(
        "CREATE TABLE items (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, \
         event text UNIQUE, case_code text, taken_at timestamptz)",
    )
    .execute(&mut link)
    .await
    .unwrap();
    let source = open_postgres(&address).await.unwrap();
    let tray = tray(TrayAddress::Postgres(address.clone()));
    tray.verify().await.unwrap();
    let folder = TempDir::new().unwrap();
    let place = Place::new(folder.path().to_owned(), Some(address));
    let store = Store::share(place).await.unwrap();
    let encrypted: Vec<bool> = sqlx::query_scalar(
        "SELECT s.ssl FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid)
         WHERE a.backend_type = 'client backend'",
    )
    .fetch_all(&mut link)
    .await
    .unwrap();
    assert!(encrypted.len() >= 4 && encrypted.iter().all(|is| *is), "{encrypted:?}");
    drop((source, tray, store));
}

fn mysql_address(port: u16, anchor: &Pki) -> MysqlAddress {
    let anchor = anchor.text("anchor.pem");
    let query = format!("ssl-mode=VERIFY_IDENTITY&ssl-ca={anchor}");
    format!("mysql://root@localhost:{port}/mysql?{query}").parse().unwrap()
}

async fn open_mysql(address: &MysqlAddress) -> Result<Source, SourceError> {
    let config = MysqlConfig {
        address: address.clone(),
        table: table("items", outbox()),
        overlap: Duration::from_secs(60),
        statement: Duration::from_secs(30),
    };
    Source::open(&flow(SourceKind::Mysql(config), None)).await
}

/// Refused as a source and as a table for the city alike.
async fn refuses_mysql(address: MysqlAddress, words: &str) {
    assert_eq!(told(open_mysql(&address).await), words);
    let error = tray(TrayAddress::Mysql(address)).verify().await.unwrap_err();
    assert_eq!((error.to_string().as_str(), error.is_transient()), (words, false));
}

/// A MariaDB server on a port of loopback, with this certificate or without TLS.
fn mariadb(pki: Option<&Pki>) -> (mariadb::Server, u16) {
    let port = port();
    let mut more = vec![
        "--skip-networking=0".to_owned(),
        "--bind-address=127.0.0.1".to_owned(),
        format!("--port={port}"),
    ];
    match pki {
        None => more.push("--skip-ssl".to_owned()),
        Some(pki) => {
            more.push(format!("--ssl-cert={}", pki.text("server.pem")));
            more.push(format!("--ssl-key={}", pki.text("server.key")));
        }
    }
    (mariadb::Server::start_with(&more), port)
}

#[tokio::test]
async fn mariadb_is_believed_with_the_right_anchor_and_name_and_never_spoken_to_in_the_clear() {
    let [ours, elsewhere] = ["localhost", "db.example"].map(|name| Pki::new(name, "City"));
    let others = ["City", "Others"].map(|authority| Pki::new("localhost", authority));
    let (_plain, port) = mariadb(None);
    refuses_mysql(mysql_address(port, &ours), NO_TLS).await;
    let (_elsewhere, port) = mariadb(Some(&elsewhere));
    refuses_mysql(mysql_address(port, &elsewhere), OTHER_NAME).await;
    let (_server, port) = mariadb(Some(&ours));
    for other in &others {
        refuses_mysql(mysql_address(port, other), UNKNOWN).await;
    }
    let address = mysql_address(port, &ours);
    let mut link = MySqlConnection::connect_with(&address.options()).await.unwrap();
    sqlx::query(
        "CREATE TABLE items (id BIGINT AUTO_INCREMENT PRIMARY KEY, \
         event VARCHAR(100) COLLATE utf8mb4_bin UNIQUE, case_code TEXT, taken_at DATETIME) \
         ENGINE = InnoDB CHARACTER SET utf8mb4",
    )
    .execute(&mut link)
    .await
    .unwrap();
    // Nobody may speak to it otherwise from here on.
    sqlx::query("ALTER USER root@localhost REQUIRE SSL").execute(&mut link).await.unwrap();
    let cipher: (String, String) =
        sqlx::query_as("SHOW SESSION STATUS LIKE 'Ssl_cipher'").fetch_one(&mut link).await.unwrap();
    assert!(!cipher.1.is_empty());
    open_mysql(&address).await.unwrap();
    tray(TrayAddress::Mysql(address)).verify().await.unwrap();
}
