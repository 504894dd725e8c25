//! The signing keys: how a new one takes over, and what an old one still counts for.

use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use life_rooms::auth::caller::{CallerKind, Role};
use life_rooms::auth::signing_keys::rotate;
use life_rooms::auth::token::Tokens;
use serde_json::{Value, json};

use crate::support::{App, Client};

const PASSWORD: &str = "paper boat under the lamp";

/// The ids of the published keys.
fn published(app: &App) -> Vec<String> {
    let keys = app.anonymous().get("/.well-known/jwks.json").expect(200);
    keys["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

/// The id of the key that signed a token.
fn signer(client: &Client) -> String {
    let head = client.token.as_deref().unwrap().split('.').next().unwrap().to_owned();
    let head: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(head).unwrap()).unwrap();
    head["kid"].as_str().unwrap().to_owned()
}

fn logged_in(app: &App) -> Client {
    let body = json!({ "email": "ann@example.org", "password": PASSWORD });
    let tokens = app.anonymous().post("/v1/auth/login", &body).expect(200);
    app.with_token(tokens["access_token"].as_str().unwrap())
}

fn account(app: &App) {
    let body =
        json!({ "email": "ann@example.org", "role": "advisor", "display_name": "Dana P.", "password": PASSWORD });
    app.admin().post("/v1/users", &body).expect(201);
}

#[test]
fn a_running_server_takes_a_new_key_up_and_the_old_ones_tokens_live_out_their_fifteen_minutes_and_not_longer() {
    let app = App::start();
    account(&app);
    // This one would last for a century.
    let forever = app.advisor();
    let old = published(&app);
    app.at("2026-11-23T09:10:00Z");
    let new = rotate(&app.key_dir(), app.clock.now(), false).unwrap().id;
    let before = logged_in(&app);
    assert_eq!(signer(&before), old[0]);
    app.at("2026-11-23T09:10:05Z");
    assert_eq!(published(&app), [old[0].clone(), new.clone()], "both are published before the new one signs");
    app.at("2026-11-23T09:11:29Z");
    let last = logged_in(&app);
    assert_eq!(signer(&last), old[0]);
    app.at("2026-11-23T09:11:30Z");
    let first = logged_in(&app);
    assert_eq!(signer(&first), new);
    for client in [&last, &first, &forever] {
        client.get("/v1/me").expect(200);
    }
    app.at("2026-11-23T09:26:28Z");
    last.get("/v1/me").expect(200);
    app.at("2026-11-23T09:26:29Z");
    last.get("/v1/me").problem(401, "unauthenticated");
    forever.get("/v1/me").expect(200);
    // Half a minute more, for servers whose clocks differ.
    app.at("2026-11-23T09:27:00Z");
    forever.get("/v1/me").problem(401, "unauthenticated");
    assert_eq!(published(&app), [new]);
}

#[test]
fn a_server_looks_for_an_unknown_key_and_not_more_often_than_every_five_seconds() {
    let app = App::start();
    let account = app.advisor();
    account.get("/v1/me").expect(200);
    app.at("2026-11-23T09:00:06Z");
    account.get("/v1/me").expect(200);
    app.at("2026-11-23T09:00:07Z");
    let new = rotate(&app.key_dir(), app.clock.now(), true).unwrap().id;
    let other = Tokens::open(&app.key_dir(), app.state.tokens.issuer().into()).unwrap();
    let claims = app.claims(account.id.unwrap(), CallerKind::User, Role::Advisor);
    let token = app.with_token(&other.sign(&claims).unwrap());
    assert_eq!(signer(&token), new);
    token.get("/v1/me").problem(401, "unauthenticated");
    app.at("2026-11-23T09:00:10Z");
    token.get("/v1/me").problem(401, "unauthenticated");
    app.at("2026-11-23T09:00:11Z");
    token.get("/v1/me").expect(200);
}

#[test]
fn the_tokens_of_stolen_keys_end_within_seconds_and_refreshing_gives_new_ones() {
    let app = App::start();
    account(&app);
    let body = json!({ "email": "ann@example.org", "password": PASSWORD });
    let tokens = app.anonymous().post("/v1/auth/login", &body).expect(200);
    let ann = app.with_token(tokens["access_token"].as_str().unwrap());
    ann.get("/v1/me").expect(200);
    let new = rotate(&app.key_dir(), app.clock.now(), true).unwrap().id;
    app.at("2026-11-23T09:00:05Z");
    ann.get("/v1/me").problem(401, "unauthenticated");
    assert_eq!(published(&app), [new]);
    let body = json!({ "refresh_token": tokens["refresh_token"] });
    let next = app.anonymous().post("/v1/auth/refresh", &body).expect(200);
    app.with_token(next["access_token"].as_str().unwrap()).get("/v1/me").expect(200);
}

#[test]
fn two_keys_are_kept_and_a_third_waits_until_the_first_has_lived_out_its_time() {
    let app = App::start();
    let folder = app.key_dir();
    let files = || {
        let names = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.filter(|name| name.ends_with(".der")).collect();
        names.sort();
        names
    };
    rotate(&folder, app.clock.now(), false).unwrap();
    assert_eq!(files(), ["0001.der", "0002-20261123T090000Z.der"]);
    app.at("2026-11-23T09:16:59Z");
    let refused = rotate(&folder, app.clock.now(), false).err().unwrap().to_string();
    assert!(refused.contains("still in use until 2026-11-23T09:17:00Z"), "{refused}");
    app.at("2026-11-23T09:17:00Z");
    rotate(&folder, app.clock.now(), false).unwrap();
    assert_eq!(files(), ["0002-20261123T090000Z.der", "0003-20261123T091700Z.der"]);
    rotate(&folder, app.clock.now(), true).unwrap();
    assert_eq!(files(), ["0004-20261123T091700Z.der"]);
}

#[test]
fn keys_that_can_not_be_read_leave_a_running_server_with_those_it_has() {
    let app = App::start();
    let ann = app.advisor();
    ann.get("/v1/me").expect(200);
    std::fs::write(app.key_dir().join("0002.der"), b"no key").unwrap();
    app.at("2026-11-23T09:01:00Z");
    ann.get("/v1/me").expect(200);
    assert!(Tokens::open(&app.key_dir(), "https://a.example".into()).is_err());
}

#[test]
fn the_command_makes_a_key_that_only_its_owner_may_read() {
    let app = App::start();
    let command = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_life-rooms"));
        command.args(["keys", "rotate"]).args(more).env("LIFE_ROOMS_KEY_DIR", app.key_dir());
        command.output().expect("the binary runs")
    };
    let made = command(&[]);
    let text = String::from_utf8_lossy(&made.stdout).into_owned();
    assert_eq!(made.status.code(), Some(0), "{}", String::from_utf8_lossy(&made.stderr));
    assert!(text.contains("Made the signing key") && text.contains("Tokens of the key before count until"), "{text}");
    let again = command(&[]);
    let told = String::from_utf8_lossy(&again.stderr).into_owned();
    assert_eq!(again.status.code(), Some(1), "{told}");
    assert!(told.contains("still in use"), "{told}");
    assert_eq!(command(&["--stolen"]).status.code(), Some(0));
    let names = std::fs::read_dir(app.key_dir()).unwrap().map(|entry| entry.unwrap().path());
    let keys: Vec<_> = names.filter(|path| path.extension().is_some_and(|ending| ending == "der")).collect();
    assert_eq!(keys.len(), 1, "{keys:?}");
    #[cfg(unix)]
    for path in keys {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
