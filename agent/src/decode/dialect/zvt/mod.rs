//! ZVT, the link between tills and payment terminals in Germany, Austria and Switzerland: PA00P015 (messages) and
//! PA00P016 (transport), over a serial line or TCP. It tells what was debited, undone and refused, and the text of slips
//! that the terminal hands to the till; it never tells whether paper came out.
//!
//! `family = "zvt"`; the settings are those of `Draft`.

pub mod bmp;
pub mod command;
mod deal;
mod printing;
mod reader;
mod secret;
mod session;
pub mod status;
mod stream;
pub mod tlv;

#[cfg(test)]
mod tests;

use super::error::{ProfileError, Source, unknown};
use super::{Dialect, Reader};
use crate::decode::encoding::Encoding;
use crate::decode::framer::check::{Check, Crc16, Sum};
use crate::decode::framer::frame::Framing;
use crate::decode::framer::shape::{BODY_BYTES_MAX, Escape, Length, Shape};
use reader::ZvtReader;
use serde::Deserialize;
use slipwatch_shared::money::Currency;
use slipwatch_shared::terminal::TerminalId;
use std::sync::Arc;
use toml::Spanned;

/// Longest time that a profile may set, in ms.
const TIMER_MS_MAX: u64 = 3_600_000;

/// How messages travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// `10 02 … 10 03 CRC CRC`, acknowledged by single bytes.
    Serial,
    /// One message behind the other.
    Tcp,
}

impl Transport {
    const NAMES: [(&str, Transport); 2] = [("serial", Transport::Serial), ("tcp", Transport::Tcp)];
}

/// How long till and terminal wait, in ms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timers {
    /// T1: for the next byte of a message.
    pub between_bytes_ms: u64,
    /// T2: for the acknowledgement of a frame, before it is sent again; at most twice.
    pub acknowledge_ms: u64,
    /// T3: for the answer to a message.
    pub answer_ms: u64,
    /// T4: for the end of a transaction, from the last word about it.
    pub completion_ms: u64,
}

/// The dialect, ready to run.
#[derive(Debug)]
pub struct Zvt {
    name: Box<str>,
    about: Box<str>,
    transport: Transport,
    /// Where neither till nor terminal names one.
    currency: Currency,
    /// Where a slip's own bytes do not tell.
    charset: Encoding,
    timers: Timers,
    framing: Arc<Framing>,
}

/// A profile as its file spells it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Draft {
    about: String,
    #[serde(rename = "family")]
    _family: String,
    transport: Spanned<String>,
    #[serde(default = "euro")]
    currency: Spanned<String>,
    #[serde(default = "cp437")]
    charset: Spanned<String>,
    #[serde(default)]
    timers: TimersDraft,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct TimersDraft {
    between_bytes_ms: Option<Spanned<u64>>,
    acknowledge_ms: Option<Spanned<u64>>,
    answer_ms: Option<Spanned<u64>>,
    completion_ms: Option<Spanned<u64>>,
}

fn euro() -> Spanned<String> {
    Spanned::new(0..0, "EUR".to_owned())
}

fn cp437() -> Spanned<String> {
    Spanned::new(0..0, "cp437".to_owned())
}

impl Zvt {
    /// Reads a profile. `name` is its file or shipped name, for messages.
    pub fn parse(name: &str, toml: &str) -> Result<Zvt, ProfileError> {
        let source = Source { file: name, text: toml };
        let draft: Draft = toml::from_str(toml).map_err(|error| source.toml_error(&error))?;
        let Draft { about, transport, currency, charset, timers, .. } = draft;
        let wrong = |word: &Spanned<String>, what, valid: &[&str]| {
            source.error(word.span().start, unknown(what, word.get_ref(), valid))
        };
        let known = Transport::NAMES.iter().find(|known| known.0 == transport.get_ref());
        let names = Transport::NAMES.map(|known| known.0);
        let known = known.ok_or_else(|| wrong(&transport, "transport", &names))?.1;
        let charset = Encoding::named(charset.get_ref())
            .ok_or_else(|| wrong(&charset, "charset", Encoding::NAMES))?;
        let currency = currency
            .get_ref()
            .parse()
            .map_err(|error| source.error(currency.span().start, format!("currency: {error}")))?;
        let timers = timers.checked(known, source)?;
        let framing = Arc::new(framing(timers.between_bytes_ms));
        let (name, about) = (name.into(), about.into());
        Ok(Zvt { name, about, transport: known, currency, charset, timers, framing })
    }

    /// A message as till and terminal would send it. For tests and simulators; slipwatch itself sends nothing.
    pub fn wrap(&self, message: &[u8]) -> Vec<u8> {
        match self.transport {
            Transport::Serial => self.framing.shapes[0].wrap(message),
            Transport::Tcp => message.to_vec(),
        }
    }
}

impl TimersDraft {
    /// The times of the manual where the profile says none.
    fn checked(self, transport: Transport, source: Source<'_>) -> Result<Timers, ProfileError> {
        let timer = |set: Option<Spanned<u64>>, usual| match set {
            Some(ms) if !(1..=TIMER_MS_MAX).contains(ms.get_ref()) => {
                let problem = format!("{} ms: 1 to {TIMER_MS_MAX} are possible", ms.get_ref());
                Err(source.error(ms.span().start, problem))
            }
            set => Ok(set.map_or(usual, Spanned::into_inner)),
        };
        let between = if transport == Transport::Tcp { 5_000 } else { 200 };
        Ok(Timers {
            between_bytes_ms: timer(self.between_bytes_ms, between)?,
            acknowledge_ms: timer(self.acknowledge_ms, 5_000)?,
            answer_ms: timer(self.answer_ms, 5_000)?,
            completion_ms: timer(self.completion_ms, 180_000)?,
        })
    }
}

/// The frames of the serial line (PA00P016). The manual calls their check sum CRC-XMODEM; what terminals send is the
/// reflected form of it, low byte first, over the message and the byte 03.
fn framing(gap_ms: u64) -> Framing {
    let crc = Check {
        sum: Sum::Crc16(Crc16::Kermit),
        start: false,
        length: false,
        end: true,
        low_first: true,
    };
    let shape = Shape {
        start: [0x02].into(),
        length: Length::None,
        length_more: 0,
        end: [0x03].into(),
        checks: vec![crc],
        escape: Escape::Dle,
        body_bytes_max: BODY_BYTES_MAX,
    };
    let shape = shape.validated().expect("the shape is a constant: a test reads frames by it");
    Framing { shapes: vec![shape], signals: vec![0x06, 0x15], gap_ms, masked_ok: false }
}

impl Dialect for Zvt {
    fn name(&self) -> &str {
        &self.name
    }

    fn about(&self) -> &str {
        &self.about
    }

    fn hears_money(&self) -> bool {
        true
    }

    /// The text of slips, where the till prints it. Where the terminal prints by itself, the source's settings say
    /// `hears_slips = false`.
    fn hears_slips(&self) -> bool {
        true
    }

    fn reader(self: Arc<Self>, terminal: Option<TerminalId>) -> Box<dyn Reader> {
        Box::new(ZvtReader::new(self, terminal))
    }
}
