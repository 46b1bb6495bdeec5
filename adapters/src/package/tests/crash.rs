//! What is left when the taking dies between two steps, and what the next attempt makes of it.

use lienthong_store::package::{Again, Package as Kept, Taking};

use super::{super::receipt::digest, *};

async fn taken(world: &World) -> Vec<(bool, Option<u64>)> {
    let kept = list(&world.city(), true, 10, world.clock.now()).await.unwrap();
    kept.iter().map(|one| (one.closed.is_some(), one.taken)).collect()
}

#[tokio::test]
async fn without_evidence_nothing_can_be_seen_and_the_next_attempt_goes_on() {
    let world = World::new().await;
    let file = world.package().await;
    let order = Order { file: file.clone(), into: world.path("inbox"), again: None };
    let record = async |_| Err("no log".to_owned());
    let error =
        receive(&world.city(), &order, &world.clock(), record, nothing()).await.unwrap_err();
    assert!(matches!(error, PackageError::Evidence(_)), "{error}");
    assert_eq!((world.names("inbox"), world.names("csv")), (Vec::new(), Vec::new()));
    assert_eq!(taken(&world).await, [(false, None)]);
    world.receive(&file).await.unwrap();
    assert_eq!(taken(&world).await, [(true, Some(3))]);
    assert_eq!((world.names("inbox").len(), world.names("csv").len()), (1, 1));
}

#[tokio::test]
async fn a_refusal_that_cannot_be_recorded_is_still_a_refusal() {
    let world = World::new().await;
    world.write("cases.tar", "no archive");
    let file = world.path("cases.tar");
    let order = Order { file, into: world.path("inbox"), again: None };
    let record = async |_| Err("no log".to_owned());
    let error =
        receive(&world.city(), &order, &world.clock(), record, nothing()).await.unwrap_err();
    assert!(matches!(error, PackageError::Unrecorded { .. }), "{error}");
}

#[tokio::test]
async fn what_died_before_or_behind_the_renaming_is_finished_by_the_same_command() {
    let world = World::new().await;
    let file = world.package().await;
    let received = world.receive(&file).await.unwrap();
    let (city, id) = (world.city(), received.package);
    let manifest = fs::read(received.folder.join("manifest.json")).unwrap();
    let package = Kept {
        id: *id.as_bytes(),
        peer: "H09.12",
        dataset: "cases",
        manifest: digest(&part::sha256(&manifest)).unwrap(),
        records: 6,
    };
    // As a death leaves it: begun, and nothing, a hidden folder, the folder, or its tables too.
    for left in ["nothing", "hidden", "folder", "tables"] {
        let store = Store::open(city.state.clone()).await.unwrap();
        let now = world.clock.now();
        let taking = store.packages().take(&package, Again::Wanted, now).await.unwrap();
        let Taking::Begun(times) = taking else { panic!("{taking:?}") };
        store.close().await;
        let name = format!("{id}-{times}");
        let folder = world.path("inbox").join(&name);
        let hidden = world.path("inbox").join(format!(".package-{id}.part"));
        let copy = |to: &Path| {
            fs::create_dir(to).unwrap();
            for file in world.names(&format!("inbox/{id}")) {
                fs::copy(received.folder.join(&file), to.join(&file)).unwrap();
            }
        };
        match left {
            "hidden" => {
                fs::create_dir(&hidden).unwrap();
                fs::write(hidden.join("records-0001.csv"), "half").unwrap();
            }
            "folder" | "tables" => copy(&folder),
            _ => {}
        }
        let table = format!("cases-{name}-records-0001.csv");
        if left == "tables" {
            fs::hard_link(folder.join("records-0001.csv"), world.path("csv").join(&table)).unwrap();
        }
        let again = world.receive(&file).await.unwrap();
        assert_eq!((again.folder, again.taken), (folder, 3), "{left}");
        assert!(!hidden.exists(), "{left}");
        assert!(world.path("csv").join(&table).exists(), "{left}");
        assert_eq!(taken(&world).await, [(true, Some(3))], "{left}");
        let refused = world.receive(&file).await.unwrap_err();
        assert!(
            matches!(refused, PackageError::Refused(Refused::Replayed(_))),
            "{left}: {refused}"
        );
    }
}

#[tokio::test]
async fn a_folder_of_somebody_else_is_left_alone() {
    let world = World::new().await;
    let file = world.package().await;
    let id = verify(&world.city(), &file, &world.clock(), &nothing()).unwrap().package;
    let folder = world.path("inbox").join(id.to_string());
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("manifest.json"), "of another").unwrap();
    let error = world.receive(&file).await.unwrap_err();
    assert!(matches!(error, PackageError::Exists(_)), "{error}");
    assert_eq!(world.names(&format!("inbox/{id}")), ["manifest.json"]);
}
