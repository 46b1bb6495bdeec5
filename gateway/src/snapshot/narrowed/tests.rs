use lienthong_consent::fields::ConsentField;
use lienthong_policy::{Bundle, PolicySet};

use super::*;
use crate::snapshot::AnswerView;

struct Agreed {
    terms: Arc<AgreementOperation>,
    views: Arc<Views>,
}

/// An operation of the shipped agreements.
fn agreed(agreement: &str, operation: &str) -> Agreed {
    let bundle = Bundle::from_files(crate::quota::shipped().into_iter().collect());
    let set = PolicySet::check(&bundle, jiff::civil::date(2026, 3, 1)).unwrap();
    let terms = Arc::clone(&set.agreements[agreement].operations[operation]);
    let disclosure = Disclosure::of(&terms);
    let views = Views::compile(&terms.operation, &terms.agreement, disclosure).unwrap();
    Agreed { terms, views: Arc::new(views) }
}

impl Agreed {
    fn narrowed(&self, fields: &[&str]) -> Narrowing {
        let fields = fields.iter().map(|field| field.parse::<ConsentField>().unwrap());
        narrowed(&self.terms.operation, &self.terms, &self.views, &Fields::new(fields))
    }
}

fn book() -> Agreed {
    agreed("digital-citizen-health-book", "getHealthBook")
}

fn to(narrowing: Narrowing) -> Arc<Views> {
    match narrowing {
        Narrowing::To(views) => views,
        other => panic!("{other:?}"),
    }
}

#[test]
fn nothing_passes_of_what_was_agreed_to_for_another_operation() {
    let book = book();
    for fields in [
        &[][..],
        &["extractHealthBooks/200/HoVaTen"],
        &["getHealthBook/404/HoVaTen"],
        &["getHealthBook/request.query.soDinhDanh"],
        // In the agreement of nobody.
        &["getHealthBook/200/ChieuCao"],
        // Not personal, so no consent is about it.
        &["getHealthBook/200/NgayCapNhat"],
    ] {
        assert!(matches!(book.narrowed(fields), Narrowing::Nothing), "{fields:?}");
    }
}

#[test]
fn a_part_of_the_fields_is_another_view_and_all_of_them_the_same() {
    let book = book();
    let name = to(book.narrowed(&["getHealthBook/200/HoVaTen"]));
    assert_ne!(name.hash, book.views.hash);
    assert!(name.personal.contains(&200));
    // What is not personal passes all the same: the person's number was not found.
    assert!(name.answers.contains_key(&404) && !name.personal.contains(&404));
    let all: Vec<String> =
        book.terms.answers[&200].keys().map(|field| format!("getHealthBook/200{field}")).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    assert!(Arc::ptr_eq(&to(book.narrowed(&all)), &book.views));
}

#[test]
fn a_field_that_holds_others_stands_for_them() {
    let book = book();
    let above = to(book.narrowed(&["getHealthBook/200/TienSu"]));
    let below = ["TacNhan", "MucDo"].map(|name| format!("getHealthBook/200/TienSu/DiUng/*/{name}"));
    let below = to(book.narrowed(&[&below[0], &below[1]]));
    assert_eq!(above.hash, below.hash);
}

#[test]
fn elements_of_a_stream_are_narrowed_too() {
    let extract = agreed("screening-invitation", "extractHealthBooks");
    let views = to(extract.narrowed(&["extractHealthBooks/200/HoVaTen"]));
    let hash = |views: &Views| match views.answers.get(&200) {
        Some(AnswerView::Stream(view)) => view.hash(),
        other => panic!("{other:?}"),
    };
    assert_ne!(hash(&views), hash(&extract.views));
}
