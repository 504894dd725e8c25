//! Everything that was asked for as conditions on the rows of `sessions`.

use diesel::dsl::{AsSelect, IntoBoxed, Select, sql};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Integer, Text};

use super::query::{FIRST, Search, TimeSpan};
use crate::db::conn::MultiBackend;
use crate::db::schema::{listing_words, sessions, venue_words, venues};
use crate::db::types::{DbTimestamp, DbUuid};
use crate::db::{Conn, Id};
use crate::sessions::listings::{word_of_day, word_of_topic};
use crate::sessions::types::Delivery;
use crate::sessions::view::Columns;
use crate::sessions::visibility::listed;
use crate::text::short_name::ShortName;
use crate::text::words::{Wanted, word_of_feature};

diesel::define_sql_function! {
    /// So many characters of a text, from the first, second, …
    fn substr(text: Text, from: Integer, length: Integer) -> Text;
}

diesel::postfix_operator!(IsTrue, " IS TRUE");

/// A condition that rows are only looked at for: no index is entered by it, on either database, but for that of a column
/// of PostgreSQL that is true or false by itself.
pub fn looked_at<Condition>(condition: Condition) -> IsTrue<Condition> {
    IsTrue::new(condition)
}

/// A query for sessions that still takes conditions.
pub type Query<'a> = IntoBoxed<'a, Select<sessions::table, AsSelect<Columns, MultiBackend>>, MultiBackend>;

/// How rows are reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// By start, or by start within a venue, partner or programme, or among what has room.
    Start,
    /// By their ids: everything else is only looked at.
    Id,
}

/// What of the database a search is held to.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// The venues in the circle, where one was asked for.
    pub near: Option<&'a [Id]>,
    /// The partners whose sessions the viewer doesn't find.
    pub hidden: &'a [Id],
}

/// What was asked for of each row.
///
/// The rows come in the order of their starts; a condition that led elsewhere would have all that fit it sorted. So a
/// condition that no index must be entered by is [looked at](looked_at), and other tables are asked by subqueries for one
/// value, which both databases run row by row and never turn into a join or a hash of the whole table.
pub fn filtered<'a>(search: &'a Search, scope: Scope<'a>, by: By) -> Query<'a> {
    let mut query = sessions::table.select(Columns::as_select()).into_boxed();
    query = listed!(query, sessions, search.viewer, scope.hidden);
    query = owned(query, search, by);
    query = placed(query, search, scope.near);
    query = timed(query, search);
    if let Some(pillar) = search.filter.pillar {
        query = query.filter(sessions::pillar.eq(pillar));
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
    if search.has_space() { with_space(query, by) } else { query }
}

/// The rows of a stretch of the list.
pub fn within<'a>(query: Query<'a>, span: TimeSpan, conn: &Conn) -> Query<'a> {
    let (start, id) = span.after;
    let query = query.filter(sessions::starts_at.lt(span.until));
    if id == FIRST {
        return query.filter(sessions::starts_at.ge(start));
    }
    // PostgreSQL takes row values for a third of the table, and a shorter index for the better one, unless it is told
    // of both bounds; SQLite would enter the index by this one.
    let query = match conn {
        Conn::Postgres(_) => query.filter(sessions::starts_at.ge(start)),
        Conn::Sqlite(_) => query,
    };
    // Row values, so that the index is entered right behind the last row, however many start with it.
    query.filter(
        sql::<Bool>("(sessions.starts_at, sessions.id) > (")
            .bind::<DbTimestamp, _>(start)
            .sql(", ")
            .bind::<DbUuid, _>(id)
            .sql(")"),
    )
}

/// Whose sessions, and at which venue. Each has an index by start, but what has room is gone through by its own.
fn owned<'a>(mut query: Query<'a>, search: &'a Search, by: By) -> Query<'a> {
    let filter = &search.filter;
    let looks = by == By::Id || search.has_space();
    if let Some(venue) = filter.venue_id {
        let its = sessions::venue_id.eq(venue);
        query = if looks { query.filter(looked_at(its)) } else { query.filter(its) };
    }
    if let Some(partner) = filter.partner_id {
        let its = sessions::partner_id.eq(partner);
        query = if looks { query.filter(looked_at(its)) } else { query.filter(its) };
    }
    if let Some(programme) = filter.programme_id {
        let its = sessions::programme_id.eq(programme);
        query = if looks { query.filter(looked_at(its)) } else { query.filter(its) };
    }
    query
}

fn placed<'a>(mut query: Query<'a>, search: &'a Search, near: Option<&'a [Id]>) -> Query<'a> {
    if let Some(authority) = &search.filter.local_authority {
        let there = venues::table.filter(venues::id.nullable().eq(sessions::venue_id));
        let there = there.filter(venues::local_authority.eq(authority.name)).select(venues::id).limit(1);
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

fn saying<'a>(query: Query<'a>, wanted: &Wanted) -> Query<'a> {
    let words = listing_words::table
        .filter(listing_words::listing_id.nullable().eq(sessions::listing_id))
        .select(listing_words::word)
        .limit(1);
    match wanted {
        Wanted::OneOf(any) => {
            query.filter(words.filter(listing_words::word.eq_any(any.clone())).single_value().is_not_null())
        }
        Wanted::Between(from, until) => {
            let from = words.filter(listing_words::word.ge(from.clone()));
            query.filter(from.filter(listing_words::word.lt(until.clone())).single_value().is_not_null())
        }
    }
}

/// With a feature of its own, or of the venue that people come to.
fn accessible<'a>(query: Query<'a>, feature: &str) -> Query<'a> {
    let word = word_of_feature(feature);
    let own = listing_words::table
        .filter(listing_words::listing_id.nullable().eq(sessions::listing_id))
        .filter(listing_words::word.eq(word.clone()))
        .select(listing_words::word)
        .limit(1);
    let there = venue_words::table
        .filter(venue_words::venue_id.nullable().eq(sessions::venue_id))
        .filter(venue_words::word.eq(word))
        .select(venue_words::word)
        .limit(1);
    let there = there.single_value().is_not_null().and(sessions::delivery.ne(Delivery::Online));
    query.filter(own.single_value().is_not_null().or(there))
}

/// Whoever books now gets a seat, if it hasn't begun: the stretch sees to that.
fn with_space(query: Query<'_>, by: By) -> Query<'_> {
    let room = sessions::has_room.eq(true);
    if by == By::Id { query.filter(looked_at(room)) } else { query.filter(room) }
}
