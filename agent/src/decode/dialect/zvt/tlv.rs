//! The fields inside a container: tag, length and value as in BER, nested. Which of them hold card data is a table here;
//! judges no value.

use super::bmp::Holds;

/// Deepest nesting that is looked into.
pub const DEPTH_MAX: u8 = 6;

/// Tags that are named: what they hold, and what they say. Any other may hold anything.
const TAGS: [(u16, Holds, &str); 41] = [
    (0x07, Holds::Text, "text line"),
    (0x09, Holds::Plain, "attribute of a line"),
    (0x12, Holds::Plain, "text lines per screen"),
    (0x14, Holds::Plain, "character set"),
    (0x24, Holds::Container, "display texts"),
    (0x25, Holds::Container, "print texts"),
    (0x41, Holds::Plain, "card type"),
    (0x43, Holds::Plain, "application identifier"),
    (0x44, Holds::Text, "application label"),
    (0x45, Holds::Open, "receipt parameter"),
    (0x4c, Holds::Secret, "identifier of a contactless card"),
    (0x56, Holds::Secret, "track 1"),
    (0x57, Holds::Secret, "track 2"),
    (0x5a, Holds::Pan, "card number"),
    (0x99, Holds::Secret, "PIN block"),
    (0x1f04, Holds::Plain, "receipt parameter"),
    (0x1f07, Holds::Plain, "receipt type"),
    (0x1f0b, Holds::Plain, "largest pre-authorization"),
    (0x1f0e, Holds::Plain, "date"),
    (0x1f0f, Holds::Plain, "time"),
    (0x1f10, Holds::Plain, "cardholder verification"),
    (0x1f11, Holds::Plain, "online or offline"),
    (0x1f12, Holds::Plain, "card technology"),
    (0x1f14, Holds::Pan, "card number"),
    (0x1f16, Holds::Plain, "extended result code"),
    (0x1f17, Holds::Text, "extended result text"),
    (0x1f1f, Holds::Plain, "unique number of the transaction"),
    (0x1f2b, Holds::Plain, "long trace number"),
    (0x1f37, Holds::Plain, "receipt property"),
    (0x1f44, Holds::Plain, "terminal number"),
    (0x1f45, Holds::Secret, "answer to select of a contactless card"),
    (0x1f55, Holds::Plain, "locks"),
    (0x5f20, Holds::Secret, "cardholder's name"),
    (0x5f24, Holds::Secret, "expiry date"),
    (0x9f0b, Holds::Secret, "cardholder's name"),
    (0x9f1f, Holds::Secret, "track 1"),
    (0x9f20, Holds::Secret, "track 2"),
    (0x9f36, Holds::Plain, "application transaction counter"),
    (0x9f62, Holds::Plain, "bit map of a card code"),
    (0x9f6b, Holds::Secret, "track 2"),
    (0x9f6c, Holds::Plain, "qualifiers of a card"),
];

/// What a tag holds.
pub fn holds(tag: u16) -> Holds {
    match TAGS.iter().find(|known| known.0 == tag) {
        Some(known) => known.1,
        None if is_constructed(tag) => Holds::Container,
        None => Holds::Open,
    }
}

/// Bit 6 of the first byte: more fields inside.
fn is_constructed(tag: u16) -> bool {
    let first = if tag > 0xff { tag >> 8 } else { tag };
    first & 0x20 != 0
}

/// How many bytes a length takes, and the length.
pub(super) fn length(bytes: &[u8]) -> Option<(usize, usize)> {
    match *bytes.first()? {
        short @ ..=0x7f => Some((1, usize::from(short))),
        0x81 => Some((2, usize::from(*bytes.get(1)?))),
        0x82 => {
            let long = bytes.get(1..3)?;
            Some((3, usize::from(u16::from_be_bytes([long[0], long[1]]))))
        }
        _ => None,
    }
}

/// A field of a container, and where its value lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// One or two bytes.
    pub tag: u16,
    /// Where its value begins.
    pub from: usize,
    /// Where it ends.
    pub to: usize,
}

/// The fields of one level of a container. Ends at the first byte that is no field.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    message: &'a [u8],
    at: usize,
    to: usize,
}

impl<'a> Fields<'a> {
    /// The fields of `message[from..to]`.
    pub fn new(message: &'a [u8], from: usize, to: usize) -> Fields<'a> {
        Fields { message, at: from, to }
    }

    /// How far they could be understood.
    pub fn end(&self) -> usize {
        self.at
    }
}

impl Iterator for Fields<'_> {
    type Item = Field;

    fn next(&mut self) -> Option<Field> {
        let rest = &self.message[self.at..self.to];
        let first = *rest.first()?;
        let (tag, tag_bytes) = match first & 0x1f {
            0x1f => {
                let second = *rest.get(1)?;
                // Two bytes are all that ZVT and EMV use.
                (u16::from_be_bytes([first, second]), Some(2).filter(|_| second < 0x80)?)
            }
            _ => (u16::from(first), 1),
        };
        let (length_bytes, length) = length(&rest[tag_bytes..])?;
        let head = tag_bytes + length_bytes;
        if rest.len() - head < length {
            return None;
        }
        let from = self.at + head;
        self.at = from + length;
        Some(Field { tag, from, to: self.at })
    }
}

/// Calls `each` for every field of `message[from..to]` and of what is nested in it that holds no fields itself. Tells
/// whether all of it was understood.
pub fn for_each(message: &[u8], from: usize, to: usize, each: &mut impl FnMut(Field)) -> bool {
    descend(message, from, to, DEPTH_MAX, each)
}

fn descend(
    message: &[u8],
    from: usize,
    to: usize,
    depth: u8,
    each: &mut impl FnMut(Field),
) -> bool {
    let mut fields = Fields::new(message, from, to);
    let mut is_sound = true;
    for field in fields.by_ref() {
        if holds(field.tag) != Holds::Container {
            each(field);
        } else if depth == 0 {
            is_sound = false;
        } else {
            is_sound &= descend(message, field.from, field.to, depth - 1, each);
        }
    }
    is_sound && fields.end() == to
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(message: &[u8], expected: &[(u16, &[u8])], sound: bool) {
        let mut found = Vec::new();
        let mut each = |field: Field| found.push((field.tag, &message[field.from..field.to]));
        let is_sound = for_each(message, 0, message.len(), &mut each);
        assert_eq!((found.as_slice(), is_sound), (expected, sound));
    }

    #[test]
    fn nested_fields_are_found_by_short_and_long_tags() {
        check(&[], &[], true);
        check(&[0x1f, 0x07, 1, 2, 0x43, 1, 9], &[(0x1f07, &[2]), (0x43, &[9])], true);
        check(&[0x2f, 4, 0x1f, 0x12, 1, 2], &[(0x1f12, &[2])], true);
        check(&[0x07, 0x81, 1, b'a', 0x07, 0], &[(0x07, b"a"), (0x07, b"")], true);
        check(&[0x25, 3, 0x07, 9, b'a'], &[], false);
        check(&[0x07, 1, b'a', 0x1f], &[(0x07, b"a")], false);
        check(&[0x1f, 0x81, 1, 0], &[], false);
        check(&[0x07, 0x84, 0, 0, 0, 1], &[], false);
    }

    #[test]
    fn endless_nesting_ends() {
        let mut message = Vec::new();
        for _ in 0..40 {
            message.splice(0..0, [0x60, message.len() as u8]);
        }
        check(&message, &[], false);
    }
}
