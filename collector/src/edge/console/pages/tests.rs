//! Pages as text: in both languages, escaped, with the last four digits only.

use super::*;
use crate::alert::telling::Telling;
use crate::complaint::answer::{Answer, Heard, Reason};
use crate::complaint::desk::{Looked, Search};
use crate::complaint::matching::{Candidate, Level, Match, Source};
use crate::complaint::record::{Complaint, Unmatched};
use crate::complaint::said::{Said, Trouble, Typed, When};
use crate::correlate::case::{Case, CaseId, EventRef};
use crate::correlate::cause::{Cause, CauseClass, CauseDetail};
use crate::correlate::facts::Facts;
use crate::correlate::finding::{Finding, FindingId, FindingKind, Severity, Stage, Subject};
use crate::correlate::policy::AgentName;
use crate::correlate::timeline::{Due, StreamTime};
use crate::correlate::verdict::{Unknown, Verdict};
use crate::edge::store::{AgentView, CaseFile, CaseView, FindingView, SourceView};
use crate::settlement::standing::Standing;
use slipwatch_shared::card::{Card, MaskedPan};
use slipwatch_shared::event::{Body, Epoch, Event, Evidence, Keys, Kind, Seq, SourceId};
use slipwatch_shared::money::{Amount, Currency};
use slipwatch_shared::times::{ArrivalTime, BootId, EventTime, Observed, Uptime};
use std::path::Path;

/// 2026-11-24 02:00:00 UTC.
const TEN: i64 = 1_795_485_600_000;

fn frame(language: Language) -> Frame {
    let text = "store.path = \"/x\"\n[[shop]]\nname = \"shop-1\"\ntitle = \"明记 <面馆>\"\ntime_zone = \"+08:00\"\nagents = [\"till-1\"]\n\
        [[shop.terminal]]\nnumber = \"10000001\"\ntitle = \"收银台 1\"\nwho_prints = \"terminal\"\n";
    let config = Config::parse(Path::new("collector.toml"), text).unwrap();
    Frame { language, config: Arc::new(config), now_ms: TEN, here: "/".to_owned() }
}

fn view(verdict: Verdict) -> CaseView {
    let agent = AgentName { store: "shop-1".parse().unwrap(), agent: "till-1".parse().unwrap() };
    let first = EventRef { epoch: Epoch(1), seq: Seq(42) };
    let pan = Some(MaskedPan::from_parts(Some("622576"), "0691").unwrap());
    let case = Case {
        first,
        opened: StreamTime(TEN),
        wall_ahead_ms: 0,
        synchronised: true,
        historical: false,
        kind: Kind::Sale,
        common_amount: false,
        keys: Keys {
            amount: Some(Amount::new(8800, Currency::CNY)),
            stan: Some("000042".parse().unwrap()),
            card: Some(Card { pan, ..Card::default() }),
            ..Keys::default()
        },
        facts: Facts::default(),
        slip_window: None,
        reversal_due: Due::NEVER,
        reversal_window: None,
        verdict,
        told: Default::default(),
        numbering: 0,
    };
    CaseView { id: CaseId { agent, first }, terminal: Some("10000001".parse().unwrap()), case }
}

fn file(verdict: Verdict) -> CaseFile {
    let event = Event {
        seq: Seq(42),
        source: SourceId(1),
        terminal: None,
        observed: Observed {
            boot: BootId([0; 16]),
            uptime: Uptime(0),
            wall: EventTime(TEN),
            synchronised: true,
        },
        device_time: None,
        body: Body::AuthorizationRequested(Keys::default()),
        evidence: Evidence::Text("<b>request</b> 622576******0691".into()),
    };
    CaseFile {
        view: view(verdict),
        findings: Vec::new(),
        events: vec![(EventRef { epoch: Epoch(1), seq: Seq(42) }, event)],
        actions: Vec::new(),
    }
}

fn today(all: bool, verdict: Verdict) -> today::Today {
    today::Today {
        day: "2026-11-24".to_owned(),
        neighbours: ("2026-11-23".to_owned(), None),
        cases: vec![view(verdict)],
        cut_off: false,
        open: Vec::new(),
        telling: Telling::default(),
        all,
    }
}

#[track_caller]
fn check(page: &str, holds: &[&str], holds_not: &[&str]) {
    for part in holds {
        assert!(page.contains(part), "{part:?} is missing in {page}");
    }
    for part in holds_not {
        assert!(!page.contains(part), "{part:?} stands in {page}");
    }
}

const NO_SLIP: Verdict = Verdict::NoSlip { cause: CauseClass::TerminalFault, confidence: 95 };

#[test]
fn the_day_is_shown_in_both_languages_by_the_shops_clock() {
    let page = today::render(&frame(Language::Chinese), &today(false, NO_SLIP));
    check(&page, &["未出凭条", "88.00 元", "10:00:00", "收银台 1", "lang=\"zh-CN\""], &["<面馆>"]);
    let page = today::render(&frame(Language::English), &today(false, NO_SLIP));
    check(&page, &["No slip", "CNY 88.00", "lang=\"en\"", "href=\"/?lang=zh-CN\""], &["凭条"]);
}

#[test]
fn what_is_plainly_fine_is_shown_when_it_is_asked_for() {
    let fine = Verdict::Printed { grade: slipwatch_shared::event::SlipGrade::CleanStatus };
    let frame = frame(Language::English);
    check(
        &today::render(&frame, &today(false, fine)),
        &["Nothing that needs a look"],
        &["CNY 88.00"],
    );
    check(
        &today::render(&frame, &today(true, fine)),
        &["CNY 88.00"],
        &["Nothing that needs a look"],
    );
}

#[test]
fn a_case_says_what_its_verdict_rests_on_and_shows_the_last_four() {
    let page = case::render(&frame(Language::English), &file(NO_SLIP), None);
    check(
        &page,
        &["heard without a gap", "************0691", "&lt;b&gt;request&lt;/b&gt;"],
        &["<b>request", "622576"],
    );
    let unknown = Verdict::Unknown { why: Unknown::SourceLost };
    let page = case::render(&frame(Language::Chinese), &file(unknown), None);
    check(&page, &["无法判断", "线路中断"], &[]);
}

#[test]
fn an_agent_that_never_came_is_shown_as_such() {
    let others = agents::Others {
        unheard: [view(NO_SLIP).id.agent].into(),
        quarantined: vec![("checksum", 3)],
        ..agents::Others::default()
    };
    let page = agents::render(&frame(Language::English), &[], &others);
    check(
        &page,
        &["明记 &lt;面馆&gt; · till-1", "never seen", "checksum", ">3<"],
        &["None since the start", "Not in the settings"],
    );
}

#[test]
fn agents_stand_by_their_shops_as_people_count_and_a_terminal_that_is_not_judged_says_so() {
    let shop = |number: u32| {
        format!(
            "[[shop]]\nname = \"shop-{number}\"\ntitle = \"Shop {number}\"\nagents = [\"till-{number}\"]\n\
             [[shop.terminal]]\nnumber = \"1000000{}\"\n",
            number % 10
        )
    };
    let text = format!("store.path = \"/x\"\n{}{}", shop(10), shop(2));
    let config = Config::parse(Path::new("collector.toml"), &text).expect("settings");
    let unheard = config.policies().agents;
    let frame = Frame { config: Arc::new(config), ..frame(Language::English) };
    let page = agents::render(&frame, &[], &agents::Others { unheard, ..Default::default() });
    let at = |part: &str| page.find(part).unwrap_or_else(|| panic!("{part} is missing in {page}"));
    assert!(at("Shop 2 · till-2") < at("Shop 10 · till-10"), "{page}");
    assert!(at("Shop 2 · 10000002") < at("Shop 10 · 10000000"), "{page}");
    check(&page, &["not judged", "policy show"], &["shop-10"]);
}

#[test]
fn an_agent_that_is_not_in_the_settings_is_named() {
    let name = AgentName {
        store: "shop-7".parse().expect("a shop"),
        agent: "till-9".parse().expect("an agent"),
    };
    let others = agents::Others { unknown: [name].into(), ..agents::Others::default() };
    let page = agents::render(&frame(Language::English), &[], &others);
    check(&page, &["Not in the settings", "shop-7 · till-9", "[[shop]] agents"], &["never seen"]);
}

fn open_finding(kind: FindingKind, severity: Severity) -> FindingView {
    let (class, detail) = (CauseClass::Unknown, CauseDetail::Nothing);
    FindingView {
        finding: Finding {
            id: FindingId { kind, subject: Subject::Case(view(NO_SLIP).id), time: 1 },
            severity,
            stage: Stage::Alerting,
            cause: Cause { class, detail, confidence: 0, cited: Vec::new() },
            // The slip's deadline, behind the debit.
            since: EventTime(TEN + 31_000),
            resolved: None,
            parent: None,
            partner: None,
            measure: 0,
            historical: false,
        },
        terminal: None,
        amount: Some(Amount::new(12_345, Currency::CNY)),
        stan: Some("000077".parse().unwrap()),
        paid: Some(EventTime(TEN)),
        day: None,
        raised: ArrivalTime(TEN),
        changed: ArrivalTime(TEN),
    }
}

#[test]
fn what_needs_somebody_now_stands_first_with_its_amount_and_the_rest_is_counted() {
    let mut shown = today(false, NO_SLIP);
    let later = open_finding(FindingKind::ClockSkew, Severity::P3);
    shown.open = vec![later; today::OPEN_SHOWN_MAX + 2];
    shown.open.push(open_finding(FindingKind::DuplicateDebit, Severity::P1));
    let page = today::render(&frame(Language::English), &shown);
    let at = |part: &str| page.find(part).unwrap_or_else(|| panic!("{part} is missing in {page}"));
    assert!(at("Likely charged twice") < at("Terminal clock is wrong"), "{page}");
    check(
        &page,
        &["CNY 123.45", "voucher 000077", "11-24 10:00:00", "3 more, less urgent ones"],
        &[". ·", "10:00:31"],
    );
    let page = today::render(&frame(Language::Chinese), &shown);
    check(&page, &["123.45 元", "凭证号 000077", "另有 3 项"], &["。 ·"]);
}

#[test]
fn what_happened_on_a_day_without_a_time_of_it_shows_no_time() {
    let mut shown = today(false, NO_SLIP);
    let mut open = open_finding(FindingKind::PhantomSettlement, Severity::P1);
    open.day = Some(jiff::civil::date(2026, 11, 22));
    shown.open = vec![open.clone()];
    let page = |shown: &today::Today| today::render(&frame(Language::Chinese), shown);
    check(&page(&shown), &["11-24 10:00:00"], &["11-22"]);
    open.paid = None;
    shown.open = vec![open];
    check(&page(&shown), &["<time datetime=\"2026-11-22\">11-22</time>"], &["11-22 "]);
}

#[test]
fn a_finding_whose_letter_waits_is_not_called_told() {
    let mut shown = today(false, NO_SLIP);
    let open = open_finding(FindingKind::NoReceiptDebit, Severity::P1);
    let name = open.finding.id.to_string();
    shown.open = vec![open];
    let memory = |text: String| Telling::read(text.as_bytes(), 600_000);
    let item = format!(
        "{{\"finding\":\"{name}\",\"code\":\"A01\",\"cause\":\"nothing\",\"since_ms\":0,\"learned_ms\":0}}"
    );
    let fold = format!(
        "{{\"store\":\"shop-1\",\"told_ms\":{TEN},\"root\":null,\"waiting\":[{item}],\"left_out\":0}}"
    );
    shown.telling = memory(format!(
        "{{\"told\":{{}},\"folds\":{{\"x\":{fold}}},\"ended\":{{}},\"shops\":{{}}}}"
    ));
    let page = today::render(&frame(Language::Chinese), &shown);
    check(&page, &["待发送，10:10"], &["已提醒"]);
    let page = today::render(&frame(Language::English), &shown);
    check(&page, &["letter to be sent at 10:10"], &["told"]);
    let told = "{\"subject\":\"\",\"root\":\"\",\"at_ms\":0,\"open\":true,\"quiet\":false}";
    shown.telling = memory(format!(
        "{{\"told\":{{\"{name}\":{told}}},\"folds\":{{}},\"ended\":{{}},\"shops\":{{}}}}"
    ));
    check(&today::render(&frame(Language::Chinese), &shown), &["已提醒"], &["待发送"]);
}

fn heard(name: &str, terminal: Option<&str>) -> SourceView {
    SourceView {
        source: SourceId(1),
        name: name.into(),
        dialect: "kv-en".into(),
        terminal: terminal.map(|number| number.parse().unwrap()),
        hears_money: true,
        hears_slips: true,
        open: true,
        covered_until: EventTime(TEN),
        holes: Vec::new(),
    }
}

#[test]
fn a_case_shows_how_its_own_lines_were_heard_and_an_agent_its_terminals_in_order() {
    let lines = [
        heard("its-line", Some("10000001")),
        heard("another-till", Some("10000002")),
        heard("shared-printer", None),
    ];
    let numbers = ["10000003", "10000001", "10000002"];
    let agent = AgentView {
        name: view(NO_SLIP).id.agent,
        presence: crate::commit::Presence::Online,
        version: "".into(),
        heard: ArrivalTime(TEN),
        through: Seq(1),
        sources: lines.to_vec(),
        terminals: numbers.map(|number| number.parse().unwrap()).to_vec(),
    };
    let page = case::render(&frame(Language::English), &file(NO_SLIP), Some(&agent));
    check(&page, &["its-line", "shared-printer"], &["another-till"]);
    let page = agents::render(&frame(Language::English), &[agent], &agents::Others::default());
    let names = "<span>10000002</span> <span>10000003</span> <span>收银台 1 (10000001)</span>";
    check(&page, &[names, "another-till"], &[]);
}

#[test]
fn what_is_due_at_midnight_is_due_at_the_end_of_the_day_before() {
    let zone = frame(Language::Chinese).zone(None);
    let told = |at_ms: i64| words::deadline(at_ms, &zone);
    assert_eq!(told(TEN).as_deref(), Some("2026-11-24 10:00"));
    assert_eq!(told(TEN + 14 * 3_600_000).as_deref(), Some("2026-11-24 24:00"));
}

#[test]
fn the_first_six_of_a_card_are_shown_nowhere() {
    for (text, shown) in [
        ("PAN 622576******0691.", "PAN ************0691."),
        ("622576******0691 622576*********0691", "************0691 ***************0691"),
        ("ref 123456 *", "ref 123456 *"),
        ("", ""),
        ("**", "**"),
        ("12**", "12**"),
    ] {
        assert_eq!(last_four_only(text), shown);
    }
}

/// A complaint about nothing that is known, with one payment that it may be about.
fn complaint_with_a_match(closed: bool) -> Looked {
    let said = Said {
        store: Some("shop-1".parse().unwrap()),
        when: None,
        amount: None,
        last_four: None,
        order: None,
        trouble: Trouble::NoSlip,
        note: None,
        contact: None,
        language: Language::English,
    };
    let candidate = Candidate {
        source: Source::Payment(view(NO_SLIP).id),
        store: said.store.clone(),
        terminal: None,
        at: When { from_ms: TEN, to_ms: TEN },
        day: None,
        amount: Some(Amount::new(8800, Currency::CNY)),
        last_four: None,
        numbers: Vec::new(),
        kind: Kind::Sale,
        standing: Standing::Untold,
        slip_missing: true,
    };
    let matched = Match {
        candidate,
        level: Level::Possible,
        points: 0,
        whys: Vec::new(),
        also_open: Vec::new(),
    };
    Looked {
        complaint: Complaint {
            number: 7,
            said,
            received: EventTime(TEN),
            chosen: None,
            by_hand: false,
            unmatched: Unmatched::No,
            given: None,
            told: None,
            scheme_told: false,
            closed: closed.then_some(EventTime(TEN)),
        },
        history: Vec::new(),
        matches: vec![matched],
        payment: None,
        answer: Answer { reason: Reason::SeveralFit, fact_at: None, promise: None },
        due: None,
        is_overdue: false,
        also_open: Vec::new(),
    }
}

fn read_only(language: Language) -> Frame {
    let frame = frame(language);
    let mut config = (*frame.config).clone();
    config.http.forms = false;
    Frame { config: Arc::new(config), ..frame }
}

#[test]
fn where_pages_do_not_write_no_complaint_page_offers_it() {
    let looked = complaint_with_a_match(false);
    let search = Search {
        said: looked.complaint.said.clone(),
        received: EventTime(TEN),
        matches: looked.matches.clone(),
        is_chosen: false,
        heard: Heard::Whole,
        answer: looked.answer,
        probes: 0,
    };
    let of = |frame: &Frame| {
        let form = complaint::form(frame, &Typed::default(), None, Some(&search), &[], false);
        (form, complaint::one(frame, &looked, None))
    };
    let (form, one) = of(&frame(Language::English));
    check(&form, &["action=\"/complaints?", "This one: open"], &["Pages only show"]);
    check(&one, &["/choose", "/answer?", "/close"], &["Pages only show"]);
    let (form, one) = of(&read_only(Language::English));
    let writes = ["action=\"/complaints?", "/choose", "/answer?", "/close", "open a complaint"];
    check(&form, &["Pages only show", "/complaints/search", "CNY 88.00"], &writes);
    check(&one, &["Pages only show", "CNY 88.00"], &writes);
    check(&one, &[], &["<form"]);
    let (form, _) = of(&read_only(Language::Chinese));
    check(&form, &["只供查看"], &["登记投诉，"]);
}

#[test]
fn where_pages_do_not_write_no_file_is_chosen_above() {
    let page = statements::render(&frame(Language::English), &[], &[]);
    check(&page, &["Choose one above", "<form"], &[]);
    let page = statements::render(&read_only(Language::English), &[], &[]);
    check(&page, &["Put one into the inbox"], &["above", "<form"]);
}

#[test]
fn a_complaint_names_the_others_about_its_payment() {
    let looked = Looked { also_open: vec![3, 5], ..complaint_with_a_match(false) };
    let page = complaint::one(&frame(Language::English), &looked, None);
    check(&page, &["about the same payment is open", "/complaints/3?", "/complaints/5?"], &[]);
    let page = complaint::one(&frame(Language::Chinese), &looked, None);
    check(&page, &["投诉 3 号也是关于这笔交易的，尚未关闭"], &[]);
}

#[test]
fn a_row_of_a_day_without_a_time_is_shown_with_a_complaint_by_its_day() {
    let mut looked = complaint_with_a_match(false);
    let shown = |looked: &Looked| complaint::one(&frame(Language::Chinese), looked, None);
    check(&shown(&looked), &["<time>2026-11-24 10:00:00</time>"], &[]);
    looked.matches[0].candidate.day = Some(jiff::civil::date(2026, 11, 22));
    check(&shown(&looked), &["<time>2026-11-22</time>"], &["10:00:00"]);
}

#[test]
fn a_closed_complaint_asks_nothing_more_of_anybody() {
    let frame = frame(Language::English);
    check(&complaint::one(&frame, &complaint_with_a_match(false), None), &["What you do"], &[]);
    let page = complaint::one(&frame, &complaint_with_a_match(true), None);
    check(&page, &["closed"], &["What you do", "<form"]);
}
