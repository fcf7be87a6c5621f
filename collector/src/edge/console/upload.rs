//! A settlement file that comes through the console: written down whole, imported beside the collector, one after the other, and
//! told of on a page that follows it. The name of the file is the browser's and never becomes a path.

use super::pages::{self, Frame, upload};
use super::routes::{Pages, Visit};
use crate::admit::card::without_card_numbers;
use crate::settlement::report::Report;
use axum::Router;
use axum::body::Bytes;
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{DefaultBodyLimit, Multipart, Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::sync::Semaphore;
use tokio::time::Instant;

/// Uploads that are written, wait or run at a time; one more is sent away before a byte of it is written.
const PENDING_MAX: usize = 4;
/// Uploads that are remembered.
const KEPT_MAX: usize = 64;
/// Longest name and profile, in bytes.
const WORD_BYTES_MAX: usize = 160;

/// What makes an uploaded file count. Handed over at the start, so that the console knows no more of it.
pub trait Imports: Send + Sync {
    /// A fresh directory for one file; it is gone when this is dropped.
    ///
    /// # Errors
    /// When the disk gives none.
    fn room(&self) -> io::Result<tempfile::TempDir>;

    /// Largest file, in bytes.
    fn bytes_max(&self) -> u64;

    /// What the profiles are called that a person may name.
    fn profiles(&self) -> Vec<String>;

    /// Imports a file and looks at what is due. `progress` takes hundredths. Blocks.
    ///
    /// # Errors
    /// In words, where the store or the settings fail; what is wrong with the file stands in its report.
    fn import(
        &self,
        path: &std::path::Path,
        profile: Option<&str>,
        progress: &dyn Fn(u8),
    ) -> Result<Vec<Report>, String>;
}

/// How far an upload is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upload {
    /// It is written, waits for another one, or is imported: so many hundredths.
    Running(u8),
    /// It is done; what became of each of its files.
    Ended(Vec<Report>),
    /// The store or the settings failed.
    Failed(String),
}

/// How long a browser is waited for.
#[derive(Clone, Copy, Debug)]
struct Patience {
    /// One that sends nothing for so long is gone, whatever its connection says: its turn is another's.
    stall: Duration,
    /// So long an upload may take at any pace. Each second more must be paid for with bytes at the least pace: one that
    /// trickles would keep its turn for ever.
    unhurried: Duration,
    /// The least pace, in bytes a second.
    pace_min: u64,
}

/// An eighth of a megabit a second: 200 MB have three hours and a half.
const PATIENCE: Patience = Patience {
    stall: Duration::from_secs(60),
    unhurried: Duration::from_secs(5 * 60),
    pace_min: 16 * 1024,
};

/// All uploads since the start.
pub struct Uploads {
    imports: Arc<dyn Imports>,
    patience: Patience,
    one_at_a_time: Semaphore,
    known: Mutex<BTreeMap<u64, (String, Upload)>>,
}

impl Uploads {
    /// None yet.
    pub fn new(imports: Arc<dyn Imports>) -> Uploads {
        let (one_at_a_time, known) = (Semaphore::new(1), Mutex::default());
        Uploads { imports, patience: PATIENCE, one_at_a_time, known }
    }

    /// The profiles that a person may name.
    pub fn profiles(&self) -> Vec<String> {
        self.imports.profiles()
    }

    /// A turn for a new one, unless too many are on their way.
    fn begin(self: &Arc<Self>, name: String) -> Option<Turn> {
        let mut known = self.known();
        let is_running = |upload: &Upload| matches!(upload, Upload::Running(_));
        if known.values().filter(|(_, upload)| is_running(upload)).count() >= PENDING_MAX {
            return None;
        }
        let number = known.last_key_value().map_or(1, |(last, _)| last + 1);
        known.insert(number, (name, Upload::Running(0)));
        if known.len() > KEPT_MAX {
            // The oldest that is done: one that is still on its way counts until its end.
            let done = known.iter().find(|(_, (_, upload))| !is_running(upload));
            let oldest = done.map(|(number, _)| *number);
            oldest.and_then(|oldest| known.remove(&oldest));
        }
        Some(Turn { uploads: Arc::clone(self), number, is_kept: false })
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<u64, (String, Upload)>> {
        self.known.lock().expect("no holder of this lock panics")
    }

    fn is_at(&self, number: u64, upload: Upload) {
        if let Some(entry) = self.known().get_mut(&number) {
            entry.1 = upload;
        }
    }

    fn get(&self, number: u64) -> Option<(String, Upload)> {
        self.known().get(&number).cloned()
    }

    /// Imports what lies in `room`, once the ones before are done.
    async fn import(
        self: Arc<Self>,
        number: u64,
        room: tempfile::TempDir,
        path: PathBuf,
        profile: Option<String>,
    ) {
        let _turn = self.one_at_a_time.acquire().await.expect("it is never closed");
        let uploads = Arc::clone(&self);
        let imported = tokio::task::spawn_blocking(move || {
            let progress = |hundredths| uploads.is_at(number, Upload::Running(hundredths));
            let reports = uploads.imports.import(&path, profile.as_deref(), &progress);
            drop(room);
            reports
        });
        let upload = match imported.await {
            Ok(Ok(reports)) => Upload::Ended(reports),
            Ok(Err(error)) => Upload::Failed(error),
            Err(_) => Upload::Failed("the import ended by a panic; the log says where".to_owned()),
        };
        self.is_at(number, upload);
    }
}

/// A place among those on their way. It is given back when this is dropped, unless the file was written and its import
/// begins: then it is held until that ends.
struct Turn {
    uploads: Arc<Uploads>,
    number: u64,
    is_kept: bool,
}

impl Turn {
    /// The file is there: the number under which its import is followed.
    fn keep(mut self) -> u64 {
        self.is_kept = true;
        self.number
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if !self.is_kept {
            self.uploads.known().remove(&self.number);
        }
    }
}

pub(super) fn router() -> Router<Pages> {
    // The size is held while the file is written, by the settings in force then.
    let sending = post(send).layer(DefaultBodyLimit::disable());
    Router::new().route("/statements", sending).route("/statements/upload/{number}", get(follow))
}

/// Why an upload was not taken.
#[derive(Debug, thiserror::Error)]
enum Unsent {
    #[error("nothing is written from pages here: http.forms is off")]
    ReadOnly,
    #[error("the form holds no file")]
    NoFile,
    #[error("it holds more than {0} bytes, which the settings allow")]
    TooLarge(u64),
    #[error("other files are on their way; try again when they are done")]
    Busy,
    #[error("the upload broke off")]
    Broken(#[from] MultipartError),
    #[error("nothing came for {} seconds", .0.as_secs())]
    Stalled(Duration),
    #[error("it came too slowly, with less than {} KiB a second", .0 / 1024)]
    Slow(u64),
    #[error("it cannot be written down")]
    Disk(#[from] io::Error),
}

impl Unsent {
    fn status(&self) -> StatusCode {
        match self {
            Unsent::ReadOnly => StatusCode::FORBIDDEN,
            Unsent::NoFile | Unsent::Broken(_) | Unsent::Stalled(_) | Unsent::Slow(_) => {
                StatusCode::BAD_REQUEST
            }
            Unsent::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Unsent::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Unsent::Disk(_) => StatusCode::INSUFFICIENT_STORAGE,
        }
    }
}

async fn send(State(pages): State<Pages>, visit: Visit, form: Multipart) -> Response {
    let frame = visit.frame;
    let taken = match pages.takes_forms() {
        true => take(&pages.uploads, form).await,
        false => Err(Unsent::ReadOnly),
    };
    match taken {
        Ok(number) => {
            let tag = frame.language.tag();
            Redirect::to(&format!("/statements/upload/{number}?lang={tag}")).into_response()
        }
        Err(error) => {
            if let Unsent::Disk(source) = &error {
                tracing::error!(%source, "an uploaded file could not be written");
            }
            let title = frame.language.say("文件没有收到", "The file was not taken");
            (error.status(), Html(pages::message(&frame, title, &in_words(&frame, &error))))
                .into_response()
        }
    }
}

fn in_words(frame: &Frame, error: &Unsent) -> String {
    let chinese = match error {
        Unsent::ReadOnly => "此处页面不接受提交：http.forms 已关闭。".to_owned(),
        Unsent::NoFile => "表单中没有文件。".to_owned(),
        Unsent::TooLarge(most) => format!("超过设置允许的 {most} 字节。"),
        Unsent::Busy => "还有其他文件正在导入，请稍后再试。".to_owned(),
        Unsent::Broken(_) | Unsent::Stalled(_) => "上传中断，请重新上传。".to_owned(),
        Unsent::Slow(pace) => {
            let pace = pace / 1024;
            format!("上传太慢（每秒不足 {pace} KiB），已中断。")
        }
        Unsent::Disk(_) => "无法写入磁盘；请检查剩余空间。".to_owned(),
    };
    frame.language.say(chinese, format!("{error}."))
}

/// Writes the file down and begins its import. Whatever ends this early, a browser that goes away too, takes what was
/// written along and gives the turn back.
async fn take(uploads: &Arc<Uploads>, mut form: Multipart) -> Result<u64, Unsent> {
    let mut profile = None;
    let mut taken = None;
    let mut pace = Pace { patience: uploads.patience, began: Instant::now(), bytes: 0 };
    while let Some(field) = pace.in_time(form.next_field()).await? {
        match field.name() {
            Some("profile") => profile = word(field, &mut pace).await?,
            Some("file") if taken.is_none() => {
                let name = plain_name(field.file_name().unwrap_or_default());
                let turn = uploads.begin(name.clone()).ok_or(Unsent::Busy)?;
                let room = uploads.imports.room()?;
                let path = room.path().join(name);
                if write(field, &path, uploads.imports.bytes_max(), &mut pace).await? == 0 {
                    return Err(Unsent::NoFile);
                }
                taken = Some((room, path, turn));
            }
            _ => {}
        }
    }
    let (room, path, turn) = taken.ok_or(Unsent::NoFile)?;
    let number = turn.keep();
    tokio::spawn(Arc::clone(uploads).import(number, room, path, profile));
    Ok(number)
}

/// How fast an upload comes.
struct Pace {
    patience: Patience,
    began: Instant,
    bytes: u64,
}

impl Pace {
    /// The next of what a browser sends, if it sends anything, and has sent enough.
    async fn in_time<T>(
        &self,
        next: impl Future<Output = Result<T, MultipartError>>,
    ) -> Result<T, Unsent> {
        let Patience { stall, unhurried, pace_min } = self.patience;
        let stalls = Instant::now() + stall;
        let tires = self.began + unhurried + Duration::from_secs(self.bytes / pace_min);
        let late = if stalls < tires { Unsent::Stalled(stall) } else { Unsent::Slow(pace_min) };
        Ok(tokio::time::timeout_at(stalls.min(tires), next).await.map_err(|_| late)??)
    }

    async fn chunk(&mut self, field: &mut Field<'_>) -> Result<Option<Bytes>, Unsent> {
        let chunk = self.in_time(field.chunk()).await?;
        self.bytes += chunk.as_ref().map_or(0, |chunk| chunk.len() as u64);
        Ok(chunk)
    }
}

/// A short word of a form; nothing where it is empty.
async fn word(mut field: Field<'_>, pace: &mut Pace) -> Result<Option<String>, Unsent> {
    let mut bytes = Vec::new();
    while let Some(chunk) = pace.chunk(&mut field).await? {
        if bytes.len() + chunk.len() > WORD_BYTES_MAX {
            return Err(Unsent::TooLarge(WORD_BYTES_MAX as u64));
        }
        bytes.extend_from_slice(&chunk);
    }
    // It is told of where no profile is called so.
    let word = without_card_numbers(String::from_utf8_lossy(&bytes).trim());
    Ok(Some(word).filter(|word| !word.is_empty()))
}

/// How many bytes it holds.
async fn write(
    mut field: Field<'_>,
    path: &std::path::Path,
    bytes_max: u64,
    pace: &mut Pace,
) -> Result<u64, Unsent> {
    let mut file = tokio::fs::File::create_new(path).await?;
    let mut written = 0_u64;
    while let Some(chunk) = pace.chunk(&mut field).await? {
        written += chunk.len() as u64;
        if written > bytes_max {
            return Err(Unsent::TooLarge(bytes_max));
        }
        file.write_all(&chunk).await?;
    }
    file.flush().await?;
    Ok(written)
}

/// The last step of a name, without what could mean something to a disk or a screen. A profile may read the day out of it.
fn plain_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let plain: String = last.chars().filter(|sign| !sign.is_control()).collect();
    let mut plain = without_card_numbers(&plain);
    while plain.len() > WORD_BYTES_MAX {
        plain.pop();
    }
    match plain.trim_start_matches('.') {
        "" => "upload".to_owned(),
        plain => plain.to_owned(),
    }
}

async fn follow(State(pages): State<Pages>, Path(number): Path<u64>, visit: Visit) -> Response {
    let frame = visit.frame;
    match pages.uploads.get(number) {
        Some((name, upload)) => Html(upload::render(&frame, &name, &upload)).into_response(),
        None => (StatusCode::NOT_FOUND, Html(super::routes::missing(&frame))).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncReadExt;
    use tokio::net::{TcpListener, TcpStream};

    #[track_caller]
    fn check(name: &str, expected: &str) {
        assert_eq!(plain_name(name), expected);
    }

    /// Imports nothing, however large.
    struct Nowhere;

    impl Imports for Nowhere {
        fn room(&self) -> io::Result<tempfile::TempDir> {
            tempfile::tempdir()
        }

        fn bytes_max(&self) -> u64 {
            u64::MAX
        }

        fn profiles(&self) -> Vec<String> {
            Vec::new()
        }

        fn import(
            &self,
            _: &std::path::Path,
            _: Option<&str>,
            _: &dyn Fn(u8),
        ) -> Result<Vec<Report>, String> {
            Ok(Vec::new())
        }
    }

    fn uploads() -> Arc<Uploads> {
        Arc::new(Uploads::new(Arc::new(Nowhere)))
    }

    #[test]
    fn a_turn_is_held_from_the_first_byte_to_the_end_of_the_import() {
        let uploads = uploads();
        let begin = || uploads.begin("day.csv".to_owned());
        let mut turns: Vec<Turn> = (0..PENDING_MAX).filter_map(|_| begin()).collect();
        assert_eq!(turns.len(), PENDING_MAX);
        assert!(begin().is_none(), "one too many");
        turns.pop();
        let number = begin().expect("the turn that was given back").keep();
        assert!(begin().is_none(), "its file was written and waits to be imported");
        uploads.is_at(number, Upload::Running(50));
        assert!(begin().is_none(), "it is imported");
        uploads.is_at(number, Upload::Ended(Vec::new()));
        assert!(begin().is_some(), "it is done");
        turns.clear();
        let known: Vec<u64> = uploads.known().keys().copied().collect();
        assert_eq!(known, [number], "what was never written is not remembered");
    }

    #[test]
    fn a_slow_upload_is_counted_however_many_come_after_it() {
        let uploads = uploads();
        let begin = || uploads.begin("day.csv".to_owned());
        let slow: Vec<Turn> = (1..PENDING_MAX).filter_map(|_| begin()).collect();
        for _ in 0..2 * KEPT_MAX {
            let number = begin().expect("one turn is free").keep();
            assert!(begin().is_none(), "the slow ones were forgotten");
            uploads.is_at(number, Upload::Ended(Vec::new()));
        }
        assert_eq!(uploads.known().len(), KEPT_MAX);
        drop(slow);
    }

    #[test]
    fn a_name_never_becomes_a_path() {
        check("IND25112488ZM_821330154110001", "IND25112488ZM_821330154110001");
        check("../../etc/passwd", "passwd");
        check("C:\\fakepath\\账单 24.csv", "账单 24.csv");
        check("..", "upload");
        check(".hidden.csv", "hidden.csv");
        check("a\u{0}b\n.csv", "ab.csv");
        check("4111 1111 1111\n 1111.csv", "xxxx xxxx xxxx 1111.csv");
        check("", "upload");
        assert!(plain_name(&"账".repeat(500)).len() <= WORD_BYTES_MAX);
    }

    const SHORT: Duration = Duration::from_millis(200);
    const LONG: Duration = Duration::from_secs(600);

    /// A browser that has sent a form over a socket as far as to its file.
    struct Sending {
        uploads: Arc<Uploads>,
        stream: TcpStream,
        began: Instant,
    }

    impl Sending {
        async fn begin(stall: Duration, unhurried: Duration) -> Sending {
            let patience = Patience { stall, unhurried, pace_min: 1024 };
            let uploads = Arc::new(Uploads { patience, ..Uploads::new(Arc::new(Nowhere)) });
            let taking = async |State(uploads): State<Arc<Uploads>>, form: Multipart| match take(
                &uploads, form,
            )
            .await
            {
                Ok(_) => "taken".to_owned(),
                Err(error) => error.to_string(),
            };
            let pages = Router::new().route("/", post(taking).layer(DefaultBodyLimit::disable()));
            let pages = pages.with_state(Arc::clone(&uploads));
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            tokio::spawn(async move { axum::serve(listener, pages).await });
            let stream = TcpStream::connect(address).await.unwrap();
            let mut sending = Sending { uploads, stream, began: Instant::now() };
            let head = "POST / HTTP/1.1\r\nHost: here\r\nConnection: close\r\nContent-Length: 1000000\r\n\
                 Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n\
                 Content-Disposition: form-data; name=\"file\"; filename=\"day.csv\"\r\n\r\n1";
            sending.stream.write_all(head.as_bytes()).await.unwrap();
            sending
        }

        /// What is answered while bytes are sent one by one, without a pause that is worth the name.
        async fn trickle(&mut self, until: Instant) -> Option<String> {
            let (mut answers, mut out) = self.stream.split();
            let mut answer = String::new();
            let answered = async {
                // The other side may go without waiting for the rest of what it was to be sent.
                let _ = answers.read_to_string(&mut answer).await;
            };
            let mut tick = tokio::time::interval(Duration::from_millis(5));
            let trickles = async {
                while out.write_all(b"1").await.is_ok() {
                    tick.tick().await;
                }
                std::future::pending::<()>().await
            };
            tokio::select! {
                () = answered => Some(answer),
                () = trickles => None,
                () = tokio::time::sleep_until(until) => None,
            }
        }

        fn turns_taken(&self) -> usize {
            self.uploads.known().len()
        }
    }

    #[tokio::test]
    async fn a_browser_that_sends_nothing_any_more_gives_its_turn_back() {
        let mut sending = Sending::begin(SHORT, LONG).await;
        let mut answer = String::new();
        // All that is said before the connection ends, and no rest of the form is awaited.
        let answered = sending.stream.read_to_string(&mut answer);
        let _ = tokio::time::timeout(Duration::from_secs(15), answered).await;
        assert!(answer.contains("nothing came for"), "{answer}");
        assert!(sending.began.elapsed() >= SHORT);
        assert_eq!(sending.turns_taken(), 0);
    }

    #[tokio::test]
    async fn a_browser_that_trickles_gives_its_turn_back() {
        let mut sending = Sending::begin(LONG, SHORT).await;
        let until = sending.began + Duration::from_secs(20);
        let answer = sending.trickle(until).await.expect("an answer though it sends all the time");
        assert!(answer.contains("it came too slowly"), "{answer}");
        assert!(sending.began.elapsed() >= SHORT);
        assert_eq!(sending.turns_taken(), 0);
    }

    #[tokio::test]
    async fn a_file_that_comes_at_the_least_pace_may_take_longer() {
        let mut sending = Sending::begin(LONG, SHORT).await;
        // Enough for a minute at the least pace.
        sending.stream.write_all(&[b'1'; 60 * 1024]).await.unwrap();
        let until = sending.began + 4 * SHORT;
        assert_eq!(sending.trickle(until).await, None, "it is still taken");
        assert_eq!(sending.turns_taken(), 1);
        sending.stream.write_all(b"\r\n--x--\r\n").await.unwrap();
        let mut answer = String::new();
        let _ = sending.stream.read_to_string(&mut answer).await;
        assert!(answer.contains("taken"), "{answer}");
    }
}
