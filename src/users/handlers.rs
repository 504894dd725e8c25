//! Accounts over HTTP.

use super::store::{self, UserRow};
use super::types::{User, UserInput, UserPatch, check_display_name};
use crate::auth::logins::Why;
use crate::auth::password_rules;
use crate::auth::policy::AdminOnly;
use crate::auth::store as accounts;
use crate::http::prelude::*;

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
/// An account without a `password` can't log in until one is set, here or on the command line.
#[utoipa::path(operation_id = "create_user", tag = "users", request_body = UserInput,
    responses((status = 201, description = "Created", body = User), BadInput, Conflict, Storage, Problems))]
#[post("/v1/users")]
pub async fn create_user(request: Extract<(Allowed<AdminOnly>, NoQuery, JsonBody<UserInput>)>) -> Result<HttpResponse> {
    let Extract((who, _, body)) = request;
    let (context, mut written) = (who.context(), body.value);
    check_display_name(None, &written)?;
    let hash = hashed(&who, written.password.take(), &written).await?;
    // The stored copy of the request must not help anybody guess the password, so the password is left out.
    let remembered = serde_json::to_vec(&written).map_err(Error::internal)?;
    who.write(&remembered.into(), move |conn| {
        let row = UserRow::new(context.new_id(), written.clone(), None, hash.clone(), context.now());
        store::insert(conn, Some(&context.state().throttle), &row)?;
        context.record(conn, &[context.event("create", Subject::other("user", row.id), &[])])?;
        Reply::created(format!("/v1/users/{}", row.id), row.version, &User::from(row))
    })
    .await
}

/// Change an account
///
/// A JSON merge patch. A change of the role, the partner, the e-mail address, the password or `disabled` ends the
/// account's logins and tokens at once.
#[utoipa::path(operation_id = "change_user", tag = "users", params(("id" = Id, Path, description = "The account")),
    request_body(content = UserPatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "Changed", body = User), BadInput, Missing, Conflict, Stale, Storage, Problems))]
#[patch("/v1/users/{id}")]
pub async fn change_user(request: Extract<(Allowed<AdminOnly>, Path<Id>, NoQuery, UserPatch)>) -> Result<HttpResponse> {
    let Extract((who, Path(id), _, patch)) = request;
    let hash = match patch.text("password").map(str::to_owned) {
        None => None,
        password => {
            let old = who.state().db.read(move |conn| store::get(conn, id)).await?;
            who.require_match(old.version)?;
            // By the rules for the account as it will be: its address and its role may change too.
            hashed(&who, password, &patch.apply(&old.written())?).await?
        }
    };
    let context = who.context();
    who.write(&Bytes::new(), move |conn| {
        let old = store::get(conn, id)?;
        context.require_match(old.version)?;
        let change =
            patch.change(&old, UserRow::written, |written| old.changed(written, hash.clone(), context.now()))?;
        // A new password always counts as a change: the stored one can't be compared, and every token must end.
        let row = match change {
            None if hash.is_none() => return Reply::ok(old.version, &User::from(old)),
            None => old.changed(old.written(), hash.clone(), context.now()),
            Some(row) => row,
        };
        check_display_name(Some(&old.written()), &row.written())?;
        let ended = store::update(conn, &context.state().throttle, &old, &row)?;
        let subject = Subject::other("user", id);
        let mut events = vec![context.event("change", subject, &patch.names())];
        events.extend(ended.map(|why| context.event("logins_ended", subject, &[why.into()])));
        context.record(conn, &events)?;
        Reply::ok(row.version, &User::from(row))
    })
    .await
}

/// End an account's logins
///
/// Every refresh token and every access token of the account ends at once. Its password stays. A member's own account is
/// a 404.
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
        Ok(Reply::empty())
    })
    .await
}

/// The hash of a new password of this account. Hashing is slow, so it is done before any transaction.
///
/// # Errors
/// 422 if the password can't be set.
async fn hashed(context: &Context, password: Option<String>, account: &UserInput) -> Result<Option<String>> {
    let Some(password) = password else { return Ok(None) };
    password_rules::check(password.clone(), account.role, vec![account.email.clone()], "/password").await?;
    context.state().hasher.hash(password).await.map(Some)
}
