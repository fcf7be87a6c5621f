//! The messages of ZVT: class and instruction, who sends them, and where their fields begin. One table, from chapters 2
//! and 3 of PA00P015. What a message means is told by the session.

/// Who sent a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// The till (ECR).
    Till,
    /// The payment terminal (PT).
    Terminal,
}

impl Sender {
    /// Whoever sits at the other end.
    pub fn other(self) -> Sender {
        match self {
            Sender::Till => Sender::Terminal,
            Sender::Terminal => Sender::Till,
        }
    }
}

/// What stands in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Fields, behind so many bytes of their own.
    Fields(u8),
    /// A password of three bytes, and fields behind so many bytes, the password included.
    Password(u8),
    /// A line to print.
    Line,
    /// A container with lines to print.
    Block,
    /// Nothing that is read.
    Opaque,
}

/// A kind of message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Command {
    /// Class and instruction.
    pub code: u16,
    /// Who sends it.
    pub sender: Sender,
    /// What stands in it.
    pub layout: Layout,
    /// What it is, in the manual's words.
    pub name: &'static str,
}

const fn till(code: u16, layout: Layout, name: &'static str) -> Command {
    Command { code, sender: Sender::Till, layout, name }
}

const fn terminal(code: u16, layout: Layout, name: &'static str) -> Command {
    Command { code, sender: Sender::Terminal, layout, name }
}

use Layout::{Block, Fields, Line, Opaque, Password};

/// All messages but the answers `80 00` and `84 xx`, in the order of their codes.
pub const COMMANDS: [Command; 66] = [
    till(0x0401, Fields(0), "set date and time"),
    terminal(0x040c, Opaque, "request for a part of a file"),
    terminal(0x040d, Opaque, "input request"),
    terminal(0x040e, Opaque, "menu request"),
    terminal(0x040f, Fields(0), "status information"),
    terminal(0x04ff, Opaque, "intermediate status"),
    till(0x0501, Opaque, "status enquiry"),
    till(0x0600, Password(4), "registration"),
    till(0x0601, Fields(0), "authorization"),
    till(0x0602, Opaque, "log-off"),
    till(0x0603, Fields(0), "account balance"),
    till(0x0604, Fields(0), "activate card"),
    till(0x0605, Fields(0), "procurement"),
    till(0x0609, Fields(0), "top-up of a prepaid card"),
    till(0x060a, Fields(0), "tax free"),
    till(0x060c, Fields(0), "book tip"),
    terminal(0x060f, Fields(0), "completion"),
    till(0x0610, Password(3), "turnover totals"),
    till(0x0612, Password(3), "print turnover receipts"),
    till(0x0618, Opaque, "reset terminal"),
    till(0x061a, Opaque, "print configuration"),
    till(0x061b, Password(3), "set terminal number"),
    terminal(0x061e, Fields(1), "abort"),
    till(0x0620, Password(3), "repeat receipt"),
    till(0x0621, Fields(0), "telephonic authorization"),
    till(0x0622, Fields(0), "pre-authorization"),
    till(0x0623, Fields(0), "booking of a pre-authorization"),
    till(0x0624, Fields(0), "book total"),
    till(0x0625, Fields(0), "pre-authorization reversal"),
    till(0x0630, Password(3), "reversal"),
    till(0x0631, Password(3), "refund"),
    till(0x0650, Password(3), "end of day"),
    till(0x0651, Password(3), "send offline transactions"),
    till(0x0670, Fields(0), "diagnosis"),
    till(0x0679, Opaque, "self test"),
    till(0x0685, Opaque, "display text, old"),
    till(0x0686, Opaque, "numerical input, old"),
    till(0x0687, Opaque, "PIN verification, old"),
    till(0x0688, Opaque, "function key, old"),
    till(0x0691, Fields(0), "set date and time in the terminal"),
    till(0x0693, Password(3), "initialisation"),
    till(0x0695, Password(3), "change password"),
    till(0x06b0, Opaque, "abort by the till"),
    till(0x06c0, Fields(1), "read card"),
    till(0x06c6, Opaque, "commands to a card"),
    terminal(0x06d1, Line, "print line"),
    terminal(0x06d3, Block, "print text block"),
    terminal(0x06d8, Opaque, "dial up"),
    terminal(0x06d9, Opaque, "transmit by the till"),
    terminal(0x06da, Opaque, "receive by the till"),
    terminal(0x06db, Opaque, "hang up"),
    terminal(0x06dd, Opaque, "transparent mode"),
    till(0x06e0, Opaque, "display text"),
    till(0x06e1, Opaque, "function key"),
    till(0x06e2, Opaque, "numerical input"),
    till(0x06e3, Opaque, "PIN verification"),
    terminal(0x06e4, Opaque, "blocked list query"),
    till(0x06e5, Opaque, "MAC calculation"),
    till(0x06e6, Opaque, "card poll with authorization"),
    till(0x0801, Opaque, "service mode"),
    till(0x0802, Opaque, "switch protocol"),
    till(0x0810, Opaque, "software update"),
    till(0x0811, Opaque, "read file"),
    till(0x0812, Opaque, "delete file"),
    till(0x0813, Opaque, "change configuration"),
    till(0x0814, Opaque, "write files"),
];

/// The kind of message with this class and instruction.
pub fn find(code: u16) -> Option<&'static Command> {
    let at = COMMANDS.binary_search_by_key(&code, |command| command.code).ok()?;
    Some(&COMMANDS[at])
}

/// What an answer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// `80 00`, and `84 00` of old terminals.
    Yes,
    /// `84 9C`: wait, and tell me again.
    Wait,
    /// `84 9D`: only a part of the goods was handed out.
    Partly,
    /// Any other `84`: no, and why.
    No(u8),
}

impl Answer {
    /// The answer with this class and instruction; absent where it is none.
    pub fn find(code: u16) -> Option<Answer> {
        match code {
            0x8000 | 0x8400 => Some(Answer::Yes),
            0x849c => Some(Answer::Wait),
            0x849d => Some(Answer::Partly),
            0x8401.. if code <= 0x84ff => Some(Answer::No(code as u8)),
            _ => None,
        }
    }
}

/// Whether a message with this class may be one of ZVT, its makers' own among them.
pub fn is_class(class: u8) -> bool {
    matches!(class, 0x04 | 0x05 | 0x06 | 0x08 | 0x0f | 0x80 | 0x84 | 0x91)
}

/// Whether this class and instruction are known.
pub fn is_known(code: u16) -> bool {
    find(code).is_some() || Answer::find(code).is_some() || matches!(code, 0x0fa1 | 0x9101)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_of_known_classes() {
        assert!(COMMANDS.windows(2).all(|pair| pair[0].code < pair[1].code));
        assert!(COMMANDS.iter().all(|command| is_class((command.code >> 8) as u8)));
        for command in &COMMANDS {
            assert_eq!(find(command.code), Some(command), "{}", command.name);
        }
    }

    #[test]
    fn answers_are_told_apart() {
        assert_eq!(Answer::find(0x8000), Some(Answer::Yes));
        assert_eq!(Answer::find(0x84cc), Some(Answer::No(0xcc)));
        assert_eq!(Answer::find(0x849c), Some(Answer::Wait));
        assert_eq!(Answer::find(0x060f), None);
        assert_eq!(Answer::find(0x8500), None);
    }
}
