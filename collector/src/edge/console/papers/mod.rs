//! What a person holds in hand: documents as PDF, with their font inside, in Chinese and English. Pure rendering.

pub mod answer;
pub mod evidence;
pub mod imported;
pub mod paper;
