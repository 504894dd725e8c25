//! The backend of a social-prescribing service.
//!
//! # The path of one request
//!
//! 1. [`http::guard`] gives it an id, catches panics, and makes every failure a problem document.
//! 2. The router finds the handler; every resource registers its own routes in `configure` ([`app`]).
//! 3. The handler's one [`http::extract::Extract`] argument says who may call it ([`http::allowed`], [`auth::policy`]),
//!    then what it takes from path, query and body. Bodies are held to the published schema ([`http::shape`]).
//! 4. The handler calls pure rules (`rules.rs`), then a store (`store.rs`) through a door of [`db::Db`]: reads,
//!    audited reads, or one write transaction ([`http::idempotency`]).
//! 5. Rows become response types (`types.rs`), and [`http::reply`] answers.
//!
//! # The order of modules
//!
//! A module uses only the modules on the lines above its own, which are the floors below it. Modules on one line don't
//! use each other. A unit test (`floors.rs`) holds the sources to this list.
//!
//! ```text
//! clock · text · period                     time, identifiers; names, words and numbers as people write them; months
//! places                                    the local authorities of the United Kingdom
//! error                                     Error, the table of problem types, the Problem body
//! config                                    settings
//! db                                        connections, the doors, types, schema, migrations, what failures mean
//! audit                                     events of who did what to whose data, audited reads
//! auth                                      tokens, passwords, who a caller is, what they may do and reach (no HTTP)
//! http                                      context, extractors, pages, conditional requests, replies, shared state
//! background                                what a task is, and who runs it
//! partners · venues · jobs                  organisations; buildings; long work
//! sites · users · members · login · service premises; accounts; people; logging in; the service about itself
//! sessions · prescriptions                  what's on; social prescriptions
//! rosters · calendars · reports             what is made of sessions
//! housekeeping                              what is kept no longer
//! tasks                                     the list of tasks and of kinds of jobs
//! openapi · docs                            the document, completed; its pages
//! app                                       routes, and what lower modules are given of higher ones
//! server · demo                             sockets and signals; data to look at
//! cli                                       commands
//! ```
//!
//! What a lower module needs of a higher one is handed to it: by `app` in [`http::state::Hooks`], by `tasks` in a list.
//! A store never sees HTTP, a rule never sees a connection, a handler never sees the schema.

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
pub mod docs;
pub mod error;
#[cfg(test)]
mod floors;
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
pub mod text;
pub mod users;
pub mod venues;
