//! Makers of the things that tests are about, through the API where it has them.

use diesel::prelude::*;
use life_rooms::db::{Conn, Id, Json, LocalTime, Timestamp};
use life_rooms::members::consents::store::{self as consents, ConsentRow};
use life_rooms::members::consents::types::ConsentInput;
use life_rooms::sessions::store::{self, SessionRow};
use life_rooms::sessions::types::SessionInput;
use life_rooms::sessions::{listings, wordings::Wording};
use serde_json::{Value, json};

use super::{App, Client};

/// A venue in a local authority; the slug makes the name.
pub fn venue(admin: &Client, slug: &str, local_authority: &str) -> Value {
    let body =
        json!({ "slug": slug, "name": format!("Venue {slug}"), "kind": "library", "local_authority": local_authority });
    admin.post("/v1/venues", &body).expect(201)
}

/// The id of something.
pub fn id(thing: &Value) -> &str {
    thing["id"].as_str().expect("an id")
}

/// A session as tests put it straight into the database: in person on the Monday after the tests' clock, unless
/// changed. Ids are texts, as in answers.
pub struct SessionSeed<'a> {
    pub partner_id: Option<&'a str>,
    pub series_id: Option<&'a str>,
    pub venue_id: Option<&'a str>,
    pub title: &'a str,
    pub pillar: &'a str,
    pub delivery: &'a str,
    pub booking_policy: &'a str,
    pub capacity: Option<i32>,
    pub online_capacity: Option<i32>,
    pub starts_at: &'a str,
    pub minutes: i32,
    pub publication: &'a str,
    pub status: &'a str,
}

impl Default for SessionSeed<'_> {
    fn default() -> Self {
        Self {
            partner_id: None,
            series_id: None,
            venue_id: None,
            title: "Shared Reading",
            pillar: "community",
            delivery: "in_person",
            booking_policy: "bookable",
            capacity: None,
            online_capacity: None,
            starts_at: "2026-11-30T13:00:00Z",
            minutes: 90,
            publication: "published",
            status: "scheduled",
        }
    }
}

impl SessionSeed<'_> {
    fn local_start(&self) -> LocalTime {
        LocalTime(super::instant(self.starts_at).with_timezone(&chrono_tz::Europe::London).naive_local())
    }

    /// As a request writes it.
    fn written(&self) -> Value {
        json!({
            "title": self.title, "pillar": self.pillar, "delivery": self.delivery, "booking_policy": self.booking_policy,
            "partner_id": self.partner_id, "venue_id": self.venue_id, "capacity": self.capacity,
            "online_capacity": self.online_capacity, "local_start": self.local_start(), "time_zone": "Europe/London",
            "duration_minutes": self.minutes, "publication": self.publication
        })
    }
}

fn parsed(text: Option<&str>) -> Option<Id> {
    text.map(|text| text.parse().expect("an id"))
}

/// A session in the database; its id.
pub fn session_row(app: &App, seed: SessionSeed) -> String {
    session_rows(app, [seed]).remove(0)
}

/// A session in the database, through a connection that may be in a transaction; its id.
pub fn insert_session(app: &App, conn: &mut Conn, seed: SessionSeed) -> String {
    let id = app.clock.new_id();
    put_sessions(conn, [(id, seed.written())], app.clock.now());
    id.to_string()
}

/// Many sessions in the database, in one transaction; their ids.
pub fn session_rows<'a>(app: &App, seeds: impl IntoIterator<Item = SessionSeed<'a>>) -> Vec<String> {
    use life_rooms::db::schema::sessions as s;
    let now = app.clock.now();
    let seeds: Vec<(Id, SessionSeed)> = seeds.into_iter().map(|seed| (app.clock.new_id(), seed)).collect();
    let insert = |conn: &mut Conn| {
        put_sessions(conn, seeds.iter().map(|(id, seed)| (*id, seed.written())), now);
        for (id, seed) in seeds.iter().filter(|(_, seed)| seed.series_id.is_some() || seed.status != "scheduled") {
            let key = seed.series_id.map(|_| seed.local_start().to_string());
            let of = (s::series_id.eq(parsed(seed.series_id)), s::occurrence.eq(key));
            let off = seed.status == "cancelled";
            let off = (s::cancellation_reason.eq(off.then_some("Called off")), s::edited.eq(off));
            diesel::update(s::table.find(id)).set((of, s::status.eq(seed.status), off)).execute(conn)?;
        }
        Ok(())
    };
    app.kept(|conn| conn.transaction::<_, diesel::result::Error, _>(insert)).expect("the sessions are new");
    seeds.iter().map(|(id, _)| id.to_string()).collect()
}

/// Puts sessions, as a request writes them, straight into the database, whatever they refer to.
pub fn put_sessions(conn: &mut Conn, all: impl IntoIterator<Item = (Id, Value)>, now: Timestamp) {
    let (mut wordings, mut rows) = (Vec::new(), Vec::new());
    for (id, written) in all {
        let written: SessionInput = serde_json::from_value(written).expect("a session");
        wordings.push(Wording::from(&written));
        rows.push(SessionRow::single(id, written, now).expect("a start"));
    }
    listings::ensure_stored(conn, &wordings, &rows).expect("their listings");
    store::insert_many(conn, &rows).expect("the sessions are new");
}

/// A series in the database, for sessions and prescriptions to point at; its id.
pub fn series_row(app: &App, partner_id: Option<&str>) -> String {
    use life_rooms::db::schema::session_series as s;
    let (id, now) = (app.clock.new_id(), app.clock.now());
    let row = (
        (s::id.eq(id), s::partner_id.eq(parsed(partner_id)), s::title.eq("Shared Reading"), s::pillar.eq("community")),
        (s::topics.eq(Json(Vec::<String>::new())), s::delivery.eq("in_person")),
        (s::accessibility.eq(Json(Vec::<String>::new())), s::booking_policy.eq("bookable")),
        (s::local_start.eq("2026-11-30T13:00:00"), s::time_zone.eq("Europe/London"), s::duration_minutes.eq(90)),
        (s::recurrence.eq("FREQ=WEEKLY;COUNT=2"), s::excluded.eq(Json(Vec::<LocalTime>::new()))),
        (s::additional.eq(Json(Vec::<LocalTime>::new())), s::publication.eq("published"), s::status.eq("active")),
        (s::version.eq(1), s::created_at.eq(now), s::updated_at.eq(now)),
    );
    app.kept(|conn| diesel::insert_into(s::table).values(row).execute(conn)).expect("the series is new");
    id.to_string()
}

/// A member in the database; their id.
pub fn member_row(app: &App, given: &str, family: &str) -> String {
    use life_rooms::db::schema::members as m;
    let (id, now) = (app.clock.new_id(), app.clock.now());
    let row = (
        (m::id.eq(id), m::given_name.eq(given), m::family_name.eq(family)),
        (m::given_key.eq(given.to_lowercase()), m::family_key.eq(family.to_lowercase())),
        (m::roles.eq(Json(vec!["service_user".to_owned()])), m::contact_preferences.eq(Json(json!({})))),
        (m::version.eq(1), m::created_at.eq(now), m::updated_at.eq(now)),
    );
    app.kept(|conn| diesel::insert_into(m::table).values(row).execute(conn)).expect("the member is new");
    id.to_string()
}

/// An active partner in the database; its id.
pub fn partner_row(app: &App, slug: &str) -> String {
    use life_rooms::db::schema::partners as p;
    let (id, now) = (app.clock.new_id(), app.clock.now());
    let row = (
        (p::id.eq(id), p::slug.eq(slug), p::name.eq(format!("Partner {slug}")), p::kind.eq("charity")),
        (p::status.eq("active"), p::roster_version.eq(0)),
        (p::version.eq(1), p::created_at.eq(now), p::updated_at.eq(now)),
    );
    app.kept(|conn| diesel::insert_into(p::table).values(row).execute(conn)).expect("the partner is new");
    id.to_string()
}

/// A consent to share with a partner, `given` or `withdrawn`, recorded now. Of two at one instant either may be last:
/// move the clock between them.
pub fn consent_row(app: &App, member_id: &str, partner_id: &str, decision: &str) {
    let written = json!({
        "purpose": "share_with_partner", "partner_id": partner_id, "decision": decision, "evidence": "said so"
    });
    let (id, member_id) = (app.clock.new_id(), member_id.parse().expect("an id"));
    let written: ConsentInput = serde_json::from_value(written).expect("a consent");
    let row = ConsentRow::new(id, member_id, written, id, app.clock.now());
    app.kept(|conn| consents::insert(conn, &[row])).expect("the consent is new");
}

/// A prescription of a member in this state with one item for a session or a series; the item's id.
pub fn item_row(app: &App, member_id: &str, status: &str, session_id: Option<&str>, series_id: Option<&str>) -> String {
    use life_rooms::db::schema::{prescription_items as i, prescriptions as p};
    let (prescription, id, now) = (app.clock.new_id(), app.clock.new_id(), app.clock.now());
    let row = (
        (p::id.eq(prescription), p::member_id.eq(member_id.parse::<Id>().expect("an id")), p::origin.eq("advisor")),
        (p::status.eq(status), p::developed_on.eq((status != "draft").then(|| life_rooms::clock::london_day(now)))),
        (p::version.eq(1), p::created_at.eq(now), p::updated_at.eq(now)),
    );
    app.kept(|conn| diesel::insert_into(p::table).values(row).execute(conn)).expect("the prescription is new");
    let kind = if session_id.is_some() { "session" } else { "series" };
    let row = (
        (i::id.eq(id), i::prescription_id.eq(prescription), i::position.eq(0), i::kind.eq(kind)),
        (i::session_id.eq(parsed(session_id)), i::series_id.eq(parsed(series_id)), i::status.eq("proposed")),
        (i::version.eq(1), i::created_at.eq(now), i::updated_at.eq(now)),
    );
    app.kept(|conn| diesel::insert_into(i::table).values(row).execute(conn)).expect("the item is new");
    id.to_string()
}

/// A member of these names, a service user.
pub fn member(advisor: &Client, given: &str, family: &str) -> Value {
    let body = json!({ "given_name": given, "family_name": family, "roles": ["service_user"] });
    advisor.post("/v1/members?confirm_not_duplicate=true", &body).expect(201)
}

/// A draft for a member, with one need and one item of plain advice.
pub fn prescription(advisor: &Client, member_id: &str) -> Value {
    let body = json!({
        "member_id": member_id, "origin": "advisor", "needs": [{ "domain": "loneliness", "severity": 3 }],
        "items": [{ "kind": "advice", "need": "loneliness", "note": "The Tuesday walk" }]
    });
    advisor.post("/v1/prescriptions", &body).expect(201)
}

/// An active partner; the slug makes the name.
pub fn partner(admin: &Client, slug: &str) -> Value {
    let body = json!({ "slug": slug, "name": format!("Partner {slug}"), "kind": "charity" });
    admin.post("/v1/partners", &body).expect(201)
}

/// A programme of a partner; the slug makes the name.
pub fn programme(admin: &Client, partner_id: &str, slug: &str) -> Value {
    let body = json!({ "slug": slug, "name": format!("Programme {slug}") });
    admin.post(&format!("/v1/partners/{partner_id}/programmes"), &body).expect(201)
}
