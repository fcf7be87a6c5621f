//! One round of the demonstration: every till plays its story at the same time, what happens and what is found is told
//! as it comes, and in the end each is compared with what the ledger says.

use super::gate::Gate;
use super::scenario::{HOUSE, PACE, SCENARIOS, Scenario};
use super::stage::Stage;
use super::watch::{Found, Said, Watch};
use super::words::Language;
use crate::dice::Dice;
use crate::ledger::{self, Due, Standing};
use crate::process::port::Device;
use crate::terminal::{Payment, Terminal, Word};
use anyhow::Context;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// How long a round may take to come out right.
const ROUND_MS_MAX: u64 = 50_000;
/// How often the store is looked at.
const LOOK_MS: u64 = 100;

/// A line of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Which till.
    pub terminal: String,
    /// Its trace.
    pub stan: u32,
    /// What was played.
    pub story: &'static str,
    /// What the ledger says.
    pub expected: String,
    /// What the collector says.
    pub found: String,
}

impl Row {
    /// Whether both say the same.
    pub fn agrees(&self) -> bool {
        self.expected == self.found
    }
}

/// A payment with its place in the programme.
struct Act {
    scenario: Scenario,
    payment: Payment,
}

impl Act {
    fn expected(&self, language: Language) -> String {
        let due = ledger::truth(&self.payment, &HOUSE);
        let reason = match due {
            Due::NotExpected(why) => Some(why),
            _ => None,
        };
        let mut said = vec![(due.label(), reason)];
        if self.scenario.cut_off {
            said.insert(0, ("unknown", Some("agent_offline")));
        }
        let mut findings = ledger::findings(&self.payment, &HOUSE);
        if self.payment.story == crate::terminal::Story::SecondOfTwo {
            findings.push(("A09", Standing::Open));
        }
        language.judgement(&said, &findings)
    }

    fn found(&self, watch: &Watch, language: Language) -> String {
        let Found { said, findings } = watch.of(&self.payment);
        let unknown = ("unknown", Some("agent_offline"));
        let mut words = Vec::new();
        if self.scenario.cut_off && said.contains(&unknown) {
            words.push(unknown);
        }
        words.extend(said.last().filter(|last| words.last() != Some(last)));
        // A missing slip is told with its cause, which the ledger does not judge.
        for word in &mut words {
            if word.0 == "no_slip" {
                word.1 = None;
            }
        }
        language.judgement(&words, &findings)
    }
}

/// Plays a round; `tell` is called with each line as it comes.
pub async fn round(
    stage: &mut Stage,
    store: &mut Watch,
    number: u32,
    language: Language,
    mut tell: impl FnMut(String),
) -> anyhow::Result<Vec<Row>> {
    let (lines_out, mut lines) = mpsc::unbounded_channel();
    let acts = programme(number);
    let (said_out, said) = watch::channel(Vec::new());
    let mut players = tokio::task::JoinSet::new();
    for (index, scenario) in SCENARIOS.iter().enumerate() {
        let mut device = stage.devices.remove(0);
        let payments: Vec<Payment> = acts[index].iter().map(|act| act.payment.clone()).collect();
        let player = Player { scenario: *scenario, language, lines: lines_out.clone() };
        let (gate, said) = (stage.gate.clone(), said.clone());
        players.spawn(async move {
            match scenario.cut_off {
                true => player.play_cut_off(&mut device, &payments, &gate, said).await,
                false => player.play(&mut device, &payments, |_| true).await,
            }
            (index, device)
        });
    }
    let acts: Vec<Act> = acts.into_iter().flatten().collect();
    let deadline = Instant::now() + Duration::from_millis(ROUND_MS_MAX);
    let far = acts.iter().position(|act| act.scenario.cut_off);
    loop {
        sleep(Duration::from_millis(LOOK_MS)).await;
        let news = store.look()?;
        while let Ok(line) = lines.try_recv() {
            tell(line);
        }
        for (terminal, stan, found) in news {
            if let Some(line) = language.news(&terminal, stan, &found) {
                tell(line);
            }
        }
        if let Some(far) = far {
            said_out.send_replace(store.of(&acts[far].payment).said);
        }
        let done = acts.iter().all(|act| act.expected(language) == act.found(store, language));
        if done || Instant::now() > deadline {
            break;
        }
    }
    drop(said_out);
    stage.gate.mend();
    let played = timeout(Duration::from_millis(ROUND_MS_MAX), players.join_all()).await;
    let mut devices = played.context("the tills came to no end")?;
    devices.sort_by_key(|(index, _)| *index);
    stage.devices = devices.into_iter().map(|(_, device)| device).collect();
    let row = |act: &Act| Row {
        terminal: act.payment.terminal.clone(),
        stan: act.payment.stan,
        story: language.story(act.payment.story, act.scenario.cut_off),
        expected: act.expected(language),
        found: act.found(store, language),
    };
    Ok(acts.iter().map(row).collect())
}

fn programme(number: u32) -> Vec<Vec<Act>> {
    let mut dice = Dice::new(u64::from(number));
    let act = |scenario: &Scenario| {
        let mut terminal = Terminal::new(scenario.terminal, number * 10, PACE, dice.fork());
        let payments = terminal.play(scenario.story, 0);
        payments.into_iter().map(|payment| Act { scenario: *scenario, payment }).collect()
    };
    SCENARIOS.iter().map(act).collect()
}

struct Player {
    scenario: Scenario,
    language: Language,
    lines: mpsc::UnboundedSender<String>,
}

impl Player {
    /// Writes the words of these payments down the line, each at its time, as far as `wanted`.
    async fn play(&self, device: &mut Device, payments: &[Payment], wanted: impl Fn(Word) -> bool) {
        let begun = Instant::now();
        let wall_ms = slipwatch_agent::edge::clock::wall().0;
        let mut first = None;
        for payment in payments {
            for &spoken in payment.spoken.iter().filter(|spoken| wanted(spoken.word)) {
                let after = spoken.at - *first.get_or_insert(spoken.at);
                sleep_until(begun + Duration::from_millis(after.unsigned_abs())).await;
                device.write(&self.scenario.voice.bytes(payment, spoken, wall_ms + after));
                if let Some(what) = self.language.happening(payment, spoken.word) {
                    let line = format!("{} {:06}  {what}", payment.terminal, payment.stan);
                    let _ = self.lines.send(line);
                }
            }
        }
    }

    /// The same, while the agent is cut off between debit and slip; each step waits for the one before to be seen.
    async fn play_cut_off(
        &self,
        device: &mut Device,
        payments: &[Payment],
        gate: &Gate,
        mut said: watch::Receiver<Vec<Said>>,
    ) {
        let say = |chinese, english| {
            let line =
                format!("{}  {}", payments[0].terminal, self.language.pick(chinese, english));
            let _ = self.lines.send(line);
        };
        self.play(device, payments, |word| !word.is_printers()).await;
        let _ = said.wait_for(|said| said.contains(&("pending", None))).await;
        say("采集程序与收集程序断线", "its agent is cut off from the collector");
        gate.cut();
        self.play(device, payments, Word::is_printers).await;
        let offline = ("unknown", Some("agent_offline"));
        let _ = said.wait_for(|said| said.contains(&offline)).await;
        say("线路恢复，缓存补传", "the line is mended, the spool drains");
        gate.mend();
    }
}
