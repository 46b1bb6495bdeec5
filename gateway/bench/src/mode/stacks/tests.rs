use super::*;

const TEXT: &str = "listen-0 
\t  7f01 malloc
\t  7f02 lienthong_disclosure::walk::Walk::value
\t  7f03 lienthong_gateway::pipeline::exchange::{{closure}}

listen-0 
\tffff tcp_sendmsg
\t  7f04 rustls::conn::write

load 
\t  7f05 tokio::runtime::park

listen-1 
\t  7f06 main
";

fn lines(text: &str) -> impl Iterator<Item = std::io::Result<String>> {
    text.lines().map(|line| Ok(line.to_owned())).collect::<Vec<_>>().into_iter()
}

#[test]
fn a_sample_belongs_to_the_innermost_frame_that_is_known() {
    let counted = count(lines(TEXT), "listen-").expect("stacks");
    let kinds = BTreeMap::from([("validate, cut and mask", 1), ("kernel: sockets", 1)]);
    assert_eq!(counted, Counted { kinds, rest: 1, all: 3 });
}

#[test]
fn other_threads_do_not_count() {
    assert_eq!(count(lines(TEXT), "provider").expect("stacks"), Counted::default());
}
