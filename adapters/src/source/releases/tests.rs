use crate::testing::{Ticking, World};
use lienthong_model::id::IndicatorId;
use lienthong_store::indicator::NewRelease;

use super::*;

async fn keep(store: &Arc<Store>, indicator: &str, period: &str, revision: u32) {
    let indicator: IndicatorId = indicator.parse().unwrap();
    let content = format!(
        r#"{{"statistic":"s","period":{{"kind":"month","from":"{period}-01","to":"x"}},"cells":[]}}"#
    );
    let release = NewRelease {
        indicator: &indicator,
        period,
        revision,
        why: None,
        content: &content,
        digest: "d",
    };
    let kept = store.indicators().keep(&release, "2026-12-01T00:00:00Z".parse().unwrap()).await;
    kept.unwrap().expect("kept");
}

/// A configuration whose flow reads releases in place of the city's dossiers.
async fn world() -> World {
    let mut world = World::new().await;
    let text = std::fs::read_to_string(world.path()).unwrap();
    let begin = text.find("    source:").unwrap();
    let end = text.find("    delivery:").unwrap();
    world.set(
        text.get(begin..end).unwrap(),
        "    source: {releases: {poll_seconds: 2}}\n    order_by: indicator\n",
    );
    let text = std::fs::read_to_string(world.path()).unwrap();
    let begin = text.find("    messages:").unwrap();
    let messages = "    messages:\n      - call: DongBoHoSoMC\n        repeat: safe\n        map:\n          \
                    MaHoSo: {constant: H29.40-261102-0001}\n          MaTTHC: {constant: \"1.000894\"}\n          ChuHoSo: {column: period}\n          \
                    NgayTiepNhan: {column: computed_at, date: moment}\n          TrangThaiHoSo: {column: revision}\n          \
                    LoaiDoiTuong: {constant: \"1\"}\n          ThongTinKhac: {column: content}\n";
    world.set(text.get(begin..).unwrap(), messages);
    world.set("flows:", "connections: {city: {sqlite: {file: city.db}}}\nindicators: {folder: indicators, since: 2026-11-01}\nflows:");
    let folder = world.folder.path().join("indicators");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("cases.yaml"), crate::indicator::CASES).unwrap();
    world
}

#[tokio::test]
async fn refuses_columns_that_no_release_has_and_releases_of_nothing() {
    let mut world = world().await;
    world.set("ChuHoSo: {column: period}", "ChuHoSo: {column: secret}");
    let told = crate::Config::read(&world.path()).unwrap_err().to_string();
    assert!(told.contains("table `releases` has no column `secret`"), "{told}");
    world.set("indicators: {folder: indicators, since: 2026-11-01}\n", "");
    let told = crate::Config::read(&world.path()).unwrap_err().to_string();
    assert!(told.contains("reads releases of no `indicators`"), "{told}");
}

#[tokio::test]
async fn releases_are_read_once_in_their_order_and_marked_when_they_are_taken() {
    let world = world().await;
    let store = Arc::new(Store::open(world.folder.path().join("state").as_path()).await.unwrap());
    for (indicator, period, revision) in
        [("b", "2026-10", 1), ("a", "2026-10", 1), ("b", "2026-10", 2)]
    {
        keep(&store, indicator, period, revision).await;
    }
    let flow = world.config().flows.remove(0);
    let source = Releases::open(&flow, &store).unwrap();
    let reading = source.next(None, 2).await.unwrap();
    let keys = |reading: &Reading| -> Vec<String> {
        reading.rows.iter().map(|row| row.key.clone()).collect()
    };
    assert_eq!(
        (keys(&reading), reading.more),
        (vec!["b/2026-10/1".into(), "a/2026-10/1".into()], true)
    );
    assert_eq!(reading.rows[0].text("period_from").as_deref(), Some("2026-10-01"));
    let next = source.next(reading.mark.as_ref(), 2).await.unwrap();
    assert_eq!((keys(&next), next.more), (vec!["b/2026-10/2".to_owned()], false));
    let last = source.next(next.mark.as_ref(), 2).await.unwrap();
    assert_eq!((last.rows.len(), last.mark.is_none(), last.more), (0, true, false));
    source.taken(&next.rows, "2026-12-02T00:00:00Z".parse().unwrap()).await.unwrap();
    let newest = store.indicators().newest(&"b".parse().unwrap()).await.unwrap();
    assert!(newest[0].published_at.is_some() && newest[0].revision == 2);
    // Read again from a position, then on where it was.
    let again = source.again(next.mark.as_ref(), Some("1")).await.unwrap();
    let reading = source.next(Some(&again), 9).await.unwrap();
    assert_eq!((keys(&reading).len(), reading.more), (2, true));
    let on = source.next(reading.mark.as_ref(), 9).await.unwrap();
    assert!(on.rows.is_empty());
    let asked = source.with_keys(&["a/2026-10/1".to_owned(), "a/2026-10/2".to_owned()]).await;
    assert_eq!(asked.unwrap().len(), 1);
}

/// The portal of the tests takes no indicators: it is enough that each release becomes one message.
#[tokio::test]
async fn each_release_becomes_one_message_of_its_indicator() {
    let world = world().await;
    let _clock: Arc<Ticking> = world.clock.clone();
    let state = world.folder.path().join("state");
    let store = Arc::new(Store::open(state.as_path()).await.unwrap());
    keep(&store, "a", "2026-10", 1).await;
    keep(&store, "a", "2026-10", 2).await;
    store.close().await;
    let report = world.run().await;
    assert_eq!((report.rows, report.enqueued, report.quarantined), (2, 2, 0), "{report:?}");
    let report = world.run().await;
    assert_eq!((report.rows, report.enqueued), (2, 2));
    let store = Arc::new(Store::open(state.as_path()).await.unwrap());
    let newest = store.indicators().newest(&"a".parse().unwrap()).await.unwrap();
    assert!(newest[0].published_at.is_some());
}
