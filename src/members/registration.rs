//! Registering a member, inside the transaction of the request that needs it. The rules are the same for every request.

use chrono::NaiveDate;

use super::duplicates::people::People;
use super::duplicates::rules::STOPS;
use super::duplicates::search::{Found, search};
use super::duplicates::store as duplicates;
use super::duplicates::types::DuplicateCandidate;
use super::residence;
use super::store::{self, MemberRow};
use super::types::{MemberInput, SUMMARY_FIELDS, Similar};
use crate::audit::Subject;
use crate::clock::london_day;
use crate::db::{Conn, Id};
use crate::error::{Error, Kind, Result};
use crate::http::context::Context;

const POSSIBLE_DUPLICATE: &str = "This person may be registered already; see candidates. Repeat with \
                                  confirm_not_duplicate=true if it is somebody else.";

/// How many candidates are shown for one person at most.
const MOST_CANDIDATES: usize = 10;

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

/// Registers a member and records it in the audit. The inner error lists the members who they probably are, if there are
/// any and nobody has confirmed that this is somebody else. Then the transaction must not be kept.
///
/// Whoever is only similar comes onto the list of possible duplicates.
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
    let found = search(conn, &row.person())?;
    let probable: Vec<Id> = probable(&found).map(|found| found.id).collect();
    if similar == Similar::Refuse && !probable.is_empty() {
        return Ok(Err(probable));
    }
    let decided = if similar == Similar::Confirmed { probable.as_slice() } else { &[] };
    let account = context.anyone().map(|caller| caller.id);
    duplicates::add(conn, row.id, &found, (decided, account), context.now())?;
    context.record(conn, &[context.event("create", Subject::of_member("member", row.id, row.id), &[])])?;
    Ok(Ok(row))
}

/// Those who are so similar that a registration is refused, as many as are shown.
fn probable(found: &[Found]) -> impl Iterator<Item = &Found> {
    found.iter().filter(|found| found.likeness.score >= STOPS).take(MOST_CANDIDATES)
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
        let candidates = candidates(conn, &rows)?;
        let event = |one: &DuplicateCandidate| {
            reader.event("search", Subject::of_member("member", one.member.id, one.member.id), &SUMMARY_FIELDS)
        };
        let events = candidates.iter().map(event).collect();
        let shown = candidates.into_iter().map(serde_json::to_value);
        Ok((shown.collect::<Result<Vec<_>, _>>().map_err(Error::internal)?, events))
    };
    let candidates = context.state().db.read_audited(work).await?;
    Ok(problem.with_candidates(candidates))
}

/// The members who may be one of these people, the likeliest first. Each once.
fn candidates(conn: &mut Conn, rows: &[MemberRow]) -> Result<Vec<DuplicateCandidate>> {
    let mut all: Vec<Found> = Vec::new();
    for row in rows {
        all.extend(probable(&search(conn, &row.person())?).cloned());
    }
    all.sort_by_key(|found| (-found.likeness.score, found.id));
    let mut people = People::with_ids(conn, &all.iter().map(|found| found.id).collect::<Vec<_>>())?;
    let shown =
        all.into_iter().filter_map(|found| Some(DuplicateCandidate::new(people.take(found.id)?, found.likeness)));
    Ok(shown.collect())
}
