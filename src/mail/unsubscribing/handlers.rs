//! Unsubscribing over HTTP.

use actix_web::http::header::CACHE_CONTROL;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::accounts::pages;
use crate::auth::reach::Reach;
use crate::auth::store as accounts;
use crate::http::extract::ClickedForm;
use crate::http::prelude::*;
use crate::members::consents::store::{self as consents, ConsentRow};
use crate::members::consents::types::{ConsentDecision, ConsentInput, ConsentPurpose};
use crate::members::store as members;

const NO_REMINDERS: &str = "You get no more reminders from us. We still write when one of your bookings changes.\n";
const NO_EMAIL: &str = "You get no more e-mails from us.\n";

/// What somebody wants who follows the link in a mail.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Unsubscription {
    /// What mail programs send (RFC 8058).
    #[serde(rename = "List-Unsubscribe")]
    #[schema(example = "One-Click")]
    pub list_unsubscribe: Option<String>,
    /// `none` withdraws the consent `contact_email`: then no e-mail is sent at all. Without it only reminders end.
    #[schema(example = "none")]
    pub emails: Option<String>,
}

/// Unsubscribe
///
/// Ends the reminders of the member whose link it is: `reminders` becomes false. News about their bookings is still sent.
/// With `emails=none`, no e-mail is sent at all. Sending it again changes nothing more.
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
            // The link of a record that is gone leads nowhere.
            let gone = |error: Error| if error.kind() == Kind::NotFound { nowhere() } else { error };
            members::lock(conn, Reach::Everyone, member_id).map_err(gone)?;
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
    let page = pages::unsubscribe(pages::Secret::InThePath)?;
    Ok(context.show_text(Cache::Never, "text/html; charset=utf-8", page))
}

fn nowhere() -> Error {
    Error::not_found("link")
}

fn member(context: &Context, token: &str) -> Result<Id> {
    super::read(context.state().tokens.refresh(), token).ok_or_else(nowhere)
}

fn stop_reminders(conn: &mut Conn, context: &Context, member_id: Id) -> Result<()> {
    if !members::stop_reminders(conn, member_id, context.now())? {
        return Ok(());
    }
    let subject = Subject::of_member("member", member_id, member_id);
    context.record(conn, &[context.event("change", subject, &["reminders"])])
}

fn stop_email(conn: &mut Conn, context: &Context, member_id: Id) -> Result<()> {
    let purpose = ConsentPurpose::ContactEmail;
    if consents::last(conn, member_id, purpose)? == Some(ConsentDecision::Withdrawn) {
        return Ok(());
    }
    // A member without an account has done it as well.
    let recorder = accounts::account_of_member(conn, member_id)?.map_or(member_id, |account| account.id);
    let at = consents::next_instant(conn, member_id, context.now())?;
    let written = ConsentInput::by_member(purpose, ConsentDecision::Withdrawn);
    let row = ConsentRow::new(context.new_id(), member_id, written, recorder, at);
    consents::insert(conn, std::slice::from_ref(&row))?;
    let subject = Subject::of_member("consent", row.id, member_id);
    context.record(conn, &[context.event("create", subject, &["purpose", "decision"])])
}
