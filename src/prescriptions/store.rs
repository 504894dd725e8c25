//! Prescriptions in the database.

use std::collections::HashMap;

use chrono::NaiveDate;
use diesel::prelude::*;

use super::items::store::{self as items, ItemRow};
use super::types::{
    Need, NeedDomain, Prescription, PrescriptionChange, PrescriptionFilter, PrescriptionInput, PrescriptionOrigin,
    PrescriptionStatus,
};
use crate::audit::Subject;
use crate::auth::reach::Reach;
use crate::db::schema::{bookings, prescription_items, prescription_needs, prescriptions, sites};
use crate::db::{Conn, Id, Timestamp};
use crate::error::{Error, Kind, Result};
use crate::http::page::Slice;
use crate::insert_many;
use crate::members::signatures::Signatures;

/// A row of `prescriptions`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset, Identifiable)]
#[diesel(table_name = prescriptions, treat_none_as_null = true, treat_none_as_default_value = false)]
pub struct PrescriptionRow {
    pub(crate) id: Id,
    pub(crate) member_id: Id,
    origin: PrescriptionOrigin,
    pub(crate) advisor_id: Option<Id>,
    pub(crate) site_id: Option<Id>,
    what_matters: Option<String>,
    pub(crate) status: PrescriptionStatus,
    status_reason: Option<String>,
    pub(crate) developed_on: Option<NaiveDate>,
    review_on: Option<NaiveDate>,
    pub(crate) version: i32,
    created_at: Timestamp,
    updated_at: Timestamp,
}

#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = prescription_needs, treat_none_as_default_value = false)]
struct NeedRow {
    prescription_id: Id,
    domain: NeedDomain,
    position: i32,
    severity: Option<i32>,
    note: Option<String>,
}

/// A prescription with its needs and items.
#[derive(Debug, Clone)]
pub struct Whole {
    /// The prescription's own row.
    pub row: PrescriptionRow,
    /// Its needs, in their order.
    pub needs: Vec<Need>,
    /// Its items, in their order.
    pub items: Vec<ItemRow>,
}

impl PrescriptionRow {
    /// What the audit calls it.
    pub(super) fn subject(&self) -> Subject {
        Subject::of_member("prescription", self.id, self.member_id)
    }

    /// A new draft.
    pub fn new(id: Id, written: &PrescriptionInput, advisor_id: Option<Id>, now: Timestamp) -> Self {
        Self {
            id,
            member_id: written.member_id,
            origin: written.origin,
            advisor_id,
            site_id: written.site_id,
            what_matters: written.what_matters.clone(),
            status: PrescriptionStatus::Draft,
            status_reason: None,
            developed_on: written.developed_on,
            review_on: written.review_on,
            version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// This row after a change of its needs or items.
    pub fn touched(&self, now: Timestamp) -> Self {
        Self { version: self.version + 1, updated_at: now, ..self.clone() }
    }

    /// This row in another state. A prescription that becomes active was developed on `today`, unless an earlier day is
    /// given. A draft that is declined was never developed, so its day is removed.
    pub fn moved(&self, status: PrescriptionStatus, reason: Option<String>, today: NaiveDate, now: Timestamp) -> Self {
        let activated = status == PrescriptionStatus::Active;
        let never_active = self.status == PrescriptionStatus::Draft && !activated;
        let developed_on = self.developed_on.or(activated.then_some(today)).filter(|_| !never_active);
        Self { status, status_reason: reason, developed_on, ..self.touched(now) }
    }
}

impl Whole {
    /// The fields that can be changed, as they are today.
    pub fn written(&self) -> PrescriptionChange {
        let PrescriptionRow { site_id, what_matters, developed_on, review_on, .. } = self.row.clone();
        PrescriptionChange { site_id, what_matters, needs: self.needs.clone(), developed_on, review_on }
    }

    /// This prescription after a change.
    pub fn changed(&self, written: PrescriptionChange, now: Timestamp) -> Self {
        let PrescriptionChange { site_id, what_matters, needs, developed_on, review_on } = written;
        let row = PrescriptionRow { site_id, what_matters, developed_on, review_on, ..self.row.touched(now) };
        Self { row, needs, items: self.items.clone() }
    }
}

impl Whole {
    /// The prescription as a caller with this reach sees it.
    pub fn show(self, conn: &mut Conn, reach: Reach) -> Result<Prescription> {
        let signatures = Signatures::of(conn, reach, self.row.advisor_id)?;
        Ok(self.signed(&signatures))
    }

    /// The prescription as it is answered.
    pub fn signed(self, signatures: &Signatures) -> Prescription {
        let Self { row, needs, items } = self;
        Prescription {
            id: row.id,
            member_id: row.member_id,
            origin: row.origin,
            advisor_id: row.advisor_id.and_then(|account| signatures.id(account)),
            advisor_name: row.advisor_id.and_then(|account| signatures.name(account)),
            site_id: row.site_id,
            what_matters: row.what_matters,
            needs,
            items: items.into_iter().map(Into::into).collect(),
            status: row.status,
            status_reason: row.status_reason,
            developed_on: row.developed_on,
            review_on: row.review_on,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// A page of prescriptions within the caller's reach, by id.
pub fn list(
    conn: &mut Conn,
    reach: Reach,
    filter: &PrescriptionFilter,
    slice: &Slice<Id>,
) -> Result<Vec<PrescriptionRow>> {
    let mut query = prescriptions::table.select(PrescriptionRow::as_select()).into_boxed();
    query = match reach {
        Reach::Everyone => query,
        Reach::Member(own) => query.filter(prescriptions::member_id.eq(own)),
        Reach::Partner(_) => return Ok(Vec::new()),
    };
    if let Some(member_id) = filter.member_id {
        query = query.filter(prescriptions::member_id.eq(member_id));
    }
    if let Some(status) = filter.status {
        query = query.filter(prescriptions::status.eq(status));
    }
    if let Some(after) = slice.after {
        query = query.filter(prescriptions::id.gt(after));
    }
    Ok(query.order(prescriptions::id).limit(slice.fetch()).load(conn)?)
}

/// One prescription within the caller's reach.
///
/// # Errors
/// 404 if there is none, or the caller may not see it.
pub fn get(conn: &mut Conn, reach: Reach, id: Id) -> Result<PrescriptionRow> {
    let found: Option<PrescriptionRow> =
        prescriptions::table.find(id).select(PrescriptionRow::as_select()).first(conn).optional()?;
    found.filter(|row| reach.has_member(row.member_id)).ok_or_else(|| Error::not_found("prescription"))
}

/// As [`get`], and locks the prescription: nobody else changes it or its items until this transaction ends. SQLite has
/// one writer and needs no lock.
pub fn lock(conn: &mut Conn, reach: Reach, id: Id) -> Result<PrescriptionRow> {
    if let Conn::Postgres(postgres) = conn {
        let row = prescriptions::table.find(id).select(prescriptions::id).for_no_key_update();
        row.first::<Id>(postgres).optional()?;
    }
    get(conn, reach, id)
}

/// Prescriptions with their needs and items, in the same order.
pub fn whole(conn: &mut Conn, rows: Vec<PrescriptionRow>) -> Result<Vec<Whole>> {
    let ids: Vec<Id> = rows.iter().map(|row| row.id).collect();
    let mut needs: HashMap<Id, Vec<Need>> = HashMap::new();
    let of_these = prescription_needs::table.filter(prescription_needs::prescription_id.eq_any(&ids));
    for row in of_these.order(prescription_needs::position).select(NeedRow::as_select()).load(conn)? {
        let need = Need { domain: row.domain, severity: row.severity, note: row.note };
        needs.entry(row.prescription_id).or_default().push(need);
    }
    let mut items = items::of(conn, &ids)?;
    let with = |row: PrescriptionRow| Whole {
        needs: needs.remove(&row.id).unwrap_or_default(),
        items: items.remove(&row.id).unwrap_or_default(),
        row,
    };
    Ok(rows.into_iter().map(with).collect())
}

/// One prescription with its needs and items.
pub fn whole_one(conn: &mut Conn, row: PrescriptionRow) -> Result<Whole> {
    whole(conn, vec![row])?.pop().ok_or_else(|| Error::internal("a prescription got lost"))
}

/// Adds prescriptions with their needs and items.
pub fn insert(conn: &mut Conn, new: &[Whole]) -> Result<()> {
    let rows: Vec<PrescriptionRow> = new.iter().map(|whole| whole.row.clone()).collect();
    insert_many!(conn, prescriptions::table, rows)?;
    let needs: Vec<NeedRow> = new.iter().flat_map(|whole| need_rows(whole.row.id, &whole.needs)).collect();
    insert_many!(conn, prescription_needs::table, needs)?;
    let rows: Vec<ItemRow> = new.iter().flat_map(|whole| whole.items.clone()).collect();
    items::insert(conn, &rows)
}

/// Writes the next version of a locked prescription.
///
/// # Errors
/// 412 if another request has changed it in between.
pub fn update(conn: &mut Conn, row: &PrescriptionRow) -> Result<()> {
    crate::write_next!(conn, prescriptions, row)
}

/// Replaces the prescription's needs.
pub fn replace_needs(conn: &mut Conn, id: Id, needs: &[Need]) -> Result<()> {
    let old = prescription_needs::table.filter(prescription_needs::prescription_id.eq(id));
    diesel::delete(old).execute(conn)?;
    Ok(insert_many!(conn, prescription_needs::table, need_rows(id, needs))?)
}

fn need_rows(id: Id, needs: &[Need]) -> Vec<NeedRow> {
    let row = |(position, need): (i32, &Need)| NeedRow {
        prescription_id: id,
        domain: need.domain,
        position,
        severity: need.severity,
        note: need.note.clone(),
    };
    (0..).zip(needs).map(row).collect()
}

/// Removes a draft with its needs and items.
///
/// # Errors
/// 409 if a booking refers to one of its items.
pub fn delete(conn: &mut Conn, id: Id) -> Result<()> {
    let mine = prescription_items::table.filter(prescription_items::prescription_id.eq(id));
    let item_ids: Vec<Id> = mine.select(prescription_items::id).load(conn)?;
    let booked = bookings::table.filter(bookings::prescription_item_id.eq_any(&item_ids)).select(bookings::id);
    if booked.first::<Id>(conn).optional()?.is_some() {
        return Err(Error::new(Kind::InUse, "A booking refers to one of its items. Decline it instead."));
    }
    diesel::delete(prescription_items::table.filter(prescription_items::prescription_id.eq(id))).execute(conn)?;
    diesel::delete(prescription_needs::table.filter(prescription_needs::prescription_id.eq(id))).execute(conn)?;
    diesel::delete(prescriptions::table.find(id)).execute(conn)?;
    Ok(())
}

/// Whether there is such a site.
pub fn site_exists(conn: &mut Conn, id: Id) -> Result<bool> {
    Ok(sites::table.find(id).select(sites::id).first::<Id>(conn).optional()?.is_some())
}
