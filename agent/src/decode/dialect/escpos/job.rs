//! The job that goes to the printer: what was printed since the last cut. Holds text as it came, unscrubbed and bounded;
//! what leaves it is read and scrubbed as a whole.

use crate::decode::dialect::slip_text::{self, Hint, ReadSlip};
use slipwatch_shared::event::Keys;
use slipwatch_shared::money::Currency;
use slipwatch_shared::times::Uptime;
use std::fmt;

/// Most text of one job that is kept. A slip of a metre has some 300 lines.
const TEXT_BYTES_MAX: usize = 32 * 1024;

/// A feed of so many lines is an end, on printers that cannot cut.
const END_FEED_LINES: u32 = 3;

/// Stands in the text where the printer was reset amid the job. No line holds it.
const RESET: char = '\u{c}';

/// Dots of one line.
const LINE_DOTS: u32 = 30;

/// What was printed since the last cut.
#[derive(Default)]
pub(super) struct Job {
    /// When its first sign came.
    begun_at: Option<Uptime>,
    /// Its lines, each with its end.
    text: String,
    /// Rows of dots, and bytes of images.
    rows: u64,
    image_bytes: u64,
    /// Lines fed since something was printed.
    fed_lines: u32,
    /// It has the words or the rows of a slip.
    is_slip: bool,
    /// Something is in the printer's page that was not printed yet.
    page: Page,
}

/// Whether a page is being set up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Page {
    #[default]
    Off,
    Empty,
    Filled,
}

/// Card numbers may stand in the text.
impl fmt::Debug for Job {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text_bytes = &self.text.len();
        out.debug_struct("Job").field("text_bytes", text_bytes).finish_non_exhaustive()
    }
}

impl Job {
    /// When its first sign came; `None` while there is none.
    pub fn begun_at(&self) -> Option<Uptime> {
        self.begun_at
    }

    /// Whether it has the words or the rows of a slip.
    pub fn is_slip(&self) -> bool {
        self.is_slip
    }

    /// Whether the paper was fed far enough to be torn off.
    pub fn is_fed(&self) -> bool {
        self.fed_lines >= END_FEED_LINES
    }

    /// A line was printed, perhaps an empty one.
    pub fn line(&mut self, line: &str, at: Uptime, hint: &mut Hint) {
        if line.trim().is_empty() {
            self.feed(1);
        } else {
            self.begin(at);
            self.is_slip = self.is_slip || hint.is_of_slip(line);
        }
        if self.text.len() + line.len() < TEXT_BYTES_MAX {
            self.text.push_str(line);
            self.text.push('\n');
        }
    }

    /// The paper was fed.
    pub fn feed(&mut self, lines: u32) {
        self.fed_lines = self.fed_lines.saturating_add(lines);
    }

    /// The paper was fed by dots.
    pub fn feed_dots(&mut self, dots: u32) {
        self.feed(dots / LINE_DOTS);
    }

    /// An image of so many rows was printed.
    pub fn image(&mut self, rows: u64, bytes: u64, at: Uptime, slip_rows_min: u64) {
        self.begin(at);
        self.rows = self.rows.saturating_add(rows);
        self.image_bytes = self.image_bytes.saturating_add(bytes);
        self.is_slip |= self.is_raster_slip(slip_rows_min);
    }

    /// Whether it is one long image and nothing else. Text between images is read, and no image counts beside it.
    fn is_raster_slip(&self, slip_rows_min: u64) -> bool {
        self.rows >= slip_rows_min && self.text.trim().is_empty()
    }

    /// Something else was printed: a barcode, a stored logo.
    pub fn ornament(&mut self, at: Uptime) {
        self.begin(at);
    }

    /// The printer was reset: perhaps amid a slip, perhaps behind one whose cut was lost.
    pub fn reset(&mut self) {
        if self.begun_at.is_some() && self.text.len() < TEXT_BYTES_MAX {
            self.text.push(RESET);
        }
        self.page = Page::Off;
    }

    /// A page is set up from here on, and printed at once.
    pub fn begin_page(&mut self) {
        self.page = Page::Empty;
    }

    /// The page was printed, or there is none any more.
    pub fn end_page(&mut self) {
        self.page = Page::Off;
    }

    /// Whether signs are in a page that was not printed.
    pub fn has_unprinted_page(&self) -> bool {
        self.page == Page::Filled
    }

    fn begin(&mut self, at: Uptime) {
        self.begun_at.get_or_insert(at);
        self.fed_lines = 0;
        if self.page == Page::Empty {
            self.page = Page::Filled;
        }
    }

    /// The slips that it holds so far, scrubbed. An image of `slip_rows_min` rows is a slip whose text cannot be read; without
    /// `needs_keys` any text is one.
    pub fn slips(
        &self,
        currency: Option<Currency>,
        slip_rows_min: u64,
        needs_keys: bool,
    ) -> Vec<ReadSlip> {
        let mut slips = self.read(currency);
        if !slips.is_empty() {
            return slips;
        }
        let has_text = !needs_keys && !self.text.trim().is_empty();
        if self.is_raster_slip(slip_rows_min) {
            let facts = format!("[raster: {} rows, {} bytes]", self.rows, self.image_bytes);
            slips.push(ReadSlip::unread(facts));
        } else if has_text {
            let lines = slip_text::scrub(self.text.lines());
            slips.push(ReadSlip::unread(lines.join("\n")));
        }
        slips
    }

    /// A reset parts two slips if both show a number that a payment has but one of.
    fn read(&self, currency: Option<Currency>) -> Vec<ReadSlip> {
        if self.text.contains(RESET) {
            let parts = || self.text.split(RESET);
            let slips: Vec<ReadSlip> =
                parts().flat_map(|part| slip_text::read(part.lines(), currency)).collect();
            let shows = |shown: fn(&Keys) -> bool| {
                slips.iter().filter(|slip| shown(&slip.slip.keys)).count() > 1
            };
            let is_parted = shows(|keys| keys.stan.is_some())
                || shows(|keys| keys.rrn.is_some())
                || shows(|keys| keys.authorization_code.is_some())
                || shows(|keys| keys.order_number.is_some());
            if is_parted {
                return slips;
            }
        }
        slip_text::read(self.text.split(['\n', RESET]), currency)
    }
}
