//! The lists from which people choose in a workbook, and the workbook to be filled in.

use super::cells;
use crate::error::{Error, Result};
use crate::http::shape::{self, Shape};
use crate::rosters::lookups::Lookups;
use crate::rosters::types::RosterEntry;
use crate::tables::Writer;
use crate::tables::xlsx::{Choice, Workbook};

/// The columns of the workbook to be filled in: a date and a time instead of a start, words instead of a rule.
const TEMPLATE: [&str; 33] = [
    "external_id",
    "title",
    "description",
    "programme",
    "pillar",
    "topics",
    "delivery",
    "venue",
    "space",
    "join_link",
    "facilitator",
    "accessibility",
    "date",
    "time",
    "duration_minutes",
    "repeats",
    "until",
    "times",
    "not_on",
    "capacity",
    "online_capacity",
    "booking_policy",
    "publication",
    "image_url",
    "image_alt",
    "price",
    "price_note",
    "min_age",
    "max_age",
    "what_to_bring",
    "languages",
    "contact_email",
    "contact_phone",
];

/// What to know about a column.
const HINTS: [(&str, &str); 33] = [
    ("external_id", "Your own name for the row, such as walton-tue. Keep it: by it the row is known next time."),
    ("title", "What it is called, such as Shared Reading at Walton."),
    ("description", "What happens there."),
    ("programme", "One of your programmes, if it belongs to one."),
    ("pillar", "Learning, Social prescribing or Community."),
    ("topics", "What it is about, such as reading|wellbeing. Put | between them."),
    ("delivery", "In person, Online, or Hybrid for both."),
    ("venue", "The name of the venue. Not needed online."),
    ("space", "A room of the venue, if it has named ones."),
    ("join_link", "The link to join online. The public never sees it."),
    ("facilitator", "Who leads it, as everybody may read it."),
    ("accessibility", "Such as step_free|hearing_loop. Put | between them."),
    ("date", "The date, or the first one, with the day first: 05/01/2027."),
    ("time", "When it starts, such as 1pm or 13:00; or from when to when: 1pm-2.30pm."),
    ("duration_minutes", "How long it lasts, such as 90 or 1h30."),
    ("repeats", "Such as weekly, every 2 weeks, monthly on the 2nd Tuesday. Empty: it takes place once."),
    ("recurrence", "When it takes place again, as a rule (RFC 5545)."),
    ("until", "The last date, if it repeats."),
    ("times", "How many sessions, if it repeats and until is empty."),
    ("not_on", "Dates without a session, with commas between them."),
    ("capacity", "How many places. Empty: no limit."),
    ("online_capacity", "How many places online, if it is hybrid. Empty: no limit."),
    ("booking_policy", "Bookable, Drop in, or Referral only."),
    ("publication", "Published, Draft, or Unlisted. Empty: Published."),
    ("image_url", "A picture: its address, which begins with https://."),
    ("image_alt", "What the picture shows, for people who don't see it."),
    ("price", "Such as £2.50, 50p or free."),
    ("price_note", "What else there is to say about the price."),
    ("min_age", "The youngest age in years."),
    ("max_age", "The oldest age in years."),
    ("what_to_bring", "What people should bring or wear."),
    ("languages", "Such as English|Polish. Put | between them."),
    ("contact_email", "Whom everybody may ask. Everybody can read it."),
];

/// How often something takes place, in words that a sheet knows.
const REPEATS: [&str; 6] = [
    "weekly",
    "every 2 weeks",
    "monthly on the 1st Tuesday",
    "last Friday of the month",
    "daily",
    "Mondays and Thursdays",
];

/// What can be chosen in these columns.
pub fn choices(columns: &[&str], lookups: &Lookups) -> Vec<Choice> {
    let shape = shape::of::<RosterEntry>();
    let choice = |(column, name): (u16, &&str)| {
        let items = match *name {
            "venue" => lookups.venue_titles(),
            "programme" => lookups.programme_titles(),
            "repeats" => REPEATS.map(str::to_owned).to_vec(),
            name => names_of(&shape, name).iter().map(|name| cells::label(name)).collect(),
        };
        let hint = HINTS.iter().find(|(known, _)| known == name).map(|(_, hint)| (*hint).to_owned());
        Choice { column, items, hint: hint.unwrap_or_default() }
    };
    let all = (0..).zip(columns).map(choice);
    all.filter(|choice| !choice.items.is_empty() || !choice.hint.is_empty()).collect()
}

/// The values that a member of an entry can have, if they are listed.
fn names_of<'a>(entry: &'a Shape, name: &str) -> &'a [String] {
    fn listed(shape: &Shape) -> &[String] {
        match shape {
            Shape::Nullable(inner) => listed(inner),
            Shape::Text(text) => text.names(),
            _ => &[],
        }
    }
    let Shape::Object { members, .. } = entry else { return &[] };
    members.iter().find(|(known, _)| known == name).map_or(&[], |(_, shape)| listed(shape))
}

/// The workbook to be filled in.
///
/// # Errors
/// Never in practice.
pub fn template(lookups: &Lookups) -> Result<Vec<u8>> {
    let mut workbook = Box::new(Workbook::new(&TEMPLATE)?);
    workbook.offer(choices(&TEMPLATE, lookups));
    workbook.end()
}

/// A sheet of entries as a workbook.
///
/// # Errors
/// 406 where a text is too long for a cell.
pub fn of(entries: &[RosterEntry], lookups: &Lookups) -> Result<Vec<u8>> {
    let names = cells::names();
    let mut workbook = Box::new(Workbook::new(&names)?);
    workbook.offer(choices(&names, lookups));
    for entry in entries {
        let entry = serde_json::to_value(entry).map_err(Error::internal)?;
        workbook.row(&cells::of(&entry, crate::tables::Form::Xlsx))?;
    }
    workbook.end()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rosters::sheet::columns::named;
    use crate::rosters::sheet::repeats::read_repeats;

    #[test]
    fn what_the_workbook_offers_is_what_a_sheet_knows() {
        assert!(TEMPLATE.iter().all(|name| named(name) == Some(*name)));
        assert!(HINTS.iter().all(|(name, hint)| named(name) == Some(*name) && hint.len() <= 255));
        assert!(REPEATS.iter().all(|words| read_repeats(words).is_ok_and(|rule| rule.is_some())));
        let offered = choices(&TEMPLATE, &Lookups::default());
        let pillar = offered.iter().find(|choice| choice.column == 4).unwrap();
        assert_eq!(pillar.items, ["Learning", "Social prescribing", "Community"]);
    }
}
