//! Content codings (RFC 9110, section 12.5.3): which one a client gets, and documents that are compressed only once.

use std::io::Write;

use actix_web::HttpMessage;
use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::body::{BodySize, MessageBody};
use actix_web::dev::Payload;
use actix_web::http::header::{self, AcceptEncoding, ContentEncoding, Encoding, Header, HeaderValue};
use actix_web::http::{StatusCode, Version};
use actix_web::web::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::conditional::Tag;
use super::extract::Extractor;
use super::sending;
use crate::error::{Error, Kind, Result};

/// Answers shorter than this are sent as they are, because compressing them saves nothing.
const SHORTEST: u64 = 256;

/// How an answer is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// As it is.
    Identity,
    /// Compressed, if it is worth it.
    Gzip,
    /// Compressed, because the client takes nothing else.
    GzipOnly,
}

impl Coding {
    /// The coding that the client prefers. HTTP/1.0 doesn't know of codings (RFC 9112, section 6.1).
    ///
    /// # Errors
    /// 406 if the client takes neither the plain nor the compressed form.
    pub fn of(request: &impl HttpMessage, version: Version) -> Result<Self> {
        let asked = version >= Version::HTTP_11 && request.headers().contains_key(header::ACCEPT_ENCODING);
        let Some(accepted) = AcceptEncoding::parse(request).ok().filter(|_| asked) else { return Ok(Self::Identity) };
        let takes_plain = accepted.negotiate([Encoding::identity()].iter()).is_some();
        match accepted.negotiate([Encoding::gzip(), Encoding::identity()].iter()) {
            Some(coding) if coding == Encoding::gzip() => Ok(if takes_plain { Self::Gzip } else { Self::GzipOnly }),
            Some(_) => Ok(Self::Identity),
            None => {
                let detail = "Accept-Encoding allows no coding that the service has. Allow identity or gzip.";
                Err(Error::new(Kind::NotAcceptable, detail))
            }
        }
    }

    /// Says in the header that the answer will be compressed, if it will be. Returns whether it will be.
    pub(super) fn announce(self, response: &mut HttpResponse) -> bool {
        let shortest = match self {
            Self::Identity => return false,
            Self::Gzip => SHORTEST,
            Self::GzipOnly => 1,
        };
        let long_enough = matches!(response.body().size(), BodySize::Sized(length) if length >= shortest);
        let coded = response.headers().contains_key(header::CONTENT_ENCODING);
        let decided = response.extensions().contains::<Decided>();
        if !long_enough || coded || decided || is_picture(response) || response.status() == StatusCode::NO_CONTENT {
            return false;
        }
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        true
    }
}

/// Whether the answer is a picture, which is compressed already.
fn is_picture(response: &HttpResponse) -> bool {
    let media_type = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    media_type.is_some_and(|media_type| media_type.starts_with("image/") && !media_type.starts_with("image/svg"))
}

impl Extractor for Coding {
    async fn extract(request: &HttpRequest, _: &mut Payload) -> Result<Self> {
        Self::of(request, request.version())
    }
}

/// Compresses bytes.
pub(super) fn gzip(bytes: &[u8], level: Compression) -> std::io::Result<Bytes> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), level);
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?.into())
}

/// Marks an answer whose coding is decided already.
struct Decided;

/// A document that stays the same while the server runs. It is compressed once, not for each answer.
#[derive(Debug, Clone)]
pub struct Fixed {
    plain: Bytes,
    compressed: Option<Bytes>,
    /// The tag of the plain form.
    tag: Tag,
}

impl Fixed {
    /// Compresses the document.
    pub fn new(plain: impl Into<Bytes>) -> Self {
        let plain = plain.into();
        let compressed = gzip(&plain, Compression::best()).ok().filter(|compressed| compressed.len() < plain.len());
        Self { tag: Tag::of_bytes(&plain), plain, compressed }
    }

    /// 200 with the document in this coding, and its tag.
    pub fn answer(&self, coding: Coding) -> HttpResponse {
        let compressed = self.compressed.as_ref().filter(|_| coding != Coding::Identity);
        let mut answer = HttpResponse::Ok();
        answer.insert_header((header::ETAG, self.tag.to_string()));
        if compressed.is_some() {
            answer.insert_header(ContentEncoding::Gzip);
        }
        let mut answer = answer.body(sending::body(compressed.unwrap_or(&self.plain).clone()));
        answer.extensions_mut().insert(Decided);
        answer
    }
}
