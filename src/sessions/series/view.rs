//! Series as a viewer may see them.

use std::collections::{HashMap, HashSet};

use chrono::Days;
use diesel::dsl::{exists, select};
use diesel::prelude::*;

use super::rules;
use super::store::{LeftOut, SeriesRow, lineage};
use super::types::{Series, Skipped};
use crate::auth::viewer::Viewer;
use crate::clock::london_day;
use crate::db::schema::{bookings, partners, prescription_items, prescriptions, programmes, session_series};
use crate::db::schema::{sessions, venues};
use crate::db::{Conn, Id, Timestamp};
use crate::error::{Error, Result};
use crate::http::page::Slice;
use crate::sessions::recurrence::OccurrenceKey;
use crate::sessions::search::filter::SeriesFilter;
use crate::sessions::store::of_series_from;
use crate::sessions::types::{Delivery, SeriesStatus, SessionStatus};
use crate::sessions::view::{Related, related_selection};
use crate::sessions::visibility::{Part, Visibility, in_part};

/// A series with its related resources, at an instant.
#[derive(Debug)]
pub struct SeriesView {
    series: SeriesRow,
    related: Related,
    ended: bool,
}

impl SeriesView {
    /// The sessions that are still to come and could not be made, unless they have been made since. `None` if the
    /// viewer may not write the series.
    pub fn left_out(&self, conn: &mut Conn, viewer: Viewer, now: Timestamp) -> Result<Option<Vec<Skipped>>> {
        let row = &self.series;
        let may_write = match viewer {
            Viewer::Staff => true,
            Viewer::Partner(partner) => row.partner_id == Some(partner),
            Viewer::Member(_) | Viewer::Public => false,
        };
        if !may_write {
            return Ok(None);
        }
        let ended = |one: &LeftOut| row.ending.0.before().is_some_and(|end| one.occurrence.date() >= end);
        let mut left_out = row.left_out.0.clone();
        left_out.retain(|one| !ended(one) && rules::is_to_come(row, one.local_start, now));
        if let Some(first) = left_out.iter().map(|one| one.occurrence.date()).min() {
            let held = of_series_from(conn, row.id, first)?;
            let made = held.iter().filter(|session| !session.is_withdrawn()).filter_map(|session| session.occurrence);
            let made: HashSet<_> = made.map(OccurrenceKey::place).collect();
            left_out.retain(|one| !made.contains(&one.occurrence.place()));
        }
        Ok(Some(left_out.iter().map(Skipped::from).collect()))
    }

    /// The partner that it belongs to.
    pub fn partner_id(&self) -> Option<Id> {
        self.series.partner_id
    }

    /// This series' place in the list.
    pub fn key(&self) -> Id {
        self.series.id
    }
}

impl From<SeriesView> for Series {
    /// The join link isn't shown.
    fn from(shown: SeriesView) -> Self {
        let SeriesView { series: row, related: Related { venue, partner, programme }, ended } = shown;
        let (activity, repetition) = (row.activity, row.repetition);
        Self {
            ended,
            id: row.id,
            title: activity.title,
            description: activity.description,
            pillar: row.pillar,
            topics: activity.topics.0,
            delivery: activity.delivery,
            partner_id: row.partner_id,
            programme_id: activity.programme_id,
            venue_id: activity.venue_id,
            space_id: activity.space_id,
            facilitator: activity.facilitator,
            accessibility: activity.accessibility.0,
            particulars: row.particulars.0.into(),
            local_start: activity.local_start,
            time_zone: activity.time_zone,
            duration_minutes: activity.duration_minutes,
            recurrence: repetition.recurrence,
            excluded: repetition.excluded.0,
            additional: repetition.additional.0,
            ends_before: row.ending.0.before(),
            split_from: row.split_from,
            capacity: activity.capacity,
            online_capacity: activity.online_capacity,
            booking_policy: activity.booking_policy,
            publication: activity.publication,
            status: row.status,
            cancellation_reason: row.cancellation_reason,
            expanded_until: row.expanded_until,
            left_out: None,
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
    session_series::table.left_join(venues::table).left_join(partners::table).left_join(programmes::table)
}

/// One series as it is now.
///
/// # Errors
/// 404 if there is none that this viewer may see.
pub fn get(conn: &mut Conn, id: Id, viewer: Viewer, now: Timestamp) -> Result<SeriesView> {
    let (series, related) = find(conn, id, viewer)?;
    let ended = ends(&series) && with_sessions_to_come(conn, &[id], now)?.is_empty();
    Ok(SeriesView { series, related, ended })
}

/// These series, which have sessions to come and which the viewer may see, by id.
pub fn by_ids(conn: &mut Conn, ids: &[Id]) -> Result<HashMap<Id, SeriesView>> {
    let these = joined().filter(session_series::id.eq_any(ids)).select((SeriesRow::as_select(), related_selection()));
    let rows: Vec<(SeriesRow, Related)> = these.load(conn)?;
    let view = |(series, related): (SeriesRow, Related)| (series.id, SeriesView { series, related, ended: false });
    Ok(rows.into_iter().map(view).collect())
}

/// One series as the answer to a viewer.
///
/// # Errors
/// 404 if there is none that this viewer may see.
pub fn whole(conn: &mut Conn, id: Id, viewer: Viewer, now: Timestamp) -> Result<Series> {
    let shown = get(conn, id, viewer, now)?;
    let left_out = shown.left_out(conn, viewer, now)?;
    Ok(Series { left_out, ..Series::from(shown) })
}

/// Checks that a viewer may see a series.
///
/// # Errors
/// 404 if there is none that this viewer may see.
pub fn check_visible(conn: &mut Conn, id: Id, viewer: Viewer) -> Result<()> {
    find(conn, id, viewer).map(|_| ())
}

/// Whether no more sessions will be made, because the rule has an end or the series was cut short or called off.
fn ends(series: &SeriesRow) -> bool {
    series.expanded_until.is_none() || series.ending.0.before().is_some() || series.status == SeriesStatus::Cancelled
}

/// The series among these that have a scheduled session which hasn't ended.
fn with_sessions_to_come(conn: &mut Conn, ids: &[Id], now: Timestamp) -> Result<HashSet<Id>> {
    // A session takes a week at most, and every time zone is less than a day from London. Earlier dates can't match.
    let earliest = london_day(now) - Days::new(9);
    let to_come = sessions::table
        .filter(sessions::series_id.eq(session_series::id.nullable()))
        // Unless it was moved by hand.
        .filter(sessions::occurrence.ge(OccurrenceKey::first_on(earliest)).or(sessions::edited.eq(true)))
        .filter(sessions::status.eq(SessionStatus::Scheduled))
        .filter(sessions::ends_at.gt(now));
    let with = session_series::table.filter(session_series::id.eq_any(ids)).filter(exists(to_come));
    Ok(with.select(session_series::id).load::<Id>(conn)?.into_iter().collect())
}

fn find(conn: &mut Conn, id: Id, viewer: Viewer) -> Result<(SeriesRow, Related)> {
    let found = joined().filter(session_series::id.eq(id)).select((SeriesRow::as_select(), related_selection()));
    let found = found.first::<(SeriesRow, Related)>(conn).optional()?;
    let (series, related) = found.ok_or_else(|| Error::not_found("series"))?;
    let visible = match Visibility::of(viewer, series.activity.publication, related.standing()) {
        Visibility::Visible => true,
        Visibility::Hidden => false,
        Visibility::IfTheirs(member) => is_theirs(conn, member, id)?,
    };
    if visible { Ok((series, related)) } else { Err(Error::not_found("series")) }
}

/// Whether a member has a booking of one of the series' sessions, or a prescription item for the series.
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

/// A page of series by id, as they are now.
pub fn list(
    conn: &mut Conn,
    viewer: Viewer,
    filter: &SeriesFilter,
    slice: &Slice<Id>,
    now: Timestamp,
) -> Result<Vec<SeriesView>> {
    let mut rows: Vec<(SeriesRow, Related)> = Vec::new();
    for part in Part::of(viewer) {
        let mut query =
            in_part!(joined().select((SeriesRow::as_select(), related_selection())).into_boxed(), session_series, part);
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
            query = query.filter(session_series::delivery.ne(Delivery::Online));
        }
        if let Some(pillar) = filter.pillar {
            query = query.filter(session_series::pillar.eq(pillar));
        }
        rows.extend(query.order(session_series::id).limit(slice.fetch()).load::<(SeriesRow, Related)>(conn)?);
    }
    rows.sort_by_key(|(series, _)| series.id);
    rows.truncate(usize::try_from(slice.fetch()).unwrap_or_default());
    let ids: Vec<Id> = rows.iter().filter(|(series, _)| ends(series)).map(|(series, _)| series.id).collect();
    let going_on = with_sessions_to_come(conn, &ids, now)?;
    let view = |(series, related): (SeriesRow, Related)| {
        let ended = ends(&series) && !going_on.contains(&series.id);
        SeriesView { series, related, ended }
    };
    Ok(rows.into_iter().map(view).collect())
}
