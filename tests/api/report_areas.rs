//! Named areas, and the record of who read exact figures.

use diesel::prelude::*;
use life_rooms::db::schema::audit_events;
use life_rooms::db::{Id, Json};
use serde_json::{Value, json};

use crate::reports::Seed;
use crate::support::App;

const AREA: &str = "/v1/report-areas/liverpool-and-sefton";

#[test]
fn liverpool_and_sefton_are_an_area_from_the_start() {
    let app = App::start();
    let answer = app.analyst().get(AREA);
    assert_eq!(answer.etag(), "\"1\"");
    let area = answer.expect(200);
    assert_eq!(area["name"], "Liverpool and Sefton");
    assert_eq!(area["local_authorities"], json!(["Liverpool", "Sefton"]));
    let list = app.admin().get("/v1/report-areas").expect(200);
    assert_eq!(list, json!({ "items": [area], "next": null }));
    app.analyst().get("/v1/report-areas/nowhere").problem(404, "not-found");
}

#[test]
fn an_admin_names_areas_and_what_stands_already_is_no_change() {
    let app = App::start();
    let admin = app.admin();
    let path = "/v1/report-areas/across-the-river";
    let written = json!({ "name": "Across the river", "local_authorities": ["Wirral", "Halton"] });
    admin.put(path, "", &written).problem(428, "precondition-required");
    admin.put(path, "\"1\"", &written).problem(412, "precondition-failed");
    admin.put(path, "*", &written).problem(412, "precondition-failed");
    let new = |body: &Value| {
        let headers = [("content-type", "application/json"), ("if-none-match", "*")];
        admin.send("PUT", path, &headers, body.to_string().as_bytes())
    };
    let made = new(&written);
    new(&written).problem(412, "precondition-failed");
    assert_eq!((made.header("location"), made.etag()), (path, "\"1\""));
    let made = made.expect(201);
    assert_eq!((&made["slug"], &made["version"]), (&json!("across-the-river"), &json!(1)));
    assert_eq!(admin.get(path).expect(200), made);

    let same = admin.put(path, "\"1\"", &written);
    assert_eq!(same.etag(), "\"1\"");
    assert_eq!(same.expect(200), made);
    app.at("2026-11-23T09:00:01Z");
    let changed = json!({ "name": "Across the river", "local_authorities": ["Wirral"] });
    let answer = admin.put(path, "\"1\"", &changed);
    assert_eq!(answer.etag(), "\"2\"");
    assert_eq!(answer.expect(200)["local_authorities"], json!(["Wirral"]));
    admin.put(path, "\"1\"", &written).problem(412, "precondition-failed");

    let actions: Vec<String> = audit_events::table
        .filter(audit_events::resource_kind.eq("report_area"))
        .order(audit_events::id)
        .select(audit_events::action)
        .load(&mut app.conn())
        .unwrap();
    assert_eq!(actions, ["create", "change"]);
}

#[test]
fn an_area_is_of_known_local_authorities_each_once() {
    let app = App::start();
    let admin = app.admin();
    let path = "/v1/report-areas/somewhere";
    let put = |authorities: Value| admin.put(path, "\"0\"", &json!({ "name": "X", "local_authorities": authorities }));
    put(json!([])).invalid(&["/local_authorities"]);
    put(json!(["Sefton", "Atlantis", "Liverpol"])).invalid(&["/local_authorities/1", "/local_authorities/2"]);
    // By whatever name: the official one is kept.
    put(json!(["St Helens", "Sefton", "Saint Helens"])).invalid(&["/local_authorities/2"]);
    let made = admin.put(
        "/v1/report-areas/elsewhere",
        "\"0\"",
        &json!({ "name": "X", "local_authorities": ["st. helens", "Hull"] }),
    );
    assert_eq!(made.expect(201)["local_authorities"], json!(["St Helens", "Kingston upon Hull, City of"]));
    let body = json!({ "name": "X", "local_authorities": ["Sefton"] });
    for slug in ["Some%20Where", "-", "-a", "a-", "a--b", "A", "a_b", "%C3%A9", "a%0A", &"a".repeat(81)] {
        admin.put(&format!("/v1/report-areas/{slug}"), "\"0\"", &body).wrong_parameter("slug");
    }
}

#[test]
fn there_are_at_most_five_areas() {
    let app = App::start();
    let admin = app.admin();
    let body = json!({ "name": "Somewhere", "local_authorities": ["Sefton"] });
    for number in 2..=5 {
        admin.put(&format!("/v1/report-areas/area-{number}"), "\"0\"", &body).expect(201);
    }
    let refused = admin.put("/v1/report-areas/area-6", "\"0\"", &body).problem(409, "invalid-state");
    assert!(refused["detail"].as_str().unwrap().contains("5 named areas"), "{refused}");
    assert_eq!(admin.get("/v1/report-areas").expect(200)["items"].as_array().unwrap().len(), 5);
}

#[test]
fn an_area_counts_its_local_authorities_together_and_each_person_once() {
    let app = App::start();
    let mut seed = Seed::new(&app);
    let places = ["Liverpool", "Sefton", "Wirral"]
        .map(|authority| (seed.venue(&authority.to_lowercase(), authority), authority));
    let member = seed.member();
    for (venue, authority) in places {
        let session = seed.session("2026-01-10", Some(venue), "learning", "in_person");
        seed.attended(session, &[member]);
        let site = seed.site(&format!("site-{}", authority.to_lowercase()), &[(venue, "2020-01-01", None)]);
        seed.prescriptions(2, site, "2026-01-10");
    }
    let admin = app.admin();
    let totals = |report: &str| admin.get(&format!("/v1/reports/{report}")).expect(200)["totals"].clone();
    let attendance = totals("attendance?area=liverpool-and-sefton");
    assert_eq!((&attendance["distinct_members"], &attendance["attendances"]), (&json!(1), &json!(2)));
    assert_eq!(totals("prescriptions?area=liverpool-and-sefton&period=2026-01")["prescriptions"], 4);
    assert_eq!(totals("prescriptions")["prescriptions"], 6);
    let rows = admin.get("/v1/reports/prescriptions?area=liverpool-and-sefton&group_by=local_authority").expect(200);
    let keys: Vec<&Value> = rows["rows"].as_array().unwrap().iter().map(|row| &row["key"]).collect();
    assert_eq!(keys, ["Liverpool", "Sefton"]);
}

#[test]
fn each_report_that_an_admin_reads_is_recorded_by_name_and_filters() {
    let app = App::start();
    let admin = app.admin();
    admin.get("/v1/reports/prescriptions").expect(200);
    app.at("2026-11-23T09:00:01Z");
    let query = "from=2024-01-01&local_authority=Sefton&local_authority=Liverpool&delivery=in_person&group_by=month";
    admin.get(&format!("/v1/reports/attendance?{query}")).expect(200);
    app.analyst().get("/v1/reports/attendance?period=2026-09").expect(200);
    admin.get("/v1/reports/attendance?group_by=year").wrong_parameter("group_by");

    type Row = (String, Option<Id>, Option<Id>, Option<Id>, Json<Vec<String>>);
    let columns = (
        audit_events::action,
        audit_events::actor_id,
        audit_events::member_id,
        audit_events::resource_id,
        audit_events::fields,
    );
    let events: Vec<Row> = audit_events::table
        .filter(audit_events::resource_kind.eq("report"))
        .order(audit_events::id)
        .select(columns)
        .load(&mut app.conn())
        .unwrap();
    let fields: Vec<Vec<String>> = events.iter().map(|event| event.4.0.clone()).collect();
    let mut second = fields[1].clone();
    second[1..].sort();
    assert_eq!(fields[0], ["prescriptions"]);
    assert_eq!(
        second,
        [
            "attendance",
            "delivery=in_person",
            "from=2024-01-01",
            "group_by=month",
            "local_authority=Liverpool",
            "local_authority=Sefton"
        ]
    );
    assert_eq!(events.len(), 2);
    for (action, actor, member, resource, _) in events {
        assert_eq!((action.as_str(), actor, member, resource), ("read", admin.id, None, None));
    }
}
