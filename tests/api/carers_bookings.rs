//! What carers find of the bookings that they made, and what a refusal tells them of the others.

use serde_json::{Value, json};

use crate::mails::{book, library};
use crate::mails_of_changes::{carer, texts};
use crate::support::{App, Client, SessionSeed, id, item_row, member_row, session_row};

/// The ids of a member's bookings that this client made, as it lists them.
fn made(client: &Client, member: &str) -> Vec<Value> {
    let page = client.get(&format!("/v1/members/{member}/bookings?booked_by=me")).expect(200);
    page["items"].as_array().unwrap().iter().map(|booking| booking["id"].clone()).collect()
}

#[test]
fn a_carer_lists_what_they_booked_for_somebody_and_nothing_else() {
    let app = App::start();
    let advisor = app.advisor();
    let (cara, sid, relationship, tag) = carer(&app, &advisor);
    let (client, own) = (app.member(&cara), app.member(&sid));
    let at = |starts_at| session_row(&app, SessionSeed { starts_at, ..SessionSeed::default() });
    let [first, second, third] = ["2026-12-01T13:00:00Z", "2026-12-02T13:00:00Z", "2026-12-03T13:00:00Z"].map(at);
    let (early, late) = (book(&client, &first, &sid), book(&client, &second, &sid));
    let (by_sid, by_advisor) = (book(&own, &third, &sid), book(&advisor, &at("2026-12-04T13:00:00Z"), &sid));
    let for_cara = book(&client, &third, &cara);
    let bookings = format!("/v1/members/{sid}/bookings");
    client.get(&bookings).problem(404, "not-found");
    assert_eq!(made(&client, &sid), [late["id"].clone(), early["id"].clone()]);
    assert_eq!(made(&client, &cara), [for_cara["id"].clone()]);
    // What is listed is what one of them shows, and a page leads to the next.
    let page = client.get(&format!("{bookings}?booked_by=me&limit=1")).expect(200);
    assert_eq!(page["items"], json!([client.get(&format!("/v1/bookings/{}", id(&late))).expect(200)]));
    let next = client.get(page["next"].as_str().unwrap()).expect(200);
    assert_eq!((next["items"][0]["id"].clone(), &next["next"]), (early["id"].clone(), &Value::Null));
    // The others have theirs, and Sid sees that Cara looked.
    assert_eq!(made(&own, &sid), [by_sid["id"].clone()]);
    assert_eq!(made(&advisor, &sid), [by_advisor["id"].clone()]);
    let log = own.get(&format!("/v1/members/{sid}/access-log?own=false")).expect(200);
    let lists =
        log["items"].as_array().unwrap().iter().filter(|entry| entry["action"] == "list" && entry["what"] == "booking");
    assert_eq!(lists.count(), 3, "{log}");
    client.get(&format!("{bookings}?booked_by=you")).problem(400, "invalid-parameter");
    // Nobody else's, and none once the relationship has ended.
    let stranger = app.member(&member_row(&app, "Una", "Reid"));
    stranger.get(&format!("{bookings}?booked_by=me")).problem(404, "not-found");
    own.get(&format!("/v1/members/{cara}/bookings?booked_by=me")).problem(404, "not-found");
    advisor.patch(&relationship, &tag, &json!({ "status": "ended" })).expect(200);
    client.get(&format!("{bookings}?booked_by=me")).problem(404, "not-found");
}

#[test]
fn a_full_session_doesnt_tell_a_carer_whether_the_other_has_a_place_in_it() {
    let app = App::start();
    let advisor = app.advisor();
    let (cara, sid, ..) = carer(&app, &advisor);
    let (client, own) = (app.member(&cara), app.member(&sid));
    let other = member_row(&app, "Una", "Reid");
    let full = |member: &str| {
        let session = session_row(&app, SessionSeed { capacity: Some(1), ..SessionSeed::default() });
        book(&advisor, &session, member);
        format!("/v1/sessions/{session}/bookings")
    };
    let (with, without) = (full(&sid), full(&other));
    let wish = json!({ "member_id": sid });
    let told = [&with, &without].map(|path| {
        let mut problem = client.post(path, &wish).problem(409, "session-full");
        for changing in ["instance", "request_id"] {
            problem.as_object_mut().unwrap().remove(changing);
        }
        problem
    });
    assert_eq!(told[0], told[1]);
    // Nor whether the other was referred to it.
    let referral = SessionSeed { booking_policy: "referral_only", capacity: Some(1), ..SessionSeed::default() };
    let session = session_row(&app, referral);
    item_row(&app, &other, "active", Some(&session), None);
    book(&advisor, &session, &other);
    let path = format!("/v1/sessions/{session}/bookings");
    client.post(&path, &wish).problem(409, "session-full");
    own.post(&path, &json!({})).problem(409, "referral-only");
    // Whoever may know is told, and so is everybody who asks for a second place that there is.
    advisor.post(&with, &wish).problem(409, "already-booked");
    own.post(&with, &json!({})).problem(409, "already-booked");
    let free = session_row(&app, SessionSeed::default());
    book(&client, &free, &sid);
    client.post(&format!("/v1/sessions/{free}/bookings"), &wish).problem(409, "already-booked");
}

#[test]
fn a_carer_is_told_for_whom_by_the_first_name_and_the_other_sees_it() {
    let (app, mails, advisor, session) = library(None);
    let (cara, sid, ..) = carer(&app, &advisor);
    let client = app.member(&cara);
    let path = format!("/v1/members/{sid}");
    let tag = advisor.get(&path).etag().to_owned();
    advisor.patch(&path, &tag, &json!({ "preferred_name": "Siddy" })).expect(200);
    let held = book(&client, &session, &sid);
    app.at("2026-11-23T09:02:00Z");
    let mail = mails.take_one(&app);
    assert!(mail.text.contains("For somebody you booked for: You have a place: Monday"), "{}", mail.text);
    assert!(!mail.whole.contains("Sid"), "{}", mail.whole);
    // Whoever wants the details in their mails reads the first name there too.
    let own = format!("/v1/members/{cara}");
    let tag = advisor.get(&own).etag().to_owned();
    advisor.patch(&own, &tag, &json!({ "message_details": "full" })).expect(200);
    client.delete(&format!("/v1/bookings/{}", id(&held))).expect(200);
    book(&client, &session, &sid);
    book(&client, &session, &cara);
    app.at("2026-11-23T09:04:00Z");
    let mail = mails.take_one(&app);
    assert!(mail.text.contains("For Siddy: ") && mail.text.contains("Shared Reading"), "{}", mail.text);
    assert!(!mail.whole.contains("Reid") && !mail.subject.contains("Siddy"), "{}", mail.whole);
    let listed = texts(&client, &cara);
    assert_eq!(listed.iter().filter(|text| text.starts_with("For Siddy: You have a place")).count(), 2, "{listed:?}");
    let log = app.member(&sid).get(&format!("{path}/access-log?own=false")).expect(200);
    let newest = &log["items"][0];
    assert_eq!((&newest["action"], &newest["what"]), (&json!("list"), &json!("booking")), "{log}");
}
