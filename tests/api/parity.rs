//! Both databases are the same: one snapshot of the schema serves both runs of the suite.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel::sql_types::{Bool, Integer, Text};
use life_rooms::db::Conn;

use crate::support::App;

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

const POSTGRES: &[&str] = &[
    "SELECT 'column ' || table_name || '.' || column_name || ' ' || CASE data_type WHEN 'uuid' THEN 'blob' WHEN 'bytea' THEN 'blob'
       WHEN 'jsonb' THEN 'text' WHEN 'date' THEN 'text' WHEN 'timestamp with time zone' THEN 'integer'
       WHEN 'boolean' THEN 'integer' WHEN 'bigint' THEN 'integer' WHEN 'double precision' THEN 'real' ELSE data_type END
       || CASE is_nullable WHEN 'NO' THEN ' not null' ELSE '' END AS line
     FROM information_schema.columns WHERE table_schema = current_schema()",
    "SELECT CASE WHEN ix.indisunique THEN 'unique ' ELSE 'index ' END || t.relname || '(' ||
       array_to_string(ARRAY(SELECT a.attname FROM unnest(ix.indkey) WITH ORDINALITY k(n, o)
         JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.n ORDER BY o), ',') || ')'
       || CASE WHEN ix.indpred IS NULL THEN '' ELSE ' partial' END AS line
     FROM pg_index ix JOIN pg_class t ON t.oid = ix.indrelid
     WHERE t.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())",
    "SELECT 'foreign key ' || t.relname || '.' || a.attname || ' ' || r.relname AS line
     FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid JOIN pg_class r ON r.oid = c.confrelid
     JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = ANY (c.conkey)
     WHERE c.contype = 'f' AND t.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())",
];

const SQLITE: &[&str] = &[
    "SELECT 'column ' || m.name || '.' || c.name || ' ' || lower(c.type)
       || CASE WHEN c.\"notnull\" = 1 OR c.pk > 0 THEN ' not null' ELSE '' END AS line
     FROM sqlite_schema m JOIN pragma_table_xinfo(m.name) c WHERE m.type = 'table'",
    "SELECT CASE WHEN i.\"unique\" = 1 THEN 'unique ' ELSE 'index ' END || m.name || '(' ||
       (SELECT group_concat(x.name, ',') FROM pragma_index_info(i.name) x) || ')'
       || CASE WHEN i.partial = 1 THEN ' partial' ELSE '' END AS line
     FROM sqlite_schema m JOIN pragma_index_list(m.name) i WHERE m.type = 'table'",
    "SELECT 'foreign key ' || m.name || '.' || f.\"from\" || ' ' || f.\"table\" AS line
     FROM sqlite_schema m JOIN pragma_foreign_key_list(m.name) f WHERE m.type = 'table'",
];

pub fn describe(conn: &mut Conn) -> BTreeSet<String> {
    let queries = if matches!(conn, Conn::Postgres(_)) { POSTGRES } else { SQLITE };
    let mut lines = BTreeSet::new();
    for query in queries {
        let rows: Vec<Line> = match conn {
            Conn::Postgres(postgres) => diesel::sql_query(*query).load(postgres).unwrap(),
            Conn::Sqlite(sqlite) => diesel::sql_query(*query).load(sqlite).unwrap(),
        };
        lines.extend(
            rows.into_iter().map(|row| row.line).filter(|line| !line.contains("__diesel") && !line.contains("sqlite_")),
        );
    }
    lines
}

/// The lines that make tables and indexes and say what must hold in them, with the names of types taken away.
fn statements(database: &str) -> BTreeSet<String> {
    const TYPES: [(&str, &str); 7] = [
        (" double precision", " real"),
        (" timestamptz", " integer"),
        (" boolean", " integer"),
        (" uuid", " blob"),
        (" jsonb", " text"),
        (" date", " text"),
        (" collate \"c\"", ""),
    ];
    let folder = format!("{}/migrations/{database}", env!("CARGO_MANIFEST_DIR"));
    let mut lines = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let sql = std::fs::read_to_string(entry.unwrap().path().join("up.sql")).unwrap().to_lowercase();
        // SQLite has no type for a flag, so its columns say that it is 0 or 1.
        let lines_of = sql.lines().filter(|line| !line.contains(" in (0, 1))"));
        // `likely` is SQLite's own; PostgreSQL gets it from the migration. Triggers are written differently: what they do is
        // tried in `seals.rs`.
        let lines_of =
            lines_of.filter(|line| !line.starts_with("create function ") && !line.starts_with("create trigger "));
        for line in lines_of.filter(|line| line.contains("check (") || line.starts_with("create ")) {
            let plain = TYPES.iter().fold(line.to_owned(), |line, (name, common)| line.replace(name, common));
            lines.insert(plain.trim().trim_end_matches(',').to_owned());
        }
    }
    lines
}

/// Capacities and the one live booking rest on these: what must hold is written in both databases in the same words.
#[test]
fn both_databases_hold_to_the_same_checks() {
    let (sqlite, postgres) = (statements("sqlite"), statements("postgres"));
    let only = |a: &BTreeSet<String>, b: &BTreeSet<String>| a.difference(b).cloned().collect::<Vec<_>>();
    assert_eq!((only(&sqlite, &postgres), only(&postgres, &sqlite)), (Vec::new(), Vec::new()));
    assert!(sqlite.iter().any(|line| line.contains("seats_taken <= capacity")), "{sqlite:#?}");
}

/// `UPDATE_SNAPSHOTS=1` writes the file anew.
#[test]
fn both_databases_have_the_schema_of_the_snapshot() {
    let app = App::start();
    let found: String = describe(&mut app.conn()).into_iter().map(|line| line + "\n").collect();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/api/snapshots/schema.txt");
    if std::env::var("UPDATE_SNAPSHOTS").is_ok() {
        std::fs::write(path, &found).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap();
    let differ = |a: &str, b: &str| {
        a.lines().filter(|line| !b.lines().any(|l| l == *line)).map(str::to_owned).collect::<Vec<_>>()
    };
    let (new, gone) = (differ(&found, &kept), differ(&kept, &found));
    assert!(new.is_empty() && gone.is_empty(), "new: {new:#?}\ngone: {gone:#?}\nIf it is meant: UPDATE_SNAPSHOTS=1");
}

/// Text sorts by its bytes on PostgreSQL too, whatever the cluster's locale.
#[test]
fn every_text_column_sorts_by_its_bytes() {
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = Integer)]
        wrong: i32,
        #[diesel(sql_type = Bool)]
        sorted: bool,
    }
    let app = App::start();
    let count: Count = match &mut app.conn() {
        Conn::Postgres(postgres) => diesel::sql_query(
            "SELECT count(*)::int AS wrong, ('B' COLLATE \"C\" < 'a' COLLATE \"C\") AS sorted FROM information_schema.columns
             WHERE table_schema = current_schema() AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C'
             AND table_name NOT LIKE '%diesel%'",
        )
        .get_result(postgres)
        .unwrap(),
        Conn::Sqlite(sqlite) => diesel::sql_query("SELECT 0 AS wrong, 'B' < 'a' AS sorted").get_result(sqlite).unwrap(),
    };
    assert_eq!((count.wrong, count.sorted), (0, true));
}

/// Both databases have the same migrations, by name; each runs once, and running them twice does nothing.
#[test]
fn migrations_run_once() {
    let names = |database: &str| -> BTreeSet<String> {
        let path = format!("{}/migrations/{database}", env!("CARGO_MANIFEST_DIR"));
        let entries = std::fs::read_dir(path).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    };
    assert_eq!(names("sqlite"), names("postgres"));
    let folder = std::env::temp_dir().join(format!("life-rooms-migrate-{}.db", uuid::Uuid::new_v4()));
    let location = life_rooms::db::Location::Sqlite(folder.display().to_string());
    assert_eq!(life_rooms::db::migrate::run(&location).unwrap().len(), names("sqlite").len());
    assert_eq!(life_rooms::db::migrate::run(&location).unwrap(), Vec::<String>::new());
    let _ = std::fs::remove_file(folder);
}
