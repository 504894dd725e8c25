//! Accounts, over HTTP and on the command line.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use diesel::prelude::*;
use life_rooms::auth::caller::Role;
use life_rooms::db::schema::{audit_events, members, users};
use life_rooms::db::{Id, Json, Location};
use serde_json::{Value, json};

use crate::support::{App, id, partner};

#[test]
fn an_account_is_created_read_listed_and_changed() {
    let app = App::start();
    let admin = app.admin();
    let body = json!({ "email": "Ann.Other@Example.ORG", "role": "advisor", "display_name": "Dana P.", "password": "correct horse battery" });
    let created = admin.post("/v1/users", &body);
    assert_eq!(created.status, 201, "{}", created.text);
    assert_eq!(created.json["email"], "ann.other@example.org");
    assert_eq!((&created.json["disabled"], &created.json["permissions"]), (&json!(false), &json!([])));
    assert!(!created.text.contains("password") && !created.text.contains("hash"), "{}", created.text);
    let path = created.header("location").to_owned();
    let read = admin.get(&path);
    assert_eq!((&read.json, read.header("cache-control")), (&created.json, "no-store"));
    let changed = admin.patch(&path, "\"1\"", &json!({ "permissions": ["safeguarding"] })).expect(200);
    assert_eq!(changed["permissions"], json!(["safeguarding"]));
    admin.patch(&path, "\"1\"", &json!({ "disabled": true })).problem(412, "precondition-failed");
    admin.patch(&path, "", &json!({ "disabled": true })).problem(428, "precondition-required");
    let list = admin.get("/v1/users").expect(200);
    assert!(list["items"].as_array().unwrap().contains(&changed), "{list}");
    assert_eq!(events(&app, created.id()), [("change".into(), vec!["permissions".into()]), ("create".into(), vec![])]);
}

fn events(app: &App, id: String) -> Vec<(String, Vec<String>)> {
    let id: Id = id.parse().unwrap();
    let rows: Vec<(String, Json<Vec<String>>)> = audit_events::table
        .filter(audit_events::resource_id.eq(id))
        .select((audit_events::action, audit_events::fields))
        .load(&mut app.conn())
        .unwrap();
    // The clock stands still, so their ids don't tell their order.
    let mut events: Vec<_> = rows.into_iter().map(|(action, fields)| (action, fields.0)).collect();
    events.sort();
    events
}

#[test]
fn an_address_is_taken_whatever_its_case() {
    let app = App::start();
    let admin = app.admin();
    admin.post("/v1/users", &json!({ "email": "a@example.org", "role": "analyst" })).expect(201);
    let again = json!({ "email": "A@EXAMPLE.org", "role": "advisor", "display_name": "Dana P." });
    let problem = admin.post("/v1/users", &again).problem(409, "already-exists");
    assert_eq!(problem["errors"][0]["pointer"], "/email");
    let other = admin.post("/v1/users", &json!({ "email": "b@example.org", "role": "analyst" })).expect(201);
    let path = format!("/v1/users/{}", id(&other));
    admin.patch(&path, "\"1\"", &json!({ "email": "A@example.org" })).problem(409, "already-exists");
}

#[test]
fn a_partner_goes_with_its_role_and_members_are_not_made_here() {
    let app = App::start();
    let admin = app.admin();
    let own = partner(&admin, "own");
    let email = "a@example.org";
    admin.post("/v1/users", &json!({ "email": email, "role": "member" })).invalid(&["/role"]);
    admin.post("/v1/users", &json!({ "email": email, "role": "partner" })).invalid(&["/partner_id"]);
    let body = json!({ "email": email, "role": "advisor", "display_name": "Dana P.", "partner_id": own["id"] });
    admin.post("/v1/users", &body).invalid(&["/partner_id"]);
    let body = json!({ "email": email, "role": "partner", "partner_id": app.clock.new_id().to_string() });
    let problem = admin.post("/v1/users", &body).invalid(&["/partner_id"]);
    assert_eq!(problem["errors"][0]["code"], "unknown_partner");
    let body = json!({ "email": "a", "role": "boss", "permissions": ["root"], "password": "short", "member_id": "x" });
    admin.post("/v1/users", &body).invalid(&["/email", "/role", "/permissions/0", "/password", "/member_id"]);
    let long = "x".repeat(129);
    let body = json!({ "email": email, "role": "advisor", "display_name": "Dana P.", "password": long });
    admin.post("/v1/users", &body).invalid(&["/password"]);
    let body = json!({ "email": email, "role": "partner", "partner_id": own["id"] });
    let made = admin.post("/v1/users", &body).expect(201);
    assert_eq!(made["partner_id"], own["id"]);
    let path = format!("/v1/users/{}", id(&made));
    admin.patch(&path, "\"1\"", &json!({ "role": "advisor" })).invalid(&["/partner_id"]);
    admin.patch(&path, "\"1\"", &json!({ "role": "advisor", "partner_id": null })).invalid(&["/display_name"]);
    let change = json!({ "role": "advisor", "partner_id": null, "display_name": "Dana P." });
    let moved = admin.patch(&path, "\"1\"", &change).expect(200);
    assert_eq!((&moved["role"], &moved["partner_id"]), (&json!("advisor"), &json!(null)));
    admin.patch(&path, "\"2\"", &json!({ "role": "member" })).invalid(&["/role"]);
    admin.patch(&path, "\"2\"", &json!({ "email": null })).invalid(&["/email"]);
}

#[test]
fn an_advisor_has_a_display_name_and_an_older_account_without_one_can_still_be_changed() {
    let app = App::start();
    let admin = app.admin();
    let problem = admin.post("/v1/users", &json!({ "email": "a@example.org", "role": "advisor" }));
    assert_eq!(problem.invalid(&["/display_name"])["errors"][0]["code"], "required");
    for name in ["", "  ", "two\nlines", &"x".repeat(61)] {
        let body = json!({ "email": "a@example.org", "role": "advisor", "display_name": name });
        admin.post("/v1/users", &body).invalid(&["/display_name"]);
    }
    let body = json!({ "email": "a@example.org", "role": "advisor", "display_name": "  Duty advisor " });
    let made = admin.post("/v1/users", &body).expect(201);
    assert_eq!(made["display_name"], "Duty advisor");
    let path = format!("/v1/users/{}", id(&made));
    admin.patch(&path, "\"1\"", &json!({ "display_name": null })).invalid(&["/display_name"]);
    assert_eq!(admin.patch(&path, "\"1\"", &json!({ "display_name": "Dana" })).expect(200)["display_name"], "Dana");
    // The suite's own accounts are as those of before this rule.
    let old = format!("/v1/users/{}", app.advisor().id.unwrap());
    let changed = admin.patch(&old, "\"1\"", &json!({ "disabled": true })).expect(200);
    assert_eq!((&changed["disabled"], &changed["display_name"]), (&json!(true), &json!(null)));
    admin.post("/v1/users", &json!({ "email": "b@example.org", "role": "analyst" })).expect(201);
}

#[test]
fn only_admins_see_accounts() {
    let app = App::start();
    let admin = app.admin();
    let path = format!("/v1/users/{}", admin.id.unwrap());
    for client in [app.advisor(), app.analyst(), app.partner_user(id(&partner(&admin, "a")))] {
        client.get("/v1/users").problem(403, "forbidden");
        client.get(&path).problem(403, "forbidden");
        client.post("/v1/users", &json!({ "email": "a@example.org", "role": "admin" })).problem(403, "forbidden");
        client.patch(&path, "\"1\"", &json!({ "role": "admin" })).problem(403, "forbidden");
    }
    app.anonymous().get("/v1/users").problem(401, "unauthenticated");
    admin.get(&format!("/v1/users/{}", app.clock.new_id())).problem(404, "not-found");
}

#[test]
fn members_accounts_are_not_shown_to_admins() {
    let app = App::start();
    let admin = app.admin();
    let member = app.member(&member_id(&app).to_string());
    let path = format!("/v1/users/{}", member.id.unwrap());
    admin.get(&path).problem(404, "not-found");
    admin.patch(&path, "\"1\"", &json!({ "disabled": true })).problem(404, "not-found");
    let list = admin.get("/v1/users").expect(200);
    assert_eq!(list["items"].as_array().unwrap().len(), 1, "{list}");
}

fn member_id(app: &App) -> Id {
    use members::dsl as m;
    let (id, now) = (app.clock.new_id(), app.clock.now());
    diesel::insert_into(members::table)
        .values((
            (m::id.eq(id), m::given_name.eq("Ann"), m::family_name.eq("Other"), m::version.eq(1)),
            (m::given_key.eq("ann"), m::family_key.eq("other")),
            (m::roles.eq(Json(vec!["service_user"])), m::contact_preferences.eq(Json(Vec::<String>::new()))),
            (m::created_at.eq(now), m::updated_at.eq(now)),
        ))
        .execute(&mut app.conn())
        .expect("the member is new");
    id
}

#[test]
fn there_is_always_an_enabled_admin() {
    let app = App::start();
    let admin = app.admin();
    let own = format!("/v1/users/{}", admin.id.unwrap());
    for change in [json!({ "disabled": true }), json!({ "role": "advisor", "display_name": "Dana P." })] {
        let problem = admin.patch(&own, "\"1\"", &change).problem(409, "invalid-state");
        assert!(problem["detail"].as_str().unwrap().contains("last"), "{problem}");
    }
    let other = app.admin();
    admin.patch(&own, "\"1\"", &json!({ "disabled": true })).expect(200);
    admin.get("/v1/users").problem(401, "unauthenticated");
    other.get("/v1/users").expect(200);
}

#[test]
fn two_admins_who_disable_each_other_at_once_do_not_both_succeed() {
    let app = App::start();
    let admins = [app.admin(), app.admin()];
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let changes: Vec<_> = [(0, 1), (1, 0)]
            .map(|(one, other): (usize, usize)| {
                let path = format!("/v1/users/{}", admins[other].id.unwrap());
                let admin = &admins[one];
                scope.spawn(move || admin.patch(&path, "\"1\"", &json!({ "disabled": true })).status)
            })
            .into_iter()
            .collect();
        changes.into_iter().map(|change| change.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    let enabled: i64 = users::table
        .filter(users::role.eq(Role::Admin))
        .filter(users::disabled.eq(false))
        .count()
        .get_result(&mut app.conn())
        .unwrap();
    assert_eq!(enabled, 1);
}

#[test]
fn what_narrows_an_account_ends_its_tokens_at_once() {
    let app = App::start();
    let admin = app.admin();
    let own = partner(&admin, "own");
    for change in [
        json!({ "disabled": true }),
        json!({ "role": "analyst" }),
        json!({ "role": "partner", "partner_id": own["id"] }),
    ] {
        let advisor = app.advisor();
        let path = format!("/v1/users/{}", advisor.id.unwrap());
        advisor.get("/v1/me").expect(200);
        admin.patch(&path, "\"1\"", &change).expect(200);
        advisor.get("/v1/me").problem(401, "unauthenticated");
    }
    let advisor = app.advisor();
    let path = format!("/v1/users/{}", advisor.id.unwrap());
    admin.patch(&path, "\"1\"", &json!({ "permissions": ["safeguarding"] })).expect(200);
    assert_eq!(advisor.get("/v1/me").expect(200)["permissions"], json!(["safeguarding"]));
}

#[test]
fn an_account_posted_again_with_its_key_is_made_once() {
    let app = App::start();
    let admin = app.admin();
    let body = json!({ "email": "a@example.org", "role": "advisor", "display_name": "Dana P.", "password": "correct horse battery" });
    let key = [("idempotency-key", "k")];
    let first = admin.post_with("/v1/users", &key, &body).expect(201);
    let again = admin.post_with("/v1/users", &key, &body);
    assert_eq!(again.header("idempotent-replay"), "true");
    assert_eq!(again.json, first);
    let other = json!({ "email": "b@example.org", "role": "advisor", "display_name": "Dana P.", "password": "correct horse battery" });
    admin.post_with("/v1/users", &key, &other).problem(422, "idempotency-mismatch");
}

pub fn run(app: &App, arguments: &[&str], input: &str) -> Output {
    let url = match &app.location {
        Location::Sqlite(path) => format!("sqlite://{path}"),
        Location::Postgres(url) => url.clone(),
    };
    let mut child = Command::new(env!("CARGO_BIN_EXE_life-rooms"))
        .args(arguments)
        .env("DATABASE_URL", url)
        .env("LIFE_ROOMS_KEY_DIR", app.key_dir())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    // A command that fails before it reads closes the pipe.
    let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
    child.wait_with_output().expect("the binary ends")
}

#[track_caller]
pub fn succeeds(output: &Output) {
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

#[track_caller]
pub fn fails(output: &Output, code: i32, words: &str) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{text}");
    assert!(text.contains(words), "{text}");
}

fn log_in(app: &App, email: &str, password: &str) -> u16 {
    app.anonymous().post("/v1/auth/login", &json!({ "email": email, "password": password })).status
}

#[test]
fn the_command_line_makes_an_account_beside_a_running_server() {
    let app = App::start();
    let create = ["user", "create", "--email", "Boss@Example.org", "--role", "admin", "--password-stdin"];
    succeeds(&run(&app, &create, "correct horse battery\n"));
    let body = json!({ "email": "boss@example.org", "password": "correct horse battery" });
    let token = app.anonymous().post("/v1/auth/login", &body).expect(200);
    let boss = app.with_token(token["access_token"].as_str().unwrap());
    assert_eq!(boss.get("/v1/me").expect(200)["role"], "admin");
    fails(&run(&app, &create, "correct horse battery\n"), 1, "Another account has this e-mail address");

    let set = ["user", "set-password", "--email", "boss@example.org", "--password-stdin"];
    succeeds(&run(&app, &set, "battery staple boat\r\n"));
    boss.get("/v1/me").problem(401, "unauthenticated");
    assert_eq!(log_in(&app, "boss@example.org", "correct horse battery"), 401);
    assert_eq!(log_in(&app, "boss@example.org", "battery staple boat"), 200);
    let unknown = ["user", "set-password", "--email", "nobody@example.org", "--password-stdin"];
    fails(&run(&app, &unknown, "battery staple boat"), 1, "no account of nobody@example.org");
    let who: Vec<(String, Option<Id>)> = audit_events::table
        .filter(audit_events::actor_kind.eq("system"))
        .order(audit_events::id)
        .select((audit_events::action, audit_events::actor_id))
        .load(&mut app.conn())
        .unwrap();
    let names = |rows: &[(String, Option<Id>)]| rows.iter().map(|(action, _)| action.clone()).collect::<Vec<_>>();
    assert_eq!(names(&who), ["create", "change", "logins_ended"]);
    assert!(who.iter().all(|(_, actor)| actor.is_none()));
}

#[test]
fn a_password_of_the_command_line_is_the_same_in_a_browser_however_its_accents_are_written() {
    let app = App::start();
    let create = ["user", "create", "--email", "boss@example.org", "--role", "admin", "--password-stdin"];
    let set = ["user", "set-password", "--email", "boss@example.org", "--password-stdin"];
    succeeds(&run(&app, &create, "cafe\u{301} staple battery\n"));
    assert_eq!(log_in(&app, "boss@example.org", "caf\u{e9} staple battery"), 200);
    succeeds(&run(&app, &set, "batt\u{e9}ry staple boat\n"));
    assert_eq!(log_in(&app, "boss@example.org", "batte\u{301}ry staple boat"), 200);
    assert_eq!(log_in(&app, "boss@example.org", "battery staple boat"), 401);
}

#[test]
fn the_command_line_ties_an_account_to_its_partner_or_member() {
    let app = App::start();
    let admin = app.admin();
    let own = partner(&admin, "the-reader");
    let member = member_id(&app).to_string();
    let create = |more: &[&str]| {
        let mut arguments = vec!["user", "create", "--password-stdin"];
        arguments.extend_from_slice(more);
        run(&app, &arguments, "correct horse battery\n")
    };
    succeeds(&create(&["--email", "p@example.org", "--role", "partner", "--partner", "the-reader"]));
    succeeds(&create(&["--email", "m@example.org", "--role", "member", "--member", &member]));
    let me = |email: &str| -> Value {
        let body = json!({ "email": email, "password": "correct horse battery" });
        let token = app.anonymous().post("/v1/auth/login", &body).expect(200);
        app.with_token(token["access_token"].as_str().unwrap()).get("/v1/me").expect(200)
    };
    assert_eq!(me("p@example.org")["partner_id"], own["id"]);
    assert_eq!(me("m@example.org")["member_id"], json!(member));
    let a = "a@example.org";
    fails(&create(&["--email", a, "--role", "partner", "--partner", "x"]), 1, "no partner with the slug x");
    let nobody = app.clock.new_id().to_string();
    fails(&create(&["--email", a, "--role", "member", "--member", &nobody]), 1, "no member");
    fails(&create(&["--email", a, "--role", "member", "--member", &member]), 1, "has an account already");
    fails(&create(&["--email", a, "--role", "partner"]), 2, "--partner");
    fails(&create(&["--email", a, "--role", "advisor"]), 2, "--display-name");
    fails(&create(&["--email", a, "--role", "advisor", "--display-name", " "]), 2, "--display-name");
    succeeds(&create(&["--email", "d@example.org", "--role", "advisor", "--display-name", "Dana P."]));
    fails(&create(&["--email", a, "--role", "admin", "--member", &nobody]), 2, "--member");
    fails(&create(&["--email", a, "--role", "boss"]), 2, "--role");
    for email in ["a", ".a@b.example", "a..b@c.example"] {
        fails(&create(&["--email", email, "--role", "admin"]), 2, "--email");
    }
    // An address has one form, whoever writes it.
    succeeds(&create(&["--email", "\u{a0}Boss@b.example\u{200b}", "--role", "admin"]));
    fails(&create(&["--email", "boss@b.example", "--role", "admin"]), 1, "Another account has this e-mail address");
    assert_eq!(log_in(&app, "boss@b.example", "correct horse battery"), 200);
}

#[test]
fn the_command_line_wants_a_password_of_a_sane_length_from_standard_input() {
    let app = App::start();
    let create = ["user", "create", "--email", "a@example.org", "--role", "admin"];
    fails(&run(&app, &create, "correct horse battery"), 2, "--password-stdin");
    let create = [&create[..], &["--password-stdin"]].concat();
    fails(&run(&app, &create, "1234567\n"), 2, "at least 15 characters");
    fails(&run(&app, &create, &"x".repeat(129)), 2, "at most 128 characters");
    let help = run(&app, &["user", "create", "--help"], "");
    succeeds(&help);
    assert!(String::from_utf8_lossy(&help.stdout).contains("Example:"));
    assert_eq!(log_in(&app, "a@example.org", "1234567"), 401);
}
