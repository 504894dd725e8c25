//! `ETag`, `If-Match` and `If-None-Match` (RFC 9110): nobody's change is lost, and what hasn't changed isn't sent.

use super::context::Context;
use crate::error::{Error, Kind, Result};

/// The `ETag` of a version.
pub fn etag(version: i32) -> String {
    format!("\"{version}\"")
}

impl Context {
    /// For PATCH and PUT: the client must say which version it changes.
    ///
    /// # Errors
    /// 428 where `If-Match` is missing, 412 where it names another version.
    pub fn require_match(&self, version: i32) -> Result<()> {
        if self.if_match().is_none() {
            return Err(Error::new(
                Kind::PreconditionRequired,
                "Send If-Match with the ETag of what you read, so that nobody's change is lost.",
            ));
        }
        self.check_match(version)
    }

    /// For DELETE and actions: checked where the client says it.
    ///
    /// # Errors
    /// 412 where `If-Match` names another version.
    pub fn check_match(&self, version: i32) -> Result<()> {
        let Some(wanted) = self.if_match() else { return Ok(()) };
        // A session's tag is its version and a digest of what may change without a new version: seats, its venue.
        let is_this = |tag: &str| tag == "*" || tag.trim_matches('"').split('-').next() == Some(&version.to_string());
        if wanted.split(',').map(str::trim).any(|tag| !tag.starts_with("W/") && is_this(tag)) {
            return Ok(());
        }
        Err(Error::new(
            Kind::PreconditionFailed,
            format!("It has changed: the present version is {version}. Read it again and repeat your change."),
        ))
    }

    /// Whether the client already holds this, by weak comparison.
    pub(super) fn holds(&self, etag: &str) -> bool {
        let bare = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
        self.if_none_match().is_some_and(|tags| tags.split(',').any(|tag| tag.trim() == "*" || bare(tag) == bare(etag)))
    }
}
