//! How the databases find the messages that are due, among very many that aren't.

use diesel::connection::SimpleConnection;
use life_rooms::config::Config;
use life_rooms::db::Conn;
use life_rooms::mail::store;

use crate::mails::{book, reachable};
use crate::query_plans::{plan, sent_by};
use crate::support::{App, SessionSeed, session_row};

/// Many messages, nearly all of them sent, on PostgreSQL, whose plans follow the numbers of rows.
fn fill(app: &App) {
    if let Conn::Postgres(postgres) = &mut app.conn() {
        let rows = "INSERT INTO messages (id, kind, address, channel, payload, digest_key, status, due_at, created_at) \
            SELECT gen_random_uuid(), 'booked', 'a@example.org', 'email', '{}', 'series:' || n, \
            CASE WHEN n % 100 = 0 THEN 'queued' ELSE 'sent' END, now() + n * interval '1 minute', now() \
            FROM generate_series(1, 20000) n; ANALYZE messages";
        postgres.batch_execute(rows).unwrap();
    }
}

#[test]
fn the_messages_to_send_are_found_by_indexes() {
    let app = App::start();
    fill(&app);
    let (advisor, session) = (app.advisor(), session_row(&app, SessionSeed::default()));
    for name in ["Peg", "Sam"] {
        book(&advisor, &session, &reachable(&app, name));
    }
    app.at("2026-11-23T09:05:00Z");
    let (now, config, holder) = (app.clock.now(), Config::default(), app.clock.new_id());
    let sent = sent_by(&app, |conn| {
        store::is_due(conn, &config, now).unwrap();
        assert_eq!(store::take(conn, holder, now).unwrap().len(), 2);
        store::tried_after(conn, now.plus_seconds(-60), now).unwrap();
    });
    let mut conn = app.conn();
    let (mut seen, mut of_one_mail) = (0, 0);
    for statement in sent.iter().filter(|statement| statement.starts_with("SELECT")) {
        let text = plan(&mut conn, statement).join("\n");
        assert!(!text.contains("SCAN messages") && !text.contains("Seq Scan on messages"), "{statement}\n{text}");
        if statement.contains("`digest_key` IN") {
            assert!(text.contains("messages_digest_index (member_id=? AND digest_key=?)"), "{statement}\n{text}");
            of_one_mail += 1;
        }
        seen += 1;
    }
    // The one that looks whether anything is due, one for each priority, what goes into the same mails, and the count.
    let is_sqlite = matches!(conn, Conn::Sqlite(_));
    assert_eq!((seen, of_one_mail), (6, i32::from(is_sqlite)), "{sent:#?}");
}
