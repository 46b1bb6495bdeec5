//! Who gets a token, and above all who does not.

use lienthong_model::reason::ReasonCode;
use rustls::AlertDescription;
use serde_json::Value;

use super::{
    super::harness::{Ask, alert, connect},
    City, ask_token, changed, header_of,
};

#[tokio::test]
async fn nobody_without_a_good_certificate_is_even_heard() {
    let city = City::new().await;
    let nobody = city.world.pki.client_without_certificate();
    let mut connection = match connect(city.world.gateway.address, nobody).await {
        Ok(connection) => connection,
        Err(error) => panic!("TLS 1.3 tells of it at the first read, not here: {error}"),
    };
    connection.send(&ask_token(&city.desk).bytes()).await;
    let error = connection.try_answer().await.unwrap_err();
    assert_eq!(alert(&error), Some(AlertDescription::CertificateRequired));
    for (name, reason) in
        [("stranger", ReasonCode::ConsumerUnknown), ("retired", ReasonCode::ConsumerSuspended)]
    {
        let answer = city.world.ask(&ask_token(&city.desk).certificate(name)).await;
        city.world.assert_refused(&answer, reason).await;
    }
}

#[tokio::test]
async fn a_sheet_counts_only_whole_and_with_the_certificate_of_its_participant() {
    let city = City::new().await;
    let good = ask_token(&city.desk);
    let mut rows: Vec<(String, Ask)> = city
        .desk
        .as_object()
        .unwrap()
        .keys()
        .map(|field| (field.clone(), ask_token(&changed(&city.desk, field, "another"))))
        .collect();
    let case = changed(&city.desk, "SecretKey", &text(&city.desk, "SecretKey").to_uppercase());
    let mixed = changed(&city.clinic, "SecretKey", text(&city.desk, "SecretKey"));
    rows.push(("no sheet".to_owned(), good.clone().without("lgspaccesstoken")));
    rows.push(("secret in capitals".to_owned(), ask_token(&case)));
    rows.push(("sheet of another participant".to_owned(), ask_token(&city.clinic)));
    rows.push(("own secret in another's sheet".to_owned(), ask_token(&mixed)));
    rows.push(("certificate of another client".to_owned(), good.clone().certificate("clinic")));
    rows.push(("participant without a sheet".to_owned(), good.clone().certificate("office")));
    for (name, ask) in rows {
        let answer = city.world.ask(&ask).await;
        city.world.assert_refused(&answer, ReasonCode::ConsumerCredentials).await;
        let problem = answer.json();
        assert_eq!(problem["error"], "invalid_client", "{name}");
        // Which part was wrong is nobody's business.
        assert_eq!(problem["detail"], Value::Null, "{name}");
    }
    assert_eq!(city.world.ask(&good).await.status, 200);
    let log = city.world.logged().await;
    for sheet in [&city.desk, &city.clinic] {
        for field in ["SecretKey", "AccessKey"] {
            assert!(!log.contains(text(sheet, field)), "{field} is in the log");
        }
        assert!(!log.contains(&header_of(sheet)));
    }
}

#[tokio::test]
async fn requests_for_a_token_are_read_strictly() {
    let city = City::new().await;
    let good = ask_token(&city.desk);
    let sheet = |value: &str| good.clone().set("lgspaccesstoken", value);
    let form = |body: &str| good.clone().body(body);
    let typed = |media: &str| good.clone().set("content-type", media);
    let unknown = changed(&city.desk, "Scope", "all");
    let number = city.desk.to_string().replace("\"placeholder-1\"", "17");
    let (header, schema) = (ReasonCode::RequestHeader, ReasonCode::RequestSchema);
    let invalid = "invalid_request";
    let rows = [
        (sheet(&"A".repeat(2049)), header, invalid),
        (sheet("no base64!"), header, invalid),
        (sheet("bm8ganNvbg=="), header, invalid),
        (sheet(&header_of(&unknown)), header, invalid),
        (sheet(&header_of(&Value::from(number))), header, invalid),
        (good.clone().header("lgspaccesstoken", &header_of(&city.desk)), header, invalid),
        (form(""), schema, invalid),
        (form("grant_type="), schema, "unsupported_grant_type"),
        (form("grant_type=password"), schema, "unsupported_grant_type"),
        (form("grant_type=client_credentials&grant_type=client_credentials"), schema, invalid),
        (form("grant_type=client_credentials&grant%5Ftype=password"), schema, invalid),
        (form("grant_type=client_credentials&scope=a&scope=b"), schema, invalid),
        (form("Grant_Type=client_credentials"), schema, invalid),
        (good.clone().target("/token?grant_type=client_credentials"), schema, invalid),
        (form("grant_type=%"), ReasonCode::RequestMalformed, invalid),
        (form("grant_type=%ff"), ReasonCode::RequestMalformed, invalid),
        (form(&format!("a={}", "a".repeat(1023))), ReasonCode::RequestTooLarge, invalid),
        (typed("application/json"), ReasonCode::RequestMediaType, invalid),
        (good.clone().without("content-type"), ReasonCode::RequestMediaType, invalid),
        (good.clone().header("content-encoding", "gzip"), ReasonCode::RequestMediaType, invalid),
        (good.clone().method("PUT"), ReasonCode::RequestMethod, invalid),
    ];
    for (n, (ask, reason, error)) in rows.into_iter().enumerate() {
        let answer = city.world.ask(&ask).await;
        city.world.assert_refused(&answer, reason).await;
        assert_eq!(answer.json()["error"], error, "row {n}: {}", answer.text());
    }
    let answer = city.world.ask(&Ask::get("desk", "/token")).await;
    city.world.assert_refused(&answer, ReasonCode::RequestMethod).await;
    assert_eq!(answer.header("allow"), Some("POST"));
    // What RFC 6749 lets pass: other fields, a charset.
    for ask in [
        form("scope=all&grant_type=client_credentials"),
        typed("application/x-www-form-urlencoded; charset=UTF-8"),
    ] {
        assert_eq!(city.world.ask(&ask).await.status, 200);
    }
}

#[tokio::test]
async fn after_five_wrong_tries_a_certificate_waits_and_no_other() {
    let city = City::new().await;
    let (guesser, other) = (city.world.pki.issue("desk"), city.world.pki.issue("desk"));
    let wrong = ask_token(&changed(&city.desk, "SecretKey", "guess"));
    for _ in 0..5 {
        let answer = city.send(&guesser, &wrong).await;
        city.world.assert_refused(&answer, ReasonCode::ConsumerCredentials).await;
    }
    for ask in [&wrong, &ask_token(&city.desk)] {
        let answer = city.send(&guesser, ask).await;
        city.world.assert_refused(&answer, ReasonCode::ConsumerRateLimited).await;
        let seconds: u64 = answer.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=10).contains(&seconds), "{seconds}");
    }
    city.token(&other).await;
}

#[tokio::test]
async fn right_tries_are_limited_too_because_each_costs_a_check() {
    let city = City::with("  tokens_per_minute: 2\n").await;
    for _ in 0..2 {
        assert_eq!(city.world.ask(&ask_token(&city.desk)).await.status, 200);
    }
    let answer = city.world.ask(&ask_token(&city.desk)).await;
    city.world.assert_refused(&answer, ReasonCode::ConsumerRateLimited).await;
    // A reload is no way to a fresh start, and another participant has its own.
    city.world.reloaded().await;
    let answer = city.world.ask(&ask_token(&city.desk)).await;
    city.world.assert_refused(&answer, ReasonCode::ConsumerRateLimited).await;
    assert_eq!(city.world.ask(&ask_token(&city.clinic).certificate("clinic")).await.status, 200);
}

fn text<'a>(sheet: &'a Value, field: &str) -> &'a str {
    sheet[field].as_str().unwrap()
}
