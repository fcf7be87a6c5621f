//! Line rules: which one a line matches, and the fields it reads. The first match wins.

use super::draft::{Draft, Vocabulary};
use super::field::Field;
use super::needle::needles;
use super::pairs::Pairs;
use super::say::Say;
use aho_corasick::{AhoCorasick, Input, MatchKind};
use regex::{CaptureLocations, Regex};
use slipwatch_shared::event::Body;

/// Most rules and blocks of one profile.
pub(super) const RULES_MAX: usize = 256;

/// What a matching line leads to.
#[derive(Debug)]
pub(super) enum Action {
    /// The line is of no interest.
    Ignore,
    /// The line is the first of the block with this index.
    Begin(usize),
    /// The line says something.
    Say(Say, Box<Draft<'static>>),
}

/// One rule.
#[derive(Debug)]
pub(super) struct Rule {
    pub regex: Regex,
    pub groups: Vec<(usize, Field)>,
    pub action: Action,
}

/// A set of rules' indices.
#[derive(Clone, Copy, Debug, Default)]
struct Candidates([u64; RULES_MAX / 64]);

impl Candidates {
    fn insert(&mut self, index: usize) {
        self.0[index / 64] |= 1 << (index % 64);
    }

    fn iter(self) -> impl Iterator<Item = usize> {
        self.0.into_iter().enumerate().flat_map(|(word, mut bits)| {
            std::iter::from_fn(move || {
                (bits != 0).then(|| {
                    let bit = bits.trailing_zeros() as usize;
                    bits &= bits - 1;
                    word * 64 + bit
                })
            })
        })
    }
}

/// All rules of a profile, in order.
#[derive(Debug)]
pub(super) struct Rules {
    rules: Vec<Rule>,
    /// Finds the needles of all rules at once.
    finder: Option<AhoCorasick>,
    /// Which rule each needle belongs to.
    owners: Vec<usize>,
    /// Rules without a needle.
    always: Candidates,
    pairs: Option<Pairs>,
}

/// Room for a regex's groups, made once and used for every line.
#[derive(Debug)]
pub(super) struct Room(Vec<CaptureLocations>);

/// What a line came to.
#[derive(Debug)]
pub(super) enum Matched<'t> {
    Unmatched,
    Ignored,
    Begins(usize),
    /// The body, or `None` when a field that it needs is missing or malformed; and what is left of the draft.
    Says(Option<Body>, Draft<'t>),
}

impl Rules {
    /// At most [`RULES_MAX`] rules.
    pub fn new(rules: Vec<Rule>, pairs: Option<Pairs>) -> Rules {
        assert!(rules.len() <= RULES_MAX, "the reader of profiles has counted them");
        let mut always = Candidates::default();
        let (mut all, mut owners) = (Vec::new(), Vec::new());
        for (index, rule) in rules.iter().enumerate() {
            match needles(rule.regex.as_str()) {
                None => always.insert(index),
                Some(needles) => {
                    owners.resize(owners.len() + needles.len(), index);
                    all.extend(needles);
                }
            }
        }
        // Searching from each found place on is much faster than searching for all overlaps, and finds the same as
        // long as no two needles begin alike.
        let nested = all.iter().enumerate().any(|(index, one)| {
            all.iter().enumerate().any(|(other, long)| index != other && long.starts_with(one))
        });
        let match_kind = if nested { MatchKind::Standard } else { MatchKind::LeftmostFirst };
        let finder = AhoCorasick::builder().match_kind(match_kind).build(&all).ok();
        if finder.is_none() {
            (0..rules.len()).for_each(|index| always.insert(index));
        }
        Rules { rules, finder, owners, always, pairs }
    }

    /// Room to match in.
    pub fn room(&self) -> Room {
        Room(self.rules.iter().map(|rule| rule.regex.capture_locations()).collect())
    }

    /// Matches `text`, a line without the time at its head.
    pub fn apply<'t>(
        &'t self,
        text: &'t str,
        room: &mut Room,
        vocabulary: &Vocabulary,
    ) -> Matched<'t> {
        let mut candidates = self.always;
        if let Some(finder) = &self.finder {
            self.search(finder, text, &mut candidates);
        }
        for index in candidates.iter() {
            let rule = &self.rules[index];
            let locations = &mut room.0[index];
            let matches = match rule.groups.is_empty() {
                true => rule.regex.is_match(text),
                false => rule.regex.captures_read(locations, text).is_some(),
            };
            if matches {
                return self.act(rule, text, locations, vocabulary);
            }
        }
        Matched::Unmatched
    }

    /// Adds the rules whose needles stand in the text.
    fn search(&self, finder: &AhoCorasick, text: &str, candidates: &mut Candidates) {
        if finder.match_kind() == MatchKind::Standard {
            for found in finder.find_overlapping_iter(text) {
                candidates.insert(self.owners[found.pattern().as_usize()]);
            }
            return;
        }
        let mut from = 0;
        while let Some(found) = finder.find(Input::new(text).range(from..)) {
            candidates.insert(self.owners[found.pattern().as_usize()]);
            from = found.start() + 1;
        }
    }

    fn act<'t>(
        &'t self,
        rule: &'t Rule,
        text: &'t str,
        locations: &CaptureLocations,
        vocabulary: &Vocabulary,
    ) -> Matched<'t> {
        let (say, template) = match &rule.action {
            Action::Ignore => return Matched::Ignored,
            Action::Begin(block) => return Matched::Begins(*block),
            Action::Say(say, template) => (say, template),
        };
        let mut draft: Draft<'t> = Draft::clone(template);
        if let Some(pairs) = &self.pairs {
            pairs.each(text, |field, value| {
                draft.set(field, value, vocabulary);
            });
        }
        for &(group, field) in &rule.groups {
            if let Some((from, to)) = locations.get(group) {
                draft.set(field, &text[from..to], vocabulary);
            }
        }
        Matched::Says(say.body(&mut draft, vocabulary), draft)
    }
}
