//! Jobs over HTTP.

use actix_web::http::header::{HeaderValue, RETRY_AFTER};

use super::store;
use super::types::Job;
use crate::auth::policy::RosterUser;
use crate::auth::reach::Reach;
use crate::http::prelude::*;
use crate::http::sending;

/// Get a job
///
/// A job is long work that goes on after its request was answered. The answer says how far the job has come, what it
/// did, or why it failed. While the job runs, `Retry-After` says when to look again. A job can be read for thirty days
/// after it has ended.
#[utoipa::path(operation_id = "get_job", tag = "jobs", params(("id" = Id, Path, description = "The job")),
    responses((status = 200, description = "The job", body = Job), (status = 304, description = "Not changed"), Missing, Problems),
    security(("bearer" = []), ("client" = ["rosters:read"]), ("client" = ["rosters:write"])))]
#[get("/v1/jobs/{id}")]
pub async fn get_job(request: Extract<(Allowed<RosterUser>, Path<Id>, NoQuery)>) -> Result<HttpResponse> {
    let Extract((who, Path(id), _)) = request;
    let reach = Reach::of(who.caller()?)?;
    let turn = who.state().long_answers.for_request(who.owner()).await?;
    let job = who.state().db.read_long(move |conn| store::get(conn, reach, id)).await?;
    let mut response = sending::with_turn(turn, who.show(Cache::Never, job.version, &job)?);
    if !job.status.has_ended() {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    Ok(response)
}
