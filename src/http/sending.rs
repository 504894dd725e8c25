//! Sends the bodies of answers, and bounds what they take in memory.
//!
//! An encoder takes 300 kB, so a few answers are compressed at a time. An answer of megabytes stays in memory until its
//! client has read it. So long answers share one limit, and are handed to the connection piece by piece. If there is no
//! room for a new one, one that isn't being read is cut off, or the oldest: a client that reads slowly can't keep the
//! others waiting.

use std::collections::VecDeque;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context as TaskContext, Poll};
use std::time::{Duration, Instant};

use actix_web::HttpResponse;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::web::Bytes;
use flate2::Compression;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::coding;
use super::turn::Turn;
use crate::error::{Error, Result};

/// The most bytes that the connection gets at once.
const PIECE: usize = 32 * 1024;
/// Answers up to this length have no limit but that of connections.
const SHORT: usize = 64 * 1024;
/// The memory for all long answers in flight, in KiB.
const ROOM: usize = 32 * 1024;
/// How many answers are compressed at a time.
const COMPRESSED: usize = 4;
/// How long an answer waits for memory before the client gets 503.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// How long a long answer may be on its way while others need its memory. Shorter than they wait.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long its client may read nothing of it meanwhile.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);
/// How often an answer that waits looks for one to cut off.
const TICK: Duration = Duration::from_millis(100);
/// How many answers are noted before those that have ended are taken out.
const MOST_NOTED: usize = 1_024;

static ROOM_LEFT: Semaphore = Semaphore::const_new(ROOM);
static ENCODERS: Semaphore = Semaphore::const_new(COMPRESSED);
/// The long answers in flight, the oldest first.
static IN_FLIGHT: Mutex<VecDeque<Weak<Rest>>> = Mutex::new(VecDeque::new());

/// Lets the turn to make a very long answer travel with the answer, until there is room for it.
pub fn with_turn(turn: Turn, mut response: HttpResponse) -> HttpResponse {
    response.extensions_mut().insert(turn);
    response
}

/// Whether an answer may be refused because there is no room for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusable {
    /// It may: nothing was changed.
    Yes,
    /// It may not: what it tells of was done.
    No,
}

/// Makes the answer ready to be sent, and waits for what it needs.
///
/// # Errors
/// 503 if there is no room for it in time and it may be refused.
pub(super) async fn prepare(response: HttpResponse, compressed: bool, refusable: Refusable) -> Result<HttpResponse> {
    let (mut response, body) = response.into_parts();
    let turn = response.extensions_mut().remove::<Turn>();
    let bytes = match body.try_into_bytes() {
        Ok(bytes) => bytes,
        Err(streamed) => return Ok(response.set_body(streamed)),
    };
    let mut room = match (bytes.len() > SHORT).then_some(room_for(bytes.len())) {
        None => None,
        Some(wait) => match wait.await {
            Err(error) if refusable == Refusable::Yes => return Err(error),
            room => room.ok(),
        },
    };
    drop(turn);
    let bytes = if compressed { compress(bytes, refusable).await? } else { bytes };
    if bytes.len() <= SHORT {
        return Ok(response.set_body(BoxBody::new(bytes)));
    }
    // What the compression saved is for others.
    let saved = room.as_ref().map_or(0, |room| room.num_permits().saturating_sub(kib(bytes.len())));
    drop(room.as_mut().and_then(|room| room.split(saved)));
    let length = bytes.len() as u64;
    let rest = Arc::new(Rest::new(bytes, room));
    let mut in_flight = in_flight();
    if in_flight.len() >= MOST_NOTED {
        in_flight.retain(|answer| answer.strong_count() > 0);
    }
    in_flight.push_back(Arc::downgrade(&rest));
    Ok(response.set_body(BoxBody::new(Pieces { rest, length })))
}

/// The room that so many bytes take. An answer longer than all the room takes all of it.
fn kib(bytes: usize) -> usize {
    bytes.div_ceil(1024).min(ROOM)
}

/// A body that takes no memory of its own, because its bytes are kept anyway.
pub(super) fn body(bytes: Bytes) -> BoxBody {
    let length = bytes.len() as u64;
    BoxBody::new(Pieces { rest: Arc::new(Rest::new(bytes, None)), length })
}

async fn compress(bytes: Bytes, refusable: Refusable) -> Result<Bytes> {
    let turn = match refusable {
        Refusable::Yes => {
            tokio::time::timeout(LONGEST_WAIT, ENCODERS.acquire()).await.map_err(|_| Error::overloaded())?
        }
        Refusable::No => ENCODERS.acquire().await,
    };
    let turn = turn.map_err(Error::internal)?;
    let work = move || {
        // The turn ends with the work, not with a client that hangs up.
        let _turn = turn;
        coding::gzip(&bytes, Compression::fast())
    };
    actix_web::web::block(work).await.map_err(Error::blocking)?.map_err(Error::internal)
}

/// Waits for memory. Answers that have been on their way for long are cut off meanwhile.
async fn room_for(bytes: usize) -> Result<SemaphorePermit<'static>> {
    let begun = Instant::now();
    let size = u32::try_from(kib(bytes)).map_err(Error::internal)?;
    let mut room = pin!(ROOM_LEFT.acquire_many(size));
    loop {
        match tokio::time::timeout(TICK, &mut room).await {
            Ok(room) => return room.map_err(Error::internal),
            Err(_) if begun.elapsed() > LONGEST_WAIT => return Err(Error::overloaded()),
            Err(_) => cut_one_off(),
        }
    }
}

fn in_flight() -> MutexGuard<'static, VecDeque<Weak<Rest>>> {
    IN_FLIGHT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Cuts off the oldest long answer that is read too slowly, if there is one.
fn cut_one_off() {
    let mut in_flight = in_flight();
    in_flight.retain(|answer| answer.strong_count() > 0);
    let slow = in_flight.iter().position(|answer| answer.upgrade().is_some_and(|answer| answer.is_slow()));
    if let Some(answer) = slow.and_then(|at| in_flight.remove(at)?.upgrade()) {
        answer.lock().left = None;
        log::warn!("an answer was cut off: its client read it too slowly, and others needed the memory");
    }
}

/// What is left of a long answer.
struct Rest {
    begun: Instant,
    part: Mutex<Part>,
}

struct Part {
    /// The bytes and their room. `None` once the answer was cut off.
    left: Option<(Bytes, Option<SemaphorePermit<'static>>)>,
    /// When the last piece was handed over.
    moved: Instant,
}

impl Rest {
    fn new(bytes: Bytes, room: Option<SemaphorePermit<'static>>) -> Self {
        let begun = Instant::now();
        Self { begun, part: Mutex::new(Part { left: Some((bytes, room)), moved: begun }) }
    }

    fn lock(&self) -> MutexGuard<'_, Part> {
        self.part.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_slow(&self) -> bool {
        self.begun.elapsed() >= PATIENCE || self.lock().moved.elapsed() >= LONGEST_PAUSE
    }
}

/// A body in pieces.
struct Pieces {
    rest: Arc<Rest>,
    length: u64,
}

impl MessageBody for Pieces {
    type Error = std::io::Error;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.length)
    }

    fn poll_next(self: Pin<&mut Self>, _: &mut TaskContext<'_>) -> Poll<Option<std::io::Result<Bytes>>> {
        let mut part = self.rest.lock();
        part.moved = Instant::now();
        let Some((bytes, _)) = part.left.as_mut() else {
            return Poll::Ready(Some(Err(std::io::ErrorKind::TimedOut.into())));
        };
        if bytes.is_empty() {
            return Poll::Ready(None);
        }
        let piece = bytes.split_to(bytes.len().min(PIECE));
        Poll::Ready(Some(Ok(piece)))
    }

    fn try_into_bytes(self) -> std::result::Result<Bytes, Self> {
        Err(self)
    }
}
