//! HTTP as caches, browsers, monitors and proxies use it.

use std::io::{Read, Write};
use std::net::TcpStream;

use life_rooms::db::Id;
use life_rooms::db::schema::audit_events;
use serde_json::json;

use crate::support::{Answer, App, id, member_row, venue};
use diesel::prelude::*;

/// Sends a request as it is written, and returns the head and the body until the server closes.
fn raw(app: &App, request: &str) -> (String, Vec<u8>) {
    let mut socket = TcpStream::connect(app.url.trim_start_matches("http://")).unwrap();
    socket.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(answer.len());
    let body = answer.get(end + 4..).unwrap_or_default().to_vec();
    (String::from_utf8_lossy(&answer[..end]).to_lowercase(), body)
}

/// The names in a list header, on however many lines, in lower case.
fn names(answer: &Answer, header: &str) -> Vec<String> {
    let lines = answer.headers.get_all(header).iter().filter_map(|value| value.to_str().ok());
    let mut names: Vec<String> =
        lines.flat_map(|line| line.split(',')).map(|name| name.trim().to_lowercase()).collect();
    names.sort();
    names
}

#[test]
fn head_answers_as_get_does_without_content_and_is_read_as_one() {
    let app = App::start();
    let admin = app.admin();
    let path = format!("/v1/venues/{}", id(&venue(&admin, "walton", "Liverpool")));
    let ann = member_row(&app, "Ann", "A");
    let advisor = app.advisor();
    let member = format!("/v1/members/{ann}");
    for (client, path, status) in [
        (&app.anonymous(), path.as_str(), 200),
        (&app.anonymous(), "/v1/venues", 200),
        (&app.anonymous(), "/docs/", 200),
        (&app.anonymous(), "/docs/swagger-ui.css", 200),
        (&app.anonymous(), "/", 200),
        (&app.anonymous(), "/problems/not-found", 200),
        (&app.anonymous(), "/openapi.json", 200),
        (&app.anonymous(), "/health/ready", 200),
        (&app.anonymous(), "/v1/users", 401),
        (&app.anonymous(), "/v1/nothing", 404),
        (&advisor, member.as_str(), 200),
    ] {
        let (head, get) = (client.send("HEAD", path, &[], b""), client.get(path));
        assert_eq!((head.status, head.text.as_str()), (status, ""), "{path}");
        assert_eq!(get.status, status, "{path}");
        for name in ["etag", "content-type", "cache-control", "vary", "www-authenticate", "content-security-policy"] {
            assert_eq!(head.header(name), get.header(name), "{path}: {name}");
        }
        if status == 200 {
            assert_eq!(head.header("content-length"), get.text.len().to_string(), "{path}");
        }
        if !get.etag().is_empty() {
            let held = [("if-none-match", get.etag())];
            assert_eq!(client.send("HEAD", path, &held, b"").status, 304, "{path}");
        }
    }
    let reads = audit_events::table
        .filter(audit_events::member_id.eq(ann.parse::<Id>().unwrap()).and(audit_events::action.eq("read")));
    // Two HEADs and a GET: who looked, looked.
    assert_eq!(reads.count().get_result::<i64>(&mut app.conn()).unwrap(), 3);
    app.analyst().send("HEAD", &member, &[], b"").status.eq(&403).then_some(()).expect("GET's access");
}

#[test]
fn a_path_says_which_methods_it_takes() {
    let app = App::start();
    for (path, allow) in [
        ("/v1/venues", "GET, HEAD, OPTIONS, POST"),
        ("/v1/venues/x", "DELETE, GET, HEAD, OPTIONS, PATCH"),
        ("/v1/members/search", "OPTIONS, POST"),
        ("/docs/", "GET, HEAD, OPTIONS"),
        ("/docs/index.css", "GET, HEAD, OPTIONS"),
    ] {
        let answer = app.anonymous().send("OPTIONS", path, &[], b"");
        assert_eq!((answer.status, answer.header("allow"), answer.text.as_str()), (204, allow, ""), "{path}");
        let refused = app.anonymous().send("TRACE", path, &[], b"");
        assert_eq!(refused.header("allow"), allow, "{path}");
        refused.problem(405, "method-not-allowed");
    }
    let patchable = app.anonymous().send("OPTIONS", "/v1/venues/x", &[], b"");
    assert_eq!(patchable.header("accept-patch"), "application/merge-patch+json, application/json");
    app.advisor().get("/v1/members/search").problem(405, "method-not-allowed");
    app.anonymous().send("OPTIONS", "/v1/nothing", &[], b"").problem(404, "not-found");
    let typed = [("content-type", "text/plain"), ("if-match", "\"1\"")];
    let id = uuid::Uuid::new_v4();
    let refused = app.admin().send("PATCH", &format!("/v1/venues/{id}"), &typed, b"{}");
    assert_eq!(refused.header("accept-patch"), "application/merge-patch+json, application/json");
    refused.problem(415, "unsupported-media-type");
    let refused = app.admin().send("POST", "/v1/venues", &typed, b"{}");
    assert_eq!((refused.header("accept-patch"), refused.header("accept")), ("", "application/json"));
}

#[test]
fn caches_can_tell_compressed_answers_from_plain_ones() {
    let app = App::start();
    let admin = app.admin();
    let made = venue(&admin, "walton", "Liverpool");
    let path = format!("/v1/venues/{}", id(&made));
    for path in [path.as_str(), "/v1/venues", "/openapi.json", "/docs/", "/v1/nothing"] {
        let plain = app.anonymous().get(path);
        let gzip =
            raw(&app, &format!("GET {path} HTTP/1.1\r\nhost: x\r\naccept-encoding: gzip\r\nconnection: close\r\n\r\n"));
        assert!(names(&plain, "vary").contains(&"accept-encoding".to_owned()), "{path}: {:?}", plain.headers);
        let vary = gzip.0.lines().filter(|line| line.starts_with("vary:")).collect::<Vec<_>>();
        assert_eq!(vary, [format!("vary: {}", plain.header("vary").to_lowercase())], "{path}: {}", gzip.0);
        assert!(gzip.0.contains("content-encoding: gzip") || plain.status != 200, "{path}: {}", gzip.0);
        if plain.etag().is_empty() {
            continue;
        }
        let tag = gzip.0.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap().to_owned();
        let plain_tag = plain.etag().to_lowercase();
        // A weak tag may be the same for every coding.
        let of_gzip = match plain_tag.starts_with("w/") {
            true => plain_tag,
            false => plain_tag.strip_suffix('"').unwrap().to_owned() + "+gzip\"",
        };
        assert_eq!(tag, of_gzip, "{path}");
    }
    // Each form is asked for again by its own tag.
    let ask = |encoding: &str, tag: &str| {
        let head = format!("GET {path} HTTP/1.1\r\nhost: x\r\naccept-encoding: {encoding}\r\nif-none-match: {tag}\r\n");
        raw(&app, &format!("{head}connection: close\r\n\r\n")).0
    };
    for (encoding, tag, status) in [
        ("gzip", "\"1+gzip\"", 304),
        ("gzip", "\"1\"", 200),
        ("identity", "\"1\"", 304),
        ("identity", "\"1+gzip\"", 200),
    ] {
        let head = ask(encoding, tag);
        assert!(head.starts_with(&format!("http/1.1 {status}")), "{encoding} {tag}: {head}");
        assert!(head.contains("vary: authorization, accept-encoding"), "{head}");
        assert_eq!(head.contains("content-encoding"), status == 200 && encoding == "gzip", "{head}");
    }
    // Whoever read the compressed form can change what it shows.
    let both = "\"0\", \"1+gzip\"";
    assert_eq!(admin.patch(&path, both, &json!({ "name": "Another" })).expect(200)["version"], 2);
    admin.patch(&path, "\"2+rot13\"", &json!({ "name": "B" })).problem(412, "precondition-failed");
    let weak = admin.patch(&path, "W/\"2\"", &json!({ "name": "B" })).problem(412, "precondition-failed");
    let detail = "If-Match holds a weak ETag, which never matches (RFC 9110, section 13.1.1). Send it without W/, as it \
                  was sent.";
    assert_eq!(weak["detail"], detail);
}

#[test]
fn list_headers_are_read_whole_on_however_many_lines() {
    let app = App::start();
    let admin = app.admin();
    let path = format!("/v1/venues/{}", id(&venue(&admin, "walton", "Liverpool")));
    let get = |headers: &[(&str, &str)]| app.anonymous().send("GET", &path, headers, b"");
    assert_eq!(get(&[("accept", "text/html"), ("accept", "application/json")]).status, 200);
    assert_eq!(get(&[("if-none-match", "\"7\""), ("if-none-match", "\"8\", \"1\"")]).status, 304);
    for refused in [["*/*", "application/json;q=0"], ["text/html", "text/csv"]] {
        get(&refused.map(|ranges| ("accept", ranges))).problem(406, "not-acceptable");
    }
    let refused = get(&[("accept", "application/json;q=0, */*"), ("origin", "https://any.example.org")]);
    assert_eq!(refused.header("access-control-allow-origin"), "*");
    refused.problem(406, "not-acceptable");
    let change = |headers: &[(&str, &str)]| {
        let typed = [headers, &[("content-type", "application/json")]].concat();
        admin.send("PATCH", &path, &typed, br#"{"name":"Another"}"#)
    };
    assert_eq!(change(&[("if-match", "\"7\""), ("if-match", "\"1\"")]).status, 200);
    change(&[("if-match", "2")]).problem(400, "malformed-request");
    change(&[("if-match", "\"2-foo\"")]).problem(412, "precondition-failed");
}

#[test]
fn http_1_0_gets_no_chunks() {
    let app = App::start();
    for encoding in ["gzip", "br", "identity"] {
        let request = format!("GET /openapi.json HTTP/1.0\r\nhost: x\r\naccept-encoding: {encoding}\r\n\r\n");
        let (head, body) = raw(&app, &request);
        assert!(!head.contains("transfer-encoding"), "{head}");
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).expect("a length");
        assert_eq!(length, body.len().to_string());
        serde_json::from_slice::<serde_json::Value>(&body).expect("plain JSON");
    }
}

#[test]
fn pages_of_other_origins_read_what_is_public_and_the_configured_ones_all() {
    let app = App::start();
    let (ours, other) = ("https://front.example.org", "https://other.example.org");
    let admin = app.admin();
    let allowed = |answer: &Answer| answer.header("access-control-allow-origin").to_owned();
    let anonymous = app.anonymous();
    for origin in [ours, other] {
        let public = anonymous.send("GET", "/v1/venues", &[("origin", origin)], b"");
        assert_eq!((public.status, allowed(&public)), (200, "*".into()));
        assert!(names(&public, "access-control-expose-headers").contains(&"etag".to_owned()));
        assert!(!names(&public, "vary").contains(&"origin".to_owned()));
    }
    // Every failure too, whoever makes it.
    for (method, path, status) in
        [("GET", "/v1/nothing", 404), ("POST", "/v1/venues", 401), ("TRACE", "/v1/venues", 405)]
    {
        let failed = anonymous.send(method, path, &[("origin", ours)], b"");
        assert_eq!((failed.status, allowed(&failed).is_empty()), (status, false), "{method} {path}");
    }
    let with_token = admin.send("GET", "/v1/venues", &[("origin", ours)], b"");
    assert_eq!(allowed(&with_token), ours);
    assert!(names(&with_token, "vary").contains(&"origin".to_owned()));
    assert_eq!(allowed(&admin.send("GET", "/v1/venues", &[("origin", other)], b"")), "");
    let preflight = |origin: &str, method: &str, headers: &str| {
        let asked = [
            ("origin", origin),
            ("access-control-request-method", method),
            ("access-control-request-headers", headers),
        ];
        anonymous.send("OPTIONS", "/v1/venues", &asked, b"")
    };
    for headers in ["authorization,if-match,idempotency-key", "traceparent", "baggage,sentry-trace,x-anything"] {
        let answer = preflight(ours, "PATCH", headers);
        assert_eq!((answer.status, allowed(&answer)), (204, ours.to_owned()), "{headers}: {}", answer.text);
        assert_eq!(answer.header("access-control-allow-headers"), headers);
        assert!(names(&answer, "access-control-allow-methods").contains(&"patch".to_owned()));
    }
    let answer = preflight(other, "GET", "if-none-match,traceparent");
    assert_eq!((answer.status, allowed(&answer)), (204, "*".into()));
    for (method, headers) in [("GET", "authorization"), ("PATCH", "if-match")] {
        let answer = preflight(other, method, headers);
        assert_eq!((answer.status, allowed(&answer)), (204, String::new()));
        assert_eq!(answer.header("access-control-allow-methods"), "");
    }
}

#[test]
fn the_service_says_what_it_is_to_programs_and_to_people() {
    let app = App::start();
    let plain = app.anonymous().get("/");
    assert!(names(&plain, "vary").contains(&"accept".to_owned()));
    let service = plain.expect(200);
    assert_eq!((&service["name"], &service["version"]), (&json!("Life Rooms API"), &json!(env!("CARGO_PKG_VERSION"))));
    for link in service["links"].as_object().unwrap().values() {
        assert_eq!(app.anonymous().get(link.as_str().unwrap()).status, 200, "{link}");
    }
    let browser = [("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")];
    let page = app.anonymous().send("GET", "/", &browser, b"");
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    assert!(page.text.contains("href=\"/docs/\""), "{}", page.text);
}

#[test]
fn no_page_can_be_framed_or_made_to_load_from_elsewhere() {
    let app = App::start();
    let browser = [("accept", "text/html")];
    for path in ["/docs/", "/problems/not-found", "/"] {
        let page = app.anonymous().send("GET", path, &browser, b"");
        assert!(page.header("content-type").starts_with("text/html"), "{path}");
        let policy = page.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        assert!(!policy.contains("script-src 'unsafe"), "{path}: {policy}");
        assert_eq!(page.header("x-frame-options"), "DENY", "{path}");
    }
    assert_eq!(app.anonymous().get("/docs/swagger-ui-bundle.js").header("cache-control"), "public, max-age=3600");
    assert!(!app.anonymous().get("/docs/").text.contains("<script>"));
}

#[test]
fn one_authorization_header_counts() {
    let app = App::start();
    let token = format!("Bearer {}", app.admin().token.unwrap());
    let twice = [("authorization", token.as_str()), ("authorization", "Bearer x")];
    app.anonymous().send("GET", "/v1/venues", &twice, b"").problem(400, "malformed-request");
    app.anonymous().send("GET", "/v1/users", &twice, b"").problem(400, "malformed-request");
    app.anonymous().send("GET", "/health/live", &twice, b"").problem(400, "malformed-request");
}

#[test]
fn the_audit_keeps_an_id_that_nobody_outside_chose_and_only_traces_are_passed_on() {
    let app = App::start();
    let ann = member_row(&app, "Ann", "A");
    let given = [("x-request-id", "chosen-outside")];
    let answer = app.advisor().send("GET", &format!("/v1/members/{ann}"), &given, b"");
    assert_eq!((answer.status, answer.header("x-request-id")), (200, "chosen-outside"));
    let ids: Vec<String> = audit_events::table
        .filter(audit_events::member_id.eq(ann.parse::<Id>().unwrap()))
        .select(audit_events::request_id)
        .load(&mut app.conn())
        .unwrap();
    assert_eq!(ids.len(), 1);
    assert!(ids[0].len() == 32 && ids[0].chars().all(|c| c.is_ascii_hexdigit()), "{ids:?}");
    for (parent, passed) in [
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", true),
        ("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", false),
        ("00-00000000000000000000000000000000-00f067aa0ba902b7-01", false),
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", false),
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7", false),
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g", false),
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more", false),
        ("0-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", false),
        ("ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", false),
        ("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", true),
        ("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more", true),
        ("", false),
        ("<script>", false),
    ] {
        let answer = app.anonymous().send("GET", "/v1/venues", &[("traceparent", parent)], b"");
        assert_eq!(answer.header("traceparent"), if passed { parent } else { "" });
    }
}

#[test]
fn what_cannot_be_read_as_http_is_answered_with_a_status_and_an_empty_body_as_the_document_says() {
    let app = App::start();
    let start = |target: &str| format!("GET {target} HTTP/1.1\r\n");
    let many: String = (0..97).map(|number| format!("X-{number}: a\r\n")).collect();
    for (status, request) in [
        (400, start("/v1/venues")),
        (400, start("/v1/venues") + "Host: a\r\nHost: b\r\n"),
        (400, start("/v1/venues") + "Host: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n"),
        (400, start("/v1/venues") + "Host: a\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n"),
        (400, start(&format!("/v1/venues?q={}", "a".repeat(65_600))) + "Host: a\r\n"),
        (400, start("/v1/ven ues") + "Host: a\r\n"),
        (431, start("/v1/venues") + "Host: a\r\n" + &many),
    ] {
        let (head, body) = raw(&app, &(request + "\r\n"));
        assert!(head.starts_with(&format!("http/1.1 {status} ")), "{head}");
        assert!(head.contains("connection: close") && !head.contains("x-request-id"), "{head}");
        assert!(body.is_empty(), "{}", String::from_utf8_lossy(&body));
    }
    // Up to that length it is the service that answers.
    let long = start(&format!("/v1/venues?q={}", "a".repeat(65_000))) + "Host: a\r\nConnection: close\r\n\r\n";
    let (head, body) = raw(&app, &long);
    let problem: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert!(head.contains("application/problem+json") && problem["code"] == "invalid_parameter", "{head}");
}
