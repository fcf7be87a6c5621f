//! What was heard of one payment, in the order of the stream, and which sorts of words are among it. Most questions that
//! rules ask are about words that most payments never hear: a bit answers those without a look at the list.

use super::case::{Fact, UnsoundAnswer, What};
use super::shape::{Shape, ShapeError};
use slipwatch_shared::event::{
    AbortedBy, ElectronicChannel, ExchangePhase, ReversalPhase, SlipFailure, SlipGrade, SlipLoss,
};
use std::ops::Deref;

/// Room is made for so many facts at first: those that wait for their slip have no more.
const USUAL: usize = 4;
/// And for so many more at once: most payments come to five or six.
const STEP: usize = 1;

/// Sorts of words, whatever else they tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sorts(u32);

impl Sorts {
    /// The host was asked.
    pub const REQUESTED: Sorts = Sorts::of(&What::Requested);
    /// It ended without success.
    pub const ABORTED: Sorts = Sorts::of(&What::Aborted(AbortedBy::Unknown));
    /// No sound answer came: the money may be gone.
    pub const UNANSWERED: Sorts = Sorts::of(&What::Unsound(UnsoundAnswer::NoAnswer))
        .or(Sorts::of(&What::TimedOut))
        .or(Sorts::of(&What::Reversal(ReversalPhase::Pending)));
    /// A settlement file has it.
    pub const SETTLED: Sorts = Sorts::of(&What::Settled);
    /// It was taken without the host, and told the host later.
    pub const UPLOADED: Sorts = Sorts::of(&What::Uploaded(ExchangePhase::Requested));
    /// It was taken without the host, however that was heard.
    pub const OFFLINE: Sorts = Sorts::of(&What::ApprovedOffline).or(Sorts::UPLOADED);
    /// A slip came out of the printer.
    pub const PRINTED: Sorts =
        Sorts::of(&What::SlipPrinted { copy: None, reprint: false, grade: SlipGrade::Claimed });
    /// A slip without paper went out.
    pub const ISSUED: Sorts = Sorts::of(&What::SlipIssued(ElectronicChannel::QrCode));
    /// No slip was wanted.
    pub const DECLINED: Sorts = Sorts::of(&What::SlipDeclined);
    /// A slip could not be printed, or is gone.
    pub const SPOILT: Sorts = Sorts::of(&What::SlipFailed(SlipFailure::Unknown))
        .or(Sorts::of(&What::SlipLost(SlipLoss::BufferCleared)));

    /// That of one word.
    pub const fn of(what: &What) -> Sorts {
        Sorts(1 << what.number())
    }

    /// These and those.
    pub const fn or(self, others: Sorts) -> Sorts {
        Sorts(self.0 | others.0)
    }
}

/// The facts of one payment. They are only ever added to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    list: Vec<Fact>,
    sorts: Sorts,
}

impl Facts {
    /// None, with room for those that most payments have.
    pub fn with_room() -> Facts {
        Facts { list: Vec::with_capacity(USUAL), sorts: Sorts::default() }
    }

    /// Whether a word of any of these sorts is among them.
    pub fn have(&self, sorts: Sorts) -> bool {
        self.sorts.0 & sorts.0 != 0
    }

    /// One more.
    pub fn push(&mut self, fact: Fact) {
        if self.list.len() == self.list.capacity() {
            self.list.reserve_exact(STEP);
        }
        self.sorts = self.sorts.or(Sorts::of(&fact.what));
        self.list.push(fact);
    }
}

impl Deref for Facts {
    type Target = [Fact];

    fn deref(&self) -> &[Fact] {
        &self.list
    }
}

impl From<Vec<Fact>> for Facts {
    fn from(list: Vec<Fact>) -> Facts {
        let sorts =
            list.iter().fold(Sorts::default(), |sorts, fact| sorts.or(Sorts::of(&fact.what)));
        Facts { list, sorts }
    }
}

impl FromIterator<Fact> for Facts {
    fn from_iter<I: IntoIterator<Item = Fact>>(facts: I) -> Facts {
        Vec::from_iter(facts).into()
    }
}

impl Shape for Facts {
    fn put(&self, out: &mut Vec<u8>) {
        self.list.put(out);
    }

    fn take(bytes: &mut &[u8]) -> Result<Facts, ShapeError> {
        Vec::take(bytes).map(Facts::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::correlate::case::{EventRef, Trouble, UnsoundAnswer};
    use crate::correlate::shape;
    use crate::correlate::timeline::StreamTime;
    use slipwatch_shared::event::SourceId;

    /// One word of each sort, in the order of their numbers.
    const WORDS: [What; 24] = [
        What::Requested,
        What::Approved,
        What::Refused,
        What::Unsound(UnsoundAnswer::WrongMac),
        What::TimedOut,
        What::Completed,
        What::Aborted(AbortedBy::Host),
        What::Reversal(ReversalPhase::Failed),
        What::Voided,
        What::Refunded,
        What::SlipStarted(None),
        What::SlipPrinted { copy: None, reprint: true, grade: SlipGrade::Sent },
        What::SlipFailed(SlipFailure::PaperOut),
        What::SlipLost(SlipLoss::PowerLost),
        What::SlipIssued(ElectronicChannel::Sms),
        What::SlipDeclined,
        What::Trouble(Trouble::Cutter),
        What::Restarted,
        What::PrintCancelled,
        What::NetworkDown,
        What::ApprovedOffline,
        What::Closed,
        What::Settled,
        What::Uploaded(ExchangePhase::Approved),
    ];

    fn fact(what: What) -> Fact {
        Fact { at: StreamTime(7), event: EventRef::LEAST, source: SourceId(1), what }
    }

    #[test]
    fn each_sort_is_had_by_its_own_words_alone() {
        for (number, word) in WORDS.iter().enumerate() {
            assert_eq!(usize::from(word.number()), number);
            let mut facts = Facts::with_room();
            facts.push(fact(*word));
            for other in &WORDS {
                assert_eq!(facts.have(Sorts::of(other)), other == word, "{other:?} of {word:?}");
            }
        }
    }

    #[test]
    fn sorts_come_back_with_the_facts() {
        let facts: Facts = WORDS.into_iter().map(fact).collect();
        let bytes = shape::to_bytes(&facts);
        assert_eq!(shape::from_bytes::<Facts>(&bytes), Ok(facts));
    }
}
