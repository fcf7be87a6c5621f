//! Which findings become letters, joined and spaced. Pure: findings in, rows of the outbox out.
//!
//! A finding that rings (P1, P2) is told at once; what falls under the same parent, or the same place, kind and cause,
//! is folded into one letter, and during the cool-down it waits for the next. P3 and P4 wait for the day's digest. When
//! a shop had its letters of the hour, the rest comes as one letter as soon as there is room. What was never told is
//! never told as resolved; nothing is told of recordings.

use super::item::Item;
use super::language::Language;
use super::letter::{self, Letter, Purpose};
use super::memory::{self, Memory, ShopMemory, Told};
use super::outbox::{OutboxRow, Road};
use crate::correlate::finding::{Change, FindingChange, Resolution, Severity, Stage};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use slipwatch_shared::terminal::{StoreId, TerminalId};
use slipwatch_shared::times::ArrivalTime;
use std::collections::BTreeMap;

/// Who gets letters, and how. With no shops nobody is written to.
#[derive(Clone, Debug, PartialEq)]
pub struct LetterSettings {
    /// Where links begin, without a slash at the end; without it letters carry none.
    pub public_url: Option<String>,
    /// Behind the `@` of each `Message-ID`.
    pub domain: String,
    /// Most letters of one shop in an hour; the rest waits for the digest.
    pub letters_per_hour_max: u32,
    /// A shop is not told twice of the same cause within this time; what comes meanwhile is told at its end.
    pub cool_down_ms: i64,
    /// Minute of the shop's day at which the digest goes out.
    pub digest_minute: u16,
    /// The shops that are written to.
    pub shops: BTreeMap<StoreId, ShopLetters>,
    /// Who is written to of what concerns more than one shop; absent: nobody.
    pub fleet: Option<ShopLetters>,
}

/// The fleet in place of a shop's name: no shop is called so.
const FLEET: &str = "";

impl LetterSettings {
    /// How a shop, or the fleet, is written to.
    fn house(&self, store: &str) -> Option<&ShopLetters> {
        match store {
            FLEET => self.fleet.as_ref(),
            _ => self.shops.get(&store.parse::<StoreId>().ok()?),
        }
    }
}

impl Default for LetterSettings {
    fn default() -> LetterSettings {
        LetterSettings {
            public_url: None,
            domain: "slipwatch.invalid".to_owned(),
            letters_per_hour_max: 12,
            cool_down_ms: 600_000,
            digest_minute: 21 * 60,
            shops: BTreeMap::new(),
            fleet: None,
        }
    }
}

/// How one shop is written to.
#[derive(Clone, Debug, PartialEq)]
pub struct ShopLetters {
    /// Its name for people.
    pub title: String,
    /// In which language.
    pub language: Language,
    /// To whom; nobody where empty.
    pub recipients: Vec<String>,
    /// Its clock.
    pub time_zone: TimeZone,
    /// Names of its terminals for people, where they have one.
    pub terminals: BTreeMap<TerminalId, String>,
}

/// What decides on letters, with what it remembers of those that were written.
#[derive(Debug, Default)]
pub struct LetterPolicy {
    settings: LetterSettings,
    memory: Memory,
    /// Something that must be remembered over a restart changed.
    changed: bool,
    /// Before this nothing falls due by itself.
    wake_ms: Option<i64>,
}

/// How soon a letter that found no room in its hour is looked at again.
const ROOM_LOOK_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;

impl LetterPolicy {
    /// Goes on where [`LetterPolicy::state`] stood.
    pub fn restore(settings: LetterSettings, state: Option<&[u8]>) -> LetterPolicy {
        let memory = state.map(Memory::read).unwrap_or_default();
        LetterPolicy { settings, memory, changed: false, wake_ms: Some(i64::MIN) }
    }

    /// Other settings from now on.
    pub fn reload(&mut self, settings: LetterSettings) {
        self.settings = settings;
        self.wake_ms = Some(i64::MIN);
    }

    /// Called once a turn, also when nothing changed, so that digests and cool-downs can fall due.
    pub fn letters(&mut self, now: ArrivalTime, changes: &[FindingChange]) -> Vec<OutboxRow> {
        let is_due = self.wake_ms.is_some_and(|wake| wake <= now.0);
        if changes.is_empty() && !is_due {
            return Vec::new();
        }
        for change in changes {
            self.take_in(now.0, change);
        }
        let mut rows = Vec::new();
        self.tell_folds(now.0, &mut rows);
        self.tell_ended(now.0, &mut rows);
        self.tell_digests(now.0, &mut rows);
        self.memory.forget(now.0);
        self.wake_ms = self.next_wake(now.0);
        rows
    }

    /// What must be remembered over a restart, when it changed since the last call.
    pub fn state(&mut self) -> Option<Vec<u8>> {
        std::mem::take(&mut self.changed).then(|| self.memory.write())
    }

    /// Letters that wait: for the end of a cool-down, or for room among those of their shop's hour. The digest is none.
    pub fn held(&self) -> u64 {
        let folds = self.memory.folds.values().filter(|fold| !fold.waiting.is_empty()).count();
        let ended = self.memory.ended.values().filter(|ended| !ended.waiting.is_empty()).count();
        let urgent = |shop: &&ShopMemory| shop.urgent && !shop.digest.is_empty();
        (folds + ended + self.memory.shops.values().filter(urgent).count()) as u64
    }

    fn take_in(&mut self, now_ms: i64, change: &FindingChange) {
        let finding = &change.finding;
        let store = finding.id.subject.store().map_or(FLEET, StoreId::as_str);
        let Some(shop) = self.settings.house(store).filter(|shop| !shop.recipients.is_empty())
        else {
            return;
        };
        let name = finding.id.to_string();
        let told = self.memory.told.get_mut(&name);
        match (change.change, told) {
            (Change::Resolved, Some(told)) if told.open => {
                told.open = false;
                let root = told.root.clone();
                self.changed = true;
                // What it grew into is told in the same thread, and says more.
                if !told.quiet && !matches!(finding.resolved, Some(Resolution::GrewInto(_))) {
                    let ended = self.memory.ended.entry(root).or_default();
                    ended.store = store.to_string();
                    memory::add(&mut ended.waiting, &mut 0, Item::of(change));
                }
            }
            (Change::Resolved, _) => self.changed |= self.memory.withdraw(&name),
            (Change::Raised | Change::Changed, Some(told))
                if told.open && (told.confirmed || finding.stage != Stage::Confirmed) => {}
            (Change::Raised | Change::Changed, _) => {
                let is_child = finding.parent.is_some();
                if finding.historical || (finding.stage == Stage::Suspected && !is_child) {
                    return;
                }
                self.changed = true;
                let item = Item::of(change);
                match finding.severity {
                    // A child is told with its parent, however soon it would be told alone.
                    severity if is_child || severity <= Severity::P2 => {
                        let key = Item::fold_key(change);
                        let root = self.memory.folds.get(&key).and_then(|fold| fold.root.clone());
                        let subject = subject(&item);
                        let stands = |root: &String| self.memory.is_told_in(&subject, root);
                        // A child's payment may stand in its parent's letter already.
                        if let Some(root) = root.filter(|root| is_child && stands(root)) {
                            let (at_ms, open, quiet) = (now_ms, true, false);
                            let confirmed = item.confirmed;
                            let told = Told { subject, root, at_ms, open, quiet, confirmed };
                            self.memory.told.insert(name, told);
                            return;
                        }
                        let fold = self.memory.folds.entry(key).or_default();
                        fold.store = store.to_string();
                        let is_cool = fold
                            .told_ms
                            .is_some_and(|told| now_ms - told >= self.settings.cool_down_ms);
                        if is_cool && fold.waiting.is_empty() {
                            // The last letter is long told: another payment begins a thread of its own.
                            (fold.told_ms, fold.root) = (None, None);
                        }
                        memory::add(&mut fold.waiting, &mut fold.left_out, item);
                    }
                    _ => {
                        let due = next_digest(shop, self.settings.digest_minute, now_ms);
                        let memory = self.memory.shops.entry(store.to_string()).or_default();
                        memory.digest_due_ms.get_or_insert(due);
                        memory::add(&mut memory.digest, &mut memory.left_out, item);
                    }
                }
            }
        }
    }

    fn tell_folds(&mut self, now_ms: i64, rows: &mut Vec<OutboxRow>) {
        let cool_down_ms = self.settings.cool_down_ms;
        let due = self.memory.folds.iter().filter(|(_, fold)| {
            let is_cool = fold.told_ms.is_none_or(|told| now_ms - told >= cool_down_ms);
            is_cool && !fold.waiting.is_empty()
        });
        let due: Vec<String> = due.map(|(key, _)| key.clone()).collect();
        for key in due {
            let Some(fold) = self.memory.folds.get_mut(&key) else { continue };
            let store = fold.store.clone();
            let mut items = std::mem::take(&mut fold.waiting);
            let left_out = std::mem::take(&mut fold.left_out);
            let again = fold.told_ms.replace(now_ms).is_some();
            let root = fold.root.clone();
            self.changed = true;
            // What explains the others stands first.
            items.sort_by_key(|item| (item.case.is_some(), item.since_ms));
            if !self.memory.has_room(&store, now_ms, self.settings.letters_per_hour_max) {
                let shop = self.memory.shops.entry(store).or_default();
                shop.urgent = true;
                shop.left_out += left_out;
                for item in items {
                    memory::add(&mut shop.digest, &mut shop.left_out, item);
                }
                continue;
            }
            let root = root.or_else(|| self.memory.root_of(&subject(&items[0])));
            let purpose = if again { Purpose::More } else { Purpose::New };
            let root = self.write(now_ms, &store, purpose, &items, left_out, root, rows);
            if let (Some(fold), Some(root)) = (self.memory.folds.get_mut(&key), root) {
                fold.root = Some(root);
            }
        }
    }

    fn tell_ended(&mut self, now_ms: i64, rows: &mut Vec<OutboxRow>) {
        let cool_down_ms = self.settings.cool_down_ms;
        let due = self.memory.ended.iter().filter(|(_, ended)| {
            let is_cool = ended.told_ms.is_none_or(|told| now_ms - told >= cool_down_ms);
            is_cool && !ended.waiting.is_empty()
        });
        let due: Vec<String> = due.map(|(root, _)| root.clone()).collect();
        for root in due {
            let Some(ended) = self.memory.ended.get(&root) else { continue };
            let store = ended.store.clone();
            if !self.memory.has_room(&store, now_ms, self.settings.letters_per_hour_max) {
                continue;
            }
            let Some(ended) = self.memory.ended.get_mut(&root) else { continue };
            ended.told_ms = Some(now_ms);
            let items = std::mem::take(&mut ended.waiting);
            self.changed = true;
            self.write(now_ms, &store, Purpose::Ended, &items, 0, Some(root), rows);
        }
    }

    fn tell_digests(&mut self, now_ms: i64, rows: &mut Vec<OutboxRow>) {
        let stores: Vec<String> = self.memory.shops.keys().cloned().collect();
        for store in stores {
            let has_room = self.memory.has_room(&store, now_ms, self.settings.letters_per_hour_max);
            let Some(shop) = self.memory.shops.get_mut(&store) else { continue };
            let is_day = shop.digest_due_ms.is_some_and(|due| due <= now_ms);
            if shop.digest.is_empty() || !(is_day || shop.urgent && has_room) {
                continue;
            }
            let items = std::mem::take(&mut shop.digest);
            let left_out = std::mem::take(&mut shop.left_out);
            let urgent = std::mem::take(&mut shop.urgent);
            shop.digest_due_ms = None;
            self.changed = true;
            let purpose = if urgent { Purpose::New } else { Purpose::Digest };
            self.write(now_ms, &store, purpose, &items, left_out, None, rows);
        }
    }

    /// One letter to each of the shop's recipients; gives the root of its thread.
    #[allow(clippy::too_many_arguments)] // What a letter is made of; a struct would be filled at three places.
    fn write(
        &mut self,
        now_ms: i64,
        store: &str,
        purpose: Purpose,
        items: &[Item],
        left_out: usize,
        root: Option<String>,
        rows: &mut Vec<OutboxRow>,
    ) -> Option<String> {
        let shop = self.settings.house(store)?;
        let letter = letter::write(&self.settings, shop, purpose, items, left_out);
        let own = local_part(&items[0].finding, now_ms);
        for recipient in &shop.recipients {
            rows.push(self.row(&letter, &own, root.as_deref(), recipient, now_ms, items));
        }
        self.memory.count_letter(store, now_ms);
        let root = root.unwrap_or(own);
        if purpose != Purpose::Ended {
            for item in items {
                let told = Told {
                    subject: subject(item),
                    root: root.clone(),
                    at_ms: now_ms,
                    open: true,
                    quiet: purpose == Purpose::Digest,
                    confirmed: item.confirmed || item.document.is_some() || item.passed,
                };
                self.memory.told.insert(item.finding.clone(), told);
            }
        }
        Some(root)
    }

    fn row(
        &self,
        letter: &Letter,
        own: &str,
        root: Option<&str>,
        recipient: &str,
        now_ms: i64,
        items: &[Item],
    ) -> OutboxRow {
        let message_id =
            |local: &str| format!("{local}.{:08x}@{}", hash(recipient), self.settings.domain);
        OutboxRow {
            message_id: message_id(own),
            in_reply_to: root.map(message_id),
            road: Road::Mail,
            recipient: recipient.to_owned(),
            subject: letter.subject.clone(),
            text: letter.text.clone(),
            html: Some(letter.html.clone()),
            created: ArrivalTime(now_ms),
            not_before: ArrivalTime(now_ms),
            findings: items.iter().map(|item| item.finding.clone()).collect(),
        }
    }

    fn next_wake(&self, now_ms: i64) -> Option<i64> {
        let cool_down_ms = self.settings.cool_down_ms;
        let cool = |told: Option<i64>| told.map_or(now_ms, |told| told + cool_down_ms);
        let folds = self.memory.folds.values().filter(|fold| !fold.waiting.is_empty());
        let ended = self.memory.ended.values().filter(|ended| !ended.waiting.is_empty());
        let digests = self.memory.shops.values().filter(|shop| !shop.digest.is_empty());
        let due = folds
            .map(|fold| cool(fold.told_ms))
            // Those that are due already found no room in their hour.
            .chain(
                ended.map(|ended| cool(ended.told_ms).max(now_ms + ROOM_LOOK_MS.min(cool_down_ms))),
            )
            .chain(digests.map(|shop| match shop.urgent {
                true => now_ms + ROOM_LOOK_MS,
                false => shop.digest_due_ms.unwrap_or(now_ms),
            }));
        due.min()
    }
}

fn subject(item: &Item) -> String {
    // All that is told of one complaint is one thread.
    let complaint = || item.complaint.map(|number| format!("complaint:{number}"));
    item.case.clone().or_else(complaint).unwrap_or_else(|| item.finding.clone())
}

/// The left part of a `Message-ID`, unique by the moment: `a01-shop-till-1-42.1790000000000`.
fn local_part(finding: &str, now_ms: i64) -> String {
    let plain =
        |sign: char| if sign.is_ascii_alphanumeric() { sign.to_ascii_lowercase() } else { '-' };
    let name: String = finding.chars().take(120).map(plain).collect();
    format!("{name}.{now_ms}")
}

/// FNV-1a: tells recipients apart in a `Message-ID`, without naming them.
fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// The next time of the digest, by the shop's clock.
fn next_digest(shop: &ShopLetters, minute: u16, now_ms: i64) -> i64 {
    let next = || {
        let now =
            Timestamp::from_millisecond(now_ms).ok()?.to_zoned_datetime(shop.time_zone.clone());
        let at = |date: jiff::civil::Date| {
            let time = date.at((minute / 60) as i8, (minute % 60) as i8, 0, 0);
            time.to_zoned_datetime(shop.time_zone.clone()).ok()
        };
        let today = at(now.date())?;
        let next = if today > now { today } else { at(now.date().checked_add(1.day()).ok()?)? };
        Some(next.timestamp().as_millisecond())
    };
    next().unwrap_or(now_ms + DAY_MS)
}

#[cfg(test)]
mod tests;
