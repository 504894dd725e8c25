//! Rosters are planned one at a time, because planning a year of sessions takes several times the memory of the body.
//! Partners take turns: the next roster of one waits until each other partner that waits has had one.
//!
//! After a roster that has kept the writer from others for a while, the next one waits as long. So whatever is posted, the
//! writer belongs to the others for half of the time.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot::{self, Receiver, Sender};

use crate::db::Id;
use crate::error::{Error, Kind, Result};

/// How long a request waits for the rosters before it.
const PATIENCE: Duration = Duration::from_secs(30);
/// How many rosters of one partner may wait.
const MOST_WAITING: usize = 20;

/// Lets one roster at a time be planned.
#[derive(Debug, Default)]
pub struct PlanTurns {
    line: Arc<Mutex<Line>>,
}

/// Who waits.
#[derive(Debug, Default)]
struct Line {
    busy: bool,
    /// Who has the turn or had it last.
    last: Option<Id>,
    /// Until when nobody begins.
    rests_until: Option<Instant>,
    waiting: BTreeMap<Id, VecDeque<Sender<Turn>>>,
}

/// The turn to make a plan. Dropping it passes it on.
#[derive(Debug)]
pub struct Turn {
    /// `None` if there is nothing to pass on.
    line: Option<Arc<Mutex<Line>>>,
    /// How long the next one waits after it, in milliseconds.
    rest: AtomicU64,
}

impl Turn {
    fn of(line: &Arc<Mutex<Line>>) -> Self {
        Self { line: Some(Arc::clone(line)), rest: AtomicU64::new(0) }
    }

    /// Has the next one wait for so long after this turn has ended.
    pub fn rest_after(&self, rest: Duration) {
        self.rest.store(u64::try_from(rest.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Waits until the one before has rested.
    async fn rested(self) -> Self {
        let until = self.line.as_ref().and_then(|line| lock(line).rests_until);
        if let Some(left) = until.and_then(|until| until.checked_duration_since(Instant::now())) {
            tokio::time::sleep(left).await;
        }
        self
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let Some(line) = self.line.take() else { return };
        let rest = Duration::from_millis(*self.rest.get_mut());
        if !rest.is_zero() {
            lock(&line).rests_until = Instant::now().checked_add(rest);
        }
        loop {
            let next = lock(&line).next();
            let Some(next) = next else { return };
            match next.send(Turn::of(&line)) {
                Ok(()) => return,
                // Whoever waited has given up meanwhile.
                Err(mut unused) => unused.line = None,
            }
        }
    }
}

fn lock(line: &Mutex<Line>) -> MutexGuard<'_, Line> {
    line.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Line {
    /// Takes the next one out of the line: the first of the owner whose turn it is.
    fn next(&mut self) -> Option<Sender<Turn>> {
        let after = self.last.map_or(Bound::Unbounded, Bound::Excluded);
        let next = self.waiting.range((after, Bound::Unbounded)).next().or_else(|| self.waiting.first_key_value());
        let Some(owner) = next.map(|(owner, _)| *owner) else {
            self.busy = false;
            return None;
        };
        self.last = Some(owner);
        let queue = self.waiting.get_mut(&owner);
        let first = queue.and_then(VecDeque::pop_front);
        self.waiting.retain(|_, queue| !queue.is_empty());
        first
    }
}

impl PlanTurns {
    /// Waits for a turn. Keep the turn from making the plan until the plan has been applied. `owner` is the partner, or
    /// the account of a caller without one.
    ///
    /// # Errors
    /// 429 if too many of the same owner wait already, 503 if it takes too long.
    pub async fn for_request(&self, owner: Id) -> Result<Turn> {
        match self.stand(owner, MOST_WAITING, Side::Back)? {
            Standing::First(turn) => Ok(turn.rested().await),
            Standing::Waiting(turn) => match tokio::time::timeout(PATIENCE, turn).await {
                Ok(turn) => Ok(turn.map_err(Error::internal)?.rested().await),
                Err(_) => Err(Error::overloaded()),
            },
        }
    }

    /// Waits for a turn without a time limit, because no client waits for a job. The job goes before its owner's
    /// requests: the jobs of all others wait for it.
    pub async fn for_job(&self, owner: Id) -> Result<Turn> {
        match self.stand(owner, usize::MAX, Side::Front)? {
            Standing::First(turn) => Ok(turn.rested().await),
            Standing::Waiting(turn) => Ok(turn.await.map_err(Error::internal)?.rested().await),
        }
    }

    /// How many rosters wait for their turn.
    pub fn waiting(&self) -> usize {
        lock(&self.line).waiting.values().map(VecDeque::len).sum()
    }

    fn stand(&self, owner: Id, most: usize, side: Side) -> Result<Standing> {
        let mut line = lock(&self.line);
        if !line.busy {
            (line.busy, line.last) = (true, Some(owner));
            return Ok(Standing::First(Turn::of(&self.line)));
        }
        let queue = line.waiting.entry(owner).or_default();
        queue.retain(|waiting| !waiting.is_closed());
        if queue.len() >= most {
            let detail = format!(
                "{most} rosters of yours wait for their turn. Nothing was changed. Send this one again when one of them \
                 has ended."
            );
            return Err(Error::new(Kind::TooMuchAtOnce, detail).retry_after(1));
        }
        let (send, turn) = oneshot::channel();
        match side {
            Side::Back => queue.push_back(send),
            Side::Front => queue.push_front(send),
        }
        Ok(Standing::Waiting(turn))
    }
}

/// The end of the queue of its owner at which somebody joins it.
#[derive(Clone, Copy)]
enum Side {
    Front,
    Back,
}

/// How somebody stands in the line.
enum Standing {
    First(Turn),
    Waiting(Receiver<Turn>),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u128) -> Id {
        Id(uuid::Uuid::from_u128(number))
    }

    #[test]
    fn owners_take_turns_and_who_gives_up_is_passed_over() {
        let turns = PlanTurns::default();
        let Standing::First(first) = turns.stand(id(1), 3, Side::Back).unwrap() else { panic!("nobody waits") };
        let waits = |owner| match turns.stand(id(owner), 3, Side::Back) {
            Ok(Standing::Waiting(turn)) => turn,
            Ok(Standing::First(_)) => panic!("it is not free"),
            Err(error) => panic!("{error}"),
        };
        let mut waiting =
            vec![(1, waits(1)), (1, waits(1)), (1, waits(1)), (2, waits(2)), (3, waits(3)), (2, waits(2))];
        assert_eq!(turns.stand(id(1), 3, Side::Back).err().map(|error| error.kind()), Some(Kind::TooMuchAtOnce));
        drop(waiting.remove(4));
        let (mut turn, mut order) = (first, Vec::new());
        while !waiting.is_empty() {
            drop(turn);
            let called: Vec<usize> = (0..waiting.len()).filter(|at| !waiting[*at].1.is_empty()).collect();
            let [at] = called[..] else { panic!("one at a time: {called:?}") };
            let (owner, mut receiver) = waiting.remove(at);
            turn = receiver.try_recv().unwrap();
            order.push(owner);
        }
        assert_eq!(order, [2, 1, 2, 1, 1]);
        drop(turn);
        assert!(matches!(turns.stand(id(9), 3, Side::Back), Ok(Standing::First(_))));
    }
    #[test]
    fn the_next_one_waits_until_a_turn_has_rested() {
        let (turns, rest) = (PlanTurns::default(), Duration::from_millis(20));
        let waited = actix_web::rt::System::new().block_on(async {
            let turn = turns.for_request(id(1)).await.unwrap();
            turn.rest_after(rest);
            let begun = Instant::now();
            drop(turn);
            drop(turns.for_request(id(2)).await.unwrap());
            begun.elapsed()
        });
        assert!(waited >= rest, "{waited:?}");
    }
}
