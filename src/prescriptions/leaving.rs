//! Ends the prescriptions of a member who leaves the service.

use diesel::prelude::*;

use super::rules::{Verb, is_open};
use super::store::{lock, update};
use super::types::PrescriptionStatus;
use crate::auth::reach::Reach;
use crate::clock::london_day;
use crate::db::schema::prescriptions;
use crate::db::{Conn, Id, Timestamp};
use crate::error::Result;

/// Of these members, those who have an active prescription.
pub fn with_active(conn: &mut Conn, members: &[Id]) -> Result<Vec<Id>> {
    let active = prescriptions::table.filter(prescriptions::member_id.eq_any(members));
    let active = active.filter(prescriptions::status.eq(PrescriptionStatus::Active));
    Ok(active.select(prescriptions::member_id).distinct().load(conn)?)
}

/// Closes a member's active prescriptions, which go on to count in reports, and declines the drafts. Returns what was
/// done to which.
pub fn end_all(conn: &mut Conn, member_id: Id, now: Timestamp) -> Result<Vec<(Verb, Id)>> {
    let own = prescriptions::table.filter(prescriptions::member_id.eq(member_id));
    let ids: Vec<Id> = own.order(prescriptions::id).select(prescriptions::id).load(conn)?;
    let mut ended = Vec::new();
    for id in ids {
        let old = lock(conn, Reach::Everyone, id)?;
        if !is_open(old.status) {
            continue;
        }
        let verb = if old.status == PrescriptionStatus::Active { Verb::Close } else { Verb::Decline };
        let status = verb.check_after(old.status)?;
        update(conn, &old.moved(status, None, london_day(now), now))?;
        ended.push((verb, id));
    }
    Ok(ended)
}
