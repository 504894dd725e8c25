//! Unsubscribing over HTTP.

use actix_web::http::header::CACHE_CONTROL;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::accounts::pages;
use crate::audit::Actor;
use crate::auth::caller::Role;
use crate::auth::store as accounts;
use crate::db::types::TextEnum;
use crate::http::extract::ClickedForm;
use crate::http::prelude::*;
use crate::members::consents::store as consents;
use crate::members::consents::types::{ConsentDecision, ConsentPurpose};
use crate::members::store as members;

const NO_REMINDERS: &str = "You get no more reminders from us. We still write when one of your bookings changes. You can \
                            close this page. Do you want them back? Ask us.\n";
const NO_EMAIL: &str = "You get no more e-mails about sessions from us. We still write about your account, such as a new password. You can \
     close this page. Do you want them back? Ask us.\n";

/// What somebody wants who follows the link in a mail.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Unsubscription {
    /// What mail programs send (RFC 8058).
    #[serde(rename = "List-Unsubscribe")]
    #[schema(example = "One-Click")]
    pub list_unsubscribe: Option<String>,
    /// `none` withdraws the consent `contact_email`: then no e-mail about sessions is sent. Without it only reminders end.
    #[schema(example = "none")]
    pub emails: Option<String>,
}

/// Unsubscribe
///
/// Ends the reminders of the member whose link it is: `reminders` becomes false. News about their bookings is still sent.
/// With `emails=none`, no e-mail about sessions is sent at all; the account's own, such as a new password, still are.
/// Sending it again changes nothing more.
#[utoipa::path(operation_id = "unsubscribe", tag = "members",
    params(("token" = String, Path, description = "The secret in the link of a mail")),
    request_body(content((Unsubscription = "application/x-www-form-urlencoded"), (Unsubscription = "multipart/form-data"))),
    responses((status = 200, description = "Done, in a sentence", body = String, content_type = "text/plain"), BadInput, Missing, Storage, Problems),
    security(()))]
#[post("/v1/unsubscribe/{token}")]
pub async fn unsubscribe(request: Extract<(Open, Path<String>, NoQuery, ClickedForm)>) -> Result<HttpResponse> {
    let Extract((Open(context), Path(token), _, ClickedForm(fields))) = request;
    let member_id = member(&context, &token)?;
    let none_at_all = fields.iter().any(|(name, value)| name == "emails" && value == "none");
    let inside = context.clone();
    context
        .write_anew(move |conn| {
            // Mails from before a merge lead to the record that the person has now. The link of one that is gone leads
            // nowhere, and a stranger isn't told why.
            let member_id = members::lock_present(conn, member_id)?.ok_or_else(nowhere)?;
            if none_at_all { stop_email(conn, &inside, member_id) } else { stop_reminders(conn, &inside, member_id) }
        })
        .await?;
    let text = if none_at_all { NO_EMAIL } else { NO_REMINDERS };
    let mut response = HttpResponse::Ok();
    Ok(response.insert_header((CACHE_CONTROL, "no-store")).content_type("text/plain; charset=utf-8").body(text))
}

/// Get the page for unsubscribing
///
/// For people who open the link of a mail in a browser. Opening it changes nothing.
#[utoipa::path(operation_id = "get_unsubscribe_page", tag = "members",
    params(("token" = String, Path, description = "The secret in the link of a mail")),
    responses((status = 200, description = "The page", body = String, content_type = "text/html"), (status = 304, description = "Not changed"), Missing, Problems),
    security(()))]
#[get("/v1/unsubscribe/{token}")]
pub async fn get_unsubscribe_page(request: Extract<(Open, Path<String>, NoQuery)>) -> Result<HttpResponse> {
    let Extract((Open(context), Path(token), _)) = request;
    member(&context, &token)?;
    let page = pages::unsubscribe(pages::Secret::InThePath, &context.state().config)?;
    Ok(context.show_text(Cache::Never, "text/html; charset=utf-8", page))
}

fn nowhere() -> Error {
    Error::not_found("link")
}

fn member(context: &Context, token: &str) -> Result<Id> {
    super::SECRETS.read(context.state().tokens.refresh(), token).ok_or_else(nowhere)
}

fn stop_reminders(conn: &mut Conn, context: &Context, member_id: Id) -> Result<()> {
    if !members::stop_reminders(conn, member_id, context.now())? {
        return Ok(());
    }
    let subject = Subject::of_member("member", member_id, member_id);
    let by = doer(conn, member_id)?;
    context.record(conn, &[event(context, by, "change", subject, &["reminders"])])
}

/// Whoever has the link has the member's mail, so it counts as done by the member: by their account, if they have one.
fn doer(conn: &mut Conn, member_id: Id) -> Result<Id> {
    Ok(accounts::account_of_member(conn, member_id)?.map_or(member_id, |account| account.id))
}

/// An event of what a member did. The request has no caller.
fn event(context: &Context, by: Id, action: &'static str, subject: Subject, fields: &[&str]) -> Event {
    let actor = Actor::user(by, Role::Member.name(), None);
    let event = Event::new(context.now(), actor, context.request_id(), action, subject, fields);
    event.numbered_at(context.state().clock.now())
}

fn stop_email(conn: &mut Conn, context: &Context, member_id: Id) -> Result<()> {
    if consents::last(conn, member_id, ConsentPurpose::ContactEmail)? == Some(ConsentDecision::Withdrawn) {
        return Ok(());
    }
    let by = doer(conn, member_id)?;
    let no_email = (ConsentPurpose::ContactEmail, ConsentDecision::Withdrawn);
    let row = consents::record(conn, context.new_id(), member_id, no_email, (by, None), context.now())?;
    let subject = Subject::of_member("consent", row.id, member_id);
    context.record(conn, &[event(context, by, "create", subject, &["purpose", "decision"])])
}
