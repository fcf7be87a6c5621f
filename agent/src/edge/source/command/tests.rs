//! With real programs: `tail -f` tells a file anew at each start and goes on with it, as `adb logcat` does with its buffer.

use super::*;
use slipwatch_shared::event::SourceId;
use std::fs;
use std::io::Write;
use tokio::sync::mpsc;

/// A program's output, and what it wrote down about itself.
struct Program {
    directory: tempfile::TempDir,
    words: mpsc::Receiver<(SourceId, Word)>,
    task: JoinHandle<Result<(), Ended>>,
}

impl Program {
    /// Follows a file that begins with `log`, from where `bookmark` says.
    fn follow(log: &str, bookmark: Option<Bookmark>, from_start: bool) -> Program {
        let directory = tempfile::tempdir().expect("a directory");
        fs::write(directory.path().join("log"), log).expect("room");
        Program::start(directory, bookmark, from_start)
    }

    fn start(
        directory: tempfile::TempDir,
        bookmark: Option<Bookmark>,
        from_start: bool,
    ) -> Program {
        let place = directory.path().display();
        // What it starts beside itself must end with it.
        let script = format!(
            "sleep 1000 & echo $! > {place}/second; echo $$ > {place}/first; exec tail -n +1 -f {place}/log"
        );
        let settings =
            Command { program: "/bin/sh".into(), args: vec!["-c".to_owned(), script], from_start };
        let (sender, words) = mpsc::channel(16);
        let outlet = Outlet::new(SourceId(1), sender);
        let task = tokio::spawn(run(settings, bookmark, 50, outlet, Clock::of_machine()));
        Program { directory, words, task }
    }

    fn write(&self, text: &str) {
        let mut log = fs::OpenOptions::new()
            .append(true)
            .open(self.directory.path().join("log"))
            .expect("the log");
        log.write_all(text.as_bytes()).expect("room");
    }

    fn process(&self, name: &str) -> libc::pid_t {
        let text = fs::read_to_string(self.directory.path().join(name)).expect("its number");
        text.trim().parse().expect("a number")
    }

    async fn next(&mut self) -> Word {
        let word = tokio::time::timeout(Duration::from_secs(30), self.words.recv()).await;
        word.expect("a word in time").expect("the source goes on").1
    }

    async fn opened(&mut self) -> Bookmark {
        match self.next().await {
            Word::Opened { bookmark } => bookmark.expect("a place"),
            other => panic!("{other:?}"),
        }
    }

    /// What is said next, up to a line that holds `end`, and the place behind it.
    async fn lines_until(&mut self, end: &str) -> (String, Option<Place>) {
        let mut text = String::new();
        loop {
            match self.next().await {
                Word::Bytes { bytes, place, .. } => {
                    text.push_str(&String::from_utf8_lossy(&bytes));
                    if text.contains(end) {
                        return (text, place);
                    }
                }
                Word::Idle => {}
                other => panic!("{other:?} behind {text:?}"),
            }
        }
    }

    async fn lost(&mut self) {
        loop {
            match self.next().await {
                Word::Lost { .. } => return,
                Word::Idle => {}
                other => panic!("{other:?}"),
            }
        }
    }
}

async fn ended(process: libc::pid_t) {
    let over = async {
        // SAFETY: a plain system call that sends nothing.
        while unsafe { libc::kill(process, 0) } == 0 && !is_zombie(process) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), over).await.expect("it ends");
}

fn is_zombie(process: libc::pid_t) -> bool {
    let status = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    status.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z'))
}

#[tokio::test]
async fn what_was_there_before_the_very_first_start_is_not_told() {
    let mut program = Program::follow("old\nolder\n", None, false);
    program.opened().await;
    program.write("new\n");
    assert_eq!(program.lines_until("new").await.0, "new\n");
    let mut program = Program::follow("old\n", None, true);
    program.opened().await;
    assert_eq!(program.lines_until("old").await.0, "old\n");
}

#[tokio::test]
async fn a_program_that_ends_is_a_lost_source_and_its_buffer_is_not_said_twice() {
    let mut program = Program::follow("", None, true);
    program.write("one\ntwo\n");
    program.opened().await;
    assert_eq!(program.lines_until("two").await.0, "one\ntwo\n");
    program.write("three\n");
    program.lines_until("three").await;
    let first = program.process("first");
    // SAFETY: a plain system call; the process is this test's own.
    unsafe { libc::kill(first, libc::SIGKILL) };
    // Written while nobody reads.
    program.write("four\n");
    program.lost().await;
    program.opened().await;
    program.write("five\n");
    let (text, _) = program.lines_until("five").await;
    assert!(text == "four\nfive\n" || text == "five\n", "{text:?}");
    assert!(!text.contains("three"), "{text:?}");
}

#[tokio::test]
async fn over_a_restart_of_the_agent_it_goes_on_behind_its_bookmark() {
    let mut program = Program::follow("one\ntwo\n", None, true);
    program.opened().await;
    let (_, place) = program.lines_until("two").await;
    let bookmark = Bookmark { place: place.expect("whole lines"), skip: 1 };
    program.task.abort();
    program.write("three\n");
    let directory =
        std::mem::replace(&mut program.directory, tempfile::tempdir().expect("a directory"));
    let mut program = Program::start(directory, Some(bookmark), false);
    assert_eq!(program.opened().await, bookmark);
    assert_eq!(program.lines_until("three").await.0, "three\n");
    // A buffer that was emptied meanwhile is all new.
    fs::write(program.directory.path().join("log"), "four\n").expect("room");
    let directory =
        std::mem::replace(&mut program.directory, tempfile::tempdir().expect("a directory"));
    program.task.abort();
    let mut program = Program::start(directory, Some(bookmark), false);
    assert_eq!(program.opened().await, Bookmark::default());
    assert_eq!(program.lines_until("four").await.0, "four\n");
}

#[tokio::test]
async fn all_that_it_started_ends_with_it() {
    let mut program = Program::follow("one\n", None, true);
    program.opened().await;
    let (first, second) = (program.process("first"), program.process("second"));
    program.task.abort();
    ended(first).await;
    ended(second).await;
}

#[tokio::test]
async fn silence_is_not_an_open_source() {
    let mut program = Program::follow("", None, false);
    let over = async {
        while !program.directory.path().join("first").exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), over).await.expect("it starts");
    // It runs, and says nothing: neither that it is open nor that it was listened to.
    let word = tokio::time::timeout(Duration::from_millis(2 * TOLD_MS), program.words.recv()).await;
    assert!(word.is_err(), "{word:?}");
    program.write("first word\n");
    program.opened().await;
}

#[test]
fn a_program_that_is_not_there_is_told_before_it_is_needed() {
    assert!(find(Path::new("sh")).is_ok());
    assert!(find(Path::new("/bin/sh")).is_ok());
    assert!(
        find(Path::new("no-such-program"))
            .is_err_and(|what| what.starts_with("no-such-program: no such program in"))
    );
    assert!(find(Path::new("/no/such/program")).is_err());
    assert!(find(Path::new("/etc/passwd")).is_err(), "a file that cannot be run");
}
