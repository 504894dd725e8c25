//! A new version on the database of an older one: what a migration can't say in SQL is done before it serves, in
//! pieces, and again for what an older server beside it writes.

use std::process::{Command, Output};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use life_rooms::db::schema::{listing_words, sessions, venue_words};
use life_rooms::db::{Id, Location, migrate};
use life_rooms::error::Error;
use life_rooms::{background, sessions::listings};
use serde_json::Value;

use crate::support::{App, SessionSeed, id, session_row, session_rows, venue};

/// Sessions that an older version has written: none has words to be found by, nor has their venue.
fn filled(many: usize) -> App {
    let app = App::start();
    let place = venue(&app.admin(), "walton", "Liverpool");
    let seed = |_| SessionSeed { title: "Origami", venue_id: Some(id(&place)), ..Default::default() };
    session_rows(&app, (0..many).map(seed));
    diesel::delete(venue_words::table).execute(&mut app.conn()).unwrap();
    diesel::delete(listing_words::table).execute(&mut app.conn()).unwrap();
    app
}

/// The sessions that have words, as everybody else sees them.
fn listed(app: &App) -> i64 {
    let with = sessions::table.filter(sessions::listing_id.is_not_null());
    with.count().get_result(&mut app.conn()).unwrap()
}

fn titles(app: &App) -> Vec<Value> {
    let page = app.anonymous().get("/v1/sessions?q=origami&limit=100").expect(200);
    page["items"].as_array().unwrap().iter().map(|item| item["title"].clone()).collect()
}

fn run_migrate(app: &App) -> Output {
    let url = match &app.location {
        Location::Sqlite(path) => format!("sqlite://{path}"),
        Location::Postgres(url) => url.clone(),
    };
    let command = Command::new(env!("CARGO_BIN_EXE_life-rooms")).arg("migrate").env("DATABASE_URL", url).output();
    command.expect("the binary runs")
}

fn migrate_command(app: &App) -> String {
    let output = run_migrate(app);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn words_are_written_a_piece_at_a_time_and_what_is_written_stays_where_it_breaks_off() {
    let app = filled(1_100);
    let mut seen = Vec::new();
    let broken = migrate::complete(&app.location, |conn| {
        seen.push(listed(&app));
        if seen.len() == 3 {
            // Of this piece nothing stays.
            listings::complete_some(conn, None)?;
            return Err(Error::internal("the power fails"));
        }
        Ok(listings::complete_some(conn, None)? > 0)
    });
    assert!(broken.is_err_and(|error| format!("{error:?}").contains("the power fails")));
    assert_eq!((seen, listed(&app)), (vec![0, 500, 1_000], 1_000));
    assert_eq!(titles(&app).len(), 100, "a page of what has its words by now");

    // The next start goes on from there, and the one after it has nothing to do.
    for _ in 0..2 {
        assert_eq!(migrate_command(&app), "The database is up to date.\n");
        assert_eq!(listed(&app), 1_100);
    }
    let found = app.anonymous().get("/v1/venues?q=walton").expect(200);
    assert_eq!(found["items"].as_array().unwrap().len(), 1, "venues have theirs too");
}

#[test]
fn what_an_older_server_beside_it_writes_is_given_its_words_by_the_server_itself() {
    let app = filled(1);
    let run = || {
        let ran = background::run_if_due(&app.state, listings::TASK, app.clock.new_id());
        actix_web::rt::System::new().block_on(ran).unwrap()
    };
    assert!(life_rooms::tasks::all().iter().any(|task| task.name == listings::TASK.name), "the server has the task");
    assert_eq!(titles(&app).len(), 0);
    assert!(run());
    assert_eq!(titles(&app), ["Origami"]);
    assert!(!run());
    let late: Id = session_row(&app, SessionSeed { title: "More origami", ..Default::default() }).parse().unwrap();
    assert!(run());
    let listing: Option<Id> = sessions::table.find(late).select(sessions::listing_id).first(&mut app.conn()).unwrap();
    assert!(listing.is_some() && titles(&app).len() == 2);
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
    app.conn().batch_execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('20261129000000')").unwrap();
    assert!(
        migrate::run(&app.location).is_err_and(|error| error.to_string().starts_with("The database was made before"))
    );
    // One that knows only the first release is up to date, as any that this binary made.
    let new = "DELETE FROM __diesel_schema_migrations WHERE version < '20261129000000'";
    app.conn().batch_execute(new).unwrap();
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
