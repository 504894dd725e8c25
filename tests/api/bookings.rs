//! Tests of bookings.
