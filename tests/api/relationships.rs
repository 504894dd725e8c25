//! Relationships, and carers who book for those they care for.

use diesel::prelude::*;
use life_rooms::db::Id;
use life_rooms::db::schema::{audit_events, bookings};
use serde_json::{Value, json};

use crate::support::{App, Client, SessionSeed, id, item_row, member_row, session_row};

fn path(member: &str) -> String {
    format!("/v1/members/{member}/relationships")
}

fn with(mut body: Value, changes: Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

/// Cara cares for Ann and may book for her, and both have accounts.
struct Pair {
    app: App,
    advisor: Client,
    ann: String,
    cara: String,
    own: Client,
    carer: Client,
}

impl Pair {
    fn new() -> Self {
        let app = App::start();
        let (ann, cara) = (member_row(&app, "Ann", "Archer"), member_row(&app, "Cara", "Carr"));
        let (own, carer, advisor) = (app.member(&ann), app.member(&cara), app.advisor());
        Self { app, advisor, ann, cara, own, carer }
    }

    fn body(&self) -> Value {
        json!({ "from_member": self.cara, "to_member": self.ann, "kind": "carer_of", "may_book": true,
            "authority": "member_agreed", "evidence": "Both said so" })
    }

    fn active(&self) -> Value {
        let body = with(self.body(), json!({ "status": "active" }));
        self.advisor.post(&path(&self.ann), &body).expect(201)
    }

    /// A relationship at Ann's record, as she changes it.
    fn at(&self, relationship: &Value) -> String {
        format!("{}/{}", path(&self.ann), id(relationship))
    }

    fn book(&self, client: &Client, session: &str) -> crate::support::Answer {
        client.post(&format!("/v1/sessions/{session}/bookings"), &json!({ "member_id": self.ann }))
    }

    fn session(&self) -> String {
        session_row(&self.app, SessionSeed { capacity: Some(3), ..SessionSeed::default() })
    }

    /// Events of a member, sorted: the action, the kind and the account.
    fn events(&self, member: &str) -> Vec<Told> {
        let mut events: Vec<Told> = audit_events::table
            .filter(audit_events::member_id.eq(member.parse::<Id>().unwrap()))
            .select((audit_events::action, audit_events::resource_kind, audit_events::actor_id))
            .load(&mut self.app.conn())
            .unwrap();
        events.sort();
        events
    }
}

/// An event: the action, the kind and the account.
type Told = (String, String, Option<Id>);

fn sorted(mut events: Vec<Told>) -> Vec<Told> {
    events.sort();
    events
}

fn event(client: &Client, action: &str, kind: &str) -> Told {
    (action.to_owned(), kind.to_owned(), client.id)
}

#[test]
fn an_advisor_proposes_and_the_cared_for_accepts_and_ends() {
    let pair = Pair::new();
    let made = pair.advisor.post(&path(&pair.cara), &pair.body());
    assert_eq!((made.status, made.tag_version(), made.header("cache-control")), (201, "1", "no-store"));
    let expected = with(
        pair.body(),
        json!({ "id": made.id(), "from_name": "Cara Carr", "to_name": "Ann Archer", "status": "proposed",
            "starts_on": "2026-11-23", "ends_on": null, "created_by": pair.advisor.id.unwrap(), "created_by_name": null, "version": 1,
            "created_at": "2026-11-23T09:00:00Z", "updated_at": "2026-11-23T09:00:00Z" }),
    );
    assert_eq!(made.json, expected);
    assert_eq!(pair.advisor.get(made.header("location")).expect(200), expected);
    // Ann sees who is meant; Cara learns nothing before Ann has said yes.
    let at = pair.at(&made.json);
    let to_ann = with(expected, json!({ "created_by": null }));
    assert_eq!(pair.own.get(&path(&pair.ann)).expect(200)["items"], json!([to_ann]));
    assert_eq!(pair.carer.get(&path(&pair.cara)).expect(200)["items"], json!([]));
    pair.carer.get(made.header("location")).problem(404, "not-found");
    pair.carer.get(&at).problem(404, "not-found");
    pair.own.patch(&at, "", &json!({ "status": "active" })).problem(428, "precondition-required");
    pair.own.patch(&at, "\"2\"", &json!({ "status": "active" })).problem(412, "precondition-failed");
    let more = json!({ "status": "active", "may_book": false, "ends_on": "2027-01-01" });
    pair.own.patch(&at, "\"1\"", &more).invalid(&["/may_book", "/ends_on"]);
    let accepted = pair.own.patch(&at, "\"1\"", &json!({ "status": "active" })).expect(200);
    assert_eq!((&accepted["status"], &accepted["version"]), (&json!("active"), &json!(2)));
    let seen = pair.carer.get(&path(&pair.cara)).expect(200);
    assert_eq!(seen["items"], json!([with(accepted.clone(), json!({ "evidence": null }))]));
    let same = pair.own.patch(&at, "\"2\"", &json!({ "status": "active" }));
    assert_eq!((&same.json, same.tag_version()), (&accepted, "2"));
    let ended = pair.own.patch(&at, "\"2\"", &json!({ "status": "ended" })).expect(200);
    assert_eq!((&ended["status"], &ended["ends_on"]), (&json!("ended"), &json!("2026-11-23")));
    assert_eq!(pair.carer.get(&path(&pair.cara)).expect(200)["items"], json!([]));
    assert_eq!(pair.own.get(&path(&pair.ann)).expect(200)["items"], json!([ended]));
    for status in ["active", "proposed"] {
        let problem = pair.own.patch(&at, "\"3\"", &json!({ "status": status })).problem(409, "invalid-state");
        assert!(problem["detail"].as_str().unwrap().contains("ended"), "{problem}");
    }
}

#[test]
fn both_members_can_see_who_changed_and_read_their_relationship() {
    let pair = Pair::new();
    let made = pair.active();
    pair.advisor.get(&path(&pair.ann)).expect(200);
    pair.own.get(&pair.at(&made)).expect(200);
    pair.carer.get(&path(&pair.cara)).expect(200);
    let of_ann = pair.events(&pair.ann);
    let expected = vec![
        event(&pair.advisor, "create", "relationship"),
        event(&pair.advisor, "read", "member"),
        event(&pair.carer, "read", "relationship"),
    ];
    assert_eq!(of_ann, sorted(expected));
    let of_cara = pair.events(&pair.cara);
    let expected = vec![
        event(&pair.advisor, "create", "relationship"),
        event(&pair.advisor, "read", "relationship"),
        event(&pair.own, "read", "relationship"),
    ];
    assert_eq!(of_cara, sorted(expected));
    // Neither acted for the other by that: Ann isn't Cara's carer.
    let acted = audit_events::table.filter(audit_events::on_behalf_of.is_not_null()).count();
    assert_eq!(acted.get_result::<i64>(&mut pair.app.conn()).unwrap(), 0);
}

#[test]
fn what_a_relationship_must_say() {
    let pair = Pair::new();
    let post = |changes: Value| pair.advisor.post(&path(&pair.ann), &with(pair.body(), changes));
    let nobody = pair.app.clock.new_id().to_string();
    let code = |problem: Value| problem["errors"][0]["code"].clone();
    assert_eq!(code(post(json!({ "to_member": pair.cara })).invalid(&["/to_member"])), "same_member");
    assert_eq!(code(post(json!({ "from_member": nobody })).invalid(&["/from_member"])), "unknown_member");
    let other = member_row(&pair.app, "Dora", "D");
    let strangers = json!({ "to_member": other });
    assert_eq!(code(post(strangers).invalid(&["/from_member"])), "another_member");
    post(json!({ "authority": "none" })).invalid(&["/authority"]);
    post(json!({ "status": "active", "evidence": null })).invalid(&["/evidence"]);
    post(json!({ "status": "ended" })).invalid(&["/status"]);
    post(json!({ "ends_on": "2026-11-22" })).invalid(&["/ends_on"]);
    post(json!({ "kind": "friend_of", "evidence": " " })).invalid(&["/kind", "/evidence"]);
    pair.advisor.post(&path(&nobody), &pair.body()).problem(404, "not-found");
    pair.carer.post(&path(&pair.cara), &pair.body()).problem(403, "forbidden");
    let plain = json!({ "from_member": pair.cara, "to_member": pair.ann, "kind": "family_of" });
    let made = pair.advisor.post(&path(&pair.ann), &plain).expect(201);
    assert_eq!((&made["may_book"], &made["authority"]), (&json!(false), &json!("none")));
    let at = pair.at(&made);
    pair.advisor.patch(&at, "\"1\"", &json!({ "may_book": true })).invalid(&["/authority"]);
    pair.advisor.patch(&at, "\"1\"", &json!({ "status": "active" })).invalid(&["/evidence"]);
    let active = json!({ "status": "active", "evidence": "Ann said so", "ends_on": "2027-11-23" });
    pair.advisor.patch(&at, "\"1\"", &active).expect(200);
    pair.advisor.patch(&at, "\"2\"", &json!({ "status": "proposed" })).problem(409, "invalid-state");
    pair.advisor.patch(&at, "\"2\"", &json!({ "evidence": null })).invalid(&["/evidence"]);
    pair.advisor.patch(&at, "\"2\"", &json!({ "evidence": "Ann said so on the phone" })).expect(200);
}

#[test]
fn two_members_have_a_relationship_of_a_kind_once_until_it_has_ended() {
    let pair = Pair::new();
    let made = pair.advisor.post(&path(&pair.ann), &with(pair.body(), json!({ "ends_on": "2026-11-25" }))).expect(201);
    pair.advisor.post(&path(&pair.cara), &pair.body()).problem(409, "already-exists");
    let back = json!({ "from_member": pair.ann, "to_member": pair.cara, "kind": "carer_of" });
    pair.advisor.post(&path(&pair.ann), &back).expect(201);
    pair.advisor.post(&path(&pair.ann), &with(pair.body(), json!({ "kind": "child_of" }))).expect(201);
    let at = pair.at(&made);
    pair.own.patch(&at, "\"1\"", &json!({ "status": "active" })).expect(200);
    let before = pair.own.get(&at);
    pair.app.at("2026-11-26T09:00:00Z");
    // It is over without anybody's doing, and makes room.
    let after = pair.own.send("GET", &at, &[("if-none-match", before.etag())], b"");
    assert_eq!((after.status, &after.json["status"], after.tag_version()), (200, &json!("ended"), "2"));
    pair.advisor.patch(&at, "\"2\"", &json!({ "ends_on": null })).problem(409, "invalid-state");
    pair.advisor.post(&path(&pair.ann), &pair.body()).expect(201);
    // That nobody changed it can be seen: it is as it was.
    let last = pair.own.get(&at);
    assert_eq!((last.etag(), &last.json), (after.etag(), &after.json));
}

#[test]
fn a_carer_books_for_the_one_they_care_for_and_the_event_names_the_carer() {
    let pair = Pair::new();
    pair.active();
    let session = pair.session();
    let made = pair.book(&pair.carer, &session);
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(made.json["member"], json!({ "id": pair.ann, "display_name": "Ann Archer" }));
    let at = made.header("location").to_owned();
    assert_eq!(pair.carer.get(&at).expect(200), made.json);
    let listed = pair.carer.get(&format!("/v1/sessions/{session}/bookings")).expect(200);
    assert_eq!(listed["items"], json!([made.json]));
    let cancelled = pair.carer.delete(&at).expect(200);
    assert_eq!(cancelled["status"], "cancelled_by_member");
    let of_ann: Vec<_> = pair.events(&pair.ann).into_iter().filter(|(_, kind, _)| kind == "booking").collect();
    let told = ["cancel", "create", "list", "read"].map(|action| event(&pair.carer, action, "booking"));
    assert_eq!(of_ann, told);
    let for_ann: Vec<Option<Id>> = audit_events::table
        .filter(audit_events::resource_kind.eq("booking"))
        .select(audit_events::on_behalf_of)
        .load(&mut pair.app.conn())
        .unwrap();
    let ann: Id = pair.ann.parse().unwrap();
    assert!(for_ann.len() == 4 && for_ann.iter().all(|one| *one == Some(ann)), "{for_ann:?}");
    // Sent again with its key, a booking is read, and not the record.
    let again = || {
        let key = [("idempotency-key", "one")];
        pair.carer.post_with(&format!("/v1/sessions/{session}/bookings"), &key, &json!({ "member_id": pair.ann }))
    };
    let first = again().expect(201);
    assert_eq!(again().expect(201), first);
    let reads = |kind: &str| {
        let read = event(&pair.carer, "read", kind);
        pair.events(&pair.ann).into_iter().filter(|told| *told == read).count()
    };
    assert_eq!((reads("booking"), reads("member")), (2, 0));
    // For themself they book as before, and the booking is theirs.
    let own = pair.carer.post(&format!("/v1/sessions/{session}/bookings"), &json!({})).expect(201);
    assert_eq!(own["member_id"], pair.cara);
}

#[test]
fn a_carer_answers_an_offer_of_a_booking_they_made() {
    let pair = Pair::new();
    pair.active();
    for (action, status) in [("accept", "booked"), ("decline", "cancelled_by_member")] {
        let session = session_row(&pair.app, SessionSeed { capacity: Some(1), ..SessionSeed::default() });
        let other = member_row(&pair.app, "Dora", action);
        let bookings = format!("/v1/sessions/{session}/bookings");
        let first = pair.advisor.post(&bookings, &json!({ "member_id": other })).expect(201);
        let wish = json!({ "member_id": pair.ann, "if_full": "wait" });
        let waits = pair.carer.post(&bookings, &wish).expect(201);
        assert_eq!(waits["status"], "waitlisted");
        pair.advisor.delete(&format!("/v1/bookings/{}", id(&first))).expect(200);
        let answer = pair.carer.send("POST", &format!("/v1/bookings/{}/{action}", id(&waits)), &[], b"");
        assert_eq!(answer.expect(200)["status"], status);
    }
}

#[test]
fn a_carer_sees_nothing_else_of_the_record() {
    let pair = Pair::new();
    pair.active();
    let session = pair.session();
    let record = format!("/v1/members/{}", pair.ann);
    let lists = [
        "",
        "/consents",
        "/relationships",
        "/access-needs",
        "/equality-monitoring",
        "/bookings",
        "/prescriptions",
        "/calendar-links",
    ];
    for tail in lists {
        pair.carer.get(&format!("{record}{tail}")).problem(404, "not-found");
    }
    pair.carer.patch(&record, "\"1\"", &json!({ "phone": null })).problem(404, "not-found");
    // Bookings that Ann or her advisor made aren't the carer's to see.
    for client in [&pair.own, &pair.advisor] {
        let made = pair.book(client, &session).expect(201);
        let at = format!("/v1/bookings/{}", id(&made));
        pair.carer.get(&at).problem(404, "not-found");
        pair.carer.delete(&at).problem(404, "not-found");
        let listed = pair.carer.get(&format!("/v1/sessions/{session}/bookings")).expect(200);
        assert_eq!(listed["items"], json!([]));
        client.delete(&at).expect(200);
    }
    // Nor is what led to the booking: which item of her prescription.
    let referral = session_row(&pair.app, SessionSeed { booking_policy: "referral_only", ..SessionSeed::default() });
    item_row(&pair.app, &pair.ann, "active", Some(&referral), None);
    let made = pair.book(&pair.carer, &referral).expect(201);
    assert_eq!(made["prescription_item_id"], Value::Null);
    let stored: Option<Id> = bookings::table
        .find(id(&made).parse::<Id>().unwrap())
        .select(bookings::prescription_item_id)
        .first(&mut pair.app.conn())
        .unwrap();
    assert!(stored.is_some(), "the booking keeps it");
    assert!(pair.advisor.get(&format!("/v1/bookings/{}", id(&made))).expect(200)["prescription_item_id"].is_string());
}

#[test]
fn only_an_active_relationship_that_says_so_lets_somebody_book() {
    let pair = Pair::new();
    let session = pair.session();
    let refused = |client: &Client| {
        let problem = pair.book(client, &session).invalid(&["/member_id"]);
        assert_eq!(problem["errors"][0]["code"], "unknown_member");
    };
    refused(&pair.carer);
    let made = pair.advisor.post(&path(&pair.ann), &pair.body()).expect(201);
    refused(&pair.carer);
    let at = pair.at(&made);
    pair.own.patch(&at, "\"1\"", &json!({ "status": "active" })).expect(200);
    pair.advisor.patch(&at, "\"2\"", &json!({ "starts_on": "2026-11-24" })).expect(200);
    refused(&pair.carer);
    pair.app.at("2026-11-24T00:00:00Z");
    pair.book(&pair.carer, &session).expect(201);
    pair.advisor.patch(&at, "\"3\"", &json!({ "may_book": false })).expect(200);
    refused(&pair.carer);
    // It counts in one direction.
    let back = pair.own.post(&format!("/v1/sessions/{session}/bookings"), &json!({ "member_id": pair.cara }));
    back.invalid(&["/member_id"]);
    refused(&pair.app.member(&member_row(&pair.app, "Dora", "D")));
}

#[test]
fn a_carer_whose_relationship_has_ended_finds_nothing_from_the_next_request_on() {
    let pair = Pair::new();
    let key = [("idempotency-key", "one")];
    for end in ["the cared-for", "the carer", "an advisor", "the last day"] {
        let made = pair.active();
        let session = pair.session();
        let booked =
            pair.carer.post_with(&format!("/v1/sessions/{session}/bookings"), &key, &json!({ "member_id": pair.ann }));
        let at = booked.header("location").to_owned();
        let before = pair.carer.get(&at).expect(200);
        let over = json!({ "status": "ended" });
        match end {
            "the cared-for" => pair.own.patch(&pair.at(&made), "\"1\"", &over).expect(200),
            "the carer" => {
                let own = format!("{}/{}", path(&pair.cara), id(&made));
                pair.carer
                    .patch(&own, "\"1\"", &json!({ "status": "ended", "may_book": true }))
                    .invalid(&["/may_book"]);
                pair.carer.patch(&own, "\"1\"", &over).expect(200)
            }
            "an advisor" => pair.advisor.patch(&pair.at(&made), "\"1\"", &over).expect(200),
            _ => {
                pair.advisor.patch(&pair.at(&made), "\"1\"", &json!({ "ends_on": "2026-11-23" })).expect(200);
                pair.app.at("2026-11-24T00:00:00Z");
                Value::Null
            }
        };
        pair.carer.get(&at).problem(404, "not-found");
        pair.carer.delete(&at).problem(404, "not-found");
        for action in ["accept", "decline"] {
            pair.carer.send("POST", &format!("{at}/{action}"), &[], b"").problem(404, "not-found");
        }
        pair.carer.get(&format!("{}/{}", path(&pair.cara), id(&made))).problem(404, "not-found");
        let listed = pair.carer.get(&format!("/v1/sessions/{session}/bookings")).expect(200);
        assert_eq!(listed["items"], json!([]), "{end}");
        // What they were answered before isn't answered again.
        let again =
            pair.carer.post_with(&format!("/v1/sessions/{session}/bookings"), &key, &json!({ "member_id": pair.ann }));
        assert!(!again.text.contains("Archer"), "{}", again.text);
        again.problem(409, "answer-withheld");
        // The booking is still Ann's.
        assert_eq!(pair.own.get(&at).expect(200)["reference"], before["reference"]);
    }
}

#[test]
fn the_other_member_sees_events_of_a_relationship_only_while_it_is_in_effect() {
    let pair = Pair::new();
    let log = |client: &Client, member: &str| {
        let items = client.get(&format!("/v1/members/{member}/access-log")).expect(200)["items"].clone();
        let told = |entry: &Value| format!("{} {}", entry["action"].as_str().unwrap(), entry["what"].as_str().unwrap());
        let told =
            items.as_array().unwrap().iter().filter(|entry| entry["fields"] != json!(["display_name"])).map(told);
        told.collect::<Vec<_>>()
    };
    // Proposed, listed at both records, and posted again with its key: Cara mustn't learn of it.
    let post = || pair.advisor.post_with(&path(&pair.cara), &[("idempotency-key", "one")], &pair.body());
    let made = post().expect(201);
    pair.app.at("2026-11-23T09:01:00Z");
    pair.advisor.get(&path(&pair.cara)).expect(200);
    pair.app.at("2026-11-23T09:02:00Z");
    pair.advisor.get(&path(&pair.ann)).expect(200);
    pair.app.at("2026-11-23T09:03:00Z");
    assert_eq!(post().header("idempotent-replay"), "true");
    assert_eq!(log(&pair.carer, &pair.cara), Vec::<String>::new());
    assert_eq!(
        log(&pair.own, &pair.ann),
        ["read relationship", "read member", "read relationship", "create relationship"]
    );
    // Once it is in effect, she may know how it came about.
    pair.app.at("2026-11-23T09:04:00Z");
    pair.own.patch(&pair.at(&made), "\"1\"", &json!({ "status": "active" })).expect(200);
    let all = ["change", "read", "read", "read", "create"].map(|action| format!("{action} relationship"));
    assert_eq!(log(&pair.carer, &pair.cara), all);
    pair.app.at("2026-11-23T09:05:00Z");
    pair.own.patch(&pair.at(&made), "\"2\"", &json!({ "status": "ended" })).expect(200);
    assert_eq!(log(&pair.carer, &pair.cara), Vec::<String>::new());
    // Nothing was taken out of the audit.
    assert_eq!(pair.events(&pair.cara).iter().filter(|(_, kind, _)| kind == "relationship").count(), 6);
}

#[test]
fn a_carer_has_a_name_in_the_log_of_the_one_they_care_for() {
    let pair = Pair::new();
    pair.active();
    let log = format!("/v1/members/{}/access-log", pair.ann);
    pair.app.at("2026-11-23T09:01:00Z");
    pair.book(&pair.carer, &pair.session()).expect(201);
    pair.app.at("2026-11-23T09:02:00Z");
    pair.book(&pair.own, &pair.session()).expect(201);
    let who = |entry: &Value| (entry["who"].clone(), entry["own"].clone());
    let named = |name: Value| json!({ "name": name, "role": "member", "organisation": null });
    let seen = pair.own.get(&log).expect(200);
    let booked = [(named(Value::Null), json!(true)), (named(json!("Cara Carr")), json!(false))];
    assert_eq!(seen["items"].as_array().unwrap()[..2].iter().map(who).collect::<Vec<_>>(), booked);
    // Whoever is shown the name has read it, and a page that doesn't name her is no read.
    let reads = |client: &Client| {
        let row = audit_events::table.filter(audit_events::member_id.eq(pair.cara.parse::<Id>().unwrap()));
        let row = row.filter(audit_events::action.eq("read")).filter(audit_events::resource_kind.eq("member"));
        let count = row.filter(audit_events::actor_id.eq(client.id)).count();
        count.get_result::<i64>(&mut pair.app.conn()).unwrap()
    };
    assert_eq!((reads(&pair.own), reads(&pair.advisor)), (1, 0));
    pair.advisor.get(&format!("{log}?limit=1")).expect(200);
    assert_eq!(reads(&pair.advisor), 0);
    pair.advisor.get(&log).expect(200);
    assert_eq!(reads(&pair.advisor), 1);
}

#[test]
fn days_are_those_of_london_in_summer_too() {
    let pair = Pair::new();
    pair.app.at("2027-06-22T23:30:00Z");
    let body = with(pair.body(), json!({ "status": "active", "ends_on": "2027-06-22", "starts_on": "2027-06-01" }));
    assert_eq!(pair.advisor.post(&path(&pair.ann), &body).expect(201)["status"], "ended");
    let made = pair.active();
    assert_eq!(made["starts_on"], "2027-06-23");
    let ended = pair.own.patch(&pair.at(&made), "\"1\"", &json!({ "status": "ended" })).expect(200);
    assert_eq!(ended["ends_on"], "2027-06-23");
}
