//! What must hold of a world that came to rest, and what may never be said on the way. Compares the collector's store
//! with the ledger's opinion of the truth and with what the agents' disks promised.

use crate::ledger::{self, Deaf, Due, House, Opinion, Standing};
use crate::store::MemoryStore;
use crate::terminal::Payment;
use crate::world::World;
use crate::world::agent_node::AgentNode;
use crate::world::collector_node::arrival;
use slipwatch_collector::collector::{Collector, Input, Settings};
use slipwatch_collector::commit::{Commit, Snapshot, TransactionRow};
use slipwatch_collector::correlate::case::CaseId;
use slipwatch_collector::correlate::finding::{Finding, Stage, Subject};
use slipwatch_collector::correlate::policy::AgentName;
use slipwatch_collector::evidence::seal;
use slipwatch_shared::event::{Body, Epoch, Event, Seq};
use slipwatch_shared::times::Observed;
use slipwatch_shared::wire::envelope::ClockState;
use slipwatch_shared::wire::seal::Digest;
use slipwatch_shared::wire::topic::{Channel, Topic};
use slipwatch_shared::wire::v1::{append_record, next_record};
use std::collections::{BTreeMap, BTreeSet};

/// What a proof found.
#[derive(Clone, Debug, Default)]
pub struct Proof {
    /// What is wrong, each in a line that says what was expected and what was found.
    pub wrong: Vec<String>,
    /// Payments of which the ledger knew exactly what is to be said.
    pub exact: usize,
    /// Payments in all.
    pub payments: usize,
    /// Signatures of agents that were checked against the records they stand for.
    pub seals: usize,
}

fn is_of(row: &TransactionRow, payment: &Payment) -> bool {
    row.terminal.is_some_and(|terminal| terminal.as_str() == payment.terminal)
        && row.case.keys.stan.is_some_and(|stan| stan.number() == payment.stan)
}

/// What a commit says that may never be said, not even for a moment.
pub fn complaints(commit: &Commit, payments: &[Payment], house: &House) -> Vec<String> {
    let mut complaints = Vec::new();
    for row in &commit.transactions {
        if row.case.verdict.label() != "no_slip" {
            continue;
        }
        let of_row = payments.iter().find(|payment| is_of(row, payment));
        let innocent = of_row.filter(|payment| !ledger::may_ever_be_missed(payment, house));
        if let Some(payment) = innocent {
            complaints.push(format!(
                "no slip was said of {} {:06} ({:?}), which is {:?}",
                payment.terminal,
                payment.stan,
                payment.story,
                ledger::truth(payment, house)
            ));
        }
    }
    complaints
}

/// Everything that must hold now.
pub fn prove(world: &World, settings: &Settings) -> Proof {
    let mut proof = Proof { payments: world.payments.len(), ..Proof::default() };
    proof.wrong.extend(world.collector.complaints.iter().cloned());
    let mut deaf: Vec<Deaf> = Vec::new();
    for node in &world.agents {
        check_journal(node, &world.collector.store, &mut proof);
        check_seals(node, &world.collector.store, &mut proof);
        deaf.extend(node.deaf.iter().cloned());
        deaf.extend(deaf_by_loss(node, &world.collector.store));
    }
    for payment in &world.payments {
        check_payment(world, payment, &deaf, &mut proof);
    }
    check_duplicates(world, &deaf, &mut proof);
    check_replay(world, settings, &mut proof);
    proof
}

/// What was said of a payment's slip, one after the other.
pub fn said(store: &MemoryStore, payment: &Payment) -> Vec<String> {
    let rows = store.transactions.values().filter(|row| is_of(row, payment));
    rows.flat_map(|row| store.said.get(&row.id).cloned().unwrap_or_default()).collect()
}

/// The findings about a payment as they stand, in words.
pub fn findings(store: &MemoryStore, payment: &Payment) -> Vec<String> {
    let of_payment =
        |id: &CaseId| store.transactions.get(id).is_some_and(|row| is_of(row, payment));
    let about = |subject: &Subject| matches!(subject, Subject::Case(id) if of_payment(id));
    let words = |finding: &Finding| {
        let how = finding.resolved.map_or(finding.stage.label(), |how| how.label());
        format!("{} {how}", finding.id.kind.code())
    };
    store.findings.values().filter(|finding| about(&finding.id.subject)).map(words).collect()
}

type Lost = (Epoch, Seq, Seq);

fn losses(node: &AgentNode, store: &MemoryStore) -> Vec<Lost> {
    let of_agent = store.journal.iter().filter(|((agent, _, _), _)| *agent == node.name);
    of_agent
        .filter_map(|((_, epoch, _), event)| match event.body {
            Body::Lost { from, through, .. } => Some((*epoch, from, through)),
            _ => None,
        })
        .collect()
}

fn is_lost(lost: &[Lost], epoch: Epoch, seq: Seq) -> bool {
    lost.iter().any(|&(of, from, through)| of == epoch && (from..=through).contains(&seq))
}

/// Each number once or an explicit loss, and whatever the disk promised as it was promised.
fn check_journal(node: &AgentNode, store: &MemoryStore, proof: &mut Proof) {
    let lost = losses(node, store);
    let mut ends: BTreeMap<Epoch, Seq> = BTreeMap::new();
    for (agent, epoch, seq) in store.journal.keys() {
        if *agent == node.name {
            let end = ends.entry(*epoch).or_default();
            *end = (*end).max(*seq);
        }
    }
    for (&epoch, &end) in &ends {
        let missing = |seq: &u64| {
            let key = (node.name.clone(), epoch, Seq(*seq));
            !store.journal.contains_key(&key) && !is_lost(&lost, epoch, Seq(*seq))
        };
        // What a damaged spool may have given out is a million numbers, told as lost in one word.
        let held = store.journal.keys().filter(|key| key.0 == node.name && key.1 == epoch).count();
        let told: u64 = lost.iter().filter(|lost| lost.0 == epoch).map(|l| l.2.0 - l.1.0).sum();
        if held as u64 + told < end.0 {
            let first = (1..=end.0).find(missing);
            proof.wrong.push(format!("{:?}: number {first:?} is missing", node.name.agent));
        }
    }
    for ((epoch, seq), (_, promised)) in &node.promised {
        match store.journal.get(&(node.name.clone(), *epoch, *seq)) {
            Some(found) if same(found, promised) => {}
            _ if is_lost(&lost, *epoch, *seq) => {}
            found => proof.wrong.push(format!(
                "{:?} number {}: the disk promised {:?}, the journal holds {:?}",
                node.name.agent,
                seq.0,
                promised.body,
                found.map(|event| &event.body)
            )),
        }
    }
}

/// Every stretch that an agent signed is in the journal as it was signed, whatever crashed on the way; but for what
/// was told as lost.
fn check_seals(node: &AgentNode, store: &MemoryStore, proof: &mut Proof) {
    let lost = losses(node, store);
    let of_agent = store.journal.iter().filter(|((agent, _, _), _)| *agent == node.name);
    for ((_, epoch, seq), event) in of_agent {
        let Body::Sealed(seal) = &event.body else { continue };
        let through = Seq(seq.0 - 1);
        let is_torn = lost.iter().any(|&(of, from, last)| {
            of == *epoch && from <= through && last >= seal.from && last > from
        });
        let key = |seq| (node.name.clone(), *epoch, seq);
        if is_torn || !store.journal.contains_key(&key(seal.from)) {
            continue;
        }
        let records = store
            .journal
            .range(key(seal.from)..=key(through))
            .map(|((_, _, seq), event)| (*seq, digest(event)));
        let AgentName { store, agent } = &node.name;
        proof.seals += 1;
        if let Err(error) = seal::check(store, agent, through, seal, records) {
            let (from, agent) = (seal.from.0, &node.name.agent);
            proof.wrong.push(format!("{agent:?}: the seal over {from}..={}: {error}", through.0));
        }
    }
}

fn digest(event: &Event) -> Digest {
    let mut bytes = Vec::new();
    append_record(&mut bytes, event);
    let record = next_record(&mut bytes.as_slice()).expect("it was just written");
    let Observed { boot, uptime, wall, synchronised } = event.observed;
    let clock = ClockState { wall_offset_ms: wall.0 - uptime.0 as i64, synchronised };
    Digest::of_record(boot, clock, record)
}

fn same(found: &Event, promised: &Event) -> bool {
    found == promised
}

/// What was heard and then lost is as if it had not been heard.
fn deaf_by_loss(node: &AgentNode, store: &MemoryStore) -> Vec<Deaf> {
    let lost = losses(node, store);
    let gone = |(epoch, from, through): &Lost| {
        let range = (*epoch, *from)..=(*epoch, *through);
        let times: Vec<i64> = node.promised.range(range).map(|(_, (at, _))| *at).collect();
        Some((*times.first()?, *times.last()?))
    };
    let mut deaf = Vec::new();
    for (from, until) in lost.iter().filter_map(gone) {
        for line in &node.lines {
            let terminal = line.terminal.clone();
            deaf.push(Deaf { terminal, line: crate::ledger::DeafLine::Both, from, until });
        }
    }
    deaf
}

fn check_payment(world: &World, payment: &Payment, deaf: &[Deaf], proof: &mut Proof) {
    let store = &world.collector.store;
    let rows: Vec<&TransactionRow> =
        store.transactions.values().filter(|row| is_of(row, payment)).collect();
    let said: Vec<(&str, Option<&str>)> =
        rows.iter().map(|row| (row.case.verdict.label(), row.case.verdict.reason())).collect();
    let opinion = ledger::opinion(payment, &world.house, deaf);
    let agrees = match &opinion {
        Opinion::OneOf(due) => {
            let one = |due: &Due| said.len() == 1 && due.is(said[0].0, said[0].1);
            // A payment given up before the host was asked need not be known at all.
            let nothing = said.is_empty() && due.contains(&Due::NotExpected("aborted"));
            nothing || due.iter().any(one)
        }
        Opinion::AnythingButNoSlip => said.iter().all(|said| said.0 != "no_slip"),
        Opinion::Anything => true,
    };
    if !agrees {
        proof.wrong.push(format!(
            "{} {:06} {:?} from {} to {}: expected {opinion:?}, found {said:?}",
            payment.terminal,
            payment.stan,
            payment.story,
            payment.began(),
            payment.ended()
        ));
    }
    if let Opinion::OneOf(due) = &opinion
        && due.len() == 1
        && due[0] != Due::Unknown
        && undisturbed(world, payment, deaf)
    {
        proof.exact += 1;
        check_findings(world, payment, &rows, proof);
    }
}

/// Nothing that concerns its agent went wrong near it.
fn undisturbed(world: &World, payment: &Payment, deaf: &[Deaf]) -> bool {
    let slack = world.house.slack_ms;
    let until = payment.ended() + world.house.alert_ms + slack;
    !deaf.iter().any(|deaf| {
        deaf.terminal == payment.terminal
            && deaf.from - slack <= until
            && deaf.until + slack >= payment.began()
    })
}

fn check_findings(world: &World, payment: &Payment, rows: &[&TransactionRow], proof: &mut Proof) {
    let ids: BTreeSet<&CaseId> = rows.iter().map(|row| &row.id).collect();
    let about = |subject: &Subject| matches!(subject, Subject::Case(id) if ids.contains(id));
    let mut found: Vec<(&str, Standing)> = world
        .collector
        .store
        .findings
        .values()
        .filter(|finding| about(&finding.id.subject) && finding.id.kind.code() != "A09")
        // A suspicion that nobody was told of is no word to anyone.
        .filter(|finding| {
            finding.is_open() || finding.stage > Stage::Suspected || finding.id.kind.code() != "A01"
        })
        .map(|finding| {
            let standing = if finding.is_open() { Standing::Open } else { Standing::Over };
            (finding.id.kind.code(), standing)
        })
        .collect();
    found.sort();
    let due = ledger::findings(payment, &world.house);
    if found != due {
        proof.wrong.push(format!(
            "{} {:06} {:?}: expected findings {due:?}, found {found:?}",
            payment.terminal, payment.stan, payment.story
        ));
    }
}

/// A09 is raised for each pair and for nothing else.
fn check_duplicates(world: &World, deaf: &[Deaf], proof: &mut Proof) {
    let store = &world.collector.store;
    let payment_of = |id: &CaseId| {
        let row = store.transactions.get(id)?;
        world.payments.iter().find(|payment| is_of(row, payment))
    };
    let mut told: BTreeSet<(&str, u32)> = BTreeSet::new();
    for finding in store.findings.values().filter(|finding| finding.id.kind.code() == "A09") {
        let Subject::Case(id) = &finding.id.subject else { continue };
        let partner = finding.partner.as_ref().and_then(payment_of);
        match (payment_of(id), partner) {
            (Some(one), Some(other)) if ledger::pays_twice(one, other) => {
                told.insert((&one.terminal, one.stan));
                told.insert((&other.terminal, other.stan));
            }
            (one, other) => proof.wrong.push(format!(
                "A09 joins {:?} and {:?}, which nobody paid twice",
                one.map(|payment| (&payment.terminal, payment.stan)),
                other.map(|payment| (&payment.terminal, payment.stan))
            )),
        }
    }
    let twice = world.payments.windows(2).filter(|pair| ledger::pays_twice(&pair[0], &pair[1]));
    for pair in twice {
        let heard = pair.iter().all(|payment| undisturbed(world, payment, deaf));
        if heard && !told.contains(&(pair[0].terminal.as_str(), pair[0].stan)) {
            proof.wrong.push(format!(
                "{} {:06} was paid again as {:06}: expected A09, found none",
                pair[0].terminal, pair[0].stan, pair[1].stan
            ));
        }
    }
}

/// A collector that is given the same journal at once, without a crash between, says the same.
fn check_replay(world: &World, settings: &Settings, proof: &mut Proof) {
    let store = &world.collector.store;
    let mut collector = Collector::restore(settings.clone(), Snapshot::default());
    let mut again = MemoryStore::default();
    let now = arrival(world.now);
    for (agent, frame) in &store.frames {
        let topic = Topic::new(&agent.store, &agent.agent, Channel::Batch);
        collector.handle(now, Input::Batch { topic: &topic, payload: frame }, &mut again);
        if let Some(commit) = collector.take_commit(now)
            && let Err(complaint) = again.commit(&commit)
        {
            proof.wrong.push(format!("replayed: {complaint}"));
        }
    }
    let verdicts = |store: &MemoryStore| -> BTreeMap<CaseId, String> {
        let said = |row: &TransactionRow| format!("{:?}", row.case.verdict);
        store.transactions.iter().map(|(id, row)| (id.clone(), said(row))).collect()
    };
    let (found, replayed) = (verdicts(store), verdicts(&again));
    for (id, said) in &found {
        if replayed.get(id) != Some(said) {
            proof.wrong.push(format!("{id}: found {said}, replayed {:?}", replayed.get(id)));
        }
    }
    if found.len() != replayed.len() {
        proof.wrong.push(format!("{} cases, replayed {}", found.len(), replayed.len()));
    }
}
