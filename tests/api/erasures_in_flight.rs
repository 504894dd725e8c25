//! What an erasure does not leave to somebody who is in the middle of something, or has it in their hands.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use life_rooms::audit::{Event, Subject};
use life_rooms::auth::reach::Reach;
use life_rooms::clock::Clock;
use life_rooms::db::schema::{members, one_time_links};
use life_rooms::db::{Conn, Db, Id, Location};
use life_rooms::erasures::disk::{self, Scrubbed};
use life_rooms::members::sharing::{read_shared, shared_with};
use serde_json::{Value, json};

use crate::erasures::{asked, execute};
use crate::merges::{merge, person, undo};
use crate::support::{App, consent_row, id, member_row, partner_row};

/// Reads for a partner whom of these it sees, and lets something happen between the reading and the answer. How many are
/// shown, and how often it was read.
fn read_beside(app: &App, partner: &str, member: &str, happens: impl FnOnce()) -> (usize, usize) {
    let (partner, member): (Id, Id) = (partner.parse().unwrap(), member.parse().unwrap());
    let (db, now, gate) = (app.state.db.clone(), app.clock.now(), Arc::new(Barrier::new(2)));
    let passed = Arc::clone(&gate);
    let reading = std::thread::spawn(move || {
        let runs = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&runs);
        let work = move |conn: &mut Conn| {
            members::table.count().get_result::<i64>(conn)?;
            if count.fetch_add(1, Ordering::SeqCst) == 0 {
                // Until something has happened.
                passed.wait();
                passed.wait();
            }
            let shown = shared_with(conn, partner, &[member])?;
            let subject = |member: &Id| Subject::of_member("register", partner, *member);
            let event = |member: &Id| Event::of_system(now, "a-test", "read", subject(member), &[]);
            let events = shown.iter().map(event).collect();
            Ok((shown, events))
        };
        let reading = read_shared(&db, Reach::Partner(partner), work);
        let shown = actix_web::rt::System::new().block_on(reading).expect("an answer");
        (shown.len(), runs.load(Ordering::SeqCst))
    });
    gate.wait();
    happens();
    gate.wait();
    reading.join().unwrap()
}

#[test]
fn an_answer_to_a_partner_that_was_read_before_the_erasure_does_not_show_the_person() {
    let app = App::start();
    let (advisor, admin, partner) = (app.advisor(), app.admin(), partner_row(&app, "the-reader"));
    let sam = member_row(&app, "Sam", "Riley");
    consent_row(&app, &sam, &partner, "given");
    let at = asked(&advisor, &sam);
    let shown = read_beside(&app, &partner, &sam, || drop(execute(&admin, &at, true).expect(200)));
    assert_eq!(shown, (0, 2));
}

#[test]
fn an_answer_to_a_partner_that_was_read_before_a_merge_was_undone_does_not_show_the_person() {
    let app = App::start();
    let (advisor, partner) = (app.advisor(), partner_row(&app, "the-reader"));
    let (into, from) = (person(&advisor, "Margaret", json!({})), person(&advisor, "Peg", json!({})));
    consent_row(&app, id(&from), &partner, "given");
    let merged = merge(&advisor, &into, &from).expect(200);
    let shown = read_beside(&app, &partner, id(&into), || drop(undo(&advisor, &merged).expect(200)));
    assert_eq!(shown, (0, 2));
}

#[test]
fn a_relationship_of_which_somebody_never_knew_does_not_come_into_their_log_once_it_is_gone() {
    let app = App::start();
    let advisor = app.advisor();
    let (cara, sid, sam) = (member_row(&app, "Cara", "C"), member_row(&app, "Sid", "S"), member_row(&app, "Sam", "S"));
    let relate = |other: &str, more: Value| {
        let mut body = json!({ "from_member": cara, "to_member": other, "kind": "carer_of" });
        more.as_object().unwrap().iter().for_each(|(name, value)| body[name] = value.clone());
        advisor.post(&format!("/v1/members/{other}/relationships"), &body).expect(201)
    };
    relate(&sid, json!({}));
    relate(&sam, json!({ "status": "active", "evidence": "Both said so" }));
    let own = app.member(&cara);
    let of_relationships = || {
        let log = own.get(&format!("/v1/members/{cara}/access-log")).expect(200);
        log["items"].as_array().unwrap().iter().filter(|entry| entry["what"] == "relationship").count()
    };
    assert_eq!(of_relationships(), 1, "the active one");
    let at = asked(&advisor, &sid);
    execute(&app.admin(), &at, true).expect(200);
    assert_eq!(of_relationships(), 1, "nothing of the one that was proposed");
}

#[test]
fn erasing_a_child_leaves_the_link_of_the_parent_whose_address_the_record_has() {
    let (app, mails) = App::with_mail();
    let advisor = app.advisor();
    let email = "mother@example.org";
    let mother = member_row(&app, "Mo", "Reid");
    crate::erasures::account(&app, &mother, email);
    let child = person(&advisor, "Kit", json!({ "email": email }));
    app.anonymous().post("/v1/auth/password-resets", &json!({ "email": email })).expect(202);
    let at = asked(&advisor, id(&child));
    execute(&app.admin(), &at, true).expect(200);
    let kept: i64 =
        one_time_links::table.filter(one_time_links::email.eq(email)).count().get_result(&mut app.conn()).unwrap();
    assert_eq!(kept, 1);
    let token =
        mails.take(&app).into_iter().find(|mail| mail.to == email && mail.text.contains("#token=")).unwrap().token();
    let body = json!({ "token": token, "new_password": "another boat under the lamp" });
    app.anonymous().post("/v1/auth/password-resets/confirm", &body).expect(204);
    // Her own erasure takes her links along.
    app.anonymous().post("/v1/auth/password-resets", &json!({ "email": email })).expect(202);
    let at = asked(&advisor, &mother);
    execute(&app.admin(), &at, true).expect(200);
    let left: i64 =
        one_time_links::table.filter(one_time_links::email.eq(email)).count().get_result(&mut app.conn()).unwrap();
    assert_eq!(left, 0);
}

/// Removes what was deleted from the files, as the role with this URL.
fn scrub(url: &str) -> Scrubbed {
    let location = Location::Postgres(url.to_owned());
    let db = Db::open(&location).unwrap();
    actix_web::rt::System::new().block_on(disk::scrub(&db, &location, &Clock::system())).unwrap()
}

/// A role that owns every table of a database. Gives them back in the end.
struct Owner<'a> {
    app: &'a App,
    name: String,
    before: String,
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = diesel::sql_types::Text)]
    name: String,
}

impl<'a> Owner<'a> {
    fn new(app: &'a App) -> Self {
        let mut conn = app.conn();
        let name = format!("owner_{}", uuid::Uuid::new_v4().simple());
        let before: Name =
            diesel::sql_query("SELECT CAST(current_user AS text) AS name").get_result(&mut conn).unwrap();
        conn.batch_execute(&format!("CREATE ROLE {name} LOGIN PASSWORD '{name}'")).unwrap();
        let schema: Name =
            diesel::sql_query("SELECT CAST(current_schema() AS text) AS name").get_result(&mut conn).unwrap();
        conn.batch_execute(&format!("GRANT ALL ON SCHEMA {} TO {name}", schema.name)).unwrap();
        let tables = "SELECT CAST(relname AS text) AS name FROM pg_class WHERE relkind = 'r' \
                      AND relnamespace = to_regnamespace(current_schema())";
        for Name { name: table } in diesel::sql_query(tables).load::<Name>(&mut conn).unwrap() {
            conn.batch_execute(&format!("ALTER TABLE \"{table}\" OWNER TO {name}")).unwrap();
        }
        Self { app, name, before: before.name }
    }

    fn url(&self) -> String {
        let Location::Postgres(url) = &self.app.location else { panic!("not on PostgreSQL") };
        let (_, rest) = url.split_once('@').expect("a user in the URL");
        format!("postgres://{0}:{0}@{rest}", self.name)
    }
}

impl Drop for Owner<'_> {
    fn drop(&mut self) {
        let Self { name, before, .. } = self;
        let back = format!("REASSIGN OWNED BY {name} TO {before}; DROP OWNED BY {name}; DROP ROLE {name}");
        let _ = self.app.conn().batch_execute(&back);
    }
}

#[test]
fn while_another_role_reads_an_older_state_the_owner_does_not_say_that_nothing_is_left() {
    let app = App::start();
    // An SQLite file has no roles; who reads an older state of it is looked at elsewhere.
    let Location::Postgres(url) = &app.location else { return };
    let owner = Owner::new(&app);
    let peg = member_row(&app, "Peg", "Reid");
    let (advisor, admin) = (app.advisor(), app.admin());
    // The clock of the server is that of this test; transactions have that of PostgreSQL.
    app.clock.set(Clock::system().now().0);
    let at = asked(&advisor, &peg);
    // It reads no table that is written anew: that would have to wait for it.
    let mut reader = app.conn();
    reader.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM venues").unwrap();
    app.clock.set(Clock::system().now().0);
    execute(&admin, &at, true).expect(200);
    let disk = || admin.get(&at).expect(200)["result"]["disk"].clone();
    assert_eq!(scrub(&owner.url()), Scrubbed { finished: 0, left: 1 });
    assert_eq!(disk(), "pending");
    reader.batch_execute("COMMIT").unwrap();
    // The owner can't see when the transactions of the tests beside this one began; whoever runs the cluster can.
    // PostgreSQL's own analysis of a table counts as somebody who reads for a moment.
    let done = (0..200).map(|_| scrub(url)).find(|scrubbed| scrubbed.left == 0);
    assert_eq!(done, Some(Scrubbed { finished: 1, left: 0 }));
    assert_eq!(disk(), "done");
}
