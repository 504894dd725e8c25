//! Programs that have read a calendar take an event anew where its SEQUENCE has risen: it rises with each change of what
//! the event shows, and never falls.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::calendars::{calendar_of, events, make_series, session_body, sessions_of};
use crate::rosters::{reader, roster, series as entry, with};
use crate::support::{App, Client, id, member_row, partner, programme, venue};

/// A session and a series of a partner's programme in a room of a venue, each with every calendar that shows it.
struct Shown {
    app: App,
    admin: Client,
    partner: String,
    programme: String,
    venue: String,
    space: String,
    session: String,
    series: String,
    calendars: Vec<String>,
}

/// The events of all calendars: SEQUENCE and the two times of the last change, by calendar, UID and RECURRENCE-ID.
type Revisions = BTreeMap<(String, String, String), (i64, String, String)>;

impl Shown {
    fn new() -> Self {
        let app = App::start();
        let admin = app.admin();
        let place = venue(&admin, "walton", "Liverpool");
        let room = json!({ "name": "Room 2" });
        let room = admin.post(&format!("/v1/venues/{}/spaces", id(&place)), &room).expect(201);
        let reader = partner(&admin, "the-reader");
        let reading = programme(&admin, id(&reader), "reading");
        let of_all = json!({
            "partner_id": id(&reader), "programme_id": id(&reading), "space_id": id(&room), "booking_policy": "bookable"
        });
        let session = admin.post("/v1/sessions", &session_body(id(&place), of_all.clone())).expect(201);
        let mut weekly = of_all;
        weekly["recurrence"] = "FREQ=WEEKLY;COUNT=3".into();
        // Its room is taken at one.
        weekly["local_start"] = "2027-01-05T16:00:00".into();
        let series = make_series(&admin, id(&place), weekly);
        let (renamed, _) = sessions_of(&app, &series)[1];
        admin.patch(&format!("/v1/sessions/{renamed}"), "\"1\"", &json!({ "title": "With guests" })).expect(200);
        let ann = member_row(&app, "Ann", "A");
        let booking = json!({ "member_id": ann });
        app.advisor().post(&format!("/v1/sessions/{}/bookings", id(&session)), &booking).expect(201);
        let link = app.member(&ann).post(&format!("/v1/members/{ann}/calendar-links"), &json!({})).expect(201);
        let link = link["url"].as_str().and_then(|url| url.strip_prefix("https://life-rooms.invalid")).unwrap();
        let calendars = vec![
            calendar_of("sessions", id(&session)),
            calendar_of("session-series", id(&series)),
            calendar_of("partners", id(&reader)),
            link.to_owned(),
        ];
        let owned = |thing: &Value| id(thing).to_owned();
        Self {
            partner: owned(&reader),
            programme: owned(&reading),
            venue: owned(&place),
            space: owned(&room),
            session: owned(&session),
            series: owned(&series),
            calendars,
            admin,
            app,
        }
    }

    fn read(&self) -> Revisions {
        let of_one = |path: &String| {
            let all = events(&self.app.anonymous().get(path));
            let keyed = all.into_iter().map(|event| {
                let text = |name: &str| event.value(name).to_owned();
                let key = (path.clone(), text("UID"), text("RECURRENCE-ID"));
                (key, (event.sequence(), text("DTSTAMP"), text("LAST-MODIFIED")))
            });
            keyed.collect::<Vec<_>>()
        };
        self.calendars.iter().flat_map(of_one).collect()
    }

    /// Changes something on a day of December at nine. Which calendars have an event that rose then, each at that time;
    /// none may fall.
    #[track_caller]
    fn risen(&self, day: u32, path: &str, body: &Value) -> Vec<usize> {
        let before = self.read();
        self.app.at(&format!("2026-12-{day:02}T09:00:00Z"));
        let version = format!("\"{}\"", self.admin.get(path).expect(200)["version"]);
        self.admin.patch(path, &version, body).expect(200);
        let after = self.read();
        assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
        let mut risen = Vec::new();
        for (key, (sequence, stamp, modified)) in &after {
            let was = before[key].0;
            assert!(*sequence >= was, "{path} {body}: {key:?} falls from {was} to {sequence}");
            assert_eq!(stamp, modified);
            if *sequence > was {
                assert_eq!(*stamp, format!("202612{day:02}T090000Z"), "{path} {body}: {key:?}");
                risen.push(self.calendars.iter().position(|path| *path == key.0).unwrap());
            } else {
                assert_eq!(*stamp, before[key].1, "{path} {body}: {key:?}");
            }
        }
        risen.sort_unstable();
        risen
    }
}

const SESSION: usize = 0;
const SERIES: usize = 1;
const PARTNER: usize = 2;
const MEMBER: usize = 3;

#[test]
fn an_event_rises_with_each_change_of_what_it_shows() {
    let all = Shown::new();
    // The session's event, the master and the renamed one, the partner's four, the booking.
    let every = [SESSION, SERIES, SERIES, PARTNER, PARTNER, PARTNER, PARTNER, MEMBER];
    let partner = format!("/v1/partners/{}", all.partner);
    let venue = format!("/v1/venues/{}", all.venue);
    let renamed = json!({ "name": "Another name" });
    for (day, path) in [
        (1, partner.clone()),
        (2, venue.clone()),
        (3, format!("{partner}/programmes/{}", all.programme)),
        (4, format!("{venue}/spaces/{}", all.space)),
    ] {
        assert_eq!(all.risen(day, &path, &renamed), every, "{path}");
    }
    let retitled = json!({ "title": "Another title" });
    let session = format!("/v1/sessions/{}", all.session);
    assert_eq!(all.risen(5, &session, &retitled), [SESSION, PARTNER, MEMBER]);
    // The renamed session stands beside the series' other ones, which are retitled with it.
    let risen = all.risen(6, &format!("/v1/session-series/{}", all.series), &retitled);
    assert_eq!(risen, [SERIES, SERIES, PARTNER, PARTNER]);
}

#[test]
fn an_event_that_moves_to_what_was_changed_long_ago_rises_too() {
    let all = Shown::new();
    let old = venue(&all.admin, "bootle", "Sefton");
    let there = format!("/v1/venues/{}", all.venue);
    for day in 1..=3 {
        all.risen(day, &there, &json!({ "name": format!("Name {day}") }));
    }
    let moved = json!({ "venue_id": id(&old), "space_id": null });
    let session = format!("/v1/sessions/{}", all.session);
    assert_eq!(all.risen(4, &session, &moved), [SESSION, PARTNER, MEMBER]);
    // Where it was before no longer matters to it.
    let risen = all.risen(5, &there, &json!({ "name": "Elsewhere" }));
    assert_eq!(risen, [SERIES, SERIES, PARTNER, PARTNER, PARTNER]);
}

#[test]
fn a_series_rises_where_a_date_that_it_left_out_is_made_or_hidden() {
    let (app, client, rosters) = reader();
    let admin = app.admin();
    let walton = admin.get("/v1/venues").expect(200)["items"][0].clone();
    let room = json!({ "name": "Room 3" });
    let room = admin.post(&format!("/v1/venues/{}/spaces", id(&walton)), &room).expect(201);
    let there = json!({ "space_id": id(&room), "local_start": "2027-01-12T12:00:00", "duration_minutes": 120 });
    let concert = admin.post("/v1/sessions", &session_body(id(&walton), there)).expect(201);
    let weekly = with(entry("weekly"), json!({ "space": "Room 3", "recurrence": "FREQ=WEEKLY;COUNT=3" }));
    let weekly = roster(&[weekly]);
    let posted = client.post(&rosters, &weekly).expect(201);
    let calendar = calendar_of("session-series", posted["entries"][0]["resource_id"].as_str().unwrap());
    let master = || {
        let event = events(&app.anonymous().get(&calendar)).swap_remove(0);
        (event.values("EXDATE").len(), event.sequence(), event.value("DTSTAMP").to_owned())
    };
    let (left_out, first, stamp) = master();
    assert_eq!((left_out, stamp.as_str()), (1, "20261123T090000Z"));
    app.at("2026-11-24T09:00:00Z");
    admin.post(&format!("/v1/sessions/{}/cancel", id(&concert)), &json!({ "reason": "Ill" })).expect(200);
    assert_eq!(client.post(&rosters, &weekly).expect(201)["sessions"]["created"], 1);
    let (left_out, second, stamp) = master();
    assert_eq!((left_out, second > first, stamp.as_str()), (0, true, "20261124T090000Z"));
    // Whoever doesn't see a session of it any more sees that date excluded.
    app.at("2026-11-25T09:00:00Z");
    let series = json!({ "id": posted["entries"][0]["resource_id"] });
    let hidden = &crate::editing::sessions_of(&admin, &series)[2];
    crate::editing::change(&admin, &crate::editing::path(hidden), &json!({ "publication": "draft" })).expect(200);
    let (left_out, third, stamp) = master();
    assert_eq!((left_out, third > second, stamp.as_str()), (1, true, "20261125T090000Z"));
}
