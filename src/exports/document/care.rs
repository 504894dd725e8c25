//! The sections about support: prescriptions, bookings, sessions without a booking.

use std::collections::HashMap;

use diesel::prelude::*;

use super::all;
use super::items::{ExportedBooking, ExportedItem, ExportedPrescription, ExportedWalkIn};
use super::people::People;
use super::person::partner_names;
use crate::auth::reach::Reach;
use crate::db::schema::{partners, programmes, session_series, sessions, sites, venues, walk_ins, wordings};
use crate::db::{AT_ONCE, Conn, Id, Timestamp};
use crate::error::Result;
use crate::prescriptions::items::types::{PrescriptionItem, PrescriptionItemKind};
use crate::prescriptions::store as prescriptions;
use crate::prescriptions::types::{Prescription, PrescriptionFilter};
use crate::sessions::bookings::lists::{self, Made, Sessions, member_key};
use crate::sessions::bookings::store::BookedRow;
use crate::sessions::bookings::types::Booking;

/// The member's prescriptions, the oldest first.
pub fn prescribed(conn: &mut Conn, member: Id, people: &mut People) -> Result<Vec<ExportedPrescription>> {
    let filter = PrescriptionFilter { member_id: Some(member), status: None, limit: None, cursor: None };
    let read = |slice: &_| prescriptions::list(conn, Reach::Everyone, &filter, slice);
    let rows = all(read, |row| row.id)?;
    let mut shown = Vec::with_capacity(rows.len());
    for row in rows {
        let whole = prescriptions::whole_one(conn, row)?;
        let Prescription {
            id,
            member_id: _,
            origin,
            advisor_id,
            advisor_name: _,
            site_id,
            what_matters,
            needs,
            items,
            status,
            status_reason,
            developed_on,
            review_on,
            version: _,
            created_at,
            updated_at,
        } = whole.show(conn, Reach::Everyone)?;
        shown.push(ExportedPrescription {
            id,
            origin,
            advisor: advisor_id.map(|id| people.who(conn, id)).transpose()?,
            site: site_id.map(|id| site(conn, id)).transpose()?,
            what_matters,
            needs,
            items: offered(conn, items)?,
            status,
            status_reason,
            developed_on,
            review_on,
            created_at,
            updated_at,
        });
    }
    Ok(shown)
}

fn site(conn: &mut Conn, id: Id) -> Result<String> {
    Ok(sites::table.find(id).select(sites::name).first(conn)?)
}

fn offered(conn: &mut Conn, items: Vec<PrescriptionItem>) -> Result<Vec<ExportedItem>> {
    let targets = targets(conn, &items)?;
    let show = |item: PrescriptionItem| {
        let PrescriptionItem {
            id,
            need,
            kind,
            target_id,
            goal,
            note,
            status,
            reason,
            version: _,
            created_at,
            updated_at,
        } = item;
        let target = target_id.and_then(|id| targets.get(&id)).cloned();
        ExportedItem { id, need, kind, target, goal, note, status, reason, created_at, updated_at }
    };
    Ok(items.into_iter().map(show).collect())
}

/// The names of what items refer to. A prescription has at most a few dozen.
fn targets(conn: &mut Conn, items: &[PrescriptionItem]) -> Result<HashMap<Id, String>> {
    let of =
        |kind| -> Vec<Id> { items.iter().filter(|item| item.kind == kind).filter_map(|item| item.target_id).collect() };
    let mut names = partner_names(conn, of(PrescriptionItemKind::Partner))?;
    let series = session_series::table.filter(session_series::id.eq_any(of(PrescriptionItemKind::Series)));
    names.extend(series.select((session_series::id, session_series::title)).load::<(Id, String)>(conn)?);
    let single = sessions::table.inner_join(wordings::table);
    let single = single.filter(sessions::id.eq_any(of(PrescriptionItemKind::Session)));
    names.extend(single.select((sessions::id, wordings::title)).load::<(Id, String)>(conn)?);
    let programme = programmes::table.filter(programmes::id.eq_any(of(PrescriptionItemKind::Programme)));
    names.extend(programme.select((programmes::id, programmes::name)).load::<(Id, String)>(conn)?);
    Ok(names)
}

/// A session in short: title, start, end, venue, partner.
type SessionLine = (String, Timestamp, Timestamp, Option<String>, Option<String>);

/// Sessions in short.
fn session_lines(conn: &mut Conn, ids: &[Id]) -> Result<HashMap<Id, SessionLine>> {
    let mut lines = HashMap::new();
    for ids in ids.chunks(AT_ONCE) {
        let found: Vec<(Id, SessionLine)> = sessions::table
            .inner_join(wordings::table)
            .left_join(venues::table)
            .left_join(partners::table)
            .filter(sessions::id.eq_any(ids))
            .select((
                sessions::id,
                (
                    wordings::title,
                    sessions::starts_at,
                    sessions::ends_at,
                    venues::name.nullable(),
                    partners::name.nullable(),
                ),
            ))
            .load(conn)?;
        lines.extend(found);
    }
    Ok(lines)
}

/// The member's bookings, the newest session first.
pub fn booked(conn: &mut Conn, member: Id, people: &mut People) -> Result<Vec<ExportedBooking>> {
    let read = |slice: &_| lists::of_member(conn, member, (Reach::Everyone, Made::ByAnybody, Sessions::All), slice);
    let rows: Vec<BookedRow> = all(read, member_key)?;
    let ids: Vec<Id> = rows.iter().map(|(row, ..)| row.session_id).collect();
    let lines = session_lines(conn, &ids)?;
    let mut shown = Vec::with_capacity(rows.len());
    for booked in rows {
        let booked_by = people.who(conn, booked.0.booked_by)?;
        let Booking {
            id,
            session_id,
            session,
            member_id: _,
            member: _,
            status,
            delivery,
            party,
            seats,
            reference,
            prescription_item_id,
            // Shown only with the list that it is a place in.
            waitlist_position: _,
            offer_expires_at,
            cancellation_reason,
            version: _,
            created_at,
            updated_at,
        } = booked.into();
        let (venue, partner) = lines.get(&session_id).map(|line| (line.3.clone(), line.4.clone())).unwrap_or_default();
        shown.push(ExportedBooking {
            id,
            title: session.title,
            starts_at: session.starts_at,
            ends_at: session.ends_at,
            venue,
            partner,
            status,
            delivery,
            party,
            seats,
            reference,
            offer_expires_at,
            cancellation_reason,
            prescription_item_id,
            booked_by,
            created_at,
            updated_at,
        });
    }
    Ok(shown)
}

/// The sessions that the member came to without a booking, the oldest first.
pub fn walked_in(conn: &mut Conn, member: Id) -> Result<Vec<ExportedWalkIn>> {
    let rows: Vec<(Id, Timestamp)> = walk_ins::table
        .filter(walk_ins::member_id.eq(member))
        .order((walk_ins::created_at, walk_ins::session_id))
        .select((walk_ins::session_id, walk_ins::created_at))
        .load(conn)?;
    let ids: Vec<Id> = rows.iter().map(|(id, _)| *id).collect();
    let lines = session_lines(conn, &ids)?;
    let show = |(id, created_at): (Id, Timestamp)| {
        let (title, starts_at, ends_at, venue, partner) = lines.get(&id)?.clone();
        Some(ExportedWalkIn { title, starts_at, ends_at, venue, partner, created_at })
    };
    Ok(rows.into_iter().filter_map(show).collect())
}
