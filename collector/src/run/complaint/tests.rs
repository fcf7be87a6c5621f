use super::*;
use crate::complaint::answer::Outcome;
use crate::complaint::record::Step;
use crate::correlate::tests::WALL_MS;
use crate::edge::store::settlement::NewsOf;
use crate::edge::store::sqlite::SqliteStore;
use crate::edge::store::suite::in_commits;
use crate::edge::store::{Reader, Store};
use std::path::Path;
use tempfile::TempDir;

const MINUTE: i64 = 60_000;
const DAY: i64 = 86_400_000;

struct House {
    directory: TempDir,
    store: SqliteStore,
    desk: ComplaintDesk,
}

/// A shop whose terminal T1 said this.
fn house(script: &str) -> House {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("store");
    std::fs::create_dir_all(&path).expect("a directory");
    let mut store = SqliteStore::open(&path.join(crate::run::STORE_FILE)).expect("a store");
    for commit in in_commits(script) {
        store.commit(&commit).expect("a commit");
    }
    let text = format!(
        "store.path = {:?}\n[complaints]\nweekends = true\n[[shop]]\nname = \"shop-1\"\nagents = [\"till-1\"]\n\
         time_zone = \"+00:00\"\n[[shop.terminal]]\nnumber = \"T1\"\nwho_prints = \"terminal\"\n",
        path.display().to_string()
    );
    let config = Config::parse(Path::new("collector.toml"), &text).expect("sound settings");
    let desk = ComplaintDesk::open(config).expect("the same store");
    House { directory, store, desk }
}

fn at(ms: i64) -> ArrivalTime {
    ArrivalTime(WALL_MS + ms)
}

/// The shopper's time of day is that of the shop's clock: the script begins at eight.
fn typed(amount: &str, last_four: &str) -> Typed {
    Typed {
        time: "08:10".into(),
        slack: "9".into(),
        amount: amount.into(),
        last_four: last_four.into(),
        language: "en".into(),
        ..Typed::default()
    }
}

impl House {
    /// Opens a complaint an hour later, answers it, and tells what came of it.
    #[track_caller]
    fn check(&mut self, typed: &Typed, reason: Reason, outcome: Outcome) -> Looked {
        let now = at(60 * MINUTE);
        let opened = self.desk.open_at(typed, None, now).expect("it is opened");
        let told = self.desk.answer_at(opened.complaint.number, now).expect("it is answered");
        let given = told.complaint.given.expect("an answer").answer;
        assert_eq!((given.reason, given.outcome()), (reason, outcome), "{told:?}");
        told
    }

    fn news(&mut self) -> Vec<(String, Stage, Option<Resolution>)> {
        let news = self.store.news(100).expect("news");
        news.into_iter()
            .filter_map(|news| match news.what {
                NewsOf::Finding(change) => {
                    let finding = change.finding;
                    Some((finding.id.to_string(), finding.stage, finding.resolved))
                }
                _ => None,
            })
            .collect()
    }
}

use crate::complaint::answer::Reason;

const LISTENED: &str = "900 pulse; 1800 pulse; 3000 pulse";

#[test]
fn a_second_complaint_about_a_payment_names_the_first_while_that_is_open() {
    let script = format!("0 open; 600 ask n=1 yuan=88 card=6691; 602 ok n=1; {LISTENED}");
    let mut shop = house(&script);
    let now = at(60 * MINUTE);
    let said = typed("88", "6691");
    let first = shop.desk.open_at(&said, None, now).expect("it is opened");
    assert!(first.complaint.chosen.is_some() && first.also_open.is_empty(), "{first:?}");
    let second = shop.desk.open_at(&said, None, now).expect("it is opened");
    assert_eq!(second.also_open, [first.complaint.number]);
    // Whoever searches for it learns of both before a third is opened.
    let found = shop.desk.search_at(&said, now).expect("it is searched for");
    let both = [first.complaint.number, second.complaint.number];
    assert_eq!(found.matches[0].also_open, both, "{found:?}");
    let known = shop.desk.look_at(first.complaint.number, now).expect("it is there");
    assert_eq!(known.also_open, [second.complaint.number]);
    shop.desk.close_at(first.complaint.number, true, now).expect("it is closed");
    let second = shop.desk.look_at(second.complaint.number, now).expect("it is there");
    assert!(second.also_open.is_empty(), "{second:?}");
    let found = shop.desk.search_at(&said, now).expect("it is searched for");
    assert_eq!(found.matches[0].also_open, [second.complaint.number], "{found:?}");
}

#[test]
fn a_slip_that_is_owed_becomes_one_that_is_there() {
    let script = format!("0 open; 600 ask n=1 yuan=88 card=6691; 602 ok n=1; {LISTENED}");
    let mut shop = house(&script);
    let told = shop.check(&typed("88", "6691"), Reason::SlipOwed, Outcome::UnderInquiry);
    assert_eq!(told.complaint.promised().map(|promise| promise.1.0), Some(at(60 * MINUTE + DAY).0));
    let mut shop = house(&format!("{script}; 3300 slip n=1 copy=c reprint; 3400 pulse"));
    shop.check(&typed("88", "6691"), Reason::Reprinted, Outcome::SlipReprinted);
}

#[test]
fn where_the_money_went_is_answered() {
    let reversed = "0 open; 600 ask n=1 yuan=88 card=6691; 630 timeout n=1; 640 reversal n=1 is=sent; 641 reversal n=1 is=acknowledged";
    house(&format!("{reversed}; {LISTENED}")).check(
        &typed("88", "6691"),
        Reason::Reversed,
        Outcome::ReversalDone,
    );
    let lost = "0 open; 600 ask n=1 yuan=88 card=6691; 630 timeout n=1; 640 reversal n=1 is=sent; 700 reversal n=1 is=failed";
    house(&format!("{lost}; {LISTENED}")).check(
        &typed("88", "6691"),
        Reason::ReversalFailed,
        Outcome::UnderInquiry,
    );
    let refused = "0 open; 600 ask n=1 yuan=88 card=6691; 602 answer n=1 code=51";
    house(&format!("{refused}; {LISTENED}")).check(
        &typed("88", "6691"),
        Reason::Declined,
        Outcome::NoSuchDebit,
    );
}

#[test]
fn nothing_is_no_such_debit_only_where_all_was_heard() {
    let whole = format!("0 open; {LISTENED}");
    house(&whole).check(&typed("88", "6691"), Reason::NothingFits, Outcome::NoSuchDebit);
    let torn = "0 open; 500 stop; 1200 open; 1800 pulse; 3000 pulse";
    house(torn).check(&typed("88", "6691"), Reason::NotHeard, Outcome::UnderInquiry);
    let mut shop = house(&whole);
    // What was heard and is not kept any more proves nothing.
    let long_ago = at(500 * DAY);
    let form = Typed { time: "2025-11-24 08:10".into(), ..typed("88", "6691") };
    let found = shop.desk.search_at(&form, long_ago).expect("a search");
    assert_eq!((found.heard, found.answer.reason), (Heard::Not, Reason::NotHeard));
    let no_day = Typed { time: String::new(), order: "WX99887766".into(), ..typed("", "") };
    shop.check(&no_day, Reason::WhichDay, Outcome::UnderInquiry);
}

#[test]
fn of_two_that_fit_a_person_chooses() {
    let twins = "0 open; 600 ask n=1 yuan=88 card=6691; 602 ok n=1; 700 ask n=2 yuan=88 card=6691; 702 ok n=2";
    let mut shop = house(&format!("{twins}; {LISTENED}"));
    let now = at(60 * MINUTE);
    let opened = shop.desk.open_at(&typed("88", "6691"), None, now).expect("it is opened");
    assert_eq!(
        (opened.complaint.chosen.as_ref(), opened.answer.reason),
        (None, Reason::SeveralFit)
    );
    assert_eq!(opened.matches.len(), 2);
    let second = opened.matches[0].candidate.source.clone();
    let number = opened.complaint.number;
    let chosen = shop.desk.choose_at(number, Some(second.clone()), now).expect("it is chosen");
    assert_eq!(chosen.complaint.chosen, Some(second));
    let steps: Vec<Step> = chosen.history.iter().map(|line| line.step).collect();
    assert_eq!(steps, [Step::Opened, Step::Chosen]);
    // One that is taken back is not taken again by the desk itself.
    let back = shop.desk.choose_at(number, None, now).expect("it is taken back");
    assert_eq!((back.complaint.chosen, back.matches.len()), (None, 2));
    let mut again = shop.desk.complaint(number).expect("it is there");
    shop.desk.follow(&mut again, now).expect("a round");
    assert_eq!(again.chosen, None);
    let foreign = "shop-1.till-1.1.999".parse().ok().map(Source::Payment);
    assert!(matches!(shop.desk.choose_at(number, foreign, now), Err(DeskError::NoPayment)));
}

#[test]
fn one_that_comes_near_is_not_called_several() {
    let mut shop = house(&format!("0 open; 600 ask n=1 yuan=88 card=6691; 602 ok n=1; {LISTENED}"));
    // Two digits of the card were swapped.
    let found = shop.desk.search_at(&typed("88", "6619"), at(60 * MINUTE)).expect("a search");
    assert_eq!((found.matches.len(), found.is_chosen), (1, false));
    assert_eq!(found.answer.reason, Reason::OneComesNear);
}

#[test]
fn about_a_payment_that_is_known_nothing_more_need_be_said() {
    let mut shop = house(&format!("0 open; 600 ask n=1 yuan=88 card=6691; 602 ok n=1; {LISTENED}"));
    let now = at(60 * MINUTE);
    let found = shop.desk.search_at(&typed("88", "6691"), now).expect("a search");
    let source = found.matches[0].candidate.source.clone();
    let nothing = Typed { language: "en".into(), ..Typed::default() };
    let refused = shop.desk.search_at(&nothing, now).expect_err("nothing to search by");
    assert!(matches!(refused, DeskError::Refused(Refusal::TooLittle)), "{refused}");
    let refused = shop.desk.open_at(&nothing, None, now).expect_err("no payment");
    assert!(matches!(refused, DeskError::Refused(Refusal::TooLittle)), "{refused}");
    let opened = shop.desk.open_at(&nothing, Some(source.clone()), now).expect("it is opened");
    assert_eq!(opened.complaint.chosen, Some(source));
    assert_eq!(opened.complaint.said.store.map(|store| store.to_string()), Some("shop-1".into()));
}

#[test]
fn a_complaint_that_fits_nothing_is_told_a_day_later_and_joined_when_the_payment_comes() {
    let mut shop = house("0 open; 300 pulse");
    let opened =
        shop.desk.open_at(&typed("88", "6691"), None, at(60 * MINUTE)).expect("it is opened");
    let mut complaint = opened.complaint.clone();
    assert_eq!(complaint.unmatched, Unmatched::Suspected);
    assert_eq!(shop.news(), [("A25:complaint:1".to_owned(), Stage::Suspected, None)]);
    shop.desk.follow(&mut complaint, at(25 * 60 * MINUTE)).expect("a round");
    let told: Vec<_> = shop.news();
    assert!(told.contains(&("A25:complaint:1".to_owned(), Stage::Alerting, None)), "{told:?}");
    // The agent's backlog arrives.
    let script =
        format!("0 open; 300 pulse; 600 ask n=1 yuan=88 card=6691; 602 ok n=1; {LISTENED}");
    let commits = in_commits(&script);
    for mut commit in commits.into_iter().skip(1) {
        commit.journal.clear();
        shop.store.commit(&commit).expect("a commit");
    }
    shop.desk.follow(&mut complaint, at(26 * 60 * MINUTE)).expect("a round");
    assert!(complaint.chosen.is_some());
    let ended = ("A25:complaint:1".to_owned(), Stage::Alerting, Some(Resolution::ComplaintMatched));
    assert!(shop.news().contains(&ended), "{:?}", shop.news());
}

#[test]
fn a_date_is_reminded_of_told_when_it_passed_and_ends_with_an_answer() {
    let script = format!("0 open; 600 ask n=1 yuan=88 card=6691; 602 ok n=1; {LISTENED}");
    let mut shop = house(&script);
    let opened =
        shop.desk.open_at(&typed("88", "6691"), None, at(60 * MINUTE)).expect("it is opened");
    let mut complaint = opened.complaint;
    let mut stale = complaint.clone();
    let due = "S02:complaint:1".to_owned();
    assert_eq!(shop.news(), []);
    shop.desk.follow(&mut complaint, at(60 * MINUTE + DAY - MINUTE)).expect("a round");
    assert_eq!(shop.news(), [(due.clone(), Stage::Alerting, None)]);
    assert!(!shop.desk.follow(&mut complaint, at(60 * MINUTE + DAY - 1)).expect("a round"));
    shop.desk.follow(&mut complaint, at(60 * MINUTE + DAY)).expect("a round");
    assert_eq!(shop.news().last(), Some(&(due.clone(), Stage::Confirmed, None)));
    let looked = shop.desk.look_at(1, at(60 * MINUTE + DAY)).expect("it is there");
    assert!(looked.is_overdue);
    shop.desk.answer_at(1, at(61 * MINUTE + DAY)).expect("it is answered");
    let ended = shop.news().last().cloned();
    assert_eq!(ended, Some((due, Stage::Confirmed, Some(Resolution::ShopperAnswered))));
    // Two hands at once: what was read before the other wrote is not written over it.
    assert!(matches!(shop.desk.follow(&mut stale, at(3 * DAY)), Err(StoreError::Busy)));
    let closed = shop.desk.close_at(1, false, at(3 * DAY)).expect("it is closed");
    assert!(
        closed.due.is_none()
            && closed.complaint.given.is_some_and(|given| given.kept == Some(false))
    );
    assert!(matches!(shop.desk.answer_at(1, at(3 * DAY)), Err(DeskError::Closed(1))));
    assert!(matches!(shop.desk.answer_at(9, at(3 * DAY)), Err(DeskError::Unknown(9))));
}

#[test]
fn a_card_number_is_kept_nowhere() {
    let mut shop = house("0 open; 300 pulse");
    let card = "6225760000006697";
    for form in [
        Typed { note: format!("my card {card}"), ..typed("88", "6691") },
        Typed { last_four: card.into(), ..typed("88", "") },
        Typed { order: card.into(), ..typed("88", "") },
    ] {
        let refused = shop.desk.open_at(&form, None, at(0)).expect_err("a card number");
        let told = format!("{refused} {refused:?}");
        assert!(
            matches!(refused, DeskError::Refused(Refusal::CardNumber(_))) && !told.contains("6225")
        );
    }
    assert_eq!(shop.desk.list_at(Which::All, at(0)).expect("a list"), []);
    let reader: &mut dyn Reader = &mut *shop.store.reader().expect("a reader");
    assert_eq!(reader.findings(ArrivalTime(0), false, 10).expect("findings").len(), 0);
    for file in std::fs::read_dir(shop.directory.path().join("store")).expect("a directory") {
        let bytes = std::fs::read(file.expect("a file").path()).expect("it can be read");
        assert!(!bytes.windows(8).any(|window| window == &card.as_bytes()[4..12]));
    }
}
