//! Card data out, before anything else sees a byte.
