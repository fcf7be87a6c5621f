//! The error that every field of the wire and of a device's log shares: what was expected, what
//! was found. It never carries card data: a card field tells its length, never its text.

use std::num::NonZeroU8;

/// Why a text is not the field it was taken for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}, found {found:?}")]
pub struct FieldError {
    /// What the field's definition asks for, in words.
    pub expected: &'static str,
    /// What stood there; at most [`FOUND_CHARS_MAX`] characters of it.
    pub found: String,
}

/// More of a wrong field than this helps nobody and could carry what must not be logged.
pub const FOUND_CHARS_MAX: usize = 32;

impl FieldError {
    /// The error of a field whose text may be shown.
    pub fn new(expected: &'static str, found: &str) -> FieldError {
        FieldError { expected, found: found.chars().take(FOUND_CHARS_MAX).collect() }
    }

    /// The error of a field whose text may not be shown: only its length is told.
    pub fn secret(expected: &'static str, found: &str) -> FieldError {
        FieldError { expected, found: format!("{} characters", found.chars().count()) }
    }
}

/// Reads `digits` ASCII digits and nothing else, as a field of type `n` is defined.
pub(crate) fn digits(text: &str, count: usize, expected: &'static str) -> Result<u32, FieldError> {
    let sound = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    if !sound {
        return Err(FieldError::new(expected, text));
    }
    text.parse().map_err(|_| FieldError::new(expected, text))
}

/// Text of `1..=N` visible ASCII characters, kept in place: no allocation for a short identifier.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Ascii<const N: usize> {
    length: NonZeroU8,
    bytes: [u8; N],
}

impl<const N: usize> Ascii<N> {
    pub(crate) fn parse(text: &str, expected: &'static str) -> Result<Ascii<N>, FieldError> {
        let text = text.trim();
        let sound = (1..=N).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
        if !sound {
            return Err(FieldError::new(expected, text));
        }
        let mut bytes = [0; N];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        let length = NonZeroU8::new(text.len() as u8).expect("no empty text was let in");
        Ok(Ascii { length, bytes })
    }

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..usize::from(self.length.get())])
            .expect("only ASCII was let in")
    }
}

impl<const N: usize> std::fmt::Debug for Ascii<N> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(self.as_str(), out)
    }
}

/// Declares a newtype over [`Ascii`]: the identifier, its `FromStr` and its `Display`.
macro_rules! ascii_field {
    ($(#[$doc:meta])* $name:ident, $max:literal, $expected:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name($crate::field::Ascii<$max>);

        impl $name {
            /// The identifier as it was written, blanks around it removed.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::field::FieldError;

            fn from_str(text: &str) -> Result<$name, $crate::field::FieldError> {
                Ok($name($crate::field::Ascii::parse(text, $expected)?))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                out.write_str(self.as_str())
            }
        }
    };
}

pub(crate) use ascii_field;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_shows_a_bounded_part_of_an_open_field_and_nothing_of_a_secret_one() {
        assert_eq!(FieldError::new("x", &"9".repeat(100)).found.len(), FOUND_CHARS_MAX);
        assert_eq!(FieldError::secret("x", "6225760000006691").found, "16 characters");
    }

    #[test]
    fn ascii_fields_are_trimmed_and_bounded() {
        assert_eq!(
            Ascii::<8>::parse(" T1 ", "x").map(|field| field.as_str().to_owned()),
            Ok("T1".to_owned())
        );
        assert!(Ascii::<8>::parse("", "x").is_err());
        assert!(Ascii::<8>::parse("123456789", "x").is_err());
        assert!(Ascii::<8>::parse("终端", "x").is_err());
    }
}
