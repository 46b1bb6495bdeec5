use super::{Kind, Tile, Torn, entries, hashes, partial, put};
use crate::hash::Hash;

#[test]
fn the_example_of_the_specification_has_the_tiles_it_names() {
    let widths: Vec<_> = partial(70_000).map(|tile| (tile.kind, tile.index, tile.width)).collect();
    let expected = [
        (Kind::Entries, 273, 112),
        (Kind::Hashes(0), 273, 112),
        (Kind::Hashes(1), 1, 17),
        (Kind::Hashes(2), 0, 1),
    ];
    assert_eq!(widths, expected);
    assert_eq!(Tile::of_tree(Kind::Hashes(1), 0, 70_000), Some(Tile::full(Kind::Hashes(1), 0)));
    assert_eq!(Tile::of_tree(Kind::Hashes(0), 274, 70_000), None);
}

#[test]
fn paths_have_elements_of_three_digits() {
    assert_eq!(Tile::full(Kind::Hashes(3), 1_234_067).path(), "tile/3/x001/x234/067");
    let partial = Tile { kind: Kind::Entries, index: 0, width: 7 };
    assert_eq!(partial.path(), "tile/entries/000.p/7");
}

#[test]
fn a_bundle_gives_back_what_was_put_in() {
    let mut bundle = Vec::new();
    for entry in [b"one".as_slice(), b"", &[7; 65_535]] {
        put(&mut bundle, entry).expect("fits");
    }
    assert_eq!(put(&mut bundle, &[0; 65_536]), None);
    let read: Vec<_> = entries(&bundle).collect::<Result<_, _>>().expect("whole");
    assert_eq!(read, [b"one".as_slice(), b"", &[7; 65_535]]);
}

#[test]
fn a_bundle_cut_anywhere_but_between_entries_is_torn() {
    let mut bundle = Vec::new();
    put(&mut bundle, b"one").expect("fits");
    put(&mut bundle, b"four").expect("fits");
    for length in 0..bundle.len() {
        let last = entries(&bundle[..length]).last();
        let whole = length == 0 || length == 5;
        assert_eq!(last.is_none_or(|entry| entry != Err(Torn)), whole, "cut at {length}");
    }
}

#[test]
fn a_tile_is_a_whole_number_of_hashes() {
    let hash = Hash::of(b"x");
    assert_eq!(hashes(hash.as_bytes()), Some(vec![hash]));
    assert_eq!(hashes(&hash.as_bytes()[1..]), None);
}

#[test]
fn a_path_has_one_form() {
    for (path, kind, index, width) in [
        ("tile/0/000", Kind::Hashes(0), 0, 256),
        ("tile/7/x001/x234/067.p/255", Kind::Hashes(7), 1_234_067, 255),
        ("tile/63/000", Kind::Hashes(63), 0, 256),
        ("tile/entries/x018/x446/x744/x073/x709/x551/615.p/1", Kind::Entries, u64::MAX, 1),
    ] {
        let tile = Tile { kind, index, width };
        assert_eq!(Tile::parse(path), Some(tile), "{path}");
        assert_eq!(tile.path(), path);
    }
    for path in [
        "",
        "tile",
        "tile/",
        "tile/0",
        "tile/0/",
        "/tile/0/000",
        "tile//000",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/00/000",
        "tile/+0/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/0/+01",
        "tile/0/x000",
        "tile/0/x000/001",
        "tile/0/001/002",
        "tile/0/x001/x002",
        "tile/0/x01/002",
        "tile/0/xx001/002",
        "tile/0/000.p",
        "tile/0/000.p/",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/+1",
        "tile/0/000.p/1/",
        "tile/0/000.p/1.p/1",
        "tile/0/000/",
        "tile/entries/x018/x446/x744/x073/x709/x551/616",
        "tile/0/../0/000",
        "tile/0/%30%30%30",
        "tile/0/000?",
        "tile/Entries/000",
        "tile/0/000 ",
        "tile/entries/../../checkpoint",
        "tile/0/x001/x002/x003/x004/x005/x006/x007/x008/x009/x010/x011/x012/x013",
    ] {
        assert_eq!(Tile::parse(path), None, "{path}");
    }
}
