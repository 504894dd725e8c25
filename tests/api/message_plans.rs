//! How the databases find the messages that are due, among very many that aren't.

use diesel::connection::SimpleConnection;
use life_rooms::config::Config;
use life_rooms::db::Conn;
use life_rooms::mail::store;

use crate::query_plans::{plan, sent_by};
use crate::support::App;

/// Many open messages of many readers, on PostgreSQL, whose plans follow the numbers of rows.
fn fill(app: &App) {
    if let Conn::Postgres(postgres) = &mut app.conn() {
        let rows = "INSERT INTO messages (id, kind, address, channel, payload, digest_key, status, due_at, created_at) \
            SELECT gen_random_uuid(), 'booked', 'a@example.org', 'email', '{}', 'series:' || n, 'queued', \
            now() + n * interval '1 minute', now() FROM generate_series(1, 20000) n; ANALYZE messages";
        postgres.batch_execute(rows).unwrap();
    }
}

#[test]
fn the_messages_to_send_are_found_by_indexes() {
    let app = App::start();
    fill(&app);
    let (now, config, holder) = (app.clock.now(), Config::default(), app.clock.new_id());
    let sent = sent_by(&app, |conn| {
        store::is_due(conn, &config, now).unwrap();
        store::take(conn, holder, now).unwrap();
        store::tried_after(conn, now.plus_seconds(-60), now).unwrap();
    });
    let mut conn = app.conn();
    let mut seen = 0;
    for statement in sent.iter().filter(|statement| statement.starts_with("SELECT")) {
        // PostgreSQL isn't told the types of values that aren't there.
        let steps = plan(&mut conn, statement);
        let text = steps.join("\n");
        assert!(!text.contains("SCAN messages") && !text.contains("Seq Scan on messages"), "{statement}\n{text}");
        if statement.contains("digest_key\" ") && statement.contains("LIMIT") || statement.contains("`digest_key` IN") {
            assert!(
                text.contains("messages_digest_index") || text.contains("messages_member_index"),
                "{statement}\n{text}"
            );
        }
        seen += 1;
    }
    assert!(seen >= 5, "{sent:#?}");
}
