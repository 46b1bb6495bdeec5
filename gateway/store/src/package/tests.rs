use super::*;
use crate::testing::{Home, on_both};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).unwrap()
}

fn package(manifest: u8) -> Package<'static> {
    Package { id: [7; 16], peer: "H29.40", dataset: "cases", manifest: [manifest; 32], records: 12 }
}

const COUNTS: Counts = Counts { taken: 10, aside: 2 };

async fn refuses_what_was_received_before_and_another_of_its_id(home: Home) {
    let store = home.open().await;
    let packages = store.packages();
    assert_eq!(packages.take(&package(1), Again::Refused, at(0)).await.unwrap(), Taking::Begun(1));
    // What died on the way is taken up again.
    assert_eq!(packages.take(&package(1), Again::Refused, at(1)).await.unwrap(), Taking::Begun(1));
    assert_eq!(packages.take(&package(2), Again::Wanted, at(1)).await.unwrap(), Taking::Other);
    packages.taken(&[7; 16], COUNTS, at(2)).await.unwrap();
    store.close().await;
    let store = home.open().await;
    let packages = store.packages();
    let replayed = packages.take(&package(1), Again::Refused, at(3)).await.unwrap();
    assert_eq!(replayed, Taking::Replayed { at: at(2) });
    let other = Package { peer: "H29.41", manifest: [3; 32], ..package(1) };
    assert_eq!(packages.take(&other, Again::Refused, at(3)).await.unwrap(), Taking::Other);
    assert_eq!(packages.take(&package(1), Again::Wanted, at(4)).await.unwrap(), Taking::Begun(2));
    assert_eq!(packages.take(&package(1), Again::Refused, at(4)).await.unwrap(), Taking::Begun(2));
    let all = packages.list(false, 10).await.unwrap();
    assert_eq!((all.len(), all[0].counts, all[0].closed, all[0].opened), (1, None, None, at(4)));
}

async fn a_receipt_closes_the_package_of_its_recipient_alone(home: Home) {
    let store = home.open().await;
    let packages = store.packages();
    let other = Package { peer: "H29.41", ..package(1) };
    packages.made(&[package(1), other], at(0)).await.unwrap();
    let close = async |package: Package<'static>, second| {
        let would = packages.closing(&package).await.unwrap();
        let closing = packages.close(&package, COUNTS, at(second)).await.unwrap();
        assert_eq!(closing, would);
        closing
    };
    assert_eq!(close(Package { id: [8; 16], ..package(1) }, 1).await, Closing::Unknown);
    assert_eq!(close(Package { peer: "H29.42", ..package(1) }, 1).await, Closing::Unknown);
    assert_eq!(close(package(2), 1).await, Closing::Other);
    assert_eq!(close(Package { records: 11, ..package(1) }, 1).await, Closing::Other);
    assert_eq!(packages.list(true, 10).await.unwrap().len(), 2);
    assert_eq!(close(package(1), 5).await, Closing::Closed);
    assert_eq!(close(package(1), 6).await, Closing::Repeated { at: at(5) });
    let open = packages.list(true, 10).await.unwrap();
    assert_eq!((open.len(), open[0].peer.as_str()), (1, "H29.41"));
    let all = packages.list(false, 10).await.unwrap();
    assert_eq!((all[0].counts, all[0].closed), (Some(COUNTS), Some(at(5))));
    // A package that was made here says nothing of one that is received.
    assert_eq!(packages.take(&package(3), Again::Refused, at(7)).await.unwrap(), Taking::Begun(1));
    assert_eq!(packages.list(false, 2).await.unwrap().len(), 2);
}

on_both!(
    refuses_what_was_received_before_and_another_of_its_id,
    a_receipt_closes_the_package_of_its_recipient_alone,
);
