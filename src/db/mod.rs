//! The doors to the database: [`Db::read`], [`Db::read_long`], [`Db::write`] and [`Db::read_and_record`]. Nothing
//! else in the crate holds a connection.
//!
//! On SQLite a read runs on the calling thread, on that thread's own connection; writes queue for the one
//! [`writer`]. On PostgreSQL both take a pooled connection on a blocking thread.

pub mod conn;
mod constraints;
mod failures;
pub mod migrate;
mod postgres;
pub mod schema;
pub mod types;
mod writer;

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use diesel::connection::{AnsiTransactionManager, TransactionManager};

pub use conn::Conn;
use conn::{Purpose, open_sqlite};
use postgres::Postgres;
pub use types::Json;
use writer::Writer;

pub use crate::clock::{Id, LocalTime, Timestamp};
pub use crate::config::Location;
use crate::error::{Error, Result};

/// A handle to the database, cheap to clone.
#[derive(Clone)]
pub struct Db(Arc<Inner>);

enum Inner {
    Sqlite { number: u64, path: String, writer: Writer },
    Postgres(Postgres),
}

/// Thread-local connections are kept by the number of their [`Db`]: one process may hold several databases.
static NEXT_NUMBER: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static READERS: RefCell<HashMap<u64, Conn>> = RefCell::new(HashMap::new());
}

impl Db {
    /// Opens the database, which must have been migrated.
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

    /// Runs short reads in one snapshot. On SQLite they run on the calling thread: indexed look-ups and pages only.
    pub async fn read<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Conn) -> Result<T> + Send + 'static,
    {
        match &*self.0 {
            Inner::Sqlite { number, path, .. } => sqlite_read(*number, path, &work),
            Inner::Postgres(postgres) => postgres.read(work).await,
        }
    }

    /// Like [`Db::read`] for what can take longer than a page: reports, rosters, exports.
    pub async fn read_long<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Conn) -> Result<T> + Send + 'static,
    {
        match &*self.0 {
            Inner::Sqlite { number, path, .. } => {
                let (number, path) = (*number, path.clone());
                actix_web::web::block(move || sqlite_read(number, &path, &work)).await.map_err(Error::blocking)?
            }
            Inner::Postgres(postgres) => postgres.read(work).await,
        }
    }

    /// Runs one write transaction and returns when it is on disk. The closure may run more than once: it must do
    /// nothing but database work, and check again whatever was read before.
    ///
    /// # Errors
    /// What the closure returns, and then nothing is kept; 503 or 507 where the database can't take it.
    pub async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Conn) -> Result<T> + Send + 'static,
    {
        match &*self.0 {
            Inner::Sqlite { writer, .. } => writer.write(work).await,
            Inner::Postgres(postgres) => postgres.write(work).await,
        }
    }

    /// Runs reads, and then writes what `record` makes of their by-product. The answer is released once that is on disk:
    /// on SQLite the writer does it, on PostgreSQL both are one transaction. Nothing is written where the by-product is
    /// empty.
    ///
    /// # Errors
    /// As [`Db::read`] and [`Db::write`]; where the record can't be written there is no answer.
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
                    writer.write(move |conn| record(conn, &entries)).await?;
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
}

fn sqlite_read<T>(number: u64, path: &str, work: &impl Fn(&mut Conn) -> Result<T>) -> Result<T> {
    // Taken out while it is used: after a panic or an error of the connection it is not put back.
    let kept = READERS.with_borrow_mut(|readers| readers.remove(&number));
    let mut conn = match kept {
        Some(conn) => conn,
        None => open_sqlite(path, Purpose::Read)?,
    };
    let outcome = snapshot(&mut conn, work);
    if !outcome.as_ref().is_err_and(Error::breaks_connection) {
        READERS.with_borrow_mut(|readers| readers.insert(number, conn));
    }
    outcome
}

/// A deferred transaction, so that several reads of one answer see one state.
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
