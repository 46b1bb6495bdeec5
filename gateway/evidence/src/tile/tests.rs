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
