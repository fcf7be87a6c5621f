//! Which letters are written when, and how two of them read, whole.

use super::*;
use crate::alert::telling::{self, Telling};
use crate::correlate::case::{Case, CaseId, EventRef};
use crate::correlate::cause::{Cause, CauseClass, CauseDetail};
use crate::correlate::facts::Facts;
use crate::correlate::finding::{Finding, FindingId, FindingKind, Ledger, RowName, Subject};
use crate::correlate::policy::{AgentName, TerminalName};
use crate::correlate::timeline::{Due, StreamTime};
use crate::correlate::verdict::Verdict;
use slipwatch_shared::card::{Card, MaskedPan};
use slipwatch_shared::event::{Epoch, Keys, Kind, Seq};
use slipwatch_shared::money::{Amount, Currency};
use slipwatch_shared::times::EventTime;

/// 2026-11-24 02:00:00 UTC, ten in the morning at the shop.
const TEN: i64 = 1_795_485_600_000;
const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;

fn settings(language: Language) -> LetterSettings {
    let shop = ShopLetters {
        title: "明记 <面馆>".to_owned(),
        language,
        recipients: vec!["owner@example.com".to_owned()],
        time_zone: TimeZone::fixed(jiff::tz::Offset::constant(8)),
        terminals: BTreeMap::from([("10000001".parse().unwrap(), "收银台 1".to_owned())]),
    };
    LetterSettings {
        public_url: Some("https://watch.example".to_owned()),
        domain: "watch.example".to_owned(),
        letters_per_hour_max: 4,
        shops: BTreeMap::from([("shop-1".parse().unwrap(), shop)]),
        ..LetterSettings::default()
    }
}

fn agent() -> AgentName {
    AgentName { store: "shop-1".parse().unwrap(), agent: "till-1".parse().unwrap() }
}

fn case(seq: u64) -> Case {
    let card = Card {
        pan: Some(MaskedPan::from_parts(Some("622576"), "6691").unwrap()),
        ..Card::default()
    };
    Case {
        first: EventRef { epoch: Epoch(1), seq: Seq(seq) },
        opened: StreamTime(TEN - 5 * MINUTE),
        wall_ahead_ms: 0,
        synchronised: true,
        historical: false,
        kind: Kind::Sale,
        common_amount: false,
        keys: Keys {
            amount: Some(Amount::new(8800, Currency::CNY)),
            stan: Some(format!("{seq:06}").parse().unwrap()),
            rrn: Some("602412345678".parse().unwrap()),
            card: Some(card),
            ..Keys::default()
        },
        facts: Facts::default(),
        slip_window: None,
        reversal_due: Due::NEVER,
        reversal_window: None,
        verdict: Verdict::NoSlip { cause: CauseClass::TerminalFault, confidence: 95 },
        told: Default::default(),
        numbering: 0,
    }
}

/// A debit without slip, number `seq`, learned at `now`.
fn no_slip(seq: u64, now: i64) -> FindingChange {
    let subject = Subject::Case(CaseId { agent: agent(), first: case(seq).first });
    FindingChange {
        change: Change::Raised,
        finding: Finding {
            id: FindingId { kind: FindingKind::NoReceiptDebit, subject, time: 1 },
            severity: Severity::P1,
            stage: Stage::Alerting,
            cause: Cause {
                class: CauseClass::TerminalFault,
                detail: CauseDetail::PaperOut,
                confidence: 95,
                cited: Vec::new(),
            },
            // The slip's deadline, behind the debit.
            since: EventTime(TEN - 5 * MINUTE + 31 * SECOND),
            resolved: None,
            parent: None,
            partner: None,
            measure: 0,
            historical: false,
        },
        alerts: true,
        learned: ArrivalTime(now),
        terminal: Some(TerminalName {
            store: "shop-1".parse().unwrap(),
            terminal: "10000001".parse().unwrap(),
        }),
        case: Some(Box::new(case(seq))),
        ledger: None,
    }
}

fn with(mut change: FindingChange, edit: impl FnOnce(&mut Finding)) -> FindingChange {
    edit(&mut change.finding);
    change
}

fn resolved(change: FindingChange) -> FindingChange {
    let mut change = with(change, |finding| finding.resolved = Some(Resolution::SlipPrinted));
    change.change = Change::Resolved;
    change
}

fn policy() -> LetterPolicy {
    LetterPolicy::restore(settings(Language::Chinese), None)
}

/// How many letters the policy writes at `now` of these changes.
#[track_caller]
fn check(
    policy: &mut LetterPolicy,
    now: i64,
    changes: &[FindingChange],
    letters: usize,
) -> Vec<OutboxRow> {
    let rows = policy.letters(ArrivalTime(now), changes);
    let subjects: Vec<&str> = rows.iter().map(|row| row.subject.as_str()).collect();
    assert_eq!(rows.len(), letters, "{subjects:?}");
    rows
}

#[test]
fn a_letter_begins_with_what_to_do_in_chinese() {
    let rows = check(&mut policy(), TEN, &[no_slip(42, TEN)], 1);
    assert_eq!(
        rows[0].subject,
        "【slipwatch】已扣款，未出凭条，88.00 元，凭证号 000042 · 收银台 1"
    );
    assert_eq!(
        rows[0].text,
        "请现在按凭证号 000042 重打凭条；不要再次收款。\n\
        \n\
        可能原因：打印机缺纸。\n\
        \n\
        已扣款，未出凭条\n\
        \x20 金额： 88.00 元\n\
        \x20 时间： 2026-11-24 09:55:00\n\
        \x20 终端： 收银台 1 (10000001)\n\
        \x20 凭证号： 000042\n\
        \x20 参考号： 602412345678\n\
        \x20 卡号后四位： 6691\n\
        \x20 案件编号： shop-1.till-1.1.42\n\
        \x20 https://watch.example/case/shop-1.till-1.1.42?lang=zh-CN\n\
        \n\
        接下来怎么做\n\
        \x20 1. 告诉顾客：款项已扣，请勿再次付款。\n\
        \x20 2. 换好纸、盖好盖后，在终端上选“重打任意一笔”，输入凭证号重打。\n\
        \x20 3. 打不出来时，把案件编号和参考号记下，顾客凭此可向收单机构查询。\n\
        \n\
        -- \n\
        明记 <面馆> · 本信由 slipwatch 自动发出；卡号只显示后四位。同一案件的后续消息会在同一邮件会话中。\n"
    );
    let html = rows[0].html.as_deref().unwrap();
    assert!(html.contains("明记 &lt;面馆&gt;") && !html.contains("<面馆>"), "{html}");
    assert!(!html.contains("622576") && !rows[0].text.contains("622576"), "last four only");
}

#[test]
fn a_letter_begins_with_what_to_do_in_english() {
    let mut policy = LetterPolicy::restore(settings(Language::English), None);
    let rows = check(&mut policy, TEN, &[no_slip(42, TEN)], 1);
    assert_eq!(
        rows[0].subject,
        "[slipwatch] Debited, no slip, CNY 88.00, voucher 000042 · 收银台 1"
    );
    assert_eq!(
        rows[0].text,
        "Reprint the slip by voucher number 000042 now; do not charge again.\n\
        \n\
        Likely cause: The printer had no paper.\n\
        \n\
        Debited, no slip\n\
        \x20 Amount: CNY 88.00\n\
        \x20 Time: 2026-11-24 09:55:00\n\
        \x20 Terminal: 收银台 1 (10000001)\n\
        \x20 Voucher number: 000042\n\
        \x20 Reference number: 602412345678\n\
        \x20 Card, last four: 6691\n\
        \x20 Case: shop-1.till-1.1.42\n\
        \x20 https://watch.example/case/shop-1.till-1.1.42?lang=en\n\
        \n\
        What to do now\n\
        \x20 1. Tell the shopper that the money was taken and that no second payment is needed.\n\
        \x20 2. Put in paper, close the lid, choose \"reprint any\" at the terminal and enter the voucher number.\n\
        \x20 3. If nothing comes out, write down the case number and the reference number: the acquirer can look it up.\n\
        \n\
        -- \n\
        明记 <面馆> · Sent by slipwatch. Card numbers show their last four digits only. What follows on this case comes in the same thread.\n"
    );
}

#[test]
fn the_end_is_told_in_the_thread_of_the_beginning() {
    let mut policy = policy();
    let first = check(&mut policy, TEN, &[no_slip(42, TEN)], 1).remove(0);
    let last = check(&mut policy, TEN + MINUTE, &[resolved(no_slip(42, TEN))], 1).remove(0);
    assert_eq!(first.in_reply_to, None);
    assert_eq!(last.in_reply_to.as_deref(), Some(first.message_id.as_str()));
    assert!(last.text.starts_with("无需再处理：凭条已打印。\n"), "{}", last.text);
    assert!(last.subject.contains("已解决"), "{}", last.subject);
}

#[test]
fn what_was_never_told_is_never_told_as_resolved() {
    let mut policy = policy();
    let suspected = with(no_slip(42, TEN), |finding| finding.stage = Stage::Suspected);
    check(&mut policy, TEN, &[suspected], 0);
    check(&mut policy, TEN, &[resolved(no_slip(42, TEN))], 0);
    check(&mut policy, TEN, &[no_slip(43, TEN)], 1);
    // During the cool-down 44 waits, and is printed before its time comes.
    check(&mut policy, TEN + SECOND, &[no_slip(44, TEN)], 0);
    check(&mut policy, TEN + 2 * SECOND, &[resolved(no_slip(44, TEN))], 0);
    check(&mut policy, TEN + 20 * MINUTE, &[], 0);
}

#[test]
fn nine_debits_of_one_paper_out_are_one_letter_with_rows_and_a_sum() {
    let changes: Vec<_> = (1..=9).map(|seq| no_slip(seq, TEN)).collect();
    let rows = check(&mut policy(), TEN, &changes, 1);
    assert!(rows[0].subject.contains("9 笔") && rows[0].subject.contains("792.00 元"));
    assert!(rows[0].text.contains("共 9 笔，合计 792.00 元。"), "{}", rows[0].text);
    assert_eq!(rows[0].text.matches("凭证号： ").count(), 9);
    assert_eq!(rows[0].findings.len(), 9);
}

#[test]
fn what_comes_during_the_cool_down_is_told_together_at_its_end() {
    let mut policy = policy();
    let first = check(&mut policy, TEN, &[no_slip(1, TEN)], 1).remove(0);
    for seq in 2..=4 {
        check(&mut policy, TEN + seq * SECOND, &[no_slip(seq as u64, TEN)], 0);
    }
    check(&mut policy, TEN + 9 * MINUTE, &[], 0);
    let more = check(&mut policy, TEN + 10 * MINUTE, &[], 1).remove(0);
    assert!(more.subject.contains("3 笔"), "{}", more.subject);
    assert_eq!(more.in_reply_to, Some(first.message_id));
    check(&mut policy, TEN + 11 * MINUTE, &[], 0);
}

#[test]
fn children_are_told_under_their_parent_which_stands_first() {
    let name =
        TerminalName { store: "shop-1".parse().unwrap(), terminal: "10000001".parse().unwrap() };
    let id = FindingId { kind: FindingKind::PrinterOut, subject: Subject::Terminal(name), time: 1 };
    let mut parent = with(no_slip(1, TEN), |finding| {
        finding.id = id.clone();
        finding.severity = Severity::P2;
    });
    parent.case = None;
    let child = |seq| with(no_slip(seq, TEN), |finding| finding.parent = Some(id.clone()));
    let rows = check(&mut policy(), TEN, &[child(1), child(2), parent.clone()], 1);
    assert!(rows[0].text.starts_with("请检查打印机"), "{}", rows[0].text);
    assert!(rows[0].text.contains("合计 176.00 元"), "{}", rows[0].text);
}

#[test]
fn a_recording_rings_nobody() {
    let change = with(no_slip(42, TEN), |finding| finding.historical = true);
    check(&mut policy(), TEN, &[change], 0);
}

#[test]
fn nobody_is_written_to_where_the_settings_name_nobody() {
    let mut settings = settings(Language::English);
    settings.shops.values_mut().for_each(|shop| shop.recipients.clear());
    let mut policy = LetterPolicy::restore(settings, None);
    check(&mut policy, TEN, &[no_slip(42, TEN)], 0);
    assert_eq!(policy.state(), None);
}

#[test]
fn beyond_the_letters_of_the_hour_the_rest_comes_as_one() {
    let mut policy = policy();
    let elsewhere = |seq: u64| {
        let mut change = no_slip(seq, TEN);
        change.terminal.as_mut().unwrap().terminal = format!("{seq:08}").parse().unwrap();
        change
    };
    let changes: Vec<_> = (1..=30).map(elsewhere).collect();
    check(&mut policy, TEN, &changes, 4);
    check(&mut policy, TEN + 30 * MINUTE, &[], 0);
    let rows = check(&mut policy, TEN + 61 * MINUTE, &[], 1);
    assert!(rows[0].subject.contains("26 笔"), "{}", rows[0].subject);
    let resolved: Vec<_> = (1..=30).map(|seq| resolved(elsewhere(seq))).collect();
    let ends = policy.letters(ArrivalTime(TEN + 62 * MINUTE), &resolved);
    assert_eq!(ends.len(), 3, "the ends are bounded, too: one letter of this hour is used");
}

#[test]
fn small_matters_wait_for_the_digest_of_the_day() {
    let mut policy = policy();
    let small = |seq| with(no_slip(seq, TEN), |finding| finding.severity = Severity::P3);
    check(&mut policy, TEN, &[small(1), small(2)], 0);
    check(&mut policy, TEN + MINUTE, &[resolved(small(2))], 0);
    check(&mut policy, TEN + 11 * 60 * MINUTE - 1, &[], 0);
    let rows = check(&mut policy, TEN + 11 * 60 * MINUTE, &[], 1);
    assert_eq!(rows[0].subject, "【slipwatch】明记 <面馆> 今日汇总：1 项");
    // Told in passing: its end is no letter.
    check(&mut policy, TEN + 12 * 60 * MINUTE, &[resolved(small(1))], 0);
}

#[test]
fn a_restart_forgets_nothing_and_repeats_nothing() {
    let mut before = policy();
    let first = check(&mut before, TEN, &[no_slip(1, TEN)], 1).remove(0);
    check(&mut before, TEN + SECOND, &[no_slip(2, TEN)], 0);
    let state = before.state().expect("it changed");
    assert_eq!(before.state(), None, "told once");
    let mut after = LetterPolicy::restore(settings(Language::Chinese), Some(&state));
    check(&mut after, TEN + 2 * SECOND, &[no_slip(1, TEN)], 0);
    let more = check(&mut after, TEN + 10 * MINUTE, &[], 1).remove(0);
    assert_eq!(more.in_reply_to, Some(first.message_id));
}

#[test]
fn a_debit_that_is_late_by_hours_says_so() {
    let now = TEN + 5 * 60 * MINUTE;
    let rows = check(&mut policy(), now, &[no_slip(1, now)], 1);
    assert!(rows[0].text.contains("这些记录是迟到的"), "{}", rows[0].text);
}

/// A row of a file that books payment `seq` once more.
fn repeated_row(seq: u64, now: i64) -> FindingChange {
    let row = RowName { store: agent().store, source: "allinpay".into(), mark: seq, nth: 1 };
    let mut change = with(no_slip(seq, now), |finding| {
        finding.id =
            FindingId { kind: FindingKind::DuplicateDebit, subject: Subject::Row(row), time: 1 };
        finding.stage = Stage::Confirmed;
        finding.cause.detail = CauseDetail::FileContradicts;
        finding.partner = Some(CaseId { agent: agent(), first: case(seq).first });
    });
    change.case = None;
    change.ledger = Some(Box::new(Ledger {
        amount: Some(Amount::new(12_850 * seq as i64, Currency::CNY)),
        document: format!("detail.csv:{}", seq + 4).into(),
        ..Ledger::default()
    }));
    change
}

#[test]
fn rows_of_a_file_say_where_they_stand_and_what_they_repeat_and_blame_no_agent() {
    let tomorrow = TEN + 24 * 60 * MINUTE;
    let rows = [repeated_row(1, tomorrow), repeated_row(2, tomorrow)];
    let letter = check(&mut policy(), tomorrow, &rows, 1).remove(0);
    for part in ["对账文件里有交易入账不止一次", "detail.csv:5", "detail.csv:6", "出自对账文件"]
        .into_iter()
        .chain(["已入账的交易： shop-1.till-1.1.1", "已入账的交易： shop-1.till-1.1.2"])
    {
        assert!(letter.text.contains(part), "{part} is missing in {}", letter.text);
    }
    for part in ["没有连上", "这两笔", "可能原因", "另一笔"] {
        assert!(!letter.text.contains(part), "{part} stands in {}", letter.text);
    }
}

#[test]
fn a_row_that_tells_its_day_alone_is_told_with_that_day_and_no_time() {
    let mut change = repeated_row(1, TEN);
    let letter = check(&mut policy(), TEN, &[change.clone()], 1).remove(0);
    assert!(letter.text.contains("时间："), "{}", letter.text);
    let mut ledger = change.ledger.take().unwrap();
    ledger.day = Some("2025-11-23".into());
    change.ledger = Some(ledger);
    let letter = check(&mut policy(), TEN, &[change], 1).remove(0);
    assert!(letter.text.contains("日期： 2025-11-23\n"), "{}", letter.text);
    assert!(!letter.text.contains("时间："), "{}", letter.text);
}

#[test]
fn a_file_that_is_missing_is_no_source() {
    let mut change = repeated_row(1, TEN);
    change.finding.id.kind = FindingKind::StatementMissing;
    change.finding.partner = None;
    let letter = check(&mut policy(), TEN, &[change], 1).remove(0);
    assert!(letter.text.contains("对账文件缺失"), "{}", letter.text);
    assert!(!letter.text.contains("出自对账文件"), "{}", letter.text);
}

#[test]
fn what_waits_for_the_cool_down_is_held_and_not_told_before_its_time() {
    let mut policy = policy();
    let told_of = |policy: &mut LetterPolicy, seq| {
        let state = policy.state().expect("it changed");
        let telling = Telling::read(&state, 10 * MINUTE);
        telling.of(&no_slip(seq, TEN).finding.id)
    };
    check(&mut policy, TEN, &[no_slip(1, TEN)], 1);
    assert_eq!((policy.held(), told_of(&mut policy, 1)), (0, Some(telling::Told::Already)));
    check(&mut policy, TEN + 3 * MINUTE, &[no_slip(2, TEN)], 0);
    let waits = Some(telling::Told::At(TEN + 10 * MINUTE));
    assert_eq!((policy.held(), told_of(&mut policy, 2)), (1, waits));
    check(&mut policy, TEN + 10 * MINUTE, &[], 1);
    assert_eq!((policy.held(), told_of(&mut policy, 2)), (0, Some(telling::Told::Already)));
}

#[test]
fn a_cause_that_is_not_known_is_said_once() {
    let change = with(no_slip(42, TEN), |finding| finding.cause.detail = CauseDetail::Nothing);
    let mut policy = LetterPolicy::restore(settings(Language::English), None);
    let letter = check(&mut policy, TEN, &[change], 1).remove(0);
    assert!(letter.text.contains("\nThe cause is not known yet: "), "{}", letter.text);
    assert!(!letter.text.contains("Likely cause"), "{}", letter.text);
}

#[test]
fn a_finding_that_comes_again_stays_in_its_thread_under_a_new_name() {
    let mut policy = policy();
    let first = check(&mut policy, TEN, &[no_slip(1, TEN)], 1).remove(0);
    check(&mut policy, TEN + MINUTE, &[resolved(no_slip(1, TEN))], 1);
    let again = check(&mut policy, TEN + 30 * MINUTE, &[no_slip(1, TEN)], 1).remove(0);
    assert_ne!(again.message_id, first.message_id);
    assert_eq!(again.in_reply_to, Some(first.message_id));
}

#[test]
fn what_is_remembered_is_bounded() {
    let mut policy = policy();
    let changes: Vec<_> =
        (1..=memory::WAITING_MAX as u64 + 50).map(|seq| no_slip(seq, TEN)).collect();
    let rows = check(&mut policy, TEN, &changes, 1);
    assert!(rows[0].subject.contains("250 笔"), "{}", rows[0].subject);
    assert!(rows[0].text.contains("另有 200 项未列出"), "{}", rows[0].text);
    assert!(policy.memory.told.len() <= memory::TOLD_MAX);
}

#[test]
fn another_payment_after_the_cool_down_begins_a_thread_of_its_own() {
    let mut policy = policy();
    check(&mut policy, TEN, &[no_slip(1, TEN)], 1);
    let other = check(&mut policy, TEN + 30 * MINUTE, &[no_slip(2, TEN)], 1).remove(0);
    assert_eq!(other.in_reply_to, None);
}

#[test]
fn a_verdict_that_is_taken_back_as_not_known_asks_somebody_to_look() {
    let mut policy = policy();
    check(&mut policy, TEN, &[no_slip(1, TEN)], 1);
    let mut change = with(no_slip(1, TEN), |finding| finding.resolved = Some(Resolution::NotKnown));
    change.change = Change::Resolved;
    let letter = check(&mut policy, TEN + MINUTE, &[change], 1).remove(0);
    assert!(letter.text.starts_with("先前的判断收回"), "{}", letter.text);
    assert!(letter.text.contains("请自行核对。"), "{}", letter.text);
}
