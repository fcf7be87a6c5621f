//! The words in front of a number: which make it a card number, which make it anything but.

/// What the word in front of a number says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Label {
    /// It is a card number, whatever its digits say.
    Card,
    /// It is some other number of at most so many digits.
    Other(usize),
}

/// Labels of card numbers, without the blanks and dashes in them.
const CARD: [&str; 16] = [
    "卡号",
    "主账号",
    "账号",
    "银行卡",
    "card",
    "cardno",
    "cardnum",
    "cardnumber",
    "pan",
    "acct",
    "account",
    "acctno",
    "accountno",
    "accountnumber",
    "bankcard",
    "bankcardno",
];

/// Labels of other numbers, and how many digits these have at most.
const OTHER: [(&str, usize); 58] = [
    ("rrn", 12),
    ("ref", 20),
    ("refno", 20),
    ("refnum", 20),
    ("reference", 20),
    ("referenceno", 20),
    ("参考号", 20),
    ("stan", 12),
    ("trace", 12),
    ("traceno", 12),
    ("tracenumber", 12),
    ("流水号", 32),
    ("流水", 32),
    ("凭证号", 12),
    ("voucher", 12),
    ("voucherno", 12),
    ("batch", 12),
    ("batchno", 12),
    ("批次号", 12),
    ("授权码", 12),
    ("授权号", 12),
    ("auth", 12),
    ("authno", 12),
    ("authcode", 12),
    ("order", 64),
    ("orderno", 64),
    ("ordernumber", 64),
    ("orderid", 64),
    ("订单号", 64),
    ("订单", 64),
    ("单号", 64),
    ("交易号", 64),
    ("tradeno", 64),
    ("txnid", 64),
    ("txid", 64),
    ("transactionid", 64),
    ("queryid", 64),
    ("walletid", 64),
    ("invoice", 32),
    ("invoiceno", 32),
    ("商户号", 15),
    ("商户编号", 15),
    ("merchant", 15),
    ("merchantno", 15),
    ("merchantid", 15),
    ("mid", 15),
    ("终端号", 15),
    ("终端编号", 15),
    ("terminal", 15),
    ("terminalno", 15),
    ("terminalid", 15),
    ("tid", 15),
    ("serial", 32),
    ("serialno", 32),
    ("sn", 32),
    ("序列号", 32),
    ("imei", 15),
    ("iccid", 20),
];

/// Furthest a label's last character is in front of its number, in bytes of signs between them.
const SIGNS_BYTES_MAX: usize = 16;

/// The labels that are looked for, by their last byte.
#[derive(Debug)]
pub(super) struct Labels {
    by_last: Vec<Vec<(Box<[u8]>, Label)>>,
}

impl Labels {
    /// The labels that every device uses, and a profile's own.
    pub fn new<'a>(own: impl IntoIterator<Item = (&'a str, Label)>) -> Labels {
        let mut labels = Labels { by_last: vec![Vec::new(); 256] };
        for (text, label) in own {
            labels.add(text, label);
        }
        CARD.iter().for_each(|text| labels.add(text, Label::Card));
        OTHER.iter().for_each(|(text, digits_max)| labels.add(text, Label::Other(*digits_max)));
        labels
    }

    fn add(&mut self, text: &str, label: Label) {
        let squeezed: String = text.chars().filter(|&sign| !is_gap(sign)).collect();
        let squeezed = squeezed.to_ascii_lowercase().into_bytes();
        if let Some(&last) = squeezed.last() {
            self.by_last[usize::from(last)].push((squeezed.into(), label));
        }
    }

    /// What stands in front of the number that begins at `at`. The longest label wins.
    pub fn before(&self, text: &str, at: usize) -> Option<Label> {
        let bytes = text.as_bytes();
        let end = skip_signs(bytes, at);
        let last = bytes[..end].last()?.to_ascii_lowercase();
        let candidates = self.by_last[usize::from(last)].iter();
        let fitting = candidates.filter(|(label, _)| ends_with(&bytes[..end], label));
        fitting.max_by_key(|(label, _)| label.len()).map(|found| found.1)
    }
}

fn is_gap(sign: char) -> bool {
    matches!(sign, ' ' | '_' | '-' | '.' | '/')
}

/// Where the text in front of the signs between label and number ends.
fn skip_signs(bytes: &[u8], at: usize) -> usize {
    let mut end = at;
    while at - end < SIGNS_BYTES_MAX {
        end -= match &bytes[..end] {
            [
                ..,
                b' ' | b'\t' | b'\n' | b':' | b'=' | b'"' | b'\'' | b'>' | b'[' | b'(' | b'#'
                | b'|' | b')' | b'.',
            ] => 1,
            // `：`, `（`, `）`, and the wide blank.
            [.., 0xef, 0xbc, 0x9a | 0x88 | 0x89] | [.., 0xe3, 0x80, 0x80] => 3,
            _ => break,
        };
    }
    end
}

/// Whether the text ends with the label as a word of its own; blanks, dashes and dots inside it do not matter, and
/// `cardNo` begins with a word as `card_no` does.
fn ends_with(text: &[u8], label: &[u8]) -> bool {
    let mut at = text.len();
    let mut skipped = 0;
    for (index, &expected) in label.iter().rev().enumerate() {
        while at > 0 && index > 0 && skipped < 4 && is_gap(char::from(text[at - 1])) {
            at -= 1;
            skipped += 1;
        }
        if at == 0 || !text[at - 1].eq_ignore_ascii_case(&expected) {
            return false;
        }
        at -= 1;
    }
    let (Some(before), first) = (text[..at].last(), text[at]) else { return true };
    let begins_word = first.is_ascii_uppercase() && before.is_ascii_lowercase();
    !first.is_ascii() || !before.is_ascii_alphabetic() || begins_word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(before: &str, expected: Option<Label>) {
        let labels = Labels::new([("bon_nr", Label::Other(9))]);
        let text = format!("{before}123");
        assert_eq!(labels.before(&text, before.len()), expected, "{before:?}");
    }

    #[test]
    fn labels_are_known_in_any_spelling() {
        for before in [
            "卡号：",
            "卡 号 ",
            "card no: ",
            "Card_No=",
            "cardNo\":\"",
            "PAN=",
            "masked pan ",
            "卡号(CARD NO.): ",
        ] {
            check(before, Some(Label::Card));
        }
        check("rrn=", Some(Label::Other(12)));
        check("origRrn=", Some(Label::Other(12)));
        check("交易参考号 ", Some(Label::Other(20)));
        check("订单号:\n", Some(Label::Other(64)));
        check("Bon-Nr ", Some(Label::Other(9)));
    }

    #[test]
    fn a_part_of_a_word_is_no_label() {
        check("japan ", None);
        check("company=", None);
        check("discard ", None);
        check("amount=", None);
        check("", None);
        check("：", None);
    }
}
