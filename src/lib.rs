//! The backend of a social-prescribing service.
//!
//! # The path of one request
//!
//! 1. [`http::guard`] gives it an id, catches panics, and makes every failure a problem document.
//! 2. The router finds the handler; every resource registers its own routes in `configure` ([`app`]).
//! 3. The handler's one [`http::extract::Extract`] argument says who may call it ([`auth::policy`]), then what it
//!    takes from path, query and body. Bodies are held to the published schema ([`http::shape`]).
//! 4. The handler calls pure rules (`rules.rs`), then a store (`store.rs`) through a door of [`db::Db`]: reads,
//!    audited reads, or one write transaction ([`http::idempotency`]).
//! 5. Rows become response types (`types.rs`), and [`http::reply`] answers.
//!
//! Nothing calls upward: a store never sees HTTP, a rule never sees a connection, a handler never sees the schema.

pub mod app;
pub mod audit;
pub mod auth;
pub mod background;
pub mod calendars;
pub mod cli;
pub mod clock;
pub mod config;
pub mod db;
pub mod demo;
pub mod error;
pub mod housekeeping;
pub mod http;
pub mod jobs;
pub mod login;
pub mod members;
pub mod openapi;
pub mod partners;
pub mod period;
pub mod places;
pub mod prescriptions;
pub mod reports;
pub mod rosters;
pub mod server;
pub mod service;
pub mod sessions;
pub mod sites;
pub mod tasks;
pub mod users;
pub mod venues;
pub mod words;
