//! Cursors: the text in a link to the next page, which says where that page begins.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::NaiveDate;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::db::Id;
use crate::text::date;

/// The longest cursor that the document allows, in characters. Enough for the longest key: a name of 200 characters of
/// four bytes each, with an id.
pub const LONGEST: usize = 1200;

/// A place in a list: the sort keys of the item before it, and a digest that binds the place to its list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cursor<K> {
    /// The sort keys of the item before the place.
    pub at: K,
    /// What the place is bound to.
    pub r#for: String,
}

impl<K: Key> Cursor<K> {
    /// The cursor as text.
    pub fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    /// Reads a cursor. `None` if the text isn't one, or if its keys can't be compared with.
    pub fn decode(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let cursor: Self = serde_json::from_slice(&bytes).ok()?;
        cursor.at.is_storable().then_some(cursor)
    }
}

/// A sort key of a list, or several.
///
/// Anybody can write a cursor. So each key says which of its values the databases can compare with. This depends on the
/// type and not on the text: a place can have the name `1066-10-14`, which isn't a date there.
pub trait Key: Clone + Serialize + DeserializeOwned {
    /// Whether both databases can compare with this value.
    fn is_storable(&self) -> bool;
}

impl Key for Id {
    fn is_storable(&self) -> bool {
        true
    }
}

impl Key for String {
    fn is_storable(&self) -> bool {
        !self.contains('\0')
    }
}

impl Key for NaiveDate {
    fn is_storable(&self) -> bool {
        date::is_sane(*self)
    }
}

/// A number, or an instant in microseconds: then of the years 1900 to 2300.
impl Key for i64 {
    fn is_storable(&self) -> bool {
        (-2_208_988_800_000_000..=10_413_792_000_000_000).contains(self)
    }
}

impl<A: Key, B: Key> Key for (A, B) {
    fn is_storable(&self) -> bool {
        self.0.is_storable() && self.1.is_storable()
    }
}

impl<A: Key, B: Key, C: Key, D: Key> Key for (A, B, C, D) {
    fn is_storable(&self) -> bool {
        self.0.is_storable() && self.1.is_storable() && self.2.is_storable() && self.3.is_storable()
    }
}
