//! Registering a member, inside the transaction of the request that needs it. The rules are the same for every request.

use chrono::NaiveDate;

use super::residence;
use super::store::{self, MemberRow};
use super::types::{MemberInput, MemberSummary, SUMMARY_FIELDS, Similar};
use crate::audit::Subject;
use crate::clock::london_day;
use crate::db::{Conn, Id};
use crate::error::{Error, Kind, Result};
use crate::http::context::Context;

const POSSIBLE_DUPLICATE: &str = "This person may be registered already; see candidates. Repeat with \
                                  confirm_not_duplicate=true if it is somebody else.";

/// Refuses a date of birth in the future.
///
/// # Errors
/// 422. The earliest date, 1900, is checked by the format.
pub(crate) fn born_before(context: &Context, born: Option<NaiveDate>) -> Result<()> {
    if born.is_some_and(|day| day > london_day(context.now())) {
        return Err(Error::rule("/date_of_birth", "in_the_future", "Must not be in the future."));
    }
    Ok(())
}

/// Registers a member and records it in the audit. The inner error lists similar members, if there are any and nobody
/// has confirmed that this is somebody else. Then the transaction must not be kept.
///
/// # Errors
/// 409 if another member has the NHS number.
pub(crate) fn register(
    conn: &mut Conn,
    context: &Context,
    written: &MemberInput,
    similar: Similar,
) -> Result<Result<MemberRow, Vec<Id>>> {
    store::queue_registrations(conn)?;
    let mut written = written.clone();
    residence::fill_in(conn, &mut written)?;
    let row = MemberRow::new(context.new_id(), written, context.now());
    store::insert(conn, std::slice::from_ref(&row))?;
    if similar == Similar::Refuse {
        let alike = store::like(conn, &row)?;
        if !alike.is_empty() {
            return Ok(Err(alike.into_iter().map(|row| row.id).collect()));
        }
    }
    context.record(conn, &[context.event("create", Subject::of_member("member", row.id, row.id), &[])])?;
    Ok(Ok(row))
}

/// The problem `possible-duplicate`. Its candidates are added [afterwards](with_candidates).
pub(crate) fn possible_duplicate() -> Error {
    Error::new(Kind::PossibleDuplicate, POSSIBLE_DUPLICATE)
}

/// The problem `possible-duplicate` with the members who may be one of these people. The registration's transaction was
/// rolled back together with its audit events, so the candidates are read, and audited, in one of their own.
pub(crate) async fn with_candidates(problem: Error, context: &Context, written: Vec<MemberInput>) -> Result<Error> {
    let reader = context.clone();
    let rows: Vec<MemberRow> =
        written.into_iter().map(|written| MemberRow::new(context.new_id(), written, context.now())).collect();
    let work = move |conn: &mut Conn| {
        let mut alike: Vec<MemberRow> = Vec::new();
        for row in &rows {
            let known: Vec<_> = alike.iter().map(|row| row.id).collect();
            alike.extend(store::like(conn, row)?.into_iter().filter(|row| !known.contains(&row.id)));
        }
        let event =
            |row: &MemberRow| reader.event("search", Subject::of_member("member", row.id, row.id), &SUMMARY_FIELDS);
        let events = alike.iter().map(event).collect();
        let summaries = alike.into_iter().map(MemberSummary::from).map(serde_json::to_value);
        Ok((summaries.collect::<Result<Vec<_>, _>>().map_err(Error::internal)?, events))
    };
    let candidates = context.state().db.read_audited(work).await?;
    Ok(problem.with_candidates(candidates))
}
