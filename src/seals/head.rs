//! The head: number and root of the newest seal, in a file beside the keys. Whoever cuts the newest seals off in the
//! database can't reach the file.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::store;
use crate::auth::key_files::{replace, trouble};
use crate::db::Conn;
use crate::error::Result;
use crate::text::hex::hex;

/// The name of the file.
const FILE: &str = "audit-head.json";

/// A seal by its number and root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The number of the seal.
    pub number: i64,
    /// Its root, as hexadecimal digits.
    pub root: String,
}

/// How a chain compares with a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The chain has the seal of the head.
    Has,
    /// The chain ends before it: its newest seals were cut off, or an older database was restored.
    Behind,
    /// The chain has another seal with its number.
    Differs,
}

impl Head {
    /// The head of a chain that ends with this seal.
    pub fn new(number: i64, root: &[u8]) -> Self {
        Self { number, root: hex(root) }
    }

    /// How the chain in the database compares with this head.
    pub fn standing(&self, conn: &mut Conn) -> Result<Standing> {
        match store::root_of(conn, self.number)? {
            Some(root) if hex(&root) == self.root => Ok(Standing::Has),
            Some(_) => Ok(Standing::Differs),
            // A gap in the chain is found by whoever walks it.
            None if store::last(conn)?.is_some_and(|last| last.number > self.number) => Ok(Standing::Differs),
            None => Ok(Standing::Behind),
        }
    }
}

/// The path of the head in a folder of keys.
pub fn path(folder: &Path) -> PathBuf {
    folder.join(FILE)
}

/// Reads a head; `None` if there is no such file.
///
/// # Errors
/// When the file can't be read or holds no head.
pub fn read(path: &Path) -> Result<Option<Head>> {
    match fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|e| trouble(path, e)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(trouble(path, error)),
    }
}

/// Writes the head of a folder of keys over the one before. Nobody ever sees half of it.
///
/// # Errors
/// When the folder can't be written.
pub fn write(folder: &Path, head: &Head) -> Result<()> {
    let bytes = serde_json::to_vec(head).map_err(crate::error::Error::internal)?;
    replace(folder, FILE, &bytes).map_err(|e| trouble(&path(folder), e))
}
