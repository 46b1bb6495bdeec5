//! The scores of flows as a page, and as a picture: one file each, which needs no other.
//!
//! Nothing in it is fetched and nothing runs. What comes from a city's database, such as a key, is
//! escaped wherever it stands.

use lienthong_model::{clock::civil_zone, quality::Criterion, text::Language};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{
    draw,
    report::{DefectLine, FlowScores, QualityReport, State},
    text::{choose, name, open, percent, state},
};

const STYLE: &str = "
:root{color-scheme:light}
body{font:15px/1.45 system-ui,'Segoe UI','Noto Sans',sans-serif;color:#222;background:#fff;margin:0 auto;max-width:1120px;padding:24px}
h1{font-size:26px;margin:0 0 4px}h2{font-size:21px;margin:36px 0 8px;border-bottom:2px solid #222;padding-bottom:4px}h3{font-size:16px;margin:22px 0 6px}
p{margin:4px 0}.quiet{color:#555}
table{border-collapse:collapse;width:100%;font-size:13px}th,td{padding:5px 8px;border-bottom:1px solid #d0d0d0;text-align:left;vertical-align:top}
th{background:#f3f3f3}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}td.key{word-break:break-word;max-width:260px}
.held{border-left:6px solid #d55e00;background:#fff4ec;padding:8px 12px;margin:8px 0}
.low{color:#a34700;font-weight:600}.overdue{font-weight:700;color:#a34700}
.charts{display:flex;flex-wrap:wrap;gap:8px 16px}svg{max-width:100%;height:auto}
@media print{body{max-width:none;padding:0;font-size:11px}h2{break-before:page}h2.first{break-before:auto}svg,tr{break-inside:avoid}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
";

/// The scores of flows as an HTML document.
#[must_use]
pub fn page(report: &QualityReport, language: Language) -> String {
    let title = title(report, language);
    let at = report.at.to_zoned(civil_zone()).strftime("%d/%m/%Y %H:%M").to_string();
    let made = choose(language, "Lập lúc", "Made at");
    html! {
        (DOCTYPE)
        html lang=(language.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { (title) }
                p.quiet { (made) " " (at) ". " (basis(language)) }
                (overview(report, language))
                @for (place, flow) in report.flows.iter().enumerate() {
                    (section(flow, place == 0, language))
                }
            }
        }
    }
    .into_string()
}

/// The scores of flows as one SVG document.
#[must_use]
pub fn chart(report: &QualityReport, language: Language) -> String {
    draw::all(&report.flows, &title(report, language), language).into_string()
}

fn title(report: &QualityReport, language: Language) -> String {
    let words = choose(language, "Chất lượng dữ liệu", "Data quality");
    report.unit.as_ref().map_or_else(|| words.to_owned(), |unit| format!("{words}: {unit}"))
}

fn basis(language: Language) -> &'static str {
    choose(
        language,
        "Sáu tiêu chí theo Nghị quyết 214/NQ-CP; trọng số, ngưỡng và thời hạn theo cấu hình. \
         DQI là trung bình có trọng số; “dùng chung” được tính riêng.",
        "Six criteria of Resolution 214/NQ-CP; weights, thresholds and deadlines are settings. \
         DQI is the weighted mean; “shared” is told apart.",
    )
}

fn overview(report: &QualityReport, language: Language) -> Markup {
    html! {
        table {
            thead { tr {
                th scope="col" { (choose(language, "Luồng", "Flow")) }
                @for criterion in Criterion::SIX { th.n scope="col" { (name(criterion, language)) } }
                th.n scope="col" { "DQI" }
                th.n scope="col" { (choose(language, "Số dòng", "Rows")) }
                th.n scope="col" { (choose(language, "Phải sửa", "To be mended")) }
                th.n scope="col" { (choose(language, "Quá hạn cuối", "Overdue")) }
            } }
            tbody { @for flow in &report.flows { tr {
                th scope="row" { (flow.flow) @if flow.held.is_some() { " ⛔" } }
                @for score in flow.scores.iter().filter(|one| one.criterion != Criterion::Identifiers) {
                    @let is_low = score.aim.is_some_and(|aim| score.share.is_below(aim));
                    td.n.low[is_low] { (percent(score.score)) @if is_low { " ▼" } }
                }
                td.n { strong { (percent(flow.total)) } }
                td.n { (flow.rows) }
                td.n { (flow.open.all) }
                td.n { (flow.open.overdue) }
            } } }
        }
    }
}

fn section(flow: &FlowScores, is_first: bool, language: Language) -> Markup {
    let since = choose(language, "Tính từ ngày", "Since");
    html! {
        h2.first[is_first] { (flow.flow) }
        p.quiet { (since) " " (flow.from) ". " (open(&flow.open, language)) "." }
        @if let Some(held) = &flow.held { p.held role="status" { "⛔ " (held.told(language)) } }
        @if let Some(why) = &flow.released {
            p.held role="status" {
                (choose(language, "Được cho gửi tiếp dù điểm thấp", "Let go on below a threshold")) ": " (why)
            }
        }
        h3 { (choose(language, "Điểm so với ngưỡng", "Scores against what is aimed at")) }
        p.quiet { (choose(language, "Vạch đen: ngưỡng; ▼: dưới ngưỡng.", "Black line: aim; ▼: below it.")) }
        (draw::bars(flow, language))
        @if !flow.history.is_empty() {
            h3 { (choose(language, "Theo ngày", "By day")) }
            div.charts { @for score in &flow.scores { (draw::history(flow, score, language)) } }
        }
        h3 { (choose(language, "Các đơn vị, thấp điểm nhất trước", "Units, the worst first")) }
        @if let Some(unknown) = &flow.unknown {
            p {
                (unknown.rows) " " (choose(language, "dòng không rõ đơn vị", "rows of no known unit"))
                ": " (percent(unknown.total)) " %"
            }
        }
        @if flow.units.iter().any(|unit| unit.rows > 0) { (draw::wards(flow, language)) }
        @else { p.quiet { (choose(language, "Chưa có dòng nào ghi rõ đơn vị.", "No row so far names a unit.")) } }
        (defects(flow, language))
    }
}

fn defects(flow: &FlowScores, language: Language) -> Markup {
    html! {
        h3 { (choose(language, "Phải sửa", "To be mended")) }
        @if flow.defects.is_empty() { p { (choose(language, "Không có.", "Nothing.")) } }
        @else {
            table {
                thead { tr {
                    th scope="col" { (choose(language, "Khóa", "Key")) }
                    th scope="col" { (choose(language, "Đơn vị", "Unit")) }
                    th scope="col" { (choose(language, "Tiêu chí", "Criteria")) }
                    th scope="col" { (choose(language, "Lý do", "Reasons")) }
                    th.n scope="col" { (choose(language, "Phát hiện", "Found")) }
                    th.n scope="col" { (choose(language, "Hạn 1", "1st due")) }
                    th.n scope="col" { (choose(language, "Hạn 2", "2nd due")) }
                    th.n scope="col" { (choose(language, "Hạn cuối", "Last due")) }
                    th scope="col" { (choose(language, "Tình trạng", "State")) }
                } }
                tbody { @for defect in &flow.defects { (row(defect, language)) } }
            }
        }
    }
}

fn row(defect: &DefectLine, language: Language) -> Markup {
    let criteria: Vec<&str> =
        defect.criteria.iter().map(|criterion| name(*criterion, language)).collect();
    html! {
        tr {
            td.key { (defect.key) @if let Some(call) = &defect.call { " " span.quiet { (call) } } }
            td {
                (defect.unit.as_deref().unwrap_or("–")) " "
                (defect.unit_name.as_deref().unwrap_or_default())
            }
            td { (criteria.join(", ")) }
            td { (defect.reasons) }
            td.n { (defect.found) }
            @for due in defect.due { td.n { (due) } }
            td.overdue[defect.state == State::Overdue] { (state(defect.state, language)) }
        }
    }
}

#[cfg(test)]
mod tests;
