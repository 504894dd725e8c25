//! `life-rooms audit`: checks that nobody has changed the audit.

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{Args, Subcommand};

use super::{Failure, database};
use crate::auth::signing_keys::public_halves;
use crate::clock::london_midnight;
use crate::config::Settings;
use crate::seals::head::{self, Head};
use crate::seals::verify::{Report, Wanted, verify};

#[derive(Subcommand)]
pub(super) enum Audit {
    /// Check that no event was changed, deleted or inserted since it was sealed
    ///
    /// Exit codes: 0 whole; 1 tampered with, without any seal, or the check failed; 3 whole, but it ends before a seal
    /// that was known, so the newest seals were cut off or an older database was restored.
    #[command(after_help = "Example:\n  life-rooms audit verify\n  life-rooms audit verify --from 2027-01-01 \
                            --head /mnt/elsewhere/audit-head.json")]
    Verify(Verify),
}

#[derive(Args)]
pub(super) struct Verify {
    #[command(flatten)]
    settings: Settings,
    /// Begin with the seals of this day (in London)
    #[arg(long, value_name = "DAY")]
    from: Option<NaiveDate>,
    /// The file with the newest seal; by default the one in the key folder
    #[arg(long, value_name = "FILE")]
    head: Option<PathBuf>,
    /// A seal from the log, or written down elsewhere
    #[arg(long, value_name = "NUMBER:ROOT", value_parser = known)]
    expect: Option<Head>,
}

fn known(text: &str) -> Result<Head, String> {
    let read = || {
        let (number, root) = text.split_once(':')?;
        let number = number.parse().ok().filter(|number| *number > 0)?;
        let is_root = root.len() == 64 && root.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_root.then(|| Head { number, root: root.to_lowercase() })
    };
    read().ok_or_else(|| "must be the number of a seal, a colon and its root of 64 digits, as in the log".into())
}

/// Runs a command about the audit.
pub(super) fn run(command: &Audit) -> Result<(), Failure> {
    match command {
        Audit::Verify(command) => run_verify(command),
    }
}

fn run_verify(command: &Verify) -> Result<(), Failure> {
    let folder = command.settings.key_dir().map_err(Failure::usage)?;
    let path = command.head.clone().unwrap_or_else(|| head::path(&folder));
    // The head is read before the database. A server goes on sealing, and must not be taken for one that has lost seals.
    let kept = head::read(&path)?;
    if kept.is_none() && command.head.is_some() {
        return Err(Failure::usage(format!("there is no file {}", path.display())));
    }
    if kept.is_none() && command.expect.is_none() {
        println!("There is no {}: nothing shows whether the newest seals were cut off.", path.display());
    }
    let keys = if folder.is_dir() { public_halves(&folder)? } else { Default::default() };
    let has_keys = !keys.is_empty();
    let known = kept.into_iter().chain(command.expect.clone()).collect();
    let wanted = Wanted { from: command.from.map(london_midnight), known, keys };
    let db = database::open_as_it_is(&command.settings)?;
    let reading = db.read_long(move |conn| verify(conn, &wanted));
    let report = actix_web::rt::System::new().block_on(reading)?;
    if report.seals > 0 && !has_keys {
        // Every seal would look as if somebody else had signed it.
        let folder = folder.display();
        return Err(Failure::usage(format!("there are no keys in {folder}: name the key folder of the server")));
    }
    tell(&report)
}

/// Prints what was found.
fn tell(report: &Report) -> Result<(), Failure> {
    let Report { seals, events, waiting, newest, behind, faults, held: _ } = report;
    println!("Read {seals} seals and {events} events; {waiting} of them wait for their seal.");
    if let Some(newest) = newest {
        println!("The newest seal is {}:{}", newest.number, newest.root);
    }
    for (sentence, count) in faults.values() {
        match count {
            1 => println!("Wrong: {sentence}."),
            _ => println!("Wrong: {sentence}; and {} more of this kind.", count - 1),
        }
    }
    for head in behind {
        println!("Missing: seal {}:{}, which was known, and whatever came after it.", head.number, head.root);
    }
    if !faults.is_empty() {
        return Err(Failure::new("somebody has tampered with the audit"));
    }
    if !behind.is_empty() {
        return Err(Failure::behind("the audit is whole, but it ends early: it was restored, or seals were cut off"));
    }
    if newest.is_none() {
        return Err(Failure::new(
            "there is no seal, so nothing shows whether the audit is whole: no server has sealed it yet",
        ));
    }
    println!("The audit is whole.");
    Ok(())
}
