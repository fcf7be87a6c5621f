//! What is kept of a payment, put together so that somebody else can check it. Touches no world.

pub mod archive;
pub mod pack;
pub mod seal;
pub mod verify;
