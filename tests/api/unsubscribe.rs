//! Ending reminders, or all e-mails, with the link of a mail.

use diesel::prelude::*;
use life_rooms::db::schema::{audit_events, consents, members};
use life_rooms::db::{Id, Json};
use serde_json::json;

use crate::mails::reachable;
use crate::support::mailbox::Received;
use crate::support::{Answer, App, Client, SessionSeed, session_row};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const NO_EMAIL: &str = "You get no more e-mails about sessions from us. We still write about your account, such as a new password. You can \
     close this page. Do you want them back? Ask us.\n";
pub const ONE_CLICK: &[u8] = b"List-Unsubscribe=One-Click";

/// A reminder to Peg, and the path of its link.
pub fn reminder(app: &App, mail_of: impl Fn() -> Received, advisor: &Client, peg: &str) -> (Received, String) {
    let session = session_row(app, SessionSeed { starts_at: "2026-11-24T10:00:00Z", ..SessionSeed::default() });
    advisor.post(&format!("/v1/sessions/{session}/bookings"), &json!({ "member_id": peg })).expect(201);
    app.at("2026-11-23T10:00:00Z");
    assert!(!mail_of().whole.contains("List-Unsubscribe"), "what was booked is no reminder");
    app.at("2026-11-23T16:00:00Z");
    let task = life_rooms::tasks::all().into_iter().find(|task| task.name == "reminders").unwrap();
    let run = life_rooms::background::run_if_due(&app.state, task, app.clock.new_id());
    actix_web::rt::System::new().block_on(run).unwrap();
    app.at("2026-11-23T16:02:00Z");
    let mail = mail_of();
    let head = mail.whole.split("\r\n\r\n").next().unwrap().replace("\r\n ", " ");
    let field = |name: &str| {
        let line = head.lines().find_map(|line| line.strip_prefix(&format!("{name}: "))).unwrap_or_default();
        line.trim().to_owned()
    };
    assert_eq!(field("List-Unsubscribe-Post"), "List-Unsubscribe=One-Click");
    let link = field("List-Unsubscribe");
    let path = link.strip_prefix("<https://life-rooms.invalid").and_then(|link| link.strip_suffix('>'));
    (mail.clone(), path.unwrap_or_else(|| panic!("{link} in {head}")).to_owned())
}

pub fn wants_reminders(app: &App, member: &str) -> (bool, i32) {
    let row = members::table.find(member.parse::<Id>().unwrap());
    row.select((members::reminders, members::version)).first(&mut app.conn()).unwrap()
}

pub fn click(app: &App, path: &str, body: &[u8]) -> Answer {
    app.anonymous().send("POST", path, &[FORM], body)
}

#[test]
fn one_click_ends_reminders_and_nothing_else() {
    let (app, mails) = App::with_mail();
    let (advisor, peg) = (app.advisor(), reachable(&app, "Peg"));
    let (mail, path) = reminder(&app, || mails.take_one(&app), &advisor, &peg);
    let text = mail.text.replace("\r\n", "\n");
    let page = "Don't remind me any more:\nhttps://life-rooms.invalid/account/unsubscribe#token=lru_";
    assert!(text.contains(page), "{text}");
    assert!(text.trim_end().ends_with(path.rsplit('/').next().unwrap()), "one secret for both\n{text}\n{path}");
    let before = wants_reminders(&app, &peg);
    assert_eq!(before, (true, 1));
    // Opening it changes nothing, however it is opened.
    for method in ["GET", "HEAD", "OPTIONS"] {
        let opened = app.anonymous().send(method, &path, &[], b"");
        assert!(matches!(opened.status, 200 | 204), "{method} {}", opened.status);
    }
    assert_eq!(wants_reminders(&app, &peg), before);
    for _ in 0..2 {
        let answer = click(&app, &path, ONE_CLICK);
        assert_eq!((answer.status, answer.header("content-type")), (200, "text/plain; charset=utf-8"));
        assert_eq!(answer.header("cache-control"), "no-store");
        assert!(answer.text.starts_with("You get no more reminders"), "{}", answer.text);
        assert_eq!(wants_reminders(&app, &peg), (false, 2));
    }
    let changes: Vec<Json<Vec<String>>> = audit_events::table
        .filter(audit_events::member_id.eq(peg.parse::<Id>().unwrap()).and(audit_events::action.eq("change")))
        .select(audit_events::fields)
        .load(&mut app.conn())
        .unwrap();
    assert_eq!(changes, [Json(vec!["reminders".to_owned()])], "once");
    assert_eq!(consents::table.count().get_result::<i64>(&mut app.conn()).unwrap(), 0);
    // What becomes of a booking is still told.
    let other = session_row(&app, SessionSeed::default());
    advisor.post(&format!("/v1/sessions/{other}/bookings"), &json!({ "member_id": peg })).expect(201);
    app.at("2026-11-23T16:10:00Z");
    assert!(mails.take_one(&app).text.contains("You have a place"));
    // They can have them again.
    let record = format!("/v1/members/{peg}");
    let tag = advisor.get(&record).etag().to_owned();
    let again = advisor.patch(&record, &tag, &json!({ "reminders": null })).expect(200);
    assert_eq!(again["reminders"], true);
}

#[test]
fn the_page_offers_both_and_the_second_button_ends_all_e_mails() {
    let (app, mails) = App::with_mail();
    let (advisor, peg) = (app.advisor(), reachable(&app, "Peg"));
    let (_, path) = reminder(&app, || mails.take_one(&app), &advisor, &peg);
    let page = app.anonymous().send("GET", &path, &[("accept", "text/html")], b"");
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    assert_eq!(page.header("cache-control"), "no-store");
    let policy = page.header("content-security-policy");
    assert!(policy.contains("form-action 'self'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(page.text.contains("No more reminders") && page.text.contains("No e-mail about sessions"), "{}", page.text);
    assert!(page.text.contains("name=\"List-Unsubscribe\" value=\"One-Click\"") && !page.text.contains("<script"));
    assert!(page.text.contains("name=\"emails\" value=\"none\"") && page.text.matches("method=\"post\"").count() == 2);

    for _ in 0..2 {
        let answer = click(&app, &path, b"emails=none");
        assert_eq!((answer.status, answer.text.as_str()), (200, NO_EMAIL));
    }
    let list = advisor.get(&format!("/v1/members/{peg}/consents")).expect(200);
    assert_eq!(list["items"].as_array().unwrap().len(), 1, "{list}");
    let said = &list["items"][0];
    assert_eq!((&said["purpose"], &said["decision"]), (&json!("contact_email"), &json!("withdrawn")));
    assert_eq!((&said["evidence"], &said["recorded_by"]), (&json!("by the member"), &json!(peg)));
    assert!(wants_reminders(&app, &peg).0, "that is another question");
    let other = session_row(&app, SessionSeed::default());
    advisor.post(&format!("/v1/sessions/{other}/bookings"), &json!({ "member_id": peg })).expect(201);
    app.at("2026-11-23T16:10:00Z");
    assert!(mails.take(&app).is_empty());
    // The account, where there is one.
    let sam = reachable(&app, "Sam");
    let account = app.member(&sam).id.unwrap();
    let (_, path) = {
        let link = || {
            let mut mails = mails.take(&app);
            mails.retain(|mail| mail.to == "sam@example.org");
            mails.remove(0)
        };
        app.at("2026-11-23T09:30:00Z");
        reminder(&app, link, &advisor, &sam)
    };
    click(&app, &path, b"List-Unsubscribe=One-Click&emails=none");
    let list = advisor.get(&format!("/v1/members/{sam}/consents")).expect(200);
    assert_eq!(list["items"][0]["recorded_by"], json!(account.to_string()));
}

#[test]
fn the_page_of_the_front_end_is_there_and_asks_for_nothing() {
    let app = App::start();
    let page = app.anonymous().get("/account/unsubscribe");
    assert_eq!((page.status, page.header("cache-control")), (200, "no-store"));
    assert!(!page.text.contains("type=\"password\"") && page.text.contains("No more reminders"), "{}", page.text);
    assert!(page.text.contains("src=\"/account/unsubscribe.js\""), "{}", page.text);
    assert!(page.header("content-security-policy").contains("form-action 'self'"));
    let script = app.anonymous().get("/account/unsubscribe.js");
    assert!(script.text.contains("/v1/unsubscribe/") && script.header("content-type").starts_with("text/javascript"));
    // The other pages' forms send nothing by themselves.
    let reset = app.anonymous().get("/account/reset");
    assert!(reset.header("content-security-policy").contains("form-action 'none'"));
}

#[test]
fn a_link_that_the_service_has_not_made_leads_nowhere_and_mail_services_may_send_either_form() {
    let (app, mails) = App::with_mail();
    let (advisor, peg) = (app.advisor(), reachable(&app, "Peg"));
    let (_, path) = reminder(&app, || mails.take_one(&app), &advisor, &peg);
    let (start, secret) = path.rsplit_once('/').unwrap();
    let changed: String = {
        let last = if secret.ends_with('A') { 'B' } else { 'A' };
        let mut letters: Vec<char> = secret.chars().collect();
        letters[10] = if letters[10] == 'A' { 'B' } else { 'A' };
        letters.push(last);
        letters.into_iter().collect()
    };
    for wrong in [&secret[..secret.len() - 4], &secret.replace("lru_", "lrl_"), changed.as_str(), "lru_", "x", &peg] {
        let path = format!("{start}/{wrong}");
        click(&app, &path, ONE_CLICK).problem(404, "not-found");
        app.anonymous().get(&path).problem(404, "not-found");
    }
    assert_eq!(click(&app, &path, b"").status, 200);
    let parts = "--x\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--x--\r\n";
    let multipart = [("content-type", "multipart/form-data; boundary=x")];
    assert_eq!(app.anonymous().send("POST", &path, &multipart, parts.as_bytes()).status, 200);
    assert_eq!(wants_reminders(&app, &peg), (false, 2));
    let json = [("content-type", "application/json")];
    app.anonymous().send("POST", &path, &json, b"{}").problem(415, "unsupported-media-type");
}
