//! The example flows of the 1022 centre, civil status and land, against the stand-in.

use std::os::unix::fs::PermissionsExt;

use lienthong_sandbox::{
    Listen, Portal,
    portal::{PortalHandle, PortalSettings},
    synthetic,
};
use serde_json::Value;
use tempfile::TempDir;

use crate::{Config, report::FlowReport, run_until_idle, testing::Ticking};

const REPORTS: &str = include_str!("../../../examples/reports-1022.yaml");
const CIVIL_STATUS: &str = include_str!("../../../examples/civil-status.yaml");
const LAND: &str = include_str!("../../../examples/land-changes.yaml");

/// Runs an example to its end, twice.
async fn run(example: &str) -> (FlowReport, PortalHandle, Vec<Value>) {
    let folder = TempDir::new().unwrap();
    synthetic::generate(&folder.path().join("city.db"), 5, 200).await.unwrap();
    let clock = Ticking::new();
    let settings = PortalSettings::new(Listen::loopback());
    let portal = Portal::start(settings, clock.clone()).await.unwrap();
    for (name, secret) in [("portal-password", "sandbox-only"), ("seal.key", &"5a".repeat(32))] {
        let file = folder.path().join(name);
        std::fs::write(&file, secret).unwrap();
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
    }
    let schemas = concat!(env!("CARGO_MANIFEST_DIR"), "/../schemas/");
    let is_tls = |line: &&str| line.contains("pki/");
    let mut text: String =
        example.lines().filter(|line| !is_tls(line)).map(|line| format!("{line}\n")).collect();
    text = text.replace("https://127.0.0.1:7443", &format!("http://{}", portal.addr));
    text = text.replace("../../schemas/", schemas);
    let file = folder.path().join("adapters.yaml");
    std::fs::write(&file, text).unwrap();
    let config = Config::read(&file).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let first = run_until_idle(&config, clock.clone()).await.unwrap();
    let second = run_until_idle(&config, clock).await.unwrap();
    assert_eq!(first.flows[0].delivered, second.flows[0].delivered);
    let accepted = portal.accepted();
    (second.flows.into_iter().next().unwrap(), portal, accepted)
}

/// Of twelve rows, those with a ward code of before the reform need a person.
fn assert_delivered(report: &FlowReport, portal: &PortalHandle, call: &str) {
    assert_eq!((report.delivered, report.quarantined, report.dead), (10, 2, 0), "{report:?}");
    let seen = portal.report();
    assert_eq!((seen.records[call], seen.repeated, seen.refused.len()), (10, 0, 0), "{seen:?}");
}

#[tokio::test]
async fn reports_reach_the_desk_of_the_units() {
    let (report, portal, accepted) = run(REPORTS).await;
    assert_delivered(&report, &portal, "ChuyenPhanAnh");
    // Without a gateway between them nothing stops the reporter.
    assert!(accepted[0]["NguoiPhanAnh"]["HoTen"].is_string());
    assert!(accepted[0]["MaDonVi"].as_str().unwrap().starts_with("H29."));
}

#[tokio::test]
async fn registrations_reach_the_ministry() {
    let (report, portal, accepted) = run(CIVIL_STATUS).await;
    assert_delivered(&report, &portal, "dangKyHoTich");
    let marriage = accepted.iter().find(|record| record["LoaiDangKy"] == "KH");
    assert!(marriage.is_some_and(|record| record["VoChong"]["HoTen"].is_string()));
    let birth = accepted.iter().find(|record| record["LoaiDangKy"] == "KS").unwrap();
    assert!(birth.get("VoChong").is_none(), "{birth}");
}

#[tokio::test]
async fn changes_of_parcels_reach_the_national_system() {
    let (report, portal, accepted) = run(LAND).await;
    assert_delivered(&report, &portal, "CapNhatBienDong");
    assert!(accepted[0]["ChuSuDung"][0]["HoVaTen"].is_string());
}
