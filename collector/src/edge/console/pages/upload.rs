//! One uploaded file: how far it is, and what became of it. Asks again by itself while it is on its way.

use super::{Frame, page_with};
use crate::edge::console::summary;
use crate::edge::console::upload::Upload;
use crate::settlement::report::Report;
use maud::{Markup, html};

/// Seconds until the page asks again.
const AGAIN_S: u8 = 2;

/// Renders it.
pub fn render(frame: &Frame, name: &str, upload: &Upload) -> String {
    let language = frame.language;
    let content = html! {
        h1 { (name) }
        @match upload {
            Upload::Running(hundredths) => {
                p { (language.say("正在导入……", "It is being imported …")) }
                progress max="100" value=(hundredths) { (hundredths) " %" }
                p.quiet { (language.say("本页会自动刷新；离开也不影响导入。", "This page asks again by itself; the import goes on without it.")) }
            }
            Upload::Failed(error) => {
                p.statement { (language.say(
                    "导入失败：存储或设置出了问题，文件没有导入。原因见 slipwatch-collector 的日志，排除后请重新上传。".to_owned(),
                    format!("The import failed: {error}. Nothing was loaded; the log of slipwatch-collector says more."),
                )) }
            }
            Upload::Ended(reports) => { @for report in reports { (self::report(frame, name, report)) } }
        }
        p { a href=(frame.link("/statements")) { (language.say("全部对账文件", "All statements")) } }
    };
    let again = matches!(upload, Upload::Running(_)).then_some(AGAIN_S);
    page_with(frame, name, "", again, content)
}

fn report(frame: &Frame, name: &str, report: &Report) -> Markup {
    let language = frame.language;
    html! {
        section.agent {
            // A part of an archive has a name of its own.
            @if report.file != name { p.top { strong { (report.file) } } }
            p { (summary::headline(language, report)) }
            @for section in summary::sections(language, report) {
                h2 { (section.heading) }
                dl.facts { @for (name, value) in section.facts { div { dt { (name) } dd { (value) } } } }
            }
            @if let Some(number) = report.number {
                p { a href=(frame.link(&format!("/statement/{number}"))) { (language.say("查看详情", "See it in detail")) } }
            }
        }
    }
}
