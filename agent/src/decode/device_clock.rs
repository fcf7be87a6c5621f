//! Date and time as devices print them.
