//! The words that a member is found by, and finding members by them.

use diesel::dsl::exists;
use diesel::prelude::*;

use super::store::MemberRow;
use super::types::MemberSearch;
use crate::db::schema::{member_words, members};
use crate::db::{Conn, Id};
use crate::error::Result;
use crate::per_backend;
use crate::text::fold::{joined_key, name_key};
use crate::text::words::name_words;
use crate::text::{nhs_number, phone, postcode};

/// A word that a member is found by.
#[derive(Debug, Insertable)]
#[diesel(table_name = member_words)]
pub(crate) struct WordRow {
    member_id: Id,
    word: String,
}

/// The words of these names of one member: each word of each, and the words of each run together.
pub(crate) fn word_rows<'a>(member_id: Id, names: impl IntoIterator<Item = &'a str>) -> Vec<WordRow> {
    let mut words: Vec<String> = names.into_iter().flat_map(name_words).collect();
    words.sort_unstable();
    words.dedup();
    words.into_iter().map(|word| WordRow { member_id, word }).collect()
}

/// Writes the words of a new member.
pub(super) fn write_words(conn: &mut Conn, row: &MemberRow) -> Result<()> {
    let names = [Some(row.given_name.as_str()), Some(row.family_name.as_str()), row.preferred_name.as_deref()];
    let rows = word_rows(row.id, names.into_iter().flatten());
    if !rows.is_empty() {
        // Many rows in one statement can't be written through the common connection.
        per_backend!(conn, |inner| diesel::insert_into(member_words::table).values(&rows).execute(inner))?;
    }
    Ok(())
}

/// Writes the words of a member whose names may have changed.
pub(super) fn rewrite_words(conn: &mut Conn, row: &MemberRow) -> Result<()> {
    diesel::delete(member_words::table.filter(member_words::member_id.eq(row.id))).execute(conn)?;
    write_words(conn, row)
}

/// Members of one word that are counted. Of more, the search walks the members in the order of the answer instead: so
/// many fit that the first twenty come soon.
const MOST_COUNTED: usize = 20_000;

/// A stretch of words: all that begin like a typed one.
type Beginning = (String, String);

fn beginning(word: &str) -> Beginning {
    // No word holds a character as high as this one.
    (word.to_owned(), format!("{word}{}", char::MAX))
}

/// Who fits a search, by name.
///
/// Each typed word must begin a word of the member's names; or the typed words run together must.
pub fn search(conn: &mut Conn, wanted: &MemberSearch, limit: i64) -> Result<Vec<MemberRow>> {
    let Some(name) = &wanted.name else { return find(conn, wanted, &[], limit) };
    let key = name_key(name);
    let words: Vec<Beginning> = key.split(' ').map(beginning).collect();
    let mut found = find(conn, wanted, &words, limit)?;
    if words.len() > 1 {
        let joined = find(conn, wanted, &[beginning(&joined_key(name))], limit)?;
        let new: Vec<MemberRow> =
            joined.into_iter().filter(|row| found.iter().all(|known| known.id != row.id)).collect();
        found.extend(new);
        found.sort_by(|a, b| a.order().cmp(&b.order()));
        found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    }
    Ok(found)
}

/// The members who have a word of each of these beginnings, and everything else that is wanted.
fn find(conn: &mut Conn, wanted: &MemberSearch, words: &[Beginning], limit: i64) -> Result<Vec<MemberRow>> {
    let mut query = members::table.select(MemberRow::as_select()).into_boxed();
    let lead = rarest(conn, words)?;
    for (at, (from, until)) in words.iter().enumerate() {
        let stretch = member_words::table.filter(member_words::word.ge(from)).filter(member_words::word.lt(until));
        query = match lead == Some(at) {
            true => query.filter(members::id.eq_any(stretch.select(member_words::member_id))),
            false => query.filter(exists(stretch.filter(member_words::member_id.eq(members::id)))),
        };
    }
    if let Some(day) = wanted.date_of_birth {
        query = query.filter(members::date_of_birth.eq(day));
    }
    if let Some(number) = wanted.nhs_number.as_deref().and_then(|text| nhs_number::read(text).ok()) {
        query = query.filter(members::nhs_number.eq(number));
    }
    if let Some(postcode) = wanted.postcode.as_deref().and_then(postcode::read) {
        query = query.filter(members::postcode.eq(postcode));
    }
    if let Some(phone) = wanted.phone.as_deref().and_then(phone::read) {
        query = query.filter(members::phone.eq(phone));
    }
    let order = (members::family_key, members::given_key, members::id);
    Ok(query.order(order).limit(limit).load(conn)?)
}

/// The beginning that the fewest words have; `None` where all of them are frequent.
fn rarest(conn: &mut Conn, words: &[Beginning]) -> Result<Option<usize>> {
    let mut rarest: Option<(usize, usize)> = None;
    for (at, (from, until)) in words.iter().enumerate() {
        let stretch = member_words::table.filter(member_words::word.ge(from)).filter(member_words::word.lt(until));
        let most = i64::try_from(MOST_COUNTED + 1).unwrap_or(i64::MAX);
        let count = stretch.select(member_words::member_id).limit(most).load::<Id>(conn)?.len();
        if count <= MOST_COUNTED && rarest.is_none_or(|(_, fewest)| count < fewest) {
            rarest = Some((at, count));
        }
    }
    Ok(rarest.map(|(at, _)| at))
}
