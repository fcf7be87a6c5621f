//! The XML log of jPOS, the toolkit that many hosts and switches are built with: each message field by field, and what
//! becomes of their connections. The meaning of the fields is that of the `iso8583` family.

mod entry;
mod reader;
mod tag;

#[cfg(test)]
mod tests;

use crate::decode::dialect::error::{ProfileError, Source};
use crate::decode::dialect::iso8583::grammar::Grammar;
use crate::decode::dialect::iso8583::profile::{
    GrammarText, KindText, NetworkText, PartsText, ReversalText, Rows, UploadText,
};
use crate::decode::dialect::{Dialect, Reader};
use reader::JposReader;
use serde::Deserialize;
use slipwatch_shared::terminal::TerminalId;
use std::sync::Arc;
use toml::Spanned;

/// The log of one kind of host, ready to run.
#[derive(Debug)]
pub struct Jpos {
    name: Box<str>,
    about: Box<str>,
    grammar: Grammar,
}

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProfileText {
    /// Read before, where the family is chosen.
    #[serde(default, rename = "family")]
    _family: Option<Spanned<String>>,
    about: String,
    #[serde(default)]
    currency: Option<Spanned<String>>,
    #[serde(default)]
    parts: PartsText,
    #[serde(default)]
    network: NetworkText,
    #[serde(default)]
    upload: Option<UploadText>,
    #[serde(default)]
    reversal: ReversalText,
    #[serde(default)]
    kind: Vec<KindText>,
}

impl Jpos {
    /// Reads a profile. `name` is its file or shipped name, for messages.
    pub fn parse(name: &str, toml: &str) -> Result<Jpos, ProfileError> {
        let source = Source { file: name, text: toml };
        let text: ProfileText = toml::from_str(toml).map_err(|error| source.toml_error(&error))?;
        let grammar = Rows(source).grammar(&GrammarText {
            currency: text.currency.as_ref(),
            parts: &text.parts,
            network: &text.network,
            upload: text.upload.as_ref(),
            reversal: &text.reversal,
            kind: &text.kind,
        })?;
        Ok(Jpos { name: name.into(), about: text.about.as_str().into(), grammar })
    }
}

impl Dialect for Jpos {
    fn name(&self) -> &str {
        &self.name
    }

    fn about(&self) -> &str {
        &self.about
    }

    fn hears_money(&self) -> bool {
        true
    }

    fn hears_slips(&self) -> bool {
        false
    }

    fn reader(self: Arc<Self>, terminal: Option<TerminalId>) -> Box<dyn Reader> {
        Box::new(JposReader::new(self, terminal))
    }
}
