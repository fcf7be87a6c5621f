//! Payments that came to rest, on the disk: encoded one behind the other in a file without a name, with a few bytes a
//! payment in memory by which they are found again. A recording of millions of payments is judged in little memory so.
//! Nothing of it outlives the process.

use crate::correlate::case::{Case, CaseId, EventRef};
use crate::correlate::policy::AgentName;
use crate::correlate::recall::{Recall, TransactionRow};
use crate::correlate::shape::Shape;
use crate::correlate::timeline::StreamTime;
use crate::correlate::verdict::{Unknown, Verdict};
use slipwatch_shared::event::Keys;
use slipwatch_shared::money::Amount;
use slipwatch_shared::terminal::{StoreId, TerminalId};
use std::collections::BTreeMap;
use std::fs::File;
use std::hash::{Hash, Hasher};
use std::io;
use std::os::unix::fs::FileExt;

/// What is written at once.
const CHUNK_BYTES: usize = 1 << 20;
/// Each payment begins with its length, this included.
const HEAD_BYTES: usize = 4;
/// Most payments are no longer than this.
const USUAL_BYTES: usize = 512;
/// Offsets are counted in steps of so many bytes, so that four bytes reach far enough.
const STEP_BYTES: u64 = 16;
/// No payment before.
const NONE: u32 = u32::MAX;
/// Something was told of it, or it could not be judged.
const NOTABLE: u32 = 1 << 31;
/// It began before one of its agent that was put away earlier: so it may be a newer state of one that lies here.
const PERHAPS_AGAIN: u32 = 1 << 30;
const STAN: u32 = PERHAPS_AGAIN - 1;

/// A payment on the shelf, as far as memory knows it.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// The one of the same agent that came to rest before.
    before: u32,
    /// Where it lies, in steps.
    at: u32,
    /// Its trace and one more, zero without one; and [`NOTABLE`] and [`PERHAPS_AGAIN`].
    stan: u32,
    /// A mark of each other number that it may be looked up by.
    marks: [u16; 3],
    /// A mark of amount and card.
    purse: u16,
}

/// The shelf.
#[derive(Debug)]
pub struct Shelf {
    file: File,
    /// Not yet in the file.
    pending: Vec<u8>,
    /// Bytes in the file.
    written: u64,
    /// Room to read one payment into.
    room: Vec<u8>,
    places: Vec<Place>,
    /// The last payment of each agent, by its number.
    last: Vec<u32>,
    /// The latest first event of each agent's payments, by its number.
    latest: Vec<EventRef>,
    agents: Vec<AgentName>,
    /// The numbers of a shop's agents.
    stores: BTreeMap<StoreId, Vec<u32>>,
    /// The first failure of the file: told at the end, since whoever asks for a payment cannot wait for it.
    failure: Option<io::Error>,
}

impl Shelf {
    /// An empty one, in the directory for temporary files.
    pub fn new() -> io::Result<Shelf> {
        Ok(Shelf {
            file: tempfile::tempfile()?,
            pending: Vec::with_capacity(CHUNK_BYTES + (1 << 14)),
            written: 0,
            room: Vec::new(),
            places: Vec::new(),
            last: Vec::new(),
            latest: Vec::new(),
            agents: Vec::new(),
            stores: BTreeMap::new(),
            failure: None,
        })
    }

    /// An agent by its number; each is named once, in order.
    pub fn name(&mut self, name: &AgentName) {
        let number = self.agents.len() as u32;
        self.stores.entry(name.store.clone()).or_default().push(number);
        self.agents.push(name.clone());
        self.last.push(NONE);
        self.latest.push(EventRef::LEAST);
    }

    /// The agents, by their numbers.
    pub fn names(&self) -> &[AgentName] {
        &self.agents
    }

    /// Puts a payment away; a newer state of one that lies here already hides the older.
    pub fn put(&mut self, agent: usize, terminal: Option<TerminalId>, case: &Case) {
        let begun = self.pending.len();
        self.pending.extend_from_slice(&[0; HEAD_BYTES]);
        terminal.put(&mut self.pending);
        case.put(&mut self.pending);
        let length = (self.pending.len() - begun) as u32;
        self.pending[begun..begun + HEAD_BYTES].copy_from_slice(&length.to_le_bytes());
        let padded = self.pending.len().next_multiple_of(STEP_BYTES as usize);
        self.pending.resize(padded, 0);
        let at = (self.written + begun as u64) / STEP_BYTES;
        let Ok(at) = u32::try_from(at) else {
            let full = io::Error::other("more than 64 GiB of payments");
            self.failure.get_or_insert(full);
            return;
        };
        let latest = &mut self.latest[agent];
        let mut flags = if case.first > *latest { 0 } else { PERHAPS_AGAIN };
        *latest = case.first.max(*latest);
        if is_notable(case) {
            flags |= NOTABLE;
        }
        let keys = &case.keys;
        let pan = keys.card.and_then(|card| card.pan);
        self.places.push(Place {
            before: self.last[agent],
            at,
            stan: stan(keys) | flags,
            marks: marks(keys),
            purse: match (keys.amount, pan) {
                (Some(amount), Some(pan)) => mark(&(amount, pan.last_four())),
                _ => 0,
            },
        });
        self.last[agent] = self.places.len() as u32 - 1;
        if self.pending.len() >= CHUNK_BYTES {
            self.flush();
        }
    }

    fn flush(&mut self) {
        if let Err(error) = self.file.write_all_at(&self.pending, self.written) {
            self.failure.get_or_insert(error);
        }
        self.written += self.pending.len() as u64;
        self.pending.clear();
    }

    /// What went wrong with the file, if anything did.
    pub fn take_failure(&mut self) -> Option<io::Error> {
        self.failure.take()
    }

    fn read(&mut self, agent: u32, at: u32) -> Option<TransactionRow> {
        // What lies in a file that failed may not be whole; that it failed is told at the end.
        if self.failure.is_some() {
            return None;
        }
        let at = u64::from(at) * STEP_BYTES;
        let bytes = &mut self.room;
        let read = match at.checked_sub(self.written) {
            Some(inside) => {
                let lying = &self.pending[inside as usize..];
                bytes.clear();
                bytes.extend_from_slice(&lying[..length_of(lying)]);
                Ok(())
            }
            None => read_whole(&self.file, at, bytes),
        };
        if let Err(error) = read {
            self.failure.get_or_insert(error);
            return None;
        }
        let mut rest = &bytes[HEAD_BYTES..];
        let (terminal, case): (Option<TerminalId>, Case) =
            Shape::take(&mut rest).expect("this program wrote it just now");
        Some(TransactionRow {
            id: CaseId { agent: self.agents[agent as usize].clone(), first: case.first },
            terminal,
            case,
            keys_changed: false,
            rest_at: Some(StreamTime(i64::MIN)),
        })
    }

    /// Payments of one shop for which `may` holds, and then `is`; of one that was put away again the newest state.
    fn find(
        &mut self,
        store: &StoreId,
        may: impl Fn(&Place) -> bool,
        is: impl Fn(&TransactionRow) -> bool,
    ) -> Vec<TransactionRow> {
        let mut found: BTreeMap<CaseId, Option<TransactionRow>> = BTreeMap::new();
        for agent in self.stores.get(store).cloned().unwrap_or_default() {
            let mut next = self.last[agent as usize];
            while let Some(&place) = self.places.get(next as usize) {
                next = place.before;
                if !may(&place) {
                    continue;
                }
                let Some(row) = self.read(agent, place.at) else { continue };
                let fits = is(&row);
                found.entry(row.id.clone()).or_insert_with(|| fits.then_some(row));
            }
        }
        found.into_values().flatten().collect()
    }

    /// The payments of an agent of which something is to be said, as [`Shelf::of_agent`], and how many it has in all.
    pub fn notable(&mut self, agent: usize) -> (u64, Vec<TransactionRow>) {
        // One that may hide another must be read to know whether it does.
        if self.chain(agent).any(|place| place.stan & PERHAPS_AGAIN != 0) {
            let mut rows = self.of_agent(agent);
            let count = rows.len() as u64;
            rows.retain(|row| is_notable(&row.case));
            return (count, rows);
        }
        let chain = self.chain(agent);
        let count = chain.clone().count() as u64;
        let wanted = chain.filter(|place| place.stan & NOTABLE != 0).map(|place| place.at);
        let wanted: Vec<u32> = wanted.collect();
        let rows = wanted.into_iter().rev().filter_map(|at| self.read(agent as u32, at));
        (count, rows.collect())
    }

    /// The places of an agent's payments, the last one first.
    fn chain(&self, agent: usize) -> impl Iterator<Item = &Place> + Clone {
        let place = |at: u32| self.places.get(at as usize);
        std::iter::successors(place(self.last[agent]), move |known| place(known.before))
    }

    /// Every payment of an agent in the order of its numbers, as it was last put away.
    pub fn of_agent(&mut self, agent: usize) -> Vec<TransactionRow> {
        let mut found = BTreeMap::new();
        let mut next = self.last[agent];
        while let Some(&place) = self.places.get(next as usize) {
            next = place.before;
            if let Some(row) = self.read(agent as u32, place.at) {
                found.entry(row.case.first).or_insert(row);
            }
        }
        found.into_values().collect()
    }
}

/// How long a payment is that lies at the front of `bytes`, its head included.
fn length_of(bytes: &[u8]) -> usize {
    let head = bytes.first_chunk::<HEAD_BYTES>().expect("it was written whole");
    u32::from_le_bytes(*head) as usize
}

/// Reads a payment at `at` of a file, mostly at one go.
fn read_whole(file: &File, at: u64, bytes: &mut Vec<u8>) -> io::Result<()> {
    bytes.resize(USUAL_BYTES, 0);
    let filled = file.read_at(bytes, at)?;
    if filled < HEAD_BYTES {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let length = length_of(bytes);
    bytes.resize(length, 0);
    match bytes.get_mut(filled..) {
        Some(rest) => file.read_exact_at(rest, at + filled as u64),
        None => Ok(()),
    }
}

/// A mark of what names something; never that of nothing.
fn mark(value: &impl Hash) -> u16 {
    let mut hasher = super::reading::NameHasher::default();
    value.hash(&mut hasher);
    (hasher.finish() >> 40) as u16 | 1
}

/// A payment's trace and one more; zero without one.
fn stan(keys: &Keys) -> u32 {
    keys.stan.map_or(0, |stan| stan.number() + 1)
}

/// Whether something is to be said of a payment even to those who do not ask for all: something was told, or nobody said by
/// what it is to be judged.
fn is_notable(case: &Case) -> bool {
    !case.told.is_empty() || case.verdict == Verdict::Unknown { why: Unknown::NotJudged }
}

fn marks(keys: &Keys) -> [u16; 3] {
    [
        keys.rrn.as_ref().map_or(0, mark),
        keys.order_number.as_deref().map_or(0, mark),
        keys.channel_transaction_id.as_deref().map_or(0, mark),
    ]
}

fn shares(known: &Keys, keys: &Keys) -> bool {
    fn same<T: PartialEq>(left: Option<T>, right: Option<T>) -> bool {
        left.is_some() && left == right
    }
    same(known.stan, keys.stan)
        || same(known.rrn, keys.rrn)
        || same(known.order_number.as_deref(), keys.order_number.as_deref())
        || same(known.channel_transaction_id.as_deref(), keys.channel_transaction_id.as_deref())
}

impl Recall for Shelf {
    fn by_keys(
        &mut self,
        store: &StoreId,
        terminal: Option<TerminalId>,
        keys: &Keys,
    ) -> Vec<TransactionRow> {
        let (wanted, stan) = (marks(keys), stan(keys));
        let may = |place: &Place| {
            let marked =
                place.marks.iter().zip(&wanted).any(|(own, wanted)| *wanted != 0 && own == wanted);
            marked || stan != 0 && place.stan & STAN == stan
        };
        self.find(store, may, |row| {
            (terminal.is_none() || row.terminal == terminal) && shares(&row.case.keys, keys)
        })
    }

    fn by_card(
        &mut self,
        store: &StoreId,
        amount: Amount,
        last_four: u16,
        from: StreamTime,
        through: StreamTime,
    ) -> Vec<TransactionRow> {
        let purse = mark(&(amount, last_four));
        self.find(
            store,
            |place| place.purse == purse,
            |row| {
                let pan = row.case.keys.card.and_then(|card| card.pan);
                row.case.keys.amount == Some(amount)
                    && pan.is_some_and(|pan| pan.last_four() == last_four)
                    && (from..=through).contains(&row.case.opened)
            },
        )
    }

    fn by_id(&mut self, id: &CaseId) -> Option<TransactionRow> {
        let agents = self.stores.get(&id.agent.store)?.clone();
        let agent = agents.into_iter().find(|agent| self.agents[*agent as usize] == id.agent)?;
        let mut next = self.last[agent as usize];
        while let Some(&place) = self.places.get(next as usize) {
            next = place.before;
            let row = self.read(agent, place.at)?;
            if row.id == *id {
                return Some(row);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::correlate::case::{Fact, What};
    use crate::correlate::correlator::Correlator;
    use crate::correlate::policy::{Policies, TerminalPolicy};
    use crate::correlate::recall::NoStore;
    use crate::correlate::tests::{Speaker, agent_name};
    use slipwatch_shared::event::{Epoch, Seq, SourceId};
    use slipwatch_shared::times::ArrivalTime;

    /// Two payments: the first has its slip, and the second is told of.
    fn payments() -> Vec<(Option<TerminalId>, Case)> {
        let otherwise = Some(TerminalPolicy { copies: 1, ..TerminalPolicy::default() });
        let mut correlator = Correlator::new(Policies { otherwise, ..Policies::default() });
        let agent = correlator.agent(&agent_name("till-1"));
        let script = "0 open; 10 ask n=1 yuan=88; 12 ok n=1; 14 slip n=1 copy=c;
            20 ask n=2 yuan=9; 21 ok n=2; 400 pulse";
        for event in Speaker::new("T1").speak(script) {
            correlator.event(agent, Epoch(1), &event, ArrivalTime(0), &mut NoStore);
        }
        let mut rested = Vec::new();
        correlator.take_rested(agent, true, &mut |terminal, case| rested.push((terminal, case)));
        rested
    }

    /// Those of one agent of which something is to be said are the same whether all are read or those alone.
    #[track_caller]
    fn check(shelf: &mut Shelf, count: u64, notable: &[EventRef]) {
        let all = shelf.of_agent(0);
        let told: Vec<_> = all.iter().filter(|row| !row.case.told.is_empty()).cloned().collect();
        assert_eq!(all.len() as u64, count);
        assert_eq!(told.iter().map(|row| row.case.first).collect::<Vec<_>>(), notable);
        assert_eq!(shelf.notable(0), (count, told));
        assert!(shelf.take_failure().is_none());
    }

    #[test]
    fn what_is_notable_is_found_without_a_look_at_the_rest() {
        let payments = payments();
        let (first, second) = (payments[0].1.first, payments[1].1.first);
        let mut shelf = Shelf::new().expect("a file");
        shelf.name(&agent_name("till-1"));
        for (terminal, case) in &payments {
            shelf.put(0, *terminal, case);
        }
        check(&mut shelf, 2, &[second]);
        shelf.flush();
        check(&mut shelf, 2, &[second]);
        // It came back, and nothing is told of it any more: its newer state hides the older one.
        let (terminal, case) = &payments[1];
        shelf.put(0, *terminal, &Case { told: Default::default(), ..case.clone() });
        check(&mut shelf, 2, &[]);
        // The other one, too, and now something is; it lies in the file, and the newest do not.
        let told = Case { told: case.told.clone(), ..payments[0].1.clone() };
        shelf.put(0, *terminal, &told);
        check(&mut shelf, 2, &[first]);
    }

    #[test]
    fn a_payment_longer_than_most_comes_back_whole() {
        let (terminal, mut case) = payments().swap_remove(0);
        for seq in 100..160 {
            let event = EventRef { epoch: Epoch(1), seq: Seq(seq << 40) };
            let (source, what) = (SourceId(1), What::Requested);
            case.facts.push(Fact { at: StreamTime(seq as i64), event, source, what });
        }
        let mut shelf = Shelf::new().expect("a file");
        shelf.name(&agent_name("till-1"));
        shelf.put(0, terminal, &case);
        shelf.flush();
        assert!(shelf.written > USUAL_BYTES as u64);
        assert_eq!(shelf.of_agent(0).pop().map(|row| row.case), Some(case));
    }
}
