//! ZVT: what a Feig terminal and its till said in a captured network, and what terminals of Austria and Germany said to
//! others' tests. All of it travelled over TCP; wrapping it in frames for the serial line is ours.

mod port;
mod scenes;

use super::{assert_snapshot, at, decoder, drain, fixtures, told};
use slipwatch_agent::decode::decoder::Decoded;
use slipwatch_agent::decode::dialect::zvt::{Zvt, bmp, command, status, tlv};
use slipwatch_agent::decode::dialect::{Direction, shipped};
use slipwatch_shared::card::EntryMode;
use slipwatch_shared::event::LineCounts;
use slipwatch_shared::times::Uptime;
use std::fmt::Write;

/// What one side sent in one read, and when.
#[derive(Clone)]
struct Read {
    name: String,
    direction: Direction,
    bytes: Vec<u8>,
    ms: u64,
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).expect("hex");
    (0..text.len() / 2).map(|at| digit(2 * at)).collect()
}

/// The frame of the serial line around a message.
fn wrap(message: &[u8]) -> Vec<u8> {
    let zvt = Zvt::parse("zvt", shipped::text("zvt").expect("it is shipped"));
    zvt.expect("it is sound").wrap(message)
}

/// What a read is, as far as its first bytes tell.
fn name_of(bytes: &[u8]) -> String {
    let Some(code) = bytes.first_chunk().map(|code| u16::from_be_bytes(*code)) else {
        return "less than a message".to_owned();
    };
    match (command::find(code), command::Answer::find(code)) {
        (Some(command), _) => command.name.to_owned(),
        (None, Some(answer)) => format!("answer {answer:?}"),
        (None, None) if command::is_known(code) => "a maker's own message".to_owned(),
        (None, None) => "no message begins so".to_owned(),
    }
}

fn play(dialect: &str, reads: &[Read]) -> (Vec<Decoded>, LineCounts) {
    let mut decoder = decoder(dialect);
    for read in reads {
        decoder.settle(Uptime(read.ms));
        decoder.push(read.direction, &read.bytes, Uptime(read.ms));
    }
    decoder.finish(Uptime(reads.last().map_or(0, |read| read.ms)));
    let counts = decoder.take_counts();
    (drain(&mut decoder), counts)
}

/// What is left when it was said is not asked for.
fn without_time(decoded: &[Decoded]) -> Vec<String> {
    decoded.iter().map(told).collect()
}

/// Each read with its name and what came of it; and what was counted.
fn describe(reads: &[Read]) -> String {
    let (decoded, counts) = play("zvt-tcp", reads);
    let mut text = String::new();
    let mut silent = 0;
    for (index, read) in reads.iter().enumerate() {
        let way = match read.direction {
            Direction::ToDevice => "till: ",
            Direction::FromDevice => "terminal: ",
            Direction::Either => "",
        };
        let name = if read.name.is_empty() { String::new() } else { format!("{} ", read.name) };
        let title = format!("# {name}({way}{})", name_of(&read.bytes));
        let next = reads.get(index + 1).map_or(u64::MAX, |next| next.ms);
        let own = |one: &&Decoded| (read.ms..next).contains(&at(one));
        let own: String = decoded.iter().filter(own).map(told).collect();
        let is_next_alike = reads.get(index + 1).is_some_and(|next| {
            read.name.is_empty() && name_of(&next.bytes) == name_of(&read.bytes)
        });
        silent += 1;
        if own.is_empty() && is_next_alike {
            continue;
        }
        match silent {
            1 => writeln!(text, "{title}"),
            _ => writeln!(text, "{title} x {silent}"),
        }
        .expect("room");
        silent = 0;
        text.push_str(&own);
    }
    let LineCounts { lines, unmatched, rejected, .. } = counts;
    writeln!(text, "= {lines} messages, {unmatched} unknown, {rejected} damaged").expect("room");
    for read in reads.iter().filter(|_| rejected > 0) {
        text.push_str(&why_damaged(&read.bytes));
    }
    text
}

/// What is wrong with a message that could not be read.
fn why_damaged(bytes: &[u8]) -> String {
    let (there, promised) = match *bytes {
        [_, _, 0xff, low, high, ref rest @ ..] => {
            (rest.len(), usize::from(u16::from_le_bytes([low, high])))
        }
        [_, _, short, ref rest @ ..] => (rest.len(), usize::from(short)),
        _ => return "  less than a message\n".to_owned(),
    };
    let begins = command::is_class(bytes[0]);
    match there.cmp(&promised) {
        _ if !begins => "  no message begins so\n".to_owned(),
        std::cmp::Ordering::Equal => String::new(),
        _ => format!("  its length promises {promised} bytes, {there} are there\n"),
    }
}

/// However the reads are cut and whatever carries them, the same is said.
#[track_caller]
fn assert_any_way(name: &str, messages: &[Read]) {
    let expected = without_time(&play("zvt-tcp", messages).0);
    let bytes = |wrap: fn(&[u8]) -> Vec<u8>| -> Vec<Read> {
        let each = messages.iter().flat_map(|read| {
            wrap(&read.bytes).into_iter().map(|byte| Read { bytes: vec![byte], ..read.clone() })
        });
        each.collect()
    };
    let pairs = |reads: Vec<Read>| -> Vec<Read> {
        let mut pairs: Vec<Read> = Vec::new();
        for read in reads {
            match pairs.last_mut().filter(|last| last.direction == read.direction) {
                Some(last) if last.bytes.len() < 3_000 => last.bytes.extend(&read.bytes),
                _ => pairs.push(read),
            }
        }
        pairs
    };
    let glued = messages.iter().map(|read| {
        let bytes = [&[0x06][..], &wrap(&read.bytes)].concat();
        Read { bytes, ..read.clone() }
    });
    let ways = [
        ("zvt-tcp", "byte by byte", bytes(<[u8]>::to_vec)),
        ("zvt-tcp", "two messages a read", pairs(messages.to_vec())),
        ("zvt", "framed, byte by byte", bytes(wrap)),
        ("zvt", "framed, acknowledgements glued in front", glued.collect()),
    ];
    for (dialect, how, reads) in ways {
        assert_eq!(without_time(&play(dialect, &reads).0), expected, "{name}, {how}");
    }
}

/// The captured messages, in the order of their names: those with a time come first.
fn captured() -> Vec<(String, Vec<u8>)> {
    let files = std::fs::read_dir(fixtures("devices/everest-zvt")).expect("the captured messages");
    let paths = files.map(|file| file.expect("a file").path());
    let mut blobs: Vec<(String, Vec<u8>)> = paths
        .filter(|path| path.extension().is_some_and(|end| end == "blob"))
        .map(|path| {
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            (name, std::fs::read(&path).expect("a captured message"))
        })
        .collect();
    blobs.sort();
    assert_eq!(blobs.len(), 25);
    blobs
}

fn direction_of(name: &str, bytes: &[u8]) -> Direction {
    match name {
        _ if name.ends_with("ecr_pt") => Direction::ToDevice,
        _ if name.ends_with("pt_ecr") => Direction::FromDevice,
        _ if name.ends_with("192.168.0.139_192.168.0.59") => Direction::ToDevice,
        _ if name.ends_with("192.168.0.59_192.168.0.139") => Direction::FromDevice,
        // Cut out of the capture without address and time.
        _ => match command::find(u16::from_be_bytes([bytes[0], bytes[1]])) {
            Some(command) if command.sender == command::Sender::Till => Direction::ToDevice,
            _ => Direction::FromDevice,
        },
    }
}

/// Milliseconds of a name's seconds and nanoseconds, from the first of the capture on.
fn time_of(name: &str) -> Option<u64> {
    let mut parts = name.split(['.', '_']);
    let seconds: u64 = parts.next()?.parse().ok()?;
    let nanoseconds: u64 = parts.next()?.parse().ok()?;
    Some((seconds - 1_680_722_649) * 1_000 + nanoseconds / 1_000_000)
}

fn read_of((name, bytes): (String, Vec<u8>)) -> Read {
    let direction = direction_of(&name, &bytes);
    let ms = time_of(&name).unwrap_or(0);
    Read { name, direction, bytes, ms }
}

#[test]
fn a_captured_conversation_is_read_as_it_went_on() {
    let timed = captured().into_iter().filter(|(name, _)| time_of(name).is_some());
    let reads: Vec<Read> = timed.map(read_of).collect();
    assert_eq!(reads.len(), 21);
    assert_snapshot("devices/everest-zvt", "conversation", &describe(&reads));
    assert_any_way("conversation", &reads);
}

#[test]
fn each_captured_message_is_read_by_itself() {
    let mut text = String::new();
    for read in captured().into_iter().map(read_of) {
        text.push_str(&describe(std::slice::from_ref(&read)));
        assert_any_way(&read.name.clone(), &[read]);
    }
    assert_snapshot("devices/everest-zvt", "messages", &text);
}

/// The messages of each case of others' tests.
fn cases() -> Vec<(String, Vec<Read>)> {
    let table = std::fs::read_to_string(fixtures("devices/portalum-zvt").join("apdus.tsv"));
    let mut cases: Vec<(String, Vec<Read>)> = Vec::new();
    for line in table.expect("the recorded messages").lines().skip(1) {
        let [_, case, _, hex] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("four columns")
        };
        if cases.last().is_none_or(|last| last.0 != case) {
            cases.push((case.to_owned(), Vec::new()));
        }
        let reads = &mut cases.last_mut().expect("it was just made").1;
        let ms = reads.len() as u64 * 10;
        let direction = Direction::Either;
        reads.push(Read { name: String::new(), direction, bytes: unhex(hex), ms });
    }
    assert_eq!(cases.iter().map(|case| case.1.len()).sum::<usize>(), 187);
    cases
}

#[test]
fn every_recorded_case_is_read() {
    let mut text = String::new();
    for (name, reads) in cases() {
        writeln!(text, "\n## {name}").expect("room");
        text.push_str(&describe(&reads));
    }
    assert_snapshot("devices/portalum-zvt", "cases", &text);
}

/// The reads of a file, one a line.
fn sequence(name: &str) -> Vec<Read> {
    let text =
        std::fs::read_to_string(fixtures("devices/portalum-zvt").join(format!("{name}.hex")));
    let read = |(index, line): (usize, &str)| Read {
        name: String::new(),
        direction: Direction::FromDevice,
        bytes: unhex(line.trim()),
        ms: index as u64 * 10,
    };
    text.expect("a recorded sequence").lines().enumerate().map(read).collect()
}

#[test]
fn recorded_slips_are_read_line_by_line_and_in_pieces() {
    let mut text = String::new();
    for (name, reads, slips) in [
        ("sequence-end-of-day-print-lines", 42, 0),
        ("sequence-payment-merchant-and-customer-slip-print-lines", 67, 2),
        ("fragmented-customer-slip-10-chunks", 10, 1),
        ("fragmented-merchant-slip-2-chunks", 2, 0),
    ] {
        let sequence = sequence(name);
        assert_eq!(sequence.len(), reads, "{name}");
        let (decoded, counts) = play("zvt-tcp", &sequence);
        assert_eq!((decoded.len(), counts.rejected), (slips, 0), "{name}");
        writeln!(text, "## {name}, {} reads, {} messages", reads, counts.lines).expect("room");
        decoded.iter().for_each(|one| text.push_str(&told(one)));
        if !name.starts_with("fragmented") {
            assert_any_way(name, &sequence);
        }
    }
    assert_snapshot("devices/portalum-zvt", "slips", &text);
}

/// The value of a field, by its tag.
fn field(message: &[u8], tag: u8) -> Option<&[u8]> {
    let found = bmp::Fields::new(message, 3).find(|field| field.bmp.tag == tag)?;
    Some(&message[found.from..found.to])
}

/// The value of a field inside the container, by its tag.
fn inner(message: &[u8], tag: u16) -> Option<Vec<u8>> {
    let container = bmp::Fields::new(message, 3).find(|field| field.bmp.tag == 0x06)?;
    let mut found = None;
    tlv::for_each(message, container.from, container.to, &mut |field| {
        if field.tag == tag {
            found = Some(message[field.from..field.to].to_vec());
        }
    });
    found
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

/// What a recorded status information says under the name that others' tests have for it, as they write it.
fn value(message: &[u8], name: &str, as_written: &str) -> String {
    let status = status::Status::read(message, 3);
    let result = status.result.expect("a result");
    let time = status.device_time;
    let month_day = time.and_then(|time| time.month_day);
    match name {
        "AdditionalText" => String::from_utf8_lossy(field(message, 0x3c).expect("a text")).into(),
        "ErrorCode" if as_written == "0" => result.to_string(),
        "ErrorCode" => format!("0x{result:02X}"),
        "ErrorMessage" => match status::Outcome::of(result) {
            status::Outcome::Approved => "no error".to_owned(),
            status::Outcome::Aborted => "abort via timeout or abort-key".to_owned(),
            outcome => {
                assert_eq!((outcome, result), (status::Outcome::Failed, 0xff));
                "system error (= other/unknown error), See TLV tags 1F16 and 1F17".to_owned()
            }
        },
        "TerminalIdentifier" => {
            let terminal = status.terminal.expect("a terminal").to_string();
            terminal.trim_start_matches('0').to_owned()
        }
        "CardType" => {
            let card_type = field(message, 0x8a).expect("a card type")[0];
            status::scheme(card_type).expect("a known one").to_owned()
        }
        "CardName" => status.brand.expect("a name").to_string(),
        "ExpiryDateYear" => hex(&field(message, 0x0e).expect("a date")[..1]),
        "ExpiryDateMonth" => hex(&field(message, 0x0e).expect("a date")[1..]),
        "Amount" => {
            let minor = status.amount_minor.expect("an amount");
            match as_written.contains('.') {
                true => format!("{}.{:02}", minor / 100, minor % 100),
                false => (minor / 100).to_string(),
            }
        }
        "CurrencyCode" => {
            assert_eq!(
                status.currency.map(|currency| currency.to_string()).as_deref(),
                Some("EUR")
            );
            "978".to_owned()
        }
        "TurnoverRecordNumber" => status.turnover.expect("a number").to_string(),
        "TraceNumber" => status.stan.expect("a number").number().to_string(),
        "CardSequenceNumber" => {
            hex(field(message, 0x17).expect("a number")).trim_start_matches('0').into()
        }
        "Time" => {
            let time = time.expect("a time");
            format!("{:02}:{:02}:{:02}", time.hour, time.minute, time.second)
        }
        "DateDay" => month_day.expect("a date").1.to_string(),
        "DateMonth" => month_day.expect("a date").0.to_string(),
        "CardNumber" => {
            let digits = 2 * field(message, 0x22).expect("a card").len();
            let pan = status.pan.expect("a card");
            assert_eq!(pan.first_six(), None);
            format!("{}{:04}", "*".repeat(digits - 4), pan.last_four())
        }
        "CardTechnology" => match status.entry_mode.expect("a technology") {
            EntryMode::Contactless => "NFC".to_owned(),
            EntryMode::Inserted => "Chip".to_owned(),
            other => format!("{other:?}"),
        },
        "CardholderAuthentication" => match inner(message, 0x1f10).as_deref() {
            Some([0]) => "No Cardholder authentication".to_owned(),
            Some([3]) => "Offline encrypted Pin".to_owned(),
            other => format!("{other:?}"),
        },
        "ApplicationId" => hex(&inner(message, 0x43).expect("an application")),
        other => panic!("{other} is compared with nothing"),
    }
}

#[test]
fn every_expected_value_of_a_status_information_is_met() {
    let table = fixtures("devices/portalum-zvt").join("status-information.expected.tsv");
    let table = std::fs::read_to_string(table).expect("the expected values");
    let cases = cases();
    let mut compared = 0;
    for line in table.lines().skip(1) {
        let [case, name, expected] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("three columns")
        };
        let message = &cases.iter().find(|known| known.0 == case).expect("a case").1[0].bytes;
        assert_eq!(value(message, name, expected), expected, "{case}: {name}");
        compared += 1;
    }
    assert_eq!(compared, 53);
}

#[test]
fn every_sound_status_information_is_understood_to_its_end() {
    let captured = captured().into_iter().map(|blob| blob.1);
    let recorded = cases().into_iter().flat_map(|case| case.1).map(|read| read.bytes);
    let mut sound = 0;
    for message in captured.chain(recorded) {
        let is_whole = message.len() > 3 && message.len() == 3 + usize::from(message[2]);
        if message.starts_with(&[0x04, 0x0f]) && is_whole {
            let end = bmp::Fields::new(&message, 3).last_end();
            // Two cases of a length alone carry `6C`, which is no field.
            assert!(end == message.len() || message.len() == 4, "{}", hex(&message));
            sound += usize::from(end == message.len());
        }
    }
    assert_eq!(sound, 19);
}
