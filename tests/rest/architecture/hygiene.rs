//! What must never be committed. The words looked for are put together here, so that this file
//! is searched like every other.

use super::tree;

#[test]
fn no_private_key_is_committed() {
    let marker = ["PRIVATE", " KEY-----"].concat();
    for file in tree::files() {
        // A test may write the marker alone, to see it refused; a key is the line after it.
        let holds_key = file.text.split(&marker).skip(1).any(|rest| {
            let body = rest.trim_start_matches(['\\', 'n', '\r', '\n', ' ']);
            body.bytes().take_while(|b| b.is_ascii_alphanumeric() || b"+/".contains(b)).count() > 24
        });
        assert!(!holds_key, "{} holds a private key", file.path);
        let extension = file.name().rsplit('.').next().unwrap_or_default();
        assert!(
            !["key", "pem", "p12", "pfx", "der"].contains(&extension),
            "{} looks like key material",
            file.path
        );
    }
}

#[test]
fn no_path_of_a_developers_machine_is_committed() {
    for folder in ["home", "root", "Users", "work"] {
        let path = format!("/{folder}/");
        for file in tree::files() {
            for (at, _) in file.text.match_indices(&path) {
                let before = file.text.get(..at).and_then(|text| text.chars().next_back());
                // After a letter, a dot or a brace it is a part of a relative path.
                let is_absolute = before.is_none_or(|c| !c.is_alphanumeric() && !"/.}".contains(c));
                assert!(!is_absolute, "{} names a path below {path}", file.path);
            }
        }
    }
}

#[test]
fn mail_addresses_are_of_the_reserved_domain() {
    for file in tree::files() {
        for domain in mail_domains(&file.text) {
            assert!(
                domain == "example" || domain.ends_with(".example"),
                "{} has an address at `{domain}`",
                file.path
            );
        }
    }
}

/// The domains of everything that has the shape of a mail address.
fn mail_domains(text: &str) -> Vec<&str> {
    let word = |c: char| c.is_ascii_alphanumeric() || "._%+-".contains(c);
    let mut found = Vec::new();
    for (at, _) in text.match_indices('@') {
        let (Some(before), Some(after)) = (text.get(..at), text.get(at + 1..)) else { continue };
        let length = after.find(|c| !word(c)).unwrap_or(after.len());
        let domain = after.get(..length).unwrap_or_default().trim_end_matches(['.', '-']);
        let last = domain.rsplit('.').next().unwrap_or_default();
        let named =
            domain.contains('.') && last.len() > 1 && last.bytes().all(|b| b.is_ascii_alphabetic());
        if named && before.chars().next_back().is_some_and(word) {
            found.push(domain);
        }
    }
    found
}

#[test]
fn an_open_point_names_its_issue() {
    let marks = [["TO", "DO"].concat(), ["FIX", "ME"].concat(), ["XX", "X"].concat()];
    for file in tree::files().into_iter().filter(|file| file.path.ends_with(".rs")) {
        for line in file.text.lines() {
            let Some(comment) = line.split_once("//").map(|(_, comment)| comment) else { continue };
            let mut words = comment.split(|c: char| !c.is_alphanumeric());
            let open = words.any(|word| marks.iter().any(|mark| mark == word));
            assert!(!open || comment.contains("(#"), "{}: {line}", file.path);
        }
    }
}

#[test]
fn no_test_is_skipped() {
    let attribute = ["#[ig", "nore"].concat();
    for file in tree::files().into_iter().filter(|file| file.path.ends_with(".rs")) {
        assert!(!file.text.contains(&attribute), "{} skips a test", file.path);
    }
}
