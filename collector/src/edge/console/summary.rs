//! What an import did, in words: the same on a screen, on a page and on paper, in both languages.

use super::refusals;
use super::words as console_words;
use crate::alert::language::Language;
use crate::alert::words;
use crate::correlate::finding::FindingKind;
use crate::edge::store::settlement::Detail;
use crate::settlement::matching::{Role, Tier};
use crate::settlement::report::{KindSum, Outcome, Refused, Report, Word};
use crate::settlement::row::RowKind;
use slipwatch_shared::money::Amount;
use std::collections::BTreeMap;

/// Totals of a file that are shown one by one.
const CHECKED_SHOWN_MAX: usize = 24;

/// Something that is told of an import: a heading, and names with what belongs to each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// What it is about.
    pub heading: &'static str,
    /// Name and value.
    pub facts: Vec<(String, String)>,
}

/// What became of the file, in one sentence.
pub fn headline(language: Language, report: &Report) -> String {
    match report.outcome {
        Outcome::Refused => language
            .say("整份拒收，没有导入任何一行", "Refused whole; not one row was loaded")
            .to_owned(),
        Outcome::Known => {
            language.say("以前已导入，没有任何变化", "Loaded before; nothing changed").to_owned()
        }
        Outcome::Loaded => {
            let source = report.source.as_deref().unwrap_or_default();
            let period = report.period.as_deref().unwrap_or_default();
            let period = console_words::period(language, period);
            match report.revision.unwrap_or(1) {
                0 | 1 => language.say(
                    format!("已导入：{source}，{period}"),
                    format!("Loaded as {source}, {period}"),
                ),
                again => language.say(
                    format!("已导入：{source}，{period}，第 {again} 版，取代之前的版本"),
                    format!(
                        "Loaded as {source}, {period}; version {again} replaces the one before"
                    ),
                ),
            }
        }
    }
}

/// All that is told of it below its headline.
pub fn sections(language: Language, report: &Report) -> Vec<Section> {
    if let Some(refused) = &report.refused {
        return vec![Section {
            heading: language.say("为什么拒收", "Why it was refused"),
            facts: refusal(language, refused),
        }];
    }
    if report.outcome == Outcome::Known {
        return report.then.as_deref().map_or_else(Vec::new, |then| at_first(language, then));
    }
    let changed = changed(language, report);
    let parts = [
        (language.say("请核对", "Please check"), doubts(language, report)),
        (language.say("文件内容", "What is in it"), contents(language, report)),
        (language.say("核对通过的合计", "Totals that hold"), checked(language, report)),
        (language.say("与终端交易的匹配", "Matched with payments"), matched(language, report)),
        (language.say("由此产生的变化", "What it changed"), changed),
    ];
    let told = parts.into_iter().filter(|(_, facts)| !facts.is_empty());
    told.map(|(heading, facts)| Section { heading, facts }).collect()
}

/// What came of a file when it was loaded, told again later.
fn at_first(language: Language, report: &Report) -> Vec<Section> {
    let first = Section {
        heading: language.say("首次导入时的结果", "What came of it when it was loaded"),
        facts: vec![
            (language.say("文件", "File").to_owned(), report.file.clone()),
            (language.say("行数", "Rows").to_owned(), report.rows.to_string()),
        ],
    };
    let loaded = Report { outcome: Outcome::Loaded, then: None, ..report.clone() };
    std::iter::once(first).chain(sections(language, &loaded)).collect()
}

/// As lines for a screen.
pub fn lines(language: Language, report: &Report) -> Vec<String> {
    let mut lines = vec![format!("{}: {}", report.file, headline(language, report))];
    for section in sections(language, report) {
        lines.push(format!("  {}", section.heading));
        lines.extend(section.facts.iter().map(|(name, value)| format!("    {name}: {value}")));
    }
    lines
}

/// What a settlement file says of a finding: where, how much, and what was expected.
pub fn detail(language: Language, detail: &Detail) -> String {
    let ledger = detail.ledger();
    // A complaint rests on no file.
    let mut parts: Vec<String> =
        Some(ledger.document.to_string()).filter(|place| !place.is_empty()).into_iter().collect();
    parts.extend(ledger.amount.map(|amount| words::money(language, amount)));
    let expected = language.say("应为", "expected");
    parts.extend(
        ledger.expected.map(|amount| format!("{expected} {}", words::money(language, amount))),
    );
    if ledger.rows > 0 {
        parts.push(rows(language, ledger.rows.into()));
    }
    if !ledger.word.is_empty() {
        parts.push(words::ledger_word(language, &ledger.word));
    }
    parts.join(language.say("，", ", "))
}

fn refusal(language: Language, refused: &Refused) -> Vec<(String, String)> {
    let mut facts = Vec::new();
    let mut add = |name: &str, value: String| facts.push((name.to_owned(), value));
    let (problem, advice) = reason(language, &refused.reason);
    add(language.say("问题", "Problem"), problem.to_owned());
    if let Some(place) = refusals::place(language, refused) {
        add(language.say("位置", "Where"), place);
    }
    if let Some(told) = refusals::detail(language, refused) {
        add(language.say("详情", "In detail"), told);
    }
    add(language.say("怎么办", "What to do"), advice.to_owned());
    facts
}

/// Why a file is refused, and what helps.
pub(super) fn reason(language: Language, reason: &str) -> (&'static str, &'static str) {
    let ((chinese, advice), (english, english_advice)) = match reason {
        "no_file" => (
            ("没有这个文件", "检查路径和文件名。"),
            ("There is no such file", "Look at its path and name."),
        ),
        "no_access" => (
            ("没有读取该文件的权限", "让运行 slipwatch-collector 的用户可以读取它。"),
            ("It may not be read", "Let the user who runs slipwatch-collector read it."),
        ),
        "unreadable" => (
            ("文件无法读取", "重新下载或重新复制该文件。"),
            ("The file cannot be read", "Download or copy it once more."),
        ),
        "archive" => (
            ("压缩包损坏或不可信", "重新下载；加密的压缩包请先解开。"),
            (
                "The archive is damaged or not to be trusted",
                "Download it once more; unpack an encrypted one first.",
            ),
        ),
        "profile" => (
            ("不知道这是哪一种对账文件", "用 --profile 指定格式，或为这家机构写一个格式文件。"),
            (
                "It is not clear which kind of statement this is",
                "Name its profile with --profile, or write one for this institution.",
            ),
        ),
        "encoding" => (
            ("字符编码不符", "不要用表格软件另存；请导入下载的原始文件。"),
            (
                "It is written in another encoding",
                "Import the file as it was downloaded, not as a spreadsheet saved it.",
            ),
        ),
        "format" => (
            ("格式与所选的格式文件不符", "检查格式是否选对；机构改版后需更新格式文件。"),
            (
                "It is laid out otherwise than the profile says",
                "See whether the profile is the right one; after a change at the institution, adapt it.",
            ),
        ),
        "totals" => (
            ("文件自身的合计对不上，可能被截断或改动", "重新下载完整文件。"),
            (
                "Its own totals do not add up: cut off or touched",
                "Download the whole file once more.",
            ),
        ),
        "cut" => (
            (
                "文件在一行中间中断，可能没有下载完整",
                "重新下载完整文件；确认完整的，请在最后一行末尾补上换行。",
            ),
            (
                "It ends in the middle of a line: it may have been cut off",
                "Download the whole file once more; where it is whole, end its last line with a line end.",
            ),
        ),
        "equation" => (
            ("同一行内的金额互相矛盾", "核对该行；多为格式文件中的列对应错误。"),
            (
                "Amounts of one row contradict each other",
                "Look at that row; mostly a column of the profile is mapped wrongly.",
            ),
        ),
        "merchant" => (
            ("含有其他商户的记录", "确认是否拿错文件；是自己的商户号请写入设置。"),
            (
                "It holds rows of another merchant",
                "Is it the right file? A merchant number of yours belongs into the settings.",
            ),
        ),
        "overlap" => (
            ("与已导入的另一份文件日期重叠", "导入相同日期的更正文件，或核对来源设置。"),
            (
                "Its days overlap with another file that counts",
                "Import a corrected file of the same days, or look at the source's settings.",
            ),
        ),
        "parts" => (
            (
                "压缩包中有两个文件属于同一来源的同一天",
                "把它们合并为一个文件再导入；若属于不同商户号，请在设置中分别登记来源。",
            ),
            (
                "Two files of the archive are of the same source and days",
                "Import one file that holds both; where they are of different accounts, name each as a statement in the settings.",
            ),
        ),
        "changed" => (
            ("读取过程中文件被改动", "等文件写完后再导入。"),
            ("It changed while it was read", "Import it once it is complete."),
        ),
        _ => (
            ("有一行无法理解", "核对该行；必要时更新格式文件。"),
            ("A row is not understood", "Look at that row; adapt the profile where it is needed."),
        ),
    };
    (language.say(chinese, english), language.say(advice, english_advice))
}

/// What holds, and yet may be wrong.
fn doubts(language: Language, report: &Report) -> Vec<(String, String)> {
    let fewer = report.rows_before.map(|before| {
        let now = report.rows;
        let value = language.say(
            format!("只有 {now} 笔，而被取代的版本有 {before} 笔。若文件不完整，请重新下载后再导入。"),
            format!(
                "only {}, and the version it replaces had {before}. If the file is not whole, download and import it once more.",
                rows(language, now)
            ),
        );
        (language.say("笔数少得多", "Far fewer rows").to_owned(), value)
    });
    fewer.into_iter().collect()
}

fn contents(language: Language, report: &Report) -> Vec<(String, String)> {
    let in_order = RowKind::ALL
        .iter()
        .filter_map(|kind| report.kinds.get(kind.label()).map(|sum| (*kind, sum)));
    let kinds = in_order.map(|(kind, sum)| {
        let rows = rows(language, sum.rows);
        let sums = sums(language, sum);
        let joint = language.say("，", ", ");
        let value = if sums.is_empty() { rows } else { format!("{rows}{joint}{sums}") };
        (row_kind(language, kind).to_owned(), value)
    });
    let left_out = report.left_out.iter().map(|(column, count)| {
        let value = language.say(
            format!("{count} 个值不是合规的号码，未保留"),
            format!("{count} values are no such number and were left out"),
        );
        (column.clone(), value)
    });
    kinds.chain(left_out).collect()
}

fn checked(language: Language, report: &Report) -> Vec<(String, String)> {
    let shown = report.checked.iter().take(CHECKED_SHOWN_MAX);
    let mut facts: Vec<(String, String)> =
        shown.map(|(name, value)| (console_words::total(language, name), value.clone())).collect();
    if let Some(more) = report.checked.len().checked_sub(CHECKED_SHOWN_MAX).filter(|more| *more > 0)
    {
        let others = language.say(format!("另有 {more} 项"), format!("{more} more"));
        facts.push((others, String::new()));
    }
    facts
}

fn matched(language: Language, report: &Report) -> Vec<(String, String)> {
    let tiers = report.linked.iter();
    let mut facts: Vec<(String, String)> =
        tiers.map(|(word, count)| (tier(language, word), rows(language, *count))).collect();
    let waits = language.say("尚待匹配", "Await their payment");
    facts.push((waits.to_owned(), rows(language, report.open)));
    facts
}

fn changed(language: Language, report: &Report) -> Vec<(String, String)> {
    let mut facts = Vec::new();
    if report.confirmed > 0 {
        facts.push((
            language.say("已确认", "Confirmed").to_owned(),
            language.say(
                format!("{} 件未结案件：款项确已扣取并清算", report.confirmed),
                format!("{} open cases: debited and settled", report.confirmed),
            ),
        ));
    }
    facts.extend(changes(language, &report.raised, &report.resolved));
    if facts.is_empty() {
        let nothing = language.say("没有新发现", "Nothing new was found");
        facts.push((language.say("发现", "Findings").to_owned(), nothing.to_owned()));
    }
    facts
}

/// Findings that were raised and that ended, by their numbers in the catalogue.
pub fn changes(
    language: Language,
    raised: &BTreeMap<Word, u64>,
    resolved: &BTreeMap<Word, u64>,
) -> Vec<(String, String)> {
    let named = |(code, count): (&Word, &u64), name: &str| {
        let kind = FindingKind::from_code(code);
        let title = kind.map_or("", |kind| words::kind_title(language, kind));
        (format!("{name} {code}"), format!("{title} × {count}"))
    };
    let raised = raised.iter().map(|entry| named(entry, language.say("新发现", "Raised")));
    let ended = resolved.iter().map(|entry| named(entry, language.say("已解除", "Resolved")));
    raised.chain(ended).collect()
}

fn rows(language: Language, count: u64) -> String {
    match count {
        1 => language.say("1 笔", "1 row").to_owned(),
        _ => language.say(format!("{count} 笔"), format!("{count} rows")),
    }
}

fn sums(language: Language, sum: &KindSum) -> String {
    let money = |(currency, minor): (&String, &i64)| {
        Some(words::money(language, Amount::new(*minor, currency.parse().ok()?)))
    };
    sum.minor.iter().filter_map(money).collect::<Vec<_>>().join(" + ")
}

fn row_kind(language: Language, kind: RowKind) -> &'static str {
    let (chinese, english) = match kind {
        RowKind::Sale => ("消费", "Sales"),
        RowKind::Void => ("撤销", "Voids"),
        RowKind::Refund => ("退货", "Refunds"),
        RowKind::Chargeback => ("退单", "Chargebacks"),
        RowKind::Charge => ("费用及扣款", "Charges without a payment"),
        RowKind::Credit => ("返还及补贴", "Credits without a payment"),
        RowKind::Payout => ("划付到账", "Payouts"),
        RowKind::Transfer => ("内部划转", "Moved inside the acquirer's books"),
    };
    language.say(chinese, english)
}

/// What a row is to the payment that it is linked with.
pub(super) fn role(language: Language, role: Role) -> &'static str {
    let (chinese, english) = match role {
        Role::Settles => ("结算本笔", "settles it"),
        Role::Offsets => ("冲抵本笔", "gives it back"),
        Role::Repeats => ("重复结算本笔", "settles it once more"),
        Role::Suggested => ("可能结算本笔", "may settle it"),
    };
    language.say(chinese, english)
}

/// By what rows were linked: a tier, or what the row is to its payment.
pub(super) fn tier(language: Language, word: &str) -> String {
    let (chinese, english) = match (Tier::named(word), Role::named(word)) {
        (Some(Tier::E1), _) => ("渠道单号一致", "by the channel's number"),
        (Some(Tier::E2), _) => ("终端、批次、凭证号一致", "by terminal, batch and trace"),
        (Some(Tier::E3), _) => ("终端、参考号一致", "by terminal and reference number"),
        (Some(Tier::E4), _) => ("订单号一致", "by order number"),
        (Some(Tier::P1), _) => ("凭证号、金额一致且唯一", "by trace and amount, the only one"),
        (Some(Tier::P2), _) => (
            "参考号尾数、金额一致且唯一",
            "by the reference number's tail and amount, the only one",
        ),
        (Some(Tier::P3), _) => (
            "授权码、卡号后四位、金额一致且唯一",
            "by authorization code, last four and amount, the only one",
        ),
        (Some(Tier::P4), _) => {
            ("凭证号、卡号、金额一致且唯一", "by trace, card and amount, the only one")
        }
        (Some(Tier::Scored), _) => ("按相似度，仅为可能", "by score: probable"),
        (Some(Tier::Suggested), _) | (_, Some(Role::Suggested)) => {
            ("待人工核对的建议", "suggested to a person")
        }
        (_, Some(Role::Offsets)) => ("冲抵已撤销的交易", "give back a payment that was undone"),
        (_, Some(Role::Repeats)) => ("重复入账", "settle a payment once more"),
        _ => return word.to_owned(),
    };
    let text = language.say(chinese, english);
    match Tier::named(word) {
        Some(tier) => format!("{} {text}", tier.label()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rests_on_no_file_begins_with_its_amount() {
        let currency = Some("CNY".to_owned());
        let of_complaint = Detail { amount_minor: Some(8_800), currency, ..Detail::default() };
        assert_eq!(detail(Language::Chinese, &of_complaint), "88.00 元");
        assert_eq!(detail(Language::English, &of_complaint), "CNY 88.00");
    }
}
