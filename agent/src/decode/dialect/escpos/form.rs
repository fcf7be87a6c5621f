//! How long each ESC/POS command is. Raster images, fonts and two-dimensional codes carry bytes that look like commands, so
//! nothing is ever searched for: each command is walked over by its length.

/// Lead bytes.
pub(super) const ESC: u8 = 0x1b;
pub(super) const GS: u8 = 0x1d;
pub(super) const FS: u8 = 0x1c;
pub(super) const DLE: u8 = 0x10;

/// Most bytes of data that one command is believed to carry. The longest slip as one image has about a million.
pub(super) const DATA_BYTES_MAX: u64 = 2 * 1024 * 1024;

/// Most bytes of a list that ends with a zero: tabs, an old barcode.
const LIST_BYTES_MAX: u16 = 256;

/// The shape of a command behind its lead byte and letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// So many bytes.
    Params(u8),
    /// Up to a zero.
    List,
    /// A second letter, and so many bytes behind it.
    Second(&'static [(u8, u8)]),
    /// `*`: mode, columns, data of one or three bytes a column.
    Columns,
    /// `&`: glyphs, each with its own width.
    Glyphs,
    /// `v 0`: mode, width, height, data.
    Raster,
    /// `V`: a cut, some with a feed.
    Cut,
    /// `k`: old and new barcodes.
    Barcode,
    /// A function, a length of two bytes, data.
    Counted,
    /// The same with four bytes.
    CountedLong,
    /// `GS *`: width, height, data of eight bytes each.
    Downloaded,
    /// `FS 2`: a glyph of 24 by 24 dots.
    HanGlyph,
    /// `FS q`: images, each with its own size.
    Images,
}

use Form::{
    Barcode, Columns, Counted, CountedLong, Cut, Downloaded, Glyphs, HanGlyph, Images, List,
    Params, Raster, Second,
};

/// Letters and forms behind each lead byte.
const ESC_FORMS: &[(&[u8], Form)] = &[
    (b"@2imLS<\x0cv", Params(0)),
    (b"!-EGMRtadJeK{V rU3=%?Tu", Params(1)),
    // `B` beeps on the printers of Chinese makers, and so does `C`.
    (b"$\\Bc", Params(2)),
    (b"pC", Params(3)),
    (b"W", Params(8)),
    (b"D", List),
    (b"*", Columns),
    (b"&", Glyphs),
    (b"(", Counted),
];

const GS_FORMS: &[(&[u8], Form)] = &[
    (b":c", Params(0)),
    (b"!BHhwfarIb/T", Params(1)),
    (b"LWP$\\", Params(2)),
    (b"^", Params(3)),
    (b"V", Cut),
    (b"k", Barcode),
    (b"v", Raster),
    (b"*", Downloaded),
    (b"(", Counted),
    (b"8", CountedLong),
    (b"C", Second(&[(b'0', 2), (b'1', 6), (b'2', 2)])),
    (b"g", Second(&[(b'0', 3), (b'2', 3)])),
    (b"z", Second(&[(b'0', 2)])),
];

const FS_FORMS: &[(&[u8], Form)] = &[
    (b"&.v", Params(0)),
    (b"!-WC", Params(1)),
    (b"Sp", Params(2)),
    (b"2", HanGlyph),
    (b"q", Images),
    (b"(", Counted),
];

/// `DLE DC4 8` clears the buffers, and is believed with these bytes behind it alone.
const CLEAR: [u8; 7] = [0x01, 0x03, 0x14, 0x01, 0x06, 0x02, 0x08];

/// What follows the head of a command that was read so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The next byte is needed to tell.
    More,
    /// It is whole.
    Whole,
    /// So many bytes of data.
    Data(u64),
    /// A list that ends with a zero, with so many bytes at most.
    List(u16),
    /// So many glyphs of so many bytes a column.
    Glyphs { left: u16, column_bytes: u8 },
    /// So many images.
    Images { left: u8 },
    /// No such command.
    Unknown,
}

/// What follows `head`, which begins with a lead byte.
pub(super) fn step(head: &[u8]) -> Step {
    let forms = match head[0] {
        ESC => ESC_FORMS,
        GS => GS_FORMS,
        FS => FS_FORMS,
        _ => return real_time(head),
    };
    let Some(letter) = head.get(1) else { return Step::More };
    match forms.iter().find(|(letters, _)| letters.contains(letter)) {
        Some((_, form)) => form.step(head),
        None => Step::Unknown,
    }
}

/// The commands that a printer obeys when they arrive, whatever waits in its buffer.
fn real_time(head: &[u8]) -> Step {
    match *head {
        [_] | [_, 0x04 | 0x05 | 0x14] => Step::More,
        [_, 0x04, 7 | 8] => Step::More,
        [_, 0x04, 1..=6 | 0x14, ..] | [_, 0x04, 7 | 8, _] => Step::Whole,
        [_, 0x05, n] if n <= 3 => Step::Whole,
        [_, 0x14, 1 | 2, ..] => until(head, 5),
        [_, 0x14, 3, ..] => until(head, 8),
        [_, 0x14, 7, ..] => until(head, 4),
        [_, 0x14, 8, ref bytes @ ..] if CLEAR.starts_with(bytes) => until(head, 10),
        _ => Step::Unknown,
    }
}

/// Whole once the head has so many bytes.
fn until(head: &[u8], length: usize) -> Step {
    if head.len() < length { Step::More } else { Step::Whole }
}

/// Data behind a head of so many bytes.
fn data(head: &[u8], length: usize, bytes: impl FnOnce() -> Option<u64>) -> Step {
    if head.len() < length {
        return Step::More;
    }
    match bytes() {
        Some(0) => Step::Whole,
        Some(bytes) if bytes <= DATA_BYTES_MAX => Step::Data(bytes),
        _ => Step::Unknown,
    }
}

/// A number of two bytes, the low one first.
pub(super) fn word(low_high: &[u8]) -> u64 {
    u64::from(low_high[0]) | u64::from(low_high[1]) << 8
}

impl Form {
    fn step(self, head: &[u8]) -> Step {
        match self {
            Form::Params(count) => until(head, 2 + usize::from(count)),
            Form::List => Step::List(LIST_BYTES_MAX),
            Form::Second(known) => {
                let Some(second) = head.get(2) else { return Step::More };
                match known.iter().find(|(letter, _)| letter == second) {
                    Some((_, count)) => until(head, 3 + usize::from(*count)),
                    None => Step::Unknown,
                }
            }
            Form::Columns => data(head, 5, || {
                let bytes = match head[2] {
                    0 | 1 => 1,
                    32 | 33 => 3,
                    _ => return None,
                };
                Some(word(&head[3..5]) * bytes)
            }),
            Form::Glyphs => glyphs(head),
            Form::Raster => match head.get(2) {
                Some(b'0') => data(head, 8, || {
                    let is_mode = matches!(head[3], 0..=3 | b'0'..=b'3');
                    is_mode.then(|| word(&head[4..6]) * word(&head[6..8]))
                }),
                Some(_) => Step::Unknown,
                None => Step::More,
            },
            Form::Cut => match head.get(2) {
                None => Step::More,
                Some(0 | 1 | b'0' | b'1') => Step::Whole,
                Some(65 | 66 | 97 | 98 | 103 | 104) => until(head, 4),
                Some(_) => Step::Unknown,
            },
            Form::Barcode => barcode(head),
            Form::Counted => match head.get(2) {
                Some(letter) if !letter.is_ascii_alphabetic() => Step::Unknown,
                _ => data(head, 5, || Some(word(&head[3..5]))),
            },
            Form::CountedLong => match head.get(2) {
                Some(letter) if !letter.is_ascii_alphabetic() => Step::Unknown,
                _ => data(head, 7, || Some(word(&head[3..5]) | word(&head[5..7]) << 16)),
            },
            Form::Downloaded => data(head, 4, || {
                let bytes = u64::from(head[2]) * u64::from(head[3]) * 8;
                (bytes > 0).then_some(bytes)
            }),
            Form::HanGlyph => data(head, 4, || Some(72)),
            Form::Images => match head.get(2) {
                None => Step::More,
                Some(0) => Step::Unknown,
                Some(left) => Step::Images { left: *left },
            },
        }
    }
}

/// `ESC & y c1 c2`, then for each sign its width and as many columns.
fn glyphs(head: &[u8]) -> Step {
    match *head {
        [_, _, column_bytes, first, last, ..] => {
            let sound = (1..=6).contains(&column_bytes) && (0x20..=last).contains(&first);
            let left = u16::from(last).wrapping_sub(u16::from(first)).wrapping_add(1);
            if sound { Step::Glyphs { left, column_bytes } } else { Step::Unknown }
        }
        _ => Step::More,
    }
}

/// `GS k m`: data up to a zero, or counted; `97` is a two-dimensional code on the printers of Chinese makers.
fn barcode(head: &[u8]) -> Step {
    match head.get(2) {
        None => Step::More,
        Some(0..=6) => Step::List(LIST_BYTES_MAX),
        Some(65..=79) => data(head, 4, || Some(u64::from(head[3]))),
        Some(97) => data(head, 7, || Some(word(&head[5..7]))),
        Some(_) => Step::Unknown,
    }
}

/// How many bytes an image of `FS q` has behind the four of its size.
pub(super) fn image_bytes(size: [u8; 4]) -> Option<u64> {
    let bytes = word(&size[..2]) * word(&size[2..]) * 8;
    (bytes > 0 && bytes <= DATA_BYTES_MAX).then_some(bytes)
}
