//! Settlement files: what was loaded, what was replaced, and what was refused and why.

use super::{Frame, chip, page};
use crate::edge::console::{refusals, summary, words};
use crate::edge::store::settlement::{FileState, FileView};
use crate::settlement::report::Report;
use maud::{Markup, html};

/// Renders them, the latest first.
pub fn render(frame: &Frame, files: &[FileView], profiles: &[String]) -> String {
    let language = frame.language;
    let title = language.say("对账文件", "Statements");
    let content = html! {
        h1 { (title) }
        @if frame.config.http.forms { (form(frame, profiles)) }
        @if files.is_empty() {
            p.empty {
                (language.say("还没有导入对账文件。", "No settlement file was imported yet. "))
                @if frame.config.http.forms {
                    (language.say(
                        "在上面选择文件，把文件放进收件目录，或运行 slipwatch-collector import。",
                        "Choose one above, put it into the inbox, or run slipwatch-collector import.",
                    ))
                } @else {
                    (language.say(
                        "把文件放进收件目录，或运行 slipwatch-collector import。",
                        "Put one into the inbox, or run slipwatch-collector import.",
                    ))
                }
            }
        }
        @for file in files { (self::file(frame, file)) }
    };
    page(frame, title, "/statements", content)
}

/// Sends a file from here.
fn form(frame: &Frame, profiles: &[String]) -> Markup {
    let language = frame.language;
    html! {
        form.agent.upload method="post" enctype="multipart/form-data" action=(frame.link("/statements")) {
            label {
                span { (language.say("对账文件（ZIP 可直接上传）", "A settlement file, or a ZIP archive of some")) }
                input type="file" name="file" required;
            }
            label {
                span { (language.say("格式", "Profile")) }
                select name="profile" {
                    option value="" { (language.say("自动识别", "found by itself")) }
                    @for profile in profiles { option value=(profile) { (profile) } }
                }
            }
            button { (language.say("导入", "Import")) }
        }
    }
}

/// How far a file is.
pub(super) fn state(frame: &Frame, state: FileState) -> Markup {
    let language = frame.language;
    match state {
        FileState::Loading => chip("wait", language.say("导入中", "loading")),
        FileState::Loaded => chip("good", language.say("已导入", "loaded")),
        FileState::Replaced => chip("calm", language.say("已被更正", "replaced")),
        FileState::Refused => chip("bad", language.say("已拒收", "refused")),
    }
}

fn file(frame: &Frame, file: &FileView) -> Markup {
    let language = frame.language;
    // Of a file that another version wrote the head is shown.
    let report: Report = serde_json::from_str(&file.summary).unwrap_or_default();
    let open = report.open;
    let reason = report.refused.as_ref().map(|refused| {
        let problem = || summary::reason(language, &refused.reason).0.to_owned();
        refusals::line(language, refused).unwrap_or_else(problem)
    });
    html! {
        section.agent {
            p.top {
                a href=(frame.link(&format!("/statement/{}", file.id.0))) {
                    strong { (file.head.source) " · " (words::period(language, &file.head.period)) }
                }
                (state(frame, file.state))
            }
            @if let Some(reason) = reason { p { (reason) } }
            dl.facts {
                div { dt { (language.say("文件", "File")) } dd { (file.head.name) } }
                div {
                    dt { (language.say("时间", "Time")) }
                    dd { time datetime=(Frame::iso(file.arrived.0)) { (frame.time(None, file.arrived.0, "%Y-%m-%d %H:%M:%S")) } }
                }
                @if file.state != FileState::Refused {
                    div { dt { (language.say("行数", "Rows")) } dd { (file.head.rows) } }
                    div { dt { (language.say("待匹配", "Await their payment")) } dd { (open) } }
                    div { dt { (language.say("版本", "Version")) } dd { (file.revision) } }
                }
            }
        }
    }
}
