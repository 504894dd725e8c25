//! Finding members by the words of their names.

use diesel::dsl::exists;
use diesel::prelude::*;

use super::store::MemberRow;
use super::types::MemberSearch;
use crate::db::schema::{member_words, members};
use crate::db::{Conn, Id};
use crate::error::Result;
use crate::insert_many;
use crate::text::fold::{joined_key, name_key};
use crate::text::words::name_words;
use crate::text::{nhs_number, phone, postcode};

/// One word that a member is found by.
#[derive(Debug, Insertable)]
#[diesel(table_name = member_words)]
struct WordRow {
    member_id: Id,
    word: String,
}

/// The words of a member's names: each word of each name, and the words of each name run together.
fn word_rows(row: &MemberRow) -> Vec<WordRow> {
    let names = [Some(row.given_name.as_str()), Some(row.family_name.as_str()), row.preferred_name.as_deref()];
    let mut words: Vec<String> = names.into_iter().flatten().flat_map(name_words).collect();
    words.sort_unstable();
    words.dedup();
    words.into_iter().map(|word| WordRow { member_id: row.id, word }).collect()
}

/// Writes the words of new members.
pub(super) fn write_words(conn: &mut Conn, rows: &[MemberRow]) -> Result<()> {
    let words: Vec<WordRow> = rows.iter().flat_map(word_rows).collect();
    Ok(insert_many!(conn, member_words::table, words)?)
}

/// Writes the words of a member anew, since their names may have changed.
pub(super) fn rewrite_words(conn: &mut Conn, row: &MemberRow) -> Result<()> {
    diesel::delete(member_words::table.filter(member_words::member_id.eq(row.id))).execute(conn)?;
    write_words(conn, std::slice::from_ref(row))
}

/// How many members with one word are counted at most. A word that more members have is frequent: then the search walks
/// the members in the order of the answer instead, and the first twenty matches come soon.
const MOST_COUNTED: usize = 20_000;

/// A range of words: all that begin with a typed word.
type Beginning = (String, String);

fn beginning(word: &str) -> Beginning {
    // No word contains the highest character there is.
    (word.to_owned(), format!("{word}{}", char::MAX))
}

/// The members who match a search, by name.
///
/// Each typed word must be the beginning of a word of the member's names. Or the typed words run together must be.
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

/// The members who have a word with each of these beginnings and meet every other condition.
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

/// The beginning that the fewest words have. `None` if all beginnings are frequent.
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
