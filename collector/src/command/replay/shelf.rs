//! Payments that came to rest, on the disk: encoded one behind the other in a file without a name, with a few bytes a
//! payment in memory by which they are found again. A recording of millions of payments is judged in little memory so.
//! Nothing of it outlives the process.

use crate::correlate::case::{Case, CaseId};
use crate::correlate::policy::AgentName;
use crate::correlate::recall::{Recall, TransactionRow};
use crate::correlate::shape::Shape;
use crate::correlate::timeline::StreamTime;
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
/// Offsets are counted in steps of so many bytes, so that four bytes reach far enough.
const STEP_BYTES: u64 = 16;
/// No payment before.
const NONE: u32 = u32::MAX;

/// A payment on the shelf, as far as memory knows it.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// The one of the same agent that came to rest before.
    before: u32,
    /// Where it lies, in steps.
    at: u32,
    /// Its trace and one more; zero without one.
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
    }

    /// The agents, by their numbers.
    pub fn names(&self) -> &[AgentName] {
        &self.agents
    }

    /// Puts a payment away; a newer state of one that lies here already hides the older.
    pub fn put(&mut self, agent: usize, terminal: Option<TerminalId>, case: &Case) {
        let begun = self.pending.len();
        self.pending.extend_from_slice(&[0; 4]);
        terminal.put(&mut self.pending);
        case.put(&mut self.pending);
        let length = (self.pending.len() - begun) as u32;
        self.pending[begun..begun + 4].copy_from_slice(&length.to_le_bytes());
        let padded = self.pending.len().next_multiple_of(STEP_BYTES as usize);
        self.pending.resize(padded, 0);
        let at = (self.written + begun as u64) / STEP_BYTES;
        let Ok(at) = u32::try_from(at) else {
            let full = io::Error::other("more than 64 GiB of payments");
            self.failure.get_or_insert(full);
            return;
        };
        let keys = &case.keys;
        let pan = keys.card.and_then(|card| card.pan);
        self.places.push(Place {
            before: self.last[agent],
            at,
            stan: keys.stan.map_or(0, |stan| stan.number() + 1),
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
        let at = u64::from(at) * STEP_BYTES;
        let bytes = &mut self.room;
        bytes.clear();
        let read = match at.checked_sub(self.written) {
            Some(inside) => {
                let lying = &self.pending[inside as usize..];
                let (head, rest) = lying.split_first_chunk::<4>()?;
                bytes.extend_from_slice(&rest[..u32::from_le_bytes(*head) as usize - 4]);
                Ok(())
            }
            None => {
                let mut head = [0; 4];
                self.file.read_exact_at(&mut head, at).and_then(|()| {
                    bytes.resize(u32::from_le_bytes(head) as usize - 4, 0);
                    self.file.read_exact_at(bytes, at + 4)
                })
            }
        };
        if let Err(error) = read {
            self.failure.get_or_insert(error);
            return None;
        }
        let mut rest = bytes.as_slice();
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

/// A mark of what names something; never that of nothing.
fn mark(value: &impl Hash) -> u16 {
    let mut hasher = super::reading::NameHasher::default();
    value.hash(&mut hasher);
    (hasher.finish() >> 40) as u16 | 1
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
        let (wanted, stan) = (marks(keys), keys.stan.map_or(0, |stan| stan.number() + 1));
        let may = |place: &Place| {
            let marked =
                place.marks.iter().zip(&wanted).any(|(own, wanted)| *wanted != 0 && own == wanted);
            marked || stan != 0 && place.stan == stan
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
