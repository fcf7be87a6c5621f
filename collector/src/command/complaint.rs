//! `complaint`: the desk on the command line. Works beside a running collector, which writes the letters. A card number on
//! the command line is refused before anything else reads it.

use super::{ConfigArgument, chinese::TONGUE, failure, tell};
use crate::alert::language::Language;
use crate::alert::words as alert_words;
use crate::complaint::card::shows_card_number;
use crate::complaint::desk::{Looked, Search};
use crate::complaint::matching::{Match, Source};
use crate::complaint::said::Typed;
use crate::complaint::words;
use crate::config::Config;
use crate::correlate::case::CaseId;
use crate::edge::clock;
use crate::edge::console::complaints::{looked_json, search_json};
use crate::edge::console::pages::Frame;
use crate::edge::console::pages::complaint::{already_open, also_open};
use crate::edge::console::papers::answer;
use crate::edge::store::complaint::{DeskError, Which};
use crate::run::complaint::ComplaintDesk;
use crate::run::error::{EXIT_CONFIG, EXIT_DATA, EXIT_STATE};
use crate::run::store_is_there;
use clap::{Args, Subcommand};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

const HELP: &str = r#"What a shopper remembers need not be exact: one digit, an hour, half a day or a day beside is found, and said. Never type a full card number: the last four digits are enough, and more is refused.

Examples:
  slipwatch-collector complaint search --time 14:05 --amount 88 --last-four 6697
  slipwatch-collector complaint search --order 4200001234202611281234567890
  slipwatch-collector complaint open --shop shop-1 --time "11-27 19:30" --amount 128.50 --trouble charged_twice
  slipwatch-collector complaint answer 7 --pdf answer-7.pdf
  slipwatch-collector complaint list
  slipwatch-collector complaint close 7

Troubles: no_slip, charged_twice, wrong_amount, cancelled_but_charged, refund_missing, other

Exit status: 0 it was done; 1 there is no such complaint, or the store failed; 65 what was typed is not taken;
  78 the settings are wrong"#;

/// Arguments of `complaint`.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct ComplaintArguments {
    #[command(subcommand)]
    command: ComplaintCommand,
}

#[derive(Debug, Subcommand)]
enum ComplaintCommand {
    /// Find the payment that a shopper means; write nothing down
    Search(SearchArguments),
    /// Write a complaint down; the payment is found by itself, also later
    Open(OpenArguments),
    /// Tell the shopper what is true now, and what is promised until when
    Answer(AnswerArguments),
    /// Show one complaint as it stands
    Show(OneArguments),
    /// List complaints
    List(ListArguments),
    /// Choose the payment that a complaint is about
    Choose(ChooseArguments),
    /// Close a complaint
    Close(CloseArguments),
}

#[derive(Debug, Args)]
struct Shown {
    #[command(flatten)]
    config: ConfigArgument,
    /// Tell it as JSON
    #[arg(long)]
    json: bool,
}

/// What a shopper says. Read by the desk itself, so that no message repeats it.
#[derive(Args)]
struct SaidArguments {
    /// The shop's name in the settings; not needed where there is one
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    shop: String,
    /// When: "2026-11-28 14:05", "11-28 14:05", "14:05", or a day
    #[arg(long, value_name = "TIME", default_value = "", hide_default_value = true)]
    time: String,
    /// Minutes that it may be off [default: 30]
    #[arg(long, value_name = "MINUTES", default_value = "", hide_default_value = true)]
    slack: String,
    /// How much, such as 88.00
    #[arg(
        long,
        value_name = "AMOUNT",
        default_value = "",
        hide_default_value = true,
        allow_hyphen_values = true
    )]
    amount: String,
    /// The last four digits of the card, and no more
    #[arg(long, value_name = "DIGITS", default_value = "", hide_default_value = true)]
    last_four: String,
    /// The order number on the phone (微信/支付宝 订单号)
    #[arg(long, value_name = "NUMBER", default_value = "", hide_default_value = true)]
    order: String,
    /// What is wrong [default: no_slip]
    #[arg(long, value_name = "WORD", default_value = "", hide_default_value = true)]
    trouble: String,
}

impl std::fmt::Debug for SaidArguments {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("SaidArguments { .. }")
    }
}

impl SaidArguments {
    fn typed(&self) -> Typed {
        Typed {
            shop: self.shop.clone(),
            time: self.time.clone(),
            slack: self.slack.clone(),
            amount: self.amount.clone(),
            last_four: self.last_four.clone(),
            order: self.order.clone(),
            trouble: self.trouble.clone(),
            ..Typed::default()
        }
    }
}

#[derive(Debug, Args)]
struct SearchArguments {
    #[command(flatten)]
    said: SaidArguments,
    #[command(flatten)]
    shown: Shown,
}

#[derive(Args)]
struct OpenArguments {
    #[command(flatten)]
    said: SaidArguments,
    /// In the shopper's words
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    note: String,
    /// How to reach the shopper
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    contact: String,
    /// The language of the answer: zh-CN or en
    #[arg(long, value_name = "TAG", default_value = "", hide_default_value = true)]
    language: String,
    /// When the complaint came in, where it was not just now
    #[arg(long, value_name = "TIME", default_value = "", hide_default_value = true)]
    received: String,
    /// The payment, where a person knows which it is; nothing more need be said of it then
    #[arg(long, value_name = "CASE", default_value = "", hide_default_value = true)]
    case: String,
    #[command(flatten)]
    shown: Shown,
}

impl std::fmt::Debug for OpenArguments {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("OpenArguments { .. }")
    }
}

#[derive(Debug, Args)]
struct OneArguments {
    /// The complaint's number
    number: u64,
    #[command(flatten)]
    shown: Shown,
}

#[derive(Debug, Args)]
struct AnswerArguments {
    #[command(flatten)]
    one: OneArguments,
    /// Write the answer to this file, to print it
    #[arg(long, value_name = "FILE")]
    pdf: Option<PathBuf>,
    /// Write nothing down: only tell what would be answered
    #[arg(long)]
    dry: bool,
}

#[derive(Debug, Args)]
struct ChooseArguments {
    #[command(flatten)]
    one: OneArguments,
    /// The payment's case; "none" takes the choice back
    #[arg(value_name = "CASE")]
    case: String,
}

#[derive(Debug, Args)]
struct CloseArguments {
    #[command(flatten)]
    one: OneArguments,
    /// What was promised was not done
    #[arg(long)]
    broken: bool,
}

#[derive(Debug, Args)]
struct ListArguments {
    /// Closed ones, too
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    shown: Shown,
}

/// Refuses a command line that shows a card number, before it is read: a message about a wrong argument would repeat it.
pub fn refuse_card_numbers(arguments: impl Iterator<Item = OsString>) -> Option<ExitCode> {
    let arguments: Vec<String> =
        arguments.skip(1).map(|argument| argument.to_string_lossy().into_owned()).collect();
    // Wherever it stands: `--lang` may stand before it.
    let is_ours = arguments.iter().any(|argument| argument == "complaint");
    // What stands behind an option's own sign, and the name of a case, whose numbers are its agent's.
    let shows = |argument: &String| {
        let option = argument
            .split_once('=')
            .filter(|(name, _)| name.starts_with("--") && !shows_card_number(name));
        let value = option.map_or(argument.as_str(), |(_, value)| value);
        let case = value.strip_prefix("payment:").unwrap_or(value);
        let is_case = case.parse::<CaseId>().is_ok_and(|id| {
            id.agent.store.as_str().contains(|sign: char| sign.is_ascii_alphabetic())
        });
        !is_case && shows_card_number(value)
    };
    if !is_ours || !arguments.iter().any(shows) {
        return None;
    }
    let _ = writeln!(
        io::stderr(),
        "slipwatch-collector: a card number is on the command line; nothing was kept of it. Give the last four digits \
         alone, and take the line out of your shell's history. 命令行里有完整卡号，没有保存；请只写后四位，并从命令历史中删除。"
    );
    Some(ExitCode::from(EXIT_DATA))
}

/// Why it was not done.
#[derive(Debug, thiserror::Error)]
enum ComplaintError {
    #[error(transparent)]
    Desk(#[from] DeskError),
    #[error("{path} cannot be written")]
    File { path: String, source: io::Error },
    #[error("the document cannot be written: {0}")]
    Document(String),
}

pub(super) fn run(arguments: &ComplaintArguments) -> ExitCode {
    let shown = match &arguments.command {
        ComplaintCommand::Search(arguments) => &arguments.shown,
        ComplaintCommand::Open(arguments) => &arguments.shown,
        ComplaintCommand::Answer(arguments) => &arguments.one.shown,
        ComplaintCommand::Show(arguments) => &arguments.shown,
        ComplaintCommand::List(arguments) => &arguments.shown,
        ComplaintCommand::Choose(arguments) => &arguments.one.shown,
        ComplaintCommand::Close(arguments) => &arguments.one.shown,
    };
    let config = match Config::load(&shown.config.config) {
        Ok(config) => config,
        Err(error) => {
            tell(&error);
            return ExitCode::from(EXIT_CONFIG);
        }
    };
    let desk = Desk { language: TONGUE.language(), json: shown.json, config: Arc::new(config) };
    match desk.run(&arguments.command) {
        Ok(text) => {
            let _ = io::stdout().write_all(text.as_bytes());
            ExitCode::SUCCESS
        }
        Err(ComplaintError::Desk(DeskError::Refused(refusal))) => {
            let text = words::refusal(TONGUE.language(), &refusal);
            let _ = writeln!(io::stderr(), "slipwatch-collector: {text}");
            ExitCode::from(EXIT_DATA)
        }
        Err(error) => {
            tell(&error);
            match error {
                ComplaintError::Desk(DeskError::Store(error)) if !error.is_retryable() => {
                    ExitCode::from(EXIT_STATE)
                }
                _ => failure(),
            }
        }
    }
}

struct Desk {
    language: Language,
    json: bool,
    config: Arc<Config>,
}

fn source(text: &str) -> Result<Option<Source>, DeskError> {
    match text {
        "" | "none" => Ok(None),
        case => match case.strip_prefix("row:") {
            Some(row) => {
                row.parse().map(|row| Some(Source::Row(row))).map_err(|_| DeskError::NoPayment)
            }
            None => {
                let case = case.strip_prefix("payment:").unwrap_or(case);
                case.parse().map(|id| Some(Source::Payment(id))).map_err(|_| DeskError::NoPayment)
            }
        },
    }
}

impl Desk {
    fn run(&self, command: &ComplaintCommand) -> Result<String, ComplaintError> {
        let now = clock::now();
        if !matches!(command, ComplaintCommand::Open(_)) {
            // Without a store there is no complaint either, and to look must not make one.
            store_is_there(&self.config).map_err(DeskError::Store)?;
        }
        let mut desk = ComplaintDesk::open((*self.config).clone()).map_err(DeskError::Store)?;
        Ok(match command {
            ComplaintCommand::Search(arguments) => {
                self.found(&desk.search_at(&arguments.said.typed(), now)?)
            }
            ComplaintCommand::Open(arguments) => {
                let typed = Typed {
                    note: arguments.note.clone(),
                    contact: arguments.contact.clone(),
                    language: match arguments.language.as_str() {
                        "" => self.language.tag().to_owned(),
                        tag => tag.to_owned(),
                    },
                    received: arguments.received.clone(),
                    ..arguments.said.typed()
                };
                let looked = desk.open_at(&typed, source(&arguments.case)?, now)?;
                self.one(&looked)
            }
            ComplaintCommand::Answer(arguments) => {
                let number = arguments.one.number;
                let looked = match arguments.dry {
                    true => desk.look_at(number, now)?,
                    false => desk.answer_at(number, now)?,
                };
                if let Some(path) = &arguments.pdf {
                    self.write(&looked, path)?;
                }
                self.one(&looked)
            }
            ComplaintCommand::Show(arguments) => self.one(&desk.look_at(arguments.number, now)?),
            ComplaintCommand::List(arguments) => {
                let which = if arguments.all { Which::All } else { Which::Open };
                self.list(&desk.list_at(which, now)?)
            }
            ComplaintCommand::Choose(arguments) => {
                self.one(&desk.choose_at(arguments.one.number, source(&arguments.case)?, now)?)
            }
            ComplaintCommand::Close(arguments) => {
                self.one(&desk.close_at(arguments.one.number, !arguments.broken, now)?)
            }
        })
    }

    fn write(&self, looked: &Looked, path: &std::path::Path) -> Result<(), ComplaintError> {
        let frame = Frame {
            language: looked.complaint.said.language,
            config: Arc::clone(&self.config),
            now_ms: clock::now().0,
            here: String::new(),
        };
        let given = looked.complaint.given.map(|given| (given.answer, given.at));
        let now = slipwatch_shared::times::EventTime(frame.now_ms);
        let (told, at) = given.unwrap_or((looked.answer, now));
        let bytes = answer::document(&frame, looked, &told, at)
            .map_err(|error| ComplaintError::Document(format!("{error:?}")))?;
        let unwritable = |source| ComplaintError::File { path: path.display().to_string(), source };
        std::fs::write(path, bytes).map_err(unwritable)
    }

    fn zone(&self, store: Option<&slipwatch_shared::terminal::StoreId>) -> TimeZone {
        let shops = &self.config.shops;
        let named = store.and_then(|store| shops.iter().find(|shop| shop.name == *store));
        named.or(shops.first()).map_or(TimeZone::UTC, |shop| shop.time_zone.clone())
    }

    fn time(&self, store: Option<&slipwatch_shared::terminal::StoreId>, at_ms: i64) -> String {
        let at = Timestamp::from_millisecond(at_ms).unwrap_or(Timestamp::UNIX_EPOCH);
        at.to_zoned_datetime(self.zone(store)).strftime("%Y-%m-%d %H:%M").to_string()
    }

    fn deadline(&self, store: Option<&slipwatch_shared::terminal::StoreId>, at_ms: i64) -> String {
        alert_words::deadline(at_ms, &self.zone(store)).unwrap_or_default()
    }

    fn matched(&self, matched: &Match) -> String {
        let candidate = &matched.candidate;
        let store = candidate.store.as_ref();
        let amount = candidate.amount.map(|amount| alert_words::money(self.language, amount));
        let whys: Vec<String> =
            matched.whys.iter().map(|why| words::why(self.language, why)).collect();
        let name = match &candidate.source {
            Source::Payment(id) => id.to_string(),
            Source::Row(row) => format!("row:{row}"),
        };
        let open = matched.also_open.iter().map(|number| already_open(self.language, *number));
        let open: String = open.map(|told| format!("            {told}\n")).collect();
        format!(
            "  {:<9} {}  {}  {}  {}\n            {}\n            {name}\n{open}",
            words::level(self.language, matched.level),
            candidate
                .day
                .map_or_else(|| self.time(store, candidate.at.from_ms), |day| day.to_string()),
            amount.unwrap_or_default(),
            candidate.terminal.map(|terminal| terminal.to_string()).unwrap_or_default(),
            candidate.last_four.map(|four| format!("****{four:04}")).unwrap_or_default(),
            whys.join(self.language.say("，", ", ")),
        )
    }

    fn found(&self, found: &Search) -> String {
        if self.json {
            return search_json(found).to_string() + "\n";
        }
        let mut text: String = found.matches.iter().map(|matched| self.matched(matched)).collect();
        if found.matches.is_empty() {
            text.push_str(self.language.say("没有相符的。\n", "Nothing fits.\n"));
        }
        let _ = writeln!(text, "{}", words::outcome(self.language, found.answer.outcome()));
        let _ = writeln!(text, "  {}", words::reason(self.language, found.answer.reason));
        text
    }

    fn one(&self, looked: &Looked) -> String {
        if self.json {
            return looked_json(looked).to_string() + "\n";
        }
        let language = self.language;
        let complaint = &looked.complaint;
        let store = looked.store();
        let number = complaint.number;
        let mut text = language.say(format!("投诉 {number} 号"), format!("complaint {number}"));
        let state = match complaint.closed {
            Some(_) => language.say("，已关闭", ", closed"),
            None if looked.is_overdue => language.say("，已过期", ", overdue"),
            None => "",
        };
        let _ = writeln!(text, "{state}");
        if let Some(due) = looked.due {
            let at = self.deadline(store, due.at.0);
            let _ = writeln!(text, "  {} {at}", words::due(language, due.kind));
        }
        if let Some(payment) = &looked.payment {
            let _ = writeln!(text, "  {}", payment.id);
        }
        for other in &looked.also_open {
            let _ = writeln!(text, "  {}", also_open(language, *other));
        }
        let told = complaint.given.map_or(looked.answer, |given| given.answer);
        let _ = writeln!(text, "{}", words::outcome(language, told.outcome()));
        let _ = writeln!(text, "  {}", words::reason(language, told.reason));
        if let Some(promise) = words::promise(language, &told, &self.zone(store)) {
            let _ = writeln!(text, "  {promise}");
        }
        if complaint.closed.is_none() {
            let next = words::next_step(language, looked.answer.reason);
            let _ = writeln!(text, "{}{next}", language.say("接下来：", "Next: "));
        }
        text.extend(looked.matches.iter().map(|matched| self.matched(matched)));
        text
    }

    fn list(&self, all: &[Looked]) -> String {
        if self.json {
            return all.iter().map(|looked| looked_json(looked).to_string() + "\n").collect();
        }
        let language = self.language;
        let mut text = String::new();
        for looked in all {
            let complaint = &looked.complaint;
            let state = match (complaint.closed, complaint.given) {
                (Some(_), _) => language.say("已关闭", "closed"),
                (None, _) if looked.is_overdue => language.say("已过期", "overdue"),
                (None, Some(given)) => words::outcome(language, given.answer.outcome()),
                (None, None) => language.say("待答复", "to be answered"),
            };
            let due = looked.due.map(|due| {
                format!(
                    "{} {}",
                    words::due(language, due.kind),
                    self.deadline(looked.store(), due.at.0)
                )
            });
            let _ = writeln!(
                text,
                "{:>6}  {}  {}  {}  {}  {}",
                complaint.number,
                self.time(looked.store(), complaint.received.0),
                looked.store().map_or("-", |store| store.as_str()),
                words::trouble(language, complaint.said.trouble),
                state,
                due.unwrap_or_default(),
            );
        }
        if all.is_empty() {
            text.push_str(language.say("没有投诉。\n", "No complaints.\n"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(argument: &str, refused: bool) {
        let line =
            ["slipwatch-collector", "complaint", "choose", "7", argument].map(OsString::from);
        assert_eq!(refuse_card_numbers(line.into_iter()).is_some(), refused, "{argument}");
    }

    #[test]
    fn a_card_number_on_the_command_line_is_refused_and_the_name_of_a_case_is_not() {
        check("6225760000006697", true);
        check("--order=6225760000006697", true);
        check("6225.7600.0000.6697", true);
        check("--note=my card 6225 7600 0000 6697", true);
        let behind = ["slipwatch-collector", "--lang", "zh", "complaint", "6225760000006697"];
        assert!(refuse_card_numbers(behind.map(OsString::from).into_iter()).is_some());
        for at in 0..200 {
            check(&format!("shop-1.till-4.17954784{at:05}.{at}"), false);
            check(&format!("payment:shop-6.till-5.17954784{at:05}.{at}"), false);
        }
        check("4200 0012 3420 2611 2812 3456 7890", false);
        check("--order=4200001234202611281234567890", false);
    }
}
