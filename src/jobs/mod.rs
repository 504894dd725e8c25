//! Jobs: long work that goes on after its request was answered (RFC 7240, `respond-async`).
//!
//! - A job and its input are in the database before its request is answered, so a crash loses nothing.
//! - A partner has so many jobs waiting at most ([`store::MOST_WAITING`]), and the partners take turns.
//! - Whoever asked must still have the right to when the job is taken up, and when its effect is written.
//! - The server that took the request starts a job at once. A running job has a lease, which its server renews.
//!   If that server dies, the lease runs out, and any server takes the job up again ([`run::run_due`]).
//! - A job is done exactly once. Its effect and its end are one transaction, and only the lease's holder can commit it.
//! - The resource that adds a kind of job says what that kind does ([`run::Kind`]).
//! - The input is removed when the job has ended. The housekeeping removes the job thirty days later.

pub mod handlers;
pub mod run;
pub mod store;
pub mod types;

crate::routes! {
    handlers: get_job
}
