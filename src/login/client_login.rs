//! How an API client says who it is: its id and secret as HTTP Basic (RFC 6749, section 2.3.1).

use actix_web::HttpRequest;
use actix_web::dev::Payload;
use actix_web::http::header;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::auth::secret;
use crate::auth::store::{self, Client};
use crate::error::{Error, Kind, Result};
use crate::http::allowed::strip_scheme;
use crate::http::context::Context;
use crate::http::extract::Extractor;

/// A request whose credentials are those of a live client. Taken before anything else of the request: 401 comes first.
pub struct ClientLogin {
    /// The request.
    pub context: Context,
    /// The client.
    pub client: Client,
}

impl Extractor for ClientLogin {
    async fn extract(request: &HttpRequest, _: &mut Payload) -> Result<Self> {
        let context = Context::new(request, None)?;
        let (client_id, given) = credentials(request).ok_or_else(invalid)?;
        let client = context.state().db.read(move |conn| store::client(conn, &client_id)).await?;
        let known = client.filter(|client| secret::same(&client.secret_hash, &secret::stored(&given)));
        let client = known.filter(|client| client.revoked_at.is_none()).ok_or_else(invalid)?;
        Ok(Self { context, client })
    }
}

/// Credentials that don't hold: 401.
pub(super) fn invalid() -> Error {
    Error::new(Kind::InvalidClient, "The client's credentials are not valid. Send its id and secret as HTTP Basic.")
}

/// RFC 6749 has both parts form-encoded before they are joined.
fn credentials(request: &HttpRequest) -> Option<(String, String)> {
    let header = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let decoded = String::from_utf8(STANDARD.decode(strip_scheme(header, "basic")?).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    let without_nul = |text: String| Some(text).filter(|text| !text.contains('\0'));
    let decode = |text: &str| form_urlencoded::parse(text.as_bytes()).next().map(|(name, _)| name.into_owned());
    Some((without_nul(decode(id)?)?, without_nul(decode(secret)?)?))
}
