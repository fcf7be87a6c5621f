//! A real mail server on a free port, with STARTTLS and a login where asked for; and letters read back from where it
//! or the collector laid them.

use super::tls::Authority;
use super::{Process, answers, free_port, installed};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the server lets in when it asks for a login.
pub const USER: &str = "slipwatch@example.com";
/// Its password.
pub const PASSWORD: &str = "correct horse";

/// A mail server that keeps what it takes as files.
pub struct MailServer {
    /// Where it listens, on the loopback.
    pub port: u16,
    directory: PathBuf,
    process: Option<Process>,
    is_strict: bool,
}

impl MailServer {
    /// Without TLS and login.
    pub fn open(directory: &Path) -> MailServer {
        MailServer::begin(directory, false)
    }

    /// With STARTTLS under an authority of its own (`ca.pem` in `directory`), and a login.
    pub fn strict(directory: &Path) -> MailServer {
        Authority::new(directory).sign("server");
        MailServer::begin(directory, true)
    }

    fn begin(directory: &Path, is_strict: bool) -> MailServer {
        let mut server = MailServer {
            port: free_port(),
            directory: directory.to_owned(),
            process: None,
            is_strict,
        };
        server.start_again();
        server
    }

    /// Starts it on the same port.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn start_again(&mut self) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/smtp/server.py");
        // Debian's own Python: another one in the path would not have the package.
        let mut command = Command::new(installed("/usr/bin/python3", "python3 python3-aiosmtpd"));
        command
            .arg(script)
            .args(["--port", &self.port.to_string()])
            .arg("--directory")
            .arg(&self.directory);
        if self.is_strict {
            command.arg("--certificate").arg(self.directory.join("server.pem"));
            command.arg("--key").arg(self.directory.join("server.key"));
            command.args(["--user", USER, "--password", PASSWORD]);
        }
        let mut process = Process::spawn("smtp", &mut command, &self.directory);
        let port = self.port;
        process.until("an open port", || answers(port).then_some(()));
        self.process = Some(process);
    }

    /// Takes it away: nobody listens on its port.
    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill();
        }
    }

    /// While `is_refusing`, every letter is answered "try again later".
    pub fn refuse(&self, is_refusing: bool) {
        let file = self.directory.join("refuse");
        if is_refusing {
            std::fs::write(file, "").expect("the directory can be written");
        } else {
            drop(std::fs::remove_file(file));
        }
    }

    /// The letters it took, in order.
    pub fn letters(&self) -> Vec<Letter> {
        letters(&self.directory)
    }
}

/// A letter as it lies in a file.
#[derive(Clone, Debug)]
pub struct Letter {
    /// The file's text.
    pub raw: String,
}

impl Letter {
    /// A header's value, folded lines joined, encoded words as they are.
    pub fn header(&self, name: &str) -> Option<String> {
        let head = self.raw.split("\r\n\r\n").next()?.replace("\r\n ", " ").replace("\r\n\t", " ");
        head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    }

    /// Subject and parts in clear: quoted-printable and base64 undone wherever they stand.
    pub fn text(&self) -> String {
        let script = "import email,email.policy,sys\n\
             m=email.message_from_binary_file(sys.stdin.buffer,policy=email.policy.default)\n\
             print(m['subject'])\n\
             for p in m.walk():\n  if p.get_content_maintype()=='text': print(p.get_content())\n";
        let mut child = Command::new("/usr/bin/python3")
            .args(["-c", script])
            .env("PYTHONIOENCODING", "utf-8")
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .expect("python3 is installed");
        let mut input = child.stdin.take().expect("it was asked for");
        std::io::Write::write_all(&mut input, self.raw.as_bytes())
            .expect("python reads the letter");
        drop(input);
        let output = child.wait_with_output().expect("python ends");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

/// Every `.eml` in a directory, by name.
pub fn letters(directory: &Path) -> Vec<Letter> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut paths: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|end| end == "eml")).collect();
    paths.sort();
    let read = |path: &PathBuf| {
        let bytes = std::fs::read(path).ok()?;
        Some(Letter { raw: String::from_utf8_lossy(&bytes).into_owned() })
    };
    paths.iter().filter_map(read).collect()
}
