use std::path::Path;

use lienthong_model::{diagnostic::Diagnostics, document};

use super::{super::Reader, LgspSettings};

fn read(text: &str) -> Result<LgspSettings, String> {
    let mut found = Diagnostics::new();
    let node = document::parse("gateway.yaml", text, &mut found).unwrap();
    let reader = Reader { file: "gateway.yaml", base: Path::new("/etc/gateway") };
    let settings = reader.lgsp(&node, &mut found);
    settings.filter(|_| found.is_empty()).ok_or_else(|| found.to_string())
}

#[test]
fn refuses_settings_beyond_their_bounds_and_paths_of_the_other_dialect() {
    for (text, problem) in [
        ("{token_path: /token}", "key `key_file` is missing"),
        ("{key_file: k, token_path: token}", "must be a path such as `/token`"),
        ("{key_file: k, token_path: /a/../b}", "must be a path such as `/token`"),
        ("{key_file: k, token_path: /r1/VN}", "outside the X-Road dialect"),
        ("{key_file: k, token_path: /listClients}", "outside the X-Road dialect"),
        ("{key_file: k, token_seconds: 59}", "from 60 to 86400"),
        ("{key_file: k, skew_seconds: 301}", "from 0 to 300"),
        ("{key_file: k, checks_at_once: 0}", "from 1 to 64"),
        ("{key_file: k, tokens_per_minute: 0}", "from 1 to 6000"),
        ("{key_file: k, apis: {}}", "unknown key `apis`"),
    ] {
        let told = read(text).unwrap_err();
        assert!(told.contains(problem), "{text}: {told}");
    }
}

#[test]
fn takes_defaults_from_the_manual_and_paths_from_the_files_directory() {
    let settings = read("{key_file: token.key, previous_key_file: old.key}").unwrap();
    assert_eq!(settings.key_file, Path::new("/etc/gateway/token.key"));
    assert_eq!(settings.previous_key_file.as_deref(), Some(Path::new("/etc/gateway/old.key")));
    assert_eq!(settings.token_path, ["token"]);
    let seconds = (settings.lifetime.as_secs(), settings.skew.as_secs());
    assert_eq!(seconds, (1_800, 60));
    assert_eq!((settings.tokens_per_minute, settings.checks_at_once), (60, 1));
}
