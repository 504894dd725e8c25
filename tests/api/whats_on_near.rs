//! What's on near a postcode, of one series, and of one booking policy.

use diesel::prelude::*;
use life_rooms::db::schema::postcodes;
use serde_json::json;

use crate::support::{App, id, partner_row};
use crate::whats_on::{all, place, session, titles};

#[test]
fn the_sessions_of_one_series_and_of_one_policy_are_found_by_start() {
    let app = App::start();
    let (admin, anyone) = (app.admin(), app.anonymous());
    let here = place(&admin, "here", json!({ "latitude": 53.4, "longitude": -2.9 }));
    let there = place(&admin, "there", json!({ "latitude": 53.41, "longitude": -2.9 }));
    let weekly = json!({ "recurrence": "FREQ=WEEKLY;COUNT=3", "booking_policy": "drop_in" });
    let tea = session(&admin, Some(&here), "Tea", weekly.clone());
    session(&admin, Some(&here), "Chess", weekly);
    session(&admin, Some(&here), "Talk", json!({ "booking_policy": "referral_only" }));
    session(&admin, Some(&there), "Walk", json!({ "local_start": "2027-01-12T12:00:00" }));
    let of_tea = format!("series_id={}", id(&tea));
    assert_eq!(titles(&anyone, &of_tea), ["Tea"; 3]);
    let starts = |path: &str| {
        let found = all(&anyone, path);
        found.iter().map(|item| item["local_start"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let (first, second, third) = ("2027-01-05T13:00:00", "2027-01-12T13:00:00", "2027-01-19T13:00:00");
    assert_eq!(starts(&format!("/v1/sessions?{of_tea}&limit=1")), [first, second, third]);
    assert_eq!(starts(&format!("/v1/sessions?{of_tea}&from=2027-01-06&limit=1")), [second, third]);
    assert_eq!(titles(&anyone, &format!("{of_tea}&q=chess")), [""; 0]);
    assert_eq!(titles(&anyone, &format!("{of_tea}&booking_policy=drop_in&has_space=true")), ["Tea"; 3]);
    assert_eq!(titles(&anyone, &format!("{of_tea}&booking_policy=bookable")), [""; 0]);
    // One of its sessions moves to the other venue. The order by distance has it first from there.
    let moved = all(&anyone, &format!("/v1/sessions?{of_tea}"))[1].clone();
    let path = format!("/v1/sessions/{}", id(&moved));
    admin.patch(&path, admin.get(&path).etag(), &json!({ "venue_id": there["id"] })).expect(200);
    let by_distance = format!("/v1/sessions?{of_tea}&near=53.41,-2.9&sort=distance&limit=1");
    assert_eq!(starts(&by_distance), [second, first, third]);
    assert_eq!(titles(&anyone, "booking_policy=referral_only"), ["Talk"]);
    assert_eq!(titles(&anyone, "booking_policy=bookable"), ["Walk"]);
    assert_eq!(titles(&anyone, &format!("booking_policy=bookable&venue_id={}", id(&there))), ["Walk"]);
    assert_eq!(all(&anyone, "/v1/sessions?booking_policy=drop_in&limit=1").len(), 6);
    assert_eq!(titles(&anyone, "booking_policy=drop_in&q=chess"), ["Chess"; 3]);
    // A draft is found by its own partner and by staff alone.
    let partner = partner_row(&app, "the-reader");
    let draft = json!({ "recurrence": "FREQ=WEEKLY;COUNT=2", "publication": "draft", "partner_id": partner });
    let draft = session(&admin, Some(&here), "Draft", draft);
    let of_draft = format!("series_id={}", id(&draft));
    assert_eq!(titles(&anyone, &of_draft), [""; 0]);
    assert_eq!(titles(&app.partner_user(&partner), &of_draft), ["Draft"; 2]);
    assert_eq!(titles(&app.advisor(), &of_draft), ["Draft"; 2]);
    assert_eq!(titles(&app.partner_user(&partner_row(&app, "choir")), &of_draft), [""; 0]);
    assert_eq!(titles(&anyone, &format!("series_id={}", app.clock.new_id())), [""; 0]);
    anyone.get("/v1/sessions?series_id=tea").wrong_parameter("series_id");
    anyone.get("/v1/sessions?booking_policy=free").wrong_parameter("booking_policy");
}

#[test]
fn a_place_is_given_by_its_postcode_or_the_district_of_one() {
    let app = App::start();
    let (admin, anyone) = (app.admin(), app.anonymous());
    // The centre of L4 is at 53.4378, -2.9605. The postcode of the table is two kilometres north of it.
    for (slug, latitude) in [("centre", 53.4378), ("north", 53.4560), ("further", 53.4740), ("far", 53.6)] {
        let venue = place(&admin, slug, json!({ "latitude": latitude, "longitude": -2.9605 }));
        for day in 5..7 {
            let at = json!({ "local_start": format!("2027-01-0{day}T10:00:00") });
            session(&admin, Some(&venue), &format!("{slug} {day}"), at);
        }
    }
    let known = (
        postcodes::postcode.eq("L4 4AB"),
        postcodes::local_authority_code.eq("E08000012"),
        postcodes::latitude.eq(53.4560),
        postcodes::longitude.eq(-2.9605),
        postcodes::country.eq("england"),
    );
    // One that the directory names without a place.
    let nowhere = (
        postcodes::postcode.eq("L4 4AD"),
        postcodes::local_authority_code.eq("E08000012"),
        postcodes::country.eq("england"),
    );
    diesel::insert_into(postcodes::table).values(known).execute(&mut app.conn()).unwrap();
    diesel::insert_into(postcodes::table).values(nowhere).execute(&mut app.conn()).unwrap();
    let order = |near: &str| {
        let path = format!("/v1/sessions?near={near}&within_km=5&sort=distance&limit=1");
        let found = all(&anyone, &path);
        found.iter().map(|item| item["title"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let from_centre = ["centre 5", "centre 6", "north 5", "north 6", "further 5", "further 6"];
    for near in ["L4", "l4", "+l4+", "L4+4AA", "l44aa", "L4++4aa", "L4-4AA", "L4+4AD", "53.4378,-2.9605"] {
        assert_eq!(order(near), from_centre, "{near}");
    }
    let from_north = ["north 5", "north 6", "further 5", "further 6", "centre 5", "centre 6"];
    for near in ["L4+4AB", "l44ab", "53.4560,-2.9605"] {
        assert_eq!(order(near), from_north, "{near}");
    }
    let by_start = all(&anyone, "/v1/sessions?near=L4&within_km=1&limit=1");
    assert_eq!(by_start.len(), 2);
    let venues = |near: &str| {
        let found = all(&anyone, &format!("/v1/venues?near={near}&within_km=1.5&limit=1"));
        found.iter().map(|venue| venue["slug"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(venues("l4"), ["centre"]);
    assert_eq!(venues("l44ab"), ["north"]);
    for (path, code) in [
        ("/v1/sessions?near=L99", "unknown_postcode"),
        ("/v1/sessions?near=L99+4AA&sort=distance", "unknown_postcode"),
        ("/v1/venues?near=L99", "unknown_postcode"),
        ("/v1/venues?near=Walton", "wrong_format"),
    ] {
        let problem = anyone.get(path).wrong_parameter("near");
        let fault = &problem["errors"][0];
        assert_eq!(fault["code"], code, "{path}: {problem}");
        assert!(fault["detail"].as_str().unwrap().contains("a postcode such as L4 4AA"), "{path}: {problem}");
    }
}
