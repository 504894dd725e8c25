//! The demo gives the two figures that the service published.

use std::collections::HashSet;

use actix_web::rt::System;
use diesel::prelude::*;
use life_rooms::db::schema::{bookings, consents, logins, members, partners, sessions, users};
use life_rooms::db::{Id, Timestamp};
use life_rooms::demo::{self, Outcome};
use serde_json::{Value, json};

use crate::support::App;

const PRESCRIPTIONS: &str = "/v1/reports/prescriptions?from=2021-10-01&local_authority=Liverpool&origin=advisor";
const ATTENDANCE: &str = "/v1/reports/attendance?from=2021-10-01&delivery=in_person&pillar=learning\
                          &local_authority=Sefton&local_authority=Liverpool";

#[test]
fn the_demo_gives_the_published_figures_amid_noise_and_is_filled_once() {
    let app = App::start();
    // The full group meets next in a week in which the series that is called off meets too.
    app.at("2026-11-29T09:00:00Z");
    let (db, now) = (app.state.db.clone(), app.clock.now());
    let fill = || System::new().block_on(demo::fill(&db, now, |_| {})).unwrap();
    assert_eq!(fill(), Outcome::Filled);
    let admin = app.admin();
    let count = |path: &str, name: &str| admin.get(path).expect(200)["totals"][name].as_i64().unwrap();

    assert_eq!(count(PRESCRIPTIONS, "prescriptions"), 8507);
    assert_eq!(count(ATTENDANCE, "distinct_members"), 6147);

    // An analyst gets them rounded, of the months that are given: everybody they count is in those.
    let analyst = app.analyst();
    let published = |path: &str, name: &str| analyst.get(path).expect(200)["totals"][name].as_i64();
    let advisors = "/v1/reports/prescriptions?period=all&local_authority=Liverpool&origin=advisor";
    assert_eq!(published(advisors, "prescriptions"), Some(8505));
    let learning = "/v1/reports/attendance?period=all&delivery=in_person&pillar=learning&area=liverpool-and-sefton";
    assert_eq!(published(learning, "distinct_members"), Some(6145));
    for path in [advisors, learning] {
        let exact = admin.get(path).expect(200)["totals"].clone();
        assert!(exact["prescriptions"] == 8507 || exact["distinct_members"] == 6147, "{exact}");
    }

    // Whatever is left out of a question changes its answer: there is noise of every kind.
    for less in ["from=2021-10-01&", "local_authority=Liverpool&", "&origin=advisor"] {
        let path = format!("{PRESCRIPTIONS}&").replace(less, "&").replace("?&", "?").replace("&&", "&");
        assert!(count(path.trim_end_matches('&'), "prescriptions") > 8507, "{path}");
    }
    for less in ["from=2021-10-01&", "delivery=in_person&", "pillar=learning&"] {
        assert!(count(&ATTENDANCE.replace(less, ""), "distinct_members") > 6147, "{less}");
    }
    let everywhere = "/v1/reports/attendance?from=2021-10-01&delivery=in_person&pillar=learning";
    assert!(count(everywhere, "distinct_members") > 6147);
    assert!(count(ATTENDANCE, "attendances") > 2 * 6147);
    assert!(count("/v1/reports/attendance", "headcount") > 10_000);

    let mut conn = app.conn();
    let absent: i64 = bookings::table.filter(bookings::status.eq("absent")).count().get_result(&mut conn).unwrap();
    assert!(absent > 500);
    let ahead: i64 = sessions::table.filter(sessions::starts_at.gt(now)).count().get_result(&mut conn).unwrap();
    assert!(ahead > 100);
    for (slug, expected) in [("the-reader", 208), ("mersey-care", 1098)] {
        let found: i64 = sessions::table
            .inner_join(partners::table)
            .filter(partners::slug.eq(slug))
            .count()
            .get_result(&mut conn)
            .unwrap();
        assert_eq!(found, expected, "{slug}");
    }

    // A member's consents are listed by the instant at which they were recorded.
    let recorded = consents::table.select((consents::member_id, consents::recorded_at));
    let all: Vec<(Id, Timestamp)> = recorded.load(&mut conn).unwrap();
    assert!(all.len() > 12_000);
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len(), "no two consents share an instant");

    let late = |count: Result<i64, _>| assert_eq!(count, Ok(0), "nothing is made in the days to come");
    late(bookings::table.filter(bookings::created_at.gt(now)).count().get_result(&mut conn));
    late(sessions::table.filter(sessions::created_at.gt(now)).count().get_result(&mut conn));
    scenes(&app);

    assert_eq!(fill(), Outcome::HasMembers);
    assert_eq!(count(PRESCRIPTIONS, "prescriptions"), 8507);

    let first = System::new().block_on(demo::make_accounts(&app.state)).unwrap();
    let again = System::new().block_on(demo::make_accounts(&app.state)).unwrap();
    assert_eq!(again.len(), 5);
    for (account, renewed) in first.iter().zip(&again) {
        let login = |password: &str| {
            let body = serde_json::json!({ "email": renewed.email, "password": password });
            app.anonymous().post("/v1/auth/login", &body).status
        };
        assert_eq!(login(&renewed.password), 200, "{}", renewed.email);
        assert_eq!(login(&account.password), 401, "{}", renewed.email);
    }
}

/// What somebody who looks around finds.
fn scenes(app: &App) {
    let anybody = app.anonymous();
    let venues = anybody.get("/v1/venues?limit=100").expect(200);
    for venue in venues["items"].as_array().unwrap() {
        assert!(venue["latitude"].is_number() && venue["longitude"].is_number(), "{venue}");
        assert_ne!(venue["opening_hours"]["monday"], json!([]), "{venue}");
        assert_ne!(venue["accessibility"], json!([]), "{venue}");
    }
    let near = anybody.get("/v1/venues?near=53.4378,-2.9605&within_km=1").expect(200);
    assert!(near["items"].as_array().unwrap().iter().any(|venue| venue["slug"] == "spellow-library-hub"));

    let on = |query: &str| anybody.get(&format!("/v1/sessions?{query}")).expect(200)["items"].clone();
    let cooking = &on("q=cooking%20on%20a%20budget")[0];
    assert_eq!((&cooking["seats_left"], &cooking["waitlist_length"]), (&json!(0), &json!(3)), "{cooking}");
    assert_eq!((&cooking["status"], &cooking["local_start"]), (&json!("scheduled"), &json!("2026-12-07T11:00:00")));
    assert_eq!((&cooking["topics"], &cooking["facilitator"]), (&json!(["food", "money"]), &json!("Beryl Fable")));
    assert!(cooking["description"].as_str().is_some_and(|text| text.contains("meal for four")), "{cooking}");
    assert_eq!(
        (&cooking["price_pence"], &cooking["is_free"], &cooking["min_age"]),
        (&json!(100), &json!(false), &json!(16))
    );
    let music = on("topic=singing");
    assert_eq!((&music[0]["languages"], &music[0]["is_free"]), (&json!(["en", "bfi"]), &json!(true)));
    assert_eq!(music[0]["accessibility"], json!(["hearing_loop"]));

    let mut conn = app.conn();
    let off = sessions::table.filter(sessions::status.eq("cancelled")).count().get_result::<i64>(&mut conn).unwrap();
    let told = bookings::table.filter(bookings::status.eq("cancelled_by_provider")).count();
    assert!(off >= 2 && told.get_result::<i64>(&mut conn).unwrap() >= 5, "a week is called off");

    // The member that the demo's account belongs to has a plan, and places that follow from it.
    let first: Id = members::table.order(members::id).select(members::id).first(&mut conn).unwrap();
    let member = app.member(&first.to_string());
    let plans = member.get("/v1/prescriptions?status=active").expect(200)["items"].clone();
    let is_whole = |plan: &&Value| plan["items"].as_array().is_some_and(|items| items.len() == 3);
    let plan = plans.as_array().unwrap().iter().find(is_whole).unwrap_or_else(|| panic!("{plans}"));
    assert_eq!(plan["needs"].as_array().unwrap().len(), 3);
    let places = member.get(&format!("/v1/members/{first}/bookings?limit=100")).expect(200)["items"].clone();
    let follows =
        places.as_array().unwrap().iter().filter(|place| place["prescription_item_id"] == plan["items"][0]["id"]);
    assert!(follows.count() >= 2, "{places}");
    diesel::delete(logins::table.filter(logins::user_id.eq(member.id.unwrap()))).execute(&mut conn).unwrap();
    diesel::delete(users::table.filter(users::member_id.eq(first))).execute(&mut conn).unwrap();
}
