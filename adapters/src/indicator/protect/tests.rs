use lienthong_statistics::{
    suppress::Zeros,
    table::{Dimension, Kind, RawCell},
};

use super::*;

/// Wards by sex, with the figures of the leaves.
fn table(figures: [[u64; 2]; 3]) -> Table {
    let ward = Dimension::flat("ward", "all", &["a", "b", "c"]).unwrap();
    let sex = Dimension::flat("sex", "all", &["f", "m"]).unwrap();
    let shape = Shape::new(vec![ward, sex], 100).unwrap();
    let wards = ["a", "b", "c"];
    let mut cells = Vec::new();
    let mut all = [0, 0];
    for (ward, [f, m]) in wards.into_iter().zip(figures) {
        cells.push(RawCell::count(&[ward, "f"], f));
        cells.push(RawCell::count(&[ward, "m"], m));
        cells.push(RawCell::count(&[ward, "all"], f + m));
        all = [all[0] + f, all[1] + m];
    }
    cells.push(RawCell::count(&["all", "f"], all[0]));
    cells.push(RawCell::count(&["all", "m"], all[1]));
    cells.push(RawCell::count(&["all", "all"], all[0] + all[1]));
    Table::new(shape, Kind::Counts, cells).unwrap()
}

fn first(table: &Table) -> Release {
    let none = protect(table, &Rules::counts(5), "s", &[], &[]).unwrap();
    none.release("s").unwrap()
}

/// A release of these figures that withholds these cells.
fn pattern(table: &Table, withheld: &[[&str; 2]]) -> Release {
    let cells: Vec<Cell> =
        withheld.iter().map(|codes| table.shape().cell(codes).unwrap()).collect();
    let figure = |cell| table.value(cell).filter(|_| !cells.contains(&cell));
    let figures = table.shape().cells().map(figure).collect();
    Release::new("s", table.shape().clone(), figures, 0).unwrap()
}

const OLD: [[u64; 2]; 3] = [[2, 48], [31, 29], [40, 37]];

/// A pattern stays: what it withholds is not shown later, although figures and totals were revised and
/// nothing would be small any more.
#[test]
fn what_was_withheld_is_never_shown_later() {
    let old = pattern(&table(OLD), &[["a", "f"], ["a", "m"], ["c", "f"], ["c", "m"]]);
    let new = table([[20, 48], [31, 33], [40, 37]]);
    let suppression =
        protect(&new, &Rules::counts(5), "s", std::slice::from_ref(&old), &[]).unwrap();
    for cell in new.shape().cells() {
        let (before, now) = (old.figure(cell).is_some(), suppression.figure(cell).is_some());
        assert_eq!(before, now, "{}", new.shape().name(cell));
    }
}

/// What the old pattern shows opens what the new one would have to hide.
#[test]
fn refuses_a_cell_that_earlier_releases_leave_open() {
    let shown = pattern(&table(OLD), &[["a", "f"], ["a", "m"]]);
    let refused = protect(&table(OLD), &Rules::counts(5), "s", &[shown], &[]).unwrap_err();
    assert!(matches!(refused, Reason::Suppress(_) | Reason::Linked(_)), "{refused:?}");
}

/// A total that another indicator withholds is not to be added up from its parts here.
#[test]
fn refuses_parts_that_open_what_another_indicator_withholds() {
    let ward = Dimension::flat("ward", "all", &["a", "b", "c"]).unwrap();
    let shape = Shape::new(vec![ward], 10).unwrap();
    let cells = [("a", 4), ("b", 60), ("c", 77), ("all", 141)];
    let wards = cells.iter().map(|(code, n)| RawCell::count(&[*code], *n));
    let by_ward = Table::new(shape.clone(), Kind::Counts, wards).unwrap();
    let hidden: Vec<Cell> = ["a", "b"].iter().map(|code| shape.cell(&[code]).unwrap()).collect();
    let figure = |cell| by_ward.value(cell).filter(|_| !hidden.contains(&cell));
    let release = Release::new("s", shape.clone(), shape.cells().map(figure).collect(), 0).unwrap();
    let related = Related {
        name: "by-ward".parse().unwrap(),
        releases: vec![release],
        table: by_ward,
        rules: Rules::counts(5),
    };
    // Zeros are published: the women of ward A are known to be none, so its men are the total.
    let careless = Rules { threshold: Some(3), zeros: Zeros::Published, ..Rules::counts(3) };
    let by_sex = table([[0, 4], [31, 29], [40, 37]]);
    let done = protect(&by_sex, &careless, "s", &[], &[related]);
    assert!(matches!(done, Err(Reason::Linked(_) | Reason::Others { .. })), "{done:?}");
}

#[test]
fn refuses_beside_a_release_of_other_dimensions() {
    let ward = Dimension::flat("ward", "all", &["a", "b", "c"]).unwrap();
    let shape = Shape::new(vec![ward], 10).unwrap();
    let release = Release::new("s", shape.clone(), vec![Some(1); 4], 0).unwrap();
    let refused = protect(&table(OLD), &Rules::counts(5), "s", &[release], &[]).unwrap_err();
    assert!(matches!(refused, Reason::Reshaped(None)), "{refused:?}");
}

#[test]
fn refuses_what_an_earlier_release_shows() {
    let old = table([[12, 48], [31, 29], [40, 37]]);
    let release = first(&old);
    let refused = protect(&table(OLD), &Rules::counts(5), "s", &[release], &[]).unwrap_err();
    assert!(matches!(refused, Reason::Suppress(_)), "{refused:?}");
}

#[test]
fn revised_figures_of_the_same_pattern_pass() {
    let release = first(&table(OLD));
    let new = table([[3, 50], [32, 29], [41, 40]]);
    assert!(!is_unchanged(&new, &release));
    let suppression = protect(&new, &Rules::counts(5), "s", std::slice::from_ref(&release), &[]);
    let suppression = suppression.unwrap();
    for cell in new.shape().cells() {
        let (before, now) = (release.figure(cell).is_some(), suppression.figure(cell).is_some());
        assert!(now || !before, "{} was shown", new.shape().name(cell));
    }
}

#[test]
fn the_same_figures_are_recognised_by_what_was_shown() {
    let release = first(&table(OLD));
    assert!(is_unchanged(&table(OLD), &release));
    assert!(!is_unchanged(&table([[2, 48], [31, 29], [40, 38]]), &release));
}

/// The total of a ward in "ward by sex" is the ward in a table of wards alone.
#[test]
fn the_same_figure_is_found_in_tables_of_other_dimensions() {
    let by_sex = table(OLD);
    let ward = Dimension::flat("ward", "all", &["a", "b", "c"]).unwrap();
    let alone = Shape::new(vec![ward], 10).unwrap();
    let a = alone.cell(&["a"]).unwrap();
    let there = same(&alone, a, by_sex.shape()).unwrap();
    assert_eq!(by_sex.value(there), Some(50));
    assert_eq!(same(by_sex.shape(), there, &alone), Some(a));
    let women = by_sex.shape().cell(&["a", "f"]).unwrap();
    assert_eq!(same(by_sex.shape(), women, &alone), None);
}
