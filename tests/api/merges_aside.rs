//! What of two records goes into one, and what is set aside.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::merges::{body, merge, path, person, two, undo};
use crate::support::{App, Client, consent_row, id, partner_row};

#[test]
fn consents_move_the_last_one_decides_and_differing_ones_are_named() {
    let app = App::start();
    let advisor = app.advisor();
    let (into, from) = two(&advisor);
    let partner = partner_row(&app, "the-reader");
    let say = |member: &Value, purpose: &str, decision: &str| {
        let body = json!({ "purpose": purpose, "decision": decision, "evidence": "Said so" });
        advisor.post(&format!("{}/consents", path(member)), &body).expect(201);
    };
    consent_row(&app, id(&into), &partner, "given");
    say(&from, "research", "given");
    say(&into, "contact_post", "given");
    app.at("2026-11-23T10:00:00Z");
    consent_row(&app, id(&from), &partner, "withdrawn");
    say(&into, "research", "given");
    say(&from, "contact_post", "withdrawn");
    app.at("2026-11-23T11:00:00Z");
    say(&into, "contact_post", "given");
    let merged = merge(&advisor, &into, &from).expect(200);
    let differ = json!([
        { "purpose": "contact_post", "partner_id": null, "into": "given", "from": "withdrawn", "decides": "given" },
        { "purpose": "share_with_partner", "partner_id": partner, "into": "given", "from": "withdrawn", "decides": "withdrawn" },
    ]);
    assert_eq!(merged["consents_differ"], differ);
    let first = advisor.get(&format!("{}/consents?limit=2", path(&into))).expect(200);
    let mut seen = first["items"].as_array().unwrap().clone();
    let mut next = first["next"].clone();
    while let Some(more) = next.as_str() {
        let page = advisor.get(more).expect(200);
        seen.extend(page["items"].as_array().unwrap().clone());
        next = page["next"].clone();
    }
    let ids: BTreeSet<&str> = seen.iter().map(id).collect();
    assert_eq!((seen.len(), ids.len()), (7, 7), "each once, though several were recorded at one instant");
}

#[test]
fn an_account_reads_another_record_only_if_somebody_has_made_sure_whose_it_is_and_its_owner_is_told() {
    let (app, mails) = App::with_mail();
    let advisor = app.advisor();
    let (into, from) = two(&advisor);
    let (own, other) = (app.member(id(&into)), app.member(id(&from)));
    let email = |client: &Client| client.get("/v1/me").expect(200)["name"].as_str().unwrap().to_owned();
    let (kept, closed) = (email(&own), email(&other));
    let path = format!("{}/merge", path(&into));
    let asked = |more: Value| {
        let mut asked = body(&advisor, &into, &from);
        let written = asked.as_object_mut().unwrap();
        written.remove("account_checked");
        written.extend(more.as_object().unwrap().clone());
        asked
    };
    let ids = [&own, &other].map(|client| client.id.unwrap().to_string());
    let refused = advisor.post(&path, &asked(json!({}))).problem(409, "merge-conflict");
    assert_eq!(refused["conflicts"], json!([{ "kind": "account", "ids": ids }]));
    let accounts = json!([
        { "id": ids[0], "member_id": into["id"], "email": kept, "stays": true },
        { "id": ids[1], "member_id": from["id"], "email": closed, "stays": false },
    ]);
    assert_eq!(advisor.post(&path, &asked(json!({ "dry_run": true }))).expect(200)["accounts"], accounts);
    assert!(mails.take(&app).is_empty(), "nothing was done");
    let done = advisor.post(&path, &asked(json!({ "account_checked": true }))).expect(200);
    assert_eq!(done["accounts"], accounts);
    let told: BTreeMap<String, String> = mails.take(&app).into_iter().map(|mail| (mail.to, mail.text)).collect();
    assert_eq!(told.keys().collect::<BTreeSet<_>>(), BTreeSet::from([&kept, &closed]));
    assert!(told[&kept].contains("You see all of it when you log in"), "{}", told[&kept]);
    assert!(told[&closed].contains("You can't log in with this e-mail address any more"), "{}", told[&closed]);
    let listed = own.get(&format!("/v1/members/{}/messages", id(&into))).expect(200);
    assert_eq!(listed["items"][0]["text"], "We had two records about you, and made one of them.");
    assert_eq!(listed["items"].as_array().unwrap().len(), 1, "{listed}");
}

#[test]
fn of_two_accounts_the_one_of_the_record_stays_and_the_other_is_disabled() {
    let app = App::start();
    let advisor = app.advisor();
    let (into, from) = two(&advisor);
    let (own, other) = (app.member(id(&into)), app.member(id(&from)));
    let merged = merge(&advisor, &into, &from).expect(200);
    assert_eq!(merged["set_aside"], json!([{ "kind": "account", "id": other.id.unwrap().to_string() }]));
    assert_eq!((own.get("/v1/me").status, merged["moved"]["users"].clone()), (200, json!(0)));
    other.get("/v1/me").problem(401, "unauthenticated");
    undo(&advisor, &merged).expect(200);
    assert_eq!(advisor.get(&format!("{}/account", path(&from))).expect(200)["disabled"], false);
    // Its logins ended, and don't come to life again.
    other.get("/v1/me").problem(401, "unauthenticated");
}

#[test]
fn of_two_sets_of_needs_and_answers_the_records_own_stays() {
    let app = App::start();
    let advisor = app.advisor();
    let (into, from) = two(&advisor);
    let need = |code: &str| json!({ "needs": [{ "category": "information_format", "code": code, "share": true }] });
    for (member, code, sex) in [(&into, "large_print", "female"), (&from, "braille", "male")] {
        advisor.put(&format!("{}/access-needs", path(member)), "\"0\"", &need(code)).expect(200);
        advisor.patch(&format!("{}/equality-monitoring", path(member)), "\"0\"", &json!({ "sex": sex })).expect(200);
    }
    let merged = merge(&advisor, &into, &from).expect(200);
    let aside = json!([{ "kind": "access_needs", "id": from["id"] }, { "kind": "equality_answers", "id": from["id"] }]);
    assert_eq!((&merged["set_aside"], &merged["moved"]["access_needs"]), (&aside, &json!(0)));
    let needs =
        |member: &Value| advisor.get(&format!("{}/access-needs", path(member))).expect(200)["needs"][0]["code"].clone();
    assert_eq!(needs(&into), "large_print");
    undo(&advisor, &merged).expect(200);
    assert_eq!((needs(&into), needs(&from)), (json!("large_print"), json!("braille")));
    let own = app.member(id(&from));
    assert_eq!(own.get(&format!("{}/equality-monitoring", path(&from))).expect(200)["sex"], "male");
}

#[test]
fn a_need_or_an_answer_that_was_written_down_wins_over_nothing() {
    let app = App::start();
    let advisor = app.advisor();
    let (into, from) = two(&advisor);
    let needs = |member: &Value| format!("{}/access-needs", path(member));
    let answers = |member: &Value| format!("{}/equality-monitoring", path(member));
    advisor.put(&needs(&into), "\"0\"", &json!({ "none": true, "needs": [] })).expect(200);
    advisor.put(&needs(&into), "\"1\"", &json!({ "none": true, "needs": [], "review_on": "2027-12-01" })).expect(200);
    let braille = json!({ "needs": [{ "category": "information_format", "code": "braille", "share": true }] });
    advisor.put(&needs(&from), "\"0\"", &braille).expect(200);
    advisor.patch(&answers(&into), "\"0\"", &json!({ "sex": "male" })).expect(200);
    advisor.patch(&answers(&into), "\"1\"", &json!({ "sex": null })).expect(200);
    advisor.patch(&answers(&from), "\"0\"", &json!({ "sex": "female" })).expect(200);
    let merged = merge(&advisor, &into, &from).expect(200);
    let aside = json!([{ "kind": "access_needs", "id": into["id"] }, { "kind": "equality_answers", "id": into["id"] }]);
    assert_eq!(merged["set_aside"], aside);
    assert_eq!((&merged["moved"]["access_needs"], &merged["moved"]["equality_answers"]), (&json!(1), &json!(1)));
    let now = advisor.get(&needs(&into)).expect(200);
    assert_eq!((&now["none"], &now["needs"][0]["code"]), (&json!(false), &json!("braille")));
    assert_eq!(now["version"], 3, "no version comes twice");
    assert_eq!(advisor.get(&path(&into)).expect(200)["has_access_needs"], true);
    let own = app.member(id(&into));
    assert_eq!(own.get(&answers(&into)).expect(200)["sex"], "female");
    undo(&advisor, &merged).expect(200);
    let (one, other) = (advisor.get(&needs(&into)).expect(200), advisor.get(&needs(&from)).expect(200));
    assert_eq!((&one["none"], &one["needs"], &one["review_on"]), (&json!(true), &json!([]), &json!("2027-12-01")));
    assert_eq!(other["needs"][0]["code"], "braille");
    assert_eq!(own.get(&answers(&into)).expect(200)["sex"], Value::Null);
}

#[test]
fn a_relationship_that_both_have_is_there_once() {
    let app = App::start();
    let advisor = app.advisor();
    let (into, from) = two(&advisor);
    let sam = person(&advisor, "Sam", json!({}));
    let mut made = Vec::new();
    for (member, kind) in [(&into, "carer_of"), (&from, "carer_of"), (&from, "family_of")] {
        let cares = json!({ "from_member": sam["id"], "to_member": member["id"], "kind": kind });
        made.push(advisor.post(&format!("{}/relationships", path(member)), &cares).expect(201));
    }
    let merged = merge(&advisor, &into, &from).expect(200);
    assert_eq!(merged["set_aside"], json!([{ "kind": "relationship", "id": made[1]["id"] }]));
    assert_eq!(merged["moved"]["relationships"], 1);
    let count = |member: &Value| {
        advisor.get(&format!("{}/relationships", path(member))).expect(200)["items"].as_array().unwrap().len()
    };
    assert_eq!((count(&into), count(&sam)), (2, 2));
    undo(&advisor, &merged).expect(200);
    assert_eq!((count(&into), count(&from), count(&sam)), (1, 2, 3));
}

#[test]
fn possible_duplicates_of_the_old_record_go_and_the_pair_says_that_it_was_merged() {
    let app = App::start();
    let advisor = app.advisor();
    let born = |given: &str| person(&advisor, given, json!({ "date_of_birth": "1961-04-02" }));
    let (into, from, third) = (born("Nadia"), born("Nadja"), born("Amy"));
    let pair = format!("/v1/possible-duplicates/{}/{}", id(&into), id(&from));
    let before = advisor.get(&pair).expect(200);
    let of = |member: &Value| {
        advisor.get(&format!("{}/possible-duplicates", path(member))).expect(200)["items"].as_array().unwrap().len()
    };
    assert_eq!(of(&third), 2);
    let merged = merge(&advisor, &into, &from).expect(200);
    assert_eq!(of(&third), 1);
    let now = advisor.get(&pair);
    let shown: Vec<&Value> = now.json["members"].as_array().unwrap().iter().map(|member| &member["id"]).collect();
    assert_eq!((&now.json["status"], shown), (&json!("merged"), vec![&into["id"]]));
    advisor.patch(&pair, now.etag(), &json!({ "status": "not_same" })).problem(409, "invalid-state");
    undo(&advisor, &merged).expect(200);
    assert_eq!((of(&third), &advisor.get(&pair).expect(200)["status"]), (2, &before["status"]));
}
