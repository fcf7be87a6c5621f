//! A receipt printer (ESC/POS): what a till sends to it, and what it says of its paper.

use super::{Said, from, to};

const RESET: &[u8] = b"\x1b@";
const FEED_AND_CUT: &[u8] = b"\x1dVA\x03";

/// A slip as text, cut.
pub fn slip(terminal: &str, amount: i64, stan: u32) -> Said {
    let money = format!("{}.{:02}", amount / 100, amount % 100);
    let text = format!(
        "CUSTOMER COPY\nTERMINAL: {terminal}\nSALE\nTRACE NO: {stan:06}\nTOTAL: CNY {money}\nAPPROVED\n\n"
    );
    to([RESET, text.as_bytes(), FEED_AND_CUT].concat())
}

/// A slip as a picture, cut: nothing of it can be read.
pub fn picture() -> Said {
    let rows = 600_u16;
    let mut bytes = [RESET, b"\x1dv0\x00\x30\x00", &rows.to_le_bytes()].concat();
    // Pixels that look like commands.
    bytes.extend(std::iter::repeat_n([0x1b, 0x10, 0x04, 0x1d], usize::from(rows) * 12).flatten());
    bytes.extend_from_slice(FEED_AND_CUT);
    to(bytes)
}

/// The till asks to be told of every change of the printer's state.
pub fn watched() -> Said {
    to(*b"\x1da\xff")
}

/// All is well.
pub fn ready() -> Said {
    from(*b"\x14\x00\x00\x0f")
}

/// The roll is at its end: nothing is printed.
pub fn paper_out() -> Said {
    from(*b"\x1c\x00\x0c\x0f")
}

/// A Chinese card slip (签购单) as text in GB18030, cut.
pub fn chinese_slip(terminal: &str, amount: i64, stan: u32) -> Said {
    let money = format!("{}.{:02}", amount / 100, amount % 100);
    let text = format!(
        "签购单\n持卡人存根\n终端编号：{terminal}\n交易类型：消费\n凭证号：{stan:06}\n参考号：290983153438\n金额：RMB {money}\n\n"
    );
    let (bytes, _, _) = encoding_rs::GB18030.encode(&text);
    to([RESET, b"\x1c&", &bytes, FEED_AND_CUT].concat())
}

/// The slip of a sale that the terminal took by itself (离线交易): its host has given it no reference yet. Cut.
pub fn offline_slip(terminal: &str, amount: i64, stan: u32) -> Said {
    let money = format!("{}.{:02}", amount / 100, amount % 100);
    let text = format!(
        "签购单\n持卡人存根\n终端编号：{terminal}\n交易类型：消费\n凭证号：{stan:06}\n金额：RMB {money}\n\n"
    );
    let (bytes, _, _) = encoding_rs::GB18030.encode(&text);
    to([RESET, b"\x1c&", &bytes, FEED_AND_CUT].concat())
}

/// The till asks for the paper's state behind all that it sent (GS r 1).
pub fn status_asked() -> Said {
    to(*b"\x1dr\x01")
}

/// The printer has come to the question: there is paper.
pub fn status() -> Said {
    from(*b"\x00")
}
