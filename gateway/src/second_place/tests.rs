use std::{fs, os::unix::fs::PermissionsExt as _};

use lienthong_evidence::checkpoint;
use lienthong_evidence::{hash::Hash, note::Signer};
use lienthong_model::sensitive::Sensitive;

use super::*;

fn copy(size: u64) -> Copy {
    let signer = Signer::from_seed("log.example/n", Sensitive::new([7; 32])).unwrap();
    let origin = "log.example/n".to_owned();
    let checkpoint = checkpoint::Checkpoint { origin, size, root: Hash::of_nothing() };
    let note = checkpoint.sign(&signer);
    Copy { checkpoint, note, after_loss: false }
}

#[test]
fn a_path_and_a_database_both_keep_the_newest_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    for text in ["copy/checkpoint", "sqlite:checkpoints.db"] {
        let settings = SecondPlaceSettings::parse(text, folder.path(), None).unwrap();
        let mut place = settings.open("log.example/n").unwrap();
        assert!(place.name().contains(folder.path().to_str().unwrap()), "{}", place.name());
        assert_eq!(place.newest().unwrap(), None);
        place.keep(&copy(3)).unwrap();
        assert!(place.keep(&copy(2)).is_err());
        assert_eq!(place.newest().unwrap(), Some(copy(3).note.into_bytes()));
    }
    assert!(folder.path().join("checkpoints.db").exists());
}

#[test]
fn a_password_comes_by_a_file_of_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    fs::write(&file, "secret\n").unwrap();
    let open = |mode: u32| {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        let text = "postgres:///evidence?host=/nowhere&user=gateway";
        let settings = SecondPlaceSettings::parse(text, folder.path(), Some(file.clone())).unwrap();
        settings.open("log.example/n")
    };
    let shown = format!("{:?}", open(0o600).unwrap());
    assert!(!shown.contains("secret"), "{shown}");
    assert!(open(0o644).is_err());
    let text = "postgres://gateway:secret@localhost/evidence";
    let error = SecondPlaceSettings::parse(text, folder.path(), None).unwrap_err();
    assert_eq!(error, AddressError::Password);
}
