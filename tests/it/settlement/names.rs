//! What a settlement file is called: a name is given by whoever sends it and may hold anything.

use super::imported::{Running, form_of};
use slipwatch_tests::papers;
use slipwatch_tests::process::{installed, page, wait_for};
use std::path::Path;
use std::process::Command;

/// Numbers of cards, which are nobody's, as people write them into names.
const CARD_NAMES: [&str; 4] =
    ["6225760000006697", "6212 3411 1111 1111 108", "3782-822463-10005", "4000_0566_5566_5556"];

/// What is searched, each with its name: every file below a directory by its name and its bytes.
fn everything_below(directory: &Path, found: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(directory).expect("a directory").flatten() {
        let path = entry.path();
        found.push(("a name".to_owned(), entry.file_name().into_encoded_bytes()));
        match path.is_dir() {
            true => everything_below(&path, found),
            // A journal of the store may go while it is looked for.
            false => {
                found.push((path.display().to_string(), std::fs::read(&path).unwrap_or_default()))
            }
        }
    }
}

/// Nothing shows more of a number than its last four, neither as it was written nor in one piece.
#[track_caller]
fn check_is_hidden(shown: &[(String, Vec<u8>)]) {
    for card in CARD_NAMES {
        let digits: String = card.chars().filter(char::is_ascii_digit).collect();
        let mut hidden = digits.len() - 4;
        let mask = |sign: char| match sign.is_ascii_digit() && hidden > 0 {
            true => {
                hidden -= 1;
                'x'
            }
            false => sign,
        };
        let told: String = card.chars().map(mask).collect();
        let is_shown = |needle: &str| {
            let mut holding = shown.iter().filter(move |(_, bytes)| {
                bytes.windows(needle.len()).any(|window| window == needle.as_bytes())
            });
            holding.next().map(|(name, _)| name.clone())
        };
        for needle in [&card[..card.len() - 5], &digits[..digits.len() - 4], &digits[..8]] {
            assert_eq!(is_shown(needle), None, "{needle} of {card} is shown");
        }
        assert!(is_shown(&told).is_some(), "{told} is told of nowhere");
    }
}

#[test]
fn a_card_number_in_the_name_of_a_file_is_kept_and_shown_nowhere() {
    let mut running = Running::new();
    let [uploaded, taken, refused, imported] = CARD_NAMES;
    let good = running.place.file("allinpay.csv", |text| text);
    let mut shown = Vec::new();
    let mut show = |what: &str, text: String| shown.push((what.to_owned(), text.into_bytes()));

    let form = format!("{};filename=\"{uploaded}.csv\"", form_of(&good));
    show("the page of an upload", running.upload(&[&form, "profile="]));
    show("a word that is no profile", running.upload(&[&form, &format!("profile={uploaded}")]));

    let inbox = running.place.path("inbox");
    wait_for("the inbox", || inbox.join("refused").is_dir().then_some(()));
    std::fs::copy(&good, inbox.join(format!("{taken}.csv"))).expect("room");
    std::fs::write(inbox.join(format!("{refused}.csv")), "no file of an acquirer\n").expect("room");
    wait_for("the files that are put away", || {
        let count = |place: &str| std::fs::read_dir(inbox.join(place)).map_or(0, Iterator::count);
        (count("done") == 1 && count("refused") == 2).then_some(())
    });

    let of_terminal = running.place.path(&format!("{imported}.csv"));
    let text = std::fs::read_to_string(&good).expect("a fixture");
    std::fs::write(&of_terminal, text.replace("1200.00,4.56", "1200.00,四元")).expect("room");
    let paper = running.place.path("paper.pdf");
    let document = ["--document", paper.to_str().expect("UTF-8")];
    for arguments in [&document[..], &["--json"], &["--explain"], &["--chinese"]] {
        show("import", running.place.import(arguments, &of_terminal).1);
    }
    show("the document", papers::words_of(&paper));
    std::fs::remove_file(&of_terminal).expect("it is there");
    show("a file that is not there", running.place.import(&[], &of_terminal).1);

    for number in 1..=4 {
        let summary = running.place.path("summary.pdf");
        let path = format!("/statement/{number}");
        let Some(one) = page(running.port, &format!("{path}?lang=en")) else { continue };
        show(&path, one);
        let fetched = Command::new(installed("curl", "curl"))
            .args(["--silent", "--fail", "--output"])
            .arg(&summary)
            .arg(running.url(&format!("{path}/summary.pdf?lang=en")))
            .status();
        assert!(fetched.expect("curl runs").success());
        show("a summary", papers::words_of(&summary));
    }
    for path in ["/statements?lang=en", "/statements?lang=zh-CN", "/metrics", "/?lang=en"] {
        show(path, page(running.port, path).expect("a page"));
    }
    assert!(running.collector.stop().success());
    // Its settings, its log, the store, and what lies in the inbox and its places.
    everything_below(running.place.directory.path(), &mut shown);
    check_is_hidden(&shown);
}
