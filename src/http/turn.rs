//! Rosters are planned one at a time, because planning a year of sessions takes several times the memory of the body.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::budget::Reservation;
use crate::error::{Error, Result};

/// How long a request waits for the rosters before it.
const PATIENCE: Duration = Duration::from_secs(30);

/// Lets one roster at a time be planned.
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
    /// Waits for a turn. Keep the turn from making the plan until the plan has been applied.
    ///
    /// # Errors
    /// 503 if that takes too long.
    pub async fn for_request(&self) -> Result<Reservation> {
        tokio::time::timeout(PATIENCE, self.for_job()).await.map_err(|_| Error::overloaded())?
    }

    /// Waits for a turn without a time limit, because no client waits for a job.
    pub async fn for_job(&self) -> Result<Reservation> {
        Arc::clone(&self.plans).acquire_owned().await.map(Reservation).map_err(Error::internal)
    }
}
