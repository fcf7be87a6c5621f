//! A letter's subject, text and HTML. The first line says what to do; a finding that ended says that nothing is left to
//! do. Shows the last four digits of a card at most, and escapes whatever came from outside.

use super::html;
use super::item::Item;
use super::language::Language;
use super::policy::{LetterSettings, ShopLetters};
use super::words;
use crate::correlate::cause::CauseDetail;
use crate::correlate::finding::{FindingKind, Resolution};
use jiff::Timestamp;
use slipwatch_shared::money::{Amount, Currency};
use std::collections::BTreeMap;

/// Most rows that one letter shows; the rest is counted.
pub const ROWS_SHOWN_MAX: usize = 50;
/// What was learned this much later than it happened is said to be late.
const LATE_MS: i64 = 30 * 60_000;

/// What a letter is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Findings that are new.
    New,
    /// More of the same, in the same thread.
    More,
    /// Findings that ended, in their thread.
    Ended,
    /// What was not worth a letter of its own.
    Digest,
}

/// A letter, written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Letter {
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) html: String,
}

/// A letter before it is laid out as text or HTML.
pub(super) struct Draft {
    pub(super) language: Language,
    pub(super) subject: String,
    /// What to do, or that nothing is left to do.
    pub(super) lead: String,
    /// The state of the matter, for the colour of the HTML.
    pub(super) purpose: Purpose,
    /// Sentences under the lead.
    pub(super) sentences: Vec<String>,
    /// One block a finding: headline, then name and value.
    pub(super) blocks: Vec<Block>,
    /// Findings beyond [`ROWS_SHOWN_MAX`].
    pub(super) left_out: usize,
    pub(super) steps: Vec<String>,
    pub(super) footer: String,
}

/// One finding in a draft.
pub(super) struct Block {
    pub(super) headline: String,
    pub(super) facts: Vec<(&'static str, String)>,
    pub(super) link: Option<String>,
}

/// Writes a letter to one shop about one or more findings.
///
/// # Panics
/// When there is no finding: nothing is to be told then.
pub(super) fn write(
    settings: &LetterSettings,
    shop: &ShopLetters,
    purpose: Purpose,
    items: &[Item],
    left_out: usize,
) -> Letter {
    let draft = draft(settings, shop, purpose, items, left_out);
    Letter { text: text(&draft), html: html::page(&draft), subject: draft.subject }
}

fn draft(
    settings: &LetterSettings,
    shop: &ShopLetters,
    purpose: Purpose,
    items: &[Item],
    left_out: usize,
) -> Draft {
    let language = shop.language;
    let first = items.first().expect("a letter tells of something");
    let single = counted(items, left_out) == 1;
    let shown = &items[..items.len().min(ROWS_SHOWN_MAX)];
    let mut sentences = Vec::new();
    if items.len() + left_out > 1 {
        sentences.push(sum_sentence(language, items, left_out));
    }
    match purpose {
        Purpose::Ended | Purpose::Digest => {}
        Purpose::New | Purpose::More if first.complaint.is_some() => {
            sentences.push(words::cause_sentence(language, first.cause()).to_owned());
        }
        Purpose::New | Purpose::More => {
            // A file tells what it tells, and no likely cause; nor does what is not known.
            let label = match first.cause() {
                CauseDetail::Nothing => "",
                _ if first.document.is_some() => "",
                _ => language.say("可能原因：", "Likely cause: "),
            };
            sentences.push(format!("{label}{}", words::cause_sentence(language, first.cause())));
        }
    }
    if items.iter().any(|item| item.confirmed) && !matches!(purpose, Purpose::Ended) {
        let confirmed = language.say(
            "对账文件已证实：款项确已扣收。",
            "The settlement file confirms it: the money was taken.",
        );
        sentences.push(confirmed.to_owned());
    }
    if items.iter().any(Item::is_told_by_file) && !matches!(purpose, Purpose::Ended) {
        let source = language.say(
            "这些出自对账文件，出处见下。",
            "This is known from a settlement file, which is named below.",
        );
        sentences.push(source.to_owned());
    }
    // What a file tells, or a silence, comes late by its nature: that says nothing of the agent.
    let is_heard = |item: &Item| item.case.is_some() && item.document.is_none();
    let is_late = |item: &Item| is_heard(item) && item.learned_ms - item.since_ms > LATE_MS;
    if items.iter().any(is_late) {
        let late = language.say(
            "这些记录是迟到的：当时采集程序没有连上，现在才收到。",
            "This was learned late: the agent was not connected when it happened.",
        );
        sentences.push(late.to_owned());
    }
    let steps = match purpose {
        Purpose::New | Purpose::More if first.is_repeated_row() => {
            words::repeated_row_steps(language)
        }
        Purpose::New | Purpose::More => words::steps(language, first.kind()),
        Purpose::Ended | Purpose::Digest => &[],
    };
    Draft {
        language,
        subject: subject(shop, purpose, items, left_out),
        lead: lead(language, purpose, first, single),
        purpose,
        sentences,
        blocks: shown.iter().map(|item| block(settings, shop, item)).collect(),
        left_out: left_out + items.len() - shown.len(),
        steps: steps.iter().map(|step| (*step).to_owned()).collect(),
        footer: format!("{} · {}", shop.title, language.say(
            "本信由 slipwatch 自动发出；卡号只显示后四位。同一案件的后续消息会在同一邮件会话中。",
            "Sent by slipwatch. Card numbers show their last four digits only. What follows on this case comes in the same thread.",
        )),
    }
}

fn lead(language: Language, purpose: Purpose, first: &Item, single: bool) -> String {
    match purpose {
        Purpose::New | Purpose::More => {
            let voucher = first.voucher.as_deref().filter(|_| single);
            let (kind, many) = (first.kind(), !single);
            match kind {
                FindingKind::NoReceiptDebit | FindingKind::PrintFailed if many => language.say(
                    "请现在按下列凭证号逐笔重打凭条；不要再次收款。".to_owned(),
                    "Reprint the slips below by voucher number now; do not charge again."
                        .to_owned(),
                ),
                _ if first.is_repeated_row() => words::repeated_row_first(language).to_owned(),
                FindingKind::PromiseDue if first.passed => language
                    .say(
                        "答应顾客的日期已过：请马上答复顾客，并说明新的日期。",
                        "A date that a shopper was promised has passed: answer the shopper now, with a new date.",
                    )
                    .to_owned(),
                _ => words::first_thing(language, kind, voucher),
            }
        }
        Purpose::Ended => {
            let how = first.resolution();
            let sentence = how.map_or("", |how| words::resolution_sentence(language, how));
            match how {
                // The debit stands and its slip is not known of: somebody must look.
                Some(Resolution::NotKnown) => {
                    let look = language.say("请自行核对。", " Please check it yourself.");
                    format!("{sentence}{look}")
                }
                // The sentence itself says what may be left.
                Some(Resolution::PrintsAgain | Resolution::Subsided) => sentence.to_owned(),
                _ => language.say("无需再处理：", "Nothing is left to do: ").to_owned() + sentence,
            }
        }
        Purpose::Digest => language
            .say(
                "今日汇总：以下事项不急，请在方便时查看。",
                "The day's digest: none of this is urgent; look when you have time.",
            )
            .to_owned(),
    }
}

fn subject(shop: &ShopLetters, purpose: Purpose, items: &[Item], left_out: usize) -> String {
    let language = shop.language;
    let first = &items[0];
    let count = counted(items, left_out);
    let title = match first.passed {
        true => language.say("答应顾客的日期已过", "Promise to a shopper not kept"),
        false => words::kind_title(language, first.kind()),
    };
    let acquirer = first.acquirer.as_deref().map(|acquirer| {
        language.say(format!("收单机构 {acquirer}"), format!("acquirer {acquirer}"))
    });
    let place = acquirer.or_else(|| place(shop, first)).unwrap_or_else(|| shop.title.clone());
    let what = match (purpose, count) {
        (Purpose::Digest, _) => {
            return language.say(
                format!("【slipwatch】{} 今日汇总：{count} 项", shop.title),
                format!("[slipwatch] {}: digest of the day, {count} items", shop.title),
            );
        }
        (_, 1) if items.len() == 1 => {
            let amount = first.amount().map(|amount| words::money(language, amount));
            let voucher = first.voucher.as_deref().map(|voucher| {
                language.say(format!("凭证号 {voucher}"), format!("voucher {voucher}"))
            });
            let complaint = first.complaint.map(|number| {
                language.say(format!("投诉 {number} 号"), format!("complaint {number}"))
            });
            let parts = [Some(title.to_owned()), complaint, amount, voucher];
            parts.into_iter().flatten().collect::<Vec<_>>()
        }
        _ => vec![
            language.say(format!("{title}（{count} 笔）"), format!("{title} ({count})")),
            sums(language, items),
        ],
    };
    let state = match purpose {
        Purpose::Ended => match first.resolution() {
            Some(Resolution::NotKnown | Resolution::NotBorneOut) => {
                language.say("收回：", "Taken back: ")
            }
            _ => language.say("已解决：", "Resolved: "),
        },
        _ => "",
    };
    let what: Vec<String> = what.into_iter().filter(|part| !part.is_empty()).collect();
    let what = what.join(language.say("，", ", "));
    language.say(
        format!("【slipwatch】{state}{what} · {place}"),
        format!("[slipwatch] {state}{what} · {place}"),
    )
}

fn place(shop: &ShopLetters, item: &Item) -> Option<String> {
    let number = item.terminal.as_deref()?;
    let title = number.parse().ok().and_then(|number| shop.terminals.get(&number));
    Some(title.cloned().unwrap_or_else(|| {
        shop.language.say(format!("终端 {number}"), format!("terminal {number}"))
    }))
}

fn sums(language: Language, items: &[Item]) -> String {
    let mut sums: BTreeMap<Currency, i64> = BTreeMap::new();
    for amount in items.iter().filter_map(Item::amount) {
        let sum = sums.entry(amount.currency).or_default();
        *sum = sum.saturating_add(amount.minor);
    }
    let sums: Vec<String> = sums
        .into_iter()
        .map(|(currency, minor)| words::money(language, Amount::new(minor, currency)))
        .collect();
    sums.join(" + ")
}

/// What a letter counts: payments, and what explains them only where there are none.
fn counted(items: &[Item], left_out: usize) -> usize {
    let explains = |item: &&Item| item.case.is_none();
    let explaining = items.iter().filter(explains).count();
    let rest = items.len() - explaining + left_out;
    if explaining == 1 && rest > 0 { rest } else { explaining + rest }
}

fn sum_sentence(language: Language, items: &[Item], left_out: usize) -> String {
    let count = counted(items, left_out);
    let sums = sums(language, items);
    match sums.is_empty() {
        true => language.say(format!("共 {count} 项。"), format!("{count} in all.")),
        false => language.say(
            format!("共 {count} 笔，合计 {sums}。"),
            format!("{count} in all, {sums} together."),
        ),
    }
}

fn block(settings: &LetterSettings, shop: &ShopLetters, item: &Item) -> Block {
    let language = shop.language;
    let mut facts: Vec<(&'static str, String)> = Vec::new();
    let mut add = |chinese, english, value: Option<String>| {
        if let Some(value) = value {
            facts.push((language.say(chinese, english), value));
        }
    };
    add("金额", "Amount", item.amount().map(|amount| words::money(language, amount)));
    // Of a complaint, the shopper tells when it was; this is when nothing was found to fit it, or a date came near.
    match item.complaint {
        Some(_) => add("提醒时间", "Raised", time(shop, item.since_ms)),
        None => match item.day_alone() {
            Some(day) => add("日期", "Day", Some(day.to_owned())),
            None => add("时间", "Time", time(shop, item.happened_ms())),
        },
    }
    add(
        "终端",
        "Terminal",
        item.terminal.as_ref().map(|number| {
            match number.parse().ok().and_then(|number| shop.terminals.get(&number)) {
                Some(title) => format!("{title} ({number})"),
                None => number.clone(),
            }
        }),
    );
    add("采集程序", "Agent", item.agent.clone());
    add("凭证号", "Voucher number", item.voucher.clone());
    add("批次号", "Batch number", item.batch_number.clone());
    add("参考号", "Reference number", item.reference.clone());
    add("订单号", "Order number", item.order.clone());
    add("卡号后四位", "Card, last four", item.last_four.clone());
    add("应为", "Expected", item.expected().map(|amount| words::money(language, amount)));
    add("笔数", "Rows", (item.rows > 0).then(|| item.rows.to_string()));
    add(
        "对账文件中的名称",
        "In the file's words",
        item.word.as_deref().map(|word| words::ledger_word(language, word)),
    );
    add("对账文件", "Settlement file", item.document.clone());
    let ended = item.resolution();
    add("结果", "Outcome", ended.map(|how| words::resolution_sentence(language, how).to_owned()));
    add("投诉编号", "Complaint", item.complaint.map(|number| number.to_string()));
    add("最晚", "Due", item.due_ms.and_then(|due| words::deadline(due, &shop.time_zone)));
    add("案件编号", "Case", item.case.clone());
    match item.is_repeated_row() {
        true => add("已入账的交易", "Payment booked before", item.partner.clone()),
        false => add("另一笔", "The other payment", item.partner.clone()),
    }
    add("收单机构", "Acquirer", item.acquirer.clone());
    let parent = item.parent().map(|parent| words::kind_title(language, parent).to_owned());
    add("由此引起", "Explained by", parent);
    let link = settings.public_url.as_ref().map(|url| match &item.case {
        Some(case) => format!("{url}/case/{case}?lang={}", language.tag()),
        None if item.complaint.is_some() => {
            let number = item.complaint.unwrap_or_default();
            format!("{url}/complaints/{number}?lang={}", language.tag())
        }
        None if item.is_of_statement() => format!("{url}/statements?lang={}", language.tag()),
        None => format!("{url}/agents?lang={}", language.tag()),
    });
    Block { headline: words::kind_title(language, item.kind()).to_owned(), facts, link }
}

fn time(shop: &ShopLetters, at_ms: i64) -> Option<String> {
    let time = Timestamp::from_millisecond(at_ms).ok()?;
    Some(time.to_zoned_datetime(shop.time_zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string())
}

fn text(draft: &Draft) -> String {
    let language = draft.language;
    let mut out = format!("{}\n", draft.lead);
    if !draft.sentences.is_empty() {
        out.push('\n');
    }
    for sentence in &draft.sentences {
        out.push_str(&format!("{sentence}\n"));
    }
    let many = draft.blocks.len() > 1;
    for (number, block) in draft.blocks.iter().enumerate() {
        let number = if many { format!("{}. ", number + 1) } else { String::new() };
        out.push_str(&format!("\n{number}{}\n", block.headline));
        for (name, value) in &block.facts {
            out.push_str(&format!("  {name}{} {value}\n", language.say("：", ":")));
        }
        if let Some(link) = &block.link {
            out.push_str(&format!("  {link}\n"));
        }
    }
    if draft.left_out > 0 {
        out.push_str(&left_out_sentence(language, draft.left_out));
        out.push('\n');
    }
    if !draft.steps.is_empty() {
        out.push_str(language.say("\n接下来怎么做\n", "\nWhat to do now\n"));
        for (number, step) in draft.steps.iter().enumerate() {
            out.push_str(&format!("  {}. {step}\n", number + 1));
        }
    }
    out.push_str(&format!("\n-- \n{}\n", draft.footer));
    out
}

pub(super) fn left_out_sentence(language: Language, count: usize) -> String {
    language.say(
        format!("\n另有 {count} 项未列出，请看状态页面。"),
        format!("\n{count} more are not listed; see the status pages."),
    )
}
