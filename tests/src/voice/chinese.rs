//! The Chinese terminal's log: its own words line by line, and the text of its slips between them, in GB18030.

use super::{authorization_code, device_time, masked, rrn};
use crate::terminal::{Copy, Payment, Word};
use encoding_rs::GB18030;

/// What is written for a word.
pub fn bytes(payment: &Payment, word: Word, wall_ms: i64) -> Vec<u8> {
    let text = text(payment, word, wall_ms);
    let (bytes, _, unmappable) = GB18030.encode(&text);
    assert!(!unmappable, "GB18030 holds every character");
    bytes.into_owned()
}

fn text(payment: &Payment, word: Word, wall_ms: i64) -> String {
    let line = |said: &str| {
        let time = device_time(wall_ms, "%Y-%m-%d %H:%M:%S.%3f");
        format!("{time} {said}\n")
    };
    let Payment { stan, void_stan, .. } = payment;
    match word {
        Word::Requested => line(&money("[交易] 发起 交易类型:消费", payment, *stan)),
        Word::Approved => {
            let (rrn, code) = (rrn(payment), authorization_code(payment));
            let said = format!("[交易] 应答 应答码:00 参考号:{rrn} 授权码:{code} 交易类型:消费");
            line(&money(&said, payment, *stan))
        }
        Word::Refused(code) => {
            line(&money(&format!("[交易] 应答 应答码:{code} 交易类型:消费"), payment, *stan))
        }
        Word::TimedOut => line(&money("[交易] 接收超时 交易类型:消费", payment, *stan)),
        Word::Completed => line(&money("[交易] 交易成功 交易类型:消费", payment, *stan)),
        Word::Abandoned => line(&money("[交易] 操作员取消 交易类型:消费", payment, *stan)),
        Word::ReversalPending => line(&money("[冲正] 登记冲正 交易类型:消费", payment, *stan)),
        Word::ReversalSent => line(&money("[冲正] 正在冲正 交易类型:消费", payment, *stan)),
        Word::ReversalAcknowledged => line(&money("[冲正] 冲正成功 交易类型:消费", payment, *stan)),
        Word::ReversalFailed => {
            let said = line(&money("[冲正] 冲正不成功 交易类型:消费", payment, *stan));
            said + &fault_slip(payment)
        }
        Word::VoidRequested => {
            let said = format!("[交易] 发起 交易类型:消费撤销 原凭证号:{stan:06}");
            line(&money(&said, payment, *void_stan))
        }
        Word::VoidApproved => {
            let said = format!("[交易] 应答 应答码:00 交易类型:消费撤销 原凭证号:{stan:06}");
            line(&money(&said, payment, *void_stan))
        }
        Word::SlipStarted(copy) => {
            line(&format!("[打印] 打印凭单中 凭证号:{stan:06} 联:{}", copy_word(copy)))
        }
        Word::SlipPrinted { copy, reprint } => {
            let done = if reprint { "重打印完成" } else { "打印完成" };
            let said = format!("[打印] {done} 凭证号:{stan:06} 联:{}", copy_word(copy));
            slip(payment, copy, reprint, "消费/SALE", *stan, wall_ms) + &line(&said)
        }
        Word::VoidSlipPrinted(copy) => {
            let said = format!("[打印] 打印完成 交易类型:消费撤销 凭证号:{void_stan:06}");
            slip(payment, copy, false, "消费撤销/VOID", *void_stan, wall_ms) + &line(&said)
        }
        Word::SlipFailed(copy) => {
            line(&format!("[打印] 打印失败 打印机缺纸 凭证号:{stan:06} 联:{}", copy_word(copy)))
        }
        Word::SlipOnScreen => line(&format!("[打印] 电子签购单 已生成二维码 凭证号:{stan:06}")),
        Word::SlipUnwanted => line(&format!("[打印] 不打印 凭证号:{stan:06}")),
        Word::PrintCancelled => line(&format!("[打印] 操作员取消打印 凭证号:{stan:06}")),
        Word::PaperEnds => line("[打印机] 缺纸"),
        Word::PaperBack => line("[打印机] 已装纸"),
        Word::Chatter => line("[界面] 欢迎光临"),
    }
}

fn money(said: &str, payment: &Payment, stan: u32) -> String {
    let (amount, card) = (yuan(payment), masked(payment));
    format!(
        "{said} 金额:{amount} 批次号:000001 凭证号:{stan:06} 卡号:{card} 终端号:{}",
        payment.terminal
    )
}

fn slip(
    payment: &Payment,
    copy: Copy,
    reprint: bool,
    kind: &str,
    stan: u32,
    wall_ms: i64,
) -> String {
    let again = if reprint { "      ***重打印 DUPLICATED***\n" } else { "" };
    let (card, amount, rrn) = (masked(payment), yuan(payment), rrn(payment));
    let (code, time) = (authorization_code(payment), device_time(wall_ms, "%Y/%m/%d %H:%M:%S"));
    let head = match copy {
        Copy::Merchant => "商户存根                 MERCHANT COPY",
        Copy::Customer => "持卡人存根             CARDHOLDER COPY",
    };
    format!(
        "          银联POS签购单\n{head}\n{again}\
         商户编号(MERCHANT NO):898310154110123\n终端编号(TERMINAL NO):{}\n\
         卡号(CARD NO):\n  {card} /I\n交易类型(TXN TYPE): {kind}\n\
         批次号:000001      凭证号:{stan:06}\n参考号:{rrn} 授权码:{code}\n\
         日期/时间(DATE/TIME):{time}\n金额(AMOUNT):      RMB {amount}\n\
         本人确认以上交易,\n同意将其记入本卡账户\n-----------X-----------X--------\n",
        payment.terminal
    )
}

fn fault_slip(payment: &Payment) -> String {
    let Payment { stan, terminal, .. } = payment;
    format!(
        "   ***故障报告单,非凭证联***\n终端编号(TERMINAL NO):{terminal}\n\
         交易类型(TXN TYPE): 消费/SALE\n批次号:000001      凭证号:{stan:06}\n\
         金额(AMOUNT):      RMB {}\n冲正不成功,请人工处理\n",
        yuan(payment)
    )
}

fn yuan(payment: &Payment) -> String {
    format!("{}.{:02}", payment.amount / 100, payment.amount % 100)
}

fn copy_word(copy: Copy) -> &'static str {
    match copy {
        Copy::Merchant => "商户存根",
        Copy::Customer => "持卡人存根",
    }
}
