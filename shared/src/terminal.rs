//! Who: terminal, merchant, operator; store and agent.

use crate::field::{FieldError, ascii_field};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

ascii_field! {
    /// Card acceptor terminal identification, ISO 8583 field 41 (ans 8). Unique inside one acquirer
    /// and merchant; one device may carry several, and a swapped device may get an old one.
    TerminalId, 8, "a terminal number of 1 to 8 characters"
}

ascii_field! {
    /// Card acceptor identification, ISO 8583 field 42 (ans 15). Shops of a chain may share it.
    MerchantId, 15, "a merchant number of 1 to 15 characters"
}

ascii_field! {
    /// The cashier's number at the terminal (操作员号), two to eight characters. Never a name.
    OperatorNumber, 8, "an operator number of 1 to 8 characters"
}

/// Names a store or an agent in topics, certificates and settings: 1 to [`SLUG_CHARS_MAX`] of
/// lower-case letters, digits and inner dashes. Copied with all that is told of either, so the text is shared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Slug(Arc<str>);

/// Longest store or agent name.
pub const SLUG_CHARS_MAX: usize = 64;

const SLUG_EXPECTED: &str = "1 to 64 lower-case letters, digits and inner dashes";

impl FromStr for Slug {
    type Err = FieldError;

    fn from_str(text: &str) -> Result<Slug, FieldError> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let sound = (1..=SLUG_CHARS_MAX).contains(&text.len())
            && text.bytes().all(plain)
            && !text.starts_with('-')
            && !text.ends_with('-');
        if sound { Ok(Slug(text.into())) } else { Err(FieldError::new(SLUG_EXPECTED, text)) }
    }
}

macro_rules! slug_field {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Slug);

        impl $name {
            /// The name as topics and settings spell it.
            pub fn as_str(&self) -> &str {
                &self.0.0
            }
        }

        impl FromStr for $name {
            type Err = FieldError;

            fn from_str(text: &str) -> Result<$name, FieldError> {
                Ok($name(text.parse()?))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(self.as_str())
            }
        }
    };
}

slug_field! {
    /// A shop. All that concerns it meets in one slot of the topics.
    StoreId
}

slug_field! {
    /// An agent: its certificate's CN, its MQTT user name and client id, its topic level.
    AgentId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, sound: bool) {
        assert_eq!(text.parse::<StoreId>().is_ok(), sound, "{text:?}");
    }

    #[test]
    fn store_and_agent_names_fit_into_a_topic() {
        check("shop-1", true);
        check("", false);
        check("-shop", false);
        check("Shop", false);
        check("a/b", false);
        check("a+", false);
        check(&"a".repeat(65), false);
    }
}
