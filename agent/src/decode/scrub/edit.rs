//! Changes to a text, collected first and made in one go.

/// What comes in the place of a part of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Put {
    /// First six and last four digits of a card number; `hidden` is where the others stand, from the first of them to
    /// the end of the last.
    Card { six: [u8; 6], four: [u8; 4], hidden: (usize, usize) },
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

impl Edit {
    /// Whether it shows a card number's first and last digits.
    pub fn is_card(&self) -> bool {
        matches!(self.put, Put::Card { .. })
    }

    /// Whether what stands at a place is in it.
    pub fn holds(&self, at: usize) -> bool {
        (self.from..self.to).contains(&at)
    }
}

/// The text with the edits made. They may overlap: what any of them takes is gone. Line ends stay, so that the result
/// has as many lines as the text.
pub(super) fn apply(text: &str, edits: &mut [Edit]) -> String {
    let in_order = |edit: &Edit| (edit.from, std::cmp::Reverse(edit.to));
    edits.sort_unstable_by_key(in_order);
    if part(edits) {
        edits.sort_unstable_by_key(in_order);
    }
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

/// Of a number whose shown digits another edit takes, only what it hides is left; tells whether there was one. What is
/// one number as BCD may be the middle of another as ASCII codes.
fn part(edits: &mut [Edit]) -> bool {
    let (mut parted, mut reach) = (false, 0);
    for at in 0..edits.len() {
        let edit = edits[at];
        let Put::Card { hidden, .. } = edit.put else {
            reach = reach.max(edit.to);
            continue;
        };
        let again = at > 0 && edits[at - 1] == edit;
        let inside = |other: &Edit| {
            other.put == Put::Stars && other.from >= hidden.0 && other.to <= hidden.1
        };
        let mut behind = edits[at + 1..].iter().take_while(|other| other.from < edit.to);
        if reach > edit.from && !again || behind.any(|other| *other != edit && !inside(other)) {
            edits[at] = Edit { from: hidden.0, to: hidden.1, put: Put::Stars };
            parted = true;
        }
        reach = reach.max(edit.to);
    }
    parted
}

fn put(out: &mut String, part: &str, put: Put) {
    match put {
        Put::Stars => return stars(out, part),
        Put::Words(words) => out.push_str(words),
        Put::Card { six, four, .. } => {
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
        let card = |from, hidden| {
            let put = Put::Card { six: [1; 6], four: [2; 4], hidden };
            Edit { from, to: from + 12, put }
        };
        let number = "x111111332222x";
        let whole = "x111111******2222x";
        assert_eq!(apply(number, &mut [card(1, (7, 9))]), whole);
        // The same twice, or hidden digits hidden once more, are no more.
        assert_eq!(apply(number, &mut [card(1, (7, 9)), card(1, (7, 9))]), whole);
        let star = |at| Edit { from: at, to: at + 1, put: Put::Stars };
        assert_eq!(apply(number, &mut [star(8), card(1, (7, 9))]), whole);
        assert_eq!(apply(number, &mut [card(1, (7, 9)), star(10)]), "x111111**2*22x");
        assert_eq!(apply(number, &mut [card(0, (6, 8)), card(1, (7, 9))]), "x11111***2222x");
        assert_eq!(apply("a\nb", &mut [Edit { from: 0, to: 3, put: Put::Words("[x]") }]), "[x]\n");
    }
}
