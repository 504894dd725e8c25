//! Prescriptions: writing them, their items, and what may become of both.

use diesel::prelude::*;
use life_rooms::db::schema::{audit_events, partners, programmes, session_series, sites};
use life_rooms::db::{Id, Json};
use serde_json::{Value, json};

use crate::support::{App, Client, id, member, prescription, put_sessions};

/// Things to point at, straight into the database.
pub struct Targets {
    pub site: Id,
    pub partner: Id,
    pub programme: Id,
    pub series: Id,
    pub draft_series: Id,
    pub session: Id,
    pub draft_session: Id,
}

pub fn targets(app: &App) -> Targets {
    let mut conn = app.conn();
    let (partner, programme, site) = (app.clock.new_id(), app.clock.new_id(), app.clock.new_id());
    let now = app.clock.now();
    diesel::insert_into(partners::table)
        .values((
            partners::id.eq(partner),
            partners::slug.eq("the-reader"),
            partners::name.eq("The Reader"),
            partners::kind.eq("charity"),
            partners::status.eq("active"),
            partners::roster_version.eq(0),
            partners::version.eq(1),
            partners::created_at.eq(now),
            partners::updated_at.eq(now),
        ))
        .execute(&mut conn)
        .unwrap();
    diesel::insert_into(programmes::table)
        .values((
            programmes::id.eq(programme),
            programmes::partner_id.eq(partner),
            programmes::slug.eq("shared-reading"),
            programmes::name.eq("Shared Reading"),
            programmes::version.eq(1),
            programmes::created_at.eq(now),
            programmes::updated_at.eq(now),
        ))
        .execute(&mut conn)
        .unwrap();
    diesel::insert_into(sites::table)
        .values((
            sites::id.eq(site),
            sites::slug.eq("walton"),
            sites::name.eq("Walton"),
            sites::version.eq(1),
            sites::created_at.eq(now),
            sites::updated_at.eq(now),
        ))
        .execute(&mut conn)
        .unwrap();
    Targets {
        site,
        partner,
        programme,
        series: series(app, "published"),
        draft_series: series(app, "draft"),
        session: session(app, "published"),
        draft_session: session(app, "draft"),
    }
}

pub fn series(app: &App, publication: &str) -> Id {
    let (id, now, none) = (app.clock.new_id(), app.clock.now(), Json(Vec::<String>::new()));
    diesel::insert_into(session_series::table)
        .values((
            session_series::id.eq(id),
            session_series::title.eq("Shared Reading"),
            session_series::pillar.eq("community"),
            session_series::topics.eq(none.clone()),
            session_series::delivery.eq("online"),
            session_series::accessibility.eq(none.clone()),
            session_series::booking_policy.eq("bookable"),
            session_series::local_start.eq("2027-01-05T13:00:00"),
            session_series::time_zone.eq("Europe/London"),
            session_series::duration_minutes.eq(90),
            session_series::recurrence.eq("FREQ=WEEKLY;COUNT=2"),
            session_series::excluded.eq(none.clone()),
            session_series::additional.eq(none),
            session_series::publication.eq(publication),
            session_series::status.eq("active"),
            session_series::version.eq(1),
            session_series::created_at.eq(now),
            session_series::updated_at.eq(now),
        ))
        .execute(&mut app.conn())
        .unwrap();
    id
}

fn session(app: &App, publication: &str) -> Id {
    let id = app.clock.new_id();
    let written = json!({
        "title": "Reading", "pillar": "community", "delivery": "online", "publication": publication,
        "local_start": "2027-01-05T13:00:00", "time_zone": "Europe/London", "duration_minutes": 90
    });
    put_sessions(&mut app.conn(), [(id, written)], app.clock.now());
    id
}

pub fn path(prescription: &Value) -> String {
    format!("/v1/prescriptions/{}", id(prescription))
}

/// How many events of each action there are about a member's prescriptions.
fn events(app: &App, member: &Value) -> Vec<String> {
    let member: Id = id(member).parse().unwrap();
    let about = audit_events::table
        .filter(audit_events::member_id.eq(member))
        .filter(audit_events::resource_kind.eq_any(["prescription", "prescription_item"]));
    let mut actions: Vec<String> = about.select(audit_events::action).load(&mut app.conn()).unwrap();
    actions.sort();
    actions
}

pub fn do_to(client: &Client, prescription: &Value, verb: &str) -> crate::support::Answer {
    client.send("POST", &format!("{}/{verb}", path(prescription)), &[], b"")
}

#[test]
fn an_advisor_writes_a_prescription_and_activates_it() {
    let app = App::start();
    let (advisor, at) = (app.advisor(), targets(&app));
    let known = member(&advisor, "Ann", "Own");
    let body = json!({
        "member_id": id(&known), "origin": "gp", "site_id": at.site, "what_matters": "Company",
        "needs": [{ "domain": "loneliness", "severity": 4, "note": "Alone since May" }, { "domain": "debt" }],
        "items": [
            { "kind": "series", "target_id": at.series, "need": "loneliness", "goal": "Every Tuesday" },
            { "kind": "session", "target_id": at.draft_session },
            { "kind": "programme", "target_id": at.programme },
            { "kind": "partner", "target_id": at.partner, "note": "Ask for Jo" },
            { "kind": "advice", "need": "debt" }
        ],
        "review_on": "2027-02-01"
    });
    let created = advisor.post("/v1/prescriptions", &body);
    assert_eq!(created.status, 201, "{}", created.text);
    assert_eq!(created.header("location"), path(&created.json));
    let draft = &created.json;
    assert_eq!((&draft["status"], &draft["version"]), (&json!("draft"), &json!(1)));
    assert_eq!(draft["advisor_id"], advisor.id.unwrap().to_string());
    assert_eq!(draft["needs"][0], json!({ "domain": "loneliness", "severity": 4, "note": "Alone since May" }));
    let items = draft["items"].as_array().unwrap();
    let targets: Vec<&Value> = items.iter().map(|item| &item["target_id"]).collect();
    assert_eq!(json!(targets), json!([at.series, at.draft_session, at.programme, at.partner, null]));
    let statuses: Vec<&Value> = items.iter().map(|item| &item["status"]).collect();
    assert_eq!(json!(statuses), json!(["proposed", "proposed", "proposed", "requested", "proposed"]));
    assert_eq!(draft["developed_on"], Value::Null);

    let active = do_to(&advisor, draft, "activate");
    assert_eq!((active.status, active.etag()), (200, "\"2\""), "{}", active.text);
    assert_eq!((&active.json["status"], &active.json["developed_on"]), (&json!("active"), &json!("2026-11-23")));
    let read = advisor.get(&path(draft));
    assert_eq!(read.json, active.json);
    assert_eq!((read.etag(), read.header("cache-control")), ("\"2\"", "no-store"));
    assert_eq!(events(&app, &known), ["activate", "create", "read"]);
}

#[test]
fn a_prescription_is_developed_on_the_london_day_or_the_earlier_one_an_advisor_gives() {
    let app = App::start();
    let advisor = app.advisor();
    let known = member(&advisor, "Ann", "Own");
    app.at("2027-06-30T23:30:00Z");
    let late = prescription(&advisor, id(&known));
    assert_eq!(do_to(&advisor, &late, "activate").expect(200)["developed_on"], "2027-07-01");
    let body = json!({ "member_id": id(&known), "origin": "advisor", "developed_on": "2027-06-01" });
    let early = advisor.post("/v1/prescriptions", &body).expect(201);
    assert_eq!(do_to(&advisor, &early, "activate").expect(200)["developed_on"], "2027-06-01");
    let future = json!({ "member_id": id(&known), "origin": "advisor", "developed_on": "2027-07-02" });
    advisor.post("/v1/prescriptions", &future).invalid(&["/developed_on"]);
    let change = json!({ "developed_on": "2027-07-02" });
    advisor.patch(&path(&early), "\"2\"", &change).invalid(&["/developed_on"]);
    advisor.patch(&path(&early), "\"2\"", &json!({ "developed_on": null })).invalid(&["/developed_on"]);
    let changed = advisor.patch(&path(&early), "\"2\"", &json!({ "developed_on": "2027-05-01" })).expect(200);
    assert_eq!(changed["developed_on"], "2027-05-01");
    let later =
        advisor.patch(&path(&early), "\"3\"", &json!({ "developed_on": "2027-05-02" })).invalid(&["/developed_on"]);
    assert_eq!(later["errors"][0]["code"], "too_late");
}

#[test]
fn every_fault_of_a_prescription_is_named_at_once() {
    let app = App::start();
    let (advisor, at) = (app.advisor(), targets(&app));
    let shape = json!({
        "origin": "nobody", "needs": [{ "domain": "money", "severity": 6 }], "items": [{ "kind": "cake", "status": "completed" }],
        "status": "active"
    });
    advisor.post("/v1/prescriptions", &shape).invalid(&[
        "/member_id",
        "/origin",
        "/needs/0/domain",
        "/needs/0/severity",
        "/items/0/kind",
        "/items/0/status",
        "/status",
    ]);
    let unknown = app.clock.new_id();
    let rules = json!({
        "member_id": unknown, "origin": "advisor", "site_id": unknown,
        "needs": [{ "domain": "debt" }, { "domain": "debt" }],
        "items": [
            { "kind": "series", "target_id": at.session }, { "kind": "session", "target_id": at.series },
            { "kind": "partner" }, { "kind": "advice", "target_id": at.partner }, { "kind": "advice", "need": "housing" },
            { "kind": "programme", "target_id": at.partner }
        ]
    });
    let problem = advisor.post("/v1/prescriptions", &rules).invalid(&[
        "/member_id",
        "/site_id",
        "/needs/1/domain",
        "/items/0/target_id",
        "/items/1/target_id",
        "/items/2/target_id",
        "/items/3/target_id",
        "/items/4/need",
        "/items/5/target_id",
    ]);
    let code = |pointer: &str| {
        let faults = problem["errors"].as_array().unwrap();
        faults.iter().find(|fault| fault["pointer"] == pointer).unwrap()["code"].as_str().unwrap().to_owned()
    };
    assert_eq!((code("/member_id"), code("/site_id")), ("unknown_member".into(), "unknown_site".into()));
    assert_eq!(code("/items/0/target_id"), "unknown_series");
    let many = vec![json!({ "kind": "advice" }); 51];
    let body = json!({ "member_id": unknown, "origin": "advisor", "items": many });
    advisor.post("/v1/prescriptions", &body).invalid(&["/items"]);
    assert_eq!(advisor.get("/v1/prescriptions").expect(200), json!({ "items": [], "next": null }));
}

#[test]
fn a_member_writes_their_own_and_no_other() {
    let app = App::start();
    let (advisor, at) = (app.advisor(), targets(&app));
    let (mine, other) = (member(&advisor, "Ann", "Own"), member(&advisor, "Bob", "Other"));
    let own = app.member(id(&mine));
    let body =
        json!({ "member_id": id(&mine), "origin": "self", "items": [{ "kind": "series", "target_id": at.series }] });
    let draft = own.post("/v1/prescriptions", &body).expect(201);
    assert_eq!((&draft["advisor_id"], &draft["origin"]), (&Value::Null, &json!("self")));
    let wrong = json!({
        "member_id": id(&other), "origin": "advisor", "developed_on": "2026-11-01",
        "items": [{ "kind": "series", "target_id": at.draft_series }, { "kind": "session", "target_id": at.draft_session }]
    });
    let pointers = ["/member_id", "/origin", "/developed_on", "/items/0/target_id", "/items/1/target_id"];
    own.post("/v1/prescriptions", &wrong).invalid(&pointers);
    let change = json!({ "developed_on": "2026-11-01" });
    assert_eq!(
        own.patch(&path(&draft), "\"1\"", &change).invalid(&["/developed_on"])["errors"][0]["code"],
        "not_yours"
    );
    let active = do_to(&own, &draft, "activate").expect(200);
    assert_eq!((&active["status"], &active["developed_on"]), (&json!("active"), &json!("2026-11-23")));
    let item = json!({ "kind": "session", "target_id": at.draft_session });
    own.post(&format!("{}/items", path(&draft)), &item).invalid(&["/target_id"]);
    let item = json!({ "kind": "session", "target_id": at.session });
    own.post(&format!("{}/items", path(&draft)), &item).expect(201);
    own.get(&path(&draft)).expect(200);
    assert!(!events(&app, &mine).contains(&"read".to_owned()));

    let theirs = prescription(&advisor, id(&other));
    let item = format!("{}/items/{}", path(&theirs), id(&theirs["items"][0]));
    own.get(&path(&theirs)).problem(404, "not-found");
    own.patch(&path(&theirs), "\"1\"", &json!({})).problem(404, "not-found");
    own.delete(&path(&theirs)).problem(404, "not-found");
    own.patch(&item, "\"1\"", &json!({ "status": "accepted" })).problem(404, "not-found");
    own.post(&format!("{}/items", path(&theirs)), &json!({ "kind": "advice" })).problem(404, "not-found");
    for verb in ["activate", "complete", "close", "decline"] {
        do_to(&own, &theirs, verb).problem(404, "not-found");
    }
    assert_eq!(advisor.get(&path(&theirs)).expect(200), theirs);
}

#[test]
fn only_members_and_advisors_come_near_a_prescription() {
    let app = App::start();
    let (advisor, at) = (app.advisor(), targets(&app));
    let known = member(&advisor, "Ann", "Own");
    let draft = prescription(&advisor, id(&known));
    let partner = app.partner_user(&at.partner.to_string());
    for client in [app.admin(), app.analyst(), partner] {
        client.get("/v1/prescriptions").problem(403, "forbidden");
        client.post("/v1/prescriptions", &json!({})).problem(403, "forbidden");
        client.get(&path(&draft)).problem(403, "forbidden");
        client.delete(&path(&draft)).problem(403, "forbidden");
        do_to(&client, &draft, "activate").problem(403, "forbidden");
        client.post(&format!("{}/items", path(&draft)), &json!({ "kind": "advice" })).problem(403, "forbidden");
    }
    app.anonymous().get(&path(&draft)).problem(401, "unauthenticated");
    do_to(&app.anonymous(), &draft, "close").problem(401, "unauthenticated");
    advisor.get(&format!("/v1/prescriptions/{}", app.clock.new_id())).problem(404, "not-found");
}

#[test]
fn a_list_shows_an_advisor_all_and_a_member_their_own_and_is_audited_for_each_person() {
    let app = App::start();
    let advisor = app.advisor();
    let (ann, bob) = (member(&advisor, "Ann", "Own"), member(&advisor, "Bob", "Other"));
    for (minute, person) in [&ann, &bob, &ann, &ann].into_iter().enumerate() {
        app.at(&format!("2026-11-23T10:0{minute}:00Z"));
        prescription(&advisor, id(person));
    }
    let ids =
        |answer: &Value| answer["items"].as_array().unwrap().iter().map(|item| item["id"].clone()).collect::<Vec<_>>();
    let first = advisor.get("/v1/prescriptions?limit=1").expect(200);
    assert_eq!((events(&app, &ann).len(), events(&app, &bob).len()), (4, 1), "the next page is nobody's yet");
    let second = advisor.get(first["next"].as_str().unwrap()).expect(200);
    assert_eq!(second["items"][0]["member_id"], bob["id"]);
    let all = advisor.get("/v1/prescriptions").expect(200);
    assert_eq!(ids(&all).len(), 4);
    assert_eq!(events(&app, &ann).iter().filter(|action| *action == "list").count(), 2);
    let filtered = advisor.get(&format!("/v1/prescriptions?member_id={}&status=draft", id(&bob))).expect(200);
    assert_eq!(filtered["items"], json!([all["items"][1]]));
    assert_eq!(advisor.get("/v1/prescriptions?status=active").expect(200)["items"], json!([]));
    let own = app.member(id(&ann));
    let mine = own.get("/v1/prescriptions").expect(200);
    assert_eq!(ids(&mine).len(), 3);
    assert_eq!(own.get(&format!("/v1/members/{}/prescriptions", id(&ann))).expect(200)["items"], mine["items"]);
    let theirs = advisor.get(&format!("/v1/members/{}/prescriptions", id(&ann))).expect(200);
    assert_eq!(ids(&theirs), ids(&mine));
    let names_advisor = |list: &Value| list["items"][0]["advisor_id"].is_string();
    assert!(names_advisor(&theirs) && !names_advisor(&mine));
    assert_eq!(own.get(&format!("/v1/prescriptions?member_id={}", id(&bob))).expect(200)["items"], json!([]));
    own.get(first["next"].as_str().unwrap()).wrong_parameter("cursor");
    advisor.get("/v1/prescriptions?status=lost").wrong_parameter("status");
    advisor.get("/v1/prescriptions?member_id=1").wrong_parameter("member_id");
}

#[test]
fn a_change_merges_and_a_need_in_use_stays() {
    let app = App::start();
    let (advisor, at) = (app.advisor(), targets(&app));
    let known = member(&advisor, "Ann", "Own");
    let draft = prescription(&advisor, id(&known));
    let path = path(&draft);
    advisor.patch(&path, "", &json!({})).problem(428, "precondition-required");
    advisor.patch(&path, "\"9\"", &json!({})).problem(412, "precondition-failed");
    advisor.patch(&path, "\"1\"", &json!({ "member_id": id(&known) })).invalid(&["/member_id"]);
    advisor.patch(&path, "\"1\"", &json!({ "needs": [{ "domain": "debt" }] })).invalid(&["/needs"]);
    advisor.patch(&path, "\"1\"", &json!({ "site_id": app.clock.new_id() })).invalid(&["/site_id"]);
    let change = json!({
        "site_id": at.site, "what_matters": "Peace",
        "needs": [{ "domain": "housing", "severity": 1 }, { "domain": "loneliness" }]
    });
    let changed = advisor.patch(&path, "\"1\"", &change).expect(200);
    let needs = json!([
        { "domain": "housing", "severity": 1, "note": null }, { "domain": "loneliness", "severity": null, "note": null }
    ]);
    assert_eq!((&changed["needs"], &changed["version"]), (&needs, &json!(2)));
    assert_eq!(advisor.get(&path).expect(200), changed);
    let cleared = advisor.patch(&path, "\"2\"", &json!({ "what_matters": null })).expect(200);
    assert_eq!((&cleared["what_matters"], &cleared["site_id"]), (&Value::Null, &json!(at.site)));
}

#[test]
fn a_prescription_goes_only_where_its_state_allows() {
    let app = App::start();
    let advisor = app.advisor();
    let known = member(&advisor, "Ann", "Own");
    let fresh = || prescription(&advisor, id(&known));
    let draft = fresh();
    for verb in ["complete", "close"] {
        let problem = do_to(&advisor, &draft, verb).problem(409, "invalid-state");
        assert!(problem["detail"].as_str().unwrap().contains("draft"), "{problem}");
    }
    let ended = [
        (vec!["decline"], "declined"),
        (vec!["activate", "decline"], "declined"),
        (vec!["activate", "close"], "closed_early"),
        (vec!["activate", "complete"], "completed"),
    ];
    for (verbs, status) in ended {
        let mut now = fresh();
        for verb in verbs {
            now = do_to(&advisor, &now, verb).expect(200);
        }
        assert_eq!(now["status"], status);
        for verb in ["activate", "complete", "close", "decline"] {
            let problem = do_to(&advisor, &now, verb).problem(409, "invalid-state");
            assert!(problem["detail"].as_str().unwrap().contains(status), "{problem}");
        }
        let etag = format!("\"{}\"", now["version"]);
        advisor.patch(&path(&now), &etag, &json!({ "what_matters": "x" })).problem(409, "invalid-state");
        advisor.post(&format!("{}/items", path(&now)), &json!({ "kind": "advice" })).problem(409, "invalid-state");
        let item = format!("{}/items/{}", path(&now), id(&now["items"][0]));
        advisor.patch(&item, "\"1\"", &json!({ "status": "accepted" })).problem(409, "invalid-state");
        advisor.delete(&path(&now)).problem(409, "invalid-state");
        assert_eq!(advisor.get(&path(&now)).expect(200), now);
    }
}

#[test]
fn an_ending_may_say_why_and_an_action_may_say_which_version() {
    let app = App::start();
    let advisor = app.advisor();
    let known = member(&advisor, "Ann", "Own");
    let draft = prescription(&advisor, id(&known));
    let decline = format!("{}/decline", path(&draft));
    advisor.post(&decline, &json!({ "reason": "" })).invalid(&["/reason"]);
    advisor.post(&decline, &json!({ "why": "x" })).invalid(&["/why"]);
    advisor.send("POST", &decline, &[("content-type", "text/plain")], b"no").problem(415, "unsupported-media-type");
    advisor.post_with(&decline, &[("if-match", "\"4\"")], &json!({})).problem(412, "precondition-failed");
    let declined =
        advisor.post_with(&decline, &[("if-match", "\"1\"")], &json!({ "reason": "Moved away" })).expect(200);
    assert_eq!((&declined["status"], &declined["status_reason"]), (&json!("declined"), &json!("Moved away")));
    let other = prescription(&advisor, id(&known));
    let activate = format!("{}/activate", path(&other));
    let key = [("idempotency-key", "once")];
    let first = advisor.send("POST", &activate, &key, b"").expect(200);
    assert_eq!(advisor.send("POST", &activate, &key, b"").expect(200), first);
    assert_eq!(advisor.post(&format!("{}/close", path(&other)), &Value::Null).expect(200)["status"], "closed_early");
}

#[test]
fn a_draft_is_deleted_with_what_hangs_on_it() {
    let app = App::start();
    let advisor = app.advisor();
    let known = member(&advisor, "Ann", "Own");
    let draft = prescription(&advisor, id(&known));
    advisor.send("DELETE", &path(&draft), &[("if-match", "\"2\"")], b"").problem(412, "precondition-failed");
    assert_eq!(advisor.delete(&path(&draft)).status, 204);
    advisor.get(&path(&draft)).problem(404, "not-found");
    assert_eq!(events(&app, &known), ["create", "delete"]);
}

#[test]
fn of_many_who_activate_at_once_one_does() {
    let app = App::start();
    let advisor = app.advisor();
    let known = member(&advisor, "Ann", "Own");
    let draft = prescription(&advisor, id(&known));
    let send = |verb: &'static str| {
        let (advisor, draft) = (advisor.clone(), draft.clone());
        std::thread::spawn(move || do_to(&advisor, &draft, verb).status)
    };
    let threads: Vec<_> = (0..8).map(|_| send("activate")).collect();
    let mut statuses: Vec<u16> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409, 409, 409, 409, 409, 409, 409]);
    assert_eq!(advisor.get(&path(&draft)).expect(200)["version"], 2);
}

#[test]
fn the_site_of_an_advisors_or_an_activated_prescription_is_the_advisors() {
    let app = App::start();
    let (admin, advisor) = (app.admin(), app.advisor());
    let site = |slug: &str| admin.post("/v1/sites", &json!({ "slug": slug, "name": slug })).id();
    let (walton, bootle) = (site("walton"), site("bootle"));
    let known = crate::support::member(&advisor, "Ada", "Sample");
    let own = app.member(known["id"].as_str().unwrap());
    let write = |client: &Client, origin: &str| {
        let body = json!({ "member_id": known["id"], "origin": origin, "site_id": walton });
        client.post("/v1/prescriptions", &body).expect(201)
    };
    // An advisor's: the member changes its site neither as a draft nor later, and may send it back as it is.
    let theirs = write(&advisor, "advisor");
    for change in [json!({ "site_id": null }), json!({ "site_id": bootle })] {
        let refused = own.patch(&path(&theirs), "\"1\"", &change).invalid(&["/site_id"]);
        assert_eq!(refused["errors"][0]["code"], "not_yours");
    }
    let active = do_to(&advisor, &theirs, "activate").expect(200);
    own.patch(&path(&theirs), "\"2\"", &json!({ "site_id": null, "what_matters": "Singing" })).invalid(&["/site_id"]);
    let kept = own.patch(&path(&theirs), "\"2\"", &json!({ "site_id": walton, "what_matters": "Singing" })).expect(200);
    assert_eq!((&kept["site_id"], &active["site_id"]), (&json!(walton), &json!(walton)));
    let moved = advisor.patch(&path(&theirs), "\"3\"", &json!({ "site_id": bootle })).expect(200);
    assert_eq!(moved["site_id"], json!(bootle));

    // Their own draft: until it is activated.
    let mine = write(&own, "self");
    assert_eq!(own.patch(&path(&mine), "\"1\"", &json!({ "site_id": bootle })).expect(200)["site_id"], json!(bootle));
    do_to(&own, &mine, "activate").expect(200);
    own.patch(&path(&mine), "\"3\"", &json!({ "site_id": null })).invalid(&["/site_id"]);
    assert_eq!(advisor.get("/v1/prescriptions").expect(200)["items"].as_array().unwrap().len(), 2);
}
