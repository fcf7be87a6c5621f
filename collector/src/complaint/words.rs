//! The desk in words, in both languages: what the shopper is told, what the person at the desk sees. Each text is said in
//! both at once. A text for a shopper blames nobody and promises only what is promised.

use super::answer::{Answer, Outcome, Promise, Reason};
use super::deadline::DueKind;
use super::matching::{Agreement, Aspect, Level, Why};
use super::record::Step;
use super::said::{Expected, Field, Refusal, Trouble};
use super::slack::Slip;
use crate::alert::language::Language;
use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use slipwatch_shared::times::EventTime;

/// An outcome as a headline.
pub fn outcome(language: Language, outcome: Outcome) -> &'static str {
    let (chinese, english) = match outcome {
        Outcome::SlipReprinted => ("付款成功，凭条已出", "Paid; the slip is there"),
        Outcome::ReversalDone => ("扣款已撤回", "The debit was undone"),
        Outcome::MoneyBackExpected => ("款项正在退回", "The money is on its way back"),
        Outcome::RefundStarted => ("已发起退款", "A refund was started"),
        Outcome::UnderInquiry => ("正在查询", "Under inquiry"),
        Outcome::NoSuchDebit => ("没有这笔扣款", "No such debit"),
    };
    language.say(chinese, english)
}

/// The same for a shopper: where the reason says more than the outcome, it is the headline.
pub fn headline(language: Language, reason: Reason) -> &'static str {
    match reason {
        Reason::SlipOwed | Reason::SlipAwaited | Reason::SlipNotHeard => {
            language.say("付款成功，凭条待补打", "Paid; your slip is to follow")
        }
        Reason::Declined | Reason::Cancelled => language.say("没有扣款", "No money was taken"),
        _ => outcome(language, reason.outcome()),
    }
}

/// What the shopper is told, in a sentence or two.
pub fn reason(language: Language, reason: Reason) -> &'static str {
    let (chinese, english) = match reason {
        Reason::Reprinted => (
            "您的付款成功了，只扣了一次。凭条当时没有打出，后来已经补打，请向店员领取。",
            "Your payment went through, once. The slip did not come at first and was printed later: please ask for it at the till.",
        ),
        Reason::PrintedThen => (
            "您的付款成功了，只扣了一次。凭条在付款时已经打出；没有拿到的，可请店员补打。",
            "Your payment went through, once. Its slip was printed when you paid; if you did not get it, please ask for a reprint.",
        ),
        Reason::SentElectronically => (
            "您的付款成功了，只扣了一次。凭条以电子方式发出，请在手机上查看。",
            "Your payment went through, once. Its slip went out electronically: please look on your phone.",
        ),
        Reason::NoSlipDue => (
            "您的付款成功了，只扣了一次。这台设备不打印凭条，本答复可作为付款凭据。",
            "Your payment went through, once. This device prints no slips; this answer may serve as your proof of payment.",
        ),
        Reason::Reversed => (
            "这笔扣款没有完成，已由系统冲正，银行已确认。您没有付这笔钱；卡上若仍显示占用，会自行解除。",
            "This debit was not completed and was reversed; the bank confirmed it. You did not pay. If your account still shows it, the hold goes away by itself.",
        ),
        Reason::Voided => (
            "这笔扣款当天已撤销，银行已确认。您没有付这笔钱；卡上若仍显示占用，会自行解除。",
            "This debit was voided and the bank confirmed it. You did not pay. If your account still shows it, the hold goes away by itself.",
        ),
        Reason::Credited => (
            "款项已经退回，对账文件里有这笔退款，正在退到原卡或原钱包的路上。",
            "The money was given back: the settlement file has the credit. It goes to the same card or wallet.",
        ),
        Reason::RefundApproved => (
            "退款已经发起并获批准，会退到原卡或原钱包。",
            "A refund was started and approved. It goes to the same card or wallet.",
        ),
        Reason::OtherOneUndone => (
            "同一次消费看到两笔扣款，其中一笔已经退回；您只付一次。",
            "Two debits were seen for one purchase, and one of them was given back: you pay once.",
        ),
        Reason::SlipOwed => (
            "您的付款成功了，只扣了一次，但凭条没有打出。我们会补打给您；请不要再次付款。",
            "Your payment went through, once, and its slip did not come out. We will reprint it. Please do not pay again.",
        ),
        Reason::SlipAwaited => (
            "您的付款成功了，只扣了一次。凭条可能马上就出；没有出的，我们会补打给您。请不要再次付款。",
            "Your payment went through, once. Its slip may come out any moment; if it does not, we will reprint it. Please do not pay again.",
        ),
        Reason::SlipNotHeard => (
            "您的付款成功了。当时我们没有听到打印机，不知道凭条有没有打出；请让店员补打一张。请不要再次付款。",
            "Your payment went through. We were not listening to the printer then and do not know whether the slip came out; please have it reprinted. Do not pay again.",
        ),
        Reason::ReversalWaits => (
            "这笔交易没有得到银行的应答，撤回请求还没有被确认。我们正在跟进；请不要再次付款。",
            "The bank did not answer this payment, and its undo is not confirmed yet. We are following it up. Please do not pay again.",
        ),
        Reason::ReversalFailed => (
            "这笔交易没有得到银行的应答，撤回也没有成功，钱可能已经扣了。我们已向收单机构查询。",
            "The bank did not answer this payment and the undo failed: the money may have been taken. We are asking the acquirer.",
        ),
        Reason::NoAnswer => (
            "这笔交易没有得到银行的明确应答，有没有扣款还不清楚。我们正在查询。",
            "There is no clear answer of the bank to this payment: whether money was taken is not known yet. We are asking.",
        ),
        Reason::UndoneButSettled => (
            "这笔扣款已经撤回，但对账文件里仍有它。我们已要求收单机构退款给您。",
            "This debit was undone, and the settlement file has it all the same. We are asking the acquirer to give it back to you.",
        ),
        Reason::PaidAfterClose => (
            "店里的屏幕显示没有付成，款项随后却到了。我们会交付商品或原路退款。",
            "The till said that it was not paid, and the money came afterwards. You will get the goods or your money back.",
        ),
        Reason::TwoDebits => (
            "同一次消费看到两笔扣款。确认是同一次消费后，其中一笔会原路退回。",
            "Two debits were seen. When it is confirmed that it was one purchase, one of them goes back the way it came.",
        ),
        Reason::AmountDiffers => (
            "对账文件里的金额与终端上的不同。我们正在核对，多收的部分会退回。",
            "The settlement file has another amount than the terminal. We are comparing; what was taken too much goes back.",
        ),
        Reason::OnlyInFile => (
            "对账文件里有这笔款，但我们的终端没有做过。我们已向收单机构查询。",
            "The settlement file has this money, and no terminal of ours made it. We are asking the acquirer.",
        ),
        Reason::Declined => (
            "找到了这次付款：银行拒绝了它，没有扣款。",
            "We found this payment: the bank refused it, and no money was taken.",
        ),
        Reason::Cancelled => (
            "找到了这次付款：它在扣款之前就结束了，没有扣款。",
            "We found this payment: it ended before anything was taken.",
        ),
        Reason::NothingFits => (
            "这段时间我们一直听着本店的每台终端，没有缺口，没有您说的这笔扣款。若手机或银行账单上有它，请把订单号给我们。",
            "We heard every terminal of this shop over that time without a gap, and there is no such debit. If your phone or bank shows one, please give us its order number.",
        ),
        Reason::NotHeard => (
            "还没有找到这笔扣款。那段时间我们没有听全，所以不能说没有。我们继续查，也请把手机上的订单号给我们。",
            "We have not found this debit yet. We did not hear all of that time, so we cannot say that there is none. We keep looking; please give us the order number on your phone.",
        ),
        Reason::WhichShop => (
            "还没有找到这笔扣款。请告诉我们是哪家门店，或手机上的订单号。",
            "We have not found this debit yet. Please tell us which shop it was, or the order number on your phone.",
        ),
        Reason::WhichDay => (
            "还没有找到这笔扣款。请告诉我们是哪一天，或手机上的订单号。",
            "We have not found this debit yet. Please tell us which day it was, or the order number on your phone.",
        ),
        Reason::SeveralFit => (
            "有不止一笔与您说的相符。请告诉我们准确的时间，或手机上的订单号。",
            "More than one payment fits what you say. Please tell us the exact time, or the order number on your phone.",
        ),
        Reason::OneComesNear => (
            "有一笔与您说的相近，但还不能确定就是它。请告诉我们准确的时间、金额或手机上的订单号。",
            "One payment comes near to what you say; it is not certain yet that it is yours. Please tell us the exact time and amount, or the order number on your phone.",
        ),
    };
    language.say(chinese, english)
}

/// A date as a person says it, by the shop's clock. What ends at midnight ends with the day before.
fn date(language: Language, at: EventTime, zone: &TimeZone) -> String {
    const WEEKDAYS: [&str; 7] = ["周一", "周二", "周三", "周四", "周五", "周六", "周日"];
    let at = Timestamp::from_millisecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH);
    let local = at.to_zoned_datetime(zone.clone()).datetime();
    let ends_a_day = local.time() == Time::midnight();
    let day = local.date();
    let day = if ends_a_day { day.yesterday().unwrap_or(day) } else { day };
    let (weekday, clock) = (day.weekday(), local.strftime("%H:%M"));
    match language {
        Language::Chinese => {
            let weekday = WEEKDAYS[weekday.to_monday_zero_offset().unsigned_abs() as usize % 7];
            let clock = if ends_a_day { "24:00".to_owned() } else { clock.to_string() };
            format!("{}年{}月{}日（{weekday}）{clock}", day.year(), day.month(), day.day())
        }
        Language::English => {
            let day = day.strftime("%A %-d %B %Y");
            if ends_a_day { format!("the end of {day}") } else { format!("{clock} on {day}") }
        }
    }
}

/// What is promised, with its date by the shop's clock.
pub fn promise(language: Language, answer: &Answer, zone: &TimeZone) -> Option<String> {
    let (promise, until) = answer.promise?;
    let until = date(language, until, zone);
    Some(match (promise, answer.outcome()) {
        (Promise::Slip, _) => language.say(
            format!("最晚 {until} 之前补打凭条给您。"),
            format!("You will have your slip by {until}."),
        ),
        (Promise::MoneyBack, Outcome::ReversalDone) => language.say(
            format!("若到 {until} 账上仍显示这笔，请凭本答复再来找我们。"),
            format!(
                "If your account still shows it after {until}, please come back with this answer."
            ),
        ),
        (Promise::MoneyBack, _) => language
            .say(format!("预计最晚 {until} 到账。"), format!("You should have it by {until}.")),
        (Promise::Word, _) => language.say(
            format!("最晚 {until} 之前给您新的答复。"),
            format!("You will hear from us by {until}."),
        ),
    })
}

/// What the person at the desk does next.
pub fn next_step(language: Language, reason: Reason) -> &'static str {
    let (chinese, english) = match reason {
        Reason::Reprinted | Reason::PrintedThen | Reason::SentElectronically => {
            ("把凭条交给顾客，然后关闭投诉。", "Hand over the slip, then close the complaint.")
        }
        Reason::NoSlipDue => (
            "打印本答复交给顾客，然后关闭投诉。",
            "Print this answer for the shopper, then close the complaint.",
        ),
        Reason::SlipOwed | Reason::SlipAwaited | Reason::SlipNotHeard => (
            "现在按凭证号补打；打出后这里会自动变为“凭条已出”。",
            "Reprint by the voucher number now; once it is out, this turns to \"the slip is there\" by itself.",
        ),
        Reason::Reversed | Reason::Voided | Reason::Credited | Reason::OtherOneUndone => {
            ("打印本答复交给顾客。", "Print this answer for the shopper.")
        }
        Reason::RefundApproved => (
            "打印本答复交给顾客；对账文件里出现退款后自动记为已办到。",
            "Print this answer for the shopper; once a file has the refund, the promise counts as kept by itself.",
        ),
        Reason::ReversalWaits => (
            "在终端上签到一次，让冲正发出去。",
            "Sign on at the terminal once, so that the reversal goes out.",
        ),
        Reason::ReversalFailed | Reason::NoAnswer => (
            "向收单机构查询状态；已扣的，要求贷记调整。",
            "Ask the acquirer for the state; if it was debited, for a credit adjustment.",
        ),
        Reason::UndoneButSettled => (
            "以撤销或冲正的成功应答为据，要求收单机构退款。",
            "Ask the acquirer for the credit; the acknowledged undo is your evidence.",
        ),
        Reason::PaidAfterClose => {
            ("交付商品，或按原订单退款。", "Hand over the goods, or refund the same order.")
        }
        Reason::TwoDebits => (
            "核对后撤销或退货其中一笔，退回原卡。",
            "Compare, then void or refund one of them to the same card.",
        ),
        Reason::AmountDiffers => {
            ("对照凭条，多收的部分退货。", "Compare with the slip; refund what was taken too much.")
        }
        Reason::OnlyInFile => (
            "查清是哪台设备；都不是的，向收单机构提出异议。",
            "Find out which device it was; if none, dispute it with the acquirer.",
        ),
        Reason::Declined | Reason::Cancelled => (
            "告诉顾客没有扣款；卡上显示占用的，请其向发卡行查询。",
            "Tell the shopper that nothing was taken; where the card shows a hold, its bank knows.",
        ),
        Reason::NothingFits => (
            "请顾客出示手机或银行的账单；有订单号的，再查一次。",
            "Ask to see the bill of the phone or bank; with an order number, search once more.",
        ),
        Reason::NotHeard => (
            "不要说没有：当时没有听全。等采集程序补传，或导入当天的对账文件。",
            "Do not say that there is none: not all was heard. Wait for the agent's backlog, or import the day's file.",
        ),
        Reason::OneComesNear => (
            "与顾客核对这一笔：是它，就选定它；不是，再问时间或订单号。",
            "Compare this payment with the shopper: if it is the one, choose it; if not, ask for time or order number.",
        ),
        Reason::WhichShop | Reason::WhichDay | Reason::SeveralFit => (
            "问清时间、门店或订单号，再选定一笔。",
            "Ask for time, shop or order number, then choose the payment.",
        ),
    };
    language.say(chinese, english)
}

/// What the shopper complains about.
pub fn trouble(language: Language, trouble: Trouble) -> &'static str {
    let (chinese, english) = match trouble {
        Trouble::NoSlip => ("扣了款，没有凭条", "Debited, no slip"),
        Trouble::ChargedTwice => ("扣了两次", "Charged twice"),
        Trouble::WrongAmount => ("金额不对", "Wrong amount"),
        Trouble::CancelledButCharged => ("取消了仍扣款", "Cancelled, charged all the same"),
        Trouble::RefundMissing => ("退款没有到账", "A refund did not arrive"),
        Trouble::Other => ("其他", "Something else"),
    };
    language.say(chinese, english)
}

/// A field's name.
pub fn field(language: Language, field: Field) -> &'static str {
    let (chinese, english) = match field {
        Field::Shop => ("门店", "Shop"),
        Field::Time => ("时间", "Time"),
        Field::Slack => ("误差（分钟）", "Off by (minutes)"),
        Field::Amount => ("金额", "Amount"),
        Field::LastFour => ("卡号后四位", "Card, last four"),
        Field::Order => ("手机上的订单号", "Order number on the phone"),
        Field::Trouble => ("什么问题", "What is wrong"),
        Field::Note => ("情况说明", "In the shopper's words"),
        Field::Contact => ("联系方式", "How to reach the shopper"),
        Field::Language => ("答复语言", "Language of the answer"),
        Field::Received => ("投诉时间", "When it came in"),
    };
    language.say(chinese, english)
}

/// Why a form is not taken.
pub fn refusal(language: Language, refusal: &Refusal) -> String {
    let name = |name: &Field| field(language, *name);
    match refusal {
        Refusal::CardNumber(field) => language.say(
            format!("{}：看起来是完整卡号，没有保存。请只填后四位。", name(field)),
            format!("{}: this looks like a card number and was not kept. Give the last four digits alone.", name(field)),
        ),
        Refusal::TooLong(field, most) => language.say(
            format!("{}：最多 {most} 个字。", name(field)),
            format!("{}: at most {most} characters.", name(field)),
        ),
        Refusal::Malformed(field, expected) => language.say(
            format!("{}：{}", name(field), self::expected(*expected)),
            format!("{}: expected {}.", name(field), expected.label()),
        ),
        Refusal::TooLittle => language.say(
            "线索太少：请填订单号；或填日期，再加金额或卡号后四位。".to_owned(),
            "Too little to search by: give an order number, or a day with an amount or the last four digits.".to_owned(),
        ),
    }
}

fn expected(expected: Expected) -> &'static str {
    match expected {
        Expected::Moment => "请填时间，如 2026-11-28 14:05、14:05，或只填日期。",
        Expected::Minutes => "请填 1 到 1440 之间的分钟数。",
        Expected::Money => "请填金额，如 88.00。",
        Expected::FourDigits => "请只填后四位数字。",
        Expected::OrderNumber => "请填 6 到 64 位字母和数字的订单号。",
        Expected::KnownShop => "设置里没有这家门店。",
        Expected::KnownTrouble => "请从列表中选。",
        Expected::KnownLanguage => "请填 zh-CN 或 en。",
        Expected::Past => "不能是将来的时间。",
    }
}

/// How sure a match is.
pub fn level(language: Language, level: Level) -> &'static str {
    let (chinese, english) = match level {
        Level::Sure => ("相符", "fits"),
        Level::Likely => ("很可能", "likely"),
        Level::Possible => ("可能", "possible"),
    };
    language.say(chinese, english)
}

/// One reason behind a match.
pub fn why(language: Language, why: &Why) -> String {
    let aspect = match why.aspect {
        Aspect::Order => language.say("订单号", "order number"),
        Aspect::Amount => language.say("金额", "amount"),
        Aspect::LastFour => language.say("后四位", "last four"),
        Aspect::Time => language.say("时间", "time"),
        Aspect::Shop => language.say("门店", "shop"),
    };
    match why.agreement {
        Agreement::Same => language.say(format!("{aspect}相同"), format!("{aspect} agrees")),
        Agreement::Differs => language.say(format!("{aspect}不同"), format!("{aspect} differs")),
        Agreement::But(slip) => {
            let slip = self::slip(language, slip);
            language.say(format!("{aspect}{slip}"), format!("{aspect} {slip}"))
        }
    }
}

fn slip(language: Language, slip: Slip) -> &'static str {
    let (chinese, english) = match slip {
        Slip::Digit => ("错一位", "but for one digit"),
        Slip::Swapped => ("有两位颠倒", "but for two digits swapped"),
        Slip::Missing => ("少一位", "but for a digit missing"),
        Slip::Extra => ("多一位", "but for a digit too many"),
        Slip::Point => ("小数点错位", "but for the decimal point"),
        Slip::Hour => ("差一小时", "an hour beside"),
        Slip::HalfDay => ("差十二小时（上午、下午）", "twelve hours beside"),
        Slip::Day => ("差一天", "a day beside"),
    };
    language.say(chinese, english)
}

/// What happened to a complaint.
pub fn step(language: Language, step: Step) -> &'static str {
    let (chinese, english) = match step {
        Step::Opened => ("已登记", "opened"),
        Step::Matched => ("自动找到交易", "payment found by itself"),
        Step::Chosen => ("人工选定交易", "payment chosen"),
        Step::Unmatched => ("没有相符的交易", "nothing fits"),
        Step::Answered => ("已答复", "answered"),
        Step::Reminded => ("已提醒", "reminded"),
        Step::Passed => ("已过期", "date passed"),
        Step::Kept => ("已兑现", "promise kept"),
        Step::Broken => ("未兑现", "promise not kept"),
        Step::Closed => ("已关闭", "closed"),
        Step::Unchosen => ("取消选定", "choice taken back"),
    };
    language.say(chinese, english)
}

/// What is due.
pub fn due(language: Language, kind: DueKind) -> &'static str {
    let (chinese, english) = match kind {
        DueKind::FirstAnswer => ("首次答复", "first answer"),
        DueKind::Promised => ("答应的事", "what was promised"),
        DueKind::Close => ("结案", "closing"),
        DueKind::Scheme => ("卡组织的争议期限", "the scheme's limit for disputes"),
    };
    language.say(chinese, english)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(at: &str, chinese: &str, english: &str) {
        let zone = TimeZone::fixed(jiff::tz::offset(8));
        let at: Timestamp = at.parse().expect("a time");
        let at = EventTime(at.as_millisecond());
        assert_eq!(date(Language::Chinese, at, &zone), chinese);
        assert_eq!(date(Language::English, at, &zone), english);
    }

    #[test]
    fn a_date_is_said_by_the_shops_clock_and_midnight_ends_the_day_before() {
        check(
            "2026-11-30T06:05:00Z",
            "2026年11月30日（周一）14:05",
            "14:05 on Monday 30 November 2026",
        );
        check(
            "2026-11-30T16:00:00Z",
            "2026年11月30日（周一）24:00",
            "the end of Monday 30 November 2026",
        );
        check(
            "2026-12-05T16:01:00Z",
            "2026年12月6日（周日）00:01",
            "00:01 on Sunday 6 December 2026",
        );
    }
}
