//! Jobs: long work that goes on after its request was answered (RFC 7240, `respond-async`).
//!
//! - A job and its input are in the database before its request is answered, so a crash loses nothing.
//! - The server that took the request starts the job at once. A running job has a lease, which its server renews.
//!   If that server dies, the lease runs out, and any server takes the job up again ([`run::run_due`]).
//! - A job is done exactly once. Its effect and its end are one transaction, and only the lease's holder can commit it.
//! - The resource that adds a kind of job says what that kind does ([`run::Kind`]).
//! - The input is removed when the job has ended. The housekeeping removes the job thirty days later.

pub mod handlers;
pub mod run;
pub mod store;
pub mod types;

use crate::http::operations::Operations;

/// Registers the routes.
pub fn configure(config: &mut Operations) {
    config.service(handlers::get_job);
}
