//! A card number sent through every text path is found nowhere: not in the spool's files, the store's, logs, metrics, pages,
//! letters or MQTT payloads. Bytes are searched, also those that hide: hexadecimal, packed two digits a byte, UTF-16.

use crate::serial::payment;
use slipwatch_tests::process::mosquitto::Spy;
use slipwatch_tests::process::shop::Shop;
use slipwatch_tests::process::{binary, page};
use slipwatch_tests::terminal::Story;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Numbers that pass Luhn in ranges of real issuers; nobody's cards.
const CARDS: [&str; 5] = [
    "6225760000006697",
    "4111111111111111",
    "5555555555554444",
    "6212341111111111108",
    "378282246310005",
];

/// What may be kept: the first six and the last four. One digit more is too much.
const KEPT: (usize, usize) = (6, 4);

/// A line each for every way that devices write a card number. Not among them: a field that is an identifier by its name
/// (`order=`, `rrn=`), which is kept as it is.
fn lines(card: &str) -> Vec<Vec<u8>> {
    let spaced: Vec<String> =
        card.as_bytes().chunks(4).map(|four| String::from_utf8_lossy(four).into_owned()).collect();
    let digits_as_hex: Vec<String> = card.bytes().map(|digit| format!("{digit:02X}")).collect();
    let digits_as_hex = digits_as_hex.join(" ");
    let padded = if card.len() % 2 == 1 { format!("{card}F") } else { card.to_owned() };
    let packed_with_spaces: Vec<String> = padded
        .as_bytes()
        .chunks(2)
        .map(|pair| String::from_utf8_lossy(pair).into_owned())
        .collect();
    let texts = [
        format!("evt=auth_request kind=SALE amt=1250 cur=CNY stan=000101 card={card} tid=10000001"),
        format!(
            "evt=auth_response rc=00 kind=SALE amt=1250 cur=CNY stan=000101 pan={card} rrn=632809000101 tid=10000001"
        ),
        format!(
            "evt=print_done copy=customer amt=1250 stan=000101 card=\"{}\" tid=10000001",
            spaced.join(" ")
        ),
        format!(
            "evt=print_done copy=merchant amt=1250 stan=000101 card={} tid=10000001",
            spaced.join("-")
        ),
        format!("evt=auth_request stan=000102 amt=990 operator={card} tid=10000001"),
        format!("evt=txn_done stan=000102 amt=990 note=paid-with-{card}-today tid=10000001"),
        format!("evt=screen text=\"card {card} accepted\" tid=10000001"),
        format!("evt=txn_done stan=000103 track2={card}=29121010000012345678 tid=10000001"),
        format!("evt=txn_done stan=000103 track2={card}D29121010000012345678F tid=10000001"),
        format!(
            "evt=txn_done stan=000103 track1=%B{card}^DOE/JANE^29121010000000000? tid=10000001"
        ),
        format!("evt=txn_done stan=000104 hex={digits_as_hex} tid=10000001"),
        format!("evt=txn_done stan=000104 hex={} tid=10000001", digits_as_hex.replace(' ', "")),
        format!("evt=txn_done stan=000104 field2={padded} 5A08{padded} tid=10000001"),
        format!("DUMP 0000: 02 00 {} 31 ..", packed_with_spaces.join(" ")),
        format!("卡号 {card} 交易成功"),
    ];
    texts.into_iter().map(|text| format!("{text}\n").into_bytes()).collect()
}

/// Every way in which the middle of a number could lie in a file: a digit more than may be kept from either end.
fn needles(card: &str) -> Vec<(String, Vec<u8>)> {
    let head = &card[..KEPT.0 + 1];
    let tail = &card[card.len() - KEPT.1 - 4..];
    let middle = &card[KEPT.0..card.len() - KEPT.1];
    let mut needles = Vec::new();
    for (what, digits) in [("head", head), ("tail", tail), ("middle", middle), ("whole", card)] {
        // Short runs of one digit are everywhere; they are found as part of the whole.
        if digits.bytes().all(|digit| digit == digits.as_bytes()[0]) || digits.len() < 7 {
            continue;
        }
        let ascii = digits.as_bytes().to_vec();
        let hex: Vec<u8> =
            digits.bytes().flat_map(|digit| format!("{digit:02x}").into_bytes()).collect();
        let wide: Vec<u8> = digits.bytes().flat_map(|digit| [digit, 0]).collect();
        let packed: Vec<u8> = digits
            .as_bytes()
            .chunks_exact(2)
            .map(|pair| (pair[0] - b'0') << 4 | (pair[1] - b'0'))
            .collect();
        let spaced: Vec<u8> = digits.as_bytes().chunks(4).collect::<Vec<_>>().join(&b' ').clone();
        needles.push((format!("{what} of {card}"), ascii));
        needles.push((format!("{what} of {card}, in hexadecimal"), hex));
        needles.push((format!("{what} of {card}, in UTF-16"), wide));
        if digits.len() >= 14 {
            needles.push((format!("{what} of {card}, packed"), packed));
            needles.push((format!("{what} of {card}, spaced"), spaced));
        }
    }
    needles
}

/// What stands around the needle, as text; nobody's cards, so it may be shown.
fn find(bytes: &[u8], needle: &[u8]) -> Option<String> {
    let at = bytes.windows(needle.len()).position(|window| window.eq_ignore_ascii_case(needle))?;
    let around = at.saturating_sub(60)..bytes.len().min(at + needle.len() + 40);
    Some(String::from_utf8_lossy(&bytes[around]).escape_debug().to_string())
}

fn files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, found);
        } else if path.is_file() {
            found.push(path);
        }
    }
}

/// Everything that there is to search, with a name.
fn everything(shop: &Shop, spy: &Spy) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    files(shop.path(), &mut found);
    let mut all: Vec<(String, Vec<u8>)> = found
        .into_iter()
        .map(|path| (path.display().to_string(), std::fs::read(&path).unwrap_or_default()))
        .collect();
    for (topic, payload) in spy.heard() {
        // A compressed batch would hide what it holds.
        if let Ok(batch) = slipwatch_shared::wire::envelope::EventBatch::open(&payload) {
            all.push((format!("{topic}, opened"), batch.group.records.clone()));
        }
        all.push((topic, payload));
    }
    for path in ["/metrics", "/", "/healthz"] {
        all.push((path.to_owned(), page(shop.http_port(), path).unwrap_or_default().into_bytes()));
    }
    if let Some(mut stored) = shop.stored() {
        for view in stored.cases() {
            let text = format!("{view:?}");
            let case = page(shop.http_port(), &format!("/cases/{}", view.id)).unwrap_or_default();
            all.push((format!("case {}", view.id), (text + &case).into_bytes()));
        }
        for (_, event) in stored.journal(&crate::mqtt::agent_name()) {
            all.push((format!("event {}", event.seq.0), format!("{event:?}").into_bytes()));
        }
    }
    all.extend(
        shop.letters()
            .into_iter()
            .map(|letter| ("a letter".to_owned(), letter.text().into_bytes())),
    );
    all
}

#[test]
fn a_card_number_sent_through_every_text_path_is_found_nowhere() {
    let mut shop = Shop::with_mosquitto();
    let spy = Spy::on(shop.mqtt_port());
    shop.open();
    shop.wait_until_heard();
    for card in CARDS {
        for line in lines(card) {
            shop.device().write(&line);
            // Over reads: the first half is read before the second is there.
            let (first, second) = line.split_at(line.len() / 2);
            shop.device().write(first);
            shop.wait_until_read();
            shop.device().write(second);
        }
        // Over lines, as a narrow slip breaks it.
        let (first, second) = card.split_at(8);
        shop.device()
            .write(format!("evt=txn_done stan=000105 card={first}\n{second} amt=5\n").as_bytes());
        shop.device().write(format!("CARD NO:\n{first}\n{second}\n").as_bytes());
    }
    // A debit without slip behind it all, so that there is a letter.
    let missed = payment(900, Story::NoSlip);
    shop.tell(&missed);
    shop.wait_for_verdict(&missed, "no_slip");
    slipwatch_tests::process::wait_for("letters", || shop.letters().into_iter().next());
    shop.agent.as_mut().expect("it runs").stop();
    let all = everything(&shop, &spy);
    assert!(
        all.iter().any(|(name, _)| name.contains("/spool/")),
        "the spool's files were searched"
    );
    assert!(
        all.iter().any(|(name, _)| name.ends_with("/batch, opened")),
        "the messages were searched"
    );
    assert!(all.iter().any(|(name, _)| name.starts_with("event ")), "the journal was searched");
    let mut leaks = Vec::new();
    for card in CARDS {
        for (what, needle) in needles(card) {
            let found =
                all.iter().filter_map(|(place, bytes)| Some((place, find(bytes, &needle)?)));
            leaks.extend(found.map(|(place, around)| format!("{what}: {place}: {around}")));
        }
    }
    assert!(leaks.is_empty(), "{} leaks:\n{}", leaks.len(), leaks.join("\n"));
}

#[test]
fn a_card_number_in_the_settings_is_repeated_by_neither_program() {
    let directory = tempfile::tempdir().expect("a directory");
    let settings = directory.path().join("wrong.toml");
    for written in ["6225760000006697", "6225 7600 0000 6697"] {
        for line in
            [written.to_owned(), format!("shop = \"{written}"), format!("[[\"{written}\"]]")]
        {
            std::fs::write(&settings, line).expect("it is written");
            for name in ["slipwatch-agent", "slipwatch-collector"] {
                let arguments = ["check".as_ref(), "--config".as_ref(), settings.as_os_str()];
                let output = Command::new(binary(name)).args(arguments).output().expect("it runs");
                assert!(!output.status.success(), "{name} takes it");
                let said = [output.stdout, output.stderr].concat();
                let said = String::from_utf8_lossy(&said);
                assert!(said.contains("wrong.toml"), "{name}: {said}");
                assert!(!said.contains("7600000") && !said.contains("7600 0000"), "{name}: {said}");
            }
        }
    }
}
