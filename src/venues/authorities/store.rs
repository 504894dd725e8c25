//! Local authorities in the database.

use std::collections::HashMap;

use diesel::dsl::count_star;
use diesel::prelude::*;

use crate::db::Conn;
use crate::db::schema::venues;
use crate::error::Result;
use crate::venues::types::VenueStatus;

/// How many venues each local authority has, by its code, without those that are closed for good.
pub fn venues_by_code(conn: &mut Conn) -> Result<HashMap<String, i64>> {
    let open = venues::table.filter(venues::status.ne(VenueStatus::Closed));
    let counted = open.group_by(venues::local_authority_code).select((venues::local_authority_code, count_star()));
    Ok(counted.load(conn)?.into_iter().collect())
}
