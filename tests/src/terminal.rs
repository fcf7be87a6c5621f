//! A scripted terminal with its printer: what really happens to each payment, word by word, with its time. This is the
//! truth that the ledger reads; how a device writes a word down is the voice's matter. Knows nothing of agents.

use crate::dice::Dice;

/// What happens to a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Story {
    /// Approved, both copies printed.
    Sale,
    /// The host refuses.
    Decline,
    /// The cashier ends it before the host was asked to pay.
    Abandoned,
    /// Approved, the paper is out, both copies come from the new roll within the deadline.
    PaperChanged,
    /// Approved, the paper is out, the copies come long after the deadline, marked as reprint.
    LateReprint,
    /// Approved, the paper is out, and nothing comes any more.
    PaperOut,
    /// Approved, and nothing is sent to the printer at all.
    NoSlip,
    /// Approved, the shop's copy comes, the shopper's never.
    MerchantCopyOnly,
    /// Approved, and the cashier cancels at the print prompt.
    PrintCancelled,
    /// No answer in time; the reversal is acknowledged soon.
    TimeoutReversed,
    /// No answer in time; the reversal waits for the next message and is acknowledged late.
    TimeoutReversedLate,
    /// No answer in time; the reversal's attempts are used up.
    TimeoutReversalLost,
    /// Approved, the slip goes out as a code on the screen.
    ElectronicSlip,
    /// Approved, the shopper wants no slip.
    SlipUnwanted,
    /// Approved, both copies, and then voided by the cashier, with slips of the void.
    Voided,
    /// Approved without slip and voided by the cashier instead.
    VoidedWithoutSlip,
    /// The first of two: approved, no slip; the same card is charged again.
    FirstOfTwo,
    /// The second of two: the same card and amount again, with slips.
    SecondOfTwo,
}

impl Story {
    /// All that can be told at random; the second of two follows its first.
    pub const ALL: [Story; 17] = [
        Story::Sale,
        Story::Decline,
        Story::Abandoned,
        Story::PaperChanged,
        Story::LateReprint,
        Story::PaperOut,
        Story::NoSlip,
        Story::MerchantCopyOnly,
        Story::PrintCancelled,
        Story::TimeoutReversed,
        Story::TimeoutReversedLate,
        Story::TimeoutReversalLost,
        Story::ElectronicSlip,
        Story::SlipUnwanted,
        Story::Voided,
        Story::VoidedWithoutSlip,
        Story::FirstOfTwo,
    ];
}

/// Whose copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Copy {
    /// 商户存根
    Merchant,
    /// 持卡人存根
    Customer,
}

/// One thing that a device does, and may write down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// The host is asked.
    Requested,
    /// The host approves.
    Approved,
    /// The host refuses with this code.
    Refused(&'static str),
    /// The wait for an answer is over.
    TimedOut,
    /// The terminal closes the payment as done.
    Completed,
    /// The cashier ends it.
    Abandoned,
    /// A reversal is written down.
    ReversalPending,
    /// It is sent.
    ReversalSent,
    /// The host undid the debit.
    ReversalAcknowledged,
    /// Its attempts are used up.
    ReversalFailed,
    /// A void of the payment is asked for; under its own trace.
    VoidRequested,
    /// The void is approved.
    VoidApproved,
    /// A copy goes to the printer.
    SlipStarted(Copy),
    /// A copy is on paper.
    SlipPrinted {
        /// Whose.
        copy: Copy,
        /// Marked as printed again.
        reprint: bool,
    },
    /// A copy could not be printed for want of paper.
    SlipFailed(Copy),
    /// The slip goes out as a code on the screen.
    SlipOnScreen,
    /// The shopper wants none.
    SlipUnwanted,
    /// The cashier cancels at the print prompt.
    PrintCancelled,
    /// The printer has no paper.
    PaperEnds,
    /// The printer has paper again.
    PaperBack,
    /// A copy of the void's own slip is on paper.
    VoidSlipPrinted(Copy),
    /// Something that concerns nobody.
    Chatter,
}

impl Word {
    /// Whether the printer's line carries it, where printer and terminal have a line each.
    pub fn is_printers(self) -> bool {
        matches!(
            self,
            Word::SlipStarted(_)
                | Word::SlipPrinted { .. }
                | Word::SlipFailed(_)
                | Word::SlipOnScreen
                | Word::SlipUnwanted
                | Word::PrintCancelled
                | Word::PaperEnds
                | Word::PaperBack
                | Word::VoidSlipPrinted(_)
        )
    }
}

/// A word and when it is said, in milliseconds of the world's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spoken {
    /// When.
    pub at: i64,
    /// What.
    pub word: Word,
}

/// A payment as it really is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// What happens to it.
    pub story: Story,
    /// Its terminal (field 41).
    pub terminal: String,
    /// Its trace (field 11).
    pub stan: u32,
    /// The trace of its void, where it has one.
    pub void_stan: u32,
    /// Minor units.
    pub amount: i64,
    /// First six digits of the card.
    pub first_six: u32,
    /// Last four.
    pub last_four: u16,
    /// The card's own counter.
    pub chip_counter: u16,
    /// Everything that happens, in order.
    pub spoken: Vec<Spoken>,
}

impl Payment {
    /// When its first word is said.
    pub fn began(&self) -> i64 {
        self.spoken.first().map_or(0, |spoken| spoken.at)
    }

    /// When its last word is said.
    pub fn ended(&self) -> i64 {
        self.spoken.last().map_or(0, |spoken| spoken.at)
    }

    /// When this is said first.
    pub fn when(&self, wanted: impl Fn(Word) -> bool) -> Option<i64> {
        self.spoken.iter().find(|spoken| wanted(spoken.word)).map(|spoken| spoken.at)
    }
}

/// How fast things go: a demonstration is played faster than a shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// About how long one step of a payment takes.
    pub step_ms: i64,
    /// When a debit without slip is rung about.
    pub alert_ms: i64,
    /// When a reversal that is not acknowledged is told.
    pub reversal_pending_ms: i64,
}

impl Pace {
    /// As in a shop, with the deadlines as shipped.
    pub const SHOP: Pace = Pace { step_ms: 1_200, alert_ms: 300_000, reversal_pending_ms: 600_000 };
}

/// One terminal: its number, its trace counter, and the hands of its shoppers.
#[derive(Clone, Debug)]
pub struct Terminal {
    number: String,
    pace: Pace,
    dice: Dice,
    stan: u32,
}

impl Terminal {
    /// A terminal whose next payment has the trace after `stan`.
    pub fn new(number: &str, stan: u32, pace: Pace, dice: Dice) -> Terminal {
        Terminal { number: number.to_owned(), pace, dice, stan }
    }

    /// Plays a story that begins at `at`. The second of two comes with its first, so there may be two payments.
    pub fn play(&mut self, story: Story, at: i64) -> Vec<Payment> {
        let first = self.payment(story, at);
        if story != Story::FirstOfTwo {
            return vec![first];
        }
        let again = first.ended() + self.pace.step_ms * 20;
        let mut second = self.payment(Story::SecondOfTwo, again);
        (second.amount, second.first_six) = (first.amount, first.first_six);
        (second.last_four, second.chip_counter) = (first.last_four, first.chip_counter + 1);
        vec![first, second]
    }

    fn next_stan(&mut self) -> u32 {
        self.stan = self.stan % 999_999 + 1;
        self.stan
    }

    fn payment(&mut self, story: Story, at: i64) -> Payment {
        let stan = self.next_stan();
        let voided = matches!(story, Story::Voided | Story::VoidedWithoutSlip);
        let void_stan = if voided { self.next_stan() } else { 0 };
        let spoken = self.script(story, at);
        Payment {
            story,
            terminal: self.number.clone(),
            stan,
            void_stan,
            // No two payments of a world share amount and card by chance: that would be a duplicate.
            amount: self.dice.between(2, 900) * 1_000 + i64::from(stan % 1_000),
            first_six: *self.dice.pick(&[622_576, 621_700, 456_351, 524_090]),
            last_four: (self.dice.below(10_000)) as u16,
            chip_counter: (self.dice.below(60_000)) as u16,
            spoken,
        }
    }

    fn script(&mut self, story: Story, at: i64) -> Vec<Spoken> {
        use self::Copy::{Customer, Merchant};
        use Word::*;
        let Pace { alert_ms, reversal_pending_ms, .. } = self.pace;
        let mut script = Script { at, spoken: Vec::new(), step: self.step() };
        match story {
            Story::Abandoned => script.say(&[Chatter, Abandoned]),
            Story::Decline => script.say(&[Requested, Refused("51")]),
            Story::Sale | Story::SecondOfTwo => script.approved().slips(false),
            Story::PaperChanged => {
                script.approved().paper_ends().wait(alert_ms / 4).say(&[PaperBack]).slips(false)
            }
            Story::LateReprint => script
                .approved()
                .paper_ends()
                .wait(alert_ms + alert_ms / 4)
                .say(&[PaperBack])
                .slips(true),
            // The new roll comes for the next shopper; this slip is forgotten.
            Story::PaperOut | Story::FirstOfTwo => {
                script.approved().paper_ends().wait(self.pace.step_ms * 5).say(&[PaperBack])
            }
            Story::NoSlip => script.approved(),
            Story::MerchantCopyOnly => script.approved().slip(Merchant, false),
            Story::PrintCancelled => script.approved().say(&[PrintCancelled]),
            Story::TimeoutReversed => script.timed_out().say(&[ReversalSent, ReversalAcknowledged]),
            Story::TimeoutReversedLate => script
                .timed_out()
                .wait(reversal_pending_ms * 2)
                .say(&[ReversalSent, ReversalAcknowledged]),
            Story::TimeoutReversalLost => {
                script.timed_out().say(&[ReversalSent, ReversalSent, ReversalSent, ReversalFailed])
            }
            Story::ElectronicSlip => script.approved().say(&[SlipOnScreen]),
            Story::SlipUnwanted => script.approved().say(&[SlipUnwanted]),
            Story::Voided => {
                let slips = [VoidSlipPrinted(Merchant), VoidSlipPrinted(Customer)];
                script.approved().slips(false).voided().say(&slips)
            }
            Story::VoidedWithoutSlip => script.approved().voided(),
        };
        script.spoken
    }

    fn step(&mut self) -> i64 {
        self.pace.step_ms * self.dice.between(60, 140) / 100
    }
}

struct Script {
    at: i64,
    step: i64,
    spoken: Vec<Spoken>,
}

impl Script {
    fn say(&mut self, words: &[Word]) -> &mut Script {
        for &word in words {
            self.spoken.push(Spoken { at: self.at, word });
            self.at += self.step;
        }
        self
    }

    fn wait(&mut self, ms: i64) -> &mut Script {
        self.at += ms;
        self
    }

    fn approved(&mut self) -> &mut Script {
        self.say(&[Word::Chatter, Word::Requested, Word::Approved, Word::Completed])
    }

    fn timed_out(&mut self) -> &mut Script {
        let wait = self.step * 15;
        self.say(&[Word::Requested]).wait(wait).say(&[Word::TimedOut, Word::ReversalPending])
    }

    fn slip(&mut self, copy: Copy, reprint: bool) -> &mut Script {
        self.say(&[Word::SlipStarted(copy), Word::SlipPrinted { copy, reprint }])
    }

    fn slips(&mut self, reprint: bool) -> &mut Script {
        self.slip(Copy::Merchant, reprint).slip(Copy::Customer, reprint)
    }

    fn paper_ends(&mut self) -> &mut Script {
        let copy = Copy::Merchant;
        self.say(&[Word::SlipStarted(copy), Word::PaperEnds, Word::SlipFailed(copy)])
    }

    fn voided(&mut self) -> &mut Script {
        self.say(&[Word::Chatter, Word::VoidRequested, Word::VoidApproved])
    }
}
