//! Exports that advisors ask for: until when they are due, who reviews them, and what a member sees of that.

use diesel::prelude::*;
use life_rooms::db::schema::exports;
use serde_json::{Value, json};

use crate::exports::{ask, document, events, make_documents, own_account, place};
use crate::support::{Answer, App, Client, member_row};

fn ask_for(client: &Client, member: &str, received_on: &str) -> Answer {
    let body = json!({ "received_on": received_on, "how": "By letter; she showed her library card" });
    client.post(&format!("/v1/members/{member}/export"), &body)
}

/// A member, an advisor who answers requests and one who reviews them.
struct Desk {
    app: App,
    ann: String,
    advisor: Client,
    lead: Client,
}

impl Desk {
    fn new() -> Self {
        let app = App::start();
        let ann = member_row(&app, "Ann", "Own");
        let (advisor, lead) = (app.advisor_who_may("subject_access"), app.advisor_who_may("safeguarding"));
        Self { app, ann, advisor, lead }
    }

    /// An export with a safeguarding flag, in review.
    fn in_review(&self) -> String {
        let flag = json!({ "category": "neglect", "summary": "Alone at night.", "review_on": "2026-12-07" });
        self.lead.post(&format!("/v1/members/{}/safeguarding", self.ann), &flag).expect(201);
        let at = place(&ask_for(&self.advisor, &self.ann, "2026-11-20"));
        make_documents(&self.app);
        assert_eq!(self.advisor.get(&at).expect(200)["status"], "in_review");
        at
    }
}

#[test]
fn an_advisor_with_the_permission_says_when_and_how_the_request_came() {
    let desk = Desk::new();
    let Desk { app, ann, advisor, lead } = &desk;
    let path = format!("/v1/members/{ann}/export");
    for client in [&app.advisor(), lead, &app.admin()] {
        ask_for(client, ann, "2026-11-20").problem(403, "forbidden");
    }
    advisor.post(&path, &json!({})).invalid(&["/received_on", "/how"]);
    let password = json!({ "current_password": "x", "received_on": "2026-11-20", "how": "By letter" });
    advisor.post(&path, &password).invalid(&["/current_password"]);
    advisor.post(&path, &json!({ "received_on": "2026-11-24", "how": "By letter" })).invalid(&["/received_on"]);
    advisor.post(&path, &json!({ "received_on": "2026-11-20", "how": " " })).invalid(&["/how"]);
    ask_for(advisor, &app.clock.new_id().to_string(), "2026-11-20").problem(404, "not-found");
    let asked = ask_for(advisor, ann, "2026-11-20");
    let at = place(&asked);
    // Twenty December is a Sunday.
    assert_eq!(
        (&asked.json["kind"], &asked.json["due_on"], &asked.json["how"]),
        (&json!("full"), &json!("2026-12-21"), &json!("By letter; she showed her library card"))
    );
    ask_for(advisor, ann, "2026-11-20").problem(409, "invalid-state");
    make_documents(app);
    assert_eq!(advisor.get(&at).expect(200)["status"], "in_review", "also where there is nothing to review");
    lead.post(&format!("{at}/release"), &json!({})).expect(200);
    assert_eq!(advisor.get(&at).expect(200)["status"], "released");
    let read = document(advisor, &at, "*/*").expect(200);
    assert_eq!((&read["about"]["kind"], &read["safeguarding"]), (&json!("full"), &Value::Null));
    // The member reads it too, if they have an account.
    let own = own_account(app, ann);
    assert_eq!(document(&own, &at, "*/*").expect(200), read);
    let mut told: Vec<(String, Option<String>)> =
        events(app, ann).into_iter().map(|(action, _, purpose)| (action, purpose)).collect();
    told.sort();
    let for_access = |action: &str| (action.to_owned(), Some("subject_access".to_owned()));
    let for_review = |action: &str| (action.to_owned(), Some("safeguarding".to_owned()));
    let read = [for_review("read"), for_access("read"), for_access("read"), for_access("read")];
    assert_eq!(told, [[for_access("create")].to_vec(), read.to_vec(), [for_review("release")].to_vec()].concat());
}

#[test]
fn the_time_to_answer_is_extended_with_a_reason_until_the_document_can_be_read() {
    let desk = Desk::new();
    let Desk { app, ann, advisor, lead } = &desk;
    let at = place(&ask_for(advisor, ann, "2026-11-20"));
    let why = json!({ "extended": true, "reason": "Three services hold notes on paper." });
    lead.patch(&at, "\"1\"", &why).problem(403, "forbidden");
    own_account(app, ann).patch(&at, "\"1\"", &why).problem(403, "forbidden");
    advisor.patch(&at, "", &why).problem(428, "precondition-required");
    advisor.patch(&at, "\"7\"", &why).problem(412, "precondition-failed");
    advisor.patch(&at, "\"1\"", &json!({ "extended": true })).invalid(&["/reason"]);
    advisor.patch(&at, "\"1\"", &json!({ "reason": "Because." })).invalid(&["/reason"]);
    let tag = advisor.get(&at).etag().to_owned();
    let extended = advisor.patch(&at, &tag, &why);
    assert_eq!(extended.etag(), advisor.get(&at).etag());
    let extended = extended.expect(200);
    // The twentieth of February 2027 is a Saturday.
    assert_eq!((&extended["due_on"], &extended["version"]), (&json!("2027-02-22"), &json!(2)));
    let back = advisor.patch(&at, "\"2\"", &json!({ "extended": false, "reason": null })).expect(200);
    assert_eq!((&back["due_on"], &back["reason"]), (&json!("2026-12-21"), &Value::Null));
    make_documents(app);
    lead.post(&format!("{at}/release"), &json!({})).expect(200);
    let ready = advisor.get(&at).etag().to_owned();
    advisor.patch(&at, &ready, &why).problem(409, "invalid-state");
    let (action, fields, purpose) = events(app, ann).into_iter().find(|event| event.0 == "change").unwrap();
    assert_eq!((action.as_str(), purpose.as_deref()), ("change", Some("subject_access")));
    assert_eq!(fields, ["extended", "reason"]);
}

#[test]
fn what_holds_safeguarding_waits_until_somebody_with_the_permission_releases_it() {
    let desk = Desk::new();
    let at = desk.in_review();
    let Desk { app, ann, advisor, lead } = &desk;
    let own = own_account(app, ann);
    document(advisor, &at, "*/*").problem(409, "invalid-state");
    let reviewed = document(lead, &at, "*/*").expect(200);
    assert_eq!(reviewed["safeguarding"]["items"][0]["summary"], "Alone at night.");
    assert_eq!(reviewed["safeguarding_log"]["items"][0]["what"], "safeguarding_flag");
    // To the member there is no such export yet, and nothing that shows why.
    for path in [at.clone(), format!("{at}/document")] {
        own.get(&path).problem(404, "not-found");
    }
    assert_eq!(own.get(&format!("/v1/members/{ann}/exports")).expect(200)["items"], json!([]));

    let release = format!("{at}/release");
    advisor.post(&release, &json!({})).problem(403, "forbidden");
    own.post(&release, &json!({})).problem(403, "forbidden");
    lead.post(&release, &json!({ "withheld": ["safeguarding"] })).invalid(&["/reason"]);
    lead.post(&release, &json!({ "reason": "Because." })).invalid(&["/reason"]);
    lead.post(&release, &json!({ "withheld": ["about"], "reason": "x" })).invalid(&["/withheld/0"]);
    lead.post(&release, &json!({ "withheld": ["bookings", "bookings"], "reason": "x" })).invalid(&["/withheld/1"]);
    lead.post_with(&release, &[("if-match", "\"1\"")], &json!({})).problem(412, "precondition-failed");
    app.at("2026-11-24T10:00:00Z");
    let released = lead.send("POST", &release, &[], b"");
    assert_eq!(released.etag(), lead.get(&at).etag());
    let released = released.expect(200);
    assert_eq!((&released["status"], &released["withheld"]), (&json!("released"), &json!([])));
    assert_eq!(released["expires_at"], "2026-12-01T10:00:00Z", "seven days from now on");
    lead.post(&release, &json!({})).problem(409, "invalid-state");
    assert_eq!(document(advisor, &at, "*/*").expect(200), reviewed);
    let read = document(&own, &at, "*/*").expect(200);
    assert_eq!(read, reviewed);
    let page = document(&own, &at, "text/html").text;
    assert!(page.contains("Notes that keep somebody safe") && page.contains("Alone at night."), "{page}");
    // The member learns no more than that it is ready.
    let seen = own.get(&at).expect(200);
    assert_eq!((&seen["status"], &seen["withheld"]), (&json!("ready"), &json!([])));
    let list = own.get(&format!("/v1/members/{ann}/messages")).expect(200);
    assert_eq!(list["items"][0]["kind"], "export_ready");
}

/// What a document doesn't hold, and why.
fn held(document: &Value) -> Vec<(&str, &str)> {
    let items = document["held_back"]["items"].as_array().unwrap().iter();
    items.map(|item| (item["what"].as_str().unwrap(), item["why"].as_str().unwrap())).collect()
}

#[test]
fn a_document_from_which_safeguarding_is_withheld_reads_as_one_of_somebody_without_any() {
    for withheld in ["safeguarding", "safeguarding_log"] {
        let desk = Desk::new();
        let at = desk.in_review();
        let Desk { app, ann, advisor, lead } = &desk;
        let body = json!({ "withheld": [withheld], "reason": "It would put somebody at risk." });
        lead.post(&format!("{at}/release"), &body).expect(200);
        let bob = member_row(app, "Bob", "Own");
        let plain = place(&ask_for(advisor, &bob, "2026-11-21"));
        make_documents(app);
        lead.post(&format!("{plain}/release"), &json!({})).expect(200);
        let flagged = document(&own_account(app, ann), &at, "*/*").expect(200);
        let plain = document(&own_account(app, &bob), &plain, "*/*").expect(200);
        for section in ["held_back", "safeguarding", "safeguarding_log"] {
            assert_eq!(flagged[section], plain[section], "{withheld}: {section}");
        }
        assert_eq!(held(&flagged)[0].0, "Notes that keep somebody safe, if there are any");
        assert_eq!(flagged["safeguarding"], Value::Null);
    }
}

#[test]
fn what_is_withheld_is_in_no_form_of_the_document_which_says_so_and_why() {
    let desk = Desk::new();
    let at = desk.in_review();
    let Desk { app, ann, advisor, lead } = &desk;
    let before: (Option<i32>, Option<String>) =
        exports::table.select((exports::bytes, exports::sha256)).first(&mut app.conn()).unwrap();
    let body = json!({ "withheld": ["safeguarding", "messages"], "reason": "It would put <b>somebody</b> at risk." });
    let released = lead.post(&format!("{at}/release"), &body).expect(200);
    assert_eq!((&released["withheld"], &released["withheld_reason"]), (&body["withheld"], &body["reason"]));
    assert!(released["bytes"].as_i64().unwrap() < i64::from(before.0.unwrap()));
    assert_ne!(released["sha256"], json!(before.1));
    let own = own_account(app, ann);
    for client in [advisor, &own, lead] {
        let json = document(client, &at, "*/*");
        let page = document(client, &at, "text/html");
        for secret in ["Alone at night", "safeguarding_flag", "safeguarding flag"] {
            assert!(!json.text.contains(secret) && !page.text.contains(secret), "{secret}: {}", json.text);
        }
        assert_eq!(held(&json.json)[0], ("Messages to you", "It would put <b>somebody</b> at risk."));
        assert!(page.text.contains("It would put &#60;b&#62;somebody"), "{}", page.text);
    }
    let seen = own.get(&at).expect(200);
    assert_eq!((&seen["withheld"], &seen["withheld_reason"]), (&json!([]), &Value::Null));
}

#[test]
fn the_access_log_shows_nothing_of_a_review() {
    let desk = Desk::new();
    let Desk { app, ann, advisor, lead } = &desk;
    let own = own_account(app, ann);
    let at = desk.in_review();
    document(lead, &at, "*/*").expect(200);
    lead.get(&at).expect(200);
    assert_eq!(lead.get("/v1/exports?status=in_review").expect(200)["items"].as_array().unwrap().len(), 1);
    lead.post(&format!("{at}/release"), &json!({})).expect(200);
    document(advisor, &at, "*/*").expect(200);
    let log = own.get(&format!("/v1/members/{ann}/access-log?own=false")).expect(200);
    let seen: Vec<(&str, &str)> = log["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (entry["action"].as_str().unwrap(), entry["what"].as_str().unwrap()))
        .collect();
    assert!(seen.iter().all(|(action, what)| *what == "export" && ["create", "read"].contains(action)), "{seen:?}");
    // The advisor asked, and read it.
    assert_eq!(seen.len(), 2, "{seen:?}");
    let mut hidden: Vec<_> =
        events(app, ann).into_iter().filter(|event| event.2.as_deref() == Some("safeguarding")).collect();
    hidden.sort();
    let of_review = |action: &str| (action.to_owned(), vec!["document".to_owned()], Some("safeguarding".to_owned()));
    let looked = |action: &str| (action.to_owned(), Vec::new(), Some("safeguarding".to_owned()));
    let whole = [looked("list"), looked("read"), looked("read"), of_review("read"), of_review("release")];
    assert_eq!(hidden, whole);
}

#[test]
fn an_own_export_says_the_same_whether_or_not_there_is_safeguarding() {
    let desk = Desk::new();
    let Desk { app, ann, .. } = &desk;
    let own = own_account(app, ann);
    let bob = member_row(app, "Bob", "Own");
    let other = own_account(app, &bob);
    desk.in_review();
    let (flagged, plain) = (place(&ask(&own, ann)), place(&ask(&other, &bob)));
    make_documents(app);
    let read = |client: &Client, at: &str| document(client, at, "*/*").expect(200);
    let (flagged, plain) = (read(&own, &flagged), read(&other, &plain));
    assert_eq!((&flagged["safeguarding"], &flagged["safeguarding_log"]), (&Value::Null, &Value::Null));
    for section in ["held_back", "safeguarding", "safeguarding_log"] {
        assert_eq!(flagged[section], plain[section], "{section}");
    }
    assert!(!flagged.to_string().contains("afeguarding_flag") && !flagged.to_string().contains("Alone"), "{flagged}");
}

#[test]
fn advisors_find_what_is_to_be_answered_and_what_is_to_be_reviewed() {
    let desk = Desk::new();
    let Desk { app, ann, advisor, lead } = &desk;
    let first = desk.in_review();
    app.at("2026-11-23T09:01:00Z");
    let bob = member_row(app, "Bob", "Own");
    let second = place(&ask_for(advisor, &bob, "2026-11-21"));
    let ids = |client: &Client, query: &str| -> Vec<String> {
        let page = client.get(&format!("/v1/exports{query}")).expect(200);
        let items = page["items"].as_array().unwrap().iter();
        items.map(|item| format!("/v1/exports/{}", item["id"].as_str().unwrap())).collect()
    };
    for client in [advisor, lead] {
        assert_eq!(ids(client, ""), [first.clone(), second.clone()]);
        assert_eq!(ids(client, "?status=in_review"), std::slice::from_ref(&first));
        assert_eq!(ids(client, "?status=queued"), std::slice::from_ref(&second));
        assert_eq!(ids(client, "?status=expired"), [""; 0]);
    }
    let page = advisor.get("/v1/exports?limit=1").expect(200);
    assert_eq!(page["items"].as_array().unwrap().len(), 1);
    let rest = advisor.get(page["next"].as_str().unwrap()).expect(200);
    assert_eq!(rest["items"][0]["member_id"], json!(bob));
    advisor.get("/v1/exports?status=lost").wrong_parameter("status");
    make_documents(app);
    assert_eq!(ids(advisor, "?status=ready"), [""; 0], "somebody looks at each");
    lead.post(&format!("{second}/release"), &json!({})).expect(200);
    assert_eq!(ids(advisor, "?status=released"), std::slice::from_ref(&second));
    app.at("2026-11-30T09:01:00Z");
    assert_eq!(ids(advisor, "?status=released"), [""; 0], "it is to be removed");
    assert_eq!(ids(advisor, "?status=expired"), [second]);
    assert_eq!(ids(lead, "?status=in_review"), [first], "what is in review stays");
    let listed = events(app, ann).into_iter().filter(|event| event.0 == "list").count();
    assert!(listed >= 4, "whoever was shown is recorded");
}

#[test]
fn a_request_to_be_forgotten_is_shown_as_the_member_reads_it_whatever_a_note_holds() {
    let Desk { app, ann, advisor, lead } = Desk::new();
    let twin = member_row(&app, "Twin", "Own");
    let forget = |member: &str| {
        let asked = json!({ "received_on": "2026-11-20" });
        advisor.post(&format!("/v1/members/{member}/erasure"), &asked).expect(202);
    };
    // One that was taken back under an id that leads to this record now, and one that an open note holds.
    forget(&twin);
    assert_eq!(advisor.delete(&format!("/v1/members/{twin}/erasure")).status, 204);
    let merge = json!({ "from": twin, "into_version": 1, "from_version": 1, "account_checked": true });
    advisor.post(&format!("/v1/members/{ann}/merge"), &merge).expect(200);
    app.at("2026-11-23T09:00:01Z");
    forget(&ann);
    let flag = json!({ "category": "abuse", "summary": "Seen at the desk", "review_on": "2026-12-07" });
    lead.post(&format!("/v1/members/{ann}/safeguarding"), &flag).expect(201);
    let full = place(&ask_for(&advisor, &ann, "2026-11-20"));
    make_documents(&app);
    lead.post(&format!("{full}/release"), &json!({})).expect(200);
    let read = document(&advisor, &full, "application/json").json;
    let states: Vec<&Value> =
        read["erasures"]["items"].as_array().unwrap().iter().map(|asked| &asked["status"]).collect();
    assert_eq!(states, [&json!("withdrawn"), &json!("requested")], "{}", read["erasures"]);
    assert_eq!(read["erasures"]["items"][1]["reason"], Value::Null);
    assert_eq!(read["retention"]["items"], json!([]));
}
