//! A member's messages over HTTP.

use super::compose::Facts;
use super::store;
use super::types::Message;
use super::words::en;
use crate::auth::policy::MemberOrAdvisor;
use crate::http::prelude::*;
use crate::members::handlers::list_of_member;
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
    let wanted = slice.clone();
    let now = who.now();
    let rows = list_of_member(&who, id, "messages", move |conn| store::list(conn, id, now, &wanted)).await?;
    let told = rows.clone();
    let facts = who.state().db.read(move |conn| Facts::load(conn, &told)).await?;
    who.show_page(Cache::Never, &slice.page(&who, rows, |row| row.id, |row| message(&facts, row)))
}

/// A message as its member reads it. The facts are those of its session.
pub fn message(facts: &Facts, row: MessageRow) -> Message {
    let text = facts
        .line_as_told(&row)
        .map_or_else(|| en::summary(row.kind, row.payload.0.notice).to_owned(), |line| en::sentence(&line));
    Message {
        id: row.id,
        kind: row.kind,
        channel: row.channel,
        status: row.status,
        why: row.why,
        session_id: row.payload.0.session_id,
        booking_id: row.payload.0.booking_id,
        text,
        created_at: row.created_at,
        sent_at: row.sent_at,
    }
}
