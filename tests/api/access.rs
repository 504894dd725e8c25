//! Who may call what: every operation of the document, by everybody who may and everybody who may not.

use life_rooms::auth::caller::Scope;
use serde_json::{Value, json};
use strum::IntoEnumIterator;

use crate::openapi::{document, operations};
use crate::support::{App, Client};

/// For each operation the roles that may call it: `a`dmin, a`d`visor, a`n`alyst, `m`ember, `p`artner, and `s` for an
/// advisor with the permission `safeguarding` and `r` for one with `subject_access`, who may whatever an advisor may; `*` is everybody, with a token or without. A new operation fails the test until it stands here.
const MAY: &[(&str, &str)] = &[
    ("login", "*"),
    ("refresh_login", "*"),
    ("log_out", "*"),
    ("list_my_logins", "adnm"),
    ("end_my_login", "adnm"),
    ("end_my_logins", "adnm"),
    ("issue_client_token", "*"),
    ("get_keys", "*"),
    ("get_server_metadata", "*"),
    ("get_me", "adnmp"),
    ("change_my_password", "adnm"),
    ("get_problem_page", "*"),
    ("check_live", "*"),
    ("check_ready", "*"),
    ("get_service", "*"),
    ("list_vocabularies", "*"),
    ("list_local_authorities", "*"),
    ("count_by_facets", "*"),
    ("get_document", "*"),
    ("get_document_as_yaml", "*"),
    ("get_venue", "*"),
    ("list_venues", "*"),
    ("create_venue", "a"),
    ("change_venue", "a"),
    ("delete_venue", "a"),
    ("list_spaces", "*"),
    ("get_space", "*"),
    ("create_space", "a"),
    ("change_space", "a"),
    ("delete_space", "a"),
    ("list_sites", "*"),
    ("get_site", "*"),
    ("create_site", "a"),
    ("change_site", "a"),
    ("list_hostings", "*"),
    ("get_hosting", "*"),
    ("create_hosting", "a"),
    ("change_hosting", "a"),
    ("list_users", "a"),
    ("get_user", "a"),
    ("create_user", "a"),
    ("change_user", "a"),
    ("end_user_logins", "a"),
    ("make_reset_link", "a"),
    ("list_partners", "*"),
    ("get_partner", "*"),
    ("create_partner", "a"),
    ("change_partner", "a"),
    ("list_programmes", "*"),
    ("get_programme", "*"),
    ("create_programme", "ap"),
    ("change_programme", "ap"),
    ("list_clients", "a"),
    ("get_client", "a"),
    ("create_client", "a"),
    ("revoke_client", "a"),
    ("rotate_client", "a"),
    ("post_roster", "ap"),
    ("list_rosters", "ap"),
    ("get_roster", "ap"),
    ("get_roster_template", "ap"),
    ("get_roster_workbook_template", "ap"),
    ("get_held_roster", "ap"),
    ("get_held_roster_as_csv", "ap"),
    ("get_held_roster_as_workbook", "ap"),
    ("get_job", "ap"),
    ("list_sessions", "*"),
    ("get_session", "*"),
    ("create_session", "adp"),
    ("change_session", "adp"),
    ("cancel_session", "adp"),
    ("list_series", "*"),
    ("get_series", "*"),
    ("create_series", "adp"),
    ("change_series", "adp"),
    ("cancel_series", "adp"),
    ("cancel_partner_sessions", "adp"),
    ("cancel_venue_sessions", "a"),
    ("split_series", "adp"),
    ("create_booking", "dm"),
    ("list_session_bookings", "dmp"),
    ("get_booking", "dm"),
    ("cancel_booking", "dm"),
    ("accept_booking", "dm"),
    ("decline_booking", "dm"),
    ("get_join_link", "adm"),
    ("list_member_bookings", "dm"),
    ("get_register", "dp"),
    ("take_register", "dp"),
    ("change_register", "dp"),
    ("get_register_page", "dp"),
    ("get_register_as_csv", "dp"),
    ("register_member", "d"),
    ("search_members", "d"),
    ("get_member", "dm"),
    ("change_member", "dm"),
    ("list_consents", "dm"),
    ("get_consent", "dm"),
    ("list_access_log", "dm"),
    ("record_consent", "dm"),
    ("list_possible_duplicates", "d"),
    ("list_possible_duplicates_of_member", "d"),
    ("get_possible_duplicate", "d"),
    ("change_possible_duplicate", "d"),
    ("merge_members", "d"),
    ("list_merges", "d"),
    ("undo_merge", "d"),
    ("register_myself", "*"),
    ("confirm_registration", "*"),
    ("invite_member", "d"),
    ("list_invitations", "d"),
    ("get_invitation", "d"),
    ("revoke_invitation", "d"),
    ("confirm_invitation", "*"),
    ("ask_for_password_reset", "*"),
    ("confirm_password_reset", "*"),
    ("ask_for_email_change", "adnm"),
    ("confirm_email_change", "*"),
    ("get_member_account", "dm"),
    ("change_member_account", "d"),
    ("list_messages", "dm"),
    ("unsubscribe", "*"),
    ("get_unsubscribe_page", "*"),
    ("get_access_needs", "dm"),
    ("put_access_needs", "dm"),
    ("list_relationships", "dm"),
    ("get_relationship", "dm"),
    ("create_relationship", "d"),
    ("change_relationship", "dm"),
    ("get_equality_answers", "dm"),
    ("change_equality_answers", "dm"),
    ("request_erasure", "dm"),
    ("get_erasure_request", "dm"),
    ("withdraw_erasure_request", "dm"),
    ("list_erasures", "as"),
    ("get_erasure", "as"),
    ("execute_erasure", "a"),
    ("hold_erasure", "a"),
    ("resume_erasure", "as"),
    ("list_retention_reviews", "a"),
    ("decide_retention_review", "a"),
    ("list_safeguarding_flags", "s"),
    ("get_safeguarding_flag", "s"),
    ("raise_safeguarding_flag", "s"),
    ("change_safeguarding_flag", "s"),
    ("request_export", "mr"),
    ("list_member_exports", "mrs"),
    ("list_exports", "rs"),
    ("get_export", "mrs"),
    ("change_export", "r"),
    ("get_export_document", "mrs"),
    ("release_export", "s"),
    ("list_member_prescriptions", "dm"),
    ("list_prescriptions", "dm"),
    ("get_prescription", "dm"),
    ("create_prescription", "dm"),
    ("change_prescription", "dm"),
    ("delete_prescription", "dm"),
    ("add_prescription_item", "dm"),
    ("get_prescription_item", "dm"),
    ("change_prescription_item", "dm"),
    ("activate_prescription", "dm"),
    ("complete_prescription", "dm"),
    ("close_prescription", "dm"),
    ("decline_prescription", "dm"),
    ("get_session_calendar", "*"),
    ("get_series_calendar", "*"),
    ("get_venue_calendar", "*"),
    ("get_partner_calendar", "*"),
    ("list_calendar_links", "dm"),
    ("create_calendar_link", "dm"),
    ("get_calendar_link", "dm"),
    ("revoke_calendar_link", "dm"),
    ("get_member_calendar", "*"),
    ("report_prescriptions", "an"),
    ("report_attendance", "an"),
    ("list_report_areas", "an"),
    ("get_report_area", "an"),
    ("put_report_area", "a"),
    ("list_topics", "*"),
    ("get_topic", "*"),
    ("put_topic", "a"),
];

pub fn roles(operation: &str) -> &'static str {
    let found = MAY.iter().find(|(name, _)| *name == operation);
    found.unwrap_or_else(|| panic!("say in tests/api/access.rs who may call {operation}")).1
}

/// One client of each role; the member and the partner are made for the purpose.
pub struct People {
    clients: Vec<(char, Client)>,
    anonymous: Client,
    without_scopes: Client,
}

impl People {
    pub fn new(app: &App) -> Self {
        let partner = crate::support::partner_row(app, "somebodys-partner");
        let member = crate::support::member_row(app, "Some", "Body");
        let scopes: Vec<Scope> = Scope::iter().collect();
        Self {
            clients: vec![
                ('a', app.admin()),
                ('d', app.advisor()),
                ('n', app.analyst()),
                ('m', app.member(&member)),
                ('p', app.partner_client(&partner, &scopes)),
                ('s', app.advisor_who_may("safeguarding")),
                ('r', app.advisor_who_may("subject_access")),
            ],
            anonymous: app.anonymous(),
            without_scopes: app.partner_client(&partner, &[]),
        }
    }

    /// Any client that may call this operation.
    pub fn somebody_who_may(&self, operation: &str) -> Client {
        let roles = roles(operation);
        match self.clients.iter().find(|(role, _)| roles.contains(*role)) {
            Some((_, client)) => client.clone(),
            None => self.anonymous.clone(),
        }
    }
}

fn concrete(path: &str) -> String {
    let part = |part: &str| match part.split_once('}') {
        Some((_, after)) => format!("0199d2f0-7a3c-7bbd-a1f5-3d2c5a0e9b41{after}"),
        None => part.to_owned(),
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

#[test]
fn every_operation_refuses_whoever_may_not_call_it_before_it_looks_anything_up() {
    let app = App::start();
    let people = People::new(&app);
    let document = document();
    let mut operations = operations(&document);
    // Ending all of one's logins comes last: afterwards nobody has a token that works.
    operations.sort_by_key(|(_, _, operation)| operation["operationId"] == "end_my_logins");
    for (method, path, operation) in operations {
        let name = operation["operationId"].as_str().unwrap();
        let may = roles(name);
        let send = |client: &Client| client.send(&method, &concrete(&path), &[], b"");
        if may == "*" {
            continue;
        }
        let refused = send(&people.anonymous);
        assert!(refused.header("www-authenticate").starts_with("Bearer"), "{name}");
        refused.problem(401, "unauthenticated");
        // Who asks comes before what is wrong with the other headers.
        let wrong = [("if-match", ""), ("idempotency-key", "")];
        people.anonymous.send(&method, &concrete(&path), &wrong, b"").problem(401, "unauthenticated");
        for (role, client) in &people.clients {
            let answer = send(client);
            match may.contains(*role) || (['s', 'r'].contains(role) && may.contains('d')) {
                true => assert!(!matches!(answer.status, 401 | 403 | 500), "{name} by {role}: {}", answer.text),
                false => {
                    answer.problem(403, "forbidden");
                }
            }
        }
    }
}

#[test]
fn what_a_client_may_do_is_in_its_scopes() {
    let app = App::start();
    let people = People::new(&app);
    for (method, path, operation) in operations(&document()) {
        let ways = operation["security"].as_array().unwrap();
        let scopes = ways.iter().filter_map(|way| way["client"].as_array()).flatten().count();
        if scopes > 0 {
            let refused = people.without_scopes.send(&method, &concrete(&path), &[], b"");
            assert!(
                refused.header("www-authenticate").contains("insufficient_scope"),
                "{method} {path}: {}",
                refused.text
            );
            refused.problem(403, "insufficient-scope");
        }
    }
}

#[test]
fn the_document_says_who_may_as_the_code_does() {
    for (method, path, operation) in operations(&document()) {
        let name = operation["operationId"].as_str().unwrap();
        let ways = operation["security"].as_array().unwrap();
        let open = ways.is_empty() || ways.iter().any(|way| way.as_object().is_some_and(|way| way.is_empty()));
        let at = format!("{method} {path} ({name})");
        if name == "issue_client_token" {
            continue; // Its credentials are the client's own, not a token.
        }
        assert_eq!(open, roles(name) == "*", "{at}");
        let clients = open || ways.iter().any(|way| way.get("client").is_some());
        assert_eq!(clients, open || roles(name).contains('p'), "{at}: clients");
    }
}

#[test]
fn bad_credentials_are_refused_on_public_operations_too() {
    let app = App::start();
    for (method, path, operation) in operations(&document()) {
        let offers_token = operation["security"].as_array().unwrap().iter().any(|way| way.get("bearer").is_some());
        if offers_token {
            app.with_token("no.such.token").send(&method, &concrete(&path), &[], b"").problem(401, "unauthenticated");
        }
    }
}

/// The ids of one partner's and one member's things.
struct Belongings {
    partner: String,
    programme: String,
    roster: String,
    job: String,
    series: String,
    session: String,
    member: String,
    booking: String,
    prescription: String,
    item: String,
    link: String,
    consent: String,
    relationship: String,
    export: String,
    login: String,
}

impl Belongings {
    /// Everything that a partner and a member can own, made through the API.
    fn new(app: &App) -> Self {
        let (admin, advisor) = (app.admin(), app.advisor());
        let id = |value: &Value| value["id"].as_str().expect("an id").to_owned();
        let partner =
            id(&admin.post("/v1/partners", &json!({ "slug": "a", "name": "A", "kind": "charity" })).expect(201));
        let programme = json!({ "slug": "reading", "name": "Reading" });
        let programme = id(&admin.post(&format!("/v1/partners/{partner}/programmes"), &programme).expect(201));
        let entry = json!({
            "external_id": "one", "title": "A group", "pillar": "community", "delivery": "online", "publication": "draft",
            "local_start": "2027-01-05T13:00:00", "time_zone": "Europe/London", "duration_minutes": 60,
            "recurrence": "FREQ=WEEKLY;COUNT=2"
        });
        let roster = admin.post(&format!("/v1/partners/{partner}/rosters"), &json!({ "entries": [entry] })).expect(201);
        let job = admin.post_with(
            &format!("/v1/partners/{partner}/rosters?dry_run=true"),
            &[("prefer", "respond-async")],
            &json!({ "entries": [{}] }),
        );
        let series = roster["entries"][0]["resource_id"].as_str().expect("a series").to_owned();
        let sessions = admin.get(&format!("/v1/sessions?partner_id={partner}")).expect(200);
        let member = json!({ "given_name": "Ann", "family_name": "Archer", "roles": ["service_user"] });
        let member = id(&advisor.post("/v1/members", &member).expect(201));
        let session = id(&sessions["items"][0]);
        let booking =
            advisor.post(&format!("/v1/sessions/{session}/bookings"), &json!({ "member_id": member })).expect(201);
        let prescription =
            json!({ "member_id": member, "origin": "advisor", "needs": [], "items": [{ "kind": "advice" }] });
        let prescription = advisor.post("/v1/prescriptions", &prescription).expect(201);
        let link = advisor.post(&format!("/v1/members/{member}/calendar-links"), &json!({})).expect(201);
        let consent = json!({ "purpose": "research", "decision": "given", "evidence": "said so" });
        let consent = advisor.post(&format!("/v1/members/{member}/consents"), &consent).expect(201);
        let carer = json!({ "given_name": "Cara", "family_name": "Archer", "roles": ["carer"] });
        let carer = id(&advisor.post("/v1/members", &carer).expect(201));
        let relationship = json!({ "from_member": carer, "to_member": member, "kind": "carer_of" });
        let relationship = advisor.post(&format!("/v1/members/{member}/relationships"), &relationship).expect(201);
        let asked = json!({ "received_on": "2026-11-20", "how": "By letter" });
        let clerk = app.advisor_who_may("subject_access");
        let export = clerk.post(&format!("/v1/members/{member}/export"), &asked).expect(202);
        Self {
            export: id(&export),
            consent: id(&consent),
            relationship: id(&relationship),
            login: admin.id.expect("an account").to_string(),
            link: id(&link),
            roster: id(&roster),
            job: id(&job.expect(202)),
            booking: id(&booking),
            item: id(&prescription["items"][0]),
            prescription: id(&prescription),
            partner,
            programme,
            series,
            session,
            member,
        }
    }

    /// The path with these things' ids.
    fn path(&self, template: &str) -> String {
        let owner = match template.split('/').nth(2).unwrap_or_default() {
            "partners" => &self.partner,
            "sessions" => &self.session,
            "session-series" => &self.series,
            "members" => &self.member,
            "jobs" => &self.job,
            "bookings" => &self.booking,
            "prescriptions" => &self.prescription,
            "exports" => &self.export,
            "me" => &self.login,
            other => panic!("whose is {other}? Say so in tests/api/access.rs"),
        };
        let inner = [
            ("{programme_id}", &self.programme),
            ("{roster_id}", &self.roster),
            ("{item_id}", &self.item),
            ("{link_id}", &self.link),
            ("{consent_id}", &self.consent),
            ("{relationship_id}", &self.relationship),
        ];
        inner.iter().fold(template.replace("{id}", owner), |path, (name, id)| path.replace(name, id))
    }
}

/// A body that is right in form, for operations that take one.
pub fn body_of(operation: &str) -> Value {
    match operation {
        "create_programme" => json!({ "slug": "x", "name": "X" }),
        "post_roster" => json!({ "entries": [{}] }),
        "cancel_session" | "cancel_series" => json!({ "reason": "Ill" }),
        "cancel_partner_sessions" | "cancel_venue_sessions" => {
            json!({ "from": "2027-01-12", "to": "2027-01-12", "reason": "Ill", "dry_run": true })
        }
        "split_series" => json!({ "from": "2027-01-12T13:00:00" }),
        "take_register" => {
            json!({ "bookings": [], "walk_ins": [], "headcount": { "beneficiaries": 0, "family": 0, "carers": 0 } })
        }
        "record_consent" => json!({ "purpose": "research", "decision": "given", "evidence": "said so" }),
        "put_access_needs" => json!({ "needs": [] }),
        "add_prescription_item" => json!({ "kind": "advice" }),
        "change_prescription_item" => json!({ "status": "accepted" }),
        _ => json!({}),
    }
}

#[test]
fn what_is_another_partners_or_members_does_not_exist() {
    let app = App::start();
    let things = Belongings::new(&app);
    let people = People::new(&app);
    for (method, path, operation) in operations(&document()) {
        let name = operation["operationId"].as_str().unwrap();
        let may = roles(name);
        if may == "*" || !path.contains("{id}") {
            continue;
        }
        for (role, client) in people.clients.iter().filter(|(role, _)| matches!(role, 'm' | 'p') && may.contains(*role))
        {
            let body = body_of(name).to_string();
            let body = if operation.get("requestBody").is_some() { body.as_bytes() } else { b"" };
            let answer = client.send(&method, &things.path(&path), &[("content-type", "application/json")], body);
            assert_eq!(answer.status, 404, "{name} by another {role}: {}", answer.text);
            answer.problem(404, "not-found");
        }
    }
    let left = app.advisor().get(&format!("/v1/prescriptions/{}", things.prescription)).expect(200);
    assert_eq!(left["status"], "draft");
}
