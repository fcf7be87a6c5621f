//! Version, kind and check sum around everything that travels or is kept: the group of events that is one
//! record of the spool, the batch that is one message, and the small messages between agent and collector.
//! Never trusts a length, a count or a size that it did not check.
//!
//! A sealed frame is `version | kind | flags | crc32 (4, little endian, of all but itself) | body`; with flag 1 the
//! body is an LZ4 block behind its plain length (4, little endian). An [`EventBatch`] is a header (postcard) and then
//! the records of its groups, byte for byte.

use super::v1::{self, RecordError};
use crate::event::{Epoch, Event, Evidence, Seq, SourceId};
use crate::field::FieldError;
use crate::terminal::{AgentId, StoreId};
use crate::times::{BootId, EventTime, Observed, Uptime};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The version this crate writes.
pub const VERSION: u8 = 1;
/// Largest sealed frame that is sent or accepted, in bytes.
pub const FRAME_BYTES_MAX: usize = 64 * 1024;
/// Largest plain body, in bytes. What claims more is refused before memory is taken.
pub const BODY_BYTES_MAX: usize = 256 * 1024;
/// Largest group, in bytes, sealed: sled writes a larger value into a file of its own, which no commit makes durable.
pub const GROUP_BYTES_MAX: usize = 8 * 1024;
/// Most sources one agent reads.
pub const SOURCES_MAX: usize = 256;

const HEAD_BYTES: usize = 7;
const FLAG_LZ4: u8 = 1;
/// Below this a block is seldom smaller than what it stands for.
const COMPRESS_FROM_BYTES: usize = 256;

/// What a sealed frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum FrameKind {
    /// Events on their way to a collector.
    Batch = 1,
    /// Events in an agent's spool.
    Group = 2,
    /// Birth, will and planned death of an agent.
    State = 3,
    /// "Stored through."
    Commit = 4,
    /// "Send again from."
    Request = 5,
}

/// Why bytes are no frame. They go to quarantine with this reason.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// Fewer bytes than a frame's head, or than its header says.
    #[error("frame of {bytes} bytes is cut off")]
    Cut {
        /// How many there were.
        bytes: usize,
    },
    /// Of a version that this program does not read.
    #[error("frame is of version {found}, this program reads version {VERSION}")]
    ForeignVersion {
        /// The version it says.
        found: u8,
    },
    /// Of another kind than its topic or place says.
    #[error("frame is of kind {found}, expected {expected:?}")]
    WrongKind {
        /// What its place asks for.
        expected: FrameKind,
        /// What it says.
        found: u8,
    },
    /// The check sum does not fit the bytes.
    #[error("check sum does not fit")]
    Checksum,
    /// Larger than is accepted.
    #[error("frame says {bytes} bytes, more than is accepted")]
    TooLarge {
        /// What it says.
        bytes: usize,
    },
    /// Its header is of no shape that this version knows.
    #[error("header is malformed")]
    Header,
    /// A name in its header is none.
    #[error("header holds a malformed name")]
    Name(#[from] FieldError),
}

impl EnvelopeError {
    /// A word for metrics and quarantine.
    pub fn label(&self) -> &'static str {
        match self {
            EnvelopeError::Cut { .. } => "cut",
            EnvelopeError::ForeignVersion { .. } => "foreign_version",
            EnvelopeError::WrongKind { .. } => "wrong_kind",
            EnvelopeError::Checksum => "checksum",
            EnvelopeError::TooLarge { .. } => "too_large",
            EnvelopeError::Header | EnvelopeError::Name(_) => "header",
        }
    }
}

/// Puts version, kind and check sum around a body; compresses where `compress` and it pays.
pub fn seal(kind: FrameKind, body: &[u8], compress: bool) -> Vec<u8> {
    let packed = (compress && body.len() >= COMPRESS_FROM_BYTES)
        .then(|| lz4_flex::block::compress_prepend_size(body))
        .filter(|packed| packed.len() < body.len());
    let (flags, body) = match &packed {
        Some(packed) => (FLAG_LZ4, packed.as_slice()),
        None => (0, body),
    };
    let mut frame = Vec::with_capacity(HEAD_BYTES + body.len());
    frame.extend_from_slice(&[VERSION, kind as u8, flags]);
    frame.extend_from_slice(&checksum(&frame, body).to_le_bytes());
    frame.extend_from_slice(body);
    frame
}

fn checksum(head: &[u8], body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(head);
    hasher.update(body);
    hasher.finalize()
}

/// Checks version, kind and check sum, and gives the plain body.
pub fn unseal(kind: FrameKind, frame: &[u8]) -> Result<Cow<'_, [u8]>, EnvelopeError> {
    let (head, body) =
        frame.split_at_checked(HEAD_BYTES).ok_or(EnvelopeError::Cut { bytes: frame.len() })?;
    if head[0] != VERSION {
        return Err(EnvelopeError::ForeignVersion { found: head[0] });
    }
    if head[1] != kind as u8 {
        return Err(EnvelopeError::WrongKind { expected: kind, found: head[1] });
    }
    if frame.len() > FRAME_BYTES_MAX {
        return Err(EnvelopeError::TooLarge { bytes: frame.len() });
    }
    let expected = u32::from_le_bytes([head[3], head[4], head[5], head[6]]);
    if checksum(&head[..3], body) != expected {
        return Err(EnvelopeError::Checksum);
    }
    if head[2] & FLAG_LZ4 == 0 {
        return Ok(Cow::Borrowed(body));
    }
    let (size, block) = body.split_at_checked(4).ok_or(EnvelopeError::Cut { bytes: body.len() })?;
    let size = u32::from_le_bytes([size[0], size[1], size[2], size[3]]) as usize;
    if size > BODY_BYTES_MAX {
        return Err(EnvelopeError::TooLarge { bytes: size });
    }
    lz4_flex::block::decompress(block, size).map(Cow::Owned).map_err(|_| EnvelopeError::Checksum)
}

/// The wall clock of a stretch of events: `wall = uptime + wall_offset_ms`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClockState {
    /// Milliseconds since 1970 at uptime zero.
    pub wall_offset_ms: i64,
    /// Whether the wall clock was synchronised.
    pub synchronised: bool,
}

/// "Whatever this line said up to here is in the stream."
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Covered {
    /// Which source.
    pub source: SourceId,
    /// Until when.
    pub until: Uptime,
}

/// A stretch of events under one boot and one clock, with its records as bytes. One group is one record of the
/// spool and one commit; several make a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// The boot its uptimes count from.
    pub boot: BootId,
    /// Its wall clock.
    pub clock: ClockState,
    /// Number of its first event.
    pub first_seq: Seq,
    /// How many events.
    pub count: u32,
    /// How far each open source was read when the group was closed.
    pub covered: Vec<Covered>,
    /// `length | head | evidence`, `count` times.
    pub records: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
struct GroupHeader<'a> {
    #[serde(borrow)]
    identity: Option<Identity<'a>>,
    boot: [u8; 16],
    wall_offset_ms: i64,
    synchronised: bool,
    first_seq: u64,
    count: u32,
    covered: Vec<(u16, u64)>,
}

#[derive(Serialize, Deserialize)]
struct Identity<'a> {
    store: Cow<'a, str>,
    agent: Cow<'a, str>,
    epoch: u64,
    historical: bool,
}

impl Group {
    /// An empty group, to be filled by [`Group::push`].
    pub fn begin(boot: BootId, clock: ClockState, first_seq: Seq) -> Group {
        Group { boot, clock, first_seq, ..Group::default() }
    }

    /// Appends the next event.
    ///
    /// # Panics
    /// When the event is not of this boot or not the next in number: the caller begins a new group then.
    pub fn push(&mut self, event: &Event) {
        assert!(event.observed.boot == self.boot, "a group is of one boot");
        assert!(event.seq == self.end_seq(), "a group's numbers are contiguous");
        v1::append_record(&mut self.records, event);
        self.count += 1;
    }

    /// The number after its last.
    pub fn end_seq(&self) -> Seq {
        Seq(self.first_seq.0 + u64::from(self.count))
    }

    /// Number of its last event.
    ///
    /// # Panics
    /// When it is empty.
    pub fn last_seq(&self) -> Seq {
        assert!(self.count > 0, "an empty group has no last event");
        Seq(self.end_seq().0 - 1)
    }

    /// Bytes of [`Group::to_frame`], at most.
    pub fn frame_bytes(&self) -> usize {
        HEAD_BYTES + 64 + self.covered.len() * 13 + self.records.len()
    }

    /// Whether an event of at most `record_bytes` still fits, with `sources` sources covered.
    pub fn has_room(&self, record_bytes: usize, sources: usize) -> bool {
        HEAD_BYTES + 64 + sources * 13 + self.records.len() + record_bytes + 2 <= GROUP_BYTES_MAX
    }

    fn header<'a>(&self, identity: Option<Identity<'a>>) -> GroupHeader<'a> {
        GroupHeader {
            identity,
            boot: self.boot.0,
            wall_offset_ms: self.clock.wall_offset_ms,
            synchronised: self.clock.synchronised,
            first_seq: self.first_seq.0,
            count: self.count,
            covered: self
                .covered
                .iter()
                .map(|covered| (covered.source.0, covered.until.0))
                .collect(),
        }
    }

    /// The sealed frame that the spool keeps.
    pub fn to_frame(&self) -> Vec<u8> {
        let mut body = postcard::to_allocvec(&self.header(None)).expect("memory takes any header");
        body.extend_from_slice(&self.records);
        seal(FrameKind::Group, &body, false)
    }

    /// Reads what [`Group::to_frame`] wrote.
    pub fn from_frame(frame: &[u8]) -> Result<Group, EnvelopeError> {
        let body = unseal(FrameKind::Group, frame)?;
        Ok(read_group(&body)?.1)
    }

    /// Its events in order. A record that cannot be read keeps its number; the others go on.
    pub fn events(&self) -> Events<'_> {
        Events { group: self, rest: &self.records, next: 0, with_evidence: true }
    }

    /// Its records in order, each without its length. What cannot be cut into records ends them.
    pub fn records(&self) -> impl Iterator<Item = (Seq, &[u8])> {
        let mut rest = self.records.as_slice();
        let cut = std::iter::from_fn(move || v1::next_record(&mut rest).ok());
        (self.first_seq.0..self.end_seq().0).map(Seq).zip(cut)
    }

    /// The same without evidence: what correlation needs, at a third of the cost.
    pub fn events_without_evidence(&self) -> Events<'_> {
        Events { with_evidence: false, ..self.events() }
    }

    /// Whether `other` can stand behind this group in one batch.
    pub fn continues_with(&self, other: &Group) -> bool {
        other.boot == self.boot && other.clock == self.clock && other.first_seq == self.end_seq()
    }
}

fn read_group(body: &[u8]) -> Result<(Option<Identity<'_>>, Group), EnvelopeError> {
    let (header, records): (GroupHeader<'_>, &[u8]) =
        postcard::take_from_bytes(body).map_err(|_| EnvelopeError::Header)?;
    // Each record is two bytes at least: a count beyond that is a lie and would cost memory.
    let count_sound = (header.count as usize).saturating_mul(2) <= records.len();
    if !count_sound
        || header.covered.len() > SOURCES_MAX
        || header.first_seq.checked_add(header.count.into()).is_none()
    {
        return Err(EnvelopeError::Header);
    }
    let covered = header
        .covered
        .iter()
        .map(|&(source, until)| Covered { source: SourceId(source), until: Uptime(until) });
    let group = Group {
        boot: BootId(header.boot),
        clock: ClockState {
            wall_offset_ms: header.wall_offset_ms,
            synchronised: header.synchronised,
        },
        first_seq: Seq(header.first_seq),
        count: header.count,
        covered: covered.collect(),
        records: records.to_vec(),
    };
    Ok((header.identity, group))
}

/// The events of a group, each with its number; see [`Group::events`].
pub struct Events<'a> {
    group: &'a Group,
    rest: &'a [u8],
    next: u32,
    with_evidence: bool,
}

impl Events<'_> {
    fn read(&mut self, seq: Seq) -> Result<Event, RecordError> {
        let record = v1::next_record(&mut self.rest).inspect_err(|_| self.rest = &[])?;
        let (head, behind) = v1::read_head(record)?;
        let evidence = match self.with_evidence {
            true => Evidence::from(&v1::read_evidence(behind)?),
            false => Evidence::None,
        };
        let group = self.group;
        let observed = |uptime: Uptime| Observed {
            boot: group.boot,
            uptime,
            wall: EventTime(
                group.clock.wall_offset_ms.saturating_add(uptime.0.min(i64::MAX as u64) as i64),
            ),
            synchronised: group.clock.synchronised,
        };
        Ok(head.to_event(seq, observed, evidence)?)
    }
}

impl Iterator for Events<'_> {
    type Item = (Seq, Result<Event, RecordError>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.next == self.group.count {
            return None;
        }
        let seq = Seq(self.group.first_seq.0 + u64::from(self.next));
        self.next += 1;
        Some((seq, self.read(seq)))
    }
}

/// What travels: groups of one agent, joined. See the file's head for the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventBatch {
    /// Whose shop.
    pub store: StoreId,
    /// Which agent.
    pub agent: AgentId,
    /// Which life of its numbering.
    pub epoch: Epoch,
    /// Sent long after it was seen: the spool held it back, so nobody is to be rung as if it were now.
    pub historical: bool,
    /// Its events.
    pub group: Group,
}

impl EventBatch {
    /// Joins as many of `groups`, from the first on, as fit into one frame; gives the frame and how many went in.
    /// At least one goes in; groups behind a change of boot or clock do not.
    ///
    /// # Panics
    /// When `groups` is empty.
    pub fn pack(
        store: &StoreId,
        agent: &AgentId,
        epoch: Epoch,
        historical: bool,
        groups: &[Group],
    ) -> (Vec<u8>, usize) {
        let mut taken = 1;
        let mut bytes = groups[0].frame_bytes();
        for pair in groups.windows(2) {
            bytes += pair[1].records.len();
            if !pair[0].continues_with(&pair[1]) || bytes + 256 > BODY_BYTES_MAX {
                break;
            }
            taken += 1;
        }
        loop {
            let identity = Identity {
                store: Cow::Borrowed(store.as_str()),
                agent: Cow::Borrowed(agent.as_str()),
                epoch: epoch.0,
                historical,
            };
            let joined = &groups[..taken];
            let mut header = joined[0].header(Some(identity));
            header.count = joined.iter().map(|group| group.count).sum();
            header.covered = joined[taken - 1].header(None).covered;
            let mut body = postcard::to_allocvec(&header).expect("memory takes any header");
            joined.iter().for_each(|group| body.extend_from_slice(&group.records));
            let frame = seal(FrameKind::Batch, &body, true);
            if frame.len() <= FRAME_BYTES_MAX || taken == 1 {
                return (frame, taken);
            }
            taken /= 2;
        }
    }

    /// Reads a frame of [`EventBatch::pack`].
    pub fn open(frame: &[u8]) -> Result<EventBatch, EnvelopeError> {
        let body = unseal(FrameKind::Batch, frame)?;
        let (identity, group) = read_group(&body)?;
        let identity = identity.ok_or(EnvelopeError::Header)?;
        Ok(EventBatch {
            store: identity.store.parse()?,
            agent: identity.agent.parse()?,
            epoch: Epoch(identity.epoch),
            historical: identity.historical,
            group,
        })
    }
}

/// Whether an agent is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentStatus {
    /// Connected and reading.
    Online,
    /// Stopped in good order.
    Stopped,
    /// Said by the broker: the connection broke (the will).
    Lost,
}

/// Birth, will and planned death of an agent, retained on its state topic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentState {
    /// Number of the connection: a will of an older one says nothing about a newer.
    pub session: u64,
    /// What is told.
    pub status: AgentStatus,
    /// The agent's version.
    pub version: String,
    /// Which life of its numbering.
    pub epoch: u64,
    /// First number that is still in the spool.
    pub first_seq: u64,
    /// The number the next event will get.
    pub next_seq: u64,
}

/// "Epoch `epoch` is stored through `through`": only then may the agent forget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// Which life of the numbering.
    pub epoch: u64,
    /// Last number that is durable in the collector's store.
    pub through: u64,
}

/// "Send again from `from`."
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Which life of the numbering.
    pub epoch: u64,
    /// First number that is missing.
    pub from: u64,
}

macro_rules! small_message {
    ($name:ident, $kind:ident) => {
        impl $name {
            /// The sealed frame.
            pub fn to_frame(&self) -> Vec<u8> {
                let body = postcard::to_allocvec(self).expect("memory takes a small message");
                seal(FrameKind::$kind, &body, false)
            }

            /// Reads a sealed frame.
            pub fn from_frame(frame: &[u8]) -> Result<$name, EnvelopeError> {
                let body = unseal(FrameKind::$kind, frame)?;
                postcard::from_bytes(&body).map_err(|_| EnvelopeError::Header)
            }
        }
    };
}

small_message!(AgentState, State);
small_message!(Commit, Commit);
small_message!(Request, Request);
