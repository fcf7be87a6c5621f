use super::*;
use crate::complaint::deadline::test_calendar;
use crate::complaint::said::{SaidAmount, Trouble, When};

const HOUR: i64 = 3_600_000;
/// 2026-11-26 06:00:00 UTC, a Thursday afternoon by the shop's clock.
const RECEIVED: i64 = 1_795_672_800_000;

fn complaint() -> Complaint {
    Complaint {
        number: 7,
        said: Said {
            store: None,
            when: Some(When { from_ms: 0, to_ms: 1 }),
            amount: Some(SaidAmount { hundredths: 8_800, currency: None }),
            last_four: None,
            order: None,
            trouble: Trouble::NoSlip,
            note: None,
            contact: None,
            language: crate::alert::language::Language::Chinese,
        },
        received: EventTime(RECEIVED),
        chosen: None,
        by_hand: false,
        unmatched: Unmatched::No,
        given: None,
        told: None,
        scheme_told: false,
        closed: None,
    }
}

fn standing(fits: bool, reason: Reason) -> Standing {
    Standing { fits, answer: Answer { reason, fact_at: None, promise: None }, paid_at: None }
}

fn given(reason: Reason, promise: Option<(Promise, EventTime)>) -> Given {
    Given {
        answer: Answer { reason, fact_at: None, promise },
        at: EventTime(RECEIVED + HOUR),
        kept: None,
    }
}

fn at(hours: i64) -> EventTime {
    EventTime(RECEIVED + hours * HOUR)
}

#[test]
fn a_complaint_that_fits_nothing_is_shown_at_once_and_told_a_day_later() {
    let (calendar, nothing) = (test_calendar(), standing(false, Reason::NotHeard));
    let mut open = complaint();
    assert_eq!(open.changes(&calendar, &nothing, at(0)), [Change::Suspect]);
    open.unmatched = Unmatched::Suspected;
    assert_eq!(open.changes(&calendar, &nothing, at(1)), []);
    let due = open.due(&calendar, None).expect("a first answer");
    assert_eq!(
        open.changes(&calendar, &nothing, at(24)),
        [Change::TellUnmatched, Change::Passed(due)]
    );
    open.unmatched = Unmatched::Told;
    assert_eq!(open.changes(&calendar, &standing(true, Reason::SlipOwed), at(1)), [Change::Fits]);
}

#[test]
fn a_date_is_reminded_of_once_and_told_once_when_it_passed() {
    let (calendar, fits) = (test_calendar(), standing(true, Reason::SlipOwed));
    let mut open = complaint();
    let due = open.due(&calendar, None).expect("a first answer");
    assert_eq!(open.changes(&calendar, &fits, at(19)), []);
    assert_eq!(open.changes(&calendar, &fits, at(20)), [Change::Remind(due)]);
    open.told = Some(ToldDue { kind: due.kind, at: due.at, passed: false });
    assert_eq!(open.changes(&calendar, &fits, at(23)), []);
    assert_eq!(open.changes(&calendar, &fits, at(24)), [Change::Passed(due)]);
    open.told = Some(ToldDue { kind: due.kind, at: due.at, passed: true });
    assert_eq!(open.changes(&calendar, &fits, at(50)), []);
    // The answer moves the date, and the new one is reminded of in its turn.
    let until = at(72);
    open.given = Some(given(Reason::SlipOwed, Some((Promise::Slip, until))));
    let moved = Due { kind: DueKind::Promised, at: until, remind_at: at(68) };
    assert_eq!(open.changes(&calendar, &fits, at(69)), [Change::Remind(moved)]);
}

#[track_caller]
fn check_promise(
    promise: Promise,
    promised: Reason,
    current: Reason,
    hours: i64,
    expected: &[&str],
) {
    let mut open = complaint();
    open.given = Some(given(promised, Some((promise, at(48)))));
    let changes = open.changes(&test_calendar(), &standing(true, current), at(hours));
    let found: Vec<&str> = changes
        .iter()
        .map(|change| match change {
            Change::Kept => "kept",
            Change::Broken => "broken",
            Change::Remind(_) => "remind",
            Change::Passed(_) => "passed",
            _ => "other",
        })
        .collect();
    assert_eq!(found, expected, "{promise:?} {promised:?} {current:?} after {hours} h");
}

#[test]
fn a_promise_is_kept_when_what_was_promised_is_there_and_broken_when_its_date_passes() {
    use Reason::*;
    check_promise(Promise::Slip, SlipOwed, SlipOwed, 10, &[]);
    check_promise(Promise::Slip, SlipOwed, Reprinted, 10, &["kept"]);
    check_promise(Promise::Slip, SlipOwed, SlipOwed, 49, &["broken", "passed"]);
    check_promise(Promise::MoneyBack, RefundApproved, RefundApproved, 10, &[]);
    check_promise(Promise::MoneyBack, RefundApproved, Credited, 10, &["kept"]);
    check_promise(Promise::MoneyBack, RefundApproved, RefundApproved, 46, &["remind"]);
    check_promise(Promise::MoneyBack, RefundApproved, RefundApproved, 49, &["broken", "passed"]);
    // What a file gave back, or was undone before it was settled, needs nobody.
    check_promise(Promise::MoneyBack, Credited, Credited, 46, &[]);
    check_promise(Promise::MoneyBack, Reversed, Reversed, 49, &["kept"]);
    check_promise(Promise::MoneyBack, Reversed, UndoneButSettled, 49, &["broken", "passed"]);
    check_promise(Promise::Word, ReversalFailed, ReversalFailed, 46, &["remind"]);
}

#[test]
fn nothing_more_happens_to_a_closed_one() {
    let closed = Complaint { closed: Some(at(2)), ..complaint() };
    assert_eq!(closed.changes(&test_calendar(), &standing(false, Reason::NotHeard), at(9_999)), []);
    assert_eq!(closed.due(&test_calendar(), None), None);
}
