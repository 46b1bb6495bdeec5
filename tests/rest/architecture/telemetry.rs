//! The page on log, metrics and traces names all that the gateway's code names.

use super::tree::{self, SourceFile};

const PAGE: &str = "gateway/docs/telemetry.md";

fn page() -> String {
    let page = tree::files().into_iter().find(|file| file.path == PAGE);
    page.expect("the page on telemetry").text
}

fn sources() -> impl Iterator<Item = SourceFile> {
    let gateway = |file: &SourceFile| file.is_product() && file.path.starts_with("gateway/src/");
    tree::files().into_iter().filter(gateway)
}

/// What stands between the double quotes after each `marker`.
fn quoted<'a>(text: &'a str, marker: &str) -> Vec<&'a str> {
    let after = text.split(marker).skip(1);
    after.filter_map(|rest| rest.split('"').nth(1)).collect()
}

#[test]
fn every_metric_is_documented() {
    let page = page();
    let mut metrics = 0;
    for file in sources().filter(|file| file.path.starts_with("gateway/src/metrics")) {
        let prefix = quoted(&file.text, "with_prefix(").first().copied();
        for name in quoted(&file.text, "registry.register(") {
            let prefix = prefix.expect("metrics have a prefix");
            let known = [format!("`{prefix}_{name}`"), format!("`{prefix}_{name}_total`")];
            assert!(known.iter().any(|name| page.contains(name)), "{PAGE} omits {}", known[0]);
            metrics += 1;
        }
    }
    assert!(metrics > 12, "found {metrics} metrics only");
}

#[test]
fn every_metric_of_the_adapters_is_documented() {
    const OF_FLOWS: &str = "gateway/docs/outbox.md";
    let files = tree::files();
    let text = |path: &str| files.iter().find(|file| file.path == path).expect(path).text.clone();
    let (page, metrics) = (text(OF_FLOWS), text("adapters/src/desk/metrics.rs"));
    let names: Vec<&str> = metrics
        .split('"')
        .filter(|part| part.starts_with("lienthong_flow_") && !part.contains(' '))
        .collect();
    for name in &names {
        let known = [format!("`{name}`"), format!("`{name}_total`")];
        assert!(known.iter().any(|name| page.contains(name)), "{OF_FLOWS} omits `{name}`");
    }
    assert!(names.len() > 20, "found {} metrics only", names.len());
}

#[test]
fn every_field_of_the_lines_on_exchanges_is_documented() {
    let page = page();
    let record = sources().find(|file| file.path == "gateway/src/record.rs");
    let record = record.expect("gateway/src/record.rs").text;
    let markers = ["line.text(", "line.maybe(", "line.list(", "line.number("];
    let of_exchange = markers.iter().flat_map(|marker| quoted(&record, marker));
    let (_, line) = record.split_once("target: \"progress\"").expect("a log line");
    let (line, _) = line.split_once(");\n").expect("its end");
    let of_progress = line.lines().filter_map(|line| line.trim().split_once(" = "));
    let of_progress = of_progress.map(|(field, _)| field);
    for (target, fields) in
        [("exchange", of_exchange.collect::<Vec<_>>()), ("progress", of_progress.collect())]
    {
        for field in &fields {
            assert!(page.contains(&format!("`{field}`")), "{PAGE} omits `{field}` of `{target}`");
        }
        assert!(fields.len() > 8, "found {} fields of `{target}` only", fields.len());
    }
}

#[test]
fn every_log_line_is_documented() {
    let page = page();
    let mut lines = 0;
    for file in sources() {
        for level in ["error!(", "warn!(", "info!(", "debug!("] {
            for line in file.text.split(level).skip(1) {
                let line = line.split(");").next().unwrap_or_default();
                let (target, rest) = match line.trim_start().strip_prefix("target: ") {
                    Some(rest) => (rest.split('"').nth(1), rest.split_once(',').map(|(_, r)| r)),
                    None => (None, Some(line)),
                };
                let text = rest.unwrap_or_default().trim().trim_end_matches(',');
                let message = text.strip_suffix('"').and_then(|text| text.rsplit('"').next());
                let told = message.filter(|message| !message.contains('{'));
                for name in target.into_iter().chain(told) {
                    let documented = page.contains(&format!("`{name}`"));
                    assert!(documented, "{PAGE} omits `{name}` of {}", file.path);
                }
                lines += 1;
            }
        }
    }
    assert!(lines > 15, "found {lines} log lines only");
}
