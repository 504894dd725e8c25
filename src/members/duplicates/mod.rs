//! People who may be registered twice.
//!
//! - Two records are compared field by field, and the points of the fields are added up ([`rules`]). With enough points a
//!   registration is refused until somebody says that this is another person. With fewer, the pair comes onto a list that
//!   advisors go through.
//! - Only the records that share something with the new one are compared with it: a birthday, the sound of the names, a
//!   telephone number, an e-mail address or a postcode ([`search`]). Each is a look into an index.
//! - Pairs come from registrations, and from a look at night at everybody whose record changed ([`nightly`]).
//! - What an advisor decided about a pair stays.

pub mod handlers;
pub mod nicknames;
pub mod nightly;
pub mod people;
pub mod rules;
pub mod search;
pub mod store;
pub mod types;
