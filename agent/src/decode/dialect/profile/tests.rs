//! Profiles as installers write them, right and wrong.

use super::*;
use crate::decode::dialect::Sink;

#[track_caller]
fn wrong(toml: &str, expected: &str) {
    let error = Profile::parse("shop.toml", toml).expect_err("the profile is wrong");
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_mistake_is_told_with_its_line_and_the_nearest_valid_word() {
    wrong(
        "about = 'x'\nencodin = 'utf-8'\n",
        "shop.toml:2: unknown key `encodin`; did you mean `encoding`?",
    );
    wrong(
        "about = 'x'\nencoding = 'utf8'\n",
        "shop.toml:2: unknown encoding `utf8`; did you mean `utf-8`?",
    );
    wrong(
        "about = 'x'\n[[rule]]\nmtach = 'a'\n",
        "shop.toml:3: unknown key `mtach`; did you mean `match`?",
    );
    wrong(
        "about = 'x'\n[[rule]]\nmatch = 'a'\nsay = 'slip_print'\n",
        "shop.toml:4: unknown body `slip_print`; did you mean `slip_printed`?",
    );
    wrong(
        "about = 'x'\n[[rule]]\nmatch = 'a(?<ammount>x)'\nsay = 'slip_printed'\n",
        "shop.toml:3: unknown group `ammount`; did you mean `amount`?",
    );
}

#[test]
fn what_cannot_be_meant_is_refused() {
    wrong(
        "about = 'x'\n[[rule]]\nmatch = 'a('\nsay = 'network_up'\n",
        "shop.toml:3: the regex cannot be used: unclosed group",
    );
    wrong(
        "about = 'x'\n[[rule]]\nmatch = 'a'\n",
        "shop.toml:3: a rule has either `say = \"…\"` or `ignore = true`",
    );
    wrong(
        "about = 'x'\n[[rule]]\nmatch = 'a'\nsay = 'reversal'\nset = { phase = 'approved' }\n",
        "shop.toml:5: unknown phase `approved`; expected one of pending, sent, acknowledged, failed",
    );
    wrong(
        "about = 'x'\n[[rule]]\nmatch = 'a'\nsay = 'network_up'\nset = { stan = '1' }\n",
        "shop.toml:5: `stan` is read from the text and cannot be set",
    );
    wrong(
        "about = 'x'\n[words.kind]\nX = 'sail'\n",
        "shop.toml:3: unknown kind `sail`; did you mean `sale`?",
    );
    wrong(
        "about = 'x'\n[words.stan]\nX = 'y'\n",
        "shop.toml:2: `stan` holds no words of a closed set",
    );
    wrong(
        "about = 'x'\ntimes = ['%Q']\n",
        "shop.toml:2: \"%Q\" is no part of a time; the parts are %Y %y %m %d %e %b %j %H %M %S %f %z %%",
    );
    wrong("about = 'x'\ngap_ms = 0\n", "shop.toml:2: gap_ms is between 1 and 60000");
    wrong(
        "about = 'x'\n[pairs.keys]\nstam = 'a'\n",
        "shop.toml:3: unknown field `stam`; did you mean `stan`?",
    );
    wrong(
        "about = 'x'\n[pairs.keys]\nstan = 'a b'\n",
        "shop.toml:3: `a b` is no key: letters, digits, `_`, `.` and `-`",
    );
    wrong(
        "about = 'x'\n[[block]]\nstart = 'a'\nsay = 'slip_printed'\nline = 'x'\n",
        "shop.toml:5: expected a group (?<text>…) in it",
    );
    wrong("x", "shop.toml:1: key with no value, expected `=`");
    wrong("encoding = 'utf-8'", "shop.toml:1: missing field `about`");
}

#[test]
fn the_worked_example_of_the_guide_reads_the_log_of_the_guide() {
    let guide = include_str!("../../../../profiles/README.md");
    let toml = guide.split("```toml\n").nth(1).and_then(|text| text.split("```").next());
    let profile = Profile::parse("example", toml.expect("the example")).expect("it is sound");
    assert!(profile.hears_money() && profile.hears_slips());
    let log = guide.lines().filter(|line| line.starts_with("    24.11"));
    let mut reader = reader::Reader::new(&profile, None);
    let (mut decoded, mut counts) = (Default::default(), Default::default());
    for line in log {
        let mut sink = Sink { decoded: &mut decoded, counts: &mut counts, failed_at: &mut None };
        reader.take(&profile, line.trim(), Default::default(), &mut sink);
    }
    assert_eq!((decoded.len(), counts.unmatched, counts.rejected), (5, 0, 0));
}

#[test]
fn the_guide_names_every_field_every_body_and_every_word() {
    let guide = include_str!("../../../../profiles/README.md");
    let words = field::Field::NAMES.iter().filter_map(|name| field::Field::named(name)?.words());
    let all = field::Field::NAMES.iter().chain(say::Say::NAMES).chain(words.flatten());
    for word in all {
        assert!(guide.contains(&format!("`{word}`")), "{word} is missing");
    }
}

#[test]
fn a_block_may_share_the_log_with_other_lines() {
    let profile = Profile::parse(
        "x",
        "about = 'x'\n[[block]]\nstart = 'SLIP'\nline = '^PRN (?<text>.*)'\nend = 'END'\nsay = 'slip_printed'\n\
         labels = { stan = 'NO', amount = 'SUM' }\n[[rule]]\nmatch = 'up'\nsay = 'network_up'\n",
    );
    let profile = profile.expect("it is sound");
    let mut reader = reader::Reader::new(&profile, None);
    let (mut decoded, mut counts) = (Default::default(), Default::default());
    for line in ["PRN SLIP", "PRN NO 000123", "up", "PRN SUM 1.00", "PRN END", "PRN NO"] {
        let mut sink = Sink { decoded: &mut decoded, counts: &mut counts, failed_at: &mut None };
        reader.take(&profile, line, Default::default(), &mut sink);
    }
    assert_eq!((decoded.len(), counts.unmatched), (2, 1));
}
