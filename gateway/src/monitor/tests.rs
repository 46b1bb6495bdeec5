use super::*;

#[test]
fn an_address_has_one_form() {
    for (address, word) in [
        ("/checkpoint", "checkpoint"),
        ("/tile/0/000", "hashes"),
        ("/tile/1/x001/234.p/5", "hashes"),
        ("/tile/entries/000.p/1", "entries"),
        ("https://log.example/checkpoint", "checkpoint"),
    ] {
        let resource = Resource::parse(&address.parse().expect("an address"));
        assert_eq!(resource.map(Resource::word), Some(word), "{address}");
    }
    for address in [
        "/",
        "*",
        "/checkpoint/",
        "//checkpoint",
        "/checkpoint?",
        "/checkpoint?x",
        "/Checkpoint",
        "/%63heckpoint",
        "/tile/0/000?x=1",
        "/tile/0/../../checkpoint",
        "/tile/entries/..%2f..%2fcheckpoint",
        "/tile/0/000/",
        "/journal/00000000000000000000",
        "/tile/0/000.p/256",
    ] {
        assert_eq!(Resource::parse(&address.parse().expect("an address")), None, "{address}");
    }
}

#[test]
fn only_full_tiles_of_hashes_are_kept_for_long() {
    let kept = |address: &str| {
        let resource = Resource::parse(&address.parse().expect("an address"));
        resource.expect("a resource").headers().1
    };
    assert!(kept("/tile/0/000").contains("immutable"));
    for address in ["/checkpoint", "/tile/0/000.p/1", "/tile/entries/000", "/tile/entries/000.p/1"]
    {
        assert!(!kept(address).contains("immutable"), "{address}");
    }
}
