//! Files with secrets in the key folder. They are made once, and only their owner may read them.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::Path;

use crate::error::{Error, Result};

/// Makes a file with a secret, unless it is there already.
///
/// Servers that start together end up with the same file: each writes its own aside and links it to the name, and only
/// one link can succeed.
pub(super) fn make_once(folder: &Path, name: &str, secret: &[u8]) -> std::io::Result<()> {
    let aside = folder.join(format!("{}.new", uuid::Uuid::new_v4()));
    write_private(&aside, secret)?;
    let linked = fs::hard_link(&aside, folder.join(name));
    fs::remove_file(&aside)?;
    match linked {
        Err(e) if e.kind() != ErrorKind::AlreadyExists => Err(e),
        _ => Ok(()),
    }
}

fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// The bytes of a file with a secret.
///
/// # Errors
/// When the file can't be read, or when others may read it too: whoever reads a key can use it.
pub(super) fn read_private(path: &Path) -> Result<Vec<u8>> {
    check_private(path)?;
    fs::read(path).map_err(|e| key_trouble(path, e))
}

#[cfg(unix)]
fn check_private(path: &Path) -> Result<()> {
    use std::os::unix::fs::MetadataExt;
    let mode = fs::metadata(path).map_err(|e| key_trouble(path, e))?.mode();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    let others = format!("other accounts of this machine may read it; run: chmod 600 {}", path.display());
    Err(key_trouble(path, others))
}

#[cfg(not(unix))]
fn check_private(_: &Path) -> Result<()> {
    Ok(())
}

/// A key that can't be used: 503, and the log says which and why.
pub(super) fn key_trouble(path: &Path, cause: impl std::fmt::Display) -> Error {
    Error::unavailable("The signing keys can't be used.").because(format!("{}: {cause}", path.display()))
}
