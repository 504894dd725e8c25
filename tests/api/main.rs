//! The API suite: every test talks HTTP to a server of its own on a database of its own.
//!
//! `TEST_DATABASE_URL=postgres://…` runs it on PostgreSQL; without it, on SQLite.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that fails says where")]

mod support;

mod access;
mod auth;
mod booking_machine;
mod bookings;
mod calendar_forms;
mod calendar_links;
mod calendar_revisions;
mod calendars;
mod calendars_of_many;
mod changeover_edits;
mod clashes;
mod closings;
mod contract;
mod conventions;
mod demo;
mod disclosure;
mod doors;
mod drop_in;
mod editing;
mod ended_series;
mod endless_edits;
mod housekeeping;
mod http;
mod inactive_partners;
mod jobs;
mod join_links;
mod journeys;
mod members;
mod moves;
mod no_change;
mod oauth;
mod occurrence_machine;
mod occurrences;
mod offers;
mod openapi;
mod paging;
mod parity;
mod partners;
mod prescriptions;
mod query_plans;
mod recurrence;
mod registers;
mod replays;
mod report_areas;
mod report_questions;
mod reports;
mod rosters;
mod rosters_beside_edits;
mod rosters_missing;
mod rosters_registers;
mod rosters_run_out;
mod rosters_together;
mod search_many;
mod series_edits;
mod sessions;
mod sites;
mod skipped;
mod spaces;
mod splitting;
mod spreadsheets;
mod states;
mod texts;
mod unchanged;
mod upgrades;
mod users;
mod venues;
mod vocabularies;
mod waiting;
mod whats_on;
mod withdrawn_series;
