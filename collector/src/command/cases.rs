//! `cases`: what is open and why, from the store as it stands. Reads only; the collector may run.

use super::{ConfigArgument, chinese::TONGUE, failure, tell};
use crate::alert::words;
use crate::config::Config;
use crate::correlate::finding::{FindingKind, Subject};
use crate::edge::clock;
use crate::edge::console::pages::Frame;
use crate::edge::console::summary;
use crate::edge::store::OpenFinding;
use crate::edge::store::sqlite::SqliteStore;
use crate::run::STORE_FILE;
use crate::run::error::{EXIT_CONFIG, EXIT_STATE};
use serde_json::{Value, json};
use slipwatch_shared::times::EventTime;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;
use std::sync::Arc;

const HELP: &str = r#"With --json, one finding a line:
  {"finding":"A07:shop-1.till-1.1.42","code":"A07","label":"authorization_never_settled","store":"shop-1",
   "terminal":"10000001","case":"shop-1.till-1.1.42","severity":"p2","stage":"confirmed","since":"2025-11-24T04:30:05Z","paid":"2025-11-24T04:30:05Z",
   "amount_minor":8800,"currency":"CNY","stan":"000042","cause":"institution","why":"payment_without_row",
   "detail":{"source":"allinpay","period":"2025-11-24","amount_minor":8800,"currency":"CNY"}}
"paid" is the payment's time, where there is one; "since", when the finding began to hold: of a slip, at its deadline.
The amount is the payment's, in its smallest unit; of a finding without a payment, that which it is about.
"detail" has a "day" where a settlement file tells no time of it; "since" is that day's beginning.

Exit status: 0 they were listed, be there any or none; 1 the store cannot be read now; 2 no finding has that number; 73 there is no store yet, or it is not this user's to read; 78 the settings are wrong"#;

/// Arguments of `cases`.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub struct CasesArguments {
    #[command(flatten)]
    config: ConfigArgument,
    /// Tell it as JSON, one finding a line
    #[arg(long)]
    json: bool,
    /// Only findings of this number in the catalogue, such as A06
    #[arg(long, value_name = "CODE", value_parser = kind_named)]
    code: Option<FindingKind>,
}

fn kind_named(text: &str) -> Result<FindingKind, String> {
    FindingKind::from_code(&text.to_ascii_uppercase()).ok_or_else(|| {
        let known = FindingKind::ALL.map(FindingKind::code).join(", ");
        format!("no finding is called {text}; there are {known}")
    })
}

pub(super) fn run(arguments: &CasesArguments) -> ExitCode {
    let config = match Config::load(&arguments.config.config) {
        Ok(config) => config,
        Err(error) => {
            tell(&error);
            return ExitCode::from(EXIT_CONFIG);
        }
    };
    let path = config.beside(&config.store).join(STORE_FILE);
    let found = SqliteStore::open_reader(&path).and_then(|reader| {
        let mut found = reader.open_findings()?;
        found.retain(|open| arguments.code.is_none_or(|kind| kind == open.view.finding.id.kind));
        Ok(found)
    });
    let language = TONGUE.language();
    let config = Arc::new(config);
    let frame = Frame { language, config, now_ms: clock::now().0, here: String::new() };
    match found {
        Ok(found) => match list(arguments, &frame, &found) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
            Err(error) => {
                tell(&error);
                failure()
            }
        },
        Err(error) => {
            tell(&error);
            match error {
                error if !error.is_retryable() => ExitCode::from(EXIT_STATE),
                _ => failure(),
            }
        }
    }
}

fn list(arguments: &CasesArguments, frame: &Frame, found: &[OpenFinding]) -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    for open in found {
        match arguments.json {
            true => writeln!(out, "{}", line(open))?,
            false => writeln!(out, "{}", words_of(frame, open))?,
        }
    }
    out.flush()
}

fn time(at: EventTime) -> String {
    jiff::Timestamp::from_millisecond(at.0).map_or_else(|_| at.0.to_string(), |at| at.to_string())
}

fn line(open: &OpenFinding) -> Value {
    let finding = &open.view.finding;
    let mut line = json!({
        "finding": finding.id.to_string(),
        "code": finding.id.kind.code(),
        "label": finding.id.kind.label(),
        "store": finding.id.subject.store().map(|store| store.as_str()),
        "severity": finding.severity.label(),
        "stage": finding.stage.label(),
        "since": time(finding.since),
        "cause": finding.cause.class.label(),
        "why": finding.cause.detail.label(),
    });
    if let Some(paid) = open.view.paid {
        line["paid"] = time(paid).into();
    }
    if let Some(terminal) = &open.view.terminal {
        line["terminal"] = terminal.terminal.to_string().into();
    }
    if let Some(amount) = open.view.amount {
        line["amount_minor"] = amount.minor.into();
        line["currency"] = amount.currency.as_str().into();
    }
    if let Some(stan) = open.view.stan {
        line["stan"] = stan.to_string().into();
    }
    if let Subject::Case(case) = &finding.id.subject {
        line["case"] = case.to_string().into();
    }
    if let Some(detail) = &open.detail {
        line["detail"] = serde_json::to_value(detail).expect("plain values can be written");
    }
    line
}

fn words_of(frame: &Frame, open: &OpenFinding) -> String {
    let language = frame.language;
    let finding = &open.view.finding;
    let kind = finding.id.kind;
    let terminal = open.view.terminal.as_ref().map(|name| format!(" {}", name.terminal));
    let mut text = format!(
        "{} {} {}{}  {}  {}",
        kind.code(),
        frame.happened(&open.view, "%Y-%m-%d", "%H:%M:%S"),
        finding.id.subject.store().map_or("-", |store| store.as_str()),
        terminal.unwrap_or_default(),
        words::kind_title(language, kind),
        words::cause_sentence(language, finding.cause.detail),
    );
    // Of a payment, people know the amount and the number on the slip.
    let amount = open.view.amount.map(|amount| words::money(language, amount));
    let voucher = |stan| language.say(format!("凭证号 {stan}"), format!("voucher number {stan}"));
    let known: Vec<String> = amount.into_iter().chain(open.view.stan.map(voucher)).collect();
    if !known.is_empty() {
        text.push_str(&format!("\n    {}", known.join(language.say("，", ", "))));
    }
    if let Some(detail) = &open.detail {
        text.push_str(&format!("\n    {}", summary::detail(language, detail)));
    }
    text.push_str(&format!("\n    {}", finding.id));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_that_is_none_is_refused_with_those_that_there_are() {
        assert_eq!(kind_named("a06"), Ok(FindingKind::from_code("A06").expect("A06 is one")));
        let refused = kind_named("A99").expect_err("there is no A99");
        assert!(refused.starts_with("no finding is called A99; there are A01, "), "{refused}");
    }
}
