use super::*;
use proptest::prelude::*;

/// 2026-11-28 06:30:00 UTC, half past two in the afternoon by the shop's clock.
const NOW: i64 = 1_795_847_400_000;

fn zone() -> TimeZone {
    TimeZone::fixed(jiff::tz::offset(8))
}

fn read(typed: &Typed) -> Result<(Said, EventTime), Refusal> {
    let known = |store: &StoreId| (store.as_str() == "shop-1").then(zone);
    typed.read(known, &zone(), NOW)
}

fn typed() -> Typed {
    Typed { time: "14:05".into(), amount: "88".into(), ..Typed::default() }
}

fn utc(text: &str) -> i64 {
    text.parse::<Timestamp>().expect("a time").as_millisecond()
}

#[track_caller]
fn check_time(text: &str, from: &str, to: &str) {
    let said = read(&Typed { time: text.into(), ..typed() }).map(|read| read.0.when);
    let to = utc(to) + if to.ends_with(":00Z") { 59_999 } else { 999 };
    assert_eq!(said, Ok(Some(When { from_ms: utc(from), to_ms: to })), "{text}");
}

#[test]
fn a_time_is_read_as_people_write_it() {
    let (from, to) = ("2026-11-28T05:35:00Z", "2026-11-28T06:35:00Z");
    for text in [
        "14:05",
        "2026-11-28 14:05",
        "2026-11-28T14:05",
        "2026/11/28 14:05",
        "11-28 14:05",
        "11月28日 14:05",
        "2026年11月28日14点5分",
        "１４：０５",
        "28.11.2026 14:05",
        "14:O5",
        "14:05:00",
    ] {
        check_time(text, from, to);
    }
    // Half past two now: four in the afternoon was yesterday's.
    check_time("16:00", "2026-11-27T07:30:00Z", "2026-11-27T08:30:00Z");
    check_time("2026-11-27", "2026-11-26T16:00:00Z", "2026-11-27T15:59:59Z");
    // A month that has not come yet was last year's.
    check_time("12-31 14:05", "2025-12-31T05:35:00Z", "2025-12-31T06:35:00Z");
    for text in ["yesterday", "25:00", "2026-13-01", "14:05 14:06", "2027-01-01 10:00", "-", ":"] {
        let refused = read(&Typed { time: text.into(), ..typed() });
        assert!(matches!(refused, Err(Refusal::Malformed(Field::Time, _))), "{text}: {refused:?}");
    }
}

#[track_caller]
fn check_amount(text: &str, hundredths: i64, currency: Option<&str>) {
    let said = read(&Typed { amount: text.into(), ..typed() }).map(|read| read.0.amount);
    let currency = currency.map(|code| code.parse().expect("a currency"));
    assert_eq!(said, Ok(Some(SaidAmount { hundredths, currency })), "{text}");
}

#[test]
fn an_amount_is_read_as_people_write_it() {
    check_amount("88", 8_800, None);
    check_amount("88.5", 8_850, None);
    check_amount("88,50", 8_850, None);
    check_amount("¥88.00", 8_800, Some("CNY"));
    check_amount("８８元", 8_800, Some("CNY"));
    check_amount("1,288.00", 128_800, None);
    check_amount("1.288,00", 128_800, None);
    check_amount("1,288", 128_800, None);
    check_amount("EUR 12.50", 1_250, Some("EUR"));
    check_amount("1200 JPY", 120_000, Some("JPY"));
    check_amount("8O.OO", 8_000, None);
    for text in ["0", "-5", "=1+1", "88.001", "a lot", "99999999999"] {
        let refused = read(&Typed { amount: text.into(), ..typed() });
        assert!(
            matches!(refused, Err(Refusal::Malformed(Field::Amount, _))),
            "{text}: {refused:?}"
        );
    }
}

#[test]
fn more_than_the_last_four_is_refused_and_not_repeated() {
    assert_eq!(
        read(&Typed { last_four: "66 97".into(), ..typed() }).map(|read| read.0.last_four),
        Ok(Some(6697))
    );
    assert_eq!(
        read(&Typed { last_four: "O691".into(), ..typed() }).map(|read| read.0.last_four),
        Ok(Some(691))
    );
    let card = "6225760000006697";
    let everywhere: [fn(&mut Typed) -> &mut String; 11] = [
        |typed| &mut typed.shop,
        |typed| &mut typed.time,
        |typed| &mut typed.slack,
        |typed| &mut typed.amount,
        |typed| &mut typed.last_four,
        |typed| &mut typed.order,
        |typed| &mut typed.trouble,
        |typed| &mut typed.note,
        |typed| &mut typed.contact,
        |typed| &mut typed.language,
        |typed| &mut typed.received,
    ];
    for field in everywhere {
        let mut form = typed();
        *field(&mut form) = card.into();
        let refused = read(&form).expect_err("a card number");
        assert!(matches!(refused, Refusal::CardNumber(_)), "{refused:?}");
        let told = format!("{refused} {refused:?} {form:?}");
        assert!(!told.contains("622576") && !told.contains("6697"), "{told}");
    }
    for text in ["06697", "622576******6697", "00006697"] {
        let refused = read(&Typed { last_four: text.into(), ..typed() });
        assert_eq!(refused.err(), Some(Refusal::CardNumber(Field::LastFour)), "{text}");
    }
}

#[test]
fn too_little_is_not_searched_by_and_too_much_is_not_kept() {
    let enough = |form: &Typed| read(form).and_then(|(said, _)| said.tells_enough());
    assert_eq!(enough(&Typed::default()), Err(Refusal::TooLittle));
    let amount = Typed { amount: "88".into(), ..Typed::default() };
    assert_eq!(enough(&amount), Err(Refusal::TooLittle));
    assert_eq!(enough(&Typed { time: "08:10".into(), ..amount }), Ok(()));
    assert_eq!(enough(&Typed { order: "4200 0012 3420".into(), ..Typed::default() }), Ok(()));
    let long = read(&Typed { note: "长".repeat(NOTE_CHARS_MAX + 1), ..typed() });
    assert_eq!(long.err(), Some(Refusal::TooLong(Field::Note, NOTE_CHARS_MAX)));
    let huge = read(&Typed { note: "x".repeat(1 << 20), ..typed() });
    assert_eq!(huge.err(), Some(Refusal::TooLong(Field::Note, NOTE_CHARS_MAX)));
    let other = read(&Typed { shop: "shop-2".into(), ..typed() });
    assert_eq!(other.err(), Some(Refusal::Malformed(Field::Shop, Expected::KnownShop)));
    let note =
        read(&Typed { note: "a\u{7}b\r\n\u{202e}c".into(), ..typed() }).map(|read| read.0.note);
    assert_eq!(note, Ok(Some("a b c".into())));
}

proptest! {
    #[test]
    fn any_form_is_read_or_refused_without_a_panic(
        time in ".{0,40}", amount in ".{0,40}", four in ".{0,12}", order in ".{0,80}", note in ".{0,200}",
    ) {
        let _ = read(&Typed { time, amount, last_four: four, order, note, ..Typed::default() });
    }
}
