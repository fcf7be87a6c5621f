//! Over a pseudo-terminal.

use super::*;
use slipwatch_shared::event::SourceId;
use std::fs::File;
use std::io::Write;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::path::PathBuf;
use tokio::sync::mpsc;

/// The device's end of a pseudo-terminal, and the name of the other.
struct Device {
    end: File,
    name: PathBuf,
}

impl Device {
    fn plug_in() -> Device {
        // SAFETY: a plain system call; the descriptor is checked and owned from here on.
        let end = unsafe { libc::posix_openpt(libc::O_RDWR | libc::O_NOCTTY) };
        assert!(end >= 0, "a pseudo-terminal");
        // SAFETY: it was just opened and nobody else has it.
        let end = File::from(unsafe { OwnedFd::from_raw_fd(end) });
        let mut name = [0_u8; 64];
        // SAFETY: the descriptor is open and the buffer is ours and as long as said.
        let sound = unsafe {
            libc::grantpt(end.as_raw_fd()) == 0
                && libc::unlockpt(end.as_raw_fd()) == 0
                && libc::ptsname_r(end.as_raw_fd(), name.as_mut_ptr().cast(), name.len()) == 0
        };
        assert!(sound, "a pseudo-terminal");
        let length = name.iter().position(|&byte| byte == 0).expect("it ends in a zero");
        let name = PathBuf::from(std::str::from_utf8(&name[..length]).expect("ASCII"));
        Device { end, name }
    }
}

fn settings(port: PathBuf) -> Serial {
    Serial { port, baud: 115_200, data_bits: 8, parity: Parity::None, stop_bits: 1 }
}

struct Listener {
    words: mpsc::Receiver<(SourceId, Word)>,
    task: tokio::task::JoinHandle<Result<(), Ended>>,
}

impl Listener {
    fn start(port: PathBuf, room: usize) -> Listener {
        let (sender, words) = mpsc::channel(room);
        let outlet = Outlet::new(SourceId(1), sender);
        let line = vec![(Direction::Either, settings(port))];
        let task = tokio::spawn(run(line, 20, outlet, Clock::of_machine()));
        Listener { words, task }
    }

    fn start_two(to_device: PathBuf, answers: PathBuf) -> Listener {
        let (sender, words) = mpsc::channel(16);
        let outlet = Outlet::new(SourceId(1), sender);
        let line = vec![
            (Direction::ToDevice, settings(to_device)),
            (Direction::FromDevice, settings(answers)),
        ];
        let task = tokio::spawn(run(line, 20, outlet, Clock::of_machine()));
        Listener { words, task }
    }

    async fn next(&mut self) -> Word {
        let word = tokio::time::timeout(Duration::from_secs(20), self.words.recv()).await;
        word.expect("a word in time").expect("the source goes on").1
    }

    /// The next word that is not "nothing to say".
    async fn next_said(&mut self) -> Word {
        loop {
            match self.next().await {
                Word::Idle => {}
                word => return word,
            }
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[tokio::test]
async fn bytes_come_through_as_they_are() {
    let mut device = Device::plug_in();
    let mut listener = Listener::start(device.name.clone(), 16);
    assert!(matches!(listener.next().await, Word::Opened { bookmark: None }));
    let said: Vec<u8> = (0..=255).chain(0..=255).collect();
    device.end.write_all(&said).unwrap();
    let mut heard = Vec::new();
    while heard.len() < said.len() {
        match listener.next_said().await {
            Word::Bytes { bytes, place: None, .. } => heard.extend(bytes),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(heard, said);
    assert!(matches!(listener.next().await, Word::Idle), "and then there is nothing");
}

#[tokio::test]
async fn a_port_that_goes_away_is_found_again_under_its_name() {
    let directory = tempfile::tempdir().unwrap();
    let by_id = directory.path().join("by-id");
    let first = Device::plug_in();
    std::os::unix::fs::symlink(&first.name, &by_id).unwrap();
    let mut listener = Listener::start(by_id.clone(), 16);
    assert!(matches!(listener.next().await, Word::Opened { .. }));
    drop(first);
    let lost = listener.next_said().await;
    assert!(matches!(lost, Word::Lost { reason: SourceLoss::Unplugged }), "{lost:?}");
    let mut second = Device::plug_in();
    std::fs::remove_file(&by_id).unwrap();
    std::os::unix::fs::symlink(&second.name, &by_id).unwrap();
    assert!(matches!(listener.next_said().await, Word::Opened { .. }));
    second.end.write_all(b"again\n").unwrap();
    assert!(matches!(listener.next_said().await, Word::Bytes { bytes, .. } if bytes == b"again\n"));
}

#[tokio::test]
async fn a_line_of_two_ports_is_open_when_both_are_and_lost_when_one_is() {
    let directory = tempfile::tempdir().unwrap();
    let link = directory.path().join("answers");
    let said = Device::plug_in();
    let mut listener = Listener::start_two(said.name.clone(), link.clone());
    let answers = Device::plug_in();
    std::os::unix::fs::symlink(&answers.name, &link).unwrap();
    assert!(matches!(listener.next_said().await, Word::Opened { .. }), "with both");
    drop(answers);
    let lost = listener.next_said().await;
    assert!(matches!(lost, Word::Lost { reason: SourceLoss::Unplugged }), "{lost:?}");
    let mut answers = Device::plug_in();
    std::fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink(&answers.name, &link).unwrap();
    assert!(matches!(listener.next_said().await, Word::Opened { .. }));
    answers.end.write_all(b"answer").unwrap();
    let word = listener.next_said().await;
    assert!(
        matches!(&word, Word::Bytes { direction: Direction::FromDevice, bytes, .. } if bytes == b"answer"),
        "{word:?}"
    );
    drop(said);
    assert!(matches!(listener.next_said().await, Word::Lost { .. }), "nor without the first");
}

#[tokio::test]
async fn what_was_said_comes_before_its_answer_and_neither_way_starves_the_other() {
    let (mut said, mut answers) = (Device::plug_in(), Device::plug_in());
    let mut listener = Listener::start_two(said.name.clone(), answers.name.clone());
    assert!(matches!(listener.next().await, Word::Opened { .. }));
    // Whichever the kernel shows first: more than once, so that both are there at the same time.
    let (mut questions, mut replies) = (Vec::new(), Vec::new());
    for round in 0..50_u8 {
        said.end.write_all(&[round; 3]).unwrap();
        answers.end.write_all(&[round]).unwrap();
        while replies.len() <= usize::from(round) {
            match listener.next_said().await {
                Word::Bytes { direction: Direction::ToDevice, bytes, .. } => {
                    questions.extend(bytes);
                }
                Word::Bytes { direction: Direction::FromDevice, bytes, .. } => {
                    assert!(questions.ends_with(&[round; 3]), "an answer without its question");
                    replies.extend(bytes);
                }
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!((questions.len(), replies.len()), (150, 50));
}

#[tokio::test]
async fn a_port_is_ours_alone() {
    let device = Device::plug_in();
    let _first = open(&settings(device.name.clone())).unwrap();
    assert!(open(&settings(device.name.clone())).is_err());
}

#[test]
fn what_is_too_much_is_dropped_and_said_after_what_came_before() {
    let mut waiting = Waiting::default();
    let mut kept = 0;
    while !waiting.overrun {
        waiting.push(Direction::Either, &[7; 1_000]);
        kept += 1_000;
    }
    kept -= 1_000;
    assert!(kept <= WAITING_BYTES_MAX && kept > WAITING_BYTES_MAX - 1_000);
    let mut given = 0;
    while let Some(Word::Bytes { bytes, .. }) = waiting.pop() {
        given += bytes.len();
    }
    assert_eq!(given, kept);
    assert!(waiting.is_empty(), "the loss was the last word");
}

#[test]
fn a_pause_is_short_enough_for_the_line() {
    for baud in [300, 9_600, 115_200, 921_600, 3_000_000] {
        let bytes = u128::from(baud / 10) * pause_of(baud).as_millis() / 1_000;
        assert!(bytes <= 1_024, "{bytes} bytes at {baud}");
    }
}
