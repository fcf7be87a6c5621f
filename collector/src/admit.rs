//! Is this batch sound, new, and next in its agent's sequence?
