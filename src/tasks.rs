//! The lists of all tasks, which the server repeats beside requests, and of all kinds of jobs.

use std::time::Duration;

use crate::background::Task;
use crate::erasures::disk;
use crate::exports::making;
use crate::housekeeping;
use crate::jobs::run::{self, Kind};
use crate::jobs::store;
use crate::mail::sender;
use crate::members::duplicates::nightly;
use crate::rosters::later;
use crate::seals;
use crate::sessions::bookings::{reminders, turnover};
use crate::sessions::series::top_up;
use crate::topics::used;

/// Every kind of job.
pub const JOBS: &[Kind] = &[later::JOB];

/// Every task.
pub fn all() -> Vec<Task> {
    vec![
        turnover::TASK,
        top_up::task(),
        jobs(),
        reminders::TASK,
        sender::TASK,
        nightly::TASK,
        making::TASK,
        housekeeping::TASK,
        seals::TASK,
        disk::TASK,
        used::TASK,
    ]
}

/// The task that runs the jobs that no server runs.
pub fn jobs() -> Task {
    Task {
        name: "jobs",
        every: Duration::from_secs(2),
        longest: Duration::from_secs(30),
        due: |conn, _, now| store::is_due(conn, now),
        run: |state| Box::pin(run::run_due(state, JOBS)),
    }
}
