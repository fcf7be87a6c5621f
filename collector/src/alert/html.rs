//! A letter as HTML: one narrow column, styles in place (mail programs drop style sheets), no picture, no script.

use super::letter::{Block, Draft, Purpose, left_out_sentence};
use maud::{DOCTYPE, Markup, html};

const BODY: &str = "margin:0;padding:24px 12px;background:#f4f4f1;color:#1f2421;\
    font:16px/1.6 -apple-system,'Segoe UI','PingFang SC','Microsoft YaHei',sans-serif";
const SHEET: &str = "max-width:560px;margin:0 auto;background:#fff;border-radius:10px;overflow:hidden;\
    border:1px solid #e3e3dd";
const INNER: &str = "padding:20px 24px";
const NAME: &str = "padding:3px 16px 3px 0;color:#6b716c;white-space:nowrap;vertical-align:top;font-weight:normal;text-align:left";
const VALUE: &str = "padding:3px 0;font-variant-numeric:tabular-nums;word-break:break-word";

pub(super) fn page(draft: &Draft) -> String {
    let (ground, ink) = match draft.purpose {
        Purpose::New | Purpose::More => ("#fdf1e3", "#8a4b08"),
        Purpose::Ended => ("#e8f4ec", "#1d6b3c"),
        Purpose::Digest => ("#eef1f6", "#35486b"),
    };
    let lead = format!(
        "padding:18px 24px;background:{ground};color:{ink};font-size:18px;font-weight:600;line-height:1.45"
    );
    let markup = html! {
        (DOCTYPE)
        html lang=(draft.language.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (draft.subject) }
            }
            body style=(BODY) {
                div style=(SHEET) {
                    div style=(lead) { (draft.lead) }
                    div style=(INNER) {
                        @for sentence in &draft.sentences {
                            p style="margin:0 0 10px" { (sentence) }
                        }
                        @for block in &draft.blocks { (self::block(draft, block)) }
                        @if draft.left_out > 0 {
                            p style="margin:12px 0;color:#6b716c" {
                                (left_out_sentence(draft.language, draft.left_out))
                            }
                        }
                        @if !draft.steps.is_empty() {
                            h2 style="margin:20px 0 6px;font-size:16px" {
                                (draft.language.say("接下来怎么做", "What to do now"))
                            }
                            ol style="margin:0;padding-left:22px" {
                                @for step in &draft.steps { li style="margin:4px 0" { (step) } }
                            }
                        }
                    }
                    div style="padding:12px 24px 18px;color:#6b716c;font-size:13px;border-top:1px solid #eee" {
                        (draft.footer)
                    }
                }
            }
        }
    };
    markup.into_string()
}

fn block(draft: &Draft, block: &Block) -> Markup {
    html! {
        div style="margin:14px 0;padding:12px 16px;background:#fafaf8;border-radius:8px" {
            div style="font-weight:600;margin-bottom:6px" { (block.headline) }
            table role="presentation" style="border-collapse:collapse;width:100%" {
                @for (name, value) in &block.facts {
                    tr {
                        th style=(NAME) { (name) }
                        td style=(VALUE) { (value) }
                    }
                }
            }
            @if let Some(link) = &block.link {
                p style="margin:10px 0 2px" {
                    a href=(link) style="color:#0b5cad" {
                        (draft.language.say("打开案件页面", "Open the case page"))
                    }
                }
            }
        }
    }
}
