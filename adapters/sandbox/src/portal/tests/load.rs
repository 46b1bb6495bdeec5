//! Many cases at once. `PORTAL_CASES=100000` makes it a measurement: see the manual of the sandbox.

use std::time::Instant;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tempfile::TempDir;
use tokio::net::TcpStream;

use super::*;

const CONNECTIONS: u32 = 32;

/// Sends every case of a connection through its whole life on one connection.
async fn drive(addr: SocketAddr, session: String, first: u32, count: u32) {
    let stream = TcpStream::connect(addr).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(async move { drop(connection.await) });
    for number in first..first + count {
        let case = format!("H29.40-261102-{number:07}");
        for (call, updating, record) in life(&case) {
            let body = json!({
                "session": session, "madonvi": "H29.20", "service": call,
                "isUpdating": updating, "data": [record],
            });
            let request = hyper::Request::post(format!("/{call}"))
                .header("host", "sandbox.example")
                .body(Full::new(Bytes::from(body.to_string())))
                .unwrap();
            let mut answer = sender.send_request(request).await.unwrap();
            let mut bytes = Vec::new();
            while let Some(frame) = answer.frame().await {
                bytes.extend_from_slice(&frame.unwrap().into_data().unwrap());
            }
            let answer: Value = serde_json::from_slice(&bytes).unwrap();
            assert_eq!(answer["result"], "thanh cong");
        }
    }
}

fn life(case: &str) -> Vec<(&'static str, &'static str, Value)> {
    let sync = |status: u8| {
        json!({
            "MaHoSo": case, "MaTTHC": "1.000894", "TenTTHC": "Thủ tục hộ tịch (mẫu A)",
            "MaLinhVuc": "G15-HT01", "ChuHoSo": "Nguyễn Văn Mẫu", "LoaiDoiTuong": "1",
            "MaDoiTuong": "079090901234", "SoDienThoai": "0599000000",
            "TrichYeuHoSo": "Đăng ký (mẫu)", "NgayTiepNhan": "20261102080000",
            "NgayHenTra": "20261107170000", "TrangThaiHoSo": status.to_string(),
            "DonViXuLy": "Ủy ban nhân dân Phường Sài Gòn",
        })
    };
    let step = |minute: u8, status: u8| {
        json!({
            "MaHoSo": case, "ThoiDiemXuLy": format!("202611020{minute}0000"),
            "NguoiXuLy": "Cán bộ mẫu", "NoiDungXuLy": "Đang thụ lý hồ sơ (mẫu)",
            "TrangThai": status.to_string(),
        })
    };
    let (dossier, progress) = ("DongBoHoSoMC", "CapNhatTienDoHoSoMC");
    vec![
        (dossier, "False", sync(1)),
        (dossier, "True", sync(2)),
        (progress, "False", step(3, 4)),
        (progress, "False", step(4, 5)),
        (progress, "False", step(5, 4)),
        (dossier, "True", sync(9)),
        (dossier, "True", sync(10)),
    ]
}

async fn measure(cases: u32, state: Option<&TempDir>) -> PortalHandle {
    let clock = ManualClock::at("2026-11-21T01:00:00Z".parse().unwrap());
    let mut settings = PortalSettings::new(Listen::loopback());
    settings.keep_bodies = 0;
    settings.state_dir = state.map(|folder| folder.path().join("state"));
    let portal = Portal::start(settings, Arc::new(clock)).await.unwrap();
    let session = log_in(&portal).await;
    let begun = Instant::now();
    let each = cases / CONNECTIONS;
    let drivers: Vec<_> = (0..CONNECTIONS)
        .map(|n| tokio::spawn(drive(portal.addr, session.clone(), n * each + 1, each)))
        .collect();
    for driver in drivers {
        driver.await.unwrap();
    }
    let messages = f64::from(each * CONNECTIONS * 7);
    let rate = messages / begun.elapsed().as_secs_f64();
    let kind = if state.is_some() { "durable" } else { "in memory" };
    println!("{kind}: {messages} messages, {rate:.0} a second, client on the same cores");
    portal
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cases_that_come_at_once_end_each_once_in_the_last_status() {
    let cases = std::env::var("PORTAL_CASES").map_or(96, |text| text.parse().unwrap());
    let cases = cases / CONNECTIONS * CONNECTIONS;
    let folder = TempDir::new().unwrap();
    for state in [None, Some(&folder)] {
        let before = resident();
        let portal = measure(cases, state).await;
        println!("{} KiB more than before", resident().saturating_sub(before));
        let report = portal.report();
        assert_eq!(report.cases, u64::from(cases));
        assert_eq!(portal.cases_in_final_state(10) as u64, report.cases);
        assert_eq!((report.duplicates, report.order_violations, report.repeated), (0, 0, 0));
        assert_eq!(portal.history_of("H29.40-261102-0000001"), [1, 2, 4, 5, 4, 9, 10]);
    }
}

/// Resident memory of this process, in KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
