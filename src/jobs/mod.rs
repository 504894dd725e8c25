//! Jobs: long work that goes on after its request was answered (RFC 7240, `respond-async`).
//!
//! - A job and what it works on are in the database before its request is answered, so nothing is lost with a process.
//! - It is started at once by the server that took it in. Whoever runs it holds a lease on it, renewed while it runs; a
//!   job whose lease has run out, because its server died, is taken up by any server ([`task`]).
//! - It is done exactly once: what it does and that it has ended commit together, and only for the holder of its lease.
//! - What it works on is removed when it has ended, and the job itself thirty days later by the
//!   [housekeeping](crate::housekeeping).

pub mod handlers;
pub mod run;
pub mod store;
pub mod types;

use std::time::Duration;

use utoipa_actix_web::service_config::ServiceConfig;

use crate::background::Task;

/// Registers the routes.
pub fn configure(config: &mut ServiceConfig) {
    config.service(handlers::get_job);
}

/// Takes up what nobody is at.
pub fn task() -> Task {
    Task {
        name: "jobs",
        every: Duration::from_secs(2),
        longest: Duration::from_secs(30),
        due: |conn, _, now| store::is_due(conn, now),
        run: |state| Box::pin(run::run_due(state)),
    }
}
