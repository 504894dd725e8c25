//! Retention reviews over HTTP, for admins. They see ids and days, and no name.

use chrono::NaiveDate;

use super::store::{self, KeptRow};
use super::types::{RetentionDecision, RetentionFilter, RetentionInput, RetentionReview, RetentionVerdict};
use crate::auth::policy::AdminOnly;
use crate::clock::london_day;
use crate::erasures::store::{self as erasures, ErasureRow};
use crate::erasures::types::ErasureOrigin;
use crate::error::Fault;
use crate::http::prelude::*;

fn subject(member_id: Id) -> Subject {
    Subject::of_member("retention_review", member_id, member_id)
}

/// List records to look through
///
/// The records that nobody has used for years, in the order of their registration. Those of members who were last active as
/// children come after their 25th birthday. Nothing is deleted by itself: decide about each.
#[utoipa::path(operation_id = "list_retention_reviews", tag = "members", params(RetentionFilter),
    responses((status = 200, description = "A page of records", body = Page<RetentionReview>), (status = 304, description = "Not changed"), Problems))]
#[get("/v1/retention-reviews")]
pub async fn list_retention_reviews(
    request: Extract<(Allowed<AdminOnly>, Query<RetentionFilter>)>,
) -> Result<HttpResponse> {
    let Extract((who, Query(filter))) = request;
    let now = who.now();
    let latest = who.state().config.retention.before(london_day(now));
    let before = filter.before.unwrap_or(latest);
    if before > latest {
        return Err(Error::parameter("before", "too_large", format!("Must not be later than {latest}.")));
    }
    let slice = Slice::<Id>::read(&who, filter.limit, filter.cursor.as_deref())?;
    let wanted = slice.clone();
    let rows = who.state().db.read_long(move |conn| store::list(conn, before, now, &wanted)).await?;
    // The read may be long, so its events are written afterwards. The row beyond the page isn't shown.
    let shown = slice.shown(&rows).iter();
    let events: Vec<Event> = shown.map(|row| who.event("list", subject(row.member_id), &[])).collect();
    if !events.is_empty() {
        let context = who.context();
        who.write_anew(move |conn| context.record(conn, &events)).await?;
    }
    who.show_page(Cache::Never, &slice.page(&who, rows, |row| row.member_id, |row| row))
}

/// Decide about a record
///
/// The record is kept for a reason, until a day on which it is listed again. Or a request to erase the member is made,
/// which then stands in the list of erasures.
#[utoipa::path(operation_id = "decide_retention_review", tag = "members",
    params(("member_id" = Id, Path, description = "The member")), request_body = RetentionInput,
    responses((status = 200, description = "Decided", body = RetentionDecision), BadInput, Missing, Conflict, Storage, Problems))]
#[post("/v1/retention-reviews/{member_id}")]
pub async fn decide_retention_review(
    request: Extract<(Allowed<AdminOnly>, Path<Id>, NoQuery, JsonBody<RetentionInput>)>,
) -> Result<HttpResponse> {
    let Extract((who, Path(id), _, body)) = request;
    let (context, written, account) = (who.context(), body.value, who.caller()?.id);
    who.write(&body.bytes, move |conn| {
        let (now, today) = (context.now(), london_day(context.now()));
        store::lock(conn, id)?;
        let kept = kept(&written, today)?;
        if !store::is_due(conn, id, context.state().config.retention.before(today), today)? {
            let detail = "This record isn't to be looked through: it was used, or somebody has decided about it.";
            return Err(Error::new(Kind::InvalidState, detail));
        }
        let (decision, member_id) = (written.decision, id);
        let decided = match kept {
            Some((until, reason)) => {
                let row = KeptRow { member_id, keep_until: until, reason, decided_by: account, created_at: now };
                store::keep(conn, &row)?;
                context.record(conn, &[context.event("keep", subject(id), &[])])?;
                RetentionDecision { member_id, decision, until: Some(until), erasure_id: None }
            }
            None => {
                let origin = (ErasureOrigin::Retention, Some(account));
                let row = ErasureRow::new(context.new_id(), id, origin, today, now);
                erasures::insert(conn, &row)?;
                context.record(conn, &[context.event("create", Subject::of_member("erasure", row.key(), id), &[])])?;
                RetentionDecision { member_id, decision, until: None, erasure_id: Some(row.key()) }
            }
        };
        Reply::plain(200, &decided)
    })
    .await
}

/// Until when a record is kept, and why; `None` if its member is to be erased.
///
/// # Errors
/// 422 if the day or the reason is missing, or isn't allowed, or if the day isn't in the future.
fn kept(written: &RetentionInput, today: NaiveDate) -> Result<Option<(NaiveDate, String)>> {
    let (until, reason) = (written.until, written.reason.clone());
    let mut faults = Vec::new();
    match written.decision {
        RetentionVerdict::Erase => {
            let given = [("/until", until.is_some()), ("/reason", reason.is_some())].into_iter().filter(|one| one.1);
            faults.extend(given.map(|(at, _)| Fault::at(at, "not_allowed", "Belongs to keep. Leave it out.")));
        }
        RetentionVerdict::Keep => {
            let wrong = |code, detail| Fault::at("/until", code, detail);
            match until {
                None => faults.push(wrong("required", "Say until when it is kept.")),
                Some(day) if day <= today => faults.push(wrong("in_the_past", "Must be in the future.")),
                Some(_) => {}
            }
            faults.extend(reason.is_none().then(|| Fault::at("/reason", "required", "Say why it is kept.")));
        }
    }
    Error::unless_none(faults)?;
    Ok(until.zip(reason))
}
