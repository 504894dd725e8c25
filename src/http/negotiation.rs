//! Content negotiation: which media type a client accepts (RFC 9110, section 12).

use std::str::FromStr;

use actix_web::HttpMessage;
use actix_web::HttpRequest;
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::http::Method;
use actix_web::http::header::{Accept, Header, Quality};
use actix_web::mime::{self, Mime};

use super::extract::Extractor;
use crate::error::{Error, Kind, Result};
use crate::tables::{self, Form};

/// How much a client prefers a media type. The most specific range that matches the type decides (section 12.5.1).
/// `None` if no range matches.
fn quality(accept: &Accept, wanted: &Mime) -> Option<Quality> {
    let specific = |range: &Mime| match (range.type_() == mime::STAR, range.subtype() == mime::STAR) {
        (true, _) => Some(0),
        (false, true) => (range.type_() == wanted.type_()).then_some(1),
        (false, false) => (range.essence_str() == wanted.essence_str()).then_some(2),
    };
    let fitting = accept.iter().filter_map(|item| Some((specific(&item.item)?, item.quality)));
    fitting.max().map(|(_, quality)| quality)
}

/// The client's `Accept`, which may stand on several lines; `None` if it is missing, empty or can't be read.
fn accept(request: &impl HttpMessage) -> Option<Accept> {
    Accept::parse(request).ok().filter(|accept| !accept.is_empty())
}

/// Refuses a request whose `Accept` allows none of the media types that its answer could have.
///
/// # Errors
/// 406.
pub fn check(request: &ServiceRequest) -> Result<()> {
    let path = request.path();
    let Some(accept) = accept(request).filter(|_| path.starts_with("/v1/")) else { return Ok(()) };
    let takes = |wanted: &Mime| quality(&accept, wanted).map(|quality| quality > Quality::ZERO);
    // Most answers are JSON. Sheets, calendars and the page for unsubscribing aren't, exports can be pages, and a posted
    // roster can come back as a sheet. But their problems are JSON.
    let workbook = || Mime::from_str(tables::XLSX).ok();
    let others = match path.rsplit_once('.') {
        Some((_, "csv")) => [Some(mime::TEXT_CSV), None],
        Some((_, "xlsx")) => [workbook(), None],
        Some((_, "html")) => [Some(mime::TEXT_HTML), None],
        Some((_, "ics")) => [Mime::from_str("text/calendar").ok(), None],
        _ if request.method() == Method::POST && path.ends_with("/rosters") => [Some(mime::TEXT_CSV), workbook()],
        _ if path.starts_with("/v1/unsubscribe/") || path.ends_with("/document") => [Some(mime::TEXT_HTML), None],
        _ => [None, None],
    };
    let json = takes(&mime::APPLICATION_JSON);
    let problem = Mime::from_str("application/problem+json").ok().and_then(|problem| takes(&problem));
    let accepted = json == Some(true)
        || others.iter().flatten().any(|other| takes(other) == Some(true))
        // A client that names only problem documents is answered: it didn't refuse JSON.
        || (json.is_none() && problem == Some(true));
    if accepted {
        return Ok(());
    }
    Err(Error::new(Kind::NotAcceptable, "Answers are application/json. Allow it in Accept, or leave Accept out."))
}

/// The media type of an answer that exists for people and for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Medium {
    /// JSON for programs.
    Json,
    /// An HTML page for people.
    Html,
}

impl Extractor for Medium {
    /// HTML if the client prefers it, as browsers do; otherwise JSON.
    async fn extract(request: &HttpRequest, _: &mut Payload) -> Result<Self> {
        let Some(accept) = accept(request) else { return Ok(Self::Json) };
        let (html, json) = (quality(&accept, &mime::TEXT_HTML), quality(&accept, &mime::APPLICATION_JSON));
        Ok(if html > json { Self::Html } else { Self::Json })
    }
}

/// The form of sheet that the client prefers to JSON; `None` if JSON is as good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AsSheet(pub Option<Form>);

impl Extractor for AsSheet {
    async fn extract(request: &HttpRequest, _: &mut Payload) -> Result<Self> {
        let Some(accept) = accept(request) else { return Ok(Self(None)) };
        let json = quality(&accept, &mime::APPLICATION_JSON);
        let csv = (quality(&accept, &mime::TEXT_CSV), Form::Csv);
        let xlsx = (Mime::from_str(tables::XLSX).ok().and_then(|workbook| quality(&accept, &workbook)), Form::Xlsx);
        let best = if xlsx.0 > csv.0 { xlsx } else { csv };
        Ok(Self((best.0 > json && best.0 > Some(Quality::ZERO)).then_some(best.1)))
    }
}

/// Whether the client accepts plain JSON and doesn't name problem documents.
pub fn takes_json_only(request: &HttpRequest) -> bool {
    let Some(accept) = accept(request) else { return false };
    let problem = Mime::from_str("application/problem+json").ok().and_then(|problem| quality(&accept, &problem));
    quality(&accept, &mime::APPLICATION_JSON) > problem
}

/// Makes HEAD a GET, so that the same handler answers it with the same checks and audit. The server then leaves out the
/// content (section 9.3.2).
pub fn simplify(request: &mut ServiceRequest) {
    let head = request.head_mut();
    if head.method == Method::HEAD {
        head.method = Method::GET;
    }
}
