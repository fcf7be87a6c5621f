//! Sums of columns as a profile writes them: `credit - debit`, and `amount - fee = net`.

use super::super::money::Milli;

/// Columns that are added or taken off, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expression {
    /// Sign (1 or -1) and the column's place.
    pub terms: Vec<(i64, usize)>,
}

/// Two sums that must be the same in each row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Equation {
    /// As it is written, for messages.
    pub text: String,
    /// The one side.
    pub left: Expression,
    /// The other.
    pub right: Expression,
}

impl Expression {
    /// Reads `a - b + c`; `place` finds a column by its name, or says what is wrong with it.
    pub(super) fn parse(
        text: &str,
        mut place: impl FnMut(&str) -> Result<usize, String>,
    ) -> Result<Expression, String> {
        let mut terms = Vec::new();
        let mut sign = Some(1);
        for word in text.split_whitespace() {
            match (word, sign) {
                ("+", None) => sign = Some(1),
                ("-", None) => sign = Some(-1),
                ("-", Some(1)) if terms.is_empty() => sign = Some(-1),
                ("+" | "-", _) => return Err(format!("expected a column before `{word}`")),
                (_, Some(known)) => {
                    terms.push((known, place(word)?));
                    sign = None;
                }
                (_, None) => return Err(format!("expected `+` or `-` before `{word}`")),
            }
        }
        match sign {
            None => Ok(Expression { terms }),
            Some(_) => Err("expected a column, or columns with `+` and `-` between".to_owned()),
        }
    }

    /// The sum, where each column can be read; a column that is not there counts as nothing.
    pub fn sum<E>(&self, mut read: impl FnMut(usize) -> Result<Milli, E>) -> Result<Milli, E> {
        let mut sum = 0_i64;
        for (sign, place) in &self.terms {
            sum = sum.saturating_add(sign * read(*place)?);
        }
        Ok(sum)
    }
}

impl Equation {
    /// Reads `a - b = c`.
    pub(super) fn parse(
        text: &str,
        mut place: impl FnMut(&str) -> Result<usize, String>,
    ) -> Result<Equation, String> {
        let (left, right) = text.split_once('=').ok_or("expected two sums with `=` between")?;
        Ok(Equation {
            text: text.to_owned(),
            left: Expression::parse(left, &mut place)?,
            right: Expression::parse(right, &mut place)?,
        })
    }
}
