//! What sessions say, apart from when, where and how they take place.
//!
//! Each wording is stored once, and sessions point at it. Its id is a digest of it: sessions that say the same have the
//! same `wording_id`, and whoever compares two sessions needs no text. Writers [keep](super::listings::ensure_stored) a wording
//! before they write a session that has it.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use diesel::prelude::*;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::activity::Activity;
use super::particulars::Particulars;
use super::series::store::SeriesRow;
use super::store::SessionRow;
use super::types::{Pillar, SessionInput};
use crate::db::schema::wordings;
use crate::db::types::TextEnum;
use crate::db::{Conn, Id, Json};
use crate::error::{Error, Result};
use crate::load_by_ids;

/// What a session says.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = wordings, treat_none_as_default_value = false)]
pub struct Wording {
    pub(crate) title: String,
    pub(crate) description: Option<String>,
    pub(crate) topics: Json<Vec<String>>,
    pub(crate) facilitator: Option<String>,
    pub(crate) accessibility: Json<Vec<String>>,
    pub(crate) pillar: Pillar,
    pub(crate) programme_id: Option<Id>,
    pub(crate) particulars: Json<Particulars>,
}

impl Wording {
    /// The id under which it is stored, marked as a UUID of version 8 (RFC 9562). Two wordings have one id with a
    /// probability of 2⁻¹²².
    pub fn id(&self) -> Id {
        let programme = self.programme_id.map(|id| id.to_string()).unwrap_or_default();
        let (topics, features) = (self.topics.0.join("\n"), self.accessibility.0.join("\n"));
        let particulars = self.particulars.0.as_text();
        let said = [
            &self.title,
            self.description.as_deref().unwrap_or_default(),
            self.facilitator.as_deref().unwrap_or_default(),
            &topics,
            &features,
            self.pillar.name(),
            &programme,
        ];
        // A wording without particulars has the id that it had before there were any.
        let mut bytes = digest(said.into_iter().chain(particulars.as_deref()));
        bytes[6] = bytes[6] & 0x0f | 0x80;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        Id(uuid::Uuid::from_bytes(bytes))
    }

    /// How many bytes its texts have. The database computes the same of a series' own texts (`text_bytes`).
    pub fn bytes(&self) -> i32 {
        let texts = [Some(&self.title), self.description.as_ref(), self.facilitator.as_ref()];
        let texts: usize = texts.into_iter().flatten().map(String::len).sum();
        // As compact JSON: two quotes and a comma for each, and the brackets.
        let list = |names: &[String]| names.iter().map(|name| name.len() + 3).sum::<usize>().max(1) + 1;
        let lists = list(&self.topics.0) + list(&self.accessibility.0);
        i32::try_from(texts + lists + self.particulars.0.bytes()).unwrap_or(i32::MAX)
    }

    /// What a session of this pillar says.
    pub fn new(activity: &Activity, particulars: &Particulars, pillar: Pillar) -> Self {
        Self {
            title: activity.title.clone(),
            description: activity.description.clone(),
            topics: activity.topics.clone(),
            facilitator: activity.facilitator.clone(),
            accessibility: activity.accessibility.clone(),
            pillar,
            programme_id: activity.programme_id,
            particulars: Json(particulars.clone()),
        }
    }
}

impl From<&SessionInput> for Wording {
    fn from(written: &SessionInput) -> Self {
        Self::new(&written.activity, &written.particulars, written.pillar)
    }
}

impl From<&SeriesRow> for Wording {
    fn from(series: &SeriesRow) -> Self {
        Self::new(&series.activity, &series.particulars.0, series.pillar)
    }
}

/// The most bytes of wordings that are kept in memory.
const MOST_KEPT: u64 = 8 * 1024 * 1024;
/// How many wordings that is, about.
const KEPT: usize = 8_192;

/// The wordings that were read lately, of any database. A wording never changes under its id, so none is out of date.
static KEPT_WORDINGS: LazyLock<Cache<Id, Arc<Wording>, Size>> =
    LazyLock::new(|| Cache::with_weighter(KEPT, MOST_KEPT, Size));

/// How many bytes a wording takes in memory, about.
#[derive(Debug, Clone)]
struct Size;

impl Weighter<Id, Arc<Wording>> for Size {
    fn weight(&self, _: &Id, wording: &Arc<Wording>) -> u64 {
        let texts = [Some(&wording.title), wording.description.as_ref(), wording.facilitator.as_ref()];
        let lists = wording.topics.0.iter().chain(&wording.accessibility.0);
        let text = |text: &String| size_of::<String>() + text.len();
        let particulars = wording.particulars.0.bytes();
        (size_of::<Wording>() + particulars + texts.into_iter().flatten().chain(lists).map(text).sum::<usize>()) as u64
    }
}

impl Wording {
    /// The wordings with these ids.
    pub fn by_id(conn: &mut Conn, ids: impl IntoIterator<Item = Id>) -> Result<HashMap<Id, Arc<Self>>> {
        let mut found: HashMap<Id, Option<Arc<Self>>> = HashMap::new();
        for id in ids {
            found.entry(id).or_insert_with(|| KEPT_WORDINGS.get(&id));
        }
        let missing: Vec<Id> = found.iter().filter(|(_, kept)| kept.is_none()).map(|(id, _)| *id).collect();
        let columns = (wordings::id, Self::as_select());
        let read: Vec<(Id, Self)> = load_by_ids!(conn, wordings, columns, missing.as_slice())?;
        for (id, wording) in read {
            let wording = Arc::new(wording);
            KEPT_WORDINGS.insert(id, wording.clone());
            found.insert(id, Some(wording));
        }
        Ok(found.into_iter().filter_map(|(id, wording)| Some((id, wording?))).collect())
    }

    /// What a session says.
    pub fn of(conn: &mut Conn, session: &SessionRow) -> Result<Arc<Self>> {
        Self::get(conn, session.wording_id)
    }

    /// The wording with an id.
    ///
    /// # Errors
    /// 404 if there is none. A session's is always there.
    pub fn get(conn: &mut Conn, id: Id) -> Result<Arc<Self>> {
        Self::by_id(conn, [id])?.remove(&id).ok_or_else(|| Error::not_found("wording"))
    }
}

/// A digest of texts in their order. The length of each goes in too, so that no two lists run together to the same.
pub(super) fn digest<'a>(texts: impl IntoIterator<Item = &'a str>) -> [u8; 16] {
    let mut digest = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    for text in texts {
        digest.update(&(text.len() as u64).to_le_bytes());
        digest.update(text.as_bytes());
    }
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest.finish().as_ref()[..16]);
    bytes
}
