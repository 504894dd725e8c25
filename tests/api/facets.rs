//! Facets against a plain look at all sessions.

use std::collections::{BTreeMap, HashSet};

use chrono::{Datelike, NaiveDateTime};
use serde_json::{Value, json};

use crate::support::{App, Client, id, partner_row};
use crate::whats_on::{Numbers, all, make_frequent, place, session};
use crate::whats_on_oracle::{asked, fill};

/// Each facet with its filter.
const FACETS: [(&str, &str); 7] = [
    ("topic", "topic"),
    ("pillar", "pillar"),
    ("delivery", "delivery"),
    ("local_authority", "local_authority"),
    ("venue", "venue_id"),
    ("partner", "partner_id"),
    ("weekday", "weekday"),
];

const EVERY: &str = "by=topic,pillar,delivery,local_authority,venue,partner,weekday";

const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// The values that a session has of a facet.
fn values(session: &Value, facet: &str) -> Vec<String> {
    let text = |value: &Value| value.as_str().map(str::to_owned).into_iter().collect::<Vec<_>>();
    let is_online = session["delivery"] == "online";
    match facet {
        "topic" => session["topics"].as_array().unwrap().iter().flat_map(text).collect(),
        "local_authority" if is_online => Vec::new(),
        "venue" if is_online => Vec::new(),
        "local_authority" => text(&session["venue"]["local_authority"]),
        "venue" => text(&session["venue_id"]),
        "partner" => text(&session["partner_id"]),
        "weekday" => {
            let local: NaiveDateTime = session["local_start"].as_str().unwrap().parse().unwrap();
            vec![DAYS[local.weekday().num_days_from_monday() as usize].to_owned()]
        }
        name => text(&session[name]),
    }
}

/// The choices of each facet, each with how many series it leads to.
fn choices(client: &Client, query: &str) -> BTreeMap<String, BTreeMap<String, usize>> {
    let answer = client.get(&format!("/v1/sessions/facets?{query}")).expect(200);
    let of = |facet: &Value| {
        assert_eq!(facet["more"], false);
        let choice =
            |one: &Value| (one["value"].as_str().unwrap().to_owned(), one["series"].as_u64().unwrap() as usize);
        let found = facet["choices"].as_array().unwrap();
        let all: BTreeMap<String, usize> = found.iter().map(choice).collect();
        assert_eq!(all.len(), found.len());
        (facet["by"].as_str().unwrap().to_owned(), all)
    };
    answer["items"].as_array().unwrap().iter().map(of).collect()
}

#[test]
fn every_choice_counts_the_series_that_a_plain_look_finds() {
    let app = App::start();
    let mut numbers = Numbers::new(20_261_202);
    let mut filled = fill(&app, &mut numbers);
    let admin = app.admin();
    let draft =
        json!({ "publication": "draft", "partner_id": filled.partners[1], "recurrence": "FREQ=WEEKLY;COUNT=20" });
    let made = session(&admin, None, "A draft", draft);
    let theirs = all(&admin, &format!("/v1/sessions?limit=100&series_id={}", id(&made)));
    filled.free.extend(theirs.iter().map(|row| id(row).to_owned()));
    let partner = app.partner_user(&filled.partners[1]);
    let mut counted = 0;
    for (at, now) in ["2026-11-23T09:00:00Z", "2027-02-14T12:30:00Z"].into_iter().enumerate() {
        app.at(now);
        if at == 1 {
            make_frequent(&app);
        }
        for client in [&app.anonymous(), &partner, &admin] {
            let everything = all(client, "/v1/sessions?limit=100");
            let scheduled: Vec<&Value> =
                everything.iter().filter(|row| row["status"] == "scheduled" && row["series_id"].is_string()).collect();
            for _ in 0..25 {
                let asked = asked(&mut numbers, &filled, false);
                let found = choices(client, &format!("{EVERY}{}", asked.query));
                // The parameters that leave a session out.
                let wrong = |row: &Value| -> Vec<&String> {
                    asked.tests.iter().zip(&asked.names).filter(|(test, _)| !test(row)).map(|(_, name)| name).collect()
                };
                let looked_at: Vec<(&Value, Vec<&String>)> = scheduled.iter().map(|row| (*row, wrong(row))).collect();
                for (facet, filter) in FACETS {
                    let mut expected: BTreeMap<String, HashSet<&str>> = BTreeMap::new();
                    for (row, wrong) in &looked_at {
                        if wrong.iter().all(|name| *name == filter) {
                            for value in values(row, facet) {
                                expected.entry(value).or_default().insert(row["series_id"].as_str().unwrap());
                            }
                        }
                    }
                    let expected: BTreeMap<String, usize> =
                        expected.into_iter().map(|(value, series)| (value, series.len())).collect();
                    counted += expected.len();
                    assert_eq!(found[facet], expected, "{facet} {} at {now}", asked.query);
                }
            }
        }
    }
    assert!(counted > 1_000, "{counted}");
}

#[test]
fn a_choice_leads_to_as_many_cards_as_it_says() {
    let app = App::start();
    let (admin, anyone) = (app.admin(), app.anonymous());
    let [here, there] = ["here", "there"].map(|slug| place(&admin, slug, json!({ "capacity": 9 })));
    let reader = partner_row(&app, "the-reader");
    let weekly = |topics: Value| json!({ "recurrence": "FREQ=WEEKLY;COUNT=3", "topics": topics, "partner_id": reader });
    session(&admin, Some(&here), "Tea", weekly(json!(["tea", "talk"])));
    session(&admin, Some(&here), "Chess", weekly(json!(["chess"])));
    session(&admin, Some(&there), "Talk", weekly(json!(["talk"])));
    session(&admin, Some(&there), "Alone", json!({ "topics": ["alone"] }));
    let answer = anyone.get(&format!("/v1/sessions/facets?by=venue,topic,weekday&topic=talk&venue_id={}", id(&here)));
    let facet = |at: usize| answer.json["items"][at]["choices"].clone();
    // Of each facet the other filters count, and its own doesn't.
    assert_eq!(
        facet(0),
        json!([
            { "value": id(&here), "name": "Venue here", "series": 1 },
            { "value": id(&there), "name": "Venue there", "series": 1 },
        ])
    );
    let topic = |value: &str| json!({ "value": value, "name": null, "series": 1 });
    assert_eq!(facet(1), json!([topic("chess"), topic("talk"), topic("tea")]));
    assert_eq!(facet(2), json!([{ "value": "tuesday", "name": null, "series": 1 }]));
    let by_number = anyone.get("/v1/sessions/facets?by=topic&by=partner").expect(200);
    assert_eq!(by_number["items"][0]["choices"][0], json!({ "value": "talk", "name": null, "series": 2 }));
    assert_eq!(by_number["items"][1]["choices"][0]["series"], 3);
    for choice in by_number["items"][0]["choices"].as_array().unwrap() {
        let cards = all(&anyone, &format!("/v1/session-series?topic={}", choice["value"].as_str().unwrap()));
        assert_eq!(choice["series"], cards.len());
    }
    let nothing = anyone.get("/v1/sessions/facets?by=topic&q=nothing").expect(200);
    assert_eq!(nothing, json!({ "items": [{ "by": "topic", "choices": [], "more": false }] }));
    let tag = answer.header("etag").to_owned();
    let path = format!("/v1/sessions/facets?by=venue,topic,weekday&topic=talk&venue_id={}", id(&here));
    assert_eq!(anyone.send("GET", &path, &[("if-none-match", &tag)], b"").status, 304);
    for (query, name) in [
        ("", "by"),
        ("by=", "by"),
        ("by=colour", "by"),
        ("by=topic,colour", "by"),
        ("by=topic,", "by"),
        ("by=topic&limit=5", "limit"),
        ("by=topic&sort=next", "sort"),
        ("by=topic&q=%21", "q"),
        ("by=topic&near=L99", "near"),
    ] {
        anyone.get(&format!("/v1/sessions/facets?{query}")).wrong_parameter(name);
    }
}
