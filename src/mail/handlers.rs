//! A member's messages over HTTP.

use std::collections::HashSet;

use super::compose::Facts;
use super::store;
use super::types::Message;
use super::words::en;
use crate::auth::policy::MemberOrAdvisor;
use crate::auth::reach::Reach;
use crate::http::prelude::*;
use crate::members::store as members;
use crate::messages::queue::MessageRow;

/// List a member's messages
///
/// What the service told the member, newest first, whether or not it could be sent as an e-mail: an app shows this list
/// as the member's inbox. Messages are kept for 90 days.
#[utoipa::path(operation_id = "list_messages", tag = "members",
    params(("id" = Id, Path, description = "The member"), Paging),
    responses((status = 200, description = "A page of messages", body = Page<Message>), (status = 304, description = "Not changed"), Missing, Problems))]
#[get("/v1/members/{id}/messages")]
pub async fn list_messages(
    request: Extract<(Allowed<MemberOrAdvisor>, Path<Id>, Query<Paging>)>,
) -> Result<HttpResponse> {
    let Extract((who, Path(id), Query(filter))) = request;
    let slice = Slice::<Id>::read(&who, filter.limit, filter.cursor.as_deref())?;
    let (context, wanted, reach) = (who.context(), slice.clone(), Reach::to_people(who.caller()?)?);
    let read = who.state().db.read_audited(move |conn| {
        members::get(conn, reach, id)?;
        let rows = store::list(conn, id, context.now(), &wanted)?;
        let mut events = context.reads_list(Subject::of_member("member", id, id), &["messages"], &rows);
        events.extend(reads_of_others(&context, wanted.shown(&rows)));
        let facts = Facts::load(conn, &rows)?.with_names(conn, &rows)?;
        Ok(((rows, facts), events))
    });
    let (rows, facts) = read.await?;
    who.show_page(Cache::Never, &slice.page(&who, rows, |row| row.id, |row| message(&facts, row)))
}

/// One event for each person for whom the reader of these messages booked: the messages name them.
fn reads_of_others(context: &Context, rows: &[MessageRow]) -> Vec<Event> {
    let mut told = HashSet::new();
    let of_others = rows.iter().filter_map(|row| Some((row.payload.0.booking_id?, row.cared_for?)));
    of_others
        .filter(|(_, other)| told.insert(*other))
        .map(|(booking, other)| context.event("list", Subject::of_member("booking", booking, other), &[]))
        .collect()
}

/// A message as its member reads it. The facts are those of its session.
pub fn message(facts: &Facts, row: MessageRow) -> Message {
    let text = facts
        .line_as_told(&row)
        .map_or_else(|| en::summary(row.kind, row.payload.0.notice).to_owned(), |line| en::sentence(&line));
    let reason = facts.reason(&row).map(str::to_owned);
    Message {
        id: row.id,
        kind: row.kind,
        channel: row.channel,
        status: row.status,
        why: row.why,
        session_id: row.payload.0.session_id,
        booking_id: row.payload.0.booking_id,
        text,
        reason,
        created_at: row.created_at,
        sent_at: row.sent_at,
    }
}
