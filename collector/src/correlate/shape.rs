//! How the correlator's state is written into the store and read back: plain bytes, each value behind the other, with
//! a version in front. Private to the collector: what travels between programs is `wire/v1`. Numbers of enums are
//! their places in `ALL` or in the list given here; new ones are only ever appended.

use super::case::{EventRef, Trouble, UnsoundAnswer};
use super::policy::Acquirer;
use super::timeline::StreamTime;
use slipwatch_shared::event::{
    AbortedBy, Copy as SlipCopy, ElectronicChannel, Epoch, ExchangePhase, Kind, ReversalPhase, Seq,
    SlipFailure, SlipGrade, SlipLoss, SourceId,
};
use slipwatch_shared::terminal::{AgentId, MerchantId, OperatorNumber, StoreId, TerminalId};
use slipwatch_shared::trace::{BatchNumber, Stan};
use std::collections::VecDeque;
use thin_vec::ThinVec;

/// Why bytes are no state of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("state is not of a shape that this program wrote")]
pub struct ShapeError;

/// A value with a place in the store's bytes.
pub trait Shape: Sized {
    /// Appends it.
    fn put(&self, out: &mut Vec<u8>);

    /// Takes it off the front.
    fn take(bytes: &mut &[u8]) -> Result<Self, ShapeError>;
}

/// The version written in front.
pub const VERSION: u8 = 1;

/// A value with its version in front.
pub fn to_bytes(value: &impl Shape) -> Vec<u8> {
    let mut out = vec![VERSION];
    value.put(&mut out);
    out
}

/// Room is made for so many items at once; more make room as they come.
const ROOM_MAX: usize = 64;

/// Takes what an older program did not write yet: nothing is left then, and the default stands for it. Such a value is
/// the last of what is stored, or stands before others like it.
pub fn take_or_default<T: Shape + Default>(bytes: &mut &[u8]) -> Result<T, ShapeError> {
    if bytes.is_empty() { Ok(T::default()) } else { T::take(bytes) }
}

/// Reads what [`to_bytes`] wrote.
pub fn from_bytes<T: Shape>(mut bytes: &[u8]) -> Result<T, ShapeError> {
    if u8::take(&mut bytes)? != VERSION {
        return Err(ShapeError);
    }
    let value = T::take(&mut bytes)?;
    if bytes.is_empty() { Ok(value) } else { Err(ShapeError) }
}

impl Shape for u64 {
    fn put(&self, out: &mut Vec<u8>) {
        let mut rest = *self;
        while rest >= 0x80 {
            out.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        out.push(rest as u8);
    }

    fn take(bytes: &mut &[u8]) -> Result<u64, ShapeError> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = bytes.split_first().ok_or(ShapeError)?;
            *bytes = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(ShapeError)
    }
}

impl Shape for u8 {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(*self);
    }

    fn take(bytes: &mut &[u8]) -> Result<u8, ShapeError> {
        let (&byte, rest) = bytes.split_first().ok_or(ShapeError)?;
        *bytes = rest;
        Ok(byte)
    }
}

macro_rules! as_u64 {
    ($($name:ty),+) => {
        $(impl Shape for $name {
            fn put(&self, out: &mut Vec<u8>) {
                u64::try_from(*self).unwrap_or(0).put(out);
            }

            fn take(bytes: &mut &[u8]) -> Result<$name, ShapeError> {
                <$name>::try_from(u64::take(bytes)?).map_err(|_| ShapeError)
            }
        })+
    };
}

as_u64!(u16, u32, usize);

impl Shape for i64 {
    fn put(&self, out: &mut Vec<u8>) {
        // Small numbers of either sign stay short.
        (((self << 1) ^ (self >> 63)) as u64).put(out);
    }

    fn take(bytes: &mut &[u8]) -> Result<i64, ShapeError> {
        let value = u64::take(bytes)?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }
}

impl Shape for i32 {
    fn put(&self, out: &mut Vec<u8>) {
        i64::from(*self).put(out);
    }

    fn take(bytes: &mut &[u8]) -> Result<i32, ShapeError> {
        i32::try_from(i64::take(bytes)?).map_err(|_| ShapeError)
    }
}

impl Shape for bool {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }

    fn take(bytes: &mut &[u8]) -> Result<bool, ShapeError> {
        match u8::take(bytes)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(ShapeError),
        }
    }
}

impl Shape for Box<str> {
    fn put(&self, out: &mut Vec<u8>) {
        self.len().put(out);
        out.extend_from_slice(self.as_bytes());
    }

    fn take(bytes: &mut &[u8]) -> Result<Box<str>, ShapeError> {
        take_text(bytes).map(Box::from)
    }
}

/// A text where it lies.
fn take_text<'a>(bytes: &mut &'a [u8]) -> Result<&'a str, ShapeError> {
    let length = usize::take(bytes)?;
    let (text, rest) = bytes.split_at_checked(length).ok_or(ShapeError)?;
    *bytes = rest;
    std::str::from_utf8(text).map_err(|_| ShapeError)
}

impl<T: Shape> Shape for Box<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.as_ref().put(out);
    }

    fn take(bytes: &mut &[u8]) -> Result<Box<T>, ShapeError> {
        T::take(bytes).map(Box::new)
    }
}

impl<T: Shape> Shape for Option<T> {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            None => out.push(0),
            Some(value) => {
                out.push(1);
                value.put(out);
            }
        }
    }

    fn take(bytes: &mut &[u8]) -> Result<Option<T>, ShapeError> {
        Ok(if bool::take(bytes)? { Some(T::take(bytes)?) } else { None })
    }
}

impl<T: Shape> Shape for Vec<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.len().put(out);
        self.iter().for_each(|item| item.put(out));
    }

    fn take(bytes: &mut &[u8]) -> Result<Vec<T>, ShapeError> {
        let count = usize::take(bytes)?;
        // Each item is a byte at least: a count beyond that is a lie and would cost memory.
        if count > bytes.len() {
            return Err(ShapeError);
        }
        let mut items = Vec::with_capacity(count.min(ROOM_MAX));
        for _ in 0..count {
            items.push(T::take(bytes)?);
        }
        Ok(items)
    }
}

impl<T: Shape> Shape for ThinVec<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.len().put(out);
        self.iter().for_each(|item| item.put(out));
    }

    fn take(bytes: &mut &[u8]) -> Result<ThinVec<T>, ShapeError> {
        Vec::take(bytes).map(ThinVec::from)
    }
}

impl<T: Shape> Shape for VecDeque<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.len().put(out);
        self.iter().for_each(|item| item.put(out));
    }

    fn take(bytes: &mut &[u8]) -> Result<VecDeque<T>, ShapeError> {
        Vec::take(bytes).map(VecDeque::from)
    }
}

impl<A: Shape, B: Shape> Shape for (A, B) {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
    }

    fn take(bytes: &mut &[u8]) -> Result<(A, B), ShapeError> {
        Ok((A::take(bytes)?, B::take(bytes)?))
    }
}

impl<const N: usize> Shape for [u16; N] {
    fn put(&self, out: &mut Vec<u8>) {
        self.iter().for_each(|item| item.put(out));
    }

    fn take(bytes: &mut &[u8]) -> Result<[u16; N], ShapeError> {
        let mut items = [0; N];
        for item in &mut items {
            *item = u16::take(bytes)?;
        }
        Ok(items)
    }
}

/// A struct: its fields in the order given.
macro_rules! shape_struct {
    ($name:ident { $($field:ident),+ $(,)? }) => {
        impl $crate::correlate::shape::Shape for $name {
            fn put(&self, out: &mut Vec<u8>) {
                $($crate::correlate::shape::Shape::put(&self.$field, out);)+
            }

            fn take(bytes: &mut &[u8]) -> Result<$name, $crate::correlate::shape::ShapeError> {
                Ok($name { $($field: $crate::correlate::shape::Shape::take(bytes)?),+ })
            }
        }
    };
}

/// An enum without fields: its variants in the order given.
macro_rules! shape_enum {
    ($name:ident { $($variant:ident),+ $(,)? }) => {
        impl $crate::correlate::shape::Shape for $name {
            fn put(&self, out: &mut Vec<u8>) {
                const ALL: &[$name] = &[$($name::$variant),+];
                let place = ALL.iter().position(|item| item == self).expect("all variants are listed");
                out.push(place as u8);
            }

            fn take(bytes: &mut &[u8]) -> Result<$name, $crate::correlate::shape::ShapeError> {
                const ALL: &[$name] = &[$($name::$variant),+];
                let place = usize::from(<u8 as $crate::correlate::shape::Shape>::take(bytes)?);
                ALL.get(place).copied().ok_or($crate::correlate::shape::ShapeError)
            }
        }
    };
}

pub(crate) use {shape_enum, shape_struct};

/// A newtype over one public field.
macro_rules! shape_newtype {
    ($($name:ident),+) => {
        $(impl Shape for $name {
            fn put(&self, out: &mut Vec<u8>) {
                self.0.put(out);
            }

            fn take(bytes: &mut &[u8]) -> Result<$name, ShapeError> {
                Ok($name(Shape::take(bytes)?))
            }
        })+
    };
}

shape_newtype!(StreamTime, Seq, Epoch, SourceId);
shape_struct!(EventRef { epoch, seq });
shape_enum!(Kind { Sale, Void, Refund, Preauthorization, Completion, BalanceInquiry });
shape_enum!(SlipCopy { Merchant, Customer });
shape_enum!(SlipGrade { Claimed, Sent, CleanStatus, BufferedReply, ProcessId });
shape_enum!(SlipLoss { BufferCleared, PowerLost, Cancelled });
shape_enum!(ElectronicChannel { QrCode, Sms, Email, Wallet });
shape_enum!(AbortedBy { Operator, Customer, Terminal, Host, Unknown });
shape_enum!(ExchangePhase { Requested, Approved, Declined, TimedOut });
shape_enum!(ReversalPhase { Pending, Sent, Acknowledged, Failed });
shape_enum!(UnsoundAnswer { WrongMac, Malfunction, NoAnswer });
shape_enum!(Trouble { PaperOut, CoverOpen, Cutter, Offline, Error });
shape_enum!(SlipFailure { PaperOut, CoverOpen, Cutter, Overheated, Offline, Refused, Unknown });

/// An identifier that is written as its text.
macro_rules! shape_text {
    ($($name:ident),+) => {
        $(impl Shape for $name {
            fn put(&self, out: &mut Vec<u8>) {
                let text = self.as_str();
                text.len().put(out);
                out.extend_from_slice(text.as_bytes());
            }

            fn take(bytes: &mut &[u8]) -> Result<$name, ShapeError> {
                take_text(bytes)?.parse().map_err(|_| ShapeError)
            }
        })+
    };
}

shape_text!(TerminalId, StoreId, AgentId, MerchantId, OperatorNumber, Acquirer);

/// A number of six digits.
macro_rules! shape_six_digits {
    ($($name:ident),+) => {
        $(impl Shape for $name {
            fn put(&self, out: &mut Vec<u8>) {
                self.number().put(out);
            }

            fn take(bytes: &mut &[u8]) -> Result<$name, ShapeError> {
                $name::from_number(u32::take(bytes)?).map_err(|_| ShapeError)
            }
        })+
    };
}

shape_six_digits!(Stan, BatchNumber);
