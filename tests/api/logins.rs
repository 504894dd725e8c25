//! Logins and their refresh tokens: what keeps somebody logged in, and what ends it.

use diesel::prelude::*;
use life_rooms::auth::caller::Role;
use life_rooms::db::schema::{audit_events, logins, users};
use life_rooms::db::{Id, Json};
use serde_json::{Value, json};

use crate::housekeeping::keep_house;
use crate::support::{Answer, App, Client, id, member_row};

const PASSWORD: &str = "paper boat under the lamp";

/// An advisor's account with a password; its id.
pub fn account(app: &App, email: &str) -> Id {
    let body = json!({ "email": email, "role": "advisor", "display_name": "Dana P.", "password": PASSWORD });
    id(&app.admin().post("/v1/users", &body).expect(201)).parse().unwrap()
}

pub fn log_in(app: &App, email: &str, more: Value) -> Answer {
    let mut body = json!({ "email": email, "password": PASSWORD });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    app.anonymous().post("/v1/auth/login", &body)
}

/// What a client keeps of a login.
#[derive(Clone)]
pub struct Kept {
    pub client: Client,
    pub refresh: String,
}

fn kept(app: &App, answer: Answer) -> Kept {
    let tokens = answer.expect(200);
    let text = |name: &str| tokens[name].as_str().expect(name).to_owned();
    Kept { client: app.with_token(&text("access_token")), refresh: text("refresh_token") }
}

pub fn logged_in(app: &App, email: &str) -> Kept {
    kept(app, log_in(app, email, json!({})))
}

pub fn refresh(app: &App, token: &str) -> Answer {
    app.anonymous().post("/v1/auth/refresh", &json!({ "refresh_token": token }))
}

/// The token with another letter in its middle.
pub fn tampered(token: &str) -> String {
    let mut bytes = token.as_bytes().to_vec();
    let middle = bytes.len() / 2;
    bytes[middle] = if bytes[middle] == b'A' { b'B' } else { b'A' };
    String::from_utf8(bytes).unwrap()
}

#[track_caller]
pub fn is_out(kept: &Kept) {
    kept.client.get("/v1/me").problem(401, "unauthenticated");
}

/// The reasons for which this account's logins ended, as the audit has them.
pub fn ended(app: &App, account: Id) -> Vec<String> {
    let rows: Vec<Json<Vec<String>>> = audit_events::table
        .filter(audit_events::resource_id.eq(account).and(audit_events::action.eq("logins_ended")))
        .select(audit_events::fields)
        .load(&mut app.conn())
        .unwrap();
    rows.into_iter().flat_map(|fields| fields.0).collect()
}

#[test]
fn a_login_goes_on_with_each_refresh_and_every_token_of_it_works() {
    let app = App::start();
    account(&app, "ann@example.org");
    let answer = log_in(&app, "ann@example.org", json!({}));
    assert_eq!((answer.header("cache-control"), answer.header("set-cookie")), ("no-store", ""));
    assert_eq!((&answer.json["expires_in"], &answer.json["refresh_expires_in"]), (&json!(900), &json!(7200)));
    let mut now = kept(&app, answer);
    for minute in [14, 28, 42] {
        app.at(&format!("2026-11-23T09:{minute}:00Z"));
        let answer = refresh(&app, &now.refresh);
        assert_eq!(answer.header("cache-control"), "no-store");
        let next = kept(&app, answer);
        assert_ne!(next.refresh, now.refresh);
        assert_eq!(next.client.get("/v1/me").expect(200)["name"], "ann@example.org");
        now.client.get("/v1/me").expect(200);
        now = next;
    }
}

#[test]
fn a_stolen_refresh_token_that_is_used_once_ends_its_login_and_no_other() {
    let app = App::start();
    let ann = account(&app, "ann@example.org");
    let (stolen, other) = (logged_in(&app, "ann@example.org"), logged_in(&app, "ann@example.org"));
    app.at("2026-11-23T09:10:00Z");
    let thief = kept(&app, refresh(&app, &stolen.refresh));
    app.at("2026-11-23T09:11:01Z");
    // The owner's turn comes more than a minute later, and shows that two have the token.
    refresh(&app, &stolen.refresh).problem(401, "unauthenticated");
    for one in [&stolen, &thief] {
        is_out(one);
        refresh(&app, &one.refresh).problem(401, "unauthenticated");
    }
    assert_eq!(ended(&app, ann), ["reuse"]);
    other.client.get("/v1/me").expect(200);
    refresh(&app, &other.refresh).expect(200);
}

#[test]
fn a_token_two_before_the_newest_ends_its_login_however_soon_it_comes() {
    let app = App::start();
    let ann = account(&app, "ann@example.org");
    let first = logged_in(&app, "ann@example.org");
    let second = kept(&app, refresh(&app, &first.refresh));
    let third = kept(&app, refresh(&app, &second.refresh));
    refresh(&app, &first.refresh).problem(401, "unauthenticated");
    is_out(&third);
    refresh(&app, &third.refresh).problem(401, "unauthenticated");
    assert_eq!(ended(&app, ann), ["reuse"]);
}

#[test]
fn a_lost_answer_is_asked_for_again_within_a_minute_and_holds_the_same_next_token() {
    let app = App::start();
    let ann = account(&app, "ann@example.org");
    let first = logged_in(&app, "ann@example.org");
    app.at("2026-11-23T09:10:00Z");
    let second = kept(&app, refresh(&app, &first.refresh));
    app.at("2026-11-23T09:11:00Z");
    let again = kept(&app, refresh(&app, &first.refresh));
    assert_eq!(again.refresh, second.refresh);
    for one in [&first, &second, &again] {
        one.client.get("/v1/me").expect(200);
    }
    refresh(&app, &second.refresh).expect(200);
    assert_eq!(ended(&app, ann), Vec::<String>::new());
}

#[test]
fn thirty_two_tabs_that_refresh_one_token_at_once_all_get_the_same_next_token() {
    let app = App::start();
    account(&app, "ann@example.org");
    let first = logged_in(&app, "ann@example.org");
    let neighbour = app.beside();
    let tabs: Vec<Kept> = std::thread::scope(|scope| {
        let tab = |number: usize| {
            let (app, first, url) = (&app, &first, [&app.url, &neighbour.url][number % 2]);
            scope.spawn(move || {
                let body = json!({ "refresh_token": first.refresh });
                kept(app, app.anonymous().at(url).post("/v1/auth/refresh", &body))
            })
        };
        let tabs: Vec<_> = (0..32).map(tab).collect();
        tabs.into_iter().map(|tab| tab.join().unwrap()).collect()
    });
    assert!(tabs.iter().all(|tab| tab.refresh == tabs[0].refresh));
    tabs[31].client.get("/v1/me").expect(200);
    // One older token is enough to end it for all of them.
    kept(&app, refresh(&app, &tabs[0].refresh));
    refresh(&app, &first.refresh).problem(401, "unauthenticated");
    tabs.iter().for_each(is_out);
}

#[test]
fn logging_out_holds_on_the_next_request_on_every_server_and_says_nothing_of_other_tokens() {
    let app = App::start();
    let ann = account(&app, "ann@example.org");
    let (one, other) = (logged_in(&app, "ann@example.org"), logged_in(&app, "ann@example.org"));
    let neighbour = app.beside();
    let log_out = |token: &str| app.anonymous().post("/v1/auth/logout", &json!({ "refresh_token": token })).status;
    assert_eq!(log_out(&one.refresh), 204);
    is_out(&one);
    one.client.at(&neighbour.url).get("/v1/me").problem(401, "unauthenticated");
    refresh(&app, &one.refresh).problem(401, "unauthenticated");
    for nonsense in [one.refresh.as_str(), "nonsense", "lrr_", &tampered(&other.refresh)] {
        assert_eq!(log_out(nonsense), 204, "{nonsense}");
    }
    assert_eq!(app.anonymous().post("/v1/auth/logout", &json!({})).status, 204);
    other.client.get("/v1/me").expect(200);
    // A token of a login that was logged out is no theft.
    assert_eq!(ended(&app, ann), ["logout"]);
}

#[test]
fn what_is_no_refresh_token_is_401() {
    let app = App::start();
    account(&app, "ann@example.org");
    let first = logged_in(&app, "ann@example.org");
    let stranger = App::start();
    account(&stranger, "ann@example.org");
    let foreign = logged_in(&stranger, "ann@example.org").refresh;
    let changed = tampered(&first.refresh);
    let access = first.client.token.clone().unwrap();
    for token in ["lrr_", "nonsense", &first.refresh[4..], &changed, &foreign, &access[..150.min(access.len())]] {
        refresh(&app, token).problem(401, "unauthenticated");
    }
    app.anonymous().post("/v1/auth/refresh", &json!({})).problem(401, "unauthenticated");
    // A refresh token is no access token.
    app.with_token(&first.refresh).get("/v1/me").problem(401, "unauthenticated");
    kept(&app, refresh(&app, &first.refresh));
}

#[test]
fn staff_are_out_after_two_idle_hours_and_after_twelve_in_any_case() {
    let app = App::start();
    account(&app, "ann@example.org");
    let idle = logged_in(&app, "ann@example.org");
    let mut busy = logged_in(&app, "ann@example.org");
    for time in ["10:59:59", "12:59:58", "14:59:57", "16:59:56", "18:59:55", "20:59:54"] {
        app.at(&format!("2026-11-23T{time}Z"));
        if time == "12:59:58" {
            refresh(&app, &idle.refresh).problem(401, "unauthenticated");
        }
        busy = kept(&app, refresh(&app, &busy.refresh));
    }
    // The last access token ends with its login.
    busy.client.get("/v1/me").expect(200);
    app.at("2026-11-23T21:00:00Z");
    is_out(&busy);
    refresh(&app, &busy.refresh).problem(401, "unauthenticated");
    assert_eq!(logged_in(&app, "ann@example.org").client.get("/v1/me").status, 200);
}

#[test]
fn members_stay_logged_in_for_a_month_of_rest_and_ninety_days_in_all() {
    let app = App::start();
    member_account(&app, "member@example.org");
    let answer = log_in(&app, "member@example.org", json!({}));
    assert_eq!(answer.json["refresh_expires_in"], 30 * 24 * 3600);
    let mut now = kept(&app, answer);
    for day in ["2026-12-23T08:59:59Z", "2027-01-22T08:59:58Z", "2027-02-21T08:59:57Z"] {
        app.at(day);
        now = kept(&app, refresh(&app, &now.refresh));
    }
    app.at("2027-02-21T09:00:00Z");
    refresh(&app, &now.refresh).problem(401, "unauthenticated");
}

/// A member's account with the password; the member.
fn member_account(app: &App, email: &str) -> String {
    let member = member_row(app, "Peg", "Examplewood");
    let account = app.user(Role::Member, None, Some(member.parse().unwrap())).id.unwrap();
    let hash = life_rooms::auth::password::hash(PASSWORD).unwrap();
    diesel::update(users::table.find(account))
        .set((users::email.eq(email), users::password_hash.eq(hash)))
        .execute(&mut app.conn())
        .unwrap();
    member
}

#[test]
fn ones_logins_are_listed_and_each_can_be_ended() {
    let app = App::start();
    let ann = account(&app, "ann@example.org");
    let first = kept(&app, log_in(&app, "ann@example.org", json!({ "client_name": "Firefox on my phone" })));
    app.at("2026-11-23T09:05:00Z");
    let second = logged_in(&app, "ann@example.org");
    let list = second.client.get("/v1/me/logins");
    assert_eq!(list.header("cache-control"), "no-store");
    let list = list.expect(200)["items"].clone();
    assert_eq!(list.as_array().unwrap().len(), 2, "{list}");
    assert_eq!((&list[0]["client_name"], &list[0]["current"]), (&json!("Firefox on my phone"), &json!(false)));
    assert_eq!((&list[1]["client_name"], &list[1]["current"]), (&Value::Null, &json!(true)));
    assert_eq!((&list[0]["created_at"], &list[0]["network"]), (&json!("2026-11-23T09:00:00Z"), &json!("127.0.0.0/24")));
    let page = second.client.get("/v1/me/logins?limit=1").expect(200);
    assert_eq!(second.client.get(page["next"].as_str().unwrap()).expect(200)["items"], json!([list[1]]));

    let path = format!("/v1/me/logins/{}", list[0]["id"].as_str().unwrap());
    app.advisor().delete(&path).problem(404, "not-found");
    second.client.delete(&format!("/v1/me/logins/{}", app.clock.new_id())).problem(404, "not-found");
    first.client.get("/v1/me").expect(200);
    assert_eq!(second.client.delete(&path).status, 204);
    is_out(&first);
    refresh(&app, &first.refresh).problem(401, "unauthenticated");
    assert_eq!(second.client.delete(&path).status, 204);
    assert_eq!(second.client.get("/v1/me/logins").expect(200)["items"], json!([list[1]]));
    assert_eq!(ended(&app, ann), ["logout"]);
}

#[test]
fn an_account_ends_all_its_logins_at_once_and_nobody_elses() {
    let app = App::start();
    let ann = account(&app, "ann@example.org");
    account(&app, "bob@example.org");
    let (one, two) = (logged_in(&app, "ann@example.org"), logged_in(&app, "ann@example.org"));
    let bob = logged_in(&app, "bob@example.org");
    assert_eq!(two.client.delete("/v1/me/logins").status, 204);
    for kept in [&one, &two] {
        is_out(kept);
        refresh(&app, &kept.refresh).problem(401, "unauthenticated");
    }
    bob.client.get("/v1/me").expect(200);
    assert_eq!(ended(&app, ann), ["logout_all"]);
    logged_in(&app, "ann@example.org").client.get("/v1/me").expect(200);
}

#[test]
fn a_site_manager_ends_the_logins_of_accounts_but_not_of_members() {
    let app = App::start();
    let (admin, ann) = (app.admin(), account(&app, "ann@example.org"));
    let one = logged_in(&app, "ann@example.org");
    let path = format!("/v1/users/{ann}/logins");
    app.advisor().delete(&path).problem(403, "forbidden");
    admin.send("DELETE", &path, &[("if-match", "\"7\"")], b"").problem(412, "precondition-failed");
    one.client.get("/v1/me").expect(200);
    assert_eq!(admin.delete(&path).status, 204);
    is_out(&one);
    refresh(&app, &one.refresh).problem(401, "unauthenticated");
    assert_eq!(ended(&app, ann), ["logout_all"]);

    member_account(&app, "member@example.org");
    let member = logged_in(&app, "member@example.org");
    let account = id(&member.client.get("/v1/me").expect(200)).to_owned();
    admin.delete(&format!("/v1/users/{account}/logins")).problem(404, "not-found");
    member.client.get("/v1/me").expect(200);
}

#[test]
fn what_changes_an_account_ends_its_logins_and_the_audit_says_why() {
    let app = App::start();
    let admin = app.admin();
    for (number, (change, why)) in [
        (json!({ "disabled": true }), "disabled"),
        (json!({ "role": "analyst" }), "changed"),
        (json!({ "email": "elsewhere@example.org" }), "email"),
    ]
    .into_iter()
    .enumerate()
    {
        let email = format!("ann-{number}@example.org");
        let ann = account(&app, &email);
        let one = logged_in(&app, &email);
        admin.patch(&format!("/v1/users/{ann}"), "\"1\"", &change).expect(200);
        is_out(&one);
        refresh(&app, &one.refresh).problem(401, "unauthenticated");
        assert_eq!(ended(&app, ann), [why]);
    }
    let ann = account(&app, "ann@example.org");
    let (one, two) = (logged_in(&app, "ann@example.org"), logged_in(&app, "ann@example.org"));
    let change = json!({ "current_password": PASSWORD, "new_password": "another boat on the lake" });
    assert_eq!(one.client.put("/v1/me/password", "", &change).status, 204);
    [&one, &two].into_iter().for_each(is_out);
    assert_eq!(ended(&app, ann), ["password"]);
}

#[test]
fn an_eleventh_login_ends_the_one_that_was_used_longest_ago() {
    let app = App::start();
    let ann = account(&app, "ann@example.org");
    let mut all = Vec::new();
    for minute in 10..20 {
        app.at(&format!("2026-11-23T09:{minute}:00Z"));
        all.push(logged_in(&app, "ann@example.org"));
    }
    app.at("2026-11-23T09:20:00Z");
    all[0] = kept(&app, refresh(&app, &all[0].refresh));
    let eleventh = logged_in(&app, "ann@example.org");
    is_out(&all[1]);
    refresh(&app, &all[1].refresh).problem(401, "unauthenticated");
    for one in all.iter().enumerate().filter(|(number, _)| *number != 1).map(|(_, one)| one).chain([&eleventh]) {
        one.client.get("/v1/me").expect(200);
    }
    assert_eq!(ended(&app, ann), ["evicted"]);
}

#[test]
fn thirty_logins_at_once_leave_ten() {
    let app = App::start();
    let ann = account(&app, "ann@example.org");
    let neighbour = app.beside();
    std::thread::scope(|scope| {
        for number in 0..30 {
            let (app, url) = (&app, [&app.url, &neighbour.url][number % 2]);
            let body = json!({ "email": "ann@example.org", "password": PASSWORD });
            // Few attempts on one address run at a time. The others are told to come back.
            let log_in = move || app.anonymous().at(url).post("/v1/auth/login", &body).status;
            scope.spawn(move || assert!((0..2_000).any(|_| log_in() == 200), "nobody may be kept out"));
        }
    });
    let open = logins::table.filter(logins::user_id.eq(ann).and(logins::ended_at.is_null()));
    assert_eq!(open.count().get_result::<i64>(&mut app.conn()).unwrap(), 10);
}

#[test]
fn a_login_beside_the_end_of_all_logins_is_ended_or_came_after_it() {
    let app = App::start();
    let ann = account(&app, "ann@example.org");
    let admin = app.admin();
    for _ in 0..5 {
        let (answer, _) = std::thread::scope(|scope| {
            let login = scope.spawn(|| log_in(&app, "ann@example.org", json!({})));
            let end = scope.spawn(|| admin.delete(&format!("/v1/users/{ann}/logins")).status);
            (login.join().unwrap(), end.join().unwrap())
        });
        // Whoever was told that all logins have ended can rely on it: a token of before doesn't work.
        let generation: i32 = users::table.find(ann).select(users::generation).first(&mut app.conn()).unwrap();
        if answer.status == 200 {
            let login = kept(&app, answer);
            let me = login.client.get("/v1/me").status;
            let open = logins::table.filter(logins::user_id.eq(ann).and(logins::ended_at.is_null()));
            let open = open.count().get_result::<i64>(&mut app.conn()).unwrap();
            assert_eq!((me == 200, open), (open == 1, i64::from(me == 200)), "generation {generation}");
        } else {
            answer.problem(401, "unauthenticated");
        }
        admin.delete(&format!("/v1/users/{ann}/logins"));
    }
}

#[test]
fn a_paused_partner_is_not_refreshed_and_its_login_stays() {
    let app = App::start();
    let admin = app.admin();
    let partner = crate::support::partner(&admin, "the-reader");
    let body =
        json!({ "email": "p@example.org", "role": "partner", "partner_id": partner["id"], "password": PASSWORD });
    admin.post("/v1/users", &body).expect(201);
    let user = logged_in(&app, "p@example.org");
    let path = format!("/v1/partners/{}", id(&partner));
    admin.patch(&path, "\"1\"", &json!({ "status": "paused" })).expect(200);
    refresh(&app, &user.refresh).problem(403, "forbidden");
    admin.patch(&path, "\"2\"", &json!({ "status": "active" })).expect(200);
    kept(&app, refresh(&app, &user.refresh)).client.get("/v1/me").expect(200);
}

#[test]
fn a_token_from_after_a_restored_backup_is_refused_and_ends_its_login() {
    let app = App::start();
    account(&app, "ann@example.org");
    let first = logged_in(&app, "ann@example.org");
    let second = kept(&app, refresh(&app, &first.refresh));
    let third = kept(&app, refresh(&app, &second.refresh));
    // The backup was made when the first token was the newest.
    diesel::update(logins::table).set(logins::counter.eq(1)).execute(&mut app.conn()).unwrap();
    refresh(&app, &third.refresh).problem(401, "unauthenticated");
    refresh(&app, &first.refresh).problem(401, "unauthenticated");
    is_out(&third);
}

#[test]
fn the_audit_knows_every_login_and_its_end_with_the_account_and_the_member() {
    let app = App::start();
    let member = member_account(&app, "member@example.org");
    let one = logged_in(&app, "member@example.org");
    app.anonymous().post("/v1/auth/logout", &json!({ "refresh_token": one.refresh }));
    let wrong = json!({ "email": "member@example.org", "password": "wrong horse battery staple" });
    app.anonymous().post("/v1/auth/login", &wrong).problem(401, "unauthenticated");
    type Row = (String, Option<Id>, Option<Id>, Option<Id>, Json<Vec<String>>);
    let mut rows: Vec<Row> = audit_events::table
        .filter(audit_events::action.eq_any(["login", "logins_ended"]))
        .select((
            audit_events::action,
            audit_events::actor_id,
            audit_events::resource_id,
            audit_events::member_id,
            audit_events::fields,
        ))
        .load(&mut app.conn())
        .unwrap();
    rows.sort_by(|one, other| one.0.cmp(&other.0));
    let user: Option<Id> =
        users::table.filter(users::email.eq("member@example.org")).select(users::id).first(&mut app.conn()).ok();
    let member: Option<Id> = member.parse().ok();
    let expected = |action: &str, fields: &[&str]| {
        let fields = fields.iter().map(|field| (*field).to_owned()).collect::<Vec<_>>();
        (action.to_owned(), user, user, member, fields)
    };
    let found: Vec<_> = rows.into_iter().map(|(a, b, c, d, fields)| (a, b, c, d, fields.0)).collect();
    assert_eq!(found, [expected("login", &[]), expected("logins_ended", &["logout"])]);
}

#[test]
fn a_login_is_forgotten_ninety_days_after_its_end() {
    let app = App::start();
    account(&app, "ann@example.org");
    let (ended, idle) = (logged_in(&app, "ann@example.org"), logged_in(&app, "ann@example.org"));
    app.anonymous().post("/v1/auth/logout", &json!({ "refresh_token": ended.refresh }));
    let left = || logins::table.count().get_result::<i64>(&mut app.conn()).unwrap();
    let before = left();
    // The records of keys end earlier; the login that was left alone ends twelve hours after it began.
    app.at("2027-02-21T08:59:59Z");
    keep_house(&app);
    assert_eq!(left(), before);
    app.at("2027-02-21T09:00:00Z");
    assert!(keep_house(&app));
    assert_eq!(left(), before - 1);
    refresh(&app, &ended.refresh).problem(401, "unauthenticated");
    app.at("2027-02-21T21:00:00Z");
    assert!(keep_house(&app));
    assert_eq!(left(), before - 2);
    refresh(&app, &idle.refresh).problem(401, "unauthenticated");
}
