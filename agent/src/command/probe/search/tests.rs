//! Over a line made of bits: a receiver at the wrong speed hears what a real one would.

use super::*;
use crate::decode::dialect::shipped;

/// The bits of a line, as long as each of them lasts in nanoseconds.
struct Wire {
    baud: u32,
    bits: Vec<bool>,
}

impl Wire {
    /// What a sender puts on the line, with a pause of ten bits behind each of its `lines`.
    fn sent(setting: Setting, lines: &[&[u8]]) -> Wire {
        let mut bits = vec![true; 20];
        for line in lines {
            for byte in *line {
                let ones = byte.count_ones() % 2 == 1;
                bits.push(false);
                bits.extend((0..setting.data_bits).map(|bit| byte >> bit & 1 == 1));
                match setting.parity {
                    Parity::None => {}
                    Parity::Even => bits.push(ones),
                    Parity::Odd => bits.push(!ones),
                }
                bits.push(true);
            }
            bits.extend([true; 10]);
        }
        Wire { baud: setting.baud, bits }
    }

    fn level(&self, at_ns: u64) -> Option<bool> {
        let bit = at_ns * u64::from(self.baud) / 1_000_000_000;
        self.bits.get(usize::try_from(bit).expect("a short line")).copied()
    }

    /// What a receiver makes of it that samples each bit in its middle, and looks for the next start at once.
    fn received(&self, baud: u32, parity: Parity) -> Heard {
        let bit_ns = 1_000_000_000 / u64::from(baud);
        let step_ns = bit_ns / 16;
        let mut heard = Heard::default();
        let mut at = 0;
        while let Some(level) = self.level(at) {
            at += step_ns;
            if level {
                continue;
            }
            let start = at - step_ns;
            let sample = |bit: u64| self.level(start + bit_ns * bit + bit_ns / 2).unwrap_or(true);
            if sample(0) {
                continue;
            }
            let byte = (0..8).fold(0_u8, |byte, bit| byte | u8::from(sample(bit + 1)) << bit);
            let ones = byte.count_ones() % 2 == 1;
            let (check_ok, stop) = match parity {
                Parity::None => (true, 9),
                Parity::Even => (sample(9) == ones, 10),
                Parity::Odd => (sample(9) != ones, 10),
            };
            heard.bytes.push(byte);
            heard.bad += usize::from(!(check_ok && sample(stop)));
            at = start + bit_ns * stop + bit_ns / 2;
        }
        heard
    }
}

const LINES: [&[u8]; 4] = [
    b"2026-11-24 09:30:01.120 evt=auth_request kind=SALE amt=1250 cur=CNY stan=000123 tid=T1\n",
    b"2026-11-24 09:30:03.120 evt=auth_response rc=00 amt=1250 cur=CNY stan=000123 tid=T1\n",
    b"2026-11-24 09:30:04.000 evt=print_start copy=merchant stan=000123 tid=T1\n",
    b"2026-11-24 09:30:05.000 evt=print_done copy=merchant stan=000123 tid=T1\n",
];

/// A burst of traffic a second. The setting that is found, and how many seconds it took.
fn search(setting: Setting) -> (Setting, u64) {
    let wire = Wire::sent(setting, &LINES);
    let dialects = shipped::names().filter_map(shipped::dialect).collect();
    let mut search = Search::new(dialects, None, Uptime(0));
    let (mut baud, mut parity) = (search.setting().baud, search.setting().parity);
    for second in 1..=60 {
        match search.heard(&wire.received(baud, parity), Uptime(second * 1_000)) {
            Step::Stay => {}
            Step::Tune { baud: speed, parity: bit } => (baud, parity) = (speed, bit),
            Step::Done => return (search.found().expect("something").setting, second),
        }
    }
    panic!("{setting} is not found: {:?}", search.found());
}

#[track_caller]
fn check(baud: u32, data_bits: u8, parity: Parity, seconds_max: u64) {
    let setting = Setting { baud, parity, data_bits };
    let (found, seconds) = search(setting);
    assert_eq!(found, setting);
    assert!(seconds <= seconds_max, "{setting} took {seconds} s");
}

#[test]
fn every_usual_speed_is_found_within_twenty_seconds_of_traffic() {
    for baud in SPEEDS {
        check(baud, 8, Parity::None, 20);
    }
}

#[test]
fn seven_bits_with_a_check_bit_are_found_without_a_change_of_the_setting() {
    check(9_600, 7, Parity::Even, 5);
    check(9_600, 7, Parity::Odd, 5);
    check(2_400, 7, Parity::Even, 20);
}

#[test]
fn eight_bits_with_a_check_bit_are_found_once_all_without_were_tried() {
    check(9_600, 8, Parity::Even, 20);
    check(115_200, 8, Parity::Odd, 30);
}

#[test]
fn a_clean_line_that_nobody_understands_is_told_as_such() {
    let setting = Setting { baud: 19_200, parity: Parity::None, data_bits: 8 };
    let lines: [&[u8]; 2] = [b"\x1eunit 4 \x1f ready\x1d", b"\x1eunit 5 \x1f busy, retry\x1d"];
    let wire = Wire::sent(setting, &lines);
    let dialects = shipped::names().filter_map(shipped::dialect).collect();
    let mut search = Search::new(dialects, None, Uptime(0));
    let (mut baud, mut parity) = (search.setting().baud, search.setting().parity);
    for second in 1..=60 {
        let step = search.heard(&wire.received(baud, parity), Uptime(second * 1_000));
        assert_ne!(step, Step::Done);
        if let Step::Tune { baud: speed, parity: bit } = step {
            (baud, parity) = (speed, bit);
        }
    }
    let found = search.found().expect("bytes came in");
    assert_eq!((found.setting, found.bad, found.sure), (setting, 0, false));
}
