//! What members need to take part: who writes it, who sees it, and where.

use diesel::prelude::*;
use life_rooms::auth::caller::Scope;
use life_rooms::db::schema::audit_events;
use life_rooms::db::{Id, Json};
use serde_json::{Value, json};

use crate::support::{App, SessionSeed, consent_row, member_row, partner_row, session_row};

fn path(member: &str) -> String {
    format!("/v1/members/{member}/access-needs")
}

fn need(category: &str, code: &str, share: bool) -> Value {
    json!({ "category": category, "code": code, "detail": null, "share": share })
}

/// Large print, which is shared, and a contact through the carer, which isn't.
fn two() -> Value {
    let print = json!({ "category": "information_format", "code": "large_print", "detail": "18 point, on yellow", "share": true });
    json!({ "needs": [print, need("contact_method", "via_carer", false)] })
}

/// Events of a member, sorted: action, kind and fields.
fn events(app: &App, member: &str) -> Vec<(String, String, Vec<String>)> {
    let rows: Vec<(String, String, Json<Vec<String>>)> = audit_events::table
        .filter(audit_events::member_id.eq(member.parse::<Id>().unwrap()))
        .select((audit_events::action, audit_events::resource_kind, audit_events::fields))
        .load(&mut app.conn())
        .unwrap();
    let mut events: Vec<_> = rows.into_iter().map(|(action, kind, fields)| (action, kind, fields.0)).collect();
    events.sort();
    events
}

#[test]
fn what_nobody_has_asked_yet_is_version_nought_and_can_be_written() {
    let app = App::start();
    let (ann, advisor) = (member_row(&app, "Ann", "A"), app.advisor());
    let own = app.member(&ann);
    let before = own.get(&path(&ann));
    assert_eq!((before.etag(), before.header("cache-control")), ("\"0\"", "no-store"));
    let empty = json!({ "member_id": ann, "asked_on": null, "none": false, "needs": [], "review_on": null, "version": 0,
        "created_at": null, "updated_at": null });
    assert_eq!(before.json, empty);
    own.put(&path(&ann), "", &two()).problem(428, "precondition-required");
    own.put(&path(&ann), "\"1\"", &two()).problem(412, "precondition-failed");
    let written = own.put(&path(&ann), "\"0\"", &two());
    assert_eq!((written.status, written.etag()), (200, "\"1\""), "{}", written.text);
    assert_eq!((&written.json["asked_on"], &written.json["review_on"]), (&json!("2026-11-23"), &json!("2027-11-23")));
    assert_eq!(written.json["needs"], two()["needs"]);
    assert_eq!(advisor.get(&path(&ann)).expect(200), written.json);
    let of = |action: &str, fields: &[&str]| {
        (action.to_owned(), "access_needs".to_owned(), fields.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
    };
    assert_eq!(events(&app, &ann), [of("change", &["needs"]), of("read", &[])]);
}

#[test]
fn the_same_needs_again_are_no_change_and_a_new_list_replaces_the_old() {
    let app = App::start();
    let (ann, advisor) = (member_row(&app, "Ann", "A"), app.advisor());
    let own = app.member(&ann);
    let first = own.put(&path(&ann), "\"0\"", &two()).expect(200);
    let before = events(&app, &ann);
    let again = own.put(&path(&ann), "\"1\"", &two());
    assert_eq!((again.etag(), &again.json), ("\"1\"", &first));
    assert_eq!(events(&app, &ann), before);
    let nothing = json!({ "none": true, "needs": [], "asked_on": "2026-11-01", "review_on": "2026-12-01" });
    let replaced = advisor.put(&path(&ann), "\"1\"", &nothing).expect(200);
    assert_eq!((&replaced["none"], &replaced["needs"], &replaced["version"]), (&json!(true), &json!([]), &json!(2)));
    assert_eq!(replaced["created_at"], first["created_at"]);
    // Asked again on another day, with the same answer, is news.
    let asked = advisor.put(&path(&ann), "\"2\"", &json!({ "none": true, "needs": [] })).expect(200);
    assert_eq!((&asked["asked_on"], &asked["version"]), (&json!("2026-11-23"), &json!(3)));
}

#[test]
fn a_need_is_one_of_its_category() {
    let app = App::start();
    let advisor = app.advisor();
    let ann = member_row(&app, "Ann", "A");
    let put = |body: Value| advisor.put(&path(&ann), "\"0\"", &body);
    for (category, codes) in [
        ("information_format", "large_print easy_read braille audio plain_text_email other_language"),
        ("contact_method", "email_only text_only letter_only text_relay via_carer"),
        ("communication_support", "lipreader hearing_aid makaton talking_mat longer_appointment advocate"),
        ("communication_professional", "bsl_interpreter speech_to_text deafblind_guide"),
        ("venue_access", "step_free quiet_room"),
        ("other", "brings_a_dog"),
    ] {
        let bob = member_row(&app, "Bob", category);
        let needs: Vec<Value> = codes.split(' ').map(|code| need(category, code, false)).collect();
        advisor.put(&path(&bob), "\"0\"", &json!({ "needs": needs })).expect(200);
    }
    let wrong = json!([
        need("information_format", "bsl_interpreter", true),
        need("contact_method", "pigeon", true),
        need("communication_professional", "spoken_interpreter", true)
    ]);
    let problem = put(json!({ "needs": wrong })).invalid(&["/needs/0/code", "/needs/1/code", "/needs/2/detail"]);
    assert_eq!(problem["errors"][0]["code"], "unknown_code");
    let polish = json!({ "category": "communication_professional", "code": "spoken_interpreter", "detail": "Polish" });
    put(json!({ "needs": [polish, need("other", "a", false), polish] })).invalid(&["/needs/2"]);
    put(json!({ "none": true, "needs": [polish] })).invalid(&["/none"]);
    put(json!({ "needs": vec![need("other", "a", false); 21] })).invalid(&["/needs"]);
    put(json!({ "needs": [], "asked_on": "2026-11-24" })).invalid(&["/asked_on"]);
    put(json!({ "needs": [], "review_on": "2026-11-22" })).invalid(&["/review_on"]);
    put(json!({ "needs": [polish] })).expect(200);
}

#[test]
fn the_record_says_that_there_are_needs_and_when_it_is_time_to_ask_again() {
    let app = App::start();
    let (ann, advisor) = (member_row(&app, "Ann", "A"), app.advisor());
    let record = format!("/v1/members/{ann}");
    let flags = || {
        let shown = advisor.get(&record).expect(200);
        (shown["has_access_needs"].clone(), shown["access_needs_review_due"].clone())
    };
    assert_eq!(flags(), (json!(false), json!(false)));
    let before = advisor.get(&record);
    advisor.put(&path(&ann), "\"0\"", &two()).expect(200);
    assert_eq!(flags(), (json!(true), json!(false)));
    // The record shows something new, so a client that holds the old one is sent it, though the version is the same.
    let after = advisor.send("GET", &record, &[("if-none-match", before.etag())], b"");
    assert_eq!((after.status, after.tag_version()), (200, before.tag_version()));
    assert_eq!(advisor.send("GET", &record, &[("if-none-match", after.etag())], b"").status, 304);
    app.at("2027-11-22T23:59:00Z");
    assert_eq!(flags(), (json!(true), json!(false)));
    app.at("2027-11-23T00:00:00Z");
    assert_eq!(flags(), (json!(true), json!(true)));
    advisor.put(&path(&ann), "\"1\"", &json!({ "none": true, "needs": [] })).expect(200);
    assert_eq!(flags(), (json!(false), json!(false)));
}

#[test]
fn a_partner_with_consent_sees_shared_codes_in_its_register_and_never_a_detail() {
    let app = App::start();
    let partner = partner_row(&app, "the-reader");
    let session = session_row(
        &app,
        SessionSeed { partner_id: Some(&partner), starts_at: "2026-11-23T10:00:00Z", ..SessionSeed::default() },
    );
    let (ann, bob) = (member_row(&app, "Ann", "A"), member_row(&app, "Bob", "B"));
    let advisor = app.advisor();
    for (member, at) in [(&ann, "2026-11-23T09:00:00Z"), (&bob, "2026-11-23T09:01:00Z")] {
        app.at(at);
        advisor.post(&format!("/v1/sessions/{session}/bookings"), &json!({ "member_id": member })).expect(201);
        advisor.put(&path(member), "\"0\"", &two()).expect(200);
        consent_row(&app, member, &partner, "given");
    }
    let hidden = json!({ "needs": [need("contact_method", "via_carer", false)], "review_on": "2026-11-23" });
    advisor.put(&path(&bob), "\"1\"", &hidden).expect(200);
    let client = app.partner_client(&partner, &[Scope::RegistersRead, Scope::RegistersWrite]);
    let register = format!("/v1/sessions/{session}/register");
    let person = |id: &str, name: &str, needs: Value, due: bool| {
        json!({ "id": id, "display_name": name, "access_needs": needs,
        "has_access_needs": needs != json!([]), "access_needs_review_due": due })
    };
    let (print, carer) = (
        json!({ "category": "information_format", "code": "large_print" }),
        json!({ "category": "contact_method", "code": "via_carer" }),
    );
    let shown = |answer: Value| [answer["bookings"][0]["member"].clone(), answer["bookings"][1]["member"].clone()];
    let seen = client.get(&register);
    assert!(!seen.text.contains("yellow") && !seen.text.contains("via_carer"), "{}", seen.text);
    assert_eq!(
        shown(seen.expect(200)),
        [person(&ann, "Ann A", json!([print]), false), person(&bob, "Bob B", json!([]), false)]
    );
    let seen = advisor.get(&register);
    assert!(!seen.text.contains("yellow"), "{}", seen.text);
    assert_eq!(
        shown(seen.expect(200)),
        [person(&ann, "Ann A", json!([print, carer]), false), person(&bob, "Bob B", json!([carer]), true)]
    );
    // Without consent the partner sees nobody, and so no need either.
    app.at("2026-11-23T11:00:00Z");
    consent_row(&app, &ann, &partner, "withdrawn");
    assert_eq!(shown(client.get(&register).expect(200))[0], Value::Null);
    client.get(&path(&bob)).problem(403, "forbidden");
}

#[test]
fn days_are_those_of_london_in_summer_too() {
    let app = App::start();
    let (ann, advisor) = (member_row(&app, "Ann", "A"), app.advisor());
    app.at("2027-06-22T23:30:00Z");
    let written = advisor.put(&path(&ann), "\"0\"", &two()).expect(200);
    assert_eq!((&written["asked_on"], &written["review_on"]), (&json!("2027-06-23"), &json!("2028-06-23")));
    let due = json!({ "needs": two()["needs"], "asked_on": "2027-06-01", "review_on": "2027-06-23" });
    advisor.put(&path(&ann), "\"1\"", &due).expect(200);
    let record = advisor.get(&format!("/v1/members/{ann}")).expect(200);
    assert_eq!(record["access_needs_review_due"], true);
}
