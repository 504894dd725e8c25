//! What members allow: who records it, what counts now, and what each purpose has an effect on.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use life_rooms::auth::caller::Scope;
use life_rooms::db::schema::{audit_events, consent_states, consents, members};
use life_rooms::db::{Id, Json, Timestamp};
use life_rooms::members::consents::types::{ConsentDecision, ConsentPurpose};
use life_rooms::members::types::ContactPreferences;
use serde_json::{Value, json};

use crate::mails::{reachable, row, told};
use crate::support::{App, Client, SessionSeed, id, member_row, partner_row, prescription, session_row};

/// A state: whose, for what, for which partner (nil where the purpose names none), what it is, and which consent says so.
type State = (String, String, String, String, String);

/// All states as the database has them.
pub fn states(app: &App) -> BTreeSet<State> {
    let rows: Vec<(Id, ConsentPurpose, Id, ConsentDecision, Id)> = consent_states::table
        .select((
            consent_states::member_id,
            consent_states::purpose,
            consent_states::partner_id,
            consent_states::decision,
            consent_states::consent_id,
        ))
        .load(&mut app.conn())
        .unwrap();
    let text = |(member, purpose, partner, decision, consent): (Id, ConsentPurpose, Id, ConsentDecision, Id)| {
        (member.to_string(), purpose.to_string(), partner.to_string(), decision.to_string(), consent.to_string())
    };
    rows.into_iter().map(text).collect()
}

/// All states as they follow from the history: the last recorded decides.
fn from_history(app: &App) -> BTreeSet<State> {
    let rows: Vec<(Id, ConsentPurpose, Option<Id>, ConsentDecision, Id, Timestamp)> = consents::table
        .order((consents::recorded_at, consents::id))
        .select((
            consents::member_id,
            consents::purpose,
            consents::partner_id,
            consents::decision,
            consents::id,
            consents::recorded_at,
        ))
        .load(&mut app.conn())
        .unwrap();
    let nobody = Id(uuid::Uuid::nil());
    let mut last = BTreeMap::new();
    for (member, purpose, partner, decision, consent, _) in rows {
        let key = (member.to_string(), purpose.to_string(), partner.unwrap_or(nobody).to_string());
        last.insert(key, (decision.to_string(), consent.to_string()));
    }
    last.into_iter().map(|((a, b, c), (d, e))| (a, b, c, d, e)).collect()
}

/// Records a consent, a second after whatever was before. The answer.
fn decide(app: &App, client: &Client, member: &str, purpose: &str, decision: &str) -> Value {
    decide_for(app, client, member, json!({ "purpose": purpose, "decision": decision, "evidence": "said so" }))
}

fn decide_for(app: &App, client: &Client, member: &str, body: Value) -> Value {
    app.clock.set(app.clock.now().plus_seconds(1).0);
    client.post(&format!("/v1/members/{member}/consents"), &body).expect(201)
}

fn share(app: &App, client: &Client, member: &str, partner: &str, decision: &str) -> Value {
    let body = json!({ "purpose": "share_with_partner", "partner_id": partner, "decision": decision, "evidence": "x" });
    decide_for(app, client, member, body)
}

/// Never recorded, given, withdrawn, and given again.
const STATES: [Option<&str>; 4] = [None, Some("given"), Some("withdrawn"), Some("given")];

/// What can be done for a member now: book, prescribe, refer to a partner, advise, and activate this draft.
fn possible(app: &App, client: &Client, member: &str, draft: &str) -> [bool; 5] {
    let (session, fresh) = (session_row(app, SessionSeed::default()), app.clock.new_id());
    let partner = partner_row(app, &format!("p-{fresh}"));
    let whole = json!({ "member_id": member, "origin": "advisor", "needs": [], "items": [] });
    let items = format!("/v1/prescriptions/{draft}/items");
    let answers = [
        client.post(&format!("/v1/sessions/{session}/bookings"), &json!({ "member_id": member })),
        client.post("/v1/prescriptions", &whole),
        client.post(&items, &json!({ "kind": "partner", "target_id": partner })),
        client.post(&items, &json!({ "kind": "advice" })),
        client.send("POST", &format!("/v1/prescriptions/{draft}/activate"), &[], b""),
    ];
    answers.map(|answer| match answer.status {
        200 | 201 => true,
        _ => {
            answer.problem(409, "no-consent");
            false
        }
    })
}

#[test]
fn without_service_delivery_nothing_new_is_booked_prescribed_or_referred() {
    let app = App::start();
    let (advisor, peg) = (app.advisor(), member_row(&app, "Peg", "Reid"));
    let drafts = STATES.map(|_| id(&prescription(&advisor, &peg)).to_owned());
    for (state, draft) in STATES.into_iter().zip(&drafts) {
        if let Some(decision) = state {
            decide(&app, &advisor, &peg, "service_delivery", decision);
        }
        let all = state != Some("withdrawn");
        assert_eq!(possible(&app, &advisor, &peg, draft), [all, all, all, true, all], "{state:?}");
    }
    // What they do for themselves is no exception.
    decide(&app, &advisor, &peg, "service_delivery", "withdrawn");
    let (own, session) = (app.member(&peg), session_row(&app, SessionSeed::default()));
    own.post(&format!("/v1/sessions/{session}/bookings"), &json!({})).problem(409, "no-consent");
    let whole = json!({ "member_id": peg, "origin": "self", "needs": [], "items": [] });
    own.post("/v1/prescriptions", &whole).problem(409, "no-consent");
}

#[test]
fn an_offered_seat_is_taken_back_without_service_delivery_and_its_message_not_sent() {
    let (app, mails) = App::with_mail();
    let (advisor, peg, sam) = (app.advisor(), reachable(&app, "Peg"), member_row(&app, "Sam", "Riley"));
    let session = session_row(&app, SessionSeed { capacity: Some(1), ..SessionSeed::default() });
    let path = format!("/v1/sessions/{session}/bookings");
    let held = advisor.post(&path, &json!({ "member_id": sam })).expect(201);
    let waits = advisor.post(&path, &json!({ "member_id": peg, "if_full": "wait" })).expect(201);
    app.at("2026-11-23T09:00:01Z");
    advisor.delete(&format!("/v1/bookings/{}", id(&held))).expect(200);
    let of_peg = format!("/v1/bookings/{}", id(&waits));
    assert_eq!(advisor.get(&of_peg).expect(200)["status"], "offered");
    decide(&app, &advisor, &peg, "service_delivery", "withdrawn");
    assert_eq!(advisor.get(&of_peg).expect(200)["status"], "waitlisted");
    advisor.send("POST", &format!("{of_peg}/accept"), &[], b"").problem(409, "no-consent");
    app.at("2026-11-23T09:10:00Z");
    assert!(mails.take(&app).is_empty());
    let skipped = |kind: &str| row(kind, "skipped", json!("not_allowed"));
    assert_eq!(told(&advisor, &peg), [skipped("waitlisted"), skipped("offered"), skipped("waitlisted")]);
    decide(&app, &advisor, &peg, "service_delivery", "given");
    let accepted = advisor.send("POST", &format!("{of_peg}/accept"), &[], b"").expect(200);
    assert_eq!(accepted["status"], "booked");
}

#[test]
fn who_takes_e_mail_out_of_the_record_takes_the_consent_back_too() {
    let (app, mails) = App::with_mail();
    let (advisor, peg) = (app.advisor(), reachable(&app, "Peg"));
    let path = format!("/v1/members/{peg}");
    let prefer = |email: bool| {
        let tag = advisor.get(&path).etag().to_owned();
        advisor.patch(&path, &tag, &json!({ "contact_preferences": { "email": email } })).expect(200)
    };
    let said = || -> Vec<Value> {
        let page = advisor.get(&format!("{path}/consents")).expect(200);
        page["items"].as_array().unwrap().iter().map(|consent| consent["decision"].clone()).collect()
    };
    // What was never agreed to isn't taken back.
    prefer(false);
    assert_eq!(prefer(true)["contact_preferences"]["email"], true);
    assert_eq!(said(), [] as [Value; 0]);
    decide(&app, &advisor, &peg, "contact_email", "given");
    assert_eq!(prefer(false)["contact_preferences"]["email"], false);
    assert_eq!(said(), ["given", "withdrawn"]);
    let session = session_row(&app, SessionSeed::default());
    advisor.post(&format!("/v1/sessions/{session}/bookings"), &json!({ "member_id": peg })).expect(201);
    app.at("2026-11-23T09:10:00Z");
    assert!(mails.take(&app).is_empty());
    assert_eq!(told(&advisor, &peg), [row("booked", "skipped", json!("not_allowed"))]);
}

/// The bookings that an answer to a withdrawal lists: session, title, reference.
fn left(answer: &Value) -> Vec<(String, String, String)> {
    let text = |line: &Value, name: &str| line[name].as_str().unwrap().to_owned();
    let line = |line: &Value| (text(line, "session_id"), text(line, "title"), text(line, "reference"));
    answer["bookings"].as_array().unwrap().iter().map(line).collect()
}

#[test]
fn whoever_withdraws_service_delivery_learns_what_stands() {
    let app = App::start();
    let (advisor, peg) = (app.advisor(), member_row(&app, "Peg", "Reid"));
    let at = |starts_at| session_row(&app, SessionSeed { starts_at, ..SessionSeed::default() });
    let [later, sooner, off, over] =
        ["2026-12-07T13:00:00Z", "2026-11-30T13:00:00Z", "2026-12-01T13:00:00Z", "2026-11-23T09:30:00Z"].map(at);
    let book = |session: &str| {
        let path = format!("/v1/sessions/{session}/bookings");
        advisor.post(&path, &json!({ "member_id": peg })).expect(201)
    };
    let held = [&later, &sooner, &off, &over].map(|session| book(session));
    advisor.delete(&format!("/v1/bookings/{}", id(&held[2]))).expect(200);
    let (draft, declined) = (prescription(&advisor, &peg), prescription(&advisor, &peg));
    advisor.send("POST", &format!("/v1/prescriptions/{}/decline", id(&declined)), &[], b"").expect(200);
    app.at("2026-11-23T12:00:00Z");
    let answer = decide(&app, &advisor, &peg, "service_delivery", "withdrawn");
    let line = |session: &str, booking: &Value| {
        (session.to_owned(), "Shared Reading".to_owned(), booking["reference"].as_str().unwrap().to_owned())
    };
    assert_eq!(left(&answer), [line(&sooner, &held[1]), line(&later, &held[0])]);
    assert_eq!(answer["bookings"][0]["starts_at"], "2026-11-30T13:00:00Z");
    assert_eq!(answer["bookings"][0]["booking_id"], held[1]["id"]);
    assert_eq!(answer["prescriptions"], json!([draft["id"]]));
    assert!(answer["notice"].as_str().unwrap().contains("stay until somebody cancels or closes them"));
    // They stand.
    assert_eq!(advisor.get(&format!("/v1/bookings/{}", id(&held[0]))).expect(200)["status"], "booked");
    let reads: Vec<Json<Vec<String>>> = audit_events::table
        .filter(audit_events::action.eq("read").and(audit_events::resource_kind.eq("member")))
        .select(audit_events::fields)
        .load(&mut app.conn())
        .unwrap();
    assert_eq!(reads, [Json(vec!["bookings".to_owned(), "prescriptions".to_owned()])]);
    let given = decide(&app, &advisor, &peg, "service_delivery", "given");
    assert_eq!((&given["notice"], left(&given).len(), &given["prescriptions"]), (&Value::Null, 0, &json!([])));
}

#[test]
fn a_partner_sees_names_and_shared_needs_while_they_are_shared_with_it_and_references_always() {
    let app = App::start();
    let (reader, other) = (partner_row(&app, "the-reader"), partner_row(&app, "philharmonic"));
    let of = |partner: &str, starts_at| {
        session_row(&app, SessionSeed { partner_id: Some(partner), starts_at, ..SessionSeed::default() })
    };
    let (soon, later) = (of(&reader, "2026-11-24T13:00:00Z"), of(&reader, "2026-12-01T13:00:00Z"));
    let elsewhere = of(&other, "2026-11-25T13:00:00Z");
    let (advisor, peg) = (app.advisor(), member_row(&app, "Peg", "Reid"));
    let need = json!({ "needs": [{ "category": "information_format", "code": "large_print", "share": true }] });
    advisor.put(&format!("/v1/members/{peg}/access-needs"), "\"0\"", &need).expect(200);
    let book = |session: &str| {
        let path = format!("/v1/sessions/{session}/bookings");
        let booked = advisor.post(&path, &json!({ "member_id": peg })).expect(201);
        booked["reference"].as_str().unwrap().to_owned()
    };
    let references = [&soon, &later, &elsewhere].map(|session| book(session));
    let client = app.partner_client(&reader, &[Scope::BookingsRead, Scope::RegistersRead]);
    for state in STATES {
        let answer = state.map(|decision| share(&app, &advisor, &peg, &reader, decision));
        let register = client.get(&format!("/v1/sessions/{soon}/register")).expect(200);
        let bookings = client.get(&format!("/v1/sessions/{soon}/bookings")).expect(200);
        let (line, booking) = (&register["bookings"][0], &bookings["items"][0]);
        assert_eq!((&line["reference"], &booking["reference"]), (&json!(references[0]), &json!(references[0])));
        let named = state == Some("given");
        assert_eq!(line["member"]["display_name"] == "Peg Reid", named, "{state:?} {line}");
        assert_eq!(line["member"]["access_needs"][0]["code"] == "large_print", named, "{line}");
        assert_eq!(booking["member_id"] == json!(peg), named, "{booking}");
        let shown = [register.to_string(), bookings.to_string()].concat();
        assert_eq!(shown.contains(&peg), named, "{shown}");
        let session = client.get(&format!("/v1/sessions/{soon}")).expect(200);
        assert_eq!(session["seats_taken"], 1, "counts are no names");
        let line = |at: usize, session: &str| (session.to_owned(), "Shared Reading".into(), references[at].clone());
        let listed = answer.as_ref().map(left).unwrap_or_default();
        match state {
            // Only the partner's own sessions.
            Some("withdrawn") => {
                assert_eq!(listed, [line(0, &soon), line(1, &later)]);
                let notice = answer.unwrap()["notice"].clone();
                assert!(notice.as_str().unwrap().starts_with("The partner keeps what it has seen."), "{notice}");
            }
            _ => assert_eq!(listed, []),
        }
    }
    // Another partner has nothing of it.
    let theirs = app.partner_client(&other, &[Scope::BookingsRead]);
    let bookings = theirs.get(&format!("/v1/sessions/{elsewhere}/bookings")).expect(200);
    assert_eq!(bookings["items"][0]["member"], Value::Null);
}

#[test]
fn mail_is_sent_by_the_preference_until_something_is_said_and_then_by_that() {
    for (state, prefers) in STATES[..3].iter().flat_map(|state| [(*state, true), (*state, false)]) {
        let (app, mails) = App::with_mail();
        let (advisor, peg) = (app.advisor(), reachable(&app, "Peg"));
        let preferences = Json(ContactPreferences { email: prefers, ..ContactPreferences::default() });
        let of_peg = members::table.find(peg.parse::<Id>().unwrap());
        diesel::update(of_peg).set(members::contact_preferences.eq(preferences)).execute(&mut app.conn()).unwrap();
        if let Some(decision) = state {
            decide(&app, &advisor, &peg, "contact_email", decision);
        }
        let session = session_row(&app, SessionSeed::default());
        advisor.post(&format!("/v1/sessions/{session}/bookings"), &json!({ "member_id": peg })).expect(201);
        app.at("2026-11-23T09:05:00Z");
        let goes = state == Some("given") || (state.is_none() && prefers);
        assert_eq!(mails.take(&app).len(), usize::from(goes), "{state:?} {prefers}");
        let (status, why) = if goes { ("sent", Value::Null) } else { ("skipped", json!("not_allowed")) };
        assert_eq!(told(&advisor, &peg), [row("booked", status, why)]);
    }
}

#[test]
fn a_record_says_of_the_ways_of_contact_what_the_consents_say() {
    let app = App::start();
    let (advisor, peg) = (app.advisor(), member_row(&app, "Peg", "Reid"));
    let (own, path) = (app.member(&peg), format!("/v1/members/{peg}"));
    let wish = |client: &Client, way: &str, value: bool| {
        let tag = client.get(&path).etag().to_owned();
        client.patch(&path, &tag, &json!({ "contact_preferences": { way: value } }))
    };
    for (way, purpose) in [("email", "contact_email"), ("sms", "contact_sms"), ("post", "contact_post")] {
        let shown = || advisor.get(&path).expect(200)["contact_preferences"][way].clone();
        let said = || -> Vec<Value> {
            let page = advisor.get(&format!("{path}/consents?limit=100")).expect(200);
            let of_it = page["items"].as_array().unwrap().iter().filter(|consent| consent["purpose"] == purpose);
            of_it.map(|consent| consent["decision"].clone()).collect()
        };
        assert_eq!(shown(), false, "{way}");
        let before = advisor.get(&path).etag().to_owned();
        decide(&app, &advisor, &peg, purpose, "given");
        assert_eq!(shown(), true, "{way}");
        let stale = json!({ "contact_preferences": { "phone": true } });
        advisor.patch(&path, &before, &stale).problem(412, "precondition-failed");
        // Already so: nothing is changed and nothing recorded.
        wish(&advisor, way, true).expect(200);
        assert_eq!(said(), ["given"]);
        decide(&app, &advisor, &peg, purpose, "withdrawn");
        assert_eq!(shown(), false, "{way}");
        // An advisor has to say how it is known; a member just says it.
        let pointer = format!("/contact_preferences/{way}");
        wish(&advisor, way, true).invalid(&[&pointer]);
        assert_eq!((shown(), said()), (json!(false), vec![json!("given"), json!("withdrawn")]));
        assert_eq!(wish(&own, way, true).expect(200)["contact_preferences"][way], true);
        assert_eq!(wish(&own, way, false).expect(200)["contact_preferences"][way], false);
        assert_eq!(said(), ["given", "withdrawn", "given", "withdrawn"]);
    }
    // Another change keeps what the record itself says.
    let tag = advisor.get(&path).etag().to_owned();
    let changed = advisor.patch(&path, &tag, &json!({ "phone": "07700 900123" })).expect(200);
    assert_eq!(changed["contact_preferences"], json!({ "email": false, "sms": false, "phone": false, "post": false }));
}

/// The purposes that nothing in the service rests on yet: they are recorded, the record says the same of the ways of
/// contact, and everything else stays as it is.
#[test]
fn what_only_others_go_by_is_recorded_and_changes_nothing_here() {
    let (app, mails) = App::with_mail();
    let (advisor, admin, peg) = (app.advisor(), app.admin(), reachable(&app, "Peg"));
    let record = format!("/v1/members/{peg}");
    let tag = advisor.get(&record).etag().to_owned();
    advisor.patch(&record, &tag, &json!({ "gp_practice_code": "N82001" })).expect(200);
    let session = session_row(&app, SessionSeed { starts_at: "2026-11-23T08:00:00Z", ..SessionSeed::default() });
    let came = json!({ "bookings": [], "walk_ins": [{ "member_id": peg }], "headcount": { "beneficiaries": 0, "family": 0, "carers": 0 } });
    advisor.put(&format!("/v1/sessions/{session}/register"), "\"0\"", &came).expect(200);
    let figures = || {
        let attended = admin.get("/v1/reports/attendance?from=2026-01-01").expect(200)["totals"].clone();
        (attended, admin.get("/v1/reports/prescriptions?from=2026-01-01").expect(200)["totals"].clone())
    };
    let before = (advisor.get(&record).expect(200), figures());
    assert_eq!(before.1.0["distinct_members"], 1);
    let current = || advisor.get(&format!("/v1/members/{peg}/consents?current=true")).expect(200)["items"].clone();
    for purpose in ["share_with_gp", "contact_sms", "contact_post", "research"] {
        assert!(!current().to_string().contains(purpose), "never recorded");
        for decision in ["given", "withdrawn"] {
            let answer = decide(&app, &advisor, &peg, purpose, decision);
            assert_eq!((&answer["notice"], &answer["bookings"]), (&Value::Null, &json!([])));
            let said = current().as_array().unwrap().iter().find(|one| one["purpose"] == purpose).cloned();
            assert_eq!(said.unwrap()["decision"], decision);
            let mut expected = before.clone();
            if let Some(way) = purpose.strip_prefix("contact_") {
                expected.0["contact_preferences"][way] = json!(decision == "given");
            }
            assert_eq!((advisor.get(&record).expect(200), figures()), expected, "{purpose} {decision}");
        }
    }
    assert_eq!(advisor.get(&record).expect(200)["gp_practice_code"], "N82001");
    // All of them withdrawn, e-mails still go.
    let later = session_row(&app, SessionSeed::default());
    advisor.post(&format!("/v1/sessions/{later}/bookings"), &json!({ "member_id": peg })).expect(201);
    app.at("2026-11-23T09:10:00Z");
    assert_eq!(mails.take_one(&app).to, "peg@example.org");
}

#[test]
fn members_decide_for_themselves_advisors_say_how_they_know_and_nobody_else_may() {
    let app = App::start();
    let (advisor, admin, peg, sam) =
        (app.advisor(), app.admin(), member_row(&app, "Peg", "Reid"), member_row(&app, "Sam", "Riley"));
    let (path, own) = (format!("/v1/members/{peg}/consents"), app.member(&peg));
    let research = |decision: &str| json!({ "purpose": "research", "decision": decision });
    let given = own.post(&path, &research("given")).expect(201);
    assert_eq!((&given["evidence"], &given["told_by"]), (&json!("by the member"), &Value::Null));
    assert_eq!(given["recorded_by"], own.id.unwrap().to_string());
    app.at("2026-11-23T09:00:01Z");
    let mut body = research("withdrawn");
    (body["evidence"], body["form_version"]) = (json!("An advisor said I may"), json!("app-7"));
    let withdrawn = own.post(&path, &body).expect(201);
    assert_eq!((&withdrawn["evidence"], &withdrawn["form_version"]), (&json!("by the member"), &json!("app-7")));
    // Read where it says it stands, it is the same.
    let stored = own.get(&format!("{path}/{}", id(&withdrawn)));
    assert_eq!((&stored.json["evidence"], &stored.json["form_version"]), (&json!("by the member"), &json!("app-7")));
    assert_eq!(stored.header("cache-control"), "no-store");

    let mut body = research("given");
    body["told_by"] = json!(admin.id.unwrap());
    let fault = own.post(&path, &body).invalid(&["/told_by"])["errors"][0]["code"].clone();
    assert_eq!(fault, "not_yours");
    assert_eq!(advisor.post(&path, &body).invalid(&["/evidence"])["errors"][0]["code"], "required");
    body["evidence"] = json!("Told at the desk on 20 November 2026");
    for nobody in [app.clock.new_id(), own.id.unwrap(), app.analyst().id.unwrap()] {
        let body = json!({ "told_by": nobody, "purpose": "research", "decision": "given", "evidence": "x" });
        assert_eq!(advisor.post(&path, &body).invalid(&["/told_by"])["errors"][0]["code"], "unknown_user");
    }
    app.at("2026-11-23T09:00:02Z");
    let told = advisor.post(&path, &body).expect(201);
    assert_eq!((&told["told_by"], &told["evidence"]), (&body["told_by"], &body["evidence"]));
    assert_eq!(told["recorded_by"], advisor.id.unwrap().to_string());

    let reader = partner_row(&app, "the-reader");
    let everything = app.partner_client(&reader, &[Scope::BookingsRead, Scope::RegistersWrite, Scope::RegistersRead]);
    let sharing =
        json!({ "purpose": "share_with_partner", "partner_id": reader, "decision": "given", "evidence": "x" });
    for client in [&admin, &app.analyst(), &app.partner_user(&reader), &everything] {
        client.post(&path, &sharing).problem(403, "forbidden");
        client.get(&format!("{path}?current=true")).problem(403, "forbidden");
    }
    app.member(&sam).post(&path, &sharing).problem(404, "not-found");
    assert_eq!(own.get(&path).expect(200)["items"].as_array().unwrap().len(), 3);
}

#[test]
fn the_current_consents_are_the_last_of_each_purpose_and_partner_in_pages() {
    let app = App::start();
    let (advisor, peg) = (app.advisor(), member_row(&app, "Peg", "Reid"));
    let partners = ["a", "b"].map(|slug| partner_row(&app, slug));
    let path = format!("/v1/members/{peg}/consents");
    let none = advisor.get(&format!("{path}?current=true")).expect(200);
    assert_eq!(none, json!({ "items": [], "next": null }));
    for (partner, decision) in [(0, "given"), (1, "given"), (0, "withdrawn")] {
        share(&app, &advisor, &peg, &partners[partner], decision);
    }
    decide(&app, &advisor, &peg, "research", "given");
    let line = |item: &Value| {
        let text = |name: &str| item[name].as_str().unwrap_or_default().to_owned();
        (text("purpose"), text("partner_id"), text("decision"))
    };
    let of = |partner: usize, decision: &str| ("share_with_partner".into(), partners[partner].clone(), decision.into());
    let wanted = [of(1, "given"), of(0, "withdrawn"), ("research".to_owned(), String::new(), "given".to_owned())];
    let whole = advisor.get(&format!("{path}?current=true")).expect(200);
    assert_eq!(whole["items"].as_array().unwrap().iter().map(line).collect::<Vec<_>>(), wanted);
    let first = advisor.get(&format!("{path}?current=true&limit=2")).expect(200);
    let next = first["next"].as_str().unwrap();
    assert!(next.contains("current=true"), "{next}");
    let rest = advisor.get(next).expect(200);
    let both = first["items"].as_array().unwrap().iter().chain(rest["items"].as_array().unwrap());
    assert_eq!((both.map(line).collect::<Vec<_>>(), &rest["next"]), (wanted.to_vec(), &Value::Null));
    for all in [path.clone(), format!("{path}?current=false")] {
        assert_eq!(advisor.get(&all).expect(200)["items"].as_array().unwrap().len(), 4);
    }
    advisor.get(&format!("{path}?current=yes")).wrong_parameter("current");
    let cursor = next.split("cursor=").nth(1).unwrap();
    advisor.get(&format!("{path}?limit=2&cursor={cursor}")).wrong_parameter("cursor");
}

#[test]
fn withdrawing_what_is_withdrawn_adds_nothing() {
    let app = App::start();
    let (sam, reader) = (member_row(&app, "Sam", "Riley"), partner_row(&app, "reader"));
    let other = partner_row(&app, "other");
    let member = app.member(&sam);
    let path = format!("/v1/members/{sam}/consents");
    let post = |partner: &str, decision: &str| {
        let body = json!({ "purpose": "share_with_partner", "partner_id": partner, "decision": decision });
        member.post(&path, &body)
    };
    let count = || member.get(&path).expect(200)["items"].as_array().unwrap().len();
    // Somebody who was never asked says no: once.
    let no = post(&reader, "withdrawn").expect(201);
    let again = post(&reader, "withdrawn");
    assert_eq!((again.etag(), again.header("location")), (member.get(&format!("{path}/{}", id(&no))).etag(), ""));
    assert_eq!((again.expect(200), count()), (no, 1));
    // It is told apart by partner, and by what came in between.
    post(&other, "withdrawn").expect(201);
    post(&reader, "given").expect(201);
    post(&reader, "given").expect(201);
    let last = post(&reader, "withdrawn").expect(201);
    assert_eq!((post(&reader, "withdrawn").expect(200)["id"].clone(), count()), (last["id"].clone(), 5));
}

/// Ids made in one millisecond are in no order, and the clock stands still or goes back: what was recorded last counts.
#[test]
fn the_states_are_what_the_history_says_whatever_comes_in_which_order() {
    let app = App::start();
    let (advisor, people) = (app.advisor(), ["Ann", "Bob", "Cleo"].map(|name| member_row(&app, name, "A")));
    let partners = ["a", "b"].map(|slug| partner_row(&app, slug));
    // A sequence with no pattern, the same in each run.
    let mut seed: u64 = 7;
    let mut next = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    for step in 0..90 {
        let purposes = ["service_delivery", "share_with_partner", "contact_email", "research"];
        let purpose = purposes[next(4) as usize];
        let partner = (purpose == "share_with_partner").then(|| partners[next(2) as usize].clone());
        let decision = ["given", "withdrawn"][next(2) as usize];
        let member = &people[next(3) as usize];
        app.at(["2026-11-23T09:00:00Z", "2026-11-23T10:00:00Z", "2026-11-22T09:00:00Z"][next(3) as usize]);
        let body = json!({ "purpose": purpose, "partner_id": partner, "decision": decision, "evidence": "x" });
        let stands = states(&app);
        let answer = advisor.post(&format!("/v1/members/{member}/consents"), &body);
        // What is withdrawn already is said, and nothing is added.
        let is_new = answer.status == 201;
        answer.expect(if is_new { 201 } else { 200 });
        assert!(is_new || decision == "withdrawn" && states(&app) == stands, "after {step}");
        if step % 15 == 14 {
            assert_eq!(states(&app), from_history(&app), "after {step}");
        }
    }
    assert!(states(&app).len() > 9, "{:?}", states(&app));
}
