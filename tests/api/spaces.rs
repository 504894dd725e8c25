//! Spaces: the rooms of a venue.

use diesel::prelude::*;
use life_rooms::db::schema::session_series;
use life_rooms::db::{Id, Json};
use serde_json::json;

use crate::support::{App, id, venue};

#[test]
fn a_space_is_created_read_listed_changed_and_deleted() {
    let app = App::start();
    let admin = app.admin();
    let venue = venue(&admin, "walton", "Liverpool");
    let list = format!("/v1/venues/{}/spaces", id(&venue));
    let created = admin.post(&list, &json!({ "name": "Room 2", "capacity": 24 }));
    assert_eq!(created.status, 201, "{}", created.text);
    let path = created.header("location").to_owned();
    assert_eq!(created.json["venue_id"], venue["id"]);
    assert_eq!(app.anonymous().get(&path).expect(200), created.json);
    let garden = admin.post(&list, &json!({ "name": "Garden" })).expect(201);
    let changed = admin.patch(&path, created.etag(), &json!({ "capacity": null })).expect(200);
    assert_eq!(changed["capacity"], json!(null));
    assert_eq!(app.anonymous().get(&list).expect(200)["items"], json!([garden, changed]));
    assert_eq!(admin.send("DELETE", &path, &[("if-match", "\"1\"")], b"").status, 412);
    assert_eq!(admin.delete(&path).status, 204);
    app.anonymous().get(&path).problem(404, "not-found");
}

#[test]
fn a_space_has_a_name_of_its_own_in_its_venue_and_sane_numbers() {
    let app = App::start();
    let admin = app.admin();
    let (one, two) = (venue(&admin, "one", "Liverpool"), venue(&admin, "two", "Liverpool"));
    let list = format!("/v1/venues/{}/spaces", id(&one));
    let made = admin.post(&list, &json!({ "name": "Room" })).expect(201);
    let problem = admin.post(&list, &json!({ "name": "Room" })).problem(409, "already-exists");
    assert_eq!(problem["errors"][0]["pointer"], "/name");
    let elsewhere = format!("/v1/venues/{}/spaces", id(&two));
    admin.post(&elsewhere, &json!({ "name": "Room" })).expect(201);
    admin.post(&list, &json!({ "name": "", "capacity": 0, "floor": 1 })).invalid(&["/name", "/capacity", "/floor"]);
    admin.post(&list, &json!({ "name": "R", "capacity": 100001 })).invalid(&["/capacity"]);
    let wrong = format!("{elsewhere}/{}", id(&made));
    admin.get(&wrong).problem(404, "not-found");
    admin.delete(&wrong).problem(404, "not-found");
    admin.patch(&wrong, "\"1\"", &json!({ "name": "X" })).problem(404, "not-found");
    let nowhere = format!("/v1/venues/{}/spaces", app.clock.new_id());
    admin.post(&nowhere, &json!({ "name": "R" })).problem(404, "not-found");
    app.anonymous().get(&nowhere).problem(404, "not-found");
    app.advisor().post(&list, &json!({ "name": "R" })).problem(403, "forbidden");
    app.advisor().delete(&format!("{list}/{}", id(&made))).problem(403, "forbidden");
    app.anonymous().post(&list, &json!({ "name": "R" })).problem(401, "unauthenticated");
    assert_eq!(app.anonymous().get(&list).json["items"], json!([made]));
}

#[test]
fn a_space_that_is_used_is_not_deleted() {
    let app = App::start();
    let admin = app.admin();
    let venue = venue(&admin, "walton", "Liverpool");
    let list = format!("/v1/venues/{}/spaces", id(&venue));
    let made = admin.post(&list, &json!({ "name": "Room" })).expect(201);
    series_in(&app, id(&venue), id(&made));
    let path = format!("{list}/{}", id(&made));
    admin.delete(&path).problem(409, "in-use");
    assert_eq!(app.anonymous().get(&path).expect(200), made);
}

fn series_in(app: &App, venue_id: &str, space_id: &str) {
    use session_series::dsl as s;
    let now = app.clock.now();
    let (venue_id, space_id): (Id, Id) = (venue_id.parse().unwrap(), space_id.parse().unwrap());
    let nothing = || Json(Vec::<String>::new());
    diesel::insert_into(session_series::table)
        .values((
            (s::id.eq(app.clock.new_id()), s::venue_id.eq(venue_id), s::space_id.eq(space_id), s::title.eq("Reading")),
            (s::pillar.eq("community"), s::topics.eq(nothing()), s::delivery.eq("in_person")),
            (s::accessibility.eq(nothing()), s::booking_policy.eq("drop_in"), s::publication.eq("published")),
            (s::local_start.eq("2027-01-05T13:00:00"), s::time_zone.eq("Europe/London"), s::duration_minutes.eq(90)),
            (s::recurrence.eq("FREQ=WEEKLY;COUNT=2"), s::excluded.eq(nothing()), s::additional.eq(nothing())),
            (s::status.eq("active"), s::version.eq(1), s::created_at.eq(now), s::updated_at.eq(now)),
        ))
        .execute(&mut app.conn())
        .expect("the series is new");
}
