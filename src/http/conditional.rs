//! `ETag`, `If-Match` and `If-None-Match` (RFC 9110). `If-Match` keeps two people from overwriting each other's
//! changes. `If-None-Match` saves sending what the client has already.
//!
//! A [`Tag`] names a state of a resource. A compressed answer needs a strong tag of its own (section 8.8.3), so the
//! guard adds a suffix such as `+gzip` to its tag. `If-Match` accepts the tag with and without the suffix.

use std::fmt;

use actix_web::body::BoxBody;
use actix_web::dev::ServiceRequest;
use actix_web::http::header::{self, EntityTag, Header, HeaderValue, IfMatch, IfNoneMatch};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpMessage, HttpResponse};
use serde::Serialize;

use super::context::Context;
use crate::error::{Error, Kind, Result};

/// The name of a state of a resource: its `ETag` before compression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag(String);

impl From<i32> for Tag {
    /// The tag of a resource whose answer changes only with its version.
    fn from(version: i32) -> Self {
        Self(version.to_string())
    }
}

impl Tag {
    /// The tag of a resource whose answer can change without a new version, or differs from caller to caller.
    ///
    /// # Errors
    /// 500 if the resource can't be written as JSON.
    pub fn live(version: i32, resource: &impl Serialize) -> Result<Self> {
        let body = serde_json::to_vec(resource).map_err(Error::internal)?;
        Ok(Self::live_bytes(version, &body))
    }

    /// Like [`Tag::live`], for an answer that is already JSON.
    pub(super) fn live_bytes(version: i32, body: &[u8]) -> Self {
        Self(format!("{version}-{}", digest(body)))
    }

    /// The tag of something that has no version.
    pub(super) fn of_bytes(body: &[u8]) -> Self {
        Self(digest(body))
    }

    /// The tag of something that has no version.
    ///
    /// # Errors
    /// 500 if the resource can't be written as JSON.
    pub fn of(resource: &impl Serialize) -> Result<Self> {
        Ok(Self::of_bytes(&serde_json::to_vec(resource).map_err(Error::internal)?))
    }

    /// The tag of the same version, shown with fewer details.
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

/// The tags that `If-Match` may name.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Wanted {
    /// This tag, equal in every character (section 8.8.3.2).
    Whole(Tag),
    /// The same for a [live](Tag::live) tag of this version.
    Live(i32, Tag),
    /// Any tag of this version of a session: only the part before the `-` is compared. The part behind it changes with
    /// every booking, and a booking is no reason to refuse a change of the session.
    SessionVersion(i32),
}

impl Wanted {
    /// Strong comparison: a weak tag never matches.
    fn is(&self, given: &EntityTag) -> bool {
        let same = match self {
            Self::Whole(tag) | Self::Live(_, tag) => without_coding(given.tag()) == tag.0,
            Self::SessionVersion(version) => is_of(given, *version),
        };
        same && !given.weak
    }

    /// The sentence to a client whose tags don't match.
    fn refusal(&self, given: &[EntityTag]) -> String {
        if given.iter().any(|tag| tag.weak) {
            return "If-Match holds a weak ETag, which never matches (RFC 9110, section 13.1.1). Send it without W/, as \
                    it was sent."
                .to_owned();
        }
        let now = match self {
            Self::Live(version, _) if given.iter().any(|tag| is_of(tag, *version)) => {
                return format!(
                    "Its version is still {version}, but it doesn't show the same: the ETag was sent to another caller, \
                     or something beside it has changed. Get it again with your own token, or send its version alone: \
                     If-Match: \"{version}\"."
                );
            }
            Self::Whole(tag) | Self::Live(_, tag) => format!("its ETag is now {tag}"),
            Self::SessionVersion(version) => format!("its version is now {version}"),
        };
        format!("It has changed: {now}. Read it again and repeat your change.")
    }
}

/// Whether a tag is of this version: the part before the `-` says so.
fn is_of(tag: &EntityTag, version: i32) -> bool {
    without_coding(tag.tag()).split('-').next() == Some(&version.to_string())
}

fn without_coding(tag: &str) -> &str {
    match tag.rsplit_once('+') {
        Some((plain, "gzip")) => plain,
        _ => tag,
    }
}

/// The `If-Match` of a request. The header may stand on several lines.
///
/// # Errors
/// 400 if the header can't be read. Ignoring it would make the change without the check that the client asked for.
pub(super) fn if_match(request: &impl HttpMessage) -> Result<Option<IfMatch>> {
    if !request.headers().contains_key(header::IF_MATCH) {
        return Ok(None);
    }
    match IfMatch::parse(request) {
        Ok(IfMatch::Items(tags)) if tags.is_empty() => {}
        Ok(named) => return Ok(Some(named)),
        Err(_) => {}
    }
    let detail = "If-Match must be the ETag as it was sent, with its double quotes, or *.";
    Err(Error::new(Kind::MalformedRequest, detail))
}

/// Whether a request has `If-None-Match: *`. With a change, it asks that there is nothing yet (section 13.1.2).
pub(super) fn is_only_new(request: &impl HttpMessage) -> bool {
    let asked = request.headers().contains_key(header::IF_NONE_MATCH);
    asked && matches!(IfNoneMatch::parse(request), Ok(IfNoneMatch::Any))
}

impl Context {
    /// For PUT where there is nothing yet: `If-None-Match: *`, or `If-Match` with the version 0.
    ///
    /// # Errors
    /// 428 without either; 412 for `If-Match` with anything else, `*` included.
    pub fn require_absence(&self) -> Result<()> {
        match self.if_match() {
            None if self.is_only_new() => Ok(()),
            Some(IfMatch::Any) => {
                let detail = "There is none of this name yet. Send If-None-Match: * to create it.";
                Err(Error::new(Kind::PreconditionFailed, detail))
            }
            _ => self.require_match(0),
        }
    }

    /// For PATCH and PUT: the client must say which state it changes.
    ///
    /// # Errors
    /// 428 if `If-Match` is missing; 412 if the request is only for something new.
    pub fn require_if_match(&self) -> Result<()> {
        if self.is_only_new() {
            return Err(Error::new(
                Kind::PreconditionFailed,
                "It exists already. Send If-Match with its ETag to change it.",
            ));
        }
        if self.if_match().is_some() {
            return Ok(());
        }
        let detail = "Send If-Match with the ETag of what you read, so that nobody's change is lost.";
        Err(Error::new(Kind::PreconditionRequired, detail))
    }

    /// For PATCH and PUT of a resource that has one tag for each version.
    ///
    /// # Errors
    /// 428 if `If-Match` is missing, 412 if it names another version.
    pub fn require_match(&self, version: i32) -> Result<()> {
        self.require_if_match()?;
        self.check_match(version)
    }

    /// For DELETE and actions on a resource that has one tag for each version. `If-Match` is checked if it is sent.
    ///
    /// # Errors
    /// 412 if `If-Match` names another version.
    pub fn check_match(&self, version: i32) -> Result<()> {
        self.check(&Wanted::Whole(version.into()))
    }

    /// For a resource that has a [live](Tag::live) tag: `If-Match` names its current tag, or its version alone. `tag`
    /// is called only if it is needed.
    ///
    /// # Errors
    /// 412 if `If-Match` names neither.
    pub fn check_live_match(&self, version: i32, tag: impl FnOnce() -> Result<Tag>) -> Result<()> {
        match self.check_match(version) {
            Ok(()) => Ok(()),
            Err(_) => self.check(&Wanted::Live(version, tag()?)),
        }
    }

    /// For sessions: `If-Match` may name any tag of this version.
    ///
    /// # Errors
    /// 412 if it names another version.
    pub fn check_session_match(&self, version: i32) -> Result<()> {
        self.check(&Wanted::SessionVersion(version))
    }

    fn check(&self, wanted: &Wanted) -> Result<()> {
        match self.if_match() {
            Some(IfMatch::Items(tags)) if !tags.iter().any(|tag| wanted.is(tag)) => {
                Err(Error::new(Kind::PreconditionFailed, wanted.refusal(tags)))
            }
            _ => Ok(()),
        }
    }
}

/// The tags that the sender of a GET or HEAD holds already.
#[derive(Debug)]
pub(super) struct Held(Option<IfNoneMatch>);

impl Held {
    /// Reads the request's `If-None-Match`. A header that can't be read is ignored: the whole answer is sent.
    pub(super) fn of(request: &ServiceRequest) -> Self {
        let reads = request.method() == Method::GET || request.method() == Method::HEAD;
        let asked = reads && request.headers().contains_key(header::IF_NONE_MATCH);
        Self(if asked { IfNoneMatch::parse(request).ok() } else { None })
    }

    /// Gives a compressed answer its own tag, and answers 304 if the client holds the answer already.
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

/// The tag of an answer in the encoding in which it is sent.
fn tag_of_coding(response: &HttpResponse) -> Option<EntityTag> {
    let tag: EntityTag = response.headers().get(header::ETAG)?.to_str().ok()?.parse().ok()?;
    let coding = response.headers().get(header::CONTENT_ENCODING).and_then(|coding| coding.to_str().ok());
    Some(match coding {
        Some(coding) if !tag.weak => EntityTag::new_strong(format!("{}+{coding}", tag.tag())),
        _ => tag,
    })
}
