//! Requests to erase a member: who asks, what stands in the way, who lets it go on.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use life_rooms::background;
use life_rooms::db::schema::{audit_events, bookings, erasures, members, messages, prescriptions, users};
use life_rooms::db::{Conn, Id, Location};
use life_rooms::erasures::{disk, journal, restored};
use life_rooms::http::state::State;
use serde_json::{Value, json};

use crate::support::{Answer, App, Client, SessionSeed, id, member, member_row, prescription, session_row};
use crate::upgrades::run;

pub const PASSWORD: &str = "paper boat under the lamp";

/// A member's own account with this password.
pub fn account(app: &App, member: &str, email: &str) -> Client {
    let client = app.member(member);
    let hash = life_rooms::auth::password::hash(PASSWORD).unwrap();
    let row = users::table.find(client.id.unwrap());
    diesel::update(row).set((users::email.eq(email), users::password_hash.eq(hash))).execute(&mut app.conn()).unwrap();
    client
}

fn path(member: &str) -> String {
    format!("/v1/members/{member}/erasure")
}

/// An advisor passes on that a member has asked; the path of the request for admins.
pub fn asked(advisor: &Client, member: &str) -> String {
    let request = advisor.post(&path(member), &json!({ "received_on": "2026-11-23" })).expect(202);
    format!("/v1/erasures/{}", id(&request))
}

pub fn execute(admin: &Client, at: &str, force: bool) -> Answer {
    admin.post(&format!("{at}/execute"), &json!({ "force": force }))
}

/// Runs the task that finishes erasures. Whether anything was due.
pub fn finish(app: &App) -> bool {
    let run = background::run_if_due(&app.state, disk::TASK, app.clock.new_id());
    actix_web::rt::System::new().block_on(run).expect("it runs")
}

fn codes(answer: Answer) -> Vec<String> {
    let problem = answer.problem(409, "invalid-state");
    let errors = problem["errors"].as_array().unwrap().iter();
    errors.map(|fault| fault["code"].as_str().unwrap().to_owned()).collect()
}

/// What happened to a member's erasure, in the audit: who did what, and what for.
fn events(app: &App, member: &str) -> Vec<(String, Option<String>, Option<String>)> {
    audit_events::table
        .filter(audit_events::member_id.eq(member.parse::<Id>().unwrap()))
        .filter(audit_events::resource_kind.eq("erasure"))
        .order(audit_events::id)
        .select((audit_events::action, audit_events::actor_role, audit_events::purpose))
        .load(&mut app.conn())
        .unwrap()
}

#[test]
fn a_member_asks_with_their_password_and_takes_it_back() {
    let app = App::start();
    let peg = member_row(&app, "Peg", "Reid");
    let (own, at) = (account(&app, &peg, "peg@example.org"), path(&peg));
    own.get(&at).problem(404, "not-found");
    let wrong = own.post(&at, &json!({ "current_password": "another boat under the lamp" }));
    assert_eq!(wrong.invalid(&["/current_password"])["errors"][0]["code"], "wrong_password");
    own.post(&at, &json!({})).invalid(&["/current_password"]);
    let both = json!({ "current_password": PASSWORD, "received_on": "2026-11-23" });
    own.post(&at, &both).invalid(&["/received_on"]);
    let taken = own.post(&at, &json!({ "current_password": PASSWORD }));
    assert_eq!(taken.header("location"), at);
    let (tag, request) = (taken.etag().to_owned(), taken.expect(202));
    assert_eq!(
        (&request["status"], &request["asked_on"], &request["due_on"]),
        (&json!("requested"), &json!("2026-11-23"), &json!("2026-12-23"))
    );
    let read = own.get(&at);
    assert_eq!((read.etag(), &read.json), (tag.as_str(), &request));
    own.post(&at, &json!({ "current_password": PASSWORD })).problem(409, "already-exists");
    own.send("DELETE", &at, &[("if-match", "\"7\"")], b"").problem(412, "precondition-failed");
    app.at("2026-11-23T09:00:01Z");
    assert_eq!(own.send("DELETE", &at, &[("if-match", &tag)], b"").status, 204);
    own.delete(&at).problem(404, "not-found");
    assert_eq!(own.get(&at).expect(200)["status"], "withdrawn");
    let erasure = format!("/v1/erasures/{}", id(&request));
    assert!(
        execute(&app.admin(), &erasure, true).problem(409, "invalid-state")["detail"]
            .as_str()
            .unwrap()
            .starts_with("The request is withdrawn")
    );
    // Whoever has taken it back can ask again.
    app.at("2026-11-23T09:00:02Z");
    own.post(&at, &json!({ "current_password": PASSWORD })).expect(202);
    let told: Vec<String> = events(&app, &peg).into_iter().map(|event| event.0).collect();
    assert_eq!(told, ["create", "withdraw", "create"]);
}

#[test]
fn wrong_passwords_are_limited_and_no_digest_of_the_password_is_kept() {
    let app = App::start();
    let peg = member_row(&app, "Peg", "Reid");
    let own = account(&app, &peg, "peg@example.org");
    let ask = |password: &str, key: &str| {
        own.post_with(&path(&peg), &[("idempotency-key", key)], &json!({ "current_password": password }))
    };
    for number in 0..5 {
        ask("another boat under the lamp", &format!("wrong-{number}")).invalid(&["/current_password"]);
    }
    let refused = ask(PASSWORD, "right");
    assert_ne!(refused.header("retry-after"), "");
    refused.problem(429, "too-many-requests");
    app.at("2026-11-23T10:00:00Z");
    let first = ask(PASSWORD, "right").expect(202);
    let again = ask(PASSWORD, "right");
    assert_eq!((again.header("idempotent-replay"), &again.json), ("true", &first));
    let hash = life_rooms::db::schema::idempotency_records::body_hash;
    let hashes: Vec<String> =
        life_rooms::db::schema::idempotency_records::table.select(hash).load(&mut app.conn()).unwrap();
    // The digest of nothing.
    assert_eq!(hashes, ["e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"]);
}

#[test]
fn an_advisor_says_when_the_member_asked_and_nobody_asks_for_another() {
    let app = App::start();
    let (peg, sam) = (member_row(&app, "Peg", "Reid"), member_row(&app, "Sam", "Riley"));
    let (advisor, other) = (app.advisor(), account(&app, &sam, "sam@example.org"));
    advisor.post(&path(&peg), &json!({})).invalid(&["/received_on"]);
    advisor.post(&path(&peg), &json!({ "received_on": "2026-11-24" })).invalid(&["/received_on"]);
    let both = json!({ "received_on": "2026-11-20", "current_password": PASSWORD });
    advisor.post(&path(&peg), &both).invalid(&["/current_password"]);
    for request in [json!({ "current_password": PASSWORD }), json!({})] {
        other.post(&path(&peg), &request).problem(404, "not-found");
    }
    other.get(&path(&peg)).problem(404, "not-found");
    other.delete(&path(&peg)).problem(404, "not-found");
    let request = advisor.post(&path(&peg), &json!({ "received_on": "2026-10-31" })).expect(202);
    assert_eq!(request["due_on"], "2026-11-30");
    app.at("2026-11-23T09:00:01Z");
    let listed = app.admin().get("/v1/erasures").expect(200);
    assert_eq!((&listed["items"][0]["member_id"], &listed["items"][0]["origin"]), (&json!(peg), &json!("advisor")));
    assert!(!listed.to_string().contains("Reid"), "{listed}");
    assert_eq!(events(&app, &peg)[1], ("list".into(), Some("admin".into()), Some("subject_access".into())));
}

#[test]
fn bookings_and_prescriptions_stand_in_the_way_unless_they_are_to_end() {
    let app = App::start();
    let (advisor, admin) = (app.advisor(), app.admin());
    let (peg, sam) = (member(&advisor, "Peg", "Reid"), member(&advisor, "Sam", "Riley"));
    let session = session_row(&app, SessionSeed { capacity: Some(1), ..SessionSeed::default() });
    let book = |who: &Value| {
        let body = json!({ "member_id": who["id"], "if_full": "wait" });
        advisor.post(&format!("/v1/sessions/{session}/bookings"), &body).expect(201)
    };
    let (booked, waiting) = (book(&peg), book(&sam));
    let active = prescription(&advisor, id(&peg));
    advisor.send("POST", &format!("/v1/prescriptions/{}/activate", id(&active)), &[], b"").expect(200);
    app.at("2026-11-23T09:00:01Z");
    let draft = prescription(&advisor, id(&peg));
    let at = asked(&advisor, id(&peg));
    let read = admin.get(&at).expect(200);
    assert_eq!(read["blockers"], json!(["future_booking", "active_prescription"]));
    assert_eq!(codes(execute(&admin, &at, false)), ["future_booking", "active_prescription"]);
    let empty = admin.send("POST", &format!("{at}/execute"), &[], b"");
    assert_eq!(codes(empty), ["future_booking", "active_prescription"]);
    assert_eq!(advisor.get(&format!("/v1/members/{}", id(&peg))).status, 200);
    let done = execute(&admin, &at, true).expect(200);
    assert_eq!(
        (&done["status"], &done["blockers"], &done["result"]["disk"]),
        (&json!("executed"), &json!([]), &json!("pending"))
    );
    let status = |of: &Value| -> String {
        let row = bookings::table.find(id(of).parse::<Id>().unwrap());
        row.select(bookings::status).first(&mut app.conn()).unwrap()
    };
    assert_eq!((status(&booked), status(&waiting)), ("cancelled_by_member".into(), "offered".into()));
    let state = |of: &Value| -> String {
        let row = prescriptions::table.find(id(of).parse::<Id>().unwrap());
        row.select(prescriptions::status).first(&mut app.conn()).unwrap()
    };
    assert_eq!((state(&active), state(&draft)), ("closed_early".into(), "declined".into()));
    let done: Vec<(String, String)> = audit_events::table
        .filter(audit_events::member_id.eq(id(&peg).parse::<Id>().unwrap()))
        .filter(audit_events::actor_role.eq("admin"))
        .filter(audit_events::action.ne("read"))
        .order((audit_events::action, audit_events::resource_kind))
        .select((audit_events::action, audit_events::resource_kind))
        .load(&mut app.conn())
        .unwrap();
    let pair = |action: &str, kind: &str| (action.to_owned(), kind.to_owned());
    let expected = [
        pair("cancel", "booking"),
        pair("close", "prescription"),
        pair("decline", "prescription"),
        pair("erase", "erasure"),
    ];
    assert_eq!(done, expected);
    advisor.get(&format!("/v1/members/{}", id(&peg))).problem(410, "erased");
    advisor.get(&path(id(&peg))).problem(410, "erased");
    execute(&admin, &at, true).problem(409, "invalid-state");
    // A booking that stays shows nobody.
    let shown = advisor.get(&format!("/v1/bookings/{}", id(&booked))).expect(200);
    assert_eq!(shown["member"]["display_name"], "Erased");
}

#[test]
fn an_admin_holds_a_request_for_a_reason_until_a_day_or_until_they_resume_it() {
    let app = App::start();
    let peg = member_row(&app, "Peg", "Reid");
    let (advisor, admin, own) = (app.advisor(), app.admin(), account(&app, &peg, "peg@example.org"));
    let at = asked(&advisor, &peg);
    let hold = |body: Value| admin.post(&format!("{at}/hold"), &body);
    hold(json!({ "reason": "A complaint.", "until": "2026-11-22" })).invalid(&["/until"]);
    hold(json!({})).invalid(&["/reason"]);
    let held = hold(json!({ "reason": "A complaint.", "until": "2026-11-25" }));
    let (tag, held) = (held.etag().to_owned(), held.expect(200));
    assert_eq!((&held["status"], &held["blockers"]), (&json!("held"), &json!(["held"])));
    assert_eq!(admin.get(&at).etag(), tag);
    let read = own.get(&path(&peg)).expect(200);
    assert_eq!((&read["status"], &read["reason"]), (&json!("held"), &json!("A complaint.")));
    assert_eq!(codes(execute(&admin, &at, true)), ["held"]);
    let listed = |status: &str| {
        let page = admin.get(&format!("/v1/erasures?status={status}")).expect(200);
        page["items"].as_array().unwrap().len()
    };
    assert_eq!((listed("held"), listed("requested")), (1, 0));
    let resume = || admin.send("POST", &format!("{at}/resume"), &[], b"");
    let resumed = resume().expect(200);
    assert_eq!((&resumed["status"], &resumed["reason"]), (&json!("requested"), &Value::Null));
    resume().problem(409, "invalid-state");
    // A hold ends by itself after its last day.
    hold(json!({ "reason": "A complaint.", "until": "2026-11-25" })).expect(200);
    app.at("2026-11-25T23:59:00Z");
    assert_eq!((listed("held"), listed("requested")), (1, 0));
    app.at("2026-11-26T00:01:00Z");
    assert_eq!((listed("held"), listed("requested")), (0, 1));
    assert_eq!(own.get(&path(&peg)).expect(200)["status"], "requested");
    assert_eq!(execute(&admin, &at, false).expect(200)["status"], "executed");
    assert_eq!((listed("executed"), listed("withdrawn"), listed("requested")), (1, 0, 0));
}

#[test]
fn a_safeguarding_flag_holds_a_request_and_only_the_lead_releases_it_and_nobody_else_sees_that() {
    let app = App::start();
    let peg = member_row(&app, "Peg", "Reid");
    let (advisor, admin, lead) = (app.advisor(), app.admin(), app.advisor_who_may("safeguarding"));
    let own = account(&app, &peg, "peg@example.org");
    let flags = format!("/v1/members/{peg}/safeguarding");
    let flag =
        json!({ "category": "exploitation", "summary": "A neighbour keeps her card.", "review_on": "2026-12-07" });
    let flag = format!("{flags}/{}", id(&lead.post(&flags, &flag).expect(201)));
    let at = asked(&advisor, &peg);
    let resume = |client: &Client| client.send("POST", &format!("{at}/resume"), &[], b"");
    for client in [&admin, &lead] {
        let read = client.get(&at).expect(200);
        assert_eq!((&read["status"], &read["reason"]), (&json!("held"), &json!("See the safeguarding lead.")));
        assert_eq!(client.get("/v1/erasures?status=held").expect(200)["items"][0]["id"], read["id"]);
        assert_eq!(client.get("/v1/erasures?status=requested").expect(200)["items"], json!([]));
    }
    for client in [&own, &advisor] {
        let read = client.get(&path(&peg)).expect(200);
        assert_eq!((&read["status"], &read["reason"]), (&json!("requested"), &Value::Null));
        client.get("/v1/erasures").problem(403, "forbidden");
    }
    // Neither force nor resuming passes it.
    let refused = execute(&admin, &at, true).problem(409, "invalid-state");
    assert_eq!(refused["errors"][0]["detail"], "See the safeguarding lead.");
    assert_eq!(resume(&admin).problem(409, "invalid-state")["detail"], "See the safeguarding lead.");
    resume(&advisor).problem(403, "forbidden");
    lead.send("POST", &format!("{at}/execute"), &[], b"").problem(403, "forbidden");
    app.at("2026-11-23T09:00:01Z");
    let read = || own.get(&path(&peg));
    let before = (read().etag().to_owned(), read().json);
    assert_eq!(resume(&lead).expect(200)["status"], "requested");
    assert_eq!((read().etag().to_owned(), read().json), before, "not even a version tells of it");
    resume(&lead).problem(409, "invalid-state");
    // What happens to the flag afterwards holds it again.
    app.at("2026-11-23T09:00:02Z");
    let worse = json!({ "summary": "A neighbour keeps her card and her keys." });
    lead.patch(&flag, "\"1\"", &worse).expect(200);
    assert_eq!(codes(execute(&admin, &at, true)), ["held"]);
    let closed = json!({ "status": "closed", "closed_reason": "The card was returned." });
    lead.patch(&flag, "\"2\"", &closed).expect(200);
    let log = own.get(&format!("/v1/members/{peg}/access-log?limit=100")).expect(200);
    let seen: Vec<&Value> = log["items"].as_array().unwrap().iter().map(|entry| &entry["action"]).collect();
    assert!(seen.iter().all(|action| **action != "release"), "{seen:?}");
    let released = ("release".into(), Some("advisor".into()), Some("safeguarding".into()));
    assert!(events(&app, &peg).contains(&released));
    assert_eq!(execute(&admin, &at, false).expect(200)["status"], "executed");
}

#[test]
fn the_last_that_an_erased_person_gets_is_a_mail_and_then_the_address_is_gone_too() {
    let (app, mails) = App::with_mail();
    let peg = member_row(&app, "Peg", "Reid");
    let (advisor, admin) = (app.advisor(), app.admin());
    account(&app, &peg, "peg@example.org");
    let at = asked(&advisor, &peg);
    execute(&admin, &at, false).expect(200);
    let left = || messages::table.count().get_result::<i64>(&mut app.conn()).unwrap();
    assert_eq!(left(), 1);
    let disk = || admin.get(&at).expect(200)["result"]["disk"].clone();
    finish(&app);
    assert_eq!(disk(), "pending", "the address is still there");
    let mail = mails.take_one(&app);
    assert_eq!((mail.to.as_str(), mail.subject.as_str()), ("peg@example.org", "Your details were deleted"));
    assert!(!mail.whole.contains("Reid"), "{}", mail.whole);
    assert_eq!(left(), 0);
    assert!(mails.take(&app).is_empty());
}

#[test]
fn without_a_mail_server_nobody_is_told_and_no_address_is_kept() {
    let app = App::start();
    let peg = member_row(&app, "Peg", "Reid");
    account(&app, &peg, "peg@example.org");
    let at = asked(&app.advisor(), &peg);
    execute(&app.admin(), &at, false).expect(200);
    assert_eq!(messages::table.count().get_result::<i64>(&mut app.conn()).unwrap(), 0);
}

#[test]
fn a_step_that_fails_leaves_everything_as_it_was() {
    let (app, _mails) = App::with_mail();
    let (advisor, admin) = (app.advisor(), app.admin());
    let peg = member(&advisor, "Peg", "Reid");
    let session = session_row(&app, SessionSeed::default());
    advisor.post(&format!("/v1/sessions/{session}/bookings"), &json!({ "member_id": peg["id"] })).expect(201);
    account(&app, id(&peg), "peg@example.org");
    let at = asked(&advisor, id(&peg));
    // The last statement of all.
    let fail = match app.conn() {
        Conn::Sqlite(_) => {
            "CREATE TRIGGER fails BEFORE UPDATE ON members WHEN NEW.erased_at IS NOT NULL \
             BEGIN SELECT RAISE(ABORT, 'no'); END;"
        }
        Conn::Postgres(_) => {
            "CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$; \
             CREATE TRIGGER fails BEFORE UPDATE ON members FOR EACH ROW WHEN (NEW.erased_at IS NOT NULL) \
             EXECUTE FUNCTION fails();"
        }
    };
    app.conn().batch_execute(fail).unwrap();
    let record = format!("/v1/members/{}", id(&peg));
    let before = (advisor.get(&record).expect(200), admin.get(&at).expect(200));
    let counts = || {
        let mut conn = app.conn();
        let users: i64 = users::table.count().get_result(&mut conn).unwrap();
        let words: i64 = life_rooms::db::schema::member_words::table.count().get_result(&mut conn).unwrap();
        let messages: i64 = messages::table.count().get_result(&mut conn).unwrap();
        let booked: i64 = bookings::table.filter(bookings::status.eq("booked")).count().get_result(&mut conn).unwrap();
        (users, words, messages, booked)
    };
    let counted = counts();
    execute(&admin, &at, true).problem(500, "internal");
    assert_eq!(counts(), counted);
    assert_eq!((advisor.get(&record).expect(200), admin.get(&at).expect(200)), before);
    assert!(!app.key_dir().join(journal::FILE).exists());
}

/// Brings an erased member back, as a restored database does.
fn bring_back(app: &App, member: &str) {
    let mut conn = app.conn();
    let row = members::table.find(member.parse::<Id>().unwrap());
    let back = (members::erased_at.eq(None::<life_rooms::db::Timestamp>), members::given_name.eq("Peg"));
    diesel::update(row).set(back).execute(&mut conn).unwrap();
    diesel::delete(erasures::table).execute(&mut conn).unwrap();
}

#[test]
fn the_ids_of_erased_people_stand_in_a_file_beside_the_keys_and_a_restored_database_erases_them_again() {
    let app = App::start();
    let (peg, sam) = (member_row(&app, "Peg", "Reid"), member_row(&app, "Sam", "Riley"));
    // Peg was registered twice.
    let double = member_row(&app, "Margaret", "Reid");
    let into = members::merged_into.eq(peg.parse::<Id>().unwrap());
    let row = members::table.find(double.parse::<Id>().unwrap());
    diesel::update(row).set(into).execute(&mut app.conn()).unwrap();
    let (advisor, admin) = (app.advisor(), app.admin());
    execute(&admin, &asked(&advisor, &peg), false).expect(200);
    let file = app.key_dir().join(journal::FILE);
    let said = std::fs::read_to_string(&file).unwrap();
    assert_eq!(said, format!("2026-11-23 {peg}\n2026-11-23 {double}\n"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let again = |state: &State| actix_web::rt::System::new().block_on(restored::erase_again(state)).unwrap();
    assert_eq!(again(&app.state), 0, "nobody is back");
    bring_back(&app, &peg);
    // As in a backup from before the two were merged.
    diesel::update(row).set(members::merged_into.eq(None::<Id>)).execute(&mut app.conn()).unwrap();
    app.at("2026-12-01T09:00:00Z");
    assert_eq!(again(&app.state), 2);
    for gone in [&peg, &double] {
        assert_eq!(
            advisor.get(&format!("/v1/members/{gone}")).problem(410, "erased")["detail"],
            "The record was erased on 2026-12-01."
        );
    }
    assert_eq!(advisor.get(&format!("/v1/members/{sam}")).expect(200)["given_name"], "Sam");
    let listed = admin.get("/v1/erasures").expect(200);
    let origins: Vec<(&Value, &Value)> =
        listed["items"].as_array().unwrap().iter().map(|one| (&one["origin"], &one["asked_on"])).collect();
    assert_eq!(origins, [(&json!("restored"), &json!("2026-11-23")); 2]);
    assert_eq!(again(&app.state), 0);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), said, "they stood there already");
}

#[test]
fn serve_erases_again_before_it_is_ready() {
    let app = App::start();
    let peg = member_row(&app, "Peg", "Reid");
    let (advisor, admin) = (app.advisor(), app.admin());
    execute(&admin, &asked(&advisor, &peg), false).expect(200);
    bring_back(&app, &peg);
    let said = crate::accounts::first_lines(&app);
    assert!(said.contains("1 people were in it whom erasures.log names, and were erased again"), "{said}");
    advisor.get(&format!("/v1/members/{peg}")).problem(410, "erased");
}

#[test]
fn if_the_file_can_not_be_written_the_task_writes_it_later() {
    let app = App::start();
    let peg = member_row(&app, "Peg", "Reid");
    let (advisor, admin) = (app.advisor(), app.admin());
    let file = app.key_dir().join(journal::FILE);
    std::fs::create_dir(&file).unwrap();
    let at = asked(&advisor, &peg);
    assert_eq!(execute(&admin, &at, false).expect(200)["status"], "executed");
    std::fs::remove_dir(&file).unwrap();
    assert!(finish(&app));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), format!("2026-11-23 {peg}\n"));
    let sqlite = matches!(app.location, Location::Sqlite(_));
    let result = admin.get(&at).expect(200)["result"].clone();
    let (disk, wal) = if sqlite { ("done", "emptied") } else { ("pending", "until_recycled") };
    assert_eq!((&result["disk"], &result["wal"], &result["backups"]), (&json!(disk), &json!(wal), &json!([])));
    assert!(!finish(&app), "nothing is left to do");
}

#[test]
fn while_somebody_reads_an_older_state_the_log_of_writes_is_not_empty_and_is_tried_again() {
    let app = App::start();
    let Location::Sqlite(path) = &app.location else {
        // PostgreSQL keeps its log of writes as it likes.
        let scrubbed = run(&app, &["erasures", "scrub"]);
        assert!(scrubbed.status.success(), "{}", String::from_utf8_lossy(&scrubbed.stderr));
        return;
    };
    let peg = member_row(&app, "Peg", "Reid");
    let (advisor, admin) = (app.advisor(), app.admin());
    let at = asked(&advisor, &peg);
    let mut reader = app.conn();
    reader.batch_execute("BEGIN; SELECT count(*) FROM members;").unwrap();
    execute(&admin, &at, false).expect(200);
    assert!(finish(&app));
    assert_eq!(admin.get(&at).expect(200)["result"]["disk"], "pending");
    assert!(std::fs::metadata(format!("{path}-wal")).unwrap().len() > 0);
    reader.batch_execute("COMMIT").unwrap();
    assert!(finish(&app));
    assert_eq!(admin.get(&at).expect(200)["result"]["disk"], "done");
}
