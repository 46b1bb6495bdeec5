//! The whole portal, as its stand-in and its published documents have it.

use lienthong_sandbox::portal::Quotas;
use serde_json::json;

use super::{
    super::testing::{Opened, files, record},
    *,
};

const WHOLE: &str = r#"  service: VN/GOV/G22/DVCQG/cases
  openapi: cases.yaml
  services:
    - {service: VN/GOV/G22/DVCQG/catalogues, openapi: catalogues.yaml}
    - {service: VN/GOV/G22/DVCQG/questions, openapi: questions.yaml}
    - {service: VN/GOV/G22/DVCQG/files, openapi: files.yaml}
  session_ended_codes: ["101", "108"]
  pause_codes: ["106", "107"]
  exists_codes: ["204"]
  unknown_case_codes: ["205"]
  catalogues:
    - {call: LayDanhSachTTHC, code: MATTHC, checks: {DongBoHoSoMC: MaTTHC}}
    - {call: LayDanhMucLinhVuc, code: MALINHVUC, checks: {DongBoHoSoMC: MaLinhVuc}}
    - {call: LayDanhMucCoQuan, code: MADONVI}
    - {call: LayThuTuc, code: MATTHC, each: {field: MaTTHC, of: ["1.000894"]}}
  inboxes:
    - {id: questions, call: LayDanhSachHoiDapGuiTuDVCQG, key: MaHoiDap, folder: questions}
  files:
    - {call: DongBoHoSoMC, list: TaiLieuNop, file: TenTepDinhKem, into: TepDinhKemId, upload: TaiLenTepTin, folder: scans, media: [application/pdf]}
"#;

const MINISTRY: &str = r#"  profile: ministry_2026
  service: VN/GOV/G98/CONG/cases
  openapi: ministry-2026.yaml
  files:
    - {call: NoiHoSo, list: ThanhPhanHoSo, file: TenThanhPhan, into: IdTepTin, hash: HashTepTin, upload: UploadFile, folder: scans, media: [application/pdf]}
"#;

async fn world(
    settings: &str,
    change: impl Fn(&mut PortalSettings),
) -> (PortalHandle, Desk, Opened) {
    let clock = Desk::new(([127, 0, 0, 1], 1).into(), CASES).clock;
    let mut portal = PortalSettings::new(Listen::loopback());
    portal.questions = 3;
    change(&mut portal);
    let portal = Portal::start(portal, Arc::new(clock.clone())).await.unwrap();
    let mut desk = Desk::new(portal.addr, settings);
    desk.clock = clock;
    std::fs::create_dir_all(desk.path("scans")).unwrap();
    std::fs::write(desk.path("scans/a.pdf"), "%PDF-1.7\nmau\n%%EOF").unwrap();
    let npsp = desk.open();
    (portal, desk, npsp)
}

#[test]
fn the_example_of_all_services_is_a_configuration() {
    let desk = Desk::new(([127, 0, 0, 1], 1).into(), CASES);
    let mut text = include_str!("../../../examples/portal-services.yaml").to_owned();
    for (from, to) in [
        ("../../schemas/services/v1/portal-case-sync.yaml", "cases.yaml"),
        ("../../schemas/services/v1/portal-", ""),
        ("portal-password", "password"),
    ] {
        assert!(text.contains(from), "the example has no `{from}`");
        text = text.replace(from, to);
    }
    let path = desk.path("example.yaml");
    std::fs::write(&path, text).unwrap();
    let config = Config::read(&path).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    assert_eq!((config.flows.len(), config.npsp.as_ref().unwrap().files.len()), (2, 1));
    assert_eq!(
        config.npsp.as_ref().unwrap().errands(),
        [
            "login",
            "LayDanhSachTTHC",
            "LayDanhMucLinhVuc",
            "LayDanhSachHoiDapGuiTuDVCQG",
            "TaiLenTepTin"
        ]
    );
}

#[tokio::test]
async fn every_catalogue_is_read_and_codes_are_checked_against_it() {
    let (portal, _desk, npsp) = world(WHOLE, |_| {}).await;
    npsp.tend_once().await;
    let listed =
        |procedure: &str| npsp.listed("DongBoHoSoMC", &record(&json!({"MaTTHC": procedure})));
    assert_eq!(listed("1.000894"), Listed::Yes);
    assert_eq!(
        listed("9.999999"),
        Listed::No("`MaTTHC` is not listed in `LayDanhSachTTHC`".into())
    );
    let field = npsp.listed("DongBoHoSoMC", &record(&json!({"MaLinhVuc": "KHONG-CO"})));
    assert!(matches!(field, Listed::No(_)));
    assert_eq!(portal.report().refused, std::collections::BTreeMap::new());
}

#[tokio::test]
async fn questions_come_once_and_answers_and_ratings_go_back() {
    let (portal, desk, npsp) = world(WHOLE, |_| {}).await;
    npsp.tend_once().await;
    let folder = desk.path("questions");
    let names = files(&folder);
    assert_eq!(names.len(), 3);
    let text = std::fs::read_to_string(folder.join(&names[0])).unwrap();
    let question: Value = serde_json::from_str(&text).unwrap();
    let answer = envelope(&json!({
        "MaHoiDap": question["MaHoiDap"], "NoiDungTraLoi": "Trả lời mẫu", "NgayTraLoi": "20261121080000",
    }));
    let call = "DongBoKetQuaHoiDapGuiTuDVCQG";
    assert_eq!(npsp.send(parcel(call, &answer)).await, Outcome::Delivered);
    assert_eq!(portal.report().answered, 1);
    let opened = envelope(&case("1"));
    npsp.send(parcel("DongBoHoSoMC", &opened)).await;
    let rating = envelope(&json!({
        "MaDanhGia": "DG1", "MaHoSo": "H29.40-261102-0001", "MucDo": "5", "NgayDanhGia": "20261121080000",
    }));
    assert_eq!(npsp.send(parcel("DongBoDanhGia", &rating)).await, Outcome::Delivered);
    let published = envelope(&json!({
        "MaHoiDap": "HD1", "NoiDungCauHoi": "Hỏi mẫu", "NoiDungTraLoi": "Đáp mẫu",
        "NgayCapNhat": "20261121080000",
    }));
    assert_eq!(npsp.send(parcel("DongBoHoiDap", &published)).await, Outcome::Delivered);
    // Nothing of what was polled comes again.
    desk.clock.advance(SignedDuration::from_secs(301));
    npsp.tend_once().await;
    assert_eq!(files(&folder), names);
}

#[tokio::test]
async fn a_file_goes_before_its_dossier() {
    let (portal, _desk, npsp) = world(WHOLE, |_| {}).await;
    let mut value = case("1");
    value["TaiLieuNop"] = json!([{"TenTepDinhKem": "a.pdf"}]);
    let value = envelope(&value);
    assert_eq!(npsp.send(parcel("DongBoHoSoMC", &value)).await, Outcome::Delivered);
    assert_eq!(portal.report().files, 1);
    let sent = &portal.accepted()[0];
    assert_eq!(sent["TaiLieuNop"][0]["TepDinhKemId"].as_str().unwrap().len(), 32);
}

#[tokio::test]
async fn a_quota_pauses_the_flow_and_a_used_up_session_is_replaced() {
    let tight = |portal: &mut PortalSettings| {
        portal.quotas = Quotas { per_session: Some(2), per_minute: Some(3), per_day: None };
    };
    let (portal, desk, npsp) = world(WHOLE, tight).await;
    let value = envelope(&case("1"));
    let mut outcomes = Vec::new();
    for _ in 0..5 {
        outcomes.push(npsp.send(parcel("DongBoHoSoMC", &value)).await);
    }
    let pauses = |outcome: &&Outcome| matches!(outcome, Outcome::Unavailable(..));
    let taken = |outcome: &&Outcome| **outcome == Outcome::Delivered;
    let (taken, pauses) =
        (outcomes.iter().filter(taken).count(), outcomes.iter().filter(pauses).count());
    assert!(taken >= 2 && pauses >= 1 && taken + pauses == 5, "{outcomes:?}");
    desk.clock.advance(SignedDuration::from_secs(61));
    assert_eq!(npsp.send(parcel("DongBoHoSoMC", &value)).await, Outcome::Delivered);
    assert!(portal.report().logins >= 2);
}

#[tokio::test]
async fn a_ministry_takes_a_dossier_under_its_own_number_and_its_way_to_the_end() {
    let (portal, _desk, npsp) = world(MINISTRY, |portal| {
        portal.agencies.insert("G98.01".to_owned());
    })
    .await;
    let dossier = envelope(&json!({
        "MaHoSo": "H29.40-261102-0001", "MaDichVuCong": "1.000894", "MaDonViTiepNhan": "G98.01",
        "NgayTiepNhan": "20261102080000", "ThongTinNguoiNop": {"HoTen": "Nguyễn Văn Mẫu", "MaTinh": "79"},
        "ThanhPhanHoSo": [{"MaThanhPhan": "TP1", "TenThanhPhan": "a.pdf", "LoaiBan": "0"}],
    }));
    let mut standing = Standing::default();
    let mut step = |call: &str, envelope: &crate::deliver::Envelope| {
        npsp.step(call, &envelope.record, &mut standing)
    };
    step("NoiHoSo", &dossier).unwrap();
    assert_eq!(npsp.send(parcel("NoiHoSo", &dossier)).await, Outcome::Delivered);
    for (call, status, minute) in [
        ("CapNhatTrangThai", "2", 1),
        ("CapNhatTienTrinh", "4", 2),
        ("CapNhatTrangThai", "9", 3),
        ("CapNhatTrangThai", "10", 4),
    ] {
        let at = format!("2026110209{minute:02}00");
        let member = if call == "CapNhatTienTrinh" { "ThoiDiemXuLy" } else { "ThoiDiem" };
        let next =
            envelope(&json!({"MaHoSo": "H29.40-261102-0001", "TrangThai": status, member: at}));
        step(call, &next).unwrap();
        assert_eq!(npsp.send(parcel(call, &next)).await, Outcome::Delivered, "{status}");
    }
    let report = portal.report();
    assert_eq!((report.ministry_cases, report.illegal_transitions, report.files), (1, 0, 1));
    assert_eq!(report.refused, std::collections::BTreeMap::new());
}

/// The shortest way to each status.
const WAYS: [&[u64]; 10] = [
    &[1],
    &[2],
    &[1, 3],
    &[2, 4],
    &[2, 5],
    &[2, 4, 6],
    &[2, 7],
    &[2, 8],
    &[2, 4, 9],
    &[2, 4, 9, 10],
];

#[tokio::test]
async fn the_stand_in_and_the_table_agree_on_every_move() {
    let table = Transitions::default();
    let (_portal, _desk, npsp) = world(WHOLE, |_| {}).await;
    let send = async |dossier: &str, status: u64, follows: bool| {
        let mut value = case(&status.to_string());
        value["MaHoSo"] = json!(dossier);
        let value = envelope(&value);
        npsp.send(Parcel { follows, ..parcel("DongBoHoSoMC", &value) }).await
    };
    let status = |number| Status::new(number).unwrap();
    for way in WAYS {
        for to in 1..=10 {
            let from = *way.last().unwrap();
            let dossier = format!("H29.40-2611{from:02}-00{to:02}");
            for (index, step) in way.iter().enumerate() {
                assert_eq!(send(&dossier, *step, index > 0).await, Outcome::Delivered);
            }
            let taken = send(&dossier, to, true).await == Outcome::Delivered;
            assert_eq!(taken, table.may_move(status(from), status(to)), "{from} to {to}");
        }
    }
    for first in 1..=10 {
        let taken = send(&format!("H29.40-261130-00{first:02}"), first, false).await;
        let may = table.may_begin(status(first));
        assert_eq!(taken == Outcome::Delivered, may, "begins with {first}");
    }
}
