//! Accounts that an admin makes: their owners choose the passwords, and nobody else knows them.

use diesel::prelude::*;
use life_rooms::auth::caller::Role;
use life_rooms::db::schema::{audit_events, logins, users};
use life_rooms::db::{Conn, Id, Json, Timestamp};
use life_rooms::login::restored;
use life_rooms::seals::head::{self, Head};
use serde_json::{Value, json};

use crate::support::mailbox::Received;
use crate::support::{Answer, App, Client, id, instant, member_row, partner};

pub const PASSWORD: &str = "paper boat under the lamp";
pub const OTHER: &str = "green kettle beside a window";

pub fn log_in(app: &App, email: &str, password: &str) -> Answer {
    app.anonymous().post("/v1/auth/login", &json!({ "email": email, "password": password }))
}

pub fn take_up(app: &App, token: &str, password: &str) -> Answer {
    app.anonymous().post("/v1/auth/invitations/confirm", &json!({ "token": token, "password": password }))
}

pub fn reset(app: &App, token: &str, password: &str) -> Answer {
    let body = json!({ "token": token, "new_password": password });
    app.anonymous().post("/v1/auth/password-resets/confirm", &body)
}

pub fn ask(admin: &Client, account: &str, deliver: &str) -> Answer {
    admin.post(&format!("/v1/users/{account}/reset-link"), &json!({ "deliver": deliver }))
}

/// The actions of an account's events, with their fields.
pub fn events(app: &App, account: &str) -> Vec<(String, Json<Value>)> {
    let conn: &mut Conn = &mut app.conn();
    audit_events::table
        .filter(audit_events::resource_id.eq(account.parse::<Id>().unwrap()))
        .order((audit_events::at, audit_events::id))
        .select((audit_events::action, audit_events::fields))
        .load(conn)
        .unwrap()
}

#[test]
fn a_new_account_gets_its_password_from_its_owner() {
    let (app, mails) = App::with_mail();
    let admin = app.admin();
    let body = json!({ "email": "Dana@example.org", "role": "advisor", "display_name": "Dana P." });
    let account = admin.post("/v1/users", &body).expect(201);
    let mail = mails.take_one(&app);
    assert_eq!((mail.to.as_str(), mail.subject.as_str()), ("dana@example.org", "Your account is ready"));
    let token = mail.token();
    // The rules are those of the account's role: 15 characters, and nothing of the address.
    let short = take_up(&app, &token, "sun reading").invalid(&["/password"]);
    assert_eq!(short["errors"][0]["code"], "too_short");
    let common = take_up(&app, &token, "dana@example.org").invalid(&["/password"]);
    assert_eq!(common["errors"][0]["code"], "too_common");
    let begun = take_up(&app, &token, PASSWORD).expect(201);
    let dana = app.with_token(begun["access_token"].as_str().unwrap());
    let me = dana.get("/v1/me").expect(200);
    assert_eq!((&me["id"], &me["role"]), (&account["id"], &json!("advisor")));
    take_up(&app, &token, OTHER).problem(422, "link-not-valid");
    log_in(&app, "dana@example.org", OTHER).problem(401, "unauthenticated");
    log_in(&app, "dana@example.org", PASSWORD).expect(200);
    let actions: Vec<String> = events(&app, id(&account)).into_iter().map(|(action, _)| action).collect();
    for action in ["create", "change", "link_used", "login"] {
        assert!(actions.iter().any(|done| done == action), "{action} in {actions:?}");
    }
}

#[test]
fn an_invitation_ends_with_what_it_was_made_for() {
    let (app, mails) = App::with_mail();
    let admin = app.admin();
    let invited = |email: &str| {
        let made = admin.post("/v1/users", &json!({ "email": email, "role": "analyst" })).expect(201);
        let sent = mails.take(&app);
        let is_it = |mail: &&Received| mail.subject == "Your account is ready" && mail.to == email;
        let mail = sent.iter().find(is_it).unwrap();
        (format!("/v1/users/{}", id(&made)), mail.token())
    };
    // The account is disabled, or has another address.
    let (path, token) = invited("one@example.org");
    admin.patch(&path, "\"1\"", &json!({ "disabled": true })).expect(200);
    take_up(&app, &token, PASSWORD).problem(422, "link-not-valid");
    admin.patch(&path, "\"2\"", &json!({ "disabled": false })).expect(200);
    admin.patch(&path, "\"3\"", &json!({ "email": "other@example.org" })).expect(200);
    take_up(&app, &token, PASSWORD).problem(422, "link-not-valid");
    // The account has got a password in another way.
    let (path, token) = invited("two@example.org");
    ask(&admin, path.rsplit('/').next().unwrap(), "email").expect(201);
    let sent = mails.take(&app);
    let link = sent.iter().find(|mail| mail.subject == "Choose a new password").unwrap();
    assert_eq!(reset(&app, &link.token(), OTHER).status, 204);
    take_up(&app, &token, PASSWORD).problem(422, "link-not-valid");
    log_in(&app, "two@example.org", OTHER).expect(200);
    // A week is over.
    let (_, token) = invited("three@example.org");
    app.at("2026-11-30T09:00:00Z");
    take_up(&app, &token, PASSWORD).problem(422, "link-not-valid");
}

#[test]
fn an_invited_account_of_a_paused_partner_gets_its_password_and_no_login() {
    let (app, mails) = App::with_mail();
    let admin = app.admin();
    let own = partner(&admin, "own");
    let body = json!({ "email": "p@example.org", "role": "partner", "partner_id": own["id"] });
    admin.post("/v1/users", &body).expect(201);
    let token = mails.take_one(&app).token();
    let at = format!("/v1/partners/{}", id(&own));
    admin.patch(&at, "\"1\"", &json!({ "status": "paused" })).expect(200);
    take_up(&app, &token, PASSWORD).problem(403, "forbidden");
    log_in(&app, "p@example.org", PASSWORD).problem(403, "forbidden");
    admin.patch(&at, "\"2\"", &json!({ "status": "active" })).expect(200);
    log_in(&app, "p@example.org", PASSWORD).expect(200);
}

#[test]
fn a_reset_link_is_mailed_or_shown_once_and_the_owner_is_told() {
    let (app, mails) = App::with_mail();
    let admin = app.admin();
    let body = json!({ "email": "ann@example.org", "role": "analyst", "password": PASSWORD });
    let account = admin.post("/v1/users", &body).expect(201);
    let one = log_in(&app, "ann@example.org", PASSWORD).expect(200);
    let key = [("idempotency-key", "reset-ann-once")];
    let path = format!("/v1/users/{}/reset-link", id(&account));
    let made = admin.post_with(&path, &key, &json!({ "deliver": "show" })).expect(201);
    let link = made["link"].as_str().unwrap();
    assert!(link.starts_with("https://life-rooms.invalid/account/reset#token=lrl_"), "{link}");
    let again = admin.post_with(&path, &key, &json!({ "deliver": "show" })).expect(201);
    assert_eq!((&again["id"], &again["link"]), (&made["id"], &Value::Null));
    let told = mails.take_one(&app);
    assert_eq!((told.to.as_str(), told.subject.as_str()), ("ann@example.org", "Please look at your account"));
    assert!(told.text.contains("made a link for you to choose a new password"), "{}", told.text);
    assert!(!told.whole.contains("lrl_"), "{}", told.whole);
    let (_, token) = link.split_once("#token=").unwrap();
    assert_eq!(reset(&app, token, OTHER).status, 204);
    app.with_token(one["access_token"].as_str().unwrap()).get("/v1/me").problem(401, "unauthenticated");
    log_in(&app, "ann@example.org", OTHER).expect(200);
    mails.take(&app);
    // By mail, the answer has no link.
    assert_eq!(ask(&admin, id(&account), "email").expect(201)["link"], Value::Null);
    let mut subjects: Vec<String> = mails.take(&app).into_iter().map(|mail| mail.subject).collect();
    subjects.sort();
    assert_eq!(subjects, ["Choose a new password", "Please look at your account"]);
    let made = events(&app, id(&account)).into_iter().filter(|(action, _)| action == "reset_link");
    let mut how: Vec<String> = made.map(|(_, fields)| fields.0.to_string()).collect();
    how.sort();
    assert_eq!(how, ["[\"email\"]", "[\"show\"]"]);
}

#[test]
fn no_reset_link_opens_a_persons_record_to_an_admin() {
    let (app, mails) = App::with_mail();
    let admin = app.admin();
    let member = app.member(&member_row(&app, "Peg", "Reid"));
    ask(&admin, &member.id.unwrap().to_string(), "email").problem(404, "not-found");
    ask(&admin, &member.id.unwrap().to_string(), "show").problem(404, "not-found");
    let advisor = app.advisor();
    let hash = life_rooms::auth::password::hash(PASSWORD).unwrap();
    let row = users::table.find(advisor.id.unwrap());
    diesel::update(row).set(users::password_hash.eq(hash)).execute(&mut app.conn()).unwrap();
    let refused = ask(&admin, &advisor.id.unwrap().to_string(), "show").invalid(&["/deliver"]);
    assert_eq!(refused["errors"][0]["code"], "not_allowed");
    assert!(mails.take(&app).is_empty());
    ask(&admin, &advisor.id.unwrap().to_string(), "email").expect(201);
    assert_eq!(mails.take(&app).len(), 2);
    let path = format!("/v1/users/{}", advisor.id.unwrap());
    admin.patch(&path, "\"1\"", &json!({ "disabled": true })).expect(200);
    ask(&admin, &advisor.id.unwrap().to_string(), "email").problem(409, "invalid-state");
    ask(&admin, "0199d2f0-7a3c-7bbd-a1f5-3d2c5a0e9b41", "email").problem(404, "not-found");
    admin.post(&format!("{path}/reset-link"), &json!({ "deliver": "pigeon" })).invalid(&["/deliver"]);
    for other in [app.advisor(), app.user(Role::Analyst, None, None), member] {
        ask(&other, &advisor.id.unwrap().to_string(), "email").problem(403, "forbidden");
    }
}

#[test]
fn a_shown_link_chooses_the_password_of_its_own_account_only_and_a_moved_address_is_told() {
    let (app, mails) = App::with_mail();
    let admin = app.admin();
    let body = json!({ "email": "zed@example.org", "role": "analyst", "password": PASSWORD });
    let zed = admin.post("/v1/users", &body).expect(201);
    let advisor = app.advisor();
    let made = ask(&admin, id(&zed), "show").expect(201);
    let (_, token) = made["link"].as_str().unwrap().split_once("#token=").unwrap();
    mails.take(&app);
    // The admin moves the analyst away, and gives an advisor the address of the link.
    let path = format!("/v1/users/{}", id(&zed));
    admin.patch(&path, "\"1\"", &json!({ "email": "moved@example.org" })).expect(200);
    let told = mails.take_one(&app);
    assert_eq!((told.to.as_str(), told.subject.as_str()), ("zed@example.org", "Your e-mail address was changed"));
    let path = format!("/v1/users/{}", advisor.id.unwrap());
    admin.patch(&path, "\"1\"", &json!({ "email": "zed@example.org" })).expect(200);
    reset(&app, token, OTHER).problem(422, "link-not-valid");
    log_in(&app, "zed@example.org", OTHER).problem(401, "unauthenticated");
    log_in(&app, "moved@example.org", OTHER).problem(401, "unauthenticated");
}

#[test]
fn an_address_is_proven_by_a_mail_and_not_by_a_link_that_was_shown() {
    let (app, mails) = App::with_mail();
    let admin = app.admin();
    let proven = |account: &Value| -> Option<Timestamp> {
        let row = users::table.find(id(account).parse::<Id>().unwrap());
        row.select(users::email_proven_at).first(&mut app.conn()).unwrap()
    };
    let made = admin.post("/v1/users", &json!({ "email": "ann@example.org", "role": "analyst" })).expect(201);
    let invitation = mails.take_one(&app).token();
    let shown = ask(&admin, id(&made), "show").expect(201);
    let (_, token) = shown["link"].as_str().unwrap().split_once("#token=").unwrap();
    assert_eq!(reset(&app, token, OTHER).status, 204);
    assert_eq!(proven(&made), None);
    take_up(&app, &invitation, PASSWORD).problem(422, "link-not-valid");
    ask(&admin, id(&made), "email").expect(201);
    let sent = mails.take(&app);
    let link = sent.iter().find(|mail| mail.subject == "Choose a new password").unwrap();
    assert_eq!(reset(&app, &link.token(), PASSWORD).status, 204);
    assert_eq!(proven(&made), Some(Timestamp(instant("2026-11-23T09:00:00Z"))));
}

#[test]
fn without_mail_a_link_is_shown_and_never_mailed() {
    let app = App::start();
    let admin = app.admin();
    let account = admin.post("/v1/users", &json!({ "email": "ann@example.org", "role": "admin" })).expect(201);
    ask(&admin, id(&account), "email").problem(503, "unavailable");
    let made = ask(&admin, id(&account), "show").expect(201);
    let (_, token) = made["link"].as_str().unwrap().split_once("#token=").unwrap();
    assert_eq!(reset(&app, token, PASSWORD).status, 204);
    log_in(&app, "ann@example.org", PASSWORD).expect(200);
}

#[test]
fn whoever_is_logged_out_by_an_admin_is_told() {
    let (app, mails) = App::with_mail();
    let admin = app.admin();
    let body = json!({ "email": "ann@example.org", "role": "analyst", "password": PASSWORD });
    let account = admin.post("/v1/users", &body).expect(201);
    log_in(&app, "ann@example.org", PASSWORD).expect(200);
    assert_eq!(admin.delete(&format!("/v1/users/{}/logins", id(&account))).status, 204);
    let told = mails.take_one(&app);
    assert_eq!((told.to.as_str(), told.subject.as_str()), ("ann@example.org", "Please look at your account"));
    assert!(told.text.contains("logged out all your devices"), "{}", told.text);
}

#[test]
fn a_start_on_a_restored_database_ends_every_login() {
    let app = App::start();
    let body = json!({ "email": "ann@example.org", "role": "analyst", "password": PASSWORD });
    let account = app.admin().post("/v1/users", &body).expect(201);
    let begun = log_in(&app, "ann@example.org", PASSWORD).expect(200);
    let now = Timestamp(instant("2026-11-23T09:30:00Z"));
    let token = |begun: &Value| app.with_token(begun["access_token"].as_str().unwrap());
    crate::seals::seal(&app);
    let known = head::read(&head::path(&app.key_dir())).unwrap().unwrap();
    assert!(!restored::end_logins(&mut app.conn(), &known, now).unwrap(), "nothing was restored");
    token(&begun).get("/v1/me").expect(200);
    // The head names a seal that the database lacks, or has otherwise.
    let later = Head { number: known.number + 7, ..known.clone() };
    let other = Head { root: "00".repeat(32), ..known };
    for missing in [later, other] {
        let begun = log_in(&app, "ann@example.org", PASSWORD).expect(200);
        assert!(restored::end_logins(&mut app.conn(), &missing, now).unwrap());
        token(&begun).get("/v1/me").problem(401, "unauthenticated");
        let refresh = json!({ "refresh_token": begun["refresh_token"] });
        app.anonymous().post("/v1/auth/refresh", &refresh).problem(401, "unauthenticated");
    }
    let conn: &mut Conn = &mut app.conn();
    let live = logins::table.filter(logins::ended_at.is_null()).count().get_result::<i64>(conn).unwrap();
    assert_eq!(live, 0);
    let generation: i32 =
        users::table.find(id(&account).parse::<Id>().unwrap()).select(users::generation).first(conn).unwrap();
    assert_eq!(generation, 3, "tokens of before are of an older generation");
    let ended = events(&app, id(&account)).into_iter().filter(|(action, _)| action == "logins_ended").count();
    assert_eq!(ended, 2);
}
