//! The answer to a shopper as a document to print and take along, in the shopper's language.

use super::paper::Paper;
use crate::complaint::answer::Answer;
use crate::complaint::desk::Looked;
use crate::complaint::words;
use crate::edge::console::pages::Frame;
use crate::edge::console::pages::complaint::{
    ask_again, last_words, payment_facts, promise, sheet_title, told_facts,
};
use krilla::error::KrillaError;
use slipwatch_shared::times::EventTime;

/// The answer as a document.
///
/// # Errors
/// What the writer of the document refuses, which a fault of ours alone can cause.
pub fn document(
    frame: &Frame,
    looked: &Looked,
    answer: &Answer,
    at: EventTime,
) -> Result<Vec<u8>, KrillaError> {
    let language = frame.language;
    let complaint = &looked.complaint;
    let store = looked.store();
    let number = complaint.number;
    let title = format!(
        "{} · {}",
        sheet_title(language),
        language.say(format!("{number} 号"), format!("no. {number}"))
    );
    let mut paper = Paper::new(&title, language.tag());
    let shop = store.map(|store| frame.shop_title(store)).unwrap_or_default();
    let date = frame.time(store, at.0, "%Y-%m-%d %H:%M");
    paper.quiet(
        &[shop, &date].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · "),
    );
    paper.heading(words::headline(language, answer.reason));
    paper.paragraph(words::reason(language, answer.reason));
    if let Some(promise) = promise(frame, looked, answer) {
        paper.paragraph(&promise);
    }
    paper.heading(language.say("您告诉我们的", "What you told us"));
    for (name, value) in told_facts(frame, &complaint.said) {
        paper.fact(name, &value);
    }
    if let Some(payment) = &looked.payment {
        paper.heading(language.say("我们找到的付款", "The payment we found"));
        for (name, value) in payment_facts(frame, payment) {
            paper.fact(name, &value);
        }
    }
    paper.heading(language.say("如需继续", "If you need more"));
    paper.paragraph(&ask_again(language, complaint));
    for line in frame.config.complaints.help(language) {
        paper.paragraph(&format!("· {line}"));
    }
    paper.quiet("");
    paper.quiet(last_words(language));
    paper.finish(frame.now_ms)
}
