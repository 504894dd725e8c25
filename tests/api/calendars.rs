//! The public calendars: what is in them, for whom, and that what a program reads are the sessions. Two
//! independent readers read them in `tests/curl/calendars.sh`.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use life_rooms::db::schema::sessions;
use life_rooms::db::{Id, LocalTime, Timestamp};
use serde_json::{Value, json};

use crate::support::{Answer, App, Client, SessionSeed, id, instant, item_row, member_row, partner_row, venue};
use crate::support::{series_row, session_row};

/// A content line: its name, its parameters, its value as it is written.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    pub name: String,
    pub parameters: String,
    pub value: String,
}

/// One component's own lines.
#[derive(Debug, Clone)]
pub struct Block(pub Vec<Line>);

impl Block {
    /// The value of a property, empty where there is none.
    pub fn value(&self, name: &str) -> &str {
        self.0.iter().find(|line| line.name == name).map_or("", |line| &line.value)
    }

    /// The values of a property that may stand more than once.
    pub fn values(&self, name: &str) -> Vec<&str> {
        self.0.iter().filter(|line| line.name == name).map(|line| line.value.as_str()).collect()
    }

    /// How often the event was changed, as programs count it.
    #[track_caller]
    pub fn sequence(&self) -> i64 {
        self.value("SEQUENCE").parse().unwrap_or_else(|_| panic!("no SEQUENCE in {self:#?}"))
    }

    /// Whether a property stands there exactly as `NAME;parameters:value`.
    pub fn has(&self, written: &str) -> bool {
        self.0.iter().any(|line| format!("{}{}:{}", line.name, line.parameters, line.value) == written)
    }
}

/// The lines of a calendar, unfolded; each must be folded as the standard says.
#[track_caller]
pub fn lines(text: &str) -> Vec<Line> {
    assert!(
        text.starts_with("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:") && text.ends_with("END:VCALENDAR\r\n"),
        "{text}"
    );
    assert!(text.split("\r\n").all(|line| line.len() <= 75 && !line.contains(['\r', '\n'])), "{text}");
    let unfolded = text.replace("\r\n ", "");
    let line = |line: &str| {
        let (head, value) = line.split_once(':').unwrap_or_else(|| panic!("{line}"));
        let (name, parameters) = head.split_at(head.find(';').unwrap_or(head.len()));
        Line { name: name.into(), parameters: parameters.into(), value: value.into() }
    };
    unfolded.trim_end().split("\r\n").map(line).collect()
}

/// The events of a calendar.
#[track_caller]
pub fn events(answer: &Answer) -> Vec<Block> {
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.header("content-type"), "text/calendar; charset=utf-8");
    let mut events = Vec::new();
    let mut inside: Option<Vec<Line>> = None;
    for line in lines(&answer.text) {
        match (line.name.as_str(), line.value.as_str()) {
            ("BEGIN", "VEVENT") => inside = Some(Vec::new()),
            ("END", "VEVENT") => events.extend(inside.take().map(Block)),
            _ => inside.iter_mut().for_each(|event| event.push(line.clone())),
        }
    }
    events
}

pub fn session_body(venue_id: &str, change: Value) -> Value {
    let mut body = json!({
        "title": "Reading in the park", "pillar": "community", "delivery": "in_person",
        "venue_id": venue_id, "local_start": "2027-01-05T13:00:00", "time_zone": "Europe/London", "duration_minutes": 90
    });
    for (name, value) in change.as_object().expect("an object") {
        body[name] = value.clone();
    }
    body
}

pub fn make_series(client: &Client, venue_id: &str, change: Value) -> Value {
    client.post("/v1/session-series", &session_body(venue_id, change)).expect(201)
}

pub fn calendar_of(kind: &str, id: &str) -> String {
    format!("/v1/{kind}/{id}/calendar.ics")
}

/// A series' sessions by start: id and instant.
pub fn sessions_of(app: &App, series: &Value) -> Vec<(Id, DateTime<Utc>)> {
    let of_it = sessions::table.filter(sessions::series_id.eq(id(series).parse::<Id>().unwrap()));
    let rows: Vec<(Id, Timestamp)> =
        of_it.order(sessions::starts_at).select((sessions::id, sessions::starts_at)).load(&mut app.conn()).unwrap();
    rows.into_iter().map(|(id, at)| (id, at.0)).collect()
}

/// Moves a session by hand, straight in the database.
fn move_session(app: &App, session: Id, starts_at: &str) {
    let at = instant(starts_at);
    let local = at.with_timezone(&chrono_tz::Europe::London).naive_local();
    diesel::update(sessions::table.find(session))
        .set((
            (sessions::starts_at.eq(Timestamp(at)), sessions::ends_at.eq(Timestamp(at + TimeDelta::minutes(90)))),
            (sessions::local_start.eq(LocalTime(local)), sessions::edited.eq(true)),
            sessions::version.eq(sessions::version + 1),
        ))
        .execute(&mut app.conn())
        .unwrap();
}

#[test]
fn a_session_is_one_event_with_its_time_place_and_words_and_never_its_join_link() {
    let app = App::start();
    let admin = app.admin();
    let place = json!({
        "slug": "walton", "name": "Walton Life Rooms", "kind": "library", "local_authority": "Liverpool",
        "address": { "line_1": "Evered Avenue", "town": "Liverpool", "postcode": "L9 2AF" }, "latitude": 53.4631, "longitude": -2.9653
    });
    let place = admin.post("/v1/venues", &place).expect(201);
    let space = admin.post(&format!("/v1/venues/{}/spaces", id(&place)), &json!({ "name": "Room 2" })).expect(201);
    let reader = partner_row(&app, "the-reader");
    let change = json!({
        "title": "Tea; cake, and \\ é", "description": "Bring a book.\nOr don't, as you like it, since we have many of them here for everybody to read.",
        "topics": ["reading", "mental_health"], "delivery": "hybrid", "join_link": "https://meet.example.org/j/secret",
        "partner_id": reader, "space_id": id(&space), "facilitator": "Sam", "local_start": "2027-07-06T13:00:00"
    });
    let session = admin.post("/v1/sessions", &session_body(id(&place), change)).expect(201);
    let path = calendar_of("sessions", id(&session));
    let answer = app.anonymous().send("GET", &path, &[("accept", "text/calendar")], b"");
    let events = events(&answer);
    assert_eq!(events.len(), 1);
    let event = &events[0];
    assert!(event.has("DTSTART;TZID=Europe/London:20270706T130000"), "{event:#?}");
    assert!(event.has("DTEND;TZID=Europe/London:20270706T143000"), "{event:#?}");
    assert!(event.has("DTSTAMP:20261123T090000Z") && event.has("LAST-MODIFIED:20261123T090000Z"), "{event:#?}");
    assert_eq!(event.value("UID"), format!("{}@life-rooms.invalid", id(&session)));
    assert_eq!(event.value("URL"), format!("https://life-rooms.invalid/v1/sessions/{}", id(&session)));
    assert_eq!(event.value("STATUS"), "CONFIRMED");
    assert_eq!(event.value("SUMMARY"), "Tea\\; cake\\, and \\\\ é");
    assert!(event.value("DESCRIPTION").starts_with("Bring a book.\\nOr don't\\, as you like"), "{event:#?}");
    assert!(event.value("DESCRIPTION").ends_with("\\n\\nLed by Sam\\n\\nPartner the-reader"), "{event:#?}");
    let location = "Room 2\\, Walton Life Rooms\\, Evered Avenue\\, Liverpool\\, L9 2AF / Online";
    assert_eq!(event.value("LOCATION"), location);
    assert_eq!(
        (event.value("GEO"), event.value("CATEGORIES")),
        ("53.463100;-2.965300", "community,reading,mental health")
    );
    assert!(answer.text.contains("BEGIN:VTIMEZONE\r\nTZID:Europe/London\r\n"));
    assert!(!answer.text.contains("meet.example"), "{}", answer.text);
    // Nobody comes to the venue of an online session.
    let online = admin.post("/v1/sessions", &session_body(id(&place), json!({ "delivery": "online" }))).expect(201);
    let event = &self::events(&app.anonymous().get(&calendar_of("sessions", id(&online))))[0];
    assert_eq!((event.value("LOCATION"), event.values("GEO")), ("Online", vec![]));
}

#[test]
fn a_change_raises_the_sequence_and_what_is_called_off_says_so_and_why() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let session = admin.post("/v1/sessions", &session_body(id(&place), json!({}))).expect(201);
    let (path, of_session) = (format!("/v1/sessions/{}", id(&session)), calendar_of("sessions", id(&session)));
    let read = || app.anonymous().get(&of_session);
    let first = read();
    app.at("2026-11-24T10:00:00Z");
    assert_eq!(app.anonymous().send("GET", &of_session, &[("if-none-match", first.etag())], b"").status, 304);
    admin
        .patch(
            &path,
            "\"1\"",
            &json!({ "title": "Elsewhere", "description": "Come.\r\nATTENDEE:mailto:x@example.org" }),
        )
        .expect(200);
    let changed = read();
    assert_ne!(changed.etag(), first.etag());
    let event = &events(&changed)[0];
    assert!(event.sequence() > events(&first)[0].sequence(), "{event:#?}");
    assert_eq!(event.value("LAST-MODIFIED"), "20261124T100000Z");
    assert_eq!(event.value("SUMMARY"), "Elsewhere");
    assert_eq!(event.values("ATTENDEE"), Vec::<&str>::new());
    admin.post(&format!("{path}/cancel"), &json!({ "reason": "Flooded, sadly." })).expect(200);
    let (before, event) = (event.sequence(), &events(&read())[0]);
    assert!(event.sequence() > before, "in the same second: {event:#?}");
    assert_eq!(event.value("STATUS"), "CANCELLED");
    assert!(event.value("DESCRIPTION").starts_with("Cancelled: Flooded\\, sadly."), "{event:#?}");
    assert_eq!(event.value("UID"), events(&first)[0].value("UID"));
}

#[test]
fn public_calendars_are_for_every_web_page_and_kept_as_sessions_are() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let path = calendar_of("venues", id(&place));
    let origin = [("origin", "https://any.example.org")];
    let answer = app.anonymous().send("GET", &path, &origin, b"");
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert_eq!(answer.header("cache-control"), "public, no-cache");
    assert!(answer.headers.get_all("vary").iter().any(|vary| vary.to_str().unwrap().contains("Authorization")));
    assert_eq!(admin.get(&path).header("cache-control"), "private, no-cache");
    let asked =
        [origin[0], ("access-control-request-method", "GET"), ("access-control-request-headers", "if-none-match")];
    let preflight = app.anonymous().send("OPTIONS", &path, &asked, b"");
    assert_eq!((preflight.status, preflight.header("access-control-allow-origin")), (204, "*"));
    let missing =
        app.anonymous().send("GET", &calendar_of("venues", id(&place).replace('0', "1").as_str()), &origin, b"");
    assert_eq!(missing.header("access-control-allow-origin"), "*");
    missing.problem(404, "not-found");
    // With a token it is for pages of the configured origins.
    assert_eq!(admin.send("GET", &path, &origin, b"").header("access-control-allow-origin"), "");
    app.anonymous().send("GET", &path, &[("accept", "image/png")], b"").problem(406, "not-acceptable");
}

#[test]
fn what_a_viewer_cannot_see_is_in_no_calendar() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let reader = partner_row(&app, "the-reader");
    let own = app.partner_client(&reader, &[]);
    let (ann, bob) = (member_row(&app, "Ann", "A"), member_row(&app, "Bob", "B"));
    let (ann_client, bob_client) = (app.member(&ann), app.member(&bob));
    for publication in ["draft", "unlisted"] {
        let change = json!({ "partner_id": reader, "publication": publication, "recurrence": "FREQ=WEEKLY;COUNT=2" });
        let series = make_series(&admin, id(&place), change);
        let (session, _) = sessions_of(&app, &series)[0];
        let paths = [calendar_of("session-series", id(&series)), calendar_of("sessions", &session.to_string())];
        let people = [&app.anonymous(), &app.analyst(), &ann_client, &bob_client];
        for path in &paths {
            people.iter().for_each(|client| drop(client.get(path).problem(404, "not-found")));
            assert_eq!(events(&own.get(path)).len(), 1, "{path}");
            assert_eq!(events(&admin.get(path)).len(), 1, "{path}");
        }
        item_row(&app, &ann, "active", None, Some(id(&series)));
        let seen = publication == "unlisted";
        for path in &paths {
            let answer = ann_client.get(path);
            assert_eq!(answer.status, if seen { 200 } else { 404 }, "{path}: {}", answer.text);
        }
        bob_client.get(&paths[0]).problem(404, "not-found");
    }
    for path in [calendar_of("venues", id(&place)), calendar_of("partners", &reader)] {
        assert_eq!(events(&own.get(&path)).len(), 4, "{path}");
        assert_eq!(events(&admin.get(&path)).len(), 4, "{path}");
        for client in [&app.anonymous(), &ann_client] {
            assert_eq!(events(&client.get(&path)).len(), 0, "{path}");
        }
    }
}

#[test]
fn a_series_is_its_rule_and_an_event_for_each_session_that_differs() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let change = json!({
        "title": "Shared Reading", "local_start": "2027-03-02T10:00:00", "recurrence": "freq=weekly;count=6",
        "excluded": ["2027-03-09T10:00:00"], "additional": ["2027-03-11T14:00:00"]
    });
    let series = make_series(&admin, id(&place), change);
    let all = sessions_of(&app, &series);
    let changed = |index: usize| format!("/v1/sessions/{}", all[index].0);
    move_session(&app, all[2].0, "2027-03-17T15:00:00Z");
    admin.post(&format!("{}/cancel", changed(3)), &json!({ "reason": "Ill" })).expect(200);
    admin.patch(&changed(4), "\"1\"", &json!({ "title": "With guests" })).expect(200);
    admin.patch(&changed(5), "\"1\"", &json!({ "publication": "draft" })).expect(200);
    let found = events(&app.anonymous().get(&calendar_of("session-series", id(&series))));
    let (master, others) = found.split_first().unwrap();
    assert_eq!(master.value("UID"), format!("{}@life-rooms.invalid", id(&series)));
    assert!(master.has("DTSTART;TZID=Europe/London:20270302T100000"), "{master:#?}");
    assert_eq!((master.value("DURATION"), master.value("RRULE")), ("PT90M", "FREQ=WEEKLY;COUNT=6"));
    // The excluded one, and the one that this viewer can't see.
    assert_eq!(master.values("EXDATE"), ["20270309T100000", "20270406T100000"]);
    let (additional, others) = others.split_last().unwrap();
    assert_eq!(additional.value("UID"), format!("{}@life-rooms.invalid", all[1].0));
    assert!(additional.has("DTSTART;TZID=Europe/London:20270311T140000"), "{additional:#?}");
    let told: Vec<_> = others.iter().map(|event| (event.value("RECURRENCE-ID"), event.value("DTSTART"))).collect();
    let expected = [
        ("20270316T100000", "20270317T150000"),
        ("20270323T100000", "20270323T100000"),
        ("20270330T100000", "20270330T100000"),
    ];
    assert_eq!(told, expected);
    let status: Vec<_> = others.iter().map(|event| (event.value("STATUS"), event.value("SUMMARY"))).collect();
    let expected = [("CONFIRMED", "Shared Reading"), ("CANCELLED", "Shared Reading"), ("CONFIRMED", "With guests")];
    assert_eq!(status, expected);
    let above = |event: &Block| event.value("UID") == master.value("UID") && event.sequence() > master.sequence();
    assert!(others.iter().all(above), "{found:#?}");
}

#[test]
fn until_is_written_as_the_instant_of_the_last_occurrence() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    for (until, last) in [
        ("20270701", "20270629T120000Z"),
        ("20270629T130000", "20270629T120000Z"),
        ("20270629T120000Z", "20270629T120000Z"),
        ("20270629T115959Z", "20270622T120000Z"),
    ] {
        let rule = format!("FREQ=WEEKLY;UNTIL={until};BYDAY=TU");
        let series = make_series(&admin, id(&place), json!({ "recurrence": rule }));
        let found = events(&app.anonymous().get(&calendar_of("session-series", id(&series))));
        assert_eq!(found.len(), 1, "{until}: {found:#?}");
        assert_eq!(found[0].value("RRULE"), format!("FREQ=WEEKLY;UNTIL={last};BYDAY=TU"), "{until}");
    }
}

#[test]
fn an_occurrence_in_the_missing_or_the_doubled_hour_is_told_at_its_real_time() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    for (start, recurrence_id, starts, ends) in [
        ("2027-03-21T01:30:00", "20270328T013000", "20270328T023000", "20270328T040000"),
        ("2027-10-24T01:30:00", "20271031T013000", "20271031T003000Z", "20271031T020000Z"),
        // It begins and ends at plain times, and the clock is changed in between.
        ("2027-03-21T00:30:00", "20270328T003000", "20270328T003000Z", "20270328T020000Z"),
    ] {
        let series =
            make_series(&admin, id(&place), json!({ "local_start": start, "recurrence": "FREQ=WEEKLY;COUNT=3" }));
        let found = events(&app.anonymous().get(&calendar_of("session-series", id(&series))));
        assert_eq!(found.len(), 2, "{start}: {found:#?}");
        assert!(found[1].has(&format!("RECURRENCE-ID;TZID=Europe/London:{recurrence_id}")), "{:#?}", found[1]);
        assert_eq!((found[1].value("DTSTART"), found[1].value("DTEND")), (starts, ends), "{start}");
    }
}

#[test]
fn a_session_that_the_rule_does_not_give_is_an_event_for_itself_and_none_is_told_twice() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    // Two occurrences by its rule, and sessions on other days only.
    let series = series_row(&app, None);
    let seed = |starts_at| SessionSeed {
        series_id: Some(&series),
        venue_id: Some(id(&place)),
        starts_at,
        ..Default::default()
    };
    let strangers = [session_row(&app, seed("2027-02-01T13:00:00Z")), session_row(&app, seed("2027-02-02T13:00:00Z"))];
    let path = calendar_of("session-series", &series);
    let found = events(&app.anonymous().get(&path));
    let uids: Vec<_> = found.iter().map(|event| event.value("UID").split('@').next().unwrap().to_owned()).collect();
    assert_eq!(uids, strangers, "without a session of the rule there is no rule to tell");
    session_row(&app, seed("2026-11-30T13:00:00Z"));
    let found = events(&app.anonymous().get(&path));
    assert_eq!(found.len(), 3 + 1, "the master, the one elsewhere than the series says, and the two: {found:#?}");
    assert_eq!(found[0].values("EXDATE"), ["20261207T130000"]);
    assert_eq!(found[1].value("RECURRENCE-ID"), "20261130T130000");
}

#[test]
fn a_series_that_was_called_off_promises_nothing_beyond_its_last_session() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let series = make_series(&admin, id(&place), json!({ "recurrence": "FREQ=WEEKLY;COUNT=3" }));
    admin.post(&format!("/v1/session-series/{}/cancel", id(&series)), &json!({ "reason": "No money" })).expect(200);
    let found = events(&app.anonymous().get(&calendar_of("session-series", id(&series))));
    assert_eq!(found[0].value("RRULE"), "FREQ=WEEKLY;UNTIL=20270119T130000Z");
    let status: Vec<_> = found.iter().map(|event| event.value("STATUS")).collect();
    assert_eq!(status, ["CONFIRMED", "CANCELLED", "CANCELLED", "CANCELLED"]);
}

#[test]
fn venues_and_partners_show_a_month_back_and_a_year_ahead() {
    let app = App::start();
    let admin = app.admin();
    let (here, there) = (venue(&admin, "walton", "Liverpool"), venue(&admin, "bootle", "Sefton"));
    let (reader, phil) = (partner_row(&app, "the-reader"), partner_row(&app, "phil"));
    let make = |venue_id: &Value, partner_id: &str, starts_at, status| {
        let seed = SessionSeed {
            venue_id: Some(id(venue_id)),
            partner_id: Some(partner_id),
            starts_at,
            status,
            ..Default::default()
        };
        session_row(&app, seed)
    };
    // The tests' day is 23 November 2026.
    make(&here, &reader, "2026-10-23T22:59:59Z", "scheduled");
    let first = make(&here, &reader, "2026-10-23T23:00:00Z", "scheduled");
    let off = make(&here, &phil, "2027-01-01T10:00:00Z", "cancelled");
    let last = make(&here, &reader, "2027-11-23T23:59:59Z", "scheduled");
    make(&here, &reader, "2027-11-24T00:00:00Z", "scheduled");
    let elsewhere = make(&there, &reader, "2027-01-02T10:00:00Z", "scheduled");
    let shown = |path: &str| {
        let found = events(&app.anonymous().get(path));
        let id = |event: &Block| event.value("UID").split('@').next().unwrap().to_owned();
        found.iter().map(|event| (id(event), event.value("STATUS").to_owned())).collect::<Vec<_>>()
    };
    let on = |id: &String| (id.clone(), "CONFIRMED".to_owned());
    let expected = [on(&first), (off, "CANCELLED".to_owned()), on(&last)];
    assert_eq!(shown(&calendar_of("venues", id(&here))), expected);
    assert_eq!(shown(&calendar_of("partners", &reader)), [on(&first), on(&elsewhere), on(&last)]);
    let name = |path: &str| {
        let all = lines(&app.anonymous().get(path).text);
        all.into_iter().find(|line| line.name == "X-WR-CALNAME").map(|line| line.value).unwrap()
    };
    assert_eq!(name(&calendar_of("venues", id(&here))), "Venue walton");
    assert_eq!(name(&calendar_of("partners", &reader)), "Partner the-reader");
}
