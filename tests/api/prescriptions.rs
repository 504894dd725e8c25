//! Tests of prescriptions.
