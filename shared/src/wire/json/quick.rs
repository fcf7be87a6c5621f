//! A quick reader of lines as this house writes them: compact, plain ASCII names, numbers without points. It borrows
//! texts where they lie and makes the event at once. Whatever is unusual (blanks, escapes, nulls, fields that are
//! double, missing, unknown or malformed) it hands back unread: then serde reads the line and says what is wrong. So it
//! never reads a line otherwise than serde does; `wire` tests hold it to that.

use crate::card::{Card, CardToken, MaskedPan};
use crate::event::{
    AbortedBy, Body, Copy, DecodeFailure, ElectronicChannel, Epoch, Event, Evidence, ExchangePhase,
    Instrument, Keys, Kind, LineCounts, LossReason, OperatorAction, OriginalKeys, Paper, PrintedBy,
    PrinterStatus, ReversalPhase, Seq, SettlementResult, SettlementTotals, Slip, SlipFailure,
    SlipGrade, SlipLoss, SourceDescription, SourceId, SourceLoss, TotalsBy,
};
use crate::money::{AMOUNT_MINOR_MAX, Amount};
use crate::terminal::TerminalId;
use crate::times::{BootId, DeviceTime, EventTime, Observed, Uptime};
use crate::trace::{BatchNumber, Stan};
use std::str::FromStr;

/// A line that was read where it lies; its event is without the evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineView<'a> {
    /// Whose shop, not yet looked at as a name.
    pub store: &'a str,
    /// Which agent, not yet looked at as a name.
    pub agent: &'a str,
    /// Which life of its numbering.
    pub epoch: Epoch,
    /// What was said.
    pub event: Event,
}

/// Reads a line, without its end; absent when anything about it is unusual.
pub fn read(line: &str) -> Option<LineView<'_>> {
    let mut cursor = Cursor { line, at: 0 };
    let (mut store, mut agent, mut epoch, mut seq) = (None, None, None, None);
    let (mut boot, mut uptime, mut wall, mut synchronised) = (None, None, None, None);
    let (mut source, mut terminal, mut device_time, mut body) = (None, None, None, None);
    let (mut text, mut frame) = (None, None);
    cursor.object(|cursor, name| match name {
        "store" => once(&mut store, cursor.text()?),
        "agent" => once(&mut agent, cursor.text()?),
        "epoch" => once(&mut epoch, cursor.unsigned()?),
        "seq" => once(&mut seq, cursor.unsigned()?),
        "boot" => once(&mut boot, cursor.boot()?),
        "uptime_ms" => once(&mut uptime, cursor.unsigned()?),
        "wall_ms" => once(&mut wall, cursor.signed()?),
        "synchronised" => once(&mut synchronised, cursor.truth()?),
        "source" => once(&mut source, cursor.small::<u16>()?),
        "terminal" => once(&mut terminal, cursor.field::<TerminalId>()?),
        "device_time" => once(&mut device_time, cursor.device_time()?),
        "body" => once(&mut body, cursor.body()?),
        "text" => once(&mut text, cursor.skip_text()?),
        "frame" => once(&mut frame, cursor.skip_frame()?),
        _ => None,
    })?;
    if cursor.at != line.len() {
        return None;
    }
    let event = Event {
        seq: Seq(seq?),
        source: SourceId(source?),
        terminal,
        observed: Observed {
            boot: boot.unwrap_or_default(),
            uptime: Uptime(uptime?),
            wall: EventTime(wall?),
            synchronised: synchronised.unwrap_or_default(),
        },
        device_time,
        body: body?,
        evidence: Evidence::None,
    };
    Some(LineView { store: store?, agent: agent?, epoch: Epoch(epoch.unwrap_or(1)), event })
}

/// Puts a value where none is yet.
#[inline(always)]
fn once<T>(place: &mut Option<T>, value: T) -> Option<()> {
    if place.is_some() {
        return None;
    }
    *place = Some(value);
    Some(())
}

/// A word of an enum, by its name on the wire.
macro_rules! words {
    ($reader:ident -> $domain:ident { $($word:literal => $variant:ident),+ $(,)? }) => {
        fn $reader(&mut self) -> Option<$domain> {
            Some(match self.text()? { $($word => $domain::$variant,)+ _ => return None })
        }
    };
}

struct Cursor<'a> {
    line: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    #[inline(always)]
    fn peek(&self) -> Option<u8> {
        self.line.as_bytes().get(self.at).copied()
    }

    #[inline(always)]
    fn take(&mut self, wanted: u8) -> Option<()> {
        (self.peek()? == wanted).then(|| self.at += 1)
    }

    /// The fields of an object, each once looked at by `field`.
    #[inline(always)]
    fn object(
        &mut self,
        mut field: impl FnMut(&mut Cursor<'a>, &'a str) -> Option<()>,
    ) -> Option<()> {
        self.take(b'{')?;
        if self.take(b'}').is_some() {
            return Some(());
        }
        loop {
            let name = self.text()?;
            self.take(b':')?;
            field(self, name)?;
            match self.peek()? {
                b',' => self.at += 1,
                b'}' => break,
                _ => return None,
            }
        }
        self.at += 1;
        Some(())
    }

    /// A text without an escape.
    #[inline(always)]
    fn text(&mut self) -> Option<&'a str> {
        self.take(b'"')?;
        let begun = self.at;
        self.at += plain_length(self.line.as_bytes().get(begun..)?);
        let text = self.line.get(begun..self.at)?;
        self.take(b'"')?;
        Some(text)
    }

    /// A text that nobody asks for.
    fn skip_text(&mut self) -> Option<()> {
        self.take(b'"')?;
        let bytes = self.line.as_bytes();
        loop {
            self.at += plain_length(bytes.get(self.at..)?);
            match *bytes.get(self.at)? {
                b'"' => break,
                b'\\' => {
                    let plain = b"\"\\/bfnrt".contains(bytes.get(self.at + 1)?);
                    plain.then(|| self.at += 2)?;
                }
                _ => return None,
            }
        }
        self.at += 1;
        Some(())
    }

    /// Bytes in hexadecimal digits that nobody asks for.
    fn skip_frame(&mut self) -> Option<()> {
        let digits = self.text()?;
        let sound = digits.len().is_multiple_of(2);
        (sound && digits.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(())
    }

    #[inline(always)]
    fn unsigned(&mut self) -> Option<u64> {
        let begun = self.at;
        let rest = self.line.as_bytes().get(begun..)?;
        let is_digit = |byte: &&u8| byte.is_ascii_digit();
        // So many always fit.
        let small = rest.iter().take(DIGITS_MAX).take_while(is_digit);
        let mut digits = 0;
        let mut value = small.fold(0_u64, |value, byte| {
            digits += 1;
            value * 10 + u64::from(byte - b'0')
        });
        if digits == DIGITS_MAX {
            for byte in rest[DIGITS_MAX..].iter().take_while(is_digit) {
                digits += 1;
                value = value.checked_mul(10)?.checked_add(u64::from(byte - b'0'))?;
            }
        }
        self.at += digits;
        let padded = digits > 1 && self.line.as_bytes()[begun] == b'0';
        let goes_on = matches!(self.peek()?, b'.' | b'e' | b'E');
        (digits > 0 && !padded && !goes_on).then_some(value)
    }

    #[inline(always)]
    fn signed(&mut self) -> Option<i64> {
        if self.take(b'-').is_none() {
            return i64::try_from(self.unsigned()?).ok();
        }
        // "-0" is a number with a point to serde.
        let value = i64::try_from(self.unsigned()?).ok().filter(|value| *value > 0)?;
        Some(-value)
    }

    #[inline(always)]
    fn small<T: TryFrom<u64>>(&mut self) -> Option<T> {
        T::try_from(self.unsigned()?).ok()
    }

    fn truth(&mut self) -> Option<bool> {
        let rest = self.line.as_bytes().get(self.at..)?;
        let (value, length) = match rest {
            [b't', b'r', b'u', b'e', ..] => (true, 4),
            [b'f', b'a', b'l', b's', b'e', ..] => (false, 5),
            _ => return None,
        };
        self.at += length;
        Some(value)
    }

    #[inline(always)]
    fn field<T: FromStr>(&mut self) -> Option<T> {
        self.text()?.parse().ok()
    }

    fn boot(&mut self) -> Option<BootId> {
        let digits: &[u8; 32] = self.text()?.as_bytes().try_into().ok()?;
        let mut boot = [0; 16];
        for (byte, pair) in boot.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = hex_digit(pair[0])? << 4 | hex_digit(pair[1])?;
        }
        Some(BootId(boot))
    }

    fn device_time(&mut self) -> Option<DeviceTime> {
        let (mut year, mut month_day, mut hour) = (None, None, None);
        let (mut minute, mut second, mut millisecond) = (None, None, None);
        self.object(|cursor, name| match name {
            "year" => once(&mut year, cursor.small()?),
            "month_day" => {
                cursor.take(b'[')?;
                let month = cursor.small()?;
                cursor.take(b',')?;
                let day = cursor.small()?;
                cursor.take(b']')?;
                once(&mut month_day, (month, day))
            }
            "hour" => once(&mut hour, cursor.small()?),
            "minute" => once(&mut minute, cursor.small()?),
            "second" => once(&mut second, cursor.small()?),
            "millisecond" => once(&mut millisecond, cursor.small()?),
            _ => None,
        })?;
        let time = DeviceTime {
            year,
            month_day,
            hour: hour?,
            minute: minute?,
            second: second?,
            millisecond: millisecond?,
        };
        time.validated().ok()
    }

    fn amount(&mut self) -> Option<Amount> {
        let (mut minor, mut currency) = (None, None);
        self.object(|cursor, name| match name {
            "minor" => once(&mut minor, cursor.signed()?),
            "currency" => once(&mut currency, cursor.field()?),
            _ => None,
        })?;
        let minor: i64 = minor?;
        let sound = minor.unsigned_abs() <= AMOUNT_MINOR_MAX.unsigned_abs();
        sound.then_some(Amount { minor, currency: currency? })
    }

    fn stan(&mut self) -> Option<Stan> {
        Stan::from_number(self.small()?).ok()
    }

    fn batch_number(&mut self) -> Option<BatchNumber> {
        BatchNumber::from_number(self.small()?).ok()
    }

    fn card(&mut self) -> Option<Card> {
        let (mut first_six, mut last_four) = (None, None);
        let mut card = Card::default();
        self.object(|cursor, name| match name {
            "first_six" => once(&mut first_six, cursor.small::<u32>()?),
            "last_four" => once(&mut last_four, cursor.small::<u16>()?),
            "brand" => once(&mut card.brand, cursor.field()?),
            "entry_mode" => once(&mut card.entry_mode, cursor.entry_mode()?),
            "chip_counter" => once(&mut card.chip_counter, cursor.small()?),
            "token" => once(&mut card.token, cursor.token()?),
            _ => None,
        })?;
        // The first six alone are dropped by the wire's shape, whatever they are.
        if let Some(last_four) = last_four {
            card.pan = Some(MaskedPan::from_numbers(first_six, last_four).ok()?);
        }
        Some(card)
    }

    fn token(&mut self) -> Option<CardToken> {
        let mut token = [0_u8; 16];
        self.take(b'[')?;
        for (place, byte) in token.iter_mut().enumerate() {
            if place > 0 {
                self.take(b',')?;
            }
            *byte = self.small()?;
        }
        self.take(b']')?;
        Some(CardToken(token))
    }

    fn original(&mut self) -> Option<OriginalKeys> {
        let mut keys = OriginalKeys::default();
        self.object(|cursor, name| match name {
            "stan" => once(&mut keys.stan, cursor.stan()?),
            "batch_number" => once(&mut keys.batch_number, cursor.batch_number()?),
            "rrn" => once(&mut keys.rrn, cursor.field()?),
            "authorization_code" => once(&mut keys.authorization_code, cursor.field()?),
            _ => None,
        })?;
        Some(keys)
    }

    fn keys(&mut self) -> Option<Keys> {
        let mut keys = Keys::default();
        self.object(|cursor, name| match name {
            "kind" => once(&mut keys.kind, cursor.kind()?),
            "instrument" => once(&mut keys.instrument, cursor.instrument()?),
            "amount" => once(&mut keys.amount, cursor.amount()?),
            "stan" => once(&mut keys.stan, cursor.stan()?),
            "batch_number" => once(&mut keys.batch_number, cursor.batch_number()?),
            "rrn" => once(&mut keys.rrn, cursor.field()?),
            "authorization_code" => once(&mut keys.authorization_code, cursor.field()?),
            "order_number" => once(&mut keys.order_number, Box::new(cursor.field()?)),
            "channel_transaction_id" => {
                once(&mut keys.channel_transaction_id, Box::new(cursor.field()?))
            }
            "merchant" => once(&mut keys.merchant, cursor.field()?),
            "card" => once(&mut keys.card, cursor.card()?),
            "operator" => once(&mut keys.operator, cursor.field()?),
            "host_time" => once(&mut keys.host_time, cursor.device_time()?),
            "original" => once(&mut keys.original, cursor.original()?),
            _ => None,
        })?;
        Some(keys)
    }

    fn slip(&mut self) -> Option<Slip> {
        let (mut copy, mut reprint, mut keys) = (None, None, None);
        self.object(|cursor, name| match name {
            "copy" => once(&mut copy, cursor.copy()?),
            "reprint" => once(&mut reprint, cursor.truth()?),
            "keys" => once(&mut keys, cursor.keys()?),
            _ => None,
        })?;
        Some(Slip { copy, reprint: reprint?, keys: keys? })
    }

    fn body(&mut self) -> Option<Body> {
        self.take(b'{')?;
        let name = self.text()?;
        self.take(b':')?;
        let body = match name {
            "authorization_requested" => Body::AuthorizationRequested(self.only_keys()?),
            "authorization_answered" => {
                let (keys, response_code) = self.keys_and("response_code", Cursor::field)?;
                Body::AuthorizationAnswered { keys, response_code }
            }
            "authorization_timed_out" => Body::AuthorizationTimedOut(self.only_keys()?),
            "transaction_completed" => Body::TransactionCompleted(self.only_keys()?),
            "transaction_aborted" => {
                let (keys, by) = self.keys_and("by", Cursor::aborted_by)?;
                Body::TransactionAborted { keys, by }
            }
            "reversal" => {
                let (keys, phase) = self.keys_and("phase", Cursor::reversal_phase)?;
                Body::Reversal { keys, phase }
            }
            "void" => {
                let (keys, phase) = self.keys_and("phase", Cursor::exchange_phase)?;
                Body::Void { keys, phase }
            }
            "refund" => {
                let (keys, phase) = self.keys_and("phase", Cursor::exchange_phase)?;
                Body::Refund { keys, phase }
            }
            "preauthorization" => {
                let (keys, phase) = self.keys_and("phase", Cursor::exchange_phase)?;
                Body::Preauthorization { keys, phase }
            }
            "completion" => {
                let (keys, phase) = self.keys_and("phase", Cursor::exchange_phase)?;
                Body::Completion { keys, phase }
            }
            "offline_upload" => {
                let (keys, phase) = self.keys_and("phase", Cursor::exchange_phase)?;
                Body::OfflineUpload { keys, phase }
            }
            "operator_action" => {
                let (keys, action) = self.keys_and("action", Cursor::operator_action)?;
                Body::OperatorAction { action, keys }
            }
            "slip_started" => Body::SlipStarted(self.only_slip()?),
            "slip_declined" => Body::SlipDeclined(self.only_slip()?),
            "slip_printed" => {
                let (slip, grade) = self.slip_and("grade", Cursor::slip_grade)?;
                Body::SlipPrinted { slip, grade }
            }
            "slip_failed" => {
                let (slip, reason) = self.slip_and("reason", Cursor::slip_failure)?;
                Body::SlipFailed { slip, reason }
            }
            "slip_lost" => {
                let (slip, reason) = self.slip_and("reason", Cursor::slip_loss)?;
                Body::SlipLost { slip, reason }
            }
            "slip_issued_electronically" => {
                let (slip, channel) = self.slip_and("channel", Cursor::electronic_channel)?;
                Body::SlipIssuedElectronically { slip, channel }
            }
            "printer_status" => Body::PrinterStatus(self.printer_status()?),
            "settlement_totals" => Body::SettlementTotals(self.settlement_totals()?),
            "source_opened" => Body::SourceOpened(self.source_description()?),
            "pulse" => Body::Pulse(self.line_counts()?),
            _ => self.plain_body(name)?,
        };
        self.take(b'}')?;
        Some(body)
    }

    /// Bodies with a field or two of their own.
    fn plain_body(&mut self, name: &str) -> Option<Body> {
        let (mut batch_number, mut result, mut reason) = (None, None, None);
        let (mut failure, mut lost, mut by_ms, mut from, mut through, mut to) =
            (None, None, None, None, None, None);
        self.object(|cursor, field| match (name, field) {
            ("settlement_started" | "settlement_closed" | "signed_on", "batch_number") => {
                once(&mut batch_number, cursor.batch_number()?)
            }
            ("settlement_closed", "result") => once(&mut result, cursor.settlement_result()?),
            ("source_lost", "reason") => once(&mut reason, cursor.source_loss()?),
            ("decode_failed", "reason") => once(&mut failure, cursor.decode_failure()?),
            ("clock_stepped", "by_ms") => once(&mut by_ms, cursor.signed()?),
            ("lost", "from") => once(&mut from, cursor.unsigned()?),
            ("lost", "through") => once(&mut through, cursor.unsigned()?),
            ("lost", "reason") => once(&mut lost, cursor.loss_reason()?),
            ("printing_assigned", "to") => once(&mut to, cursor.printed_by()?),
            _ => None,
        })?;
        Some(match name {
            "settlement_started" => Body::SettlementStarted { batch_number },
            "settlement_closed" => Body::SettlementClosed { batch_number, result: result? },
            "signed_on" => Body::SignedOn { batch_number },
            "network_up" => Body::NetworkUp,
            "network_down" => Body::NetworkDown,
            "device_restarted" => Body::DeviceRestarted,
            "source_lost" => Body::SourceLost { reason: reason? },
            "decode_failed" => Body::DecodeFailed { reason: failure? },
            "printing_assigned" => Body::PrintingAssigned { to: to? },
            "clock_stepped" => Body::ClockStepped { by_ms: by_ms? },
            "lost" => Body::Lost { from: Seq(from?), through: Seq(through?), reason: lost? },
            _ => return None,
        })
    }

    fn only_keys(&mut self) -> Option<Keys> {
        let mut keys = None;
        self.object(|cursor, name| match name {
            "keys" => once(&mut keys, cursor.keys()?),
            _ => None,
        })?;
        keys
    }

    fn only_slip(&mut self) -> Option<Slip> {
        let mut slip = None;
        self.object(|cursor, name| match name {
            "slip" => once(&mut slip, cursor.slip()?),
            _ => None,
        })?;
        slip
    }

    #[inline(always)]
    fn keys_and<T>(
        &mut self,
        other: &str,
        read: fn(&mut Cursor<'a>) -> Option<T>,
    ) -> Option<(Keys, T)> {
        let (mut keys, mut value) = (None, None);
        self.object(|cursor, name| match name {
            "keys" => once(&mut keys, cursor.keys()?),
            name if name == other => once(&mut value, read(cursor)?),
            _ => None,
        })?;
        Some((keys?, value?))
    }

    #[inline(always)]
    fn slip_and<T>(
        &mut self,
        other: &str,
        read: fn(&mut Cursor<'a>) -> Option<T>,
    ) -> Option<(Slip, T)> {
        let (mut slip, mut value) = (None, None);
        self.object(|cursor, name| match name {
            "slip" => once(&mut slip, cursor.slip()?),
            name if name == other => once(&mut value, read(cursor)?),
            _ => None,
        })?;
        Some((slip?, value?))
    }

    fn printer_status(&mut self) -> Option<PrinterStatus> {
        let mut status = PrinterStatus::default();
        self.object(|cursor, name| match name {
            "online" => once(&mut status.online, cursor.truth()?),
            "cover_open" => once(&mut status.cover_open, cursor.truth()?),
            "paper" => once(&mut status.paper, cursor.paper()?),
            "cutter_error" => once(&mut status.cutter_error, cursor.truth()?),
            "error" => once(&mut status.error, cursor.truth()?),
            _ => None,
        })?;
        Some(status)
    }

    fn settlement_totals(&mut self) -> Option<SettlementTotals> {
        let (mut batch_number, mut by) = (None, None);
        let (mut debit_count, mut debit, mut credit_count, mut credit) = (None, None, None, None);
        self.object(|cursor, name| match name {
            "batch_number" => once(&mut batch_number, cursor.batch_number()?),
            "by" => once(&mut by, cursor.totals_by()?),
            "debit_count" => once(&mut debit_count, cursor.small()?),
            "debit" => once(&mut debit, cursor.amount()?),
            "credit_count" => once(&mut credit_count, cursor.small()?),
            "credit" => once(&mut credit, cursor.amount()?),
            _ => None,
        })?;
        Some(SettlementTotals {
            batch_number,
            by: by?,
            debit_count: debit_count?,
            debit,
            credit_count: credit_count?,
            credit,
        })
    }

    fn source_description(&mut self) -> Option<SourceDescription> {
        let (mut own_name, mut dialect, mut hears_money) = (None, None, None);
        let (mut hears_slips, mut two_way, mut historical) = (None, None, None);
        self.object(|cursor, name| match name {
            "name" => once(&mut own_name, cursor.text()?),
            "dialect" => once(&mut dialect, cursor.text()?),
            "hears_money" => once(&mut hears_money, cursor.truth()?),
            "hears_slips" => once(&mut hears_slips, cursor.truth()?),
            "two_way" => once(&mut two_way, cursor.truth()?),
            "historical" => once(&mut historical, cursor.truth()?),
            _ => None,
        })?;
        Some(SourceDescription {
            name: own_name?.into(),
            dialect: dialect?.into(),
            hears_money: hears_money?,
            hears_slips: hears_slips?,
            two_way: two_way?,
            historical: historical?,
        })
    }

    fn line_counts(&mut self) -> Option<LineCounts> {
        let (mut bytes, mut lines, mut unmatched, mut rejected) = (None, None, None, None);
        self.object(|cursor, name| match name {
            "bytes" => once(&mut bytes, cursor.unsigned()?),
            "lines" => once(&mut lines, cursor.unsigned()?),
            "unmatched" => once(&mut unmatched, cursor.unsigned()?),
            "rejected" => once(&mut rejected, cursor.unsigned()?),
            _ => None,
        })?;
        Some(LineCounts {
            bytes: bytes?,
            lines: lines?,
            unmatched: unmatched?,
            rejected: rejected?,
        })
    }

    words!(kind -> Kind {
        "sale" => Sale, "void" => Void, "refund" => Refund, "preauthorization" => Preauthorization,
        "completion" => Completion, "balance_inquiry" => BalanceInquiry,
    });
    words!(instrument -> Instrument {
        "card" => Card, "wechat_qr" => WechatQr, "alipay_qr" => AlipayQr,
        "unionpay_qr" => UnionpayQr,
    });
    words!(copy -> Copy { "merchant" => Merchant, "customer" => Customer });
    words!(slip_grade -> SlipGrade {
        "claimed" => Claimed, "sent" => Sent, "clean_status" => CleanStatus,
        "buffered_reply" => BufferedReply, "process_id" => ProcessId,
    });
    words!(slip_failure -> SlipFailure {
        "paper_out" => PaperOut, "cover_open" => CoverOpen, "cutter" => Cutter,
        "overheated" => Overheated, "offline" => Offline, "refused" => Refused,
        "unknown" => Unknown,
    });
    words!(slip_loss -> SlipLoss {
        "buffer_cleared" => BufferCleared, "power_lost" => PowerLost, "cancelled" => Cancelled,
    });
    words!(electronic_channel -> ElectronicChannel {
        "qr_code" => QrCode, "sms" => Sms, "email" => Email, "wallet" => Wallet,
    });
    words!(aborted_by -> AbortedBy {
        "operator" => Operator, "customer" => Customer, "terminal" => Terminal, "host" => Host,
        "unknown" => Unknown,
    });
    words!(reversal_phase -> ReversalPhase {
        "pending" => Pending, "sent" => Sent, "acknowledged" => Acknowledged, "failed" => Failed,
    });
    words!(exchange_phase -> ExchangePhase {
        "requested" => Requested, "approved" => Approved, "declined" => Declined,
        "timed_out" => TimedOut,
    });
    words!(paper -> Paper { "present" => Present, "near_end" => NearEnd, "end" => End });
    words!(totals_by -> TotalsBy { "terminal" => Terminal, "host" => Host });
    words!(printed_by -> PrintedBy {
        "terminal" => Terminal, "till_from_terminal_text" => TillFromTerminalText, "till_own_layout" => TillOwnLayout
    });
    words!(settlement_result -> SettlementResult {
        "balanced" => Balanced, "unbalanced" => Unbalanced, "error" => Error,
    });
    words!(operator_action -> OperatorAction {
        "reprint" => Reprint, "abort" => Abort, "cancel_print" => CancelPrint,
        "manual_entry" => ManualEntry, "menu" => Menu,
    });
    words!(source_loss -> SourceLoss {
        "agent_stopped" => AgentStopped, "unplugged" => Unplugged, "read_error" => ReadError,
        "end_of_file" => EndOfFile,
    });
    words!(decode_failure -> DecodeFailure {
        "too_long" => TooLong, "torn" => Torn, "checksum" => Checksum, "encoding" => Encoding,
        "field" => Field, "overrun" => Overrun,
    });
    words!(loss_reason -> LossReason {
        "spool_full" => SpoolFull, "disk_full" => DiskFull, "spool_damaged" => SpoolDamaged,
        "already_delivered" => AlreadyDelivered,
    });

    fn entry_mode(&mut self) -> Option<crate::card::EntryMode> {
        use crate::card::EntryMode;
        Some(match self.text()? {
            "swiped" => EntryMode::Swiped,
            "inserted" => EntryMode::Inserted,
            "contactless" => EntryMode::Contactless,
            "manual" => EntryMode::Manual,
            _ => return None,
        })
    }
}

/// So many decimal digits fit into a number of 64 bits, whatever they are.
const DIGITS_MAX: usize = 19;

/// How many bytes go before the first one that ends a plain text: a quote, a backslash, or one that no text holds. Eight
/// bytes at a step: in a word the lowest mark is a true one, those above it need not be.
#[inline(always)]
fn plain_length(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGHS: u64 = u64::from_le_bytes([0x80; 8]);
    let below = |word: u64, bound: u8| word.wrapping_sub(ONES * u64::from(bound)) & !word & HIGHS;
    let equal = |word: u64, byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    let mut at = 0;
    while let Some(eight) = bytes[at..].first_chunk() {
        let word = u64::from_le_bytes(*eight);
        let marks = equal(word, b'"') | equal(word, b'\\') | below(word, b' ');
        if marks != 0 {
            return at + marks.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let ends = |byte: &u8| matches!(byte, b'"' | b'\\' | ..b' ');
    at + bytes[at..].iter().position(ends).unwrap_or(bytes.len() - at)
}

/// The value of a hexadecimal digit.
#[inline(always)]
fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_byte_that_ends_a_text_is_found_wherever_it_stands() {
        for end in [b'"', b'\\', 0, b'\n', b' ' - 1] {
            for before in 0..40 {
                for behind in 0..20 {
                    let mut bytes = vec![b' '; before];
                    bytes.iter_mut().step_by(3).for_each(|byte| *byte = 0xff);
                    bytes.push(end);
                    bytes.extend((0..behind).map(|place| [b'!', b'#', 0x80, b'"', 0][place % 5]));
                    assert_eq!(plain_length(&bytes), before, "{bytes:?}");
                }
                assert_eq!(plain_length(&vec![b'#'; before]), before);
            }
        }
    }

    #[test]
    fn a_number_is_read_to_the_last_one_that_fits() {
        for (text, expected) in [
            ("18446744073709551615,", Some(u64::MAX)),
            ("18446744073709551616,", None),
            ("9999999999999999999}", Some(9_999_999_999_999_999_999)),
            ("99999999999999999999}", None),
            ("0,", Some(0)),
            ("01,", None),
            ("1.", None),
            (",", None),
        ] {
            assert_eq!(Cursor { line: text, at: 0 }.unsigned(), expected, "{text}");
        }
    }
}
