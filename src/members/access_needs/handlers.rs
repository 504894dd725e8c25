//! Access needs over HTTP.

use super::rules;
use super::store::{self, AccessNeedsRow};
use super::types::{AccessNeeds, AccessNeedsInput};
use crate::auth::policy::MemberOrAdvisor;
use crate::auth::reach::Reach;
use crate::clock::london_day;
use crate::http::prelude::*;
use crate::members::handlers::read_of_member;
use crate::members::store as members;

fn subject(member_id: Id) -> Subject {
    Subject::of_member("access_needs", member_id, member_id)
}

/// Get a member's access needs
///
/// What the member needs to take part. If nobody has asked yet, the version is 0.
#[utoipa::path(operation_id = "get_access_needs", tag = "members", params(("id" = Id, Path, description = "The member")),
    responses((status = 200, description = "The needs", body = AccessNeeds), (status = 304, description = "Not changed"), Missing, Problems))]
#[get("/v1/members/{id}/access-needs")]
pub async fn get_access_needs(request: Extract<(Allowed<MemberOrAdvisor>, Path<Id>, NoQuery)>) -> Result<HttpResponse> {
    let Extract((who, Path(id), _)) = request;
    let row = read_of_member(&who, id, (subject(id), &[]), move |conn| store::find(conn, id)).await?;
    let needs = AccessNeeds::of(id, row);
    who.show(Cache::Never, needs.version, &needs)
}

/// Write a member's access needs
///
/// Replaces all of them. `none` says that the member was asked and needs nothing. The member and their advisor write
/// them; the record and registers then show that there are needs.
#[utoipa::path(operation_id = "put_access_needs", tag = "members", params(("id" = Id, Path, description = "The member")),
    request_body = AccessNeedsInput,
    responses((status = 200, description = "As they are now", body = AccessNeeds), BadInput, Missing, Stale, Storage, Problems))]
#[put("/v1/members/{id}/access-needs")]
pub async fn put_access_needs(
    request: Extract<(Allowed<MemberOrAdvisor>, Path<Id>, NoQuery, JsonBody<AccessNeedsInput>)>,
) -> Result<HttpResponse> {
    let Extract((who, Path(id), _, body)) = request;
    let (context, reach, written) = (who.context(), Reach::to_people(who.caller()?)?, body.value);
    who.write(&Bytes::new(), move |conn| {
        members::lock(conn, reach, id)?;
        let old = store::find(conn, id)?;
        context.require_match(old.as_ref().map_or(0, |old| old.version))?;
        let days = rules::days(&written, london_day(context.now()))?;
        let next = AccessNeedsRow::new(id, days, written.none, written.needs.clone(), context.now());
        let row = match old {
            Some(old) if old.same_content(&next) => {
                let version = old.version;
                return context.unchanged(conn, subject(id), version, &AccessNeeds::of(id, Some(old)));
            }
            Some(old) => old.changed_to(next),
            None => next,
        };
        store::write(conn, &row)?;
        context.record(conn, &[context.event("change", subject(id), &["needs"])])?;
        Reply::ok(row.version, &AccessNeeds::of(id, Some(row)))
    })
    .await
}
