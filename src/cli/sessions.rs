//! `life-rooms sessions`: does at once what the server otherwise does with sessions from time to time.

use clap::{Args, Subcommand};

use super::{Failure, database};
use crate::clock::Clock;
use crate::config::{Horizon, QuotaSettings, Settings};
use crate::sessions::series::top_up::{self, Extended};

#[derive(Subcommand)]
pub(super) enum Sessions {
    /// Make the missing sessions of series without an end, up to the horizon; the server does this every hour by itself
    #[command(after_help = "Example:\n  life-rooms sessions extend --horizon-months 18")]
    Extend(Extend),
}

#[derive(Args)]
pub(super) struct Extend {
    #[command(flatten)]
    settings: Settings,
    #[command(flatten)]
    horizon: Horizon,
    #[command(flatten)]
    quotas: QuotaSettings,
}

/// Runs a command about sessions.
pub(super) fn run(command: &Sessions) -> Result<(), Failure> {
    match command {
        Sessions::Extend(extend) => run_extend(extend),
    }
}

fn run_extend(command: &Extend) -> Result<(), Failure> {
    let ((db, _), clock) = (database::open(&command.settings)?, Clock::system());
    let horizon = command.horizon.day(clock.now());
    let run = top_up::run(&db, &clock, horizon, command.quotas.quotas());
    let Extended { series, sessions, failed, held_back } = actix_web::rt::System::new().block_on(run)?;
    match series {
        0 => println!("No series without an end lacked sessions up to {horizon}."),
        1 => println!("Extended 1 series to {horizon}; new sessions: {sessions}."),
        _ => println!("Extended {series} series to {horizon}; new sessions: {sessions}."),
    }
    if held_back > 0 {
        println!("Not extended because of a quota of their partner: {held_back} series; see the log above.");
    }
    match failed {
        0 => Ok(()),
        _ => Err(Failure::new(format!("{failed} series can't be extended; see the log above"))),
    }
}
