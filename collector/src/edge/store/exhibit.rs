//! All that the store knows of one payment and of what stands around it, read in one go: what evidence is made from.

use super::settlement::LinkView;
use super::{AgentView, CaseFile};
use crate::evidence::verify::RecordLine;
use slipwatch_shared::event::{Epoch, Event, Seq};

/// Everything behind the evidence of one payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exhibit {
    /// The payment.
    pub file: CaseFile,
    /// The last one before it at the same terminal.
    pub before: Option<CaseFile>,
    /// The first one after it at the same terminal.
    pub after: Option<CaseFile>,
    /// The agent that heard it.
    pub agent: Option<AgentView>,
    /// Rows of settlement files that have to do with it.
    pub settlement: Vec<LinkView>,
    /// Which life of the agent's numbering.
    pub epoch: Epoch,
    /// The events that are shown, in order.
    pub events: Vec<Event>,
    /// The stretch of the stream from the signature before them to the one behind them.
    pub records: Vec<RecordLine>,
    /// The secret from which the collector's signing key is made.
    pub secret: [u8; 32],
}

/// Most numbers of a stretch; beyond it the signatures stand too far apart, and what they cover is not shown.
pub const STRETCH_MAX: u64 = 50_000;

/// The numbers that a payment's events carry.
pub fn numbers_of(file: &CaseFile) -> impl Iterator<Item = Seq> + '_ {
    file.events.iter().map(|(reference, _)| reference.seq)
}
