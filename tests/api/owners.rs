//! On PostgreSQL the tables can belong to another role than the server's.

use diesel::connection::SimpleConnection;
use life_rooms::audit::{self, Event, Subject};
use life_rooms::db::{Conn, Db, Location};
use life_rooms::seals::sealing;

use crate::seals::seal;
use crate::support::{App, member_row};
use crate::upgrades::{run, run_on};

fn printed(app: &App, role: &str) -> String {
    let output = run(app, &["grants", "--role", role]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_grants_let_the_server_only_add_to_the_audit() {
    let app = App::start();
    let sql = printed(&app, "life rooms");
    for line in [
        "GRANT SELECT, INSERT ON audit_events TO \"life rooms\";",
        "GRANT SELECT, INSERT ON audit_seals TO \"life rooms\";",
        "GRANT SELECT, INSERT, DELETE ON audit_unsealed TO \"life rooms\";",
        "GRANT SELECT, INSERT, UPDATE (member_id, evidence) ON consents TO \"life rooms\";",
        "GRANT SELECT ON __diesel_schema_migrations TO \"life rooms\";",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON members TO \"life rooms\";",
    ] {
        assert!(sql.lines().any(|found| found == line), "{line}\n{sql}");
    }
    assert_eq!(run(&app, &["grants", "--role", ""]).status.code(), Some(2));
}

/// A role that owns nothing, on PostgreSQL. Dropped in the end.
struct Server<'a> {
    app: &'a App,
    name: String,
    url: String,
}

impl Drop for Server<'_> {
    fn drop(&mut self) {
        let name = &self.name;
        let _ = self.app.conn().batch_execute(&format!("DROP OWNED BY {name}; DROP ROLE {name}"));
    }
}

fn server(app: &App) -> Option<Server<'_>> {
    let Location::Postgres(url) = &app.location else { return None };
    let name = format!("server_{}", uuid::Uuid::new_v4().simple());
    app.conn().batch_execute(&format!("CREATE ROLE {name} LOGIN PASSWORD '{name}'")).unwrap();
    let (_, rest) = url.split_once('@').expect("a user in the URL");
    Some(Server { app, url: format!("postgres://{name}:{name}@{rest}"), name })
}

#[test]
fn the_servers_role_works_with_its_grants_and_leaves_migrations_to_the_owner() {
    let app = App::start();
    // An SQLite file has no roles.
    let Some(server) = server(&app) else { return };
    app.conn().batch_execute(&printed(&app, &server.name)).unwrap();
    let extend = || run_on(&app, &server.url, &["sessions", "extend"]);
    let done = extend();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let ann = member_row(&app, "Ann", "Other");
    app.advisor().get(&format!("/v1/members/{ann}")).expect(200);
    assert!(seal(&app));
    // What the server does with the audit, as this role.
    let db = Db::open(&Location::Postgres(server.url.clone())).unwrap();
    let event = Event::by_system(&app.clock, "read", Subject::other("venue", app.clock.new_id()), &[]);
    let sealed = async {
        db.write(move |conn| audit::record(conn, std::slice::from_ref(&event))).await.unwrap();
        sealing::seal_some(&db, &app.clock, &app.state.tokens).await.unwrap()
    };
    assert!(!actix_web::rt::System::new().block_on(sealed), "nothing more waits");
    let verified = run_on(&app, &server.url, &["audit", "verify"]);
    assert_eq!(verified.status.code(), Some(0), "{}", String::from_utf8_lossy(&verified.stderr));
    let mut conn: Conn = life_rooms::db::conn::open_postgres(&server.url).unwrap();
    for statement in [
        "UPDATE audit_events SET action = 'x'",
        "DELETE FROM audit_seals",
        "UPDATE consents SET decision = 'given'",
        "DELETE FROM consents",
        "CREATE TABLE mine (id int)",
        "DROP TRIGGER audit_events_only_grow ON audit_events",
    ] {
        let refused = conn.batch_execute(statement).unwrap_err().to_string();
        assert!(refused.contains("permission denied") || refused.contains("must be owner"), "{statement}: {refused}");
    }
    conn.batch_execute("UPDATE consents SET evidence = '' WHERE member_id IS NULL").unwrap();
    // A new version comes: the server says who has to migrate.
    app.conn().batch_execute("DELETE FROM __diesel_schema_migrations WHERE version = '20261201000000'").unwrap();
    for command in [&["sessions", "extend"][..], &["serve", "--bind", "127.0.0.1:0"]] {
        let refused = run_on(&app, &server.url, command);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(1), "{said}");
        assert!(said.contains("lack 20261201000000_who_looked") && said.contains("Run life-rooms migrate"), "{said}");
    }
}
