//! Lines: cut at LF, CR LF or CR. Never holds more than [`LINE_BYTES_MAX`] bytes of an unfinished line beside what
//! was just pushed, and cuts the same lines however the bytes were chunked.

use memchr::memchr2;

/// Longest line that is looked at. A device's log line is 150 bytes, a hex dump of an EMV answer 1 KiB; what is
/// longer is noise (wrong baud rate, a binary upload) and is counted, not kept.
pub const LINE_BYTES_MAX: usize = 8 * 1024;

/// What was cut off the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut<'a> {
    /// A whole line without its end; may be empty.
    Line(&'a [u8]),
    /// This many bytes of a line that is longer than [`LINE_BYTES_MAX`].
    Overlong(usize),
}

/// Cuts lines out of a stream of bytes.
#[derive(Debug, Default)]
pub struct LineFramer {
    pending: Vec<u8>,
    /// Where in `pending` the unfinished line begins.
    start: usize,
    /// How far behind `start` no line end was found.
    searched: usize,
    /// The last line ended in CR: an LF right behind it belongs to it.
    after_cr: bool,
    /// The line is overlong: cut noise up to its end.
    overlong: bool,
}

impl LineFramer {
    /// Takes the next bytes of the stream. Call [`LineFramer::next_cut`] until `None` before the next push.
    pub fn push(&mut self, bytes: &[u8]) {
        self.pending.drain(..self.start);
        self.start = 0;
        self.pending.extend_from_slice(bytes);
    }

    /// The next cut, or `None` until more bytes arrive.
    pub fn next_cut(&mut self) -> Option<Cut<'_>> {
        if self.after_cr && self.start < self.pending.len() {
            self.after_cr = false;
            if self.pending[self.start] == b'\n' {
                self.start += 1;
            }
        }
        let line = self.start;
        let within = (line + LINE_BYTES_MAX).min(self.pending.len());
        let Some(found) = memchr2(b'\n', b'\r', &self.pending[line + self.searched..within]) else {
            self.searched = within - line;
            return (self.searched == LINE_BYTES_MAX).then(|| self.cut_overlong());
        };
        let end = line + self.searched + found;
        self.after_cr = self.pending[end] == b'\r';
        self.start = end + 1;
        self.searched = 0;
        if std::mem::take(&mut self.overlong) {
            return Some(Cut::Overlong(end - line));
        }
        Some(Cut::Line(&self.pending[line..end]))
    }

    /// The stream ended: the unfinished line's bytes, if any, and a fresh start.
    pub fn finish(&mut self) -> Option<Cut<'_>> {
        let left = self.start;
        self.start = self.pending.len();
        self.searched = 0;
        self.after_cr = false;
        if std::mem::take(&mut self.overlong) {
            return Some(Cut::Overlong(self.pending.len() - left));
        }
        let torn = &self.pending[left..];
        (!torn.is_empty()).then_some(Cut::Line(torn))
    }

    fn cut_overlong(&mut self) -> Cut<'static> {
        self.start += LINE_BYTES_MAX;
        self.searched = 0;
        self.overlong = true;
        Cut::Overlong(LINE_BYTES_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A cut that owns its bytes.
    #[derive(Clone, Debug, PartialEq, Eq)]
    enum Owned {
        Line(Vec<u8>),
        Overlong(usize),
    }

    fn line(text: &str) -> Owned {
        Owned::Line(text.as_bytes().to_vec())
    }

    fn own(cut: Cut<'_>) -> Owned {
        match cut {
            Cut::Line(bytes) => Owned::Line(bytes.to_vec()),
            Cut::Overlong(bytes) => Owned::Overlong(bytes),
        }
    }

    fn cuts_of<'a>(chunks: impl Iterator<Item = &'a [u8]>) -> Vec<Owned> {
        let mut framer = LineFramer::default();
        let mut cuts = Vec::new();
        for chunk in chunks {
            framer.push(chunk);
            while let Some(cut) = framer.next_cut() {
                cuts.push(own(cut));
            }
            assert!(framer.pending.len() - framer.start <= LINE_BYTES_MAX, "bounded");
        }
        cuts.extend(framer.finish().map(own));
        cuts
    }

    #[track_caller]
    fn check(stream: &[u8], expected: &[Owned]) {
        for chunk_bytes in 1..=stream.len().max(1) {
            assert_eq!(cuts_of(stream.chunks(chunk_bytes)), expected, "in chunks of {chunk_bytes}");
        }
    }

    #[test]
    fn every_line_end_cuts_once() {
        check(b"", &[]);
        check(b"a\nb\n", &[line("a"), line("b")]);
        check(b"a\r\nb\r\n", &[line("a"), line("b")]);
        check(b"a\rb\r", &[line("a"), line("b")]);
        check(b"a\n\nb", &[line("a"), line(""), line("b")]);
        check(b"a\r\n\r\nb", &[line("a"), line(""), line("b")]);
        check(b"a\r\r\nb", &[line("a"), line(""), line("b")]);
        check(b"\n\r\n", &[line(""), line("")]);
    }

    #[test]
    fn an_overlong_line_is_noise_and_the_next_one_is_sound() {
        let mut stream = vec![b'x'; LINE_BYTES_MAX + 3];
        stream.extend_from_slice(b"\nab\n");
        for chunk_bytes in [1, 7, 4096, LINE_BYTES_MAX, stream.len()] {
            assert_eq!(
                cuts_of(stream.chunks(chunk_bytes)),
                [Owned::Overlong(LINE_BYTES_MAX), Owned::Overlong(3), line("ab")]
            );
        }
    }

    proptest! {
        #[test]
        fn any_chunking_cuts_the_same_lines(
            stream in prop::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), any::<u8>()], 0..300),
            sizes in prop::collection::vec(1_usize..40, 1..20),
        ) {
            let whole = cuts_of(std::iter::once(stream.as_slice()));
            let mut rest = stream.as_slice();
            let mut chunks = Vec::new();
            for size in sizes.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (chunk, behind) = rest.split_at((*size).min(rest.len()));
                chunks.push(chunk);
                rest = behind;
            }
            prop_assert_eq!(cuts_of(chunks.into_iter()), whole);
        }
    }
}
