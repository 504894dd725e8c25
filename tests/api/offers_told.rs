//! Whoever waits is told what becomes of their place in the list, whatever changes it.

use serde_json::{Value, json};

use crate::mails::{book, library, reachable, told};
use crate::mails_of_changes::{change, texts};
use crate::rosters::{reader, roster, single, with};
use crate::support::mailbox::Mailbox;
use crate::support::{App, Client, id, member_row};

/// Peg, who is offered the only place of this session.
fn offered(app: &App, mails: &Mailbox, advisor: &Client, session: &str) -> String {
    let peg = reachable(app, "Peg");
    let held = book(advisor, session, &member_row(app, "Ned", "Riley"));
    app.at("2026-11-23T09:00:01Z");
    book(advisor, session, &peg);
    app.at("2026-11-23T09:05:00Z");
    mails.take(app);
    advisor.delete(&format!("/v1/bookings/{}", id(&held))).expect(200);
    assert_eq!(mails.take_one(app).subject, "A place is free");
    peg
}

#[test]
fn whom_a_roster_turns_away_is_told() {
    let (app, client, rosters) = reader();
    let advisor = app.advisor();
    let post = |changes: Value| {
        client.post(&rosters, &roster(&[with(single("a"), changes)])).expect(201);
    };
    post(json!({ "capacity": 2 }));
    let sessions = app.anonymous().get("/v1/sessions?from=2027-01-01&to=2027-01-31").expect(200);
    let session = id(&sessions["items"][0]).to_owned();
    let peg = reachable(&app, "Peg");
    book(&advisor, &session, &member_row(&app, "Ned", "Riley"));
    let party = json!({ "member_id": peg, "if_full": "wait", "party": { "family": 1 } });
    advisor.post(&format!("/v1/sessions/{session}/bookings"), &party).expect(201);
    app.at("2026-11-23T09:05:00Z");
    post(json!({ "capacity": 1 }));
    let said = texts(&advisor, &peg);
    assert!(said[0].starts_with("There is no longer a place for you: Tuesday 5 January 2027, 1pm"), "{said:?}");
    assert_eq!(said.len(), 2, "once: {said:?}");
}

#[test]
fn whose_offer_is_taken_back_is_told_and_told_again_of_the_next() {
    let (app, mails, advisor, session) = library(Some(1));
    let peg = offered(&app, &mails, &advisor, &session);
    let admin = app.admin();
    let venues = admin.get("/v1/venues").expect(200);
    let path = format!("/v1/venues/{}", id(&venues["items"][0]));
    let set = |status: &str| {
        let tag = admin.get(&path).etag().to_owned();
        admin.patch(&path, &tag, &json!({ "status": status })).expect(200);
    };
    app.at("2026-11-23T09:10:00Z");
    set("closed");
    app.at("2026-11-23T09:12:00Z");
    let mail = mails.take_one(&app);
    let said = "We can't give you the place now: Monday 30 November 2026, 1pm, at Venue central. \
                You are on the waiting list again. We write when a place is free.";
    let flat = mail.text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat.contains(said), "{flat}");
    assert_eq!(texts(&advisor, &peg)[0], said);
    app.at("2026-11-23T10:00:00Z");
    set("open");
    assert_eq!(mails.take_one(&app).subject, "A place is free");
    // Closed and opened within two minutes: only how it stands is told.
    app.at("2026-11-23T11:00:00Z");
    set("closed");
    app.at("2026-11-23T11:00:30Z");
    set("open");
    let mail = mails.take_one(&app);
    assert_eq!(mail.subject, "A place is free");
    app.at("2026-11-23T11:05:00Z");
    assert!(mails.take(&app).is_empty());
}

#[test]
fn whose_offer_ends_sooner_is_told_until_when() {
    let (app, mails, advisor, session) = library(Some(1));
    let peg = offered(&app, &mails, &advisor, &session);
    app.at("2026-11-23T09:10:00Z");
    change(&app, &session, &json!({ "local_start": "2026-11-23T20:00:00", "reason": "Sooner" }));
    let mail = mails.take_one(&app);
    assert_eq!(mail.subject, "A place is free");
    let flat = mail.text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat.contains("We keep it for you until Monday 23 November 2026, 8pm."), "{flat}");
    // At three quarters of the time that there is now.
    app.at("2026-11-23T17:17:29Z");
    assert!(mails.take(&app).is_empty());
    app.at("2026-11-23T17:17:30Z");
    let mail = mails.take_one(&app);
    let flat = mail.text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat.contains("in your bookings before Monday 23 November 2026, 8pm."), "{flat}");
    app.at("2026-11-23T19:59:00Z");
    assert!(mails.take(&app).is_empty());
    let kinds: Vec<String> = told(&advisor, &peg).into_iter().map(|(kind, ..)| kind).collect();
    assert_eq!(kinds.iter().filter(|kind| *kind == "offer_expiring").count(), 1, "{kinds:?}");
}
