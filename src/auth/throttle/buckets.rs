//! The buckets that all servers share and that restarts keep: the table `throttles`.
//!
//! A bucket is one instant, `tat` (the generic cell rate algorithm). It is full when `tat` has passed. A hit moves it on
//! by one interval. The bucket is empty while `tat` is further ahead than the burst allows.

use chrono::TimeDelta;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use crate::clock::DbTimestamp;
use crate::config::Limit;
use crate::db::schema::throttles;
use crate::db::{Conn, Timestamp};
use crate::error::Result;
use crate::per_backend;

/// A bucket: its name in the table, and its limit.
#[derive(Debug, Clone)]
pub struct Bucket {
    /// The name. It is a keyed digest, so the table holds no address of a person or a machine.
    pub key: String,
    /// The limit.
    pub limit: Limit,
}

/// How many more hits than a bucket lets through are counted. Attempts that run at the same time all look before the first
/// of them is counted: two on one account, and as many from one network as a server looks at passwords at a time. What is
/// too many is paid back: nothing is let through until the bucket is where it would be without them.
const AT_THE_SAME_TIME: i64 = 8;

impl Bucket {
    /// The time after which one more is let through, in microseconds.
    fn interval(&self) -> i64 {
        i64::from(self.limit.seconds) * 1_000_000 / i64::from(self.limit.count.max(1))
    }

    /// The furthest ahead that `tat` can be. If the clock of the machine was wrong for a while, a bucket could be empty
    /// for that long, so it is never read as further ahead.
    fn furthest(&self) -> i64 {
        self.interval() * (i64::from(self.limit.count) + AT_THE_SAME_TIME)
    }

    /// How many microseconds the bucket lets nothing through for, if this is its `tat`.
    fn wait(&self, tat: Timestamp, now: Timestamp) -> i64 {
        let ahead = (tat.0 - now.0).num_microseconds().unwrap_or(i64::MAX).min(self.furthest());
        ahead - self.interval() * (i64::from(self.limit.count) - 1)
    }
}

/// What the table says of a bucket.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Level {
    /// In how many seconds the next hit is let through; `None` if it is at once.
    pub wait: Option<u32>,
    /// Whether the bucket was hit lately, and isn't full again.
    pub is_used: bool,
}

/// Reads these buckets, in their order.
pub fn levels(conn: &mut Conn, buckets: &[Bucket], now: Timestamp) -> Result<Vec<Level>> {
    let keys: Vec<&str> = buckets.iter().map(|bucket| bucket.key.as_str()).collect();
    let rows = throttles::table.filter(throttles::key.eq_any(keys)).select((throttles::key, throttles::tat));
    let rows: Vec<(String, Timestamp)> = rows.load(conn)?;
    let level = |bucket: &Bucket| {
        let tat = rows.iter().find(|(key, _)| *key == bucket.key).map(|(_, tat)| *tat);
        let Some(tat) = tat.filter(|_| !bucket.limit.is_off()) else { return Level::default() };
        let wait = u32::try_from((bucket.wait(tat, now) + 999_999) / 1_000_000).unwrap_or_default();
        Level { wait: Some(wait).filter(|wait| *wait > 0), is_used: tat > now }
    };
    Ok(buckets.iter().map(level).collect())
}

/// Counts one hit in each of these buckets.
pub fn hit(conn: &mut Conn, mut buckets: Vec<Bucket>, now: Timestamp) -> Result<()> {
    // Two transactions that hit the same buckets take them in the same order, so neither waits for the other in a ring.
    buckets.sort_by(|one, other| one.key.cmp(&other.key));
    for bucket in buckets.iter().filter(|bucket| !bucket.limit.is_off()) {
        let after = |micros: i64| Timestamp(now.0 + TimeDelta::microseconds(micros));
        // Both databases count in one statement, so that no hit is lost between servers. Only the names of the functions
        // differ. The least and the greatest `tat` before the hit are stated as they are after it.
        let (greatest, least, plus) = match conn {
            Conn::Postgres(_) => ("GREATEST", "LEAST", "$3 * interval '1 microsecond'"),
            Conn::Sqlite(_) => ("MAX", "MIN", "$3"),
        };
        let sql = format!(
            "INSERT INTO throttles (key, tat) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET tat = \
             {least}({greatest}(throttles.tat + {plus}, $2), $4)"
        );
        per_backend!(conn, |inner| diesel::sql_query(&sql)
            .bind::<Text, _>(&bucket.key)
            .bind::<DbTimestamp, _>(after(bucket.interval()))
            .bind::<BigInt, _>(bucket.interval())
            .bind::<DbTimestamp, _>(after(bucket.furthest()))
            .execute(inner))?;
    }
    Ok(())
}

/// Counts one hit if the bucket lets it through. Returns whether it did. What isn't let through isn't counted: otherwise
/// whoever goes on asking would keep the bucket empty for ever. The look and the hit are one statement, so that of several
/// at the same time no more are let through than there is room for.
pub fn take(conn: &mut Conn, bucket: &Bucket, now: Timestamp) -> Result<bool> {
    if bucket.limit.is_off() {
        return Ok(true);
    }
    let after = |micros: i64| Timestamp(now.0 + TimeDelta::microseconds(micros));
    let (greatest, plus) = match conn {
        Conn::Postgres(_) => ("GREATEST", "$4 * interval '1 microsecond'"),
        Conn::Sqlite(_) => ("MAX", "$4"),
    };
    // A `tat` that is too far ahead was written while the clock was wrong. SQLite numbers parameters as they appear.
    let sql = format!(
        "INSERT INTO throttles (key, tat) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET tat = CASE WHEN throttles.tat > $3 \
         THEN $2 ELSE {greatest}(throttles.tat + {plus}, $2) END WHERE throttles.tat <= $5 OR throttles.tat > $3"
    );
    let last = bucket.interval() * (i64::from(bucket.limit.count) - 1);
    let counted = per_backend!(conn, |inner| diesel::sql_query(&sql)
        .bind::<Text, _>(&bucket.key)
        .bind::<DbTimestamp, _>(after(bucket.interval()))
        .bind::<DbTimestamp, _>(after(bucket.furthest()))
        .bind::<BigInt, _>(bucket.interval())
        .bind::<DbTimestamp, _>(after(last))
        .execute(inner))?;
    Ok(counted == 1)
}

/// Fills these buckets again.
pub fn clear(conn: &mut Conn, keys: &[String]) -> Result<()> {
    diesel::delete(throttles::table.filter(throttles::key.eq_any(keys))).execute(conn)?;
    Ok(())
}

/// How many rows the housekeeping deletes in one transaction.
const PIECE: i64 = 500;

/// Whether there are buckets that are full again. A bucket without a row is full.
pub fn overdue(conn: &mut Conn, now: Timestamp) -> Result<bool> {
    let full = throttles::table.filter(throttles::tat.le(now));
    Ok(diesel::select(diesel::dsl::exists(full)).get_result(conn)?)
}

/// Deletes some buckets that are full again and returns how many.
pub fn forget(conn: &mut Conn, now: Timestamp) -> Result<usize> {
    let full = throttles::table.filter(throttles::tat.le(now));
    let keys: Vec<String> = full.order(throttles::tat).limit(PIECE).select(throttles::key).load(conn)?;
    Ok(diesel::delete(full.filter(throttles::key.eq_any(&keys))).execute(conn)?)
}
