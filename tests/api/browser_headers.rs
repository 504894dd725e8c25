//! What the answers tell a browser that opens them.

use life_rooms::config::Config;
use serde_json::json;

use crate::support::{Answer, App};

const DATA: &str = "default-src 'none'; frame-ancestors 'none'";

#[track_caller]
fn is_protected(answer: &Answer, readers: &str) {
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-resource-policy", readers),
        ("strict-transport-security", "max-age=31536000"),
    ] {
        assert_eq!(answer.header(name), value, "{name}: {:?}", answer.headers);
    }
    let policy = answer.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
}

#[test]
fn everything_that_a_browser_can_open_is_protected() {
    let app = App::start();
    let (anyone, admin) = (app.anonymous(), app.admin());
    let body = json!({ "slug": "a", "name": "A", "kind": "library", "local_authority": "Liverpool",
        "address": { "postcode": "L3 8EW" } });
    let made = admin.post("/v1/venues", &body).expect(201);
    let venue = crate::support::id(&made);
    for path in
        ["/v1/venues", "/openapi.json", "/health/live", "/.well-known/jwks.json", "/problems/not-found", "/docs/"]
    {
        is_protected(&anyone.get(path), "cross-origin");
    }
    let calendar = anyone.get(&format!("/v1/venues/{venue}/calendar.ics"));
    is_protected(&calendar, "cross-origin");
    assert_eq!((calendar.status, calendar.header("content-security-policy")), (200, DATA));
    let held = anyone.send("GET", "/v1/venues", &[("if-none-match", "*")], b"");
    assert_eq!(held.status, 304);
    is_protected(&held, "cross-origin");
    // Failures, the answers of the guard itself, and what only a holder of a token may read.
    is_protected(&anyone.get("/v1/nothing"), "cross-origin");
    is_protected(&anyone.send("OPTIONS", "/v1/venues", &[], b""), "same-origin");
    is_protected(&anyone.post("/v1/auth/login", &json!({})), "same-origin");
    is_protected(&admin.get("/v1/users"), "same-origin");
    assert_eq!(admin.get("/v1/users").header("content-security-policy"), DATA);
}

#[test]
fn browsers_are_told_to_use_https_only_if_clients_reach_the_service_so() {
    let app = App::start_with(Config { public_url: "http://127.0.0.1:8080".into(), ..Config::default() });
    assert_eq!(app.anonymous().get("/v1/venues").header("strict-transport-security"), "");
}

#[test]
fn the_pages_may_run_only_what_they_need() {
    let app = App::start();
    let problem = app.anonymous().send("GET", "/problems/not-found", &[("accept", "text/html")], b"");
    let policy = problem.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; style-src 'unsafe-inline';") && !policy.contains("script"));
    let docs = app.anonymous().get("/docs/");
    let policy = docs.header("content-security-policy");
    assert!(policy.contains("script-src 'self'") && policy.contains("connect-src 'self'"), "{policy}");
    assert!(!policy.contains("script-src 'self' 'unsafe") && !policy.contains("unsafe-eval"), "{policy}");
}
