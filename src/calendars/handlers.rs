//! The public calendars over HTTP.

use chrono::{Days, Months};

use super::event::{Calendar, Publisher};
use super::store::{self, Of};
use super::{feeds, series};
use crate::auth::policy::Public;
use crate::auth::viewer::Viewer;
use crate::clock::{london_day, london_midnight};
use crate::db::Timestamp;
use crate::http::prelude::*;
use crate::http::sending;
use crate::partners::store as partners;
use crate::venues::store as venues;

/// The media type of calendars.
const MEDIA_TYPE: &str = "text/calendar; charset=utf-8";
/// How many days back calendars of many sessions begin.
const DAYS_BACK: u64 = 30;
/// How many months ahead they end.
const MONTHS_AHEAD: u32 = 12;

/// The publisher of this request's calendars.
pub(super) fn publisher(context: &Context) -> Publisher {
    Publisher::new(&context.state().config.public_url)
}

/// The first instant of the day in London that is [`DAYS_BACK`] days earlier.
pub(super) fn days_before(now: Timestamp) -> Timestamp {
    let today = london_day(now);
    london_midnight(today.checked_sub_days(Days::new(DAYS_BACK)).unwrap_or(today))
}

/// Reads what a calendar needs and answers with it. Reading and writing run away from the threads of requests, a few
/// calendars at a time: each can take twenty megabytes.
pub(super) async fn show<F>(context: &Context, cache: Cache, read: F) -> Result<HttpResponse>
where
    F: Fn(&mut Conn) -> Result<Calendar> + Send + 'static,
{
    let turn = context.state().long_answers.for_request(context.owner()).await?;
    let text = context.state().db.read_long(move |conn| read(conn)?.text().map_err(Error::internal)).await?;
    Ok(sending::with_turn(turn, context.show_text(cache, MEDIA_TYPE, text)))
}

/// Get a session as a calendar
///
/// One event (RFC 5545), to add to a calendar or to subscribe to. It shows if the session is moved or called off.
#[utoipa::path(operation_id = "get_session_calendar", tag = "calendars", params(("id" = Id, Path, description = "The session")),
    responses((status = 200, description = "The calendar", body = String, content_type = "text/calendar"), (status = 304, description = "Not changed"), Missing, Problems),
    security((), ("bearer" = []), ("client" = [])))]
#[get("/v1/sessions/{id}/calendar.ics")]
pub async fn get_session_calendar(request: Extract<(Allowed<Public>, Path<Id>, NoQuery)>) -> Result<HttpResponse> {
    let Extract((who, Path(id), _)) = request;
    let (publisher, viewer) = (publisher(&who), Viewer::of(who.anyone()));
    let read = move |conn: &mut Conn| {
        feeds::of_session(&publisher, &store::session(conn, id, viewer)?).text().map_err(Error::internal)
    };
    let text = who.state().db.read_long(read).await?;
    Ok(who.show_text(Cache::Revalidate, MEDIA_TYPE, text))
}

/// Get a series as a calendar
///
/// The series is one event with its rule (RRULE, EXDATE) in its time zone. Each session that differs from the
/// rule (moved, changed or called off) is an event with a RECURRENCE-ID. Each session that the rule doesn't give, such as
/// one at an additional time, is a separate event. A calendar program shows exactly the sessions. A rule without an end
/// has no end in the calendar either, although its sessions are made only some time ahead.
#[utoipa::path(operation_id = "get_series_calendar", tag = "calendars", params(("id" = Id, Path, description = "The series")),
    responses((status = 200, description = "The calendar", body = String, content_type = "text/calendar"), (status = 304, description = "Not changed"), Missing, Problems),
    security((), ("bearer" = []), ("client" = [])))]
#[get("/v1/session-series/{id}/calendar.ics")]
pub async fn get_series_calendar(request: Extract<(Allowed<Public>, Path<Id>, NoQuery)>) -> Result<HttpResponse> {
    let Extract((who, Path(id), _)) = request;
    let (publisher, viewer) = (publisher(&who), Viewer::of(who.anyone()));
    let read = move |conn: &mut Conn| {
        let found = store::series(conn, id, viewer)?;
        Ok(series::calendar(&publisher, &found, &store::of_series(conn, id, viewer)?))
    };
    show(&who, Cache::Revalidate, read).await
}

/// Get a venue's calendar
///
/// Each session there that starts between 30 days ago and 12 months ahead is an event. A session that is only online isn't
/// there, even if it names the venue. There are at most 2,000 events: sessions to come first, then the latest past ones.
#[utoipa::path(operation_id = "get_venue_calendar", tag = "calendars", params(("id" = Id, Path, description = "The venue")),
    responses((status = 200, description = "The calendar", body = String, content_type = "text/calendar"), (status = 304, description = "Not changed"), Missing, Problems),
    security((), ("bearer" = []), ("client" = [])))]
#[get("/v1/venues/{id}/calendar.ics")]
pub async fn get_venue_calendar(request: Extract<(Allowed<Public>, Path<Id>, NoQuery)>) -> Result<HttpResponse> {
    let Extract((who, Path(id), _)) = request;
    let of_many = OfMany::new(&who);
    show(&who, Cache::Revalidate, move |conn| {
        let venue = venues::get(conn, id)?.written;
        of_many.calendar(conn, Of::Venue(id), &venue.name)
    })
    .await
}

/// Get a partner's calendar
///
/// Each of its sessions that starts between 30 days ago and 12 months ahead is an event. There are at most 2,000
/// events: sessions to come first, then the latest past ones.
#[utoipa::path(operation_id = "get_partner_calendar", tag = "calendars", params(("id" = Id, Path, description = "The partner")),
    responses((status = 200, description = "The calendar", body = String, content_type = "text/calendar"), (status = 304, description = "Not changed"), Missing, Problems),
    security((), ("bearer" = []), ("client" = [])))]
#[get("/v1/partners/{id}/calendar.ics")]
pub async fn get_partner_calendar(request: Extract<(Allowed<Public>, Path<Id>, NoQuery)>) -> Result<HttpResponse> {
    let Extract((who, Path(id), _)) = request;
    let (of_many, viewer) = (OfMany::new(&who), Viewer::of(who.anyone()));
    show(&who, Cache::Revalidate, move |conn| {
        let partner = partners::get(conn, viewer, id)?.written();
        of_many.calendar(conn, Of::Partner(id), &partner.name)
    })
    .await
}

/// What a calendar of many sessions needs from the request.
struct OfMany {
    publisher: Publisher,
    viewer: Viewer,
    /// The start of the range, now, and the end of the range. The range is in whole days, so that the answer doesn't
    /// change with every tick of the clock.
    range: (Timestamp, Timestamp, Timestamp),
}

impl OfMany {
    fn new(context: &Context) -> Self {
        let today = london_day(context.now());
        let last = today.checked_add_months(Months::new(MONTHS_AHEAD)).unwrap_or(today);
        let range = (days_before(context.now()), context.now(), london_midnight(last.succ_opt().unwrap_or(last)));
        Self { publisher: publisher(context), viewer: Viewer::of(context.anyone()), range }
    }

    fn calendar(&self, conn: &mut Conn, of: Of, name: &str) -> Result<Calendar> {
        Ok(feeds::of_sessions(&self.publisher, name, store::between(conn, of, self.viewer, self.range)?))
    }
}
