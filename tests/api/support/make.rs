//! Makers of the things that tests are about, through the API where it has them.

use diesel::prelude::*;
use life_rooms::db::Json;
use life_rooms::db::schema::{members, partners};
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

/// An active partner, written straight into the database; returns its id.
pub fn partner_row(app: &App, slug: &str) -> String {
    let (id, now) = (app.clock.new_id(), app.clock.now());
    diesel::insert_into(partners::table)
        .values((
            partners::id.eq(id),
            partners::slug.eq(slug),
            partners::name.eq(format!("Partner {slug}")),
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

/// A member, written straight into the database; returns its id.
pub fn member_row(app: &App, given: &str, family: &str) -> String {
    let (id, now) = (app.clock.new_id(), app.clock.now());
    diesel::insert_into(members::table)
        .values((
            members::id.eq(id),
            members::given_name.eq(given),
            members::family_name.eq(family),
            members::preferred_key.eq(""),
            members::given_key.eq(given.to_lowercase()),
            members::family_key.eq(family.to_lowercase()),
            members::roles.eq(Json(vec!["service_user".to_owned()])),
            members::contact_preferences.eq(Json(serde_json::json!({}))),
            members::version.eq(1),
            members::created_at.eq(now),
            members::updated_at.eq(now),
        ))
        .execute(&mut app.conn())
        .expect("the member is new");
    id.to_string()
}
