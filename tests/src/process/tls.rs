//! Certificates for a test: an authority of its own, a broker's certificate, and one for each client, whose CN is its
//! name. Made by openssl, as an installer would.

use super::installed;
use std::path::{Path, PathBuf};
use std::process::Command;

/// An authority and the directory in which all it signed lies.
pub struct Authority {
    directory: PathBuf,
}

/// A certificate and its key, PEM.
#[derive(Clone)]
pub struct Identity {
    /// The certificate.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

impl Authority {
    /// A new one, which nobody trusts yet.
    ///
    /// # Panics
    /// When openssl fails.
    pub fn new(directory: &Path) -> Authority {
        openssl(
            directory,
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=slipwatch-tests \
             -keyout ca.key -out ca.pem -addext basicConstraints=critical,CA:TRUE",
        );
        Authority { directory: directory.to_owned() }
    }

    /// Its own certificate.
    pub fn certificate(&self) -> PathBuf {
        self.directory.join("ca.pem")
    }

    /// A certificate for `name`, good for a server on the loopback as well as for a client.
    ///
    /// # Panics
    /// When openssl fails.
    pub fn sign(&self, name: &str) -> Identity {
        openssl(
            &self.directory,
            &format!(
                "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN={name} -keyout {name}.key \
                 -out {name}.csr"
            ),
        );
        let extensions = "subjectAltName=IP:127.0.0.1,DNS:localhost\nbasicConstraints=CA:FALSE\n";
        std::fs::write(self.directory.join("extensions"), extensions).expect("room for a file");
        openssl(
            &self.directory,
            &format!(
                "x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile extensions \
                 -out {name}.pem"
            ),
        );
        Identity {
            certificate: self.directory.join(format!("{name}.pem")),
            key: self.directory.join(format!("{name}.key")),
        }
    }
}

/// Runs openssl with arguments that hold no blanks.
pub(super) fn openssl(directory: &Path, arguments: &str) {
    let output = Command::new(installed("openssl", "openssl"))
        .args(arguments.split_ascii_whitespace())
        .current_dir(directory)
        .output()
        .expect("openssl runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl {arguments}: {said}");
}
