//! Merging over HTTP.

use super::plan::{Disabled, Plan};
use super::store::{self, MergeRow};
use super::types::{Merge, MergeFilter, MergeInput, MergeOutcome};
use super::undo;
use crate::auth::logins::Why;
use crate::auth::policy::AdvisorOnly;
use crate::auth::reach::Reach;
use crate::clock::london_day;
use crate::http::prelude::*;
use crate::members::store as members;

/// Merge another record of the same person into this one
///
/// Everything of the record `from` moves to the record in the path, which fills in what is missing from it. The id of the
/// old record leads to this one from then on. All that stands in the way is told at once (409 `merge-conflict`). With
/// `dry_run` nothing is changed. A merge can be undone for 30 days.
#[utoipa::path(operation_id = "merge_members", tag = "members", params(("id" = Id, Path, description = "The member who stays")),
    request_body = MergeInput,
    responses((status = 200, description = "Merged, or what would be done", body = MergeOutcome), BadInput, Missing, Conflict, MayBeStale, Storage, Problems))]
#[post("/v1/members/{id}/merge")]
pub async fn merge_members(
    request: Extract<(Allowed<AdvisorOnly>, Path<Id>, NoQuery, JsonBody<MergeInput>)>,
) -> Result<HttpResponse> {
    let Extract((who, Path(into), _, body)) = request;
    let (context, input, account) = (who.context(), body.value, who.caller()?.id);
    who.write(&body.bytes, move |conn| {
        let plan = Plan::make(conn, &context, into, &input, london_day(context.now()))?;
        let event = |action, id, fields: &[&str]| context.event(action, Subject::of_member("member", id, id), fields);
        if input.dry_run {
            context.record(conn, &[event("read", into, &[]), event("read", input.from, &[])])?;
            return Ok(Reply::plain(200, &plan.outcome())?.about(into).about(input.from));
        }
        let (merge, disabled) = plan.carry_out(conn, &context, account)?;
        let mut events = vec![event("merge", into, &plan.filled()), event("merge", input.from, &[])];
        events.extend(disabled.into_iter().flat_map(|disabled| account_events(&context, input.from, disabled)));
        context.record(conn, &events)?;
        let (merge_id, undo_until) = (Some(merge.id), Some(merge.undo_until));
        let outcome = MergeOutcome { merge_id, undo_until, dry_run: false, ..plan.outcome() };
        Ok(Reply::plain(200, &outcome)?.about(into).about(input.from))
    })
    .await
}

/// The events of the account that was disabled, because the other record has one.
fn account_events(context: &Context, member: Id, Disabled { account, had_logins }: Disabled) -> Vec<Event> {
    let subject = Subject::of_account(account, Some(member));
    let mut events = vec![context.event("change", subject, &["disabled"])];
    events.extend(had_logins.then(|| context.event("logins_ended", subject, &[Why::Disabled.into()])));
    events
}

/// List the merges of a record
///
/// The oldest first, a page at a time: those into it, and the one of it into another.
#[utoipa::path(operation_id = "list_merges", tag = "members", params(MergeFilter),
    responses((status = 200, description = "A page of merges", body = Page<Merge>), (status = 304, description = "Not changed"), Missing, Problems))]
#[get("/v1/merges")]
pub async fn list_merges(request: Extract<(Allowed<AdvisorOnly>, Query<MergeFilter>)>) -> Result<HttpResponse> {
    let Extract((who, Query(filter))) = request;
    let slice = Slice::<Id>::read(&who, filter.limit, filter.cursor.as_deref())?;
    let (context, wanted, id) = (who.context(), slice.clone(), filter.member_id);
    let work = move |conn: &mut Conn| {
        // Also of a record that was merged: its merge is what is looked for.
        match members::check(conn, Reach::Everyone, id) {
            Err(error) if error.kind() != Kind::Merged => return Err(error),
            _ => {}
        }
        let rows = store::list(conn, id, &wanted)?;
        let events = context.reads_list(Subject::of_member("member", id, id), &["merges"], &rows);
        Ok((rows, events))
    };
    let rows = who.state().db.read_audited(work).await?;
    who.show_page(Cache::Never, &slice.page(&who, rows, MergeRow::key, Merge::from))
}

/// Undo a merge
///
/// What moved goes back, what was set aside returns, and what was filled in and not edited since is emptied. What came
/// since stays with the record that was merged into; only messages about a booking or an account go where it goes, and
/// documents of exports that were made since can't be read any more. Only the latest merge of a record can be undone, and
/// only for 30 days.
#[utoipa::path(operation_id = "undo_merge", tag = "members", params(("id" = Id, Path, description = "The merge")),
    responses((status = 200, description = "Undone", body = Merge), Missing, Conflict, Storage, Problems))]
#[post("/v1/merges/{id}/undo")]
pub async fn undo_merge(request: Extract<(Allowed<AdvisorOnly>, Path<Id>, NoQuery)>) -> Result<HttpResponse> {
    let Extract((who, Path(id), _)) = request;
    let context = who.context();
    who.write(&Bytes::new(), move |conn| {
        let found = store::get(conn, id)?;
        let (undone, enabled) = undo::undo(conn, &context, &found)?;
        let both = [undone.into_id, undone.from_id];
        let mut events = both.map(|id| context.event("undo_merge", Subject::of_member("member", id, id), &[])).to_vec();
        let of_account = |id| Subject::of_account(id, Some(undone.from_id));
        events.extend(enabled.map(|id| context.event("change", of_account(id), &["disabled"])));
        context.record(conn, &events)?;
        Ok(both.into_iter().fold(Reply::plain(200, &Merge::from(undone))?, Reply::about))
    })
    .await
}
