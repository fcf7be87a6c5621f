//! A small language for tests: what one terminal's two lines say, second by second, and what is to be said of it.

use super::case::{Case, Place};
use super::correlator::Correlator;
use super::policy::{AgentName, OpeningHours, Policies, TerminalName, TerminalPolicy, WhoPrints};
use super::recall::{NoStore, TransactionRow};
use super::shape;
use slipwatch_shared::card::{Card, EntryMode, MaskedPan};
use slipwatch_shared::event::*;
use slipwatch_shared::money::{Amount, Currency};
use slipwatch_shared::terminal::TerminalId;
use slipwatch_shared::times::{ArrivalTime, BootId, DeviceTime, EventTime, Observed, Uptime};

/// Wall time at uptime zero: a Monday, 08:00 UTC.
pub const WALL_MS: i64 = 1_763_971_200_000;

pub fn terminal(name: &str) -> TerminalId {
    name.parse().expect("a terminal")
}

pub fn agent_name(agent: &str) -> AgentName {
    AgentName { store: "shop-1".parse().expect("a store"), agent: agent.parse().expect("an agent") }
}

/// Two copies at T1 and T2, by one shop.
pub fn policies() -> Policies {
    let mut policies =
        Policies { agent_offline_ms: Policies::AGENT_OFFLINE_MS, ..Policies::default() };
    for (number, agent) in [("T1", "till-1"), ("T2", "till-2")] {
        let name = TerminalName { store: agent_name(agent).store, terminal: terminal(number) };
        policies.terminals.insert(name, TerminalPolicy::default());
        policies.agents.insert(agent_name(agent));
    }
    policies
}

/// The policy that all terminals of a test have.
pub fn policies_with(change: impl Fn(&mut TerminalPolicy)) -> Policies {
    let mut policies = policies();
    policies.terminals.values_mut().for_each(change);
    policies
}

pub fn one_copy(policy: &mut TerminalPolicy) {
    policy.copies = 1;
}

pub fn nobody_prints(policy: &mut TerminalPolicy) {
    policy.who_prints = WhoPrints::None;
}

pub fn open_from_eight_to_ten(policy: &mut TerminalPolicy) {
    let hours = OpeningHours { from_minute: 480, to_minute: 600, ..OpeningHours::default() };
    policy.opening = Some(hours);
}

/// Speaks a script into a stream of events.
pub struct Speaker {
    terminal: TerminalId,
    seq: u64,
    boot: u8,
    /// Its clock was set.
    synchronised: bool,
}

const MONEY: SourceId = SourceId(1);
const SLIPS: SourceId = SourceId(2);

impl Speaker {
    pub fn new(number: &str) -> Speaker {
        Speaker { terminal: terminal(number), seq: 0, boot: 1, synchronised: true }
    }

    /// The events of a script: steps parted by `;`, each `second word key=value…`.
    pub fn speak(&mut self, script: &str) -> Vec<Event> {
        let steps = script.split([';', '\n']).map(str::trim).filter(|step| !step.is_empty());
        steps.flat_map(|step| self.step(step)).collect()
    }

    fn step(&mut self, step: &str) -> Vec<Event> {
        let mut words = step.split_whitespace();
        let second: f64 = words.next().and_then(|word| word.parse().ok()).expect("a second");
        let word = words.next().expect("a word");
        let arguments: Vec<(&str, &str)> =
            words.map(|word| word.split_once('=').unwrap_or((word, ""))).collect();
        let get =
            |name: &str| arguments.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
        let keys = keys_of(&arguments);
        let slip = || Slip {
            copy: match get("copy") {
                Some("m") => Some(Copy::Merchant),
                Some("c") => Some(Copy::Customer),
                _ => None,
            },
            reprint: get("reprint").is_some(),
            keys: keys.clone(),
        };
        let money = |body: Body| vec![(MONEY, body)];
        let slips = |body: Body| vec![(SLIPS, body)];
        let bodies = match word {
            "open" => vec![
                (MONEY, Body::SourceOpened(description(true))),
                (SLIPS, Body::SourceOpened(description(false))),
            ],
            // One more line: `money` and `slips` it carries.
            "line" => money(Body::SourceOpened(SourceDescription {
                hears_slips: get("slips").is_some(),
                ..description(get("money").is_some())
            })),
            "pulse" => {
                [MONEY, SLIPS].map(|source| (source, Body::Pulse(LineCounts::default()))).into()
            }
            "boot" => {
                self.boot += 1;
                Vec::new()
            }
            "unset" => {
                self.synchronised = false;
                Vec::new()
            }
            "ask" => money(Body::AuthorizationRequested(keys)),
            "ok" => money(answered(keys, "00")),
            "answer" => money(answered(keys, get("code").expect("a code"))),
            "timeout" => money(Body::AuthorizationTimedOut(keys)),
            "done" => money(Body::TransactionCompleted(keys)),
            "abort" => money(Body::TransactionAborted { keys, by: AbortedBy::Operator }),
            "reversal" => money(Body::Reversal {
                keys,
                phase: match get("is").expect("a phase") {
                    "pending" => ReversalPhase::Pending,
                    "sent" => ReversalPhase::Sent,
                    "acknowledged" => ReversalPhase::Acknowledged,
                    _ => ReversalPhase::Failed,
                },
            }),
            "upload" => money(Body::OfflineUpload {
                keys,
                phase: match get("is") {
                    Some("accepted") => ExchangePhase::Approved,
                    Some("refused") => ExchangePhase::Declined,
                    _ => ExchangePhase::Requested,
                },
            }),
            "assign" => slips(Body::PrintingAssigned {
                to: match get("to") {
                    Some("terminal") => PrintedBy::Terminal,
                    Some("till") => PrintedBy::TillFromTerminalText,
                    _ => PrintedBy::TillOwnLayout,
                },
            }),
            "typed" => {
                let action = OperatorAction::ManualEntry;
                money(Body::OperatorAction { action, keys })
            }
            "signon" => money(Body::SignedOn { batch_number: keys.batch_number }),
            "totals" => {
                let side = |name: &str| {
                    let (count, yuan) = get(name).unwrap_or("0/0").split_once('/').expect("n/yuan");
                    (
                        count.parse().expect("a count"),
                        Amount::from_decimal(yuan, Currency::CNY).ok(),
                    )
                };
                let ((debit_count, debit), (credit_count, credit)) = (side("d"), side("c"));
                let by = match get("by") {
                    Some("host") => TotalsBy::Host,
                    _ => TotalsBy::Terminal,
                };
                let batch_number = keys.batch_number;
                money(Body::SettlementTotals(SettlementTotals {
                    batch_number,
                    by,
                    debit_count,
                    debit,
                    credit_count,
                    credit,
                }))
            }
            "closed" => money(Body::SettlementClosed {
                batch_number: keys.batch_number,
                result: match get("is") {
                    Some("unbalanced") => SettlementResult::Unbalanced,
                    Some("error") => SettlementResult::Error,
                    _ => SettlementResult::Balanced,
                },
            }),
            "void" => money(Body::Void { keys, phase: ExchangePhase::Approved }),
            "refund" => money(Body::Refund { keys, phase: ExchangePhase::Approved }),
            "hold" => money(Body::Preauthorization { keys, phase: ExchangePhase::Approved }),
            "close" => money(Body::SettlementStarted { batch_number: None }),
            "begin" => slips(Body::SlipStarted(slip())),
            "slip" => slips(Body::SlipPrinted { slip: slip(), grade: SlipGrade::Sent }),
            "fail" => slips(Body::SlipFailed {
                slip: slip(),
                reason: match get("why") {
                    Some("1") => SlipFailure::CoverOpen,
                    Some("2") => SlipFailure::Cutter,
                    Some("3") => SlipFailure::Overheated,
                    Some("4") => SlipFailure::Offline,
                    Some("5") => SlipFailure::Refused,
                    Some("6") => SlipFailure::Unknown,
                    _ => SlipFailure::PaperOut,
                },
            }),
            "cancel" => slips(Body::SlipLost { slip: slip(), reason: SlipLoss::Cancelled }),
            "screen" => slips(Body::SlipIssuedElectronically {
                slip: slip(),
                channel: ElectronicChannel::QrCode,
            }),
            "unwanted" => slips(Body::SlipDeclined(slip())),
            "paper" => slips(Body::PrinterStatus(PrinterStatus {
                paper: Some(if get("end").is_some() { Paper::End } else { Paper::Present }),
                cover_open: get("cover").map(|_| true),
                cutter_error: get("cutter").map(|_| true),
                online: get("offline").map(|_| false),
                error: get("error").map(|_| true),
            })),
            "restart" => money(Body::DeviceRestarted),
            "down" => money(Body::NetworkDown),
            "unplug" => slips(Body::SourceLost { reason: SourceLoss::Unplugged }),
            "stop" => [MONEY, SLIPS]
                .map(|source| (source, Body::SourceLost { reason: SourceLoss::AgentStopped }))
                .into(),
            "replug" => slips(Body::SourceOpened(description(false))),
            "garbled" => slips(Body::DecodeFailed { reason: DecodeFailure::Torn }),
            "lost" => {
                self.seq += 4;
                let (from, through) = (Seq(self.seq - 3), Seq(self.seq + 1));
                let reason = LossReason::SpoolFull;
                vec![(SourceId::AGENT, Body::Lost { from, through, reason })]
            }
            _ => panic!("no word {word}"),
        };
        let device_time = get("device").map(clock_of);
        // Said on another line than its own, and of another terminal or of none.
        let line = get("on").map(|id| SourceId(id.parse().expect("a line")));
        let of = get("at").map(|name| (name != "-").then(|| terminal(name)));
        let mut events: Vec<Event> = Vec::new();
        for (source, body) in bodies {
            let event = self.event(second, line.unwrap_or(source), body);
            let terminal = of.unwrap_or(event.terminal);
            events.push(Event { device_time, terminal, ..event });
        }
        events
    }

    fn event(&mut self, second: f64, source: SourceId, body: Body) -> Event {
        self.seq += 1;
        let ms = (second * 1000.0) as u64;
        Event {
            seq: Seq(self.seq),
            source,
            terminal: (source != SourceId::AGENT).then_some(self.terminal),
            observed: Observed {
                boot: BootId([self.boot; 16]),
                uptime: Uptime(ms),
                wall: EventTime(WALL_MS + ms as i64),
                synchronised: self.synchronised,
            },
            device_time: None,
            body,
            evidence: Evidence::None,
        }
    }
}

fn answered(keys: Keys, code: &str) -> Body {
    Body::AuthorizationAnswered { keys, response_code: code.parse().expect("a code") }
}

fn description(money: bool) -> SourceDescription {
    SourceDescription {
        name: if money { "terminal" } else { "printer" }.into(),
        dialect: "test".into(),
        hears_money: money,
        hears_slips: !money,
        two_way: true,
        historical: false,
    }
}

fn keys_of(arguments: &[(&str, &str)]) -> Keys {
    let mut keys = Keys::default();
    let pan = |last_four: &str| MaskedPan::from_parts(Some("622576"), last_four).expect("digits");
    for (name, value) in arguments {
        match *name {
            "n" => keys.stan = Some(format!("{value:0>6}").parse().expect("a trace")),
            "batch" => keys.batch_number = Some(format!("{value:0>6}").parse().expect("a batch")),
            "rrn" => keys.rrn = Some(value.parse().expect("a reference")),
            "auth" => keys.authorization_code = Some(value.parse().expect("a code")),
            "order" => keys.order_number = Some(Box::new(value.parse().expect("an order"))),
            "yuan" => keys.amount = Amount::from_decimal(value, Currency::CNY).ok(),
            "card" => keys.card = Some(Card { pan: Some(pan(value)), ..Card::default() }),
            "atc" => keys.card.get_or_insert_default().chip_counter = value.parse().ok(),
            "kind" => {
                keys.kind = Some(match *value {
                    "completion" => Kind::Completion,
                    "hold" => Kind::Preauthorization,
                    _ => Kind::Void,
                });
            }
            "mid" => keys.merchant = Some(value.parse().expect("a merchant")),
            "op" => keys.operator = Some(value.parse().expect("an operator")),
            "host" => keys.host_time = Some(clock_of(value)),
            "keyed" => {
                keys.card.get_or_insert_default().entry_mode = Some(EntryMode::Manual);
            }
            "alipay" => keys.instrument = Some(Instrument::AlipayQr),
            "wechat" => keys.instrument = Some(Instrument::WechatQr),
            "wallet" => {
                let id = value.parse().expect("a wallet's number");
                keys.channel_transaction_id = Some(Box::new(id));
            }
            "of" => {
                let stan = Some(format!("{value:0>6}").parse().expect("a trace"));
                keys.original = Some(OriginalKeys { stan, ..OriginalKeys::default() });
            }
            _ => {}
        }
    }
    keys
}

/// `09:30:05`
fn clock_of(text: &str) -> DeviceTime {
    let parts: Vec<u8> = text.split(':').filter_map(|part| part.parse().ok()).collect();
    let [hour, minute, second] = parts[..] else { panic!("no time {text}") };
    DeviceTime { hour, minute, second, ..DeviceTime::default() }
}

/// What is said of a case: trace, verdict, reason, findings that are open, and those that ended in brackets.
pub fn said(case: &Case) -> String {
    let trace = case.keys.stan.map_or_else(|| "-".to_owned(), |stan| stan.number().to_string());
    let mut said = format!("{trace} {}", case.verdict.label());
    if let Some(reason) = case.verdict.reason() {
        said.push_str(&format!(" {reason}"));
    }
    for told in &case.told {
        let mut code = told.kind.code().to_owned();
        if let Some(parent) = &told.parent {
            code = format!("{code}<{}", parent.kind.code());
        }
        said.push_str(&if told.resolved.is_none() {
            format!(" {code}")
        } else {
            format!(" ({code})")
        });
    }
    said
}

/// Runs scripts, each of its own terminal and agent, one after the other; gives what is said of all their payments, which
/// is the same when the collector is started anew after every event.
#[track_caller]
pub fn outcome(policies: Policies, scripts: &[(&str, &str, &str)]) -> String {
    let whole = run(policies.clone(), scripts, paired);
    let cut = run(policies.clone(), scripts, |correlator| started_anew(correlator, &policies));
    assert_eq!(cut, whole, "started anew after every event");
    let rested = run(policies, scripts, put_to_rest);
    assert_eq!(rested, whole, "put to rest after every event");
    whole
}

/// The correlator, of which every pair of debits was judged: were all judged again, nothing would be news.
fn paired(correlator: Correlator) -> Correlator {
    let mut again = correlator.clone();
    again.take_findings();
    for agent in 0..again.agents().len() {
        let terminals = again.agents()[agent].terminals.awake();
        let places = terminals.flat_map(|(terminal, found)| {
            let first = found.cases.iter().map(|kept| kept.case.first);
            first.map(move |first| Place { agent, terminal, first })
        });
        for place in places.collect::<Vec<_>>() {
            again.judge_pair(place, ArrivalTime(0));
        }
    }
    assert_eq!(again.take_findings(), [], "pairs that were not judged");
    correlator
}

/// The correlator with all that may rest at rest; each terminal, were it to rest now, would wake as it was.
fn put_to_rest(mut correlator: Correlator) -> Correlator {
    for agent in 0..correlator.agents().len() {
        correlator.agents()[agent].terminals.iter().for_each(super::lean::check_rest);
        correlator.rest(agent);
    }
    correlator
}

/// The correlator as it comes back from what it stored. All payments stay in memory, as they do in [`run`].
fn started_anew(mut correlator: Correlator, policies: &Policies) -> Correlator {
    let mut anew = Correlator::new(policies.clone());
    let mut rows = Vec::new();
    let agents = correlator.agents().to_vec();
    for (at, agent) in agents.iter().enumerate() {
        let cases = agent.terminals.iter().flat_map(|terminal| {
            let of = |case: &Case| TransactionRow {
                id: super::case::CaseId { agent: agent.name.clone(), first: case.first },
                terminal: terminal.id,
                case: shape::from_bytes(&shape::to_bytes(case)).expect("its own bytes"),
                keys_changed: false,
                rest_at: None,
            };
            terminal.cases.iter().map(move |kept| of(&kept.case)).collect::<Vec<_>>()
        });
        rows.extend(cases);
        let state = correlator.state_of(at);
        anew.restore_agent(&agent.name, &state).expect("its own state");
    }
    rows.into_iter().for_each(|row| anew.restore_case(row));
    correlator.take_findings();
    anew
}

fn run(
    policies: Policies,
    scripts: &[(&str, &str, &str)],
    between: impl Fn(Correlator) -> Correlator,
) -> String {
    let mut correlator = Correlator::new(policies);
    for (agent, number, script) in scripts {
        let place = correlator.agent(&agent_name(agent));
        for event in Speaker::new(number).speak(script) {
            correlator.event(place, Epoch(1), &event, ArrivalTime(0), &mut NoStore);
            correlator = between(correlator);
        }
    }
    let storms = correlator.agents().iter().filter_map(|agent| agent.share.as_deref());
    let storms: usize = storms.map(super::route::Share::storms).sum();
    let terminals = correlator.agents().iter().flat_map(|agent| agent.terminals.all());
    let mut said: Vec<String> = Vec::new();
    for terminal in terminals {
        said.extend(terminal.cases.iter().map(|kept| self::said(&kept.case)));
        said.extend(
            terminal.silence.iter().map(|finding| format!("silent {}", finding.id.kind.code())),
        );
        let matters = terminal.watch.iter().flat_map(|watch| &watch.matters);
        said.extend(matters.map(|matter| match &matter.finding {
            Some(finding) => {
                format!("terminal {} {}", matter.kind.code(), finding.cause.detail.label())
            }
            None => format!("terminal ({})", matter.kind.code()),
        }));
    }
    said.extend((0..storms).map(|_| "route A16".to_owned()));
    said.join("; ")
}

/// What the findings about one terminal's payments are put down to, in their order.
pub fn causes(policies: Policies, script: &str) -> Vec<(&'static str, super::cause::CauseDetail)> {
    let mut correlator = Correlator::new(policies);
    let place = correlator.agent(&agent_name("till-1"));
    for event in Speaker::new("T1").speak(script) {
        correlator.event(place, Epoch(1), &event, ArrivalTime(0), &mut NoStore);
    }
    let cases = correlator.agents()[place].terminals.iter().flat_map(|terminal| &terminal.cases);
    let told = cases.flat_map(|kept| &kept.case.told);
    told.map(|told| (told.kind.code(), told.cause.detail)).collect()
}

/// How sure it is of each payment of a script that it repeats another, when files have some of them.
pub fn settled(script: &str, files: &[usize]) -> Vec<Option<super::finding::Stage>> {
    let mut correlator = Correlator::new(policies());
    let place = correlator.agent(&agent_name("till-1"));
    for event in Speaker::new("T1").speak(script) {
        correlator.event(place, Epoch(1), &event, ArrivalTime(0), &mut NoStore);
    }
    let cases = |correlator: &Correlator| -> Vec<Case> {
        let terminals = correlator.agents()[place].terminals.iter();
        terminals.flat_map(|terminal| &terminal.cases).map(|kept| kept.case.clone()).collect()
    };
    let known = cases(&correlator);
    for at in files {
        let id = super::case::CaseId { agent: agent_name("till-1"), first: known[*at].first };
        correlator.settled(&id, ArrivalTime(0), &mut NoStore);
    }
    let kind = super::finding::FindingKind::DuplicateDebit;
    cases(&correlator).iter().map(|case| Some(case.told(kind)?.stage)).collect()
}

/// How the findings of a script come about: each change, how far it is then, and whether people are to be told from then on.
pub fn alerts(
    policies: Policies,
    script: &str,
) -> Vec<(super::finding::Change, super::finding::Stage, bool)> {
    let mut correlator = Correlator::new(policies);
    let place = correlator.agent(&agent_name("till-1"));
    for event in Speaker::new("T1").speak(script) {
        correlator.event(place, Epoch(1), &event, ArrivalTime(0), &mut NoStore);
    }
    let changes = correlator.take_findings().into_iter();
    changes.map(|change| (change.change, change.finding.stage, change.alerts)).collect()
}

/// What is to be said of one terminal's script, heard to its last second by both lines.
#[track_caller]
pub fn check_with(policies: Policies, script: &str, expected: &str) {
    let script = format!("0 open; {script}");
    assert_eq!(outcome(policies, &[("till-1", "T1", &script)]), expected, "{script}");
}
