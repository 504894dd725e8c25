//! Session series over HTTP.

use std::collections::HashSet;

use super::cards::{self, CardView, SeriesCard};
use super::follow::Outcome;
use super::held;
use super::rules;
use super::store::{self, LeftOut, SeriesRow};
use super::types::{
    ChangedSeries, CreatedSeries, Series, SeriesInput, SessionCounts, SessionOutcomes, SkipReason, Skipped,
};
use super::view;
use crate::auth::policy::{Public, SessionWriter};
use crate::auth::reach::Reach;
use crate::auth::viewer::Viewer;
use crate::clock::london_day;
use crate::db::Json;
use crate::http::prelude::*;
use crate::partners::quotas::{self, Growth};
use crate::sessions::clashes::{self, Placing};
use crate::sessions::handlers::Cancelling;
use crate::sessions::listings;
use crate::sessions::notices::{self, Change};
use crate::sessions::recurrence::{Expansion, Work};
use crate::sessions::references::{self, References};
use crate::sessions::search::filter::{SeriesFilter, SeriesOrder, SessionFilter};
use crate::sessions::search::query::Search;
use crate::sessions::search::{self, ByDistance, ByStart};
use crate::sessions::store::{self as sessions, SessionRow};
use crate::sessions::types::CancelInput;
use crate::sessions::visibility::owner;
use crate::sessions::wordings::Wording;

/// List session series
///
/// Each series with its next session: what a card on a page of groups shows. The filters are those of sessions. A series is
/// listed if one of its scheduled sessions to come fits all of them, and `next_session` is the first that does. So each
/// group is listed once, and where its next session is. Without filters of sessions and without `sort`, all series are
/// listed by creation, also those of which nothing is to come. Single sessions are of no series: `GET /v1/sessions` has
/// them.
#[utoipa::path(operation_id = "list_series", tag = "sessions", params(SeriesFilter),
    responses((status = 200, description = "A page of series", body = Page<SeriesCard>), (status = 304, description = "Not changed"), Problems),
    security((), ("bearer" = []), ("client" = [])))]
#[get("/v1/session-series")]
pub async fn list_series(request: Extract<(Allowed<Public>, Query<SeriesFilter>)>) -> Result<HttpResponse> {
    let Extract((who, Query(filter))) = request;
    let (order, limit, cursor) = (filter.order(), filter.limit, filter.cursor.clone());
    let (viewer, now, db) = (Viewer::of(who.anyone()), who.now(), &who.state().db);
    let page = match order {
        SeriesOrder::Created => {
            check_created(&filter)?;
            let slice = Slice::<Id>::read_public(&who, limit, cursor.as_deref())?;
            let all = Search::read(viewer, SessionFilter::default(), now)?.for_series();
            let wanted = slice.clone();
            let work = move |conn: &mut Conn| {
                let rows = view::list(conn, viewer, &filter, &wanted, now)?;
                cards::of_series(conn, &all, rows)
            };
            slice.page(&who, db.read_long(work).await?, CardView::key, |card| card.as_of(now))
        }
        SeriesOrder::Next => {
            let slice = Slice::<ByStart>::read_public(&who, limit, cursor.as_deref())?;
            let (after, many) = (slice.after, slice.fetch());
            let search = Search::read(viewer, filter.into(), now)?.for_series();
            let work = move |conn: &mut Conn| {
                let found = search::cards::by_start(conn, &search, after, many)?;
                cards::of_found(conn, &search, found)
            };
            slice.page(&who, db.read_long(work).await?, CardView::place, |card| card.as_of(now))
        }
        SeriesOrder::Distance => {
            let slice = Slice::<ByDistance>::read_public(&who, limit, cursor.as_deref())?;
            let (after, many) = (slice.after, slice.fetch());
            let search = Search::read(viewer, filter.into(), now)?.for_series();
            let work = move |conn: &mut Conn| {
                let found = search::cards::by_distance(conn, &search, after, many)?;
                let (keys, found): (Vec<ByDistance>, Vec<_>) = found.into_iter().unzip();
                Ok(keys.into_iter().zip(cards::of_found(conn, &search, found)?).collect::<Vec<_>>())
            };
            slice.page(&who, db.read_long(work).await?, |(key, _)| *key, |(_, card)| card.as_of(now))
        }
    };
    who.show_page(Cache::Revalidate, &page)
}

/// Checks that a list by creation is asked for nothing that only sessions can fit.
fn check_created(filter: &SeriesFilter) -> Result<()> {
    if !filter.asks_for_sessions() {
        return Ok(());
    }
    let detail = "The order created takes only partner_id, programme_id, venue_id and pillar. Use next or distance.";
    Err(Error::parameter("sort", "needs_other_order", detail))
}

/// Get a session series
///
/// Published series are for everybody. Drafts are for admins, advisors and their own partner.
#[utoipa::path(operation_id = "get_series", tag = "sessions", params(("id" = Id, Path, description = "The series")),
    responses((status = 200, description = "The series", body = Series), (status = 304, description = "Not changed"), Missing, Problems),
    security((), ("bearer" = []), ("client" = [])))]
#[get("/v1/session-series/{id}")]
pub async fn get_series(request: Extract<(Allowed<Public>, Path<Id>, NoQuery)>) -> Result<HttpResponse> {
    let Extract((who, Path(id), _)) = request;
    let viewer = Viewer::of(who.anyone());
    let now = who.now();
    let series = who.state().db.read(move |conn| view::whole(conn, id, viewer, now)).await?;
    who.show_live(Cache::Revalidate, series.version, &series)
}

/// Create a session series
///
/// All of its sessions are made too. If the recurrence never ends, they are made up to the service's horizon. They may
/// lie in the past. The answer says how many were made, and which were skipped and why.
///
/// The sessions of a draft hold no space. A space that is kept for other partners is a fault (`space_kept`).
///
/// A partner has quotas of series, sessions to come and text. They bind staff too when they write for the partner.
#[utoipa::path(operation_id = "create_series", tag = "sessions", request_body = SeriesInput,
    responses((status = 201, description = "Created", body = CreatedSeries), BadInput, Conflict, Storage, Problems),
    security(("bearer" = []), ("client" = ["sessions:write"])))]
#[post("/v1/session-series")]
pub async fn create_series(
    request: Extract<(Allowed<SessionWriter>, NoQuery, JsonBody<SeriesInput>)>,
) -> Result<HttpResponse> {
    let Extract((who, _, body)) = request;
    let (context, bytes) = (who.context(), body.bytes);
    let written = SeriesInput { partner_id: owner(who.caller()?, body.value.partner_id)?, ..body.value };
    let horizon = context.state().config.horizon.day(context.now());
    let Expansion { occurrences, until } = rules::occurrences(&written, horizon)?;
    let row = SeriesRow { expanded_until: until, ..SeriesRow::new(context.new_id(), written, context.now()) };
    let wording = Wording::from(&row);
    let wording_id = wording.id();
    let each = |occurrence| SessionRow::of_series(&row, wording_id, occurrence, context.new_id(), context.now());
    let rows: Vec<SessionRow> = occurrences.iter().map(each).collect();
    who.write(&bytes, move |conn| {
        references::check(conn, &References::of_series(&row))?;
        quotas::hold(conn, row.partner_id)?;
        sessions::check_external_id(conn, row.partner_id, row.external_id.as_deref())?;
        clashes::hold(conn, row.activity.venue_id, row.activity.space_id)?;
        let placings: Vec<Placing> = rows.iter().map(|to| Placing { to, from: None }).collect();
        let clashes = clashes::find(conn, &placings, &HashSet::new(), london_day(context.now()))?;
        let made: Vec<SessionRow> = rows.iter().filter(|row| !clashes.contains_key(&row.id)).cloned().collect();
        let left_out: Vec<LeftOut> =
            rows.iter().filter_map(|row| LeftOut::of(row, clashes.get(&row.id)?.reason)).collect();
        let mut skipped: Vec<Skipped> = left_out.iter().map(Skipped::from).collect();
        let idle = rules::idle_exclusions(&row, &Work::of_one())?.into_iter();
        skipped.extend(idle.map(|local_start| Skipped { local_start, reason: SkipReason::NotAnOccurrence }));
        skipped.sort_by_key(|skipped| skipped.local_start);
        let growth = Growth::of_series(&row).and_sessions(&made, &[], [&wording], context.now());
        growth.check(conn, &context, row.partner_id)?;
        store::insert(conn, &SeriesRow { left_out: Json(left_out), ..row.clone() })?;
        listings::ensure_stored(conn, [&wording], &made)?;
        sessions::insert_many(conn, &made)?;
        context.record(conn, &[context.event("create", Subject::other("series", row.id), &[])])?;
        let series = read_back(conn, &context, row.id)?;
        let (path, tag) = (format!("/v1/session-series/{}", row.id), Tag::live(series.version, &series)?);
        let sessions = SessionCounts { created: made.len() };
        Reply::created(path, tag, &CreatedSeries { series, sessions, skipped })
    })
    .await
}

/// Cancel a session series
///
/// Its sessions that are still to come are cancelled, with their bookings. A cancelled series can't be restored.
///
/// The people booked are told by e-mail if they allow it. `bookings` lists the cancelled bookings: call those whose `told`
/// is `not_reached`. An admin sees no personal data: `member_id` is null, and an advisor finds the people by the ids of the
/// bookings. An event is recorded for each booking.
#[utoipa::path(operation_id = "cancel_series", tag = "sessions", params(("id" = Id, Path, description = "The series")),
    request_body = CancelInput,
    responses((status = 200, description = "Cancelled", body = ChangedSeries), BadInput, Missing, Conflict, MayBeStale, Storage, Problems),
    security(("bearer" = []), ("client" = ["sessions:write"])))]
#[post("/v1/session-series/{id}/cancel")]
pub async fn cancel_series(request: Extract<Cancelling>) -> Result<HttpResponse> {
    let Extract((who, Path(id), _, body)) = request;
    let (context, reach, reason) = (who.context(), Reach::of(who.caller()?)?, body.value.reason);
    who.write(&body.bytes, move |conn| {
        let old = store::get_in(conn, reach, id)?;
        context.check_live_match(old.version, || tag(conn, &context, id))?;
        references::replan_rosters(conn, old.partner_id)?;
        store::update(conn, &old.cancelled(&reason, context.now())?)?;
        let outcome = cancel_sessions(conn, &context, id, &reason)?;
        answer(conn, &context, id, outcome)
    })
    .await
}

/// The tag that a GET of the series would give this caller.
pub(super) fn tag(conn: &mut Conn, context: &Context, id: Id) -> Result<Tag> {
    let series = read_back(conn, context, id)?;
    Tag::live(series.version, &series)
}

/// Cancels the sessions of a series that are still to come, with their bookings, and records an event for each booking.
pub(super) fn cancel_sessions(conn: &mut Conn, context: &Context, id: Id, reason: &str) -> Result<Outcome> {
    held::lock(conn, id)?;
    let ids = sessions::cancel_future(conn, id, reason, context.now())?;
    context.record(conn, &[context.event("cancel", Subject::other("series", id), &[])])?;
    let cancelled = sessions::cancel_bookings(conn, &ids, reason, context.now())?;
    let news = Change { cancelled, reason: reason.to_owned(), ..Change::default() };
    Ok(Outcome {
        sessions: SessionOutcomes { cancelled: ids.len(), ..SessionOutcomes::default() },
        skipped: Vec::new(),
        told: notices::tell(conn, context, &news)?,
    })
}

/// The answer to a change: the series as it is now, and what became of its sessions and their bookings.
pub(super) fn answer(conn: &mut Conn, context: &Context, id: Id, outcome: Outcome) -> Result<Reply> {
    let (answer, about) = outcome.shown(read_back(conn, context, id)?);
    let tag = Tag::live(answer.series.version, &answer.series)?;
    Ok(about.into_iter().fold(Reply::ok(tag, &answer)?, Reply::shows))
}

/// The series as the caller sees it.
fn read_back(conn: &mut Conn, context: &Context, id: Id) -> Result<Series> {
    view::whole(conn, id, Viewer::of(context.anyone()), context.now())
}
