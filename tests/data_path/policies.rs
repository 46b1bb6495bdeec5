//! Mistakes in files: a start is refused with all of them, a reload leaves what is in force.

use super::harness::{Files, Setup, World, admin, lienthong, person};

const DESK: &str = "policies/agreements/desk-people.yaml";
const CLINIC: &str = "policies/agreements/clinic-people.yaml";
const SERVICE: &str = "policies/services/people.yaml";
const VAULT: &str = include_str!("world/policies/services/vault.yaml");
const DOCUMENT: &str = "schemas/services/v1/people.yaml";
const RULES: &str = "policies/rules/rules.cedar";

/// A mistake, and what is said of it.
type Mistake = (&'static str, Files, &'static [&'static str]);

/// Keys, scalars and the law.
fn mistakes_of_keys_and_law() -> Vec<Mistake> {
    let files = Files::default;
    vec![
        (
            "unknown key",
            files().replace(CLINIC, "retention_days", "retention_day"),
            &["clinic-people.yaml:", "`retention_day`", "did you mean `retention_days`"],
        ),
        (
            "duplicate key",
            files().replace(CLINIC, "retention_days: 30", "retention_days: 30\nretention_days: 40"),
            &["clinic-people.yaml:", "retention_days"],
        ),
        (
            "missing article",
            files().replace(CLINIC, "article: \"7\"", "article: \"8\""),
            &["clinic-people.yaml:", "8"],
        ),
        (
            "unknown instrument",
            files().replace(CLINIC, "sector-law", "sektor-law"),
            &["clinic-people.yaml:", "sektor-law", "did you mean `sector-law`"],
        ),
        (
            "no lawful basis",
            files().replace(CLINIC, "{instrument: test-law, article: \"1\"}, ", ""),
            &["clinic-people.yaml:", "no cited article says why the processing is lawful"],
        ),
        (
            "ambiguous scalar",
            files().replace(CLINIC, "officer: optional", "officer: yes"),
            &["clinic-people.yaml:"],
        ),
    ]
}

/// What passes, and how.
fn mistakes_of_disclosures() -> Vec<Mistake> {
    let files = Files::default;
    vec![
        (
            "unfit mask",
            files().replace(CLINIC, "/name: pass", "/name: {generalise: year}"),
            &["clinic-people.yaml:", "`/name`", "generalise", "a date"],
        ),
        (
            "mask that keeps too much",
            files().replace(CLINIC, "/name: pass", "/name: {keep_last: 4}"),
            &["clinic-people.yaml:", "`/name`", "keep_last"],
        ),
        (
            "unknown mask",
            files().replace(CLINIC, "/name: pass", "/name: hide"),
            &["clinic-people.yaml:", "expected `pass`, `drop`"],
        ),
        (
            "unknown field",
            files().replace(CLINIC, "/name: pass", "/nane: pass"),
            &["clinic-people.yaml:", "/nane"],
        ),
        (
            "a field that is none",
            files().replace(CLINIC, "/name: pass", "/address: pass"),
            &["clinic-people.yaml:", "/address"],
        ),
        (
            "what the provider needs is withheld",
            files().replace(CLINIC, "request: {query.number: pass}", "request: {}"),
            &["clinic-people.yaml:", "query.number", "withholds"],
        ),
        (
            "unquoted null",
            files().replace(DESK, "/note: \"null\"", "/note: null"),
            &["desk-people.yaml:", "write \"null\" for the mask"],
        ),
    ]
}

/// Who, why and until when.
fn mistakes_of_terms() -> Vec<Mistake> {
    let files = Files::default;
    vec![
        (
            "certificate of two participants",
            files().replace(
                "policies/participants/clinic.yaml",
                "clinic.gov.example",
                "desk.gov.example",
            ),
            &["policies/participants/", "san desk.gov.example"],
        ),
        (
            "two agreements for one purpose",
            files().replace(CLINIC, "consumer: T01.21", "consumer: T01.20").replace(
                CLINIC,
                "care_work",
                "desk_work",
            ),
            &["`findPerson` is open to `T01.20`"],
        ),
        (
            "unknown purpose",
            files().replace(CLINIC, "care_work", "car_work"),
            &["clinic-people.yaml:", "car_work", "did you mean `care_work`"],
        ),
        (
            "purpose of nobody",
            files().replace(CLINIC, "purposes: [care_work]", "purposes: []"),
            &["clinic-people.yaml:", "at least one purpose"],
        ),
        (
            "a term that ends before it begins",
            files().replace(CLINIC, "until: 2999-12-31", "until: 2019-12-31"),
            &["clinic-people.yaml:", "`until` is before `from`"],
        ),
    ]
}

/// Services and their documents.
fn mistakes_of_services() -> Vec<Mistake> {
    let files = Files::default;
    vec![
        (
            "unclassified field",
            files().replace(SERVICE, "          /phone: basic\n", ""),
            &["people.yaml:", "/phone"],
        ),
        (
            "free text that claims to tell nothing",
            files().replace(SERVICE, "/phone: basic", "/phone: none"),
            &["people.yaml:", "/phone", "an unbounded string is at least basic"],
        ),
        (
            "stream",
            files().replace(SERVICE, "answer: whole", "answer: stream"),
            &["people.yaml:", "a stream of JSON needs `elements`"],
        ),
        (
            "other media",
            files().replace(
                SERVICE,
                "{request: none, answer: json}",
                "{request: none, answer: xml}",
            ),
            &["people.yaml:", "unknown media `xml`"],
        ),
        (
            "an open object",
            files().replace(
                DOCUMENT,
                "      required: [stored]",
                "      additionalProperties: true\n      required: [stored]",
            ),
            &["people.yaml:", "additionalProperties"],
        ),
        (
            "a reference to elsewhere",
            files().replace(
                DOCUMENT,
                "#/components/schemas/Stored",
                "https://elsewhere.example/Stored",
            ),
            &["people.yaml:", "only local references"],
        ),
        ("missing document", files().remove(DOCUMENT), &["services/v1/people.yaml"]),
        (
            "a service without a provider's address",
            files()
                .remove("policies/services/vault.yaml")
                .add("policies/services/more.yaml", &VAULT.replace("id: vault", "id: more"))
                .replace(
                    "policies/agreements/office-vault.yaml",
                    "service: vault",
                    "service: more",
                ),
            &["`more`", "`providers`"],
        ),
    ]
}

/// Rules in Cedar.
fn mistakes_of_rules() -> Vec<Mistake> {
    let rules = |text: &str| Files::default().add("policies/rules/more.cedar", text);
    let named = "@id(\"more\")\n@says_vi(\"a\")\n@says_en(\"a\")\n";
    let cited = format!("{named}@cites(\"test-law#1\")\n");
    let forbid = |purpose: &str| {
        format!(
            "forbid (principal, action == Action::\"exchange\", resource)\n\
             when {{ context.purpose == \"{purpose}\" }};\n"
        )
    };
    vec![
        (
            "hand-written permit",
            rules(&format!("{cited}permit (principal, action, resource);")),
            &["more.cedar:", "a rule must not permit"],
        ),
        (
            "rule without its law",
            rules(&format!("{named}{}", forbid("care_work"))),
            &["more.cedar:", "`@cites`"],
        ),
        (
            "rule about a name that nothing bears",
            rules(&format!("{cited}{}", forbid("carework"))),
            &["more.cedar:", "carework"],
        ),
        ("rule that is not Cedar", rules("forbid everything"), &["more.cedar:", "not Cedar"]),
    ]
}

#[tokio::test]
async fn a_start_with_any_mistake_is_refused() {
    let mistakes = [
        mistakes_of_keys_and_law(),
        mistakes_of_disclosures(),
        mistakes_of_terms(),
        mistakes_of_services(),
        mistakes_of_rules(),
    ];
    for (name, files, told) in mistakes.into_iter().flatten() {
        let (code, text) = World::refused(Setup { files, ..Setup::default() }).await;
        assert_eq!(code, 1, "{name}: {text}");
        for part in told {
            assert!(text.contains(part), "{name}: `{part}` is not in\n{text}");
        }
        assert!(!text.contains("serving exchanges"), "{name}: {text}");
    }
}

/// All of them at once, each with its place.
#[tokio::test]
async fn all_mistakes_are_told_at_once() {
    let files = Files::default()
        .replace(CLINIC, "retention_days", "retention_day")
        .replace(DESK, "/name: pass", "/nane: pass")
        .replace("policies/participants/clinic.yaml", "status: active", "status: asleep")
        .replace(RULES, "test-law#2", "test-law#3");
    let (code, text) = World::refused(Setup { files, ..Setup::default() }).await;
    assert_eq!(code, 1, "{text}");
    for part in ["retention_day", "/nane", "asleep", "unknown article of `test-law` `3`"] {
        assert!(text.contains(part), "`{part}` is not in\n{text}");
    }
    let placed = text.lines().filter(|line| line.starts_with("policies/")).count();
    assert!(placed >= 4, "{text}");
    assert!(text.lines().last().unwrap().contains("mistakes"), "{text}");
}

/// Mistakes of the configuration count as well, and unknown settings are mistakes.
#[tokio::test]
async fn mistakes_in_the_configuration_are_told_like_any_other() {
    let listen = vec![("idle_second", 5)];
    let (code, text) = World::refused(Setup { listen, ..Setup::default() }).await;
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("gateway.yaml:") && text.contains("`idle_second`"), "{text}");
    assert!(text.contains("did you mean `idle_seconds`"), "{text}");
    let world = World::new().await;
    let file = world.directory.path().join("gateway.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    let rows = [
        // Data does not leave this machine in the clear.
        (text.replace("http://127.0.0.1", "http://192.0.2.1"), "loopback"),
        (text.replace("http://127.0.0.1", "https://192.0.2.1"), "trust_anchor_file"),
        (text.replace("revocation: required", "revocation: sometimes"), "`required` or `none`"),
        (text.replace("  void:\n", "  voice:\n"), "voice"),
        (text.replace("pseudonym.key", "missing.key"), "missing.key"),
    ];
    for (text, told) in rows {
        std::fs::write(&file, text).unwrap();
        let mut command = lienthong();
        command.args(["gateway", "check", "--config"]).arg(&file);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(told), "`{told}` is not in\n{said}");
    }
}

#[tokio::test]
async fn a_bad_reload_changes_nothing_and_turns_readiness_amber() {
    let world = World::new().await;
    let path = world.directory.path().to_owned();
    let ready = async || admin(&path, "GET", "/ready").await.json();
    let metric = async |name: &str| {
        let metrics = admin(&path, "GET", "/metrics").await.text();
        let line = metrics.lines().find(|line| line.starts_with(name)).map(str::to_owned);
        line.unwrap_or_default()
    };
    let status = ready().await["status"].clone();
    let before = world.ask(&person()).await;
    // A mistake beside a change that would open a field.
    world.edit(DESK, "/ethnicity: drop", "/ethnicity: pass");
    world.edit(CLINIC, "retention_days", "retention_day");
    let refused = world.reload().await;
    assert_eq!(refused.status, 409);
    let told = refused.json();
    assert_eq!(told["reloaded"], false);
    assert!(told["mistakes"].as_str().unwrap().contains("retention_day"), "{told}");
    let amber = ready().await;
    assert_eq!(amber["status"], "degraded");
    assert!(amber["reasons"].to_string().contains("retention_day"), "{amber}");
    assert_eq!(metric("gateway_reload_failed").await, "gateway_reload_failed 1");
    // The older set is in force, to the hash.
    let body = r#"{"number":"001122334455","name":"An","ethnicity":"01"}"#;
    world.provider.replies(super::harness::Reply::json("200 OK", body));
    let after = world.ask(&person()).await;
    assert_eq!(after.status, 200);
    assert!(!after.text().contains("ethnicity"));
    assert_eq!(after.header("lienthong-agreement"), before.header("lienthong-agreement"));
    assert_eq!(world.why(&after).await["snapshot"], world.why(&before).await["snapshot"]);
    // Mended, it is in force.
    world.edit(CLINIC, "retention_day", "retention_days");
    world.reloaded().await;
    assert_eq!(ready().await["status"], status);
    assert_eq!(metric("gateway_reload_failed").await, "gateway_reload_failed 0");
    let open = world.ask(&person()).await;
    assert_eq!(open.json()["ethnicity"], "01");
    assert_ne!(open.header("lienthong-agreement"), before.header("lienthong-agreement"));
}

/// SIGHUP is the operator's other way, and says in the log how it went.
#[tokio::test]
async fn a_hangup_reloads() {
    let world = World::new().await;
    assert_eq!(world.ask(&person()).await.status, 200);
    world.edit(CLINIC, "retention_days", "retention_day");
    world.gateway.signal("HUP");
    let refused = |line: &serde_json::Value| {
        line["message"]
            .as_str()
            .filter(|m| m.starts_with("reload refused"))
            .map(|_| line.to_string())
    };
    let line = world.gateway.logs("the refusal of the reload", refused).await;
    assert!(line.contains("retention_day"), "{line}");
    world.edit(CLINIC, "retention_day", "retention_days");
    world.gateway.signal("HUP");
    let reloaded = |line: &serde_json::Value| (line["message"] == "reloaded").then_some(());
    world.gateway.logs("the reload", reloaded).await;
    assert_eq!(world.ask(&person()).await.status, 200);
}

/// A reload is no way to a fresh burst, nor does it cut what is in flight.
#[tokio::test]
async fn limits_outlive_a_reload() {
    use super::harness::Ask;
    let world = World::new().await;
    let slow = Ask::office("people", "slow_work");
    assert_eq!(world.ask(&slow).await.status, 200);
    world.reloaded().await;
    assert_eq!(world.ask(&slow).await.status, 429);
    world.edit("policies/agreements/office-slow.yaml", "burst: 1", "burst: 2");
    world.reloaded().await;
    assert_eq!(world.ask(&slow).await.status, 200);
}

/// Files that change are read by themselves, when the configuration says so.
#[tokio::test]
async fn changed_files_are_noticed() {
    let world = World::with(Setup { watch: Some(1), ..Setup::default() }).await;
    assert_eq!(world.ask(&person()).await.status, 200);
    let path = world.directory.path().join(DESK);
    // Removed, so that not even the length and the time can be the same.
    std::fs::remove_file(&path).unwrap();
    let reloaded = |line: &serde_json::Value| (line["message"] == "reloaded").then_some(());
    world.gateway.logs("the reload", reloaded).await;
    assert_eq!(world.ask(&person()).await.status, 404);
}

/// What the repository ships serves as it stands.
#[tokio::test]
async fn the_shipped_policies_serve() {
    use super::harness::{Ask, Reply};
    const WARD: &str = "policies/agreements/ward-civil-status.yaml";
    // The term of the sample agreement is not what is tested here.
    let files = Files::shipped().replace(WARD, "until: 2027-12-31", "until: 2999-12-31");
    let world = World::with(Setup { files, ..Setup::default() }).await;
    let body = r#"{"SoDangKy":"25747-1990-12","HoVaTen":"An","GioiTinh":1,"DanToc":"01",
        "GhiChu":"private","Me":{"HoVaTen":"Binh","DanToc":"02","SoDinhDanh":"079190000001"}}"#;
    world.provider.replies(Reply::json("200 OK", body));
    let target = "/r1/VN/GOV/H29.12/HOTICH/birth/ho-tich/khai-sinh?soDinhDanh=079190000002";
    let ask = Ask::get("h29-40", target)
        .header("x-road-client", "VN/GOV/H29.40/MOTCUA")
        .header("x-road-userid", "officer-1");
    let refused = world.ask(&ask).await;
    let reason = lienthong_model::reason::ReasonCode::AgreementDossierRequired;
    world.assert_refused(&refused, reason).await;
    let answer = world.ask(&ask.header("x-road-issue", "H29.40-20260101-0001")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["HoVaTen"], "An");
    for hidden in ["DanToc", "GhiChu", "private", "079190000001"] {
        assert!(!answer.text().contains(hidden), "`{hidden}` stands in {}", answer.text());
    }
    assert_eq!(world.provider.only_request().request().0, "GET");
}
