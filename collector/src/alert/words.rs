//! What findings, causes and verdicts are called, and what to do about them, in both languages. Letters and pages
//! share these words, so that they never contradict each other. Names no person.

use super::language::Language;
use crate::correlate::cause::CauseDetail;
use crate::correlate::finding::{FindingKind, Resolution};
use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;
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
        FindingKind::PromiseDue => ("答应顾客的日期快到了", "Promise to a shopper is due"),
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
        (FindingKind::BatchTotalsMismatch, _) => (
            "请等批上送完成后再看结果；不要清除终端流水。",
            "Let the batch upload finish, then look again; do not clear the terminal's journal.",
        ),
        (FindingKind::OfflineForced, _) => (
            "请在批结算之前让终端联机上送这笔脱机交易。",
            "Have the terminal upload this offline payment before the batch is closed.",
        ),
        (FindingKind::ReversalStorm, _) => (
            "请换一条网络，或暂停刷卡；不要反复重刷。",
            "Change to another network, or stop taking cards for now; do not run cards again.",
        ),
        (FindingKind::ClockSkew, _) => (
            "请在终端上签到一次，让它与主机对时。",
            "Sign on at the terminal once, so that it takes the host's time.",
        ),
        (FindingKind::SequenceAnomaly, _) => (
            "请确认终端是否换过、重置过，或装了第二个应用。",
            "Confirm whether the terminal was swapped, reset, or got a second application.",
        ),
        (FindingKind::OperatorPattern, _) => (
            "请抽空看一下收银台的操作习惯，必要时培训。",
            "Have a look at how the till is used, and train where needed.",
        ),
        (FindingKind::ConsumerPattern, _) => (
            "请核对这张卡的几笔交易对应的商品。",
            "Compare this card's payments with the goods they were for.",
        ),
        (FindingKind::Silent, _) => {
            ("请检查电源、网线和数据线。", "Check power, network and data cable.")
        }
        (FindingKind::PhantomSettlement, _) => (
            "请核对这笔清算是哪台设备做的；若都不是，请向收单机构提出异议。",
            "Find out which device made this payment; if none did, dispute it with the acquirer.",
        ),
        (FindingKind::AuthorizationNeverSettled, _) => (
            "请在终端上做批结算或补上送；仍无结果时书面向收单机构请款。",
            "Close the batch or send it again at the terminal; then claim the money from the acquirer in writing.",
        ),
        (FindingKind::VoidedButSettled, _) => (
            "请以撤销或冲正的成功应答为据，向收单机构要求退款给顾客。",
            "Ask the acquirer to credit the shopper; the acknowledged void or reversal is your evidence.",
        ),
        (FindingKind::AmountMismatch, _) => (
            "请对照凭条核对金额；不符的部分请退货或向收单机构请款。",
            "Compare with the slip; refund the difference, or claim it from the acquirer.",
        ),
        (FindingKind::FeeMismatch | FindingKind::RateChanged, _) => (
            "请对照合同核对费率，并向收单机构询问依据。",
            "Compare with your contract, and ask the acquirer on what ground.",
        ),
        (FindingKind::UnexplainedDeduction, _) => (
            "请对照合同核对这笔扣款；没有约定的，请要求说明并退回。",
            "Compare this deduction with your contract; if nothing was agreed, ask for the reason and the money.",
        ),
        (FindingKind::PayoutMismatch, _) => (
            "请核对银行到账与结算单，并向收单机构询问差额。",
            "Compare the bank account with the statement, and ask the acquirer for the difference.",
        ),
        (FindingKind::StatementMissing, _) => {
            ("请下载并导入这一天的对账文件。", "Download and import the statement of this day.")
        }
        (FindingKind::ComplaintUnmatched, _) => (
            "请向顾客要手机上的订单号，再查一次；不要说“没有这笔”，除非监听和对账都完整。",
            "Ask the shopper for the order number on the phone and search once more; say \"no such debit\" only where coverage and files are whole.",
        ),
        (FindingKind::PromiseDue, _) => {
            ("请在到期之前答复顾客。", "Answer the shopper before this date.")
        }
        (FindingKind::CardNumberSeen, _) => {
            ("请联系支持人员修正设备规则。", "Ask support to mend this device's profile.")
        }
    };
    language.say(chinese, english).to_owned()
}

/// What to do first where a settlement file books a payment once more.
pub fn repeated_row_first(language: Language) -> &'static str {
    language.say(
        "对账文件里有交易入账不止一次：请逐行核对，并向收单机构要求退回多扣的款。",
        "A settlement file books a payment more than once: check each row below, and ask the acquirer to give back what was taken twice.",
    )
}

/// What to do now about it, step by step.
pub fn repeated_row_steps(language: Language) -> &'static [&'static str] {
    language.say(
        &[
            "按案件编号打开那笔交易，对照这一行的参考号、凭证号和金额。",
            "同一笔确实入账两次：把文件名和行号交给收单机构，要求退回顾客原卡。",
            "不要退现金，也不要自己再退一次，免得退两回。",
        ],
        &[
            "Open the payment by its case number and compare reference, voucher number and amount with the row.",
            "If one payment was booked twice, give the acquirer file and line, and ask for a credit to the same card.",
            "Never refund in cash, and not a second time yourself: it would go back twice.",
        ],
    )
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
        FindingKind::LateSuccess => language.say(
            &[
                "按订单号查询：这笔款项已经到账。",
                "顾客还在：交付商品，并补打凭条。",
                "顾客已走：按原订单退款，原路退回；不要用同一订单再收一次。",
            ],
            &[
                "Look the order up: its money has come.",
                "If the shopper is still there, hand over the goods and reprint the slip.",
                "If not, refund the same order the way it was paid; never charge that order again.",
            ],
        ),
        FindingKind::BatchTotalsMismatch => language.say(
            &[
                "等终端把批上送做完，再结算一次。",
                "仍不平时，把终端和主机的笔数、金额记下，交给收单机构核对。",
                "核对完之前不要清除流水：清除后无法重打凭条。",
            ],
            &[
                "Let the terminal finish its batch upload, then close once more.",
                "If it still differs, give the acquirer the counts and sums of both sides.",
                "Do not clear the journal before that: afterwards no slip can be reprinted.",
            ],
        ),
        FindingKind::OfflineForced => language.say(
            &[
                "在终端上做一次签到或联机交易，脱机交易会随之上送。",
                "若主机拒绝：这笔款没有收到，请联系收单机构，并保留凭条。",
            ],
            &[
                "Sign on, or make an online payment: stored payments go out with it.",
                "If the host refused it, this money did not come: ask the acquirer, and keep the slip.",
            ],
        ),
        FindingKind::ReversalStorm => language.say(
            &[
                "看网络信号，换一张网卡或一条线路再试。",
                "网络正常而仍然超时：是收单机构的问题，暂停刷卡，改用其他方式收款。",
                "下列超时交易等冲正结果，不要重刷。",
            ],
            &[
                "Look at the signal; try another SIM or line.",
                "If the network is well and it still times out, it is the acquirer: stop taking cards and take other means.",
                "Wait for the reversals of the payments below; do not run them again.",
            ],
        ),
        FindingKind::ClockSkew => language.say(
            &["签到后时钟仍不准：更换终端电池，或联系维护人员。"],
            &["If it is still wrong after a sign-on, have the terminal's battery looked at."],
        ),
        FindingKind::SequenceAnomaly => language.say(
            &["若是换机或重置：签到一次即可，无需其他处理。", "若都不是：联系维护人员，可能有另一台设备在用同一终端号。"],
            &["After a swap or a reset: sign on once, and nothing else is to be done.", "Otherwise call maintenance: another device may be using the same terminal number."],
        ),
        FindingKind::OperatorPattern => language.say(
            &["批次长期未结：今天做一次批结算。", "反复取消打印、超时后重刷、手输卡号：提醒收银员按流程操作。"],
            &["A batch that is long open: close it today.", "Prints cancelled, cards run again or typed: remind the till of the procedure."],
        ),
        FindingKind::ConsumerPattern => language.say(
            &["正常（如充值、车费、自动售货）：请在设置里把该终端的 card_repeats 设为 0。"],
            &["If this is usual here (fares, vending), set card_repeats = 0 for this terminal."],
        ),
        FindingKind::ComplaintUnmatched => language.say(
            &[
                "核对日期、时间和金额：顾客常看错小时或日期。",
                "请顾客打开微信或支付宝的账单，报出订单号；刷卡的，报银行短信的时间和卡号后四位。",
                "问清门店：可能是在别的门店付的款。",
                "找到之后本投诉会自动接上那笔交易；找不到，按期限答复顾客。",
            ],
            &[
                "Check date, time and amount: the hour or the day is often wrong.",
                "Ask for the order number in the phone's bill; for a card, for the time of the bank's message and the last four digits.",
                "Ask which shop it was: it may have been another one.",
                "When the payment turns up, it is joined by itself; if not, answer within the deadline.",
            ],
        ),
        FindingKind::PromiseDue => language.say(
            &[
                "打开投诉页面，看钱和凭条现在怎样。",
                "把答复打印或念给顾客；答应了日期的，写明日期。",
                "办完后在页面上关闭投诉。",
            ],
            &[
                "Open the complaint's page and see how money and slip stand now.",
                "Print the answer or read it to the shopper; where a date is promised, name it.",
                "When all is done, close the complaint on its page.",
            ],
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
        CauseDetail::LateConfirmation => (
            "订单在终端上关闭之后，付款才成功。",
            "The payment succeeded after the order had been closed at the till.",
        ),
        CauseDetail::TotalsDiffer => {
            ("主机与终端的总额不同。", "The host's sums differ from the terminal's.")
        }
        CauseDetail::RowsMissing => (
            "终端自己的总额与听到的交易不符。",
            "The terminal's own sums differ from the payments that were heard.",
        ),
        CauseDetail::HostError => {
            ("主机在结算时报告错误。", "The host reported an error at the close.")
        }
        CauseDetail::NotUploaded => {
            ("脱机批准的交易还没有上送。", "An offline approval has not been uploaded.")
        }
        CauseDetail::UploadRefused => (
            "脱机批准的交易在上送时被主机拒绝。",
            "The host refused an offline approval when it was uploaded.",
        ),
        CauseDetail::ManyReversals => (
            "这台终端在短时间内多次超时冲正，多半是它的网络。",
            "This terminal timed out again and again: most likely its network.",
        ),
        CauseDetail::AcquirerOutage => (
            "同一收单机构的多台终端同时超时：多半是收单机构的故障。",
            "Many terminals of one acquirer timed out together: most likely the acquirer is down.",
        ),
        CauseDetail::SalesWithoutSlip => {
            ("连续几笔都没有打出凭条。", "One sale after the other had no slip.")
        }
        CauseDetail::DeviceClock => {
            ("终端时钟与主机时间不一致。", "The terminal's clock differs from the host's time.")
        }
        CauseDetail::AgentClock => (
            "采集程序所在机器的时钟与主机时间不一致。",
            "The clock of the agent's machine differs from the host's time.",
        ),
        CauseDetail::TraceBack => ("流水号倒退。", "The trace numbers went back."),
        CauseDetail::TraceRepeated => ("流水号重复。", "A trace number was used twice."),
        CauseDetail::TraceJumped => ("流水号跳号。", "The trace numbers jumped."),
        CauseDetail::BatchRepeated => ("批次号重复使用。", "A batch number was used again."),
        CauseDetail::ManyCancels => {
            ("本周多次在打印提示时取消。", "Prints were cancelled often this week.")
        }
        CauseDetail::ManyReruns => {
            ("本周多次在超时后马上重刷。", "Cards were run again after time-outs often this week.")
        }
        CauseDetail::ManyTyped => {
            ("本周多次手工输入卡号。", "Card numbers were typed often this week.")
        }
        CauseDetail::ManyVoids => {
            ("本周撤销比例偏高。", "More was voided this week than is usual.")
        }
        CauseDetail::CloseOverdue => {
            ("批次很久没有结算。", "The batch has not been closed for long.")
        }
        CauseDetail::CardRepeated => {
            ("同一张卡在一小时内多次付款。", "One card paid several times within an hour.")
        }
        CauseDetail::SaleAndRefund => (
            "同一张卡在一小时内反复付款和退货。",
            "One card paid and was refunded in turns within an hour.",
        ),
        CauseDetail::RowWithoutPayment => (
            "对账文件里有这笔，终端一直被监听却没有做过。",
            "The settlement file has it; the terminal was heard all the time and never made it.",
        ),
        CauseDetail::PaymentWithoutRow => (
            "终端已获批准，到期的对账文件里都没有这笔。",
            "The terminal has the approval; no file that is due has the payment.",
        ),
        CauseDetail::FileContradicts => (
            "对账文件与终端的记录不一致。",
            "The settlement file contradicts what the terminal recorded.",
        ),
        CauseDetail::FeeNotAgreed => {
            ("手续费与设置中的合同不符。", "The fee is not that of the contract in the settings.")
        }
        CauseDetail::RateMoved => {
            ("实际费率发生了变化并保持不变。", "The rate that is really taken moved, and stayed.")
        }
        CauseDetail::DeductionNotAgreed => (
            "这笔扣款没有对应的交易，也没有约定。",
            "No payment and no agreement stands behind this deduction.",
        ),
        CauseDetail::PayoutDiffers => (
            "银行到账与结算单的金额不同。",
            "What came in at the bank is not what the statement says.",
        ),
        CauseDetail::FileMissing => (
            "到期的对账文件没有收到，或自身合计不平。",
            "The file is due and was not loaded, or its own totals do not hold.",
        ),
        CauseDetail::ComplaintFitsNothing => (
            "顾客说已扣款，到现在还没有找到相符的一笔；那段时间若没有听全，不能说没有。",
            "The shopper says that money was taken; nothing that is known so far fits. Where not all of that time was heard, this does not say that there is none.",
        ),
        CauseDetail::PromiseWaits => (
            "顾客还在等答复，或等答应过的结果。",
            "The shopper still waits for an answer, or for what was promised.",
        ),
        CauseDetail::Nothing => (
            "原因尚不明确，听到的内容里没有线索。",
            "The cause is not known yet: nothing that was heard tells.",
        ),
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
        Resolution::PrintsAgain => (
            "打印机已恢复；还没有补打的凭条请逐笔重打。",
            "The printer prints again; slips that are still missing have to be reprinted.",
        ),
        Resolution::Uploaded => ("已上送，主机已接受。", "It was uploaded and accepted."),
        Resolution::Balanced => ("结算已平。", "The close is balanced."),
        Resolution::Subsided => (
            "已平静；还没有结果的超时交易请等冲正。",
            "It has calmed down; payments that are still open wait for their reversals.",
        ),
        Resolution::ClockRight => ("时钟已准。", "The clock is right again."),
        Resolution::Explained => {
            ("终端重启或签到，已能解释。", "A restart or sign-on of the terminal explains it.")
        }
        Resolution::PeriodOver => ("统计期已过。", "The time it was counted over is past."),
        Resolution::Settled => ("后来的对账文件里有这笔。", "A later settlement file has it."),
        Resolution::PaymentFound => {
            ("找到了对应的终端交易。", "The payment behind the row was found.")
        }
        Resolution::CreditBooked => {
            ("对账文件里已退回这笔款。", "A settlement file gives the money back.")
        }
        Resolution::Corrected => {
            ("更正后的对账文件不再如此。", "The corrected settlement file says so no more.")
        }
        Resolution::FileLoaded => ("对账文件已导入。", "The statement was loaded."),
        Resolution::PayoutBooked => ("款项已到账。", "The money came in at the bank."),
        Resolution::Agreed => ("已按约定处理。", "It is agreed now."),
        Resolution::ComplaintMatched => {
            ("找到了投诉对应的交易。", "The payment behind the complaint was found.")
        }
        Resolution::PromiseKept => {
            ("答应顾客的事已办到。", "What the shopper was promised was done.")
        }
        Resolution::ShopperAnswered => ("已答复顾客。", "The shopper was answered."),
        Resolution::ComplaintClosed => ("投诉已关闭。", "The complaint was closed."),
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

/// When something is due by a shop's clock, to the minute. What ends at midnight ends with the day before.
pub fn deadline(at_ms: i64, zone: &TimeZone) -> Option<String> {
    let at = Timestamp::from_millisecond(at_ms).ok()?.to_zoned_datetime(zone.clone()).datetime();
    if at.time() != Time::midnight() {
        return Some(at.strftime("%Y-%m-%d %H:%M").to_string());
    }
    Some(format!("{} 24:00", at.date().yesterday().ok()?))
}

/// What a settlement file calls something, with the names that we give deductions and rates said in this language.
pub fn ledger_word(language: Language, word: &str) -> String {
    if let Some((own, label)) = word.strip_suffix(')').and_then(|word| word.rsplit_once(" ("))
        && let Some((_, chinese, english)) = DEDUCTIONS.iter().find(|(known, ..)| *known == label)
    {
        return language.say(format!("{own}（{chinese}）"), format!("{own} ({english})"));
    }
    // `account card credit: 0.380 % -> 0.600 %`: a rate that moved.
    if let Some((series, (from, to))) =
        word.rsplit_once(": ").and_then(|(series, moved)| Some((series, moved.split_once(" -> ")?)))
    {
        let series = rate_series(language, series);
        return language.say(
            format!("{series}：由 {from} 变为 {to}"),
            format!("{series}: from {from} to {to}"),
        );
    }
    word.to_owned()
}

/// Whose payments a rate is of: `account card credit`, as the part of a settlement finding names it.
pub fn rate_series(language: Language, series: &str) -> String {
    let mut parts = series.rsplitn(3, ' ');
    let (class, by, account) = (parts.next(), parts.next(), parts.next());
    let known = |word: Option<&str>| {
        let found = RATED.iter().find(|(known, ..)| Some(*known) == word);
        found.map(|(_, chinese, english)| language.say(*chinese, *english))
    };
    match (account, known(by), known(class)) {
        (Some(account), Some(by), Some(class)) => {
            let parts = [account, by, class];
            let told = parts.into_iter().filter(|part| !part.is_empty());
            told.collect::<Vec<_>>().join(" ")
        }
        _ => series.to_owned(),
    }
}

/// Deductions by their labels.
const DEDUCTIONS: [(&str, &str, &str); 9] = [
    ("data_fee", "流量/通讯费", "SIM or data fee"),
    ("deposit", "押金", "deposit"),
    ("chargeback", "退单", "chargeback"),
    ("instant_payout_fee", "即时到账费", "instant payout fee"),
    ("rental", "租金", "rental"),
    ("membership", "会员/年费", "membership or annual fee"),
    ("reserve", "冻结/准备金", "reserve"),
    ("adjustment", "调账", "adjustment"),
    ("service_fee", "服务费", "service fee"),
];

/// What a rate is told apart by; "any" is left out.
const RATED: [(&str, &str, &str); 10] = [
    ("any", "", ""),
    ("card", "银行卡", "card"),
    ("wechat", "微信支付", "WeChat Pay"),
    ("alipay", "支付宝", "Alipay"),
    ("unionpay", "云闪付", "UnionPay QR"),
    ("debit", "借记卡", "debit"),
    ("credit", "贷记卡", "credit"),
    ("prepaid", "预付卡", "prepaid"),
    ("foreign", "境外卡", "foreign"),
    ("wallet", "钱包余额", "wallet"),
];
