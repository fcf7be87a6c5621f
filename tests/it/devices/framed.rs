//! Framed links: Transbank as it was recorded, MIS rebuilt from the facts of two captures, ECR17 and Concert from their
//! specifications.

use super::{assert_snapshot, decode, fixtures, told};
use slipwatch_agent::decode::dialect::Direction;
use slipwatch_agent::decode::dialect::framed::Framed;
use slipwatch_agent::decode::dialect::shipped;
use slipwatch_agent::decode::framer::shape::Shape;
use std::fmt::Write;

/// The frame that a shipped dialect puts a body into.
fn wrap(dialect: &str, body: &[u8]) -> Vec<u8> {
    let toml = shipped::text(dialect).expect("a shipped dialect");
    let framed = Framed::parse(dialect, toml).expect("it is sound");
    let shape: &Shape = &framed.framing().shapes[0];
    shape.wrap(body)
}

/// A recorded payload: who sent it, what it is, and its bytes.
struct Payload {
    direction: Direction,
    what: String,
    body: String,
}

fn payloads() -> Vec<Payload> {
    let table = std::fs::read_to_string(fixtures("transbank-pos-sdk").join("payloads.tsv"));
    let table = table.expect("the recorded payloads");
    let payload = |line: &str| {
        let mut parts = line.splitn(3, '\t').map(str::to_owned);
        let mut next = || parts.next().expect("three columns");
        let direction = match next().as_str() {
            "host>pos" => Direction::ToDevice,
            "pos>host" => Direction::FromDevice,
            other => panic!("{other} is no direction"),
        };
        Payload { direction, what: next(), body: next() }
    };
    table.lines().skip(1).map(payload).collect()
}

#[test]
fn every_recorded_payload_of_transbank_is_read() {
    let payloads = payloads();
    assert_eq!(payloads.len(), 29);
    for dialect in ["transbank", "transbank-autoservicio"] {
        let mut text = String::new();
        let own = payloads.iter().filter(|payload| {
            payload.what.starts_with("autoservicio") == (dialect == "transbank-autoservicio")
        });
        let frames: Vec<(&Payload, Vec<u8>)> =
            own.map(|payload| (payload, wrap(dialect, payload.body.as_bytes()))).collect();
        let said: Vec<(Direction, &[u8])> =
            frames.iter().map(|(payload, frame)| (payload.direction, frame.as_slice())).collect();
        let (decoded, counts) = decode(dialect, &said);
        for (index, (payload, _)) in frames.iter().enumerate() {
            writeln!(text, "# {}", payload.what).expect("room");
            let at = index as u64 * 1_000;
            for one in decoded.iter().filter(|one| super::at(one) == at) {
                text.push_str(&told(one));
            }
        }
        writeln!(text, "\n{counts:?}").expect("room");
        assert_snapshot("transbank-pos-sdk", dialect, &text);
    }
}
