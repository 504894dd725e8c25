//! What sessions can be found by, as the query string says it.

use chrono::NaiveDate;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::db::Id;
use crate::places::LocalAuthority;
use crate::sessions::types::{Delivery, Pillar};
use crate::text::short_name::ShortName;

/// In which order sessions are listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SessionOrder {
    /// By start.
    #[default]
    Start,
    /// The nearest venue first, and its sessions by start; needs `near`.
    Distance,
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

/// Which sessions to list.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct SessionFilter {
    /// From this day on, in London; without it, from now on.
    #[param(example = "2027-01-04")]
    pub from: Option<NaiveDate>,
    /// Until this day, inclusive, in London.
    #[param(example = "2027-01-10")]
    pub to: Option<NaiveDate>,
    /// Only of this pillar.
    #[param(inline)]
    pub pillar: Option<Pillar>,
    /// Only where people take part like this.
    #[param(inline)]
    pub delivery: Option<Delivery>,
    /// Only at this venue.
    #[param(inline)]
    pub venue_id: Option<Id>,
    /// Only of this partner.
    #[param(inline)]
    pub partner_id: Option<Id>,
    /// Only of this programme.
    #[param(inline)]
    pub programme_id: Option<Id>,
    /// Only at venues in this local authority, by any name that people use for it. An unknown one is 400, with the nearest
    /// names. What is only online is at no place and never found so.
    #[param(inline)]
    pub local_authority: Option<LocalAuthority>,
    /// Only with these words in title, description, facilitator and topics: all of them. Accents and case don't matter.
    /// A plural finds its singular and the other way round; a word that ends in `*` finds what begins with it.
    #[param(min_length = 1, max_length = 200, example = "shared reading")]
    pub q: Option<String>,
    /// Only of this topic; of any of them where it is given more than once.
    #[serde(default)]
    #[param(inline, max_items = 20)]
    pub topic: Vec<ShortName>,
    /// Only with this feature, of its own or of the venue that people come to; with all of them where it is given more
    /// than once.
    #[serde(default)]
    #[param(inline, max_items = 10)]
    pub accessibility: Vec<ShortName>,
    /// Only at venues near this place, in degrees north and east (WGS 84). What is only online is at no place and never
    /// found so.
    #[param(
        max_length = 50,
        pattern = "^-?([0-8]?[0-9]([.][0-9]{1,20})?|90([.]0{1,20})?),-?((1[0-7][0-9]|[0-9]{1,2})([.][0-9]{1,20})?|180([.]0{1,20})?)$",
        example = "53.4097,-2.9795"
    )]
    pub near: Option<String>,
    /// Kilometres around `near`, as the crow flies.
    #[param(minimum = 0.1, maximum = 50, default = 10, example = 10)]
    pub within_km: Option<f64>,
    /// `true`: only what is still to begin, isn't cancelled and has a seat left of any kind, or no limit. `false` says
    /// nothing.
    #[param(example = true)]
    pub has_space: Option<bool>,
    /// Only with this start or a later one on the clock of the session's own zone.
    #[param(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$", example = "18:00")]
    pub starts_after: Option<String>,
    /// Only with a start before this on the clock of the session's own zone; later than `starts_after`.
    #[param(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$", example = "21:00")]
    pub starts_before: Option<String>,
    /// Only on this day of the week, in the session's own zone; on any of them where it is given more than once.
    #[serde(default)]
    #[param(inline, max_items = 7)]
    pub weekday: Vec<Weekday>,
    /// In which order: by start, or by distance from `near`, venue by venue, and by start at each.
    #[param(inline)]
    pub sort: Option<SessionOrder>,
    /// Items of a page.
    #[param(minimum = 1, maximum = 100, default = 50, example = 50)]
    pub limit: Option<i64>,
    /// Where the page begins: from `next` of the one before.
    #[param(max_length = 1000)]
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
