//! The floors of the house, as a test: who may import whom, what a core never touches, what lies at the top of the
//! repository, and a few words that have no place in it. Each failure says what to do. The rest is judgement.

mod catalogue;
pub mod source;

use source::{Named, code_only, named_paths};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Rooms hold 100 to 400 lines; beyond this bound nobody reads one in one sitting.
const ROOM_LINES_MAX: usize = 900;

/// What may lie at the top of the repository.
const TOP_LEVEL: [&str; 19] = [
    ".ci",
    ".gitignore",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "agent",
    "check",
    "clippy.toml",
    "collector",
    "deny.toml",
    "rustfmt.toml",
    "shared",
    "systemd",
    "tests",
    "tongue",
    ".gitattributes",
];

/// Crates with which a program touches the world. A core names none of them.
const WORLDLY: [&str; 22] = [
    "anyhow",
    "axum",
    "clap",
    "indicatif",
    "lettre",
    "libc",
    "prometheus",
    "rand",
    "rumqttc",
    "rumqttd",
    "rusqlite",
    "rustls",
    "sd_notify",
    "serialport",
    "sled",
    "slipwatch_agent",
    "slipwatch_collector",
    "slipwatch_tongue",
    "tokio",
    "tokio_serial",
    "tracing",
    "tracing_subscriber",
];

/// Parts of `std` with which a program touches the world, or draws a random number.
const WORLDLY_STD: [&str; 11] = [
    "env",
    "fs",
    "net",
    "os",
    "process",
    "thread",
    "time::Instant",
    "time::SystemTime",
    "hash::RandomState",
    "io::stdin",
    "io::stdout",
];

/// What stands on the ground floor, and nothing else.
const GROUND: [&str; 7] =
    ["blake3", "crc32fast", "lz4_flex", "postcard", "serde", "serde_json", "thiserror"];

/// The rooms of a crate below its edges, and the rooms each may import.
const AGENT_CORES: [(&str, &[&str]); 2] = [("decode", &["decode"]), ("spool", &["spool"])];
const COLLECTOR_CORES: [(&str, &[&str]); 6] = [
    ("admit", &["admit"]),
    ("correlate", &["correlate"]),
    ("alert", &["alert", "correlate"]),
    ("complaint", &["complaint", "settlement", "correlate", "alert"]),
    ("evidence", &["evidence"]),
    ("settlement", &["settlement", "correlate"]),
];

/// What joins the cores of each program without touching the world.
const AGENT_JOINTS: [&str; 1] = ["agent"];
const COLLECTOR_JOINTS: [&str; 3] = ["collector", "commit", "metrics"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests lies in the repository").to_owned()
}

/// Every file that is or would be committed, relative to the root.
fn files() -> Vec<PathBuf> {
    let listed = Command::new("git")
        .args([
            "-c",
            "safe.directory=*",
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(root())
        .output();
    let mut found = match listed {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout)
            .split_terminator('\0')
            .map(PathBuf::from)
            .filter(|path| root().join(path).is_file())
            .collect(),
        _ => walk(&root()),
    };
    found.sort();
    assert!(found.len() > 50, "only {} files found below {}", found.len(), root().display());
    found
}

/// The same without git: a source archive.
fn walk(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).expect("the repository can be read") {
        let path = entry.expect("the repository can be read").path();
        let is_left_out = path.ends_with("target") || path.ends_with(".git");
        if path.is_dir() && !is_left_out {
            found.extend(walk(&path));
        } else if path.is_file() {
            found.push(path.strip_prefix(root()).expect("below the root").to_owned());
        }
    }
    found
}

fn read(path: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(root().join(path)).expect("a listed file can be read"))
        .into_owned()
}

/// A Rust file of one crate: its place as a module path (`edge::store::sqlite`) and the paths it names, with `super`
/// and `self` resolved.
struct Room {
    path: PathBuf,
    module: Vec<String>,
    named: Vec<Named>,
}

impl Room {
    fn read(krate: &str, path: &Path) -> Room {
        let inside = path.strip_prefix(format!("{krate}/src")).expect("a file of the crate");
        let mut module: Vec<String> = inside
            .with_extension("")
            .iter()
            .map(|part| part.to_string_lossy().into_owned())
            .filter(|part| part != "mod" && part != "lib" && part != "main")
            .collect();
        if module.first().is_some_and(|part| part == "bin") {
            module = vec!["main".to_owned()];
        }
        let named = named_paths(&code_only(&read(path)));
        let named = named.into_iter().map(|named| resolve(named, &module)).collect();
        Room { path: path.to_owned(), module, named }
    }

    fn is_tests(&self) -> bool {
        self.module.iter().any(|part| part == "tests" || part.ends_with("_tests"))
    }

    /// The first step below `crate` of what is named, with its line; `self` of the own room included.
    fn rooms(&self) -> impl Iterator<Item = (usize, &[String])> {
        self.named
            .iter()
            .filter(|named| named.path[0] == "crate")
            .map(|named| (named.line, &named.path[1..]))
    }
}

fn resolve(mut named: Named, module: &[String]) -> Named {
    let ups = named.path.iter().take_while(|step| *step == "super").count();
    if ups > 0 {
        // A module in braces inside the file would need one step less; rooms have such modules for tests alone.
        let mut path = vec!["crate".to_owned()];
        path.extend_from_slice(&module[..module.len().saturating_sub(ups)]);
        path.extend_from_slice(&named.path[ups..]);
        named.path = path;
    }
    named
}

fn rooms(krate: &str) -> Vec<Room> {
    let source = format!("{krate}/src");
    let is_rust = |path: &PathBuf| {
        path.starts_with(&source) && path.extension().is_some_and(|end| end == "rs")
    };
    let rooms: Vec<Room> =
        files().iter().filter(|path| is_rust(path)).map(|path| Room::read(krate, path)).collect();
    assert!(!rooms.is_empty(), "{source} has no rooms");
    rooms.into_iter().filter(|room| !room.is_tests()).collect()
}

#[track_caller]
fn assert_none(broken: Vec<String>, what_to_do: &str) {
    assert!(broken.is_empty(), "{}\n\nWhat to do: {what_to_do}", broken.join("\n"));
}

fn names_world(named: &Named) -> bool {
    let step = |at: usize| named.path.get(at).map_or("", String::as_str);
    let (first, second) = (step(0), step(1));
    let two = format!("{second}::{}", step(2));
    WORLDLY.contains(&first)
        || (first == "std" && WORLDLY_STD.iter().any(|part| *part == second || *part == two))
}

fn worldly_words(rooms: &[Room], belongs: impl Fn(&Room) -> bool) -> Vec<String> {
    let mut broken = Vec::new();
    for room in rooms.iter().filter(|room| belongs(room)) {
        for named in room.named.iter().filter(|named| names_world(named)) {
            broken.push(format!(
                "{}:{}: {}",
                room.path.display(),
                named.line,
                named.path.join("::")
            ));
        }
    }
    broken
}

fn foreign_rooms(rooms: &[Room], core: &str, allowed: &[&str]) -> Vec<String> {
    let mut broken = Vec::new();
    for room in rooms.iter().filter(|room| room.module.first().is_some_and(|part| part == core)) {
        for (line, steps) in room.rooms() {
            if steps.first().is_some_and(|step| !allowed.contains(&step.as_str()) && step != "self")
            {
                broken.push(format!("{}:{line}: crate::{}", room.path.display(), steps.join("::")));
            }
        }
    }
    broken
}

fn is_in(room: &Room, names: &[&str]) -> bool {
    room.module.first().is_some_and(|part| names.contains(&part.as_str()))
}

#[test]
fn cores_touch_no_world() {
    let advice = "what decides never touches the world. Take the time, the text or the number as an argument, and hand \
        back an effect that the loop carries out.";
    let agent: Vec<&str> = AGENT_CORES.iter().map(|core| core.0).chain(AGENT_JOINTS).collect();
    assert_none(worldly_words(&rooms("agent"), |room| is_in(room, &agent)), advice);
    let cores = COLLECTOR_CORES.iter().map(|core| core.0);
    let collector: Vec<&str> = cores.chain(["collector", "commit"]).collect();
    assert_none(worldly_words(&rooms("collector"), |room| is_in(room, &collector)), advice);
    assert_none(worldly_words(&rooms("shared"), |_| true), advice);
}

#[test]
fn a_core_imports_only_what_lies_below_it() {
    let advice =
        "move the shared word to the lower room, or join the two in agent.rs or collector.rs.";
    let agent = rooms("agent");
    for (core, allowed) in AGENT_CORES {
        assert_none(foreign_rooms(&agent, core, allowed), advice);
    }
    let collector = rooms("collector");
    for (core, allowed) in COLLECTOR_CORES {
        assert_none(foreign_rooms(&collector, core, allowed), advice);
    }
}

#[test]
fn no_edge_imports_another_but_the_console_its_store() {
    let mut broken = Vec::new();
    for (krate, joints) in [("agent", &AGENT_JOINTS[..]), ("collector", &COLLECTOR_JOINTS[..])] {
        let rooms = rooms(krate);
        for room in rooms.iter().filter(|room| is_in(room, &["edge"]) && room.module.len() > 1) {
            let own = &room.module[1];
            for (line, steps) in room.rooms() {
                let [first, rest @ ..] = steps else { continue };
                let neighbour = rest.first().map_or("", String::as_str);
                let is_below = joints.contains(&first.as_str())
                    || AGENT_CORES.iter().any(|core| core.0 == first)
                    || COLLECTOR_CORES.iter().any(|core| core.0 == first);
                let is_own = first == "edge" && neighbour == own;
                let is_console = first == "edge" && own == "console" && neighbour == "store";
                // Settings are data, and so is a reading of the clock.
                let is_data = first == "config" || (first == "edge" && neighbour == "clock");
                if !(is_below || is_own || is_console || is_data) {
                    broken.push(format!(
                        "{}:{line}: crate::{}",
                        room.path.display(),
                        steps.join("::")
                    ));
                }
            }
        }
    }
    assert_none(
        broken,
        "an edge knows shared, the cores and the metrics; run.rs joins edges. Let run.rs hand over what this one needs.",
    );
}

#[test]
fn settings_are_data_and_know_no_edge() {
    for krate in ["agent", "collector"] {
        let rooms = rooms(krate);
        let above = |steps: &[String]| {
            let is_above = |step: &String| ["edge", "run", "command"].contains(&step.as_str());
            steps.first().is_some_and(is_above) && !steps.iter().any(|step| step == "clock")
        };
        let mut broken = Vec::new();
        for room in rooms.iter().filter(|room| is_in(room, &["config"])) {
            let found = room.rooms().filter(|(_, steps)| above(steps));
            broken.extend(found.map(|(line, steps)| {
                format!("{}:{line}: crate::{}", room.path.display(), steps.join("::"))
            }));
        }
        assert_none(
            broken,
            "let the edge read its part of the settings; the settings know the cores alone.",
        );
    }
}

#[test]
fn the_ground_floor_stands_on_its_six_crates_alone() {
    let manifest = read(Path::new("shared/Cargo.toml"));
    let listed = dependencies(&manifest, "[dependencies]");
    assert_eq!(
        listed, GROUND,
        "shared is what both ends speak: no IO, no async, no clock. Do it in agent or collector."
    );
}

#[test]
fn agent_and_collector_never_meet_and_nothing_sees_the_tests() {
    for (krate, foreign) in [
        ("agent", ["slipwatch-collector", "slipwatch-tests"]),
        ("collector", ["slipwatch-agent", "slipwatch-tests"]),
        ("shared", ["slipwatch-agent", "slipwatch-collector"]),
        ("tongue", ["slipwatch-agent", "slipwatch-collector"]),
    ] {
        let manifest = read(&Path::new(krate).join("Cargo.toml"));
        for section in ["[dependencies]", "[dev-dependencies]", "[build-dependencies]"] {
            let listed = dependencies(&manifest, section);
            for name in foreign {
                assert!(
                    !listed.iter().any(|listed| listed == name),
                    "{krate} depends on {name}: say it over the wire"
                );
            }
        }
    }
}

fn dependencies(manifest: &str, section: &str) -> Vec<String> {
    let behind = manifest.lines().skip_while(|line| line.trim() != section).skip(1);
    let mut names: Vec<String> = behind
        .take_while(|line| !line.starts_with('['))
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
        .map(|line| line.split(['.', ' ', '=']).next().unwrap_or_default().to_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn anyhow_stays_on_the_top_floor() {
    let mut broken = Vec::new();
    for krate in ["shared", "agent", "collector"] {
        for room in rooms(krate)
            .iter()
            .filter(|room| !is_in(room, &["run", "main", "command"]) && !room.module.is_empty())
        {
            let lines = room.named.iter().filter(|named| named.path[0] == "anyhow");
            broken.extend(lines.map(|named| format!("{}:{}", room.path.display(), named.line)));
        }
    }
    assert_none(
        broken,
        "make it a thiserror enum that says what to do; only run.rs, main.rs and command/ add context.",
    );
}

#[test]
fn the_top_of_the_repository_holds_what_it_must_and_nothing_else() {
    let top = files();
    let mut top: Vec<String> = top
        .iter()
        .filter_map(|path| path.iter().next())
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    top.dedup();
    let strangers: Vec<String> =
        top.iter().filter(|name| !TOP_LEVEL.contains(&name.as_str())).cloned().collect();
    assert_none(
        strangers,
        "put it into the crate it belongs to, or into systemd/; the top is for what everyone needs.",
    );
    let files = ["Cargo.lock", "README.md", "ARCHITECTURE.md", "LICENSE", "check", ".ci/run"];
    for name in files {
        assert!(root().join(name).is_file(), "{name} is missing at the top of the repository");
    }
}

#[test]
fn every_room_opens_with_what_it_is_and_can_be_read_in_one_sitting() {
    let mut broken = Vec::new();
    for path in files().iter().filter(|path| path.extension().is_some_and(|end| end == "rs")) {
        let text = read(path);
        let stem =
            path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        // The tests of a room stand under the room's own head.
        if !text.starts_with("//!") && stem != "tests" {
            broken.push(format!(
                "{}: begin with `//!`: what it is, then what it never does",
                path.display()
            ));
        }
        if text.lines().count() > ROOM_LINES_MAX {
            broken.push(format!(
                "{}: {} lines; split it by meaning",
                path.display(),
                text.lines().count()
            ));
        }
        if ["utils", "util", "common", "helpers", "types", "manager", "misc"]
            .contains(&stem.as_str())
            || stem.ends_with("part2")
        {
            broken.push(format!(
                "{}: a thing without a name of its own is not understood yet",
                path.display()
            ));
        }
        if code_only(&text).contains(concat!("#[", "ignore")) {
            broken.push(format!(
                "{}: an ignored test proves nothing; assert today's answer and say so",
                path.display()
            ));
        }
    }
    assert_none(broken, "as said on each line.");
}

#[test]
fn nothing_names_a_paper_or_a_place_outside_the_repository() {
    let mut broken = Vec::new();
    for path in files() {
        let text = read(&path);
        for (at, line) in text.lines().enumerate() {
            let is_place = [
                concat!("/ho", "me/"),
                concat!("/Us", "ers/"),
                concat!("/wo", "rk/"),
                concat!("/ro", "ot/"),
            ];
            let place = is_place
                .iter()
                .find(|place| line.contains(**place))
                .map(|place| (*place).to_owned());
            let paper = cited_papers(line)
                .into_iter()
                .find(|name| !root().join(format!("{name}.md")).is_file());
            if let Some(found) = place.or(paper) {
                broken.push(format!("{}:{}: {found}", path.display(), at + 1));
            }
        }
    }
    assert_none(
        broken,
        "give the reason in your own words: a reader of a fresh clone cannot open it.",
    );
}

/// Names in capitals that stand before a section sign.
fn cited_papers(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in line.match_indices('§') {
        let before = line[..at].trim_end().trim_end_matches(".md");
        let name =
            before.rsplit(|char: char| !char.is_ascii_uppercase()).next().unwrap_or_default();
        if name.len() >= 4 {
            found.push(name.to_owned());
        }
    }
    found
}
