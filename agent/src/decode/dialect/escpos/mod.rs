//! The language of receipt printers, ESC/POS: what a till or terminal sends to its printer, and what the printer answers
//! where both directions are heard. Tells slips and how surely they are on paper; a debit only stands on them as text.
//!
//! Data of images, barcodes and two-dimensional codes is walked over and never kept. Sends nothing to any printer.

mod answer;
mod desk;
mod form;
mod hallmark;
mod health;
mod job;
mod printer;
mod profile;
mod question;
mod reader;
mod table;
mod text;
mod token;
mod transcript;

#[cfg(test)]
mod tests;

use super::error::ProfileError;
use super::{Dialect, Hallmarks, Reader};
use profile::Settings;
use slipwatch_shared::terminal::TerminalId;
use std::sync::Arc;

pub(in crate::decode) use hallmark::BYTES_MAX as HALLMARK_BYTES_MAX;
pub use transcript::transcript;

/// A profile of the family, ready to read with.
#[derive(Debug)]
pub struct Escpos {
    name: Box<str>,
    settings: Arc<Settings>,
}

impl Escpos {
    /// Reads a profile. `name` is its file or shipped name, for messages.
    pub fn parse(name: &str, toml: &str) -> Result<Escpos, ProfileError> {
        let settings = Arc::new(Settings::parse(name, toml)?);
        Ok(Escpos { name: name.into(), settings })
    }
}

impl Dialect for Escpos {
    fn name(&self) -> &str {
        &self.name
    }

    fn about(&self) -> &str {
        &self.settings.about
    }

    fn hears_money(&self) -> bool {
        false
    }

    fn hears_slips(&self) -> bool {
        true
    }

    fn hallmarks(&self, bytes: &[u8]) -> Option<Hallmarks> {
        Some(hallmark::find(bytes))
    }

    fn reader(self: Arc<Self>, terminal: Option<TerminalId>) -> Box<dyn Reader> {
        Box::new(reader::EscposReader::new(Arc::clone(&self.settings), terminal))
    }
}
