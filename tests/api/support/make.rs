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
