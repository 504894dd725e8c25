//! The demo data and its maker.
