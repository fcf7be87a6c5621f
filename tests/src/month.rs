//! A month of a chain of shops from one seed: what their terminals said day by day, what the acquirer's and the wallet's
//! files say of it, and every money fault that was planted, by name. The files carry the disorder of real ones: payments
//! behind the cut-off stand in the next day's file, voids stand on both sides, a spool comes late, a file is corrected.

use crate::dice::Dice;
use jiff::ToSpan;
use jiff::civil::Date;
use slipwatch_shared::card::{Card, MaskedPan};
use slipwatch_shared::event::{
    AbortedBy, Body, Copy, Epoch, Event, Evidence, ExchangePhase, Instrument, Keys, Kind,
    LineCounts, OriginalKeys, ReversalPhase, Seq, Slip, SlipGrade, SourceDescription, SourceId,
};
use slipwatch_shared::money::{Amount, Currency};
use slipwatch_shared::terminal::{AgentId, StoreId, TerminalId};
use slipwatch_shared::times::{BootId, EventTime, Observed, Uptime};
use slipwatch_shared::trace::Stan;
use slipwatch_shared::wire::envelope::{ClockState, EventBatch, Group};
use slipwatch_shared::wire::topic::{Channel, Topic};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// The chain's clock is so far ahead of UTC.
const AHEAD_MS: i64 = 8 * 3_600_000;
const SECOND: i64 = 1_000;
const BOOT: BootId = BootId([9; 16]);
/// Millionths that the contract grants the acquirer.
const RATE_PPM: i64 = 5_000;

/// What the acquirer's file says of one payment.
#[derive(Clone, Debug)]
struct Line {
    shop: usize,
    /// Local seconds of the month.
    at_s: i64,
    word: &'static str,
    stan: Option<u32>,
    rrn: Option<String>,
    four: u32,
    fen: i64,
    fee: i64,
    order: Option<String>,
    memo: String,
}

/// A month of a chain of shops.
pub struct Month {
    /// How many shops.
    pub shops: usize,
    /// Its first day.
    pub first: Date,
    /// How many days.
    pub days: i64,
    /// What is due, as `code terminal number`.
    pub truth: BTreeSet<String>,
    /// Payments whose open finding the files confirm, as `code terminal number`.
    pub confirmed: BTreeSet<String>,
    said: BTreeMap<(i64, usize), Vec<Event>>,
    lines: Vec<Line>,
    dice: Dice,
    next_seq: Vec<u64>,
    next_stan: Vec<u32>,
    undone_tomorrow: Option<Keys>,
}

/// Faults of each kind that are planted.
const PLANTED: usize = 6;
/// The day whose file never comes, and the one whose file comes again corrected, from 0.
const MISSING_DAY: i64 = 20;
const CORRECTED_DAY: i64 = 9;

fn fee(fen: i64) -> i64 {
    (fen * RATE_PPM + 500_000) / 1_000_000
}

impl Month {
    /// A month with its faults, from a seed.
    pub fn new(seed: u64, shops: usize) -> Month {
        let mut month = Month {
            shops,
            first: jiff::civil::date(2025, 11, 3),
            days: 30,
            truth: BTreeSet::new(),
            confirmed: BTreeSet::new(),
            said: BTreeMap::new(),
            lines: Vec::new(),
            dice: Dice::new(seed),
            next_seq: vec![1; shops],
            next_stan: vec![1; shops],
            undone_tomorrow: None,
        };
        for day in 0..month.days {
            for shop in 0..shops {
                month.day_of_shop(day, shop);
            }
        }
        month.truth.insert(format!("A24 acquirer {}", month.date(MISSING_DAY)));
        month
    }

    /// The name of a shop.
    pub fn store(shop: usize) -> StoreId {
        format!("shop-{shop}").parse().expect("a name")
    }

    /// The name of its agent.
    pub fn agent(shop: usize) -> AgentId {
        format!("till-{shop}").parse().expect("a name")
    }

    /// The number of its terminal.
    pub fn terminal(shop: usize) -> TerminalId {
        format!("{}", 10_000_000 + shop).parse().expect("a number")
    }

    /// Its account at the acquirer.
    pub fn merchant(shop: usize) -> String {
        format!("8213301541{shop:05}")
    }

    /// A day of the month by its number.
    pub fn date(&self, day: i64) -> Date {
        self.first.checked_add(day.days()).expect("a day of this age")
    }

    /// UTC milliseconds of a local second of the month.
    pub fn utc_ms(&self, at_s: i64) -> i64 {
        let midnight = self.first.at(0, 0, 0, 0).to_zoned_datetime(jiff::tz::TimeZone::UTC);
        midnight.expect("a midnight").timestamp().as_millisecond() - AHEAD_MS + at_s * SECOND
    }

    /// Settings of a collector that knows the chain.
    pub fn settings(&self, store: &str) -> String {
        let mut text = format!("[store]\npath = {store:?}\n[http]\nlisten = \"127.0.0.1:0\"\n");
        let quoted = |names: Vec<String>| {
            names.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ")
        };
        let merchants = quoted((0..self.shops).map(Month::merchant).collect());
        let stores = quoted((0..self.shops).map(|shop| Month::store(shop).to_string()).collect());
        write!(
            text,
            "[settlement]\n[[settlement.statement]]\nname = \"acquirer\"\nprofile = \"allinpay\"\n\
             merchants = [{merchants}]\nshops = [{stores}]\ndue = \"12:00\"\nsince = {:?}\nsettles_days = 2\n\
             [[settlement.statement]]\nname = \"fund\"\nprofile = \"wechat-fund\"\nshops = [\"shop-0\"]\n\
             [[settlement.statement]]\nname = \"bank\"\nprofile = \"mt940\"\nshops = [\"shop-0\"]\nbank = true\n\
             [[settlement.deduction]]\nname = \"terminal_rent\"\nwords = [\"机具使用\"]\naccept_up_to = \"30.00 CNY\"\n",
            self.first.to_string()
        )
        .expect("memory");
        // The shop whose rate moves has no contract: only what is really taken tells.
        for shop in 0..self.shops {
            if shop != RATE_SHOP {
                let merchant = Month::merchant(shop);
                write!(text, "[[settlement.contract]]\nmerchant = {merchant:?}\nclass = \"debit\"\nrate_percent = \"0.5\"\n").expect("memory");
            }
        }
        for shop in 0..self.shops {
            write!(
                text,
                "[[shop]]\nname = \"shop-{shop}\"\nlanguage = \"zh-CN\"\nmail = []\ntime_zone = \"+08:00\"\n\
                 agents = [\"till-{shop}\"]\n[[shop.terminal]]\nnumber = \"{}\"\nwho_prints = \"terminal\"\n",
                10_000_000 + shop
            )
            .expect("memory");
        }
        text
    }

    fn say(&mut self, day: i64, shop: usize, at_s: i64, source: u16, body: Body) {
        let seq = self.next_seq[shop];
        self.next_seq[shop] += 1;
        let wall = self.utc_ms(at_s);
        let event = Event {
            seq: Seq(seq),
            source: SourceId(source),
            terminal: (source > 0).then(|| Month::terminal(shop)),
            observed: Observed {
                boot: BOOT,
                uptime: Uptime((at_s * SECOND) as u64),
                wall: EventTime(wall),
                synchronised: true,
            },
            device_time: None,
            body,
            evidence: Evidence::None,
        };
        self.said.entry((day, shop)).or_default().push(event);
    }

    fn open_lines(&mut self, day: i64, shop: usize, at_s: i64) {
        for (source, money) in [(1, true), (2, false)] {
            let description = SourceDescription {
                name: "line".into(),
                dialect: "month".into(),
                hears_money: money,
                hears_slips: !money,
                two_way: false,
                historical: false,
            };
            self.say(day, shop, at_s, source, Body::SourceOpened(description));
        }
    }

    fn stan(&mut self, shop: usize) -> u32 {
        let stan = self.next_stan[shop];
        self.next_stan[shop] += 1;
        stan
    }

    fn keys(&mut self, shop: usize, stan: u32, fen: i64, four: u32) -> Keys {
        Keys {
            kind: Some(Kind::Sale),
            instrument: Some(Instrument::Card),
            amount: Some(Amount::new(fen, Currency::CNY)),
            stan: Stan::from_number(stan).ok(),
            batch_number: "000001".parse().ok(),
            merchant: Month::merchant(shop).parse().ok(),
            card: Some(Card {
                pan: MaskedPan::from_parts(Some("622576"), &format!("{four:04}")).ok(),
                ..Card::default()
            }),
            ..Keys::default()
        }
    }

    fn slip(&mut self, day: i64, shop: usize, at_s: i64, keys: &Keys) {
        for (after, copy) in [(2, Copy::Merchant), (5, Copy::Customer)] {
            let slip = Slip { copy: Some(copy), reprint: false, keys: keys.clone() };
            self.say(
                day,
                shop,
                at_s + after,
                2,
                Body::SlipPrinted { slip, grade: SlipGrade::Sent },
            );
        }
    }

    /// A card payment that is approved; gives its keys and reference number.
    fn sale(
        &mut self,
        day: i64,
        shop: usize,
        at_s: i64,
        fen: i64,
        four: u32,
        slip: bool,
    ) -> (Keys, String) {
        let stan = self.stan(shop);
        let keys = self.keys(shop, stan, fen, four);
        let rrn = format!("{:03}{:02}{stan:06}{:01}", 300 + day, at_s / 3600 % 24, shop % 10);
        self.say(day, shop, at_s, 1, Body::AuthorizationRequested(keys.clone()));
        let answered = Keys { rrn: rrn.parse().ok(), ..keys.clone() };
        let response_code = "00".parse().expect("a code");
        self.say(
            day,
            shop,
            at_s + 1,
            1,
            Body::AuthorizationAnswered { keys: answered, response_code },
        );
        if slip {
            self.slip(day, shop, at_s, &keys);
        }
        (keys, rrn)
    }

    fn line(
        &self,
        shop: usize,
        at_s: i64,
        word: &'static str,
        keys: &Keys,
        rrn: &str,
        fen: i64,
    ) -> Line {
        Line {
            shop,
            at_s,
            word,
            stan: keys.stan.map(Stan::number),
            rrn: Some(rrn.to_owned()),
            four: keys.card.and_then(|card| card.pan).map_or(0, |pan| u32::from(pan.last_four())),
            fen,
            fee: fee(fen.abs()) * fen.signum(),
            order: None,
            memo: String::new(),
        }
    }

    fn day_of_shop(&mut self, day: i64, shop: usize) {
        let opens = day * 86_400 + 8 * 3_600;
        if day == 0 {
            // Heard from long before the first sale on.
            self.open_lines(day, shop, 60);
        }
        let sales = 5 + self.dice.below(3) as i64;
        let plain = shop >= SHOPS_WITH_FAULTS;
        for number in 0..sales {
            let at_s = opens + number * 5_400 + self.dice.below(3_000) as i64;
            // Uneven amounts of uneven cards, some of them large enough for a rate to be seen.
            let fen = 5_001 + self.dice.below(90_000) as i64;
            let four = self.dice.below(10_000) as u32;
            let (keys, rrn) = self.sale(day, shop, at_s, fen, four, true);
            let mut line = self.line(shop, at_s, "消费", &keys, &rrn, fen);
            if shop == RATE_SHOP && day >= 15 {
                line.fee = (fen * (RATE_PPM + 1_000) + 500_000) / 1_000_000;
            }
            // A file may round the other way.
            if shop != RATE_SHOP && self.dice.percent(5) {
                line.fee += 1;
            }
            self.lines.push(line);
        }
        let evening = opens + 11 * 3_600;
        if self.dice.percent(30) {
            self.void(day, shop, evening);
        }
        if self.dice.percent(20) {
            self.refund(day, shop, evening + 900);
        }
        if self.dice.percent(15) {
            // Undone at once, as the acquirer should: no row at all.
            self.timed_out(day, shop, evening + 1_800, ReversalPhase::Acknowledged);
        }
        if !plain && day < MISSING_DAY - 4 && day != CORRECTED_DAY {
            self.faults(day, shop, evening + 3_600);
        }
        if shop == 3 && day % 7 == 0 {
            let mut rent = self.charge(shop, evening, "机具使用费", 3_000);
            rent.memo = "agreed".to_owned();
            self.lines.push(rent);
        }
        self.say(day, shop, day * 86_400 + 86_399, 1, Body::Pulse(LineCounts::default()));
        self.say(day, shop, day * 86_400 + 86_399, 2, Body::Pulse(LineCounts::default()));
    }

    fn charge(&self, shop: usize, at_s: i64, word: &'static str, fen: i64) -> Line {
        Line {
            shop,
            at_s,
            word,
            stan: None,
            rrn: None,
            four: 0,
            fen: -fen,
            fee: 0,
            order: None,
            memo: String::new(),
        }
    }

    fn void(&mut self, day: i64, shop: usize, at_s: i64) -> (Keys, Line) {
        let fen = 7_000 + self.dice.below(5_000) as i64;
        let four = self.dice.below(10_000) as u32;
        let (sold, sold_rrn) = self.sale(day, shop, at_s, fen, four, true);
        let sale = self.line(shop, at_s, "消费", &sold, &sold_rrn, fen);
        self.lines.push(sale);
        let credit = self.undo(day, shop, at_s + 120, &sold);
        self.lines.push(credit.clone());
        (sold, credit)
    }

    /// The cashier's void of a sale, approved by the host; the row that an honest file has of it.
    fn undo(&mut self, day: i64, shop: usize, at_s: i64, sold: &Keys) -> Line {
        let stan = self.stan(shop);
        let original = OriginalKeys {
            stan: sold.stan,
            batch_number: sold.batch_number,
            ..OriginalKeys::default()
        };
        let fen = sold.amount.map_or(0, |amount| amount.minor);
        let keys = Keys {
            kind: Some(Kind::Void),
            original: Some(original),
            card: sold.card,
            ..self.keys(shop, stan, fen, 0)
        };
        let rrn = format!("{:03}{:02}{stan:06}9", 300 + day, at_s / 3600 % 24);
        let answered = Keys { rrn: rrn.parse().ok(), ..keys.clone() };
        for (after, keys, phase) in
            [(0, keys.clone(), ExchangePhase::Requested), (1, answered, ExchangePhase::Approved)]
        {
            self.say(day, shop, at_s + after, 1, Body::Void { keys, phase });
        }
        self.line(shop, at_s + 1, "消费撤销", &keys, &rrn, -fen)
    }

    fn refund(&mut self, day: i64, shop: usize, at_s: i64) {
        let fen = 6_000 + self.dice.below(5_000) as i64;
        let four = self.dice.below(10_000) as u32;
        let (sold, sold_rrn) = self.sale(day, shop, at_s, fen, four, true);
        let stan = self.stan(shop);
        let original = OriginalKeys { rrn: sold_rrn.parse().ok(), ..OriginalKeys::default() };
        let keys = Keys {
            kind: Some(Kind::Refund),
            original: Some(original),
            ..self.keys(shop, stan, 1_000, four)
        };
        let rrn = format!("{:03}{:02}{stan:06}8", 300 + day, at_s / 3600 % 24);
        let answered = Keys { rrn: rrn.parse().ok(), ..keys.clone() };
        self.say(
            day,
            shop,
            at_s + 60,
            1,
            Body::Refund { keys: keys.clone(), phase: ExchangePhase::Requested },
        );
        self.say(
            day,
            shop,
            at_s + 61,
            1,
            Body::Refund { keys: answered, phase: ExchangePhase::Approved },
        );
        let sale = self.line(shop, at_s, "消费", &sold, &sold_rrn, fen);
        let mut credit = self.line(shop, at_s + 61, "退货", &keys, &rrn, -1_000);
        credit.fee = 0;
        self.lines.extend([sale, credit]);
    }

    fn timed_out(&mut self, day: i64, shop: usize, at_s: i64, phase: ReversalPhase) -> Keys {
        let stan = self.stan(shop);
        let fen = 4_000 + self.dice.below(5_000) as i64;
        let four = self.dice.below(10_000) as u32;
        let keys = self.keys(shop, stan, fen, four);
        self.say(day, shop, at_s, 1, Body::AuthorizationRequested(keys.clone()));
        self.say(day, shop, at_s + 60, 1, Body::AuthorizationTimedOut(keys.clone()));
        self.say(
            day,
            shop,
            at_s + 61,
            1,
            Body::Reversal { keys: keys.clone(), phase: ReversalPhase::Pending },
        );
        self.say(day, shop, at_s + 90, 1, Body::Reversal { keys: keys.clone(), phase });
        keys
    }

    /// The faults of a day: each shop with faults has one kind of them.
    fn faults(&mut self, day: i64, shop: usize, at_s: i64) {
        if let Some(sold) = self.undone_tomorrow.take_if(|_| shop == 11) {
            self.undo(day, shop, at_s, &sold);
        }
        if day < 2 || day as usize % 2 == 1 || day as usize / 2 > PLANTED {
            return;
        }
        let terminal = Month::terminal(shop);
        let fen = 30_000 + self.dice.below(5_000) as i64;
        let four = self.dice.below(10_000) as u32;
        let due = |code: &str, keys: &Keys| {
            format!("{code} {terminal} {}", keys.stan.expect("each payment has one"))
        };
        match shop {
            0 => {
                // A row that the terminal never made.
                let stan = 900_000 + day as u32;
                let keys = self.keys(shop, stan, fen, four);
                let line = self.line(shop, at_s, "消费", &keys, &format!("9{stan:011}"), fen);
                self.truth.insert(format!("A06 {terminal} {stan:06}"));
                self.lines.push(line);
            }
            1 => {
                let (keys, _) = self.sale(day, shop, at_s, fen, four, true);
                self.truth.insert(due("A07", &keys));
            }
            2 => {
                let (sold, _) = self.void(day, shop, at_s);
                self.lines.pop();
                self.truth.insert(due("A08", &sold));
            }
            3 => {
                let (keys, rrn) = self.sale(day, shop, at_s, fen, four, true);
                let line = self.line(shop, at_s, "消费", &keys, &rrn, fen + 1_000);
                self.truth.insert(due("A10", &keys));
                self.lines.push(line);
            }
            4 => {
                let date = self.date(day);
                let of_day: Vec<usize> = (0..self.lines.len())
                    .filter(|&at| {
                        self.lines[at].shop == shop
                            && self.lines[at].at_s / 86_400 == day
                            && self.lines[at].fen > 0
                    })
                    .collect();
                for at in of_day.into_iter().take(4) {
                    self.lines[at].fee += 60;
                }
                self.truth.insert(format!("A12 shop-4 {date}"));
            }
            6 => {
                let word = if day % 4 == 0 { "流量费" } else { "特别款项" };
                let line = self.charge(shop, at_s, word, 9_900 + day);
                self.truth.insert(format!("A14 {word} {}", -(9_900 + day)));
                self.lines.push(line);
            }
            7 => {
                // Closed on the screen, paid on the phone.
                let order = format!("S7-{day:04}");
                let stan = self.stan(shop);
                let keys = Keys {
                    instrument: Some(Instrument::WechatQr),
                    order_number: order.parse().ok().map(Box::new),
                    card: None,
                    ..self.keys(shop, stan, fen, four)
                };
                self.say(day, shop, at_s, 1, Body::AuthorizationRequested(keys.clone()));
                let aborted =
                    Body::TransactionAborted { keys: keys.clone(), by: AbortedBy::Operator };
                self.say(day, shop, at_s + 40, 1, aborted);
                let mut line = self.line(shop, at_s + 70, "微信支付", &keys, "", fen);
                (line.stan, line.rrn, line.order) = (None, None, Some(order));
                self.truth.insert(due("A05", &keys));
                self.lines.push(line);
            }
            8 => {
                // No slip came, and the money moved.
                let (keys, rrn) = self.sale(day, shop, at_s, fen, four, false);
                // Both lines are heard all the time, and say nothing.
                for after in (5..=400).step_by(15) {
                    self.say(day, shop, at_s + after, 2, Body::Pulse(LineCounts::default()));
                    self.say(day, shop, at_s + after, 1, Body::Pulse(LineCounts::default()));
                }
                let line = self.line(shop, at_s, "消费", &keys, &rrn, fen);
                self.confirmed.insert(due("A01", &keys));
                self.lines.push(line);
            }
            9 => {
                let keys = self.timed_out(day, shop, at_s, ReversalPhase::Failed);
                let fen = keys.amount.map_or(0, |amount| amount.minor);
                let line = self.line(shop, at_s, "消费", &keys, &format!("8{day:011}"), fen);
                self.confirmed.insert(due("A03", &keys));
                self.lines.push(line);
            }
            10 => {
                // Sent twice by the acquirer.
                let (keys, rrn) = self.sale(day, shop, at_s, fen, four, true);
                let line = self.line(shop, at_s, "消费", &keys, &rrn, fen);
                self.truth.insert(format!("A09 {terminal} {}", keys.stan.expect("each has one")));
                self.lines.extend([line.clone(), line]);
            }
            11 => {
                // Voided the day after, when its row is long linked, and never given back.
                let (keys, rrn) = self.sale(day, shop, at_s, fen, four, true);
                let line = self.line(shop, at_s, "消费", &keys, &rrn, fen);
                self.truth.insert(due("A08", &keys));
                self.lines.push(line);
                self.undone_tomorrow = Some(keys);
            }
            _ => {}
        }
    }

    /// What a shop's agent sends of a day, with its topic.
    pub fn batch(&self, day: i64, shop: usize) -> (Topic, Vec<u8>) {
        let clock = ClockState { wall_offset_ms: self.utc_ms(0), synchronised: true };
        let events = &self.said[&(day, shop)];
        let mut group = Group::begin(BOOT, clock, events[0].seq);
        events.iter().for_each(|event| group.push(event));
        let (store, agent) = (Month::store(shop), Month::agent(shop));
        let (frame, taken) = EventBatch::pack(&store, &agent, Epoch(1), false, &[group]);
        assert_eq!(taken, 1, "a day of a shop is one batch");
        (Topic::new(&store, &agent, Channel::Batch), frame)
    }

    /// The acquirer's file of a day; none on the day whose file never comes. `corrected` is the second version of the
    /// day that has one.
    pub fn file(&self, day: i64, corrected: bool) -> Option<String> {
        if day == MISSING_DAY {
            return None;
        }
        let mut text = String::from(
            "\u{feff}商户号,门店名称,终端号,交易时间,交易类型,交易批次号,凭证号,参考号,卡号,卡类别,交易金额,手续费,交易日期,订单号,商户备注\n",
        );
        // The acquirer's day ends at 20:00 of the clock on the wall: what comes later stands in the next file.
        let of_file = |line: &Line| {
            let own = line.at_s / 86_400;
            let late = line.at_s % 86_400 >= CUT_OFF_S;
            if late { own + 1 } else { own }
        };
        for (at, line) in self.lines.iter().enumerate().filter(|(_, line)| of_file(line) == day) {
            // The first version of one file has wrong fees all over: it is corrected the same day.
            let wrong = day == CORRECTED_DAY && !corrected;
            let fee = if wrong { line.fee + 90 } else { line.fee };
            let date = self.date(line.at_s / 86_400);
            let clock = line.at_s % 86_400;
            let decimal = |minor: i64| {
                let sign = if minor < 0 { "-" } else { "" };
                format!("{sign}{}.{:02}", minor.abs() / 100, minor.abs() % 100)
            };
            let text_of =
                |number: Option<u32>| number.map_or_else(String::new, |number| number.to_string());
            let card = if line.stan.is_some() {
                format!("622576******{:04}", line.four)
            } else {
                String::new()
            };
            let class = if line.stan.is_some() { "借记卡" } else { "" };
            writeln!(
                text,
                "{},示例门店,{},{:02}:{:02}:{:02},{},{},{},{},{card},{class},{},{},{date},{},\"{}\"",
                Month::merchant(line.shop),
                Month::terminal(line.shop),
                clock / 3_600,
                clock / 60 % 60,
                clock % 60,
                line.word,
                if line.stan.is_some() { "000001" } else { "" },
                text_of(line.stan),
                line.rrn.as_deref().unwrap_or_default(),
                decimal(line.fen),
                decimal(fee),
                line.order.as_deref().unwrap_or_default(),
                if line.memo.is_empty() { format!("第 {at} 笔, 正常") } else { line.memo.clone() },
            )
            .expect("memory");
        }
        Some(text)
    }

    /// The day whose file comes twice.
    pub fn corrected_day() -> i64 {
        CORRECTED_DAY
    }
}

/// Shops with faults; all others must stay clean.
const SHOPS_WITH_FAULTS: usize = 12;
/// The shop whose rate moves in the middle of the month.
pub const RATE_SHOP: usize = 5;
/// Local second of the day at which the acquirer's day ends.
const CUT_OFF_S: i64 = 21 * 3_600;
