//! Members: people, and their consents.
//!
//! - Two members never share an NHS number. Any other likeness is only a warning, which the registering advisor may
//!   overrule.
//! - A member reads and changes their own record, an advisor everybody's. Reading somebody else's record is audited.
//! - Consents are only ever added. The one recorded last decides ([`sharing`]).

pub mod consents;
pub mod handlers;
pub mod names;
pub mod registration;
pub mod rules;
pub mod search;
pub mod sharing;
pub mod store;
pub mod types;

use crate::http::operations::Operations;

/// Registers the routes.
pub fn configure(config: &mut Operations) {
    config.service(search::search_members);
    config.service(handlers::register_member);
    config.service(handlers::get_member);
    config.service(handlers::change_member);
    config.service(consents::handlers::list_consents);
    config.service(consents::handlers::get_consent);
    config.service(consents::handlers::record_consent);
}
