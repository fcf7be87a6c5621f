//! Matching, row by row: a payment as a till made it, a row as a file tells it, and the tier that links them.

use super::*;
use crate::settlement::row::{Precision, RowKind, RowTime};
use slipwatch_shared::card::MaskedPan;
use slipwatch_shared::money::Currency;

const NOON: i64 = 1_763_956_800_000;
const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;

/// `at` seconds after noon, fen, and keys as `terminal=T1 batch=1 stan=7 rrn=.. code=.. order=.. id=.. card=622576:6691`.
fn candidate(id: i64, at_s: i64, fen: i64, keys: &str) -> Candidate {
    let mut found = Candidate {
        id,
        shop: 0,
        kind: Kind::Sale,
        at: EventTime(NOON + at_s * SECOND),
        amount: Some(Amount::new(fen, Currency::CNY)),
        terminal: None,
        merchant: None,
        stan: None,
        batch_number: None,
        rrn: None,
        authorization_code: None,
        order_number: None,
        channel_transaction_id: None,
        first_six: None,
        last_four: None,
        standing: Standing::Debited,
        has_open_findings: false,
    };
    for (key, value) in keys.split_whitespace().filter_map(|part| part.split_once('=')) {
        match key {
            "terminal" => found.terminal = value.parse().ok(),
            "mid" => found.merchant = value.parse().ok(),
            "stan" => found.stan = Stan::from_number(value.parse().expect("digits")).ok(),
            "batch" => {
                found.batch_number = BatchNumber::from_number(value.parse().expect("digits")).ok()
            }
            "rrn" => found.rrn = value.parse().ok(),
            "code" => found.authorization_code = value.parse().ok(),
            "order" => found.order_number = value.parse().ok().map(Box::new),
            "id" => found.channel_transaction_id = value.parse().ok().map(Box::new),
            "shop" => found.shop = value.parse().expect("digits"),
            "kind" => found.kind = if value == "void" { Kind::Void } else { Kind::Refund },
            "card" => {
                let (six, four) = value.split_once(':').expect("six:four");
                found.first_six = six.parse().ok();
                found.last_four = four.parse().ok();
            }
            _ => panic!("{key}"),
        }
    }
    found
}

fn row(line: u32, kind: RowKind, at_s: i64, fen: i64, keys: &str) -> SettlementRow {
    let known = candidate(0, at_s, fen, "");
    let day = jiff::civil::date(2025, 11, 24);
    let mut row = SettlementRow::plain(line, kind, day, Amount::new(fen, Currency::CNY));
    row.time = Some(RowTime { at: known.at, precision: Precision::Second });
    for part in keys.split_whitespace() {
        match part.split_once('=') {
            Some(("mid", value)) => row.merchant = Some(value.into()),
            Some(("card", value)) => {
                let (six, four) = value.split_once(':').expect("six:four");
                row.pan = MaskedPan::from_parts(Some(six), four).ok();
            }
            Some(("original", value)) => row.original.stan = value.parse().ok(),
            Some(("precise", "day")) => {
                row.time =
                    Some(RowTime { at: EventTime(NOON - 12 * HOUR_MS), precision: Precision::Day });
            }
            _ => {
                let known = candidate(0, 0, 0, part);
                row.terminal = row.terminal.or(known.terminal);
                row.stan = row.stan.or(known.stan);
                row.batch_number = row.batch_number.or(known.batch_number);
                row.rrn = row.rrn.or(known.rrn);
                row.authorization_code = row.authorization_code.or(known.authorization_code);
                row.order_number = row.order_number.take().or(known.order_number);
                row.channel_transaction_id =
                    row.channel_transaction_id.take().or(known.channel_transaction_id);
            }
        }
    }
    row
}

fn sale(at_s: i64, fen: i64, keys: &str) -> SettlementRow {
    row(1, RowKind::Sale, at_s, fen, keys)
}

fn all_links(rows: &[SettlementRow], candidates: &[Candidate], tip: u8) -> Vec<Link> {
    let grouping = Grouping::default();
    let mut links = match_exactly(rows, candidates, &BTreeSet::new(), &grouping);
    let taken: BTreeSet<i64> = links.iter().map(|link| candidates[link.candidate].id).collect();
    let is_linked =
        |at: &usize| links.iter().any(|link| link.row == *at && link.role != Role::Offsets);
    let open: Vec<usize> = (0..rows.len()).filter(|at| !is_linked(at)).collect();
    let tolerance = Tolerance { tip_percent_max: tip };
    links.extend(match_the_rest(rows, &open, candidates, &taken, &grouping, tolerance));
    links
}

/// Row and payment numbers (from 0, and by id) with the tier, in the order of rows.
#[track_caller]
fn check(rows: &[SettlementRow], candidates: &[Candidate], expected: &[(usize, i64, &str)]) {
    let mut found: Vec<(usize, i64, &str)> = all_links(rows, candidates, 0)
        .iter()
        .map(|link| {
            let word = match link.role {
                Role::Settles | Role::Suggested => link.tier.label(),
                role => role.label(),
            };
            (link.row, candidates[link.candidate].id, word)
        })
        .collect();
    found.sort_unstable();
    assert_eq!(found, expected);
}

#[test]
fn a_number_that_names_one_payment_links_whatever_else_differs() {
    let known =
        candidate(7, 0, 8_800, "terminal=T1 batch=3 stan=7 rrn=300000000007 order=A-17 id=4200001");
    for (keys, tier) in [
        ("id=4200001", "E1"),
        ("terminal=T1 batch=3 stan=7", "E2"),
        ("terminal=T1 rrn=300000000007", "E3"),
        ("order=A-17", "E4"),
    ] {
        // A day later, and with another amount: a difference to be told, not another payment.
        check(&[sale(86_400, 8_900, keys)], std::slice::from_ref(&known), &[(0, 7, tier)]);
    }
    check(&[sale(0, 8_800, "terminal=T2 batch=3 stan=7")], &[known], &[]);
}

#[test]
fn a_trace_that_came_round_is_told_apart_by_its_window_and_its_amount() {
    let keys = "terminal=T1 batch=3 stan=7";
    let (old, new) = (candidate(1, -8 * 86_400, 500, keys), candidate(2, 0, 800, keys));
    check(&[sale(0, 800, keys)], &[old.clone(), new.clone()], &[(0, 2, "E2")]);
    check(&[sale(-8 * 86_400, 500, keys)], &[old, new.clone()], &[(0, 1, "E2")]);
    let same_day = candidate(3, 600, 900, keys);
    check(&[sale(0, 900, keys)], &[new, same_day], &[(0, 3, "E2")]);
}

#[test]
fn a_second_row_under_one_number_repeats_the_payment() {
    let known = candidate(7, 0, 8_800, "terminal=T1 batch=3 stan=7 rrn=300000000007");
    let rows = [
        sale(0, 8_800, "terminal=T1 batch=3 stan=7"),
        sale(0, 8_800, "terminal=T1 batch=3 stan=7"),
    ];
    check(&rows, &[known], &[(0, 7, "E2"), (1, 7, "repeats")]);
}

#[test]
fn money_that_goes_back_finds_its_own_payment_and_the_debit() {
    let sold = candidate(1, 0, 8_800, "terminal=T1 batch=3 stan=7 id=4200001 order=A-17");
    let voided = candidate(2, 60, 8_800, "terminal=T1 batch=3 stan=9 kind=void");
    let void = row(2, RowKind::Void, 60, -8_800, "terminal=T1 batch=3 stan=9 original=000007");
    check(
        &[sale(0, 8_800, "terminal=T1 batch=3 stan=7"), void],
        &[sold.clone(), voided],
        &[(0, 1, "E2"), (1, 1, "offsets"), (1, 2, "E2")],
    );
    // A revoked code: the same wallet number twice, and no payment of its own at the till.
    let revoked = row(2, RowKind::Refund, 90, -8_800, "id=4200001");
    check(&[sale(0, 8_800, "id=4200001"), revoked], &[sold], &[(0, 1, "E1"), (1, 1, "offsets")]);
}

#[test]
fn partial_numbers_link_where_they_leave_one_candidate() {
    let known = candidate(1, 0, 8_800, "terminal=T1 stan=7 code=A12345 card=622576:6691");
    let other = candidate(2, 30, 8_800, "terminal=T1 stan=8 code=B12345 card=622576:1111");
    let both = [known.clone(), other];
    check(&[sale(40_000, 8_800, "terminal=T1 batch=3 stan=7")], &both, &[(0, 1, "P1")]);
    check(&[sale(80_000, 8_800, "rrn=300000000007")], &both, &[(0, 1, "P2")]);
    check(&[sale(80_000, 8_800, "code=A12345 card=622576:6691")], &both, &[(0, 1, "P3")]);
    check(&[sale(80_000, 8_800, "stan=7 card=622576:6691")], &both, &[(0, 1, "P4")]);
    check(&[sale(80_000, 8_801, "code=A12345 card=622576:6691")], &both, &[]);
    let twin = candidate(3, 10, 8_800, "terminal=T1 stan=7");
    check(&[sale(40_000, 8_800, "terminal=T1 batch=3 stan=7")], &[known, twin], &[]);
}

/// Each tier's own bounds: what lies beyond them is nobody's payment.
#[test]
fn numbers_link_no_further_than_their_windows_and_cards() {
    const DAY_S: i64 = 86_400;
    let known = candidate(1, 0, 8_800, "terminal=T1 batch=3 stan=7 rrn=300000000007 order=A-17");
    let far = |days: i64, keys: &str| sale(days * DAY_S, 8_900, keys);
    let one = std::slice::from_ref(&known);
    check(&[far(4, "terminal=T1 batch=3 stan=7")], one, &[]);
    check(&[far(4, "terminal=T1 rrn=300000000007")], one, &[]);
    check(&[far(4, "order=A-17")], one, &[(0, 1, "E4")]);
    check(&[far(8, "order=A-17")], one, &[]);
    let parts = candidate(1, 0, 8_800, "terminal=T1 stan=7 code=A12345 card=622576:6691");
    let one = std::slice::from_ref(&parts);
    check(&[sale(50_000, 8_800, "terminal=T1 batch=3 stan=7")], one, &[]);
    check(&[sale(80_000, 8_800, "code=A12345 card=622576:1111")], one, &[]);
    check(&[sale(80_000, 8_800, "stan=7 card=456351:6691")], one, &[]);
}

#[test]
fn a_score_links_as_probable_only_where_it_is_clear() {
    let known = candidate(1, 0, 8_800, "terminal=T1 card=622576:6691");
    check(
        &[sale(5, 8_800, "terminal=T1 card=622576:6691")],
        std::slice::from_ref(&known),
        &[(0, 1, "F")],
    );
    check(&[sale(5, 8_800, "terminal=T1")], std::slice::from_ref(&known), &[(0, 1, "S")]);
    check(&[sale(5, 8_800, "terminal=T2 card=622576:1111")], std::slice::from_ref(&known), &[]);
    check(&[sale(5, 9_800, "terminal=T1 card=622576:6691")], std::slice::from_ref(&known), &[]);
    // Two coffees of one card a minute apart: the sum decides, and it is not sure.
    let again = candidate(2, 60, 8_800, "terminal=T1 card=622576:6691");
    let rows = [
        sale(58, 8_800, "terminal=T1 card=622576:6691"),
        sale(1, 8_800, "terminal=T1 card=622576:6691"),
    ];
    check(&rows, &[known, again], &[(0, 2, "S"), (1, 1, "S")]);
}

#[test]
fn a_row_that_tells_its_day_alone_may_be_of_any_hour_of_it() {
    let known = candidate(1, 3 * 3600, 8_800, "terminal=T1 stan=7 card=622576:6691");
    let wanted = sale(0, 8_800, "terminal=T1 card=622576:6691 precise=day");
    check(std::slice::from_ref(&wanted), std::slice::from_ref(&known), &[(0, 1, "S")]);
    check(&[wanted], &[candidate(1, 13 * 3600, 8_800, "terminal=T1 card=622576:6691")], &[]);
}

#[test]
fn an_account_of_another_shop_is_no_candidate() {
    let mut grouping = Grouping::default();
    grouping.merchants.insert("1900000109".into(), BTreeSet::from([1]));
    let own = candidate(1, 0, 8_800, "shop=1 order=A-17");
    let foreign = candidate(2, 0, 8_800, "shop=2 order=A-17");
    let wanted = sale(0, 8_800, "order=A-17 mid=1900000109");
    assert!(grouping.holds(&wanted, &own) && !grouping.holds(&wanted, &foreign));
    let one = candidate(3, 0, 8_800, "shop=1 mid=821330154110001");
    assert!(!grouping.holds(&sale(0, 8_800, "mid=821330154110002"), &one));
    assert_eq!(grouping.shop_of(&wanted), Some(1));
}

#[test]
fn amounts_are_compared_after_tips_and_in_one_currency() {
    let known = candidate(1, 0, 10_000, "terminal=T1 card=622576:6691");
    let tolerance = Tolerance { tip_percent_max: 20 };
    let compared = |fen: i64, tolerance| compare(&sale(0, fen, ""), &known, tolerance);
    assert_eq!(compared(10_000, Tolerance::default()), Compared::Equal);
    assert_eq!(compared(12_000, tolerance), Compared::Tip);
    let differs = Compared::Differs { terminal_minor: 10_000, settled_minor: 12_001 };
    assert_eq!(compared(12_001, tolerance), differs);
    assert!(matches!(compared(12_000, Tolerance::default()), Compared::Differs { .. }));
    let mut dollars = sale(0, 10_000, "");
    dollars.amount.currency = "USD".parse().expect("a currency");
    assert_eq!(compare(&dollars, &known, tolerance), Compared::OtherCurrency);
    let links = all_links(&[sale(5, 11_500, "terminal=T1 card=622576:6691")], &[known], 20);
    assert_eq!(links.len(), 1, "a tip does not hide the payment");
}

#[test]
fn one_payment_is_settled_by_one_row_whatever_their_order() {
    let candidates: Vec<Candidate> = (0..40)
        .map(|id| candidate(id, id * 45, 500 + id % 3, "terminal=T1 card=622576:6691"))
        .collect();
    let rows: Vec<SettlementRow> = (0..40)
        .rev()
        .map(|id| sale(id * 45 + 3, 500 + id % 3, "terminal=T1 card=622576:6691"))
        .collect();
    let links = all_links(&rows, &candidates, 0);
    let payments: BTreeSet<usize> = links.iter().map(|link| link.candidate).collect();
    assert_eq!(payments.len(), links.len());
    assert_eq!(links.len(), 40);
    for link in links {
        assert_eq!(
            rows[link.row].time.map(|time| time.at.0 - 3_000),
            Some(candidates[link.candidate].at.0)
        );
    }
    let _ = MINUTE;
}
