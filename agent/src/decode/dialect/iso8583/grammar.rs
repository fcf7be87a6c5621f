//! What a profile says of its messages' meaning: where numbers stand inside fields, which business a message is of,
//! and which codes end what.

use super::values::Values;
use slipwatch_shared::event::Kind;
use slipwatch_shared::money::Currency;

/// A number inside a field: which field, behind how many signs, and how many signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::decode::dialect) struct Part {
    pub field: u8,
    pub from: usize,
    pub signs: usize,
}

impl Part {
    /// Its text, where the field has that much.
    pub fn of(part: Option<Part>, values: &Values) -> Option<&str> {
        let Part { field, from, signs } = part?;
        values.get(field)?.get(from..from + signs)
    }
}

/// All such numbers.
#[derive(Clone, Debug, Default)]
pub(in crate::decode::dialect) struct Parts {
    /// What UnionPay calls the message's type code (60.1).
    pub function: Option<Part>,
    pub batch_number: Option<Part>,
    /// What a network message is about.
    pub network_code: Option<Part>,
    pub original_batch_number: Option<Part>,
    pub original_stan: Option<Part>,
    /// The trace of what a reversal undoes, where it has one of its own.
    pub reversed_stan: Option<Part>,
    /// The same in messages of the standard of 2003.
    pub reversed_stan_2003: Option<Part>,
    pub operator: Option<Part>,
}

/// Which business a message is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::decode::dialect) enum Business {
    /// What its kind says.
    Of(Kind),
    /// A sale that the terminal closed by itself and tells the host of later.
    StoredSale,
    /// None that takes or gives back money by itself.
    None,
}

/// A row of the table of businesses. What is absent fits anything.
#[derive(Clone, Debug)]
pub(in crate::decode::dialect) struct KindRow {
    /// Class and function of the request, `20` for 0200.
    pub mti: Option<[u8; 2]>,
    /// How field 3 begins; empty where there is none.
    pub processing: Option<Box<str>>,
    pub condition: Option<Box<str>>,
    pub function: Option<Box<str>>,
    pub is: Business,
}

/// How messages are to be understood.
#[derive(Clone, Debug)]
pub(in crate::decode::dialect) struct Grammar {
    pub currency: Currency,
    pub parts: Parts,
    pub kinds: Vec<KindRow>,
    pub sign_on: Vec<Box<str>>,
    /// Fields 12 and 13 of an answer are the host's clock, not the terminal's sent back.
    pub host_time: bool,
    /// Codes of the end of a batch's upload: its sums differed, its sums were equal.
    pub upload_ends: Option<(Box<str>, Box<str>)>,
    /// How often a terminal tries to undo.
    pub reversal_attempts: u32,
    /// How long it waits for each answer.
    pub reversal_answer_ms: u64,
    /// Answers to an undo behind which nothing is left to undo.
    pub reversal_done: Vec<Box<str>>,
}

impl Grammar {
    /// The business of a request, an advice, or the answer to one; nothing when the table has no row for it.
    pub fn business(&self, values: &Values) -> Option<Business> {
        let [_, class, function, _] = values.mti;
        // An answer's function is one above its request's.
        let asked = [class, b'0' + ((function - b'0') & !1)];
        let processing = values.get(3).unwrap_or("");
        let condition = values.get(25);
        let type_code = Part::of(self.parts.function, values);
        let fits = |row: &&KindRow| {
            row.mti.is_none_or(|mti| mti == asked)
                && row.processing.as_deref().is_none_or(|head| match head {
                    "" => processing.is_empty(),
                    head => processing.starts_with(head),
                })
                && row.condition.as_deref().is_none_or(|code| condition == Some(code))
                && row.function.as_deref().is_none_or(|code| type_code == Some(code))
        };
        self.kinds.iter().find(fits).map(|row| row.is)
    }
}
