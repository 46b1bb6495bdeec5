//! Receipts that close nothing.

use lienthong_signature::{cms, signer::Signer};

use super::*;

async fn take(world: &World, receipt: &Path) -> Refused {
    let record = async |act| world.record(act).await;
    let closed = take_receipt(&world.province(), receipt, &world.clock(), record).await;
    let Err(PackageError::Refused(refused)) = closed else { panic!("{closed:?}") };
    assert_eq!(world.acts().last(), Some(&ActKind::Refuse));
    refused
}

/// A receipt like that of the city, changed and signed by someone.
fn forged(world: &World, receipt: &Path, from: &str, to: &str, signer: &str) -> PathBuf {
    let city = world.city();
    let verifier = lienthong_signature::trust::Verifier::new(&city.trust, world.clock.now());
    let signed = cms::verify(&fs::read(receipt).unwrap(), &verifier).unwrap();
    let text = String::from_utf8(signed.content).unwrap();
    assert!(text.contains(from), "{text}");
    let [certificate, key] =
        ["pem", "key"].map(|kind| fs::read(world.path(&format!("{signer}.{kind}"))).unwrap());
    let signer = Signer::from_pem(&certificate, &key).unwrap();
    let forged = cms::sign(text.replace(from, to).as_bytes(), &signer, world.clock.now()).unwrap();
    let path = world.path("forged.p7m");
    fs::write(&path, forged).unwrap();
    path
}

#[tokio::test]
async fn refuses_receipts_that_are_forged_or_of_something_else() {
    let world = World::new().await;
    let file = world.package().await;
    let received = world.receive(&file).await.unwrap();
    let receipt = &received.receipt;
    let other = &received.package.to_string();
    let mut bytes = fs::read(receipt).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(world.path("flipped.p7m"), bytes).unwrap();
    assert_eq!(take(&world, &world.path("flipped.p7m")).await.code(), "package.signature");
    for (from, to, signer, told) in [
        ("\"taken\":3", "\"taken\":3", "other-sign", "not its receiver's"),
        ("H29.20", "H09.12", "city-sign", "not its receiver's"),
        ("\"taken\":3", "\"taken\":2", "city-sign", "account for every record"),
        ("\"sender\":\"H09.12\"", "\"sender\":\"H09.13\"", "city-sign", "another sender"),
        ("\"format\":1", "\"format\":2", "city-sign", "not one of this format"),
        (other.as_str(), "00000000-0000-4000-8000-000000000000", "city-sign", "no package"),
        ("\"manifest_sha256\":\"", "\"manifest_sha256\":\"zz", "city-sign", "damaged"),
    ] {
        let forged = forged(&world, receipt, from, to, signer);
        let refused = take(&world, &forged).await.to_string();
        assert!(refused.contains(told), "{told}: {refused}");
    }
    let record = async |act| world.record(act).await;
    let none = async |_| Err("no log".to_owned());
    let province = world.province();
    let unrecorded = take_receipt(&province, receipt, &world.clock(), none).await.unwrap_err();
    assert!(matches!(unrecorded, PackageError::Evidence(_)), "{unrecorded}");
    assert_eq!(list(&province, false, 10, world.clock.now()).await.unwrap().len(), 1);
    take_receipt(&province, receipt, &world.clock(), record).await.unwrap();
    assert!(take(&world, receipt).await.to_string().contains("taken before"));
}
