//! Venues: writing, reading, listing, changing, deleting.

use serde_json::json;

use crate::support::{App, id, venue};

#[test]
fn a_venue_is_created_read_changed_and_deleted() {
    let app = App::start();
    let admin = app.admin();
    let body = json!({
        "slug": "liverpool-central-library", "name": "Liverpool Central Library", "kind": "library",
        "address": { "line_1": "William Brown Street", "town": "Liverpool", "postcode": "l38ew" },
        "latitude": 53.4097, "longitude": -2.9795, "local_authority": "Liverpool",
        "accessibility": ["step_free"], "opening_hours": { "monday": [{ "opens": "09:00", "closes": "17:00" }] }
    });
    let created = admin.post("/v1/venues", &body);
    assert_eq!(created.status, 201, "{}", created.text);
    let path = created.header("location").to_owned();
    assert_eq!(path, format!("/v1/venues/{}", created.id()));
    assert_eq!(created.etag(), "\"1\"");
    assert_eq!(created.json["address"]["postcode"], "L3 8EW");
    assert_eq!(created.json["local_authority_code"], "E08000012");

    let read = app.anonymous().get(&path);
    assert_eq!(read.json, created.json);
    assert_eq!(read.header("cache-control"), "public, max-age=60");

    let changed = admin.patch(&path, "\"1\"", &json!({ "address": { "postcode": null }, "capacity": 40 }));
    assert_eq!(changed.status, 200, "{}", changed.text);
    assert_eq!(changed.etag(), "\"2\"");
    assert_eq!(
        changed.json["address"],
        json!({ "line_1": "William Brown Street", "line_2": null, "town": "Liverpool", "county": null, "postcode": null })
    );
    assert_eq!(changed.json["capacity"], 40);
    let read = app.anonymous().get(&path);
    assert_eq!((&read.json["version"], &read.json["capacity"]), (&json!(2), &json!(40)));
    for (name, value) in read.json.as_object().unwrap() {
        assert_eq!(&changed.json[name], value, "{name}");
    }

    assert_eq!(admin.delete(&path).status, 204);
    app.anonymous().get(&path).problem(404, "not-found");
}

#[test]
fn a_change_needs_the_version_that_was_read() {
    let app = App::start();
    let admin = app.admin();
    let venue = venue(&admin, "walton", "Liverpool");
    let path = format!("/v1/venues/{}", id(&venue));
    admin.patch(&path, "", &json!({ "name": "X" })).problem(428, "precondition-required");
    admin.patch(&path, "\"7\"", &json!({ "name": "X" })).problem(412, "precondition-failed");
    admin.patch(&path, "\"1\"", &json!({ "name": null })).invalid(&["/name"]);
    assert_eq!(app.anonymous().get(&path).json, venue);
}

#[test]
fn every_fault_of_a_venue_is_named_at_once_and_nothing_is_written() {
    let app = App::start();
    let admin = app.admin();
    let body = json!({
        "slug": "No Slug", "name": "", "kind": "castle", "capacity": 0, "latitude": 91.0, "colour": "red",
        "address": { "postcode": "12345678901" }
    });
    let pointers =
        ["/slug", "/name", "/kind", "/capacity", "/latitude", "/colour", "/address/postcode", "/local_authority"];
    admin.post("/v1/venues", &body).invalid(&pointers);
    assert_eq!(app.anonymous().get("/v1/venues").json, json!({ "items": [], "next": null }));
}

#[test]
fn rules_of_a_venue_are_checked_beyond_its_schema() {
    let app = App::start();
    let admin = app.admin();
    let good = json!({ "slug": "a", "name": "A", "kind": "library", "local_authority": "Liverpool" });
    let cases = [
        (json!({ "local_authority": "Atlantis" }), "/local_authority"),
        (json!({ "address": { "postcode": "XXXXX" } }), "/address/postcode"),
        (json!({ "latitude": 53.0 }), "/longitude"),
        (json!({ "status_from": "2027-02-01", "status_until": "2027-01-01" }), "/status_until"),
        (
            json!({ "opening_hours": { "friday": [{ "opens": "18:00", "closes": "01:00" }],
                "saturday": [{ "opens": "00:30", "closes": "12:00" }] } }),
            "/opening_hours/saturday/0",
        ),
        (
            json!({ "opening_hours": { "monday": [{ "opens": "01:00", "closes": "12:00" }],
                "sunday": [{ "opens": "22:00", "closes": "02:00" }] } }),
            "/opening_hours/sunday/0",
        ),
    ];
    for (change, pointer) in cases {
        let mut body = good.clone();
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        admin.post("/v1/venues", &body).invalid(&[pointer]);
    }
}

#[test]
fn hours_may_go_on_past_midnight() {
    let app = App::start();
    let admin = app.admin();
    let hours = json!({
        "monday": [{ "opens": "02:00", "closes": "12:00" }], "tuesday": [{ "opens": "00:00", "closes": "00:00" }],
        "wednesday": [], "thursday": [], "friday": [{ "opens": "18:00", "closes": "01:00" }],
        "saturday": [{ "opens": "01:00", "closes": "12:00" }], "sunday": [{ "opens": "22:00", "closes": "02:00" }]
    });
    let body = json!({ "slug": "bar", "name": "Bar", "kind": "theatre", "local_authority": "Liverpool", "opening_hours": hours });
    let made = admin.post("/v1/venues", &body).expect(201);
    assert_eq!(app.anonymous().get(&format!("/v1/venues/{}", id(&made))).json["opening_hours"], hours);
}

#[test]
fn a_taken_slug_is_a_conflict_that_points_at_it() {
    let app = App::start();
    let admin = app.admin();
    let made = venue(&admin, "walton", "Liverpool");
    let mut again = json!({ "slug": "walton", "name": "Other", "kind": "other", "local_authority": "Sefton" });
    let problem = admin.post("/v1/venues", &again).problem(409, "already-exists");
    assert_eq!(problem["errors"][0]["pointer"], "/slug");
    again["slug"] = json!("bootle");
    let other = admin.post("/v1/venues", &again).expect(201);
    let path = format!("/v1/venues/{}", id(&other));
    admin.patch(&path, "\"1\"", &json!({ "slug": made["slug"] })).problem(409, "already-exists");
}

#[test]
fn venues_are_listed_by_name_in_pages_that_meet() {
    let app = App::start();
    let admin = app.admin();
    for slug in ["c", "a", "e", "b", "d"] {
        venue(&admin, slug, if slug < "d" { "Liverpool" } else { "Sefton" });
    }
    let anonymous = app.anonymous();
    let (mut path, mut slugs) = ("/v1/venues?limit=2".to_owned(), Vec::new());
    loop {
        let page = anonymous.get(&path);
        slugs.extend(page.json["items"].as_array().unwrap().iter().map(|v| v["slug"].as_str().unwrap().to_owned()));
        match page.json["next"].as_str() {
            Some(next) => {
                assert_eq!(page.header("link"), format!("<{next}>; rel=\"next\""));
                path = next.to_owned();
            }
            None => break,
        }
    }
    assert_eq!(slugs, ["a", "b", "c", "d", "e"]);
    let sefton = anonymous.get("/v1/venues?local_authority=Sefton").expect(200);
    assert_eq!(sefton["items"].as_array().unwrap().len(), 2);
    let cursor =
        anonymous.get("/v1/venues?limit=1").json["next"].as_str().unwrap().split("cursor=").nth(1).unwrap().to_owned();
    anonymous.get(&format!("/v1/venues?kind=library&cursor={cursor}")).wrong_parameter("cursor");
    anonymous.get("/v1/venues?cursor=abc").wrong_parameter("cursor");
    anonymous.get("/v1/venues?limit=0").wrong_parameter("limit");
    anonymous.get("/v1/venues?limit=101").wrong_parameter("limit");
    anonymous.get("/v1/venues?limit=1&limit=2").wrong_parameter("limit");
    anonymous.get("/v1/venues?kind=castle").wrong_parameter("kind");
}
