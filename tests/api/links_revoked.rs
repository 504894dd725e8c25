//! Links end with what they were made for: the account as it was, the record that there was, the invitation that stood.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use life_rooms::db::Id;
use life_rooms::db::schema::{members, one_time_links, users};
use serde_json::{Value, json};

use crate::closings::until_one_waits;
use crate::staff_links::{OTHER, PASSWORD, ask, events, log_in, reset, take_up};
use crate::support::{Answer, App, Client, id, member_row};

fn shown(made: &Value) -> String {
    made["link"].as_str().unwrap().split_once("#token=").unwrap().1.to_owned()
}

fn account(admin: &Client, email: &str, role: &str) -> Value {
    let body = json!({ "email": email, "role": role, "display_name": "Dana P.", "password": PASSWORD });
    admin.post("/v1/users", &body).expect(201)
}

#[test]
fn a_link_that_an_admin_was_shown_ends_when_the_account_changes() {
    let (app, _mails) = App::with_mail();
    let admin = app.admin();
    let dana = account(&admin, "dana@example.org", "advisor");
    let path = format!("/v1/users/{}", id(&dana));
    let change = |what: Value| {
        let tag = admin.get(&path).etag().to_owned();
        admin.patch(&path, &tag, &what).expect(200);
    };
    // An advisor's account becomes another one for the time of the link, and has another address, or is disabled.
    change(json!({ "role": "analyst" }));
    for (there, back) in [
        (json!({ "display_name": "Dana" }), json!({ "role": "advisor" })),
        (json!({ "role": "analyst" }), json!({ "role": "advisor" })),
        (json!({ "role": "analyst", "email": "d@example.org" }), json!({ "email": "dana@example.org" })),
        (json!({ "disabled": false }), json!({ "disabled": true })),
    ] {
        change(there);
        let Answer { status, json: made, .. } = ask(&admin, id(&dana), "show");
        assert_eq!(status, 201, "{made}");
        change(back);
        reset(&app, &shown(&made), OTHER).problem(422, "link-not-valid");
        if admin.get(&path).expect(200)["disabled"] == json!(true) {
            change(json!({ "disabled": false }));
            reset(&app, &shown(&made), OTHER).problem(422, "link-not-valid");
        }
    }
    log_in(&app, "dana@example.org", PASSWORD).expect(200);
}

#[test]
fn a_new_password_ends_the_links_for_another() {
    let (app, mails) = App::with_mail();
    let admin = app.admin();
    let ann = account(&admin, "ann@example.org", "analyst");
    let link = shown(&ask(&admin, id(&ann), "show").expect(201));
    mails.take(&app);
    let begun = log_in(&app, "ann@example.org", PASSWORD).expect(200);
    let own = app.with_token(begun["access_token"].as_str().unwrap());
    let body = json!({ "current_password": PASSWORD, "new_password": OTHER });
    assert!(own.put("/v1/me/password", "", &body).status < 300);
    reset(&app, &link, "blue ladder over the harbour").problem(422, "link-not-valid");
}

#[test]
fn without_mail_an_advisor_gets_their_first_password_by_a_shown_link_and_no_second() {
    let app = App::start();
    let admin = app.admin();
    let body = json!({ "email": "dana@example.org", "role": "advisor", "display_name": "Dana P." });
    let dana = admin.post("/v1/users", &body).expect(201);
    let refused = ask(&admin, id(&dana), "email");
    assert_eq!(refused.header("retry-after"), "3600");
    let problem = refused.problem(503, "unavailable");
    assert!(problem["detail"].as_str().unwrap().contains("Send deliver: show"), "{problem}");
    let link = shown(&ask(&admin, id(&dana), "show").expect(201));
    assert_eq!(reset(&app, &link, PASSWORD).status, 204);
    log_in(&app, "dana@example.org", PASSWORD).expect(200);
    ask(&admin, id(&dana), "show").invalid(&["/deliver"]);
    // A stranger is told what a stranger can do.
    let asked = app.anonymous().post("/v1/auth/password-resets", &json!({ "email": "dana@example.org" }));
    let problem = asked.problem(503, "unavailable");
    assert!(problem["detail"].as_str().unwrap().contains("Ask an advisor"), "{problem}");
}

#[test]
fn an_invited_account_with_another_address_is_invited_there() {
    let (app, mails) = App::with_mail();
    let admin = app.admin();
    let dana = admin.post("/v1/users", &json!({ "email": "dnaa@example.org", "role": "analyst" })).expect(201);
    let wrong = mails.take_one(&app).token();
    let path = format!("/v1/users/{}", id(&dana));
    admin.patch(&path, "\"1\"", &json!({ "email": "dana@example.org" })).expect(200);
    let sent = mails.take(&app);
    let mail = sent.iter().find(|mail| mail.subject == "Your account is ready").unwrap();
    assert_eq!(mail.to, "dana@example.org");
    take_up(&app, &wrong, PASSWORD).problem(422, "link-not-valid");
    take_up(&app, &mail.token(), PASSWORD).expect(201);
    let done = events(&app, id(&dana)).into_iter().filter(|(action, _)| action == "invite");
    assert_eq!(done.map(|(_, fields)| fields.0).collect::<Vec<_>>(), [json!(["email"]), json!(["email"])]);
    // Whoever has a password isn't invited.
    let tag = admin.get(&path).etag().to_owned();
    admin.patch(&path, &tag, &json!({ "email": "d@example.org" })).expect(200);
    assert!(mails.take(&app).iter().all(|mail| mail.subject != "Your account is ready"));
}

#[test]
fn confirming_one_new_address_takes_the_links_to_others_back() {
    let (app, mails) = App::with_mail();
    account(&app.admin(), "ann@example.org", "analyst");
    let begun = log_in(&app, "ann@example.org", PASSWORD).expect(200);
    let ann = app.with_token(begun["access_token"].as_str().unwrap());
    let ask = |email: &str| {
        ann.post("/v1/me/email-change", &json!({ "new_email": email, "current_password": PASSWORD })).expect(202);
        mails.take_one(&app).token()
    };
    let (one, other) = (ask("one@example.org"), ask("other@example.org"));
    let confirm = |token: &str| {
        app.anonymous().post("/v1/auth/email-changes/confirm", &json!({ "token": token, "password": PASSWORD }))
    };
    confirm(&one).expect(204);
    confirm(&other).problem(422, "link-not-valid");
    log_in(&app, "one@example.org", PASSWORD).expect(200);
}

/// A member who was invited: their id, the path of the invitation and its secret.
fn invited(advisor: &Client, app: &App) -> (String, String, String) {
    let member = member_row(app, "Peg", "Reid");
    let path = format!("/v1/members/{member}/invitations");
    let made = advisor.post(&path, &json!({ "email": "peg@example.org", "deliver": "show" })).expect(201);
    (member, format!("{path}/{}", id(&made)), shown(&made))
}

/// Sends a request while another transaction holds what these statements changed, and ends that transaction once the request
/// waits for it. On SQLite the request waits for the one writer, at the latest when it writes.
fn meanwhile(
    app: &App,
    changes: impl FnOnce(&mut life_rooms::db::Conn),
    request: impl Fn() -> Answer + Sync,
) -> Answer {
    let mut conn = app.conn();
    conn.batch_execute(if app.state.db.has_one_writer() { "BEGIN IMMEDIATE" } else { "BEGIN" }).unwrap();
    changes(&mut conn);
    std::thread::scope(|scope| {
        let sent = [scope.spawn(&request)];
        if !app.state.db.has_one_writer() {
            until_one_waits(&mut conn, &sent).unwrap();
        }
        conn.batch_execute("COMMIT").unwrap();
        let [sent] = sent;
        sent.join().unwrap()
    })
}

#[test]
fn an_invitation_that_is_taken_up_during_a_merge_makes_no_account_of_a_dead_record() {
    let app = App::start();
    let advisor = app.advisor();
    let (peg, _, token) = invited(&advisor, &app);
    let margaret = member_row(&app, "Margaret", "Reid");
    let (old, new): (Id, Id) = (peg.parse().unwrap(), margaret.parse().unwrap());
    let merge = |conn: &mut life_rooms::db::Conn| {
        if !app.state.db.has_one_writer() {
            conn.batch_execute("SELECT id FROM members FOR UPDATE").unwrap();
        }
        let links = one_time_links::table.filter(one_time_links::member_id.eq(old));
        diesel::update(links).set(one_time_links::member_id.eq(new)).execute(conn).unwrap();
        diesel::update(members::table.find(old)).set(members::merged_into.eq(new)).execute(conn).unwrap();
    };
    let answer = meanwhile(&app, merge, || take_up(&app, &token, PASSWORD));
    // On SQLite the link may have been read after the merge: then it is the other record's.
    if answer.status != 201 {
        answer.problem(422, "link-not-valid");
        take_up(&app, &token, PASSWORD).expect(201);
    }
    let of: Vec<Option<Id>> =
        users::table.filter(users::email.eq("peg@example.org")).select(users::member_id).load(&mut app.conn()).unwrap();
    assert_eq!(of, [Some(new)]);
}

#[test]
fn an_invitation_that_is_used_while_it_is_taken_back_was_used() {
    let app = App::start();
    let advisor = app.advisor();
    let (_, path, _) = invited(&advisor, &app);
    let link: Id = path.rsplit('/').next().unwrap().parse().unwrap();
    let used = |conn: &mut life_rooms::db::Conn| {
        let row = one_time_links::table.find(link);
        diesel::update(row).set(one_time_links::used_at.eq(app.clock.now())).execute(conn).unwrap();
    };
    meanwhile(&app, used, || advisor.delete(&path)).problem(409, "invalid-state");
}

#[test]
fn a_link_ends_with_the_right_of_whoever_made_it_and_saw_it() {
    let (app, mails) = App::with_mail();
    let admin = app.admin();
    let (dana, other) = (app.advisor(), app.admin());
    let peg = member_row(&app, "Peg", "Reid");
    let path = format!("/v1/members/{peg}/invitations");
    let invited = dana.post(&path, &json!({ "email": "peg@example.org", "deliver": "show" })).expect(201);
    let ann = account(&admin, "ann@example.org", "analyst");
    let link = ask(&other, id(&ann), "show").expect(201);
    let change = |account: &Client, body: Value| {
        let at = format!("/v1/users/{}", account.id.unwrap());
        let tag = admin.get(&at).etag().to_owned();
        admin.patch(&at, &tag, &body).expect(200);
    };
    change(&dana, json!({ "display_name": "Dana P." }));
    for (ends, back) in [
        (json!({ "disabled": true }), json!({ "disabled": false })),
        (json!({ "role": "analyst" }), json!({ "role": "advisor" })),
    ] {
        change(&dana, ends);
        take_up(&app, &shown(&invited), OTHER).problem(422, "link-not-valid");
        change(&dana, back);
    }
    change(&other, json!({ "disabled": true }));
    reset(&app, &shown(&link), OTHER).problem(422, "link-not-valid");
    change(&other, json!({ "disabled": false }));
    assert_eq!(reset(&app, &shown(&link), OTHER).status, 204);
    take_up(&app, &shown(&invited), OTHER).expect(201);
    // A mail that wasn't sent yet isn't sent any more.
    mails.take(&app);
    let bob = member_row(&app, "Bob", "Reid");
    let email = json!({ "email": "bob@example.org", "deliver": "email" });
    let late = app.advisor();
    late.post(&format!("/v1/members/{bob}/invitations"), &email).expect(201);
    change(&late, json!({ "disabled": true, "display_name": "Lee P." }));
    assert!(mails.take(&app).iter().all(|mail| mail.to != "bob@example.org"));
}
