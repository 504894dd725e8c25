//! Links of old mails, after the record they were sent for was merged or erased; and who counts as having clicked.

use diesel::prelude::*;
use life_rooms::db::Id;
use life_rooms::db::schema::audit_events;
use serde_json::{Value, json};

use crate::erasures::{asked, execute};
use crate::exports::{document, make_documents, place};
use crate::mails::reachable;
use crate::merges::merge;
use crate::support::App;
use crate::unsubscribe::{ONE_CLICK, click, reminder, wants_reminders};

#[test]
fn a_link_from_before_a_merge_ends_the_reminders_of_the_record_there_is_now() {
    let (app, mails) = App::with_mail();
    let (advisor, peg, margaret) = (app.advisor(), reachable(&app, "Peg"), reachable(&app, "Margaret"));
    let (_, path) = reminder(&app, || mails.take_one(&app), &advisor, &peg);
    merge(&advisor, &json!({ "id": margaret }), &json!({ "id": peg })).expect(200);
    let answer = click(&app, &path, ONE_CLICK);
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert!(!answer.text.contains(&margaret), "a stranger learns nothing of the merge");
    assert!(!wants_reminders(&app, &margaret).0);
    assert_eq!(click(&app, &path, b"emails=none").status, 200);
    let consents = advisor.get(&format!("/v1/members/{margaret}/consents")).expect(200);
    assert_eq!(consents["items"][0]["purpose"], "contact_email", "{consents}");
}

#[test]
fn the_link_of_a_record_that_was_erased_leads_nowhere() {
    let (app, mails) = App::with_mail();
    let (advisor, peg) = (app.advisor(), reachable(&app, "Peg"));
    let (_, path) = reminder(&app, || mails.take_one(&app), &advisor, &peg);
    let request = asked(&advisor, &peg);
    execute(&app.admin(), &request, true).expect(200);
    for body in [ONE_CLICK, b"emails=none".as_slice()] {
        let problem = click(&app, &path, body).problem(404, "not-found");
        assert!(!problem.to_string().contains("erased"), "{problem}");
    }
}

#[test]
fn whoever_clicks_is_the_member_in_the_log_and_in_the_export() {
    let (app, mails) = App::with_mail();
    let (advisor, peg) = (app.advisor(), reachable(&app, "Peg"));
    let (_, path) = reminder(&app, || mails.take_one(&app), &advisor, &peg);
    assert_eq!(click(&app, &path, b"List-Unsubscribe=One-Click&emails=none").status, 200);
    assert_eq!(click(&app, &path, ONE_CLICK).status, 200);
    let actors: Vec<(String, Option<Id>)> = audit_events::table
        .filter(audit_events::member_id.eq(peg.parse::<Id>().unwrap()))
        .filter(audit_events::resource_kind.eq_any(["member", "consent"]))
        .filter(audit_events::action.eq_any(["change", "create"]))
        .select((audit_events::actor_kind, audit_events::actor_id))
        .load(&mut app.conn())
        .unwrap();
    let own = ("user".to_owned(), Some(peg.parse::<Id>().unwrap()));
    assert_eq!(actors, [own.clone(), own]);
    let log = advisor.get(&format!("/v1/members/{peg}/access-log")).expect(200);
    let clicked = |entry: &&Value| entry["action"] == json!("change") || entry["what"] == json!("consent");
    let entries: Vec<&Value> = log["items"].as_array().unwrap().iter().filter(clicked).collect();
    assert!(entries.len() >= 2 && entries.iter().all(|entry| entry["own"] == json!(true)), "{log}");
    let lead = app.advisor_who_may("subject_access");
    let body = json!({ "received_on": "2026-11-23", "how": "By letter" });
    let at = place(&lead.post(&format!("/v1/members/{peg}/export"), &body));
    app.at("2026-11-23T16:10:00Z");
    assert!(make_documents(&app));
    app.advisor_who_may("safeguarding").post(&format!("{at}/release"), &json!({})).expect(200);
    let document = document(&lead, &at, "application/json").expect(200);
    assert_eq!(document["consents"]["items"][0]["recorded_by"]["name"], "you", "{document}");
}
