//! Erasures in the database.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;
use diesel::dsl::{exists, not, select};
use diesel::prelude::*;

use super::types::{DiskState, ErasedRows, ErasureBlocker, ErasureOrigin, ErasureStatus};
use crate::clock::london_day;
use crate::db::schema::{erasures, member_merges, members, messages, safeguarding_flags, users};
use crate::db::types::TextEnum;
use crate::db::{Conn, Id, Json, Timestamp};
use crate::error::{Error, Result};
use crate::http::page::Slice;
use crate::members::requests::{self, OPEN_ERASURE, open_exports};
use crate::members::safeguarding::types::SafeguardingStatus;
use crate::members::store::ids_of;
use crate::prescriptions::leaving as prescriptions;
use crate::sessions::bookings::leaving as bookings;

/// A row of `erasures`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset, Identifiable)]
#[diesel(table_name = erasures, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct ErasureRow {
    pub(super) id: Id,
    pub(super) member_id: Id,
    pub(super) origin: ErasureOrigin,
    asked_by: Option<Id>,
    pub(super) asked_on: NaiveDate,
    pub(super) due_on: NaiveDate,
    status: ErasureStatus,
    pub(super) reason: Option<String>,
    pub(super) hold_until: Option<NaiveDate>,
    released_at: Option<Timestamp>,
    pub(super) executed_at: Option<Timestamp>,
    pub(super) result: Option<Json<ErasedRows>>,
    pub(super) disk: Option<DiskState>,
    logged: bool,
    pub(super) version: i32,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
}

impl ErasureRow {
    /// A new request.
    pub fn new(
        id: Id,
        member_id: Id,
        (origin, asked_by): (ErasureOrigin, Option<Id>),
        asked_on: NaiveDate,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            member_id,
            origin,
            asked_by,
            asked_on,
            due_on: requests::due_on(asked_on, requests::MONTHS),
            status: ErasureStatus::Requested,
            reason: None,
            hold_until: None,
            released_at: None,
            executed_at: None,
            result: None,
            disk: None,
            logged: false,
            version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// Its state on this day: a hold ends by itself after its last day.
    pub fn status(&self, today: NaiveDate) -> ErasureStatus {
        match self.status {
            ErasureStatus::Held if self.hold_until.is_some_and(|last| last < today) => ErasureStatus::Requested,
            status => status,
        }
    }

    /// Whether it is neither executed nor withdrawn.
    pub fn is_open(&self) -> bool {
        OPEN_ERASURE.contains(&self.status.name())
    }

    /// This row in another state, and not held.
    fn moved(&self, status: ErasureStatus, now: Timestamp) -> Self {
        let version = self.version + 1;
        Self { status, reason: None, hold_until: None, version, updated_at: now, ..self.clone() }
    }

    /// This row after it was taken back.
    pub fn withdrawn(&self, now: Timestamp) -> Self {
        Self { released_at: None, ..self.moved(ErasureStatus::Withdrawn, now) }
    }

    /// This row held for a reason.
    pub fn held(&self, reason: String, until: Option<NaiveDate>, now: Timestamp) -> Self {
        Self { reason: Some(reason), hold_until: until, ..self.moved(ErasureStatus::Held, now) }
    }

    /// This row after its hold was ended.
    pub fn resumed(&self, now: Timestamp) -> Self {
        self.moved(ErasureStatus::Requested, now)
    }

    /// This row after it was done.
    pub fn executed(&self, rows: ErasedRows, now: Timestamp) -> Self {
        Self {
            released_at: None,
            executed_at: Some(now),
            result: Some(Json(rows)),
            disk: Some(DiskState::Pending),
            ..self.moved(ErasureStatus::Executed, now)
        }
    }

    /// The same, where the file of erased ids names the member already.
    pub fn logged(self) -> Self {
        Self { logged: true, ..self }
    }

    /// Where it comes from.
    pub fn origin(&self) -> ErasureOrigin {
        self.origin
    }

    /// Its place in lists.
    pub fn key(&self) -> Id {
        self.id
    }
}

/// Whether an open safeguarding flag holds a request: one that was raised or changed after the request was released.
macro_rules! waits_for_lead {
    () => {
        exists(
            safeguarding_flags::table
                .filter(safeguarding_flags::member_id.eq(erasures::member_id))
                .filter(safeguarding_flags::status.eq(SafeguardingStatus::Open))
                .filter(
                    erasures::released_at
                        .is_null()
                        .or(safeguarding_flags::updated_at.nullable().gt(erasures::released_at)),
                ),
        )
    };
}

/// A page of requests, the oldest first. The state is that of this day, as it is shown.
pub fn list(
    conn: &mut Conn,
    status: Option<ErasureStatus>,
    today: NaiveDate,
    slice: &Slice<Id>,
) -> Result<Vec<ErasureRow>> {
    let mut query = erasures::table.select(ErasureRow::as_select()).into_boxed();
    let held = erasures::status.eq(ErasureStatus::Held);
    let open = erasures::status.eq_any(OPEN_ERASURE);
    query = match status {
        None => query,
        Some(ErasureStatus::Requested) => {
            let ended = held.and(erasures::hold_until.lt(today));
            let requested = erasures::status.eq(ErasureStatus::Requested).or(ended);
            query.filter(requested).filter(not(waits_for_lead!()))
        }
        Some(ErasureStatus::Held) => {
            let goes_on = erasures::hold_until.is_null().or(erasures::hold_until.ge(today));
            query.filter(held.and(goes_on).or(open.and(waits_for_lead!())))
        }
        Some(ended) => query.filter(erasures::status.eq(ended)),
    };
    if let Some(after) = slice.after {
        query = query.filter(erasures::id.gt(after));
    }
    Ok(query.order(erasures::id).limit(slice.fetch()).load(conn)?)
}

/// One request.
///
/// # Errors
/// 404 if there is none.
pub fn get(conn: &mut Conn, id: Id) -> Result<ErasureRow> {
    let row = erasures::table.find(id).select(ErasureRow::as_select()).first(conn).optional()?;
    row.ok_or_else(|| Error::not_found("erasure"))
}

/// As [`get`], and locks the member, so that nothing else happens to their requests, and nothing is added to their record,
/// until the transaction ends: what stands in the way of an erasure is all that there is.
pub fn lock(conn: &mut Conn, id: Id) -> Result<ErasureRow> {
    let member_id = get(conn, id)?.member_id;
    crate::lock_rows!(conn, members, [member_id], for_update);
    get(conn, id)
}

/// A member's latest request.
///
/// # Errors
/// 404 if there is none.
pub fn latest_of(conn: &mut Conn, member_id: Id) -> Result<ErasureRow> {
    let own = erasures::table.filter(erasures::member_id.eq(member_id)).order(erasures::id.desc());
    let row = own.select(ErasureRow::as_select()).first(conn).optional()?;
    row.ok_or_else(|| Error::not_found("request"))
}

/// Every request of these members, the oldest first.
pub fn all_of(conn: &mut Conn, members: &[Id]) -> Result<Vec<ErasureRow>> {
    let own = erasures::table.filter(erasures::member_id.eq_any(members)).order(erasures::id);
    Ok(own.select(ErasureRow::as_select()).load(conn)?)
}

/// The request of a member that is neither executed nor withdrawn. There is at most one.
pub fn open_of(conn: &mut Conn, member_id: Id) -> Result<Option<ErasureRow>> {
    let own = erasures::table.filter(erasures::member_id.eq(member_id));
    let open = own.filter(erasures::status.eq_any(OPEN_ERASURE));
    Ok(open.select(ErasureRow::as_select()).first(conn).optional()?)
}

/// Adds a request. The member must be locked and have no open one.
pub fn insert(conn: &mut Conn, row: &ErasureRow) -> Result<()> {
    diesel::insert_into(erasures::table).values(row).execute(conn)?;
    Ok(())
}

/// Writes the next version of a request over the one before.
///
/// # Errors
/// 412 if another request has changed it in between.
pub fn update(conn: &mut Conn, row: &ErasureRow) -> Result<()> {
    crate::write_next!(conn, erasures, row)
}

/// Lets a request go on that an open safeguarding flag holds. It gets no new version, because the member sees the version
/// and mustn't learn of the flag. The member must be locked.
pub fn release(conn: &mut Conn, row: &ErasureRow, now: Timestamp) -> Result<ErasureRow> {
    diesel::update(erasures::table.find(row.id)).set(erasures::released_at.eq(now)).execute(conn)?;
    Ok(ErasureRow { released_at: Some(now), ..row.clone() })
}

/// Those of these requests that an open safeguarding flag holds.
pub fn waiting_for_lead(conn: &mut Conn, ids: &[Id]) -> Result<HashSet<Id>> {
    let rows = erasures::table.filter(erasures::id.eq_any(ids)).filter(waits_for_lead!()).select(erasures::id);
    Ok(rows.load::<Id>(conn)?.into_iter().collect())
}

/// Those of these members who have an open safeguarding flag.
pub fn flagged(conn: &mut Conn, members: &[Id]) -> Result<HashSet<Id>> {
    let open = safeguarding_flags::table
        .filter(safeguarding_flags::member_id.eq_any(members))
        .filter(safeguarding_flags::status.eq(SafeguardingStatus::Open));
    Ok(open.select(safeguarding_flags::member_id).load::<Id>(conn)?.into_iter().collect())
}

/// What stands in the way of erasing these members, apart from holds.
pub fn blockers(conn: &mut Conn, members: &[Id], now: Timestamp) -> Result<HashMap<Id, Vec<ErasureBlocker>>> {
    let merged = member_merges::table
        .filter(member_merges::into_id.eq_any(members))
        .filter(member_merges::undo.is_not_null())
        .filter(member_merges::undo_until.gt(now));
    let mut asked: Vec<Id> = open_exports(conn, members)?.into_iter().map(|(_, member)| member).collect();
    asked.sort_unstable();
    asked.dedup();
    let found = [
        (ErasureBlocker::FutureBooking, bookings::with_bookings(conn, members, now)?),
        (ErasureBlocker::ActivePrescription, prescriptions::with_active(conn, members)?),
        (ErasureBlocker::OpenExport, asked),
        (ErasureBlocker::UndoOpen, merged.select(member_merges::into_id).distinct().load(conn)?),
    ];
    let mut blockers: HashMap<Id, Vec<ErasureBlocker>> = HashMap::new();
    for (blocker, members) in found {
        for member in members {
            blockers.entry(member).or_default().push(blocker);
        }
    }
    Ok(blockers)
}

/// Where the member can be written to: the address of the record, else that of the account.
pub fn address_of(conn: &mut Conn, member_id: Id) -> Result<Option<String>> {
    let of_record: Option<Option<String>> =
        members::table.find(member_id).select(members::email).first(conn).optional()?;
    match of_record.flatten() {
        Some(address) => Ok(Some(address)),
        None => Ok(users::table.filter(users::member_id.eq(member_id)).select(users::email).first(conn).optional()?),
    }
}

/// The key of the message that tells somebody that they were erased.
pub fn message_key(id: Id) -> String {
    format!("erasure_done:{id}")
}

/// Whether there are executed requests that the file of erased ids doesn't name.
pub fn any_unlogged(conn: &mut Conn) -> Result<bool> {
    let unlogged =
        erasures::table.filter(erasures::status.eq(ErasureStatus::Executed)).filter(erasures::logged.eq(false));
    Ok(select(exists(unlogged)).get_result(conn)?)
}

/// The executed requests that the file doesn't name: each with every id of the member, and the day.
pub fn unlogged(conn: &mut Conn) -> Result<Vec<(Id, Vec<Id>, NaiveDate)>> {
    let unlogged =
        erasures::table.filter(erasures::status.eq(ErasureStatus::Executed)).filter(erasures::logged.eq(false));
    let columns = (erasures::id, erasures::member_id, erasures::executed_at.assume_not_null());
    let rows: Vec<(Id, Id, Timestamp)> = unlogged.order(erasures::id).select(columns).load(conn)?;
    rows.into_iter().map(|(id, member, at)| Ok((id, ids_of(conn, member)?, london_day(at)))).collect()
}

/// Writes down that the file names these.
pub fn set_logged(conn: &mut Conn, ids: &[Id]) -> Result<()> {
    diesel::update(erasures::table.filter(erasures::id.eq_any(ids))).set(erasures::logged.eq(true)).execute(conn)?;
    Ok(())
}

/// An executed request of which the files of the database may still hold something.
#[derive(Debug, Clone, Copy, Queryable)]
pub struct Unfinished {
    /// Its id.
    pub id: Id,
    /// The member.
    pub member_id: Id,
    /// When it was executed.
    pub executed_at: Timestamp,
}

/// The executed requests of which the files may still hold something, apart from those whose member is still to be told:
/// until then the database holds the address.
pub fn unfinished(conn: &mut Conn) -> Result<Vec<Unfinished>> {
    let pending = erasures::table.filter(erasures::disk.eq(DiskState::Pending)).order(erasures::id);
    let columns = (erasures::id, erasures::member_id, erasures::executed_at.assume_not_null());
    let mut rows: Vec<Unfinished> = pending.select(columns).load(conn)?;
    let keys: Vec<String> = rows.iter().map(|row| message_key(row.id)).collect();
    let told = messages::table.filter(messages::dedup_key.eq_any(&keys)).select(messages::dedup_key.assume_not_null());
    let to_tell: HashSet<String> = told.load(conn)?.into_iter().collect();
    rows.retain(|row| !to_tell.contains(&message_key(row.id)));
    Ok(rows)
}

/// Of how many executed requests the files may still hold something.
pub fn count_pending(conn: &mut Conn) -> Result<usize> {
    let pending = erasures::table.filter(erasures::disk.eq(DiskState::Pending));
    usize::try_from(pending.count().get_result::<i64>(conn)?).map_err(Error::internal)
}

/// Writes down that the files hold nothing of these any more.
pub fn set_finished(conn: &mut Conn, ids: &[Id], now: Timestamp) -> Result<()> {
    let done =
        (erasures::disk.eq(DiskState::Done), erasures::version.eq(erasures::version + 1), erasures::updated_at.eq(now));
    diesel::update(erasures::table.filter(erasures::id.eq_any(ids))).set(done).execute(conn)?;
    Ok(())
}
