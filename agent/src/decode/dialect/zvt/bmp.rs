//! The fields of ZVT's messages, which its manual calls bitmaps: one tag byte each, and a length that the tag decides.
//! All of them as one table, from chapter "Summary of utilised BMPs" of PA00P015; and the walk through a message.
//! Judges no value.

use super::tlv;

/// How long a field's value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// Always so many bytes.
    Fixed(u8),
    /// Two bytes `Fx Fy` in front: 10x + y.
    LlVar,
    /// Three bytes `Fx Fy Fz` in front.
    LllVar,
    /// As in BER, one to three bytes in front.
    Ber,
}

/// What a field's value is, as far as card data is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// Numbers and codes that are no card data.
    Plain,
    /// Text: a card number in it is looked for.
    Text,
    /// Whatever its maker put there: a card number in it is looked for in every form.
    Open,
    /// A card number, two digits a byte.
    Pan,
    /// Tracks, card codes, PIN data, passwords: nothing of it may stay.
    Secret,
    /// More fields, each with a tag of BER.
    Container,
}

/// One kind of field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bmp {
    /// Its tag.
    pub tag: u8,
    /// How long its value is.
    pub length: Length,
    /// What its value is.
    pub holds: Holds,
    /// What it says, in the manual's words.
    pub name: &'static str,
}

const fn bmp(tag: u8, length: Length, holds: Holds, name: &'static str) -> Bmp {
    Bmp { tag, length, holds, name }
}

use Holds::{Container, Open, Pan, Plain, Secret, Text};
use Length::{Ber, Fixed, LlVar, LllVar};

/// All fields.
pub const BMPS: [Bmp; 75] = [
    bmp(0x01, Fixed(1), Plain, "time-out"),
    bmp(0x02, Fixed(1), Plain, "most status informations"),
    bmp(0x03, Fixed(1), Plain, "service byte"),
    bmp(0x04, Fixed(6), Plain, "amount"),
    bmp(0x05, Fixed(1), Plain, "pump number"),
    bmp(0x06, Ber, Container, "TLV container"),
    bmp(0x0b, Fixed(3), Plain, "trace number"),
    bmp(0x0c, Fixed(3), Plain, "time"),
    bmp(0x0d, Fixed(2), Plain, "date, month and day"),
    bmp(0x0e, Fixed(2), Secret, "expiry date"),
    bmp(0x17, Fixed(2), Plain, "card sequence number"),
    bmp(0x19, Fixed(1), Plain, "payment type or status byte"),
    bmp(0x22, LlVar, Pan, "card number"),
    bmp(0x23, LlVar, Secret, "track 2"),
    bmp(0x24, LllVar, Secret, "track 3"),
    bmp(0x27, Fixed(1), Plain, "result code"),
    bmp(0x29, Fixed(4), Plain, "terminal number"),
    bmp(0x2a, Fixed(15), Text, "merchant number"),
    bmp(0x2d, LlVar, Secret, "track 1"),
    bmp(0x2e, LllVar, Secret, "data of a synchronous chip"),
    bmp(0x37, Fixed(3), Plain, "original trace number"),
    bmp(0x3a, Fixed(2), Secret, "card code"),
    bmp(0x3b, Fixed(8), Text, "authorization attribute"),
    bmp(0x3c, LllVar, Text, "additional text"),
    bmp(0x3d, Fixed(3), Secret, "password"),
    bmp(0x49, Fixed(2), Plain, "currency"),
    bmp(0x4c, LlVar, Open, "blocked goods groups"),
    bmp(0x60, LllVar, Plain, "totals by scheme"),
    bmp(0x70, Fixed(4), Plain, "display image"),
    bmp(0x71, Fixed(4), Plain, "print image"),
    bmp(0x72, Fixed(1), Plain, "device type"),
    bmp(0x73, Fixed(1), Plain, "device option"),
    bmp(0x74, Fixed(1), Plain, "device option"),
    bmp(0x75, Fixed(1), Plain, "device option"),
    bmp(0x87, Fixed(2), Plain, "receipt number"),
    bmp(0x88, Fixed(3), Plain, "turnover number"),
    bmp(0x8a, Fixed(1), Plain, "card type"),
    bmp(0x8b, LlVar, Text, "card name"),
    bmp(0x8c, Fixed(1), Plain, "card type of the network operator"),
    bmp(0x9a, LllVar, Secret, "purse payments"),
    bmp(0xa0, Fixed(1), Plain, "result code of the host"),
    bmp(0xa7, LlVar, Secret, "chip file EF_ID"),
    bmp(0xaa, Fixed(3), Plain, "date"),
    bmp(0xaf, LllVar, Secret, "chip file EF_INFO"),
    bmp(0xba, Fixed(5), Plain, "authorization parameter"),
    bmp(0xd0, Fixed(1), Secret, "algorithm and key"),
    bmp(0xd1, LlVar, Secret, "card offset and PIN"),
    bmp(0xd2, Fixed(1), Plain, "direction"),
    bmp(0xd3, Fixed(1), Plain, "key position"),
    bmp(0xe0, Fixed(1), Plain, "shortest input"),
    bmp(0xe1, LlVar, Text, "text 1"),
    bmp(0xe2, LlVar, Text, "text 2"),
    bmp(0xe3, LlVar, Text, "text 3"),
    bmp(0xe4, LlVar, Text, "text 4"),
    bmp(0xe5, LlVar, Text, "text 5"),
    bmp(0xe6, LlVar, Text, "text 6"),
    bmp(0xe7, LlVar, Text, "text 7"),
    bmp(0xe8, LlVar, Text, "text 8"),
    bmp(0xe9, Fixed(1), Plain, "longest input"),
    bmp(0xea, Fixed(1), Plain, "echo of the input"),
    bmp(0xeb, Fixed(8), Secret, "MAC"),
    bmp(0xf0, Fixed(1), Plain, "display time"),
    bmp(0xf1, LlVar, Text, "display line 1"),
    bmp(0xf2, LlVar, Text, "display line 2"),
    bmp(0xf3, LlVar, Text, "display line 3"),
    bmp(0xf4, LlVar, Text, "display line 4"),
    bmp(0xf5, LlVar, Text, "display line 5"),
    bmp(0xf6, LlVar, Text, "display line 6"),
    bmp(0xf7, LlVar, Text, "display line 7"),
    bmp(0xf8, LlVar, Text, "display line 8"),
    bmp(0xf9, Fixed(1), Plain, "beeps"),
    bmp(0xfa, Fixed(1), Plain, "status"),
    bmp(0xfb, Fixed(1), Plain, "confirmation by key"),
    bmp(0xfc, Fixed(1), Plain, "dialog control"),
    bmp(0xfd, Fixed(1), Plain, "dialog control"),
];

/// For each tag its place in [`BMPS`] from 1; 0 where there is no such field.
const PLACES: [u8; 256] = {
    let mut places = [0; 256];
    let mut at = 0;
    while at < BMPS.len() {
        places[BMPS[at].tag as usize] = at as u8 + 1;
        at += 1;
    }
    places
};

/// The field of a tag.
pub fn find(tag: u8) -> Option<&'static Bmp> {
    usize::from(PLACES[usize::from(tag)]).checked_sub(1).map(|place| &BMPS[place])
}

/// A field of a message, and where its value lies in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// What it is.
    pub bmp: &'static Bmp,
    /// Where its value begins.
    pub from: usize,
    /// Where it ends.
    pub to: usize,
}

/// The fields of a message, one after the other. Ends at the first byte that is no field.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    message: &'a [u8],
    at: usize,
}

impl<'a> Fields<'a> {
    /// The fields of `message` from the byte `at` on.
    pub fn new(message: &'a [u8], at: usize) -> Fields<'a> {
        Fields { message, at: at.min(message.len()) }
    }

    /// How far the message was understood; its length, once all its fields were read and it is sound.
    pub fn end(&self) -> usize {
        self.at
    }

    /// Reads what is left; tells how far the message could be understood.
    pub fn last_end(mut self) -> usize {
        self.by_ref().for_each(drop);
        self.at
    }
}

impl Iterator for Fields<'_> {
    type Item = Field;

    #[inline]
    fn next(&mut self) -> Option<Field> {
        let rest = &self.message[self.at..];
        let bmp = find(*rest.first()?)?;
        let (head, length) = match bmp.length {
            Fixed(length) => (1, usize::from(length)),
            LlVar => (3, digits(rest.get(1..3)?)?),
            LllVar => (4, digits(rest.get(1..4)?)?),
            Ber => {
                let (bytes, length) = tlv::length(&rest[1..])?;
                (1 + bytes, length)
            }
        };
        if rest.len() - head < length {
            return None;
        }
        let from = self.at + head;
        self.at = from + length;
        Some(Field { bmp, from, to: self.at })
    }
}

/// The number that `Fx Fy …` is.
fn digits(bytes: &[u8]) -> Option<usize> {
    bytes.iter().try_fold(0, |number, byte| {
        let digit = byte.checked_sub(0xf0).filter(|digit| *digit <= 9)?;
        Some(number * 10 + usize::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(message: &[u8], expected: &[(u8, &[u8])], end: usize) {
        let mut fields = Fields::new(message, 0);
        let found: Vec<_> =
            fields.by_ref().map(|field| (field.bmp.tag, &message[field.from..field.to])).collect();
        assert_eq!(found, expected);
        assert_eq!(fields.end(), end);
    }

    #[test]
    fn each_length_is_read_and_the_first_strange_byte_ends_it() {
        check(&[], &[], 0);
        check(&[0x27, 0, 0x0b, 0, 9, 0x75], &[(0x27, &[0]), (0x0b, &[0, 9, 0x75])], 6);
        check(&[0x8b, 0xf0, 0xf2, b'V', 0, 0x27], &[(0x8b, b"V\0")], 5);
        check(&[0x3c, 0xf0, 0xf0, 0xf1, b'x'], &[(0x3c, b"x")], 5);
        check(&[0x06, 0x81, 2, 0x07, 0], &[(0x06, &[0x07, 0])], 5);
        check(&[0x06, 0x82, 0, 2, 0x07, 0], &[(0x06, &[0x07, 0])], 6);
        check(&[0x27, 0, 0x80, 0, 0], &[(0x27, &[0])], 2);
        check(&[0x8b, 0x02, 0xf2, b'V', 0], &[], 0);
        check(&[0x3c, 0xf0], &[], 0);
    }

    #[test]
    fn no_tag_is_there_twice() {
        for (at, bmp) in BMPS.iter().enumerate() {
            assert_eq!(find(bmp.tag), Some(&BMPS[at]), "{:02X}", bmp.tag);
        }
    }
}
