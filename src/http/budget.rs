//! Limits how many bytes of bodies one server keeps in memory at once: all of them together, and those of each partner,
//! account or network, so that none can keep the others out. Rosters have one budget, and all other bodies another.
//!
//! Of its own share, a body takes at once what it declares. Of what all have, it takes only what has come: somebody who
//! declares much and sends little takes little from the others. Small bodies have room that large ones can't take.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::body::ROSTER_LIMIT;
use crate::error::{Error, Kind, Result};
use crate::line::Owner;

/// How much memory bodies may take, in bytes.
#[derive(Debug)]
struct Bounds {
    /// All of them together.
    all: usize,
    /// Those of one owner.
    share: usize,
    /// Bodies up to this size are small.
    small: usize,
    /// How much more memory small bodies may take, when the limit for all is reached.
    for_small: usize,
}

/// Two and a half of the largest rosters, or thousands of usual size. Small ones have hundreds of sessions. With three, the
/// process came above 150 MiB while one of them was applied.
const ROSTERS: Bounds =
    Bounds { all: 5 * ROSTER_LIMIT / 2, share: ROSTER_LIMIT, small: 256 * 1024, for_small: 4 * 1024 * 1024 };
/// Of the other bodies nearly all are so short that they [need no room](FREE).
const OTHERS: Bounds = Bounds { all: 16 * 1024 * 1024, share: 2 * 1024 * 1024, small: 0, for_small: 0 };
/// Bodies up to this length, other than rosters, are bounded by the number of connections alone.
pub const FREE: usize = 8 * 1024;

/// The memory that bodies may still take.
#[derive(Debug)]
pub struct BodyBudget {
    bounds: &'static Bounds,
    taken: Arc<Mutex<Taken>>,
}

/// How many bytes are reserved.
#[derive(Debug, Default)]
struct Taken {
    /// What has come of all bodies.
    all: usize,
    /// What each owner's bodies declare, or what has come of them if that is more.
    by: HashMap<Owner, usize>,
}

/// A part of a budget. Dropping the reservation gives its part back.
#[derive(Debug)]
pub struct Reservation {
    bounds: &'static Bounds,
    taken: Arc<Mutex<Taken>>,
    owner: Owner,
    /// What it takes of the owner's share.
    share: usize,
    /// What it takes of the memory of all.
    bytes: usize,
}

impl Reservation {
    /// Reserves as many bytes more as are missing to this size.
    ///
    /// # Errors
    /// 429 if other bodies of the same owner leave too little memory of its share, 503 if those of all do. The
    /// reservation then stays as it was.
    pub fn grow_to(&mut self, size: usize) -> Result<()> {
        let mut taken = lock(&self.taken);
        let (share, bytes) = (size.max(self.share), size.max(self.bytes));
        taken.check_share(self.bounds, self.owner, share - self.share)?;
        taken.check_all(self.bounds, size, bytes - self.bytes)?;
        taken.add(self.owner, share - self.share, bytes - self.bytes);
        (self.share, self.bytes) = (share, bytes);
        Ok(())
    }

    /// Keeps this many bytes and gives the rest back.
    pub fn shrink_to(&mut self, size: usize) {
        let (share, bytes) = (size.min(self.share), size.min(self.bytes));
        lock(&self.taken).give_back(self.owner, self.share - share, self.bytes - bytes);
        (self.share, self.bytes) = (share, bytes);
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.shrink_to(0);
    }
}

impl BodyBudget {
    /// The budget of rosters.
    pub fn of_rosters() -> Self {
        Self { bounds: &ROSTERS, taken: Arc::default() }
    }

    /// The budget of all other bodies.
    pub fn of_others() -> Self {
        Self { bounds: &OTHERS, taken: Arc::default() }
    }

    /// Begins a reservation for a body that declares this many bytes. It grows as they come.
    ///
    /// # Errors
    /// 429 if other bodies of the same owner leave too little memory of its share.
    pub fn reserve(&self, owner: Owner, declared: usize) -> Result<Reservation> {
        let mut taken = lock(&self.taken);
        taken.check_share(self.bounds, owner, declared)?;
        taken.add(owner, declared, 0);
        let taken = Arc::clone(&self.taken);
        Ok(Reservation { bounds: self.bounds, taken, owner, share: declared, bytes: 0 })
    }
}

fn lock(taken: &Mutex<Taken>) -> MutexGuard<'_, Taken> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Taken {
    fn check_share(&self, bounds: &Bounds, owner: Owner, more: usize) -> Result<()> {
        let (own, share) = (self.by.get(&owner).copied().unwrap_or_default(), bounds.share);
        if own + more <= share {
            return Ok(());
        }
        let whose = match owner {
            Owner::Service | Owner::Caller(_) => "Your bodies that are being read or worked on",
            Owner::Network(_) => "The bodies without a token that are being read from your network",
        };
        let detail = format!(
            "{whose} take {own} bytes; with this one they may take {share}. Nothing was changed. Send it again when one \
             of them has ended."
        );
        Err(Error::new(Kind::TooMuchAtOnce, detail).retry_after(1))
    }

    /// Checks that there is memory for `more` bytes of a body that then has this size.
    fn check_all(&self, bounds: &Bounds, size: usize, more: usize) -> Result<()> {
        let limit = if size <= bounds.small { bounds.all + bounds.for_small } else { bounds.all };
        if self.all + more <= limit { Ok(()) } else { Err(Error::overloaded()) }
    }

    fn add(&mut self, owner: Owner, share: usize, bytes: usize) {
        self.all += bytes;
        *self.by.entry(owner).or_default() += share;
    }

    fn give_back(&mut self, owner: Owner, share: usize, bytes: usize) {
        self.all = self.all.saturating_sub(bytes);
        if let Some(own) = self.by.get_mut(&owner) {
            *own = own.saturating_sub(share);
        }
        self.by.retain(|_, own| *own > 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Id;

    const SHARE: usize = ROSTERS.share;
    const SMALL: usize = ROSTERS.small;
    const FOR_SMALL: usize = ROSTERS.for_small;

    fn id(number: u128) -> Owner {
        Owner::Caller(Id(uuid::Uuid::from_u128(number)))
    }

    /// A body of which everything has come.
    fn whole(budget: &BodyBudget, owner: u128, bytes: usize) -> std::result::Result<Reservation, Kind> {
        let mut body = budget.reserve(id(owner), bytes).map_err(|error| error.kind())?;
        body.grow_to(bytes).map_err(|error| error.kind())?;
        Ok(body)
    }

    fn refusal(budget: &BodyBudget, owner: u128, bytes: usize) -> Option<Kind> {
        whole(budget, owner, bytes).err()
    }

    #[test]
    fn an_owner_has_a_share_and_what_is_dropped_is_given_back() {
        let budget = BodyBudget::of_rosters();
        let mut first = budget.reserve(id(1), 10).unwrap();
        assert_eq!(refusal(&budget, 1, SHARE), Some(Kind::TooMuchAtOnce));
        first.grow_to(SHARE).unwrap();
        assert_eq!(first.grow_to(SHARE + 1).unwrap_err().kind(), Kind::TooMuchAtOnce);
        let others = [whole(&budget, 2, SHARE).unwrap(), whole(&budget, 3, SHARE / 2).unwrap()];
        assert_eq!(refusal(&budget, 4, SMALL + 1), Some(Kind::Unavailable));
        first.shrink_to(SHARE - SMALL - 1);
        assert_eq!(refusal(&budget, 4, SMALL + 1), None);
        assert_eq!(refusal(&budget, 4, SMALL + 2), Some(Kind::Unavailable));
        drop((first, others));
        assert_eq!(refusal(&budget, 1, SHARE), None);
        assert!(lock(&budget.taken).by.is_empty());
        assert_eq!(lock(&budget.taken).all, 0);
    }

    #[test]
    fn what_is_declared_and_not_sent_takes_nothing_from_others() {
        let budget = BodyBudget::of_rosters();
        let slow: Vec<_> = (1..=9).map(|owner| budget.reserve(id(owner), SHARE).unwrap()).collect();
        assert_eq!(refusal(&budget, 10, SHARE), None);
        drop(slow);
    }

    #[test]
    fn small_bodies_have_room_that_large_ones_can_not_take() {
        let budget = BodyBudget::of_rosters();
        let large =
            [(1, SHARE), (2, SHARE), (3, SHARE / 2)].map(|(owner, bytes)| whole(&budget, owner, bytes).unwrap());
        let small: Vec<_> = (0..FOR_SMALL / SMALL).map(|_| whole(&budget, 4, SMALL).unwrap()).collect();
        assert_eq!(refusal(&budget, 5, 1), Some(Kind::Unavailable));
        drop(small);
        let mut growing = whole(&budget, 4, SMALL).unwrap();
        assert_eq!(growing.grow_to(SMALL + 1).unwrap_err().kind(), Kind::Unavailable);
        drop(large);
        growing.grow_to(SMALL + 1).unwrap();
    }
}
