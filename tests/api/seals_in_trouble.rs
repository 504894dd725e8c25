//! Seals where clocks were wrong, rows are spoilt, much waits, or there is nothing to check.

use std::sync::Arc;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use life_rooms::audit::{self, Event, Subject};
use life_rooms::auth::signing_keys::public_halves;
use life_rooms::db::schema::{audit_events, audit_seals, audit_unsealed};
use life_rooms::db::{Conn, Timestamp};
use life_rooms::http::state::State;
use life_rooms::seals::sealing;
use life_rooms::seals::store::ids_in;
use life_rooms::seals::verify::{Fault, Report, Wanted, verify_holding};
use life_rooms::server;

use crate::seals::{World, as_owner, checked, faults, kept, look, seal, seals, world};
use crate::support::log::listen;
use crate::support::{App, Client, instant, member_row};
use crate::upgrades::run_on;

/// Dates seals back, as the database's owner can.
fn date_back(app: &App, first: i64) {
    as_owner(app, |conn| {
        let rows = audit_seals::table.filter(audit_seals::number.ge(first));
        let long_ago = Timestamp(instant("2020-01-01T00:00:00Z"));
        diesel::update(rows).set(audit_seals::sealed_at.eq(long_ago)).execute(conn).unwrap();
    });
}

#[test]
fn seals_that_were_dated_back_do_not_hide_from_a_check_that_begins_with_a_day() {
    // The newest seal, the newest two, all of them.
    for first in [3, 2, 1] {
        let World { app, events } = world();
        date_back(&app, first);
        as_owner(&app, |conn| diesel::delete(audit_events::table.find(events[4])).execute(conn).unwrap());
        let (code, said) = checked(&app, &["--from", "2026-11-23"]);
        assert_eq!(code, 1, "{first}: {said}");
        assert!(said.contains(&format!("event {} of seal 3 is gone", events[4])), "{first}: {said}");
    }
}

#[test]
fn a_seal_that_was_dated_back_is_found_by_its_root() {
    for first in [3, 2, 1] {
        let World { app, .. } = world();
        date_back(&app, first);
        let (code, said) = checked(&app, &["--from", "2026-11-23"]);
        assert!(code == 1 && said.contains("doesn't fit its 2 events or its own row"), "{first}: {said}");
    }
}

#[test]
fn a_check_without_the_keys_of_the_server_blames_nobody() {
    let World { app, .. } = world();
    let folder = app.key_dir().join("of-another");
    for is_there in [false, true] {
        if is_there {
            std::fs::create_dir(&folder).unwrap();
        }
        let (code, said) = checked(&app, &["--key-dir", folder.to_str().unwrap()]);
        assert!(code == 2 && said.contains("there are no keys in"), "{said}");
        assert!(said.contains("name the key folder of the server") && !said.contains("tampered"), "{said}");
    }
    assert_eq!(checked(&app, &[]).0, 0);
}

/// Looks at the members and seals, at each of these times.
fn looks_at(app: &App, advisor: &Client, members: &[String], times: &[&str]) {
    for time in times {
        app.at(time);
        look(advisor, members);
        assert!(seal(app), "{time}");
    }
}

#[test]
fn a_check_that_begins_with_a_day_checks_what_follows_it_though_a_clock_was_put_back() {
    let World { app, .. } = world();
    let (advisor, ann) = (app.advisor(), [member_row(&app, "Ann", "Other")]);
    looks_at(&app, &advisor, &ann, &["2026-11-24T09:00:00Z", "2026-11-23T10:00:00Z", "2026-11-23T10:01:00Z"]);
    let from = ["--from", "2026-11-24"];
    let (code, said) = checked(&app, &from);
    assert!(code == 0 && said.contains("Read 4 seals"), "{said}");
    let fourth = ids_in(&seals(&app)[3].event_ids.clone().unwrap()).unwrap();
    as_owner(&app, |conn| diesel::delete(audit_events::table.find(*fourth.last().unwrap())).execute(conn).unwrap());
    let (code, said) = checked(&app, &from);
    assert!(code == 1 && said.contains("of seal 4 is gone"), "{said}");
}

#[test]
fn memory_stays_small_though_a_clock_ran_ahead() {
    let World { app, events } = world();
    let (advisor, ann) = (app.advisor(), [member_row(&app, "Ann", "Other")]);
    let minutes: Vec<String> = (10..40).map(|minute| format!("2026-11-23T09:{minute}:00Z")).collect();
    looks_at(&app, &advisor, &ann, &["2027-11-23T09:00:00Z"]);
    looks_at(&app, &advisor, &ann, &minutes.iter().map(String::as_str).collect::<Vec<_>>());
    looks_at(&app, &advisor, &ann, &["2027-11-23T09:00:01Z", "2026-11-23T09:50:00Z"]);
    let check = |most: usize| {
        let wanted = Wanted { from: None, known: Vec::new(), keys: public_halves(&app.key_dir()).unwrap() };
        verify_holding(&mut app.conn(), &wanted, most).unwrap()
    };
    let (small, large) = (check(4), check(1_000));
    assert!(small.held < 8 && large.held > 30, "{} {}", small.held, large.held);
    let found = |report: &Report| (report.seals, report.events, report.waiting, report.faults.clone());
    assert_eq!(found(&small), found(&large));
    assert_eq!((small.seals, small.events, small.faults.len()), (36, 41, 0));
    // What is wrong is found all the same: before the jump, and what jumped.
    let ahead = ids_in(&seals(&app)[3].event_ids.clone().unwrap()).unwrap();
    as_owner(&app, |conn| {
        let rows = audit_events::table.filter(audit_events::id.eq_any([events[0], *ahead.last().unwrap()]));
        diesel::update(rows).set(audit_events::action.eq("list")).execute(conn).unwrap();
    });
    assert_eq!(check(4).faults, check(1_000).faults);
    assert_eq!(check(4).faults[&Fault::Changed].1, 2);
}

#[test]
fn more_events_than_one_seal_takes_are_sealed_in_several() {
    let app = App::start();
    let ann = member_row(&app, "Ann", "Other");
    // Writes of one event, and one write of five.
    let write = |count: usize| {
        let subject = Subject::of_member("member", ann.parse().unwrap(), ann.parse().unwrap());
        let events: Vec<Event> = (0..count).map(|_| Event::by_system(&app.clock, "list", subject, &[])).collect();
        audit::record(&mut app.conn(), &events).unwrap();
    };
    for (minute, count) in (10..).zip([1, 1, 1, 1, 5, 1]) {
        app.at(&format!("2026-11-23T09:{minute}:00Z"));
        write(count);
    }
    let tokens = &app.state.tokens;
    let seal_three = || {
        let sealing = sealing::seal_at_most(&app.state.db, &app.clock, tokens, 3);
        actix_web::rt::System::new().block_on(sealing).unwrap()
    };
    let more: Vec<bool> = (0..4).map(|_| seal_three()).collect();
    // The write of five isn't divided: it has a seal of its own.
    assert_eq!(more, [true, true, true, false]);
    assert_eq!(seals(&app).iter().map(|seal| seal.count).collect::<Vec<_>>(), [3, 1, 5, 1]);
    let notes: Vec<_> = seals(&app).into_iter().map(|seal| seal.note).collect();
    assert_eq!(notes, [Some("started".to_owned()), Some("started".to_owned()), None, None]);
    assert_eq!(faults(&app), []);
}

#[test]
fn what_cannot_be_read_stops_neither_sealing_nor_the_check() {
    let World { app, events } = world();
    // An event that waits, and the list of another write that waits.
    let spoilt = "UPDATE audit_events SET fields = '{\"a\": 1}' WHERE request_id = ";
    as_owner(&app, |conn| {
        let of_it = audit_events::table.find(events[6]).select(audit_events::request_id);
        let request: String = of_it.first(conn).unwrap();
        conn.batch_execute(&format!("{spoilt}'{request}'")).unwrap();
        let row = audit_unsealed::table.find(events[7]);
        diesel::update(row).set(audit_unsealed::event_ids.eq(vec![1, 2, 3])).execute(conn).unwrap();
    });
    let (code, said) = checked(&app, &[]);
    assert!(code == 1 && said.contains("can't be read; and 1 more of this kind"), "{said}");
    assert_eq!(faults(&app), [Fault::Inserted, Fault::Unreadable]);
    let log = listen();
    let advisor = app.advisor();
    let ann = [member_row(&app, "Ann", "Other")];
    looks_at(&app, &advisor, &ann, &["2026-11-23T09:05:00Z"]);
    assert!(!log.lines_with("audit events were gone or spoilt before they were sealed").is_empty());
    assert!(!log.lines_with("1 lists of audit events that wait can't be read").is_empty());
    let chain = seals(&app);
    assert_eq!((chain.len(), chain[3].count), (4, 2), "the spoilt one, and what came after it");
    assert_eq!(faults(&app), [Fault::Inserted, Fault::Unreadable]);
    let (code, said) = checked(&app, &[]);
    assert!(code == 1 && said.contains(&format!("event {} of seal 4 can't be read", events[6])), "{said}");
}

#[test]
fn a_check_makes_no_database_and_calls_no_empty_one_whole() {
    let app = App::start();
    let said = |output: std::process::Output| {
        let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
        (output.status.code().unwrap(), said)
    };
    let check = |url: &str| said(run_on(&app, url, &["audit", "verify"]));
    // No file, and an empty one.
    let file = app.key_dir().join("none.db");
    let url = format!("sqlite://{}", file.display());
    let (code, text) = check(&url);
    assert!(code == 1 && text.contains("there is no database"), "{text}");
    assert!(!file.exists());
    std::fs::write(&file, "").unwrap();
    let (code, text) = check(&url);
    assert!(code == 1 && text.contains("the file is empty"), "{text}");
    assert_eq!(std::fs::metadata(&file).unwrap().len(), 0);
    // A database without any seal.
    let (code, text) = checked(&app, &[]);
    assert!(code == 1 && text.contains("there is no seal"), "{text}");
    assert!(seal(&app));
    assert_eq!(checked(&app, &[]).0, 0);
    // An older schema, which the check leaves as it is, and a newer one.
    let versions = |conn: &mut Conn| -> i64 {
        let count = diesel::dsl::sql::<diesel::sql_types::BigInt>("count(*) FROM __diesel_schema_migrations");
        diesel::select(count).get_result(conn).unwrap()
    };
    let newest = "DELETE FROM __diesel_schema_migrations WHERE version = '20261201000002'";
    app.conn().batch_execute(newest).unwrap();
    let before = versions(&mut app.conn());
    let (code, text) = checked(&app, &[]);
    assert!(code == 1 && text.contains("The database lacks 20261201000002_accounts."), "{text}");
    assert_eq!(versions(&mut app.conn()), before);
    let newer = "INSERT INTO __diesel_schema_migrations (version) VALUES ('20261201000002'), ('20990101000000')";
    app.conn().batch_execute(newer).unwrap();
    let (code, text) = checked(&app, &[]);
    assert!(code == 1 && text.contains("doesn't know 20990101000000"), "{text}");
}

#[test]
fn a_server_that_stops_seals_what_its_last_requests_left() {
    let World { app, .. } = world();
    assert_eq!(audit_unsealed::table.count().get_result::<i64>(&mut app.conn()).unwrap(), 2);
    let state = State { stop: Arc::default(), ..app.state.clone() };
    actix_web::rt::System::new().block_on(async {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let server = server::start(state.clone(), socket, 1).unwrap();
        server::run_until(std::future::ready(Ok(())), server, state).await.unwrap();
    });
    assert_eq!(audit_unsealed::table.count().get_result::<i64>(&mut app.conn()).unwrap(), 0);
    assert_eq!((kept(&app).unwrap().number, checked(&app, &[]).0), (4, 0));
}
