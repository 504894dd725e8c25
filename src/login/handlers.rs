//! Logging in, tokens for API clients, keys, and one's own account.

use actix_web::http::header::{HeaderValue, PRAGMA};
use strum::IntoEnumIterator;

use super::client_login::TokenRequest;
use super::device::Device;
use super::grant::{self, Wanted, active_partner, claims};
use super::password_login::{authenticate, is_own_password};
use super::types::{AccessToken, ClientTokenRequest, LoggedIn, Login, Me, PasswordChange, ServerMetadata};
use crate::audit::Actor;
use crate::auth::caller::{CallerKind, Role, Scope};
use crate::auth::logins::Why;
use crate::auth::password_rules;
use crate::auth::policy::{AccountHolder, Anyone};
use crate::auth::store;
use crate::auth::token::{Claims, Jwks, LIFETIME};
use crate::db::types::TextEnum;
use crate::http::prelude::*;
use crate::messages::kinds::MessageKind;
use crate::messages::{self, NewMessage};

/// Log in
///
/// Returns an access token that lasts fifteen minutes, and a refresh token for the next one. An unknown address and a
/// wrong password get the same answer after the same time.
///
/// An account has at most ten logins. One more ends the one that was used longest ago.
///
/// After several wrong passwords the answer is 429, whether or not there is such an account. Wrong passwords from other
/// networks don't keep an account out of a network that it has logged in from in the last 90 days.
#[utoipa::path(operation_id = "login", tag = "auth", request_body = Login,
    responses((status = 200, description = "The tokens", body = LoggedIn), BadInput, Refused, Storage, Problems),
    security(()))]
#[post("/v1/auth/login")]
pub async fn login(request: Extract<(Device, NoQuery, JsonBody<Login>)>) -> Result<HttpResponse> {
    let Extract((Device { context, .. }, _, body)) = request;
    let Login { email, password, client_name, cookie } = body.value;
    let account = authenticate(&context, &email.to_lowercase(), password).await?;
    active_partner(&context, &account).await?;
    let network = Some(context.network().to_string());
    let wanted = Wanted { client_name, by_cookie: cookie, network };
    grant::begin(&context, &account, wanted).await
}

/// Get a token for an API client
///
/// The client credentials grant (RFC 6749, section 4.4). Send the client's id and secret as HTTP Basic. Unknown
/// parameters and parameters without a value are ignored.
///
/// A refusal is a problem document with two more members, `error` and `error_description`. It is sent as
/// `application/json` to a client whose `Accept` allows that and doesn't name `application/problem+json`.
#[utoipa::path(operation_id = "issue_client_token", tag = "auth",
    request_body(content = ClientTokenRequest, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "An access token", body = AccessToken), BadInput, Storage, Problems),
    security(("client_basic" = [])))]
#[post("/v1/oauth/token")]
pub async fn issue_client_token(request: Extract<(TokenRequest,)>) -> Result<HttpResponse> {
    let Extract((TokenRequest { context, client, scopes },)) = request;
    let scopes = scopes.into_iter().map(Scope::name).collect::<Vec<_>>().join(" ");
    let claims = Claims {
        partner_id: Some(client.partner_id),
        scope: Some(scopes.clone()),
        ..claims(&context, client.id, CallerKind::Client, Role::Partner, client.generation)
    };
    let access_token = context.state().tokens.sign(&claims)?;
    let actor = Actor::client(client.id, Role::Partner.name(), Some(client.partner_id));
    let (inside, id) = (context.clone(), client.id);
    let recorded = context.write_anew(move |conn| {
        let subject = Subject::other("client", id);
        let event = Event::new(inside.now(), actor, inside.request_id(), "issue", subject, &["access_token"]);
        inside.record(conn, &[event.numbered_at(inside.state().clock.now())])
    });
    recorded.await?;
    let body = AccessToken { access_token, token_type: "Bearer", expires_in: LIFETIME, scope: scopes };
    let mut response = Reply::plain(200, &body)?.into_response();
    // RFC 6749, section 5.1.
    response.headers_mut().insert(PRAGMA, HeaderValue::from_static("no-cache"));
    Ok(response)
}

/// The public keys of the tokens
///
/// A set of public keys (RFC 7517), for verifying access tokens.
#[utoipa::path(operation_id = "get_keys", tag = "auth",
    responses((status = 200, description = "The keys", body = Jwks), Problems), security(()))]
#[get("/.well-known/jwks.json")]
pub async fn get_keys(request: Extract<(Open, NoQuery)>) -> Result<HttpResponse> {
    let Extract((Open(context), _)) = request;
    context.show_plain(Cache::Minute, &context.state().tokens.public(context.now()))
}

/// How to get tokens
///
/// The metadata of an OAuth 2.0 authorization server (RFC 8414).
#[utoipa::path(operation_id = "get_server_metadata", tag = "auth",
    responses((status = 200, description = "The metadata", body = ServerMetadata), Problems), security(()))]
#[get("/.well-known/oauth-authorization-server")]
pub async fn get_server_metadata(request: Extract<(Open, NoQuery)>) -> Result<HttpResponse> {
    let Extract((Open(context), _)) = request;
    let issuer = context.state().tokens.issuer().to_owned();
    let metadata = ServerMetadata {
        token_endpoint: format!("{issuer}/v1/oauth/token"),
        jwks_uri: format!("{issuer}/.well-known/jwks.json"),
        issuer,
        token_endpoint_auth_methods_supported: vec!["client_secret_basic"],
        grant_types_supported: vec!["client_credentials"],
        response_types_supported: Vec::new(),
        scopes_supported: Scope::iter().collect(),
    };
    context.show_plain(Cache::Minute, &metadata)
}

/// Your own account
///
/// The account or API client that the token belongs to, with its role, scopes and permissions.
#[utoipa::path(operation_id = "get_me", tag = "auth",
    responses((status = 200, description = "The caller", body = Me), Problems),
    security(("bearer" = []), ("client" = [])))]
#[get("/v1/me")]
pub async fn get_me(request: Extract<(Allowed<Anyone>, NoQuery)>) -> Result<HttpResponse> {
    let Extract((who, _)) = request;
    let caller = who.caller()?.clone();
    let me = who.state().db.read(move |conn| {
        let name = store::name_of(conn, &caller)?;
        let scopes = match caller.role {
            Role::Partner => Scope::iter().filter(|scope| caller.has_scope(*scope)).collect(),
            _ => Vec::new(),
        };
        let (id, kind, role) = (caller.id, caller.kind, caller.role);
        let (partner_id, member_id) = (caller.partner_id, caller.member_id);
        Ok(Me { id, kind, name, role, partner_id, member_id, scopes, permissions: caller.permissions.clone() })
    });
    who.show_plain(Cache::Never, &me.await?)
}

/// Change your password
///
/// Every login and token of the account ends, also the one of this request: log in again. Setting the same password again changes
/// nothing, and no token ends.
///
/// A new password has 15 to 128 characters, a member's 8 to 128, and isn't easily guessed.
#[utoipa::path(operation_id = "change_my_password", tag = "auth", request_body = PasswordChange,
    responses((status = 204, description = "Changed"), BadInput, Problems), security(("bearer" = [])))]
#[put("/v1/me/password")]
pub async fn change_my_password(
    request: Extract<(Allowed<AccountHolder>, NoQuery, JsonBody<PasswordChange>)>,
) -> Result<HttpResponse> {
    let Extract((who, _, body)) = request;
    let (state, caller) = (who.state(), who.caller()?.clone());
    let id = caller.id;
    let read = state.db.read(move |conn| {
        let account = store::account(conn, id)?;
        let known = account.as_ref().map(|account| store::known_of(conn, account.email.clone(), account.member_id));
        Ok((account, known.transpose()?.unwrap_or_default()))
    });
    let (account, known) = read.await?;
    let generation = account.as_ref().map(|account| account.generation);
    let PasswordChange { current_password, new_password } = body.value;
    let same = current_password == new_password;
    let hash = account.and_then(|account| account.password_hash);
    if !is_own_password(&who, id, current_password, hash).await? {
        return Err(Error::rule("/current_password", "wrong_password", "Is not the current password."));
    }
    if same {
        return Ok(Reply::empty().into_response());
    }
    password_rules::check(new_password.clone(), caller.role, known, "/new_password").await?;
    let hash = state.hasher.hash(new_password).await?;
    let context = who.context();
    who.write(&Bytes::new(), move |conn| {
        // Hashing takes a while. If somebody reset or disabled the account meanwhile, that change stands.
        let now = store::locked_account(conn, id)?.filter(|account| !account.disabled);
        let now = now.filter(|account| Some(account.generation) == generation);
        let changed = || Error::invalid_token("The account was changed in the meantime. Log in again.");
        let account = now.ok_or_else(changed)?;
        let subject = account.subject();
        let mut events = vec![context.event("change", subject, &["password"])];
        if store::set_password(conn, Some(&context.state().throttle), &account, &hash, context.now())? {
            events.push(context.event("logins_ended", subject, &[Why::Password.into()]));
        }
        context.record(conn, &events)?;
        let told = NewMessage::to_account(MessageKind::PasswordChanged, id, account.member_id, context.now());
        messages::queue(conn, vec![told], context.now())?;
        Ok(Reply::empty())
    })
    .await
}
