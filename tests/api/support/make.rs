//! Makers of the things that tests are about, through the API where it has them.

use serde_json::{Value, json};

use super::Client;

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
