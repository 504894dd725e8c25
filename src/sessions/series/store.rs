//! Session series in the database.

use chrono::NaiveDate;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::types::{Repetition, SeriesChange, SeriesInput, SkipReason};
use crate::auth::reach::Reach;
use crate::db::schema::session_series;
use crate::db::{Conn, Id, Json, LocalTime, Timestamp};
use crate::error::{Error, Result};
use crate::insert_many;
use crate::lock_rows;
use crate::sessions::activity::Activity;
use crate::sessions::particulars::Particulars;
use crate::sessions::recurrence::OccurrenceKey;
use crate::sessions::store::{self as sessions, SessionRow};
use crate::sessions::types::{Pillar, Publication, SeriesStatus};

/// Where a series ends before its rule does, between two local dates. Each is the first date that it doesn't have any
/// more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ending {
    /// It was split. Another series goes on from this date.
    pub split: Option<NaiveDate>,
    /// Its partner's roster no longer names it. It has no sessions from this date on, until a roster names it again. A
    /// series of which nothing is left is cancelled until then.
    pub withdrawn: Option<NaiveDate>,
}

impl Ending {
    /// The first local date on which the series has no sessions any more.
    pub fn before(self) -> Option<NaiveDate> {
        self.split.into_iter().chain(self.withdrawn).min()
    }
}

/// An occurrence of a series for which no session could be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// The occurrence.
    pub occurrence: OccurrenceKey,
    /// When it would have started.
    pub local_start: LocalTime,
    /// Why no session was made.
    pub reason: SkipReason,
}

impl LeftOut {
    /// The occurrence of a session that clashes. `None` if it is a single session.
    pub fn of(row: &SessionRow, reason: SkipReason) -> Option<Self> {
        Some(Self { occurrence: row.occurrence?, local_start: row.local_start, reason })
    }
}

/// A row of `session_series`.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable, AsChangeset, Identifiable)]
#[diesel(table_name = session_series, treat_none_as_null = true)]
pub struct SeriesRow {
    pub(crate) id: Id,
    pub(crate) partner_id: Option<Id>,
    pub(crate) external_id: Option<String>,
    #[diesel(embed)]
    pub(crate) activity: Activity,
    pub(crate) particulars: Json<Particulars>,
    pub(crate) pillar: Pillar,
    #[diesel(embed)]
    pub(crate) repetition: Repetition,
    pub(crate) ending: Json<Ending>,
    /// The occurrences for which no session could be made. Only [`leave_out`] changes them. The series keeps its
    /// version, because nobody has changed it.
    #[diesel(skip_update)]
    pub(crate) left_out: Json<Vec<LeftOut>>,
    pub(crate) split_from: Option<Id>,
    pub(crate) status: SeriesStatus,
    pub(crate) cancellation_reason: Option<String>,
    /// The local date up to which sessions have been made. `None` if the rule has an end. Only [`extend`] changes it.
    /// The series keeps its version, because nobody has changed it.
    #[diesel(skip_update)]
    pub(crate) expanded_until: Option<NaiveDate>,
    pub(crate) version: i32,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

impl SeriesRow {
    /// A new series.
    pub fn new(id: Id, written: SeriesInput, now: Timestamp) -> Self {
        Self {
            id,
            partner_id: written.partner_id,
            external_id: written.external_id,
            activity: written.activity,
            particulars: Json(written.particulars),
            pillar: written.pillar,
            repetition: written.repetition,
            ending: Json(Ending::default()),
            left_out: Json(Vec::new()),
            split_from: None,
            status: SeriesStatus::Active,
            cancellation_reason: None,
            expanded_until: None,
            version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// The fields that can be changed, as they are today.
    pub fn changeable(&self) -> SeriesChange {
        SeriesChange {
            activity: self.activity.clone(),
            particulars: self.particulars.0.clone(),
            pillar: self.pillar,
            repetition: self.repetition.clone(),
            status: self.status,
            cancellation_reason: self.cancellation_reason.clone(),
            reason: None,
        }
    }

    /// This row after a change.
    pub fn changed(&self, change: SeriesChange, now: Timestamp) -> Self {
        Self {
            activity: change.activity,
            particulars: Json(change.particulars),
            pillar: change.pillar,
            repetition: change.repetition,
            status: change.status,
            cancellation_reason: change.cancellation_reason,
            version: self.version + 1,
            updated_at: now,
            ..self.clone()
        }
    }

    /// This row after it was made to end before its rule does.
    pub fn ended(&self, ending: Ending, now: Timestamp) -> Self {
        Self { ending: Json(ending), version: self.version + 1, updated_at: now, ..self.clone() }
    }

    /// This row after it was called off by hand: no roster brings it back.
    ///
    /// # Errors
    /// 409 if it is cancelled already.
    pub fn cancelled(&self, reason: &str, now: Timestamp) -> Result<Self> {
        if self.status == SeriesStatus::Cancelled {
            return Err(Error::state("series", self.status, "be cancelled").at_its_end());
        }
        let ending = Ending { withdrawn: None, ..self.ending.0 };
        let reason = Some(reason.to_owned());
        Ok(Self { status: SeriesStatus::Cancelled, cancellation_reason: reason, ..self.ended(ending, now) })
    }
}

impl SeriesRow {
    /// Whether it states the same times as another version.
    pub fn same_times(&self, other: &Self) -> bool {
        self.activity.local_start == other.activity.local_start
            && self.activity.time_zone == other.activity.time_zone
            && self.repetition == other.repetition
    }

    /// The space that its sessions hold. Those of a draft hold none.
    pub fn space_held(&self) -> Option<Id> {
        self.activity.space_id.filter(|_| self.activity.publication != Publication::Draft)
    }

    /// Whether it has the same times, place and delivery as another version.
    pub fn takes_place_as(&self, other: &Self) -> bool {
        let place = |Self { activity: a, .. }: &Self| (a.venue_id, a.space_id, a.delivery, a.duration_minutes);
        place(self) == place(other) && self.same_times(other)
    }

    /// Whether it has the same capacities as another version.
    pub fn seats_as(&self, other: &Self) -> bool {
        let seats = |row: &Self| (row.activity.capacity, row.activity.online_capacity);
        seats(self) == seats(other)
    }

    /// Whether it is the same as another version, apart from capacities.
    pub fn says_as(&self, other: &Self) -> bool {
        let Activity { capacity, online_capacity, .. } = other.activity;
        let activity = Activity { capacity, online_capacity, ..self.activity.clone() };
        let (version, updated_at) = (other.version, other.updated_at);
        Self { activity, version, updated_at, ..self.clone() } == *other
    }
}

/// The longest `external_id`, in letters.
const LONGEST_EXTERNAL_ID: usize = 100;

/// The `external_id` of the second half of a series: the given one, or that of the first half with the first number that
/// is free. `None` if neither has one. The partner is locked.
///
/// # Errors
/// 409 if the given one is taken.
pub fn external_id_of_rest(conn: &mut Conn, old: &SeriesRow, given: Option<&str>) -> Result<Option<String>> {
    if let Some(given) = given {
        sessions::check_external_id(conn, old.partner_id, Some(given))?;
        return Ok(Some(given.to_owned()));
    }
    let (Some(first), Some(partner_id)) = (&old.external_id, old.partner_id) else { return Ok(None) };
    // The second half of what was split already: its number rises.
    let numbered = first.rsplit_once('-').filter(|(_, number)| number.parse::<u32>().is_ok());
    let base = old.split_from.and(numbered).map_or(first.as_str(), |(base, _)| base);
    crate::partners::store::lock(conn, partner_id)?;
    for number in 2.. {
        let suffix = format!("-{number}");
        let kept: String = base.chars().take(LONGEST_EXTERNAL_ID - suffix.len()).collect();
        let name = kept + &suffix;
        if !sessions::has_external_id(conn, partner_id, &name)? {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// A series and the series that it was split from, the nearest first.
pub fn lineage(conn: &mut Conn, id: Id) -> Result<Vec<Id>> {
    let mut ids = vec![id];
    let mut next = Some(id);
    while let Some(id) = next {
        let from = session_series::table.find(id).select(session_series::split_from);
        next = from.first::<Option<Id>>(conn).optional()?.flatten();
        ids.extend(next);
    }
    Ok(ids)
}

/// A change of the date up to which a series has its sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extension {
    series: Id,
    version: i32,
    from: Option<NaiveDate>,
    to: Option<NaiveDate>,
}

impl SeriesRow {
    /// The change from this version to another date. `None` if the rule has an end.
    pub fn extension(&self, to: Option<NaiveDate>) -> Extension {
        Extension { series: self.id, version: self.version, from: self.expanded_until, to }
    }
}

/// Locks series until the transaction ends, before their sessions: nobody changes or extends them meanwhile.
pub fn lock(conn: &mut Conn, ids: impl IntoIterator<Item = Id>) -> Result<()> {
    lock_rows!(conn, session_series, ids);
    Ok(())
}

/// Changes the date, and locks the series until the transaction ends. Returns `false` if the series has been changed or
/// extended in between. So only one of several transactions makes the same sessions.
pub fn extend(conn: &mut Conn, step: Extension) -> Result<bool> {
    let same = session_series::table.find(step.series).filter(session_series::version.eq(step.version));
    let extended = diesel::update(same).set(session_series::expanded_until.eq(step.to)).into_boxed();
    let extended = match step.from {
        Some(from) => extended.filter(session_series::expanded_until.eq(from)),
        None => extended.filter(session_series::expanded_until.is_null()),
    };
    Ok(extended.execute(conn)? == 1)
}

/// Writes which occurrences of a series have no session.
pub fn leave_out(conn: &mut Conn, id: Id, left_out: &[LeftOut]) -> Result<()> {
    let left_out = session_series::left_out.eq(Json(left_out.to_vec()));
    diesel::update(session_series::table.find(id)).set(left_out).execute(conn)?;
    Ok(())
}

/// Whether any series is [`behind`].
pub fn any_behind(conn: &mut Conn, horizon: NaiveDate) -> Result<bool> {
    Ok(!behind(conn, horizon)?.is_empty())
}

/// The series without an end whose sessions don't reach the horizon yet, each with its partner.
pub fn behind(conn: &mut Conn, horizon: NaiveDate) -> Result<Vec<(Id, Option<Id>)>> {
    let behind = session_series::table
        .filter(session_series::status.eq(SeriesStatus::Active))
        .filter(session_series::expanded_until.lt(horizon));
    let whose = (session_series::id, session_series::partner_id);
    let columns = (whose, session_series::ending, session_series::expanded_until);
    type Behind = ((Id, Option<Id>), Json<Ending>, Option<NaiveDate>);
    let mut rows: Vec<Behind> = behind.order(session_series::id).select(columns).load(conn)?;
    let next_day = |until: NaiveDate| until.succ_opt();
    rows.retain(|(_, ending, until)| ending.0.before().is_none_or(|end| until.and_then(next_day) < Some(end)));
    Ok(rows.into_iter().map(|(whose, ..)| whose).collect())
}

/// Adds a series, without its sessions.
///
/// # Errors
/// 409 if the partner has another series with this `external_id`.
pub fn insert(conn: &mut Conn, row: &SeriesRow) -> Result<()> {
    diesel::insert_into(session_series::table).values(row).execute(conn)?;
    Ok(())
}

/// Adds many series, without their sessions.
///
/// # Errors
/// 409 if the partner has another series with one of these `external_id`s.
pub fn insert_many(conn: &mut Conn, rows: &[SeriesRow]) -> Result<()> {
    Ok(insert_many!(conn, session_series::table, rows)?)
}

/// One series of anybody.
///
/// # Errors
/// 404 if there is none.
pub fn get(conn: &mut Conn, id: Id) -> Result<SeriesRow> {
    let row = session_series::table.find(id).select(SeriesRow::as_select()).first(conn).optional()?;
    row.ok_or_else(|| Error::not_found("series"))
}

/// One series within the caller's reach.
///
/// # Errors
/// 404 if there is none, or if it belongs to somebody else.
pub fn get_in(conn: &mut Conn, reach: Reach, id: Id) -> Result<SeriesRow> {
    let row = get(conn, id)?;
    if !reach.has_partner(row.partner_id) {
        return Err(Error::not_found("series"));
    }
    Ok(row)
}

/// Writes the next version of a series over the one before.
///
/// # Errors
/// 412 if another request has changed it in between.
pub fn update(conn: &mut Conn, row: &SeriesRow) -> Result<()> {
    let unchanged = session_series::table.find(row.id).filter(session_series::version.eq(row.version - 1));
    match diesel::update(unchanged).set(row).execute(conn)? {
        1 => Ok(()),
        _ => Err(Error::changed_meanwhile()),
    }
}
