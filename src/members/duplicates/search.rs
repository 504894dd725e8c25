//! Finds the members who may be the same person as another.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::NaiveDate;
use diesel::prelude::*;

use super::rules::{self, LISTED, Likeness, Names, Traits};
use crate::db::schema::members;
use crate::db::{AT_ONCE, Conn, Id, Json};
use crate::error::Result;
use crate::members::earlier::{self, ContactRow};
use crate::members::fate::is_live;
use crate::members::types::FormerName;
use crate::text::sound::sound_key;

/// How many members of one key are compared at most.
const MOST_OF_A_KEY: i64 = 500;

/// How many letters of the sound narrow down a birthday that may stand for an unknown one.
const LETTERS: usize = 2;

/// The part of a record that is compared.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = members)]
pub struct PersonRow {
    pub(in crate::members) id: Id,
    pub(in crate::members) preferred_name: Option<String>,
    pub(in crate::members) given_name: String,
    pub(in crate::members) family_name: String,
    pub(in crate::members) former_names: Json<Vec<FormerName>>,
    pub(in crate::members) date_of_birth: Option<NaiveDate>,
    pub(in crate::members) email_key: Option<String>,
    pub(in crate::members) phone: Option<String>,
    pub(in crate::members) postcode: Option<String>,
    pub(in crate::members) nhs_number: Option<String>,
}

impl PersonRow {
    fn traits(&self) -> Traits {
        let names =
            Names { preferred: self.preferred_name.as_deref(), given: &self.given_name, family: &self.family_name };
        let contact = (self.phone.clone(), self.email_key.clone(), self.postcode.clone());
        Traits::named(names, self.former_names.0.iter().map(|name| name.0.as_str()))
            .born(self.date_of_birth, self.nhs_number.clone())
            .reached(contact.0, contact.1, contact.2)
    }
}

/// A member who may be the same person.
#[derive(Debug, Clone)]
pub struct Found {
    /// Their id.
    pub id: Id,
    /// How alike the two are.
    pub likeness: Likeness,
}

/// The person with this id, unless the record was merged or erased.
pub fn person(conn: &mut Conn, id: Id) -> Result<Option<PersonRow>> {
    Ok(members::table.find(id).filter(is_live()).select(PersonRow::as_select()).first(conn).optional()?)
}

/// The members who may be this person, the likeliest first. They have enough points to be listed at least.
pub fn search(conn: &mut Conn, person: &PersonRow) -> Result<Vec<Found>> {
    search_again(conn, person, &[])
}

/// The same for somebody who was compared before: whoever was alike then is compared again, even if many others share as
/// much with them.
pub fn search_again(conn: &mut Conn, person: &PersonRow, before: &[Id]) -> Result<Vec<Found>> {
    // A registration has nobody to compare again, and asks the database nothing.
    let before: Vec<PersonRow> = match before {
        [] => Vec::new(),
        ids => {
            let known = members::table.filter(members::id.eq_any(ids)).filter(is_live());
            known.select(PersonRow::as_select()).load(conn)?
        }
    };
    let mut found = Vec::new();
    for own in as_reached(conn, person)? {
        let others = sharing_something(conn, &own)?;
        found.extend(alike(&own, others.iter().chain(&before)));
    }
    // Of one who was found more than once, as they are reached now and as they were, the more alike counts.
    found.sort_by_key(|found| (-found.likeness.score, found.id));
    let mut seen = HashSet::new();
    found.retain(|found| seen.insert(found.id));
    Ok(found)
}

/// The others who are alike enough to be listed.
fn alike<'a>(person: &PersonRow, others: impl Iterator<Item = &'a PersonRow>) -> Vec<Found> {
    let own = person.traits();
    let compared = |other: &PersonRow| {
        let likeness = rules::compare(&own, &other.traits())?;
        (likeness.score >= LISTED).then_some(Found { id: other.id, likeness })
    };
    others.filter_map(compared).collect()
}

/// This person as they are reached now, and as they were by each record that was merged into theirs.
fn as_reached(conn: &mut Conn, person: &PersonRow) -> Result<Vec<PersonRow>> {
    let mut ways = vec![person.clone()];
    for old in earlier::of_all(conn, person.id)? {
        let ContactRow { email_key, phone, postcode, .. } = old;
        ways.push(PersonRow { email_key, phone, postcode, ..person.clone() });
    }
    Ok(ways)
}

/// Those who could be reached as this person can by a record that was merged into theirs: as they could be then.
fn reached_earlier(conn: &mut Conn, person: &PersonRow) -> Result<Vec<PersonRow>> {
    let mut old: Vec<(Id, ContactRow)> = Vec::new();
    if let Some(phone) = &person.phone {
        old.extend(earlier::by_phone(conn, phone)?);
    }
    if let Some(email) = &person.email_key {
        old.extend(earlier::by_email_key(conn, email)?);
    }
    if let Some(postcode) = &person.postcode {
        old.extend(earlier::by_postcode(conn, postcode)?);
    }
    let ids: Vec<Id> = old.iter().map(|(id, _)| *id).filter(|id| *id != person.id).collect();
    let mut rows = HashMap::new();
    for ids in ids.chunks(AT_ONCE) {
        let live = members::table.filter(members::id.eq_any(ids)).filter(is_live());
        let live: Vec<PersonRow> = live.select(PersonRow::as_select()).load(conn)?;
        rows.extend(live.into_iter().map(|row| (row.id, row)));
    }
    let then = |(id, contact): (Id, ContactRow)| {
        let row: &PersonRow = rows.get(&id)?;
        let ContactRow { email_key, phone, postcode, .. } = contact;
        Some(PersonRow { email_key, phone, postcode, ..row.clone() })
    };
    Ok(old.into_iter().filter_map(then).collect())
}

/// The members who share something with this person by which they are looked up.
fn sharing_something(conn: &mut Conn, person: &PersonRow) -> Result<Vec<PersonRow>> {
    let mut found = BTreeMap::new();
    // A macro, because each condition is a type of its own: boxed queries aren't kept prepared.
    macro_rules! look_up {
        ($condition:expr) => {
            let others = members::table.filter($condition).filter(is_live()).filter(members::id.ne(person.id));
            let rows: Vec<PersonRow> = others.limit(MOST_OF_A_KEY).select(PersonRow::as_select()).load(conn)?;
            found.extend(rows.into_iter().map(|row| (row.id, row)));
        };
    }
    let sound = sound_key(&person.given_name, &person.family_name);
    let swapped = sound_key(&person.family_name, &person.given_name);
    match person.date_of_birth {
        Some(day) if rules::may_stand_for_unknown(day) => {
            let from: String = sound.chars().take(LETTERS).collect();
            let until = format!("{from}{}", char::MAX);
            look_up!(members::date_of_birth.eq(day).and(members::sound_key.ge(from)).and(members::sound_key.lt(until)));
        }
        Some(day) => {
            look_up!(members::date_of_birth.eq(day));
        }
        None => {}
    }
    look_up!(members::sound_key.eq(&sound));
    if swapped != sound && !person.family_name.is_empty() {
        look_up!(members::sound_key.eq(&swapped));
    }
    if let Some(phone) = &person.phone {
        look_up!(members::phone.eq(phone));
    }
    if let Some(email) = &person.email_key {
        look_up!(members::email_key.eq(email));
    }
    if let Some(postcode) = &person.postcode {
        look_up!(members::postcode.eq(postcode));
    }
    Ok(found.into_values().chain(reached_earlier(conn, person)?).collect())
}
