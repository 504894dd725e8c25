//! Turns a broken unique constraint into a problem that the client understands.
//!
//! PostgreSQL names the broken constraint; SQLite's message lists only its columns. Both are looked up in one table.

use diesel::result::DatabaseErrorInformation;

use crate::error::{Error, Fault, Kind};

struct Meaning {
    /// The constraint's name, as PostgreSQL gives it.
    name: &'static str,
    /// The columns, as SQLite's message lists them.
    columns: &'static str,
    kind: Kind,
    pointer: &'static str,
    detail: &'static str,
}

const fn taken(name: &'static str, columns: &'static str, pointer: &'static str, detail: &'static str) -> Meaning {
    Meaning { name, columns, kind: Kind::AlreadyExists, pointer, detail }
}

const MEANINGS: &[Meaning] = &[
    taken("venues_slug_key", "venues.slug", "/slug", "Another venue has this slug."),
    taken(
        "spaces_venue_name_key",
        "spaces.venue_id, spaces.name",
        "/name",
        "Another space of this venue has this name.",
    ),
    taken("partners_slug_key", "partners.slug", "/slug", "Another partner has this slug."),
    taken(
        "programmes_partner_slug_key",
        "programmes.partner_id, programmes.slug",
        "/slug",
        "Another programme of this partner has this slug.",
    ),
    taken("sites_slug_key", "sites.slug", "/slug", "Another site has this slug."),
    taken(
        "topics_code_key",
        "topics.code",
        "",
        "Somebody else described this topic at the same time. Read it again and repeat your change.",
    ),
    taken(
        "report_areas_slug_key",
        "report_areas.slug",
        "",
        "Somebody else named this area at the same time. Read it again and repeat your change.",
    ),
    taken(
        "report_areas_number_key",
        "report_areas.number",
        "",
        "Somebody else named another area at the same time. Send this again.",
    ),
    taken("users_email_key", "users.email", "/email", "Another account has this e-mail address."),
    taken("users_member_key", "users.member_id", "/member_id", "This member has an account already."),
    taken("members_nhs_number_key", "members.nhs_number", "/nhs_number", "Another member has this NHS number."),
    taken(
        "relationships_open_key",
        "relationships.from_member, relationships.to_member, relationships.kind",
        "/kind",
        "These two members have such a relationship, and it hasn't ended.",
    ),
    taken(
        "session_series_partner_external_key",
        "session_series.partner_id, session_series.external_id",
        "/external_id",
        "Another series of this partner has this external_id.",
    ),
    taken(
        "sessions_partner_external_key",
        "sessions.partner_id, sessions.external_id",
        "/external_id",
        "Another session of this partner has this external_id.",
    ),
    taken(
        "sessions_series_occurrence_key",
        "sessions.series_id, sessions.occurrence",
        "/local_start",
        "The series already has a session at this time: somebody made it just now. Read it again and repeat.",
    ),
    Meaning {
        name: "bookings_live_key",
        columns: "bookings.session_id, bookings.member_id",
        kind: Kind::AlreadyBooked,
        pointer: "/member_id",
        detail: "This member has a place in this session already.",
    },
];

/// The problem for a broken unique constraint; `None` if no request can break that constraint.
pub(crate) fn explain(info: &dyn DatabaseErrorInformation) -> Option<Error> {
    let message = info.message();
    let columns = message.strip_prefix("UNIQUE constraint failed: ").unwrap_or_default();
    let meaning = MEANINGS.iter().find(|m| info.constraint_name() == Some(m.name) || columns == m.columns)?;
    let fault = Fault::at(meaning.pointer, "taken", meaning.detail);
    Some(Error::new(meaning.kind, meaning.detail).with(fault))
}
