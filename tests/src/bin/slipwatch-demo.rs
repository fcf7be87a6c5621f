//! The one-command start: a whole shop on this machine, with simulated terminals and printers on real
//! pseudo-terminals. Prints what happens, what is found, and where to look.

// A demonstration speaks to a person: the screen is its only output.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use anyhow::Context;
use clap::{Parser, ValueEnum};
use slipwatch_collector::edge::store::sqlite::SqliteStore;
use slipwatch_collector::run::STORE_FILE;
use slipwatch_tests::demo::play::{Row, round};
use slipwatch_tests::demo::scenario::{ALERT_MS, REVERSAL_PENDING_MS, SCENARIOS, SUSPECT_MS};
use slipwatch_tests::demo::stage::{RealLine, Stage};
use slipwatch_tests::demo::watch::Watch;
use slipwatch_tests::demo::words::Language;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// How long the parts may take to stand.
const START_MS_MAX: u64 = 30_000;
/// So often a port is looked for before it is told that it does not open: three seconds.
const OPENING_LOOKS_MAX: usize = 6;
/// The pause between two rounds.
const PAUSE_MS: u64 = 10_000;

/// Shows slipwatch at work: simulated terminals and printers on pseudo-terminals, an agent beside them, a broker, a
/// collector, its letters and its pages. Nothing outside a temporary directory is touched.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Examples:\n  slipwatch-demo                 plays round after round until Ctrl-C\n  \
                  slipwatch-demo --once          plays one round and compares; exit status 0 when all is as expected\n  \
                  slipwatch-demo --source /dev/ttyUSB0 --dialect kv-en --terminal 10000001"
)]
struct Arguments {
    /// Plays each scenario once, prints expected and found verdicts, and ends: 0 when all are equal, 1 otherwise.
    #[arg(long, conflicts_with = "source")]
    once: bool,
    /// The language of screen and letters; by default that of LANG.
    #[arg(long, value_enum)]
    lang: Option<Lang>,
    /// Keeps store, spools and letters here instead of in a temporary directory.
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
    /// Listens to this serial port instead of the simulated terminals, with the deadlines of a real shop.
    #[arg(long, value_name = "PORT", requires = "dialect")]
    source: Option<PathBuf>,
    /// What the device speaks: a shipped profile's name, or the path of a profile file.
    #[arg(long, value_name = "NAME", requires = "source")]
    dialect: Option<String>,
    /// The port's speed.
    #[arg(long, default_value_t = 9_600, requires = "source")]
    baud: u32,
    /// The terminal behind the port, where its text shows none.
    #[arg(long, default_value = "00000001", requires = "source")]
    terminal: String,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Lang {
    Zh,
    En,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let language = match arguments.lang {
        Some(Lang::Zh) => Language::Chinese,
        Some(Lang::En) => Language::English,
        None => Language::of_locale(&std::env::var("LANG").unwrap_or_default()),
    };
    let outcome = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("starting the runtime")
        .and_then(|runtime| runtime.block_on(run(&arguments, language)));
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("slipwatch-demo: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments, language: Language) -> anyhow::Result<bool> {
    let real = arguments.source.clone().map(|port| RealLine {
        port,
        dialect: arguments.dialect.clone().unwrap_or_default(),
        baud: arguments.baud,
        terminal: arguments.terminal.clone(),
    });
    let mut stage = Stage::set(arguments.state_dir.as_deref(), language, real.as_ref()).await?;
    introduce(&stage, language, real.as_ref());
    let store = stage.config.beside(&stage.config.store).join(STORE_FILE);
    let reader = SqliteStore::open_reader(&store).context("opening the store")?;
    let mut watch = Watch::new(Box::new(reader));
    let all_agree = tokio::select! {
        played = play(&mut stage, &mut watch, arguments.once, language, real.as_ref()) => played,
        told = interrupted() => {
            told?;
            println!("\n{}", language.pick("正在结束……", "ending ..."));
            Ok(true)
        }
    };
    stage.strike().await?;
    if arguments.once && arguments.state_dir.is_none() {
        println!(
            "{}",
            language.pick(
                "信件已随演示删除；用 --state-dir 目录 保留",
                "the letters went with the demonstration; --state-dir DIRECTORY keeps them"
            )
        );
    }
    all_agree
}

/// Ctrl-C, or a word to end from whoever started us.
async fn interrupted() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        told = tokio::signal::ctrl_c() => told?,
        _ = terminate.recv() => {}
    }
    Ok(())
}

fn introduce(stage: &Stage, language: Language, real: Option<&RealLine>) {
    let pick = |chinese, english| language.pick(chinese, english);
    let http = stage.collector.http_address();
    println!("slipwatch {}", pick("演示", "demonstration"));
    match real {
        Some(line) => println!("  {} {}", pick("监听", "listens to"), line.port.display()),
        None => {
            let seconds = |ms: i64| ms / 1_000;
            println!(
                "  {}",
                pick(
                    "模拟的终端和打印机经真实的伪终端写日志；采集程序读取、缓存、上传；收集程序判断是否扣款未出单。",
                    "simulated terminals and printers write to real pseudo-terminals; agents read, keep and send; the \
                     collector finds debits without a slip."
                )
            );
            println!(
                "  {} {} s / {} s, {} {} s",
                pick(
                    "时限已缩短（门店为 120 s / 300 s，冲正 600 s）：疑似 / 报警",
                    "deadlines are shortened (a shop's are 120 s / 300 s, reversals 600 s): suspected / told after"
                ),
                seconds(SUSPECT_MS),
                seconds(ALERT_MS),
                pick("冲正", "reversals"),
                seconds(REVERSAL_PENDING_MS)
            );
        }
    }
    println!("  {:<9} http://{http}/", pick("控制台", "console"));
    println!("  {:<9} http://{http}/metrics", pick("指标", "metrics"));
    println!("  {:<9} {}/*.eml", pick("信件", "letters"), stage.mail_directory().display());
    println!();
}

async fn play(
    stage: &mut Stage,
    watch: &mut Watch,
    once: bool,
    language: Language,
    real: Option<&RealLine>,
) -> anyhow::Result<bool> {
    if let Some(line) = real {
        return listen(line, watch, language).await;
    }
    let agents = async {
        while watch.agents_listening()? < 2 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(Duration::from_millis(START_MS_MAX), agents)
        .await
        .context("the agents did not reach the collector in time")??;
    for number in 1.. {
        let rows = round(stage, watch, number, language, |line| println!("  {line}")).await?;
        print_table(&rows, language);
        let all_agree = rows.iter().all(Row::agrees);
        let letters = std::fs::read_dir(stage.mail_directory()).map_or(0, Iterator::count);
        println!("{}: {letters}", language.pick("信件", "letters written"));
        if once {
            return Ok(all_agree);
        }
        println!(
            "{}\n",
            language
                .pick("稍后重演；Ctrl-C 结束。", "the next round follows soon; Ctrl-C ends it.")
        );
        tokio::time::sleep(Duration::from_millis(PAUSE_MS)).await;
    }
    Ok(true)
}

/// Tells what is found on a real line, until told to end; and when the line is not there, which is waited for.
async fn listen(line: &RealLine, watch: &mut Watch, language: Language) -> anyhow::Result<bool> {
    let pick = |chinese, english| language.pick(chinese, english);
    let port = line.port.display();
    let mut was_open = None;
    let mut looks = 0;
    loop {
        looks += 1;
        let is_open = watch.agents_listening()? > 0;
        if is_open && was_open != Some(true) {
            println!("  {port}: {}", pick("已打开，正在监听", "open, and listened to"));
            was_open = Some(true);
        }
        let is_there = line.port.exists();
        // One that is there is given the time to be opened and told.
        let is_shut = !is_open && (was_open.is_some() || !is_there || looks > OPENING_LOOKS_MAX);
        if is_shut && was_open != Some(false) {
            let why = match is_there {
                false => pick("没有这个端口", "there is no such port"),
                true => pick("被占用或没有权限", "it is in use, or this user may not read it"),
            };
            let then = pick("等待它出现", "it is waited for");
            let list = pick("有哪些端口", "which ports there are");
            eprintln!("  {port}: {why}; {then}. {list}: slipwatch-agent ports");
            was_open = Some(false);
        }
        for (terminal, stan, found) in watch.look()? {
            if let Some(line) = language.news(&terminal, stan, &found) {
                println!("  {line}");
            }
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

fn print_table(rows: &[Row], language: Language) {
    let heads = [
        language.pick("终端", "terminal"),
        language.pick("凭证号", "trace"),
        language.pick("情形", "what is played"),
        language.pick("应判", "expected"),
        language.pick("判为", "found"),
        "",
    ];
    let mut table: Vec<[String; 6]> = vec![heads.map(str::to_owned)];
    for row in rows {
        let equal = if row.agrees() { language.pick("相符", "equal") } else { "≠" };
        table.push([
            row.terminal.clone(),
            format!("{:06}", row.stan),
            row.story.to_owned(),
            row.expected.clone(),
            row.found.clone(),
            equal.to_owned(),
        ]);
    }
    let mut widths = [0; 6];
    for line in &table {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(columns(cell));
        }
    }
    println!();
    for line in &table {
        let cells = line.iter().zip(widths);
        let padded =
            cells.map(|(cell, width)| format!("{cell}{}", " ".repeat(width - columns(cell))));
        println!("{}", padded.collect::<Vec<_>>().join("  ").trim_end());
    }
    let equal = rows.iter().filter(|row| row.agrees()).count();
    println!("\n{} / {} {}", equal, SCENARIOS.len() + 1, language.pick("相符", "equal"));
}

/// How many columns of a screen a text takes: Chinese characters take two.
fn columns(text: &str) -> usize {
    text.chars().map(|letter| if letter >= '\u{2e80}' { 2 } else { 1 }).sum()
}
