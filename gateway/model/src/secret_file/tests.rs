use super::*;

#[test]
fn a_file_of_its_owner_alone_is_private() {
    for mode in [0o100_400, 0o100_600, 0o600, 0o700] {
        assert!(is_private(mode, 1000, 1000), "{mode:o}");
    }
}

#[test]
fn a_file_that_others_may_use_is_not() {
    for mode in [0o640, 0o604, 0o644, 0o620, 0o610, 0o666, 0o100_644, 0o440] {
        assert!(!is_private(mode, 1000, 1000), "{mode:o}");
    }
}

#[test]
fn a_credential_of_systemd_is_private_and_nothing_like_it_is() {
    assert!(is_private(0o100_440, 0, 0));
    assert!(!is_private(0o100_440, 0, 50));
    assert!(!is_private(0o100_440, 50, 0));
    assert!(!is_private(0o100_444, 0, 0));
    assert!(!is_private(0o100_460, 0, 0));
    assert!(!is_private(0o100_640, 0, 0));
}

#[test]
fn a_key_is_sixty_four_hexadecimal_digits_and_nothing_else() {
    let text = "00ff".repeat(16);
    assert_eq!(hexadecimal(&text).unwrap()[..4], [0, 255, 0, 255]);
    assert_eq!(hexadecimal(&text.to_uppercase()), hexadecimal(&text));
    for wrong in [
        text.trim_start_matches("00f"),
        &format!("{text}0"),
        &format!("{text}\n"),
        &"0g".repeat(32),
        "",
    ] {
        assert_eq!(hexadecimal(wrong), None);
    }
}
