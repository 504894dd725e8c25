//! What sessions and series refer to, and checks that it exists.

use diesel::dsl::{exists, select};
use diesel::prelude::*;

use super::activity::Activity;
use super::series::store::SeriesRow;
use super::store::SessionRow;
use crate::db::schema::{partners, programmes, spaces, venues};
use crate::db::{Conn, Id, Json};
use crate::error::{Error, Fault, Result};
use crate::partners::store::bump_roster_version;
use crate::venues::spaces::types::{KEPT, is_open_to};

/// What a series or a session refers to.
#[derive(Debug, Clone, Copy)]
pub struct References {
    /// The partner that it belongs to.
    pub partner_id: Option<Id>,
    /// The programme that it belongs to.
    pub programme_id: Option<Id>,
    /// The venue.
    pub venue_id: Option<Id>,
    /// The space in the venue.
    pub space_id: Option<Id>,
    /// The space that it holds already. It may stay there, also if the space is kept for others since.
    pub held: Option<Id>,
}

impl References {
    /// What a session of this programme refers to.
    pub fn of_session(row: &SessionRow, programme_id: Option<Id>) -> Self {
        let SessionRow { partner_id, venue_id, space_id, .. } = *row;
        Self { partner_id, programme_id, venue_id, space_id, held: None }
    }

    /// What a series refers to.
    pub fn of_series(row: &SeriesRow) -> Self {
        let Activity { programme_id, venue_id, space_id, .. } = row.activity;
        Self { partner_id: row.partner_id, programme_id, venue_id, space_id, held: None }
    }

    /// The same of what holds a space already.
    pub fn holding(self, held: Option<Id>) -> Self {
        Self { held, ..self }
    }
}

/// Checks that everything that is referred to exists and belongs together.
///
/// # Errors
/// 422 with a fault for each reference that is wrong.
pub fn check(conn: &mut Conn, named: &References) -> Result<()> {
    let mut faults = Vec::new();
    if let Some(id) = named.partner_id
        && !select(exists(partners::table.find(id))).get_result::<bool>(conn)?
    {
        faults.push(Fault::at("/partner_id", "unknown_partner", "There is no such partner."));
    }
    if let Some(id) = named.programme_id {
        let owner: Option<Id> = programmes::table.find(id).select(programmes::partner_id).first(conn).optional()?;
        if owner.is_none() {
            faults.push(Fault::at("/programme_id", "unknown_programme", "There is no such programme."));
        } else if owner != named.partner_id {
            faults.push(Fault::at("/programme_id", "foreign_programme", "Is not a programme of this partner."));
        }
    }
    if let Some(id) = named.venue_id
        && !select(exists(venues::table.find(id))).get_result::<bool>(conn)?
    {
        faults.push(Fault::at("/venue_id", "unknown_venue", "There is no such venue."));
    }
    if let Some(id) = named.space_id {
        let found = spaces::table.find(id).select((spaces::venue_id, spaces::kept_for));
        match found.first::<(Id, Json<Vec<Id>>)>(conn).optional()? {
            Some((venue, Json(kept_for))) if named.venue_id == Some(venue) => {
                if named.held != Some(id) && !is_open_to(named.partner_id, &kept_for) {
                    faults.push(Fault::at("/space_id", KEPT.0, KEPT.1));
                }
            }
            _ => faults.push(Fault::at("/space_id", "unknown_space", "There is no such space in this venue.")),
        }
    }
    Error::unless_none(faults)
}

/// Makes a roster of this partner that is being planned be planned again, because its sessions change. Call this before
/// locking anything else.
pub fn replan_rosters(conn: &mut Conn, partner_id: Option<Id>) -> Result<()> {
    partner_id.map_or(Ok(()), |id| bump_roster_version(conn, id))
}

/// Keeps rosters of this partner from being applied until the transaction ends, and waits for one that is being
/// applied. Call this before locking a series and adding sessions to it. Otherwise the request and a roster can wait
/// for each other.
pub fn hold_partner(conn: &mut Conn, partner_id: Option<Id>) -> Result<()> {
    // Diesel has no row locks on a connection that may be to either database. SQLite has one writer and needs none.
    if let (Conn::Postgres(postgres), Some(id)) = (conn, partner_id) {
        partners::table.find(id).select(partners::id).for_share().first::<Id>(postgres)?;
    }
    Ok(())
}
