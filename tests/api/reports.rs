//! Reports: every filter, what counts and what doesn't. What may be asked is in `report_questions`, what
//! an analyst is told in `disclosure`.

use chrono::NaiveDate;
use diesel::prelude::*;
use life_rooms::db::schema::{
    bookings, hostings, members, partners, prescriptions, programmes, registers, sites, venues, walk_ins,
};
use life_rooms::db::{Conn, Id, Json, LocalTime, Timestamp};
use serde_json::{Value, json};

use crate::support::{App, Client, put_sessions};

/// Rows that a report reads, put straight into the database.
pub struct Seed<'a> {
    app: &'a App,
    conn: Conn,
}

pub fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

impl<'a> Seed<'a> {
    pub fn new(app: &'a App) -> Self {
        Self { app, conn: app.conn() }
    }

    pub fn fresh(&self) -> (Id, Timestamp) {
        (self.app.clock.new_id(), self.app.clock.now())
    }

    pub fn venue(&mut self, slug: &str, authority: &str) -> Id {
        let (id, now) = self.fresh();
        diesel::insert_into(venues::table)
            .values((
                venues::id.eq(id),
                venues::slug.eq(slug),
                venues::name.eq(slug),
                venues::kind.eq("library"),
                venues::local_authority.eq(authority),
                venues::local_authority_code.eq("-"),
                venues::accessibility.eq(Json(Vec::<String>::new())),
                venues::opening_hours.eq(Json(json!({}))),
                venues::status.eq("open"),
                venues::version.eq(1),
                venues::created_at.eq(now),
                venues::updated_at.eq(now),
            ))
            .execute(&mut self.conn)
            .unwrap();
        id
    }

    /// A site with where it was hosted: venue, first day, last day.
    pub fn site(&mut self, slug: &str, hosted: &[(Id, &str, Option<&str>)]) -> Id {
        let (id, now) = self.fresh();
        diesel::insert_into(sites::table)
            .values((
                sites::id.eq(id),
                sites::slug.eq(slug),
                sites::name.eq(slug),
                sites::version.eq(1),
                sites::created_at.eq(now),
                sites::updated_at.eq(now),
            ))
            .execute(&mut self.conn)
            .unwrap();
        for (venue, from, until) in hosted {
            diesel::insert_into(hostings::table)
                .values((
                    hostings::id.eq(self.app.clock.new_id()),
                    hostings::site_id.eq(id),
                    hostings::venue_id.eq(*venue),
                    hostings::starts_on.eq(day(from)),
                    hostings::ends_on.eq(until.map(day)),
                    hostings::version.eq(1),
                    hostings::created_at.eq(now),
                    hostings::updated_at.eq(now),
                ))
                .execute(&mut self.conn)
                .unwrap();
        }
        id
    }

    pub fn member(&mut self) -> Id {
        let (id, now) = self.fresh();
        diesel::insert_into(members::table)
            .values((
                members::id.eq(id),
                members::given_name.eq("Peg"),
                members::family_name.eq("Sample"),
                members::given_key.eq("peg"),
                members::family_key.eq("sample"),
                members::roles.eq(Json(vec!["service_user"])),
                members::contact_preferences.eq(Json(json!({}))),
                members::version.eq(1),
                members::created_at.eq(now),
                members::updated_at.eq(now),
            ))
            .execute(&mut self.conn)
            .unwrap();
        id
    }

    pub fn prescription(&mut self, site: Option<Id>, origin: &str, status: &str, developed: Option<&str>) {
        let (id, now) = self.fresh();
        let member = self.member();
        diesel::insert_into(prescriptions::table)
            .values((
                prescriptions::id.eq(id),
                prescriptions::member_id.eq(member),
                prescriptions::origin.eq(origin),
                prescriptions::site_id.eq(site),
                prescriptions::status.eq(status),
                prescriptions::developed_on.eq(developed.map(day)),
                prescriptions::version.eq(1),
                prescriptions::created_at.eq(now),
                prescriptions::updated_at.eq(now),
            ))
            .execute(&mut self.conn)
            .unwrap();
    }

    pub fn prescriptions(&mut self, how_many: usize, site: Id, developed: &str) {
        for _ in 0..how_many {
            self.prescription(Some(site), "advisor", "active", Some(developed));
        }
    }

    pub fn partner_with_programme(&mut self, slug: &str) -> (Id, Id) {
        let (id, now) = self.fresh();
        let programme = self.app.clock.new_id();
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
            .execute(&mut self.conn)
            .unwrap();
        diesel::insert_into(programmes::table)
            .values((
                programmes::id.eq(programme),
                programmes::partner_id.eq(id),
                programmes::slug.eq("reading"),
                programmes::name.eq("Reading"),
                programmes::version.eq(1),
                programmes::created_at.eq(now),
                programmes::updated_at.eq(now),
            ))
            .execute(&mut self.conn)
            .unwrap();
        (id, programme)
    }

    pub fn session(&mut self, on: &str, venue: Option<Id>, pillar: &str, delivery: &str) -> Id {
        self.session_of(on, venue, pillar, delivery, None)
    }

    pub fn session_of(
        &mut self,
        on: &str,
        venue: Option<Id>,
        pillar: &str,
        delivery: &str,
        by: Option<(Id, Id)>,
    ) -> Id {
        let (id, now) = self.fresh();
        let start = day(on).and_hms_opt(12, 0, 0).unwrap();
        let (partner, programme) = by.unzip();
        let written = json!({
            "title": "Reading", "pillar": pillar, "delivery": delivery, "partner_id": partner, "programme_id": programme,
            "venue_id": venue, "local_start": LocalTime(start), "time_zone": "Europe/London", "duration_minutes": 60
        });
        put_sessions(&mut self.conn, [(id, written)], now);
        id
    }

    pub fn booking(&mut self, session: Id, member: Id, status: &str, delivery: &str) {
        let (id, now) = self.fresh();
        diesel::insert_into(bookings::table)
            .values((
                bookings::id.eq(id),
                bookings::session_id.eq(session),
                bookings::member_id.eq(member),
                bookings::status.eq(status),
                bookings::delivery.eq(delivery),
                bookings::family.eq(2),
                bookings::carers.eq(1),
                bookings::seats.eq(4),
                bookings::reference.eq(id.to_string()),
                bookings::booked_by.eq(id),
                bookings::version.eq(1),
                bookings::created_at.eq(now),
                bookings::updated_at.eq(now),
            ))
            .execute(&mut self.conn)
            .unwrap();
    }

    pub fn attended(&mut self, session: Id, members: &[Id]) {
        for member in members {
            self.booking(session, *member, "attended", "in_person");
        }
    }

    pub fn walk_in(&mut self, session: Id, member: Id) {
        let now = self.app.clock.now();
        let row = (walk_ins::session_id.eq(session), walk_ins::member_id.eq(member), walk_ins::created_at.eq(now));
        diesel::insert_into(walk_ins::table).values(row).execute(&mut self.conn).unwrap();
    }

    pub fn heads(&mut self, session: Id, beneficiaries: i32, family: i32, carers: i32) {
        let now = self.app.clock.now();
        diesel::insert_into(registers::table)
            .values((
                registers::session_id.eq(session),
                registers::beneficiaries.eq(beneficiaries),
                registers::family.eq(family),
                registers::carers.eq(carers),
                registers::taken_by.eq(session),
                registers::version.eq(1),
                registers::created_at.eq(now),
                registers::updated_at.eq(now),
            ))
            .execute(&mut self.conn)
            .unwrap();
    }
}

#[track_caller]
fn prescribed(client: &Client, query: &str) -> i64 {
    let report = client.get(&format!("/v1/reports/prescriptions{query}")).expect(200);
    report["totals"]["prescriptions"].as_i64().unwrap_or_else(|| panic!("{report}"))
}

/// Distinct members, attendances, headcount.
#[track_caller]
fn attendance(client: &Client, query: &str) -> [i64; 3] {
    let report = client.get(&format!("/v1/reports/attendance{query}")).expect(200);
    ["distinct_members", "attendances", "headcount"].map(|name| report["totals"][name].as_i64().unwrap())
}

/// The rows of a report as key and one count.
fn rows(report: &Value, count: &str) -> Vec<(Value, Value)> {
    let rows = report["rows"].as_array().unwrap();
    rows.iter().map(|row| (row["key"].clone(), row[count].clone())).collect()
}

#[test]
fn prescriptions_count_once_activated_by_the_day_they_were_developed() {
    let app = App::start();
    let mut seed = Seed::new(&app);
    let venue = seed.venue("walton", "Liverpool");
    let walton = seed.site("walton", &[(venue, "2016-05-01", None)]);
    let site = Some(walton);
    seed.prescription(site, "advisor", "active", Some("2021-10-01"));
    seed.prescription(site, "advisor", "completed", Some("2021-10-31"));
    seed.prescription(site, "self", "closed_early", Some("2021-11-01"));
    seed.prescription(site, "gp", "active", Some("2021-09-30"));
    seed.prescription(site, "partner", "draft", Some("2021-10-15"));
    seed.prescription(site, "advisor", "draft", None);
    seed.prescription(site, "advisor", "declined", None);
    seed.prescription(None, "advisor", "active", Some("2021-10-02"));
    let admin = app.admin();
    for (query, count) in [
        ("", 5),
        ("?from=2021-10-01", 4),
        ("?from=2021-10-01&to=2021-10-31", 3),
        ("?to=2021-09-30", 1),
        ("?from=2021-11-01&to=2021-11-01", 1),
        ("?origin=advisor", 3),
        ("?origin=self&origin=gp", 2),
        ("?origin=partner", 0),
        ("?local_authority=Liverpool", 4),
        ("?local_authority=Sefton", 0),
        (&format!("?site_id={}", walton), 4),
    ] {
        assert_eq!(prescribed(&admin, query), count, "{query}");
    }
}

#[test]
fn a_prescription_counts_where_its_site_was_hosted_that_day() {
    let app = App::start();
    let mut seed = Seed::new(&app);
    let (theatre, hall) = (seed.venue("theatre", "Liverpool"), seed.venue("hall", "Sefton"));
    let hosted = [(theatre, "2021-01-01", Some("2023-03-31")), (hall, "2023-04-02", None)];
    let moved = seed.site("moved", &hosted);
    let other = seed.site("another", &[(hall, "2021-01-01", None)]);
    seed.prescriptions(3, moved, "2023-03-31");
    seed.prescriptions(1, moved, "2023-04-01");
    seed.prescriptions(2, moved, "2023-04-02");
    seed.prescriptions(1, other, "2023-03-31");
    seed.prescription(None, "advisor", "active", Some("2023-03-01"));
    let admin = app.admin();
    assert_eq!(prescribed(&admin, "?local_authority=Liverpool"), 3);
    assert_eq!(prescribed(&admin, "?local_authority=Sefton"), 3);
    assert_eq!(prescribed(&admin, "?local_authority=Sefton&local_authority=Liverpool"), 6);

    let by = |group: &str| {
        let report = admin.get(&format!("/v1/reports/prescriptions?group_by={group}")).expect(200);
        assert_eq!(report["totals"], json!({ "prescriptions": 8, "suppressed": [] }));
        rows(&report, "prescriptions")
    };
    let expected = [(json!("Liverpool"), json!(3)), (json!("Sefton"), json!(3)), (json!(null), json!(2))];
    assert_eq!(by("local_authority"), expected);
    let expected =
        [(json!(other.to_string()), json!(1)), (json!(moved.to_string()), json!(6)), (json!(null), json!(1))];
    assert_eq!(by("site"), expected);
    assert_eq!(by("month"), [(json!("2023-03"), json!(5)), (json!("2023-04"), json!(3))]);
}

#[test]
fn attendance_counts_people_once_and_visits_every_time() {
    let app = App::start();
    let mut seed = Seed::new(&app);
    let library = seed.venue("library", "Liverpool");
    let members: Vec<Id> = (0..4).map(|_| seed.member()).collect();
    let first = seed.session("2024-01-10", Some(library), "learning", "in_person");
    let second = seed.session("2024-02-14", Some(library), "learning", "in_person");
    seed.attended(first, &members[..2]);
    seed.booking(first, members[2], "absent", "in_person");
    seed.booking(second, members[0], "attended", "in_person");
    seed.booking(second, members[2], "cancelled_by_member", "in_person");
    seed.booking(second, members[3], "booked", "in_person");
    seed.walk_in(second, members[1]);
    let admin = app.admin();
    assert_eq!(attendance(&admin, ""), [2, 4, 0]);
    assert_eq!(attendance(&admin, "?from=2024-01-10&to=2024-02-13"), [2, 2, 0]);
    assert_eq!(attendance(&admin, "?from=2024-02-14"), [2, 2, 0]);
    assert_eq!(attendance(&admin, "?from=2024-02-15"), [0, 0, 0]);

    let report = admin.get("/v1/reports/attendance?group_by=month").expect(200);
    let expected = [(json!("2024-01"), json!(2)), (json!("2024-02"), json!(2))];
    assert_eq!(rows(&report, "distinct_members"), expected);
    assert_eq!(report["totals"]["distinct_members"], 2);
}

#[test]
fn in_a_hybrid_session_the_seat_decides() {
    let app = App::start();
    let mut seed = Seed::new(&app);
    let library = seed.venue("library", "Liverpool");
    let members: Vec<Id> = (0..6).map(|_| seed.member()).collect();
    let hybrid = seed.session("2024-01-10", Some(library), "learning", "hybrid");
    seed.booking(hybrid, members[0], "attended", "in_person");
    seed.booking(hybrid, members[1], "attended", "online");
    seed.booking(hybrid, members[2], "attended", "online");
    seed.walk_in(hybrid, members[3]);
    seed.heads(hybrid, 5, 0, 0);
    let online = seed.session("2024-01-11", None, "learning", "online");
    seed.booking(online, members[4], "attended", "online");
    seed.walk_in(online, members[5]);
    seed.heads(online, 0, 3, 0);
    let admin = app.admin();
    assert_eq!(attendance(&admin, ""), [6, 6, 8]);
    assert_eq!(attendance(&admin, "?delivery=in_person"), [2, 2, 5]);
    assert_eq!(attendance(&admin, "?delivery=online"), [4, 4, 3]);
    assert_eq!(attendance(&admin, "?delivery=online&delivery=in_person"), [6, 6, 8]);
    assert_eq!(attendance(&admin, "?delivery=online&local_authority=Liverpool"), [2, 2, 0]);
}

#[test]
fn attendance_is_filtered_by_place_pillar_partner_and_programme() {
    let app = App::start();
    let mut seed = Seed::new(&app);
    let (liverpool, sefton) = (seed.venue("library", "Liverpool"), seed.venue("hall", "Sefton"));
    let member = seed.member();
    let (one, other) = (seed.partner_with_programme("one"), seed.partner_with_programme("other"));
    let learning = seed.session_of("2024-01-10", Some(liverpool), "learning", "in_person", Some(one));
    let community = seed.session_of("2024-01-11", Some(sefton), "community", "in_person", Some(other));
    let advice = seed.session("2024-01-12", Some(sefton), "social_prescribing", "in_person");
    for session in [learning, community, advice] {
        seed.attended(session, &[member]);
        seed.heads(session, 1, 2, 4);
    }
    let admin = app.admin();
    for (query, count) in [
        ("".to_owned(), 3),
        ("?local_authority=Liverpool".to_owned(), 1),
        ("?local_authority=Sefton".to_owned(), 2),
        ("?local_authority=Sefton&local_authority=Liverpool".to_owned(), 3),
        ("?pillar=learning".to_owned(), 1),
        ("?pillar=learning&pillar=community".to_owned(), 2),
        ("?pillar=learning&local_authority=Sefton".to_owned(), 0),
        (format!("?partner_id={}", one.0), 1),
        (format!("?partner_id={}&partner_id={}", one.0, other.0), 2),
        (format!("?programme_id={}", other.1), 1),
        (format!("?programme_id={}&partner_id={}", other.1, one.0), 0),
    ] {
        assert_eq!(attendance(&admin, &query), [count.min(1), count, 7 * count], "{query}");
    }
    let report = admin.get("/v1/reports/attendance?group_by=local_authority").expect(200);
    assert_eq!(
        report["rows"],
        json!([
            { "key": "Liverpool", "label": "Liverpool", "distinct_members": 1, "attendances": 1, "headcount": 7, "suppressed": [] },
            { "key": "Sefton", "label": "Sefton", "distinct_members": 1, "attendances": 2, "headcount": 14, "suppressed": [] }
        ])
    );
}

#[test]
fn who_attended_an_online_session_was_not_at_the_venue_that_it_names() {
    let app = App::start();
    let mut seed = Seed::new(&app);
    let library = seed.venue("library", "Liverpool");
    let site = seed.site("site", &[(library, "2024-01-01", None)]).to_string();
    for delivery in ["in_person", "online", "hybrid"] {
        let session = seed.session("2024-02-01", Some(library), "learning", delivery);
        let member = seed.member();
        seed.attended(session, &[member]);
        seed.heads(session, 1, 2, 4);
    }
    let admin = app.admin();
    assert_eq!(attendance(&admin, ""), [3, 3, 21]);
    assert_eq!(attendance(&admin, "?local_authority=Liverpool"), [2, 2, 14]);
    for (by, here) in [("local_authority", "Liverpool"), ("site", site.as_str())] {
        let report = admin.get(&format!("/v1/reports/attendance?group_by={by}")).expect(200);
        let rows = report["rows"].as_array().unwrap().iter();
        let rows: Vec<_> = rows.map(|row| (&row["key"], &row["attendances"], &row["headcount"])).collect();
        assert_eq!(rows, [(&json!(here), &json!(2), &json!(14)), (&json!(null), &json!(1), &json!(7))], "{by}");
    }
}

#[test]
fn attendance_by_site_follows_what_the_venue_hosted_that_day() {
    let app = App::start();
    let mut seed = Seed::new(&app);
    let library = seed.venue("library", "Liverpool");
    let early = seed.site("a-early", &[(library, "2024-01-01", Some("2024-01-31"))]);
    let late = seed.site("b-late", &[(library, "2024-02-01", None)]);
    let member = seed.member();
    for on in ["2023-12-31", "2024-01-31", "2024-02-01", "2024-03-01"] {
        let session = seed.session(on, Some(library), "learning", "in_person");
        seed.attended(session, &[member]);
    }
    let report = app.admin().get("/v1/reports/attendance?group_by=site").expect(200);
    let expected = [(json!(early.to_string()), json!(1)), (json!(late.to_string()), json!(2)), (json!(null), json!(1))];
    assert_eq!(rows(&report, "attendances"), expected);
    assert_eq!(report["rows"][0]["label"], "a-early");
}

#[test]
fn a_report_says_what_it_counts_when_and_how() {
    let app = App::start();
    let query = "?from=2024-01-01&to=2024-01-31&origin=self&local_authority=Sefton&group_by=month";
    let report = app.admin().get(&format!("/v1/reports/prescriptions{query}")).expect(200);
    assert!(report["definition"].as_str().unwrap().contains("activated"));
    assert_eq!(report["as_of"], "2026-11-23T09:00:00Z");
    assert_eq!(
        report["filters"],
        json!({ "period": null, "from": "2024-01-01", "to": "2024-01-31", "area": null, "local_authority": ["Sefton"],
                "site_id": [], "origin": ["self"], "group_by": "month" })
    );
    assert_eq!(report["days"], json!({ "from": "2024-01-01", "to": "2024-01-31" }));
    assert_eq!(report["suppression"]["applied"], false);
    assert!(report["suppression"]["note"].as_str().unwrap().contains("Not for publication"));
    assert_eq!(report["rows"], json!([]));
    for report in ["prescriptions", "attendance"] {
        let (admin, path) = (app.admin(), format!("/v1/reports/{report}"));
        let first = admin.get(&path);
        app.at("2026-11-23T10:00:00Z");
        let held = [("if-none-match", first.etag())];
        assert_eq!(admin.send("GET", &path, &held, b"").status, 304, "{report}");
        assert_eq!(admin.get(&path).json["as_of"], "2026-11-23T10:00:00Z");
        app.at("2026-11-23T09:00:00Z");
    }
    let answer = app.admin().get("/v1/reports/attendance");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(answer.json["definition"].as_str().unwrap().contains("never be added"));
}
