//! Another e-mail address for an account.

use super::asking::{ask, link_to, open, use_up};
use super::types::{Accepted, EmailChangeRequest, LinkConfirmation};
use crate::auth::links::store::LinkRow;
use crate::auth::links::{Purpose, not_valid};
use crate::auth::logins::Why;
use crate::auth::policy::AccountHolder;
use crate::auth::store as accounts;
use crate::http::prelude::*;
use crate::login::grant::record;
use crate::login::password_login::is_own_password;
use crate::members::store as members;
use crate::messages::kinds::MessageKind;
use crate::messages::{self, NewMessage};

const SENT: &str = "We send a link to the new address. It works for one day. Until then nothing changes.";

/// Ask for another address
///
/// The new address is sent a link. Nothing changes until it is used, and the password is typed once more.
#[utoipa::path(operation_id = "ask_for_email_change", tag = "auth", request_body = EmailChangeRequest,
    responses((status = 202, description = "Taken", body = Accepted), BadInput, Storage, Problems),
    security(("bearer" = [])))]
#[post("/v1/me/email-change")]
pub async fn ask_for_email_change(
    request: Extract<(Allowed<AccountHolder>, NoQuery, JsonBody<EmailChangeRequest>)>,
) -> Result<HttpResponse> {
    let Extract((who, _, body)) = request;
    let EmailChangeRequest { new_email, current_password } = body.value;
    let id = who.caller()?.id;
    let account = who.state().db.read(move |conn| accounts::account(conn, id)).await?;
    let account = account.ok_or_else(|| Error::invalid_token("The account has ended."))?;
    if !is_own_password(&who, id, current_password, account.password_hash).await? {
        return Err(Error::rule("/current_password", "wrong_password", "Is not the current password."));
    }
    let link = link_to(&who, Purpose::EmailChange, &new_email);
    let link = LinkRow { user_id: Some(id), created_by: Some(id), ..link };
    ask(&who, link, MessageKind::EmailChange, SENT).await
}

/// Confirm another address
///
/// With the secret of the link and the account's password. Every login ends: log in with the new address. The old address
/// is told.
#[utoipa::path(operation_id = "confirm_email_change", tag = "auth", request_body = LinkConfirmation,
    responses((status = 204, description = "Changed"), BadInput, Storage, Problems), security(()))]
#[post("/v1/auth/email-changes/confirm")]
pub async fn confirm_email_change(
    request: Extract<(Open, NoQuery, JsonBody<LinkConfirmation>)>,
) -> Result<HttpResponse> {
    let Extract((Open(context), _, body)) = request;
    let LinkConfirmation { token, password } = body.value;
    let look = |conn: &mut Conn, link: &LinkRow| {
        let taken = accounts::account_by_email(conn, link.email.as_deref().unwrap_or_default())?.is_some();
        let Some(id) = link.user_id.filter(|_| !taken) else { return Ok(None) };
        Ok(accounts::account(conn, id)?.filter(|account| !account.disabled))
    };
    let (link, account) = open(&context, Purpose::EmailChange, &token, look).await?;
    if !is_own_password(&context, account.id, password, account.password_hash.clone()).await? {
        return Err(Error::rule("/password", "wrong_password", "Is not the password of the account."));
    }
    let (inside, id, generation) = (context.clone(), account.id, account.generation);
    let written = context.write_anew(move |conn| {
        // Hashing takes a while. If the password was changed or the account disabled meanwhile, that stands.
        let account = accounts::locked_account(conn, id)?;
        let account = account.filter(|account| !account.disabled && account.generation == generation);
        let account = account.ok_or_else(not_valid)?;
        let now = inside.now();
        let email = link.email.clone().unwrap_or_default();
        use_up(conn, &inside, &link, &account)?;
        let ended = accounts::set_email(conn, id, &email, now).map_err(|error| match error.kind() {
            Kind::AlreadyExists => not_valid(),
            _ => error,
        })?;
        if let Some(member_id) = account.member_id {
            members::follow_account(conn, member_id, (&account.email, &email), now)?;
        }
        record(conn, &inside, &account, "change", &["email"])?;
        if ended {
            record(conn, &inside, &account, "logins_ended", &[Why::Email.into()])?;
        }
        let mail = NewMessage::to_account(MessageKind::EmailChanged, id, account.member_id, now);
        messages::queue(conn, vec![mail.to_address(account.email)], now)
    });
    written.await?;
    Ok(Reply::empty().into_response())
}
