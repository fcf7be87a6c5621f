//! sled: entries outlive a power cut.
