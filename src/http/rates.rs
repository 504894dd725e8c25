//! Limits how many requests one caller, or one network without a token, can send to a server.
//!
//! Every answer says how much of the limit is left (draft-ietf-httpapi-ratelimit-headers). The buckets are in this
//! server's memory: with several servers each lets so many through.

use actix_web::dev::ServiceRequest;
use actix_web::http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use actix_web::web::Data;

use super::allowed::strip_scheme;
use super::state::State;
use crate::auth::throttle::limiter::{Limiter, Verdict};
use crate::clock::{Clock, Id};
use crate::config::Limits;
use crate::error::Error;
use crate::text::network::Network;

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LEFT: HeaderName = HeaderName::from_static("ratelimit");
/// Paths below this one are never limited: whoever watches the service must see it under load too.
const EXEMPT: &str = "/health/";

/// The limits.
pub struct Rates {
    /// By login or API client.
    callers: Limiter<Id>,
    /// By network, for requests without a valid token.
    networks: Limiter<Network>,
}

impl Rates {
    /// Full buckets.
    pub fn new(limits: &Limits, clock: &Clock) -> Self {
        Self { callers: Limiter::new(limits.caller, clock), networks: Limiter::new(limits.network, clock) }
    }
}

/// What a limit says of one request, and the name of the limit.
pub(super) struct Rate {
    name: &'static str,
    verdict: Verdict,
}

impl Rate {
    /// Counts a request; `None` if it isn't limited.
    pub(super) fn of(request: &ServiceRequest, network: Network) -> Option<Self> {
        if request.path().starts_with(EXEMPT) {
            return None;
        }
        let state = request.app_data::<Data<State>>()?;
        let (name, verdict) = match caller(request, state) {
            Some(id) => ("caller", state.rates.callers.count(&id)),
            None => ("network", state.rates.networks.count(&network)),
        };
        verdict.map(|verdict| Self { name, verdict })
    }

    /// 429 if the request isn't let through.
    pub(super) fn refusal(&self) -> Option<Error> {
        let who = match self.name {
            "caller" => "this login or API client",
            _ => "your network without a token",
        };
        let limit = self.verdict.limit;
        self.verdict.wait.map(|seconds| {
            let detail = format!(
                "Too many requests from {who}: {} in {} seconds are let through. Try again in {seconds} s.",
                limit.count, limit.seconds
            );
            Error::too_many(detail, seconds)
        })
    }

    /// Adds the headers that say what the limit is and how much of it is left.
    pub(super) fn apply(&self, headers: &mut HeaderMap) {
        let Verdict { limit, remaining, full_in, wait } = self.verdict;
        let policy = format!("\"{}\";q={};w={}", self.name, limit.count, limit.seconds);
        // A refusal names the same time as `Retry-After`.
        let left = format!("\"{}\";r={remaining};t={}", self.name, wait.unwrap_or(full_in));
        for (name, value) in [(POLICY, policy), (LEFT, left)] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
    }
}

/// The login of the account, or the API client, whose valid token the request has. Whether it may still be used is found
/// out later: that needs the database. Each login has a limit of its own, so a stolen token that has ended doesn't use up
/// its owner's.
fn caller(request: &ServiceRequest, state: &State) -> Option<Id> {
    let header = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    let claims = state.tokens.verify(strip_scheme(header, "bearer")?, state.clock.now()).ok()?;
    Some(claims.sid.unwrap_or(claims.sub))
}
