//! The journal of a store, judged again: its batches in the order in which they arrived, opened and admitted as they were
//! live. Changes nothing in the store.

use super::judging::Judging;
use crate::admit;
use crate::commit::Presence;
use crate::correlate::policy::AgentName;
use crate::edge::store::Reader;
use crate::edge::store::StoreError;
use crate::edge::store::sqlite::SqliteReader;
use indicatif::ProgressBar;
use slipwatch_shared::wire::envelope::EventBatch;
use std::collections::BTreeMap;

/// What the journal held.
#[derive(Debug, Default)]
pub struct Judged {
    /// Each agent's number in the judging, and its first batch: earlier events are not in the journal any more.
    pub agents: BTreeMap<AgentName, usize>,
    /// Batches that could not be opened.
    pub unread: u64,
}

/// Judges the whole journal.
pub fn judge(
    reader: &mut SqliteReader,
    bar: &ProgressBar,
    judging: &mut Judging,
) -> Result<Judged, StoreError> {
    let mut judged = Judged::default();
    reader.for_each_batch(&mut |batch| {
        bar.inc(batch.frame.len() as u64);
        let agent = match judged.agents.get(&batch.agent) {
            Some(agent) => *agent,
            None => {
                let number = judged.agents.len();
                judging.name(batch.agent.clone());
                judged.agents.insert(batch.agent.clone(), number);
                number
            }
        };
        let Ok(opened) = EventBatch::open(&batch.frame) else {
            judged.unread += 1;
            judging.lost(agent);
            return;
        };
        for record in admit::records(&opened.group, batch.first_seq) {
            match record.event {
                Ok(event) => judging.event(agent, batch.epoch, &event),
                // As live: what this program cannot read may have been a slip.
                Err(_) => judging.unreadable(agent, batch.epoch, record.seq),
            }
        }
    })?;
    for view in reader.agents()? {
        let gone = matches!(view.presence, Presence::Stopped | Presence::Offline);
        if let (true, Some(agent)) = (gone, judged.agents.get(&view.name)) {
            judging.goes_offline(*agent, view.heard);
        }
    }
    Ok(judged)
}
