//! Tokens for API clients in the words of OAuth 2.0 (RFC 6749) and bearer tokens in those of RFC 6750.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use life_rooms::auth::caller::Scope;
use serde_json::{Value, json};

use crate::support::{Answer, App, id, partner};

const GRANT: &str = "grant_type=client_credentials";

/// A client with one scope: its id and its secret.
fn client(app: &App) -> (String, String) {
    let admin = app.admin();
    let partner = partner(&admin, "the-reader");
    let body = json!({ "name": "scheduling", "scopes": ["rosters:read", "rosters:write"] });
    let made = admin.post(&format!("/v1/partners/{}/clients", id(&partner)), &body).expect(201);
    (made["client_id"].as_str().unwrap().into(), made["client_secret"].as_str().unwrap().into())
}

fn ask(app: &App, credentials: &str, form: &str, more: &[(&str, &str)]) -> Answer {
    let basic = format!("Basic {}", STANDARD.encode(credentials));
    let headers = [("authorization", basic.as_str()), ("content-type", "application/x-www-form-urlencoded")];
    app.anonymous().send("POST", "/v1/oauth/token", &[&headers[..], more].concat(), form.as_bytes())
}

/// The refusal has this status and code, in letters that RFC 6749 allows, beside what every problem has.
#[track_caller]
fn refused(answer: Answer, status: u16, slug: &str, code: &str) -> Value {
    assert_eq!((answer.header("cache-control"), answer.header("pragma")), ("no-store", "no-cache"));
    let problem = answer.problem(status, slug);
    assert_eq!(problem["error"], code, "{problem}");
    let described = problem["error_description"].as_str().unwrap();
    assert!(described.chars().all(|c| matches!(c, ' '..='!' | '#'..='[' | ']'..='~')), "{described}");
    problem
}

#[test]
fn a_token_request_is_refused_in_the_words_of_rfc_6749() {
    let app = App::start();
    let (client_id, secret) = client(&app);
    let right = format!("{client_id}:{secret}");
    for (form, code) in [
        ("grant_type=password", "unsupported_grant_type"),
        ("grant_type=", "invalid_request"),
        ("", "invalid_request"),
        ("scope=rosters:read", "invalid_request"),
        ("grant_type=client_credentials&grant_type=client_credentials", "invalid_request"),
        ("grant_type=client_credentials&scope=rosters:read&scope=rosters:read", "invalid_request"),
        ("grant_type=client_credentials&scope=sessions:write", "invalid_scope"),
        ("grant_type=client_credentials&scope=%22%5C%C3%A9", "invalid_scope"),
        ("grant_type=client_credentials&client_secret=x", "invalid_request"),
        ("grant_type=client_credentials&client_id=another", "invalid_request"),
    ] {
        refused(ask(&app, &right, form, &[]), 400, "token-refused", code);
    }
    for wrong in [
        format!("{client_id}:wrong"),
        format!("{client_id}:{secret}&x=1"),
        format!("{client_id}:{secret}=x"),
        format!("{client_id}&a=b:{secret}"),
        format!("{}:{secret}", uuid::Uuid::new_v4()),
        format!("{client_id}:"),
        client_id.clone(),
    ] {
        let answer = ask(&app, &wrong, GRANT, &[]);
        assert!(answer.header("www-authenticate").starts_with("Basic "), "{wrong}");
        let problem = refused(answer, 401, "invalid-client", "invalid_client");
        // It doesn't tell what was wrong, nor repeat what was sent.
        assert!(!problem.to_string().contains(&secret) && !problem.to_string().contains(&client_id), "{problem}");
    }
    let twice = [("authorization", "Basic x")];
    refused(ask(&app, &right, GRANT, &twice), 400, "malformed-request", "invalid_request");
    // Clients of OAuth say that they take JSON, and know no other type.
    let answer = ask(&app, &right, "grant_type=password", &[("accept", "application/json")]);
    assert_eq!((answer.status, answer.header("content-type")), (400, "application/json"));
    assert_eq!(answer.json["error"], "unsupported_grant_type");
}

#[test]
fn what_the_grant_does_not_know_is_ignored_and_what_is_encoded_is_decoded() {
    let app = App::start();
    let (client_id, secret) = client(&app);
    let encoded: String = secret.bytes().map(|byte| format!("%{byte:02X}")).collect();
    for (credentials, form, scope) in [
        (
            format!("{client_id}:{secret}"),
            "grant_type=client_credentials&audience=https%3A%2F%2Fa.example",
            "rosters:read rosters:write",
        ),
        (
            format!("{client_id}:{secret}"),
            "resource=a&resource=b&grant_type=client_credentials&scope=",
            "rosters:read rosters:write",
        ),
        (
            format!("{client_id}:{encoded}"),
            "grant_type=client_credentials&scope=rosters:write+rosters:write",
            "rosters:write",
        ),
    ] {
        let answer = ask(&app, &credentials, form, &[]);
        assert_eq!((answer.header("cache-control"), answer.header("pragma")), ("no-store", "no-cache"));
        let token = answer.expect(200);
        assert_eq!((&token["token_type"], &token["scope"]), (&json!("Bearer"), &json!(scope)), "{form}");
    }
    // A blank scope is none, and a query is as unknown as any other parameter.
    let basic = format!("Basic {}", STANDARD.encode(format!("{client_id}:{secret}")));
    let headers = [("authorization", basic.as_str()), ("content-type", "application/x-www-form-urlencoded")];
    let form = b"grant_type=client_credentials&scope=+";
    let token = app.anonymous().send("POST", "/v1/oauth/token?x=1", &headers, form).expect(200);
    assert_eq!(token["scope"], "rosters:read rosters:write");
}

#[test]
fn a_challenge_says_what_is_wrong_with_a_bearer_token() {
    let app = App::start();
    let challenge = |answer: Answer, status: u16| {
        assert_eq!(answer.status, status, "{}", answer.text);
        answer.header("www-authenticate").to_owned()
    };
    // Without a token there is nothing wrong with it.
    assert_eq!(challenge(app.anonymous().get("/v1/me"), 401), "Bearer realm=\"life-rooms\"");
    let basic = [("authorization", "Basic eDp5")];
    assert_eq!(challenge(app.anonymous().send("GET", "/v1/me", &basic, b""), 401), "Bearer realm=\"life-rooms\"");
    for path in ["/v1/me", "/v1/venues"] {
        assert!(challenge(app.with_token("x").get(path), 401).contains("error=\"invalid_token\""), "{path}");
    }
    let partner = partner(&app.admin(), "the-reader");
    let client = app.partner_client(id(&partner), &[Scope::BookingsRead]);
    let lacking = challenge(client.get(&format!("/v1/partners/{}/rosters", id(&partner))), 403);
    assert!(lacking.contains("error=\"insufficient_scope\", scope=\"rosters:read\""), "{lacking}");
    let job = format!("/v1/jobs/{}", uuid::Uuid::new_v4());
    client.get(&job).problem(403, "insufficient-scope");
    for scope in [Scope::RostersRead, Scope::RostersWrite] {
        app.partner_client(id(&partner), &[scope]).get(&job).problem(404, "not-found");
    }
}
