//! The commands about accounts that nobody can give over HTTP: barring a member, and what a server says at its start.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Command, Stdio};

use diesel::prelude::*;
use life_rooms::clock::Clock;
use life_rooms::db::Location;
use life_rooms::db::schema::audit_events;
use serde_json::json;

use crate::support::{App, member_row};
use crate::users::{fails, run, succeeds};

#[test]
fn a_members_account_is_disabled_at_once_and_enabled_again() {
    let app = App::start();
    let ann = member_row(&app, "Ann", "A");
    let create =
        ["user", "create", "--email", "ann@example.org", "--role", "member", "--member", &ann, "--password-stdin"];
    succeeds(&run(&app, &create, "correct horse battery\n"));
    let body = json!({ "email": "ann@example.org", "password": "correct horse battery" });
    let tokens = app.anonymous().post("/v1/auth/login", &body).expect(200);
    let own = app.with_token(tokens["access_token"].as_str().unwrap());
    own.get("/v1/me").expect(200);

    let disable = ["user", "disable", "Ann@example.org"];
    succeeds(&run(&app, &disable, ""));
    own.get("/v1/me").problem(401, "unauthenticated");
    let refresh = json!({ "refresh_token": tokens["refresh_token"] });
    assert_eq!(app.anonymous().post("/v1/auth/refresh", &refresh).status, 401);
    assert_eq!(app.anonymous().post("/v1/auth/login", &body).status, 401);
    // The second time nothing is changed and nothing recorded.
    let again = run(&app, &disable, "");
    succeeds(&again);
    assert!(String::from_utf8_lossy(&again.stdout).contains("was disabled already"));

    succeeds(&run(&app, &["user", "enable", "ann@example.org"], ""));
    own.get("/v1/me").problem(401, "unauthenticated");
    assert_eq!(app.anonymous().post("/v1/auth/login", &body).status, 200);
    fails(&run(&app, &["user", "disable", "bea@example.org"], ""), 1, "There is no account of bea@example.org.");
    let recorded: Vec<String> = audit_events::table
        .filter(audit_events::actor_kind.eq("system"))
        .order(audit_events::id)
        .select(audit_events::action)
        .load(&mut app.conn())
        .unwrap();
    assert_eq!(recorded, ["create", "change", "logins_ended", "change"]);
}

/// What a server on the app's database logs until it is ready.
pub fn first_lines(app: &App) -> String {
    let url = match &app.location {
        Location::Sqlite(path) => format!("sqlite://{path}"),
        Location::Postgres(url) => url.clone(),
    };
    let mut server = Command::new(env!("CARGO_BIN_EXE_life-rooms"))
        .args(["serve", "--bind", "127.0.0.1:0"])
        .env("DATABASE_URL", url)
        .env("LIFE_ROOMS_KEY_DIR", app.key_dir())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let mut said = String::new();
    for line in BufReader::new(server.stderr.take().expect("a pipe")).lines().map_while(Result::ok) {
        said += &line;
        if line.contains("ready on") {
            break;
        }
    }
    server.kill().expect("it runs");
    server.wait().expect("it ends");
    said
}

#[test]
fn accounts_and_their_logins_are_listed_on_the_command_line() {
    let app = App::start();
    let ann = member_row(&app, "Ann", "A");
    let password = "correct horse battery\n";
    let member =
        ["user", "create", "--email", "ann@example.org", "--role", "member", "--member", &ann, "--password-stdin"];
    succeeds(&run(&app, &member, password));
    let admin = ["user", "create", "--email", "zed@example.org", "--role", "admin", "--password-stdin"];
    succeeds(&run(&app, &admin, password));
    succeeds(&run(&app, &["user", "disable", "zed@example.org"], ""));
    app.admin().post("/v1/users", &json!({ "email": "new@example.org", "role": "analyst" })).expect(201);
    let said = |arguments: &[&str]| {
        let output = run(&app, arguments, "");
        succeeds(&output);
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let list = said(&["user", "list"]);
    let line = |email: &str| {
        let line = list.lines().find(|line| line.starts_with(email)).unwrap_or_default();
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert!(line("zed@example.org").starts_with("zed@example.org admin disabled never "), "{list}");
    assert!(line("new@example.org").starts_with("new@example.org analyst no password never "), "{list}");
    assert!(!list.contains("ann@example.org"), "{list}");
    assert_eq!(said(&["user", "logins", "ann@example.org"]), "ann@example.org isn't logged in anywhere.\n");
    // The command goes by the clock of the machine.
    app.clock.set(Clock::system().now().0);
    let body = json!({ "email": "ann@example.org", "password": "correct horse battery", "client_name": "Ann's phone" });
    app.anonymous().post("/v1/auth/login", &body).expect(200);
    let logins = said(&["user", "logins", "Ann@example.org"]);
    assert!(logins.lines().count() == 2 && logins.contains("Ann's phone"), "{logins}");
    let read: Vec<String> = audit_events::table
        .filter(audit_events::action.eq("read"))
        .filter(audit_events::request_id.eq("command-line"))
        .select(audit_events::action)
        .load(&mut app.conn())
        .unwrap();
    assert_eq!(read.len(), 2, "the member reads that somebody looked");
    fails(&run(&app, &["user", "logins", "bea@example.org"], ""), 1, "There is no account of bea@example.org.");
}

#[test]
fn a_server_without_accounts_says_how_to_make_the_first_in_its_own_database() {
    let app = App::start();
    let said = first_lines(&app);
    assert!(
        said.contains(&format!("DATABASE_URL='{}' life-rooms user create", app.location.without_password())),
        "{said}"
    );
    let create = ["user", "create", "--email", "boss@example.org", "--role", "admin", "--password-stdin"];
    succeeds(&run(&app, &create, "correct horse battery\n"));
    let said = first_lines(&app);
    assert!(said.contains("ready on") && !said.contains("user create"), "{said}");
}

#[test]
fn a_taken_address_is_refused_with_what_to_do() {
    let app = App::start();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let refused = run(&app, &["serve", "--bind", &address], "");
    fails(&refused, 1, "--bind 127.0.0.1:8081 or LIFE_ROOMS_BIND=127.0.0.1:8081");
}
