//! Logging in, tokens of accounts and API clients, and what is no token.

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::Algorithm;
use life_rooms::auth::caller::Scope;
use serde_json::{Value, json};

use crate::support::{Answer, App, Client, id, partner};

const PASSWORD: &str = "correct horse battery";

fn account(app: &App, email: &str) -> Value {
    let body = json!({ "email": email, "role": "advisor", "display_name": "Dana P.", "password": PASSWORD });
    app.admin().post("/v1/users", &body).expect(201)
}

fn log_in(app: &App, email: &str, password: &str) -> Answer {
    app.anonymous().post("/v1/auth/login", &json!({ "email": email, "password": password }))
}

fn logged_in(app: &App, email: &str, password: &str) -> Client {
    let token = log_in(app, email, password).expect(200);
    app.with_token(token["access_token"].as_str().unwrap())
}

#[test]
fn an_account_logs_in_and_uses_its_token() {
    let app = App::start();
    let made = account(&app, "ann@example.org");
    let answer = log_in(&app, "Ann@Example.org", PASSWORD);
    assert_eq!(answer.header("cache-control"), "no-store");
    let token = answer.expect(200);
    assert_eq!((&token["token_type"], &token["expires_in"]), (&json!("Bearer"), &json!(900)));
    let me = app.with_token(token["access_token"].as_str().unwrap()).get("/v1/me");
    assert_eq!(me.header("cache-control"), "no-store");
    let me = me.expect(200);
    assert_eq!((&me["id"], &me["kind"], &me["role"]), (&made["id"], &json!("user"), &json!("advisor")));
    assert_eq!(me["name"], "ann@example.org");
}

#[test]
fn an_unknown_address_is_answered_as_a_wrong_password_is_and_takes_as_long() {
    let app = App::start();
    account(&app, "ann@example.org");
    let without = app.admin().post("/v1/users", &json!({ "email": "none@example.org", "role": "analyst" }));
    without.expect(201);
    let mut times = [Vec::new(), Vec::new(), Vec::new()];
    for minute in 0..7 {
        // Slowly enough for wrong passwords to be looked at.
        app.at(&format!("2026-11-23T09:{minute:02}:00Z"));
        let mut bodies = Vec::new();
        for (email, times) in ["ann@example.org", "nobody@example.org", "none@example.org"].iter().zip(&mut times) {
            let started = Instant::now();
            let mut problem = log_in(&app, email, "wrong horse battery").problem(401, "unauthenticated");
            times.push(started.elapsed());
            problem["request_id"] = Value::Null;
            bodies.push(problem);
        }
        assert_eq!(bodies[0], bodies[1]);
        assert_eq!(bodies[0], bodies[2]);
    }
    let [wrong, unknown, without] = times.map(|mut times| {
        times.sort();
        times[times.len() / 2].as_secs_f64()
    });
    for other in [unknown, without] {
        assert!(other > 0.3 * wrong && wrong > 0.3 * other, "{wrong} s and {other} s");
    }
}

#[test]
fn logging_in_takes_an_address_and_a_password_and_nothing_else() {
    let app = App::start();
    app.anonymous().post("/v1/auth/login", &json!({})).invalid(&["/email", "/password"]);
    let body = json!({ "email": "ann@example.org", "password": 7, "role": "admin" });
    app.anonymous().post("/v1/auth/login", &body).invalid(&["/password", "/role"]);
    log_in(&app, "ann@example.org", &"x".repeat(129)).invalid(&["/password"]);
    log_in(&app, "ann@example.org", "nul\0nul").invalid(&["/password"]);
}

#[test]
fn a_disabled_account_is_out_on_its_next_request() {
    let app = App::start();
    let made = account(&app, "ann@example.org");
    let ann = logged_in(&app, "ann@example.org", PASSWORD);
    ann.get("/v1/me").expect(200);
    let path = format!("/v1/users/{}", id(&made));
    app.admin().patch(&path, "\"1\"", &json!({ "disabled": true })).expect(200);
    let answer = ann.get("/v1/me");
    assert!(answer.header("www-authenticate").starts_with("Bearer"));
    answer.problem(401, "unauthenticated");
    log_in(&app, "ann@example.org", PASSWORD).problem(401, "unauthenticated");
    app.admin().patch(&path, "\"2\"", &json!({ "disabled": false })).expect(200);
    ann.get("/v1/me").problem(401, "unauthenticated");
    logged_in(&app, "ann@example.org", PASSWORD).get("/v1/me").expect(200);
}

#[test]
fn changing_ones_password_ends_ones_tokens() {
    let app = App::start();
    account(&app, "ann@example.org");
    let ann = logged_in(&app, "ann@example.org", PASSWORD);
    let change = |current: &str, new: &str| {
        ann.put("/v1/me/password", "", &json!({ "current_password": current, "new_password": new }))
    };
    change("wrong horse battery", "paper boat under the lamp").invalid(&["/current_password"]);
    change(PASSWORD, "short").invalid(&["/new_password"]);
    assert_eq!(change(PASSWORD, "paper boat under the lamp").status, 204);
    ann.get("/v1/me").problem(401, "unauthenticated");
    log_in(&app, "ann@example.org", PASSWORD).problem(401, "unauthenticated");
    logged_in(&app, "ann@example.org", "paper boat under the lamp").get("/v1/me").expect(200);
}

#[test]
fn a_token_ends_after_fifteen_minutes() {
    let app = App::start();
    account(&app, "ann@example.org");
    let ann = logged_in(&app, "ann@example.org", PASSWORD);
    app.at("2026-11-23T09:14:59Z");
    ann.get("/v1/me").expect(200);
    app.at("2026-11-23T09:15:00Z");
    ann.get("/v1/me").problem(401, "unauthenticated");
    ann.get("/v1/venues").problem(401, "unauthenticated");
    // Another server's clock may be half a minute behind, and no more.
    app.at("2026-11-23T08:59:30Z");
    ann.get("/v1/me").expect(200);
    app.at("2026-11-23T08:59:29Z");
    ann.get("/v1/me").problem(401, "unauthenticated");
}

/// A partner with a real API client, through the API: the partner, the client, its id and its secret.
fn api_client(app: &App, scopes: &Value) -> (Value, String, String, String) {
    let admin = app.admin();
    let own = partner(&admin, "the-reader");
    let path = format!("/v1/partners/{}/clients", id(&own));
    let made = admin.post(&path, &json!({ "name": "Scheduling", "scopes": scopes })).expect(201);
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    let path = format!("{path}/{}", id(&made));
    (own, path, text("client_id"), text("client_secret"))
}

fn basic(client_id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{client_id}:{secret}")))
}

/// A real client's `Authorization` at the token endpoint.
pub fn credentials(app: &App) -> String {
    let made = partner(&app.admin(), "with-credentials");
    let path = format!("/v1/partners/{}/clients", id(&made));
    let made = app.admin().post(&path, &json!({ "name": "Tests", "scopes": [] })).expect(201);
    basic(made["client_id"].as_str().unwrap(), made["client_secret"].as_str().unwrap())
}

fn ask(app: &App, client_id: &str, secret: &str, form: &str) -> Answer {
    let basic = basic(client_id, secret);
    let headers = [("authorization", basic.as_str()), ("content-type", "application/x-www-form-urlencoded")];
    app.anonymous().send("POST", "/v1/oauth/token", &headers, form.as_bytes())
}

const GRANT: &str = "grant_type=client_credentials";

fn client_token(app: &App, client_id: &str, secret: &str, scope: &str) -> Client {
    let answer = ask(app, client_id, secret, &format!("{GRANT}&scope={scope}")).expect(200);
    assert_eq!(answer["scope"], scope.replace("%20", " "));
    app.with_token(answer["access_token"].as_str().unwrap())
}

#[test]
fn a_client_gets_a_token_for_all_its_scopes_or_for_some() {
    let app = App::start();
    let (own, _, client_id, secret) = api_client(&app, &json!(["programmes:write", "rosters:read"]));
    let answer = ask(&app, &client_id, &secret, GRANT);
    assert_eq!(answer.header("cache-control"), "no-store");
    let token = answer.expect(200);
    assert_eq!(token["scope"], "programmes:write rosters:read");
    assert_eq!((&token["token_type"], &token["expires_in"]), (&json!("Bearer"), &json!(900)));
    let all = app.with_token(token["access_token"].as_str().unwrap());
    let me = all.get("/v1/me").expect(200);
    assert_eq!((&me["kind"], &me["role"], &me["partner_id"]), (&json!("client"), &json!("partner"), &own["id"]));
    assert_eq!((&me["id"], &me["name"]), (&json!(client_id), &json!("Scheduling")));
    let path = format!("/v1/partners/{}/programmes", id(&own));
    all.post(&path, &json!({ "slug": "a", "name": "A" })).expect(201);

    let some = client_token(&app, &client_id, &secret, "rosters:read");
    assert_eq!(some.get("/v1/me").expect(200)["scopes"], json!(["rosters:read"]));
    let answer = some.post(&path, &json!({ "slug": "b", "name": "B" }));
    assert!(answer.header("www-authenticate").contains("insufficient_scope"), "{:?}", answer.headers);
    answer.problem(403, "insufficient-scope");
    assert_eq!(app.anonymous().get(&path).json["items"].as_array().unwrap().len(), 1);
}

#[test]
fn a_client_without_scopes_reads_the_catalogue() {
    let app = App::start();
    let (own, _, client_id, secret) = api_client(&app, &json!([]));
    let token = ask(&app, &client_id, &secret, GRANT).expect(200);
    let client = app.with_token(token["access_token"].as_str().unwrap());
    client.get("/v1/venues").expect(200);
    let path = format!("/v1/partners/{}/programmes", id(&own));
    client.post(&path, &json!({ "slug": "b", "name": "B" })).problem(403, "insufficient-scope");
    client
        .put("/v1/me/password", "", &json!({ "current_password": "x", "new_password": "paper boat under the lamp" }))
        .problem(403, "forbidden");
}

#[test]
fn what_is_wrong_with_a_token_request_is_said() {
    let app = App::start();
    let (_, _, client_id, secret) = api_client(&app, &json!(["rosters:read"]));
    let scope = |name: &str| ask(&app, &client_id, &secret, &format!("{GRANT}&scope={name}"));
    scope("everything").problem(400, "token-refused");
    scope("rosters:read%20rosters:write").problem(400, "token-refused");
    for (id, given) in [
        (client_id.as_str(), "wrong"),
        (&client_id, ""),
        ("", &secret),
        (&app.clock.new_id().to_string(), &secret),
        ("' or 1=1 --", &secret),
    ] {
        let answer = ask(&app, id, given, GRANT);
        assert!(answer.header("www-authenticate").starts_with("Basic"), "{:?}", answer.headers);
        answer.problem(401, "invalid-client");
    }
    for header in ["Basic", "Basic !!!", "Basic bm9jb2xvbg==", "Bearer x"] {
        let headers = [("authorization", header), ("content-type", "application/x-www-form-urlencoded")];
        app.anonymous().send("POST", "/v1/oauth/token", &headers, GRANT.as_bytes()).problem(401, "invalid-client");
    }
    // Who asks comes first, then what they send.
    app.anonymous().post("/v1/oauth/token", &json!({})).problem(401, "invalid-client");
    let basic = basic(&client_id, &secret);
    app.anonymous()
        .post_with("/v1/oauth/token", &[("authorization", &basic)], &json!({}))
        .problem(415, "unsupported-media-type");
}

#[test]
fn a_revoked_client_is_out_at_once() {
    let app = App::start();
    let (_, path, client_id, secret) = api_client(&app, &json!(["rosters:read"]));
    let client = client_token(&app, &client_id, &secret, "rosters:read");
    client.get("/v1/me").expect(200);
    assert_eq!(app.admin().delete(&path).status, 204);
    client.get("/v1/me").problem(401, "unauthenticated");
    client.get("/v1/venues").problem(401, "unauthenticated");
    ask(&app, &client_id, &secret, GRANT).problem(401, "invalid-client");
}

#[test]
fn rotating_a_client_ends_its_old_secret_and_its_tokens() {
    let app = App::start();
    let (_, path, client_id, secret) = api_client(&app, &json!(["rosters:read"]));
    let client = client_token(&app, &client_id, &secret, "rosters:read");
    let rotated = app.admin().send("POST", &format!("{path}/rotate"), &[], b"").expect(200);
    assert_eq!(rotated["client_id"], client_id);
    client.get("/v1/me").problem(401, "unauthenticated");
    ask(&app, &client_id, &secret, GRANT).problem(401, "invalid-client");
    let secret = rotated["client_secret"].as_str().unwrap();
    client_token(&app, &client_id, secret, "rosters:read").get("/v1/me").expect(200);
}

#[test]
fn a_partner_that_is_paused_gets_no_token_and_its_live_ones_are_403() {
    let app = App::start();
    let admin = app.admin();
    let (own, _, client_id, secret) = api_client(&app, &json!(["rosters:read"]));
    let body = json!({ "email": "p@example.org", "role": "partner", "partner_id": own["id"], "password": PASSWORD });
    admin.post("/v1/users", &body).expect(201);
    let client = client_token(&app, &client_id, &secret, "rosters:read");
    let user = logged_in(&app, "p@example.org", PASSWORD);
    let path = format!("/v1/partners/{}", id(&own));
    for (version, status) in [("\"1\"", "paused"), ("\"2\"", "ended")] {
        admin.patch(&path, version, &json!({ "status": status })).expect(200);
        for caller in [&client, &user] {
            caller.get("/v1/me").problem(403, "forbidden");
            caller.get("/v1/venues").problem(403, "forbidden");
        }
        ask(&app, &client_id, &secret, GRANT).problem(401, "invalid-client");
        log_in(&app, "p@example.org", PASSWORD).problem(403, "forbidden");
        log_in(&app, "p@example.org", "wrong horse battery").problem(401, "unauthenticated");
    }
    admin.patch(&path, "\"3\"", &json!({ "status": "active" })).expect(200);
    client.get("/v1/me").expect(200);
}

#[test]
fn the_published_keys_are_those_that_tokens_are_signed_with() {
    let app = App::start();
    account(&app, "ann@example.org");
    let answer = log_in(&app, "ann@example.org", PASSWORD).expect(200);
    let token = answer["access_token"].as_str().unwrap();
    let decode = |part: &str| -> Value { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap() };
    let parts: Vec<&str> = token.split('.').collect();
    let (header, claims) = (decode(parts[0]), decode(parts[1]));
    assert_eq!((&header["alg"], &header["typ"]), (&json!("EdDSA"), &json!("at+jwt")));
    assert_eq!((&claims["iss"], &claims["aud"]), (&json!("https://life-rooms.invalid"), &json!("life-rooms")));

    let jwks = app.anonymous().get("/.well-known/jwks.json").expect(200);
    let keys = jwks["keys"].as_array().unwrap();
    let key = keys.iter().find(|key| key["kid"] == header["kid"]).expect("the key of the token");
    assert_eq!((&key["kty"], &key["crv"], &key["alg"]), (&json!("OKP"), &json!("Ed25519"), &json!("EdDSA")));
    assert!(key.get("d").is_none(), "a private key was published");
    let public = URL_SAFE_NO_PAD.decode(key["x"].as_str().unwrap()).unwrap();
    let decoding = jsonwebtoken::DecodingKey::from_ed_der(&public);
    let mut validation = jsonwebtoken::Validation::new(Algorithm::EdDSA);
    validation.set_audience(&["life-rooms"]);
    validation.validate_exp = false;
    let verified = jsonwebtoken::decode::<Value>(token, &decoding, &validation).expect("the key verifies the token");
    assert_eq!(verified.claims, claims);
}

#[test]
fn the_metadata_say_where_tokens_come_from() {
    let app = App::start();
    let metadata = app.anonymous().get("/.well-known/oauth-authorization-server").expect(200);
    let issuer = metadata["issuer"].as_str().unwrap();
    assert_eq!(issuer, "https://life-rooms.invalid");
    assert_eq!(metadata["token_endpoint"], format!("{issuer}/v1/oauth/token"));
    assert_eq!(metadata["jwks_uri"], format!("{issuer}/.well-known/jwks.json"));
    assert_eq!(metadata["grant_types_supported"], json!(["client_credentials"]));
    assert_eq!(metadata["token_endpoint_auth_methods_supported"], json!(["client_secret_basic"]));
    let scopes = metadata["scopes_supported"].as_array().unwrap();
    assert_eq!(scopes.len(), 7);
    assert!(scopes.contains(&json!(Scope::ProgrammesWrite.name())));
}

#[test]
fn many_logins_at_once_leave_room_for_other_requests() {
    let app = App::start();
    account(&app, "ann@example.org");
    let (statuses, answered) = std::thread::scope(|scope| {
        let logins: Vec<_> =
            (0..60).map(|_| scope.spawn(|| log_in(&app, "ann@example.org", PASSWORD).status)).collect();
        let (anonymous, mut answered) = (app.anonymous(), Vec::new());
        while logins.iter().any(|login| !login.is_finished()) {
            let started = Instant::now();
            anonymous.get("/v1/venues").expect(200);
            answered.push(started.elapsed());
        }
        let statuses: Vec<u16> = logins.into_iter().map(|login| login.join().unwrap()).collect();
        (statuses, answered)
    });
    assert!(statuses.iter().all(|status| [200, 429, 503].contains(status)), "{statuses:?}");
    assert!(statuses.contains(&200), "{statuses:?}");
    let mut answered: Vec<Duration> = answered;
    answered.sort();
    assert!(answered.len() > 5, "only {} other requests were answered", answered.len());
    assert!(answered[answered.len() / 2] < Duration::from_secs(2), "{answered:?}");
}
