//! The headers of answers. Each is described once, and the answers that carry it refer to it.

use serde_json::{Value, json};

use super::access::takes_a_key;

/// The name of a header of answers, what it says, and an example.
type Header = (&'static str, &'static str, &'static str);

const HEADERS: &[Header] = &[
    (
        "X-Request-Id",
        "The request's id: the client's `X-Request-Id` if it sent a valid one, otherwise a new id.",
        "0199d2f07a3c7bbda1f53d2c5a0e9b41",
    ),
    (
        "ETag",
        "Names this state of the resource. Send it in `If-Match` with a change, in `If-None-Match` with a read.",
        "\"1\"",
    ),
    ("Location", "The path where the result can be read.", "/v1/venues/0199d2f0-7a3c-7bbd-a1f5-3d2c5a0e9b41"),
    (
        "Link",
        "The next page (`rel=\"next\"`). The last page has no `Link`.",
        "</v1/venues?limit=50&cursor=eyJhdCI6WyJBIl0sImZvciI6IngifQ>; rel=\"next\"",
    ),
    ("Retry-After", "How many seconds to wait before trying again.", "2"),
    (
        "WWW-Authenticate",
        "How to authenticate, and what is wrong with the credentials that were sent.",
        "Bearer realm=\"life-rooms\"",
    ),
    ("Idempotent-Replay", "`true` if this answer was given to the same request before.", "true"),
    ("Preference-Applied", "The preference of `Prefer` that was followed.", "respond-async"),
    ("Accept-Patch", "The media types that a `PATCH` can have.", "application/merge-patch+json, application/json"),
    (
        "RateLimit-Policy",
        "The limit that the request was counted in: `q` requests in `w` seconds. `caller` is the limit of the login or \
         API client, `network` that of requests without a token from one network. Absent if the service has no limit.",
        "\"caller\";q=6000;w=60",
    ),
    (
        "RateLimit",
        "How many more requests are let through at once (`r`), and in how many seconds that is the whole limit again; in \
         a 429, in how many seconds the next request is let through (`t`).",
        "\"caller\";r=5999;t=1",
    ),
    (
        "Set-Cookie",
        "The refresh token, if the login asked for the cookie. After logging out, takes the cookie away.",
        "__Secure-life-rooms-refresh=lrr_AZnS8Ho; Path=/v1/auth; Secure; HttpOnly; SameSite=Strict; Max-Age=7200",
    ),
    ("Allow", "The methods that the path has.", "GET, HEAD, POST"),
];

/// The headers that every answer has that can have them.
const ALWAYS: [&str; 2] = ["X-Request-Id", "Location"];

/// A header's name in the document's `components`.
fn component(name: &str) -> String {
    name.replace('-', "")
}

/// The shared headers.
pub(super) fn components() -> Value {
    let described = |(name, text, example): &Header| {
        let (required, schema) = (ALWAYS.contains(name), json!({ "type": "string" }));
        let value = json!({ "description": text, "required": required, "schema": schema, "example": example });
        (component(name), value)
    };
    Value::Object(HEADERS.iter().map(described).collect())
}

/// Adds these headers to an answer.
pub(super) fn add(answer: &mut Value, names: &[&str]) {
    for name in names {
        answer["headers"][*name] = json!({ "$ref": format!("#/components/headers/{}", component(name)) });
    }
}

/// The headers of a problem with this status.
pub(super) fn of_problem(status: &str) -> Vec<&'static str> {
    let mut names = vec!["X-Request-Id", "RateLimit-Policy", "RateLimit"];
    names.extend(match status {
        "401" | "403" => &["WWW-Authenticate"][..],
        "415" => &["Accept-Patch"],
        "409" | "429" | "503" | "507" => &["Retry-After"],
        "default" => &["Allow", "Retry-After"],
        _ => &[],
    });
    names
}

/// The bodies that have no `ETag`, because they show no state that can be changed: a token, the members that a search
/// found, a merge, a decision.
const UNTAGGED: &[&str] = &[
    "/AccessToken",
    "/LoggedIn",
    "/MemberSearchResult",
    "/Accepted",
    "/Merge",
    "/MergeOutcome",
    "/RetentionDecision",
    "/Cancellation",
];

/// The operations that set or clear the cookie of a refresh token.
const WITH_COOKIE: [&str; 3] = ["login", "refresh_login", "log_out"];

/// The operations that are never limited: see [`crate::http::rates`].
const UNLIMITED: [&str; 2] = ["check_live", "check_ready"];

/// Adds the headers of an operation's answers, except its problems.
pub(super) fn complete(method: &str, operation: &mut Value) {
    let replayed = takes_a_key(method, operation);
    let limited = !operation["operationId"].as_str().is_some_and(|id| UNLIMITED.contains(&id));
    let sets_cookie = WITH_COOKIE.iter().any(|id| operation["operationId"] == *id);
    let conditional = operation["responses"].get("304").is_some();
    for (status, answer) in operation["responses"].as_object_mut().into_iter().flatten() {
        if !status.starts_with(['2', '3']) {
            continue;
        }
        let mut names = vec!["X-Request-Id"];
        if limited {
            names.extend(["RateLimit-Policy", "RateLimit"]);
        }
        let shown = answer["content"]["application/json"]["schema"]["$ref"].as_str().unwrap_or_default().to_owned();
        let is_untagged = UNTAGGED.iter().any(|name| shown.ends_with(name));
        let is_shown = conditional && status != "307";
        if is_shown || (method != "get" && !shown.is_empty() && !is_untagged) {
            names.push("ETag");
        }
        let is_later = status == "202" && shown.ends_with("/Job");
        let waits = status == "202" && (shown.ends_with("/ErasureRequest") || shown.ends_with("/Export"));
        if status == "201" || status == "307" || is_later || waits {
            names.push("Location");
        }
        if is_later {
            names.push("Preference-Applied");
        }
        if shown.ends_with("/Job") {
            names.push("Retry-After");
        }
        if shown.contains("/Page_") {
            names.push("Link");
        }
        if sets_cookie {
            names.push("Set-Cookie");
        }
        if replayed && status.starts_with('2') {
            names.push("Idempotent-Replay");
        }
        add(answer, &names);
    }
}
