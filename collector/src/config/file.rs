//! The settings file as it is written: every key, once. What each means and its default stand in `check`.

mod check;
mod complaints;
mod settlement;

use super::value::{Address, Clock, Closed, Hours, Listen, Money, Parsed, Seconds, Zone};
use crate::alert::language::Language;
use crate::correlate::policy::{Acquirer, WhoPrints};
use serde::Deserialize;
use slipwatch_shared::terminal::{AgentId, StoreId, TerminalId};
use std::path::PathBuf;
use toml::Spanned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    store: Store,
    #[serde(default)]
    broker: Broker,
    #[serde(default)]
    http: Http,
    mail: Option<Spanned<Mail>>,
    #[serde(default)]
    limits: LimitsFile,
    #[serde(default)]
    deadlines: DeadlinesFile,
    #[serde(default)]
    thresholds: ThresholdsFile,
    #[serde(default)]
    settlement: settlement::SettlementFile,
    #[serde(default)]
    complaints: complaints::ComplaintsFile,
    #[serde(default, rename = "shop")]
    shops: Vec<ShopFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Store {
    path: PathBuf,
    journal_days: Option<Spanned<u32>>,
    cases_days: Option<Spanned<u32>>,
    quarantine_days: Option<Spanned<u32>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Broker {
    embedded: Option<Embedded>,
    external: Option<Spanned<External>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Embedded {
    listen: Option<Parsed<Listen>>,
    agents_max: Option<Spanned<u32>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct External {
    host: String,
    port: Option<u16>,
    client_id: Option<String>,
    user: Option<String>,
    password_file: Option<Spanned<PathBuf>>,
    tls: Option<Tls>,
    #[serde(default)]
    slots: Vec<Spanned<u8>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tls {
    ca: PathBuf,
    certificate: Option<Spanned<PathBuf>>,
    key: Option<PathBuf>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Http {
    listen: Option<Parsed<Listen>>,
    public_url: Option<Spanned<String>>,
    forms: Option<bool>,
    lines_per: Option<LinesPerFile>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum LinesPerFile {
    Agent,
    Store,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mail {
    from: Parsed<Address>,
    #[serde(default)]
    operations: Vec<Parsed<Address>>,
    language: Option<Parsed<Language>>,
    letters_per_hour_max: Option<Spanned<u32>>,
    cool_down_s: Option<Seconds>,
    digest_at: Option<Parsed<Clock>>,
    burst_per_minute_max: Option<Spanned<u32>>,
    smtp: Option<Smtp>,
    directory: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Smtp {
    host: String,
    port: Option<u16>,
    security: Option<Security>,
    user: Option<String>,
    password_file: Option<Spanned<PathBuf>>,
    ca: Option<PathBuf>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Security {
    Starttls,
    Tls,
    None,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitsFile {
    queue_messages_max: Option<Spanned<u32>>,
    turn_messages_max: Option<Spanned<u32>>,
}

/// Deadlines of the fleet, of a shop or of a terminal: each takes what it does not say from the one above.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct DeadlinesFile {
    slip_suspect_s: Option<Seconds>,
    slip_alert_s: Option<Seconds>,
    answer_wait_s: Option<Seconds>,
    reversal_pending_s: Option<Seconds>,
    reversal_after_last_sale_s: Option<Seconds>,
    duplicate_window_s: Option<Seconds>,
    duplicate_window_qr_s: Option<Seconds>,
    silent_s: Option<Seconds>,
    upload_s: Option<Seconds>,
    storm_window_s: Option<Seconds>,
    storm_calm_s: Option<Seconds>,
    printer_out_s: Option<Seconds>,
    close_overdue_s: Option<Seconds>,
    card_window_s: Option<Seconds>,
    /// The fleet's alone: it is measured on the collector's clock.
    agent_offline_s: Option<Spanned<Seconds>>,
}

/// Thresholds, on the same three floors.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ThresholdsFile {
    storm_reversals: Option<Spanned<u32>>,
    route_percent: Option<Spanned<u32>>,
    route_requests: Option<Spanned<u32>>,
    printer_sales: Option<Spanned<u32>>,
    skew_s: Option<Seconds>,
    skew_grave_s: Option<Seconds>,
    skew_clear_s: Option<Seconds>,
    trace_jump: Option<Spanned<u32>>,
    operator_cancels: Option<Spanned<u32>>,
    operator_reruns: Option<Spanned<u32>>,
    operator_manual: Option<Spanned<u32>>,
    operator_void_percent: Option<Spanned<u32>>,
    operator_sales: Option<Spanned<u32>>,
    card_repeats: Option<Spanned<u32>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ShopFile {
    name: Spanned<Parsed<StoreId>>,
    title: Option<String>,
    language: Option<Parsed<Language>>,
    #[serde(default)]
    mail: Vec<Parsed<Address>>,
    time_zone: Option<Parsed<Zone>>,
    opening: Option<Parsed<Hours>>,
    #[serde(default)]
    closed: Vec<Parsed<Closed>>,
    #[serde(default)]
    agents: Vec<Spanned<Parsed<AgentId>>>,
    deadlines: Option<DeadlinesFile>,
    thresholds: Option<ThresholdsFile>,
    #[serde(default, rename = "terminal")]
    terminals: Vec<TerminalFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TerminalFile {
    number: Spanned<Parsed<TerminalId>>,
    title: Option<String>,
    who_prints: Option<Parsed<WhoPrints>>,
    copies: Option<Spanned<u8>>,
    two_way: Option<bool>,
    slips_without_keys: Option<bool>,
    slip_due_from: Option<Parsed<Money>>,
    contactless_due_from: Option<Parsed<Money>>,
    opening: Option<Parsed<Hours>>,
    deadlines: Option<DeadlinesFile>,
    thresholds: Option<ThresholdsFile>,
    acquirer: Option<Parsed<Acquirer>>,
}
