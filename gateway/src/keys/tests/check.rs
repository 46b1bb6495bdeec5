//! What is listed, and what is found wrong.

use lienthong_evidence::{checkpoint::Checkpoint, hash::Hash, note::Signer};
use lienthong_model::{sensitive::Sensitive, text::Language};

use super::*;

const OCTOBER: &str = "2026-10-15T00:00:00Z";

#[test]
fn a_node_with_every_key_has_nothing_wrong_and_shows_none_of_them() {
    let node = Node::new();
    let look = node.look(OCTOBER);
    assert_eq!(look.findings, []);
    let listed: Vec<_> = look.secrets.iter().map(|s| (s.purpose.as_str(), s.state)).collect();
    let purposes = ["tls", "provider", "evidence", "digest", "pseudonym", "lgsp"];
    assert_eq!(listed, purposes.map(|purpose| (purpose, State::Current)));
    assert_eq!(look.secrets[1].setting, "providers.{civil-status,health-records}.client_key_file");
    assert!(look.secrets.iter().all(|secret| secret.mode.as_deref() == Some("0600")));
    let told = serde_json::to_string(&look.secrets).expect("JSON");
    for file in ["evidence.key", "pseudonym.key", "lgsp.key", "digest/2026-q4.key"] {
        let secret = fs::read_to_string(node.path(&format!("keys/{file}"))).expect("a key");
        // Base64 may have a `+` of its own.
        let whole = secret.trim();
        let secret = whole
            .strip_prefix("PRIVATE+KEY+")
            .map_or(whole, |rest| rest.splitn(3, '+').last().expect("a key"));
        assert!(!told.contains(secret), "{file}");
    }
    for secret in &look.secrets {
        let id = secret.id.as_deref().expect("an id");
        let long = id.split(|c: char| !c.is_ascii_digit()).any(|digits| digits.len() >= 9);
        assert!(!long, "{id} could be taken for a personal number");
    }
}

#[test]
fn an_id_is_of_a_key_and_its_purpose() {
    let id = |purpose, byte| id::of_secret(purpose, &[byte; 32]);
    assert_eq!(id(Purpose::Digest, 1), id(Purpose::Digest, 1));
    assert_ne!(id(Purpose::Digest, 1), id(Purpose::Digest, 2));
    assert_ne!(id(Purpose::Digest, 1), id(Purpose::Lgsp, 1));
    assert_eq!(id(Purpose::Digest, 1).len(), 19);
}

#[test]
fn a_quarter_without_its_key_is_told_thirty_days_ahead_and_when_it_begins() {
    let node = Node::new();
    let missing = |quarter: &str, problem: fn(Quarter) -> Problem| {
        let name = format!("{quarter}.key");
        (name, problem(quarter.parse().expect("a quarter")))
    };
    // The quarter ends at midnight in the city, 17:00 the day before in UTC.
    assert_eq!(node.problems("2026-12-01T16:59:59Z"), []);
    let next = missing("2027-q1", Problem::NextQuarter);
    assert_eq!(node.problems("2026-12-01T17:00:00Z"), std::slice::from_ref(&next));
    assert_eq!(node.problems("2026-12-31T16:59:59Z"), [next]);
    let pseudonym = ("pseudonym.key".to_owned(), Problem::PeriodOver("2026".to_owned()));
    let this = missing("2027-q1", Problem::ThisQuarter);
    assert_eq!(node.problems("2026-12-31T17:00:00Z"), [this, pseudonym]);
    let states = node.quarters("2027-01-05T00:00:00Z");
    let named = |quarter: &str, state| (quarter.to_owned(), state);
    assert_eq!(states, [named("2026-q4", State::Old), named("2027-q1", State::Missing)]);
    digest(&node.path("keys/digest"), quarter("2027-q1")).expect("made");
    let states = node.quarters("2026-12-05T00:00:00Z");
    assert_eq!(states, [named("2026-q4", State::Current), named("2027-q1", State::Next)]);
}

#[test]
fn files_that_are_no_keys_are_told_and_nothing_of_them() {
    let node = Node::new();
    node.mode("keys/lgsp.key", 0o640);
    node.write("keys/pseudonym.key", "Nguyen Van A 079123456789");
    node.write("keys/evidence.key", "PRIVATE+KEY+node-1.example+00000000+AAAA");
    node.write("keys/digest/2026-q4.key", &"a".repeat(63));
    node.write("keys/digest/2026-q5.key", &"a".repeat(64));
    node.write("pki/client.key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
    fs::remove_file(node.path("pki/gateway.key")).expect("removed");
    let named = |name: &str, problem| (name.to_owned(), problem);
    let expected = [
        named("gateway.key", Problem::Missing(Purpose::Tls)),
        named("client.key", Problem::Form(Purpose::Provider)),
        named("evidence.key", Problem::Form(Purpose::Evidence)),
        named("2026-q5.key", Problem::NoQuarter),
        named("2026-q4.key", Problem::Form(Purpose::Digest)),
        named("pseudonym.key", Problem::Form(Purpose::Pseudonym)),
        named("lgsp.key", Problem::Open(0o640)),
    ];
    assert_eq!(node.problems(OCTOBER), expected);
    let told = serde_json::to_string(&node.look(OCTOBER).findings).expect("JSON");
    assert!(!told.contains("079123456789") && !told.contains("aaaaaaaa"), "{told}");
}

#[test]
fn a_directory_a_pipe_and_a_huge_file_are_not_read_as_keys() {
    let node = Node::new();
    fs::remove_file(node.path("keys/lgsp.key")).expect("removed");
    fs::create_dir(node.path("keys/lgsp.key")).expect("a folder");
    node.write("keys/pseudonym.key", &"a".repeat(100_000));
    let problems = node.problems(OCTOBER);
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems.iter().all(|(_, problem)| matches!(problem, Problem::Unreadable(_))));
    fs::remove_dir_all(node.path("keys/digest")).expect("removed");
    let problems = node.problems(OCTOBER);
    assert!(matches!(problems[0].1, Problem::Unreadable(_)), "{problems:?}");
    assert!(matches!(problems[1].1, Problem::ThisQuarter(_)), "{problems:?}");
}

#[test]
fn a_key_of_another_certificate_and_a_certificate_near_its_end_are_told() {
    let node = Node::new();
    let [gateway, client] = ["pki/gateway.key", "pki/client.key"].map(|name| node.path(name));
    fs::rename(&gateway, node.path("aside")).expect("moved");
    fs::rename(&client, &gateway).expect("moved");
    fs::rename(node.path("aside"), &client).expect("moved");
    let problems = node.problems(OCTOBER);
    let pairs = problems.iter().filter(|(_, problem)| matches!(problem, Problem::Pair(_))).count();
    assert_eq!((pairs, problems.len()), (2, 2), "{problems:?}");
    let problems = Node::new().problems("2027-09-10T00:00:00Z");
    let ends = problems.iter().filter(|(_, problem)| matches!(problem, Problem::Ends(..))).count();
    assert_eq!(ends, 2, "{problems:?}");
}

#[test]
fn one_key_for_two_purposes_is_told() {
    let node = Node::new();
    fs::copy(node.path("keys/pseudonym.key"), node.path("keys/lgsp.key")).expect("copied");
    let shared = Problem::Shared("pseudonyms.key_file".to_owned());
    assert_eq!(node.problems(OCTOBER), [("lgsp.key".to_owned(), shared)]);
}

#[test]
fn a_key_that_is_not_the_logs_is_told() {
    let node = Node::new();
    let checkpoint = |name: &str, seed: u8| {
        let signer = Signer::from_seed(name, Sensitive::new([seed; 32])).expect("a key");
        let checkpoint = Checkpoint { origin: name.to_owned(), size: 1, root: Hash::of(b"root") };
        checkpoint.sign(&signer)
    };
    fs::create_dir_all(node.path("data/evidence")).expect("a folder");
    let write =
        |text: &str| fs::write(node.path("data/evidence/checkpoint"), text).expect("written");
    let problem = || node.problems(OCTOBER).remove(0).1;
    write(&checkpoint("other.example", 1));
    assert_eq!(problem(), Problem::Origin("other.example".to_owned()));
    write(&checkpoint("node-1.example", 1));
    assert_eq!(problem(), Problem::NotSigned);
    write("");
    assert_eq!(problem(), Problem::Checkpoint);
    write(&"x\n".repeat(100_000));
    assert_eq!(problem(), Problem::Checkpoint);
}

#[test]
fn every_problem_is_told_in_both_languages_with_what_to_do() {
    let (file, quarter) = (PathBuf::from("a.pem"), quarter("2026-q4"));
    let mut problems = vec![
        Problem::Unreadable("denied".to_owned()),
        Problem::Open(0o644),
        Problem::Certificate(file.clone()),
        Problem::Pair(file.clone()),
        Problem::Ends(file, quarter.first_day()),
        Problem::ThisQuarter(quarter),
        Problem::NextQuarter(quarter),
        Problem::NoQuarter,
        Problem::Unfinished(quarter),
        Problem::PeriodOver("2026".to_owned()),
        Problem::Origin("other.example".to_owned()),
        Problem::NotSigned,
        Problem::Checkpoint,
        Problem::PreviousName,
        Problem::Halfway,
        Problem::Shared("lgsp.key_file".to_owned()),
    ];
    problems.extend(Purpose::ALL.map(Problem::Missing));
    problems.extend(Purpose::ALL.map(Problem::Form));
    for problem in problems {
        let [vietnamese, english] =
            [Language::Vietnamese, Language::English].map(|language| problem.text(language));
        assert_ne!(vietnamese, english);
        for language in [Language::Vietnamese, Language::English] {
            assert!(!problem.remedy(language).is_empty());
        }
    }
}

#[test]
fn the_keys_of_consents_are_made_listed_and_never_changed_in_place() {
    let node = Node::new();
    let text = format!(
        "{CONFIG}consent:\n  subject_key_file: keys/subject.key\n  seal_key_file: keys/seal.key\n  \
         receipt_key_file: keys/receipt.key\n  address: 127.0.0.1:0\n"
    );
    let config = Config::parse("gateway.yaml", &text, node.folder.path()).expect("good");
    let missing = Inventory::take(&config, at("2026-11-01T00:00:00Z")).findings;
    let consents = |findings: &[Finding]| {
        findings.iter().filter(|found| found.setting.starts_with("consent.")).count()
    };
    assert_eq!(consents(&missing), 3);
    symmetric(Purpose::ConsentSubject, &node.path("keys/subject.key")).expect("made");
    symmetric(Purpose::ConsentSeal, &node.path("keys/seal.key")).expect("made");
    let made = receipt(&node.path("keys/receipt.key")).expect("made");
    let taken = Inventory::take(&config, at("2026-11-01T00:00:00Z"));
    assert_eq!(consents(&taken.findings), 0);
    let of = |purpose| taken.secrets.iter().find(|secret| secret.purpose == purpose).expect("one");
    assert_eq!(of(Purpose::ConsentReceipt).id.as_ref(), Some(&made.id));
    assert_eq!(of(Purpose::ConsentSeal).algorithm, "AES-256-GCM");
    // One key in both places, and a receipt key that is none.
    fs::copy(node.path("keys/subject.key"), node.path("keys/seal.key")).expect("copied");
    node.write("keys/receipt.key", "none");
    let wrong = Inventory::take(&config, at("2026-11-01T00:00:00Z")).findings;
    assert_eq!(consents(&wrong), 2);
    for purpose in [
        Purpose::ConsentSubject,
        Purpose::ConsentSeal,
        Purpose::ConsentReceipt,
        Purpose::OutboxSeal,
        Purpose::Adapters,
        Purpose::NdcSignature,
        Purpose::PackageSignature,
        Purpose::PackageDecryption,
    ] {
        let now = at("2026-11-01T00:00:00Z");
        let refused = Successor::plan(&config, purpose, Wanted::default(), now);
        assert!(matches!(refused, Err(RotateError::NotInPlace(of)) if of == purpose));
    }
}

/// A key with its certificate, as another configuration names them.
fn elsewhere(node: &Node, purpose: Purpose, [key, certificate]: [&str; 2]) -> Named {
    let (file, certificate_file) = (node.path(key), Some(node.path(certificate)));
    Named {
        purpose,
        setting: format!("{purpose}.key_file"),
        file,
        certificate_file,
        state: State::Current,
    }
}

#[test]
fn keys_that_other_configurations_name_are_looked_at_like_those_of_the_gateway() {
    let node = Node::new();
    let named = [
        elsewhere(&node, Purpose::NdcSignature, ["pki/client.key", "pki/gateway.pem"]),
        elsewhere(&node, Purpose::PackageSignature, ["none.key", "pki/client.pem"]),
        elsewhere(&node, Purpose::PackageDecryption, ["keys/lgsp.key", "pki/client.pem"]),
        elsewhere(&node, Purpose::Adapters, ["pki/client.key", "none.pem"]),
    ];
    let taken = Inventory::of(None, &named, at(OCTOBER));
    let problems: Vec<_> = taken.findings.into_iter().map(|found| found.problem).collect();
    let expected = [
        Problem::Pair(node.path("pki/gateway.pem")),
        Problem::Missing(Purpose::PackageSignature),
        Problem::Form(Purpose::PackageDecryption),
        Problem::Certificate(node.path("none.pem")),
    ];
    assert_eq!(problems, expected);
    node.mode("pki/client.key", 0o644);
    let open = elsewhere(&node, Purpose::NdcSignature, ["pki/client.key", "pki/client.pem"]);
    let taken = Inventory::of(None, &[open], at("2027-09-10T00:00:00Z"));
    let problems: Vec<_> = taken.findings.into_iter().map(|found| found.problem).collect();
    assert!(matches!(problems[..], [Problem::Open(0o644), Problem::Ends(..)]), "{problems:?}");
}

#[test]
fn a_package_key_is_known_by_its_certificate_and_a_previous_seal_key_is_old() {
    let node = Node::new();
    symmetric(Purpose::OutboxSeal, &node.path("seal.key")).expect("made");
    let seal = Named {
        purpose: Purpose::OutboxSeal,
        setting: "previous_seal_key_files".to_owned(),
        file: node.path("seal.key"),
        certificate_file: None,
        state: State::Old,
    };
    let sign = elsewhere(&node, Purpose::PackageSignature, ["pki/client.key", "pki/client.pem"]);
    let taken = Inventory::of(Some(&node.config), &[sign, seal.clone()], at(OCTOBER));
    assert_eq!(taken.findings, []);
    let [.., sign, old] = &taken.secrets[..] else { panic!("{:?}", taken.secrets) };
    assert_eq!((sign.purpose, sign.state), (Purpose::PackageSignature, State::Current));
    let leaf = certificate::leaf(&node.path("pki/client.pem")).expect("a certificate");
    assert_eq!(sign.id.as_deref(), Some(&*id::of_certificate(&leaf)));
    assert_eq!((old.purpose, old.state), (Purpose::OutboxSeal, State::Old));
    // One key for two purposes, of which two files tell.
    fs::copy(node.path("keys/lgsp.key"), node.path("seal.key")).expect("copied");
    let taken = Inventory::of(Some(&node.config), &[seal], at(OCTOBER));
    let [found] = &taken.findings[..] else { panic!("{:?}", taken.findings) };
    assert_eq!(found.problem, Problem::Shared("lgsp.key_file".to_owned()));
}
