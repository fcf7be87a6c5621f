//! What the collector says, as its store holds it: looked at again and again, and told when it changes. Judges nothing.

use crate::ledger::Standing;
use crate::terminal::Payment;
use slipwatch_collector::correlate::case::Case;
use slipwatch_collector::correlate::finding::{FindingKind, Stage};
use slipwatch_collector::edge::store::{CaseQuery, Reader, StoreError};
use std::collections::BTreeMap;

/// A verdict in words: its label, and its reason where it has one.
pub type Said = (&'static str, Option<&'static str>);

/// What was found of one payment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// What was said of its slip, one after the other.
    pub said: Vec<Said>,
    /// Findings that people were told of, by number in the catalogue.
    pub findings: Vec<(&'static str, Standing)>,
}

/// The watch over one store.
pub struct Watch {
    reader: Box<dyn Reader>,
    found: BTreeMap<(String, u32), Found>,
}

impl Watch {
    /// Looks through this reader.
    pub fn new(reader: Box<dyn Reader>) -> Watch {
        Watch { reader, found: BTreeMap::new() }
    }

    /// Looks once; gives the payments of which something new is said, by terminal and trace.
    pub fn look(&mut self) -> Result<Vec<(String, u32, Found)>, StoreError> {
        let mut news = Vec::new();
        for view in self.reader.cases(&CaseQuery::default())? {
            let (Some(terminal), Some(stan)) = (view.terminal, view.case.keys.stan) else {
                continue;
            };
            let key = (terminal.as_str().to_owned(), stan.number());
            let found = self.found.entry(key.clone()).or_default();
            let before = found.clone();
            let verdict = (view.case.verdict.label(), view.case.verdict.reason());
            if found.said.last() != Some(&verdict) {
                found.said.push(verdict);
            }
            found.findings = findings(&view.case);
            if *found != before {
                news.push((key.0, key.1, found.clone()));
            }
        }
        Ok(news)
    }

    /// What was found of a payment so far.
    pub fn of(&self, payment: &Payment) -> Found {
        let key = (payment.terminal.clone(), payment.stan);
        self.found.get(&key).cloned().unwrap_or_default()
    }

    /// How many agents have all their lines open and are online.
    pub fn agents_listening(&mut self) -> Result<usize, StoreError> {
        use slipwatch_collector::commit::Presence;
        let agents = self.reader.agents()?;
        let listens = agents.iter().filter(|agent| {
            agent.presence == Presence::Online
                && !agent.sources.is_empty()
                && agent.sources.iter().all(|source| source.open)
        });
        Ok(listens.count())
    }
}

/// The findings of a case that people were told of: a suspicion that went away by itself is none.
fn findings(case: &Case) -> Vec<(&'static str, Standing)> {
    let told = case.told.iter().filter(|told| {
        let a_suspicion =
            told.kind == FindingKind::NoReceiptDebit && told.stage == Stage::Suspected;
        told.resolved.is_none() || !a_suspicion
    });
    let standing = |open: bool| if open { Standing::Open } else { Standing::Over };
    let mut findings: Vec<_> =
        told.map(|told| (told.kind.code(), standing(told.resolved.is_none()))).collect();
    findings.sort();
    findings
}
