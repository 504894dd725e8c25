//! What sessions and series state alike.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::ValidationError;

use super::kinds::{BookingPolicy, Delivery, Publication};
use super::rules;
use crate::db::schema::session_series;
use crate::db::{Id, Json, LocalTime};
use crate::http::rule::{at, rule};
use crate::text::short_name::ShortName;

/// What a session, or each session of a series, is: what it says, where, when and how it takes place, and for how many.
/// The bodies of sessions and series have these fields among their own, and so has the row of a series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema, Queryable, Selectable, Insertable, AsChangeset)]
#[serde(deny_unknown_fields)]
#[diesel(table_name = session_series, treat_none_as_null = true)]
pub struct Activity {
    /// What it is called.
    #[schema(min_length = 1, max_length = 200, format = "one-line", example = "Shared Reading at Walton")]
    pub title: String,
    /// What happens there.
    #[schema(
        min_length = 1,
        max_length = 5000,
        example = "We read a story aloud and talk about it. No need to prepare."
    )]
    pub description: Option<String>,
    /// What it is about, as short names such as `reading`.
    #[serde(default)]
    #[schema(max_items = 20, value_type = Vec<ShortName>, example = json!(["reading"]))]
    pub topics: Json<Vec<String>>,
    /// Who leads it, as it should be shown to everybody.
    #[schema(min_length = 1, max_length = 200, format = "one-line", example = "The Reader")]
    pub facilitator: Option<String>,
    /// What makes it accessible beyond its venue, as short names such as `bsl_interpreter`.
    #[serde(default)]
    #[schema(max_items = 30, value_type = Vec<ShortName>, example = json!(["bsl_interpreter"]))]
    pub accessibility: Json<Vec<String>>,
    /// The programme of the partner that it belongs to.
    pub programme_id: Option<Id>,
    /// How people take part.
    pub delivery: Delivery,
    /// The venue. Required unless it is online.
    pub venue_id: Option<Id>,
    /// The space in the venue.
    pub space_id: Option<Id>,
    /// The link to join online. No session's or series' answer holds it.
    #[schema(max_length = 500, format = "uri", write_only, example = "https://meet.example.org/j/123")]
    pub join_link: Option<String>,
    /// The start, on the wall clock of `time_zone`. For a series, the first start.
    pub local_start: LocalTime,
    /// The time zone of all local times.
    #[schema(max_length = 60, format = "time-zone", example = "Europe/London")]
    pub time_zone: String,
    /// The duration of a session in minutes. It is exact, also when the clocks change.
    #[schema(minimum = 1, maximum = 10080, example = 90)]
    pub duration_minutes: i32,
    /// How many places a session has. If it is hybrid, how many in person. Absent: no limit.
    #[schema(minimum = 1, maximum = 100000, example = 12)]
    pub capacity: Option<i32>,
    /// How many people can join a hybrid session online. Absent: no limit.
    #[schema(minimum = 1, maximum = 100000, example = 20)]
    pub online_capacity: Option<i32>,
    /// How people get a place. Absent: `bookable`.
    #[serde(default)]
    pub booking_policy: BookingPolicy,
    /// Who can see it. Absent: `published`.
    #[serde(default)]
    pub publication: Publication,
}

impl Activity {
    /// Every rule that is broken.
    pub(super) fn rules(&self) -> [Result<(), ValidationError>; 2] {
        [self.has_its_place(), self.has_seats_of_its_kind()]
    }

    /// Only an online session needs no venue.
    fn has_its_place(&self) -> Result<(), ValidationError> {
        if rules::lacks_venue(self.delivery, self.venue_id) {
            return Err(at(rule("required", "Is required unless delivery is online."), "/venue_id"));
        }
        Ok(())
    }

    /// Only a hybrid session has separate online seats.
    fn has_seats_of_its_kind(&self) -> Result<(), ValidationError> {
        if rules::misplaces_online_capacity(self.delivery, self.online_capacity) {
            return Err(at(rule("not_hybrid", rules::NOT_HYBRID), "/online_capacity"));
        }
        Ok(())
    }
}
