//! What an import did, as a document: which file, what is in it, what was matched, and what needs a look.

use super::paper::Paper;
use crate::alert::language::Language;
use crate::alert::words;
use crate::edge::console::pages::Frame;
use crate::edge::console::summary;
use crate::edge::store::OpenFinding;
use crate::edge::store::settlement::FileView;
use crate::settlement::report::Report;
use krilla::error::KrillaError;

/// Most findings that the document names one by one for a file.
pub const FINDINGS_MAX: usize = 200;

/// One file that is told of.
#[derive(Clone, Debug)]
pub struct Imported {
    /// What became of it.
    pub report: Report,
    /// What is open because of it, at most [`FINDINGS_MAX`].
    pub findings: Vec<OpenFinding>,
}

impl Imported {
    /// Of a file as the store has it; `None` where its summary is of another version of this program.
    pub fn stored(file: &FileView, findings: Vec<OpenFinding>) -> Option<Imported> {
        let mut report: Report = serde_json::from_str(&file.summary).ok()?;
        report.file.clone_from(&file.head.name);
        Some(Imported { report, findings })
    }
}

/// The document over all files of an import.
///
/// # Errors
/// What the writer of the document refuses, which a fault of ours alone can cause.
pub fn document(frame: &Frame, files: &[Imported]) -> Result<Vec<u8>, KrillaError> {
    let language = frame.language;
    let title = language.say("对账文件导入摘要", "Summary of an import");
    let mut paper = Paper::new(title, language.tag());
    let at = frame.time(None, frame.now_ms, "%Y-%m-%d %H:%M:%S %:z");
    paper.quiet(&format!("slipwatch-collector {} · {at}", env!("CARGO_PKG_VERSION")));
    for file in files {
        one(&mut paper, language, file);
        needs_a_look(&mut paper, frame, &file.findings);
    }
    paper.heading(language.say("说明", "How to read this"));
    paper.quiet(language.say(
        "只有文件自身的合计全部核对通过才会导入；否则整份拒收，不留下任何一行。“可能”的匹配不会了结任何案件。卡号只显示后四位。",
        "A file is loaded only when its own totals hold; otherwise it is refused whole and leaves no row. A probable link \
         closes no case. Card numbers show their last four digits.",
    ));
    paper.finish(frame.now_ms)
}

fn one(paper: &mut Paper, language: Language, file: &Imported) {
    let report = &file.report;
    paper.heading(&report.file);
    paper.paragraph(&summary::headline(language, report));
    if let Some(profile) = &report.profile {
        paper.fact(language.say("格式", "Profile"), profile);
    }
    if let Some(hash) = &report.sha256 {
        paper.fact("SHA-256", hash);
    }
    for section in summary::sections(language, report) {
        paper.heading(section.heading);
        paper.facts(&section.facts);
    }
}

fn needs_a_look(paper: &mut Paper, frame: &Frame, findings: &[OpenFinding]) {
    let language = frame.language;
    if findings.is_empty() {
        return;
    }
    paper.heading(language.say("需要处理", "What needs a look"));
    for open in findings {
        let kind = open.view.finding.id.kind;
        let shop = open.view.finding.id.subject.store().map(|store| frame.shop_title(store));
        let shop = shop.map(|shop| format!(" · {shop}")).unwrap_or_default();
        paper.paragraph(&format!("{} {}{shop}", kind.code(), words::kind_title(language, kind)));
        if let Some(detail) = &open.detail {
            paper.quiet(&summary::detail(language, detail));
        }
        paper.quiet(&words::first_thing(language, kind, None));
    }
    if findings.len() >= FINDINGS_MAX {
        paper.quiet(language.say(
            "更多项目见 slipwatch-collector cases。",
            "There are more; see slipwatch-collector cases.",
        ));
    }
}
