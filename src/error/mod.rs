//! Every failure of the service: one [`Error`], one table from [`Kind`] to status and problem type, and the
//! problem document (RFC 9457) that a client reads.

mod kind;

use std::borrow::Cow;
use std::fmt;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::clock::Id;
pub use kind::{Kind, Spec};

/// The result of most functions of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failure: its kind, what to tell the client, and the cause, which only the log may hold.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    kind: Kind,
    detail: Cow<'static, str>,
    faults: Vec<Fault>,
    retry_after: Option<u32>,
    headers: Vec<(&'static str, String)>,
    /// The code of RFC 6749, if the failure answers a token request.
    oauth: Option<&'static str>,
    /// Whether to send the problem as `application/json`, because the client doesn't accept problem documents.
    plain_json: bool,
    candidates: Vec<serde_json::Value>,
    conflicts: Vec<serde_json::Value>,
    /// The id that the request names, and the id that it leads to.
    leads_to: Option<(Id, Id)>,
    trouble: Trouble,
    cause: Option<String>,
}

/// What a failure means for the database connection that it came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    /// Nothing: the closure returned the failure, or a constraint was broken.
    None,
    /// The connection is in an unknown state.
    Broken,
    /// The database server closed the connection.
    Lost,
    /// Two transactions were in each other's way. Running this one again may succeed.
    Collided,
    /// Another transaction held a row for longer than a statement waits.
    Blocked,
}

/// One thing wrong with a request, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Fault {
    /// The place in the body, as a JSON pointer (RFC 6901).
    #[serde(default)]
    #[schema(example = "/title")]
    pub pointer: Option<String>,
    /// The name of the path parameter, query parameter or header.
    #[serde(default)]
    #[schema(example = "limit")]
    pub parameter: Option<String>,
    /// A stable name of the fault, for programs. `unknown_field` means a property of the body that isn't known here;
    /// `unknown_member` means a person who doesn't exist.
    #[schema(example = "too_long")]
    pub code: Cow<'static, str>,
    /// A sentence for people: what is wrong and what to do.
    #[schema(example = "Must be at most 200 characters.")]
    pub detail: Cow<'static, str>,
}

impl Fault {
    /// A fault in the body.
    pub fn at(
        pointer: impl Into<String>,
        code: impl Into<Cow<'static, str>>,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { pointer: Some(pointer.into()), parameter: None, code: code.into(), detail: detail.into() }
    }

    /// A fault in a path or query parameter, or a header.
    pub fn in_parameter(
        name: impl Into<String>,
        code: impl Into<Cow<'static, str>>,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { pointer: None, parameter: Some(name.into()), code: code.into(), detail: detail.into() }
    }
}

/// A problem document (RFC 9457), the body of every answer that is neither 2xx nor 3xx.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// A path on this server with a page that explains this type of problem.
    #[schema(example = "/problems/invalid-body")]
    pub r#type: String,
    /// The type of problem in a few words.
    #[schema(example = "The body breaks a rule")]
    pub title: &'static str,
    /// The HTTP status.
    #[schema(example = 422)]
    pub status: u16,
    /// The type of problem, as a name for programs.
    #[schema(value_type = Kind, example = "invalid_body")]
    pub code: String,
    /// What is wrong in this case, and what to do.
    #[schema(example = "1 thing is wrong with the body; see errors.")]
    pub detail: String,
    /// The path of the request.
    #[schema(example = "/v1/venues")]
    pub instance: String,
    /// The request's id, as in `X-Request-Id` and the server's log.
    #[schema(example = "0199d2f07a3c7bbda1f53d2c5a0e9b41")]
    pub request_id: String,
    /// Every fault of the input.
    pub errors: Vec<Fault>,
    /// The members that the person may be, the likeliest first, if `code` is `possible_duplicate`; otherwise empty.
    #[schema(value_type = Vec<Object>)]
    pub candidates: Vec<serde_json::Value>,
    /// What stands in the way of merging two records, if `code` is `merge_conflict`; otherwise empty.
    #[schema(value_type = Vec<Object>)]
    pub conflicts: Vec<serde_json::Value>,
    /// The id of the record that the person has now, if `code` is `merged`; otherwise null.
    pub merged_into: Option<Id>,
    /// The code of RFC 6749, section 5.2. Only in answers to token requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "invalid_scope")]
    pub error: Option<&'static str>,
    /// `detail` in the characters that RFC 6749 allows. Only in answers to token requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "The client does not have the scope rosters:write.")]
    pub error_description: Option<String>,
}

/// A sentence in the characters that RFC 6749, section 5.2, allows in `error_description`.
fn description(detail: &str) -> String {
    let allowed = |c: char| matches!(c, ' '..='!' | '#'..='[' | ']'..='~');
    detail.chars().map(|c| if allowed(c) { c } else { '\'' }).collect()
}

impl Error {
    /// A failure of this kind. `detail` says what is wrong in this case.
    pub fn new(kind: Kind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            kind,
            detail: detail.into(),
            faults: Vec::new(),
            retry_after: None,
            headers: Vec::new(),
            oauth: None,
            plain_json: false,
            candidates: Vec::new(),
            conflicts: Vec::new(),
            leads_to: None,
            trouble: Trouble::None,
            cause: None,
        }))
    }

    /// Adds one fault.
    pub fn with(mut self, fault: Fault) -> Self {
        self.0.faults.push(fault);
        self
    }

    /// Puts `at` in front of every fault's JSON pointer.
    pub fn below(mut self, at: &str) -> Self {
        for pointer in self.0.faults.iter_mut().filter_map(|fault| fault.pointer.as_mut()) {
            pointer.insert_str(0, at);
        }
        self
    }

    /// Adds the existing members that a new member may duplicate.
    pub fn with_candidates(mut self, candidates: Vec<serde_json::Value>) -> Self {
        self.0.candidates = candidates;
        self
    }

    /// Adds what stands in the way of merging two records.
    pub fn with_conflicts(mut self, conflicts: Vec<serde_json::Value>) -> Self {
        self.0.conflicts = conflicts;
        self
    }

    /// The member with the id `old` was merged into the member with the id `into`: 409. The answer to a read leads to the
    /// other id instead ([`leads_to`](Self::leads_to)).
    pub fn merged(old: Id, into: Id) -> Self {
        let detail = "The record was merged into another. Send this again with the id in merged_into.";
        let mut error = Self::new(Kind::Merged, detail);
        error.0.leads_to = Some((old, into));
        error
    }

    /// The id that the request names, and the id that it leads to, if the request names a record that was merged.
    pub fn leads_to(&self) -> Option<(Id, Id)> {
        self.0.leads_to
    }

    /// Keeps a cause for the log. It is never shown to a client.
    pub fn because(mut self, cause: impl fmt::Display) -> Self {
        self.0.cause = Some(cause.to_string());
        self
    }

    /// The body can be read but breaks rules: 422 with every fault.
    pub fn invalid(faults: Vec<Fault>) -> Self {
        let detail = match faults.len() {
            1 => "1 thing is wrong with the body; see errors.".into(),
            n => Cow::Owned(format!("{n} things are wrong with the body; see errors.")),
        };
        let mut error = Self::new(Kind::InvalidBody, detail);
        error.0.faults = faults;
        error
    }

    /// Nothing is wrong if there are no faults; otherwise 422 with every fault.
    ///
    /// # Errors
    /// 422 if there are any.
    pub fn unless_none(faults: Vec<Fault>) -> Result<()> {
        if faults.is_empty() { Ok(()) } else { Err(Self::invalid(faults)) }
    }

    /// Another request has changed the resource in between: 412.
    pub fn changed_meanwhile() -> Self {
        Self::new(Kind::PreconditionFailed, "It was changed at the same time. Read it again and repeat.")
    }

    /// One rule of the body is broken: 422.
    pub fn rule(
        pointer: impl Into<String>,
        code: impl Into<Cow<'static, str>>,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::invalid(vec![Fault::at(pointer, code, detail)])
    }

    /// A path or query value is wrong: 400.
    pub fn parameter(
        name: impl Into<String>,
        code: impl Into<Cow<'static, str>>,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        let fault = Fault::in_parameter(name, code, detail);
        let named = format!("{}: {}", fault.parameter.as_deref().unwrap_or_default(), fault.detail);
        Self::new(Kind::InvalidParameter, named).with(fault)
    }

    /// It does not exist, or it belongs to somebody else: 404 in both cases, so that nobody learns what others have.
    pub fn not_found(what: &str) -> Self {
        Self::new(Kind::NotFound, format!("There is no such {what}, or you may not see it."))
    }

    /// No credentials, or bad ones: 401.
    pub fn unauthenticated(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Unauthenticated, detail)
    }

    /// The token is wrong or has ended: 401 with `error="invalid_token"` in the challenge (RFC 6750, section 3.1).
    pub fn invalid_token(detail: impl Into<Cow<'static, str>>) -> Self {
        let challenge = "Bearer realm=\"life-rooms\", error=\"invalid_token\", \
                         error_description=\"The access token is wrong or has ended.\"";
        Self::unauthenticated(detail).header("WWW-Authenticate", challenge)
    }

    /// The token lacks a scope: 403, and the challenge names the scope.
    pub fn insufficient_scope(scope: &str) -> Self {
        let challenge = format!("Bearer realm=\"life-rooms\", error=\"insufficient_scope\", scope=\"{scope}\"");
        let detail = format!("This needs the scope {scope}.");
        Self::new(Kind::InsufficientScope, detail).header("WWW-Authenticate", challenge)
    }

    /// A refused token request: 400 with this code of RFC 6749, section 5.2.
    pub fn token_refused(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        let mut error = Self::new(Kind::TokenRefused, detail);
        error.0.oauth = Some(code);
        error
    }

    /// The same failure as an answer to a token request, with the `error` and `error_description` that OAuth clients
    /// read. RFC 6749 has no code for a limit or for a failure of the server, so such a failure gets neither.
    pub fn in_oauth(mut self, plain_json: bool) -> Self {
        if self.0.kind == Kind::TooManyRequests {
            return self;
        }
        let code = match self.0.kind {
            Kind::InvalidClient => "invalid_client",
            _ => self.0.oauth.unwrap_or("invalid_request"),
        };
        self.0.oauth = (self.0.kind.spec().status < 500).then_some(code);
        self.0.plain_json = plain_json;
        self.header("Pragma", "no-cache")
    }

    /// The caller's role may never do this: 403.
    pub fn forbidden(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Forbidden, detail)
    }

    /// The path doesn't have this method: 405 with `Allow`.
    pub fn method_not_allowed(allow: String) -> Self {
        Self::new(Kind::MethodNotAllowed, format!("This path has the methods {allow}.")).header("Allow", allow)
    }

    /// Adds a header to the answer. It replaces the header that the kind would set.
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.0.headers.push((name, value.into()));
        self
    }

    /// The current state doesn't allow the change: 409, and the sentence names the state. `change` is what can't be done,
    /// such as "be moved".
    pub fn state(what: &str, state: impl fmt::Display, change: &str) -> Self {
        Self::new(Kind::InvalidState, format!("The {what} is {state} and can't {change}."))
    }

    /// Adds to the sentence of [`Error::state`] that no other state follows.
    pub fn at_its_end(self) -> Self {
        self.but("", &[])
    }

    /// Adds to the sentence of [`Error::state`] what is possible in this state. `can` is how that sentence begins, such as
    /// "It can be". In the last state nothing is possible.
    pub fn but(mut self, can: &str, possible: &[&str]) -> Self {
        let sentence = match possible {
            [] => "This is its last state.".to_owned(),
            [only] => format!("{can} {only}."),
            [first @ .., last] => format!("{can} {} or {last}.", first.join(", ")),
        };
        self.0.detail = format!("{} {sentence}", self.0.detail).into();
        self
    }

    /// The server can't do it now: 503.
    pub fn unavailable(detail: &'static str) -> Self {
        let mut error = Self::new(Kind::Unavailable, detail).retry_after(2);
        error.0.trouble = Trouble::Broken;
        error
    }

    /// Too many requests are waiting: 503.
    pub fn overloaded() -> Self {
        Self::new(Kind::Unavailable, "The service is busy. Nothing was changed. Try again shortly.").retry_after(1)
    }

    /// A limit is used up: 429. `seconds` says when the next request is let through.
    pub fn too_many(detail: impl Into<Cow<'static, str>>, seconds: u32) -> Self {
        Self::new(Kind::TooManyRequests, detail).retry_after(seconds.max(1))
    }

    /// The connection was lost during COMMIT: 503.
    pub fn outcome_unknown() -> Self {
        Self::new(
            Kind::OutcomeUnknown,
            "The connection to the database was lost while saving; it may or may not have been kept. Send it again \
             with the same Idempotency-Key to find out.",
        )
        .retry_after(2)
    }

    /// A fault of the service: 500.
    pub fn internal(cause: impl fmt::Display) -> Self {
        Self::new(Kind::Internal, "Something went wrong on our side. It has been logged under the request_id.")
            .because(cause)
    }

    /// A caught panic: 500, with its message for the log.
    pub fn panicked(panic: &(dyn std::any::Any + Send)) -> Self {
        let text = panic.downcast_ref::<&str>().copied();
        let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        Self::internal(format!("panicked: {}", text.unwrap_or("without words")))
    }

    /// Work on a blocking thread that didn't end: 500.
    pub fn blocking(cause: actix_web::error::BlockingError) -> Self {
        Self::internal(cause)
    }

    /// A copy, for the guard: the original stays with actix's response.
    pub(crate) fn same(&self) -> Self {
        Self(self.0.clone())
    }

    /// Two transactions were in each other's way: 503. Running the transaction again may succeed.
    pub fn collision(cause: impl fmt::Display) -> Self {
        let mut error = Self::overloaded().because(cause);
        error.0.trouble = Trouble::Collided;
        error
    }

    /// Marks the failure as one that comes of a row that another transaction holds. The transaction is tried again.
    pub fn blocked(mut self) -> Self {
        self.0.trouble = Trouble::Blocked;
        self
    }

    /// The database server closed the connection: 503. The connection can't be used again.
    pub fn lost(cause: impl fmt::Display) -> Self {
        let mut error = Self::unavailable("The database doesn't answer.").because(cause);
        error.0.trouble = Trouble::Lost;
        error
    }

    /// Marks the failure as one after which its connection is in an unknown state and can't be used again.
    pub fn breaking_connection(mut self) -> Self {
        self.0.trouble = Trouble::Broken;
        self
    }

    /// Says when to try again, in seconds.
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.0.retry_after = Some(seconds);
        self
    }

    /// The kind of failure.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The faults.
    pub fn into_faults(self) -> Vec<Fault> {
        self.0.faults
    }

    /// The cause that only the log may hold.
    pub fn cause(&self) -> Option<&str> {
        self.0.cause.as_deref()
    }

    /// Whether the connection that the failure came from can't be used again.
    pub fn breaks_connection(&self) -> bool {
        matches!(self.0.trouble, Trouble::Broken | Trouble::Lost)
    }

    /// Whether the database server closed the connection.
    pub fn lost_connection(&self) -> bool {
        self.0.trouble == Trouble::Lost
    }

    /// Whether the transaction may succeed if it runs again.
    pub fn collided(&self) -> bool {
        self.0.trouble == Trouble::Collided
    }

    /// Whether another transaction held what this one needs.
    pub fn is_blocked(&self) -> bool {
        self.0.trouble == Trouble::Blocked
    }

    /// The problem document.
    pub fn problem(&self, instance: &str, request_id: &str) -> Problem {
        let spec = self.0.kind.spec();
        Problem {
            r#type: format!("/problems/{}", spec.slug),
            title: spec.title,
            status: spec.status,
            code: self.0.kind.code(),
            detail: self.0.detail.clone().into_owned(),
            instance: instance.to_owned(),
            request_id: request_id.to_owned(),
            errors: self.0.faults.clone(),
            candidates: self.0.candidates.clone(),
            conflicts: self.0.conflicts.clone(),
            merged_into: self.0.leads_to.map(|(_, into)| into),
            error: self.0.oauth,
            error_description: self.0.oauth.map(|_| description(&self.0.detail)),
        }
    }

    /// The problem document as an answer, with the headers of its kind.
    pub fn response(&self, instance: &str, request_id: &str) -> HttpResponse {
        let problem = self.problem(instance, request_id);
        let mut response = HttpResponse::build(self.status_code());
        response.insert_header(("Cache-Control", "no-store"));
        if let Some(seconds) = self.0.retry_after {
            response.insert_header(("Retry-After", seconds));
        }
        match self.0.kind {
            Kind::Unauthenticated => response.insert_header(("WWW-Authenticate", "Bearer realm=\"life-rooms\"")),
            Kind::InvalidClient => response.insert_header(("WWW-Authenticate", "Basic realm=\"life-rooms\"")),
            _ => &mut response,
        };
        for (name, value) in &self.0.headers {
            response.insert_header((*name, value.as_str()));
        }
        let media_type = if self.0.plain_json { "application/json" } else { "application/problem+json" };
        response.content_type(media_type).body(serde_json::to_vec(&problem).unwrap_or_default())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.detail)?;
        match &self.0.cause {
            Some(cause) => write!(f, " ({cause})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.0.kind.spec().status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        // The guard writes the body: only it knows the path and the request id.
        HttpResponse::new(self.status_code())
    }
}
