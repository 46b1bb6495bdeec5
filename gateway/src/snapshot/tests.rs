use super::*;

#[test]
fn an_article_with_a_vietnamese_letter_is_told_in_a_header() {
    let told = header("pdpl-2025#19.1.đ, decree-278-2025#4.2").expect("fits");
    assert_eq!(told, "pdpl-2025#19.1.%C4%91, decree-278-2025#4.2");
}
