//! `life-rooms erasures`: removes what was deleted of erased people from the files of the database.

use clap::{Args, Subcommand};

use super::{Failure, database};
use crate::clock::Clock;
use crate::config::Settings;
use crate::erasures::disk::{Scrubbed, scrub};

#[derive(Subcommand)]
pub(super) enum Erasures {
    /// Remove what was deleted of erased people from the files of the database, as the role that owns the tables
    ///
    /// On PostgreSQL the tables with people's data are written anew, and each is locked meanwhile. Run it at night. With
    /// SQLite the server does this by itself.
    #[command(after_help = "Example:\n  DATABASE_URL=postgres://owner@localhost/life_rooms life-rooms erasures scrub")]
    Scrub(Scrub),
}

#[derive(Args)]
pub(super) struct Scrub {
    #[command(flatten)]
    settings: Settings,
}

/// Runs a command about erasures.
pub(super) fn run(command: &Erasures) -> Result<(), Failure> {
    match command {
        Erasures::Scrub(command) => run_scrub(command),
    }
}

fn run_scrub(command: &Scrub) -> Result<(), Failure> {
    let (db, location) = database::open(&command.settings)?;
    let scrubbing = async { scrub(&db, &location, &Clock::system()).await };
    let Scrubbed { finished, left } = actix_web::rt::System::new().block_on(scrubbing)?;
    println!("Erasures of which nothing is left in the files of the database: {finished} more.");
    if left == 0 {
        return Ok(());
    }
    Err(Failure::new(format!(
        "of {left} erasures something may still be there: the person is still to be told by e-mail, or another program \
         reads an older state of the database. Run this again later"
    )))
}
