//! Equality monitoring: the member reads the answers, an advisor only which there are, everybody else nothing.

use diesel::prelude::*;
use life_rooms::db::schema::audit_events;
use life_rooms::db::{Id, Json};
use serde_json::{Value, json};

use crate::support::{App, member_row, partner_row};

const QUESTIONS: [&str; 9] = [
    "ethnicity",
    "sex",
    "gender_same_as_registered",
    "sexual_orientation",
    "religion",
    "long_lasting_condition",
    "activities_reduced",
    "unpaid_carer",
    "main_language",
];

fn path(member: &str) -> String {
    format!("/v1/members/{member}/equality-monitoring")
}

fn fields_of_changes(app: &App, member: &str) -> Vec<Vec<String>> {
    let rows: Vec<Json<Vec<String>>> = audit_events::table
        .filter(audit_events::member_id.eq(member.parse::<Id>().unwrap()))
        .filter(audit_events::action.eq("change"))
        .select(audit_events::fields)
        .load(&mut app.conn())
        .unwrap();
    let mut fields: Vec<Vec<String>> = rows.into_iter().map(|fields| fields.0).collect();
    fields.sort();
    fields
}

#[test]
fn the_member_reads_the_answers_and_an_advisor_only_which_there_are() {
    let app = App::start();
    let (ann, advisor) = (member_row(&app, "Ann", "A"), app.advisor());
    let own = app.member(&ann);
    let before = own.get(&path(&ann));
    assert_eq!((before.tag_version(), before.header("cache-control")), ("0", "no-store"));
    assert_eq!((&before.json["answered"], &before.json["nhs_code"]), (&json!([]), &json!("99")));
    let answers = json!({ "ethnicity": "roma", "religion": "prefer_not_to_say", "main_language": "PL" });
    let changed = own.patch(&path(&ann), before.etag(), &answers).expect(200);
    assert_eq!((&changed["ethnicity"], &changed["main_language"]), (&json!("roma"), &json!("pl")));
    assert_eq!((&changed["nhs_code"], &changed["sex"]), (&json!("C"), &Value::Null));
    assert_eq!(changed["answered"], json!(["ethnicity", "main_language", "religion"]));
    assert_eq!((&changed["asked_on"], &changed["version"]), (&json!("2026-11-23"), &json!(1)));

    let seen = advisor.get(&path(&ann));
    for value in ["roma", "prefer_not_to_say", "\"pl\"", "\"C\""] {
        assert!(!seen.text.contains(value), "{value}: {}", seen.text);
    }
    assert_eq!(seen.json["answered"], changed["answered"]);
    for question in QUESTIONS.iter().chain(&["nhs_code"]) {
        assert_eq!(seen.json[*question], Value::Null, "{question}");
    }
    let told = advisor.patch(&path(&ann), "\"1\"", &json!({ "sex": "female", "religion": null }));
    assert!(!told.text.contains("female"), "{}", told.text);
    assert_eq!(told.expect(200)["answered"], json!(["ethnicity", "main_language", "sex"]));
    assert_eq!(own.get(&path(&ann)).expect(200)["sex"], "female");
    let fields = fields_of_changes(&app, &ann);
    assert_eq!(fields, [vec!["ethnicity", "main_language", "religion"], vec!["religion", "sex"]]);
}

#[test]
fn nobody_else_reads_answers_and_they_stand_nowhere_else() {
    let app = App::start();
    let (ann, bob) = (member_row(&app, "Ann", "A"), member_row(&app, "Bob", "B"));
    let own = app.member(&ann);
    own.patch(&path(&ann), "\"0\"", &json!({ "ethnicity": "arab" })).expect(200);
    for client in [app.admin(), app.analyst(), app.partner_user(&partner_row(&app, "the-reader"))] {
        client.get(&path(&ann)).problem(403, "forbidden");
        client.patch(&path(&ann), "\"1\"", &json!({ "sex": "male" })).problem(403, "forbidden");
    }
    let other = app.member(&bob);
    for member in [&ann, &app.clock.new_id().to_string()] {
        other.get(&path(member)).problem(404, "not-found");
        other.patch(&path(member), "\"1\"", &json!({ "sex": "male" })).problem(404, "not-found");
    }
    let advisor = app.advisor();
    let record = advisor.get(&format!("/v1/members/{ann}"));
    let found = advisor.post("/v1/members/search", &json!({ "name": "ann" }));
    assert!(!record.text.contains("arab") && !found.text.contains("arab"));
}

#[test]
fn an_advisor_cannot_find_an_answer_out_by_guessing() {
    let app = App::start();
    let (ann, advisor) = (member_row(&app, "Ann", "A"), app.advisor());
    let own = app.member(&ann);
    own.patch(&path(&ann), "\"0\"", &json!({ "sexual_orientation": "bisexual" })).expect(200);
    // A right guess looks as a wrong one does: a new version and an event.
    let right = advisor.patch(&path(&ann), "\"1\"", &json!({ "sexual_orientation": "bisexual" })).expect(200);
    let wrong = advisor.patch(&path(&ann), "\"2\"", &json!({ "sexual_orientation": "other" })).expect(200);
    assert_eq!((&right["version"], &wrong["version"]), (&json!(2), &json!(3)));
    let tag = advisor.get(&path(&ann));
    let same = advisor.patch(&path(&ann), tag.etag(), &json!({}));
    assert_eq!((same.status, same.etag()), (200, tag.etag()));
    // What the member sends again is no change.
    let tag = own.get(&path(&ann));
    let again = own.patch(&path(&ann), tag.etag(), &json!({ "sexual_orientation": "other" }));
    assert_eq!((again.etag(), &again.json["version"]), (tag.etag(), &json!(3)));
    assert_eq!(fields_of_changes(&app, &ann).len(), 3);
}

#[test]
fn no_list_of_questions_tells_an_advisor_that_somebody_has_a_condition() {
    let app = App::start();
    let (ann, bob, advisor) = (member_row(&app, "Ann", "A"), member_row(&app, "Bob", "B"), app.advisor());
    let answer = |member: &str, answers: Value| app.member(member).patch(&path(member), "\"0\"", &answers).expect(200);
    let with = answer(&ann, json!({ "long_lasting_condition": "yes", "activities_reduced": "a_lot" }));
    assert_eq!(with["answered"], json!(["activities_reduced", "long_lasting_condition"]));
    answer(&bob, json!({ "long_lasting_condition": "no", "activities_reduced": null }));
    let told = |member: &str| {
        let log = advisor.get(&format!("/v1/members/{member}/access-log?own=true")).expect(200);
        let fields: Vec<Value> = log["items"].as_array().unwrap().iter().map(|entry| entry["fields"].clone()).collect();
        (advisor.get(&path(member)).expect(200)["answered"].clone(), fields)
    };
    assert_eq!(told(&ann), (json!(["long_lasting_condition"]), vec![json!(["long_lasting_condition"])]));
    assert_eq!(told(&ann).0, told(&bob).0);
    assert_eq!(fields_of_changes(&app, &ann), fields_of_changes(&app, &bob));
}

#[test]
fn every_question_takes_every_answer_and_no_other() {
    let app = App::start();
    let ann = member_row(&app, "Ann", "A");
    let own = app.member(&ann);
    let document = crate::openapi::document();
    let patch = &document["components"]["schemas"]["EqualityAnswersPatch"]["properties"];
    let mut version = 0;
    for question in QUESTIONS {
        let text = patch[question].to_string();
        let name = text.split("schemas/").nth(1).map(|rest| rest.split('"').next().unwrap().to_owned());
        let named = name.map(|name| document["components"]["schemas"][&name]["enum"].clone());
        let values = named.unwrap_or(json!(["cy", "prefer_not_to_say"]));
        let values: Vec<&str> = values.as_array().unwrap().iter().filter_map(Value::as_str).collect();
        assert!(values.contains(&"prefer_not_to_say") && values.len() > 1, "{question}: {values:?}");
        for value in values {
            let mut body = json!({ question: value });
            if question == "activities_reduced" {
                body["long_lasting_condition"] = json!("yes");
            }
            let changed = own.patch(&path(&ann), &format!("\"{version}\""), &body).expect(200);
            assert_eq!(changed[question], value);
            version = changed["version"].as_i64().unwrap();
        }
        let wrong = json!({ question: "no_such_answer" });
        own.patch(&path(&ann), &format!("\"{version}\""), &wrong).invalid(&[&format!("/{question}")]);
    }
    let tag = format!("\"{version}\"");
    let problem = own.patch(&path(&ann), &tag, &json!({ "main_language": "xx" })).invalid(&["/main_language"]);
    assert_eq!(problem["errors"][0]["code"], "unknown_language");
    own.patch(&path(&ann), &tag, &json!({ "activities_reduced": "a_lot" })).invalid(&["/activities_reduced"]);
    let cleared = own.patch(&path(&ann), &tag, &json!({ "long_lasting_condition": "no" })).expect(200);
    assert_eq!(cleared["activities_reduced"], Value::Null);
}

#[test]
fn the_day_of_the_answers_is_that_of_london_in_summer_too() {
    let app = App::start();
    let ann = member_row(&app, "Ann", "A");
    app.at("2027-06-22T23:30:00Z");
    let answered = app.member(&ann).patch(&path(&ann), "\"0\"", &json!({ "sex": "female" })).expect(200);
    assert_eq!(answered["asked_on"], "2027-06-23");
}
