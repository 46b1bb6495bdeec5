use super::*;

#[test]
fn accepts_agency_codes_and_refuses_lookalikes() {
    for good in ["H29", "H29.12", "G09.20", "H15.50.05.13", "H29.1A"] {
        assert!(good.parse::<ParticipantId>().is_ok(), "{good}");
    }
    for bad in
        ["", "h29", "H2", "H29.", "H29..1", "HH9.1", "H29/1", "H29 .1", "000.00.00.H29", "H291"]
    {
        assert!(bad.parse::<ParticipantId>().is_err(), "{bad}");
    }
}

#[test]
fn reads_the_reversed_spelling() {
    let id = |t| ParticipantId::parse_either_spelling(t).map(|i| i.to_string());
    assert_eq!(id("000.00.00.H29"), Ok("H29".to_owned()));
    assert_eq!(id("000.00.12.H29"), Ok("H29.12".to_owned()));
    assert_eq!(id("H29.12"), Ok("H29.12".to_owned()));
    assert!(id("000.00").is_err());
}
