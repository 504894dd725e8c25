//! Which form of an answer a client takes (RFC 9110, section 12).

use std::str::FromStr;

use actix_web::HttpMessage;
use actix_web::HttpRequest;
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::http::header::{self, Accept, Header, Quality};
use actix_web::http::{Method, Version};
use actix_web::mime::{self, Mime};

use super::extract::Extractor;
use crate::error::{Error, Kind, Result};

/// How much a client wants a media type: what the most specific range says that fits it (section 12.5.1). `None` where
/// no range fits.
fn quality(accept: &Accept, wanted: &Mime) -> Option<Quality> {
    let specific = |range: &Mime| match (range.type_() == mime::STAR, range.subtype() == mime::STAR) {
        (true, _) => Some(0),
        (false, true) => (range.type_() == wanted.type_()).then_some(1),
        (false, false) => (range.essence_str() == wanted.essence_str()).then_some(2),
    };
    let fitting = accept.iter().filter_map(|item| Some((specific(&item.item)?, item.quality)));
    fitting.max().map(|(_, quality)| quality)
}

/// What the client's `Accept` says, on however many lines; `None` where it says nothing that can be read.
fn accept(request: &impl HttpMessage) -> Option<Accept> {
    Accept::parse(request).ok().filter(|accept| !accept.is_empty())
}

/// Refuses a request whose `Accept` leaves out every form that its answer could have.
///
/// # Errors
/// 406.
pub fn check(request: &ServiceRequest) -> Result<()> {
    let path = request.path();
    let Some(accept) = accept(request).filter(|_| path.starts_with("/v1/")) else { return Ok(()) };
    let takes = |wanted: &Mime| quality(&accept, wanted).map(|quality| quality > Quality::ZERO);
    // The roster template and the calendars are the answers that are no JSON; their refusals are.
    let other = match path.rsplit_once('.') {
        Some((_, "csv")) => Some(mime::TEXT_CSV),
        Some((_, "ics")) => Mime::from_str("text/calendar").ok(),
        _ => None,
    };
    let json = takes(&mime::APPLICATION_JSON);
    let problem = Mime::from_str("application/problem+json").ok().and_then(|problem| takes(&problem));
    let accepted = json == Some(true)
        || other.is_some_and(|other| takes(&other) == Some(true))
        // Whoever names problem documents alone is answered: they didn't say no to JSON.
        || (json.is_none() && problem == Some(true));
    if accepted {
        return Ok(());
    }
    Err(Error::new(Kind::NotAcceptable, "Answers are application/json; allow it in Accept, or leave Accept out."))
}

/// What a page and a program can both be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Medium {
    /// JSON, for programs.
    Json,
    /// A page, for people.
    Html,
}

impl Extractor for Medium {
    /// A page where the client prefers one, as browsers do.
    async fn extract(request: &HttpRequest, _: &mut Payload) -> Result<Self> {
        let Some(accept) = accept(request) else { return Ok(Self::Json) };
        let (html, json) = (quality(&accept, &mime::TEXT_HTML), quality(&accept, &mime::APPLICATION_JSON));
        Ok(if html > json { Self::Html } else { Self::Json })
    }
}

/// Whether the client takes plain JSON and did not say that it takes problem documents.
pub fn takes_json_only(request: &HttpRequest) -> bool {
    let Some(accept) = accept(request) else { return false };
    let problem = Mime::from_str("application/problem+json").ok().and_then(|problem| quality(&accept, &problem));
    quality(&accept, &mime::APPLICATION_JSON) > problem
}

/// Makes of a request what the router and the compression understand.
///
/// HEAD is answered by the handler of GET, with its access and audit; the server leaves out the content (section
/// 9.3.2). A compressed answer comes in chunks, which HTTP/1.0 doesn't know (RFC 9112, section 6.1).
pub fn simplify(request: &mut ServiceRequest) {
    let head = request.head_mut();
    if head.method == Method::HEAD {
        head.method = Method::GET;
    }
    if head.version < Version::HTTP_11 {
        head.headers_mut().remove(header::ACCEPT_ENCODING);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn checked(path: &str, lines: &[&str]) -> bool {
        let request = lines
            .iter()
            .fold(TestRequest::with_uri(path), |request, line| request.append_header((header::ACCEPT, *line)));
        check(&request.to_srv_request()).is_ok()
    }

    #[test]
    fn the_most_specific_range_decides_on_whichever_line_it_stands() {
        for lines in [
            &[][..],
            &[""],
            &["*/*"],
            &["text/html", "application/json"],
            &["text/html, application/json;q=0.1"],
            &["*/*;q=0, application/json"],
            &["application/*;q=0, application/json; charset=utf-8"],
            &["application/problem+json"],
            &["application/json;q=0.001"],
        ] {
            assert!(checked("/v1/venues", lines), "{lines:?}");
        }
        for lines in [
            &["application/json;q=0, */*"][..],
            &["*/*", "application/json;q=0"],
            &["application/*;q=0, */*"],
            &["text/html", "text/csv"],
            &["*/*;q=0"],
            &["application/json;q=0.0, application/*, */*"],
        ] {
            assert!(!checked("/v1/venues", lines), "{lines:?}");
        }
        assert!(checked("/v1/partners/x/rosters/template.csv", &["text/csv"]));
        assert!(checked("/v1/sessions/x/calendar.ics", &["text/calendar"]));
        assert!(!checked("/v1/sessions/x", &["text/calendar"]));
        assert!(checked("/docs/", &["text/html"]));
    }
}
