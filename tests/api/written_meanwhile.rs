//! Requests that meet another transaction which merges or erases the member: nothing is written under an id that is no
//! member any more.

use std::thread;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use life_rooms::audit::Event;
use life_rooms::db::schema::{members, possible_duplicates};
use life_rooms::db::{Conn, Id};
use life_rooms::erasures::erase::erase;
use life_rooms::members::merges::columns::COLUMNS;
use life_rooms::sessions::bookings::rules::Terms;
use serde_json::{Value, json};

use crate::closings::until_one_waits;
use crate::exports::{PASSWORD, own_account};
use crate::support::{Answer, App, Client, SessionSeed, member_row, session_row};

/// Sends a request while a transaction holds these members that isn't kept yet, and keeps it once the request waits or
/// is answered. SQLite has one writer: there the request comes afterwards.
fn meeting(
    app: &App,
    (held, lock): (&[&str], &str),
    request: impl FnOnce() -> Answer + Send,
    change: impl FnOnce(&mut Conn),
) -> Answer {
    let mut conn = app.conn();
    let on_postgres = matches!(conn, Conn::Postgres(_));
    conn.batch_execute(if on_postgres { "BEGIN" } else { "BEGIN IMMEDIATE" }).unwrap();
    if on_postgres {
        let ids: Vec<String> = held.iter().map(|id| format!("'{id}'")).collect();
        let rows = format!("SELECT id FROM members WHERE id IN ({}) ORDER BY id {lock}", ids.join(", "));
        conn.batch_execute(&rows).unwrap();
    }
    thread::scope(|scope| {
        let others = [scope.spawn(request)];
        if on_postgres {
            until_one_waits(&mut conn, &others).unwrap();
        }
        change(&mut conn);
        conn.batch_execute("COMMIT").unwrap();
        let [met] = others;
        met.join().unwrap()
    })
}

/// Meets a merge of the one record into the other.
fn meets_merge(app: &App, into: &str, from: &str, request: impl FnOnce() -> Answer + Send) -> Answer {
    meeting(app, (&[into, from], "FOR UPDATE"), request, |conn| {
        let pointer = members::merged_into.eq(into.parse::<Id>().unwrap());
        let row = members::table.find(from.parse::<Id>().unwrap());
        diesel::update(row).set((pointer, members::version.eq(members::version + 1))).execute(conn).unwrap();
    })
}

/// Meets the erasure of a member, as an admin executes it.
fn meets_erasure(app: &App, member: &str, request: impl FnOnce() -> Answer + Send) -> Answer {
    meeting(app, (&[member], "FOR UPDATE"), request, |conn| {
        let terms = Terms { now: app.clock.now(), hours: app.state.config.offers };
        let event = |action, subject, fields: &[&str]| Event::of_system(terms.now, "a-test", action, subject, fields);
        erase(conn, member.parse().unwrap(), terms, &event).unwrap();
    })
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    rows: i64,
}

/// The tables, but that of events, in which a row names this member.
fn naming(app: &App, member: &str) -> Vec<&'static str> {
    let mut conn = app.conn();
    let id = match &conn {
        Conn::Sqlite(_) => format!("x'{}'", member.replace('-', "")),
        Conn::Postgres(_) => format!("'{member}'"),
    };
    let mut is_named = |table: &str, column: &str| {
        let query = format!("SELECT count(*) AS rows FROM {table} WHERE {column} = {id}");
        diesel::sql_query(query).get_result::<Count>(&mut conn).unwrap().rows > 0
    };
    let columns = COLUMNS.iter().filter(|(table, ..)| *table != "audit_events");
    columns.filter(|(table, column, _)| is_named(table, column)).map(|(table, ..)| *table).collect()
}

/// A request that writes something about this member.
type Writes = fn(&Desk, &str) -> Answer;

/// Who writes.
struct Desk {
    app: App,
    advisor: Client,
    lead: Client,
    answers: Client,
    other: String,
    session: String,
}

impl Desk {
    fn new() -> Self {
        let app = App::start();
        let (advisor, lead) = (app.advisor(), app.advisor_who_may("safeguarding"));
        let answers = app.advisor_who_may("subject_access");
        let (other, session) = (member_row(&app, "Other", "Person"), session_row(&app, SessionSeed::default()));
        Self { app, advisor, lead, answers, other, session }
    }
}

fn part(member: &str, part: &str) -> String {
    format!("/v1/members/{member}/{part}")
}

/// Everything that advisors write about a member.
const WRITES: [(&str, Writes); 12] = [
    ("safeguarding_flags", |desk, member| desk.lead.post(&part(member, "safeguarding"), &flag())),
    ("consents", |desk, member| {
        let body = json!({ "purpose": "research", "decision": "given", "evidence": "Said so" });
        desk.advisor.post(&part(member, "consents"), &body)
    }),
    ("access_needs", |desk, member| {
        desk.advisor.put(&part(member, "access-needs"), "\"0\"", &json!({ "none": true, "needs": [] }))
    }),
    ("equality_answers", |desk, member| {
        desk.advisor.patch(&part(member, "equality-monitoring"), "\"0\"", &json!({ "sex": "female" }))
    }),
    ("calendar_links", |desk, member| desk.advisor.post(&part(member, "calendar-links"), &json!({}))),
    ("relationships", |desk, member| {
        let body = json!({ "from_member": desk.other, "to_member": member, "kind": "carer_of" });
        desk.advisor.post(&part(member, "relationships"), &body)
    }),
    ("one_time_links", |desk, member| {
        let email = format!("{}@example.org", desk.app.clock.new_id());
        desk.advisor.post(&part(member, "invitations"), &json!({ "deliver": "show", "email": email }))
    }),
    ("prescriptions", |desk, member| {
        desk.advisor.post("/v1/prescriptions", &json!({ "member_id": member, "origin": "advisor" }))
    }),
    ("bookings", |desk, member| {
        desk.advisor.post(&format!("/v1/sessions/{}/bookings", desk.session), &json!({ "member_id": member }))
    }),
    ("members", |desk, member| {
        desk.advisor.patch(&format!("/v1/members/{member}"), "\"1\"", &json!({ "pronouns": "she/her" }))
    }),
    ("erasures", |desk, member| desk.advisor.post(&part(member, "erasure"), &json!({ "received_on": "2026-11-23" }))),
    ("exports", |desk, member| {
        desk.answers.post(&part(member, "export"), &json!({ "received_on": "2026-11-23", "how": "By letter" }))
    }),
];

fn flag() -> Value {
    json!({ "category": "neglect", "summary": "Alone at night.", "review_on": "2026-12-07" })
}

#[test]
fn what_is_written_while_the_record_is_merged_stays_nowhere_under_its_old_id() {
    let desk = Desk::new();
    for (table, writes) in WRITES {
        let (into, from) = (member_row(&desk.app, "Margaret", "Reid"), member_row(&desk.app, "Peg", "Reid"));
        let answer = meets_merge(&desk.app, &into, &from, || writes(&desk, &from));
        // A patch that wasn't told where the record went at first finds that it has changed.
        assert!([409, 412, 422].contains(&answer.status), "{table}: {} {}", answer.status, answer.text);
        assert_eq!(naming(&desk.app, &from), [""; 0], "{table}");
    }
    // The same requests are taken when nothing is in their way.
    let ann = member_row(&desk.app, "Ann", "Own");
    for (table, writes) in WRITES {
        let answer = writes(&desk, &ann);
        assert!((200..300).contains(&answer.status), "{table}: {} {}", answer.status, answer.text);
    }
}

#[test]
fn what_is_written_while_the_member_is_erased_is_refused() {
    let desk = Desk::new();
    for (table, writes) in WRITES {
        let ann = member_row(&desk.app, "Ann", "Own");
        let answer = meets_erasure(&desk.app, &ann, || writes(&desk, &ann));
        assert!([409, 410, 412, 422].contains(&answer.status), "{table}: {} {}", answer.status, answer.text);
        assert_eq!(naming(&desk.app, &ann), [""; 0], "{table}");
    }
}

#[test]
fn a_flag_that_is_opened_again_while_the_member_is_erased_is_refused() {
    let desk = Desk::new();
    let ann = member_row(&desk.app, "Ann", "Own");
    let raised = desk.lead.post(&part(&ann, "safeguarding"), &flag());
    let at = raised.header("location").to_owned();
    let closed = json!({ "status": "closed", "closed_reason": "A carer comes." });
    desk.lead.patch(&at, "\"1\"", &closed).expect(200);
    let open = json!({ "status": "open", "closed_reason": null });
    let answer = meets_erasure(&desk.app, &ann, || desk.lead.patch(&at, "\"2\"", &open));
    answer.problem(410, "erased");
}

#[test]
fn a_new_address_of_an_account_does_not_come_into_an_erased_record() {
    let (app, mails) = App::with_mail();
    let ann = member_row(&app, "Ann", "Own");
    let own = own_account(&app, &ann);
    let id: Id = ann.parse().unwrap();
    let email = format!("{}@example.org", own.id.unwrap());
    diesel::update(members::table.find(id)).set(members::email.eq(&email)).execute(&mut app.conn()).unwrap();
    let change = json!({ "new_email": "ann.new@example.org", "current_password": PASSWORD });
    own.post("/v1/me/email-change", &change).expect(202);
    let sent = mails.take(&app);
    let token = sent.iter().find(|mail| mail.to == "ann.new@example.org").unwrap().token();
    let body = json!({ "token": token, "password": PASSWORD });
    let answer = meets_erasure(&app, &ann, || app.anonymous().post("/v1/auth/email-changes/confirm", &body));
    assert!([204, 422].contains(&answer.status), "{}", answer.text);
    let left: Option<String> = members::table.find(id).select(members::email).first(&mut app.conn()).unwrap();
    assert_eq!(left, None);
}

#[test]
fn who_is_registered_while_somebody_alike_is_merged_or_erased_is_no_pair_with_them() {
    let desk = Desk::new();
    let app = &desk.app;
    let body = |given: &str, day: &str| json!({ "given_name": given, "family_name": "Reid", "date_of_birth": day, "roles": ["public"] });
    let register =
        |given: &str, day: &str| desk.advisor.post("/v1/members?confirm_not_duplicate=true", &body(given, day));
    let known = |given: &str, day: &str| register(given, day).id();
    let (into, from) = (known("Maud", "1950-01-09"), known("Margaret", "1961-04-02"));
    meets_merge(app, &into, &from, || register("Margaret", "1961-04-02")).expect(201);
    let gone = known("Nadia", "1972-05-03");
    meets_erasure(app, &gone, || register("Nadja", "1972-05-03")).expect(201);
    for old in [from, gone] {
        assert!(!naming(app, &old).contains(&"possible_duplicates"));
    }
    let pairs: i64 = possible_duplicates::table.count().get_result(&mut app.conn()).unwrap();
    let alike = register("Margaret", "1961-04-02");
    assert_eq!(alike.status, 201, "{}", alike.text);
    let more: i64 = possible_duplicates::table.count().get_result(&mut app.conn()).unwrap();
    assert!(more > pairs, "who is there is a pair");
}
