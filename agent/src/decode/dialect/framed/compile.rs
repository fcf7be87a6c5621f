//! A framed profile's text to a profile: every word looked up, every address understood, every mistake told with its
//! line.

use super::body::{Address, Form, Layout};
use super::message::{Condition, MESSAGES_MAX, Message, Part, Rows, Test};
use super::text::{BodyText, FramedText, MessageText};
use super::value::{Reading, Substitutes};
use super::{Framed, frame};
use crate::decode::dialect::Direction;
use crate::decode::dialect::error::{ProfileError, Source, unknown};
use crate::decode::dialect::profile::draft::{Draft, Vocabulary};
use crate::decode::dialect::profile::field::Field;
use crate::decode::dialect::profile::say::Say;
use crate::decode::dialect::profile::text::{Names, Word};
use crate::decode::encoding::Encoding;
use regex::RegexBuilder;
use std::collections::BTreeMap;
use std::sync::Arc;
use toml::Spanned;

/// Most memory that one compiled regex may take.
const REGEX_BYTES_MAX: usize = 256 * 1024;

/// How long an answer may take, where the profile does not say.
const ANSWER_MS: u64 = 180_000;

/// How long a slip waits for its next line, where the profile does not say.
const SLIP_GAP_MS: u64 = 3_000;

/// How long an equal frame is a repeat, where the profile does not say.
const REPEAT_MS: u64 = 5_000;

/// Signs that make a text a pattern.
const PATTERN_SIGNS: &[char] = &['.', '*', '+', '?', '(', '[', '{', '|', '\\', '^', '$'];

/// What is known while messages are read.
struct Context<'a> {
    form: &'a Form,
    messages: &'a [Message],
    vocabulary: &'a Vocabulary,
    readings: &'a BTreeMap<Word, Reads>,
}

/// Fields, and the parts that they are read from.
type Reads = BTreeMap<Word, Spanned<Names>>;

impl Source<'_> {
    /// The whole profile.
    pub(super) fn framed(&self) -> Result<Framed, ProfileError> {
        let text: FramedText =
            toml::from_str(self.text).map_err(|error| self.toml_error(&error))?;
        let encoding = match &text.encoding {
            None => Encoding::Utf8,
            Some(name) => Encoding::named(name.as_ref()).ok_or_else(|| {
                self.at(name, unknown("encoding", name.as_ref(), Encoding::NAMES))
            })?,
        };
        let link = text.frame.as_ref();
        let form = self.form(text.body.as_ref())?;
        let is_closed =
            |word: &Word| Field::named(word.as_ref()).is_none_or(|field| field.words().is_some());
        let (closed, open): (Vec<_>, Vec<_>) =
            text.words.iter().partition(|(word, _)| is_closed(word));
        if text.message.len() > MESSAGES_MAX {
            return Err(self.error(0, format!("a profile has at most {MESSAGES_MAX} messages")));
        }
        let vocabulary = self.vocabulary(&text.times, text.currency.as_ref(), closed)?;
        let mut messages: Vec<Message> = Vec::new();
        for message in &text.message {
            let context = Context {
                form: &form,
                messages: &messages,
                vocabulary: &vocabulary,
                readings: &text.reading,
            };
            let read = self.message(message, &context)?;
            messages.push(read);
        }
        let addresses = |words: &[Word]| -> Result<Vec<Address>, ProfileError> {
            words.iter().map(|word| Ok(self.part(word, &form, None)?.address)).collect()
        };
        let body = text.body.as_ref();
        Ok(Framed {
            name: self.file.into(),
            about: text.about.as_str().into(),
            encoding,
            framing: Arc::new(self.framing(link, text.frame.span().start)?),
            ack: frame::bytes_of(self, &link.ack)?,
            beside: self.beside(link)?,
            repeat_ms: self.within(&link.repeat_ms, REPEAT_MS, 600_000)?,
            answer_ms: self.within(&link.answer_ms, ANSWER_MS, 3_600_000)?,
            slip_gap_ms: self.within(&link.slip_gap_ms, SLIP_GAP_MS, 60_000)?,
            cards: addresses(&body.cards)?,
            secrets: addresses(&body.secrets)?,
            vocabulary,
            substitutes: self.substitutes(open)?,
            packed: packed(&messages),
            form,
            messages,
        })
    }

    /// A number of milliseconds or bytes; `otherwise` where none is given.
    pub(super) fn within(
        &self,
        number: &Option<Spanned<u64>>,
        otherwise: u64,
        max: u64,
    ) -> Result<u64, ProfileError> {
        match number {
            None => Ok(otherwise),
            Some(number) if *number.as_ref() <= max => Ok(*number.as_ref()),
            Some(number) => {
                Err(self.error(number.span().start, format!("expected a number up to {max}")))
            }
        }
    }

    fn form(&self, text: &BodyText) -> Result<Form, ProfileError> {
        const FORMS: [&str; 4] = ["tlv", "separated", "positions", "fixed"];
        let form = &text.form;
        Ok(match form.as_ref().as_str() {
            "tlv" => {
                let tags = text.nested.iter().map(|word| self.tag(word, word.as_ref()));
                Form::Tlv(tags.collect::<Result<_, _>>()?)
            }
            "separated" => {
                match text.separator.as_ref().map(|word| (word, word.as_ref().as_bytes())) {
                    Some((_, [sign])) => Form::Separated(*sign),
                    Some((word, _)) => {
                        return Err(self.at(word, "expected one sign such as `|`".to_owned()));
                    }
                    None => return Err(self.at(form, "`separated` needs a `separator`".to_owned())),
                }
            }
            "positions" => Form::Positions,
            "fixed" if text.layout.is_empty() => {
                return Err(self.at(form, "`fixed` needs a `[body.layout]`".to_owned()));
            }
            "fixed" => {
                let layouts = text.layout.iter().map(|(name, columns)| self.layout(name, columns));
                Form::Fixed(layouts.collect::<Result<_, _>>()?)
            }
            other => return Err(self.at(form, unknown("form", other, &FORMS))),
        })
    }

    fn layout(&self, name: &Word, columns: &[Word]) -> Result<Layout, ProfileError> {
        let mut at = 0;
        let mut layout = Layout { name: name.as_ref().as_str().into(), columns: Vec::new() };
        for column in columns {
            let width = column.as_ref().split_once(' ').and_then(|(name, width)| {
                Some((name, width.trim().parse::<u16>().ok().filter(|width| *width > 0)?))
            });
            let Some((name, width)) = width else {
                return Err(
                    self.at(column, "expected a name and a width, as in `amount 12`".to_owned())
                );
            };
            let to = at + usize::from(width);
            layout.columns.push((name.into(), at..to));
            at = to;
        }
        Ok(layout)
    }

    fn tag(&self, word: &Word, text: &str) -> Result<u32, ProfileError> {
        let is_hex = (2..=6).contains(&text.len()) && text.len().is_multiple_of(2);
        let tag = u32::from_str_radix(text, 16).ok().filter(|_| is_hex);
        tag.ok_or_else(|| self.at(word, format!("expected a tag such as `DF03`, found `{text}`")))
    }

    /// `DF0A bcd`, `20`, `13+19 number`, `amount`, `*`: where a part stands, and how it is read.
    fn part(&self, word: &Word, form: &Form, layout: Option<usize>) -> Result<Part, ProfileError> {
        self.part_of(word, word.as_ref(), form, layout)
    }

    fn part_of(
        &self,
        word: &Word,
        text: &str,
        form: &Form,
        layout: Option<usize>,
    ) -> Result<Part, ProfileError> {
        let (address, reading) = match text.split_once(' ') {
            None => (text, Reading::Text),
            Some((address, name)) => match Reading::named(name.trim()) {
                Some(reading) => (address, reading),
                None => return Err(self.at(word, unknown("reading", name, &Reading::NAMES))),
            },
        };
        Ok(Part { address: self.address(word, address, form, layout)?, reading })
    }

    fn address(
        &self,
        word: &Word,
        text: &str,
        form: &Form,
        layout: Option<usize>,
    ) -> Result<Address, ProfileError> {
        if text == "*" {
            return Ok(Address::Whole);
        }
        Ok(match form {
            Form::Tlv(_) => Address::Numbered(self.tag(word, text)?),
            Form::Separated(_) => {
                match text.parse().ok().filter(|number| (1..=256).contains(number)) {
                    Some(number) => Address::Numbered(number),
                    None => {
                        let problem =
                            format!("expected the number of a part, from 1, found `{text}`");
                        return Err(self.at(word, problem));
                    }
                }
            }
            Form::Positions => {
                let span = text.split_once('+').and_then(|(from, width)| {
                    let from = from.parse::<usize>().ok()?.checked_sub(1)?;
                    let to = match width {
                        "" => usize::MAX,
                        width => {
                            from.checked_add(width.parse().ok().filter(|width| *width > 0)?)?
                        }
                    };
                    Some(from..to)
                });
                let problem =
                    || format!("expected a position and a width, as in `13+19`, found `{text}`");
                Address::Span(span.ok_or_else(|| self.at(word, problem()))?)
            }
            Form::Fixed(layouts) => {
                let Some(layout) = layout.map(|layout| &layouts[layout]) else {
                    return Err(
                        self.at(word, "name the `layout` that this column is of".to_owned())
                    );
                };
                let found = layout.columns.iter().find(|column| &*column.0 == text);
                let names = || layout.columns.iter().map(|column| &*column.0).collect::<Vec<_>>();
                let span = found.ok_or_else(|| self.at(word, unknown("column", text, &names())))?;
                Address::Span(span.1.clone())
            }
        })
    }

    fn message(
        &self,
        spanned: &Spanned<MessageText>,
        context: &Context<'_>,
    ) -> Result<Message, ProfileError> {
        let text = spanned.as_ref();
        let here = |problem: &str| self.error(spanned.span().start, problem.to_owned());
        let layout = self.layout_of(text, context)?;
        if layout.is_none() && matches!(context.form, Form::Fixed(_)) {
            return Err(here("a message of fixed columns names its `layout`"));
        }
        let say = text.say.as_ref().map(|word| self.say(word)).transpose()?;
        let does = say.is_some() || text.slip.is_some() || text.slip_line.is_some();
        if does == text.ignore && text.rows.is_none() && text.name.is_none() {
            return Err(here(
                "a message has `say`, `slip` or `slip_line`, or else `ignore = true`",
            ));
        }
        if text.when.is_empty() && text.layout.is_none() {
            return Err(here("a message needs a `when`: by what is it known?"));
        }
        let after = self.after(text, context)?;
        let asked_layout = after.first().and_then(|first| context.messages[*first].layout);
        let set = match (say, text.set.is_empty()) {
            (_, true) => Vec::new(),
            (say, false) => self.constants(&text.set, say.unwrap_or(Say::SlipPrinted))?,
        };
        let part = |word: &Word| self.part(word, context.form, layout);
        let parts = |words: &[Word]| -> Result<Vec<Address>, ProfileError> {
            words.iter().map(|word| Ok(part(word)?.address)).collect()
        };
        let columns = text.columns.as_ref().map(|columns| *columns.as_ref() as usize);
        let slip = text.slip.as_ref().map(part).transpose()?;
        let read = self.readings(text, context, layout)?;
        let when = self.conditions(&text.when, context.form, layout)?;
        let pairs: Vec<(Part, Part, bool)> = [(&text.equal, true), (&text.unequal, false)]
            .into_iter()
            .filter(|(words, _)| !words.is_empty())
            .map(|(words, equal)| match words.as_slice() {
                [one, other] => Ok((part(one)?, part(other)?, equal)),
                _ => Err(self.at(&words[0], "expected two parts to compare".to_owned())),
            })
            .collect::<Result<_, _>>()?;
        let cards = parts(&text.cards)?;
        let known = read.iter().flat_map(|read| &read.1).map(|part| &part.address);
        let known = known.chain(when.iter().map(|condition| &condition.part.address));
        let known = known.chain(pairs.iter().flat_map(|pair| [&pair.0.address, &pair.1.address]));
        Ok(Message {
            cuts: cuts(context.form, layout, known.chain(&cards)),
            name: text.name.as_ref().map(|name| name.as_ref().as_str().into()),
            layout,
            direction: self.direction(&text.from)?,
            when,
            asked: self.conditions(&text.asked, context.form, asked_layout)?,
            pairs,
            say: say.map(|say| (say, Box::new(template(&set, context.vocabulary)))),
            set,
            read,
            take: text.take.iter().map(|word| self.field(word)).collect::<Result<_, _>>()?,
            cards,
            secrets: parts(&text.secrets)?,
            slip: slip.map(|slip| (slip, columns.filter(|columns| *columns > 0))),
            slip_line: text.slip_line.as_ref().map(part).transpose()?,
            rows: self.rows(&text.rows)?,
            goes_on: text.goes_on,
            after,
        })
    }

    fn layout_of(
        &self,
        text: &MessageText,
        context: &Context<'_>,
    ) -> Result<Option<usize>, ProfileError> {
        let Some(word) = &text.layout else { return Ok(None) };
        let Form::Fixed(layouts) = context.form else {
            return Err(self.at(word, "only bodies of fixed columns have a layout".to_owned()));
        };
        let found = layouts.iter().position(|layout| *layout.name == **word.as_ref());
        let names = || layouts.iter().map(|layout| &*layout.name).collect::<Vec<_>>();
        found.map(Some).ok_or_else(|| self.at(word, unknown("layout", word.as_ref(), &names())))
    }

    /// The messages that a message answers.
    fn after(&self, text: &MessageText, context: &Context<'_>) -> Result<Vec<usize>, ProfileError> {
        let mut after = Vec::new();
        let named = || {
            context
                .messages
                .iter()
                .enumerate()
                .filter_map(|(index, message)| Some((index, message.name.as_deref()?)))
        };
        for word in &text.after {
            let before = after.len();
            after.extend(named().filter(|named| named.1 == word.as_ref()).map(|named| named.0));
            if after.len() == before {
                let mut names: Vec<&str> = named().map(|named| named.1).collect();
                names.dedup();
                return Err(self.at(word, unknown("request", word.as_ref(), &names)));
            }
        }
        Ok(after)
    }

    fn direction(&self, from: &Option<Word>) -> Result<Direction, ProfileError> {
        let Some(word) = from else { return Ok(Direction::Either) };
        match word.as_ref().as_str() {
            "till" => Ok(Direction::ToDevice),
            "terminal" => Ok(Direction::FromDevice),
            other => Err(self.at(word, unknown("side", other, &["till", "terminal"]))),
        }
    }

    fn rows(&self, rows: &Option<Word>) -> Result<Option<Rows>, ProfileError> {
        let Some(word) = rows else { return Ok(None) };
        match word.as_ref().as_str() {
            "more" => Ok(Some(Rows::More)),
            "last" => Ok(Some(Rows::Last)),
            other => Err(self.at(word, unknown("row", other, &["more", "last"]))),
        }
    }

    fn conditions(
        &self,
        conditions: &BTreeMap<Word, Word>,
        form: &Form,
        layout: Option<usize>,
    ) -> Result<Vec<Condition>, ProfileError> {
        let conditions = conditions.iter().map(|(part, text)| {
            let test = match text.as_ref().contains(PATTERN_SIGNS) {
                false => Test::Is(text.as_ref().as_str().into()),
                true => {
                    let whole = format!("^(?:{})$", text.as_ref());
                    let built = RegexBuilder::new(&whole).size_limit(REGEX_BYTES_MAX).build();
                    Test::Like(built.map_err(|error| {
                        let text_of = error.to_string();
                        let reason = text_of.lines().last().unwrap_or_default();
                        let reason = reason.trim_start_matches("error: ");
                        self.at(text, format!("the pattern cannot be used: {reason}"))
                    })?)
                }
            };
            Ok(Condition { part: self.part(part, form, layout)?, test })
        });
        conditions.collect()
    }

    /// What a message reads: of its own, and as it shares it with others.
    fn readings(
        &self,
        text: &MessageText,
        context: &Context<'_>,
        layout: Option<usize>,
    ) -> Result<Vec<(Field, Vec<Part>)>, ProfileError> {
        let mut read = self.reads(&text.read, context.form, layout)?;
        let Some(word) = &text.reading else { return Ok(read) };
        let Some(shared) = context.readings.get(word.as_ref().as_str()) else {
            let names: Vec<&str> =
                context.readings.keys().map(|name| name.as_ref().as_str()).collect();
            return Err(self.at(word, unknown("reading", word.as_ref(), &names)));
        };
        for (field, parts) in self.reads(shared, context.form, layout)? {
            if !read.iter().any(|own| own.0 == field) {
                read.push((field, parts));
            }
        }
        Ok(read)
    }

    fn reads(
        &self,
        reads: &Reads,
        form: &Form,
        layout: Option<usize>,
    ) -> Result<Vec<(Field, Vec<Part>)>, ProfileError> {
        let read = reads.iter().map(|(field, names)| {
            let parts = names.as_ref().as_slice().iter();
            // The names have no places of their own: a mistake is told where the field stands.
            let parts = parts.map(|name| self.part_of(field, name, form, layout));
            Ok((self.field(field)?, parts.collect::<Result<_, _>>()?))
        });
        read.collect()
    }

    /// The tables of `[words]` for fields that hold no words of a closed set.
    fn substitutes<'w>(
        &self,
        tables: impl IntoIterator<Item = (&'w Word, &'w BTreeMap<String, Word>)>,
    ) -> Result<Substitutes, ProfileError> {
        let table = |(field, table): (&Word, &BTreeMap<String, Word>)| {
            let entry = |(theirs, ours): (&String, &Word)| {
                (theirs.as_str().into(), ours.as_ref().as_str().into())
            };
            Ok((self.field(field)?, table.iter().map(entry).collect()))
        };
        Ok(Substitutes(tables.into_iter().map(table).collect::<Result<_, _>>()?))
    }
}

fn template(set: &[(Field, &'static str)], vocabulary: &Vocabulary) -> Draft<'static> {
    let mut template = Draft::default();
    for (field, text) in set {
        template.set(*field, text, vocabulary);
    }
    template
}

/// Where the columns of a layout meet, or the positions that a message knows.
fn cuts<'a>(
    form: &Form,
    layout: Option<usize>,
    known: impl Iterator<Item = &'a Address>,
) -> Vec<usize> {
    let mut cuts: Vec<usize> = match (form, layout) {
        (Form::Fixed(layouts), Some(layout)) => {
            layouts[layout].columns.iter().map(|column| column.1.end).collect()
        }
        _ => known
            .filter_map(|address| match address {
                Address::Span(span) => Some([span.start, span.end]),
                _ => None,
            })
            .flatten()
            .collect(),
    };
    cuts.sort_unstable();
    cuts.dedup();
    cuts
}

/// The tags that messages read as digits in half-bytes.
fn packed(messages: &[Message]) -> Vec<u32> {
    let parts = messages.iter().flat_map(|message| &message.read).flat_map(|read| &read.1);
    let tags = parts.filter_map(|part| match (&part.address, part.reading) {
        (Address::Numbered(tag), Reading::Bcd | Reading::Hex | Reading::Digits) => Some(*tag),
        _ => None,
    });
    tags.collect()
}
