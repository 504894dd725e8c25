//! The tables for diesel, with the SQL types that both databases share ([`crate::db::types`]).
//!
//! `migrations/` creates the tables. A test compares the columns in these files with both databases.

#![expect(missing_docs, reason = "diesel's macro makes items that take no comments")]

/// Declares tables whose columns have the SQL types of diesel and of this crate.
macro_rules! tables {
    ($($name:ident $key:tt $columns:tt)+) => {
        $(diesel::table! {
            use $crate::db::types::*;
            use diesel::sql_types::*;

            $name $key $columns
        })+
    };
}

// No file has the name of a table: the module would hide it.
mod erasing;
mod organisations;
mod people;
mod premises;
mod service;
mod social_prescribing;
mod whats_on;

pub use erasing::*;
pub use organisations::*;
pub use people::*;
pub use premises::*;
pub use service::*;
pub use social_prescribing::*;
pub use whats_on::*;

// All of them can be joined.
diesel::allow_tables_to_appear_in_same_query!(
    // premises
    venues,
    spaces,
    venue_words,
    sites,
    hostings,
    postcodes,
    // organisations
    partners,
    programmes,
    api_clients,
    rosters,
    roster_entries,
    // people
    members,
    member_words,
    consents,
    consent_states,
    access_needs,
    relationships,
    equality_answers,
    safeguarding_flags,
    possible_duplicates,
    duplicate_searches,
    member_merges,
    merged_contacts,
    calendar_links,
    users,
    logins,
    throttles,
    one_time_links,
    messages,
    // erasing
    erasures,
    retention_reviews,
    // exports
    exports,
    // whats_on
    session_series,
    sessions,
    wordings,
    listings,
    listing_words,
    series_listings,
    bookings,
    registers,
    walk_ins,
    // social_prescribing
    prescriptions,
    prescription_needs,
    prescription_items,
    // service
    audit_events,
    audit_unsealed,
    audit_seals,
    idempotency_records,
    leases,
    jobs,
    job_payloads,
    report_areas,
    topics,
);

diesel::joinable!(users -> partners (partner_id));
diesel::joinable!(logins -> users (user_id));
diesel::joinable!(programmes -> partners (partner_id));
diesel::joinable!(api_clients -> partners (partner_id));
diesel::joinable!(session_series -> partners (partner_id));
diesel::joinable!(session_series -> programmes (programme_id));
diesel::joinable!(session_series -> venues (venue_id));
diesel::joinable!(session_series -> spaces (space_id));
diesel::joinable!(sessions -> session_series (series_id));
diesel::joinable!(sessions -> partners (partner_id));
diesel::joinable!(sessions -> wordings (wording_id));
diesel::joinable!(wordings -> programmes (programme_id));
diesel::joinable!(listings -> wordings (wording_id));
diesel::joinable!(sessions -> venues (venue_id));
diesel::joinable!(sessions -> spaces (space_id));
diesel::joinable!(prescription_items -> prescriptions (prescription_id));
diesel::joinable!(bookings -> sessions (session_id));
diesel::joinable!(bookings -> members (member_id));
diesel::joinable!(walk_ins -> members (member_id));
diesel::joinable!(merged_contacts -> members (member_id));
