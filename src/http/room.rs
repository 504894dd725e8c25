//! How much rosters may take of one server at once. A body has up to 16 MiB, and a year of sessions, planned, several
//! times as much: so few bodies are in memory at a time, and one plan.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::body::ROSTER_LIMIT;
use crate::error::{Error, Result};

/// Bytes of all bodies together: three of the largest, or thousands of usual ones.
const BODIES: usize = 3 * ROSTER_LIMIT;
/// The longest wait for the rosters before.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is left for rosters.
#[derive(Debug)]
pub struct Room {
    bodies: Arc<Semaphore>,
    plans: Arc<Semaphore>,
}

/// A part of it, until this is dropped.
#[derive(Debug)]
pub struct Taken {
    permit: OwnedSemaphorePermit,
}

impl Taken {
    /// Gives back what isn't needed.
    pub fn shrink_to(&mut self, size: usize) {
        drop(self.permit.split(self.permit.num_permits().saturating_sub(size)));
    }
}

impl Default for Room {
    fn default() -> Self {
        Self { bodies: Arc::new(Semaphore::new(BODIES)), plans: Arc::new(Semaphore::new(1)) }
    }
}

impl Room {
    /// Room for a body of so many bytes.
    ///
    /// # Errors
    /// 503 where the bodies of others leave too little.
    pub fn for_body(&self, bytes: usize) -> Result<Taken> {
        let bytes = u32::try_from(bytes).map_err(Error::internal)?;
        let permit = Arc::clone(&self.bodies).try_acquire_many_owned(bytes).map_err(|_| Error::overloaded())?;
        Ok(Taken { permit })
    }

    /// Room for a plan, from its making until it has been applied. A request waits for it in its turn.
    ///
    /// # Errors
    /// 503 where that takes too long.
    pub async fn for_plan(&self) -> Result<Taken> {
        tokio::time::timeout(PATIENCE, self.for_plan_of_job()).await.map_err(|_| Error::overloaded())?
    }

    /// The same, however long that takes: nobody waits for a job.
    ///
    /// # Errors
    /// None.
    pub async fn for_plan_of_job(&self) -> Result<Taken> {
        let permit = Arc::clone(&self.plans).acquire_owned().await.map_err(Error::internal)?;
        Ok(Taken { permit })
    }
}
