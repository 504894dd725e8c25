//! Items of prescriptions in the database.

use std::collections::HashMap;

use diesel::prelude::*;

use super::rules;
use super::types::{
    PrescriptionItem, PrescriptionItemChange, PrescriptionItemInput, PrescriptionItemKind, PrescriptionItemStatus,
};
use crate::auth::reach::Reach;
use crate::db::schema::{partners, prescription_items, programmes, session_series, sessions};
use crate::db::{Conn, Id, Timestamp};
use crate::error::{Error, Result};
use crate::partners::types::PartnerStatus;
use crate::per_backend;
use crate::prescriptions::types::NeedDomain;

/// A row of `prescription_items`. At most one of the four targets is set: the one that fits its kind.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset, Identifiable)]
#[diesel(table_name = prescription_items, treat_none_as_null = true)]
pub struct ItemRow {
    pub(crate) id: Id,
    prescription_id: Id,
    position: i32,
    pub(crate) need: Option<NeedDomain>,
    pub(crate) kind: PrescriptionItemKind,
    series_id: Option<Id>,
    session_id: Option<Id>,
    programme_id: Option<Id>,
    partner_id: Option<Id>,
    goal: Option<String>,
    note: Option<String>,
    pub(crate) status: PrescriptionItemStatus,
    reason: Option<String>,
    by_member: bool,
    pub(crate) version: i32,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl ItemRow {
    /// A new item, added by a caller with this reach. An item that a member adds is no referral.
    pub fn new(
        id: Id,
        prescription_id: Id,
        position: i32,
        written: &PrescriptionItemInput,
        reach: Reach,
        now: Timestamp,
    ) -> Self {
        let target = |kind| written.target_id.filter(|_| written.kind == kind);
        Self {
            id,
            prescription_id,
            position,
            need: written.need,
            kind: written.kind,
            series_id: target(PrescriptionItemKind::Series),
            session_id: target(PrescriptionItemKind::Session),
            programme_id: target(PrescriptionItemKind::Programme),
            partner_id: target(PrescriptionItemKind::Partner),
            goal: written.goal.clone(),
            note: written.note.clone(),
            status: rules::first(written.kind),
            reason: None,
            by_member: reach.is_member(),
            version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// The fields that can be changed, as they are today.
    pub fn written(&self) -> PrescriptionItemChange {
        let Self { status, reason, goal, note, .. } = self.clone();
        PrescriptionItemChange { status, reason, goal, note }
    }

    /// This row after a change.
    pub fn changed(&self, written: PrescriptionItemChange, now: Timestamp) -> Self {
        let PrescriptionItemChange { status, reason, goal, note } = written;
        Self { status, reason, goal, note, version: self.version + 1, updated_at: now, ..self.clone() }
    }
}

impl From<ItemRow> for PrescriptionItem {
    fn from(row: ItemRow) -> Self {
        Self {
            id: row.id,
            need: row.need,
            kind: row.kind,
            target_id: row.series_id.or(row.session_id).or(row.programme_id).or(row.partner_id),
            goal: row.goal,
            note: row.note,
            status: row.status,
            reason: row.reason,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// The items of these prescriptions, in their order.
pub fn of(conn: &mut Conn, prescription_ids: &[Id]) -> Result<HashMap<Id, Vec<ItemRow>>> {
    let of_these = prescription_items::table.filter(prescription_items::prescription_id.eq_any(prescription_ids));
    let ordered = of_these.order((prescription_items::position, prescription_items::id));
    let mut items: HashMap<Id, Vec<ItemRow>> = HashMap::new();
    for row in ordered.select(ItemRow::as_select()).load(conn)? {
        items.entry(row.prescription_id).or_default().push(row);
    }
    Ok(items)
}

/// One item of a prescription.
///
/// # Errors
/// 404 if there is none, or it belongs to another prescription.
pub fn get(conn: &mut Conn, prescription_id: Id, id: Id) -> Result<ItemRow> {
    let mine = prescription_items::table.filter(prescription_items::prescription_id.eq(prescription_id));
    let row = mine.filter(prescription_items::id.eq(id)).select(ItemRow::as_select()).first(conn).optional()?;
    row.ok_or_else(|| Error::not_found("item"))
}

/// Adds items.
pub fn insert(conn: &mut Conn, rows: &[ItemRow]) -> Result<()> {
    if !rows.is_empty() {
        // Diesel can't write many rows in one statement through a connection that may be to either database.
        per_backend!(conn, |inner| diesel::insert_into(prescription_items::table).values(rows).execute(inner))?;
    }
    Ok(())
}

/// Writes the next version of an item.
///
/// # Errors
/// 412 if another request has changed it in between.
pub fn update(conn: &mut Conn, row: &ItemRow) -> Result<()> {
    let mine = prescription_items::table.filter(prescription_items::id.eq(row.id));
    Error::unless_written(
        diesel::update(mine.filter(prescription_items::version.eq(row.version - 1))).set(row).execute(conn)?,
    )
}

/// Whether the target of an item exists. For a member, a draft, something unlisted and what is of a partner that isn't
/// active doesn't.
pub fn target_exists(conn: &mut Conn, kind: PrescriptionItemKind, id: Id, reach: Reach) -> Result<bool> {
    let status = partners::status.nullable();
    let published = |status: Option<PartnerStatus>| ("published".to_owned(), status);
    let found: Option<(String, Option<PartnerStatus>)> = match kind {
        PrescriptionItemKind::Series => {
            let series = session_series::table.left_join(partners::table).filter(session_series::id.eq(id));
            series.select((session_series::publication, status)).first(conn).optional()?
        }
        PrescriptionItemKind::Session => {
            let session = sessions::table.left_join(partners::table).filter(sessions::id.eq(id));
            session.select((sessions::publication, status)).first(conn).optional()?
        }
        PrescriptionItemKind::Programme => {
            let programme = programmes::table.inner_join(partners::table).filter(programmes::id.eq(id));
            programme.select(status).first(conn).optional()?.map(published)
        }
        PrescriptionItemKind::Partner => partners::table.find(id).select(status).first(conn).optional()?.map(published),
        PrescriptionItemKind::Advice => None,
    };
    Ok(found.is_some_and(|(publication, partner)| {
        let is_active = partner.is_none_or(|status| status == PartnerStatus::Active);
        !reach.is_member() || publication == "published" && is_active
    }))
}
