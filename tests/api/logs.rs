//! What logging in and tokens leave behind: a line in the log without anything of a person, and an event in the audit.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use diesel::prelude::*;
use life_rooms::db::schema::{audit_events, users};
use life_rooms::db::{Id, Json};
use serde_json::{Value, json};

use crate::support::log::{Listener, listen};
use crate::support::{Answer, App, id, member, partner};

const PASSWORD: &str = "paper boat under the lamp";
/// A wrong password, an unknown address, and a wrong secret that nothing else has.
const WRONG: &str = "wrongest-password-4711";
const NOBODY: &str = "nobody.at.all@unheard.example.org";
const GUESS: &str = "a-guess-at-a-secret-4711";

/// Everything that the log must not hold.
#[derive(Default)]
struct Secrets(Vec<String>);

impl Secrets {
    fn add(&mut self, secrets: &[&str]) {
        self.0.extend(secrets.iter().map(|secret| (*secret).to_owned()));
    }

    /// The tokens and secrets of an answer. All access tokens have the same first part.
    fn add_tokens(&mut self, answer: &Value) {
        for name in ["refresh_token", "client_secret"] {
            self.0.extend(answer[name].as_str().map(str::to_owned));
        }
        let parts = answer["access_token"].as_str().into_iter().flat_map(|token| token.split('.').skip(1));
        self.0.extend(parts.map(str::to_owned));
    }

    #[track_caller]
    fn are_not_in(&self, listener: &Listener) {
        let lines = listener.lines();
        for secret in self.0.iter().filter(|secret| !secret.is_empty()) {
            let told = lines.iter().find(|line| line.to_lowercase().contains(&secret.to_lowercase()));
            assert!(told.is_none(), "{secret:?} in {told:?}");
        }
    }
}

/// The server's own lines about a request: what it says, beside the line that every request has.
fn said_of(listener: &Listener, answer: &Answer) -> Vec<String> {
    let lines = listener.lines_with(answer.header("x-request-id"));
    let own = lines.iter().filter(|line| !line.contains("life_rooms::access"));
    own.map(|line| line.split_once(answer.header("x-request-id")).unwrap().1.trim().to_owned()).collect()
}

/// An event: who did something, what it is about, and the names of fields.
type Told<Fields> = (String, Option<Id>, String, Option<Id>, Fields);

/// The events with this action.
fn events(app: &App, action: &str) -> Vec<Told<Vec<String>>> {
    let rows: Vec<Told<Json<Vec<String>>>> = audit_events::table
        .filter(audit_events::action.eq(action))
        .order(audit_events::id)
        .select((
            audit_events::actor_kind,
            audit_events::actor_id,
            audit_events::resource_kind,
            audit_events::resource_id,
            audit_events::fields,
        ))
        .load(&mut app.conn())
        .unwrap();
    rows.into_iter().map(|(kind, actor, what, id, fields)| (kind, actor, what, id, fields.0)).collect()
}

#[test]
fn logging_in_leaves_a_line_and_an_event_and_neither_holds_anything_of_the_person() {
    let (listener, app) = (listen(), App::start());
    let mut secrets = Secrets::default();
    let person = member(&app.advisor(), "Ottoline", "Featherstonehaugh");
    let account: Id = app.member(id(&person)).id.unwrap();
    let email = "ottoline.f@unheard.example.org";
    let hash = life_rooms::auth::password::hash(PASSWORD).unwrap();
    let row = (users::email.eq(email), users::password_hash.eq(&hash));
    diesel::update(users::table.find(account)).set(row).execute(&mut app.conn()).unwrap();
    secrets.add(&[PASSWORD, WRONG, NOBODY, GUESS, email, "Ottoline", "Featherstonehaugh", &hash]);

    let log_in = |email: &str, password: &str| {
        app.anonymous()
            .post("/v1/auth/login", &json!({ "email": email, "password": password, "client_name": "Ottoline's phone" }))
    };
    let begun = log_in(email, PASSWORD);
    secrets.add_tokens(&begun.clone().expect(200));
    for (address, password) in [(email, WRONG), (NOBODY, WRONG), (NOBODY, PASSWORD)] {
        let refused = log_in(address, password);
        assert_eq!(said_of(&listener, &refused), ["a login was refused"]);
        refused.problem(401, "unauthenticated");
    }
    let token = |answer: &Value| json!({ "refresh_token": answer["refresh_token"] });
    let next = app.anonymous().post("/v1/auth/refresh", &token(&begun.json));
    secrets.add_tokens(&next.clone().expect(200));
    let wrong = app.anonymous().post("/v1/auth/refresh", &json!({ "refresh_token": format!("lrr_{WRONG}") }));
    assert_eq!(said_of(&listener, &wrong), ["a refresh was refused"]);
    // A token that is used again ends its login.
    app.anonymous().post("/v1/auth/refresh", &token(&next.json)).expect(200);
    let reused = app.anonymous().post("/v1/auth/refresh", &token(&begun.json));
    assert_eq!(said_of(&listener, &reused), ["a login has ended: reuse", "a refresh was refused"]);
    app.with_token(WRONG).get("/v1/me").problem(401, "unauthenticated");

    let of_account = |actor: Option<Id>, fields: &[&str]| {
        let kind = if actor.is_some() { "user" } else { "system" };
        let fields = fields.iter().map(|field| (*field).to_owned()).collect();
        (kind.to_owned(), actor, "user".to_owned(), Some(account), fields)
    };
    // A refused login has no event: whoever guesses would fill the audit.
    assert_eq!(events(&app, "login"), [of_account(Some(account), &[])]);
    assert_eq!(events(&app, "logins_ended"), [of_account(None, &["reuse"])]);
    assert!(!listener.lines_with("life_rooms::access").is_empty());
    secrets.are_not_in(&listener);
}

#[test]
fn a_token_that_is_issued_and_a_client_that_is_revoked_are_in_the_audit_and_no_secret_in_the_log() {
    let (listener, app) = (listen(), App::start());
    let (mut secrets, admin) = (Secrets::default(), app.admin());
    let reader = partner(&admin, "the-reader");
    let at = format!("/v1/partners/{}/clients", id(&reader));
    let client = admin.post(&at, &json!({ "name": "Scheduling of Ottoline", "scopes": ["rosters:read"] })).expect(201);
    let secret = client["client_secret"].as_str().unwrap().to_owned();
    let ask = |secret: &str| {
        let basic = STANDARD.encode(format!("{}:{secret}", client["client_id"].as_str().unwrap()));
        let headers = [
            ("authorization", format!("Basic {basic}")),
            ("content-type", "application/x-www-form-urlencoded".to_owned()),
        ];
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        (app.anonymous().send("POST", "/v1/oauth/token", &headers, b"grant_type=client_credentials"), basic)
    };
    let (issued, basic) = ask(&secret);
    secrets.add_tokens(&issued.clone().expect(200));
    secrets.add_tokens(&client);
    secrets.add(&[&secret, &basic, GUESS, "Scheduling of Ottoline"]);
    let (refused, basic) = ask(GUESS);
    assert_eq!(refused.status, 401, "{}", refused.text);
    secrets.add(&[&basic]);
    let token = app.with_token(issued.json["access_token"].as_str().unwrap());
    token.get("/v1/me").expect(200);
    assert_eq!(admin.delete(&format!("{at}/{}", id(&client))).status, 204);
    token.get("/v1/me").problem(401, "unauthenticated");
    assert_eq!(ask(&secret).0.status, 401);

    let client: Option<Id> = id(&client).parse().ok();
    let of_client = |actor: (&str, Option<Id>), fields: &[&str]| {
        let fields: Vec<String> = fields.iter().map(|field| (*field).to_owned()).collect();
        (actor.0.to_owned(), actor.1, "client".to_owned(), client, fields)
    };
    assert_eq!(events(&app, "issue"), [of_client(("client", client), &["access_token"])]);
    assert_eq!(events(&app, "revoke"), [of_client(("user", admin.id), &[])]);
    secrets.are_not_in(&listener);
}
