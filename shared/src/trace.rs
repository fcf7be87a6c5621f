//! The numbers by which a payment is known: given by terminal, host, shop or wallet.

use crate::field::{FieldError, ascii_field, digits};
use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

/// System trace audit number (凭证号, 流水号), ISO 8583 field 11: the six digits by which a terminal
/// numbers its messages. It wraps, so a `Stan` alone names nothing: match it with terminal and batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stan(Above);

/// Number of the terminal's settlement batch (批次号), ISO 8583 field 60.2: six digits, given by the
/// host at sign-on. Hosts hand the same number out again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BatchNumber(Above);

/// A number and one more, so that the absence of one takes no room.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Above(NonZeroU32);

impl Above {
    fn new(number: u32) -> Above {
        Above(NonZeroU32::MIN.saturating_add(number))
    }

    fn number(self) -> u32 {
        self.0.get() - 1
    }
}

impl fmt::Debug for Above {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.number(), out)
    }
}

macro_rules! six_digits {
    ($name:ident) => {
        impl $name {
            /// The number, 0 to 999,999.
            pub fn number(self) -> u32 {
                self.0.number()
            }

            /// A number of at most six digits.
            pub fn from_number(number: u32) -> Result<$name, FieldError> {
                if number <= 999_999 {
                    return Ok($name(Above::new(number)));
                }
                Err(FieldError::new("at most six digits", &number.to_string()))
            }
        }

        impl FromStr for $name {
            type Err = FieldError;

            /// Accepts exactly six ASCII digits, as the field is defined (n 6).
            fn from_str(text: &str) -> Result<$name, FieldError> {
                Ok($name(Above::new(digits(text, 6, "six digits")?)))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(out, "{:06}", self.number())
            }
        }
    };
}

six_digits!(Stan);
six_digits!(BatchNumber);

ascii_field! {
    /// Retrieval reference number (参考号), ISO 8583 field 37 (an 12), given by the acquirer's host.
    /// Absent after a time-out; two terminals of one hour can share it.
    Rrn, 12, "a reference number of 1 to 12 characters"
}

ascii_field! {
    /// Authorization identification response (授权码), ISO 8583 field 38 (an 6), given by the issuer.
    /// Unique within nothing, often empty for debit: a helper only.
    AuthorizationCode, 6, "an authorization code of 1 to 6 characters"
}

ascii_field! {
    /// The shop's own order number (商户订单号), at most 64 characters; never used twice by one merchant.
    OrderNumber, 64, "an order number of 1 to 64 characters"
}

ascii_field! {
    /// The wallet's or processor's own transaction number (微信订单号, 支付宝交易号, queryId): unique for ever.
    ChannelTransactionId, 64, "a channel transaction id of 1 to 64 characters"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stan_is_exactly_six_digits() {
        assert_eq!("000123".parse::<Stan>().map(|stan| stan.to_string()), Ok("000123".to_owned()));
        assert!("123".parse::<Stan>().is_err());
        assert!("12345a".parse::<Stan>().is_err());
        assert!("１２３４５６".parse::<Stan>().is_err());
        assert!(Stan::from_number(1_000_000).is_err());
    }
}
