//! Bounds how many attempts on one account run at the same time. Otherwise a burst of attempts would pass the look at the
//! buckets before the first of them is counted.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::{Error, Result};

/// How many attempts on one account run at the same time.
const AT_ONCE: usize = 2;
/// How long an attempt waits for those before it.
const PATIENCE: Duration = Duration::from_secs(2);

type Queues = Arc<Mutex<HashMap<String, Arc<Semaphore>>>>;

/// The turns of this server. Only attempts that run or wait take memory.
#[derive(Default)]
pub struct Turns(Queues);

/// A turn. It ends when it is dropped.
pub struct Turn {
    queues: Queues,
    key: String,
    permit: Option<OwnedSemaphorePermit>,
}

impl Turns {
    /// Waits for a turn. Attempts with the same key wait for each other.
    ///
    /// # Errors
    /// 429 if that takes too long.
    pub async fn wait(&self, key: &str) -> Result<Turn> {
        let queue = {
            let mut queues = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let queue = queues.entry(key.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(AT_ONCE)));
            Arc::clone(queue)
        };
        // Made before the wait, so that the queue is also put away if the client hangs up while it waits.
        let mut turn = Turn { queues: Arc::clone(&self.0), key: key.to_owned(), permit: None };
        let busy = || Error::too_many("Too many passwords for this account at the same time. Try again shortly.", 1);
        let permit = tokio::time::timeout(PATIENCE, queue.acquire_owned()).await.map_err(|_| busy())?;
        turn.permit = Some(permit.map_err(Error::internal)?);
        Ok(turn)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.permit.take());
        // Everybody who runs or waits holds the queue too.
        if queues.get(&self.key).is_some_and(|queue| Arc::strong_count(queue) == 1) {
            queues.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_web::test]
    async fn two_attempts_run_at_once_and_nothing_is_kept_of_them() {
        let turns = Turns::default();
        let (one, two) = (turns.wait("ann").await.unwrap(), turns.wait("ann").await.unwrap());
        let third = turns.wait("ann");
        assert!(futures_util::FutureExt::now_or_never(third).is_none(), "the third waits");
        drop(turns.wait("ben").await.unwrap());
        drop(one);
        let third = turns.wait("ann").await.unwrap();
        assert_eq!(turns.0.lock().unwrap().len(), 1);
        drop((two, third));
        assert!(turns.0.lock().unwrap().is_empty());
    }
}
