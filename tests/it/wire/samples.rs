//! One event of each body, with every field filled somewhere and absent somewhere. What the frozen bytes stand for.

use slipwatch_shared::card::{Card, CardToken, EntryMode, MaskedPan};
use slipwatch_shared::event::*;
use slipwatch_shared::field::FieldError;
use slipwatch_shared::money::{Amount, Currency};
use slipwatch_shared::times::{BootId, DeviceTime, EventTime, Observed, Uptime};
use slipwatch_shared::wire::envelope::{ClockState, Covered, Group};
use std::str::FromStr;

pub const BOOT: BootId = BootId([0x0b, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
pub const CLOCK: ClockState = ClockState { wall_offset_ms: 1_795_478_400_000, synchronised: true };

pub fn value<T: FromStr<Err = FieldError>>(text: &str) -> T {
    text.parse().expect("a sound sample")
}

/// Every key that a payment can have.
pub fn all_keys() -> Keys {
    Keys {
        kind: Some(Kind::Completion),
        instrument: Some(Instrument::UnionpayQr),
        amount: Some(Amount::new(1_250, Currency::CNY)),
        stan: Some(value("000123")),
        batch_number: Some(value("000007")),
        rrn: Some(value("123456789012")),
        authorization_code: Some(value("A1B2C3")),
        order_number: Some(Box::new(value("ORDER-2026-1"))),
        channel_transaction_id: Some(Box::new(value("4200001234"))),
        merchant: Some(value("898310148160568")),
        card: Some(Card {
            pan: MaskedPan::from_masked("622576******6691").ok(),
            brand: Some(value("CUP")),
            entry_mode: Some(EntryMode::Contactless),
            chip_counter: Some(77),
            token: Some(CardToken([0xaa; 16])),
        }),
        operator: Some(value("01")),
        host_time: Some(device_time()),
        original: Some(OriginalKeys {
            stan: Some(value("000122")),
            batch_number: Some(value("000006")),
            rrn: Some(value("123456789011")),
            authorization_code: Some(value("A1B2C2")),
        }),
    }
}

/// What a typical line shows.
pub fn few_keys() -> Keys {
    Keys {
        kind: Some(Kind::Sale),
        amount: Some(Amount::new(990, Currency::EUR)),
        stan: Some(value("999999")),
        card: Some(Card { pan: MaskedPan::from_masked("****6691").ok(), ..Card::default() }),
        ..Keys::default()
    }
}

fn device_time() -> DeviceTime {
    DeviceTime {
        year: Some(2026),
        month_day: Some((11, 24)),
        hour: 9,
        minute: 30,
        second: 5,
        millisecond: 250,
    }
}

fn slip(copy: Option<Copy>, reprint: bool) -> Slip {
    Slip { copy, reprint, keys: few_keys() }
}

/// One of each, in the order of the wire.
pub fn bodies() -> Vec<Body> {
    let keys = few_keys;
    let batch_number = Some(value("000007"));
    let totals = SettlementTotals {
        batch_number,
        by: TotalsBy::Host,
        debit_count: 12,
        debit: Some(Amount::new(123_456, Currency::CNY)),
        credit_count: 1,
        credit: None,
    };
    let status = PrinterStatus {
        online: Some(true),
        cover_open: Some(false),
        paper: Some(Paper::NearEnd),
        cutter_error: None,
        error: Some(false),
    };
    let source = SourceDescription {
        name: "till-1".into(),
        dialect: "kv-en".into(),
        hears_money: true,
        hears_slips: true,
        two_way: false,
        historical: true,
    };
    vec![
        Body::AuthorizationRequested(all_keys()),
        Body::AuthorizationAnswered { keys: keys(), response_code: value("00") },
        Body::AuthorizationTimedOut(keys()),
        Body::TransactionCompleted(Keys::default()),
        Body::TransactionAborted { keys: keys(), by: AbortedBy::Unknown },
        Body::Reversal { keys: keys(), phase: ReversalPhase::Failed },
        Body::Void { keys: all_keys(), phase: ExchangePhase::Requested },
        Body::Refund { keys: keys(), phase: ExchangePhase::Approved },
        Body::Preauthorization { keys: keys(), phase: ExchangePhase::Declined },
        Body::Completion { keys: keys(), phase: ExchangePhase::TimedOut },
        Body::SlipStarted(slip(None, false)),
        Body::SlipPrinted { slip: slip(Some(Copy::Customer), true), grade: SlipGrade::ProcessId },
        Body::SlipFailed { slip: slip(Some(Copy::Merchant), false), reason: SlipFailure::Unknown },
        Body::SlipLost { slip: slip(None, false), reason: SlipLoss::Cancelled },
        Body::SlipIssuedElectronically {
            slip: slip(None, false),
            channel: ElectronicChannel::Wallet,
        },
        Body::SlipDeclined(slip(Some(Copy::Customer), false)),
        Body::PrinterStatus(status),
        Body::SettlementStarted { batch_number },
        Body::SettlementTotals(totals),
        Body::SettlementClosed { batch_number: None, result: SettlementResult::Error },
        Body::NetworkUp,
        Body::NetworkDown,
        Body::DeviceRestarted,
        Body::SignedOn { batch_number },
        Body::OperatorAction { action: OperatorAction::Menu, keys: keys() },
        Body::SourceOpened(source),
        Body::SourceLost { reason: SourceLoss::EndOfFile },
        Body::DecodeFailed { reason: DecodeFailure::Overrun },
        Body::ClockStepped { by_ms: -3_600_000 },
        Body::Lost { from: Seq(3), through: Seq(30), reason: LossReason::AlreadyDelivered },
        Body::Pulse(LineCounts { bytes: 300, lines: 2, unmatched: 1, rejected: 0 }),
        Body::Sealed(Seal {
            from: Seq(5),
            previous: [1; 32],
            chain: [2; 32],
            key: [3; 32],
            signature: [[4; 32], [5; 32]],
        }),
        Body::OfflineUpload { keys: keys(), phase: ExchangePhase::Approved },
        Body::PrintingAssigned { to: PrintedBy::TillOwnLayout },
    ]
}

/// A body's name in the fixtures. No `_` arm: who appends a body is led here, and from here to [`bodies`].
pub fn name(body: &Body) -> &'static str {
    match body {
        Body::AuthorizationRequested(_) => "authorization_requested",
        Body::AuthorizationAnswered { .. } => "authorization_answered",
        Body::AuthorizationTimedOut(_) => "authorization_timed_out",
        Body::TransactionCompleted(_) => "transaction_completed",
        Body::TransactionAborted { .. } => "transaction_aborted",
        Body::Reversal { .. } => "reversal",
        Body::Void { .. } => "void",
        Body::Refund { .. } => "refund",
        Body::Preauthorization { .. } => "preauthorization",
        Body::Completion { .. } => "completion",
        Body::SlipStarted(_) => "slip_started",
        Body::SlipPrinted { .. } => "slip_printed",
        Body::SlipFailed { .. } => "slip_failed",
        Body::SlipLost { .. } => "slip_lost",
        Body::SlipIssuedElectronically { .. } => "slip_issued_electronically",
        Body::SlipDeclined(_) => "slip_declined",
        Body::PrinterStatus(_) => "printer_status",
        Body::SettlementStarted { .. } => "settlement_started",
        Body::SettlementTotals(_) => "settlement_totals",
        Body::SettlementClosed { .. } => "settlement_closed",
        Body::NetworkUp => "network_up",
        Body::NetworkDown => "network_down",
        Body::DeviceRestarted => "device_restarted",
        Body::SignedOn { .. } => "signed_on",
        Body::OperatorAction { .. } => "operator_action",
        Body::SourceOpened(_) => "source_opened",
        Body::SourceLost { .. } => "source_lost",
        Body::DecodeFailed { .. } => "decode_failed",
        Body::ClockStepped { .. } => "clock_stepped",
        Body::Lost { .. } => "lost",
        Body::Pulse(_) => "pulse",
        Body::Sealed(_) => "sealed",
        Body::OfflineUpload { .. } => "offline_upload",
        Body::PrintingAssigned { .. } => "printing_assigned",
    }
}

pub fn event(seq: u64, body: Body, evidence: Evidence) -> Event {
    let uptime = Uptime(60_000 + seq * 10);
    let is_own = matches!(body, Body::ClockStepped { .. } | Body::Lost { .. } | Body::Sealed(_));
    Event {
        seq: Seq(seq),
        source: if is_own { SourceId::AGENT } else { SourceId(1) },
        terminal: if is_own { None } else { Some(value("10000001")) },
        observed: Observed {
            boot: BOOT,
            uptime,
            wall: EventTime(CLOCK.wall_offset_ms + uptime.0 as i64),
            synchronised: CLOCK.synchronised,
        },
        device_time: (seq % 2 == 1).then(device_time),
        body,
        evidence,
    }
}

/// One event of each body; the evidence turns through its three kinds.
pub fn events() -> Vec<Event> {
    let evidence = |seq: u64| match seq % 3 {
        0 => Evidence::None,
        1 => Evidence::Text("凭证号 000123".into()),
        _ => Evidence::Frame([0x02, 0xff, 0x03].into()),
    };
    (1..).zip(bodies()).map(|(seq, body)| event(seq, body, evidence(seq))).collect()
}

pub fn group(events: &[Event]) -> Group {
    let mut group = Group::begin(BOOT, CLOCK, events[0].seq);
    events.iter().for_each(|event| group.push(event));
    group.covered.push(Covered { source: SourceId(1), until: Uptime(61_000) });
    group.covered.push(Covered { source: SourceId(300), until: Uptime(60_500) });
    group
}
