//! The headers of answers. Each is described once, and the answers that carry it refer to it.

use serde_json::{Value, json};

use super::access::takes_a_key;

/// A header of answers.
struct Header {
    /// Its name on the wire.
    name: &'static str,
    /// Its name in the document's `components`.
    component: &'static str,
    text: &'static str,
    example: &'static str,
    /// Whether every answer that can have the header has it.
    always: bool,
}

const HEADERS: &[Header] = &[
    Header {
        name: "X-Request-Id",
        component: "XRequestId",
        text: "The request's id: the client's `X-Request-Id` if it sent a valid one, otherwise a new id.",
        example: "0199d2f07a3c7bbda1f53d2c5a0e9b41",
        always: true,
    },
    Header {
        name: "ETag",
        component: "ETag",
        text: "Names this state of the resource. Send it in `If-Match` with a change, in `If-None-Match` with a read.",
        example: "\"1\"",
        always: false,
    },
    Header {
        name: "Location",
        component: "Location",
        text: "The path where the result can be read.",
        example: "/v1/venues/0199d2f0-7a3c-7bbd-a1f5-3d2c5a0e9b41",
        always: true,
    },
    Header {
        name: "Link",
        component: "Link",
        text: "The next page (`rel=\"next\"`). The last page has no `Link`.",
        example: "</v1/venues?limit=50&cursor=eyJhdCI6WyJBIl0sImZvciI6IngifQ>; rel=\"next\"",
        always: false,
    },
    Header {
        name: "Retry-After",
        component: "RetryAfter",
        text: "How many seconds to wait before trying again.",
        example: "2",
        always: false,
    },
    Header {
        name: "WWW-Authenticate",
        component: "WWWAuthenticate",
        text: "How to authenticate, and what is wrong with the credentials that were sent.",
        example: "Bearer realm=\"life-rooms\"",
        always: false,
    },
    Header {
        name: "Idempotent-Replay",
        component: "IdempotentReplay",
        text: "`true` if this answer was given to the same request before.",
        example: "true",
        always: false,
    },
    Header {
        name: "Preference-Applied",
        component: "PreferenceApplied",
        text: "The preference of `Prefer` that was followed.",
        example: "respond-async",
        always: false,
    },
    Header {
        name: "Accept-Patch",
        component: "AcceptPatch",
        text: "The media types that a `PATCH` can have.",
        example: "application/merge-patch+json, application/json",
        always: false,
    },
    Header {
        name: "Allow",
        component: "Allow",
        text: "The methods that the path has.",
        example: "GET, HEAD, POST",
        always: false,
    },
];

/// The shared headers.
pub(super) fn components() -> Value {
    let component = |header: &Header| {
        let schema = json!({ "type": "string" });
        let value = json!({
            "description": header.text, "required": header.always, "schema": schema, "example": header.example
        });
        (header.component.to_owned(), value)
    };
    Value::Object(HEADERS.iter().map(component).collect())
}

/// Adds these headers to an answer.
pub(super) fn add(answer: &mut Value, names: &[&str]) {
    for header in HEADERS.iter().filter(|header| names.contains(&header.name)) {
        answer["headers"][header.name] = json!({ "$ref": format!("#/components/headers/{}", header.component) });
    }
}

/// The headers of a problem with this status.
pub(super) fn of_problem(status: &str) -> Vec<&'static str> {
    let mut names = vec!["X-Request-Id"];
    names.extend(match status {
        "401" | "403" => &["WWW-Authenticate"][..],
        "415" => &["Accept-Patch"],
        "409" | "503" | "507" => &["Retry-After"],
        "default" => &["Allow", "Retry-After"],
        _ => &[],
    });
    names
}

/// The bodies that have no `ETag`, because they show no stored state: a token, and the members that a search found.
const UNTAGGED: [&str; 2] = ["/AccessToken", "/MemberSearchResult"];

/// Adds the headers of an operation's answers, except its problems.
pub(super) fn complete(method: &str, operation: &mut Value) {
    let replayed = takes_a_key(method, operation);
    let conditional = operation["responses"].get("304").is_some();
    for (status, answer) in operation["responses"].as_object_mut().into_iter().flatten() {
        if !status.starts_with(['2', '3']) {
            continue;
        }
        let mut names = vec!["X-Request-Id"];
        let shown = answer["content"]["application/json"]["schema"]["$ref"].as_str().unwrap_or_default().to_owned();
        let is_untagged = UNTAGGED.iter().any(|name| shown.ends_with(name));
        if conditional || (method != "get" && !shown.is_empty() && !is_untagged) {
            names.push("ETag");
        }
        if status == "201" || status == "202" {
            names.push("Location");
        }
        if status == "202" {
            names.push("Preference-Applied");
        }
        if shown.ends_with("/Job") {
            names.push("Retry-After");
        }
        if shown.contains("/Page_") {
            names.push("Link");
        }
        if replayed && status.starts_with('2') {
            names.push("Idempotent-Replay");
        }
        add(answer, &names);
    }
}
