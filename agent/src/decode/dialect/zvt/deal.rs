//! One transaction between till and terminal, from the till's command to the terminal's last word. Holds what belongs
//! together until it can be said; says nothing itself.

use super::printing::Slips;
use super::status::Status;
use slipwatch_shared::event::{Keys, Kind, OriginalKeys, PrintedBy};
use slipwatch_shared::money::{Amount, Currency};
use slipwatch_shared::times::{DeviceTime, Uptime};

/// What the till asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Task {
    /// 06 01, 06 21, 06 22, 06 23, 06 24, 06 25, 06 30, 06 31: money.
    Money(Kind),
    /// 06 20: the last slip again.
    Reprint,
    /// 06 50: the close of the day.
    Settlement,
    /// 06 10, 06 12: sums without a close.
    Totals,
    /// 06 93: a sign-on at the host.
    SignOn,
    /// 05 01: how the terminal is.
    Enquiry,
    /// 06 00: the till registers, and says who prints.
    Registration(PrintedBy),
    /// Anything else that is no payment.
    Other,
    /// What it was went by unheard.
    Unheard,
}

impl Task {
    /// What a command of the till asks for.
    pub fn of(code: u16) -> Task {
        match code {
            0x0601 | 0x0621 => Task::Money(Kind::Sale),
            0x0622 => Task::Money(Kind::Preauthorization),
            0x0623 | 0x0624 => Task::Money(Kind::Completion),
            0x0625 | 0x0630 => Task::Money(Kind::Void),
            0x0631 => Task::Money(Kind::Refund),
            0x0620 => Task::Reprint,
            0x0650 => Task::Settlement,
            0x0610 | 0x0612 => Task::Totals,
            0x0693 => Task::SignOn,
            0x0501 => Task::Enquiry,
            _ => Task::Other,
        }
    }
}

/// Who prints the slips of payments, by the config byte of a registration (PA00P015, 2.1: bits 02 and 80).
pub(super) fn printed_by(config: u8) -> PrintedBy {
    match (config & 0x02 != 0, config & 0x80 != 0) {
        (false, _) => PrintedBy::Terminal,
        (true, true) => PrintedBy::TillFromTerminalText,
        (true, false) => PrintedBy::TillOwnLayout,
    }
}

/// How the money of a transaction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// Nothing was said.
    Nothing,
    /// It went through.
    Approved,
    /// It did not.
    Failed,
}

/// How far the undo of a transaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Undo {
    /// None is due.
    None,
    /// The till did not take the result: the terminal must undo it.
    Due,
    /// The terminal is at it.
    Sent,
}

/// A result that waits for the till to take it.
#[derive(Debug)]
pub(super) struct Approval {
    /// When it was read, or read again.
    pub at: Uptime,
    /// The till asked to wait.
    pub waits: bool,
    /// The masked message.
    pub message: Box<[u8]>,
}

/// One transaction.
#[derive(Debug)]
pub(super) struct Deal {
    pub task: Task,
    /// All that is known of the payment.
    pub keys: Keys,
    pub device_time: Option<DeviceTime>,
    /// The receipt's number, once told.
    pub receipt: Option<u16>,
    pub told: Told,
    pub approval: Option<Approval>,
    pub undo: Undo,
    pub slips: Slips,
    /// The till's side of it was heard, so that its silence means something.
    pub till_heard: bool,
    /// The till asked to end it.
    pub aborted_by_till: bool,
    /// The terminal closes the day by itself in the middle of it.
    pub settling: bool,
    /// An undo that was left over from before is sent along.
    pub sends_old_undo: bool,
    /// When it was last heard of.
    pub alive_at: Uptime,
}

impl Deal {
    pub fn new(task: Task, at: Uptime) -> Deal {
        Deal {
            task,
            keys: Keys::default(),
            device_time: None,
            receipt: None,
            told: Told::Nothing,
            approval: None,
            undo: Undo::None,
            slips: Slips::default(),
            till_heard: task != Task::Unheard,
            aborted_by_till: false,
            settling: false,
            sends_old_undo: false,
            alive_at: at,
        }
    }

    /// The kind of business; absent where it is not known or none.
    pub fn kind(&self) -> Option<Kind> {
        match self.task {
            Task::Money(kind) => Some(kind),
            _ => self.keys.kind,
        }
    }

    /// Whether it is about a payment, as far as is known.
    pub fn is_money(&self) -> bool {
        matches!(self.task, Task::Money(_) | Task::Unheard)
    }

    /// Whether its success takes money; a payment whose kind went by unheard may.
    pub fn is_debit(&self) -> bool {
        self.is_money() && self.kind().is_none_or(Kind::is_debit)
    }

    /// Joins what a message says into what is known.
    pub fn join(&mut self, status: &Status, currency: Currency) {
        let keys = &mut self.keys;
        let amount = |minor| Amount::new(minor, status.currency.unwrap_or(currency));
        keys.amount = status.amount_minor.map(amount).or(keys.amount);
        keys.stan = status.stan.or(keys.stan);
        keys.merchant = status.merchant.or(keys.merchant);
        keys.authorization_code = status.authorization_code.or(keys.authorization_code);
        keys.card = status.card().or(keys.card);
        if let Some(stan) = status.original_stan {
            keys.original.get_or_insert_default().stan = Some(stan);
            if self.task == Task::Unheard {
                // Only what undoes a payment names another one.
                keys.kind = Some(Kind::Void);
            }
        }
        self.device_time = status.device_time.or(self.device_time);
        self.receipt = status.receipt.or(self.receipt);
    }
}

/// Adds to `known` what only `more` knows.
pub(super) fn fill(known: &mut Keys, more: &Keys) {
    macro_rules! take {
        ($($field:ident),+) => { $(known.$field = known.$field.take().or(more.$field.clone());)+ };
    }
    take!(kind, instrument, amount, stan, batch_number, rrn, authorization_code, order_number);
    take!(channel_transaction_id, merchant, operator, host_time, original);
    match (&mut known.card, &more.card) {
        (Some(known), Some(more)) => {
            known.pan = known.pan.or(more.pan);
            known.brand = known.brand.or(more.brand);
            known.entry_mode = known.entry_mode.or(more.entry_mode);
            known.chip_counter = known.chip_counter.or(more.chip_counter);
        }
        (known, more) => *known = known.or(*more),
    }
}

/// Most receipts that are remembered; a till voids what it sold since the last close.
const RECEIPTS_MAX: usize = 1024;

/// Which payment a receipt number was: commands of the till name payments by it alone.
#[derive(Debug, Default)]
pub(super) struct Receipts {
    /// The oldest first.
    known: std::collections::VecDeque<(u16, OriginalKeys)>,
}

impl Receipts {
    /// A payment got this number.
    pub fn note(&mut self, receipt: u16, keys: &Keys) {
        if self.known.len() == RECEIPTS_MAX {
            self.known.pop_front();
        }
        let original = OriginalKeys {
            stan: keys.stan,
            authorization_code: keys.authorization_code,
            ..OriginalKeys::default()
        };
        self.known.push_back((receipt, original));
    }

    /// The last payment with this number.
    pub fn find(&self, receipt: u16) -> Option<OriginalKeys> {
        let is_it = |known: &&(u16, OriginalKeys)| known.0 == receipt;
        self.known.iter().rev().find(is_it).map(|known| known.1)
    }
}
