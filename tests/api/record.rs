//! The record of a member: names, addresses, what is safe, and the day of the last activity.

use chrono::NaiveDate;
use diesel::prelude::*;
use life_rooms::db::Id;
use life_rooms::db::schema::{audit_events, members};
use serde_json::{Value, json};

use crate::support::{App, Client, SessionSeed, id, member, member_row, session_row};

fn path(member: &Value) -> String {
    format!("/v1/members/{}", id(member))
}

fn found(advisor: &Client, search: Value) -> Vec<String> {
    let found = advisor.post("/v1/members/search", &search).expect(200);
    found["items"].as_array().unwrap().iter().map(|item| id(item).to_owned()).collect()
}

fn events(app: &App, member: &Value) -> i64 {
    let of = audit_events::table.filter(audit_events::member_id.eq(id(member).parse::<Id>().unwrap()));
    of.count().get_result(&mut app.conn()).unwrap()
}

fn person(given: &str, family: &str) -> Value {
    json!({ "given_name": given, "family_name": family, "date_of_birth": "1980-05-17", "roles": ["service_user"] })
}

#[test]
fn somebody_with_one_name_has_no_family_name_and_is_found_by_it() {
    let app = App::start();
    let advisor = app.advisor();
    let known = advisor.post("/v1/members", &json!({ "given_name": "Suharto", "roles": ["carer"] })).expect(201);
    assert_eq!(known["family_name"], Value::Null);
    assert_eq!(found(&advisor, json!({ "name": "suharto" })), [id(&known)]);
    let named = advisor.patch(&path(&known), "\"1\"", &json!({ "family_name": "Reid" })).expect(200);
    let cleared = advisor.patch(&path(&named), "\"2\"", &json!({ "family_name": null })).expect(200);
    assert_eq!(cleared["family_name"], Value::Null);
}

#[test]
fn spellings_of_a_name_have_one_key_and_are_duplicates() {
    let app = App::start();
    let advisor = app.advisor();
    for (written, other) in [
        (("Андрей", "Шевченко"), ("Андреи\u{306}", "Шевченко")),
        (("ΝΙΚΟΣ", "Παππάς"), ("Νικος", "Παππας")),
        (("Ṣade", "Ade"), ("Sade", "Ade")),
        (("Oksana", "D'Yak"), ("Oksana", "D\u{2bc}Yak")),
    ] {
        let known = advisor.post("/v1/members", &person(written.0, written.1)).expect(201);
        let problem = advisor.post("/v1/members", &person(other.0, other.1)).problem(409, "possible-duplicate");
        assert_eq!(problem["candidates"][0]["id"], known["id"], "{other:?}");
        assert_eq!(found(&advisor, json!({ "name": other.0 })), [id(&known)], "{other:?}");
    }
}

#[test]
fn vowel_signs_of_hindi_names_stay_in_the_key() {
    let app = App::start();
    let advisor = app.advisor();
    let known = advisor.post("/v1/members", &person("हिन्दी", "मीरा")).expect(201);
    advisor.post("/v1/members", &person("हन्द", "मरा")).expect(201);
    assert_eq!(found(&advisor, json!({ "name": "हिन्दी" })), [id(&known)]);
}

#[test]
fn former_names_find_a_member_and_stand_in_no_list() {
    let app = App::start();
    let advisor = app.advisor();
    let body = json!({ "given_name": "Margaret", "family_name": "Reid", "former_names": ["Margaret Wyn-Jones", "Peggy"], "roles": ["carer"] });
    let known = advisor.post("/v1/members", &body).expect(201);
    assert_eq!(known["former_names"], json!(["Margaret Wyn-Jones", "Peggy"]));
    for name in ["wyn-jones", "wynjones", "jones marg", "peggy reid", "margaretwyn"] {
        let answer = advisor.post("/v1/members/search", &json!({ "name": name }));
        assert!(!answer.text.contains("Wyn") && !answer.text.contains("Peggy"), "{}", answer.text);
        assert_eq!(answer.json["items"][0]["id"], known["id"], "{name}");
    }
    let own = app.member(id(&known));
    let refused = own.patch(&path(&known), "\"1\"", &json!({ "former_names": [] })).invalid(&["/former_names"]);
    assert_eq!(refused["errors"][0]["code"], "not_yours");
    advisor.patch(&path(&known), "\"1\"", &json!({ "former_names": ["Peggy"] })).expect(200);
    assert_eq!(found(&advisor, json!({ "name": "wynjones" })), Vec::<String>::new());
    let six = json!({ "former_names": ["A", "B", "C", "D", "E", "F"] });
    advisor.patch(&path(&known), "\"2\"", &six).invalid(&["/former_names"]);
    let bad = json!({ "former_names": ["Ann\u{202e}", "-", "Ann", "Ann"] });
    advisor.patch(&path(&known), "\"2\"", &bad).invalid(&["/former_names/0", "/former_names/1", "/former_names/3"]);
}

#[test]
fn objects_are_merged_lists_are_replaced_and_null_gives_the_default_back() {
    let app = App::start();
    let advisor = app.advisor();
    let known = member(&advisor, "Ann", "Own");
    let own = app.member(id(&known));
    let change = json!({ "line_1": "12 Rice Lane", "line_2": "Walton", "town": "Liverpool", "message_details": "full",
        "safe_contact": { "voicemail": false }, "contact_preferences": { "email": true } });
    let changed = own.patch(&path(&known), "\"1\"", &change).expect(200);
    assert_eq!(changed["safe_contact"], json!({ "voicemail": false, "letters": true, "say_who": true }));
    assert_eq!((&changed["line_1"], &changed["message_details"]), (&json!("12 Rice Lane"), &json!("full")));
    let second = json!({ "safe_contact": { "say_who": false }, "line_2": null, "message_details": null });
    let changed = own.patch(&path(&known), "\"2\"", &second).expect(200);
    assert_eq!(changed["safe_contact"], json!({ "voicemail": false, "letters": true, "say_who": false }));
    assert_eq!((&changed["line_2"], &changed["message_details"]), (&Value::Null, &json!("neutral")));
    let third = json!({ "safe_contact": null, "roles": null });
    advisor.patch(&path(&known), "\"3\"", &third).invalid(&["/roles"]);
    let changed =
        advisor.patch(&path(&known), "\"3\"", &json!({ "safe_contact": null, "roles": ["carer"] })).expect(200);
    assert_eq!(changed["safe_contact"], json!({ "voicemail": true, "letters": true, "say_who": true }));
    assert_eq!(changed["roles"], json!(["carer"]));
}

#[test]
fn a_patch_that_changes_nothing_answers_the_record_as_it_is() {
    let app = App::start();
    let advisor = app.advisor();
    let known = member(&advisor, "Ann", "Own");
    let own = app.member(id(&known));
    let full = json!({ "phone": "0151 496 0123", "postcode": "l91aa", "former_names": ["Ann Other"] });
    advisor.patch(&path(&known), "\"1\"", &full).expect(200);
    let (before, told) = (own.get(&path(&known)), events(&app, &known));
    for patch in [
        json!({}),
        json!({ "phone": "+44 (0)151 496 0123", "postcode": "L9 1AA", "family_name": "Own" }),
        json!({ "safe_contact": {}, "contact_preferences": { "email": false }, "line_1": null }),
    ] {
        let answer = own.patch(&path(&known), before.etag(), &patch);
        assert_eq!((answer.status, answer.etag(), &answer.json), (200, before.etag(), &before.json), "{patch}");
        assert_eq!(events(&app, &known), told, "{patch}");
    }
    // An advisor is shown the record by it, which is a read and no change.
    let answer = advisor.patch(&path(&known), "\"2\"", &json!({ "former_names": ["Ann Other"] }));
    assert_eq!((answer.etag(), events(&app, &known)), (before.etag(), told + 1));
}

#[test]
fn an_e_mail_address_finds_everybody_who_has_it_whatever_its_case() {
    let app = App::start();
    let advisor = app.advisor();
    let with_email = |given: &str, email: Value| {
        let body = json!({ "given_name": given, "family_name": "Reid", "email": email, "phone": "0151 496 0123", "roles": ["public"] });
        advisor.post("/v1/members?confirm_not_duplicate=true", &body).expect(201)
    };
    let (ann, bob) =
        (with_email("Ann", json!("Peg.Reid@Example.org")), with_email("Bob", json!("peg.reid@example.org")));
    with_email("Cat", Value::Null);
    let answer = advisor.post("/v1/members/search", &json!({ "email": "PEG.REID@example.ORG" })).expect(200);
    let people = [(id(&ann), "P…@example.org"), (id(&bob), "p…@example.org")];
    for (item, (member, hint)) in answer["items"].as_array().unwrap().iter().zip(people) {
        assert_eq!((id(item), item["email_hint"].as_str().unwrap()), (member, hint));
        assert_eq!(item["phone_ends"], "…123");
    }
    assert_eq!(answer["items"].as_array().unwrap().len(), 2);
    assert_eq!(found(&advisor, json!({ "email": "peg.reid@example.org", "name": "bob" })), [id(&bob)]);
    advisor.post("/v1/members/search", &json!({ "email": "nobody" })).invalid(&["/email"]);
    let plain = advisor.post("/v1/members/search", &json!({ "name": "cat" })).expect(200);
    assert_eq!(plain["items"][0]["email_hint"], Value::Null);
    advisor.patch(&path(&ann), "\"1\"", &json!({ "email": null })).expect(200);
    assert_eq!(found(&advisor, json!({ "email": "peg.reid@example.org" })), [id(&bob)]);
}

#[test]
fn numbers_are_read_whatever_separates_their_digits() {
    let app = App::start();
    let advisor = app.advisor();
    let body = |number: usize, phone: &str, nhs: &str, postcode: &str| json!({ "given_name": format!("N{number}"), "phone": phone, "nhs_number": nhs, "postcode": postcode, "roles": ["public"] });
    for (number, (phone, nhs, postcode)) in [
        ("\u{202a}+44 (0)151\u{2011}496\u{a0}0123\u{202c}", "943\u{a0}476\u{2013}5919", "l9\u{a0}1aa"),
        ("+353 (0)1/234.5678", "400.000.0020", "L9\u{2010}1AA"),
    ]
    .into_iter()
    .enumerate()
    {
        let made = advisor.post("/v1/members", &body(number, phone, nhs, postcode)).expect(201);
        let phones = ["+441514960123", "+35312345678"];
        assert_eq!((&made["phone"], &made["postcode"]), (&json!(phones[number]), &json!("L9 1AA")));
    }
    let same = body(3, "0151 496 0124", "000 000 0000", "L9 1AA");
    let problem = advisor.post("/v1/members", &same).invalid(&["/nhs_number"]);
    assert_eq!(problem["errors"][0]["code"], "not_issued");
}

#[test]
fn the_day_of_the_last_activity_moves_without_a_new_version() {
    let app = App::start();
    let advisor = app.advisor();
    let ann = member_row(&app, "Ann", "A");
    let day = || -> Option<NaiveDate> {
        let of = members::table.find(ann.parse::<Id>().unwrap()).select(members::last_activity_on);
        of.first(&mut app.conn()).unwrap()
    };
    let is = |text: &str| assert_eq!(day(), Some(text.parse().unwrap()));
    let session = session_row(&app, SessionSeed::default());
    assert_eq!(day(), None, "registering is no activity");
    advisor.get(&format!("/v1/members/{ann}")).expect(200);
    assert_eq!(day(), None, "nor is being looked at");

    advisor.post(&format!("/v1/sessions/{session}/bookings"), &json!({ "member_id": ann })).expect(201);
    is("2026-11-23");
    app.at("2026-11-24T23:30:00Z");
    let consent = json!({ "purpose": "research", "decision": "given", "evidence": "Form" });
    advisor.post(&format!("/v1/members/{ann}/consents"), &consent).expect(201);
    is("2026-11-24");
    app.at("2026-11-25T09:00:00Z");
    let prescription = json!({ "member_id": ann, "origin": "advisor", "needs": [], "items": [] });
    advisor.post("/v1/prescriptions", &prescription).expect(201);
    is("2026-11-25");

    // Attendance counts for the day of the session, and doesn't put the day back.
    app.at("2026-12-03T09:00:00Z");
    let register = format!("/v1/sessions/{session}/register");
    let booking = advisor.get(&register).expect(200)["bookings"][0]["booking_id"].clone();
    let taken = |attended: Value| {
        json!({ "bookings": [{ "booking_id": booking, "attended": attended }], "walk_ins": [],
            "headcount": { "beneficiaries": 0, "family": 0, "carers": 0 } })
    };
    advisor.put(&register, "\"0\"", &taken(json!(false))).expect(200);
    is("2026-11-25");
    advisor.put(&register, "\"1\"", &taken(json!(true))).expect(200);
    is("2026-11-30");
    let earlier = session_row(&app, SessionSeed { starts_at: "2026-11-20T09:00:00Z", ..SessionSeed::default() });
    let walked = json!({ "bookings": [], "walk_ins": [{ "member_id": ann }],
        "headcount": { "beneficiaries": 0, "family": 0, "carers": 0 } });
    advisor.put(&format!("/v1/sessions/{earlier}/register"), "\"0\"", &walked).expect(200);
    is("2026-11-30");
    assert_eq!(advisor.get(&format!("/v1/members/{ann}")).expect(200)["version"], 1);

    // A change of the record leaves the day as it is.
    advisor.patch(&format!("/v1/members/{ann}"), "\"1\"", &json!({ "town": "Bootle" })).expect(200);
    is("2026-11-30");
}

#[test]
fn logging_in_is_an_activity() {
    use life_rooms::db::schema::users;
    let app = App::start();
    let ann = member_row(&app, "Ann", "A");
    let account = app.member(&ann).id.unwrap();
    let password = "paper boat under the lamp";
    let hash = life_rooms::auth::password::hash(password).unwrap();
    let row = (users::email.eq("ann@example.org"), users::password_hash.eq(hash));
    diesel::update(users::table.find(account)).set(row).execute(&mut app.conn()).unwrap();
    let log_in = json!({ "email": "ann@example.org", "password": password });
    app.anonymous().post("/v1/auth/login", &log_in).expect(200);
    let of = members::table.find(ann.parse::<Id>().unwrap()).select(members::last_activity_on);
    let day: Option<NaiveDate> = of.first(&mut app.conn()).unwrap();
    assert_eq!(day, Some("2026-11-23".parse().unwrap()));
}

#[test]
fn the_day_of_an_activity_is_that_of_london_in_summer_too() {
    let app = App::start();
    let ann = member_row(&app, "Ann", "A");
    app.at("2027-06-22T23:30:00Z");
    let consent = json!({ "purpose": "research", "decision": "given", "evidence": "Form" });
    app.advisor().post(&format!("/v1/members/{ann}/consents"), &consent).expect(201);
    let of = members::table.find(ann.parse::<Id>().unwrap()).select(members::last_activity_on);
    let day: Option<NaiveDate> = of.first(&mut app.conn()).unwrap();
    assert_eq!(day, Some("2027-06-23".parse().unwrap()));
}

#[test]
fn a_member_writes_no_address_into_their_record_that_they_have_not_confirmed() {
    let app = App::start();
    let (advisor, peg) = (app.advisor(), member_row(&app, "Peg", "Reid"));
    let own = app.member(&peg);
    let path = format!("/v1/members/{peg}");
    let tag = || own.get(&path).etag().to_owned();
    let refused = own.patch(&path, &tag(), &json!({ "email": "stranger@example.net" })).invalid(&["/email"]);
    assert_eq!(refused["errors"][0]["code"], "not_confirmed");
    let account = own.get(&format!("{path}/account")).expect(200)["email"].as_str().unwrap().to_owned();
    let shouted = account.to_uppercase();
    own.patch(&path, &tag(), &json!({ "email": shouted })).expect(200);
    // What stands may be sent back with another change, and anybody may take their address out.
    let stands = own.get(&path).expect(200)["email"].clone();
    own.patch(&path, &tag(), &json!({ "email": stands, "pronouns": "she/her" })).expect(200);
    own.patch(&path, &tag(), &json!({ "email": null })).expect(200);
    advisor.patch(&path, &tag(), &json!({ "email": "peg@example.net" })).expect(200);
}
