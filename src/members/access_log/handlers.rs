//! The access log over HTTP.

use super::store;
use super::types::{AccessLogEntry, AccessLogFilter};
use crate::auth::policy::MemberOrAdvisor;
use crate::http::prelude::*;
use crate::members::handlers::list_of_member;

/// List who looked at a member's data
///
/// The newest first, a page at a time: who read or changed the member's data, when, and what for. Members read their own
/// log. An advisor reads it for a member who asks them, which is in the log too.
#[utoipa::path(operation_id = "list_access_log", tag = "members",
    params(("id" = Id, Path, description = "The member"), AccessLogFilter),
    responses((status = 200, description = "A page of the access log", body = Page<AccessLogEntry>), (status = 304, description = "Not changed"), Missing, Problems))]
#[get("/v1/members/{id}/access-log")]
pub async fn list_access_log(
    request: Extract<(Allowed<MemberOrAdvisor>, Path<Id>, Query<AccessLogFilter>)>,
) -> Result<HttpResponse> {
    let Extract((who, Path(id), Query(filter))) = request;
    if matches!((filter.from, filter.to), (Some(from), Some(to)) if to < from) {
        return Err(Error::parameter("to", "ends_first", "Must not be before from."));
    }
    let slice = Slice::<Id>::read(&who, filter.limit, filter.cursor.as_deref())?;
    let wanted = slice.clone();
    let rows = list_of_member(&who, id, "access_log", move |conn| store::list(conn, id, &filter, &wanted)).await?;
    who.show_page(Cache::Never, &slice.page(&who, rows, store::Seen::key, AccessLogEntry::from))
}
