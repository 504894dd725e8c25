//! Sessions as they are shown: one query for all that an answer holds, and only of what the viewer may see.

use chrono::{NaiveDate, NaiveTime};
use chrono_tz::Europe::London;
use diesel::dsl::{AsSelect, exists, select, sql};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};

use super::recurrence::resolve;
use super::rules;
use super::series::store::lineage;
use super::summaries::{PartnerBrief, ProgrammeBrief, VenueBrief};
use super::types::{BookingPolicy, Delivery, Pillar, Publication, Session, SessionFilter, SessionStatus};
use super::viewer::{Sight, Viewer};
use crate::db::conn::MultiBackend;
use crate::db::schema::{bookings, partners, prescription_items, prescriptions, programmes, sessions, venues};
use crate::db::types::{DbTimestamp, DbUuid};
use crate::db::{Conn, Id, Json, LocalTime, Timestamp};
use crate::error::{Error, Result};
use crate::http::page::Slice;

/// The columns of a session that are shown. The join link isn't.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = sessions)]
pub struct Columns {
    id: Id,
    series_id: Option<Id>,
    partner_id: Option<Id>,
    programme_id: Option<Id>,
    venue_id: Option<Id>,
    space_id: Option<Id>,
    external_id: Option<String>,
    title: String,
    description: Option<String>,
    pillar: Pillar,
    topics: Json<Vec<String>>,
    delivery: Delivery,
    facilitator: Option<String>,
    accessibility: Json<Vec<String>>,
    booking_policy: BookingPolicy,
    capacity: Option<i32>,
    online_capacity: Option<i32>,
    seats_taken: i32,
    online_seats_taken: i32,
    waitlist_length: i32,
    local_start: LocalTime,
    time_zone: String,
    duration_minutes: i32,
    starts_at: Timestamp,
    ends_at: Timestamp,
    publication: Publication,
    status: SessionStatus,
    cancellation_reason: Option<String>,
    version: i32,
    created_at: Timestamp,
    updated_at: Timestamp,
}

/// A session with what is shown beside it.
#[derive(Debug, Queryable)]
pub struct Shown {
    session: Columns,
    venue: Option<VenueBrief>,
    partner: Option<PartnerBrief>,
    programme: Option<ProgrammeBrief>,
}

/// The keys that sessions are listed by: microseconds since 1970 of the start, and the id.
pub type SessionKey = (i64, Id);

impl Shown {
    /// This session's place in the list.
    pub fn key(&self) -> SessionKey {
        (self.session.starts_at.0.timestamp_micros(), self.session.id)
    }

    /// The session as it reads at an instant.
    pub fn at(self, now: Timestamp) -> Session {
        let row = self.session;
        let hybrid = row.delivery == Delivery::Hybrid;
        Session {
            id: row.id,
            series_id: row.series_id,
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
            starts_at: row.starts_at,
            ends_at: row.ends_at,
            capacity: row.capacity,
            online_capacity: row.online_capacity,
            seats_taken: row.seats_taken,
            seats_left: row.capacity.map(|capacity| capacity - row.seats_taken),
            online_seats_taken: hybrid.then_some(row.online_seats_taken),
            online_seats_left: row.online_capacity.map(|capacity| capacity - row.online_seats_taken),
            waitlist_length: row.waitlist_length,
            booking_policy: row.booking_policy,
            publication: row.publication,
            status: rules::state(row.status, row.ends_at, now),
            cancellation_reason: row.cancellation_reason,
            external_id: row.external_id,
            venue: self.venue.map(Into::into),
            partner: self.partner.map(Into::into),
            programme: self.programme.map(Into::into),
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

#[diesel::dsl::auto_type]
fn joined() -> _ {
    sessions::table.left_join(venues::table).left_join(partners::table).left_join(programmes::table)
}

type Selection = (
    AsSelect<Columns, MultiBackend>,
    AsSelect<Option<VenueBrief>, MultiBackend>,
    AsSelect<Option<PartnerBrief>, MultiBackend>,
    AsSelect<Option<ProgrammeBrief>, MultiBackend>,
);

fn selection() -> Selection {
    (
        Columns::as_select(),
        Option::<VenueBrief>::as_select(),
        Option::<PartnerBrief>::as_select(),
        Option::<ProgrammeBrief>::as_select(),
    )
}

/// One session.
///
/// # Errors
/// 404 where there is none that this viewer may see.
pub fn get(conn: &mut Conn, id: Id, viewer: Viewer) -> Result<Shown> {
    let found = joined().filter(sessions::id.eq(id)).select(selection()).first::<Shown>(conn).optional()?;
    let shown = found.ok_or_else(|| Error::not_found("session"))?;
    let visible = match viewer.sight(shown.session.publication, shown.session.partner_id) {
        Sight::Clear => true,
        Sight::Hidden => false,
        Sight::IfTheirs(member) => is_theirs(conn, member, id, shown.session.series_id)?,
    };
    if visible { Ok(shown) } else { Err(Error::not_found("session")) }
}

/// Whether a member has a booking of a session, or a prescription item for it or its series.
pub(super) fn is_theirs(conn: &mut Conn, member: Id, session: Id, series: Option<Id>) -> Result<bool> {
    let booked = bookings::table.filter(bookings::session_id.eq(session)).filter(bookings::member_id.eq(member));
    // What was prescribed goes on where its series was split.
    let series = series.map_or_else(|| Ok(Vec::new()), |series| lineage(conn, series))?;
    let prescribed = prescription_items::table
        .inner_join(prescriptions::table)
        .filter(prescriptions::member_id.eq(member))
        .filter(prescription_items::session_id.eq(session).or(prescription_items::series_id.eq_any(series)));
    Ok(select(exists(booked)).get_result(conn)? || select(exists(prescribed)).get_result(conn)?)
}

/// A page of sessions by start, from now on unless the filter says from when.
pub fn list(
    conn: &mut Conn,
    viewer: Viewer,
    filter: &SessionFilter,
    slice: &Slice<SessionKey>,
    now: Timestamp,
) -> Result<Vec<Shown>> {
    let mut query = joined().select(selection()).into_boxed();
    query = match viewer {
        Viewer::Staff => query,
        Viewer::Partner(partner) => {
            query.filter(sessions::publication.eq(Publication::Published).or(sessions::partner_id.eq(partner)))
        }
        Viewer::Member(_) | Viewer::Public => query.filter(sessions::publication.eq(Publication::Published)),
    };
    query = match slice.after {
        // Row values, so that the index is entered right behind the last row, however many start with it.
        Some((micros, id)) => query.filter(
            sql::<Bool>("(sessions.starts_at, sessions.id) > (")
                .bind::<DbTimestamp, _>(from_micros(micros))
                .sql(", ")
                .bind::<DbUuid, _>(id)
                .sql(")"),
        ),
        None => query.filter(sessions::starts_at.ge(filter.from.map_or(now, midnight))),
    };
    if let Some(to) = filter.to {
        query = query.filter(sessions::starts_at.lt(midnight(to.succ_opt().unwrap_or(to))));
    }
    if let Some(pillar) = filter.pillar {
        query = query.filter(sessions::pillar.eq(pillar));
    }
    if let Some(delivery) = filter.delivery {
        query = query.filter(sessions::delivery.eq(delivery));
    }
    if let Some(venue) = filter.venue_id {
        query = query.filter(sessions::venue_id.eq(venue));
    }
    if let Some(partner) = filter.partner_id {
        query = query.filter(sessions::partner_id.eq(partner));
    }
    if let Some(programme) = filter.programme_id {
        query = query.filter(sessions::programme_id.eq(programme));
    }
    if let Some(authority) = &filter.local_authority {
        // Not on the joined venue: SQLite would then begin with the venues and sort all of their sessions.
        query = query.filter(
            sql::<Bool>(
                "EXISTS (SELECT 1 FROM venues there WHERE there.id = sessions.venue_id AND there.local_authority = ",
            )
            .bind::<Text, _>(authority)
            .sql(")"),
        );
    }
    Ok(query.order((sessions::starts_at, sessions::id)).limit(slice.fetch()).load::<Shown>(conn)?)
}

/// The first instant of a day in London.
fn midnight(day: NaiveDate) -> Timestamp {
    Timestamp(resolve(day.and_time(NaiveTime::MIN), London))
}

fn from_micros(micros: i64) -> Timestamp {
    Timestamp(chrono::DateTime::from_timestamp_micros(micros).unwrap_or_default())
}
