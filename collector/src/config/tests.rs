//! The shipped settings, and what wrong settings say.

use super::*;

const SHIPPED: &str = include_str!("../../config/collector.toml");

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(Path::new("collector.toml"), text)
}

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let error = parse(text).expect_err("the settings are wrong").to_string();
    for part in expected {
        assert!(error.contains(part), "{error:?} does not say {part:?}");
    }
}

/// The shipped file with each commented setting (`# key = …`) in force.
fn uncommented() -> String {
    let is_setting = |line: &str| {
        let Some(rest) = line.strip_prefix("# ") else { return false };
        let key = rest.split(['=', ' ']).next().unwrap_or_default();
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        (rest.contains(" = ") && !key.is_empty() && key.bytes().all(plain)) || rest.starts_with('[')
    };
    SHIPPED
        .lines()
        .map(|line| if is_setting(line) { &line[2..] } else { line })
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn the_shipped_settings_say_the_defaults() {
    let shipped = parse(SHIPPED).unwrap();
    let bare = parse("store.path = \"/var/lib/slipwatch-collector\"").unwrap();
    assert_eq!(shipped.store, bare.store);
    assert_eq!(shipped.retention, bare.retention);
    assert_eq!(shipped.broker, bare.broker);
    assert_eq!(shipped.http, bare.http);
    assert_eq!(shipped.limits, bare.limits);
    assert_eq!(shipped.deadlines, bare.deadlines);
    assert_eq!(shipped.deadlines, Deadlines::default());
    assert_eq!(shipped.thresholds, Thresholds::default());
    assert_eq!(shipped.agent_offline_ms, bare.agent_offline_ms);
    let least = "store.path = \"/x\"\n[mail]\nfrom = \"a@b.example\"\ndirectory = \"mail\"";
    let mail = |config: &Config| {
        let mail = config.mail.clone().unwrap();
        (
            mail.letters_per_hour_max,
            mail.cool_down_ms,
            mail.digest_minute,
            mail.burst_per_minute_max,
        )
    };
    assert_eq!(mail(&shipped), mail(&parse(least).unwrap()));
}

#[test]
fn every_commented_setting_of_the_shipped_file_is_one() {
    let text = uncommented().replace("[broker.external]", "[broker.extrenal]");
    check(&text, &["unknown field `extrenal`", "did you mean `external`?"]);
    // Two ways out of three alternatives are taken away, then all the rest must be sound.
    let mut text = uncommented();
    for (from, until) in [("[broker.embedded]", "[broker.external]"), ("directory = ", "\n")] {
        let start = text.find(from).unwrap();
        let end = start + text[start..].find(until).unwrap();
        text.replace_range(start..end, "");
    }
    let config = parse(&text).unwrap();
    assert!(matches!(config.broker, BrokerConfig::External(ExternalBroker { tls: Some(_), .. })));
    assert!(matches!(config.mail.unwrap().road, MailRoad::Smtp(_)));
}

#[test]
fn a_wrong_key_names_its_place_and_the_nearest_right_one() {
    let text = "store.path = \"/x\"\n[[shop]]\nname = \"s\"\n[[shop.terminal]]\nnumber = \"1\"\nwho_print = \"none\"\n";
    check(
        text,
        &["collector.toml:6:1:", "unknown field `who_print`", "did you mean `who_prints`?"],
    );
    check("store.path = \"/x\"\nstroe = 1", &["collector.toml:2:1:", "did you mean `store`?"]);
}

#[test]
fn a_wrong_value_names_its_place_and_what_was_expected() {
    let with = |text: &str| format!("store.path = \"/x\"\n{text}");
    check(&with("http.listen = \"here\""), &["collector.toml:2:15:"]);
    check(&with("deadlines.slip_alert_s = 0"), &["seconds, above 0"]);
    check(&with("[[shop]]\nname = \"Shop 1\""), &["collector.toml:3:8:", "lower-case letters"]);
    check(
        &with("[[shop]]\nname = \"s\"\n[[shop]]\nname = \"s\""),
        &["collector.toml:5:8:", "stands above"],
    );
    check(
        &with("[[shop]]\nname = \"s\"\nagents = [\"a\"]\n[[shop]]\nname = \"t\"\nagents = [\"a\"]"),
        &["collector.toml:7:11:", "no other agent"],
    );
    check(&with("[[shop]]\nname = \"s\"\nlanguage = \"fr\""), &["zh-CN"]);
    check(&with("[[shop]]\nname = \"s\"\ntime_zone = \"Mars\""), &["Asia/Shanghai"]);
    check(&with("[mail]\nfrom = \"a@b.example\""), &["either `mail.smtp` or `mail.directory`"]);
    check(&with("[mail]\nfrom = \"nobody\"\ndirectory = \"x\""), &["a mail address"]);
    check(&with("[broker.embedded]\n[broker.external]\nhost = \"x\""), &["one broker is enough"]);
    check(
        &with("broker.external = { host = \"x\", slots = [64] }"),
        &["expected a slot from 0 to 63"],
    );
    check(
        &with(
            "deadlines = { slip_alert_s = 5 }\n[[shop]]\nname = \"s\"\n[[shop.terminal]]\nnumber = \"1\"\nwho_prints = \"none\"",
        ),
        &["`slip_alert_s` at or above `slip_suspect_s`"],
    );
}

#[test]
fn a_terminal_inherits_what_it_does_not_say() {
    let text = "store.path = \"/x\"\ndeadlines = { slip_suspect_s = 1.5, slip_alert_s = 3 }\n[[shop]]\nname = \"s\"\nopening = \"09:00-22:00\"\nclosed = [\"sunday\", \"2026-02-17\"]\ntime_zone = \"+08:00\"\n\
        [[shop.terminal]]\nnumber = \"1\"\nwho_prints = \"terminal\"\nslip_due_from = \"10.00 CNY\"\ndeadlines = { silent_s = 60 }\n";
    let config = parse(text).unwrap();
    let policy = &config.policies().terminals.values().next().unwrap().clone();
    let deadlines = policy.deadlines.as_deref().unwrap();
    assert_eq!((deadlines.slip_suspect_ms, deadlines.slip_alert_ms), (1500, 3000));
    assert_eq!(deadlines.silent_ms, 60_000);
    assert_eq!(policy.copies, 2);
    assert_eq!(policy.slip_due_from.unwrap().minor, 1000);
    let opening = policy.opening.as_ref().unwrap();
    assert_eq!((opening.from_minute, opening.to_minute), (540, 1320));
    assert_eq!(opening.utc_offset_minutes, 480);
    assert_eq!((opening.closed_weekdays, &*opening.closed_days), (1 << 6, &[20501][..]));
}

#[test]
fn a_shop_and_a_terminal_overrule_the_fleet() {
    let text = "store.path = \"/x\"\nthresholds = { trace_jump = 60 }\n[[shop]]\nname = \"s\"\ndeadlines = { printer_out_s = 5 }\nthresholds = { printer_sales = 3 }\n\
        [[shop.terminal]]\nnumber = \"1\"\nwho_prints = \"terminal\"\nacquirer = \"898\"\nthresholds = { card_repeats = 0 }\n\
        [[shop.terminal]]\nnumber = \"2\"\nwho_prints = \"terminal\"\n\
        [[shop]]\nname = \"t\"\n[[shop.terminal]]\nnumber = \"3\"\nwho_prints = \"terminal\"\n";
    let config = parse(text).unwrap();
    let policies = config.policies();
    let mut of = policies.terminals.values();
    let mut next = || of.next().unwrap().clone();
    let one = next();
    assert_eq!(one.acquirer.unwrap().as_str(), "898");
    let one = one.thresholds.unwrap();
    assert_eq!((one.trace_jump, one.printer_sales, one.card_repeats), (60, 3, 0));
    assert_eq!(one.printer_out_ms, 5_000);
    assert_eq!(next().thresholds.unwrap().card_repeats, 5);
    assert_eq!(next().thresholds, None);
    assert_eq!(policies.thresholds.trace_jump, 60);
    let with = |text: &str| format!("store.path = \"/x\"\n[[shop]]\nname = \"s\"\n{text}");
    check(&with("deadlines = { agent_offline_s = 5 }"), &["of the fleet, not here"]);
    check(&with("thresholds = { printer_sales = 0 }"), &["expected a number from 1 to 8, found 0"]);
    check(
        &with(
            "thresholds = { skew_s = 1 }\n[[shop.terminal]]\nnumber = \"1\"\nwho_prints = \"none\"",
        ),
        &["in rising order"],
    );
}

#[test]
fn a_secret_is_told_by_its_place_and_never_by_its_text() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("smtp-password"), "swordfish\n").unwrap();
    let path = directory.path().join("collector.toml");
    let config = Config::parse(&path, "store.path = \"/x\"").unwrap();
    assert_eq!(config.secret(Path::new("smtp-password")).unwrap(), "swordfish");
    let missing = config.secret(Path::new("nowhere")).expect_err("it is not there").to_string();
    assert!(missing.contains("nowhere") && !missing.contains("swordfish"), "{missing}");
}
