//! Settlement files in SQLite, over a connection of their own beside the collector's. Rows are written in short
//! transactions, so that the collector's commits get in between; the last one makes the file count. All that a file
//! changes and says stands in that last transaction, or none of it does.

mod candidates;
mod load;
mod look;
pub(super) mod say;
mod told;
mod view;

use super::{BUSY_WAIT, STATEMENTS_MAX, SqliteStore, failed};
use crate::edge::store::StoreError;
use crate::settlement::matching::Grouping;
use rusqlite::Connection;
use slipwatch_shared::terminal::StoreId;
use std::path::Path;

/// Settlement files, their rows and links, in one SQLite file that a collector may be using.
#[derive(Debug)]
pub struct SqliteStatements {
    connection: Connection,
    shops: Shops,
}

/// Shops by a number each, as [`Grouping`] and candidates name them.
#[derive(Clone, Debug, Default)]
pub struct Shops {
    names: Vec<StoreId>,
}

impl Shops {
    /// The number of a shop, a new one where it has none.
    pub fn number(&mut self, name: &StoreId) -> u32 {
        let known = self.names.iter().position(|known| known == name);
        let place = known.unwrap_or_else(|| {
            self.names.push(name.clone());
            self.names.len() - 1
        });
        place as u32
    }

    /// The shop of a number.
    pub fn name(&self, number: u32) -> Option<&StoreId> {
        self.names.get(number as usize)
    }
}

impl SqliteStatements {
    /// Opens the store beside whoever else has it open; brings it to this program's schema first.
    pub fn open(path: &Path) -> Result<SqliteStatements, StoreError> {
        drop(SqliteStore::open(path)?);
        let opening = failed("opening");
        let connection = Connection::open(path).map_err(&opening)?;
        connection.busy_timeout(BUSY_WAIT).map_err(&opening)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
        // The rows of one file are worth no sync each: the transaction that makes it count is synced as every other.
        connection.pragma_update(None, "synchronous", "NORMAL").map_err(&opening)?;
        connection.pragma_update(None, "cache_size", -CACHE_KIB).map_err(&opening)?;
        connection.pragma_update(None, "temp_store", "FILE").map_err(&opening)?;
        Ok(SqliteStatements { connection, shops: Shops::default() })
    }

    /// The shops by their numbers.
    pub fn shops(&mut self) -> &mut Shops {
        &mut self.shops
    }

    /// The one shop of a row as the store names it.
    pub fn store_of(
        &self,
        grouping: &Grouping,
        row: &crate::settlement::row::SettlementRow,
    ) -> Option<StoreId> {
        self.shops.name(grouping.shop_of(row)?).cloned()
    }
}

/// Pages kept in memory; the indexes of ten million payments stay warm in it as far as one day needs them.
const CACHE_KIB: i64 = 96 * 1024;
