//! Venues as JSON.

use chrono::NaiveDate;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::{Validate, ValidationError};

use super::hours;
use crate::db::schema::venues;
use crate::db::{Id, Json, Timestamp};
use crate::http::patch::MergePatch;
use crate::http::rule::{at, is_postcode, rule};
use crate::places::LocalAuthority;
use crate::text::postcode;
use crate::text::short_name::ShortName;

crate::text_enum! {
    /// What kind of place it is.
    pub enum VenueKind {
        /// A building of the service's own.
        LifeRoomsCentre,
        /// A public library.
        Library,
        /// A council's one stop shop.
        OneStopShop,
        /// A children's centre.
        ChildrensCentre,
        /// A theatre.
        Theatre,
        /// A community centre.
        CommunityCentre,
        /// A health centre or surgery.
        HealthCentre,
        /// Any other place.
        Other,
    }
    /// Whether a venue can be used.
    #[derive(Default)]
    pub enum VenueStatus {
        /// In use.
        #[default]
        Open,
        /// Closed for a while.
        TemporarilyClosed,
        /// Closed for good.
        Closed,
    }
}

/// A postal address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = venues, treat_none_as_null = true)]
pub struct Address {
    /// Building and street.
    #[schema(min_length = 1, max_length = 200, format = "one-line", example = "William Brown Street")]
    pub line_1: Option<String>,
    /// A second line.
    #[schema(min_length = 1, max_length = 200, format = "one-line", example = "City Centre")]
    pub line_2: Option<String>,
    /// The post town.
    #[schema(min_length = 1, max_length = 100, format = "one-line", example = "Liverpool")]
    pub town: Option<String>,
    /// The county.
    #[schema(min_length = 1, max_length = 100, format = "one-line", example = "Merseyside")]
    pub county: Option<String>,
    /// A UK postcode. Spaces and case are put right.
    #[schema(min_length = 5, max_length = 9, format = "uk-postcode", example = "L3 8EW")]
    #[validate(custom(function = "is_postcode"))]
    pub postcode: Option<String>,
}

/// When a place is open, by weekday. If any weekday has hours, a weekday without hours takes no sessions. On a day with
/// hours, sessions can also be outside them. Hours must not overlap.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, default)]
#[validate(schema(function = "hours_apart"))]
pub struct OpeningHours {
    /// Monday.
    #[schema(max_items = 6)]
    #[validate(nested)]
    pub monday: Vec<Hours>,
    /// Tuesday.
    #[schema(max_items = 6)]
    #[validate(nested)]
    pub tuesday: Vec<Hours>,
    /// Wednesday.
    #[schema(max_items = 6)]
    #[validate(nested)]
    pub wednesday: Vec<Hours>,
    /// Thursday.
    #[schema(max_items = 6)]
    #[validate(nested)]
    pub thursday: Vec<Hours>,
    /// Friday.
    #[schema(max_items = 6)]
    #[validate(nested)]
    pub friday: Vec<Hours>,
    /// Saturday.
    #[schema(max_items = 6)]
    #[validate(nested)]
    pub saturday: Vec<Hours>,
    /// Sunday.
    #[schema(max_items = 6)]
    #[validate(nested)]
    pub sunday: Vec<Hours>,
}

/// Hours of one day, on the local clock. Friday from 18:00 to 01:00 ends on Saturday. From 00:00 to 00:00 is the whole
/// day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// When it opens.
    #[schema(format = "time-of-day", example = "09:30")]
    pub opens: String,
    /// When it closes: later on the same day, or on the next day if this time is at or before `opens`.
    #[schema(format = "time-of-day", example = "15:30")]
    pub closes: String,
}

/// A venue as it is written.
#[derive(
    Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema, Validate, Queryable, Selectable, Insertable, AsChangeset,
)]
#[diesel(table_name = venues, treat_none_as_null = true)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "whole_place"))]
pub struct VenueInput {
    /// A short name for use in addresses, unique among venues.
    #[schema(min_length = 1, max_length = 80, format = "slug", example = "liverpool-central-library")]
    pub slug: String,
    /// The name people know it by.
    #[schema(min_length = 1, max_length = 200, format = "one-line", example = "Liverpool Central Library")]
    pub name: String,
    /// What kind of place it is.
    pub kind: VenueKind,
    /// The postal address. Absent: not known.
    #[serde(default)]
    #[validate(nested)]
    #[diesel(embed)]
    pub address: Address,
    /// Degrees north (WGS 84); with `longitude`.
    #[schema(minimum = -90.0, maximum = 90.0, example = 53.4097)]
    pub latitude: Option<f64>,
    /// Degrees east (WGS 84); with `latitude`.
    #[schema(minimum = -180.0, maximum = 180.0, example = -2.9795)]
    pub longitude: Option<f64>,
    /// The local authority, by any name that people use for it. The official name is kept, and its code filled in.
    #[schema(min_length = 1, max_length = 80, format = "local-authority", example = "Liverpool")]
    pub local_authority: String,
    /// The Unique Property Reference Number, if it is known.
    #[schema(format = "uprn", max_length = 12, example = "38233522")]
    pub uprn: Option<String>,
    /// What makes it accessible, as short names such as `step_free`.
    #[serde(default)]
    #[schema(max_items = 30, value_type = Vec<ShortName>, example = json!(["step_free", "hearing_loop"]))]
    pub accessibility: Json<Vec<String>>,
    /// How many people it holds.
    #[schema(minimum = 1, maximum = 100000, example = 120)]
    pub capacity: Option<i32>,
    /// When it is open. Absent: not known.
    #[serde(default)]
    #[schema(value_type = OpeningHours)]
    #[validate(nested)]
    pub opening_hours: Json<OpeningHours>,
    /// Whether it can be used. Absent: `open`.
    #[serde(default)]
    pub status: VenueStatus,
    /// The first day on which the status holds.
    #[schema(example = "2027-03-01")]
    pub status_from: Option<NaiveDate>,
    /// The last day on which the status holds.
    #[schema(example = "2027-03-14")]
    pub status_until: Option<NaiveDate>,
}

/// A change of a venue.
pub type VenuePatch = MergePatch<VenueInput>;

fn hours_apart(hours: &OpeningHours) -> Result<(), ValidationError> {
    let Some(pointer) = hours::overlap(hours) else { return Ok(()) };
    let detail = "Overlaps with other hours. Hours that close at or before they open end on the next day.";
    Err(at(rule("hours_overlap", detail), &pointer))
}

fn whole_place(venue: &VenueInput) -> Result<(), ValidationError> {
    if venue.latitude.is_some() != venue.longitude.is_some() {
        let pointer = if venue.latitude.is_some() { "/longitude" } else { "/latitude" };
        return Err(at(rule("required", "Latitude and longitude must be given together."), pointer));
    }
    if matches!((venue.status_from, venue.status_until), (Some(from), Some(until)) if until < from) {
        return Err(at(rule("ends_first", "Must not be before status_from."), "/status_until"));
    }
    Ok(())
}

/// A venue.
#[derive(Debug, Clone, Serialize, ToSchema, Queryable, Selectable, Insertable, AsChangeset, Identifiable)]
#[diesel(table_name = venues)]
pub struct Venue {
    /// Its id.
    pub id: Id,
    /// What was last written.
    #[serde(flatten)]
    #[diesel(embed)]
    pub written: VenueInput,
    /// The GSS code of the local authority.
    #[schema(example = "E08000012")]
    pub local_authority_code: String,
    /// Rises with each change; the `ETag`.
    #[schema(example = 1)]
    pub version: i32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Venue {
    /// A new venue. Its local authority gets its official name, and its postcode the usual spelling.
    pub fn new(id: Id, mut written: VenueInput, now: Timestamp) -> Self {
        written.address.postcode = written.address.postcode.as_deref().and_then(postcode::read);
        let mut local_authority_code = String::new();
        // The schema has already refused unknown names.
        if let Ok(known) = written.local_authority.parse::<LocalAuthority>() {
            written.local_authority = known.name.to_owned();
            local_authority_code = known.code.to_owned();
        }
        Self { id, written, local_authority_code, version: 1, created_at: now, updated_at: now }
    }

    /// This venue after a change.
    pub fn changed(&self, written: VenueInput, now: Timestamp) -> Self {
        Self { version: self.version + 1, created_at: self.created_at, ..Self::new(self.id, written, now) }
    }

    /// This venue's place in the list.
    pub fn key(&self) -> (String, Id) {
        (self.written.name.clone(), self.id)
    }
}

/// Which venues to list.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct VenueFilter {
    /// Only venues in this local authority, by any name that people use for it. An unknown name is a 400 with the
    /// nearest names.
    #[param(inline)]
    pub local_authority: Option<LocalAuthority>,
    /// Only venues of this kind.
    #[param(inline)]
    pub kind: Option<VenueKind>,
    /// Only venues with this status.
    #[param(inline)]
    pub status: Option<VenueStatus>,
    /// Only venues with all of these words in name, town and local authority. A plural finds its singular and the other
    /// way round. The hyphen in a word can be left out. A word that ends in `*` finds every word that begins with it.
    #[param(min_length = 1, max_length = 200, example = "library")]
    pub q: Option<String>,
    /// Only venues with this feature. Given more than once: with all of the features.
    #[serde(default)]
    #[param(inline, max_items = 10)]
    pub accessibility: Vec<ShortName>,
    /// Only venues near this place: a postcode (`L4 4AA`, however it is spaced), its first half (`L4`), or degrees
    /// north and east (WGS 84, `53.4097,-2.9795`). A postcode that the service doesn't know stands for the centre of its
    /// district, and an unknown district is a 400. Venues without a
    /// known position aren't found.
    #[param(max_length = 50, format = "place", example = "L4 4AA")]
    pub near: Option<String>,
    /// How many kilometres around `near`, in a straight line.
    #[param(minimum = 0.1, maximum = 50, default = 10, example = 10)]
    pub within_km: Option<f64>,
    /// How many items a page has at most.
    #[param(minimum = 1, maximum = 100, default = 50, example = 50)]
    pub limit: Option<i64>,
    /// Where the page begins: the `cursor` in the path that `next` of the page before gives.
    #[param(max_length = 1200)]
    pub cursor: Option<String>,
}
