use crate::fixture::{AGREEMENT, Files, LAW};

#[test]
fn refuses_citations_of_what_does_not_stand_there() {
    let files = Files::new().edit(AGREEMENT, "article: \"19.1.c\"", "article: \"19.1.d\"");
    files.refused(&["unknown article of `pdpl-2025` `19.1.d`", "did you mean `19.1.c`?"]);
    let files = Files::new().edit(AGREEMENT, "instrument: sector-law", "instrument: sector-lwa");
    files.refused(&["unknown instrument `sector-lwa`", "did you mean `sector-law`?"]);
}

#[test]
fn refuses_an_article_number_without_quotes() {
    let files = Files::new().edit(LAW, "id: \"3.2\"", "id: 3.2");
    assert!(files.mistakes()[0].contains("put it in quotes"), "{:#?}", files.mistakes());
}

#[test]
fn refuses_twins_and_terms_that_end_before_they_begin() {
    let files = Files::new().edit(LAW, "id: \"9\"", "id: \"3.2\"");
    files.refused(&["article `3.2` stands twice"]);
    let files = Files::new().edit(LAW, "until: 2027-06-30", "until: 2019-06-30");
    files.refused(&["`until` is before `from`"]);
    let files = Files::new().edit(LAW, "replaced_by: pdpl-2025", "replaced_by: pdpl-2026");
    files.refused(&["unknown instrument `pdpl-2026`", "did you mean `pdpl-2025`?"]);
}

#[test]
fn refuses_an_agreement_without_a_lawful_basis_or_the_sectors_law() {
    let basis = "  - {instrument: pdpl-2025, article: \"19.1.c\"}\n";
    Files::new().edit(AGREEMENT, basis, "").refused(&["why the processing is lawful"]);
    let sector = "  - {instrument: sector-law, article: whole}\n";
    Files::new().edit(AGREEMENT, sector, "").refused(&["needs the sector's own law beside it"]);
}
