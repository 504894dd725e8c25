//! Makes answers: status, headers and body, in the same way for every resource.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::web::Bytes;
use serde::Serialize;

use super::coding::{Coding, Fixed};
use super::conditional::Tag;
use super::context::Context;
use super::page::Page;
use crate::audit::{Subject, purpose};
use crate::db::{Conn, Id};
use crate::error::{Error, Result};

/// How caches may keep an answer (RFC 9111).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cache {
    /// For one minute: venues, sites, partners.
    Minute,
    /// Kept, but each use asks the server whether it is still current: sessions.
    Revalidate,
    /// Not at all: everything about a person, and everything that needs a login.
    Never,
}

/// The outcome of a write. It is made inside the write's transaction and stored there, so that a repeated request gets
/// the same answer.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The path of the new resource.
    pub location: Option<String>,
    /// The `ETag` that a GET of the resource would give.
    pub etag: Option<String>,
    /// The body as JSON; empty with 204.
    pub body: String,
    /// The body for a repeated request, if it must differ: a secret is shown only once.
    pub replay: Option<String>,
    /// The things of members that the body holds. Giving the answer again is recorded as a read of them.
    pub about: Vec<Subject>,
}

impl Reply {
    /// 201 with the new resource.
    pub fn created(location: String, tag: impl Into<Tag>, body: &impl Serialize) -> Result<Self> {
        Ok(Self { status: 201, location: Some(location), ..Self::ok(tag, body)? })
    }

    /// 200 with the resource as it is now. `tag` must be the tag that a GET of the resource would give.
    pub fn ok(tag: impl Into<Tag>, body: &impl Serialize) -> Result<Self> {
        Ok(Self { etag: Some(tag.into().to_string()), ..Self::plain(200, body)? })
    }

    /// 202 with a resource that is completed later, and can be read at this path.
    pub fn accepted(location: String, tag: impl Into<Tag>, body: &impl Serialize) -> Result<Self> {
        Ok(Self { status: 202, location: Some(location), ..Self::ok(tag, body)? })
    }

    /// Any status with a body that has no version.
    pub fn plain(status: u16, body: &impl Serialize) -> Result<Self> {
        let body = serde_json::to_string(body).map_err(Error::internal)?;
        Ok(Self { status, location: None, etag: None, body, replay: None, about: Vec::new() })
    }

    /// 204.
    pub fn empty() -> Self {
        Self { status: 204, location: None, etag: None, body: String::new(), replay: None, about: Vec::new() }
    }

    /// Adds the path where the outcome can be read.
    pub fn at(mut self, location: String) -> Self {
        self.location = Some(location);
        self
    }

    /// Says that the body holds this member's whole record.
    pub fn about(self, member_id: Id) -> Self {
        self.shows(Subject::record_of(member_id))
    }

    /// Says that the body holds this thing of a member: a booking, a relationship. Giving the answer again is then
    /// recorded as a read of this thing, and not of the whole record.
    pub fn shows(mut self, subject: Subject) -> Self {
        // The suite runs with this check: whoever answers a new kind of thing puts it into the list there.
        debug_assert!(purpose::known_kind(subject.kind).is_some(), "audit::purpose has no kind {}", subject.kind);
        self.about.push(subject);
        self
    }

    /// Sets the body that a repeated request gets instead.
    pub fn replayed_as(mut self, body: &impl Serialize) -> Result<Self> {
        self.replay = Some(serde_json::to_string(body).map_err(Error::internal)?);
        Ok(self)
    }

    /// The answer. Caches never keep the answer of a write.
    pub fn into_response(self) -> HttpResponse {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = HttpResponse::build(status);
        response.insert_header(("Cache-Control", "no-store"));
        if let Some(location) = self.location {
            response.insert_header(("Location", location));
        }
        if let Some(etag) = self.etag {
            response.insert_header(("ETag", etag));
        }
        if self.body.is_empty() {
            return response.finish();
        }
        response.content_type("application/json").body(self.body)
    }
}

impl Context {
    /// 200 with a member's resource that a request left as it was: the answer is recorded as a read.
    pub fn unchanged(
        &self,
        conn: &mut Conn,
        subject: Subject,
        tag: impl Into<Tag>,
        body: &impl Serialize,
    ) -> Result<Reply> {
        self.record(conn, &self.reads(subject, &[]))?;
        Reply::ok(tag, body)
    }

    /// 200 with a resource. If the client has it already, the guard turns the answer into a 304.
    pub fn show(&self, cache: Cache, tag: impl Into<Tag>, body: &impl Serialize) -> Result<HttpResponse> {
        let body = serde_json::to_vec(body).map_err(Error::internal)?;
        Ok(self.found(cache, &tag.into(), body))
    }

    /// 200 with a resource whose answer can change without a new version: its tag is [`Tag::live`].
    pub fn show_live(&self, cache: Cache, version: i32, body: &impl Serialize) -> Result<HttpResponse> {
        let body = serde_json::to_vec(body).map_err(Error::internal)?;
        Ok(self.found(cache, &Tag::live_bytes(version, &body), body))
    }

    /// 200 with a body that has no version: its tag is [`Tag::of`].
    pub fn show_plain(&self, cache: Cache, body: &impl Serialize) -> Result<HttpResponse> {
        let body = serde_json::to_vec(body).map_err(Error::internal)?;
        Ok(self.found(cache, &Tag::of_bytes(&body), body))
    }

    /// 200 with a page of a list, and a `Link` to the next page.
    pub fn show_page(&self, cache: Cache, page: &Page<impl Serialize>) -> Result<HttpResponse> {
        let mut response = self.show_plain(cache, page)?;
        if let Some(next) = &page.next {
            let link = format!("<{next}>; rel=\"next\"");
            let value = link.parse().map_err(Error::internal)?;
            response.headers_mut().insert(actix_web::http::header::LINK, value);
        }
        Ok(response)
    }

    /// 200 with a text that isn't JSON.
    pub fn show_text(&self, cache: Cache, media_type: &'static str, text: impl Into<Bytes>) -> HttpResponse {
        let text = text.into();
        let mut response = self.found(cache, &Tag::of_bytes(&text), text);
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        response
    }

    /// 200 with a document that stays the same.
    pub fn show_fixed(&self, cache: Cache, media_type: &'static str, document: &Fixed, coding: Coding) -> HttpResponse {
        let mut response = document.answer(coding);
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(self.cache_control(cache)));
        headers.append(header::VARY, HeaderValue::from_static("Authorization"));
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        response
    }

    fn cache_control(&self, cache: Cache) -> &'static str {
        match (cache, self.anyone()) {
            (Cache::Never, _) => "no-store",
            (Cache::Minute, None) => "public, max-age=60",
            (Cache::Revalidate, None) => "public, no-cache",
            (Cache::Minute, Some(_)) => "private, max-age=60",
            (Cache::Revalidate, Some(_)) => "private, no-cache",
        }
    }

    fn found(&self, cache: Cache, tag: &Tag, body: impl Into<Bytes>) -> HttpResponse {
        let mut response = HttpResponse::Ok();
        response.insert_header(("Cache-Control", self.cache_control(cache))).insert_header(("ETag", tag.to_string()));
        response.append_header(("Vary", "Authorization"));
        response.content_type("application/json").body(body.into())
    }
}
