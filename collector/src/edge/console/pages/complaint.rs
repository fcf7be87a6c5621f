//! The desk's pages: the form with what it found, the list, one complaint, and the answer as a sheet to print. Pure
//! rendering; everything that was typed is escaped, of a card the last four digits are shown.

use super::{Frame, chip, numbers, page};
use crate::alert::language::Language;
use crate::alert::words as alert_words;
use crate::complaint::answer::{Answer, Outcome};
use crate::complaint::desk::{Line, Looked, Payment, Search};
use crate::complaint::matching::{Agreement, Level, Match, Source};
use crate::complaint::record::{Complaint, Step};
use crate::complaint::said::{Field, NOTE_CHARS_MAX, Said, Trouble, Typed};
use crate::complaint::words;
use crate::edge::console::words as console_words;
use maud::{Markup, PreEscaped, html};
use slipwatch_shared::money::Currency;
use slipwatch_shared::terminal::StoreId;
use slipwatch_shared::times::EventTime;

/// A moment to the minute.
const MINUTE: &str = "%Y-%m-%d %H:%M";

pub(in crate::edge::console) fn outcome_tone(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::SlipReprinted | Outcome::ReversalDone => "good",
        Outcome::MoneyBackExpected | Outcome::RefundStarted => "wait",
        Outcome::UnderInquiry => "late",
        Outcome::NoSuchDebit => "calm",
    }
}

/// What the shopper said, name by name.
pub(in crate::edge::console) fn said_facts(
    frame: &Frame,
    said: &Said,
) -> Vec<(&'static str, String)> {
    let language = frame.language;
    let store = said.store.as_ref();
    let mut facts = vec![(
        words::field(language, Field::Trouble),
        words::trouble(language, said.trouble).to_owned(),
    )];
    let mut put = |field, value: Option<String>| {
        facts.extend(value.map(|value| (words::field(language, field), value)));
    };
    put(Field::Shop, store.map(|store| frame.shop_title(store).to_owned()));
    put(
        Field::Time,
        said.when.map(|when| {
            let half_ms = (when.to_ms - when.from_ms) / 2;
            if !when.is_precise() {
                return frame.time(store, when.from_ms + half_ms, "%Y-%m-%d");
            }
            let (at, minutes) =
                (frame.time(store, when.from_ms + half_ms, MINUTE), half_ms / 60_000);
            language.say(
                format!("{at}（前后 {minutes} 分钟）"),
                format!("{at} (give or take {minutes} minutes)"),
            )
        }),
    );
    put(
        Field::Amount,
        said.amount.map(|amount| alert_words::money(language, amount.amount(Currency::CNY))),
    );
    put(Field::LastFour, said.last_four.map(|four| format!("{four:04}")));
    put(Field::Order, said.order.as_deref().map(str::to_owned));
    put(Field::Note, said.note.as_deref().map(str::to_owned));
    facts
}

/// The same as the shopper is shown it.
pub(in crate::edge::console) fn told_facts(
    frame: &Frame,
    said: &Said,
) -> Vec<(&'static str, String)> {
    let language = frame.language;
    let note = words::field(language, Field::Note);
    let own =
        |name| if name == note { language.say("您的说明", "In your words") } else { name };
    said_facts(frame, said).into_iter().map(|(name, value)| (own(name), value)).collect()
}

/// The payment that was found, name by name.
pub(in crate::edge::console) fn payment_facts(
    frame: &Frame,
    payment: &Payment,
) -> Vec<(&'static str, String)> {
    let language = frame.language;
    let store = &payment.id.agent.store;
    let case = &payment.case;
    let mut facts = vec![
        (
            language.say("时间", "Time"),
            frame.time(store, case.wall(case.opened).0, "%Y-%m-%d %H:%M:%S"),
        ),
        (language.say("金额", "Amount"), super::amount(language, &case.keys)),
    ];
    if let Some(number) = payment.terminal {
        facts.push((language.say("终端", "Terminal"), frame.terminal_title(store, number)));
    }
    facts.extend(numbers(language, &case.keys));
    facts
}

/// The promise in words, with its date by the shop's clock.
pub(in crate::edge::console) fn promise(
    frame: &Frame,
    looked: &Looked,
    answer: &Answer,
) -> Option<String> {
    words::promise(frame.language, answer, &frame.zone(looked.store()))
}

/// The form, with what it found or why it was not taken.
pub fn form(
    frame: &Frame,
    typed: &Typed,
    refusal: Option<&str>,
    found: Option<&Search>,
    open: &[Looked],
    all: bool,
) -> String {
    let language = frame.language;
    let title = language.say("顾客投诉", "A shopper complains");
    let content = html! {
        h1 { (title) }
        p.quiet { (language.say(
            "按时间和金额、卡号后四位或手机上的订单号查找。记不准也没关系：错一位、差一小时、差一天都能找到。完整卡号不要填。",
            "Search by time and amount, the card's last four, or the order number on the phone. It need not be exact: one digit, an hour or a day beside is found. Never type a full card number.",
        )) }
        @if let Some(refusal) = refusal { p.statement.refused role="alert" { (refusal) } }
        (shows_only(frame))
        (fields(frame, typed))
        @if let Some(found) = found { (results(frame, typed, found)) }
        h2 { (if all { language.say("全部投诉", "All complaints") } else { language.say("未结投诉", "Open complaints") }) }
        @if open.is_empty() { p.empty { (language.say("没有。", "None.")) } }
        ul.cards { @for looked in open { li { (card(frame, looked)) } } }
        p {
            @if all { a href=(frame.link("/complaints")) { (language.say("只看未结", "Open ones only")) } }
            @else { a href=(frame.link("/complaints?all=1")) { (language.say("也看已关闭的", "Closed ones, too")) } }
        }
    };
    page(frame, title, "/complaints", content)
}

/// Where pages do not write: that they do not, and what does.
fn shows_only(frame: &Frame) -> Markup {
    let language = frame.language;
    html! {
        @if !frame.config.http.forms {
            p.statement {
                (language.say(
                    "这里的页面只供查看：登记、答复和关闭投诉请用 slipwatch-collector complaint。",
                    "Pages only show here: slipwatch-collector complaint opens, answers and closes complaints.",
                ))
            }
        }
    }
}

fn fields(frame: &Frame, typed: &Typed) -> Markup {
    let language = frame.language;
    let field = |field| words::field(language, field);
    let text = |name: Field, value: &str, hint: &str, most: usize| {
        html! {
            label { span { (field(name)) }
                input type="text" name=(name.label()) value=(value) placeholder=(hint) maxlength=(most) autocomplete="off";
            }
        }
    };
    html! {
        form.desk method="post" action=(frame.link("/complaints/search")) autocomplete="off" {
            label { span { (field(Field::Trouble)) }
                select name="trouble" {
                    @for trouble in Trouble::ALL {
                        option value=(trouble.label()) selected[typed.trouble == trouble.label()] { (words::trouble(language, *trouble)) }
                    }
                }
            }
            label { span { (field(Field::Shop)) }
                select name="shop" {
                    @if frame.config.shops.len() != 1 {
                        option value="" { (language.say("不清楚", "not known")) }
                    }
                    @for shop in &frame.config.shops {
                        option value=(shop.name) selected[typed.shop == shop.name.as_str()] { (shop.title) }
                    }
                }
            }
            (text(Field::Time, &typed.time, "2026-11-28 14:05", 40))
            (text(Field::Slack, &typed.slack, "30", 4))
            (text(Field::Amount, &typed.amount, "88.00", 20))
            (text(Field::LastFour, &typed.last_four, "6697", 8))
            (text(Field::Order, &typed.order, "4200…", 64))
            (text(Field::Contact, &typed.contact, "", 80))
            label.wide { span { (field(Field::Note)) }
                textarea name="note" rows="2" maxlength=(NOTE_CHARS_MAX) { (typed.note) }
            }
            label { span { (field(Field::Received)) }
                input type="text" name="received" value=(typed.received) placeholder=(language.say("现在", "now")) maxlength="40" autocomplete="off";
            }
            label { span { (field(Field::Language)) }
                select name="language" {
                    @for tongue in Language::ALL {
                        option value=(tongue.tag()) selected[chosen_language(frame, typed) == tongue.tag()] { (tongue.say("中文", "English")) }
                    }
                }
            }
            p.wide { button type="submit" { (language.say("查找", "Search")) } }
        }
    }
}

fn chosen_language(frame: &Frame, typed: &Typed) -> String {
    if typed.language.is_empty() { frame.language.tag().to_owned() } else { typed.language.clone() }
}

/// Everything that was typed, carried on unseen to the form that opens the complaint.
fn carried(typed: &Typed) -> Markup {
    let fields = [
        ("shop", &typed.shop),
        ("time", &typed.time),
        ("slack", &typed.slack),
        ("amount", &typed.amount),
        ("last_four", &typed.last_four),
        ("order", &typed.order),
        ("trouble", &typed.trouble),
        ("note", &typed.note),
        ("contact", &typed.contact),
        ("language", &typed.language),
        ("received", &typed.received),
    ];
    html! { @for (name, value) in fields { input type="hidden" name=(name) value=(value); } }
}

fn results(frame: &Frame, typed: &Typed, found: &Search) -> Markup {
    let language = frame.language;
    html! {
        h2 { (language.say("找到的", "Found")) }
        @if found.matches.is_empty() {
            p.empty { (words::reason(language, found.answer.reason)) }
        }
        ul.cards {
            @for (at, matched) in found.matches.iter().enumerate() {
                li.card {
                    (shown(frame, matched, at == 0 && found.is_chosen))
                    @if frame.config.http.forms {
                        form method="post" action=(frame.link("/complaints")) {
                            (carried(typed))
                            input type="hidden" name="source" value=(source_text(&matched.candidate.source));
                            button type="submit" { (language.say("是这一笔：登记投诉", "This one: open a complaint")) }
                        }
                    }
                }
            }
        }
        // Where one is surely meant, a complaint is joined with it in any case; its page takes that back.
        @if !found.is_chosen && frame.config.http.forms {
            form method="post" action=(frame.link("/complaints")) {
                (carried(typed))
                button.second type="submit" {
                    @if found.matches.is_empty() { (language.say("登记投诉，继续查找", "Open a complaint and keep looking")) }
                    @else { (language.say("不确定：登记投诉", "Not sure: open a complaint")) }
                }
            }
        }
    }
}

/// How a form names a match.
pub(in crate::edge::console) fn source_text(source: &Source) -> String {
    match source {
        Source::Payment(id) => format!("payment:{id}"),
        Source::Row(row) => format!("row:{row}"),
    }
}

/// The other way.
pub(in crate::edge::console) fn source_from(text: &str) -> Option<Source> {
    match text.split_once(':')? {
        ("payment", id) => id.parse().ok().map(Source::Payment),
        ("row", row) => row.parse().ok().map(Source::Row),
        _ => None,
    }
}

fn shown(frame: &Frame, matched: &Match, chosen: bool) -> Markup {
    let language = frame.language;
    let candidate = &matched.candidate;
    let store = candidate.store.as_ref();
    let tone = match matched.level {
        Level::Sure => "good",
        Level::Likely => "wait",
        Level::Possible => "calm",
    };
    let place = match (store, candidate.terminal) {
        (Some(store), Some(number)) => {
            format!("{} · {}", frame.shop_title(store), frame.terminal_title(store, number))
        }
        (Some(store), None) => frame.shop_title(store).to_owned(),
        (None, Some(number)) => number.to_string(),
        (None, None) => String::new(),
    };
    html! {
        p.top {
            strong.amount {
                @if let Some(amount) = candidate.amount { (alert_words::money(language, amount)) }
            }
            (chip(tone, words::level(language, matched.level)))
        }
        p.line {
            time {
                @match candidate.day {
                    Some(day) => (day),
                    None => (frame.time(store, candidate.at.from_ms, "%Y-%m-%d %H:%M:%S")),
                }
            }
            @if !place.is_empty() { " · " (place) }
            @if let Some(four) = candidate.last_four { " · " (language.say("后四位 ", "last four ")) (format!("{four:04}")) }
        }
        p.line.quiet {
            @for (at, why) in matched.whys.iter().enumerate() {
                @if at > 0 { (language.say("，", ", ")) }
                @match why.agreement {
                    Agreement::Same => (words::why(language, why)),
                    _ => em { (words::why(language, why)) },
                }
            }
        }
        @if let Source::Payment(id) = &candidate.source {
            p.line { a href=(frame.link(&format!("/case/{id}"))) { (language.say("看这笔交易", "See this payment")) } }
        } @else {
            p.line.quiet { (language.say("只在对账文件里", "in a settlement file only")) }
        }
        @for other in &matched.also_open {
            p.statement { a href=(frame.link(&format!("/complaints/{other}"))) { (already_open(language, *other)) } }
        }
        @if chosen { p.line { strong { (language.say("与所说完全相符。", "All that was said agrees.")) } } }
    }
}

fn title_of(language: Language, complaint: &Complaint) -> String {
    let number = complaint.number;
    language.say(format!("投诉 {number} 号"), format!("Complaint {number}"))
}

/// Another complaint about the same payment that is open.
pub(crate) fn also_open(language: Language, number: u64) -> String {
    language.say(
        format!("投诉 {number} 号也是关于这笔交易的，尚未关闭。"),
        format!("Complaint {number} about the same payment is open."),
    )
}

/// A complaint about a payment that was found is open already.
pub(crate) fn already_open(language: Language, number: u64) -> String {
    language.say(
        format!("这笔交易已有投诉 {number} 号，尚未关闭。"),
        format!("Complaint {number} about this payment is open already."),
    )
}

fn state(frame: &Frame, looked: &Looked) -> Markup {
    let language = frame.language;
    let complaint = &looked.complaint;
    match (complaint.closed, complaint.given) {
        (Some(_), _) => chip("calm", language.say("已关闭", "closed")),
        (None, _) if looked.is_overdue => chip("bad", language.say("已过期", "overdue")),
        (None, Some(given)) => {
            let outcome = given.answer.outcome();
            chip(outcome_tone(outcome), words::outcome(language, outcome))
        }
        (None, None) => chip("wait", language.say("待答复", "to be answered")),
    }
}

/// By the shop's clock, as the answer says it.
fn deadline(frame: &Frame, store: Option<&StoreId>, at: EventTime) -> String {
    alert_words::deadline(at.0, &frame.zone(store)).unwrap_or_default()
}

fn card(frame: &Frame, looked: &Looked) -> Markup {
    let language = frame.language;
    let complaint = &looked.complaint;
    let store = looked.store();
    html! {
        a.card href=(frame.link(&format!("/complaints/{}", complaint.number))) {
            span.top {
                strong { (title_of(language, complaint)) " · " (words::trouble(language, complaint.said.trouble)) }
                (state(frame, looked))
            }
            span.line {
                @if let Some(amount) = complaint.said.amount { (alert_words::money(language, amount.amount(Currency::CNY))) " · " }
                @if let Some(store) = store { (frame.shop_title(store)) " · " }
                (frame.time(store, complaint.received.0, "%m-%d %H:%M"))
            }
            @if let Some(due) = looked.due {
                span.line.quiet { (words::due(language, due.kind)) " " (deadline(frame, store, due.at)) }
            }
        }
    }
}

/// One complaint.
pub fn one(frame: &Frame, looked: &Looked, refusal: Option<&str>) -> String {
    let language = frame.language;
    let complaint = &looked.complaint;
    let (number, store) = (complaint.number, looked.store());
    let title = title_of(language, complaint);
    let is_open = complaint.closed.is_none();
    let may_change = is_open && frame.config.http.forms;
    let action = |what: &str| frame.link(&format!("/complaints/{number}/{what}"));
    let content = html! {
        h1 { (title) " " (state(frame, looked)) }
        @if let Some(refusal) = refusal { p.statement.refused role="alert" { (refusal) } }
        (shows_only(frame))
        @for other in &looked.also_open {
            p.statement { a href=(frame.link(&format!("/complaints/{other}"))) { (also_open(language, *other)) } }
        }
        @if let Some(due) = looked.due {
            p.quiet { (words::due(language, due.kind)) (language.say("：最晚 ", ": due ")) time datetime=(Frame::iso(due.at.0)) { (deadline(frame, store, due.at)) } }
        }
        h2 { (language.say("现在可以答复", "What is true now")) }
        section.finding {
            p.top {
                strong { (words::headline(language, looked.answer.reason)) }
                (chip(outcome_tone(looked.answer.outcome()), words::outcome(language, looked.answer.outcome())))
            }
            p { (words::reason(language, looked.answer.reason)) }
            @if let Some(promise) = promise(frame, looked, &looked.answer) { p { strong { (promise) } } }
            @if is_open {
                p.quiet { (language.say("您要做的：", "What you do: ")) (words::next_step(language, looked.answer.reason)) }
            }
            @if may_change {
                form method="post" action=(action("answer")) {
                    button type="submit" {
                        @if complaint.given.is_some() { (language.say("按现状重新答复顾客", "Answer anew with this")) }
                        @else { (language.say("这样答复顾客", "Answer the shopper with this")) }
                    }
                }
            }
        }
        @if let Some(given) = complaint.given {
            h2 { (language.say("已经答复的", "What the shopper was told")) }
            section.finding {
                p.top {
                    strong { (words::headline(language, given.answer.reason)) }
                    @match given.kept {
                        Some(true) => (chip("good", words::step(language, Step::Kept))),
                        Some(false) => (chip("bad", words::step(language, Step::Broken))),
                        None => {},
                    }
                }
                p { (words::reason(language, given.answer.reason)) }
                @if let Some(promise) = promise(frame, looked, &given.answer) { p { strong { (promise) } } }
                p {
                    time { (frame.time(store, given.at.0, MINUTE)) } " · "
                    a href=(answer_link(complaint, "html")) { (language.say("打印", "Print")) } " · "
                    a href=(answer_link(complaint, "pdf")) { "PDF" }
                }
            }
        }
        h2 { (language.say("顾客说的", "What the shopper says")) }
        dl.facts {
            @for (name, value) in said_facts(frame, &complaint.said) { div { dt { (name) } dd { (value) } } }
            @if let Some(contact) = &complaint.said.contact { div { dt { (words::field(language, Field::Contact)) } dd { (contact) } } }
            div { dt { (words::field(language, Field::Received)) } dd { (frame.time(store, complaint.received.0, MINUTE)) } }
        }
        @if let Some(payment) = &looked.payment {
            h2 { (language.say("找到的交易", "The payment")) }
            p {
                (chip(console_words::verdict_tone(&payment.case.verdict), console_words::verdict(language, &payment.case.verdict))) " "
                a href=(frame.link(&format!("/case/{}", payment.id))) { (language.say("看这笔交易", "See this payment")) }
            }
            dl.facts { @for (name, value) in payment_facts(frame, payment) { div { dt { (name) } dd { (value) } } } }
        }
        @if complaint.chosen.is_some() && may_change {
            form method="post" action=(action("choose")) {
                button.second type="submit" name="source" value="" { (language.say("不是这一笔", "Not this one")) }
            }
        }
        @if !looked.matches.is_empty() {
            h2 { (language.say("可能是", "It may be")) }
            ul.cards {
                @for matched in &looked.matches {
                    li.card {
                        (shown(frame, matched, false))
                        @if may_change {
                            form method="post" action=(action("choose")) {
                                button type="submit" name="source" value=(source_text(&matched.candidate.source)) { (language.say("是这一笔", "This one")) }
                            }
                        }
                    }
                }
            }
        }
        @if may_change {
            h2 { (language.say("结案", "Close")) }
            form.row method="post" action=(action("close")) {
                @if complaint.promised().is_some() {
                    button type="submit" name="kept" value="1" { (language.say("答应的已办到，关闭", "Promise kept: close")) }
                    button.second type="submit" name="kept" value="0" { (language.say("没有办到，关闭", "Not kept: close")) }
                } @else {
                    button type="submit" name="kept" value="1" { (language.say("关闭投诉", "Close the complaint")) }
                }
            }
        }
        h2 { (language.say("记录", "Record")) }
        ol.record { @for line in &looked.history { li { (history(frame, looked, line)) } } }
    };
    page(frame, &title, "/complaints", content)
}

/// Where the answer lies as a sheet or file: in the shopper's language, whatever the desk's is.
fn answer_link(complaint: &Complaint, end: &str) -> String {
    format!("/complaints/{}/answer.{end}?lang={}", complaint.number, complaint.said.language.tag())
}

fn history(frame: &Frame, looked: &Looked, line: &Line) -> Markup {
    let language = frame.language;
    let store = looked.store();
    let mut parts = line.note.split(' ');
    let detail = match line.step {
        Step::Answered => {
            let outcome = parts.next().and_then(Outcome::named);
            outcome.map(|outcome| words::outcome(language, outcome).to_owned())
        }
        Step::Reminded | Step::Passed => {
            let kind = parts.next().and_then(crate::complaint::deadline::DueKind::named);
            let at = parts.next().and_then(|at| at.parse().ok()).map(EventTime);
            kind.zip(at).map(|(kind, at)| {
                format!("{} {}", words::due(language, kind), deadline(frame, store, at))
            })
        }
        Step::Matched | Step::Chosen => Some(line.note.clone()),
        _ => None,
    };
    html! {
        time { (frame.time(store, line.at.0, "%m-%d %H:%M:%S")) } " "
        (words::step(language, line.step))
        @if let Some(detail) = detail { " " span.quiet { (detail) } }
    }
}

/// The answer as a sheet to print: no menu, nothing but what the shopper takes along.
pub fn sheet(frame: &Frame, looked: &Looked, answer: &Answer, at: EventTime) -> String {
    let language = frame.language;
    let complaint = &looked.complaint;
    let store = looked.store();
    let markup = html! {
        (maud::DOCTYPE)
        html lang=(language.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (sheet_title(language)) " · " (title_of(language, complaint)) }
                link rel="stylesheet" href="/style.css";
            }
            body.sheet {
                p.quiet {
                    @if let Some(store) = store { (frame.shop_title(store)) " · " }
                    (title_of(language, complaint)) " · " (frame.time(store, at.0, MINUTE))
                }
                h1 { (sheet_title(language)) }
                p.outcome { (words::headline(language, answer.reason)) }
                p { (words::reason(language, answer.reason)) }
                @if let Some(promise) = promise(frame, looked, answer) { p { strong { (promise) } } }
                h2 { (language.say("您告诉我们的", "What you told us")) }
                dl.facts { @for (name, value) in told_facts(frame, &complaint.said) { div { dt { (name) } dd { (value) } } } }
                @if let Some(payment) = &looked.payment {
                    h2 { (language.say("我们找到的付款", "The payment we found")) }
                    dl.facts { @for (name, value) in payment_facts(frame, payment) { div { dt { (name) } dd { (value) } } } }
                }
                h2 { (language.say("如需继续", "If you need more")) }
                p { (ask_again(language, complaint)) }
                ul { @for line in frame.config.complaints.help(language) { li { (line) } } }
                p.quiet { (last_words(language)) }
            }
        }
    };
    let PreEscaped(text) = markup;
    text
}

pub(in crate::edge::console) fn sheet_title(language: Language) -> &'static str {
    language.say("对您投诉的答复", "Answer to your complaint")
}

pub(in crate::edge::console) fn ask_again(language: Language, complaint: &Complaint) -> String {
    let number = complaint.number;
    language.say(
        format!("请向本店报投诉 {number} 号。也可以咨询："),
        format!("Please give the shop the number of your complaint, {number}. You may also ask:"),
    )
}

pub(in crate::edge::console) fn last_words(language: Language) -> &'static str {
    language.say(
        "本答复依据终端、打印机和对账文件的记录；没有听到的时间，我们不作判断。退款一律退回原卡或原钱包。卡号只显示后四位。",
        "This answer rests on what terminals, printers and settlement files tell; of times that we did not hear we say nothing. \
         Money goes back to the same card or wallet only. Card numbers show their last four digits.",
    )
}
