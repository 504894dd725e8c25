//! A step of a migration that SQL can't do: what the names of members sound like.

use diesel::prelude::*;

use super::schema::members;
use super::{Conn, Id};
use crate::error::Result;
use crate::text::sound::sound_key;

/// How many rows are read at once.
const BATCH: i64 = 1000;

/// Fills in the sounds of the members who have none: those who were registered before there were sounds. Each batch is
/// kept for itself, so a run that is cut off goes on where it ended. Without such members it is one look into an index.
pub(super) fn fill_in(conn: &mut Conn) -> Result<()> {
    loop {
        let rows: Vec<(Id, String, String)> = members::table
            .filter(members::merged_into.is_null().and(members::erased_at.is_null()))
            .filter(members::sound_key.eq(""))
            .limit(BATCH)
            .select((members::id, members::given_name, members::family_name))
            .load(conn)?;
        if rows.is_empty() {
            return Ok(());
        }
        conn.transaction(|conn| {
            for (id, given, family) in &rows {
                // Never empty, so nobody is found again.
                let sound = sound_key(given, family);
                diesel::update(members::table.find(id)).set(members::sound_key.eq(sound)).execute(conn)?;
            }
            Ok::<_, diesel::result::Error>(())
        })?;
    }
}
