//! Rosters as JSON.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};

use crate::db::schema::{roster_entries, rosters};
use crate::db::{Id, Json, LocalTime, Timestamp};
use crate::error::{Error, Fault, Result};
use crate::http::shape::{self, Shape};
use crate::sessions::particulars::Particulars;
use crate::sessions::recurrence;
use crate::sessions::registers::types::Headcount;
pub use crate::sessions::series::types::SkipReason;
use crate::sessions::types::{BookingPolicy, Delivery, Pillar, Publication};
use crate::text::short_name::ShortName;

crate::text_enum! {
    /// What an entry is.
    pub enum EntryKind {
        /// Something offered again and again; it has a `recurrence`.
        Series,
        /// Something offered once.
        Session,
    }
    /// What happens to good entries where others are wrong.
    pub enum Mode {
        /// Nothing is changed.
        Atomic,
        /// The good ones are applied and the others reported.
        Partial,
    }
    /// What happens to what a partner's earlier rosters named and this one doesn't.
    pub enum Missing {
        /// It stays as it is.
        Keep,
        /// What of it is still to come and nobody has booked is cancelled.
        Cancel,
    }
    /// What is confirmed that a roster does.
    pub enum Confirmed {
        /// That it calls off more than half of what is to come.
        Cancel,
    }
    /// What happens to a column of a sheet that isn't known.
    pub enum UnknownColumns {
        /// The sheet is refused.
        Refuse,
        /// The column is left out.
        Ignore,
    }
    /// What became of a roster.
    pub enum RosterStatus {
        /// Its good entries were applied.
        Applied,
        /// Some entries were wrong, and nothing was changed.
        Refused,
    }
    /// What became of an entry.
    pub enum Outcome {
        /// It was new.
        Created,
        /// Something of it, or of its sessions, was changed.
        Updated,
        /// It was there already, word for word.
        Unchanged,
        /// It was cancelled.
        Cancelled,
        /// Something is wrong with it.
        Rejected,
    }
}

/// The register of a session as a roster states it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RosterRegister {
    /// People who were there and are not members; all of them.
    pub headcount: Headcount,
}

/// One series or session of a roster. It is the whole statement: an absent member means its default, except
/// `join_link`, which stays as it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RosterEntry {
    /// The partner's own name for it; the same one means the same thing in every roster.
    #[schema(min_length = 1, max_length = 100, format = "one-line", example = "reader-walton-tue")]
    pub external_id: String,
    /// Absent: `series` where there is a recurrence, else `session`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r#type: Option<EntryKind>,
    /// What it is called.
    #[schema(min_length = 1, max_length = 200, format = "one-line", example = "Shared Reading at Walton")]
    pub title: String,
    /// What happens there.
    #[schema(min_length = 1, max_length = 5000, example = "Read a story and a poem aloud together.")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// One of the partner's own programmes, by id or slug; in CSV and workbooks also by name.
    #[schema(min_length = 1, max_length = 200, example = "shared-reading")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub programme: Option<String>,
    /// The pillar it belongs to.
    pub pillar: Pillar,
    /// What it is about.
    #[serde(default)]
    #[schema(max_items = 20, value_type = Vec<ShortName>, example = json!(["reading"]))]
    pub topics: Json<Vec<String>>,
    /// Where people take part.
    pub delivery: Delivery,
    /// A venue, by id or slug; in CSV and workbooks also by name. Required unless it is online.
    #[schema(min_length = 1, max_length = 200, example = "walton-life-rooms")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub venue: Option<String>,
    /// A space of the venue, by id or name.
    #[schema(min_length = 1, max_length = 200, example = "Reading room")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub space: Option<String>,
    /// Where to join online. Never shown in public.
    #[schema(format = "uri", max_length = 500, example = "https://meet.example.org/j/123")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub join_link: Option<String>,
    /// Who leads it.
    #[schema(min_length = 1, max_length = 200, format = "one-line", example = "Reader Leader")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub facilitator: Option<String>,
    /// What makes it accessible, as short names such as `step_free`.
    #[serde(default)]
    #[schema(max_items = 30, value_type = Vec<ShortName>, example = json!(["step_free"]))]
    pub accessibility: Json<Vec<String>>,
    /// What people want to know before they come.
    #[serde(flatten)]
    pub particulars: Particulars,
    /// The start, or a series' first one, on the wall clock of `time_zone`.
    pub local_start: LocalTime,
    /// The zone of all its times, by its IANA name.
    #[schema(format = "time-zone", max_length = 60, example = "Europe/London")]
    pub time_zone: String,
    /// How long it lasts.
    #[schema(minimum = 1, maximum = 10080, example = 90)]
    pub duration_minutes: i32,
    /// When a series takes place: the value of an RRULE (RFC 5545). Without COUNT and UNTIL it never ends: its sessions
    /// are made some months ahead, and more as time goes on; the same roster again leaves that alone.
    #[schema(min_length = 1, max_length = 1000, example = "FREQ=WEEKLY;COUNT=52")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recurrence: Option<String>,
    /// Starts of a series that don't take place.
    #[serde(default, deserialize_with = "recurrence::read_set")]
    #[schema(max_items = 2000, value_type = Vec<LocalTime>)]
    pub excluded: Json<Vec<LocalTime>>,
    /// Starts of a series that its rule doesn't give.
    #[serde(default, deserialize_with = "recurrence::read_set")]
    #[schema(max_items = 2000, value_type = Vec<LocalTime>)]
    pub additional: Json<Vec<LocalTime>>,
    /// Seats; absent: no limit.
    #[schema(minimum = 1, maximum = 100000, example = 12)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity: Option<i32>,
    /// Seats online, where it is hybrid; absent: no limit.
    #[schema(minimum = 1, maximum = 100000, example = 30)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub online_capacity: Option<i32>,
    /// Who may book. Absent: `bookable`.
    #[serde(default)]
    pub booking_policy: BookingPolicy,
    /// Who sees it. Absent: `published`.
    #[serde(default)]
    pub publication: Publication,
    /// Who was there, of a single session that has begun; absent: its register stays as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub register: Option<RosterRegister>,
}

impl HeldRoster {
    /// A roster of these entries.
    ///
    /// # Errors
    /// Never in practice.
    pub fn new(entries: &[RosterEntry]) -> Result<Self> {
        let shape = shape::of::<RosterEntry>();
        let Shape::Object { members, .. } = &*shape else { return Err(Error::internal("an entry is an object")) };
        let whole = |entry: &RosterEntry| {
            let mut entry = serde_json::to_value(entry).map_err(Error::internal)?;
            for (name, shape) in members {
                if entry.get(name).is_none() {
                    entry[name] = if matches!(shape, Shape::Array { .. }) { json!([]) } else { Value::Null };
                }
            }
            Ok(entry)
        };
        Ok(Self { entries: entries.iter().map(whole).collect::<Result<_>>()? })
    }
}

impl RosterEntry {
    /// What it is, said or not.
    pub fn kind(&self) -> EntryKind {
        let told = if self.recurrence.is_some() { EntryKind::Series } else { EntryKind::Session };
        self.r#type.unwrap_or(told)
    }
}

/// Many series and sessions.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RosterInput {
    /// Each with an `external_id` of its own.
    #[schema(min_items = 1, max_items = 32000)]
    pub entries: Vec<RosterEntry>,
}

/// What a partner has, as a roster that can be posted again.
#[derive(Debug, Serialize, ToSchema)]
pub struct HeldRoster {
    /// Its series and single sessions that have an `external_id` and aren't over or called off. What they don't state is
    /// null.
    #[schema(value_type = Vec<RosterEntry>)]
    pub entries: Vec<Value>,
}

/// One entry a line, each a JSON object as in `entries` of a roster in JSON.
#[derive(Debug, ToSchema)]
#[schema(
    example = "{\"external_id\":\"example-reading\",\"title\":\"Shared reading online\",\"pillar\":\"community\",\"delivery\":\"online\",\"local_start\":\"2027-06-01T13:00:00\",\"time_zone\":\"Europe/London\",\"duration_minutes\":90}\n"
)]
pub struct RosterLines(pub String);

/// A header row that names columns as the template does, in any order, and one row for each entry. An empty cell is
/// absent; lists are joined by `|`. If one of `beneficiaries`, `family` and `carers` is filled, an empty one of them is 0.
/// Empty rows, and empty columns without a name, are left out.
///
/// The file is UTF-8, UTF-16 or Windows-1252: its byte-order mark tells, or the `charset` of the media type. Without both,
/// a file that isn't UTF-8 is read as Windows-1252. The separator is the comma, the semicolon or the tab, whichever the
/// header has most of; a first line such as `sep=;` names it. A cell that holds the separator stands in quotation marks.
///
/// Columns can have the names that people give them, such as Where (`venue`), Start (`local_start`), How long
/// (`duration_minutes`), Group (`title`), Places (`capacity`) or Ref (`external_id`). If two columns mean the same, the
/// sheet is refused.
///
/// Cells can be written as people write them:
///
/// - Times, with the day first: `05/01/2027 14:00`, `5/1/27 2pm` and `5 Jan 2027 14.00` are the 5th of January. A year of
///   two digits is of this century. Without `time_zone`, a time is in Europe/London.
/// - Lengths: `90`, `90 mins`, `1h30`, `1 hour`.
/// - Prices, in a column `price`: `£2.50`, `2`, `50p`, `free`. The column `price_pence` holds pence.
/// - Languages by name or tag: `English|Polish`, `en|pl`.
/// - Choices by their label: `In person`, `Social prescribing`, `Drop-in`. Yes and no answer Booking and Published.
/// - Venues and programmes by id, slug or name. Case, accents and punctuation don't count, and only one may have the name.
///
/// Instead of `local_start`, there can be a column `date` and a column `time`, which can be a span (`1pm-2.30pm`). A column
/// `ends` stands for the length. A column `day` names the day of the week, which must be that of the date.
///
/// Instead of `recurrence`, a column `repeats` says how often: `weekly`, `every 2 weeks`, `fortnightly`, `daily`,
/// `Mondays and Thursdays`, `monthly on the 2nd Tuesday`, `last Friday of the month`. Beside it, `until` is the last date,
/// or `times` the number of sessions. `not_on` lists dates without a session, between commas.
#[derive(Debug, ToSchema)]
#[schema(
    example = "external_id,title,pillar,delivery,local_start,time_zone,duration_minutes\nexample-reading,Shared reading online,community,online,2027-06-01T13:00:00,Europe/London,90\n"
)]
pub struct RosterTable(pub String);

/// A workbook of Excel (`.xlsx`), at most 16 MiB, and 64 MiB unpacked. Its first sheet is read, with the same columns and
/// the same words as CSV. Cells can be dates, times and numbers. Of a formula, the value is read that the workbook keeps.
#[derive(Debug, ToSchema)]
#[schema(value_type = String, format = Binary)]
pub struct RosterWorkbook(pub Vec<u8>);

/// How to take a roster.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct RosterOptions {
    /// What happens to good entries if others are wrong. Absent: `atomic`.
    #[param(inline)]
    pub mode: Option<Mode>,
    /// Says what would happen and changes nothing.
    #[param(example = false)]
    pub dry_run: Option<bool>,
    /// What happens to the partner's series and sessions that have an `external_id` and aren't in the roster. Absent:
    /// `keep`.
    #[param(inline)]
    pub missing: Option<Missing>,
    /// With `missing=cancel`: `cancel` confirms that more than half of the partner's sessions to come may be called off.
    #[param(inline)]
    pub confirm: Option<Confirmed>,
    /// What happens to a column of CSV or of a workbook that isn't known. Absent: `refuse`. Members of JSON are always
    /// known ones.
    #[param(inline)]
    pub unknown: Option<UnknownColumns>,
}

/// How a roster is to be taken, every option decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manner {
    /// What happens to good entries where others are wrong.
    pub mode: Mode,
    /// Whether nothing is to be changed.
    pub dry_run: bool,
    /// What happens to what it doesn't name.
    pub missing: Missing,
    /// Whether more than half of what is to come may be called off.
    #[serde(default)]
    pub confirmed: bool,
    /// What happens to columns that aren't known.
    #[serde(default = "UnknownColumns::refuse")]
    pub unknown: UnknownColumns,
}

impl UnknownColumns {
    fn refuse() -> Self {
        Self::Refuse
    }
}

impl From<RosterOptions> for Manner {
    fn from(options: RosterOptions) -> Self {
        Self {
            mode: options.mode.unwrap_or(Mode::Atomic),
            dry_run: options.dry_run.unwrap_or_default(),
            missing: options.missing.unwrap_or(Missing::Keep),
            confirmed: options.confirm == Some(Confirmed::Cancel),
            unknown: options.unknown.unwrap_or(UnknownColumns::Refuse),
        }
    }
}

/// Entries by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RosterCounts {
    /// New ones.
    #[schema(example = 4)]
    pub created: u32,
    /// Changed ones.
    #[schema(example = 0)]
    pub updated: u32,
    /// Ones that were there already, word for word.
    #[schema(example = 0)]
    pub unchanged: u32,
    /// Cancelled ones.
    #[schema(example = 0)]
    pub cancelled: u32,
    /// Wrong ones.
    #[schema(example = 0)]
    pub rejected: u32,
}

impl RosterCounts {
    /// Counts one entry.
    pub fn add(&mut self, outcome: Outcome) {
        let count = match outcome {
            Outcome::Created => &mut self.created,
            Outcome::Updated => &mut self.updated,
            Outcome::Unchanged => &mut self.unchanged,
            Outcome::Cancelled => &mut self.cancelled,
            Outcome::Rejected => &mut self.rejected,
        };
        *count += 1;
    }
}

/// Sessions by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RosterSessionCounts {
    /// New ones.
    #[schema(example = 208)]
    pub created: u32,
    /// Ones changed in place, with their bookings, and ones that are on again.
    #[schema(example = 0)]
    pub updated: u32,
    /// Ones that left their series, or with `missing=cancel` the roster, and that nobody had booked.
    #[schema(example = 0)]
    pub cancelled: u32,
}

/// A session that isn't as the roster has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RosterSkip {
    /// The entry.
    #[schema(example = "reader-walton-tue")]
    pub external_id: String,
    /// The session's start on the wall, as it stays.
    pub local_start: LocalTime,
    /// Why.
    pub reason: SkipReason,
}

/// What became of one entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema, Queryable, Selectable, Insertable)]
#[diesel(table_name = roster_entries)]
pub struct EntryOutcome {
    /// The partner's name for it, where it has one that can be read.
    #[schema(example = "reader-walton-tue")]
    pub external_id: Option<String>,
    /// Its line, in CSV and NDJSON; its row, in a workbook.
    #[schema(example = 2)]
    pub line: Option<i32>,
    /// Where it stands, in JSON.
    #[schema(example = "/entries/0")]
    pub pointer: Option<String>,
    /// What became of it.
    pub outcome: Outcome,
    /// The series or session. Null in a dry run for one that would be created.
    pub resource_id: Option<Id>,
    /// Everything that is wrong with it. In CSV, NDJSON and workbooks the pointers begin at the row, and name a column.
    #[schema(value_type = Vec<Fault>)]
    pub errors: Json<Vec<Fault>>,
}

/// What a roster did, or with `dry_run` would do.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RosterAnswer {
    /// The roster, where it was recorded.
    pub id: Option<Id>,
    /// What was to happen to good entries where others are wrong.
    pub mode: Mode,
    /// Whether nothing was changed because nothing was to be.
    #[schema(example = false)]
    pub dry_run: bool,
    /// Entries by what became of them.
    pub counts: RosterCounts,
    /// Sessions by what became of them.
    pub sessions: RosterSessionCounts,
    /// Sessions that aren't as the roster has them.
    pub skipped: Vec<RosterSkip>,
    /// Every entry in the roster's order, then what it no longer names and was cancelled.
    pub entries: Vec<EntryOutcome>,
}

/// A roster in a list.
#[derive(Debug, Clone, Serialize, ToSchema, Queryable, Selectable, Insertable)]
#[diesel(table_name = rosters)]
pub struct RosterSummary {
    /// Its id.
    pub id: Id,
    /// Whose it is.
    pub partner_id: Id,
    /// What was to happen to good entries where others are wrong.
    pub mode: Mode,
    /// What became of it.
    pub status: RosterStatus,
    /// Entries by what became of them.
    #[schema(value_type = RosterCounts)]
    pub counts: Json<RosterCounts>,
    /// Sessions by what became of them.
    #[schema(value_type = RosterSessionCounts)]
    pub sessions: Json<RosterSessionCounts>,
    /// 1; 2 once the outcome of its rows has been taken away.
    #[schema(example = 1)]
    pub version: i32,
    /// When it was posted.
    pub created_at: Timestamp,
    /// When it was posted, or when the outcome of its rows was taken away.
    pub updated_at: Timestamp,
}

/// A roster with its outcome, row by row.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Roster {
    /// What a list says of it.
    #[serde(flatten)]
    pub summary: RosterSummary,
    /// Always false: a dry run is not kept.
    #[schema(example = false)]
    pub dry_run: bool,
    /// Sessions that aren't as the roster has them. Kept for 13 months.
    pub skipped: Vec<RosterSkip>,
    /// Every entry in the roster's order, but only the first thousand wrong ones; of a refused roster only those. Kept for
    /// 13 months; the counts stay. Of the rosters that were refused or posted with `mode=partial`, the newest hundred keep
    /// them.
    pub entries: Vec<EntryOutcome>,
}

/// What a roster did, or with `dry_run` would do.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct JobResult {
    /// Where the roster can be read with its outcome, row by row; null for a dry run, which isn't kept.
    #[schema(
        example = "/v1/partners/0199d2f0-7a3c-7bbd-a1f5-3d2c5a0e9b41/rosters/0199d2f0-7a3c-7bbd-a1f5-3d2c5a0e9b42"
    )]
    pub location: Option<String>,
    /// The roster's id; null for a dry run.
    pub roster_id: Option<Id>,
    /// Entries by what became of them.
    pub counts: RosterCounts,
    /// Sessions by what became of them.
    pub sessions: RosterSessionCounts,
    /// All that a dry run would have been answered.
    pub rehearsal: Option<RosterAnswer>,
}
