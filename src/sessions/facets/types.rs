//! Facets as JSON.

use serde::Serialize;
use utoipa::ToSchema;

crate::described! {
    /// What sessions can be chosen by from a menu. Each is also a filter of sessions.
    #[derive(PartialOrd, Ord, Hash)]
    pub enum Facet {
        /// `topic`: the topic.
        Topic,
        /// `pillar`: the pillar.
        Pillar,
        /// `delivery`: how people take part.
        Delivery,
        /// `local_authority`: the local authority of the venue that people come to.
        LocalAuthority,
        /// `venue_id`: the venue that people come to.
        Venue,
        /// `partner_id`: the partner.
        Partner,
        /// `weekday`: the day of the week.
        Weekday,
    }
}

/// The choices of some menus.
#[derive(Debug, Serialize, ToSchema)]
pub struct Facets {
    /// One for each facet that was asked for, in that order.
    pub items: Vec<FacetChoices>,
}

/// The choices of one menu.
#[derive(Debug, Serialize, ToSchema)]
pub struct FacetChoices {
    /// The facet.
    pub by: Facet,
    /// The choices with at least one series. Weekdays from Monday on; the others by how many series, the most first.
    pub choices: Vec<Choice>,
    /// Whether there are more choices. At most 200 are listed.
    #[schema(example = false)]
    pub more: bool,
}

/// A choice of a menu.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Choice {
    /// The value of the filter.
    #[schema(example = "reading")]
    pub value: String,
    /// The name of a venue or partner. Null for the others: their values are names, or stand in `GET /v1/vocabularies`.
    #[schema(example = "Liverpool Central Library")]
    pub name: Option<String>,
    /// How many series `GET /v1/session-series` lists with this choice and the other filters.
    #[schema(minimum = 1, example = 12)]
    pub series: usize,
}
