//! Nothing before T is still unread.
