//! The commands. Each can run while a server runs.

mod audit;
mod database;
mod demo;
mod erasures;
mod grants;
mod keys;
mod logging;
#[cfg(unix)]
mod memory;
mod postcodes;
mod serve;
mod sessions;
mod settings;
mod user;
mod user_lists;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::Settings;
use crate::db::migrate;
use crate::error::{Error, Kind};

/// The backend of a social-prescribing service: one binary, an SQLite file or PostgreSQL.
#[derive(Parser)]
#[command(name = "life-rooms", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server; migrates the database first, unless its tables belong to another role
    #[command(after_help = "Example:\n  life-rooms serve --bind 127.0.0.1:8080\n  life-rooms serve --demo")]
    Serve(Box<serve::Serve>),
    /// Migrate the database to the schema of this binary
    #[command(after_help = "Example:\n  DATABASE_URL=postgres://app@localhost/life_rooms life-rooms migrate")]
    Migrate {
        #[command(flatten)]
        settings: Settings,
    },
    /// Fill a database that has no members with an example service and made-up people
    #[command(after_help = "Example:\n  DATABASE_URL=sqlite://demo.db life-rooms demo")]
    Demo {
        #[command(flatten)]
        settings: Settings,
    },
    /// Print what the role of the server may do on PostgreSQL, where another role owns the tables
    #[command(
        after_help = "Example:\n  life-rooms grants --role life_rooms_server | psql postgres://owner@localhost/life_rooms"
    )]
    Grants(grants::Grants),
    /// Check that nobody has changed the audit
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Look after what is left of erased people
    #[command(subcommand)]
    Erasures(erasures::Erasures),
    /// Print the OpenAPI document
    #[command(after_help = "Example:\n  life-rooms openapi > openapi/openapi.json")]
    Openapi {
        /// Print YAML instead of JSON
        #[arg(long)]
        yaml: bool,
    },
    /// Look after sessions
    #[command(subcommand)]
    Sessions(sessions::Sessions),
    /// Look after the signing keys
    #[command(subcommand)]
    Keys(keys::Keys),
    /// Import the postcodes of the United Kingdom, so that local authorities are filled in
    #[command(subcommand)]
    Postcodes(postcodes::Postcodes),
    /// Make accounts, set their passwords, unlock, disable and enable them
    #[command(subcommand)]
    User(user::User),
}

/// Reads the command line and runs the command. Exit codes: 0, 1 failure, 2 usage; 3 if an audit is whole but
/// ends early.
pub fn run() -> ExitCode {
    // Database files and keys are for the account that runs the service alone.
    #[cfg(unix)]
    nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o077));
    let cli = Cli::parse();
    #[cfg(unix)]
    if matches!(cli.command, Command::Serve(_)) {
        memory::give_back_at_once();
    }
    let outcome = logging::start().and_then(|()| {
        settings::warn_of_unknown();
        run_command(cli.command)
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("life-rooms: {}", failure.text);
            ExitCode::from(failure.code)
        }
    }
}

fn run_command(command: Command) -> Result<(), Failure> {
    match command {
        Command::Serve(serve) => serve::run(&serve),
        Command::Migrate { settings } => run_migrate(&settings),
        Command::Demo { settings } => demo::run(&settings),
        Command::Grants(grants) => grants::run(&grants),
        Command::Audit(command) => audit::run(&command),
        Command::Erasures(command) => erasures::run(&command),
        Command::Openapi { yaml } => {
            print!("{}", if yaml { crate::app::document_yaml() } else { crate::app::document_json() });
            Ok(())
        }
        Command::Sessions(command) => sessions::run(&command),
        Command::Keys(command) => keys::run(&command),
        Command::Postcodes(command) => postcodes::run(&command),
        Command::User(command) => user::run(&command),
    }
}

/// Why a command failed: a sentence for the operator, and the exit code.
struct Failure {
    text: String,
    code: u8,
}

impl Failure {
    /// The command couldn't be done: exit code 1.
    fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), code: 1 }
    }

    /// The audit is whole, but it ends before what was known of it: exit code 3.
    fn behind(text: impl Into<String>) -> Self {
        Self { text: text.into(), code: 3 }
    }

    /// The settings or arguments are wrong: exit code 2.
    fn usage(text: impl Into<String>) -> Self {
        Self { text: text.into(), code: 2 }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        // A client would be told to look in the log. The operator is told the cause at once.
        match (error.kind(), error.cause()) {
            (Kind::Internal, Some(cause)) => Self::new(format!("something went wrong: {cause}")),
            _ => Self::new(error.to_string()),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::new(error.to_string())
    }
}

fn run_migrate(settings: &Settings) -> Result<(), Failure> {
    let location = settings.location().map_err(Failure::usage)?;
    database::check(&location)?;
    let applied = migrate::run(&location).map_err(|error| database::cannot_use(&location, &error))?;
    match applied.as_slice() {
        [] => println!("The database is up to date."),
        names => println!("Applied: {}", names.join(", ")),
    }
    Ok(())
}
