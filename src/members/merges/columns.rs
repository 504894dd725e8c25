//! Every column that names a member, and what merging does with it.

/// What merging does with the rows that name a member in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Treatment {
    /// They belong to the other record afterwards.
    Moves,
    /// They are taken away, and come back if the merge is undone.
    SetAside,
    /// They are worked out again for both records.
    Derived,
    /// They keep the id, because they tell what was.
    Stays,
}

use Treatment::{Derived, Moves, SetAside, Stays};

/// The columns: table, column, treatment.
pub const COLUMNS: &[(&str, &str, Treatment)] = &[
    ("access_needs", "member_id", Moves),
    ("audit_events", "member_id", Stays),
    ("audit_events", "on_behalf_of", Stays),
    ("bookings", "member_id", Moves),
    ("calendar_links", "member_id", Moves),
    ("consent_states", "member_id", Derived),
    ("consents", "member_id", Moves),
    ("equality_answers", "member_id", Moves),
    ("erasures", "member_id", Stays),
    ("exports", "member_id", Moves),
    ("member_merges", "from_id", Stays),
    ("member_merges", "into_id", Stays),
    ("member_words", "member_id", Derived),
    ("members", "merged_into", Moves),
    // The row of an old id, which the merge writes, and undoing it deletes.
    ("merged_contacts", "member_id", Stays),
    ("messages", "cared_for", Moves),
    ("messages", "member_id", Moves),
    ("one_time_links", "member_id", Moves),
    ("possible_duplicates", "a", SetAside),
    ("possible_duplicates", "b", SetAside),
    ("prescriptions", "member_id", Moves),
    ("relationships", "from_member", Moves),
    ("relationships", "to_member", Moves),
    ("retention_reviews", "member_id", Stays),
    ("safeguarding_flags", "member_id", Moves),
    ("users", "member_id", Moves),
    ("walk_ins", "member_id", Moves),
];
