//! Writes the demo through the stores: many rows at a time, in transactions short enough for a server that runs beside
//! it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use diesel::prelude::*;

use super::Plan;
use crate::db::schema::{members, partners, programmes, session_series, sites, venues};
use crate::db::{Conn, Db, Id};
use crate::error::Result;
use crate::members::consents::store as consents;
use crate::members::store as member_store;
use crate::prescriptions::store as prescription_store;
use crate::sessions::bookings::store as bookings;
use crate::sessions::listings;
use crate::sessions::registers::{headcounts, store as registers};
use crate::sessions::series::store as series;
use crate::sessions::store as session_store;
use crate::sessions::wordings::Wording;
use crate::users::store as users;

/// How many rows one transaction writes.
const BATCH: usize = 2_000;

/// What the database already holds, by the names that the demo uses.
pub(super) struct Known {
    pub(super) has_members: bool,
    pub(super) venues: HashMap<String, Id>,
    pub(super) sites: HashMap<String, Id>,
    pub(super) partners: HashMap<String, Id>,
    pub(super) programmes: HashMap<(Id, String), Id>,
    /// By partner and external id.
    pub(super) series: HashSet<(Option<Id>, Option<String>)>,
}

/// Reads what is there.
pub(super) fn known(conn: &mut Conn) -> Result<Known> {
    let member: Option<Id> = members::table.select(members::id).first(conn).optional()?;
    let venues: Vec<(String, Id)> = venues::table.select((venues::slug, venues::id)).load(conn)?;
    let sites: Vec<(String, Id)> = sites::table.select((sites::slug, sites::id)).load(conn)?;
    let partners: Vec<(String, Id)> = partners::table.select((partners::slug, partners::id)).load(conn)?;
    let programmes: Vec<(Id, String, Id)> =
        programmes::table.select((programmes::partner_id, programmes::slug, programmes::id)).load(conn)?;
    let series: Vec<(Option<Id>, Option<String>)> = session_series::table
        .filter(session_series::external_id.is_not_null())
        .select((session_series::partner_id, session_series::external_id))
        .load(conn)?;
    Ok(Known {
        has_members: member.is_some(),
        venues: venues.into_iter().collect(),
        sites: sites.into_iter().collect(),
        partners: partners.into_iter().collect(),
        programmes: programmes.into_iter().map(|(partner, slug, id)| ((partner, slug), id)).collect(),
        series: series.into_iter().collect(),
    })
}

/// Writes everything. If something fails, what was written stays: start again with an empty database.
pub(super) async fn write(db: &Db, plan: Plan, progress: impl Fn(&str)) -> Result<()> {
    let Plan { places, sessions, people, prescriptions, attendance } = plan;
    progress("writing venues, sites and partners …");
    db.write(move |conn| places.insert(conn)).await?;
    progress(&format!("writing {} sessions …", sessions.sessions.len()));
    let wordings: Vec<Wording> = sessions.series.iter().map(Wording::from).collect();
    in_batches(db, sessions.series, series::insert_many).await?;
    let rows = sessions.sessions.into_iter().map(|session| session.row).collect();
    in_batches(db, rows, move |conn, rows| {
        listings::ensure_stored(conn, &wordings, rows)?;
        session_store::insert_many(conn, rows)
    })
    .await?;
    progress(&format!("writing {} people …", people.members.len()));
    in_batches(db, people.members, member_store::insert).await?;
    in_batches(db, people.consents, consents::insert).await?;
    in_batches(db, people.accounts, |conn, rows| rows.iter().try_for_each(|row| users::insert(conn, None, row)))
        .await?;
    progress(&format!("writing {} prescriptions …", prescriptions.len()));
    in_batches(db, prescriptions, prescription_store::insert).await?;
    let (booked, walked_in) = (attendance.bookings.len(), attendance.walk_ins.len());
    progress(&format!("writing {booked} bookings and {walked_in} walk-ins …"));
    in_batches(db, attendance.bookings, bookings::insert).await?;
    in_batches(db, attendance.walk_ins, registers::insert_walk_ins).await?;
    in_batches(db, attendance.registers, headcounts::insert).await
}

/// Writes rows with a store's function, some in each transaction.
async fn in_batches<T, F>(db: &Db, rows: Vec<T>, insert: F) -> Result<()>
where
    T: Send + Sync + 'static,
    F: Fn(&mut Conn, &[T]) -> Result<()> + Send + Sync + 'static,
{
    let (rows, insert) = (Arc::new(rows), Arc::new(insert));
    for start in (0..rows.len()).step_by(BATCH) {
        let (rows, insert) = (Arc::clone(&rows), Arc::clone(&insert));
        db.write(move |conn| insert(conn, &rows[start..rows.len().min(start + BATCH)])).await?;
    }
    Ok(())
}
