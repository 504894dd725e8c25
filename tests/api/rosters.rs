//! Tests of rosters.
