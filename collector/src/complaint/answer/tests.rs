use super::*;
use crate::complaint::deadline::test_calendar;
use crate::correlate::case::{EventRef, Fact};
use crate::correlate::cause::Cause;
use crate::correlate::finding::{Stage, Told};
use crate::correlate::timeline::{Due, StreamTime};
use crate::correlate::verdict::Unknown;
use slipwatch_shared::event::{AbortedBy, Epoch, Keys, ReversalPhase, Seq, SlipGrade, SourceId};

/// 2026-11-26 06:00:00 UTC, a Thursday.
const PAID: i64 = 1_795_672_800_000;
const NOW: EventTime = EventTime(PAID + 3_600_000);

fn case(facts: &[What], verdict: Verdict) -> Case {
    let fact = |(at, what): (usize, &What)| Fact {
        at: StreamTime(PAID + at as i64 * 1_000),
        event: EventRef { epoch: Epoch(1), seq: Seq(at as u64 + 1) },
        source: SourceId(1),
        what: *what,
    };
    Case {
        first: EventRef { epoch: Epoch(1), seq: Seq(1) },
        opened: StreamTime(PAID),
        wall_ahead_ms: 0,
        synchronised: true,
        historical: false,
        kind: Kind::Sale,
        common_amount: false,
        keys: Keys::default(),
        facts: facts.iter().enumerate().map(fact).collect(),
        slip_window: None,
        reversal_due: Due::NEVER,
        reversal_window: None,
        verdict,
        told: Default::default(),
        numbering: 0,
    }
}

fn open(mut case: Case, kind: FindingKind) -> Case {
    case.told.push(Told {
        kind,
        stage: Stage::Alerting,
        resolved: None,
        since: StreamTime(PAID),
        cause: Cause::unknown(),
        partner: None,
        measure: 0,
        parent: None,
    });
    case
}

const PRINTED: Verdict = Verdict::Printed { grade: SlipGrade::Claimed };
const LATE: Verdict = Verdict::PrintedLate { grade: SlipGrade::Claimed };
const NO_SLIP: Verdict =
    Verdict::NoSlip { cause: crate::correlate::cause::CauseClass::TerminalFault, confidence: 90 };
const BLIND: Verdict = Verdict::Unknown { why: Unknown::SourceLost };

fn not_expected(why: NotExpected) -> Verdict {
    Verdict::NotExpected { why }
}

#[track_caller]
fn check(case: &Case, booked: Booked, reason: Reason, outcome: Outcome) {
    let found = Found::Payment { case, booked, partner: None };
    let answer = answer(found, Trouble::NoSlip, NOW, &test_calendar());
    assert_eq!((answer.reason, answer.outcome()), (reason, outcome));
    let promises = !matches!(outcome, Outcome::SlipReprinted | Outcome::NoSuchDebit);
    assert_eq!(answer.promise.is_some(), promises, "{answer:?}");
    assert!(
        answer.promise.is_none_or(|(_, until)| until > NOW),
        "a date in the future: {answer:?}"
    );
}

const NOTHING: Booked = Booked { settled: false, credited: None };
const SETTLED: Booked = Booked { settled: true, credited: None };
const CREDITED: Booked = Booked { settled: true, credited: Some(EventTime(PAID + 1_000)) };

#[test]
fn where_the_slip_stands_is_told_of_a_payment_that_stands() {
    use Outcome::{SlipReprinted, UnderInquiry};
    let paid = [What::Requested, What::Approved];
    let slip = |reprint| What::SlipPrinted { copy: None, reprint, grade: SlipGrade::Claimed };
    let printed = [What::Requested, What::Approved, slip(false)];
    let again = [What::Requested, What::Approved, slip(true)];
    check(&case(&printed, PRINTED), NOTHING, Reason::PrintedThen, SlipReprinted);
    check(&case(&again, PRINTED), SETTLED, Reason::Reprinted, SlipReprinted);
    check(&case(&again, LATE), NOTHING, Reason::Reprinted, SlipReprinted);
    let electronic = not_expected(NotExpected::IssuedElectronically);
    check(&case(&paid, electronic), NOTHING, Reason::SentElectronically, SlipReprinted);
    let none = not_expected(NotExpected::NobodyPrints);
    check(&case(&paid, none), NOTHING, Reason::NoSlipDue, SlipReprinted);
    check(&case(&paid, NO_SLIP), NOTHING, Reason::SlipOwed, UnderInquiry);
    check(&case(&paid, NO_SLIP), SETTLED, Reason::SlipOwed, UnderInquiry);
    let pending = Verdict::Pending { due: StreamTime(PAID + 300_000) };
    check(&case(&paid, pending), NOTHING, Reason::SlipAwaited, UnderInquiry);
    // Silence is not absence: the payment is known, the slip is not.
    check(&case(&paid, BLIND), NOTHING, Reason::SlipNotHeard, UnderInquiry);
}

#[test]
fn where_the_money_stands_is_told_of_one_that_was_undone_or_left_open() {
    use Outcome::*;
    let undone = |what| [What::Requested, What::Approved, what];
    let reversed = undone(What::Reversal(ReversalPhase::Acknowledged));
    let verdict = not_expected(NotExpected::Reversed);
    check(&case(&reversed, verdict), NOTHING, Reason::Reversed, ReversalDone);
    check(&case(&reversed, verdict), SETTLED, Reason::UndoneButSettled, UnderInquiry);
    check(&case(&reversed, verdict), CREDITED, Reason::Credited, MoneyBackExpected);
    let voided = undone(What::Voided);
    check(&case(&voided, not_expected(NotExpected::Voided)), NOTHING, Reason::Voided, ReversalDone);
    let refunded = undone(What::Refunded);
    let verdict = not_expected(NotExpected::Refunded);
    check(&case(&refunded, verdict), SETTLED, Reason::RefundApproved, RefundStarted);
    check(&case(&refunded, verdict), CREDITED, Reason::Credited, MoneyBackExpected);
    let unanswered = not_expected(NotExpected::Unanswered);
    let timed_out = |phase| [What::Requested, What::TimedOut, What::Reversal(phase)];
    check(
        &case(&timed_out(ReversalPhase::Pending), unanswered),
        NOTHING,
        Reason::ReversalWaits,
        UnderInquiry,
    );
    check(
        &case(&timed_out(ReversalPhase::Failed), unanswered),
        NOTHING,
        Reason::ReversalFailed,
        UnderInquiry,
    );
    check(&case(&[What::Requested], unanswered), NOTHING, Reason::NoAnswer, UnderInquiry);
}

#[test]
fn what_was_never_taken_is_no_such_debit_unless_a_file_has_it() {
    let refused = case(&[What::Requested, What::Refused], not_expected(NotExpected::Declined));
    check(&refused, NOTHING, Reason::Declined, Outcome::NoSuchDebit);
    check(&refused, SETTLED, Reason::PaidAfterClose, Outcome::UnderInquiry);
    let ended = [What::Requested, What::Aborted(AbortedBy::Operator)];
    let ended = case(&ended, not_expected(NotExpected::Aborted));
    check(&ended, NOTHING, Reason::Cancelled, Outcome::NoSuchDebit);
    let late = open(case(&[What::Requested, What::Approved], NO_SLIP), FindingKind::LateSuccess);
    check(&late, NOTHING, Reason::PaidAfterClose, Outcome::UnderInquiry);
    let other =
        open(case(&[What::Requested, What::Approved], PRINTED), FindingKind::AmountMismatch);
    check(&other, SETTLED, Reason::AmountDiffers, Outcome::UnderInquiry);
}

#[test]
fn of_two_debits_the_other_one_counts() {
    let paid = open(case(&[What::Requested, What::Approved], NO_SLIP), FindingKind::DuplicateDebit);
    let second = case(&[What::Requested, What::Approved], PRINTED);
    let undone =
        case(&[What::Requested, What::Approved, What::Voided], not_expected(NotExpected::Voided));
    let reason = |other: &Case, booked| {
        let found = Found::Payment { case: &paid, booked: NOTHING, partner: Some((other, booked)) };
        answer(found, Trouble::ChargedTwice, NOW, &test_calendar()).reason
    };
    assert_eq!(reason(&second, NOTHING), Reason::TwoDebits);
    assert_eq!(reason(&second, CREDITED), Reason::OtherOneUndone);
    assert_eq!(reason(&undone, NOTHING), Reason::OtherOneUndone);
}

#[test]
fn no_such_debit_is_said_only_of_what_was_wholly_heard() {
    let reason = |heard| answer(Found::Nothing(heard), Trouble::NoSlip, NOW, &test_calendar());
    assert_eq!(reason(Heard::Whole).outcome(), Outcome::NoSuchDebit);
    for heard in [Heard::Not, Heard::WhichShop, Heard::WhichDay] {
        let answer = reason(heard);
        assert_eq!(answer.outcome(), Outcome::UnderInquiry, "{heard:?}");
        assert!(matches!(answer.promise, Some((Promise::Word, _))), "{heard:?}");
    }
    let row = |gives_back| Found::Row { gives_back, at: EventTime(PAID) };
    let reason = |found| answer(found, Trouble::NoSlip, NOW, &test_calendar()).reason;
    assert_eq!(reason(row(false)), Reason::OnlyInFile);
    assert_eq!(reason(row(true)), Reason::Credited);
    assert_eq!(reason(Found::Several), Reason::SeveralFit);
}

#[test]
fn all_six_outcomes_can_come_out() {
    let mut found: Vec<Outcome> = Reason::ALL.iter().map(|reason| reason.outcome()).collect();
    found.sort();
    found.dedup();
    assert_eq!(found, Outcome::ALL);
}
