//! Names of a fixed vocabulary: known however people type them, and refused with the nearest where nobody knows them.

use serde_json::{Value, json};

use crate::openapi::{document, operations};
use crate::support::{App, Client, id};

fn place(admin: &Client, slug: &str, local_authority: &str) -> Value {
    let body = json!({ "slug": slug, "name": slug, "kind": "library", "local_authority": local_authority });
    admin.post("/v1/venues", &body).expect(201)
}

#[test]
fn local_authorities_are_known_by_the_names_that_people_use() {
    let app = App::start();
    let (admin, advisor, anyone) = (app.admin(), app.advisor(), app.anonymous());
    for (at, (typed, name, code, filters)) in [
        ("St. Helens", "St Helens", "E08000013", ["St+Helens", "Saint%20Helens", "st.%20helens"]),
        ("Bristol", "Bristol, City of", "E06000023", ["City+of+Bristol", "bristol", "Bristol,+City+of"]),
        ("Hull", "Kingston upon Hull, City of", "E06000010", ["Kingston+upon+Hull", "HULL", "Hull+City+Council"]),
        (
            "Westmorland & Furness",
            "Westmorland and Furness",
            "E06000064",
            ["westmorland+and+furness", "Westmorland+%26+Furness", "Westmorland+Furness"],
        ),
        ("Caerdydd", "Cardiff", "W06000015", ["Cardiff", "cardiff", "CAERDYDD"]),
        (
            "Na h-Eileanan Siar",
            "Na h-Eileanan Siar",
            "S12000013",
            ["Western+Isles", "na+h-eileanan+siar", "Outer+Hebrides"],
        ),
        (
            "Bournemouth",
            "Bournemouth, Christchurch and Poole",
            "E06000058",
            ["bournemouth", "Poole+Council", "Bournemouth,+Christchurch+%26+Poole"],
        ),
        ("Bath", "Bath and North East Somerset", "E06000022", ["BATH", "B%26NES", "bath+and+north+east+somerset"]),
        ("Telford", "Telford and Wrekin", "E06000020", ["telford", "The+Wrekin", "Telford+%26+Wrekin"]),
        ("Blackburn", "Blackburn with Darwen", "E06000008", ["blackburn", "Darwen", "Blackburn+with+Darwen"]),
        ("Londonderry", "Derry City and Strabane", "N09000005", ["Derry", "Strabane", "derry+and+strabane"]),
        (
            "RBKC",
            "Kensington and Chelsea",
            "E09000020",
            ["Kensington", "chelsea", "Royal+Borough+of+Kensington+and+Chelsea"],
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let made = place(&admin, &format!("place-{at}"), typed);
        assert_eq!((&made["local_authority"], &made["local_authority_code"]), (&json!(name), &json!(code)));
        let body = json!({ "title": "Reading", "pillar": "community", "delivery": "in_person", "venue_id": id(&made),
            "local_start": "2027-01-05T13:00:00", "time_zone": "Europe/London", "duration_minutes": 60 });
        admin.post("/v1/sessions", &body).expect(201);
        for filter in filters {
            for list in ["venues", "sessions"] {
                let found = anyone.get(&format!("/v1/{list}?local_authority={filter}")).expect(200);
                assert_eq!(found["items"].as_array().unwrap().len(), 1, "{list} {filter}");
            }
            let report = admin.get(&format!("/v1/reports/attendance?local_authority={filter}")).expect(200);
            assert_eq!(report["filters"]["local_authority"], json!([name]));
        }
        let member =
            json!({ "given_name": "Ann", "family_name": typed, "roles": ["service_user"], "local_authority": typed });
        let member = advisor.post("/v1/members?confirm_not_duplicate=true", &member).expect(201);
        assert_eq!((&member["local_authority"], &member["local_authority_code"]), (&json!(name), &json!(code)));
    }
}

#[test]
fn an_unknown_local_authority_is_refused_with_the_nearest_names() {
    let app = App::start();
    let (admin, advisor) = (app.admin(), app.advisor());
    let nearest = |problem: &Value| {
        let fault = &problem["errors"][0];
        assert_eq!(fault["code"], "unknown_local_authority", "{problem:#}");
        assert!(fault["detail"].as_str().unwrap().contains("Liverpool"), "{problem:#}");
    };
    for path in ["/v1/venues", "/v1/sessions", "/v1/reports/attendance", "/v1/reports/prescriptions"] {
        let problem = admin.get(&format!("{path}?local_authority=Liverpol")).wrong_parameter("local_authority");
        nearest(&problem);
        for (typed, held_by) in [
            ("Newcastle", "Newcastle-under-Lyme; Newcastle upon Tyne"),
            ("Antrim", "Antrim and Newtownabbey; Mid and East Antrim"),
            ("Lancashire", "West Lancashire"),
        ] {
            let problem = admin.get(&format!("{path}?local_authority={typed}")).wrong_parameter("local_authority");
            let detail = problem["errors"][0]["detail"].as_str().unwrap();
            assert!(detail.ends_with(&format!("The nearest names: {held_by}.")), "{detail}");
        }
        // The City of London isn't London, and there are two Newcastles.
        for unknown in ["London", "Newcastle", "Merseyside", ""] {
            admin.get(&format!("{path}?local_authority={unknown}")).wrong_parameter("local_authority");
        }
    }
    let body = json!({ "slug": "a", "name": "A", "kind": "library", "local_authority": "Liverpol" });
    nearest(&admin.post("/v1/venues", &body).invalid(&["/local_authority"]));
    let made = place(&admin, "b", "Sefton");
    let path = format!("/v1/venues/{}", id(&made));
    nearest(&admin.patch(&path, "\"1\"", &json!({ "local_authority": "Liverpol" })).invalid(&["/local_authority"]));
    let member = json!({ "given_name": "A", "family_name": "B", "roles": ["public"], "local_authority": "Liverpol" });
    nearest(&advisor.post("/v1/members", &member).invalid(&["/local_authority"]));
}

/// The names that a parameter takes, where the document lists them; `local-authority` is one format for all of its names.
fn vocabulary(document: &Value, schema: &Value) -> Option<Vec<String>> {
    let schema = schema.get("items").unwrap_or(schema);
    let schema = match schema.get("$ref").and_then(Value::as_str) {
        Some(reference) => document.pointer(reference.trim_start_matches('#'))?,
        None => schema,
    };
    if schema["format"] == "local-authority" {
        return Some(Vec::new());
    }
    Some(schema.get("enum")?.as_array()?.iter().map(|name| name.as_str().unwrap().to_owned()).collect())
}

#[test]
fn a_value_outside_a_fixed_vocabulary_is_refused_by_every_operation_and_never_an_empty_list() {
    let app = App::start();
    let partner = crate::support::partner_row(&app, "reader");
    let member = crate::support::member_row(&app, "Ann", "A");
    let clerk = app.advisor_who_may("subject_access");
    let clients = [app.admin(), app.advisor(), app.member(&member), app.partner_user(&partner), clerk];
    let mut looked_at = 0;
    let document = document();
    for (method, path, operation) in operations(&document) {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let (name, Some(names)) =
                (parameter["name"].as_str().unwrap(), vocabulary(&document, &parameter["schema"]))
            else {
                continue;
            };
            if parameter["in"] != "query" {
                continue;
            }
            looked_at += 1;
            let nothing = app.clock.new_id().to_string();
            let filled: Vec<&str> =
                path.split('/').map(|part| if part.starts_with('{') { nothing.as_str() } else { part }).collect();
            let asked = format!("{}?{name}=no_such_value", filled.join("/"));
            let headers = [("content-type", "application/json"), ("if-match", "\"1\"")];
            let body: &[u8] = if operation.get("requestBody").is_some() { b"{}" } else { b"" };
            let send = |client: &Client| client.send(&method, &asked, &headers, body);
            let answer = clients.iter().map(send).find(|answer| answer.status != 403).unwrap();
            let problem = answer.wrong_parameter(name);
            let detail = problem["errors"][0]["detail"].as_str().unwrap();
            assert!(names.iter().all(|name| detail.contains(name.as_str())), "{asked}: {detail}");
        }
    }
    assert!(looked_at >= 20, "{looked_at}");
}

#[test]
fn all_local_authorities_are_listed_and_those_with_venues_first() {
    let app = App::start();
    let (admin, anyone) = (app.admin(), app.anonymous());
    let path = "/v1/local-authorities";
    let before = anyone.get(path).expect(200);
    let all = before["items"].as_array().unwrap();
    assert_eq!(
        (all.len(), all[0].clone()),
        (361, json!({ "name": "Aberdeen City", "code": "S12000033", "venues": 0 }))
    );
    for (slug, authority, status) in [
        ("a", "Wirral", "open"),
        ("b", "Liverpool", "open"),
        ("c", "liverpool city council", "temporarily_closed"),
        ("d", "Liverpool", "closed"),
        ("e", "Halton", "closed"),
    ] {
        let body =
            json!({ "slug": slug, "name": slug, "kind": "library", "local_authority": authority, "status": status });
        admin.post("/v1/venues", &body).expect(201);
    }
    let answer = anyone.get(path);
    let items = answer.json["items"].as_array().unwrap();
    assert_eq!(items[0], json!({ "name": "Liverpool", "code": "E08000012", "venues": 2 }));
    assert_eq!(items[1], json!({ "name": "Wirral", "code": "E08000015", "venues": 1 }));
    assert_eq!((items.len(), &items[2]["name"], &items[2]["venues"]), (361, &json!("Aberdeen City"), &json!(0)));
    let tag = answer.header("etag").to_owned();
    assert_eq!(anyone.send("GET", path, &[("if-none-match", &tag)], b"").status, 304);
    anyone.get(&format!("{path}?limit=5")).wrong_parameter("limit");
}

#[test]
fn every_enum_of_the_document_is_listed_with_what_its_values_mean() {
    let app = App::start();
    let answer = app.anonymous().get("/v1/vocabularies");
    let items = answer.json["items"].as_array().unwrap();
    let document = document();
    let enums = document["components"]["schemas"].as_object().unwrap();
    let mut names: Vec<&String> =
        enums.iter().filter(|(_, schema)| schema.get("enum").is_some()).map(|(name, _)| name).collect();
    names.sort();
    assert!(names.len() > 50);
    assert_eq!(items.iter().map(|item| item["name"].as_str().unwrap()).collect::<Vec<_>>(), names);
    for item in items {
        let schema = &enums[item["name"].as_str().unwrap()];
        let values = item["values"].as_array().unwrap();
        assert_eq!(json!(values.iter().map(|one| &one["value"]).collect::<Vec<_>>()), schema["enum"]);
        assert!(!item["description"].as_str().unwrap().contains("- `"), "{item}");
        for one in values {
            let line = format!("- `{}`: ", one["value"].as_str().unwrap());
            let said = schema["description"].as_str().unwrap();
            match one["description"].as_str() {
                Some(text) => assert!(said.contains(&(line + text)), "{item}"),
                None => assert!(!said.contains(&line), "{item}"),
            }
        }
    }
    let policy = items.iter().find(|item| item["name"] == "BookingPolicy").unwrap();
    assert_eq!(
        (&policy["description"], &policy["values"][0]),
        (
            &json!("How people get a place."),
            &json!({ "value": "drop_in", "label": "Drop in", "description": "People just come. It takes no bookings." })
        )
    );
    let tag = answer.header("etag").to_owned();
    assert_eq!(app.anonymous().send("GET", "/v1/vocabularies", &[("if-none-match", &tag)], b"").status, 304);
}
