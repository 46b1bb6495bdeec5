use super::*;

fn shape() -> Shape {
    let place = Dimension::new(
        "place",
        &[("city", None), ("d1", Some("city")), ("w1", Some("d1")), ("w2", Some("city"))],
    );
    let sex = Dimension::flat("sex", "T", &["f", "m"]);
    Shape::new(vec![place.expect("a dimension"), sex.expect("a dimension")], 100).expect("a shape")
}

const CELLS: [(&str, &str, u64); 12] = [
    ("city", "T", 10),
    ("city", "f", 4),
    ("city", "m", 6),
    ("d1", "T", 3),
    ("d1", "f", 1),
    ("d1", "m", 2),
    ("w1", "T", 3),
    ("w1", "f", 1),
    ("w1", "m", 2),
    ("w2", "T", 7),
    ("w2", "f", 3),
    ("w2", "m", 4),
];

fn raw() -> Vec<RawCell<'static>> {
    CELLS.iter().map(|(place, sex, count)| RawCell::count(&[place, sex], *count)).collect()
}

fn defects(cells: Vec<RawCell<'_>>) -> Vec<String> {
    let error = Table::new(shape(), Kind::Counts, cells).expect_err("a defect");
    error.defects.iter().map(ToString::to_string).collect()
}

#[test]
fn refuses_every_defect_and_names_the_cell_by_its_codes() {
    let mut cells = raw();
    cells[1].figure = Figure::Whole(-4);
    cells[2].figure = Figure::Decimal("NaN");
    cells[3].codes = vec!["d3", "T"];
    cells[4].codes = vec!["d1"];
    cells.push(RawCell::count(&["w2", "m"], 4));
    assert_eq!(
        defects(cells),
        [
            "the figure of `place=city,sex=f` is negative",
            "the figure of `place=city,sex=m` is not finite",
            "cell 3: `d3` is no category of dimension `place`",
            "cell 4 has 1 codes, not one for each dimension",
            "`place=w2,sex=m` was given twice",
        ]
    );
}

#[test]
fn refuses_a_duplicate_even_when_both_say_the_same() {
    let mut cells = raw();
    cells.push(cells[0].clone());
    assert_eq!(defects(cells), ["`place=city,sex=T` was given twice"]);
}

#[test]
fn refuses_a_total_that_is_not_the_sum_of_its_parts() {
    let mut cells = raw();
    cells[0] = RawCell::count(&["city", "T"], 11);
    assert_eq!(
        defects(cells),
        [
            "`place=city,sex=T` is not the sum of its parts along `place`",
            "`place=city,sex=T` is not the sum of its parts along `sex`",
        ]
    );
}

#[test]
fn refuses_a_missing_total() {
    let cells: Vec<_> = raw().into_iter().filter(|cell| cell.codes != ["d1", "f"]).collect();
    let found = defects(cells);
    assert!(found.contains(&"the total `place=d1,sex=f` is missing".to_owned()), "{found:?}");
}

#[test]
fn refuses_a_single_child_that_differs_from_its_parent() {
    let mut cells = raw();
    cells[6] = RawCell::count(&["w1", "T"], 4);
    assert!(!defects(cells).is_empty());
}

#[test]
fn lists_at_most_a_hundred_defects() {
    let cells: Vec<_> = (0..1_000).map(|_| RawCell::count(&["no", "T"], 1)).collect();
    assert_eq!(defects(cells).len(), MOST_DEFECTS);
}

#[test]
fn totals_near_the_end_of_64_bits_add_up_or_are_refused() {
    let dimension = Dimension::flat("d", "T", &["a", "b"]).expect("a dimension");
    let shape = Shape::new(vec![dimension], 10).expect("a shape");
    let table = |a: u64, b: u64, total: u64| {
        let cells = [("a", a), ("b", b), ("T", total)];
        let cells = cells.iter().map(|(code, count)| RawCell::count(&[code], *count));
        Table::new(shape.clone(), Kind::Counts, cells.collect::<Vec<_>>())
    };
    // The sum wraps round to the total in 64 bits; it is compared in more.
    assert!(table(u64::MAX, 1, 0).is_err());
    assert!(table(u64::MAX, u64::MAX, u64::MAX - 1).is_err());
    assert!(table(u64::MAX - 1, 1, u64::MAX).is_ok());
}

#[test]
fn refuses_contributions_that_do_not_fit() {
    let dimension = Dimension::flat("d", "T", &[]).expect("a dimension");
    let shape = Shape::new(vec![dimension], 10).expect("a shape");
    let table = |contributors: u64, largest: &[i128]| {
        let largest = largest.iter().map(|n| Figure::Whole(*n)).collect();
        let contributions = Some(Contributions { contributors, largest });
        let cell = RawCell { codes: vec!["T"], figure: Figure::Whole(100), contributions };
        Table::new(shape.clone(), Kind::Sums { decimals: 0 }, [cell])
    };
    for (contributors, largest) in [
        (1, &[99_i128][..]), // one contributor did not bring all of it
        (2, &[60, 60]),      // more than the value
        (3, &[40, 50]),      // not the largest first
        (1, &[50, 50]),      // fewer contributors than are listed
        (3, &[40, 20]),      // the third cannot bring forty
        (0, &[]),            // a value from nobody
        (2, &[-1]),
    ] {
        assert!(table(contributors, largest).is_err(), "{contributors} {largest:?}");
    }
    assert!(table(3, &[50, 30]).is_ok());
    assert!(table(1, &[100]).is_ok());
}

#[test]
fn a_cell_that_was_not_given_is_zero() {
    let cells = raw().into_iter().filter(|cell| cell.codes[0] == "city" || cell.codes[0] == "w2");
    let cells: Vec<_> = cells
        .map(|mut cell| {
            let same = CELLS.iter().find(|(p, s, _)| *p == "w2" && *s == cell.codes[1]);
            cell.figure = Figure::Whole(i128::from(same.expect("a cell").2));
            cell
        })
        .collect();
    let table = Table::new(shape(), Kind::Counts, cells).expect("a table");
    let zero = table.shape().cell(&["w1", "f"]).expect("a cell");
    assert_eq!(table.value(zero), Some(0));
}
