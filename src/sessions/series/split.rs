//! Splitting a series: this session and all that follow become a series of their own.

use actix_web::{HttpResponse, post};

use super::change::{LEFT, changed, some_occurrences};
use super::follow;
use super::handlers::read_back;
use super::held;
use super::rules as times;
use super::store::{self, SeriesRow};
use super::types::{ChangedSeries, SeriesChange, SplitInput};
use crate::audit::Subject;
use crate::auth::policy::SessionWriter;
use crate::auth::reach::Reach;
use crate::db::{Conn, Id, LocalTime};
use crate::error::{Error, Kind, Result};
use crate::http::allowed::Allowed;
use crate::http::answers::{BadInput, Conflict, MayBeStale, Missing, Problems, Storage};
use crate::http::context::Context;
use crate::http::extract::{Extract, JsonBody, NoQuery, Path};
use crate::http::reply::Reply;
use crate::partners::store::bump_roster_version;
use crate::sessions::clashes;
use crate::sessions::recurrence::{Expansion, Occurrence};
use crate::sessions::references::{self, References};
use crate::sessions::store::{self as session_store, SessionRow};
use crate::sessions::types::SeriesStatus;

/// Split a session series
///
/// This session and all that follow become a series of their own, with the rest of the rule and what is changed. The old
/// one ends before `from`; its rule and its `external_id` stay as they were stated, so that a roster that states them
/// changes nothing. The sessions from there on keep their ids and bookings. Past, cancelled and edited ones keep all
/// else too; what could not follow a change is in `skipped` with the reason. A series that its partner's roster no longer
/// names can't be split until a roster names it again.
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
        context.check_match(old.version)?;
        if old.status == SeriesStatus::Cancelled {
            return Err(Error::state("series", old.status, "split"));
        }
        if old.withdrawn {
            let detail = "Its partner's roster no longer names it. A roster must name it again before it can be split.";
            return Err(Error::new(Kind::InvalidState, detail));
        }
        let horizon = context.state().config.horizon.day(context.now());
        let cut = Cut::at(&times::occurrences_of(&old, horizon)?.occurrences, input.from)?;
        let base = rest(&old, cut, new_id, &context)?;
        let change = changed(&base, &input.changes).map_err(in_changes)?;
        let outcome = apply(conn, &context, &old, (base, change), cut)?;
        let (answer, about) = outcome.shown(read_back(conn, &context, new_id)?);
        let reply = Reply::created(format!("/v1/session-series/{new_id}"), answer.series.version, &answer)?;
        Ok(about.into_iter().fold(reply, Reply::about))
    })
    .await
}

/// Where a series is cut.
#[derive(Debug, Clone, Copy)]
struct Cut {
    from: LocalTime,
    /// So many occurrences of that day come before.
    before: i32,
}

impl Cut {
    /// # Errors
    /// 422 where nothing starts then, or nothing comes before.
    fn at(occurrences: &[Occurrence], from: LocalTime) -> Result<Self> {
        let wrong = |code: &'static str, detail: String| Err(Error::rule("/from", code, detail));
        let next = occurrences.partition_point(|occurrence| occurrence.local_start < from.0);
        match occurrences.get(next) {
            Some(occurrence) if occurrence.local_start == from.0 => {
                if next == 0 {
                    let detail = "That is the whole series: change it instead of splitting it.";
                    return wrong("first_occurrence", detail.to_owned());
                }
                Ok(Self { from, before: occurrence.position })
            }
            Some(occurrence) => {
                let detail = format!(
                    "Nothing of the series starts then. The next starts at {}.",
                    LocalTime(occurrence.local_start)
                );
                wrong("not_an_occurrence", detail)
            }
            None => wrong("not_an_occurrence", "Nothing of the series starts then, or later.".to_owned()),
        }
    }

    /// Whether it gives this session of the series to the new one, wherever it was moved by hand.
    fn gives(self, row: &SessionRow) -> bool {
        (row.local_date, row.position) >= (self.from.0.date(), self.before)
    }
}

/// The new series before anything is changed.
fn rest(old: &SeriesRow, cut: Cut, id: Id, context: &Context) -> Result<SeriesRow> {
    let (rest, goes_on) = times::rest_of(old, cut.from)?;
    let rule_before_cut = match rest.ends_before {
        // Where the rule itself is over, it is an additional time that goes on as one.
        Some(end) if !goes_on => times::gives_before(&rest, end)?,
        // The old part may keep the rule's session of that day.
        Some(end) => old.rule_before_cut && rest.local_start.0.date() <= end.0.date(),
        None => false,
    };
    Ok(SeriesRow {
        id,
        rule_before_cut,
        external_id: None,
        split_from: Some(old.id),
        version: 0,
        created_at: context.now(),
        updated_at: context.now(),
        ..rest
    })
}

fn apply(
    conn: &mut Conn,
    context: &Context,
    old: &SeriesRow,
    (base, change): (SeriesRow, SeriesChange),
    cut: Cut,
) -> Result<follow::Outcome> {
    if change.status == SeriesStatus::Cancelled {
        let detail = "Split the series first, then cancel the new one.";
        return Err(Error::rule("/changes/status", "not_here", detail));
    }
    let left = change.reason.clone().unwrap_or_else(|| LEFT.to_owned());
    let new = base.changed(SeriesChange { cancellation_reason: None, ..change }, context.now());
    references::check(conn, &References::of_series(&new)).map_err(in_changes)?;
    let Expansion { occurrences, until } = some_occurrences(&new, context).map_err(in_changes)?;
    let new = SeriesRow { expanded_until: until, ..new };
    if let Some(partner_id) = old.partner_id {
        // A roster that was planned before is planned again: these sessions are no longer its series'.
        bump_roster_version(conn, partner_id)?;
    }
    clashes::hold_spaces(conn, new.space_id)?;
    if !store::extend(conn, old.extension(old.expanded_until))? {
        return Err(store::changed_meanwhile());
    }
    let rule_before_cut = times::gives_before(old, cut.from)?;
    store::update(conn, &old.cut_at(cut.from, rule_before_cut, context.now()))?;
    store::insert(conn, &new)?;
    follow::lapse(conn, old.id, context)?;
    let all = held::of_series_locked(conn, old.id)?;
    let theirs: Vec<&SessionRow> = all.iter().filter(|row| cut.gives(row)).collect();
    held::reparent(conn, &theirs, new.id, (cut.from.0.date(), cut.before), context.now())?;
    let events = [
        context.event("split", Subject::other("series", old.id), &["ends_before"]),
        context.event("create", Subject::other("series", new.id), &[]),
    ];
    context.record(conn, &events)?;
    let theirs = session_store::of_series(conn, new.id)?;
    follow::check_capacities(&new, &base, &theirs, context)?;
    follow::lists(conn, old.id, context)?;
    follow::in_place(conn, context, &new, &occurrences, &theirs, &left)
}

/// The faults of `changes` are found inside the body.
fn in_changes(error: Error) -> Error {
    error.below("/changes")
}
