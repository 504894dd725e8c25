//! What's on against a plain look at every session.

use std::collections::HashSet;

use chrono::{Datelike, NaiveDateTime};
use life_rooms::text::words;
use serde_json::{Value, json};

use crate::support::{App, id, member_row, partner_row};
use crate::whats_on::{Numbers, all, make_frequent, place, session};

/// What a search says, and whether a session fits it.
#[derive(Default)]
pub struct Asked {
    pub query: String,
    /// The parameter of each test.
    pub names: Vec<String>,
    pub tests: Vec<Box<dyn Fn(&Value) -> bool>>,
    pub from: Option<(f64, f64)>,
}

impl Asked {
    pub fn add(&mut self, part: String, test: impl Fn(&Value) -> bool + 'static) {
        self.query += &format!("&{part}");
        self.names.push(part.split('=').next().unwrap_or_default().to_owned());
        self.tests.push(Box::new(test));
    }
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn says(session: &Value) -> Vec<String> {
    let texts =
        ["title", "description", "facilitator"].map(|name| session[name].as_str().unwrap_or_default().to_owned());
    let names = [
        ("venue", "name"),
        ("venue", "town"),
        ("venue", "local_authority"),
        ("partner", "name"),
        ("programme", "name"),
    ];
    let names = names.map(|(of, name)| session[of][name].as_str().unwrap_or_default().to_owned());
    let texts = texts.into_iter().chain(strings(&session["topics"])).chain(names);
    texts.flat_map(|text| words::words(&text).collect::<Vec<_>>()).collect()
}

/// The distance in kilometres by the angle between two vectors.
pub fn kilometres((a, b): (f64, f64), (c, d): (f64, f64)) -> f64 {
    let vector = |lat: f64, lng: f64| {
        let (lat, lng) = (lat.to_radians(), lng.to_radians());
        [lat.cos() * lng.cos(), lat.cos() * lng.sin(), lat.sin()]
    };
    let (p, q) = (vector(a, b), vector(c, d));
    let cross = [p[1] * q[2] - p[2] * q[1], p[2] * q[0] - p[0] * q[2], p[0] * q[1] - p[1] * q[0]];
    let dot: f64 = p.iter().zip(q).map(|(x, y)| x * y).sum();
    6371.0087714 * cross.iter().map(|x| x * x).sum::<f64>().sqrt().atan2(dot)
}

pub fn venue_place(session: &Value) -> Option<(f64, f64)> {
    Some((session["venue"]["latitude"].as_f64()?, session["venue"]["longitude"].as_f64()?))
}

/// A search for sessions, or for series by their sessions.
pub fn asked(numbers: &mut Numbers, Filled { features, partners, series, free }: &Filled, for_sessions: bool) -> Asked {
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
            "wal",
            "sefton yo",
            "v1",
            "the reader",
        ]);
        let wanted = words::wanted_so_far(text).unwrap();
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
    if for_sessions && numbers.chance(15) {
        let series = numbers.one(series).clone();
        asked.add(format!("series_id={series}"), move |session| session["series_id"] == series.as_str());
    }
    if numbers.chance(15) {
        let policy = *numbers.one(&["drop_in", "bookable", "referral_only"]);
        asked.add(format!("booking_policy={policy}"), move |session| session["booking_policy"] == policy);
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
pub struct Filled {
    /// What each venue has, by its id.
    pub features: std::collections::HashMap<String, Vec<String>>,
    /// One with many sessions, and one with few.
    pub partners: [String; 2],
    /// The series.
    pub series: Vec<String>,
    /// The sessions in which somebody who books one seat gets it.
    pub free: HashSet<String>,
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
pub fn fill(app: &App, numbers: &mut Numbers) -> Filled {
    let admin = app.admin();
    let partners = ["the-reader", "the-phil"].map(|slug| partner_row(app, slug));
    let mut features = std::collections::HashMap::new();
    let (mut venues, mut series) = (Vec::new(), Vec::new());
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
        if n % 5 == 4 {
            change["booking_policy"] = json!(numbers.one(&["drop_in", "drop_in", "referral_only"]));
        }
        let venue = (!numbers.chance(20)).then(|| numbers.one(&venues).clone());
        if venue.is_some() {
            change["delivery"] = json!(numbers.one(&["in_person", "in_person", "hybrid", "online"]));
        }
        let made = session(&admin, venue.as_ref(), title, change);
        if n % 2 == 1 {
            series.push(id(&made).to_owned());
        }
    }
    let made = all(&admin, "/v1/sessions?limit=100");
    let mut free: HashSet<String> = made.iter().map(|row| id(row).to_owned()).collect();
    for row in &made {
        if row["booking_policy"] == "bookable" && numbers.chance(20) {
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
    Filled { features, partners, series, free }
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
        let asked = asked(&mut numbers, &filled, true);
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
    assert!(found_some > 50, "{found_some}");
}
