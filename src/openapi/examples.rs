//! Examples of bodies. Each is accepted as it stands, on the demo and on an empty service. If a body must name
//! something that exists, the example has a made-up id to replace.

use serde_json::{Value, json};

/// An id that nothing has.
const ID: &str = "0199d2f0-7a3c-7bbd-a1f5-3d2c5a0e9b41";

/// Adds the example of an operation's body. Moves the examples of optional parameters into their descriptions, because
/// a tool that fills in forms would otherwise send all of them at once and find nothing.
pub(super) fn complete(operation: &mut Value) {
    if let Some(example) = body(operation["operationId"].as_str().unwrap_or_default()) {
        for (media_type, content) in operation["requestBody"]["content"].as_object_mut().into_iter().flatten() {
            if media_type.ends_with("json") && !media_type.ends_with("ndjson") {
                content["example"] = example.clone();
            }
        }
    }
    for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
        tell_example(parameter);
    }
}

fn tell_example(parameter: &mut Value) {
    let Some(example) = parameter.as_object_mut().and_then(|map| map.remove("example")) else { return };
    let shown = example.as_str().map_or_else(|| example.to_string(), str::to_owned);
    let said = parameter["description"].as_str().unwrap_or_default();
    if parameter["name"] != "limit" {
        parameter["description"] = json!(format!("{said} For example `{shown}`."));
    }
}

fn body(operation_id: &str) -> Option<Value> {
    let example = match operation_id {
        "refresh_login" | "log_out" => json!({
            "refresh_token": "lrr_AZnS8Ho8e72h9T0sWg6bQQAAAAF4b1p2Yk9JcXhHc2RqTm1LZUx3UHJUdVZ5WmFCY0Q"
        }),
        "create_user" => json!({ "email": "new.advisor@example.org", "role": "advisor", "display_name": "Dana P." }),
        "change_user" => json!({ "disabled": true }),
        "create_venue" => json!({
            "slug": "example-library", "name": "Example Library", "kind": "library", "local_authority": "Liverpool",
            "address": { "line_1": "1 Example Street", "town": "Liverpool", "postcode": "L3 8EW" },
            "latitude": 53.4097, "longitude": -2.9795, "accessibility": ["step_free"],
            "opening_hours": { "monday": [{ "opens": "09:30", "closes": "17:00" }] }
        }),
        "change_venue" => json!({ "capacity": 120, "address": { "line_2": "First floor" } }),
        "create_space" => json!({ "name": "Meeting room 2", "capacity": 24 }),
        "change_space" => json!({ "capacity": 30 }),
        "create_site" => json!({ "slug": "example-site", "name": "Life Rooms Example" }),
        "change_site" => json!({ "name": "Life Rooms at the Example Library" }),
        "create_hosting" => json!({ "venue_id": ID, "starts_on": "2027-01-05" }),
        "change_hosting" => json!({ "ends_on": "2027-12-31" }),
        "create_partner" => json!({
            "slug": "example-charity", "name": "Example Charity", "kind": "charity",
            "contact": { "name": "Partnerships team", "email": "partnerships@example.org" }
        }),
        "change_partner" => json!({ "description": "Shared reading aloud in small groups." }),
        "create_client" => json!({ "name": "Scheduling system", "scopes": ["rosters:write", "rosters:read"] }),
        "put_topic" => json!({ "label": "Tai chi", "needs": ["physical_wellbeing", "mental_wellbeing"] }),
        "put_report_area" => {
            json!({ "name": "Liverpool and Sefton", "local_authorities": ["Liverpool", "Sefton"] })
        }
        "create_programme" => json!({ "slug": "example-programme", "name": "Example programme" }),
        "change_programme" => json!({ "description": "Read a story and a poem aloud together." }),
        "create_session" => json!({
            "title": "Reading online", "pillar": "community", "delivery": "online", "topics": ["reading"],
            "local_start": "2027-06-03T14:00:00", "time_zone": "Europe/London", "duration_minutes": 60, "capacity": 12
        }),
        "change_session" => json!({ "title": "Reading together online", "capacity": 14 }),
        "create_series" => json!({
            "title": "Reading online every Tuesday", "pillar": "community", "delivery": "online",
            "local_start": "2027-06-01T13:00:00", "time_zone": "Europe/London", "duration_minutes": 90,
            "recurrence": "FREQ=WEEKLY;COUNT=12", "capacity": 12
        }),
        "change_series" => json!({ "facilitator": "The Reader" }),
        "split_series" => json!({ "from": "2027-06-29T13:00:00", "changes": { "duration_minutes": 60 } }),
        "cancel_session" | "cancel_series" => json!({ "reason": "The library is closed that day." }),
        "cancel_partner_sessions" | "cancel_venue_sessions" => {
            json!({ "from": "2027-02-15", "to": "2027-02-19", "reason": "It is half term.", "dry_run": true })
        }
        "create_booking" => json!({ "if_full": "wait" }),
        "register_member" => json!({
            "given_name": "Margaret", "family_name": "Examplewood", "preferred_name": "Peg",
            "date_of_birth": "1961-04-02", "roles": ["service_user"], "contact_preferences": { "phone": true }
        }),
        "merge_members" => json!({ "from": ID, "into_version": 1, "from_version": 1, "dry_run": true }),
        "change_possible_duplicate" => json!({ "status": "not_same" }),
        "change_member" => json!({ "contact_preferences": { "sms": true } }),
        "search_members" => json!({ "name": "mar exa" }),
        "record_consent" => json!({
            "purpose": "research", "decision": "given", "evidence": "Signed form of 20 November 2026"
        }),
        "put_access_needs" => json!({
            "needs": [{ "category": "information_format", "code": "large_print", "detail": "18 point", "share": true }]
        }),
        "create_relationship" => json!({
            "from_member": ID, "to_member": ID, "kind": "carer_of", "may_book": true, "authority": "member_agreed"
        }),
        "request_erasure" => json!({ "received_on": "2026-11-23" }),
        "execute_erasure" => json!({ "force": true }),
        "hold_erasure" => json!({ "reason": "A complaint is being answered." }),
        "decide_retention_review" => {
            json!({ "decision": "keep", "until": "2035-01-31", "reason": "A claim is open." })
        }
        "change_relationship" => json!({ "status": "ended" }),
        "change_equality_answers" => json!({ "ethnicity": "white_british", "main_language": "en" }),
        "raise_safeguarding_flag" => json!({
            "category": "exploitation", "summary": "A neighbour keeps her bank card.", "review_on": "2027-12-07"
        }),
        "change_safeguarding_flag" => json!({ "status": "closed", "closed_reason": "The card was returned." }),
        "request_export" => json!({ "current_password": "correct horse battery staple" }),
        "change_export" => json!({ "extended": true, "reason": "Three services hold notes on paper." }),
        "release_export" => json!({ "withheld": ["safeguarding"], "reason": "It would put somebody at risk." }),
        "create_calendar_link" => json!({ "name": "On my phone" }),
        "create_prescription" => json!({
            "member_id": ID, "origin": "advisor", "what_matters": "To get out of the house and meet people",
            "needs": [{ "domain": "loneliness", "severity": 3 }],
            "items": [{ "need": "loneliness", "kind": "advice", "note": "Try the reading group" }]
        }),
        "change_prescription" => json!({ "review_on": "2027-02-20" }),
        "add_prescription_item" => json!({ "kind": "advice", "note": "Prefers to sit near the door" }),
        "change_prescription_item" => json!({ "status": "accepted" }),
        "take_register" => {
            json!({ "bookings": [], "walk_ins": [], "headcount": { "beneficiaries": 14, "family": 3, "carers": 2 } })
        }
        "post_roster" => json!({ "entries": [{
            "external_id": "example-reading", "title": "Shared reading online", "pillar": "community",
            "delivery": "online", "local_start": "2027-06-01T13:00:00", "time_zone": "Europe/London",
            "duration_minutes": 90, "recurrence": "FREQ=WEEKLY;COUNT=12"
        }] }),
        _ => return None,
    };
    Some(example)
}
