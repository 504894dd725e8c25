//! Forgotten passwords.

use super::asking::{ask, link_to, open, use_up};
use super::types::{Accepted, PasswordResetConfirmation, PasswordResetRequest};
use crate::auth::links::store::LinkRow;
use crate::auth::links::{Purpose, not_valid};
use crate::auth::logins::{Why, store as logins};
use crate::auth::password_rules;
use crate::auth::store::{self as accounts, Account};
use crate::http::prelude::*;
use crate::login::grant::record;
use crate::messages::kinds::MessageKind;
use crate::messages::{self, NewMessage};

const SENT: &str = "If this address has an account, we send it a link that works for one hour. Look into your mailbox.";

/// Ask for a new password
///
/// The answer is the same whether or not the address has an account. If it has one, it is sent a link to a page where a
/// new password can be chosen.
#[utoipa::path(operation_id = "ask_for_password_reset", tag = "auth", request_body = PasswordResetRequest,
    responses((status = 202, description = "Taken", body = Accepted), BadInput, Storage, Problems), security(()))]
#[post("/v1/auth/password-resets")]
pub async fn ask_for_password_reset(
    request: Extract<(Open, NoQuery, JsonBody<PasswordResetRequest>)>,
) -> Result<HttpResponse> {
    let Extract((Open(context), _, body)) = request;
    ask(&context, link_to(&context, Purpose::PasswordReset, &body.value.email), MessageKind::PasswordReset, SENT).await
}

/// Choose a new password
///
/// With the secret of the link that was sent. Every login of the account ends. Log in with the new password afterwards.
#[utoipa::path(operation_id = "confirm_password_reset", tag = "auth", request_body = PasswordResetConfirmation,
    responses((status = 204, description = "Changed"), BadInput, Storage, Problems), security(()))]
#[post("/v1/auth/password-resets/confirm")]
pub async fn confirm_password_reset(
    request: Extract<(Open, NoQuery, JsonBody<PasswordResetConfirmation>)>,
) -> Result<HttpResponse> {
    let Extract((Open(context), _, body)) = request;
    let PasswordResetConfirmation { token, new_password } = body.value;
    let look = |conn: &mut Conn, link: &LinkRow| {
        let account = accounts::account_by_email(conn, link.email.as_deref().unwrap_or_default())?;
        let Some(account) = account.filter(|account| fits(account, link)) else { return Ok(None) };
        let known = accounts::known_of(conn, account.email.clone(), account.member_id)?;
        Ok(Some((account, known)))
    };
    let (link, (account, known)) = open(&context, Purpose::PasswordReset, &token, look).await?;
    password_rules::check(new_password.clone(), account.role, known, "/new_password").await?;
    let hash = context.state().hasher.hash(new_password).await?;
    let (inside, id) = (context.clone(), account.id);
    let written = context.write_anew(move |conn| {
        let account =
            accounts::locked_account(conn, id)?.filter(|account| fits(account, &link)).ok_or_else(not_valid)?;
        let now = inside.now();
        use_up(conn, &inside, &link, &account)?;
        let ended = accounts::set_password(conn, Some(&inside.state().throttle), &account, &hash, now)?;
        logins::remember_network(conn, inside.new_id(), id, inside.network().to_string(), now)?;
        record(conn, &inside, &account, "change", &["password"])?;
        if ended {
            record(conn, &inside, &account, "logins_ended", &[Why::Password.into()])?;
        }
        let mail = NewMessage::to_account(MessageKind::PasswordChanged, id, account.member_id, now);
        messages::queue(conn, vec![mail], now)
    });
    written.await?;
    Ok(Reply::empty().into_response())
}

/// Whether a link can still choose the password of this account: it has the address that the link was sent to, and it is the
/// one that an admin meant who made the link.
fn fits(account: &Account, link: &LinkRow) -> bool {
    !account.disabled
        && link.email.as_deref() == Some(account.email.as_str())
        && link.user_id.is_none_or(|id| id == account.id)
}
