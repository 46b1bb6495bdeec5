use crate::fixture::{Files, SERVICE};

fn with(paths: &str) -> Files {
    Files::new().edit(SERVICE, "operations:", &format!("lgsp_paths: {paths}\noperations:"))
}

#[test]
fn reads_a_path_for_an_operation() {
    let set = with("{getBirthRecord: /APITraCuuKhaiSinh}").set();
    let paths = &set.services["civil-status"].lgsp_paths;
    assert_eq!(paths["getBirthRecord"], ["APITraCuuKhaiSinh"]);
    assert!(Files::new().set().services["civil-status"].lgsp_paths.is_empty());
}

#[test]
fn refuses_a_path_that_is_claimed_twice() {
    let other = "policies/services/other.yaml";
    let files = with("{getBirthRecord: /APITraCuu}").copy(
        SERVICE,
        other,
        &[("id: civil-status", "id: other"), ("service: birth", "service: other")],
    );
    files.refused(&["LGSP path `/APITraCuu` is used twice", "civil-status.yaml"]);
    assert_eq!(files.edit(other, "/APITraCuu", "/APITraCuu2").mistakes(), [""; 0]);
}

#[test]
fn refuses_paths_that_could_mean_something_else() {
    for path in ["APITraCuu", "/", "//a", "/a/", "/a/../b", "/a b", "/a%2Fb", "/a/{x}", "\"\""] {
        with(&format!("{{getBirthRecord: {path:?}}}")).refused(&["an LGSP path has 1 to 8 parts"]);
    }
    let long = "/a".repeat(9);
    with(&format!("{{getBirthRecord: {long}}}")).refused(&["an LGSP path has 1 to 8 parts"]);
    for path in ["/r1/VN", "/listClients"] {
        with(&format!("{{getBirthRecord: {path}}}")).refused(&["belongs to the X-Road dialect"]);
    }
}

#[test]
fn refuses_a_path_for_an_operation_that_is_not_there() {
    with("{getBirthRecrod: /APITraCuu}")
        .refused(&["unknown operation `getBirthRecrod`", "did you mean `getBirthRecord`?"]);
    with("[a]").refused(&["`lgsp_paths` must be a map"]);
}

#[test]
fn refuses_a_path_for_an_operation_with_a_path_parameter() {
    with("{sendNote: /APIGhiChu}").refused(&["`sendNote` has path parameter `so`"]);
}
