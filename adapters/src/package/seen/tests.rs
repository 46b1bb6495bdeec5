use tempfile::TempDir;

use super::*;

/// Keys in a table of so many.
fn seen(folder: &TempDir, most_fresh: usize) -> Seen {
    Seen { most_fresh, ..Seen::new(folder.path().to_owned()) }
}

#[test]
fn a_key_is_found_again_wherever_it_went() {
    let folder = TempDir::new().unwrap();
    // Runs of one block, of several, and of a block that is not full.
    for most in [1, 2, 255, 256, 257, 700, 100_000] {
        let mut seen = seen(&folder, most);
        for key in 0..3_000_u32 {
            assert!(seen.is_first(&key.to_le_bytes()).unwrap(), "{most}: {key}");
            assert!(!seen.is_first(&key.to_le_bytes()).unwrap(), "{most}: {key}");
        }
        for key in 0..3_000_u32 {
            assert!(!seen.is_first(&key.to_le_bytes()).unwrap(), "{most}: {key}");
        }
        assert!(seen.fresh.len() < most);
        assert_eq!(seen.runs.iter().map(|run| run.keys).sum::<usize>() + seen.fresh.len(), 3_000);
    }
}

#[test]
fn few_keys_need_no_file_and_many_leave_no_name() {
    let folder = TempDir::new().unwrap();
    let mut few = seen(&folder, 10);
    for key in 0..9_u8 {
        assert!(few.is_first(&[key]).unwrap());
    }
    assert!(few.file.is_none() && few.filter.is_empty());
    assert!(few.is_first(&[9]).unwrap());
    assert!(few.file.is_some());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_folder_that_cannot_be_written_is_an_error_and_no_answer() {
    let folder = TempDir::new().unwrap();
    let mut seen = Seen { most_fresh: 1, ..Seen::new(folder.path().join("none")) };
    assert!(seen.is_first(b"a").is_err());
}

#[test]
fn two_packages_know_a_key_by_different_digests() {
    let folder = TempDir::new().unwrap();
    let [one, other] = [(), ()].map(|()| {
        let mut seen = seen(&folder, 10);
        seen.is_first(b"BD-1").unwrap();
        seen.fresh.into_iter().next().unwrap()
    });
    assert_ne!(one, other);
}
