//! The access log over HTTP.

use std::collections::BTreeSet;

use super::store::{self, Part, Seen};
use super::types::{AccessLogEntry, AccessLogFilter};
use crate::auth::policy::MemberOrAdvisor;
use crate::auth::reach::Reach;
use crate::clock::london_day;
use crate::http::prelude::*;
use crate::members::store as members;

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
    let (context, wanted, reach) = (who.context(), slice.clone(), Reach::to_people(who.caller()?)?);
    let work = move |conn: &mut Conn| {
        members::get(conn, reach, id)?;
        let rows = store::list(conn, (id, Part::Log), &filter, &wanted, london_day(context.now()))?;
        let mut events = context.reads_list(Subject::record_of(id), &["access_log"], &rows);
        // The row beyond the page only shows that there is a next page.
        let shown = wanted.shown(&rows).iter();
        let others: BTreeSet<Id> = shown.filter_map(Seen::other).collect();
        events.extend(others.into_iter().flat_map(|other| context.reads(Subject::record_of(other), &["display_name"])));
        Ok((rows, events))
    };
    let rows = who.state().db.read_audited(work).await?;
    who.show_page(Cache::Never, &slice.page(&who, rows, Seen::key, AccessLogEntry::from))
}
