//! Code tables: what a byte from 0x80 on prints. The tables of printers that no library has are data, in `tables.txt`:
//! a name and 128 signs a line, `�` where nothing is printed.

use encoding_rs::Encoding;
use std::sync::LazyLock;

/// The upper half of a code table.
pub(super) type Upper = [char; 128];

/// What a table that is not known prints.
const HOLES: Upper = ['\u{fffd}'; 128];

/// The tables of `tables.txt`.
const OWN: &str = include_str!("tables.txt");

/// Names of further tables, and the encodings that they are.
const WEB: [(&str, &Encoding); 18] = [
    ("windows-874", encoding_rs::WINDOWS_874),
    ("windows-1250", encoding_rs::WINDOWS_1250),
    ("windows-1251", encoding_rs::WINDOWS_1251),
    ("windows-1252", encoding_rs::WINDOWS_1252),
    ("windows-1253", encoding_rs::WINDOWS_1253),
    ("windows-1254", encoding_rs::WINDOWS_1254),
    ("windows-1255", encoding_rs::WINDOWS_1255),
    ("windows-1256", encoding_rs::WINDOWS_1256),
    ("windows-1257", encoding_rs::WINDOWS_1257),
    ("windows-1258", encoding_rs::WINDOWS_1258),
    ("iso-8859-2", encoding_rs::ISO_8859_2),
    ("iso-8859-3", encoding_rs::ISO_8859_3),
    ("iso-8859-4", encoding_rs::ISO_8859_4),
    ("iso-8859-5", encoding_rs::ISO_8859_5),
    ("iso-8859-6", encoding_rs::ISO_8859_6),
    ("iso-8859-7", encoding_rs::ISO_8859_7),
    ("iso-8859-8", encoding_rs::ISO_8859_8),
    ("iso-8859-15", encoding_rs::ISO_8859_15),
];

/// The table of each number of `ESC t`, as Epson counts them. Above 19 makers differ.
const NUMBERED: [(u8, &str); 47] = [
    (0, "cp437"),
    (1, "katakana"),
    (2, "cp850"),
    (3, "cp860"),
    (4, "cp863"),
    (5, "cp865"),
    (11, "cp851"),
    (13, "cp857"),
    (14, "cp737"),
    (15, "iso-8859-7"),
    (16, "windows-1252"),
    (17, "cp866"),
    (18, "cp852"),
    (19, "cp858"),
    (20, "windows-874"),
    (21, "windows-874"),
    (22, "windows-874"),
    (23, "windows-874"),
    (24, "windows-874"),
    (25, "windows-874"),
    (26, "windows-874"),
    (30, "tcvn-3"),
    (31, "tcvn-3"),
    (32, "cp720"),
    (33, "cp775"),
    (34, "cp855"),
    (35, "cp861"),
    (36, "cp862"),
    (37, "cp864"),
    (38, "cp869"),
    (39, "iso-8859-2"),
    (40, "iso-8859-15"),
    (42, "cp774"),
    (43, "cp772"),
    (44, "cp1125"),
    (45, "windows-1250"),
    (46, "windows-1251"),
    (47, "windows-1253"),
    (48, "windows-1254"),
    (49, "windows-1255"),
    (50, "windows-1256"),
    (51, "windows-1257"),
    (52, "windows-1258"),
    (53, "kz-1048"),
    (66, "holes"),
    (254, "holes"),
    (255, "holes"),
];

/// ASCII signs that `ESC R` exchanges.
const EXCHANGED: &[u8; 12] = b"#$@[\\]^`{|}~";

/// What stands in their places, by the number of `ESC R`.
const INTERNATIONAL: [&str; 16] = [
    "#$@[\\]^`{|}~",
    "#$à°ç§^`éùè¨",
    "#$§ÄÖÜ^`äöüß",
    "£$@[\\]^`{|}~",
    "#$@ÆØÅ^`æøå~",
    "#¤ÉÄÖÅÜéäöåü",
    "#$@°\\é^ùàòèì",
    "₧$@¡Ñ¿^`¨ñ}~",
    "#$@[¥]^`{|}~",
    "#¤ÉÆØÅÜéæøåü",
    "#$ÉÆØÅÜéæøåü",
    "#$á¡Ñ¿é`íñóú",
    "#$á¡Ñ¿éüíñóú",
    "#$@[₩]^`{|}~",
    "#$ŽŠĐĆČžšđćč",
    "#¥@[\\]^`{|}~",
];

/// All tables by name.
static TABLES: LazyLock<Vec<(&'static str, Upper)>> = LazyLock::new(|| {
    let own = OWN.lines().map(|line| {
        let (name, signs) = line.split_once(' ').expect("a name and its signs: a test reads them");
        let mut upper = HOLES;
        upper.iter_mut().zip(signs.chars()).for_each(|(place, sign)| *place = sign);
        (name, upper)
    });
    let web = WEB.iter().map(|(name, encoding)| (*name, upper(encoding)));
    own.chain(web).chain([("holes", HOLES)]).collect()
});

/// The upper half of an encoding of one byte a sign. Control signs are holes: a printer prints none.
fn upper(encoding: &'static Encoding) -> Upper {
    std::array::from_fn(|index| {
        let byte = [index as u8 + 128];
        let (text, _) = encoding.decode_without_bom_handling(&byte);
        let sign = text.chars().next().unwrap_or('\u{fffd}');
        if sign.is_control() { '\u{fffd}' } else { sign }
    })
}

/// The table of a name.
pub(super) fn named(name: &str) -> Option<&'static Upper> {
    TABLES.iter().find(|table| table.0 == name).map(|table| &table.1)
}

/// The names of all tables.
pub(super) fn names() -> Vec<&'static str> {
    TABLES.iter().map(|table| table.0).collect()
}

/// The table of a number of `ESC t`.
pub(super) fn numbered(number: u8) -> &'static Upper {
    let name = NUMBERED.iter().find(|known| known.0 == number).map_or("holes", |known| known.1);
    named(name).expect("every numbered table has its name in a list: a test tries all numbers")
}

/// What an ASCII sign prints in the international set of a number of `ESC R`.
pub(super) fn international(set: u8, byte: u8) -> char {
    let place = EXCHANGED.iter().position(|&exchanged| exchanged == byte);
    let signs = INTERNATIONAL.get(usize::from(set));
    let exchanged = place.zip(signs).and_then(|(place, signs)| signs.chars().nth(place));
    exchanged.unwrap_or(char::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_is_whole() {
        for line in OWN.lines() {
            let (name, signs) = line.split_once(' ').expect("a name and its signs");
            assert_eq!(signs.chars().count(), 128, "{name}");
            assert!(!signs.contains(char::is_control), "{name}");
        }
        assert!(INTERNATIONAL.iter().all(|signs| signs.chars().count() == EXCHANGED.len()));
        (0..=u8::MAX).for_each(|number| {
            numbered(number);
        });
    }

    #[track_caller]
    fn check(number: u8, bytes: &[u8], expected: &str) {
        let table = numbered(number);
        let text: String = bytes.iter().map(|byte| table[usize::from(byte - 128)]).collect();
        assert_eq!(text, expected);
    }

    #[test]
    fn tables_print_their_signs() {
        check(0, b"\x84\xe1", "äß");
        check(1, b"\xb1\xdd", "ｱﾝ");
        check(13, b"\x8d\xa7", "ığ");
        check(14, b"\x80\x97", "ΑΩ");
        check(16, b"\x80\x9c", "€œ");
        check(17, b"\x82\xef", "Вя");
        check(19, b"\xd5", "€");
        check(30, b"\xd5\xae", "ếđ");
        check(36, b"\x80", "א");
        check(200, b"\x80", "\u{fffd}");
    }

    #[test]
    fn national_sets_exchange_twelve_signs() {
        assert_eq!(international(2, b'['), 'Ä');
        assert_eq!(international(15, b'$'), '¥');
        assert_eq!(international(2, b'A'), 'A');
        assert_eq!(international(99, b'['), '[');
    }
}
