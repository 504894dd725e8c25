//! `life-rooms keys`: makes a new signing key.

use clap::{Args, Subcommand};

use super::Failure;
use crate::auth::signing_keys;
use crate::clock::Clock;
use crate::config::Settings;

#[derive(Subcommand)]
pub(super) enum Keys {
    /// Make a new signing key; running servers take it up by themselves, and nobody is logged out
    #[command(after_help = "Example:\n  LIFE_ROOMS_KEY_DIR=/var/lib/life-rooms/keys life-rooms keys rotate")]
    Rotate(Rotate),
}

#[derive(Args)]
pub(super) struct Rotate {
    #[command(flatten)]
    settings: Settings,
    /// The old keys may be in wrong hands: their tokens end within seconds, and clients must get new ones
    #[arg(long)]
    stolen: bool,
}

/// Runs a command about keys.
pub(super) fn run(command: &Keys) -> Result<(), Failure> {
    match command {
        Keys::Rotate(rotate) => run_rotate(rotate),
    }
}

fn run_rotate(command: &Rotate) -> Result<(), Failure> {
    let folder = command.settings.key_dir().map_err(Failure::usage)?;
    let made = signing_keys::rotate(&folder, Clock::system().now(), command.stolen)?;
    println!("Made the signing key {}. It signs from {} on.", made.id, made.signs_from);
    match made.before_until {
        Some(until) => println!("Tokens of the key before count until {until} at the latest."),
        None => println!("No older key counts any more."),
    }
    Ok(())
}
