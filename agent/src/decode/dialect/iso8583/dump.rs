//! Messages as logs write them: `00 AA 60 00 ..`, `00AA6000..`, `[00][AA]..`, rows of sixteen bytes with their offset in
//! front and their characters behind. Rows of one dump are joined; digits that somebody masked (`62 25 ** **`) stay masked.

use super::layout::{Layout, Prefix};
use super::message::{MASKED_NIBBLE, Message, Outcome, bitmap, hex, mti, read};
use super::stream::MESSAGE_BYTES_MAX;
use super::teller::Moment;
use slipwatch_shared::times::Uptime;

/// Fewest bytes of a row that begins a dump; the last row of one may have a single byte.
const ROW_BYTES_MIN: usize = 8;

/// Bytes of a row with a column of characters behind it.
const COLUMN_BYTES: usize = 16;

/// Longest text in front of a row that is kept; rows behind a longer one stand by themselves.
const LEAD_CHARS_MAX: usize = 64;

/// One line's bytes.
#[derive(Debug, Default)]
pub(super) struct Row {
    bytes: Vec<u8>,
    /// What the column in front says.
    offset: Option<usize>,
    /// The text in front.
    lead: String,
}

/// Rows that belong together.
#[derive(Debug, Default)]
pub(super) struct Dump {
    bytes: Vec<u8>,
    /// Those of the dump that ended last, for its reader.
    done: Vec<u8>,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    moment: Moment,
    last_at: Uptime,
    lead: String,
    /// Bytes of the first row.
    row_bytes: usize,
    /// Of the row before.
    last_bytes: usize,
    has_offsets: bool,
    lines: u64,
}

impl Row {
    /// Reads a line without the time at its head; false when it is no row. A short row counts where it can go on with
    /// an open dump, whose rows have `open` in front.
    pub fn read(&mut self, line: &str, open: Option<&str>) -> bool {
        let bytes = line.as_bytes();
        // A row begins where a word of hexadecimal does.
        let mut at = 0;
        while at < bytes.len() {
            let begins = is_sign(bytes[at]) && (at == 0 || !is_word(bytes[at - 1]));
            let lead = line[..at].trim();
            let goes_on = open.is_some_and(|open| lead.is_empty() || lead == open);
            let least = if goes_on { 1 } else { ROW_BYTES_MIN };
            if begins && self.row(&bytes[at..], least) {
                self.lead.clear();
                self.lead.extend(lead.chars().take(LEAD_CHARS_MAX));
                return true;
            }
            at += 1;
            while at < bytes.len() && !line.is_char_boundary(at) {
                at += 1;
            }
        }
        false
    }

    fn row(&mut self, bytes: &[u8], least: usize) -> bool {
        self.offset = None;
        if let Some((offset, behind)) = offset(bytes)
            && self.groups(&bytes[behind..], 1, true)
        {
            self.offset = Some(offset);
            return true;
        }
        self.groups(bytes, least, false)
    }

    /// Reads groups of hexadecimal up to the line's end or its column of characters.
    fn groups(&mut self, bytes: &[u8], least: usize, has_offset: bool) -> bool {
        self.bytes.clear();
        let mut at = 0;
        loop {
            let group = bytes[at..].iter().take_while(|&&byte| is_sign(byte)).count();
            let is_single = group == 2;
            // An odd group, or one that a letter follows, is a word.
            let is_sound = group > 0
                && group.is_multiple_of(2)
                && !bytes.get(at + group).is_some_and(|&byte| is_word(byte));
            if !is_sound {
                break;
            }
            let nibble = |byte: u8| hex(byte).unwrap_or(MASKED_NIBBLE);
            let pairs = bytes[at..at + group].chunks_exact(2);
            self.bytes.extend(pairs.map(|pair| nibble(pair[0]) << 4 | nibble(pair[1])));
            at += group;
            if self.bytes.len() > MESSAGE_BYTES_MAX {
                return false;
            }
            let gap = bytes[at..].iter().take_while(|&&byte| is_gap(byte)).count();
            let blanks = bytes[at..at + gap].iter().take_while(|byte| matches!(byte, b' ' | b'\t'));
            let is_wide = blanks.count() >= 2;
            // The characters of a row are as many as its bytes.
            let rest = bytes.len() - (at + gap);
            let is_full = is_single
                && (self.bytes.len() == COLUMN_BYTES && (has_offset || is_wide)
                    || is_wide && rest == self.bytes.len());
            if at + gap == bytes.len() || is_full || gap == 0 {
                at += gap;
                break;
            }
            at += gap;
            at += match bytes.get(at..at + 2) {
                Some(b"0x" | b"\\x") => 2,
                _ => 0,
            };
        }
        let rest = bytes.len() - at.min(bytes.len());
        let shown = bytes[bytes.len() - rest..].trim_ascii();
        let shown = shown.strip_prefix(b"|").unwrap_or(shown);
        let is_column = shown.len() <= self.bytes.len() + 4 && self.bytes.len() <= 2 * COLUMN_BYTES;
        let is_full = has_offset || self.bytes.len() == COLUMN_BYTES || rest == self.bytes.len();
        let ends = shown.is_empty() || is_column && is_full;
        self.bytes.len() >= least && ends
    }
}

/// The column of offsets: four to eight digits, and a sign or two blanks behind them or a row of single bytes.
fn offset(bytes: &[u8]) -> Option<(usize, usize)> {
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    if !(4..=8).contains(&digits) {
        return None;
    }
    let sign = usize::from(matches!(bytes.get(digits), Some(b':' | b'h' | b'-' | b'|')));
    let blanks =
        bytes[digits + sign..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let behind = digits + sign + blanks;
    let is_byte = |at: usize| {
        let pair = bytes.get(at..at + 2);
        let is_pair = pair.is_some_and(|pair| pair.iter().all(|&byte| is_sign(byte)));
        is_pair && !bytes.get(at + 2).is_some_and(|&byte| is_word(byte) || is_sign(byte))
    };
    if (sign == 0 && blanks == 0) || !is_byte(behind) {
        return None;
    }
    let text = std::str::from_utf8(&bytes[..digits]).ok()?;
    Some((usize::from_str_radix(text, 16).ok()?, behind))
}

fn is_sign(byte: u8) -> bool {
    byte.is_ascii_hexdigit() || matches!(byte, b'*' | b'X' | b'x' | b'#')
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80 || matches!(byte, b'_' | b'.')
}

fn is_gap(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'-' | b':' | b',' | b'[' | b']' | b'"' | b'\'' | b'}' | b')')
}

impl Dump {
    /// What stands in front of its rows, while more are waited for.
    pub fn lead(&self) -> Option<&str> {
        self.open.as_ref().map(|open| open.lead.as_str())
    }

    /// When its first row was read.
    pub fn since(&self) -> Option<Uptime> {
        self.open.as_ref().map(|open| open.moment.at)
    }

    /// When its last row was read.
    pub fn last_at(&self) -> Option<Uptime> {
        self.open.as_ref().map(|open| open.last_at)
    }

    /// Whether a row belongs to the rows before it.
    pub fn goes_on(&self, row: &Row) -> bool {
        let Some(open) = &self.open else { return false };
        if let Some(offset) = row.offset {
            return open.has_offsets && offset == self.bytes.len();
        }
        let same_head = row.lead.is_empty() || row.lead == open.lead;
        !open.has_offsets
            && same_head
            && open.last_bytes == open.row_bytes
            && row.bytes.len() <= open.row_bytes
    }

    /// Takes a row; false when there are more bytes than any message has.
    pub fn take(&mut self, row: &Row, moment: Moment) -> bool {
        let open = self.open.get_or_insert_with(|| Open {
            moment,
            last_at: moment.at,
            lead: row.lead.clone(),
            row_bytes: row.bytes.len(),
            last_bytes: 0,
            has_offsets: row.offset.is_some(),
            lines: 0,
        });
        (open.last_at, open.last_bytes) = (moment.at, row.bytes.len());
        open.lines += 1;
        let fits = self.bytes.len() + row.bytes.len() <= MESSAGE_BYTES_MAX;
        if fits {
            self.bytes.extend_from_slice(&row.bytes);
        }
        fits
    }

    /// Whether a whole message is there, by its own length: what follows is another dump.
    pub fn is_whole(&self, layout: &Layout) -> bool {
        let [high, low, ..] = self.bytes[..] else { return false };
        layout.prefixes.contains(&Prefix::Be2)
            && (usize::from(high) << 8 | usize::from(low)) + 2 == self.bytes.len()
            && find(layout, &self.bytes)
                .is_some_and(|(_, message)| message.outcome == Outcome::Complete)
    }

    /// Ends it: when its first row was read, its bytes, and how many lines it had.
    pub fn close(&mut self) -> Option<(Moment, &[u8], u64)> {
        let open = self.open.take()?;
        std::mem::swap(&mut self.done, &mut self.bytes);
        self.bytes.clear();
        Some((open.moment, &self.done, open.lines))
    }
}

/// A message in a dump's bytes: where its type begins, and the message. What stands in front of it may be logged or not:
/// length, address and header, each without those before it.
pub(super) fn find(layout: &Layout, bytes: &[u8]) -> Option<(usize, Message)> {
    let header = layout.tpdu_bytes + layout.header_bytes;
    let ahead = layout.prefixes.iter().map(|prefix| prefix.bytes() + header);
    let mut best: Option<(usize, Message)> = None;
    for from in ahead.chain([header, layout.header_bytes, 0]) {
        let Some(body) = bytes.get(from..) else { continue };
        if mti(layout, body).is_none() {
            continue;
        }
        let bits = bitmap(layout, &body[layout.head.mti_bytes()..]);
        if bits.is_none_or(|bits| bits & (1 << (64 - 11)) == 0) {
            continue;
        }
        let message = read(layout, body);
        match message.outcome {
            Outcome::Complete => return Some((from, message)),
            _ => best = best.or(Some((from, message))),
        }
    }
    best
}
