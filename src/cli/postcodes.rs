//! `life-rooms postcodes`: imports the postcodes of the United Kingdom.

use clap::{Args, Subcommand};

use super::{Failure, database};
use crate::config::Settings;
use crate::postcodes::import::{self, Failed, Imported};

#[derive(Subcommand)]
pub(super) enum Postcodes {
    /// Import the ONS Postcode Directory or the National Statistics Postcode Lookup, as CSV or zip
    #[command(after_help = "Example:\n  life-rooms postcodes import ONSPD_NOV_2026.zip\n\n\
                            Download the file from https://geoportal.statistics.gov.uk (Open Government Licence).")]
    Import(Import),
}

#[derive(Args)]
pub(super) struct Import {
    /// The file: CSV, or a zip archive with the CSV in it
    file: String,
    #[command(flatten)]
    settings: Settings,
}

/// Runs a command about postcodes.
pub(super) fn run(command: &Postcodes) -> Result<(), Failure> {
    match command {
        Postcodes::Import(import) => run_import(import),
    }
}

fn run_import(command: &Import) -> Result<(), Failure> {
    let (db, _) = database::open(&command.settings)?;
    let imported = actix_web::rt::System::new().block_on(import::run(&db, &command.file));
    let Imported { postcodes, left_out } = imported.map_err(|failed| match failed {
        Failed::File(why) => Failure::new(format!("{}: {why}", command.file)),
        Failed::Database(error) => error.into(),
    })?;
    println!("Imported {postcodes} postcodes.");
    if left_out > 0 {
        println!("Left out {left_out} lines that have no postcode, no local authority of today, or can't be read.");
    }
    Ok(())
}
