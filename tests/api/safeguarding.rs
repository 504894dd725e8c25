//! Safeguarding flags: for advisors with the permission alone.

use diesel::prelude::*;
use life_rooms::db::Id;
use life_rooms::db::schema::audit_events;
use serde_json::{Value, json};

use crate::support::{Answer, App, Client, id, member_row, partner_row};

fn path(member: &str) -> String {
    format!("/v1/members/{member}/safeguarding")
}

fn flag() -> Value {
    json!({ "category": "exploitation", "summary": "A neighbour keeps her bank card.", "review_on": "2026-12-07" })
}

/// What an answer says, apart from what names the request.
fn said(answer: Answer) -> (u16, Value) {
    let mut problem = answer.json;
    for name in ["request_id", "instance"] {
        problem[name] = Value::Null;
    }
    (answer.status, problem)
}

fn kinds(app: &App, member: &str) -> Vec<(String, String)> {
    audit_events::table
        .filter(audit_events::member_id.eq(member.parse::<Id>().unwrap()))
        .order((audit_events::action, audit_events::resource_kind))
        .select((audit_events::action, audit_events::resource_kind))
        .load(&mut app.conn())
        .unwrap()
}

#[test]
fn who_lacks_the_permission_is_refused_the_same_whoever_the_member_is() {
    let app = App::start();
    let ann = member_row(&app, "Ann", "A");
    let lead = app.advisor_who_may("safeguarding");
    let raised = lead.post(&path(&ann), &flag());
    let (at, nobody) = (raised.header("location").to_owned(), app.clock.new_id().to_string());
    let partner = partner_row(&app, "the-reader");
    let others = [
        app.advisor(),
        app.advisor_who_may("subject_access"),
        app.admin(),
        app.analyst(),
        app.member(&ann),
        app.partner_user(&partner),
    ];
    for client in others {
        let each = |member: &str, one: &str| {
            [
                said(client.get(&path(member))),
                said(client.post(&path(member), &flag())),
                said(client.get(one)),
                said(client.patch(one, "\"1\"", &json!({ "status": "open" }))),
                // Before the body and the headers are looked at, too.
                said(client.post(&path(member), &json!({ "colour": 1 }))),
            ]
        };
        let flagged = each(&ann, &at);
        assert!(flagged.iter().all(|(status, _)| *status == 403), "{flagged:?}");
        assert_eq!(flagged, each(&nobody, &format!("{}/{nobody}", path(&nobody))));
    }
    // An admin who gives themself the permission is still no advisor.
    let admin = app.admin();
    let account = format!("/v1/users/{}", admin.id.unwrap());
    admin.patch(&account, "\"1\"", &json!({ "permissions": ["safeguarding", "subject_access"] })).expect(200);
    admin.get(&path(&ann)).problem(403, "forbidden");
    assert_eq!(lead.get(&path(&ann)).expect(200)["items"].as_array().unwrap().len(), 1);
}

#[test]
fn the_permission_counts_from_the_next_request_on_and_ends_so() {
    let app = App::start();
    let (ann, admin, advisor) = (member_row(&app, "Ann", "A"), app.admin(), app.advisor());
    let account = format!("/v1/users/{}", advisor.id.unwrap());
    advisor.get(&path(&ann)).problem(403, "forbidden");
    admin.patch(&account, "\"1\"", &json!({ "permissions": ["safeguarding"] })).expect(200);
    advisor.get(&path(&ann)).expect(200);
    let key = [("idempotency-key", "one")];
    advisor.post_with(&path(&ann), &key, &flag()).expect(201);
    admin.patch(&account, "\"2\"", &json!({ "permissions": [] })).expect(200);
    advisor.get(&path(&ann)).problem(403, "forbidden");
    // What was answered before isn't answered again either.
    advisor.post_with(&path(&ann), &key, &flag()).problem(403, "forbidden");
}

#[test]
fn a_flag_is_raised_read_changed_closed_and_opened_again() {
    let app = App::start();
    let (ann, lead) = (member_row(&app, "Ann", "A"), app.advisor_who_may("safeguarding"));
    let raised = lead.post(&path(&ann), &flag());
    let at = raised.header("location").to_owned();
    assert_eq!((raised.status, raised.etag(), raised.header("cache-control")), (201, "\"1\"", "no-store"));
    assert_eq!(
        raised.json,
        json!({
            "id": raised.id(), "member_id": ann, "category": "exploitation", "summary": "A neighbour keeps her bank card.",
            "raised_by": lead.id.unwrap(), "raised_on": "2026-11-23", "review_on": "2026-12-07", "status": "open",
            "closed_reason": null, "version": 1, "created_at": "2026-11-23T09:00:00Z", "updated_at": "2026-11-23T09:00:00Z"
        })
    );
    assert_eq!(lead.get(&at).expect(200), raised.json);
    lead.patch(&at, "", &json!({})).problem(428, "precondition-required");
    lead.patch(&at, "\"1\"", &json!({ "status": "closed" })).invalid(&["/closed_reason"]);
    lead.patch(&at, "\"1\"", &json!({ "closed_reason": "It is over." })).invalid(&["/closed_reason"]);
    lead.patch(&at, "\"1\"", &json!({ "review_on": "2026-11-22" })).invalid(&["/review_on"]);
    let closed = lead.patch(&at, "\"1\"", &json!({ "status": "closed", "closed_reason": "It is over." })).expect(200);
    assert_eq!((&closed["status"], &closed["version"]), (&json!("closed"), &json!(2)));
    let again = lead.patch(&at, "\"2\"", &json!({ "status": "closed" }));
    assert_eq!((again.etag(), &again.json), ("\"2\"", &closed));
    lead.patch(&at, "\"1\"", &json!({ "status": "open" })).problem(412, "precondition-failed");
    lead.patch(&at, "\"2\"", &json!({ "status": "open", "closed_reason": null })).expect(200);
    let event = |action: &str| (action.to_owned(), "safeguarding_flag".to_owned());
    let told = ["change", "change", "create", "read", "read"].map(event);
    assert_eq!(kinds(&app, &ann), told);
}

#[test]
fn flags_are_listed_a_page_at_a_time_and_belong_to_their_member() {
    let app = App::start();
    let (ann, bob) = (member_row(&app, "Ann", "A"), member_row(&app, "Bob", "B"));
    let lead = app.advisor_who_may("safeguarding");
    let raise = |member: &str| lead.post(&path(member), &flag()).expect(201);
    let (first, other) = (raise(&ann), raise(&bob));
    app.at("2026-11-23T09:01:00Z");
    let second = raise(&ann);
    let page = lead.get(&format!("{}?limit=1", path(&ann))).expect(200);
    assert_eq!(page["items"], json!([first]));
    let rest = lead.get(page["next"].as_str().unwrap()).expect(200);
    assert_eq!((&rest["items"], &rest["next"]), (&json!([second]), &Value::Null));
    let strange = format!("{}/{}", path(&ann), id(&other));
    lead.get(&strange).problem(404, "not-found");
    lead.patch(&strange, "\"1\"", &json!({})).problem(404, "not-found");
    let nobody = path(&app.clock.new_id().to_string());
    lead.get(&nobody).problem(404, "not-found");
    lead.post(&nobody, &flag()).problem(404, "not-found");
    let wrong = json!({ "category": "gossip", "summary": " ", "raised_on": "2026-11-24", "review_on": "soon" });
    lead.post(&path(&ann), &wrong).invalid(&["/category", "/summary", "/review_on"]);
    let early = json!({ "category": "abuse", "summary": "x", "raised_on": "2026-11-24", "review_on": "2026-11-23" });
    lead.post(&path(&ann), &early).invalid(&["/raised_on", "/review_on"]);
}

#[test]
fn a_flag_shows_nowhere_else() {
    let app = App::start();
    let ann = member_row(&app, "Ann", "A");
    let (advisor, own, lead) = (app.advisor(), app.member(&ann), app.advisor_who_may("safeguarding"));
    let look = |client: &Client| {
        let paths =
            ["", "/consents", "/relationships", "/access-needs", "/equality-monitoring", "/bookings", "/prescriptions"];
        paths.map(|tail| client.get(&format!("/v1/members/{ann}{tail}"))).map(|answer| (answer.status, answer.text))
    };
    let found = || advisor.post("/v1/members/search", &json!({ "name": "ann" })).text;
    let before = (look(&advisor), look(&own), look(&lead), found());
    lead.post(&path(&ann), &flag()).expect(201);
    assert_eq!((look(&advisor), look(&own), look(&lead), found()), before);
}

#[test]
fn raising_a_flag_again_with_its_key_stays_out_of_the_access_log() {
    let app = App::start();
    let ann = member_row(&app, "Ann", "A");
    let (own, lead) = (app.member(&ann), app.advisor_who_may("safeguarding"));
    let key = [("idempotency-key", "one")];
    let raise = || lead.post_with(&path(&ann), &key, &flag());
    let first = raise().expect(201);
    let again = raise();
    assert_eq!((again.header("idempotent-replay"), &again.json), ("true", &first));
    let event = |action: &str| (action.to_owned(), "safeguarding_flag".to_owned());
    assert_eq!(kinds(&app, &ann), [event("create"), event("read")]);
    assert_eq!(own.get(&format!("/v1/members/{ann}/access-log")).expect(200)["items"], json!([]));
}

#[test]
fn days_are_those_of_london_in_summer_too() {
    let app = App::start();
    let (ann, lead) = (member_row(&app, "Ann", "A"), app.advisor_who_may("safeguarding"));
    app.at("2027-06-22T23:30:00Z");
    let raise = |raised_on: Value| {
        let body = json!({ "category": "abuse", "summary": "x", "raised_on": raised_on, "review_on": "2027-07-01" });
        lead.post(&path(&ann), &body)
    };
    assert_eq!(raise(Value::Null).expect(201)["raised_on"], "2027-06-23");
    raise(json!("2027-06-23")).expect(201);
    raise(json!("2027-06-24")).invalid(&["/raised_on"]);
}
