//! One settlement file: what is in it, what was matched, what it changed, and what needs a look because of it.

use super::{Frame, page};
use crate::alert::words;
use crate::correlate::finding::FindingKind;
use crate::edge::console::papers::imported::FINDINGS_MAX;
use crate::edge::console::summary;
use crate::edge::console::words as console_words;
use crate::edge::store::OpenFinding;
use crate::edge::store::settlement::StatementView;
use crate::settlement::report::Report;
use maud::{Markup, html};

/// Renders it.
pub fn render(frame: &Frame, view: &StatementView) -> String {
    let language = frame.language;
    let head = &view.file.head;
    // A file that another version wrote may not be told in detail; its head always is.
    let report: Option<Report> = serde_json::from_str(&view.file.summary).ok();
    let document = format!("/statement/{}/summary.pdf", view.file.id.0);
    let content = html! {
        h1 { (head.name) }
        p {
            (super::statements::state(frame, view.file.state)) " "
            // That a first version was loaded is said by its state; what came of any other is more than that.
            @if let Some(report) = report.as_ref().filter(|report| !report.is_first()) {
                (summary::headline(language, report))
            }
        }
        dl.facts {
            div { dt { (language.say("来源", "Source")) } dd { (head.source) } }
            div { dt { (language.say("日期", "Days")) } dd { (console_words::period(language, &head.period)) } }
            div { dt { (language.say("格式", "Profile")) } dd { (head.profile) } }
            div {
                dt { (language.say("导入时间", "Imported")) }
                dd { time datetime=(Frame::iso(view.file.arrived.0)) { (frame.time(None, view.file.arrived.0, "%Y-%m-%d %H:%M:%S")) } }
            }
            @if let Some(hash) = report.as_ref().and_then(|report| report.sha256.as_ref()) {
                div.wide { dt { "SHA-256" } dd { (hash) } }
            }
        }
        @for section in report.iter().flat_map(|report| summary::sections(language, report)) {
            h2 { (section.heading) }
            dl.facts {
                @for (name, value) in section.facts { div { dt { (name) } dd { (value) } } }
            }
        }
        @if !view.findings.is_empty() {
            h2 { (language.say("需要处理", "What needs a look")) }
            @for open in &view.findings { (finding(frame, open)) }
            @if view.findings.len() >= FINDINGS_MAX {
                p.quiet { (language.say("更多项目见 slipwatch-collector cases。", "There are more; see slipwatch-collector cases.")) }
            }
        }
        p { a href=(frame.link(&document)) { (language.say("导入摘要（PDF）", "Summary (PDF)")) } }
    };
    page(frame, &head.name, "", content)
}

fn finding(frame: &Frame, open: &OpenFinding) -> Markup {
    let language = frame.language;
    let finding = &open.view.finding;
    let kind = finding.id.kind;
    html! {
        section.finding.open {
            p.top {
                strong { (kind.code()) " " (words::kind_title(language, kind)) }
                @if let Some(store) = finding.id.subject.store() { span.quiet { (frame.shop_title(store)) } }
            }
            @if let Some(detail) = &open.detail { p { (summary::detail(language, detail)) } }
            @if kind == FindingKind::DuplicateDebit && finding.is_of_row() {
                p { (words::repeated_row_first(language)) }
            } @else {
                p { (words::first_thing(language, kind, None)) }
            }
            @if let Some(case) = finding.payment() {
                p { a href=(frame.link(&format!("/case/{case}"))) { (language.say("查看该笔交易", "See the payment")) } }
            }
        }
    }
}
