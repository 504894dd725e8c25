//! Accounts over HTTP.

use super::store::{self, UserRow};
use super::types::{NewUser, User, UserInput, UserPatch, check_display_name};
use crate::auth::links::Purpose;
use crate::auth::links::store::{self as links, LinkRow};
use crate::auth::logins::Why;
use crate::auth::password_rules;
use crate::auth::policy::AdminOnly;
use crate::auth::store as accounts;
use crate::http::prelude::*;
use crate::messages::kinds::MessageKind;
use crate::messages::queue::Notice;
use crate::messages::{self, NewMessage};

/// List accounts
///
/// By e-mail address, a page at a time. Members' own accounts aren't in the list.
#[utoipa::path(operation_id = "list_users", tag = "users", params(Paging),
    responses((status = 200, description = "A page of accounts", body = Page<User>), (status = 304, description = "Not changed"), Problems))]
#[get("/v1/users")]
pub async fn list_users(request: Extract<(Allowed<AdminOnly>, Query<Paging>)>) -> Result<HttpResponse> {
    let Extract((who, Query(paging))) = request;
    let slice = Slice::<String>::read(&who, paging.limit, paging.cursor.as_deref())?;
    let wanted = slice.clone();
    let rows = who.state().db.read_one(move |conn| store::list(conn, &wanted)).await?;
    who.show_page(Cache::Never, &slice.page(&who, rows, UserRow::key, User::from))
}

/// Get an account
///
/// The answer has no password; no answer has. A member's own account is a 404.
#[utoipa::path(operation_id = "get_user", tag = "users", params(("id" = Id, Path, description = "The account")),
    responses((status = 200, description = "The account", body = User), (status = 304, description = "Not changed"), Missing, Problems))]
#[get("/v1/users/{id}")]
pub async fn get_user(request: Extract<(Allowed<AdminOnly>, Path<Id>, NoQuery)>) -> Result<HttpResponse> {
    let Extract((who, Path(id), _)) = request;
    let row = who.state().db.read_one(move |conn| store::get(conn, id)).await?;
    who.show(Cache::Never, row.version, &User::from(row))
}

/// Create an account
///
/// Its owner is sent a link that works for seven days, and chooses a password there. A service that sends no e-mail makes
/// the link with `POST /v1/users/{id}/reset-link` and `deliver: show`.
///
/// A `password` can still be given instead. Better don't: nobody should know somebody else's password.
#[utoipa::path(operation_id = "create_user", tag = "users", request_body = NewUser,
    responses((status = 201, description = "Created", body = User), BadInput, Conflict, Storage, Problems))]
#[post("/v1/users")]
pub async fn create_user(request: Extract<(Allowed<AdminOnly>, NoQuery, JsonBody<NewUser>)>) -> Result<HttpResponse> {
    let Extract((who, _, body)) = request;
    let (context, by) = (who.context(), who.caller()?.id);
    let NewUser { account: written, password } = body.value;
    check_display_name(None, &written)?;
    let hash = hashed(&who, password, &written).await?;
    // The stored copy of the request must not help anybody guess the password, so the password is left out.
    let remembered = serde_json::to_vec(&written).map_err(Error::internal)?;
    who.write(&remembered.into(), move |conn| {
        let row = UserRow::new(context.new_id(), written.clone(), None, hash.clone(), context.now());
        store::insert(conn, Some(&context.state().throttle), &row)?;
        context.record(conn, &[context.event("create", Subject::other("user", row.id), &[])])?;
        if row.waits_for_password() {
            invite(conn, &context, by, &row)?;
        }
        Reply::created(format!("/v1/users/{}", row.id), row.version, &User::from(row))
    })
    .await
}

/// Sends the owner of an account without a password a link to choose a password.
fn invite(conn: &mut Conn, context: &Context, by: Id, row: &UserRow) -> Result<()> {
    let link = LinkRow::to(context.new_id(), Purpose::Invitation, &row.email, context.now());
    let link = LinkRow { user_id: Some(row.id), created_by: Some(by), ..link };
    links::insert(conn, &link)?;
    let mail = NewMessage::with_link(MessageKind::Invitation, link.id, link.expires_at, context.now());
    messages::queue(conn, vec![mail], context.now())?;
    context.record(conn, &[context.event("invite", Subject::other("user", row.id), &["email"])])
}

/// Change an account
///
/// A JSON merge patch. A change of the role, the partner, the e-mail address or `disabled` ends the account's logins, tokens
/// and links at once. If its owner hasn't chosen a password yet, they are sent a new link. Nobody sets somebody else's
/// password: see `POST /v1/users/{id}/reset-link`.
#[utoipa::path(operation_id = "change_user", tag = "users", params(("id" = Id, Path, description = "The account")),
    request_body(content = UserPatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "Changed", body = User), BadInput, Missing, Conflict, Stale, Storage, Problems))]
#[patch("/v1/users/{id}")]
pub async fn change_user(request: Extract<(Allowed<AdminOnly>, Path<Id>, NoQuery, UserPatch)>) -> Result<HttpResponse> {
    let Extract((who, Path(id), _, patch)) = request;
    let (context, by) = (who.context(), who.caller()?.id);
    who.write(&Bytes::new(), move |conn| {
        let old = store::get(conn, id)?;
        context.require_match(old.version)?;
        let change = patch.change(&old, UserRow::written, |written| old.changed(written, context.now()))?;
        let Some(row) = change else { return Reply::ok(old.version, &User::from(old)) };
        check_display_name(Some(&old.written()), &row.written())?;
        let ended = store::update(conn, &old, &row)?;
        if row.email != old.email {
            // So that nobody takes an account over behind its owner's back.
            let told = NewMessage::to_account(MessageKind::EmailChanged, id, None, context.now());
            messages::queue(conn, vec![told.to_address(old.email.clone())], context.now())?;
        }
        let subject = Subject::other("user", id);
        let mut events = vec![context.event("change", subject, &patch.names())];
        events.extend(ended.map(|why| context.event("logins_ended", subject, &[why.into()])));
        context.record(conn, &events)?;
        if old.ends_links(&row) && row.waits_for_password() {
            invite(conn, &context, by, &row)?;
        }
        Reply::ok(row.version, &User::from(row))
    })
    .await
}

/// End an account's logins
///
/// Every refresh token and every access token of the account ends at once, and its owner is sent a notice. Its password
/// stays. A member's own account is a 404.
#[utoipa::path(operation_id = "end_user_logins", tag = "users", params(("id" = Id, Path, description = "The account")),
    responses((status = 204, description = "Ended"), Missing, MayBeStale, Storage, Problems))]
#[delete("/v1/users/{id}/logins")]
pub async fn end_user_logins(request: Extract<(Allowed<AdminOnly>, Path<Id>, NoQuery)>) -> Result<HttpResponse> {
    let Extract((who, Path(id), _)) = request;
    let context = who.context();
    who.write(&Bytes::new(), move |conn| {
        let old = store::get(conn, id)?;
        context.check_match(old.version)?;
        accounts::end_logins(conn, id, context.now())?;
        context.record(conn, &[context.event("logins_ended", Subject::other("user", id), &[Why::LogoutAll.into()])])?;
        let notice = NewMessage::notice(Notice::LoggedOut, id, None, context.now());
        messages::queue(conn, vec![notice], context.now())?;
        Ok(Reply::empty())
    })
    .await
}

/// The hash of the first password of this account. Hashing is slow, so it is done before any transaction.
///
/// # Errors
/// 422 if the password can't be set.
async fn hashed(context: &Context, password: Option<String>, account: &UserInput) -> Result<Option<String>> {
    let Some(password) = password else { return Ok(None) };
    password_rules::check(password.clone(), account.role, vec![account.email.clone()], "/password").await?;
    context.state().hasher.hash(password).await.map(Some)
}
