//! The file of erased ids, in the key folder: a line for each id, with the day. It isn't in the database, so a backup of
//! the database can't bring back an erased person unnoticed: see [`super::restored`].
//!
//! A record that was merged into the erased one has a line too, because an older backup may hold it as a record of its
//! own.

use std::io::ErrorKind;
use std::path::Path;

use chrono::NaiveDate;

use super::store;
use crate::auth::key_files::{append, trouble};
use crate::db::{Conn, Id};
use crate::error::{Error, Result};
use crate::http::state::State;

/// The name of the file.
pub const FILE: &str = "erasures.log";

/// Adds every executed erasure to the file that isn't in it yet. If a server dies between the two steps, the file gets a
/// line twice, which does no harm.
///
/// # Errors
/// When the file or the database can't be written. The task tries it again.
pub async fn write_down(state: &State) -> Result<()> {
    let unlogged = state.db.read(store::unlogged).await?;
    if unlogged.is_empty() {
        return Ok(());
    }
    let line = |id: &Id, day: &NaiveDate| format!("{day} {id}\n");
    let lines: String = unlogged.iter().flat_map(|(_, ids, day)| ids.iter().map(move |id| line(id, day))).collect();
    let folder = state.tokens.folder().to_owned();
    let appended = actix_web::web::block(move || append_lines(&folder, &lines));
    appended.await.map_err(Error::blocking)??;
    let ids: Vec<Id> = unlogged.into_iter().map(|(id, ..)| id).collect();
    state.db.write(move |conn: &mut Conn| store::set_logged(conn, &ids)).await
}

fn append_lines(folder: &Path, lines: &str) -> Result<()> {
    let path = folder.join(FILE);
    // A server that died while it wrote may have left half a line.
    let is_whole = match std::fs::read(&path) {
        Ok(bytes) => bytes.last().is_none_or(|last| *last == b'\n'),
        Err(error) if error.kind() == ErrorKind::NotFound => true,
        Err(error) => return Err(trouble(&path, error)),
    };
    let text = if is_whole { lines.to_owned() } else { format!("\n{lines}") };
    append(folder, FILE, text.as_bytes()).map_err(|error| trouble(&path, error))
}

/// The ids in the file, each with the day of its erasure. A line that can't be read is left out, and the log says so.
///
/// # Errors
/// When the file can't be read.
pub fn read(folder: &Path) -> Result<Vec<(Id, NaiveDate)>> {
    let path = folder.join(FILE);
    let text = match std::fs::read(&path) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(trouble(&path, error)),
    };
    let mut named = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        match parsed(line) {
            Some(entry) => named.push(entry),
            None => log::warn!("line {} of {} can't be read and is left out", number + 1, path.display()),
        }
    }
    Ok(named)
}

fn parsed(line: &str) -> Option<(Id, NaiveDate)> {
    let (day, id) = line.trim().split_once(' ')?;
    Some((id.parse().ok()?, day.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_added_is_read_back_and_half_a_line_spoils_only_itself() {
        let folder = std::env::temp_dir().join(format!("life-rooms-journal-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir_all(&folder).unwrap();
        assert_eq!(read(&folder).unwrap(), []);
        let (one, other) = ("0199d2f0-7a3c-7bbd-a1f5-3d2c5a0e9b41", "0199d2f0-7a3c-7bbd-a1f5-3d2c5a0e9b42");
        append_lines(&folder, &format!("2026-11-23 {one}\n")).unwrap();
        append(&folder, FILE, b"2026-11-24 0199d2").unwrap();
        append_lines(&folder, &format!("2026-11-24 {other}\n")).unwrap();
        let entry = |day: &str, id: &str| (id.parse::<Id>().unwrap(), day.parse::<NaiveDate>().unwrap());
        assert_eq!(read(&folder).unwrap(), [entry("2026-11-23", one), entry("2026-11-24", other)]);
        std::fs::remove_dir_all(folder).unwrap();
    }
}
