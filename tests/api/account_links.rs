//! Links that work once: registering, invitations, forgotten passwords, other addresses.

use diesel::prelude::*;
use life_rooms::config::Config;
use life_rooms::db::schema::{audit_events, messages, one_time_links, users};
use life_rooms::db::{Conn, Id, Json};
use serde_json::{Value, json};

use crate::housekeeping::keep_house;
use crate::support::mailbox::Mailbox;
use crate::support::{Answer, App, Client, member_row};

pub const PASSWORD: &str = "paper boat under the lamp";

const OTHER: &str = "green kettle beside a window";

fn ask_for_reset(client: &Client, email: &str) -> Answer {
    client.post("/v1/auth/password-resets", &json!({ "email": email }))
}

fn reset(client: &Client, token: &str, password: &str) -> Answer {
    client.post("/v1/auth/password-resets/confirm", &json!({ "token": token, "new_password": password }))
}

fn log_in(app: &App, email: &str, password: &str) -> Answer {
    app.anonymous().post("/v1/auth/login", &json!({ "email": email, "password": password }))
}

pub fn form(email: &str) -> Value {
    json!({ "email": email, "given_name": "Margaret", "family_name": "Reid", "date_of_birth": "1961-04-02",
        "consents": [{ "purpose": "contact_email", "decision": "given" }] })
}

/// An advisor's account with this address.
pub fn account(app: &App, email: &str) -> Client {
    let client = app.advisor();
    let hash = life_rooms::auth::password::hash(PASSWORD).unwrap();
    let row = users::table.find(client.id.unwrap());
    diesel::update(row).set((users::email.eq(email), users::password_hash.eq(hash))).execute(&mut app.conn()).unwrap();
    client
}

/// A member's record with an invitation, and its secret.
pub fn invitation(app: &App, mails: &Mailbox, born: Option<&str>) -> (String, String) {
    let mut record =
        json!({ "given_name": "Peg", "family_name": "Reid", "roles": ["service_user"], "email": "Peg@example.org" });
    if let Some(born) = born {
        record["date_of_birth"] = json!(born);
    }
    let advisor = app.advisor();
    let member = advisor.post("/v1/members", &record).expect(201)["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/members/{member}/invitations");
    let invited = advisor.post(&path, &json!({ "deliver": "email" })).expect(201);
    assert_eq!((&invited["email"], &invited["link"]), (&json!("peg@example.org"), &Value::Null));
    let mail = mails.take_one(app);
    assert_eq!(mail.to, "peg@example.org");
    (member, mail.token())
}

pub fn take_up(app: &App, token: &str, more: &Value) -> Answer {
    let mut body = json!({ "token": token, "password": PASSWORD });
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    app.anonymous().post("/v1/auth/invitations/confirm", &body)
}

#[test]
fn a_forgotten_password_is_chosen_anew_with_a_link_that_works_once() {
    let (app, mails) = App::with_mail();
    let ann = account(&app, "ann@example.org");
    ask_for_reset(&app.anonymous(), "Ann@Example.org").expect(202);
    let mail = mails.take_one(&app);
    assert_eq!((mail.to.as_str(), mail.subject.as_str()), ("ann@example.org", "Choose a new password"));
    assert!(mail.whole.contains("Auto-Submitted: auto-generated"), "{}", mail.whole);
    assert!(mail.whole.contains("Reply-To: desk@example.org"), "{}", mail.whole);
    assert!(mail.text.contains("https://life-rooms.invalid/account/reset#token=lrl_"), "{}", mail.text);
    let token = mail.token();
    // A weak password doesn't use the link up.
    let weak = reset(&app.anonymous(), &token, "aaaaaaaaaaaaaaaaaaaaaa").invalid(&["/new_password"]);
    assert_eq!(weak["errors"][0]["code"], "too_common");
    reset(&app.anonymous(), &token, OTHER).expect(204);
    ann.get("/v1/me").problem(401, "unauthenticated");
    log_in(&app, "ann@example.org", PASSWORD).problem(401, "unauthenticated");
    log_in(&app, "ann@example.org", OTHER).expect(200);
    reset(&app.anonymous(), &token, "blue ladder over the harbour").problem(422, "link-not-valid");
    let told = mails.take_one(&app);
    assert_eq!((told.to.as_str(), told.subject.as_str()), ("ann@example.org", "Your password was changed"));
    let mut actions: Vec<String> = audit_events::table
        .filter(audit_events::resource_id.eq(ann.id.unwrap()))
        .select(audit_events::action)
        .load(&mut app.conn())
        .unwrap();
    actions.sort();
    assert_eq!(actions, ["change", "link_used", "login", "logins_ended"]);
}

#[test]
fn a_link_that_was_used_or_is_too_old_or_wrong_gets_one_answer() {
    let (app, mails) = App::with_mail();
    account(&app, "ann@example.org");
    let mut tokens = Vec::new();
    for _ in 0..2 {
        ask_for_reset(&app.anonymous(), "ann@example.org").expect(202);
        tokens.push(mails.take_one(&app).token());
    }
    assert_ne!(tokens[0], tokens[1]);
    // Asking again doesn't spoil the first link, and using one spoils the other.
    reset(&app.anonymous(), &tokens[0], OTHER).expect(204);
    let used = reset(&app.anonymous(), &tokens[0], OTHER).problem(422, "link-not-valid");
    let other = reset(&app.anonymous(), &tokens[1], OTHER).problem(422, "link-not-valid");
    app.at("2026-11-23T11:00:00Z");
    ask_for_reset(&app.anonymous(), "ann@example.org").expect(202);
    mails.take(&app);
    let late = mails.take(&app);
    assert!(late.is_empty(), "{late:?}");
    let changed = reset(&app.anonymous(), &format!("{}x", tokens[1]), OTHER).problem(422, "link-not-valid");
    let nonsense = reset(&app.anonymous(), "x", OTHER).problem(422, "link-not-valid");
    for problem in [&other, &changed, &nonsense] {
        assert_eq!(problem["detail"], used["detail"]);
    }
    // A link of another purpose is none.
    app.anonymous()
        .post("/v1/auth/registrations/confirm", &json!({ "token": tokens[1], "password": OTHER }))
        .problem(422, "link-not-valid");
}

#[test]
fn a_reset_link_lasts_an_hour_and_a_disabled_account_has_none() {
    let (app, mails) = App::with_mail();
    let ann = account(&app, "ann@example.org");
    ask_for_reset(&app.anonymous(), "ann@example.org").expect(202);
    let token = mails.take_one(&app).token();
    app.at("2026-11-23T10:00:00Z");
    reset(&app.anonymous(), &token, OTHER).problem(422, "link-not-valid");
    app.at("2026-11-23T13:00:00Z");
    ask_for_reset(&app.anonymous(), "ann@example.org").expect(202);
    let token = mails.take_one(&app).token();
    let row = users::table.find(ann.id.unwrap());
    diesel::update(row).set(users::disabled.eq(true)).execute(&mut app.conn()).unwrap();
    reset(&app.anonymous(), &token, OTHER).problem(422, "link-not-valid");
    ask_for_reset(&app.anonymous(), "ann@example.org").expect(202);
    assert!(mails.take(&app).is_empty());
}

/// What is in the database of links and messages, without what differs from one to the next.
fn written(app: &App) -> Vec<String> {
    let conn: &mut Conn = &mut app.conn();
    let links: Vec<(String, Option<Id>, Option<Id>, Option<Id>, i32)> = one_time_links::table
        .order(one_time_links::id)
        .select((
            one_time_links::purpose,
            one_time_links::user_id,
            one_time_links::member_id,
            one_time_links::created_by,
            one_time_links::tries,
        ))
        .load(conn)
        .unwrap();
    let queued: Vec<(String, Option<Id>, Option<Id>, Option<String>, String, Option<String>)> = messages::table
        .order(messages::id)
        .select((
            messages::kind,
            messages::user_id,
            messages::member_id,
            messages::address,
            messages::status,
            messages::why,
        ))
        .load(conn)
        .unwrap();
    let mut rows: Vec<String> = links.into_iter().map(|row| format!("{row:?}")).collect();
    rows.extend(queued.into_iter().map(|row| format!("{row:?}")));
    rows.sort();
    rows
}

#[test]
fn what_a_stranger_asks_tells_nothing_of_who_has_an_account() {
    let ask = |known: bool| {
        let (app, mails) = App::with_mail();
        if known {
            account(&app, "ann@example.org");
        }
        let reset = ask_for_reset(&app.anonymous(), "ann@example.org");
        let joined = app.anonymous().post("/v1/members/self-registration", &form("ann@example.org"));
        let answers: Vec<(u16, String)> = [reset, joined].map(|answer| (answer.status, answer.text)).into();
        let rows = written(&app);
        let mut subjects: Vec<String> = mails.take(&app).into_iter().map(|mail| mail.subject).collect();
        subjects.sort();
        (answers, rows, subjects)
    };
    let (known, unknown) = (ask(true), ask(false));
    assert_eq!((&known.0, &known.1), (&unknown.0, &unknown.1));
    assert_eq!((known.0[0].0, known.0[1].0, known.1.len()), (202, 202, 4));
    assert_eq!(known.2, ["Choose a new password", "You have an account already"]);
    assert_eq!(unknown.2, ["Please confirm your e-mail address"]);
}

#[test]
fn what_leads_nowhere_is_gone_within_hours_and_what_somebody_wrote_with_its_link() {
    let (app, mails) = App::with_mail();
    ask_for_reset(&app.anonymous(), "nobody@example.org").expect(202);
    app.anonymous().post("/v1/members/self-registration", &form("peg@example.org")).expect(202);
    mails.take(&app);
    app.at("2026-11-23T10:00:01Z");
    keep_house(&app);
    let kinds: Vec<String> = messages::table.select(messages::kind).load(&mut app.conn()).unwrap();
    assert_eq!(kinds, ["registration"]);
    let purposes = || -> Vec<String> {
        let links = one_time_links::table.order(one_time_links::id).select(one_time_links::purpose);
        links.load(&mut app.conn()).unwrap()
    };
    app.at("2026-11-24T08:59:59Z");
    keep_house(&app);
    assert_eq!(purposes().len(), 2);
    app.at("2026-11-24T09:00:00Z");
    keep_house(&app);
    assert_eq!(purposes(), ["password_reset"], "nobody finished the registration");
    app.at("2026-12-02T10:00:00Z");
    keep_house(&app);
    let left: i64 = one_time_links::table.count().get_result(&mut app.conn()).unwrap();
    let told: i64 = messages::table.count().get_result(&mut app.conn()).unwrap();
    assert_eq!((left, told), (0, 0));
}

#[test]
fn a_fourth_mail_in_an_hour_isnt_sent_and_a_network_that_asks_for_many_is_refused() {
    let (app, mails) = App::with_mail();
    account(&app, "ann@example.org");
    for _ in 0..5 {
        ask_for_reset(&app.anonymous(), "ann@example.org").expect(202);
    }
    assert_eq!(mails.take(&app).len(), 3);
    for n in 0..25 {
        ask_for_reset(&app.anonymous(), &format!("n{n}@example.org")).expect(202);
    }
    let refused = ask_for_reset(&app.anonymous(), "n26@example.org");
    assert_eq!(refused.header("retry-after"), "120");
    refused.problem(429, "too-many-requests");
}

#[test]
fn what_strangers_ask_for_in_the_same_network_keeps_nobody_from_changing_their_address() {
    let (app, _mails) = App::with_mail();
    let (ann, bob) = (account(&app, "ann@example.org"), account(&app, "bob@example.org"));
    for n in 0..30 {
        ask_for_reset(&app.anonymous(), &format!("n{n}@example.org")).expect(202);
    }
    ask_for_reset(&app.anonymous(), "n30@example.org").problem(429, "too-many-requests");
    let change = |client: &Client, n: usize| {
        let body = json!({ "new_email": format!("new{n}@example.org"), "current_password": PASSWORD });
        client.post("/v1/me/email-change", &body)
    };
    for n in 0..30 {
        change(&ann, n).expect(202);
    }
    let refused = change(&ann, 30);
    assert_eq!(refused.header("retry-after"), "120");
    let problem = refused.problem(429, "too-many-requests");
    assert!(problem["detail"].as_str().unwrap().starts_with("You have asked for many e-mails."), "{problem}");
    change(&bob, 31).expect(202);
    // Nor do they keep strangers from asking: an hour later the network has its own again.
    app.at("2026-11-23T10:00:00Z");
    for n in 0..30 {
        ask_for_reset(&app.anonymous(), &format!("m{n}@example.org")).expect(202);
    }
}

#[test]
fn whoever_goes_on_asking_for_somebody_doesnt_keep_their_mails_from_coming() {
    let (app, mails) = App::with_mail();
    account(&app, "ann@example.org");
    let mut came = 0;
    for minute in (0..60).step_by(2) {
        app.at(&format!("2026-11-23T09:{minute:02}:00Z"));
        ask_for_reset(&app.anonymous(), "ann@example.org").expect(202);
        came += mails.take(&app).len();
    }
    // Three at once, and one more every twenty minutes.
    assert_eq!(came, 5);
    app.at("2026-11-23T10:00:00Z");
    ask_for_reset(&app.anonymous(), "ann@example.org").expect(202);
    reset(&app.anonymous(), &mails.take_one(&app).token(), OTHER).expect(204);
}

#[test]
fn of_many_mails_asked_for_at_once_three_are_sent() {
    let (app, mails) = App::with_mail();
    account(&app, "ann@example.org");
    let client = app.anonymous();
    std::thread::scope(|scope| {
        for _ in 0..12 {
            scope.spawn(|| ask_for_reset(&client, "ann@example.org").expect(202));
        }
    });
    assert_eq!(mails.take(&app).len(), 3);
}

#[test]
fn a_network_that_guesses_links_is_refused_also_with_a_link_that_works() {
    let (app, mails) = App::with_mail();
    account(&app, "ann@example.org");
    ask_for_reset(&app.anonymous(), "ann@example.org").expect(202);
    let token = mails.take_one(&app).token();
    for _ in 0..10 {
        reset(&app.anonymous(), "lrl_AAAA", OTHER).problem(422, "link-not-valid");
    }
    reset(&app.anonymous(), &token, OTHER).problem(429, "too-many-requests");
    app.at("2026-11-23T09:01:00Z");
    reset(&app.anonymous(), &token, OTHER).expect(204);
}

#[test]
fn without_a_mail_server_what_only_mail_can_finish_is_503_for_everybody() {
    let app = App::start();
    let ann = account(&app, "ann@example.org");
    for email in ["ann@example.org", "nobody@example.org"] {
        ask_for_reset(&app.anonymous(), email).problem(503, "unavailable");
        app.anonymous().post("/v1/members/self-registration", &form(email)).problem(503, "unavailable");
    }
    let change = json!({ "new_email": "b@example.org", "current_password": PASSWORD });
    ann.post("/v1/me/email-change", &change).problem(503, "unavailable");
    let member = member_row(&app, "Peg", "Reid");
    let path = format!("/v1/members/{member}/invitations");
    let email = json!({ "email": "peg@example.org", "deliver": "email" });
    ann.post(&path, &email).problem(503, "unavailable");
    let shown = ann.post(&path, &json!({ "email": "peg@example.org", "deliver": "show" })).expect(201);
    assert!(shown["link"].as_str().unwrap().starts_with("https://life-rooms.invalid/account/invitation#token=lrl_"));
}

#[test]
fn another_address_counts_once_its_owner_has_confirmed_it_with_the_password() {
    let (app, mails) = App::with_mail();
    let (member, token) = invitation(&app, &mails, None);
    let tokens = take_up(&app, &token, &json!({})).expect(201);
    let peg = app.with_token(tokens["access_token"].as_str().unwrap());
    let ask = |password: &str| {
        peg.post("/v1/me/email-change", &json!({ "new_email": "margaret@example.org", "current_password": password }))
    };
    ask(OTHER).invalid(&["/current_password"]);
    ask(PASSWORD).expect(202);
    let mail = mails.take_one(&app);
    assert_eq!(
        (mail.to.as_str(), mail.subject.as_str()),
        ("margaret@example.org", "Please confirm your new e-mail address")
    );
    let confirm = |password: &str| {
        let body = json!({ "token": mail.token(), "password": password });
        app.anonymous().post("/v1/auth/email-changes/confirm", &body)
    };
    confirm(OTHER).invalid(&["/password"]);
    peg.get("/v1/me").expect(200);
    confirm(PASSWORD).expect(204);
    peg.get("/v1/me").problem(401, "unauthenticated");
    log_in(&app, "peg@example.org", PASSWORD).problem(401, "unauthenticated");
    log_in(&app, "margaret@example.org", PASSWORD).expect(200);
    assert_eq!(mails.take_one(&app).to, "peg@example.org", "the old address is told");
    let record = app.advisor().get(&format!("/v1/members/{member}")).expect(200);
    assert_eq!(record["email"], "margaret@example.org");
}

#[test]
fn an_address_that_somebody_takes_meanwhile_stays_theirs() {
    let (app, mails) = App::with_mail();
    let ann = account(&app, "ann@example.org");
    let change = json!({ "new_email": "new@example.org", "current_password": PASSWORD });
    ann.post("/v1/me/email-change", &change).expect(202);
    let token = mails.take_one(&app).token();
    account(&app, "new@example.org");
    let body = json!({ "token": token, "password": PASSWORD });
    app.anonymous().post("/v1/auth/email-changes/confirm", &body).problem(422, "link-not-valid");
    log_in(&app, "ann@example.org", PASSWORD).expect(200);
}

#[test]
fn an_advisor_disables_a_members_account_and_its_links_end_with_it() {
    let (app, mails) = App::with_mail();
    let (member, token) = invitation(&app, &mails, None);
    let tokens = take_up(&app, &token, &json!({})).expect(201);
    let peg = app.with_token(tokens["access_token"].as_str().unwrap());
    ask_for_reset(&app.anonymous(), "peg@example.org").expect(202);
    let token = mails.take_one(&app).token();
    let advisor = app.advisor();
    let path = format!("/v1/members/{member}/account");
    let tag = advisor.get(&path).etag().to_owned();
    advisor.patch(&path, &tag, &json!({ "disabled": false })).expect(200);
    assert_eq!(advisor.patch(&path, &tag, &json!({ "disabled": true })).expect(200)["disabled"], true);
    peg.get("/v1/me").problem(401, "unauthenticated");
    reset(&app.anonymous(), &token, OTHER).problem(422, "link-not-valid");
    log_in(&app, "peg@example.org", PASSWORD).problem(401, "unauthenticated");
    let tag = advisor.get(&path).etag().to_owned();
    advisor.patch(&path, &tag, &json!({ "disabled": false })).expect(200);
    log_in(&app, "peg@example.org", PASSWORD).expect(200);
    let other = member_row(&app, "Sam", "Riley");
    advisor.get(&format!("/v1/members/{other}/account")).problem(404, "not-found");
}

#[test]
fn opening_a_link_changes_nothing() {
    let (app, mails) = App::with_mail();
    account(&app, "ann@example.org");
    ask_for_reset(&app.anonymous(), "ann@example.org").expect(202);
    let token = mails.take_one(&app).token();
    for page in ["confirm", "invitation", "reset", "email"] {
        let path = format!("/account/{page}");
        let shown = app.anonymous().get(&path);
        assert_eq!((shown.status, shown.header("cache-control")), (200, "no-store"), "{page}");
        assert_eq!(shown.header("referrer-policy"), "no-referrer");
        assert!(shown.header("content-security-policy").contains("frame-ancestors 'none'"));
        assert!(shown.text.contains("lang=\"en-GB\"") && shown.text.contains("<label for=\"password\">"), "{page}");
        assert_eq!(app.anonymous().send("HEAD", &path, &[], b"").status, 200);
        app.anonymous().send("POST", &path, &[], b"").problem(405, "method-not-allowed");
    }
    app.anonymous().get("/account/nothing").problem(404, "not-found");
    // A program that presses the button has no password.
    app.anonymous().post("/v1/auth/password-resets/confirm", &json!({ "token": token })).invalid(&["/new_password"]);
    reset(&app.anonymous(), &token, OTHER).expect(204);
}

#[test]
fn every_page_says_how_to_go_on() {
    let alone = App::start();
    let front_end_url = "https://rooms.example.org/app".to_owned();
    let with = App::start_with(Config { front_end_url, ..Config::default() });
    let link = "<a href=\"https://rooms.example.org/app/\">";
    for page in ["confirm", "invitation", "reset", "email", "unsubscribe"] {
        let path = format!("/account/{page}");
        let (bare, linked) = (alone.anonymous().get(&path), with.anonymous().get(&path));
        assert!(!bare.text.contains("<a ") && bare.text.contains("close this page"), "{page}: {}", bare.text);
        assert!(linked.text.contains(link), "{page}: {}", linked.text);
        if page != "unsubscribe" {
            // Its script shows one of these in the end: after it worked, or for a link that doesn't work any more.
            for next in ["id=\"next\"", "id=\"again\"", "ask for a new one"] {
                assert!(bare.text.contains(next) && linked.text.contains(next), "{page}: {}", bare.text);
            }
        }
    }
    let script = alone.anonymous().get("/account/account.js").text;
    assert!(script.contains("getElementById(\"next\")") && script.contains("getElementById(\"again\")"));
}

#[test]
fn no_secret_and_no_address_of_a_link_is_in_a_message() {
    let (app, mails) = App::with_mail();
    let (_, token) = invitation(&app, &mails, None);
    let rows: Vec<(Json<Value>, Option<String>)> =
        messages::table.select((messages::payload, messages::address)).load(&mut app.conn()).unwrap();
    let text = format!("{rows:?}");
    assert!(!rows.is_empty() && !text.contains(&token) && !text.contains("peg@"), "{text}");
}

#[test]
fn the_owner_of_an_account_is_told_of_a_new_password_and_of_a_token_that_was_used_twice() {
    let (app, mails) = App::with_mail();
    let ann = account(&app, "ann@example.org");
    let change = json!({ "current_password": PASSWORD, "new_password": OTHER });
    ann.put("/v1/me/password", "", &change).expect(204);
    let told = mails.take_one(&app);
    assert_eq!((told.to.as_str(), told.subject.as_str()), ("ann@example.org", "Your password was changed"));
    let first = log_in(&app, "ann@example.org", OTHER).expect(200)["refresh_token"].clone();
    let refresh = |token: &Value| app.anonymous().post("/v1/auth/refresh", &json!({ "refresh_token": token }));
    refresh(&first).expect(200);
    app.at("2026-11-23T09:05:00Z");
    refresh(&first).problem(401, "unauthenticated");
    refresh(&first).problem(401, "unauthenticated");
    let warned = mails.take_one(&app);
    assert_eq!((warned.to.as_str(), warned.subject.as_str()), ("ann@example.org", "Please look at your account"));
}
