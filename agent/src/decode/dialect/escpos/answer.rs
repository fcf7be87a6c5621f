//! What a printer sends back, cut into answers by the bits that are fixed in each: real-time status, automatic status,
//! answers to buffered requests, blocks, flow control. Knows no requests; pairs nothing.

/// Flow control; it may stand between any two bytes.
const XON: u8 = 0x11;
const XOFF: u8 = 0x13;

/// Longest block: the name of a printer, its firmware.
const BLOCK_BYTES_MAX: usize = 80;

/// Bytes of a block that are kept: a process ID has seven.
const KEPT_BYTES: usize = 8;

/// One answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// To `DLE EOT n`; it does not say to which.
    RealTime(u8),
    /// Automatic status: four bytes, at each change.
    Automatic([u8; 4]),
    /// To `GS r` or `ESC v`.
    Single(u8),
    /// To `GS ( H`: everything before it has been printed.
    ProcessId([u8; 4]),
    /// Paper, user, recoverable and unrecoverable bits of a kiosk printer.
    Kiosk([u8; 4]),
    /// Any other block.
    Block,
    /// The printer takes data again, or takes none.
    Flow {
        /// Whether it does.
        goes: bool,
    },
    /// A byte that is none of these.
    Unknown,
}

/// The state of one stream.
#[derive(Debug, Default)]
pub(super) struct Answers {
    kept: [u8; KEPT_BYTES],
    length: usize,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    None,
    Automatic,
    Kiosk,
    Block,
}

impl Answers {
    /// Takes a byte; `expects_kiosk` tells that a kiosk printer's whole status was asked for. Calls `out` with each
    /// answer that has come to its end, or turned out to be none.
    pub fn push(&mut self, byte: u8, expects_kiosk: bool, mut out: impl FnMut(Answer)) {
        if byte == XON || byte == XOFF {
            // In a kiosk printer's status any byte may stand.
            if self.kind != Kind::Kiosk {
                out(Answer::Flow { goes: byte == XON });
                return;
            }
        }
        match self.kind {
            Kind::None => self.begin(byte, expects_kiosk, out),
            Kind::Automatic => self.go_on_automatic(byte, expects_kiosk, out),
            Kind::Kiosk => {
                self.keep(byte);
                if self.length == 2 && byte != 0x0f {
                    // An automatic status after all.
                    self.kind = Kind::Automatic;
                    self.length = 1;
                    self.go_on_automatic(byte, false, out);
                } else if self.length == 6 {
                    let [_, _, a, b, c, d, ..] = self.kept;
                    self.end();
                    out(Answer::Kiosk([a, b, c, d]));
                }
            }
            Kind::Block => {
                self.keep(byte);
                if byte == 0 || self.length >= BLOCK_BYTES_MAX {
                    let answer = match self.kept {
                        [0x37, 0x22, a, b, c, d, 0, ..] if self.length == 7 => {
                            Answer::ProcessId([a, b, c, d])
                        }
                        _ if byte == 0 => Answer::Block,
                        _ => Answer::Unknown,
                    };
                    self.end();
                    out(answer);
                }
            }
        }
    }

    /// Nothing came for long: what is unfinished is none. Says whether there was anything.
    pub fn give_up(&mut self) -> bool {
        let was_amid = self.is_amid();
        self.end();
        was_amid
    }

    /// Whether the stream stands amid an answer.
    pub fn is_amid(&self) -> bool {
        self.kind != Kind::None
    }

    fn begin(&mut self, byte: u8, expects_kiosk: bool, mut out: impl FnMut(Answer)) {
        match byte {
            0x37 | 0x3d | 0x5f => self.kind = Kind::Block,
            0x10 if expects_kiosk => self.kind = Kind::Kiosk,
            _ if byte & 0x93 == 0x12 => return out(Answer::RealTime(byte)),
            _ if byte & 0x93 == 0x10 => self.kind = Kind::Automatic,
            _ if byte & 0x90 == 0 => return out(Answer::Single(byte)),
            _ => return out(Answer::Unknown),
        }
        self.keep(byte);
    }

    fn go_on_automatic(&mut self, byte: u8, expects_kiosk: bool, mut out: impl FnMut(Answer)) {
        if byte & 0x90 != 0 {
            // Real-time status may come amid it; anything else shows that the first byte began nothing.
            if byte & 0x93 == 0x12 {
                return out(Answer::RealTime(byte));
            }
            self.end();
            out(Answer::Unknown);
            return self.begin(byte, expects_kiosk, out);
        }
        self.keep(byte);
        if self.length == 4 {
            let [a, b, c, d, ..] = self.kept;
            self.end();
            out(Answer::Automatic([a, b, c, d]));
        }
    }

    fn keep(&mut self, byte: u8) {
        if let Some(place) = self.kept.get_mut(self.length) {
            *place = byte;
        }
        self.length += 1;
    }

    fn end(&mut self) {
        *self = Answers::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], expected: &[Answer]) {
        let mut answers = Answers::default();
        let mut found = Vec::new();
        bytes.iter().for_each(|&byte| answers.push(byte, false, |answer| found.push(answer)));
        assert_eq!(found, expected, "{bytes:02x?}");
    }

    #[test]
    fn answers_are_told_apart_by_their_fixed_bits() {
        check(&[0x12, 0x16, 0x1a], &[0x12, 0x16, 0x1a].map(Answer::RealTime));
        check(&[0x32, 0x72, 0x7e], &[0x32, 0x72, 0x7e].map(Answer::RealTime));
        check(&[0x14, 0, 0, 0x0f], &[Answer::Automatic([0x14, 0, 0, 0x0f])]);
        check(&[0x00, 0x0c], &[Answer::Single(0), Answer::Single(0x0c)]);
        check(&[0x37, 0x22, 1, 2, 3, 4, 0], &[Answer::ProcessId([1, 2, 3, 4])]);
        check(b"\x37\x20\x00\x5fTM-T88V\x00", &[Answer::Block, Answer::Block]);
        check(&[0x90], &[Answer::Unknown]);
    }

    #[test]
    fn flow_control_and_real_time_status_stand_amid_automatic_status() {
        check(
            &[0x18, XOFF, 0, 0x12, XON, 0x0c, 0],
            &[
                Answer::Flow { goes: false },
                Answer::RealTime(0x12),
                Answer::Flow { goes: true },
                Answer::Automatic([0x18, 0, 0x0c, 0]),
            ],
        );
    }

    #[test]
    fn a_damaged_automatic_status_costs_itself_alone() {
        check(&[0x18, 0, 0x14, 0, 0, 0], &[Answer::Unknown, Answer::Automatic([0x14, 0, 0, 0])]);
        check(&[0x18, 0x90, 0x12], &[Answer::Unknown, Answer::Unknown, Answer::RealTime(0x12)]);
    }

    #[test]
    fn a_kiosk_printer_answers_in_six_bytes() {
        let mut answers = Answers::default();
        let mut found = Vec::new();
        let mut push = |byte| answers.push(byte, true, |answer| found.push(answer));
        [0x10, 0x0f, 0x05, 0x11, 0, 0, 0x10, 0, 0, 0].into_iter().for_each(&mut push);
        assert_eq!(found, [Answer::Kiosk([0x05, 0x11, 0, 0]), Answer::Automatic([0x10, 0, 0, 0])]);
    }

    #[test]
    fn a_block_without_end_is_let_go() {
        let mut answers = Answers::default();
        let mut found = Vec::new();
        answers.push(0x5f, false, |_| {});
        (0..BLOCK_BYTES_MAX).for_each(|_| {
            answers.push(b'A', false, |answer| {
                found.push(answer);
            });
        });
        assert_eq!(found.first(), Some(&Answer::Unknown));
    }
}
