//! Whole lines of printers: what goes to them, what they answer, when, and what is told of it.

use super::*;
use crate::decode::decoder::{Decoded, Decoder};
use crate::decode::dialect::Direction;
use crate::decode::scrub::tests::{FORMS, any_card, card_number, digits_of, shows, written};
use proptest::prelude::*;
use slipwatch_shared::event::{Body, Evidence, Keys};
use slipwatch_shared::times::Uptime;

/// A printer that cuts, European.
const PLAIN: &str = "about = 'x'\ncurrency = 'EUR'";

/// One for Chinese, without a cutter.
const CHINESE: &str =
    "about = 'x'\ncjk = 'gb18030'\ncjk_on = true\ncutter = false\ncurrency = 'CNY'";

/// The head and tail of a job.
const RESET: &[u8] = b"\x1b@";
const CUT: &[u8] = b"\x1dVA\x03";

/// What happens on the line: bytes to the printer, bytes from it, or nothing until then.
enum Step<'s> {
    To(u64, &'s [u8]),
    From(u64, &'s [u8]),
    Until(u64),
}
use Step::{From, To, Until};

fn reader(toml: &str) -> Decoder {
    let dialect = Escpos::parse("x", toml).expect("it is sound");
    Decoder::new(Arc::new(dialect), "T0000001".parse().ok())
}

/// The numbers of a payment, in short.
fn keys(keys: &Keys) -> String {
    let amount = keys.amount.map_or(String::new(), |amount| format!(" {amount}"));
    let stan = keys.stan.map_or(String::new(), |stan| format!(" #{stan}"));
    format!("{amount}{stan}")
}

/// What was told, in short, with its time.
fn words(decoded: &Decoded) -> String {
    match decoded {
        Decoded::Failed { at, reason } => format!("{} failed {reason:?}", at.0),
        Decoded::Said { at, body, .. } => {
            let body = match body {
                Body::SlipStarted(slip) => format!("started{}", keys(&slip.keys)),
                Body::SlipPrinted { slip, grade } => {
                    format!("printed {}{}", grade.number(), keys(&slip.keys))
                }
                Body::SlipFailed { slip, reason } => format!("{reason:?}{}", keys(&slip.keys)),
                Body::SlipLost { slip, reason } => format!("lost {reason:?}{}", keys(&slip.keys)),
                Body::PrinterStatus(status) => format!(
                    "status online={} paper={}",
                    status.online.map_or("?".to_owned(), |online| online.to_string()),
                    status.paper.map_or("?".to_owned(), |paper| format!("{paper:?}")),
                ),
                Body::Reversal { keys: of, phase } => format!("reversal {phase:?}{}", keys(of)),
                body => format!("{body:?}"),
            };
            format!("{} {body}", at.0)
        }
    }
}

fn told(decoder: &mut Decoder) -> Vec<String> {
    std::iter::from_fn(|| decoder.next_decoded()).map(|decoded| words(&decoded)).collect()
}

/// Plays the steps, time passing as [`Decoder::wake_at`] asks.
fn play(decoder: &mut Decoder, steps: &[Step<'_>]) -> Vec<String> {
    let mut out = Vec::new();
    for step in steps {
        let (To(at, _) | From(at, _) | Until(at)) = step;
        while let Some(wake) = decoder.wake_at().filter(|wake| wake.0 <= *at) {
            decoder.settle(wake);
            out.extend(told(decoder));
            assert!(decoder.wake_at().is_none_or(|next| next > wake), "it asks for the past");
        }
        match step {
            To(at, bytes) => decoder.push(Direction::ToDevice, bytes, Uptime(*at)),
            From(at, bytes) => decoder.push(Direction::FromDevice, bytes, Uptime(*at)),
            Until(at) => decoder.settle(Uptime(*at)),
        }
        out.extend(told(decoder));
    }
    out
}

#[track_caller]
fn check(toml: &str, steps: &[Step<'_>], expected: &[&str]) {
    assert_eq!(play(&mut reader(toml), steps), expected);
}

/// A job: one slip with this number, cut.
fn slip(stan: u32) -> Vec<u8> {
    let text = format!("KUNDENBELEG\nTrace-Nr: {stan:06}\nBETRAG EUR 12,50\n\n");
    [RESET, text.as_bytes(), CUT].concat()
}

fn raster(rows: u16) -> Vec<u8> {
    let mut bytes = b"\x1dv0\x00\x02\x00".to_vec();
    bytes.extend(rows.to_le_bytes());
    bytes.extend(std::iter::repeat_n(0x1b, usize::from(rows) * 2));
    bytes
}

#[test]
fn a_line_that_is_heard_one_way_tells_what_was_sent() {
    check(PLAIN, &[To(5, &slip(1))], &["5 started", "5 printed 1 EUR 12.50 #000001"]);
}

#[test]
fn several_slips_in_one_job_and_several_jobs_at_once() {
    let two = [slip(1), slip(2)].concat();
    check(
        PLAIN,
        &[To(5, &two)],
        &[
            "5 started",
            "5 printed 1 EUR 12.50 #000001",
            "5 started",
            "5 printed 1 EUR 12.50 #000002",
        ],
    );
    let torn = "HÄNDLERBELEG\nTrace-Nr: 000001\n---X---X---\nKUNDENBELEG\nTrace-Nr: 000001\n";
    let job = [RESET, torn.as_bytes(), b"\x1bi"].concat();
    check(PLAIN, &[To(5, &job)], &["5 started", "5 printed 1 #000001", "5 printed 1 #000001"]);
}

#[test]
fn advertisements_logos_tests_and_the_drawer_are_no_slips() {
    let advertisement = [RESET, b"Welcome!\nSee you soon\n", CUT].concat();
    let logo = [RESET, &raster(120), CUT].concat();
    let test = [RESET, b"TESTBELEG\nTrace-Nr: 000001\n", CUT].concat();
    let settlement = [RESET, b"KASSENSCHNITT\nTrace-Nr: 000001\n", CUT].concat();
    for job in [&advertisement[..], &logo, b"\x1bp\x00\x19\xfa", CUT] {
        check(PLAIN, &[To(5, job), Until(60_000)], &[]);
    }
    for job in [&test, &settlement] {
        check(PLAIN, &[To(5, job), Until(60_000)], &["5 started"]);
    }
}

#[test]
fn a_lost_cut_glues_no_two_slips_together() {
    let uncut = b"\x1b@Trace-Nr: 000001\nBETRAG EUR 1,00\n";
    let glued = [&uncut[..], &slip(2)].concat();
    check(
        PLAIN,
        &[To(5, &glued)],
        &["5 started", "5 printed 1 EUR 1.00 #000001", "5 printed 1 EUR 12.50 #000002"],
    );
    check(
        PLAIN,
        &[To(5, uncut), To(2_005, &slip(2))],
        &[
            "5 started",
            "2005 Unknown EUR 1.00 #000001",
            "2005 started",
            "2005 printed 1 EUR 12.50 #000002",
        ],
    );
    let amid = [b"\x1b@Trace-Nr: 000001\n\x1b@BETRAG EUR 1,00\n", CUT].concat();
    check(PLAIN, &[To(5, &amid)], &["5 started", "5 printed 1 EUR 1.00 #000001"]);
}

#[test]
fn a_raster_slip_is_told_without_keys_and_with_its_rows() {
    let job = [RESET, &raster(300), &raster(300), CUT].concat();
    let mut decoder = reader(PLAIN);
    decoder.push(Direction::Either, &job, Uptime(5));
    let last = std::iter::from_fn(|| decoder.next_decoded()).last().expect("the slip");
    let Decoded::Said { body: Body::SlipPrinted { slip, .. }, evidence, terminal, .. } = last
    else {
        panic!("{last:?}")
    };
    assert_eq!(slip.keys, Keys::default());
    assert_eq!(terminal, "T0000001".parse().ok());
    assert_eq!(evidence, Evidence::Text("[raster: 600 rows, 1216 bytes]".into()));
    // Pictures with words between them are no slip.
    let pictures = [RESET, &raster(300), b"Our house\n", &raster(300), CUT].concat();
    check(PLAIN, &[To(5, &pictures), Until(60_000)], &[]);
}

#[test]
fn text_without_keys_is_a_slip_where_the_profile_says_so() {
    let job = [RESET, b"Kvitto\nTack\n", CUT].concat();
    check("about = 'x'\nkeys_required = false", &[To(5, &job)], &["5 printed 1"]);
    check("about = 'x'", &[To(5, &job)], &[]);
}

#[test]
fn a_printer_that_cannot_cut_ends_a_slip_by_feed_and_pause_or_by_the_next() {
    let text = encoding_rs::GB18030.encode("签购单\n凭证号:000123\n金额:0.20\n").0;
    let fed = [RESET, &text, b"\x1bd\x03"].concat();
    let printed = "printed 1 CNY 0.20 #000123";
    check(
        CHINESE,
        &[To(100, &fed), Until(2_099), Until(2_100)],
        &["100 started", &format!("2100 {printed}")],
    );
    // Without a feed it takes longer.
    let unfed = [RESET, &text].concat();
    check(
        CHINESE,
        &[To(100, &unfed), Until(10_099), Until(10_100)],
        &["100 started", &format!("10100 {printed}")],
    );
    check(
        CHINESE,
        &[To(100, &fed), To(200, &fed), Until(3_000)],
        &["100 started", &format!("200 {printed}"), "200 started", &format!("2200 {printed}")],
    );
}

#[test]
fn clean_status_before_and_after_makes_it_grade_two() {
    check(
        PLAIN,
        &[
            To(0, b"\x10\x04\x01"),
            From(9, b"\x16"),
            To(100, &slip(1)),
            To(900, b"\x10\x04\x01\x10\x04\x04"),
            From(910, b"\x16"),
            From(911, b"\x12"),
            To(3_200, b"\x10\x04\x01"),
            From(3_205, b"\x16"),
        ],
        &[
            "9 status online=true paper=?",
            "100 started",
            "911 status online=true paper=Present",
            "3205 printed 2 EUR 12.50 #000001",
        ],
    );
}

#[test]
fn a_clean_status_that_comes_before_the_printer_is_done_is_not_the_last_word() {
    let polled = [slip(1), b"\x10\x04\x04".to_vec()].concat();
    let check_then = |steps: Vec<Step<'_>>, expected: &[&str]| {
        let asked = [To(0, b"\x10\x04\x04"), From(5, b"\x12")];
        let printed = [To(100, &polled), From(101, b"\x12")];
        let steps: Vec<Step<'_>> = asked.into_iter().chain(printed).chain(steps).collect();
        let told = ["5 status online=true paper=Present", "100 started"];
        check(PLAIN, &steps, &[&told[..], expected].concat());
    };
    check_then(vec![Until(5_099), Until(5_100)], &["5100 printed 2 EUR 12.50 #000001"]);
    check_then(
        vec![To(1_500, b"\x10\x04\x04"), From(1_505, b"\x72"), Until(60_000)],
        &["1505 status online=false paper=End", "1505 PaperOut EUR 12.50 #000001"],
    );
}

#[test]
fn a_printer_that_answers_in_its_turn_is_waited_for() {
    let asked = |stan| [slip(stan), b"\x1dr\x01".to_vec()].concat();
    check(
        PLAIN,
        &[
            To(0, &asked(1)),
            From(900, b"\x00"),
            To(10_000, &asked(2)),
            From(19_000, b"\x00"),
            To(20_000, &asked(3)),
            Until(60_000),
        ],
        &[
            "0 started",
            "0 printed 1 EUR 12.50 #000001",
            "900 status online=true paper=Present",
            "10000 started",
            "19000 printed 3 EUR 12.50 #000002",
            "20000 started",
            "50000 printed 1 EUR 12.50 #000003",
        ],
    );
}

#[test]
fn a_buffered_reply_makes_it_grade_three_and_a_process_id_four() {
    let asked = [slip(1), b"\x1dr\x01".to_vec()].concat();
    check(
        PLAIN,
        &[To(0, b"\x10\x04\x04"), From(5, b"\x12"), To(100, &asked), From(1_500, b"\x00")],
        &["5 status online=true paper=Present", "100 started", "1500 printed 3 EUR 12.50 #000001"],
    );
    let asked = [slip(1), b"\x1d(H\x06\x0000A001\x1dr\x01".to_vec()].concat();
    check(
        PLAIN,
        &[
            To(0, b"\x10\x04\x04"),
            From(5, b"\x12"),
            To(100, &asked),
            // Polled meanwhile: a clean status, but the surer word is still to come.
            To(600, b"\x10\x04\x04"),
            From(610, b"\x12"),
            From(1_500, b"\x37\x22A001\x00"),
            From(1_501, b"\x00"),
        ],
        &["5 status online=true paper=Present", "100 started", "1500 printed 4 EUR 12.50 #000001"],
    );
}

#[test]
fn an_id_that_was_asked_before_the_cut_proves_nothing_of_what_came_after() {
    check(
        PLAIN,
        &[
            To(0, b"\x10\x04\x04"),
            From(5, b"\x12"),
            To(100, b"\x1d(H\x06\x0000A001"),
            To(101, &slip(1)),
            From(300, b"\x37\x22A001\x00"),
            Until(6_000),
        ],
        &["5 status online=true paper=Present", "101 started", "5101 printed 1 EUR 12.50 #000001"],
    );
}

#[test]
fn paper_out_fails_a_slip_and_a_new_roll_prints_it_late() {
    check(
        PLAIN,
        &[
            To(0, b"\x1da\xff"),
            From(5, b"\x14\x00\x00\x0f"),
            To(100, &slip(1)),
            From(400, b"\x1c\x00\x0f\x0f"),
            Until(60_000),
            From(90_000, b"\x3c\x00\x0c\x0f"),
            From(95_000, b"\x14\x00\x00\x0f"),
            Until(100_000),
        ],
        &[
            "5 status online=true paper=Present",
            "100 started",
            "400 status online=false paper=End",
            "400 PaperOut EUR 12.50 #000001",
            "90000 status online=false paper=End",
            "95000 status online=true paper=Present",
            "100000 printed 2 EUR 12.50 #000001",
        ],
    );
}

#[test]
fn every_slip_sent_while_the_paper_is_out_fails_and_all_are_printed_late() {
    let asked = [slip(2), b"\x1d(H\x06\x0000A002".to_vec()].concat();
    check(
        PLAIN,
        &[
            To(0, b"\x10\x04\x04"),
            From(5, b"\x72"),
            To(100, &slip(1)),
            To(5_000, &asked),
            To(9_000, b"\x10\x04\x04"),
            From(9_005, b"\x12"),
            From(12_000, b"\x37\x22A002\x00"),
        ],
        &[
            "5 status online=false paper=End",
            "100 started",
            "100 PaperOut EUR 12.50 #000001",
            "5000 started",
            "5000 PaperOut EUR 12.50 #000002",
            "9005 status online=true paper=Present",
            "12000 printed 4 EUR 12.50 #000001",
            "12000 printed 4 EUR 12.50 #000002",
        ],
    );
}

#[test]
fn a_cleared_buffer_loses_what_was_not_printed() {
    let backlog = |clear: &'static [u8]| {
        vec![To(0, b"\x10\x04\x04"), From(5, b"\x72"), Until(50), To(200, clear)]
    };
    let slip = slip(1);
    for clear in [&b"\x10\x05\x02"[..], b"\x10\x14\x08\x01\x03\x14\x01\x06\x02\x08"] {
        let mut steps = backlog(clear);
        steps[2] = To(100, &slip);
        check(
            PLAIN,
            &steps,
            &[
                "5 status online=false paper=End",
                "100 started",
                "100 PaperOut EUR 12.50 #000001",
                "200 lost BufferCleared EUR 12.50 #000001",
            ],
        );
    }
    // `ESC @` does on some printers, and the profile says so.
    let mut steps = backlog(RESET);
    steps[2] = To(100, &slip);
    let paper_out =
        ["5 status online=false paper=End", "100 started", "100 PaperOut EUR 12.50 #000001"];
    check(PLAIN, &steps, &paper_out);
    let lost = [&paper_out[..], &["200 lost BufferCleared EUR 12.50 #000001"]].concat();
    check("about = 'x'\ncurrency = 'EUR'\nesc_at_clears = true", &steps, &lost);
}

#[test]
fn a_clear_that_is_not_the_whole_command_clears_nothing() {
    let slip = slip(1);
    let steps = [
        To(0, b"\x10\x04\x04"),
        From(5, b"\x72"),
        To(100, &slip),
        To(200, b"\x10\x14\x08\x01\x02"),
    ];
    let expected =
        ["5 status online=false paper=End", "100 started", "100 PaperOut EUR 12.50 #000001"];
    check(PLAIN, &steps, &expected);
}

#[test]
fn a_clear_amid_a_job_loses_the_job() {
    let head = b"\x1b@KUNDENBELEG\nTrace-Nr: 000001\n";
    check(
        PLAIN,
        &[To(0, head), To(50, b"\x10\x05\x02"), To(60, &slip(2))],
        &[
            "0 started",
            "50 lost BufferCleared #000001",
            "60 started",
            "60 printed 1 EUR 12.50 #000002",
        ],
    );
}

#[test]
fn a_page_that_is_never_printed_is_lost_at_the_next_start() {
    let page = b"\x1b@\x1bLKUNDENBELEG\nTrace-Nr: 000001\n";
    check(PLAIN, &[To(0, page), To(9, RESET)], &["0 started", "9 lost BufferCleared #000001"]);
    let printed = [&page[..], b"\x0c", CUT, RESET].concat();
    check(PLAIN, &[To(0, &printed)], &["0 started", "0 printed 1 #000001"]);
}

#[test]
fn a_printer_that_was_switched_off_forgets_its_backlog() {
    check(
        PLAIN,
        &[
            To(0, b"\x1da\x0f"),
            From(5, b"\x1c\x00\x0f\x0f"),
            To(100, &slip(1)),
            From(30_000, b"\x1c\x00\x0f\x0f"),
            Until(30_060),
            From(40_000, b"\x14\x00\x00\x0f"),
        ],
        &[
            "5 status online=false paper=End",
            "100 started",
            "100 PaperOut EUR 12.50 #000001",
            "30060 DeviceRestarted",
            "30060 lost PowerLost EUR 12.50 #000001",
            "40000 status online=true paper=Present",
        ],
    );
}

#[test]
fn a_status_that_was_asked_for_is_no_restart_even_when_it_is_read_first() {
    check(
        PLAIN,
        &[
            To(0, b"\x1da\x0f"),
            From(5, b"\x1c\x00\x0f\x0f"),
            To(100, &slip(1)),
            From(5_000, b"\x1c\x00\x0f\x0f"),
            To(5_016, b"\x1da\x0f"),
            To(6_000, b"\x1da\x0f"),
            From(6_005, b"\x1c\x00\x0f\x0f"),
            Until(20_000),
        ],
        &["5 status online=false paper=End", "100 started", "100 PaperOut EUR 12.50 #000001"],
    );
}

#[test]
fn a_job_that_stalled_before_it_showed_a_number_is_told_once_it_does() {
    check(
        PLAIN,
        &[
            To(0, b"\x10\x04\x04"),
            From(5, b"\x72"),
            To(100, b"\x1b@KUNDENBELEG\n"),
            Until(15_000),
            To(16_000, b"Trace-Nr: 000001\n\x1dVA\x03"),
        ],
        &["5 status online=false paper=End", "100 started", "16000 PaperOut #000001"],
    );
}

#[test]
fn a_printer_that_falls_silent_is_offline() {
    check(
        PLAIN,
        &[
            To(0, b"\x10\x04\x01"),
            From(5, b"\x12"),
            To(1_000, b"\x10\x04\x01"),
            To(2_000, b"\x10\x04\x01"),
            To(2_100, &slip(1)),
            Until(20_000),
            To(30_000, b"\x10\x04\x01"),
            From(30_005, b"\x12"),
            Until(60_000),
        ],
        &[
            "5 status online=true paper=?",
            "2100 started",
            "4000 status online=false paper=?",
            "4000 Offline EUR 12.50 #000001",
            // It may have been off or unplugged: what it was sent meanwhile is not believed to come.
            "30005 status online=true paper=?",
        ],
    );
}

#[test]
fn data_refused_for_long_is_as_bad_as_offline() {
    check(
        PLAIN,
        &[
            From(0, b"\x13"),
            From(1, b"\x11"),
            To(100, b"\x1b@KUNDENBELEG\nTrace-Nr: 000001\n"),
            From(200, b"\x13"),
            Until(10_300),
            From(12_000, b"\x11"),
            To(12_100, CUT),
            Until(18_000),
        ],
        &[
            "100 started",
            "10100 Unknown #000001",
            "10200 status online=false paper=?",
            "12000 status online=true paper=?",
            "17100 printed 1 #000001",
        ],
    );
}

#[test]
fn a_slip_without_its_cut_has_stalled_and_may_still_end() {
    let head = b"\x1b@KUNDENBELEG\nTrace-Nr: 000001\n";
    let mut decoder = reader(PLAIN);
    decoder.push(Direction::Either, head, Uptime(100));
    assert_eq!(decoder.settled_until(Uptime(5_000)), Uptime(100));
    assert_eq!(decoder.wake_at(), Some(Uptime(10_100)));
    let out = play(&mut decoder, &[Until(10_100), To(30_000, CUT)]);
    assert_eq!(out, ["100 started", "10100 Unknown #000001", "30000 printed 1 #000001"]);
    assert_eq!(decoder.settled_until(Uptime(40_000)), Uptime(40_000));
}

#[test]
fn near_the_end_of_the_roll_slips_are_still_printed() {
    check(
        PLAIN,
        &[
            To(0, b"\x10\x04\x04"),
            From(5, b"\x1e"),
            To(100, &slip(1)),
            To(200, b"\x10\x04\x04"),
            From(205, b"\x1e"),
            Until(9_000),
        ],
        &["5 status online=true paper=NearEnd", "100 started", "5100 printed 2 EUR 12.50 #000001"],
    );
}

#[test]
fn a_fault_report_is_told_at_once() {
    let job = [RESET, &encoding_rs::GB18030.encode("故障报告单\n凭证号:000123\n").0, CUT].concat();
    let toml = "about = 'x'\ncjk = 'gb18030'\ncjk_on = true";
    check(
        toml,
        &[To(0, b"\x10\x04\x04"), From(5, b"\x72"), To(100, &job)],
        &["5 status online=false paper=End", "100 started", "100 reversal Failed #000123"],
    );
}

#[test]
fn real_time_commands_stand_anywhere_and_disturb_nothing() {
    let job = slip(1);
    for at in 0..job.len() {
        // Amid the parameters of a command they cannot be told from parameters.
        let is_parameter = job[..at].ends_with(b"\x1dV") || job[..at].ends_with(b"\x1dVA");
        if is_parameter {
            continue;
        }
        let injected = [&job[..at], b"\x10\x04\x01", &job[at..]].concat();
        let mut decoder = reader(PLAIN);
        let out = play(&mut decoder, &[To(0, &injected), Until(1)]);
        let expected: &[&str] = match at {
            _ if at == job.len() => &["0 started", "0 printed 1 EUR 12.50 #000001"],
            _ => &["0 started"],
        };
        assert_eq!(out, expected, "at {at}");
        assert_eq!(
            play(&mut decoder, &[Until(5_000)]),
            ["5000 printed 1 EUR 12.50 #000001"],
            "at {at}"
        );
    }
    let wide = b"\x1b@\xbd\x10\x04\x01\xf0\xb6\xee:0.20\n";
    let mut bytes = wide.to_vec();
    bytes.extend(CUT);
    let toml = "about = 'x'\ncjk = 'gb18030'\ncjk_on = true";
    check(toml, &[To(0, &bytes), Until(9_000)], &["0 started", "5000 printed 1 CNY 0.20"]);
}

#[test]
fn an_unknown_command_costs_its_lead_byte() {
    let dialect = Escpos::parse("x", PLAIN).expect("it is sound");
    let printed = transcript(&dialect, b"a\x1b\x01b\n\x1dV9c\n");
    assert_eq!(printed, "[unknown command]\nab\n[unknown command]\nV9c");
}

#[test]
fn a_line_at_the_wrong_speed_is_a_hole() {
    let noise: Vec<u8> = (0..400).flat_map(|index| [0x1b, 0x80 + (index % 100) as u8]).collect();
    let mut decoder = reader(PLAIN);
    let out = play(&mut decoder, &[To(0, &noise), Until(1_000)]);
    assert_eq!(out, ["0 failed Encoding"]);
}

#[test]
fn a_length_that_lies_holds_nothing_for_ever() {
    let lie = b"\x1d(L\xff\xff0p";
    let slip = slip(1);
    check(
        PLAIN,
        &[To(0, lie), Until(9_999), Until(10_000), To(10_001, &slip)],
        &["10000 failed Torn", "10001 started", "10001 printed 1 EUR 12.50 #000001"],
    );
    // More than any printer takes at once is not believed.
    let huge = [&b"\x1d8L\xff\xff\xff\xff"[..], &slip].concat();
    check(PLAIN, &[To(0, &huge)], &["0 started", "0 printed 1 EUR 12.50 #000001"]);
}

#[test]
fn a_link_that_is_lost_tears_the_open_slip() {
    let mut decoder = reader(PLAIN);
    decoder.push(Direction::ToDevice, b"\x1b@KUNDENBELEG\nTrace-Nr: 000001\n", Uptime(1));
    decoder.finish(Uptime(2));
    assert_eq!(told(&mut decoder), ["1 started", "2 Unknown #000001", "2 failed Torn"]);
    assert_eq!((decoder.wake_at(), decoder.settled_until(Uptime(9))), (None, Uptime(9)));
}

/// Jobs in which a whole card number stands, in every way that a stream can cut it.
fn jobs_with(number: &str, form: usize, cut: usize) -> Vec<Vec<u8>> {
    let (left, right) = number.split_at(1 + cut % (number.len() - 1));
    let between: [&[u8]; 8] = [
        b"",
        b"\n",
        b"\r\n",
        b"\x1bt\x10",
        b"\x1bE\x01",
        b"\x1b$\x20\x00",
        b"\x1c.",
        b"\x10\x04\x01",
    ];
    let wrap = |body: &[u8]| [RESET, b"TOTAL EUR 1.00\n", body, b"\n", CUT].concat();
    let mut jobs: Vec<Vec<u8>> = between
        .iter()
        .map(|between| wrap(&[left.as_bytes(), between, right.as_bytes()].concat()))
        .collect();
    jobs.push(wrap(written(number, form, cut).as_bytes()));
    let code = [b"\x1d(k".to_vec(), (number.len() as u16 + 3).to_le_bytes().to_vec()].concat();
    jobs.push(wrap(&[&code, &b"1P0"[..], number.as_bytes(), b"\x1d(k\x03\x001Q0"].concat()));
    let length = number.len() as u8;
    jobs.push(wrap(&[&[0x1d, b'k', 73, length], number.as_bytes()].concat()));
    jobs.push(wrap(&[&[0x1d, b'k', 4], number.as_bytes(), &[0]].concat()));
    jobs
}

#[test]
fn no_card_number_leaves_and_codes_leave_nothing() {
    let number = card_number("622576", 16, 11);
    for job in jobs_with(&number, 0, 6) {
        let mut decoder = reader(PLAIN);
        decoder.push(Direction::Either, &job, Uptime(0));
        decoder.finish(Uptime(1));
        let out: Vec<Decoded> = std::iter::from_fn(|| decoder.next_decoded()).collect();
        assert_eq!(out.len(), 2, "{out:?}");
        let digits = digits_of(&format!("{out:?}"));
        assert!(!shows(&digits, &number), "{out:?}");
    }
}

#[test]
fn nothing_that_may_hold_a_card_number_is_written_out_for_debugging() {
    let number = card_number("622576", 16, 12);
    let toml = "about = 'x'";
    let text = number.as_bytes();
    for begun in [text, b"a\n", b"\x1dk\x49\x40"] {
        let mut decoder = reader(toml);
        decoder.push(Direction::ToDevice, &[begun, text, b"\n", text].concat(), Uptime(0));
        let digits = digits_of(&format!("{decoder:?}"));
        assert!(!shows(&digits, &number));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn no_card_number_comes_out_of_any_job(number in any_card(), form in 0..FORMS, cut in any::<usize>()) {
        for job in jobs_with(&number, form, cut) {
            let mut decoder = reader(PLAIN);
            decoder.push(Direction::Either, &job, Uptime(0));
            decoder.finish(Uptime(1));
            let out: Vec<Decoded> = std::iter::from_fn(|| decoder.next_decoded()).collect();
            let digits = digits_of(&format!("{out:?}"));
            prop_assert!(!shows(&digits, &number), "{number} in {out:?}");
        }
    }

    #[test]
    fn any_bytes_are_survived_in_any_chunks(
        bytes in prop::collection::vec(prop_oneof![
            4 => any::<u8>(),
            2 => prop::sample::select(b"\x1b\x1d\x1c\x10@V(kLv0*&qE\n".to_vec()),
        ], 0..600),
        answers in prop::collection::vec(any::<u8>(), 0..60),
        size in 1_usize..40, chinese in any::<bool>(),
    ) {
        let toml = if chinese { CHINESE } else { PLAIN };
        let run = |size: usize| {
            let mut decoder = reader(toml);
            bytes.chunks(size).for_each(|chunk| decoder.push(Direction::ToDevice, chunk, Uptime(7)));
            answers.chunks(size).for_each(|chunk| decoder.push(Direction::FromDevice, chunk, Uptime(7)));
            decoder.finish(Uptime(9));
            (told(&mut decoder), decoder.take_counts())
        };
        let (out, counts) = run(bytes.len().max(1));
        prop_assert!(counts.unmatched + counts.rejected <= counts.lines, "{counts:?}");
        prop_assert_eq!(run(size), (out.clone(), counts));
        prop_assert_eq!(run(1), (out, counts));
    }

    #[test]
    fn a_flipped_bit_or_a_torn_end_costs_no_slip_behind_it(
        bit in any::<usize>(), cut in any::<usize>(), is_torn in any::<bool>(),
    ) {
        let mut first = slip(1);
        if is_torn {
            first.truncate(cut % first.len());
        } else {
            let at = bit / 8 % first.len();
            first[at] ^= 1 << (bit % 8);
        }
        // What the damage may swallow ends with the time for which a command is waited for.
        let mut decoder = reader(PLAIN);
        let out = play(&mut decoder, &[To(0, &first), Until(20_000), To(30_000, &slip(2)), Until(60_000)]);
        let last = out.last().expect("the second slip");
        prop_assert!(last.contains("printed 1") && last.contains("#000002"), "{out:?}");
    }
}
