//! What findings, causes and verdicts are called, and what to do about them, in both languages. Letters and pages
//! share these words, so that they never contradict each other. Names no person.

use super::language::Language;
use crate::correlate::cause::CauseDetail;
use crate::correlate::finding::{FindingKind, Resolution};
use slipwatch_shared::money::{Amount, Currency};

/// A finding's name, as a headline.
pub fn kind_title(language: Language, kind: FindingKind) -> &'static str {
    let (chinese, english) = match kind {
        FindingKind::NoReceiptDebit => ("已扣款，未出凭条", "Debited, no slip"),
        FindingKind::PrintFailed => ("凭条打印失败", "Slip not printed completely"),
        FindingKind::TimeoutDebitLostReversal => {
            ("超时交易冲正失败，可能已扣款", "Timed out, reversal lost: likely debited")
        }
        FindingKind::ReversalPending => ("冲正尚未完成", "Reversal still pending"),
        FindingKind::LateSuccess => ("订单关闭后才扣款成功", "Paid after the order was closed"),
        FindingKind::PhantomSettlement => {
            ("清算中有终端没有的交易", "Settled, but never seen at the terminal")
        }
        FindingKind::AuthorizationNeverSettled => ("已授权但未清算", "Approved, but never settled"),
        FindingKind::VoidedButSettled => ("已撤销但仍被清算", "Voided, but settled all the same"),
        FindingKind::DuplicateDebit => ("疑似重复扣款", "Likely charged twice"),
        FindingKind::AmountMismatch => ("清算金额不符", "Settled with another amount"),
        FindingKind::BatchTotalsMismatch => ("批次总额不平", "Batch totals differ"),
        FindingKind::FeeMismatch => ("手续费与合同不符", "Fee differs from the contract"),
        FindingKind::RateChanged => ("费率发生变化", "Rate changed"),
        FindingKind::UnexplainedDeduction => ("不明扣款", "Unexplained deduction"),
        FindingKind::OfflineForced => ("脱机交易未上送", "Offline approval not uploaded"),
        FindingKind::ReversalStorm => ("短时间内大量冲正", "Many reversals at once"),
        FindingKind::PrinterOut => ("打印机不可用", "Printer cannot be used"),
        FindingKind::Silent => ("终端或采集程序没有消息", "Terminal or agent not heard"),
        FindingKind::ClockSkew => ("终端时钟不准", "Terminal clock is wrong"),
        FindingKind::SequenceAnomaly => ("流水号异常", "Trace numbers out of order"),
        FindingKind::OperatorPattern => ("操作习惯需要留意", "Till habit worth a look"),
        FindingKind::ConsumerPattern => ("同一卡多次交易", "One card, many payments"),
        FindingKind::PayoutMismatch => ("到账金额不符", "Payout differs from the statement"),
        FindingKind::StatementMissing => ("对账文件缺失", "Statement missing"),
        FindingKind::ComplaintUnmatched => ("投诉未匹配到交易", "Complaint fits no payment"),
        FindingKind::CardNumberSeen => ("日志中出现完整卡号", "Card number in device output"),
    };
    language.say(chinese, english)
}

/// What to do first. A letter begins with it; `voucher` is the number to reprint by, where it is known.
pub fn first_thing(language: Language, kind: FindingKind, voucher: Option<&str>) -> String {
    let (chinese, english) = match (kind, voucher) {
        (FindingKind::NoReceiptDebit | FindingKind::PrintFailed, Some(voucher)) => {
            return language.say(
                format!("请现在按凭证号 {voucher} 重打凭条；不要再次收款。"),
                format!("Reprint the slip by voucher number {voucher} now; do not charge again."),
            );
        }
        (FindingKind::NoReceiptDebit | FindingKind::PrintFailed, None) => (
            "请现在在终端上重打该笔凭条；不要再次收款。",
            "Reprint this slip at the terminal now; do not charge again.",
        ),
        (FindingKind::TimeoutDebitLostReversal, _) => (
            "请先查询这笔交易的结果；不要再次刷卡。",
            "Query this payment's result first; do not run the card again.",
        ),
        (FindingKind::ReversalPending, _) => (
            "请在打烊前在终端上签到一次，让冲正发出去。",
            "Sign on at the terminal before closing, so that the reversal goes out.",
        ),
        (FindingKind::DuplicateDebit, _) => (
            "请核对这两笔；如是同一次消费，请撤销或退货其中一笔。",
            "Compare the two payments; if it was one purchase, void or refund one of them.",
        ),
        (FindingKind::LateSuccess, _) => {
            ("请交付商品或原路退款。", "Hand over the goods, or refund the same order.")
        }
        (FindingKind::PrinterOut, _) => {
            ("请检查打印机：纸、盖、电源。", "Check the printer: paper, lid, power.")
        }
        (FindingKind::Silent, _) => {
            ("请检查电源、网线和数据线。", "Check power, network and data cable.")
        }
        (FindingKind::CardNumberSeen, _) => {
            ("请联系支持人员修正设备规则。", "Ask support to mend this device's profile.")
        }
        _ => ("请打开案件页面查看。", "Open the case page and look."),
    };
    language.say(chinese, english).to_owned()
}

/// What to do now, step by step.
pub fn steps(language: Language, kind: FindingKind) -> &'static [&'static str] {
    match kind {
        FindingKind::NoReceiptDebit | FindingKind::PrintFailed => language.say(
            &[
                "告诉顾客：款项已扣，请勿再次付款。",
                "换好纸、盖好盖后，在终端上选“重打任意一笔”，输入凭证号重打。",
                "打不出来时，把案件编号和参考号记下，顾客凭此可向收单机构查询。",
            ],
            &[
                "Tell the shopper that the money was taken and that no second payment is needed.",
                "Put in paper, close the lid, choose \"reprint any\" at the terminal and enter the voucher number.",
                "If nothing comes out, write down the case number and the reference number: the acquirer can look it up.",
            ],
        ),
        FindingKind::TimeoutDebitLostReversal => language.say(
            &[
                "在终端或收单后台查询该笔交易状态。",
                "若已扣款：按该笔补交付，或联系收单机构做贷记调整；保留本信作为依据。",
                "若未扣款：再请顾客付款。",
            ],
            &[
                "Query the payment's state at the terminal or with the acquirer.",
                "If it was debited: hand over the goods, or ask the acquirer for a credit adjustment; this letter is your evidence.",
                "Only if it was not debited: take the payment again.",
            ],
        ),
        FindingKind::ReversalPending => language.say(
            &["在终端上做一次签到或任意联机交易。", "冲正完成后会另有一封信告知。"],
            &["Sign on, or make any online transaction, at this terminal.", "A second letter will tell when the reversal is done."],
        ),
        FindingKind::DuplicateDebit => language.say(
            &["向顾客核实是否买了两次。", "若只有一次：当天用“撤销”，结算后用“退货”，退回原卡。", "不要退现金。"],
            &["Ask the shopper whether there were two purchases.", "If there was one: void it today, or refund it after the close, to the same card.", "Never refund in cash."],
        ),
        FindingKind::PrinterOut => language.say(
            &["换纸、盖好盖、重新开机。", "恢复后把下列凭条逐笔重打。"],
            &["Change the roll, close the lid, switch it off and on.", "Then reprint the slips below, one by one."],
        ),
        FindingKind::Silent => language.say(
            &["确认设备已开机、插头和数据线插好。", "若门店正常打烊，可不处理。"],
            &["See that the device is on and that plug and cable sit well.", "If the shop is closed as planned, nothing is to be done."],
        ),
        _ => &[],
    }
}

/// The cause in a sentence.
pub fn cause_sentence(language: Language, detail: CauseDetail) -> &'static str {
    let (chinese, english) = match detail {
        CauseDetail::PaperOut => ("打印机缺纸。", "The printer had no paper."),
        CauseDetail::CoverOpen => ("打印机盖没有盖好。", "The printer's lid was open."),
        CauseDetail::Cutter => ("打印机切刀卡住。", "The printer's cutter was stuck."),
        CauseDetail::Overheated => ("打印头过热。", "The print head was too hot."),
        CauseDetail::PrinterOffline => {
            ("打印机没有应答（断电或断线）。", "The printer did not answer: off or unplugged.")
        }
        CauseDetail::PrinterError => ("打印机报告故障。", "The printer reported a fault."),
        CauseDetail::TillRefused => ("收银机拒绝打印。", "The till refused to print."),
        CauseDetail::BufferCleared => ("打印缓存被清空。", "The printer's buffer was cleared."),
        CauseDetail::PowerLost => ("打印时断电。", "Power was lost while printing."),
        CauseDetail::Restarted => {
            ("终端在打印前后重启。", "The terminal restarted around the print.")
        }
        CauseDetail::SlipTorn => {
            ("凭条开始打印但没有打完。", "The slip was begun and not finished.")
        }
        CauseDetail::PrintCancelled => {
            ("打印提示时按了取消。", "Printing was cancelled at the prompt.")
        }
        CauseDetail::MerchantCopyOnly => {
            ("只打印了商户存根。", "Only the shop's copy was printed.")
        }
        CauseDetail::NothingSent => {
            ("终端没有向打印机发送任何内容。", "Nothing was sent to the printer.")
        }
        CauseDetail::NetworkDown => ("终端网络中断。", "The terminal's network was down."),
        CauseDetail::NoAnswer => ("主机没有在规定时间内应答。", "The host did not answer in time."),
        CauseDetail::WrongMac => {
            ("主机应答的校验码（MAC）不对。", "The host's answer had a wrong MAC.")
        }
        CauseDetail::HostMalfunction => ("主机报告系统故障。", "The host reported a malfunction."),
        CauseDetail::Rerun => (
            "前一笔没有凭条或没有应答，又刷了一次。",
            "The payment was run again after a missing slip or answer.",
        ),
        CauseDetail::Retransmitted => ("同一报文发送了两次。", "The same message went out twice."),
        CauseDetail::SecondTap => ("卡片被刷了两次。", "The card was presented twice."),
        CauseDetail::AgentSilent => ("采集程序没有消息。", "The agent is not heard."),
        CauseDetail::DeviceSilent => {
            ("线路正常，但设备没有输出。", "The line is open and the device says nothing.")
        }
        CauseDetail::ScrubMissed => (
            "设备规则漏过了一个卡号；内容已丢弃。",
            "A profile let a card number through; the bytes were dropped.",
        ),
        CauseDetail::Nothing => {
            ("尚不明确，听到的内容里没有线索。", "Not known yet: nothing that was heard tells.")
        }
    };
    language.say(chinese, english)
}

/// How a finding ended, in a sentence.
pub fn resolution_sentence(language: Language, resolution: Resolution) -> &'static str {
    let (chinese, english) = match resolution {
        Resolution::SlipPrinted => ("凭条已打印。", "The slip was printed."),
        Resolution::SlipIssued => ("电子凭条已发出。", "The slip went out electronically."),
        Resolution::SlipDeclined => ("顾客不需要凭条。", "The shopper wanted no slip."),
        Resolution::Reversed => {
            ("冲正成功，款项已退回。", "The reversal went through; the debit is undone.")
        }
        Resolution::Voided => ("已撤销。", "It was voided."),
        Resolution::Refunded => ("已退货。", "It was refunded."),
        Resolution::Answered => ("主机后来有了明确应答。", "The host answered after all."),
        Resolution::OneUndone => ("两笔中的一笔已撤销或退回。", "One of the two was undone."),
        Resolution::GrewInto(_) => ("已转为另一项发现。", "It grew into another finding."),
        Resolution::NotKnown => (
            "先前的判断收回：这段时间的记录不完整，不能确定。",
            "Taken back: the record of that time has a gap, so it is not sure.",
        ),
        Resolution::HeardAgain => ("已恢复。", "It is heard again."),
        Resolution::NotBorneOut => (
            "先前的判断收回：后来的记录不支持它。",
            "Taken back: what was heard since does not bear it out.",
        ),
    };
    language.say(chinese, english)
}

/// Money as people of this language write it.
pub fn money(language: Language, amount: Amount) -> String {
    let text = amount.to_string();
    match language {
        Language::Chinese if amount.currency == Currency::CNY => {
            format!("{} 元", text.trim_start_matches("CNY "))
        }
        _ => text,
    }
}
