//! What a collector has stored, read beside it while it runs, as its own pages read it.

use crate::terminal::Payment;
use slipwatch_collector::correlate::case::What;
use slipwatch_collector::correlate::policy::AgentName;
use slipwatch_collector::edge::store::sqlite::SqliteStore;
use slipwatch_collector::edge::store::{CaseQuery, CaseView, FindingView, Reader};
use slipwatch_collector::run::STORE_FILE;
use slipwatch_shared::event::{Epoch, Event, Seq};
use slipwatch_shared::times::ArrivalTime;
use slipwatch_shared::times::EventTime;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A verdict's label and reason.
pub type Said = (&'static str, Option<&'static str>);

/// A store, opened for reading.
pub struct Stored {
    reader: Box<dyn Reader>,
    path: PathBuf,
}

impl Stored {
    /// Opens the store in a directory; absent while there is none.
    pub fn open(directory: &Path) -> Option<Stored> {
        let path = directory.join(STORE_FILE);
        let reader = SqliteStore::open_reader(&path).ok()?;
        Some(Stored { reader: Box::new(reader), path })
    }

    /// Whether a line of the shop's agent is open and heard.
    pub fn is_line_open(&mut self) -> bool {
        self.lines_open() > 0
    }

    /// How many lines of the shop's agents are open and heard.
    pub fn lines_open(&mut self) -> usize {
        let agents = self.reader.agents().unwrap_or_default();
        let sources = agents.iter().flat_map(|agent| &agent.sources);
        sources.filter(|source| source.open && source.source.0 > 0).count()
    }

    /// Every payment, newest first.
    ///
    /// # Panics
    /// When the store cannot be read.
    pub fn cases(&mut self) -> Vec<CaseView> {
        let mut all: Vec<CaseView> = Vec::new();
        let mut seen = BTreeSet::new();
        loop {
            // Payments of one millisecond may lie on two pages: each page begins with the last one's millisecond again.
            let last = all.last().map(|view| view.case.wall(view.case.opened));
            let before = last.map(|last| EventTime(last.0 + 1));
            let query = CaseQuery { before, ..CaseQuery::default() };
            let page = self.reader.cases(&query).expect("the store can be read");
            let known = all.len();
            all.extend(page.into_iter().filter(|view| seen.insert(view.id.clone())));
            if all.len() == known {
                return all;
            }
        }
    }

    /// What is said of each payment, by terminal and trace.
    pub fn verdicts(&mut self) -> BTreeMap<(String, u32), Said> {
        let said = |view: &CaseView| (view.case.verdict.label(), view.case.verdict.reason());
        let name = |view: &CaseView| {
            Some((view.terminal?.as_str().to_owned(), view.case.keys.stan?.number()))
        };
        self.cases().iter().filter_map(|view| Some((name(view)?, said(view)))).collect()
    }

    /// What is said of one payment.
    pub fn verdict(&mut self, payment: &Payment) -> Option<Said> {
        self.verdicts().remove(&(payment.terminal.clone(), payment.stan))
    }

    /// Whether the host's approval of a payment is stored: all that was said before it was read.
    pub fn is_approved(&mut self, payment: &Payment) -> bool {
        let is_of = |view: &&CaseView| {
            view.terminal.is_some_and(|terminal| terminal.as_str() == payment.terminal)
                && view.case.keys.stan.is_some_and(|stan| stan.number() == payment.stan)
        };
        let approved =
            |view: &CaseView| view.case.facts.iter().any(|fact| fact.what == What::Approved);
        self.cases().iter().find(is_of).is_some_and(approved)
    }

    /// The case's name of one payment, as letters and pages write it.
    pub fn case_of(&mut self, payment: &Payment) -> Option<String> {
        let is_of = |view: &CaseView| {
            view.terminal.is_some_and(|terminal| terminal.as_str() == payment.terminal)
                && view.case.keys.stan.is_some_and(|stan| stan.number() == payment.stan)
        };
        self.cases().iter().find(|view| is_of(view)).map(|view| view.id.to_string())
    }

    /// Every finding, open or over.
    ///
    /// # Panics
    /// When the store cannot be read.
    pub fn findings(&mut self) -> Vec<FindingView> {
        self.reader
            .findings(ArrivalTime(0), false, usize::from(u16::MAX))
            .expect("the store can be read")
    }

    /// Every event of the agent's journal in the order of its numbers, with the lives of its numbering in order.
    ///
    /// # Panics
    /// When the store cannot be read.
    pub fn journal(&mut self, agent: &AgentName) -> Vec<(Epoch, Event)> {
        let mut epochs: Vec<u64> = self.batches().iter().map(|batch| batch.0).collect();
        epochs.dedup();
        let mut events = Vec::new();
        for epoch in epochs {
            let epoch = Epoch(epoch);
            let read = self.reader.journal(agent, epoch, Seq(0), Seq(i64::MAX as u64));
            let read = read.expect("the store can be read");
            events.extend(read.into_iter().map(|event| (epoch, event)));
        }
        events
    }

    /// Every batch of the journal as (epoch, first number, last number), in order.
    ///
    /// # Panics
    /// When the store cannot be read.
    pub fn batches(&self) -> Vec<(u64, u64, u64)> {
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
        let base = rusqlite::Connection::open_with_flags(&self.path, flags);
        let base = base.expect("the store can be opened");
        let mut query = base
            .prepare("SELECT epoch, first_seq, last_seq FROM journal ORDER BY epoch, first_seq")
            .expect("the journal is a table");
        let number = |row: &rusqlite::Row<'_>, at| row.get::<_, i64>(at).map(i64::cast_unsigned);
        let rows =
            query.query_map([], |row| Ok((number(row, 0)?, number(row, 1)?, number(row, 2)?)));
        rows.expect("the journal can be read").collect::<Result<_, _>>().expect("rows are numbers")
    }

    /// Holds that the journal has each number once, from 1 on or over an explicit word about what is lost; gives how many.
    ///
    /// # Panics
    /// When a number is missing without a word, or is there twice.
    #[track_caller]
    pub fn assert_each_number_once(&mut self, agent: &AgentName) -> u64 {
        let mut next = (0, 1);
        for (epoch, first, last) in self.batches() {
            if epoch != next.0 {
                next = (epoch, 1);
            }
            assert!(first <= last, "batch {first}..={last} of epoch {epoch}");
            assert!(first >= next.1, "number {first} of epoch {epoch} is in the journal twice");
            next.1 = last + 1;
        }
        let mut expected = (Epoch(0), 1);
        let mut count = 0;
        for (epoch, event) in self.journal(agent) {
            if epoch != expected.0 {
                expected = (epoch, 1);
            }
            let from = match event.body {
                slipwatch_shared::event::Body::Lost { from, .. } => from.0,
                _ => event.seq.0,
            };
            assert!(
                from <= expected.1,
                "number {} of {epoch:?} is missing, {} follows",
                expected.1,
                event.seq.0
            );
            assert!(
                event.seq.0 >= expected.1,
                "number {} of {epoch:?} is there twice",
                event.seq.0
            );
            expected.1 = event.seq.0 + 1;
            count += 1;
        }
        count
    }
}
