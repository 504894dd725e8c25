//! A limit in the memory of one server, with a bucket for each key. Its memory is bounded: see [`Limiter::new`].

use std::convert::Infallible;
use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::Clock as GovernorClock;
use governor::middleware::StateInformationMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed, StateStore};
use governor::{Quota, RateLimiter};
use quick_cache::sync::Cache;

use crate::clock::Clock;
use crate::config::Limit;

/// How many buckets are kept. One more takes the place of one that wasn't used for long: whoever asked from it begins
/// with a full bucket again. 100,000 buckets take about 10 MB.
const BUCKETS: usize = 100_000;

/// A limit for each key.
pub struct Limiter<K: Hash + Eq + Clone> {
    limit: Limit,
    /// `None` if there is no limit.
    buckets: Option<RateLimiter<K, Buckets<K>, Ticks, StateInformationMiddleware>>,
}

/// What a limit says of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// The limit.
    pub limit: Limit,
    /// How many more requests are let through at once.
    pub remaining: u32,
    /// In how many seconds the bucket is full again.
    pub full_in: u32,
    /// In how many seconds the next request is let through, if this one isn't.
    pub wait: Option<u32>,
}

impl<K: Hash + Eq + Clone> Limiter<K> {
    /// A limiter with a bucket for each key.
    pub fn new(limit: Limit, clock: &Clock) -> Self {
        Self {
            limit,
            buckets: quota(limit)
                .map(|quota| RateLimiter::new(quota, Buckets::new(limit, clock), Ticks(clock.clone()))),
        }
    }

    /// Counts a request; `None` if there is no limit.
    pub fn count(&self, key: &K) -> Option<Verdict> {
        let buckets = self.buckets.as_ref()?;
        let interval = f64::from(self.limit.seconds) / f64::from(self.limit.count);
        let full_in = |remaining: u32| whole_seconds(f64::from(self.limit.count.saturating_sub(remaining)) * interval);
        Some(match buckets.check_key(key) {
            Ok(state) => {
                let remaining = state.remaining_burst_capacity();
                Verdict { limit: self.limit, remaining, full_in: full_in(remaining), wait: None }
            }
            Err(until) => {
                let wait = until.wait_time_from(buckets.clock().now()).as_secs_f64();
                Verdict { limit: self.limit, remaining: 0, full_in: full_in(0), wait: Some(whole_seconds(wait)) }
            }
        })
    }
}

/// As governor writes a limit: a burst, and the time after which one more is let through.
fn quota(limit: Limit) -> Option<Quota> {
    let burst = NonZeroU32::new(limit.count)?;
    Quota::with_period(Duration::from_secs(limit.seconds.into()) / limit.count).map(|quota| quota.allow_burst(burst))
}

/// At least one: a limit lasts at most thirty days, so this fits.
fn whole_seconds(seconds: f64) -> u32 {
    (seconds.ceil() as u32).max(1)
}

/// The buckets, at most so many. Governor's own stores grow with every key that was ever seen.
struct Buckets<K> {
    /// For each bucket the time at which it is full again, counted from the start.
    full_at: Cache<K, Arc<InMemoryState>>,
    clock: Ticks,
    start: Duration,
    /// How long an empty bucket takes to fill.
    longest: Duration,
}

impl<K: Hash + Eq + Clone> Buckets<K> {
    fn new(limit: Limit, clock: &Clock) -> Self {
        let clock = Ticks(clock.clone());
        // A second more, for what is lost by rounding.
        let longest = Duration::from_secs(u64::from(limit.seconds) + 1);
        Self { full_at: Cache::new(BUCKETS), start: clock.now(), clock, longest }
    }

    /// Whether a bucket can be full at this time. If the machine's clock was set back, it can't: the bucket would let
    /// nothing through until the clock is there again.
    fn is_possible(&self, full_at: Nanos) -> bool {
        Duration::from(full_at) <= self.clock.now().saturating_sub(self.start) + self.longest
    }
}

impl<K: Hash + Eq + Clone> StateStore for Buckets<K> {
    type Key = K;

    fn measure_and_replace<T, F, E>(&self, key: &K, change: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let made = self.full_at.get_or_insert_with(key, || Ok::<_, Infallible>(Arc::default()));
        match made {
            Ok(bucket) => bucket.measure_and_replace(&NotKeyed::NonKey, |full_at| {
                change(full_at.filter(|full_at| self.is_possible(*full_at)))
            }),
            Err(never) => match never {},
        }
    }
}

/// The service's clock in governor's terms: the time since 1970.
struct Ticks(Clock);

impl GovernorClock for Ticks {
    type Instant = Duration;

    fn now(&self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.now().0.timestamp_micros()).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_lets_a_burst_through_and_then_fills_again_evenly() {
        let start = chrono::DateTime::UNIX_EPOCH + chrono::TimeDelta::days(20_000);
        let clock = Clock::stopped_at(start);
        let limiter = Limiter::new(Limit::new(3, 30), &clock);
        let at = |seconds| clock.set(start + chrono::TimeDelta::seconds(seconds));
        let count = |key: u8| limiter.count(&key).map(|verdict| (verdict.remaining, verdict.full_in, verdict.wait));
        assert_eq!(count(1), Some((2, 10, None)));
        assert_eq!(count(1), Some((1, 20, None)));
        assert_eq!(count(1), Some((0, 30, None)));
        assert_eq!(count(1), Some((0, 30, Some(10))));
        assert_eq!(count(2), Some((2, 10, None)), "another key has its own bucket");
        at(9);
        assert_eq!(count(1), Some((0, 30, Some(1))));
        at(10);
        assert_eq!(count(1), Some((0, 30, None)));
        at(1_000);
        assert_eq!(count(1), Some((2, 10, None)), "no more than the burst is saved up");
        for _ in 0..2 {
            count(1);
        }
        assert_eq!(count(1), Some((0, 30, Some(10))));
        at(900);
        assert_eq!(count(1), Some((2, 10, None)), "a clock that is set back holds nobody up");
        assert_eq!(Limiter::new(Limit::OFF, &clock).count(&1), None);
    }

    #[test]
    fn the_memory_for_buckets_is_bounded_however_many_keys_are_seen() {
        let limiter = Limiter::new(Limit::new(3, 30), &Clock::system());
        for key in 0..3 * BUCKETS {
            limiter.count(&key);
        }
        let kept = limiter.buckets.map(|buckets| buckets.into_state_store().full_at.len());
        assert!(kept.is_some_and(|kept| kept > 0 && kept <= BUCKETS + BUCKETS / 10), "{kept:?}");
    }
}
