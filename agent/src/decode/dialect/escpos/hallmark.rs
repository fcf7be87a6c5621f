//! Commands that tell a printer's line from any other: usual ones, of which every job has some, with values that make
//! sense. Of a thousand bytes of noise not one in ten holds one. Searched for anywhere: it is a hint, and no reading.

use crate::decode::dialect::Hallmarks;

/// The most bytes that one of them takes.
pub(in crate::decode) const BYTES_MAX: usize = 3;

/// Those that begin in `bytes`.
pub(super) fn find(bytes: &[u8]) -> Hallmarks {
    let mut found = Hallmarks::default();
    for kind in (0..bytes.len()).filter_map(|at| begins(&bytes[at..])) {
        found.count += 1;
        found.kinds |= 1 << kind;
    }
    found
}

/// Which of them these bytes begin with.
fn begins(bytes: &[u8]) -> Option<u8> {
    let third = bytes.get(2);
    let is = |usual: &[u8]| third.is_some_and(|value| usual.contains(value));
    let fits = |usual: fn(&u8) -> bool| third.is_some_and(usual);
    let (kind, is_usual) = match bytes {
        // Initialise; line spacing as at the start; Chinese signs on and off.
        [0x1b, b'@', ..] => (0, true),
        [0x1b, b'2', ..] => (1, true),
        [0x1c, b'&' | b'.', ..] => (2, true),
        // Emphasis, underline, justification, font; feed; code table; drawer.
        [0x1b, b'E' | b'-' | b'a' | b'M', ..] => (3, is(b"\x00\x01\x02012")),
        [0x1b, b'd', ..] => (4, fits(|lines| (1..=20).contains(lines))),
        [0x1b, b't', ..] => (5, fits(|table| *table <= 60)),
        [0x1b, b'p', ..] => (6, is(b"\x00\x0101")),
        // Cut; size of signs; images and codes; barcodes; the questions behind a job.
        [0x1d, b'V', ..] => (7, is(b"\x00\x0101ABab")),
        [0x1d, b'!', ..] => (8, fits(|size| size & 0x88 == 0)),
        [0x1d, b'v', ..] => (9, is(b"0")),
        [0x1d, b'(', ..] => (10, is(b"kLHAEKND")),
        [0x1d, b'k', ..] => (11, fits(|kind| *kind <= 6 || (65..=79).contains(kind))),
        [0x1d, b'r', ..] => (12, is(b"\x01\x0212")),
        [0x10, 0x04, ..] => (13, fits(|which| (1..=8).contains(which))),
        _ => return None,
    };
    is_usual.then_some(kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_has_some_and_text_has_none() {
        let found = find(b"\x1b@\x1ba\x01TOTAL 1.00\n\x1ba\x00\x1bd\x03\x1dVA\x03");
        assert_eq!((found.count, found.kinds.count_ones()), (5, 4));
        assert_eq!(find(b"<log realm=\"a\">\n  1b 40 ESC @ GS V\n</log>\n"), Hallmarks::default());
        assert_eq!(find(b"\x1b"), Hallmarks::default());
    }

    #[test]
    fn noise_holds_hardly_any() {
        let noise = (0..100_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8);
        assert!(find(&noise.collect::<Vec<u8>>()).count < 15);
    }
}
