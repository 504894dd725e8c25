//! What stands in an export, and what doesn't: every text that the API takes about a member, and nobody else's.

use std::collections::BTreeSet;

use diesel::prelude::*;
use life_rooms::db::Id;
use life_rooms::db::schema::{calendar_links, logins, users};
use life_rooms::erasures::retention::store::{self as retention, KeptRow};
use life_rooms::exports::tables::{Place, TABLES};
use serde_json::{Value, json};

use crate::exports::{PASSWORD, document, make_documents, place};
use crate::openapi::{document as openapi, operations};
use crate::support::{App, Client, SessionSeed, id, partner, session_row, venue};

/// The operations about members and prescriptions whose texts stand in the document under another's name.
const SAME_AS: [(&str, &str); 8] = [
    ("change_member", "register_member"),
    ("register_myself", "register_member"),
    ("change_relationship", "create_relationship"),
    ("change_prescription", "create_prescription"),
    ("add_prescription_item", "create_prescription"),
    ("complete_prescription", "close_prescription"),
    ("decline_prescription", "close_prescription"),
    ("change_safeguarding_flag", "raise_safeguarding_flag"),
];
/// Those that take texts and keep none of them about the member.
const KEEP_NOTHING: [&str; 3] = ["search_members", "release_export", "unsubscribe"];

/// A text that stands nowhere else.
fn mine(name: &str) -> String {
    format!("zq{name}qz")
}

/// A text that must not be in the document.
fn hidden(name: &str) -> String {
    format!("xk{name}kx")
}

/// Follows a schema's reference, and takes what isn't null of a choice.
fn resolve<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return resolve(document, &document["components"]["schemas"][name]);
    }
    match schema["oneOf"].as_array() {
        Some(choices) => {
            choices.iter().find(|choice| choice["type"] != "null").map_or(schema, |one| resolve(document, one))
        }
        None => schema,
    }
}

/// The pointers of the free texts of a body.
fn texts(document: &Value, schema: &Value, at: &str) -> Vec<String> {
    let schema = resolve(document, schema);
    let kinds = schema["type"].to_string();
    let format = schema["format"].as_str().unwrap_or("one-line");
    let is_free = ["enum", "pattern", "const"].iter().all(|name| schema.get(*name).is_none());
    if kinds.contains("\"string\"") && is_free && ["one-line", "name"].contains(&format) {
        return vec![at.to_owned()];
    }
    if kinds.contains("\"array\"") {
        return texts(document, &schema["items"], &format!("{at}/0"));
    }
    let members = schema["properties"].as_object().into_iter().flatten();
    members.flat_map(|(name, member)| texts(document, member, &format!("{at}/{name}"))).collect()
}

/// The document of the API, and what was sent of it.
struct Sent {
    api: Value,
    said: BTreeSet<String>,
}

impl Sent {
    /// Sends a body in which every free text of the operation is given.
    fn send(&mut self, client: &Client, operation: &str, method: &str, path: &str, tag: &str, body: &Value) -> Value {
        let all = operations(&self.api);
        let (_, _, described) = all.iter().find(|(_, _, one)| one["operationId"] == operation).expect("an operation");
        let content = described["requestBody"]["content"].as_object().unwrap().values().next().unwrap();
        for pointer in texts(&self.api, &content["schema"], "") {
            let text = body.pointer(&pointer).unwrap_or_else(|| panic!("{operation} doesn't say {pointer}"));
            assert!(text.is_string(), "{operation} {pointer}");
        }
        self.said.insert(operation.to_owned());
        let answer = match method {
            "POST" => client.post(path, body),
            "PUT" => client.put(path, tag, body),
            _ => client.patch(path, tag, body),
        };
        assert!((200..300).contains(&answer.status), "{operation}: {}", answer.text);
        answer.json
    }

    fn post(&mut self, client: &Client, operation: &str, path: &str, body: &Value) -> Value {
        self.send(client, operation, "POST", path, "", body)
    }

    /// Every operation about members and prescriptions that takes a free text was sent, or is said to be as another.
    fn is_complete(&self) {
        for (method, path, operation) in operations(&self.api) {
            let name = operation["operationId"].as_str().unwrap();
            let is_of_members = ["members", "prescriptions"].contains(&operation["tags"][0].as_str().unwrap());
            let content = operation["requestBody"]["content"].as_object().cloned().unwrap_or_default();
            let free = content.values().flat_map(|content| texts(&self.api, &content["schema"], "")).count();
            if !is_of_members || free == 0 || KEEP_NOTHING.contains(&name) {
                continue;
            }
            let same = SAME_AS.iter().find(|(known, _)| *known == name).map_or(name, |(_, other)| *other);
            assert!(self.said.contains(same), "{method} {path} ({name}) takes texts: send them in exports_contents.rs");
        }
    }
}

/// A member of whom everything is kept that can be, and the members beside them.
struct Whole {
    app: App,
    ann: String,
    own: Client,
    advisor: Client,
    lead: Client,
    /// What the document must have.
    texts: Vec<String>,
    /// What no document may have.
    secrets: Vec<String>,
    /// What only a reviewed document has.
    safeguarding: Vec<String>,
    full: String,
}

fn named(app: &App, client: &Client, name: &str) {
    let row = users::table.find(client.id.unwrap());
    diesel::update(row).set(users::display_name.eq(name)).execute(&mut app.conn()).unwrap();
}

impl Whole {
    fn new() -> Self {
        let app = App::start();
        let (admin, advisor, lead) =
            (app.admin(), app.advisor_who_may("subject_access"), app.advisor_who_may("safeguarding"));
        named(&app, &advisor, "Dana P.");
        named(&app, &lead, "Sam S.");
        let mut sent = Sent { api: openapi(), said: BTreeSet::new() };
        let library = venue(&admin, "central", "Liverpool");
        let reader = partner(&admin, "the-reader");
        let person = json!({
            "preferred_name": mine("preferred"), "given_name": mine("given"), "family_name": mine("family"),
            "former_names": [mine("former"), "<script>alert(1)</script>x"], "pronouns": mine("pronouns"),
            "date_of_birth": "1961-04-02", "email": "zqemailqz@example.org", "phone": "0151 496 0123",
            "line_1": mine("line1"), "line_2": mine("line2"), "town": mine("town"), "postcode": "L9 1AA",
            "nhs_number": "943 476 5919", "gp_practice_code": "N82001", "roles": ["service_user", "carer"],
            "contact_preferences": { "phone": true }, "safe_contact": { "voicemail": false }, "message_details": "full",
            "emergency_contact": { "name": mine("emergency"), "phone": "07700 900456", "relationship": mine("brother") }
        });
        let ann = sent.post(&advisor, "register_member", "/v1/members?confirm_not_duplicate=true", &person);
        let ann = id(&ann).to_owned();
        let other = |given: &str, family: &str| {
            let body = json!({ "given_name": hidden(given), "family_name": hidden(family), "roles": ["carer"] });
            id(&advisor.post("/v1/members?confirm_not_duplicate=true", &body).expect(201)).to_owned()
        };
        let (carer, cared_for) = (other("carer", "one"), other("cared", "two"));
        let record = format!("/v1/members/{ann}");
        let twin = json!({ "given_name": "Twin", "roles": ["carer"] });
        let twin = id(&advisor.post("/v1/members?confirm_not_duplicate=true", &twin).expect(201)).to_owned();
        let merge = json!({ "from": twin, "into_version": 1, "from_version": 1, "account_checked": true });
        advisor.post(&format!("{record}/merge"), &merge).expect(200);

        let consents = format!("{record}/consents");
        let consent = json!({ "purpose": "share_with_partner", "partner_id": reader["id"], "decision": "given",
            "evidence": mine("consent"), "form_version": mine("form") });
        sent.post(&advisor, "record_consent", &consents, &consent);
        let needs = json!({ "needs": [{ "category": "other", "code": "zq_need_code_qz", "detail": mine("need"), "share": false }] });
        sent.send(&advisor, "put_access_needs", "PUT", &format!("{record}/access-needs"), "\"0\"", &needs);
        let relationships = format!("{record}/relationships");
        let relation = |from: &str, to: &str, evidence: String| {
            json!({ "from_member": from, "to_member": to, "kind": "carer_of", "may_book": true,
                "authority": "member_agreed", "status": "active", "evidence": evidence })
        };
        sent.post(&advisor, "create_relationship", &relationships, &relation(&carer, &ann, mine("known")));
        app.at("2026-11-23T09:00:01Z");
        advisor.post(&relationships, &relation(&ann, &cared_for, hidden("known"))).expect(201);

        let plan = json!({
            "member_id": ann, "origin": "advisor", "what_matters": mine("matters"), "review_on": "2027-02-20",
            "needs": [{ "domain": "mental_wellbeing", "severity": 3, "note": mine("domain") }],
            "items": [{ "need": "mental_wellbeing", "kind": "partner", "target_id": reader["id"], "goal": mine("goal"),
                "note": mine("item") }]
        });
        let plan = sent.post(&advisor, "create_prescription", "/v1/prescriptions", &plan);
        let plans = format!("/v1/prescriptions/{}", id(&plan));
        let item = format!("{plans}/items/{}", id(&plan["items"][0]));
        let rejected =
            json!({ "status": "rejected", "reason": mine("rejected"), "goal": mine("goal"), "note": mine("item") });
        advisor.post(&format!("{plans}/activate"), &json!({})).expect(200);
        sent.send(&advisor, "change_prescription_item", "PATCH", &item, "\"1\"", &rejected);
        sent.post(&advisor, "close_prescription", &format!("{plans}/close"), &json!({ "reason": mine("closed") }));

        let seed =
            |title, starts_at| SessionSeed { venue_id: Some(id(&library)), title, starts_at, ..SessionSeed::default() };
        let (called_off, past) = ("zqcalledoffqz", "zqwalkedinqz");
        let session = session_row(&app, seed(called_off, "2026-11-30T13:00:00Z"));
        let helper = app.member(&carer);
        named(&app, &helper, &hidden("helper"));
        helper.post(&format!("/v1/sessions/{session}/bookings"), &json!({ "member_id": ann })).expect(201);
        advisor.post(&format!("/v1/sessions/{session}/cancel"), &json!({ "reason": mine("boiler") })).expect(200);
        let begun = session_row(&app, seed(past, "2026-11-23T08:00:00Z"));
        let register = format!("/v1/sessions/{begun}/register");
        let came = json!({ "bookings": [], "walk_ins": [{ "member_id": ann }, { "member_id": cared_for }],
            "headcount": { "beneficiaries": 0, "family": 0, "carers": 0 } });
        advisor.put(&register, advisor.get(&register).etag(), &came).expect(200);

        // The account, with a link and a login.
        let invitations = format!("{record}/invitations");
        let invited =
            advisor.post(&invitations, &json!({ "deliver": "show", "email": "zqloginqz@example.org" })).expect(201);
        let (_, secret) = invited["link"].as_str().unwrap().split_once("#token=").unwrap();
        let confirm = json!({ "token": secret, "password": PASSWORD, "date_of_birth": "1961-04-02" });
        app.anonymous().post("/v1/auth/invitations/confirm", &confirm).expect(201);
        let login = json!({ "email": "zqloginqz@example.org", "password": PASSWORD, "client_name": mine("device") });
        let tokens = app.anonymous().post("/v1/auth/login", &login).expect(200);
        let own = app.with_token(tokens["access_token"].as_str().unwrap());
        own.patch(
            &format!("{record}/equality-monitoring"),
            "\"0\"",
            &json!({ "ethnicity": "roma", "religion": "buddhist" }),
        )
        .expect(200);
        let link = own.post(&format!("{record}/calendar-links"), &json!({ "name": mine("calendar") })).expect(201);

        let flag = json!({ "category": "abuse", "summary": hidden("summary"), "review_on": "2026-12-07" });
        let flag = sent.post(&lead, "raise_safeguarding_flag", &format!("{record}/safeguarding"), &flag);
        let closed = json!({ "status": "closed", "closed_reason": hidden("over") });
        lead.patch(&format!("{record}/safeguarding/{}", id(&flag)), "\"1\"", &closed).expect(200);
        let request = json!({ "received_on": "2026-11-20", "how": mine("letter"), "current_password": "x" });
        advisor.post(&format!("{record}/export"), &request).invalid(&["/current_password"]);
        let request = json!({ "received_on": "2026-11-20", "how": mine("letter") });
        let full = advisor.post(&format!("{record}/export"), &request);
        sent.said.insert("request_export".to_owned());
        let full = place(&full);
        let extended = json!({ "extended": true, "reason": mine("complex") });
        sent.send(&advisor, "change_export", "PATCH", &full, "\"1\"", &extended);
        let asked = advisor.post(&format!("{record}/erasure"), &json!({ "received_on": "2026-11-20" })).expect(202);
        let hold = json!({ "reason": mine("held"), "until": "2027-01-31" });
        sent.post(&admin, "hold_erasure", &format!("/v1/erasures/{}/hold", id(&asked)), &hold);
        // Decided years ago: a record that was used today isn't looked through.
        let kept = KeptRow {
            member_id: ann.parse().unwrap(),
            keep_until: "2029-01-31".parse().unwrap(),
            reason: mine("kept"),
            decided_by: advisor.id.unwrap(),
            created_at: app.clock.now(),
        };
        retention::keep(&mut app.conn(), &kept).unwrap();
        sent.said.insert("decide_retention_review".to_owned());
        sent.is_complete();
        app.at("2026-11-23T09:00:02Z");

        let texts = [
            "preferred",
            "given",
            "family",
            "former",
            "pronouns",
            "line1",
            "line2",
            "town",
            "emergency",
            "brother",
            "consent",
            "need",
            "known",
            "matters",
            "domain",
            "goal",
            "item",
            "rejected",
            "closed",
            "calledoff",
            "walkedin",
            "boiler",
            "device",
            "calendar",
            "letter",
            "complex",
            "held",
            "kept",
            "email",
            "login",
        ];
        let mut conn = app.conn();
        let of_ann = users::member_id.eq(ann.parse::<Id>().unwrap());
        let (account, hash): (Id, Option<String>) =
            users::table.filter(of_ann).select((users::id, users::password_hash)).first(&mut conn).unwrap();
        let digests: Vec<String> = calendar_links::table.select(calendar_links::secret_hash).load(&mut conn).unwrap();
        let nonces: Vec<Vec<u8>> =
            logins::table.filter(logins::user_id.eq(account)).select(logins::nonce).load(&mut conn).unwrap();
        let hex = |bytes: &Vec<u8>| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let mut secrets = vec![hash.unwrap(), secret.to_owned(), tokens["refresh_token"].as_str().unwrap().to_owned()];
        secrets.extend(digests);
        secrets.extend(nonces.iter().filter(|nonce| !nonce.is_empty()).map(hex));
        secrets.push(link["url"].as_str().unwrap().to_owned());
        secrets.extend(["carer", "one", "cared", "two", "helper"].map(hidden));
        secrets.push(hidden("known"));
        // The ids of others: members, and accounts of staff.
        secrets.extend([carer, cared_for, advisor.id.unwrap().to_string(), lead.id.unwrap().to_string()]);
        drop(conn);
        Self {
            texts: texts.map(mine).to_vec(),
            safeguarding: ["summary", "over"].map(hidden).to_vec(),
            secrets,
            app,
            ann,
            own,
            advisor,
            lead,
            full,
        }
    }
}

impl Whole {
    /// Releases what the advisor asked for. Until then no document of the member's own tells of it.
    fn release(&self) {
        make_documents(&self.app);
        self.lead.post(&format!("{}/release", self.full), &json!({})).expect(200);
    }
}

#[test]
fn every_text_of_the_member_is_in_both_forms_and_nothing_of_anybody_else() {
    let whole = Whole::new();
    let Whole { app, own, advisor, full, .. } = &whole;
    whole.release();
    let asked = own.post(&format!("/v1/members/{}/export", whole.ann), &json!({ "current_password": PASSWORD }));
    let at = place(&asked);
    make_documents(app);
    let both = |client: &Client, at: &str| {
        let (json, page) = (document(client, at, "application/json"), document(client, at, "text/html"));
        assert_eq!((json.status, page.status), (200, 200), "{}", json.text);
        [json.text, page.text]
    };
    for text in both(own, &at) {
        for token in whole.texts.iter().chain(["zq_need_code_qz", "943 476 5919", "N82001"].map(String::from).iter()) {
            let spaced = token.replace('_', " ");
            let bare = token.replace(' ', "");
            assert!(
                [token, &spaced, &bare].iter().any(|one| text.contains(one.as_str())),
                "{token} is missing: {text}"
            );
        }
        for secret in whole.secrets.iter().chain(&whole.safeguarding) {
            assert!(!text.contains(secret.as_str()), "{secret} is there: {text}");
        }
        assert!(text.contains("Dana P.") && text.contains("a carer") && !text.contains("Sam S."), "{text}");
    }
    for text in both(advisor, full) {
        for token in whole.texts.iter().chain(&whole.safeguarding) {
            assert!(text.contains(token.as_str()), "{token} is missing: {text}");
        }
        for secret in &whole.secrets {
            assert!(!text.contains(secret.as_str()), "{secret} is there: {text}");
        }
        assert!(text.contains("Dana P.") && text.contains("Sam S."), "{text}");
    }
}

#[test]
fn the_sections_say_what_they_are_and_come_in_order() {
    let whole = Whole::new();
    let Whole { app, own, ann, .. } = &whole;
    whole.release();
    let at = place(&own.post(&format!("/v1/members/{ann}/export"), &json!({ "current_password": PASSWORD })));
    make_documents(app);
    let read = document(own, &at, "*/*");
    let order = [
        "about",
        "record",
        "contact",
        "access_needs",
        "equality_answers",
        "consents",
        "relationships",
        "prescriptions",
        "bookings",
        "walk_ins",
        "messages",
        "account",
        "logins",
        "links",
        "calendar_links",
        "merges",
        "exports",
        "erasures",
        "retention",
        "safeguarding",
        "safeguarding_log",
        "access_log",
        "held_back",
    ];
    let places: Vec<usize> = order
        .iter()
        .map(|name| read.text.find(&format!("\"{name}\":{{\"")).or(read.text.find(&format!("\"{name}\":null"))))
        .map(Option::unwrap)
        .collect();
    assert!(places.is_sorted(), "{places:?}");
    let json = &read.json;
    assert_eq!(json.as_object().unwrap().len(), order.len());
    for name in order.iter().filter(|name| !["about", "safeguarding", "safeguarding_log"].contains(name)) {
        assert!(json[*name]["about"].as_str().unwrap().ends_with('.'), "{name}");
        assert!(!json[*name]["items"].as_array().unwrap().is_empty(), "{name}");
    }
    let only = |name: &str| &json[name]["items"][0];
    assert_eq!(only("relationships")["who"], "a carer of yours");
    assert_eq!(json["relationships"]["items"][1]["who"], "somebody you care for");
    assert_eq!(json["relationships"]["items"][1]["evidence"], Value::Null, "that is about the other person");
    assert_eq!(only("equality_answers")["ethnicity"], "roma");
    let booking = only("bookings");
    assert_eq!((&booking["booked_by"]["name"], &booking["booked_by"]["role"]), (&json!("a carer"), &json!("member")));
    assert_eq!((&booking["venue"], &booking["status"]), (&json!("Venue central"), &json!("cancelled_by_provider")));
    assert_eq!(
        only("prescriptions")["advisor"],
        json!({ "name": "Dana P.", "role": "advisor", "organisation": "Life Rooms" })
    );
    assert_eq!(only("prescriptions")["items"][0]["target"], "Partner the-reader");
    assert_eq!(only("consents")["partner"], "Partner the-reader");
    assert_eq!(only("account")["email"], "zqloginqz@example.org");
    assert_eq!(json["exports"]["items"][0]["due_on"], "2027-02-22");
    let asked = only("erasures");
    assert_eq!((&asked["status"], &asked["origin"]), (&json!("held"), &json!("advisor")));
    assert_eq!((&asked["asked_on"], &asked["hold_until"]), (&json!("2026-11-20"), &json!("2027-01-31")));
    let kept = only("retention");
    assert_eq!((&kept["keep_until"], &kept["decided_by"]["name"]), (&json!("2029-01-31"), &json!("Dana P.")));
    let looked = json["access_log"]["items"].as_array().unwrap();
    let names: BTreeSet<&str> = looked.iter().filter_map(|entry| entry["who"]["name"].as_str()).collect();
    assert_eq!(names, BTreeSet::from(["Dana P.", "a carer", "you"]));
}

#[test]
fn a_page_has_nothing_from_elsewhere_and_what_people_wrote_is_no_markup() {
    let whole = Whole::new();
    let Whole { app, own, ann, .. } = &whole;
    let at = place(&own.post(&format!("/v1/members/{ann}/export"), &json!({ "current_password": PASSWORD })));
    make_documents(app);
    let page = document(own, &at, "text/html").text;
    for markup in ["<script", "<img", "<link", "<iframe", "src=", "url(", "@import", "http://", "https://"] {
        assert!(!page.contains(markup), "{markup}: {page}");
    }
    assert!(page.contains("alert(1)") && page.contains("lang=\"en-GB\"") && page.contains("size: A4"), "{page}");
    for heading in ["Your record", "What you agreed to", "Who looked at your data", "What is not in here"] {
        assert!(page.contains(heading), "{heading}: {page}");
    }
    assert!(page.contains("2 April 1961") && page.contains("share with partner"), "{page}");
}

#[test]
fn every_table_that_refers_to_a_member_or_an_account_is_in_a_section_or_held_back_with_a_reason() {
    // Both databases are held to this file: see parity.rs.
    let schema =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/api/snapshots/schema.txt")).unwrap();
    let mut refer = BTreeSet::new();
    let mut all = BTreeSet::new();
    for line in schema.lines() {
        if let Some(column) = line.strip_prefix("column ") {
            let (table, name) = column.split(' ').next().unwrap().split_once('.').unwrap();
            all.insert(table);
            if ["member_id", "user_id"].contains(&name) || name.ends_with("_member") {
                refer.insert(table);
            }
        }
        if let Some(key) = line.strip_prefix("foreign key ") {
            let (column, to) = key.split_once(' ').unwrap();
            if ["members", "users"].contains(&to) {
                refer.insert(column.split_once('.').unwrap().0);
            }
        }
    }
    let known: BTreeSet<&str> = TABLES.iter().map(|(table, _)| *table).collect();
    let forgotten: Vec<&&str> = refer.difference(&known).collect();
    assert!(forgotten.is_empty(), "say in src/exports/tables.rs where a member finds {forgotten:?}");
    let gone: Vec<&&str> = known.difference(&all).collect();
    assert!(gone.is_empty(), "there is no table {gone:?}");
    let api = openapi();
    let sections = &api["components"]["schemas"]["ExportDocument"]["properties"];
    for (table, place) in TABLES {
        match place {
            Place::In(names) => names.iter().for_each(|name| assert!(sections.get(name).is_some(), "{table}: {name}")),
            Place::HeldBack(why) => assert!(why.ends_with('.'), "{table}"),
        }
    }
}
