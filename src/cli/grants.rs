//! `life-rooms grants`: what the role of the server may do, where another role owns the tables.

use clap::Args;

use super::Failure;
use crate::db::migrate;

#[derive(Args)]
pub(super) struct Grants {
    /// The role of the server
    #[arg(long, value_name = "NAME", value_parser = role)]
    role: String,
}

/// The tables that the server doesn't change as it likes, with what it may do.
const NARROW: [(&str, &str); 5] = [
    ("__diesel_schema_migrations", "SELECT"),
    ("audit_events", "SELECT, INSERT"),
    ("audit_seals", "SELECT, INSERT"),
    ("audit_unsealed", "SELECT, INSERT, DELETE"),
    // A consent is never changed; merged records and erased ones are the exception.
    ("consents", "SELECT, INSERT, UPDATE (member_id, evidence)"),
];

fn role(text: &str) -> Result<String, String> {
    let is_name = !text.is_empty() && !text.contains(char::is_control) && !text.contains("$$");
    if is_name { Ok(text.to_owned()) } else { Err("must be the name of a role".into()) }
}

/// Prints the statements. They are for PostgreSQL: an SQLite file has no roles.
pub(super) fn run(command: &Grants) -> Result<(), Failure> {
    let role = format!("\"{}\"", command.role.replace('"', "\"\""));
    println!("-- To be run by the role that owns the tables, in their database and with their schema as search_path.");
    println!(
        "DO $$ BEGIN EXECUTE format('GRANT USAGE ON SCHEMA %I TO %s', current_schema(), {}); END $$;",
        quoted(&role)
    );
    for table in migrate::table_names()? {
        let narrow = NARROW.iter().find(|(name, _)| *name == table).map(|(_, rights)| *rights);
        println!("REVOKE ALL ON {table} FROM {role};");
        println!("GRANT {} ON {table} TO {role};", narrow.unwrap_or("SELECT, INSERT, UPDATE, DELETE"));
    }
    Ok(())
}

/// A text as PostgreSQL reads it.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
