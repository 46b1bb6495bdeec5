use std::{cell::Cell as Counter, collections::BTreeSet};

use proptest::{
    prelude::*,
    test_runner::{RngAlgorithm, TestRng, TestRunner},
};

use super::{exact, tables};
use crate::{
    audit::{AuditBounds, audit},
    linked::{Finding, compare},
    release::Release,
    suppress::{
        Bounds, Need, Protection, Rules, Standing, SuppressError, Suppression, Zeros, suppress,
    },
    table::{Cell, CellName, Dimension, Shape, Table},
};

fn rules() -> impl Strategy<Value = Rules> {
    let zeros = prop_oneof![Just(Zeros::Primary), Just(Zeros::Complement), Just(Zeros::Published)];
    let protection = prop_oneof![3 => Just(Protection::Range), 1 => Just(Protection::Around(2))];
    (zeros, 3_u64..=4, protection).prop_map(|(zeros, threshold, protection)| {
        let width = threshold - 1 - u64::from(zeros == Zeros::Published);
        Rules { zeros, protection, complement_width: width, ..Rules::counts(threshold) }
    })
}

fn assert_protected(table: &Table, done: &Suppression, is_exact: &Counter<u32>) {
    let release = done.release("cases").expect("a release");
    for (cell, determined) in exact::determined(&release) {
        assert!(!determined, "{} is determined", table.shape().name(cell));
    }
    let Some(intervals) = exact::intervals(&release) else { return };
    is_exact.set(is_exact.get() + 1);
    for (cell, (low, high)) in intervals {
        let name = table.shape().name(cell);
        let high = high.unwrap_or(i128::MAX / 2);
        match done.needs()[&cell] {
            Need::Range(from, to) => {
                assert!(
                    low <= from && to <= high,
                    "{name}: {low}..{high} narrower than {from}..{to}"
                );
                let own = i128::from(table.value(cell).expect("a value"));
                assert!(from <= own && own <= to, "{name}: the need does not hold the value");
            }
            Need::Width(width) => assert!(high - low >= width, "{name}: {low}..{high}"),
        }
    }
}

#[test]
fn no_suppressed_cell_can_be_derived_or_narrowed() {
    let config = ProptestConfig { cases: 240, failure_persistence: None, ..Default::default() };
    let mut runner =
        TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]));
    let (protected, exact, empty) = (Counter::new(0), Counter::new(0), Counter::new(0));
    let outcome = runner.run(&(tables::any(), rules()), |(table, rules)| {
        match suppress(&table, &rules, &BTreeSet::new(), &Bounds::default()) {
            Ok(done) => {
                assert_protected(&table, &done, &exact);
                if done.count(Standing::Primary) > 0 {
                    protected.set(protected.get() + 1);
                }
            }
            Err(SuppressError::NothingLeft) => empty.set(empty.get() + 1),
            Err(SuppressError::NotProtectable(_)) => {
                // Only where zeros have to stay published may there be no way to hide a cell.
                assert_eq!(rules.zeros, Zeros::Published);
            }
            Err(error) => panic!("{error}"),
        }
        Ok(())
    });
    outcome.expect("every table protected");
    assert!(protected.get() >= 150, "{} tables were worth a test", protected.get());
    assert!(exact.get() >= 150, "{} tables were written down", exact.get());
    assert!(empty.get() < 100, "{} tables were empty", empty.get());
}

/// A release of a table in which any cell may be withheld.
fn any_release() -> impl Strategy<Value = (Table, Vec<bool>, u64)> {
    (tables::any(), prop::collection::vec(prop::bool::weighted(0.4), 400), 0_u64..=1)
}

#[test]
fn an_audit_finds_the_exact_interval_of_any_pattern() {
    let config = ProptestConfig { cases: 300, failure_persistence: None, ..Default::default() };
    let mut runner =
        TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[9; 32]));
    let (tested, tight) = (Counter::new(0), Counter::new(0));
    let outcome = runner.run(&any_release(), |(table, withheld, least)| {
        let shape = table.shape();
        // Where readers know that nothing withheld is zero, no zero was withheld.
        let keeps = |value: &u64| least == 0 || *value > 0;
        let figures = shape
            .cells()
            .zip(&withheld)
            .map(|(cell, withheld)| table.value(cell).filter(|value| !(*withheld && keeps(value))));
        let release = Release::new("cases", shape.clone(), figures.collect(), least);
        let release = release.expect("a release");
        let derived = audit(&release, &AuditBounds::default()).expect("an audit");
        let determined = exact::determined(&release);
        let Some(intervals) = exact::intervals(&release) else { return Ok(()) };
        for (cell, (low, high)) in intervals {
            let name = shape.name(cell);
            let found = derived[&cell];
            let (from, to) = found.possible;
            assert!(from <= low, "{name}: {from} is not the least, {low} is");
            assert!(
                to.is_none() || high.is_some_and(|high| to >= Some(high)),
                "{name}: {to:?} {high:?}"
            );
            let (least, most) = found.reached.expect("some table is written down");
            assert!(low <= least && high.is_none_or(|high| most <= high), "{name}");
            if determined[&cell] {
                assert_eq!(Some(from), to, "{name} is determined");
            }
            tested.set(tested.get() + 1);
            let is_tight = least == low && to == high && (high.is_none() || high == Some(most));
            tight.set(tight.get() + u32::from(is_tight));
        }
        Ok(())
    });
    outcome.expect("every interval");
    assert!(tested.get() >= 1_000, "{} cells were tested", tested.get());
    assert_eq!(tight.get(), tested.get(), "some intervals are not exact");
}

/// The cells of a table that an earlier release has too: all, or those of its first dimensions.
fn earlier(table: &Table, kept: usize, withheld: &[bool]) -> Release {
    let dimensions: Vec<Dimension> = table.shape().dimensions().take(kept).cloned().collect();
    let shape = Shape::new(dimensions, 10_000).expect("a shape");
    let figure = |(cell, withheld): (Cell, &bool)| {
        let same = same_cell(table, &shape, cell);
        (!withheld).then(|| table.value(same)).flatten()
    };
    let figures = shape.cells().zip(withheld.iter().cycle()).map(figure).collect();
    Release::new("cases", shape, figures, 0).expect("a release")
}

/// The cell of the whole table that a cell of its first dimensions is.
fn same_cell(table: &Table, shape: &Shape, cell: Cell) -> Cell {
    let name = shape.name(cell).0;
    let mut codes: Vec<&str> = name.iter().map(|(_, code)| code.as_str()).collect();
    codes.resize(table.shape().dimensions().len(), "T");
    table.shape().cell(&codes).expect("a cell")
}

#[test]
fn beside_an_earlier_release_exactly_what_is_too_narrow_is_told() {
    let config = ProptestConfig { cases: 250, failure_persistence: None, ..Default::default() };
    let mut runner =
        TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[5; 32]));
    let (good, bad) = (Counter::new(0), Counter::new(0));
    let withheld = prop::collection::vec(prop::bool::weighted(0.7), 1..200);
    let outcome = runner.run(&(tables::any(), withheld, 1_usize..=4), |(table, withheld, kept)| {
        let rules = Rules::counts(3);
        let Ok(new) = suppress(&table, &rules, &BTreeSet::new(), &Bounds::default()) else {
            return Ok(());
        };
        let shape = table.shape();
        let before = earlier(&table, kept.min(shape.dimensions().len()), &withheld);
        let found = compare(&new, "cases", std::slice::from_ref(&before), &AuditBounds::default());
        let told: BTreeSet<String> =
            found.expect("an answer").iter().map(|finding| cell_of(finding).to_string()).collect();
        // Both read together are one release with the figures of either.
        let mut figures: Vec<Option<u64>> = shape.cells().map(|cell| new.figure(cell)).collect();
        for cell in before.shape().cells() {
            if let Some(figure) = before.figure(cell) {
                figures[same_cell(&table, before.shape(), cell).0] = Some(figure);
            }
        }
        let both = Release::new("cases", shape.clone(), figures, 0).expect("a release");
        let Some(intervals) = exact::intervals(&both) else { return Ok(()) };
        for (cell, need) in new.needs() {
            let meets = intervals.get(cell).is_some_and(|(low, high)| {
                let high = high.unwrap_or(i128::MAX / 2);
                match need {
                    Need::Range(from, to) => low <= from && *to <= high,
                    Need::Width(width) => high - low >= *width,
                }
            });
            let name = shape.name(*cell).to_string();
            assert_eq!(!meets, told.contains(&name), "{name}");
            let counter = if meets { &good } else { &bad };
            counter.set(counter.get() + 1);
        }
        Ok(())
    });
    outcome.expect("every release");
    assert!(good.get() >= 200 && bad.get() >= 200, "{} {}", good.get(), bad.get());
}

fn cell_of(finding: &Finding) -> &CellName {
    match finding {
        Finding::PublishedBefore { cell, .. }
        | Finding::Derivable(cell)
        | Finding::TooNarrow(cell)
        | Finding::Revised(cell) => cell,
    }
}
