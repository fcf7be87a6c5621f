//! What one transaction of the store holds.
