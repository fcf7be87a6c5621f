//! Makes of terminals: who prints, over which lines, what a slip shows, what the device says of itself. Plain values;
//! what happens at one is told elsewhere.

use crate::voice::Voice;
use slipwatch_collector::correlate::policy::{OpeningHours, TerminalPolicy, WhoPrints};
use slipwatch_shared::event::SlipGrade;

/// What a slip's print job lets through of its payment's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shows {
    /// Amount, trace, batch, reference number, card.
    All,
    /// Trace and amount.
    Trace,
    /// The order number and the amount, as a till lays it out.
    Order,
}

/// One make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Make {
    /// Its name, as truth files spell it.
    pub name: &'static str,
    /// How it writes, where a voice of its own is at hand.
    pub voice: Option<Voice>,
    /// The printer has a line of its own.
    pub two_lines: bool,
    /// Who prints.
    pub who_prints: WhoPrints,
    /// How many copies.
    pub copies: u8,
    /// What a slip shows.
    pub shows: Shows,
    /// How surely a slip is known to be on paper.
    pub grade: SlipGrade,
    /// It says when a slip begins.
    pub begins_slips: bool,
    /// It takes wallets' codes and numbers its orders.
    pub wallets: bool,
}

const CARD: Make = Make {
    name: "kv-one-line",
    voice: Some(Voice::KeyValue),
    two_lines: false,
    who_prints: WhoPrints::Terminal,
    copies: 2,
    shows: Shows::All,
    grade: SlipGrade::Sent,
    begins_slips: true,
    wallets: false,
};

impl Make {
    /// All of them.
    pub const ALL: [Make; 7] = [
        CARD,
        Make { name: "kv-two-lines", two_lines: true, shows: Shows::Trace, ..CARD },
        Make { name: "cn-one-line", voice: Some(Voice::Chinese), begins_slips: false, ..CARD },
        Make { name: "cn-two-lines", voice: Some(Voice::Chinese), two_lines: true, ..CARD },
        Make {
            name: "till-printer",
            voice: None,
            two_lines: true,
            who_prints: WhoPrints::TillOwnLayout,
            copies: 1,
            shows: Shows::Order,
            grade: SlipGrade::ProcessId,
            wallets: true,
            ..CARD
        },
        Make {
            name: "wallet-box",
            voice: None,
            copies: 1,
            grade: SlipGrade::BufferedReply,
            wallets: true,
            ..CARD
        },
        Make { name: "e-signature", voice: None, who_prints: WhoPrints::None, ..CARD },
    ];

    /// Prints on paper at all.
    pub fn prints(&self) -> bool {
        self.who_prints != WhoPrints::None
    }

    /// What a terminal of this make is judged by.
    pub fn policy(&self, opening: Option<OpeningHours>) -> TerminalPolicy {
        TerminalPolicy {
            who_prints: self.who_prints,
            copies: self.copies,
            two_way: self.grade > SlipGrade::Sent,
            opening,
            ..TerminalPolicy::default()
        }
    }
}
