//! Jobs: long work that goes on after its request was answered (RFC 7240, `respond-async`).
//!
//! - A job and what it works on are in the database before its request is answered, so nothing is lost with a process.
//! - It is started at once by the server that took it in. Whoever runs it holds a lease on it, renewed while it runs; a
//!   job whose lease has run out, because its server died, is taken up by any server ([`run::run_due`]).
//! - It is done exactly once: what it does and that it has ended commit together, and only for the holder of its lease.
//! - What a kind of job does is said by the resource that adds it ([`run::Kind`]).
//! - What it works on is removed when it has ended, and the job itself thirty days later, by the housekeeping.

pub mod handlers;
pub mod run;
pub mod store;
pub mod types;

use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the routes.
pub fn configure(config: &mut ServiceConfig) {
    config.service(handlers::get_job);
}
