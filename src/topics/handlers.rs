//! Topics over HTTP.

use super::store;
use super::types::{Topic, TopicInput};
use crate::auth::policy::{AdminOnly, Public};
use crate::error::Fault;
use crate::http::formats;
use crate::http::patch::unless_same;
use crate::http::prelude::*;

/// How many characters a code has at most.
const LONGEST: usize = 40;

/// List topics
///
/// What the short names in `topics` of sessions mean, by code, a page at a time. A topic that sessions in the public list
/// have comes into the list by itself within five minutes. Its label is then made of its code, until an admin describes it.
#[utoipa::path(operation_id = "list_topics", tag = "sessions", params(Paging),
    responses((status = 200, description = "A page of topics", body = Page<Topic>), (status = 304, description = "Not changed"), Problems),
    security((), ("bearer" = []), ("client" = [])))]
#[get("/v1/topics")]
pub async fn list_topics(request: Extract<(Allowed<Public>, Query<Paging>)>) -> Result<HttpResponse> {
    let Extract((who, Query(paging))) = request;
    let slice = Slice::<String>::read_public(&who, paging.limit, paging.cursor.as_deref())?;
    let wanted = slice.clone();
    let rows = who.state().db.read_one(move |conn| store::list(conn, &wanted)).await?;
    who.show_page(Cache::Minute, &slice.page(&who, rows, Topic::key, |topic| topic))
}

/// Get a topic
///
/// By its code.
#[utoipa::path(operation_id = "get_topic", tag = "sessions",
    params(("code" = String, Path, description = "The topic's code", max_length = 40, example = "tai_chi")),
    responses((status = 200, description = "The topic", body = Topic), (status = 304, description = "Not changed"), Missing, Problems),
    security((), ("bearer" = []), ("client" = [])))]
#[get("/v1/topics/{code}")]
pub async fn get_topic(request: Extract<(Allowed<Public>, Path<String>, NoQuery)>) -> Result<HttpResponse> {
    let Extract((who, Path(code), _)) = request;
    let row = who.state().db.read_one(move |conn| store::find(conn, &code)).await?;
    let row = row.ok_or_else(|| Error::not_found("topic"))?;
    who.show(Cache::Minute, row.version, &row)
}

/// Describe a topic
///
/// Send the whole topic. To add one, send `If-None-Match: *`. Sending what the topic already says changes nothing.
#[utoipa::path(operation_id = "put_topic", tag = "sessions",
    params(("code" = String, Path, description = "The topic's code: small letters a to z, digits and underscores", max_length = 40, example = "tai_chi")),
    request_body = TopicInput,
    responses((status = 200, description = "As it stands now", body = Topic), (status = 201, description = "Added", body = Topic), BadInput, Missing, Conflict, Stale, Storage, Problems))]
#[put("/v1/topics/{code}")]
pub async fn put_topic(
    request: Extract<(Allowed<AdminOnly>, Path<String>, NoQuery, JsonBody<TopicInput>)>,
) -> Result<HttpResponse> {
    let Extract((who, Path(code), _, body)) = request;
    check_code(&code)?;
    let (context, written) = (who.context(), checked(body.value)?);
    who.write(&Bytes::new(), move |conn| {
        let event = |action, id| context.event(action, Subject::other("topic", id), &[]);
        let Some(old) = store::find(conn, &code)? else {
            context.require_absence()?;
            let row = Topic::new(context.new_id(), code.clone(), written.clone(), context.now());
            store::insert(conn, &row)?;
            context.record(conn, &[event("create", row.id)])?;
            return Reply::created(format!("/v1/topics/{code}"), row.version, &row);
        };
        context.require_match(old.version)?;
        // A label that the service made, and somebody sends, is described from then on.
        let seen = |topic: &Topic| (topic.written(), topic.made);
        let Some(row) = unless_same(&old, old.changed(written.clone(), context.now()), seen)? else {
            return Reply::ok(old.version, &old);
        };
        store::update(conn, &row)?;
        context.record(conn, &[event("change", row.id)])?;
        Reply::ok(row.version, &row)
    })
    .await
}

fn check_code(code: &str) -> Result<()> {
    if code.len() > LONGEST {
        return Err(Error::parameter("code", "too_long", format!("Must have at most {LONGEST} characters.")));
    }
    formats::fault("short-name", code).map_or(Ok(()), |detail| Err(Error::parameter("code", "wrong_format", detail)))
}

/// The topic, if it names each need once.
///
/// # Errors
/// 422 with every fault.
fn checked(written: TopicInput) -> Result<TopicInput> {
    let repeated = |(index, need): (usize, _)| {
        let again = written.needs[..index].contains(need);
        again.then(|| Fault::at(format!("/needs/{index}"), "repeated", "This need is already in the list."))
    };
    let faults: Vec<Fault> = written.needs.iter().enumerate().filter_map(repeated).collect();
    if faults.is_empty() { Ok(written) } else { Err(Error::invalid(faults)) }
}
