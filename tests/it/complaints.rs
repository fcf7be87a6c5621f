//! The complaint desk as shop and shopper meet it: a real shop's day, the form over HTTP, the command line, letters through
//! a real mail server, and the answer that is taken along, rendered. `SLIPWATCH_PAPERS=DIR` keeps the papers there, to be
//! looked at.

use crate::serial::payment;
use slipwatch_collector::settlement::standing::Standing;
use slipwatch_tests::process::live::now_ms;
use slipwatch_tests::process::mail::MailServer;
use slipwatch_tests::process::shop::{DEADLINES, Shop, TERMINAL};
use slipwatch_tests::process::{binary, installed, wait_for};
use slipwatch_tests::terminal::{Payment, Story, Word};
use slipwatch_tests::voice::key_value::plain_line;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Every day is a business day, whatever day the test is run on.
const EVERY_DAY: &str = "[complaints]\nweekends = true\n";

/// An answer of the pages.
pub struct Answer {
    pub status: u16,
    head: String,
    pub body: String,
    pub bytes: Vec<u8>,
}

impl Answer {
    /// Where it leads.
    pub fn location(&self) -> Option<String> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let mut named = lines.filter(|(name, _)| name.eq_ignore_ascii_case("location"));
        named.next().map(|(_, path)| path.trim().to_owned())
    }
}

pub fn ask(port: u16, method: &str, path: &str, headers: &str, body: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("the collector listens");
    stream.set_read_timeout(Some(std::time::Duration::from_secs(30))).expect("a socket");
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).expect("it takes a head");
    // One that is refused for its size may be answered before it is read to its end.
    let _ = stream.write_all(body);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let cut = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
    let head = String::from_utf8_lossy(&answer[..cut]).into_owned();
    let bytes = answer[cut + 4..].to_vec();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    Answer { status, head, body: String::from_utf8_lossy(&bytes).into_owned(), bytes }
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

pub fn post(shop: &Shop, path: &str, fields: &[(&str, &str)]) -> Answer {
    let body: Vec<String> =
        fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    let kind = "Content-Type: application/x-www-form-urlencoded\r\n";
    ask(shop.http_port(), "POST", path, kind, body.join("&").as_bytes())
}

pub fn get(shop: &Shop, path: &str) -> Answer {
    ask(shop.http_port(), "GET", path, "", b"")
}

pub fn collector(shop: &Shop, arguments: &[&str]) -> Output {
    let settings = shop.path().join("collector.toml").display().to_string();
    let mut command = Command::new(binary("slipwatch-collector"));
    command.args(arguments).args(["--config", &settings]);
    command.output().expect("the collector's program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A moment as a shopper tells it, by the shop's clock.
fn shoppers_time(at_ms: i64, format: &str) -> String {
    let at = jiff::Timestamp::from_millisecond(at_ms).expect("a time");
    at.to_zoned_datetime(jiff::tz::TimeZone::fixed(jiff::tz::offset(8)))
        .strftime(format)
        .to_string()
}

fn amount(payment: &Payment) -> String {
    format!("{}.{:02}", payment.amount / 100, payment.amount % 100)
}

fn last_four(payment: &Payment) -> String {
    format!("{:04}", payment.last_four)
}

/// What a shopper remembers of a payment that was just made.
fn remembered(payment: &Payment) -> Vec<String> {
    let time = shoppers_time(now_ms(), "%Y-%m-%d %H:%M");
    let parts = ["--time", &time, "--amount", &amount(payment), "--last-four", &last_four(payment)];
    parts.into_iter().map(str::to_owned).collect()
}

fn json(output: &Output) -> serde_json::Value {
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("one object")
}

/// Opens a complaint on the command line, answers it, and gives what the shopper was told.
fn complain(shop: &Shop, payment: &Payment, trouble: &str) -> serde_json::Value {
    let remembered = remembered(payment);
    let mut arguments = vec!["complaint", "open", "--json", "--trouble", trouble];
    arguments.extend(remembered.iter().map(String::as_str));
    let opened = json(&collector(shop, &arguments));
    let number = opened["complaint"].to_string();
    json(&collector(shop, &["complaint", "answer", "--json", &number]))
}

#[track_caller]
fn check(told: &serde_json::Value, outcome: &str, reason: &str) {
    assert_eq!(told["given"]["outcome"], outcome, "{told:#}");
    assert_eq!(told["given"]["reason"], reason, "{told:#}");
}

fn open_shop(complaints: &str) -> Shop {
    let mut shop = Shop::new();
    shop.set_deadlines(&format!("{DEADLINES}\n{complaints}"));
    shop.open();
    shop.wait_until_heard();
    shop
}

fn refund_line(payment: &Payment, stan: u32) -> String {
    let said = format!(
        "refund phase=approved amt={} cur=CNY stan={stan:06} batch=000001 orig_stan={:06} orig_batch=000001 \
         card={:06}******{:04}",
        payment.amount, payment.stan, payment.first_six, payment.last_four
    );
    plain_line(&said, TERMINAL, now_ms())
}

/// An acquirer's file of today with these rows: word, trace and payment.
pub fn acquirers_file(shop: &Shop, rows: &[(&str, u32, &Payment)]) -> PathBuf {
    let header = "商户号,门店名称,终端号,交易时间,交易类型,交易批次号,凭证号,参考号,卡号,卡类别,发卡行机构代码,\
        发卡行名称,交易金额,手续费,交易日期,交易单号,订单号,商户备注,对接应用号,原始金额,结算金额,产品类型,分期贴息,\
        交易完成时间";
    let mut file = format!("\u{feff}{header}\r\n");
    let (day, time) = (shoppers_time(now_ms(), "%Y-%m-%d"), shoppers_time(now_ms(), "%H:%M:%S"));
    for (word, stan, payment) in rows {
        let amount = amount(payment);
        let card = format!("{:06}******{:04}", payment.first_six, payment.last_four);
        file.push_str(&format!(
            "898310154110123,店,{TERMINAL},{time},{word},000001,{stan:06},,{card},借记卡,01020000,银行,{amount},0.00,{day},\
             ,,,,{amount},{amount},收单,0.00,{day} {time}\r\n"
        ));
    }
    let path = shop.path().join("acquirer.csv");
    std::fs::write(&path, file).expect("room for a file");
    path
}

#[test]
fn each_of_the_six_outcomes_comes_out_of_a_shops_day() {
    let mut shop = open_shop(EVERY_DAY);
    let late = payment(10, Story::LateReprint);
    let undone = payment(20, Story::TimeoutReversed);
    let refused = payment(30, Story::Decline);
    let missed = payment(40, Story::NoSlip);
    let refunded = payment(50, Story::Sale);
    let credited = payment(60, Story::Sale);
    let back =
        late.spoken.iter().position(|spoken| spoken.word == Word::PaperBack).expect("a new roll");
    shop.tell_words(&late, &late.spoken[..back]);
    shop.wait_for_verdict(&late, "no_slip");
    shop.tell_words(&late, &late.spoken[back..]);
    for played in [&undone, &refused, &missed, &refunded, &credited] {
        shop.tell(played);
    }
    for (refunded, stan) in [(&refunded, 901), (&credited, 902)] {
        let line = refund_line(refunded, stan);
        shop.device().write(line.as_bytes());
    }
    shop.wait_for_verdict(&late, "printed_late");
    shop.wait_for_verdict(&missed, "no_slip");
    for given_back in [&refunded, &credited] {
        wait_for("a refund", || {
            let mut stored = shop.stored()?;
            let id = stored.case_of(given_back)?;
            let view = stored.cases().into_iter().find(|view| view.id.to_string() == id)?;
            (Standing::of(&view.case) == Standing::Refunded).then_some(())
        });
    }
    check(&complain(&shop, &late, "no_slip"), "slip_reprinted", "reprinted");
    check(&complain(&shop, &undone, "no_slip"), "reversal_done", "reversed");
    check(&complain(&shop, &refused, "no_slip"), "no_such_debit", "declined");
    check(&complain(&shop, &missed, "no_slip"), "under_inquiry", "slip_owed");
    check(&complain(&shop, &refunded, "refund_missing"), "refund_started", "refund_approved");
    // The acquirer's file has the sale and the refund of the last one: the money is on its way.
    let file =
        acquirers_file(&shop, &[("消费", credited.stan, &credited), ("退货", 902, &credited)]);
    let imported = collector(&shop, &["import", "--json", &file.display().to_string()]);
    assert!(imported.status.success(), "{}{}", text(&imported.stdout), text(&imported.stderr));
    let told = complain(&shop, &credited, "refund_missing");
    check(&told, "money_back_expected", "credited");
    // A digit of the card wrong, and it is found all the same, and said so.
    let time = shoppers_time(now_ms(), "%H:%M");
    let four = format!("{:04}", (missed.last_four + 1) % 10_000);
    let arguments = [
        "complaint",
        "search",
        "--json",
        "--time",
        &time,
        "--amount",
        &amount(&missed),
        "--last-four",
        &four,
    ];
    let found = json(&collector(&shop, &arguments));
    assert_eq!(found["matches"][0]["level"], "likely", "{found:#}");
    // Nothing fits, and the shop was not heard before it was opened: that is no "no such debit".
    let missing = Payment { amount: 123, last_four: 1, ..missed.clone() };
    check(&complain(&shop, &missing, "no_slip"), "under_inquiry", "not_heard");
    // The slip that is owed comes, and the promise is kept by itself.
    let reprint = format!(
        "print_done copy=customer amt={} cur=CNY stan={:06} reprint=yes",
        missed.amount, missed.stan
    );
    shop.device().write(plain_line(&reprint, TERMINAL, now_ms()).as_bytes());
    wait_for("a promise that is kept", || {
        (shop.sample("slipwatch_complaint_promises_total{result=\"kept\"}")? > 0.0).then_some(())
    });
    let asked = [("slip_reprinted", 1.0), ("no_such_debit", 1.0), ("under_inquiry", 2.0)];
    for (outcome, count) in asked {
        let series = format!("slipwatch_complaints_answered_total{{outcome=\"{outcome}\"}}");
        assert_eq!(shop.sample(&series), Some(count), "{outcome}");
    }
    let listed = text(&collector(&shop, &["complaint", "list", "--chinese"]).stdout);
    assert!(listed.contains("款项正在退回") && listed.lines().count() == 7, "{listed}");
}

#[test]
fn a_search_says_that_a_complaint_about_the_payment_is_open_already() {
    let mut shop = open_shop(EVERY_DAY);
    let missed = payment(40, Story::NoSlip);
    shop.tell(&missed);
    shop.wait_for_verdict(&missed, "no_slip");
    let remembered = remembered(&missed);
    let search = |more: &[&str]| {
        let mut arguments = vec!["complaint", "search"];
        arguments.extend(remembered.iter().map(String::as_str));
        arguments.extend(more);
        collector(&shop, &arguments)
    };
    let form = [
        ("time", remembered[1].as_str()),
        ("amount", &remembered[3]),
        ("last_four", &remembered[5]),
        ("trouble", "no_slip"),
    ];
    let told = "Complaint 1 about this payment is open already.";
    assert!(!text(&search(&[]).stdout).contains("is open already"));
    assert_eq!(post(&shop, "/complaints", &form).status, 303);
    let shown = post(&shop, "/complaints/search?lang=en", &form).body;
    let link = format!("<a href=\"/complaints/1?lang=en\">{told}</a>");
    assert!(shown.contains(&link), "{link} is missing in {shown}");
    let shown = post(&shop, "/complaints/search?lang=zh-CN", &form).body;
    assert!(shown.contains("这笔交易已有投诉 1 号，尚未关闭。"), "{shown}");
    let screen = text(&search(&[]).stdout);
    assert!(screen.contains(told), "{screen}");
    let screen = text(&search(&["--chinese"]).stdout);
    assert!(screen.contains("这笔交易已有投诉 1 号，尚未关闭。"), "{screen}");
    let found = json(&search(&["--json"]));
    assert_eq!(found["matches"][0]["also_open"], serde_json::json!([1]), "{found:#}");
    let closed = collector(&shop, &["complaint", "close", "1"]);
    assert!(closed.status.success(), "{}", text(&closed.stderr));
    assert!(!text(&search(&[]).stdout).contains("is open already"));
}

#[test]
fn a_complaint_that_fits_nothing_is_told_and_joined_when_the_spool_comes() {
    let mut shop = Shop::with_mosquitto();
    shop.set_deadlines(&format!("{DEADLINES}\n{EVERY_DAY}unmatched_s = 1\n"));
    shop.open();
    shop.wait_until_heard();
    shop.mosquitto.as_mut().expect("it is there").kill();
    let missed = payment(70, Story::NoSlip);
    shop.tell(&missed);
    let time = shoppers_time(now_ms(), "%Y-%m-%d %H:%M");
    let (amount, four) = (amount(&missed), last_four(&missed));
    let form = [
        ("time", time.as_str()),
        ("amount", &amount),
        ("last_four", &four),
        ("trouble", "no_slip"),
    ];
    let opened = post(&shop, "/complaints", &form);
    assert_eq!(opened.status, 303, "{}", opened.body);
    let letter = wait_for("a letter of A25", || {
        shop.letters()
            .into_iter()
            .find(|letter| letter.text().contains("Complaint fits no payment"))
    });
    let told = letter.text();
    assert!(told.contains("complaint 1") && told.contains("/complaints/1?lang=en"), "{told}");
    assert!(!told.contains("settlement file confirms"), "{told}");
    shop.mosquitto.as_mut().expect("it is there").start_again();
    shop.wait_for_verdict(&missed, "no_slip");
    let thread = letter.header("Message-ID").expect("a letter has a name");
    let ended = wait_for("the letter that ends it", || {
        let of_thread =
            |header: Option<String>| header.is_some_and(|names| names.contains(&thread));
        shop.letters().into_iter().find(|letter| of_thread(letter.header("References")))
    });
    assert!(
        ended.text().contains("The payment behind the complaint was found."),
        "{}",
        ended.text()
    );
    let page = get(&shop, "/complaints/1?lang=en").body;
    assert!(
        page.contains("payment found by itself") && page.contains("slip did not come out"),
        "{page}"
    );
}

#[test]
fn a_promised_date_is_reminded_of_and_told_by_mail_when_it_passes() {
    let mut shop = Shop::new();
    let directory = shop.subdirectory("smtp");
    let server = MailServer::open(&directory);
    shop.set_mail(&format!(
        "[mail.smtp]\nhost = \"127.0.0.1\"\nport = {}\nsecurity = \"none\"\n",
        server.port
    ));
    shop.set_deadlines(&format!("{DEADLINES}\n{EVERY_DAY}remind_before_s = 86000\n"));
    shop.open();
    shop.wait_until_heard();
    let sale = payment(80, Story::Sale);
    shop.tell(&sale);
    shop.wait_for_verdict(&sale, "printed");
    // It came in a business day ago but for some seconds: its first answer is due in those.
    let received = shoppers_time(now_ms() - 86_400_000 + 9_000, "%Y-%m-%d %H:%M:%S");
    let mut arguments = vec!["complaint", "open", "--received", &received];
    let remembered = remembered(&sale);
    arguments.extend(remembered.iter().map(String::as_str));
    let opened = collector(&shop, &arguments);
    assert!(opened.status.success(), "{}", text(&opened.stderr));
    let reminded = wait_for("a reminder", || server.letters().into_iter().next());
    let told = reminded.text();
    assert!(told.contains("Promise to a shopper is due, complaint 1"), "{told}");
    assert!(told.contains("Due:") && told.contains("/complaints/1?lang=en"), "{told}");
    let passed = wait_for("the word that it passed", || server.letters().into_iter().nth(1));
    assert!(passed.text().contains("Promise to a shopper not kept"), "{}", passed.text());
    let thread = reminded.header("Message-ID").expect("a letter has a name");
    assert!(passed.header("References").is_some_and(|names| names.contains(&thread)));
    wait_for("one that is overdue", || {
        (shop.sample("slipwatch_complaints_overdue")? == 1.0).then_some(())
    });
    assert_eq!(post(&shop, "/complaints/1/answer", &[]).status, 303);
    let ended = wait_for("the letter that ends it", || server.letters().into_iter().nth(2));
    assert!(ended.text().contains("The shopper was answered."), "{}", ended.text());
    assert_eq!(post(&shop, "/complaints/1/close", &[("kept", "1")]).status, 303);
    wait_for("none that is open", || {
        (shop.sample("slipwatch_complaints_open")? == 0.0).then_some(())
    });
    assert_eq!(server.letters().len(), 3, "each is told once");
}

/// Numbers that pass Luhn in ranges of real issuers; nobody's cards.
const CARDS: [&str; 3] =
    ["6225760000006697", "4111 1111 1111 1111", "５５５５-５５５５-５５５５-４４４４"];

fn files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, found);
        } else if path.is_file() {
            found.push(path);
        }
    }
}

#[test]
fn a_card_number_typed_anywhere_is_kept_and_shown_nowhere() {
    let shop = open_shop(EVERY_DAY);
    let mut shown = Vec::new();
    let fields = [
        "shop",
        "time",
        "slack",
        "amount",
        "last_four",
        "order",
        "trouble",
        "note",
        "contact",
        "language",
        "received",
        "source",
    ];
    for card in CARDS {
        for field in fields {
            let mut form = vec![("time", "14:05"), ("amount", "88")];
            form.retain(|(name, _)| *name != field);
            form.push((field, card));
            for path in ["/complaints/search", "/complaints"] {
                let answer = post(&shop, path, &form);
                // What names no field of the form is not read at all; all else is refused.
                let told = answer.body.contains("完整卡号，没有保存");
                assert!(told && answer.status == 422 || field == "source", "{path} {field}");
                shown.push(answer.head + &answer.body);
            }
            let object: serde_json::Map<String, serde_json::Value> = form
                .iter()
                .map(|(name, value)| ((*name).to_owned(), serde_json::Value::from(*value)))
                .collect();
            let body = serde_json::to_vec(&object).expect("an object");
            let kind = "Content-Type: application/json\r\n";
            let answer = ask(shop.http_port(), "POST", "/api/complaints", kind, &body);
            assert!(answer.status == 422 || field == "source", "{field}: {}", answer.status);
            shown.push(answer.head + &answer.body);
        }
        let plain: String = card.chars().filter(char::is_ascii_digit).collect();
        for path in [
            format!("/complaints?note={}", encoded(card)),
            format!("/complaints/{}", encoded(card)),
            format!("/api/complaints/{plain}"),
            format!("/complaints/{plain}/answer.pdf"),
        ] {
            let answer = get(&shop, &path);
            shown.push(answer.head + &answer.body);
        }
        for arguments in [
            vec!["complaint", "search", "--time", "14:05", "--amount", "88", "--last-four", card],
            vec!["complaint", "open", "--time", "14:05", "--amount", "88", "--note", card],
            vec!["complaint", "search", card],
            vec!["complaint", card],
            vec!["complaint", "answer", card],
        ] {
            let output = collector(&shop, &arguments);
            assert_eq!(output.status.code(), Some(65), "{}", text(&output.stderr));
            shown.push(text(&output.stdout) + &text(&output.stderr));
        }
    }
    shown.push(shop.metrics().expect("metrics"));
    assert!(
        shop.sample("slipwatch_complaint_forms_refused_total{reason=\"card_number\"}")
            >= Some(90.0),
        "refusals are counted"
    );
    let mut all: Vec<(String, Vec<u8>)> =
        shown.into_iter().map(|text| ("an answer".to_owned(), text.into_bytes())).collect();
    let mut found = Vec::new();
    files(shop.path(), &mut found);
    all.extend(found.into_iter().map(|path| {
        let bytes = std::fs::read(&path).unwrap_or_default();
        (path.display().to_string(), bytes)
    }));
    assert!(
        all.iter().any(|(name, _)| name.contains("collector.sqlite")),
        "the store was searched"
    );
    for card in CARDS {
        for needle in [card.to_owned(), encoded(card)] {
            let hit = all.iter().find(|(_, bytes)| {
                bytes.windows(needle.len()).any(|window| window == needle.as_bytes())
            });
            // The number of the path is all that a page is asked for; it is in no log and no answer.
            assert!(hit.is_none(), "{needle} in {}", hit.map_or("", |found| &found.0));
        }
    }
}

#[test]
fn hostile_forms_are_escaped_bounded_or_refused() {
    let shop = open_shop(EVERY_DAY);
    let evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>=HYPERLINK(\"http://x\")";
    let form = [("time", "14:05"), ("amount", "88"), ("note", evil), ("contact", evil)];
    let searched = post(&shop, "/complaints/search", &form);
    assert_eq!(searched.status, 200, "{}", searched.body);
    assert_eq!(post(&shop, "/complaints", &form).status, 303);
    let pages = [
        searched.body,
        get(&shop, "/complaints/1").body,
        get(&shop, "/complaints/1/answer.html").body,
    ];
    for page in &pages {
        assert!(!page.contains("<script") && !page.contains("<img"), "{page}");
        assert!(page.contains("&lt;script&gt;"), "{page}");
    }
    let head = get(&shop, "/complaints/1").head.to_ascii_lowercase();
    assert!(head.contains("content-security-policy: default-src 'none'"), "{head}");
    for (field, value, status) in [
        ("amount", "=1+1", 422),
        ("amount", "-88", 422),
        ("time", "1' OR '1'='1", 422),
        ("shop", "../../etc/passwd", 422),
        ("order", "'; DROP TABLE complaints; --", 422),
        ("trouble", "all_of_them", 422),
        ("note", &"长".repeat(501), 413),
    ] {
        let mut form = vec![("time", "14:05"), ("amount", "88")];
        form.retain(|(name, _)| *name != field);
        form.push((field, value));
        let answer = post(&shop, "/complaints/search", &form);
        assert_eq!(answer.status, status, "{field}={value}: {}", answer.body);
        assert!(answer.body.contains("role=\"alert\""), "{}", answer.body);
    }
    let kind = "Content-Type: application/x-www-form-urlencoded\r\n";
    let large = format!("note={}", "x".repeat(100_000));
    let answer = ask(shop.http_port(), "POST", "/complaints", kind, large.as_bytes());
    assert!((400..500).contains(&answer.status) && answer.body.len() < 10_000, "{}", answer.status);
    let torn = ask(shop.http_port(), "POST", "/complaints", kind, b"note=%ff%fe&time=%");
    assert!((400..500).contains(&torn.status), "{}", torn.status);
    // A page of another site cannot write here.
    let foreign = format!("{kind}Origin: http://evil.example\r\n");
    let answer = ask(shop.http_port(), "POST", "/complaints", &foreign, b"time=14%3A05&amount=88");
    assert_eq!(answer.status, 403, "{}", answer.body);
    let foreign = format!("{kind}Sec-Fetch-Site: cross-site\r\n");
    let answer = ask(shop.http_port(), "POST", "/complaints/1/close", &foreign, b"");
    assert_eq!(answer.status, 403, "{}", answer.body);
    let plain = "Content-Type: text/plain\r\n";
    let answer = ask(
        shop.http_port(),
        "POST",
        "/api/complaints",
        plain,
        b"{\"time\":\"14:05\",\"amount\":\"88\"}",
    );
    assert_eq!(answer.status, 415, "{}", answer.body);
    assert_eq!(get(&shop, "/complaints/99").status, 404);
    assert_eq!(post(&shop, "/complaints/99/answer", &[]).status, 404);
    assert_eq!(post(&shop, "/complaints/1/choose", &[("source", "payment:nonsense")]).status, 404);
    let listed = json(&collector(&shop, &["complaint", "list", "--all", "--json"]));
    assert_eq!(listed["complaint"], 1, "one was written down: {listed}");
}

/// The words of a document, as a person reads them; the document and its picture are kept where the environment says.
fn words_of(shop: &Shop, name: &str, bytes: &[u8]) -> String {
    let pdf = shop.path().join(format!("{name}.pdf"));
    std::fs::write(&pdf, bytes).expect("room for a file");
    let mut tool = Command::new(installed("pdftotext", "poppler-utils"));
    let words = tool.args(["-layout"]).arg(&pdf).arg("-").output().expect("pdftotext runs");
    assert!(words.status.success(), "{}", text(&words.stderr));
    let picture = shop.path().join(name);
    let mut tool = Command::new(installed("pdftoppm", "poppler-utils"));
    let drawn = tool.args(["-png", "-r", "80"]).arg(&pdf).arg(&picture).status();
    assert!(drawn.expect("pdftoppm runs").success());
    let picture = shop.path().join(format!("{name}-1.png"));
    let size = std::fs::metadata(&picture).expect("one page, drawn").len();
    assert!(size > 10_000, "a page with something on it: {size} bytes");
    if let Some(directory) = std::env::var_os("SLIPWATCH_PAPERS") {
        for path in [&pdf, &picture] {
            let name = path.file_name().expect("a name");
            std::fs::copy(path, Path::new(&directory).join(name)).expect("room for a file");
        }
    }
    text(&words.stdout)
}

#[test]
fn the_answer_is_taken_along_in_the_shoppers_language() {
    let mut shop = open_shop(EVERY_DAY);
    let missed = payment(90, Story::NoSlip);
    shop.tell(&missed);
    shop.wait_for_verdict(&missed, "no_slip");
    let time = shoppers_time(now_ms(), "%Y-%m-%d %H:%M");
    let (amount, four) = (amount(&missed), last_four(&missed));
    for (at, language, wanted) in [
        (
            1,
            "zh-CN",
            [
                "对您投诉的答复",
                "付款成功，凭条待补打",
                "只扣了一次",
                "不要再次付款",
                "之前补打凭条给您",
                "您告诉我们的",
                "我们找到的付款",
                "投诉 1 号",
                "银联 95516",
                "卡号后四位",
            ],
        ),
        (
            2,
            "en",
            [
                "Answer to your complaint",
                "Paid; your slip is to follow",
                "went through, once",
                "do not pay again",
                "You will have your slip by",
                "What you told us",
                "The payment we found",
                "number of your complaint, 2",
                "UnionPay 95516",
                "last four",
            ],
        ),
    ] {
        let note = "我付了钱，收银员说没有成功 / I paid";
        let form = [
            ("time", time.as_str()),
            ("amount", &amount),
            ("last_four", &four),
            ("language", language),
            ("note", note),
        ];
        let opened = post(&shop, "/complaints", &form);
        assert!(
            opened.status == 303 && opened.head.contains(&format!("/complaints/{at}?")),
            "{}",
            opened.head
        );
        assert_eq!(post(&shop, &format!("/complaints/{at}/answer"), &[]).status, 303);
        let sheet = get(&shop, &format!("/complaints/{at}/answer.html"));
        let document = get(&shop, &format!("/complaints/{at}/answer.pdf"));
        assert!(document.head.contains("application/pdf") && document.bytes.starts_with(b"%PDF"));
        let words = words_of(&shop, &format!("answer.{language}"), &document.bytes);
        let flat = words.split_whitespace().collect::<Vec<_>>().join(" ");
        for wanted in
            wanted.iter().copied().chain([four.as_str(), note, &format!("{:06}", missed.stan)])
        {
            let plain = wanted.to_lowercase();
            let holds = |text: &str| {
                let text = text.to_lowercase();
                text.contains(&plain) || text.replace(' ', "").contains(&plain.replace(' ', ""))
            };
            assert!(holds(&flat), "{wanted} is missing in:\n{words}");
            assert!(holds(&sheet.body), "{wanted} is missing in:\n{}", sheet.body);
        }
        assert!(!words.contains('\u{fffd}'), "a sign is missing:\n{words}");
        assert!(
            !words.contains(&format!("{:06}", missed.first_six)),
            "no more than the last four:\n{words}"
        );
        if let Some(directory) = std::env::var_os("SLIPWATCH_PAPERS") {
            let style = get(&shop, "/style.css").body;
            let page = get(&shop, &format!("/complaints/{at}?lang={language}")).body;
            let form = post(&shop, &format!("/complaints/search?lang={language}"), &form).body;
            for (name, page) in [("sheet", &sheet.body), ("page", &page), ("form", &form)] {
                let whole = page.replace(
                    "<link rel=\"stylesheet\" href=\"/style.css\">",
                    &format!("<style>{style}</style>"),
                );
                std::fs::write(
                    Path::new(&directory).join(format!("{name}.{language}.html")),
                    whole,
                )
                .expect("room");
            }
        }
    }
    // The same by the program, without the collector's pages.
    let file = shop.path().join("by-hand.pdf");
    let arguments = ["complaint", "answer", "1", "--dry", "--pdf", &file.display().to_string()];
    assert!(collector(&shop, &arguments).status.success());
    let words = words_of(&shop, "by-hand", &std::fs::read(&file).expect("a document"));
    assert!(words.contains("付款成功，凭条待补打"), "{words}");
}
