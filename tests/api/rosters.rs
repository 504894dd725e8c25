//! Rosters: reading their forms, what is wrong with them, applying them again and again.

use diesel::prelude::*;
use life_rooms::auth::caller::{Role, Scope};
use life_rooms::db::schema::{partners, programmes, session_series, sessions, wordings};
use life_rooms::db::{Id, Timestamp};
use serde_json::{Value, json};

use crate::support::{Answer, App, Client, venue};

const THE_READER: &str = include_str!("../../src/demo/data/roster-the-reader.csv");

const OUTREACH: &str = include_str!("../../src/demo/data/roster-outreach-2022.json");

const VENUES: &str = include_str!("../../src/demo/data/venues.csv");

/// A partner, written to the database: rosters are what is tested here.
pub fn partner(app: &App, slug: &str) -> String {
    let (id, now) = (app.clock.new_id(), app.clock.now());
    diesel::insert_into(partners::table)
        .values((
            partners::id.eq(id),
            partners::slug.eq(slug),
            partners::name.eq(slug),
            partners::kind.eq("charity"),
            partners::status.eq("active"),
            partners::roster_version.eq(0),
            partners::version.eq(1),
            partners::created_at.eq(now),
            partners::updated_at.eq(now),
        ))
        .execute(&mut app.conn())
        .expect("the partner is new");
    id.to_string()
}

pub fn programme(app: &App, partner_id: &str, slug: &str) -> String {
    let (id, now) = (app.clock.new_id(), app.clock.now());
    diesel::insert_into(programmes::table)
        .values((
            programmes::id.eq(id),
            programmes::partner_id.eq(partner_id.parse::<Id>().unwrap()),
            programmes::slug.eq(slug),
            programmes::name.eq(slug),
            programmes::version.eq(1),
            programmes::created_at.eq(now),
            programmes::updated_at.eq(now),
        ))
        .execute(&mut app.conn())
        .expect("the programme is new");
    id.to_string()
}

/// A server with The Reader, its programme and a venue; the partner's client and the path of its rosters.
pub fn reader() -> (App, Client, String) {
    let app = App::start();
    let id = partner(&app, "the-reader");
    programme(&app, &id, "shared-reading");
    venue(&app.admin(), "walton", "Liverpool");
    let client = app.partner_client(&id, &[Scope::RostersWrite, Scope::RostersRead, Scope::RegistersWrite]);
    (app, client, format!("/v1/partners/{id}/rosters"))
}

pub fn all_venues(app: &App) {
    let admin = app.admin();
    for row in csv::Reader::from_reader(VENUES.as_bytes()).deserialize::<std::collections::HashMap<String, String>>() {
        let row = row.unwrap();
        let body = json!({
            "slug": row["slug"], "name": row["name"], "kind": row["kind"], "local_authority": row["local_authority"]
        });
        admin.post("/v1/venues", &body).expect(201);
    }
}

pub fn series(external_id: &str) -> Value {
    json!({
        "external_id": external_id, "title": "Shared Reading", "pillar": "community", "delivery": "in_person",
        "venue": "walton", "local_start": "2027-01-05T13:00:00", "time_zone": "Europe/London", "duration_minutes": 90,
        "recurrence": "FREQ=WEEKLY;COUNT=4", "capacity": 12
    })
}

pub fn single(external_id: &str) -> Value {
    let mut entry = series(external_id);
    entry.as_object_mut().unwrap().remove("recurrence");
    entry
}

pub fn with(mut entry: Value, changes: Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => entry.as_object_mut().unwrap().remove(name),
            value => entry.as_object_mut().unwrap().insert(name.clone(), value.clone()),
        };
    }
    entry
}

pub fn roster(entries: &[Value]) -> Value {
    json!({ "entries": entries })
}

pub fn post_csv(client: &Client, path: &str, text: &str) -> Answer {
    client.send("POST", path, &[("content-type", "text/csv; charset=utf-8")], text.as_bytes())
}

pub fn counts(created: u32, updated: u32, unchanged: u32, rejected: u32) -> Value {
    json!({ "created": created, "updated": updated, "unchanged": unchanged, "cancelled": 0, "rejected": rejected })
}

/// A session as the database has it.
#[derive(Debug, Clone, PartialEq, Queryable)]
pub struct Row {
    pub id: Id,
    pub title: String,
    pub local_start: String,
    pub starts_at: Timestamp,
    pub capacity: Option<i32>,
    pub status: String,
    pub version: i32,
    pub updated_at: Timestamp,
}

pub fn rows(app: &App) -> Vec<Row> {
    use sessions::dsl as s;
    let title = wordings::title;
    let columns = (s::id, title, s::local_start, s::starts_at, s::capacity, s::status, s::version, s::updated_at);
    let all = s::sessions.inner_join(wordings::table).order((s::starts_at, s::id));
    all.select(columns).load(&mut app.conn()).unwrap()
}

pub fn series_count(app: &App) -> i64 {
    session_series::table.count().get_result(&mut app.conn()).unwrap()
}

pub fn take_seats(app: &App, id: Id, seats: i32) {
    let set = sessions::seats_taken.eq(seats);
    diesel::update(sessions::table.find(id)).set(set).execute(&mut app.conn()).unwrap();
}

pub fn pointers(problem: &Value) -> Vec<&str> {
    let errors = problem["errors"].as_array().expect("errors");
    let mut pointers: Vec<&str> = errors.iter().map(|fault| fault["pointer"].as_str().unwrap()).collect();
    pointers.sort_unstable();
    pointers
}

#[test]
fn the_reader_posts_its_spreadsheet_and_posting_it_again_changes_nothing() {
    let app = App::start();
    all_venues(&app);
    let id = partner(&app, "the-reader");
    programme(&app, &id, "shared-reading");
    let client = app.partner_client(&id, &[Scope::RostersWrite, Scope::RostersRead]);
    let path = format!("/v1/partners/{id}/rosters");

    let first = post_csv(&client, &path, THE_READER);
    let body = first.clone().expect(201);
    assert_eq!(first.header("location"), format!("{path}/{}", first.id()));
    assert_eq!((&body["mode"], &body["dry_run"]), (&json!("atomic"), &json!(false)));
    assert_eq!(body["counts"], counts(4, 0, 0, 0));
    assert_eq!(body["sessions"], json!({ "created": 208, "updated": 0, "cancelled": 0 }));
    assert_eq!(body["skipped"], json!([]));
    let lines: Vec<_> = body["entries"].as_array().unwrap().iter().map(|entry| entry["line"].as_i64()).collect();
    assert_eq!(lines, [Some(2), Some(3), Some(4), Some(5)]);
    assert_eq!(body["entries"][0]["external_id"], "spellow-mon");
    assert_eq!(body["entries"][0]["outcome"], "created");
    let before = rows(&app);
    assert_eq!(before.len(), 208);

    app.at("2026-11-24T09:00:00Z");
    let again = post_csv(&client, &path, THE_READER).expect(201);
    assert_eq!(again["counts"], counts(0, 0, 4, 0));
    assert_eq!(again["sessions"], json!({ "created": 0, "updated": 0, "cancelled": 0 }));
    assert_eq!(again["entries"][0]["resource_id"], body["entries"][0]["resource_id"]);
    assert_eq!(rows(&app), before);

    let list = client.get(&path).expect(200);
    assert_eq!(list["items"].as_array().unwrap().len(), 2);
    assert_eq!(list["items"][0]["id"], again["id"]);
    assert_eq!(list["items"][1]["counts"], body["counts"]);
    let page = client.get(&format!("{path}?limit=1")).expect(200);
    let next = client.get(page["next"].as_str().unwrap()).expect(200);
    assert_eq!(next["items"][0]["id"], body["id"]);
    assert_eq!(next["next"], Value::Null);
    let kept = client.get(first.header("location")).expect(200);
    assert_eq!(kept["entries"], body["entries"]);
    assert_eq!((&kept["status"], &kept["version"]), (&json!("applied"), &json!(1)));
}

#[test]
fn the_trust_s_timetable_of_2022_is_at_half_past_nine_on_the_wall_all_year() {
    let app = App::start();
    all_venues(&app);
    let path = format!("/v1/partners/{}/rosters", partner(&app, "mersey-care"));
    let roster: Value = serde_json::from_str(OUTREACH).unwrap();
    let body = app.admin().post(&path, &roster).expect(201);
    assert_eq!(body["counts"], counts(11, 0, 0, 0));
    assert_eq!(body["sessions"]["created"], 1098);
    assert_eq!(body["entries"][10]["pointer"], "/entries/10");
    let rows = rows(&app);
    assert_eq!(rows.len(), 1098);
    let mut utc = std::collections::BTreeSet::new();
    for row in &rows {
        assert!(row.local_start.ends_with("T09:30:00"), "{}", row.local_start);
        let summer = ("2022-03-27".."2022-10-30").contains(&&row.local_start[..10]);
        let instant = row.starts_at.to_string();
        assert_eq!(&instant[11..], if summer { "08:30:00Z" } else { "09:30:00Z" }, "{instant}");
        utc.insert(instant[11..].to_owned());
    }
    assert_eq!(utc.len(), 2);
    let again = app.admin().post(&path, &roster).expect(201);
    assert_eq!(again["counts"], counts(0, 0, 11, 0));
}

#[test]
fn an_atomic_roster_with_a_wrong_entry_leaves_nothing_and_is_kept_as_refused() {
    let (app, client, path) = reader();
    let entries = [
        series("good"),
        with(
            series("bad"),
            json!({ "title": "", "duration_minutes": 0, "colour": 1, "venue": "wallton", "programme": "shared-readin", "time_zone": "Europe/Liverpool" }),
        ),
        with(single("none"), json!({ "venue": null, "local_start": null, "online_capacity": 3 })),
        json!(7),
    ];
    let problem = client.post(&path, &roster(&entries)).problem(422, "roster-refused");
    let wanted = [
        "/entries/1/colour",
        "/entries/1/duration_minutes",
        "/entries/1/programme",
        "/entries/1/time_zone",
        "/entries/1/title",
        "/entries/1/venue",
        "/entries/2/local_start",
        "/entries/2/online_capacity",
        "/entries/2/venue",
        "/entries/3",
    ];
    assert_eq!(pointers(&problem), wanted);
    let venue = problem["errors"].as_array().unwrap().iter().find(|fault| fault["pointer"] == "/entries/1/venue");
    assert_eq!(venue.unwrap()["code"], "unknown_venue");
    assert_eq!(venue.unwrap()["detail"], "There is no such venue. Nearest: walton.");
    assert!(rows(&app).is_empty());
    assert_eq!(series_count(&app), 0);

    let list = client.get(&path).expect(200);
    assert_eq!(list["items"][0]["status"], "refused");
    assert_eq!(list["items"][0]["counts"], counts(0, 0, 0, 3));
    let kept = client.get(&format!("{path}/{}", list["items"][0]["id"].as_str().unwrap())).expect(200);
    let outcomes: Vec<_> =
        kept["entries"].as_array().unwrap().iter().map(|entry| (&entry["pointer"], &entry["outcome"])).collect();
    assert_eq!(outcomes.len(), 3);
    assert_eq!(outcomes[0], (&json!("/entries/1"), &json!("rejected")));
    assert_eq!(kept["entries"][0]["errors"].as_array().unwrap().len(), 6);
}

#[test]
fn a_partial_roster_applies_the_good_entries_and_reports_the_others() {
    let (app, client, path) = reader();
    let entries = [series("good"), with(series("bad"), json!({ "recurrence": "FREQ=DAILY;COUNT=2001" }))];
    let body = client.post(&format!("{path}?mode=partial"), &roster(&entries)).expect(201);
    assert_eq!(body["counts"], counts(1, 0, 0, 1));
    assert_eq!(body["entries"][1]["outcome"], "rejected");
    assert_eq!(body["entries"][1]["errors"][0]["pointer"], "/entries/1/recurrence");
    assert_eq!(body["entries"][1]["errors"][0]["code"], "too_many_occurrences");
    assert_eq!(rows(&app).len(), 4);
}

#[test]
fn a_dry_run_says_what_would_happen_and_changes_nothing() {
    let (app, client, path) = reader();
    let body = client.post(&format!("{path}?dry_run=true"), &roster(&[series("a"), json!({})])).expect(200);
    assert_eq!((&body["counts"], &body["dry_run"]), (&counts(0, 0, 0, 1), &json!(true)));
    assert_eq!((&body["sessions"]["created"], body["entries"].as_array().unwrap().len()), (&json!(0), 1));
    let partial = format!("{path}?mode=partial&dry_run=true");
    let body = client.post(&partial, &roster(&[series("a"), json!({})])).expect(200);
    assert_eq!(body["counts"], counts(1, 0, 0, 1));
    assert_eq!(body["sessions"]["created"], 4);
    // What would be created has no id yet.
    assert_eq!((&body["id"], &body["entries"][0]["resource_id"]), (&Value::Null, &Value::Null));
    assert!(rows(&app).is_empty());
    assert_eq!(client.get(&path).expect(200)["items"], json!([]));
}

#[test]
fn an_external_id_stands_once_in_a_roster_and_keeps_its_type() {
    let (_app, client, path) = reader();
    let problem = client.post(&path, &roster(&[series("a"), single("a")])).problem(422, "roster-refused");
    assert_eq!(pointers(&problem), ["/entries/1/external_id"]);
    client.post(&path, &roster(&[series("a"), single("b")])).expect(201);
    let problem = client.post(&path, &roster(&[single("a"), series("b")])).problem(422, "roster-refused");
    assert_eq!(pointers(&problem), ["/entries/0/type", "/entries/1/type"]);
    assert_eq!(problem["errors"][0]["code"], "changed_type");
}

#[test]
fn what_belongs_to_a_series_is_wrong_in_a_session() {
    let (_app, client, path) = reader();
    let entries = [
        with(series("a"), json!({ "type": "session" })),
        with(single("b"), json!({ "type": "series" })),
        with(single("c"), json!({ "excluded": ["2027-01-05T13:00:00"] })),
        with(series("d"), json!({ "recurrence": "FREQ=DAILY;COUNT=2001" })),
        with(
            series("e"),
            json!({ "local_start": "2027-01-05T13:00:00", "recurrence": "FREQ=WEEKLY;BYDAY=MO;COUNT=2" }),
        ),
        with(series("f"), json!({ "delivery": "online", "venue": null, "space": "Room 1" })),
    ];
    let problem = client.post(&path, &roster(&entries)).problem(422, "roster-refused");
    let wanted = [
        "/entries/0/recurrence",
        "/entries/1/recurrence",
        "/entries/2/excluded",
        "/entries/3/recurrence",
        "/entries/4/local_start",
        "/entries/5/venue",
    ];
    assert_eq!(pointers(&problem), wanted);
}

#[test]
fn another_partner_s_programme_is_unknown_and_the_own_one_is_known_by_id_and_slug() {
    let (app, client, path) = reader();
    let other = partner(&app, "philharmonic");
    let foreign = programme(&app, &other, "music");
    for name in [foreign.as_str(), "music"] {
        let entry = with(series("a"), json!({ "programme": name }));
        let problem = client.post(&path, &roster(&[entry])).problem(422, "roster-refused");
        assert_eq!(pointers(&problem), ["/entries/0/programme"]);
        assert_eq!(problem["errors"][0]["code"], "unknown_programme");
        assert!(problem["errors"][0]["detail"].as_str().unwrap().contains("shared-reading"));
    }
    let own = programme(&app, path.split('/').nth(3).unwrap(), "poetry");
    client.post(&path, &roster(&[with(series("a"), json!({ "programme": own }))])).expect(201);
    let again = client.post(&path, &roster(&[with(series("a"), json!({ "programme": "poetry" }))])).expect(201);
    assert_eq!(again["counts"], counts(0, 0, 1, 0));
}

#[test]
fn spreadsheets_come_with_marks_semicolons_and_blank_lines() {
    let (app, client, path) = reader();
    let text = "\u{feff}Time_Zone;TITLE;external_id;pillar;delivery;venue;local_start;duration_minutes;recurrence;topics;description\r\n\
                \r\n\
                Europe/London;\"Read; and talk\";a;community;in_person;walton;2027-01-05T13:00:00;90;\"FREQ=WEEKLY;COUNT=2\";reading|poetry;\"Two\r\nlines\"\r\n\
                Europe/London;Once;b;community;online;;2027-01-05T13:00:00;90;;;\r\n\
                ;;;;;;;;;;\r\n\r\n";
    let body = post_csv(&client, &path, text).expect(201);
    assert_eq!(body["counts"], counts(2, 0, 0, 0));
    let lines: Vec<_> =
        body["entries"].as_array().unwrap().iter().map(|entry| entry["line"].as_i64().unwrap()).collect();
    assert_eq!(lines, [3, 5]);
    let rows = rows(&app);
    assert_eq!(rows.len(), 3);
    assert!(rows.iter().any(|row| row.title == "Read; and talk"));

    let wrong = text.replace("walton", "waltonn").replace(";90;", ";9x;");
    let problem = post_csv(&client, &path, &wrong).problem(422, "roster-refused");
    assert_eq!(pointers(&problem), ["/entries/0/duration_minutes", "/entries/0/venue", "/entries/1/duration_minutes"]);
    let details: Vec<&str> =
        problem["errors"].as_array().unwrap().iter().map(|fault| fault["detail"].as_str().unwrap()).collect();
    assert!(details[0].starts_with("Line 3: ") && details[2].starts_with("Line 5: "), "{details:?}");
    let partial = post_csv(&client, &format!("{path}?mode=partial"), &wrong).expect(201);
    let first: Vec<&str> = pointers(&partial["entries"][0]);
    assert_eq!(first, ["/duration_minutes", "/venue"]);
}

#[test]
fn wrong_columns_and_broken_bodies_are_refused_whole() {
    let (app, client, path) = reader();
    let problem = post_csv(&client, &path, "external_id,colour,title\na,b,c\n").invalid(&[
        "/colour",
        "/delivery",
        "/duration_minutes",
        "/local_start",
        "/pillar",
    ]);
    let known = problem["errors"].as_array().unwrap().iter().find(|fault| fault["pointer"] == "/colour").unwrap();
    assert!(known["detail"].as_str().unwrap().contains("external_id, type, title"), "{known}");
    post_csv(&client, &path, "").invalid(&[""]);
    post_csv(&client, &path, "external_id,title,pillar,delivery,local_start,time_zone,duration_minutes\n")
        .invalid(&[""]);
    let raw = |kind: &str, body: &[u8]| client.send("POST", &path, &[("content-type", kind)], body);
    raw("text/csv; charset=utf-8", b"a\xff\xfe").problem(400, "malformed-request");
    raw("application/json", b"{").problem(400, "malformed-request");
    raw("application/x-ndjson", b"{}\n{").problem(400, "malformed-request");
    raw("application/xml", b"<a/>").problem(415, "unsupported-media-type");
    client.post(&path, &json!({ "entries": [], "more": 1 })).invalid(&["/more"]);
    client.post(&path, &json!([])).invalid(&[""]);
    client.post(&format!("{path}?missing=drop"), &roster(&[series("a")])).wrong_parameter("missing");
    client.post(&format!("{path}?mode=all"), &roster(&[series("a")])).wrong_parameter("mode");
    assert!(rows(&app).is_empty());
    assert_eq!(client.get(&path).expect(200)["items"], json!([]));
}

#[test]
fn a_nul_in_an_entry_is_a_fault_like_any_other() {
    let (_app, client, path) = reader();
    let entry = with(series("a\0"), json!({ "venue": "wal\0ton", "na\0me": 1 }));
    let problem = client.post(&path, &roster(&[entry])).problem(422, "roster-refused");
    assert_eq!(problem["errors"].as_array().unwrap().len(), 3);
    assert_eq!(client.get(&path).expect(200)["items"][0]["status"], "refused");
}

#[test]
fn ndjson_is_an_entry_a_line() {
    let (app, client, path) = reader();
    let text = format!("{}\n\n{}\n", series("a"), with(single("b"), json!({ "pillar": "sport" })));
    let send = |path: &str| client.send("POST", path, &[("content-type", "application/x-ndjson")], text.as_bytes());
    let problem = send(&path).problem(422, "roster-refused");
    assert_eq!(pointers(&problem), ["/entries/1/pillar"]);
    assert!(problem["errors"][0]["detail"].as_str().unwrap().starts_with("Line 3: "));
    let body = send(&format!("{path}?mode=partial")).expect(201);
    assert_eq!(body["entries"][1]["line"], 3);
    assert_eq!(pointers(&body["entries"][1]), ["/pillar"]);
    assert_eq!(rows(&app).len(), 4);
}

#[test]
fn only_the_partner_with_the_scope_and_admins_post_and_read_rosters() {
    let (app, client, path) = reader();
    let id = path.split('/').nth(3).unwrap();
    let other = app.partner_client(&partner(&app, "philharmonic"), &[Scope::RostersWrite, Scope::RostersRead]);
    let entries = roster(&[series("a")]);
    let kept = client.post(&path, &entries);
    assert_eq!(kept.status, 201, "{}", kept.text);
    let one = kept.header("location").to_owned();
    other.post(&path, &entries).problem(404, "not-found");
    for path in [path.clone(), one.clone(), format!("{path}/template.csv")] {
        other.get(&path).problem(404, "not-found");
        app.anonymous().get(&path).problem(401, "unauthenticated");
        app.advisor().get(&path).problem(403, "forbidden");
        app.partner_client(id, &[Scope::RostersWrite]).get(&path).problem(403, "insufficient-scope");
        assert_eq!(app.admin().get(&path).status, 200);
        assert_eq!(app.partner_user(id).get(&path).status, 200);
    }
    app.anonymous().post(&path, &entries).problem(401, "unauthenticated");
    for role in [Role::Advisor, Role::Analyst] {
        app.user(role, None, None).post(&path, &entries).problem(403, "forbidden");
    }
    app.partner_client(id, &[Scope::RostersRead]).post(&path, &entries).problem(403, "insufficient-scope");
    let nobody = format!("/v1/partners/{}/rosters", app.clock.new_id());
    for path in [nobody.clone(), format!("{nobody}/template.csv"), format!("{path}/{}", app.clock.new_id())] {
        app.admin().get(&path).problem(404, "not-found");
    }
    app.admin().post(&nobody, &entries).problem(404, "not-found");
}

#[test]
fn the_template_is_a_roster_by_itself() {
    let (app, client, path) = reader();
    venue(&app.admin(), "walton-life-rooms", "Liverpool");
    let template = client.get(&format!("{path}/template.csv"));
    assert_eq!(template.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(template.text.lines().count(), 2);
    let held = [("if-none-match", template.etag())];
    assert_eq!(client.send("GET", &format!("{path}/template.csv"), &held, b"").status, 304);
    let body = post_csv(&client, &path, &template.text).expect(201);
    assert_eq!(body["counts"], counts(1, 0, 0, 0));
    assert_eq!(body["sessions"]["created"], 51);
}

#[test]
fn a_year_of_600_weekly_groups_is_one_roster() {
    let (app, client, path) = reader();
    let text: String = (0..600)
        .map(|n| with(series(&format!("g{n}")), json!({ "recurrence": "FREQ=WEEKLY;COUNT=52" })).to_string() + "\n")
        .collect();
    let post = || client.send("POST", &path, &[("content-type", "application/x-ndjson")], text.as_bytes());
    let started = std::time::Instant::now();
    assert_eq!(post().expect(201)["sessions"]["created"], 31_200);
    let posted = started.elapsed();
    assert_eq!(post().expect(201)["counts"], counts(0, 0, 600, 0));
    println!("posted in {posted:?}, again in {:?}", started.elapsed() - posted);
    let count: i64 = sessions::table.count().get_result(&mut app.conn()).unwrap();
    assert_eq!(count, 31_200);
}

#[test]
fn more_than_32_000_sessions_are_too_many_for_one_roster() {
    let (app, client, path) = reader();
    let entries: Vec<Value> =
        (0..17).map(|n| with(series(&format!("d{n}")), json!({ "recurrence": "FREQ=DAILY;COUNT=2000" }))).collect();
    let problem = client.post(&path, &roster(&entries)).problem(422, "roster-refused");
    assert_eq!(pointers(&problem), ["/entries/16"]);
    assert_eq!(problem["errors"][0]["code"], "too_many_sessions");
    assert!(rows(&app).is_empty());
}
