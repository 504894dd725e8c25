//! People who come without a booking and are registered on the spot.

use life_rooms::auth::caller::Scope;
use serde_json::{Value, json};

use crate::registers::{STARTED, path, told};
use crate::support::{App, Client, SessionSeed, member_row, partner_row, session_row};

#[test]
fn an_advisor_registers_a_walk_in_on_the_spot_by_the_rules_of_registering() {
    let app = App::start();
    let session = session_row(&app, SessionSeed { capacity: Some(1), ..SessionSeed::default() });
    let (advisor, kim) = (app.advisor(), member_row(&app, "Kim", "Ashe"));
    app.at(STARTED);
    let person = |given: &str| json!({ "given_name": given, "family_name": "Reid", "roles": ["service_user"], "date_of_birth": "1961-04-02" });
    let with = |walk_ins: Value| json!({ "bookings": [], "walk_ins": walk_ins, "headcount": { "beneficiaries": 0, "family": 0, "carers": 0 } });
    let both = with(json!([{ "member_id": kim }, { "member": person("Peg") }]));
    let taken = advisor.put(&path(&session), "\"0\"", &both).expect(200);
    let names: Vec<&Value> =
        taken["walk_ins"].as_array().unwrap().iter().map(|w| &w["member"]["display_name"]).collect();
    assert_eq!(names.len(), 2);
    assert!(names.contains(&&json!("Peg Reid")) && names.contains(&&json!("Kim Ashe")));
    let peg = taken["walk_ins"].as_array().unwrap().iter().find(|w| w["member"]["display_name"] == "Peg Reid").unwrap();
    let peg = peg["member"]["id"].as_str().unwrap().to_owned();
    assert_eq!(advisor.get(&format!("/v1/members/{peg}")).expect(200)["date_of_birth"], "1961-04-02");
    assert_eq!((told(&app, &peg, "create", "member"), told(&app, &peg, "create", "walk_in")), (1, 1));

    // The same names and day of birth: perhaps the same person. Nothing is written until an advisor says not.
    let stays = json!([{ "member_id": kim }, { "member_id": peg }, { "member": person("peg") }]);
    let problem = advisor.put(&path(&session), "\"1\"", &with(stays.clone())).problem(409, "possible-duplicate");
    assert_eq!((problem["candidates"].as_array().unwrap().len(), &problem["candidates"][0]["id"]), (1, &json!(peg)));
    assert_eq!(problem["errors"][0]["pointer"], "/walk_ins/2/member");
    let people = |given: &str| {
        let found = advisor.post("/v1/members/search", &json!({ "name": format!("{given} reid") })).expect(200);
        // Those whose names only sound like that follow.
        let is_so = |item: &&Value| item["given_name"].as_str().unwrap().eq_ignore_ascii_case(given);
        found["items"].as_array().unwrap().iter().filter(is_so).count()
    };
    assert_eq!((people("peg"), advisor.get(&path(&session)).expect(200)["version"].clone()), (1, json!(1)));
    let confirmed = format!("{}?confirm_not_duplicate=true", path(&session));
    let taken = advisor.put(&confirmed, "\"1\"", &with(stays)).expect(200);
    assert_eq!((taken["walk_ins"].as_array().unwrap().len(), people("peg")), (3, 2));
    // Two that are alike in one register may be one person too, though nobody was registered before.
    let twins = json!([{ "member": person("Ida") }, { "member": person("Ida") }]);
    let problem = advisor.put(&path(&session), "\"2\"", &with(twins.clone())).problem(409, "possible-duplicate");
    assert_eq!((&problem["candidates"], people("ida")), (&json!([]), 0));
    let fault = json!({
        "pointer": "/walk_ins/1/member", "parameter": null, "code": "possible_duplicate",
        "detail": "May be the same person as /walk_ins/0/member."
    });
    assert_eq!(problem["errors"], json!([fault]));
    advisor.put(&confirmed, "\"2\"", &with(twins)).expect(200);
    assert_eq!(people("ida"), 2);
}

#[test]
fn a_walk_in_is_one_person_and_what_is_wrong_with_them_is_pointed_at() {
    let app = App::start();
    let reader = partner_row(&app, "the-reader");
    let session = session_row(&app, SessionSeed { partner_id: Some(&reader), ..SessionSeed::default() });
    let (advisor, kim) = (app.advisor(), member_row(&app, "Kim", "Ashe"));
    let person = |more: Value| {
        let mut person = json!({ "given_name": "Peg", "family_name": "Reid", "roles": ["service_user"] });
        person.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        person
    };
    let put = |client: &Client, walk_ins: Value| {
        let body = json!({ "bookings": [], "walk_ins": walk_ins, "headcount": { "beneficiaries": 1, "family": 0, "carers": 0 } });
        client.put(&path(&session), "\"0\"", &body)
    };
    let peg = person(json!({}));
    put(&advisor, json!([{ "member": peg }])).problem(409, "session-not-started");
    app.at(STARTED);
    let two = json!([{}, { "member_id": kim, "member": peg }, { "member": person(json!({ "phone": "12" })) }]);
    put(&advisor, two).invalid(&["/walk_ins/2/member/phone"]);
    let two = json!([{}, { "member_id": kim, "member": peg }]);
    let problem = put(&advisor, two).invalid(&["/walk_ins/0/member_id", "/walk_ins/1/member"]);
    assert_eq!(
        (&problem["errors"][0]["code"], &problem["errors"][1]["code"]),
        (&json!("required"), &json!("one_of_two"))
    );
    let unborn = json!([{ "member_id": kim }, { "member": person(json!({ "date_of_birth": "2026-12-01" })) }]);
    put(&advisor, unborn).invalid(&["/walk_ins/1/member/date_of_birth"]);
    let numbered = person(json!({ "nhs_number": "943 476 5919" }));
    advisor.post("/v1/members", &numbered).expect(201);
    let problem = put(&advisor, json!([{ "member": numbered }])).problem(409, "already-exists");
    assert_eq!(problem["errors"][0]["pointer"], "/walk_ins/0/member/nhs_number");
    // A partner counts people; it registers none.
    let client = app.partner_client(&reader, &[Scope::RegistersWrite]);
    let problem =
        put(&client, json!([{ "member": person(json!({ "given_name": "New" })) }])).invalid(&["/walk_ins/0/member"]);
    assert_eq!(problem["errors"][0]["code"], "not_yours");
    assert_eq!(advisor.get(&path(&session)).expect(200)["version"], 0);
    let found = advisor.post("/v1/members/search", &json!({ "name": "new reid" })).expect(200);
    assert!(found["items"].as_array().unwrap().iter().all(|item| item["given_name"] != "New"), "{found}");
}

#[test]
fn so_many_new_people_are_registered_at_once_and_no_more() {
    let app = App::start();
    let session = session_row(&app, SessionSeed { starts_at: "2026-11-23T08:00:00Z", ..SessionSeed::default() });
    let person = |n: usize| json!({ "member": { "given_name": "Sam", "family_name": format!("Ashe {n}"), "roles": ["public"] } });
    let body = json!({ "bookings": [], "walk_ins": (0..501).map(person).collect::<Vec<_>>(),
        "headcount": { "beneficiaries": 0, "family": 0, "carers": 0 } });
    let problem = app.advisor().put(&path(&session), "\"0\"", &body).invalid(&["/walk_ins"]);
    assert_eq!(problem["errors"][0]["code"], "too_many_new");
}
