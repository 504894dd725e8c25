//! The query parameters that sessions are searched by.

use chrono::NaiveDate;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::db::Id;
use crate::places::LocalAuthority;
use crate::sessions::facets::types::Facet;
use crate::sessions::types::{BookingPolicy, Delivery, Pillar};
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

crate::described! {
    /// The order in which series are listed.
    pub enum SeriesOrder {
        /// By creation, the oldest first: also series of which nothing is to come. Takes only `partner_id`, `programme_id`,
        /// `venue_id` and `pillar`, which are then those of the series itself.
        Created,
        /// By the start of the next session that fits.
        Next,
        /// The nearest venue of the next session that fits first, and at each venue by its start. Needs `near`.
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

/// States once what sessions, and series by their sessions, are searched by. Each list adds what it alone has.
macro_rules! filter {
    ($(#[$about:meta])* $name:ident { $($(#[$note:meta])* $own:ident: $type:ty,)* }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Default, Deserialize, IntoParams)]
        #[into_params(parameter_in = Query)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
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
            /// Only sessions in which people get a place in this way.
            #[param(inline)]
            pub booking_policy: Option<BookingPolicy>,
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
            /// Only sessions with all of these words in title, facilitator, topics and description, or in the name of their
            /// venue, its town and local authority, their partner or programme. Accents and case don't matter. A plural finds
            /// its singular and the other way round. The hyphen in a word can be left out: `taichi` finds Tai-Chi, and `tai-chi`
            /// finds Taichi. The last word may be the beginning of one, unless a blank follows it, and a word that ends in `*` is
            /// one. A session is found by at most 300 different words of its own texts. Those of the description come last.
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
            /// Only sessions at venues near this place: a postcode (`L4 4AA`, however it is spaced), its first half (`L4`), or degrees
            /// north and east (WGS 84, `53.4097,-2.9795`). A postcode that the service doesn't know stands for the centre of its
            /// district, and an unknown district is a 400. A session that is only
            /// online has no place and isn't found.
            #[param(max_length = 50, format = "place", example = "L4 4AA")]
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
            $($(#[$note])* pub $own: $type,)*
        }
    };
}

filter! {
    /// Which sessions to list.
    SessionFilter {
        /// Only sessions of this series. The two halves of a series that was split are two series.
        #[param(inline)]
        series_id: Option<Id>,
        /// `missing`: only sessions whose register is still to be taken, for whoever runs them: a partner gets its own, an
        /// advisor those of the service itself. They are by start, from 28 days ago on unless `from` says otherwise. Goes
        /// together with `from`, `to` and `venue_id` only.
        #[param(inline)]
        register: Option<RegisterState>,
        /// The order: by start, or by distance from `near` (venue by venue, and by start at each).
        #[param(inline)]
        sort: Option<SessionOrder>,
        /// How many items a page has at most.
        #[param(minimum = 1, maximum = 100, default = 50, example = 50)]
        limit: Option<i64>,
        /// Where the page begins: the `cursor` in the path that `next` of the page before gives.
        #[param(max_length = 1200)]
        cursor: Option<String>,
    }
}

filter! {
    /// Which series to list, by their sessions to come.
    SeriesFilter {
        /// The order. Without it: by next session if the request asks for anything but `partner_id`, `programme_id`,
        /// `venue_id` and `pillar`, else `created`.
        #[param(inline)]
        sort: Option<SeriesOrder>,
        /// How many items a page has at most.
        #[param(minimum = 1, maximum = 100, default = 50, example = 50)]
        limit: Option<i64>,
        /// Where the page begins: the `cursor` in the path that `next` of the page before gives.
        #[param(max_length = 1200)]
        cursor: Option<String>,
    }
}

filter! {
    /// Which series to count, by their sessions to come, and by what.
    FacetFilter {
        /// What to count by, with commas between: `by=topic,pillar`.
        #[param(style = Form, explode = false, inline, min_items = 1, max_items = 7, example = json!(["topic", "pillar"]))]
        by: Vec<Facet>,
    }
}

impl SeriesFilter {
    /// The order of the list.
    pub fn order(&self) -> SeriesOrder {
        let by_sessions = if self.asks_for_sessions() { SeriesOrder::Next } else { SeriesOrder::Created };
        self.sort.unwrap_or(by_sessions)
    }

    /// Whether anything is asked for that only sessions can fit.
    pub fn asks_for_sessions(&self) -> bool {
        let days = self.from.is_some() || self.to.is_some() || !self.weekday.is_empty();
        let times = self.starts_after.is_some() || self.starts_before.is_some();
        let places = self.local_authority.is_some() || self.near.is_some() || self.within_km.is_some();
        let words = self.q.is_some() || !self.topic.is_empty() || !self.accessibility.is_empty();
        let kinds = self.delivery.is_some() || self.booking_policy.is_some() || self.has_space.is_some();
        days || times || places || words || kinds
    }
}

impl From<SeriesFilter> for SessionFilter {
    fn from(filter: SeriesFilter) -> Self {
        Self {
            from: filter.from,
            to: filter.to,
            pillar: filter.pillar,
            delivery: filter.delivery,
            booking_policy: filter.booking_policy,
            venue_id: filter.venue_id,
            partner_id: filter.partner_id,
            programme_id: filter.programme_id,
            local_authority: filter.local_authority,
            q: filter.q,
            topic: filter.topic,
            accessibility: filter.accessibility,
            near: filter.near,
            within_km: filter.within_km,
            has_space: filter.has_space,
            starts_after: filter.starts_after,
            starts_before: filter.starts_before,
            weekday: filter.weekday,
            limit: filter.limit,
            cursor: filter.cursor,
            series_id: None,
            register: None,
            sort: (filter.sort == Some(SeriesOrder::Distance)).then_some(SessionOrder::Distance),
        }
    }
}

impl From<FacetFilter> for SessionFilter {
    fn from(filter: FacetFilter) -> Self {
        Self {
            from: filter.from,
            to: filter.to,
            pillar: filter.pillar,
            delivery: filter.delivery,
            booking_policy: filter.booking_policy,
            venue_id: filter.venue_id,
            partner_id: filter.partner_id,
            programme_id: filter.programme_id,
            local_authority: filter.local_authority,
            q: filter.q,
            topic: filter.topic,
            accessibility: filter.accessibility,
            near: filter.near,
            within_km: filter.within_km,
            has_space: filter.has_space,
            starts_after: filter.starts_after,
            starts_before: filter.starts_before,
            weekday: filter.weekday,
            ..Self::default()
        }
    }
}

impl Weekday {
    /// The day of an hour of the week: 0 is Monday from midnight on.
    pub fn of_hour(hour: i32) -> Self {
        match hour / 24 {
            0 => Self::Monday,
            1 => Self::Tuesday,
            2 => Self::Wednesday,
            3 => Self::Thursday,
            4 => Self::Friday,
            5 => Self::Saturday,
            _ => Self::Sunday,
        }
    }

    /// Its name as a value.
    pub fn name(self) -> &'static str {
        match self {
            Self::Monday => "monday",
            Self::Tuesday => "tuesday",
            Self::Wednesday => "wednesday",
            Self::Thursday => "thursday",
            Self::Friday => "friday",
            Self::Saturday => "saturday",
            Self::Sunday => "sunday",
        }
    }
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
