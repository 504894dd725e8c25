//! Lets a few things be done at a time that take much memory or keep the writer long: planning a roster, because a year of
//! sessions takes several times the memory of the body, and making a very long answer.
//!
//! Owners take turns: the next request of one waits until each other owner that waits has had a turn. After a roster that
//! has kept the writer from others for a while, the next one waits as long. So whatever is posted, the writer belongs to
//! the others for half of the time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot::{self, Receiver, Sender};

use crate::error::{Error, Kind, Result};
use crate::line::{Line, Owner};

/// What a turn is for, and how many there are.
#[derive(Debug)]
struct Rules {
    /// What is done, in the plural.
    what: &'static str,
    /// How many at a time.
    places: usize,
    /// How many requests of one owner may wait.
    most_waiting: usize,
    /// How long a request waits.
    patience: Duration,
}

const ROSTERS: Rules = Rules { what: "rosters", places: 1, most_waiting: 20, patience: Duration::from_secs(30) };
/// A small workbook can take a hundred megabytes while it is unpacked.
const WORKBOOKS: Rules = Rules { what: "workbooks", places: 1, most_waiting: 20, patience: Duration::from_secs(30) };
/// A calendar takes twenty megabytes while it is made.
const LONG_ANSWERS: Rules =
    Rules { what: "requests for long answers", places: 2, most_waiting: 64, patience: Duration::from_secs(5) };

/// Lets a few of a kind be done at a time.
#[derive(Debug)]
pub struct Turns {
    rules: &'static Rules,
    places: Arc<Mutex<Places>>,
}

#[derive(Debug)]
struct Places {
    free: usize,
    /// Until when nobody begins.
    rests_until: Option<Instant>,
    waiting: Line<Owner, Sender<Turn>>,
}

/// One turn. Dropping it passes it on.
#[derive(Debug)]
pub struct Turn {
    /// `None` if there is nothing to pass on.
    places: Option<Arc<Mutex<Places>>>,
    /// How long the next one waits after it, in milliseconds.
    rest: AtomicU64,
}

impl Turn {
    fn of(places: &Arc<Mutex<Places>>) -> Self {
        Self { places: Some(Arc::clone(places)), rest: AtomicU64::new(0) }
    }

    /// Has the next one wait for so long after this turn has ended.
    pub fn rest_after(&self, rest: Duration) {
        self.rest.store(u64::try_from(rest.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Waits until the one before has rested.
    async fn rested(self) -> Self {
        let until = self.places.as_ref().and_then(|places| lock(places).rests_until);
        if let Some(left) = until.and_then(|until| until.checked_duration_since(Instant::now())) {
            tokio::time::sleep(left).await;
        }
        self
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let Some(places) = self.places.take() else { return };
        let rest = Duration::from_millis(*self.rest.get_mut());
        if !rest.is_zero() {
            lock(&places).rests_until = Instant::now().checked_add(rest);
        }
        loop {
            let next = lock(&places).next();
            let Some(next) = next else { return };
            match next.send(Turn::of(&places)) {
                Ok(()) => return,
                // Whoever waited has given up meanwhile.
                Err(mut unused) => unused.places = None,
            }
        }
    }
}

fn lock(places: &Mutex<Places>) -> MutexGuard<'_, Places> {
    places.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Places {
    /// Who gets the place that is free now.
    fn next(&mut self) -> Option<Sender<Turn>> {
        let next = self.waiting.take_next();
        self.free += usize::from(next.is_none());
        next
    }
}

impl Turns {
    fn of(rules: &'static Rules) -> Self {
        let places = Places { free: rules.places, rests_until: None, waiting: Line::default() };
        Self { rules, places: Arc::new(Mutex::new(places)) }
    }

    /// Turns to plan rosters. Keep the turn from making the plan until the plan has been applied.
    pub fn of_rosters() -> Self {
        Self::of(&ROSTERS)
    }

    /// Turns to unpack workbooks.
    pub fn of_workbooks() -> Self {
        Self::of(&WORKBOOKS)
    }

    /// Turns to make answers that can be very long.
    pub fn of_long_answers() -> Self {
        Self::of(&LONG_ANSWERS)
    }

    /// Waits for a turn.
    ///
    /// # Errors
    /// 429 if too many of the same owner wait already, 503 if it takes too long.
    pub async fn for_request(&self, owner: Owner) -> Result<Turn> {
        match self.stand(owner, self.rules.most_waiting, Side::Back)? {
            Standing::First(turn) => Ok(turn.rested().await),
            Standing::Waiting(turn) => match tokio::time::timeout(self.rules.patience, turn).await {
                Ok(turn) => Ok(turn.map_err(Error::internal)?.rested().await),
                Err(_) => Err(Error::overloaded()),
            },
        }
    }

    /// Waits for a turn without a time limit, because no client waits for a job. The job goes before its owner's
    /// requests: the jobs of all others wait for it.
    pub async fn for_job(&self, owner: Owner) -> Result<Turn> {
        match self.stand(owner, usize::MAX, Side::Front)? {
            Standing::First(turn) => Ok(turn.rested().await),
            Standing::Waiting(turn) => Ok(turn.await.map_err(Error::internal)?.rested().await),
        }
    }

    /// How many wait for their turn.
    pub fn waiting(&self) -> usize {
        lock(&self.places).waiting.count()
    }

    fn stand(&self, owner: Owner, most: usize, side: Side) -> Result<Standing> {
        let mut places = lock(&self.places);
        if places.free > 0 {
            places.free -= 1;
            places.waiting.was_served(owner);
            return Ok(Standing::First(Turn::of(&self.places)));
        }
        if places.waiting.keep_of(owner, |waiting| !waiting.is_closed()) >= most {
            return Err(self.too_many(owner, most));
        }
        let (send, turn) = oneshot::channel();
        match side {
            Side::Back => places.waiting.push_back(owner, send),
            Side::Front => places.waiting.push_front(owner, send),
        }
        Ok(Standing::Waiting(turn))
    }

    fn too_many(&self, owner: Owner, most: usize) -> Error {
        let whose = if matches!(owner, Owner::Network(_)) { "from your network" } else { "of yours" };
        let detail = format!(
            "{most} {} {whose} wait for their turn. Nothing was changed. Send this one again when one of them has ended.",
            self.rules.what
        );
        Error::new(Kind::TooMuchAtOnce, detail).retry_after(1)
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
    use crate::db::Id;

    fn id(number: u128) -> Owner {
        Owner::Caller(Id(uuid::Uuid::from_u128(number)))
    }

    #[test]
    fn owners_take_turns_and_who_gives_up_is_passed_over() {
        let turns = Turns::of_rosters();
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
        let (turns, rest) = (Turns::of_rosters(), Duration::from_millis(20));
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
