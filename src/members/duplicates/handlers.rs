//! Possible duplicates over HTTP.

use std::collections::HashSet;

use super::people::People;
use super::store::{self, PairKey, PairRow};
use super::types::{DuplicateStatus, PossibleDuplicate, PossibleDuplicateFilter, PossibleDuplicatePatch};
use crate::auth::policy::AdvisorOnly;
use crate::auth::reach::Reach;
use crate::http::prelude::*;
use crate::members::store as members;
use crate::members::types::SUMMARY_FIELDS;

/// List members who may be registered twice
///
/// Those with the most points first, a page at a time. It is recorded as a read of the data of each person on the page.
#[utoipa::path(operation_id = "list_possible_duplicates", tag = "members", params(PossibleDuplicateFilter),
    responses((status = 200, description = "A page of pairs", body = Page<PossibleDuplicate>), (status = 304, description = "Not changed"), Problems))]
#[get("/v1/possible-duplicates")]
pub async fn list_possible_duplicates(
    request: Extract<(Allowed<AdvisorOnly>, Query<PossibleDuplicateFilter>)>,
) -> Result<HttpResponse> {
    let Extract((who, Query(filter))) = request;
    show_list(&who, None, filter).await
}

/// List whom a member may be registered as too
///
/// Those with the most points first, a page at a time.
#[utoipa::path(operation_id = "list_possible_duplicates_of_member", tag = "members",
    params(("id" = Id, Path, description = "The member"), PossibleDuplicateFilter),
    responses((status = 200, description = "A page of pairs", body = Page<PossibleDuplicate>), (status = 304, description = "Not changed"), Missing, Problems))]
#[get("/v1/members/{id}/possible-duplicates")]
pub async fn list_possible_duplicates_of_member(
    request: Extract<(Allowed<AdvisorOnly>, Path<Id>, Query<PossibleDuplicateFilter>)>,
) -> Result<HttpResponse> {
    let Extract((who, Path(id), Query(filter))) = request;
    show_list(&who, Some(id), filter).await
}

async fn show_list(who: &Context, member: Option<Id>, filter: PossibleDuplicateFilter) -> Result<HttpResponse> {
    let slice = Slice::<PairKey>::read(who, filter.limit, filter.cursor.as_deref())?;
    let (context, wanted) = (who.clone(), slice.clone());
    let work = move |conn: &mut Conn| {
        if let Some(id) = member {
            members::check(conn, Reach::Everyone, id)?;
        }
        let rows = store::list(conn, member, &filter, &wanted)?;
        // The row beyond the page only shows that there is a next page.
        let shown = wanted.shown(&rows);
        let people = People::of(conn, shown)?;
        let events = reads(&context, "list", &people, shown);
        Ok(((rows, people), events))
    };
    let (rows, people) = who.state().db.read_audited(work).await?;
    who.show_page(Cache::Never, &slice.page(who, rows, PairRow::key, |row| people.show(row)))
}

/// One event for each person whom an answer shows.
fn reads(context: &Context, action: &'static str, people: &People, rows: &[PairRow]) -> Vec<Event> {
    let mut seen = HashSet::new();
    let shown = rows.iter().flat_map(|row| people.shown(row)).filter(|id| seen.insert(*id));
    shown.map(|id| context.event(action, Subject::of_member("member", id, id), &SUMMARY_FIELDS)).collect()
}

/// Get a pair of members who may be one person
///
/// The order of the two ids doesn't matter.
#[utoipa::path(operation_id = "get_possible_duplicate", tag = "members",
    params(("id" = Id, Path, description = "One of the two members"), ("other_id" = Id, Path, description = "The other")),
    responses((status = 200, description = "The pair", body = PossibleDuplicate), (status = 304, description = "Not changed"), Missing, Problems))]
#[get("/v1/possible-duplicates/{id}/{other_id}")]
pub async fn get_possible_duplicate(
    request: Extract<(Allowed<AdvisorOnly>, Path<(Id, Id)>, NoQuery)>,
) -> Result<HttpResponse> {
    let Extract((who, Path((one, other)), _)) = request;
    let context = who.context();
    let work = move |conn: &mut Conn| {
        let row = store::get(conn, one, other)?;
        let people = People::of(conn, std::slice::from_ref(&row))?;
        let events = reads(&context, "read", &people, std::slice::from_ref(&row));
        Ok((people.show(row), events))
    };
    let pair = who.state().db.read_audited(work).await?;
    who.show_live(Cache::Never, pair.version, &pair)
}

/// Decide whether two members are one person
///
/// A JSON merge patch. `not_same` takes the pair off the list of what is open, and it doesn't come back. If they are one
/// person, merge their records instead.
#[utoipa::path(operation_id = "change_possible_duplicate", tag = "members",
    params(("id" = Id, Path, description = "One of the two members"), ("other_id" = Id, Path, description = "The other")),
    request_body(content = PossibleDuplicatePatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "Changed", body = PossibleDuplicate), BadInput, Missing, Conflict, Stale, Storage, Problems))]
#[patch("/v1/possible-duplicates/{id}/{other_id}")]
pub async fn change_possible_duplicate(
    request: Extract<(Allowed<AdvisorOnly>, Path<(Id, Id)>, NoQuery, PossibleDuplicatePatch)>,
) -> Result<HttpResponse> {
    let Extract((who, Path((one, other)), _, patch)) = request;
    let (context, account) = (who.context(), who.caller()?.id);
    who.write(&Bytes::new(), move |conn| {
        let old = store::get(conn, one, other)?;
        let people = People::of(conn, std::slice::from_ref(&old))?;
        let before = people.show(old.clone());
        context.require_if_match()?;
        context.check_live_match(old.version, || Tag::live(before.version, &before))?;
        if old.status == DuplicateStatus::Merged {
            return Err(Error::state("pair", old.status, "be decided about").at_its_end());
        }
        let decided = |written| old.decided(&written, account, context.now());
        let Some(row) = patch.change(&old, PairRow::written, decided)? else {
            context.record(conn, &reads(&context, "read", &people, std::slice::from_ref(&old)))?;
            return Reply::ok(Tag::live(before.version, &before)?, &before);
        };
        store::update(conn, &row)?;
        let change = |id| context.event("change", Subject::of_member("member", id, id), &["possible_duplicates"]);
        context.record(conn, &people.shown(&row).into_iter().map(change).collect::<Vec<_>>())?;
        let pair = people.show(row);
        Reply::ok(Tag::live(pair.version, &pair)?, &pair)
    })
    .await
}
