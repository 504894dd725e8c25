//! `ETag`, `If-Match` and `If-None-Match` (RFC 9110): nobody's change is lost, and what hasn't changed isn't sent.
//!
//! A [`Tag`] names a state. A compressed answer is another representation of that state and has a strong tag of its
//! own (section 8.8.3): the guard adds `+gzip` and the like once it is known how the answer is sent, and `If-Match`
//! takes the tag with and without.

use std::fmt;

use actix_web::body::BoxBody;
use actix_web::dev::ServiceRequest;
use actix_web::http::header::{self, EntityTag, Header, HeaderValue, IfMatch, IfNoneMatch};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpMessage, HttpResponse};
use serde::Serialize;

use super::context::Context;
use crate::error::{Error, Kind, Result};

/// The name of a state of a resource, as `ETag` says it before compression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag(String);

impl From<i32> for Tag {
    /// Of a resource whose answer changes with its version only.
    fn from(version: i32) -> Self {
        Self(version.to_string())
    }
}

impl Tag {
    /// Of a resource whose answer can change without a new version, or differs from caller to caller.
    ///
    /// # Errors
    /// 500 where it can't be written as JSON.
    pub fn live(version: i32, resource: &impl Serialize) -> Result<Self> {
        let body = serde_json::to_vec(resource).map_err(Error::internal)?;
        Ok(Self::live_bytes(version, &body))
    }

    /// As [`Tag::live`], of what was written already.
    pub(super) fn live_bytes(version: i32, body: &[u8]) -> Self {
        Self(format!("{version}-{}", digest(body)))
    }

    /// Of something that has no version.
    pub(super) fn of_bytes(body: &[u8]) -> Self {
        Self(digest(body))
    }

    /// Of something that has no version.
    ///
    /// # Errors
    /// 500 where it can't be written as JSON.
    pub fn of(resource: &impl Serialize) -> Result<Self> {
        Ok(Self::of_bytes(&serde_json::to_vec(resource).map_err(Error::internal)?))
    }

    /// The same version, shown with less.
    pub fn reduced(version: i32) -> Self {
        Self(format!("{version}-reduced"))
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0)
    }
}

/// A short digest of a body.
fn digest(body: &[u8]) -> String {
    use base64::Engine;
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, body);
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&hash.as_ref()[..12]).replace('-', "~")
}

/// What `If-Match` has to name.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Wanted {
    /// This tag, character by character (section 8.8.3.2).
    Whole(Tag),
    /// Any tag of this version of a session: the part before the `-`. Bookings move the rest all the time, and whoever
    /// changes a session doesn't change its bookings.
    SessionVersion(i32),
}

impl Wanted {
    /// Strong comparison: a weak tag is never enough to change something by.
    fn is(&self, given: &EntityTag) -> bool {
        let plain = without_coding(given.tag());
        let same = match self {
            Self::Whole(tag) => plain == tag.0,
            Self::SessionVersion(version) => plain.split('-').next() == Some(&version.to_string()),
        };
        same && !given.weak
    }

    fn now(&self) -> String {
        match self {
            Self::Whole(tag) => format!("its ETag is now {tag}"),
            Self::SessionVersion(version) => format!("its version is now {version}"),
        }
    }
}

/// The content codings that the service compresses with.
const CODINGS: [&str; 4] = ["gzip", "br", "zstd", "deflate"];

fn without_coding(tag: &str) -> &str {
    match tag.rsplit_once('+') {
        Some((plain, coding)) if CODINGS.contains(&coding) => plain,
        _ => tag,
    }
}

/// The `If-Match` of a request, on however many lines.
///
/// # Errors
/// 400 where it is there and names no entity tag: a change that was meant to be careful isn't done without care.
pub(super) fn if_match(request: &impl HttpMessage) -> Result<Option<IfMatch>> {
    if !request.headers().contains_key(header::IF_MATCH) {
        return Ok(None);
    }
    match IfMatch::parse(request) {
        Ok(IfMatch::Items(tags)) if tags.is_empty() => {}
        Ok(named) => return Ok(Some(named)),
        Err(_) => {}
    }
    let detail = "If-Match must hold what ETag said, with its double quotes, or be *.";
    Err(Error::new(Kind::MalformedRequest, detail))
}

impl Context {
    /// For PATCH and PUT, besides what is checked: the client must say which state it changes.
    ///
    /// # Errors
    /// 428 where `If-Match` is missing.
    pub fn require_if_match(&self) -> Result<()> {
        if self.if_match().is_some() {
            return Ok(());
        }
        let detail = "Send If-Match with the ETag of what you read, so that nobody's change is lost.";
        Err(Error::new(Kind::PreconditionRequired, detail))
    }

    /// For PATCH and PUT of what has one tag for each version.
    ///
    /// # Errors
    /// 428 where `If-Match` is missing, 412 where it names another version.
    pub fn require_match(&self, version: i32) -> Result<()> {
        self.require_if_match()?;
        self.check_match(version)
    }

    /// For DELETE and actions on what has one tag for each version: checked where the client says it.
    ///
    /// # Errors
    /// 412 where `If-Match` names another version.
    pub fn check_match(&self, version: i32) -> Result<()> {
        self.check(&Wanted::Whole(version.into()))
    }

    /// For what has a [live](Tag::live) tag: `If-Match` names the tag of what stands, or the version alone. `tag` is
    /// asked only where it is needed.
    ///
    /// # Errors
    /// 412 where `If-Match` names neither.
    pub fn check_live_match(&self, version: i32, tag: impl FnOnce() -> Result<Tag>) -> Result<()> {
        match self.check_match(version) {
            Ok(()) => Ok(()),
            Err(_) => self.check(&Wanted::Whole(tag()?)),
        }
    }

    /// For sessions: `If-Match` names any tag of this version.
    ///
    /// # Errors
    /// 412 where it names another version.
    pub fn check_session_match(&self, version: i32) -> Result<()> {
        self.check(&Wanted::SessionVersion(version))
    }

    fn check(&self, wanted: &Wanted) -> Result<()> {
        match self.if_match() {
            None | Some(IfMatch::Any) => Ok(()),
            Some(IfMatch::Items(tags)) if tags.iter().any(|tag| wanted.is(tag)) => Ok(()),
            Some(IfMatch::Items(_)) => Err(Error::new(
                Kind::PreconditionFailed,
                format!("It has changed: {}. Read it again and repeat your change.", wanted.now()),
            )),
        }
    }
}

/// What the sender of a GET or HEAD holds already.
#[derive(Debug)]
pub(super) struct Held(Option<IfNoneMatch>);

impl Held {
    /// Reads the request's `If-None-Match`. One that can't be read says nothing: the whole answer is sent.
    pub(super) fn of(request: &ServiceRequest) -> Self {
        let reads = request.method() == Method::GET || request.method() == Method::HEAD;
        let asked = reads && request.headers().contains_key(header::IF_NONE_MATCH);
        Self(if asked { IfNoneMatch::parse(request).ok() } else { None })
    }

    /// Gives a compressed answer a tag of its own, and leaves out what the client holds: 304.
    pub(super) fn apply(&self, mut response: HttpResponse) -> HttpResponse {
        let Some(tag) = tag_of_coding(&response) else { return response };
        if let Ok(value) = HeaderValue::from_str(&tag.to_string()) {
            response.headers_mut().insert(header::ETAG, value);
        }
        let holds = match &self.0 {
            None => false,
            Some(IfNoneMatch::Any) => true,
            Some(IfNoneMatch::Items(held)) => held.iter().any(|held| held.weak_eq(&tag)),
        };
        if !holds || response.status() != StatusCode::OK {
            return response;
        }
        for name in [header::CONTENT_TYPE, header::CONTENT_ENCODING, header::CONTENT_DISPOSITION] {
            response.headers_mut().remove(name);
        }
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response.set_body(BoxBody::new(()))
    }
}

/// The tag of an answer as it is sent.
fn tag_of_coding(response: &HttpResponse) -> Option<EntityTag> {
    let tag: EntityTag = response.headers().get(header::ETAG)?.to_str().ok()?.parse().ok()?;
    let coding = response.headers().get(header::CONTENT_ENCODING).and_then(|coding| coding.to_str().ok());
    Some(match coding {
        Some(coding) if !tag.weak => EntityTag::new_strong(format!("{}+{coding}", tag.tag())),
        _ => tag,
    })
}
