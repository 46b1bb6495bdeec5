use super::*;

fn now() -> Timestamp {
    "2026-11-20T08:00:00Z".parse().unwrap()
}

#[test]
fn writes_an_authority_two_servers_and_a_pair_for_each_name() {
    let dir = tempfile::tempdir().unwrap();
    let written = write_example(dir.path(), now(), &Names::clients(&["h29-12", "h29-40"])).unwrap();
    let names: Vec<_> = written.iter().map(|p| p.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "city.pem",
            "city.key",
            "city.crl.pem",
            "gateway.pem",
            "gateway.key",
            "provider.pem",
            "provider.key",
            "h29-12.pem",
            "h29-12.key",
            "h29-40.pem",
            "h29-40.key"
        ]
    );
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_a_key() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    for path in write_example(dir.path(), now(), &Names::clients(&["a"])).unwrap() {
        let mode = path.metadata().unwrap().permissions().mode() & 0o777;
        let is_key = path.extension().is_some_and(|e| e == "key");
        assert_eq!(mode & 0o077 == 0, is_key, "{}", path.display());
    }
}

#[test]
fn overwrites_nothing() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("provider.key"), "precious").unwrap();
    let refused = write_example(dir.path(), now(), &Names::clients(&["a"])).unwrap_err();
    assert!(matches!(refused, PkiError::Exists(path) if path.ends_with("provider.key")));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "nothing was written");
    assert_eq!(std::fs::read(dir.path().join("provider.key")).unwrap(), b"precious");
}

#[test]
fn refuses_names_that_leave_the_directory_or_collide() {
    let dir = tempfile::tempdir().unwrap();
    for names in [
        &["../a"][..],
        &["a.b"],
        &["A"],
        &[""],
        &["-a"],
        &["a-"],
        &["gateway"],
        &["city"],
        &["a", "a"],
    ] {
        let refused = write_example(dir.path(), now(), &Names::clients(names)).unwrap_err();
        assert!(matches!(refused, PkiError::Name(_)), "{names:?}");
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn a_name_stands_for_one_use_alone() {
    let dir = tempfile::tempdir().unwrap();
    for names in [
        Names { signers: &["a"], ..Names::clients(&["a"]) },
        Names { openers: &["a"], signers: &["a"], ..Names::default() },
        Names { openers: &["provider"], ..Names::default() },
    ] {
        let refused = write_example(dir.path(), now(), &names).unwrap_err();
        assert!(matches!(refused, PkiError::Name(_)), "{names:?}");
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn who_signs_does_not_open_and_who_opens_does_not_sign() {
    let pki = ExamplePki::new(AUTHORITY, now()).unwrap();
    let until = now() + SignedDuration::from_hours(1);
    let usage = |issued: Issued| {
        let (_, read) = x509_parser::parse_x509_certificate(&issued.certificate_der).unwrap();
        assert!(read.extended_key_usage().unwrap().is_none(), "it opens no connection");
        let usage = read.key_usage().unwrap().unwrap().value;
        (usage.digital_signature(), usage.key_agreement())
    };
    assert_eq!(usage(pki.issue_signer("a", now(), until).unwrap()), (true, false));
    assert_eq!(usage(pki.issue_opener("a", now(), until).unwrap()), (false, true));
}

#[test]
fn clients_carry_their_dns_name_and_a_serial_of_their_own() {
    let pki = ExamplePki::new(AUTHORITY, now()).unwrap();
    let issue = || pki.issue("h29-12", now(), now() + SignedDuration::from_hours(1)).unwrap();
    let (first, second) = (issue(), issue());
    assert_ne!(first.serial, second.serial);
    let anchor = AUTHORITY.parse().unwrap();
    let read = crate::certificate::PeerCertificate::parse(&first.certificate_der, &anchor, [0; 32])
        .unwrap();
    assert_eq!(read.dns_names, ["h29-12.gov.example"]);
    assert_eq!(read.subject, "CN=h29-12.gov.example,O=Example City,C=VN");
    assert_eq!(read.serial, first.serial);
    assert_eq!(read.not_before, now());
}
