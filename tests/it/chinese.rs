//! What a shopkeeper reads in Chinese is Chinese: the pages, papers and letters of a bad day are walked through, and no
//! English word stands there but names and the terms of the trade that Chinese slips carry, too.

use crate::complaints::{acquirers_file, ask, collector, get, post};
use crate::serial::payment;
use slipwatch_collector::run::STORE_FILE;
use slipwatch_tests::papers;
use slipwatch_tests::process::live::now_ms;
use slipwatch_tests::process::shop::{DEADLINES, Shop};
use slipwatch_tests::process::wait_for;
use slipwatch_tests::terminal::Story;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Latin words that stand in a Chinese sentence as they are: names of programs, formats and settings, the terms of the
/// trade, and what files say in their own words.
const TERMS: [&str; 24] = [
    "slipwatch",
    "English",
    "PDF",
    "ZIP",
    "XML",
    "UTF",
    "GBK",
    "SHA",
    "RRN",
    "STAN",
    "POS",
    "EUR",
    "agents",
    "row",
    "allinpay",
    "leshua",
    "camt",
    "MT",
    "till",
    "Fee",
    "fee",
    "evidence",
    "verify",
    "Ed",
];
/// Pages that are walked at most.
const PAGES_MAX: usize = 120;

/// The words of a text that are Latin, and neither a term nor part of a name, number, path or address.
pub(crate) fn strangers(text: &str) -> Vec<String> {
    let is_break =
        |sign: char| sign.is_whitespace() || !sign.is_ascii() || "()[]<>,;!?\"'%+".contains(sign);
    let is_name =
        |word: &str| word.chars().any(|sign| sign.is_ascii_digit() || ".-:/=@*#&$".contains(sign));
    text.split(is_break)
        .map(|word| word.trim_end_matches(['.', ':']))
        .filter(|word| word.len() > 1 && word.chars().any(|sign| sign.is_ascii_alphabetic()))
        .filter(|word| !is_name(word) && !TERMS.contains(word))
        .map(str::to_owned)
        .collect()
}

/// What a page shows. What a device said itself stands between `pre` and is left out.
fn shown(page: &str) -> String {
    let mut text = String::new();
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        text.push_str(&rest[..at]);
        text.push('\n');
        let tag = &rest[at..];
        let end = ["<pre", "<style", "<script"]
            .iter()
            .find(|skipped| tag.starts_with(**skipped))
            .and_then(|skipped| tag.find(&format!("</{}", &skipped[1..])))
            .unwrap_or(0);
        rest = &tag[end + tag[end..].find('>').map_or(0, |close| close + 1)..];
        if rest.len() == tag.len() {
            break;
        }
    }
    text.push_str(rest);
    for (name, sign) in [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&amp;", "&")] {
        text = text.replace(name, sign);
    }
    text
}

/// Holds what was read against the rule, place by place.
#[derive(Default)]
struct Read(BTreeMap<String, BTreeSet<String>>);

impl Read {
    fn text(&mut self, place: &str, text: &str) {
        assert!(!text.is_ascii(), "{place} holds no Chinese: {text}");
        for line in text.lines() {
            let found = strangers(line);
            if !found.is_empty() {
                let told = format!("{}: {}", found.join(" "), line.trim());
                self.0.entry(told).or_default().insert(place.to_owned());
            }
        }
    }

    fn page(&mut self, place: &str, page: &str) {
        self.text(place, &shown(page));
    }

    #[track_caller]
    fn check(&self) {
        let told: Vec<String> =
            self.0.iter().map(|(words, places)| format!("{words}\n    {places:?}")).collect();
        assert!(told.is_empty(), "English in Chinese:\n{}", told.join("\n"));
    }
}

/// Addresses in Chinese that a page leads to.
fn links(page: &str) -> Vec<String> {
    let parts = page.split("href=\"").skip(1).filter_map(|part| part.split('"').next());
    let ours = parts.filter(|path| path.starts_with('/') && path.contains("lang=zh-CN"));
    ours.map(|path| path.replace("&amp;", "&")).collect()
}

/// The shop's day, as a person types it.
fn today() -> String {
    let now = jiff::Timestamp::from_millisecond(now_ms()).expect("a time");
    now.to_zoned_datetime(jiff::tz::TimeZone::fixed(jiff::tz::offset(8))).date().to_string()
}

fn fixture(name: &str) -> Vec<u8> {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/settlement/profiles").join(name);
    std::fs::read(path).expect("a fixture")
}

/// Sends a file as a browser does, and gives the page that tells what came of it.
fn upload(shop: &Shop, name: &str, bytes: &[u8], profile: &str) -> String {
    let mut body = format!(
        "--cut\r\nContent-Disposition: form-data; name=\"profile\"\r\n\r\n{profile}\r\n\
         --cut\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n"
    )
    .into_bytes();
    body.extend(bytes);
    body.extend(b"\r\n--cut--\r\n");
    let kind = "Content-Type: multipart/form-data; boundary=cut\r\n";
    let sent = ask(shop.http_port(), "POST", "/statements?lang=zh-CN", kind, &body);
    match sent.location() {
        None => sent.body,
        Some(path) => wait_for("the end of the import", || {
            Some(get(shop, &path).body).filter(|page| !page.contains("http-equiv"))
        }),
    }
}

/// Files that are taken, and some of each kind that is not.
fn settlement(shop: &Shop, read: &mut Read) {
    let text = |name: &str| String::from_utf8(fixture(name)).expect("UTF-8");
    let allinpay = text("allinpay.csv");
    let wechat = text("wechat-trade.csv");
    let cut = &wechat[..wechat.find('总').expect("closing lines")];
    let files: Vec<(&str, Vec<u8>, &str)> = vec![
        ("allinpay.csv", allinpay.clone().into_bytes(), ""),
        ("alipay-trade.csv", fixture("alipay-trade.csv"), ""),
        ("wechat-trade.csv", fixture("wechat-trade.csv"), ""),
        ("wechat-trade.csv", fixture("wechat-trade.csv"), ""),
        ("leshua.txt", fixture("leshua.txt"), ""),
        ("stripe.csv", fixture("stripe-itemised.csv"), ""),
        ("adyen.csv", fixture("adyen-settlement-detail.csv"), ""),
        ("number.csv", allinpay.replace("1200.00", "1200,00").into_bytes(), ""),
        ("row.csv", allinpay.replace("消费", "未知").into_bytes(), ""),
        ("time.csv", allinpay.replace("2025-11-24", "2025/11/24").into_bytes(), ""),
        ("header.csv", wechat.clone().into_bytes(), "allinpay"),
        ("cut.csv", cut.as_bytes().to_vec(), ""),
        ("middle.csv", allinpay.as_bytes()[..allinpay.len() - 30].to_vec(), ""),
        ("encoding.csv", [allinpay.as_bytes(), b"\xff\xff\n"].concat(), "allinpay"),
        ("unknown.txt", b"nothing that anybody knows\n".to_vec(), ""),
        ("damaged.zip", b"PK\x03\x04 and nothing more".to_vec(), ""),
        ("bank.sta", b":61:1\n".to_vec(), "mt940"),
        ("bank.xml", b"<Document><a></b>".to_vec(), "camt"),
        ("profile.csv", allinpay.into_bytes(), "no-such"),
        ("empty.csv", Vec::new(), ""),
    ];
    for (name, bytes, profile) in files {
        read.page(&format!("upload of {name}"), &upload(shop, name, &bytes, profile));
    }
    let screen = collector(shop, &["cases", "--chinese"]);
    read.text("cases --chinese", &String::from_utf8_lossy(&screen.stdout));
}

/// Complaints that are opened, answered, closed, and some that are not taken.
fn complaints(shop: &Shop, read: &mut Read) {
    let forms: [&[(&str, &str)]; 9] = [
        &[("amount", "88.00"), ("last_four", "6225760000006697")],
        &[("amount", "much")],
        &[("time", "yesterday")],
        &[("time", "2999-01-01 10:00")],
        &[("last_four", "12")],
        &[("shop", "no-such")],
        &[("trouble", "no-such")],
        &[("slack", "many"), ("time", "10:00")],
        &[],
    ];
    for form in forms {
        for path in ["/complaints/search?lang=zh-CN", "/complaints?lang=zh-CN"] {
            let answer = post(shop, path, form);
            if answer.status != 303 {
                read.page(&format!("{path} with {form:?}"), &answer.body);
            }
        }
    }
    let nowhere = [
        "/complaints/77?",
        "/case/none?",
        "/statement/77?",
        "/statement/x?",
        "/none?",
        "/?day=9999-12-31&",
    ];
    for path in nowhere.map(|path| format!("{path}lang=zh-CN")) {
        let page = get(shop, &path);
        assert!([400, 404].contains(&page.status), "{path}: {}", page.status);
        read.page(&path, &page.body);
    }
    read.page("an answer to none", &post(shop, "/complaints/77/answer?lang=zh-CN", &[]).body);
}

/// Reads a paper, and gives its words.
fn paper(shop: &Shop, path: &str, name: &str, read: &mut Read) -> String {
    let place: PathBuf = shop.path().join(name);
    let got = get(shop, path);
    assert_eq!(got.status, 200, "{path}");
    std::fs::write(&place, got.bytes).expect("room");
    let words = papers::words_of(&place);
    read.text(path, &words);
    words
}

#[test]
fn pages_papers_and_letters_of_a_bad_day_hold_no_english_sentence() {
    let mut shop = Shop::new();
    shop.set_language("zh-CN", "街角小店");
    shop.set_deadlines(&format!("{DEADLINES}\n[complaints]\nweekends = true\nunmatched_s = 1\n"));
    shop.open();
    shop.wait_until_heard();
    let stories = [
        Story::Sale,
        Story::Decline,
        Story::Abandoned,
        Story::Voided,
        Story::ElectronicSlip,
        Story::SlipUnwanted,
        Story::PaperOut,
        Story::MerchantCopyOnly,
        Story::PrintCancelled,
        Story::TimeoutReversed,
        Story::TimeoutReversalLost,
        Story::NoSlip,
    ];
    let played: Vec<_> =
        stories.iter().zip(1..).map(|(story, stan)| payment(10 * stan, *story)).collect();
    for payment in &played {
        shop.tell(payment);
    }
    let missed = played.last().expect("the last one");
    shop.wait_for_verdict(missed, "no_slip");
    wait_for("a letter", || (!shop.letters().is_empty()).then_some(()));
    let mut read = Read::default();
    settlement(&shop, &mut read);
    complaints(&shop, &mut read);
    let case = shop.stored().expect("a store").case_of(missed).expect("its case");
    let settled = acquirers_file(&shop, &[("消费", missed.stan, missed)]);
    let imported = collector(&shop, &["import", "--chinese", &settled.display().to_string()]);
    assert!(imported.status.success(), "{}", String::from_utf8_lossy(&imported.stderr));
    read.text("import --chinese", &String::from_utf8_lossy(&imported.stdout));
    let (amount, four) = (missed.amount as f64 / 100.0, format!("{:04}", missed.last_four));
    let amount = format!("{amount:.2}");
    let said = ["--time", &today(), "--amount", &amount, "--last-four", &four, "--case", &case];
    let opened = collector(&shop, &[&["complaint", "open", "--chinese"], &said[..]].concat());
    assert!(opened.status.success(), "{}", String::from_utf8_lossy(&opened.stderr));
    read.text("complaint open --chinese", &String::from_utf8_lossy(&opened.stdout));
    let listed = collector(&shop, &["complaint", "list", "--chinese"]);
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let number = listed.split_whitespace().next().expect("a number").to_owned();
    let answered = collector(&shop, &["complaint", "answer", "--chinese", &number]);
    read.text("complaint answer --chinese", &String::from_utf8_lossy(&answered.stdout));
    let nothing = ["complaint", "open", "--chinese", "--time", &today(), "--amount", "1.23"];
    let opened = collector(&shop, &nothing);
    read.text("a complaint that fits nothing", &String::from_utf8_lossy(&opened.stdout));
    wait_for("a letter about a complaint", || {
        shop.letters().iter().any(|letter| letter.text().contains("投诉")).then_some(())
    });

    let mut seen = BTreeSet::new();
    let mut wanted: Vec<String> = ["/", "/?all=1", "/agents", "/statements", "/complaints?all=1"]
        .map(|path| format!("{path}{}lang=zh-CN", if path.contains('?') { '&' } else { '?' }))
        .to_vec();
    while let Some(path) = wanted.pop() {
        if seen.len() >= PAGES_MAX || !seen.insert(path.clone()) {
            continue;
        }
        // Papers are read one of a kind, below.
        if path.contains(".pdf") || path.contains(".zip") || path.contains("day=") {
            continue;
        }
        let page = get(&shop, &path);
        assert_eq!(page.status, 200, "{path}");
        read.page(&path, &page.body);
        wanted.extend(links(&page.body));
    }
    for of in ["/case/", "/statement/", "/complaints/"] {
        assert!(
            seen.iter().any(|path| path.starts_with(of)),
            "no page of {of} was walked: {seen:?}"
        );
    }
    let evidence = format!("/case/{case}/evidence.pdf?lang=zh-CN");
    let evidence = paper(&shop, &evidence, "evidence.pdf", &mut read);
    assert!(evidence.contains("结算本笔"), "the row that settles it is missing in {evidence}");
    for file in 1..=2 {
        paper(
            &shop,
            &format!("/statement/{file}/summary.pdf?lang=zh-CN"),
            "summary.pdf",
            &mut read,
        );
    }
    paper(&shop, &format!("/complaints/{number}/answer.pdf?lang=zh-CN"), "answer.pdf", &mut read);
    for letter in shop.letters() {
        let text = letter.text();
        let (plain, marked) = text.split_once("<!DOCTYPE").expect("a letter in both forms");
        read.text("a letter", plain);
        read.page("a letter", &format!("<!DOCTYPE{marked}"));
    }
    read.check();
}

#[test]
fn a_store_that_does_not_answer_is_told_as_a_page() {
    let mut shop = Shop::new();
    shop.start_collector();
    let base = rusqlite::Connection::open(shop.path().join("store").join(STORE_FILE));
    let base = base.expect("the store can be opened");
    let rename = |from: &str, to: &str| {
        base.execute_batch(&format!("ALTER TABLE {from} RENAME TO {to}")).expect("a free store");
    };
    rename("agents", "away");
    let page = get(&shop, "/agents?lang=zh-CN");
    assert_eq!(page.status, 503, "{}", page.body);
    assert!(page.body.contains("暂时看不到"), "{}", page.body);
    let mut read = Read::default();
    read.page("/agents", &page.body);
    read.check();
    let page = get(&shop, "/agents?lang=en");
    assert!(page.body.contains("Nothing that was heard is lost"), "{}", page.body);
    rename("away", "agents");
    assert_eq!(get(&shop, "/agents?lang=zh-CN").status, 200);
}

#[test]
fn an_english_word_is_told_from_names_and_terms() {
    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        assert_eq!(strangers(text), expected, "{text}");
    }
    check("第 3 行：expected a time，实际是“x”", &["expected", "time"]);
    check("slipwatch-collector 的日志，A01:shop-1.till-1.1.42，detail-20251124.csv", &[]);
    check("（PDF），参考号 RRN，时间写法 %Y-%m-%d", &[]);
    check("trade_count", &["trade_count"]);
    assert_eq!(
        shown("<p>甲<pre>evt <b>x</b></pre> 乙&lt;b&gt;</p>")
            .split_whitespace()
            .collect::<String>(),
        "甲乙<b>"
    );
}
