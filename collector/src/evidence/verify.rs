//! Whether an evidence archive is what the collector signed and what the agent signed before it. Needs nothing but the
//! archive; whose keys they are is for people to compare.

use super::archive::{self, ArchiveError, Files, hex, unhex};
use super::pack::Pack;
use super::seal;
use serde::{Deserialize, Serialize};
use slipwatch_shared::event::{Body, Event, Seal, Seq};
use slipwatch_shared::times::BootId;
use slipwatch_shared::wire::envelope::{ClockState, Group};
use slipwatch_shared::wire::json::Line;
use slipwatch_shared::wire::seal::Digest;
use slipwatch_shared::wire::v1::RECORD_BYTES_MAX;
use std::collections::BTreeMap;

/// The pack as data.
pub const CASE: &str = "case.json";
/// The events that are shown, in the interchange form.
pub const EVENTS: &str = "events.jsonl";
/// The stretch of the stream that they are from: shown records whole, the others as their digests.
pub const RECORDS: &str = "records.jsonl";

/// One number of the stretch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordLine {
    /// Its number.
    pub seq: u64,
    /// Its digest.
    pub digest: String,
    /// The record, where it is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shown: Option<Shown>,
}

/// A record as the agent wrote it, and the clock that its times are read by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shown {
    /// Its boot, 32 hexadecimal digits.
    pub boot: String,
    /// Milliseconds since 1970 at uptime zero.
    pub wall_offset_ms: i64,
    /// Whether the wall clock was synchronised.
    pub synchronised: bool,
    /// The record's bytes, in hexadecimal digits.
    pub record: String,
}

impl RecordLine {
    /// A record that is not shown.
    pub fn hidden(seq: Seq, digest: Digest) -> RecordLine {
        RecordLine { seq: seq.0, digest: digest.to_string(), shown: None }
    }

    /// A record that is shown.
    pub fn shown(seq: Seq, boot: BootId, clock: ClockState, record: &[u8]) -> RecordLine {
        let shown = Shown {
            boot: hex(&boot.0),
            wall_offset_ms: clock.wall_offset_ms,
            synchronised: clock.synchronised,
            record: hex(record),
        };
        let digest = Digest::of_record(boot, clock, record).to_string();
        RecordLine { seq: seq.0, digest, shown: Some(shown) }
    }

    /// The event that it shows, once its digest was checked.
    ///
    /// # Errors
    /// In words, when the record is not the one of its digest or cannot be read.
    pub fn event(&self) -> Result<Option<Event>, String> {
        let Some(shown) = &self.shown else { return Ok(None) };
        let wrong = || format!("record {} cannot be read", self.seq);
        let record = unhex(&shown.record).filter(|record| record.len() <= RECORD_BYTES_MAX);
        let record = record.ok_or_else(wrong)?;
        let boot = unhex(&shown.boot).and_then(|boot| boot.try_into().ok()).ok_or_else(wrong)?;
        let clock =
            ClockState { wall_offset_ms: shown.wall_offset_ms, synchronised: shown.synchronised };
        if Digest::of_record(BootId(boot), clock, &record).to_string() != self.digest {
            return Err(format!("record {} is not the one of its digest", self.seq));
        }
        let mut group = Group::begin(BootId(boot), clock, Seq(self.seq));
        group.count = 1;
        let length = record.len();
        group.records = vec![0x80 | (length & 0x7f) as u8, (length >> 7) as u8];
        group.records.extend_from_slice(&record);
        let read = group.events().next().map(|(_, event)| event);
        read.and_then(Result::ok).map(Some).ok_or_else(wrong)
    }
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// What the evidence is about.
    pub case: String,
    /// The collector's key.
    pub collector_key: String,
    /// The agent's keys, each with the stretches it signed: first and last number.
    pub agent_keys: BTreeMap<String, Vec<(u64, u64)>>,
    /// Events that are shown.
    pub events: usize,
    /// Those of them that no signature of the agent covers yet.
    pub unsigned: Vec<u64>,
    /// Everything that is wrong; empty when it holds.
    pub wrong: Vec<String>,
}

/// Checks an archive.
pub fn verify(bytes: &[u8]) -> Result<Report, ArchiveError> {
    let (files, manifest) = archive::read(bytes)?;
    let mut report = Report { collector_key: manifest.key, ..Report::default() };
    if let Err(wrong) = check(&files, &mut report) {
        report.wrong.push(wrong);
    }
    Ok(report)
}

fn file<'a>(files: &'a Files, name: &str) -> Result<&'a str, String> {
    let bytes = files.get(name).ok_or_else(|| format!("{name} is missing"))?;
    std::str::from_utf8(bytes).map_err(|_| format!("{name} is no text"))
}

fn check(files: &Files, report: &mut Report) -> Result<(), String> {
    let pack: Pack = serde_json::from_str(file(files, CASE)?)
        .map_err(|error| format!("{CASE} is not of its shape: {error}"))?;
    report.case = pack.payment.case.clone();
    let mut records = BTreeMap::new();
    for line in file(files, RECORDS)?.lines() {
        let line: RecordLine = serde_json::from_str(line)
            .map_err(|error| format!("{RECORDS} is not of its shape: {error}"))?;
        let digest: Digest = line.digest.parse().map_err(|error| format!("{RECORDS}: {error}"))?;
        let event = line.event()?;
        records.insert(Seq(line.seq), (digest, event));
    }
    let mut shown = Vec::new();
    for line in file(files, EVENTS)?.lines() {
        let line = Line::from_json(line).map_err(|error| format!("{EVENTS}: {error}"))?;
        let (agent, epoch) = (&pack.agent, line.epoch.0);
        if (line.store.as_str(), line.agent.as_str(), epoch)
            != (agent.store.as_str(), agent.agent.as_str(), agent.epoch)
        {
            return Err(format!("event {} is of another stream", line.event.seq.0));
        }
        match records.get(&line.event.seq) {
            Some((_, Some(event))) if *event == line.event => shown.push(line.event.seq),
            _ => return Err(format!("event {} is not what its record says", line.event.seq.0)),
        }
    }
    report.events = shown.len();
    let payments = pack.neighbours.iter().chain([&pack.payment]);
    for &seq in payments.flat_map(|payment| &payment.events) {
        if !shown.contains(&Seq(seq)) {
            report.wrong.push(format!("event {seq} of a payment is not shown"));
        }
    }
    let seals = records.iter().filter_map(|(seq, (_, event))| match &event.as_ref()?.body {
        Body::Sealed(seal) => Some((*seq, *seal)),
        _ => None,
    });
    let seals: Vec<(Seq, Seal)> = seals.collect();
    let checked = check_seals(&pack, &records, &seals, report)?;
    let covered = |seq: &Seq| checked.iter().any(|(own, seal)| (seal.from..*own).contains(seq));
    report.unsigned = shown.iter().filter(|seq| !covered(seq)).map(|seq| seq.0).collect();
    Ok(())
}

/// Checks the seals whose records are shown, and gives these. The stretch begins with the seal of what lies before it, and
/// of a very long one only the end is shown: such a seal says nothing of what is here.
fn check_seals(
    pack: &Pack,
    records: &BTreeMap<Seq, (Digest, Option<Event>)>,
    seals: &[(Seq, Seal)],
    report: &mut Report,
) -> Result<Vec<(Seq, Seal)>, String> {
    let first = records.keys().next().copied().unwrap_or_default();
    let mut checked = Vec::new();
    let store = pack.agent.store.parse().map_err(|error| format!("{CASE}: {error}"))?;
    let agent = pack.agent.agent.parse().map_err(|error| format!("{CASE}: {error}"))?;
    let mut before: Option<Seal> = None;
    for (own, seal) in seals {
        let through = Seq(own.0.saturating_sub(1));
        let key = hex(&seal.key);
        if before.is_some_and(|before| before.chain != seal.previous) {
            report.wrong.push(format!("the chain is broken before number {}", seal.from.0));
        }
        before = Some(*seal);
        if seal.from < first {
            continue;
        }
        checked.push((*own, *seal));
        let stretch = records.range(seal.from..=through.max(seal.from));
        let digests = stretch.map(|(seq, (digest, _))| (*seq, *digest));
        if let Err(error) = seal::check(&store, &agent, through, seal, digests) {
            let (from, through) = (seal.from.0, through.0);
            report.wrong.push(format!("numbers {from} to {through}: {error}"));
        }
        report.agent_keys.entry(key).or_default().push((seal.from.0, through.0));
    }
    if report.agent_keys.len() > 1 {
        report.wrong.push("the stretch is signed with more than one key of the agent".to_owned());
    }
    match (&pack.agent.key, report.agent_keys.keys().next()) {
        (Some(told), Some(found)) if told != found => {
            report.wrong.push(format!("{CASE} names another key of the agent"));
        }
        _ => {}
    }
    Ok(checked)
}

#[cfg(test)]
mod tests;
