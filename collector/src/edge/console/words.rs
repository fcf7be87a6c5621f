//! What verdicts, agents and events are called on the pages, in both languages.

use crate::alert::language::Language;
use crate::commit::Presence;
use crate::correlate::cause::{Cause, CauseClass, CauseDetail};
use crate::correlate::finding::{Change, Resolution, Severity, Stage};
use crate::correlate::verdict::{NotExpected, Unknown, Verdict};
use slipwatch_shared::event::{
    Body, Copy, ExchangePhase, OperatorAction, Paper, PrintedBy, PrinterStatus, ReversalPhase,
    Slip, SlipFailure,
};

/// How a verdict is coloured.
pub(super) fn verdict_tone(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Printed { .. } => "good",
        Verdict::PrintedLate { .. } => "late",
        Verdict::NotExpected { .. } => "calm",
        Verdict::Pending { .. } => "wait",
        Verdict::NoSlip { .. } => "bad",
        Verdict::Unknown { .. } => "blind",
    }
}

pub(super) fn verdict(language: Language, verdict: &Verdict) -> &'static str {
    let (chinese, english) = match verdict {
        Verdict::Printed { .. } => ("已出凭条", "Slip printed"),
        Verdict::PrintedLate { .. } => ("凭条补打", "Slip printed late"),
        Verdict::NotExpected { .. } => ("无需凭条", "No slip due"),
        Verdict::Pending { .. } => ("等待凭条", "Slip awaited"),
        Verdict::NoSlip { .. } => ("未出凭条", "No slip"),
        Verdict::Unknown { .. } => ("无法判断", "Not known"),
    };
    language.say(chinese, english)
}

/// What a verdict rests on, in a sentence: this is the coverage statement of a case.
pub(super) fn verdict_sentence(language: Language, verdict: &Verdict) -> String {
    let (chinese, english) = match verdict {
        Verdict::Printed { grade } => {
            return language.say(
                format!("听到了凭条打印，证据等级 {}（0 至 4）。", grade.number()),
                format!("The slip was heard, with evidence of grade {} (0 to 4).", grade.number()),
            );
        }
        Verdict::PrintedLate { grade } => {
            return language.say(
                format!("凭条在提醒期限之后才打印，证据等级 {}（0 至 4）。", grade.number()),
                format!(
                    "The slip came after the alert deadline, with evidence of grade {} (0 to 4).",
                    grade.number()
                ),
            );
        }
        Verdict::Pending { .. } => (
            "期限未到；终端仍在被监听。",
            "The deadline has not passed on the terminal's own clock.",
        ),
        Verdict::NoSlip { .. } => (
            "从扣款到期限，终端一直被完整监听，没有缺口，也没有听到凭条。",
            "The terminal was heard without a gap from the debit past the deadline, and no slip came.",
        ),
        Verdict::NotExpected { why } => return not_expected(language, *why).to_owned(),
        Verdict::Unknown { why } => return unknown(language, *why).to_owned(),
    };
    language.say(chinese, english).to_owned()
}

fn not_expected(language: Language, why: NotExpected) -> &'static str {
    let (chinese, english) = match why {
        NotExpected::NotADebit => ("这不是扣款。", "This is no debit."),
        NotExpected::Declined => ("主机拒绝了交易。", "The host declined it."),
        NotExpected::Aborted => ("交易在批准之前结束。", "It ended before an approval."),
        NotExpected::Unanswered => (
            "没有可靠的应答；款项去向由冲正决定。",
            "There was no sound answer: the reversal tells whether money went.",
        ),
        NotExpected::Reversed => ("已冲正。", "It was undone by a reversal."),
        NotExpected::Voided => ("已撤销。", "It was voided."),
        NotExpected::Refunded => ("已退货。", "It was refunded."),
        NotExpected::BelowAmount => {
            ("低于需要凭条的金额。", "It is below the amount from which a slip is due.")
        }
        NotExpected::NobodyPrints => ("此终端不打印凭条。", "This terminal prints no slips."),
        NotExpected::IssuedElectronically => {
            ("已发电子凭条。", "The slip went out electronically.")
        }
        NotExpected::DeclinedByShopper => ("顾客不要凭条。", "The shopper wanted none."),
    };
    language.say(chinese, english)
}

fn unknown(language: Language, why: Unknown) -> &'static str {
    let (chinese, english) = match why {
        Unknown::NotJudged => (
            "设置中没有说明此终端由谁打印，因此不判断。",
            "The settings do not say who prints at this terminal: it is not judged.",
        ),
        Unknown::NoSlipSource => {
            ("没有监听到凭条的线路。", "No line of this terminal carries slips.")
        }
        Unknown::AgentOffline => (
            "采集程序离线；凭条可能还在它的缓存里。",
            "The agent is offline; the slip may be in its spool.",
        ),
        Unknown::SourceLost => (
            "期间线路中断，无法判断有没有凭条。",
            "A line was lost between debit and deadline: silence proves nothing.",
        ),
        Unknown::AgentRestarted => (
            "期间采集程序重启，无法判断有没有凭条。",
            "The agent was down between debit and deadline: silence proves nothing.",
        ),
        Unknown::NumbersLost => (
            "期间有记录丢失，无法判断有没有凭条。",
            "Events of that time were lost: silence proves nothing.",
        ),
        Unknown::DecodeFailed => (
            "期间有内容无法解读，无法判断有没有凭条。",
            "Something of that time could not be read: silence proves nothing.",
        ),
        Unknown::OverBound => (
            "同时未结的交易太多，这一笔未继续跟踪。",
            "Too many payments were open at once: this one was let go.",
        ),
        Unknown::MadeOffline => (
            "脱机交易：交易当时没有监听到，只听到事后的上送。",
            "Made offline: of the sale itself nothing was heard, only its upload afterwards.",
        ),
    };
    language.say(chinese, english)
}

pub(super) fn cause_class(language: Language, class: CauseClass) -> &'static str {
    let (chinese, english) = match class {
        CauseClass::TerminalFault => ("设备故障", "terminal fault"),
        CauseClass::Operator => ("操作", "operation"),
        CauseClass::Institution => ("支付机构", "payment institution"),
        CauseClass::Consumer => ("顾客", "shopper"),
        CauseClass::Policy => ("规则或费率", "policy or fee"),
        CauseClass::Network => ("网络", "network"),
        CauseClass::Unknown => ("原因不明", "cause not known"),
    };
    language.say(chinese, english)
}

pub(super) fn severity(language: Language, severity: Severity) -> &'static str {
    let (chinese, english) = match severity {
        Severity::P1 => ("立即处理", "now"),
        Severity::P2 => ("当天处理", "today"),
        Severity::P3 => ("汇总", "digest"),
        Severity::P4 => ("统计", "statistic"),
    };
    language.say(chinese, english)
}

pub(super) fn stage(language: Language, stage: Stage) -> &'static str {
    let (chinese, english) = match stage {
        Stage::Suspected => ("疑似", "suspected"),
        Stage::Alerting => ("需提醒", "to be told"),
        Stage::Confirmed => ("已证实", "confirmed"),
    };
    language.say(chinese, english)
}

pub(super) fn change(language: Language, change: Change) -> &'static str {
    let (chinese, english) = match change {
        Change::Raised => ("提出", "raised"),
        Change::Changed => ("变更", "changed"),
        Change::Resolved => ("解决", "resolved"),
    };
    language.say(chinese, english)
}

pub(super) fn presence(language: Language, presence: Presence) -> (&'static str, &'static str) {
    let (tone, chinese, english) = match presence {
        Presence::Unseen => ("blind", "从未连接", "never seen"),
        Presence::Online => ("good", "在线", "online"),
        Presence::Stopped => ("calm", "已停止", "stopped"),
        Presence::Offline => ("bad", "离线", "offline"),
    };
    (tone, language.say(chinese, english))
}

/// Why a line was not heard for a while; the word comes from the coverage keeper.
pub(super) fn hole(language: Language, reason: &str) -> String {
    let (chinese, english) = match reason {
        "source_lost" => ("线路中断", "line lost"),
        "agent_restarted" => ("采集程序重启", "agent restarted"),
        "numbers_lost" => ("记录丢失", "events lost"),
        "decode_failed" => ("内容无法解读", "not readable"),
        other => return other.replace('_', " "),
    };
    language.say(chinese, english).to_owned()
}

/// An event in a few words, and its tone.
pub(super) fn event(language: Language, body: &Body) -> (&'static str, String) {
    let (tone, chinese, english) = match body {
        Body::AuthorizationRequested(_) => {
            ("calm", "终端向主机请求扣款", "The terminal asked the host")
        }
        Body::AuthorizationAnswered { response_code, .. } => {
            let tone = if response_code.is_approval() { "money" } else { "calm" };
            let text = match response_code.is_approval() {
                true => language.say(
                    format!("主机批准（{response_code}）"),
                    format!("The host approved ({response_code})"),
                ),
                false => language.say(
                    format!("主机应答 {response_code}"),
                    format!("The host answered {response_code}"),
                ),
            };
            return (tone, text);
        }
        Body::AuthorizationTimedOut(_) => {
            ("bad", "主机没有应答，超时", "No answer from the host in time")
        }
        Body::TransactionCompleted(_) => {
            ("money", "终端完成交易", "The terminal closed the payment")
        }
        Body::TransactionAborted { .. } => ("late", "交易中止", "The payment was aborted"),
        Body::Reversal { phase, .. } => return reversal(language, *phase),
        Body::Void { phase, .. } => return exchange(language, ("撤销", "Void"), *phase),
        Body::Refund { phase, .. } => return exchange(language, ("退货", "Refund"), *phase),
        Body::Preauthorization { phase, .. } => {
            return exchange(language, ("预授权", "Preauthorization"), *phase);
        }
        Body::Completion { phase, .. } => {
            return exchange(language, ("预授权完成", "Completion"), *phase);
        }
        Body::SlipStarted(slip) => {
            return slip_words(language, "wait", ("开始打印", "Slip begun"), slip);
        }
        Body::SlipPrinted { slip, .. } => {
            return slip_words(language, "good", ("凭条已打印", "Slip printed"), slip);
        }
        Body::SlipFailed { slip, reason } => {
            let (tone, text) = slip_words(language, "bad", ("打印失败", "Slip failed"), slip);
            return (tone, format!("{text}{}", failure(language, *reason)));
        }
        Body::SlipLost { slip, .. } => {
            return slip_words(language, "bad", ("凭条丢失", "Slip lost"), slip);
        }
        Body::SlipIssuedElectronically { .. } => {
            ("good", "电子凭条已发出", "Slip sent electronically")
        }
        Body::SlipDeclined(_) => ("calm", "顾客不要凭条", "No slip wanted"),
        Body::PrinterStatus(status) => return printer(language, status),
        Body::SettlementStarted { .. } => ("calm", "批结算开始", "Settlement begun"),
        Body::SettlementTotals(_) => ("calm", "批结算总额", "Settlement totals"),
        Body::SettlementClosed { .. } => ("calm", "批结算结束", "Settlement closed"),
        Body::NetworkUp => ("calm", "网络恢复", "Network up"),
        Body::NetworkDown => ("bad", "网络中断", "Network down"),
        Body::DeviceRestarted => ("late", "终端重启", "Device restarted"),
        Body::SignedOn { .. } => ("calm", "签到", "Signed on"),
        Body::OperatorAction { action, .. } => return operator(language, *action),
        Body::SourceOpened(_) => ("calm", "开始监听线路", "Line opened"),
        Body::SourceLost { .. } => ("blind", "线路中断", "Line lost"),
        Body::DecodeFailed { .. } => ("blind", "内容无法解读", "Not readable"),
        Body::ClockStepped { .. } => ("calm", "时钟被调整", "Clock stepped"),
        Body::Lost { .. } => ("blind", "记录丢失", "Events lost"),
        Body::Pulse(_) => ("calm", "监听中", "Listening"),
        Body::Sealed(_) => ("calm", "记录已签名", "Stream signed"),
        Body::OfflineUpload { phase, .. } => {
            return exchange(language, ("脱机交易上送", "Offline sale's upload"), *phase);
        }
        Body::PrintingAssigned { to } => match to {
            PrintedBy::Terminal => {
                ("calm", "登记：由终端打印凭条", "Registered: the terminal prints")
            }
            PrintedBy::TillFromTerminalText => (
                "calm",
                "登记：由收银机打印终端的凭条",
                "Registered: the till prints the terminal's slips",
            ),
            PrintedBy::TillOwnLayout => (
                "calm",
                "登记：由收银机自行排版打印",
                "Registered: the till prints slips of its own",
            ),
        },
    };
    (tone, language.say(chinese, english).to_owned())
}

fn reversal(language: Language, phase: ReversalPhase) -> (&'static str, String) {
    let (tone, chinese, english) = match phase {
        ReversalPhase::Pending => ("wait", "冲正已登记，待发送", "Reversal stored, not yet sent"),
        ReversalPhase::Sent => ("wait", "冲正已发送", "Reversal sent"),
        ReversalPhase::Acknowledged => ("good", "冲正成功", "Reversal acknowledged"),
        ReversalPhase::Failed => ("bad", "冲正失败", "Reversal failed for good"),
    };
    (tone, language.say(chinese, english).to_owned())
}

fn exchange(
    language: Language,
    name: (&'static str, &'static str),
    phase: ExchangePhase,
) -> (&'static str, String) {
    let (tone, chinese, english) = match phase {
        ExchangePhase::Requested => ("wait", "请求", "requested"),
        ExchangePhase::Approved => ("money", "批准", "approved"),
        ExchangePhase::Declined => ("calm", "被拒", "declined"),
        ExchangePhase::TimedOut => ("bad", "超时", "timed out"),
    };
    (tone, language.say(format!("{}{chinese}", name.0), format!("{} {english}", name.1)))
}

fn slip_words(
    language: Language,
    tone: &'static str,
    name: (&'static str, &'static str),
    slip: &Slip,
) -> (&'static str, String) {
    let copy = match slip.copy {
        Some(Copy::Merchant) => language.say("，商户存根", ", shop's copy"),
        Some(Copy::Customer) => language.say("，持卡人存根", ", shopper's copy"),
        None => "",
    };
    let reprint = if slip.reprint { language.say("，重打印", ", reprint") } else { "" };
    (tone, format!("{}{copy}{reprint}", language.say(name.0, name.1)))
}

fn failure(language: Language, reason: SlipFailure) -> &'static str {
    let (chinese, english) = match reason {
        SlipFailure::PaperOut => ("：缺纸", ": no paper"),
        SlipFailure::CoverOpen => ("：盖未关", ": lid open"),
        SlipFailure::Cutter => ("：切刀卡住", ": cutter stuck"),
        SlipFailure::Overheated => ("：过热", ": too hot"),
        SlipFailure::Offline => ("：打印机无应答", ": printer does not answer"),
        SlipFailure::Refused => ("：收银机拒绝", ": till refused"),
        SlipFailure::Unknown => ("", ""),
    };
    language.say(chinese, english)
}

fn printer(language: Language, status: &PrinterStatus) -> (&'static str, String) {
    let trouble = [
        (status.paper == Some(Paper::End), "缺纸", "no paper"),
        (status.cover_open == Some(true), "盖未关", "lid open"),
        (status.cutter_error == Some(true), "切刀卡住", "cutter stuck"),
        (status.error == Some(true), "故障", "fault"),
        (status.online == Some(false), "离线", "offline"),
        (status.paper == Some(Paper::NearEnd), "纸将用完", "paper nearly out"),
    ];
    let told: Vec<&str> = trouble
        .iter()
        .filter(|(holds, ..)| *holds)
        .map(|(_, chinese, english)| language.say(*chinese, *english))
        .collect();
    let name = language.say("打印机：", "Printer: ");
    match told.is_empty() {
        true => ("good", format!("{name}{}", language.say("正常", "fine"))),
        false => ("bad", format!("{name}{}", told.join(language.say("、", ", ")))),
    }
}

fn operator(language: Language, action: OperatorAction) -> (&'static str, String) {
    let (tone, chinese, english) = match action {
        OperatorAction::Reprint => ("calm", "操作：重打印", "At the till: reprint"),
        OperatorAction::Abort => ("late", "操作：取消交易", "At the till: payment cancelled"),
        OperatorAction::CancelPrint => ("late", "操作：取消打印", "At the till: print cancelled"),
        OperatorAction::ManualEntry => ("calm", "操作：手输卡号", "At the till: card typed in"),
        OperatorAction::Menu => ("calm", "操作：菜单", "At the till: menu"),
        OperatorAction::Force => {
            ("late", "操作：强制通过（未经主机）", "At the till: forced through without the host")
        }
    };
    (tone, language.say(chinese, english).to_owned())
}

/// A total of a settlement file, or a bank's balance, by the name that its profile gives it; the file's own words stay.
pub(super) fn total(language: Language, name: &str) -> String {
    if let Some(account) = name.strip_prefix("closing balance of ") {
        return language.say(format!("账户 {account} 的期末余额"), name.to_owned());
    }
    if let Some(payout) = name.strip_prefix("payout ") {
        return language
            .say(format!("划付 {payout} 的差额"), format!("payout {payout}, what is left"));
    }
    match TOTALS.iter().find(|(known, ..)| *known == name) {
        // What stands in the file in Chinese is looked up there in Chinese.
        Some((_, None, english)) => language.say(name.to_owned(), format!("{name} ({english})")),
        Some((_, Some(chinese), english)) => language.say(*chinese, *english).to_owned(),
        None => name.to_owned(),
    }
}

/// The totals of the shipped profiles: name, in Chinese where the name is not, and in English.
const TOTALS: [(&str, Option<&str>, &str); 17] = [
    ("trade_count", Some("交易笔数"), "payments, number"),
    ("trade_received", Some("交易的商家实收金额"), "payments, received"),
    ("refund_count", Some("退款笔数"), "refunds, number"),
    ("refund_received", Some("退款的商家实收金额"), "refunds, given back"),
    ("balance", Some("余额"), "balance"),
    ("总交易单数", None, "payments, number"),
    ("应结订单总金额", None, "payments to be settled, sum"),
    ("退款总金额", None, "refunds, sum"),
    ("充值券退款总金额", None, "refunded vouchers, sum"),
    ("手续费总金额", None, "fees, sum"),
    ("订单总金额", None, "orders, sum"),
    ("申请退款总金额", None, "refunds asked for, sum"),
    ("资金流水总笔数", None, "movements, number"),
    ("收入笔数", None, "received, number"),
    ("收入金额", None, "received, sum"),
    ("支出笔数", None, "paid out, number"),
    ("支出金额", None, "paid out, sum"),
];

/// What a settlement file covers.
pub(super) fn period(language: Language, period: &str) -> String {
    match (period, period.strip_prefix("payout "), period.split_once("..")) {
        ("unknown", ..) => language.say("日期不明", "day not known").to_owned(),
        (_, Some(payout), _) => language.say(format!("划付 {payout}"), period.to_owned()),
        (_, _, Some((first, last))) => {
            language.say(format!("{first} 至 {last}"), format!("{first} to {last}"))
        }
        _ => period.to_owned(),
    }
}

/// Which part of a source's files a finding is about: what one covers, or the rate of whose payments since when.
pub(super) fn part(language: Language, part: &str) -> String {
    match part.rsplit_once(' ') {
        Some((series, since)) if since.parse::<jiff::civil::Date>().is_ok() => {
            let series = crate::alert::words::rate_series(language, series);
            language.say(format!("{series}，自 {since} 起"), format!("{series}, since {since}"))
        }
        _ => period(language, part),
    }
}

/// Why messages were put aside; the word comes from admission.
pub(super) fn put_aside(language: Language, reason: &str) -> String {
    let (chinese, english) = match reason {
        "unknown_agent" => ("采集程序不在设置中", "agent not in the settings"),
        "cut" => ("不完整", "cut off"),
        "foreign_version" => ("版本不识别", "version not known"),
        "wrong_kind" => ("种类不符", "of another kind"),
        "checksum" => ("校验和不符", "checksum does not fit"),
        "too_large" => ("过大", "too large"),
        "header" => ("开头无法解读", "header not readable"),
        "identity" => ("发送者与内容不符", "sender and content differ"),
        "empty" => ("没有内容", "empty"),
        "foreign_topic" => ("主题不识别", "topic not known"),
        other => return other.replace('_', " "),
    };
    language.say(chinese, english).to_owned()
}

/// What most likely caused something, and how sure that is, as a part of a line.
pub(super) fn cause(language: Language, cause: &Cause) -> String {
    let because = within(crate::alert::words::cause_sentence(language, cause.detail));
    let (class, confidence) = (cause_class(language, cause.class), cause.confidence);
    language.say(
        format!("{because}（{class}，{confidence} %）"),
        format!("{because} ({class}, {confidence} %)"),
    )
}

/// A sentence as a part of a line: without its full stop.
pub(super) fn within(sentence: &str) -> &str {
    sentence.trim_end_matches(['。', '.'])
}

/// How a finding stood, out of its line in the record: `alerting p1, cause network (no_answer) 80 %, ended: reversed`.
/// A line of another form is shown as it is.
pub(super) fn note(language: Language, note: &str) -> String {
    note_parts(language, note).unwrap_or_else(|| note.to_owned())
}

fn note_parts(language: Language, note: &str) -> Option<String> {
    let (stood, ended) = match note.split_once(", ended: ") {
        Some((stood, ended)) => (stood, Some(ended)),
        None => (note, None),
    };
    let (stood, because) = stood.split_once(", cause ")?;
    let (stage_word, severity_word) = stood.split_once(' ')?;
    let (class, rest) = because.split_once(" (")?;
    let (detail, confidence) = rest.split_once(") ")?;
    let at_stage = Stage::ALL.into_iter().find(|known| known.label() == stage_word)?;
    let urgent = Severity::ALL.into_iter().find(|known| known.label() == severity_word)?;
    let class = CauseClass::ALL.into_iter().find(|known| known.label() == class)?;
    let detail = CauseDetail::ALL.into_iter().find(|known| known.label() == detail)?;
    let confidence = confidence.strip_suffix(" %")?.parse().ok()?;
    let because = cause(language, &Cause { class, detail, confidence, cited: Vec::new() });
    let mut told =
        format!("{} · {} · {because}", stage(language, at_stage), severity(language, urgent));
    if let Some(ended) = ended {
        let plain = Resolution::PLAIN.into_iter().find(|known| known.label() == ended);
        let how = match plain {
            Some(how) => crate::alert::words::resolution_sentence(language, how),
            None => language.say("已变为另一项。", "It grew into another one."),
        };
        told.push_str(" · ");
        told.push_str(within(how));
    }
    Some(told)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settlement::deduction;
    use crate::settlement::reader::profile::shipped;

    #[track_caller]
    fn check(told: impl Fn(Language) -> String, chinese: &str, english: &str) {
        assert_eq!(told(Language::Chinese), chinese);
        assert_eq!(told(Language::English), english);
    }

    #[test]
    fn every_total_of_a_shipped_profile_has_words_in_both_languages() {
        let latin = |text: &str| text.chars().any(|sign| sign.is_ascii_alphabetic());
        for profile in shipped::all() {
            for name in profile.totals.iter().filter_map(|total| total.names.first()) {
                let (chinese, english) =
                    (total(Language::Chinese, name), total(Language::English, name));
                assert!(!latin(&chinese), "{}: {name} is {chinese} in Chinese", profile.name);
                assert!(latin(&english), "{}: {name} is {english} in English", profile.name);
                assert!(!english.contains('_'), "{}: {english}", profile.name);
            }
        }
    }

    #[test]
    fn every_deduction_that_is_known_has_words_in_both_languages() {
        for (label, _) in deduction::KNOWN {
            let told =
                |language| crate::alert::words::ledger_word(language, &format!("扣 ({label})"));
            let (chinese, english) = (told(Language::Chinese), told(Language::English));
            assert!(
                !chinese.chars().any(|sign| sign.is_ascii_alphabetic()),
                "{label} is {chinese}"
            );
            assert!(!english.contains('_'), "{label} is {english}");
        }
    }

    #[test]
    fn what_a_file_covers_and_a_rate_are_said_in_both_languages() {
        check(|tongue| period(tongue, "unknown"), "日期不明", "day not known");
        check(|tongue| period(tongue, "2025-11-24"), "2025-11-24", "2025-11-24");
        check(
            |tongue| period(tongue, "2025-11-01..2025-11-30"),
            "2025-11-01 至 2025-11-30",
            "2025-11-01 to 2025-11-30",
        );
        check(|tongue| period(tongue, "payout 7"), "划付 7", "payout 7");
        check(
            |tongue| part(tongue, "8213301 card credit 2025-11-24"),
            "8213301 银行卡 贷记卡，自 2025-11-24 起",
            "8213301 card credit, since 2025-11-24",
        );
        check(
            |tongue| {
                crate::alert::words::ledger_word(tongue, "8213301 wechat any: 0.380 % -> 0.600 %")
            },
            "8213301 微信支付：由 0.380 % 变为 0.600 %",
            "8213301 WeChat Pay: from 0.380 % to 0.600 %",
        );
        check(|tongue| crate::alert::words::ledger_word(tongue, "消费"), "消费", "消费");
    }

    #[test]
    fn the_record_of_a_finding_is_told_in_both_languages() {
        let line = "alerting p1, cause terminal_fault (paper_out) 95 %, ended: slip_printed";
        let chinese = note(Language::Chinese, line);
        assert!(
            chinese.starts_with("需提醒 · 立即处理 · ")
                && chinese.contains("（设备故障，95 %） · "),
            "{chinese}"
        );
        assert!(!chinese.chars().any(|sign| sign.is_ascii_alphabetic()), "{chinese}");
        assert!(!note(Language::English, line).contains('_'));
        assert_eq!(note(Language::Chinese, "another form"), "another form");
    }

    #[test]
    fn every_reason_for_putting_a_message_aside_is_told_in_chinese() {
        for reason in crate::admit::Refusal::LABELS.into_iter().chain(["foreign_topic"]) {
            let told = put_aside(Language::Chinese, reason);
            assert!(!told.chars().any(|sign| sign.is_ascii_alphabetic()), "{reason} is {told}");
        }
    }
}
