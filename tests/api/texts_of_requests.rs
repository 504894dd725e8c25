//! How values in requests are written, and what is said of wrong ones.

use serde_json::{Value, json};

use crate::rosters::{reader, single};
use crate::support::{App, id, partner, venue};

#[test]
fn a_number_without_a_fraction_is_a_whole_number() {
    let app = App::start();
    let body = |minutes: &str| {
        format!(
            "{{\"title\":\"Choir\",\"pillar\":\"community\",\"delivery\":\"online\",\"local_start\":\"2026-12-01T13:00:00\",\
             \"time_zone\":\"Europe/London\",\"duration_minutes\":{minutes}}}"
        )
    };
    let post = |minutes: &str| {
        app.admin().send("POST", "/v1/sessions", &[("content-type", "application/json")], body(minutes).as_bytes())
    };
    for minutes in ["90", "90.0", "9e1", "9.0E1", "9E+1", "0.9e2", "900E-1"] {
        assert_eq!(post(minutes).expect(201)["duration_minutes"], 90, "{minutes}");
    }
    for minutes in ["90.5", "1e300", "\"90\""] {
        post(minutes).invalid(&["/duration_minutes"]);
    }
    // Zero is a whole number too. It is only too small here.
    for minutes in ["0", "-0", "-0.0", "0e5"] {
        let problem = post(minutes).invalid(&["/duration_minutes"]);
        assert_eq!(problem["errors"][0]["code"], "too_small", "{minutes}");
    }
}

#[test]
fn a_member_of_a_body_stands_once() {
    let (app, client, rosters) = reader();
    let admin = app.admin();
    let made = venue(&admin, "twice", "Liverpool");
    let (json, patch) = ("application/json", "application/merge-patch+json");
    let one = format!("/v1/venues/{}", id(&made));
    let close = format!("/v1/prescriptions/{}/close", id(&made));
    let entry = single("a").to_string();
    let twice = entry.replacen('{', "{\"title\":\"Other\",", 1);
    for (client, method, path, kind, body) in [
        (&admin, "POST", "/v1/venues", json, "{\"slug\":\"a\",\"slug\":\"b\"}".to_owned()),
        (&admin, "PATCH", &one, patch, "{\"name\":\"A\",\"n\\u0061me\":\"B\"}".to_owned()),
        (&admin, "PATCH", &one, patch, "{\"address\":{\"town\":\"A\",\"town\":\"B\"}}".to_owned()),
        (&app.advisor(), "POST", &close, json, "{\"reason\":\"A\",\"reason\":\"A\"}".to_owned()),
        (&client, "POST", &rosters, json, format!("{{\"entries\":[{entry}],\"entries\":[]}}")),
        (&client, "POST", &rosters, json, format!("{{\"entries\":[{twice}]}}")),
        (&client, "POST", &rosters, "application/x-ndjson", twice.clone()),
    ] {
        let headers = [("content-type", kind), ("if-match", "\"1\"")];
        let problem = client.send(method, path, &headers, body.as_bytes()).problem(400, "malformed-request");
        assert!(problem["detail"].as_str().unwrap().contains("stands twice"), "{path}: {problem}");
    }
}

#[test]
fn an_unknown_name_is_told_the_nearest_ones_first() {
    let app = App::start();
    let admin = app.admin();
    let body = json!({ "slug": "p", "name": "P", "kind": "charity", "web_site": "https://a.example" });
    let problem = admin.post("/v1/partners", &body).invalid(&["/web_site"]);
    assert_eq!(problem["errors"][0]["code"], "unknown_field");
    assert!(problem["errors"][0]["detail"].as_str().unwrap().contains(": website, "), "{problem}");
    let problem = app.anonymous().get("/v1/sessions?parter_id=x").wrong_parameter("parter_id");
    assert!(problem["errors"][0]["detail"].as_str().unwrap().contains(": partner_id, "), "{problem}");
    // A person who doesn't exist is another matter, with a code of its own.
    let nobody =
        json!({ "member_id": "0199d2f0-7a3c-7bbd-a1f5-3d2c5a0e9b41", "origin": "advisor", "needs": [], "items": [] });
    let problem = app.advisor().post("/v1/prescriptions", &nobody).problem(422, "invalid-body");
    assert!(problem["errors"].as_array().unwrap().iter().any(|e| e["code"] == "unknown_member"), "{problem}");
}

#[test]
fn a_wrong_value_of_a_parameter_is_named_in_the_sentence() {
    let app = App::start();
    for (path, name) in [
        ("/v1/venues?near=here", "near"),
        ("/v1/venues?limit=0", "limit"),
        ("/v1/venues?q=%21", "q"),
        ("/v1/sessions?from=2027-01-02&to=2027-01-01", "to"),
        ("/v1/venues/no-id", "id"),
        ("/v1/venues?cursor=x", "cursor"),
    ] {
        let problem = app.anonymous().get(path).wrong_parameter(name);
        assert!(problem["detail"].as_str().unwrap().starts_with(&format!("{name}: ")), "{problem}");
    }
}

#[test]
fn a_text_of_one_line_is_one_line_wherever_it_is_sent() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let partner = partner(&admin, "reader");
    let session = crate::editing::session_body(id(&place));
    let series = crate::editing::with(session.clone(), json!({ "recurrence": "FREQ=WEEKLY;COUNT=2" }));
    let entry = json!({ "external_id": "a", "title": "x", "pillar": "community", "delivery": "online",
        "local_start": "2027-01-05T13:00:00", "time_zone": "Europe/London", "duration_minutes": 60 });
    let partners = format!("/v1/partners/{}", id(&partner));
    let of = |path: &str, body: &Value| (path.to_owned(), body.clone());
    let hall = json!({ "slug": "hall", "name": "x", "kind": "library", "local_authority": "Sefton" });
    for ((path, body), name) in [
        (of("/v1/sessions", &session), "title"),
        (of("/v1/sessions", &session), "facilitator"),
        (of("/v1/session-series", &series), "title"),
        (of("/v1/venues", &hall), "name"),
        (of("/v1/partners", &json!({ "slug": "x", "name": "x", "kind": "charity" })), "name"),
        (of("/v1/sites", &json!({ "slug": "x", "name": "x" })), "name"),
        (of(&format!("/v1/venues/{}/spaces", id(&place)), &json!({ "name": "x" })), "name"),
        (of(&format!("{partners}/programmes"), &json!({ "slug": "x", "name": "x" })), "name"),
    ] {
        for text in ["Two\nlines", "Turned\u{202e}", "Tab\there"] {
            let problem = admin.post(&path, &crate::editing::with(body.clone(), json!({ name: text })));
            let problem = problem.invalid(&[&format!("/{name}")]);
            assert_eq!(problem["errors"][0]["code"], "not_text", "{path} {text:?}");
        }
    }
    let roster = json!({ "entries": [crate::editing::with(entry, json!({ "title": "Two\nlines" }))] });
    let problem = admin.post(&format!("{partners}/rosters"), &roster).problem(422, "roster-refused");
    assert_eq!(problem["errors"][0]["code"], "not_text");
    let path = format!("/v1/venues/{}", id(&place));
    admin.patch(&path, "\"1\"", &json!({ "address": { "town": "Two\nlines" } })).invalid(&["/address/town"]);
    // A name that no search would find is no name.
    for name in [".", "🎃"] {
        let body = json!({ "given_name": name, "roles": ["carer"] });
        let problem = app.advisor().post("/v1/members", &body).invalid(&["/given_name"]);
        assert_eq!(problem["errors"][0]["code"], "blank");
    }
}

#[test]
fn a_text_of_the_wrong_form_is_told_the_form_in_words() {
    let app = App::start();
    let admin = app.admin();
    let venue = |change: Value| {
        let mut body = json!({ "slug": "walton", "name": "Walton", "kind": "library", "local_authority": "Liverpool" });
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        admin.post("/v1/venues", &body).problem(422, "invalid-body")
    };
    let partner = json!({ "slug": "reader", "name": "Reader", "kind": "charity", "charity_number": "no. 1126806" });
    let hours = |opens: &str| json!({ "opening_hours": { "monday": [{ "opens": opens, "closes": "17:00" }] } });
    for (problem, words) in [
        (venue(json!({ "slug": "Walton Library" })), "small letters a to z and digits, joined by single hyphens"),
        (venue(json!({ "uprn": "3823 3522" })), "1 to 12 digits"),
        (venue(json!({ "accessibility": ["Step free"] })), "letters a to z, digits and underscores"),
        (venue(hours("9:30")), "a time from 00:00 to 23:59"),
        (admin.post("/v1/partners", &partner).problem(422, "invalid-body"), "5 to 8 digits"),
        (admin.get("/v1/venues?near=53.4,%20-2.9").problem(400, "invalid-parameter"), "degrees north"),
        (admin.get("/v1/sessions?near=Walton").problem(400, "invalid-parameter"), "degrees north"),
        (admin.get("/v1/sessions?starts_after=9am").problem(400, "invalid-parameter"), "a time from 00:00 to 23:59"),
        (admin.get("/v1/sessions?topic=Shared%20Reading").problem(400, "invalid-parameter"), "underscores"),
    ] {
        let fault = &problem["errors"][0];
        assert_eq!(fault["code"], "wrong_format", "{problem}");
        assert!(fault["detail"].as_str().unwrap().contains(words), "{problem}");
    }
}

/// A pattern in the document has a format, and the format has a sentence for people.
#[test]
fn every_pattern_of_the_document_belongs_to_a_format() {
    fn walk(value: &Value, at: &str, bare: &mut Vec<String>) {
        if value["pattern"].is_string() && !value["format"].is_string() {
            bare.push(at.to_owned());
        }
        for (name, inner) in value.as_object().into_iter().flatten() {
            walk(inner, &format!("{at}/{name}"), bare);
        }
        for (index, inner) in value.as_array().into_iter().flatten().enumerate() {
            walk(inner, &format!("{at}/{index}"), bare);
        }
    }
    let mut bare = Vec::new();
    walk(&serde_json::from_str(&crate::support::committed()).unwrap(), "", &mut bare);
    assert_eq!(bare, Vec::<String>::new());
}
