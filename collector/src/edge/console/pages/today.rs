//! The day's cases: what is open first, then every payment that is not plainly fine.

use super::{Frame, amount, chip, page};
use crate::alert::language::Language;
use crate::alert::telling::{Telling, Told};
use crate::alert::words as alert_words;
use crate::correlate::finding::{Stage, Subject};
use crate::correlate::verdict::Verdict;
use crate::edge::console::words;
use crate::edge::store::{CaseView, FindingView};
use maud::{Markup, html};
use slipwatch_shared::terminal::StoreId;
use slipwatch_shared::trace::Stan;

/// Open findings that are shown.
pub const OPEN_SHOWN_MAX: usize = 50;

/// What the page shows.
pub struct Today {
    /// The day, as the shops' clocks have it.
    pub day: String,
    /// The days before and after it.
    pub neighbours: (String, Option<String>),
    /// Payments of the day, newest first.
    pub cases: Vec<CaseView>,
    /// There were more than are shown.
    pub cut_off: bool,
    /// Findings that are open, whenever they began, the latest change first.
    pub open: Vec<FindingView>,
    /// How far the telling of each is.
    pub telling: Telling,
    /// Every payment is wanted, also those that are plainly fine.
    pub all: bool,
}

/// Renders it.
pub fn render(frame: &Frame, today: &Today) -> String {
    let language = frame.language;
    let title = language.say("今日案件", "Today's cases");
    let is_fine = |view: &&CaseView| {
        !matches!(view.case.verdict, Verdict::Printed { .. } | Verdict::NotExpected { .. })
    };
    let shown: Vec<&CaseView> =
        today.cases.iter().filter(|view| today.all || is_fine(view)).collect();
    // What must be seen to now stands above what can wait, whichever changed last.
    let mut open: Vec<&FindingView> = today.open.iter().collect();
    open.sort_by_key(|view| view.finding.severity);
    let content = html! {
        h1 { (title) }
        p.days {
            a href=(frame.link(&format!("/?day={}", today.neighbours.0))) { "← " (today.neighbours.0) }
            strong { (today.day) }
            @if let Some(next) = &today.neighbours.1 {
                a href=(frame.link(&format!("/?day={next}"))) { (next) " →" }
            }
        }
        (tiles(frame, today))
        @if !open.is_empty() {
            h2 { (language.say("需要处理", "Needs somebody")) }
            ul.cards { @for view in open.iter().take(OPEN_SHOWN_MAX) { (finding(frame, &today.telling, view)) } }
            @if open.len() > OPEN_SHOWN_MAX {
                @let more = open.len() - OPEN_SHOWN_MAX;
                p.quiet { (language.say(
                    format!("另有 {more} 项较不紧急的，见 slipwatch-collector cases。"),
                    format!("{more} more, less urgent ones: see slipwatch-collector cases."),
                )) }
            }
        }
        h2 { (language.say("交易", "Payments")) }
        @if shown.is_empty() {
            p.empty { (language.say("没有需要留意的交易。", "Nothing that needs a look.")) }
        } @else {
            ul.cards { @for view in &shown { (case(frame, view)) } }
        }
        @if today.cut_off {
            p.quiet { (language.say("只列出最新的一部分。", "Only the newest are listed.")) }
        }
        p {
            @if today.all {
                a href=(frame.link(&format!("/?day={}", today.day))) { (language.say("只看需要留意的", "Only what needs a look")) }
            } @else {
                a href=(frame.link(&format!("/?day={}&all=1", today.day))) { (language.say("查看当天全部交易", "All payments of the day")) }
            }
        }
    };
    page(frame, title, "/", content)
}

fn tiles(frame: &Frame, today: &Today) -> Markup {
    let language = frame.language;
    let count = |wanted: fn(&Verdict) -> bool| {
        today.cases.iter().filter(|view| wanted(&view.case.verdict)).count()
    };
    let tiles = [
        (
            "bad",
            language.say("未出凭条", "no slip"),
            count(|verdict| matches!(verdict, Verdict::NoSlip { .. })),
        ),
        (
            "wait",
            language.say("等待凭条", "awaited"),
            count(|verdict| matches!(verdict, Verdict::Pending { .. })),
        ),
        (
            "blind",
            language.say("无法判断", "not known"),
            count(|verdict| matches!(verdict, Verdict::Unknown { .. })),
        ),
        (
            "late",
            language.say("补打", "printed late"),
            count(|verdict| matches!(verdict, Verdict::PrintedLate { .. })),
        ),
        (
            "good",
            language.say("已出凭条", "printed"),
            count(|verdict| matches!(verdict, Verdict::Printed { .. })),
        ),
    ];
    html! {
        ul.tiles {
            @for (tone, name, count) in tiles {
                li class=(if count == 0 { "none" } else { tone }) { strong { (count) } span { (name) } }
            }
        }
    }
}

fn finding(frame: &Frame, telling: &Telling, view: &FindingView) -> Markup {
    let language = frame.language;
    let finding = &view.finding;
    let store = finding.id.subject.store();
    let path = match &finding.id.subject {
        Subject::Case(case) => format!("/case/{case}"),
        Subject::Terminal(_) | Subject::Agent(_) | Subject::Route(_) => "/agents".to_owned(),
        Subject::Row(_) | Subject::Statement(_) => "/statements".to_owned(),
        Subject::Complaint(complaint) => format!("/complaints/{}", complaint.number),
    };
    let whom = match (&finding.id.subject, &view.terminal) {
        (Subject::Agent(agent), _) => agent.agent.to_string(),
        (Subject::Route(acquirer), _) => {
            language.say(format!("收单机构 {acquirer}"), format!("acquirer {acquirer}"))
        }
        (Subject::Complaint(complaint), _) => {
            let number = complaint.number;
            language.say(format!("投诉 {number} 号"), format!("complaint {number}"))
        }
        (Subject::Statement(statement), _) => {
            format!("{} {}", statement.source, words::part(language, &statement.part))
        }
        (_, Some(name)) => frame.terminal_title(&name.store, name.terminal),
        _ => String::new(),
    };
    let place = store.map_or(whom.clone(), |store| place(frame, store, &whom));
    html! {
        li {
            a.card href=(frame.link(&path)) {
                span.top {
                    strong { (alert_words::kind_title(language, finding.id.kind)) }
                    (chip(if finding.severity <= crate::correlate::finding::Severity::P2 { "bad" } else { "late" },
                        words::severity(language, finding.severity)))
                }
                @if view.amount.is_some() || view.stan.is_some() {
                    span.line {
                        @if let Some(amount) = view.amount { strong.amount { (alert_words::money(language, amount)) } }
                        @if let Some(stan) = view.stan {
                            @if view.amount.is_some() { " · " }
                            (voucher(language, stan))
                        }
                    }
                }
                span.line { (place) }
                span.line.quiet {
                    (words::within(alert_words::cause_sentence(language, finding.cause.detail)))
                    " · " (stage(frame, telling, view))
                    " · "
                    @let at = view.day_alone().map_or_else(|| Frame::iso(view.happened().0), |day| day.to_string());
                    time datetime=(at) { (frame.happened(view, "%m-%d", "%H:%M:%S")) }
                }
            }
        }
    }
}

/// How sure it is, and whether somebody was told: a letter that waits tells nobody yet.
fn stage(frame: &Frame, telling: &Telling, view: &FindingView) -> String {
    let language = frame.language;
    let finding = &view.finding;
    let told = match telling.of(&finding.id) {
        Some(Told::Already) => Some(language.say("已提醒", "told").to_owned()),
        Some(Told::At(at_ms)) => {
            let at = frame.time(finding.id.subject.store(), at_ms, "%H:%M");
            Some(language.say(format!("待发送，{at}"), format!("letter to be sent at {at}")))
        }
        Some(Told::Soon) => Some(language.say("待发送", "letter waits").to_owned()),
        None => None,
    };
    let stage = words::stage(language, finding.stage);
    match (finding.stage, told) {
        (Stage::Alerting, Some(told)) => told,
        (_, Some(told)) => format!("{stage} · {told}"),
        (_, None) => stage.to_owned(),
    }
}

fn voucher(language: Language, stan: Stan) -> String {
    language.say(format!("凭证号 {stan}"), format!("voucher {stan}"))
}

fn place(frame: &Frame, store: &StoreId, terminal: &str) -> String {
    let shop = frame.shop_title(store);
    if terminal.is_empty() { shop.to_owned() } else { format!("{shop} · {terminal}") }
}

fn case(frame: &Frame, view: &CaseView) -> Markup {
    let language = frame.language;
    let store = &view.id.agent.store;
    let terminal = view.terminal.map(|number| frame.terminal_title(store, number));
    let verdict = &view.case.verdict;
    html! {
        li {
            a.card href=(frame.link(&format!("/case/{}", view.id))) {
                span.top {
                    strong.amount { (amount(language, &view.case.keys)) }
                    (chip(words::verdict_tone(verdict), words::verdict(language, verdict)))
                }
                span.line {
                    time datetime=(Frame::iso(view.case.wall(view.case.opened).0)) {
                        (frame.time(store, view.case.wall(view.case.opened).0, "%H:%M:%S"))
                    }
                    " · " (place(frame, store, terminal.as_deref().unwrap_or_default()))
                }
                @if let Some(stan) = view.case.keys.stan {
                    span.line.quiet { (voucher(language, stan)) }
                }
            }
        }
    }
}
