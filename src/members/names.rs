//! Finding members by the words of their names.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;
use diesel::dsl::exists;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::earlier::{self, ContactRow};
use super::fate::is_live;
use super::rules;
use super::sounding::{self, Sounds};
use super::store::MemberRow;
use super::types::MemberSearch;
use crate::db::schema::{member_words, members};
use crate::db::{Conn, Id};
use crate::error::{Error, Result};
use crate::insert_many;
use crate::per_backend;
use crate::text::fold::name_key;
use crate::text::words::{name_words, words_beginning as beginning};
use crate::text::{nhs_number, phone, postcode};

/// One word that a member is found by.
#[derive(Debug, Insertable)]
#[diesel(table_name = member_words)]
struct WordRow {
    member_id: Id,
    word: String,
    /// The keys of the family and the given name, and all words that the member is found by, each behind a space. So the
    /// index of one word tells who has the others too.
    names: String,
}

/// The most words of a former name that are run together.
const MOST_RUN_TOGETHER: usize = 3;

/// The words of a former name. It is a whole name, and nobody knows where its family name begins: so neighbouring words
/// are run together wherever they stand.
fn former_words(name: &str) -> Vec<String> {
    let key = name_key(name);
    let words: Vec<&str> = key.split(' ').collect();
    let runs = (2..=MOST_RUN_TOGETHER).flat_map(|length| words.windows(length).map(|run| run.concat()));
    runs.chain(name_words(name)).collect()
}

/// The most bytes of names that a word is stored with. Word and names are one entry of an index, and PostgreSQL allows
/// about 2,700 bytes for it.
const MOST_NAMES: usize = 1_500;

/// The words of a member's names: each word of each name, and the words of each name run together.
fn word_rows(row: &MemberRow) -> Vec<WordRow> {
    let own = [Some(row.given_name.as_str()), Some(row.family_name.as_str()), row.preferred_name.as_deref()];
    let mut words: Vec<String> = own.into_iter().flatten().flat_map(name_words).collect();
    words.extend(row.former_names.0.iter().flat_map(|name| former_words(&name.0)));
    // Those of the names of today stand first, if there is no room for all of them.
    let (family, given, _) = row.order();
    let mut names = format!(" {family} {given} {}", words.join(" "));
    names.truncate(names.floor_char_boundary(MOST_NAMES));
    words.sort_unstable();
    words.dedup();
    words.into_iter().map(|word| WordRow { member_id: row.id, word, names: names.clone() }).collect()
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

/// Writes the words of a member anew. A record that was merged into another has none.
pub(super) fn work_out_again(conn: &mut Conn, id: Id) -> Result<()> {
    let row = members::table.find(id).select(MemberRow::as_select()).first(conn)?;
    rewrite_words(conn, &row)
}

/// How many words with one beginning are counted at most, to know which beginning the fewest have.
const MOST_COUNTED: i64 = 2_000;

/// How many words are read for each member who is wanted. A member may have several words with one beginning.
const WORDS_OF_ONE: i64 = 8;

/// A range of words: all that begin with a typed word.
type Beginning = (String, String);

/// The most words of a search in which neighbours are run together.
const MOST_JOINED: usize = 5;

/// The ways to read typed words: as they are, and with neighbours run together, since one person writes `Al Hassan` and
/// another `Alhassan`.
fn readings(words: &[&str]) -> Vec<Vec<Beginning>> {
    let runs = |from: usize| (from + 1..words.len()).map(move |to| (from, to));
    let all = (0..words.len()).flat_map(runs);
    let few = all.filter(|(from, to)| words.len() <= MOST_JOINED || to - from + 1 == words.len());
    let read = |(from, to): (usize, usize)| {
        let joined = words[from..=to].concat();
        let others = words[..from].iter().chain(&words[to + 1..]).map(|word| beginning(word));
        others.chain([beginning(&joined)]).collect()
    };
    std::iter::once(words.iter().map(|word| beginning(word)).collect()).chain(few.map(read)).collect()
}

/// The most words of a search. Each is looked up, and so is each run of neighbours.
const MOST_TYPED: usize = 10;

/// A way to reach somebody that a search names, and the records of those who could be reached by it before two records of
/// theirs were merged.
type Way = (String, Vec<Id>);

/// What a search names beside a name, as it is compared.
struct Conditions {
    date_of_birth: Option<NaiveDate>,
    nhs_number: Option<String>,
    postcode: Option<Way>,
    phone: Option<Way>,
    email_key: Option<Way>,
}

impl Conditions {
    fn are_none(&self) -> bool {
        let ways = [&self.postcode, &self.phone, &self.email_key];
        self.date_of_birth.is_none() && self.nhs_number.is_none() && ways.into_iter().all(Option::is_none)
    }

    fn read(conn: &mut Conn, wanted: &MemberSearch) -> Result<Self> {
        let mut way = |text: Option<String>, look: fn(&mut Conn, &str) -> Result<Vec<(Id, ContactRow)>>| {
            let known = |text: String| {
                let ids = look(conn, &text)?.into_iter().map(|(id, _)| id).collect();
                Ok::<Way, Error>((text, ids))
            };
            text.map(known).transpose()
        };
        Ok(Self {
            date_of_birth: wanted.date_of_birth,
            nhs_number: wanted.nhs_number.as_deref().and_then(|text| nhs_number::read(text).ok()),
            postcode: way(wanted.postcode.as_deref().and_then(postcode::read), earlier::by_postcode)?,
            phone: way(wanted.phone.as_deref().and_then(phone::read), earlier::by_phone)?,
            email_key: way(wanted.email.as_deref().map(rules::email_key), earlier::by_email_key)?,
        })
    }
}

/// The query of the live members who meet these conditions. A macro, because a boxed query's type can't be named here.
macro_rules! meeting {
    ($conditions:expr) => {{
        let mut query = members::table.filter(is_live()).select(MemberRow::as_select()).into_boxed();
        if let Some(day) = $conditions.date_of_birth {
            query = query.filter(members::date_of_birth.eq(day));
        }
        if let Some(number) = &$conditions.nhs_number {
            query = query.filter(members::nhs_number.eq(number));
        }
        meeting!(@way query, $conditions.postcode, postcode);
        meeting!(@way query, $conditions.phone, phone);
        meeting!(@way query, $conditions.email_key, email_key);
        query
    }};
    // Nearly always nobody could be reached by it earlier, and then the index alone answers.
    (@way $query:ident, $way:expr, $column:ident) => {
        if let Some((text, earlier)) = &$way {
            $query = match earlier.is_empty() {
                true => $query.filter(members::$column.eq(text)),
                false => $query.filter(members::$column.eq(text).or(members::id.eq_any(earlier).nullable())),
            };
        }
    };
}

/// The members who match a search, by name. If there are few, those follow whose names sound like the typed ones.
///
/// Each typed word, or neighbouring words run together, must be the beginning of a word of the member's names. If more match
/// than are wanted, those are left whose matching word comes first in the alphabet.
///
/// # Errors
/// 422 if too many words were typed.
pub fn search(conn: &mut Conn, wanted: &MemberSearch, limit: i64) -> Result<Vec<MemberRow>> {
    let conditions = Conditions::read(conn, wanted)?;
    let Some(name) = &wanted.name else { return find(conn, &conditions, &[], Lead::default(), limit) };
    let key = name_key(name);
    let typed: Vec<&str> = key.split(' ').collect();
    if typed.len() > MOST_TYPED {
        return Err(Error::rule("/name", "too_many", format!("Must have at most {MOST_TYPED} words.")));
    }
    let mut counted = HashMap::new();
    let mut found: Vec<MemberRow> = Vec::new();
    for words in readings(&typed) {
        let lead = rarest(conn, &words, &mut counted)?;
        found.extend(match conditions.are_none() {
            true => find_by_words(conn, &words, lead, limit)?,
            false => find(conn, &conditions, &words, lead, limit)?,
        });
    }
    found.sort_by(|a, b| a.order().cmp(&b.order()));
    found.dedup_by_key(|row| row.id);
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    if found.len() < most {
        let mut known: HashSet<Id> = found.iter().map(|row| row.id).collect();
        let alike = sounding::ranked(&typed, find_by_sound(conn, &conditions, &typed)?);
        found.extend(alike.into_iter().filter(|row| known.insert(row.id)));
    }
    found.truncate(most);
    Ok(found)
}

/// The members whose names sound like the typed ones, in no order, and who meet every other condition.
fn find_by_sound(conn: &mut Conn, conditions: &Conditions, typed: &[&str]) -> Result<Vec<MemberRow>> {
    let Sounds { whole, families } = Sounds::of(typed);
    let most = sounding::MOST_COMPARED;
    let mut found: Vec<MemberRow> = match whole.is_empty() {
        true => Vec::new(),
        false => meeting!(conditions).filter(members::sound_key.eq_any(whole)).limit(most).load(conn)?,
    };
    for (from, until) in families {
        let of_family = members::sound_key.ge(from).and(members::sound_key.lt(until));
        found.extend(meeting!(conditions).filter(of_family).limit(most).load::<MemberRow>(conn)?);
    }
    Ok(found)
}

/// The members who have a word with each of these beginnings and meet every other condition. The search goes through the
/// words of the rarest beginning, or if all are frequent, through those who meet the conditions.
fn find(
    conn: &mut Conn,
    conditions: &Conditions,
    words: &[Beginning],
    lead: Lead,
    limit: i64,
) -> Result<Vec<MemberRow>> {
    let mut query = meeting!(conditions);
    for (at, (from, until)) in words.iter().enumerate() {
        let stretch = member_words::table.filter(member_words::word.ge(from)).filter(member_words::word.lt(until));
        query = match lead.at == at && lead.count <= MOST_COUNTED {
            true => query.filter(members::id.eq_any(stretch.select(member_words::member_id))),
            false => query.filter(exists(stretch.filter(member_words::member_id.eq(members::id)))),
        };
    }
    let order = (members::family_key, members::given_key, members::id);
    Ok(query.order(order).limit(limit).load(conn)?)
}

/// The members who have a word with each of these beginnings. Reads the words with one of the beginnings, in the order of
/// their index, until so many members have the others too.
fn find_by_words(conn: &mut Conn, words: &[Beginning], lead: Lead, limit: i64) -> Result<Vec<MemberRow>> {
    let Some((from, until)) = words.get(lead.at) else { return Ok(Vec::new()) };
    let own = member_words::table.filter(member_words::word.ge(from)).filter(member_words::word.lt(until));
    let mut query = own.select(member_words::member_id).into_boxed();
    // A word has letters, marks and digits only: nothing that `LIKE` reads as anything else.
    for (_, (word, _)) in words.iter().enumerate().filter(|(at, _)| *at != lead.at) {
        query = query.filter(member_words::names.like(format!("% {word}%")));
    }
    let order = (member_words::word, member_words::names, member_words::member_id);
    let ids: Vec<Id> = query.order(order).limit(limit * WORDS_OF_ONE).load(conn)?;
    let mut seen = HashSet::new();
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let ids: Vec<Id> = ids.into_iter().filter(|id| seen.insert(*id)).take(most).collect();
    let live = members::table.filter(is_live()).filter(members::id.eq_any(ids));
    Ok(live.select(MemberRow::as_select()).load(conn)?)
}

/// The beginning by which a search finds the words it reads.
#[derive(Debug, Clone, Copy, Default)]
struct Lead {
    /// Where it stands among those of the search.
    at: usize,
    /// How many words have it, counted up to the limit.
    count: i64,
}

/// The beginning that the fewest words have. Of those that are frequent, the longest.
fn rarest(conn: &mut Conn, words: &[Beginning], counted: &mut HashMap<Beginning, i64>) -> Result<Lead> {
    let mut ranked = Vec::with_capacity(words.len());
    for (at, word) in words.iter().enumerate() {
        let count = match counted.get(word) {
            Some(count) => *count,
            None => count_of(conn, word)?,
        };
        counted.insert(word.clone(), count);
        ranked.push((Lead { at, count }, Reverse(word.0.len())));
    }
    let first = ranked.into_iter().min_by_key(|(lead, length)| (lead.count, *length));
    Ok(first.map(|(lead, _)| lead).unwrap_or_default())
}

/// How many rows have a word with this beginning, counted in the database and no further than the limit.
fn count_of(conn: &mut Conn, (from, until): &Beginning) -> Result<i64> {
    #[derive(QueryableByName)]
    struct Counted {
        #[diesel(sql_type = BigInt)]
        count: i64,
    }
    // Diesel has no count of a limited query. SQLite numbers its parameters in the order in which they come.
    let some = "SELECT 1 FROM member_words WHERE word >= $1 AND word < $2";
    let sql = format!("SELECT count(*) AS count FROM ({some} LIMIT {}) AS limited", MOST_COUNTED + 1);
    let counted: Counted = per_backend!(conn, |inner| diesel::sql_query(&sql)
        .bind::<Text, _>(from)
        .bind::<Text, _>(until)
        .get_result(inner))?;
    Ok(counted.count)
}
