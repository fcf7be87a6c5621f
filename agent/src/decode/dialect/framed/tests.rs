//! Framed profiles as installers write them, right and wrong; and the shipped ones against any bytes and any card.

use super::*;
use crate::decode::decoder::{Decoded, Decoder};
use crate::decode::dialect::{Direction, shipped};
use crate::decode::scrub::tests::{any_card, digits_of, shows};
use proptest::prelude::*;
use slipwatch_shared::event::{Body, DecodeFailure, Kind, LineCounts, SlipFailure};
use slipwatch_shared::times::Uptime;

/// The shipped profiles of this family.
const SHIPPED: [&str; 6] =
    ["cn-mis-tlv", "cn-mis-fixed", "transbank", "transbank-autoservicio", "ecr17", "concert"];

fn shipped_frame(dialect: &str, body: &[u8]) -> Vec<u8> {
    let framed = Framed::parse(dialect, shipped::text(dialect).expect("shipped")).expect("sound");
    framed.framing.shapes[0].wrap(body)
}

#[track_caller]
fn wrong(toml: &str, expected: &str) {
    let error = Framed::parse("shop.toml", toml).expect_err("the profile is wrong");
    assert_eq!(error.to_string(), expected);
}

/// A small link of parts between bars, and what is added to it.
fn link(more: &str) -> String {
    format!(
        "about = 'x'\n[frame]\nstart = '02'\nend = '03'\ncheck = [{{ sum = 'xor', over = ['end'] }}]\n\
         ack = ['06']\n[body]\nform = 'separated'\nseparator = '|'\n{more}"
    )
}

fn decoder(toml: &str) -> Decoder {
    Decoder::new(Arc::new(Framed::parse("x", toml).expect("it is sound")), None)
}

fn drain(decoder: &mut Decoder) -> Vec<Decoded> {
    std::iter::from_fn(|| decoder.next_decoded()).collect()
}

fn bodies<'a>(decoded: &'a [Decoded]) -> Vec<&'a Body> {
    let body = |one: &'a Decoded| match one {
        Decoded::Said { body, .. } => Some(body),
        Decoded::Failed { .. } => None,
    };
    decoded.iter().filter_map(body).collect()
}

/// Frames of the small link, a second apart.
fn say(decoder: &mut Decoder, said: &[&str], from: u64) -> Vec<Decoded> {
    let shape = Framed::parse("x", &link("")).expect("sound").framing.shapes[0].clone();
    for (index, body) in said.iter().enumerate() {
        let at = Uptime(from + 1_000 * index as u64);
        decoder.push(Direction::Either, &shape.wrap(body.as_bytes()), at);
    }
    drain(decoder)
}

#[test]
fn a_mistake_is_told_with_its_line_and_the_nearest_valid_word() {
    wrong(
        "about = 'x'\n[frame]\nstrat = '02'\n",
        "shop.toml:3: unknown key `strat`; did you mean `start`?",
    );
    wrong(
        &link("").replace("'separated'", "'seperated'"),
        "shop.toml:8: unknown form `seperated`; did you mean `separated`?",
    );
    wrong(
        &link("").replace("'xor'", "'crc16-kermitt'"),
        "shop.toml:5: unknown sum `crc16-kermitt`; did you mean `crc16-kermit`?",
    );
    wrong(
        &link("").replace("['end']", "['ende']"),
        "shop.toml:5: unknown part `ende`; did you mean `end`?",
    );
    wrong(
        &link("[[message]]\nwhen = { 1 = 'a' }\nsay = 'viod'\n"),
        "shop.toml:12: unknown body `viod`; did you mean `void`?",
    );
    wrong(
        &link("[[message]]\nwhen = { 1 = 'a' }\nsay = 'void'\nread = { ammount = '2' }\n"),
        "shop.toml:13: unknown field `ammount`; did you mean `amount`?",
    );
    wrong(
        &link("[[message]]\nwhen = { 1 = 'a' }\nsay = 'void'\nread = { amount = '2 bdc' }\n"),
        "shop.toml:13: unknown reading `bdc`; did you mean `bcd`?",
    );
    wrong(
        &link(
            "[[message]]\nname = 'sale'\nwhen = { 1 = 'a' }\n[[message]]\nafter = ['sail']\nwhen = { 1 = 'b' }\nignore = true\n",
        ),
        "shop.toml:14: unknown request `sail`; did you mean `sale`?",
    );
    wrong(
        &link("[[message]]\nfrom = 'terminl'\nwhen = { 1 = 'a' }\nignore = true\n"),
        "shop.toml:11: unknown side `terminl`; did you mean `terminal`?",
    );
}

#[test]
fn what_cannot_be_meant_is_refused() {
    wrong("about = 'x'\n", "shop.toml:1: missing field `frame`");
    wrong(
        &link("").replace("end = '03'\n", ""),
        "shop.toml:3: a frame without a length needs an end",
    );
    wrong(
        &link("").replace("'02'", "'2'"),
        "shop.toml:3: expected up to four bytes in hexadecimal, as in `02`",
    );
    wrong(
        &link("[[message]]\nwhen = { 0 = 'a' }\nignore = true\n"),
        "shop.toml:11: expected the number of a part, from 1, found `0`",
    );
    wrong(
        &link("[[message]]\nsay = 'network_up'\n"),
        "shop.toml:10: a message needs a `when`: by what is it known?",
    );
    wrong(
        &link("[[message]]\nwhen = { 1 = 'a' }\n"),
        "shop.toml:10: a message has `say`, `slip` or `slip_line`, or else `ignore = true`",
    );
    wrong(
        &link("[[message]]\nwhen = { 1 = 'a(' }\nignore = true\n"),
        "shop.toml:11: the pattern cannot be used: unclosed group",
    );
    wrong(
        &link("[[message]]\nwhen = { 1 = 'a' }\nsay = 'void'\nset = { phase = 'sent' }\n"),
        "shop.toml:13: unknown phase `sent`; expected one of requested, approved, declined, timed_out",
    );
    let positions = link("[[message]]\nwhen = { '10' = 'P' }\nignore = true\n")
        .replace("'separated'\nseparator = '|'", "'positions'");
    wrong(&positions, "shop.toml:10: expected a position and a width, as in `13+19`, found `10`");
    let fixed = "about = 'x'\n[frame]\nstart = '02'\nend = '03'\n[body]\nform = 'fixed'\n[body.layout]\na = ['b c']\n";
    wrong(fixed, "shop.toml:8: expected a name and a width, as in `amount 12`");
}

#[test]
fn the_worked_example_of_the_guide_reads_the_frames_of_the_guide() {
    let guide = include_str!("../../../../profiles/README.md");
    let mut examples = guide.split("```toml\n").skip(1).filter_map(|text| text.split("```").next());
    let toml = examples.find(|text| text.contains("family = \"framed\"")).expect("the example");
    let mut decoder = decoder(toml);
    for line in guide.lines() {
        let (direction, bytes) = match line.split_once("  ").map(|line| line.1) {
            Some(said) if said.starts_with("  till ") => (Direction::ToDevice, &said[6..]),
            Some(said) if said.starts_with("  terminal ") => (Direction::FromDevice, &said[10..]),
            _ => continue,
        };
        let bytes: Option<Vec<u8>> =
            bytes.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).ok()).collect();
        decoder.push(direction, &bytes.expect("hexadecimal"), Uptime(0));
    }
    decoder.finish(Uptime(0));
    let said = drain(&mut decoder);
    let [
        Body::AuthorizationRequested(asked),
        Body::AuthorizationAnswered { keys, .. },
        Body::SlipPrinted { slip, .. },
    ] = bodies(&said)[..]
    else {
        panic!("{said:?}")
    };
    assert_eq!((keys.amount, &keys.order_number), (asked.amount, &asked.order_number));
    assert_eq!((slip.keys.amount, slip.keys.stan), (keys.amount, keys.stan));
    assert_eq!(decoder.take_counts().unmatched, 0);
}

#[test]
fn the_guide_names_every_reading_every_length_and_every_check_sum() {
    let guide = include_str!("../../../../profiles/README.md");
    let sums = frame::SUMS.iter().map(|sum| sum.0);
    for word in value::Reading::NAMES.into_iter().chain(frame::LENGTHS).chain(sums) {
        assert!(guide.contains(&format!("`{word}`")), "{word} is missing");
    }
}

#[test]
fn an_answer_takes_from_its_request_what_it_does_not_repeat() {
    let toml = link(
        "[[message]]\nname = 'sale'\nwhen = { 1 = 'P' }\nsay = 'authorization_requested'\nset = { kind = 'sale' }\n\
         read = { amount_minor = '2' }\n\
         [[message]]\nname = 'undo'\nwhen = { 1 = 'U' }\nsay = 'void'\nset = { phase = 'requested' }\n\
         [[message]]\nwhen = { 1 = 'A' }\nafter = ['undo']\nsay = 'void'\nread = { response_code = '2' }\n\
         [[message]]\nwhen = { 1 = 'A' }\nsay = 'authorization_answered'\ntake = ['kind', 'amount_minor']\n\
         read = { response_code = '2' }\n",
    );
    let amount = |body: &Body| body.keys().and_then(|keys| keys.amount).map(|amount| amount.minor);
    let kind = |body: &Body| body.keys().and_then(|keys| keys.kind);
    let mut decoder = decoder(&toml);
    let said = say(&mut decoder, &["P|1250", "A|00"], 0);
    let [_, answer] = bodies(&said)[..] else { panic!("{said:?}") };
    assert_eq!((amount(answer), kind(answer)), (Some(1250), Some(Kind::Sale)));
    // The request was answered: another answer knows nothing of it.
    let said = say(&mut decoder, &["A|01"], 10_000);
    let [answer] = bodies(&said)[..] else { panic!("{said:?}") };
    assert_eq!((amount(answer), kind(answer)), (None, None));
    let said = say(&mut decoder, &["U", "A|00"], 20_000);
    assert!(matches!(bodies(&said)[..], [Body::Void { .. }, Body::Void { .. }]), "{said:?}");
    // Nobody waits for ever: three minutes later the answer is to something that was not heard.
    say(&mut decoder, &["P|1250"], 100_000);
    let said = say(&mut decoder, &["A|00"], 280_000);
    assert_eq!(amount(bodies(&said)[0]), None);
}

#[test]
fn a_repeated_frame_is_said_once_and_an_equal_one_behind_an_acknowledgement_twice() {
    let toml = link("[[message]]\nwhen = { 1 = 'A' }\nsay = 'network_up'\n");
    let mut decoder = decoder(&toml);
    assert_eq!(say(&mut decoder, &["A", "A", "A"], 0).len(), 1);
    decoder.push(Direction::Either, b"\x06", Uptime(2_500));
    assert_eq!(say(&mut decoder, &["A"], 3_000).len(), 1);
    let LineCounts { lines, unmatched, rejected, .. } = decoder.take_counts();
    assert_eq!((lines, unmatched, rejected), (4, 0, 0));
}

#[test]
fn rows_without_their_last_one_are_a_hole() {
    let toml = link(
        "[[message]]\nwhen = { 1 = 'R', 2 = '.+' }\nrows = 'more'\n[[message]]\nwhen = { 1 = 'R' }\nrows = 'last'\n",
    );
    let mut whole = decoder(&toml);
    assert_eq!(say(&mut whole, &["R|1", "R|2", "R|"], 0), []);
    whole.settle(Uptime(60_000));
    assert_eq!((drain(&mut whole), whole.wake_at()), (vec![], None));
    let mut torn = decoder(&toml);
    assert_eq!(say(&mut torn, &["R|1", "R|2"], 0), []);
    assert_eq!(torn.settled_until(Uptime(1_500)), Uptime(1_000));
    assert_eq!(torn.wake_at(), Some(Uptime(4_000)));
    torn.settle(Uptime(4_000));
    let expected = Decoded::Failed { at: Uptime(1_000), reason: DecodeFailure::Torn };
    assert_eq!(drain(&mut torn), [expected]);
}

#[test]
fn a_voucher_that_was_asked_for_and_is_not_there_is_a_failed_slip() {
    let answer = "0210|00|597029414300|IT750870|ABC123|144809|35000|03|11668|6590|000155|CR|003000|3000000000000000000|VI|07052026|152829||0||";
    let told = |request: &str| {
        let mut decoder = Decoder::new(shipped::dialect("transbank").expect("shipped"), None);
        for (at, body) in [(0, request), (9_000, answer)] {
            decoder.push(
                Direction::Either,
                &shipped_frame("transbank", body.as_bytes()),
                Uptime(at),
            );
        }
        drain(&mut decoder)
    };
    let asked = told("0200|35000|ABC123||1|0");
    let Some(Body::SlipFailed { slip, reason: SlipFailure::Unknown }) = bodies(&asked).pop() else {
        panic!("{asked:?}")
    };
    assert_eq!(slip.keys.stan.map(|stan| stan.number()), Some(155));
    // Not asked for: the terminal prints it, and this line does not show it.
    let not_asked = told("0200|35000|ABC123||0|0");
    assert!(matches!(bodies(&not_asked)[..], [_, Body::AuthorizationAnswered { .. }]));
}

#[test]
fn noise_is_a_hole_and_a_stray_byte_is_none() {
    let mut decoder = decoder(&link("[[message]]\nwhen = { 1 = 'A' }\nsay = 'network_up'\n"));
    for (at, byte) in b"\0\0\x06\0".iter().enumerate() {
        decoder.push(Direction::Either, &[*byte], Uptime(at as u64));
    }
    assert_eq!(say(&mut decoder, &["A"], 10).len(), 1);
    assert_eq!(decoder.take_counts().rejected, 0);
    for at in 0..40 {
        decoder.push(Direction::Either, &[0xf8], Uptime(20 + at));
    }
    let failed = Decoded::Failed { at: Uptime(27), reason: DecodeFailure::Torn };
    assert_eq!(drain(&mut decoder), [failed]);
}

#[test]
fn the_two_directions_are_one_conversation() {
    let mut decoder = Decoder::new(shipped::dialect("ecr17").expect("shipped"), None);
    let request = format!("123456780P{}0000000000650{}00000000", "87654321", " ".repeat(128));
    let answer =
        format!("123456780E00{}ICC0000012111520200000000001000042000099", "411111******1111   ");
    let (request, answer) =
        (shipped_frame("ecr17", request.as_bytes()), shipped_frame("ecr17", answer.as_bytes()));
    // Half a frame of one direction lies between the halves of the other.
    decoder.push(Direction::ToDevice, &request[..40], Uptime(0));
    decoder.push(Direction::FromDevice, b"\x15", Uptime(1));
    decoder.push(Direction::ToDevice, &request[40..], Uptime(2));
    decoder.push(Direction::FromDevice, &answer[..9], Uptime(3));
    decoder.push(Direction::ToDevice, b"\x06", Uptime(4));
    decoder.push(Direction::FromDevice, &answer[9..], Uptime(5));
    let said = drain(&mut decoder);
    let [Body::AuthorizationRequested(asked), Body::AuthorizationAnswered { keys, .. }] =
        bodies(&said)[..]
    else {
        panic!("{said:?}")
    };
    assert_eq!((asked.amount.map(|amount| amount.minor), keys.amount), (Some(650), asked.amount));
    // What comes from the terminal is no request, however much it looks like one.
    decoder.push(Direction::FromDevice, &request, Uptime(6));
    assert_eq!((drain(&mut decoder), decoder.take_counts().unmatched), (vec![], 1));
}

/// Digits two a byte, `F` behind an odd number.
fn packed(number: &str) -> Vec<u8> {
    let digits: Vec<u8> = number.bytes().map(|byte| byte - b'0').collect();
    digits.chunks(2).map(|pair| (pair[0] << 4) | pair.get(1).copied().unwrap_or(0xf)).collect()
}

fn tlv(tags: &[(u16, &[u8])]) -> Vec<u8> {
    let tag = |(tag, value): &(u16, &[u8])| {
        [&tag.to_be_bytes()[..], &[0x81, value.len() as u8], value].concat()
    };
    tags.iter().flat_map(tag).collect()
}

/// A conversation of each form with a card number where one may stand, and in places where none should.
fn with_card(number: &str, form: usize) -> (&'static str, Vec<Vec<u8>>) {
    let text = number.as_bytes();
    let bcd = packed(number);
    let mis = |tags: &[(u16, &[u8])]| {
        let head: [(u16, &[u8]); 3] = [(0xdf01, b"\x02"), (0xdf02, b"\x45"), (0xdf07, b"00")];
        ("cn-mis-tlv", vec![tlv(&[&head, tags].concat())])
    };
    match form {
        0 => mis(&[(0xdf1e, text), (0xdf1f, b"2812")]),
        1 => mis(&[(0xdf1e, &bcd)]),
        2 => mis(&[(0xdf33, text)]),
        3 => mis(&[(0xdf33, &bcd), (0xdf02, b"")]),
        4 => mis(&[(0xdf06, &tlv(&[(0xdf1e, text), (0xdf5a, &bcd)]))]),
        5 => {
            let head = "00001234";
            let tail = format!("000005{:012}{:40}898330100000001 00000001000001", 1250, "");
            let tail = tail.replace(" 0000", "0000");
            let body =
                format!("00{}{number:<20}{tail}11240930056328090001231234561124123", &head[..4]);
            ("cn-mis-fixed", vec![body.into_bytes()])
        }
        6 => {
            let answer =
                format!("123456780E00{number:0>19}ICC1234562111520200000000001000042000099");
            let line = format!("123456780SCARTA {number}");
            // Refused, and the number stands where the reason should.
            let refused = format!("123456780E01{number:0>19}ICC{:25}000043000100", "");
            ("ecr17", vec![answer.into_bytes(), line.into_bytes(), refused.into_bytes()])
        }
        7 => {
            let body = format!("12012345678{}{:<55}9780123456789", "1", format!("{number}281200"));
            ("concert", vec![body.into_bytes()])
        }
        8 => {
            let voucher = format!(
                "{:40}{:<40}{:40}",
                "TRANSBANK",
                format!("TARJETA {number}"),
                "TOTAL: $1.000"
            );
            let body = format!(
                "0210|00|597029414300|IT750870|A1|144809|1000|0||{}|000155|CR|0|{number}|VI|07052026|152829||0|{voucher}|",
                &number[number.len() - 4..]
            );
            ("transbank", vec![body.into_bytes()])
        }
        // A part that is cut amid the number when it is shown.
        9 => {
            let voucher = format!("{:115}{number}{:20}", "TRANSBANK", "");
            let body = format!(
                "0210|00|597029414300|IT750870|A1|144809|1000|0||1111|000155|CR|0||VI|07052026|152829||0|{voucher}|"
            );
            ("transbank", vec![body.into_bytes()])
        }
        // Wide blanks between its groups, in GBK.
        10 => {
            let groups: Vec<&[u8]> = text.chunks(4).collect();
            mis(&[(0xdf04, &groups.join(&b"\xa1\xa1"[..]))])
        }
        // A slip whose number is cut into two lines.
        _ => {
            let (head, tail) = number.split_at(number.len() / 2);
            let voucher = format!("{:40}{head:>40}{tail:<40}", "TRANSBANK");
            let body = format!(
                "0210|00|597029414300|IT750870|A1|144809|1000|0||1111|000155|CR|0||VI|07052026|152829||0|{voucher}|"
            );
            ("transbank", vec![body.into_bytes()])
        }
    }
}

/// How many there are.
const CARD_FORMS: usize = 12;

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_card_number_leaves_in_any_form(number in any_card(), form in 0..CARD_FORMS, size in 1_usize..60) {
        let (dialect, bodies) = with_card(&number, form);
        let mut decoder = Decoder::new(shipped::dialect(dialect).expect("shipped"), None);
        for (index, body) in bodies.iter().enumerate() {
            for chunk in shipped_frame(dialect, body).chunks(size) {
                decoder.push(Direction::Either, chunk, Uptime(index as u64));
            }
        }
        decoder.finish(Uptime(100));
        let decoded = drain(&mut decoder);
        prop_assert!(!decoded.is_empty(), "{dialect} says something");
        let text = format!("{decoded:?}");
        // In half-bytes an E stands for a digit that is hidden.
        let clear = digits_of(&text.replace('E', "*"));
        prop_assert!(!shows(&clear, &number), "{number} in {text}");
    }

    #[test]
    fn any_bytes_are_survived_and_chunks_do_not_matter(
        which in 0..SHIPPED.len(), frames in prop::collection::vec(prop_oneof![
            prop::collection::vec(prop_oneof![
                prop::sample::select(vec![0, 1, 2, 3, 4, 6, 0x15, b'|', b'0', b'E', 0xdf, 0x81, 0x82]), any::<u8>()
            ], 0..200),
            "(0200|0210|0271|0261|1210)(\\|[0-9A-Z]{0,12}){0,22}".prop_map(String::into_bytes),
            "[0-9]{8}0[PEVSCTGe][0-9 A-Z]{0,60}".prop_map(String::into_bytes),
            "[0-9]{25}".prop_map(String::into_bytes),
        ], 0..8),
        wrapped in any::<bool>(), size in 1_usize..40,
    ) {
        let name = SHIPPED[which];
        let wrap = |body: &Vec<u8>| if wrapped { shipped_frame(name, body) } else { body.clone() };
        let stream: Vec<u8> = frames.iter().flat_map(wrap).collect();
        let run = |size: usize| {
            let mut decoder = Decoder::new(shipped::dialect(name).expect("shipped"), None);
            stream.chunks(size).for_each(|chunk| decoder.push(Direction::Either, chunk, Uptime(7)));
            decoder.finish(Uptime(7));
            let held = decoder.settled_until(Uptime(9));
            (drain(&mut decoder), decoder.take_counts(), held)
        };
        let whole = run(stream.len().max(1));
        prop_assert_eq!(&run(size), &whole);
        let (_, counts, held) = whole;
        prop_assert_eq!((counts.bytes, held), (stream.len() as u64, Uptime(9)));
        prop_assert!(counts.unmatched + counts.rejected <= counts.lines, "{:?}", counts);
    }
}
