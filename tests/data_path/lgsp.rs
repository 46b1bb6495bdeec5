//! Present clients of the city's LGSP: a connection sheet for a token, a token for a member, a
//! short path for an operation, and nothing more than an X-Road client would get.

mod credentials;
mod curl;
mod exchange;
mod tokens;

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use lienthong_gateway::{
    lgsp::{ConnectionSheet, TokenKeys, import::block},
    pki::Issued,
};
use lienthong_model::sensitive::Sensitive;
use serde_json::{Value, json};

use super::harness::{Answer, Ask, Files, HTTP1, Setup, World, now};

/// Tries that no test of something else should meet a limit of.
const GENEROUS: &str = "  tokens_per_minute: 6000\n";
/// Where the test world's `findPerson` is for such clients.
const FIND: &str = "/APITraCuuCongDan?number=001122334455";

/// The connection sheet of a participant; its secret is made for this run and thrown away.
fn sheet(name: &str) -> Value {
    json!({
        "AppName": format!("APP-{name}"),
        "AccessKey": format!("4cc3ss-{name}"),
        "SecretKey": format!("s3cr3t-{name}-{}", now().as_nanosecond()),
        "PartnerCode": "placeholder-1",
        "PartnerCodeCus": "placeholder-2",
    })
}

fn with_block(files: Files, name: &str, sheet: &Value) -> Files {
    let sheet = ConnectionSheet::from_json(sheet.to_string().as_bytes()).unwrap();
    let block = block(&sheet, None).unwrap();
    let file = format!("policies/participants/{name}.yaml");
    files.replace(&file, "status: active", &format!("{block}status: active"))
}

/// A world in which `desk` and `clinic` are LGSP clients.
struct City {
    world: World,
    desk: Value,
    clinic: Value,
}

impl City {
    async fn new() -> Self {
        Self::with(GENEROUS).await
    }

    async fn with(settings: &'static str) -> Self {
        let (desk, clinic) = (sheet("desk"), sheet("clinic"));
        let files = with_block(files(), "desk", &desk);
        let files = with_block(files, "clinic", &clinic);
        let setup = Setup { files, lgsp: Some(settings), ..Setup::default() };
        Self { world: World::with(setup).await, desk, clinic }
    }

    /// A token for `desk`, given to this certificate.
    async fn token(&self, issued: &Issued) -> String {
        let answer = self.send(issued, &ask_token(&self.desk)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["access_token"].as_str().unwrap().to_owned()
    }

    /// One request with a certificate that is already there.
    async fn send(&self, issued: &Issued, ask: &Ask) -> Answer {
        let identity = self.world.pki.client_with(issued, HTTP1);
        let mut connection = self.world.connection_as(Arc::clone(&identity)).await;
        connection.send(&ask.bytes()).await;
        connection.answer().await
    }
}

/// The usual files, with paths for LGSP clients.
fn files() -> Files {
    let paths = "lgsp_paths: {findPerson: /APITraCuuCongDan, addPerson: /lgsp/APIThemCongDan}\n";
    let people = "policies/services/people.yaml";
    Files::default().replace(people, "operations:\n", &format!("{paths}operations:\n"))
}

fn header_of(sheet: &Value) -> String {
    STANDARD.encode(sheet.to_string())
}

/// A request for a token as present clients send it.
fn ask_token(sheet: &Value) -> Ask {
    Ask::get("desk", "/token")
        .method("POST")
        .header("lgspaccesstoken", &header_of(sheet))
        .header("content-type", "application/x-www-form-urlencoded")
        .body("grant_type=client_credentials")
}

/// A look-up as present clients send it.
fn find(token: &str) -> Ask {
    Ask::get("desk", FIND).header("authorization", &format!("Bearer {token}"))
}

/// The key of 32 times this byte; that of every gateway of these tests is of 0x7b.
fn keys(byte: u8) -> TokenKeys {
    TokenKeys::new(&Sensitive::new([byte; 32]), None)
}

/// `sheet` with another text in one field.
fn changed(sheet: &Value, field: &str, text: &str) -> Value {
    let mut sheet = sheet.clone();
    sheet[field] = text.into();
    sheet
}
