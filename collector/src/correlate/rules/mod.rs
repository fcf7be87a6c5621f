//! One pure function a rule.
