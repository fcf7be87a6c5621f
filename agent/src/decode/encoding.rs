//! Bytes of a line to text, in the encoding of the device. Text that is plain ASCII is not copied.

use std::borrow::Cow;

/// How a device writes its text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// Android and Linux.
    #[default]
    Utf8,
    /// Chinese; GBK and GB2312 are part of it.
    Gb18030,
    /// ISO 8859-1.
    Latin1,
    /// The IBM PC's own, as ZVT terminals print it.
    Cp437,
}

/// The upper half of code page 437.
const CP437: [char; 128] = [
    'Ç', 'ü', 'é', 'â', 'ä', 'à', 'å', 'ç', 'ê', 'ë', 'è', 'ï', 'î', 'ì', 'Ä', 'Å', //
    'É', 'æ', 'Æ', 'ô', 'ö', 'ò', 'û', 'ù', 'ÿ', 'Ö', 'Ü', '¢', '£', '¥', '₧', 'ƒ', //
    'á', 'í', 'ó', 'ú', 'ñ', 'Ñ', 'ª', 'º', '¿', '⌐', '¬', '½', '¼', '¡', '«', '»', //
    '░', '▒', '▓', '│', '┤', '╡', '╢', '╖', '╕', '╣', '║', '╗', '╝', '╜', '╛', '┐', //
    '└', '┴', '┬', '├', '─', '┼', '╞', '╟', '╚', '╔', '╩', '╦', '╠', '═', '╬', '╧', //
    '╨', '╤', '╥', '╙', '╘', '╒', '╓', '╫', '╪', '┘', '┌', '█', '▄', '▌', '▐', '▀', //
    'α', 'ß', 'Γ', 'π', 'Σ', 'σ', 'µ', 'τ', 'Φ', 'Θ', 'Ω', 'δ', '∞', 'φ', 'ε', '∩', //
    '≡', '±', '≥', '≤', '⌠', '⌡', '÷', '≈', '°', '∙', '·', '√', 'ⁿ', '²', '■', '\u{a0}',
];

impl Encoding {
    /// All names, as profiles spell them.
    pub const NAMES: &'static [&'static str] = &["utf-8", "gb18030", "latin-1", "cp437"];

    /// The encoding of a name.
    pub fn named(name: &str) -> Option<Encoding> {
        match name {
            "utf-8" => Some(Encoding::Utf8),
            "gb18030" => Some(Encoding::Gb18030),
            "latin-1" => Some(Encoding::Latin1),
            "cp437" => Some(Encoding::Cp437),
            _ => None,
        }
    }

    /// The text of a line, and whether all its bytes were of the encoding; those that were not became `�`.
    #[inline]
    pub fn decode(self, line: &[u8]) -> (Cow<'_, str>, bool) {
        match std::str::from_utf8(line) {
            Ok(text) if self == Encoding::Utf8 || text.is_ascii() => (Cow::Borrowed(text), true),
            _ => self.decode_foreign(line),
        }
    }

    #[cold]
    fn decode_foreign(self, line: &[u8]) -> (Cow<'_, str>, bool) {
        match self {
            Encoding::Utf8 => (String::from_utf8_lossy(line), false),
            Encoding::Gb18030 => {
                let (text, broken) = encoding_rs::GB18030.decode_without_bom_handling(line);
                (text, !broken)
            }
            Encoding::Latin1 => (encoding_rs::mem::decode_latin1(line), true),
            Encoding::Cp437 => (line.iter().map(|&byte| cp437(byte)).collect(), true),
        }
    }
}

fn cp437(byte: u8) -> char {
    match byte.checked_sub(128) {
        None => char::from(byte),
        Some(upper) => CP437[usize::from(upper)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, bytes: &[u8], expected: &str, sound: bool) {
        let encoding = Encoding::named(name).expect("a name");
        assert_eq!(encoding.decode(bytes), (Cow::Borrowed(expected), sound));
    }

    #[test]
    fn each_encoding_reads_its_own_bytes() {
        check("utf-8", "存根 1".as_bytes(), "存根 1", true);
        check("utf-8", b"a\xff1", "a\u{fffd}1", false);
        check("gb18030", b"\xb4\xe6\xb8\xf9 1", "存根 1", true);
        check("gb18030", b"plain", "plain", true);
        check("gb18030", b"a\xff", "a\u{fffd}", false);
        check("latin-1", b"H\xc4NDLER", "HÄNDLER", true);
        check("cp437", b"H\x8eNDLER \x81", "HÄNDLER ü", true);
    }

    #[test]
    fn every_name_is_an_encoding() {
        assert!(Encoding::NAMES.iter().all(|name| Encoding::named(name).is_some()));
    }
}
