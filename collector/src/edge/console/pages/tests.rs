//! Pages as text: in both languages, escaped, with the last four digits only.

use super::*;
use crate::correlate::case::{Case, CaseId, EventRef};
use crate::correlate::cause::CauseClass;
use crate::correlate::policy::AgentName;
use crate::correlate::timeline::StreamTime;
use crate::correlate::verdict::{Unknown, Verdict};
use crate::edge::store::{CaseFile, CaseView};
use slipwatch_shared::card::{Card, MaskedPan};
use slipwatch_shared::event::{Body, Epoch, Event, Evidence, Keys, Kind, Seq, SourceId};
use slipwatch_shared::money::{Amount, Currency};
use slipwatch_shared::times::{BootId, EventTime, Observed, Uptime};
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
        facts: Vec::new(),
        slip_window: None,
        reversal_due: None,
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
    let unheard = [("shop-1".to_owned(), "till-1".to_owned())];
    let page = agents::render(&frame(Language::English), &[], &unheard, &[("checksum", 3)]);
    check(&page, &["never seen", "checksum", ">3<"], &["None since the start"]);
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
