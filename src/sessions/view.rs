//! Sessions as a viewer may see them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono::NaiveDate;
use diesel::dsl::{AsSelect, exists, select};
use diesel::prelude::*;

use super::rules;
use super::series::store::lineage;
use super::types::{
    BookingPolicy, Delivery, PartnerSummary, ProgrammeSummary, Publication, Session, SessionStatus, VenueSummary,
};
use super::visibility::Visibility;
use super::wordings::Wording;
use crate::auth::viewer::Viewer;
use crate::db::conn::MultiBackend;
use crate::db::schema::{
    bookings, partners, prescription_items, prescriptions, programmes, sessions, venues, wordings,
};
use crate::db::{Conn, Id, LocalTime, Timestamp};
use crate::error::{Error, Result};
use crate::load_by_ids;
use crate::partners::types::PartnerStatus;
use crate::venues::closures::Closure;

/// The columns of a session that are shown, apart from what it says. The join link isn't.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = sessions)]
pub struct Columns {
    id: Id,
    series_id: Option<Id>,
    partner_id: Option<Id>,
    venue_id: Option<Id>,
    space_id: Option<Id>,
    external_id: Option<String>,
    wording_id: Id,
    delivery: Delivery,
    booking_policy: BookingPolicy,
    capacity: Option<i32>,
    online_capacity: Option<i32>,
    seats_taken: i32,
    online_seats_taken: i32,
    waitlist_length: i32,
    online_waitlist_length: i32,
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

impl Columns {
    /// The start and the id, by which sessions are listed.
    pub fn place(&self) -> (Timestamp, Id) {
        (self.starts_at, self.id)
    }

    /// The venue.
    pub fn venue_id(&self) -> Option<Id> {
        self.venue_id
    }

    /// The venue of the free seats; `None` if one of them is online.
    pub fn venue_of_seats(&self) -> Option<Id> {
        let left = self.online_capacity.is_none_or(|capacity| self.online_seats_taken < capacity);
        let free = left && self.online_waitlist_length == 0;
        let online = self.delivery == Delivery::Online || (self.delivery == Delivery::Hybrid && free);
        self.venue_id.filter(|_| !online)
    }

    /// Whether the venue of the free seats is closed then.
    pub fn is_shut_out(&self, closures: &HashMap<Id, Closure>, today: NaiveDate) -> bool {
        let closure = self.venue_of_seats().and_then(|venue| closures.get(&venue));
        closure.is_some_and(|closure| closure.covers(self.starts_at, self.ends_at, today))
    }
}

/// A session with its venue and partner.
#[derive(Debug, Queryable)]
pub struct Found {
    /// The session.
    pub session: Columns,
    venue: Option<VenueSummary>,
    partner: Option<PartnerSummary>,
}

impl Found {
    /// The series that the session is of.
    pub fn series_id(&self) -> Option<Id> {
        self.session.series_id
    }
}

/// The columns of [`Found`].
pub type FoundSelection = (
    AsSelect<Columns, MultiBackend>,
    AsSelect<Option<VenueSummary>, MultiBackend>,
    AsSelect<Option<PartnerSummary>, MultiBackend>,
);

/// The columns of [`Found`].
pub fn found_selection() -> FoundSelection {
    (Columns::as_select(), Option::<VenueSummary>::as_select(), Option::<PartnerSummary>::as_select())
}

/// The tables of [`Found`].
#[diesel::dsl::auto_type]
pub(super) fn found() -> _ {
    sessions::table.left_join(venues::table).left_join(partners::table)
}

/// A session with what it says and its related resources.
#[derive(Debug)]
pub struct SessionView {
    session: Columns,
    wording: Arc<Wording>,
    related: Related,
}

/// The venue, partner and programme of a session or a series.
#[derive(Debug, Clone, Queryable)]
pub struct Related {
    pub(super) venue: Option<VenueSummary>,
    pub(super) partner: Option<PartnerSummary>,
    pub(super) programme: Option<ProgrammeSummary>,
}

impl Related {
    /// The partner with its status, by which a viewer may see what is the partner's.
    pub(super) fn standing(&self) -> Option<(Id, PartnerStatus)> {
        self.partner.as_ref().map(PartnerSummary::standing)
    }
}

impl SessionView {
    /// This session's place in the list: microseconds since 1970 of its start, and its id.
    pub fn key(&self) -> (i64, Id) {
        (self.session.starts_at.0.timestamp_micros(), self.session.id)
    }

    /// The session as it is shown at an instant.
    pub fn as_of(self, now: Timestamp) -> Session {
        let Self { session: row, wording, related: Related { venue, partner, programme } } = self;
        let wording = Arc::unwrap_or_clone(wording);
        let hybrid = row.delivery == Delivery::Hybrid;
        Session {
            id: row.id,
            series_id: row.series_id,
            title: wording.title,
            description: wording.description,
            pillar: wording.pillar,
            topics: wording.topics.0,
            delivery: row.delivery,
            partner_id: row.partner_id,
            programme_id: wording.programme_id,
            venue_id: row.venue_id,
            space_id: row.space_id,
            facilitator: wording.facilitator,
            accessibility: wording.accessibility.0,
            particulars: wording.particulars.0.into(),
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
            venue,
            partner,
            programme,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

#[diesel::dsl::auto_type]
fn joined() -> _ {
    sessions::table
        .inner_join(wordings::table)
        .left_join(venues::table)
        .left_join(partners::table)
        .left_join(programmes::table.on(wordings::programme_id.eq(programmes::id.nullable())))
}

/// The columns of [`Related`].
pub(super) type RelatedSelection = (
    AsSelect<Option<VenueSummary>, MultiBackend>,
    AsSelect<Option<PartnerSummary>, MultiBackend>,
    AsSelect<Option<ProgrammeSummary>, MultiBackend>,
);

/// The columns of [`Related`].
pub(super) fn related_selection() -> RelatedSelection {
    (
        Option::<VenueSummary>::as_select(),
        Option::<PartnerSummary>::as_select(),
        Option::<ProgrammeSummary>::as_select(),
    )
}

/// One session, read with one statement unless the viewer is a member.
///
/// # Errors
/// 404 if there is none that this viewer may see.
pub fn get(conn: &mut Conn, id: Id, viewer: Viewer) -> Result<SessionView> {
    let found = joined()
        .filter(sessions::id.eq(id))
        .select((Columns::as_select(), Wording::as_select(), related_selection()))
        .first::<(Columns, Wording, Related)>(conn)
        .optional()?;
    let (session, wording, related) = found.ok_or_else(|| Error::not_found("session"))?;
    let visible = match Visibility::of(viewer, session.publication, related.standing()) {
        Visibility::Visible => true,
        Visibility::Hidden => false,
        Visibility::IfTheirs(member) => is_theirs(conn, member, id, session.series_id)?,
    };
    if !visible {
        return Err(Error::not_found("session"));
    }
    Ok(SessionView { session, wording: Arc::new(wording), related })
}

/// Whether a member has a booking of a session, or a prescription item for it or its series.
pub(super) fn is_theirs(conn: &mut Conn, member: Id, session: Id, series: Option<Id>) -> Result<bool> {
    let booked = bookings::table.filter(bookings::session_id.eq(session)).filter(bookings::member_id.eq(member));
    // If the series was split, the prescription may refer to the series before the split.
    let series = series.map_or_else(|| Ok(Vec::new()), |series| lineage(conn, series))?;
    let prescribed = prescription_items::table
        .inner_join(prescriptions::table)
        .filter(prescriptions::member_id.eq(member))
        .filter(prescription_items::session_id.eq(session).or(prescription_items::series_id.eq_any(series)));
    Ok(select(exists(booked)).get_result(conn)? || select(exists(prescribed)).get_result(conn)?)
}

/// Sessions with their wordings and programmes, in the same order. Most sessions of a page share a few, so each is read
/// once and not with every row.
pub fn related(conn: &mut Conn, rows: Vec<Found>) -> Result<Vec<SessionView>> {
    let wordings = Wording::by_id(conn, rows.iter().map(|row| row.session.wording_id))?;
    let ids: HashSet<Id> = wordings.values().filter_map(|wording| wording.programme_id).collect();
    let ids: Vec<Id> = ids.into_iter().collect();
    let programmes: Vec<ProgrammeSummary> =
        load_by_ids!(conn, programmes, ProgrammeSummary::as_select(), ids.as_slice())?;
    let programmes: HashMap<Id, ProgrammeSummary> = programmes.into_iter().map(|row| (row.id, row)).collect();
    let show = |Found { session, venue, partner }: Found| {
        let wording = wordings.get(&session.wording_id)?.clone();
        let programme = wording.programme_id.and_then(|id| programmes.get(&id).cloned());
        Some(SessionView { session, wording, related: Related { venue, partner, programme } })
    };
    Ok(rows.into_iter().filter_map(show).collect())
}
