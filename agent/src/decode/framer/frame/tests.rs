//! Streams of every shape: whole, chunked, glued, torn, damaged, endless.

use super::*;
use crate::decode::framer::check::{Crc16, Sum};
use proptest::prelude::*;

/// A cut that owns its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Owned {
    Frame(usize, Vec<u8>, bool),
    Signal(u8),
    Damaged(usize, DecodeFailure),
    Noise(usize),
}

fn frame(body: &[u8]) -> Owned {
    Owned::Frame(0, body.to_vec(), true)
}

fn noise(bytes: usize) -> Owned {
    Owned::Noise(bytes)
}

fn torn(bytes: usize) -> Owned {
    Owned::Damaged(bytes, DecodeFailure::Torn)
}

fn wrong(bytes: usize) -> Owned {
    Owned::Damaged(bytes, DecodeFailure::Checksum)
}

fn framing(shape: Shape) -> Framing {
    let shape = shape.validated().expect("a sound shape");
    Framing { shapes: vec![shape], signals: vec![0x06, 0x15], gap_ms: 500, masked_ok: false }
}

/// `02 LEN(2 BCD) body 03 LRC`, the LRC over length, body and end.
fn mis() -> Framing {
    framing(Shape { length: Length::Bcd2, ..Shape::stx_etx() })
}

fn zvt() -> Framing {
    let check =
        Check { sum: Sum::Crc16(Crc16::Kermit), start: false, low_first: true, ..Check::LRC };
    framing(Shape { checks: vec![check], escape: Escape::Dle, ..Shape::stx_etx() })
}

fn ecr17() -> Framing {
    let checks = [(false, true), (true, true), (false, false), (true, false)];
    let checks = checks.map(|(start, end)| Check { sum: Sum::Xor(0x7f), start, end, ..Check::LRC });
    let main = Shape { checks: checks.to_vec(), ..Shape::stx_etx() };
    let answer = Check { start: true, ..checks[0] };
    let ack = Shape {
        start: [0x06].into(),
        length: Length::Fixed(0),
        checks: vec![answer, Check { start: true, ..checks[2] }],
        ..Shape::stx_etx()
    };
    let progress = Shape {
        start: [0x01].into(),
        end: [0x04].into(),
        checks: Vec::new(),
        body_bytes_max: 20,
        ..Shape::stx_etx()
    };
    Framing { shapes: vec![main, ack, progress], ..framing(Shape::stx_etx()) }
}

fn take(framer: &mut Framer, cuts: &mut Vec<Owned>) {
    while let Some(cut) = framer.next_cut() {
        let cut = match cut {
            Cut::Frame { shape, body, sound, whole } => {
                assert!(whole.len() >= body.len());
                Owned::Frame(shape, body.to_vec(), sound)
            }
            Cut::Signal(byte) => Owned::Signal(byte),
            Cut::Damaged { bytes, reason } => Owned::Damaged(bytes, reason),
            Cut::Noise(bytes) => Owned::Noise(bytes),
        };
        match (cuts.last_mut(), &cut) {
            (Some(Owned::Noise(before)), Owned::Noise(bytes)) => *before += bytes,
            _ => cuts.push(cut),
        }
    }
}

fn cuts_of<'a>(framing: &Framing, chunks: impl Iterator<Item = &'a [u8]>) -> Vec<Owned> {
    let longest = framing.shapes.iter().map(|shape| shape.body_bytes_max).max().unwrap_or(0);
    let mut framer = Framer::new(Arc::new(framing.clone()));
    let mut cuts = Vec::new();
    for chunk in chunks {
        framer.push(chunk, Uptime(0));
        take(&mut framer, &mut cuts);
        assert!(framer.pending.len() - framer.start <= 2 * longest + 8, "bounded");
    }
    framer.finish();
    take(&mut framer, &mut cuts);
    assert_eq!(framer.held_since(), None, "nothing waits behind the end");
    cuts
}

#[track_caller]
fn check(framing: &Framing, stream: &[u8], expected: &[Owned]) {
    for chunk_bytes in 1..=stream.len().max(1) {
        let cuts = cuts_of(framing, stream.chunks(chunk_bytes));
        assert_eq!(cuts, expected, "in chunks of {chunk_bytes} bytes");
    }
}

#[test]
fn damage_costs_no_frame_but_the_damaged_one() {
    let link = framing(Shape::stx_etx());
    check(&link, b"\x02AB\x03\x00", &[frame(b"AB")]);
    check(&link, b"zz\x02AB\x03\x00", &[noise(2), frame(b"AB")]);
    check(&link, b"\x02A\x02AB\x03\x00", &[torn(2), frame(b"AB")]);
    check(&link, b"\x02AB\x03\x7f\x02AB\x03\x00", &[wrong(5), frame(b"AB")]);
    check(&link, b"\x02AB\x03\x02\x02AB\x03\x00", &[wrong(4), noise(1), frame(b"AB")]);
    check(&link, b"\x02AB", &[torn(3)]);
    check(&link, b"", &[]);
}

#[test]
fn the_check_sum_may_be_any_byte() {
    // Its value is that of STX, ETX, ACK and NAK.
    for sum in [0x02, 0x03, 0x06, 0x15] {
        let link = framing(Shape::stx_etx());
        let body = [b'A', b'A' ^ 0x03 ^ sum];
        let stream = [&[0x02], &body[..], &[0x03, sum, 0x02, b'A', b'B', 0x03, 0x00]].concat();
        check(&link, &stream, &[frame(&body), frame(b"AB")]);
    }
    check(&framing(Shape::stx_etx()), b"\x020200|123|\x03\x31", &[frame(b"0200|123|")]);
}

#[test]
fn a_length_is_trusted_before_an_end_byte() {
    let stream = mis().shapes[0].wrap(b"A\x03\x02\x06Z");
    assert_eq!(stream[..3], [0x02, 0x00, 0x05]);
    check(&mis(), &stream, &[frame(b"A\x03\x02\x06Z")]);
    check(
        &mis(),
        &[b"\x06".as_slice(), &stream].concat(),
        &[Owned::Signal(0x06), frame(b"A\x03\x02\x06Z")],
    );
}

#[test]
fn a_wrong_length_waits_for_the_gap_and_not_longer() {
    let sound = mis().shapes[0].wrap(b"sound");
    let mut long = mis().shapes[0].wrap(b"lengthened");
    long[1] = 0x10;
    let mut framer = Framer::new(Arc::new(mis()));
    let mut cuts = Vec::new();
    framer.push(&[long.as_slice(), &sound].concat(), Uptime(1_000));
    take(&mut framer, &mut cuts);
    assert_eq!((cuts.len(), framer.held_since()), (0, Some(Uptime(1_000))));
    assert_eq!(framer.wake_at(), Some(Uptime(1_500)));
    framer.settle(Uptime(1_499));
    take(&mut framer, &mut cuts);
    assert_eq!(cuts, []);
    framer.settle(Uptime(1_500));
    take(&mut framer, &mut cuts);
    assert_eq!(cuts, [torn(15), frame(b"sound")]);
    assert_eq!((framer.held_since(), framer.wake_at()), (None, None));
}

#[test]
fn a_length_beyond_all_bounds_is_known_at_once() {
    let stream = [b"\x02\x99\x99".as_slice(), &mis().shapes[0].wrap(b"A")].concat();
    check(&mis(), &stream, &[Owned::Damaged(3, DecodeFailure::TooLong), frame(b"A")]);
    let stream = [b"\x02\x0a\x01".as_slice(), &mis().shapes[0].wrap(b"A")].concat();
    check(&mis(), &stream, &[wrong(3), frame(b"A")]);
}

#[test]
fn a_frame_of_the_other_side_of_a_pause_is_not_glued() {
    let mut framer = Framer::new(Arc::new(framing(Shape::stx_etx())));
    let mut cuts = Vec::new();
    for (bytes, at) in
        [(b"\x02A".as_slice(), 0), (b"B\x03\x00", 500), (b"\x02A", 600), (b"B\x03\x00", 1_099)]
    {
        framer.push(bytes, Uptime(at));
        take(&mut framer, &mut cuts);
    }
    assert_eq!(cuts, [torn(2), noise(3), frame(b"AB")]);
}

#[test]
fn an_endless_frame_is_dropped_and_the_next_one_is_sound() {
    let link = framing(Shape { body_bytes_max: 16, ..Shape::stx_etx() });
    let stream = [b"\x02".as_slice(), &[b'x'; 40], b"\x02AB\x03\x00"].concat();
    check(&link, &stream, &[Owned::Damaged(18, DecodeFailure::TooLong), noise(23), frame(b"AB")]);
}

#[test]
fn zvt_frames_are_unescaped_and_their_crc_is_not() {
    let vectors = [
        "10 02 06 00 06 12 34 56 BA 09 78 10 03 24 C3",
        "10 02 06 01 0A 04 00 00 00 01 10 10 00 49 09 78 10 03 F2 FF",
        "10 02 06 70 00 10 03 D9 F9",
        "10 02 80 00 00 10 03 F5 1F",
        "10 02 84 9C 00 10 03 C3 41",
        "10 02 06 18 00 10 03 56 3A",
        "10 02 05 01 03 12 34 56 10 03 E0 43",
        "10 02 06 93 03 12 34 56 10 03 CA A4",
        "10 02 06 0F 0B F0 F0 F7 32 2E 31 34 2E 31 35 00 10 03 B1 11",
    ];
    let bytes = |text: &str| -> Vec<u8> {
        text.split(' ').map(|byte| u8::from_str_radix(byte, 16).expect("hex")).collect()
    };
    let shape = &zvt().shapes[0];
    for vector in vectors {
        let whole = bytes(vector);
        let cuts = cuts_of(&zvt(), std::iter::once(whole.as_slice()));
        let [Owned::Frame(0, body, true)] = cuts.as_slice() else { panic!("{vector}: {cuts:?}") };
        assert_eq!(shape.wrap(body), whole, "{vector}");
    }
    let amount = bytes(vectors[1]);
    let body = [6, 1, 10, 4, 0, 0, 0, 1, 0x10, 0, 0x49, 9, 0x78];
    check(
        &zvt(),
        &[b"\x06".as_slice(), &amount, b"\x06"].concat(),
        &[Owned::Signal(6), frame(&body), Owned::Signal(6)],
    );
    // A frame that begins anew, and an escape that means nothing.
    check(&zvt(), &[b"\x10\x02\x06\x01".as_slice(), &amount].concat(), &[torn(4), frame(&body)]);
    check(
        &zvt(),
        &[b"\x10\x02\x06\x10\x41".as_slice(), &amount].concat(),
        &[torn(3), noise(2), frame(&body)],
    );
}

#[test]
fn each_variant_of_a_check_sum_is_found_out() {
    for (start, end, sum) in
        [(false, false, 0x3e), (true, true, 0x3f), (false, true, 0x3d), (true, false, 0x3c)]
    {
        let shape = &ecr17().shapes[0];
        let check = Check { sum: Sum::Xor(0x7f), start, end, ..Check::LRC };
        let other = Shape { checks: vec![check], ..shape.clone() };
        assert_eq!(other.wrap(b"A").last(), Some(&sum));
        let stream = [other.wrap(b"A"), other.wrap(b"BC")].concat();
        self::check(&ecr17(), &stream, &[frame(b"A"), frame(b"BC")]);
    }
}

#[test]
fn a_variant_that_is_known_is_not_left_for_one_damaged_frame() {
    let a = b"\x02A\x03\x3e".as_slice();
    let b = b"\x02A\x03\x3d".as_slice();
    check(&ecr17(), &[a, b, a].concat(), &[frame(b"A"), wrong(4), frame(b"A")]);
    check(
        &ecr17(),
        &[a, b, b, b, b].concat(),
        &[frame(b"A"), wrong(4), wrong(4), frame(b"A"), frame(b"A")],
    );
}

#[test]
fn acknowledgements_of_three_bytes_and_progress_are_frames_of_their_own() {
    let ack = |body: &[u8]| Owned::Frame(1, body.to_vec(), true);
    let progress = |body: &[u8]| Owned::Frame(2, body.to_vec(), true);
    let stream = b"\x06\x03\x7a\x01PROCESSING          \x04\x02A\x03\x3e\x06";
    check(
        &ecr17(),
        stream,
        &[ack(b""), progress(b"PROCESSING          "), frame(b"A"), Owned::Signal(6)],
    );
    // The short form, with a frame right behind it.
    check(&ecr17(), b"\x06\x02A\x03\x3e", &[Owned::Signal(6), frame(b"A")]);
}

#[test]
fn a_masked_log_is_read_and_marked() {
    let link = Framing { masked_ok: true, ..mis() };
    let mut stream = mis().shapes[0].wrap(b"6225760000006691");
    stream[9..15].fill(b'*');
    let masked = Owned::Frame(0, b"622576******6691".to_vec(), false);
    let sum = stream.len() - 1;
    stream[sum] ^= 0x55;
    check(&link, &stream, &[masked]);
    let cuts = cuts_of(&mis(), std::iter::once(stream.as_slice()));
    assert_eq!(cuts, [wrong(stream.len())]);
}

#[test]
fn a_shape_that_contradicts_itself_is_refused() {
    let wrong = |shape: Shape| shape.validated().expect_err("it cannot be");
    let sound = Shape::stx_etx();
    assert!(wrong(Shape { start: Box::default(), ..sound.clone() }).contains("begins"));
    assert!(wrong(Shape { end: Box::default(), ..sound.clone() }).contains("needs an end"));
    assert!(wrong(Shape { body_bytes_max: 1 << 20, ..sound.clone() }).contains("16384"));
    assert!(wrong(Shape { length: Length::U8, escape: Escape::Dle, ..sound }).contains("escaped"));
}

/// All kinds of links.
fn any_framing() -> impl Strategy<Value = Framing> {
    let lengths = [Length::U8, Length::Bcd2, Length::Be2, Length::Le2];
    let counted = (0..4_usize, any::<bool>()).prop_map(move |(length, has_end)| {
        let end = if has_end { Shape::stx_etx().end } else { Box::default() };
        framing(Shape { length: lengths[length], end, ..Shape::stx_etx() })
    });
    prop_oneof![
        Just(framing(Shape::stx_etx())),
        Just(zvt()),
        Just(ecr17()),
        Just(Framing { masked_ok: true, ..mis() }),
        counted
    ]
}

/// Bytes as links carry them: many that mean something.
fn any_byte() -> impl Strategy<Value = u8> {
    prop_oneof![prop::sample::select(vec![0, 1, 2, 3, 4, 5, 6, 0x10, 0x15]), any::<u8>()]
}

/// Bytes that may stand in any body.
fn any_text() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(0x20_u8..0xff, 0..40)
}

fn chunks<'a>(mut rest: &'a [u8], sizes: &'a [usize]) -> Vec<&'a [u8]> {
    let mut chunks = Vec::new();
    for size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (chunk, behind) = rest.split_at((*size).min(rest.len()));
        rest = behind;
        chunks.push(chunk);
    }
    chunks
}

proptest! {
    #[test]
    fn any_chunking_cuts_the_same_and_every_byte_is_accounted_for(
        link in any_framing(), stream in prop::collection::vec(any_byte(), 0..300),
        sizes in prop::collection::vec(1_usize..40, 1..20),
    ) {
        let whole = cuts_of(&link, std::iter::once(stream.as_slice()));
        prop_assert_eq!(&cuts_of(&link, chunks(&stream, &sizes).into_iter()), &whole);
        let plain: usize = whole.iter().map(|cut| match cut {
            Owned::Signal(_) => 1,
            Owned::Damaged(bytes, _) | Owned::Noise(bytes) => *bytes,
            Owned::Frame(..) => 0,
        }).sum();
        prop_assert!(plain <= stream.len());
    }

    #[test]
    fn what_is_wrapped_is_cut_again(
        link in any_framing(), bodies in prop::collection::vec(any_text(), 0..8),
        sizes in prop::collection::vec(1_usize..40, 1..20),
    ) {
        let shape = &link.shapes[0];
        let stream: Vec<u8> = bodies.iter().flat_map(|body| shape.wrap(body)).collect();
        let expected: Vec<Owned> = bodies.iter().map(|body| frame(body)).collect();
        prop_assert_eq!(cuts_of(&link, chunks(&stream, &sizes).into_iter()), expected);
    }

    #[test]
    fn a_counted_or_escaped_body_may_hold_any_byte(
        zvt_link in any::<bool>(), bodies in prop::collection::vec(prop::collection::vec(any_byte(), 0..60), 0..6),
    ) {
        let link = if zvt_link { zvt() } else { mis() };
        let stream: Vec<u8> = bodies.iter().flat_map(|body| link.shapes[0].wrap(body)).collect();
        let expected: Vec<Owned> = bodies.iter().map(|body| frame(body)).collect();
        prop_assert_eq!(cuts_of(&link, std::iter::once(stream.as_slice())), expected);
    }

    /// Three frames, the second of them changed in one place of its body, cut off, or with bytes before it. A changed
    /// byte always breaks an LRC; a CRC-16 misses no change of one byte.
    #[test]
    fn sound_frames_around_a_damaged_one_are_all_there(
        which in 0..3_usize, body in prop::collection::vec(0x20_u8..0xff, 1..40), at in any::<usize>(),
        flip in 1..=255_u8, damage in 0..3_usize,
    ) {
        let link = [framing(Shape::stx_etx()), mis(), zvt()][which].clone();
        let shape = &link.shapes[0];
        let mut middle = shape.wrap(&body);
        let head = middle.len() - body.len() - shape.end.len() - shape.mark().len() - shape.check_bytes();
        match damage {
            0 => middle[head + at % body.len()] ^= flip,
            // Cut off before its end.
            1 => middle.truncate(1 + at % (middle.len() - shape.check_bytes() - shape.end.len())),
            _ => drop(middle.splice(..0, [flip; 3])),
        }
        let stream = [shape.wrap(b"first"), middle, shape.wrap(b"last")].concat();
        let cuts = cuts_of(&link, std::iter::once(stream.as_slice()));
        prop_assert_eq!(cuts.first(), Some(&frame(b"first")));
        prop_assert!(cuts.contains(&frame(b"last")), "{:?}", cuts);
        prop_assert!(damage == 2 || !cuts.contains(&frame(&body)) || body == b"last" || body == b"first");
    }
}
