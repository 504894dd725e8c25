//! Refreshing a login, and logging out.

use super::device::{Device, Token};
use super::grant::{Grant, record};
use super::types::{LoggedIn, RefreshInput};
use crate::auth::logins::rules::Decision;
use crate::auth::logins::store::{self as logins, Found};
use crate::auth::logins::token::Presented;
use crate::auth::logins::{Why, lifetime};
use crate::auth::store::Account;
use crate::db::Timestamp;
use crate::http::prelude::*;
use crate::messages::queue::Notice;
use crate::messages::{self, NewMessage};

/// Get the next tokens of a login
///
/// Takes a refresh token, and returns a new access token and the next refresh token. Each refresh token counts once. If
/// no answer came, send the same token again within a minute: it gets the same next token. If a token is used later, or
/// one that is older, it may be stolen: the login ends, and so do its access tokens.
///
/// A login with the cookie sends the cookie and an empty object. It needs an allowed `Origin`, and `Content-Type:
/// application/json`; otherwise the answer is 403 `origin_not_allowed`, and the token still counts.
#[utoipa::path(operation_id = "refresh_login", tag = "auth", request_body = RefreshInput,
    responses((status = 200, description = "The next tokens", body = LoggedIn), BadInput, Refused, Storage, Problems),
    security(()))]
#[post("/v1/auth/refresh")]
pub async fn refresh_login(request: Extract<(Device, NoQuery, JsonBody<RefreshInput>)>) -> Result<HttpResponse> {
    let Extract((device, _, body)) = request;
    let context = &device.context;
    let token = device.token(body.value.refresh_token.as_deref()).ok_or_else(|| refused(context))?;
    let found = genuine(context, token).await?.ok_or_else(|| refused(context))?;
    let presented = token.presented;
    let decision = judge(context, &found, presented);
    let (login, account, partner_is_active) = found;
    if matches!(decision, Decision::Rotate | Decision::Repeat) && !partner_is_active {
        return Err(Error::forbidden("The partner isn't active at the moment."));
    }
    let grant = match decision {
        Decision::Refuse => None,
        Decision::Repeat => Some(Grant { account, login }),
        Decision::Rotate | Decision::End(_) => {
            let inside = context.clone();
            context.write_anew(move |conn| settle(conn, &inside, presented, decision)).await?
        }
    };
    grant.ok_or_else(|| refused(context))?.answer(context)
}

fn refused(context: &Context) -> Error {
    log::info!("request={} a refresh was refused", context.request_id());
    Error::unauthenticated("The refresh token is wrong, was used before, or its login has ended. Log in again.")
}

/// The login of a refresh token; `None` if the service didn't make the token, or not for this place.
async fn genuine(context: &Context, token: Token) -> Result<Option<Found>> {
    let Token { presented, by_cookie } = token;
    let found = context.state().db.read(move |conn| logins::find(conn, presented.login_id)).await?;
    let key = context.state().tokens.refresh();
    Ok(found.filter(|(login, ..)| key.made(&presented, &login.nonce) && login.by_cookie == by_cookie))
}

fn judge(context: &Context, (login, account, _): &Found, presented: Presented) -> Decision {
    if account.disabled {
        return Decision::Refuse;
    }
    let idle = lifetime(&context.state().config, account.role).idle;
    login.family().decide(presented.counter, idle, context.now())
}

/// Does what was decided. If another request was faster, decides again. Returns what to answer with; `None` if the token
/// is refused.
fn settle(conn: &mut Conn, context: &Context, presented: Presented, decision: Decision) -> Result<Option<Grant>> {
    let (id, now) = (presented.login_id, context.now());
    let Some((_, account, _)) = logins::find(conn, id)? else { return Ok(None) };
    let idle = lifetime(&context.state().config, account.role).idle;
    let rotated = decision == Decision::Rotate && logins::rotate(conn, id, presented.counter, idle, now)?;
    let Some(found) = logins::find(conn, id)? else { return Ok(None) };
    let decision = if rotated { Decision::Repeat } else { judge(context, &found, presented) };
    let (login, account, _) = found;
    match decision {
        Decision::Repeat => Ok(Some(Grant { account, login })),
        Decision::End(why) => {
            if logins::end(conn, id, why, now)? {
                log::warn!("request={} a login has ended: {why}", context.request_id());
                let event = Event::of_system(now, "refresh", "logins_ended", account.subject(), &[why.into()]);
                context.record(conn, &[event.numbered_at(context.state().clock.now())])?;
                if why == Why::Reuse {
                    warn_owner(conn, &account, id, now)?;
                }
            }
            Ok(None)
        }
        Decision::Refuse => Ok(None),
        Decision::Rotate => Err(Error::overloaded()),
    }
}

/// Tells the owner of an account that a refresh token was used twice: somebody else may have it.
fn warn_owner(conn: &mut Conn, account: &Account, login_id: Id, now: Timestamp) -> Result<()> {
    let notice = NewMessage::notice(Notice::Reuse, account.id, account.member_id, now);
    messages::queue(conn, vec![notice.once(format!("reuse:{login_id}"))], now)
}

/// Log out
///
/// Ends the login of a refresh token, and its access tokens. Answers the same if the token is wrong or its login has
/// ended before. If there is a token in the body and one in the cookie, both logins end. The cookie is taken away.
#[utoipa::path(operation_id = "log_out", tag = "auth", request_body = RefreshInput,
    responses((status = 204, description = "Logged out"), BadInput, Refused, Storage, Problems), security(()))]
#[post("/v1/auth/logout")]
pub async fn log_out(request: Extract<(Device, NoQuery, JsonBody<RefreshInput>)>) -> Result<HttpResponse> {
    let Extract((device, _, body)) = request;
    let context = &device.context;
    let mut ending = Vec::new();
    for token in device.tokens(body.value.refresh_token.as_deref()) {
        ending.extend(genuine(context, token).await?.filter(|(login, ..)| login.ended_at.is_none()));
    }
    if !ending.is_empty() {
        let inside = context.clone();
        let end = move |conn: &mut Conn| {
            for (login, account, _) in &ending {
                if logins::end(conn, login.id, Why::Logout, inside.now())? {
                    record(conn, &inside, account, "logins_ended", &[Why::Logout.into()])?;
                }
            }
            Ok(())
        };
        context.write_anew(end).await?;
    }
    let mut response = Reply::empty().into_response();
    device.clear(&mut response)?;
    Ok(response)
}
