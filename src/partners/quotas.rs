//! Quotas: how much one partner may have.
//!
//! - There are four: series, sessions to come, bytes of text, and API clients. The operator sets them
//!   ([`crate::config::Quotas`]). They bind the partner, whoever writes for it.
//! - Whatever makes a partner have more says by how much ([`Growth`]) and asks [`check`], in the transaction that writes
//!   it. What adds nothing is not counted.
//! - On SQLite everybody's writes wait for that transaction. So it [doesn't count](surely_fits) what a partner has, unless
//!   the partner may be near its quota.
//! - Ended and cancelled series count, and so do cancelled sessions until their time has passed: they are kept and shown.
//!   A revoked client doesn't.
//! - The text of each series counts, and what its sessions say counts once for each wording, however many sessions say it.
//! - Requests that add series, sessions or clients [hold] the partner first, so that two at once can't both take what is
//!   left. A change of one session's text doesn't: it could exceed the quota by itself only.

use std::collections::{BTreeMap, HashMap};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use diesel::dsl::{exists, sum};
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::store;
use crate::config::Quotas;
use crate::db::schema::{api_clients, listings, session_series, sessions};
use crate::db::types::DbUuid;
use crate::db::{AT_ONCE, Conn, Id, Timestamp};
use crate::error::{Error, Fault, Kind, Result};
use crate::http::context::Context;
use crate::per_backend;

/// The codes of the quotas of what is slow to count.
const SESSIONS: &str = "too_many_sessions";
const TEXT: &str = "too_much_text";

/// What a write adds to what a partner has.
#[derive(Debug, Clone, Default)]
pub struct Growth {
    /// Series.
    pub series: i64,
    /// Bytes of the texts of series. Below 0 if they become shorter.
    pub series_text: i64,
    /// Whether the series are written already.
    pub series_are_written: bool,
    /// Sessions to come.
    pub sessions: i64,
    /// What sessions will say that say something else now, or are new: wordings with their bytes.
    pub said: BTreeMap<Id, i64>,
    /// The wordings that sessions say no longer, each with how many sessions.
    pub left: BTreeMap<Id, i64>,
    /// API clients.
    pub clients: i64,
}

/// One quota as it stands for a request.
struct Figure {
    /// Its code in a problem document.
    code: &'static str,
    /// What is counted, in words.
    what: &'static str,
    is: i64,
    adds: i64,
    most: i64,
}

impl Figure {
    /// A request that adds nothing is never refused: the quota may have been lowered.
    fn is_over(&self) -> bool {
        self.adds > 0 && self.is + self.adds > self.most
    }

    fn fault(&self) -> Fault {
        let Self { code, what, is, adds, most } = self;
        let detail = format!("The partner has {is} {what}, this would add {adds}, and the most is {most}.");
        Fault::at("", *code, detail)
    }
}

impl Growth {
    /// Checks that a partner may have so much more, for a request.
    ///
    /// # Errors
    /// As [`check`].
    pub fn check(&self, conn: &mut Conn, context: &Context, partner_id: Option<Id>) -> Result<()> {
        check(conn, &context.state().config.quotas, partner_id, self, context.now())
    }

    /// The bytes of text that it adds at most: some may be there already.
    fn text_at_most(&self) -> i64 {
        self.series_text.max(0) + self.said.values().sum::<i64>()
    }

    /// As [`Growth::check`], before the transaction that writes it, which checks again.
    ///
    /// # Errors
    /// As [`check`].
    pub fn foresee(&self, conn: &mut Conn, context: &Context, partner_id: Option<Id>) -> Result<()> {
        let (quotas, now) = (&context.state().config.quotas, context.now());
        partner_id.map_or(Ok(()), |partner| refuse(&figures(conn, quotas, partner, self, now)?))
    }
}

/// Locks a partner that gets more until the transaction ends. Call this before locking anything else.
pub fn hold(conn: &mut Conn, partner_id: Option<Id>) -> Result<()> {
    partner_id.map_or(Ok(()), |id| store::lock(conn, id))
}

/// Checks that a partner may have so much more. Sessions that belong to the service itself have no quota.
///
/// # Errors
/// 409 `quota-exceeded` with a fault for each quota that would be exceeded.
pub fn check(conn: &mut Conn, quotas: &Quotas, partner_id: Option<Id>, growth: &Growth, now: Timestamp) -> Result<()> {
    let Some(partner) = partner_id else { return Ok(()) };
    let mut counted = *quotas;
    let fits = |most: Option<i64>, kind, adds| most.is_some_and(|most| surely_fits(kind, adds, most));
    if matches!(conn, Conn::Sqlite(_)) {
        counted.sessions = quotas.sessions.filter(|_| !fits(quotas.sessions, (partner, SESSIONS), growth.sessions));
        counted.text = quotas.text.filter(|_| !fits(quotas.text, (partner, TEXT), growth.text_at_most()));
    }
    let figures = figures(conn, &counted, partner, growth, now)?;
    if matches!(conn, Conn::Sqlite(_)) {
        figures.iter().for_each(|figure| remember(partner, figure));
    }
    refuse(&figures)
}

/// What there is at most of what is slow to count, by partner and code of the quota: the last count, and all that was
/// added since. Less is never noted, so a bound can be too high, and then it is counted again. It is right because a
/// SQLite file has one server, whose writes come one after the other. What a failed write would have added stays in it.
static AT_MOST: LazyLock<Mutex<HashMap<(Id, &'static str), i64>>> = LazyLock::new(Mutex::default);

fn at_most() -> MutexGuard<'static, HashMap<(Id, &'static str), i64>> {
    AT_MOST.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether so much more fits without being counted; then it is noted. For example: a partner was counted with 31,200
/// sessions and has got 200 since, so it has at most 31,400. Of a quota of 150,000, one more surely fits.
fn surely_fits(kind: (Id, &'static str), adds: i64, most: i64) -> bool {
    match at_most().get_mut(&kind) {
        Some(bound) if *bound + adds.max(0) <= most => {
            *bound += adds.max(0);
            true
        }
        _ => false,
    }
}

/// Notes what was counted.
fn remember(partner: Id, figure: &Figure) {
    if figure.code == SESSIONS || figure.code == TEXT {
        at_most().insert((partner, figure.code), figure.is + figure.adds.max(0));
    }
}

fn figures(conn: &mut Conn, quotas: &Quotas, partner: Id, growth: &Growth, now: Timestamp) -> Result<Vec<Figure>> {
    let figures = [
        of_series(conn, quotas, partner, growth)?,
        of_sessions(conn, quotas, partner, growth, now)?,
        of_text(conn, quotas, partner, growth)?,
        of_clients(conn, quotas, partner, growth)?,
    ];
    Ok(figures.into_iter().flatten().collect())
}

fn refuse(figures: &[Figure]) -> Result<()> {
    let faults: Vec<Fault> = figures.iter().filter(|one| one.is_over()).map(Figure::fault).collect();
    if faults.is_empty() {
        return Ok(());
    }
    let told: Vec<&str> = faults.iter().map(|fault| fault.detail.as_ref()).collect();
    let detail = format!("{} Nothing was changed.", told.join(" "));
    Err(faults.into_iter().fold(Error::new(Kind::QuotaExceeded, detail), Error::with))
}

fn of_series(conn: &mut Conn, quotas: &Quotas, partner: Id, growth: &Growth) -> Result<Option<Figure>> {
    let (Some(most), true) = (quotas.series, growth.series > 0) else { return Ok(None) };
    let own = session_series::table.filter(session_series::partner_id.eq(partner));
    let there: i64 = own.count().get_result(conn)?;
    let is = if growth.series_are_written { there - growth.series } else { there };
    Ok(Some(Figure { code: "too_many_series", what: "series", is, adds: growth.series, most }))
}

fn of_sessions(
    conn: &mut Conn,
    quotas: &Quotas,
    partner: Id,
    growth: &Growth,
    now: Timestamp,
) -> Result<Option<Figure>> {
    let (Some(most), true) = (quotas.sessions, growth.sessions > 0) else { return Ok(None) };
    // The index of a partner's sessions has `published` in front of the start, so both values are stated.
    let to_come = sessions::table
        .filter(sessions::partner_id.eq(partner))
        .filter(sessions::published.eq_any([true, false]))
        .filter(sessions::starts_at.gt(now));
    let is = to_come.count().get_result(conn)?;
    Ok(Some(Figure { code: SESSIONS, what: "sessions to come", is, adds: growth.sessions, most }))
}

fn of_clients(conn: &mut Conn, quotas: &Quotas, partner: Id, growth: &Growth) -> Result<Option<Figure>> {
    let (Some(most), true) = (quotas.clients, growth.clients > 0) else { return Ok(None) };
    let own = api_clients::table.filter(api_clients::partner_id.eq(partner));
    let is = own.filter(api_clients::revoked_at.is_null()).count().get_result(conn)?;
    Ok(Some(Figure { code: "too_many_clients", what: "API clients", is, adds: growth.clients, most }))
}

/// The text. The first sum is cheap, and may be too large: it also has wordings that no session has any more, and counts
/// what is said already as new. Only if it is over the quota is it counted what sessions really say.
fn of_text(conn: &mut Conn, quotas: &Quotas, partner: Id, growth: &Growth) -> Result<Option<Figure>> {
    let may_grow = growth.series_text > 0 || !growth.said.is_empty();
    let (Some(most), true) = (quotas.text, may_grow) else { return Ok(None) };
    let of_series = series_text(conn, partner)?;
    let of_series = if growth.series_are_written { of_series - growth.series_text } else { of_series };
    let all: i64 = growth.said.values().sum();
    let figure = |of_sessions: i64, adds: i64| Figure {
        code: TEXT,
        what: "bytes of text",
        is: of_series + of_sessions,
        adds: growth.series_text + adds,
        most,
    };
    let roughly = figure(stored(conn, partner)?, all);
    if !roughly.is_over() {
        return Ok(Some(roughly));
    }
    let said = said(conn, partner)?;
    let known: i64 = growth.said.iter().filter(|(id, _)| said.contains_key(id)).map(|(_, bytes)| bytes).sum();
    let adds = all - known - freed(conn, partner, growth, &said)?;
    Ok(Some(figure(said.values().sum(), adds)))
}

fn series_text(conn: &mut Conn, partner: Id) -> Result<i64> {
    let own = session_series::table.filter(session_series::partner_id.eq(partner));
    let text: Option<i64> = own.select(sum(session_series::text_bytes)).first(conn)?;
    Ok(text.unwrap_or_default())
}

#[derive(QueryableByName)]
struct Bytes {
    #[diesel(sql_type = BigInt)]
    bytes: i64,
}

/// The bytes of the wordings that are stored for a partner. Some may be of no session: those of a roster that was refused,
/// or what sessions said before they were changed.
fn stored(conn: &mut Conn, partner: Id) -> Result<i64> {
    // Diesel has no sum over a subquery.
    let sql = "SELECT CAST(coalesce(sum(bytes), 0) AS bigint) AS bytes \
               FROM (SELECT DISTINCT wording_id, bytes FROM listings WHERE partner_id = $1) AS own";
    let found: Bytes = per_backend!(conn, |inner| diesel::sql_query(sql).bind::<DbUuid, _>(partner).get_result(inner))?;
    Ok(found.bytes)
}

/// The wordings that sessions of a partner have, with their bytes.
fn said(conn: &mut Conn, partner: Id) -> Result<BTreeMap<Id, i64>> {
    let of_it =
        sessions::table.filter(sessions::wording_id.eq(listings::wording_id)).filter(sessions::slot.eq(listings::slot));
    let used = listings::table.filter(listings::partner_id.eq(partner)).filter(exists(of_it));
    let rows: Vec<(Id, i32)> = used.select((listings::wording_id, listings::bytes)).load(conn)?;
    Ok(rows.into_iter().map(|(id, bytes)| (id, bytes.into())).collect())
}

/// The bytes of the wordings that no session of the partner will say any more.
fn freed(conn: &mut Conn, partner: Id, growth: &Growth, said: &BTreeMap<Id, i64>) -> Result<i64> {
    let left: Vec<Id> = growth.left.keys().filter(|id| !growth.said.contains_key(id)).copied().collect();
    let mut freed = 0;
    for chunk in left.chunks(AT_ONCE) {
        let own = sessions::table.filter(sessions::partner_id.eq(partner)).filter(sessions::wording_id.eq_any(chunk));
        let counted = own.group_by(sessions::wording_id).select((sessions::wording_id, diesel::dsl::count_star()));
        for (id, count) in counted.load::<(Id, i64)>(conn)? {
            if growth.left.get(&id) == Some(&count) {
                freed += said.get(&id).copied().unwrap_or_default();
            }
        }
    }
    Ok(freed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_surely_fits_is_not_counted_until_the_quota_may_be_reached() {
        let partner = Id(uuid::Uuid::new_v4());
        let fits = |adds| surely_fits((partner, SESSIONS), adds, 100);
        let count = |is, adds| remember(partner, &Figure { code: SESSIONS, what: "", is, adds, most: 100 });
        assert!(!fits(1), "nothing was counted yet");
        count(60, 20);
        assert_eq!([15, -30, 5, 1, 0].map(fits), [true, true, true, false, true]);
        // Most of them are over by now.
        count(10, 1);
        assert_eq!([89, 1].map(fits), [true, false]);
    }
}
