//! Where the data of members stands in the database, and where documents show it.
//!
//! A test walks the schema: a table that refers to a member or to an account, and isn't in this list, fails it.

/// Where the data of a table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In these sections of documents.
    In(&'static [&'static str]),
    /// In no document, for this reason.
    HeldBack(&'static str),
}

use Place::{HeldBack, In};

/// The tables that refer to members or to accounts, in the order of their names.
pub const TABLES: &[(&str, Place)] = &[
    ("access_needs", In(&["access_needs"])),
    ("audit_events", In(&["access_log", "safeguarding_log"])),
    ("bookings", In(&["bookings"])),
    ("calendar_links", In(&["calendar_links"])),
    ("consent_states", HeldBack("Which of the member's consents count now: they are made of the consents.")),
    ("consents", In(&["consents"])),
    ("equality_answers", In(&["equality_answers"])),
    ("erasures", In(&["erasures"])),
    ("exports", In(&["exports"])),
    ("logins", In(&["logins"])),
    ("member_merges", In(&["merges"])),
    (
        "member_words",
        HeldBack("The words of the member's names, by which a search finds them: they are made of the record."),
    ),
    ("members", In(&["record", "contact"])),
    ("merged_contacts", In(&["merges"])),
    ("messages", In(&["messages"])),
    ("one_time_links", In(&["links"])),
    (
        "possible_duplicates",
        HeldBack("Guesses that two records are of one person: the other one may be somebody else's."),
    ),
    ("prescription_items", In(&["prescriptions"])),
    ("prescription_needs", In(&["prescriptions"])),
    ("prescriptions", In(&["prescriptions"])),
    (
        "registers",
        HeldBack("Counts of people, and which member of staff counted them. Who came stands in bookings and walk_ins."),
    ),
    ("relationships", In(&["relationships"])),
    ("retention_reviews", In(&["retention"])),
    ("safeguarding_flags", In(&["safeguarding"])),
    ("users", In(&["account"])),
    ("walk_ins", In(&["walk_ins"])),
];
