//! Pure rendering: what was read goes in, markup comes out. Everything from outside is escaped; of a card the last four
//! digits are shown.

pub mod agents;
pub mod case;
pub mod complaint;
pub mod statement;
pub mod statements;
pub mod today;
pub mod upload;

use crate::alert::language::Language;
use crate::alert::words;
use crate::config::{Config, Shop};
use crate::edge::store::FindingView;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use maud::{DOCTYPE, Markup, html};
use slipwatch_shared::event::Keys;
use slipwatch_shared::terminal::{StoreId, TerminalId};
use std::sync::Arc;

/// What every page knows.
pub struct Frame {
    /// In which language.
    pub language: Language,
    /// The settings in force.
    pub config: Arc<Config>,
    /// Now, UTC milliseconds.
    pub now_ms: i64,
    /// Path and query of this page without its language, for the link to the other one.
    pub here: String,
}

impl Frame {
    fn shop(&self, store: &StoreId) -> Option<&Shop> {
        self.config.shops.iter().find(|shop| shop.name == *store)
    }

    pub(in crate::edge::console) fn shop_title<'a>(&'a self, store: &'a StoreId) -> &'a str {
        self.shop(store).map_or(store.as_str(), |shop| &shop.title)
    }

    pub(in crate::edge::console) fn terminal_title(
        &self,
        store: &StoreId,
        number: TerminalId,
    ) -> String {
        let terminals = self.shop(store).map(|shop| &shop.terminals);
        let known = terminals.and_then(|all| all.iter().find(|terminal| terminal.number == number));
        match known.and_then(|terminal| terminal.title.as_deref()) {
            Some(title) => format!("{title} ({number})"),
            None => number.to_string(),
        }
    }

    pub(in crate::edge::console) fn zone(&self, store: Option<&StoreId>) -> TimeZone {
        let shop = match store {
            Some(store) => self.shop(store),
            None => self.config.shops.first(),
        };
        shop.map_or(TimeZone::UTC, |shop| shop.time_zone.clone())
    }

    /// A moment by a shop's clock; by that of the first shop where it concerns more than one.
    pub(crate) fn time<'s>(
        &self,
        store: impl Into<Option<&'s StoreId>>,
        at_ms: i64,
        format: &str,
    ) -> String {
        let store = store.into();
        let time = Timestamp::from_millisecond(at_ms);
        time.map_or_else(
            |_| "–".to_owned(),
            |time| time.to_zoned_datetime(self.zone(store)).strftime(format).to_string(),
        )
    }

    /// When that was what people look for in their records: the day, and the time of day where it is known.
    pub(crate) fn happened(&self, view: &FindingView, day: &str, time_of_day: &str) -> String {
        match view.day_alone() {
            Some(date) => date.strftime(day).to_string(),
            None => {
                let store = view.finding.id.subject.store();
                self.time(store, view.happened().0, &format!("{day} {time_of_day}"))
            }
        }
    }

    /// A moment for machines and for the tip over the text.
    fn iso(at_ms: i64) -> String {
        Timestamp::from_millisecond(at_ms).map_or_else(|_| String::new(), |time| time.to_string())
    }

    fn link(&self, path: &str) -> String {
        let joint = if path.contains('?') { '&' } else { '?' };
        format!("{path}{joint}lang={}", self.language.tag())
    }
}

/// A page around its content.
pub fn page(frame: &Frame, title: &str, here: &str, content: Markup) -> String {
    page_with(frame, title, here, None, content)
}

/// The same, which asks again by itself after so many seconds.
fn page_with(
    frame: &Frame,
    title: &str,
    here: &str,
    again_s: Option<u8>,
    content: Markup,
) -> String {
    let language = frame.language;
    let other = language.say(Language::English, Language::Chinese);
    let joint = if frame.here.contains('?') { '&' } else { '?' };
    let menu = [
        ("/", language.say("今日", "Today")),
        ("/agents", language.say("采集程序", "Agents")),
        ("/statements", language.say("对账文件", "Statements")),
        ("/complaints", language.say("投诉", "Complaints")),
    ];
    let markup = html! {
        (DOCTYPE)
        html lang=(language.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                @if let Some(seconds) = again_s { meta http-equiv="refresh" content=(seconds); }
                title { (title) " · slipwatch" }
                link rel="stylesheet" href="/style.css";
            }
            body {
                header {
                    a.brand href=(frame.link("/")) { "slipwatch" }
                    nav {
                        @for (path, name) in menu {
                            @if path == here {
                                a href=(frame.link(path)) aria-current="page" { (name) }
                            } @else {
                                a href=(frame.link(path)) { (name) }
                            }
                        }
                    }
                    a.language href=(format!("{}{joint}lang={}", frame.here, other.tag())) lang=(other.tag()) {
                        (other.say("中文", "English"))
                    }
                }
                main { (content) }
                footer {
                    (language.say("卡号只显示后四位。", "Card numbers show their last four digits."))
                }
            }
        }
    };
    markup.into_string()
}

/// A short page that says one thing.
pub fn message(frame: &Frame, title: &str, text: &str) -> String {
    page(frame, title, "", html! { h1 { (title) } p.quiet { (text) } })
}

fn chip(tone: &str, text: &str) -> Markup {
    html! { span class=(format!("chip {tone}")) { (text) } }
}

/// Money of a payment, or a dash.
pub(crate) fn amount(language: Language, keys: &Keys) -> String {
    keys.amount.map_or_else(|| "–".to_owned(), |amount| words::money(language, amount))
}

/// The numbers by which a person knows a payment; of the card the last four.
pub(in crate::edge::console) fn numbers(
    language: Language,
    keys: &Keys,
) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    let mut add = |chinese, english, value: Option<String>| {
        if let Some(value) = value {
            facts.push((language.say(chinese, english), value));
        }
    };
    add("凭证号", "Voucher number", keys.stan.map(|stan| stan.to_string()));
    add("批次号", "Batch number", keys.batch_number.map(|number| number.to_string()));
    add("参考号", "Reference number", keys.rrn.map(|rrn| rrn.to_string()));
    add("授权码", "Authorization code", keys.authorization_code.map(|code| code.to_string()));
    add("订单号", "Order number", keys.order_number.as_ref().map(ToString::to_string));
    add(
        "渠道单号",
        "Channel number",
        keys.channel_transaction_id.as_ref().map(ToString::to_string),
    );
    let pan = keys.card.and_then(|card| card.pan);
    add("卡号后四位", "Card, last four", pan.map(|pan| format!("{:04}", pan.last_four())));
    facts
}

/// The scrubbed text of a device without the first six digits that it may keep of a card: pages show the last four.
pub(in crate::edge::console) fn last_four_only(text: &str) -> String {
    const HEAD: usize = 6;
    let mut signs: Vec<char> = text.chars().collect();
    for at in 0..signs.len() {
        // Digits that a mask follows: whatever stands before the mask goes.
        let is_mask = signs[at] == '*' && signs.get(at + 1) == Some(&'*');
        let digits = signs[..at].iter().rev().take_while(|sign| sign.is_ascii_digit()).count();
        if is_mask && digits >= HEAD {
            signs[at - HEAD..at].fill('*');
        }
    }
    signs.into_iter().collect()
}

#[cfg(test)]
mod tests;
