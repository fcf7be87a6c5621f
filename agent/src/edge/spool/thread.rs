//! The thread that owns the spool: every call of it waits for a disk. Orders that wait are joined, so that one write to
//! the disk serves them all.

use super::ShelfError;
use super::open::Spool;
use crate::spool::storage::{Append, StorageAnswer, StorageOrder};
use slipwatch_shared::event::Seq;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use tokio::sync::mpsc::UnboundedSender;

/// Stack of the thread: sled recurses little.
const STACK_BYTES: usize = 512 * 1024;

/// What the thread says.
#[derive(Debug)]
pub enum SpoolWord {
    /// The answer to an order.
    Answer(StorageAnswer),
    /// The store cannot be read any more; the thread has ended.
    Broken(String),
}

/// The loop's end of the thread.
#[derive(Debug)]
pub struct SpoolThread {
    orders: Option<Sender<StorageOrder>>,
    thread: Option<JoinHandle<()>>,
}

impl SpoolThread {
    /// Starts the thread. What it says goes to `words`, whose size is bounded by what the plan orders.
    pub fn start(spool: Spool, words: UnboundedSender<SpoolWord>) -> std::io::Result<SpoolThread> {
        let (orders, orders_in) = channel();
        let thread = std::thread::Builder::new()
            .name("spool".to_owned())
            .stack_size(STACK_BYTES)
            .spawn(move || serve(spool, &orders_in, &words))?;
        Ok(SpoolThread { orders: Some(orders), thread: Some(thread) })
    }

    /// Gives an order. One to a thread that ended is lost; the end was said.
    pub fn order(&self, order: StorageOrder) {
        if let Some(orders) = &self.orders {
            let _ = orders.send(order);
        }
    }
}

impl Drop for SpoolThread {
    /// Waits until everything ordered is done and the directory's lock is free again.
    fn drop(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(mut spool: Spool, orders: &Receiver<StorageOrder>, words: &UnboundedSender<SpoolWord>) {
    while let Ok(first) = orders.recv() {
        let waiting = std::iter::once(first).chain(std::iter::from_fn(|| orders.try_recv().ok()));
        for order in joined(waiting) {
            let word = match spool.keeper.carry_out(order) {
                Ok(answer) => SpoolWord::Answer(answer),
                Err(ShelfError::Damaged(what)) => SpoolWord::Broken(what),
                Err(error) => SpoolWord::Broken(error.to_string()),
            };
            let broken = matches!(word, SpoolWord::Broken(_));
            if words.send(word).is_err() || broken {
                return;
            }
        }
    }
}

/// Neighbouring appends become one, and of several removals the last one does. An append and a removal may change
/// places; nothing else may.
fn joined(orders: impl Iterator<Item = StorageOrder>) -> Vec<StorageOrder> {
    let mut joined = Vec::new();
    let mut appends: Vec<Append> = Vec::new();
    let mut removed: Option<Seq> = None;
    let mut flush =
        |appends: &mut Vec<Append>, removed: &mut Option<Seq>, next: Option<StorageOrder>| {
            if !appends.is_empty() {
                joined.push(StorageOrder::Append(std::mem::take(appends)));
            }
            joined.extend(removed.take().map(|through| StorageOrder::Remove { through }));
            joined.extend(next);
        };
    for order in orders {
        match order {
            StorageOrder::Append(more) => {
                // After a refusal the same groups come again: what begins anew is a new append.
                let continues = appends.last().zip(more.first());
                if continues
                    .is_some_and(|(last, next)| next.group.first_seq <= last.group.last_seq())
                {
                    flush(&mut appends, &mut removed, None);
                }
                appends.extend(more);
            }
            StorageOrder::Remove { through } => removed = removed.max(Some(through)),
            other => flush(&mut appends, &mut removed, Some(other)),
        }
    }
    flush(&mut appends, &mut removed, None);
    joined
}
