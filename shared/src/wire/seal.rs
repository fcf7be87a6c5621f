//! The chain of hashes over an agent's stream, and what an agent signs of it: a record that was changed, added or taken
//! out afterwards no longer fits. Signs and verifies nothing itself; both ends do that with what is built here.
//!
//! `chain(n) = BLAKE3(chain(n-1) | n (8, little endian) | digest(n))`, over every number that was given, from 32 zero
//! bytes on, and `digest(n) = BLAKE3(boot (16) | wall offset (8, little endian) | synchronised (1) | record n)`: the
//! record without its length, and the clock that its times are read by. So a stretch can be checked by somebody who sees
//! only the digests of the records that are not shown.

use super::envelope::ClockState;
use crate::event::{Seal, Seq};
use crate::field::FieldError;
use crate::terminal::{AgentId, StoreId};
use crate::times::BootId;
use std::fmt;
use std::str::FromStr;

/// What stands before everything that an agent signs, so that its signature means nothing elsewhere.
const DOMAIN: &[u8] = b"slipwatch-seal-1\0";

/// A BLAKE3 hash, written as 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// Of bytes.
    pub fn of(bytes: &[u8]) -> Digest {
        Digest(*blake3::hash(bytes).as_bytes())
    }

    /// Of a record, without its length, under the clock of its group.
    pub fn of_record(boot: BootId, clock: ClockState, record: &[u8]) -> Digest {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&boot.0).update(&clock.wall_offset_ms.to_le_bytes());
        hasher.update(&[u8::from(clock.synchronised)]).update(record);
        Digest(*hasher.finalize().as_bytes())
    }

    /// The chain's next link: behind this one stands the record of number `seq`.
    pub fn link(self, seq: Seq, record: Digest) -> Digest {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.0).update(&seq.0.to_le_bytes()).update(&record.0);
        Digest(*hasher.finalize().as_bytes())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

impl FromStr for Digest {
    type Err = FieldError;

    /// Reads 64 hexadecimal digits.
    fn from_str(text: &str) -> Result<Digest, FieldError> {
        let wrong = || FieldError::new("64 hexadecimal digits", text);
        let mut digest = Digest::default();
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        for (place, pair) in digest.0.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| wrong())?;
            *place = u8::from_str_radix(pair, 16).map_err(|_| wrong())?;
        }
        Ok(digest)
    }
}

/// How an agent's chain stands: kept with the events that it covers, so that it goes on after any stop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Chain {
    /// The link behind the last number.
    pub link: Digest,
    /// The link that the last seal signed.
    pub sealed: Digest,
    /// First number that no seal covers; absent while there is none.
    pub unsealed_from: Option<Seq>,
}

/// Length of a chain as bytes.
pub const CHAIN_BYTES: usize = 72;

impl Chain {
    /// The record of the next number joins the chain.
    pub fn add(&mut self, seq: Seq, record: Digest) {
        self.link = self.link.link(seq, record);
        self.unsealed_from.get_or_insert(seq);
    }

    /// Everything so far is signed.
    pub fn seal(&mut self) {
        self.sealed = self.link;
        self.unsealed_from = None;
    }

    /// Fixed width, little endian.
    pub fn to_bytes(&self) -> [u8; CHAIN_BYTES] {
        let mut bytes = [0; CHAIN_BYTES];
        bytes[..32].copy_from_slice(&self.link.0);
        bytes[32..64].copy_from_slice(&self.sealed.0);
        let from = self.unsealed_from.map_or(0, |from| from.0);
        bytes[64..].copy_from_slice(&from.to_le_bytes());
        bytes
    }

    /// Reads [`Chain::to_bytes`]; nothing when the length is another.
    pub fn from_bytes(bytes: &[u8]) -> Option<Chain> {
        let bytes: &[u8; CHAIN_BYTES] = bytes.try_into().ok()?;
        let from = u64::from_le_bytes(bytes[64..].try_into().ok()?);
        Some(Chain {
            link: Digest(bytes[..32].try_into().ok()?),
            sealed: Digest(bytes[32..64].try_into().ok()?),
            unsealed_from: (from != 0).then_some(Seq(from)),
        })
    }
}

/// What an agent signs: whose stream, which numbers, and both ends of the chain over them.
pub fn message(store: &StoreId, agent: &AgentId, through: Seq, seal: &Seal) -> Vec<u8> {
    let mut bytes = DOMAIN.to_vec();
    for name in [store.as_str(), agent.as_str()] {
        bytes.extend_from_slice(name.as_bytes());
        bytes.push(0);
    }
    bytes.extend_from_slice(&seal.from.0.to_le_bytes());
    bytes.extend_from_slice(&through.0.to_le_bytes());
    bytes.extend_from_slice(&seal.previous);
    bytes.extend_from_slice(&seal.chain);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_a_missing_and_a_moved_record_break_the_chain() {
        let chain = |records: &[(u64, &str)]| {
            let mut chain = Chain::default();
            for (seq, record) in records {
                chain.add(Seq(*seq), Digest::of(record.as_bytes()));
            }
            chain.link
        };
        let sound = chain(&[(1, "a"), (2, "b"), (3, "c")]);
        assert_eq!(sound, chain(&[(1, "a"), (2, "b"), (3, "c")]));
        assert_ne!(sound, chain(&[(1, "a"), (2, "B"), (3, "c")]));
        assert_ne!(sound, chain(&[(1, "a"), (3, "c")]));
        assert_ne!(sound, chain(&[(1, "b"), (2, "a"), (3, "c")]));
        assert_ne!(sound, chain(&[(1, "a"), (2, "b"), (4, "c")]));
    }

    #[test]
    fn a_chain_is_read_as_it_was_written() {
        let mut chain = Chain::default();
        assert_eq!(Chain::from_bytes(&chain.to_bytes()), Some(chain));
        chain.add(Seq(7), Digest::of(b"x"));
        assert_eq!(Chain::from_bytes(&chain.to_bytes()), Some(chain));
        assert_eq!(chain.unsealed_from, Some(Seq(7)));
        assert_eq!(Chain::from_bytes(&[0; 71]), None);
        let text = chain.link.to_string();
        assert_eq!(text.parse(), Ok(chain.link));
        assert!("0".parse::<Digest>().is_err());
    }
}
