//! Is this batch sound, new, and next in its agent's sequence? Exactly once, in order, or not at all. Also looks for
//! card numbers in what is admitted, since an agent's profile may miss one. Stores and judges nothing.

pub mod card;

use card::has_card_number;
use slipwatch_shared::event::{Body, Epoch, Event, Evidence, Seq};
use slipwatch_shared::times::{EventTime, Observed, Uptime};
use slipwatch_shared::wire::envelope::{self, EnvelopeError, EventBatch, FrameKind, Group};
use slipwatch_shared::wire::topic::Topic;
use slipwatch_shared::wire::v1::{self, RecordError};

/// How far an agent's stream is admitted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Admission {
    /// Which life of the numbering.
    pub epoch: Epoch,
    /// The last number admitted; 0 before the first.
    pub through: Seq,
}

/// What becomes of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admitted {
    /// All or the end of it is new: take the events from `first` on.
    New {
        /// The first number that is new.
        first: Seq,
        /// Where the stream stands behind it.
        then: Admission,
        /// Numbers that the agent gave up for lost, of those that were expected.
        lost: u64,
    },
    /// All of it was admitted before: acknowledge it again.
    Repeat,
    /// Numbers are missing before it: ask for them.
    Gap {
        /// The first missing number.
        from: Seq,
    },
}

/// Why a batch is put aside.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nobody told us of this agent.
    #[error("agent {store}/{agent} is not in the settings")]
    UnknownAgent {
        /// The shop it says.
        store: String,
        /// The name it says.
        agent: String,
    },
    /// Its bytes are no frame.
    #[error("frame is not sound")]
    Frame(#[from] EnvelopeError),
    /// It names another agent than the topic it came on.
    #[error("frame of {found} came on the topic of {expected}")]
    Identity {
        /// Whom the topic names.
        expected: String,
        /// Whom the frame names.
        found: String,
    },
    /// It holds no event.
    #[error("batch holds no event")]
    Empty,
}

impl Refusal {
    /// Every label, for series that must exist at zero.
    pub const LABELS: [&'static str; 9] = [
        "unknown_agent",
        "cut",
        "foreign_version",
        "wrong_kind",
        "checksum",
        "too_large",
        "header",
        "identity",
        "empty",
    ];

    /// A word for metrics and rows.
    pub fn label(&self) -> &'static str {
        match self {
            Refusal::UnknownAgent { .. } => "unknown_agent",
            Refusal::Frame(error) => error.label(),
            Refusal::Identity { .. } => "identity",
            Refusal::Empty => "empty",
        }
    }
}

/// Opens a batch that came on a topic.
pub fn open(topic: &Topic, payload: &[u8]) -> Result<EventBatch, Refusal> {
    let batch = EventBatch::open(payload)?;
    if batch.store != topic.store || batch.agent != topic.agent {
        return Err(Refusal::Identity {
            expected: format!("{}/{}", topic.store, topic.agent),
            found: format!("{}/{}", batch.store, batch.agent),
        });
    }
    if batch.group.count == 0 {
        return Err(Refusal::Empty);
    }
    Ok(batch)
}

/// Decides about a sound batch of a known agent. `stands` is absent for an agent that nothing was admitted of.
pub fn admit(stands: Option<Admission>, epoch: Epoch, group: &Group) -> Admitted {
    let (first, last) = (group.first_seq, group.last_seq());
    let stands = match stands {
        Some(stands) if stands.epoch == epoch => stands,
        // A new life begins with number one, or with word of what was lost before.
        Some(_) | None => Admission { epoch, through: Seq(0) },
    };
    let then = Admission { epoch, through: last };
    let expected = stands.through.next();
    if last < expected {
        return Admitted::Repeat;
    }
    if first <= expected {
        return Admitted::New { first: expected, then, lost: lost_within(group, expected) };
    }
    match leading_loss(group) {
        Some(from) if from <= expected => {
            Admitted::New { first, then, lost: first.0 - expected.0 + 1 }
        }
        _ => Admitted::Gap { from: expected },
    }
}

/// From where the loss goes that a group begins with.
fn leading_loss(group: &Group) -> Option<Seq> {
    match group.events_without_evidence().next()? {
        (seq, Ok(Event { body: Body::Lost { from, through, .. }, .. })) if through == seq => {
            Some(from)
        }
        _ => None,
    }
}

/// Numbers given up in the middle of a group carry their own events; what they stand for beyond that is not expected.
fn lost_within(group: &Group, expected: Seq) -> u64 {
    match leading_loss(group) {
        Some(from) if group.first_seq == expected && from == expected => 1,
        _ => 0,
    }
}

/// One record of an admitted batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its number.
    pub seq: Seq,
    /// What it says, without its evidence, which stays in the journal; or why it cannot be read.
    pub event: Result<Event, RecordError>,
    /// Its evidence shows a card number in clear.
    pub card_number: bool,
}

/// The records of a group from `first` on. Evidence is looked through where it lies and not copied.
pub fn records(group: &Group, first: Seq) -> impl Iterator<Item = Record> + '_ {
    let mut rest = group.records.as_slice();
    let offset = group.clock.wall_offset_ms;
    (0..u64::from(group.count)).filter_map(move |place| {
        let seq = Seq(group.first_seq.0 + place);
        let record = v1::next_record(&mut rest).inspect_err(|_| rest = &[]);
        if seq < first {
            return None;
        }
        let observed = |uptime: Uptime| Observed {
            boot: group.boot,
            uptime,
            wall: EventTime(offset.saturating_add(uptime.0.min(i64::MAX as u64) as i64)),
            synchronised: group.clock.synchronised,
        };
        let read = || {
            let (head, behind) = v1::read_head(record?)?;
            let card_number = match v1::read_evidence(behind)? {
                v1::Evidence::None => false,
                v1::Evidence::Text(text) => has_card_number(text.as_bytes()),
                v1::Evidence::Frame(bytes) => has_card_number(&bytes),
            };
            Ok((head.to_event(seq, observed, Evidence::None)?, card_number))
        };
        Some(match read() {
            Ok((event, card_number)) => Record { seq, event: Ok(event), card_number },
            Err(error) => Record { seq, event: Err(error), card_number: false },
        })
    })
}

/// The same batch without the evidence of the events that `drop` names, sealed anew.
pub fn without_evidence(batch: &EventBatch, drop: &[Seq]) -> Vec<u8> {
    let group = &batch.group;
    let mut clean = Group::begin(group.boot, group.clock, group.first_seq);
    for (seq, event) in group.events() {
        // A record that cannot be read could hide what must not be stored: it goes with the rest.
        let Ok(mut event) = event else { return Vec::new() };
        if drop.contains(&seq) {
            event.evidence = Evidence::None;
        }
        clean.push(&event);
    }
    clean.covered = group.covered.clone();
    EventBatch::pack(&batch.store, &batch.agent, batch.epoch, batch.historical, &[clean]).0
}

/// A mark by which the same bytes are known again.
pub fn mark_of(payload: &[u8]) -> u32 {
    payload
        .iter()
        .fold(0x811c_9dc5, |mark: u32, &byte| (mark ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// Whether bytes that are put aside may show a card number: as they lie, or in the plain body of a sound frame.
pub fn may_show_card_number(payload: &[u8]) -> bool {
    let plain = envelope::unseal(FrameKind::Batch, payload);
    has_card_number(payload) || plain.is_ok_and(|body| has_card_number(&body))
}

/// A refusal with what is behind it, in one line.
pub fn detail_of(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Frame(error) => format!("{refusal}: {error}"),
        _ => refusal.to_string(),
    }
}
