//! A printer as the stream drives it: which lines, cuts and images come of the commands, and what is asked of it. Judges
//! nothing.

use super::form::{DLE, ESC, FS, GS, word};
use super::profile::Settings;
use super::question::Buffered;
use super::text::Text;
use super::token::Token;

/// What a piece of the stream does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect<'e> {
    /// A line is printed, perhaps an empty one.
    Line(&'e str),
    /// So many rows of dots are printed, from so many bytes.
    Image {
        /// Rows.
        rows: u64,
        /// Bytes.
        bytes: u64,
    },
    /// A barcode, a two-dimensional code or a stored logo is printed.
    Ornament,
    /// The paper is fed by lines.
    Feed(u32),
    /// The paper is fed by dots.
    FeedDots(u32),
    /// The paper is cut.
    Cut,
    /// The printer is as if just switched on; what stands in an unfinished line or page goes.
    Reset,
    /// The printer throws away all that it did not print yet.
    Clear,
    /// A page is set up from here on.
    PageBegun,
    /// The page is printed.
    PagePrinted,
    /// The page is thrown away.
    PageDropped,
    /// `DLE EOT`.
    AskRealTime(u8),
    /// A question that is answered in its turn.
    AskBuffered(Buffered),
    /// `GS a`.
    AskAutomatic,
    /// The drawer is kicked.
    Drawer,
    /// No such command.
    Unknown,
    /// Nothing that concerns slips.
    Nothing,
}

/// The printer's state.
#[derive(Debug)]
pub(super) struct Printer {
    text: Text,
    /// A carriage return came; alone it ends the line.
    is_returned: bool,
    /// Rows and bytes of an image that was stored, to be printed by a later command.
    stored: (u64, u64),
    is_in_page: bool,
}

impl Printer {
    /// Just switched on.
    pub fn new(settings: &Settings) -> Printer {
        Printer {
            text: Text::new(settings.start, settings.table(settings.start.table)),
            is_returned: false,
            stored: (0, 0),
            is_in_page: false,
        }
    }

    /// Takes the next piece of the stream. Calls `out` with each thing that it does, in order.
    pub fn take(&mut self, token: Token<'_>, settings: &Settings, out: &mut dyn FnMut(Effect<'_>)) {
        match token {
            Token::Text(bytes) => {
                self.end_returned_line(out);
                self.text.push(bytes, |line| out(Effect::Line(line)));
            }
            Token::Control(byte) => self.control(byte, out),
            // Obeyed when it arrives; what waits in the buffer goes on behind it.
            Token::RealTime(bytes) => {
                let effect = real_time(bytes);
                if effect == Effect::Clear {
                    self.text.drop_line();
                }
                out(effect);
            }
            Token::Unknown => {
                self.text.part();
                out(Effect::Unknown);
            }
            Token::Command(bytes, length) => {
                self.text.part();
                self.end_returned_line(out);
                let effect = self.command(bytes, length, settings);
                let ends_line = matches!(
                    effect,
                    Effect::Cut | Effect::Feed(_) | Effect::FeedDots(_) | Effect::Image { .. }
                );
                if ends_line {
                    self.end_begun_line(out);
                }
                out(effect);
            }
        }
    }

    /// The stream has ended: an unfinished line is taken for a line.
    pub fn finish(&mut self, out: &mut dyn FnMut(Effect<'_>)) {
        self.is_returned = false;
        self.end_begun_line(out);
    }

    fn end_line(&mut self, out: &mut dyn FnMut(Effect<'_>)) {
        self.is_returned = false;
        self.text.end_line(|line| out(Effect::Line(line)));
    }

    fn end_begun_line(&mut self, out: &mut dyn FnMut(Effect<'_>)) {
        if self.text.is_begun() {
            self.end_line(out);
        }
    }

    fn end_returned_line(&mut self, out: &mut dyn FnMut(Effect<'_>)) {
        if std::mem::take(&mut self.is_returned) {
            self.end_begun_line(out);
        }
    }

    fn control(&mut self, byte: u8, out: &mut dyn FnMut(Effect<'_>)) {
        self.text.part();
        match byte {
            b'\n' => self.end_line(out),
            b'\r' => self.is_returned = true,
            b'\t' => self.text.gap(),
            0x0c => {
                self.end_begun_line(out);
                self.is_in_page = false;
                out(Effect::PagePrinted);
            }
            0x18 if self.is_in_page => {
                self.text.drop_line();
                out(Effect::PageDropped);
            }
            _ => {}
        }
    }

    fn command<'e>(&mut self, bytes: &[u8], length: u64, settings: &Settings) -> Effect<'e> {
        let text = &mut self.text;
        match *bytes {
            [ESC, b'@', ..] => {
                text.reset(settings.table(settings.start.table));
                self.is_in_page = false;
                return Effect::Reset;
            }
            [ESC, b't', number, ..] => text.set_table(settings.table(number)),
            [ESC, b'R', set, ..] => text.set_national(set),
            [ESC, b'!', mode, ..] => {
                text.set_narrow(mode & 0x01 != 0);
                text.set_sign_width(if mode & 0x20 != 0 { 2 } else { 1 });
            }
            [ESC, b'M', font, ..] => text.set_narrow(!matches!(font, 0 | b'0')),
            [GS, b'!', size, ..] => text.set_sign_width(u16::from((size >> 4) & 0x07) + 1),
            [ESC, b'$' | b'\\', ..] => text.gap(),
            [FS, b'&', ..] => text.set_wide(true),
            [FS, b'.', ..] => text.set_wide(false),
            [ESC, b'd', lines, ..] => return Effect::Feed(lines.into()),
            [ESC, b'J', dots, ..] => return Effect::FeedDots(dots.into()),
            [ESC, b'e' | b'K', ..] => return Effect::Feed(0),
            [ESC, b'i' | b'm', ..] | [GS, b'V', ..] => return Effect::Cut,
            [ESC, b'p', ..] => return Effect::Drawer,
            [ESC, b'L', ..] => {
                self.is_in_page = true;
                return Effect::PageBegun;
            }
            [ESC, b'S', ..] if self.is_in_page => {
                self.is_in_page = false;
                text.drop_line();
                return Effect::PageDropped;
            }
            [ESC | FS, b'v', ..] | [GS, b'r', 1 | b'1', ..] => {
                return Effect::AskBuffered(Buffered::Paper);
            }
            [GS, b'r', ..] | [ESC, b'u', ..] | [GS, b'I', 1..=3 | b'1'..=b'3', ..] => {
                return Effect::AskBuffered(Buffered::Single);
            }
            [GS, b'I', ..] => return Effect::AskBuffered(Buffered::Block),
            [GS, b'a', switches, ..] if switches != 0 => return Effect::AskAutomatic,
            [GS, b'(', b'H', 6, 0, b'0', b'0', a, b, c, d, ..] => {
                return Effect::AskBuffered(Buffered::ProcessId([a, b, c, d]));
            }
            [GS, b'(', b'k', ..] if !prints_code(bytes) => {}
            [GS, b'k' | b'/', ..] | [GS, b'(', b'k', ..] | [FS, b'p', ..] => {
                return Effect::Ornament;
            }
            _ => return self.image(bytes, length),
        }
        Effect::Nothing
    }

    /// Images: how many rows of dots.
    fn image<'e>(&mut self, bytes: &[u8], length: u64) -> Effect<'e> {
        let rows = match *bytes {
            [GS, b'v', b'0', mode, _, _, low, high, ..] => {
                word(&[low, high]) * if mode & 0x02 != 0 { 2 } else { 1 }
            }
            [ESC, b'*', 32 | 33, ..] => 24,
            [ESC, b'*', ..] => 8,
            [GS, b'(', b'L', _, _, b'0', function, ref rest @ ..]
            | [GS, b'8', b'L', _, _, _, _, b'0', function, ref rest @ ..] => {
                return self.graphics(function, rest, length);
            }
            _ => return Effect::Nothing,
        };
        Effect::Image { rows, bytes: length }
    }

    /// `GS ( L`: one function stores an image, another prints it.
    fn graphics<'e>(&mut self, function: u8, rest: &[u8], length: u64) -> Effect<'e> {
        match (function, rest) {
            // Tone, two scales, colour, width, height.
            (112, [_, _, scale, _, _, _, low, high, ..]) => {
                self.stored = (word(&[*low, *high]) * u64::from((*scale).clamp(1, 2)), length);
                Effect::Nothing
            }
            (2 | 50, _) => {
                let (rows, bytes) = std::mem::take(&mut self.stored);
                Effect::Image { rows, bytes }
            }
            _ => Effect::Nothing,
        }
    }
}

/// Whether `GS ( k` prints a two-dimensional code; its other functions set one up.
fn prints_code(bytes: &[u8]) -> bool {
    matches!(bytes, [_, _, _, _, _, _, 81, ..])
}

/// The commands that are obeyed when they arrive.
fn real_time<'e>(bytes: &[u8]) -> Effect<'e> {
    match *bytes {
        [DLE, 0x04, n, ..] => Effect::AskRealTime(n),
        [DLE, 0x05, 2] | [DLE, 0x14, 8, ..] => Effect::Clear,
        _ => Effect::Nothing,
    }
}
