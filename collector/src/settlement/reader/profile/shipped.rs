//! The profiles that come with the program, and the finding of one by its name.

use super::{Profile, ProfileError};

/// Names and texts of the shipped profiles.
pub const SHIPPED: [(&str, &str); 10] = [
    ("wechat-trade", include_str!("../../../../settlement-profiles/wechat-trade.toml")),
    ("wechat-fund", include_str!("../../../../settlement-profiles/wechat-fund.toml")),
    ("alipay-trade", include_str!("../../../../settlement-profiles/alipay-trade.toml")),
    ("unionpay-zm", include_str!("../../../../settlement-profiles/unionpay-zm.toml")),
    ("allinpay", include_str!("../../../../settlement-profiles/allinpay.toml")),
    ("leshua", include_str!("../../../../settlement-profiles/leshua.toml")),
    (
        "adyen-settlement-detail",
        include_str!("../../../../settlement-profiles/adyen-settlement-detail.toml"),
    ),
    ("stripe-itemised", include_str!("../../../../settlement-profiles/stripe-itemised.toml")),
    ("camt", include_str!("../../../../settlement-profiles/camt.toml")),
    ("mt940", include_str!("../../../../settlement-profiles/mt940.toml")),
];

/// All shipped profiles, compiled.
pub fn all() -> Vec<Profile> {
    SHIPPED
        .iter()
        .map(|(name, text)| Profile::parse(name, text).expect("a test compiles each of them"))
        .collect()
}

/// A shipped profile by its name.
pub fn named(name: &str) -> Option<Result<Profile, ProfileError>> {
    let (file, text) = SHIPPED.iter().find(|(known, _)| *known == name)?;
    Some(Profile::parse(file, text))
}
