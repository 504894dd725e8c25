//! `life-rooms demo`, and what `serve --demo` does before it serves.

use super::Failure;
use crate::clock::Clock;
use crate::config::Settings;
use crate::db::{Db, Location, migrate};
use crate::demo::{self, Outcome};
use crate::http::state::State;

/// The demo's own database, in the folder it is started in.
const FILE: &str = "life-rooms-demo.db";

/// Migrates a database and fills it.
pub(super) fn run(settings: &Settings) -> Result<(), Failure> {
    let location = settings.location().map_err(Failure::usage)?;
    migrate::run(&location)?;
    let db = Db::open(&location)?;
    let filled = actix_web::rt::System::new().block_on(demo::fill(&db, Clock::system().now(), say));
    match filled? {
        Outcome::Filled => {
            println!(
                "The demo is ready. It has no accounts: make one with life-rooms user create, or run life-rooms serve --demo."
            );
            Ok(())
        }
        Outcome::HasMembers => Err(Failure {
            text: "the database has members already, and the demo is only for one without: give it another \
                   DATABASE_URL"
                .to_owned(),
            code: 1,
        }),
    }
}

fn say(text: &str) {
    eprintln!("demo: {text}");
}

/// The settings of `serve --demo`: its own file, with its keys beside it, whatever the environment says.
pub(super) fn settings() -> Settings {
    Settings { database_url: format!("sqlite://{FILE}"), key_dir: None }
}

/// Fills the demo's own database once, and prints an account for each role.
pub(super) async fn prepare(state: &State, url: &str) -> Result<(), Failure> {
    // The accounts are made last: without them an earlier start was cut short.
    demo::fill(&state.db, state.clock.now(), say).await?;
    println!("Accounts of the demo at {url} (their passwords are new at every start):");
    for account in demo::make_accounts(state).await? {
        println!("  {:<8} {:<22} {}", account.role.to_string(), account.email, account.password);
    }
    Ok(())
}

/// Removes the demo's own database where an earlier start was stopped before it was whole.
pub(super) fn clear_unfinished(location: &Location) -> Result<(), Failure> {
    let Location::Sqlite(path) = location else { return Ok(()) };
    if !std::path::Path::new(path).exists() || demo::is_whole(location)? {
        return Ok(());
    }
    say("an earlier start was cut short: beginning again");
    for name in [path.clone(), format!("{path}-wal"), format!("{path}-shm")] {
        match std::fs::remove_file(&name) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    Ok(())
}
