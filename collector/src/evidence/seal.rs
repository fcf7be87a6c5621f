//! Whether a stretch of an agent's stream is what the agent signed. How the chain is made is told in
//! `slipwatch_shared::wire::seal`.

use ring::signature::{ED25519, UnparsedPublicKey};
use slipwatch_shared::event::{Seal, Seq};
use slipwatch_shared::terminal::{AgentId, StoreId};
use slipwatch_shared::wire::seal::{Digest, message};

/// Why a stretch is not what was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The signature is not of this key over these numbers.
    #[error("the signature does not belong to the agent's key")]
    Signature,
    /// A record was changed, added or is missing.
    #[error("the records are not those that were signed")]
    Chain,
}

/// Checks one seal. `through` is the number before the seal's own; `records` are the hashes of all records from
/// `seal.from` to it that there are, in order.
pub fn check(
    store: &StoreId,
    agent: &AgentId,
    through: Seq,
    seal: &Seal,
    records: impl IntoIterator<Item = (Seq, Digest)>,
) -> Result<(), SealError> {
    let link = |link: Digest, (seq, record): (Seq, Digest)| link.link(seq, record);
    if records.into_iter().fold(Digest(seal.previous), link) != Digest(seal.chain) {
        return Err(SealError::Chain);
    }
    let key = UnparsedPublicKey::new(&ED25519, seal.key);
    let signed = message(store, agent, through, seal);
    key.verify(&signed, &seal.signature.concat()).map_err(|_| SealError::Signature)
}
