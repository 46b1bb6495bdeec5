//! A package of as many records as are asked for, with the time and the memory that it takes.

use std::time::Instant;

use super::*;

/// The most memory that this process had so far, in MiB.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1_024
}

#[tokio::test]
async fn as_many_records_as_are_asked_for_travel_in_bounded_memory() {
    let asked = std::env::var("LIENTHONG_PACKAGE_RECORDS");
    let records: u64 = asked.map_or(3_000, |text| text.parse().expect("a number"));
    let world = World::new().await;
    let rows = format!(
        "DELETE FROM cases; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {records})
         INSERT INTO cases (code, ward, day, name, note) SELECT 'BD-' || i, '25747', '2025-01-01',
            'Trần Thị Mẫu ' || i, hex(randomblob(60)) FROM n"
    );
    world.database("province.db", &rows).await;
    let told = |what: &str, begun: Instant| {
        let seconds = begun.elapsed().as_secs_f64();
        eprintln!("{what}: {records} records in {seconds:.1} s, at most {} MiB so far", peak());
    };
    let begun = Instant::now();
    let created = world.create(&world.province(), "cases.tar").await.unwrap();
    told("create", begun);
    let begun = Instant::now();
    let looked = verify(&world.city(), &created.file, &world.clock(), &nothing()).unwrap();
    told("verify", begun);
    assert!(looked.decrypted);
    let begun = Instant::now();
    let received = world.receive(&created.file).await.unwrap();
    told("receive", begun);
    assert_eq!((created.records, looked.records, received.taken), (records, records, records));
}
