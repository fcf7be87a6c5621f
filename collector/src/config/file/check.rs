//! From the file to the settings: every default, and what only several keys together show to be wrong.

use super::*;
use crate::config::confirmed::{AllConfirmed, Confirmed};
use crate::config::{
    BrokerConfig, Config, ExternalBroker, HttpConfig, Limits, LoginFile, MailConfig, MailRoad,
    Retention, Shop, SmtpConfig, SmtpSecurity, Terminal, TlsFiles,
};
use crate::correlate::policy::{
    Deadlines, OpeningHours, Policies, TerminalPolicy, Thresholds, WhoPrints,
};
use crate::metrics::LinesPer;
use jiff::tz::TimeZone;
use slipwatch_shared::wire::topic::Slot;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::ops::Range;
use std::path::Path;

/// Something that only the whole file shows to be wrong.
pub(in crate::config) struct Wrong {
    pub(in crate::config) span: Range<usize>,
    pub(in crate::config) message: String,
}

pub(super) fn wrong<T>(at: &Spanned<T>, message: impl Into<String>) -> Wrong {
    Wrong { span: at.span(), message: message.into() }
}

/// A number inside its bounds, or its default.
pub(super) fn bounded(
    found: Option<Spanned<u32>>,
    default: u32,
    least: u32,
    most: u32,
) -> Result<u32, Wrong> {
    let Some(found) = found else { return Ok(default) };
    if (least..=most).contains(found.get_ref()) {
        return Ok(*found.get_ref());
    }
    let expected = format!("expected a number from {least} to {most}, found {}", found.get_ref());
    Err(wrong(&found, expected))
}

fn login(
    user: Option<String>,
    password_file: Option<Spanned<PathBuf>>,
) -> Result<Option<LoginFile>, Wrong> {
    match (user, password_file) {
        (Some(user), Some(file)) => Ok(Some(LoginFile { user, password_file: file.into_inner() })),
        (None, Some(file)) => Err(wrong(&file, "a `password_file` needs a `user` beside it")),
        // A name alone is one that the server knows by the certificate.
        (Some(_), None) | (None, None) => Ok(None),
    }
}

impl File {
    pub(in crate::config) fn check(
        self,
        path: &Path,
        confirmed: &AllConfirmed,
    ) -> Result<Config, Wrong> {
        let agent_offline = self.deadlines.agent_offline_s.as_ref().map(|found| found.get_ref().ms);
        let standard = Floor { deadlines: Deadlines::default(), thresholds: Thresholds::default() };
        let fleet = standard.with(Some(self.deadlines), Some(self.thresholds))?;
        let shops = shops(self.shops, &fleet, confirmed)?;
        let zones = shops.iter().map(|shop| (shop.name.clone(), shop.time_zone.clone())).collect();
        let complaints = self.complaints.check(self.settlement.holidays())?;
        Ok(Config {
            path: path.to_owned(),
            store: self.store.path.clone(),
            retention: self.store.retention()?,
            broker: self.broker.check()?,
            http: self.http.check()?,
            mail: self.mail.map(Mail::check).transpose()?,
            limits: self.limits.check()?,
            agent_offline_ms: agent_offline.unwrap_or(Policies::AGENT_OFFLINE_MS),
            settlement: self.settlement.check(&zones)?,
            complaints,
            shops,
            deadlines: fleet.deadlines,
            thresholds: fleet.thresholds,
        })
    }
}

impl Store {
    fn retention(self) -> Result<Retention, Wrong> {
        const DAYS_MAX: u32 = 3650;
        Ok(Retention {
            journal_days: bounded(self.journal_days, 90, 1, DAYS_MAX)?,
            cases_days: bounded(self.cases_days, 400, 1, DAYS_MAX)?,
            quarantine_days: bounded(self.quarantine_days, 30, 1, DAYS_MAX)?,
        })
    }
}

impl Broker {
    fn check(self) -> Result<BrokerConfig, Wrong> {
        let (embedded, external) = match (self.embedded, self.external) {
            (Some(_), Some(external)) => {
                return Err(wrong(
                    &external,
                    "one broker is enough: `broker.embedded` or `broker.external`",
                ));
            }
            (embedded, external) => (embedded.unwrap_or_default(), external),
        };
        if let Some(external) = external {
            return external.into_inner().check().map(BrokerConfig::External);
        }
        Ok(BrokerConfig::Embedded {
            listen: embedded
                .listen
                .map_or(SocketAddr::from(([127, 0, 0, 1], 1883)), |listen| listen.0.0),
            agents_max: bounded(embedded.agents_max, 100, 1, 2000)?,
        })
    }
}

impl External {
    fn check(self) -> Result<ExternalBroker, Wrong> {
        let mut slots = Vec::new();
        for slot in &self.slots {
            let sound = Slot::from_number(*slot.get_ref());
            slots.push(sound.ok_or_else(|| wrong(slot, "expected a slot from 0 to 63"))?);
        }
        let port_default = if self.tls.is_some() { 8883 } else { 1883 };
        Ok(ExternalBroker {
            host: self.host,
            port: self.port.unwrap_or(port_default),
            client_id: self.client_id.unwrap_or_else(|| "slipwatch-collector".to_owned()),
            tls: self.tls.map(Tls::check).transpose()?,
            login: login(self.user, self.password_file)?,
            slots,
        })
    }
}

impl Tls {
    fn check(self) -> Result<TlsFiles, Wrong> {
        let client = match (self.certificate, self.key) {
            (Some(certificate), Some(key)) => Some((certificate.into_inner(), key)),
            (Some(certificate), None) => {
                return Err(wrong(&certificate, "a `certificate` needs its `key` beside it"));
            }
            (None, _) => None,
        };
        Ok(TlsFiles { ca: self.ca, client })
    }
}

impl Http {
    fn check(self) -> Result<HttpConfig, Wrong> {
        if let Some(url) = &self.public_url {
            let text = url.get_ref();
            if !text.starts_with("http://") && !text.starts_with("https://") {
                return Err(wrong(url, "expected an address that begins with http:// or https://"));
            }
        }
        Ok(HttpConfig {
            listen: self
                .listen
                .map_or(SocketAddr::from(([127, 0, 0, 1], 9480)), |listen| listen.0.0),
            public_url: self.public_url.map(|url| url.get_ref().trim_end_matches('/').to_owned()),
            forms: self.forms.unwrap_or(true),
            lines_per: match self.lines_per {
                None | Some(LinesPerFile::Agent) => LinesPer::Agent,
                Some(LinesPerFile::Store) => LinesPer::Store,
            },
        })
    }
}

impl Mail {
    fn check(mail: Spanned<Mail>) -> Result<MailConfig, Wrong> {
        let both = "expected either `mail.smtp` or `mail.directory`";
        let place = Spanned::new(mail.span(), ());
        let mail = mail.into_inner();
        let road = match (mail.smtp, mail.directory) {
            (Some(smtp), None) => MailRoad::Smtp(smtp.check()?),
            (None, Some(directory)) => MailRoad::Directory(directory),
            _ => return Err(wrong(&place, both)),
        };
        Ok(MailConfig {
            from: mail.from.0.0,
            road,
            operations: mail.operations.into_iter().map(|address| address.0.0).collect(),
            language: mail.language.map_or(Language::Chinese, |language| language.0),
            letters_per_hour_max: bounded(mail.letters_per_hour_max, 12, 1, 1000)?,
            cool_down_ms: mail.cool_down_s.map_or(600_000, |seconds| seconds.ms),
            digest_minute: mail.digest_at.map_or(21 * 60, |clock| clock.0.0),
            burst_per_minute_max: bounded(mail.burst_per_minute_max, 30, 1, 10_000)?,
        })
    }
}

impl Smtp {
    fn check(self) -> Result<SmtpConfig, Wrong> {
        let security = match self.security {
            None | Some(Security::Starttls) => SmtpSecurity::StartTls,
            Some(Security::Tls) => SmtpSecurity::Tls,
            Some(Security::None) => SmtpSecurity::None,
        };
        let port_default = match security {
            SmtpSecurity::StartTls => 587,
            SmtpSecurity::Tls => 465,
            SmtpSecurity::None => 25,
        };
        Ok(SmtpConfig {
            host: self.host,
            port: self.port.unwrap_or(port_default),
            security,
            login: login(self.user, self.password_file)?,
            ca: self.ca,
        })
    }
}

impl LimitsFile {
    fn check(self) -> Result<Limits, Wrong> {
        Ok(Limits {
            queue_messages_max: bounded(self.queue_messages_max, 1024, 1, 100_000)? as usize,
            turn_messages_max: bounded(self.turn_messages_max, 256, 1, 10_000)? as usize,
        })
    }
}

/// Takes what is set, and leaves what is not.
macro_rules! overlay {
    ($from:expr, $onto:expr, $($seconds:ident => $ms:ident),+ $(,)?) => {
        $(if let Some(seconds) = $from.$seconds { $onto.$ms = seconds.ms; })+
    };
}

/// Deadlines and thresholds of one floor: the fleet, a shop, a terminal.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Floor {
    deadlines: Deadlines,
    thresholds: Thresholds,
}

impl Floor {
    /// What a floor below says, on top of this.
    fn with(
        mut self,
        deadlines: Option<DeadlinesFile>,
        thresholds: Option<ThresholdsFile>,
    ) -> Result<Floor, Wrong> {
        if let Some(deadlines) = deadlines {
            deadlines.onto(&mut self);
        }
        if let Some(thresholds) = thresholds {
            thresholds.onto(&mut self.thresholds)?;
        }
        Ok(self)
    }
}

impl DeadlinesFile {
    /// Only the fleet has this one.
    fn not_of_the_fleet(&self) -> Result<(), Wrong> {
        match &self.agent_offline_s {
            Some(found) => {
                Err(wrong(found, "expected only under `[deadlines]` of the fleet, not here"))
            }
            None => Ok(()),
        }
    }

    fn onto(&self, floor: &mut Floor) {
        let Floor { deadlines, thresholds } = floor;
        overlay!(self, deadlines,
            slip_suspect_s => slip_suspect_ms, slip_alert_s => slip_alert_ms,
            answer_wait_s => answer_wait_ms, reversal_pending_s => reversal_pending_ms,
            reversal_after_last_sale_s => reversal_after_last_sale_ms,
            duplicate_window_s => duplicate_window_ms,
            duplicate_window_qr_s => duplicate_window_qr_ms, silent_s => silent_ms,
        );
        overlay!(self, thresholds,
            upload_s => upload_ms, storm_window_s => storm_window_ms,
            storm_calm_s => storm_calm_ms, printer_out_s => printer_out_ms,
            close_overdue_s => close_overdue_ms, card_window_s => card_window_ms,
        );
    }
}

impl ThresholdsFile {
    fn onto(self, thresholds: &mut Thresholds) -> Result<(), Wrong> {
        overlay!(self, thresholds,
            skew_s => skew_ms, skew_grave_s => skew_grave_ms, skew_clear_s => skew_clear_ms,
        );
        macro_rules! counts {
            ($($name:ident in $least:literal..=$most:literal),+ $(,)?) => {
                $(thresholds.$name = bounded(self.$name, thresholds.$name, $least, $most)?;)+
            };
        }
        counts!(
            storm_reversals in 2..=16,
            route_percent in 1..=100,
            route_requests in 2..=100_000,
            printer_sales in 1..=8,
            trace_jump in 1..=999_999,
            operator_cancels in 1..=10_000,
            operator_reruns in 1..=10_000,
            operator_manual in 1..=10_000,
            operator_void_percent in 1..=100,
            operator_sales in 1..=10_000,
            card_repeats in 0..=16,
        );
        Ok(())
    }
}

fn shops(
    found: Vec<ShopFile>,
    fleet: &Floor,
    confirmed: &AllConfirmed,
) -> Result<Vec<Shop>, Wrong> {
    let mut names = BTreeSet::new();
    let mut agents = BTreeSet::new();
    let mut shops = Vec::new();
    for shop in found {
        if !names.insert(shop.name.get_ref().0.clone()) {
            return Err(wrong(&shop.name, "expected a name of its own, this shop stands above"));
        }
        for agent in &shop.agents {
            if !agents.insert(agent.get_ref().0.clone()) {
                let message =
                    "expected a name that no other agent of any shop has: it is its client id";
                return Err(wrong(agent, message));
            }
        }
        shops.push(shop.check(fleet, confirmed)?);
    }
    Ok(shops)
}

impl ShopFile {
    fn check(self, fleet: &Floor, confirmed: &AllConfirmed) -> Result<Shop, Wrong> {
        self.deadlines.as_ref().map_or(Ok(()), DeadlinesFile::not_of_the_fleet)?;
        let own = fleet.with(self.deadlines, self.thresholds)?;
        let zone = self.time_zone.map_or(TimeZone::UTC, |zone| zone.0.0);
        let mut numbers = BTreeSet::new();
        let mut terminals = Vec::new();
        for terminal in self.terminals {
            if !numbers.insert(terminal.number.get_ref().0) {
                return Err(wrong(
                    &terminal.number,
                    "expected a number of its own, this terminal stands above",
                ));
            }
            let learned =
                confirmed.get(&(self.name.get_ref().0.clone(), terminal.number.get_ref().0));
            let opening =
                Opening { hours: self.opening.as_ref(), closed: &self.closed, zone: &zone };
            terminals.push(terminal.check(&opening, fleet, &own, learned)?);
        }
        let name = self.name.into_inner().0;
        Ok(Shop {
            title: self.title.unwrap_or_else(|| name.to_string()),
            name,
            language: self.language.map_or(Language::Chinese, |language| language.0),
            mail: self.mail.into_iter().map(|address| address.0.0).collect(),
            time_zone: zone,
            agents: self.agents.into_iter().map(|agent| agent.into_inner().0).collect(),
            terminals,
        })
    }
}

impl TerminalFile {
    fn check(
        self,
        opening: &Opening<'_>,
        fleet: &Floor,
        shop: &Floor,
        learned: Option<&Confirmed>,
    ) -> Result<Terminal, Wrong> {
        // What was learned is in force only where the settings leave open who prints.
        let learned = learned.filter(|_| self.who_prints.is_none()).map(|learned| &learned.policy);
        let copies = match &self.copies {
            None => learned.map_or(2, |learned| learned.copies),
            Some(copies) if (1..=3).contains(copies.get_ref()) => *copies.get_ref(),
            Some(copies) => return Err(wrong(copies, "expected 1 to 3 copies")),
        };
        self.deadlines.as_ref().map_or(Ok(()), DeadlinesFile::not_of_the_fleet)?;
        let own = shop.with(self.deadlines, self.thresholds)?;
        if own.deadlines.slip_alert_ms < own.deadlines.slip_suspect_ms {
            let message = "expected `slip_alert_s` at or above `slip_suspect_s` for this terminal";
            return Err(wrong(&self.number, message));
        }
        let Thresholds { skew_clear_ms, skew_ms, skew_grave_ms, .. } = own.thresholds;
        if !(skew_clear_ms <= skew_ms && skew_ms <= skew_grave_ms) {
            let message = "expected `skew_clear_s`, `skew_s` and `skew_grave_s` in rising order for this terminal";
            return Err(wrong(&self.number, message));
        }
        let hours = self.opening.as_ref().or(opening.hours).map(|hours| hours.0);
        Ok(Terminal {
            number: self.number.into_inner().0,
            title: self.title,
            policy: TerminalPolicy {
                who_prints: match (self.who_prints, learned) {
                    (Some(said), _) => said.0,
                    (None, Some(learned)) => learned.who_prints,
                    (None, None) => WhoPrints::Unsaid,
                },
                copies,
                two_way: self.two_way.unwrap_or(false),
                slips_without_keys: self.slips_without_keys.unwrap_or(false),
                slip_due_from: (self.slip_due_from.map(|money| money.0.0))
                    .or(learned.and_then(|learned| learned.slip_due_from)),
                contactless_due_from: (self.contactless_due_from.map(|money| money.0.0))
                    .or(learned.and_then(|learned| learned.contactless_due_from)),
                opening: hours.map(|hours| opening.of(hours)),
                deadlines: (own.deadlines != fleet.deadlines).then(|| Box::new(own.deadlines)),
                thresholds: (own.thresholds != fleet.thresholds).then(|| Box::new(own.thresholds)),
                acquirer: self.acquirer.map(|acquirer| acquirer.0),
            },
        })
    }
}

/// When a shop is open, as its settings say it.
struct Opening<'a> {
    hours: Option<&'a Parsed<Hours>>,
    closed: &'a [Parsed<Closed>],
    zone: &'a TimeZone,
}

impl Opening<'_> {
    /// The core knows no time zones: the zone's offset of today goes in, and is read again with the settings.
    fn of(&self, hours: Hours) -> OpeningHours {
        let now = crate::edge::clock::timestamp();
        let epoch = jiff::civil::date(1970, 1, 1);
        let mut opening = OpeningHours {
            from_minute: hours.from.0,
            to_minute: hours.to.0,
            utc_offset_minutes: (self.zone.to_offset(now).seconds() / 60) as i16,
            ..OpeningHours::default()
        };
        for day in self.closed {
            match day.0 {
                Closed::Weekly(day) => opening.closes_on(day.to_monday_zero_offset() as u8),
                Closed::Once(day) => {
                    let days = (day - epoch).get_days();
                    opening.closed_days.push(i64::from(days));
                }
            }
        }
        opening
    }
}
