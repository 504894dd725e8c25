//! Writing many sessions in one statement, on PostgreSQL.
//!
//! A statement with a value for each cell is parsed and planned anew, with 18,000 parameters; one with an array for
//! each column is the same for any number of rows, and takes half to two thirds of the time.

use diesel::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Date, Integer, Nullable, Text};

use super::store::SessionRow;
use crate::db::Id;
use crate::db::types::{DbJson, DbTimestamp, DbUuid};

/// Every column stands below: a new one doesn't compile until it does.
const _: fn(&SessionRow) = |SessionRow {
                                id: _,
                                series_id: _,
                                occurrence: _,
                                partner_id: _,
                                programme_id: _,
                                venue_id: _,
                                space_id: _,
                                external_id: _,
                                title: _,
                                description: _,
                                pillar: _,
                                topics: _,
                                delivery: _,
                                join_link: _,
                                facilitator: _,
                                accessibility: _,
                                booking_policy: _,
                                capacity: _,
                                online_capacity: _,
                                seats_taken: _,
                                online_seats_taken: _,
                                waitlist_length: _,
                                local_start: _,
                                time_zone: _,
                                duration_minutes: _,
                                starts_at: _,
                                ends_at: _,
                                starts_on: _,
                                publication: _,
                                status: _,
                                cancellation_reason: _,
                                edited: _,
                                version: _,
                                created_at: _,
                                updated_at: _,
                            }| ();

/// The columns, in the order of the arrays.
macro_rules! columns {
    () => {
        "id, series_id, occurrence, partner_id, programme_id, venue_id, space_id, external_id, \
    title, description, pillar, topics, delivery, join_link, facilitator, accessibility, \
    booking_policy, capacity, online_capacity, seats_taken, online_seats_taken, waitlist_length, \
    local_start, time_zone, duration_minutes, starts_at, ends_at, starts_on, publication, status, \
    cancellation_reason, edited, version, created_at, updated_at, listing_id"
    };
}

/// A row for each place in the arrays.
macro_rules! rows {
    () => {
        "unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, \
    $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36)"
    };
}

const INSERT: &str = concat!("INSERT INTO sessions (", columns!(), ") SELECT * FROM ", rows!());

/// All but the seats, which are the bookings' to change.
const UPDATE: &str = concat!(
    "UPDATE sessions SET series_id = n.series_id, occurrence = n.occurrence, \
    partner_id = n.partner_id, programme_id = n.programme_id, venue_id = n.venue_id, \
    space_id = n.space_id, external_id = n.external_id, title = n.title, description = n.description, \
    pillar = n.pillar, topics = n.topics, delivery = n.delivery, join_link = n.join_link, \
    facilitator = n.facilitator, accessibility = n.accessibility, booking_policy = n.booking_policy, \
    capacity = n.capacity, online_capacity = n.online_capacity, local_start = n.local_start, \
    time_zone = n.time_zone, duration_minutes = n.duration_minutes, starts_at = n.starts_at, \
    ends_at = n.ends_at, starts_on = n.starts_on, publication = n.publication, status = n.status, \
    cancellation_reason = n.cancellation_reason, edited = n.edited, version = n.version, \
    created_at = n.created_at, updated_at = n.updated_at, listing_id = n.listing_id \
    FROM ",
    rows!(),
    " AS n (",
    columns!(),
    ") WHERE sessions.id = n.id AND sessions.version = n.version - 1"
);

/// Adds sessions.
pub(super) fn insert(conn: &mut PgConnection, rows: &[SessionRow], listings: &[Id]) -> QueryResult<usize> {
    execute(conn, INSERT, &rows.iter().collect::<Vec<_>>(), listings)
}

/// Writes the next versions of sessions over the ones before, all but their seats. How many there were to write over.
pub(super) fn update(conn: &mut PgConnection, rows: &[&SessionRow], listings: &[Id]) -> QueryResult<usize> {
    execute(conn, UPDATE, rows, listings)
}

fn execute(conn: &mut PgConnection, sql: &str, rows: &[&SessionRow], listings: &[Id]) -> QueryResult<usize> {
    diesel::sql_query(sql)
        .bind::<Array<DbUuid>, _>(column(rows, |row| row.id))
        .bind::<Array<Nullable<DbUuid>>, _>(column(rows, |row| row.series_id))
        .bind::<Array<Nullable<Text>>, _>(column(rows, |row| row.occurrence))
        .bind::<Array<Nullable<DbUuid>>, _>(column(rows, |row| row.partner_id))
        .bind::<Array<Nullable<DbUuid>>, _>(column(rows, |row| row.programme_id))
        .bind::<Array<Nullable<DbUuid>>, _>(column(rows, |row| row.venue_id))
        .bind::<Array<Nullable<DbUuid>>, _>(column(rows, |row| row.space_id))
        .bind::<Array<Nullable<Text>>, _>(column(rows, |row| row.external_id.as_deref()))
        .bind::<Array<Text>, _>(column(rows, |row| row.title.as_str()))
        .bind::<Array<Nullable<Text>>, _>(column(rows, |row| row.description.as_deref()))
        .bind::<Array<Text>, _>(column(rows, |row| row.pillar))
        .bind::<Array<DbJson>, _>(column(rows, |row| &row.topics))
        .bind::<Array<Text>, _>(column(rows, |row| row.delivery))
        .bind::<Array<Nullable<Text>>, _>(column(rows, |row| row.join_link.as_deref()))
        .bind::<Array<Nullable<Text>>, _>(column(rows, |row| row.facilitator.as_deref()))
        .bind::<Array<DbJson>, _>(column(rows, |row| &row.accessibility))
        .bind::<Array<Text>, _>(column(rows, |row| row.booking_policy))
        .bind::<Array<Nullable<Integer>>, _>(column(rows, |row| row.capacity))
        .bind::<Array<Nullable<Integer>>, _>(column(rows, |row| row.online_capacity))
        .bind::<Array<Integer>, _>(column(rows, |row| row.seats_taken))
        .bind::<Array<Integer>, _>(column(rows, |row| row.online_seats_taken))
        .bind::<Array<Integer>, _>(column(rows, |row| row.waitlist_length))
        .bind::<Array<Text>, _>(column(rows, |row| row.local_start))
        .bind::<Array<Text>, _>(column(rows, |row| row.time_zone.as_str()))
        .bind::<Array<Integer>, _>(column(rows, |row| row.duration_minutes))
        .bind::<Array<DbTimestamp>, _>(column(rows, |row| row.starts_at))
        .bind::<Array<DbTimestamp>, _>(column(rows, |row| row.ends_at))
        .bind::<Array<Date>, _>(column(rows, |row| row.starts_on))
        .bind::<Array<Text>, _>(column(rows, |row| row.publication))
        .bind::<Array<Text>, _>(column(rows, |row| row.status))
        .bind::<Array<Nullable<Text>>, _>(column(rows, |row| row.cancellation_reason.as_deref()))
        .bind::<Array<Bool>, _>(column(rows, |row| row.edited))
        .bind::<Array<Integer>, _>(column(rows, |row| row.version))
        .bind::<Array<DbTimestamp>, _>(column(rows, |row| row.created_at))
        .bind::<Array<DbTimestamp>, _>(column(rows, |row| row.updated_at))
        .bind::<Array<DbUuid>, _>(listings)
        .execute(conn)
}

fn column<'a, T>(rows: &[&'a SessionRow], cell: impl Fn(&'a SessionRow) -> T) -> Vec<T> {
    rows.iter().map(|row| cell(row)).collect()
}
