//! A fresh database for each test: a copy of an SQLite file migrated once, or a PostgreSQL schema of its own.

use std::path::Path;
use std::sync::OnceLock;

use diesel::connection::SimpleConnection;
use life_rooms::db::{Location, conn, migrate};

pub fn fresh(folder: &Path) -> Location {
    match std::env::var("TEST_DATABASE_URL") {
        Ok(url) => postgres(&url),
        Err(_) => sqlite(folder),
    }
}

fn sqlite(folder: &Path) -> Location {
    static MIGRATED: OnceLock<Vec<u8>> = OnceLock::new();
    let bytes = MIGRATED.get_or_init(|| {
        let path = std::env::temp_dir().join(format!("life-rooms-template-{}.db", uuid::Uuid::new_v4()));
        let location = Location::Sqlite(path.display().to_string());
        migrate::run(&location).expect("the migrations run");
        let mut conn = conn::open_sqlite(&path.display().to_string(), conn::Purpose::Write).expect("it opens");
        conn.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)").expect("all in one file");
        drop(conn);
        let bytes = std::fs::read(&path).expect("the file");
        let _ = std::fs::remove_file(&path);
        bytes
    });
    let path = folder.join("test.db");
    std::fs::write(&path, bytes).expect("the copy");
    Location::Sqlite(path.display().to_string())
}

fn postgres(url: &str) -> Location {
    let schema = format!("test_{}", uuid::Uuid::new_v4().simple());
    let mut conn = conn::open_postgres(url).expect("the server answers");
    conn.batch_execute(&format!("CREATE SCHEMA {schema}")).expect("a schema");
    let mark = if url.contains('?') { '&' } else { '?' };
    let url = format!("{url}{mark}options=-csearch_path%3D{schema}");
    let sql = include_str!("../../../migrations/postgres/20261123000000_first_release/up.sql");
    let mut conn = conn::open_postgres(&url).expect("the server answers");
    conn.batch_execute(sql).expect("the migrations run");
    // As if `migrate` had run, so that commands find nothing left to do.
    conn.batch_execute(
        "CREATE TABLE __diesel_schema_migrations (version varchar(50) PRIMARY KEY, \
         run_on timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP); \
         INSERT INTO __diesel_schema_migrations (version) VALUES ('20261123000000')",
    )
    .expect("the record of it");
    Location::Postgres(url)
}
