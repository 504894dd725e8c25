//! One caller, or one network without a token, sends only so many requests.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use life_rooms::config::{Config, Limit, Limits};
use serde_json::json;

use crate::support::{Answer, App};
use crate::throttle::proxied;

fn limited(caller: Limit, network: Limit) -> App {
    let config = proxied(Default::default());
    let limits = Limits { caller, network, ..config.limits };
    App::start_with(Config { limits, ..config })
}

fn headers(answer: &Answer) -> (&str, &str) {
    (answer.header("ratelimit-policy"), answer.header("ratelimit"))
}

#[test]
fn a_caller_over_the_limit_waits_and_others_do_not() {
    let app = limited(Limit::new(3, 30), Limit::new(1_000, 60));
    let (ann, ben) = (app.advisor(), app.advisor());
    for left in ["\"caller\";r=2;t=10", "\"caller\";r=1;t=20", "\"caller\";r=0;t=30"] {
        let answer = ann.get("/v1/me");
        assert_eq!(headers(&answer), ("\"caller\";q=3;w=30", left));
        answer.expect(200);
    }
    let refused = ann.get("/v1/me");
    assert_eq!(headers(&refused), ("\"caller\";q=3;w=30", "\"caller\";r=0;t=10"));
    assert_eq!(refused.header("retry-after"), "10");
    assert_eq!(refused.header("cache-control"), "no-store");
    let problem = refused.problem(429, "too-many-requests");
    assert_eq!(problem["code"], "too_many_requests");
    ben.get("/v1/me").expect(200);
    app.anonymous().get("/v1/venues").expect(200);
    app.at("2026-11-23T09:00:10Z");
    ann.get("/v1/me").expect(200);
    ann.get("/v1/me").problem(429, "too-many-requests");
}

#[test]
fn a_change_over_the_limit_changes_nothing() {
    let app = limited(Limit::new(1, 60), Limit::new(1_000, 60));
    let admin = app.admin();
    admin.post("/v1/sites", &json!({ "slug": "one", "name": "One" })).expect(201);
    admin.post("/v1/sites", &json!({ "slug": "two", "name": "Two" })).problem(429, "too-many-requests");
    let sites = app.anonymous().get("/v1/sites").expect(200);
    assert_eq!(sites["items"].as_array().unwrap().len(), 1);
}

#[test]
fn requests_without_a_valid_token_are_counted_by_network() {
    let app = limited(Limit::new(1_000, 60), Limit::new(2, 60));
    let from = |token: Option<&str>, address: &str| {
        let client = token.map_or_else(|| app.anonymous(), |token| app.with_token(token));
        client.send("GET", "/v1/venues", &[("x-forwarded-for", address)], b"")
    };
    assert_eq!(headers(&from(None, "192.0.2.1")), ("\"network\";q=2;w=60", "\"network\";r=1;t=30"));
    from(Some("made.up.token"), "192.0.2.2").problem(401, "unauthenticated");
    from(None, "192.0.2.3").problem(429, "too-many-requests");
    from(Some("made.up.token"), "192.0.2.4").problem(429, "too-many-requests");
    from(None, "192.0.3.1").expect(200);
    from(None, "2001:db8:1:2::1").expect(200);
    from(None, "2001:db8:1:3::1").expect(200);
    from(None, "2001:db8:1:4::1").problem(429, "too-many-requests");
    // Whoever has a token isn't held back by their neighbours.
    app.advisor().send("GET", "/v1/venues", &[("x-forwarded-for", "192.0.2.1")], b"").expect(200);
}

#[test]
fn the_health_of_a_server_is_told_without_a_limit() {
    let app = limited(Limit::new(1, 60), Limit::new(1, 60));
    app.anonymous().get("/v1/venues").expect(200);
    app.anonymous().get("/v1/venues").problem(429, "too-many-requests");
    for path in ["/health/live", "/health/ready"] {
        for _ in 0..3 {
            let answer = app.anonymous().get(path);
            assert_eq!(headers(&answer), ("", ""));
            answer.expect(200);
        }
    }
}

#[test]
fn a_limit_that_is_off_says_nothing_and_refuses_nobody() {
    let app = limited(Limit::OFF, Limit::OFF);
    for _ in 0..20 {
        let answer = app.anonymous().get("/v1/venues");
        assert_eq!(headers(&answer), ("", ""));
        answer.expect(200);
    }
}

#[test]
fn a_page_of_another_origin_may_read_the_limit() {
    let app = limited(Limit::OFF, Limit::new(30, 60));
    let answer = app.anonymous().send("GET", "/v1/venues", &[("origin", "https://a.example")], b"");
    let exposed = answer.header("access-control-expose-headers");
    assert!(["RateLimit", "RateLimit-Policy", "Retry-After"].iter().all(|name| exposed.contains(name)), "{exposed}");
    assert_eq!(answer.header("ratelimit-policy"), "\"network\";q=30;w=60");
}

/// Sends a request on a connection that stays open. Returns what comes back first; nothing if the server has hung up.
fn first_bytes(socket: &mut TcpStream) -> String {
    let mut head = [0; 15];
    let sent = socket.write_all(b"GET /v1/venues HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let came = sent.and_then(|()| socket.read(&mut head)).unwrap_or_default();
    String::from_utf8_lossy(&head[..came]).into_owned()
}

#[test]
fn a_network_has_so_many_connections_and_a_further_one_is_closed() {
    let limits = Limits { connections: 3, ..Limits::default() };
    let app = App::start_with(Config { limits, ..Config::default() });
    let connect = || TcpStream::connect(app.url.trim_start_matches("http://")).unwrap();
    let mut open: Vec<TcpStream> = (0..3).map(|_| connect()).collect();
    for socket in &mut open {
        assert_eq!(first_bytes(socket), "HTTP/1.1 200 OK");
    }
    assert_eq!(first_bytes(&mut connect()), "", "a fourth one is closed");
    drop(open);
    let begun = Instant::now();
    while first_bytes(&mut connect()).is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(10), "the connections that were closed still count");
    }
}

/// What bodies without a token that are still being read may take: 2 MiB of one network.
#[test]
fn bodies_of_a_network_without_a_token_share_two_mebibytes() {
    let app = App::start();
    let head = "POST /v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
                Content-Length: 250000\r\n\r\n";
    let part = [b' '; 200_000];
    let unfinished = || {
        let socket = TcpStream::connect(app.url.trim_start_matches("http://")).unwrap();
        socket.set_nonblocking(true).unwrap();
        let whole = [head.as_bytes(), &part].concat();
        (socket, whole, 0)
    };
    let mut sockets: Vec<(TcpStream, Vec<u8>, usize)> = (0..12).map(|_| unfinished()).collect();
    let begun = Instant::now();
    let mut answers = Vec::new();
    // Each sends as much as is taken, until one is answered.
    while answers.is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(30), "nobody is refused");
        for (socket, whole, sent) in &mut sockets {
            *sent += socket.write(&whole[*sent..]).unwrap_or_default();
            let mut answer = [0; 4_096];
            match socket.read(&mut answer) {
                Ok(came) if came > 0 => answers.push(String::from_utf8_lossy(&answer[..came]).into_owned()),
                _ => {}
            }
        }
    }
    assert!(answers[0].starts_with("HTTP/1.1 429"), "{}", answers[0]);
    assert!(answers[0].contains("too-much-at-once"), "{}", answers[0]);
    app.anonymous()
        .post("/v1/auth/login", &json!({ "email": "nobody@example.org", "password": "x" }))
        .problem(401, "unauthenticated");
}
