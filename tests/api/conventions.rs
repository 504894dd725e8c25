//! Tests of conventions.
