//! API clients over HTTP.

use super::store::{self, ClientRow};
use super::types::{ApiClient, ApiClientInput, IssuedApiClient};
use crate::auth::policy::AdminOnly;
use crate::auth::secret;
use crate::http::prelude::*;
use crate::partners::quotas::{self, Growth};
use crate::partners::store as partners;

/// List a partner's API clients
///
/// In the order in which they were created, a page at a time. Revoked clients are included.
#[utoipa::path(operation_id = "list_clients", tag = "partners",
    params(("id" = Id, Path, description = "The partner"), Paging),
    responses((status = 200, description = "A page of clients", body = Page<ApiClient>), (status = 304, description = "Not changed"), Missing, Problems))]
#[get("/v1/partners/{id}/clients")]
pub async fn list_clients(request: Extract<(Allowed<AdminOnly>, Path<Id>, Query<Paging>)>) -> Result<HttpResponse> {
    let Extract((who, Path(partner_id), Query(paging))) = request;
    let slice = Slice::<Id>::read(&who, paging.limit, paging.cursor.as_deref())?;
    let (wanted, context) = (slice.clone(), who.context());
    let rows = who.state().db.read(move |conn| {
        partners::reach(conn, context.caller()?, partner_id)?;
        store::list(conn, partner_id, &wanted)
    });
    who.show_page(Cache::Never, &slice.page(&who, rows.await?, |row| row.id, ApiClient::from))
}

/// Get an API client
///
/// The answer has no secret. The secret is shown only when the client is created or its secret rotated.
#[utoipa::path(operation_id = "get_client", tag = "partners",
    params(("id" = Id, Path, description = "The partner"), ("client_id" = Id, Path, description = "The client")),
    responses((status = 200, description = "The client", body = ApiClient), (status = 304, description = "Not changed"), Missing, Problems))]
#[get("/v1/partners/{id}/clients/{client_id}")]
pub async fn get_client(request: Extract<(Allowed<AdminOnly>, Path<(Id, Id)>, NoQuery)>) -> Result<HttpResponse> {
    let Extract((who, Path((partner_id, id)), _)) = request;
    let row = who.state().db.read_one(move |conn| store::get(conn, partner_id, id)).await?;
    who.show(Cache::Never, row.version, &ApiClient::from(row))
}

/// Create an API client
///
/// The answer holds the client's secret, which is never shown again.
#[utoipa::path(operation_id = "create_client", tag = "partners",
    params(("id" = Id, Path, description = "The partner")), request_body = ApiClientInput,
    responses((status = 201, description = "Created", body = IssuedApiClient), BadInput, Missing, Conflict, Storage, Problems))]
#[post("/v1/partners/{id}/clients")]
pub async fn create_client(
    request: Extract<(Allowed<AdminOnly>, Path<Id>, NoQuery, JsonBody<ApiClientInput>)>,
) -> Result<HttpResponse> {
    let Extract((who, Path(partner_id), _, body)) = request;
    let (context, written, secret) = (who.context(), body.value, secret::new_secret()?);
    who.write(&body.bytes, move |conn| {
        partners::reach(conn, context.caller()?, partner_id)?;
        quotas::hold(conn, Some(partner_id))?;
        Growth { clients: 1, ..Growth::default() }.check(conn, &context, Some(partner_id))?;
        let stored = secret::stored(&secret);
        let row = ClientRow::new(context.new_id(), partner_id, written.clone(), stored, context.now());
        store::insert(conn, &row)?;
        context.record(conn, &[context.event("create", Subject::other("client", row.id), &[])])?;
        let reply = issued(row.clone(), &secret)?;
        Ok(Reply { status: 201, ..reply }.at(format!("/v1/partners/{partner_id}/clients/{}", row.id)))
    })
    .await
}

/// The answer with the client and its secret. A repeated request is answered without the secret.
fn issued(row: ClientRow, secret: &str) -> Result<Reply> {
    let (version, client) = (row.version, ApiClient::from(row));
    Reply::ok(version, &IssuedApiClient::with_secret(client.clone(), secret))?
        .replayed_as(&IssuedApiClient::without_secret(client))
}

/// Revoke an API client
///
/// Its tokens end at once, and it gets no new ones. Revoking a revoked client changes nothing.
#[utoipa::path(operation_id = "revoke_client", tag = "partners",
    params(("id" = Id, Path, description = "The partner"), ("client_id" = Id, Path, description = "The client")),
    responses((status = 204, description = "Revoked"), Missing, MayBeStale, Storage, Problems))]
#[delete("/v1/partners/{id}/clients/{client_id}")]
pub async fn revoke_client(request: Extract<(Allowed<AdminOnly>, Path<(Id, Id)>, NoQuery)>) -> Result<HttpResponse> {
    let Extract((who, Path((partner_id, id)), _)) = request;
    let context = who.context();
    who.write(&Bytes::new(), move |conn| {
        let old = store::get(conn, partner_id, id)?;
        context.check_match(old.version)?;
        if old.revoked_at.is_none() {
            store::update(conn, &old.revoked(context.now()))?;
            context.record(conn, &[context.event("revoke", Subject::other("client", id), &[])])?;
        }
        Ok(Reply::empty())
    })
    .await
}

/// Rotate an API client's secret
///
/// The answer holds the new secret, which is never shown again. The old secret and every token of the client end at
/// once.
#[utoipa::path(operation_id = "rotate_client", tag = "partners",
    params(("id" = Id, Path, description = "The partner"), ("client_id" = Id, Path, description = "The client")),
    responses((status = 200, description = "Rotated", body = IssuedApiClient), Missing, Conflict, MayBeStale, Storage, Problems))]
#[post("/v1/partners/{id}/clients/{client_id}/rotate")]
pub async fn rotate_client(request: Extract<(Allowed<AdminOnly>, Path<(Id, Id)>, NoQuery)>) -> Result<HttpResponse> {
    let Extract((who, Path((partner_id, id)), _)) = request;
    let (context, secret) = (who.context(), secret::new_secret()?);
    who.write(&Bytes::new(), move |conn| {
        let old = store::get(conn, partner_id, id)?;
        context.check_match(old.version)?;
        if old.revoked_at.is_some() {
            return Err(Error::new(
                Kind::InvalidState,
                "The client is revoked and can't be rotated. Create another one.",
            ));
        }
        let row = old.rotated(secret::stored(&secret), context.now());
        store::update(conn, &row)?;
        context.record(conn, &[context.event("rotate", Subject::other("client", id), &["client_secret"])])?;
        issued(row, &secret)
    })
    .await
}
