//! What a stream prints, for people: its lines, scrubbed, and a word in brackets for what is no text.

use super::Escpos;
use super::printer::{Effect, Printer};
use super::token::Tokens;
use crate::decode::dialect::slip_text;

/// What a stream prints on a printer as the profile describes it. Reads the direction to the printer alone.
pub fn transcript(dialect: &Escpos, bytes: &[u8]) -> String {
    let settings = &dialect.settings;
    let (mut tokens, mut printer) = (Tokens::default(), Printer::new(settings));
    let mut lines: Vec<String> = Vec::new();
    let mut take = |effect: Effect<'_>| {
        lines.push(match effect {
            Effect::Line(line) => line.to_owned(),
            Effect::Image { rows, bytes } => format!("[image: {rows} rows, {bytes} bytes]"),
            Effect::Ornament => "[code or logo]".to_owned(),
            Effect::Feed(count) => format!("[feed: {count} lines]"),
            Effect::FeedDots(count) => format!("[feed: {count} dots]"),
            Effect::Cut => "[cut]".to_owned(),
            Effect::Reset => "[reset]".to_owned(),
            Effect::Clear => "[buffer cleared]".to_owned(),
            Effect::PageBegun => "[page]".to_owned(),
            Effect::PagePrinted => "[page printed]".to_owned(),
            Effect::PageDropped => "[page dropped]".to_owned(),
            Effect::AskRealTime(n) => format!("[status {n}?]"),
            Effect::AskBuffered(asked) => format!("[{asked:?}?]"),
            Effect::AskAutomatic => "[status at each change]".to_owned(),
            Effect::Drawer => "[drawer]".to_owned(),
            Effect::Unknown => "[unknown command]".to_owned(),
            Effect::Nothing => return,
        });
    };
    let mut rest = bytes;
    while let Some(token) = tokens.next(&mut rest) {
        printer.take(token, settings, &mut take);
    }
    printer.finish(&mut take);
    if tokens.is_amid() {
        lines.push("[torn command]".to_owned());
    }
    slip_text::scrub(lines.iter().map(String::as_str)).join("\n")
}
