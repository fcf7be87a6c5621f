//! A15: approved by the terminal itself, without its host, and not uploaded in time, or refused when it was. Where
//! nothing was heard of the sale but its upload, the time to accept it runs from there.

use super::{Held, Say};
use crate::correlate::case::{Case, Fact, What};
use crate::correlate::cause::{Cause, CauseClass, CauseDetail};
use crate::correlate::coverage::{Heard, Needs};
use crate::correlate::facts::Sorts;
use crate::correlate::finding::{FindingKind, Resolution, Stage};
use crate::correlate::policy::Thresholds;
use crate::correlate::timeline::StreamTime;
use slipwatch_shared::event::ExchangePhase;

/// The first that was heard of a payment as one that was made offline.
fn made_offline(case: &Case) -> Option<usize> {
    if !case.facts.have(Sorts::OFFLINE) {
        return None;
    }
    let tells = |what: What| matches!(what, What::ApprovedOffline | What::Uploaded(_));
    case.facts.iter().position(|fact| tells(fact.what))
}

/// The offline approval of a payment that still waits for its upload.
pub fn waits(case: &Case) -> Option<&Fact> {
    let offline = made_offline(case)?;
    let settled = |what: What| {
        matches!(what, What::Approved | What::Refused | What::Closed | What::Voided)
            || matches!(what, What::Reversal(_) | What::Refunded)
            || matches!(what, What::Uploaded(ExchangePhase::Approved | ExchangePhase::Declined))
    };
    let waits = !case.facts[offline..].iter().any(|fact| settled(fact.what));
    waits.then(|| &case.facts[offline])
}

/// When an offline approval that still waits for its upload is told; absent where none waits.
pub fn upload_due(case: &Case, thresholds: &Thresholds) -> Option<StreamTime> {
    waits(case).map(|offline| offline.at.plus_ms(thresholds.upload_ms))
}

/// A15. Silence counts only where the lines that carry money were heard from the approval until it is due.
pub fn offline_forced(case: &Case, heard: &Heard<'_>, thresholds: &Thresholds) -> Say {
    let Some(offline) = made_offline(case) else { return Say::Not(Resolution::NotBorneOut) };
    let approval = &case.facts[offline];
    for fact in &case.facts[offline..] {
        match fact.what {
            What::Approved | What::Closed | What::Uploaded(ExchangePhase::Approved) => {
                return Say::Not(Resolution::Uploaded);
            }
            What::Voided => return Say::Not(Resolution::Voided),
            What::Refunded => return Say::Not(Resolution::Refunded),
            What::Reversal(_) => return Say::Not(Resolution::Reversed),
            What::Refused | What::Uploaded(ExchangePhase::Declined) => {
                let cited = [approval.event, fact.event];
                let detail = CauseDetail::UploadRefused;
                let cause = Cause::of(CauseClass::Institution, detail, 75, cited);
                let held = Held::plain(FindingKind::OfflineForced, Stage::Alerting, fact.at, cause);
                return Say::Holds(held);
            }
            _ => {}
        }
    }
    let due = approval.at.plus_ms(thresholds.upload_ms);
    let told = case.told(FindingKind::OfflineForced).is_some_and(|told| told.resolved.is_none());
    // What was told once stands until something is heard: holes of later days change nothing about it.
    let proven =
        || heard.watermark > due && heard.hole_in(Needs::Money, approval.at, due).is_none();
    if !told && !proven() {
        return Say::Not(Resolution::NotBorneOut);
    }
    let down = case.first_fact(|what| *what == What::NetworkDown);
    let (class, confidence) = match down {
        Some(_) => (CauseClass::Network, 70),
        None => (CauseClass::Unknown, 0),
    };
    let cited = [approval.event].into_iter().chain(down.map(|fact| fact.event));
    let cause = Cause::of(class, CauseDetail::NotUploaded, confidence, cited);
    Say::Holds(Held::plain(FindingKind::OfflineForced, Stage::Alerting, due, cause))
}
