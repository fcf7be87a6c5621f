//! Changes to a text, collected first and made in one go.

/// What comes in the place of a part of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Put {
    /// First six and last four digits of a card number.
    Card([u8; 6], [u8; 4]),
    /// A sign for each letter and digit; the rest stays.
    Stars,
    /// Words that say what was there.
    Words(&'static str),
}

/// One change. The part holds whole characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edit {
    pub from: usize,
    pub to: usize,
    pub put: Put,
}

/// The text with the edits made. They may overlap: what any of them takes is gone. Line ends stay, so that the result
/// has as many lines as the text.
pub(super) fn apply(text: &str, edits: &mut [Edit]) -> String {
    edits.sort_unstable_by_key(|edit| (edit.from, std::cmp::Reverse(edit.to)));
    let mut out = String::with_capacity(text.len() + 16);
    let mut done = 0;
    for edit in edits {
        if edit.to <= done {
            continue;
        }
        if edit.from < done {
            stars(&mut out, &text[done..edit.to]);
        } else {
            out.push_str(&text[done..edit.from]);
            put(&mut out, &text[edit.from..edit.to], edit.put);
        }
        done = edit.to;
    }
    out.push_str(&text[done..]);
    out
}

fn put(out: &mut String, part: &str, put: Put) {
    match put {
        Put::Stars => return stars(out, part),
        Put::Words(words) => out.push_str(words),
        Put::Card(six, four) => {
            out.extend(six.iter().map(|&digit| char::from(b'0' + digit)));
            out.push_str("******");
            out.extend(four.iter().map(|&digit| char::from(b'0' + digit)));
        }
    }
    out.extend(part.chars().filter(|&sign| sign == '\n'));
}

fn stars(out: &mut String, part: &str) {
    out.extend(part.chars().map(|sign| if sign.is_alphanumeric() { '*' } else { sign }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlapping_edits_leave_nothing_that_either_takes() {
        let mut edits = [
            Edit { from: 4, to: 8, put: Put::Stars },
            Edit { from: 2, to: 6, put: Put::Words("[x]") },
            Edit { from: 3, to: 5, put: Put::Stars },
        ];
        assert_eq!(apply("0123456789", &mut edits), "01[x]**89");
        assert_eq!(apply("a\nb", &mut [Edit { from: 0, to: 3, put: Put::Words("[x]") }]), "[x]\n");
    }
}
