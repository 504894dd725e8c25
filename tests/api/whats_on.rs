//! Finding sessions: every filter, alone and together, against a plain look at all of them.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use life_rooms::db::schema::sessions;
use life_rooms::db::{Conn, Id};
use life_rooms::sessions::listings::word_of_time;
use life_rooms::sessions::search::strategy::MOST_LISTINGS;
use serde_json::{Value, json};

use crate::support::{Answer, App, Client, id, partner_row};

/// A number generator that gives the same numbers each time.
pub struct Numbers(u64);

impl Numbers {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % most as u64) as usize
    }

    pub fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

fn items(answer: &Answer) -> &Vec<Value> {
    answer.json["items"].as_array().unwrap_or_else(|| panic!("{}", answer.text))
}

pub fn titles(client: &Client, query: &str) -> Vec<String> {
    let answer = client.get(&format!("/v1/sessions?{query}"));
    items(&answer).iter().map(|item| item["title"].as_str().unwrap().to_owned()).collect()
}

/// Every page of a list.
pub fn all(client: &Client, first: &str) -> Vec<Value> {
    let (mut next, mut found) = (Some(first.to_owned()), Vec::new());
    while let Some(path) = next {
        let page = client.get(&path);
        found.extend(items(&page).iter().cloned());
        next = page.json["next"].as_str().map(str::to_owned);
    }
    found
}

pub fn place(admin: &Client, slug: &str, change: Value) -> Value {
    let mut body =
        json!({ "slug": slug, "name": format!("Venue {slug}"), "kind": "library", "local_authority": "Liverpool" });
    for (name, value) in change.as_object().unwrap() {
        body[name] = value.clone();
    }
    admin.post("/v1/venues", &body).expect(201)
}

pub fn session(admin: &Client, venue: Option<&Value>, title: &str, change: Value) -> Value {
    let mut body = json!({
        "title": title, "pillar": "community", "delivery": if venue.is_some() { "in_person" } else { "online" },
        "local_start": "2027-01-05T13:00:00", "time_zone": "Europe/London", "duration_minutes": 60
    });
    if let Some(venue) = venue {
        body["venue_id"] = venue["id"].clone();
    }
    for (name, value) in change.as_object().unwrap() {
        body[name] = value.clone();
    }
    let path = if body.get("recurrence").is_some() { "/v1/session-series" } else { "/v1/sessions" };
    admin.post(path, &body).expect(201)
}

#[test]
fn words_are_found_without_case_and_accents_and_all_of_them_must_be_there() {
    let app = App::start();
    let (admin, anyone) = (app.admin(), app.anonymous());
    session(
        &admin,
        None,
        "Café Stories",
        json!({ "description": "Read aloud.", "local_start": "2027-01-05T10:00:00" }),
    );
    session(
        &admin,
        None,
        "Yoga",
        json!({ "facilitator": "Siân O\u{2019}Brien", "topics": ["chair_based"], "local_start": "2027-01-06T10:00:00" }),
    );
    session(
        &admin,
        None,
        "Reading group",
        json!({ "description": "A story a week", "local_start": "2027-01-07T10:00:00" }),
    );
    for (q, found) in [
        ("cafe", vec!["Café Stories"]),
        ("CAF%C3%89", vec!["Café Stories"]),
        ("story", vec!["Café Stories", "Reading group"]),
        ("stories", vec!["Café Stories", "Reading group"]),
        ("story+week", vec!["Reading group"]),
        ("read", vec!["Café Stories", "Reading group"]),
        ("read+", vec!["Café Stories"]),
        ("read+aloud", vec!["Café Stories"]),
        ("read*", vec!["Café Stories", "Reading group"]),
        ("sian+obrien", vec!["Yoga"]),
        ("o'brien", vec!["Yoga"]),
        ("chair", vec!["Yoga"]),
        ("sian+story", vec![]),
        ("nothing", vec![]),
        ("access%3Astep_free", vec![]),
    ] {
        assert_eq!(titles(&anyone, &format!("q={q}")), found, "{q}");
    }
    assert_eq!(titles(&anyone, "topic=chair_based"), ["Yoga"]);
    assert_eq!(titles(&anyone, "topic=chair_based&topic=other"), ["Yoga"]);
    assert_eq!(titles(&anyone, "topic=other"), Vec::<String>::new());
}

#[test]
fn the_beginning_of_a_word_finds_words_of_texts_and_names_alone() {
    let app = App::start();
    let admin = app.admin();
    let venue = place(&admin, "central", json!({ "accessibility": ["step_free"] }));
    let partner = partner_row(&app, "the-reader");
    session(&admin, Some(&venue), "Origami", json!({ "partner_id": partner, "topics": ["paper"] }));
    session(&admin, None, "Dance and piano", json!({}));
    let anyone = app.anonymous();
    for beginning in ["da", "pi"] {
        assert_eq!(titles(&anyone, &format!("q={beginning}*")), ["Dance and piano"], "{beginning}");
    }
    // The venue, its local authority and the partner.
    for beginning in ["cen", "liv", "read"] {
        assert_eq!(titles(&anyone, &format!("q={beginning}*")), ["Origami"], "{beginning}");
    }
    for beginning in ["to", "ti", "de", "acc", "pill", "pr"] {
        assert_eq!(titles(&anyone, &format!("q={beginning}*")), [""; 0], "{beginning}");
    }
    assert_eq!(items(&anyone.get("/v1/venues?q=acc*")).len(), 0);
}

#[test]
fn the_names_of_venues_towns_partners_and_programmes_are_read_too() {
    let app = App::start();
    let (admin, anyone) = (app.admin(), app.anonymous());
    let library = place(&admin, "x", json!({ "name": "Central Library", "address": { "town": "Bootle" } }));
    let hall = place(&admin, "y", json!({ "name": "Garston Hall", "address": { "town": "Liverpool" } }));
    let partner = partner_row(&app, "the-reader");
    let programme = json!({ "slug": "music", "name": "Music and Mental Health" });
    let programme = admin.post(&format!("/v1/partners/{partner}/programmes"), &programme).expect(201);
    let weekly = |title: &str, change: Value| {
        let mut body = json!({ "recurrence": "FREQ=WEEKLY;COUNT=2" });
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        session(&admin, Some(if title == "Yoga" { &library } else { &hall }), title, body)
    };
    weekly("Yoga", json!({ "partner_id": partner }));
    weekly(
        "Choir",
        json!({ "partner_id": partner, "programme_id": id(&programme), "description": "Library of songs" }),
    );
    for (q, found) in [
        ("central", vec!["Yoga"]),
        ("bootle", vec!["Yoga"]),
        ("garston", vec!["Choir"]),
        ("library", vec!["Yoga", "Choir"]),
        ("reader", vec!["Yoga", "Choir"]),
        ("mental+health", vec!["Choir"]),
        ("yoga+bootle", vec!["Yoga"]),
        ("yoga+garston", vec![]),
        ("reader+hall+sing", vec![]),
        ("reader+hall+so", vec!["Choir"]),
        ("yog", vec!["Yoga"]),
        ("yog+reader", vec![]),
        ("gar", vec!["Choir"]),
        ("libr", vec!["Yoga", "Choir"]),
    ] {
        let mut titles = titles(&anyone, &format!("q={q}"));
        titles.sort_by_key(|title| title != "Yoga");
        titles.dedup();
        assert_eq!(titles, found, "{q}");
        let cards = all(&anyone, &format!("/v1/session-series?q={q}"));
        let mut titles: Vec<&str> = cards.iter().map(|card| card["title"].as_str().unwrap()).collect();
        titles.sort_by_key(|title| *title != "Yoga");
        assert_eq!(titles, found, "{q}");
    }
    // At once under another name.
    let path = format!("/v1/venues/{}", id(&library));
    admin.patch(&path, admin.get(&path).etag(), &json!({ "name": "Main Reading Room" })).expect(200);
    assert_eq!((titles(&anyone, "q=central"), titles(&anyone, "q=main").len()), (vec![], 2));
}

#[test]
fn wrong_values_are_named() {
    let app = App::start();
    let anyone = app.anonymous();
    for (query, name) in [
        ("q=", "q"),
        ("q=%21%21", "q"),
        ("q=a*", "q"),
        ("q=a+b+c+d+e+f+g+h+i+j+k", "q"),
        ("near=53.4", "near"),
        ("near=91,0", "near"),
        ("near=53.4,-181", "near"),
        ("near=", "near"),
        ("near=53.4,", "near"),
        ("near=,3", "near"),
        ("near=53.4%3B-2.9", "near"),
        ("near=a,b", "near"),
        ("near=NaN,0", "near"),
        ("near=inf,0", "near"),
        ("near=1e1,0", "near"),
        ("near=1,2,3", "near"),
        ("near=Walton", "near"),
        ("near=L4+4A", "near"),
        ("near=L99", "near"),
        ("near=L99+4AA", "near"),
        ("near=53.4,-2.9&within_km=51", "within_km"),
        ("near=53.4,-2.9&within_km=0", "within_km"),
        ("within_km=5", "within_km"),
        ("sort=distance", "sort"),
        ("sort=title", "sort"),
        ("topic=No+Topic", "topic"),
        ("accessibility=%C3%A9", "accessibility"),
        ("has_space=perhaps", "has_space"),
        ("starts_after=24:00", "starts_after"),
        ("starts_before=9:00", "starts_before"),
        ("starts_after=12:00&starts_before=12:00", "starts_before"),
        ("weekday=mon", "weekday"),
    ] {
        anyone.get(&format!("/v1/sessions?{query}")).wrong_parameter(name);
    }
    for (query, name) in
        [("q=*", "q"), ("near=x", "near"), ("within_km=5", "within_km"), ("accessibility=A", "accessibility")]
    {
        anyone.get(&format!("/v1/venues?{query}")).wrong_parameter(name);
    }
    // A cursor is one of this order and these filters only.
    let admin = app.admin();
    let venue = place(&admin, "a", json!({ "latitude": 53.4, "longitude": -2.9 }));
    for hour in 10..13 {
        session(&admin, Some(&venue), "X", json!({ "local_start": format!("2027-01-05T{hour}:00:00") }));
    }
    let next =
        anyone.get("/v1/sessions?near=53.4,-2.9&sort=distance&limit=1").json["next"].as_str().unwrap().to_owned();
    assert_eq!(anyone.get(&next).status, 200);
    anyone.get(&next.replace("distance", "start")).wrong_parameter("cursor");
    anyone.get(&next.replace("53.4", "53.5")).wrong_parameter("cursor");
}

#[test]
fn what_is_only_online_is_at_no_place_and_a_hybrid_one_is() {
    let app = App::start();
    let (admin, anyone) = (app.admin(), app.anonymous());
    let venue = place(&admin, "a", json!({ "latitude": 53.4, "longitude": -2.9, "accessibility": ["step_free"] }));
    place(&admin, "b", json!({ "latitude": 53.4, "longitude": -2.0 }));
    session(&admin, Some(&venue), "Here", json!({ "local_start": "2027-01-05T10:00:00" }));
    session(&admin, Some(&venue), "Both", json!({ "delivery": "hybrid", "local_start": "2027-01-05T11:00:00" }));
    session(
        &admin,
        Some(&venue),
        "Online",
        json!({ "delivery": "online", "local_start": "2027-01-05T12:00:00", "accessibility": ["captions"] }),
    );
    for sort in ["start", "distance"] {
        assert_eq!(titles(&anyone, &format!("near=53.41,-2.9&sort={sort}")), ["Here", "Both"]);
        assert_eq!(titles(&anyone, &format!("near=53.6,-2.9&sort={sort}")), Vec::<String>::new());
    }
    assert_eq!(titles(&anyone, "near=53.6,-2.9&within_km=30"), ["Here", "Both"]);
    for query in
        ["local_authority=Liverpool", "local_authority=Liverpool&q=on*", "local_authority=Liverpool&pillar=community"]
    {
        assert!(!titles(&anyone, query).contains(&"Online".to_owned()), "{query}");
    }
    assert_eq!(titles(&anyone, "local_authority=Liverpool"), ["Here", "Both"]);
    assert_eq!(titles(&anyone, "local_authority=Liverpool&near=53.41,-2.9&sort=distance"), ["Here", "Both"]);
    assert_eq!(titles(&anyone, "accessibility=step_free"), ["Here", "Both"]);
    assert_eq!(titles(&anyone, "accessibility=captions"), ["Online"]);
    assert_eq!(titles(&anyone, "accessibility=captions&accessibility=step_free"), Vec::<String>::new());
}

#[test]
fn the_clock_is_that_of_the_sessions_own_zone() {
    let app = App::start();
    let (admin, anyone) = (app.admin(), app.anonymous());
    // A Tuesday evening in London in summer, and a Wednesday morning in Auckland.
    session(&admin, None, "London", json!({ "local_start": "2027-07-06T20:30:00" }));
    session(&admin, None, "Auckland", json!({ "local_start": "2027-07-07T08:00:00", "time_zone": "Pacific/Auckland" }));
    for (query, found) in [
        ("weekday=tuesday", vec!["London"]),
        ("weekday=wednesday", vec!["Auckland"]),
        ("weekday=tuesday&weekday=wednesday", vec!["London", "Auckland"]),
        ("weekday=monday", vec![]),
        ("starts_after=20:30", vec!["London"]),
        ("starts_after=20:31", vec![]),
        ("starts_before=20:30", vec!["Auckland"]),
        ("starts_before=20:31", vec!["London", "Auckland"]),
        ("starts_after=08:00&starts_before=08:01", vec!["Auckland"]),
    ] {
        let mut titles = titles(&anyone, query);
        titles.sort_by_key(|title| title != "London");
        assert_eq!(titles, found, "{query}");
    }
}

#[test]
fn an_edited_session_is_found_by_its_own_words_and_the_past_by_what_it_was() {
    let app = App::start();
    let (admin, anyone) = (app.admin(), app.anonymous());
    let body = json!({ "recurrence": "FREQ=WEEKLY;COUNT=4", "topics": ["reading"] });
    let series = session(&admin, None, "Shared Reading", body);
    let dates = anyone.get("/v1/sessions");
    let second = id(&items(&dates)[1]).to_owned();
    let path = format!("/v1/sessions/{second}");
    admin.patch(&path, admin.get(&path).etag(), &json!({ "title": "Poetry", "topics": ["poems"] })).expect(200);
    assert_eq!(titles(&anyone, "q=poetry"), ["Poetry"]);
    assert_eq!(titles(&anyone, "q=shared").len(), 3);
    assert_eq!((titles(&anyone, "topic=reading").len(), titles(&anyone, "topic=poems").len()), (3, 1));
    // A week later the first one is over; the series gets another name.
    app.at("2027-01-06T09:00:00Z");
    let path = format!("/v1/session-series/{}", id(&series));
    admin.patch(&path, admin.get(&path).etag(), &json!({ "title": "Novels", "topics": ["books"] })).expect(200);
    assert_eq!(titles(&anyone, "q=novel&from=2027-01-01"), ["Novels", "Novels"]);
    assert_eq!(titles(&anyone, "q=reading&from=2027-01-01"), ["Shared Reading"]);
    assert_eq!(titles(&anyone, "topic=books&from=2027-01-01").len(), 2);
    assert_eq!(titles(&anyone, "topic=poems&from=2027-01-01"), ["Poetry"]);
}

#[test]
fn venues_are_found_by_words_features_and_place() {
    let app = App::start();
    let (admin, anyone) = (app.admin(), app.anonymous());
    let library = place(
        &admin,
        "central",
        json!({ "name": "Central Library", "latitude": 53.41, "longitude": -2.98, "accessibility": ["step_free"] }),
    );
    place(
        &admin,
        "bootle",
        json!({ "name": "Café Bootle", "local_authority": "Sefton", "latitude": 53.45, "longitude": -2.99, "accessibility": ["step_free", "hearing_loop"] }),
    );
    place(&admin, "nowhere", json!({ "name": "Travelling Libraries", "status": "closed" }));
    let names = |query: &str| -> Vec<String> {
        let answer = anyone.get(&format!("/v1/venues?{query}"));
        items(&answer).iter().map(|item| item["slug"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names("q=library"), ["central", "nowhere"]);
    assert_eq!(names("q=caf*+sefton"), ["bootle"]);
    assert_eq!(names("accessibility=step_free"), ["bootle", "central"]);
    assert_eq!(names("accessibility=step_free&accessibility=hearing_loop"), ["bootle"]);
    assert_eq!(names("near=53.41,-2.98&within_km=1"), ["central"]);
    assert_eq!(names("near=53.41,-2.98"), ["bootle", "central"]);
    assert_eq!(names("status=closed"), ["nowhere"]);
    let path = format!("/v1/venues/{}", id(&library));
    admin.patch(&path, "\"1\"", &json!({ "name": "Main Reading Room", "accessibility": [] })).expect(200);
    assert_eq!(
        (names("q=central"), names("q=main"), names("accessibility=step_free")),
        (vec![], vec!["central".into()], vec!["bootle".into()])
    );
    assert_eq!(admin.delete(&path).status, 204);
}

#[test]
fn pages_have_every_row_once_whatever_is_added_in_between() {
    let app = App::start();
    let (admin, anyone) = (app.admin(), app.anonymous());
    let near = place(&admin, "near", json!({ "latitude": 53.41, "longitude": -2.98 }));
    let far = place(&admin, "far", json!({ "latitude": 53.45, "longitude": -2.99 }));
    for venue in [&far, &near] {
        session(&admin, Some(venue), "Walk", json!({ "recurrence": "FREQ=DAILY;COUNT=12" }));
        // Many at one instant.
        for _ in 0..5 {
            session(&admin, Some(venue), "Walk", json!({ "local_start": "2027-01-07T09:00:00" }));
        }
    }
    for query in
        ["q=walk", "near=53.41,-2.98", "near=53.41,-2.98&sort=distance", "near=53.41,-2.98&q=walk&sort=distance"]
    {
        let before = all(&anyone, &format!("/v1/sessions?{query}&limit=100"));
        let (mut next, mut seen) = (Some(format!("/v1/sessions?{query}&limit=4")), Vec::new());
        while let Some(path) = next {
            let page = anyone.get(&path);
            seen.extend(items(&page).iter().map(|item| id(item).to_owned()));
            next = page.json["next"].as_str().map(str::to_owned);
            session(&admin, Some(&near), "Walk", json!({ "local_start": "2027-01-06T09:00:00" }));
            session(&admin, Some(&far), "Walk", json!({ "local_start": "2027-01-14T09:00:00" }));
        }
        let unique: std::collections::HashSet<&String> = seen.iter().collect();
        assert_eq!(unique.len(), seen.len(), "{query}");
        assert!(before.iter().all(|item| unique.contains(&id(item).to_owned())), "{query}");
    }
}

#[test]
fn many_who_write_the_same_words_at_once_share_one_listing() {
    let app = App::start();
    let admin = app.admin();
    std::thread::scope(|scope| {
        for hour in 8..16 {
            let admin = &admin;
            scope.spawn(move || {
                session(admin, None, "Origami", json!({ "local_start": format!("2027-01-05T{hour:02}:00:00") }));
                session(admin, None, "Origami", json!({ "local_start": "2027-01-12T11:30:00" }));
            });
        }
    });
    assert_eq!(titles(&app.anonymous(), "q=origami").len(), 16);
    let at_one_time =
        sessions::table.filter(sessions::starts_on.eq("2027-01-12".parse::<chrono::NaiveDate>().unwrap()));
    let listing = (sessions::wording_id, sessions::slot);
    let listings: Vec<(Id, i64)> = at_one_time.select(listing).distinct().load(&mut app.conn()).unwrap();
    assert_eq!(listings.len(), 1);
}

/// Makes everything look frequent: so many listings that no session has say all that any does, that listings are no way
/// to what fits, and venues and hours of the week are.
pub fn make_frequent(app: &App) {
    let one = word_of_time(20, 0);
    let numbers = match app.conn() {
        Conn::Sqlite(_) => format!(
            "WITH RECURSIVE n (slot, id) AS (SELECT 0, x'00' UNION ALL SELECT slot + 1, x'00' FROM n WHERE slot < {MOST_LISTINGS})"
        ),
        Conn::Postgres(_) => {
            format!("WITH n (slot, id) AS (SELECT slot, NULL FROM generate_series(0, {MOST_LISTINGS}) AS slot)")
        }
    };
    let text = format!(
        "{numbers}, one AS (SELECT id FROM wordings LIMIT 1), \
         known AS (SELECT DISTINCT word FROM listing_words UNION SELECT '{one}') \
         INSERT INTO listing_words (wording_id, slot, word) SELECT one.id, n.slot, known.word FROM one, n, known"
    );
    app.conn().batch_execute(&text).unwrap();
}
