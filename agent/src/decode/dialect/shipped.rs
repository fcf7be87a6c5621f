//! The families that profiles may name, and the profiles that are part of the program.

use super::Dialect;
use super::error::{ProfileError, Source, unknown};
use super::escpos::Escpos;
use super::framed::Framed;
use super::iso8583::Iso8583;
use super::jpos::Jpos;
use super::logcat::Logcat;
use super::profile::Profile;
use super::zvt::Zvt;
use serde::Deserialize;
use std::sync::Arc;
use toml::Spanned;

/// Reads a profile: its file or shipped name for messages, and its text.
type Parse = fn(&str, &str) -> Result<Arc<dyn Dialect>, ProfileError>;

/// The family of a profile that names none.
pub(crate) const TEXT: &str = "text";

/// What `family` may say.
const FAMILIES: &[(&str, Parse)] = &[
    (TEXT, |name, toml| Ok(Arc::new(Profile::parse(name, toml)?))),
    ("escpos", |name, toml| Ok(Arc::new(Escpos::parse(name, toml)?))),
    ("framed", |name, toml| Ok(Arc::new(Framed::parse(name, toml)?))),
    ("iso8583", |name, toml| Ok(Arc::new(Iso8583::parse(name, toml)?))),
    ("jpos", |name, toml| Ok(Arc::new(Jpos::parse(name, toml)?))),
    ("logcat", |name, toml| Ok(Arc::new(Logcat::parse(name, toml)?))),
    ("zvt", |name, toml| Ok(Arc::new(Zvt::parse(name, toml)?))),
];

/// Profiles that are part of the program, by name.
const SHIPPED: &[(&str, &str)] = &[
    ("kv-en", include_str!("../../../profiles/kv-en.toml")),
    ("cn-terminal", include_str!("../../../profiles/cn-terminal.toml")),
    ("escpos", include_str!("../../../profiles/escpos.toml")),
    ("escpos-cn", include_str!("../../../profiles/escpos-cn.toml")),
    ("escpos-cn-58", include_str!("../../../profiles/escpos-cn-58.toml")),
    ("iso8583-cup", include_str!("../../../profiles/iso8583-cup.toml")),
    ("iso8583-hexlog", include_str!("../../../profiles/iso8583-hexlog.toml")),
    ("iso8583-1987", include_str!("../../../profiles/iso8583-1987.toml")),
    ("jpos-log", include_str!("../../../profiles/jpos-log.toml")),
    ("logcat-pos", include_str!("../../../profiles/logcat-pos.toml")),
    ("zvt", include_str!("../../../profiles/zvt.toml")),
    ("zvt-tcp", include_str!("../../../profiles/zvt-tcp.toml")),
    ("cn-mis-tlv", include_str!("../../../profiles/cn-mis-tlv.toml")),
    ("cn-mis-fixed", include_str!("../../../profiles/cn-mis-fixed.toml")),
    ("transbank", include_str!("../../../profiles/transbank.toml")),
    ("transbank-autoservicio", include_str!("../../../profiles/transbank-autoservicio.toml")),
    ("ecr17", include_str!("../../../profiles/ecr17.toml")),
    ("concert", include_str!("../../../profiles/concert.toml")),
];

/// The one key that all families share.
#[derive(Deserialize)]
struct Head {
    family: Option<Spanned<String>>,
}

/// Reads a profile of any family. `name` is its file or shipped name, for messages.
pub fn parse(name: &str, toml: &str) -> Result<Arc<dyn Dialect>, ProfileError> {
    let source = Source { file: name, text: toml };
    let head: Head = toml::from_str(toml).map_err(|error| source.toml_error(&error))?;
    let family = head.family.as_ref().map_or(TEXT, |family| family.get_ref());
    match FAMILIES.iter().find(|(known, _)| *known == family) {
        Some((_, parse)) => parse(name, toml),
        None => {
            let at = head.family.as_ref().map_or(0, |family| family.span().start);
            let names: Vec<&str> = FAMILIES.iter().map(|(known, _)| *known).collect();
            Err(source.error(at, unknown("family", family, &names)))
        }
    }
}

/// The text of a profile that is part of the program; absent when there is none of that name.
pub fn text(name: &str) -> Option<&'static str> {
    SHIPPED.iter().find(|shipped| shipped.0 == name).map(|shipped| shipped.1)
}

/// A profile that is part of the program, ready to read with; absent when there is none of that name.
pub fn dialect(name: &str) -> Option<Arc<dyn Dialect>> {
    let toml = text(name)?;
    Some(parse(name, toml).expect("the shipped profiles are sound: a test reads them all"))
}

/// The family of a profile that is part of the program; absent when there is none of that name.
pub fn family(name: &str) -> Option<String> {
    let head: Head = toml::from_str(text(name)?).expect("the shipped profiles are sound");
    Some(head.family.map_or_else(|| TEXT.to_owned(), Spanned::into_inner))
}

/// The names of the profiles that are part of the program, in the order they are listed in.
pub fn names() -> impl Iterator<Item = &'static str> {
    SHIPPED.iter().map(|shipped| shipped.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_profile_is_sound_and_says_what_it_is_for() {
        for name in names() {
            let dialect = dialect(name).expect("it is listed");
            assert_eq!(dialect.name(), name);
            assert!(!dialect.about().is_empty(), "{name}");
            assert!(dialect.hears_money() || dialect.hears_slips(), "{name} hears nothing");
        }
    }

    #[test]
    fn an_unknown_family_names_the_nearest() {
        let error =
            parse("a.toml", "about = \"x\"\nfamily = \"txt\"\n").expect_err("no such family");
        assert_eq!(error.to_string(), "a.toml:2: unknown family `txt`; did you mean `text`?");
    }
}
