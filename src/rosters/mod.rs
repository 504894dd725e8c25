//! Rosters: many series and sessions in one posting, as often as a partner likes.
//!
//! - An entry is known by (partner, `external_id`) and is the whole statement of it: what is absent has its default,
//!   except `join_link`, which stays. Posting the same again changes nothing and says so.
//! - A roster is atomic by default; `mode=partial` applies the good entries; `dry_run=true` applies nothing. Every
//!   fault of every entry is reported at once.
//! - A posting ([`body`]) takes these steps, at once or [`later`]. [`read`] takes the four forms, one entry at a time;
//!   CSV and workbooks are [sheets](sheet).
//!   [`planner`] makes a [`plan`]: it [checks](check) each entry, compares it with what is there ([`current`]),
//!   [reconciles](crate::sessions::series::reconcile) its sessions, and leaves out what [clashes]. [`ahead`] writes
//!   what nobody sees in pieces, and [`apply`] the rest of the plan in one transaction, or nothing.
//! - How much work one posting may be is [bounded](budget).
//! - What it doesn't name stays, unless it is [`missing`] and told to go.
//! - A server makes and applies one plan at a time, and holds few bodies ([`crate::http::budget`], [`crate::http::turn`]).
//! - Whoever posts a sheet can have it back with what became of each row ([`answer`]). What a partner has can be had as a
//!   roster that changes nothing ([`export`]).
//! - What was applied or refused is kept with its outcome, row by row ([`store`]).

pub mod ahead;
pub mod answer;
pub mod apply;
pub mod body;
pub mod budget;
pub mod check;
pub mod clashes;
pub mod current;
pub mod export;
pub mod extent;
pub mod handlers;
pub mod keeping;
pub mod later;
pub mod lookups;
pub mod missing;
pub mod plan;
pub mod planner;
pub mod read;
pub mod sheet;
pub mod store;

pub mod types;

use crate::http::operations::Operations;

/// Registers the routes.
pub fn configure(config: &mut Operations) {
    config.service(handlers::list_rosters);
    config.service(handlers::post_roster);
    // Before the one whose path would take its name for an id.
    config.service(handlers::get_roster_template);
    config.service(export::handlers::get_roster_workbook_template);
    config.service(handlers::get_roster);
    config.service(export::handlers::get_held_roster);
    config.service(export::handlers::get_held_roster_as_csv);
    config.service(export::handlers::get_held_roster_as_workbook);
}
