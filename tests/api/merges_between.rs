//! What happens to two records between a merge and its undoing: each person keeps what is theirs.

use diesel::prelude::*;
use life_rooms::db::schema::{audit_events, bookings, idempotency_records, member_merges, users};
use life_rooms::db::types::TextEnum;
use life_rooms::db::{Id, Json};
use life_rooms::members::merges::shared::LIVE;
use life_rooms::sessions::bookings::types::BookingStatus;
use serde_json::{Value, json};

use crate::exports::{ask, document, make_documents, own_account, place};
use crate::mails::{book, library, reachable, told};
use crate::mails_of_changes::texts;
use crate::merges::{merge, path, person, two, undo};
use crate::support::mailbox::{Mailbox, Received};
use crate::support::{App, Client, SessionSeed, id, member_row, session_row};

fn of(id: &str) -> Value {
    json!({ "id": id })
}

fn move_to(advisor: &Client, session: &str, local_start: &str) {
    let path = format!("/v1/sessions/{session}");
    let tag = advisor.get(&path).etag().to_owned();
    advisor.patch(&path, &tag, &json!({ "local_start": local_start, "reason": "A larger room" })).expect(200);
}

fn sent_to(mails: &Mailbox, app: &App) -> Vec<Received> {
    let mut sent = mails.take(app);
    sent.sort_by(|one, other| one.to.cmp(&other.to));
    sent
}

#[test]
fn what_waits_to_be_told_of_a_booking_goes_back_with_it() {
    let (app, mails, advisor, session) = library(None);
    let (bea, ann) = (reachable(&app, "Bea"), reachable(&app, "Ann"));
    book(&advisor, &session, &ann);
    app.at("2026-11-23T09:05:00Z");
    assert_eq!(mails.take(&app).len(), 1);
    let merged = merge(&advisor, &of(&bea), &of(&ann)).expect(200);
    app.at("2026-11-23T09:06:00Z");
    move_to(&advisor, &session, "2026-11-30T15:00:00");
    app.at("2026-11-23T09:07:00Z");
    undo(&advisor, &merged).expect(200);
    app.at("2026-11-23T09:30:00Z");
    let mail = mails.take_one(&app);
    assert_eq!(mail.to, "ann@example.org");
    assert!(mail.text.contains("It is now Monday 30 November 2026, 3pm"), "{}", mail.text);
    assert_eq!(told(&advisor, &bea), []);
    let kinds: Vec<String> = told(&advisor, &ann).into_iter().map(|row| row.0).collect();
    assert_eq!(kinds, ["moved", "booked"]);
}

#[test]
fn what_the_wrong_person_was_told_meanwhile_is_told_to_the_right_one() {
    let (app, mails, advisor, session) = library(None);
    let (bea, ann) = (reachable(&app, "Bea"), reachable(&app, "Ann"));
    book(&advisor, &session, &ann);
    app.at("2026-11-23T09:05:00Z");
    mails.take(&app);
    let merged = merge(&advisor, &of(&bea), &of(&ann)).expect(200);
    move_to(&advisor, &session, "2026-11-30T15:00:00");
    app.at("2026-11-23T09:30:00Z");
    assert_eq!(mails.take_one(&app).to, "bea@example.org", "they are one person, as it seems");
    undo(&advisor, &merged).expect(200);
    app.at("2026-11-23T09:31:00Z");
    let mail = mails.take_one(&app);
    assert_eq!(mail.to, "ann@example.org");
    assert!(mail.text.contains("It is now Monday 30 November 2026, 3pm"), "{}", mail.text);
    assert_eq!(told(&advisor, &bea), []);
}

#[test]
fn what_went_to_their_own_address_meanwhile_is_not_told_again() {
    let (app, mails, advisor, session) = library(None);
    let (bea, ann) = (member_row(&app, "Bea", "Reid"), reachable(&app, "Ann"));
    book(&advisor, &session, &ann);
    app.at("2026-11-23T09:05:00Z");
    mails.take(&app);
    let merged = merge(&advisor, &of(&bea), &of(&ann)).expect(200);
    let given = json!({ "purpose": "contact_email", "decision": "given", "evidence": "Said so" });
    advisor.post(&format!("/v1/members/{bea}/consents"), &given).expect(201);
    move_to(&advisor, &session, "2026-11-30T15:00:00");
    app.at("2026-11-23T09:30:00Z");
    assert_eq!(mails.take_one(&app).to, "ann@example.org");
    undo(&advisor, &merged).expect(200);
    app.at("2026-11-23T09:31:00Z");
    assert_eq!(mails.take(&app).len(), 0);
    assert_eq!(told(&advisor, &ann)[0].0, "moved");
}

#[test]
fn a_carer_is_told_of_whom_they_booked_for_and_of_nobody_else() {
    let (app, mails, advisor, session) = library(None);
    let (cara, bea, ann) = (reachable(&app, "Cara"), member_row(&app, "Bea", "Reid"), member_row(&app, "Ann", "Reid"));
    let cares = json!({ "from_member": cara, "to_member": ann, "kind": "carer_of", "may_book": true,
        "authority": "member_agreed", "status": "active", "evidence": "Both said so" });
    advisor.post(&format!("/v1/members/{ann}/relationships"), &cares).expect(201);
    let client = app.member(&cara);
    book(&client, &session, &ann);
    app.at("2026-11-23T09:05:00Z");
    mails.take(&app);
    let merged = merge(&advisor, &of(&bea), &of(&ann)).expect(200);
    move_to(&advisor, &session, "2026-11-30T15:00:00");
    undo(&advisor, &merged).expect(200);
    app.at("2026-11-23T09:30:00Z");
    let sent = sent_to(&mails, &app);
    let to: Vec<&str> = sent.iter().map(|mail| mail.to.as_str()).collect();
    assert_eq!(to, ["cara@example.org"]);
    assert!(sent[0].text.contains("For somebody you booked for:"), "{}", sent[0].text);
    assert!(texts(&client, &cara)[0].starts_with("For Ann:"));
}

#[test]
fn one_of_two_places_is_given_up_before_a_merge_without_a_word_to_the_person() {
    let (app, mails, advisor, session) = library(None);
    let (bea, ann) = (reachable(&app, "Bea"), reachable(&app, "Ann"));
    let (kept, second) = (book(&advisor, &session, &bea), book(&advisor, &session, &ann));
    app.at("2026-11-23T09:05:00Z");
    mails.take(&app);
    let path = format!("/v1/bookings/{}?tell=false", second["id"].as_str().unwrap());
    app.member(&ann).delete(&path).problem(403, "forbidden");
    merge(&advisor, &of(&bea), &of(&ann)).problem(409, "merge-conflict");
    assert_eq!(advisor.delete(&path).expect(200)["status"], "cancelled_by_member");
    let merged = merge(&advisor, &of(&bea), &of(&ann)).expect(200);
    app.at("2026-11-23T09:30:00Z");
    // The owner of the account is told that there is one record now, and nobody of a cancelled booking.
    assert!(mails.take(&app).iter().all(|mail| mail.text.contains("two records")), "she keeps her place");
    assert_eq!(told(&advisor, &bea).iter().filter(|row| row.0 == "booking_cancelled").count(), 0);
    let path = format!("/v1/bookings/{}", kept["id"].as_str().unwrap());
    assert_eq!(advisor.get(&path).expect(200)["status"], "booked");
    undo(&advisor, &merged).expect(200);
    assert_eq!(advisor.get(&path).expect(200)["member_id"], json!(bea));
    // The place that was given up isn't hers any more: whoever takes the records apart books it again.
    book(&advisor, &session, &ann);
}

#[test]
fn what_was_told_of_an_account_goes_back_with_it() {
    let (app, mails, advisor, _) = library(None);
    let (bea, ann) = (reachable(&app, "Bea"), reachable(&app, "Ann"));
    let account = app.member(&ann);
    let merged = merge(&advisor, &of(&bea), &of(&ann)).expect(200);
    app.admin().delete(&format!("/v1/users/{}/logins", account.id.unwrap()));
    let asked = app.advisor_who_may("subject_access");
    let body = json!({ "received_on": "2026-11-23", "how": "By letter" });
    let at = place(&asked.post(&format!("/v1/members/{bea}/export"), &body));
    make_documents(&app);
    app.advisor_who_may("safeguarding").post(&format!("{at}/release"), &json!({})).expect(200);
    mails.take(&app);
    assert!(told(&advisor, &bea).iter().any(|row| row.0 == "export_ready"));
    undo(&advisor, &merged).expect(200);
    assert_eq!(told(&advisor, &bea), [], "the account that was told is Ann's");
    assert!(told(&advisor, &ann).iter().any(|row| row.0 == "export_ready"));
}

#[test]
fn documents_that_were_made_meanwhile_hold_two_people_and_can_not_be_read_any_more() {
    let app = App::start();
    let advisor = app.advisor();
    let (into, from) = two(&advisor);
    let own = own_account(&app, id(&into));
    let before = place(&ask(&own, id(&into)));
    make_documents(&app);
    app.at("2026-11-23T10:00:00Z");
    let merged = merge(&advisor, &into, &from).expect(200);
    app.at("2026-11-23T11:00:00Z");
    let since = place(&ask(&own, id(&into)));
    let problem = undo(&advisor, &merged).problem(409, "undo-blocked");
    let export = since.rsplit('/').next().unwrap();
    assert!(problem["detail"].as_str().unwrap().contains(export), "{problem:#}");
    make_documents(&app);
    document(&own, &since, "*/*").expect(200);
    undo(&advisor, &merged).expect(200);
    document(&own, &since, "*/*").problem(410, "export-expired");
    assert_eq!(own.get(&since).expect(200)["status"], "expired");
    document(&own, &before, "*/*").expect(200);
    // There is room for another.
    assert_eq!(ask(&own, id(&into)).status, 202);
}

#[test]
fn an_account_that_can_log_in_again_leaves_an_event() {
    let app = App::start();
    let advisor = app.advisor();
    let (into, from) = two(&advisor);
    app.member(id(&into));
    let theirs = app.member(id(&from));
    let merged = merge(&advisor, &into, &from).expect(200);
    let events = || -> Vec<(Id, Option<Id>)> {
        audit_events::table
            .filter(audit_events::resource_id.eq(theirs.id.unwrap()))
            .filter(audit_events::action.eq("change"))
            .order(audit_events::id)
            .select((audit_events::actor_id.assume_not_null(), audit_events::member_id))
            .load(&mut app.conn())
            .unwrap()
    };
    assert_eq!(events().len(), 1, "it was disabled");
    undo(&advisor, &merged).expect(200);
    let row = users::table.find(theirs.id.unwrap()).select(users::disabled);
    assert!(!row.first::<bool>(&mut app.conn()).unwrap());
    let from: Id = id(&from).parse().unwrap();
    assert_eq!(events()[1..], [(advisor.id.unwrap(), Some(from))]);
    let log = advisor.get(&format!("/v1/members/{from}/access-log")).expect(200);
    let is_change = |entry: &&Value| entry["action"] == "change" && entry["fields"] == json!(["disabled"]);
    assert_eq!(log["items"].as_array().unwrap().iter().filter(is_change).count(), 2, "{log:#}");
}

/// A relationship of both with Sam, so that one is set aside.
fn doubled(advisor: &Client) -> (Value, Value, Value, Value) {
    let (into, from) = two(advisor);
    let sam = person(advisor, "Sam", json!({}));
    for member in [&into, &from] {
        let cares = json!({ "from_member": sam["id"], "to_member": member["id"], "kind": "carer_of",
            "status": "active", "evidence": "Zebedee said so", "authority": "none" });
        advisor.post(&format!("{}/relationships", path(member)), &cares).expect(201);
    }
    let merged = merge(advisor, &into, &from).expect(200);
    assert_eq!(merged["set_aside"][0]["kind"], "relationship");
    (into, from, sam, merged)
}

#[derive(QueryableByName)]
struct Kept {
    #[diesel(sql_type = diesel::sql_types::Text)]
    text: String,
}

/// What is kept to undo merges.
fn undo_texts(app: &App) -> String {
    let query = "SELECT CAST(undo AS text) AS text FROM member_merges WHERE undo IS NOT NULL";
    let kept: Vec<Kept> = diesel::sql_query(query).load(&mut app.conn()).unwrap();
    kept.into_iter().map(|row| row.text).collect()
}

fn relationships(advisor: &Client, member: &Value) -> Value {
    advisor.get(&format!("{}/relationships", path(member))).expect(200)["items"].clone()
}

#[test]
fn a_relationship_with_somebody_who_was_erased_meanwhile_is_not_put_back() {
    let app = App::start();
    let advisor = app.advisor();
    let (into, from, sam, merged) = doubled(&advisor);
    assert!(undo_texts(&app).contains("Zebedee"));
    let at = crate::erasures::asked(&advisor, id(&sam));
    crate::erasures::execute(&app.admin(), &at, true).expect(200);
    assert!(!undo_texts(&app).contains("Zebedee"), "what Sam said is gone at once");
    undo(&advisor, &merged).expect(200);
    for member in [&into, &from] {
        assert_eq!(relationships(&advisor, member), json!([]));
    }
}

#[test]
fn a_relationship_with_somebody_who_was_merged_meanwhile_comes_back_once_that_is_undone() {
    let app = App::start();
    let advisor = app.advisor();
    let (into, from) = two(&advisor);
    let (sam, samuel) = (person(&advisor, "Sam", json!({})), person(&advisor, "Samuel", json!({})));
    for (carer, member) in [(&sam, &into), (&sam, &from), (&samuel, &from)] {
        let cares = json!({ "from_member": carer["id"], "to_member": member["id"], "kind": "carer_of" });
        advisor.post(&format!("{}/relationships", path(member)), &cares).expect(201);
    }
    let merged = merge(&advisor, &into, &from).expect(200);
    app.at("2026-11-23T10:00:00Z");
    let of_sam = merge(&advisor, &samuel, &sam).expect(200);
    let problem = undo(&advisor, &merged).problem(409, "undo-blocked");
    assert!(problem["detail"].as_str().unwrap().contains("relationship"), "{problem:#}");
    assert_eq!(advisor.get(&path(&from)).status, 307, "nothing was changed");
    undo(&advisor, &of_sam).expect(200);
    undo(&advisor, &merged).expect(200);
    let carers = |member: &Value| {
        let rows = relationships(&advisor, member);
        let mut carers: Vec<String> =
            rows.as_array().unwrap().iter().map(|row| row["from_member"].as_str().unwrap().to_owned()).collect();
        carers.sort();
        carers
    };
    let mut both = vec![id(&sam).to_owned(), id(&samuel).to_owned()];
    both.sort();
    assert_eq!((carers(&from), carers(&into)), (both, vec![id(&sam).to_owned()]));
}

#[test]
fn a_document_in_review_is_made_anew_of_one_record() {
    let app = App::start();
    let (advisor, lead) = (app.advisor_who_may("subject_access"), app.advisor_who_may("safeguarding"));
    let (into, from) =
        (person(&advisor, "Margaret", json!({})), person(&advisor, "Peg", json!({ "former_names": ["Zebedee"] })));
    let flag = json!({ "category": "neglect", "summary": "Alone at night.", "review_on": "2026-12-07" });
    lead.post(&format!("{}/safeguarding", path(&into)), &flag).expect(201);
    let merged = merge(&advisor, &into, &from).expect(200);
    app.at("2026-11-23T10:00:00Z");
    let body = json!({ "received_on": "2026-11-23", "how": "By letter" });
    let at = place(&advisor.post(&format!("{}/export", path(&into)), &body));
    make_documents(&app);
    assert!(document(&lead, &at, "*/*").text.contains("Zebedee"));
    let tag = lead.get(&at).etag().to_owned();
    undo(&advisor, &merged).expect(200);
    assert_eq!(advisor.get(&at).expect(200)["status"], "queued");
    let stale = lead.post_with(&format!("{at}/release"), &[("if-match", &tag)], &json!({}));
    stale.problem(412, "precondition-failed");
    make_documents(&app);
    let read = document(&lead, &at, "*/*");
    assert!(read.status == 200 && !read.text.contains("Zebedee"), "{}", read.text);
}

#[test]
fn a_dry_run_changes_nothing_at_all() {
    let app = App::start();
    let advisor = app.advisor();
    let (into, from) = two(&advisor);
    let seed = SessionSeed { capacity: Some(1), starts_at: "2026-11-24T13:00:00Z", ..SessionSeed::default() };
    let session = session_row(&app, seed);
    for member in [&member_row(&app, "Una", "O"), id(&into), id(&from)] {
        book(&advisor, &session, member);
    }
    app.at("2026-11-24T14:00:00Z");
    let states = || -> Vec<(String, i32)> {
        bookings::table.order(bookings::id).select((bookings::status, bookings::version)).load(&mut app.conn()).unwrap()
    };
    let (before, events) = (states(), events(&app));
    let versions = |member: &Value| advisor.get(&path(member)).expect(200)["version"].clone();
    let body = json!({ "from": from["id"], "into_version": versions(&into), "from_version": versions(&from), "dry_run": true });
    let tried = advisor.post(&format!("{}/merge", path(&into)), &body).expect(200);
    assert_eq!((&tried["set_aside"], &tried["moved"]["bookings"]), (&json!([]), &json!(1)));
    assert_eq!(states(), before);
    assert_eq!(self::events(&app), events + 4, "two records were looked at, twice");
    let done = merge(&advisor, &into, &from).expect(200);
    assert_eq!((&done["set_aside"], &done["moved"]), (&tried["set_aside"], &tried["moved"]));
    assert_ne!(states(), before);
}

fn events(app: &App) -> i64 {
    audit_events::table.count().get_result(&mut app.conn()).unwrap()
}

#[test]
fn what_a_later_version_can_not_read_is_listed_and_exported_and_can_not_be_undone() {
    let app = App::start();
    let advisor = app.advisor();
    let (into, from) = two(&advisor);
    let merged = merge(&advisor, &into, &from).expect(200);
    let other = Some(Json(json!({ "of": "another version" })));
    diesel::update(member_merges::table).set(member_merges::undo.eq(other)).execute(&mut app.conn()).unwrap();
    let listed = advisor.get(&format!("/v1/merges?member_id={}", id(&into))).expect(200);
    assert_eq!(listed["items"][0]["id"], merged["merge_id"]);
    let own = own_account(&app, id(&into));
    let at = place(&ask(&own, id(&into)));
    make_documents(&app);
    let read = document(&own, &at, "*/*").expect(200);
    assert_eq!(read["merges"]["items"][0]["id"], merged["merge_id"]);
    let held = read["held_back"]["items"].as_array().unwrap().iter();
    assert_eq!(held.filter(|item| item["what"].as_str().unwrap().contains("two records")).count(), 1);
    app.at("2026-11-23T10:00:00Z");
    undo(&advisor, &merged).problem(409, "undo-blocked");
    // Others can be erased.
    let sam = person(&advisor, "Sam", json!({}));
    let request = crate::erasures::asked(&advisor, id(&sam));
    crate::erasures::execute(&app.admin(), &request, true).expect(200);
}

#[test]
fn the_stored_answer_of_a_merge_is_about_both() {
    let app = App::start();
    let advisor = app.advisor();
    let (into, from) = two(&advisor);
    for (member, decision) in [(&into, "given"), (&from, "withdrawn")] {
        let consent = json!({ "purpose": "research", "decision": decision, "evidence": "Said so" });
        advisor.post(&format!("{}/consents", path(member)), &consent).expect(201);
    }
    let body = json!({ "from": from["id"], "into_version": 1, "from_version": 1, "account_checked": true });
    let send = || advisor.post_with(&format!("{}/merge", path(&into)), &[("idempotency-key", "k1")], &body);
    let merged = send().expect(200);
    assert_eq!(merged["consents_differ"].as_array().unwrap().len(), 1);
    let reads = |member: &Value| -> i64 {
        let of = audit_events::table.filter(audit_events::member_id.eq(id(member).parse::<Id>().unwrap()));
        of.filter(audit_events::action.eq("read")).count().get_result(&mut app.conn()).unwrap()
    };
    let before = (reads(&into), reads(&from));
    assert_eq!(send().header("idempotent-replay"), "true");
    assert_eq!((reads(&into), reads(&from)), (before.0 + 1, before.1 + 1), "both are read again");
    undo(&advisor, &merged).expect(200);
    let request = crate::erasures::asked(&advisor, id(&from));
    crate::erasures::execute(&app.admin(), &request, true).expect(200);
    let left = (idempotency_records::status, idempotency_records::body, idempotency_records::body_hash);
    let left: Vec<(i32, String, String)> = idempotency_records::table.select(left).load(&mut app.conn()).unwrap();
    assert_eq!(left, [(410, String::new(), String::new())]);
    send().problem(410, "erased");
}

#[test]
fn the_states_of_bookings_that_hold_a_place_are_the_same_here_and_there() {
    let states: Vec<&str> = BookingStatus::LIVE.iter().map(|status| status.name()).collect();
    assert_eq!(states, LIVE);
}
