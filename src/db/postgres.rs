//! PostgreSQL: a pool of connections, used on blocking threads.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use diesel::PgConnection;
use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::r2d2::{ManageConnection, Pool, PooledConnection};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::conn::{Conn, open_postgres};
use crate::error::{Error, Result};

/// Connections in the pool of one server.
const CONNECTIONS: u32 = 16;
/// How many of them writes may use at once. The others are left to reads, however many writes wait for one row.
const FOR_WRITES: usize = 12;
/// How many of those are for writes that have waited for a row before, and try again. So others find a connection at once.
const FOR_BLOCKED: usize = 6;
/// How long a request waits for a connection before it is answered with 503.
const CHECKOUT: Duration = Duration::from_millis(2500);
/// How long a write waits for a row with its connection, in SQL. After that it lets others have the connection for about as
/// long, and tries again: writes that wait for one row don't keep out those that need another.
const SHORT_LOCK_TIMEOUT: &str = "SET lock_timeout = '200ms'";
/// How the write begins that was blocked. The few that try again wait longer, so that many who want the last seat of a
/// session come to their turn one after the other.
const BEGIN_AGAIN: &str = "BEGIN; SET LOCAL lock_timeout = '1s'";
/// About how long the others have it, in milliseconds.
const LOCK_PAUSE: u64 = 200;
/// How long it tries so. If it waits for a connection then, it tries once more.
const LONGEST_BLOCKED: Duration = Duration::from_secs(2);
/// How often a write is tried again that meets deadlocks or serialization failures.
const TRIES: usize = 7;
/// How often the server is asked whether it answers.
const BEAT: Duration = Duration::from_millis(400);
/// How long the server may be silent before requests no longer wait for it.
const LONGEST_SILENCE: Duration = Duration::from_secs(2);

/// Opens connections for the pool. `Conn::establish`, which diesel derives, would try each database in turn.
#[derive(Debug)]
struct Manager {
    url: String,
}

#[derive(Debug)]
struct CantConnect(Error);

impl std::fmt::Display for CantConnect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for CantConnect {}

impl ManageConnection for Manager {
    type Connection = Conn;
    type Error = CantConnect;

    fn connect(&self) -> Result<Conn, CantConnect> {
        let mut conn = open_postgres(&self.url).map_err(CantConnect)?;
        conn.batch_execute(SHORT_LOCK_TIMEOUT).map_err(|e| CantConnect(e.into()))?;
        Ok(conn)
    }

    fn is_valid(&self, conn: &mut Conn) -> Result<(), CantConnect> {
        conn.batch_execute("SELECT 1").map_err(|e| CantConnect(e.into()))
    }

    fn has_broken(&self, conn: &mut Conn) -> bool {
        // A connection that was in use when a closure panicked is in an unknown state.
        std::thread::panicking() || !at_rest(conn)
    }
}

/// Whether the connection has no open or broken transaction.
fn at_rest(conn: &mut Conn) -> bool {
    let Conn::Postgres(postgres) = conn else { return false };
    let status = <AnsiTransactionManager as TransactionManager<PgConnection>>::transaction_manager_status_mut(postgres);
    matches!(status.transaction_depth(), Ok(None))
}

/// A pool of connections to one server.
pub(super) struct Postgres {
    pool: Pool<Manager>,
    gates: Gates,
    pulse: Pulse,
}

/// When the server last answered. A thread asks it again and again on a connection of its own.
///
/// A server that is frozen, or whose machine has gone, leaves its connections open and silent. Statements on them hang,
/// and how long one may rightly take isn't known. So requests don't watch their statements but this.
#[derive(Clone)]
struct Pulse(Arc<Mutex<Instant>>);

impl Pulse {
    fn start(url: String) -> Result<Self> {
        let pulse = Self(Arc::new(Mutex::new(Instant::now())));
        let last = Arc::downgrade(&pulse.0);
        let ask = move || {
            let mut conn = None;
            while let Some(last) = last.upgrade() {
                let answered = match conn.take().map_or_else(|| open_postgres(&url), Ok) {
                    Ok(mut open) => {
                        let answered = open.batch_execute("SELECT 1").is_ok();
                        conn = answered.then_some(open);
                        answered
                    }
                    // A server that refuses a connection (it has too many, it starts) isn't silent.
                    Err(error) => error.cause().is_some_and(|cause| cause.contains("FATAL")),
                };
                if answered {
                    *last.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
                }
                drop(last);
                std::thread::sleep(BEAT);
            }
        };
        let named = std::thread::Builder::new().name("postgres-pulse".into());
        named.spawn(ask).map_err(|e| Error::unavailable("The watch over the database can't start.").because(e))?;
        Ok(pulse)
    }

    fn silent_for(&self) -> Duration {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }

    /// Returns when the server has been silent for too long.
    async fn lost(&self) {
        while let Some(left) = LONGEST_SILENCE.checked_sub(self.silent_for()) {
            tokio::time::sleep(left + BEAT / 4).await;
        }
    }
}

impl Postgres {
    pub(super) fn open(url: &str) -> Result<Self> {
        let pool = Pool::builder()
            .max_size(CONNECTIONS)
            .min_idle(Some(1))
            .connection_timeout(CHECKOUT)
            .test_on_check_out(false)
            .build(Manager { url: url.to_owned() })
            .map_err(|e| silent().because(e))?;
        warn_of_other_languages(&mut *checkout(&pool)?)?;
        let [writes, blocked] = [FOR_WRITES, FOR_BLOCKED].map(|most| Arc::new(Semaphore::new(most)));
        Ok(Self { pool, gates: Gates { writes, blocked }, pulse: Pulse::start(url.to_owned())? })
    }

    /// Reads in one snapshot. If the connection turns out to be dead, reads once more on a new one.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        work: impl Fn(&mut Conn) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.blocking(silent, move |pool| {
            let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
            match in_transaction(&mut *checkout(pool)?, begin, &work) {
                Err(error) if error.lost_connection() => in_transaction(&mut *checkout_live(pool)?, begin, &work),
                outcome => outcome,
            }
        })
        .await
    }

    /// Reads with one statement, without a transaction. If the connection turns out to be dead, reads once more on a new
    /// one.
    pub(super) async fn read_one<T: Send + 'static>(
        &self,
        work: impl Fn(&mut Conn) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.blocking(silent, move |pool| match work(&mut *checkout(pool)?) {
            Err(error) if error.lost_connection() => work(&mut *checkout_live(pool)?),
            outcome => outcome,
        })
        .await
    }

    /// Writes at READ COMMITTED. Runs again after a deadlock or a serialization failure, or if another transaction holds a
    /// row, and once more if the connection was dead before anything was written. Never runs again after a COMMIT whose
    /// outcome is unknown.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl Fn(&mut Conn) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let permit = self.gates.pass().await?;
        self.transact("BEGIN", Some(permit), Error::outcome_unknown, work).await
    }

    /// Like [`Postgres::write`], for reads that record events. All reads see the same state.
    pub(super) async fn read_and_record<T: Send + 'static>(
        &self,
        work: impl Fn(&mut Conn) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.transact("BEGIN ISOLATION LEVEL REPEATABLE READ", None, silent, work).await
    }

    async fn transact<T: Send + 'static>(
        &self,
        begin: &'static str,
        mut permit: Option<Permit>,
        lost: fn() -> Error,
        work: impl Fn(&mut Conn) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        // The permit ends with the work, not with a request that no longer waits for it.
        self.blocking(lost, move |pool| {
            let (begun, mut begin, mut lost, mut collisions) = (Instant::now(), begin, false, 0);
            loop {
                let mut conn = if lost { checkout_live(pool)? } else { checkout(pool)? };
                match in_transaction(&mut conn, begin, &work) {
                    Err(error) if error.lost_connection() && !lost => lost = true,
                    Err(error) if error.collided() && collisions < TRIES => {
                        drop(conn);
                        back_off(collisions);
                        collisions += 1;
                    }
                    Err(error) if error.is_blocked() && begun.elapsed() < LONGEST_BLOCKED => {
                        drop(conn);
                        if let Some(blocked) = permit {
                            permit = Some(blocked.again(begun + LONGEST_BLOCKED + CHECKOUT)?);
                            begin = BEGIN_AGAIN;
                        }
                    }
                    outcome => return outcome,
                }
            }
        })
        .await
    }

    /// Runs work on a thread that may block. If the server falls silent meanwhile, answers with `lost`; the work goes on by
    /// itself when the server answers again. If the server is silent already, nothing is begun.
    async fn blocking<T: Send + 'static>(
        &self,
        lost: fn() -> Error,
        work: impl FnOnce(&Pool<Manager>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        if self.pulse.silent_for() >= LONGEST_SILENCE {
            return Err(silent());
        }
        let pool = self.pool.clone();
        tokio::select! {
            biased;
            outcome = actix_web::web::block(move || work(&pool)) => outcome.map_err(Error::blocking)?,
            () = self.pulse.lost() => Err(lost()),
        }
    }
}

/// How many writes may use a connection at once.
#[derive(Clone)]
struct Gates {
    writes: Arc<Semaphore>,
    /// Those that were blocked pass this gate too.
    blocked: Arc<Semaphore>,
}

impl Gates {
    /// Waits for the right to use a connection.
    ///
    /// # Errors
    /// 503 if it doesn't come in time.
    async fn pass(&self) -> Result<Permit> {
        Ok(Permit { gates: self.clone(), _held: vec![through(&self.writes).await?] })
    }

    /// The same for a write that was blocked.
    async fn pass_again(&self) -> Result<Permit> {
        let blocked = through(&self.blocked).await?;
        Ok(Permit { gates: self.clone(), _held: vec![blocked, through(&self.writes).await?] })
    }
}

async fn through(gate: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit> {
    let permit = tokio::time::timeout(CHECKOUT, Arc::clone(gate).acquire_owned()).await;
    permit.map_err(|_| Error::overloaded())?.map_err(Error::internal)
}

/// The right of one write to use a connection.
struct Permit {
    gates: Gates,
    _held: Vec<OwnedSemaphorePermit>,
}

impl Permit {
    /// Lets others have it for a while, then waits for it again, no longer than `until`. Blocks the thread.
    ///
    /// # Errors
    /// 503 if it doesn't come in time.
    fn again(self, until: Instant) -> Result<Self> {
        let gates = self.gates.clone();
        drop(self);
        // Not as long for all: two that keep each other's rows would meet again.
        let more = u64::from(uuid::Uuid::new_v4().as_bytes()[0]) * LOCK_PAUSE / 255;
        std::thread::sleep(Duration::from_millis(LOCK_PAUSE / 2 + more));
        let passing = async { tokio::time::timeout_at(until.into(), gates.pass_again()).await };
        tokio::runtime::Handle::current().block_on(passing).map_err(|_| Error::overloaded())?
    }
}

fn silent() -> Error {
    Error::unavailable("The database doesn't answer.")
}

fn checkout(pool: &Pool<Manager>) -> Result<PooledConnection<Manager>> {
    pool.get().map_err(|e| silent().because(e))
}

/// Warns if the server's messages aren't in English. Deadlocks and full disks are recognised by the English message,
/// because diesel has no code for them.
fn warn_of_other_languages(conn: &mut Conn) -> Result<()> {
    #[derive(diesel::QueryableByName)]
    struct Setting {
        #[diesel(sql_type = diesel::sql_types::Text)]
        language: String,
    }
    let shown = "SELECT current_setting('lc_messages') AS language";
    let setting: Setting =
        with_postgres(conn, |postgres| Ok(diesel::RunQueryDsl::get_result(diesel::sql_query(shown), postgres)?))?;
    if !["", "C", "POSIX"].contains(&setting.language.as_str())
        && !["C.", "en"].iter().any(|l| setting.language.starts_with(l))
    {
        log::warn!(
            "PostgreSQL speaks {}: set lc_messages to C for this role or server, or deadlocks and a full disk are \
             answered 500",
            setting.language
        );
    }
    Ok(())
}

/// Takes a connection that answers. After a restart of the database server, every idle connection in the pool may be
/// dead.
fn checkout_live(pool: &Pool<Manager>) -> Result<PooledConnection<Manager>> {
    for _ in 0..=CONNECTIONS {
        let mut conn = checkout(pool)?;
        if conn.batch_execute("SELECT 1").is_ok() {
            return Ok(conn);
        }
    }
    Err(silent())
}

/// Waits before another attempt, longer each time, so that two transactions that collided don't collide again.
fn back_off(attempt: usize) {
    std::thread::sleep(Duration::from_millis(2 << attempt.min(6)));
}

fn in_transaction<T>(conn: &mut Conn, begin: &str, work: &impl Fn(&mut Conn) -> Result<T>) -> Result<T> {
    with_postgres(conn, |postgres| Ok(AnsiTransactionManager::begin_transaction_sql(postgres, begin)?))?;
    match work(conn) {
        Ok(answer) => {
            with_postgres(conn, commit)?;
            Ok(answer)
        }
        Err(error) => {
            // If the rollback fails too, the pool finds the connection broken and drops it.
            let _ = with_postgres(conn, |postgres| Ok(AnsiTransactionManager::rollback_transaction(postgres)?));
            Err(error)
        }
    }
}

fn commit(postgres: &mut PgConnection) -> Result<()> {
    let committed = AnsiTransactionManager::commit_transaction(postgres).map_err(Error::from);
    committed.map_err(|error| if error.lost_connection() { Error::outcome_unknown().because(error) } else { error })
}

fn with_postgres<T>(conn: &mut Conn, work: impl FnOnce(&mut PgConnection) -> Result<T>) -> Result<T> {
    match conn {
        Conn::Postgres(postgres) => work(postgres),
        Conn::Sqlite(_) => Err(Error::unavailable("The pool holds a connection of the wrong kind.")),
    }
}
