//! Searching members. The search is a POST, so that nobody's details appear in a URL or a log.

use super::names;
use super::types::{MemberSearch, MemberSearchResult, MemberSummary, SUMMARY_FIELDS};
use crate::auth::policy::AdvisorOnly;
use crate::http::prelude::*;

/// How many members one search shows at most.
const MOST: i64 = 20;

/// Search members
///
/// Everything that is given must match; a name can have up to ten words. Those whose names are spelt so come first, by name.
/// If they are few, those follow whose names sound alike, the most similar first. Somebody whose record another one was merged
/// into is found by what that one said too. The answer has no further pages: if `more` is true, give more of what you know about
/// the person. The search changes nothing. It is recorded as a read of each
/// person's data that it shows.
#[utoipa::path(operation_id = "search_members", tag = "members", request_body = MemberSearch,
    responses((status = 200, description = "The members who match", body = MemberSearchResult), BadInput, Storage, Problems))]
#[post("/v1/members/search")]
pub async fn search_members(
    request: Extract<(Allowed<AdvisorOnly>, NoQuery, JsonBody<MemberSearch>)>,
) -> Result<HttpResponse> {
    let Extract((who, _, body)) = request;
    let (context, wanted) = (who.context(), body.value);
    if !wanted.names_something() {
        let detail = "Name at least one of name, date_of_birth, nhs_number, postcode, phone and email.";
        return Err(Error::rule("", "required", detail));
    }
    let work = move |conn: &mut crate::db::Conn| {
        let limit = wanted.limit.unwrap_or(MOST);
        // One more than is shown says whether there are more.
        let mut rows = names::search(conn, &wanted, limit + 1)?;
        let shown = usize::try_from(limit).unwrap_or_default();
        let more = rows.len() > shown;
        rows.truncate(shown);
        let subjects = rows.iter().map(|row| Subject::of_member("member", row.id, row.id));
        let events: Vec<Event> = subjects.map(|subject| context.event("search", subject, &SUMMARY_FIELDS)).collect();
        Ok((MemberSearchResult { items: rows.into_iter().map(MemberSummary::from).collect(), more }, events))
    };
    let found = who.state().db.read_audited(work).await?;
    Ok(Reply::plain(200, &found)?.into_response())
}
