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
    let mut conn = conn::open_postgres(&url).expect("the server answers");
    conn.batch_execute(postgres_schema()).expect("the migrations run");
    Location::Postgres(url)
}

/// Every migration in one text, with the record that `migrate` would keep of it: it takes a lock that the tests, which
/// run beside each other, would wait for in turn.
fn postgres_schema() -> &'static str {
    static SQL: OnceLock<String> = OnceLock::new();
    SQL.get_or_init(|| {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/postgres");
        let folders = std::fs::read_dir(folder).expect("the migrations").map(|entry| entry.expect("one").path());
        let mut folders: Vec<_> = folders.collect();
        folders.sort();
        let mut sql = "CREATE TABLE __diesel_schema_migrations (version varchar(50) PRIMARY KEY, \
                       run_on timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP);"
            .to_owned();
        for folder in folders {
            let name = folder.file_name().and_then(|name| name.to_str()).expect("a name");
            let version = name.split('_').next().unwrap_or_default();
            sql += &std::fs::read_to_string(folder.join("up.sql")).expect("the migration");
            sql += &format!(";INSERT INTO __diesel_schema_migrations (version) VALUES ('{version}');");
        }
        sql
    })
}
