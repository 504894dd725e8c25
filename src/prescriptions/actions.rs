//! Actions on a whole prescription, over HTTP.

use super::handlers::record;
use super::rules::Verb;
use super::store;
use super::types::{Ending, Prescription};
use crate::auth::policy::MemberOrAdvisor;
use crate::auth::reach::Reach;
use crate::clock::london_day;
use crate::http::prelude::*;
use crate::members::consents::store as consents;

/// Activate a draft
///
/// Only a draft can be activated. It counts in reports from now on. Its `developed_on` is today, unless the draft gives an earlier day.
#[utoipa::path(operation_id = "activate_prescription", tag = "prescriptions", params(("id" = Id, Path, description = "The prescription")),
    responses((status = 200, description = "Active", body = Prescription), Missing, Conflict, MayBeStale, Storage, Problems))]
#[post("/v1/prescriptions/{id}/activate")]
pub async fn activate_prescription(
    request: Extract<(Allowed<MemberOrAdvisor>, Path<Id>, NoQuery)>,
) -> Result<HttpResponse> {
    let Extract((who, Path(id), _)) = request;
    act(&who, id, Verb::Activate, None, &Bytes::new()).await
}

/// Complete an active prescription
///
/// Only an active prescription can be completed. It can't be changed afterwards.
#[utoipa::path(operation_id = "complete_prescription", tag = "prescriptions", params(("id" = Id, Path, description = "The prescription")),
    responses((status = 200, description = "Completed", body = Prescription), Missing, Conflict, MayBeStale, Storage, Problems))]
#[post("/v1/prescriptions/{id}/complete")]
pub async fn complete_prescription(
    request: Extract<(Allowed<MemberOrAdvisor>, Path<Id>, NoQuery)>,
) -> Result<HttpResponse> {
    let Extract((who, Path(id), _)) = request;
    act(&who, id, Verb::Complete, None, &Bytes::new()).await
}

/// Close an active prescription early
///
/// Only an active prescription can be closed. It can't be changed afterwards. The body may be left out.
#[utoipa::path(operation_id = "close_prescription", tag = "prescriptions", params(("id" = Id, Path, description = "The prescription")),
    request_body = Option<Ending>,
    responses((status = 200, description = "Closed", body = Prescription), BadInput, Missing, Conflict, MayBeStale, Storage, Problems))]
#[post("/v1/prescriptions/{id}/close")]
pub async fn close_prescription(
    request: Extract<(Allowed<MemberOrAdvisor>, Path<Id>, NoQuery, OptionalJson<Ending>)>,
) -> Result<HttpResponse> {
    let Extract((who, Path(id), _, body)) = request;
    act(&who, id, Verb::Close, body.value.reason, &body.bytes).await
}

/// Decline a prescription
///
/// Declines a draft or an active prescription. It can't be changed afterwards. The body may be left out.
#[utoipa::path(operation_id = "decline_prescription", tag = "prescriptions", params(("id" = Id, Path, description = "The prescription")),
    request_body = Option<Ending>,
    responses((status = 200, description = "Declined", body = Prescription), BadInput, Missing, Conflict, MayBeStale, Storage, Problems))]
#[post("/v1/prescriptions/{id}/decline")]
pub async fn decline_prescription(
    request: Extract<(Allowed<MemberOrAdvisor>, Path<Id>, NoQuery, OptionalJson<Ending>)>,
) -> Result<HttpResponse> {
    let Extract((who, Path(id), _, body)) = request;
    act(&who, id, Verb::Decline, body.value.reason, &body.bytes).await
}

async fn act(who: &Context, id: Id, verb: Verb, reason: Option<String>, body: &Bytes) -> Result<HttpResponse> {
    let (context, reach) = (who.clone(), Reach::to_people(who.caller()?)?);
    who.write(body, move |conn| {
        let old = store::lock(conn, reach, id)?;
        context.check_match(old.version)?;
        let status = verb.check_after(old.status)?;
        if verb == Verb::Activate {
            consents::hold_service(conn, old.member_id)?;
        }
        let row = old.moved(status, reason.clone(), london_day(context.now()), context.now());
        store::update(conn, &row)?;
        record(&context, conn, verb.name(), &row, &["status"])?;
        let (version, subject) = (row.version, row.subject());
        Ok(Reply::ok(version, &store::whole_one(conn, row)?.show(conn, reach)?)?.shows(subject))
    })
    .await
}
