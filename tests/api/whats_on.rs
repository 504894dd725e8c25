//! Finding sessions: every filter, alone and together, against a plain look at all of them.

use std::collections::HashSet;

use chrono::{Datelike, NaiveDateTime};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use life_rooms::db::schema::sessions;
use life_rooms::db::{Conn, Id};
use life_rooms::sessions::listings::word_of_time;
use life_rooms::sessions::search::strategy::MOST_LISTINGS;
use life_rooms::text::words;
use serde_json::{Value, json};

use crate::support::{Answer, App, Client, id, member_row, partner_row};

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
fn all(client: &Client, first: &str) -> Vec<Value> {
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
        ("read", vec!["Café Stories"]),
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
fn the_beginning_of_a_word_finds_words_of_texts_alone() {
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
    for beginning in ["to", "ti", "par", "ve", "de", "acc", "pill", "pr"] {
        assert_eq!(titles(&anyone, &format!("q={beginning}*")), [""; 0], "{beginning}");
    }
    assert_eq!(items(&anyone.get("/v1/venues?q=acc*")).len(), 0);
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

/// What a search says, and whether a session fits it.
#[derive(Default)]
struct Asked {
    query: String,
    tests: Vec<Box<dyn Fn(&Value) -> bool>>,
    from: Option<(f64, f64)>,
}

impl Asked {
    fn add(&mut self, part: String, test: impl Fn(&Value) -> bool + 'static) {
        self.query += &format!("&{part}");
        self.tests.push(Box::new(test));
    }
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn says(session: &Value) -> Vec<String> {
    let texts =
        ["title", "description", "facilitator"].map(|name| session[name].as_str().unwrap_or_default().to_owned());
    let texts = texts.into_iter().chain(strings(&session["topics"]));
    texts.flat_map(|text| words::words(&text).collect::<Vec<_>>()).collect()
}

/// The distance in kilometres by the angle between two vectors.
fn kilometres((a, b): (f64, f64), (c, d): (f64, f64)) -> f64 {
    let vector = |lat: f64, lng: f64| {
        let (lat, lng) = (lat.to_radians(), lng.to_radians());
        [lat.cos() * lng.cos(), lat.cos() * lng.sin(), lat.sin()]
    };
    let (p, q) = (vector(a, b), vector(c, d));
    let cross = [p[1] * q[2] - p[2] * q[1], p[2] * q[0] - p[0] * q[2], p[0] * q[1] - p[1] * q[0]];
    let dot: f64 = p.iter().zip(q).map(|(x, y)| x * y).sum();
    6371.0087714 * cross.iter().map(|x| x * x).sum::<f64>().sqrt().atan2(dot)
}

fn venue_place(session: &Value) -> Option<(f64, f64)> {
    Some((session["venue"]["latitude"].as_f64()?, session["venue"]["longitude"].as_f64()?))
}

fn asked(numbers: &mut Numbers, Filled { features, partners, free }: &Filled) -> Asked {
    let mut asked = Asked::default();
    if numbers.chance(40) {
        let text = *numbers.one(&[
            "reading",
            "yoga",
            "story",
            "walk",
            "tea",
            "shared reading",
            "wal*",
            "café book",
            "rare",
            "group tea",
        ]);
        let wanted = words::wanted(text).unwrap();
        asked.add(format!("q={}", text.replace(' ', "+").replace('é', "%C3%A9")), move |session| {
            let said = says(session);
            wanted.iter().all(|one| said.iter().any(|word| one.fits(word)))
        });
    }
    if numbers.chance(40) {
        let at = (53.3 + numbers.below(3000) as f64 / 10_000.0, -3.1 + numbers.below(3000) as f64 / 10_000.0);
        let radius = [1.0, 3.0, 10.0, 50.0][numbers.below(4)];
        asked.from = Some(at);
        asked.add(format!("near={},{}&within_km={radius}", at.0, at.1), move |session| {
            session["delivery"] != "online" && venue_place(session).is_some_and(|place| kilometres(at, place) <= radius)
        });
    }
    if numbers.chance(25) {
        let topic = *numbers.one(&["reading", "walking", "rare_topic"]);
        asked.add(format!("topic={topic}"), move |session| strings(&session["topics"]).iter().any(|one| one == topic));
    }
    if numbers.chance(20) {
        let feature = *numbers.one(&["step_free", "hearing_loop"]);
        let features = features.clone();
        asked.add(format!("accessibility={feature}"), move |session| {
            let venue = session["venue_id"]
                .as_str()
                .and_then(|id| features.get(id))
                .filter(|_| session["delivery"] != "online");
            strings(&session["accessibility"]).iter().chain(venue.into_iter().flatten()).any(|one| one == feature)
        });
    }
    if numbers.chance(20) {
        let authority = *numbers.one(&["Liverpool", "Sefton", "Wirral", "Halton"]);
        asked.add(format!("local_authority={authority}"), move |session| {
            session["delivery"] != "online" && session["venue"]["local_authority"] == authority
        });
    }
    if numbers.chance(25) {
        let hour = 9 + numbers.below(10);
        let time = format!("{hour:02}:{}0", numbers.below(6));
        let (name, after) = *numbers.one(&[("starts_after", true), ("starts_before", false)]);
        asked.add(format!("{name}={time}"), move |session| {
            (&session["local_start"].as_str().unwrap()[11..16] >= time.as_str()) == after
        });
    }
    if numbers.chance(25) {
        let day = numbers.below(7);
        let name = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"][day];
        asked.add(format!("weekday={name}"), move |session| {
            let local: NaiveDateTime = session["local_start"].as_str().unwrap().parse().unwrap();
            local.weekday().num_days_from_monday() as usize == day
        });
    }
    if numbers.chance(20) {
        let pillar = *numbers.one(&["learning", "community", "social_prescribing"]);
        asked.add(format!("pillar={pillar}"), move |session| session["pillar"] == pillar);
    }
    if numbers.chance(15) {
        let partner = numbers.one(partners).clone();
        asked.add(format!("partner_id={partner}"), move |session| session["partner_id"] == partner.as_str());
    }
    if numbers.chance(15) {
        let delivery = *numbers.one(&["in_person", "online", "hybrid"]);
        asked.add(format!("delivery={delivery}"), move |session| session["delivery"] == delivery);
    }
    if numbers.chance(15) {
        let free = free.clone();
        asked.add("has_space=true".into(), move |session| free.contains(id(session)));
    }
    if numbers.chance(20) {
        let day = format!("2027-{:02}-01", 1 + numbers.below(9));
        asked.add(format!("to={day}"), move |session| session["starts_at"].as_str().unwrap()[..10] <= *day);
    }
    asked
}

/// What there is to ask for.
struct Filled {
    /// What each venue has, by its id.
    features: std::collections::HashMap<String, Vec<String>>,
    /// One with many sessions, and one with few.
    partners: [String; 2],
    /// The sessions in which somebody who books one seat gets it.
    free: HashSet<String>,
}

/// Books a session out: all of its seats, or all but one, for which a party of two waits.
fn book_out(app: &App, session: &Value, numbers: &mut Numbers) {
    let delivery = if session["delivery"] == "online" { "online" } else { "in_person" };
    let book = |seats: usize| {
        let body = json!({
            "member_id": member_row(app, "Ann", "A"), "delivery": delivery, "if_full": "wait",
            "party": { "family": seats - 1, "carers": 0 }
        });
        let made = app.advisor().post(&format!("/v1/sessions/{}/bookings", id(session)), &body).expect(201);
        made["status"].as_str().unwrap().to_owned()
    };
    if numbers.chance(50) {
        assert_eq!(book(5), "booked");
    } else {
        assert_eq!((book(4), book(2)), ("booked".into(), "waitlisted".into()));
    }
}

/// Venues, series and single sessions of all kinds.
fn fill(app: &App, numbers: &mut Numbers) -> Filled {
    let admin = app.admin();
    let partners = ["the-reader", "the-phil"].map(|slug| partner_row(app, slug));
    let mut features = std::collections::HashMap::new();
    let mut venues = Vec::new();
    for n in 0..12 {
        let has: Vec<&str> = ["step_free", "hearing_loop"].into_iter().filter(|_| numbers.chance(30)).collect();
        let mut change = json!({ "local_authority": numbers.one(&["Liverpool", "Liverpool", "Sefton", "Wirral"]), "accessibility": has });
        if n > 1 {
            change["latitude"] = json!(53.3 + numbers.below(3000) as f64 / 10_000.0);
            change["longitude"] = json!(-3.1 + numbers.below(3000) as f64 / 10_000.0);
        }
        let venue = place(&admin, &format!("v{n}"), change);
        features.insert(id(&venue).to_owned(), has.into_iter().map(str::to_owned).collect());
        venues.push(venue);
    }
    for n in 0..50 {
        let title = ["Shared Reading", "Yoga & tea", "A walk", "Stories", "Café books", "Group"][numbers.below(6)];
        let mut change = json!({
            "description": if n == 7 { "A rare thing" } else { *numbers.one(&["Tea for all.", "Bring a book", "Walks in the park"]) },
            "topics": if n == 9 { vec!["rare_topic"] } else { vec![*numbers.one(&["reading", "walking"])] },
            "pillar": numbers.one(&["community", "community", "community", "social_prescribing"]),
            "local_start": format!("2027-01-{:02}T{:02}:{}0:00", 4 + numbers.below(7), 9 + numbers.below(9), numbers.below(6)),
            "capacity": 5,
        });
        if n == 11 {
            change["pillar"] = json!("learning");
        }
        if numbers.chance(10) {
            change["accessibility"] = json!(["step_free"]);
        }
        if numbers.chance(25) {
            change["partner_id"] = json!(partners[usize::from(numbers.chance(20))]);
        }
        if numbers.chance(20) {
            change["time_zone"] = json!(numbers.one(&["America/New_York", "Asia/Kolkata"]));
        }
        // Half of them are series of 30 weeks.
        if n % 2 == 1 {
            change["recurrence"] = json!("FREQ=WEEKLY;COUNT=30");
        }
        let venue = (!numbers.chance(20)).then(|| numbers.one(&venues).clone());
        if venue.is_some() {
            change["delivery"] = json!(numbers.one(&["in_person", "in_person", "hybrid", "online"]));
        }
        session(&admin, venue.as_ref(), title, change);
    }
    let made = all(&admin, "/v1/sessions?limit=100");
    let mut free: HashSet<String> = made.iter().map(|row| id(row).to_owned()).collect();
    for row in &made {
        if numbers.chance(20) {
            book_out(app, row, numbers);
            // The online seats of the hybrid ones have no limit.
            if row["delivery"] != "hybrid" {
                free.remove(id(row));
            }
        }
        if numbers.chance(3) {
            let path = format!("/v1/sessions/{}", id(row));
            let change = json!({ "title": numbers.one(&["Tea", "Rare group"]), "topics": ["walking"] });
            admin.patch(&path, admin.get(&path).etag(), &change).expect(200);
        }
    }
    Filled { features, partners, free }
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

#[test]
fn every_search_gives_what_a_plain_look_at_all_sessions_gives() {
    let app = App::start();
    let anyone = app.anonymous();
    let mut numbers = Numbers::new(20_261_124);
    let filled = fill(&app, &mut numbers);
    let everything = all(&anyone, "/v1/sessions?limit=100");
    assert!(everything.len() > 700, "{}", everything.len());
    let mut found_some = 0;
    for round in 0..150 {
        if round == 110 {
            make_frequent(&app);
        }
        let asked = asked(&mut numbers, &filled);
        let mut expected: Vec<&Value> =
            everything.iter().filter(|session| asked.tests.iter().all(|test| test(session))).collect();
        let mut path = format!("/v1/sessions?limit={}{}", [100, 37, 100, 8][numbers.below(4)], asked.query);
        if let Some(from) = asked.from.filter(|_| numbers.chance(50)) {
            path += "&sort=distance";
            let rank = |session: &Value| {
                let distance = kilometres(from, venue_place(session).unwrap_or_default());
                ((distance * 1e6).round() as i64, session["venue_id"].as_str().unwrap_or_default().to_owned())
            };
            // Stable: at one venue the order by start and id stays.
            expected.sort_by_key(|session| rank(session));
        }
        let found = all(&anyone, &path);
        let ids = |sessions: &[&Value]| sessions.iter().map(|session| id(session).to_owned()).collect::<Vec<_>>();
        assert_eq!(ids(&found.iter().collect::<Vec<_>>()), ids(&expected), "{path}");
        found_some += usize::from(!found.is_empty());
    }
    assert!(found_some > 60, "{found_some}");
}
