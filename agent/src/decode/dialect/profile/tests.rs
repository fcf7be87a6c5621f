//! Profiles as installers write them, right and wrong.
use super::*;
#[track_caller]
fn wrong(toml: &str, expected: &str) {
    let error = Profile::parse("shop.toml", toml).expect_err("the profile is wrong");
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_mistake_is_told_with_its_line_and_the_nearest_valid_word() {
    wrong(
        "about = 'x'\nencodin = 'utf-8'\n",
        "shop.toml:2: unknown key `encodin`; did you mean `encoding`?",
    );
    wrong(
        "about = 'x'\nencoding = 'utf8'\n",
        "shop.toml:2: unknown encoding `utf8`; did you mean `utf-8`?",
    );
    wrong(
        "about = 'x'\n[[rule]]\nmtach = 'a'\n",
        "shop.toml:3: unknown key `mtach`; did you mean `match`?",
    );
    wrong(
        "about = 'x'\n[[rule]]\nmatch = 'a'\nsay = 'slip_print'\n",
        "shop.toml:4: unknown body `slip_print`; did you mean `slip_printed`?",
    );
    wrong(
        "about = 'x'\n[[rule]]\nmatch = 'a(?<ammount>x)'\nsay = 'slip_printed'\n",
        "shop.toml:3: unknown group `ammount`; did you mean `amount`?",
    );
}
