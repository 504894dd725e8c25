//! Access needs in the database.

use std::collections::HashMap;

use chrono::NaiveDate;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::rules::{Brief, Sharing};
use super::types::{AccessNeed, AccessNeeds};
use crate::clock::micros;
use crate::db::schema::access_needs;
use crate::db::{AT_ONCE, Conn, Id, Json, Timestamp};
use crate::error::Result;

/// A row of `access_needs`.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable, AsChangeset, Serialize, Deserialize)]
#[diesel(table_name = access_needs, primary_key(member_id))]
pub struct AccessNeedsRow {
    member_id: Id,
    asked_on: NaiveDate,
    none: bool,
    needs: Json<Vec<AccessNeed>>,
    review_on: NaiveDate,
    pub(in crate::members) version: i32,
    #[serde(with = "micros")]
    created_at: Timestamp,
    #[serde(with = "micros")]
    updated_at: Timestamp,
}

impl AccessNeedsRow {
    /// The first version.
    pub fn new(
        member_id: Id,
        (asked_on, review_on): (NaiveDate, NaiveDate),
        none: bool,
        needs: Vec<AccessNeed>,
        now: Timestamp,
    ) -> Self {
        let needs = Json(needs);
        Self { member_id, asked_on, none, needs, review_on, version: 1, created_at: now, updated_at: now }
    }

    /// The next version after this one.
    pub fn changed_to(&self, next: Self) -> Self {
        Self { version: self.version + 1, created_at: self.created_at, ..next }
    }

    /// Whether it holds any need. Otherwise the member was asked and needs nothing.
    pub fn says_something(&self) -> bool {
        !self.needs.0.is_empty()
    }

    /// Whether both say the same, whatever their versions.
    pub fn same_content(&self, other: &Self) -> bool {
        let content = |row: &Self| (row.asked_on, row.none, row.needs.clone(), row.review_on);
        content(self) == content(other)
    }
}

impl AccessNeeds {
    /// A member's needs as they are shown. Without a row nobody has asked.
    pub fn of(member_id: Id, row: Option<AccessNeedsRow>) -> Self {
        let Some(row) = row else {
            return Self {
                member_id,
                asked_on: None,
                none: false,
                needs: Vec::new(),
                review_on: None,
                version: 0,
                created_at: None,
                updated_at: None,
            };
        };
        Self {
            member_id,
            asked_on: Some(row.asked_on),
            none: row.none,
            needs: row.needs.0,
            review_on: Some(row.review_on),
            version: row.version,
            created_at: Some(row.created_at),
            updated_at: Some(row.updated_at),
        }
    }
}

/// A member's needs; `None` if nobody has asked.
pub fn find(conn: &mut Conn, member_id: Id) -> Result<Option<AccessNeedsRow>> {
    let row = access_needs::table.find(member_id).select(AccessNeedsRow::as_select());
    Ok(row.first(conn).optional()?)
}

/// Writes a member's needs over those before, if there were any. The member must be locked.
pub fn write(conn: &mut Conn, row: &AccessNeedsRow) -> Result<()> {
    match row.version {
        1 => diesel::insert_into(access_needs::table).values(row).execute(conn)?,
        _ => diesel::update(access_needs::table.find(row.member_id)).set(row).execute(conn)?,
    };
    Ok(())
}

/// The needs of members in brief. Whoever hasn't been asked isn't among them.
pub fn in_brief(conn: &mut Conn, members: &[Id], sharing: Sharing, today: NaiveDate) -> Result<HashMap<Id, Brief>> {
    let mut found = HashMap::new();
    for chunk in members.chunks(AT_ONCE) {
        let columns = (access_needs::member_id, access_needs::needs, access_needs::review_on);
        let rows = access_needs::table.filter(access_needs::member_id.eq_any(chunk)).select(columns);
        let rows: Vec<(Id, Json<Vec<AccessNeed>>, NaiveDate)> = rows.load(conn)?;
        let brief = |(id, needs, review_on): (Id, Json<Vec<AccessNeed>>, _)| {
            (id, Brief::of(needs.0, review_on, sharing, today))
        };
        found.extend(rows.into_iter().map(brief));
    }
    Ok(found)
}
