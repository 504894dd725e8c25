//! What becomes of every table when a member is erased. This is the one list: [`super::erase`] follows it, and a test
//! compares it with both databases. A new table or column that isn't here fails the test.
//!
//! | what | becomes |
//! | --- | --- |
//! | the record | emptied; id, local authority and the day of the erasure stay |
//! | bookings, walk-ins, registers | stay, because reports count them; reasons go |
//! | prescriptions, needs, items | stay without a word of free text |
//! | consents | purpose, decision and day stay |
//! | whatever else belongs to the member, their account and their logins | deleted |
//! | audit events | stay: they hold ids and names of fields |

use crate::db::{Conn, Id};

/// What becomes of rows of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Becomes {
    /// They are deleted.
    Deleted,
    /// They stay, and these columns get these values. The columns in `kept` tell nothing about a person without them:
    /// ids, states, days and counts.
    Emptied {
        /// Columns, each with the SQL of its value.
        set: &'static [(&'static str, &'static str)],
        /// The columns that stay as they are.
        kept: &'static [&'static str],
    },
    /// The table holds no member's data.
    OfNobody,
}

/// A table with the rows of it that are about a member.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// The SQL condition of the rows. `:member` is the member's id, `:text` the same as text.
    pub whose: &'static str,
    /// What becomes of these rows.
    pub becomes: Becomes,
}

const fn deleted(name: &'static str, whose: &'static str) -> Table {
    Table { name, whose, becomes: Becomes::Deleted }
}

const fn emptied(
    name: &'static str,
    whose: &'static str,
    set: &'static [(&'static str, &'static str)],
    kept: &'static [&'static str],
) -> Table {
    Table { name, whose, becomes: Becomes::Emptied { set, kept } }
}

const fn of_nobody(name: &'static str) -> Table {
    Table { name, whose: "", becomes: Becomes::OfNobody }
}

/// The rows with this in `member_id`.
const OWN: &str = "member_id = :member";

/// The links of a member: their own, those of their account, and those that a stranger had sent to one of their addresses.
/// An address that is somebody else's account's is theirs: a child's record often has a parent's address.
macro_rules! links {
    ($before:literal, $after:literal) => {
        concat!(
            $before,
            "member_id = :member OR user_id IN (SELECT id FROM users WHERE member_id = :member) \
             OR created_by IN (SELECT id FROM users WHERE member_id = :member) \
             OR (member_id IS NULL AND user_id IS NULL \
                AND email NOT IN (SELECT email FROM users WHERE member_id IS NULL OR member_id <> :member) AND email IN ( \
                SELECT email_key FROM members WHERE id = :member \
                UNION SELECT email FROM users WHERE member_id = :member \
                UNION SELECT email FROM one_time_links WHERE member_id = :member \
                    OR user_id IN (SELECT id FROM users WHERE member_id = :member) \
                UNION SELECT lower(address) FROM messages WHERE member_id = :member \
                    OR user_id IN (SELECT id FROM users WHERE member_id = :member)))",
            $after
        )
    };
}

/// Every table. Rows are deleted in this order, so that nothing refers to what is gone.
pub const TABLES: &[Table] = &[
    deleted("member_words", OWN),
    deleted("consent_states", OWN),
    deleted("exports", OWN),
    deleted("access_needs", OWN),
    deleted("equality_answers", OWN),
    deleted("relationships", "from_member = :member OR to_member = :member"),
    deleted("safeguarding_flags", OWN),
    deleted("merged_contacts", OWN),
    deleted("calendar_links", OWN),
    deleted("possible_duplicates", "a = :member OR b = :member"),
    deleted("retention_reviews", OWN),
    // The digest of the key stays, so that a request that is repeated doesn't make the person again. The digest of the body
    // goes: it could be compared with guesses at what was written.
    emptied(
        "idempotency_records",
        "CAST(about AS text) LIKE '%' || :text || '%'",
        &[
            ("status", "410"),
            ("body_hash", "''"),
            ("location", "NULL"),
            ("etag", "NULL"),
            ("body", "''"),
            ("about", "'[]'"),
        ],
        &["scope", "expires_at"],
    ),
    // Messages that carry a link of theirs; then the links, which are found by the addresses of messages too.
    deleted("messages", links!("link_id IN (SELECT id FROM one_time_links WHERE ", ")")),
    deleted("one_time_links", links!("", "")),
    // Also what a carer was told of them.
    deleted(
        "messages",
        "member_id = :member OR cared_for = :member OR user_id IN (SELECT id FROM users WHERE member_id = :member)",
    ),
    deleted("logins", "user_id IN (SELECT id FROM users WHERE member_id = :member)"),
    deleted("users", OWN),
    emptied(
        "consents",
        OWN,
        &[("evidence", "''"), ("form_version", "NULL")],
        &["id", "member_id", "purpose", "partner_id", "decision", "recorded_by", "recorded_at", "told_by"],
    ),
    emptied(
        "bookings",
        "member_id = :member AND cancellation_reason IS NOT NULL",
        &[("cancellation_reason", "NULL"), ("version", "version + 1")],
        &[
            "id",
            "session_id",
            "member_id",
            "status",
            "delivery",
            "family",
            "carers",
            "seats",
            "reference",
            "prescription_item_id",
            "booked_by",
            "turn",
            "offer_expires_at",
            "created_at",
            "updated_at",
        ],
    ),
    emptied("walk_ins", OWN, &[], &["session_id", "member_id", "created_at"]),
    emptied(
        "prescriptions",
        OWN,
        &[("what_matters", "NULL"), ("status_reason", "NULL"), ("version", "version + 1")],
        &[
            "id",
            "member_id",
            "origin",
            "advisor_id",
            "site_id",
            "status",
            "developed_on",
            "review_on",
            "created_at",
            "updated_at",
        ],
    ),
    emptied(
        "prescription_needs",
        "prescription_id IN (SELECT id FROM prescriptions WHERE member_id = :member)",
        &[("note", "NULL")],
        &["prescription_id", "domain", "position", "severity"],
    ),
    emptied(
        "prescription_items",
        "prescription_id IN (SELECT id FROM prescriptions WHERE member_id = :member)",
        &[("goal", "NULL"), ("note", "NULL"), ("reason", "NULL"), ("version", "version + 1")],
        &[
            "id",
            "prescription_id",
            "position",
            "need",
            "kind",
            "series_id",
            "session_id",
            "programme_id",
            "partner_id",
            "status",
            "by_member",
            "created_at",
            "updated_at",
        ],
    ),
    emptied(
        "member_merges",
        "into_id = :member OR from_id = :member",
        &[("undo", "NULL")],
        &["id", "into_id", "from_id", "done_by", "undone_at", "undone_by", "undo_until", "created_at"],
    ),
    // A request that is open becomes the executed one elsewhere. Why it was held, or whether, is nobody's business then.
    emptied(
        "erasures",
        "member_id = :member AND status NOT IN ('requested', 'held')",
        &[("reason", "NULL"), ("hold_until", "NULL"), ("released_at", "NULL")],
        &[
            "id",
            "member_id",
            "origin",
            "asked_by",
            "asked_on",
            "due_on",
            "status",
            "executed_at",
            "result",
            "disk",
            "logged",
            "version",
            "created_at",
            "updated_at",
        ],
    ),
    // Events never change. They hold ids and names of fields.
    emptied(
        "audit_events",
        OWN,
        &[],
        &[
            "id",
            "at",
            "actor_kind",
            "actor_id",
            "action",
            "member_id",
            "resource_kind",
            "resource_id",
            "fields",
            "request_id",
            "actor_role",
            "partner_id",
            "purpose",
            "on_behalf_of",
        ],
    ),
    emptied(
        "members",
        "id = :member",
        &[
            ("preferred_name", "NULL"),
            ("given_name", "''"),
            ("family_name", "''"),
            ("former_names", "'[]'"),
            ("given_key", "''"),
            ("family_key", "''"),
            ("sound_key", "''"),
            ("pronouns", "NULL"),
            ("date_of_birth", "NULL"),
            ("email", "NULL"),
            ("email_key", "NULL"),
            ("phone", "NULL"),
            ("line_1", "NULL"),
            ("line_2", "NULL"),
            ("town", "NULL"),
            ("postcode", "NULL"),
            ("local_authority", "NULL"),
            ("nhs_number", "NULL"),
            ("gp_practice_code", "NULL"),
            ("roles", "'[]'"),
            ("contact_preferences", "'{}'"),
            ("safe_contact", "'{\"voicemail\": true, \"letters\": true, \"say_who\": true}'"),
            ("message_details", "'neutral'"),
            ("reminders", "TRUE"),
            ("emergency_contact", "NULL"),
            ("last_activity_on", "NULL"),
            ("version", "version + 1"),
        ],
        &["id", "local_authority_code", "merged_into", "erased_at", "created_at", "updated_at"],
    ),
    of_nobody("venues"),
    of_nobody("venue_words"),
    of_nobody("spaces"),
    of_nobody("sites"),
    of_nobody("hostings"),
    of_nobody("postcodes"),
    of_nobody("partners"),
    of_nobody("programmes"),
    of_nobody("api_clients"),
    of_nobody("rosters"),
    of_nobody("roster_entries"),
    of_nobody("session_series"),
    of_nobody("sessions"),
    of_nobody("wordings"),
    of_nobody("listings"),
    of_nobody("listing_words"),
    of_nobody("series_listings"),
    // Headcounts of people who aren't members.
    of_nobody("registers"),
    // Ids of events.
    of_nobody("audit_unsealed"),
    of_nobody("audit_seals"),
    // The names of the buckets are digests under a key that isn't in the database.
    of_nobody("throttles"),
    of_nobody("leases"),
    of_nobody("jobs"),
    of_nobody("job_payloads"),
    of_nobody("report_areas"),
    of_nobody("topics"),
    // The id of the record that was looked at last.
    of_nobody("duplicate_searches"),
    of_nobody("__diesel_schema_migrations"),
];

impl Table {
    /// The statement that does it to this member; `None` where nothing is done. The two databases write ids in different
    /// ways.
    pub fn statement(&self, conn: &Conn, member: Id) -> Option<String> {
        let text = format!("'{member}'");
        let literal = match conn {
            Conn::Postgres(_) => format!("CAST({text} AS uuid)"),
            Conn::Sqlite(_) => format!("X'{}'", member.0.simple()),
        };
        let whose = self.whose.replace(":member", &literal).replace(":text", &text);
        match self.becomes {
            Becomes::Deleted => Some(format!("DELETE FROM {} WHERE {whose}", self.name)),
            Becomes::Emptied { set, .. } if !set.is_empty() => {
                let set: Vec<String> = set.iter().map(|(column, value)| format!("{column} = {value}")).collect();
                Some(format!("UPDATE {} SET {} WHERE {whose}", self.name, set.join(", ")))
            }
            Becomes::Emptied { .. } | Becomes::OfNobody => None,
        }
    }
}

/// The tables that hold words about people until they are erased.
pub fn with_words() -> Vec<&'static str> {
    let has_words = |table: &&Table| match table.becomes {
        Becomes::Deleted => true,
        Becomes::Emptied { set, .. } => !set.is_empty(),
        Becomes::OfNobody => false,
    };
    let mut names: Vec<&str> = TABLES.iter().filter(has_words).map(|table| table.name).collect();
    names.sort_unstable();
    names.dedup();
    names
}
