//! How long the suppression of a large table takes, and how much it hides.
//!
//! Run by hand on a quiet machine: `cargo bench -p lienthong-statistics`. The table has 168 wards
//! below 38 districts and three provinces, 20 age groups and two sexes, with every total: 13,230
//! cells of made-up counts, in three densities.
#![expect(clippy::print_stdout, clippy::expect_used, reason = "a program for people to run")]

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use lienthong_statistics::{
    audit::AuditBounds,
    linked::compare,
    suppress::{Bounds, Rules, Standing, suppress},
    table::{Dimension, Kind, RawCell, Shape, Table},
};

/// A generator whose numbers are the same everywhere.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

fn shape() -> Shape {
    let mut places = vec![("city".to_owned(), None)];
    places.extend((0..3).map(|n| (format!("p{n}"), Some("city".to_owned()))));
    places.extend((0..38).map(|n| (format!("d{n:02}"), Some(format!("p{}", n % 3)))));
    places.extend((0..168).map(|n| (format!("w{n:03}"), Some(format!("d{:02}", n % 38)))));
    let places: Vec<(&str, Option<&str>)> =
        places.iter().map(|(code, parent)| (code.as_str(), parent.as_deref())).collect();
    let ages: Vec<String> = (0..20).map(|n| format!("a{n:02}")).collect();
    let ages: Vec<&str> = ages.iter().map(String::as_str).collect();
    let dimensions = [
        Dimension::new("place", &places),
        Dimension::flat("age", "all", &ages),
        Dimension::flat("sex", "both", &["f", "m"]),
    ];
    Shape::new(dimensions.map(|one| one.expect("a dimension")).into(), 20_000).expect("a shape")
}

/// Counts of leaves whose size differs by ward and age, as those of an illness do.
fn table(shape: &Shape, scale: u64) -> Table {
    let mut numbers = Numbers(7);
    let wards: Vec<u64> = (0..168).map(|_| 1 + numbers.below(scale)).collect();
    let ages: Vec<u64> = (0..20).map(|_| 1 + numbers.below(10)).collect();
    let mut cells: BTreeMap<Vec<String>, u64> = BTreeMap::new();
    for (ward, by_ward) in wards.iter().enumerate() {
        for (age, by_age) in ages.iter().enumerate() {
            for sex in ["f", "m"] {
                let count = numbers.below(2 * by_ward * by_age / 5 + 2);
                let (district, ward) = (ward % 38, format!("w{ward:03}"));
                let places =
                    [ward, format!("d{district:02}"), format!("p{}", district % 3), "city".into()];
                for place in places {
                    for age in [format!("a{age:02}"), "all".to_owned()] {
                        for sex in [sex, "both"] {
                            let codes = vec![place.clone(), age.clone(), sex.to_owned()];
                            *cells.entry(codes).or_default() += count;
                        }
                    }
                }
            }
        }
    }
    let raw = cells.iter().map(|(codes, count)| {
        RawCell::count(&codes.iter().map(String::as_str).collect::<Vec<_>>(), *count)
    });
    Table::new(shape.clone(), Kind::Counts, raw.collect::<Vec<_>>()).expect("a table")
}

fn main() {
    let shape = shape();
    println!("cells: {}", shape.len());
    for scale in [400, 100, 30, 8] {
        let table = table(&shape, scale);
        let began = Instant::now();
        let outcome = suppress(&table, &Rules::counts(5), &BTreeSet::new(), &Bounds::default());
        let took = began.elapsed();
        match outcome {
            Ok(done) => {
                println!(
                    "scale {scale:4}: {:5} primary, {:5} complements, {:5} published, {took:.1?}",
                    done.count(Standing::Primary),
                    done.count(Standing::Complement),
                    done.count(Standing::Published),
                );
                let began = Instant::now();
                let earlier = done.release("cases").expect("a release");
                let found = compare(&done, "cases", &[earlier], &AuditBounds::default());
                println!("  beside an equal release: {found:?}, {:.1?}", began.elapsed());
            }
            Err(error) => println!("scale {scale:4}: {error}, {took:.1?}"),
        }
    }
}
