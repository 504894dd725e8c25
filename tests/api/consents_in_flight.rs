//! A consent that is withdrawn while answers to the partner are on their way: none that is given afterwards shows the
//! person.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Condvar, Mutex};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use life_rooms::audit::{Event, Subject};
use life_rooms::auth::caller::Scope;
use life_rooms::auth::reach::Reach;
use life_rooms::db::schema::{audit_events, members};
use life_rooms::db::{Conn, Id};
use life_rooms::members::consents::store::{self as consents, ConsentRow};
use life_rooms::members::consents::types::ConsentInput;
use life_rooms::members::sharing::{read_shared, shared_with};
use serde_json::{Value, json};

use crate::support::{App, SessionSeed, consent_row, member_row, partner_row, session_row};

/// Lets everybody wait until they are let through together.
#[derive(Default)]
struct Gate {
    /// How many wait, and whether it is open.
    state: Mutex<(usize, bool)>,
    news: Condvar,
}

impl Gate {
    fn pass(&self) {
        let mut state = self.state.lock().unwrap();
        state.0 += 1;
        self.news.notify_all();
        let _open = self.news.wait_while(state, |(_, open)| !*open).unwrap();
    }

    fn wait_for(&self, count: usize) {
        let _all = self.news.wait_while(self.state.lock().unwrap(), |(inside, _)| *inside < count).unwrap();
    }

    fn open(&self) {
        self.state.lock().unwrap().1 = true;
        self.news.notify_all();
    }
}

fn withdrawal(partner: &str) -> Value {
    json!({ "purpose": "share_with_partner", "partner_id": partner, "decision": "withdrawn", "evidence": "said so" })
}

#[test]
fn an_answer_that_was_read_before_the_withdrawal_is_read_again() {
    let app = App::start();
    let (advisor, partner, sam) = (app.advisor(), partner_row(&app, "the-reader"), member_row(&app, "Sam", "Riley"));
    consent_row(&app, &sam, &partner, "given");
    app.at("2026-11-23T09:00:01Z");
    // On PostgreSQL each answer has a connection, of which a server has 16.
    let in_flight = if app.state.db.has_one_writer() { 64 } else { 10 };
    let (gate, now) = (Arc::new(Gate::default()), app.clock.now());
    let (partner_id, sam_id): (Id, Id) = (partner.parse().unwrap(), sam.parse().unwrap());
    let answer = |_| {
        let (db, gate) = (app.state.db.clone(), Arc::clone(&gate));
        std::thread::spawn(move || {
            let runs = Arc::new(AtomicUsize::new(0));
            let count = Arc::clone(&runs);
            let work = move |conn: &mut Conn| {
                // The first statement decides what the transaction sees.
                members::table.count().get_result::<i64>(conn)?;
                if count.fetch_add(1, Ordering::SeqCst) == 0 {
                    gate.pass();
                }
                let shown = shared_with(conn, partner_id, &[sam_id])?;
                let subject = |member: &Id| Subject::of_member("register", partner_id, *member);
                let event = |member: &Id| Event::of_system(now, "a-test", "read", subject(member), &[]);
                let events = shown.iter().map(event).collect();
                Ok((shown, events))
            };
            let reading = read_shared(&db, Reach::Partner(partner_id), work);
            let shown = actix_web::rt::System::new().block_on(reading).expect("an answer");
            (shown.len(), runs.load(Ordering::SeqCst))
        })
    };
    let threads: Vec<_> = (0..in_flight).map(answer).collect();
    gate.wait_for(in_flight);
    advisor.post(&format!("/v1/members/{sam}/consents"), &withdrawal(&partner)).expect(201);
    gate.open();
    for thread in threads {
        assert_eq!(thread.join().unwrap(), (0, 2), "nobody is shown, and it was read twice");
    }
    let read: i64 =
        audit_events::table.filter(audit_events::request_id.eq("a-test")).count().get_result(&mut app.conn()).unwrap();
    assert_eq!(read, 0, "nobody was read");
}

/// The withdrawal is written while 64 requests are on their way. None of them can be answered before it is kept: on SQLite
/// because they need the writer, on PostgreSQL because they need the lock of the consent.
#[test]
fn of_64_requests_in_flight_none_that_is_answered_after_the_withdrawal_shows_the_person() {
    const REQUESTS: usize = 64;
    let app = App::start();
    let (advisor, partner, sam) = (app.advisor(), partner_row(&app, "the-reader"), member_row(&app, "Sam", "Riley"));
    let session = session_row(&app, SessionSeed { partner_id: Some(&partner), ..SessionSeed::default() });
    advisor.post(&format!("/v1/sessions/{session}/bookings"), &json!({ "member_id": sam })).expect(201);
    consent_row(&app, &sam, &partner, "given");
    let client = app.partner_client(&partner, &[Scope::BookingsRead, Scope::RegistersRead]);
    let paths = ["register", "bookings"].map(|list| format!("/v1/sessions/{session}/{list}"));
    for path in &paths {
        assert!(client.get(path).text.contains(&sam), "shared until then");
    }
    app.at("2026-11-23T09:00:01Z");
    let mut conn = app.conn();
    let begin = if app.state.db.has_one_writer() { "BEGIN IMMEDIATE" } else { "BEGIN" };
    conn.batch_execute(begin).unwrap();
    let written: ConsentInput = serde_json::from_value(withdrawal(&partner)).unwrap();
    let (id, now) = (app.clock.new_id(), app.clock.now());
    consents::insert(&mut conn, &[ConsentRow::new(id, sam.parse().unwrap(), written, id, now)]).unwrap();
    let sent = Arc::new(Barrier::new(REQUESTS + 1));
    let request = |number: usize| {
        let (client, path, sent) = (client.clone(), paths[number % 2].clone(), Arc::clone(&sent));
        std::thread::spawn(move || {
            sent.wait();
            client.get(&path)
        })
    };
    let threads: Vec<_> = (0..REQUESTS).map(request).collect();
    sent.wait();
    if app.state.db.has_one_writer() {
        // These pass the same two threads of the server, behind those.
        (0..16).for_each(|_| drop(app.anonymous().get("/v1/venues").expect(200)));
    }
    conn.batch_execute("COMMIT").unwrap();
    for thread in threads {
        let answer = thread.join().unwrap();
        assert!(!answer.text.contains(&sam) && !answer.text.contains("Riley"), "{}", answer.text);
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
}
