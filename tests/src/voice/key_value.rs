//! The English application log: one `key=value` line a word.

use super::{authorization_code, device_time, masked, rrn};
use crate::terminal::{Copy, Payment, Word};

/// The line of a word, with its end.
pub fn line(payment: &Payment, word: Word, wall_ms: i64) -> String {
    let time = device_time(wall_ms, "%Y-%m-%d %H:%M:%S.%3f");
    let said = said(payment, word);
    format!("{time} {said} tid={} mid=898310154110123 op=01\n", payment.terminal)
}

/// The line of a word that is written out, `auth_request stan=000001 …`; who speaks is added where it is not said.
pub fn plain_line(said: &str, terminal: &str, wall_ms: i64) -> String {
    let time = device_time(wall_ms, "%Y-%m-%d %H:%M:%S.%3f");
    let merchant = if said.contains("mid=") { "" } else { " mid=898310154110123" };
    format!("{time} evt={said} tid={terminal}{merchant} op=01\n")
}

fn said(payment: &Payment, word: Word) -> String {
    let name = match word {
        Word::Requested => "auth_request",
        Word::Approved | Word::Refused(_) => "auth_response",
        Word::TimedOut => "auth_timeout",
        Word::Completed => "txn_done",
        Word::Abandoned => "txn_aborted by=operator",
        Word::ReversalPending => "reversal_pending",
        Word::ReversalSent => "reversal_sent",
        Word::ReversalAcknowledged => "reversal_ack",
        Word::ReversalFailed => "reversal_failed",
        Word::SlipStarted(copy) => return slip("print_start", payment, copy, ""),
        Word::SlipPrinted { copy, reprint: false } => {
            return slip("print_done", payment, copy, "");
        }
        Word::SlipPrinted { copy, reprint: true } => {
            return slip("print_done", payment, copy, " reprint=yes");
        }
        Word::SlipFailed(copy) => {
            return slip("print_failed", payment, copy, " reason=paper_out");
        }
        Word::SlipOnScreen => "e_receipt channel=qr_code",
        Word::SlipUnwanted => "print_declined",
        Word::PrintCancelled => "print_lost reason=cancelled",
        Word::PaperEnds => return "evt=printer_status online=no paper=out".to_owned(),
        Word::PaperBack => return "evt=printer_status online=yes paper=ok".to_owned(),
        Word::Chatter => return "evt=screen text=welcome".to_owned(),
        Word::VoidRequested => return void("requested", payment),
        Word::VoidApproved => return void("approved", payment),
        Word::VoidSlipPrinted(copy) => {
            let Payment { void_stan, stan, amount, .. } = payment;
            let copy = copy_word(copy);
            return format!(
                "evt=print_done kind=VOID copy={copy} amt={amount} cur=CNY stan={void_stan:06} \
                 orig_stan={stan:06}"
            );
        }
    };
    let Payment { amount, stan, chip_counter, .. } = payment;
    let card = masked(payment);
    let answer = match word {
        Word::Approved => {
            format!(" rc=00 rrn={} auth={}", rrn(payment), authorization_code(payment))
        }
        Word::Refused(code) => format!(" rc={code}"),
        _ => String::new(),
    };
    format!(
        "evt={name} kind=SALE amt={amount} cur=CNY stan={stan:06} batch=000001 card={card} \
         entry=CHIP atc={chip_counter}{answer}"
    )
}

fn slip(name: &str, payment: &Payment, copy: Copy, more: &str) -> String {
    let Payment { amount, stan, .. } = payment;
    let (copy, card) = (copy_word(copy), masked(payment));
    format!("evt={name} copy={copy} amt={amount} cur=CNY stan={stan:06} card={card}{more}")
}

fn void(phase: &str, payment: &Payment) -> String {
    let Payment { amount, stan, void_stan, .. } = payment;
    format!(
        "evt=void phase={phase} amt={amount} cur=CNY stan={void_stan:06} batch=000001 \
         orig_stan={stan:06} orig_batch=000001 card={}",
        masked(payment)
    )
}

fn copy_word(copy: Copy) -> &'static str {
    match copy {
        Copy::Merchant => "merchant",
        Copy::Customer => "customer",
    }
}
