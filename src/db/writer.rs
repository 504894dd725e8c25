//! The one writer of an SQLite file: a thread that commits writes in groups, so that one flush to disk serves many.
//!
//! The thread opens one `IMMEDIATE` transaction and runs the writes that wait. Each write runs in a savepoint of its own,
//! so a write that fails or panics rolls back alone. The thread commits once and then answers all writes. A write whose
//! client has hung up before its turn never runs.
//!
//! Owners take turns: the next write of one comes after one of each other owner. Reads of personal data have a queue of
//! their own for their events. It is emptied first, so that nobody waits for a record behind a queue full of writes.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::{Connection, SqliteConnection};
use tokio::sync::oneshot;

use super::conn::{Conn, Purpose, open_sqlite};
use crate::error::{Error, Kind, Result};
use crate::line::{Line, Owner};

/// How many writes may wait. The next one is refused with 503.
const QUEUE: usize = 4096;
/// How many writes of one owner may wait. The next one is refused with 429.
const QUEUE_OF_OWNER: usize = 512;
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

/// A write that works for so long, without its commit, has filled the memory for pages, which is then given back. The
/// largest roster takes twice as long on a fast machine.
const LARGE: Duration = Duration::from_millis(10);
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
    /// Whether anybody still waits for it.
    fn is_wanted(&self) -> bool;
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
    fn is_wanted(&self) -> bool {
        !self.reply.is_closed()
    }

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

/// A handle to the writer thread. When the last handle is dropped, the thread empties its queues and ends.
#[derive(Clone)]
pub struct Writer(Arc<Handle>);

struct Handle(Arc<Queues>);

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Writer {
    /// Opens the file and starts the thread.
    pub fn start(path: String) -> Result<Self> {
        let conn = open_sqlite(&path, Purpose::Write)?;
        let queues = Arc::new(Queues::default());
        let writer = Self(Arc::new(Handle(Arc::clone(&queues))));
        std::thread::Builder::new()
            .name("sqlite-writer".into())
            .spawn(move || Loop { path, conn: Some(conn), queues }.run())
            .map_err(|e| Error::unavailable("The writer can't start.").because(e))?;
        Ok(writer)
    }

    /// Queues a write and waits until it is on disk.
    ///
    /// # Errors
    /// What the closure returns; 429 if too many writes of the owner wait; 503 if the queue is full or the write waited in
    /// it for too long; 507 on a full disk.
    pub async fn write<T: Send + 'static>(
        &self,
        owner: Owner,
        work: impl Fn(&mut Conn) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        wait(|job| self.0.0.add_write(owner, job), work).await
    }

    /// The same, for the events of a read.
    ///
    /// # Errors
    /// As [`Writer::write`]; it is another queue that can be full.
    pub async fn record<T: Send + 'static>(&self, work: impl Fn(&mut Conn) -> Result<T> + Send + 'static) -> Result<T> {
        wait(|job| self.0.0.add_record(job), work).await
    }
}

/// Queues a job with `add`, and waits for its outcome. If nobody waits any more, the job never runs.
async fn wait<T: Send + 'static>(
    add: impl FnOnce(Box<dyn Job>) -> Result<()>,
    work: impl Fn(&mut Conn) -> Result<T> + Send + 'static,
) -> Result<T> {
    let ((reply, mut outcome), turn) = (oneshot::channel(), Turn::default());
    add(Box::new(Write { work, reply, outcome: None, turn: turn.clone(), taken_up: false }))?;
    match tokio::time::timeout(LONGEST_WAIT, &mut outcome).await {
        Ok(answer) => answer.unwrap_or_else(|_| Err(stopped())),
        Err(_) if turn.take() => Err(Error::overloaded()),
        // It runs already, so its outcome is awaited.
        Err(_) => outcome.await.unwrap_or_else(|_| Err(stopped())),
    }
}

fn stopped() -> Error {
    Error::unavailable("The writer has stopped.")
}

/// What waits for the thread.
#[derive(Default)]
struct Queues {
    waiting: Mutex<Waiting>,
    /// Told when there is something to do.
    news: Condvar,
}

#[derive(Default)]
struct Waiting {
    records: VecDeque<Box<dyn Job>>,
    writes: Line<Owner, Box<dyn Job>>,
    /// Whether nothing more comes.
    closed: bool,
}

impl Queues {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, add: impl FnOnce(&mut Waiting) -> Result<()>) -> Result<()> {
        let mut waiting = self.lock();
        if waiting.closed {
            return Err(stopped());
        }
        add(&mut waiting)?;
        self.news.notify_one();
        Ok(())
    }

    fn add_write(&self, owner: Owner, job: Box<dyn Job>) -> Result<()> {
        self.add(|Waiting { writes, .. }| {
            let is_full = |writes: &Line<Owner, Box<dyn Job>>| {
                owner != Owner::Service && writes.count_of(owner) >= QUEUE_OF_OWNER
            };
            if is_full(writes) && writes.keep_of(owner, |job| job.is_wanted()) >= QUEUE_OF_OWNER {
                return Err(too_many());
            }
            if writes.count() >= QUEUE {
                return Err(Error::overloaded());
            }
            writes.push_back(owner, job);
            Ok(())
        })
    }

    fn add_record(&self, job: Box<dyn Job>) -> Result<()> {
        self.add(|Waiting { records, .. }| {
            if records.len() >= RECORDS {
                return Err(Error::overloaded());
            }
            records.push_back(job);
            Ok(())
        })
    }

    fn close(&self) {
        self.lock().closed = true;
        self.news.notify_one();
    }

    /// Waits for the first job of a group. `None` if nothing waits and nothing more comes.
    fn first(&self) -> Option<Box<dyn Job>> {
        let mut waiting = self.lock();
        loop {
            if let Some(job) = waiting.next(true) {
                return Some(job);
            }
            if waiting.closed {
                return None;
            }
            waiting = self.news.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Waiting {
    /// Takes out the next job that somebody waits for: a record if it may be one.
    fn next(&mut self, may_be_record: bool) -> Option<Box<dyn Job>> {
        loop {
            let record = if may_be_record { self.records.pop_front() } else { None };
            let job = record.or_else(|| self.writes.take_next())?;
            if job.is_wanted() {
                return Some(job);
            }
        }
    }
}

fn too_many() -> Error {
    let detail = format!(
        "{QUEUE_OF_OWNER} of your changes wait for their turn. Nothing was changed. Send this one again when some of them \
         have ended."
    );
    Error::new(Kind::TooMuchAtOnce, detail).retry_after(1)
}

struct Loop {
    path: String,
    /// The connection; `None` after a fault, until the file is opened again.
    conn: Option<Conn>,
    queues: Arc<Queues>,
}

impl Drop for Loop {
    /// Nobody must wait for a thread that has ended.
    fn drop(&mut self) {
        let mut waiting = self.queues.lock();
        *waiting = Waiting { closed: true, ..Waiting::default() };
    }
}

impl Loop {
    /// Runs what waits, some writes in one commit. After a fault of the database, runs each of them in a commit of its own.
    fn run(mut self) {
        while let Some(first) = self.queues.first() {
            self.commit_some(first);
        }
    }

    /// Commits this job with others that wait.
    fn commit_some(&mut self, first: Box<dyn Job>) {
        let mut group = vec![first];
        match self.commit(&mut group, GROUP) {
            Ok(()) => group.into_iter().for_each(|job| job.answer(Ok(()))),
            Err(fault) if group.len() == 1 => group.remove(0).answer(fault.verdict()),
            Err(Fault::Job(at)) => {
                group.remove(at).answer(Ok(()));
                group.into_iter().for_each(|job| self.alone(job));
            }
            Err(Fault::Begin(_) | Fault::Group(_)) => group.into_iter().for_each(|job| self.alone(job)),
        }
    }

    fn alone(&mut self, job: Box<dyn Job>) {
        let mut one = vec![job];
        let verdict = self.commit(&mut one, 1).or_else(Fault::verdict);
        if let Some(job) = one.pop() {
            job.answer(verdict);
        }
    }

    /// Runs these jobs in one transaction, and takes others in until it has so many or has taken too long. After an error
    /// none of them is kept, and the next group gets a new connection: on a full disk SQLite can end the transaction by
    /// itself, and later savepoints would commit alone.
    fn commit(&mut self, jobs: &mut Vec<Box<dyn Job>>, most: usize) -> Result<(), Fault> {
        let mut conn = match self.conn.take() {
            Some(conn) => conn,
            None => open_sqlite(&self.path, Purpose::Write).map_err(Fault::Group)?,
        };
        begin(&mut conn).map_err(Fault::Begin)?;
        let (begun, mut ran) = (Instant::now(), 0);
        while ran < jobs.len() {
            if let Step::Broken = jobs[ran].run(&mut conn) {
                return Err(Fault::Job(ran));
            }
            ran += 1;
            if ran == jobs.len() && ran < most && begun.elapsed() < LONGEST_GROUP {
                jobs.extend(self.queues.lock().next(ran < RECORDS_OF_GROUP));
            }
        }
        let each = begun.elapsed() / u32::try_from(ran.max(1)).unwrap_or(u32::MAX);
        commit(&mut conn).map_err(Fault::Group)?;
        tell_if_long(ran, begun.elapsed());
        // What was written is kept. If the memory can't be given back, the next group gets a new connection.
        let thrifty = each < LARGE || conn.batch_execute("PRAGMA shrink_memory").is_ok();
        self.conn = Some(conn).filter(|_| thrifty);
        Ok(())
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
