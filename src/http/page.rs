//! Lists, one page at a time. Pages are found by key and not by offset, so that every page costs the same.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::context::Context;
use super::cursor::{Cursor, Key};
use crate::error::{Error, Result};

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T> {
    /// The items, in the list's order.
    pub items: Vec<T>,
    /// The path of the next page; null on the last.
    #[schema(example = "/v1/venues?limit=50&cursor=eyJhdCI6WyJBIl0sImZvciI6IngifQ")]
    pub next: Option<String>,
}

/// The query of a list that has no filters.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Paging {
    /// How many items a page has at most.
    #[param(minimum = 1, maximum = 100, default = 50, example = 50)]
    pub limit: Option<i64>,
    /// Where the page begins: the `cursor` in the path that `next` of the page before gives.
    #[param(max_length = 1200)]
    pub cursor: Option<String>,
}

/// The number of items on a page if the client doesn't ask for another.
pub const DEFAULT_LIMIT: i64 = 50;

/// The refusal of a whole path, which `next` gives, as a cursor.
fn is_a_path() -> Error {
    let detail = "Is a path, not a cursor. Call the path that next gives as it is, or send only the cursor in it.";
    Error::parameter("cursor", "wrong_cursor", detail)
}

/// The part of a list to read.
#[derive(Debug, Clone)]
pub struct Slice<K> {
    /// Begin after the item with these keys; `None` begins at the start.
    pub after: Option<K>,
    /// How many items the page has at most.
    pub limit: i64,
    binding: String,
}

impl<K: Key> Slice<K> {
    /// Reads `limit` and `cursor`.
    ///
    /// # Errors
    /// 400 if the cursor belongs to another path, other filters or another caller.
    pub fn read(context: &Context, limit: Option<i64>, cursor: Option<&str>) -> Result<Self> {
        let caller = context.anyone().map(|caller| caller.id.to_string()).unwrap_or_default();
        Self::bound(binding(context, &caller), limit, cursor)
    }

    /// Like [`Slice::read`], for a list that needs no token. The cursor isn't bound to the caller, so a person can log
    /// in between two pages.
    ///
    /// # Errors
    /// 400 if the cursor belongs to another path or other filters.
    pub fn read_public(context: &Context, limit: Option<i64>, cursor: Option<&str>) -> Result<Self> {
        Self::bound(binding(context, ""), limit, cursor)
    }

    /// A part of a list for work that reads all of it, one part after the other. It leads to no page.
    pub fn part(after: Option<K>, limit: i64) -> Self {
        Self { after, limit, binding: String::new() }
    }

    fn bound(binding: String, limit: Option<i64>, cursor: Option<&str>) -> Result<Self> {
        let wrong = || {
            let detail = "Is not a cursor of this list with these filters. Start again without it.";
            Error::parameter("cursor", "wrong_cursor", detail)
        };
        let after = match cursor {
            None => None,
            Some(text) if text.contains(['/', '?', '=']) => return Err(is_a_path()),
            Some(text) => {
                let cursor = Cursor::decode(text).filter(|cursor: &Cursor<K>| cursor.r#for == binding);
                Some(cursor.ok_or_else(wrong)?.at)
            }
        };
        Ok(Self { after, limit: limit.unwrap_or(DEFAULT_LIMIT), binding })
    }

    /// How many items to fetch: one more than the page holds, which shows whether there is a next page.
    pub fn fetch(&self) -> i64 {
        self.limit + 1
    }

    /// Those of the items that were [fetched](Slice::fetch) that the page shows. The one beyond it only tells that there is a
    /// next page, so reading it is nobody's business.
    pub fn shown<'a, R>(&self, rows: &'a [R]) -> &'a [R] {
        &rows[..rows.len().min(usize::try_from(self.limit).unwrap_or_default())]
    }

    /// The page made from the items that were [fetched](Slice::fetch).
    pub fn page<R, T>(
        &self,
        context: &Context,
        mut rows: Vec<R>,
        key: impl Fn(&R) -> K,
        show: impl FnMut(R) -> T,
    ) -> Page<T> {
        let limit = usize::try_from(self.limit).unwrap_or_default();
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(|last| self.next_path(context, key(last)));
        Page { items: rows.into_iter().map(show).collect(), next }
    }

    fn next_path(&self, context: &Context, at: K) -> String {
        let cursor = Cursor { at, r#for: self.binding.clone() };
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(pairs(context).into_iter().filter(|(name, _)| name != "cursor"));
        query.append_pair("cursor", &cursor.encode());
        format!("{}?{}", context.path(), query.finish())
    }
}

fn pairs(context: &Context) -> Vec<(String, String)> {
    let query = context.target().split_once('?').map(|(_, query)| query).unwrap_or_default();
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

/// A digest of everything that a cursor is bound to: the path, the filters and, if the list needs a token, the caller.
fn binding(context: &Context, caller: &str) -> String {
    let mut filters: Vec<_> =
        pairs(context).into_iter().filter(|(name, _)| name != "cursor" && name != "limit").collect();
    filters.sort();
    let text = serde_json::to_vec(&(context.path(), filters, caller)).unwrap_or_default();
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &text);
    URL_SAFE_NO_PAD.encode(&hash.as_ref()[..9])
}
