//! A search as SQL conditions on the rows of `sessions`.

use diesel::dsl::{IntoBoxed, Select, sql};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Integer, Text};

use super::query::{FIRST, Search, TimeSpan};
use crate::auth::viewer::Viewer;
use crate::db::conn::MultiBackend;
use crate::db::schema::{listing_words, session_series, sessions, venue_words, venues};
use crate::db::types::{DbTimestamp, DbUuid};
use crate::db::{Conn, Id};
use crate::sessions::listings::{word_of_day, word_of_pillar, word_of_programme, word_of_topic};
use crate::sessions::types::{Delivery, SessionStatus};
use crate::sessions::view::{FoundSelection, found, found_selection};
use crate::sessions::visibility::{Part, in_part};
use crate::text::short_name::ShortName;
use crate::text::words::{Wanted, word_of_feature};

diesel::define_sql_function! {
    /// `length` characters of a text, beginning at character `from` (the first is 1).
    fn substr(text: Text, from: Integer, length: Integer) -> Text;
}

diesel::postfix_operator!(IsTrue, " IS TRUE");

/// Keeps the planner from choosing an index for this condition: the condition is checked on each row instead. The
/// exception is a boolean column on PostgreSQL, whose index may still be chosen.
pub fn looked_at<Condition>(condition: Condition) -> IsTrue<Condition> {
    IsTrue::new(condition)
}

/// A query for sessions to which conditions can still be added.
pub type Query<'a> = IntoBoxed<'a, Select<found, FoundSelection>, MultiBackend>;

/// How rows are reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// By start, in one of the indexes on it: of all sessions, or of a venue's or partner's. The sessions of one series by
    /// its key.
    Start,
    /// By their ids. Every other condition is checked on each row.
    Id,
}

/// Where a search looks.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// The part of the list to read.
    pub part: Part,
    /// The venues in the circle, if the search has one.
    pub near: Option<&'a [Id]>,
}

/// The query for the sessions that match a search.
///
/// The rows are read from an index in the order of their starts. An index on another condition would mean collecting
/// and sorting every match first, so such conditions are [checked on each row](looked_at). Conditions on other tables
/// are subqueries for a single value: both databases run these row by row and never make a join or a hash of the table.
pub fn filtered<'a>(search: &'a Search, scope: Scope<'a>, by: By) -> Query<'a> {
    let mut query = found().select(found_selection()).into_boxed();
    query = match by {
        By::Start if search.filter.series_id.is_none() => in_part!(query, sessions, scope.part),
        By::Start | By::Id => in_part!(query, sessions, scope.part, looked_at),
    };
    query = owned(query, search, by);
    query = placed(query, search, scope.near);
    query = timed(query, search);
    let pillar = search.filter.pillar.map(word_of_pillar);
    for word in pillar.into_iter().chain(search.filter.programme_id.map(word_of_programme)) {
        query = saying(query, &Wanted::one(word));
    }
    if let Some(delivery) = search.filter.delivery {
        query = query.filter(sessions::delivery.eq(delivery));
    }
    for wanted in &search.words {
        query = saying(query, wanted);
    }
    if !search.filter.topic.is_empty() {
        let topics = search.filter.topic.iter().map(|ShortName(topic)| word_of_topic(topic));
        query = saying(query, &Wanted::OneOf(topics.collect()));
    }
    for ShortName(feature) in &search.filter.accessibility {
        query = accessible(query, feature);
    }
    if search.for_series {
        query = of_listed_series(query, search.viewer);
    }
    // The time span leaves out those that have begun.
    if search.has_space() { query.filter(sessions::has_room.eq(true)) } else { query }
}

/// Restricts to scheduled sessions of series that this viewer finds in lists. A session that was published by hand doesn't
/// show a series that is a draft.
fn of_listed_series(query: Query<'_>, viewer: Viewer) -> Query<'_> {
    let query = query.filter(looked_at(sessions::status.eq(SessionStatus::Scheduled)));
    let its = session_series::table.filter(session_series::id.nullable().eq(sessions::series_id));
    let its = its.select(session_series::id).limit(1);
    let published = session_series::published.eq(true);
    match viewer {
        Viewer::Staff => query.filter(looked_at(sessions::series_id.is_not_null())),
        Viewer::Partner(own) => {
            let own = its.filter(published.or(session_series::partner_id.nullable().eq(own)));
            query.filter(own.single_value().is_not_null())
        }
        Viewer::Member(_) | Viewer::Public => query.filter(its.filter(published).single_value().is_not_null()),
    }
}

/// Adds the condition that a session lies in a time span.
pub fn within<'a>(query: Query<'a>, search: &Search, span: TimeSpan, conn: &Conn) -> Query<'a> {
    let (start, id) = span.after;
    if search.filter.series_id.is_some() {
        // Read by the key of the series alone: PostgreSQL could read a whole index for the days beside it.
        let later = sessions::starts_at.gt(start).or(sessions::starts_at.eq(start).and(sessions::id.gt(id)));
        return query.filter(looked_at(sessions::starts_at.lt(span.until))).filter(looked_at(later));
    }
    let query = query.filter(sessions::starts_at.lt(span.until));
    if id == FIRST {
        return query.filter(sessions::starts_at.ge(start));
    }
    // PostgreSQL guesses that a comparison of row values keeps a third of the table, and may choose a worse index. The
    // plain condition on the start puts that right. SQLite needs only the row values, and would use this one instead.
    let query = match conn {
        Conn::Postgres(_) => query.filter(sessions::starts_at.ge(start)),
        Conn::Sqlite(_) => query,
    };
    // Row values start the index scan right behind the last row, even if many sessions have the same start.
    query.filter(
        sql::<Bool>("(sessions.starts_at, sessions.id) > (")
            .bind::<DbTimestamp, _>(start)
            .sql(", ")
            .bind::<DbUuid, _>(id)
            .sql(")"),
    )
}

/// Restricts to the series, venue, partner and booking policy that were asked for. A venue and a partner have an index by
/// start. The sessions of a series are at most some thousands: they are read by its key, and sorted.
fn owned<'a>(mut query: Query<'a>, search: &'a Search, by: By) -> Query<'a> {
    let filter = &search.filter;
    let looks = by == By::Id || filter.series_id.is_some();
    if let Some(series) = filter.series_id {
        let its = sessions::series_id.eq(series);
        query = if by == By::Id { query.filter(looked_at(its)) } else { query.filter(its) };
    }
    if let Some(venue) = filter.venue_id {
        let its = sessions::venue_id.eq(venue);
        query = if looks { query.filter(looked_at(its)) } else { query.filter(its) };
        query = query.filter(sessions::delivery.ne(Delivery::Online));
    }
    if let Some(partner) = filter.partner_id {
        let its = sessions::partner_id.eq(partner);
        query = if looks { query.filter(looked_at(its)) } else { query.filter(its) };
    }
    if let Some(policy) = filter.booking_policy {
        query = query.filter(sessions::booking_policy.eq(policy));
    }
    query
}

// The venue of a session, apart from the one that is shown with it.
diesel::alias! {
    const THERE: Alias<There> = venues as there;
}

fn placed<'a>(mut query: Query<'a>, search: &'a Search, near: Option<&'a [Id]>) -> Query<'a> {
    if let Some(authority) = &search.filter.local_authority {
        let there = THERE.filter(THERE.field(venues::id).nullable().eq(sessions::venue_id));
        let there = there.filter(THERE.field(venues::local_authority).eq(authority.name));
        let there = there.select(THERE.field(venues::id)).limit(1);
        query = query.filter(sessions::delivery.ne(Delivery::Online));
        query = query.filter(there.single_value().is_not_null());
    }
    if let Some(near) = near {
        query = query.filter(sessions::delivery.ne(Delivery::Online));
        query = query.filter(looked_at(sessions::venue_id.eq_any(near)));
    }
    query
}

fn timed<'a>(mut query: Query<'a>, search: &'a Search) -> Query<'a> {
    if let Some(after) = &search.filter.starts_after {
        query = query.filter(substr(sessions::local_start, 12, 5).ge(after));
    }
    if let Some(before) = &search.filter.starts_before {
        query = query.filter(substr(sessions::local_start, 12, 5).lt(before));
    }
    if !search.filter.weekday.is_empty() {
        let days = search.filter.weekday.iter().map(|day| word_of_day((*day).into()));
        query = saying(query, &Wanted::OneOf(days.collect()));
    }
    query
}

/// The words of a session's listing.
#[diesel::dsl::auto_type(no_type_alias)]
fn own_words() -> _ {
    listing_words::table
        .filter(listing_words::wording_id.eq(sessions::wording_id))
        .filter(listing_words::slot.eq(sessions::slot))
        .select(listing_words::word)
        .limit(1_i64)
}

fn saying<'a>(query: Query<'a>, wanted: &Wanted) -> Query<'a> {
    let words = own_words();
    match wanted {
        // PostgreSQL looks one word up in the index, but reads all words of a listing to compare them with a list.
        Wanted::OneOf(any) if any.len() == 1 => {
            query.filter(words.filter(listing_words::word.eq(any[0].clone())).single_value().is_not_null())
        }
        Wanted::OneOf(any) => {
            query.filter(words.filter(listing_words::word.eq_any(any.clone())).single_value().is_not_null())
        }
        Wanted::Between(from, until) => {
            let from = words.filter(listing_words::word.ge(from.clone()));
            query.filter(from.filter(listing_words::word.lt(until.clone())).single_value().is_not_null())
        }
        Wanted::Either(any, from, until) => {
            let one = words.filter(listing_words::word.eq_any(any.clone())).single_value().is_not_null();
            let from = words.filter(listing_words::word.ge(from.clone()));
            query.filter(one.or(from.filter(listing_words::word.lt(until.clone())).single_value().is_not_null()))
        }
    }
}

/// Restricts to sessions with a feature: their own, or of the venue that people come to.
fn accessible<'a>(query: Query<'a>, feature: &str) -> Query<'a> {
    let word = word_of_feature(feature);
    let own = own_words().filter(listing_words::word.eq(word.clone()));
    let there = venue_words::table
        .filter(venue_words::venue_id.nullable().eq(sessions::venue_id))
        .filter(venue_words::word.eq(word))
        .select(venue_words::word)
        .limit(1);
    let there = there.single_value().is_not_null().and(sessions::delivery.ne(Delivery::Online));
    query.filter(own.single_value().is_not_null().or(there))
}
