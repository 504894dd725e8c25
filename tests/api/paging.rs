//! Paging: every row once, whatever happens between two pages.

use std::collections::BTreeSet;

use diesel::prelude::*;
use life_rooms::db::schema::sessions;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::support::{App, SessionSeed, id, session_row};

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
