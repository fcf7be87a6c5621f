//! A terminal at rest in few bytes. Most of a fleet's terminals say nothing most of the time; one that has no payment in
//! memory is kept as a row of bytes, a tenth of its room, until its next word. The bytes live and
//! die with the process: what is stored is [`super::shape`]'s matter. A terminal that rested goes on as if it never had.

use super::case::EventRef;
use super::policy::{Policies, TerminalPolicy, WhoPrints};
use super::shape::{Shape, ShapeError};
use super::terminal::Terminal;
use super::timeline::StreamTime;
use super::watch::Watch;
use slipwatch_shared::terminal::{StoreId, TerminalId};
use std::borrow::Cow;
use std::ops::{Index, IndexMut};
use std::sync::Arc;

/// A value with a short form in memory. Times stand in it as their distance from `from`.
pub(super) trait Lean: Sized {
    /// Appends it.
    fn put_lean(&self, from: StreamTime, out: &mut Vec<u8>);

    /// Takes it off the front.
    fn take_lean(from: StreamTime, bytes: &mut &[u8]) -> Result<Self, ShapeError>;
}

impl Lean for StreamTime {
    fn put_lean(&self, from: StreamTime, out: &mut Vec<u8>) {
        from.0.wrapping_sub(self.0).put(out);
    }

    fn take_lean(from: StreamTime, bytes: &mut &[u8]) -> Result<StreamTime, ShapeError> {
        Ok(StreamTime(from.0.wrapping_sub(i64::take(bytes)?)))
    }
}

/// Which of a row of values are there, so that those that are not cost a bit.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Marks {
    bits: u64,
    next: u32,
}

impl Marks {
    /// Notes whether the next one is there.
    pub(super) fn note(&mut self, there: bool) {
        self.bits |= u64::from(there) << self.next;
        self.next += 1;
    }

    /// Whether the next one is there.
    pub(super) fn next(&mut self) -> bool {
        let there = self.bits >> self.next & 1 == 1;
        self.next += 1;
        there
    }

    /// Appends them.
    pub(super) fn put(self, out: &mut Vec<u8>) {
        self.bits.put(out);
    }

    /// Takes them off the front.
    pub(super) fn take(bytes: &mut &[u8]) -> Result<Marks, ShapeError> {
        Ok(Marks { bits: Shape::take(bytes)?, next: 0 })
    }
}

/// A value that is seldom there: nothing is written of its absence but a mark.
pub(super) fn put_seldom<T: Shape>(value: Option<&T>, out: &mut Vec<u8>) {
    if let Some(value) = value {
        value.put(out);
    }
}

/// Reads what [`put_seldom`] wrote.
pub(super) fn take_seldom<T: Shape>(
    marks: &mut Marks,
    bytes: &mut &[u8],
) -> Result<Option<T>, ShapeError> {
    marks.next().then(|| T::take(bytes)).transpose()
}

/// A terminal without its number and its policy.
impl Lean for Terminal {
    fn put_lean(&self, _: StreamTime, out: &mut Vec<u8>) {
        let from = self.last_word.unwrap_or_default();
        let mut marks = Marks::default();
        marks.note(self.settling);
        marks.note(self.last_word.is_some());
        marks.note(self.last_sale.0 != i64::MIN);
        marks.note(self.last_print.0 != 0);
        marks.note(self.forgotten_through.is_some());
        marks.note(self.watch.is_some());
        marks.note(self.silences != 0);
        marks.note(!self.loose.is_empty());
        marks.note(self.trouble.is_some());
        marks.note(self.network_down.is_some());
        marks.note(self.silence.is_some());
        marks.put(out);
        self.rhythm.put_lean(from, out);
        self.amounts.put_lean(from, out);
        put_seldom(self.last_word.as_ref(), out);
        if self.last_sale.0 != i64::MIN {
            self.last_sale.put_lean(from, out);
        }
        if self.last_print.0 != 0 {
            self.last_print.put_lean(from, out);
        }
        if let Some(forgotten) = self.forgotten_through {
            forgotten.put_lean(from, out);
        }
        if let Some(watch) = &self.watch {
            watch.put_lean(from, out);
        }
        put_seldom(Some(&self.silences).filter(|silences| **silences != 0), out);
        put_seldom(Some(&self.loose).filter(|loose| !loose.is_empty()), out);
        put_seldom(self.trouble.as_ref(), out);
        put_seldom(self.network_down.as_ref(), out);
        put_seldom(self.silence.as_ref(), out);
    }

    fn take_lean(_: StreamTime, bytes: &mut &[u8]) -> Result<Terminal, ShapeError> {
        let mut marks = Marks::take(bytes)?;
        let mut terminal = Terminal::new(None, None);
        terminal.settling = marks.next();
        // Times are measured from the last word, which stands behind what needs none.
        terminal.rhythm = Lean::take_lean(StreamTime::default(), bytes)?;
        terminal.amounts = Lean::take_lean(StreamTime::default(), bytes)?;
        terminal.last_word = take_seldom(&mut marks, bytes)?;
        let from = terminal.last_word.unwrap_or_default();
        if marks.next() {
            terminal.last_sale = Lean::take_lean(from, bytes)?;
        }
        if marks.next() {
            terminal.last_print = Lean::take_lean(from, bytes)?;
        }
        if marks.next() {
            terminal.forgotten_through = Some(Lean::take_lean(from, bytes)?);
        }
        if marks.next() {
            terminal.watch = Some(Box::new(Watch::take_lean(from, bytes)?));
        }
        terminal.silences = take_seldom(&mut marks, bytes)?.unwrap_or_default();
        terminal.loose = take_seldom(&mut marks, bytes)?.unwrap_or_default();
        terminal.trouble = take_seldom(&mut marks, bytes)?;
        terminal.network_down = take_seldom(&mut marks, bytes)?;
        terminal.silence = take_seldom(&mut marks, bytes)?;
        Ok(terminal)
    }
}

/// A terminal that rests.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Resting {
    id: Option<TerminalId>,
    look_at: StreamTime,
    policy: Option<Arc<TerminalPolicy>>,
    bytes: Box<[u8]>,
}

impl Resting {
    fn awake(&self) -> Terminal {
        let mut bytes = &*self.bytes;
        let terminal = Terminal::take_lean(StreamTime::default(), &mut bytes);
        let mut terminal = terminal.expect("this program wrote it just now");
        (terminal.id, terminal.look_at) = (self.id, self.look_at);
        terminal.policy = self.policy.clone();
        terminal
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Bed {
    Awake(Box<Terminal>),
    Resting(Resting),
}

/// The terminals of one agent, in the order in which they were first heard. Whoever touches one by its place woke it
/// before; those that rest have no payment in memory, so whoever looks for payments passes them by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terminals {
    beds: Vec<Bed>,
}

impl Terminals {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.beds.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.beds.is_empty()
    }

    /// The numbers of all of them.
    pub fn ids(&self) -> impl Iterator<Item = Option<TerminalId>> + '_ {
        (0..self.len()).map(|at| self.id(at))
    }

    /// The number of one.
    pub fn id(&self, at: usize) -> Option<TerminalId> {
        match &self.beds[at] {
            Bed::Awake(terminal) => terminal.id,
            Bed::Resting(resting) => resting.id,
        }
    }

    /// When one must be looked at.
    pub fn look_at(&self, at: usize) -> StreamTime {
        match &self.beds[at] {
            Bed::Awake(terminal) => terminal.look_at,
            Bed::Resting(resting) => resting.look_at,
        }
    }

    /// One, unless it rests.
    pub fn get(&self, at: usize) -> Option<&Terminal> {
        match self.beds.get(at)? {
            Bed::Awake(terminal) => Some(terminal),
            Bed::Resting(_) => None,
        }
    }

    /// Those that are awake, with their places.
    pub fn awake(&self) -> impl Iterator<Item = (usize, &Terminal)> + Clone {
        (0..self.len()).filter_map(|at| Some((at, self.get(at)?)))
    }

    /// Those that are awake.
    pub fn iter(&self) -> impl Iterator<Item = &Terminal> + Clone {
        self.awake().map(|(_, terminal)| terminal)
    }

    /// The place of the terminal that has a payment in memory.
    pub fn place_of(&self, first: EventRef) -> Option<usize> {
        let mut awake = self.awake();
        awake.find(|(_, terminal)| terminal.position(first).is_some()).map(|(at, _)| at)
    }

    /// Those that are awake, with their places.
    pub fn awake_mut(&mut self) -> impl Iterator<Item = (usize, &mut Terminal)> {
        self.beds.iter_mut().enumerate().filter_map(|(at, bed)| match bed {
            Bed::Awake(terminal) => Some((at, terminal.as_mut())),
            Bed::Resting(_) => None,
        })
    }

    /// All of them, as they are awake.
    pub fn all(&self) -> impl Iterator<Item = Cow<'_, Terminal>> {
        self.beds.iter().map(|bed| match bed {
            Bed::Awake(terminal) => Cow::Borrowed(terminal.as_ref()),
            Bed::Resting(resting) => Cow::Owned(resting.awake()),
        })
    }

    /// One more.
    pub fn push(&mut self, terminal: Terminal) {
        // Mostly one, and never many.
        self.beds.reserve_exact(1);
        self.beds.push(Bed::Awake(Box::new(terminal)));
    }

    /// Wakes one, if it rests.
    pub fn wake(&mut self, at: usize) -> &mut Terminal {
        if let Bed::Resting(resting) = &self.beds[at] {
            self.beds[at] = Bed::Awake(Box::new(resting.awake()));
        }
        &mut self[at]
    }

    /// Puts one to rest, where nothing of it is needed before its next word; `bytes` is room to write in.
    pub fn rest(&mut self, at: usize, bytes: &mut Vec<u8>) {
        // One that has payments in memory does not rest.
        let Some(terminal) = self.get(at).filter(|terminal| terminal.cases.is_empty()) else {
            return;
        };
        bytes.clear();
        terminal.put_lean(StreamTime::default(), bytes);
        let (id, look_at, policy) = (terminal.id, terminal.look_at, terminal.policy.clone());
        let bytes = bytes.as_slice().into();
        self.beds[at] = Bed::Resting(Resting { id, look_at, policy, bytes });
    }

    /// Other policies from now on: each is looked at anew.
    pub(super) fn reload(&mut self, store: &StoreId, policies: &Policies, shared: &mut Shared) {
        for bed in &mut self.beds {
            match bed {
                Bed::Resting(resting) => {
                    resting.policy = shared.policy_of(policies, store, resting.id);
                    resting.look_at = StreamTime(i64::MIN);
                }
                Bed::Awake(terminal) => {
                    terminal.policy = shared.policy_of(policies, store, terminal.id);
                    terminal.look_at = StreamTime(i64::MIN);
                    let cases = terminal.cases.iter_mut();
                    cases.for_each(|kept| kept.look_at = Some(kept.case.opened).into());
                }
            }
        }
    }
}

/// Most policies that are shared; a terminal under any other has its own.
const POLICIES_MAX: usize = 64;

/// The policies of a fleet: terminals that are judged alike share one.
#[derive(Clone, Debug, Default)]
pub(super) struct Shared {
    known: Vec<Arc<TerminalPolicy>>,
}

impl Shared {
    /// What a terminal is judged by; absent where nobody said who prints: there is nothing to judge by then.
    pub(super) fn policy_of(
        &mut self,
        policies: &Policies,
        store: &StoreId,
        terminal: Option<TerminalId>,
    ) -> Option<Arc<TerminalPolicy>> {
        let policy = policies.of(store, terminal?)?;
        if policy.who_prints == WhoPrints::Unsaid {
            return None;
        }
        if let Some(known) = self.known.iter().find(|known| ***known == *policy) {
            return Some(known.clone());
        }
        let policy = Arc::new(policy.clone());
        if self.known.len() < POLICIES_MAX {
            self.known.push(policy.clone());
        }
        Some(policy)
    }

    /// Other policies from now on.
    pub(super) fn forget(&mut self) {
        self.known.clear();
    }
}

impl Index<usize> for Terminals {
    type Output = Terminal;

    fn index(&self, at: usize) -> &Terminal {
        match &self.beds[at] {
            Bed::Awake(terminal) => terminal,
            Bed::Resting(_) => unreachable!("whoever touches a terminal woke it before"),
        }
    }
}

impl IndexMut<usize> for Terminals {
    fn index_mut(&mut self, at: usize) -> &mut Terminal {
        match &mut self.beds[at] {
            Bed::Awake(terminal) => terminal,
            Bed::Resting(_) => unreachable!("whoever touches a terminal woke it before"),
        }
    }
}

impl Shape for Terminals {
    fn put(&self, out: &mut Vec<u8>) {
        self.len().put(out);
        self.all().for_each(|terminal| terminal.put(out));
    }

    fn take(bytes: &mut &[u8]) -> Result<Terminals, ShapeError> {
        let terminals: Vec<Box<Terminal>> = Shape::take(bytes)?;
        Ok(Terminals { beds: terminals.into_iter().map(Bed::Awake).collect() })
    }
}

/// Whether a terminal wakes as it went to rest, but for what keeps it awake.
#[cfg(test)]
#[track_caller]
pub(super) fn check_rest(terminal: &Terminal) {
    let Terminal { id, look_at, policy, .. } = terminal.clone();
    let mut bytes = Vec::new();
    terminal.put_lean(StreamTime::default(), &mut bytes);
    let awake = Resting { id, look_at, policy, bytes: bytes.into() }.awake();
    let cases = std::collections::VecDeque::new();
    assert_eq!(awake, Terminal { cases, undo_due: true, ..terminal.clone() });
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use slipwatch_shared::money::{Amount, Currency};

    proptest! {
        #[test]
        fn a_terminal_wakes_as_it_went_to_rest(
            minors in prop::collection::vec(
                prop_oneof![-9_i64..9, 0_i64..100_000, any::<i64>()],
                0..200,
            ),
            gaps in prop::collection::vec(any::<i64>(), 0..50),
            times in prop::collection::vec(any::<i64>(), 4),
            (settling, heard, silences) in any::<(bool, bool, u32)>(),
        ) {
            let mut terminal = Terminal::new("00000001".parse().ok(), None);
            for minor in minors {
                terminal.amounts.note(Amount::new(minor, Currency::CNY));
            }
            gaps.into_iter().for_each(|gap| terminal.rhythm.note(gap));
            terminal.last_word = heard.then_some(StreamTime(times[0]));
            terminal.last_sale = StreamTime(times[1]);
            terminal.forgotten_through = heard.then_some(StreamTime(times[2]));
            terminal.last_print = StreamTime(times[3]);
            (terminal.settling, terminal.silences) = (settling, silences);
            check_rest(&terminal);
        }

        #[test]
        fn marks_come_back_in_their_order(there in prop::collection::vec(any::<bool>(), 0..64)) {
            let (mut marks, mut bytes) = (Marks::default(), Vec::new());
            there.iter().for_each(|there| marks.note(*there));
            marks.put(&mut bytes);
            let mut marks = Marks::take(&mut bytes.as_slice()).expect("its own bytes");
            prop_assert!(there.iter().all(|there| marks.next() == *there));
        }
    }

    #[test]
    fn a_terminal_rests_only_when_nothing_of_it_is_open_and_is_found_by_its_number() {
        let id: Option<TerminalId> = "00000001".parse().ok();
        let mut terminals = Terminals::default();
        terminals.push(Terminal::new(id, None));
        terminals[0].look_at = StreamTime(7);
        terminals.rest(0, &mut Vec::new());
        assert!(terminals.get(0).is_none() && terminals.iter().next().is_none());
        assert_eq!((terminals.id(0), terminals.look_at(0)), (id, StreamTime(7)));
        assert_eq!(
            *terminals.wake(0),
            Terminal { look_at: StreamTime(7), ..Terminal::new(id, None) }
        );
    }
}
