//! The agent without a world: lines in, groups out, crashes in between.

use super::*;
use crate::decode::dialect::shipped;
use crate::spool::sending::SendSettings;
use crate::spool::storage::StorageOrder;
use slipwatch_shared::event::Event;
use slipwatch_shared::times::{BootId, EventTime};
use slipwatch_shared::wire::envelope::Group;
use slipwatch_shared::wire::seal::Chain;

const FILE: SourceId = SourceId(1);

fn settings(dialect: &str) -> Settings {
    // The recordings here are in UTF-8, whatever the devices write.
    let text = shipped::text(dialect).expect("a shipped profile");
    let text = &text.replace("encoding = \"gb18030\"", "encoding = \"utf-8\"");
    let source = SourceSettings {
        id: FILE,
        description: SourceDescription {
            name: "till".into(),
            dialect: dialect.into(),
            hears_money: true,
            hears_slips: true,
            two_way: false,
            historical: false,
        },
        terminal: "10000001".parse().ok(),
        dialect: shipped::parse(dialect, text).expect("a sound profile"),
    };
    Settings {
        spool: SpoolSettings {
            send: SendSettings {
                store: "shop-1".parse().expect("a store"),
                agent: "till-1".parse().expect("an agent"),
                window: 1,
                resend_ms: 15_000,
                historical_after_ms: 600_000,
            },
            commit_ms: 100,
            quota_bytes: 1 << 30,
            sealer: None,
        },
        pulse_ms: 10_000,
        sources: vec![source],
    }
}

/// What outlives a crash.
#[derive(Default)]
struct Disk {
    groups: Vec<Group>,
    bookmark: Option<Bookmark>,
}

impl Disk {
    fn events(&self) -> Vec<Event> {
        let groups = self.groups.iter();
        groups.flat_map(Group::events).map(|(_, event)| event.expect("readable")).collect()
    }

    /// What was heard, without what the agent says of itself.
    fn heard(&self) -> Vec<Body> {
        let own = |body: &Body| {
            matches!(body, Body::SourceOpened(_) | Body::SourceLost { .. } | Body::Pulse(_))
        };
        self.events().into_iter().map(|event| event.body).filter(|body| !own(body)).collect()
    }
}

/// One life of an agent on a disk.
struct Life<'a> {
    agent: Agent,
    disk: &'a mut Disk,
    now: Observed,
    /// How many appends the disk still takes before the crash.
    appends_left: usize,
}

impl<'a> Life<'a> {
    fn begin(dialect: &str, disk: &'a mut Disk, uptime: u64, appends_left: usize) -> Life<'a> {
        let next = disk.groups.last().map_or(Seq(1), Group::end_seq);
        let start = Start {
            epoch: Epoch(1),
            next,
            committed_through: Seq(0),
            lost: None,
            chain: Chain::default(),
        };
        let groups = disk.groups.len() as u64;
        let first = disk.groups.first().map_or(next, |group| group.first_seq);
        let now = Observed {
            boot: BootId([1; 16]),
            uptime: Uptime(uptime),
            wall: EventTime(1_700_000_000_000 + uptime as i64),
            synchronised: true,
        };
        let agent = Agent::start(settings(dialect), start, Held { first, groups, bytes: 0 }, now);
        Life { agent, disk, now, appends_left }
    }

    fn handle(&mut self, input: Input<'_>) {
        self.agent.handle(self.now, input);
        while let Some(effect) = self.agent.next_effect() {
            let Effect::Storage(StorageOrder::Append(appends)) = effect else { continue };
            for append in appends {
                if self.appends_left == 0 {
                    return;
                }
                self.appends_left -= 1;
                self.disk.groups.push(append.group);
                if let Some((_, bookmark)) = append.bookmarks.last() {
                    self.disk.bookmark = Some(*bookmark);
                }
            }
        }
    }

    fn wait(&mut self, ms: u64) {
        self.now.uptime = self.now.uptime.plus_ms(ms);
        self.now.wall.0 += ms as i64;
        self.handle(Input::Tick);
    }

    /// Reads `file` from the bookmark to its end, a few whole lines at a time.
    fn read(&mut self, file: &str, lines_at_a_time: usize, pause_ms: u64) {
        let bookmark = self.disk.bookmark.unwrap_or_default();
        self.handle(Input::SourceOpened { source: FILE, bookmark: Some(bookmark) });
        let mut offset = bookmark.place.offset;
        let rest = file[offset as usize..].split_inclusive('\n').collect::<Vec<_>>();
        for lines in rest.chunks(lines_at_a_time) {
            let bytes = lines.concat();
            offset += bytes.len() as u64;
            let place = Some(Place { offset, ..Place::default() });
            self.handle(Input::Bytes {
                source: FILE,
                direction: Direction::Either,
                bytes: bytes.as_bytes(),
                place,
            });
            self.wait(pause_ms);
            if self.appends_left == 0 {
                return;
            }
        }
    }
}

fn recording() -> String {
    let mut text = String::new();
    for sale in 1..=40 {
        text += &format!(
            "2026-11-24 09:30:01.120 [交易] 发起 交易类型:消费 金额:0.20 批次号:000001 凭证号:{sale:06} 终端号:00000001\n\
             2026-11-24 09:30:02.310 [交易] 应答 应答码:00 金额:0.20 凭证号：{sale:06} 参考号:632809000123\n\
             2026-11-24 09:30:02.400 [打印] 打印凭单中 凭证号:{sale:06}\n\
             银联POS签购单\n商户存根 MERCHANT COPY\n卡号(CARD NO):\n  622576******6691 /C\n\
             交易类型(TXN TYPE): 消费/SALE\n批次号:000001 凭证号:{sale:06}\n参考号:632809000123 授权码:A1B2C3\n\
             金  额(AMOUNT):    RMB 0.20\n-----------X-----------X--------\n"
        );
    }
    text
}

/// The recording read in one go, without a crash.
fn straight() -> Vec<Body> {
    let mut disk = Disk::default();
    let mut life = Life::begin("cn-terminal", &mut disk, 1_000, usize::MAX);
    life.read(&recording(), 7, 10);
    life.handle(Input::SourceLost { source: FILE, reason: SourceLoss::EndOfFile });
    life.wait(1_000);
    disk.heard()
}

#[test]
fn a_file_read_through_crashes_is_heard_once_and_whole() {
    let expected = straight();
    assert!(expected.len() >= 160, "{} bodies", expected.len());
    for seed in 0..12_usize {
        let mut disk = Disk::default();
        let mut uptime = 1_000;
        for life in 0..200 {
            // Small steps, so that crashes fall into the middle of slips.
            let appends_left = 1 + (seed * 7 + life * 3) % 5;
            let pause_ms = [10, 60, 150, 400][(seed + life) % 4];
            let mut life = Life::begin("cn-terminal", &mut disk, uptime, appends_left);
            life.read(&recording(), 1 + seed % 9, pause_ms);
            if life.appends_left > 0 {
                life.appends_left = usize::MAX;
                life.handle(Input::SourceLost { source: FILE, reason: SourceLoss::EndOfFile });
                life.wait(1_000);
                break;
            }
            uptime = life.now.uptime.0 + 1_000;
        }
        let heard = disk.heard();
        let differs = heard.iter().zip(&expected).position(|(heard, expected)| heard != expected);
        assert_eq!(differs, None, "seed {seed}");
        assert_eq!(heard.len(), expected.len(), "seed {seed}");
    }
}

#[test]
fn a_stop_in_the_middle_of_a_slip_tears_nothing_of_a_file() {
    let (text, expected) = (recording(), straight());
    let half = text.split_inclusive('\n').take(30).map(str::len).sum::<usize>();
    let mut disk = Disk::default();
    let mut life = Life::begin("cn-terminal", &mut disk, 1_000, usize::MAX);
    life.read(&text[..half], 4, 10);
    life.handle(Input::Stop);
    let mut life = Life::begin("cn-terminal", &mut disk, 90_000, usize::MAX);
    life.read(&text, 4, 10);
    life.handle(Input::SourceLost { source: FILE, reason: SourceLoss::EndOfFile });
    life.wait(1_000);
    assert_eq!(disk.heard(), expected);
}

#[test]
fn a_source_says_what_it_is_pulses_while_it_is_heard_and_says_when_it_is_lost() {
    let mut disk = Disk::default();
    let mut life = Life::begin("kv-en", &mut disk, 1_000, usize::MAX);
    life.handle(Input::SourceOpened { source: FILE, bookmark: None });
    life.wait(4_000);
    life.handle(Input::SourceIdle { source: FILE });
    life.wait(6_000);
    life.wait(6_000);
    life.handle(Input::SourceLost { source: FILE, reason: SourceLoss::Unplugged });
    life.wait(1_000);
    let said: Vec<_> =
        disk.events().into_iter().map(|event| (event.body, event.observed.uptime.0)).collect();
    let [opened, pulse, last, lost] = &said[..] else { panic!("{said:?}") };
    assert!(matches!(opened, (Body::SourceOpened(_), 1_000)));
    assert!(
        matches!(pulse, (Body::Pulse(_), 5_000)),
        "covered as far as it was looked at: {pulse:?}"
    );
    assert!(matches!(last, (Body::Pulse(_), _)));
    assert!(matches!(lost, (Body::SourceLost { reason: SourceLoss::Unplugged }, 17_000)));
}

#[test]
fn where_a_file_was_begun_is_remembered_before_it_says_anything() {
    let begun = Bookmark { place: Place { offset: 500, ..Place::default() }, skip: 0 };
    let mut disk = Disk::default();
    let mut life = Life::begin("kv-en", &mut disk, 1_000, usize::MAX);
    life.handle(Input::SourceOpened { source: FILE, bookmark: Some(begun) });
    life.wait(100);
    assert_eq!(disk.bookmark, Some(begun));
}

#[test]
fn the_core_asks_to_be_woken_only_when_something_is_due() {
    let mut disk = Disk::default();
    let mut life = Life::begin("cn-terminal", &mut disk, 1_000, usize::MAX);
    assert_eq!(life.agent.wake_at(), None);
    life.read(&recording(), 7, 10);
    for _ in 0..1_000 {
        let Some(at) = life.agent.wake_at() else { return };
        let Observed { uptime, .. } = life.now;
        life.wait(at.ms_since(uptime));
        assert!(life.agent.wake_at() > Some(life.now.uptime), "it would wake for ever");
        life.handle(Input::SourceIdle { source: FILE });
    }
}
