//! Each family of devices from bytes on a pseudo-terminal to a verdict at the collector, with both programs and a broker
//! between them. What a decoder makes of recorded bytes is `devices`' matter.

use slipwatch_collector::correlate::case::Case;
use slipwatch_collector::correlate::verdict::Verdict;
use slipwatch_collector::edge::store::CaseView;
use slipwatch_shared::event::SlipGrade;
use slipwatch_tests::process::port::Device;
use slipwatch_tests::process::shop::{Shop, TERMINAL};
use slipwatch_tests::process::wait_for;
use slipwatch_tests::talk::{Said, Way, iso8583, mis, printer, zvt};
use slipwatch_tests::terminal::{Payment, Spoken, Story, Word};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// A shop whose lines are told; every device has a name, and one for what it answers.
struct Lines {
    shop: Shop,
    devices: BTreeMap<String, Device>,
}

/// A line of the shop: its dialect, its ports, and whether it tells of money and of slips.
struct Line {
    dialect: &'static str,
    two_way: bool,
    money: bool,
    slips: bool,
}

fn line(dialect: &'static str, money: bool, slips: bool) -> Line {
    Line { dialect, two_way: false, money, slips }
}

impl Lines {
    /// Opens a shop of one terminal, and waits until all of its lines are heard.
    fn open(terminal: &str, judged: &str, lines: &[Line]) -> Lines {
        let mut shop = Shop::new();
        let (mut sources, mut devices) = (String::new(), BTreeMap::new());
        for Line { dialect, two_way, money, slips } in lines {
            let mut plug_in = |name: String| {
                let port = shop.path().join(&name);
                devices.insert(name, Device::plug_in(&port));
                port.display().to_string()
            };
            let port = plug_in((*dialect).to_owned());
            let written = write!(
                sources,
                "[[source]]\nname = \"{dialect}\"\ndialect = \"{dialect}\"\nterminal = \"{terminal}\"\n\
                 hears_money = {money}\nhears_slips = {slips}\nserial = {{ port = \"{port}\", baud = 115200 }}\n"
            );
            written.expect("memory takes it");
            if *two_way {
                let port = plug_in(format!("{dialect}-answers"));
                let written = writeln!(sources, "answers = {{ port = \"{port}\", baud = 115200 }}");
                written.expect("memory takes it");
            }
            sources.push('\n');
        }
        shop.set_lines(terminal, judged, &sources);
        shop.open();
        shop.wait_until_open(lines.len());
        Lines { shop, devices }
    }

    fn write(&mut self, device: &str, bytes: &[u8]) {
        self.devices.get_mut(device).expect("a device of the shop").write(bytes);
    }

    /// On one receiver that hears both ways.
    fn say(&mut self, device: &str, said: &[Said]) {
        for Said { bytes, .. } in said {
            self.write(device, bytes);
        }
    }

    /// On a receiver for each way; what follows an answer is said when the answer was heard.
    fn say_both_ways(&mut self, device: &str, said: &[Said]) {
        for Said { way, bytes } in said {
            let end = match way {
                Way::ToDevice => device.to_owned(),
                Way::FromDevice => format!("{device}-answers"),
            };
            self.write(&end, bytes);
            let device = &self.devices[&end];
            wait_for("the line to be read", || device.is_read().then_some(()));
        }
    }

    /// What the terminal's own log says of a payment, but for slips.
    fn log_money(&mut self, payment: &Payment) {
        let is_money = |spoken: &&Spoken| {
            matches!(spoken.word, Word::Requested | Word::Approved | Word::Completed)
        };
        let at = slipwatch_tests::process::live::now_ms();
        let words: Vec<Spoken> = payment.spoken.iter().filter(is_money).copied().collect();
        for spoken in words {
            let bytes = slipwatch_tests::voice::Voice::KeyValue.bytes(payment, spoken, at);
            self.write("kv-en", &bytes);
        }
    }

    /// Waits until this is said of the payment of an amount, in minor units.
    #[track_caller]
    fn wait_for(&self, amount: i64, verdict: &str, reason: Option<&str>) {
        let mut last = None;
        let said = |last: &mut Option<String>| {
            let cases = self.shop.stored()?.cases();
            let case = payment_of(cases, amount)?;
            let said = (case.case.verdict.label(), case.case.verdict.reason());
            *last = Some(format!("{said:?}"));
            (said.0 == verdict && (reason.is_none() || said.1 == reason)).then_some(())
        };
        let waited = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            wait_for(format_args!("{verdict} of {amount}"), || said(&mut last));
        }));
        assert!(waited.is_ok(), "{verdict} {reason:?} is not said of {amount}, but {last:?}");
    }

    /// How surely the slip of an amount is on paper.
    fn grade(&self, amount: i64) -> Option<SlipGrade> {
        let cases = self.shop.stored().expect("a store").cases();
        let case = payment_of(cases, amount);
        match case?.case.verdict {
            Verdict::Printed { grade } | Verdict::PrintedLate { grade } => Some(grade),
            _ => None,
        }
    }
}

/// The payment of an amount; a void has the amount of its payment, too.
fn payment_of(cases: Vec<CaseView>, amount: i64) -> Option<CaseView> {
    cases.into_iter().find(|view| {
        let Case { kind, keys, .. } = &view.case;
        kind.is_debit() && keys.amount.is_some_and(|known| known.minor == amount)
    })
}

fn payment(stan: u32) -> Payment {
    crate::serial::payment(stan, Story::Sale)
}

const TERMINAL_PRINTS: &str = "who_prints = \"terminal\"\ncopies = 1\n";
const TILL_PRINTS: &str = "who_prints = \"till_from_terminal_text\"\ncopies = 1\n";

#[test]
fn a_slip_that_waits_for_paper_is_missing_until_the_printer_has_printed_it() {
    let printer = Line { two_way: true, ..line("escpos", false, true) };
    let judged = format!("{TERMINAL_PRINTS}two_way = true\n");
    let mut lines = Lines::open(TERMINAL, &judged, &[line("kv-en", true, false), printer]);
    lines.say_both_ways("escpos", &[printer::watched(), printer::ready()]);
    let (good, late) = (payment(1), payment(2));
    lines.log_money(&good);
    let slip = |payment: &Payment| printer::slip(TERMINAL, payment.amount, payment.stan);
    lines.say_both_ways("escpos", &[slip(&good), printer::status_asked(), printer::status()]);
    lines.wait_for(good.amount, "printed", None);
    lines.log_money(&late);
    lines.say_both_ways("escpos", &[slip(&late), printer::paper_out()]);
    lines.wait_for(late.amount, "no_slip", None);
    let letter = wait_for("a letter", || lines.shop.letters().into_iter().next());
    lines.say_both_ways("escpos", &[printer::ready()]);
    lines.wait_for(late.amount, "printed_late", None);
    assert!(
        lines.grade(late.amount) >= Some(SlipGrade::CleanStatus),
        "{:?}",
        lines.grade(late.amount)
    );
    let thread = letter.header("Message-ID").expect("a letter has a name");
    wait_for("a letter in the same thread", || {
        let is_answer =
            |header: Option<String>| header.is_some_and(|names| names.contains(&thread));
        lines.shop.letters().into_iter().find(|letter| is_answer(letter.header("References")))
    });
}

#[test]
fn a_slip_that_is_a_picture_belongs_to_the_payment_of_its_moment() {
    let judged = format!("{TERMINAL_PRINTS}slips_without_keys = true\n");
    let mut lines =
        Lines::open(TERMINAL, &judged, &[line("kv-en", true, false), line("escpos", false, true)]);
    let (drawn, missed) = (payment(1), payment(2));
    lines.log_money(&drawn);
    lines.say("escpos", &[printer::picture()]);
    lines.wait_for(drawn.amount, "printed", None);
    assert_eq!(lines.grade(drawn.amount), Some(SlipGrade::Sent));
    lines.log_money(&missed);
    lines.wait_for(missed.amount, "no_slip", None);
}

#[test]
fn a_purchase_over_zvt_is_printed_by_the_till_or_refused_by_it() {
    let mut lines = Lines::open("28004869", TILL_PRINTS, &[line("zvt", true, true)]);
    let (printed, refused) = ((1_234, 704), (5_678, 705));
    let sale = |(amount, stan): (i64, u32), slip: Vec<Said>| {
        [zvt::asked(amount), zvt::approved(amount, stan), slip, zvt::completed()].concat()
    };
    lines.say("zvt", &sale(printed, zvt::slip("KUNDENBELEG", printed.0, printed.1)));
    lines.wait_for(printed.0, "printed", None);
    // The till cannot print (84 CC): the shopper paid and has nothing.
    lines.say("zvt", &sale(refused, zvt::slip_refused("KUNDENBELEG", refused.0, refused.1)));
    lines.wait_for(refused.0, "no_slip", None);
    let letter = wait_for("a letter", || lines.shop.letters().into_iter().next());
    assert!(letter.text().contains("56.78"), "{}", letter.text());
}

#[test]
fn a_payment_that_the_zvt_terminal_undoes_by_itself_owes_no_slip() {
    let mut lines = Lines::open("28004869", TILL_PRINTS, &[line("zvt", true, true)]);
    lines.say("zvt", &[zvt::asked(4_321), zvt::auto_reversed()].concat());
    lines.wait_for(4_321, "not_expected", Some("reversed"));
    // And the line goes on.
    let next = [zvt::asked(900), zvt::approved(900, 9), zvt::slip("KUNDENBELEG", 900, 9)];
    lines.say("zvt", &[next.concat(), zvt::completed()].concat());
    lines.wait_for(900, "printed", None);
    assert!(lines.shop.letters().is_empty(), "there is nothing to tell");
}

#[test]
fn a_mis_sale_without_slip_is_told_and_its_void_takes_it_back() {
    let mut lines = Lines::open(
        TERMINAL,
        TERMINAL_PRINTS,
        &[line("cn-mis-tlv", true, false), line("escpos-cn", false, true)],
    );
    let (printed, voided) = ((1_250, 5), (8_800, 6));
    lines.say("cn-mis-tlv", &mis::sale(TERMINAL, printed.0, printed.1));
    lines.say("escpos-cn", &[printer::chinese_slip(TERMINAL, printed.0, printed.1)]);
    lines.wait_for(printed.0, "printed", None);
    lines.say("cn-mis-tlv", &mis::sale(TERMINAL, voided.0, voided.1));
    lines.wait_for(voided.0, "no_slip", None);
    lines.say("cn-mis-tlv", &mis::void(TERMINAL, voided.0, 7, voided.1));
    lines.wait_for(voided.0, "not_expected", Some("voided"));
}

#[test]
fn a_time_out_that_is_undone_before_the_next_sale_owes_no_slip_and_the_sale_does() {
    let mut lines = Lines::open(
        TERMINAL,
        TERMINAL_PRINTS,
        &[line("iso8583-cup", true, false), line("escpos-cn", false, true)],
    );
    let (lost, next) = ((3_300, 5), (4_400, 6));
    lines.say("iso8583-cup", &[iso8583::asked(TERMINAL, lost.0, lost.1)]);
    wait_for("the request to be stored", || {
        lines.shop.stored()?.cases().into_iter().next().map(drop)
    });
    lines.say(
        "iso8583-cup",
        &[
            iso8583::undone(TERMINAL, lost.0, lost.1),
            iso8583::undo_acknowledged(TERMINAL, lost.0, lost.1),
            iso8583::asked(TERMINAL, next.0, next.1),
            iso8583::approved(TERMINAL, next.0, next.1),
        ],
    );
    lines.wait_for(lost.0, "not_expected", Some("reversed"));
    lines.say("escpos-cn", &[printer::chinese_slip(TERMINAL, next.0, next.1)]);
    lines.wait_for(next.0, "printed", None);
    assert!(lines.shop.letters().is_empty(), "there is nothing to tell");
}

#[test]
fn an_offline_sale_is_judged_by_the_slip_of_its_time_and_not_by_its_upload() {
    let mut lines = Lines::open(
        TERMINAL,
        TERMINAL_PRINTS,
        &[
            line("kv-en", true, false),
            line("iso8583-cup", true, false),
            line("escpos-cn", false, true),
        ],
    );
    let (unlogged, unheard, logged, missed) = ((1_100, 21), (2_200, 22), (3_300, 23), (4_400, 24));
    let all = [unlogged, unheard, logged, missed];
    // The terminal's own log tells of two; the printer of two.
    for (amount, stan) in [logged, missed] {
        let approved = format!(
            "auth_response kind=SALE amt={amount} cur=CNY stan={stan:06} batch=000015 rc=Y1"
        );
        let at = slipwatch_tests::process::live::now_ms();
        let said = slipwatch_tests::voice::key_value::plain_line(&approved, TERMINAL, at);
        lines.write("kv-en", said.as_bytes());
    }
    for (amount, stan) in [unlogged, logged] {
        lines.say("escpos-cn", &[printer::offline_slip(TERMINAL, amount, stan)]);
    }
    lines.wait_for(logged.0, "printed", None);
    lines.wait_for(missed.0, "no_slip", None);
    for (amount, stan) in all {
        let upload = iso8583::uploaded(TERMINAL, amount, stan);
        lines.say("iso8583-cup", &[upload, iso8583::upload_accepted(TERMINAL, amount, stan)]);
    }
    // A sale behind them all: its missing slip tells that the time of theirs is over.
    let behind = (5_500, 25);
    let asked = iso8583::asked(TERMINAL, behind.0, behind.1);
    lines.say("iso8583-cup", &[asked, iso8583::approved(TERMINAL, behind.0, behind.1)]);
    lines.wait_for(behind.0, "no_slip", None);
    lines.wait_for(unlogged.0, "printed", None);
    lines.wait_for(unheard.0, "unknown", Some("made_offline"));
    lines.wait_for(logged.0, "printed", None);
    lines.wait_for(missed.0, "no_slip", None);
    wait_for("two letters", || lines.shop.letters().get(1).map(drop));
    let told: String = lines.shop.letters().iter().map(|letter| letter.text()).collect();
    for (amount, is_told) in
        [("44.00", true), ("55.00", true), ("11.00", false), ("22.00", false), ("33.00", false)]
    {
        assert_eq!(told.contains(amount), is_told, "{amount}: {told}");
    }
}

#[test]
fn a_till_that_registers_says_who_prints_and_no_slip_is_missed_where_the_terminal_does() {
    let mut lines = Lines::open("28004869", TERMINAL_PRINTS, &[line("zvt", true, true)]);
    let sale =
        |amount, stan| [zvt::asked(amount), zvt::approved(amount, stan), zvt::completed()].concat();
    lines.say("zvt", &[zvt::registered(0x38), sale(1_234, 704)].concat());
    lines.wait_for(1_234, "unknown", Some("no_slip_source"));
    // The till is set up anew, and prints by itself what it is handed: now a missing slip is one.
    lines.say("zvt", &[zvt::registered(0xba), sale(5_678, 705)].concat());
    lines.wait_for(5_678, "no_slip", None);
    let letter = wait_for("a letter", || lines.shop.letters().into_iter().next());
    assert!(letter.text().contains("56.78"), "{}", letter.text());
}

/// The log of an Android terminal that a program of the agent's prints, as `adb logcat` would; the device is a file here.
#[test]
fn an_android_terminal_is_heard_through_a_program_and_its_missing_slip_is_told() {
    let mut shop = Shop::new();
    let log = shop.path().join("android.log");
    std::fs::write(&log, "--------- beginning of main\n").expect("room for a file");
    let sources = format!(
        "[[source]]\nname = \"android\"\ndialect = \"logcat-pos\"\nterminal = \"{TERMINAL}\"\n\
         [source.command]\nprogram = \"tail\"\nargs = [\"-n\", \"+1\", \"-f\", {log:?}]\n"
    );
    shop.set_lines(TERMINAL, TERMINAL_PRINTS, &sources);
    shop.open();
    shop.wait_until_open(1);
    let said = |stan: u32, yuan: &str, prints: bool| {
        let head = "11-24 09:30:01.120  2231  2290 I";
        let mut lines = format!(
            "{head} PosTrade: 发起 交易类型:消费 金额:{yuan} 批次号:000001 凭证号:{stan:06} 终端号:{TERMINAL}\n\
             {head} PosTrade: 应答 应答码:00 交易类型:消费 金额:{yuan} 凭证号:{stan:06} 参考号:63280900{stan:04}\n"
        );
        if prints {
            lines += &format!("{head} PosPrint: 打印完成 凭证号:{stan:06} 联:商户存根\n");
        }
        lines
    };
    let mut device = std::fs::OpenOptions::new().append(true).open(&log).expect("the log");
    let day = said(1, "12.50", true) + &said(2, "88.00", false);
    std::io::Write::write_all(&mut device, day.as_bytes()).expect("room in the file");
    let lines = Lines { shop, devices: BTreeMap::new() };
    lines.wait_for(1_250, "printed", None);
    lines.wait_for(8_800, "no_slip", None);
    let letter = wait_for("a letter", || lines.shop.letters().into_iter().next());
    assert!(letter.text().contains("88.00"), "{}", letter.text());
}
