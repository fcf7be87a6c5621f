//! The evidence of one payment: as a document to read, as data, and both with the records in one signed archive.

use super::paper::Paper;
use crate::alert::words as alert_words;
use crate::edge::console::pages::{Frame, last_four_only, numbers};
use crate::edge::console::{summary, words};
use crate::edge::store::exhibit::{Exhibit, numbers_of};
use crate::edge::store::settlement::LinkView;
use crate::edge::store::{CaseFile, SourceView};
use crate::evidence::archive::{self, Files};
use crate::evidence::pack::{
    Action, Agent, Coverage, FORMAT, Finding, Gap, Pack, Payment, Place, Settlement,
};
use crate::evidence::verify::{CASE, EVENTS, RECORDS};
use krilla::error::KrillaError;
use slipwatch_shared::event::{Body, Event, Evidence, Keys, Seal, Seq};
use slipwatch_shared::terminal::StoreId;
use slipwatch_shared::wire::json::Line;
use slipwatch_shared::wire::v1;
use std::collections::BTreeMap;

/// Gaps this long before a payment and after its last word belong to it.
const AROUND_MS: i64 = 10 * 60_000;
/// What is said to who opens the archive.
const README: &str = include_str!("evidence.txt");

/// Name of the document inside the archive.
pub fn document_name(frame: &Frame) -> String {
    format!("evidence.{}.pdf", frame.language.tag())
}

/// Everything in one archive that `evidence verify` checks. `frames` say in which languages the document is wanted.
///
/// # Errors
/// What the writer of the document refuses, which a fault of ours alone can cause.
pub fn bundle(exhibit: &Exhibit, frames: &[Frame]) -> Result<Vec<u8>, KrillaError> {
    let mut files = Files::new();
    for frame in frames {
        files.insert(document_name(frame), document(frame, exhibit)?);
    }
    let made_ms = frames.first().map_or(0, |frame| frame.now_ms);
    let pack = serde_json::to_vec_pretty(&pack(exhibit, made_ms)).expect("memory takes it");
    files.insert(CASE.to_owned(), pack);
    files.insert(EVENTS.to_owned(), events(exhibit));
    files.insert(RECORDS.to_owned(), records(exhibit));
    files.insert("README.txt".to_owned(), README.as_bytes().to_vec());
    Ok(archive::write(&files, &exhibit.secret))
}

fn events(exhibit: &Exhibit) -> Vec<u8> {
    let agent = &exhibit.file.view.id.agent;
    let mut lines = Vec::new();
    for event in &exhibit.events {
        let line = Line {
            store: agent.store.clone(),
            agent: agent.agent.clone(),
            epoch: exhibit.epoch,
            event: event.clone(),
        };
        line.append_json(&mut lines);
        lines.push(b'\n');
    }
    lines
}

fn records(exhibit: &Exhibit) -> Vec<u8> {
    let mut lines = Vec::new();
    for record in &exhibit.records {
        serde_json::to_writer(&mut lines, record).expect("memory takes it");
        lines.push(b'\n');
    }
    lines
}

/// The seals of the stretch, each with its own number.
fn seals(exhibit: &Exhibit) -> Vec<(Seq, Seal)> {
    let seal = |record: &crate::evidence::verify::RecordLine| match record.event().ok()??.body {
        Body::Sealed(seal) => Some((Seq(record.seq), seal)),
        _ => None,
    };
    exhibit.records.iter().filter_map(seal).collect()
}

fn key_of(exhibit: &Exhibit) -> Option<String> {
    seals(exhibit)
        .first()
        .map(|(_, seal)| seal.key.iter().map(|byte| format!("{byte:02x}")).collect())
}

// ---- as data ----

/// The evidence as data. `made_ms` is UTC milliseconds.
pub fn pack(exhibit: &Exhibit, made_ms: i64) -> Pack {
    let file = &exhibit.file;
    let id = &file.view.id;
    let around = |file: &Option<CaseFile>, place| file.as_ref().map(|file| payment(file, place));
    let neighbours = [around(&exhibit.before, Place::Before), around(&exhibit.after, Place::After)];
    let findings = file.findings.iter().map(|view| &view.finding).map(|finding| Finding {
        code: finding.id.kind.code().to_owned(),
        severity: finding.severity.label().to_owned(),
        stage: finding.stage.label().to_owned(),
        cause: finding.cause.class.label().to_owned(),
        confidence: finding.cause.confidence,
        since_ms: finding.since.0,
        resolved: finding.resolved.map(|resolution| resolution.label().to_owned()),
    });
    let actions = file.actions.iter().map(|action| Action {
        at_ms: action.at.0,
        finding: action.finding.clone(),
        change: action.change.label().to_owned(),
        note: action.note.clone(),
    });
    let sources = exhibit.agent.iter().flat_map(|agent| &agent.sources);
    Pack {
        format: FORMAT.to_owned(),
        tool: concat!("slipwatch-collector ", env!("CARGO_PKG_VERSION")).to_owned(),
        made_ms,
        payment: payment(file, Place::This),
        neighbours: neighbours.into_iter().flatten().collect(),
        agent: Agent {
            store: id.agent.store.to_string(),
            agent: id.agent.agent.to_string(),
            epoch: exhibit.epoch.0,
            version: exhibit
                .agent
                .as_ref()
                .map_or(String::new(), |agent| agent.version.to_string()),
            key: key_of(exhibit),
        },
        coverage: sources
            .filter(|source| source.tells_of(file.view.terminal))
            .map(|source| coverage(file, source))
            .collect(),
        findings: findings.collect(),
        actions: actions.collect(),
        settlement: exhibit.settlement.iter().map(settlement).collect(),
    }
}

fn payment(file: &CaseFile, place: Place) -> Payment {
    let case = &file.view.case;
    let grade = match case.verdict {
        crate::correlate::verdict::Verdict::Printed { grade }
        | crate::correlate::verdict::Verdict::PrintedLate { grade } => Some(grade.number()),
        _ => None,
    };
    Payment {
        case: file.view.id.to_string(),
        place,
        terminal: file.view.terminal.map(|terminal| terminal.to_string()),
        opened_ms: case.wall(case.opened).0,
        clock_synchronised: case.synchronised,
        keys: serde_json::to_value(v1::Keys::from(&case.keys)).expect("keys are plain"),
        verdict: case.verdict.label().to_owned(),
        reason: case.verdict.reason().map(str::to_owned),
        slip_grade: grade,
        events: numbers_of(file).map(|seq| seq.0).collect(),
    }
}

/// The gaps of a line around a payment: from, to, and why.
fn gaps<'a>(
    file: &CaseFile,
    source: &'a SourceView,
) -> impl Iterator<
    Item = &'a (
        slipwatch_shared::times::EventTime,
        slipwatch_shared::times::EventTime,
        &'static str,
    ),
> {
    let case = &file.view.case;
    let from = case.wall(case.opened).0 - AROUND_MS;
    let until = case.wall(case.last_heard()).0 + AROUND_MS;
    source.holes.iter().filter(move |(begin, end, _)| end.0 >= from && begin.0 <= until)
}

fn coverage(file: &CaseFile, source: &SourceView) -> Coverage {
    let gap = |(from, to, why): &(slipwatch_shared::times::EventTime, _, &str)| Gap {
        from_ms: from.0,
        to_ms: slipwatch_shared::times::EventTime::clone(to).0,
        why: (*why).to_owned(),
    };
    Coverage {
        source: source.name.to_string(),
        dialect: source.dialect.to_string(),
        hears_money: source.hears_money,
        hears_slips: source.hears_slips,
        heard_until_ms: source.covered_until.0,
        gaps: gaps(file, source).map(gap).collect(),
    }
}

fn settlement(link: &LinkView) -> Settlement {
    let row = &link.row.row;
    Settlement {
        file: link.file.head.name.clone(),
        sha256: link.file.head.hash.iter().map(|byte| format!("{byte:02x}")).collect(),
        revision: link.file.revision,
        day: row.day.to_string(),
        line: row.line,
        role: link.role.label().to_owned(),
        tier: link.tier.label().to_owned(),
        score: link.score,
        word: row.word.to_string(),
        minor: row.amount.minor,
        currency: row.amount.currency.to_string(),
    }
}

// ---- as a document ----

/// The evidence as a document.
///
/// # Errors
/// What the writer of the document refuses, which a fault of ours alone can cause.
pub fn document(frame: &Frame, exhibit: &Exhibit) -> Result<Vec<u8>, KrillaError> {
    let language = frame.language;
    let file = &exhibit.file;
    let (case, store) = (&file.view.case, &file.view.id.agent.store);
    let money = |keys: &Keys| {
        keys.amount.map_or_else(|| "–".to_owned(), |amount| alert_words::money(language, amount))
    };
    let title =
        format!("{} · {}", language.say("交易证据", "Evidence of a payment"), money(&case.keys));
    let mut paper = Paper::new(&title, language.tag());
    let opened = case.wall(case.opened).0;
    paper.paragraph(&format!(
        "{}{}{}",
        words::verdict(language, &case.verdict),
        language.say("：", ": "),
        words::verdict_sentence(language, &case.verdict)
    ));
    paper.heading(language.say("交易", "The payment"));
    paper.fact(language.say("时间", "Time"), &frame.time(store, opened, "%Y-%m-%d %H:%M:%S %:z"));
    paper.fact(language.say("门店", "Shop"), frame.shop_title(store));
    if let Some(number) = file.view.terminal {
        paper.fact(language.say("终端", "Terminal"), &frame.terminal_title(store, number));
    }
    paper.fact(language.say("金额", "Amount"), &money(&case.keys));
    for (name, value) in numbers(language, &case.keys) {
        paper.fact(name, &value);
    }
    paper.fact(language.say("案件编号", "Case"), &file.view.id.to_string());
    clock(&mut paper, frame, exhibit);
    findings(&mut paper, frame, file);
    paper.heading(language.say("经过", "What was heard"));
    let parts = [
        (exhibit.before.as_ref(), language.say("前一笔交易", "The payment before")),
        (Some(file), language.say("本笔交易", "This payment")),
        (exhibit.after.as_ref(), language.say("后一笔交易", "The payment after")),
    ];
    for (part, name) in parts {
        let Some(part) = part else { continue };
        let verdict = words::verdict(language, &part.view.case.verdict);
        let (colon, money) = (language.say("：", ": "), money(&part.view.case.keys));
        paper.paragraph(&format!("{name}{colon}{money} · {verdict}"));
        timeline(&mut paper, frame, store, part, &exhibit.events);
    }
    not_heard(&mut paper, frame, exhibit);
    settled(&mut paper, frame, exhibit);
    if !file.actions.is_empty() {
        paper.heading(language.say("处理记录", "What was done"));
        for action in &file.actions {
            let at = frame.time(store, action.at.0, "%m-%d %H:%M:%S");
            let code = action.finding.split(':').next().unwrap_or_default();
            let text = format!(
                "{code} {} · {}",
                words::change(language, action.change),
                words::note(language, &action.note)
            );
            paper.moment(&at, &text, None);
        }
    }
    integrity(&mut paper, frame, exhibit);
    paper.finish(frame.now_ms)
}

fn clock(paper: &mut Paper, frame: &Frame, exhibit: &Exhibit) {
    let language = frame.language;
    let state = match exhibit.file.view.case.synchronised {
        true => language.say("采集程序的时钟已校准", "The agent's clock was synchronised"),
        false => language.say(
            "采集程序的时钟未校准，时间仅供参考",
            "The agent's clock was not synchronised: times are approximate",
        ),
    };
    paper.fact(language.say("时钟", "Clock"), state);
}

fn findings(paper: &mut Paper, frame: &Frame, file: &CaseFile) {
    let language = frame.language;
    if file.findings.is_empty() {
        return;
    }
    paper.heading(language.say("发现", "Findings"));
    for view in &file.findings {
        let finding = &view.finding;
        let kind = finding.id.kind;
        paper.paragraph(&format!("{} {}", kind.code(), alert_words::kind_title(language, kind)));
        paper.quiet(&words::cause(language, &finding.cause));
        if let Some(resolution) = finding.resolved {
            paper.quiet(alert_words::resolution_sentence(language, resolution));
        }
    }
}

fn timeline(paper: &mut Paper, frame: &Frame, store: &StoreId, file: &CaseFile, events: &[Event]) {
    let by_number: BTreeMap<Seq, &Event> = events.iter().map(|event| (event.seq, event)).collect();
    for event in numbers_of(file).filter_map(|seq| by_number.get(&seq)) {
        let at = frame.time(store, event.observed.wall.0, "%H:%M:%S%.3f");
        let (_, text) = words::event(frame.language, &event.body);
        let detail = match &event.evidence {
            Evidence::Text(text) => Some(last_four_only(text)),
            Evidence::Frame(bytes) => Some(format!("{} B", bytes.len())),
            Evidence::None => None,
        };
        paper.moment(&at, &format!("{text}  #{}", event.seq.0), detail.as_deref());
    }
}

/// The coverage statement, and what was not heard.
fn not_heard(paper: &mut Paper, frame: &Frame, exhibit: &Exhibit) {
    let language = frame.language;
    let store = &exhibit.file.view.id.agent.store;
    paper.heading(language.say("监听范围：哪些没有听到", "Coverage: what was not heard"));
    let sources = exhibit.agent.iter().flat_map(|agent| &agent.sources);
    let terminal = exhibit.file.view.terminal;
    for source in sources.filter(|source| source.tells_of(terminal)) {
        let carries = match (source.hears_money, source.hears_slips) {
            (true, true) => language.say("扣款和凭条", "debits and slips"),
            (true, false) => language.say("扣款", "debits"),
            _ => language.say("凭条", "slips"),
        };
        let until = frame.time(store, source.covered_until.0, "%m-%d %H:%M:%S");
        let heard = match language {
            crate::alert::language::Language::Chinese => format!("{carries}；监听到 {until}"),
            crate::alert::language::Language::English => format!("{carries}; heard until {until}"),
        };
        paper.fact(&source.name, &heard);
        let mut whole = true;
        for (from, to, why) in gaps(&exhibit.file, source) {
            whole = false;
            let from = frame.time(store, from.0, "%m-%d %H:%M:%S");
            let to = frame.time(store, to.0, "%m-%d %H:%M:%S");
            let why = words::hole(language, why);
            let text = language.say(
                format!("没有听到 {from} – {to}：{why}"),
                format!("Not heard {from} – {to}: {why}"),
            );
            paper.moment("", &text, None);
        }
        if whole {
            paper.moment("", language.say("前后没有缺口。", "No gap around this payment."), None);
        }
    }
    paper.quiet(language.say(
        "缺口期间的沉默不能证明任何事；凡有缺口影响判断的，结论为「无法判断」。",
        "Silence in a gap proves nothing; where a gap matters, the verdict is \"not known\".",
    ));
}

fn settled(paper: &mut Paper, frame: &Frame, exhibit: &Exhibit) {
    let language = frame.language;
    paper.heading(language.say("结算", "Settlement"));
    if exhibit.settlement.is_empty() {
        paper.quiet(language.say(
            "已导入的对账文件中没有与本笔对应的记录。",
            "No row of the settlement files loaded so far belongs to this payment.",
        ));
    }
    for link in &exhibit.settlement {
        let row = settlement(link);
        let amount = alert_words::money(language, link.row.row.amount);
        let how = language.say(
            format!(
                "（{}，{}）",
                summary::role(language, link.role),
                summary::tier(language, &row.tier)
            ),
            format!(
                " ({}, {})",
                summary::role(language, link.role),
                summary::tier(language, &row.tier)
            ),
        );
        paper.fact(&row.day, &format!("{} {amount}{how}", row.word));
        paper.quiet(&format!("{}:{} · SHA-256 {}", row.file, row.line, row.sha256));
    }
}

fn integrity(paper: &mut Paper, frame: &Frame, exhibit: &Exhibit) {
    let language = frame.language;
    paper.heading(language.say("完整性", "Integrity"));
    let first = exhibit.records.first().map_or(0, |record| record.seq);
    let last = exhibit.records.last().map_or(0, |record| record.seq);
    let agent = &exhibit.file.view.id.agent;
    paper.fact(
        language.say("采集程序", "Agent"),
        &format!(
            "{} / {} · {} {} · {first}–{last}",
            agent.store,
            agent.agent,
            language.say("编号周期", "epoch"),
            exhibit.epoch.0
        ),
    );
    match key_of(exhibit) {
        Some(key) => paper.fact(language.say("采集程序公钥", "Agent's public key"), &key),
        None => paper.fact(
            language.say("签名", "Signature"),
            language.say("采集程序尚未对此段签名", "The agent has not signed this stretch yet"),
        ),
    }
    paper.fact(
        language.say("制作", "Made by"),
        &format!(
            "slipwatch-collector {} · {}",
            env!("CARGO_PKG_VERSION"),
            frame.time(&agent.store, frame.now_ms, "%Y-%m-%d %H:%M:%S %:z")
        ),
    );
    paper.quiet(language.say(
        "原始记录、散列链与签名在随附的压缩包中；任何人可用 slipwatch-collector evidence verify 核对，改动任何一个字节都会被发现。卡号只显示后四位。",
        "The records, their chain of hashes and the signatures are in the archive that comes with this document; anyone \
         can check it with slipwatch-collector evidence verify, which finds a single changed byte. Card numbers show their last four digits.",
    ));
}
