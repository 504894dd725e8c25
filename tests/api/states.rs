//! One tag for one state: what a write answers is what can be read at its `Location`, under the same `ETag`.

use diesel::prelude::*;
use life_rooms::db::Id;
use life_rooms::db::schema::{audit_events, users};
use serde_json::{Value, json};

use crate::support::{App, Client, SessionSeed, id, member_row, partner_row, prescription, session_row, venue};

/// Creates something, and reads it at its `Location`: with the same tag, which a GET knows again.
#[track_caller]
fn created(client: &Client, path: &str, body: &Value) -> (String, String) {
    let made = client.post(path, body);
    assert_eq!(made.status, 201, "{path}: {}", made.text);
    let location = made.header("location").to_owned();
    same(client, &location, made.etag());
    (location, made.etag().to_owned())
}

#[track_caller]
fn same(client: &Client, location: &str, tag: &str) {
    let read = client.get(location);
    assert_eq!((read.status, read.etag()), (200, tag), "{location}: {}", read.text);
    assert_eq!(client.send("GET", location, &[("if-none-match", tag)], b"").status, 304, "{location}");
}

/// Changes something by the tag that was read, and reads it again under the tag of the answer.
#[track_caller]
fn changed(client: &Client, path: &str, body: &Value) {
    let stale = client.patch(path, "\"1-foo\"", body);
    stale.problem(412, "precondition-failed");
    let answer = client.patch(path, client.get(path).etag(), body);
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    same(client, path, answer.etag());
}

#[test]
fn whatever_is_created_or_changed_is_read_again_under_its_tag() {
    let app = App::start();
    let (admin, advisor) = (app.admin(), app.advisor());
    let place = venue(&admin, "walton", "Liverpool");
    let venue_body = json!({ "slug": "bootle", "name": "Bootle", "kind": "library", "local_authority": "Sefton" });
    let (path, _) = created(&admin, "/v1/venues", &venue_body);
    changed(&admin, &path, &json!({ "name": "Other" }));
    let (path, _) = created(&admin, &format!("{path}/spaces"), &json!({ "name": "Hall" }));
    changed(&admin, &path, &json!({ "name": "Other" }));
    let (path, _) = created(&admin, "/v1/sites", &json!({ "slug": "walton", "name": "Walton" }));
    changed(&admin, &path, &json!({ "name": "Other" }));
    let hosting = json!({ "venue_id": place["id"], "starts_on": "2026-01-01" });
    let (path, _) = created(&admin, &format!("{path}/hostings"), &hosting);
    changed(&admin, &path, &json!({ "ends_on": "2026-12-31" }));
    let contact = json!({ "name": "Jo" });
    let body = json!({ "slug": "reader", "name": "Reader", "kind": "charity", "contact": contact });
    let (partner, _) = created(&admin, "/v1/partners", &body);
    changed(&admin, &partner, &json!({ "name": "The Reader" }));
    // Without the contact it is another answer.
    assert_ne!(app.anonymous().get(&partner).etag(), admin.get(&partner).etag());
    let (path, _) = created(&admin, &format!("{partner}/programmes"), &json!({ "slug": "r", "name": "R" }));
    changed(&admin, &path, &json!({ "name": "Other" }));
    created(&admin, &format!("{partner}/clients"), &json!({ "name": "c", "scopes": [] }));
    let (path, _) = created(
        &admin,
        "/v1/users",
        &json!({ "email": "a@example.org", "role": "advisor", "display_name": "Dana P." }),
    );
    changed(&admin, &path, &json!({ "disabled": true }));
    let ann = member_row(&app, "Ann", "A");
    let member = json!({ "given_name": "Bea", "family_name": "B", "roles": ["service_user"] });
    let (path, _) = created(&advisor, "/v1/members", &member);
    changed(&advisor, &path, &json!({ "family_name": "C" }));
    let consent = json!({ "purpose": "research", "decision": "given", "evidence": "Said so" });
    created(&advisor, &format!("/v1/members/{ann}/consents"), &consent);
    created(&advisor, &format!("/v1/members/{ann}/calendar-links"), &json!({}));
    let plan = json!({ "member_id": ann, "origin": "advisor", "needs": [], "items": [] });
    let (plan, _) = created(&advisor, "/v1/prescriptions", &plan);
    changed(&advisor, &plan, &json!({ "what_matters": "People" }));
    let (item, _) = created(&advisor, &format!("{plan}/items"), &json!({ "kind": "advice" }));
    changed(&advisor, &item, &json!({ "goal": "Walk" }));
}

#[test]
fn sessions_series_bookings_and_registers_have_one_tag_for_one_state() {
    let app = App::start();
    let (admin, advisor) = (app.admin(), app.advisor());
    let place = venue(&admin, "walton", "Liverpool");
    let body = json!({ "title": "Choir", "pillar": "community", "delivery": "in_person", "venue_id": place["id"],
        "local_start": "2027-02-02T13:00:00", "time_zone": "Europe/London", "duration_minutes": 60, "capacity": 1 });
    let (path, tag) = created(&advisor, "/v1/sessions", &body);
    // A session alone is known by the first part: bookings move the rest.
    let first = format!("{}-other\"", tag.split('-').next().unwrap());
    let answer = advisor.patch(&path, &first, &json!({ "title": "Quire" }));
    assert_eq!(answer.status, 200, "{}", answer.text);
    same(&advisor, &path, answer.etag());
    advisor.patch(&path, "\"1-foo\"", &json!({ "title": "B" })).problem(412, "precondition-failed");
    let mut series = body.clone();
    series["recurrence"] = "FREQ=WEEKLY;COUNT=2".into();
    let (series, _) = created(&advisor, "/v1/session-series", &series);
    changed(&advisor, &series, &json!({ "title": "Quire" }));
    // The public isn't shown what was skipped, so its tag is another. The answer says which tag would do.
    let public = app.anonymous().get(&series).etag().to_owned();
    let other = advisor.patch(&series, &public, &json!({ "title": "B" })).problem(412, "precondition-failed");
    let detail = other["detail"].as_str().unwrap();
    assert!(detail.contains("Get it again with your own token") && detail.ends_with("If-Match: \"2\"."), "{detail}");
    let stale = advisor.patch(&series, "\"1\"", &json!({ "title": "B" })).problem(412, "precondition-failed");
    assert!(stale["detail"].as_str().unwrap().starts_with("It has changed: its ETag is now \"2-"), "{stale}");
    assert_eq!(advisor.patch(&series, "\"2\"", &json!({ "title": "Choir" })).status, 200);
    let (ann, bea) = (member_row(&app, "Ann", "A"), member_row(&app, "Bea", "B"));
    let bookings = format!("{path}/bookings");
    created(&advisor, &bookings, &json!({ "member_id": ann }));
    let (waiting, tag) = created(&advisor, &bookings, &json!({ "member_id": bea, "if_full": "wait" }));
    let delete = |tag: &str| advisor.send("DELETE", &waiting, &[("if-match", tag)], b"");
    delete("\"1-foo\"").problem(412, "precondition-failed");
    let cancelled = delete(&tag);
    assert_eq!(cancelled.status, 200, "{}", cancelled.text);
    same(&advisor, &waiting, cancelled.etag());
    let past = session_row(&app, SessionSeed { starts_at: "2026-11-23T08:00:00Z", ..SessionSeed::default() });
    let register = format!("/v1/sessions/{past}/register");
    let headcount = json!({ "beneficiaries": 3, "family": 0, "carers": 0 });
    let heads = json!({ "bookings": [], "walk_ins": [], "headcount": headcount });
    advisor.put(&register, "\"0-foo\"", &heads).problem(412, "precondition-failed");
    let taken = advisor.put(&register, advisor.get(&register).etag(), &heads);
    assert_eq!(taken.status, 200, "{}", taken.text);
    same(&advisor, &register, taken.etag());
}

#[test]
fn what_is_a_members_is_read_as_its_neighbours_are() {
    let app = App::start();
    let advisor = app.advisor();
    let (ann, bea) = (member_row(&app, "Ann", "A"), member_row(&app, "Bea", "B"));
    let consent = json!({ "purpose": "research", "decision": "given", "evidence": "Said so" });
    let (own, other) = (app.member(&ann), app.member(&bea));
    let (consent, _) = created(&own, &format!("/v1/members/{ann}/consents"), &consent);
    let (link, _) = created(&own, &format!("/v1/members/{ann}/calendar-links"), &json!({}));
    let plan = prescription(&advisor, &ann);
    let item = format!("/v1/prescriptions/{}/items/{}", id(&plan), id(&plan["items"][0]));
    for path in [&consent, &link, &item] {
        app.anonymous().get(path).problem(401, "unauthenticated");
        app.analyst().get(path).problem(403, "forbidden");
        other.get(path).problem(404, "not-found");
        own.get(path).expect(200);
        advisor.get(path).expect(200);
    }
    advisor.get(&consent.replace(&ann, &bea)).problem(404, "not-found");
    assert!(!advisor.get(&link).text.contains(".ics"), "the address is shown once");
    let mut kinds: Vec<String> = audit_events::table
        .filter(audit_events::member_id.eq(ann.parse::<Id>().unwrap()).and(audit_events::action.eq("read")))
        .select(audit_events::resource_kind)
        .load(&mut app.conn())
        .unwrap();
    kinds.sort();
    assert_eq!(kinds, ["calendar_link", "calendar_link", "consent", "prescription_item"]);
}

/// Two of everything that lists of a member show.
fn fill(app: &App, advisor: &Client, member: &str) {
    for number in 0..2 {
        let session = session_row(app, SessionSeed::default());
        advisor.post(&format!("/v1/sessions/{session}/bookings"), &json!({ "member_id": member })).expect(201);
        let consent = json!({ "purpose": "research", "decision": "given", "evidence": "Said so" });
        advisor.post(&format!("/v1/members/{member}/consents"), &consent).expect(201);
        let link = json!({ "name": format!("Phone {number}") });
        advisor.post(&format!("/v1/members/{member}/calendar-links"), &link).expect(201);
        prescription(advisor, member);
        let carer = member_row(app, "Cara", &format!("Carr-{number}"));
        let cares = json!({ "from_member": carer, "to_member": member, "kind": "carer_of" });
        advisor.post(&format!("/v1/members/{member}/relationships"), &cares).expect(201);
    }
}

#[test]
fn reading_any_list_of_a_members_leaves_one_event_however_much_it_holds() {
    let app = App::start();
    let ann = member_row(&app, "Ann", "A");
    let reads = || {
        let of_ann = audit_events::table.filter(audit_events::member_id.eq(ann.parse::<Id>().unwrap()));
        of_ann.filter(audit_events::action.eq("read")).count().get_result::<i64>(&mut app.conn()).unwrap()
    };
    let (advisor, own) = (app.advisor(), app.member(&ann));
    let lists = ["consents", "calendar-links", "bookings", "prescriptions", "relationships"]
        .map(|list| format!("/v1/members/{ann}/{list}"));
    let lists = lists.into_iter().chain([format!("/v1/prescriptions?member_id={ann}")]);
    let lists: Vec<String> = lists.collect();
    for list in &lists {
        assert_eq!(advisor.get(list).expect(200)["items"], json!([]), "{list}");
    }
    assert_eq!(reads(), 0, "whoever saw nothing leaves nothing");
    fill(&app, &advisor, &ann);
    for (index, list) in (1..).zip(&lists) {
        assert!(advisor.get(list).expect(200)["items"].as_array().unwrap().len() > 1, "{list}");
        assert_eq!(reads(), index, "{list}");
        own.get(list).expect(200);
        assert_eq!(reads(), index, "{list}: one's own");
    }
}

#[test]
fn an_answer_is_not_given_again_to_an_account_that_was_moved() {
    let app = App::start();
    let (reader, mencap) = (partner_row(&app, "reader"), partner_row(&app, "mencap"));
    let client = app.partner_user(&reader);
    let key = [("idempotency-key", "one")];
    let body = json!({ "slug": "shared", "name": "Shared" });
    let path = format!("/v1/partners/{reader}/programmes");
    client.post_with(&path, &key, &body).expect(201);
    assert_eq!(client.post_with(&path, &key, &body).header("idempotent-replay"), "true");
    let moved = diesel::update(users::table.find(client.id.unwrap()));
    moved.set(users::partner_id.eq(mencap.parse::<Id>().unwrap())).execute(&mut app.conn()).unwrap();
    client.post_with(&path, &key, &body).problem(404, "not-found");
}
