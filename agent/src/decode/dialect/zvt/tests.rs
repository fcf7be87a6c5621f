//! Whole conversations through the decoder: on one wire and on two, in every chunk size, over both transports.

use super::Zvt;
use crate::decode::decoder::{Decoded, Decoder};
use crate::decode::dialect::{Dialect, Direction, shipped};
use crate::decode::framer::shape::Shape;
use crate::decode::scrub::tests::{any_card, digits_of, shows};
use proptest::prelude::*;
use slipwatch_shared::event::{Body, Evidence, ExchangePhase, Keys, LineCounts};
use slipwatch_shared::times::Uptime;
use std::sync::Arc;

mod scrubbing;

fn unhex(text: &str) -> Vec<u8> {
    let text: String = text.split_whitespace().collect();
    (0..text.len() / 2)
        .map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).expect("hex"))
        .collect()
}

fn zvt(transport: &str) -> Arc<dyn Dialect> {
    shipped::dialect(transport).expect("it is shipped")
}

fn shape() -> Shape {
    super::framing(1).shapes[0].clone()
}

/// What was said, in a word each, with the numbers that matter.
fn words(decoded: &Decoded) -> String {
    let Decoded::Said { body, terminal, .. } = decoded else { return format!("{decoded:?}") };
    let keys = |keys: &Keys| {
        let mut words = String::new();
        if let Some(amount) = keys.amount {
            words += &format!(" {amount}");
        }
        if let Some(stan) = keys.stan {
            words += &format!(" #{stan}");
        }
        if let Some(original) = keys.original.and_then(|original| original.stan) {
            words += &format!(" of #{original}");
        }
        words
    };
    let phase = |phase: &ExchangePhase| format!("{phase:?}").to_lowercase();
    let said = match body {
        Body::AuthorizationRequested(of) => format!("asked{}", keys(of)),
        Body::AuthorizationAnswered { keys: of, response_code } => {
            format!("answered {response_code}{}", keys(of))
        }
        Body::AuthorizationTimedOut(of) => format!("timed out{}", keys(of)),
        Body::TransactionCompleted(of) => format!("completed{}", keys(of)),
        Body::TransactionAborted { keys: of, by } => format!("aborted by {by:?}{}", keys(of)),
        Body::Reversal { keys: of, phase } => format!("reversal {phase:?}{}", keys(of)),
        Body::Void { keys: of, phase: at } => format!("void {}{}", phase(at), keys(of)),
        Body::Refund { keys: of, phase: at } => format!("refund {}{}", phase(at), keys(of)),
        Body::Preauthorization { keys: of, phase: at } => format!("hold {}{}", phase(at), keys(of)),
        Body::Completion { keys: of, phase: at } => format!("booking {}{}", phase(at), keys(of)),
        Body::SlipPrinted { slip, .. } => {
            let reprint = if slip.reprint { " again" } else { "" };
            format!("printed{reprint} {:?}{}", slip.copy, keys(&slip.keys))
        }
        Body::SlipStarted(slip) => format!("begun {:?}{}", slip.copy, keys(&slip.keys)),
        Body::SlipFailed { slip, reason } => format!("failed {reason:?}{}", keys(&slip.keys)),
        other => format!("{other:?}"),
    };
    match terminal {
        Some(terminal) => format!("{terminal} {said}"),
        None => said,
    }
}

fn run(
    dialect: &Arc<dyn Dialect>,
    chunks: impl IntoIterator<Item = (Direction, Vec<u8>, u64)>,
) -> (Vec<Decoded>, LineCounts) {
    let mut decoder = Decoder::new(Arc::clone(dialect), None);
    let mut said = Vec::new();
    let mut now = Uptime(0);
    for (direction, bytes, pause_ms) in chunks {
        now = now.plus_ms(pause_ms);
        decoder.settle(now);
        decoder.push(direction, &bytes, now);
        said.extend(std::iter::from_fn(|| decoder.next_decoded()));
    }
    decoder.finish(now);
    said.extend(std::iter::from_fn(|| decoder.next_decoded()));
    (said, decoder.take_counts())
}

/// Messages of a conversation, one a line: `>` in front of those of the till, `~` for a length.
struct Talk(Vec<(Direction, Vec<u8>)>);

impl Talk {
    fn read(text: &str) -> Talk {
        let message = |line: &str| match line.split_once('~') {
            Some((code, fields)) => {
                let fields = unhex(fields);
                [unhex(code), vec![fields.len() as u8], fields].concat()
            }
            None => unhex(line),
        };
        let line = |line: &str| match line.strip_prefix('>') {
            Some(till) => (Direction::ToDevice, message(till)),
            None => (Direction::FromDevice, message(line)),
        };
        Talk(text.lines().map(str::trim).filter(|text| !text.is_empty()).map(line).collect())
    }

    /// As frames, each acknowledged by a byte that is glued to the next frame of the other side.
    fn framed(&self) -> Vec<(Direction, Vec<u8>)> {
        let mut last = None;
        let mut frames = Vec::new();
        for (direction, message) in &self.0 {
            let mut frame = shape().wrap(message);
            if last.is_some_and(|last| last != *direction) {
                frame.insert(0, 0x06);
            }
            last = Some(*direction);
            frames.push((*direction, frame));
        }
        frames
    }
}

/// Checks a conversation over both transports, on one wire and on two, byte by byte, in chunks and two messages a read.
#[track_caller]
fn check(talk: &str, expected: &[&str]) {
    let talk = Talk::read(talk);
    for (transport, messages) in [("zvt-tcp", talk.0.clone()), ("zvt", talk.framed())] {
        let dialect = zvt(transport);
        let check = |chunks: Vec<(Direction, Vec<u8>, u64)>, how: &str| {
            let (said, counts) = run(&dialect, chunks);
            let said: Vec<String> = said.iter().map(words).collect();
            assert_eq!(said, expected, "{transport}, {how}");
            assert_eq!((counts.rejected, counts.unmatched), (0, 0), "{transport}, {how}");
        };
        let whole: Vec<u8> = messages.iter().flat_map(|message| message.1.clone()).collect();
        for chunk_bytes in [1, 2, 3, 5, 16, 61, whole.len()] {
            let chunks = whole.chunks(chunk_bytes);
            let chunks = chunks.map(|chunk| (Direction::Either, chunk.to_vec(), 1)).collect();
            check(chunks, &format!("one wire, chunks of {chunk_bytes}"));
        }
        let two_wires = messages.iter().map(|(way, bytes)| (*way, bytes.clone(), 1)).collect();
        check(two_wires, "two wires");
        let bytes = messages
            .iter()
            .flat_map(|(way, bytes)| bytes.iter().map(|byte| (*way, vec![*byte], 1)));
        check(bytes.collect(), "two wires, byte by byte");
    }
}

/// 06 01 over 12.00 EUR, taken.
const ASKED: &str = ">060107 04000000001200
    800000
    04FF0117
    >800000\n";

/// Its result: approved, trace 704, receipt 704, terminal 28004869.
const APPROVED: &str = "040F ~ 2700 04000000001200 490978 0B000704 870704 2928004869 22F0F4EEEE4771
    >800000\n";

/// A slip of two lines in print lines, each taken.
const SLIP: &str = "06D1 ~ 40 4B554E44454E42454C4547 2020
    >800000
    06D1 ~ 00 54726163652D4E722E20303030373034
    >800000
    06D1 01 81
    >800000\n";

fn join(parts: &[&str]) -> String {
    parts.concat()
}

#[test]
fn a_purchase_is_asked_answered_printed_and_completed() {
    check(
        &join(&[ASKED, APPROVED, SLIP, "060F00\n>800000"]),
        &[
            "asked EUR 12.00",
            "28004869 answered 00 EUR 12.00 #000704",
            "28004869 printed Some(Customer) EUR 12.00 #000704",
            "28004869 completed EUR 12.00 #000704",
        ],
    );
}

#[test]
fn a_slip_that_comes_before_its_result_is_joined_with_it() {
    check(
        &join(&[ASKED, SLIP, APPROVED, "060F00\n>800000"]),
        &[
            "asked EUR 12.00",
            "28004869 answered 00 EUR 12.00 #000704",
            "28004869 printed Some(Customer) EUR 12.00 #000704",
            "28004869 completed EUR 12.00 #000704",
        ],
    );
}

#[test]
fn a_till_that_cannot_print_says_so() {
    let refused = SLIP.replacen(">800000", ">84CC00", 1);
    check(
        &join(&[ASKED, APPROVED, &refused, "060F00\n>800000"]),
        &[
            "asked EUR 12.00",
            "28004869 answered 00 EUR 12.00 #000704",
            "28004869 failed Refused EUR 12.00 #000704",
            "28004869 completed EUR 12.00 #000704",
        ],
    );
    let refused_at_last = SLIP.trim_end().to_owned();
    let refused_at_last = refused_at_last.strip_suffix(">800000").expect("it is taken");
    check(
        &join(&[ASKED, APPROVED, refused_at_last, ">84CC00\n060F00\n>800000"]),
        &[
            "asked EUR 12.00",
            "28004869 answered 00 EUR 12.00 #000704",
            "28004869 failed Refused EUR 12.00 #000704",
            "28004869 completed EUR 12.00 #000704",
        ],
    );
}

#[test]
fn a_slip_without_its_end_is_only_begun() {
    let torn = SLIP.split_once("06D1 01 81").expect("its end").0;
    check(
        &join(&[ASKED, APPROVED, torn]),
        &[
            "asked EUR 12.00",
            "28004869 answered 00 EUR 12.00 #000704",
            "28004869 begun Some(Customer) EUR 12.00 #000704",
        ],
    );
    // The terminal completes only what it has printed.
    check(
        &join(&[ASKED, APPROVED, torn, "060F00\n>800000"]),
        &[
            "asked EUR 12.00",
            "28004869 answered 00 EUR 12.00 #000704",
            "28004869 completed EUR 12.00 #000704",
            "28004869 printed Some(Customer) EUR 12.00 #000704",
        ],
    );
}

#[test]
fn a_refusal_of_the_host_is_an_answer_and_a_key_is_an_abort() {
    check(
        &join(&[ASKED, "040F02 2705\n>800000\n061E0105\n>800000"]),
        &["asked EUR 12.00", "answered 0x05 EUR 12.00"],
    );
    check(
        &join(&[ASKED, "061E016C\n>800000"]),
        &["asked EUR 12.00", "aborted by Unknown EUR 12.00"],
    );
    check(
        &join(&[ASKED, ">06B000\n800000\n061E016C\n>800000"]),
        &["asked EUR 12.00", &format!("{:?}", operator_abort()), "aborted by Operator EUR 12.00"],
    );
    check(">06010704000000001200\n848300", &["asked EUR 12.00", "aborted by Terminal EUR 12.00"]);
}

fn operator_abort() -> Body {
    let eur = "EUR".parse().expect("a currency");
    let amount = Some(slipwatch_shared::money::Amount::new(1200, eur));
    let kind = Some(slipwatch_shared::event::Kind::Sale);
    let keys = Keys { amount, kind, ..Keys::default() };
    Body::OperatorAction { action: slipwatch_shared::event::OperatorAction::Abort, keys }
}

#[test]
fn an_auto_reversal_is_sent_and_its_end_is_acknowledged() {
    check(
        &join(&[ASKED, "04FF0105\n>800000\n04FF0145\n>800000\n061E019A\n>800000"]),
        &[
            "asked EUR 12.00",
            "timed out EUR 12.00",
            "reversal Sent EUR 12.00",
            "reversal Acknowledged EUR 12.00",
        ],
    );
}

#[test]
fn what_is_done_after_an_auto_reversal_is_the_reversal() {
    check(
        &join(&[ASKED, APPROVED, "04FF0105\n>800000\n060F00\n>800000"]),
        &[
            "asked EUR 12.00",
            "28004869 answered 00 EUR 12.00 #000704",
            "28004869 reversal Sent EUR 12.00 #000704",
            "28004869 reversal Acknowledged EUR 12.00 #000704",
        ],
    );
    // An undo of a payment that nobody here heard of goes before the result of this one.
    check(
        &join(&[ASKED, "04FF0105\n>800000\n", APPROVED, "060F00\n>800000"]),
        &[
            "asked EUR 12.00",
            "timed out EUR 12.00",
            "reversal Sent EUR 12.00",
            "28004869 answered 00 EUR 12.00 #000704",
            "28004869 completed EUR 12.00 #000704",
        ],
    );
}

#[test]
fn a_reversal_that_finds_no_host_is_sent_before_the_next_payment() {
    let next = APPROVED.replace("0B000704", "0B000705").replace("870704", "870705");
    check(
        &join(&[
            ASKED,
            "04FF0105\n>800000\n061E019B\n>800000\n",
            ASKED,
            "04FF0105\n>800000\n",
            &next,
            "060F00\n>800000",
        ]),
        &[
            "asked EUR 12.00",
            "timed out EUR 12.00",
            "reversal Sent EUR 12.00",
            "NetworkDown",
            "asked EUR 12.00",
            "reversal Sent EUR 12.00",
            "28004869 reversal Acknowledged EUR 12.00",
            "28004869 answered 00 EUR 12.00 #000705",
            "28004869 completed EUR 12.00 #000705",
        ],
    );
}

#[test]
fn a_result_that_the_till_refuses_must_be_undone() {
    let refused = APPROVED.replace(">800000", ">846600");
    check(
        &join(&[ASKED, &refused, "061E0105\n>800000"]),
        &[
            "asked EUR 12.00",
            "28004869 answered 00 EUR 12.00 #000704",
            "28004869 reversal Pending EUR 12.00 #000704",
            "28004869 reversal Acknowledged EUR 12.00 #000704",
        ],
    );
}

#[test]
fn a_till_that_waits_answers_once_more_and_may_take_a_part() {
    let result = APPROVED.replace(">800000", ">849C00");
    let again = APPROVED.replace(">800000", ">849D07 04000000001000");
    check(
        &join(&[ASKED, &result, &again, "060F00\n>800000"]),
        &[
            "asked EUR 12.00",
            "28004869 answered 00 EUR 10.00 #000704",
            "28004869 completed EUR 10.00 #000704",
        ],
    );
    check(
        &join(&[ASKED, &result, ">849D07 04000000001000\n060F00\n>800000"]),
        &[
            "asked EUR 12.00",
            "28004869 answered 00 EUR 10.00 #000704",
            "28004869 completed EUR 10.00 #000704",
        ],
    );
}

#[test]
fn a_void_names_its_sale_by_the_receipt_number() {
    let sale = join(&[ASKED, APPROVED, "060F00\n>800000\n"]);
    let void = ">0630 ~ 000000 870704\n800000
        040F ~ 2700 04000000001200 0B000705 870705 490978\n>800000\n060F00\n>800000";
    check(
        &join(&[&sale, void]),
        &[
            "asked EUR 12.00",
            "28004869 answered 00 EUR 12.00 #000704",
            "28004869 completed EUR 12.00 #000704",
            "28004869 void requested of #000704",
            "28004869 void approved EUR 12.00 #000705 of #000704",
        ],
    );
    check(
        "040F ~ 2700 04000000001200 0B000705 37000704\n060F00",
        &["void approved EUR 12.00 #000705 of #000704"],
    );
}

#[test]
fn holds_bookings_and_refunds_are_told_apart() {
    check(
        ">0622 ~ 04000000002500 490978\n800000
        040F ~ 2700 04000000002500 0B000975 870231 3B373530303731 0000\n>800000\n060F00\n>800000",
        &["hold requested EUR 25.00", "hold approved EUR 25.00 #000975"],
    );
    check(
        ">0623 ~ 870231 04000000001295\n800000
        040F ~ 2700 04000000001295 0B000976\n>800000\n060F00\n>800000",
        &[
            "booking requested EUR 12.95",
            "booking approved EUR 12.95 #000976",
            "completed EUR 12.95 #000976",
        ],
    );
    check(
        ">0631 ~ 000000 04000000000500\n800000\n040F02 2764\n>800000\n061E0164\n>800000",
        &["refund requested EUR 5.00", "refund declined EUR 5.00"],
    );
}

#[test]
fn a_repeated_receipt_is_a_reprint_of_the_last_payment() {
    check(
        &join(&[
            ASKED,
            APPROVED,
            "060F00\n>800000\n>062003 000000\n800000\n",
            SLIP,
            "060F00\n>800000",
        ]),
        &[
            "asked EUR 12.00",
            "28004869 answered 00 EUR 12.00 #000704",
            "28004869 completed EUR 12.00 #000704",
            "28004869 OperatorAction { action: Reprint, keys: Keys { kind: None, instrument: None, \
             amount: None, stan: None, batch_number: None, rrn: None, authorization_code: None, \
             order_number: None, channel_transaction_id: None, merchant: None, card: None, \
             operator: None, host_time: None, original: None } }",
            "28004869 printed again Some(Customer) #000704",
        ],
    );
}

#[test]
fn a_close_of_the_day_is_no_payment_and_prints_no_slip() {
    let report = SLIP.replace("4B554E44454E42454C4547", "4B415353454E5343484E49");
    check(
        &join(&[
            ">065003 000000\n800000\n",
            &report,
            "040F ~ 2700 04000000000958 60F0F5F3 02330234 00000000000000 00000000000000 02000000000958 \
             00000000000000 00000000000000 00000000000000 00000000000000\n>800000\n060F00\n>800000",
        ]),
        &[
            "SettlementStarted { batch_number: None }",
            "SettlementTotals(SettlementTotals { batch_number: None, by: Terminal, debit_count: 2, \
             debit: Some(Amount { minor: 958, currency: EUR }), credit_count: 0, credit: None })",
            "SettlementClosed { batch_number: None, result: Balanced }",
        ],
    );
    check(
        ">065003 000000\n800000\n061E0177\n>800000",
        &[
            "SettlementStarted { batch_number: None }",
            "SettlementClosed { batch_number: None, result: Error }",
        ],
    );
}

#[test]
fn the_terminals_own_state_is_told_on_change() {
    let enquiry = |state: &str| format!(">050100\n800000\n060F ~ F0F0F1 41 {state}\n>800000\n");
    check(
        &join(&[
            ">061800\n800000\n060F00\n>800000\n",
            &enquiry("00"),
            &enquiry("CC"),
            &enquiry("CC"),
            &enquiry("00"),
            ">069303 000000\n800000\n04FF01D3\n>800000\n060F00\n>800000",
        ]),
        &[
            "DeviceRestarted",
            "PrinterStatus(PrinterStatus { online: None, cover_open: None, paper: None, \
             cutter_error: None, error: Some(true) })",
            "PrinterStatus(PrinterStatus { online: None, cover_open: None, paper: None, \
             cutter_error: None, error: Some(false) })",
            "NetworkUp",
            "SignedOn { batch_number: None }",
        ],
    );
}

#[test]
fn a_registration_says_who_prints_and_a_log_off_takes_it_back() {
    let register = |config: &str| {
        format!(">0600 06 123456 {config} 0978\n800000\n060F ~ 1900 490978\n>800000\n")
    };
    let assigned = |to: &str| format!("PrintingAssigned {{ to: {to} }}");
    for (config, to) in [
        ("BA", "TillFromTerminalText"),
        ("DE", "TillFromTerminalText"),
        ("02", "TillOwnLayout"),
        ("00", "Terminal"),
        ("B8", "Terminal"),
    ] {
        check(&register(config), &[&assigned(to)]);
    }
    let own = assigned("TillFromTerminalText");
    check(&join(&[&register("00"), ">060200\n800000\n"]), &[&assigned("Terminal"), &own]);
    // What the terminal does not take is not so.
    check(">0600 06 123456 00 0978\n846F00\n", &[]);
}

/// A conversation with pauses in front of its messages, over TCP on two wires.
#[track_caller]
fn check_timed(talk: &[(u64, &str)], expected: &[&str]) {
    let chunks = talk.iter().flat_map(|(pause_ms, text)| {
        let messages = Talk::read(text).0.into_iter().enumerate();
        messages.map(move |(at, (way, bytes))| (way, bytes, if at == 0 { *pause_ms } else { 0 }))
    });
    let (said, _) = run(&zvt("zvt-tcp"), chunks);
    let said: Vec<String> = said.iter().map(words).collect();
    assert_eq!(said, expected);
}

#[test]
fn a_result_that_nobody_takes_owes_an_undo_and_a_completion_settles_it() {
    let untaken = APPROVED.replace(">800000", "");
    let due = [
        "asked EUR 12.00",
        "28004869 answered 00 EUR 12.00 #000704",
        "28004869 reversal Pending EUR 12.00 #000704",
    ];
    check_timed(&[(0, ASKED), (0, &untaken), (5_000, "")], &due[..2]);
    let completed = "28004869 completed EUR 12.00 #000704";
    check_timed(
        &[(0, ASKED), (0, &untaken), (5_000, "060F00")],
        &[due[0], due[1], due[2], completed],
    );
    check_timed(&[(0, ASKED), (0, &untaken), (4_999, "060F00")], &[due[0], due[1], completed]);
}

#[test]
fn a_till_that_is_not_heard_is_not_taken_for_silent() {
    let untaken = APPROVED.replace(">800000", "");
    check_timed(
        &[(0, &untaken), (60_000, "060F00")],
        &["28004869 answered 00 EUR 12.00 #000704", "28004869 completed EUR 12.00 #000704"],
    );
}

#[test]
fn a_transaction_that_went_silent_ends_with_what_was_seen() {
    let mut decoder = Decoder::new(zvt("zvt-tcp"), None);
    let torn = SLIP.split_once("06D1 01 81").expect("its end").0;
    for (way, bytes) in Talk::read(&join(&[ASKED, APPROVED, torn])).0 {
        decoder.push(way, &bytes, Uptime(1_000));
    }
    let words_of = |decoder: &mut Decoder| -> Vec<String> {
        std::iter::from_fn(|| decoder.next_decoded()).map(|said| words(&said)).collect()
    };
    assert_eq!(words_of(&mut decoder).len(), 2);
    assert_eq!(decoder.settled_until(Uptime(90_000)), Uptime(1_000));
    assert_eq!(decoder.wake_at(), Some(Uptime(181_000)));
    decoder.settle(Uptime(180_999));
    assert!(words_of(&mut decoder).is_empty());
    decoder.settle(Uptime(181_000));
    assert_eq!(words_of(&mut decoder), ["28004869 begun Some(Customer) EUR 12.00 #000704"]);
    assert_eq!(
        (decoder.wake_at(), decoder.settled_until(Uptime(190_000))),
        (None, Uptime(190_000))
    );
}

#[test]
fn an_answer_that_is_told_a_moment_early_belongs_to_what_follows() {
    let [asked, accepted] = &Talk::read(">06010704000000001200\n800000").0[..] else {
        panic!("two")
    };
    let [result, taken] = &Talk::read(APPROVED).0[..] else { panic!("two") };
    let early = |pause| {
        let order = [asked, accepted, taken, result];
        let pauses = [0, 0, 0, pause];
        let chunks = order.iter().zip(pauses);
        let chunks = chunks.map(|((way, bytes), pause)| (*way, bytes.clone(), pause));
        let (said, _) = run(&zvt("zvt-tcp"), chunks.chain([(Direction::ToDevice, vec![], 6_000)]));
        said.len()
    };
    assert_eq!(early(16), 2, "asked and answered");
    assert_eq!(early(500), 3, "and an undo is owed: that was no answer to this");
}

#[test]
fn a_frame_that_is_sent_again_is_heard_once() {
    let asked = shape().wrap(&unhex("06010704000000001200"));
    let chunks =
        |pauses: [u64; 3]| pauses.map(|pause| (Direction::ToDevice, asked.clone(), pause)).to_vec();
    assert_eq!(run(&zvt("zvt"), chunks([0, 5_010, 5_010])).0.len(), 1);
    assert_eq!(run(&zvt("zvt"), chunks([0, 20_000, 20_000])).0.len(), 3);
    // Nobody sends again before its time, but for a NAK.
    assert_eq!(run(&zvt("zvt"), chunks([0, 10, 10])).0.len(), 3);
    let mut refused = chunks([0, 10, 10]);
    refused.insert(1, (Direction::FromDevice, vec![0x15], 5));
    refused.insert(3, (Direction::FromDevice, vec![0x15], 5));
    assert_eq!(run(&zvt("zvt"), refused).0.len(), 1);
}

#[test]
fn a_damaged_check_sum_costs_its_frame_alone() {
    let talk = Talk::read(&join(&[ASKED, APPROVED, SLIP, "060F00\n>800000"])).framed();
    let whole: Vec<(Direction, Vec<u8>, u64)> =
        talk.into_iter().map(|(_, bytes)| (Direction::Either, bytes, 1)).collect();
    let sound = run(&zvt("zvt"), whole.clone()).0;
    for damaged in 0..whole.len() {
        let mut chunks = whole.clone();
        let last = chunks[damaged].1.len() - 1;
        chunks[damaged].1[last] ^= 0x40;
        let (said, counts) = run(&zvt("zvt"), chunks);
        assert_eq!(counts.rejected, 1, "frame {damaged}");
        // The failure itself is told, and at most one event is missing.
        assert!(said.len() >= sound.len(), "frame {damaged}: {said:?}");
    }
}

#[test]
fn frames_of_other_peoples_tests_are_read() {
    let frames = "
        10 02 06 00 06 12 34 56 BA 09 78 10 03 24 C3
        10 02 06 01 0A 04 00 00 00 01 10 10 00 49 09 78 10 03 F2 FF
        10 02 06 70 00 10 03 D9 F9
        10 02 80 00 00 10 03 F5 1F
        10 02 84 9C 00 10 03 C3 41
        10 02 06 18 00 10 03 56 3A
        10 02 05 01 03 12 34 56 10 03 E0 43
        10 02 06 93 03 12 34 56 10 03 CA A4
        10 02 06 0F 0B F0 F0 F7 32 2E 31 34 2E 31 35 00 10 03 B1 11
        10 02 06 D1 19 00 47 65 73 61 6D 74 20 20 20 20 20 20 30 20 20 20 20 20 20 20 30 2C 30 30 10 03 B5 AB";
    let bytes = unhex(frames);
    for chunk_bytes in 1..=bytes.len() {
        let chunks = bytes.chunks(chunk_bytes).map(|chunk| (Direction::Either, chunk.to_vec(), 1));
        let (said, counts) = run(&zvt("zvt"), chunks);
        let said: Vec<String> = said.iter().map(words).collect();
        let expected = ["asked EUR 110.00", "DeviceRestarted", "SignedOn { batch_number: None }"];
        assert_eq!(said, expected, "in chunks of {chunk_bytes}");
        assert_eq!((counts.lines, counts.rejected, counts.unmatched), (10, 0, 0));
    }
}

#[test]
fn a_wrong_profile_says_what_is_right() {
    let wrong = |toml: &str| Zvt::parse("a.toml", toml).expect_err("it is wrong").to_string();
    let head = "about = 'x'\nfamily = 'zvt'\n";
    assert_eq!(
        wrong(&format!("{head}transport = 'tpc'")),
        "a.toml:3: unknown transport `tpc`; did you mean `tcp`?"
    );
    assert_eq!(
        wrong(&format!("{head}transport = 'tcp'\ncharset = 'cp473'")),
        "a.toml:4: unknown charset `cp473`; did you mean `cp437`?"
    );
    assert_eq!(
        wrong(&format!("{head}transport = 'tcp'\n[timers]\nanswer_ms = 0")),
        "a.toml:5: 0 ms: 1 to 3600000 are possible"
    );
    assert_eq!(
        wrong(&format!("{head}transport = 'tcp'\ncurency = 'EUR'")),
        "a.toml:4: unknown key `curency`; did you mean `currency`?"
    );
    assert!(
        wrong(&format!("{head}transport = 'tcp'\ncurrency = 'E'")).contains("a.toml:4: currency")
    );
}

/// Bytes as a device would send them, more or less.
fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..20),
        Just(unhex("06010704000000001200")),
        Just(unhex("040F092700040000000012000B000704")),
        Just(unhex("06D10E404B554E44454E42454C45472020")),
        Just(unhex("06D3150613252107FF09FF")),
        Just(unhex("1002060F0010039D6A")),
        Just(unhex("1002800000100300")),
        Just(unhex("800000")),
        Just(unhex("84CC00")),
        Just(unhex("04FF0105")),
        Just(unhex("061E016C")),
        Just(unhex("040FFFFFFF27")),
    ];
    prop::collection::vec(part, 0..40).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_survived_and_cut_the_same(
        bytes in any_bytes(), sizes in prop::collection::vec(1_usize..30, 1..10), tcp in any::<bool>(),
    ) {
        let dialect = zvt(if tcp { "zvt-tcp" } else { "zvt" });
        let whole = run(&dialect, [(Direction::Either, bytes.clone(), 0)]);
        let mut rest = bytes.as_slice();
        let mut chunks = Vec::new();
        for size in sizes.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (chunk, behind) = rest.split_at((*size).min(rest.len()));
            chunks.push((Direction::Either, chunk.to_vec(), 0));
            rest = behind;
        }
        prop_assert_eq!(run(&dialect, chunks), whole);
    }

    #[test]
    fn nothing_waits_for_ever(bytes in any_bytes(), tcp in any::<bool>(), way in 0_usize..3) {
        let ways = [Direction::Either, Direction::ToDevice, Direction::FromDevice];
        let mut decoder = Decoder::new(zvt(if tcp { "zvt-tcp" } else { "zvt" }), None);
        decoder.push(ways[way], &bytes, Uptime(0));
        let mut now = Uptime(0);
        for _ in 0..8 {
            let Some(wake) = decoder.wake_at() else { break };
            prop_assert!(wake > now || now == Uptime(0), "it wakes for nothing");
            now = wake;
            decoder.settle(now);
        }
        prop_assert_eq!(decoder.wake_at(), None);
        prop_assert_eq!(decoder.settled_until(Uptime(u64::MAX)), Uptime(u64::MAX));
    }
}
