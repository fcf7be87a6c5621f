//! What a frame carries, taken apart: tags, parts between separators, columns of fixed width, or positions. Holds where
//! each stands; copies nothing.

use std::ops::Range;

/// Most parts of one body; what stands behind them is not looked at.
const PARTS_MAX: usize = 256;

/// How deep containers may lie in containers.
const DEPTH_MAX: usize = 4;

/// How a body is taken apart.
#[derive(Debug)]
pub(super) enum Form {
    /// Tag, length, value; the values of these tags hold more of it.
    Tlv(Vec<u32>),
    /// Parts between separators, counted from 1.
    Separated(u8),
    /// By position alone, counted from 1.
    Positions,
    /// Columns; which layout it is shows by its length.
    Fixed(Vec<Layout>),
}

/// The columns of one kind of body.
#[derive(Debug)]
pub(super) struct Layout {
    pub name: Box<str>,
    pub columns: Vec<(Box<str>, Range<usize>)>,
}

impl Layout {
    /// How long a body of it is.
    pub fn bytes(&self) -> usize {
        self.columns.last().map_or(0, |column| column.1.end)
    }
}

/// Where something stands in a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Address {
    /// All of it.
    Whole,
    /// The value of a tag, or the part of this number.
    Numbered(u32),
    /// These bytes, as far as there are any.
    Span(Range<usize>),
}

/// A body's parts.
#[derive(Clone, Debug, Default)]
pub(super) struct Parts {
    /// Tag or number of each, and where it stands.
    numbered: Vec<(u32, Range<usize>)>,
    /// Which layout a body of columns has.
    pub layout: Option<usize>,
    /// It ended before its own lengths said so.
    pub broken: bool,
}

impl Parts {
    /// Where an address stands; `None` where the body has no such part.
    pub fn find(&self, address: &Address, bytes: usize) -> Option<Range<usize>> {
        match address {
            Address::Whole => Some(0..bytes),
            Address::Numbered(number) => {
                let found = self.numbered.iter().find(|part| part.0 == *number);
                found.map(|part| part.1.clone())
            }
            Address::Span(span) => (span.start < bytes).then(|| span.start..span.end.min(bytes)),
        }
    }

    /// All tags or numbered parts, in order.
    pub fn iter(&self) -> impl Iterator<Item = &(u32, Range<usize>)> {
        self.numbered.iter()
    }
}

impl Form {
    /// Takes a body apart.
    pub fn cut(&self, body: &[u8], parts: &mut Parts) {
        parts.numbered.clear();
        parts.layout = None;
        parts.broken = false;
        match self {
            Form::Tlv(nested) => tags(body, 0..body.len(), nested, 0, parts),
            Form::Separated(separator) => {
                let mut from = 0;
                let pieces = body.split(|byte| byte == separator).take(PARTS_MAX);
                for (number, piece) in (1..).zip(pieces) {
                    parts.numbered.push((number, from..from + piece.len()));
                    from += piece.len() + 1;
                }
            }
            Form::Positions => {}
            Form::Fixed(layouts) => {
                parts.layout = layouts.iter().position(|layout| layout.bytes() == body.len());
            }
        }
    }
}

/// Adds the tags of a range, and of the containers in it.
fn tags(body: &[u8], range: Range<usize>, nested: &[u32], depth: usize, parts: &mut Parts) {
    let mut at = range.start;
    while at < range.end && parts.numbered.len() < PARTS_MAX {
        if body[at] == 0 {
            at += 1;
            continue;
        }
        let read = tag(&body[at..range.end]).and_then(|(tag, head)| {
            let (length, more) = length(&body[at + head..range.end])?;
            Some((tag, at + head + more, length))
        });
        let Some((tag, from, length)) = read else {
            parts.broken = true;
            return;
        };
        let to = (from + length).min(range.end);
        parts.broken |= from + length > range.end;
        parts.numbered.push((tag, from..to));
        if nested.contains(&tag) && depth < DEPTH_MAX {
            tags(body, from..to, nested, depth + 1, parts);
        }
        at = to;
    }
}

/// A tag of one to three bytes (ISO/IEC 8825-1), and how many they are.
fn tag(bytes: &[u8]) -> Option<(u32, usize)> {
    let first = *bytes.first()?;
    let mut tag = u32::from(first);
    if first & 0x1f != 0x1f {
        return Some((tag, 1));
    }
    for at in 1..3 {
        let byte = *bytes.get(at)?;
        tag = (tag << 8) | u32::from(byte);
        if byte & 0x80 == 0 {
            return Some((tag, at + 1));
        }
    }
    Some((tag, 3))
}

/// A length of one byte, or of one or two behind `81` and `82`; and how many bytes it takes.
fn length(bytes: &[u8]) -> Option<(usize, usize)> {
    match *bytes {
        [length @ ..=0x7f, ..] => Some((usize::from(length), 1)),
        [0x81, length, ..] => Some((usize::from(length), 2)),
        [0x82, high, low, ..] => Some((usize::from(u16::from_be_bytes([high, low])), 3)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(form: &Form, body: &[u8], expected: &[(u32, &[u8])], broken: bool) {
        let mut parts = Parts::default();
        form.cut(body, &mut parts);
        let found: Vec<(u32, &[u8])> =
            parts.iter().map(|(number, range)| (*number, &body[range.clone()])).collect();
        assert_eq!((found.as_slice(), parts.broken), (expected, broken));
    }

    #[test]
    fn tags_and_their_containers_are_found() {
        let form = Form::Tlv(vec![0xdf06]);
        check(
            &form,
            b"\xdf\x01\x01\x02\xdf\x02\x01\x45",
            &[(0xdf01, b"\x02"), (0xdf02, b"E")],
            false,
        );
        let inner = b"\xdf\x07\x0200";
        let outer = [b"\xdf\x06\x81\x05".as_slice(), inner, b"\x00\x8a\x01x"].concat();
        check(&form, &outer, &[(0xdf06, inner), (0xdf07, b"00"), (0x8a, b"x")], false);
        check(&form, b"\xdf\x06\x82\x00\x01", &[(0xdf06, b"")], true);
        check(&form, b"\xdf\x01\x05ab", &[(0xdf01, b"ab")], true);
        check(&form, b"\xdf", &[], true);
        check(&form, b"\xdf\x01\x83", &[], true);
        check(&form, b"\x9f\x81\x01\x01x", &[(0x9f8101, b"x")], false);
    }

    #[test]
    fn parts_are_counted_from_one() {
        check(
            &Form::Separated(b'|'),
            b"0210|00||",
            &[(1, b"0210"), (2, b"00"), (3, b""), (4, b"")],
            false,
        );
        check(&Form::Separated(b'|'), b"", &[(1, b"")], false);
    }

    #[test]
    fn a_body_of_columns_is_known_by_its_length() {
        let columns = |width| vec![("a".into(), 0..1), ("b".into(), 1..width)];
        let layouts = [("request", 3), ("answer", 5)];
        let layout =
            |(name, width): (&str, usize)| Layout { name: name.into(), columns: columns(width) };
        let form = Form::Fixed(layouts.map(layout).into());
        let mut parts = Parts::default();
        form.cut(b"abcde", &mut parts);
        assert_eq!(parts.layout, Some(1));
        form.cut(b"abcd", &mut parts);
        assert_eq!(parts.layout, None);
        assert_eq!(parts.find(&Address::Span(1..9), 4), Some(1..4));
        assert_eq!(parts.find(&Address::Span(4..9), 4), None);
    }

    #[test]
    fn containers_that_hold_themselves_end() {
        let mut body = b"\xdf\x06\x00".to_vec();
        for _ in 0..40 {
            let length = body.len() as u8;
            body = [&[0xdf, 0x06, 0x81, length][..], &body].concat();
        }
        let mut parts = Parts::default();
        Form::Tlv(vec![0xdf06]).cut(&body, &mut parts);
        assert!(parts.numbered.len() <= DEPTH_MAX + 1);
    }
}
