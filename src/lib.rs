//! The backend of a social-prescribing service.
//!
//! # The path of one request
//!
//! 1. [`http::guard`] gives the request an id, catches panics, and makes every failure a problem document.
//! 2. The router finds the handler. Every resource registers its own routes in `configure` ([`app`]).
//! 3. The handler has one argument, [`http::extract::Extract`]. Its type says who may call the handler
//!    ([`http::allowed`], [`auth::policy`]) and what is read from path, query and body. Bodies are checked against the
//!    published schema ([`http::shape`]).
//! 4. The handler calls pure rules (`rules.rs`) and a store (`store.rs`). The store runs in a read, an audited read or
//!    one write transaction of [`db::Db`] ([`http::idempotency`]).
//! 5. Rows become response types (`types.rs`), and [`http::reply`] makes the answer.
//!
//! # The order of modules
//!
//! The list begins with the lowest modules. A module uses only modules on earlier lines. Modules on the same line don't
//! use each other. A unit test (`floors.rs`) checks the sources against this list.
//!
//! ```text
//! clock · text · period                     time, identifiers; names, words and numbers as people write them; months
//! places · line                             the local authorities of the United Kingdom; who takes turns with whom
//! error                                     Error, the table of problem types, the Problem body
//! config · tables                           settings; tables as CSV and workbooks
//! db                                        connections, transactions, types, schema, migrations, failures
//! audit · messages                          events that say who did what to whose data, audited reads; what people are told
//! auth                                      tokens, passwords, who a caller is, what they may do and reach (no HTTP)
//! http                                      context, extractors, pages, conditional requests, replies, shared state
//! background · postcodes                    repeated tasks, each on one server at a time; where postcodes are
//! partners · venues · jobs · seals          organisations; buildings; long work; proof that the audit is whole
//! sites · users · members · service         premises; accounts; people; the service about itself
//! sessions · prescriptions · login          what's on; social prescriptions; logging in
//! accounts · topics                         how people get accounts and keep them; what topics of sessions mean
//! erasures                                  erasing people; records that nobody has used for years
//! rosters · calendars · reports             bulk upload, iCalendar and counts of sessions
//! mail                                      makes mails of messages and sends them; members' messages
//! exports                                   everything that is kept about a member, for whoever asks
//! housekeeping                              deleting data that is too old
//! tasks                                     the list of tasks and of kinds of jobs
//! openapi · docs · examples                 the OpenAPI document; its pages; pages for anybody's site
//! app                                       routes, and functions of higher modules for lower ones
//! server · demo                             sockets and signals; example data
//! cli                                       commands
//! ```
//!
//! A lower module can't call a higher one by name. It gets the functions that it needs from `app` (in
//! [`http::state::Hooks`]) and from `tasks` (in a list). A store doesn't know HTTP, a rule doesn't know the database
//! connection, and a handler doesn't know the database schema.

pub mod accounts;
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
pub mod erasures;
pub mod error;
pub mod examples;
pub mod exports;
#[cfg(test)]
mod floors;
pub mod housekeeping;
pub mod http;
pub mod jobs;
pub mod line;
pub mod login;
pub mod mail;
pub mod members;
pub mod messages;
pub mod openapi;
pub mod partners;
pub mod period;
pub mod places;
pub mod postcodes;
pub mod prescriptions;
pub mod reports;
pub mod rosters;
pub mod seals;
pub mod server;
pub mod service;
pub mod sessions;
pub mod sites;
pub mod tables;
pub mod tasks;
pub mod text;
pub mod topics;
pub mod users;
pub mod venues;
