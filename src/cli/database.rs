//! Opens the database of a command, and explains in plain sentences why a database can't be used.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use super::Failure;
use crate::config::Settings;
use crate::db::{Db, Location, migrate};
use crate::error::Error;

/// The first bytes of every SQLite file (<https://www.sqlite.org/fileformat.html>, 1.3).
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Migrates the database of these settings, if their role may, and opens it.
///
/// # Errors
/// Exit code 2 if the setting can't be read; 1 with a sentence that says what is wrong with the database.
pub(super) fn open(settings: &Settings) -> Result<(Db, Location), Failure> {
    let location = settings.location().map_err(Failure::usage)?;
    check(&location)?;
    migrate::prepare(&location).map_err(|error| cannot_use(&location, &error))?;
    let db = Db::open(&location).map_err(|error| cannot_use(&location, &error))?;
    Ok((db, location))
}

/// Opens the database of these settings as it is: for commands that only look. Makes no file and migrates nothing.
///
/// # Errors
/// Exit code 2 if the setting can't be read; 1 with a sentence if there is no such database, or it has another schema.
pub(super) fn open_as_it_is(settings: &Settings) -> Result<Db, Failure> {
    let location = settings.location().map_err(Failure::usage)?;
    check(&location)?;
    // To open a file that is missing or empty would make a database of it.
    if let Location::Sqlite(path) = &location
        && !Path::new(path).metadata().is_ok_and(|file| file.len() > 0)
    {
        return Err(Failure::new(format!("there is no database {path}, or the file is empty")));
    }
    migrate::check(&location).map_err(|error| cannot_use(&location, &error))?;
    Db::open(&location).map_err(|error| cannot_use(&location, &error))
}

/// Checks the database file before anything is written to it.
///
/// # Errors
/// Exit code 1 with a sentence if the file can't be an SQLite database.
pub(super) fn check(location: &Location) -> Result<(), Failure> {
    let Location::Sqlite(path) = location else { return Ok(()) };
    match wrong_with(Path::new(path)) {
        Some(what) => Err(Failure::new(format!("the database {path} can't be used: {what}"))),
        None => Ok(()),
    }
}

/// Why a path can't be used as an SQLite database; `None` if it can, or if there is no file yet.
fn wrong_with(path: &Path) -> Option<String> {
    if path.is_dir() {
        return Some("it is a folder; DATABASE_URL must name a file".into());
    }
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.is_dir())?;
            return Some(format!("there is no folder {}; make it first", folder.display()));
        }
        Err(error) => return Some(error.to_string()),
    };
    let mut head = Vec::new();
    if let Err(error) = file.by_ref().take(MAGIC.len() as u64).read_to_end(&mut head) {
        return Some(error.to_string());
    }
    let is_one = head.is_empty() || head == MAGIC;
    (!is_one).then(|| {
        "it is a file, but no SQLite database; DATABASE_URL must name one, or a file that doesn't exist yet".into()
    })
}

/// The sentence for a database that can't be opened or migrated.
pub(super) fn cannot_use(location: &Location, error: &Error) -> Failure {
    let what = match location {
        // The URL of a server isn't shown, because it may hold a password.
        Location::Sqlite(path) => format!("the database {path}"),
        Location::Postgres(_) => "the PostgreSQL database of DATABASE_URL".to_owned(),
    };
    let why = error.cause().map_or_else(|| error.to_string(), str::to_owned);
    Failure::new(format!("{what} can't be used: {}", why.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_no_database_is_told_from_one_and_from_nothing() {
        let folder = std::env::temp_dir().join(format!("life-rooms-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = |name: &str, bytes: &[u8]| {
            let path = folder.join(name);
            std::fs::write(&path, bytes).unwrap();
            path
        };
        assert_eq!(wrong_with(&folder.join("not-there.db")), None);
        assert_eq!(wrong_with(&file("empty.db", b"")), None);
        assert_eq!(wrong_with(&file("good.db", b"SQLite format 3\0 and more")), None);
        for (path, words) in [
            (file("garbage.db", b"slug,name\nwalton,Walton\n"), "no SQLite database"),
            (file("short.db", b"SQLite"), "no SQLite database"),
            (folder.clone(), "it is a folder"),
            (folder.join("missing").join("life-rooms.db"), "there is no folder"),
        ] {
            let told = wrong_with(&path).unwrap_or_default();
            assert!(told.contains(words), "{}: {told:?}", path.display());
        }
        std::fs::remove_dir_all(folder).unwrap();
    }
}
