//! What every handler shares.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::auth::password::Hasher;
use crate::auth::token::Tokens;
use crate::clock::Clock;
use crate::config::Config;
use crate::db::Db;
use crate::http::budget::BodyBudget;
use crate::rosters::turn::PlanTurns;

/// What every handler shares; cheap to clone.
#[derive(Clone)]
pub struct State {
    /// The doors to the database.
    pub db: Db,
    /// The time and new identifiers.
    pub clock: Clock,
    /// The settings.
    pub config: Arc<Config>,
    /// Makes and verifies access tokens.
    pub tokens: Arc<Tokens>,
    /// Hashes passwords, a few at a time.
    pub hasher: Arc<Hasher>,
    /// The memory for large bodies.
    pub bodies: Arc<BodyBudget>,
    /// Whose turn it is to plan a roster.
    pub plan_turns: Arc<PlanTurns>,
    /// Set when the server has been told to stop.
    pub stop: Arc<AtomicBool>,
}

impl State {
    /// Whether the server has been told to stop and takes no new work.
    pub fn stopping(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}
