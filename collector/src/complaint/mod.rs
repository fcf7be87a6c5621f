//! The complaint desk: what a shopper says against what is known of payments, the answer that is true, and the dates that
//! are promised with it. Pure: touches no store and no clock, and keeps no card number beyond the last four digits.

pub mod answer;
pub mod card;
pub mod deadline;
pub mod desk;
pub mod matching;
pub mod record;
pub mod said;
pub mod slack;
pub mod words;
