//! The API suite: every test talks HTTP to a server of its own on a database of its own.
//!
//! `TEST_DATABASE_URL=postgres://…` runs it on PostgreSQL; without it, on SQLite.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that fails says where")]

mod support;

mod access;
mod auth;
mod bookings;
mod conventions;
mod demo;
mod journeys;
mod members;
mod openapi;
mod parity;
mod partners;
mod prescriptions;
mod query_plans;
mod registers;
mod reports;
mod rosters;
mod sessions;
mod sites;
mod spaces;
mod users;
mod venues;
mod whats_on;
