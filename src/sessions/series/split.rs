//! Splitting a series: a day and all that follows become a series of its own.

use chrono::NaiveDate;

use super::change::{LEFT, hold, some_occurrences, with_moved_times};
use super::follow;
use super::handlers::{answer, tag};
use super::held;
use super::matching;
use super::reconcile::Wanted;
use super::rules as times;
use super::store::{self, Ending, SeriesRow};
use super::types::{ChangedSeries, SeriesChange, SplitFrom, SplitInput};
use crate::auth::policy::SessionWriter;
use crate::auth::reach::Reach;
use crate::db::{Json, LocalTime};
use crate::http::prelude::*;
use crate::partners::quotas::Growth;
use crate::sessions::recurrence::{Expansion, Occurrence, Work};
use crate::sessions::references::{self, References};
use crate::sessions::store as session_store;
use crate::sessions::types::SeriesStatus;

/// Split a session series
///
/// The sessions from the day of `from` on become a new series, with the rest of the rule and with `changes`. The old
/// series ends before that day. It keeps its rule and `external_id`, so a roster that states them changes nothing. The new
/// series gets an `external_id` too: the given one, or that of the old series with a number. So both can be in a sheet. A
/// roster with `missing=cancel` that names only the old series leaves the new one alone.
///
/// The sessions of the new series keep their ids and bookings. Past, cancelled and edited sessions don't follow the
/// changes; `skipped` lists every session that doesn't, with the reason. A series that its partner's roster no longer
/// names can't be split until a roster names it again. If the rule has ended before that day, the first additional time
/// is the rule of the new series, and moves with its `local_start`.
///
/// The people booked are told by e-mail if they allow it. `bookings` names the bookings of sessions that `changes` moved or
/// cancelled: call those whose `told` is `not_reached`. An event is recorded for each of them.
#[utoipa::path(operation_id = "split_series", tag = "sessions", params(("id" = Id, Path, description = "The series")),
    request_body = SplitInput,
    responses((status = 201, description = "The new series", body = ChangedSeries), BadInput, Missing, Conflict, MayBeStale, Storage, Problems),
    security(("bearer" = []), ("client" = ["sessions:write"])))]
#[post("/v1/session-series/{id}/split")]
pub async fn split_series(
    request: Extract<(Allowed<SessionWriter>, Path<Id>, NoQuery, JsonBody<SplitInput>)>,
) -> Result<HttpResponse> {
    let Extract((who, Path(id), _, body)) = request;
    let (context, reach, input) = (who.context(), Reach::of(who.caller()?)?, body.value);
    let new_id = context.new_id();
    who.write(&body.bytes, move |conn| {
        let old = store::get_in(conn, reach, id)?;
        context.check_live_match(old.version, || tag(conn, &context, id))?;
        if old.status == SeriesStatus::Cancelled {
            return Err(Error::state("series", old.status, "be split").at_its_end());
        }
        if old.ending.0.withdrawn.is_some() {
            let detail = "Its partner's roster no longer names it. A roster must name it again before it can be split.";
            return Err(Error::new(Kind::InvalidState, detail));
        }
        let horizon = context.state().config.horizon.day(context.now());
        let stated = times::stated_by(&old, horizon, &Work::of_kept())?.occurrences;
        let day = day_of_cut(times::own(&old, &stated), input.from)?;
        let external_id = store::external_id_of_rest(conn, &old, input.external_id.as_deref())?;
        let base = SeriesRow { external_id, ..rest(&old, day, new_id, &context)? };
        let change = input.changes.apply(&base.changeable()).map_err(in_changes)?;
        let change = with_moved_times(change, &base, &input.changes).map_err(in_changes)?;
        let outcome = apply(conn, &context, &old, (base, change), day)?;
        let reply = answer(conn, &context, new_id, outcome)?;
        Ok(Reply { status: 201, ..reply.at(format!("/v1/session-series/{new_id}")) })
    })
    .await
}

/// The first day of the new series.
///
/// # Errors
/// 422 if the series has no occurrence at `from`, or none on an earlier day.
fn day_of_cut(occurrences: &[Occurrence], from: SplitFrom) -> Result<NaiveDate> {
    let wrong = |code: &'static str, detail: String| Err(Error::rule("/from", code, detail));
    let from = match from {
        SplitFrom::Start(start) => start.0,
        SplitFrom::Day(day) => {
            let first = occurrences.iter().map(|occurrence| occurrence.local_start).find(|start| start.date() >= day);
            let Some(first) = first else {
                return wrong("not_an_occurrence", "Nothing of the series is on that day, or later.".to_owned());
            };
            first
        }
    };
    let day = from.date();
    match occurrences.binary_search_by_key(&from, |occurrence| occurrence.local_start) {
        Ok(_) if occurrences.first().is_some_and(|first| first.local_start.date() == day) => {
            let detail = "Nothing of the series is on a day before. Change the series instead of splitting it.";
            wrong("first_occurrence", detail.to_owned())
        }
        Ok(_) => Ok(day),
        Err(next) => match occurrences.get(next) {
            Some(next) => {
                let next = LocalTime(next.local_start);
                wrong("not_an_occurrence", format!("Nothing of the series starts then. The next starts at {next}."))
            }
            None => wrong("not_an_occurrence", "Nothing of the series starts then, or later.".to_owned()),
        },
    }
}

/// The new series before its changes.
fn rest(old: &SeriesRow, day: NaiveDate, id: Id, context: &Context) -> Result<SeriesRow> {
    Ok(SeriesRow {
        id,
        external_id: None,
        split_from: Some(old.id),
        left_out: Json(Vec::new()),
        version: 0,
        created_at: context.now(),
        updated_at: context.now(),
        ..times::rest_of(old, day)?
    })
}

fn apply(
    conn: &mut Conn,
    context: &Context,
    old: &SeriesRow,
    (base, change): (SeriesRow, SeriesChange),
    day: NaiveDate,
) -> Result<follow::Outcome> {
    if change.status == SeriesStatus::Cancelled {
        let detail = "Split the series first, then cancel the new one.";
        return Err(Error::rule("/changes/status", "not_here", detail));
    }
    let left = change.reason.clone().unwrap_or_else(|| LEFT.to_owned());
    let new = base.changed(SeriesChange { cancellation_reason: None, ..change }, context.now());
    references::check(conn, &References::of_series(&new).holding(old.space_held())).map_err(in_changes)?;
    let Expansion { occurrences, until } = some_occurrences(conn, &new, old.id, context).map_err(in_changes)?;
    let new = SeriesRow { expanded_until: until, ..new };
    references::replan_rosters(conn, old.partner_id)?;
    hold(conn, &new, old.extension(old.expanded_until))?;
    store::update(conn, &old.ended(Ending { split: Some(day), ..old.ending.0 }, context.now()))?;
    store::insert(conn, &new)?;
    let mut theirs = follow::hold(conn, old.id, context)?;
    theirs.retain(|row| row.occurrence.is_some_and(|occurrence| occurrence.date() >= day));
    held::reparent(conn, &theirs.iter().map(|row| row.id).collect::<Vec<_>>(), new.id, context.now())?;
    if old.repetition.additional.0.contains(&base.activity.local_start) {
        // Its rule may have ended: then what was an additional time is the rule's, before anything is changed.
        let stated = some_occurrences(conn, &base, new.id, context)?.occurrences;
        held::rekey(conn, &matching::keys(&theirs, &stated, context.now()))?;
    }
    let events = [
        context.event("split", Subject::other("series", old.id), &["ends_before"]),
        context.event("create", Subject::other("series", new.id), &[]),
    ];
    context.record(conn, &events)?;
    let theirs = session_store::of_series(conn, new.id)?;
    follow::check_capacities(&new, &base, &theirs, context)?;
    follow::lists(conn, old.id, context)?;
    let work = Work::of_one();
    let wanted =
        Wanted { series: &new, before: &base, occurrences: &occurrences, changed: true, left: &left, work: &work };
    follow::in_place(conn, context, wanted, &theirs, Growth::of_series(&new).after_series())
}

/// Moves the pointers of faults to `changes` in the body.
fn in_changes(error: Error) -> Error {
    error.below("/changes")
}
