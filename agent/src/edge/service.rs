//! The service manager: ready, alive, stopping. Says nothing where there is none.

use sd_notify::NotifyState;
use slipwatch_shared::times::Uptime;

/// Tells the service manager how it goes.
#[derive(Debug)]
pub struct Service {
    watchdog_ms: Option<u64>,
    next_ping: Uptime,
}

impl Service {
    /// As the environment of this process says.
    pub fn of_process() -> Service {
        let watchdog = sd_notify::watchdog_enabled();
        let watchdog_ms =
            watchdog.map(|period| u64::try_from(period.as_millis()).unwrap_or(u64::MAX));
        Service { watchdog_ms, next_ping: Uptime(0) }
    }

    /// It works: everything is open that must be.
    pub fn ready(&self, status: &str) {
        tell(&[NotifyState::Ready, NotifyState::Status(status)]);
    }

    /// What it is doing, for people.
    pub fn status(&self, status: &str) {
        tell(&[NotifyState::Status(status)]);
    }

    /// It ends.
    pub fn stopping(&self) {
        tell(&[NotifyState::Stopping]);
    }

    /// When the next sign of life is due.
    pub fn wake_at(&self) -> Option<Uptime> {
        self.watchdog_ms.map(|_| self.next_ping)
    }

    /// Gives a sign of life when it is due, unless the storage has owed an answer for half the watchdog's time: a stuck
    /// disk is a stuck agent.
    pub fn ping(&mut self, now: Uptime, waiting_since: Option<Uptime>) {
        let Some(watchdog_ms) = self.watchdog_ms else { return };
        if now < self.next_ping {
            return;
        }
        self.next_ping = now.plus_ms((watchdog_ms / 4).max(1));
        if waiting_since.is_none_or(|since| now.ms_since(since) < watchdog_ms / 2) {
            tell(&[NotifyState::Watchdog]);
        }
    }
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!(%error, "the service manager cannot be told");
    }
}
