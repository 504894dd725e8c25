//! Limits how many bytes of large bodies one server keeps in memory at once.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::body::ROSTER_LIMIT;
use crate::error::{Error, Result};

/// The limit for all large bodies together: three of the largest, or thousands of usual size.
const BODIES: usize = 3 * ROSTER_LIMIT;

/// The memory that large bodies may still take.
#[derive(Debug)]
pub struct BodyBudget {
    bytes: Arc<Semaphore>,
}

/// A part of a budget. Dropping the reservation gives its part back.
#[derive(Debug)]
pub struct Reservation(pub OwnedSemaphorePermit);

impl Reservation {
    /// Keeps this many permits and gives the rest back.
    pub fn shrink_to(&mut self, size: usize) {
        drop(self.0.split(self.0.num_permits().saturating_sub(size)));
    }
}

impl Default for BodyBudget {
    fn default() -> Self {
        Self { bytes: Arc::new(Semaphore::new(BODIES)) }
    }
}

impl BodyBudget {
    /// Reserves memory for a body of this many bytes.
    ///
    /// # Errors
    /// 503 if other bodies leave too little memory.
    pub fn reserve(&self, bytes: usize) -> Result<Reservation> {
        let bytes = u32::try_from(bytes).map_err(Error::internal)?;
        let permit = Arc::clone(&self.bytes).try_acquire_many_owned(bytes).map_err(|_| Error::overloaded())?;
        Ok(Reservation(permit))
    }
}
