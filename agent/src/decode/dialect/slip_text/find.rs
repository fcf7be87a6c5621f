//! Finds the words of the vocabulary in a line.

use super::fold::{Folded, is_letter};
use super::vocabulary::{Language, Meaning, Value, WORDS};
use aho_corasick::{AhoCorasick, MatchKind};

/// A word that stands in a line, at these bytes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub meaning: Meaning,
    pub language: Language,
    pub from: usize,
    pub to: usize,
}

impl Found {
    /// The value that it announces.
    pub fn label(&self) -> Option<Value> {
        match self.meaning {
            Meaning::Label(value) => Some(value),
            _ => None,
        }
    }
}

/// The vocabulary, ready to look for.
#[derive(Debug)]
pub(super) struct Finder {
    finder: AhoCorasick,
    meanings: Vec<(Meaning, Language)>,
}

impl Finder {
    /// Over all words.
    pub fn new() -> Finder {
        let words = || {
            WORDS
                .iter()
                .flat_map(|(language, words)| words.iter().map(move |word| (word, *language)))
        };
        let finder = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .build(words().map(|(word, _)| word.0))
            .expect("a few hundred short words fit");
        Finder { finder, meanings: words().map(|(word, language)| (word.1, language)).collect() }
    }

    /// All whole words of a line, in order: of those that begin at one place the longest first; none that lies inside a
    /// longer one. `folded` is the line's.
    pub fn find(&self, line: &str, folded: &Folded, found: &mut Vec<Found>) {
        found.clear();
        for hit in self.finder.find_overlapping_iter(folded.text()) {
            let (from, to) = folded.place(hit.start(), hit.end());
            if is_whole(line, from, to) {
                let (meaning, language) = self.meanings[hit.pattern().as_usize()];
                found.push(Found { meaning, language, from, to });
            }
        }
        found.sort_by_key(|word| (word.from, std::cmp::Reverse(word.to)));
        let mut last = (0, 0);
        found.retain(|word| {
            // Two meanings of one word both stay.
            let stays = word.from >= last.1 || (word.from, word.to) == last;
            if stays {
                last = (word.from, word.to);
            }
            stays
        });
    }
}

/// Whether no letter before or behind belongs to the same word.
fn is_whole(line: &str, from: usize, to: usize) -> bool {
    let word = &line[from..to];
    let goes_on = |inner: Option<char>, outer: Option<char>| {
        inner.is_some_and(is_letter) && outer.is_some_and(is_letter)
    };
    let begins_amid = goes_on(word.chars().next(), line[..from].chars().next_back());
    let ends_amid = goes_on(word.chars().next_back(), line[to..].chars().next());
    !begins_amid && !ends_amid
}

#[cfg(test)]
mod tests {
    use super::*;
    use slipwatch_shared::event::Copy;

    #[track_caller]
    fn check(line: &str, expected: &[(Meaning, &str)]) {
        let mut folded = Folded::default();
        folded.fold(line);
        let mut found = Vec::new();
        Finder::new().find(line, &folded, &mut found);
        let found: Vec<_> =
            found.iter().map(|word| (word.meaning, &line[word.from..word.to])).collect();
        assert_eq!(found, expected, "{line:?}");
    }

    #[test]
    fn the_longest_whole_word_counts() {
        let label = Meaning::Label;
        check("原凭证号:1", &[(label(Value::OriginalStan), "原凭证号")]);
        check("Subtotal 1", &[]);
        check("TOTALS", &[]);
        check(
            "卡 号(CARD NO.): ",
            &[(label(Value::Card), "卡 号"), (label(Value::Card), "CARD NO")],
        );
        check("TERMINAL NOT OK", &[(label(Value::Terminal), "TERMINAL")]);
        check(
            "商户存根     MERCHANT COPY",
            &[
                (Meaning::Copy(Copy::Merchant), "商户存根"),
                (Meaning::Copy(Copy::Merchant), "MERCHANT COPY"),
            ],
        );
    }
}
