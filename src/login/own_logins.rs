//! One's own logins: the devices on which one is signed in.

use super::types::OpenLogin;
use crate::auth::logins::store as logins;
use crate::auth::logins::{Why, lifetime};
use crate::auth::policy::AccountHolder;
use crate::auth::store;
use crate::http::prelude::*;

/// List your logins
///
/// The devices on which you are logged in, in the order in which you logged in. `current` is the login of this request.
#[utoipa::path(operation_id = "list_my_logins", tag = "auth", params(Paging),
    responses((status = 200, description = "A page of logins", body = Page<OpenLogin>), (status = 304, description = "Not changed"), Problems),
    security(("bearer" = [])))]
#[get("/v1/me/logins")]
pub async fn list_my_logins(request: Extract<(Allowed<AccountHolder>, Query<Paging>)>) -> Result<HttpResponse> {
    let Extract((who, Query(paging))) = request;
    let caller = who.caller()?;
    let slice = Slice::<Id>::read(&who, paging.limit, paging.cursor.as_deref())?;
    let (id, current, now) = (caller.id, caller.login_id, who.now());
    let (after, fetch, idle) = (slice.after, slice.fetch(), lifetime(&who.state().config, caller.role).idle);
    let rows = who.state().db.read(move |conn| logins::list(conn, id, (after, fetch), idle, now)).await?;
    let page = slice.page(&who, rows, |row| row.id, |row| OpenLogin::of(row, current));
    who.show_page(Cache::Never, &page)
}

/// End one of your logins
///
/// Its refresh token and its access tokens end at once. Ending it again changes nothing.
#[utoipa::path(operation_id = "end_my_login", tag = "auth", params(("id" = Id, Path, description = "The login")),
    responses((status = 204, description = "Ended"), Missing, Storage, Problems), security(("bearer" = [])))]
#[delete("/v1/me/logins/{id}")]
pub async fn end_my_login(request: Extract<(Allowed<AccountHolder>, Path<Id>, NoQuery)>) -> Result<HttpResponse> {
    let Extract((who, Path(id), _)) = request;
    let (context, caller) = (who.context(), who.caller()?.clone());
    who.write(&Bytes::new(), move |conn| {
        if !logins::is_of(conn, id, caller.id)? {
            return Err(Error::not_found("login"));
        }
        if logins::end(conn, id, Why::Logout, context.now())? {
            context.record(
                conn,
                &[context.event(
                    "logins_ended",
                    Subject::of_account(caller.id, caller.member_id),
                    &[Why::Logout.into()],
                )],
            )?;
        }
        Ok(Reply::empty())
    })
    .await
}

/// End all your logins
///
/// Every refresh token and every access token of the account ends at once, also the one of this request.
#[utoipa::path(operation_id = "end_my_logins", tag = "auth",
    responses((status = 204, description = "Ended"), Storage, Problems), security(("bearer" = [])))]
#[delete("/v1/me/logins")]
pub async fn end_my_logins(request: Extract<(Allowed<AccountHolder>, NoQuery)>) -> Result<HttpResponse> {
    let Extract((who, _)) = request;
    let (context, caller) = (who.context(), who.caller()?.clone());
    who.write(&Bytes::new(), move |conn| {
        if store::end_logins(conn, caller.id, context.now())? {
            context.record(
                conn,
                &[context.event(
                    "logins_ended",
                    Subject::of_account(caller.id, caller.member_id),
                    &[Why::LogoutAll.into()],
                )],
            )?;
        }
        Ok(Reply::empty())
    })
    .await
}
