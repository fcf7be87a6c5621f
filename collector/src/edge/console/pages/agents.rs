//! The agents: who is there, how far each line was heard, and what was put aside.

use super::{Frame, chip, page};
use crate::config::{Shop, Terminal};
use crate::correlate::policy::{AgentName, WhoPrints};
use crate::edge::console::words;
use crate::edge::store::{AgentView, SourceView};
use maud::{Markup, html};
use slipwatch_shared::terminal::TerminalId;
use std::collections::BTreeSet;

/// What is told beside the agents that were heard.
#[derive(Debug, Default)]
pub struct Others {
    /// Those of the settings that never came.
    pub unheard: BTreeSet<AgentName>,
    /// Those that came and are not in the settings.
    pub unknown: BTreeSet<AgentName>,
    /// What was put aside since the start.
    pub quarantined: Vec<(&'static str, u64)>,
}

/// Renders them.
pub fn render(frame: &Frame, agents: &[AgentView], others: &Others) -> String {
    let Others { unheard, unknown, quarantined } = others;
    let language = frame.language;
    let title = language.say("采集程序", "Agents");
    let content = html! {
        h1 { (title) }
        @if agents.is_empty() && unheard.is_empty() {
            p.empty { (language.say("设置中没有采集程序。", "The settings name no agent.")) }
        }
        @for agent in sorted(frame, agents) { (self::agent(frame, agent)) }
        @for name in sorted_names(frame, unheard) {
            section.agent {
                p.top {
                    strong { (frame.shop_title(&name.store)) " · " (name.agent) }
                    (chip("blind", words::presence(language, crate::commit::Presence::Unseen).1))
                }
            }
        }
        @let unjudged = unjudged(frame);
        @if !unjudged.is_empty() {
            h2 { (language.say("暂不判断的终端", "Terminals that are not judged")) }
            p { (language.say(
                "设置中没有说明由谁打印凭条：交易照常记录，不判断有没有凭条。运行 slipwatch-collector policy show 可得到建议。",
                "The settings do not say who prints their slips: payments are heard, and no slip is missed. slipwatch-collector policy show proposes it.",
            )) }
            @for (shop, terminal) in unjudged {
                section.agent { p.top { strong { (shop) " · " (terminal) } (chip("blind", language.say("不判断", "not judged"))) } }
            }
        }
        @if !unknown.is_empty() {
            h2 { (language.say("设置中没有的采集程序", "Not in the settings")) }
            p { (language.say(
                "它们的事件在等待，不会丢失：请加到 [[shop]] 的 agents 中，再重新加载设置。",
                "Their events wait, and nothing is lost: add them to [[shop]] agents, then reload the settings.",
            )) }
            @for name in unknown {
                section.agent { p.top { strong { (name.store) " · " (name.agent) } } }
            }
        }
        h2 { (language.say("搁置的消息", "Put aside")) }
        @let put_aside: Vec<_> = quarantined.iter().filter(|(_, count)| *count > 0).collect();
        @if put_aside.is_empty() {
            p.empty { (language.say("自启动以来没有。", "None since the start.")) }
        } @else {
            dl.facts {
                @for (reason, count) in put_aside { div { dt { (words::put_aside(language, reason)) } dd { (count) } } }
            }
        }
    };
    page(frame, title, "/agents", content)
}

fn agent(frame: &Frame, agent: &AgentView) -> Markup {
    let language = frame.language;
    let store = &agent.name.store;
    let (tone, presence) = words::presence(language, agent.presence);
    html! {
        section.agent {
            p.top {
                strong { (frame.shop_title(store)) " · " (agent.name.agent) }
                (chip(tone, presence))
            }
            dl.facts {
                div {
                    dt { (language.say("最近消息", "Last heard")) }
                    dd { time datetime=(Frame::iso(agent.heard.0)) { (frame.time(store, agent.heard.0, "%m-%d %H:%M:%S")) } }
                }
                div { dt { (language.say("已存到", "Stored through")) } dd { (agent.through.0) } }
                @if !agent.version.is_empty() {
                    div { dt { (language.say("版本", "Version")) } dd { (agent.version) } }
                }
                @if !agent.terminals.is_empty() {
                    div.wide {
                        dt { (language.say("终端", "Terminals")) }
                        dd.names { @for name in terminals(frame, agent) { span { (name) } " " } }
                    }
                }
            }
            @for source in &agent.sources { (line(frame, agent, source)) }
        }
    }
}

/// Agents in the order of what people call their shops, as people count: 2 before 10.
fn sorted<'a>(frame: &Frame, agents: &'a [AgentView]) -> Vec<&'a AgentView> {
    let mut sorted: Vec<&AgentView> = agents.iter().collect();
    sorted.sort_by_cached_key(|agent| place_of(frame, &agent.name));
    sorted
}

fn sorted_names<'a>(frame: &Frame, names: &'a BTreeSet<AgentName>) -> Vec<&'a AgentName> {
    let mut sorted: Vec<&AgentName> = names.iter().collect();
    sorted.sort_by_cached_key(|name| place_of(frame, name));
    sorted
}

fn place_of(frame: &Frame, name: &AgentName) -> [Vec<Piece>; 3] {
    let texts = [frame.shop_title(&name.store), name.store.as_str(), name.agent.as_str()];
    texts.map(natural)
}

/// Shop and terminal of the settings for which nobody said who prints.
fn unjudged(frame: &Frame) -> Vec<(String, String)> {
    let of_shop = |shop: &Shop| {
        let is_unjudged = |terminal: &&Terminal| terminal.policy.who_prints == WhoPrints::Unsaid;
        let terminals = shop.terminals.iter().filter(is_unjudged);
        let title = |terminal: &Terminal| frame.terminal_title(&shop.name, terminal.number);
        let named = terminals.map(|terminal| (shop.title.clone(), title(terminal)));
        named.collect::<Vec<_>>()
    };
    let mut found: Vec<(String, String)> = frame.config.shops.iter().flat_map(of_shop).collect();
    found.sort_by_cached_key(|(shop, terminal)| [natural(shop), natural(terminal)]);
    found
}

/// A stretch of digits by its value, or a stretch of anything else.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Piece {
    /// How many digits without leading zeros, and those: orders by value, however long.
    Number(usize, String),
    Text(String),
}

/// A name as people order names: `shop-2` stands before `shop-10`.
fn natural(name: &str) -> Vec<Piece> {
    let alike = |left: &char, right: &char| left.is_ascii_digit() == right.is_ascii_digit();
    let signs: Vec<char> = name.chars().collect();
    let piece = |signs: &[char]| {
        let text: String = signs.iter().collect();
        match text.starts_with(|sign: char| sign.is_ascii_digit()) {
            true => {
                let digits = text.trim_start_matches('0').to_owned();
                Piece::Number(digits.len(), digits)
            }
            false => Piece::Text(text),
        }
    };
    signs.chunk_by(alike).map(piece).collect()
}

/// The terminals of an agent in the order of what people call them.
fn terminals(frame: &Frame, agent: &AgentView) -> Vec<String> {
    let title = |number: &TerminalId| frame.terminal_title(&agent.name.store, *number);
    let mut names: Vec<String> = agent.terminals.iter().map(title).collect();
    names.sort_by_cached_key(|name| natural(name));
    names
}

fn line(frame: &Frame, agent: &AgentView, source: &SourceView) -> Markup {
    let language = frame.language;
    let store = &agent.name.store;
    let (tone, state) = match source.open {
        true => ("good", language.say("监听中", "open")),
        false => ("bad", language.say("未监听", "not open")),
    };
    let hears = match (source.hears_money, source.hears_slips) {
        (true, true) => language.say("扣款和凭条", "debits and slips"),
        (true, false) => language.say("扣款", "debits"),
        (false, true) => language.say("凭条", "slips"),
        (false, false) => language.say("其他", "other"),
    };
    html! {
        div.source {
            p.top { span { strong { (source.name) } " " span.quiet { (hears) " · " (source.dialect) } } (chip(tone, state)) }
            p {
                (language.say("监听到 ", "Heard until "))
                time datetime=(Frame::iso(source.covered_until.0)) {
                    (frame.time(store, source.covered_until.0, "%m-%d %H:%M:%S"))
                }
            }
            @if !source.holes.is_empty() {
                ul.holes {
                    @for (from, until, why) in source.holes.iter().rev() {
                        li {
                            (frame.time(store, from.0, "%m-%d %H:%M:%S")) " – " (frame.time(store, until.0, "%H:%M:%S"))
                            " " (words::hole(language, why))
                        }
                    }
                }
            }
        }
    }
}
