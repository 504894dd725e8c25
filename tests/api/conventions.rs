//! What holds for every operation: problems, bodies, headers, keys, caching.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use life_rooms::config::Config;
use serde_json::{Value, json};

use crate::support::{App, id, member, prescription, venue};

fn body(slug: &str) -> Value {
    json!({ "slug": slug, "name": "A place", "kind": "library", "local_authority": "Liverpool" })
}

#[test]
fn an_unknown_path_is_a_problem_and_a_known_one_says_which_methods_it_takes() {
    let app = App::start();
    let anonymous = app.anonymous();
    let problem = anonymous.get("/v1/nothing?x=1").problem(404, "not-found");
    assert_eq!(problem["instance"], "/v1/nothing");
    let answer = anonymous.send("PUT", "/v1/venues", &[], b"");
    assert_eq!(answer.header("allow"), "GET, HEAD, OPTIONS, POST");
    answer.problem(405, "method-not-allowed");
    anonymous.send("DELETE", "/health/live", &[], b"").problem(405, "method-not-allowed");
    for path in ["/v1/venues/", "//v1/venues", "/v1", "/v1/venues/a/b/c", "/%00", "/openapi"] {
        anonymous.get(path).problem(404, "not-found");
    }
}

#[test]
fn an_id_in_a_path_must_be_an_id() {
    let app = App::start();
    for wrong in ["1", "not-a-uuid", "0199d2f07a3c7bbda1f53d2c5a0e9b41", "%7B0199d2f0-7a3c-7bbd-a1f5-3d2c5a0e9b4%7D"] {
        app.anonymous().get(&format!("/v1/venues/{wrong}")).wrong_parameter("id");
    }
}

#[test]
fn a_client_that_takes_no_json_is_told_so() {
    let app = App::start();
    let get = |path: &str, accept: &str| app.anonymous().send("GET", path, &[("accept", accept)], b"");
    for accept in [
        "text/html",
        "*/*;q=0",
        "application/json;q=0",
        "application/*;q=0, */*",
        "application/json;q=0.0, application/*, */*",
    ] {
        get("/v1/venues", accept).problem(406, "not-acceptable");
    }
    let plain = app.anonymous().send("GET", "/v1/venues", &[("accept-encoding", "identity;q=0")], b"");
    let detail = plain.problem(406, "not-acceptable")["detail"].clone();
    assert!(detail.as_str().unwrap().starts_with("Accept-Encoding"), "{detail}");
    for accept in [
        "",
        "*/*",
        "application/*",
        "application/problem+json",
        "application/problem+json, application/json",
        "application/json;q=0.001",
        "text/html, application/json;q=0.5",
        "*/*;q=0, application/json",
        "application/*;q=0, application/json; charset=utf-8",
    ] {
        get("/v1/venues", accept).expect(200);
    }
    get("/v1/sessions/x", "text/calendar").problem(406, "not-acceptable");
    get("/v1/sessions/x/calendar.ics", "text/calendar").wrong_parameter("id");
    get("/v1/partners/x/rosters/template.csv", "text/csv").problem(401, "unauthenticated");
    assert_eq!(get("/docs/", "text/html").status, 200);
}

#[test]
fn a_body_must_be_of_the_right_type_size_and_form() {
    let app = App::start();
    let admin = app.admin();
    let post = |kind: &str, bytes: &[u8]| admin.send("POST", "/v1/venues", &[("content-type", kind)], bytes);
    post("text/plain", b"{}").problem(415, "unsupported-media-type");
    admin.send("POST", "/v1/venues", &[], b"{}").problem(415, "unsupported-media-type");
    post("application/json", &vec![b' '; 256 * 1024 + 1]).problem(413, "payload-too-large");
    post("text/plain", &vec![b' '; 256 * 1024 + 1]).problem(413, "payload-too-large");
    for malformed in [&b""[..], b"{", b"{\"a\":}", b"{} {}", b"{\"slug\":\"\xff\"}", b"\xef\xbb\xbf{"] {
        post("application/json", malformed).problem(400, "malformed-request");
    }
    post("application/json", format!("{}1{}", "[".repeat(33), "]".repeat(33)).as_bytes())
        .problem(400, "malformed-request");
    for fits in [format!("{}{}", "[".repeat(32), "]".repeat(32)), format!(r#""\"{}""#, "[{".repeat(33))] {
        post("application/json", fits.as_bytes()).invalid(&[""]);
    }
    for charset in ["iso-8859-1", "\"utf-16\"", "utf-8; charset=latin1"] {
        post(&format!("application/json; charset={charset}"), b"{}").problem(415, "unsupported-media-type");
    }
    post("application/json; Charset=\"UTF-8\"", b"null").invalid(&[""]);
    post("application/json; charset=utf-8", br#"["a-slug","A name","library"]"#).invalid(&[""]);
    post("application/json", b"null").invalid(&[""]);
    let gzip = [("content-type", "application/json"), ("content-encoding", "gzip")];
    admin.send("POST", "/v1/venues", &gzip, b"{}").problem(415, "unsupported-media-type");
    admin
        .post(
            "/v1/venues",
            &json!({ "slug": "a", "name": "A\u{0}B", "kind": "library", "local_authority": "Liverpool" }),
        )
        .invalid(&["/name"]);
    assert_eq!(app.anonymous().get("/v1/venues").json["items"], json!([]));
}

/// Sends bytes as they are and returns all that comes back until the server closes or pauses.
fn raw(app: &App, bytes: &[u8]) -> String {
    let mut socket = TcpStream::connect(app.url.trim_start_matches("http://")).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    socket.write_all(bytes).unwrap();
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    while !String::from_utf8_lossy(&answer).contains("\"request_id\"") {
        match socket.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(read) => answer.extend_from_slice(&buffer[..read]),
        }
    }
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn a_body_that_comes_too_slowly_is_cut_off() {
    let app = App::start_with(Config { body_pause: Duration::from_millis(100), ..Config::default() });
    let token = app.admin().token.unwrap();
    let head = format!(
        "POST /v1/venues HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{{"
    );
    let answer = raw(&app, head.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("/problems/request-timeout"), "{answer}");
}

#[test]
fn a_body_that_has_no_pause_and_trickles_is_cut_off_too() {
    let config = Config { body_allowance: Duration::from_millis(100), body_rate: 1_000_000, ..Config::default() };
    let app = App::start_with(config);
    let token = app.admin().token.unwrap();
    let head = format!(
        "POST /v1/venues HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{{"
    );
    let answer = raw(&app, head.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("At least 1000000 bytes a second"), "{answer}");
}

#[test]
fn a_body_without_a_declared_length_is_held_to_the_limit_too() {
    let app = App::start();
    let token = app.admin().token.unwrap();
    let mut bytes = format!(
        "POST /v1/venues HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
    )
    .into_bytes();
    for _ in 0..5 {
        bytes.extend_from_slice(b"10000\r\n");
        bytes.extend_from_slice(&vec![b' '; 0x10000]);
        bytes.extend_from_slice(b"\r\n");
    }
    let answer = raw(&app, &bytes);
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.contains("/problems/payload-too-large"), "{answer}");
}

#[test]
fn who_may_is_asked_before_anything_about_the_request() {
    let app = App::start();
    let bytes = vec![b' '; 300 * 1024];
    app.anonymous().send("POST", "/v1/venues?x=1", &[], &bytes).problem(401, "unauthenticated");
    app.advisor().send("POST", "/v1/venues?x=1", &[], &bytes).problem(403, "forbidden");
    app.admin().send("POST", "/v1/venues?x=1", &[], &bytes).problem(413, "payload-too-large");
    app.admin().send("POST", "/v1/venues?x=1", &[], b"{").problem(415, "unsupported-media-type");
    app.admin()
        .send("POST", "/v1/venues?x=1", &[("content-type", "application/json")], b"{")
        .problem(400, "invalid-parameter");
}

#[test]
fn a_request_keeps_its_id_where_the_id_is_sane() {
    let app = App::start();
    let get = |id: &str| app.anonymous().send("GET", "/v1/venues", &[("x-request-id", id)], b"");
    assert_eq!(get("abc-123_4.5").header("x-request-id"), "abc-123_4.5");
    for odd in ["a b", "a\"b", &"x".repeat(65)] {
        let answer = get(odd);
        assert_ne!(answer.header("x-request-id"), odd);
        assert_eq!(answer.header("x-request-id").len(), 32);
    }
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let answer = app.anonymous().send("GET", "/v1/venues", &[("traceparent", trace)], b"");
    assert_eq!(answer.header("traceparent"), trace);
}

#[test]
fn answers_are_compressed_as_the_client_asks() {
    let app = App::start();
    let admin = app.admin();
    for n in 0..20 {
        venue(&admin, &format!("venue-{n}"), "Liverpool");
    }
    for (asked, encoding) in [("gzip", "gzip"), ("deflate, gzip", "gzip"), ("br, zstd, gzip;q=0.1", "gzip")] {
        let token = admin.token.as_deref().unwrap();
        let request = format!(
            "GET /v1/venues HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\naccept-encoding: {asked}\r\nconnection: close\r\n\r\n"
        );
        let mut socket = TcpStream::connect(app.url.trim_start_matches("http://")).unwrap();
        socket.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).unwrap();
        let text = String::from_utf8_lossy(&answer).to_lowercase();
        assert!(text.contains(&format!("content-encoding: {encoding}")), "{encoding}: {text:.600}");
        assert!(answer.len() < 4000, "{encoding}: {} bytes", answer.len());
    }
}

#[test]
fn what_has_not_changed_is_not_sent_again() {
    let app = App::start();
    let admin = app.admin();
    let path = format!("/v1/venues/{}", id(&venue(&admin, "walton", "Liverpool")));
    for path in [path.as_str(), "/v1/venues"] {
        let first = app.anonymous().get(path);
        assert!(first.headers.get_all("vary").iter().any(|v| v.to_str().unwrap().contains("Authorization")));
        let again = app.anonymous().send("GET", path, &[("if-none-match", first.etag())], b"");
        assert_eq!((again.status, again.text.as_str()), (304, ""), "{path}");
        assert_eq!(again.etag(), first.etag());
    }
    admin.patch(&path, "\"1\"", &json!({ "name": "Another" })).expect(200);
    let after = app.anonymous().send("GET", &path, &[("if-none-match", "\"1\"")], b"");
    assert_eq!(after.expect(200)["name"], "Another");
    assert_eq!(admin.get(&path).header("cache-control"), "private, max-age=60");
}

#[test]
fn a_repeated_key_is_done_once_and_answered_the_same() {
    let app = App::start();
    let admin = app.admin();
    let key = [("idempotency-key", "roster-2027-01")];
    let first = admin.post_with("/v1/venues", &key, &body("walton"));
    assert_eq!((first.status, first.header("idempotent-replay")), (201, ""), "{}", first.text);
    let again = admin.post_with("/v1/venues", &key, &body("walton"));
    assert_eq!((again.status, again.header("idempotent-replay")), (201, "true"), "{}", again.text);
    assert_eq!(again.json, first.json);
    assert_eq!((again.header("location"), again.etag()), (first.header("location"), first.etag()));
    admin.post_with("/v1/venues", &key, &body("bootle")).problem(422, "idempotency-mismatch");
    admin.post_with("/v1/venues", &[("idempotency-key", "")], &body("bootle")).wrong_parameter("Idempotency-Key");
    admin
        .post_with("/v1/venues", &[("idempotency-key", &"k".repeat(256))], &body("bootle"))
        .wrong_parameter("Idempotency-Key");
    let other = app.admin().post_with("/v1/venues", &key, &body("southport"));
    assert_eq!((other.status, other.header("idempotent-replay")), (201, ""), "{}", other.text);
}

#[test]
fn a_key_is_forgotten_after_a_day_and_failures_are_not_kept() {
    let app = App::start();
    let admin = app.admin();
    let key = [("idempotency-key", "k")];
    admin.post_with("/v1/venues", &key, &json!({})).problem(422, "invalid-body");
    admin.post_with("/v1/venues", &key, &body("walton")).expect(201);
    app.at("2026-11-24T09:00:01Z");
    admin.post_with("/v1/venues", &key, &body("bootle")).expect(201);
}

#[test]
fn the_same_key_at_the_same_time_is_done_once() {
    let app = App::start();
    let admin = app.admin();
    let answers: Vec<_> = std::thread::scope(|scope| {
        let post = || admin.post_with("/v1/venues", &[("idempotency-key", "one")], &body("walton"));
        let running: Vec<_> = (0..12).map(|_| scope.spawn(post)).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(answers.iter().all(|answer| answer.status == 201), "{answers:#?}");
    assert_eq!(answers.iter().filter(|answer| answer.header("idempotent-replay").is_empty()).count(), 1);
    assert_eq!(app.anonymous().get("/v1/venues").json["items"].as_array().unwrap().len(), 1);
}

#[test]
fn a_write_that_panics_undoes_itself_alone() {
    let app = App::start();
    let state = app.state.clone();
    let outcome = actix_web::rt::System::new().block_on(async move {
        let failed = state.db.write(|_| -> life_rooms::error::Result<()> { panic!("on purpose") }).await;
        let worked = state.db.write(|_| Ok(7)).await;
        (failed.map_err(|e| e.kind()), worked.ok())
    });
    assert_eq!(outcome, (Err(life_rooms::error::Kind::Internal), Some(7)));
    venue(&app.admin(), "walton", "Liverpool");
}

/// A cursor is no secret: anybody can write one. It never reaches a database that can't take it.
#[test]
fn a_made_up_cursor_is_refused() {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let app = App::start();
    let admin = app.admin();
    for slug in ["a", "b"] {
        venue(&admin, slug, "Liverpool");
    }
    let next = app.anonymous().get("/v1/venues?limit=1").json["next"].as_str().unwrap().to_owned();
    let (head, cursor) = next.split_once("cursor=").unwrap();
    let mut forged: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(cursor).unwrap()).unwrap();
    forged["at"][0] = json!("\u{0}");
    let forged = URL_SAFE_NO_PAD.encode(forged.to_string());
    app.anonymous().get(&format!("{head}cursor={forged}")).wrong_parameter("cursor");
    // Nor does a day that one of them has no room for.
    let site = admin.post("/v1/sites", &json!({ "slug": "walton", "name": "Walton" })).expect(201);
    let hostings = format!("/v1/sites/{}/hostings", site["id"].as_str().unwrap());
    let place = venue(&admin, "c", "Liverpool");
    for year in [2024, 2025] {
        let body = json!({ "venue_id": place["id"], "starts_on": format!("{year}-01-01"), "ends_on": format!("{year}-12-31") });
        admin.post(&hostings, &body).expect(201);
    }
    let next = app.anonymous().get(&format!("{hostings}?limit=1")).json["next"].as_str().unwrap().to_owned();
    let (head, cursor) = next.split_once("cursor=").unwrap();
    let cursor: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(cursor).unwrap()).unwrap();
    for day in ["-9999-01-01", "+99999-01-01"] {
        let mut forged = cursor.clone();
        forged["at"][0] = json!(day);
        let forged = URL_SAFE_NO_PAD.encode(forged.to_string());
        app.anonymous().get(&format!("{head}cursor={forged}")).wrong_parameter("cursor");
    }
}

/// A public list goes on where it was when somebody logs in between two pages; one that needs a token doesn't.
#[test]
fn a_cursor_of_a_public_list_is_anybodys() {
    let app = App::start();
    let admin = app.admin();
    for slug in ["a", "b"] {
        venue(&admin, slug, "Liverpool");
    }
    let next = app.anonymous().get("/v1/venues?limit=1").json["next"].as_str().unwrap().to_owned();
    assert_eq!(admin.get(&next).expect(200)["items"][0]["slug"], "b");
    let next = admin.get("/v1/users?limit=1").json["next"].as_str().map(str::to_owned);
    let next = next.unwrap_or_else(|| {
        app.advisor();
        admin.get("/v1/users?limit=1").json["next"].as_str().unwrap().to_owned()
    });
    app.admin().get(&next).wrong_parameter("cursor");
}

#[test]
fn every_type_of_problem_has_a_page() {
    use strum::IntoEnumIterator;
    let app = App::start();
    for spec in life_rooms::error::Kind::iter().map(life_rooms::error::Kind::spec) {
        let page = app.anonymous().get(&format!("/problems/{}", spec.slug));
        assert_eq!(page.status, 200, "{}", page.text);
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        assert!(page.text.contains(spec.title) && page.text.contains(spec.help), "{}", page.text);
    }
    app.anonymous().get("/problems/nothing").problem(404, "not-found");
}

#[test]
fn a_server_that_was_told_to_stop_is_not_ready_but_live() {
    let app = App::start();
    assert_eq!(app.anonymous().get("/health/ready").expect(200), json!({ "status": "ok" }));
    app.state.stop.store(true, std::sync::atomic::Ordering::Relaxed);
    let answer = app.anonymous().get("/health/ready");
    assert_eq!(answer.header("retry-after"), "2");
    answer.problem(503, "unavailable");
    assert_eq!(app.anonymous().get("/health/live").expect(200), json!({ "status": "ok" }));
}

#[test]
fn the_documentation_works_without_the_internet() {
    let app = App::start();
    let redirect = app.anonymous().get("/docs");
    assert_eq!((redirect.status, redirect.header("location")), (307, "/docs/"));
    let page = app.anonymous().get("/docs/");
    assert_eq!(page.status, 200);
    assert!(page.text.contains("swagger-ui"));
    let outside = page.text.match_indices("src=\"http").count() + page.text.match_indices("href=\"http").count();
    assert_eq!(outside, 0, "{}", page.text);
    for part in ["swagger-ui.css", "swagger-ui-bundle.js", "swagger-initializer.js"] {
        assert_eq!(app.anonymous().get(&format!("/docs/{part}")).status, 200, "{part}");
    }
    assert!(app.anonymous().get("/docs/swagger-initializer.js").text.contains("/openapi.json"));
}

#[test]
fn a_body_that_nothing_reads_is_refused() {
    let app = App::start();
    let advisor = app.advisor();
    let sam = member(&advisor, "Sam", "Riley");
    let written = prescription(&advisor, id(&sam));
    let path = format!("/v1/prescriptions/{}/activate", id(&written));
    let json = [("content-type", "application/json")];
    for body in [&br#"{"developed_on":"2022-01-01"}"#[..], b"{\"developed_on\":", b"[]", b"x=1"] {
        advisor.send("POST", &path, &json, body).problem(400, "malformed-request");
        advisor.send("POST", &path, &[], body).problem(400, "malformed-request");
    }
    advisor.send("POST", &path, &json, b" {} ").expect(200);
}

/// A small body must not ask for a large answer, nor for much work.
#[test]
fn of_many_faults_the_first_hundred_are_told_and_a_long_name_is_cut() {
    let app = App::start();
    let names: serde_json::Map<String, Value> = (0..20_000).map(|number| (format!("a{number}"), json!(1))).collect();
    let problem = app.anonymous().post("/v1/auth/login", &Value::Object(names)).problem(422, "invalid-body");
    assert_eq!(problem["errors"].as_array().unwrap().len(), 100);
    let long = app.anonymous().post("/v1/auth/login", &json!({ "é".repeat(100_000): 1 }));
    assert!(long.text.len() < 2_000, "{} bytes", long.text.len());
    let problem = long.problem(422, "invalid-body");
    let faults = problem["errors"].as_array().unwrap();
    let unknown = faults.iter().find(|fault| fault["code"] == "unknown_field").unwrap();
    assert_eq!(unknown["pointer"], format!("/{}…", "é".repeat(100)));
}
