use super::*;

const GOOD: &str = r#"
listen:
  address: 127.0.0.1:8443
tls:
  certificate_file: pki/gateway.pem
  key_file: pki/gateway.key
  trust_anchors:
    - {id: city, certificate_file: pki/city.pem, crl_files: [pki/city.crl.pem], revocation: required}
policies:
  directory: policies
  schemas: schemas
providers:
  civil-status:
    url: https://provider.example:9443/base
    trust_anchor_file: pki/city.pem
pseudonyms:
  key_file: pseudonym.key
  period: "2026"
admin:
  socket: admin.sock
data:
  directory: data
evidence:
  node: node-1
  key_file: evidence.key
  digest_keys: digest-keys
"#;

fn mistakes(text: &str) -> Vec<String> {
    let found = Config::parse("gateway.yaml", text, Path::new("/etc/gateway"));
    found.expect_err("has mistakes").sorted().iter().map(ToString::to_string).collect()
}

#[test]
fn tells_every_mistake_at_once() {
    let text = GOOD
        .replace("address: 127.0.0.1:8443", "adress: 127.0.0.1:8443")
        .replace("revocation: required", "revocation: sometimes")
        .replace("socket: admin.sock", "address: 192.0.2.1:9000\n  socket: admin.sock");
    let found = mistakes(&text);
    assert_eq!(found.len(), 5, "{found:#?}");
    assert!(found.iter().any(|m| m.contains("did you mean `address`?")), "{found:#?}");
    assert!(found.iter().any(|m| m.contains("expected `required` or `none`")), "{found:#?}");
    assert!(found.iter().any(|m| m.contains("must be a loopback address")), "{found:#?}");
}

#[test]
fn refuses_plain_http_beyond_loopback_and_https_without_anchor() {
    let plain = GOOD.replace("https://provider.example:9443/base", "http://provider.example/base");
    assert!(mistakes(&plain).iter().any(|m| m.contains("loopback address only")));
    let text = GOOD.replace("    trust_anchor_file: pki/city.pem\n", "");
    assert!(mistakes(&text).iter().any(|m| m.contains("needs `trust_anchor_file`")));
    let text = GOOD.replace("https://provider.example:9443/base", "ftp://localhost/");
    assert!(mistakes(&text).iter().any(|m| m.contains("must begin with")));
}

#[test]
fn refuses_half_a_client_identity_and_revocation_without_lists() {
    let text = GOOD.replace(
        "    trust_anchor_file: pki/city.pem\n",
        "    trust_anchor_file: pki/city.pem\n    client_key_file: pki/client.key\n",
    );
    assert!(mistakes(&text).iter().any(|m| m.contains("go together")));
    let text = GOOD.replace("crl_files: [pki/city.crl.pem], ", "");
    assert!(mistakes(&text).iter().any(|m| m.contains("needs `crl_files`")));
}

#[test]
fn takes_paths_from_the_files_directory_and_defaults_from_the_manual() {
    let config = Config::parse("gateway.yaml", GOOD, Path::new("/etc/gateway")).expect("good");
    assert_eq!(config.tls.key_file, Path::new("/etc/gateway/pki/gateway.key"));
    assert_eq!(config.limits.in_flight, 4096);
    assert_eq!(config.policies.watch, None);
    assert_eq!(config.log, LogFormat::Json);
    let provider = config.providers.values().next().expect("one provider");
    assert_eq!((provider.connect.as_secs(), provider.answer.as_secs()), (3, 15));
}

/// Every key that the reader knows stands in the manual, and the manual names no other.
#[test]
fn the_manual_names_every_setting() {
    let source = concat!(
        include_str!("../config.rs"),
        include_str!("consent.rs"),
        include_str!("evidence.rs"),
        include_str!("lgsp.rs"),
        include_str!("operators.rs"),
        include_str!("providers.rs"),
        include_str!("stamps.rs"),
        include_str!("retention.rs"),
        include_str!("telemetry.rs")
    );
    let manual = include_str!("../../docs/configuration.md");
    let mut known: Vec<&str> = Vec::new();
    for list in source.split("let keys = [").skip(1).chain(source.split("&[\"").skip(1)) {
        let list = list.split(']').next().unwrap_or_default();
        known.extend(list.split(',').map(|k| k.trim().trim_matches('"')).filter(|k| !k.is_empty()));
    }
    known.push("format");
    for key in &known {
        assert!(manual.contains(&format!("`{key}`")), "`{key}` is not in the manual");
    }
    for line in manual.lines().filter(|l| l.starts_with("| `")) {
        let key = line.split('`').nth(1).expect("a key");
        // A row of what the administration answers to.
        if key.contains(' ') {
            continue;
        }
        assert!(known.contains(&key), "the manual names `{key}`, which is no setting");
    }
}

#[test]
fn traces_go_nowhere_unless_a_collector_is_named() {
    let parse = |text: &str| Config::parse("gateway.yaml", text, Path::new("/etc/gateway"));
    assert_eq!(parse(GOOD).expect("is good").telemetry, None);
    let endpoint = "endpoint: http://127.0.0.1:4318/v1/traces";
    let with = |more: &str| format!("{GOOD}telemetry:\n  otlp: {{{endpoint}{more}}}\n");
    let otlp = parse(&with("")).expect("is good").telemetry.expect("a collector");
    assert_eq!((otlp.sample_share, otlp.queue, otlp.timeout.as_secs()), (0.01, 2048, 5));
    for (share, number) in [("0", 0.0), ("1", 1.0), ("0.25", 0.25)] {
        let text = with(&format!(", sample_share: {share}"));
        assert_eq!(parse(&text).expect("is good").telemetry.expect("it").sample_share, number);
    }
}

#[test]
fn refuses_a_collector_that_could_not_be_trusted_and_shares_that_are_none() {
    let with = |otlp: &str| mistakes(&format!("{GOOD}telemetry:\n  otlp: {{{otlp}}}\n"));
    let plain = with("endpoint: http://collector.example:4318/v1/traces");
    assert!(plain.iter().any(|m| m.contains("loopback address only")), "{plain:#?}");
    let tls = with("endpoint: https://collector.example:4318/v1/traces");
    assert!(tls.iter().any(|m| m.contains("needs `trust_anchor_file`")), "{tls:#?}");
    for share in ["2", "-1", "1.5", "-0.1", "\"0.5\"", "true"] {
        let found = with(&format!("endpoint: http://127.0.0.1:1/, sample_share: {share}"));
        assert!(found.iter().any(|m| m.contains("from 0 to 1")), "{share}: {found:#?}");
    }
    let missing = mistakes(&format!("{GOOD}telemetry: {{}}\n"));
    assert!(missing.iter().any(|m| m.contains("`otlp` is missing")), "{missing:#?}");
}

#[test]
fn reads_what_stands_by_the_evidence_log_and_tells_what_is_wrong_with_it() {
    let stamped = format!(
        "{GOOD}{}",
        "  cms: {certificate_file: pki/agency.pem, key_file: pki/agency.key}\n  \
         time_stamp: {url: https://tsa.example/tsa, trust_anchor_file: pki/tsa.pem}\n  \
         time_source: ntp.example:123\n"
    );
    let config = Config::parse("gateway.yaml", &stamped, Path::new("/etc/gateway")).unwrap();
    let EvidenceSettings { stamps, time_source, .. } = config.evidence;
    let time_stamp = stamps.time_stamp.unwrap();
    assert_eq!(stamps.cms.unwrap().every, Duration::from_secs(60));
    assert_eq!((time_stamp.every.as_secs(), time_stamp.wait.as_secs()), (3600, 10));
    assert_eq!(time_stamp.tls_trust_anchor_file, Some("/etc/gateway/pki/tsa.pem".into()));
    assert_eq!(time_source.unwrap(), "ntp.example:123");
    for (right, wrong, told) in [
        ("ntp.example:123", "ntp.example", "must be `host:port`"),
        ("https://tsa", "ftp://tsa", "must begin with"),
        ("key_file: pki/agency.key", "keyfile: pki/agency.key", "did you mean `key_file`?"),
    ] {
        let found = mistakes(&stamped.replace(right, wrong));
        assert!(found.iter().any(|mistake| mistake.contains(told)), "{found:#?}");
    }
}

#[test]
fn evidence_is_kept_as_long_as_the_law_says_at_least() {
    let with = |retention: &str| {
        GOOD.replace("evidence:\n", &format!("evidence:\n  retention: {retention}\n"))
    };
    let parse = |text: &str| Config::parse("gateway.yaml", text, Path::new("/etc/gateway"));
    let kept = |text: &str| parse(text).expect("is good").evidence.retention;
    assert_eq!(kept(GOOD), Retention { online_months: 12, breach_years: 5 });
    assert_eq!(kept(GOOD).key_months(), 60);
    assert_eq!(kept(&with("{online_months: 120}")).key_months(), 120);
    for low in ["{online_months: 11}", "{breach_years: 4}", "{online_months: 0, breach_years: 0}"] {
        assert!(!mistakes(&with(low)).is_empty(), "{low}");
    }
}

#[test]
fn a_database_of_the_durable_state_is_protected_and_its_password_comes_by_file() {
    let with =
        |more: &str| GOOD.replace("  directory: data\n", &format!("  directory: data\n{more}"));
    let told = mistakes(&with("  database: postgres://gateway:hush@localhost/state\n"));
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("`database` must not have a password in it"), "{told:?}");
    assert!(!told[0].contains("hush"), "{told:?}");
    let clear = mistakes(&with("  database: postgres://gateway@db.example/state\n"));
    assert!(clear[0].contains("sslmode=verify-full"), "{clear:?}");
    assert!(mistakes(&with("  database: sqlite:x.db\n"))[0].contains("must be `postgres://"));
    let alone = mistakes(&with("  database_password_file: secret\n"));
    assert!(alone[0].contains("`database_password_file` needs `database`"), "{alone:?}");

    let text = with("  database: postgres://gateway@localhost/state\n");
    let config = Config::parse("gateway.yaml", &text, Path::new("/etc/gateway")).unwrap();
    let place = config.data.place().unwrap();
    assert_eq!(place.to_string(), "postgres://gateway@localhost/state");
    assert_eq!(place.directory(), Some(Path::new("/etc/gateway/data")));
    let text =
        with("  database: postgres://gateway@localhost/state\n  database_password_file: away\n");
    let config = Config::parse("gateway.yaml", &text, Path::new("/etc/gateway")).unwrap();
    assert!(config.data.place().unwrap_err().to_string().contains("/etc/gateway/away"));
}

#[test]
fn refuses_holidays_that_are_named_twice_and_notices_without_days() {
    let consent = "consent:\n  subject_key_file: a.key\n  seal_key_file: b.key\n  \
                   receipt_key_file: c.key\n  address: 127.0.0.1:0\n";
    let with = |settings: &str| format!("{GOOD}{consent}{settings}");
    for wrong in [
        "  holidays: [2026-02-16, 2026-02-16]\n",
        "  holidays: [tet]\n",
        "  notice_days: 0\n",
        "  notice_days: 366\n",
    ] {
        assert_eq!(mistakes(&with(wrong)).len(), 1, "{wrong}");
    }
    let text = with("  holidays: [2026-02-16, 2026-02-17]\n  notice_days: 7\n");
    let config = Config::parse("gateway.yaml", &text, Path::new("/etc/gateway")).expect("good");
    let settings = config.consent.expect("settings");
    let day = |day| jiff::civil::date(2026, 2, day);
    assert!(
        !settings.holidays.is_working_day(day(16)) && settings.holidays.is_working_day(day(18))
    );
    assert_eq!(settings.notice_days, 7);
}
