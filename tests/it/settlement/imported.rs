//! `import` as a person uses it: what it tells on the screen, as JSON, and as a document to hold in hand.

use super::{made_text, settings};
use serde_json::Value;
use slipwatch_tests::papers;
use slipwatch_tests::process::mail::letters;
use slipwatch_tests::process::{Process, binary, free_port, installed, page, wait_for};
use std::io::Write;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The acquirer's file breaks it, and keeps what was not agreed.
const CONTRACT: &str = r#"
[[settlement.contract]]
merchant = "821330154110001"
class = "debit"
rate_percent = "0.10"
from = "2025-01-01"
"#;

const TITLE: &str = "title = \"明记面馆\"\n";

pub(super) struct Place {
    pub(super) directory: tempfile::TempDir,
}

impl Place {
    fn new() -> Place {
        let directory = tempfile::tempdir().expect("a directory");
        let settings = settings(CONTRACT, TITLE);
        std::fs::write(directory.path().join("collector.toml"), settings).expect("room");
        Place { directory }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(super) fn file(&self, fixture: &str, edit: impl Fn(String) -> String) -> PathBuf {
        let path = self.path(fixture);
        std::fs::write(&path, edit(made_text(fixture))).expect("room on the disk");
        path
    }

    /// `import` with these arguments; its exit status and standard output.
    pub(super) fn import(&self, arguments: &[&str], file: &Path) -> (Option<i32>, String) {
        let mut program = Command::new(binary("slipwatch-collector"));
        program.arg("import").arg("--config").arg(self.path("collector.toml"));
        let output: Output = program.args(arguments).arg(file).output().expect("it starts");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(errors.is_empty(), "{errors}");
        (output.status.code(), String::from_utf8(output.stdout).expect("UTF-8"))
    }
}

#[track_caller]
fn holds(text: &str, wanted: &[&str]) {
    for part in wanted {
        assert!(text.contains(part), "{part:?} is missing in:\n{text}");
    }
}

#[test]
fn what_an_import_did_is_read_in_both_languages_on_screen_and_on_paper() {
    let place = Place::new();
    let file = place.file("allinpay.csv", |text| text);
    let paper = place.path("import.zh-CN.pdf");
    let document = ["--chinese", "--document", paper.to_str().expect("UTF-8")];
    let (status, screen) = place.import(&document, &file);
    assert_eq!(status, Some(0), "{screen}");
    let chinese =
        ["已导入", "acquirer", "2025-11-24", "消费", "流量费", "手续费与合同不符", "尚待匹配"];
    holds(&screen, &chinese[..4]);
    let words = papers::words_of(&paper);
    holds(&words, &chinese);
    holds(&words, &["对账文件导入摘要", "需要处理", "明记面馆", "不明扣款", "SHA-256"]);

    let other = Place::new();
    let file = other.file("allinpay.csv", |text| text);
    let paper = other.path("import.en.pdf");
    let (status, screen) = other.import(&["--document", paper.to_str().expect("UTF-8")], &file);
    assert_eq!(status, Some(0), "{screen}");
    let english = ["Loaded as acquirer, 2025-11-24", "Sales", "Await their payment", "Raised A14"];
    holds(&screen, &english);
    let words = papers::words_of(&paper);
    holds(&words, &["Summary of an import", "Fee differs from the contract", "What needs a look"]);
    holds(&words, &english[1..]);
}

#[test]
fn a_file_loaded_before_is_told_as_it_was_loaded_then() {
    let place = Place::new();
    let file = place.file("allinpay.csv", |text| text);
    let paper = place.path("again.pdf");
    let (status, _) = place.import(&[], &file);
    assert_eq!(status, Some(0));
    let (status, screen) = place.import(&["--document", paper.to_str().expect("UTF-8")], &file);
    assert_eq!(status, Some(0), "{screen}");
    let wanted = ["Loaded before; nothing changed", "when it was loaded", "Sales", "Raised A14"];
    holds(&screen, &wanted);
    holds(&papers::words_of(&paper), &wanted);
    let (_, json) = place.import(&["--json"], &file);
    let report: Value = serde_json::from_str(json.lines().next().expect("a line")).expect("JSON");
    assert_eq!(report["outcome"], "known");
    assert_eq!(report["raised"], serde_json::json!({}), "nothing was raised this time");
}

#[test]
fn nothing_is_loaded_where_the_document_cannot_be_written() {
    let place = Place::new();
    let file = place.file("allinpay.csv", |text| text);
    let mut program = Command::new(binary("slipwatch-collector"));
    program.arg("import").arg("--config").arg(place.path("collector.toml"));
    program.arg("--document").arg(place.path("nowhere/x.pdf"));
    let output = program.arg(&file).output().expect("it starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{errors}");
    holds(&errors, &["x.pdf cannot be written", "nothing was imported"]);
    let (_, screen) = place.import(&[], &file);
    holds(&screen, &["Loaded as acquirer"]);
}

#[test]
fn a_refused_file_says_where_why_and_what_to_do() {
    let place = Place::new();
    let file = place.file("allinpay.csv", |text| text.replace("1200.00,4.56", "1200.00,四元"));
    let paper = place.path("refused.zh-CN.pdf");
    let document = ["--chinese", "--document", paper.to_str().expect("UTF-8")];
    let (status, screen) = place.import(&document, &file);
    assert_eq!(status, Some(65), "{screen}");
    let chinese = ["整份拒收", "第 3 行", "手续费", "有一行无法理解", "怎么办"];
    holds(&screen, &chinese);
    holds(&papers::words_of(&paper), &chinese);
    let (_, screen) = place.import(&[], &file);
    holds(&screen, &["Refused whole", "line 3", "A row is not understood", "What to do"]);
    let (status, json) = place.import(&["--json"], &file);
    assert_eq!(status, Some(65), "{json}");
    let report: Value = serde_json::from_str(json.lines().next().expect("a line")).expect("JSON");
    assert_eq!(report["outcome"], "refused");
    assert_eq!(report["refused"]["line"], 3);
    assert_eq!(report["refused"]["column"], "手续费");
}

#[test]
fn a_formula_or_a_terminal_code_in_a_cell_is_text_wherever_it_is_shown() {
    let place = Place::new();
    let evil = |text: String| {
        text.replace("2025年度流量费", "=HYPERLINK(\"\"x\"\")")
            .replace("流量费", "\u{1b}[31m流量费")
    };
    let file = place.file("allinpay.csv", evil);
    let profile = ["--explain", "--profile", "allinpay"];
    for arguments in [&profile[..], &[][..], &["--json"][..]] {
        let (_, screen) = place.import(arguments, &file);
        assert!(!screen.contains('\u{1b}'), "{arguments:?}:\n{screen}");
    }
    let cases = Command::new(binary("slipwatch-collector"))
        .args(["cases", "--config"])
        .arg(place.path("collector.toml"))
        .output()
        .expect("it starts");
    let shown = String::from_utf8(cases.stdout).expect("UTF-8");
    assert!(!shown.contains('\u{1b}'), "{shown}");
}

#[test]
fn what_a_row_tells_without_a_time_is_shown_with_its_day_alone() {
    let shipped =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../collector/settlement-profiles/allinpay.toml");
    let shipped = std::fs::read_to_string(shipped).expect("the profile");
    let timed = "name = \"time\", header = \"交易时间\", format = \"%Y-%m-%d %H:%M:%S\"";
    let dated = "name = \"date\", header = \"交易日期\"";
    let by_day = |line: &&str| !line.contains(timed);
    let profile: Vec<&str> = shipped.lines().filter(by_day).collect();
    let profile = profile.join("\n").replace(dated, "name = \"day\", header = \"交易日期\"");
    for (profile, when) in [(&shipped, "2025-11-24 23:59:00"), (&profile, "2025-11-24")] {
        let place = Place::new();
        std::fs::create_dir(place.path("profiles")).expect("room");
        std::fs::write(place.path("profiles/mine.toml"), profile).expect("room");
        let mine = settings(&format!("profiles = \"profiles\"\n{CONTRACT}"), TITLE);
        std::fs::write(place.path("collector.toml"), mine).expect("room");
        let file = place.file("allinpay.csv", |text| text);
        let (status, screen) = place.import(&[], &file);
        assert_eq!(status, Some(0), "{screen}");
        for language in ["en", "zh"] {
            let cases = Command::new(binary("slipwatch-collector"))
                .args(["cases", "--lang", language, "--config"])
                .arg(place.path("collector.toml"))
                .output()
                .expect("it starts");
            let shown = String::from_utf8(cases.stdout).expect("UTF-8");
            holds(&shown, &[&format!("A14 {when} shop-1")]);
        }
    }
}

/// A collector that runs, with an inbox and a page.
pub(super) struct Running {
    pub(super) place: Place,
    pub(super) port: u16,
    pub(super) collector: Process,
}

impl Running {
    pub(super) fn new() -> Running {
        let place = Place::new();
        let (port, broker) = (free_port(), free_port());
        let services = format!(
            r#"
mail = ["owner@example.net"]
language = "en"
[broker.embedded]
listen = "127.0.0.1:{broker}"
[http]
listen = "127.0.0.1:{port}"
[mail]
from = "slipwatch@example.net"
directory = "mail"
"#
        );
        let inbox = "inbox = \"inbox\"\nfile_mib_max = 1\n";
        let settings = settings(&format!("{inbox}{CONTRACT}"), &format!("{TITLE}{services}"));
        std::fs::write(place.path("collector.toml"), settings).expect("room");
        let mut program = Command::new(binary("slipwatch-collector"));
        program.arg("run").arg("--config").arg(place.path("collector.toml"));
        let mut collector = Process::spawn("collector", &mut program, place.directory.path());
        collector.until("its pages", || page(port, "/healthz"));
        Running { place, port, collector }
    }

    /// Sends a form with curl; its status and where it leads.
    fn send(&self, form: &[&str]) -> (u16, String) {
        self.send_as("http://127.0.0.1", form)
    }

    /// The same, as a browser does it that shows a page of this origin.
    fn send_as(&self, origin: &str, form: &[&str]) -> (u16, String) {
        let origin = match origin.ends_with(".1") {
            true => format!("Origin: {origin}:{}", self.port),
            false => format!("Origin: {origin}"),
        };
        let mut curl = Command::new(installed("curl", "curl"));
        curl.args(["--silent", "--show-error", "--output", "-", "--header", &origin]);
        curl.args(["--write-out", "\n%{http_code} %{redirect_url}"]);
        for field in form {
            curl.args(["--form", field]);
        }
        let output = curl.arg(self.url("/statements?lang=en")).output().expect("curl runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let (_, last) = text.rsplit_once('\n').expect("curl writes a last line");
        let (status, location) = last.split_once(' ').expect("a status and a place");
        (status.parse().expect("a status"), location.to_owned())
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// A browser that began to send a file and stays in the middle of it.
    fn half_sent(&self) -> TcpStream {
        let head = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"half.csv\"\r\n\r\nhalf a row";
        let mut browser = TcpStream::connect(("127.0.0.1", self.port)).expect("it listens");
        let request = format!(
            "POST /statements HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\n\
             Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 100000\r\n\r\n{head}",
            port = self.port
        );
        browser.write_all(request.as_bytes()).expect("it takes them");
        browser
    }

    /// Waits until so many uploaded files lie on the disk.
    #[track_caller]
    fn until_uploads(&self, count: usize) {
        let uploads = self.place.path("store/uploads");
        wait_for(format!("{count} files that are written"), || {
            let found = std::fs::read_dir(&uploads).map_or(0, Iterator::count);
            (found == count).then_some(())
        });
    }

    /// Sends a file and follows it to its end; the page that tells of it.
    pub(super) fn upload(&self, form: &[&str]) -> String {
        let (status, location) = self.send(form);
        assert_eq!(status, 303, "{form:?}");
        let path = location.strip_prefix(&self.url("")).expect("a page of the same place");
        wait_for("the end of the import", || {
            page(self.port, path).filter(|page| !page.contains("http-equiv"))
        })
    }
}

pub(super) fn form_of(file: &Path) -> String {
    format!("file=@{}", file.display())
}

#[test]
fn a_file_sent_from_the_page_is_followed_until_it_counts() {
    let running = Running::new();
    // A deduction large enough to be written about at once.
    let file = running.place.file("allinpay.csv", |text| text.replace("-99.00", "-299.00"));
    let form = form_of(&file);
    let shown = running.upload(&[&form, "profile="]);
    holds(&shown, &["Loaded as acquirer, 2025-11-24", "Raised A14", "/statement/1?lang=en"]);
    let one = page(running.port, "/statement/1?lang=zh-CN").expect("the file's page");
    holds(&one, &["已导入", "不明扣款", "流量费", "/statement/1/summary.pdf"]);
    let list = page(running.port, "/statements?lang=en").expect("the list");
    holds(&list, &["acquirer · 2025-11-24", "type=\"file\"", "unionpay-zm"]);
    let document = running.place.path("page.en.pdf");
    let fetched = Command::new(installed("curl", "curl"))
        .args(["--silent", "--fail", "--output"])
        .arg(&document)
        .arg(running.url("/statement/1/summary.pdf?lang=en"))
        .status();
    assert!(fetched.expect("curl runs").success());
    holds(&papers::words_of(&document), &["Summary of an import", "Unexplained deduction"]);
    // What the file says is written to the shop by the collector itself.
    wait_for("the letter", || {
        let letters = letters(&running.place.path("mail"));
        letters.iter().any(|letter| letter.text().contains("Unexplained deduction")).then_some(())
    });

    let shown = running.upload(&[&form, "profile=allinpay"]);
    holds(&shown, &["Loaded before; nothing changed"]);
    let uploads = running.place.path("store/uploads");
    let left = std::fs::read_dir(uploads).expect("the directory").count();
    assert_eq!(left, 0, "an uploaded file stays on the disk");
}

#[test]
fn what_must_not_come_in_through_the_page_is_sent_away_and_leaves_nothing() {
    let running = Running::new();
    let file = running.place.file("allinpay.csv", |text| text.replace("1200.00", "1200,00"));
    let climbing = format!("{};filename=../../../evil.csv", form_of(&file));
    let shown = running.upload(&[&climbing]);
    holds(&shown, &["Refused whole", "evil.csv", "What to do"]);
    assert!(!shown.contains("../"), "{shown}");
    let unknown = running.upload(&[&form_of(&file), "profile=no-such"]);
    holds(&unknown, &["no profile is called", "no-such"]);
    assert_eq!(running.send(&["profile=allinpay"]).0, 400, "a form without a file");
    let large = running.place.path("large.csv");
    std::fs::write(&large, vec![b'x'; 1_100_000]).expect("room on the disk");
    assert_eq!(running.send(&[&form_of(&large)]).0, 413);
    let long = format!("profile={}", "x".repeat(200));
    assert_eq!(running.send(&[&form_of(&file), &long]).0, 413);
    let foreign = running.send_as("https://evil.example", &[&form_of(&file)]);
    assert_eq!(foreign.0, 403, "another site's page sends a file");
    let uploads = running.place.path("store/uploads");
    assert_eq!(std::fs::read_dir(uploads).expect("the directory").count(), 0);
    assert!(page(running.port, "/statements/upload/99").is_none(), "there is no such upload");
}

#[test]
fn a_browser_that_goes_away_leaves_nothing_and_too_many_are_sent_away_before_they_are_written() {
    let running = Running::new();
    let file = running.place.file("allinpay.csv", |text| text);
    let form = form_of(&file);
    let browsers: Vec<TcpStream> = (0..4).map(|_| running.half_sent()).collect();
    running.until_uploads(4);
    assert_eq!(running.send(&[&form]).0, 503, "a fifth file, while four are written");
    running.until_uploads(4);
    drop(browsers);
    running.until_uploads(0);
    holds(&running.upload(&[&form]), &["Loaded as acquirer"]);
}

#[test]
fn the_inbox_takes_whole_files_and_puts_them_away_with_the_reason() {
    let mut running = Running::new();
    let inbox = running.place.path("inbox");
    wait_for("the inbox", || inbox.join("refused").is_dir().then_some(()));
    let good = running.place.file("allinpay.csv", |text| text);
    let bad = running.place.file("leshua.txt", |text| text.replace('0', "O"));
    // As a download does it: under another name until it is whole.
    std::fs::copy(&good, inbox.join("day.csv.part")).expect("room");
    std::fs::copy(&bad, inbox.join("leshua.txt")).expect("room");
    let reason = inbox.join("refused/leshua.txt.reason.txt");
    wait_for("the refused file", || reason.is_file().then_some(()));
    let words = wait_for("the reason", || {
        std::fs::read_to_string(&reason).ok().filter(|text| !text.is_empty())
    });
    holds(&words, &["整份拒收", "Refused whole"]);
    assert!(inbox.join("day.csv.part").is_file(), "a file that is not whole was taken");
    std::fs::rename(inbox.join("day.csv.part"), inbox.join("day.csv")).expect("a rename");
    wait_for("the taken file", || inbox.join("done/day.csv").is_file().then_some(()));
    holds(&page(running.port, "/statements?lang=en").expect("the list"), &["acquirer", "refused"]);
    assert!(running.collector.stop().success());
}
