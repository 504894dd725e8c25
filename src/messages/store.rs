//! Puts messages into the database.

use diesel::prelude::*;

use super::queue::MessageRow;
use crate::db::schema::messages;
use crate::db::{AT_ONCE, Conn};
use crate::error::Result;

/// Adds messages. One whose `dedup_key` is there already is left out.
pub(super) fn insert(conn: &mut Conn, rows: &[MessageRow]) -> Result<()> {
    // Only the concrete connections know ON CONFLICT, and SQLite takes it for one row at a time.
    match conn {
        Conn::Postgres(postgres) => {
            for rows in rows.chunks(AT_ONCE) {
                diesel::insert_into(messages::table).values(rows).on_conflict_do_nothing().execute(postgres)?;
            }
        }
        Conn::Sqlite(sqlite) => {
            for row in rows {
                diesel::insert_into(messages::table).values(row).on_conflict_do_nothing().execute(sqlite)?;
            }
        }
    }
    Ok(())
}
