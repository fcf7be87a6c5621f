//! Words of ISO 8583 messages.

use crate::field::{FieldError, ascii_field, digits};
use std::fmt;
use std::str::FromStr;

/// Message type indicator, four digits (`0200` request, `0210` answer, `0400` reversal).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mti(u16);

impl Mti {
    /// The four digits as a number.
    pub fn number(self) -> u16 {
        self.0
    }
}

impl FromStr for Mti {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Mti, FieldError> {
        Ok(Mti(digits(text, 4, "four digits")? as u16))
    }
}

impl fmt::Display for Mti {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:04}", self.0)
    }
}

ascii_field! {
    /// Response code, ISO 8583 field 39 (an 2); other families write up to four characters.
    ResponseCode, 4, "a response code of 1 to 4 characters"
}

impl ResponseCode {
    /// Whether the host took the money: `00`, and the codes that UnionPay terminals treat as approved
    /// (10 partial, 11, A2, A4, A5, A6).
    pub fn is_approval(&self) -> bool {
        matches!(self.as_str(), "00" | "0000" | "000" | "10" | "11" | "A2" | "A4" | "A5" | "A6")
    }

    /// Whether the terminal must undo by a reversal, since the host's own answer leaves the debit open:
    /// 68 and 98 no answer in time, 96 malfunction, A0 wrong MAC.
    pub fn demands_reversal(&self) -> bool {
        matches!(self.as_str(), "68" | "98" | "96" | "A0")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn approvals_are_told_from_declines() {
        let code = |text: &str| text.parse::<ResponseCode>().expect("two characters");
        assert!(code("00").is_approval());
        assert!(code("A4").is_approval());
        assert!(!code("51").is_approval());
        assert!(code("98").demands_reversal());
        assert!("".parse::<ResponseCode>().is_err());
    }
}
