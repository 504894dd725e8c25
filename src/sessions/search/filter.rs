//! The query parameters that sessions are searched by.

use chrono::NaiveDate;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::db::Id;
use crate::places::LocalAuthority;
use crate::sessions::types::{Delivery, Pillar};
use crate::text::short_name::ShortName;

crate::described! {
    /// The order in which sessions are listed.
    #[derive(Default)]
    pub enum SessionOrder {
        /// By start.
        #[default]
        Start,
        /// The nearest venue first, and the sessions of each venue by start. Needs `near`.
        Distance,
    }
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

crate::described! {
    /// Which registers to look for.
    pub enum RegisterState {
        /// It is still to be taken: the session has begun and wasn't called off.
        Missing,
    }
}

/// Which sessions to list.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct SessionFilter {
    /// Only sessions on this day (in London) or later. Absent: from now on.
    #[param(example = "2027-01-04")]
    pub from: Option<NaiveDate>,
    /// Only sessions on this day (in London) or earlier.
    #[param(example = "2027-01-10")]
    pub to: Option<NaiveDate>,
    /// Only sessions of this pillar.
    #[param(inline)]
    pub pillar: Option<Pillar>,
    /// Only sessions that people take part in this way.
    #[param(inline)]
    pub delivery: Option<Delivery>,
    /// Only sessions that people come to at this venue. A session that is only online isn't found, even if it names the
    /// venue.
    #[param(inline)]
    pub venue_id: Option<Id>,
    /// Only sessions of this partner.
    #[param(inline)]
    pub partner_id: Option<Id>,
    /// Only sessions of this programme.
    #[param(inline)]
    pub programme_id: Option<Id>,
    /// Only sessions at venues in this local authority. Any name that people use for the authority will do. An unknown
    /// name is a 400 with the nearest names. A session that is only online has no place and isn't found.
    #[param(inline)]
    pub local_authority: Option<LocalAuthority>,
    /// Only sessions with all of these words in title, facilitator, topics and description. Accents and case don't
    /// matter. A plural finds its singular and the other way round. The hyphen in a word can be left out: `taichi` finds
    /// Tai-Chi, and `tai-chi` finds Taichi. A word that ends in `*` finds every word that begins with it. A session is
    /// found by at most 300 different words of its texts. Those of the description come last.
    #[param(min_length = 1, max_length = 200, example = "shared reading")]
    pub q: Option<String>,
    /// Only sessions with this topic. Given more than once: with any of the topics.
    #[serde(default)]
    #[param(inline, max_items = 20)]
    pub topic: Vec<ShortName>,
    /// Only sessions with this feature, their own or that of the venue that people come to. Given more than once: with
    /// all of the features.
    #[serde(default)]
    #[param(inline, max_items = 10)]
    pub accessibility: Vec<ShortName>,
    /// Only sessions at venues near this place, given as degrees north and east (WGS 84). A session that is only online
    /// has no place and isn't found.
    #[param(max_length = 50, format = "coordinates", example = "53.4097,-2.9795")]
    pub near: Option<String>,
    /// How many kilometres around `near`, in a straight line.
    #[param(minimum = 0.1, maximum = 50, default = 10, example = 10)]
    pub within_km: Option<f64>,
    /// `true`: only scheduled sessions that haven't begun and have a free seat of any kind, or no limit. At a venue that
    /// is closed then, only an online seat counts. `false` doesn't restrict the list.
    #[param(example = true)]
    pub has_space: Option<bool>,
    /// Only sessions that start at this time or later, on the clock of the session's own time zone.
    #[param(format = "time-of-day", example = "18:00")]
    pub starts_after: Option<String>,
    /// Only sessions that start before this time, on the clock of the session's own time zone. Later than
    /// `starts_after`.
    #[param(format = "time-of-day", example = "21:00")]
    pub starts_before: Option<String>,
    /// Only sessions on this day of the week in their own time zone. Given more than once: on any of the days.
    #[serde(default)]
    #[param(inline, max_items = 7)]
    pub weekday: Vec<Weekday>,
    /// `missing`: only sessions whose register is still to be taken, for whoever runs them: a partner gets its own, an
    /// advisor those of the service itself. They are by start, from 28 days ago on unless `from` says otherwise. Goes
    /// together with `from`, `to` and `venue_id` only.
    #[param(inline)]
    pub register: Option<RegisterState>,
    /// The order: by start, or by distance from `near` (venue by venue, and by start at each).
    #[param(inline)]
    pub sort: Option<SessionOrder>,
    /// How many items a page has at most.
    #[param(minimum = 1, maximum = 100, default = 50, example = 50)]
    pub limit: Option<i64>,
    /// Where the page begins: the `cursor` in the path that `next` of the page before gives.
    #[param(max_length = 1200)]
    pub cursor: Option<String>,
}

impl From<Weekday> for chrono::Weekday {
    fn from(day: Weekday) -> Self {
        match day {
            Weekday::Monday => Self::Mon,
            Weekday::Tuesday => Self::Tue,
            Weekday::Wednesday => Self::Wed,
            Weekday::Thursday => Self::Thu,
            Weekday::Friday => Self::Fri,
            Weekday::Saturday => Self::Sat,
            Weekday::Sunday => Self::Sun,
        }
    }
}
