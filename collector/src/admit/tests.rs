//! What counts as a card number, and what does not.

use super::has_card_number;

#[track_caller]
fn check(text: &str, expected: bool) {
    assert_eq!(has_card_number(text.as_bytes()), expected, "{text}");
}

#[test]
fn card_numbers_are_known_by_range_length_and_check_digit_together() {
    check("6225760000000005", true);
    check("pan=4111111111111111;", true);
    check("4111 1111 1111 1111", true);
    check("4111-1111-1111-1111", true);
    check("3782 822463 10005", true);
}

#[test]
fn masked_numbers_references_and_orders_are_none() {
    check("622576******0005", false);
    check("4111111111111112", false);
    check("100000000001", false);
    check("order 20251124090000411111111111111100", false);
    check("2025-11-24 09:30:05 trace 000123 batch 000007", false);
}
