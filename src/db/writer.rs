//! The one writer of an SQLite file: a thread that commits writes in groups, so that one flush to disk serves many.
//!
//! The thread takes the writes that have queued and opens one `IMMEDIATE` transaction. Each write runs in a savepoint
//! of its own, so a write that fails or panics rolls back alone. The thread commits once and then answers all writes.
//!
//! Reads of personal data have a queue of their own for their events. It is emptied first, so that nobody waits for a
//! record behind a queue full of writes.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, TrySendError, channel, sync_channel};
use std::time::{Duration, Instant};

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::{Connection, SqliteConnection};
use tokio::sync::oneshot;

use super::conn::{Conn, Purpose, open_sqlite};
use crate::error::{Error, Result};

/// How many writes may wait. The next one is refused with 503.
const QUEUE: usize = 4096;
/// How many records of reads may wait.
const RECORDS: usize = 1024;
/// How long a write waits for its turn before it is refused with 503, whatever runs meanwhile.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// The most writes in one commit.
const GROUP: usize = 64;
/// How many of them can be records of reads, so that writes go on too.
const RECORDS_OF_GROUP: usize = GROUP / 2;
/// How long a commit takes further writes in.
const LONGEST_GROUP: Duration = Duration::from_millis(100);

/// A commit that takes so long has filled the memory for pages, which is then given back.
const LARGE: Duration = Duration::from_millis(50);
/// A commit that takes so long is logged, for whoever looks for what holds the others up.
const LONG: Duration = Duration::from_millis(250);
/// A commit that takes so long is logged as a warning.
const TOO_LONG: Duration = Duration::from_secs(1);

/// The outcome of one write inside a group.
enum Step {
    /// The write ran or failed alone: the group goes on.
    Done,
    /// The connection is broken: the group ends.
    Broken,
}

/// One queued write, with the channel for its answer.
trait Job: Send {
    /// Runs the write, unless its caller has given it up.
    fn run(&mut self, conn: &mut Conn) -> Step;
    /// Sends the outcome; `commit` says whether the group reached the disk.
    fn answer(self: Box<Self>, commit: Result<()>);
}

struct Write<T, F> {
    work: F,
    reply: oneshot::Sender<Result<T>>,
    outcome: Option<Result<T>>,
    turn: Turn,
    taken_up: bool,
}

/// Who a queued write belongs to: the writer when it takes it up, or the caller who gives it up. The first one has it.
#[derive(Clone, Default)]
struct Turn(Arc<AtomicBool>);

impl Turn {
    /// Whether nobody had it before.
    fn take(&self) -> bool {
        !self.0.swap(true, Ordering::AcqRel)
    }
}

impl<T, F> Job for Write<T, F>
where
    T: Send,
    F: Fn(&mut Conn) -> Result<T> + Send,
{
    fn run(&mut self, conn: &mut Conn) -> Step {
        // A write that was taken up can run again, if the group that it was in has failed.
        if !self.taken_up && !self.turn.take() {
            return Step::Done;
        }
        self.taken_up = true;
        let work = &self.work;
        // The write's own error is kept aside: if rolling back the savepoint fails too, diesel returns only that error.
        let mut own = None;
        let ran = catch_unwind(AssertUnwindSafe(|| {
            conn.transaction(|conn| work(conn).inspect_err(|error| own = Some(error.same())))
        }));
        let (outcome, step) = match ran {
            Ok(Ok(answer)) => (Ok(answer), Step::Done),
            Ok(Err(error)) => {
                let step = if error.breaks_connection() { Step::Broken } else { Step::Done };
                (Err(own.unwrap_or(error)), step)
            }
            // A panic can leave savepoints open. So the connection is closed, and the other writes run again.
            Err(panic) => (Err(Error::panicked(&*panic)), Step::Broken),
        };
        self.outcome = Some(outcome);
        step
    }

    fn answer(self: Box<Self>, commit: Result<()>) {
        let Self { reply, outcome, .. } = *self;
        // If the client has gone, nobody receives the answer, but the write stays.
        let _ = reply.send(commit.and_then(|()| outcome.unwrap_or_else(|| Err(Error::overloaded()))));
    }
}

/// A handle to the writer thread. When the last handle is dropped, the thread empties its queue and ends.
#[derive(Clone)]
pub struct Writer {
    writes: SyncSender<Box<dyn Job>>,
    records: SyncSender<Box<dyn Job>>,
    /// One for each job that was queued: the thread waits for both queues at once.
    wake: Sender<()>,
}

impl Writer {
    /// Opens the file and starts the thread.
    pub fn start(path: String) -> Result<Self> {
        let conn = open_sqlite(&path, Purpose::Write)?;
        let ((writes, queued), (records, queued_records)) = (sync_channel(QUEUE), sync_channel(RECORDS));
        let (wake, woken) = channel();
        let queues = Queues { records: queued_records, rest: VecDeque::new(), writes: queued, woken };
        std::thread::Builder::new()
            .name("sqlite-writer".into())
            .spawn(move || Loop { path, conn: Some(conn), queues }.run())
            .map_err(|e| Error::unavailable("The writer can't start.").because(e))?;
        Ok(Self { writes, records, wake })
    }

    /// Queues a write and waits until it is on disk.
    ///
    /// # Errors
    /// What the closure returns; 503 if the queue is full or the write waited in it for too long; 507 on a full disk.
    pub async fn write<T: Send + 'static>(&self, work: impl Fn(&mut Conn) -> Result<T> + Send + 'static) -> Result<T> {
        self.wait(&self.writes, work).await
    }

    /// The same, for the events of a read.
    ///
    /// # Errors
    /// As [`Writer::write`]; it is another queue that can be full.
    pub async fn record<T: Send + 'static>(&self, work: impl Fn(&mut Conn) -> Result<T> + Send + 'static) -> Result<T> {
        self.wait(&self.records, work).await
    }

    async fn wait<T: Send + 'static>(
        &self,
        queue: &SyncSender<Box<dyn Job>>,
        work: impl Fn(&mut Conn) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let ((reply, mut outcome), turn) = (oneshot::channel(), Turn::default());
        let job = Write { work, reply, outcome: None, turn: turn.clone(), taken_up: false };
        let stopped = || Error::unavailable("The writer has stopped.");
        queue.try_send(Box::new(job)).map_err(|error| match error {
            TrySendError::Full(_) => Error::overloaded(),
            TrySendError::Disconnected(_) => stopped(),
        })?;
        self.wake.send(()).map_err(|_| stopped())?;
        match tokio::time::timeout(LONGEST_WAIT, &mut outcome).await {
            Ok(answer) => answer.unwrap_or_else(|_| Err(stopped())),
            Err(_) if turn.take() => Err(Error::overloaded()),
            // It runs already, so its outcome is awaited.
            Err(_) => outcome.await.unwrap_or_else(|_| Err(stopped())),
        }
    }
}

/// What waits for the thread.
struct Queues {
    records: Receiver<Box<dyn Job>>,
    /// What an earlier group had no time for.
    rest: VecDeque<Box<dyn Job>>,
    writes: Receiver<Box<dyn Job>>,
    woken: Receiver<()>,
}

impl Queues {
    /// Waits for jobs, and takes as many as one commit may have: records first. `None` if no handle is left.
    fn next_group(&mut self) -> Option<Vec<Box<dyn Job>>> {
        let mut group = Vec::new();
        while group.is_empty() {
            if self.rest.is_empty() {
                self.woken.recv().ok()?;
            }
            group.extend(self.records.try_iter().take(RECORDS_OF_GROUP));
            let room = GROUP - group.len();
            group.extend(self.rest.drain(..room.min(self.rest.len())));
            let room = GROUP - group.len();
            group.extend(self.writes.try_iter().take(room));
        }
        Some(group)
    }

    /// Puts jobs back that had no time. They come before what was queued later.
    fn put_back(&mut self, jobs: Vec<Box<dyn Job>>) {
        for job in jobs.into_iter().rev() {
            self.rest.push_front(job);
        }
    }
}

struct Loop {
    path: String,
    /// The connection; `None` after a fault, until the file is opened again.
    conn: Option<Conn>,
    queues: Queues,
}

impl Loop {
    /// Runs the queued writes, those of a group in one commit. After a fault of the database, runs each write of the
    /// group in a commit of its own.
    fn run(mut self) {
        while let Some(group) = self.queues.next_group() {
            let rest = self.commit_some(group);
            self.queues.put_back(rest);
        }
    }

    /// Commits the first of these writes, and returns those that are still to run.
    fn commit_some(&mut self, mut group: Vec<Box<dyn Job>>) -> Vec<Box<dyn Job>> {
        match self.commit(&mut group) {
            Ok(ran) => {
                let rest = group.split_off(ran);
                group.into_iter().for_each(|job| job.answer(Ok(())));
                return rest;
            }
            Err(fault) if group.len() == 1 => group.remove(0).answer(fault.verdict()),
            // Another process is writing, so nothing ran. Waiting again for each write could take minutes.
            Err(Fault::Begin(_)) => group.into_iter().for_each(|job| job.answer(Err(Error::overloaded()))),
            Err(Fault::Group(_)) => group.into_iter().for_each(|job| self.alone(job)),
            Err(Fault::Job(at)) => {
                group.remove(at).answer(Ok(()));
                group.into_iter().for_each(|job| self.alone(job));
            }
        }
        Vec::new()
    }

    fn alone(&mut self, job: Box<dyn Job>) {
        let mut one = [job];
        let verdict = self.commit(&mut one).map(drop).or_else(Fault::verdict);
        let [job] = one;
        job.answer(verdict);
    }

    /// Runs these writes in one transaction, and returns how many have run: after a long one the others must not wait
    /// for the rest of the group. After an error none of them is kept, and the next group gets a new connection: on a
    /// full disk SQLite can end the transaction by itself, and later savepoints would commit alone.
    fn commit(&mut self, jobs: &mut [Box<dyn Job>]) -> Result<usize, Fault> {
        let mut conn = match self.conn.take() {
            Some(conn) => conn,
            None => open_sqlite(&self.path, Purpose::Write).map_err(Fault::Group)?,
        };
        begin(&mut conn).map_err(Fault::Begin)?;
        let (begun, mut ran) = (Instant::now(), 0);
        while ran < jobs.len() && (ran == 0 || begun.elapsed() < LONGEST_GROUP) {
            if let Step::Broken = jobs[ran].run(&mut conn) {
                return Err(Fault::Job(ran));
            }
            ran += 1;
        }
        commit(&mut conn).map_err(Fault::Group)?;
        let took = begun.elapsed();
        tell_if_long(ran, took);
        // What was written is kept. If the memory can't be given back, the next group gets a new connection.
        let thrifty = took < LARGE || conn.batch_execute("PRAGMA shrink_memory").is_ok();
        self.conn = Some(conn).filter(|_| thrifty);
        Ok(ran)
    }
}

/// Why a group was not kept.
enum Fault {
    /// The write with this index broke the connection. The write's own outcome says how.
    Job(usize),
    /// The transaction couldn't begin: nothing ran.
    Begin(Error),
    /// The file couldn't be opened, or the transaction couldn't commit.
    Group(Error),
}

impl Fault {
    /// The answer to a write that was alone in its group: its own outcome, or why the commit failed.
    fn verdict(self) -> Result<()> {
        match self {
            Fault::Job(_) => Ok(()),
            Fault::Begin(error) | Fault::Group(error) => Err(error),
        }
    }
}

/// Logs a commit for which others have waited long.
fn tell_if_long(writes: usize, took: Duration) {
    let level = if took >= TOO_LONG { log::Level::Warn } else { log::Level::Debug };
    if took >= LONG {
        log::log!(level, "a commit of {writes} writes held the writer for {} ms", took.as_millis());
    }
}

fn begin(conn: &mut Conn) -> Result<()> {
    let Conn::Sqlite(sqlite) = conn else { return Err(Error::unavailable("The writer has no database.")) };
    Ok(AnsiTransactionManager::begin_transaction_sql(sqlite, "BEGIN IMMEDIATE")?)
}

fn commit(conn: &mut Conn) -> Result<()> {
    let Conn::Sqlite(sqlite) = conn else { return Err(Error::unavailable("The writer has no database.")) };
    Ok(<AnsiTransactionManager as TransactionManager<SqliteConnection>>::commit_transaction(sqlite)?)
}
