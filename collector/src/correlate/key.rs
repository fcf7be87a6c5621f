//! What makes two sets of keys one payment. Pure; knows no time and no terminal: those are the filing's windows.

use slipwatch_shared::card::Card;
use slipwatch_shared::event::{Keys, OriginalKeys};

/// How two sets of keys stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fit {
    /// A number that names a payment differs: two payments.
    Other,
    /// Nothing contradicts and nothing names it.
    Open,
    /// Nothing contradicts, and the amounts are equal.
    Amount,
    /// The trace is the same and the batch is not told by both: the same payment within a day.
    Trace,
    /// A number is the same that the acquirer, the wallet or the shop gives out once.
    Named,
}

/// How the keys of a case and those of an event stand to each other. The kind is not asked: a slip seldom tells it.
pub fn fit(known: &Keys, said: &Keys) -> Fit {
    let mut best = Fit::Open;
    let mut other = false;
    let mut compare = |both: Option<bool>, fit: Fit| match both {
        Some(true) => best = best.max(fit),
        Some(false) => other = true,
        None => {}
    };
    let batch = both(known.batch_number, said.batch_number);
    let trace = both(known.stan, said.stan);
    let amount = both(known.amount, said.amount);
    compare(batch.filter(|same| !same), Fit::Open);
    // A trace comes round again; with another amount it is another payment, whatever the batch says.
    let trace_named = batch == Some(true) && amount != Some(false);
    compare(trace, if trace_named { Fit::Named } else { Fit::Trace });
    compare(both(known.rrn, said.rrn), Fit::Named);
    compare(
        both(known.channel_transaction_id.as_deref(), said.channel_transaction_id.as_deref()),
        Fit::Named,
    );
    compare(both(known.order_number.as_deref(), said.order_number.as_deref()), Fit::Named);
    // Where an issuer gives none, hosts fill the field with zeros.
    let zeros = || {
        known.authorization_code.is_some_and(|code| code.as_str().bytes().all(|byte| byte == b'0'))
    };
    let code = both(known.authorization_code, said.authorization_code);
    compare(
        code.filter(|same| !same || !zeros()),
        if amount == Some(true) { Fit::Trace } else { Fit::Open },
    );
    compare(cards(known, said).filter(|same| !same), Fit::Open);
    compare(amount.filter(|same| *same), Fit::Amount);
    match (other, best, amount) {
        (true, _, _) => Fit::Other,
        // A trace alone, and another amount: it came round again. A number given out once bears a partial approval.
        (false, Fit::Open | Fit::Amount | Fit::Trace, Some(false)) => Fit::Other,
        (false, best, _) => best,
    }
}

/// Whether two sets of keys have the same trace, and no other number of the payment contradicts it: amounts and cards may.
pub fn traced(known: &Keys, said: &Keys) -> bool {
    both(known.stan, said.stan) == Some(true)
        && both(known.batch_number, said.batch_number) != Some(false)
        && both(known.rrn, said.rrn) != Some(false)
        && both(known.order_number.as_deref(), said.order_number.as_deref()) != Some(false)
        && both(known.channel_transaction_id.as_deref(), said.channel_transaction_id.as_deref())
            != Some(false)
}

/// Whether two sets of keys are of two merchants, and share no number that is given out once.
pub fn other_merchant(known: &Keys, said: &Keys) -> bool {
    both(known.merchant, said.merchant) == Some(false) && !given_once(known, said)
}

/// Whether two sets of keys tell amounts that differ.
pub fn other_amount(known: &Keys, said: &Keys) -> bool {
    both(known.amount, said.amount) == Some(false)
}

/// Whether two sets of keys share a number that is given out once: a trace and a batch are not.
pub fn given_once(known: &Keys, said: &Keys) -> bool {
    both(known.rrn, said.rrn) == Some(true)
        || both(known.channel_transaction_id.as_deref(), said.channel_transaction_id.as_deref())
            == Some(true)
        || both(known.order_number.as_deref(), said.order_number.as_deref()) == Some(true)
}

/// How a payment and what another one says of its original stand to each other.
pub fn fit_original(known: &Keys, original: &OriginalKeys) -> Fit {
    let said = Keys {
        stan: original.stan,
        batch_number: original.batch_number,
        rrn: original.rrn,
        authorization_code: original.authorization_code,
        ..Keys::default()
    };
    let fitted = fit(known, &said);
    let by_code = fitted == Fit::Open
        && both(known.authorization_code, said.authorization_code) == Some(true);
    if by_code { Fit::Trace } else { fitted }
}

fn both<T: PartialEq>(left: Option<T>, right: Option<T>) -> Option<bool> {
    Some(left? == right?)
}

/// Whether two payments were made with one card, as far as both tell.
pub fn cards(left: &Keys, right: &Keys) -> Option<bool> {
    same_card(left.card.as_ref()?, right.card.as_ref()?)
}

/// Whether two cards are one, as far as both tell.
pub fn same_card(left: &Card, right: &Card) -> Option<bool> {
    if let Some(same) = both(left.token, right.token) {
        return Some(same);
    }
    let (left, right) = (left.pan?, right.pan?);
    let heads = both(left.first_six(), right.first_six()).unwrap_or(true);
    Some(heads && left.last_four() == right.last_four())
}

/// Whether keys name a payment at all: a print job without any of these is no slip of one.
pub fn names_something(keys: &Keys) -> bool {
    keys.amount.is_some()
        || keys.stan.is_some()
        || keys.rrn.is_some()
        || keys.order_number.is_some()
        || keys.channel_transaction_id.is_some()
}

/// Whether keys hold a number to look a payment up by.
pub fn can_be_recalled(keys: &Keys) -> bool {
    keys.stan.is_some()
        || keys.rrn.is_some()
        || keys.order_number.is_some()
        || keys.channel_transaction_id.is_some()
}

/// Joins what was said into what is known; tells whether anything new came with it. What is known stays, but for the
/// amount: the host's answer tells what was really taken, and `answer` says that this is one.
pub fn join(known: &mut Keys, said: &Keys, answer: bool) -> bool {
    let mut changed = false;
    macro_rules! take {
        ($($field:ident),+) => {
            $(if known.$field.is_none() && said.$field.is_some() {
                known.$field = said.$field.clone();
                changed = true;
            })+
        };
    }
    take!(kind, instrument, amount, stan, batch_number, rrn, authorization_code, order_number);
    take!(channel_transaction_id, merchant, operator, host_time, original);
    if answer && said.amount.is_some() && said.amount != known.amount {
        known.amount = said.amount;
        changed = true;
    }
    if let Some(said) = &said.card {
        let card = known.card.get_or_insert_default();
        let before = *card;
        let more_digits =
            card.pan.is_none_or(|pan| pan.first_six().is_none()) && said.pan.is_some();
        card.pan = if more_digits { said.pan } else { card.pan };
        card.brand = card.brand.or(said.brand);
        card.entry_mode = card.entry_mode.or(said.entry_mode);
        card.chip_counter = card.chip_counter.or(said.chip_counter);
        card.token = card.token.or(said.token);
        changed |= *card != before;
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;
    use slipwatch_shared::card::MaskedPan;
    use slipwatch_shared::money::{Amount, Currency};

    fn keys(text: &str) -> Keys {
        let mut keys = Keys::default();
        for (name, value) in text.split_whitespace().filter_map(|word| word.split_once('=')) {
            match name {
                "stan" => keys.stan = value.parse().ok(),
                "batch" => keys.batch_number = value.parse().ok(),
                "rrn" => keys.rrn = value.parse().ok(),
                "card" => {
                    let pan = MaskedPan::from_parts(Some("622576"), value).ok();
                    keys.card = Some(Card { pan, ..Card::default() });
                }
                "code" => keys.authorization_code = value.parse().ok(),
                "order" => keys.order_number = value.parse().ok().map(Box::new),
                "amount" => keys.amount = Amount::from_decimal(value, Currency::CNY).ok(),
                _ => panic!("no key {name}"),
            }
        }
        keys
    }

    #[track_caller]
    fn check(known: &str, said: &str, expected: Fit) {
        assert_eq!(fit(&keys(known), &keys(said)), expected);
        assert_eq!(fit(&keys(said), &keys(known)), expected, "the other way round");
    }

    #[test]
    fn a_number_given_out_once_names_a_payment() {
        check("rrn=123456789012 amount=1", "rrn=123456789012", Fit::Named);
        check("order=A1 stan=000001", "order=A1 amount=5", Fit::Named);
        check("stan=000001 batch=000007", "stan=000001 batch=000007", Fit::Named);
    }

    #[test]
    fn a_trace_alone_names_it_weakly() {
        check("stan=000001 batch=000007", "stan=000001", Fit::Trace);
        check("stan=000001 amount=1", "stan=000001 amount=1", Fit::Trace);
    }

    #[test]
    fn a_trace_that_came_round_with_another_amount_is_another_payment() {
        check("stan=000001 amount=1", "stan=000001 amount=2", Fit::Other);
        check("stan=000001 batch=000007 amount=1", "stan=000001 batch=000007 amount=2", Fit::Other);
        check("stan=000001 batch=000007", "stan=000001 batch=000008", Fit::Other);
    }

    #[test]
    fn another_card_is_another_payment_whatever_its_numbers() {
        check(
            "stan=000001 batch=000007 card=6691",
            "stan=000001 batch=000007 card=1234",
            Fit::Other,
        );
        check(
            "stan=000001 batch=000007 card=6691",
            "stan=000001 batch=000007 card=6691",
            Fit::Named,
        );
        check("stan=000001 batch=000007 card=6691", "stan=000001 batch=000007", Fit::Named);
    }

    #[test]
    fn a_partial_approval_is_borne_by_a_number_given_out_once() {
        check("rrn=123456789012 amount=5", "rrn=123456789012 amount=3", Fit::Named);
    }

    #[test]
    fn equal_amounts_alone_are_told_apart_from_nothing_at_all() {
        check("stan=000001 amount=1", "amount=1", Fit::Amount);
        check("stan=000001 amount=1", "amount=2", Fit::Other);
        check("stan=000001", "code=123456", Fit::Open);
    }
}
