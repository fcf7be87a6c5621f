//! A sheet of A4 after the other: headings, paragraphs, facts and lines, broken where they must be. Knows nothing of what
//! it says.

use krilla::Document;
use krilla::color::rgb;
use krilla::configure::{Archival, ConfigurationBuilder};
use krilla::geom::{PathBuilder, Point};
use krilla::metadata::{DateTime, Metadata};
use krilla::num::NormalizedF32;
use krilla::page::PageSettings;
use krilla::paint::{Fill, Stroke};
use krilla::surface::Surface;
use krilla::text::{Font, TextDirection};
use krilla::{SerializeSettings, error::KrillaError};
use std::sync::LazyLock;
use ttf_parser::Face;

const FONT: &[u8] = include_bytes!("../../../../fonts/NotoSansSC-GB2312.otf");

/// A4 in points.
const PAGE: (f32, f32) = (595.0, 842.0);
const MARGIN: f32 = 56.0;
const WIDTH: f32 = PAGE.0 - 2.0 * MARGIN;
/// What stands for a sign that the font has not.
const MISSING: char = '\u{fffd}';

static FACE: LazyLock<Face<'static>> =
    LazyLock::new(|| Face::parse(FONT, 0).expect("the font is part of the program"));

/// How a text looks.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Look {
    points: f32,
    grey: u8,
}

const TITLE: Look = Look { points: 18.0, grey: 0 };
const HEADING: Look = Look { points: 12.5, grey: 0 };
const BODY: Look = Look { points: 10.0, grey: 20 };
const QUIET: Look = Look { points: 8.5, grey: 90 };

/// Something in its place on a page.
#[derive(Clone, Debug)]
enum Mark {
    Text { x: f32, y: f32, look: Look, text: String },
    Rule { y: f32 },
}

/// A document that is being written.
#[derive(Debug)]
pub struct Paper {
    title: String,
    language: &'static str,
    pages: Vec<Vec<Mark>>,
    y: f32,
}

/// Signs that must not stand at the beginning of a line.
const NOT_FIRST: &str = "，。、；：！？）》」』”’%,.;:!?)]}";

impl Paper {
    /// An empty one, with its title on top. `language` is its tag (BCP 47).
    pub fn new(title: &str, language: &'static str) -> Paper {
        let pages = vec![Vec::new()];
        let mut paper = Paper { title: title.to_owned(), language, pages, y: MARGIN };
        paper.lines(title, TITLE, 0.0);
        paper.y += 4.0;
        paper
    }

    /// A heading, kept together with what follows.
    pub fn heading(&mut self, text: &str) {
        self.y += 12.0;
        self.room_for(70.0);
        self.lines(text, HEADING, 0.0);
        let y = self.y + 1.0;
        self.mark(Mark::Rule { y });
        self.y += 5.0;
    }

    /// A paragraph.
    pub fn paragraph(&mut self, text: &str) {
        self.lines(text, BODY, 0.0);
        self.y += 3.0;
    }

    /// A paragraph of less weight.
    pub fn quiet(&mut self, text: &str) {
        self.lines(text, QUIET, 0.0);
        self.y += 2.0;
    }

    /// A step of a list, by its number.
    pub fn step(&mut self, number: usize, text: &str) {
        self.hang(&format!("{number}."), text, 18.0, BODY);
    }

    /// A name and what belongs to it.
    pub fn fact(&mut self, name: &str, value: &str) {
        self.hang(name, value, 130.0, BODY);
    }

    /// Names and values in two columns, the first as wide as its names need.
    pub fn facts(&mut self, facts: &[(String, String)]) {
        let widest = facts.iter().map(|(name, _)| width_of(name, BODY.points)).fold(0.0, f32::max);
        let indent = if widest < 120.0 { 130.0 } else { 290.0 };
        facts.iter().for_each(|(name, value)| self.hang(name, value, indent, BODY));
    }

    /// A moment and what was heard then; `detail` below it, of less weight.
    pub fn moment(&mut self, at: &str, text: &str, detail: Option<&str>) {
        self.hang(at, text, 84.0, BODY);
        for line in detail.into_iter().flat_map(str::lines) {
            self.lines(line, QUIET, 84.0);
        }
        self.y += 2.0;
    }

    /// Writes the document. `made_ms` is UTC milliseconds.
    ///
    /// # Errors
    /// What the writer of PDF/A refuses, which a fault of ours alone can cause.
    pub fn finish(self, made_ms: i64) -> Result<Vec<u8>, KrillaError> {
        let configuration = ConfigurationBuilder::new();
        let archival = configuration.with_archival_validator(Archival::A2_U).finish();
        let configuration = archival.expect("a sound choice of standards");
        let settings = SerializeSettings { configuration, ..SerializeSettings::default() };
        let mut document = Document::new_with(settings);
        let made = moment(made_ms);
        document.set_metadata(
            Metadata::new()
                .title(self.title.clone())
                .language(self.language.to_owned())
                .producer("slipwatch".to_owned())
                .creation_date(made),
        );
        let font = Font::new(FONT.into(), 0).expect("the font is part of the program");
        let count = self.pages.len();
        for (at, marks) in self.pages.iter().enumerate() {
            let settings = PageSettings::from_wh(PAGE.0, PAGE.1).expect("a sound size");
            let mut page = document.start_page_with(settings);
            let mut surface = page.surface();
            marks.iter().for_each(|mark| draw(&mut surface, &font, mark));
            let text = format!("{} / {count}", at + 1);
            let (x, y) = (PAGE.0 - MARGIN - width_of(&text, QUIET.points), PAGE.1 - MARGIN / 2.0);
            draw(&mut surface, &font, &Mark::Text { x, y, look: QUIET, text });
            let y = PAGE.1 - MARGIN / 2.0;
            let text = shown(&self.title);
            draw(&mut surface, &font, &Mark::Text { x: MARGIN, y, look: QUIET, text });
        }
        document.finish()
    }

    /// A name at the left and a text beside it that is broken below itself.
    fn hang(&mut self, name: &str, text: &str, indent: f32, look: Look) {
        self.room_for(look.points * 1.6);
        let (page, y) = (self.pages.len() - 1, self.y);
        let fits = width_of(name, look.points) < indent - 4.0;
        let name = Mark::Text { x: MARGIN, y: y + look.points, look, text: shown(name) };
        self.pages[page].push(name);
        if !fits {
            self.y += look.points * 1.5;
        }
        self.lines(text, look, indent);
    }

    fn lines(&mut self, text: &str, look: Look, indent: f32) {
        for line in broken(&shown(text), look.points, WIDTH - indent) {
            self.room_for(look.points * 1.5);
            let (x, y) = (MARGIN + indent, self.y + look.points);
            self.mark(Mark::Text { x, y, look, text: line });
            self.y += look.points * 1.5;
        }
    }

    fn mark(&mut self, mark: Mark) {
        self.pages.last_mut().expect("there is a first page").push(mark);
    }

    fn room_for(&mut self, height: f32) {
        if self.y + height > PAGE.1 - MARGIN {
            self.pages.push(Vec::new());
            self.y = MARGIN;
        }
    }
}

fn moment(ms: i64) -> DateTime {
    let time = jiff::Timestamp::from_millisecond(ms).unwrap_or_default();
    let time = time.to_zoned_datetime(jiff::tz::TimeZone::UTC).datetime();
    let two = |value: i8| value.unsigned_abs();
    DateTime::new(time.year().unsigned_abs())
        .month(two(time.month()))
        .day(two(time.day()))
        .hour(two(time.hour()))
        .minute(two(time.minute()))
        .second(two(time.second()))
}

fn draw(surface: &mut Surface<'_>, font: &Font, mark: &Mark) {
    let grey = |grey: u8| rgb::Color::new(grey, grey, grey);
    match mark {
        Mark::Text { x, y, look, text } => {
            surface.set_fill(Some(Fill {
                paint: grey(look.grey).into(),
                opacity: NormalizedF32::ONE,
                rule: Default::default(),
            }));
            let place = Point::from_xy(*x, *y);
            let direction = TextDirection::LeftToRight;
            surface.draw_text(place, font.clone(), look.points, text, false, direction);
        }
        Mark::Rule { y } => {
            let mut path = PathBuilder::new();
            path.move_to(MARGIN, *y);
            path.line_to(PAGE.0 - MARGIN, *y);
            surface.set_fill(None);
            surface.set_stroke(Some(Stroke {
                paint: grey(170).into(),
                width: 0.6,
                ..Stroke::default()
            }));
            if let Some(path) = path.finish() {
                surface.draw_path(&path);
            }
            surface.set_stroke(None);
        }
    }
}

/// The text in signs that the font has.
fn shown(text: &str) -> String {
    let has = |sign: char| FACE.glyph_index(sign).is_some();
    let sign = |sign: char| match sign {
        '\t' => ' ',
        sign if sign.is_control() => MISSING,
        sign if has(sign) => sign,
        _ => MISSING,
    };
    text.chars().map(sign).collect()
}

fn width_of(text: &str, points: f32) -> f32 {
    text.chars().map(|sign| advance(sign, points)).sum()
}

fn advance(sign: char, points: f32) -> f32 {
    let glyph = FACE.glyph_index(sign).or_else(|| FACE.glyph_index(MISSING));
    let units = glyph.and_then(|glyph| FACE.glyph_hor_advance(glyph)).unwrap_or(1000);
    f32::from(units) * points / f32::from(FACE.units_per_em())
}

/// Lines no wider than `width`: broken at blanks and between Han signs, and inside a word only where it is wider alone.
fn broken(text: &str, points: f32, width: f32) -> Vec<String> {
    let mut lines = Vec::new();
    let (mut line, mut used) = (String::new(), 0.0);
    // The last place in `line` where it may be broken.
    let mut place: Option<usize> = None;
    for sign in text.chars() {
        let wide = advance(sign, points);
        if used + wide > width && !line.is_empty() && !(sign == ' ' || NOT_FIRST.contains(sign)) {
            let at = place.filter(|&at| at > 0).unwrap_or(line.len());
            let rest = line.split_off(at).trim_start().to_owned();
            lines.push(line.trim_end().to_owned());
            (used, line) = (width_of(&rest, points), rest);
            place = None;
        }
        let is_han = !sign.is_ascii() && sign.is_alphanumeric() && sign as u32 >= 0x2e80;
        if is_han && !line.is_empty() {
            place = Some(line.len());
        }
        line.push(sign);
        used += wide;
        if sign == ' ' || is_han || "，。、；：！？）".contains(sign) {
            place = Some(line.len());
        }
    }
    lines.push(line.trim_end().to_owned());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_at_blanks_and_between_han_signs() {
        let lines = broken("one two three four five six", 10.0, 60.0);
        assert!(
            lines.len() > 2 && lines.iter().all(|line| width_of(line, 10.0) <= 60.0),
            "{lines:?}"
        );
        assert_eq!(lines.join(" "), "one two three four five six");
        let lines = broken("已扣款未出凭条，请凭凭证号重打印。", 10.0, 62.0);
        assert!(lines.iter().all(|line| !line.starts_with(['，', '。'])), "{lines:?}");
        assert_eq!(lines.concat(), "已扣款未出凭条，请凭凭证号重打印。");
        let word = "x".repeat(40);
        assert_eq!(broken(&word, 10.0, 60.0).concat(), word);
    }

    #[test]
    fn a_sign_that_the_font_has_not_is_seen_to_be_missing() {
        assert_eq!(shown("a\u{1F600}b\u{7}"), "a\u{fffd}b\u{fffd}");
    }

    #[test]
    fn a_long_text_takes_as_many_pages_as_it_needs() {
        let mut paper = Paper::new("标题 Title", "zh-CN");
        (0..200).for_each(|at| paper.paragraph(&format!("第 {at} 段，一句话。")));
        assert!(paper.pages.len() > 3);
        let bytes = paper.finish(0).expect("it is sound PDF/A");
        assert!(bytes.starts_with(b"%PDF-") && bytes.len() > 10_000);
    }
}
