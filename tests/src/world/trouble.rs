//! What goes wrong in a world, when, and for how long. Says nothing of how; the world does it.

use crate::dice::Dice;

/// Something that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The agent's process is killed, and started again.
    AgentKilled,
    /// The agent's machine loses its power, and boots again.
    PowerCut,
    /// The agent is stopped in good order, and started again.
    AgentStopped,
    /// The agent is killed and its spool is gone when it starts; the small file of the numbering is there.
    SpoolDamaged,
    /// The disk of the agent is full.
    DiskFull,
    /// The wall clock of the agent is set by so much.
    ClockSet {
        /// Milliseconds forward or back.
        by_ms: i64,
    },
    /// One line of a terminal is pulled out.
    Unplugged {
        /// Which of the agent's lines.
        line: usize,
    },
    /// The agent cannot reach the broker.
    LinkDown,
    /// The broker starts anew and has forgotten everything.
    BrokerRestarted,
    /// The collector's process is killed, and started again.
    CollectorKilled,
    /// The disk of the collector is full.
    StoreFull,
}

/// A trouble at its time. Those of broker and collector concern all agents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mishap {
    /// What.
    pub trouble: Trouble,
    /// Which agent has it.
    pub agent: usize,
    /// When, in the world's milliseconds.
    pub at: i64,
    /// How long.
    pub lasts_ms: i64,
}

/// Troubles at random: often none, seldom many.
pub fn random(dice: &mut Dice, agents: usize, lines: usize, end: i64) -> Vec<Mishap> {
    let count = *dice.pick(&[0, 0, 1, 1, 2, 3, 5, 8]);
    let mut mishaps: Vec<Mishap> = Vec::new();
    for _ in 0..count {
        let by_ms = dice.between(-7_200_000, 7_200_000);
        let line = dice.below(lines as u64) as usize;
        let trouble = *dice.pick(&[
            Trouble::AgentKilled,
            Trouble::AgentKilled,
            Trouble::PowerCut,
            Trouble::AgentStopped,
            Trouble::SpoolDamaged,
            Trouble::DiskFull,
            Trouble::ClockSet { by_ms },
            Trouble::Unplugged { line },
            Trouble::LinkDown,
            Trouble::LinkDown,
            Trouble::BrokerRestarted,
            Trouble::CollectorKilled,
            Trouble::CollectorKilled,
            Trouble::StoreFull,
        ]);
        let at = dice.between(0, end);
        let lasts_ms = *dice.pick(&[100, 2_000, 20_000, 120_000, 700_000]);
        let lasts_ms = lasts_ms + dice.between(0, lasts_ms);
        let agent = dice.below(agents as u64) as usize;
        mishaps.push(Mishap { trouble, agent, at, lasts_ms });
    }
    mishaps
}
