use crate::{Config, ndc::testing::World};

fn mistakes(world: &World) -> String {
    Config::read(&world.path()).unwrap_err().to_string()
}

#[tokio::test]
async fn tells_what_a_mode_needs_and_what_it_has_not() {
    let mut world = World::new().await;
    world.set("mode: sync_peer, peer: G13,", "mode: sync_peer,");
    world.set(
        "DongBoHoTich: {mode: sync_national,",
        "DongBoHoTich: {mode: sync_national, peer: G13,",
    );
    world.set("      answers_into: {folder: answers}\n", "");
    world.set("success_codes: [\"00\"]", "success_codes: []");
    world.set("kind: jws, certificate_file", "kind: pgp, certificate_file");
    let told = mistakes(&world);
    for mistake in [
        "this mode needs a `peer`",
        "this mode has no `peer`",
        "`query_peer` needs `answers_into`",
        "`success_codes` must say which codes mean that it was taken",
        "not `jws`, `cms` or `xml`",
    ] {
        assert!(told.contains(mistake), "{mistake} in {told}");
    }
}

#[tokio::test]
async fn tells_of_names_that_stand_twice_and_of_revocation_without_lists() {
    let mut world = World::new().await;
    let names =
        "  names: {id: duLieu, sent_at: luc}\n  modes: {sync_peer: x, sync_national: x, mail: y}\n";
    world.set("  exchanges:\n", &format!("{names}  exchanges:\n"));
    world.set("    crl: none\n", "");
    world.set("TraCuuHoTich:\n      mode", "TraCuu:\n      mode");
    let told = mistakes(&world);
    for mistake in [
        "member `duLieu` stands twice",
        "word `x` stands twice",
        "there is no mode `mail`",
        "`crl: required` needs `crl_files`",
        "the service has no call `TraCuu` with records",
    ] {
        assert!(told.contains(mistake), "{mistake} in {told}");
    }
}

#[tokio::test]
async fn a_flow_says_where_it_goes_when_there_are_two_platforms() {
    let mut world = World::new().await;
    std::fs::write(world.folder.path().join("portal.yaml"), PORTAL).unwrap();
    let password = world.folder.path().join("password");
    std::fs::write(&password, "sandbox-only").unwrap();
    std::fs::set_permissions(&password, std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .unwrap();
    let npsp = "npsp:\n  service: VN/GOV/G22/DVCQG/cases\n  openapi: portal.yaml\n  agency: H29.20\n  \
                username: lienthong-sandbox\n  password_file: password\n";
    world.set("\nndc:\n", &format!("\n{npsp}ndc:\n"));
    assert!(mistakes(&world).contains("`platform` must say where the flow goes"));
    world.set("    order_by: case_code\n", "    platform: ndc\n    order_by: case_code\n");
    world.set("    order_by: indicator\n", "    platform: ndc\n    order_by: indicator\n");
    world.set("    order_by: dataset\n", "    platform: ndc\n    order_by: dataset\n");
    world.set("    order_by: geohash\n", "    platform: npsp\n    order_by: geohash\n");
    let told = mistakes(&world);
    assert!(told.contains("the service has no call `ChiaSeBienDongDat`"), "{told}");
    world.set("    platform: npsp\n", "    platform: ndc\n");
    assert_eq!(world.config().flows.len(), 4);
}

const PORTAL: &str = include_str!("../../../../schemas/services/v1/portal-case-sync.yaml");
