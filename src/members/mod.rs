//! Members: people, their consents, and who looked at their data.
//!
//! - Two members never share an NHS number. Any other likeness is only a warning, which the registering advisor may
//!   overrule.
//! - A member reads and changes their own record, an advisor everybody's. Reading somebody else's record is audited.
//! - Consents are only ever added. The one recorded last decides ([`sharing`]).

pub mod access_log;
pub mod consents;
pub mod contact;
pub mod handlers;
pub mod names;
pub mod registration;
pub mod rules;
pub mod search;
pub mod sharing;
pub mod store;
pub mod types;

crate::routes! {
    search: search_members;
    handlers: register_member, get_member, change_member;
    consents::handlers: list_consents, get_consent, record_consent;
    access_log::handlers: list_access_log
}
