//! Rosters are planned one after the other: a year of sessions, planned, takes several times the memory of its body.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::budget::Reservation;
use crate::error::{Error, Result};

/// The longest wait for the rosters before.
const PATIENCE: Duration = Duration::from_secs(30);

/// Whose turn it is to plan a roster.
#[derive(Debug)]
pub struct PlanTurns {
    plans: Arc<Semaphore>,
}

impl Default for PlanTurns {
    fn default() -> Self {
        Self { plans: Arc::new(Semaphore::new(1)) }
    }
}

impl PlanTurns {
    /// Waits for a turn. It lasts from the making of the plan until the plan has been applied.
    ///
    /// # Errors
    /// 503 where that takes too long.
    pub async fn for_request(&self) -> Result<Reservation> {
        tokio::time::timeout(PATIENCE, self.for_job()).await.map_err(|_| Error::overloaded())?
    }

    /// Waits for a turn, however long that takes: nobody waits for a job.
    ///
    /// # Errors
    /// None.
    pub async fn for_job(&self) -> Result<Reservation> {
        Arc::clone(&self.plans).acquire_owned().await.map(Reservation).map_err(Error::internal)
    }
}
