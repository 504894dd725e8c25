//! Around everything: the request's id, the log line, panics, and problem documents for every failure.

use std::panic::AssertUnwindSafe;
use std::time::Instant;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpResponse};
use futures_util::FutureExt;

use super::context::RequestId;
use crate::error::{Error, Kind};

/// The middleware. It must be the outermost.
pub async fn guard(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    // The request itself can't be kept: the router has to own it.
    let seen = Seen {
        started: Instant::now(),
        id: request_id(&request),
        method: request.method().clone(),
        path: request.path().to_owned(),
        traceparent: request.headers().get("traceparent").cloned(),
    };
    request.extensions_mut().insert(RequestId(seen.id.clone()));
    if let Err(error) = acceptable(&request) {
        let answer = seen.finish(seen.problem(&error), None);
        return Ok(request.into_response(answer));
    }
    match AssertUnwindSafe(next.call(request)).catch_unwind().await {
        Ok(Ok(response)) => {
            let (request, response) = response.into_parts();
            let answer = match problem_of(&response) {
                None => response.map_into_boxed_body(),
                Some(error) => with_headers_of(&response, seen.problem(&error)),
            };
            let answer = seen.finish(answer, request.match_pattern());
            Ok(ServiceResponse::new(request, answer))
        }
        Ok(Err(error)) => {
            let status = error.as_response_error().status_code().as_u16();
            Err(seen.failure(Error::new(Kind::of_status(status), Kind::of_status(status).spec().help).because(error)))
        }
        Err(panic) => Err(seen.failure(Error::panicked(&*panic))),
    }
}

/// What the guard remembers of a request.
struct Seen {
    started: Instant,
    id: String,
    method: Method,
    path: String,
    traceparent: Option<HeaderValue>,
}

impl Seen {
    fn problem(&self, error: &Error) -> HttpResponse {
        if error.kind().spec().status >= 500 {
            log::error!("request={} {error}", self.id);
        }
        error.response(&self.path, &self.id)
    }

    /// Adds what every answer carries, and logs the request: the route's template, never the path's values or the
    /// query.
    fn finish(&self, mut response: HttpResponse, route: Option<String>) -> HttpResponse {
        let headers = response.headers_mut();
        if let Ok(value) = HeaderValue::from_str(&self.id) {
            headers.insert(HeaderName::from_static("x-request-id"), value);
        }
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if let Some(parent) = &self.traceparent {
            headers.insert(HeaderName::from_static("traceparent"), parent.clone());
        }
        log::info!(
            target: "life_rooms::access",
            "request={} method={} route={} status={} micros={}",
            self.id,
            self.method,
            route.as_deref().unwrap_or("-"),
            response.status().as_u16(),
            self.started.elapsed().as_micros()
        );
        response
    }

    /// An answer where there is no request left to answer to: after a panic.
    fn failure(&self, error: Error) -> actix_web::Error {
        let answer = self.finish(self.problem(&error), None);
        actix_web::error::InternalError::from_response(error, answer).into()
    }
}

/// The failure that an answer has to be replaced by: our own error, or what some library answered in its own words.
fn problem_of<B>(response: &HttpResponse<B>) -> Option<Error> {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return None;
    }
    if let Some(error) = response.error().and_then(|error| error.as_error::<Error>()) {
        return Some(error.same());
    }
    let is_problem = response.headers().get(header::CONTENT_TYPE).is_some_and(|t| t == "application/problem+json");
    let kind = Kind::of_status(status.as_u16());
    (!is_problem).then(|| Error::new(kind, kind.spec().help))
}

/// Keeps what other middleware said about the answer: CORS, Vary.
fn with_headers_of<B>(old: &HttpResponse<B>, mut new: HttpResponse) -> HttpResponse {
    for (name, value) in old.headers() {
        if name.as_str().starts_with("access-control-") || name == header::VARY {
            new.headers_mut().append(name.clone(), value.clone());
        }
    }
    new
}

/// The client's id where it is a sane token, else a new one.
fn request_id(request: &ServiceRequest) -> String {
    let given = request.headers().get("x-request-id").and_then(|value| value.to_str().ok());
    let sane =
        |id: &&str| (1..=64).contains(&id.len()) && id.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    given.filter(sane).map_or_else(|| uuid::Uuid::new_v4().simple().to_string(), str::to_owned)
}

/// 406 where `Accept` leaves out what every answer of `/v1` is.
fn acceptable(request: &ServiceRequest) -> Result<(), Error> {
    let Some(accept) = request.headers().get(header::ACCEPT) else { return Ok(()) };
    let text = accept.to_str().unwrap_or("*/*").to_ascii_lowercase();
    let fits = |range: &str| {
        let mut parts = range.split(';').map(str::trim);
        let kind = parts.next().unwrap_or_default();
        let refused =
            parts.any(|p| matches!(p.strip_prefix("q=").and_then(|q| q.parse::<f32>().ok()), Some(q) if q <= 0.0));
        let known = ["*/*", "application/*", "application/json", "application/problem+json", ""];
        // The roster template and the calendars are the answers of /v1 that are no JSON.
        let csv = request.path().ends_with(".csv") && matches!(kind, "text/csv" | "text/*");
        let ics = request.path().ends_with(".ics") && matches!(kind, "text/calendar" | "text/*");
        !refused && (known.contains(&kind) || csv || ics)
    };
    if !request.path().starts_with("/v1/") || text.split(',').any(fits) {
        return Ok(());
    }
    Err(Error::new(Kind::NotAcceptable, "Answers are application/json; allow it in Accept, or leave Accept out."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::middleware::from_fn;
    use actix_web::{App, test, web};

    #[actix_web::test]
    async fn a_panicking_handler_is_a_problem_and_the_next_request_works() {
        let boom = || async { (0..0).map(|n: u8| n.to_string()).next().expect("something") };
        let app = App::new()
            .route("/boom", web::get().to(boom))
            .route("/fine", web::get().to(|| async { "fine" }))
            .wrap(from_fn(guard));
        let app = test::init_service(app).await;
        let failed = test::try_call_service(&app, test::TestRequest::get().uri("/boom").to_request()).await;
        let answer = failed.expect_err("a panic").error_response();
        assert_eq!(answer.status(), 500);
        assert_eq!(answer.headers().get("content-type").unwrap(), "application/problem+json");
        assert!(answer.headers().contains_key("x-request-id"));
        let body = actix_web::body::to_bytes(answer.into_body()).await.unwrap();
        let problem: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!((&problem["type"], &problem["instance"]), (&"/problems/internal".into(), &"/boom".into()));
        assert!(!problem.to_string().contains("something"), "{problem}");
        let fine = test::call_service(&app, test::TestRequest::get().uri("/fine").to_request()).await;
        assert_eq!(test::read_body(fine).await, "fine");
    }
}
