//! Requests to be erased, by members and by advisors for them.

use super::store::{self, ErasureRow};
use super::types::{ErasureInput, ErasureOrigin, ErasureRequest};
use super::{rules, view};
use crate::auth::policy::MemberOrAdvisor;
use crate::auth::reach::Reach;
use crate::auth::store as accounts;
use crate::clock::london_day;
use crate::http::prelude::*;
use crate::login::password_login::is_own_password;
use crate::members::handlers::read_of_member;
use crate::members::quotas::{self, Written};
use crate::members::store as members;

/// Ask to be erased
///
/// A member asks for themself with the password of their account, an advisor for a member who has asked them. An admin
/// executes the request within a month. Until then it can be taken back.
#[utoipa::path(operation_id = "request_erasure", tag = "members", params(("id" = Id, Path, description = "The member")),
    request_body = ErasureInput,
    responses((status = 202, description = "Taken", body = ErasureRequest), BadInput, Missing, Conflict, Storage, Problems))]
#[post("/v1/members/{id}/erasure")]
pub async fn request_erasure(
    request: Extract<(Allowed<MemberOrAdvisor>, Path<Id>, NoQuery, JsonBody<ErasureInput>)>,
) -> Result<HttpResponse> {
    let Extract((who, Path(id), _, body)) = request;
    let (context, reach, account_id) = (who.context(), Reach::to_people(who.caller()?)?, who.caller()?.id);
    let read = move |conn: &mut Conn| {
        members::check(conn, reach, id)?;
        accounts::account(conn, account_id)
    };
    let (account, today) = (who.state().db.read(read).await?, london_day(context.now()));
    let (origin, asked_on, known) = match reach.is_member() {
        true => {
            let password = rules::password(&body.value)?;
            let hash = account.and_then(|account| account.password_hash);
            if !is_own_password(&who, account_id, password, hash).await? {
                return Err(Error::rule("/current_password", "wrong_password", "Is not the current password."));
            }
            // Not even a digest of the password is kept for repeated requests.
            (ErasureOrigin::Member, today, Bytes::new())
        }
        false => (ErasureOrigin::Advisor, rules::received_on(&body.value, today)?, body.bytes),
    };
    who.write(&known, move |conn| {
        members::lock(conn, reach, id)?;
        if store::open_of(conn, id)?.is_some() {
            return Err(Error::new(Kind::AlreadyExists, "The member has asked already; see their request."));
        }
        let asked_by = Some(account_id);
        let row = ErasureRow::new(context.new_id(), id, (origin, asked_by), asked_on, context.now());
        store::insert(conn, &row)?;
        quotas::check(conn, &context, id, Written::Erasure)?;
        let subject = Subject::of_member("erasure", row.id, id);
        context.record(conn, &[context.event("create", subject, &[])])?;
        let shown = view::request(row, today);
        let created = Reply::created(format!("/v1/members/{id}/erasure"), tag(&shown)?, &shown)?;
        Ok(Reply { status: 202, ..created }.shows(subject))
    })
    .await
}

/// The tag of a request. It isn't the version alone: a hold ends by itself.
fn tag(request: &ErasureRequest) -> Result<Tag> {
    Tag::live(request.version, request)
}

/// Get a member's request to be erased
///
/// The latest one.
#[utoipa::path(operation_id = "get_erasure_request", tag = "members", params(("id" = Id, Path, description = "The member")),
    responses((status = 200, description = "The request", body = ErasureRequest), (status = 304, description = "Not changed"), Missing, Problems))]
#[get("/v1/members/{id}/erasure")]
pub async fn get_erasure_request(
    request: Extract<(Allowed<MemberOrAdvisor>, Path<Id>, NoQuery)>,
) -> Result<HttpResponse> {
    let Extract((who, Path(id), _)) = request;
    let subject = Subject::of_member("member", id, id);
    let row = read_of_member(&who, id, (subject, &["erasure"]), move |conn| store::latest_of(conn, id)).await?;
    let shown = view::request(row, london_day(who.now()));
    who.show_live(Cache::Never, shown.version, &shown)
}

/// Take a request to be erased back
///
/// Possible until it was executed. The member can ask again.
#[utoipa::path(operation_id = "withdraw_erasure_request", tag = "members",
    params(("id" = Id, Path, description = "The member")),
    responses((status = 204, description = "Taken back"), Missing, MayBeStale, Storage, Problems))]
#[delete("/v1/members/{id}/erasure")]
pub async fn withdraw_erasure_request(
    request: Extract<(Allowed<MemberOrAdvisor>, Path<Id>, NoQuery)>,
) -> Result<HttpResponse> {
    let Extract((who, Path(id), _)) = request;
    let (context, reach) = (who.context(), Reach::to_people(who.caller()?)?);
    who.write(&Bytes::new(), move |conn| {
        members::lock(conn, reach, id)?;
        let row = store::open_of(conn, id)?.ok_or_else(|| Error::not_found("open request"))?;
        context.check_live_match(row.version, || tag(&view::request(row.clone(), london_day(context.now()))))?;
        store::update(conn, &row.withdrawn(context.now()))?;
        context.record(conn, &[context.event("withdraw", Subject::of_member("erasure", row.id, id), &[])])?;
        Ok(Reply::empty())
    })
    .await
}
