//! Paging: every row once, whatever happens between two pages.

use std::collections::BTreeSet;

use diesel::prelude::*;
use life_rooms::db::schema::sessions;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;

use crate::support::{App, SessionSeed, id, partner, session_row, venue};

/// Whatever is inserted between two pages, before, at or behind the place where the reader is: what was there from the
/// beginning is read once, in order, and nothing twice.
#[test]
fn paging_returns_every_row_once_while_rows_are_inserted() {
    let app = App::start();
    let seed = |minute: u32| {
        let starts_at = format!("2026-12-01T10:{minute:02}:00Z");
        session_row(&app, SessionSeed { starts_at: &starts_at, ..SessionSeed::default() })
    };
    let given = (prop::collection::vec(0u32..6, 0..14), prop::collection::vec(0u32..6, 0..8), 1usize..5);
    let mut runner = TestRunner::new(Config { cases: 24, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&given, |(first, meanwhile, limit)| {
        diesel::delete(sessions::table).execute(&mut app.conn()).unwrap();
        let there: BTreeSet<String> = first.into_iter().map(seed).collect();
        let (mut at, mut seen) = (format!("/v1/sessions?limit={limit}"), Vec::new());
        let mut meanwhile = meanwhile.into_iter();
        loop {
            let page = app.anonymous().get(&at);
            let items = page.json["items"].as_array().unwrap();
            seen.extend(items.iter().map(|s| (s["starts_at"].to_string(), id(s).to_owned())));
            meanwhile.next().map(seed);
            match page.json["next"].as_str() {
                Some(next) => at = next.to_owned(),
                None => break,
            }
        }
        prop_assert!(seen.windows(2).all(|pair| pair[0] < pair[1]), "{seen:?}");
        let read: BTreeSet<String> = seen.into_iter().map(|(_, id)| id).collect();
        prop_assert!(there.is_subset(&read));
        Ok(())
    });
    outcome.unwrap();
}

/// A name can look like a date, and can be as long as names may be. The link to the page behind it works.
#[test]
fn a_list_goes_on_behind_every_name() {
    let app = App::start();
    let admin = app.admin();
    let partner_id = id(&partner(&admin, "the-reader")).to_owned();
    let venue_id = id(&venue(&admin, "walton", "Liverpool")).to_owned();
    let lists = [
        ("/v1/venues".to_owned(), json!({ "slug": "", "kind": "library", "local_authority": "Liverpool" })),
        ("/v1/sites".to_owned(), json!({ "slug": "" })),
        ("/v1/partners".to_owned(), json!({ "slug": "", "kind": "charity" })),
        (format!("/v1/partners/{partner_id}/programmes"), json!({ "slug": "" })),
        (format!("/v1/venues/{venue_id}/spaces"), json!({})),
    ];
    let longest = "\u{1d504}".repeat(200);
    let names = ["1066-10-14", "2027-1-5", "+12345-1-1", &longest, "\u{1d505}"];
    for (path, mut body) in lists {
        for (index, name) in names.iter().enumerate() {
            body["name"] = json!(name);
            if body.get("slug").is_some() {
                body["slug"] = json!(format!("name-{index}"));
            }
            admin.post(&path, &body).expect(201);
        }
        let (mut at, mut seen) = (format!("{path}?limit=1"), BTreeSet::new());
        loop {
            let page = admin.get(&at).expect(200);
            seen.insert(page["items"][0]["name"].as_str().unwrap().to_owned());
            match page["next"].as_str() {
                Some(next) => at = next.to_owned(),
                None => break,
            }
        }
        assert!(names.iter().all(|name| seen.contains(*name)), "{path}: {seen:?}");
    }
}

#[test]
fn a_path_as_a_cursor_is_told_apart_from_a_wrong_cursor() {
    let app = App::start();
    for starts_at in ["2026-12-01T10:00:00Z", "2026-12-02T10:00:00Z"] {
        session_row(&app, SessionSeed { starts_at, ..SessionSeed::default() });
    }
    let next = app.anonymous().get("/v1/sessions?limit=1").json["next"].as_str().unwrap().to_owned();
    let encoded: String = form_urlencoded::byte_serialize(next.as_bytes()).collect();
    for (path, words) in [
        (format!("/v1/sessions?limit=1&cursor={encoded}"), "Is a path, not a cursor."),
        ("/v1/sessions?limit=1&cursor=abc".to_owned(), "Is not a cursor of this list"),
    ] {
        let problem = app.anonymous().get(&path).problem(400, "invalid-parameter");
        assert!(problem["errors"][0]["detail"].as_str().unwrap().starts_with(words), "{problem}");
    }
    assert_eq!(app.anonymous().get(&next).json["items"].as_array().unwrap().len(), 1);
}
