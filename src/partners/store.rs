//! Partners in the database.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::types::{Contact, Partner, PartnerInput, PartnerKind, PartnerStatus};
use crate::auth::caller::Caller;
use crate::auth::reach::Reach;
use crate::auth::viewer::Viewer;
use crate::db::schema::partners;
use crate::db::{Conn, Id, Timestamp};
use crate::error::{Error, Result};
use crate::http::conditional::Tag;
use crate::http::page::Slice;
use crate::text::phone;

/// A row of `partners`, without the counter of its rosters.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset, Identifiable)]
#[diesel(table_name = partners, treat_none_as_null = true)]
pub struct PartnerRow {
    pub(crate) id: Id,
    slug: String,
    name: String,
    kind: PartnerKind,
    charity_number: Option<String>,
    website: Option<String>,
    description: Option<String>,
    contact_name: Option<String>,
    contact_email: Option<String>,
    contact_phone: Option<String>,
    partnership_start: Option<NaiveDate>,
    partnership_end: Option<NaiveDate>,
    pub(super) status: PartnerStatus,
    pub(crate) version: i32,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl PartnerRow {
    /// A new partner.
    pub fn new(id: Id, written: PartnerInput, now: Timestamp) -> Self {
        let contact = written.contact.unwrap_or_default();
        Self {
            id,
            slug: written.slug,
            name: written.name,
            kind: written.kind,
            charity_number: written.charity_number,
            website: written.website,
            description: written.description,
            contact_name: contact.name,
            contact_email: contact.email,
            contact_phone: contact.phone.as_deref().and_then(phone::read),
            partnership_start: written.partnership_start,
            partnership_end: written.partnership_end,
            status: written.status,
            version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// This row after a change.
    pub fn changed(&self, written: PartnerInput, now: Timestamp) -> Self {
        Self { version: self.version + 1, created_at: self.created_at, ..Self::new(self.id, written, now) }
    }

    /// The partner as a request would write it today.
    pub fn written(&self) -> PartnerInput {
        Partner::from(self.clone()).written
    }

    /// This partner's place in the list.
    pub fn key(&self) -> (String, Id) {
        (self.name.clone(), self.id)
    }
}

impl From<PartnerRow> for Partner {
    fn from(row: PartnerRow) -> Self {
        let contact = Contact { name: row.contact_name, email: row.contact_email, phone: row.contact_phone };
        Self {
            id: row.id,
            written: PartnerInput {
                slug: row.slug,
                name: row.name,
                kind: row.kind,
                charity_number: row.charity_number,
                website: row.website,
                description: row.description,
                contact: Some(contact).filter(|contact| *contact != Contact::default()),
                partnership_start: row.partnership_start,
                partnership_end: row.partnership_end,
                status: row.status,
            },
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

impl PartnerRow {
    /// Whether this viewer sees the contact: staff do, and the partner itself.
    fn is_whole_to(&self, viewer: Viewer) -> bool {
        viewer == Viewer::Staff || viewer.own_partner() == Some(self.id)
    }

    /// The entity tag of the partner for this viewer. The contact is shown only to some, so the version alone isn't
    /// enough to tell two answers apart.
    pub fn tag(&self, viewer: Viewer) -> Tag {
        if self.is_whole_to(viewer) { self.version.into() } else { Tag::reduced(self.version) }
    }

    /// The partner as this viewer sees it.
    pub fn seen_by(self, viewer: Viewer) -> Partner {
        let whole = self.is_whole_to(viewer);
        let mut partner = Partner::from(self);
        if !whole {
            partner.written.contact = None;
        }
        partner
    }
}

/// Locks a partner until the transaction ends, as its rosters do. This keeps names that must be unique within the
/// partner unique.
pub fn lock(conn: &mut Conn, id: Id) -> Result<()> {
    // Diesel has no row locks on a connection that may be to either database. SQLite has one writer and needs none.
    if let Conn::Postgres(postgres) = conn {
        partners::table.find(id).select(partners::id).for_no_key_update().first::<Id>(postgres).optional()?;
    }
    Ok(())
}

/// A page of partners by name.
pub fn list(conn: &mut Conn, viewer: Viewer, slice: &Slice<(String, Id)>) -> Result<Vec<PartnerRow>> {
    let mut query = visible(viewer);
    if let Some((name, id)) = &slice.after {
        query = query.filter(partners::name.gt(name).or(partners::name.eq(name).and(partners::id.gt(id))));
    }
    Ok(query.order((partners::name, partners::id)).limit(slice.fetch()).load(conn)?)
}

/// One partner, if this viewer may see it.
///
/// # Errors
/// 404 if there is none, or the viewer may not see it.
pub fn get(conn: &mut Conn, viewer: Viewer, id: Id) -> Result<PartnerRow> {
    let row = visible(viewer).filter(partners::id.eq(id)).first(conn).optional()?;
    row.ok_or_else(|| Error::not_found("partner"))
}

type Visible<'a> = diesel::dsl::IntoBoxed<
    'a,
    diesel::dsl::Select<partners::table, diesel::dsl::AsSelect<PartnerRow, crate::db::conn::MultiBackend>>,
    crate::db::conn::MultiBackend,
>;

fn visible<'a>(viewer: Viewer) -> Visible<'a> {
    let query = partners::table.select(PartnerRow::as_select()).into_boxed();
    let active = partners::status.eq(PartnerStatus::Active);
    match (viewer, viewer.own_partner()) {
        (Viewer::Staff, _) => query,
        (_, None) => query.filter(active),
        (_, Some(own)) => query.filter(active.or(partners::id.eq(own))),
    }
}

/// Whether there is such a partner, whatever its status.
pub fn exists(conn: &mut Conn, id: Id) -> Result<bool> {
    Ok(diesel::select(diesel::dsl::exists(partners::table.find(id))).get_result(conn)?)
}

/// Checks that a caller may write what belongs to a partner. Admins may, and the partner itself.
///
/// # Errors
/// 404 if there is no such partner, or the caller is another partner.
pub fn reach(conn: &mut Conn, caller: &Caller, partner_id: Id) -> Result<()> {
    if !Reach::of(caller)?.has_partner(Some(partner_id)) || !exists(conn, partner_id)? {
        return Err(Error::not_found("partner"));
    }
    Ok(())
}

/// Adds a partner.
///
/// # Errors
/// 409 if the slug is taken.
pub fn insert(conn: &mut Conn, row: &PartnerRow) -> Result<()> {
    diesel::insert_into(partners::table).values((row, partners::roster_version.eq(0))).execute(conn)?;
    Ok(())
}

/// Writes the next version of a partner over the one before.
///
/// # Errors
/// 412 if another request has changed it in between; 409 if the slug is taken.
pub fn update(conn: &mut Conn, row: &PartnerRow) -> Result<()> {
    crate::write_next!(conn, partners, row)
}

/// Raises the partner's roster version.
pub fn bump_roster_version(conn: &mut Conn, partner_id: Id) -> Result<()> {
    let moved = partners::roster_version.eq(partners::roster_version + 1);
    diesel::update(partners::table.find(partner_id)).set(moved).execute(conn)?;
    Ok(())
}
