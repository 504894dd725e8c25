//! Changing a series and its sessions that are still to come.

use super::follow::{self, Outcome};
use super::handlers::{answer, cancel_sessions, tag};
use super::held;
use super::reconcile::Wanted;
use super::rules as times;
use super::store::{self, Extension, SeriesRow};
use super::types::{ChangedSeries, SeriesChange, SeriesPatch, SessionOutcomes};
use crate::clock::london_day;
use crate::http::prelude::*;
use crate::partners::quotas::Growth;
use crate::sessions::change::{Patching, change_own};
use crate::sessions::clashes;
use crate::sessions::recurrence::{self, Expansion, Work};
use crate::sessions::references::{self, References};
use crate::sessions::rules;
use crate::sessions::types::{Publication, SeriesStatus};

/// The reason of sessions that are cancelled because their dates left the rule, if the request gives none.
pub(super) const LEFT: &str = "It is no longer one of its series.";

/// Change a session series
///
/// A JSON merge patch. A series stays with its partner. The sessions that are still to come, and that nobody has edited
/// or cancelled, follow the change: their ids and bookings stay.
///
/// The people booked are told by e-mail of a move or a cancellation if they allow it. `bookings` lists their bookings: call
/// those whose `told` is `not_reached`. An admin sees no personal data: `member_id` is null, and an advisor finds the people
/// by the ids of the bookings. An event is recorded for each booking.
///
/// A session of the rule is known by its local date, so it moves with the rule to another time of the day. A session at an
/// additional time is known by that time and stays. If the rule moves onto an additional time at which people are booked,
/// the session there stays. If the time of day of `local_start` changes, the excluded times and the time in UNTIL follow,
/// unless they are changed too.
///
/// A session keeps its delivery if somebody has a seat of a kind that would be gone. A capacity must be at least as many
/// as are taken in any session.
///
/// A new date gets a session. A date that the series no longer has is cancelled, unless somebody is booked on it. It
/// comes on again if the series has it again. What people called off stays off. `skipped` lists every session that
/// doesn't follow, with the reason.
///
/// A draft holds no space. If a draft is published, a session whose space is taken stays a draft, and `skipped` lists it.
/// A space that is kept for other partners is a fault (`space_kept`).
///
/// A patch that changes nothing leaves the series as it is. If a session couldn't follow before, because its venue was
/// closed, its space was taken or somebody was booked, and can now, it follows or is made. So repeat a patch once a venue
/// has opened again.
///
/// A patch with `status: cancelled` cancels the series, and ignores everything but `status` and `cancellation_reason`.
#[utoipa::path(operation_id = "change_series", tag = "sessions", params(("id" = Id, Path, description = "The series")),
    request_body(content = SeriesPatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "Changed", body = ChangedSeries), BadInput, Missing, Conflict, Stale, Storage, Problems),
    security(("bearer" = []), ("client" = ["sessions:write"])))]
#[patch("/v1/session-series/{id}")]
pub async fn change_series(request: Extract<Patching<SeriesChange>>) -> Result<HttpResponse> {
    change_own(request, store::get_in, |conn, context, old, patch| {
        context.require_if_match()?;
        context.check_live_match(old.version, || tag(conn, context, old.id))?;
        // The reason belongs to the change, not to the series.
        let lasting = |change: &SeriesChange| SeriesChange { reason: None, ..change.clone() };
        let Some(change) = patch.change(&old.changeable(), lasting, |change| change)? else {
            let outcome = follow_again(conn, context, old)?;
            return answer(conn, context, old.id, outcome);
        };
        let change = with_moved_times(change, old, patch)?;
        let mut names = patch.names();
        names.retain(|name| !calls_off(old, &change) || OF_CALLING_OFF.contains(name));
        let changes = context.event("change", Subject::other("series", old.id), &names);
        let outcome = apply(conn, context, old, change)?;
        context.record(conn, &[changes])?;
        answer(conn, context, old.id, outcome)
    })
    .await
}

/// The change with its excluded times and the end of its rule. If the time of day or the zone changes, they follow it,
/// unless the patch states them.
///
/// # Errors
/// 422 if the times can't be read.
pub(super) fn with_moved_times(mut change: SeriesChange, old: &SeriesRow, patch: &SeriesPatch) -> Result<SeriesChange> {
    if !patch.names_one("excluded") {
        times::move_excluded(&mut change, old)?;
    }
    if !patch.names_one("recurrence") {
        times::move_until(&mut change, old)?;
    }
    Ok(change)
}

/// The occurrences that a changed series states. If the series ends before its rule does, it has only the earlier ones.
/// If its rule has no end, they reach as far as the sessions that the series `of` has, so that all of these follow.
///
/// # Errors
/// 422 with what is wrong with its times, or if nothing or too much would take place from now on.
pub(super) fn some_occurrences(conn: &mut Conn, row: &SeriesRow, of: Id, context: &Context) -> Result<Expansion> {
    let horizon = context.state().config.horizon.day(context.now());
    let horizon = held::last_date(conn, of)?.map_or(horizon, |last| last.max(horizon));
    let expansion = times::stated_by(row, horizon, &Work::of_one())?;
    if times::own(row, &expansion.occurrences).is_empty() {
        let detail = "Nothing would take place any more. To call it off, cancel it.";
        return Err(Error::rule("/recurrence", "no_occurrences", detail));
    }
    recurrence::check_to_come(&expansion, london_day(context.now()))?;
    Ok(expansion)
}

/// Makes the sessions follow a series that stays as it is, if they couldn't before. Sessions of days behind the horizon
/// are left to the top-up.
fn follow_again(conn: &mut Conn, context: &Context, series: &SeriesRow) -> Result<Outcome> {
    if series.status == SeriesStatus::Cancelled {
        return Ok(Outcome::default());
    }
    references::replan_rosters(conn, series.partner_id)?;
    let Expansion { occurrences, until } = times::stated_so_far(series)?;
    hold(conn, series, series.extension(until))?;
    let sessions = follow::hold(conn, series.id, context)?;
    let work = Work::of_one();
    let wanted = Wanted { series, before: series, occurrences: &occurrences, changed: false, left: LEFT, work: &work };
    let outcome = follow::in_place(conn, context, wanted, &sessions, Growth::default())?;
    if outcome.sessions != SessionOutcomes::default() {
        context.record(conn, &[context.event("change", Subject::other("series", series.id), &["sessions"])])?;
    }
    Ok(outcome)
}

/// Locks the venue and the space of a series, then the series itself, which is made up to another date.
///
/// # Errors
/// 412 if another request has changed or extended it in between.
pub(super) fn hold(conn: &mut Conn, series: &SeriesRow, extension: Extension) -> Result<()> {
    clashes::hold(conn, series.activity.venue_id, series.activity.space_id)?;
    if store::extend(conn, extension)? { Ok(()) } else { Err(Error::changed_meanwhile()) }
}

/// The fields that a patch changes if it calls the series off.
const OF_CALLING_OFF: [&str; 2] = ["status", "cancellation_reason"];

fn calls_off(old: &SeriesRow, change: &SeriesChange) -> bool {
    change.status == SeriesStatus::Cancelled && old.status == SeriesStatus::Active
}

fn apply(conn: &mut Conn, context: &Context, old: &SeriesRow, change: SeriesChange) -> Result<Outcome> {
    references::replan_rosters(conn, old.partner_id)?;
    if change.status == SeriesStatus::Active {
        rules::check_uncancelled(old.status == SeriesStatus::Cancelled, change.cancellation_reason.as_deref())?;
    }
    let left = change.reason.clone().unwrap_or_else(|| LEFT.to_owned());
    if calls_off(old, &change) {
        // The rest of the patch is ignored.
        let reason = change.cancellation_reason.unwrap_or_default();
        store::update(conn, &old.cancelled(&reason, context.now())?)?;
        return cancel_sessions(conn, context, old.id, &reason);
    }
    let row = old.changed(change, context.now());
    let moves = !row.takes_place_as(old);
    if moves && old.status == SeriesStatus::Cancelled {
        return Err(Error::state("series", old.status, "be moved").but("Only its", &["texts can be changed"]));
    }
    let publishes = row.space_held().is_some() && old.space_held().is_none();
    if row.activity.programme_id != old.activity.programme_id || moves || publishes {
        references::check(conn, &References::of_series(&row).holding(old.space_held()))?;
    }
    if !moves {
        if row.activity.publication != Publication::Draft {
            // Spaces are locked before series and sessions.
            let spaces = held::spaces_of_drafts(conn, row.id)?;
            clashes::hold(conn, [], spaces)?;
        }
        store::update(conn, &row)?;
        return follow::in_words(conn, context, &row, old);
    }
    let Expansion { occurrences, until } = some_occurrences(conn, &row, old.id, context)?;
    let row = SeriesRow { expanded_until: until, ..row };
    hold(conn, &row, old.extension(until))?;
    store::update(conn, &row)?;
    let sessions = follow::hold(conn, row.id, context)?;
    follow::check_capacities(&row, old, &sessions, context)?;
    let work = Work::of_one();
    let wanted =
        Wanted { series: &row, before: old, occurrences: &occurrences, changed: true, left: &left, work: &work };
    follow::in_place(conn, context, wanted, &sessions, Growth::of_changed_series(&row, old).after_series())
}
