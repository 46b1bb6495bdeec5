use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn mark(text: &str) -> Mark {
    Mark::new(text).unwrap()
}

fn kept(behind: &str, second: i64) -> Ahead {
    let ahead = Ahead::default();
    let row = Row::of(8, "row-8", []);
    let (drafts, scene) = (Vec::new(), Scene::default());
    let read = Read { rows: vec![row], drafts, scene, mark: Some(mark("8")), more: true };
    ahead.put(Kept { behind: mark(behind), at: at(second), read });
    ahead
}

#[test]
fn rows_behind_another_mark_than_the_durable_one_are_not_used() {
    for durable in [Some(mark("6")), None] {
        let ahead = kept("7", 0);
        assert!(ahead.take(durable.as_ref(), at(0)).is_none());
        assert!(ahead.take(Some(&mark("7")), at(0)).is_none(), "they are gone after that");
    }
}

#[test]
fn rows_that_were_read_long_ago_are_not_used() {
    for later in [10, -10] {
        assert!(kept("7", 0).take(Some(&mark("7")), at(later)).is_none());
    }
}

#[test]
fn rows_behind_the_durable_mark_are_used_once() {
    let ahead = kept("7", 0);
    let read = ahead.take(Some(&mark("7")), at(9)).unwrap();
    assert_eq!((read.rows.len(), read.mark), (1, Some(mark("8"))));
    assert!(ahead.take(Some(&mark("7")), at(9)).is_none());
}

#[test]
fn what_is_forgotten_is_not_used() {
    let ahead = kept("7", 0);
    ahead.forget();
    assert!(ahead.take(Some(&mark("7")), at(0)).is_none());
}
