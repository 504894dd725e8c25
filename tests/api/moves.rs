//! What follows a session that moves or is called off: seats of both kinds, waiting lists, offers, join links,
//! registers, calendars. And what it can't be moved to.

use diesel::prelude::*;
use life_rooms::auth::caller::Scope;
use life_rooms::db::schema::{audit_events, sessions};
use life_rooms::db::{Id, Json};
use serde_json::{Value, json};

use crate::calendars::events;
use crate::editing::{book, change, news, path, series_path, session_body, sessions_of, told, with};
use crate::support::{App, Client, id, member_row, partner_row, programme, venue};

const LINK: &str = "https://meet.example.org/j/s3cr3t";

fn single(client: &Client, place: &Value, changes: Value) -> Value {
    client.post("/v1/sessions", &with(session_body(id(place)), changes)).expect(201)
}

fn shown(app: &App, booking: &str) -> Value {
    app.advisor().get(&format!("/v1/bookings/{booking}")).expect(200)
}

fn leave(app: &App, booking: &str) {
    app.advisor().delete(&format!("/v1/bookings/{booking}")).expect(200);
}

/// Seats in the room, seats in the call, how many wait, how many offers are open.
fn counted(app: &App, session: &Value) -> (i32, i32, i32, i32) {
    let columns =
        (sessions::seats_taken, sessions::online_seats_taken, sessions::waitlist_length, sessions::offers_open);
    sessions::table.find(id(session).parse::<Id>().unwrap()).select(columns).first(&mut app.conn()).unwrap()
}

/// Somebody who books this kind of seat, or waits for it: member and booking.
fn takes(app: &App, session: &Value, delivery: &str) -> (String, String) {
    let member = member_row(app, "Sam", "R");
    let made = book(app, session, &member, json!({ "delivery": delivery, "if_full": "wait" }));
    (member, id(&made).to_owned())
}

/// A hybrid session of two seats in the room and one in the call, in each of which somebody is offered what another
/// gave back: a booked one, an offered one and a waiting one for the room; an offered and a waiting one for the call.
fn hybrid(app: &App, place: &Value) -> (Value, [(String, String); 3], [(String, String); 2]) {
    let body = json!({ "delivery": "hybrid", "capacity": 2, "online_capacity": 1 });
    let session = single(&app.admin(), place, body);
    let [booked, gone, offered, waiting] = [(); 4].map(|()| takes(app, &session, "in_person"));
    let [left, called, behind] = [(); 3].map(|()| takes(app, &session, "online"));
    leave(app, &gone.1);
    leave(app, &left.1);
    assert_eq!(counted(app, &session), (2, 1, 2, 2));
    (session, [booked, offered, waiting], [called, behind])
}

#[test]
fn who_holds_is_offered_or_waits_for_a_seat_that_is_gone_is_told_and_what_is_free_is_offered() {
    let app = App::start();
    let place = venue(&app.admin(), "walton", "Liverpool");
    let (session, room, call) = hybrid(&app, &place);
    let patch = json!({ "delivery": "online", "online_capacity": null, "capacity": 2, "reason": "We meet on Zoom." });
    let moved = change(&app.advisor(), &path(&session), &patch).expect(200);
    let mut expected: Vec<_> = room
        .iter()
        .map(|(member, booking)| (booking.as_str(), "cancelled", Some("We meet on Zoom."), Some(member.as_str())))
        .chain(call.iter().map(|(member, booking)| (booking.as_str(), "kept", None, Some(member.as_str()))))
        .collect();
    expected.sort_by_key(|line| (line.1, line.0));
    assert_eq!(news(&moved), expected);
    for (member, booking) in &room {
        let ended = shown(&app, booking);
        let found = (&ended["status"], &ended["cancellation_reason"], &ended["offer_expires_at"]);
        assert_eq!(found, (&json!("cancelled_by_provider"), &json!("We meet on Zoom."), &json!(null)));
        assert_eq!(told(&app, member), [("cancel".to_owned(), vec!["status".to_owned()])]);
    }
    // The second seat of the call is offered at once.
    assert!(call.iter().all(|(_, booking)| shown(&app, booking)["status"] == "offered"));
    assert_eq!(counted(&app, &session), (2, 0, 0, 2));
    assert_eq!((&moved["seats_taken"], &moved["waitlist_length"]), (&json!(2), &json!(0)));
}

#[test]
fn the_room_s_list_stays_where_the_call_is_given_up() {
    let app = App::start();
    let place = venue(&app.admin(), "walton", "Liverpool");
    let (session, room, call) = hybrid(&app, &place);
    let patch = json!({ "delivery": "in_person", "online_capacity": null });
    let moved = change(&app.admin(), &path(&session), &patch).expect(200);
    assert_eq!(news(&moved).iter().filter(|line| line.1 == "cancelled").count(), 2);
    let statuses = room.each_ref().map(|(_, booking)| shown(&app, booking)["status"].clone());
    assert_eq!(statuses, ["booked", "offered", "waitlisted"]);
    assert!(call.iter().all(|(_, booking)| shown(&app, booking)["status"] == "cancelled_by_provider"));
    assert_eq!(counted(&app, &session), (2, 0, 1, 1));
    leave(&app, &room[0].1);
    assert_eq!(shown(&app, &room[2].1)["status"], "offered");
    assert_eq!(counted(&app, &session), (2, 0, 0, 2));
}

#[test]
fn a_series_that_is_called_off_ends_every_seat_offer_and_wait_of_both_kinds_with_its_reason() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let body =
        json!({ "delivery": "hybrid", "capacity": 1, "online_capacity": 1, "recurrence": "FREQ=WEEKLY;COUNT=2" });
    let series = admin.post("/v1/session-series", &with(session_body(id(&place)), body)).expect(201);
    let all = sessions_of(&admin, &series);
    let everybody: Vec<(String, String)> = all
        .iter()
        .flat_map(|session| {
            let some =
                ["in_person", "in_person", "in_person", "online", "online"].map(|kind| takes(&app, session, kind));
            leave(&app, &some[0].1);
            some.into_iter().skip(1)
        })
        .collect();
    assert_eq!(counted(&app, &all[0]), (1, 1, 2, 1));
    let off = json!({ "status": "cancelled", "cancellation_reason": "No money", "title": "Poems" });
    let answer = change(&app.advisor(), &series_path(&series), &off).expect(200);
    let mut expected: Vec<_> = everybody
        .iter()
        .map(|(member, booking)| (booking.as_str(), "cancelled", Some("No money"), Some(member.as_str())))
        .collect();
    expected.sort_by_key(|line| (line.1, line.0));
    assert_eq!(news(&answer), expected);
    assert_eq!(answer["sessions"], json!({ "created": 0, "updated": 0, "cancelled": 2 }));
    for (member, booking) in &everybody {
        assert_eq!(shown(&app, booking)["cancellation_reason"], "No money");
        assert_eq!(told(&app, member), [("cancel".to_owned(), vec!["status".to_owned()])]);
    }
    assert!(all.iter().all(|session| counted(&app, session) == (0, 0, 0, 0)));
    // What is called off changes no more.
    assert!(sessions_of(&admin, &series).iter().all(|session| session["title"] == "Reading"));
    assert_eq!(admin.get(&series_path(&series)).expect(200)["title"], "Reading");
    let changes = audit_events::table
        .filter(audit_events::resource_id.eq(id(&series).parse::<Id>().unwrap()))
        .filter(audit_events::action.eq("change"))
        .select(audit_events::fields);
    let changes: Vec<Json<Vec<String>>> = changes.load(&mut app.conn()).unwrap();
    let recorded: Vec<&[String]> = changes.iter().map(|fields| fields.0.as_slice()).collect();
    assert_eq!(recorded, [["cancellation_reason", "status"]], "what wasn't changed isn't said to have been");
}

#[test]
fn each_person_is_told_what_has_changed_of_their_own_session() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let closed = json!({
        "slug": "refit", "name": "Refit", "kind": "library", "local_authority": "Liverpool",
        "status": "temporarily_closed", "status_from": "2027-01-05", "status_until": "2027-01-05"
    });
    let refit = admin.post("/v1/venues", &closed).expect(201);
    let weekly = json!({ "recurrence": "FREQ=WEEKLY;COUNT=2" });
    let series = admin.post("/v1/session-series", &with(session_body(id(&place)), weekly)).expect(201);
    let apart = change(&admin, &series_path(&series), &json!({ "venue_id": id(&refit) })).expect(200);
    assert_eq!(apart["skipped"], json!([{ "local_start": "2027-01-05T13:00:00", "reason": "venue_closed" }]));
    let people: Vec<String> =
        sessions_of(&admin, &series).iter().map(|session| takes(&app, session, "in_person").0).collect();
    let back = json!({ "venue_id": id(&place), "local_start": "2027-01-05T14:00:00" });
    assert_eq!(change(&admin, &series_path(&series), &back).expect(200)["sessions"]["updated"], 2);
    let moved = |fields: &[&str]| vec![("move".to_owned(), fields.iter().map(|name| (*name).to_owned()).collect())];
    assert_eq!(told(&app, &people[0]), moved(&["local_start"]));
    assert_eq!(told(&app, &people[1]), moved(&["local_start", "venue_id"]));
}

#[test]
fn an_offer_ends_with_the_start_of_what_has_moved_nearer() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let body = json!({ "capacity": 1, "local_start": "2026-11-24T13:00:00" });
    let alone = single(&admin, &place, body.clone());
    let weekly = with(body, json!({ "recurrence": "FREQ=WEEKLY;COUNT=2" }));
    let series = admin.post("/v1/session-series", &with(session_body(id(&place)), weekly)).expect(201);
    let offered = |session: &Value| {
        let (held, waits) = (takes(&app, session, "in_person").1, takes(&app, session, "in_person").1);
        leave(&app, &held);
        assert_eq!(shown(&app, &waits)["offer_expires_at"], "2026-11-24T09:00:00Z");
        waits
    };
    let (of_alone, of_series) = (offered(&alone), offered(&sessions_of(&admin, &series)[0]));
    let read = app.advisor().get(&format!("/v1/bookings/{of_alone}")).etag().to_owned();
    app.at("2026-11-23T10:00:00Z");
    let nearer = json!({ "local_start": "2026-11-24T08:00:00" });
    change(&admin, &path(&alone), &nearer).expect(200);
    change(&admin, &series_path(&series), &nearer).expect(200);
    for booking in [&of_alone, &of_series] {
        let sooner = shown(&app, booking);
        assert_eq!(sooner["offer_expires_at"], "2026-11-24T08:00:00Z");
        let (version, changed) = (&sooner["version"], &sooner["updated_at"]);
        assert_eq!((version, changed), (&json!(3), &json!("2026-11-23T10:00:00Z")), "it was offered, and then moved");
    }
    // Who has read until when it was can't accept it as that.
    let stale = [("if-match", read.as_str())];
    app.advisor()
        .post_with(&format!("/v1/bookings/{of_alone}/accept"), &stale, &Value::Null)
        .problem(412, "precondition-failed");
    // Words of a session, or a start that is later, leave the offer as it is.
    change(&admin, &path(&alone), &json!({ "title": "Poems" })).expect(200);
    change(&admin, &path(&alone), &json!({ "local_start": "2026-11-24T08:30:00" })).expect(200);
    assert_eq!(shown(&app, &of_alone)["version"], 3);
    app.at("2026-11-24T08:00:00Z");
    let accept = format!("/v1/bookings/{of_alone}/accept");
    app.advisor().post(&accept, &Value::Null).problem(409, "offer-expired");
}

#[test]
fn a_join_link_opens_when_its_session_takes_place_and_only_to_a_seat_in_the_call() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let body = json!({ "delivery": "hybrid", "join_link": LINK, "local_start": "2026-12-01T13:00:00" });
    let session = single(&admin, &place, body);
    let link = format!("{}/join-link", path(&session));
    let (room, call) = (takes(&app, &session, "in_person"), takes(&app, &session, "online"));
    let (in_room, in_call) = (app.member(&room.0), app.member(&call.0));
    let moved = change(&admin, &path(&session), &json!({ "local_start": "2026-12-02T13:00:00" })).expect(200);
    assert!(!moved.to_string().contains(LINK));
    app.at("2026-12-01T12:30:00Z");
    in_call.get(&link).problem(409, "join-link-closed");
    app.at("2026-12-02T11:59:59Z");
    in_call.get(&link).problem(409, "join-link-closed");
    app.at("2026-12-02T12:00:00Z");
    assert_eq!(in_call.get(&link).expect(200)["join_link"], LINK);
    in_room.get(&link).problem(404, "not-found");
    // The call is given up: its link opens nothing any more, for whoever comes instead neither.
    change(&admin, &path(&session), &json!({ "delivery": "in_person" })).expect(200);
    in_room.get(&link).problem(404, "not-found");
    in_call.get(&link).problem(404, "not-found");
    in_call.post(&format!("{}/bookings", path(&session)), &json!({})).expect(201);
    in_call.get(&link).problem(404, "not-found");
}

#[test]
fn a_register_waits_for_the_start_of_what_has_moved() {
    let app = App::start();
    let partner = partner_row(&app, "the-reader");
    let client = app.partner_client(&partner, &[Scope::SessionsWrite, Scope::RegistersRead, Scope::RegistersWrite]);
    let place = venue(&app.admin(), "walton", "Liverpool");
    let session = single(&client, &place, json!({ "local_start": "2026-12-01T13:00:00" }));
    let register = format!("{}/register", path(&session));
    let heads =
        json!({ "bookings": [], "walk_ins": [], "headcount": { "beneficiaries": 7, "family": 0, "carers": 0 } });
    change(&client, &path(&session), &json!({ "local_start": "2026-12-02T13:00:00" })).expect(200);
    app.at("2026-12-01T13:00:00Z");
    client.put(&register, "\"0\"", &heads).problem(409, "session-not-started");
    app.at("2026-12-02T12:59:59Z");
    client.put(&register, "\"0\"", &heads).problem(409, "session-not-started");
    app.at("2026-12-02T13:00:00Z");
    let other = app.partner_client(&partner_row(&app, "phil"), &[Scope::RegistersRead, Scope::RegistersWrite]);
    other.put(&register, "\"0\"", &heads).problem(404, "not-found");
    assert_eq!(client.put(&register, "\"0\"", &heads).expect(200)["headcount"]["beneficiaries"], 7);
    // What has been attended stays when and where it was, and on.
    change(&client, &path(&session), &json!({ "local_start": "2026-12-03T13:00:00" })).problem(409, "session-started");
    let off = json!({ "reason": "Snow" });
    client.post(&format!("{}/cancel", path(&session)), &off).problem(409, "invalid-state");
}

#[test]
fn calendars_follow_a_session_that_moves_by_the_same_name_and_a_higher_number() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let body = json!({ "delivery": "hybrid", "join_link": LINK, "title": "Grief group" });
    let session = single(&admin, &place, body);
    let (member, booking) = takes(&app, &session, "online");
    let own = |neutral: bool| {
        let at = format!("/v1/members/{member}/calendar-links");
        let made = app.advisor().post(&at, &json!({ "neutral_titles": neutral })).expect(201);
        made["url"].as_str().unwrap().strip_prefix("https://life-rooms.invalid").expect("an address").to_owned()
    };
    let calendars = [format!("{}/calendar.ics", path(&session)), own(false), own(true)];
    let read = || {
        calendars.each_ref().map(|calendar| {
            let answer = app.anonymous().get(calendar);
            assert!(!answer.text.contains("meet.example"), "{calendar}: {}", answer.text);
            let found = events(&answer);
            assert_eq!(found.len(), 1, "{calendar}");
            let value = |name: &str| found[0].value(name).to_owned();
            (value("UID"), value("SEQUENCE").parse::<i32>().unwrap(), value("DTSTART"), value("STATUS"))
        })
    };
    let before = read();
    assert!(before[1].0.starts_with(&booking) && before[2].0.starts_with(&booking), "{before:?}");
    app.at("2026-11-23T10:00:00Z");
    change(&admin, &path(&session), &json!({ "local_start": "2027-07-06T10:30:00" })).expect(200);
    let moved = read();
    app.at("2026-11-23T11:00:00Z");
    admin.post(&format!("{}/cancel", path(&session)), &json!({ "reason": "Ill" })).expect(200);
    let off = read();
    for at in 0..3 {
        assert_eq!([&moved[at].0, &off[at].0], [&before[at].0; 2]);
        assert!(before[at].1 < moved[at].1 && moved[at].1 < off[at].1, "{before:?} {moved:?} {off:?}");
        assert_eq!([&before[at].2, &moved[at].2], ["20270105T130000", "20270706T103000"]);
        assert_eq!((moved[at].3.as_str(), off[at].3.as_str()), ("CONFIRMED", "CANCELLED"));
    }
}

#[test]
fn the_calendars_of_both_halves_of_a_split_have_each_session_once() {
    let app = App::start();
    let admin = app.admin();
    let place = venue(&admin, "walton", "Liverpool");
    let body = json!({ "recurrence": "FREQ=WEEKLY;COUNT=4", "additional": ["2027-01-19T09:00:00"] });
    let old = admin.post("/v1/session-series", &with(session_body(id(&place)), body)).expect(201);
    let cut = json!({ "from": "2027-01-19T13:00:00", "changes": { "title": "Poems" } });
    let new = admin.post(&format!("{}/split", series_path(&old)), &cut).expect(201);
    // To a time before both sessions of the day of the cut, which are the second half's.
    change(&admin, &series_path(&old), &json!({ "local_start": "2027-01-05T08:00:00" })).expect(200);
    let calendar = |series: &Value| events(&app.anonymous().get(&format!("{}/calendar.ics", series_path(series))));
    let (first, second) = (calendar(&old), calendar(&new));
    assert_eq!((first.len(), second.len()), (1, 2), "{first:#?} {second:#?}");
    assert_ne!(first[0].value("UID"), second[0].value("UID"));
    assert!(first[0].has("DTSTART;TZID=Europe/London:20270105T080000"), "{first:#?}");
    let rule = first[0].value("RRULE");
    let until = rule.strip_prefix("FREQ=WEEKLY;UNTIL=").unwrap_or_else(|| panic!("{rule}"));
    // The rule ends before the day of the cut, or says that it isn't on then.
    assert!(until < "20270119T080000Z" || first[0].values("EXDATE") == ["20270119T080000"], "{first:#?}");
    assert_eq!(first[0].values("RDATE"), Vec::<&str>::new());
    assert!(second[0].has("DTSTART;TZID=Europe/London:20270119T130000"), "{second:#?}");
    assert_eq!((second[0].value("RRULE"), second[0].value("SUMMARY")), ("FREQ=WEEKLY;COUNT=2", "Poems"));
    assert!(second[1].has("DTSTART;TZID=Europe/London:20270119T090000"), "{second:#?}");
}

#[test]
fn nothing_moves_to_what_belongs_to_another_venue_or_partner() {
    let app = App::start();
    let admin = app.admin();
    let (here, there) = (venue(&admin, "walton", "Liverpool"), venue(&admin, "bootle", "Sefton"));
    let foreign = admin.post(&format!("/v1/venues/{}/spaces", id(&there)), &json!({ "name": "Hall" })).expect(201);
    let (reader, phil) = (partner_row(&app, "the-reader"), partner_row(&app, "phil"));
    let theirs = programme(&admin, &phil, "music");
    let client = app.partner_client(&reader, &[Scope::SessionsWrite]);
    let session = single(&client, &here, json!({}));
    let rule = json!({ "recurrence": "FREQ=WEEKLY;COUNT=3" });
    let series = client.post("/v1/session-series", &with(session_body(id(&here)), rule)).expect(201);
    let before = (client.get(&path(&session)).json, client.get(&series_path(&series)).json);
    let split = format!("{}/split", series_path(&series));
    for (patch, pointer) in [
        (json!({ "space_id": id(&foreign) }), "/space_id"),
        (json!({ "programme_id": id(&theirs) }), "/programme_id"),
        // The name of one thing is no name of another.
        (json!({ "venue_id": id(&foreign) }), "/venue_id"),
        (json!({ "venue_id": id(&there), "space_id": id(&there) }), "/space_id"),
    ] {
        for at in [path(&session), series_path(&series)] {
            change(&client, &at, &patch).invalid(&[pointer]);
        }
        let body = json!({ "from": "2027-01-12T13:00:00", "changes": patch });
        client.post(&split, &body).invalid(&[&format!("/changes{pointer}")]);
    }
    assert_eq!((client.get(&path(&session)).json, client.get(&series_path(&series)).json), before);
    // A space goes with its venue.
    let both = json!({ "venue_id": id(&there), "space_id": id(&foreign) });
    assert_eq!(change(&client, &path(&session), &both).expect(200)["space_id"], foreign["id"]);
    let venue_alone = json!({ "venue_id": id(&here) });
    change(&client, &path(&session), &venue_alone).invalid(&["/space_id"]);
}
