//! One finding as a letter tells it: only what a person needs, small enough to be remembered until it is told. Of a
//! card it keeps the last four digits.

use crate::correlate::cause::CauseDetail;
use crate::correlate::finding::{FindingChange, FindingKind, Resolution, Stage, Subject};
use serde::{Deserialize, Serialize};
use slipwatch_shared::money::Amount;

/// One finding as a letter tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Item {
    /// The finding's name.
    pub(super) finding: String,
    /// Its kind's number in the catalogue.
    code: String,
    /// The cause's word.
    cause: String,
    /// How it ended, if it did.
    resolved: Option<String>,
    /// Minor units and currency.
    amount: Option<(i64, String)>,
    /// Since when it holds, UTC milliseconds.
    pub(super) since_ms: i64,
    /// The day since which it holds, where a settlement file tells no time of it.
    #[serde(default)]
    day: Option<String>,
    /// When the payment was, where it is about one, UTC milliseconds.
    #[serde(default)]
    pub(super) paid_ms: Option<i64>,
    /// When the collector learned it.
    pub(super) learned_ms: i64,
    /// The terminal's number.
    pub(super) terminal: Option<String>,
    /// The agent's name, where it is about one.
    pub(super) agent: Option<String>,
    /// 凭证号.
    pub(super) voucher: Option<String>,
    /// 批次号.
    pub(super) batch_number: Option<String>,
    /// 参考号.
    pub(super) reference: Option<String>,
    /// The wallet's or processor's number, or the shop's order number.
    pub(super) order: Option<String>,
    /// Last four digits of the card.
    pub(super) last_four: Option<String>,
    /// The case's name, for its page.
    pub(super) case: Option<String>,
    /// The other case, where there are two.
    pub(super) partner: Option<String>,
    /// The acquirer's name, where it is about one.
    #[serde(default)]
    pub(super) acquirer: Option<String>,
    /// The number in the catalogue of the finding that explains it.
    #[serde(default)]
    parent: Option<String>,
    /// What was expected, where a settlement file says otherwise.
    #[serde(default)]
    expected: Option<(i64, String)>,
    /// The settlement file's own word.
    #[serde(default)]
    pub(super) word: Option<String>,
    /// File and line.
    #[serde(default)]
    pub(super) document: Option<String>,
    /// How many rows show it.
    #[serde(default)]
    pub(super) rows: u32,
    /// A settlement file confirms it.
    #[serde(default)]
    pub(super) confirmed: bool,
    /// The complaint's number, where it is about one.
    #[serde(default)]
    pub(super) complaint: Option<u64>,
    /// When what a shopper was promised is due, UTC milliseconds.
    #[serde(default)]
    pub(super) due_ms: Option<i64>,
    /// That date passed.
    #[serde(default)]
    pub(super) passed: bool,
}

impl Item {
    pub(super) fn of(change: &FindingChange) -> Item {
        let finding = &change.finding;
        let ledger = change.ledger.as_deref();
        let of_case = change.case.as_ref().map(|case| &case.keys);
        let keys = of_case.or_else(|| ledger.map(|ledger| &ledger.keys));
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let (mut case, mut agent, mut acquirer, mut complaint) = (None, None, None, None);
        match &finding.id.subject {
            Subject::Case(id) => case = Some(id.to_string()),
            Subject::Agent(name) => agent = Some(name.agent.to_string()),
            Subject::Route(name) => acquirer = Some(name.to_string()),
            Subject::Complaint(name) => complaint = Some(name.number),
            Subject::Terminal(_) | Subject::Row(_) | Subject::Statement(_) => {}
        }
        let order = keys.and_then(|keys| {
            let channel = keys.channel_transaction_id.as_ref().map(ToString::to_string);
            channel.or_else(|| keys.order_number.as_ref().map(ToString::to_string))
        });
        let pan = keys.and_then(|keys| keys.card).and_then(|card| card.pan);
        Item {
            finding: finding.id.to_string(),
            code: finding.id.kind.code().to_owned(),
            cause: finding.cause.detail.label().to_owned(),
            resolved: finding.resolved.map(|resolution| resolution.label().to_owned()),
            amount: ledger
                .and_then(|ledger| ledger.amount)
                .or_else(|| keys.and_then(|keys| keys.amount))
                .map(|amount| (amount.minor, amount.currency.to_string())),
            since_ms: finding.since.0,
            day: ledger.and_then(|ledger| ledger.day.as_deref()).map(str::to_owned),
            paid_ms: change.case.as_ref().map(|case| case.wall(case.opened).0),
            learned_ms: change.learned.0,
            terminal: change.terminal.as_ref().map(|name| name.terminal.to_string()),
            agent,
            voucher: keys.and_then(|keys| keys.stan).map(|stan| stan.to_string()),
            batch_number: keys.and_then(|keys| keys.batch_number).map(|number| number.to_string()),
            reference: keys.and_then(|keys| keys.rrn).map(|rrn| rrn.to_string()),
            order,
            last_four: pan.map(|pan| format!("{:04}", pan.last_four())),
            case,
            partner: finding.partner.as_ref().map(ToString::to_string),
            acquirer,
            parent: finding.parent.as_ref().map(|parent| parent.kind.code().to_owned()),
            expected: ledger
                .and_then(|ledger| ledger.expected)
                .map(|amount| (amount.minor, amount.currency.to_string())),
            word: ledger.and_then(|ledger| text(&ledger.word)),
            document: ledger.and_then(|ledger| text(&ledger.document)),
            rows: ledger.map_or(0, |ledger| ledger.rows),
            confirmed: ledger.is_none() && finding.stage == Stage::Confirmed,
            complaint,
            due_ms: ledger.and_then(|ledger| ledger.due).map(|due| due.0),
            passed: complaint.is_some() && finding.stage == Stage::Confirmed,
        }
    }

    pub(super) fn kind(&self) -> FindingKind {
        FindingKind::from_code(&self.code).unwrap_or(FindingKind::NoReceiptDebit)
    }

    /// What explains it.
    pub(super) fn parent(&self) -> Option<FindingKind> {
        self.parent.as_deref().and_then(FindingKind::from_code)
    }

    pub(super) fn cause(&self) -> CauseDetail {
        let named = CauseDetail::ALL.into_iter().find(|detail| detail.label() == self.cause);
        named.unwrap_or(CauseDetail::Nothing)
    }

    pub(super) fn resolution(&self) -> Option<Resolution> {
        let label = self.resolved.as_deref()?;
        Resolution::PLAIN.into_iter().find(|resolution| resolution.label() == label)
    }

    pub(super) fn amount(&self) -> Option<Amount> {
        let (minor, currency) = self.amount.as_ref()?;
        Some(Amount::new(*minor, currency.parse().ok()?))
    }

    pub(super) fn expected(&self) -> Option<Amount> {
        let (minor, currency) = self.expected.as_ref()?;
        Some(Amount::new(*minor, currency.parse().ok()?))
    }

    /// It is about a settlement file, and its page is that of the files.
    pub(super) fn is_of_statement(&self) -> bool {
        self.case.is_none() && self.document.is_some()
    }

    /// What is folded with it: the parent, or kind, place and cause.
    pub(super) fn fold_key(change: &FindingChange) -> String {
        let finding = &change.finding;
        if let Some(parent) = &finding.parent {
            return match (parent.subject.store(), finding.id.subject.store()) {
                // What concerns many shops is told each of them with its own payments alone.
                (None, Some(store)) => format!("{store}/{parent}"),
                _ => parent.to_string(),
            };
        }
        match (&finding.id.subject, &change.terminal) {
            (Subject::Case(case), terminal) => format!(
                "{}/{}/{}/{}",
                case.agent.store,
                terminal.as_ref().map(|name| name.terminal.to_string()).unwrap_or_default(),
                finding.id.kind.code(),
                finding.cause.detail.label(),
            ),
            // A terminal or an agent that fails again is the same matter; what it explains folds under this name.
            (Subject::Terminal(_) | Subject::Agent(_) | Subject::Route(_), _) => {
                finding.id.to_string()
            }
            // A shopper's matter is told by itself.
            (Subject::Complaint(_), _) => finding.id.to_string(),
            // Rows of one source that say the same are one letter.
            (Subject::Row(row), _) => {
                format!("{}/{}/{}", row.store, row.source, finding.id.kind.code())
            }
            (Subject::Statement(statement), _) => {
                format!("{}/{}/{}", statement.store, statement.source, finding.id.kind.code())
            }
        }
    }

    /// A file says it: not that one is missing, or that none has the payment.
    pub(super) fn is_told_by_file(&self) -> bool {
        let absent = [FindingKind::StatementMissing, FindingKind::AuthorizationNeverSettled];
        self.document.is_some() && !absent.contains(&self.kind())
    }

    /// A file books a payment once more (A09): the row is told, and the payment that it repeats.
    pub(super) fn is_repeated_row(&self) -> bool {
        self.kind() == FindingKind::DuplicateDebit && self.is_of_statement()
    }

    /// The moment that people look for in their records: the payment's, or else that since which it holds.
    pub(super) fn happened_ms(&self) -> i64 {
        self.paid_ms.unwrap_or(self.since_ms)
    }

    /// The day of it, where no more than that is known.
    pub(super) fn day_alone(&self) -> Option<&str> {
        self.day.as_deref().filter(|_| self.paid_ms.is_none())
    }
}
