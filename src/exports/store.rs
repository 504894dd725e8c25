//! Exports in the database.

use aws_lc_rs::digest::{SHA256, digest};
use chrono::NaiveDate;
use diesel::dsl::{exists, select};
use diesel::prelude::*;

use super::rules::{self, KEPT, Reader, status_at};
use super::types::{Export, ExportChange, ExportFilter, ExportKind, ExportPart, ExportStatus};
use crate::config::Config;
use crate::db::schema::exports;
use crate::db::{Conn, Id, Json, Timestamp};
use crate::error::{Error, Result};
use crate::http::page::Slice;
use crate::members::requests;
use crate::text::hex::hex;

/// How many documents the housekeeping removes in one transaction. Each can have megabytes.
const PIECE: i64 = 10;

/// A row of `exports` without its document.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = exports, treat_none_as_default_value = false)]
pub struct ExportRow {
    pub(super) id: Id,
    pub(super) member_id: Id,
    pub(super) kind: ExportKind,
    requested_by: Id,
    pub(super) received_on: NaiveDate,
    pub(super) how: Option<String>,
    pub(super) due_on: NaiveDate,
    extended: bool,
    reason: Option<String>,
    pub(super) status: ExportStatus,
    withheld: Json<Vec<ExportPart>>,
    withheld_reason: Option<String>,
    bytes: Option<i32>,
    sha256: Option<String>,
    downloads: i32,
    pub(super) attempts: i32,
    due_at: Timestamp,
    ready_at: Option<Timestamp>,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) version: i32,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl ExportRow {
    /// A new export, due to be made now. `received_on` and `how` say when and how the request came, and `due_on` until
    /// when to answer it.
    pub fn new(
        (id, member_id, kind): (Id, Id, ExportKind),
        requested_by: Id,
        (received_on, how, due_on): (NaiveDate, Option<String>, NaiveDate),
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            member_id,
            kind,
            requested_by,
            received_on,
            how,
            due_on,
            extended: false,
            reason: None,
            status: ExportStatus::Queued,
            withheld: Json(Vec::new()),
            withheld_reason: None,
            bytes: None,
            sha256: None,
            downloads: 0,
            attempts: 0,
            due_at: now,
            ready_at: None,
            expires_at: None,
            version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// What can be changed, as it is.
    pub fn written(&self) -> ExportChange {
        ExportChange { extended: self.extended, reason: self.reason.clone() }
    }

    /// This row after a change.
    pub fn changed(&self, written: ExportChange, now: Timestamp) -> Self {
        let due_on = requests::due_on(self.received_on, rules::months(written.extended));
        let ExportChange { extended, reason } = written;
        Self { extended, reason, due_on, version: self.version + 1, updated_at: now, ..self.clone() }
    }

    /// The state at this instant.
    pub fn status_at(&self, now: Timestamp) -> ExportStatus {
        status_at(self.status, self.expires_at, now)
    }

    /// This export as a reader sees it at this instant. A member isn't told of a review: what they see is the same without
    /// one, also the version, and when it was last changed. An advisor who doesn't review isn't told whether there are
    /// notes about safeguarding: neither that they are withheld, nor by the size of the document before and after.
    pub fn show(self, reader: Reader, now: Timestamp) -> Export {
        let (status, written) = (self.status_at(now), self.written());
        let is_member = matches!(reader, Reader::Member(_));
        let (version, updated_at) = match is_member {
            true => (rules::version_for_member(status), self.changed_for_member(status)),
            false => (self.version, self.updated_at),
        };
        let reviews = reader == (Reader::Advisor { reviews: true });
        let mut withheld = if is_member { Vec::new() } else { self.withheld.0 };
        withheld.retain(|part| reviews || !part.is_of_safeguarding());
        let has_size = reviews || status != ExportStatus::InReview;
        Export {
            id: self.id,
            member_id: self.member_id,
            kind: self.kind,
            status: if is_member && status == ExportStatus::Released { ExportStatus::Ready } else { status },
            received_on: self.received_on,
            how: self.how,
            due_on: self.due_on,
            written,
            withheld_reason: self.withheld_reason.filter(|_| !withheld.is_empty()),
            withheld,
            bytes: self.bytes.filter(|_| has_size),
            sha256: self.sha256.filter(|_| has_size),
            downloads: self.downloads,
            ready_at: self.ready_at,
            expires_at: self.expires_at,
            version,
            created_at: self.created_at,
            updated_at,
        }
    }

    /// When it came into this state, as far as its member sees.
    fn changed_for_member(&self, status: ExportStatus) -> Timestamp {
        let at = match status {
            ExportStatus::Queued | ExportStatus::InReview => None,
            ExportStatus::Ready | ExportStatus::Released => self.ready_at,
            ExportStatus::Expired => self.expires_at,
        };
        at.unwrap_or(self.created_at)
    }

    /// When it was asked for here.
    pub fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// This export's place in lists.
    pub fn key(&self) -> Id {
        self.id
    }
}

/// Adds an export.
pub fn insert(conn: &mut Conn, row: &ExportRow) -> Result<()> {
    diesel::insert_into(exports::table).values(row).execute(conn)?;
    Ok(())
}

/// One export, if it is there for this reader.
///
/// # Errors
/// 404 if it isn't.
pub fn get(conn: &mut Conn, reader: Reader, id: Id) -> Result<ExportRow> {
    let row: Option<ExportRow> = exports::table.find(id).select(ExportRow::as_select()).first(conn).optional()?;
    let seen = row.filter(|row| reader.sees(row.member_id, row.kind, row.status));
    seen.ok_or_else(|| Error::not_found("export"))
}

/// A page of a member's exports that are there for this reader, the newest first.
pub fn of_member(conn: &mut Conn, member_id: Id, reader: Reader, slice: &Slice<Id>) -> Result<Vec<ExportRow>> {
    let of_member = exports::table.filter(exports::member_id.eq(member_id));
    let mut query = of_member.select(ExportRow::as_select()).into_boxed();
    query = match reader {
        Reader::Member(own) => {
            let readable = [ExportStatus::Ready, ExportStatus::Released, ExportStatus::Expired];
            let there = exports::kind.eq(ExportKind::Own).or(exports::status.eq_any(readable));
            query.filter(exports::member_id.eq(own)).filter(there)
        }
        Reader::Advisor { .. } => query.filter(exports::kind.eq(ExportKind::Full)),
    };
    if let Some(after) = slice.after {
        query = query.filter(exports::id.lt(after));
    }
    Ok(query.order(exports::id.desc()).limit(slice.fetch()).load(conn)?)
}

/// A page of everybody's `full` exports, the oldest first.
pub fn list(conn: &mut Conn, filter: &ExportFilter, slice: &Slice<Id>, now: Timestamp) -> Result<Vec<ExportRow>> {
    let full = exports::table.filter(exports::kind.eq(ExportKind::Full));
    let mut query = full.select(ExportRow::as_select()).into_boxed();
    // What is to be removed counts as removed.
    let over = || exports::expires_at.is_not_null().and(exports::expires_at.assume_not_null().le(now));
    query = match filter.status {
        None => query,
        Some(ExportStatus::Expired) => query.filter(over()),
        Some(status) => query.filter(exports::status.eq(status)).filter(diesel::dsl::not(over())),
    };
    if let Some(after) = slice.after {
        query = query.filter(exports::id.gt(after));
    }
    Ok(query.order(exports::id).limit(slice.fetch()).load(conn)?)
}

/// A member's exports that haven't expired: their ids, kinds and states. The member must be locked.
pub fn unexpired(conn: &mut Conn, member_id: Id, now: Timestamp) -> Result<Vec<(Id, ExportKind, ExportStatus)>> {
    let columns = (exports::id, exports::kind, exports::status, exports::expires_at);
    let rows: Vec<(Id, ExportKind, ExportStatus, Option<Timestamp>)> =
        exports::table.filter(exports::member_id.eq(member_id)).select(columns).load(conn)?;
    let rows = rows.into_iter().map(|(id, kind, status, at)| (id, kind, status_at(status, at, now)));
    Ok(rows.filter(|(_, _, status)| *status != ExportStatus::Expired).collect())
}

/// All exports of a member, the oldest first; for an `own` document those that are there for the member.
pub fn all_of(conn: &mut Conn, member_id: Id, kind: ExportKind) -> Result<Vec<ExportRow>> {
    let of_member = exports::table.filter(exports::member_id.eq(member_id));
    let mut rows: Vec<ExportRow> = of_member.order(exports::id).select(ExportRow::as_select()).load(conn)?;
    if kind == ExportKind::Own {
        rows.retain(|row| Reader::Member(member_id).sees(row.member_id, row.kind, row.status));
    }
    Ok(rows)
}

/// Writes the time that an export takes over the one before.
///
/// # Errors
/// 412 if another request has changed it in between.
pub fn update(conn: &mut Conn, row: &ExportRow) -> Result<()> {
    let before = exports::table.find(row.id).filter(exports::version.eq(row.version - 1));
    let changed = (
        exports::extended.eq(row.extended),
        exports::reason.eq(&row.reason),
        exports::due_on.eq(row.due_on),
        exports::version.eq(row.version),
        exports::updated_at.eq(row.updated_at),
    );
    crate::db::one_row(diesel::update(before).set(changed).execute(conn)?)
}

/// Whether an export waits to be made.
pub fn is_due(conn: &mut Conn, _: &Config, now: Timestamp) -> Result<bool> {
    let due = exports::table.filter(exports::status.eq(ExportStatus::Queued)).filter(exports::due_at.le(now));
    Ok(select(exists(due)).get_result(conn)?)
}

/// The export that has waited longest to be made.
pub fn next(conn: &mut Conn, now: Timestamp) -> Result<Option<ExportRow>> {
    let due = exports::table.filter(exports::status.eq(ExportStatus::Queued)).filter(exports::due_at.le(now));
    Ok(due.order((exports::due_at, exports::id)).select(ExportRow::as_select()).first(conn).optional()?)
}

/// Puts an export off that could not be made.
pub fn postpone(conn: &mut Conn, id: Id, until: Timestamp) -> Result<()> {
    let queued = exports::table.find(id).filter(exports::status.eq(ExportStatus::Queued));
    let later = (exports::attempts.eq(exports::attempts + 1), exports::due_at.eq(until));
    diesel::update(queued).set(later).execute(conn)?;
    Ok(())
}

/// Stores the document of a queued export, to be read or to be reviewed first. Returns whether it did: another server may
/// have been first.
pub fn finish(conn: &mut Conn, id: Id, document: &[u8], status: ExportStatus, now: Timestamp) -> Result<bool> {
    let queued = exports::table.find(id).filter(exports::status.eq(ExportStatus::Queued));
    let ready = (status == ExportStatus::Ready).then_some(now);
    let made = (
        stored(document)?,
        exports::status.eq(status),
        exports::ready_at.eq(ready),
        exports::expires_at.eq(ready.map(|now| now.plus_seconds(KEPT))),
        exports::version.eq(exports::version + 1),
        exports::updated_at.eq(now),
    );
    Ok(diesel::update(queued).set(made).execute(conn)? == 1)
}

/// Releases a reviewed document, as it is after the review.
///
/// # Errors
/// 412 if the export was changed in between.
pub fn release(
    conn: &mut Conn,
    reviewed: &ExportRow,
    document: &[u8],
    (withheld, reason): (&[ExportPart], Option<&str>),
    now: Timestamp,
) -> Result<()> {
    let before = exports::table
        .find(reviewed.id)
        .filter(exports::status.eq(ExportStatus::InReview))
        .filter(exports::version.eq(reviewed.version));
    let released = (
        stored(document)?,
        exports::status.eq(ExportStatus::Released),
        exports::withheld.eq(Json(withheld.to_vec())),
        exports::withheld_reason.eq(reason),
        exports::ready_at.eq(now),
        exports::expires_at.eq(now.plus_seconds(KEPT)),
        exports::version.eq(reviewed.version + 1),
        exports::updated_at.eq(now),
    );
    crate::db::one_row(diesel::update(before).set(released).execute(conn)?)
}

/// The columns that say what a document is.
type Stored<'a> = (
    diesel::dsl::Eq<exports::document, &'a [u8]>,
    diesel::dsl::Eq<exports::bytes, i32>,
    diesel::dsl::Eq<exports::sha256, String>,
);

fn stored(document: &[u8]) -> Result<Stored<'_>> {
    let bytes = i32::try_from(document.len()).map_err(Error::internal)?;
    let sha256 = hex(digest(&SHA256, document).as_ref());
    Ok((exports::document.eq(document), exports::bytes.eq(bytes), exports::sha256.eq(sha256)))
}

/// The document of an export that can be read by this reader.
///
/// # Errors
/// 404 if there is no such export, 409 if the document can't be read yet, 410 if it was removed.
pub fn document(conn: &mut Conn, reader: Reader, id: Id, now: Timestamp) -> Result<(ExportRow, Vec<u8>)> {
    let row = get(conn, reader, id)?;
    rules::check_readable(row.status_at(now), reader)?;
    let document: Option<Vec<u8>> = exports::table.find(id).select(exports::document).first(conn)?;
    Ok((row, document.ok_or_else(|| Error::internal("an export has lost its document"))?))
}

/// Counts that the document was read, if it can still be. A review doesn't count: the member sees the number.
///
/// # Errors
/// As [`document`].
pub fn count_reading(conn: &mut Conn, reader: Reader, id: Id, now: Timestamp) -> Result<ExportRow> {
    let row = get(conn, reader, id)?;
    rules::check_readable(row.status_at(now), reader)?;
    let given_out = exports::table.find(id).filter(exports::status.ne(ExportStatus::InReview));
    diesel::update(given_out).set(exports::downloads.eq(exports::downloads + 1)).execute(conn)?;
    Ok(row)
}

/// Whether documents are kept for too long.
pub fn overdue(conn: &mut Conn, now: Timestamp) -> Result<bool> {
    let old = exports::table.filter(exports::document.is_not_null()).filter(exports::expires_at.le(now));
    Ok(select(exists(old)).get_result(conn)?)
}

/// Removes some documents that are kept for too long and returns how many.
pub fn forget(conn: &mut Conn, now: Timestamp) -> Result<usize> {
    let old = exports::table.filter(exports::document.is_not_null()).filter(exports::expires_at.le(now));
    let ids: Vec<Id> = old.order(exports::expires_at).limit(PIECE).select(exports::id).load(conn)?;
    let removed = (
        exports::document.eq(None::<Vec<u8>>),
        exports::status.eq(ExportStatus::Expired),
        exports::version.eq(exports::version + 1),
        exports::updated_at.eq(now),
    );
    Ok(diesel::update(exports::table.filter(exports::id.eq_any(&ids))).set(removed).execute(conn)?)
}
