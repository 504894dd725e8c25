//! A new version on the database of an older one.

use std::process::{Command, Output};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use life_rooms::db::schema::members;
use life_rooms::db::{Location, migrate};
use serde_json::json;

use crate::consents::states;
use crate::support::{App, consent_row, id, member_row, partner_row};

fn run_migrate(app: &App) -> Output {
    run(app, &["migrate"])
}

/// Runs a command on the database of the app.
pub fn run(app: &App, command: &[&str]) -> Output {
    let url = match &app.location {
        Location::Sqlite(path) => format!("sqlite://{path}"),
        Location::Postgres(url) => url.clone(),
    };
    run_on(app, &url, command)
}

/// The same on a database of this URL.
pub fn run_on(app: &App, url: &str, command: &[&str]) -> Output {
    let mut binary = Command::new(env!("CARGO_BIN_EXE_life-rooms"));
    let binary = binary.args(command).env("DATABASE_URL", url).env("LIFE_ROOMS_KEY_DIR", app.key_dir());
    binary.output().expect("the binary runs")
}

pub fn migrate_command(app: &App) -> String {
    let output = run_migrate(app);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_database_from_before_the_first_release_is_refused_with_a_sentence_and_left_as_it_was() {
    let app = App::start();
    let old = "DELETE FROM __diesel_schema_migrations; \
               INSERT INTO __diesel_schema_migrations (version) VALUES ('20261123000000'), ('20261124100000');";
    app.conn().batch_execute(old).unwrap();
    let output = run_migrate(&app);
    assert_eq!(output.status.code(), Some(1));
    let sentence = "The database was made before the first release of Life Rooms and can't be migrated. \
                    Give an empty database in DATABASE_URL; nothing was changed in this one.\n";
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.starts_with("life-rooms: ") && said.ends_with(sentence), "{said}");
    assert!(output.stdout.is_empty());
    // Also where it knows the first release, if it knows something older too.
    let ours = "INSERT INTO __diesel_schema_migrations (version) VALUES ('20261130000000'), ('20261201000000'), \
                 ('20261201000001'), ('20261201000002'), ('20261201000003'), ('20261201000004'), ('20261201000005'), \
                 ('20261201000006'), ('20261201000007'), ('20261201000008'), ('20261201000009'), ('20261201000010'), \
                 ('20261201000011'), ('20261201000012'), ('20261201000015'), ('20261201000016')";
    app.conn().batch_execute(ours).unwrap();
    assert!(
        migrate::run(&app.location).is_err_and(|error| error.to_string().starts_with("The database was made before"))
    );
    // One that knows only this binary's migrations is up to date, as any that this binary made.
    let new = "DELETE FROM __diesel_schema_migrations WHERE version < '20261130000000'";
    app.conn().batch_execute(new).unwrap();
    assert_eq!(migrate_command(&app), "The database is up to date.\n");
}

/// Takes a migration back, as if the database had never had it.
pub fn take_back(app: &App, version: &str) {
    let kind = match app.location {
        Location::Sqlite(_) => "sqlite",
        Location::Postgres(_) => "postgres",
    };
    let folder = format!("{}/migrations/{kind}", env!("CARGO_MANIFEST_DIR"));
    let mut folders = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let found = folders.find(|entry| entry.file_name().to_string_lossy().starts_with(version)).unwrap();
    app.conn().batch_execute(&std::fs::read_to_string(found.path().join("down.sql")).unwrap()).unwrap();
    let forget = format!("DELETE FROM __diesel_schema_migrations WHERE version = '{version}'");
    app.conn().batch_execute(&forget).unwrap();
}

#[test]
fn members_who_are_there_get_the_new_columns_of_the_record() {
    let app = App::start();
    let advisor = app.advisor();
    // Half past midnight in London, where clocks are an hour ahead in summer.
    app.at("2027-06-22T23:30:00Z");
    let body = json!({ "given_name": "Peg", "email": "Peg@Example.org", "postcode": "L9 1AA", "roles": ["public"] });
    let peg = advisor.post("/v1/members", &body).expect(201);
    let consent = json!({ "purpose": "research", "decision": "given", "evidence": "Form" });
    advisor.post(&format!("/v1/members/{}/consents", id(&peg)), &consent).expect(201);
    let versions = ["20261201000004", "20261201000001"];
    for version in versions {
        take_back(&app, version);
    }
    assert_eq!(migrate_command(&app), "Applied: 20261201000001, 20261201000004\n");
    let columns = (members::email_key, members::last_activity_on, members::sound_key);
    let row: (Option<String>, Option<chrono::NaiveDate>, String) =
        members::table.select(columns).first(&mut app.conn()).unwrap();
    // SQLite knows no time zones, so there the migration takes the days of UTC.
    let day = if matches!(app.location, Location::Sqlite(_)) { "2027-06-22" } else { "2027-06-23" };
    assert_eq!(row, (Some("peg@example.org".to_owned()), Some(day.parse().unwrap()), "/PK".to_owned()));
    // A server of the new version shows them as it shows a new member.
    let neighbour = app.beside();
    assert_eq!(advisor.at(&neighbour.url).get(&format!("/v1/members/{}", id(&peg))).expect(200), peg);
}

#[test]
fn consents_that_are_there_get_their_states_from_the_history() {
    let app = App::start();
    let (ann, bob) = (member_row(&app, "Ann", "A"), member_row(&app, "Bob", "B"));
    let (reader, other) = (partner_row(&app, "the-reader"), partner_row(&app, "other"));
    for (second, (member, partner, decision)) in
        [(&ann, &reader, "given"), (&ann, &other, "given"), (&ann, &reader, "withdrawn"), (&bob, &reader, "given")]
            .into_iter()
            .enumerate()
    {
        app.at(&format!("2026-11-23T09:00:0{second}Z"));
        consent_row(&app, member, partner, decision);
    }
    let research = json!({ "purpose": "research", "decision": "given", "evidence": "Form" });
    app.advisor().post(&format!("/v1/members/{bob}/consents"), &research).expect(201);
    let before = states(&app);
    assert_eq!(before.len(), 4);
    take_back(&app, "20261201000003");
    assert_eq!(migrate_command(&app), "Applied: 20261201000003\n");
    assert_eq!(states(&app), before);
}

#[test]
fn an_older_binary_refuses_a_newer_database_and_says_which_migrations_it_does_not_know() {
    let app = App::start();
    let newer = "INSERT INTO __diesel_schema_migrations (version) VALUES ('20990101000000'), ('20990202000000')";
    app.conn().batch_execute(newer).unwrap();
    let sentence = "A newer version of Life Rooms has migrated the database: this version doesn't know 20990101000000, \
                    20990202000000. Start the newer version, or restore the backup that was made before the upgrade. \
                    Nothing was changed.\n";
    for command in [&["migrate"][..], &["serve", "--bind", "127.0.0.1:0"], &["sessions", "extend"]] {
        let output = run(&app, command);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{command:?}: {said}");
        assert!(said.contains("can't be used: ") && said.ends_with(sentence), "{command:?}: {said}");
    }
    let known = diesel::sql_query("DELETE FROM __diesel_schema_migrations WHERE version > '2099'");
    assert_eq!(known.execute(&mut app.conn()).unwrap(), 2, "nothing else was written");
    assert_eq!(migrate_command(&app), "The database is up to date.\n");
}

#[test]
fn a_database_of_something_else_is_refused_and_left_as_it_was() {
    let app = App::start();
    app.conn().batch_execute("DROP TABLE __diesel_schema_migrations").unwrap();
    let output = run_migrate(&app);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("The database holds tables that Life Rooms didn't make."), "{said}");
    assert!(app.conn().batch_execute("SELECT * FROM __diesel_schema_migrations").is_err(), "nothing was added");
}
