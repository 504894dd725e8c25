//! The account of a member, as their advisors see it.

use super::types::{MemberAccount, MemberAccountInput, MemberAccountPatch};
use crate::auth::logins::Why;
use crate::auth::policy::{AdvisorOnly, MemberOrAdvisor};
use crate::auth::reach::Reach;
use crate::auth::store as accounts;
use crate::http::prelude::*;
use crate::members::handlers::read_of_member;
use crate::members::store as members;
use crate::users::store as users;

/// Get a member's account
///
/// 404 if the member has none.
#[utoipa::path(operation_id = "get_member_account", tag = "members", params(("id" = Id, Path, description = "The member")),
    responses((status = 200, description = "The account", body = MemberAccount), (status = 304, description = "Not changed"), Missing, Problems))]
#[get("/v1/members/{id}/account")]
pub async fn get_member_account(
    request: Extract<(Allowed<MemberOrAdvisor>, Path<Id>, NoQuery)>,
) -> Result<HttpResponse> {
    let Extract((who, Path(id), _)) = request;
    let subject = Subject::of_member("member", id, id);
    let account = read_of_member(&who, id, (subject, &["account"]), move |conn| users::of_member(conn, id)).await?;
    let account = MemberAccount::from(account);
    who.show(Cache::Never, account.version, &account)
}

/// Change a member's account
///
/// A JSON merge patch. A disabled account can't log in, its logins end at once, and links that were sent to it don't work.
#[utoipa::path(operation_id = "change_member_account", tag = "members", params(("id" = Id, Path, description = "The member")),
    request_body(content = MemberAccountPatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "Changed", body = MemberAccount), BadInput, Missing, Stale, Storage, Problems))]
#[patch("/v1/members/{id}/account")]
pub async fn change_member_account(
    request: Extract<(Allowed<AdvisorOnly>, Path<Id>, NoQuery, MemberAccountPatch)>,
) -> Result<HttpResponse> {
    let Extract((who, Path(id), _, patch)) = request;
    let (context, reach) = (who.context(), Reach::to_people(who.caller()?)?);
    who.write(&Bytes::new(), move |conn| {
        members::get(conn, reach, id)?;
        let (account, ..) = users::of_member(conn, id)?;
        // Locked before its version is looked at, so that of two changes at the same time one is refused.
        accounts::locked_account(conn, account)?;
        let old = MemberAccount::from(users::of_member(conn, id)?);
        context.require_match(old.version)?;
        let before = MemberAccountInput { disabled: old.disabled };
        let subject = Subject::of_account(account, Some(id));
        let wanted = patch.apply(&before)?;
        if wanted == before {
            return context.unchanged(conn, subject, old.version, &old);
        }
        let ended = accounts::set_disabled(conn, account, wanted.disabled, context.now())?;
        let mut events = vec![context.event("change", subject, &["disabled"])];
        if ended {
            events.push(context.event("logins_ended", subject, &[Why::Disabled.into()]));
        }
        context.record(conn, &events)?;
        let now = MemberAccount { disabled: wanted.disabled, version: old.version + 1, ..old };
        Reply::ok(now.version, &now)
    })
    .await
}

impl From<users::MemberUser> for MemberAccount {
    fn from((_, email, disabled, last_login_on, version): users::MemberUser) -> Self {
        Self { email, disabled, last_login_on, version }
    }
}
