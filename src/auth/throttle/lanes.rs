//! Lets a few password hashes run at a time, and those who are likely to be honest first.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::Lane;
use crate::error::{Error, Result};

/// How many may wait in the lanes [`Lane::Known`], [`Lane::New`] and [`Lane::Suspect`]. The next one is refused with 503.
const QUEUES: [usize; 3] = [256, 256, 64];
/// Every fourth place goes to the last lane first, so that nobody waits for ever behind the others.
const TURN_OF_THE_LAST: usize = 4;
/// How long one waits for a place before it is refused with 503.
const PATIENCE: Duration = Duration::from_secs(10);

/// The places for hashes, and who waits for one.
pub struct Lanes(Arc<Mutex<State>>);

struct State {
    free: usize,
    given: usize,
    waiting: [VecDeque<oneshot::Sender<Place>>; 3],
}

/// A place. Dropping it lets the next one in.
pub struct Place(Arc<Mutex<State>>);

impl Lanes {
    /// So many places.
    pub fn new(places: usize) -> Self {
        Self(Arc::new(Mutex::new(State { free: places, given: 0, waiting: Default::default() })))
    }

    /// Waits for a place.
    ///
    /// # Errors
    /// 503 if too many wait in the lane, or if it takes too long.
    pub async fn place(&self, lane: Lane) -> Result<Place> {
        let Some(receiver) = self.line_up(lane)? else { return Ok(Place(Arc::clone(&self.0))) };
        match tokio::time::timeout(PATIENCE, receiver).await {
            Ok(place) => place.map_err(Error::internal),
            Err(_) => Err(Error::overloaded()),
        }
    }

    /// Takes a free place (`None`), or a place in the queue.
    fn line_up(&self, lane: Lane) -> Result<Option<oneshot::Receiver<Place>>> {
        let mut state = lock(&self.0);
        if state.free > 0 {
            state.free -= 1;
            return Ok(None);
        }
        let (queue, most) = (&mut state.waiting[lane as usize], QUEUES[lane as usize]);
        if queue.len() >= most {
            queue.retain(|waiting| !waiting.is_closed());
        }
        if queue.len() >= most {
            return Err(Error::overloaded());
        }
        let (sender, receiver) = oneshot::channel();
        queue.push_back(sender);
        Ok(Some(receiver))
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    /// The next one to be let in.
    fn next(&mut self) -> Option<oneshot::Sender<Place>> {
        self.given += 1;
        let order = if self.given.is_multiple_of(TURN_OF_THE_LAST) { [2, 1, 0] } else { [0, 1, 2] };
        let next = order.into_iter().find_map(|lane| self.waiting[lane].pop_front());
        if next.is_none() {
            self.free += 1;
        }
        next
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let next = lock(&self.0).next();
        if let Some(next) = next {
            // If the one who waited has gone, the place comes back and is dropped here, and so goes to the next.
            drop(next.send(Place(Arc::clone(&self.0))));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[actix_web::test]
    async fn known_ones_go_first_and_every_fourth_place_is_the_last_lanes() {
        let lanes = Lanes::new(1);
        let mut place = Some(lanes.place(Lane::Suspect).await.unwrap());
        let mut waiting: Vec<_> = [Lane::Suspect, Lane::New, Lane::Known, Lane::Suspect, Lane::Known, Lane::New]
            .into_iter()
            .map(|lane| (lane, lanes.line_up(lane).unwrap().unwrap()))
            .collect();
        let mut order = Vec::new();
        while !waiting.is_empty() {
            drop(place.take());
            let at = waiting.iter_mut().position(|(_, receiver)| {
                place = receiver.try_recv().ok();
                place.is_some()
            });
            order.push(waiting.remove(at.unwrap()).0);
        }
        use Lane::{Known, New, Suspect};
        assert_eq!(order, [Known, Known, New, Suspect, New, Suspect]);
    }

    #[actix_web::test]
    async fn a_full_lane_is_refused_and_those_who_hang_up_free_it() {
        let lanes = Lanes::new(1);
        let place = lanes.place(Lane::Suspect).await.unwrap();
        let waiting: Vec<_> = (0..QUEUES[2]).map(|_| lanes.line_up(Lane::Suspect).unwrap()).collect();
        let refused = lanes.place(Lane::Suspect).await.err().map(|error| error.kind());
        assert_eq!(refused, Some(crate::error::Kind::Unavailable));
        assert!(lanes.place(Lane::Known).now_or_never().is_none(), "another lane still has room");
        drop(waiting);
        assert!(lanes.line_up(Lane::Suspect).unwrap().is_some());
        drop(place);
        drop(lanes.place(Lane::New).now_or_never().unwrap().unwrap());
        assert_eq!(lock(&lanes.0).free, 1, "no place is lost");
    }
}
