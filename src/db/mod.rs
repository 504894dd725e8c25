//! The doors to the database: [`Db::read`], [`Db::read_long`], [`Db::write`] and [`Db::read_audited`]. Nothing else
//! in the crate holds a connection.
//!
//! On SQLite a read runs on the calling thread, on that thread's own connection; writes queue for the one
//! [`writer`]. On PostgreSQL both take a pooled connection on a blocking thread.

pub mod conn;
mod constraints;
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
pub(crate) use constraints::explain as explain_constraint;
use postgres::Postgres;
pub use types::{Id, Json, LocalTime, Timestamp};
use writer::Writer;

use crate::audit::{self, Event};
use crate::error::{Error, Result};

/// Where the data is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A file, by path.
    Sqlite(String),
    /// A server, by URL. May hold a password: never printed.
    Postgres(String),
}

impl Location {
    /// Reads `DATABASE_URL`: `sqlite://life-rooms.db`, `sqlite:///var/lib/x.db`, `postgres://…`.
    ///
    /// # Errors
    /// A sentence for the operator when the scheme is neither.
    pub fn parse(url: &str) -> Result<Self, String> {
        if let Some(path) = url.strip_prefix("sqlite://").filter(|path| !path.is_empty()) {
            return Ok(Self::Sqlite(path.to_owned()));
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            if !cfg!(feature = "postgres-tls") && asks_for_tls(url) {
                return Err("DATABASE_URL asks for TLS, and this binary was built without it: build with \
                            `--features postgres-tls`, or leave sslmode out"
                    .into());
            }
            return Ok(Self::Postgres(url.to_owned()));
        }
        Err("DATABASE_URL must be sqlite://FILE or postgres://USER:PASSWORD@HOST/NAME".into())
    }

    /// `sqlite` or `postgres`, for logs.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "sqlite",
            Self::Postgres(_) => "postgres",
        }
    }
}

fn asks_for_tls(url: &str) -> bool {
    ["sslmode=require", "sslmode=verify-ca", "sslmode=verify-full"].iter().any(|mode| url.contains(mode))
}

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

    /// Reads personal data and records who read whose. The answer is released once the events are on disk.
    ///
    /// # Errors
    /// As [`Db::read`] and [`Db::write`]; where the events can't be written there is no answer.
    pub async fn read_audited<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut Conn) -> Result<(T, Vec<Event>)> + Send + 'static,
    {
        match &*self.0 {
            Inner::Sqlite { number, path, writer } => {
                let (answer, events) = sqlite_read(*number, path, &work)?;
                if !events.is_empty() {
                    writer.write(move |conn| audit::record(conn, &events)).await?;
                }
                Ok(answer)
            }
            Inner::Postgres(postgres) => {
                postgres
                    .read_and_record(move |conn| {
                        let (answer, events) = work(conn)?;
                        audit::record(conn, &events)?;
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
