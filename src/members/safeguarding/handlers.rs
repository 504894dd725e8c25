//! Safeguarding flags over HTTP. The policy refuses whoever lacks the permission before a member is looked up, so that
//! the answer tells nothing about the member.

use super::rules;
use super::store::{self, FlagRow};
use super::types::{SafeguardingFlag, SafeguardingFlagPatch, SafeguardingInput};
use crate::auth::policy::SafeguardingAdvisor;
use crate::auth::reach::Reach;
use crate::clock::london_day;
use crate::http::prelude::*;
use crate::members::handlers::read_of_member;
use crate::members::store as members;

/// The kind of these events. A member's access log leaves it out.
const KIND: &str = crate::audit::purpose::HIDDEN_KIND;

/// List a member's safeguarding flags
///
/// In the order in which they were written down, closed ones too. Needs the permission `safeguarding`.
#[utoipa::path(operation_id = "list_safeguarding_flags", tag = "members",
    params(("id" = Id, Path, description = "The member"), Paging),
    responses((status = 200, description = "A page of flags", body = Page<SafeguardingFlag>), (status = 304, description = "Not changed"), Missing, Problems))]
#[get("/v1/members/{id}/safeguarding")]
pub async fn list_safeguarding_flags(
    request: Extract<(Allowed<SafeguardingAdvisor>, Path<Id>, Query<Paging>)>,
) -> Result<HttpResponse> {
    let Extract((who, Path(id), Query(paging))) = request;
    let slice = Slice::<Id>::read(&who, paging.limit, paging.cursor.as_deref())?;
    let (subject, wanted) = (Subject::of_member(KIND, id, id), slice.clone());
    let rows = read_of_member(&who, id, (subject, &[]), move |conn| store::list(conn, id, &wanted)).await?;
    who.show_page(Cache::Never, &slice.page(&who, rows, FlagRow::key, SafeguardingFlag::from))
}

/// Get a safeguarding flag
///
/// Needs the permission `safeguarding`.
#[utoipa::path(operation_id = "get_safeguarding_flag", tag = "members",
    params(("id" = Id, Path, description = "The member"), ("flag_id" = Id, Path, description = "The flag")),
    responses((status = 200, description = "The flag", body = SafeguardingFlag), (status = 304, description = "Not changed"), Missing, Problems))]
#[get("/v1/members/{id}/safeguarding/{flag_id}")]
pub async fn get_safeguarding_flag(
    request: Extract<(Allowed<SafeguardingAdvisor>, Path<(Id, Id)>, NoQuery)>,
) -> Result<HttpResponse> {
    let Extract((who, Path((member_id, id)), _)) = request;
    let subject = Subject::of_member(KIND, id, member_id);
    let row = read_of_member(&who, member_id, (subject, &[]), move |conn| store::get(conn, member_id, id)).await?;
    who.show(Cache::Never, row.version, &SafeguardingFlag::from(row))
}

/// Raise a safeguarding flag
///
/// Needs the permission `safeguarding`. Nobody without it sees that there is a flag, the member neither.
#[utoipa::path(operation_id = "raise_safeguarding_flag", tag = "members", params(("id" = Id, Path, description = "The member")),
    request_body = SafeguardingInput,
    responses((status = 201, description = "Raised", body = SafeguardingFlag), BadInput, Missing, Storage, Problems))]
#[post("/v1/members/{id}/safeguarding")]
pub async fn raise_safeguarding_flag(
    request: Extract<(Allowed<SafeguardingAdvisor>, Path<Id>, NoQuery, JsonBody<SafeguardingInput>)>,
) -> Result<HttpResponse> {
    let Extract((who, Path(member_id), _, body)) = request;
    let (context, written, account) = (who.context(), body.value, who.caller()?.id);
    who.write(&body.bytes, move |conn| {
        // An erasure or a merge under way ends first, so that no flag is lost in it.
        members::lock(conn, Reach::Everyone, member_id)?;
        let raised_on = rules::raised_on(&written, london_day(context.now()))?;
        let row = FlagRow::new(context.new_id(), member_id, &written, (account, raised_on), context.now());
        store::insert(conn, &row)?;
        let subject = Subject::of_member(KIND, row.id, member_id);
        context.record(conn, &[context.event("create", subject, &[])])?;
        let location = format!("/v1/members/{member_id}/safeguarding/{}", row.id);
        Ok(Reply::created(location, row.version, &SafeguardingFlag::from(row))?.shows(subject))
    })
    .await
}

/// Change a safeguarding flag
///
/// A JSON merge patch. To close the flag, send `status: closed` with a `closed_reason`. Needs the permission
/// `safeguarding`.
#[utoipa::path(operation_id = "change_safeguarding_flag", tag = "members",
    params(("id" = Id, Path, description = "The member"), ("flag_id" = Id, Path, description = "The flag")),
    request_body(content = SafeguardingFlagPatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "Changed", body = SafeguardingFlag), BadInput, Missing, Stale, Storage, Problems))]
#[patch("/v1/members/{id}/safeguarding/{flag_id}")]
pub async fn change_safeguarding_flag(
    request: Extract<(Allowed<SafeguardingAdvisor>, Path<(Id, Id)>, NoQuery, SafeguardingFlagPatch)>,
) -> Result<HttpResponse> {
    let Extract((who, Path((member_id, id)), _, patch)) = request;
    let context = who.context();
    who.write(&Bytes::new(), move |conn| {
        members::lock(conn, Reach::Everyone, member_id)?;
        let old = store::get(conn, member_id, id)?;
        context.require_match(old.version)?;
        let subject = Subject::of_member(KIND, id, member_id);
        let Some(row) = patch.change(&old, FlagRow::written, |written| old.changed(written, context.now()))? else {
            return context.unchanged(conn, subject, old.version, &SafeguardingFlag::from(old));
        };
        Error::unless_none(rules::too_early(row.written().review_on, row.raised_on).into_iter().collect())?;
        store::update(conn, &row)?;
        context.record(conn, &[context.event("change", subject, &patch.names())])?;
        Reply::ok(row.version, &SafeguardingFlag::from(row))
    })
    .await
}
