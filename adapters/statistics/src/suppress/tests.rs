use super::*;
use crate::{
    audit::AuditBounds,
    linked::{self, Finding},
    table::{Contributions, Dimension, Figure, Kind, RawCell, Shape},
    tests::tables::{dimension, from_leaves},
};

fn run(table: &Table, rules: &Rules) -> Result<Suppression, SuppressError> {
    suppress(table, rules, &BTreeSet::new(), &Bounds::default())
}

/// Every cell by its codes, with `.` for published, `P` for primary and `C` for complement.
fn pattern(done: &Suppression) -> String {
    let mark = |cell| match done.standing(cell) {
        Standing::Published => '.',
        Standing::Primary => 'P',
        Standing::Complement => 'C',
    };
    done.table.shape().cells().map(mark).collect()
}

#[test]
fn a_table_of_one_cell_is_published_or_refused() {
    let one = |value| from_leaves(vec![Dimension::flat("d", "T", &[]).expect("one")], &[value]);
    assert_eq!(run(&one(2), &Rules::counts(3)), Err(SuppressError::NothingLeft));
    assert_eq!(pattern(&run(&one(3), &Rules::counts(3)).expect("published")), ".");
    assert_eq!(pattern(&run(&one(0), &Rules::counts(3)).expect("published")), ".");
}

#[test]
fn a_total_below_the_threshold_takes_everything_that_is_not_zero_with_it() {
    let table = from_leaves(vec![dimension("d", &[2, 1])], &[1, 0, 1]);
    let done = run(&table, &Rules::counts(5)).expect("a pattern");
    // T, g0, g1, g0.0, g0.1, g1.0: the zero is all that is left.
    assert_eq!(pattern(&done), "PPPP.P");
    let rules = Rules { zeros: Zeros::Primary, ..Rules::counts(5) };
    assert_eq!(run(&table, &rules), Err(SuppressError::NothingLeft));
}

#[test]
fn a_table_of_zeros_is_published_unless_zeros_tell_of_someone() {
    let table = from_leaves(vec![dimension("d", &[2]), dimension("e", &[2])], &[0; 4]);
    for zeros in [Zeros::Complement, Zeros::Published] {
        let rules = Rules { zeros, ..Rules::counts(5) };
        let done = run(&table, &rules).expect("a pattern");
        assert_eq!(done.count(Standing::Published), table.shape().len());
    }
    let rules = Rules { zeros: Zeros::Primary, ..Rules::counts(5) };
    assert_eq!(run(&table, &rules), Err(SuppressError::NothingLeft));
}

#[test]
fn a_single_child_goes_together_with_its_parent() {
    let table = from_leaves(vec![dimension("d", &[1, 2])], &[2, 50, 60]);
    let done = run(&table, &Rules::counts(5)).expect("a pattern");
    let standing = |code| done.standing(table.shape().cell(&[code]).expect("a cell"));
    assert_eq!(standing("g0"), Standing::Primary);
    assert_eq!(standing("g0.0"), Standing::Primary);
    // The total stays, so the other group has to make up for it, and one leaf of that.
    assert_eq!(standing("T"), Standing::Published);
    assert_eq!(standing("g1"), Standing::Complement);
    assert_eq!(done.count(Standing::Complement), 2);
}

#[test]
fn two_small_cells_that_bound_each_other_need_a_third() {
    let table = from_leaves(
        vec![Dimension::flat("d", "T", &["a", "b", "c", "d"]).expect("one")],
        &[1, 2, 30, 20],
    );
    let done = run(&table, &Rules::counts(5)).expect("a pattern");
    // Alone they would add up to three, so that neither could be four.
    assert_eq!(pattern(&done), ".PP.C");
}

#[test]
fn what_is_impossible_is_not_used_to_protect() {
    let flat = |name| Dimension::flat(name, "T", &["a", "b", "c"]).expect("a dimension");
    let table = from_leaves(vec![flat("d")], &[1, 0, 9]);
    let cell = |code| table.shape().cell(&[code]).expect("a cell");
    let known = BTreeSet::from([cell("b")]);
    let rules = Rules { zeros: Zeros::Primary, ..Rules::counts(3) };
    let done = suppress(&table, &rules, &known, &Bounds::default()).expect("a pattern");
    assert_eq!(pattern(&done), ".P.C");
    let known = BTreeSet::from([cell("a")]);
    let refused = suppress(&table, &rules, &known, &Bounds::default());
    assert!(matches!(refused, Err(SuppressError::KnownAlready(name)) if name.to_string() == "d=a"));
    let known = BTreeSet::from([cell("b"), cell("c"), cell("T")]);
    let refused = suppress(&table, &rules, &known, &Bounds::default());
    assert!(
        matches!(refused, Err(SuppressError::NotProtectable(name)) if name.to_string() == "d=a")
    );
}

#[test]
fn refuses_when_its_steps_are_spent() {
    let table = from_leaves(vec![dimension("d", &[3]), dimension("e", &[3])], &[1, 9, 9, 9, 9]);
    let bounds = Bounds { most_steps: 3, ..Bounds::default() };
    let refused = suppress(&table, &Rules::counts(5), &BTreeSet::new(), &bounds);
    assert_eq!(refused, Err(SuppressError::OutOfSteps));
    // Without steps to publish again what is not needed, more stays hidden, and safely so.
    let bounds = Bounds { most_steps_of_release: 0, ..Bounds::default() };
    assert!(suppress(&table, &Rules::counts(5), &BTreeSet::new(), &bounds).is_ok());
}

#[test]
fn counts_near_the_end_of_64_bits_are_protected_in_exact_arithmetic() {
    let flat = |name| Dimension::flat(name, "T", &["a", "b"]).expect("a dimension");
    let half = u64::MAX / 2;
    let table = from_leaves(vec![flat("d"), flat("e")], &[1, half, half, 0]);
    let done = run(&table, &Rules::counts(5)).expect("a pattern");
    assert_eq!(table.value(table.shape().cell(&["T", "T"]).expect("a cell")), Some(u64::MAX));
    assert!(done.count(Standing::Complement) >= 1);
    let above = Rules { protection: Protection::Around(u64::MAX), ..Rules::counts(5) };
    // So wide a range is had only where nothing bounds a cell.
    let done = run(&table, &above).expect("a pattern");
    assert_ne!(
        done.standing(table.shape().cell(&["T", "T"]).expect("a cell")),
        Standing::Published
    );
}

#[test]
fn the_order_of_the_input_does_not_change_the_pattern() {
    let codes = ["a", "b", "c", "d"];
    let values = [2, 7, 7, 7];
    let patterns: BTreeSet<String> = (0..4)
        .map(|shift| {
            let turned: Vec<&str> = (0..4).map(|n| codes[(n + shift) % 4]).collect();
            let dimension = Dimension::flat("d", "T", &turned).expect("a dimension");
            let shape = Shape::new(vec![dimension], 10).expect("a shape");
            let mut cells: Vec<_> =
                codes.iter().zip(values).map(|(code, n)| RawCell::count(&[code], n)).collect();
            cells.push(RawCell::count(&["T"], 23));
            cells.rotate_left(shift);
            let table = Table::new(shape, Kind::Counts, cells).expect("a table");
            pattern(&run(&table, &Rules::counts(5)).expect("a pattern"))
        })
        .collect();
    assert_eq!(patterns.into_iter().collect::<Vec<_>>(), [".PC.."]);
}

#[test]
fn what_was_hidden_on_the_way_and_is_not_needed_is_published_again() {
    let flat = |name| Dimension::flat(name, "T", &["a", "b", "c"]).expect("a dimension");
    let table = from_leaves(vec![flat("d"), flat("e")], &[1, 20, 30, 40, 2, 60, 70, 80, 3]);
    let with = |most_steps_of_release| {
        let bounds = Bounds { most_steps_of_release, ..Bounds::default() };
        suppress(&table, &Rules::counts(5), &BTreeSet::new(), &bounds).expect("a pattern")
    };
    let (before, after) = (with(0), with(1_000_000));
    assert!(after.count(Standing::Complement) <= before.count(Standing::Complement));
    assert_eq!(after.count(Standing::Primary), 3);
}

#[test]
fn sums_are_protected_by_the_width_that_their_rules_ask_for() {
    let dimension = Dimension::flat("d", "T", &["a", "b", "c"]).expect("a dimension");
    let shape = Shape::new(vec![dimension], 10).expect("a shape");
    let cell = |code, value, contributors, largest: &[i128]| {
        let largest = largest.iter().map(|n| Figure::Whole(*n)).collect();
        let contributions = Some(Contributions { contributors, largest });
        RawCell { codes: vec![code], figure: Figure::Whole(value), contributions }
    };
    let cells = [
        cell("a", 100, 4, &[95, 3]),
        cell("b", 5, 9, &[1, 1]),
        cell("c", 400, 9, &[60, 60]),
        cell("T", 505, 22, &[95, 60]),
    ];
    let table = Table::new(shape, Kind::Sums { decimals: 0 }, cells).expect("a table");
    let rules = Rules {
        threshold: Some(3),
        p_percent: Some(20),
        protection: Protection::Around(1),
        complement_width: 1,
        ..Rules::counts(3)
    };
    let done = run(&table, &rules).expect("a pattern");
    // 17 more must be possible, which the small neighbour cannot make up for.
    assert_eq!(pattern(&done), ".P.C");
    let a = table.shape().cell(&["a"]).expect("a cell");
    assert_eq!(done.needs()[&a], Need::Range(83, 117));
    assert_eq!(done.figure(a), None);
}

#[test]
fn the_example_of_the_page_is_what_comes_out() {
    let ward = Dimension::flat("ward", "city", &["A", "B", "C"]).expect("a dimension");
    let sex = Dimension::flat("sex", "all", &["women", "men"]).expect("a dimension");
    let table = from_leaves(vec![ward, sex], &[48, 2, 29, 31, 37, 40]);
    let done = run(&table, &Rules::counts(5)).expect("a pattern");
    let standing = |codes: [&str; 2]| done.standing(table.shape().cell(&codes).expect("a cell"));
    assert_eq!(standing(["A", "women"]), Standing::Primary);
    for codes in [["A", "men"], ["B", "women"], ["B", "men"]] {
        assert_eq!(standing(codes), Standing::Complement, "{codes:?}");
    }
    assert_eq!(done.count(Standing::Published), 12 - 4);
}

#[test]
fn no_figure_is_shown_for_debugging() {
    let table = from_leaves(vec![dimension("d", &[3])], &[4_711, 1, 50]);
    let done = run(&table, &Rules::counts(5)).expect("a pattern");
    for text in [format!("{table:?}"), format!("{done:?}"), format!("{:?}", done.needs())] {
        assert!(!text.contains("4711") && !text.contains("4762"), "{text}");
    }
    assert_eq!(format!("{:?}", RawCell::count(&["a"], 4_711)).find("4711"), None);
}

/// Wards by sex: one figure is small.
fn one_small() -> Table {
    let wards = Dimension::flat("ward", "T", &["a", "b", "c"]).expect("one");
    let sexes = Dimension::flat("sex", "T", &["f", "m"]).expect("one");
    from_leaves(vec![wards, sexes], &[2, 48, 31, 29, 40, 37])
}

fn cells(table: &Table, codes: &[[&str; 2]]) -> BTreeSet<Cell> {
    codes.iter().map(|codes| table.shape().cell(codes).expect("a cell")).collect()
}

#[test]
fn a_pattern_without_a_cell_that_is_shown_or_of_rules_that_do_not_fit_is_refused() {
    let table = one_small();
    let everything: BTreeSet<Cell> = table.shape().cells().collect();
    let refused = super::pattern(&table, &Rules::counts(5), &everything);
    assert_eq!(refused, Err(SuppressError::NothingLeft));
    let rules =
        Rules { dominance: Some(Dominance { largest: 1, percent: 70 }), ..Rules::counts(5) };
    let none = BTreeSet::new();
    let refused = super::pattern(&table, &rules, &none);
    assert!(refused.is_err(), "{refused:?}");
    assert_eq!(refused, run(&table, &rules));
}

#[test]
fn a_pattern_proves_nothing_and_the_comparison_tells_what_it_leaves_open() {
    let table = one_small();
    let small = cells(&table, &[["a", "f"]]);
    let bare = super::pattern(&table, &Rules::counts(5), &small).expect("a pattern");
    assert_eq!(bare.count(Standing::Primary), 1);
    assert_eq!(bare.count(Standing::Complement), 0);
    let found = linked::compare(&bare, "s", &[], &AuditBounds::default()).expect("compared");
    assert!(matches!(found[..], [Finding::Derivable(_)]), "{found:?}");
    // A risk that is not among its cells is shown: whoever asks for a pattern answers for that.
    let none = super::pattern(&table, &Rules::counts(5), &BTreeSet::new()).expect("a pattern");
    assert_eq!(none.count(Standing::Published), table.shape().len());
    assert!(none.needs().is_empty());
}

#[test]
fn a_pattern_of_the_cells_that_suppression_finds_is_what_suppression_gives() {
    let table = one_small();
    let done = run(&table, &Rules::counts(5)).expect("a pattern");
    let found: BTreeSet<Cell> = done.needs().keys().copied().collect();
    let again = super::pattern(&table, &Rules::counts(5), &found).expect("a pattern");
    assert_eq!(again, done);
    let more = cells(&table, &[["c", "f"], ["c", "m"]]);
    let wider: BTreeSet<Cell> = found.union(&more).copied().collect();
    let wider = super::pattern(&table, &Rules::counts(5), &wider).expect("a pattern");
    for cell in more.difference(&found) {
        assert_eq!(wider.standing(*cell), Standing::Complement);
        assert_eq!(wider.needs()[cell], Need::Width(4));
    }
    let compared = linked::compare(&wider, "s", &[], &AuditBounds::default());
    assert_eq!(compared.expect("compared"), []);
}
