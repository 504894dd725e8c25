//! What is asked about a whole record and isn't settled: to be forgotten, or to see everything that is kept. Two records can't
//! be merged meanwhile.

use diesel::prelude::*;

use crate::db::schema::{erasures, exports};
use crate::db::{Conn, Id};
use crate::error::Result;

/// The states of a request to be forgotten that isn't settled.
pub const OPEN_ERASURE: [&str; 2] = ["requested", "held"];
/// The states of an export that isn't answered.
pub const OPEN_EXPORT: [&str; 2] = ["queued", "in_review"];

/// The requests of these members to be forgotten that aren't settled.
pub fn open_erasures(conn: &mut Conn, members: &[Id]) -> Result<Vec<Id>> {
    use erasures::{id, member_id, status};
    let open = erasures::table.filter(member_id.eq_any(members)).filter(status.eq_any(OPEN_ERASURE));
    Ok(open.order(id).select(id).load(conn)?)
}

/// The exports of these members that aren't answered, each with its member.
pub fn open_exports(conn: &mut Conn, members: &[Id]) -> Result<Vec<(Id, Id)>> {
    use exports::{id, member_id, status};
    let open = exports::table.filter(member_id.eq_any(members)).filter(status.eq_any(OPEN_EXPORT));
    Ok(open.order(id).select((id, member_id)).load(conn)?)
}
