//! The money's end: rows of settlement files, what they mean, and which payment each of them settles. Pure: bytes and
//! candidate payments in; rows, links and judgements out. Opens no file and asks no store.

pub mod calendar;
pub mod contract;
pub mod deduction;
pub mod matching;
pub mod rate;
pub mod reader;
pub mod refusal;
pub mod report;
pub mod row;
pub mod standing;
