use super::*;
use crate::alert::language::Language;
use crate::correlate::case::EventRef;
use crate::correlate::policy::AgentName;
use proptest::prelude::*;
use slipwatch_shared::event::{Epoch, Seq};
use slipwatch_shared::money::Currency;

const AT: i64 = 1_795_845_900_000;
const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

fn candidate(seq: u64) -> Candidate {
    let agent = AgentName { store: "shop-1".parse().unwrap(), agent: "till-1".parse().unwrap() };
    Candidate {
        source: Source::Payment(CaseId {
            agent,
            first: EventRef { epoch: Epoch(1), seq: Seq(seq) },
        }),
        store: Some("shop-1".parse().unwrap()),
        terminal: Some("10000001".parse().unwrap()),
        at: When { from_ms: AT, to_ms: AT },
        day: None,
        amount: Some(Amount::new(8_800, Currency::CNY)),
        last_four: Some(691),
        numbers: vec!["4200001234202611281234567890".into()],
        kind: Kind::Sale,
        standing: Standing::Debited,
        slip_missing: true,
    }
}

fn said() -> Said {
    Said {
        store: Some("shop-1".parse().unwrap()),
        when: Some(When { from_ms: AT - 30 * MINUTE, to_ms: AT + 30 * MINUTE }),
        amount: Some(SaidAmount { hundredths: 8_800, currency: None }),
        last_four: Some(691),
        order: None,
        trouble: Trouble::NoSlip,
        note: None,
        contact: None,
        language: Language::Chinese,
    }
}

#[track_caller]
fn check(change: impl FnOnce(&mut Said), level: Option<Level>, forgiven: &[(Aspect, Slip)]) {
    let mut said = said();
    change(&mut said);
    let matches = rank(&said, vec![candidate(1)]);
    assert_eq!(matches.first().map(|found| found.level), level, "{matches:?}");
    let found: Vec<(Aspect, Slip)> = matches
        .iter()
        .flat_map(|found| &found.whys)
        .filter_map(|why| match why.agreement {
            Agreement::But(slip) => Some((why.aspect, slip)),
            _ => None,
        })
        .collect();
    assert_eq!(found, forgiven);
}

#[test]
fn what_agrees_in_all_is_sure_and_one_slip_is_likely() {
    check(|_| {}, Some(Level::Sure), &[]);

    check(
        |said| said.last_four = Some(961),
        Some(Level::Likely),
        &[(Aspect::LastFour, Slip::Swapped)],
    );
    check(
        |said| said.last_four = Some(690),
        Some(Level::Likely),
        &[(Aspect::LastFour, Slip::Digit)],
    );
    let amount = |hundredths| {
        move |said: &mut Said| said.amount = Some(SaidAmount { hundredths, currency: None })
    };
    check(amount(88), Some(Level::Likely), &[(Aspect::Amount, Slip::Point)]);
    check(amount(8_900), Some(Level::Likely), &[(Aspect::Amount, Slip::Digit)]);
    let shift = |by: i64| {
        move |said: &mut Said| {
            said.when = Some(When { from_ms: AT - 30 * MINUTE + by, to_ms: AT + 30 * MINUTE + by });
        }
    };
    check(shift(HOUR), Some(Level::Likely), &[(Aspect::Time, Slip::Hour)]);
    check(shift(-12 * HOUR), Some(Level::Likely), &[(Aspect::Time, Slip::HalfDay)]);
    check(shift(24 * HOUR), Some(Level::Likely), &[(Aspect::Time, Slip::Day)]);
}

#[test]
fn what_contradicts_or_slips_twice_is_no_fit() {
    check(
        |said| {
            (said.last_four, said.amount) =
                (Some(690), Some(SaidAmount { hundredths: 88, currency: None }))
        },
        Some(Level::Possible),
        &[(Aspect::Amount, Slip::Point), (Aspect::LastFour, Slip::Digit)],
    );
    check(|said| said.last_four = Some(1234), Some(Level::Possible), &[]);
    check(|said| said.store = Some("shop-2".parse().unwrap()), None, &[]);
    check(
        |said| said.amount = Some(SaidAmount { hundredths: 8_800, currency: Some(Currency::EUR) }),
        None,
        &[],
    );
}

#[test]
fn a_number_off_the_phone_finds_it_alone_and_in_another_shop() {
    let number = |said: &mut Said, text: &str| {
        said.order = Some(folded(text).into());
        (said.when, said.amount, said.last_four) = (None, None, None);
    };
    check(|said| number(said, "4200 0012 3420 2611 2812 3456 7890"), Some(Level::Sure), &[]);
    check(|said| number(said, "42OO001234202611281234567890"), Some(Level::Sure), &[]);
    check(
        |said| number(said, "4200001234202611281234567809"),
        Some(Level::Likely),
        &[(Aspect::Order, Slip::Swapped)],
    );
    check(|said| number(said, "9200001234202611281234567809"), None, &[]);
    check(
        |said| {
            number(said, "4200001234202611281234567890");
            said.store = Some("shop-2".parse().unwrap());
        },
        Some(Level::Likely),
        &[],
    );
}

#[test]
fn of_two_that_are_as_good_none_is_chosen_by_itself() {
    let twins = rank(&said(), vec![candidate(1), candidate(2)]);
    assert_eq!(chosen(&twins), None);
    let other = Candidate { amount: Some(Amount::new(8_900, Currency::CNY)), ..candidate(2) };
    let matches = rank(&said(), vec![other, candidate(1)]);
    assert_eq!(chosen(&matches).map(|found| &found.candidate.source), Some(&candidate(1).source));
}

#[test]
fn a_refund_is_no_rival_of_its_debit() {
    let refund = Candidate { kind: Kind::Refund, standing: Standing::Untouched, ..candidate(2) };
    let wanted = Said { trouble: Trouble::RefundMissing, ..said() };
    let matches = rank(&wanted, vec![refund.clone(), candidate(1)]);
    assert_eq!(chosen(&matches).map(|found| &found.candidate.source), Some(&candidate(1).source));
    let alone = rank(&wanted, vec![refund]);
    assert!(chosen(&alone).is_some(), "{alone:?}");
}

#[test]
fn a_void_is_not_what_was_paid() {
    let void = Candidate { kind: Kind::Void, standing: Standing::Untouched, ..candidate(2) };
    let matches = rank(&said(), vec![void, candidate(1)]);
    assert_eq!(matches[0].candidate.source, candidate(1).source);
    assert!(chosen(&matches).is_some());
}

prop_compose! {
    fn unrelated()(
        seq in 2_u64..1_000, minute in -2_000_i64..2_000, minor in 1_i64..100_000, four in prop::option::of(0_u16..10_000),
        kind in 0_usize..4, number in "[0-9]{28}", missing in any::<bool>(),
    ) -> Candidate {
        let at = AT + minute * MINUTE;
        Candidate {
            at: When { from_ms: at, to_ms: at },
            amount: Some(Amount::new(minor, Currency::CNY)),
            last_four: four,
            numbers: vec![number.into()],
            kind: [Kind::Sale, Kind::Void, Kind::Refund, Kind::Completion][kind],
            slip_missing: missing,
            ..candidate(seq)
        }
    }
}

proptest! {
    #[test]
    fn nothing_unrelated_outranks_what_agrees_in_all(others in prop::collection::vec(unrelated(), 0..40)) {
        let differs = |other: &Candidate| other.amount != candidate(1).amount || other.last_four != candidate(1).last_four;
        let mut candidates: Vec<Candidate> = others.into_iter().filter(differs).collect();
        candidates.push(candidate(1));
        let matches = rank(&said(), candidates);
        prop_assert_eq!(&matches[0].candidate.source, &candidate(1).source);
        prop_assert!(matches.len() <= MATCHES_MAX);
    }

    #[test]
    fn a_typing_slip_still_finds_it(which in 0_usize..3, at in 0_usize..28, digit in 0_u8..10) {
        let mut said = said();
        let slip = |text: String| {
            let mut bytes = text.into_bytes();
            let at = at % bytes.len();
            bytes[at] = b'0' + digit;
            String::from_utf8(bytes).unwrap()
        };
        match which {
            0 => said.order = Some(slip("4200001234202611281234567890".into()).into()),
            1 => said.last_four = slip("0691".into()).parse().ok(),
            _ => said.amount = Some(SaidAmount { hundredths: slip("8800".into()).parse().unwrap(), currency: None }),
        }
        let matches = rank(&said, vec![candidate(1)]);
        prop_assert!(matches.first().is_some_and(Match::fits), "{:?}", matches);
    }
}
