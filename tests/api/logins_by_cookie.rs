//! Refresh tokens that a browser keeps in a cookie, and pages of other origins.

use life_rooms::config::Config;
use serde_json::{Value, json};

use crate::logins::{account, ended, is_out, log_in, logged_in, refresh, tampered};
use crate::support::{Answer, App};

const FRONT: &str = "https://front.example.org";

/// The cookie of an answer: its name with its value, and its attributes.
fn cookie(answer: &Answer) -> (String, String) {
    let (pair, attributes) = answer.header("set-cookie").split_once("; ").expect("a cookie");
    (pair.to_owned(), attributes.to_owned())
}

#[test]
fn a_browsers_refresh_token_is_a_cookie_that_no_script_reads() {
    let app = App::start();
    account(&app, "ann@example.org");
    let answer = log_in(&app, "ann@example.org", json!({ "cookie": true }));
    let (pair, attributes) = cookie(&answer);
    assert!(pair.starts_with("__Secure-life-rooms-refresh=lrr_"), "{pair}");
    assert_eq!(attributes, "Path=/v1/auth; Secure; HttpOnly; SameSite=Strict; Max-Age=7200");
    assert_eq!(answer.expect(200)["refresh_token"], Value::Null);
    let send = |path: &str, cookie: &str| {
        let headers = [("cookie", cookie), ("origin", FRONT), ("content-type", "application/json")];
        app.anonymous().send("POST", path, &headers, b"{}")
    };
    let answer = send("/v1/auth/refresh", &format!("theme=dark; {pair}"));
    let (next, _) = cookie(&answer);
    assert_ne!(next, pair);
    assert_eq!(answer.header("access-control-allow-origin"), FRONT);
    assert_eq!(answer.header("access-control-allow-credentials"), "true");
    let tokens = answer.expect(200);
    assert_eq!(tokens["refresh_token"], Value::Null);
    // A token counts only in the place where it was given.
    let value = next.split_once('=').unwrap().1;
    refresh(&app, value).problem(401, "unauthenticated");
    let left = send("/v1/auth/logout", &next);
    assert_eq!(left.status, 204);
    let (gone, attributes) = cookie(&left);
    assert_eq!(gone, "__Secure-life-rooms-refresh=");
    assert_eq!(attributes, "Path=/v1/auth; Secure; HttpOnly; SameSite=Strict; Max-Age=0");
    app.with_token(tokens["access_token"].as_str().unwrap()).get("/v1/me").problem(401, "unauthenticated");
}

#[test]
fn whoever_logs_out_with_a_cookie_and_a_token_in_the_body_ends_both_logins() {
    let app = App::start();
    let ann = account(&app, "ann@example.org");
    let answer = log_in(&app, "ann@example.org", json!({ "cookie": true }));
    let (pair, _) = cookie(&answer);
    let browser = app.with_token(answer.json["access_token"].as_str().unwrap());
    let (other, third) = (logged_in(&app, "ann@example.org"), logged_in(&app, "ann@example.org"));
    let headers = [("cookie", pair.as_str()), ("origin", FRONT)];
    let left = app.anonymous().post_with("/v1/auth/logout", &headers, &json!({ "refresh_token": other.refresh }));
    assert_eq!((left.status, cookie(&left).0.as_str()), (204, "__Secure-life-rooms-refresh="));
    browser.get("/v1/me").problem(401, "unauthenticated");
    is_out(&other);
    third.client.get("/v1/me").expect(200);
    assert_eq!(ended(&app, ann), ["logout", "logout"]);
    // A wrong token in one of the places doesn't keep the other from ending.
    let answer = log_in(&app, "ann@example.org", json!({ "cookie": true }));
    let (pair, _) = cookie(&answer);
    let headers = [("cookie", pair.as_str()), ("origin", FRONT)];
    let wrong = json!({ "refresh_token": tampered(&third.refresh) });
    assert_eq!(app.anonymous().post_with("/v1/auth/logout", &headers, &wrong).status, 204);
    app.with_token(answer.json["access_token"].as_str().unwrap()).get("/v1/me").problem(401, "unauthenticated");
    third.client.get("/v1/me").expect(200);
}

#[test]
fn a_page_of_another_origin_can_not_use_the_cookie() {
    let app = App::start_with(Config {
        allowed_origins: vec![FRONT.into()],
        public_url: "https://api.example.org".into(),
        ..Config::default()
    });
    account(&app, "ann@example.org");
    let (pair, _) = cookie(&log_in(&app, "ann@example.org", json!({ "cookie": true })));
    let json = ("content-type", "application/json");
    let attempts: &[&[(&str, &str)]] = &[
        &[json],
        &[json, ("origin", "https://evil.example.org")],
        &[json, ("origin", "null")],
        &[json, ("origin", "https://front.example.org.evil.example")],
        &[json, ("origin", "http://front.example.org")],
        &[json, ("origin", FRONT), ("origin", "https://evil.example.org")],
        &[("origin", FRONT), ("content-type", "text/plain")],
        &[("origin", FRONT), ("content-type", "application/x-www-form-urlencoded")],
        &[("origin", FRONT)],
    ];
    for path in ["/v1/auth/refresh", "/v1/auth/logout"] {
        for attempt in attempts {
            let headers = [*attempt, &[("cookie", pair.as_str())]].concat();
            let refused = app.anonymous().send("POST", path, &headers, b"{}");
            assert_eq!(refused.header("set-cookie"), "");
            refused.problem(403, "origin-not-allowed");
        }
    }
    let own = [json, ("origin", "https://api.example.org"), ("cookie", pair.as_str())];
    app.anonymous().send("POST", "/v1/auth/refresh", &own, b"{}").expect(200);
}

#[test]
fn only_requests_about_logins_may_be_sent_with_cookies_and_only_by_allowed_origins() {
    let app = App::start();
    let credentials = |path: &str, origin: &str| {
        let preflight = [("origin", origin), ("access-control-request-method", "POST")];
        let answer = app.anonymous().send("OPTIONS", path, &preflight, b"");
        answer.header("access-control-allow-credentials").to_owned()
    };
    assert_eq!(credentials("/v1/auth/refresh", FRONT), "true");
    assert_eq!(credentials("/v1/auth/refresh", "https://evil.example.org"), "");
    assert_eq!(credentials("/v1/venues", FRONT), "");
    assert_eq!(credentials("/v1/authors", FRONT), "");
}
