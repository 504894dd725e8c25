//! Turns a failure of diesel or of a database into an error that the client understands.

use diesel::result::{DatabaseErrorKind, Error as Diesel};

use super::constraints;
use crate::error::{Error, Kind};

impl From<Diesel> for Error {
    fn from(error: Diesel) -> Self {
        match &error {
            Diesel::NotFound => Self::not_found("thing"),
            Diesel::DatabaseError(DatabaseErrorKind::UniqueViolation, info) => {
                constraints::explain(&**info).unwrap_or_else(|| Self::internal(&error))
            }
            Diesel::DatabaseError(DatabaseErrorKind::SerializationFailure, _) => Self::collision(&error),
            Diesel::DatabaseError(DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand, _) => {
                Self::lost(&error)
            }
            // References are checked before they are written. So this failure means that another request deleted or
            // added something in the meantime.
            Diesel::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _) => Self::new(
                Kind::InUse,
                "At the same time, something that this refers to was deleted, or something new refers to this.",
            )
            .because(&error),
            Diesel::DatabaseError(DatabaseErrorKind::NotNullViolation | DatabaseErrorKind::CheckViolation, _) => {
                Self::internal(&error)
            }
            Diesel::DatabaseError(_, info) => by_message(info.message(), &error),
            _ => Self::internal(&error).breaking_connection(),
        }
    }
}

/// Recognises a failure by its message, because diesel has no code for these.
fn by_message(message: &str, cause: &Diesel) -> Error {
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    if says(&["deadlock detected", "could not serialize access"]) {
        return Error::collision(cause);
    }
    if says(&["database or disk is full", "No space left on device"]) {
        let full = Error::new(Kind::InsufficientStorage, "The disk is full. Nothing was changed.");
        return full.because(cause).breaking_connection().retry_after(60);
    }
    if says(&["canceling statement due to lock timeout"]) {
        return Error::overloaded().because(cause).blocked();
    }
    if says(&["canceling statement due to", "idle-in-transaction timeout", "database is locked"]) {
        return Error::overloaded().because(cause);
    }
    let gone = ["server closed the connection", "terminating connection", "connection to server", "no connection"];
    if says(&gone) || says(&["SSL connection has been closed", "could not receive data", "shutting down"]) {
        return Error::lost(cause);
    }
    if says(&["disk I/O error", "out of memory", "database disk image is malformed", "readonly database"]) {
        return Error::unavailable("The database can't write now. Nothing was changed.").because(cause);
    }
    Error::internal(cause).breaking_connection()
}
