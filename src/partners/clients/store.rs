//! API clients in the database.

use diesel::prelude::*;

use super::types::{ApiClient, ApiClientInput};
use crate::auth::caller::Scope;
use crate::db::schema::api_clients;
use crate::db::{self, Conn, Id, Json, Timestamp};
use crate::error::{Error, Result};
use crate::http::page::Slice;

/// A row of `api_clients`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset, Identifiable)]
#[diesel(table_name = api_clients, treat_none_as_null = true)]
pub struct ClientRow {
    pub(crate) id: Id,
    partner_id: Id,
    client_id: String,
    name: String,
    secret_hash: String,
    scopes: Json<Vec<Scope>>,
    generation: i32,
    pub(crate) revoked_at: Option<Timestamp>,
    pub(crate) version: i32,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl ClientRow {
    /// A new client of a partner, with the digest of its secret.
    pub fn new(id: Id, partner_id: Id, written: ApiClientInput, secret_hash: String, now: Timestamp) -> Self {
        Self {
            id,
            partner_id,
            client_id: id.to_string(),
            name: written.name,
            secret_hash,
            scopes: Json(written.scopes),
            generation: 1,
            revoked_at: None,
            version: 1,
            created_at: now,
            updated_at: now,
        }
    }

    /// This client with a new secret. Its tokens end.
    pub fn rotated(&self, secret_hash: String, now: Timestamp) -> Self {
        Self { secret_hash, ..self.next(now) }
    }

    /// This client, revoked for good. Its tokens end.
    pub fn revoked(&self, now: Timestamp) -> Self {
        Self { revoked_at: Some(now), ..self.next(now) }
    }

    fn next(&self, now: Timestamp) -> Self {
        Self { generation: self.generation + 1, version: self.version + 1, updated_at: now, ..self.clone() }
    }

    /// This client's place in the list.
    pub fn key(&self) -> Id {
        self.id
    }
}

impl From<ClientRow> for ApiClient {
    fn from(row: ClientRow) -> Self {
        Self {
            id: row.id,
            partner_id: row.partner_id,
            client_id: row.client_id,
            name: row.name,
            scopes: row.scopes.0,
            revoked_at: row.revoked_at,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// A page of a partner's clients, in the order in which they were made.
pub fn list(conn: &mut Conn, partner_id: Id, slice: &Slice<Id>) -> Result<Vec<ClientRow>> {
    let own = api_clients::table.filter(api_clients::partner_id.eq(partner_id));
    let mut query = own.select(ClientRow::as_select()).into_boxed();
    if let Some(id) = slice.after {
        query = query.filter(api_clients::id.gt(id));
    }
    Ok(query.order(api_clients::id).limit(slice.fetch()).load(conn)?)
}

/// One client of a partner.
///
/// # Errors
/// 404 if the partner has no such client.
pub fn get(conn: &mut Conn, partner_id: Id, id: Id) -> Result<ClientRow> {
    let own = api_clients::table.find(id).filter(api_clients::partner_id.eq(partner_id));
    let row = own.select(ClientRow::as_select()).first(conn).optional()?;
    row.ok_or_else(|| Error::not_found("client"))
}

/// Adds a client.
pub fn insert(conn: &mut Conn, row: &ClientRow) -> Result<()> {
    diesel::insert_into(api_clients::table).values(row).execute(conn)?;
    Ok(())
}

/// Writes the next version of a client over the one before.
///
/// # Errors
/// 412 if another request has changed it in between.
pub fn update(conn: &mut Conn, row: &ClientRow) -> Result<()> {
    let unchanged =
        api_clients::table.filter(api_clients::id.eq(row.id)).filter(api_clients::version.eq(row.version - 1));
    db::one_row(diesel::update(unchanged).set(row).execute(conn)?)
}
