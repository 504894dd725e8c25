//! Items of prescriptions: how they run, and who may say so.

use life_rooms::prescriptions::items::rules;
use life_rooms::prescriptions::items::types::PrescriptionItemStatus;
use serde_json::{Value, json};
use strum::IntoEnumIterator;

use crate::prescriptions::{do_to, path, targets};
use crate::support::{App, Client, id, member, prescription};

#[test]
fn a_partners_answer_is_not_the_members_to_say() {
    let app = App::start();
    let (advisor, at) = (app.advisor(), targets(&app));
    let known = member(&advisor, "Ann", "Own");
    let draft = prescription(&advisor, id(&known));
    let body = json!({ "kind": "partner", "target_id": at.partner });
    let item = advisor.post(&format!("{}/items", path(&draft)), &body).expect(201);
    let item = format!("{}/items/{}", path(&draft), id(&item));
    let own = app.member(id(&known));
    own.patch(&item, "\"1\"", &json!({ "status": "accepted" })).invalid(&["/status"]);
    assert_eq!(advisor.patch(&item, "\"1\"", &json!({ "status": "accepted" })).expect(200)["status"], "accepted");
    assert_eq!(own.patch(&item, "\"2\"", &json!({ "status": "engaged" })).expect(200)["status"], "engaged");
}

#[test]
fn an_item_is_added_and_runs_its_course() {
    let app = App::start();
    let (advisor, at) = (app.advisor(), targets(&app));
    let known = member(&advisor, "Ann", "Own");
    let draft = prescription(&advisor, id(&known));
    let items = format!("{}/items", path(&draft));
    advisor.post(&items, &json!({ "kind": "advice", "need": "debt" })).invalid(&["/need"]);
    let body = json!({ "kind": "series", "target_id": at.series, "need": "loneliness" });
    let added = advisor.post(&items, &body);
    assert_eq!((added.status, added.etag()), (201, "\"1\""), "{}", added.text);
    let item = added.header("location").to_owned();
    assert_eq!(item, format!("{items}/{}", added.id()));
    let whole = advisor.get(&path(&draft));
    assert_eq!((whole.etag(), &whole.json["items"][1]), ("\"2\"", &added.json));

    advisor.patch(&item, "", &json!({ "status": "accepted" })).problem(428, "precondition-required");
    advisor.patch(&item, "\"2\"", &json!({ "status": "accepted" })).problem(412, "precondition-failed");
    advisor.patch(&item, "\"1\"", &json!({ "kind": "advice" })).invalid(&["/kind"]);
    let problem = advisor.patch(&item, "\"1\"", &json!({ "status": "completed" })).problem(409, "invalid-state");
    let detail = "The item is proposed and can't become completed. \
                  It can become accepted, declined, disengaged or unavailable.";
    assert_eq!(problem["detail"], detail);
    for (version, status) in ["accepted", "engaged", "completed"].into_iter().enumerate() {
        let etag = format!("\"{}\"", version + 1);
        let changed = advisor.patch(&item, &etag, &json!({ "status": status, "goal": "To come" })).expect(200);
        assert_eq!((&changed["status"], &changed["version"]), (&json!(status), &json!(version + 2)));
    }
    let problem = advisor.patch(&item, "\"4\"", &json!({ "status": "disengaged" })).problem(409, "invalid-state");
    assert_eq!(problem["detail"], "The item is completed and can't become disengaged. This is its last state.");
    assert_eq!(advisor.get(&path(&draft)).etag(), "\"5\"");
    let other = prescription(&advisor, id(&known));
    let elsewhere = item.replace(id(&draft), id(&other));
    advisor.patch(&elsewhere, "\"4\"", &json!({ "note": "x" })).problem(404, "not-found");
}

#[test]
fn a_referral_is_requested_and_rejected_only_with_a_reason() {
    let app = App::start();
    let (advisor, at) = (app.advisor(), targets(&app));
    let known = member(&advisor, "Ann", "Own");
    let draft = prescription(&advisor, id(&known));
    let referral = json!({ "kind": "partner", "target_id": at.partner });
    let added = advisor.post(&format!("{}/items", path(&draft)), &referral);
    assert_eq!(added.json["status"], "requested", "{}", added.text);
    let item = added.header("location");
    let detail = |client: &Client| {
        let problem = client.patch(item, "\"1\"", &json!({ "status": "engaged" })).problem(409, "invalid-state");
        problem["detail"].as_str().unwrap().split(". ").nth(1).unwrap().to_owned()
    };
    assert_eq!(detail(&advisor), "It can become accepted, rejected, declined, disengaged or unavailable.");
    // A member doesn't say what the partner answered.
    assert_eq!(detail(&app.member(id(&known))), "It can become declined, disengaged or unavailable.");
    advisor.patch(item, "\"1\"", &json!({ "status": "rejected" })).invalid(&["/reason"]);
    let rejected = advisor.patch(item, "\"1\"", &json!({ "status": "rejected", "reason": "No places" })).expect(200);
    assert_eq!((&rejected["status"], &rejected["reason"]), (&json!("rejected"), &json!("No places")));
    advisor.patch(item, "\"2\"", &json!({ "status": "accepted" })).problem(409, "invalid-state");
}

/// The list in the document is written by hand, so it is held against the rule.
#[test]
fn the_document_says_which_state_of_an_item_follows_which() {
    let document: Value = serde_json::from_str(&crate::support::committed()).unwrap();
    let said = &document["paths"]["/v1/prescriptions/{id}/items/{item_id}"]["patch"]["description"];
    let steps: Vec<&str> = said.as_str().unwrap().lines().filter(|line| line.starts_with("- from ")).collect();
    let names = |states: &[PrescriptionItemStatus]| states.iter().map(|state| format!("`{state}`")).collect::<Vec<_>>();
    let mut expected = Vec::new();
    for from in PrescriptionItemStatus::iter().filter(|from| !rules::next(*from).is_empty()) {
        let next = names(rules::next(from));
        let (last, others) = next.split_last().unwrap();
        expected.push(format!("- from `{from}` to {} or {last}", others.join(", ")));
    }
    let steps: Vec<&str> = steps.iter().map(|step| step.trim_end_matches([';', '.'])).collect();
    assert_eq!(steps, expected);
}

#[test]
fn a_refused_action_says_what_can_be_done() {
    let app = App::start();
    let advisor = app.advisor();
    let known = member(&advisor, "Ann", "Own");
    let draft = prescription(&advisor, id(&known));
    let detail = |verb: &str| do_to(&advisor, &draft, verb).problem(409, "invalid-state")["detail"].clone();
    assert_eq!(
        detail("complete"),
        "The prescription is draft and can't be completed. It can be activated or declined."
    );
    do_to(&advisor, &draft, "activate").expect(200);
    let expected = "The prescription is active and can't be activated. It can be completed, closed or declined.";
    assert_eq!(detail("activate"), expected);
    do_to(&advisor, &draft, "complete").expect(200);
    assert_eq!(detail("close"), "The prescription is completed and can't be closed. This is its last state.");
}
