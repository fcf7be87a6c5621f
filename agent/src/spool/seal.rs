//! Signs the stream: every so often an event says how the chain of hashes stands, under the agent's own key, so that
//! what was read can be shown later to be what was kept. How the chain is made is told in `wire::seal`.

use ring::signature::{Ed25519KeyPair, KeyPair};
use slipwatch_shared::event::{Body, Seal, Seq};
use slipwatch_shared::terminal::{AgentId, StoreId};
use slipwatch_shared::wire::seal::{Chain, message};
use std::fmt;
use std::sync::Arc;

/// A stretch with anything but pulses in it is signed after so many ms: what a crash or a thief could take out of it
/// unseen is no more than that.
pub const SEAL_MS: u64 = 30_000;
/// A stretch of pulses alone.
pub const SEAL_QUIET_MS: u64 = 600_000;
/// Length of the secret from which a key is made.
pub const SECRET_BYTES: usize = 32;

/// An agent's own key.
#[derive(Clone)]
pub struct Sealer {
    key: Arc<Ed25519KeyPair>,
    store: StoreId,
    agent: AgentId,
}

impl fmt::Debug for Sealer {
    /// Shows the public half alone.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Sealer({:02x?})", self.key.public_key().as_ref())
    }
}

impl Sealer {
    /// The key that belongs to a secret.
    pub fn new(secret: &[u8; SECRET_BYTES], store: StoreId, agent: AgentId) -> Sealer {
        let key = Ed25519KeyPair::from_seed_unchecked(secret).expect("any 32 bytes are a secret");
        Sealer { key: Arc::new(key), store, agent }
    }

    /// The word about a chain that ends before `seq`, which is the word's own number; none when all of it is signed.
    pub fn seal(&self, chain: &Chain, seq: Seq) -> Option<Body> {
        let mut seal = Seal {
            from: chain.unsealed_from?,
            previous: chain.sealed.0,
            chain: chain.link.0,
            key: half(self.key.public_key().as_ref()),
            signature: [[0; 32]; 2],
        };
        let through = Seq(seq.0.saturating_sub(1));
        let signature = self.key.sign(&message(&self.store, &self.agent, through, &seal));
        let (first, second) = signature.as_ref().split_at(32);
        seal.signature = [half(first), half(second)];
        Some(Body::Sealed(seal))
    }
}

fn half(bytes: &[u8]) -> [u8; 32] {
    bytes.try_into().expect("keys and half signatures of Ed25519 have 32 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spool::storage::{Append, StorageOrder};
    use crate::spool::writing::{Utterance, Writing};
    use slipwatch_shared::event::{LineCounts, SourceId};
    use slipwatch_shared::times::{BootId, EventTime, Observed, Uptime};
    use slipwatch_shared::wire::seal::Digest;

    fn sealer() -> Sealer {
        Sealer::new(&[9; 32], "s".parse().expect("a store"), "a".parse().expect("an agent"))
    }

    fn at(uptime: u64) -> Observed {
        Observed {
            boot: BootId([1; 16]),
            uptime: Uptime(uptime),
            wall: EventTime(uptime as i64),
            synchronised: true,
        }
    }

    /// Says something at each time, and gives what was handed to the storage, each group with its chain.
    fn kept(chain: Chain, next: u64, said: &[(u64, Body)]) -> Vec<Append> {
        let mut writing = Writing::new(100, Some(sealer()), Seq(next), chain, at(0));
        let mut kept = Vec::new();
        for (uptime, body) in said {
            writing.clock_read(at(*uptime), &[]);
            let said = Utterance::own(SourceId(1), None, Uptime(*uptime), body.clone());
            writing.say(said, &[]);
            writing.clock_read(at(uptime + 1_000), &[]);
            writing.close_when_due(&[]);
            if let Some(StorageOrder::Append(appends)) = writing.next_order() {
                kept.extend(appends);
            }
        }
        kept
    }

    fn seals(kept: &[Append]) -> Vec<(Seq, Seal)> {
        let events = kept.iter().flat_map(|append| append.group.events());
        let seal = |(seq, event): (Seq, Result<_, _>)| match Result::ok(event)? {
            slipwatch_shared::event::Event { body: Body::Sealed(seal), .. } => Some((seq, seal)),
            _ => None,
        };
        events.filter_map(seal).collect()
    }

    #[test]
    fn a_stretch_is_signed_after_its_time_and_the_next_one_goes_on_from_there() {
        let up = || Body::NetworkUp;
        let kept =
            kept(Chain::default(), 1, &[(0, up()), (29_500, up()), (40_000, up()), (70_500, up())]);
        let seals = seals(&kept);
        let stretches: Vec<_> = seals.iter().map(|(seq, seal)| (seal.from.0, seq.0)).collect();
        assert_eq!(stretches, [(1, 3), (3, 6)]);
        assert_eq!(seals[0].1.previous, [0; 32]);
        assert_eq!(seals[1].1.previous, seals[0].1.chain);
    }

    #[test]
    fn pulses_alone_are_signed_seldom() {
        let pulse = |at| (at, Body::Pulse(LineCounts::default()));
        let said: Vec<_> = (0..70).map(|at| pulse(at * 10_000)).collect();
        assert_eq!(seals(&kept(Chain::default(), 1, &said)).len(), 1);
    }

    #[test]
    fn the_chain_beside_each_group_stands_for_exactly_the_records_up_to_it() {
        let long = "x".repeat(60);
        let operator = Body::SourceOpened(slipwatch_shared::event::SourceDescription {
            name: long.as_str().into(),
            dialect: long.as_str().into(),
            hears_money: true,
            hears_slips: true,
            two_way: false,
            historical: false,
        });
        // So many at one time that groups are closed because they are full.
        let said: Vec<_> = (0..200).map(|_| (0, operator.clone())).collect();
        let kept = kept(Chain::default(), 1, &said);
        assert!(kept.len() > 1, "one group alone proves nothing");
        let mut chain = Chain::default();
        for Append { group, chain: beside, .. } in &kept {
            for (seq, record) in group.records() {
                chain.add(seq, Digest::of_record(group.boot, group.clock, record));
            }
            assert_eq!(beside.link, chain.link, "behind number {}", group.last_seq().0);
        }
    }

    #[test]
    fn a_new_life_signs_what_the_old_one_had_not() {
        let first = kept(Chain::default(), 1, &[(0, Body::NetworkUp)]);
        let chain = first[0].chain;
        let second = kept(chain, 2, &[(1_000, Body::NetworkDown), (31_000, Body::NetworkUp)]);
        let seals = seals(&second);
        assert_eq!((seals[0].1.from, seals[0].0), (Seq(1), Seq(4)));
    }
}
