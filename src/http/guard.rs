//! The outermost middleware. It gives each request its id and its log line, catches panics, makes a problem document of
//! every failure, and adds the headers that every answer has.
//!
//! A malformed HTTP request never gets here: one without `Host`, with two lengths, with a target or headers that are
//! too long, or one that breaks off. actix-http answers it with a status and no body, closes the connection, and has no
//! hook for another answer. The document says so (`openapi/info.md`).

use std::cell::Cell;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{HttpMessage, HttpResponse};
use futures_util::FutureExt;

use super::coding::Coding;
use super::conditional::Held;
use super::context::RequestId;
use super::cors::Cors;
use super::fallback::Routes;
use super::rates::Rate;
use super::sending::Refusable;
use super::state::State;
use super::{address, html, negotiation, redirect, sending, trace};
use crate::error::{Error, Kind};
use crate::tables;

/// How long a thread answers requests before those on other connections have their turn.
const TURN: Duration = Duration::from_millis(2);

thread_local! {
    /// When the others last had their turn.
    static OTHERS_TURN: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Lets other connections have their turn, if they have waited for it. Without this, many requests that are sent on one
/// connection without waiting for their answers would all be answered first.
async fn take_turns() {
    if OTHERS_TURN.get().is_none_or(|last| last.elapsed() >= TURN) {
        tokio::task::yield_now().await;
        OTHERS_TURN.set(Some(Instant::now()));
    }
}

/// The middleware. It must be the outermost.
pub async fn guard(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    take_turns().await;
    // The router takes the request, so what is needed afterwards is copied first.
    let mut seen = Seen::of(&request);
    let network = address::network(request.request());
    request.extensions_mut().insert(RequestId(seen.id.clone()));
    request.extensions_mut().insert(network);
    if let Some(answer) = seen.cors.preflight() {
        let answer = seen.finish(answer, None);
        return Ok(request.into_response(answer));
    }
    seen.rate = Rate::of(&request, network);
    let refusal = seen.rate.as_ref().and_then(Rate::refusal);
    let coding = match refusal.map_or_else(|| check(&request), Err) {
        Ok(coding) => coding,
        Err(error) => {
            let answer = seen.finish(seen.problem(&error), None);
            return Ok(request.into_response(answer));
        }
    };
    negotiation::simplify(&mut request);
    match AssertUnwindSafe(next.call(request)).catch_unwind().await {
        Ok(Ok(response)) => {
            let (request, response) = response.into_parts();
            let answer = match problem_of(&response) {
                None => response.map_into_boxed_body(),
                Some(error) => seen.elsewhere(&error).unwrap_or_else(|| seen.problem(&error)),
            };
            let answer = seen.send(answer, coding).await;
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

/// Refuses a request that no handler needs to see. Returns how its answer is sent.
fn check(request: &ServiceRequest) -> Result<Coding, Error> {
    if let Some(routes) = request.app_data::<Data<Routes>>() {
        routes.check(request.path(), request.method())?;
    }
    negotiation::check(request)?;
    Coding::of(request, request.version())
}

/// The parts of a request that the guard needs after the router has taken it.
struct Seen {
    started: Instant,
    /// Our own id, for the audit. No client can choose it.
    id: String,
    /// The client's id, if it sent one. The answer repeats it.
    given_id: Option<String>,
    method: Method,
    path: String,
    /// The path and query.
    target: String,
    traceparent: Option<HeaderValue>,
    cors: Cors,
    held: Held,
    is_read: bool,
    rate: Option<Rate>,
    /// Whether clients reach the service by HTTPS.
    is_https: bool,
}

impl Seen {
    fn of(request: &ServiceRequest) -> Self {
        let config = request.app_data::<Data<State>>().map(|state| &state.config);
        let origins = config.map(|config| config.allowed_origins.as_slice());
        Self {
            started: Instant::now(),
            id: trace::new_id(),
            given_id: trace::given_id(request.headers()),
            method: request.method().clone(),
            path: request.path().to_owned(),
            target: request.uri().path_and_query().map(ToString::to_string).unwrap_or_default(),
            traceparent: trace::parent(request.headers()),
            cors: Cors::of(request, origins.unwrap_or_default()),
            held: Held::of(request),
            is_read: request.method() == Method::GET || request.method() == Method::HEAD,
            rate: None,
            is_https: config.is_some_and(|config| config.public_url.starts_with("https://")),
        }
    }

    /// The id that the client knows the request by.
    fn shown_id(&self) -> &str {
        self.given_id.as_deref().unwrap_or(&self.id)
    }

    /// Both ids, for the log; only one if the client sent none.
    fn ids(&self) -> String {
        match &self.given_id {
            None => format!("request={}", self.id),
            Some(given) => format!("request={given} id={}", self.id),
        }
    }

    fn problem(&self, error: &Error) -> HttpResponse {
        if error.kind().spec().status >= 500 {
            log::error!("{} {error}", self.ids());
        }
        error.response(&self.path, self.shown_id())
    }

    /// The redirect of a read whose record was merged into another.
    fn elsewhere(&self, error: &Error) -> Option<HttpResponse> {
        redirect::to_other_id(&self.target, error.leads_to().filter(|_| self.is_read)?)
    }

    /// Makes the body ready to be sent: nothing if the client holds it already, else as the client takes it.
    async fn send(&self, mut answer: HttpResponse, coding: Coding) -> HttpResponse {
        let compressed = coding.announce(&mut answer);
        let answer = self.held.apply(answer);
        let has_body = !matches!(answer.body().size(), BodySize::None | BodySize::Sized(0));
        let refusable = if self.is_read { Refusable::Yes } else { Refusable::No };
        match sending::prepare(answer, compressed && has_body, refusable).await {
            Ok(answer) => answer,
            Err(error) => self.problem(&error),
        }
    }

    /// Adds the headers that every answer has, and logs the request. The log names the route's template, never the
    /// path's values or the query, which can be personal.
    fn finish(&self, mut response: HttpResponse, route: Option<String>) -> HttpResponse {
        let headers = response.headers_mut();
        if let Ok(value) = HeaderValue::from_str(self.shown_id()) {
            headers.insert(HeaderName::from_static("x-request-id"), value);
        }
        if let Some(parent) = &self.traceparent {
            headers.insert(HeaderName::from_static("traceparent"), parent.clone());
        }
        self.cors.apply(headers);
        if let Some(rate) = &self.rate {
            rate.apply(headers);
        }
        vary(headers, self.cors.decided_by());
        html::protect(&self.path, self.is_https, headers);
        log::info!(
            target: "life_rooms::access",
            "{} method={} route={} status={} micros={}",
            self.ids(),
            self.method,
            route.as_deref().unwrap_or("-"),
            response.status().as_u16(),
            self.started.elapsed().as_micros()
        );
        response
    }

    /// The answer after a panic, when the request no longer exists.
    fn failure(&self, error: Error) -> actix_web::Error {
        let answer = self.finish(self.problem(&error), None);
        actix_web::error::InternalError::from_response(error, answer).into()
    }
}

/// Makes one `Vary` from three sources: the handler's own, the headers that CORS looked at, and `Accept-Encoding`.
///
/// `Accept-Encoding` stands on every answer that could be compressed, even if this one isn't. A 304 has the same `Vary`
/// as its 200 (RFC 9110, section 12.5.5).
fn vary(headers: &mut HeaderMap, also: &'static [&'static str]) {
    let mut names: Vec<String> = Vec::new();
    let said = headers.get_all(header::VARY).filter_map(|value| value.to_str().ok());
    let said: Vec<&str> = said.flat_map(|line| line.split(',')).map(str::trim).collect();
    for name in said.into_iter().chain(also.iter().copied()).chain(["Accept-Encoding"]) {
        if !names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            names.push(name.to_owned());
        }
    }
    if let Ok(value) = HeaderValue::from_str(&names.join(", ")) {
        headers.insert(header::VARY, value);
    }
}

/// The failure that becomes a problem document: our own error, or a failure that a library answered in its own format.
fn problem_of<B>(response: &HttpResponse<B>) -> Option<Error> {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return None;
    }
    if let Some(error) = response.error().and_then(|error| error.as_error::<Error>()) {
        return Some(error.same());
    }
    // A refused roster can come back as the sheet that was posted.
    let types = ["application/problem+json", tables::CSV_UTF8, tables::XLSX];
    let is_ours = response.headers().get(header::CONTENT_TYPE).is_some_and(|t| types.iter().any(|known| t == known));
    let kind = Kind::of_status(status.as_u16());
    (!is_ours).then(|| Error::new(kind, kind.spec().help))
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
