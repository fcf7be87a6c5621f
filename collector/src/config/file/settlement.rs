//! The part of the settings file about settlement, as it is written, and its way to the settings.

use super::check::{Wrong, bounded, wrong};
use crate::config::settlement::{SettlementConfig, Statement};
use crate::config::value::{Clock, Day, Money, Parsed};
use crate::settlement::calendar::Expected;
use crate::settlement::contract::{Contract, RefundFee};
use crate::settlement::deduction::Deduction;
use crate::settlement::row::CardClass;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Deserialize;
use slipwatch_shared::event::Instrument;
use slipwatch_shared::terminal::StoreId;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use toml::Spanned;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SettlementFile {
    inbox: Option<PathBuf>,
    profiles: Option<PathBuf>,
    file_mib_max: Option<Spanned<u32>>,
    tip_percent_max: Option<Spanned<u32>>,
    #[serde(default)]
    holidays: Vec<Parsed<Day>>,
    #[serde(default, rename = "statement")]
    statements: Vec<StatementFile>,
    #[serde(default, rename = "contract")]
    contracts: Vec<ContractFile>,
    #[serde(default, rename = "deduction")]
    deductions: Vec<DeductionFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StatementFile {
    name: Spanned<String>,
    profile: String,
    #[serde(default)]
    merchants: Vec<String>,
    #[serde(default)]
    shops: Vec<Spanned<Parsed<StoreId>>>,
    #[serde(default)]
    instruments: Vec<InstrumentFile>,
    due: Option<Parsed<Clock>>,
    #[serde(default)]
    weekdays_only: bool,
    since: Option<Parsed<Day>>,
    settles_days: Option<Spanned<u32>>,
    #[serde(default)]
    bank: bool,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum InstrumentFile {
    Card,
    WechatQr,
    AlipayQr,
    UnionpayQr,
}

impl InstrumentFile {
    fn instrument(self) -> Instrument {
        match self {
            InstrumentFile::Card => Instrument::Card,
            InstrumentFile::WechatQr => Instrument::WechatQr,
            InstrumentFile::AlipayQr => Instrument::AlipayQr,
            InstrumentFile::UnionpayQr => Instrument::UnionpayQr,
        }
    }
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ClassFile {
    Debit,
    Credit,
    Prepaid,
    Foreign,
    Wallet,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RefundFile {
    Any,
    Returned,
    Kept,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ContractFile {
    merchant: Option<String>,
    class: Option<ClassFile>,
    instrument: Option<InstrumentFile>,
    rate_percent: Spanned<String>,
    cap: Option<Parsed<Money>>,
    least: Option<Parsed<Money>>,
    from: Option<Parsed<Day>>,
    until: Option<Parsed<Day>>,
    refund: Option<RefundFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeductionFile {
    name: String,
    words: Spanned<Vec<String>>,
    accept_up_to: Option<Parsed<Money>>,
}

impl SettlementFile {
    /// Days on which nothing is settled, and nobody answers a complaint.
    pub(super) fn holidays(&self) -> BTreeSet<Date> {
        self.holidays.iter().map(|day| day.0.0).collect()
    }

    /// `zones` are the shops with their clocks.
    pub(super) fn check(
        self,
        zones: &BTreeMap<StoreId, TimeZone>,
    ) -> Result<SettlementConfig, Wrong> {
        let holidays: BTreeSet<Date> = self.holidays.iter().map(|day| day.0.0).collect();
        let mut names = BTreeSet::new();
        let mut statements = Vec::new();
        for statement in self.statements {
            if !names.insert(statement.name.get_ref().clone()) {
                return Err(wrong(
                    &statement.name,
                    "expected a name of its own, this statement stands above",
                ));
            }
            statements.push(statement.check(zones, &holidays)?);
        }
        let contracts = self.contracts.into_iter().map(ContractFile::check);
        let deductions = self.deductions.into_iter().map(DeductionFile::check);
        const MIB: u64 = 1024 * 1024;
        Ok(SettlementConfig {
            inbox: self.inbox,
            profiles: self.profiles,
            file_bytes_max: u64::from(bounded(self.file_mib_max, 2048, 1, 16_384)?) * MIB,
            tip_percent_max: bounded(self.tip_percent_max, 0, 0, 100)? as u8,
            statements,
            contracts: contracts.collect::<Result<_, _>>()?,
            deductions: deductions.collect::<Result<_, _>>()?,
        })
    }
}

impl StatementFile {
    fn check(
        self,
        zones: &BTreeMap<StoreId, TimeZone>,
        holidays: &BTreeSet<Date>,
    ) -> Result<Statement, Wrong> {
        let mut shops = Vec::new();
        for shop in &self.shops {
            if !zones.contains_key(&shop.get_ref().0) {
                return Err(wrong(shop, "expected the name of a [[shop]]"));
            }
            shops.push(shop.get_ref().0.clone());
        }
        let card = self.instruments.is_empty()
            || self.instruments.iter().any(|found| matches!(found, InstrumentFile::Card));
        let settles_days = bounded(self.settles_days, if card { 2 } else { 0 }, 0, 30)? as u8;
        let zone = shops.first().or(zones.keys().next()).and_then(|shop| zones.get(shop));
        let expected = self.due.map(|due| Expected {
            due_minute: due.0.0,
            weekdays_only: self.weekdays_only,
            holidays: holidays.clone(),
            since: self.since.map(|since| since.0.0),
            zone: zone.cloned().unwrap_or(TimeZone::UTC),
            settles_days,
        });
        Ok(Statement {
            name: self.name.into_inner(),
            profile: self.profile,
            merchants: self.merchants,
            shops,
            instruments: self.instruments.into_iter().map(InstrumentFile::instrument).collect(),
            expected,
            bank: self.bank,
        })
    }
}

/// `0.38` percent as 3,800 millionths.
fn rate_ppm(text: &str) -> Option<i64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 2 || part.len() > 4 || !digits(whole) || !digits(part) {
        return None;
    }
    let part: i64 = format!("{part:0<4}").parse().ok()?;
    Some(whole.parse::<i64>().ok()? * 10_000 + part)
}

impl ContractFile {
    fn check(self) -> Result<Contract, Wrong> {
        let ppm = rate_ppm(self.rate_percent.get_ref());
        let expected = "expected a rate such as \"0.38\", of a hundred";
        Ok(Contract {
            merchant: self.merchant.map(String::into_boxed_str),
            class: self.class.map(|class| match class {
                ClassFile::Debit => CardClass::Debit,
                ClassFile::Credit => CardClass::Credit,
                ClassFile::Prepaid => CardClass::Prepaid,
                ClassFile::Foreign => CardClass::Foreign,
                ClassFile::Wallet => CardClass::Wallet,
            }),
            instrument: self.instrument.map(InstrumentFile::instrument),
            rate_ppm: ppm.ok_or_else(|| wrong(&self.rate_percent, expected))?,
            cap_minor: self.cap.map(|money| money.0.0.minor),
            least_minor: self.least.map(|money| money.0.0.minor),
            from: self.from.map(|day| day.0.0),
            until: self.until.map(|day| day.0.0),
            refund: match self.refund {
                None | Some(RefundFile::Any) => RefundFee::Any,
                Some(RefundFile::Returned) => RefundFee::Returned,
                Some(RefundFile::Kept) => RefundFee::Kept,
            },
        })
    }
}

impl DeductionFile {
    fn check(self) -> Result<Deduction, Wrong> {
        if self.words.get_ref().iter().all(|word| word.trim().is_empty()) {
            return Err(wrong(&self.words, "expected a word that the acquirer writes"));
        }
        let words = self.words.into_inner().into_iter().filter(|word| !word.trim().is_empty());
        Ok(Deduction {
            name: self.name.into_boxed_str(),
            words: words.map(String::into_boxed_str).collect(),
            accepted: self.accept_up_to.map(|money| money.0.0),
        })
    }
}
