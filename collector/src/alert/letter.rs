//! A letter's subject and text.
