//! Members: people, what is recorded of them, and who looked at it.
//!
//! - Two members never share an NHS number. Any other likeness is only a warning, which the registering advisor may
//!   overrule ([`duplicates`]). Two records of one person are merged ([`merges`]), and the id of the one leads to the other
//!   ([`fate`]).
//! - A member reads and changes their own record, an advisor everybody's. Reading somebody else's record is audited.
//! - Consents are only ever added. The one recorded last decides ([`sharing`]).
//! - [`access_needs`], [`relationships`], [`equality`] and [`safeguarding`] stand in tables of their own, because each
//!   has readers of its own.

pub mod access_log;
pub mod access_needs;
pub mod activity;
pub mod consents;
pub mod contact;
pub mod duplicates;
pub mod earlier;
pub mod equality;
pub mod fate;
pub mod handlers;
pub mod merges;
pub mod names;
mod preferences;
pub mod quotas;
pub mod registration;
pub mod relationships;
pub mod requests;
mod residence;
pub mod rules;
pub mod safeguarding;
pub mod search;
pub mod sharing;
pub mod signatures;
mod sounding;
pub mod store;
pub mod types;
pub mod view;

crate::routes! {
    search: search_members;
    handlers: register_member, get_member, change_member;
    consents::handlers: list_consents, get_consent, record_consent;
    access_log::handlers: list_access_log;
    duplicates::handlers: list_possible_duplicates, list_possible_duplicates_of_member, get_possible_duplicate,
        change_possible_duplicate;
    merges::handlers: merge_members, list_merges, undo_merge;
    access_needs::handlers: get_access_needs, put_access_needs;
    relationships::handlers: list_relationships, get_relationship, create_relationship, change_relationship;
    equality::handlers: get_equality_answers, change_equality_answers;
    safeguarding::handlers: list_safeguarding_flags, get_safeguarding_flag, raise_safeguarding_flag,
        change_safeguarding_flag
}
