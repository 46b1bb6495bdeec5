//! Lines that tell a flow of packages.

use super::*;

impl World {
    /// The province, with a folder for announcements.
    fn announcing(&self) -> Arc<PackagesConfig> {
        self.config("province", |text| {
            text.replace("      to: [H29.20]\n", "      to: [H29.20]\n      announcements: told\n")
        })
    }
}

#[tokio::test]
async fn without_its_folder_no_package_is_made() {
    let world = World::new().await;
    let refused = world.create(&world.announcing(), "cases.tar").await.unwrap_err();
    assert!(matches!(refused, PackageError::File { .. }), "{refused}");
    assert!(!world.path("cases.tar").exists() && world.acts().is_empty());
}

#[tokio::test]
async fn a_package_that_is_not_ours_or_damaged_is_not_announced() {
    let world = World::new().await;
    fs::create_dir(world.path("told")).unwrap();
    let file = world.package().await;
    let now = world.clock.now();
    let told = announce(&world.province(), &file, now, &nothing()).unwrap_err().to_string();
    assert!(told.contains("has no `announcements`"), "{told}");
    let told = announce(&world.city(), &file, now, &nothing()).unwrap_err().to_string();
    assert!(told.contains("was not made here"), "{told}");
    let mut bytes = fs::read(&file).unwrap();
    let at = bytes.len() - 2_000;
    bytes.truncate(at);
    fs::write(&file, bytes).unwrap();
    let refused = announce(&world.announcing(), &file, now, &nothing()).unwrap_err();
    assert!(matches!(refused, PackageError::Refused(_)), "{refused}");
    assert_eq!(world.names("told"), [""; 0]);
}

#[tokio::test]
async fn a_package_is_announced_when_it_is_made_and_again_without_a_second_line() {
    let world = World::new().await;
    fs::create_dir(world.path("told")).unwrap();
    let province = world.announcing();
    let created = world.create(&province, "cases.tar").await.unwrap();
    let line = created.announcement.unwrap();
    let text = fs::read_to_string(&line).unwrap();
    let [head, row] = text.lines().collect::<Vec<_>>()[..] else { panic!("{text}") };
    assert!(head.starts_with("\"package\",\"dataset\""), "{head}");
    for told in [&created.package.to_string(), &created.manifest_sha256] {
        assert!(row.contains(told.as_str()), "{row}");
    }
    assert!(!text.contains("Canary") && !text.contains("BD-1"), "{text}");
    let now = world.clock.now();
    let again = announce(&province, &world.path("cases.tar"), now, &nothing()).unwrap();
    assert_eq!((again.package, &again.file), (created.package, &line));
    // What a flow has read is not laid again; what a killed command left out is.
    fs::create_dir(world.path("told/done")).unwrap();
    let name = line.file_name().unwrap();
    fs::rename(&line, world.path("told/done").join(name)).unwrap();
    let read = announce(&province, &world.path("cases.tar"), now, &nothing()).unwrap();
    assert_eq!(read.file, world.path("told/done").join(name));
    fs::remove_file(&read.file).unwrap();
    let laid = announce(&province, &world.path("cases.tar"), now, &nothing()).unwrap();
    assert_eq!((&laid.file, fs::read_to_string(&line).unwrap()), (&line, text));
    // Another text under its name is left alone, and told.
    fs::write(&line, "something else").unwrap();
    let exists = announce(&province, &world.path("cases.tar"), now, &nothing()).unwrap_err();
    assert!(matches!(exists, PackageError::Exists(_)), "{exists}");
}
