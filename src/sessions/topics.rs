//! The topics of what is in the public list.

use diesel::prelude::*;
use diesel::sql_types::Text;

use super::listings::word_of_topic;
use crate::db::types::DbTimestamp;
use crate::db::{Conn, Timestamp};
use crate::error::Result;
use crate::per_backend;

#[derive(QueryableByName)]
struct Word {
    #[diesel(sql_type = Text)]
    word: String,
}

/// The topics that sessions in the public list have that haven't started.
///
/// The statement goes from topic to topic by the index of words, and not through all listings that have it. Of each topic
/// it looks for one session.
pub fn in_public_list(conn: &mut Conn, now: Timestamp) -> Result<Vec<String>> {
    const SQL: &str = "WITH RECURSIVE topic (word) AS ( \
           SELECT (SELECT min(word) FROM listing_words WHERE word > $1 AND word < $2) \
           UNION ALL \
           SELECT (SELECT min(word) FROM listing_words WHERE word > topic.word AND word < $2) \
           FROM topic WHERE topic.word IS NOT NULL) \
         SELECT topic.word FROM topic WHERE topic.word IS NOT NULL AND EXISTS ( \
           SELECT 1 FROM listing_words AS listed \
           JOIN sessions ON sessions.wording_id = listed.wording_id AND sessions.slot = listed.slot \
           WHERE listed.word = topic.word AND sessions.published AND sessions.starts_at > $3)";
    let first = word_of_topic("");
    // In ASCII, the semicolon follows the colon.
    let after = first.replace("c:", "c;");
    let words: Vec<Word> = per_backend!(conn, |inner| diesel::sql_query(SQL)
        .bind::<Text, _>(&first)
        .bind::<Text, _>(&after)
        .bind::<DbTimestamp, _>(now)
        .load(inner))?;
    Ok(words.into_iter().filter_map(|row| row.word.strip_prefix(&first).map(str::to_owned)).collect())
}
