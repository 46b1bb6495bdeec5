//! Paths that two readers could understand differently: they reach no provider and open nothing.

use lienthong_model::reason::ReasonCode;

use super::harness::{World, person};

const BASE: &str = "/r1/VN/TEST/T01.10/REGISTRY/people/people";

#[tokio::test]
async fn ambiguous_paths_never_reach_a_provider() {
    let world = World::new().await;
    let people = "/r1/VN/TEST/T01.10/REGISTRY/people";
    let rows = [
        // Dot segments, plain and encoded.
        format!("{people}/../people/people?number=001122334455"),
        format!("{people}/./people?number=001122334455"),
        format!("{BASE}/.."),
        format!("{BASE}/../../vault/look"),
        format!("{BASE}/%2e%2e/%2e%2e/vault/look"),
        format!("{BASE}/%2E%2E"),
        format!("{BASE}/.%2e/vault"),
        format!("{BASE}/%2e"),
        "/../r1/VN/TEST/T01.10/REGISTRY/people/people?number=001122334455".to_owned(),
        // Slashes that are not separators, or are they?
        format!("{BASE}/a%2fb"),
        format!("{BASE}/a%2Fb"),
        format!("{BASE}%2fabc"),
        "/r1/VN/TEST/T01.10/REGISTRY%2fpeople/people?number=001122334455".to_owned(),
        "/r1%2fVN/TEST/T01.10/REGISTRY/people/people?number=001122334455".to_owned(),
        format!("{BASE}/..%2f..%2fvault%2flook"),
        format!("{BASE}/a\\b"),
        format!("{BASE}/..\\..\\vault"),
        format!("{BASE}/a%5cb"),
        format!("{BASE}/%5c..%5c"),
        // Encoded twice.
        format!("{BASE}/a%252fb"),
        format!("{BASE}/%252e%252e"),
        format!("{BASE}/a%255cb"),
        format!("{BASE}/%2525%32%66"),
        // Overlong and other broken UTF-8.
        format!("{BASE}/a%c0%afb"),
        format!("{BASE}/%c0%ae%c0%ae"),
        format!("{BASE}/a%e0%80%afb"),
        format!("{BASE}/a%f0%80%80%afb"),
        format!("{BASE}/%ed%a0%80"),
        format!("{BASE}/%ff"),
        format!("{BASE}/%e1%ba"),
        // Empty segments.
        format!("{BASE}/"),
        format!("{BASE}//"),
        "//r1/VN/TEST/T01.10/REGISTRY/people/people?number=001122334455".to_owned(),
        "/r1//VN/TEST/T01.10/REGISTRY/people/people?number=001122334455".to_owned(),
        format!("{people}//people?number=001122334455"),
        "/".to_owned(),
        // Control characters and broken escapes.
        format!("{BASE}/a%00b"),
        format!("{BASE}/a%0d%0ab"),
        format!("{BASE}/a%7fb"),
        format!("{BASE}/a%c2%85b"),
        format!("{BASE}/a%"),
        format!("{BASE}/a%2"),
        format!("{BASE}/a%zz"),
        format!("{BASE}/a%u002f"),
    ];
    for target in rows {
        let answer = world.ask(&person().target(&target)).await;
        let record = world.why(&answer).await;
        assert_eq!(record["reason"], "request.path", "{target}: {}", answer.text());
        world.assert_refused(&answer, ReasonCode::RequestPath).await;
        // What was asked for is nobody's business but the consumer's.
        assert!(!record.to_string().contains("vault"), "{record}");
    }
    assert!(world.provider.requests().is_empty());
}

/// A parameter is one segment at the provider, too, however often it decodes.
#[tokio::test]
async fn values_that_could_be_more_than_a_segment_do_not_pass() {
    let world = World::new().await;
    for value in ["%25", "a%25b", "%3f", "a%3fb=c", "%23", "a%23b"] {
        let answer = world.ask(&person().target(&format!("{BASE}/{value}"))).await;
        world.assert_refused(&answer, ReasonCode::RequestMalformed).await;
    }
    assert!(world.provider.requests().is_empty());
}

/// A path means what it decodes to, once; the provider gets it encoded anew.
#[tokio::test]
async fn a_path_is_decoded_once_and_encoded_anew() {
    let world = World::new().await;
    let rows = [
        ("abc", "abc"),
        ("%61%62c", "abc"),
        ("a.b", "a.b"),
        ("...", "..."),
        ("a b", ""),
        ("a%20b", "a%20b"),
        ("a+b", "a%2Bb"),
        ("a;b=c", "a%3Bb%3Dc"),
        ("a:b@c", "a%3Ab%40c"),
        ("%e1%ba%a4n", "%E1%BA%A4n"),
        ("a!$&'()*,c", "a%21%24%26%27%28%29%2A%2Cc"),
        ("%7e-_.", "~-_."),
    ];
    for (sent, received) in rows.into_iter().filter(|(_, received)| !received.is_empty()) {
        world.provider.forget();
        let answer = world.ask(&person().target(&format!("{BASE}/{sent}"))).await;
        assert_eq!(answer.status, 200, "{sent}: {}", answer.text());
        let request = world.provider.only_request();
        assert_eq!(request.request(), ("GET", format!("/registry/people/{received}").as_str()));
    }
    // The address, too, is compared decoded.
    world.provider.forget();
    let spelled = "/%72%31/VN/TEST/T01%2e10/REGISTRY/peopl%65/people?%6eumber=00112233445%35";
    assert_eq!(world.ask(&person().target(spelled)).await.status, 200);
    let request = world.provider.only_request();
    assert_eq!(request.request(), ("GET", "/registry/people?number=001122334455"));
}

/// Whole segments, exactly: nothing is matched by prefix, case or ending.
#[tokio::test]
async fn nothing_like_an_address_is_the_address() {
    let world = World::new().await;
    for target in [
        "/R1/VN/TEST/T01.10/REGISTRY/people/people?number=001122334455",
        "/r1/vn/TEST/T01.10/REGISTRY/people/people?number=001122334455",
        "/r1/VN/TEST/t01.10/REGISTRY/people/people?number=001122334455",
        "/r1/VN/TEST/T01.10/registry/people/people?number=001122334455",
        "/r1/VN/TEST/T01.10/REGISTRY/People/people?number=001122334455",
        "/r1/VN/TEST/T01.10/REGISTRY/people/PEOPLE?number=001122334455",
        "/r1/VN/TEST/T01.10/REGISTRY/people/people/x/y",
        "/r1/VN/TEST/T01.10/REGISTRY/people/peoples?number=001122334455",
        "/r1/VN/TEST/T01.10/REGISTRY/people/peopl?number=001122334455",
        "/r1/VN/TEST/T01.10/REGISTRY/people;a=b/people?number=001122334455",
        "/x/r1/VN/TEST/T01.10/REGISTRY/people/people?number=001122334455",
        "/registry/people?number=001122334455",
        "/r1/VN/TEST/T01.10/REGISTRY/people/registry/people?number=001122334455",
    ] {
        let answer = world.ask(&person().target(target)).await;
        world.assert_refused(&answer, ReasonCode::ServiceNotAvailable).await;
    }
    assert!(world.provider.requests().is_empty());
}
