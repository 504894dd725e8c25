//! Makers of the things that tests are about, through the API where it has them.

use diesel::prelude::*;
use life_rooms::db::{Conn, Id, Json, LocalTime, Timestamp};
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

fn parsed(text: Option<&str>) -> Option<Id> {
    text.map(|text| text.parse().expect("an id"))
}

/// A session in the database; its id.
pub fn session_row(app: &App, seed: SessionSeed) -> String {
    insert_session(app, &mut app.conn(), seed)
}

/// Many sessions in the database, in one transaction; their ids.
pub fn session_rows<'a>(app: &App, seeds: impl IntoIterator<Item = SessionSeed<'a>>) -> Vec<String> {
    let insert = |conn: &mut Conn| Ok(seeds.into_iter().map(|seed| insert_session(app, conn, seed)).collect());
    app.conn().transaction::<_, diesel::result::Error, _>(insert).expect("the sessions are new")
}

fn insert_session(app: &App, conn: &mut Conn, seed: SessionSeed) -> String {
    use life_rooms::db::schema::sessions as s;
    let (id, now) = (app.clock.new_id(), app.clock.now());
    let starts_at = Timestamp(super::instant(seed.starts_at));
    let day = life_rooms::clock::london_day(starts_at);
    let local = starts_at.0.with_timezone(&chrono_tz::Europe::London).naive_local();
    let cancelled = (seed.status == "cancelled").then_some("Called off");
    let row = (
        (
            s::id.eq(id),
            s::series_id.eq(parsed(seed.series_id)),
            s::occurrence.eq(seed.series_id.map(|_| LocalTime(local).to_string())),
        ),
        (s::partner_id.eq(parsed(seed.partner_id)), s::venue_id.eq(parsed(seed.venue_id))),
        (s::title.eq(seed.title), s::pillar.eq(seed.pillar), s::topics.eq(Json(Vec::<String>::new()))),
        (s::delivery.eq(seed.delivery), s::accessibility.eq(Json(Vec::<String>::new()))),
        (s::booking_policy.eq(seed.booking_policy), s::capacity.eq(seed.capacity)),
        (s::online_capacity.eq(seed.online_capacity), s::seats_taken.eq(0), s::online_seats_taken.eq(0)),
        (s::waitlist_length.eq(0), s::local_start.eq(LocalTime(local)), s::time_zone.eq("Europe/London")),
        (s::duration_minutes.eq(seed.minutes), s::starts_at.eq(starts_at)),
        (s::ends_at.eq(starts_at.plus_seconds(i64::from(seed.minutes) * 60)), s::starts_on.eq(day)),
        (s::publication.eq(seed.publication), s::status.eq(seed.status), s::cancellation_reason.eq(cancelled)),
        (s::edited.eq(cancelled.is_some()), s::version.eq(1), s::created_at.eq(now), s::updated_at.eq(now)),
    );
    diesel::insert_into(s::table).values(row).execute(conn).expect("the session is new");
    id.to_string()
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
    diesel::insert_into(s::table).values(row).execute(&mut app.conn()).expect("the series is new");
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
    diesel::insert_into(m::table).values(row).execute(&mut app.conn()).expect("the member is new");
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
    diesel::insert_into(p::table).values(row).execute(&mut app.conn()).expect("the partner is new");
    id.to_string()
}

/// A consent to share with a partner, `given` or `withdrawn`, recorded now. Of two at one instant either may be last:
/// move the clock between them.
pub fn consent_row(app: &App, member_id: &str, partner_id: &str, decision: &str) {
    use life_rooms::db::schema::consents as c;
    let id = app.clock.new_id();
    let row = (
        (c::id.eq(id), c::member_id.eq(member_id.parse::<Id>().expect("an id")), c::purpose.eq("share_with_partner")),
        (c::partner_id.eq(parsed(Some(partner_id))), c::decision.eq(decision), c::evidence.eq("said so")),
        (c::recorded_by.eq(id), c::recorded_at.eq(app.clock.now())),
    );
    diesel::insert_into(c::table).values(row).execute(&mut app.conn()).expect("the consent is new");
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
    diesel::insert_into(p::table).values(row).execute(&mut app.conn()).expect("the prescription is new");
    let kind = if session_id.is_some() { "session" } else { "series" };
    let row = (
        (i::id.eq(id), i::prescription_id.eq(prescription), i::position.eq(0), i::kind.eq(kind)),
        (i::session_id.eq(parsed(session_id)), i::series_id.eq(parsed(series_id)), i::status.eq("proposed")),
        (i::version.eq(1), i::created_at.eq(now), i::updated_at.eq(now)),
    );
    diesel::insert_into(i::table).values(row).execute(&mut app.conn()).expect("the item is new");
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
