//! All access to the database: [`Db::read`], [`Db::read_one`], [`Db::read_long`], [`Db::write`],
//! [`Db::read_and_record`] and [`Db::read_current_and_record`]. Nothing else in the crate holds a connection.
//!
//! On SQLite, a read runs on the calling thread with that thread's own connection, and writes queue for the one
//! [`writer`]. On PostgreSQL, both take a connection from a pool and run on a blocking thread.

pub mod conn;
mod constraints;
mod failures;
pub mod migrate;
pub mod pieces;
mod postgres;
pub mod schema;
pub mod scrub;
mod sounds;
pub mod types;
mod writer;

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use diesel::connection::{
    AnsiTransactionManager, Connection, InstrumentationEvent, SimpleConnection, TransactionManager,
};

pub use conn::Conn;
use conn::{Purpose, open_sqlite};
use postgres::Postgres;
pub use types::Json;
use writer::Writer;

pub use crate::clock::{Id, LocalTime, Timestamp};
pub use crate::config::Location;
use crate::error::{Error, Result};
use crate::line::Owner;

/// How many rows one statement writes, and how many values one `IN (…)` holds.
pub const AT_ONCE: usize = 500;

/// Checks that the update of a row in a certain version has found it.
///
/// # Errors
/// 412 if it hasn't, because another request has changed the row in between.
pub fn one_row(found: usize) -> Result<()> {
    match found {
        1 => Ok(()),
        _ => Err(Error::changed_meanwhile()),
    }
}

/// A handle to the database, cheap to clone.
#[derive(Clone)]
pub struct Db(Arc<Inner>);

enum Inner {
    Sqlite { number: u64, path: String, writer: Writer },
    Postgres(Postgres),
}

/// The number of the next [`Db`]. One process can hold several databases, so each thread keeps connections by number.
static NEXT_NUMBER: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static READERS: RefCell<HashMap<u64, Conn>> = RefCell::new(HashMap::new());
}

impl Db {
    /// Opens a database. It must have been migrated.
    pub fn open(location: &Location) -> Result<Self> {
        let inner = match location {
            Location::Sqlite(path) => Inner::Sqlite {
                number: NEXT_NUMBER.fetch_add(1, Ordering::Relaxed),
                path: path.clone(),
                writer: Writer::start(path.clone())?,
            },
            Location::Postgres(url) => Inner::Postgres(Postgres::open(url)?),
        };
        Ok(Self(Arc::new(inner)))
    }

    /// Whether all writes wait for one writer, as on SQLite.
    pub fn has_one_writer(&self) -> bool {
        matches!(&*self.0, Inner::Sqlite { .. })
    }

    /// Runs short reads in one snapshot. On SQLite they block the calling thread, so use this only for indexed look-ups
    /// and pages.
    pub async fn read<T: Send + 'static>(&self, work: impl Fn(&mut Conn) -> Result<T> + Send + 'static) -> Result<T> {
        match &*self.0 {
            Inner::Sqlite { number, path, .. } => sqlite_read(*number, path, &work),
            Inner::Postgres(postgres) => postgres.read(work).await,
        }
    }

    /// Reads with one statement, which needs no transaction: on PostgreSQL it is one round trip instead of three. In a
    /// debug build a second statement panics.
    pub async fn read_one<T: Send + 'static>(
        &self,
        work: impl Fn(&mut Conn) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let work = move |conn: &mut Conn| one_statement(conn, &work);
        match &*self.0 {
            Inner::Sqlite { number, path, .. } => sqlite_connected(*number, path, work),
            Inner::Postgres(postgres) => postgres.read_one(work).await,
        }
    }

    /// Like [`Db::read`], for reads that can take longer than a page: reports, rosters, exports.
    pub async fn read_long<T: Send + 'static>(
        &self,
        work: impl Fn(&mut Conn) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        match &*self.0 {
            Inner::Sqlite { number, path, .. } => {
                let (number, path) = (*number, path.clone());
                let read = move || sqlite_read(number, &path, &|conn| thrifty(conn, &work));
                actix_web::web::block(read).await.map_err(Error::blocking)?
            }
            Inner::Postgres(postgres) => postgres.read(work).await,
        }
    }

    /// Writes SQLite's log of writes into the file and empties it. Returns whether that was possible: it isn't while
    /// somebody reads an older state. On PostgreSQL nothing is done.
    ///
    /// # Errors
    /// If the file can't be written.
    pub async fn empty_log(&self) -> Result<bool> {
        let Inner::Sqlite { path, .. } = &*self.0 else { return Ok(false) };
        let path = path.clone();
        actix_web::web::block(move || conn::checkpoint(&path)).await.map_err(Error::blocking)?
    }

    /// Runs one write transaction and returns when it is on disk. The closure may run more than once, so it must do
    /// only database work, and must check again everything that was read before.
    ///
    /// # Errors
    /// What the closure returns; 503 or 507 if the database can't write. After an error nothing is kept.
    pub async fn write<T: Send + 'static>(&self, work: impl Fn(&mut Conn) -> Result<T> + Send + 'static) -> Result<T> {
        self.write_for(Owner::Service, work).await
    }

    /// The same for somebody: on SQLite, where writes wait for each other, owners take turns.
    ///
    /// # Errors
    /// As [`Db::write`]; 429 if too many writes of the owner wait.
    pub async fn write_for<T: Send + 'static>(
        &self,
        owner: Owner,
        work: impl Fn(&mut Conn) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        match &*self.0 {
            Inner::Sqlite { writer, .. } => writer.write(owner, work).await,
            Inner::Postgres(postgres) => postgres.write(work).await,
        }
    }

    /// Runs reads that return a result and events, and writes the events with `record`. The result is returned only
    /// when the events are on disk. Without events nothing is written.
    ///
    /// On SQLite the writer records the events after the reads, before the writes that are queued; on PostgreSQL both are
    /// one transaction.
    ///
    /// # Errors
    /// As [`Db::read`] and [`Db::write`]. If the events can't be written, there is no result.
    pub async fn read_and_record<T, E, F>(&self, work: F, record: fn(&mut Conn, &[E]) -> Result<()>) -> Result<T>
    where
        T: Send + 'static,
        E: Send + 'static,
        F: Fn(&mut Conn) -> Result<(T, Vec<E>)> + Send + 'static,
    {
        match &*self.0 {
            Inner::Sqlite { number, path, writer } => {
                let (answer, entries) = sqlite_read(*number, path, &work)?;
                if !entries.is_empty() {
                    writer.record(move |conn| record(conn, &entries)).await?;
                }
                Ok(answer)
            }
            Inner::Postgres(postgres) => {
                postgres
                    .read_and_record(move |conn| {
                        let (answer, entries) = work(conn)?;
                        record(conn, &entries)?;
                        Ok(answer)
                    })
                    .await
            }
        }
    }

    /// The same for a result that must not be given once something has changed, which a `version` tells: if it has moved
    /// since the reads, the writer runs them again where nobody writes in between. PostgreSQL doesn't ask for the version:
    /// there the reads themselves lock what they rest on.
    ///
    /// # Errors
    /// As [`Db::read_and_record`].
    pub async fn read_current_and_record<T, E, F>(
        &self,
        version: impl Fn(&mut Conn) -> Result<i32> + Send + 'static,
        work: F,
        record: fn(&mut Conn, &[E]) -> Result<()>,
    ) -> Result<T>
    where
        T: Send + 'static,
        E: Send + 'static,
        F: Fn(&mut Conn) -> Result<(T, Vec<E>)> + Send + 'static,
    {
        let Inner::Sqlite { number, path, writer } = &*self.0 else { return self.read_and_record(work, record).await };
        let ((answer, entries), before) = sqlite_read(*number, path, &|conn| Ok((work(conn)?, version(conn)?)))?;
        if entries.is_empty() {
            return Ok(answer);
        }
        let anew = writer.record(move |conn| {
            if version(conn)? == before {
                record(conn, &entries)?;
                return Ok(None);
            }
            let (answer, entries) = work(conn)?;
            record(conn, &entries)?;
            Ok(Some(answer))
        });
        Ok(anew.await?.unwrap_or(answer))
    }
}

fn sqlite_read<T>(number: u64, path: &str, work: &impl Fn(&mut Conn) -> Result<T>) -> Result<T> {
    sqlite_connected(number, path, |conn| snapshot(conn, work))
}

/// Runs work on the thread's own connection.
fn sqlite_connected<T>(number: u64, path: &str, work: impl FnOnce(&mut Conn) -> Result<T>) -> Result<T> {
    // The connection is taken out while it is used. After a panic or a broken connection it isn't put back.
    let kept = READERS.with_borrow_mut(|readers| readers.remove(&number));
    let mut conn = match kept {
        Some(conn) => conn,
        None => open_sqlite(path, Purpose::Read)?,
    };
    let outcome = work(&mut conn);
    if !outcome.as_ref().is_err_and(Error::breaks_connection) {
        READERS.with_borrow_mut(|readers| readers.insert(number, conn));
    }
    outcome
}

/// A read that takes longer has filled the memory that its connection has for pages of the file.
const LARGE_READ: Duration = Duration::from_millis(25);

/// Runs reads. After a large one, gives back the memory that SQLite has kept for pages: there are many threads for such
/// reads, with a connection each.
fn thrifty<T>(conn: &mut Conn, work: &impl Fn(&mut Conn) -> Result<T>) -> Result<T> {
    let begun = Instant::now();
    let answer = work(conn)?;
    if let Conn::Sqlite(sqlite) = conn
        && begun.elapsed() > LARGE_READ
    {
        sqlite.batch_execute("PRAGMA shrink_memory")?;
    }
    Ok(answer)
}

/// Runs reads in a deferred transaction, so that all of them see the same state.
fn snapshot<T>(conn: &mut Conn, work: &impl Fn(&mut Conn) -> Result<T>) -> Result<T> {
    if let Conn::Sqlite(sqlite) = conn {
        AnsiTransactionManager::begin_transaction_sql(sqlite, "BEGIN DEFERRED")?;
    }
    let outcome = work(conn);
    if let Conn::Sqlite(sqlite) = conn {
        AnsiTransactionManager::rollback_transaction(sqlite)?;
    }
    outcome
}

/// Runs work that sends one statement.
fn one_statement<T>(conn: &mut Conn, work: impl FnOnce(&mut Conn) -> Result<T>) -> Result<T> {
    if !cfg!(debug_assertions) {
        return work(conn);
    }
    let sent = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&sent);
    conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if matches!(event, InstrumentationEvent::StartQuery { .. }) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    });
    let outcome = work(conn);
    conn.set_instrumentation(|_: InstrumentationEvent<'_>| {});
    assert!(sent.load(Ordering::Relaxed) <= 1, "several statements need a transaction: Db::read");
    outcome
}

/// Writes the next version of a row over the one before. `$table` is the module of the row's table in [`schema`].
///
/// # Errors
/// 412 if another request has changed the row in between.
#[macro_export]
macro_rules! write_next {
    ($conn:expr, $table:ident, $row:expr) => {{
        let unchanged = $table::table.filter($table::id.eq($row.id)).filter($table::version.eq($row.version - 1));
        $crate::db::one_row($crate::db::conn::Prepared(diesel::update(unchanged).set($row)).execute($conn)?)
    }};
}
