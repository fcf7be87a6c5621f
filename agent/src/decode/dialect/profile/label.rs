//! Labels of a slip: `金  额 AMOUNT: RMB 0.20`, the value on the same line or on the next.

use super::field::Field;
use aho_corasick::{AhoCorasick, MatchKind};

/// The labels of one kind of slip.
#[derive(Debug)]
pub(super) struct Labels {
    finder: AhoCorasick,
    fields: Vec<Field>,
}

/// A label that stands in a line.
#[derive(Clone, Copy)]
struct Found {
    field: Field,
    from: usize,
    to: usize,
}

impl Labels {
    /// Labels and their fields; `None` when there are more than a search can hold.
    pub fn new(labels: &[(Box<str>, Field)]) -> Option<Labels> {
        let texts = labels.iter().map(|label| squeeze(&label.0));
        let finder = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .ascii_case_insensitive(true)
            .build(texts)
            .ok()?;
        Some(Labels { finder, fields: labels.iter().map(|label| label.1).collect() })
    }

    /// Calls `take` with each value of the line and returns the field whose value is still to come. `pending` is the
    /// field that the line before left open.
    pub fn read(
        &self,
        line: &str,
        pending: Option<Field>,
        mut take: impl FnMut(Field, &str),
    ) -> Option<Field> {
        let line = squeeze(line);
        let found = self.found(&line);
        let first = found.first().map_or(line.len(), |label| label.from);
        let ahead = line[..first].trim();
        let mut pending = pending;
        if let Some(field) = pending.filter(|_| !ahead.is_empty()) {
            take(field, ahead);
            pending = None;
        }
        for (index, label) in found.iter().enumerate() {
            let next = found.get(index + 1);
            let value = value(&line[label.to..next.map_or(line.len(), |next| next.from)]);
            if !value.is_empty() {
                take(label.field, value);
                pending = None;
            } else if next.is_none_or(|next| next.field != label.field) {
                pending = Some(label.field);
            }
        }
        pending
    }

    fn found(&self, line: &str) -> Vec<Found> {
        let bytes = line.as_bytes();
        let is_letter = |at: Option<usize>| {
            at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_alphanumeric)
        };
        let whole_word = |label: &Found| {
            let begins_amid = is_letter(label.from.checked_sub(1)) && is_letter(Some(label.from));
            let ends_amid = is_letter(Some(label.to)) && is_letter(label.to.checked_sub(1));
            !begins_amid && !ends_amid
        };
        self.finder
            .find_iter(line)
            .map(|hit| Found {
                field: self.fields[hit.pattern().as_usize()],
                from: hit.start(),
                to: hit.end(),
            })
            .filter(whole_word)
            .collect()
    }
}

/// What stands behind a label, without the signs between them and without brackets around the label's translation.
fn value(text: &str) -> &str {
    text.trim_matches([' ', '\t', ':', '：', '.', '#', '/', '(', ')', '（', '）', '\u{3000}', '|'])
}

/// The line without blanks between Chinese characters, by which slips justify their labels.
fn squeeze(line: &str) -> String {
    let mut squeezed = String::with_capacity(line.len());
    let mut blanks = 0;
    let mut after_han = false;
    for sign in line.chars() {
        if sign == ' ' || sign == '\u{3000}' {
            blanks += 1;
            continue;
        }
        let is_han = ('\u{4e00}'..='\u{9fff}').contains(&sign);
        if !(after_han && is_han) {
            squeezed.extend(std::iter::repeat_n(' ', blanks));
        }
        blanks = 0;
        after_han = is_han;
        squeezed.push(sign);
    }
    squeezed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(lines: &[&str], expected: &[(Field, &str)]) {
        let labels = [
            ("金额", Field::Amount),
            ("AMOUNT", Field::Amount),
            ("卡号", Field::Card),
            ("CARD NO", Field::Card),
            ("批次号", Field::BatchNumber),
            ("凭证号", Field::Stan),
            ("原凭证号", Field::OriginalStan),
        ];
        let labels = labels.map(|(label, field)| (label.into(), field));
        let labels = Labels::new(&labels).expect("a few labels");
        let mut pending = None;
        let mut found = Vec::new();
        for line in lines {
            pending =
                labels.read(line, pending, |field, value| found.push((field, value.to_owned())));
        }
        let found: Vec<_> = found.iter().map(|(field, value)| (*field, value.as_str())).collect();
        assert_eq!(found, expected, "{lines:?}");
    }

    #[test]
    fn values_stand_behind_their_labels_or_on_the_next_line() {
        check(&["金  额: RMB 0.20"], &[(Field::Amount, "RMB 0.20")]);
        check(&["金额 AMOUNT：RMB -0.20"], &[(Field::Amount, "RMB -0.20")]);
        check(&["金额(AMOUNT): 1.00"], &[(Field::Amount, "1.00")]);
        check(&["卡号 CARD NO:", "  622576******6691 /C"], &[(Field::Card, "622576******6691 /C")]);
        check(&["卡号 CARD NO:", "", "x"], &[(Field::Card, "x")]);
    }

    #[test]
    fn two_fields_share_a_line() {
        check(
            &["批次号:000001  凭证号:000123"],
            &[(Field::BatchNumber, "000001"), (Field::Stan, "000123")],
        );
        check(&["原凭证号:000122"], &[(Field::OriginalStan, "000122")]);
        check(&["批次号:", "凭证号:1"], &[(Field::Stan, "1")]);
    }

    #[test]
    fn a_label_is_a_whole_word() {
        check(&["AMOUNTS: 3"], &[]);
    }
}
