//! Random secrets and how they are stored.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::{Error, Result};

/// A new secret of 32 random bytes, as text.
pub fn new_secret() -> Result<String> {
    random_text(32)
}

/// Text made from this many random bytes.
pub fn random_text(bytes: usize) -> Result<String> {
    let mut buffer = vec![0u8; bytes];
    aws_lc_rs::rand::fill(&mut buffer).map_err(|_| Error::internal("no randomness"))?;
    Ok(URL_SAFE_NO_PAD.encode(buffer))
}

/// A random secret as it is stored. 32 random bytes can't be guessed, so a plain digest is enough.
pub fn stored(secret: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, secret.as_bytes()))
}

/// Whether two texts are the same. The comparison takes the same time wherever they differ, so timing tells nothing.
pub fn same(a: &str, b: &str) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(a.as_bytes(), b.as_bytes()).is_ok()
}
