//! Counting: which series each choice leads to.

use std::collections::{BTreeMap, HashSet};

use super::types::Facet;
use crate::db::Id;
use crate::db::types::TextEnum;
use crate::sessions::search::filter::{SessionFilter, Weekday};
use crate::sessions::types::{Delivery, Pillar};
use crate::text::short_name::ShortName;

/// Everything that can be chosen.
pub const ALL: [Facet; 7] =
    [Facet::Topic, Facet::Pillar, Facet::Delivery, Facet::LocalAuthority, Facet::Venue, Facet::Partner, Facet::Weekday];

/// What the sessions that a series has of one listing have in common.
#[derive(Debug)]
pub struct Line<'a> {
    /// The series.
    pub series: Id,
    /// Their topics.
    pub topics: &'a [String],
    /// What makes them accessible beyond their venue.
    pub features: &'a [String],
    /// Their pillar.
    pub pillar: Pillar,
    /// How people take part.
    pub delivery: Delivery,
    /// The venue that people come to, and its local authority.
    pub place: Option<(Id, &'a str)>,
    /// The partner.
    pub partner: Option<Id>,
    /// The day of the week.
    pub weekday: Weekday,
}

/// A choice: the value of its filter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// A venue or partner.
    Id(Id),
    /// A name.
    Name(String),
    /// A day of the week, with its number.
    Day(u8, &'static str),
}

impl Line<'_> {
    /// Whether the choices of a facet are among those that the filter asks for.
    fn fits(&self, facet: Facet, filter: &SessionFilter) -> bool {
        match facet {
            Facet::Topic => {
                filter.topic.is_empty() || filter.topic.iter().any(|ShortName(topic)| self.topics.contains(topic))
            }
            Facet::Pillar => filter.pillar.is_none_or(|pillar| pillar == self.pillar),
            Facet::Delivery => filter.delivery.is_none_or(|delivery| delivery == self.delivery),
            Facet::LocalAuthority => filter
                .local_authority
                .as_ref()
                .is_none_or(|asked| self.place.is_some_and(|(_, authority)| authority == asked.name)),
            Facet::Venue => filter.venue_id.is_none_or(|asked| self.place.is_some_and(|(venue, _)| venue == asked)),
            Facet::Partner => filter.partner_id.is_none_or(|asked| self.partner == Some(asked)),
            Facet::Weekday => filter.weekday.is_empty() || filter.weekday.contains(&self.weekday),
        }
    }

    fn values(&self, facet: Facet) -> Vec<Value> {
        match facet {
            Facet::Topic => self.topics.iter().cloned().map(Value::Name).collect(),
            Facet::Pillar => vec![Value::Name(self.pillar.name().to_owned())],
            Facet::Delivery => vec![Value::Name(self.delivery.name().to_owned())],
            Facet::LocalAuthority => {
                self.place.iter().map(|(_, authority)| Value::Name((*authority).to_owned())).collect()
            }
            Facet::Venue => self.place.iter().map(|(venue, _)| Value::Id(*venue)).collect(),
            Facet::Partner => self.partner.iter().map(|partner| Value::Id(*partner)).collect(),
            Facet::Weekday => vec![Value::Day(self.weekday as u8, self.weekday.name())],
        }
    }
}

/// The choices of a facet, each with its series. Its own filter is left out, all others count.
pub fn choices(lines: &[Line<'_>], facet: Facet, filter: &SessionFilter) -> BTreeMap<Value, HashSet<Id>> {
    let mut found: BTreeMap<Value, HashSet<Id>> = BTreeMap::new();
    let others: Vec<Facet> = ALL.into_iter().filter(|other| *other != facet).collect();
    for line in lines {
        if others.iter().all(|other| line.fits(*other, filter)) {
            for value in line.values(facet) {
                found.entry(value).or_default().insert(line.series);
            }
        }
    }
    found
}
