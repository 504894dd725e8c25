//! Who sends a request about a login: the request, and the refresh token in its cookie.
//!
//! A browser sends a cookie with requests that a page of another site makes too. So a request with the cookie must come
//! from a page of the service or of an allowed origin, and have a media type that no form can send.

use actix_web::dev::Payload;
use actix_web::http::header::{COOKIE, HeaderValue, ORIGIN, SET_COOKIE};
use actix_web::{HttpMessage, HttpRequest, HttpResponse};

use crate::auth::logins::token::Presented;
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::http::context::Context;
use crate::http::extract::Extractor;

/// The cookie's name. A browser takes a cookie with this beginning only over HTTPS.
const NAME: &str = "__Secure-life-rooms-refresh";
/// Where the cookie is sent, and that neither scripts nor pages of other sites reach it.
const ATTRIBUTES: &str = "Path=/v1/auth; Secure; HttpOnly; SameSite=Strict";

/// The sender of a request about a login.
pub struct Device {
    /// The request.
    pub context: Context,
    /// The refresh token in the cookie.
    cookie: Option<String>,
}

/// A refresh token with the place that it came from.
#[derive(Debug, Clone, Copy)]
pub struct Token {
    /// The token.
    pub presented: Presented,
    /// Whether it came in the cookie.
    pub by_cookie: bool,
}

impl Token {
    /// Reads what was [sent](Device::sent). `None` if it can't be a refresh token.
    fn read((text, by_cookie): (&str, bool)) -> Option<Self> {
        Some(Self { presented: Presented::read(text)?, by_cookie })
    }
}

impl Extractor for Device {
    async fn extract(request: &HttpRequest, _: &mut Payload) -> Result<Self> {
        let context = Context::new(request, None)?;
        let cookie = cookie(request);
        if cookie.is_some() {
            check_origin(request, &context.state().config)?;
        }
        Ok(Self { context, cookie })
    }
}

impl Device {
    /// The refresh token of the request. If the body has one, the cookie isn't looked at. `None` if there is no token,
    /// or if it can't be one.
    pub fn token(&self, in_body: Option<&str>) -> Option<Token> {
        self.sent(in_body).next().and_then(Token::read)
    }

    /// Every refresh token of the request: the one in the body, and the one in the cookie.
    pub fn tokens(&self, in_body: Option<&str>) -> Vec<Token> {
        self.sent(in_body).filter_map(Token::read).collect()
    }

    /// What was sent as a refresh token, and whether the cookie had it. The body comes first.
    fn sent<'a>(&'a self, in_body: Option<&'a str>) -> impl Iterator<Item = (&'a str, bool)> {
        let in_cookie = self.cookie.as_deref().map(|text| (text, true));
        in_body.map(|text| (text, false)).into_iter().chain(in_cookie)
    }

    /// Takes the cookie away from the browser that sent it.
    pub fn clear(&self, response: &mut HttpResponse) -> Result<()> {
        match self.cookie {
            Some(_) => set(response, "", 0),
            None => Ok(()),
        }
    }
}

/// Sets the cookie to a refresh token that lasts for so many seconds.
pub fn set(response: &mut HttpResponse, token: &str, seconds: i64) -> Result<()> {
    let value = HeaderValue::try_from(format!("{NAME}={token}; {ATTRIBUTES}; Max-Age={seconds}"));
    response.headers_mut().append(SET_COOKIE, value.map_err(Error::internal)?);
    Ok(())
}

fn cookie(request: &HttpRequest) -> Option<String> {
    let lines = request.headers().get_all(COOKIE).filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == NAME).map(|(_, value)| value.to_owned())
}

/// Refuses a request with the cookie that a page of another site could have sent.
fn check_origin(request: &HttpRequest, config: &Config) -> Result<()> {
    let mut origins = request.headers().get_all(ORIGIN).map(HeaderValue::as_bytes);
    let (origin, second) = (origins.next(), origins.next());
    let mut known = std::iter::once(&config.public_url).chain(&config.allowed_origins);
    let from_known = origin.is_some_and(|origin| known.any(|known| known.as_bytes() == origin)) && second.is_none();
    if from_known && request.content_type().eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    let detail = "A request with the cookie of a refresh token needs an Origin that is allowed here, and Content-Type: \
                  application/json. Nothing was done.";
    Err(Error::new(Kind::OriginNotAllowed, detail))
}
