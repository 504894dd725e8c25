//! Searches that fit more than can be gone through listing by listing: nothing that fits is left out.

use chrono::TimeDelta;
use diesel::prelude::*;
use life_rooms::db::Id;
use life_rooms::db::schema::{listing_words, sessions};
use life_rooms::sessions::search::strategy::MOST_LISTINGS;
use serde_json::{Value, json};

use crate::support::{App, Client, SessionSeed, id, instant, session_rows};

/// A venue with a place on the map.
fn venue(app: &App) -> Value {
    let body = json!({
        "slug": "walton", "name": "Walton", "kind": "library", "local_authority": "Liverpool",
        "latitude": 53.4631, "longitude": -2.9653
    });
    app.admin().post("/v1/venues", &body).expect(201)
}

/// The first walk through the list looks at fewer than these.
const OTHERS: usize = 300;

/// A session each minute with these titles from the first Monday of 2027 on, each a listing of its own, behind others
/// that a search for them has to get past; their ids.
fn fill(app: &App, venue_id: &str, titles: &[String]) -> Vec<String> {
    fill_behind(app, OTHERS, venue_id, titles)
}

fn fill_behind(app: &App, others: usize, venue_id: &str, titles: &[String]) -> Vec<String> {
    let before = (0..others).map(|n| format!("Yoga {}", n % 300));
    let all: Vec<String> = before.chain(titles.iter().cloned()).collect();
    let first = instant("2027-01-04T09:00:00Z");
    let starts: Vec<String> =
        (0..).take(all.len()).map(|n| (first + TimeDelta::minutes(n)).format("%FT%TZ").to_string()).collect();
    let seed = |(title, starts_at)| SessionSeed { title, starts_at, venue_id: Some(venue_id), ..Default::default() };
    // The last ones first, so that what is read first of the words is of what starts last.
    let seeds = all.iter().map(String::as_str).zip(starts.iter().map(String::as_str)).map(seed).rev();
    let mut ids = session_rows(app, seeds);
    ids.reverse();
    ids[others..].to_vec()
}

/// The ids on every page of a search.
fn found(client: &Client, query: &str) -> Vec<String> {
    found_by(client, query, 100)
}

/// The same with so many a page.
fn found_by(client: &Client, query: &str, limit: usize) -> Vec<String> {
    let (mut next, mut found) = (Some(format!("/v1/sessions?limit={limit}&{query}")), Vec::new());
    while let Some(path) = next {
        let page = client.get(&path).expect(200);
        found.extend(page["items"].as_array().expect("items").iter().map(|item| id(item).to_owned()));
        next = page["next"].as_str().map(str::to_owned);
    }
    found
}

fn listings_with(app: &App, word: &str) -> usize {
    let with = listing_words::table.filter(listing_words::word.eq(word)).select(listing_words::wording_id);
    with.load::<Id>(&mut app.conn()).unwrap().len()
}

/// Half of the listings have two of the words that a plural stands for. So the rows that are read of them are few
/// listings, and the rest must not be taken for all there are.
#[test]
fn a_search_whose_words_come_twice_in_more_listings_than_are_read_finds_every_session() {
    let app = App::start();
    let place = venue(&app);
    let many = MOST_LISTINGS + 200;
    let titles: Vec<String> =
        (0..many).map(|n| if n % 2 == 0 { format!("Story stories {n}") } else { format!("Story {n}") }).collect();
    let wanted = fill(&app, id(&place), &titles);
    assert_eq!((listings_with(&app, "stories"), listings_with(&app, "story")), (many / 2, many));
    let anyone = app.anonymous();
    assert_eq!(found(&anyone, "q=story"), wanted);
    assert_eq!(found(&anyone, "q=stor*+stories"), wanted);
    assert_eq!(found(&anyone, "q=story&weekday=monday&weekday=tuesday&weekday=wednesday"), wanted);
}

#[test]
fn a_search_whose_rarest_word_has_more_listings_than_are_read_finds_every_session() {
    let app = App::start();
    let place = venue(&app);
    let many = MOST_LISTINGS + 100;
    // The last ones alone have the third word.
    let title = |n| format!("Quilting circle{} {n}", if n >= many - 40 { " outdoors" } else { "" });
    let titles: Vec<String> = (0..many).map(title).collect();
    let wanted = fill(&app, id(&place), &titles);
    assert_eq!((listings_with(&app, "quilting"), listings_with(&app, "circle")), (many, many));
    let anyone = app.anonymous();
    assert_eq!(found(&anyone, "q=quilting"), wanted);
    assert_eq!(found(&anyone, "q=quilting+circle"), wanted);
    assert_eq!(found(&anyone, "q=quilting+circle&pillar=community&local_authority=Liverpool"), wanted);
    assert_eq!(found(&anyone, "q=quilting+outdoors"), wanted[many - 40..]);
    assert_eq!(found(&anyone, "q=quilting+indoors"), Vec::<String>::new());
    let near = "near=53.46,-2.96&within_km=5&sort=distance";
    assert_eq!(found(&anyone, &format!("q=quilting+circle&{near}")), wanted, "there is one venue");
    assert_eq!(found(&anyone, &format!("q=quilting+outdoors&{near}")), wanted[many - 40..]);
}

/// What is said by many, but none of them soon: a walk through all the others in between has to end.
#[test]
fn a_search_for_what_many_say_far_ahead_finds_every_session_through_their_listings() {
    let app = App::start();
    let place = venue(&app);
    let titles: Vec<String> = (0..MOST_LISTINGS + 50).map(|n| format!("Carols {n}")).collect();
    let wanted = fill_behind(&app, 2_500, id(&place), &titles);
    assert_eq!(found(&app.anonymous(), "q=carols"), wanted);
}

/// Many listings whose first sessions start together: the smallest ids come first, and none is left out behind them.
#[test]
fn of_sessions_that_start_together_every_page_has_the_next_ones() {
    let app = App::start();
    let place = venue(&app);
    let titles: Vec<String> = (0..30).map(|n| format!("Tea {n}")).collect();
    let seed = |title| SessionSeed {
        title,
        starts_at: "2027-01-04T13:00:00Z",
        venue_id: Some(id(&place)),
        ..Default::default()
    };
    fill_behind(&app, OTHERS, id(&place), &[]);
    let mut wanted = session_rows(&app, titles.iter().map(|title| seed(title)));
    wanted.sort_unstable();
    for limit in [1, 7, 50] {
        for query in ["q=tea", "q=tea&near=53.46,-2.96&sort=distance", "q=tea&weekday=monday&starts_after=13:00"] {
            assert_eq!(found_by(&app.anonymous(), query, limit), wanted, "{query}, {limit} a page");
        }
    }
}

/// Months in which everything is full, and one seat at the end of them.
#[test]
fn what_has_room_is_found_behind_everything_that_is_full() {
    let app = App::start();
    let place = venue(&app);
    let partner =
        app.admin().post("/v1/partners", &json!({ "slug": "choir", "name": "Choir", "kind": "charity" })).expect(201);
    let first = instant("2027-01-04T09:00:00Z");
    let many: usize = 2_600;
    let starts: Vec<String> =
        (0..).take(many).map(|n| (first + TimeDelta::minutes(n)).format("%FT%TZ").to_string()).collect();
    let titles: Vec<String> = (0..many).map(|n| format!("Singing {}", n % 300)).collect();
    let seeds = titles.iter().zip(&starts).map(|(title, starts_at)| SessionSeed {
        title,
        starts_at,
        venue_id: Some(id(&place)),
        partner_id: Some(id(&partner)),
        capacity: Some(1),
        ..Default::default()
    });
    let ids = session_rows(&app, seeds);
    let conn = &mut app.conn();
    diesel::update(sessions::table).set(sessions::seats_taken.eq(1)).execute(conn).unwrap();
    let last = &ids[many - 1];
    let free = sessions::table.find(last.parse::<Id>().unwrap());
    diesel::update(free).set(sessions::seats_taken.eq(0)).execute(conn).unwrap();
    let (partner, venue) = (id(&partner), id(&place));
    for query in [
        String::new(),
        format!("&partner_id={partner}"),
        format!("&venue_id={venue}"),
        format!("&venue_id={venue}&partner_id={partner}&weekday=wednesday"),
        "&q=singing".into(),
        "&starts_before=12:00".into(),
        "&near=53.46,-2.96".into(),
        "&near=53.46,-2.96&sort=distance".into(),
        "&near=53.46,-2.96&sort=distance&q=singing".into(),
    ] {
        assert_eq!(found(&app.anonymous(), &format!("has_space=true{query}")), [last.as_str()], "{query}");
        assert_eq!(found(&app.anonymous(), &format!("has_space=true&to=2027-01-04{query}")), [""; 0], "{query}");
    }
}

/// Months in which a venue is closed: a few online seats among them, and sessions elsewhere and afterwards.
#[test]
fn a_seat_at_a_closed_venue_is_no_space_on_whatever_way_it_is_looked_for() {
    let app = App::start();
    let place = venue(&app);
    let nearby = json!({ "slug": "bootle", "name": "Bootle", "kind": "library", "local_authority": "Sefton",
        "latitude": 53.4632, "longitude": -2.9654 });
    let other = app.admin().post("/v1/venues", &nearby).expect(201);
    let first = instant("2027-01-04T09:00:00Z");
    let many: usize = 1_300;
    let minute = |n: usize| (first + TimeDelta::minutes(n as i64)).format("%FT%TZ").to_string();
    // The venue is closed on the first day. The last sessions are on the next.
    let starts: Vec<String> =
        (0..many).map(|n| if n < many - 5 { minute(n * 2 / 3) } else { minute(n + 300) }).collect();
    let titles: Vec<String> = (0..many).map(|n| format!("Singing {}", n % 300)).collect();
    let seeds = titles.iter().zip(&starts).enumerate().map(|(n, (title, starts_at))| SessionSeed {
        title,
        starts_at,
        venue_id: Some(id(if n % 97 == 50 { &other } else { &place })),
        delivery: ["hybrid", "hybrid", "online", "in_person"][(n % 101).min(3)],
        capacity: Some(1),
        online_capacity: [Some(2), Some(1), None, None][(n % 101).min(3)],
        ..Default::default()
    });
    let ids = session_rows(&app, seeds);
    let one_seat = sessions::table.filter(sessions::online_capacity.eq(1));
    diesel::update(one_seat).set(sessions::online_seats_taken.eq(1)).execute(&mut app.conn()).unwrap();
    let bookable = |n: &usize| n % 97 == 50 || matches!(n % 101, 0 | 2) || *n >= many - 5;
    let here = |n: &usize| n % 97 != 50;
    let come = |n: &usize| n % 101 != 2;
    let wanted = |which: &dyn Fn(&usize) -> bool| -> Vec<String> {
        let mut found: Vec<usize> = (0..many).filter(bookable).filter(which).collect();
        found.sort_unstable_by_key(|n| (&starts[*n], &ids[*n]));
        found.into_iter().map(|n| ids[n].clone()).collect()
    };
    let near = "near=53.4631,-2.9653";
    let by_distance = [wanted(&|n| here(n) && come(n)), wanted(&|n| !here(n) && come(n))].concat();
    let closed = [
        json!({ "status": "temporarily_closed", "status_from": "2027-01-04", "status_until": "2027-01-04" }),
        json!({ "status": "open", "status_from": null, "status_until": null,
            "opening_hours": { "tuesday": [{ "opens": "09:00", "closes": "17:00" }] } }),
    ];
    let everything = found(&app.anonymous(), "has_space=true").len();
    assert!(everything > many - 50);
    for closure in closed {
        let path = format!("/v1/venues/{}", id(&place));
        app.admin().patch(&path, app.admin().get(&path).etag(), &closure).expect(200);
        for (query, expected) in [
            (String::new(), wanted(&|_| true)),
            (format!("&venue_id={}", id(&place)), wanted(&|n| here(n) && come(n))),
            ("&q=singing".into(), wanted(&|_| true)),
            ("&weekday=monday&weekday=tuesday".into(), wanted(&|_| true)),
            ("&local_authority=Liverpool".into(), wanted(&|n| here(n) && come(n))),
            (format!("&{near}"), wanted(&come)),
            (format!("&{near}&sort=distance"), by_distance.clone()),
            (format!("&{near}&sort=distance&q=singing"), by_distance.clone()),
        ] {
            for limit in [3, 100] {
                let query = format!("has_space=true{query}");
                assert_eq!(found_by(&app.anonymous(), &query, limit), expected, "{query}, {limit} a page");
            }
        }
        assert_eq!(found(&app.anonymous(), "").len(), many);
    }
}
