//! Documents as a person reads them. `SLIPWATCH_PAPERS=DIR` keeps them there, to be looked at.

use crate::process::installed;
use std::path::Path;
use std::process::Command;

/// The words of a document (PDF) in their places.
///
/// # Panics
/// When it is no document, or a sign is missing in its font.
#[track_caller]
pub fn words_of(document: &Path) -> String {
    if let Some(directory) = std::env::var_os("SLIPWATCH_PAPERS") {
        let name = document.file_name().expect("a file");
        std::fs::copy(document, Path::new(&directory).join(name)).expect("room for a file");
    }
    let mut tool = Command::new(installed("pdftotext", "poppler-utils"));
    let words = tool.args(["-layout"]).arg(document).arg("-").output().expect("pdftotext runs");
    assert!(words.status.success(), "{}", String::from_utf8_lossy(&words.stderr));
    let words = String::from_utf8_lossy(&words.stdout).into_owned();
    assert!(!words.contains('\u{fffd}'), "a sign is missing in:\n{words}");
    words
}
