//! Registering somebody, in a transaction of whoever needs them registered: the same rules everywhere.

use chrono::NaiveDate;

use super::store::{self, MemberRow};
use super::types::{MemberInput, MemberSummary, SUMMARY_FIELDS};
use crate::audit::Subject;
use crate::clock::london_day;
use crate::db::Conn;
use crate::error::{Error, Kind, Result};
use crate::http::context::Context;

const POSSIBLE_DUPLICATE: &str = "This person may be registered already; see candidates. Repeat with \
                                  confirm_not_duplicate=true if it is somebody else.";

/// Nobody is born after today.
///
/// # Errors
/// 422. The earlier bound is the format's: no date is before 1900.
pub(crate) fn born_before(context: &Context, born: Option<NaiveDate>) -> Result<()> {
    if born.is_some_and(|day| day > london_day(context.now())) {
        return Err(Error::rule("/date_of_birth", "in_the_future", "Must not be in the future."));
    }
    Ok(())
}

/// Registers somebody and records it.
///
/// # Errors
/// 409 `possible-duplicate` where others are alike and nobody has confirmed that it is somebody else; its candidates
/// come [apart](with_candidates). 409 where another member has the NHS number.
pub(crate) fn register(
    conn: &mut Conn,
    context: &Context,
    written: &MemberInput,
    confirmed: bool,
) -> Result<MemberRow> {
    store::queue_registrations(conn)?;
    let row = MemberRow::new(context.new_id(), written.clone(), context.now());
    store::insert(conn, &row)?;
    if !confirmed && !store::like(conn, &row)?.is_empty() {
        return Err(Error::new(Kind::PossibleDuplicate, POSSIBLE_DUPLICATE));
    }
    context.record(conn, &[context.event("create", Subject::of_member("member", row.id, row.id), &[])])?;
    Ok(row)
}

/// The problem `possible-duplicate` with those who may be one of these people already. The registration was rolled
/// back, and with it whatever it would have told the audit: the candidates are read on their own.
pub(crate) async fn with_candidates(context: &Context, written: Vec<MemberInput>) -> Result<Error> {
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
            |row: &MemberRow| reader.event("read", Subject::of_member("member", row.id, row.id), &SUMMARY_FIELDS);
        let events = alike.iter().map(event).collect();
        let summaries = alike.into_iter().map(MemberSummary::from).map(serde_json::to_value);
        Ok((summaries.collect::<Result<Vec<_>, _>>().map_err(Error::internal)?, events))
    };
    let candidates = context.state().db.read_audited(work).await?;
    Ok(Error::new(Kind::PossibleDuplicate, POSSIBLE_DUPLICATE).with_candidates(candidates))
}
