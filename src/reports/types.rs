//! The questions and answers of reports.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::disclosure::{Counted, Disclosed, Disclosure, LARGEST_SUPPRESSED, Line, ROUNDED_TO};
use super::rules::{Dimension, Question};
use crate::db::{Id, Timestamp};
use crate::period::Period;
use crate::places::LocalAuthority;
use crate::prescriptions::types::PrescriptionOrigin;
use crate::sessions::bookings::types::SeatDelivery;
use crate::sessions::types::Pillar;

crate::described! {
    /// What each row of a report stands for.
    pub enum GroupBy {
        /// One row for each site.
        Site,
        /// One row for each local authority.
        LocalAuthority,
        /// One row for each calendar month.
        Month,
    }
}

/// Which prescriptions to count. An admin may give a filter several values: any of them matches. An analyst gives
/// each filter one value, and `group_by` and the filters together have at most two dimensions.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct PrescriptionFilter {
    /// A month (`2026-11`), a financial year from April to March (`2026-27`) or `all`. A month's figures are published
    /// from the 8th of the next month on, and the current year and `all` end with the last published month. Absent:
    /// `all` for an analyst, every day for an admin.
    #[param(inline, example = "2025-26")]
    #[schema(example = "2025-26")]
    pub period: Option<Period>,
    /// Developed on this day or later. For admins. An analyst gives a `period` instead.
    #[param(example = "2021-10-01")]
    #[schema(example = "2021-10-01")]
    pub from: Option<NaiveDate>,
    /// Developed on this day or earlier. For admins. An analyst gives a `period` instead.
    #[param(example = "2026-09-30")]
    #[schema(example = "2026-09-30")]
    pub to: Option<NaiveDate>,
    /// Developed at a site that was at a venue in this named area on that day. Not together with `local_authority`.
    #[param(max_length = 80, example = "liverpool-and-sefton")]
    #[schema(max_length = 80, example = "liverpool-and-sefton")]
    pub area: Option<String>,
    /// Developed at a site that was at a venue in this local authority on that day.
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
    pub origin: Vec<PrescriptionOrigin>,
    /// Adds rows: one for each site, local authority or month.
    #[param(inline)]
    #[schema(inline)]
    pub group_by: Option<GroupBy>,
}

/// Which attendance to count. An admin may give a filter several values: any of them matches. An analyst gives
/// each filter one value, and `group_by` and the filters together have at most two dimensions, or exactly these three:
/// `local_authority` (or `area`), `pillar` and `delivery`.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct AttendanceFilter {
    /// A month (`2026-11`), a financial year from April to March (`2026-27`) or `all`. A month's figures are published
    /// from the 8th of the next month on, and the current year and `all` end with the last published month. Absent:
    /// `all` for an analyst, every day for an admin.
    #[param(inline, example = "2025-26")]
    #[schema(example = "2025-26")]
    pub period: Option<Period>,
    /// Sessions on this day or later. For admins. An analyst gives a `period` instead.
    #[param(example = "2021-10-01")]
    #[schema(example = "2021-10-01")]
    pub from: Option<NaiveDate>,
    /// Sessions on this day or earlier. For admins. An analyst gives a `period` instead.
    #[param(example = "2026-09-30")]
    #[schema(example = "2026-09-30")]
    pub to: Option<NaiveDate>,
    /// Sessions at a venue in this named area. A session that is only online is at none. Not together with
    /// `local_authority`.
    #[param(max_length = 80, example = "liverpool-and-sefton")]
    #[schema(max_length = 80, example = "liverpool-and-sefton")]
    pub area: Option<String>,
    /// Sessions at a venue in this local authority. A session that is only online is at none.
    #[serde(default)]
    #[param(inline, max_items = 20, example = json!(["Sefton", "Liverpool"]))]
    #[schema(inline, max_items = 20, example = json!(["Sefton", "Liverpool"]))]
    pub local_authority: Vec<LocalAuthority>,
    /// Attended in this way. In a hybrid session the seat decides.
    #[serde(default)]
    #[param(inline, max_items = 20)]
    #[schema(inline, max_items = 20)]
    pub delivery: Vec<SeatDelivery>,
    /// Sessions of this pillar.
    #[serde(default)]
    #[param(inline, max_items = 20)]
    #[schema(inline, max_items = 20)]
    pub pillar: Vec<Pillar>,
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
    /// Adds rows: one for each site, local authority or month.
    #[param(inline)]
    #[schema(inline)]
    pub group_by: Option<GroupBy>,
}

impl From<GroupBy> for Dimension {
    fn from(by: GroupBy) -> Self {
        match by {
            GroupBy::Site => Self::Site,
            GroupBy::LocalAuthority => Self::LocalAuthority,
            GroupBy::Month => Self::Month,
        }
    }
}

impl PrescriptionFilter {
    /// The parts of the question that the rules look at.
    pub fn question(&self) -> Question {
        Question {
            from: self.from,
            to: self.to,
            period: self.period,
            filters: vec![
                ("area", Dimension::Area, self.area.iter().len()),
                ("local_authority", Dimension::LocalAuthority, self.local_authority.len()),
                ("site_id", Dimension::Site, self.site_id.len()),
                ("origin", Dimension::Origin, self.origin.len()),
            ],
            group_by: self.group_by.map(Dimension::from),
        }
    }
}

impl AttendanceFilter {
    /// The parts of the question that the rules look at.
    pub fn question(&self) -> Question {
        Question {
            from: self.from,
            to: self.to,
            period: self.period,
            filters: vec![
                ("area", Dimension::Area, self.area.iter().len()),
                ("local_authority", Dimension::LocalAuthority, self.local_authority.len()),
                ("delivery", Dimension::Delivery, self.delivery.len()),
                ("pillar", Dimension::Pillar, self.pillar.len()),
                ("partner_id", Dimension::Partner, self.partner_id.len()),
                ("programme_id", Dimension::Programme, self.programme_id.len()),
            ],
            group_by: self.group_by.map(Dimension::from),
        }
    }
}

/// The days that a report counted, the first and the last included. Null: no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ReportDays)]
pub struct Days {
    /// The first day.
    #[schema(example = "2025-04-01")]
    pub from: Option<NaiveDate>,
    /// The last day.
    #[schema(example = "2026-03-31")]
    pub to: Option<NaiveDate>,
}

/// How small counts were treated.
#[derive(Debug, Serialize, ToSchema)]
pub struct Suppression {
    /// Whether small counts are hidden in this answer and all others rounded.
    pub applied: bool,
    /// If applied, counts from 1 to this one are null.
    #[schema(example = 7)]
    pub largest_suppressed: i64,
    /// If applied, all other counts are rounded to the nearest multiple of this.
    #[schema(example = 5)]
    pub rounded_to: i64,
    /// Whether and how the figures may be passed on.
    #[schema(example = "Counts of 1 to 7 are null and named in suppressed.")]
    pub note: &'static str,
}

impl From<Disclosure> for Suppression {
    fn from(disclosure: Disclosure) -> Self {
        let (applied, note) = match disclosure {
            Disclosure::Rounded => (
                true,
                "Counts of 1 to 7 are null and named in suppressed. Zero is shown. Every other count is rounded to the \
                 nearest 5 by itself, so rows needn't add up to the totals.",
            ),
            Disclosure::Exact => (false, "Exact figures, for the service's own management only. Not for publication."),
        };
        Self { applied, largest_suppressed: LARGEST_SUPPRESSED, rounded_to: ROUNDED_TO, note }
    }
}

/// The count of prescriptions.
#[derive(Debug, Serialize, ToSchema)]
pub struct PrescriptionCounts {
    /// Prescriptions. Null if suppressed.
    #[schema(example = 8507)]
    pub prescriptions: Option<i64>,
    /// The names of the suppressed counts.
    pub suppressed: Vec<&'static str>,
}

impl From<Disclosed<1>> for PrescriptionCounts {
    fn from(cells: Disclosed<1>) -> Self {
        let [prescriptions] = cells.values;
        Self { prescriptions, suppressed: cells.suppressed }
    }
}

/// The counts of people and attendances.
#[derive(Debug, Serialize, ToSchema)]
pub struct AttendanceCounts {
    /// Different members who attended at least once. Null if suppressed.
    #[schema(example = 6147)]
    pub distinct_members: Option<i64>,
    /// Attendances by members, repeat visits included. Null if suppressed.
    #[schema(example = 18204)]
    pub attendances: Option<i64>,
    /// A headcount of people who aren't members, summed over the sessions. Never add it to the members. Null if
    /// suppressed.
    #[schema(example = 2310)]
    pub headcount: Option<i64>,
    /// The names of the suppressed counts.
    pub suppressed: Vec<&'static str>,
}

impl From<Disclosed<3>> for AttendanceCounts {
    fn from(cells: Disclosed<3>) -> Self {
        let [distinct_members, attendances, headcount] = cells.values;
        Self { distinct_members, attendances, headcount, suppressed: cells.suppressed }
    }
}

macro_rules! report {
    ($(#[$about:meta])* $report:ident, $(#[$of_row:meta])* $row:ident, $counts:ident, $count:literal, $filter:ident) => {
        $(#[$of_row])*
        #[derive(Debug, Serialize, ToSchema)]
        pub struct $row {
            /// The site's id, the local authority's name, or the month as `YYYY-MM`. Null for counts that have none.
            #[schema(example = "2021-10")]
            pub key: Option<String>,
            /// The key in words for people: the site's name, the local authority or the month.
            #[schema(example = "2021-10")]
            pub label: Option<String>,
            /// The counts.
            #[serde(flatten)]
            pub counts: $counts,
        }

        $(#[$about])*
        #[derive(Debug, Serialize, ToSchema)]
        pub struct $report {
            /// The definition of what is counted.
            pub definition: &'static str,
            /// When it was counted.
            pub as_of: Timestamp,
            /// The days that were counted.
            pub days: Days,
            /// The filters that were given.
            pub filters: $filter,
            /// How small counts were treated.
            pub suppression: Suppression,
            /// The counts of everything that matches the filters.
            pub totals: $counts,
            /// The rows that `group_by` asks for. Empty without it. They needn't add up to the totals.
            pub rows: Vec<$row>,
        }

        impl $report {
            /// The report with these counts, as they are shown.
            pub fn new(
                definition: &'static str,
                as_of: Timestamp,
                days: Days,
                filters: $filter,
                disclosure: Disclosure,
                shown: Counted<Disclosed<$count>>,
            ) -> Self {
                let row = |line: Line<_>| $row { key: line.key, label: line.label, counts: $counts::from(line.counts) };
                let rows = shown.rows.into_iter().map(row).collect();
                Self { definition, as_of, days, filters, suppression: disclosure.into(), totals: shown.totals.into(), rows }
            }
        }
    };
}

report! {
    /// How many prescriptions were developed.
    PrescriptionReport,
    /// A row of the report on prescriptions.
    PrescriptionRow, PrescriptionCounts, 1, PrescriptionFilter
}

report! {
    /// How many people attended, and how often.
    AttendanceReport,
    /// A row of the report on attendance.
    AttendanceRow, AttendanceCounts, 3, AttendanceFilter
}
