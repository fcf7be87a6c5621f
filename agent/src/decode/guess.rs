//! Which dialect is it? Several of them listen to the same bytes, and what each of them made of it is weighed. Knows
//! nothing of any device: what a dialect counts as understood, unknown and damaged is all there is to go by.

use crate::decode::decoder::{Decoded, Decoder};
use crate::decode::dialect::escpos::HALLMARK_BYTES_MAX;
use crate::decode::dialect::{Dialect, Direction, Hallmarks, shipped};
use slipwatch_shared::event::{Body, Keys, LineCounts};
use slipwatch_shared::times::Uptime;
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::sync::Arc;

/// An opinion this strong is worth acting on.
pub const SURE: f64 = 0.75;
/// And it must be this much stronger than the next one of another family.
pub const AHEAD: f64 = 0.1;

/// Lines and frames that are worth half an opinion: one could be chance.
const HALF_COUNT: f64 = 1.0;
/// What lines and frames are worth that tell of no payment and no slip: they could be those of a cousin.
const UNTOLD: f64 = 0.4;
/// Hallmarks of fewer kinds than this may be noise that repeats itself.
const KINDS_MIN: f64 = 2.0;
/// So many hallmarks stand in a byte of noise, about.
const HALLMARKS_BY_CHANCE: f64 = 0.000_1;
/// How much a line's control signs speak against a dialect of text: four in a hundred take a sixth.
const CONTROLS_WEIGH: f64 = 4.0;

/// Several dialects that listen to one line.
#[derive(Debug)]
pub struct Trial {
    listeners: Vec<Listener>,
    bytes: u64,
    /// Of the bytes, those that stand in no text.
    controls: u64,
    /// The last bytes, in which a hallmark may have begun.
    last: Vec<u8>,
    /// Of `last`, what stands in it from reads before.
    kept: usize,
}

#[derive(Debug)]
struct Listener {
    dialect: Arc<dyn Dialect>,
    /// Nothing for a profile of the installer's own.
    family: Option<String>,
    decoder: Decoder,
    counts: LineCounts,
    said: BTreeMap<String, u64>,
    /// What hardly stands there by chance, of a dialect that has such.
    hallmarks: Option<Hallmarks>,
    /// Events that tell of a payment or a slip, and all the numbers that they carry.
    telling: u64,
    numbers: u64,
}

/// What one dialect made of a line.
#[derive(Clone, Debug, PartialEq)]
pub struct Opinion {
    /// Its name.
    pub dialect: String,
    /// The family of a shipped one.
    pub family: Option<String>,
    /// From 0 to 1.
    pub score: f64,
    /// Lines or frames that it understood.
    pub understood: u64,
    /// Lines or frames that mean nothing to it.
    pub foreign: u64,
    /// Damaged ones.
    pub damaged: u64,
    /// What was said, by kind.
    pub said: BTreeMap<String, u64>,
    /// How many numbers of a payment an event carries, on the average.
    pub numbers: f64,
}

impl Trial {
    /// All of them at the start of a stream.
    pub fn new(dialects: impl IntoIterator<Item = Arc<dyn Dialect>>) -> Trial {
        let listener = |dialect: Arc<dyn Dialect>| Listener {
            decoder: Decoder::new(dialect.clone(), None),
            family: shipped::family(dialect.name()),
            hallmarks: dialect.hallmarks(&[]),
            dialect,
            counts: LineCounts::default(),
            said: BTreeMap::new(),
            telling: 0,
            numbers: 0,
        };
        let listeners = dialects.into_iter().map(listener).collect();
        Trial { listeners, bytes: 0, controls: 0, last: Vec::new(), kept: 0 }
    }

    /// How many bytes were heard.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Takes the next bytes of the line, read at `at`.
    pub fn push(&mut self, direction: Direction, bytes: &[u8], at: Uptime) {
        self.bytes += bytes.len() as u64;
        let is_control = |byte: &&u8| **byte < 0x20 && !matches!(byte, b'\t' | b'\r' | b'\n');
        self.controls += bytes.iter().filter(is_control).count() as u64;
        // One may lie across two reads.
        self.last.extend_from_slice(bytes);
        for listener in &mut self.listeners {
            listener.decoder.push(direction, bytes, at);
            listener.take();
            if let Some(marks) = &mut listener.hallmarks {
                let find = |bytes: &[u8]| listener.dialect.hallmarks(bytes).unwrap_or_default();
                let (all, known) = (find(&self.last), find(&self.last[..self.kept]));
                marks.count += all.count - known.count;
                marks.kinds |= all.kinds;
            }
        }
        let from = self.last.len().saturating_sub(HALLMARK_BYTES_MAX - 1);
        self.last.drain(..from);
        self.kept = self.last.len();
    }

    /// Time passed.
    pub fn settle(&mut self, now: Uptime) {
        for listener in &mut self.listeners {
            listener.decoder.settle(now);
            listener.take();
        }
    }

    /// What each of them makes of it so far, the strongest first. Among those of one family that are about as strong the
    /// one comes first that reads most numbers, then the one that is listed first.
    pub fn opinions(&self) -> Vec<Opinion> {
        let controls = self.controls as f64 / self.bytes.max(1) as f64;
        let mut opinions: Vec<Opinion> =
            self.listeners.iter().map(|listener| listener.opinion(controls)).collect();
        opinions.sort_by(|one, other| other.score.total_cmp(&one.score));
        let Some(best) = opinions.first() else { return opinions };
        let (family, least) = (best.family.clone(), best.score - AHEAD);
        let mut chosen = 0;
        for (at, opinion) in opinions.iter().enumerate() {
            let is_kin = opinion.family == family && opinion.score >= least;
            if is_kin && opinion.numbers > opinions[chosen].numbers {
                chosen = at;
            }
        }
        opinions[..=chosen].rotate_right(1);
        opinions
    }
}

/// Whether the first opinion is strong enough, and far enough ahead of every other family's.
pub fn is_sure(opinions: &[Opinion]) -> bool {
    let Some(best) = opinions.first() else { return false };
    let is_other = |opinion: &&Opinion| opinion.family.is_none() || opinion.family != best.family;
    let rival = opinions[1..].iter().filter(is_other).map(|opinion| opinion.score);
    best.score >= SURE && best.score - rival.fold(0.0, f64::max) >= AHEAD
}

/// The dialects of the first opinion's family that are about as strong: what was heard does not tell them apart.
pub fn kin(opinions: &[Opinion]) -> Vec<&str> {
    let Some(best) = opinions.first() else { return Vec::new() };
    let is_kin = |opinion: &&Opinion| {
        opinion.understood > 0
            && opinion.family.is_some()
            && opinion.family.as_deref() != Some(shipped::TEXT)
            && opinion.family == best.family
            && opinion.score > best.score - AHEAD
    };
    opinions[1..].iter().filter(is_kin).map(|opinion| opinion.dialect.as_str()).collect()
}

impl Listener {
    fn take(&mut self) {
        while let Some(decoded) = self.decoder.next_decoded() {
            let Decoded::Said { body, .. } = decoded else { continue };
            *self.said.entry(kind_of(&body)).or_default() += 1;
            let numbers = body.keys().map_or(0, numbers_of);
            if numbers > 0 && !matches!(body, Body::SlipStarted(_))
                || matches!(body, Body::SlipPrinted { .. } | Body::PrinterStatus(_))
            {
                self.telling += 1;
                self.numbers += numbers;
            }
        }
        let LineCounts { bytes, lines, unmatched, rejected } = self.decoder.take_counts();
        self.counts.bytes += bytes;
        self.counts.lines += lines;
        self.counts.unmatched += unmatched;
        self.counts.rejected += rejected;
    }

    fn opinion(&self, controls: f64) -> Opinion {
        let LineCounts { lines, unmatched, rejected, .. } = self.counts;
        let understood = lines.saturating_sub(unmatched + rejected);
        let share = understood as f64 / (understood + unmatched + rejected).max(1) as f64;
        let volume = understood as f64 / (understood as f64 + HALF_COUNT);
        let told = self.telling as f64 / (self.telling as f64 + 1.0);
        let telling = UNTOLD + (1.0 - UNTOLD) * told;
        let is_text = self.family.as_deref() == Some(shipped::TEXT);
        let plain = if is_text { (1.0 - CONTROLS_WEIGH * controls).max(0.0) } else { 1.0 };
        // Where anything is understood, only what hardly stands there by chance tells something, and as much as events do.
        let (telling, marked) = match self.hallmarks {
            None => (telling, 1.0),
            Some(marks) => {
                let chance = self.counts.bytes as f64 * HALLMARKS_BY_CHANCE;
                let count = marks.count as f64;
                let kinds = f64::from(marks.kinds.count_ones()) / KINDS_MIN;
                let marked = count / (count + 0.5 + 4.0 * chance) * kinds.min(1.0);
                (telling.max(UNTOLD + (1.0 - UNTOLD) * marked), marked)
            }
        };
        Opinion {
            dialect: self.dialect.name().to_owned(),
            family: self.family.clone(),
            score: share * volume * telling * plain * marked,
            understood,
            foreign: unmatched,
            damaged: rejected,
            said: self.said.clone(),
            numbers: self.numbers as f64 / self.telling.max(1) as f64,
        }
    }
}

/// How many numbers of a payment are told.
fn numbers_of(keys: &Keys) -> u64 {
    let told = [
        keys.amount.is_some(),
        keys.stan.is_some(),
        keys.batch_number.is_some(),
        keys.rrn.is_some(),
        keys.authorization_code.is_some(),
        keys.order_number.is_some(),
        keys.channel_transaction_id.is_some(),
        keys.card.is_some(),
        keys.original.is_some(),
    ];
    told.iter().filter(|&&is_told| is_told).count() as u64
}

impl fmt::Display for Opinion {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Opinion { understood, foreign, damaged, said, .. } = self;
        write!(
            out,
            "{understood} lines or frames understood, {foreign} unknown, {damaged} damaged"
        )?;
        let mut sign = ": ";
        for (kind, times) in said {
            write!(out, "{sign}{kind} {times}")?;
            sign = ", ";
        }
        Ok(())
    }
}

/// What kind of thing was said, in words: `slip printed`.
pub fn kind_of(body: &Body) -> String {
    let mut name = Name(String::new());
    // It ends with the name: the rest of a large body is not written out.
    let _ = write!(name, "{body:?}");
    name.0
}

/// Takes the first name that is written to it.
struct Name(String);

impl fmt::Write for Name {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for sign in text.chars() {
            if !sign.is_ascii_alphanumeric() {
                return Err(fmt::Error);
            }
            if sign.is_ascii_uppercase() && !self.0.is_empty() {
                self.0.push(' ');
            }
            self.0.push(sign.to_ascii_lowercase());
        }
        Ok(())
    }
}

/// Whether bytes that were read with eight bits carry seven and a check bit: `true` for even, `false` for odd. Absent
/// while too little was heard, or where it is neither.
pub fn seven_bits(bytes: &[u8]) -> Option<bool> {
    let mut seen = [false; 256];
    bytes.iter().for_each(|&byte| seen[usize::from(byte)] = true);
    let kinds = seen.iter().filter(|&&seen| seen).count();
    let all = |odd: u32| bytes.iter().all(|byte| byte.count_ones() % 2 == odd);
    if bytes.len() < SEVEN_BYTES_MIN || kinds < SEVEN_KINDS_MIN {
        return None;
    }
    match (all(0), all(1)) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    }
}

/// So many bytes in a row of one parity, of so many kinds, are no chance.
const SEVEN_BYTES_MIN: usize = 48;
const SEVEN_KINDS_MIN: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::dialect::shipped;

    fn trial(bytes: &[u8]) -> Trial {
        let mut trial = Trial::new(shipped::names().filter_map(shipped::dialect));
        for (at, chunk) in bytes.chunks(64).enumerate() {
            trial.push(Direction::Either, chunk, Uptime(at as u64));
        }
        trial
    }

    #[test]
    fn what_nobody_understands_convinces_nobody() {
        let noise = (0..4_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8);
        let trial = trial(&noise.collect::<Vec<u8>>());
        let opinions = trial.opinions();
        assert!(!is_sure(&opinions), "{:?}", opinions[0]);
        assert_eq!(trial.bytes(), 4_000);
    }

    #[test]
    fn a_text_that_a_printer_would_print_is_not_a_printers() {
        let text = b"<log>\n  <a-thing-that-nobody-knows id=\"1\"/>\n  TOTAL EUR 1.00\n</log>\n";
        let opinions = trial(&text.repeat(50)).opinions();
        assert_eq!(opinions[0].score, 0.0, "{:?}", opinions[0]);
        let slip = b"\x1b@TOTAL EUR 1.00\nTRACE NO: 000001\n\n\x1dVA\x03";
        let opinions = trial(&slip.repeat(5)).opinions();
        assert_eq!(opinions[0].family.as_deref(), Some("escpos"));
        assert!(is_sure(&opinions), "{opinions:?}");
    }

    #[test]
    fn a_line_that_one_of_them_understands_is_its() {
        let line =
            "2026-11-24 09:30:01.120 evt=auth_response rc=00 stan=000123 amt=1250 cur=CNY tid=T1\n";
        let opinions = trial(line.repeat(20).as_bytes()).opinions();
        assert_eq!(opinions[0].dialect, "kv-en");
        assert!(is_sure(&opinions), "{opinions:?}");
        assert_eq!(opinions[0].said["authorization answered"], 20);
    }

    #[test]
    fn seven_bits_with_a_check_bit_are_told_from_eight() {
        let with_parity = |odd: u32| -> Vec<u8> {
            let text = b"TOTAL 12.50 CNY, thank you for your visit\r\n";
            let bit = |byte: &u8| *byte | (u8::from(byte.count_ones() % 2 != odd) << 7);
            text.iter().chain(text).map(bit).collect()
        };
        assert_eq!(seven_bits(&with_parity(0)), Some(true));
        assert_eq!(seven_bits(&with_parity(1)), Some(false));
        assert_eq!(seven_bits(&[b'a'; 200]), None, "one letter is no text");
        let plain = b"TOTAL 12.50 CNY, thank you for your visit\r\nTOTAL 12.50 CNY, thank you\r\n";
        assert_eq!(seven_bits(plain), None);
    }
}
