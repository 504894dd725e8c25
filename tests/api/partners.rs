//! Partners, their programmes and API clients.

use life_rooms::auth::caller::Scope;
use serde_json::json;

use crate::support::{App, id, partner, programme};

#[test]
fn a_partner_is_created_read_and_changed() {
    let app = App::start();
    let admin = app.admin();
    let body = json!({
        "slug": "the-reader", "name": "The Reader", "kind": "charity", "charity_number": "1126806",
        "website": "https://www.thereader.example", "partnership_start": "2021-10-01",
        "contact": { "name": "Team", "email": "team@thereader.example", "phone": "0151\u{a0}729\u{a0}2200" }
    });
    let created = admin.post("/v1/partners", &body);
    assert_eq!(created.status, 201, "{}", created.text);
    let path = created.header("location").to_owned();
    assert_eq!(path, format!("/v1/partners/{}", created.id()));
    assert_eq!(created.json["status"], "active");
    // A telephone number is kept as members' are.
    let contact = json!({ "name": "Team", "email": "team@thereader.example", "phone": "+441517292200" });
    assert_eq!(created.json["contact"], contact);
    for phone in ["-------", "call me"] {
        let wrong = admin.patch(&path, created.etag(), &json!({ "contact": { "phone": phone } }));
        assert_eq!(wrong.problem(422, "invalid-body")["errors"][0]["code"], "wrong_phone", "{phone}");
    }

    let read = admin.get(&path);
    assert_eq!(read.json, created.json);
    let changed = admin.patch(&path, read.etag(), &json!({ "contact": { "phone": null }, "charity_number": null }));
    assert_eq!(changed.status, 200, "{}", changed.text);
    assert_eq!(changed.json["contact"], json!({ "name": "Team", "email": "team@thereader.example", "phone": null }));
    assert_eq!(changed.json["version"], 2);
    assert_eq!(changed.json["charity_number"], json!(null));
    admin.patch(&path, "\"1\"", &json!({ "name": "X" })).problem(412, "precondition-failed");
    admin.patch(&path, "", &json!({ "name": "X" })).problem(428, "precondition-required");
}

#[test]
fn contacts_are_shown_to_staff_and_to_the_partner_itself_only() {
    let app = App::start();
    let admin = app.admin();
    let contact = json!({ "name": null, "email": "a@example.org", "phone": null });
    let body = json!({ "slug": "a", "name": "A", "kind": "housing", "contact": contact });
    let made = admin.post("/v1/partners", &body).expect(201);
    let other = partner(&admin, "other");
    let path = format!("/v1/partners/{}", id(&made));
    for client in [admin.clone(), app.advisor(), app.partner_user(id(&made)), app.partner_client(id(&made), &[])] {
        assert_eq!(client.get(&path).expect(200)["contact"], body["contact"]);
        assert_eq!(client.get("/v1/partners").expect(200)["items"][0]["contact"], body["contact"]);
    }
    for client in [app.anonymous(), app.analyst(), app.partner_user(id(&other))] {
        let read = client.get(&path);
        assert_eq!(read.json["name"], "A", "{}", read.text);
        assert!(read.json["contact"].is_null(), "{}", read.text);
        assert!(!client.get("/v1/partners").text.contains("a@example.org"));
    }
    // What one caller holds is not taken for what another is shown.
    let etag = app.anonymous().get(&path).etag().to_owned();
    assert_eq!(app.anonymous().send("GET", &path, &[("if-none-match", &etag)], b"").status, 304);
    assert_eq!(admin.send("GET", &path, &[("if-none-match", &etag)], b"").status, 200);
}

#[test]
fn the_public_sees_active_partners_only() {
    let app = App::start();
    let admin = app.admin();
    let (kept, paused) = (partner(&admin, "kept"), partner(&admin, "paused"));
    let made = programme(&admin, id(&paused), "reading");
    let path = format!("/v1/partners/{}", id(&paused));
    let of_programme = format!("{path}/programmes/{}", id(&made));
    assert_eq!(app.anonymous().get(&of_programme).expect(200), made);
    admin.patch(&path, "\"1\"", &json!({ "status": "paused" })).expect(200);
    let anonymous = app.anonymous();
    for path in [path.clone(), format!("{path}/programmes"), of_programme] {
        anonymous.get(&path).problem(404, "not-found");
        admin.get(&path).expect(200);
    }
    let slugs = |list: serde_json::Value| -> Vec<String> {
        list["items"].as_array().unwrap().iter().map(|p| p["slug"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(slugs(anonymous.get("/v1/partners").expect(200)), ["kept"]);
    assert_eq!(slugs(app.advisor().get("/v1/partners").expect(200)), ["kept", "paused"]);
    assert_eq!(slugs(app.partner_user(id(&kept)).get("/v1/partners").expect(200)), ["kept"]);
}

#[test]
fn every_fault_of_a_partner_is_named_and_nothing_is_written() {
    let app = App::start();
    let admin = app.admin();
    let body = json!({
        "slug": "The Reader", "name": "", "kind": "club", "charity_number": "12", "website": "thereader",
        "contact": { "email": "nobody", "phone": "short" }, "partnership_start": "2021-13-01", "roster_version": 7
    });
    let pointers = [
        "/slug",
        "/name",
        "/kind",
        "/charity_number",
        "/website",
        "/contact/email",
        "/contact/phone",
        "/partnership_start",
        "/roster_version",
    ];
    admin.post("/v1/partners", &body).invalid(&pointers);
    let body = json!({
        "slug": "a", "name": "A", "kind": "other", "partnership_start": "2027-01-02", "partnership_end": "2027-01-01"
    });
    admin.post("/v1/partners", &body).invalid(&["/partnership_end"]);
    assert_eq!(admin.get("/v1/partners").json["items"], json!([]));
    partner(&admin, "taken");
    let body = json!({ "slug": "taken", "name": "A", "kind": "other" });
    let problem = admin.post("/v1/partners", &body).problem(409, "already-exists");
    assert_eq!(problem["errors"][0]["pointer"], "/slug");
}

#[test]
fn only_admins_write_partners() {
    let app = App::start();
    let admin = app.admin();
    let made = partner(&admin, "a");
    let path = format!("/v1/partners/{}", id(&made));
    let body = json!({ "slug": "b", "name": "B", "kind": "other" });
    for client in [app.advisor(), app.analyst(), app.partner_user(id(&made))] {
        client.post("/v1/partners", &body).problem(403, "forbidden");
        client.patch(&path, "\"1\"", &json!({ "name": "B" })).problem(403, "forbidden");
    }
    app.anonymous().post("/v1/partners", &body).problem(401, "unauthenticated");
    app.anonymous().patch(&path, "\"1\"", &json!({ "name": "B" })).problem(401, "unauthenticated");
    assert_eq!(admin.get(&path).json, made);
}

#[test]
fn partners_are_listed_by_name_in_pages_that_meet() {
    let app = App::start();
    let admin = app.admin();
    for slug in ["c", "a", "b"] {
        partner(&admin, slug);
    }
    let first = app.anonymous().get("/v1/partners?limit=2").expect(200);
    assert_eq!([&first["items"][0]["slug"], &first["items"][1]["slug"]], ["a", "b"]);
    let next = first["next"].as_str().unwrap();
    let second = app.anonymous().get(next).expect(200);
    assert_eq!(second["items"][0]["slug"], "c");
    assert_eq!(second["next"], json!(null));
    assert_eq!(admin.get(next).expect(200)["items"][0]["slug"], "c");
}

#[test]
fn a_partner_writes_its_own_programmes_and_nobody_elses() {
    let app = App::start();
    let admin = app.admin();
    let (own, other) = (partner(&admin, "own"), partner(&admin, "other"));
    let client = app.partner_client(id(&own), &[Scope::ProgrammesWrite]);
    let list = format!("/v1/partners/{}/programmes", id(&own));
    let body = json!({ "slug": "shared-reading", "name": "Shared Reading", "description": "Aloud." });
    let created = client.post(&list, &body);
    assert_eq!(created.status, 201, "{}", created.text);
    let path = created.header("location").to_owned();
    assert_eq!(path, format!("{list}/{}", created.id()));
    assert_eq!(created.json["partner_id"], own["id"]);
    assert_eq!(app.anonymous().get(&path).expect(200), created.json);
    assert_eq!(app.anonymous().get(&list).expect(200)["items"], json!([created.json]));
    let changed = app.partner_user(id(&own)).patch(&path, "\"1\"", &json!({ "description": null })).expect(200);
    assert_eq!((&changed["description"], &changed["version"]), (&json!(null), &json!(2)));
    client.patch(&path, "\"1\"", &json!({ "name": "X" })).problem(412, "precondition-failed");

    let theirs = programme(&admin, id(&other), "theirs");
    let foreign = format!("/v1/partners/{}/programmes", id(&other));
    client.post(&foreign, &body).problem(404, "not-found");
    client.patch(&format!("{foreign}/{}", id(&theirs)), "\"1\"", &json!({ "name": "X" })).problem(404, "not-found");
    client.patch(&format!("{list}/{}", id(&theirs)), "\"1\"", &json!({ "name": "X" })).problem(404, "not-found");
    assert_eq!(admin.get(&format!("{foreign}/{}", id(&theirs))).json, theirs);
}

#[test]
fn programmes_need_the_role_the_scope_and_a_slug_of_their_own() {
    let app = App::start();
    let admin = app.admin();
    let own = partner(&admin, "own");
    let list = format!("/v1/partners/{}/programmes", id(&own));
    let body = json!({ "slug": "reading", "name": "Reading" });
    app.anonymous().post(&list, &body).problem(401, "unauthenticated");
    app.advisor().post(&list, &body).problem(403, "forbidden");
    let answer = app.partner_client(id(&own), &[Scope::RostersWrite]).post(&list, &body);
    assert!(answer.header("www-authenticate").contains("insufficient_scope"));
    answer.problem(403, "insufficient-scope");
    let made = admin.post(&list, &body).expect(201);
    let problem = admin.post(&list, &body).problem(409, "already-exists");
    assert_eq!(problem["errors"][0]["pointer"], "/slug");
    programme(&admin, id(&partner(&admin, "other")), "reading");
    admin.post(&list, &json!({ "slug": "x", "name": "", "partner_id": "x" })).invalid(&["/name", "/partner_id"]);
    admin.post("/v1/partners/nonsense/programmes", &body).wrong_parameter("id");
    let nobody = app.clock.new_id();
    admin.post(&format!("/v1/partners/{nobody}/programmes"), &body).problem(404, "not-found");
    assert_eq!(admin.get(&list).json["items"], json!([made]));
}

#[test]
fn a_clients_secret_is_shown_once() {
    let app = App::start();
    let admin = app.admin();
    let own = partner(&admin, "own");
    let list = format!("/v1/partners/{}/clients", id(&own));
    let body = json!({ "name": "Scheduling", "scopes": ["rosters:write", "rosters:read"] });
    let key = [("idempotency-key", "once")];
    let created = admin.post_with(&list, &key, &body);
    assert_eq!(created.status, 201, "{}", created.text);
    assert_eq!(created.json["client_id"], created.json["id"]);
    assert_eq!(created.json["scopes"], body["scopes"]);
    let secret = created.json["client_secret"].as_str().unwrap();
    assert!(secret.len() >= 43, "32 random bytes");
    let path = created.header("location").to_owned();
    assert_eq!(path, format!("{list}/{}", created.id()));

    let replay = admin.post_with(&list, &key, &body);
    assert_eq!((replay.status, replay.header("idempotent-replay")), (201, "true"));
    assert_eq!(replay.json["id"], created.json["id"]);
    assert!(replay.json["client_secret"].is_null());
    assert!(replay.json["client_secret_note"].as_str().unwrap().contains("first answer"));
    for answer in [admin.get(&list), admin.get(&path)] {
        assert_eq!(answer.status, 200);
        assert!(!answer.text.contains(secret) && !answer.text.contains("secret"), "{}", answer.text);
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    let rotated = admin.post_with(&format!("{path}/rotate"), &key, &json!({})).expect(200);
    assert_ne!(rotated["client_secret"], created.json["client_secret"]);
    assert_eq!(rotated["version"], 2);
    let replay = admin.post_with(&format!("{path}/rotate"), &key, &json!({})).expect(200);
    assert!(replay["client_secret"].is_null());
    assert_eq!(admin.get(&list).json["items"].as_array().unwrap().len(), 1);
}

#[test]
fn a_revoked_client_stays_revoked() {
    let app = App::start();
    let admin = app.admin();
    let own = partner(&admin, "own");
    let list = format!("/v1/partners/{}/clients", id(&own));
    let made = admin.post(&list, &json!({ "name": "A", "scopes": [] })).expect(201);
    let path = format!("{list}/{}", id(&made));
    assert_eq!(admin.send("DELETE", &path, &[("if-match", "\"9\"")], b"").status, 412);
    assert_eq!(admin.delete(&path).status, 204);
    let read = admin.get(&path).expect(200);
    assert_eq!(read["revoked_at"], "2026-11-23T09:00:00Z");
    assert_eq!(admin.delete(&path).status, 204);
    assert_eq!(admin.get(&path).json, read);
    let problem = admin.send("POST", &format!("{path}/rotate"), &[], b"").problem(409, "invalid-state");
    assert!(problem["detail"].as_str().unwrap().contains("revoked"));
}

#[test]
fn clients_are_admins_and_their_scopes_are_known_and_given_once() {
    let app = App::start();
    let admin = app.admin();
    let (own, other) = (partner(&admin, "own"), partner(&admin, "other"));
    let list = format!("/v1/partners/{}/clients", id(&own));
    let body = json!({ "name": "A", "scopes": ["rosters:read"] });
    let made = admin.post(&list, &body).expect(201);
    let path = format!("{list}/{}", id(&made));
    for client in [app.advisor(), app.partner_user(id(&own)), app.partner_client(id(&own), &[Scope::RostersWrite])] {
        client.get(&list).problem(403, "forbidden");
        client.get(&path).problem(403, "forbidden");
        client.post(&list, &body).problem(403, "forbidden");
        client.delete(&path).problem(403, "forbidden");
        client.post(&format!("{path}/rotate"), &json!({})).problem(403, "forbidden");
    }
    app.anonymous().get(&list).problem(401, "unauthenticated");
    let elsewhere = format!("/v1/partners/{}/clients/{}", id(&other), id(&made));
    admin.get(&elsewhere).problem(404, "not-found");
    admin.delete(&elsewhere).problem(404, "not-found");
    admin.send("POST", &format!("{elsewhere}/rotate"), &[], b"").problem(404, "not-found");
    admin.get(&format!("/v1/partners/{}/clients", app.clock.new_id())).problem(404, "not-found");
    let repeated = json!({ "name": "A", "scopes": ["rosters:read", "rosters:read"] });
    admin.post(&list, &repeated).invalid(&["/scopes/1"]);
    admin.post(&list, &json!({ "name": "A", "scopes": ["everything"] })).invalid(&["/scopes/0"]);
    admin.post(&list, &json!({ "name": "A", "scopes": null })).invalid(&["/scopes"]);
    // The one that was made here, and the one that a caller above is.
    assert_eq!(admin.get(&list).json["items"].as_array().unwrap().len(), 2);
}
