//! Seals: whoever changes the audit in the database is found out.

use std::collections::BTreeSet;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use life_rooms::audit::hash::{Link, Written};
use life_rooms::auth::signing_keys::{public_halves, rotate};
use life_rooms::auth::token::Tokens;
use life_rooms::background;
use life_rooms::db::schema::{audit_events, audit_seals, audit_unsealed};
use life_rooms::db::{Conn, Db, Id, Json};
use life_rooms::seals::head::{self, Head};
use life_rooms::seals::store::{Seal, add, hashes_of, ids_in};
use life_rooms::seals::verify::{Fault, Report, Wanted, verify};
use life_rooms::seals::{TASK, sealing, signed_bytes};
use serde_json::json;

use crate::support::log::listen;
use crate::support::{App, Client, member_row};
use crate::upgrades::run;

/// Whether there was anything to seal.
pub fn seal(app: &App) -> bool {
    let run = background::run_if_due(&app.state, TASK, app.clock.new_id());
    actix_web::rt::System::new().block_on(run).expect("it seals")
}

pub fn seals(app: &App) -> Vec<Seal> {
    audit_seals::table.order(audit_seals::number).select(Seal::as_select()).load(&mut app.conn()).unwrap()
}

pub fn kept(app: &App) -> Option<Head> {
    head::read(&head::path(&app.key_dir())).unwrap()
}

fn report(app: &App) -> Report {
    let keys = public_halves(&app.key_dir()).unwrap();
    let wanted = Wanted { from: None, known: kept(app).into_iter().collect(), keys };
    verify(&mut app.conn(), &wanted).unwrap()
}

/// The kinds of faults that a check finds.
pub fn faults(app: &App) -> Vec<Fault> {
    report(app).faults.into_keys().collect()
}

/// The exit code of the command, and what it said.
pub fn checked(app: &App, more: &[&str]) -> (i32, String) {
    let output = run(app, &[&["audit", "verify"], more].concat());
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    (output.status.code().unwrap(), said)
}

/// Does something with the database alone, as its owner can.
pub fn as_owner<T>(app: &App, work: impl FnOnce(&mut Conn) -> T) -> T {
    let mut conn = app.conn();
    let triggers = match conn {
        Conn::Sqlite(_) => {
            "DROP TRIGGER IF EXISTS audit_events_no_update; DROP TRIGGER IF EXISTS audit_events_no_delete; \
             DROP TRIGGER IF EXISTS audit_seals_no_update; DROP TRIGGER IF EXISTS audit_seals_no_delete;"
        }
        Conn::Postgres(_) => {
            "DROP TRIGGER IF EXISTS audit_events_only_grow ON audit_events; \
             DROP TRIGGER IF EXISTS audit_seals_only_grow ON audit_seals;"
        }
    };
    conn.batch_execute(triggers).unwrap();
    work(&mut conn)
}

/// An advisor reads the records of these members, one after the other.
pub fn look(advisor: &Client, members: &[String]) {
    for member in members {
        advisor.get(&format!("/v1/members/{member}")).expect(200);
    }
}

/// A service with three seals of two events each, and two events that wait.
pub struct World {
    pub app: App,
    pub events: Vec<Id>,
}

pub fn world() -> World {
    let app = App::start();
    let advisor = app.advisor();
    let members = [member_row(&app, "Ann", "Other"), member_row(&app, "Bob", "Other")];
    for minute in 1..=3 {
        app.at(&format!("2026-11-23T09:0{minute}:00Z"));
        look(&advisor, &members);
        assert!(seal(&app));
    }
    app.at("2026-11-23T09:04:00Z");
    look(&advisor, &members);
    let events = audit_events::table.order(audit_events::id).select(audit_events::id).load(&mut app.conn()).unwrap();
    World { app, events }
}

#[test]
fn each_write_of_events_waits_and_is_sealed_in_a_chain_that_the_head_follows() {
    let World { app, events } = world();
    assert_eq!(events.len(), 8);
    let chain = seals(&app);
    assert_eq!(chain.iter().map(|seal| (seal.number, seal.count)).collect::<Vec<_>>(), [(1, 2), (2, 2), (3, 2)]);
    let notes: Vec<Option<&str>> = chain.iter().map(|seal| seal.note.as_deref()).collect();
    assert_eq!(notes, [Some("started"), None, None]);
    assert_eq!(chain[0].previous, vec![0; 32]);
    assert!(chain.windows(2).all(|pair| pair[1].previous == pair[0].root));
    assert_eq!(kept(&app), Some(Head::new(3, &chain[2].root)));
    let report = report(&app);
    assert_eq!((report.seals, report.events, report.waiting), (3, 8, 2));
    assert!(report.faults.is_empty() && report.behind.is_empty());
    let (code, said) = checked(&app, &[]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("Read 3 seals and 8 events; 2 of them wait") && said.contains("is whole"), "{said}");
    assert!(seal(&app));
    assert!(!seal(&app), "nothing is left to seal");
    assert_eq!(audit_unsealed::table.count().get_result::<i64>(&mut app.conn()).unwrap(), 0);
    assert_eq!(checked(&app, &[]).0, 0);
}

#[test]
fn an_hour_without_events_leaves_a_seal_without_events() {
    let app = App::start();
    assert!(seal(&app), "the first seal");
    app.at("2026-11-23T09:59:59Z");
    assert!(!seal(&app));
    app.at("2026-11-23T10:00:00Z");
    assert!(seal(&app));
    let notes: Vec<_> = seals(&app).into_iter().map(|seal| (seal.number, seal.count, seal.note)).collect();
    assert_eq!(notes, [(1, 0, Some("started".into())), (2, 0, Some("heartbeat".into()))]);
    assert_eq!(checked(&app, &[]).0, 0);
}

#[test]
fn an_event_that_was_changed_is_found_with_its_seal() {
    for change in
        ["action = 'list'", "purpose = NULL", "request_id = 'x'", "fields = '[\"phone\"]'", "member_id = NULL"]
    {
        let World { app, events } = world();
        as_owner(&app, |conn| {
            let of_it = audit_events::table.find(events[2]).select(audit_events::request_id);
            let request: String = of_it.first(conn).unwrap();
            conn.batch_execute(&format!("UPDATE audit_events SET {change} WHERE request_id = '{request}'")).unwrap();
        });
        assert_eq!(faults(&app), [Fault::Changed], "{change}");
        let (code, said) = checked(&app, &[]);
        assert_eq!(code, 1, "{said}");
        assert!(said.contains("Wrong: seal 2") && said.contains("tampered"), "{said}");
    }
}

#[test]
fn members_that_were_exchanged_between_two_events_are_found() {
    let World { app, events } = world();
    as_owner(&app, |conn| {
        let of = |conn: &mut Conn, id: Id| -> Option<Id> {
            audit_events::table.find(id).select(audit_events::member_id).first(conn).unwrap()
        };
        let (one, other) = (of(conn, events[0]), of(conn, events[1]));
        assert_ne!(one, other);
        for (event, member) in [(events[0], other), (events[1], one)] {
            let row = diesel::update(audit_events::table.find(event));
            row.set(audit_events::member_id.eq(member)).execute(conn).unwrap();
        }
    });
    assert_eq!(faults(&app), [Fault::Changed]);
    assert_eq!(checked(&app, &[]).0, 1);
}

#[test]
fn an_event_that_was_deleted_is_found_whether_it_was_sealed_or_waits() {
    for (index, words) in [(3, "of seal 2 is gone"), (7, "which waits for its seal, is gone")] {
        let World { app, events } = world();
        as_owner(&app, |conn| diesel::delete(audit_events::table.find(events[index])).execute(conn).unwrap());
        assert_eq!(faults(&app), [Fault::Deleted]);
        let (code, said) = checked(&app, &[]);
        assert_eq!(code, 1, "{said}");
        assert!(said.contains(&format!("event {}", events[index])) && said.contains(words), "{said}");
        // Sealing goes on, and the event stays missed.
        assert!(seal(&app));
        assert_eq!(faults(&app), [Fault::Deleted]);
    }
}

#[test]
fn an_event_that_was_inserted_is_found_whenever_it_says_it_was() {
    for at in ["2020-01-01T00:00:00Z", "2026-11-23T09:02:00Z", "2030-01-01T00:00:00Z"] {
        let World { app, events } = world();
        let id = life_rooms::clock::new_id_at(life_rooms::db::Timestamp(crate::support::instant(at)));
        as_owner(&app, |conn| {
            let whole: Written = audit_events::table.find(events[0]).select(Written::as_select()).first(conn).unwrap();
            let row = (
                (audit_events::id.eq(id), audit_events::at.eq(whole.at), audit_events::actor_kind.eq(whole.actor_kind)),
                (audit_events::action.eq(whole.action), audit_events::member_id.eq(whole.member_id)),
                (audit_events::resource_kind.eq(whole.resource_kind), audit_events::fields.eq(Json(json!([])))),
                audit_events::request_id.eq("x"),
            );
            diesel::insert_into(audit_events::table).values(row).execute(conn).unwrap();
        });
        assert_eq!(faults(&app), [Fault::Inserted], "{at}");
        let (code, said) = checked(&app, &[]);
        assert!(code == 1 && said.contains(&id.to_string()), "{said}");
    }
}

/// Changes an event and works every root out again, and signs with `sign`.
fn forge(app: &App, event: Id, sign: impl Fn(&mut Seal)) {
    as_owner(app, |conn| {
        diesel::update(audit_events::table.find(event)).set(audit_events::action.eq("list")).execute(conn).unwrap();
        let mut previous = vec![0; 32];
        for mut seal in seals(app) {
            let ids = ids_in(seal.event_ids.as_deref().unwrap_or_default()).unwrap();
            let found = hashes_of(conn, &ids).unwrap();
            let hashes: Vec<_> = ids.iter().map(|id| found[id]).collect();
            let note = seal.note.as_deref();
            let link = Link { previous: &previous, number: seal.number, sealed_at: seal.sealed_at, note };
            (seal.root, seal.previous) = (link.root(&hashes).to_vec(), previous.clone());
            previous = seal.root.clone();
            sign(&mut seal);
            let row = audit_seals::table.filter(audit_seals::number.eq(seal.number));
            let new = (
                audit_seals::root.eq(seal.root),
                audit_seals::previous.eq(seal.previous),
                audit_seals::key_id.eq(seal.key_id),
                audit_seals::signature.eq(seal.signature),
            );
            diesel::update(row).set(new).execute(conn).unwrap();
        }
    });
}

#[test]
fn roots_that_were_all_worked_out_again_lack_the_signature_of_the_service() {
    let World { app, events } = world();
    forge(&app, events[2], |_| ());
    // The head file alone shows it too.
    assert_eq!(faults(&app), [Fault::Unsigned, Fault::Replaced]);
    let (code, said) = checked(&app, &[]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("the signature of seal 2 doesn't fit"), "{said}");
}

#[test]
fn seals_that_were_signed_with_another_key_are_found() {
    let World { app, events } = world();
    let elsewhere = app.key_dir().join("elsewhere");
    let tokens = Tokens::open(&elsewhere, "https://a.example".into()).unwrap();
    let now = app.clock.now();
    forge(&app, events[2], |seal| {
        (seal.key_id, seal.signature) = tokens.sign_for_ever(&signed_bytes(&seal.root), now).unwrap();
    });
    let (code, said) = checked(&app, &[]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("which isn't the service's; and 2 more"), "{said}");
}

#[test]
fn the_newest_that_were_cut_off_are_missed_by_the_head_and_by_a_seal_from_the_log() {
    let World { app, events } = world();
    let third = seals(&app).pop().unwrap();
    as_owner(&app, |conn| {
        diesel::delete(audit_unsealed::table).execute(conn).unwrap();
        diesel::delete(audit_seals::table.filter(audit_seals::number.eq(3))).execute(conn).unwrap();
        diesel::delete(audit_events::table.filter(audit_events::id.eq_any(&events[4..]))).execute(conn).unwrap();
    });
    let (code, said) = checked(&app, &[]);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("Missing: seal 3:") && said.contains("whole, but it ends early"), "{said}");
    // The head is gone too, but the log has the seal.
    std::fs::remove_file(head::path(&app.key_dir())).unwrap();
    assert_eq!(checked(&app, &[]).0, 0, "nothing shows it");
    let known = Head::new(3, &third.root);
    let expect = format!("{}:{}", known.number, known.root);
    assert_eq!(checked(&app, &["--expect", &expect]).0, 3);
}

#[test]
fn everything_that_was_deleted_is_missed_by_the_head() {
    let World { app, .. } = world();
    as_owner(&app, |conn| {
        diesel::delete(audit_unsealed::table).execute(conn).unwrap();
        diesel::delete(audit_seals::table).execute(conn).unwrap();
        diesel::delete(audit_events::table).execute(conn).unwrap();
    });
    assert_eq!(checked(&app, &[]).0, 3);
    // Nor do new seals cover it up: the head stays until somebody takes it away, and the log says so.
    let old = kept(&app);
    let log = listen();
    for hour in 10..14 {
        app.at(&format!("2026-11-23T{hour}:05:00Z"));
        assert!(seal(&app));
    }
    assert_eq!(kept(&app), old);
    assert!(!log.lines_with("the database lacks the audit seal in").is_empty());
    assert_eq!(faults(&app), [Fault::Replaced]);
    assert_eq!(checked(&app, &[]).0, 1);
    std::fs::remove_file(head::path(&app.key_dir())).unwrap();
    app.at("2026-11-23T15:05:00Z");
    assert!(seal(&app));
    assert_eq!((kept(&app).unwrap().number, checked(&app, &[]).0), (5, 0));
}

#[test]
fn a_seal_that_is_gone_or_whose_row_was_changed_is_found() {
    for (change, fault) in [
        ("DELETE FROM audit_seals WHERE number = 2", vec![Fault::Inserted, Fault::Broken]),
        ("UPDATE audit_seals SET note = 'heartbeat' WHERE number = 2", vec![Fault::Changed]),
        ("UPDATE audit_seals SET count = 1 WHERE number = 2", vec![Fault::Changed]),
        (
            "UPDATE audit_seals SET sealed_at = (SELECT sealed_at FROM audit_seals WHERE number = 1) WHERE number = 2",
            vec![Fault::Changed],
        ),
        (
            "UPDATE audit_seals SET signature = (SELECT signature FROM audit_seals WHERE number = 1) WHERE number = 2",
            vec![Fault::Unsigned],
        ),
    ] {
        let World { app, .. } = world();
        as_owner(&app, |conn| conn.batch_execute(change).unwrap());
        assert_eq!(faults(&app), fault, "{change}");
        assert_eq!(checked(&app, &[]).0, 1, "{change}");
    }
}

#[test]
fn a_check_can_begin_with_a_day_and_takes_a_head_from_elsewhere() {
    let World { app, events } = world();
    let advisor = app.advisor();
    let cleo = member_row(&app, "Cleo", "Other");
    app.at("2026-11-24T09:00:00Z");
    look(&advisor, std::slice::from_ref(&cleo));
    assert!(seal(&app));
    app.at("2026-11-24T09:01:00Z");
    look(&advisor, std::slice::from_ref(&cleo));
    let aside = app.key_dir().join("aside.json");
    std::fs::copy(head::path(&app.key_dir()), &aside).unwrap();
    let from = ["--from", "2026-11-24", "--head", aside.to_str().unwrap()];
    let (code, said) = checked(&app, &from);
    assert_eq!(code, 0, "{said}");
    // The seal before that day is read too, with its two events; the day's own seal has two that had waited since then.
    assert!(said.contains("Read 2 seals and 6 events; 1 of them wait"), "{said}");
    as_owner(&app, |conn| diesel::delete(audit_events::table.find(events[0])).execute(conn).unwrap());
    assert_eq!(checked(&app, &from).0, 0, "it happened before");
    assert_eq!(checked(&app, &[]).0, 1);
    assert_eq!(checked(&app, &["--from", "2027-01-01"]).0, 0);
    for wrong in
        [&["--from", "monday"][..], &["--expect", "3"], &["--expect", "0:ab"], &["--head", "/nowhere/head.json"]]
    {
        assert_eq!(checked(&app, wrong).0, 2, "{wrong:?}");
    }
}

#[test]
fn a_crash_before_the_commit_of_a_seal_or_between_it_and_the_head_loses_nothing() {
    let World { app, .. } = world();
    let before = (seals(&app), kept(&app));
    let waiting = || -> Vec<Id> {
        let keys = audit_unsealed::table.order(audit_unsealed::first_id).select(audit_unsealed::first_id);
        keys.load(&mut app.conn()).unwrap()
    };
    let keys = waiting();
    // The server dies before the commit: the seal isn't there, and what it had taken away waits again.
    let mut next = before.0.last().unwrap().clone();
    next.number += 1;
    let refused = app.conn().transaction::<(), diesel::result::Error, _>(|conn| {
        assert!(add(conn, &next, &keys).unwrap());
        assert_eq!(audit_unsealed::table.count().get_result::<i64>(conn).unwrap(), 0);
        Err(diesel::result::Error::RollbackTransaction)
    });
    assert!(refused.is_err());
    assert_eq!((seals(&app), waiting(), keys.len()), (before.0, keys.clone(), 2));
    assert_eq!(checked(&app, &[]).0, 0);
    // It dies after the commit: the head is one seal behind.
    assert!(seal(&app));
    let path = head::path(&app.key_dir());
    std::fs::write(&path, serde_json::to_vec(&before.1.unwrap()).unwrap()).unwrap();
    assert_eq!(checked(&app, &[]).0, 0);
    app.at("2026-11-23T11:00:00Z");
    assert!(seal(&app));
    assert_eq!((kept(&app).unwrap().number, checked(&app, &[]).0), (5, 0));
}

#[test]
fn servers_that_seal_at_the_same_time_do_not_fork_the_chain() {
    let app = App::start();
    let advisor = app.advisor();
    let members: Vec<String> = (0..4).map(|number| member_row(&app, "Ann", &format!("N{number}"))).collect();
    for _ in 0..8 {
        look(&advisor, &members);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    // A server whose lease has run out while it was frozen.
                    let db = Db::open(&app.location).unwrap();
                    let sealing = sealing::seal_some(&db, &app.clock, &app.state.tokens);
                    actix_web::rt::System::new().block_on(sealing).unwrap();
                });
            }
        });
    }
    let chain = seals(&app);
    assert!(chain.iter().zip(1..).all(|(seal, number)| seal.number == number));
    let ids: Vec<Id> =
        chain.iter().flat_map(|seal| ids_in(seal.event_ids.as_deref().unwrap_or_default()).unwrap()).collect();
    assert_eq!((ids.len(), ids.iter().collect::<BTreeSet<_>>().len()), (32, 32), "each event in one seal");
    assert_eq!(faults(&app), []);
}

#[test]
fn seals_of_a_retired_key_and_of_a_stolen_one_can_still_be_checked() {
    let World { app, .. } = world();
    let old = seals(&app).pop().unwrap().key_id;
    rotate(&app.key_dir(), app.clock.now(), true).unwrap();
    app.at("2026-11-23T09:10:00Z");
    assert!(seal(&app));
    let new = seals(&app).pop().unwrap().key_id;
    assert_ne!(old, new);
    assert!(!app.key_dir().join("0001.der").exists() && app.key_dir().join(format!("{old}.pub")).exists());
    assert_eq!(checked(&app, &[]).0, 0);
    // A public half is no secret: others may read its file.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let open = std::fs::Permissions::from_mode(0o644);
        std::fs::set_permissions(app.key_dir().join(format!("{old}.pub")), open).unwrap();
        assert_eq!(checked(&app, &[]).0, 0);
    }
    std::fs::remove_file(app.key_dir().join(format!("{old}.pub"))).unwrap();
    assert_eq!(faults(&app), [Fault::Unsigned]);
}

#[test]
fn the_audit_and_its_seals_refuse_to_be_changed() {
    let World { app, .. } = world();
    let mut conn = app.conn();
    let mut statements = vec![
        "UPDATE audit_events SET action = 'read'",
        "UPDATE audit_seals SET note = NULL",
        "DELETE FROM audit_events",
        "DELETE FROM audit_seals",
    ];
    match conn {
        Conn::Postgres(_) => statements.extend([
            "TRUNCATE audit_events",
            "TRUNCATE audit_seals",
            "INSERT INTO audit_events SELECT * FROM audit_events ON CONFLICT (id) DO UPDATE SET action = 'x'",
        ]),
        Conn::Sqlite(_) => statements.extend([
            "INSERT OR REPLACE INTO audit_events SELECT * FROM audit_events",
            "INSERT OR REPLACE INTO audit_seals SELECT * FROM audit_seals",
        ]),
    }
    for statement in statements {
        let refused = conn.batch_execute(statement).unwrap_err().to_string();
        assert!(refused.contains("can only be added to"), "{statement}: {refused}");
    }
    assert_eq!(checked(&app, &[]).0, 0);
}

#[test]
fn what_existed_before_there_were_seals_is_in_the_first_ones() {
    let World { app, events } = world();
    let database = if matches!(app.conn(), Conn::Sqlite(_)) { "sqlite" } else { "postgres" };
    let folder = format!("{}/migrations/{database}/20261201000000_who_looked", env!("CARGO_MANIFEST_DIR"));
    let sql = |name: &str| std::fs::read_to_string(format!("{folder}/{name}.sql")).unwrap();
    app.conn().batch_execute(&sql("down")).unwrap();
    app.conn().batch_execute(&sql("up")).unwrap();
    std::fs::remove_file(head::path(&app.key_dir())).unwrap();
    let report_before = report(&app);
    assert_eq!((report_before.waiting, report_before.faults.len()), (8, 0));
    assert!(seal(&app));
    let first = seals(&app).remove(0);
    assert_eq!((first.count, first.note.as_deref()), (8, Some("started")));
    assert_eq!(ids_in(&first.event_ids.unwrap()).unwrap(), events);
    assert_eq!(checked(&app, &[]).0, 0);
}

/// The two databases write the same event down differently, and give it the same hash: the unit test in
/// `src/audit/hash.rs` holds that of this event to what another program works out.
#[test]
fn an_event_has_the_same_hash_on_both_databases() {
    let app = App::start();
    let id = |number: u128| Id(uuid::Uuid::from_u128(number));
    let at = life_rooms::db::Timestamp(chrono::DateTime::from_timestamp_micros(1_795_000_000_123_456).unwrap());
    let row = (
        (audit_events::id.eq(id(1)), audit_events::at.eq(at), audit_events::actor_kind.eq("user")),
        (audit_events::actor_id.eq(id(2)), audit_events::action.eq("read"), audit_events::member_id.eq(id(3))),
        (audit_events::resource_kind.eq("member"), audit_events::resource_id.eq(id(3))),
        (audit_events::fields.eq(Json(vec!["bookings", "é"])), audit_events::request_id.eq("r")),
        (audit_events::actor_role.eq("advisor"), audit_events::purpose.eq("support")),
    );
    diesel::insert_into(audit_events::table).values(row).execute(&mut app.conn()).unwrap();
    let hash = hashes_of(&mut app.conn(), &[id(1)]).unwrap()[&id(1)];
    let digits: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(digits, "80f147f3a0145b57046429eccb2f20475b3a0ad4e7d2eb62165ba7f3359e1567");
}
