//! What a carer is told of the bookings that they made for somebody: only while they may book for them.

use diesel::prelude::*;
use life_rooms::db::schema::{members, messages};
use life_rooms::db::{Id, Json};
use serde_json::{Value, json};

use crate::erasures::{asked, execute};
use crate::exports::{PASSWORD, document, make_documents, own_account, place};
use crate::mails::{book, library, reachable, told};
use crate::mails_of_changes::{carer, change, texts};
use crate::merges::{merge, person};
use crate::support::{App, id};
use crate::upgrades::{migrate_command, take_back};

/// How many messages about this person's bookings are kept for others.
fn about(app: &App, person: &str) -> i64 {
    let theirs = messages::table.filter(messages::cared_for.eq(person.parse::<Id>().unwrap()));
    theirs.count().get_result(&mut app.conn()).unwrap()
}

#[test]
fn a_former_carer_reads_nothing_more_of_whom_they_cared_for() {
    let (app, mails, advisor, session) = library(None);
    let (cara, sid, relationship, tag) = carer(&app, &advisor);
    let client = own_account(&app, &cara);
    book(&client, &session, &sid);
    app.at("2026-11-23T09:02:00Z");
    mails.take_one(&app);
    assert!(texts(&client, &cara)[0].starts_with("For Sid: You have a place"));
    advisor.patch(&relationship, &tag, &json!({ "status": "ended" })).expect(200);
    change(&app, &session, &json!({ "local_start": "2026-11-30T15:00:00", "reason": "Later" }));
    app.at("2026-11-23T09:20:00Z");
    assert!(mails.take(&app).is_empty());
    for reader in [&client, &advisor] {
        assert_eq!(texts(reader, &cara), Vec::<String>::new(), "neither what was sent nor what came later");
    }
    assert_eq!(about(&app, &sid), 1, "nothing is queued for a relationship that has ended");
    let export = client.post(&format!("/v1/members/{cara}/export"), &json!({ "current_password": PASSWORD }));
    let at = place(&export);
    app.at("2026-11-23T09:20:02Z");
    assert!(make_documents(&app));
    let items = document(&client, &at, "application/json").json["messages"]["items"].clone();
    let kinds: Vec<&Value> = items.as_array().unwrap().iter().map(|item| &item["kind"]).collect();
    assert!(kinds.iter().all(|kind| **kind == json!("export_ready")), "{items}");
    // Nothing of it is left when Sid is erased.
    let request = asked(&advisor, &sid);
    execute(&app.admin(), &request, true).expect(200);
    assert_eq!(about(&app, &sid), 0);
}

#[test]
fn what_a_carer_is_told_follows_a_merge_of_whom_they_care_for() {
    let (app, mails, advisor, session) = library(None);
    let (cara, sid, ..) = carer(&app, &advisor);
    let client = app.member(&cara);
    book(&client, &session, &sid);
    let other = person(&advisor, "Sidney", json!({}));
    app.at("2026-11-23T09:01:00Z");
    let merged = merge(&advisor, &other, &json!({ "id": sid })).expect(200);
    app.at("2026-11-23T09:02:00Z");
    let mail = mails.take_one(&app);
    assert_eq!(mail.to, "cara@example.org");
    assert!(texts(&client, &cara)[0].starts_with("For Sidney: You have a place"));
    assert_eq!((about(&app, &sid), about(&app, id(&other))), (0, 1));
    app.at("2026-11-23T09:03:00Z");
    advisor.post(&format!("/v1/merges/{}/undo", merged["merge_id"].as_str().unwrap()), &json!({})).expect(200);
    assert_eq!((about(&app, &sid), about(&app, id(&other))), (1, 0));
}

#[test]
fn a_carer_with_two_accounts_keeps_what_they_booked_after_a_merge() {
    let (app, mails, advisor, session) = library(None);
    let (old, sid, ..) = carer(&app, &advisor);
    let held = book(&app.member(&old), &session, &sid);
    let new = reachable(&app, "Caroline");
    let client = app.member(&new);
    app.at("2026-11-23T09:02:00Z");
    mails.take(&app);
    // The account of the record that is merged is disabled and stays with it.
    merge(&advisor, &json!({ "id": new }), &json!({ "id": old })).expect(200);
    assert_eq!(mails.take(&app).len(), 2, "the owners of the accounts are told");
    let path = format!("/v1/bookings/{}", id(&held));
    assert_eq!(client.get(&path).expect(200)["member_id"], json!(sid));
    let list = client.get(&format!("/v1/sessions/{session}/bookings")).expect(200);
    assert_eq!(list["items"][0]["id"], held["id"]);
    app.at("2026-11-23T09:03:00Z");
    change(&app, &session, &json!({ "local_start": "2026-11-30T15:00:00", "reason": "Later" }));
    app.at("2026-11-23T09:20:00Z");
    let mail = mails.take_one(&app);
    assert_eq!(mail.to, "caroline@example.org");
    assert!(mail.text.contains("For somebody you booked for:"), "{}", mail.text);
    assert_eq!(told(&client, &new)[0].0, "moved");
    client.delete(&path).expect(200);
    let email: Option<String> =
        members::table.find(new.parse::<Id>().unwrap()).select(members::email).first(&mut app.conn()).unwrap();
    assert_eq!(email.as_deref(), Some("caroline@example.org"));
}

#[test]
fn what_carers_were_told_before_the_upgrade_is_theirs_to_read_as_long_as_they_may() {
    let (app, mails, advisor, session) = library(None);
    let (cara, sid, relationship, tag) = carer(&app, &advisor);
    let client = app.member(&cara);
    book(&client, &session, &sid);
    app.at("2026-11-23T09:02:00Z");
    mails.take_one(&app);
    let payload = || -> Value {
        let of_cara = messages::table.filter(messages::member_id.eq(cara.parse::<Id>().unwrap()));
        of_cara.select(messages::payload).first::<Json<Value>>(&mut app.conn()).unwrap().0
    };
    take_back(&app, "20261201000008");
    assert_eq!(payload()["cared_for"], json!(sid), "as the version before wrote it");
    assert_eq!(migrate_command(&app), "Applied: 20261201000008\n");
    assert_eq!((payload()["cared_for"].clone(), about(&app, &sid)), (Value::Null, 1));
    assert!(texts(&client, &cara)[0].starts_with("For Sid: You have a place"));
    advisor.patch(&relationship, &tag, &json!({ "status": "ended" })).expect(200);
    assert!(texts(&client, &cara).is_empty());
}
