use super::*;

fn properties(names: &[&str]) -> Properties {
    let property = |(node, name): (usize, &&str)| Property::new(name, node, true, node % 3 == 0);
    Properties::new(names.iter().enumerate().map(property).collect())
}

#[test]
fn finds_every_declared_name_and_no_other() {
    let names: Vec<String> = (0..200).map(|n| format!("truong{}_so{n}", n % 7)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).chain(["a", "b", "ab", "Họ"]).collect();
    let properties = properties(&names);
    for (at, name) in names.iter().enumerate() {
        let (index, property) = properties.find(name).unwrap();
        assert_eq!((index, property.node), (at, at));
    }
    for other in ["", "ba", "truong0_so200", "truong1_so0", "A", "Ho"] {
        assert!(properties.find(other).is_none(), "{other}");
    }
}

#[test]
fn finds_nothing_in_an_object_without_properties() {
    let properties = properties(&[]);
    assert!(properties.find("").is_none());
    assert!(properties.missing(&[]).is_none());
}

#[test]
fn tells_the_first_required_property_that_is_missing() {
    let names: Vec<String> = (0..100).map(|n| format!("p{n:03}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let properties = properties(&names);
    assert_eq!(properties.words(), 2);
    assert_eq!(properties.missing(&[0, 0]).unwrap().name, "p000");
    assert_eq!(properties.missing(&[u64::MAX, 0]).unwrap().name, "p066");
    assert!(properties.missing(&[u64::MAX, u64::MAX]).is_none());
}
