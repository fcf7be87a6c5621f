//! The only reader of the system clock.
#![allow(clippy::disallowed_methods, reason = "this is the one place")]

use slipwatch_shared::times::{BootId, EventTime, Observed, Uptime};
use std::cell::Cell;
use std::time::SystemTime;

/// How often the kernel is asked whether the wall clock is synchronised: it changes seldom, and asking costs.
const SYNCHRONISED_FOR_MS: u64 = 10_000;

/// How often two clocks are read anew until nothing came in between.
const READ_TRIES_MAX: usize = 8;

/// The machine's clocks.
#[derive(Clone, Debug)]
pub struct Clock {
    boot: BootId,
    synchronised: Cell<Option<(Uptime, bool)>>,
}

impl Clock {
    /// The clocks of this boot.
    pub fn of_machine() -> Clock {
        let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
        let mut boot = [0; 16];
        for (byte, pair) in boot.iter_mut().zip(digits.chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).unwrap_or("0");
            *byte = u8::from_str_radix(pair, 16).unwrap_or(0);
        }
        Clock { boot: BootId(boot), synchronised: Cell::new(None) }
    }

    /// All clocks, now.
    pub fn read(&self) -> Observed {
        let (uptime, wall) = self.read_together();
        let known = self.synchronised.get();
        let synchronised = match known {
            Some((at, known)) if uptime.ms_since(at) < SYNCHRONISED_FOR_MS => known,
            _ => {
                let fresh = synchronised();
                self.synchronised.set(Some((uptime, fresh)));
                fresh
            }
        };
        Observed { boot: self.boot, uptime, wall, synchronised }
    }

    /// Both clocks at one moment: where the machine did something else in between, they are read again, so that a busy
    /// machine does not look like a stepped clock.
    fn read_together(&self) -> (Uptime, EventTime) {
        let mut uptime = self.uptime();
        for _ in 0..READ_TRIES_MAX {
            let wall = wall();
            let after = self.uptime();
            if after.ms_since(uptime) <= 1 {
                return (uptime, wall);
            }
            uptime = after;
        }
        (uptime, wall())
    }

    /// Milliseconds since the machine booted, sleep included.
    pub fn uptime(&self) -> Uptime {
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the structure is ours and lives through the call, which cannot fail for this clock.
        unsafe { libc::clock_gettime(libc::CLOCK_BOOTTIME, &raw mut time) };
        // The fields are 32 bits wide on some machines.
        #[allow(clippy::unnecessary_cast)]
        Uptime((time.tv_sec as u64) * 1_000 + (time.tv_nsec as u64) / 1_000_000)
    }
}

/// UTC in milliseconds since 1970, as the machine believes.
pub fn wall() -> EventTime {
    since_1970(SystemTime::now())
}

/// A moment that the system tells, such as when a file was changed last.
pub fn since_1970(moment: SystemTime) -> EventTime {
    let ms = match moment.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
        Err(before) => -i64::try_from(before.duration().as_millis()).unwrap_or(i64::MAX),
    };
    EventTime(ms)
}

fn synchronised() -> bool {
    // SAFETY: all zeros asks for nothing to be changed.
    let mut state: libc::timex = unsafe { std::mem::zeroed() };
    // SAFETY: the structure is ours and lives through the call.
    let answer = unsafe { libc::adjtimex(&raw mut state) };
    (0..libc::TIME_ERROR).contains(&answer)
}

/// A number that differs from machine to machine and from call to call: good enough to spread retries.
pub fn jitter() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(std::process::id())
}
