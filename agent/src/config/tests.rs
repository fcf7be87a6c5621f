//! The shipped file shows every setting with its default, and a mistake is told with its line.

use super::*;

const SHIPPED: &str = include_str!("../../config/agent.toml");

/// The shipped file with its example sources in force: behind their `#` stands no blank.
fn with_examples() -> String {
    let line = |line: &str| match line.strip_prefix('#') {
        Some(rest) if !rest.starts_with(' ') => format!("{rest}\n"),
        _ => format!("{line}\n"),
    };
    SHIPPED.lines().map(line).collect()
}

#[test]
fn what_probe_adds_to_the_shipped_file_is_all_that_is_listened_to() {
    let block =
        "\n[[source]]\nname = \"tty0\"\ndialect = \"zvt\"\n[source.serial]\nport = \"/dev/tty0\"\n";
    let config = Config::parse("agent.toml", &format!("{SHIPPED}{block}")).expect("it is sound");
    let names: Vec<&str> = config.sources.iter().map(|source| source.name.as_str()).collect();
    assert_eq!(names, ["tty0"]);
}

#[test]
fn the_shipped_file_shows_every_setting_with_its_default() {
    let shipped = Config::parse("agent.toml", &with_examples()).expect("the shipped file is sound");
    let mut expected = Config::new(shipped.store.clone(), shipped.agent.clone());
    expected.sources = shipped.sources.clone();
    assert_eq!(shipped, expected);
    let plain = |dialect: &str, name: &str, serial: &str| {
        let text = format!(
            "store = \"s\"\nagent = \"a\"\n[[source]]\nname = \"{name}\"\ndialect = \"{dialect}\"\n{serial}"
        );
        Config::parse("x", &text).expect("the least that a source needs").sources.remove(0)
    };
    let port = "/dev/serial/by-id/usb-FTDI_USB-RS232_Cable-if00-port0";
    let serial = plain("cn-terminal", "terminal-1", &format!("serial = {{ port = \"{port}\" }}"));
    let file = plain("kv-en", "till-log", "file = { path = \"/var/log/till/pos.log\" }");
    let command = "command = { program = \"adb\", args = [\"logcat\", \"-v\", \"threadtime\"] }";
    let command = plain("logcat-pos", "android-terminal", command);
    assert_eq!(shipped.sources, [serial, file, command]);
    for key in ["user", "password_file", "ca_file", "certificate_file", "key_file", "terminal"] {
        assert!(SHIPPED.contains(&format!("# {key} = ")), "{key} has no default and is shown");
    }
    assert!(SHIPPED.contains("# [source.answers]\n# port = "), "the second receiver is shown");
}

#[test]
fn the_shipped_file_names_profiles_that_exist() {
    let shipped = Config::parse("agent.toml", &with_examples()).expect("the shipped file is sound");
    shipped.settings(Path::new("/")).expect("shipped profiles");
}

#[track_caller]
fn check(text: &str, expected: &str) {
    let head = "store = \"shop-1\"\nagent = \"till-1\"\n";
    let error = Config::parse("agent.toml", &format!("{head}{text}")).expect_err("a mistake");
    let found = error.to_string();
    assert!(found.contains(expected), "{found:?} does not say {expected:?}");
}

#[test]
fn a_mistake_is_told_with_file_line_and_the_nearest_key() {
    check("[spool]\nqouta_mb = 5\n", "agent.toml:4: unknown field `qouta_mb`");
    check("[spool]\nqouta_mb = 5\n", "did you mean `quota_mb`?");
    check("[spool]\nquota_mb = 0\n", "agent.toml:4: spool.quota_mb: expected a number from 1");
    check("[broker]\nport = \"x\"\n", "agent.toml:4: invalid type");
    check("[broker]\nkeep_alive_s = 0\n", "agent.toml:4: broker.keep_alive_s");
    check("[broker]\ncertificate_file = \"c\"\n", "certificate_file and key_file together");
    check("[[source]]\nname = \"a\"\ndialect = \"kv-en\"\n", "either serial or file or command");
    let program = "[[source]]\nname = \"a\"\ndialect = \"p\"\n";
    check(
        &format!("{program}command = {{ program = \"\" }}\n"),
        "agent.toml:6: source[0].command.program: expected a program",
    );
    check(
        &format!("{program}command = {{ program = \"adb\", arguments = [] }}\n"),
        "unknown field `arguments`",
    );
    check(
        &format!("{program}command = {{ program = \"adb\" }}\nfile = {{ path = \"f\" }}\n"),
        "either serial or file or command",
    );
    check(
        "[[source]]\nname = \"a\"\ndialect = \"p\"\nfile = { path = \"f\" }\n[[source]]\nname = \"a\"\ndialect = \"p\"\nfile = { path = \"f\" }\n",
        "agent.toml:8: source[1].name: expected a name that no other source has",
    );
    check(
        "[[source]]\nname = \"a\"\ndialect = \"p\"\n[source.serial]\nport = \"p\"\ndata_bits = 9\n",
        "serial.data_bits: expected 5, 6, 7 or 8",
    );
    let two = "[[source]]\nname = \"a\"\ndialect = \"p\"\nanswers = { port = \"p\" }\n";
    check(&format!("{two}file = {{ path = \"f\" }}\n"), "answers: expected a serial beside it");
    check(&format!("{two}serial = {{ port = \"p\" }}\n"), "answers.port: expected another port");
    check(
        "[[source]]\nname = \"a\"\ndialect = \"p\"\nserial = { port = \"p\" }\n[source.answers]\nport = \"q\"\nbaud = 0\n",
        "agent.toml:9: source[0].answers.baud: expected more than 0",
    );
    check(
        "[[source]]\nname = \"a\"\ndialect = \"p\"\nserial = { port = \"p\", baud = 0 }\n",
        "agent.toml:6: source[0].serial.baud: expected more than 0",
    );
}

#[test]
fn a_line_with_a_receiver_for_each_way_is_two_way_and_each_port_knows_its_way() {
    let text = "store = \"s\"\nagent = \"a\"\n[[source]]\nname = \"n\"\ndialect = \"kv-en\"\n\
        serial = { port = \"p\" }\nanswers = { port = \"q\", baud = 19200 }\n";
    let config = Config::parse("x", text).expect("sound settings");
    let ways = config.sources[0].receivers().into_iter().map(|(way, port)| (way, port.port));
    let expected = [(Direction::ToDevice, "p".into()), (Direction::FromDevice, "q".into())];
    assert_eq!(ways.collect::<Vec<_>>(), expected);
    let settings = config.settings(Path::new("/")).expect("a shipped profile");
    assert!(settings.sources[0].description.two_way);
}

#[test]
fn names_that_topics_cannot_carry_are_refused() {
    let error = Config::parse("agent.toml", "store = \"Shop 1\"\nagent = \"a\"\n").unwrap_err();
    let found = error.to_string();
    assert!(found.contains("agent.toml:1: expected 1 to 64 lower-case letters"), "{found}");
}

#[test]
fn an_unknown_profile_names_those_there_are() {
    let error = read_dialect("cn-terminl", Path::new("/")).unwrap_err().to_string();
    assert!(error.contains("cn-terminal"), "{error}");
}

#[test]
fn a_secret_is_found_among_the_credentials_or_beside_the_settings_and_a_missing_one_says_where_it_was_sought()
 {
    let (credentials, base) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::write(credentials.path().join("secrets_password"), "one\n").unwrap();
    std::fs::write(base.path().join("other"), "two\r\n").unwrap();
    let places = secret::Places {
        credentials: Some(credentials.path().to_owned()),
        base: base.path().to_owned(),
    };
    let read = |name: &str| places.read_line("broker.password_file", Path::new(name));
    assert_eq!(read("password").unwrap(), "one");
    assert_eq!(read("other").unwrap(), "two");
    let error = read("nowhere").unwrap_err().to_string();
    for place in ["nowhere", "secrets_nowhere", "broker.password_file"] {
        assert!(error.contains(place), "{error}");
    }
}
