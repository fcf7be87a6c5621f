//! A profile's text to a profile: every word looked up, every regex built, every mistake told with its line.

use super::block::{Block, MARKS_MAX, Mark};
use super::draft::{Draft, Glossary, Vocabulary};
use super::field::Field;
use super::label::Labels;
use super::pairs::Pairs;
use super::rule::{Action, RULES_MAX, Rule, Rules};
use super::say::Say;
use super::text::{
    BlockText, Constant, Constants, MarkText, PairsText, ProfileText, RuleText, Word,
};
use super::{GAP_MS, GAP_MS_MAX, Profile};
use crate::decode::device_clock::{DeviceClock, TimeFormat};
use crate::decode::dialect::error::{ProfileError, Source, unknown};
use crate::decode::encoding::Encoding;
use crate::decode::scrub::Label;
use regex::{Regex, RegexBuilder};
use slipwatch_shared::money::Currency;
use std::collections::BTreeMap;

/// Most memory that one compiled regex may take. A hundred times what a rule of a log needs.
const REGEX_BYTES_MAX: usize = 1024 * 1024;

/// Formats that the values of time fields are read by, behind the profile's own.
const TIMES_ALWAYS: [&str; 5] =
    ["%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M:%S", "%Y%m%d%H%M%S", "%m%d%H%M%S", "%H:%M:%S"];

impl Source<'_> {
    /// The whole profile.
    pub fn profile(&self) -> Result<Profile, ProfileError> {
        let text: ProfileText =
            toml::from_str(self.text).map_err(|error| self.toml_error(&error))?;
        let vocabulary = self.vocabulary(&text.times, text.currency.as_ref(), &text.words)?;
        let encoding = match &text.encoding {
            None => Encoding::Utf8,
            Some(name) => Encoding::named(name.as_ref()).ok_or_else(|| {
                self.at(name, unknown("encoding", name.as_ref(), Encoding::NAMES))
            })?,
        };
        let gap_ms = match &text.gap_ms {
            None => GAP_MS,
            Some(gap) if (1..=GAP_MS_MAX).contains(gap.as_ref()) => *gap.as_ref(),
            Some(gap) => {
                let problem = format!("gap_ms is between 1 and {GAP_MS_MAX}");
                return Err(self.error(gap.span().start, problem));
            }
        };
        if text.rule.len() + text.block.len() > RULES_MAX {
            return Err(
                self.error(0, format!("a profile has at most {RULES_MAX} rules and blocks"))
            );
        }
        let mut blocks = Vec::new();
        let mut rules = Vec::new();
        for block in &text.block {
            let action = Action::Begin(blocks.len());
            rules.push(Rule { regex: self.regex(&block.start)?, groups: Vec::new(), action });
            blocks.push(self.block(block, &vocabulary)?);
        }
        for rule in &text.rule {
            rules.push(self.rule(rule, &vocabulary)?);
        }
        let pairs = text.pairs.as_ref().map(|pairs| self.pairs(pairs)).transpose()?;
        Ok(Profile {
            name: self.file.into(),
            about: text.about.as_str().into(),
            encoding,
            gap_ms,
            sayings: sayings(&rules, &blocks),
            labels: labels(&text),
            rules: Rules::new(rules, pairs),
            blocks,
            vocabulary,
        })
    }

    pub(in crate::decode::dialect) fn at(&self, word: &Word, problem: String) -> ProfileError {
        self.error(word.span().start, problem)
    }

    fn regex(&self, word: &Word) -> Result<Regex, ProfileError> {
        let built = RegexBuilder::new(word.as_ref()).size_limit(REGEX_BYTES_MAX).build();
        built.map_err(|error| {
            // The library draws the place with a caret over several lines; its last line says what is wrong.
            let text = error.to_string();
            let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
            self.at(word, format!("the regex cannot be used: {reason}"))
        })
    }

    pub(in crate::decode::dialect) fn field(&self, word: &Word) -> Result<Field, ProfileError> {
        Field::named(word.as_ref())
            .ok_or_else(|| self.at(word, unknown("field", word.as_ref(), Field::NAMES)))
    }

    pub(in crate::decode::dialect) fn say(&self, word: &Word) -> Result<Say, ProfileError> {
        Say::named(word.as_ref())
            .ok_or_else(|| self.at(word, unknown("body", word.as_ref(), Say::NAMES)))
    }

    /// The regex's named groups as fields.
    fn groups(&self, word: &Word, regex: &Regex) -> Result<Vec<(usize, Field)>, ProfileError> {
        let named =
            regex.capture_names().enumerate().filter_map(|(index, name)| Some((index, name?)));
        named
            .map(|(index, name)| match Field::named(name) {
                Some(field) => Ok((index, field)),
                None => Err(self.at(word, unknown("group", name, Field::NAMES))),
            })
            .collect()
    }

    fn rule(&self, text: &RuleText, vocabulary: &Vocabulary) -> Result<Rule, ProfileError> {
        let regex = self.regex(&text.pattern)?;
        let groups = self.groups(&text.pattern, &regex)?;
        let action = match (&text.say, text.ignore) {
            (Some(say), false) => {
                let say = self.say(say)?;
                Action::Say(say, Box::new(self.template(&text.set, say, vocabulary)?))
            }
            (None, true) => Action::Ignore,
            _ => {
                let problem = "a rule has either `say = \"…\"` or `ignore = true`".to_owned();
                return Err(self.at(&text.pattern, problem));
            }
        };
        Ok(Rule { regex, groups, action })
    }

    /// What `set` fixes, as fields and texts.
    pub(in crate::decode::dialect) fn constants(
        &self,
        set: &Constants,
        say: Say,
    ) -> Result<Vec<(Field, &'static str)>, ProfileError> {
        let mut constants = Vec::new();
        for (name, value) in set {
            let field = self.field(name)?;
            let text = match value.as_ref() {
                Constant::Truth(true) => "true",
                Constant::Truth(false) => "false",
                Constant::Word(word) => word.as_str(),
            };
            let valid = match field {
                Field::Phase => Some(say.phases().unwrap_or(&[])),
                _ => field.words(),
            };
            let Some(valid) = valid else {
                let problem = format!("`{}` is read from the text and cannot be set", field.name());
                return Err(self.at(name, problem));
            };
            let Some(word) = valid.iter().find(|word| **word == text) else {
                return Err(self.error(value.span().start, unknown(field.name(), text, valid)));
            };
            constants.push((field, *word));
        }
        Ok(constants)
    }

    fn template(
        &self,
        set: &Constants,
        say: Say,
        vocabulary: &Vocabulary,
    ) -> Result<Draft<'static>, ProfileError> {
        let mut template = Draft::default();
        for (field, text) in self.constants(set, say)? {
            template.set(field, text, vocabulary);
        }
        Ok(template)
    }

    fn block(&self, text: &BlockText, vocabulary: &Vocabulary) -> Result<Block, ProfileError> {
        let say = self.say(&text.say)?;
        let optional = |word: &Option<Word>| word.as_ref().map(|word| self.regex(word)).transpose();
        let mut labels = Vec::new();
        for (field, names) in &text.labels {
            let field = self.field(field)?;
            labels
                .extend(names.as_ref().as_slice().iter().map(|name| (name.as_str().into(), field)));
        }
        let start = self.regex(&text.start)?;
        let too_many = || self.at(&text.start, "this block has too many labels".to_owned());
        if text.mark.len() > MARKS_MAX {
            return Err(self.at(&text.start, format!("a block has at most {MARKS_MAX} marks")));
        }
        Ok(Block {
            end: optional(&text.end)?,
            tear: optional(&text.tear)?,
            line: text.line.as_ref().map(|word| self.line(word)).transpose()?,
            say,
            template: self.template(&text.set, say, vocabulary)?,
            need: text.need.iter().map(|word| self.field(word)).collect::<Result<_, _>>()?,
            labels: Labels::new(&labels).ok_or_else(too_many)?,
            marks: text.mark.iter().map(|mark| self.mark(mark, say)).collect::<Result<_, _>>()?,
            start,
        })
    }

    /// The regex of a block's lines; its group `text` is the block's own text.
    fn line(&self, word: &Word) -> Result<(Regex, usize), ProfileError> {
        let regex = self.regex(word)?;
        let group = regex.capture_names().position(|name| name == Some("text"));
        match group {
            Some(group) => Ok((regex, group)),
            None => Err(self.at(word, "expected a group (?<text>…) in it".to_owned())),
        }
    }

    fn mark(&self, text: &MarkText, say: Say) -> Result<Mark, ProfileError> {
        let own = text.say.as_ref().map(|say| self.say(say)).transpose()?;
        Ok(Mark {
            regex: self.regex(&text.pattern)?,
            set: self.constants(&text.set, own.unwrap_or(say))?,
            say: own,
            ignore: text.ignore,
        })
    }

    fn pairs(&self, text: &PairsText) -> Result<Pairs, ProfileError> {
        let assign = match text.assign.as_ref().map(|word| (word, word.as_ref().as_bytes())) {
            None => b'=',
            Some((_, [sign])) if sign.is_ascii_punctuation() => *sign,
            Some((word, _)) => {
                return Err(self.at(word, "expected one sign such as `=` or `:`".to_owned()));
            }
        };
        let mut keys = Vec::new();
        for (field, names) in &text.keys {
            let field = self.field(field)?;
            for name in names.as_ref().as_slice() {
                if !Pairs::is_key(name) {
                    let problem = format!("`{name}` is no key: letters, digits, `_`, `.` and `-`");
                    return Err(self.error(names.span().start, problem));
                }
                keys.push((name.as_str().into(), field));
            }
        }
        Ok(Pairs::new(assign, keys))
    }

    /// How the texts of a profile are to be understood.
    pub(in crate::decode::dialect) fn vocabulary<'w>(
        &self,
        times: &[Word],
        currency: Option<&Word>,
        words: impl IntoIterator<Item = (&'w Word, &'w BTreeMap<String, Word>)>,
    ) -> Result<Vocabulary, ProfileError> {
        let mut formats = Vec::new();
        for format in times {
            let read = TimeFormat::parse(format.as_ref());
            formats.push(read.map_err(|error| self.at(format, error.to_string()))?);
        }
        let heads = DeviceClock::new(formats.clone());
        formats.extend(TIMES_ALWAYS.iter().filter_map(|format| TimeFormat::parse(format).ok()));
        let currency = match currency {
            None => Currency::CNY,
            Some(word) => word
                .as_ref()
                .parse()
                .map_err(|error| self.at(word, format!("the currency is wrong: {error}")))?,
        };
        let mut tables = Vec::new();
        for (field_name, table) in words {
            let field = self.field(field_name)?;
            let Some(valid) = field.words() else {
                let problem = format!("`{}` holds no words of a closed set", field.name());
                return Err(self.at(field_name, problem));
            };
            let mut entries = Glossary::new();
            for (theirs, ours) in table {
                let known = valid.iter().find(|word| *word == ours.as_ref());
                let known = known
                    .ok_or_else(|| self.at(ours, unknown(field.name(), ours.as_ref(), valid)))?;
                entries.push((theirs.as_str().into(), known));
            }
            entries.sort_by_key(|entry| std::cmp::Reverse(entry.0.len()));
            tables.push((field, entries));
        }
        Ok(Vocabulary { currency, heads, clock: DeviceClock::new(formats), words: tables })
    }
}

/// All that a profile's rules and blocks can say.
fn sayings(rules: &[Rule], blocks: &[Block]) -> Vec<Say> {
    let of_rules = rules.iter().filter_map(|rule| match &rule.action {
        Action::Say(say, _) => Some(*say),
        _ => None,
    });
    let of_blocks = blocks.iter().flat_map(|block| {
        std::iter::once(block.say).chain(block.marks.iter().filter_map(|mark| mark.say))
    });
    of_rules.chain(of_blocks).collect()
}

/// The words that the profile puts in front of numbers, for the scrubber: its keys and its slips' labels.
fn labels(text: &ProfileText) -> Vec<(Box<str>, Label)> {
    let keys = text.pairs.iter().flat_map(|pairs| &pairs.keys);
    let all = keys.chain(text.block.iter().flat_map(|block| &block.labels));
    let labelled = all.filter_map(|(field, names)| {
        let label = Field::named(field.as_ref())?.label()?;
        Some(names.as_ref().as_slice().iter().map(move |name| (name.as_str().into(), label)))
    });
    labelled.flatten().collect()
}
