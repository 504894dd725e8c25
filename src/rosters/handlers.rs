//! Rosters over HTTP.

use std::sync::Arc;

use actix_web::http::header::{CONTENT_DISPOSITION, HeaderValue};

use super::ahead;
use super::answer;
use super::apply::{self, Application};
use super::body::{Posting, packed};
use super::current::Hold;
use super::later;
use super::read::Form;
use super::sheet;
use super::store;
use super::types::{
    Manner, Roster, RosterAnswer, RosterInput, RosterLines, RosterOptions, RosterSummary, RosterTable, RosterWorkbook,
};
use crate::auth::caller::Scope;
use crate::auth::policy::{self, RosterReader, RosterWriter};
use crate::auth::reach::Reach;
use crate::auth::right::Right;
use crate::http::allowed::OwnPartner;
use crate::http::extract::{Prefer, RawBody};
use crate::http::negotiation::AsSheet;
use crate::http::prelude::*;
use crate::http::sending;
use crate::jobs::types::Job;

/// A partner's rosters are its own: to another partner there is no such thing.
fn own(context: &Context, partner_id: Id) -> Result<()> {
    if Reach::of(context.caller()?)?.has_partner(Some(partner_id)) { Ok(()) } else { Err(Error::not_found("partner")) }
}

/// Post a roster
///
/// Many series and sessions at once, as JSON, as NDJSON (one entry a line), as CSV or as a workbook of Excel (columns as in
/// the template; dates are read day first). At most 32,000 sessions a roster and 2,000 a series.
///
/// Of these, a roster writes what is new or changed, 32,000 sessions at most. A cancelled session, and one that is on
/// again, counts as two. One that gets another time, venue, space or publication counts as four. So a roster can move
/// 8,000 sessions, or cancel 16,000. If it would write more, nothing is changed: post it in parts.
///
/// An entry is known by its `external_id`: posting the same roster again changes nothing. In atomic mode one wrong
/// entry refuses the roster; `mode=partial` applies the good entries. The answer lists every fault of every entry. A dry
/// run answers what the request would do; a roster that would be refused would do nothing.
///
/// With `missing=cancel`, sessions to come that the roster doesn't name are cancelled. A session stays if somebody has
/// booked it, if it was edited, or if its series was split off by hand; `skipped` lists it. The series gets no more
/// sessions. A roster that names the entry again brings all of that back. What people called off stays off. A wrong entry
/// names its series or session too. If every entry is wrong, the roster is refused. If the `external_id` of an entry
/// can't be read, nothing is cancelled.
///
/// A series that exists already gets only sessions that are still to come. `skipped` lists every session that can't be
/// made, every time. It lists sessions that stay as they were if their entry has changed. A client that states a
/// `register` also needs the scope `registers:write`.
///
/// A partner has quotas of series, sessions to come and text. A roster that would exceed one is not applied, not in part
/// either, and a dry run of it has the same answer.
///
/// Bookings stay with a session that a roster moves. The people booked are told by e-mail if they allow it. The answer
/// doesn't name them: `GET /v1/sessions/{id}/bookings` does. An event is recorded for each of them.
///
/// With `Accept: text/csv`, or the media type of a workbook, the answer is the sheet that was posted, with two more columns:
/// `outcome`, and `what is wrong` in words. So is the answer with 422 to a roster that is refused. The sheet can be put right
/// and posted again: the two columns are left out then.
///
/// With `missing=cancel`, a roster that would call off more than half of the partner's sessions to come needs
/// `confirm=cancel`. A dry run doesn't.
///
/// With `Prefer: respond-async` the roster is applied later, as a job. Five jobs of a partner can wait. A job fails with
/// 403 if whoever sent it may no longer post rosters when it is applied.
#[utoipa::path(operation_id = "post_roster", tag = "rosters",
    params(("id" = Id, Path, description = "The partner"), RosterOptions,
        ("Prefer" = Option<String>, Header, description = "respond-async: to be answered at once with a job", max_length = 200)),
    request_body(description = "The entries", content((RosterInput = "application/json"), (RosterLines = "application/x-ndjson"), (RosterTable = "text/csv"),
        (RosterWorkbook = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"))),
    responses((status = 200, description = "What a dry run would do", content((RosterAnswer = "application/json"),
            (RosterTable = "text/csv"), (RosterWorkbook = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"))),
        (status = 201, description = "Applied and recorded, also where nothing had to be changed", content((RosterAnswer = "application/json"),
            (RosterTable = "text/csv"), (RosterWorkbook = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"))),
        (status = 202, description = "Taken in; Location is the job that applies it", body = Job),
        BadInput, Missing, TooMany, Storage, Problems),
    security(("bearer" = []), ("client" = ["rosters:write"])))]
#[post("/v1/partners/{id}/rosters")]
pub async fn post_roster(
    request: Extract<(Allowed<RosterWriter>, OwnPartner, Query<RosterOptions>, Prefer, AsSheet, RawBody)>,
) -> Result<HttpResponse> {
    let Extract((who, OwnPartner(partner_id), Query(options), prefer, AsSheet(sheet), body)) = request;
    let (form, manner) = (Form::of_media_type(&body.media_type), Manner::from(options));
    let body = packed(&who, form, body).await?;
    let bytes = body.clone();
    let reading = actix_web::web::block(move || Posting::read(partner_id, form, manner, bytes));
    let posting = reading.await.map_err(Error::blocking)??;
    if posting.has_registers() {
        policy::scope(who.caller()?, Scope::RegistersWrite)?;
    }
    if prefer.respond_async {
        return later::accept(&who, posting, &body).await;
    }
    // Before it is planned: what was done already costs no more than a look.
    if who.has_answered().await? {
        let response = who.write(&body, |_| Err(Error::overloaded())).await?;
        return answer::given(sheet, Arc::new(posting), response).await;
    }
    let turn = who.state().plan_turns.for_request(who.owner()).await?;
    let posting = Arc::new(posting.holding(turn));
    let (context, db) = (who.context(), &who.state().db);
    if manner.dry_run {
        let planned = Arc::clone(&posting);
        let draft = db.read_long(move |conn| apply::draft(conn, &planned, &context, Hold::Snapshot)).await?;
        let response = Reply::plain(200, &apply::rehearsal(&posting, &draft))?.into_response();
        return answer::given(sheet, posting, response).await;
    }
    let (right, has_registers) = (Right::of(who.caller()?), posting.has_registers());
    let write = async |application: Application| {
        let right = right.clone();
        let work = move |conn: &mut Conn| {
            let reply = application.run(conn)?;
            // The body may have taken minutes, and the line half a minute.
            later::still_may_post(conn, &right, partner_id, has_registers)?;
            Ok(reply)
        };
        who.write(&body, work).await
    };
    let (application, outcome) = ahead::apply(&posting, &context, write).await?;
    match outcome {
        Err(refusal) if refusal.kind() == Kind::RosterRefused => {
            let refused = application.clone();
            db.write(move |conn| refused.keep_refused(conn)).await?;
            match sheet {
                Some(form) => answer::refused(form, posting, application.refused()).await,
                None => Err(refusal),
            }
        }
        outcome => answer::given(sheet, posting, outcome?).await,
    }
}

/// List rosters
///
/// A partner's, the newest first, refused ones too: those can be read for thirty days.
#[utoipa::path(operation_id = "list_rosters", tag = "rosters",
    params(("id" = Id, Path, description = "The partner"), Paging),
    responses((status = 200, description = "A page of rosters", body = Page<RosterSummary>),
        (status = 304, description = "Not changed"), Missing, Problems),
    security(("bearer" = []), ("client" = ["rosters:read"])))]
#[get("/v1/partners/{id}/rosters")]
pub async fn list_rosters(
    request: Extract<(Allowed<RosterReader>, OwnPartner, Query<Paging>)>,
) -> Result<HttpResponse> {
    let Extract((who, OwnPartner(partner_id), Query(filter))) = request;
    let slice = Slice::<Id>::read(&who, filter.limit, filter.cursor.as_deref())?;
    let wanted = slice.clone();
    let rows = who.state().db.read(move |conn| store::list(conn, partner_id, &wanted)).await?;
    who.show_page(Cache::Never, &slice.page(&who, rows, |roster| roster.id, |roster| roster))
}

/// Get the template of a roster
///
/// A CSV file with a header row that names every member of an entry, and one example row. A file that is posted can also
/// have semicolons or tabs between its cells, or be a workbook. Its columns and cells can be written as people write them:
/// see the body of `POST /v1/partners/{id}/rosters`.
#[utoipa::path(operation_id = "get_roster_template", tag = "rosters",
    params(("id" = Id, Path, description = "The partner")),
    responses((status = 200, description = "A header row and an example", body = String, content_type = "text/csv"), (status = 304, description = "Not changed"), Missing, Problems),
    security(("bearer" = []), ("client" = ["rosters:read"])))]
#[get("/v1/partners/{id}/rosters/template.csv")]
pub async fn get_roster_template(
    request: Extract<(Allowed<RosterReader>, OwnPartner, NoQuery)>,
) -> Result<HttpResponse> {
    let Extract((who, OwnPartner(partner_id), _)) = request;
    who.state().db.read(move |conn| store::roster_version(conn, partner_id)).await?;
    let mut response = who.show_text(Cache::Minute, "text/csv; charset=utf-8", sheet::csv::template()?);
    let file = HeaderValue::from_static("attachment; filename=\"roster.csv\"");
    response.headers_mut().insert(CONTENT_DISPOSITION, file);
    Ok(response)
}

/// Get a roster
///
/// With its outcome, row by row, for thirteen months; its counts stay. Of a refused one the first thousand rows that were
/// wrong, for thirty days. `counts` says how many there were.
#[utoipa::path(operation_id = "get_roster", tag = "rosters",
    params(("id" = Id, Path, description = "The partner"), ("roster_id" = Id, Path, description = "The roster")),
    responses((status = 200, description = "The roster", body = Roster), (status = 304, description = "Not changed"), Missing, Problems),
    security(("bearer" = []), ("client" = ["rosters:read"])))]
#[get("/v1/partners/{id}/rosters/{roster_id}")]
pub async fn get_roster(request: Extract<(Allowed<RosterReader>, Path<(Id, Id)>, NoQuery)>) -> Result<HttpResponse> {
    let Extract((who, Path((partner_id, roster_id)), _)) = request;
    own(&who, partner_id)?;
    let turn = who.state().long_answers.for_request(who.owner()).await?;
    let roster = who.state().db.read_long(move |conn| store::get(conn, partner_id, roster_id)).await?;
    Ok(sending::with_turn(turn, who.show(Cache::Never, roster.summary.version, &roster)?))
}
