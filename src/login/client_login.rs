//! Reads an API client's request for a token (RFC 6749): its id and secret as HTTP Basic (section 2.3.1), and the form
//! of the client credentials grant (section 4.4.2). A refusal has the error codes of section 5.2.

use actix_web::HttpRequest;
use actix_web::dev::Payload;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::password_login::refuse_client;
use crate::auth::caller::Scope;
use crate::auth::secret;
use crate::auth::store::{self, Client};
use crate::error::{Error, Kind, Result};
use crate::http::allowed::strip_scheme;
use crate::http::context::{Context, authorization};
use crate::http::extract::{Extractor, Form};
use crate::http::negotiation::takes_json_only;

/// A token request that is granted.
pub struct TokenRequest {
    /// The request.
    pub context: Context,
    /// The client.
    pub client: Client,
    /// The scopes that the token gets.
    pub scopes: Vec<Scope>,
}

impl Extractor for TokenRequest {
    const READS_BODY: bool = true;

    async fn extract(request: &HttpRequest, payload: &mut Payload) -> Result<Self> {
        read(request, payload).await.map_err(|error| error.in_oauth(takes_json_only(request)))
    }
}

/// Reads the request. The client's credentials are checked before anything else.
async fn read(request: &HttpRequest, payload: &mut Payload) -> Result<TokenRequest> {
    let context = Context::new(request, None)?;
    let (client_id, given) = credentials(request)?.ok_or_else(invalid)?;
    let (id, state) = (client_id.clone(), context.state().clone());
    let client = state.db.read_one(move |conn| store::client(conn, &id)).await?;
    let Some(known) = client.filter(|client| secret::same(&client.secret_hash, &secret::stored(&given))) else {
        return Err(refuse_client(&context, invalid()).await);
    };
    let client = Some(known).filter(|client| client.revoked_at.is_none()).ok_or_else(invalid)?;
    let partner_id = client.partner_id;
    if !state.db.read_one(move |conn| store::partner_is_active(conn, partner_id)).await? {
        return Err(invalid());
    }
    Form::glance(request)?;
    let Form(pairs) = Form::extract(request, payload).await?;
    let scopes = granted(asked(&pairs, &client_id)?, &client.scopes.0)?;
    Ok(TokenRequest { context, client, scopes })
}

/// The credentials are wrong: 401. The answer doesn't say which part of them is wrong.
fn invalid() -> Error {
    Error::new(Kind::InvalidClient, "The client's credentials are not valid. Send its id and secret as HTTP Basic.")
}

/// The id and the secret. A client form-encodes each of them before it joins them with a colon.
///
/// # Errors
/// 400 if `Authorization` is sent twice.
fn credentials(request: &HttpRequest) -> Result<Option<(String, String)>> {
    let header = authorization(request)?.and_then(|value| value.to_str().ok());
    let pair = header.and_then(|header| strip_scheme(header, "basic")).and_then(|text| STANDARD.decode(text).ok());
    let pair = pair.and_then(|bytes| String::from_utf8(bytes).ok());
    Ok(pair
        .as_deref()
        .and_then(|pair| pair.split_once(':'))
        .and_then(|(id, secret)| Some((decoded(id)?, decoded(secret)?))))
}

/// Decodes one form-encoded value. A `&` or `=` in the value stands for itself.
fn decoded(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    let value = percent_encoding::percent_decode_str(&spaced).decode_utf8().ok()?;
    Some(value.into_owned()).filter(|value| !value.contains('\0'))
}

/// The scope that the form asks for. A parameter without a value counts as left out. An unknown parameter is ignored
/// (section 3.2).
///
/// # Errors
/// 400 with a code of section 5.2.
fn asked<'a>(pairs: &'a [(String, String)], client_id: &str) -> Result<Option<&'a str>> {
    let one = |name: &str| -> Result<Option<&'a str>> {
        let mut values = pairs.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let first = values.next();
        match values.next() {
            Some(_) => Err(Error::token_refused("invalid_request", format!("{name} may be given only once."))),
            None => Ok(first.filter(|value| !value.trim().is_empty())),
        }
    };
    if one("client_secret")?.is_some() {
        let detail = "Send the secret in Authorization only, not in the form too.";
        return Err(Error::token_refused("invalid_request", detail));
    }
    if one("client_id")?.is_some_and(|named| named != client_id) {
        let detail = "client_id differs from the client id in Authorization.";
        return Err(Error::token_refused("invalid_request", detail));
    }
    let scope = one("scope")?;
    match one("grant_type")? {
        Some("client_credentials") => Ok(scope),
        Some(_) => Err(Error::token_refused("unsupported_grant_type", "grant_type must be client_credentials.")),
        None => Err(Error::token_refused("invalid_request", "grant_type is required: client_credentials.")),
    }
}

/// The scopes that the form asks for, each once. Without any, all that the client has.
fn granted(asked: Option<&str>, owned: &[Scope]) -> Result<Vec<Scope>> {
    let Some(asked) = asked else { return Ok(owned.to_vec()) };
    let mut scopes = Vec::new();
    for name in asked.split(' ').filter(|name| !name.is_empty()) {
        let scope = owned.iter().copied().find(|scope| scope.name() == name).ok_or_else(|| {
            Error::token_refused("invalid_scope", format!("The client does not have the scope {name}."))
        })?;
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    Ok(scopes)
}

#[cfg(test)]
mod tests {
    use super::decoded;

    #[test]
    fn each_part_of_basic_is_one_value() {
        assert_eq!(decoded("a%26b+c=d&e").as_deref(), Some("a&b c=d&e"));
        assert_eq!(decoded("%00"), None);
        assert_eq!(decoded("%ff"), None);
    }
}
