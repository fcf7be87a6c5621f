//! One case: its verdict and what that rests on, its findings, and everything that was heard of it, in order.

use super::{Frame, amount, chip, last_four_only, numbers, page};
use crate::alert::words as alert_words;
use crate::edge::console::words;
use crate::edge::store::{AgentView, CaseFile, FindingView};
use maud::{Markup, html};
use slipwatch_shared::event::{Event, Evidence};
use slipwatch_shared::terminal::TerminalId;

/// Holes this long before a payment, and after its last word, are shown with it.
const AROUND_MS: i64 = 10 * 60_000;

/// Renders it, with the agent that heard it where it is known.
pub fn render(frame: &Frame, file: &CaseFile, agent: Option<&AgentView>) -> String {
    let language = frame.language;
    let case = &file.view.case;
    let store = &file.view.id.agent.store;
    let opened = case.wall(case.opened).0;
    let title =
        format!("{} · {}", amount(language, &case.keys), frame.time(store, opened, "%m-%d %H:%M"));
    let content = html! {
        h1 { (amount(language, &case.keys)) " " (chip(words::verdict_tone(&case.verdict), words::verdict(language, &case.verdict))) }
        p.statement { (words::verdict_sentence(language, &case.verdict)) }
        @if case.historical {
            p.statement { (language.say("来自历史记录的回放，不提醒。", "Played from a recording: nobody is rung.")) }
        }
        dl.facts {
            (fact(language.say("时间", "Time"), &frame.time(store, opened, "%Y-%m-%d %H:%M:%S")))
            (fact(language.say("门店", "Shop"), frame.shop_title(store)))
            @if let Some(number) = file.view.terminal {
                (fact(language.say("终端", "Terminal"), &frame.terminal_title(store, number)))
            }
            @for (name, value) in numbers(language, &case.keys) { (fact(name, &value)) }
            (fact(language.say("案件编号", "Case"), &file.view.id.to_string()))
        }
        @if !case.synchronised {
            p.quiet { (language.say("当时采集程序的时钟未校准，时间仅供参考。", "The agent's clock was not synchronised then: times are approximate.")) }
        }
        p.quiet {
            (language.say("证据：", "Evidence: "))
            a href=(frame.link(&format!("/case/{}/evidence.pdf", file.view.id))) { "PDF" } " · "
            a href=(format!("/case/{}/evidence.zip", file.view.id)) {
                (language.say("签名压缩包", "signed archive"))
            }
        }
        @if !file.findings.is_empty() {
            h2 { (language.say("发现", "Findings")) }
            @for view in &file.findings { (finding(frame, view)) }
        }
        h2 { (language.say("经过", "What was heard")) }
        ol.timeline { @for (_, event) in &file.events { (entry(frame, store, event)) } }
        @if let Some(agent) = agent {
            (coverage(frame, agent, file.view.terminal, opened, case.wall(case.last_heard()).0))
        }
        @if !file.actions.is_empty() {
            h2 { (language.say("记录", "Record")) }
            ol.record {
                @for action in &file.actions {
                    li {
                        time { (frame.time(store, action.at.0, "%m-%d %H:%M:%S")) } " "
                        (words::change(language, action.change)) " "
                        span.quiet { (action.finding) " " (words::note(language, &action.note)) }
                    }
                }
            }
        }
    };
    page(frame, &title, "", content)
}

fn fact(name: &str, value: &str) -> Markup {
    html! { div { dt { (name) } dd { (value) } } }
}

fn finding(frame: &Frame, view: &FindingView) -> Markup {
    let language = frame.language;
    let finding = &view.finding;
    let kind = finding.id.kind;
    html! {
        section class=(if finding.is_open() { "finding open" } else { "finding" }) {
            p.top {
                strong { (kind.code()) " " (alert_words::kind_title(language, kind)) }
                @match finding.resolved {
                    None => (chip("bad", words::severity(language, finding.severity))),
                    Some(_) => (chip("good", language.say("已解决", "resolved"))),
                }
            }
            p {
                (alert_words::cause_sentence(language, finding.cause.detail)) " "
                span.quiet {
                    @if finding.cause.confidence > 0 {
                        (words::cause_class(language, finding.cause.class))
                        " · " (finding.cause.confidence) " % · "
                    }
                    (words::stage(language, finding.stage))
                }
            }
            @if let Some(resolution) = finding.resolved {
                p { (alert_words::resolution_sentence(language, resolution)) }
            } @else {
                @let steps = alert_words::steps(language, kind);
                @if !steps.is_empty() { ol { @for step in steps { li { (step) } } } }
            }
            @if let Some(parent) = &finding.parent {
                p { (language.say("由此引起：", "Explained by: ")) (parent.kind.code()) " " (alert_words::kind_title(language, parent.kind)) }
            }
            @if let Some(partner) = &finding.partner {
                p { a href=(frame.link(&format!("/case/{partner}"))) { (language.say("另一笔交易", "The other payment")) } }
            }
        }
    }
}

fn entry(frame: &Frame, store: &slipwatch_shared::terminal::StoreId, event: &Event) -> Markup {
    let (tone, text) = words::event(frame.language, &event.body);
    html! {
        li class=(tone) {
            time datetime=(Frame::iso(event.observed.wall.0)) {
                (frame.time(store, event.observed.wall.0, "%H:%M:%S%.3f"))
            }
            p { (text) }
            @match &event.evidence {
                Evidence::Text(text) => pre { (last_four_only(text)) },
                Evidence::Frame(bytes) => p.quiet { (bytes.len()) " B" },
                Evidence::None => {},
            }
        }
    }
}

/// What was listened to around this payment, and where not.
fn coverage(
    frame: &Frame,
    agent: &AgentView,
    terminal: Option<TerminalId>,
    from: i64,
    until: i64,
) -> Markup {
    let language = frame.language;
    let store = &agent.name.store;
    html! {
        h2 { (language.say("监听情况", "Coverage")) }
        @for source in agent.sources.iter().filter(|source| source.tells_of(terminal)) {
            @let holes: Vec<_> = source.holes.iter()
                .filter(|(begin, end, _)| end.0 >= from - AROUND_MS && begin.0 <= until + AROUND_MS)
                .collect();
            p {
                strong { (source.name) } " "
                (language.say("监听到 ", "heard until ")) (frame.time(store, source.covered_until.0, "%m-%d %H:%M:%S"))
                @if holes.is_empty() {
                    (language.say("，前后没有缺口。", ", no gap around this payment."))
                }
            }
            @if !holes.is_empty() {
                ul {
                    @for (begin, end, why) in holes {
                        li {
                            (frame.time(store, begin.0, "%H:%M:%S")) " – " (frame.time(store, end.0, "%H:%M:%S"))
                            " " (words::hole(language, why))
                        }
                    }
                }
            }
        }
    }
}
