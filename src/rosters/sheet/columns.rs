//! The columns of a sheet: their names, other names for them, and the header row that states which are there.

use csv::StringRecord;

use super::UnknownColumns;
use crate::error::{Error, Fault, Result};
use crate::http::shape::{self, Shape};
use crate::text::fold::name_key;
use crate::text::nearest::nearest;

/// The columns that an entry in JSON has as members too, in the order of the template.
pub const COLUMNS: [&str; 36] = [
    "external_id",
    "type",
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
    "local_start",
    "time_zone",
    "duration_minutes",
    "recurrence",
    "excluded",
    "additional",
    "capacity",
    "online_capacity",
    "booking_policy",
    "publication",
    "beneficiaries",
    "family",
    "carers",
    "image_url",
    "image_alt",
    "price_pence",
    "price_note",
    "min_age",
    "max_age",
    "what_to_bring",
    "languages",
    "contact_email",
    "contact_phone",
];

/// The columns that only a sheet has: other ways to say when something takes place, and what it costs.
pub const SHEET_COLUMNS: [&str; 9] = ["date", "day", "time", "ends", "repeats", "until", "times", "not_on", "price"];

/// The columns that are a part of a member: the column, the member and the part.
pub(in crate::rosters) const PARTS: [(&str, &str, &str); 4] = [
    ("image_url", "image", "url"),
    ("image_alt", "image", "alt"),
    ("contact_email", "public_contact", "email"),
    ("contact_phone", "public_contact", "phone"),
];

/// The columns that are a register's headcount together.
pub(in crate::rosters) const HEADS: [&str; 3] = ["beneficiaries", "family", "carers"];
/// What stands in a column of heads; the entry's schema says how many may be.
static COUNT: Shape = Shape::Integer { least: None, most: None };

/// The columns that an answer adds to the posted sheet. Posted again, they are left out.
pub(in crate::rosters) const ANSWERED: [&str; 2] = ["outcome", "what is wrong"];

/// What people call a column, and the column.
const SYNONYMS: [(&str, &str); 88] = [
    ("id", "external_id"),
    ("ref", "external_id"),
    ("reference", "external_id"),
    ("code", "external_id"),
    ("our reference", "external_id"),
    ("name", "title"),
    ("group", "title"),
    ("group name", "title"),
    ("session", "title"),
    ("session name", "title"),
    ("activity", "title"),
    ("event", "title"),
    ("what", "title"),
    ("about", "description"),
    ("details", "description"),
    ("project", "programme"),
    ("program", "programme"),
    ("topic", "topics"),
    ("tags", "topics"),
    ("how", "delivery"),
    ("format", "delivery"),
    ("in person or online", "delivery"),
    ("where", "venue"),
    ("location", "venue"),
    ("place", "venue"),
    ("building", "venue"),
    ("venue name", "venue"),
    ("room", "space"),
    ("link", "join_link"),
    ("zoom link", "join_link"),
    ("leader", "facilitator"),
    ("led by", "facilitator"),
    ("group leader", "facilitator"),
    ("tutor", "facilitator"),
    ("access", "accessibility"),
    ("start", "local_start"),
    ("starts", "local_start"),
    ("when", "local_start"),
    ("date and time", "local_start"),
    ("start date", "date"),
    ("first date", "date"),
    ("first session", "date"),
    ("weekday", "day"),
    ("day of the week", "day"),
    ("start time", "time"),
    ("end", "ends"),
    ("end time", "ends"),
    ("finish", "ends"),
    ("finish time", "ends"),
    ("timezone", "time_zone"),
    ("how long", "duration_minutes"),
    ("duration", "duration_minutes"),
    ("length", "duration_minutes"),
    ("minutes", "duration_minutes"),
    ("how often", "repeats"),
    ("frequency", "repeats"),
    ("repeat", "repeats"),
    ("last date", "until"),
    ("last session", "until"),
    ("end date", "until"),
    ("number of sessions", "times"),
    ("how many sessions", "times"),
    ("except", "not_on"),
    ("no session on", "not_on"),
    ("places", "capacity"),
    ("seats", "capacity"),
    ("booking", "booking_policy"),
    ("published", "publication"),
    ("cost", "price"),
    ("fee", "price"),
    ("charge", "price"),
    ("how much", "price"),
    ("image", "image_url"),
    ("picture", "image_url"),
    ("photo", "image_url"),
    ("alt text", "image_alt"),
    ("picture description", "image_alt"),
    ("minimum age", "min_age"),
    ("age from", "min_age"),
    ("maximum age", "max_age"),
    ("age to", "max_age"),
    ("bring", "what_to_bring"),
    ("language", "languages"),
    ("email", "contact_email"),
    ("e mail", "contact_email"),
    ("phone", "contact_phone"),
    ("telephone", "contact_phone"),
    ("contact number", "contact_phone"),
];

/// What a column holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Column<'a> {
    /// A member of an entry, or a part of its register.
    Member(&'static str, &'a Shape),
    /// One of [`SHEET_COLUMNS`].
    When(&'static str),
    /// It has no name: it must have no values either.
    Unnamed,
    /// It has an unknown name and is left out.
    Ignored,
}

impl Column<'_> {
    fn name(&self) -> Option<&'static str> {
        match self {
            Self::Member(name, _) | Self::When(name) => Some(name),
            Self::Unnamed | Self::Ignored => None,
        }
    }
}

/// Columns of a sheet, three times those that are known.
const MOST_COLUMNS: usize = 100;
/// So many letters of an unknown name are compared with the known ones.
const LONGEST_NAME: usize = 60;
/// So few known names are no header, if a row below has more.
const FEW_NAMES: usize = 2;

/// The column that a cell of the header names, however it is written.
pub(in crate::rosters) fn named(cell: &str) -> Option<&'static str> {
    // "Local start" is local_start to whoever makes a spreadsheet, and "Duration (minutes)" is a duration.
    let whole = name_key(cell);
    let short = cell.split_once(['(', '[', ':']).map(|(name, _)| name_key(name));
    [Some(whole), short].into_iter().flatten().find_map(|key| {
        let name = key.replace(' ', "_");
        let known = COLUMNS.into_iter().chain(SHEET_COLUMNS).find(|known| *known == name);
        known.or_else(|| SYNONYMS.iter().find(|(other, _)| *other == key).map(|(_, column)| *column))
    })
}

/// How many cells of a row name a column.
fn names_in(record: &StringRecord) -> usize {
    record.iter().filter(|cell| named(cell).is_some()).count()
}

/// Whether a row below looks like the header, and the first one doesn't.
pub(super) fn is_above_header(first: &StringRecord, below: &StringRecord) -> bool {
    names_in(first) < FEW_NAMES && names_in(below) > FEW_NAMES
}

/// Whether a row names so many columns that it is the header.
pub(super) fn is_header(record: &StringRecord) -> bool {
    names_in(record) >= FEW_NAMES
}

/// Reads the header row.
///
/// # Errors
/// 422 with every column that is unknown, there twice, or missing.
pub(super) fn header<'a>(
    record: &StringRecord,
    members: &'a [(String, Shape)],
    required: &[String],
    unknown: UnknownColumns,
) -> Result<Vec<Column<'a>>> {
    let used = record.iter().filter(|cell| !cell.is_empty()).count();
    if used > MOST_COLUMNS {
        let detail = format!("The first row has {used} columns; the most is {MOST_COLUMNS}.");
        return Err(Error::rule("", "too_many_columns", detail));
    }
    let mut faults = Vec::new();
    let mut columns = Vec::new();
    let mut written: Vec<(&str, &str)> = Vec::new();
    let has_date = record.iter().any(|cell| named(cell) == Some("date"));
    let has_time = record.iter().any(|cell| named(cell) == Some("time"));
    for cell in record {
        // Beside a date, a column "Start" holds the time, and beside a time it holds the date.
        let name = named(cell).map(|name| match name {
            "local_start" if has_date && !has_time => "time",
            "local_start" if has_time && !has_date => "date",
            name => name,
        });
        let column = match name {
            _ if cell.is_empty() => Column::Unnamed,
            None if ANSWERED.contains(&name_key(cell).as_str()) => Column::Ignored,
            Some(name) => column(name, members)?,
            None => {
                if unknown == UnknownColumns::Refuse {
                    faults.push(unknown_column(cell, faults.is_empty()));
                }
                Column::Ignored
            }
        };
        if let Some(name) = column.name() {
            match written.iter().find(|(known, _)| *known == name) {
                Some((_, first)) => faults.push(twice(name, first, cell)),
                None => written.push((name, cell)),
            }
        }
        columns.push(column);
    }
    if used <= 2 && written.is_empty() {
        return Err(no_header(""));
    }
    faults.extend(missing(&written, required));
    if faults.is_empty() { Ok(columns) } else { Err(Error::invalid(faults)) }
}

fn column<'a>(name: &'static str, members: &'a [(String, Shape)]) -> Result<Column<'a>> {
    if SHEET_COLUMNS.contains(&name) {
        return Ok(Column::When(name));
    }
    if HEADS.contains(&name) {
        return Ok(Column::Member(name, &COUNT));
    }
    let part = PARTS.iter().find(|(column, ..)| *column == name);
    let known = member(part.map_or(name, |(_, member, _)| member), members);
    let known = match (part, known) {
        (Some((.., part)), Some(whole)) => member(part, members_of(whole)),
        (_, known) => known,
    };
    known.map(|shape| Column::Member(name, shape)).ok_or_else(|| Error::internal("a column is a member of an entry"))
}

fn member<'a>(name: &str, members: &'a [(String, Shape)]) -> Option<&'a Shape> {
    members.iter().find(|(known, _)| known == name).map(|(_, shape)| shape)
}

fn members_of(shape: &Shape) -> &[(String, Shape)] {
    match shape {
        Shape::Nullable(inner) => members_of(inner),
        Shape::Object { members, .. } => members,
        _ => &[],
    }
}

fn unknown_column(cell: &str, is_first: bool) -> Fault {
    let key = name_key(cell);
    let name = if key.is_empty() { cell.to_owned() } else { key.replace(' ', "_") };
    let all = COLUMNS.into_iter().chain(SHEET_COLUMNS).chain(SYNONYMS.into_iter().map(|(other, _)| other));
    // Names are compared letter by letter: a long one would take long.
    let begins: String = name.chars().take(LONGEST_NAME).collect();
    let likeliest = nearest(&begins, all).into_iter().find_map(named).unwrap_or_default();
    let mut detail = format!("Is not a column. The likeliest is {likeliest}.");
    if is_first {
        let columns = COLUMNS.into_iter().chain(SHEET_COLUMNS).collect::<Vec<_>>().join(", ");
        detail.push_str(&format!(" The columns are: {columns}. With ?unknown=ignore, other columns are left out."));
    }
    Fault::at(format!("/{}", shape::escape(&name)), "unknown_column", detail)
}

fn twice(name: &str, first: &str, second: &str) -> Fault {
    let short = |text: &str| text.chars().take(40).collect::<String>();
    let detail = match name_key(first) == name_key(second) {
        true => "There are two columns of this name.".to_owned(),
        false => format!("{:?} and {:?} are both the column {name}: leave one out.", short(first), short(second)),
    };
    Fault::at(format!("/{name}"), "repeated", detail)
}

/// The refusal of a sheet that doesn't begin with its header.
pub(super) fn no_header(where_it_is: &str) -> Error {
    let columns = COLUMNS.into_iter().chain(SHEET_COLUMNS).collect::<Vec<_>>().join(", ");
    let detail = format!("The first row must name the columns, and names none.{where_it_is} They are: {columns}.");
    Error::rule("", "no_header", detail)
}

/// The required columns that aren't there, nor anything in their place.
fn missing(written: &[(&str, &str)], required: &[String]) -> Vec<Fault> {
    let has = |name: &str| written.iter().any(|(known, _)| *known == name);
    let mut faults = Vec::new();
    for name in required.iter().filter(|name| !has(name)) {
        let detail = match name.as_str() {
            // It has a default.
            "time_zone" => continue,
            "local_start" if has("date") || has("day") => continue,
            "local_start" => "This column is required, or date and time.",
            // A time can be written from start to end.
            "duration_minutes" if has("ends") || has("time") => continue,
            "duration_minutes" => "This column is required, or ends.",
            _ => "This column is required.",
        };
        faults.push(Fault::at(format!("/{name}"), "missing_column", detail));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rosters::types::RosterEntry;

    #[test]
    fn the_columns_are_the_members_of_an_entry() {
        let shape = shape::of::<RosterEntry>();
        let Shape::Object { members, .. } = &*shape else { panic!("an entry is an object") };
        let whole = ["register", "image", "public_contact"];
        let names = members.iter().map(|(name, _)| name.as_str()).filter(|name| !whole.contains(name));
        let mut known: Vec<&str> = names.chain(HEADS).chain(PARTS.map(|(column, ..)| column)).collect();
        let mut columns = COLUMNS.to_vec();
        known.sort_unstable();
        columns.sort_unstable();
        assert_eq!(known, columns);
    }

    #[test]
    fn other_names_are_written_as_they_are_compared_and_stand_once() {
        for (index, (other, column)) in SYNONYMS.iter().enumerate() {
            assert_eq!(name_key(other), *other);
            assert_eq!(named(other), Some(*column), "{other}");
            assert!(SYNONYMS.iter().skip(index + 1).all(|(later, _)| later != other), "{other}");
            assert!(COLUMNS.contains(column) || SHEET_COLUMNS.contains(column), "{column}");
        }
        for (cell, column) in [
            ("Where", Some("venue")),
            ("WHERE?", Some("venue")),
            ("Local-Start", Some("local_start")),
            ("Duration (minutes)", Some("duration_minutes")),
            ("Start time:", Some("time")),
            ("Not on (dates)", Some("not_on")),
            ("Colour", None),
            ("", None),
        ] {
            assert_eq!(named(cell), column, "{cell}");
        }
    }
}
