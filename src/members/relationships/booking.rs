//! For whom a member may book.

use std::collections::HashSet;

use chrono::NaiveDate;
use diesel::dsl::{exists, select};
use diesel::prelude::*;

use super::store::in_effect;
use super::types::RelationshipStatus;
use crate::db::schema::relationships;
use crate::db::{AT_ONCE, Conn, Id};
use crate::error::Result;

/// The members for whom this member may book on this day.
pub fn cared_for(conn: &mut Conn, carer: Id, today: NaiveDate) -> Result<Vec<Id>> {
    let mine =
        relationships::table.filter(relationships::from_member.eq(carer)).filter(relationships::may_book.eq(true));
    Ok(mine.filter(in_effect!(today)).select(relationships::to_member).distinct().load(conn)?)
}

/// For whom each of these members may book on this day: pairs of who books and for whom.
pub fn pairs(conn: &mut Conn, carers: &[Id], today: NaiveDate) -> Result<HashSet<(Id, Id)>> {
    let mut found = HashSet::new();
    for carers in carers.chunks(AT_ONCE) {
        let theirs = relationships::table
            .filter(relationships::from_member.eq_any(carers))
            .filter(relationships::may_book.eq(true))
            .filter(in_effect!(today));
        found.extend(theirs.select((relationships::from_member, relationships::to_member)).load::<(Id, Id)>(conn)?);
    }
    Ok(found)
}

/// Whether a member may book for another on this day. If so, the relationship can't end before this transaction does, so
/// that nothing is booked after the end was acknowledged.
pub fn hold(conn: &mut Conn, carer: Id, cared_for: Id, today: NaiveDate) -> Result<bool> {
    let of_both = relationships::table
        .filter(relationships::from_member.eq(carer))
        .filter(relationships::to_member.eq(cared_for))
        .filter(relationships::may_book.eq(true))
        .filter(in_effect!(today));
    let found: Vec<Id> = of_both.select(relationships::id).load(conn)?;
    if found.is_empty() {
        return Ok(false);
    }
    crate::lock_rows!(conn, relationships, found, for_share);
    // It may have ended while this transaction waited for the lock.
    Ok(select(exists(of_both)).get_result(conn)?)
}
