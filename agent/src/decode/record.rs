//! What comes out of a source's bytes, before it has a number.

use slipwatch_shared::event::{Body, DecodeFailure, EVIDENCE_BYTES_MAX, Evidence};
use slipwatch_shared::terminal::TerminalId;
use slipwatch_shared::times::{DeviceTime, Uptime};

/// What came out of a source's bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decoded {
    /// Something was said.
    Said {
        /// When its last byte was read.
        at: Uptime,
        /// The terminal that the text names, or the one of the source's settings.
        terminal: Option<TerminalId>,
        /// When the device says it happened.
        device_time: Option<DeviceTime>,
        /// What was said.
        body: Body,
        /// The scrubbed lines it came from.
        evidence: Evidence,
    },
    /// Something was said and could not be understood: becomes a `DecodeFailed` event.
    Failed {
        /// When its last byte was read.
        at: Uptime,
        /// What was wrong.
        reason: DecodeFailure,
    },
}

/// The sign at the end of a text that was cut.
const CUT_SIGN: char = '…';

/// Scrubbed text as evidence: whole, or cut to [`EVIDENCE_BYTES_MAX`] bytes with `…` at its end.
pub(crate) fn evidence(text: &str) -> Evidence {
    if text.len() <= EVIDENCE_BYTES_MAX {
        return Evidence::Text(text.into());
    }
    let mut kept = String::with_capacity(EVIDENCE_BYTES_MAX);
    let mut end = EVIDENCE_BYTES_MAX - CUT_SIGN.len_utf8();
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    kept.push_str(&text[..end]);
    kept.push(CUT_SIGN);
    Evidence::Text(kept.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_evidence_is_cut_between_characters_and_says_so() {
        assert_eq!(evidence("short"), Evidence::Text("short".into()));
        let Evidence::Text(text) = evidence(&"单".repeat(2000)) else { panic!("text") };
        assert!(text.len() <= EVIDENCE_BYTES_MAX && text.ends_with("单…"));
    }
}
