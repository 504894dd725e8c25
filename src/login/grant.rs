//! Begins a login, and answers with its tokens.

use actix_web::HttpResponse;

use super::device;
use super::types::LoggedIn;
use crate::audit::{Actor, Event};
use crate::auth::caller::{CallerKind, Role};
use crate::auth::key_files::random;
use crate::auth::logins::rules::usable_for;
use crate::auth::logins::store::{self as logins, LoginRow};
use crate::auth::logins::{Why, lifetime};
use crate::auth::store::{self, Account};
use crate::auth::token::{AUDIENCE, Claims, LIFETIME};
use crate::clock::london_day;
use crate::db::types::TextEnum;
use crate::db::{Conn, Id};
use crate::error::{Error, Result};
use crate::http::context::Context;
use crate::http::reply::Reply;
use crate::members::activity;

/// What a client says about the login that it begins.
pub struct Wanted {
    /// What the client calls itself.
    pub client_name: Option<String>,
    /// Whether the refresh token is set as a cookie.
    pub by_cookie: bool,
    /// The network that the client is in.
    pub network: Option<String>,
}

/// A login whose next tokens are to be sent.
pub struct Grant {
    /// The account.
    pub account: Account,
    /// The login, with the number of the refresh token to send.
    pub login: LoginRow,
}

/// The answer to a wrong password. The log says no more than the client is told.
pub fn wrong_password(context: &Context) -> Error {
    log::info!("request={} a login was refused", context.request_id());
    Error::unauthenticated("The e-mail address or the password is wrong.")
}

/// Refuses a login of an account whose partner isn't active.
///
/// # Errors
/// 403.
pub async fn active_partner(context: &Context, account: &Account) -> Result<()> {
    let Some(id) = account.partner_id else { return Ok(()) };
    if context.state().db.read_one(move |conn| store::partner_is_active(conn, id)).await? {
        return Ok(());
    }
    log::info!("request={} a login was refused: the partner isn't active", context.request_id());
    Err(Error::forbidden("The partner isn't active at the moment."))
}

/// Begins a login of an account whose password was right.
///
/// # Errors
/// 401 if the account was changed or disabled after it was read.
pub async fn begin(context: &Context, account: &Account, wanted: Wanted) -> Result<HttpResponse> {
    let now = context.now();
    let lifetime = lifetime(&context.state().config, account.role);
    let login = LoginRow {
        id: context.new_id(),
        user_id: account.id,
        nonce: random::<16>().map_err(Error::internal)?.to_vec(),
        counter: 1,
        by_cookie: wanted.by_cookie,
        client_name: wanted.client_name,
        network: wanted.network,
        rotated_at: now,
        last_used_at: now,
        expires_at: now.plus_seconds(lifetime.longest),
        ended_at: None,
        ended_why: None,
        created_at: now,
    };
    let (row, generation, context_inside) = (login.clone(), account.generation, context.clone());
    let account = context.write_anew(move |conn| {
        let account = store::locked_account(conn, row.user_id)?;
        // Hashing takes a while. If the account was disabled or its password was changed meanwhile, that stands.
        let account = account.filter(|account| !account.disabled && account.generation == generation);
        let account = account.ok_or_else(|| wrong_password(&context_inside))?;
        let evicted = logins::insert(conn, &row, lifetime)?;
        store::note_login(conn, account.id, london_day(now))?;
        record(conn, &context_inside, &account, "login", &[])?;
        if let Some(member_id) = account.member_id {
            activity::note(conn, member_id, london_day(now))?;
        }
        if evicted {
            record(conn, &context_inside, &account, "logins_ended", &[Why::Evicted.into()])?;
        }
        Ok(account)
    });
    Grant { account: account.await?, login }.answer(context)
}

/// Records that an account did something with its logins. The request has no caller yet.
pub fn record(
    conn: &mut Conn,
    context: &Context,
    account: &Account,
    action: &'static str,
    fields: &[&str],
) -> Result<()> {
    let actor = Actor::user(account.id, account.role.name(), account.partner_id);
    let event = Event::new(context.now(), actor, context.request_id(), action, account.subject(), fields);
    context.record(conn, &[event.numbered_at(context.state().clock.now())])
}

impl Grant {
    /// The answer with a new access token and the login's newest refresh token.
    pub fn answer(&self, context: &Context) -> Result<HttpResponse> {
        let (tokens, now, login) = (&context.state().tokens, context.now(), &self.login);
        let idle = lifetime(&context.state().config, self.account.role).idle;
        let refresh_expires_in = usable_for(login.expires_at, idle, now);
        // An access token doesn't outlive its login.
        let expires_in = LIFETIME.min((login.expires_at.0 - now.0).num_seconds());
        let mut claims = claims(context, self.account.id, CallerKind::User, self.account.role, self.account.generation);
        claims.exp = claims.iat + expires_in;
        (claims.partner_id, claims.member_id) = (self.account.partner_id, self.account.member_id);
        claims.sid = Some(login.id);
        let refresh_token = tokens.refresh().token(login.id, login.counter, &login.nonce);
        let body = LoggedIn {
            access_token: tokens.sign(&claims)?,
            token_type: "Bearer",
            expires_in,
            refresh_token: (!login.by_cookie).then(|| refresh_token.clone()),
            refresh_expires_in,
        };
        let mut response = Reply::plain(200, &body)?.into_response();
        if login.by_cookie {
            device::set(&mut response, &refresh_token, refresh_expires_in)?;
        }
        Ok(response)
    }
}

/// The claims of an access token that is made now.
pub fn claims(context: &Context, sub: Id, kind: CallerKind, role: Role, generation: i32) -> Claims {
    let now = context.now().0.timestamp();
    Claims {
        iss: context.state().tokens.issuer().to_owned(),
        aud: AUDIENCE.into(),
        sub,
        iat: now,
        nbf: now,
        exp: now + LIFETIME,
        jti: context.new_id(),
        kind,
        role,
        generation,
        partner_id: None,
        member_id: None,
        sid: None,
        scope: None,
    }
}
