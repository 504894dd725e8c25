//! Changing a whole series: all that is still to come.

use actix_web::{HttpResponse, patch};

use super::follow::{self, Outcome};
use super::handlers::{cancel_sessions, read_back, tag};
use super::held;
use super::reconcile::Wanted;
use super::rules as times;
use super::store::{self, SeriesRow};
use super::types::{ChangedSeries, SeriesChange, SeriesPatch};
use crate::audit::Subject;
use crate::db::{Conn, Id};
use crate::error::{Error, Result};
use crate::http::answers::{BadInput, Conflict, Missing, Problems, Stale, Storage};
use crate::http::conditional::Tag;
use crate::http::context::Context;
use crate::http::extract::Extract;
use crate::http::reply::Reply;
use crate::partners::store::bump_roster_version;
use crate::sessions::change::{Patching, change_own};
use crate::sessions::clashes;
use crate::sessions::recurrence::Expansion;
use crate::sessions::references::{self, References};
use crate::sessions::rules;
use crate::sessions::types::SeriesStatus;

/// Why sessions are off whose dates have left the rule, where nobody says.
pub(super) const LEFT: &str = "It is no longer one of its series.";

/// Change a session series
///
/// A JSON merge patch of all but whose it is. Its sessions that are still to come, scheduled and not edited by hand
/// change in place: their ids and bookings stay, and the people booked are told where they move. A session of the rule is
/// known by its local date, so it moves with the rule to another time of the day. One at an additional time is known by
/// that time and stays. Where the rule moves onto an additional time at which people are booked, the session there stays.
/// New ones are made. A date or an additional time that is no longer stated is cancelled if nobody is booked, else kept.
/// It comes on again if it is stated again. What people called off stays off. What could not follow is in `skipped` with the reason. A patch that changes nothing leaves the
/// series and its sessions as they are. A patch that calls the series off changes
/// nothing else of it: what it says besides `status` and `cancellation_reason` is left aside.
#[utoipa::path(operation_id = "change_series", tag = "sessions", params(("id" = Id, Path, description = "The series")),
    request_body(content = SeriesPatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "Changed", body = ChangedSeries), BadInput, Missing, Conflict, Stale, Storage, Problems),
    security(("bearer" = []), ("client" = ["sessions:write"])))]
#[patch("/v1/session-series/{id}")]
pub async fn change_series(request: Extract<Patching<SeriesChange>>) -> Result<HttpResponse> {
    change_own(request, store::get_in, |conn, context, old, patch| {
        context.require_if_match()?;
        context.check_live_match(old.version, || tag(conn, context, old.id))?;
        let change = changed(old, patch)?;
        if (SeriesChange { reason: None, ..change.clone() }) == old.changeable() {
            let (answer, _) = Outcome::default().shown(read_back(conn, context, old.id)?);
            return Reply::ok(answer.series.version, &answer);
        }
        let mut names = patch.names();
        names.retain(|name| !calls_off(old, &change) || OF_CALLING_OFF.contains(name));
        let changes = context.event("change", Subject::other("series", old.id), &names);
        let outcome = apply(conn, context, old, change)?;
        context.record(conn, &[changes])?;
        let (answer, about) = outcome.shown(read_back(conn, context, old.id)?);
        let tag = Tag::live(answer.series.version, &answer.series)?;
        Ok(about.into_iter().fold(Reply::ok(tag, &answer)?, Reply::about))
    })
    .await
}

/// What a series becomes. What was excluded follows a new time of day, unless the patch says what is excluded.
///
/// # Errors
/// 422 where the whole breaks a rule.
pub(super) fn changed(old: &SeriesRow, patch: &SeriesPatch) -> Result<SeriesChange> {
    let mut change = patch.apply(&old.changeable())?;
    if !patch.names_one("excluded") {
        times::move_excluded(&mut change, old)?;
    }
    Ok(change)
}

/// When a changed series states to take place. Where it ends before its rule does, it has only those before that.
///
/// # Errors
/// 422 that points at what is wrong with its times, or where it would take place no more.
pub(super) fn some_occurrences(row: &SeriesRow, context: &Context) -> Result<Expansion> {
    let expansion = times::stated_by(row, context.state().config.horizon.day(context.now()))?;
    if times::own(row, &expansion.occurrences).is_empty() {
        let detail = "Nothing would take place any more. To call it off, cancel it.";
        return Err(Error::rule("/recurrence", "no_occurrences", detail));
    }
    Ok(expansion)
}

/// What a change that calls a series off changes of it.
const OF_CALLING_OFF: [&str; 2] = ["status", "cancellation_reason"];

fn calls_off(old: &SeriesRow, change: &SeriesChange) -> bool {
    change.status == SeriesStatus::Cancelled && old.status == SeriesStatus::Active
}

fn apply(conn: &mut Conn, context: &Context, old: &SeriesRow, change: SeriesChange) -> Result<Outcome> {
    if let Some(partner_id) = old.partner_id {
        // A roster that was planned before is planned again.
        bump_roster_version(conn, partner_id)?;
    }
    if change.status == SeriesStatus::Active {
        rules::check_uncancelled(old.status == SeriesStatus::Cancelled, change.cancellation_reason.as_deref())?;
    }
    let left = change.reason.clone().unwrap_or_else(|| LEFT.to_owned());
    if calls_off(old, &change) {
        // Whatever else is said: what is called off changes no more.
        let reason = change.cancellation_reason.unwrap_or_default();
        store::update(conn, &old.cancelled(&reason, context.now())?)?;
        return cancel_sessions(conn, context, old.id, &reason);
    }
    let row = old.changed(change, context.now());
    let moves = !row.takes_place_as(old);
    if moves && old.status == SeriesStatus::Cancelled {
        return Err(Error::state("series", old.status, "moved"));
    }
    if row.programme_id != old.programme_id || moves {
        references::check(conn, &References::of_series(&row))?;
    }
    if !moves {
        store::update(conn, &row)?;
        return follow::in_words(conn, context, &row, old);
    }
    let Expansion { occurrences, until } = some_occurrences(&row, context)?;
    let row = SeriesRow { expanded_until: until, ..row };
    references::hold_partner(conn, row.partner_id)?;
    clashes::hold_spaces(conn, row.space_id)?;
    if !store::extend(conn, old.extension(until))? {
        return Err(store::changed_meanwhile());
    }
    store::update(conn, &row)?;
    follow::lapse(conn, row.id, context)?;
    let sessions = held::of_series_locked(conn, row.id)?;
    follow::check_capacities(&row, old, &sessions, context)?;
    let wanted = Wanted { series: &row, before: old, occurrences: &occurrences, changed: true, left: &left };
    follow::in_place(conn, context, wanted, &sessions)
}
