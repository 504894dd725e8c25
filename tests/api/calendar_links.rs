//! A member's own calendar at a secret address: made, read, revoked; what it shows and what nothing else keeps.

use diesel::prelude::*;
use life_rooms::db::schema::{audit_events, bookings, calendar_links, idempotency_records};
use life_rooms::db::{Id, Timestamp};
use serde_json::{Value, json};

use crate::calendars::{Block, events, lines};
use crate::support::{App, Client, SessionSeed, id, instant, member_row, session_row, venue};
use crate::upgrades::{migrate_command, take_back};

fn links_of(member: &str) -> String {
    format!("/v1/members/{member}/calendar-links")
}

/// The path of an address that was just made.
#[track_caller]
fn path_of(link: &Value) -> String {
    let url = link["url"].as_str().unwrap_or_else(|| panic!("no url in {link}"));
    url.strip_prefix("https://life-rooms.invalid").expect("the public URL").to_owned()
}

fn make(client: &Client, member: &str, body: Value) -> Value {
    client.post(&links_of(member), &body).expect(201)
}

/// What the audit holds of a member: actions and kinds, sorted.
fn audited(app: &App, member: &str) -> Vec<(String, String)> {
    let rows = audit_events::table.filter(audit_events::member_id.eq(member.parse::<Id>().unwrap()));
    let columns = (audit_events::action, audit_events::resource_kind);
    rows.order(columns).select(columns).load(&mut app.conn()).unwrap()
}

/// A booking in the database; its id. `changed` is when it last was.
fn booking(app: &App, session: &str, member: &str, status: &str, changed: &str) -> String {
    let (id, now) = (app.clock.new_id(), app.clock.now());
    let values = (
        (bookings::id.eq(id), bookings::session_id.eq(session.parse::<Id>().unwrap())),
        (bookings::member_id.eq(member.parse::<Id>().unwrap()), bookings::status.eq(status)),
        (bookings::delivery.eq("in_person"), bookings::family.eq(0), bookings::carers.eq(0), bookings::seats.eq(1)),
        (bookings::reference.eq(id.to_string()[30..].to_owned()), bookings::booked_by.eq(id), bookings::version.eq(4)),
        (bookings::created_at.eq(now), bookings::updated_at.eq(Timestamp(instant(changed)))),
    );
    diesel::insert_into(bookings::table).values(values).execute(&mut app.conn()).unwrap();
    id.to_string()
}

#[test]
fn an_address_is_shown_once_stored_hashed_and_dead_once_revoked() {
    let app = App::start();
    let ann = member_row(&app, "Ann", "A");
    let own = app.member(&ann);
    let answer = own.post(&links_of(&ann), &json!({ "name": "My phone" }));
    let location = format!("{}/{}", links_of(&ann), answer.id());
    assert_eq!((answer.header("location"), answer.etag()), (location.as_str(), "\"1\""));
    let link = answer.expect(201);
    assert_eq!(
        (&link["name"], &link["neutral_titles"], &link["member_id"]),
        (&"My phone".into(), &false.into(), &ann.clone().into())
    );
    let path = path_of(&link);
    let secret = path.strip_prefix("/v1/calendars/").and_then(|rest| rest.strip_suffix(".ics")).unwrap();
    assert!(secret.len() >= 43, "{secret}");
    let stored: String = calendar_links::table.select(calendar_links::secret_hash).first(&mut app.conn()).unwrap();
    assert!(!stored.contains(secret));
    let read = app.anonymous().get(&path);
    assert_eq!(events(&read).len(), 0);
    assert_eq!(read.header("cache-control"), "no-store");
    assert!(lines(&read.text).iter().any(|line| line.name == "X-WR-CALNAME" && line.value == "My phone"));

    let listed = own.get(&links_of(&ann));
    assert!(!listed.text.contains(secret) && !listed.text.contains(&stored) && !listed.text.contains("url"));
    assert_eq!((&listed.json["items"][0]["id"], &listed.json["items"][0]["revoked_at"]), (&link["id"], &Value::Null));
    let of_link = format!("{}/{}", links_of(&ann), id(&link));
    own.send("DELETE", &of_link, &[("if-match", "\"9\"")], b"").problem(412, "precondition-failed");
    for _ in 0..2 {
        assert_eq!(own.delete(&of_link).status, 204);
        let gone = app.anonymous().get(&path);
        assert_eq!(gone.header("cache-control"), "no-store");
        gone.problem(404, "not-found");
    }
    assert_eq!(own.get(&links_of(&ann)).json["items"][0]["revoked_at"], "2026-11-23T09:00:00Z");
    app.anonymous().get("/v1/calendars/x").problem(404, "not-found");
    app.anonymous().post("/v1/calendars/x.ics", &json!({})).problem(405, "method-not-allowed");
    for unknown in ["x", "%20", &secret.replace(['a', 'b', 'c', 'd', 'e'], "f")] {
        app.anonymous().get(&format!("/v1/calendars/{unknown}.ics")).problem(404, "not-found");
    }
}

#[test]
fn an_advisor_makes_and_revokes_addresses_and_is_audited_and_reading_through_one_is_not() {
    let app = App::start();
    let advisor = app.advisor();
    let (ann, bob) = (member_row(&app, "Ann", "A"), member_row(&app, "Bob", "B"));
    let link = make(&advisor, &ann, json!({ "neutral_titles": true }));
    advisor.get(&links_of(&ann)).expect(200);
    app.anonymous().get(&path_of(&link));
    let of_link = |member: &str| format!("{}/{}", links_of(member), id(&link));
    advisor.delete(&of_link(&bob)).problem(404, "not-found");
    app.member(&bob).delete(&of_link(&ann)).problem(404, "not-found");
    assert_eq!(advisor.delete(&of_link(&ann)).status, 204);
    let expected = [("create", "calendar_link"), ("read", "member"), ("revoke", "calendar_link")];
    let expected: Vec<_> = expected.iter().map(|(action, kind)| ((*action).to_owned(), (*kind).to_owned())).collect();
    assert_eq!(audited(&app, &ann), expected);
    assert_eq!(audited(&app, &bob), []);
}

#[test]
fn a_repeated_request_makes_one_address_and_leaves_it_out() {
    let app = App::start();
    let ann = member_row(&app, "Ann", "A");
    let own = app.member(&ann);
    let send = || own.post_with(&links_of(&ann), &[("idempotency-key", "once")], &json!({}));
    let first = send().expect(201);
    let secret = path_of(&first).replace("/v1/calendars/", "").replace(".ics", "");
    let again = send();
    assert_eq!(again.header("idempotent-replay"), "true");
    let again = again.expect(201);
    assert_eq!((&again["id"], &again["url"]), (&first["id"], &Value::Null));
    assert!(again["url_note"].as_str().is_some_and(|note| note.contains("first answer only")), "{again}");
    let kept: Vec<String> = idempotency_records::table.select(idempotency_records::body).load(&mut app.conn()).unwrap();
    assert!(kept.len() == 1 && !kept[0].contains(&secret), "{kept:?}");
}

#[test]
fn a_member_has_a_bounded_number_of_addresses_in_use() {
    let app = App::start();
    let ann = member_row(&app, "Ann", "A");
    let own = app.member(&ann);
    let made: Vec<Value> = (0..20).map(|_| make(&own, &ann, json!({}))).collect();
    own.post(&links_of(&ann), &json!({})).problem(409, "invalid-state");
    own.delete(&format!("{}/{}", links_of(&ann), id(&made[0])));
    make(&own, &ann, json!({}));
    let listed = own.get(&format!("{}?limit=100", links_of(&ann))).expect(200);
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(21), "revoked ones stay in the list");
}

/// Ann's bookings of sessions that are called by what they are about.
struct Booked {
    app: App,
    ann: String,
    place: String,
}

impl Booked {
    fn new() -> Self {
        let app = App::start();
        let place = venue(&app.admin(), "walton", "Liverpool");
        let ann = member_row(&app, "Ann", "A");
        Self { ann, place: id(&place).to_owned(), app }
    }

    fn session(&self, title: &str, starts_at: &str) -> String {
        let seed = SessionSeed { title, starts_at, venue_id: Some(&self.place), ..Default::default() };
        session_row(&self.app, seed)
    }

    fn booked(&self, title: &str, starts_at: &str, status: &str, changed: &str) -> String {
        booking(&self.app, &self.session(title, starts_at), &self.ann, status, changed)
    }
}

#[test]
fn it_shows_live_bookings_from_a_month_back_and_lately_cancelled_ones_and_nobody_elses() {
    let all = Booked::new();
    let (app, ann) = (&all.app, &all.ann);
    let new = "2026-11-20T09:00:00Z";
    all.booked("Too long ago", "2026-10-20T10:00:00Z", "attended", new);
    all.booked("Attended", "2026-11-02T10:00:00Z", "attended", new);
    let booked = all.booked("Booked", "2026-12-01T10:00:00Z", "booked", new);
    all.booked("Waiting", "2026-12-02T10:00:00Z", "waitlisted", new);
    all.booked("Offered", "2026-12-03T10:00:00Z", "offered", new);
    all.booked("Lately cancelled", "2026-12-04T10:00:00Z", "cancelled_by_provider", new);
    all.booked("Cancelled long ago", "2026-12-05T10:00:00Z", "cancelled_by_member", "2026-10-01T09:00:00Z");
    let twice = all.session("Booked again", "2026-12-06T10:00:00Z");
    booking(app, &twice, ann, "cancelled_by_member", new);
    booking(app, &twice, ann, "booked", new);
    let bob = member_row(app, "Bob", "B");
    booking(app, &all.session("Bob's", "2026-12-07T10:00:00Z"), &bob, "booked", new);
    let link = make(&app.member(ann), ann, json!({}));
    let found = events(&app.anonymous().get(&path_of(&link)));
    let shown: Vec<_> = found.iter().map(|event| (event.value("SUMMARY"), event.value("STATUS"))).collect();
    let expected = [
        ("Attended", "CONFIRMED"),
        ("Booked", "CONFIRMED"),
        ("Waiting", "TENTATIVE"),
        ("Offered", "TENTATIVE"),
        ("Lately cancelled", "CANCELLED"),
        ("Booked again", "CONFIRMED"),
    ];
    assert_eq!(shown, expected);
    let one: &Block = &found[1];
    assert_eq!(one.value("UID"), format!("{booked}@life-rooms.invalid"));
    assert_eq!(one.value("DESCRIPTION"), format!("Your reference: {}", &booked[30..]));
    assert!(found[2].value("DESCRIPTION").contains("waiting list"), "{:#?}", found[2]);
    assert!(one.value("URL").contains("/v1/sessions/"), "{one:#?}");
}

#[test]
fn with_neutral_titles_it_says_when_and_where_and_nothing_that_tells_what() {
    let all = Booked::new();
    let (app, ann) = (&all.app, &all.ann);
    let session = all.session("Debt advice", "2026-12-01T10:00:00Z");
    let booked = booking(app, &session, ann, "booked", "2026-11-20T09:00:00Z");
    let off = SessionSeed {
        title: "Grief group",
        status: "cancelled",
        starts_at: "2026-12-02T10:00:00Z",
        ..Default::default()
    };
    booking(app, &session_row(app, off), ann, "cancelled_by_provider", "2026-11-20T09:00:00Z");
    let online = SessionSeed {
        title: "Debt advice online",
        delivery: "online",
        venue_id: Some(&all.place),
        starts_at: "2026-12-03T10:00:00Z",
        ..Default::default()
    };
    booking(app, &session_row(app, online), ann, "booked", "2026-11-20T09:00:00Z");
    let link = make(&app.member(ann), ann, json!({ "neutral_titles": true }));
    let answer = app.anonymous().get(&path_of(&link));
    let found = events(&answer);
    let shown: Vec<_> = found.iter().map(|event| (event.value("SUMMARY"), event.value("STATUS"))).collect();
    let appointment = |status| ("Appointment", status);
    assert_eq!(shown, ["CONFIRMED", "CANCELLED", "CONFIRMED"].map(appointment));
    let names: Vec<&str> = found[0].0.iter().map(|line| line.name.as_str()).collect();
    let expected = ["DTEND", "DTSTAMP", "DTSTART", "LAST-MODIFIED", "LOCATION", "SEQUENCE", "STATUS", "SUMMARY", "UID"];
    assert_eq!(names, expected);
    assert_eq!(found[0].value("LOCATION"), "Venue walton");
    // Nobody comes to the venue of an online session.
    assert_eq!(found[2].value("LOCATION"), "Online");
    assert!(answer.text.contains(&booked) && !answer.text.contains(&session), "nothing leads to the session");
    for word in ["Debt", "Grief", "community", "Called off", "reference"] {
        assert!(!answer.text.contains(word), "{word}: {}", answer.text);
    }
}

#[test]
fn an_address_works_only_while_whoever_made_it_may_read_the_calendar() {
    let app = App::start();
    let admin = app.admin();
    let ann = member_row(&app, "Ann", "A");
    let (own, advisor) = (app.member(&ann), app.advisor());
    let (hers, theirs) = (path_of(&make(&own, &ann, json!({}))), path_of(&make(&advisor, &ann, json!({}))));
    let works = |path: &str| match app.anonymous().get(path).status {
        200 => true,
        status => {
            assert_eq!(status, 404);
            false
        }
    };
    let account = format!("/v1/users/{}", advisor.id.unwrap());
    let change = |body: Value| {
        let tag = admin.get(&account).etag().to_owned();
        admin.patch(&account, &tag, &body).expect(200);
    };
    change(json!({ "display_name": "Dana P." }));
    assert!(works(&theirs) && works(&hers));
    for (ends, back) in [
        (json!({ "disabled": true }), json!({ "disabled": false })),
        (json!({ "role": "analyst" }), json!({ "role": "advisor" })),
    ] {
        change(ends);
        assert!(!works(&theirs) && works(&hers));
        change(back);
        assert!(works(&theirs));
    }
    // A member's disabled account has no calendar either.
    let of_ann = format!("/v1/members/{ann}/account");
    let tag = app.advisor().get(&of_ann).etag().to_owned();
    app.advisor().patch(&of_ann, &tag, &json!({ "disabled": true })).expect(200);
    assert!(!works(&hers) && works(&theirs));
}

#[test]
fn of_addresses_from_before_the_audit_says_who_made_them() {
    let app = App::start();
    let ann = member_row(&app, "Ann", "A");
    let advisor = app.advisor();
    make(&advisor, &ann, json!({}));
    take_back(&app, "20261201000009");
    migrate_command(&app);
    let makers: Vec<Option<Id>> =
        calendar_links::table.select(calendar_links::created_by).load(&mut app.conn()).unwrap();
    assert_eq!(makers, [advisor.id]);
}
