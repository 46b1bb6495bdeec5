//! Making, changing and destroying.

use lienthong_evidence::{
    log::{Closing, DiskLimits, Log, OpenError, Settings},
    note::Verifier,
    proof::Prover,
    verify::verify,
};

use super::*;

#[test]
fn a_key_is_made_for_its_owner_and_never_over_another() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("new/deep/a.key");
    symmetric(Purpose::Lgsp, &file).expect("made");
    let mode = fs::metadata(&file).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let folder_mode = fs::metadata(file.parent().expect("a folder")).expect("a folder");
    assert_eq!(folder_mode.permissions().mode() & 0o777, 0o700);
    let before = fs::read(&file).expect("a key");
    assert_eq!(before.len(), 65);
    let exists = |error: MakeError| matches!(error, MakeError::File(KeyFileError::Exists(_)));
    assert!(exists(symmetric(Purpose::Lgsp, &file).expect_err("there is one")));
    assert!(exists(evidence("a.example", &file).expect_err("there is one")));
    assert!(exists(tls(&["a.example".to_owned()], &file).expect_err("there is one")));
    assert_eq!(fs::read(&file).expect("a key"), before);
    // A link that leads nowhere yet is not written through either.
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(folder.path().join("elsewhere"), &link).expect("a link");
    assert!(exists(symmetric(Purpose::Lgsp, &link).expect_err("a link")));
    assert!(!folder.path().join("elsewhere").exists());
    assert!(evidence("two words", &folder.path().join("b.key")).is_err());
    assert!(!folder.path().join("b.key").exists());
}

#[test]
fn the_key_of_a_quarter_goes_when_retention_is_over_and_not_a_day_before() {
    let node = Node::new();
    let plan = |now: &str| Destruction::plan(&node.config.evidence, quarter("2026-q4"), at(now));
    let until = "2031-12-31".parse().expect("a day");
    // The last day of retention ends at midnight in the city.
    for now in ["2026-10-02T00:00:00Z", "2027-12-31T00:00:00Z", "2031-12-31T16:59:59Z"] {
        let refused = plan(now).expect_err("within retention");
        assert!(matches!(refused, DestroyError::Retention { until: day, .. } if day == until));
    }
    let now = "2031-12-31T17:00:00Z";
    let destruction = plan(now).expect("retention is over");
    let key = node.path("keys/digest/2026-q4.key");
    let witness = node.path("witness");
    fs::hard_link(&key, &witness).expect("a second name");
    let before = fs::read(&witness).expect("the key");
    destruction.carry_out(at(now), "retention is over").expect("destroyed");
    assert!(!key.exists());
    assert_ne!(fs::read(&witness).expect("noise"), before, "was not overwritten");
    let mark = destroyed(&node.path("keys/digest"), quarter("2026-q4")).expect("a mark");
    assert_eq!(
        (mark.id.as_ref(), mark.why.as_str()),
        (destruction.id.as_ref(), "retention is over")
    );
    assert_eq!(node.quarters(now)[0], ("2026-q4".to_owned(), State::Destroyed));
    assert!(matches!(plan(now), Err(DestroyError::Already(_))));
    let again = digest(&node.path("keys/digest"), quarter("2026-q4"));
    assert!(matches!(again, Err(MakeError::Destroyed(_))), "{again:?}");
    let never = Destruction::plan(&node.config.evidence, quarter("2020-q1"), at(now));
    assert!(matches!(never, Err(DestroyError::Missing(_))));
}

#[test]
fn a_destruction_that_broke_off_is_told_and_ends_when_it_is_run_again() {
    let node = Node::new();
    let now = "2032-01-05T00:00:00Z";
    node.write("keys/digest/2026-q4.destroyed", "{\"period\":");
    let unfinished = Problem::Unfinished(quarter("2026-q4"));
    let problems = node.problems(now);
    assert!(problems.contains(&("2026-q4.key".to_owned(), unfinished)), "{problems:?}");
    let plan = Destruction::plan(&node.config.evidence, quarter("2026-q4"), at(now));
    plan.expect("may go").carry_out(at(now), "again").expect("destroyed");
    assert!(!node.path("keys/digest/2026-q4.key").exists());
}

#[test]
fn a_key_behind_a_link_is_not_destroyed() {
    let node = Node::new();
    let key = node.path("keys/digest/2026-q4.key");
    fs::rename(&key, node.path("real")).expect("moved");
    std::os::unix::fs::symlink(node.path("real"), &key).expect("a link");
    let plan =
        Destruction::plan(&node.config.evidence, quarter("2026-q4"), at("2040-01-01T00:00:00Z"));
    assert!(matches!(plan, Err(DestroyError::File(KeyFileError::Link(_)))), "{plan:?}");
    assert!(node.path("real").exists());
}

const ENTRY: &[u8] = b"an entry";

/// Opens the log of a node as a gateway would, adds an entry, and gives how many there are.
fn run(node: &Node) -> Result<u64, OpenError> {
    let signer = log_signer(&node.config.evidence).expect("a key");
    let closing = Closing::of_node("node-1", || (0, None)).expect("a node");
    let settings = Settings {
        disk: DiskLimits { amber: 100, red: 100 },
        ..Settings::new(node.path("data/evidence"), signer, closing)
    };
    let (log, _) = Log::open(settings)?;
    log.append(ENTRY).expect("taken").wait().map(drop).expect("durable");
    Ok(log.checkpoint().expect("signed").size)
}

fn verifies(node: &Node, key: &str) -> bool {
    let key = Verifier::parse(key).expect("a key");
    let report = verify(&node.path("data/evidence"), &key, &[]).expect("a report");
    report.root.is_some()
}

#[test]
fn a_log_goes_on_when_its_key_changes_and_either_key_verifies_it_until_the_end() {
    let node = Node::new();
    let public = |node: &Node| {
        let signer = crate::evidence::signer(&node.config.evidence.key_file).expect("a key");
        signer.verifier().to_string()
    };
    let old = public(&node);
    assert_eq!(run(&node).expect("opens"), 1);
    let (directory, key) = (node.path("data/evidence"), Verifier::parse(&old).expect("a key"));
    let prover = Prover::open(&directory, &key).expect("a prover");
    let (entry, early) = prover.prove(0).expect("a proof");

    let swap = Swap::plan(&node.config, Purpose::Evidence).expect("nothing is in the way");
    let made = swap.prepare().expect("made");
    swap.complete().expect("in place");
    let new = public(&node);
    assert_eq!(made.public.as_ref(), Some(&new));
    assert_ne!(new, old);
    let again = Swap::plan(&node.config, Purpose::Evidence);
    assert!(matches!(again, Err(RotateError::Serves(_))), "{again:?}");
    let now = at("2026-10-15T00:00:00Z");
    let early_end = Swap::ending(&node.config, Purpose::Evidence, now);
    assert!(matches!(early_end, Err(RotateError::NotSigned(_))), "{early_end:?}");

    assert_eq!(run(&node).expect("opens"), 2);
    assert!(verifies(&node, &old) && verifies(&node, &new));
    assert_eq!(node.problems("2026-10-15T00:00:00Z"), []);
    // A copy of the checkpoint that only the older key has signed would not be known any more.
    fs::create_dir_all(node.path("copy")).expect("a folder");
    fs::write(node.path("copy/checkpoint"), early.to_string()).expect("written");
    let copy_end = Swap::ending(&node.config, Purpose::Evidence, now);
    assert!(matches!(copy_end, Err(RotateError::NotSigned(_))), "{copy_end:?}");
    fs::remove_file(node.path("copy/checkpoint")).expect("removed");

    let ending = Swap::ending(&node.config, Purpose::Evidence, now).expect("may end");
    ending.finish().expect("ended");
    assert!(!node.path("keys/evidence.previous.key").exists());
    assert_eq!(run(&node).expect("opens"), 3);
    assert!(!verifies(&node, &old) && verifies(&node, &new));
    assert!(verifies(&node, &format!("{new}\n{old}")));
    let old = Verifier::parse(&old).expect("a key");
    assert!(early.check(&entry, &old).is_ok(), "a proof given out before still counts");
    let nothing = Swap::ending(&node.config, Purpose::Evidence, now);
    assert!(matches!(nothing, Err(RotateError::Nothing)));
}

#[test]
fn a_log_is_not_opened_with_a_key_that_never_signed_it() {
    let node = Node::new();
    run(&node).expect("opens");
    fs::remove_file(node.path("keys/evidence.key")).expect("removed");
    evidence("node-1.example", &node.path("keys/evidence.key")).expect("made");
    assert!(matches!(run(&node), Err(OpenError::Checkpoint { .. })));
    assert_eq!(node.problems("2026-10-15T00:00:00Z")[0].1, Problem::NotSigned);
}

#[test]
fn a_rotation_that_broke_off_is_harmless_and_ends_when_it_is_run_again() {
    let node = Node::new();
    run(&node).expect("opens");
    let (key, previous) = (node.path("keys/evidence.key"), node.path("keys/evidence.previous.key"));
    // After the new key was made.
    let swap = Swap::plan(&node.config, Purpose::Evidence).expect("nothing is in the way");
    swap.prepare().expect("made");
    run(&node).expect("opens");
    // After the older key got its second name.
    fs::hard_link(&key, &previous).expect("a second name");
    run(&node).expect("opens");
    let problems = node.problems("2026-10-15T00:00:00Z");
    assert_eq!(problems, [("evidence.previous.key".to_owned(), Problem::Halfway)]);
    let ending = Swap::ending(&node.config, Purpose::Evidence, at("2026-10-15T00:00:00Z"));
    assert!(matches!(ending, Err(RotateError::Serves(_))));
    let swap = Swap::plan(&node.config, Purpose::Evidence).expect("goes on");
    swap.prepare().expect("made");
    swap.complete().expect("in place");
    assert_ne!(fs::read(&key).expect("new"), fs::read(&previous).expect("old"));
    run(&node).expect("opens");
    assert_eq!(node.problems("2026-10-15T00:00:00Z"), []);
}

#[test]
fn the_token_key_before_serves_as_long_as_its_tokens_live() {
    let node = Node::new();
    let before = fs::read(node.path("keys/lgsp.key")).expect("a key");
    let swap = Swap::plan(&node.config, Purpose::Lgsp).expect("nothing is in the way");
    swap.prepare().expect("made");
    swap.complete().expect("in place");
    assert_eq!(fs::read(node.path("keys/lgsp.previous.key")).expect("the older"), before);
    let made = fs::metadata(node.path("keys/lgsp.key")).and_then(|data| data.modified());
    let made = Timestamp::try_from(made.expect("a time")).expect("a time");
    let after = |seconds: i64| made + jiff::SignedDuration::from_secs(seconds);
    // Half an hour, and a minute for clocks that differ.
    let early = Swap::ending(&node.config, Purpose::Lgsp, after(1859));
    assert!(matches!(early, Err(RotateError::TooEarly(_))), "{early:?}");
    let ending = Swap::ending(&node.config, Purpose::Lgsp, after(1860)).expect("may end");
    ending.finish().expect("ended");
    assert!(!node.path("keys/lgsp.previous.key").exists());
}

#[test]
fn keys_that_follow_under_another_name_leave_the_present_ones_alone() {
    let node = Node::new();
    let now = at("2026-10-15T00:00:00Z");
    let plan = |purpose, wanted| Successor::plan(&node.config, purpose, wanted, now);
    let made = plan(Purpose::Digest, Wanted::default()).expect("planned").make().expect("made");
    assert_eq!(made.file, node.path("keys/digest/2027-q1.key"));
    let wanted = Wanted { period: Some("2027"), ..Wanted::default() };
    let made = plan(Purpose::Pseudonym, wanted).expect("planned").make().expect("made");
    assert_eq!(made.file, node.path("keys/pseudonym-2027.key"));
    for period in [None, Some("2026"), Some("../2027"), Some("")] {
        let wanted = Wanted { period, ..Wanted::default() };
        assert!(matches!(plan(Purpose::Pseudonym, wanted), Err(RotateError::Period)));
    }
    let made = plan(Purpose::Tls, Wanted::default()).expect("planned").make().expect("made");
    assert_eq!(made.file, node.path("pki/gateway.key.next"));
    let request = made.public.expect("a request");
    assert!(request.starts_with("-----BEGIN CERTIFICATE REQUEST-----"), "{request}");
    let unsaid = plan(Purpose::Provider, Wanted::default());
    assert!(matches!(unsaid, Err(RotateError::Service)));
    let wanted = Wanted { service: Some("civil-status"), ..Wanted::default() };
    let made = plan(Purpose::Provider, wanted).expect("planned").make().expect("made");
    assert_eq!(made.file, node.path("pki/client.key.next"));
    assert!(matches!(plan(Purpose::Cms, Wanted::default()), Err(RotateError::None(_))));
    assert!(matches!(plan(Purpose::Evidence, Wanted::default()), Err(RotateError::NotInPlace(_))));
    assert_eq!(node.problems("2026-10-15T00:00:00Z"), []);
}
