//! Series as they are shown: one query for all that an answer holds, and only of what the viewer may see.

use diesel::dsl::{AsSelect, exists, select};
use diesel::prelude::*;

use super::store::{SeriesRow, lineage};
use super::types::{Series, SeriesFilter};
use crate::auth::viewer::Viewer;
use crate::db::conn::MultiBackend;
use crate::db::schema::{bookings, partners, prescription_items, prescriptions, programmes, session_series};
use crate::db::schema::{sessions, venues};
use crate::db::{Conn, Id};
use crate::error::{Error, Result};
use crate::http::page::Slice;
use crate::sessions::summaries::{PartnerBrief, ProgrammeBrief, VenueBrief};
use crate::sessions::types::Publication;
use crate::sessions::visibility::Visibility;

/// A series with its related resources.
#[derive(Debug, Queryable)]
pub struct SeriesView {
    series: SeriesRow,
    venue: Option<VenueBrief>,
    partner: Option<PartnerBrief>,
    programme: Option<ProgrammeBrief>,
}

impl SeriesView {
    /// This series' place in the list.
    pub fn key(&self) -> Id {
        self.series.id
    }
}

impl From<SeriesView> for Series {
    /// All but the join link.
    fn from(shown: SeriesView) -> Self {
        let row = shown.series;
        Self {
            id: row.id,
            title: row.title,
            description: row.description,
            pillar: row.pillar,
            topics: row.topics.0,
            delivery: row.delivery,
            partner_id: row.partner_id,
            programme_id: row.programme_id,
            venue_id: row.venue_id,
            space_id: row.space_id,
            facilitator: row.facilitator,
            accessibility: row.accessibility.0,
            local_start: row.local_start,
            time_zone: row.time_zone,
            duration_minutes: row.duration_minutes,
            recurrence: row.recurrence,
            excluded: row.excluded.0,
            additional: row.additional.0,
            ends_before: row.ends_before,
            split_from: row.split_from,
            capacity: row.capacity,
            online_capacity: row.online_capacity,
            booking_policy: row.booking_policy,
            publication: row.publication,
            status: row.status,
            cancellation_reason: row.cancellation_reason,
            expanded_until: row.expanded_until,
            external_id: row.external_id,
            venue: shown.venue.map(Into::into),
            partner: shown.partner.map(Into::into),
            programme: shown.programme.map(Into::into),
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

#[diesel::dsl::auto_type]
fn joined() -> _ {
    session_series::table.left_join(venues::table).left_join(partners::table).left_join(programmes::table)
}

type Selection = (
    AsSelect<SeriesRow, MultiBackend>,
    AsSelect<Option<VenueBrief>, MultiBackend>,
    AsSelect<Option<PartnerBrief>, MultiBackend>,
    AsSelect<Option<ProgrammeBrief>, MultiBackend>,
);

fn selection() -> Selection {
    (
        SeriesRow::as_select(),
        Option::<VenueBrief>::as_select(),
        Option::<PartnerBrief>::as_select(),
        Option::<ProgrammeBrief>::as_select(),
    )
}

/// One series.
///
/// # Errors
/// 404 where there is none that this viewer may see.
pub fn get(conn: &mut Conn, id: Id, viewer: Viewer) -> Result<SeriesView> {
    let found = joined().filter(session_series::id.eq(id)).select(selection()).first::<SeriesView>(conn).optional()?;
    let shown = found.ok_or_else(|| Error::not_found("series"))?;
    let visible = match Visibility::of(viewer, shown.series.publication, shown.series.partner_id) {
        Visibility::Visible => true,
        Visibility::Hidden => false,
        Visibility::IfTheirs(member) => is_theirs(conn, member, id)?,
    };
    if visible { Ok(shown) } else { Err(Error::not_found("series")) }
}

/// Whether a member has a booking of one of its sessions, or a prescription item for it.
fn is_theirs(conn: &mut Conn, member: Id, series: Id) -> Result<bool> {
    let booked = bookings::table
        .inner_join(sessions::table)
        .filter(bookings::member_id.eq(member))
        .filter(sessions::series_id.eq(series));
    let prescribed = prescription_items::table
        .inner_join(prescriptions::table)
        .filter(prescriptions::member_id.eq(member))
        .filter(prescription_items::series_id.eq_any(lineage(conn, series)?));
    Ok(select(exists(booked)).get_result(conn)? || select(exists(prescribed)).get_result(conn)?)
}

/// A page of series by id.
pub fn list(conn: &mut Conn, viewer: Viewer, filter: &SeriesFilter, slice: &Slice<Id>) -> Result<Vec<SeriesView>> {
    let mut query = joined().select(selection()).into_boxed();
    query = match viewer {
        Viewer::Staff => query,
        Viewer::Partner(partner) => query
            .filter(session_series::publication.eq(Publication::Published).or(session_series::partner_id.eq(partner))),
        Viewer::Member(_) | Viewer::Public => query.filter(session_series::publication.eq(Publication::Published)),
    };
    if let Some(id) = slice.after {
        query = query.filter(session_series::id.gt(id));
    }
    if let Some(partner) = filter.partner_id {
        query = query.filter(session_series::partner_id.eq(partner));
    }
    if let Some(programme) = filter.programme_id {
        query = query.filter(session_series::programme_id.eq(programme));
    }
    if let Some(venue) = filter.venue_id {
        query = query.filter(session_series::venue_id.eq(venue));
    }
    if let Some(pillar) = filter.pillar {
        query = query.filter(session_series::pillar.eq(pillar));
    }
    Ok(query.order(session_series::id).limit(slice.fetch()).load::<SeriesView>(conn)?)
}
