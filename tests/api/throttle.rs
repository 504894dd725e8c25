//! Guessing passwords is slow for whoever guesses, and for nobody else.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use diesel::prelude::*;
use life_rooms::config::{Config, Limit, Limits, LoginLimits};
use life_rooms::db::Timestamp;
use life_rooms::db::schema::{throttles, users};
use life_rooms::text::network::read_range;
use serde_json::{Value, json};

use crate::housekeeping::keep_house;
use crate::support::{Answer, App, Client, NOW, id, instant, partner};
use crate::users::{fails, run, succeeds};

const PASSWORD: &str = "correct horse battery";
const WRONG: &str = "wrong horse battery";
/// A network that ann has logged in from.
const HOME: &str = "192.0.2.7";

/// Limits behind a proxy on this machine, so that a test can come from any network.
pub fn proxied(login: LoginLimits) -> Config {
    let trusted_proxies = vec![read_range("127.0.0.0/8").unwrap()];
    Config { limits: Limits { trusted_proxies, login, ..Limits::default() }, ..Config::default() }
}

fn start() -> App {
    let app = App::start_with(proxied(LoginLimits::default()));
    for email in ["ann@example.org", "bob@example.org"] {
        let body = json!({ "email": email, "role": "analyst", "password": PASSWORD });
        app.admin().post("/v1/users", &body).expect(201);
    }
    app
}

fn log_in(client: &Client, email: &str, password: &str, from: &str) -> Answer {
    let body = json!({ "email": email, "password": password });
    client.post_with("/v1/auth/login", &[("x-forwarded-for", from)], &body)
}

/// Whether a wrong password was looked at. If not, the answer says when to try again.
#[track_caller]
fn is_looked_at(answer: Answer) -> bool {
    if answer.status == 401 {
        return true;
    }
    let wait: u32 = answer.header("retry-after").parse().expect("when to try again");
    assert!((1..=86_400).contains(&wait), "{wait}");
    answer.problem(429, "too-many-requests");
    false
}

fn minutes_later(app: &App, minutes: i64) {
    app.clock.set(instant(NOW) + chrono::TimeDelta::minutes(minutes));
}

/// An address in a network that no other number has.
fn network(number: usize) -> String {
    format!("10.{}.{}.9", number / 250, number % 250)
}

#[test]
fn guesses_from_many_networks_are_four_an_hour_after_the_first_twenty_and_hurt_nobody_else() {
    let app = start();
    let client = app.anonymous();
    log_in(&client, "ann@example.org", PASSWORD, HOME).expect(200);
    let (mut looked_at, mut sent) = (vec![0; 5], 0);
    for minute in 0..300 {
        minutes_later(&app, minute);
        for _ in 0..2 {
            sent += 1;
            let guess = log_in(&client, "ann@example.org", WRONG, &network(sent % 200));
            looked_at[minute as usize / 60] += usize::from(is_looked_at(guess));
        }
        if minute % 60 == 30 {
            log_in(&client, "ann@example.org", PASSWORD, HOME).expect(200);
            log_in(&client, "bob@example.org", PASSWORD, &network(1_000 + sent)).expect(200);
        }
    }
    assert!((20..=24).contains(&looked_at[0]), "{looked_at:?}");
    assert!(looked_at[1..].iter().all(|hour| *hour <= 4), "{looked_at:?}");
}

#[test]
fn guesses_in_pairs_at_the_same_moment_are_four_an_hour_too_and_the_owner_logs_in() {
    let app = start();
    let client = app.anonymous();
    log_in(&client, "ann@example.org", PASSWORD, HOME).expect(200);
    let mut sent = 0;
    let mut guess = || {
        sent += 1;
        log_in(&app.anonymous(), "ann@example.org", WRONG, &network(sent))
    };
    let at_first = (0..30).filter(|_| is_looked_at(guess())).count();
    assert_eq!(at_first, 20);
    let mut looked_at = 0;
    for quarter in 1..=20 {
        minutes_later(&app, quarter * 15);
        let from: Vec<String> = (0..2).map(|number| network(100 + quarter as usize * 2 + number)).collect();
        let pair: Vec<bool> = std::thread::scope(|scope| {
            let one = |from: &String| is_looked_at(log_in(&app.anonymous(), "ann@example.org", WRONG, from));
            let threads: Vec<_> = from.iter().map(|from| scope.spawn(move || one(from))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        looked_at += pair.into_iter().filter(|looked_at| *looked_at).count();
        // The second of a pair may be let through too early. Then the next one comes later.
        assert!((1..=quarter as usize + 1).contains(&looked_at), "{looked_at} in {quarter} quarters of an hour");
        log_in(&client, "ann@example.org", PASSWORD, HOME).expect(200);
    }
}

/// Lets Ann choose another password with a link that an admin made.
fn choose(app: &App, password: &str) {
    let users = app.admin().get("/v1/users").expect(200);
    let ann = users["items"].as_array().unwrap().iter().find(|user| user["email"] == "ann@example.org").unwrap();
    let path = format!("/v1/users/{}/reset-link", id(ann));
    let made = app.admin().post(&path, &json!({ "deliver": "show" })).expect(201);
    let (_, token) = made["link"].as_str().unwrap().split_once("#token=").unwrap();
    let body = json!({ "token": token, "new_password": password });
    assert_eq!(app.anonymous().post("/v1/auth/password-resets/confirm", &body).status, 204);
}

#[test]
fn a_new_password_is_not_kept_out_by_guesses_at_the_one_before() {
    let app = start();
    let client = app.anonymous();
    log_in(&client, "ann@example.org", PASSWORD, HOME).expect(200);
    let mut sent = 0;
    let mut guess_until_refused = || {
        for _ in 0..30 {
            sent += 1;
            if !is_looked_at(log_in(&client, "ann@example.org", WRONG, &network(sent))) {
                return;
            }
        }
        panic!("every guess is looked at");
    };
    let elsewhere = |password: &str, from: &str| {
        log_in(&client, "ann@example.org", password, from).expect(200)["access_token"].as_str().unwrap().to_owned()
    };
    // That of a link which an admin made.
    guess_until_refused();
    choose(&app, "second horse battery");
    let token = elsewhere("second horse battery", "10.200.0.1");
    // The person's own.
    guess_until_refused();
    let third = json!({ "current_password": "second horse battery", "new_password": "third horse battery" });
    assert_eq!(app.with_token(&token).put("/v1/me/password", "", &third).status, 204);
    elsewhere("third horse battery", "10.200.1.1");
    // That of the command line.
    guess_until_refused();
    let set = ["user", "set-password", "--email", "ann@example.org", "--password-stdin"];
    succeeds(&run(&app, &set, "fourth horse battery\n"));
    elsewhere("fourth horse battery", "10.200.2.1");
}

#[test]
fn unlocking_needs_the_key_folder_of_the_server_and_makes_no_other() {
    let app = start();
    let other = app.key_dir().with_extension("other");
    let place = other.to_str().unwrap();
    let unlock = |more: &[&str]| run(&app, &[&["user", "unlock", "ann@example.org"], more].concat(), "");
    fails(&unlock(&["--key-dir", place]), 2, &format!("the folder {place} holds no throttle.key"));
    assert!(!other.exists());
    succeeds(&unlock(&[]));
}

#[test]
fn guesses_from_a_known_network_are_at_most_thirty_a_day_and_five_at_once() {
    let app = start();
    let client = app.anonymous();
    log_in(&client, "ann@example.org", PASSWORD, HOME).expect(200);
    let at_once = (0..9).filter(|_| is_looked_at(log_in(&client, "ann@example.org", WRONG, HOME))).count();
    assert_eq!(at_once, 5);
    let mut looked_at = at_once;
    for minute in (10..24 * 60).step_by(10) {
        minutes_later(&app, minute);
        looked_at += usize::from(is_looked_at(log_in(&client, "ann@example.org", WRONG, HOME)));
    }
    assert!((20..=30).contains(&looked_at), "{looked_at}");
    // Those of another network have buckets of their own.
    log_in(&client, "ann@example.org", PASSWORD, "198.51.100.1").expect(200);
}

#[test]
fn an_address_without_an_account_is_throttled_in_the_same_words_and_rows() {
    let app = start();
    let client = app.anonymous();
    let mut transcripts = BTreeMap::new();
    for (email, from) in [("ann@example.org", "10.1.0.1"), ("nobody@example.org", "10.2.0.1")] {
        let rows = || throttles::table.count().get_result::<i64>(&mut app.conn()).unwrap();
        let before = rows();
        let answers: Vec<_> = (0..7)
            .map(|_| {
                let mut answer = log_in(&client, email, WRONG, from);
                answer.json["request_id"] = Value::Null;
                let names: BTreeSet<String> = answer.headers.keys().map(ToString::to_string).collect();
                (answer.status, answer.header("retry-after").to_owned(), names, answer.json)
            })
            .collect();
        assert_eq!(answers.iter().map(|answer| answer.0).collect::<Vec<_>>(), [401, 401, 401, 401, 401, 429, 429]);
        transcripts.insert(email, (answers, rows() - before));
    }
    assert_eq!(transcripts["ann@example.org"], transcripts["nobody@example.org"]);
    // Nothing in the table tells an address of a person or a machine.
    let keys: Vec<String> = throttles::table.select(throttles::key).load(&mut app.conn()).unwrap();
    assert!(keys.iter().all(|key| key.len() == 32 && !key.contains("10.")), "{keys:?}");
}

#[test]
fn two_servers_share_the_buckets_and_a_restart_keeps_them() {
    let app = start();
    let neighbour = app.beside();
    let clients = [app.anonymous(), app.anonymous().at(&neighbour.url)];
    let looked_at =
        (0..12).filter(|turn| is_looked_at(log_in(&clients[turn % 2], "ann@example.org", WRONG, "10.1.0.1"))).count();
    assert_eq!(looked_at, 5);
    let restarted = app.beside();
    let client = app.anonymous().at(&restarted.url);
    assert!(!is_looked_at(log_in(&client, "ann@example.org", WRONG, "10.1.0.2")));
    assert!(is_looked_at(log_in(&client, "ann@example.org", WRONG, "10.1.1.1")), "another network");
}

#[test]
fn a_burst_of_guesses_at_the_same_time_gets_no_more_looked_at_than_one_after_the_other() {
    let app = start();
    let answers: Vec<bool> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..48)
            .map(|number| {
                let client = app.anonymous();
                scope.spawn(move || is_looked_at(log_in(&client, "ann@example.org", WRONG, &network(number))))
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let looked_at = answers.into_iter().filter(|looked_at| *looked_at).count();
    // The bucket lets twenty through. Two attempts run at the same time, and both look at it before either is counted. So
    // if one more is let through, both are.
    assert!((1..=21).contains(&looked_at), "{looked_at}");
}

#[test]
fn a_network_that_guesses_at_many_addresses_is_stopped_and_known_people_there_are_not() {
    let app = start();
    let client = app.anonymous();
    log_in(&client, "ann@example.org", PASSWORD, HOME).expect(200);
    let mut looked_at = 0;
    for number in 0..40 {
        // Slowly enough for the limit of logins of any kind.
        app.clock.set(instant(NOW) + chrono::TimeDelta::seconds(1 + number));
        let guess = log_in(&client, &format!("person{number}@example.org"), WRONG, "192.0.2.99");
        looked_at += i64::from(is_looked_at(guess));
    }
    assert!((30..=32).contains(&looked_at), "{looked_at}");
    log_in(&client, "ann@example.org", PASSWORD, HOME).expect(200);
    assert!(!is_looked_at(log_in(&client, "bob@example.org", PASSWORD, HOME)), "bob isn't known there");
}

#[test]
fn more_logins_than_a_network_may_send_at_once_never_reach_the_database() {
    let app = start();
    let client = app.anonymous();
    for number in 0..25 {
        assert!(is_looked_at(log_in(&client, &format!("p{number}@example.org"), WRONG, "10.1.0.1")));
    }
    let answer = log_in(&client, "ann@example.org", PASSWORD, "10.1.0.200");
    assert_eq!(answer.header("retry-after"), "1");
    answer.problem(429, "too-many-requests");
    log_in(&client, "ann@example.org", PASSWORD, "10.1.1.1").expect(200);
}

#[test]
fn after_many_wrong_passwords_in_a_row_only_known_networks_log_in_until_the_account_is_unlocked() {
    let login = LoginLimits {
        lock_after: 6,
        pair: Limit::OFF,
        pair_day: Limit::OFF,
        account: Limit::OFF,
        ..LoginLimits::default()
    };
    let app = App::start_with(proxied(login));
    let body = json!({ "email": "ann@example.org", "role": "analyst", "password": PASSWORD });
    app.admin().post("/v1/users", &body).expect(201);
    let client = app.anonymous();
    let from = |from: &str| log_in(&client, "ann@example.org", PASSWORD, from);
    from(HOME).expect(200);
    let lock = || (0..6).for_each(|_| assert!(is_looked_at(log_in(&client, "ann@example.org", WRONG, "10.1.0.1"))));
    lock();
    // It is answered as a wrong password is, so that nobody learns that there is an account.
    let right = from("10.2.0.1").problem(401, "unauthenticated");
    let wrong = log_in(&client, "ann@example.org", WRONG, "10.2.0.2").problem(401, "unauthenticated");
    assert_eq!(right["detail"], wrong["detail"]);
    from(HOME).expect(200);
    from("10.2.0.1").expect(200);
    lock();
    from("10.3.0.1").problem(401, "unauthenticated");
    app.state.throttle.unlock(&mut app.conn(), "ann@example.org").unwrap();
    from("10.3.0.1").expect(200);
    // Setting a password unlocks too.
    lock();
    choose(&app, "another horse battery");
    log_in(&client, "ann@example.org", "another horse battery", "10.4.0.1").expect(200);
}

#[test]
fn a_network_is_known_for_ninety_days_after_a_login_from_there_was_used_last() {
    let app = App::start_with(proxied(LoginLimits { lock_after: 3, ..LoginLimits::default() }));
    let body = json!({ "email": "ann@example.org", "role": "analyst", "password": PASSWORD });
    app.admin().post("/v1/users", &body).expect(201);
    let client = app.anonymous();
    let failed = || -> i32 {
        let ann = users::table.filter(users::email.eq("ann@example.org"));
        ann.select(users::failed_logins).first(&mut app.conn()).unwrap()
    };
    // A locked account can be used only from a known network.
    let lock = |day: &str| {
        app.at(&format!("{day}T08:00:00Z"));
        for number in 0..3 {
            log_in(&client, "ann@example.org", WRONG, &network(number)).problem(401, "unauthenticated");
        }
        assert_eq!(failed(), 3);
    };
    let begun = log_in(&client, "ann@example.org", PASSWORD, HOME).expect(200);
    app.at("2026-11-23T10:30:00Z");
    // Refreshed from elsewhere: the network where it began is still in use, and the other one isn't known by that.
    let token = json!({ "refresh_token": begun["refresh_token"] });
    client.post_with("/v1/auth/refresh", &[("x-forwarded-for", "198.51.100.1")], &token).expect(200);
    lock("2026-12-01");
    log_in(&client, "ann@example.org", PASSWORD, "198.51.100.1").problem(401, "unauthenticated");
    // Ninety days after the refresh, and ninety days and an hour and a half after the login.
    app.at("2027-02-21T10:30:00Z");
    keep_house(&app);
    log_in(&client, "ann@example.org", PASSWORD, "192.0.2.250").expect(200);
    assert_eq!(failed(), 0, "a neighbour's address is the same network");
    lock("2027-03-01");
    app.at("2027-05-22T10:30:01Z");
    log_in(&client, "ann@example.org", PASSWORD, HOME).problem(401, "unauthenticated");
}

#[test]
fn wrong_passwords_leave_rows_only_until_their_buckets_are_full_again() {
    let app = start();
    log_in(&app.anonymous(), "ann@example.org", WRONG, HOME).problem(401, "unauthenticated");
    let rows = || throttles::table.count().get_result::<i64>(&mut app.conn()).unwrap();
    assert_eq!(rows(), 4);
    app.at("2026-11-23T10:35:59Z");
    keep_house(&app);
    assert_eq!(rows(), 1, "the bucket of a day");
    app.at("2026-11-23T10:36:00Z");
    assert!(keep_house(&app));
    assert_eq!(rows(), 0);
}

#[test]
fn a_wrong_password_counts_though_the_client_hangs_up_before_the_answer() {
    let wide = Limit::new(100_000, 100_000);
    let limits = LoginLimits {
        flood: Limit::OFF,
        pair: wide,
        pair_day: wide,
        account: Limit::OFF,
        network: Limit::OFF,
        lock_after: 0,
        ..LoginLimits::default()
    };
    let app = App::start_with(proxied(limits));
    let body = json!({ "email": "ann@example.org", "password": WRONG }).to_string();
    let request = format!(
        "POST /v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let address = app.url.strip_prefix("http://").unwrap();
    // A wrong password moves a bucket on by a second.
    let counted = || -> i64 {
        let last = throttles::table.order(throttles::tat.desc()).select(throttles::tat);
        let last: Option<Timestamp> = last.first(&mut app.conn()).optional().unwrap();
        last.map_or(0, |tat| (tat.0 - instant(NOW)).num_seconds())
    };
    let (mut answered, started) = (0, Instant::now());
    for pause in (0..8).cycle() {
        let mut socket = std::net::TcpStream::connect(address).unwrap();
        socket.write_all(request.as_bytes()).unwrap();
        // Meanwhile the server reads the guess and begins to look at it, which takes long.
        for _ in 0..pause {
            app.anonymous().get("/health/live").expect(200);
        }
        socket.set_nonblocking(true).unwrap();
        answered += i64::from(socket.peek(&mut [0]).is_ok());
        drop(socket);
        if counted() >= answered + 5 {
            break;
        }
        assert!(started.elapsed() < Duration::from_secs(60), "{} counted, {answered} answered", counted());
    }
}

#[test]
fn wrong_credentials_of_a_client_are_bounded_by_network_and_right_ones_always_pass() {
    let app = start();
    let admin = app.admin();
    let reader = partner(&admin, "the-reader");
    let body = json!({ "name": "scheduling", "scopes": ["rosters:read"] });
    let made = admin.post(&format!("/v1/partners/{}/clients", id(&reader)), &body).expect(201);
    let ask = |secret: &str, from: &str| {
        let pair = format!("{}:{secret}", made["client_id"].as_str().unwrap());
        let basic = format!("Basic {}", STANDARD.encode(pair));
        let form = ("content-type", "application/x-www-form-urlencoded");
        let headers = [("authorization", basic.as_str()), form, ("x-forwarded-for", from)];
        app.anonymous().send("POST", "/v1/oauth/token", &headers, b"grant_type=client_credentials")
    };
    for _ in 0..30 {
        ask("wrong", HOME).problem(401, "invalid-client");
    }
    let refused = ask("wrong", HOME);
    assert_eq!(refused.header("retry-after"), "20");
    refused.problem(429, "too-many-requests");
    ask(made["client_secret"].as_str().unwrap(), HOME).expect(200);
    ask("wrong", "10.1.0.1").problem(401, "invalid-client");
}

#[test]
fn whoever_has_a_token_can_not_guess_the_password_with_it() {
    let app = start();
    let token = log_in(&app.anonymous(), "ann@example.org", PASSWORD, HOME).expect(200);
    let ann = app.with_token(token["access_token"].as_str().unwrap());
    let change = |current: &str| {
        let body = json!({ "current_password": current, "new_password": "paper boat lamp" });
        ann.put("/v1/me/password", "", &body)
    };
    for _ in 0..5 {
        change(WRONG).invalid(&["/current_password"]);
    }
    change(PASSWORD).problem(429, "too-many-requests");
    minutes_later(&app, 1);
    assert_eq!(change(PASSWORD).status, 204);
}

#[test]
fn a_proxy_that_is_not_trusted_is_not_believed() {
    let app = App::start();
    let client = app.anonymous();
    let looked_at =
        (0..9).filter(|number| is_looked_at(log_in(&client, "ann@example.org", WRONG, &network(*number)))).count();
    assert_eq!(looked_at, 5, "all of them came from one network");
}

#[cfg(unix)]
#[test]
fn the_secret_of_the_buckets_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let app = App::start();
    let file = std::fs::metadata(app.key_dir().join("throttle.key")).unwrap();
    assert_eq!((file.len(), file.permissions().mode() & 0o777), (32, 0o600));
}
