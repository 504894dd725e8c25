//! Accounts that people make: by themselves, or because an advisor invites them.

use diesel::prelude::*;
use life_rooms::auth::caller::Role;
use life_rooms::db::Json;
use life_rooms::db::schema::{consents, members, one_time_links, users};
use serde_json::{Value, json};

use crate::account_links::{PASSWORD, form, invitation, take_up};
use crate::support::{App, member_row};

#[test]
fn somebody_registers_alone_and_has_a_record_an_account_and_their_consents() {
    let (app, mails) = App::with_mail();
    app.anonymous().post("/v1/members/self-registration", &form("Peg@Example.org")).expect(202);
    assert_eq!(members::table.count().get_result::<i64>(&mut app.conn()).unwrap(), 0, "nothing is kept before");
    let token = mails.take_one(&app).token();
    let confirm = |password: &str| {
        app.anonymous().post("/v1/auth/registrations/confirm", &json!({ "token": token, "password": password }))
    };
    assert_eq!(confirm("margaretreid").invalid(&["/password"])["errors"][0]["code"], "too_common");
    let tokens = confirm(PASSWORD).expect(201);
    let peg = app.with_token(tokens["access_token"].as_str().unwrap());
    let me = peg.get("/v1/me").expect(200);
    assert_eq!((&me["role"], &me["name"]), (&json!("member"), &json!("peg@example.org")));
    let member = me["member_id"].as_str().unwrap();
    let record = peg.get(&format!("/v1/members/{member}")).expect(200);
    assert_eq!((&record["email"], &record["roles"]), (&json!("Peg@example.org"), &json!(["service_user"])));
    let given = peg.get(&format!("/v1/members/{member}/consents")).expect(200);
    assert_eq!(given["items"][0]["purpose"], "contact_email");
    assert_eq!(given["items"][0]["evidence"], "by the member");
    let account = peg.get(&format!("/v1/members/{member}/account")).expect(200);
    assert_eq!((&account["email"], &account["last_login_on"]), (&json!("peg@example.org"), &json!("2026-11-23")));
    confirm(PASSWORD).problem(422, "link-not-valid");
    let kept: Option<Json<Value>> = one_time_links::table.select(one_time_links::form).first(&mut app.conn()).unwrap();
    assert!(kept.is_none(), "what Peg wrote is in her record, and nowhere else");
    assert_eq!(consents::table.count().get_result::<i64>(&mut app.conn()).unwrap(), 1);
}

#[test]
fn whoever_registers_is_thirteen_and_names_no_partner() {
    let (app, mails) = App::with_mail();
    let mut young = form("sam@example.org");
    young["date_of_birth"] = json!("2013-11-24");
    let problem = app.anonymous().post("/v1/members/self-registration", &young).invalid(&["/date_of_birth"]);
    assert_eq!(problem["errors"][0]["code"], "too_young");
    young["date_of_birth"] = json!("2026-11-24");
    app.anonymous().post("/v1/members/self-registration", &young).invalid(&["/date_of_birth"]);
    let mut partner = form("sam@example.org");
    partner["consents"] = json!([{ "purpose": "share_with_partner", "decision": "given" }]);
    app.anonymous().post("/v1/members/self-registration", &partner).invalid(&["/consents/0/purpose"]);
    let mut number = form("sam@example.org");
    number["nhs_number"] = json!("943 476 5919");
    app.anonymous().post("/v1/members/self-registration", &number).invalid(&["/nhs_number"]);
    assert!(mails.take(&app).is_empty());
    let mut old = form("sam@example.org");
    old["date_of_birth"] = json!("2013-11-23");
    app.anonymous().post("/v1/members/self-registration", &old).expect(202);
}

#[test]
fn an_invited_member_chooses_a_password_and_has_an_account() {
    let (app, mails) = App::with_mail();
    let (member, token) = invitation(&app, &mails, None);
    let tokens = take_up(&app, &token, &json!({})).expect(201);
    let peg = app.with_token(tokens["access_token"].as_str().unwrap());
    assert_eq!(peg.get("/v1/me").expect(200)["member_id"], json!(member));
    take_up(&app, &token, &json!({})).problem(422, "link-not-valid");
    let advisor = app.advisor();
    let path = format!("/v1/members/{member}/invitations");
    let again = advisor.post(&path, &json!({ "deliver": "email" }));
    again.problem(409, "already-exists");
    let list = advisor.get(&path).expect(200);
    assert_eq!(list["items"][0]["used_at"], "2026-11-23T09:00:00Z");
    let used = list["items"][0]["id"].as_str().unwrap();
    advisor.delete(&format!("{path}/{used}")).problem(409, "invalid-state");
    // The same address for somebody else.
    let other = member_row(&app, "Sam", "Riley");
    let taken = json!({ "email": "PEG@example.org", "deliver": "show" });
    advisor.post(&format!("/v1/members/{other}/invitations"), &taken).problem(409, "already-exists");
}

#[test]
fn an_invitation_asks_for_the_birthday_of_the_record_and_ends_with_the_third_wrong_one() {
    let (app, mails) = App::with_mail();
    let (_, token) = invitation(&app, &mails, Some("1961-04-02"));
    // A day that was forgotten isn't a wrong one.
    for _ in 0..4 {
        let problem = take_up(&app, &token, &json!({})).invalid(&["/date_of_birth"]);
        assert_eq!(problem["errors"][0]["code"], "required");
    }
    for wrong in ["1961-02-04", "1916-04-02"] {
        let problem = take_up(&app, &token, &json!({ "date_of_birth": wrong })).invalid(&["/date_of_birth"]);
        assert_eq!(problem["errors"][0]["code"], "does_not_match");
    }
    take_up(&app, &token, &json!({ "date_of_birth": "1961-04-03" })).invalid(&["/date_of_birth"]);
    take_up(&app, &token, &json!({ "date_of_birth": "1961-04-02" })).problem(422, "link-not-valid");
    assert_eq!(users::table.filter(users::role.eq(Role::Member)).count().get_result::<i64>(&mut app.conn()), Ok(0));
}

#[test]
fn an_invitation_that_was_taken_back_opens_nothing() {
    let (app, mails) = App::with_mail();
    let (member, token) = invitation(&app, &mails, None);
    let advisor = app.advisor();
    let path = format!("/v1/members/{member}/invitations");
    let id = advisor.get(&path).expect(200)["items"][0]["id"].as_str().unwrap().to_owned();
    let other = member_row(&app, "Sam", "Riley");
    advisor.delete(&format!("/v1/members/{other}/invitations/{id}")).problem(404, "not-found");
    advisor.delete(&format!("{path}/{id}")).expect(204);
    advisor.delete(&format!("{path}/{id}")).expect(204);
    take_up(&app, &token, &json!({})).problem(422, "link-not-valid");
}

#[test]
fn an_invitation_is_shown_once_also_to_whoever_repeats_the_request() {
    let (app, _mails) = App::with_mail();
    let (advisor, member) = (app.advisor(), member_row(&app, "Peg", "Reid"));
    let path = format!("/v1/members/{member}/invitations");
    let body = json!({ "email": "peg@example.org", "deliver": "show" });
    let key = [("idempotency-key", "one")];
    let first = advisor.post_with(&path, &key, &body).expect(201);
    assert!(first["link"].is_string());
    let again = advisor.post_with(&path, &key, &body).expect(201);
    assert_eq!((&again["id"], &again["link"]), (&first["id"], &Value::Null));
    advisor.post(&path, &json!({ "deliver": "email" })).invalid(&["/email"]);
}
