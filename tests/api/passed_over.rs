//! Who is passed over on a waiting list: whoever has said that they want no support at present.

use serde_json::{Value, json};

use crate::mails::{reachable, told};
use crate::support::{App, Client, SessionSeed, session_row};
use crate::waiting::{act, counts, done_to, full, leave, show, somebody, standing, wait, waiter};

/// Records a consent `service_delivery`, a second after whatever was before. The answer.
fn decide(app: &App, client: &Client, member: &str, decision: &str) -> Value {
    app.clock.set(app.clock.now().plus_seconds(1).0);
    let body = json!({ "purpose": "service_delivery", "decision": decision, "evidence": "said so" });
    client.post(&format!("/v1/members/{member}/consents"), &body).expect(201)
}

#[test]
fn whoever_wants_no_support_keeps_their_turn_and_is_offered_nothing_until_they_want_it_again() {
    let app = App::start();
    let advisor = app.advisor();
    let (session, held) = full(&app, &advisor, 1);
    let (sam, of_sam) = waiter(&app, &advisor, &session, 0);
    let (_, of_alex) = waiter(&app, &advisor, &session, 0);
    let left = decide(&app, &advisor, &sam, "withdrawn");
    assert_eq!(left["bookings"][0]["booking_id"], json!(of_sam), "it stands, and is listed");
    assert!(left["notice"].as_str().unwrap().contains("no free place is offered"), "{left:#}");
    leave(&advisor, &held).expect(200);
    assert_eq!(standing(&advisor, &of_sam), json!(["waitlisted", 1, null]));
    assert_eq!(show(&advisor, &of_alex)["status"], "offered");
    assert_eq!((counts(&app, &session), done_to(&app, &sam)), ((1, 1, 1), vec![]));

    // Nobody else waits who could have it, so that the next seat is free for whoever comes.
    act(&advisor, &of_alex, "decline").expect(200);
    assert_eq!(counts(&app, &session), (0, 1, 0));
    let newcomer = wait(&advisor, &session, &somebody(&app), 0).expect(201);
    assert_eq!(newcomer["status"], "booked");
    leave(&advisor, newcomer["id"].as_str().unwrap()).expect(200);

    // The seat that is free is theirs in the moment in which they want support again.
    decide(&app, &advisor, &sam, "given");
    assert_eq!(show(&advisor, &of_sam)["status"], "offered");
    assert_eq!((counts(&app, &session), done_to(&app, &sam)), ((1, 0, 1), vec!["offer".to_owned()]));
    act(&app.member(&sam), &of_sam, "accept").expect(200);
}

#[test]
fn an_offer_to_whoever_withdraws_is_taken_back_and_goes_to_the_next() {
    let app = App::start();
    let advisor = app.advisor();
    let (session, held) = full(&app, &advisor, 1);
    let (sam, of_sam) = waiter(&app, &advisor, &session, 0);
    let (_, of_alex) = waiter(&app, &advisor, &session, 0);
    leave(&advisor, &held).expect(200);
    assert_eq!(show(&advisor, &of_sam)["status"], "offered");
    let member = app.member(&sam);
    decide(&app, &member, &sam, "withdrawn");
    assert_eq!(standing(&advisor, &of_sam), json!(["waitlisted", 1, null]));
    assert_eq!(show(&advisor, &of_alex)["status"], "offered");
    assert_eq!(done_to(&app, &sam), ["offer", "withdraw"]);
    act(&member, &of_sam, "accept").problem(409, "no-consent");
    assert_eq!(counts(&app, &session), (1, 1, 1));
    // They can still leave the list.
    leave(&member, &of_sam).expect(200);
    assert_eq!(counts(&app, &session), (1, 0, 1));
}

#[test]
fn a_party_that_is_passed_over_holds_up_nobody_and_its_turn_is_the_old_one() {
    let app = App::start();
    let advisor = app.advisor();
    let session = session_row(&app, SessionSeed { capacity: Some(2), ..SessionSeed::default() });
    let held =
        [0, 1].map(|_| wait(&advisor, &session, &somebody(&app), 0).expect(201)["id"].as_str().unwrap().to_owned());
    let (sam, of_party) = waiter(&app, &advisor, &session, 1);
    let (_, alone) = waiter(&app, &advisor, &session, 0);
    decide(&app, &advisor, &sam, "withdrawn");
    leave(&advisor, &held[0]).expect(200);
    assert_eq!(show(&advisor, &alone)["status"], "offered", "the party of two would have held it up");
    decide(&app, &advisor, &sam, "given");
    let (_, last) = waiter(&app, &advisor, &session, 0);
    act(&advisor, &alone, "decline").expect(200);
    assert_eq!(show(&advisor, &last)["status"], "waitlisted", "the party is before them again");
    leave(&advisor, &held[1]).expect(200);
    assert_eq!(show(&advisor, &of_party)["status"], "offered");
    assert_eq!(counts(&app, &session), (2, 1, 1));
}

#[test]
fn whoever_is_passed_over_is_sent_nothing() {
    let (app, mails) = App::with_mail();
    let advisor = app.advisor();
    let (session, held) = full(&app, &advisor, 1);
    let (peg, ann) = (reachable(&app, "Peg"), reachable(&app, "Ann"));
    let of_peg = wait(&advisor, &session, &peg, 0).expect(201);
    wait(&advisor, &session, &ann, 0).expect(201);
    app.at("2026-11-23T09:05:00Z");
    assert_eq!(mails.take(&app).len(), 2);
    decide(&app, &advisor, &peg, "withdrawn");
    leave(&advisor, &held).expect(200);
    let offered = mails.take_one(&app);
    assert_eq!((offered.to.as_str(), offered.subject.as_str()), ("ann@example.org", "A place is free"));
    assert!(told(&advisor, &peg).iter().all(|one| one.0 == "waitlisted"), "{:?}", told(&advisor, &peg));
    assert_eq!(show(&advisor, of_peg["id"].as_str().unwrap())["status"], "waitlisted");
}

#[test]
fn other_consents_take_nobody_off_a_list() {
    let app = App::start();
    let advisor = app.advisor();
    let (session, held) = full(&app, &advisor, 1);
    let (sam, of_sam) = waiter(&app, &advisor, &session, 0);
    for purpose in ["contact_email", "research", "share_with_gp"] {
        app.clock.set(app.clock.now().plus_seconds(1).0);
        let body = json!({ "purpose": purpose, "decision": "withdrawn", "evidence": "said so" });
        advisor.post(&format!("/v1/members/{sam}/consents"), &body).expect(201);
    }
    leave(&advisor, &held).expect(200);
    assert_eq!(show(&advisor, &of_sam)["status"], "offered");
}
