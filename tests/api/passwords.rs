//! Which passwords can be set: by an admin, by oneself, and on the command line.

use diesel::prelude::*;
use life_rooms::auth::caller::Role;
use life_rooms::db::schema::users;
use serde_json::json;

use crate::support::{Answer, App, member_row};
use crate::users::{fails, run, succeeds};

const PASSWORD: &str = "paper boat under the lamp";
const EIGHT: &str = "🌻🚲🎈🐢📚🎷⛵🍋";

/// The code of the one fault of an answer; "taken" if the password was set.
fn outcome(answer: Answer) -> String {
    match answer.status {
        201 | 204 => "taken".into(),
        _ => answer.problem(422, "invalid-body")["errors"][0]["code"].as_str().unwrap().to_owned(),
    }
}

#[test]
fn a_members_password_has_eight_characters_and_is_not_easily_guessed() {
    let app = App::start();
    let member = member_row(&app, "Margaret", "Examplewood");
    let client = app.member(&member);
    let current = PASSWORD;
    let store = |password: &str| {
        let hash = life_rooms::auth::password::hash(password).unwrap();
        let account = users::table.find(client.id.unwrap());
        // The generation stays, so that the client's token does.
        diesel::update(account).set(users::password_hash.eq(hash)).execute(&mut app.conn()).unwrap();
    };
    store(current);
    let common = ["margaret1961", "examplewood7", "liverpool1", "qwertyuiop12", "aaaaaaaaaaaa", "🌻🌻🌻🌻🌻🌻🌻🌻"];
    let wrong = common.map(|password| (password, "too_common")).into_iter();
    let seven: String = EIGHT.chars().take(7).collect();
    let long = "paper boat under the lamp ".repeat(5);
    let wrong = wrong.chain([
        ("", "too_short"),
        (seven.as_str(), "too_short"),
        (long.as_str(), "too_long"),
        ("boat\0boat\0boat", "nul"),
    ]);
    for (password, code) in wrong {
        let body = json!({ "current_password": current, "new_password": password });
        assert_eq!(outcome(client.put("/v1/me/password", "", &body)), code, "{password:?}");
    }
    client.get("/v1/me").expect(200);
    for password in ["sunshine reading", EIGHT] {
        let other = app.user(Role::Member, None, Some(member_row(&app, "Sam", "Riley").parse().unwrap()));
        let hash = life_rooms::auth::password::hash(current).unwrap();
        let account = users::table.find(other.id.unwrap());
        diesel::update(account).set(users::password_hash.eq(hash)).execute(&mut app.conn()).unwrap();
        let body = json!({ "current_password": current, "new_password": password });
        assert_eq!(outcome(other.put("/v1/me/password", "", &body)), "taken", "{password:?}");
    }
}

#[test]
fn an_admin_never_chooses_the_password_of_an_account_that_is_there() {
    let app = App::start();
    let admin = app.admin();
    let made = admin
        .post("/v1/users", &json!({ "email": "ann@example.org", "role": "advisor", "display_name": "Dana P." }))
        .expect(201);
    let at = format!("/v1/users/{}", made["id"].as_str().unwrap());
    let problem = admin.patch(&at, "\"1\"", &json!({ "password": PASSWORD })).invalid(&["/password"]);
    assert_eq!(problem["errors"][0]["code"], "unknown_field");
    let login = json!({ "email": "ann@example.org", "password": PASSWORD });
    app.anonymous().post("/v1/auth/login", &login).problem(401, "unauthenticated");
    assert_eq!(admin.get(&at).expect(200)["version"], 1);
}

#[test]
fn a_password_is_held_against_the_address_of_its_account() {
    let app = App::start();
    let whole = "v.q.whitlock-bryce";
    let with = |domain: &str, password: &str| {
        let body = json!({ "email": format!("{whole}@{domain}"), "role": "analyst", "password": password });
        outcome(app.admin().post("/v1/users", &body))
    };
    for password in [whole, "v.q.whitlock-bryce1", "V.Q.Whitlock-Bryce", "v.q.whitlock-bryce@example.org"] {
        assert_eq!(with("example.org", password), "too_common", "{password}");
    }
    assert_eq!(with("example.org", PASSWORD), "taken");
    let other = json!({ "email": "ann@example.org", "role": "analyst", "password": whole });
    assert_eq!(outcome(app.admin().post("/v1/users", &other)), "taken");
}

#[test]
fn everybody_elses_password_has_fifteen_characters_and_is_not_easily_guessed() {
    let app = App::start();
    let admin = app.admin();
    for (number, (password, code)) in [
        (PASSWORD, "taken"),
        ("sunshine reading", "taken"),
        ("margaret1961", "too_short"),
        (EIGHT, "too_short"),
        ("fourteen chars", "too_short"),
        ("passwordpassword", "too_common"),
        ("liferoomsliverpool", "too_common"),
        ("margaretexamplewood", "too_common"),
        ("aaaaaaaaaaaaaaaaaaaaaa", "too_common"),
    ]
    .into_iter()
    .enumerate()
    {
        let email = format!("margaret.examplewood@site{number}.example.org");
        let body = json!({ "email": email, "role": "advisor", "display_name": "Dana P.", "password": password });
        let answer = admin.post("/v1/users", &body);
        let made = answer.status == 201;
        assert_eq!(outcome(answer), code, "{password:?}");
        let login = app.anonymous().post("/v1/auth/login", &json!({ "email": email, "password": password }));
        assert_eq!(login.status == 200, made, "{password:?}");
        if made {
            let own = app.with_token(login.json["access_token"].as_str().unwrap());
            let body = json!({ "current_password": password, "new_password": "short but good" });
            assert_eq!(outcome(own.put("/v1/me/password", "", &body)), "too_short");
        }
    }
}

#[test]
fn the_command_line_has_the_same_rules_and_knows_the_account() {
    let app = App::start();
    let member = member_row(&app, "Margaret", "Examplewood");
    let create = ["user", "create", "--email", "peg@example.org", "--role", "member", "--member", &member];
    let create = [&create[..], &["--password-stdin"]].concat();
    fails(&run(&app, &create, "boats\n"), 2, "at least 8 characters");
    fails(&run(&app, &create, "margaret1961\n"), 2, "easily guessed");
    succeeds(&run(&app, &create, "sunshine reading\n"));
    let set = ["user", "set-password", "--email", "peg@example.org", "--password-stdin"];
    fails(&run(&app, &set, "examplewood7\n"), 2, "easily guessed");
    succeeds(&run(&app, &set, &format!("{EIGHT}\n")));
    let login = json!({ "email": "peg@example.org", "password": EIGHT });
    app.anonymous().post("/v1/auth/login", &login).expect(200);
    let create = ["user", "create", "--email", "boss@example.org", "--role", "admin", "--password-stdin"];
    fails(&run(&app, &create, "fourteen chars\n"), 2, "at least 15 characters");
    fails(&run(&app, &create, "passwordpassword\n"), 2, "easily guessed");
}
