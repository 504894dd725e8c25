//! Series as cards: each with the first of its sessions that fits, against a plain look at the list of sessions.

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;
use life_rooms::db::Id;
use life_rooms::db::schema::{partners, session_series, sessions};
use serde_json::{Value, json};

use crate::support::{App, Client, id, member_row, partner_row};
use crate::whats_on::{Numbers, all, make_frequent, place, session};
use crate::whats_on_oracle::{Filled, asked, fill, kilometres, venue_place};

/// What is to be seen of a card.
fn shown(card: &Value) -> (String, String, i64) {
    let next = &card["next_session"];
    (id(card).to_owned(), id(next).to_owned(), card["sessions_to_come"].as_i64().unwrap())
}

/// The titles of the cards of a list, and the starts of their next sessions.
fn cards(client: &Client, query: &str) -> Vec<(String, String)> {
    let title = |card: &Value| card["title"].as_str().unwrap().to_owned();
    let start = |card: &Value| card["next_session"]["local_start"].as_str().unwrap_or_default().to_owned();
    all(client, &format!("/v1/session-series?{query}")).iter().map(|card| (title(card), start(card))).collect()
}

/// Calls off, moves and splits some of what there is.
fn change_some(app: &App, numbers: &mut Numbers, filled: &Filled) {
    let admin = app.admin();
    let to_come = all(&admin, "/v1/sessions?limit=100");
    let venues: Vec<&String> = filled.features.keys().collect();
    for session in to_come.iter().filter(|session| session["series_id"].is_string()) {
        let path = format!("/v1/sessions/{}", id(session));
        if numbers.chance(4) {
            admin.post(&format!("{path}/cancel"), &json!({ "reason": "Ill" })).expect(200);
        } else if numbers.chance(4) {
            let day = session["local_start"].as_str().unwrap()[..8].to_owned();
            let at = format!("{day}{:02}T{:02}:00:00", 1 + numbers.below(28), 8 + numbers.below(12));
            let mut change = json!({ "local_start": at });
            if session["delivery"] != "online" && numbers.chance(50) {
                change["venue_id"] = json!(numbers.one(&venues));
            }
            admin.patch(&path, admin.get(&path).etag(), &change).expect(200);
        }
    }
    for (at, series) in filled.series.iter().enumerate().take(6) {
        let path = format!("/v1/session-series/{series}");
        if at < 2 {
            admin.post(&format!("{path}/cancel"), &json!({ "reason": "Over" })).expect(200);
        } else if at < 4 {
            let own = all(&admin, &format!("/v1/sessions?series_id={series}"));
            let from =
                own.iter().find(|one| one["status"] == "scheduled" && one["starts_at"].as_str() > Some("2027-03"));
            let first = admin.get(&path).expect(200)["local_start"].as_str().unwrap()[11..].to_owned();
            let from = from.map(|one| format!("{}{first}", &one["local_start"].as_str().unwrap()[..11])).unwrap();
            // Where that one was moved, there is no occurrence to cut at.
            let split = json!({ "from": from, "changes": { "title": "A second half" } });
            admin.post(&format!("{path}/split"), &split);
        } else {
            let later = json!({ "local_start": admin.get(&path).expect(200)["local_start"].as_str().unwrap()
                .replace(":00:00", ":50:00").replace(":10:00", ":50:00") });
            admin.patch(&path, admin.get(&path).etag(), &later);
        }
    }
}

/// Compares lists of cards with the first sessions of each series in the list of sessions.
fn compare(app: &App, client: &Client, numbers: &mut Numbers, filled: &Filled, rounds: usize) -> usize {
    let everything = all(client, "/v1/sessions?limit=100");
    let scheduled: Vec<&Value> =
        everything.iter().filter(|row| row["status"] == "scheduled" && row["series_id"].is_string()).collect();
    let mut to_come: HashMap<&str, i64> = HashMap::new();
    for row in &scheduled {
        *to_come.entry(row["series_id"].as_str().unwrap()).or_default() += 1;
    }
    let mut found_some = 0;
    for _ in 0..rounds {
        let mut asked = asked(numbers, filled, false);
        if numbers.chance(20) && !asked.query.contains("&to=") {
            let day = format!("2027-{:02}-01", 2 + numbers.below(7));
            asked.add(format!("from={day}"), move |row| row["local_start"].as_str().unwrap()[..10] >= *day);
        }
        let mut seen = HashSet::new();
        let fits = scheduled.iter().filter(|row| asked.tests.iter().all(|test| test(row)));
        let mut expected: Vec<&Value> =
            fits.filter(|row| seen.insert(row["series_id"].as_str().unwrap())).copied().collect();
        let mut path = format!("/v1/session-series?limit={}{}", [100, 7, 37, 3][numbers.below(4)], asked.query);
        if let Some(from) = asked.from.filter(|_| numbers.chance(50)) {
            path += "&sort=distance";
            let rank = |session: &Value| {
                let distance = kilometres(from, venue_place(session).unwrap_or_default());
                ((distance * 1e6).round() as i64, session["venue_id"].as_str().unwrap_or_default().to_owned())
            };
            expected.sort_by_key(|session| rank(session));
        } else {
            path += "&sort=next";
        }
        let found = all(client, &path);
        let wanted: Vec<(String, String, i64)> = expected
            .iter()
            .map(|row| {
                let series = row["series_id"].as_str().unwrap();
                (series.to_owned(), id(row).to_owned(), to_come[series])
            })
            .collect();
        assert_eq!(found.iter().map(shown).collect::<Vec<_>>(), wanted, "{path} at {}", app.clock.now());
        for (card, row) in found.iter().zip(&expected) {
            let next = &card["next_session"];
            for name in ["title", "starts_at", "ends_at", "venue", "seats_left", "online_seats_left", "delivery"] {
                assert_eq!(next[name], row[name], "{path}");
            }
            match asked.from {
                Some(from) => {
                    let exact = kilometres(from, venue_place(row).unwrap());
                    assert!((card["distance_km"].as_f64().unwrap() - exact).abs() < 0.006, "{card}");
                }
                None => assert_eq!(card["distance_km"], Value::Null),
            }
        }
        found_some += usize::from(!found.is_empty());
    }
    found_some
}

#[test]
fn every_search_for_series_gives_the_first_session_of_each_that_a_plain_look_finds() {
    let app = App::start();
    let mut numbers = Numbers::new(20_261_201);
    let mut filled = fill(&app, &mut numbers);
    change_some(&app, &mut numbers, &filled);
    let admin = app.admin();
    for (publication, title) in [("draft", "A draft"), ("unlisted", "Tea for some")] {
        let body = json!({ "publication": publication, "partner_id": filled.partners[0],
            "recurrence": "FREQ=WEEKLY;COUNT=20", "topics": ["reading"] });
        let made = session(&admin, None, title, body);
        let theirs = all(&admin, &format!("/v1/sessions?limit=100&series_id={}", id(&made)));
        filled.free.extend(theirs.iter().map(|row| id(row).to_owned()));
    }
    let partner = app.partner_user(&filled.partners[0]);
    let mut found = 0;
    for (at, now) in ["2026-11-23T09:00:00Z", "2027-01-14T12:30:00Z", "2027-06-25T12:00:00Z"].into_iter().enumerate() {
        app.at(now);
        if at == 1 {
            make_frequent(&app);
        }
        for client in [&app.anonymous(), &partner, &admin] {
            found += compare(&app, client, &mut numbers, &filled, 25);
        }
    }
    assert!(found > 70, "{found}");
}

#[test]
fn by_creation_every_series_is_listed_and_shows_what_is_next() {
    let app = App::start();
    let (admin, anyone) = (app.admin(), app.anonymous());
    let here = place(&admin, "here", json!({}));
    let weekly = |start: &str| json!({ "recurrence": "FREQ=WEEKLY;COUNT=3", "local_start": start, "capacity": 4 });
    let made = |second: usize, title: &str, start: &str| {
        app.at(&format!("2026-11-23T09:00:0{second}Z"));
        session(&admin, Some(&here), title, weekly(start))
    };
    let tea = made(1, "Tea", "2027-01-12T13:00:00");
    made(2, "Chess", "2027-01-05T13:00:00");
    made(3, "Past", "2026-01-06T13:00:00");
    session(&admin, Some(&here), "Talk", json!({ "local_start": "2027-01-04T10:00:00" }));
    let row = |title: &str, start: &str| (title.to_owned(), start.to_owned());
    let (of_tea, of_chess) = (row("Tea", "2027-01-12T13:00:00"), row("Chess", "2027-01-05T13:00:00"));
    let by_creation = [of_tea.clone(), of_chess.clone(), row("Past", "")];
    for query in ["limit=2", "sort=created", "pillar=community&limit=1"] {
        assert_eq!(cards(&anyone, query), by_creation, "{query}");
    }
    for query in ["sort=next", "q=tea&sort=next&limit=1", "has_space=false"] {
        let expected =
            if query.contains("tea") { vec![of_tea.clone()] } else { vec![of_chess.clone(), of_tea.clone()] };
        assert_eq!(cards(&anyone, query), expected, "{query}");
    }
    // Any filter of sessions lists by next session.
    assert_eq!(
        cards(&anyone, "from=2027-01-06"),
        [row("Tea", "2027-01-12T13:00:00"), row("Chess", "2027-01-12T13:00:00")]
    );
    let card = all(&anyone, "/v1/session-series?q=tea")[0].clone();
    assert_eq!((&card["sessions_to_come"], &card["distance_km"]), (&json!(3), &Value::Null));
    let next = &card["next_session"];
    assert_eq!((&next["seats_left"], &next["venue"]["slug"]), (&json!(4), &json!("here")));
    assert_eq!((&next["time_zone"], &next["starts_at"]), (&json!("Europe/London"), &json!("2027-01-12T13:00:00Z")));
    assert_eq!(id(&all(&anyone, &format!("/v1/session-series?venue_id={}", id(&here)))[0]), id(&tea));
    for (query, name) in [
        ("sort=created&q=tea", "sort"),
        ("sort=distance", "sort"),
        ("sort=start", "sort"),
        ("series_id=x", "series_id"),
        ("within_km=2", "within_km"),
        ("from=2027-02-01&to=2027-01-01", "to"),
        ("weekday=mon", "weekday"),
    ] {
        anyone.get(&format!("/v1/session-series?{query}")).wrong_parameter(name);
    }
    let next = anyone.get("/v1/session-series?sort=next&limit=1").json["next"].as_str().unwrap().to_owned();
    anyone.get(&next.replace("sort=next", "sort=created")).wrong_parameter("cursor");
}

#[test]
fn a_card_follows_what_becomes_of_its_sessions() {
    let app = App::start();
    let (admin, anyone) = (app.admin(), app.anonymous());
    let here = place(&admin, "here", json!({ "latitude": 53.41, "longitude": -2.98 }));
    let there = place(&admin, "there", json!({ "latitude": 53.45, "longitude": -2.98 }));
    let rule = json!({ "recurrence": "FREQ=WEEKLY;COUNT=4" });
    let tea = session(&admin, Some(&here), "Tea", rule);
    let starts = |query: &str| cards(&anyone, query).into_iter().map(|(_, start)| start).collect::<Vec<_>>();
    let own = all(&anyone, &format!("/v1/sessions?series_id={}", id(&tea)));
    let path = |at: usize| format!("/v1/sessions/{}", id(&own[at]));
    let change = |path: &str, change: Value| admin.patch(path, admin.get(path).etag(), &change).expect(200);
    assert_eq!(starts("sort=next"), ["2027-01-05T13:00:00"]);
    // Called off.
    admin.post(&format!("{}/cancel", path(0)), &json!({ "reason": "Ill" })).expect(200);
    assert_eq!(starts("sort=next"), ["2027-01-12T13:00:00"]);
    // Put off, and brought forward, to another venue and under another title.
    change(&path(1), json!({ "local_start": "2027-01-27T13:00:00" }));
    assert_eq!(starts("sort=next"), ["2027-01-19T13:00:00"]);
    change(&path(3), json!({ "local_start": "2027-01-04T09:00:00", "venue_id": id(&there), "title": "Poems" }));
    let card = all(&anyone, "/v1/session-series?near=53.45,-2.98&sort=distance")[0].clone();
    assert_eq!((&card["title"], &card["next_session"]["title"]), (&json!("Tea"), &json!("Poems")));
    assert_eq!((&card["distance_km"], &card["sessions_to_come"]), (&json!(0.0), &json!(3)));
    assert_eq!(starts("q=poems"), ["2027-01-04T09:00:00"]);
    assert_eq!(starts("q=tea"), ["2027-01-19T13:00:00"]);
    // Once it has begun, the next is another.
    app.at("2027-01-04T09:00:00Z");
    assert_eq!(starts("sort=next"), ["2027-01-04T09:00:00"]);
    app.at("2027-01-04T09:00:01Z");
    assert_eq!(starts("sort=next"), ["2027-01-19T13:00:00"]);
    // The whole series at another time, and split.
    let series = format!("/v1/session-series/{}", id(&tea));
    change(&series, json!({ "local_start": "2027-01-05T15:00:00" }));
    assert_eq!(starts("sort=next"), ["2027-01-19T15:00:00"]);
    let longer = json!({ "recurrence": "FREQ=WEEKLY;COUNT=6" });
    change(&series, longer);
    let split = json!({ "from": "2027-02-02T15:00:00", "changes": {} });
    let second = admin.post(&format!("{series}/split"), &split).expect(201);
    assert_eq!(starts("sort=next"), ["2027-01-19T15:00:00", "2027-02-02T15:00:00"]);
    assert_eq!(all(&anyone, "/v1/session-series?sort=next&limit=1")[1]["id"], second["id"]);
    // Back on, where a session was called off with the rule.
    change(&series, json!({ "recurrence": "FREQ=WEEKLY;COUNT=3" }));
    admin.post(&format!("{series}/cancel"), &json!({ "reason": "Over" })).expect(200);
    assert_eq!(starts("sort=next"), ["2027-02-02T15:00:00"]);
    app.at("2027-02-10T00:00:00Z");
    assert_eq!(starts("sort=next"), [""; 0]);
}

#[test]
fn a_series_that_shares_its_listing_with_others_has_its_own_next_session() {
    let app = App::start();
    let (admin, anyone) = (app.admin(), app.anonymous());
    let here = place(&admin, "here", json!({ "latitude": 53.41, "longitude": -2.98 }));
    for start in ["2027-01-12T13:00:00", "2027-01-05T13:00:00"] {
        session(&admin, Some(&here), "Tea", json!({ "recurrence": "FREQ=WEEKLY;COUNT=3", "local_start": start }));
    }
    session(&admin, Some(&here), "Tea", json!({ "local_start": "2026-12-29T13:00:00" }));
    for query in ["sort=next&limit=1", "q=tea&limit=1", "near=53.41,-2.98&sort=distance&limit=1", "to=2027-12-31"] {
        let found = all(&anyone, &format!("/v1/session-series?{query}"));
        let starts: Vec<&str> =
            found.iter().map(|card| card["next_session"]["local_start"].as_str().unwrap()).collect();
        assert_eq!(starts, ["2027-01-05T13:00:00", "2027-01-12T13:00:00"], "{query}");
        assert!(found.iter().all(|card| card["sessions_to_come"] == 3), "{query}");
    }
}

#[test]
fn nobody_finds_a_card_that_they_may_not_see() {
    let app = App::start();
    let (admin, anyone) = (app.admin(), app.anonymous());
    let reader = partner_row(&app, "the-reader");
    let body = |publication: &str| json!({ "publication": publication, "partner_id": reader, "recurrence": "FREQ=WEEKLY;COUNT=3" });
    for publication in ["published", "draft", "unlisted"] {
        session(&admin, None, publication, body(publication));
    }
    let titles = |client: &Client, query: &str| {
        let mut titles: Vec<String> = cards(client, query).into_iter().map(|(title, _)| title).collect();
        titles.sort();
        titles
    };
    let (own, other) = (app.partner_user(&reader), app.partner_user(&partner_row(&app, "choir")));
    let ann = app.member(&member_row(&app, "Ann", "A"));
    let everything = ["draft", "published", "unlisted"];
    for query in ["sort=next&limit=1", "sort=created", "to=2027-12-31", "pillar=community&sort=next"] {
        for client in [&admin, &app.advisor(), &own] {
            assert_eq!(titles(client, query), everything, "{query}");
        }
        for client in [&anyone, &other, &ann] {
            assert_eq!(titles(client, query), ["published"], "{query}");
        }
    }
    // A session of a draft that is published by hand is in the list of sessions. It doesn't show the draft.
    let draft = all(&own, "/v1/sessions?q=draft")[0].clone();
    let path = format!("/v1/sessions/{}", id(&draft));
    admin.patch(&path, admin.get(&path).etag(), &json!({ "publication": "published" })).expect(200);
    assert_eq!(all(&anyone, "/v1/sessions?q=draft").len(), 1);
    assert_eq!(titles(&anyone, "q=draft"), [""; 0]);
    let seen = all(&own, "/v1/session-series?q=draft");
    assert_eq!((seen.len(), id(&seen[0]["next_session"]), &seen[0]["sessions_to_come"]), (1, id(&draft), &json!(3)));
    // A session that is hidden by hand isn't counted.
    let first = all(&anyone, "/v1/sessions?q=published")[0].clone();
    let path = format!("/v1/sessions/{}", id(&first));
    admin.patch(&path, admin.get(&path).etag(), &json!({ "publication": "draft" })).expect(200);
    let card = all(&anyone, "/v1/session-series?sort=next")[0].clone();
    assert_eq!(card["sessions_to_come"], 2);
    assert_ne!(id(&card["next_session"]), id(&first));
    assert_eq!(id(&all(&own, "/v1/session-series?q=published")[0]["next_session"]), id(&first));
    // Of a partner that is paused, the public finds nothing.
    let its = partners::table.find(reader.parse::<Id>().unwrap());
    diesel::update(its).set(partners::status.eq("paused")).execute(&mut app.conn()).unwrap();
    for query in ["sort=next", "sort=created", "q=published"] {
        assert_eq!(titles(&anyone, query), [""; 0], "{query}");
    }
    assert_eq!(titles(&admin, "sort=next"), everything);
    assert_eq!(session_series::table.count().get_result::<i64>(&mut app.conn()).unwrap(), 3);
}

#[test]
fn pages_have_every_series_once_whatever_is_added_in_between() {
    let app = App::start();
    let (admin, anyone) = (app.admin(), app.anonymous());
    let near = place(&admin, "near", json!({ "latitude": 53.41, "longitude": -2.98 }));
    let far = place(&admin, "far", json!({ "latitude": 53.45, "longitude": -2.99 }));
    for venue in [&far, &near] {
        for hour in 8..18 {
            let at =
                json!({ "recurrence": "FREQ=DAILY;COUNT=12", "local_start": format!("2027-01-05T{hour:02}:00:00") });
            session(&admin, Some(venue), "Walk", at);
        }
        // Many at one instant.
        for _ in 0..4 {
            let at = json!({ "recurrence": "FREQ=WEEKLY;COUNT=2", "local_start": "2027-03-07T09:00:00" });
            session(&admin, Some(venue), "Walk", at);
        }
    }
    for query in ["sort=next", "q=walk", "near=53.41,-2.98", "near=53.41,-2.98&sort=distance", "sort=created"] {
        let before = all(&anyone, &format!("/v1/session-series?{query}&limit=100"));
        let (mut next, mut seen) = (Some(format!("/v1/session-series?{query}&limit=3")), Vec::new());
        while let Some(path) = next {
            let page = anyone.get(&path);
            let items = page.json["items"].as_array().unwrap();
            seen.extend(items.iter().map(|item| id(item).to_owned()));
            next = page.json["next"].as_str().map(str::to_owned);
            if seen.len() < 30 {
                let early = json!({ "recurrence": "FREQ=WEEKLY;COUNT=2", "local_start": "2027-01-04T09:00:00" });
                session(&admin, Some(&near), "Walk", early);
            }
        }
        let unique: HashSet<&String> = seen.iter().collect();
        assert_eq!(unique.len(), seen.len(), "{query}");
        assert!(before.iter().all(|item| unique.contains(&id(item).to_owned())), "{query}");
    }
}

#[test]
fn a_free_seat_at_a_venue_that_is_closed_then_is_no_next_session() {
    let app = App::start();
    let (admin, anyone) = (app.admin(), app.anonymous());
    let here = place(&admin, "here", json!({ "latitude": 53.41, "longitude": -2.98 }));
    let daily = json!({ "recurrence": "FREQ=DAILY;COUNT=20", "capacity": 1 });
    let tea = session(&admin, Some(&here), "Tea", daily);
    let own = all(&anyone, &format!("/v1/sessions?series_id={}", id(&tea)));
    for session in &own[..2] {
        let taken = sessions::table.find(id(session).parse::<Id>().unwrap());
        diesel::update(taken).set(sessions::seats_taken.eq(1)).execute(&mut app.conn()).unwrap();
    }
    let path = format!("/v1/venues/{}", id(&here));
    let closed = json!({ "status": "temporarily_closed", "status_from": "2027-01-08", "status_until": "2027-01-18" });
    let free = |query: &str| cards(&anyone, query).into_iter().map(|(_, start)| start).collect::<Vec<_>>();
    assert_eq!(free("has_space=true"), ["2027-01-07T13:00:00"]);
    app.at("2027-01-07T13:00:00Z");
    admin.patch(&path, admin.get(&path).etag(), &closed).expect(200);
    for query in ["has_space=true", "has_space=true&near=53.41,-2.98&sort=distance", "has_space=true&q=tea"] {
        assert_eq!(free(query), ["2027-01-19T13:00:00"], "{query}");
    }
}
