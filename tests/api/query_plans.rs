//! How the databases go about a page of sessions: through an index, in its order, and never through the whole table.

use std::sync::{Arc, Mutex};

use diesel::connection::{Connection, InstrumentationEvent, SimpleConnection};
use diesel::prelude::*;
use diesel::sql_types::Text;
use life_rooms::auth::viewer::Viewer;
use life_rooms::db::schema::{partners, sessions, wordings as wording_rows};
use life_rooms::db::{Conn, Id};
use life_rooms::sessions::search::query::Search;
use life_rooms::sessions::search::{self};
use life_rooms::sessions::store::{self, Revision, SessionRow};
use life_rooms::sessions::wordings::Wording;
use serde_json::{Value, json};

use crate::support::{App, id, partner_row};
use crate::whats_on::make_frequent;

/// Three venues near each other, and series that say different things.
fn fill(app: &App) -> Value {
    let admin = app.admin();
    let mut venue = Value::Null;
    for slug in ["a", "b", "c"] {
        let body = json!({ "slug": slug, "name": slug, "kind": "library", "local_authority": "Sefton",
            "latitude": 53.4, "longitude": -2.9, "accessibility": ["step_free"] });
        venue = admin.post("/v1/venues", &body).expect(201);
        for title in ["Yoga", "Yoga and tea", "Reading"] {
            let series = json!({ "title": title, "topics": ["calm"], "pillar": "learning", "delivery": "in_person",
                "venue_id": id(&venue), "local_start": "2027-01-05T13:00:00", "time_zone": "Europe/London",
                "duration_minutes": 60, "recurrence": "FREQ=DAILY;COUNT=60" });
            admin.post("/v1/session-series", &series).expect(201);
        }
    }
    venue
}

/// On PostgreSQL plans follow the numbers of rows: sessions that all say the same thing, elsewhere.
fn multiply(app: &App) {
    if let Conn::Postgres(postgres) = &mut app.conn() {
        // Columns that the database computes can't be written.
        let copies = "INSERT INTO listings (wording_id, slot, bytes) SELECT id, 0, 0 FROM wordings LIMIT 1; \
            CREATE TEMP TABLE copies AS SELECT s.* FROM sessions s, generate_series(1, 40); \
            UPDATE copies SET id = gen_random_uuid(), series_id = NULL, occurrence = NULL, starts_at = starts_at + random() * interval '300 days', \
            ends_at = starts_at + interval '310 days', slot = 0, venue_id = NULL, \
            wording_id = (SELECT wording_id FROM listings WHERE slot = 0); \
            DO $$ DECLARE written text; BEGIN \
            SELECT string_agg(column_name, ', ') INTO written FROM information_schema.columns \
            WHERE table_schema = current_schema AND table_name = 'sessions' AND is_generated = 'NEVER'; \
            EXECUTE format('INSERT INTO sessions (%s) SELECT %s FROM copies', written, written); END $$; \
            ANALYZE sessions, wordings, listings, listing_words, venue_words, venues";
        postgres.batch_execute(copies).unwrap();
    }
}

/// What work sends to the database.
pub fn sent_by(app: &App, work: impl FnOnce(&mut Conn)) -> Vec<String> {
    let sent = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&sent);
    let mut conn = app.conn();
    conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            let text = query.to_string();
            let text = text.split(" -- binds").next().unwrap_or_default().to_owned();
            kept.lock().unwrap().push(text);
        }
    });
    work(&mut conn);
    drop(conn);
    let sent = sent.lock().unwrap();
    sent.iter().filter(|text| text.starts_with("SELECT") || text.starts_with("WITH")).cloned().collect()
}

/// What is sent to the database to find a first and a second page.
fn statements(app: &App, filter: Value) -> Vec<String> {
    let distance = filter["sort"] == "distance";
    let filter = serde_json::from_value(filter).unwrap();
    let search = Search::read(Viewer::Public, filter, app.clock.now()).unwrap();
    sent_by(app, |conn| {
        if distance {
            let first = search::by_distance(conn, &search, None, 20).unwrap();
            let last = first.last().map(|(key, _)| *key);
            search::by_distance(conn, &search, last, 20).unwrap();
        } else {
            let first = search::by_start(conn, &search, None, 20).unwrap();
            let last = first.last().map(|row| row.key());
            search::by_start(conn, &search, last, 20).unwrap();
        }
    })
}

/// What is sent to the database to find a first page of series, a second one, and one at the end of the list.
fn statements_for_series(app: &App, filter: Value) -> Vec<String> {
    let distance = filter["sort"] == "distance";
    let filter = serde_json::from_value(filter).unwrap();
    let search = Search::read(Viewer::Public, filter, app.clock.now()).unwrap().for_series();
    sent_by(app, |conn| {
        if distance {
            let first = search::cards::by_distance(conn, &search, None, 4).unwrap();
            let last = first.last().map(|(key, _)| *key);
            search::cards::by_distance(conn, &search, last, 20).unwrap();
        } else {
            let first = search::cards::by_start(conn, &search, None, 4).unwrap();
            let key = |card: &search::cards::Card| {
                let (start, id) = card.session.session.place();
                (start.0.timestamp_micros(), id)
            };
            search::cards::by_start(conn, &search, first.last().map(key), 20).unwrap();
        }
    })
}

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
    line: String,
}

pub fn plan(conn: &mut Conn, statement: &str) -> Vec<String> {
    match conn {
        Conn::Sqlite(sqlite) => {
            let steps: Vec<Step> = diesel::sql_query(format!("EXPLAIN QUERY PLAN {statement}")).load(sqlite).unwrap();
            steps.into_iter().map(|step| step.detail).collect()
        }
        Conn::Postgres(postgres) => {
            let marks = (1..).take_while(|n| statement.contains(&format!("${n}"))).count();
            let nulls = if marks == 0 { String::new() } else { format!("({})", vec!["NULL"; marks].join(", ")) };
            let prepare = format!("SET plan_cache_mode = force_generic_plan; PREPARE page AS {statement}");
            postgres.batch_execute(&prepare).unwrap();
            let lines: Vec<Line> = diesel::sql_query(format!("EXPLAIN EXECUTE page{nulls}")).load(postgres).unwrap();
            postgres.batch_execute("DEALLOCATE page").unwrap();
            lines.into_iter().map(|line| line.line).collect()
        }
    }
}

/// What is wrong with a plan. Over several keys of a set, the first rows of each are put in order: no more than some
/// pages' worth, which [`search`] sees to. The sessions of one series are at most some thousands, and are sorted. What PostgreSQL sorts depends on the numbers of rows: see `bench/whatson.sh`.
fn faults(statement: &str, plan: &[String]) -> Vec<String> {
    let of_a_series = plan.iter().any(|line| line.contains("SEARCH sessions") && line.contains("(series_id=?"));
    let is_sorted = of_a_series || statement.contains("INDEXED BY");
    let wrong = |line: &&String| {
        let named = |name: &str| line.ends_with(&format!("SCAN {name}")) || line.contains(&format!("SCAN {name} "));
        let scans = named("sessions") || named("s") || line.contains("Seq Scan on sessions");
        let hashes = line.contains("hashed SubPlan") || line.contains("LIST SUBQUERY");
        scans || hashes || (line.contains("TEMP B-TREE") && !is_sorted)
    };
    plan.iter().filter(wrong).cloned().chain(passes_drafts(plan)).collect()
}

/// The reads of an index of sessions that don't say whether they want what is published. They would pass every draft
/// that lies in front of what they look for.
fn passes_drafts(plan: &[String]) -> Vec<String> {
    let by_start = |line: &String| {
        line.contains("sessions_") && line.contains("_index") && !line.contains("_pkey") && !line.contains("autoindex")
    };
    let conditions = |at: usize| plan[at..].iter().take(2).any(|line| line.contains("published"));
    let reads = plan.iter().enumerate().filter(|(_, line)| by_start(line));
    reads.filter(|(at, _)| !conditions(*at)).map(|(_, line)| line.clone()).collect()
}

/// The reads of an index with more sessions than those of the series, venue or partner that the search is for: each of these
/// has an index of its own, and a series the fewest sessions.
fn passes_all_others(filter: &Value, plan: &[String]) -> Vec<String> {
    let asks = |name: &str| filter.get(name).is_some();
    let larger: &[&str] = match (asks("series_id"), asks("venue_id") || asks("partner_id")) {
        (true, _) => &["sessions_starts_at_index", "sessions_venue_index", "sessions_partner_index"],
        (false, true) => &["sessions_starts_at_index"],
        (false, false) => &[],
    };
    plan.iter().filter(|line| larger.iter().any(|index| line.contains(index))).cloned().collect()
}

/// The statements of each search, all of which go about it well.
fn sound(app: &App, filters: &[Value]) -> Vec<String> {
    all_sound(app, filters, statements)
}

fn all_sound(app: &App, filters: &[Value], statements: fn(&App, Value) -> Vec<String>) -> Vec<String> {
    let mut conn = app.conn();
    let mut seen = Vec::new();
    for filter in filters {
        for statement in statements(app, filter.clone()) {
            let plan = plan(&mut conn, &statement);
            if std::env::var("SHOW_PLANS").is_ok() {
                println!("{filter}\n  {statement}\n    {}", plan.join("\n    "));
            }
            let mut faults = faults(&statement, &plan);
            faults.extend(passes_all_others(filter, &plan));
            assert!(faults.is_empty(), "{filter}\n{statement}\n{}", plan.join("\n"));
            seen.push(statement);
        }
    }
    seen
}

#[test]
fn no_page_of_sessions_scans_the_table_or_sorts_it() {
    let app = App::start();
    let venue = fill(&app);
    let partner = partner_row(&app, "choir");
    let yoga = wording_rows::table.filter(wording_rows::title.eq("Yoga")).select(wording_rows::id);
    let owner = sessions::table.filter(sessions::wording_id.eq_any(yoga));
    diesel::update(owner)
        .set(sessions::partner_id.eq(partner.parse::<Id>().unwrap()))
        .execute(&mut app.conn())
        .unwrap();
    multiply(&app);
    // What the public doesn't find leads nowhere else.
    let ended = partner_row(&app, "ended");
    let its = partners::table.find(ended.parse::<Id>().unwrap());
    diesel::update(its).set(partners::status.eq("ended")).execute(&mut app.conn()).unwrap();
    let near = "53.4,-2.9";
    let series =
        sessions::table.filter(sessions::series_id.is_not_null()).select(sessions::series_id.assume_not_null());
    let series = series.first::<Id>(&mut app.conn()).unwrap().to_string();
    let seen = sound(
        &app,
        &[
            json!({}),
            json!({ "from": "2027-01-01", "to": "2027-12-31", "pillar": "learning", "delivery": "in_person" }),
            json!({ "venue_id": id(&venue) }),
            json!({ "venue_id": id(&venue), "q": "tea" }),
            json!({ "venue_id": id(&venue), "starts_after": "20:00" }),
            json!({ "venue_id": id(&venue), "weekday": ["monday"], "pillar": "learning" }),
            json!({ "partner_id": partner }),
            json!({ "partner_id": partner, "q": "tea", "starts_after": "20:00" }),
            json!({ "series_id": series }),
            json!({ "series_id": series, "q": "tea", "venue_id": id(&venue), "partner_id": partner }),
            json!({ "series_id": series, "has_space": true, "booking_policy": "bookable" }),
            json!({ "series_id": series, "near": near, "sort": "distance" }),
            json!({ "booking_policy": "referral_only" }),
            json!({ "booking_policy": "bookable", "has_space": true }),
            json!({ "booking_policy": "bookable", "venue_id": id(&venue) }),
            json!({ "booking_policy": "bookable", "q": "tea" }),
            json!({ "local_authority": "Sefton" }),
            json!({ "local_authority": "Halton" }),
            json!({ "q": "yoga" }),
            json!({ "q": "yog* tea" }),
            json!({ "topic": ["calm"], "weekday": ["monday", "sunday"], "starts_after": "13:30" }),
            json!({ "accessibility": ["step_free"] }),
            json!({ "starts_after": "20:00" }),
            json!({ "has_space": true }),
            json!({ "has_space": true, "venue_id": id(&venue) }),
            json!({ "has_space": true, "venue_id": id(&venue), "q": "tea" }),
            json!({ "has_space": true, "partner_id": partner }),
            json!({ "has_space": true, "venue_id": id(&venue), "starts_after": "20:00" }),
            json!({ "has_space": true, "near": near, "sort": "distance" }),
            json!({ "near": near }),
            json!({ "near": near, "q": "tea", "has_space": true }),
            json!({ "near": near, "sort": "distance" }),
            json!({ "near": near, "sort": "distance", "q": "tea" }),
        ],
    );
    assert!(seen.len() > 60, "{}", seen.len());
}

#[test]
fn no_page_of_series_scans_the_sessions_or_sorts_them() {
    let app = App::start();
    let venue = fill(&app);
    multiply(&app);
    let near = "53.4,-2.9";
    let seen = all_sound(
        &app,
        &[
            json!({}),
            json!({ "from": "2027-01-20", "has_space": true }),
            json!({ "venue_id": id(&venue) }),
            json!({ "q": "tea", "booking_policy": "bookable" }),
            json!({ "q": "nothing" }),
            json!({ "weekday": ["monday"], "starts_after": "12:00" }),
            json!({ "local_authority": "Sefton", "topic": ["calm"] }),
            json!({ "near": near, "pillar": "learning" }),
            json!({ "near": near, "sort": "distance" }),
            json!({ "near": near, "sort": "distance", "q": "yoga" }),
        ],
        statements_for_series,
    );
    assert!(seen.iter().any(|statement| statement.contains("FROM series_listings AS l WHERE")), "{seen:#?}");
}

#[test]
fn what_is_frequent_is_found_by_the_hours_of_the_week() {
    let app = App::start();
    fill(&app);
    multiply(&app);
    make_frequent(&app);
    for filter in [
        json!({ "topic": ["calm"], "weekday": ["monday", "sunday"], "starts_after": "13:30" }),
        json!({ "q": "yoga", "starts_after": "20:00" }),
        json!({ "pillar": "learning", "starts_after": "19:59", "weekday": ["friday"] }),
    ] {
        let seen = sound(&app, std::slice::from_ref(&filter));
        assert!(seen.iter().any(|statement| statement.contains("week_hour")), "{filter}: {seen:#?}");
    }
}

#[test]
fn hundreds_of_sessions_are_written_without_a_look_at_all_others() {
    let app = App::start();
    let series = json!({ "title": "Yoga", "pillar": "learning", "delivery": "online", "local_start": "2027-01-05T13:00:00",
        "time_zone": "Europe/London", "duration_minutes": 60, "recurrence": "FREQ=DAILY;COUNT=500" });
    let made = app.admin().post("/v1/session-series", &series).expect(201);
    multiply(&app);
    let rows = store::of_series(&mut app.conn(), id(&made).parse().unwrap()).unwrap();
    let wording = Wording::of(&mut app.conn(), &rows[0]).unwrap();
    let revise = |from: SessionRow| {
        let mut change = from.changeable(&wording);
        change.activity.capacity = Some(9);
        Revision { to: from.changed(change, wording.id(), app.clock.now()).unwrap(), from: Box::new(from) }
    };
    let revisions: Vec<Revision> = rows.into_iter().map(revise).collect();
    let sent = sent_by(&app, |conn| store::update_many(conn, &revisions).unwrap());
    assert_eq!(sent.len(), 1);
    // PostgreSQL is told the types with the values, which aren't there to explain a statement.
    let types = [("$1", "uuid"), ("$2", "integer"), ("$3", "boolean"), ("$4", "integer"), ("$5", "timestamptz")];
    let typed = |text: String, (mark, name)| text.replace(mark, &format!("{mark}::{name}[]"));
    let plan = plan(&mut app.conn(), &types.into_iter().fold(sent[0].clone(), typed));
    assert!(faults(&sent[0], &plan).is_empty(), "{}", plan.join("\n"));
}
