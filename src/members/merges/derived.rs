//! Tables that are worked out from a record.

use crate::db::{Conn, Id};
use crate::error::Result;
use crate::members::consents::store as consents;
use crate::members::names;

/// Works out again everything that is derived from a record. It is called for both records, after they were merged and
/// after that was undone: each derived table has its line here.
pub fn work_out_again(conn: &mut Conn, member_id: Id) -> Result<()> {
    names::work_out_again(conn, member_id)?;
    consents::work_out_again(conn, member_id)
}
