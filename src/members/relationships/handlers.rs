//! Relationships over HTTP.

use std::collections::HashSet;

use chrono::NaiveDate;

use super::rules::{self, Changer};
use super::store::{self, MemberNames, RelationshipRow};
use super::types::{Relationship, RelationshipInput, RelationshipPatch};
use crate::auth::policy::{AdvisorOnly, MemberOrAdvisor};
use crate::auth::reach::Reach;
use crate::clock::london_day;
use crate::error::Fault;
use crate::http::prelude::*;
use crate::members::store as members;

/// The fields that only an advisor writes.
const ADVISORS_WRITE: [&str; 5] = ["may_book", "authority", "evidence", "starts_on", "ends_on"];

/// List a member's relationships
///
/// The oldest first, a page at a time. A member sees those that are about them in every state, and those in which they
/// are the carer, child, partner or relative while they are in effect.
#[utoipa::path(operation_id = "list_relationships", tag = "members",
    params(("id" = Id, Path, description = "The member"), Paging),
    responses((status = 200, description = "A page of relationships", body = Page<Relationship>), (status = 304, description = "Not changed"), Missing, Problems))]
#[get("/v1/members/{id}/relationships")]
pub async fn list_relationships(
    request: Extract<(Allowed<MemberOrAdvisor>, Path<Id>, Query<Paging>)>,
) -> Result<HttpResponse> {
    let Extract((who, Path(id), Query(paging))) = request;
    let slice = Slice::<Id>::read(&who, paging.limit, paging.cursor.as_deref())?;
    let (context, wanted, reach) = (who.context(), slice.clone(), Reach::to_people(who.caller()?)?);
    let today = london_day(context.now());
    let work = move |conn: &mut Conn| {
        members::get(conn, reach, id)?;
        let rows = store::list(conn, id, reach, today, &wanted)?;
        // The row beyond the page only shows that there is a next page.
        let shown = wanted.shown(&rows);
        // A list would show in the log of a member who may not know yet that there is anything in it.
        let (open, hidden): (Vec<_>, Vec<_>) = shown.iter().partition(|row| row.is_open_to(id, today));
        let mut events = context.reads_list(Subject::record_of(id), &["relationships"], &open);
        events.extend(hidden.iter().flat_map(|row| context.reads(row.subject(id), &[])));
        events.extend(reads_of_others(&context, id, shown));
        let names = MemberNames::of(conn, reach, &rows)?;
        Ok(((rows, names), events))
    };
    let (rows, names) = who.state().db.read_audited(work).await?;
    who.show_page(Cache::Never, &slice.page(&who, rows, RelationshipRow::key, |row| names.show(row, today)))
}

/// Get a relationship
///
/// An advisor and the member whom it is about always see it. The other member sees it while it is in effect.
#[utoipa::path(operation_id = "get_relationship", tag = "members",
    params(("id" = Id, Path, description = "One of the two members"), ("relationship_id" = Id, Path, description = "The relationship")),
    responses((status = 200, description = "The relationship", body = Relationship), (status = 304, description = "Not changed"), Missing, Problems))]
#[get("/v1/members/{id}/relationships/{relationship_id}")]
pub async fn get_relationship(
    request: Extract<(Allowed<MemberOrAdvisor>, Path<(Id, Id)>, NoQuery)>,
) -> Result<HttpResponse> {
    let Extract((who, Path((member_id, id)), _)) = request;
    let (context, reach) = (who.context(), Reach::to_people(who.caller()?)?);
    let work = move |conn: &mut Conn| {
        members::get(conn, reach, member_id)?;
        let today = london_day(context.now());
        let row = store::get(conn, member_id, id, reach, today)?;
        let mut events = context.reads(row.subject(member_id), &[]);
        events.extend(reads_of_others(&context, member_id, [&row]));
        Ok((shown(conn, row, reach, today)?, events))
    };
    let relationship = who.state().db.read_audited(work).await?;
    who.show_live(Cache::Never, relationship.version, &relationship)
}

/// Write down a relationship
///
/// One of the two is the member in the path. It waits for the other's consent as `proposed`, or is `active` at once if
/// `evidence` says how that is known. With `may_book`, the one may book places for the other while it is in effect.
#[utoipa::path(operation_id = "create_relationship", tag = "members", params(("id" = Id, Path, description = "One of the two members")),
    request_body = RelationshipInput,
    responses((status = 201, description = "Written down", body = Relationship), BadInput, Missing, Conflict, Storage, Problems))]
#[post("/v1/members/{id}/relationships")]
pub async fn create_relationship(
    request: Extract<(Allowed<AdvisorOnly>, Path<Id>, NoQuery, JsonBody<RelationshipInput>)>,
) -> Result<HttpResponse> {
    let Extract((who, Path(member_id), _, body)) = request;
    let (context, written, account) = (who.context(), body.value, who.caller()?.id);
    who.write(&body.bytes, move |conn| {
        members::get(conn, Reach::Everyone, member_id)?;
        check_members(conn, member_id, &written)?;
        let today = london_day(context.now());
        rules::check_days(written.starts_on.unwrap_or(today), written.ends_on)?;
        let row = RelationshipRow::new(context.new_id(), &written, account, today, context.now());
        store::insert(conn, &row, today)?;
        context.record(conn, &events(&context, "create", &row, &[]))?;
        let (location, both) = (format!("/v1/members/{member_id}/relationships/{}", row.id), row.subjects());
        let relationship = shown(conn, row, Reach::Everyone, today)?;
        let reply = Reply::created(location, tag(&relationship)?, &relationship)?;
        Ok(both.into_iter().fold(reply, Reply::shows))
    })
    .await
}

/// Change a relationship
///
/// A JSON merge patch. The member whom it is about accepts it (`status: active`) or ends it (`status: ended`), and the
/// other can end it. Everything else only an advisor changes. What has ended stays as it is.
#[utoipa::path(operation_id = "change_relationship", tag = "members",
    params(("id" = Id, Path, description = "One of the two members"), ("relationship_id" = Id, Path, description = "The relationship")),
    request_body(content = RelationshipPatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "Changed", body = Relationship), BadInput, Missing, Conflict, Stale, Storage, Problems))]
#[patch("/v1/members/{id}/relationships/{relationship_id}")]
pub async fn change_relationship(
    request: Extract<(Allowed<MemberOrAdvisor>, Path<(Id, Id)>, NoQuery, RelationshipPatch)>,
) -> Result<HttpResponse> {
    let Extract((who, Path((member_id, id)), _, patch)) = request;
    let (context, reach) = (who.context(), Reach::to_people(who.caller()?)?);
    who.write(&Bytes::new(), move |conn| {
        members::get(conn, reach, member_id)?;
        let today = london_day(context.now());
        let old = store::get(conn, member_id, id, reach, today)?;
        let before = shown(conn, old.clone(), reach, today)?;
        context.require_if_match()?;
        context.check_live_match(old.version, || tag(&before))?;
        if reach.is_member() {
            patch.refuse(&ADVISORS_WRITE, "Only an advisor may change this. Ask yours.")?;
        }
        let next = patch.apply(&old.written(today))?;
        if next == old.written(today) {
            context.record(conn, &reads_of_others(&context, member_id, [&old]))?;
            return context.unchanged(conn, old.subject(member_id), tag(&before)?, &before);
        }
        let by = if reach.is_member() { Changer::Member } else { Changer::Advisor };
        rules::check(&old.written(today), &next, by)?;
        let row = old.changed(next, today, context.now());
        store::update(conn, &row)?;
        context.record(conn, &events(&context, "change", &row, &patch.names()))?;
        let relationship = shown(conn, row, reach, today)?;
        Reply::ok(tag(&relationship)?, &relationship)
    })
    .await
}

fn shown(conn: &mut Conn, row: RelationshipRow, reach: Reach, today: NaiveDate) -> Result<Relationship> {
    Ok(MemberNames::of(conn, reach, std::slice::from_ref(&row))?.show(row, today))
}

/// The tag isn't the version alone: the state changes after the last day without a new version.
fn tag(relationship: &Relationship) -> Result<Tag> {
    Tag::live(relationship.version, relationship)
}

/// Checks that both members exist and that one of them is the member in the path.
///
/// # Errors
/// 422 with every fault.
fn check_members(conn: &mut Conn, member_id: Id, written: &RelationshipInput) -> Result<()> {
    let both = [("/from_member", written.from_member), ("/to_member", written.to_member)];
    let mut faults = Vec::new();
    for (pointer, id) in both {
        if !members::hold(conn, Reach::Everyone, id)? {
            faults.push(Fault::at(pointer, "unknown_member", "There is no such member."));
        }
    }
    if faults.is_empty() && both.iter().all(|(_, id)| *id != member_id) {
        let detail = "One of from_member and to_member must be the member in the path.";
        faults.push(Fault::at("/from_member", "another_member", detail));
    }
    Error::unless_none(faults)
}

/// An event for each of the two members.
fn events(context: &Context, action: &'static str, row: &RelationshipRow, fields: &[&str]) -> Vec<Event> {
    row.subjects().into_iter().map(|subject| context.event(action, subject, fields)).collect()
}

/// A relationship tells something about the other member too. An event for each of them, once.
fn reads_of_others<'a>(
    context: &Context,
    member_id: Id,
    rows: impl IntoIterator<Item = &'a RelationshipRow>,
) -> Vec<Event> {
    let mut told = HashSet::new();
    let others = rows.into_iter().map(|row| row.subject(row.other(member_id)));
    let others = others.filter(|subject| told.insert(subject.member_id));
    others.flat_map(|subject| context.reads(subject, &[])).collect()
}
