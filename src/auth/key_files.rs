//! Secret files in the folder of keys. Only their owner may read them.

use std::fs;
use std::io::{Error as IoError, ErrorKind, Result as IoResult, Write};
use std::path::{Path, PathBuf};

use aws_lc_rs::hmac;

use crate::error::{Error, Result};

/// How many bytes a [secret] has.
const SECRET: usize = 32;

/// The secret key in this file of the folder. If there is none, one is made, with its folder.
///
/// # Errors
/// When the file can't be read or made, holds no key, or may be read by others.
pub fn secret(folder: &Path, name: &str) -> Result<hmac::Key> {
    if let Some(known) = known_secret(folder, name)? {
        return Ok(known);
    }
    let make = || {
        fs::create_dir_all(folder)?;
        make_once(folder, name, &random::<SECRET>()?)
    };
    make().map_err(|e| trouble(folder, e))?;
    known_secret(folder, name)?.ok_or_else(|| trouble(&folder.join(name), "it was removed just now"))
}

/// The secret key in this file of the folder; `None` if there is no such file.
///
/// # Errors
/// When the file can't be read, holds no key, or may be read by others.
pub fn known_secret(folder: &Path, name: &str) -> Result<Option<hmac::Key>> {
    let path = folder.join(name);
    if !fs::exists(&path).map_err(|e| trouble(&path, e))? {
        return Ok(None);
    }
    let bytes = read_private(&path)?;
    if bytes.len() != SECRET {
        return Err(trouble(&path, format!("it must hold {SECRET} bytes; restore it, or remove it to make another")));
    }
    Ok(Some(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
}

/// Makes a file with this name and content, unless the folder has one of this name.
///
/// Servers that start together end up with the same file: each writes a file aside and links it to the name, and only
/// one link can succeed.
///
/// # Errors
/// When the folder can't be read or written.
pub fn make_once(folder: &Path, name: &str, bytes: &[u8]) -> IoResult<()> {
    let aside = folder.join(format!("{}.new", uuid::Uuid::new_v4()));
    write_private(&aside, bytes)?;
    let linked = fs::hard_link(&aside, folder.join(name));
    fs::remove_file(&aside)?;
    match linked {
        Err(e) if e.kind() != ErrorKind::AlreadyExists => Err(e),
        _ => Ok(()),
    }
}

/// Writes a file with this name over the one before. The folder has the old or the new file at each moment.
///
/// # Errors
/// When the folder can't be written.
pub fn replace(folder: &Path, name: &str, bytes: &[u8]) -> IoResult<()> {
    let aside = folder.join(format!("{}.new", uuid::Uuid::new_v4()));
    write_private(&aside, bytes)?;
    fs::rename(aside, folder.join(name))
}

/// Adds bytes to the end of a file, and makes the file if there is none. What was added is on disk when this returns.
///
/// # Errors
/// When the file can't be written.
pub fn append(folder: &Path, name: &str, bytes: &[u8]) -> IoResult<()> {
    let mut options = fs::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(folder.join(name))?;
    file.write_all(bytes)?;
    file.sync_all()?;
    // The name of a new file is on disk when its folder is.
    #[cfg(unix)]
    fs::File::open(folder)?.sync_all()?;
    Ok(())
}

fn write_private(path: &Path, bytes: &[u8]) -> IoResult<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// The content of a secret file.
///
/// # Errors
/// When it can't be read, or when somebody else than its owner may read it.
pub fn read_private(path: &Path) -> Result<Vec<u8>> {
    check_private(path)?;
    fs::read(path).map_err(|e| trouble(path, e))
}

/// Random bytes for a new secret file.
///
/// # Errors
/// When the system has no randomness.
pub fn random<const N: usize>() -> IoResult<[u8; N]> {
    let mut bytes = [0u8; N];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| IoError::other("no randomness"))?;
    Ok(bytes)
}

/// The files of a folder whose names end like this, in the order of their names.
///
/// # Errors
/// When the folder can't be read.
pub fn with_extension(folder: &Path, extension: &str) -> IoResult<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|found| found == extension) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// Checks that nobody but the owner may read a key: whoever reads it can sign tokens of any account.
#[cfg(unix)]
fn check_private(path: &Path) -> Result<()> {
    use std::os::unix::fs::MetadataExt;
    let mode = fs::metadata(path).map_err(|e| trouble(path, e))?.mode();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    let others = format!("other accounts of this machine may read it; run: chmod 600 {}", path.display());
    Err(trouble(path, others))
}

#[cfg(not(unix))]
fn check_private(_: &Path) -> Result<()> {
    Ok(())
}

/// The failure of a key or of the folder of keys.
pub fn trouble(path: &Path, cause: impl std::fmt::Display) -> Error {
    Error::unavailable("The keys can't be used.").because(format!("{}: {cause}", path.display()))
}
