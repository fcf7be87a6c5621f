//! How much memory a dialect holds of input that never ends: a slip, a frame, a line, lengths that lie, containers in
//! containers, payments that nobody completes. Counted by byte, at the worst moment.

use slipwatch_agent::decode::decoder::Decoder;
use slipwatch_agent::decode::dialect::Direction::{self, Either, FromDevice, ToDevice};
use slipwatch_agent::decode::dialect::shipped;
use slipwatch_shared::times::Uptime;
use slipwatch_tests::talk::{Said, iso8583, joined, mis, printer, zvt};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// Bytes that a dialect may hold at the worst moment beyond what it holds at its start, whatever it is fed.
const HELD_BYTES_MAX: isize = 256 * 1024;
/// The same of those that read text, in patterns or as slips: room to match in, and a long slip in its lines.
const HELD_BYTES_MAX_OF_TEXT: isize = 1536 * 1024;
/// What may be held more after twice as much was played: whoever keeps anything of each read keeps more.
const GROWN_BYTES_MAX: isize = 64 * 1024;
/// How much of each input is played; `SLIPWATCH_HELD_KIB=16384` for a long run.
const PLAYED_KIB: usize = 512;
/// Bytes of one read, as the agent reads.
const READ_BYTES: usize = 4096;

/// The system's allocator, and what a thread has of it: at any moment, and at the worst one.
struct Counting;

thread_local! {
    static LIVE: Cell<isize> = const { Cell::new(0) };
    static WORST: Cell<isize> = const { Cell::new(0) };
}

fn count(bytes: isize) {
    // A thread that ends counts no more.
    let live = LIVE.try_with(|live| {
        live.set(live.get() + bytes);
        live.get()
    });
    if let Ok(live) = live {
        let _ = WORST.try_with(|worst| worst.set(worst.get().max(live)));
    }
}

// SAFETY: every call goes to the system's allocator as it came; the counters allocate nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: as asked.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: as asked.
        unsafe { System.dealloc(place, layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size as isize - layout.size() as isize);
        // SAFETY: as asked.
        unsafe { System.realloc(place, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// An input that never ends: what is said first, and what is said again and again, by a number that counts.
struct Endless {
    name: &'static str,
    head: Vec<(Direction, Vec<u8>)>,
    more: fn(u32) -> (Direction, Vec<u8>),
}

fn endless(name: &'static str, head: &[u8], more: fn(u32) -> (Direction, Vec<u8>)) -> Endless {
    let head = if head.is_empty() { vec![] } else { vec![(Either, head.to_vec())] };
    Endless { name, head, more }
}

fn either(said: Vec<Said>) -> (Direction, Vec<u8>) {
    (Either, joined(&said))
}

fn inputs() -> Vec<Endless> {
    vec![
        endless("a line", b"", |_| (Either, vec![b'a'; 600])),
        endless("a line of digits", b"", |at| (Either, format!("{at:09}").repeat(70).into_bytes())),
        endless("a line in hexadecimal", b"", |at| {
            (Either, format!("{at:08X} ").repeat(70).into_bytes())
        }),
        endless("a slip", b"\x1b@", |at| {
            (
                Either,
                format!("KUNDENBELEG\nTrace-Nr: {at:06}\nBETRAG EUR 1,{:02}\n", at % 100)
                    .into_bytes(),
            )
        }),
        endless("a slip in Chinese", b"\x1b@\x1c&", |at| {
            let text = format!("持卡人存根\n凭证号：{at:06}\n金额：RMB 1.{:02}\n", at % 100);
            (Either, encoding_rs::GB18030.encode(&text).0.into_owned())
        }),
        endless("a frame", b"\x02", |at| {
            (Either, format!("0210|00|{at}|").repeat(40).into_bytes())
        }),
        endless("an escaped frame", b"\x10\x02\x04\x0f", |at| {
            (Either, at.to_be_bytes().repeat(150))
        }),
        endless("frames that begin", b"", |at| (Either, [2, 0x10, 2, 0x0f, at as u8].repeat(120))),
        endless("lengths that lie", b"", |at| {
            let lies = [
                &[0x04, 0x0f, 0xff, 0xff, 0xff, 0x02, 0x99, 0x99][..],
                b"\x1d8L\xff\xff\xff\xff0p",
                &at.to_be_bytes(),
            ];
            (Either, lies.concat().repeat(25))
        }),
        endless("containers in containers", b"\x06\xd3\xff\xff\xff\x06\x82\xff\xff", |_| {
            (Either, [0x25, 0x82, 0xff, 0xff].repeat(150))
        }),
        endless("tags in tags", b"\x02\x99\x99", |_| {
            (Either, [0xdf, 0x06, 0x82, 0xff, 0xff].repeat(120))
        }),
        endless("markup", b"<log realm=\"a\"><receive>", |at| {
            (
                Either,
                format!("<isomsg id=\"{at}\"><field id=\"4\" value=\"{at:012}\"/>").into_bytes(),
            )
        }),
        endless("a value in markup", b"<log><receive><isomsg><field id=\"2\" value=\"", |_| {
            (Either, vec![b'x'; 600])
        }),
        endless("requests without answers", b"", |at| {
            either(vec![iso8583::asked(&terminal(at), 100, trace(at))])
        }),
        endless("undoings without answers", b"", |at| {
            either(vec![iso8583::undone(&terminal(at), 100, trace(at))])
        }),
        endless("payments that nobody completes", b"", |at| {
            either(
                [
                    zvt::asked(100),
                    zvt::approved(100, trace(at)),
                    zvt::slip("KUNDENBELEG", 100, trace(at)),
                ]
                .concat(),
            )
        }),
        endless("sales of the till's own numbers", b"", |at| {
            either(mis::sale(&terminal(at), 100, trace(at)))
        }),
        Endless {
            name: "slips without paper",
            head: vec![(ToDevice, b"\x1da\xff".to_vec()), (FromDevice, printer::paper_out().bytes)],
            more: |at| (ToDevice, printer::slip("10000001", 100, trace(at)).bytes),
        },
        Endless {
            name: "questions without answers",
            head: Vec::new(),
            more: |at| {
                (
                    ToDevice,
                    [&b"\x10\x04\x01\x1dr\x01\x1d(H\x06\x0000"[..], &at.to_be_bytes()].concat(),
                )
            },
        },
        Endless {
            name: "answers to nothing",
            head: Vec::new(),
            more: |at| (FromDevice, [0x37, 0x22, at as u8, 0x14, 0x12].repeat(120)),
        },
        endless("noise", b"", |at| {
            let byte = |of: u32| (of.wrapping_mul(2_654_435_761) >> 24) as u8;
            (Either, (0..600).map(|of| byte(at.wrapping_mul(601).wrapping_add(of))).collect())
        }),
    ]
}

fn trace(at: u32) -> u32 {
    at % 999_999 + 1
}

fn terminal(at: u32) -> String {
    format!("{:08}", at / 7 % 100_000_000)
}

/// The most that a dialect holds of an input beyond what it holds at its start, and how much more is left at its end than
/// amid it.
fn held(dialect: &str, input: &Endless, bytes: usize) -> (isize, isize) {
    let mut decoder = Decoder::new(shipped::dialect(dialect).expect("it is listed"), None);
    let (mut played, mut holds, mut worst) = (0, 0, 0);
    let mut amid = None;
    let mut said = input.head.clone();
    for at in 0.. {
        for (direction, bytes) in said.drain(..) {
            played += bytes.len();
            for read in bytes.chunks(READ_BYTES) {
                // What the reads themselves take is not the decoder's.
                let before = LIVE.get();
                WORST.set(before);
                decoder.push(direction, read, Uptime(u64::from(at)));
                while decoder.next_decoded().is_some() {}
                worst = worst.max(holds + WORST.get() - before);
                holds += LIVE.get() - before;
            }
        }
        if played > bytes / 2 {
            amid.get_or_insert(holds);
        }
        if played > bytes {
            break;
        }
        said.push((input.more)(at));
    }
    (worst, holds - amid.expect("half of it was played"))
}

#[allow(clippy::print_stdout, reason = "the figures, with --nocapture")]
#[test]
fn no_dialect_holds_more_than_its_bound_of_input_that_never_ends() {
    let kib = std::env::var("SLIPWATCH_HELD_KIB").ok().and_then(|text| text.parse().ok());
    let bytes = kib.unwrap_or(PLAYED_KIB) * 1024;
    let inputs = inputs();
    let mut wrong = String::new();
    for dialect in shipped::names() {
        let family = shipped::family(dialect).expect("a shipped one");
        let bound = match &*family {
            "text" | "logcat" | "escpos" => HELD_BYTES_MAX_OF_TEXT,
            _ => HELD_BYTES_MAX,
        };
        let all: Vec<(isize, isize, &str)> = inputs
            .iter()
            .map(|input| {
                let (worst, grown) = held(dialect, input, bytes);
                (worst, grown, input.name)
            })
            .collect();
        let (worst, _, of) = all.iter().max().expect("there are inputs");
        println!("{dialect}: {} KiB at worst, of {of}", worst / 1024);
        for (worst, grown, of) in all {
            if worst > bound || grown > GROWN_BYTES_MAX {
                wrong += &format!(
                    "{dialect} holds {worst} bytes of {of}, {grown} of them grown at the end\n"
                );
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
