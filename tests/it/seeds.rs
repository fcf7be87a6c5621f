//! Random worlds: whatever goes wrong, what the collector says in the end is what really happened, and nobody is ever
//! told that a slip is missing which came in time.
//!
//! `SLIPWATCH_SEEDS=500` runs so many, `SLIPWATCH_SEED=17` that one alone and tells all of it. A seed that once failed
//! becomes a scene.

use slipwatch_shared::event::Event;
use slipwatch_tests::terminal::Payment;
use slipwatch_tests::world::World;
use slipwatch_tests::world::agent_node::WALL_MS_AT_START;
use slipwatch_tests::world::proof::{Proof, findings, prove, said};
use slipwatch_tests::world::recipe::Recipe;

/// How many worlds are run when nothing else is asked for.
const SEEDS: u64 = 40;
/// After so many failed ones the rest tells nothing new.
const FAILED_MAX: usize = 3;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn run(seed: u64) -> (World, Proof) {
    let recipe = Recipe::random(seed);
    let settings = recipe.collector.clone();
    let mut world = World::new(recipe);
    let rested = world.run();
    let mut proof = prove(&world, &settings);
    if !rested {
        let numbers = world.agents.iter().map(|agent| agent.numbers());
        let numbers: Vec<_> = numbers.collect();
        proof.wrong.push(format!("the world never came to rest; agents stand at {numbers:?}"));
    }
    (world, proof)
}

fn tell(seed: u64, world: &World, proof: &Proof) -> String {
    let mut text = format!(
        "seed {seed} failed; alone: SLIPWATCH_SEED={seed} cargo test -p slipwatch-tests --test it seeds\n"
    );
    proof.wrong.iter().take(20).for_each(|line| text += &format!("  {line}\n"));
    if number("SLIPWATCH_SEED").is_some() {
        for payment in &world.payments {
            let store = &world.collector.store;
            let (said, findings) = (said(store, payment), findings(store, payment));
            text += &format!("  {payment:?}\n    -> {said:?} {findings:?}\n");
            for event in heard(world, payment).filter(|_| said.is_empty()) {
                text += &format!("    heard {event:?}\n");
            }
        }
        for agent in &world.agents {
            text += &format!("  deaf: {:?}\n", agent.deaf);
            agent.log.iter().for_each(|line| text += &format!("  {line}\n"));
        }
    }
    text
}

/// Everything in the journal that was heard from a payment's terminal while it went on.
fn heard<'a>(world: &'a World, payment: &'a Payment) -> impl Iterator<Item = &'a Event> {
    let life = payment.began() + WALL_MS_AT_START..=payment.ended() + WALL_MS_AT_START + 1_000;
    world.collector.store.journal.values().filter(move |event| {
        let terminal = event.terminal.is_none_or(|terminal| terminal.as_str() == payment.terminal);
        terminal && life.contains(&event.observed.wall.0)
    })
}

#[test]
fn random_worlds_come_out_as_the_ledger_says() {
    let seeds = match number("SLIPWATCH_SEED") {
        Some(seed) => seed..=seed,
        None => 1..=number("SLIPWATCH_SEEDS").unwrap_or(SEEDS),
    };
    let (mut failed, mut exact, mut payments, mut seals) = (Vec::new(), 0, 0, 0);
    for seed in seeds.clone() {
        let (world, proof) = run(seed);
        exact += proof.exact;
        payments += proof.payments;
        seals += proof.seals;
        if !proof.wrong.is_empty() {
            failed.push(tell(seed, &world, &proof));
        }
        if failed.len() >= FAILED_MAX {
            break;
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    // A ledger that seldom knows would prove little.
    let alone = seeds.start() == seeds.end();
    assert!(
        alone || exact * 2 > payments,
        "of {payments} payments only {exact} could be judged exactly"
    );
    assert!(alone || seals > 100, "only {seals} signatures could be checked");
}

#[test]
fn the_same_seed_gives_the_same_world() {
    let words = |seed| {
        let (world, _) = run(seed);
        let store = &world.collector.store;
        let said: Vec<_> = world.payments.iter().map(|payment| said(store, payment)).collect();
        (world.now, store.journal.len(), store.frames.len(), said)
    };
    assert_eq!(words(5), words(5));
}
