//! How many bytes of large bodies one server keeps in memory at once.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::body::ROSTER_LIMIT;
use crate::error::{Error, Result};

/// Bytes of all bodies together: three of the largest, or thousands of usual ones.
const BODIES: usize = 3 * ROSTER_LIMIT;

/// The bytes that large bodies may still take.
#[derive(Debug)]
pub struct BodyBudget {
    bytes: Arc<Semaphore>,
}

/// A part of a budget. It goes back when this is dropped.
#[derive(Debug)]
pub struct Reservation(pub OwnedSemaphorePermit);

impl Reservation {
    /// Gives back what isn't needed.
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
    /// 503 where other bodies leave too little.
    pub fn reserve(&self, bytes: usize) -> Result<Reservation> {
        let bytes = u32::try_from(bytes).map_err(Error::internal)?;
        let permit = Arc::clone(&self.bytes).try_acquire_many_owned(bytes).map_err(|_| Error::overloaded())?;
        Ok(Reservation(permit))
    }
}
