//! Exports that members ask for in their own account: asked for, made, read, removed.

use diesel::prelude::*;
use life_rooms::background;
use life_rooms::db::schema::{audit_events, exports, idempotency_records, members, messages, users};
use life_rooms::db::{Conn, Id, Json};
use life_rooms::tasks;
use serde_json::{Value, json};

use crate::housekeeping::keep_house;
use crate::support::{Answer, App, Client, member_row, partner_row};

pub const PASSWORD: &str = "paper boat under the lamp";

/// Makes the documents that are due. Whether any was.
pub fn make_documents(app: &App) -> bool {
    let task = tasks::all().into_iter().find(|task| task.name == "exports").expect("the server has the task");
    let run = background::run_if_due(&app.state, task, app.clock.new_id());
    actix_web::rt::System::new().block_on(run).expect("it runs")
}

/// A member's account with a password.
pub fn own_account(app: &App, member: &str) -> Client {
    let client = app.member(member);
    let hash = life_rooms::auth::password::hash(PASSWORD).unwrap();
    let row = users::table.find(client.id.unwrap());
    diesel::update(row).set(users::password_hash.eq(hash)).execute(&mut app.conn()).unwrap();
    client
}

/// A member with an account.
fn ann(app: &App) -> (String, Client) {
    let ann = member_row(app, "Ann", "Own");
    let client = own_account(app, &ann);
    (ann, client)
}

pub fn ask(client: &Client, member: &str) -> Answer {
    client.post(&format!("/v1/members/{member}/export"), &json!({ "current_password": PASSWORD }))
}

/// Where an export that was asked for is.
pub fn place(asked: &Answer) -> String {
    assert_eq!(asked.status, 202, "{}", asked.text);
    asked.header("location").to_owned()
}

pub fn document(client: &Client, export: &str, accept: &str) -> Answer {
    client.send("GET", &format!("{export}/document"), &[("accept", accept)], b"")
}

/// Action, fields and purpose of the events about a member's exports.
pub fn events(app: &App, member: &str) -> Vec<(String, Vec<String>, Option<String>)> {
    let of = audit_events::table.filter(audit_events::member_id.eq(member.parse::<Id>().unwrap()));
    let rows: Vec<(String, Json<Vec<String>>, Option<String>)> = of
        .filter(audit_events::resource_kind.eq("export"))
        .order(audit_events::id)
        .select((audit_events::action, audit_events::fields, audit_events::purpose))
        .load(&mut app.conn())
        .unwrap();
    rows.into_iter().map(|(action, fields, purpose)| (action, fields.0, purpose)).collect()
}

fn event(action: &str, field: Option<&str>, purpose: Option<&str>) -> (String, Vec<String>, Option<String>) {
    (action.to_owned(), field.into_iter().map(str::to_owned).collect(), purpose.map(str::to_owned))
}

#[test]
fn a_member_asks_with_their_password_and_reads_the_document_for_seven_days() {
    let app = App::start();
    let (ann, own) = ann(&app);
    let asked = ask(&own, &ann);
    let at = place(&asked);
    assert_eq!((asked.header("cache-control"), asked.tag_version()), ("no-store", "1"));
    let id = asked.id();
    assert_eq!(at, format!("/v1/exports/{id}"));
    assert_eq!(
        asked.json,
        json!({
            "id": id, "member_id": ann, "kind": "own", "status": "queued", "received_on": "2026-11-23", "how": null,
            "due_on": "2026-12-23", "extended": false, "reason": null, "withheld": [], "withheld_reason": null,
            "bytes": null, "sha256": null, "downloads": 0, "ready_at": null, "expires_at": null, "version": 1,
            "created_at": "2026-11-23T09:00:00Z", "updated_at": "2026-11-23T09:00:00Z"
        })
    );
    let queued = own.get(&at);
    assert_eq!((queued.etag(), &queued.json), (asked.etag(), &asked.json));
    document(&own, &at, "*/*").problem(409, "invalid-state");

    app.at("2026-11-23T09:00:02Z");
    assert!(make_documents(&app));
    assert!(!make_documents(&app), "once");
    let ready = own.get(&at).expect(200);
    assert_eq!((&ready["status"], &ready["version"]), (&json!("ready"), &json!(2)));
    assert_eq!(
        (&ready["ready_at"], &ready["expires_at"]),
        (&json!("2026-11-23T09:00:02Z"), &json!("2026-11-30T09:00:02Z"))
    );
    app.at("2026-11-23T09:01:00Z");
    let read = document(&own, &at, "application/json");
    assert_eq!((read.header("content-type"), read.header("cache-control")), ("application/json", "no-store"));
    assert_eq!(read.header("content-disposition"), "attachment; filename=\"life-rooms-export.json\"");
    assert_eq!(read.text.len(), usize::try_from(ready["bytes"].as_u64().unwrap()).unwrap());
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, read.text.as_bytes());
    let digits: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(ready["sha256"], digits);
    assert_eq!(read.json["record"]["items"][0]["given_name"], "Ann");
    assert_eq!(read.json["about"]["made_at"], "2026-11-23T09:00:02Z");
    app.at("2026-11-23T09:02:00Z");
    let page = document(&own, &at, "text/html");
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    assert_eq!(page.header("content-disposition"), "attachment; filename=\"life-rooms-export.html\"");
    assert!(page.header("content-security-policy").starts_with("default-src 'none'; style-src 'unsafe-inline';"));
    assert_eq!(own.get(&at).expect(200)["downloads"], 2);
    let subject_access = Some("subject_access");
    assert_eq!(
        events(&app, &ann),
        [
            event("create", None, None),
            event("read", Some("document"), subject_access),
            event("read", Some("document"), subject_access)
        ]
    );

    app.at("2026-11-30T09:00:01Z");
    document(&own, &at, "*/*").expect(200);
    app.at("2026-11-30T09:00:02Z");
    let gone = document(&own, &at, "*/*").problem(410, "export-expired");
    assert!(gone["detail"].as_str().unwrap().contains("seven days"), "{gone}");
    // Before the housekeeping and after it.
    let there = || -> bool {
        let rows = exports::table.filter(exports::document.is_not_null());
        rows.count().get_result::<i64>(&mut app.conn()).unwrap() > 0
    };
    assert_eq!((&own.get(&at).expect(200)["status"], there()), (&json!("expired"), true));
    assert!(keep_house(&app));
    let expired = own.get(&at).expect(200);
    assert_eq!((&expired["status"], &expired["downloads"], there()), (&json!("expired"), &json!(3), false));
    document(&own, &at, "*/*").problem(410, "export-expired");
    assert!(!make_documents(&app), "it isn't made again");
}

#[test]
fn nobody_exports_without_the_password_and_guesses_at_it_are_throttled() {
    let app = App::start();
    let (ann, own) = ann(&app);
    let path = format!("/v1/members/{ann}/export");
    let guess = |password: &str| own.post(&path, &json!({ "current_password": password }));
    for _ in 0..5 {
        let problem = guess("green kettle beside a window").invalid(&["/current_password"]);
        assert_eq!(problem["errors"][0]["code"], "wrong_password");
    }
    let refused = guess(PASSWORD);
    assert!(!refused.header("retry-after").is_empty());
    refused.problem(429, "too-many-requests");
    app.at("2026-11-23T09:01:00Z");
    place(&guess(PASSWORD));
    // What is an advisor's to say, and what is missing.
    own.post(&path, &json!({})).invalid(&["/current_password"]);
    let all = json!({ "current_password": PASSWORD, "received_on": "2026-11-20", "how": "By letter" });
    own.post(&path, &all).invalid(&["/received_on", "/how"]);
    assert_eq!(exports::table.count().get_result::<i64>(&mut app.conn()).unwrap(), 1);
}

#[test]
fn an_own_export_is_the_members_alone() {
    let app = App::start();
    let (ann, own) = ann(&app);
    let at = place(&ask(&own, &ann));
    make_documents(&app);
    let other = own_account(&app, &member_row(&app, "Bob", "Other"));
    ask(&other, &ann).problem(404, "not-found");
    let nobody = app.clock.new_id();
    for path in
        [at.clone(), format!("{at}/document"), format!("/v1/members/{ann}/exports"), format!("/v1/exports/{nobody}")]
    {
        other.get(&path).problem(404, "not-found");
    }
    for advisor in [app.advisor_who_may("subject_access"), app.advisor_who_may("safeguarding")] {
        advisor.get(&at).problem(404, "not-found");
        advisor.get(&format!("{at}/document")).problem(404, "not-found");
        assert_eq!(advisor.get(&format!("/v1/members/{ann}/exports")).expect(200)["items"], json!([]));
        assert_eq!(advisor.get("/v1/exports").expect(200)["items"], json!([]));
    }
    let partner = partner_row(&app, "the-reader");
    for client in [app.admin(), app.advisor(), app.analyst(), app.partner_user(&partner)] {
        for path in [at.clone(), format!("{at}/document"), format!("/v1/members/{ann}/exports")] {
            client.get(&path).problem(403, "forbidden");
        }
        ask(&client, &ann).problem(403, "forbidden");
    }
    other.get("/v1/exports").problem(403, "forbidden");
    // Nobody's looking in vain is in the log, and neither is the member's own.
    assert_eq!(events(&app, &ann), [event("create", None, None)]);
    assert_eq!(own.get(&format!("/v1/members/{ann}/exports")).expect(200)["items"][0]["status"], "ready");
}

#[test]
fn a_repeated_request_asks_once_and_no_digest_of_the_password_is_kept() {
    let app = App::start();
    let (ann, own) = ann(&app);
    let path = format!("/v1/members/{ann}/export");
    let send = |body: &Value| own.post_with(&path, &[("idempotency-key", "once")], body);
    let body = json!({ "current_password": PASSWORD });
    let (first, again) = (send(&body), send(&body));
    assert_eq!((place(&first), first.text.clone()), (place(&again), again.text.clone()));
    assert_eq!(again.header("idempotent-replay"), "true");
    send(&json!({ "current_password": "green kettle beside a window" })).invalid(&["/current_password"]);
    let kept: Vec<String> =
        idempotency_records::table.select(idempotency_records::body_hash).load(&mut app.conn()).unwrap();
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(kept, [empty], "the digest of nothing");
    assert_eq!(exports::table.count().get_result::<i64>(&mut app.conn()).unwrap(), 1);
}

#[test]
fn a_member_has_one_export_under_way_and_three_documents() {
    let app = App::start();
    let (ann, own) = ann(&app);
    let first = place(&ask(&own, &ann));
    let busy = ask(&own, &ann).problem(409, "invalid-state");
    assert!(busy["detail"].as_str().unwrap().contains(first.trim_start_matches("/v1/exports/")), "{busy}");
    make_documents(&app);
    for minute in 1..3 {
        app.at(&format!("2026-11-23T09:0{minute}:00Z"));
        place(&ask(&own, &ann));
        make_documents(&app);
    }
    ask(&own, &ann).problem(409, "invalid-state");
    let page = own.get(&format!("/v1/members/{ann}/exports?limit=2")).expect(200);
    assert_eq!(page["items"].as_array().unwrap().len(), 2);
    assert_eq!(page["items"][0]["created_at"], "2026-11-23T09:02:00Z", "the newest first");
    let rest = own.get(page["next"].as_str().unwrap()).expect(200);
    assert_eq!(format!("/v1/exports/{}", rest["items"][0]["id"].as_str().unwrap()), first);
    // The first has expired.
    app.at("2026-11-30T09:00:00Z");
    place(&ask(&own, &ann));
}

#[test]
fn a_member_is_told_when_it_is_ready_though_they_want_no_mails_about_bookings() {
    let (app, mails) = App::with_mail();
    let (ann, own) = ann(&app);
    ask(&own, &ann).expect(202);
    assert!(mails.take(&app).is_empty());
    app.at("2026-11-23T09:00:02Z");
    make_documents(&app);
    let mail = mails.take_one(&app);
    assert_eq!(mail.to, format!("{}@example.org", own.id.unwrap()));
    assert_eq!(mail.subject, "What you asked for is ready");
    assert!(mail.text.contains("Log in to read it. We keep it for you for 7 days."), "{}", mail.text);
    assert!(!mail.whole.contains("Ann") && !mail.whole.contains("/v1/exports"), "{}", mail.whole);
    let list = own.get(&format!("/v1/members/{ann}/messages")).expect(200);
    assert_eq!((&list["items"][0]["kind"], &list["items"][0]["status"]), (&json!("export_ready"), &json!("sent")));
    assert!(list["items"][0]["text"].as_str().unwrap().starts_with("You asked what we keep about you."));
    // Whose account was disabled meanwhile isn't.
    app.at("2026-11-23T10:00:00Z");
    ask(&own, &ann).expect(202);
    diesel::update(users::table.find(own.id.unwrap())).set(users::disabled.eq(true)).execute(&mut app.conn()).unwrap();
    make_documents(&app);
    assert!(mails.take(&app).is_empty());
}

#[test]
fn a_document_that_can_not_be_made_is_put_off_and_does_not_hold_up_the_others() {
    let app = App::start();
    let (ann, own) = ann(&app);
    let (bob, other) = {
        let bob = member_row(&app, "Bob", "Other");
        let client = own_account(&app, &bob);
        (bob, client)
    };
    let broken = place(&ask(&own, &ann));
    app.at("2026-11-23T09:00:01Z");
    let whole = place(&ask(&other, &bob));
    let roles = |conn: &mut Conn, roles: &str| {
        let row = members::table.find(ann.parse::<Id>().unwrap());
        diesel::update(row).set(members::roles.eq(Json(vec![roles.to_owned()]))).execute(conn).unwrap();
    };
    roles(&mut app.conn(), "no_such_role");
    make_documents(&app);
    assert_eq!(other.get(&whole).expect(200)["status"], "ready");
    assert_eq!(own.get(&broken).expect(200)["status"], "queued");
    app.at("2026-11-23T09:01:00Z");
    assert!(!make_documents(&app), "it waits a minute");
    app.at("2026-11-23T09:01:01Z");
    assert!(make_documents(&app));
    app.at("2026-11-23T09:03:00Z");
    assert!(!make_documents(&app), "then two");
    roles(&mut app.conn(), "carer");
    app.at("2026-11-23T09:03:01Z");
    assert!(make_documents(&app));
    assert_eq!(own.get(&broken).expect(200)["status"], "ready");
}

#[test]
fn a_document_is_stored_once_whoever_else_makes_it() {
    let app = App::start();
    let (ann, own) = ann(&app);
    let at = place(&ask(&own, &ann));
    let id: Id = at.trim_start_matches("/v1/exports/").parse().unwrap();
    let finish = |text: &'static [u8]| {
        use life_rooms::exports::{store, types::ExportStatus};
        store::finish(&mut app.conn(), id, text, ExportStatus::Ready, app.clock.now()).unwrap()
    };
    assert!(finish(b"{\"first\":1}"));
    assert!(!finish(b"{\"second\":2}"));
    let kept: Option<Vec<u8>> = exports::table.find(id).select(exports::document).first(&mut app.conn()).unwrap();
    assert_eq!(kept.as_deref(), Some(&b"{\"first\":1}"[..]));
    make_documents(&app);
    assert_eq!(messages::table.count().get_result::<i64>(&mut app.conn()).unwrap(), 0);
}

#[test]
fn a_page_is_for_those_who_prefer_it_and_nothing_else_is_accepted() {
    let app = App::start();
    let (ann, own) = ann(&app);
    let at = place(&ask(&own, &ann));
    make_documents(&app);
    for (accept, kind) in [
        ("*/*", "application/json"),
        ("", "application/json"),
        ("text/html", "text/html; charset=utf-8"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "text/html; charset=utf-8"),
        ("text/html;q=0.1, application/json", "application/json"),
    ] {
        let answer = document(&own, &at, accept);
        assert_eq!((answer.status, answer.header("content-type")), (200, kind), "{accept}: {}", answer.text);
        assert!(answer.headers.get_all("vary").iter().any(|value| value.to_str().unwrap().contains("Accept")));
    }
    document(&own, &at, "text/csv").problem(406, "not-acceptable");
    own.send("GET", &at, &[("accept", "text/html")], b"").problem(406, "not-acceptable");
    let same = document(&own, &at, "*/*");
    let tag = same.etag().to_owned();
    let unchanged = own.send("GET", &format!("{at}/document"), &[("if-none-match", &tag)], b"");
    assert_eq!((unchanged.status, unchanged.text.as_str()), (304, ""));
}
