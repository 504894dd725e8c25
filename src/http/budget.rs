//! Limits how many bytes of large bodies one server keeps in memory at once: all of them together, and those of each
//! partner, so that none can keep the others out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::body::ROSTER_LIMIT;
use crate::db::Id;
use crate::error::{Error, Kind, Result};

/// The limit for all large bodies together: three of the largest, or thousands of usual size.
const BODIES: usize = 3 * ROSTER_LIMIT;
/// The limit for those of one partner.
const SHARE: usize = ROSTER_LIMIT;

/// The memory that large bodies may still take.
#[derive(Debug, Default)]
pub struct BodyBudget {
    taken: Arc<Mutex<Taken>>,
}

/// How many bytes are reserved, and for whom.
#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by: HashMap<Id, usize>,
}

/// A part of a budget. Dropping the reservation gives its part back.
#[derive(Debug)]
pub struct Reservation {
    taken: Arc<Mutex<Taken>>,
    owner: Id,
    bytes: usize,
}

impl Reservation {
    /// Reserves as many bytes more as are missing to this size.
    ///
    /// # Errors
    /// As [`BodyBudget::reserve`]. The reservation then stays as it was.
    pub fn grow_to(&mut self, size: usize) -> Result<()> {
        let more = size.saturating_sub(self.bytes);
        lock(&self.taken).take(self.owner, more)?;
        self.bytes += more;
        Ok(())
    }

    /// Keeps this many bytes and gives the rest back.
    pub fn shrink_to(&mut self, size: usize) {
        let less = self.bytes.saturating_sub(size);
        lock(&self.taken).give_back(self.owner, less);
        self.bytes -= less;
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.shrink_to(0);
    }
}

impl BodyBudget {
    /// Reserves memory for a body of this many bytes. `owner` is the partner, or the account of a caller without one.
    ///
    /// # Errors
    /// 429 if other bodies of the same owner leave too little memory of its share, 503 if those of all do.
    pub fn reserve(&self, owner: Id, bytes: usize) -> Result<Reservation> {
        lock(&self.taken).take(owner, bytes)?;
        Ok(Reservation { taken: Arc::clone(&self.taken), owner, bytes })
    }
}

fn lock(taken: &Mutex<Taken>) -> MutexGuard<'_, Taken> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Taken {
    fn take(&mut self, owner: Id, bytes: usize) -> Result<()> {
        let own = self.by.get(&owner).copied().unwrap_or_default();
        if own + bytes > SHARE {
            let detail = format!(
                "Your rosters that are being read or applied take {own} bytes; with this one they may take {SHARE}. \
                 Nothing was changed. Send it again when one of them has ended."
            );
            return Err(Error::new(Kind::TooMuchAtOnce, detail).retry_after(1));
        }
        if self.all + bytes > BODIES {
            return Err(Error::overloaded());
        }
        self.all += bytes;
        *self.by.entry(owner).or_default() += bytes;
        Ok(())
    }

    fn give_back(&mut self, owner: Id, bytes: usize) {
        self.all = self.all.saturating_sub(bytes);
        if let Some(own) = self.by.get_mut(&owner) {
            *own = own.saturating_sub(bytes);
        }
        self.by.retain(|_, own| *own > 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_has_a_share_and_what_is_dropped_is_given_back() {
        let (budget, id) = (BodyBudget::default(), |number| Id(uuid::Uuid::from_u128(number)));
        let refused = |owner, bytes| budget.reserve(id(owner), bytes).map(drop).map_err(|error| error.kind());
        let mut first = budget.reserve(id(1), 10).unwrap();
        assert_eq!(refused(1, SHARE), Err(Kind::TooMuchAtOnce));
        first.grow_to(SHARE).unwrap();
        assert_eq!(first.grow_to(SHARE + 1).unwrap_err().kind(), Kind::TooMuchAtOnce);
        let others = [budget.reserve(id(2), SHARE).unwrap(), budget.reserve(id(3), SHARE).unwrap()];
        assert_eq!(refused(4, 1), Err(Kind::Unavailable));
        first.shrink_to(SHARE - 1);
        assert_eq!((refused(4, 1), refused(4, 2)), (Ok(()), Err(Kind::Unavailable)));
        drop((first, others));
        assert_eq!(refused(1, SHARE), Ok(()));
        assert!(lock(&budget.taken).by.is_empty());
    }
}
