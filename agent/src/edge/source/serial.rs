//! A serial port: open, read, lose, find again.
