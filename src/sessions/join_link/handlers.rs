//! Join links over HTTP.

use super::store;
use super::types::JoinLink;
use crate::auth::policy::MemberOrStaff;
use crate::auth::reach::Reach;
use crate::clock::london_day;
use crate::http::prelude::*;

/// Get a session's join link
///
/// Members who hold an online seat get the link from 60 minutes before the session starts until it ends, and so do carers
/// who may book for somebody with such a seat. Admins and advisors get it at any time. Keep the link to yourself: no other answer holds it.
#[utoipa::path(operation_id = "get_join_link", tag = "sessions", params(("id" = Id, Path, description = "The session")),
    responses((status = 200, description = "The join link", body = JoinLink), (status = 304, description = "Not changed"), Missing, Conflict, Problems),
    security(("bearer" = [])))]
#[get("/v1/sessions/{id}/join-link")]
pub async fn get_join_link(request: Extract<(Allowed<MemberOrStaff>, Path<Id>, NoQuery)>) -> Result<HttpResponse> {
    let Extract((who, Path(session_id), _)) = request;
    let (context, reach) = (who.context(), Reach::of(who.caller()?)?);
    let link = who.state().db.read_audited(move |conn| {
        let cared_for = match reach.member() {
            Some(carer) => (context.state().hooks.cared_for)(conn, carer, london_day(context.now()))?,
            None => Vec::new(),
        };
        let link = store::get(conn, session_id, reach, &cared_for)?;
        if reach.is_member() {
            link.check_open(context.now())?;
        }
        let subject = Subject { kind: "join_link", id: Some(session_id), member_id: reach.member() };
        Ok((link, vec![context.event("read", subject, &[])]))
    });
    who.show_plain(Cache::Never, &link.await?)
}
