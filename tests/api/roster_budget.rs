//! What one roster may cost: days of rules, words, faults, bytes of an entry.

use diesel::prelude::*;
use life_rooms::db::schema::roster_entries;
use life_rooms::http::body::ROSTER_LIMIT;
use serde_json::{Value, json};

use crate::rosters::{post_csv, reader, roster, rows, series, single, with};
use crate::support::{Answer, App, Client, id};

fn lines(client: &Client, path: &str, entries: impl Iterator<Item = Value>) -> Answer {
    let text: String = entries.map(|entry| entry.to_string() + "\n").collect();
    client.send("POST", path, &[("content-type", "application/x-ndjson")], text.as_bytes())
}

/// The first fault: its code, its place, its sentence.
fn first(problem: &Value) -> (&str, &str, &str) {
    let fault = &problem["errors"][0];
    let text = |name: &str| fault[name].as_str().unwrap_or_default();
    (text("code"), text("pointer"), text("detail"))
}

#[test]
fn rules_that_never_come_end_a_roster_with_the_figure_and_the_place() {
    let (app, client, path) = reader();
    let never = json!({ "local_start": "1900-01-01T10:00:00", "recurrence": "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30" });
    let seldom = json!({
        "local_start": "1904-02-29T10:00:00", "recurrence": "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29;COUNT=27"
    });
    // The past too: an entry that is right costs as much as one that is wrong.
    for (times, query) in [(never, ""), (seldom, "?mode=partial")] {
        let entries = (0..400).map(|n| with(series(&format!("n{n}")), times.clone()));
        let problem = lines(&client, &format!("{path}{query}"), entries).problem(422, "invalid-body");
        let (code, pointer, detail) = first(&problem);
        assert_eq!(code, "too_many_days", "{problem}");
        let at: usize = pointer.strip_prefix("/entries/").unwrap().parse().unwrap();
        assert!((200..300).contains(&at), "{pointer}");
        assert!(detail.starts_with(&format!("Line {}: ", at + 1)) && detail.contains(" 10000000 days "), "{detail}");
    }
    let excluded = json!({ "recurrence": "FREQ=DAILY;COUNT=2", "local_start": "1950-01-01T10:00:00",
        "excluded": ["2099-12-31T10:00:00"] });
    lines(&client, &path, (0..40).map(|n| with(series(&format!("e{n}")), excluded.clone()))).expect(201);
    assert_eq!(rows(&app).len(), 80);
}

#[test]
fn one_series_looks_at_a_century_of_days_and_no_more() {
    let (app, client, path) = reader();
    let admin = app.admin();
    let venue = admin.get("/v1/venues").json["items"][0]["id"].clone();
    let body = json!({
        "title": "Leap day", "pillar": "community", "delivery": "in_person", "venue_id": venue,
        "local_start": "1904-02-29T10:00:00", "time_zone": "Europe/London", "duration_minutes": 60,
        "recurrence": "FREQ=YEARLY;COUNT=3"
    });
    let seldom = json!({ "recurrence": "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29;COUNT=40" });
    let problem = admin.post("/v1/session-series", &with(body.clone(), seldom.clone())).invalid(&["/recurrence"]);
    assert_eq!((first(&problem).0, first(&problem).2.contains(" 40000 days ")), ("too_many_days", true), "{problem}");
    let never = with(seldom.clone(), json!({ "recurrence": "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30" }));
    let problem = admin.post("/v1/session-series", &with(body.clone(), never)).invalid(&["/recurrence"]);
    assert_eq!(first(&problem).0, "too_many_days");

    let made = admin.post("/v1/session-series", &body);
    let (at, etag) = (format!("/v1/session-series/{}", made.id()), made.etag().to_owned());
    made.expect(201);
    let problem = admin.patch(&at, &etag, &seldom).invalid(&["/recurrence"]);
    assert_eq!(first(&problem).0, "too_many_days");
    // Of which nothing before 1908 is left: 38 leap days until 2060.
    let split = json!({ "from": "1908-02-29T10:00:00", "changes": seldom });
    let problem = admin.post(&format!("{at}/split"), &split).invalid(&["/changes/recurrence"]);
    assert_eq!(first(&problem).0, "too_many_days");
    let entry = with(series("leap"), json!({ "local_start": "1904-02-29T10:00:00" }));
    let problem = client.post(&path, &roster(&[with(entry, seldom)])).problem(422, "roster-refused");
    assert_eq!((first(&problem).0, first(&problem).1), ("too_many_days", "/entries/0/recurrence"));
}

#[test]
fn a_roster_has_so_many_words() {
    let (app, client, path) = reader();
    let words = |from: usize| (from..from + 300).map(|n| format!("w{n}")).collect::<Vec<_>>().join(" ");
    let entry = |n: usize| with(single(&format!("s{n}")), json!({ "description": words(n * 300) }));
    let problem = lines(&client, &path, (0..1_100).map(entry)).problem(422, "invalid-body");
    let (code, pointer, detail) = first(&problem);
    assert_eq!((code, detail.contains(" 300000 words ")), ("too_many_words", true), "{detail}");
    let at: usize = pointer.strip_prefix("/entries/").unwrap().parse().unwrap();
    assert!((900..1_000).contains(&at), "{pointer}");
    assert!(rows(&app).is_empty());
    // What says the same at the same time of the week counts once.
    let same = |n: usize| with(single(&format!("s{n}")), json!({ "description": words(0) }));
    lines(&client, &path, (0..1_100).map(same)).expect(201);
}

#[test]
fn a_roster_has_so_many_faults_and_the_first_are_told() {
    let (_app, client, path) = reader();
    let wrong: Vec<&str> = vec!["never"; 100];
    let entry = |n: usize| with(series(&format!("s{n}")), json!({ "excluded": wrong }));
    let problem = lines(&client, &format!("{path}?mode=partial"), (0..700).map(entry)).problem(422, "invalid-body");
    assert_eq!((first(&problem).0, first(&problem).1), ("too_many_faults", "/entries/600"));
    assert_eq!(problem["errors"].as_array().unwrap().len(), 1_000);
    assert_eq!(problem["errors"][1]["pointer"], "/entries/0/excluded/0");
}

#[test]
fn a_roster_moves_and_cancels_so_many_sessions_at_once() {
    let (app, client, path) = reader();
    let daily = |n: usize| with(series(&format!("d{n}")), json!({ "recurrence": "FREQ=DAILY;COUNT=2000" }));
    let changed = |changes: Value| (0..9).map(|n| with(daily(n), changes.clone())).collect::<Vec<_>>();
    let all: Vec<Value> = (0..9).map(daily).collect();
    assert_eq!(client.post(&path, &roster(&all)).expect(201)["sessions"]["created"], 18_000);
    let told = "the roster has more than 32000 sessions to write, where a cancelled one counts as two and a moved one as \
                four. Send it in parts.";
    let moved = changed(json!({ "local_start": "2027-01-05T18:00:00" }));
    let shorter = changed(json!({ "recurrence": "FREQ=DAILY;COUNT=1" }));
    for (entries, place) in [(&moved, "/entries/4"), (&shorter, "/entries/8")] {
        let problem = client.post(&path, &roster(entries)).problem(422, "invalid-body");
        assert_eq!((first(&problem).0, first(&problem).1), ("too_many_changes", place), "{problem}");
        assert!(first(&problem).2.ends_with(told), "{problem}");
    }
    let cancelling = format!("{path}?missing=cancel&confirm=cancel");
    for query in ["", "&mode=partial", "&dry_run=true"] {
        let other = roster(&[single("other")]);
        let problem = client.post(&format!("{cancelling}{query}"), &other).problem(422, "invalid-body");
        assert_eq!((first(&problem).0, first(&problem).1), ("too_many_changes", ""), "{problem}");
        assert!(first(&problem).2.starts_with("The roster doesn't name 18000 sessions,"), "{problem}");
    }
    assert_eq!(client.get(&path).expect(200)["items"].as_array().unwrap().len(), 1, "nothing was applied or kept");
    // In parts: as many as may be moved, and as many as may be cancelled.
    assert_eq!(client.post(&path, &roster(&moved[..4])).expect(201)["sessions"]["updated"], 8_000);
    let named = roster(&[daily(8)]);
    assert_eq!(client.post(&cancelling, &named).expect(201)["sessions"]["cancelled"], 16_000);
    let off = rows(&app).into_iter().filter(|row| row.status == "cancelled").count();
    assert_eq!(off, 16_000);
}

#[test]
fn of_a_refused_roster_the_first_thousand_wrong_rows_are_kept() {
    let (_app, client, path) = reader();
    let problem = lines(&client, &path, (0..1_200).map(|n| json!(n))).problem(422, "roster-refused");
    assert!(problem["detail"].as_str().unwrap().starts_with("1200 of 1200 entries are wrong"), "{problem}");
    let kept = client.get(&path).expect(200)["items"][0].clone();
    let kept = client.get(&format!("{path}/{}", kept["id"].as_str().unwrap())).expect(200);
    assert_eq!(kept["counts"]["rejected"], 1_200);
    let lines: Vec<&Value> = kept["entries"].as_array().unwrap().iter().map(|entry| &entry["line"]).collect();
    assert_eq!((lines.len(), lines[0], lines[999]), (1_000, &json!(1), &json!(1_000)));
}

#[test]
fn the_nearest_names_are_told_for_a_hundred_unknown_spaces_of_a_venue() {
    let (app, client, path) = reader();
    let admin = app.admin();
    let walton = admin.get("/v1/venues").json["items"][0]["id"].as_str().unwrap().to_owned();
    for name in ["Reading room", "Kitchen", "Café"] {
        admin.post(&format!("/v1/venues/{walton}/spaces"), &json!({ "name": name })).expect(201);
    }
    let at = |space: &str, n: usize| with(single(&format!("s{n}")), json!({ "space": space }));
    let told = |space: &str, times: usize| {
        let entries = (0..times).map(|n| at(&space.replace('#', &n.to_string()), n));
        let problem = lines(&client, &path, entries).problem(422, "roster-refused");
        let details = problem["errors"].as_array().unwrap().iter().map(|fault| fault["detail"].as_str().unwrap());
        details.map(|detail| detail.split_once(": ").unwrap().1.to_owned()).collect::<Vec<_>>()
    };
    let near = "The venue has no such space. Nearest: Kitchen, Café, Reading room.";
    let same = told("Kitchn", 150);
    assert!(same.len() == 150 && same.iter().all(|detail| detail == near), "{}", same[0]);
    let many = told("Kitchen #", 150);
    assert!(many[..100].iter().all(|detail| detail.contains(" Nearest: Kitchen, ")), "{}", many[99]);
    assert!(many[100..].iter().all(|detail| detail == "The venue has no such space."), "{}", many[100]);
    // Another case and other accents are the same name.
    lines(
        &client,
        &path,
        ["cafe", "CAFÉ", "kitchen"]
            .into_iter()
            .enumerate()
            .map(|(n, name)| with(at(name, n), json!({ "local_start": format!("2027-01-0{}T10:00:00", n + 5) }))),
    )
    .expect(201);
}

/// Sends a body of the largest size.
fn largest(app: &App, client: &Client, path: &str, media_type: &str, text: String) -> Value {
    assert!(text.len() <= ROSTER_LIMIT, "{}", text.len());
    let answer = client.send("POST", path, &[("content-type", media_type)], text.as_bytes());
    assert!(rows(app).is_empty());
    answer.problem(422, "invalid-body")
}

#[test]
fn a_list_without_end_is_refused_before_it_is_read() {
    let (app, client, path) = reader();
    let filling = |before: &str, item: &str, after: &str| {
        let room = ROSTER_LIMIT - before.len() - after.len();
        format!("{before}{}{after}", item.repeat(room / item.len()))
    };
    let json = filling("{\"entries\":[{\"topics\":[", "[],", "1]}]}");
    let problem = largest(&app, &client, &path, "application/json", json);
    assert_eq!((first(&problem).0, first(&problem).1), ("too_long", "/entries/0"));
    let lines = filling("{\"topics\":[", "[],", "1]}");
    let problem = largest(&app, &client, &path, "application/x-ndjson", lines);
    assert_eq!((first(&problem).0, first(&problem).1), ("too_long", "/entries/0"));
    let columns = "external_id,title,pillar,delivery,local_start,time_zone,duration_minutes,topics\na,b,,,,,,";
    let problem = largest(&app, &client, &path, "text/csv", filling(columns, "a|", ""));
    assert_eq!((first(&problem).0, first(&problem).1), ("too_long", "/entries/0"));
    let problem = largest(&app, &client, &path, "text/csv", filling("external_id", ",", ""));
    assert_eq!((first(&problem).0, first(&problem).1), ("too_long", ""));
    // Records of two bytes, which nobody counts to the end.
    let short = filling("external_id,title,pillar,delivery,local_start,time_zone,duration_minutes\n", "x\n", "");
    let problem = largest(&app, &client, &path, "text/csv", short);
    assert_eq!((first(&problem).0, first(&problem).1), ("too_many", ""));
    let many = filling("{\"entries\":[", "[],", "1]}");
    let problem = largest(&app, &client, &path, "application/json", many);
    assert_eq!((first(&problem).0, first(&problem).1), ("too_many", "/entries"));

    // Within an entry, what is more than a list may have isn't looked at.
    let cell = format!("{columns}{}", "a|".repeat(100_000));
    let problem = post_csv(&client, &path, &cell).problem(422, "roster-refused");
    let of_topics = |fault: &&Value| fault["pointer"].as_str().is_some_and(|at| at.starts_with("/entries/0/topics"));
    let found: Vec<&Value> = problem["errors"].as_array().unwrap().iter().filter(of_topics).collect();
    assert_eq!((found.len(), &found[0]["code"]), (1, &json!("too_many")));
}

/// What is kept of wrong rows, and of how many rosters, has a bound: a small wrong body can be sent all day.
#[test]
fn only_the_newest_rosters_with_wrong_rows_keep_them() {
    let (app, client, path) = reader();
    let wrong = |many: usize| {
        let entries = (0..many).map(|number| json!({ "external_id": format!("e{number}") }));
        json!({ "entries": entries.collect::<Vec<_>>() })
    };
    let answer = client.post(&format!("{path}?mode=partial"), &wrong(1_500)).expect(201);
    let first = format!("{path}/{}", id(&answer));
    assert_eq!(
        (answer["counts"]["rejected"].as_i64(), answer["entries"].as_array().unwrap().len()),
        (Some(1_500), 1_500)
    );
    let kept = client.get(&first);
    assert_eq!((kept.etag(), kept.json["entries"].as_array().unwrap().len()), ("\"1\"", 1_000));
    assert_eq!(kept.json["counts"]["rejected"], 1_500);
    for number in 0..100 {
        // Which is the newest is told by the clock.
        app.clock.set(app.clock.now().plus_seconds(1).0);
        let query = if number % 2 == 0 { "" } else { "?mode=partial" };
        client.post(&format!("{path}{query}"), &wrong(1)).expect(if number % 2 == 0 { 422 } else { 201 });
    }
    let short = client.get(&first);
    assert_eq!((short.etag(), short.json["entries"].as_array().unwrap().len()), ("\"2\"", 0));
    assert_eq!(short.json["counts"]["rejected"], 1_500);
    let rows: i64 = roster_entries::table.count().get_result(&mut app.conn()).unwrap();
    assert_eq!(rows, 100, "the newest hundred keep theirs");
}
