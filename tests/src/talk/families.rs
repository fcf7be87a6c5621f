//! Some traffic of every shipped dialect that is heard on a line, for whoever has to tell them apart.

use super::{Said, iso8583, joined, mis, printer, stx_etx, zvt};
use crate::dice::Dice;
use crate::process::live::PACE;
use crate::terminal::{Story, Terminal};
use crate::voice::Voice;

/// A dialect and some bursts of its traffic; a real line pauses between two of them.
pub struct Family {
    /// Its shipped name.
    pub dialect: &'static str,
    /// What is said.
    pub bursts: Vec<Vec<u8>>,
}

const TERMINAL: &str = "10000001";

/// All of them.
pub fn all() -> Vec<Family> {
    let family = |dialect, bursts| Family { dialect, bursts };
    vec![
        family("kv-en", log(Voice::KeyValue)),
        family("cn-terminal", log(Voice::Chinese)),
        family("escpos", each(|amount, stan| vec![printer::slip(TERMINAL, amount, stan)])),
        family(
            "escpos-cn",
            each(|amount, stan| vec![printer::chinese_slip(TERMINAL, amount, stan)]),
        ),
        family(
            "zvt",
            each(|amount, stan| {
                [
                    zvt::asked(amount),
                    zvt::approved(amount, stan),
                    zvt::slip("KUNDENBELEG", amount, stan),
                    zvt::completed(),
                ]
                .concat()
            }),
        ),
        family(
            "iso8583-cup",
            each(|amount, stan| {
                vec![
                    iso8583::asked(TERMINAL, amount, stan),
                    iso8583::approved(TERMINAL, amount, stan),
                ]
            }),
        ),
        family("cn-mis-tlv", each(|amount, stan| mis::sale(TERMINAL, amount, stan))),
        family("transbank", each(transbank)),
        family("ecr17", each(ecr17)),
        family("concert", each(concert)),
    ]
}

fn each(say: impl Fn(i64, u32) -> Vec<Said>) -> Vec<Vec<u8>> {
    (1..=6).map(|stan| joined(&say(i64::from(stan) * 310, stan))).collect()
}

fn log(voice: Voice) -> Vec<Vec<u8>> {
    let mut terminal = Terminal::new(TERMINAL, 0, PACE, Dice::new(3));
    let payments: Vec<_> = (0..4).flat_map(|_| terminal.play(Story::Sale, 0)).collect();
    let at = 1_795_512_601_120;
    let said = |payment: &crate::terminal::Payment| -> Vec<u8> {
        payment.spoken.iter().flat_map(|&spoken| voice.bytes(payment, spoken, at)).collect()
    };
    payments.iter().map(said).collect()
}

fn transbank(amount: i64, stan: u32) -> Vec<Said> {
    let answer = format!(
        "0210|00|597029414300|IT750870|A{stan}|144809|{amount}|0||6590|{stan:06}|CR|0||VI|07052026|152829||0||"
    );
    vec![
        super::to(stx_etx(format!("0200|{amount}|A{stan}||0|0").as_bytes())),
        super::from([0x06]),
        super::from(stx_etx(answer.as_bytes())),
        super::to([0x06]),
    ]
}

fn ecr17(amount: i64, stan: u32) -> Vec<Said> {
    let frame = |body: &[u8]| {
        let sum = body.iter().fold(0x7f, |sum, byte| sum ^ byte) ^ 0x03;
        [&[0x02], body, &[0x03, sum]].concat()
    };
    let ack = vec![0x06, 0x03, 0x7f ^ 0x06 ^ 0x03];
    let ask = format!("123456780P00000001{:04}0{amount:08}{:128}00000000", 0, "");
    let answer =
        format!("123456780E00{:0>19}ICC1234563281112{:8}{stan:011}000042000099", "******6691", "1");
    vec![
        super::to(frame(ask.as_bytes())),
        super::from(ack.clone()),
        super::from(frame(answer.as_bytes())),
        super::to(ack),
    ]
}

fn concert(amount: i64, _: u32) -> Vec<Said> {
    let ask = format!("01{amount:08}110978{:10}A010B010", "");
    let answer = format!("010{amount:08}1978{:55}{:10}", "", "");
    vec![
        super::to([0x05]),
        super::from([0x06]),
        super::to(stx_etx(ask.as_bytes())),
        super::from([0x06]),
        super::to([0x04]),
        super::from([0x05]),
        super::to([0x06]),
        super::from(stx_etx(answer.as_bytes())),
        super::to([0x06]),
        super::from([0x04]),
    ]
}
