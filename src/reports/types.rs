//! What reports are asked with and answer.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::rules::{LARGEST_SUPPRESSED, Line, Named};
use crate::db::{Id, Timestamp};
use crate::places::LocalAuthority;

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident),+ $(,)? })+) => { $(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, strum::IntoStaticStr)]
        #[serde(rename_all = "snake_case")]
        #[strum(serialize_all = "snake_case")]
        pub enum $name { $($(#[$variant_doc])* $variant),+ }

        impl $name {
            /// The name in the API and the database.
            pub fn name(self) -> &'static str {
                self.into()
            }
        }
    )+ };
}

names! {
    /// What the rows of a report are.
    GroupBy {
        /// One row for each site.
        Site,
        /// One row for each local authority.
        LocalAuthority,
        /// One row for each calendar month.
        Month,
    }
    /// Where a counted prescription came from.
    CountedOrigin {
        /// The member wrote it.
        #[serde(rename = "self")]
        #[strum(serialize = "self")]
        Own,
        /// Written with a pathways advisor.
        Advisor,
        /// From a GP.
        Gp,
        /// From a partner.
        Partner,
    }
    /// How somebody took part: in a hybrid session the seat decides.
    TakenPart {
        /// Face to face.
        InPerson,
        /// From afar.
        Online,
    }
    /// What a counted session is for.
    CountedPillar {
        /// Learning.
        Learning,
        /// Social prescribing.
        SocialPrescribing,
        /// Community.
        Community,
    }
}

/// Which prescriptions to count. A filter given twice means either.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct PrescriptionFilter {
    /// Developed on this day or later. An analyst's must be the first of a month.
    #[param(example = "2021-10-01")]
    #[schema(example = "2021-10-01")]
    pub from: Option<NaiveDate>,
    /// Developed on this day or earlier. An analyst's must be the last of a month.
    #[param(example = "2026-09-30")]
    #[schema(example = "2026-09-30")]
    pub to: Option<NaiveDate>,
    /// Developed at a site that was hosted in this local authority on that day.
    #[serde(default)]
    #[param(inline, max_items = 20, example = json!(["Liverpool"]))]
    #[schema(inline, max_items = 20, example = json!(["Liverpool"]))]
    pub local_authority: Vec<LocalAuthority>,
    /// Developed at this site.
    #[serde(default)]
    #[param(inline, max_items = 20)]
    #[schema(max_items = 20)]
    pub site_id: Vec<Id>,
    /// Of this origin.
    #[serde(default)]
    #[param(inline, max_items = 20)]
    #[schema(inline, max_items = 20)]
    pub origin: Vec<CountedOrigin>,
    /// Adds rows: one for each of these.
    #[param(inline)]
    #[schema(inline)]
    pub group_by: Option<GroupBy>,
}

/// Which attendance to count. A filter given twice means either.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct AttendanceFilter {
    /// Sessions of this day or later. An analyst's must be the first of a month.
    #[param(example = "2021-10-01")]
    #[schema(example = "2021-10-01")]
    pub from: Option<NaiveDate>,
    /// Sessions of this day or earlier. An analyst's must be the last of a month.
    #[param(example = "2026-09-30")]
    #[schema(example = "2026-09-30")]
    pub to: Option<NaiveDate>,
    /// Sessions at a venue in this local authority.
    #[serde(default)]
    #[param(inline, max_items = 20, example = json!(["Sefton", "Liverpool"]))]
    #[schema(inline, max_items = 20, example = json!(["Sefton", "Liverpool"]))]
    pub local_authority: Vec<LocalAuthority>,
    /// Taken part in this way; in a hybrid session the seat decides.
    #[serde(default)]
    #[param(inline, max_items = 20)]
    #[schema(inline, max_items = 20)]
    pub delivery: Vec<TakenPart>,
    /// Sessions of this pillar.
    #[serde(default)]
    #[param(inline, max_items = 20)]
    #[schema(inline, max_items = 20)]
    pub pillar: Vec<CountedPillar>,
    /// Sessions of this partner.
    #[serde(default)]
    #[param(inline, max_items = 20)]
    #[schema(max_items = 20)]
    pub partner_id: Vec<Id>,
    /// Sessions of this programme.
    #[serde(default)]
    #[param(inline, max_items = 20)]
    #[schema(max_items = 20)]
    pub programme_id: Vec<Id>,
    /// Adds rows: one for each of these.
    #[param(inline)]
    #[schema(inline)]
    pub group_by: Option<GroupBy>,
}

/// What was done to small numbers.
#[derive(Debug, Serialize, ToSchema)]
pub struct Suppression {
    /// Whether small numbers are left out of this answer.
    pub applied: bool,
    /// Counts from 1 to this one are left out.
    #[schema(example = 7)]
    pub largest_suppressed: i64,
    /// Whether and how the figures may be passed on.
    #[schema(example = "Counts of 1 to 7 are suppressed.")]
    pub note: &'static str,
}

impl Suppression {
    /// What is said with an answer in which small numbers were left out, or weren't.
    pub fn new(applied: bool) -> Self {
        let note = match applied {
            true => {
                "Counts of 1 to 7 are null and named in suppressed, and so are others from which they could be worked \
                 out. Zero is shown."
            }
            false => "Exact figures, for the service's own management only. Not for publication.",
        };
        Self { applied, largest_suppressed: LARGEST_SUPPRESSED, note }
    }
}

/// A number of prescriptions.
#[derive(Debug, Serialize, ToSchema)]
pub struct PrescriptionCounts {
    /// Prescriptions; null where suppressed.
    #[schema(example = 8507)]
    pub prescriptions: Option<i64>,
    /// The names of the counts that are suppressed here.
    pub suppressed: Vec<&'static str>,
}

impl From<Named<1>> for PrescriptionCounts {
    fn from(cells: Named<1>) -> Self {
        let [prescriptions] = cells.values;
        Self { prescriptions, suppressed: cells.suppressed }
    }
}

/// A row of the report on prescriptions.
#[derive(Debug, Serialize, ToSchema)]
pub struct PrescriptionRow {
    /// The site's id, the local authority's name, or the month as `YYYY-MM`; null for those that have none.
    #[schema(example = "2021-10")]
    pub key: Option<String>,
    /// The key as people know it: the site's name, the local authority, the month.
    #[schema(example = "2021-10")]
    pub label: Option<String>,
    /// The counts.
    #[serde(flatten)]
    pub counts: PrescriptionCounts,
}

impl From<Line<Named<1>>> for PrescriptionRow {
    fn from(line: Line<Named<1>>) -> Self {
        Self { key: line.key, label: line.label, counts: line.counts.into() }
    }
}

/// How many prescriptions were developed.
#[derive(Debug, Serialize, ToSchema)]
pub struct PrescriptionReport {
    /// What is counted.
    pub definition: &'static str,
    /// When it was counted.
    pub as_of: Timestamp,
    /// What it was asked with.
    pub filters: PrescriptionFilter,
    /// What was done to small numbers.
    pub suppression: Suppression,
    /// All that fit the filters.
    pub totals: PrescriptionCounts,
    /// The rows that `group_by` asks for; empty without it.
    pub rows: Vec<PrescriptionRow>,
}

/// Numbers of people and attendances.
#[derive(Debug, Serialize, ToSchema)]
pub struct AttendanceCounts {
    /// Different members who attended at least once; null where suppressed.
    #[schema(example = 6147)]
    pub distinct_members: Option<i64>,
    /// Attendances by members, repeat visits included; null where suppressed.
    #[schema(example = 18204)]
    pub attendances: Option<i64>,
    /// People who aren't members, counted by head at each session: never to be added to the members. Null where
    /// suppressed.
    #[schema(example = 2310)]
    pub headcount: Option<i64>,
    /// The names of the counts that are suppressed here.
    pub suppressed: Vec<&'static str>,
}

impl From<Named<3>> for AttendanceCounts {
    fn from(cells: Named<3>) -> Self {
        let [distinct_members, attendances, headcount] = cells.values;
        Self { distinct_members, attendances, headcount, suppressed: cells.suppressed }
    }
}

/// A row of the report on attendance.
#[derive(Debug, Serialize, ToSchema)]
pub struct AttendanceRow {
    /// The site's id, the local authority's name, or the month as `YYYY-MM`; null for those that have none.
    #[schema(example = "2021-10")]
    pub key: Option<String>,
    /// The key as people know it: the site's name, the local authority, the month.
    #[schema(example = "2021-10")]
    pub label: Option<String>,
    /// The counts.
    #[serde(flatten)]
    pub counts: AttendanceCounts,
}

impl From<Line<Named<3>>> for AttendanceRow {
    fn from(line: Line<Named<3>>) -> Self {
        Self { key: line.key, label: line.label, counts: line.counts.into() }
    }
}

/// How many people attended, and how often.
#[derive(Debug, Serialize, ToSchema)]
pub struct AttendanceReport {
    /// What is counted.
    pub definition: &'static str,
    /// When it was counted.
    pub as_of: Timestamp,
    /// What it was asked with.
    pub filters: AttendanceFilter,
    /// What was done to small numbers.
    pub suppression: Suppression,
    /// All that fit the filters.
    pub totals: AttendanceCounts,
    /// The rows that `group_by` asks for; empty without it. They needn't add up to the totals.
    pub rows: Vec<AttendanceRow>,
}
