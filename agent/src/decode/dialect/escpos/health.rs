//! A printer's state, put together from all that it answered.

use slipwatch_shared::event::{Paper, PrinterStatus, SlipFailure};

/// What `DLE EOT n` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RealTimeKind {
    /// 1: the printer itself.
    Printer,
    /// 2: why it is offline.
    OfflineCause,
    /// 3: its errors.
    ErrorCause,
    /// 4: the paper.
    Paper,
    /// Anything else: ink, a peeler, a kiosk printer's own.
    Other,
}

impl RealTimeKind {
    /// Of the `n` of `DLE EOT n`.
    pub fn of(n: u8) -> RealTimeKind {
        match n {
            1 => RealTimeKind::Printer,
            2 => RealTimeKind::OfflineCause,
            3 => RealTimeKind::ErrorCause,
            4 => RealTimeKind::Paper,
            _ => RealTimeKind::Other,
        }
    }
}

/// Answer of a healthy printer to `DLE EOT` 2, 3 and 4, and to 1 with a closed drawer.
const HEALTHY: u8 = 0x12;

/// What is known of a printer; each part absent until it was told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Health {
    offline: Option<bool>,
    cover_open: Option<bool>,
    paper: Option<Paper>,
    cutter_error: Option<bool>,
    overheated: Option<bool>,
    error: Option<bool>,
    /// It takes no data, and has not for long.
    is_stalled: bool,
    /// It answers nothing any more.
    is_silent: bool,
}

impl Health {
    /// Takes an answer to `DLE EOT`. `asked` is what it answers, where that was heard.
    pub fn take_real_time(&mut self, byte: u8, asked: Option<RealTimeKind>) {
        let has = |bits: u8| byte & bits == bits;
        match asked {
            Some(RealTimeKind::Printer) => {
                self.offline = Some(has(0x08));
                if !has(0x08) {
                    self.is_online_again();
                }
            }
            Some(RealTimeKind::OfflineCause) => {
                self.cover_open = Some(has(0x04));
                self.error = Some(has(0x40));
                if has(0x20) {
                    self.paper = Some(Paper::End);
                } else if self.paper == Some(Paper::End) {
                    self.paper = Some(Paper::Present);
                }
                if byte == HEALTHY {
                    // It would say why it is offline.
                    self.offline = self.offline.map(|_| false);
                }
            }
            Some(RealTimeKind::ErrorCause) => {
                self.cutter_error = Some(has(0x08));
                self.overheated = Some(has(0x40));
                self.error = Some(has(0x20) || has(0x04));
            }
            Some(RealTimeKind::Paper) => {
                self.paper = Some(match () {
                    () if has(0x60) => Paper::End,
                    () if has(0x0c) => Paper::NearEnd,
                    () => Paper::Present,
                });
            }
            Some(RealTimeKind::Other) | None => {}
        }
    }

    /// Takes an automatic status.
    pub fn take_automatic(&mut self, [first, second, third, _]: [u8; 4]) {
        self.offline = Some(first & 0x08 != 0);
        self.cover_open = Some(first & 0x20 != 0);
        self.cutter_error = Some(second & 0x08 != 0);
        self.overheated = Some(second & 0x40 != 0);
        self.error = Some(second & 0x24 != 0);
        self.take_paper(third);
    }

    /// Takes an answer to `GS r 1` or `ESC v`: `03` near end, `0C` end.
    pub fn take_paper(&mut self, byte: u8) {
        self.paper = Some(match byte {
            _ if byte & 0x0c != 0 => Paper::End,
            _ if byte & 0x03 != 0 => Paper::NearEnd,
            _ => Paper::Present,
        });
    }

    /// Takes a kiosk printer's whole status: paper, user, recoverable and unrecoverable errors.
    pub fn take_kiosk(&mut self, [paper, user, recoverable, unrecoverable]: [u8; 4]) {
        self.paper = Some(match paper {
            _ if paper & 0x01 != 0 => Paper::End,
            _ if paper & 0x04 != 0 => Paper::NearEnd,
            _ => Paper::Present,
        });
        self.cover_open = Some(user & 0x03 != 0);
        self.overheated = Some(recoverable & 0x01 != 0);
        self.cutter_error = Some(unrecoverable & 0x01 != 0);
        self.error = Some(unrecoverable & 0xfe != 0);
        self.offline = Some(self.failure_told().is_some());
    }

    /// It takes no data for long, or takes it again.
    pub fn set_stalled(&mut self, is_stalled: bool) {
        if self.is_stalled && !is_stalled {
            self.offline.get_or_insert(false);
        }
        self.is_stalled = is_stalled;
    }

    /// It does not answer any more, or answers again.
    pub fn set_silent(&mut self, is_silent: bool) {
        self.is_silent = is_silent;
    }

    /// Whether it does not answer any more.
    pub fn is_silent(&self) -> bool {
        self.is_silent
    }

    /// A printer that is online has paper, a closed cover and no error.
    fn is_online_again(&mut self) {
        let good = |part: &mut Option<bool>| *part = part.map(|_| false);
        [&mut self.cover_open, &mut self.cutter_error, &mut self.overheated, &mut self.error]
            .into_iter()
            .for_each(good);
        if self.paper == Some(Paper::End) {
            self.paper = Some(Paper::Present);
        }
    }

    /// What hinders printing, if anything does.
    pub fn failure(&self) -> Option<SlipFailure> {
        let is_away = self.is_silent || self.is_stalled;
        self.failure_told().or(is_away.then_some(SlipFailure::Offline))
    }

    fn failure_told(&self) -> Option<SlipFailure> {
        let is = |part: Option<bool>| part == Some(true);
        Some(match () {
            () if self.paper == Some(Paper::End) => SlipFailure::PaperOut,
            () if is(self.cover_open) => SlipFailure::CoverOpen,
            () if is(self.cutter_error) => SlipFailure::Cutter,
            () if is(self.overheated) => SlipFailure::Overheated,
            () if is(self.error) => SlipFailure::Unknown,
            () if is(self.offline) => SlipFailure::Offline,
            () => return None,
        })
    }

    /// The state as it is told; nothing is known until the printer answered.
    pub fn told(&self) -> PrinterStatus {
        let is_known = *self != Health::default();
        PrinterStatus {
            online: is_known.then(|| self.failure().is_none()),
            cover_open: self.cover_open,
            paper: self.paper,
            cutter_error: self.cutter_error,
            error: match (self.error, self.overheated) {
                (None, None) => None,
                (error, overheated) => Some(error == Some(true) || overheated == Some(true)),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(answers: &[(u8, u8)], expected: Option<SlipFailure>, paper: Option<Paper>) {
        let mut health = Health::default();
        for &(n, byte) in answers {
            health.take_real_time(byte, Some(RealTimeKind::of(n)));
        }
        assert_eq!((health.failure(), health.told().paper), (expected, paper), "{answers:02x?}");
    }

    #[test]
    fn real_time_status_by_its_question() {
        use SlipFailure::{CoverOpen, Cutter, Offline, Overheated, PaperOut, Unknown};
        let present = Some(Paper::Present);
        check(&[(1, 0x12), (2, 0x12), (3, 0x12), (4, 0x12)], None, present);
        check(&[(1, 0x16)], None, None);
        check(&[(1, 0x1a), (2, 0x32), (4, 0x72)], Some(PaperOut), Some(Paper::End));
        check(&[(4, 0x7e)], Some(PaperOut), Some(Paper::End));
        check(&[(4, 0x1e)], None, Some(Paper::NearEnd));
        check(&[(1, 0x1a), (2, 0x16)], Some(CoverOpen), None);
        check(&[(2, 0x52)], Some(Unknown), None);
        check(&[(3, 0x1a)], Some(Cutter), None);
        check(&[(3, 0x32)], Some(Unknown), None);
        check(&[(3, 0x52)], Some(Overheated), None);
        check(&[(1, 0x1a)], Some(Offline), None);
    }

    #[test]
    fn whoever_is_online_again_has_no_error_left() {
        check(&[(4, 0x72), (1, 0x12)], None, Some(Paper::Present));
        check(&[(2, 0x32), (2, 0x12)], None, Some(Paper::Present));
        check(&[(1, 0x1a), (2, 0x16), (2, 0x12)], None, None);
        check(&[(3, 0x1a), (3, 0x12)], None, None);
    }

    #[track_caller]
    fn check_automatic(bytes: [u8; 4], expected: Option<SlipFailure>, paper: Paper) {
        let mut health = Health::default();
        health.take_automatic(bytes);
        assert_eq!(
            (health.failure(), health.told().paper),
            (expected, Some(paper)),
            "{bytes:02x?}"
        );
    }

    #[test]
    fn automatic_status_tells_all_at_once() {
        check_automatic([0x14, 0, 0, 0x0f], None, Paper::Present);
        check_automatic([0x10, 0, 0x03, 0], None, Paper::NearEnd);
        check_automatic([0x18, 0, 0x0f, 0], Some(SlipFailure::PaperOut), Paper::End);
        check_automatic([0x38, 0, 0, 0], Some(SlipFailure::CoverOpen), Paper::Present);
        check_automatic([0x18, 0x08, 0, 0], Some(SlipFailure::Cutter), Paper::Present);
        check_automatic([0x18, 0x20, 0, 0], Some(SlipFailure::Unknown), Paper::Present);
        check_automatic([0x18, 0x40, 0, 0], Some(SlipFailure::Overheated), Paper::Present);
        check_automatic([0x18, 0, 0, 0], Some(SlipFailure::Offline), Paper::Present);
    }
}
